/* SPDX-License-Identifier: MIT */
/*
 * Predictions against counted truth: prices from the primitives alone, five workloads in all 256
 * placements, none of which any price or margin was fitted on. Held out, but not blind: their errors
 * were looked at while the repetition and the ranges were made. Both tables are runs of one build
 * of hkbench, one line for the launches of a cell, which all say the same (table.py).
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
#include "hk/guest/mix.h"
#include "hk/guest/primitives.h"
#include "hk/judge/judge.h"
#include "hk/judge/placements.h"
#include "hk/model/queue.h"
#include "hk/predict/crossings.h"
#include "hk/predict/prices.h"
#include "hk/predict/waits.h"
#include "hk/stats/error.h"
#include "hk/stats/proportion.h"
#include "hk/stats/quantile.h"
#include "support.h"

#define WORKLOADS 5
#define LINE_BYTES 512
#define LAUNCHES_MAX 2000

static const char *const workloads[WORKLOADS] = {"audio_workstation", "desktop", "file_compile",
                                                 "sensor_node", "web_server"};
/* And the median width of their intervals that is too wide: by what was counted, or in ns. */
static const struct {
    const char *name;
    double width_max;
} quantities[HK_QUANTITIES] = {
    [HK_PER_REQUEST] = {"mean", 0.094}, [HK_P50] = {"p50", 0.30},
    [HK_P90] = {"p90", 0.48},          [HK_P99] = {"p99", 0.84},
    [HK_LATENESS] = {"lateness", 5200}, [HK_JITTER] = {"jitter", 9900},
};
static struct hk_run primitives; /* tables of counts; see their first lines */
static struct hk_run placements;

static const char *const columns[] = { /* behind the mask, as table.py writes them */
    "hk_instructions_kernel", "hk_requests_file", "hk_requests_net", "hk_requests_block",
    "hk_requests_audio", "hk_requests_timer", "hk_requests_display", "hk_requests_print",
    "hk_requests_memory", "hk_latency_instructions_p50", "hk_latency_instructions_p90",
    "hk_latency_instructions_p99", "hk_wakes", "hk_lateness_ns_sum", "hk_lateness_square_sum",
    "hk_lateness_change_square_sum", "hk_lateness_ns_max", "hk_underruns"};

static void add_launch(struct hk_run *run, char *line)
{
    struct hk_launch *launch = &run->launches[run->launch_count];
    char *at = NULL;
    char name[128];
    const char *workload = strtok_r(line, "\t", &at);

    snprintf(name, sizeof name, "guest/placement/%s/mask:%03d", workload,
             atoi(strtok_r(NULL, "\t", &at)));
    assert_int_equal(hk_launch_init(launch, name, 0, 1), HK_OK);
    run->launch_count++;
    launch->exactness = HK_EXACT;
    assert_int_equal(hk_launch_add_counter(launch, "hk_instructions_user", 0), HK_OK);
    for (size_t i = 0; i < HK_ARRAY_COUNT(columns); i++)
        assert_int_equal(hk_launch_add_counter(launch, columns[i],
                                               atof(strtok_r(NULL, "\t\n", &at))), HK_OK);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hk_launch *)a)->name, ((const struct hk_launch *)b)->name);
}

static void read_table(const char *path, struct hk_run *run)
{
    char line[LINE_BYTES];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    run->path = strdup(path);
    run->launches = calloc(LAUNCHES_MAX, sizeof *run->launches);
    assert_true(run->path != NULL && run->launches != NULL);
    while (fgets(line, LINE_BYTES, file) != NULL && run->launch_count < LAUNCHES_MAX)
        if (line[0] != '#')
            add_launch(run, line);
    fclose(file);
    qsort(run->launches, run->launch_count, sizeof *run->launches, by_name);
}

static int read_tables(void **state)
{
    (void)state;
    read_table(HK_PRIMITIVES_TSV, &primitives);
    read_table(HK_PLACEMENTS_TSV, &placements);
    return 0;
}

static int free_tables(void **state)
{
    (void)state;
    hk_run_fini(&primitives);
    hk_run_fini(&placements);
    return 0;
}

