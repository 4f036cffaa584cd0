/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/history/check.h"
#include "hk/history/import.h"
#include "hk/stats/noise.h"

static char path[64];

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/hkbench-test-XXXXXX");
    const int fd = mkstemp(path);
    close(fd);
    return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(endings); i++) {
        char name[96];
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        unlink(name);
    }
    return 0;
}

static struct hk_history *open_history(void)
{
    struct hk_history *history = NULL;
    char error[HK_TEXT_BYTES];
    if (hk_history_open(path, true, &history, error) != HK_OK)
        fail_msg("%s", error);
    return history;
}

/* One job with one value of one series. */
static void add(struct hk_history *history, const char *commit, enum hk_series_kind kind,
                const char *basis, double value, double reference)
{
    char name[] = "guest/call", metric[] = "instructions", on[64];
    static int second;
    char time[32];
    int64_t number;
    snprintf(on, sizeof(on), "%s", basis);
    snprintf(time, sizeof(time), "2026-01-01T00:00:00.%dZ", second++);
    struct hk_history_point point = {.name = name, .metric = metric, .kind = kind, .basis = on,
                                     .value = value, .reference = reference, .count = 2};
    const struct hk_history_points points = {.count = 1, .points = &point};
    const struct hk_history_job job = {commit, time, "machine", "test"};
    if (hk_history_add(history, &job, &points, &number) != HK_OK)
        fail_msg("%s", hk_history_error(history));
}

/* The verdict on the only series that the newest commit has. */
static enum hk_track_verdict verdict(struct hk_history *history, const char *says)
{
    struct hk_track_check check;
    if (hk_track_check(history, &hk_track_defaults, &check) != HK_OK)
        fail_msg("%s", hk_history_error(history));
    assert_int_equal(check.count, 1);
    const enum hk_track_verdict v = check.rows[0].verdict;
    if (!strstr(check.rows[0].reason, says))
        fail_msg("'%s' says no '%s'", check.rows[0].reason, says);
    hk_track_check_fini(&check);
    return v;
}

static void another_qemu_is_no_regression(void **state)
{
    (void)state;
    struct hk_history *h = open_history();
    struct hk_history_list list;
    add(h, "a", HK_SERIES_EXACT, "QEMU 7.2", 98, 0);
    assert_int_equal(verdict(h, "first value"), HK_TRACK_UNJUDGED);
    add(h, "b", HK_SERIES_EXACT, "QEMU 7.2", 98, 0);
    assert_int_equal(verdict(h, "equal"), HK_TRACK_STEADY);
    add(h, "c", HK_SERIES_EXACT, "QEMU 9.1", 98, 0);
    assert_int_equal(verdict(h, "equal"), HK_TRACK_STEADY);
    add(h, "d", HK_SERIES_EXACT, "QEMU 10.0", 120, 0);
    assert_int_equal(verdict(h, "was 98 by QEMU 9.1"), HK_TRACK_SUSPECT);
    add(h, "e", HK_SERIES_EXACT, "QEMU 10.0", 120, 0);
    assert_int_equal(verdict(h, "was 98 by QEMU 9.1"), HK_TRACK_SUSPECT);
    assert_int_equal(hk_history_list(h, NULL, &list), HK_OK);
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.series[i].basis, "QEMU 10.0") == 0)
            assert_int_equal(hk_history_accept(h, list.series[i].id, 4, "now", "new QEMU"), HK_OK);
    hk_history_list_fini(&list);
    assert_int_equal(verdict(h, "equal"), HK_TRACK_STEADY);
    hk_history_close(h);
}

static void exact_that_becomes_near_is_said(void **state)
{
    (void)state;
    struct hk_history *h = open_history();
    add(h, "a", HK_SERIES_EXACT, "QEMU 7.2", 98, 0);
    add(h, "b", HK_SERIES_NEAR, "QEMU 7.2", 98.5, 0);
    assert_int_equal(verdict(h, "was exact, now boots differ"), HK_TRACK_SUSPECT);
    hk_history_close(h);
}

