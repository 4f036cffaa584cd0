/* SPDX-License-Identifier: MIT */
/* The interface against libbenchmark itself: every case runs, and its JSON report is read back. */
#include <hk/base/status.h>
#include <hk/gbench/gbench.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

_Static_assert((int)HK_GBENCH_OK == (int)HK_OK && (int)HK_GBENCH_EINVAL == (int)HK_EINVAL &&
                   (int)HK_GBENCH_ENOMEM == (int)HK_ENOMEM &&
                   (int)HK_GBENCH_ENOTSUP == (int)HK_ENOTSUP &&
                   (int)HK_GBENCH_ENOENT == (int)HK_ENOENT &&
                   (int)HK_GBENCH_EEXIST == (int)HK_EEXIST && (int)HK_GBENCH_EIO == (int)HK_EIO &&
                   (int)HK_GBENCH_ETOOBIG == (int)HK_ETOOBIG,
               "the numbers are those of hk_status");

static char out_path[64];

/* One flag set for every case: flags of libbenchmark stay as they are until set again. */
static void init_with(const char *repetitions, const char *format)
{
    static char program[] = "test_gbench", min_time_flag[] = "--benchmark_min_time=0.001";
    static char out_flag[80], repetitions_flag[64], format_flag[64];
    char *argv[] = {program, out_flag, repetitions_flag, format_flag, min_time_flag, NULL};
    int argc = 5;

    snprintf(out_flag, sizeof out_flag, "--benchmark_out=%s", out_path);
    snprintf(repetitions_flag, sizeof repetitions_flag, "--benchmark_repetitions=%s", repetitions);
    snprintf(format_flag, sizeof format_flag, "--benchmark_out_format=%s", format);
    assert_int_equal(hk_gbench_init(&argc, argv), HK_GBENCH_OK);
    assert_int_equal(argc, 1);
}

static int setup_file(void **context)
{
    int fd;

    (void)context;
    strcpy(out_path, "/tmp/hk_test_gbench_XXXXXX");
    fd = mkstemp(out_path);
    if (fd < 0) {
        return -1;
    }
    close(fd);
    init_with("1", "json");
    return 0;
}

static int teardown_file(void **context)
{
    (void)context;
    hk_gbench_shutdown();
    return unlink(out_path);
}

/* Runs what is registered; the report's rows, to be released by the caller. */
static json_t *run_rows(struct hk_gbench_totals *totals)
{
    json_error_t error;
    json_t *report, *rows;

    assert_int_equal(hk_gbench_run(NULL, totals), HK_GBENCH_OK);
    report = json_load_file(out_path, JSON_REJECT_DUPLICATES, &error);
    if (report == NULL) {
        fail_msg("the report is not strict JSON: %s, line %d", error.text, error.line);
    }
    rows = json_incref(json_object_get(report, "benchmarks"));
    json_decref(report);
    assert_non_null(rows);
    return rows;
}

static const json_t *find_row(const json_t *rows, const char *name)
{
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row) {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0) {
            return row;
        }
    }
    fail_msg("no row '%s'", name);
    return NULL;
}