static void workload_is_read(size_t w, struct hk_mix *mix)
{
    char path[4096], error[256];

    snprintf(path, sizeof path, "%s/%s.ini", HK_WORKLOADS, workloads[w]);
    assert_int_equal(hk_mix_read(path, mix, error), HK_OK);
}

/* --- held out: all workloads in all placements ------------------------------------------------ */

/* What was said and what was counted of one quantity; cells that tell nothing are left out. */
struct cells {
    double predicted[WORKLOADS * HK_PLACEMENTS];
    double counted[WORKLOADS * HK_PLACEMENTS];
    double width[WORKLOADS * HK_PLACEMENTS];
    size_t count;
    uint64_t hits;
};

static struct cells all[HK_QUANTITIES];

static void add_cell(struct cells *cells, const struct hk_predicted *p, double counted)
{
    cells->predicted[cells->count] = p->value;
    cells->counted[cells->count] = counted;
    cells->width[cells->count++] = p->interval.upper - p->interval.lower;
    cells->hits += counted >= p->interval.lower && counted <= p->interval.upper;
}

/* One workload's cells, added to those of all. */
static void predict_workload(const struct hk_prices *prices, size_t w,
                             struct cells own[HK_QUANTITIES])
{
    struct hk_mix mix;

    memset(own, 0, HK_QUANTITIES * sizeof *own);
    workload_is_read(w, &mix);
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        struct hk_placement_cell cell;
        struct hk_priced p;
        assert_int_equal(hk_placement_read(&placements, workloads[w], set, &cell), HK_OK);
        assert_int_equal(hk_prices_predict(prices, &mix, set, &p), HK_OK);
        for (enum hk_quantity q = 0; q < HK_QUANTITIES; q++) {
            double counted;
            if (!hk_quantity_counted(cell.launch, q, &counted))
                continue;
            add_cell(&own[q], &p.of[q], counted);
            add_cell(&all[q], &p.of[q], counted);
        }
    }
}

static double median(double *values, size_t n)
{
    double value = 0;

    assert_int_equal(hk_sample_sort(values, n), HK_OK);
    assert_int_equal(hk_quantile(values, n, 0.5, &value), HK_OK);
    return value;
}

static bool is_time(enum hk_quantity q)
{
    return q == HK_LATENESS || q == HK_JITTER; /* may be 0: no ratios */
}

/* Of all intervals, by what was counted where it is no time. */
static double width_median(const struct cells *c, enum hk_quantity q)
{
    double width[WORKLOADS * HK_PLACEMENTS];

    for (size_t i = 0; i < c->count; i++)
        width[i] = is_time(q) ? c->width[i] : c->width[i] / c->counted[i];
    return median(width, c->count);
}

static double difference_median(const struct cells *c)
{
    double off[WORKLOADS * HK_PLACEMENTS];

    for (size_t i = 0; i < c->count; i++)
        off[i] = fabs(c->predicted[i] - c->counted[i]);
    return median(off, c->count);
}

/* Prints how good a quantity is; true: its intervals hold as many as they say. */
static bool summarise(const char *name, enum hk_quantity q, const struct cells *c,
                      struct hk_error_summary *errors)
{
    struct hk_interval coverage;

    assert_int_equal(hk_proportion_interval(c->hits, c->count, 0.95, &coverage), HK_OK);
    print_message("%-18s %-8s covered %4llu of %4zu: %5.1f %% [%.1f, %.1f]; ", name,
                  quantities[q].name, (unsigned long long)c->hits, c->count,
                  100.0 * (double)c->hits / (double)c->count, 100 * coverage.lower,
                  100 * coverage.upper);
    if (is_time(q)) {
        print_message("median error %.0f ns, width %.0f ns\n", difference_median(c),
                      width_median(c, q));
        return coverage.upper >= 0.95;
    }
    assert_int_equal(hk_error_summarise(c->predicted, c->counted, c->count, errors), HK_OK);
    print_message("MdAPE %5.2f %%, p95 %5.2f %%, signed %+6.2f %%, median width %.1f %%\n",
                  100 * errors->absolute_median, 100 * errors->absolute_p95,
                  100 * errors->signed_median, 100 * width_median(c, q));
    return coverage.upper >= 0.95;
}

