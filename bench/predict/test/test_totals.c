/* SPDX-License-Identifier: MIT */
/*
 * The time of a request: on a machine whose prices are known, where it must come back; and on a
 * recorded run of a real one, whose five workloads no price and no margin was fitted on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/guest/primitives.h"
#include "hk/judge/placements.h"
#include "hk/predict/totals.h"
#include "support.h"

#define ALL_SERVERS (HK_PLACEMENTS - 1)
#define LAUNCHES_MAX 600

static const char *const files[] = {"audio_workstation", "desktop", "file_compile", "sensor_node",
                                    "web_server"};

static struct hk_sweep_workload read_file(const char *name)
{
    struct hk_sweep_workload workload;
    char error[256];

    assert_int_equal(hk_sweep_workload_find(HK_WORKLOADS, name, &workload, error), HK_OK);
    return workload;
}

/* --- a machine that is known ------------------------------------------------------------------ */

static const struct hk_crossing_costs costs = {
    .c_sys_ns = {300, 0, 5},
    .c_ipc_ns = {2000, 0, 5},
    .has_hop = true,
    .hop_ns = {2385, 0, 5},
    .copy_ns_per_byte = {{0.1, 0, 5}, {0, 0, 5}},
    .break_bytes = INFINITY,
};

/* From 0.03 ns for a byte to 410 ns for an operation; going off is in the alarm's. */
static void known_prices(double ns[HK_WORKS])
{
    for (enum hk_work w = 0; w < HK_WORKS; w++) {
        const char *name = hk_work_name(w);
        const bool small = strncmp(name, "byte", 4) == 0 || strncmp(name, "pixel", 5) == 0;
        ns[w] = w == HK_WORK_ALARM_RING ? 0 : small ? 0.03 + 0.011 * w : 17 + 9.1 * w;
    }
    ns[HK_WORK_BLOCK_SCAN] = 0.7;
    ns[HK_WORK_AUDIO_FRAME] = 1.1;
    ns[HK_WORK_ALARM_WAITING] = 1.3;
}

/* What such a machine takes, from another moment of the period on than predictions begin. */
static double true_ns(const struct hk_mix *mix, uint32_t set)
{
    struct hk_mix longer = *mix;
    struct hk_replay_costs clock = {0};
    struct hk_crossings crossings;
    struct hk_estimate crossing_ns = {0};
    struct hk_replay replay;
    double ns = 0, before_ns = -1;
    bool hops;

    longer.requests = 5000;
    known_prices(clock.unit);
    /* the longer a request, the more periods pass */
    while (fabs(crossing_ns.value - before_ns) > 0.003 * crossing_ns.value) {
        before_ns = crossing_ns.value;
        known_prices(clock.unit);
        clock.unit[HK_WORK_REQUEST] += crossing_ns.value;
        assert_int_equal(hk_mix_replay(&longer, &clock, 0.3, &replay), HK_OK);
        if (set == 0)
            break;
        hk_crossings_count_servers(&replay, set, &crossings);
        assert_int_equal(hk_crossings_predict(&crossings, &costs, &crossing_ns, &hops), HK_OK);
    }
    known_prices(clock.unit);
    for (enum hk_work w = 0; w < HK_WORKS; w++)
        ns += clock.unit[w] * replay.work[w];
    return set == 0 ? ns : ns + crossing_ns.value;
}

/* The same of a primitive, once. */
static double primitive_ns(unsigned i, uint32_t set)
{
    static double known[HK_PRIMITIVES][2];
    double *ns = &known[i][set != 0];

    if (*ns == 0) {
        struct hk_sweep_workload w;
        hk_primitive_make(i, &w);
        *ns = true_ns(&w.mix, set);
    }
    return *ns;
}

static void add_launch(struct hk_run *run, const char *workload, uint32_t set, double ns)
{
    struct hk_launch *launch = &run->launches[run->launch_count];
    char name[HK_NAME_BYTES];
    uint32_t index = 0;

    if (set == 0)
        snprintf(name, sizeof name, "native/workload/%s/servers:0", workload);
    else
        snprintf(name, sizeof name, "native/workload/%s/over:pipe/servers:%u", workload, set);
    for (size_t i = 0; i < run->launch_count; i++)
        index += strcmp(run->launches[i].name, name) == 0;
    assert_in_range(run->launch_count, 0, LAUNCHES_MAX - 1);
    assert_int_equal(hk_launch_init(launch, name, index, 1), HK_OK);
    run->launch_count++;
    assert_int_equal(hk_launch_add_counter(launch, "mean_ns", ns), HK_OK);
}