static const char *text_of(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

static double number_of(const json_t *row, const char *key)
{
    assert_true(json_is_number(json_object_get(row, key)));
    return json_number_value(json_object_get(row, key));
}

/* ---- Benchmarks under test ---- */

static void count_calls(struct hk_gbench_state *state, void *arg)
{
    atomic_llong *iterations = arg;

    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
    if (iterations != NULL) {
        atomic_fetch_add(iterations, hk_gbench_state_iterations(state));
    }
}

static void report_args(struct hk_gbench_state *state, void *arg)
{
    char label[64];

    (void)arg;
    assert_int_equal(hk_gbench_state_iterations(state), 0);
    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
    snprintf(label, sizeof label, "%zu:%lld,%lld", hk_gbench_state_arg_count(state),
             (long long)hk_gbench_state_arg(state, 0),
             hk_gbench_state_arg_count(state) > 1 ? (long long)hk_gbench_state_arg(state, 1) : -1);
    assert_int_equal(hk_gbench_state_set_label(state, label), HK_GBENCH_OK);
}

static struct hk_gbench *registered(const char *name, hk_gbench_fn *fn, void *arg)
{
    struct hk_gbench *bench = NULL;

    assert_int_equal(hk_gbench_register(name, fn, arg, &bench), HK_GBENCH_OK);
    assert_non_null(bench);
    return bench;
}

/* ---- Cases ---- */

static void test_registration(void **context)
{
    atomic_llong iterations = 0;
    struct hk_gbench_totals totals = {7, 7, 7};
    json_t *rows;

    (void)context;
    hk_gbench_set_iterations(registered("counted", count_calls, &iterations), 1237);
    hk_gbench_set_unit(registered("timed", count_calls, NULL), HK_GBENCH_US);
    rows = run_rows(&totals);
    assert_int_equal(iterations, 1237);
    assert_int_equal(json_array_size(rows), 2);
    assert_int_equal((int)number_of(find_row(rows, "counted/iterations:1237"), "iterations"), 1237);
    assert_string_equal(text_of(find_row(rows, "timed"), "time_unit"), "us");
    assert_true(number_of(find_row(rows, "timed"), "iterations") > 1);
    assert_int_equal(totals.matched_count, 2);
    assert_int_equal(totals.error_count, 0);
    assert_int_equal(totals.skip_count, 0);
    json_decref(rows);
}

static void test_every_way_to_give_arguments(void **context)
{
    static const int64_t pair[] = {-3, 41}, ones[] = {5}, left[] = {1, 2}, right[] = {30, 40, 50};
    static const struct hk_gbench_range ranges[] = {{2, 8}, {16, 16}};
    static const struct hk_gbench_list lists[] = {{left, 2}, {right, 3}};
    static const char *const names[] = {"bytes", "depth"};
    static const struct {
        const char *name, *label;
    } expected[] = {
        {"one/13", "1:13,-1"},       {"pair/-3/41", "2:-3,41"},        {"range/3", "1:3,-1"},
        {"range/4", "1:4,-1"},       {"range/16", "1:16,-1"},          {"range/37", "1:37,-1"},
        {"ranges/2/16", "2:2,16"},   {"ranges/8/16", "2:8,16"},        {"dense/7", "1:7,-1"},
        {"dense/12", "1:12,-1"},     {"dense/17", "1:17,-1"},          {"product/1/30", "2:1,30"},
        {"product/2/50", "2:2,50"},  {"named/bytes:-3/depth:41", "2:-3,41"},
        {"edge/9223372036854775807", "1:9223372036854775807,-1"},      {"args1/5", "1:5,-1"},
    };
    struct hk_gbench *bench;
    json_t *rows;

    (void)context;
    hk_gbench_add_arg(registered("one", report_args, NULL), 13);
    hk_gbench_add_args(registered("pair", report_args, NULL), pair, 2);
    hk_gbench_add_args(registered("args1", report_args, NULL), ones, 1);
    bench = registered("range", report_args, NULL);
    hk_gbench_set_range_multiplier(bench, 4);
    hk_gbench_add_range(bench, 3, 37);
    hk_gbench_add_ranges(registered("ranges", report_args, NULL), ranges, 2);
    hk_gbench_add_dense_range(registered("dense", report_args, NULL), 7, 17, 5);
    hk_gbench_add_dense_range(registered("edge", report_args, NULL), INT64_MAX - 1, INT64_MAX, 1);
    hk_gbench_add_product(registered("product", report_args, NULL), lists, 2);
    bench = registered("named", report_args, NULL);
    hk_gbench_set_arg_names(bench, names, 2);
    hk_gbench_add_args(bench, pair, 2);
    rows = run_rows(NULL);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_string_equal(text_of(find_row(rows, expected[i].name), "label"), expected[i].label);
    }
    assert_int_equal(json_array_size(rows), 1 + 1 + 1 + 4 + 2 + 3 + 2 + 6 + 1);
    json_decref(rows);
}

static void thread_sum(struct hk_gbench_state *state, void *arg)
{
    atomic_int *seen = arg;

    atomic_fetch_or(seen, 1 << hk_gbench_state_thread_index(state));
    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
    hk_gbench_state_set_counter(state, "threads_seen", 1, HK_GBENCH_COUNTER_PLAIN,
                                HK_GBENCH_BASE_1000);
    hk_gbench_state_set_counter(state, "thread_mean", 6.5, HK_GBENCH_COUNTER_AVG_THREADS,
                                HK_GBENCH_BASE_1000);
    assert_in_range(hk_gbench_state_thread_count(state), hk_gbench_state_thread_index(state) + 1, 4);
}

static void test_threads(void **context)
{
    atomic_int seen = 0;
    struct hk_gbench *bench = registered("threaded", thread_sum, &seen);
    const json_t *row;
    json_t *rows;

    (void)context;
    hk_gbench_add_thread_range(bench, 1, 4);
    hk_gbench_set_clock(bench, HK_GBENCH_CLOCK_REAL);
    hk_gbench_set_process_cpu_time(bench);
    rows = run_rows(NULL);
    assert_int_equal(seen, 15);
    assert_int_equal(json_array_size(rows), 3);
    row = find_row(rows, "threaded/process_time/real_time/threads:4");
    assert_int_equal((int)number_of(row, "threads_seen"), 4);
    assert_true(fabs(number_of(row, "thread_mean") - 6.5) < 1e-12);
    json_decref(rows);
}

static void manual_time(struct hk_gbench_state *state, void *arg)
{
    (void)arg;
    HK_GBENCH_LOOP(state) {
        hk_gbench_state_add_time_s(state, 1.25e-3);
    }
}

static void test_manual_time(void **context)
{
    struct hk_gbench *bench = registered("manual", manual_time, NULL);
    json_t *rows;

    (void)context;
    hk_gbench_set_clock(bench, HK_GBENCH_CLOCK_MANUAL);
    rows = run_rows(NULL);
    assert_true(fabs(number_of(find_row(rows, "manual/manual_time"), "real_time") - 1.25e6) < 1);
    json_decref(rows);
}