static void order_is_judged(size_t w, const struct cells *own)
{
    struct hk_placements_fit fit;

    assert_int_equal(own->count, HK_PLACEMENTS);
    assert_int_equal(hk_placements_judge(own->counted, own->predicted, &fit), HK_OK);
    print_message("%-18s what is added: %.1f %%, tau-b %.3f\n", workloads[w],
                  100 * fit.added_error_median, fit.tau_b);
}

/*
 * The acceptance of F for the mean: half of all errors within 5 %, 95 of 100 within 10 %. Of every
 * quantity: intervals that are not too narrow, nor wider than they were when this was written.
 */
static void held_out_placements_are_predicted(void **state)
{
    static struct cells own[HK_QUANTITIES];
    struct hk_error_summary errors;
    struct hk_prices prices;
    char error[HK_TEXT_BYTES];

    (void)state;
    if (hk_prices_fit(&primitives, &prices, error) != HK_OK)
        fail_msg("%s", error);
    print_message("prices: %zu single cells, worst fit %.1f %%; %zu mixed workloads, median error "
                  "%.2f %%; %zu that play; a mixer wakes %.0f ns late in the kernel, %.0f in a "
                  "server\n",
                  prices.single_count, 100 * prices.fit_error_max, prices.mixed_count,
                  100 * prices.mixed_error_median, prices.playing_count,
                  prices.wake_ns[HK_IN_KERNEL], prices.wake_ns[HK_IN_SERVER]);
    for (enum hk_quantity q = 0; q < HK_QUANTITIES; q++)
        print_message("margin of %s: %g, confidence %.3f\n", quantities[q].name, prices.margin[q],
                      prices.confidence_ratio[q]);
    for (size_t w = 0; w < WORKLOADS; w++) {
        predict_workload(&prices, w, own);
        order_is_judged(w, &own[HK_PER_REQUEST]);
        for (enum hk_quantity q = 0; q < HK_QUANTITIES; q++)
            if (own[q].count > 1)
                (void)summarise(workloads[w], q, &own[q], &errors);
        assert_int_equal(hk_error_summarise(own->predicted, own->counted, own->count, &errors),
                         HK_OK);
        assert_true(errors.absolute_median <= 0.05);
    }
    for (enum hk_quantity q = 0; q < HK_QUANTITIES; q++) {
        assert_true(summarise("all", q, &all[q], &errors));
        assert_true(width_median(&all[q], q) <= quantities[q].width_max);
        if (q == HK_PER_REQUEST)
            assert_true(errors.absolute_median <= 0.05 && errors.absolute_p95 <= 0.10);
    }
}

/* The longest that a mixer may wait is a bound, as good as prices are; and so is what follows. */
static void mixers_are_never_later_than_predicted(void **state)
{
    struct hk_prices prices;
    char error[HK_TEXT_BYTES];
    unsigned cells = 0, bounded = 0;
    double wakes = 0, longest_ratio = 0;

    (void)state;
    assert_int_equal(hk_prices_fit(&primitives, &prices, error), HK_OK);
    for (size_t w = 0; w < WORKLOADS; w++) {
        struct hk_mix mix;
        workload_is_read(w, &mix);
        for (uint32_t set = 0; set < HK_PLACEMENTS; set += 5) {
            struct hk_placement_cell cell;
            struct hk_priced p;
            struct hk_interval share;
            double latest = 0, underruns = 0, woke = 0;
            assert_int_equal(hk_placement_read(&placements, workloads[w], set, &cell), HK_OK);
            assert_true(hk_launch_counter(cell.launch, "hk_lateness_ns_max", &latest) &&
                        hk_launch_counter(cell.launch, "hk_underruns", &underruns) &&
                        hk_launch_counter(cell.launch, "hk_wakes", &woke));
            if (woke == 0)
                continue;
            assert_int_equal(hk_prices_predict(&prices, &mix, set, &p), HK_OK);
            assert_int_equal(hk_priced_underruns(&p, &share), HK_OK);
            assert_true(share.upper > 0 || underruns == 0);
            cells++;
            wakes += woke;
            bounded += latest <= p.mixer.longest_ns;
            longest_ratio = fmax(longest_ratio, latest / p.mixer.longest_ns);
        }
    }
    print_message("%u cells, %.0f wake-ups: no later than the longest wait in %u; at most %.2f of "
                  "it\n", cells, wakes, bounded, longest_ratio);
    assert_true(longest_ratio < 1.1);
}