/* Small steps add up against the accepted level, not against the last value. */
static void creeping_counts_are_seen(void **state)
{
    (void)state;
    struct hk_history *h = open_history();
    static const double counts[] = {98, 101, 103, 104};
    char commit[8];
    for (size_t i = 0; i < HK_ARRAY_COUNT(counts); i++) {
        snprintf(commit, sizeof(commit), "c%zu", i);
        add(h, commit, HK_SERIES_EXACT, "QEMU", counts[i], 0);
    }
    assert_int_equal(verdict(h, "+6 exactly"), HK_TRACK_SLOWER);
    hk_history_close(h);
}

/* Two steps in one window: the second does not hide the first. */
static void a_second_step_hides_nothing(void **state)
{
    (void)state;
    struct hk_history *h = open_history();
    struct hk_rng *rng = NULL;
    char commit[8];
    assert_int_equal(hk_rng_create(1, 1, &rng), HK_OK);
    for (int i = 0; i < 45; i++) {
        double noise;
        hk_noise_draw(HK_NOISE_INDEPENDENT, rng, &noise, 1);
        const double level = i < 15 ? 1000 : i < 30 ? 1200 : 1100;
        snprintf(commit, sizeof(commit), "c%d", i);
        add(h, commit, HK_SERIES_RATIO, "v1", level * exp(0.01 * noise), 1000);
    }
    assert_int_equal(verdict(h, "a step of +"), HK_TRACK_SLOWER);
    for (int i = 45; i < 60; i++) { /* taken back: nothing is slower than what was accepted */
        snprintf(commit, sizeof(commit), "c%d", i);
        add(h, commit, HK_SERIES_RATIO, "v1", 1000 + i % 3, 1000);
    }
    assert_int_equal(verdict(h, "too little to matter"), HK_TRACK_STEADY);
    hk_rng_destroy(rng);
    hk_history_close(h);
}

static void values_without_a_logarithm_are_not_judged(void **state)
{
    (void)state;
    struct hk_history *h = open_history();
    add(h, "a", HK_SERIES_NEAR, "QEMU", 0, 0);
    assert_int_equal(verdict(h, "not positive"), HK_TRACK_UNJUDGED);
    hk_history_close(h);
}

static void bad_calls_are_refused(void **state)
{
    (void)state;
    struct hk_history *h = open_history();
    struct hk_history_list list;
    struct hk_history_entry entry;
    struct hk_history *none = NULL;
    struct hk_history_value value;
    char error[HK_TEXT_BYTES];
    int64_t number = -1;
    assert_int_equal(hk_history_list(h, "(", &list), HK_EINVAL);
    assert_int_equal(hk_history_job_read(h, 7, &entry), HK_ENOENT);
    assert_int_equal(hk_history_first(h, 7, 0, &value), HK_ENOENT);
    assert_int_equal(hk_history_newest(h, &number), HK_OK);
    assert_int_equal(number, 0);
    add(h, "a", HK_SERIES_EXACT, "QEMU", 1, 0);
    assert_int_equal(hk_history_accept(h, 1, 1, "now", " \n"), HK_EINVAL);
    assert_int_equal(hk_history_accept(h, 1, 1, "now", "why"), HK_OK);
    assert_int_equal(hk_history_accept(h, 1, 1, "now", "why"), HK_EEXIST);
    hk_history_close(h);
    assert_int_equal(hk_history_open("/nonexistent/x.db", false, &none, error), HK_ENOENT);
    assert_int_equal(hk_history_open("/nonexistent/x.db", true, &none, error), HK_EPERM);
    assert_null(none);
}

/* --- from runs to points -------------------------------------------------------------- */

static void make_run(struct hk_run *run, struct hk_launch *launches, size_t count,
                     const char *machine)
{
    static char name[] = "native/pipe", note[] = "instructions (icount, QEMU 7.2)", empty[] = "";
    static char json[] = "{\"id\":\"m\",\"kernel\":\"6.1\"}", started[] = "2026-01-01T00:00:00Z";
    *run = (struct hk_run){.path = empty, .machine_json = json, .note = note, .started = started,
                           .machine_id = (char *)(uintptr_t)machine, .arguments = empty,
                           .launch_count = count, .launches = launches};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(hk_launch_init(&launches[i], name, (uint32_t)i, 1), HK_OK);
}