static void all_counters(struct hk_gbench_state *state, void *arg)
{
    static const struct {
        const char *name;
        unsigned flags;
    } rows[] = {
        {"plain", HK_GBENCH_COUNTER_PLAIN},
        {"rate", HK_GBENCH_COUNTER_RATE},
        {"invariant", HK_GBENCH_COUNTER_ITERATION_INVARIANT},
        {"per_iteration", HK_GBENCH_COUNTER_AVG_ITERATIONS},
        {"inverse", HK_GBENCH_COUNTER_INVERT},
        {"inverse_per_iteration", HK_GBENCH_COUNTER_AVG_ITERATIONS | HK_GBENCH_COUNTER_INVERT},
    };

    (void)arg;
    HK_GBENCH_LOOP(state) {
        hk_gbench_state_add_time_s(state, 0.0025);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(hk_gbench_state_set_counter(state, rows[i].name, 2.385, rows[i].flags,
                                                     i % 2 ? HK_GBENCH_BASE_1024
                                                           : HK_GBENCH_BASE_1000),
                         HK_GBENCH_OK);
    }
    assert_int_equal(hk_gbench_state_set_bytes(state, 3000), HK_GBENCH_OK);
    assert_int_equal(hk_gbench_state_set_items(state, 70), HK_GBENCH_OK);
}

static void test_counters(void **context)
{
    /* 40 iterations of 2.5 ms by the manual clock: 0.1 s */
    static const struct {
        const char *name;
        double value;
    } expected[] = {
        {"plain", 2.385},           {"rate", 23.85},
        {"invariant", 95.4},        {"per_iteration", 0.059625},
        {"inverse", 1 / 2.385},     {"inverse_per_iteration", 1 / 0.059625},
        {"bytes_per_second", 30e3}, {"items_per_second", 700},
    };
    struct hk_gbench *bench = registered("counters", all_counters, NULL);
    const json_t *row;
    json_t *rows;

    (void)context;
    hk_gbench_set_clock(bench, HK_GBENCH_CLOCK_MANUAL);
    hk_gbench_set_iterations(bench, 40);
    rows = run_rows(NULL);
    row = find_row(rows, "counters/iterations:40/manual_time");
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(fabs(number_of(row, expected[i].name) / expected[i].value - 1) < 1e-9);
    }
    json_decref(rows);
}

static void refused_counters(struct hk_gbench_state *state, void *arg)
{
    static const char *const names[] = {
        "name", "real_time", "cpu_time", "iterations", "time_unit", "label", "run_name",
        "error_occurred", "error_message", "threads", "", "bell\a", "latin1 \xe9", "\xc0\x80",
        "\xed\xa0\x80", "\xf4\x90\x80\x80", "cut \xe2\x82",
    };
    static const double values[] = {INFINITY, -INFINITY, NAN};

    (void)arg;
    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(hk_gbench_state_set_counter(state, names[i], 1, 0, HK_GBENCH_BASE_1000),
                         HK_GBENCH_EINVAL);
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_int_equal(hk_gbench_state_set_counter(state, "x", values[i], 0, HK_GBENCH_BASE_1000),
                         HK_GBENCH_EINVAL);
    }
    assert_int_equal(hk_gbench_state_set_counter(state, NULL, 1, 0, HK_GBENCH_BASE_1000),
                     HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_state_set_counter(state, "x", 1, 32, HK_GBENCH_BASE_1000),
                     HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_state_set_counter(state, "x", 1, 0, (enum hk_gbench_base)7),
                     HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_state_set_bytes(state, -1), HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_state_set_items(state, -1), HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_state_set_complexity_n(state, 0), HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_state_set_label(state, "\x1b[2J"), HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_state_set_counter(state, "µ€\U0001F600", 4.25, 0,
                                                 HK_GBENCH_BASE_1000),
                     HK_GBENCH_OK);
    assert_int_equal(hk_gbench_state_set_counter(state, "µ€\U0001F600", 4.25,
                                                 HK_GBENCH_COUNTER_RATE, HK_GBENCH_BASE_1000),
                     HK_GBENCH_EINVAL);
}

static void test_reserved_names_and_values_are_refused(void **context)
{
    const json_t *row;
    json_t *rows;

    (void)context;
    registered("refused", refused_counters, NULL);
    rows = run_rows(NULL);
    row = find_row(rows, "refused");
    assert_true(fabs(number_of(row, "µ€\U0001F600") - 4.25) < 1e-12);
    assert_null(json_object_get(row, "x"));
    json_decref(rows);
}

/* Ways to fail; each must end as a failed row with its reason, and never abort. */
enum misuse {
    MISUSE_NONE,
    MISUSE_FAIL_BEFORE,
    MISUSE_FAIL_IN_LOOP,
    MISUSE_FAIL_IN_LOOP_NO_BREAK,
    MISUSE_FAIL_AFTER,
    MISUSE_NO_LOOP,
    MISUSE_BREAK,
    MISUSE_TWO_LOOPS,
    MISUSE_PAUSE_TWICE,
    MISUSE_RESUME,
    MISUSE_PAUSE_OUTSIDE,
    MISUSE_END_PAUSED,
    MISUSE_BREAK_PAUSED,
    MISUSE_NO_SUCH_ARG,
    MISUSE_NO_COMPLEXITY_N,
    MISUSE_TIME_NAN,
    MISUSE_TIME_OUTSIDE,
    MISUSE_SKIP,
};

#define MISUSE_ITERATIONS 4