/* A workload of one file, read over and over, for the cases below. */
static const struct hk_mix reading = {
    .version = HK_MIX_VERSION,
    .seed = 7,
    .requests = 40,
    .think_instructions = 1001,
    .audio_period_ns = HK_MIX_PERIOD_NS_MAX,
    .audio_buffers = 2,
    .entry_count = 1,
    .entry = {{HK_MIX_FILE_READ, 3, 0, 1, 5000, 5000, 0}},
};

static void work_is_counted(void **state)
{
    const struct hk_replay_costs free_of_charge = {0};
    struct hk_mix mix = reading;
    struct hk_replay replay;

    (void)state;
    assert_int_equal(hk_mix_replay(&mix, &free_of_charge, 0, &replay), HK_OK);
    assert_near(replay.work[HK_WORK_REQUEST], 1, 1e-12);
    assert_near(replay.work[HK_WORK_FIND], 1, 1e-12);
    assert_near(replay.work[HK_WORK_LOOKUP], 0, 1e-12);
    assert_near(replay.work[HK_WORK_READ], 2, 1e-12);
    assert_near(replay.work[HK_WORK_READ_BYTE], 5000, 1e-12);
    assert_int_equal(replay.requests[HK_SERVICE_FILE], 80);
    mix.entry[0].action = HK_MIX_FILE_LEND; /* all of it unaligned: the same but for the names */
    mix.entry[0].unaligned_percent = 100;
    assert_int_equal(hk_mix_replay(&mix, &free_of_charge, 0, &replay), HK_OK);
    assert_near(replay.work[HK_WORK_READ], 2, 1e-12);
    assert_near(replay.work[HK_WORK_LEND_PAGE], 0, 1e-12);
    mix.entry[0].action = HK_MIX_FILE_WRITE; /* what was written must be looked up again */
    mix.entry[0].unaligned_percent = 0;
    assert_int_equal(hk_mix_replay(&mix, &free_of_charge, 0, &replay), HK_OK);
    assert_true(replay.work[HK_WORK_LOOKUP] > 0.5);
    mix.audio_period_ns = HK_MIX_PERIOD_NS_MIN; /* a clock that stands still has no periods */
    assert_int_equal(hk_mix_replay(&mix, &free_of_charge, 0.5, &replay), HK_OK);
    assert_near(replay.work[HK_WORK_AUDIO_WAKE], 40 * 1000 / 50e3 / 40, 0.05);
}

/* Reads of two pages, 3000 instructions each, and a mixer that wakes meanwhile. */
static void wakes_wait_for_calls(void **state)
{
    struct hk_replay_costs costs = {.wake = 400};
    struct hk_mix mix = reading;
    struct hk_replay replay;
    const struct hk_replay_lateness *l = &replay.lateness;

    (void)state;
    mix.requests = 400;
    mix.audio_period_ns = 51723; /* at every moment of a request */
    costs.unit[HK_WORK_READ] = 3000;
    assert_int_equal(hk_mix_replay(&mix, &costs, 0, &replay), HK_OK);
    for (size_t i = 0; i < HK_LATENCY_QUANTILES; i++)
        assert_near(replay.latency_ns[i], 6000, 1e-9);
    assert_true(fabs(l->wakes - 800 * 7000 / 51723.0) <= 1);
    assert_near(l->sum_ns, 400 * l->wakes, 1e-9); /* nothing is held */
    assert_near(l->change_square_sum, 0, 1e-12);
    assert_near(l->longest_ns, 400, 1e-12);
    costs.held[HK_WORK_READ] = 3000; /* for 6 of 7: to the end, half of 3000 on average */
    assert_int_equal(hk_mix_replay(&mix, &costs, 0, &replay), HK_OK);
    assert_true(fabs(l->sum_ns / l->wakes - (400 + 6 / 7.0 * 1500)) < 100);
    assert_near(l->longest_ns, 3400, 1e-9);
    assert_true(l->underruns == 0 && l->change_square_sum > 0);
    costs.held[HK_WORK_READ] = 1000; /* twice 500 in each, 250 on average: 4 * 500 of 7000 */
    assert_int_equal(hk_mix_replay(&mix, &costs, 0, &replay), HK_OK);
    assert_true(fabs(l->sum_ns / l->wakes - (400 + 2 / 7.0 * 250)) < 25);
    assert_near(l->longest_ns, 900, 1e-9);
    costs.unit[HK_WORK_READ] = costs.held[HK_WORK_READ] = 2e5; /* longer than the buffers last */
    assert_int_equal(hk_mix_replay(&mix, &costs, 0, &replay), HK_OK);
    assert_true(l->underruns > 0.5 * l->wakes);
}