static void medians_of_launches_become_points(void **state)
{
    (void)state;
    struct hk_launch head[3], old[3];
    struct hk_run run, reference;
    struct hk_history_points points;
    char error[HK_TEXT_BYTES];
    static const double costs[] = {3706.25, 9999, 3811};
    make_run(&run, head, 3, "m");
    make_run(&reference, old, 3, "m");
    for (size_t i = 0; i < 3; i++) {
        hk_launch_add_counter(&head[i], "cost_ns", costs[i]);
        hk_launch_add_counter(&old[i], "cost_ns", 2000);
    }
    struct hk_history_source source = {.run = &run, .reference = &reference, .pin = "v1"};
    assert_int_equal(hk_history_collect(&source, &points, error), HK_OK);
    assert_int_equal(points.count, 2);
    assert_int_equal(points.points[0].kind, HK_SERIES_ABSOLUTE);
    assert_string_equal(points.points[0].basis, "m, Linux 6.1");
    assert_float_equal(points.points[0].value, 3811, 0);
    assert_int_equal(points.points[1].kind, HK_SERIES_RATIO);
    assert_string_equal(points.points[1].basis, "v1");
    assert_float_equal(points.points[1].reference, 2000, 0);
    hk_history_points_fini(&points);

    static char elsewhere[] = "n";
    reference.machine_id = elsewhere;
    assert_int_equal(hk_history_collect(&source, &points, error), HK_EMACHINE);
    source.metric = "no_such_ns";
    source.reference = NULL;
    assert_int_equal(hk_history_collect(&source, &points, error), HK_EEMPTY);
    for (size_t i = 0; i < 3; i++) {
        hk_launch_fini(&head[i]);
        hk_launch_fini(&old[i]);
    }
}

static void counts_that_differ_are_near(void **state)
{
    (void)state;
    for (int differ = 0; differ < 2; differ++) {
        struct hk_launch launches[2];
        struct hk_run run;
        struct hk_history_points points;
        char error[HK_TEXT_BYTES];
        make_run(&run, launches, 2, "m");
        for (size_t i = 0; i < 2; i++) {
            launches[i].exactness = HK_EXACT;
            hk_launch_add_counter(&launches[i], "hk_instructions_kernel", 67 + differ * (double)i);
            hk_launch_add_counter(&launches[i], "hk_instructions_user", 31);
        }
        const struct hk_history_source source = {.run = &run};
        assert_int_equal(hk_history_collect(&source, &points, error), HK_OK);
        assert_int_equal(points.points[0].kind, differ ? HK_SERIES_NEAR : HK_SERIES_EXACT);
        assert_string_equal(points.points[0].basis, "icount, QEMU 7.2");
        assert_true(points.points[0].value == 98 + differ * 0.5);
        hk_history_points_fini(&points);
        for (size_t i = 0; i < 2; i++)
            hk_launch_fini(&launches[i]);
    }
}

static enum hk_status import(struct hk_history *history, const char *rows, size_t *added)
{
    char text[256], error[HK_TEXT_BYTES];
    const int bytes = snprintf(text, sizeof(text),
                               HK_HISTORY_CSV_START ",a time_ns absolute m\n%s", rows);
    return hk_history_import_csv(history, text, (size_t)bytes, "file", added, error);
}

/* A row that is there already undoes those before it, or mending them would be refused. */
static void a_file_is_imported_whole_or_not_at_all(void **state)
{
    (void)state;
    struct hk_history *h = open_history();
    int64_t newest = 0;
    size_t added;
    assert_int_equal(import(h, "t1,c,m,1\nt2,c,m,2\n", &added), HK_OK);
    assert_int_equal(added, 2);
    assert_int_equal(import(h, "t3,c,m,3\nt2,c,m,2\n", &added), HK_EEXIST);
    assert_int_equal(added, 0);
    assert_int_equal(hk_history_newest(h, &newest), HK_OK);
    assert_int_equal(newest, 2);
    assert_int_equal(import(h, "t3,c,m,3\nt4,c,m,4\n", &added), HK_OK);
    assert_int_equal(added, 2);
    hk_history_close(h);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(another_qemu_is_no_regression),
        WITH_FILE(exact_that_becomes_near_is_said),
        WITH_FILE(creeping_counts_are_seen),
        WITH_FILE(a_second_step_hides_nothing),
        WITH_FILE(values_without_a_logarithm_are_not_judged),
        WITH_FILE(bad_calls_are_refused),
        WITH_FILE(a_file_is_imported_whole_or_not_at_all),
        cmocka_unit_test(medians_of_launches_become_points),
        cmocka_unit_test(counts_that_differ_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