static void misuse_loop(struct hk_gbench_state *state, enum misuse misuse)
{
    int iteration = 0;

    HK_GBENCH_LOOP(state) {
        iteration++;
        switch (misuse) {
        case MISUSE_FAIL_IN_LOOP: hk_gbench_state_fail(state, "in the \"loop\"\n\x01"); break;
        case MISUSE_FAIL_IN_LOOP_NO_BREAK: hk_gbench_state_fail(state, "no break"); break;
        case MISUSE_PAUSE_TWICE:
            hk_gbench_state_pause(state);
            hk_gbench_state_pause(state);
            break;
        case MISUSE_RESUME: hk_gbench_state_resume(state); break;
        case MISUSE_END_PAUSED:
            if (iteration == MISUSE_ITERATIONS) {
                hk_gbench_state_pause(state);
            }
            break;
        case MISUSE_BREAK_PAUSED: hk_gbench_state_pause(state); break;
        case MISUSE_NO_SUCH_ARG: (void)hk_gbench_state_arg(state, 1); break;
        case MISUSE_TIME_NAN: hk_gbench_state_add_time_s(state, NAN); break;
        default: break;
        }
        if (misuse == MISUSE_BREAK || misuse == MISUSE_BREAK_PAUSED ||
            misuse == MISUSE_FAIL_IN_LOOP) {
            break;
        }
    }
}

static void misused(struct hk_gbench_state *state, void *arg)
{
    enum misuse misuse = (enum misuse)hk_gbench_state_arg(state, 0);

    (void)arg;
    switch (misuse) {
    case MISUSE_FAIL_BEFORE: hk_gbench_state_fail(state, "before"); return;
    case MISUSE_SKIP: hk_gbench_state_skip(state, "not here"); return;
    case MISUSE_NO_LOOP: return;
    case MISUSE_PAUSE_OUTSIDE: hk_gbench_state_pause(state); break;
    case MISUSE_TIME_OUTSIDE: hk_gbench_state_add_time_s(state, 1); break;
    default: break;
    }
    misuse_loop(state, misuse);
    if (misuse == MISUSE_TWO_LOOPS) {
        misuse_loop(state, MISUSE_NONE);
    } else if (misuse == MISUSE_FAIL_AFTER) {
        hk_gbench_state_fail(state, "after");
        assert_true(hk_gbench_state_failed(state));
    }
    if (misuse != MISUSE_NO_COMPLEXITY_N) {
        hk_gbench_state_set_complexity_n(state, 10 + (int64_t)misuse);
    }
}

static const struct {
    enum misuse misuse;
    const char *reason;
} misuses[] = {
    {MISUSE_NONE, NULL},
    {MISUSE_FAIL_BEFORE, "before"},
    {MISUSE_FAIL_IN_LOOP, "in the \"loop\"??"},
    {MISUSE_FAIL_IN_LOOP_NO_BREAK, "no break"},
    {MISUSE_FAIL_AFTER, "after"},
    {MISUSE_NO_LOOP, "the benchmark returned without running its loop"},
    {MISUSE_BREAK, "the benchmark left its loop before the last iteration"},
    {MISUSE_TWO_LOOPS, "the benchmark ran a second loop"},
    {MISUSE_PAUSE_TWICE, "pause outside of a running loop"},
    {MISUSE_RESUME, "resume without pause"},
    {MISUSE_PAUSE_OUTSIDE, "pause outside of a running loop"},
    {MISUSE_END_PAUSED, "the loop ended while paused"},
    {MISUSE_BREAK_PAUSED, "the benchmark returned while paused"},
    {MISUSE_NO_SUCH_ARG, "argument 1 asked for, but there are 1"},
    {MISUSE_NO_COMPLEXITY_N, "complexity was asked for, but no n > 0 was set"},
    {MISUSE_TIME_NAN, "a manual time is finite and not negative"},
    {MISUSE_TIME_OUTSIDE, "manual time outside of a running loop"},
    {MISUSE_SKIP, "skipped: not here"},
};

static void check_misuses(const char *repetitions, int thread_count)
{
    struct hk_gbench_totals totals;
    struct hk_gbench *bench = registered("misuse", misused, NULL);
    json_t *rows;

    init_with(repetitions, "json");
    for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++) {
        hk_gbench_add_arg(bench, misuses[i].misuse);
    }
    hk_gbench_add_threads(bench, thread_count);
    hk_gbench_set_complexity(bench, HK_GBENCH_O_N);
    hk_gbench_set_iterations(bench, MISUSE_ITERATIONS);
    rows = run_rows(&totals);
    init_with("1", "json");
    for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++) {
        char name[64];
        const json_t *row;
        snprintf(name, sizeof name, "misuse/%d/iterations:%d/threads:%d", misuses[i].misuse,
                 MISUSE_ITERATIONS, thread_count);
        row = find_row(rows, name);
        if (misuses[i].reason == NULL) {
            assert_null(json_object_get(row, "error_occurred"));
        } else {
            assert_true(json_is_true(json_object_get(row, "error_occurred")));
            assert_string_equal(text_of(row, "error_message"), misuses[i].reason);
        }
    }
    assert_int_equal(totals.matched_count, sizeof misuses / sizeof *misuses);
    assert_int_equal(totals.skip_count, 1);
    assert_int_equal(totals.error_count, sizeof misuses / sizeof *misuses - 2);
    json_decref(rows);
    hk_gbench_shutdown();
}

static void test_errors(void **context)
{
    (void)context;
    check_misuses("1", 1);
    check_misuses("4", 1);
    check_misuses("2", 3);
}