static void underruns_have_bounds(void **state)
{
    struct hk_priced priced = {.mixer = {.longest_ns = 9e4, .headroom_ns = 1e5}};
    struct hk_interval share;

    (void)state;
    assert_refused(hk_priced_underruns(&priced, &share), HK_ENOENT, &share);
    priced.mixer.wakes = 200;
    assert_int_equal(hk_priced_underruns(&priced, &share), HK_OK);
    assert_true(share.lower == 0 && share.upper == 0);
    priced.mixer.longest_ns = 2e5; /* none was seen, but some may be: 1 - 0.025^(1/200) */
    assert_int_equal(hk_priced_underruns(&priced, &share), HK_OK);
    assert_true(share.lower == 0 && fabs(share.upper - 0.01828) < 1e-4);
    priced.mixer.underruns = 20;
    assert_int_equal(hk_priced_underruns(&priced, &share), HK_OK);
    assert_true(share.lower > 0.05 && share.upper < 0.16);
}

static void bad_costs_are_refused(void **state)
{
    struct hk_replay_costs costs = {0};
    struct hk_mix mix = reading;
    struct hk_replay replay;

    (void)state;
    assert_refused(hk_mix_replay(&mix, &costs, 1, &replay), HK_EINVAL, &replay);
    assert_refused(hk_mix_replay(&mix, &costs, NAN, &replay), HK_EINVAL, &replay);
    costs.wake = -1;
    assert_refused(hk_mix_replay(&mix, &costs, 0, &replay), HK_EINVAL, &replay);
    costs.wake = 0;
    costs.held[HK_WORK_READ] = NAN;
    assert_refused(hk_mix_replay(&mix, &costs, 0, &replay), HK_EINVAL, &replay);
    costs.held[HK_WORK_READ] = 0;
    costs.unit[HK_WORK_FIND] = -1;
    assert_refused(hk_mix_replay(&mix, &costs, 0, &replay), HK_EINVAL, &replay);
    costs.unit[HK_WORK_FIND] = INFINITY;
    assert_refused(hk_mix_replay(&mix, &costs, 0, &replay), HK_EINVAL, &replay);
    costs.unit[HK_WORK_FIND] = 0;
    costs.unit[HK_WORK_AUDIO_FRAME] = 100; /* 512 of them are more than a period of 50 us */
    mix.audio_period_ns = HK_MIX_PERIOD_NS_MIN;
    assert_refused(hk_mix_replay(&mix, &costs, 0, &replay), HK_ERANGE, &replay);
}

static void bad_primitives_are_refused(void **state)
{
    struct hk_run none = {.path = primitives.path};
    struct hk_run some = primitives;
    struct hk_prices prices;
    char error[HK_TEXT_BYTES];
    double *requests = NULL;

    (void)state;
    assert_refused(hk_prices_fit(&none, &prices, error), HK_ENOENT, &prices);
    assert_non_null(strstr(error, "run --placements --workload primitives"));
    while (strstr(some.launches->name, "/mixed_") != NULL) { /* they are first */
        some.launches++;
        some.launch_count--;
    }
    assert_refused(hk_prices_fit(&some, &prices, error), HK_ENOISE, &prices);
    assert_non_null(strstr(error, "too few for an interval"));
    for (size_t i = 0; i < some.launch_count && requests == NULL; i++)
        for (size_t k = 0; k < some.launches[i].counter_count; k++)
            if (strstr(some.launches[i].name, "one_net_small") != NULL &&
                strcmp(some.launches[i].counters[k].name, "hk_requests_net") == 0)
                requests = &some.launches[i].counters[k].value;
    assert_non_null(requests);
    *requests += 1;
    assert_refused(hk_prices_fit(&primitives, &prices, error), HK_ESCHEMA, &prices);
    assert_non_null(strstr(error, "another workload"));
    *requests -= 1;
}

