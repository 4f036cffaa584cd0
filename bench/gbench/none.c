/* SPDX-License-Identifier: MIT */
/*
 * The interface without libbenchmark: everything is refused with the reason.
 *
 * No benchmark ever runs here, so that no state exists and the state functions
 * cannot be called with one.
 */
#include "hk/gbench/gbench.h"

bool hk_gbench_available(void)
{
    return false;
}

const char *hk_gbench_error_text(void)
{
    return "built without Google Benchmark: install libbenchmark-dev, configure and build again";
}

int hk_gbench_init(int *argc, char **argv)
{
    (void)argc, (void)argv;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_context(const char *key, const char *value)
{
    (void)key, (void)value;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_run(const char *filter, struct hk_gbench_totals *totals)
{
    (void)filter, (void)totals;
    return HK_GBENCH_ENOTSUP;
}

void hk_gbench_shutdown(void)
{
}

int hk_gbench_register(const char *name, hk_gbench_fn *fn, void *arg, struct hk_gbench **bench)
{
    (void)name, (void)fn, (void)arg, (void)bench;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_register_cpp_loop(const char *name)
{
    (void)name;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_setup(struct hk_gbench *bench, hk_gbench_fn *setup, hk_gbench_fn *teardown)
{
    (void)bench, (void)setup, (void)teardown;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_arg(struct hk_gbench *bench, int64_t value)
{
    (void)bench, (void)value;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_args(struct hk_gbench *bench, const int64_t *values, size_t count)
{
    (void)bench, (void)values, (void)count;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_range(struct hk_gbench *bench, int64_t low, int64_t high)
{
    (void)bench, (void)low, (void)high;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_ranges(struct hk_gbench *bench, const struct hk_gbench_range *ranges,
                         size_t count)
{
    (void)bench, (void)ranges, (void)count;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_dense_range(struct hk_gbench *bench, int64_t low, int64_t high, int64_t step)
{
    (void)bench, (void)low, (void)high, (void)step;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_product(struct hk_gbench *bench, const struct hk_gbench_list *lists, size_t count)
{
    (void)bench, (void)lists, (void)count;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_range_multiplier(struct hk_gbench *bench, int multiplier)
{
    (void)bench, (void)multiplier;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_arg_names(struct hk_gbench *bench, const char *const *names, size_t count)
{
    (void)bench, (void)names, (void)count;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_threads(struct hk_gbench *bench, int thread_count)
{
    (void)bench, (void)thread_count;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_thread_range(struct hk_gbench *bench, int low, int high)
{
    (void)bench, (void)low, (void)high;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_clock(struct hk_gbench *bench, enum hk_gbench_clock clock)
{
    (void)bench, (void)clock;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_process_cpu_time(struct hk_gbench *bench)
{
    (void)bench;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_unit(struct hk_gbench *bench, enum hk_gbench_unit unit)
{
    (void)bench, (void)unit;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_repetitions(struct hk_gbench *bench, int repetition_count)
{
    (void)bench, (void)repetition_count;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_iterations(struct hk_gbench *bench, int64_t iteration_count)
{
    (void)bench, (void)iteration_count;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_min_time_s(struct hk_gbench *bench, double min_time_s, double warm_up_s)
{
    (void)bench, (void)min_time_s, (void)warm_up_s;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_complexity(struct hk_gbench *bench, enum hk_gbench_complexity complexity)
{
    (void)bench, (void)complexity;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_set_complexity_law(struct hk_gbench *bench, double (*law)(int64_t n))
{
    (void)bench, (void)law;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_add_statistic(struct hk_gbench *bench, const char *name,
                            double (*function)(const double *values, size_t count),
                            enum hk_gbench_statistic_unit unit)
{
    (void)bench, (void)name, (void)function, (void)unit;
    return HK_GBENCH_ENOTSUP;
}

int64_t hk_gbench_loop_begin(struct hk_gbench_state *state)
{
    (void)state;
    return 0;
}

void hk_gbench_loop_end(struct hk_gbench_state *state)
{
    (void)state;
}

void hk_gbench_state_pause(struct hk_gbench_state *state)
{
    (void)state;
}

void hk_gbench_state_resume(struct hk_gbench_state *state)
{
    (void)state;
}

void hk_gbench_state_add_time_s(struct hk_gbench_state *state, double seconds)
{
    (void)state, (void)seconds;
}

void hk_gbench_state_fail(struct hk_gbench_state *state, const char *reason)
{
    (void)state, (void)reason;
}

void hk_gbench_state_skip(struct hk_gbench_state *state, const char *reason)
{
    (void)state, (void)reason;
}

bool hk_gbench_state_failed(const struct hk_gbench_state *state)
{
    (void)state;
    return true;
}

int64_t hk_gbench_state_arg(struct hk_gbench_state *state, size_t index)
{
    (void)state, (void)index;
    return 0;
}

size_t hk_gbench_state_arg_count(const struct hk_gbench_state *state)
{
    (void)state;
    return 0;
}

int64_t hk_gbench_state_iterations(const struct hk_gbench_state *state)
{
    (void)state;
    return 0;
}

int hk_gbench_state_thread_index(const struct hk_gbench_state *state)
{
    (void)state;
    return 0;
}

int hk_gbench_state_thread_count(const struct hk_gbench_state *state)
{
    (void)state;
    return 0;
}

int hk_gbench_state_set_counter(struct hk_gbench_state *state, const char *name, double value,
                                unsigned flags, enum hk_gbench_base base)
{
    (void)state, (void)name, (void)value, (void)flags, (void)base;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_state_set_bytes(struct hk_gbench_state *state, int64_t total)
{
    (void)state, (void)total;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_state_set_items(struct hk_gbench_state *state, int64_t total)
{
    (void)state, (void)total;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_state_set_complexity_n(struct hk_gbench_state *state, int64_t n)
{
    (void)state, (void)n;
    return HK_GBENCH_ENOTSUP;
}

int hk_gbench_state_set_label(struct hk_gbench_state *state, const char *text)
{
    (void)state, (void)text;
    return HK_GBENCH_ENOTSUP;
}