static void fails_from(struct hk_gbench_state *state, void *arg)
{
    const int64_t *first_failing = arg;

    if (hk_gbench_state_arg(state, 0) >= *first_failing) {
        hk_gbench_state_fail(state, "no such device");
        return;
    }
    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
    hk_gbench_state_set_complexity_n(state, hk_gbench_state_arg(state, 0));
}

/* libbenchmark reads an empty list if nothing is left to fit, and fits rubbish if some is. */
static void test_complexity_of_failures(void **context)
{
    int64_t first_failing;

    (void)context;
    for (first_failing = 10; first_failing <= 13; first_failing++) {
        struct hk_gbench_totals totals;
        struct hk_gbench *bench = registered("failing", fails_from, &first_failing);
        json_t *rows;

        hk_gbench_add_dense_range(bench, 10, 12, 1);
        hk_gbench_set_complexity(bench, HK_GBENCH_O_AUTO);
        rows = run_rows(&totals);
        assert_int_equal(totals.error_count, 13 - first_failing);
        assert_int_equal(json_array_size(rows), first_failing == 13 ? 3 + 2 : 3);
        json_decref(rows);
        hk_gbench_shutdown();
    }
}

static void test_failures_in_other_formats(void **context)
{
    static const struct {
        const char *format, *row;
    } cases[] = {
        {"csv", "\"failing/7\",,,,,,,,true,\"no such device\""},
        {"console", "failing/7  ERROR OCCURRED: 'no such device'"},
    };
    int64_t first_failing = 7;

    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4096] = "";
        FILE *report;

        init_with("1", cases[i].format);
        hk_gbench_add_arg(registered("failing", fails_from, &first_failing), 7);
        assert_int_equal(hk_gbench_run(NULL, NULL), HK_GBENCH_OK);
        report = fopen(out_path, "r");
        assert_non_null(report);
        assert_true(fread(text, 1, sizeof text - 1, report) > 0);
        fclose(report);
        if (strstr(text, cases[i].row) == NULL) {
            fail_msg("%s report: %s", cases[i].format, text);
        }
        hk_gbench_shutdown();
    }
    init_with("1", "json");
}

/* Repetition 0, 1 or 2 of three fails: the others must not bring the process down. */
static void fails_once(struct hk_gbench_state *state, void *arg)
{
    int *runs_left = arg;

    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
    if ((*runs_left)-- == 0) {
        hk_gbench_state_fail(state, "this time");
    }
}

static void test_one_repetition_fails(void **context)
{
    struct hk_gbench_totals totals;

    (void)context;
    for (int which = 0; which < 3; which++) {
        int runs_left = which;
        struct hk_gbench *bench = registered("once", fails_once, &runs_left);
        hk_gbench_set_iterations(bench, 9);
        hk_gbench_set_repetitions(bench, 4);
        json_decref(run_rows(&totals));
        assert_int_equal(totals.error_count, 1);
        hk_gbench_shutdown();
    }
}

struct stage {
    atomic_int set_up, entered, torn_down;
    int fail;
    int runs;
};

static void stage_setup(struct hk_gbench_state *state, void *arg)
{
    struct stage *stage = arg;

    assert_int_equal(stage->entered, 0);
    assert_int_equal(hk_gbench_state_arg(state, 0), 23);
    stage->set_up++;
    stage->runs++;
    if (stage->fail) {
        hk_gbench_state_fail(state, "no stage");
    }
}

static void stage_teardown(struct hk_gbench_state *state, void *arg)
{
    struct stage *stage = arg;

    assert_int_equal(stage->set_up, 1);
    assert_int_equal(hk_gbench_state_arg(state, 0), 23);
    assert_int_equal(stage->entered, stage->fail ? 0 : hk_gbench_state_thread_count(state));
    assert_int_equal(hk_gbench_loop_begin(state), 0);
    assert_int_equal(hk_gbench_state_set_label(state, "late"), HK_GBENCH_EINVAL);
    hk_gbench_state_fail(state, "too late to fail");
    stage->set_up = stage->entered = 0;
    stage->torn_down++;
}

static void stage_play(struct hk_gbench_state *state, void *arg)
{
    struct stage *stage = arg;

    assert_int_equal(stage->set_up, 1);
    stage->entered++;
    HK_GBENCH_LOOP(state) {
        HK_GBENCH_CLOBBER();
    }
}

static void test_setup_and_teardown(void **context)
{
    (void)context;
    for (int fail = 0; fail < 2; fail++) {
        struct stage stage = {.fail = fail};
        struct hk_gbench_totals totals;
        struct hk_gbench *bench = registered("stage", stage_play, &stage);
        const json_t *row;
        json_t *rows;

        hk_gbench_set_setup(bench, stage_setup, stage_teardown);
        hk_gbench_add_arg(bench, 23);
        hk_gbench_add_threads(bench, 3);
        rows = run_rows(&totals);
        row = find_row(rows, "stage/23/threads:3");
        assert_int_equal(stage.runs, stage.torn_down);
        assert_true(fail ? stage.runs == 1 : stage.runs > 1);
        assert_int_equal(totals.error_count, fail);
        assert_true(!fail || strcmp(text_of(row, "error_message"), "no stage") == 0);
        json_decref(rows);
        hk_gbench_shutdown();
    }
}

static void quadratic(struct hk_gbench_state *state, void *arg)
{
    int64_t n = hk_gbench_state_arg(state, 0);

    (void)arg;
    HK_GBENCH_LOOP(state) {
        hk_gbench_state_add_time_s(state, 3.5e-6 * (double)(n * n));
    }
    hk_gbench_state_set_complexity_n(state, n);
}