static void queues_have_an_end_or_not(void **state)
{
    struct hk_priced priced = {.of = {[HK_PER_REQUEST] = {3000, {2900, 3100, 0.95}}},
                               .replay = {.busy_cv2 = 0.5}};
    struct hk_priced_load load;
    struct hk_mix mix = reading;

    (void)state;
    assert_refused(hk_priced_under_load(&priced, &mix, &load), HK_EINVAL, &load);
    mix.rate_per_s = 250000; /* 2000 ns each: half busy, waits (1 + 0.5) / 2 of them */
    assert_int_equal(hk_priced_under_load(&priced, &mix, &load), HK_OK);
    assert_near(load.utilisation_ratio, 0.5, 1e-12);
    assert_near(load.response_ns, 3500, 1e-12);
    assert_true(load.interval_ns.lower < 3500 && load.interval_ns.upper > 3500);
    mix.rate_per_s = 490000; /* busy within the interval, or more than that */
    assert_int_equal(hk_priced_under_load(&priced, &mix, &load), HK_OK);
    assert_true(isinf(load.interval_ns.upper));
    mix.rate_per_s = 500000;
    assert_int_equal(hk_priced_under_load(&priced, &mix, &load), HK_ERANGE);
    assert_near(load.utilisation_ratio, 1, 1e-12);
}

/* A queue as a native run has it, of which even launches teach and odd ones are compared. */
static void add_queue_launch(struct hk_run *run, uint32_t index)
{
    static const struct hk_counter counters[] = {
        {"wait_ns", 190e3},    {"service_ns", 200e3}, {"service_cv2", 0.7},  {"work_ns", 199e3},
        {"arrival_cv2", 1.06}, {"dispatch_ns", 21e3}, {"dispatch_cv2", 0.3},
        {"arrivals_per_s", 2300}};
    static const double gap_ns[] = {0, 390e3, 470e3}, work_ns[] = {150e3, 250e3, 199e3};
    struct hk_launch *launch = &run->launches[run->launch_count++];

    assert_int_equal(hk_launch_init(launch, "native/queue/pipe/place:cross_core/policy:fifo/"
                                    "law:exponential/rho_percent:46/service_us:200", index, 1),
                     HK_OK);
    for (size_t i = 0; i < HK_ARRAY_COUNT(counters); i++)
        assert_int_equal(hk_launch_add_counter(launch, counters[i].name, counters[i].value), HK_OK);
    assert_int_equal(hk_launch_add_series(launch, "request_gap_ns", gap_ns, 3), HK_OK);
    assert_int_equal(hk_launch_add_series(launch, "request_work_ns", work_ns, 3), HK_OK);
}