static int by_name(const void *a, const void *b)
{
    const struct hk_launch *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static void sort(struct hk_run *run)
{
    qsort(run->launches, run->launch_count, sizeof *run->launches, by_name);
}

static struct hk_run empty_run(void)
{
    struct hk_run run = {.path = strdup("results/known"),
                         .launches = calloc(LAUNCHES_MAX, sizeof *run.launches)};

    assert_true(run.path != NULL && run.launches != NULL);
    return run;
}

/* All singles but those of a service, and so many mixed ones that take as much longer. */
static struct hk_run known_run(unsigned without, unsigned mixed, double longer)
{
    struct hk_run run = empty_run();

    for (unsigned i = 0; i < HK_PRIMITIVES_SINGLE + mixed; i++) {
        const bool single = i < HK_PRIMITIVES_SINGLE;
        struct hk_sweep_workload w;
        if (single && hk_primitive_service(i) == without)
            continue;
        hk_primitive_make(i, &w);
        add_launch(&run, w.name, 0, primitive_ns(i, 0) * (single ? 1 : longer));
        if (!single)
            add_launch(&run, w.name, ALL_SERVERS, primitive_ns(i, ALL_SERVERS) * longer);
    }
    sort(&run);
    return run;
}

static void what_is_known_comes_back(void **state)
{
    static const uint32_t sets[] = {0, 1u << HK_SERVICE_FILE, 0x55, ALL_SERVERS};
    struct hk_run run = known_run(HK_SERVICES + 1, HK_PRIMITIVES_MIXED, 1);
    char error[HK_TEXT_BYTES];
    struct hk_totals totals;

    (void)state;
    if (hk_totals_fit(&run, "pipe", &costs, &totals, error) != HK_OK)
        fail_msg("%s", error);
    assert_int_equal(totals.single_count, HK_PRIMITIVES_SINGLE);
    assert_int_equal(totals.in_process.count, HK_PRIMITIVES_MIXED);
    assert_int_equal(totals.in_servers.count, HK_PRIMITIVES_MIXED);
    assert_true(totals.in_process.confidence_ratio == 0.95);
    for (size_t f = 0; f < HK_ARRAY_COUNT(files); f++)
        for (size_t s = 0; s < HK_ARRAY_COUNT(sets); s++) {
            const struct hk_sweep_workload w = read_file(files[f]);
            const double ns = true_ns(&w.mix, sets[s]);
            struct hk_predicted p;
            assert_int_equal(hk_totals_predict(&totals, &w.mix, sets[s], &p), HK_OK);
            if (fabs(p.value / ns - 1) > 0.05 || p.interval.lower > ns || p.interval.upper < ns)
                fail_msg("%s, servers %u: %.0f ns [%.0f, %.0f], it is %.0f", files[f], sets[s],
                         p.value, p.interval.lower, p.interval.upper, ns);
        }
    hk_run_fini(&run);
}

/* Mixed workloads that take longer than their parts say so in the interval, not in the value. */
static void margin_is_what_mixed_ones_are_off(void **state)
{
    const struct hk_sweep_workload desktop = read_file("desktop");
    struct hk_run exact = known_run(HK_SERVICES + 1, 9, 1);
    struct hk_run slower = known_run(HK_SERVICES + 1, 9, 1.3);
    struct hk_totals a, b;
    struct hk_predicted p, q;
    char error[HK_TEXT_BYTES];

    (void)state;
    assert_int_equal(hk_totals_fit(&exact, "pipe", NULL, &a, error), HK_OK);
    assert_int_equal(hk_totals_fit(&slower, "pipe", NULL, &b, error), HK_OK);
    assert_near(b.in_process.confidence_ratio, 0.9, 1e-12);
    assert_true(b.in_process.margin > a.in_process.margin + 0.1);
    assert_int_equal(hk_totals_predict(&a, &desktop.mix, 0, &p), HK_OK);
    assert_int_equal(hk_totals_predict(&b, &desktop.mix, 0, &q), HK_OK);
    assert_near(q.value, p.value, 1e-9);
    assert_true(q.interval.upper > 1.1 * p.interval.upper);
    hk_run_fini(&exact);
    hk_run_fini(&slower);
}

static void what_is_missing_is_said(void **state)
{
    struct hk_run none = empty_run();
    struct hk_run no_print = known_run(HK_SERVICE_PRINT, HK_PRIMITIVES_MIXED, 1);
    struct hk_run few = known_run(HK_SERVICES + 1, 8, 1);
    char error[HK_TEXT_BYTES];
    struct hk_totals totals;

    (void)state;
    assert_refused(hk_totals_fit(&none, "pipe", &costs, &totals, error), HK_ENOENT, &totals);
    assert_non_null(strstr(error, "single workloads of the client"));
    assert_refused(hk_totals_fit(&no_print, "pipe", &costs, &totals, error), HK_ENOENT, &totals);
    assert_non_null(strstr(error, "single workloads of print"));
    assert_non_null(strstr(error, "hkbench run --full --filter native/workload"));
    assert_refused(hk_totals_fit(&few, "pipe", &costs, &totals, error), HK_ENOISE, &totals);
    assert_non_null(strstr(error, "too few mixed workloads"));
    hk_run_fini(&none);
    hk_run_fini(&no_print);
    hk_run_fini(&few);
}

static void what_cannot_be_predicted_is_refused(void **state)
{
    struct hk_sweep_workload w = read_file("desktop");
    struct hk_run run = known_run(HK_SERVICES + 1, 9, 1);
    char error[HK_TEXT_BYTES];
    struct hk_totals totals;
    struct hk_predicted p;

    (void)state;
    assert_int_equal(hk_totals_fit(&run, "fax", &costs, &totals, error), HK_OK);
    assert_int_equal(totals.in_servers.count, 0);
    assert_refused(hk_totals_predict(&totals, &w.mix, 1, &p), HK_ENOENT, &p);
    assert_refused(hk_totals_predict(&totals, &w.mix, HK_PLACEMENTS, &p), HK_EINVAL, &p);
    w.mix.audio_period_ns = 50;
    assert_refused(hk_totals_predict(&totals, &w.mix, 0, &p), HK_ERANGE, &p);
    hk_run_fini(&run);
}

static void measured_is_the_median_of_launches_that_hold(void **state)
{
    struct hk_run run = empty_run();
    double ns;

    (void)state;
    add_launch(&run, "desktop", 0, 700);
    add_launch(&run, "desktop", 0, 900);
    add_launch(&run, "desktop", 0, 800);
    add_launch(&run, "desktop", 0, 1e6);
    assert_int_equal(hk_launch_add_counter(&run.launches[3], "hk_disturbed", 1), HK_OK);
    add_launch(&run, "desktop", 0, 1e7);
    run.launches[4].state = HK_LAUNCH_INVALID;
    add_launch(&run, "desktop", 3, 5);
    assert_int_equal(hk_totals_measured(&run, "desktop", "pipe", 0, &ns), HK_OK);
    assert_near(ns, 800, 1e-12);
    assert_refused(hk_totals_measured(&run, "desktop", "fax", 3, &ns), HK_ENOENT, &ns);
    assert_refused(hk_totals_measured(&run, "sensor_node", "pipe", 0, &ns), HK_ENOENT, &ns);
    run.launches[5].state = HK_LAUNCH_INVALID;
    assert_refused(hk_totals_measured(&run, "desktop", "pipe", 3, &ns), HK_ENOENT, &ns);
    hk_run_fini(&run);
}

/* Once for each cell, no primitives, no other transport. */
static void cells_of_workloads_are_found(void **state)
{
    struct hk_run run = empty_run();
    char workload[HK_NAME_BYTES];
    size_t launch = 0, found = 0;
    uint32_t set, sets = 0;

    (void)state;
    add_launch(&run, "one_stat", 0, 700);
    add_launch(&run, "mixed_a0", ALL_SERVERS, 700);
    add_launch(&run, "desktop", 0, 700);
    add_launch(&run, "desktop", 0, 800);
    add_launch(&run, "desktop", 4, 800);
    sort(&run);
    while (hk_totals_next(&run, "pipe", &launch, workload, &set)) {
        assert_string_equal(workload, "desktop");
        sets |= 1u << set;
        found++;
    }
    assert_int_equal(found, 2);
    assert_int_equal(sets, 1u << 0 | 1u << 4);
    launch = 0;
    assert_true(hk_totals_next(&run, "fax", &launch, workload, &set));
    assert_int_equal(set, 0);
    assert_false(hk_totals_next(&run, "fax", &launch, workload, &set));
    hk_run_fini(&run);
}

/* --- a machine that was measured ---------------------------------------------------------------- */

/* F3's of the same run, hkbench fit. */
static const struct hk_crossing_costs recorded_costs = {
    .c_sys_ns = {1206, 15, 3},
    .c_ipc_ns = {6715, 55, 3},
    .has_hop = true,
    .hop_ns = {9626, 97, 12},
    .copy_ns_per_byte = {{0.1024, 0.0022, 12}, {0, 0, 12}},
    .break_bytes = INFINITY,
};

static struct hk_run recorded_run(void)
{
    struct hk_run run = empty_run();
    char line[256], workload[HK_SWEEP_NAME_BYTES];
    FILE *file = fopen(HK_NATIVE_TSV, "re");
    unsigned set, launches;
    double ns;

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (line[0] != '#') {
            assert_int_equal(sscanf(line, "%31s %u %u %lf", workload, &set, &launches, &ns), 4);
            add_launch(&run, workload, set, ns);
        }
    fclose(file);
    sort(&run);
    return run;
}

struct held_out {
    size_t count, inside;
    double error_sum, error_max;
};

static void compare(const struct hk_run *run, const struct hk_totals *totals, const char *workload,
                    uint32_t set, struct held_out *out)
{
    const struct hk_sweep_workload w = read_file(workload);
    struct hk_predicted p;
    double ns;

    assert_int_equal(hk_totals_measured(run, workload, "pipe", set, &ns), HK_OK);
    assert_int_equal(hk_totals_predict(totals, &w.mix, set, &p), HK_OK);
    const double error = fabs(p.value / ns - 1);
    const bool inside = p.interval.lower <= ns && ns <= p.interval.upper;
    print_message("%-18s servers %3u: %9.0f ns [%9.0f, %9.0f], measured %9.0f: %5.1f %% off%s\n",
                  workload, set, p.value, p.interval.lower, p.interval.upper, ns, 100 * error,
                  inside ? "" : ", outside");
    out->count++;
    out->inside += inside;
    out->error_sum += error;
    out->error_max = fmax(out->error_max, error);
}

/* The figures of docs/predict.md: prices from single workloads, margins from mixed ones. */
static void a_machine_is_predicted(void **state)
{
    struct hk_run run = recorded_run();
    char workload[HK_NAME_BYTES], error[HK_TEXT_BYTES];
    struct held_out process = {0}, servers = {0};
    struct hk_totals totals;
    size_t launch = 0;
    uint32_t set;

    (void)state;
    if (hk_totals_fit(&run, "pipe", &recorded_costs, &totals, error) != HK_OK)
        fail_msg("%s", error);
    print_message("in process %zu mixed: %.1f %% off, margin %.3f; in servers %zu: %.1f %%, %.3f; "
                  "worst fit %.1f %%\n", totals.in_process.count,
                  100 * totals.in_process.error_median, totals.in_process.margin,
                  totals.in_servers.count, 100 * totals.in_servers.error_median,
                  totals.in_servers.margin, 100 * totals.fit_error_max);
    while (hk_totals_next(&run, "pipe", &launch, workload, &set))
        compare(&run, &totals, workload, set, set == 0 ? &process : &servers);
    print_message("in process %.1f %% off on average, %.1f %% at worst, %zu of %zu inside; in servers "
                  "%.1f %%, %.1f %%, %zu of %zu\n", 100 * process.error_sum / (double)process.count,
                  100 * process.error_max, process.inside, process.count,
                  100 * servers.error_sum / (double)servers.count, 100 * servers.error_max,
                  servers.inside, servers.count);
    assert_int_equal(process.count, HK_ARRAY_COUNT(files));
    assert_int_equal(servers.count, 3 * HK_ARRAY_COUNT(files));
    assert_int_equal(process.inside, process.count);
    assert_int_equal(servers.inside, servers.count);
    assert_true(process.error_sum / (double)process.count < 0.11 && process.error_max < 0.22);
    assert_true(servers.error_sum / (double)servers.count < 0.14 && servers.error_max < 0.25);
    hk_run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_comes_back),
        cmocka_unit_test(margin_is_what_mixed_ones_are_off),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(what_cannot_be_predicted_is_refused),
        cmocka_unit_test(measured_is_the_median_of_launches_that_hold),
        cmocka_unit_test(cells_of_workloads_are_found),
        cmocka_unit_test(a_machine_is_predicted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