static double square(int64_t n)
{
    return (double)n * (double)n;
}

static void test_complexity(void **context)
{
    struct hk_gbench *bench;
    json_t *rows;

    (void)context;
    for (int law = 0; law < 2; law++) {
        bench = registered(law ? "law" : "auto", quadratic, NULL);
        hk_gbench_add_range(bench, 8, 512);
        hk_gbench_set_clock(bench, HK_GBENCH_CLOCK_MANUAL);
        hk_gbench_set_iterations(bench, 3);
        if (law) {
            hk_gbench_set_complexity_law(bench, square);
        } else {
            hk_gbench_set_complexity(bench, HK_GBENCH_O_N_SQUARED);
        }
    }
    rows = run_rows(NULL);
    assert_string_equal(text_of(find_row(rows, "auto/iterations:3/manual_time_BigO"), "big_o"),
                        "N^2");
    assert_true(fabs(number_of(find_row(rows, "law/iterations:3/manual_time_BigO"),
                               "real_coefficient") - 3500) < 1e-6);
    json_decref(rows);
}

static double largest(const double *values, size_t count)
{
    double max = values[0];

    for (size_t i = 1; i < count; i++) {
        max = values[i] > max ? values[i] : max;
    }
    return max;
}

static double not_a_number(const double *values, size_t count)
{
    (void)values, (void)count;
    return NAN;
}

static void growing_time(struct hk_gbench_state *state, void *arg)
{
    double *ms = arg;

    HK_GBENCH_LOOP(state) {
        hk_gbench_state_add_time_s(state, *ms * 1e-3);
    }
    *ms += 1;
    /* libbenchmark 1.7.1 gives the first a coefficient of variation of 0 / 0; the second is 1 / 0. */
    hk_gbench_state_set_counter(state, "zero", 0, HK_GBENCH_COUNTER_PLAIN, HK_GBENCH_BASE_1000);
    hk_gbench_state_set_counter(state, "infinite", 0, HK_GBENCH_COUNTER_INVERT,
                                HK_GBENCH_BASE_1000);
}

static void test_statistics_and_strict_json(void **context)
{
    double ms = 2;
    struct hk_gbench *bench = registered("grows", growing_time, &ms);
    const json_t *row;
    json_t *rows;

    (void)context;
    hk_gbench_set_clock(bench, HK_GBENCH_CLOCK_MANUAL);
    hk_gbench_set_iterations(bench, 5);
    hk_gbench_set_repetitions(bench, 3);
    assert_int_equal(hk_gbench_add_statistic(bench, "max", largest, HK_GBENCH_STATISTIC_TIME),
                     HK_GBENCH_OK);
    assert_int_equal(hk_gbench_add_statistic(bench, "nan", not_a_number, HK_GBENCH_STATISTIC_RATIO),
                     HK_GBENCH_OK);
    rows = run_rows(NULL);
    row = find_row(rows, "grows/iterations:5/repeats:3/manual_time_max");
    assert_true(fabs(number_of(row, "real_time") - 4e6) < 1e-3);
    row = find_row(rows, "grows/iterations:5/repeats:3/manual_time_mean");
    assert_null(json_object_get(row, "infinite"));
    assert_true(number_of(row, "zero") == 0);
    assert_int_equal(json_array_size(rows), 3 + 5);
    json_decref(rows);
}

static void pausing(struct hk_gbench_state *state, void *arg)
{
    (void)arg;
    HK_GBENCH_LOOP(state) {
        hk_gbench_state_pause(state);
        hk_gbench_state_resume(state);
    }
}

static void pair_loop(struct hk_gbench_state *state, void *arg)
{
    atomic_llong *iterations = arg;
    int64_t n = hk_gbench_loop_begin(state);

    for (int64_t i = 0; i < n; i++) {
        HK_GBENCH_KEEP(i);
    }
    hk_gbench_loop_end(state);
    atomic_fetch_add(iterations, hk_gbench_state_iterations(state));
}

static void test_pause_and_pair(void **context)
{
    atomic_llong iterations = 0;
    struct hk_gbench *bench;
    struct hk_gbench_totals totals;

    (void)context;
    hk_gbench_set_iterations(registered("pausing", pausing, NULL), 31);
    bench = registered("pair", pair_loop, &iterations);
    assert_int_equal(hk_gbench_set_min_time_s(bench, 0.002, 0.001), HK_GBENCH_OK);
    json_decref(run_rows(&totals));
    assert_int_equal(totals.error_count, 0);
    assert_true(iterations > 1);
}