/* The judge tries on this machine's queues what is predicted of the guest's, but for dispatch. */
static void waits_are_what_the_judge_tries(void **state)
{
    const struct hk_priced priced = {
        .of = {[HK_PER_REQUEST] = {201000, {200000, 202000, 0.95}}},
        .replay = {.busy_cv2 = 0.7}};
    const struct hk_estimate dispatch = {21e3, 0, 2};
    struct hk_run run = {.launches = calloc(4, sizeof *run.launches)};
    struct hk_estimate added;
    struct hk_priced_load load;
    struct hk_mix mix = reading;
    struct hk_judge judge;
    char error[HK_TEXT_BYTES];
    char folder[] = "/tmp/hk_test_XXXXXX", command[64];
    struct hk_waits waits;
    double error_ratio = 0;
    size_t found = 0;

    (void)state;
    assert_non_null(run.launches);
    for (uint32_t i = 0; i < 4; i++)
        add_queue_launch(&run, i);
    hk_judge_init(&judge);
    assert_int_equal(hk_judge_validate(&run, &run, 1, &judge, error), HK_OK);
    mix.rate_per_s = 2300;
    assert_int_equal(hk_priced_under_load(&priced, &mix, &load), HK_OK);
    assert_int_equal(hk_queue_dispatch_wait(2300, &dispatch, 0.3, &added), HK_OK);
    for (size_t i = 0; i < judge.comparison_count; i++) {
        const struct hk_comparison *c = &judge.comparisons[i];
        if (strcmp(c->model, HK_MODEL_POISSON_WAIT) != 0)
            continue;
        assert_near(c->predicted, load.response_ns - 200e3 + added.value, 1e-9);
        error_ratio = fabs(c->predicted / c->measured - 1);
        found++;
    }
    assert_int_equal(found, 1);
    assert_non_null(mkdtemp(folder));
    assert_refused(hk_waits_read(folder, &waits), HK_ENOENT, &waits);
    assert_int_equal(hk_judge_write_parameters(&judge, folder), HK_OK);
    assert_refused(hk_waits_read(folder, &waits), HK_ENOENT, &waits); /* fitted, not judged */
    assert_int_equal(hk_judge_write_verdicts(&judge, folder), HK_OK);
    assert_int_equal(hk_waits_read(folder, &waits), HK_OK);
    assert_int_equal(waits.count, 1);
    assert_near(waits.error_max, error_ratio, 1e-12);
    assert_near(waits.error_median, error_ratio, 1e-12);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    hk_judge_fini(&judge);
    hk_run_fini(&run);
}

static void crossings_are_priced(void **state)
{
    const struct hk_crossing_costs costs = {
        .c_sys_ns = {300, 3, 5},
        .c_ipc_ns = {2000, 20, 5},
        .has_hop = true,
        .hop_ns = {2500, 30, 5},
        .copy_ns_per_byte = {{0.1, 0.001, 5}, {0.2, 0.002, 5}},
        .break_bytes = 4096,
    };
    const uint32_t file = 1u << HK_SERVICE_FILE, net = 1u << HK_SERVICE_NET;
    struct hk_replay replay = {0};
    struct hk_crossings c;
    struct hk_estimate ns;
    bool stronger;

    (void)state;
    replay.work[HK_WORK_READ] = 2;
    replay.work[HK_WORK_READ_BYTE] = 1000;
    replay.work[HK_WORK_ALARM] = 1;
    hk_crossings_count(&replay, 0, &c);
    assert_int_equal(hk_crossings_predict(&c, &costs, &ns, &stronger), HK_OK);
    assert_near(ns.value, 3 * 300 + 2 * 500 * 0.1, 1e-12);
    assert_near(ns.standard_error, hypot(3 * 3, 2 * 500 * 0.001), 1e-9);
    hk_crossings_count(&replay, file | net, &c); /* net is not asked: two spaces */
    assert_int_equal(hk_crossings_predict(&c, &costs, &ns, &stronger), HK_OK);
    assert_false(stronger);
    assert_near(ns.value, 300 + 4 * 2000 + 100, 1e-12);
    hk_crossings_count(&replay, file | 1u << HK_SERVICE_TIMER, &c);
    assert_int_equal(hk_crossings_predict(&c, &costs, &ns, &stronger), HK_OK);
    assert_true(stronger);
    assert_near(ns.value, 6 * 2500 + 100, 1e-12);
    replay.work[HK_WORK_READ_BYTE] = 2 * 5096;
    hk_crossings_count(&replay, 0, &c);
    assert_int_equal(hk_crossings_predict(&c, &costs, &ns, &stronger), HK_OK);
    assert_near(ns.value, 3 * 300 + 2 * (509.6 + 200), 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_out_placements_are_predicted),
        cmocka_unit_test(mixers_are_never_later_than_predicted),
        cmocka_unit_test(work_is_counted),
        cmocka_unit_test(wakes_wait_for_calls),
        cmocka_unit_test(underruns_have_bounds),
        cmocka_unit_test(bad_costs_are_refused),
        cmocka_unit_test(bad_primitives_are_refused),
        cmocka_unit_test(queues_have_an_end_or_not),
        cmocka_unit_test(waits_are_what_the_judge_tries),
        cmocka_unit_test(crossings_are_priced),
    };

    hk_gsl_init();
    return cmocka_run_group_tests_name("prices", tests, read_tables, free_tables);
}