static void test_filter_and_context(void **context)
{
    struct hk_gbench_totals totals = {5, 5, 5};
    json_error_t error;
    json_t *report;

    (void)context;
    registered("alpha", count_calls, NULL);
    registered("beta", count_calls, NULL);
    assert_int_equal(hk_gbench_add_context("suite", "ünïcode"), HK_GBENCH_OK);
    assert_int_equal(hk_gbench_add_context("suite", "again"), HK_GBENCH_EEXIST);
    assert_int_equal(hk_gbench_add_context("num_cpus", "1"), HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_add_context("key", "\n"), HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_add_context(NULL, "x"), HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_run("gamma", &totals), HK_GBENCH_ENOENT);
    assert_string_equal(hk_gbench_error_text(), "no benchmark matches the filter");
    assert_int_equal(hk_gbench_run("[", &totals), HK_GBENCH_ENOENT);
    assert_int_equal(totals.matched_count, 5);
    assert_int_equal(hk_gbench_run("-alp", &totals), HK_GBENCH_OK);
    assert_int_equal(totals.matched_count, 1);
    report = json_load_file(out_path, 0, &error);
    assert_non_null(report);
    assert_string_equal(text_of(json_object_get(report, "context"), "suite"), "ünïcode");
    find_row(json_object_get(report, "benchmarks"), "beta");
    json_decref(report);
}

/* Every refusal, each on a benchmark of its own: the run must then repeat it. */
static int refuse_nothing_given(struct hk_gbench *b)
{
    (void)b;
    return hk_gbench_add_arg(NULL, 1);
}
static int refuse_name(struct hk_gbench *b)
{
    return hk_gbench_register("", count_calls, NULL, &b);
}
static int refuse_function(struct hk_gbench *b)
{
    return hk_gbench_register("x", NULL, NULL, &b);
}
static int refuse_arg_count(struct hk_gbench *b)
{
    static const int64_t two[] = {1, 2};
    hk_gbench_add_arg(b, 1);
    return hk_gbench_add_args(b, two, 2);
}
static int refuse_no_args(struct hk_gbench *b)
{
    static const int64_t two[] = {1, 2};
    return hk_gbench_add_args(b, two, 0);
}
static int refuse_range(struct hk_gbench *b)
{
    return hk_gbench_add_range(b, 2, 1);
}
static int refuse_lowest(struct hk_gbench *b)
{
    return hk_gbench_add_range(b, INT64_MIN, 1);
}
static int refuse_step(struct hk_gbench *b)
{
    return hk_gbench_add_dense_range(b, 1, 2, 0);
}
static int refuse_many(struct hk_gbench *b)
{
    return hk_gbench_add_dense_range(b, INT64_MIN, INT64_MAX, 1);
}
static int refuse_big_product(struct hk_gbench *b)
{
    static int64_t values[1000];
    struct hk_gbench_list lists[8];
    for (size_t i = 0; i < 8; i++) {
        lists[i] = (struct hk_gbench_list){values, 1000};
    }
    return hk_gbench_add_product(b, lists, 8);
}
static int refuse_empty_list(struct hk_gbench *b)
{
    static const int64_t values[] = {1};
    static const struct hk_gbench_list lists[] = {{values, 1}, {values, 0}};
    return hk_gbench_add_product(b, lists, 2);
}
static int refuse_multiplier(struct hk_gbench *b)
{
    return hk_gbench_set_range_multiplier(b, 1);
}
static int refuse_names(struct hk_gbench *b)
{
    static const char *const names[] = {"a", "b"};
    hk_gbench_add_arg(b, 1);
    return hk_gbench_set_arg_names(b, names, 2);
}
static int refuse_names_alone(struct hk_gbench *b)
{
    static const char *const names[] = {"a", "b"};
    assert_int_equal(hk_gbench_set_arg_names(b, names, 2), HK_GBENCH_OK);
    return HK_GBENCH_EINVAL; /* found by the run */
}
static int refuse_threads(struct hk_gbench *b)
{
    return hk_gbench_add_threads(b, 0);
}
static int refuse_many_threads(struct hk_gbench *b)
{
    return hk_gbench_add_threads(b, HK_GBENCH_THREADS_MAX + 1);
}
static int refuse_thread_range(struct hk_gbench *b)
{
    return hk_gbench_add_thread_range(b, 4, 2);
}
static int refuse_two_clocks(struct hk_gbench *b)
{
    hk_gbench_set_clock(b, HK_GBENCH_CLOCK_REAL);
    return hk_gbench_set_clock(b, HK_GBENCH_CLOCK_MANUAL);
}
static int refuse_clock(struct hk_gbench *b)
{
    return hk_gbench_set_clock(b, (enum hk_gbench_clock)3);
}
static int refuse_unit(struct hk_gbench *b)
{
    return hk_gbench_set_unit(b, (enum hk_gbench_unit)-1);
}
static int refuse_repetitions(struct hk_gbench *b)
{
    return hk_gbench_set_repetitions(b, 0);
}
static int refuse_iterations(struct hk_gbench *b)
{
    return hk_gbench_set_iterations(b, 0);
}
static int refuse_iterations_and_time(struct hk_gbench *b)
{
    hk_gbench_set_min_time_s(b, 0.5, 0);
    return hk_gbench_set_iterations(b, 5);
}
static int refuse_time_and_iterations(struct hk_gbench *b)
{
    hk_gbench_set_iterations(b, 5);
    return hk_gbench_set_min_time_s(b, 0.5, 0);
}
static int refuse_time(struct hk_gbench *b)
{
    return hk_gbench_set_min_time_s(b, NAN, 0);
}
static int refuse_complexity(struct hk_gbench *b)
{
    return hk_gbench_set_complexity(b, (enum hk_gbench_complexity)7);
}
static int refuse_law(struct hk_gbench *b)
{
    return hk_gbench_set_complexity_law(b, NULL);
}
static int refuse_statistic(struct hk_gbench *b)
{
    return hk_gbench_add_statistic(b, "s", NULL, HK_GBENCH_STATISTIC_TIME);
}
static int refuse_setup(struct hk_gbench *b)
{
    return hk_gbench_set_setup(b, NULL, NULL);
}

static void test_refusals(void **context)
{
    static const struct {
        int (*provoke)(struct hk_gbench *bench);
        int code;
    } rows[] = {
        {refuse_nothing_given, HK_GBENCH_EINVAL},
        {refuse_name, HK_GBENCH_EINVAL},
        {refuse_function, HK_GBENCH_EINVAL},
        {refuse_arg_count, HK_GBENCH_EINVAL},
        {refuse_no_args, HK_GBENCH_EINVAL},
        {refuse_range, HK_GBENCH_EINVAL},
        {refuse_lowest, HK_GBENCH_EINVAL},
        {refuse_step, HK_GBENCH_EINVAL},
        {refuse_many, HK_GBENCH_ETOOBIG},
        {refuse_big_product, HK_GBENCH_ETOOBIG},
        {refuse_empty_list, HK_GBENCH_EINVAL},
        {refuse_multiplier, HK_GBENCH_EINVAL},
        {refuse_names, HK_GBENCH_EINVAL},
        {refuse_names_alone, HK_GBENCH_EINVAL},
        {refuse_threads, HK_GBENCH_EINVAL},
        {refuse_many_threads, HK_GBENCH_ETOOBIG},
        {refuse_thread_range, HK_GBENCH_EINVAL},
        {refuse_two_clocks, HK_GBENCH_EINVAL},
        {refuse_clock, HK_GBENCH_EINVAL},
        {refuse_unit, HK_GBENCH_EINVAL},
        {refuse_repetitions, HK_GBENCH_EINVAL},
        {refuse_iterations, HK_GBENCH_EINVAL},
        {refuse_iterations_and_time, HK_GBENCH_EINVAL},
        {refuse_time_and_iterations, HK_GBENCH_EINVAL},
        {refuse_time, HK_GBENCH_EINVAL},
        {refuse_complexity, HK_GBENCH_EINVAL},
        {refuse_law, HK_GBENCH_EINVAL},
        {refuse_statistic, HK_GBENCH_EINVAL},
        {refuse_setup, HK_GBENCH_EINVAL},
    };

    (void)context;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hk_gbench_totals totals = {5, 5, 5};
        struct hk_gbench *bench = registered("refused", count_calls, NULL);
        assert_int_equal(rows[i].provoke(bench), rows[i].code);
        assert_int_equal(hk_gbench_run(NULL, &totals), rows[i].code);
        assert_true(strlen(hk_gbench_error_text()) > 10);
        assert_int_equal(totals.matched_count, 5);
        hk_gbench_shutdown();
    }
}

static void test_init(void **context)
{
    static char program[] = "p", kept[] = "--mine", dashes[] = "-x";
    static char out_flag[] = "--benchmark_out=/nonexistent/folder/file.json";
    char *argv[] = {program, kept, out_flag, dashes, NULL};
    int argc = 0;

    (void)context;
    assert_int_equal(hk_gbench_init(NULL, argv), HK_GBENCH_EINVAL);
    assert_int_equal(hk_gbench_init(&argc, argv), HK_GBENCH_EINVAL);
    argc = 4;
    assert_int_equal(hk_gbench_init(&argc, argv), HK_GBENCH_OK);
    assert_int_equal(argc, 3);
    assert_string_equal(argv[1], "--mine");
    assert_string_equal(argv[2], "-x");
    registered("unwritable", count_calls, NULL);
    assert_int_equal(hk_gbench_run(NULL, NULL), HK_GBENCH_EIO);
    assert_non_null(strstr(hk_gbench_error_text(), "/nonexistent/folder/file.json"));
}

static void test_full_disk(void **context)
{
    static char program[] = "p", out_flag[] = "--benchmark_out=/dev/full";
    char *argv[] = {program, out_flag, NULL};
    int argc = 2;
    struct hk_gbench_totals totals = {5, 5, 5};

    (void)context;
    if (access("/dev/full", W_OK) != 0) {
        skip();
    }
    assert_int_equal(hk_gbench_init(&argc, argv), HK_GBENCH_OK);
    registered("counted", count_calls, NULL);
    assert_int_equal(hk_gbench_run(NULL, &totals), HK_GBENCH_EIO);
    assert_string_equal(hk_gbench_error_text(), "cannot write all of '/dev/full'");
    assert_int_equal(totals.matched_count, 5);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup_file, teardown_file)
    const struct CMUnitTest tests[] = {
        CASE(test_registration),
        CASE(test_every_way_to_give_arguments),
        CASE(test_threads),
        CASE(test_manual_time),
        CASE(test_counters),
        CASE(test_reserved_names_and_values_are_refused),
        CASE(test_errors),
        CASE(test_complexity_of_failures),
        CASE(test_failures_in_other_formats),
        CASE(test_one_repetition_fails),
        CASE(test_setup_and_teardown),
        CASE(test_complexity),
        CASE(test_statistics_and_strict_json),
        CASE(test_pause_and_pair),
        CASE(test_filter_and_context),
        CASE(test_refusals),
        CASE(test_init),
        CASE(test_full_disk),
    };

    if (!hk_gbench_available()) {
        printf("SKIP: %s\n", hk_gbench_error_text());
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
