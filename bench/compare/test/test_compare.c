/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "hk/compare/compare.h"
#include "make_run.h"
#include "support.h"

static const struct hk_rule usual = {.alpha = 0.05, .bound_ratio = 0.03, .floor_count = 5,
                                     .seed = 1};
static const char note[] = "instructions (icount, QEMU 7.2.22, kernel built by GNU 12.2.0)";

static struct hk_comparison compare(struct hk_run *a, struct hk_run *b, const struct hk_rule *rule)
{
    struct hk_comparison c;
    char error[HK_TEXT_BYTES];

    assert_int_equal(hk_compare_runs(a, b, rule, &c, error), HK_OK);
    hk_run_fini(a);
    hk_run_fini(b);
    return c;
}

/* --- counts ------------------------------------------------------------------------------- */

static void make_counts(struct hk_run *run, const char *tool, double first, double second)
{
    const enum hk_exactness exactness = first == second ? HK_EXACT : HK_NEAR;

    run_make(run, "counts", tool);
    run_add(run, "guest/call", 0, exactness, "hk_instructions_kernel", first);
    assert_int_equal(hk_launch_add_counter(&run->launches[0], "hk_stores", first / 7), HK_OK);
    run_add(run, "guest/call", 1, exactness, "hk_instructions_kernel", second);
    assert_int_equal(hk_launch_add_counter(&run->launches[1], "hk_stores", second / 7), HK_OK);
}

static void counts_are_compared_as_integers(void **state)
{
    (void)state;
    static const struct {
        double a1, a2, b1, b2, floor;
        const char *tool;
        enum hk_basis basis;
        enum hk_paired_verdict verdict;
        const char *reason;
    } cases[] = {
        {98, 98, 98, 98, 0, note, HK_BASIS_EXACT, HK_PAIRED_SAME, ""},
        {98, 98, 99, 99, 0, note, HK_BASIS_EXACT, HK_PAIRED_SLOWER, "+1 instructions"},
        {98, 98, 97, 97, 0, note, HK_BASIS_EXACT, HK_PAIRED_FASTER, "-1 instructions"},
        {98, 98, 103, 103, 5, note, HK_BASIS_EXACT, HK_PAIRED_SAME, "within the floor of 5"},
        {98, 98, 104, 104, 5, note, HK_BASIS_EXACT, HK_PAIRED_SLOWER, "+6"},
        {98.0 + 1 / 3.0, 98.0 + 1 / 3.0, 295 / 3.0, 295 / 3.0, 0, note, HK_BASIS_EXACT,
         HK_PAIRED_SAME, ""},
        {98, 98, 99, 99, 0, "instructions (icount, QEMU 6.0.0, kernel built by GNU 12.2.0)",
         HK_BASIS_EXACT, HK_PAIRED_UNKNOWN, "counted by QEMU 7.2.22, B 6.0.0"},
        {98, 98, 99, 99, 0, "instructions (icount, QEMU 7.2.22, kernel built by GNU 13.1.0)",
         HK_BASIS_EXACT, HK_PAIRED_UNKNOWN, "kernel built by GNU 12.2.0, B GNU 13.1.0"},
        {98, 98, 98, 98, 0, "instructions (icount, QEMU 6.0.0)", HK_BASIS_EXACT, HK_PAIRED_SAME,
         ""},
        {9000, 9004, 9010, 9010, 5, note, HK_BASIS_NEAR, HK_PAIRED_SAME,
         "near: launches of A differ, in hk_instructions_kernel (9000, 9004)"},
        {9000, 9004, 9030, 9034, 5, note, HK_BASIS_NEAR, HK_PAIRED_SLOWER, "near"},
        {9030, 9030, 9000, 9004, 5, note, HK_BASIS_NEAR, HK_PAIRED_FASTER, "launches of B"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hk_run a, b;
        struct hk_rule rule = usual;
        rule.floor_count = cases[i].floor;
        make_counts(&a, note, cases[i].a1, cases[i].a2);
        make_counts(&b, cases[i].tool, cases[i].b1, cases[i].b2);
        struct hk_comparison c = compare(&a, &b, &rule);
        assert_int_equal(c.finding_count, 1);
        assert_int_equal(c.findings[0].basis, cases[i].basis);
        assert_int_equal(c.findings[0].verdict, cases[i].verdict);
        if (strstr(c.findings[0].reason, cases[i].reason) == NULL)
            fail_msg("%zu: no '%s' in '%s'", i, cases[i].reason, c.findings[0].reason);
        hk_comparison_fini(&c);
    }
}

static void a_change_is_attributed(void **state)
{
    (void)state;
    static const char before[] = "cell\tfunction\tn\nguest/call\tcall_short\t36\n"
                                 "guest/call\tinit:call\t5\nguest/call\tgone\t2\n";
    static const char after[] = "cell\tfunction\tn\nguest/call\tcall_short\t45\n"
                                "guest/call\tinit:call\t6\nguest/other\tcall_short\t99\n";
    struct hk_functions *fa, *fb;
    struct hk_run a, b;
    char error[HK_TEXT_BYTES];

    assert_int_equal(hk_functions_parse(before, sizeof before - 1, &fa, error), HK_OK);
    assert_int_equal(hk_functions_parse(after, sizeof after - 1, &fb, error), HK_OK);
    make_counts(&a, note, 98, 98);
    make_counts(&b, note, 106, 106);
    struct hk_comparison c = compare(&a, &b, &usual);
    hk_compare_functions(&c, fa, fb);
    const struct hk_finding *f = &c.findings[0];
    assert_int_equal(f->cause_count, 5);
    assert_string_equal(f->causes[0].what, "kernel call_short");
    assert_near(f->causes[0].b - f->causes[0].a, 9, 0);
    assert_string_equal(f->causes[1].what, "kernel gone");
    assert_near(f->causes[1].b, 0, 0);
    assert_string_equal(f->causes[2].what, "user init:call");
    assert_string_equal(f->causes[3].what, "event hk_instructions_kernel");
    assert_string_equal(f->causes[4].what, "event hk_stores");
    hk_compare_functions(&c, NULL, fb); /* nothing known: nothing changes */
    assert_int_equal(f->cause_count, 5);
    hk_comparison_fini(&c);
    hk_functions_free(fa);
    hk_functions_free(fb);
}

static void bad_functions_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "cell\tfunction\tn\na/b\tf\t1", "cell\tfunction\tn\na/b\tf\n", "h\na/b\tf\tx\n",
        "h\na/b\tf\t1 2\n", "h\na/b\tf\tnan\n", "h\na/b\tf\tinf\n", "h\n\tf\t1\n", "h\na\t\t1\n",
        "h\na/b\tf\t1e999\n", "h\n\n", "h\na/b\tf\t\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hk_functions *f = NULL;
        char error[HK_TEXT_BYTES] = "";
        assert_int_equal(hk_functions_parse(bad[i], strlen(bad[i]), &f, error), HK_EPARSE);
        assert_non_null(strstr(error, "line "));
        assert_null(f);
    }
    struct hk_functions *f = NULL;
    char error[HK_TEXT_BYTES];
    assert_int_equal(hk_functions_read("/no/such/folder", &f, error), HK_ENOENT);
    assert_int_equal(hk_functions_parse("", 0, &f, error), HK_OK);
    hk_functions_free(f);
}

/* --- times ------------------------------------------------------------------------------------ */

static void make_times(struct hk_run *run, const char *machine, double factor, uint32_t launches)
{
    static const double wobble[] = {1.001, 0.998, 1.0007, 0.9991, 1.0003, 0.9985, 1.0012, 0.9996,
                                    1.0009, 0.9989};

    run_make(run, machine, "");
    for (uint32_t l = 0; l < launches; l++)
        run_add(run, "native/x/pipe", l, HK_TIMED, "cost_ns", 1000 * factor * wobble[l]);
}

static void times_get_a_verdict_or_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *machine;
        bool paired;
        double factor, drift;
        uint32_t launches;
        enum hk_paired_verdict verdict;
        const char *reason;
    } cases[] = {
        {"m", true, 1.0, 0, 10, HK_PAIRED_SAME, ""},
        {"m", true, 1.1, 0, 10, HK_PAIRED_SLOWER, ""},
        {"m", true, 0.9, 0, 10, HK_PAIRED_FASTER, ""},
        {"m", true, 1.1, 0, 4, HK_PAIRED_UNKNOWN, "too few"},
        {"m", true, 1.1, 0, 1, HK_PAIRED_UNKNOWN, "at least 6"},
        {"m", false, 1.1, 0, 10, HK_PAIRED_UNKNOWN, "too few (10) to see what drifted"},
        {"m", false, 1.1, 0.01, 10, HK_PAIRED_SLOWER, "drift of 1 % as given"},
        {"m", false, 1.0, 0.01, 10, HK_PAIRED_SAME, "not interleaved"},
        {"m", false, 1.1, 0.10, 10, HK_PAIRED_UNKNOWN, "not interleaved"},
        {"m", false, 1.1, 0.01, 2, HK_PAIRED_UNKNOWN, "needs 3 on both sides"},
        {"other", true, 1.1, 0, 10, HK_PAIRED_UNKNOWN, "do not compare"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hk_run a, b;
        struct hk_rule rule = usual;
        rule.paired = cases[i].paired;
        rule.drift_ratio = cases[i].drift;
        make_times(&a, "m", 1, cases[i].launches);
        make_times(&b, cases[i].machine, cases[i].factor, cases[i].launches);
        struct hk_comparison c = compare(&a, &b, &rule);
        assert_int_equal(c.finding_count, 1);
        const struct hk_finding *f = &c.findings[0];
        if (f->verdict != cases[i].verdict || strstr(f->reason, cases[i].reason) == NULL)
            fail_msg("%zu: %s, '%s'", i, hk_paired_verdict_name(f->verdict), f->reason);
        assert_int_equal(hk_comparison_verdict(&c), cases[i].verdict);
        hk_comparison_fini(&c);
    }
}

static void cells_without_a_partner_are_counted_or_missed(void **state)
{
    (void)state;
    for (int complete = 0; complete < 2; complete++) {
        struct hk_run a, b;
        struct hk_rule rule = usual;
        rule.complete = complete == 1;
        make_counts(&a, note, 98, 98);
        make_counts(&b, note, 98, 98);
        run_add(&a, "guest/lost", 0, HK_EXACT, "hk_instructions_kernel", 5);
        run_add(&b, "guest/new", 0, HK_EXACT, "hk_instructions_kernel", 5);
        struct hk_comparison c = compare(&a, &b, &rule);
        assert_int_equal(c.only_a_count, 1);
        assert_int_equal(c.only_b_count, 1);
        assert_int_equal(hk_comparison_verdict(&c), complete ? HK_PAIRED_UNKNOWN : HK_PAIRED_SAME);
        hk_comparison_fini(&c);
    }
}

static void broken_launches_of_b_are_no_pass(void **state)
{
    (void)state;
    struct hk_run a, b;
    make_times(&a, "m", 1, 10);
    make_times(&b, "m", 1, 10);
    for (size_t l = 0; l < 10; l++)
        assert_int_equal(hk_launch_set_state(&b.launches[l], HK_LAUNCH_FAILED, "it broke"), HK_OK);
    struct hk_comparison c = compare(&a, &b, &usual);
    assert_int_equal(hk_comparison_verdict(&c), HK_PAIRED_UNKNOWN);
    assert_non_null(strstr(c.findings[0].reason, "no launch of B holds"));
    hk_comparison_fini(&c);
}

static void nothing_in_common_and_bad_rules_are_refused(void **state)
{
    (void)state;
    struct hk_run a, b;
    struct hk_comparison c;
    char error[HK_TEXT_BYTES];
    struct hk_rule bad[] = {usual, usual, usual, usual};
    bad[0].alpha = 0;
    bad[1].bound_ratio = -1;
    bad[2].floor_count = NAN;
    bad[3].drift_ratio = INFINITY;
    make_counts(&a, note, 98, 98);
    run_make(&b, "counts", note);
    run_add(&b, "guest/other", 0, HK_EXACT, "hk_instructions_kernel", 5);
    assert_refused(hk_compare_runs(&a, &b, &usual, &c, error), HK_EEMPTY, &c);
    for (size_t i = 0; i < 4; i++)
        assert_refused(hk_compare_runs(&a, &a, &bad[i], &c, error), HK_EINVAL, &c);
    hk_run_fini(&a);
    hk_run_fini(&b);
}

/* --- counts of events ---------------------------------------------------------------------------- */

static void add_counts(struct hk_run *run, enum hk_exactness exactness, const char *events,
                       double count, const char *exposure, uint32_t launches)
{
    run_make(run, "counts", note);
    for (uint32_t l = 0; l < launches; l++) {
        struct hk_launch *launch = run_add(run, "guest/underrun/x", l, exactness, events, count);
        assert_int_equal(hk_launch_add_counter(launch, exposure, 1000), HK_OK);
    }
}

static void counters_of_events_are_compared_exactly(void **state)
{
    (void)state;
    static const struct {
        enum hk_exactness exactness;
        const char *events, *exposure;
        double a, b;
        enum hk_paired_verdict verdict;
        const char *quantity;
        double ratio;
    } cases[] = {
        {HK_TIMED, "hk_underruns", "hk_wakeups", 4, 4, HK_PAIRED_UNKNOWN, "underruns", 1},
        {HK_TIMED, "hk_underruns", "hk_wakeups", 4, 16, HK_PAIRED_SLOWER, "underruns", 4},
        {HK_TIMED, "hk_stale", "hk_looks", 16, 4, HK_PAIRED_FASTER, "stale looks", 0.25},
        /* p = 0.0118 from one boot; two that repeat each other are no more than one */
        {HK_EXACT, "hk_underruns", "hk_wakeups", 4, 16, HK_PAIRED_SLOWER, "underruns", 4},
        {HK_EXACT, "hk_underruns", "hk_wakeups", 4, 11, HK_PAIRED_UNKNOWN, "underruns", 2.75},
        {HK_TIMED, "hk_underruns", "hk_wakeups", 0, 0, HK_PAIRED_UNKNOWN, "underruns", NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hk_run a, b;
        add_counts(&a, cases[i].exactness, cases[i].events, cases[i].a, cases[i].exposure, 2);
        add_counts(&b, cases[i].exactness, cases[i].events, cases[i].b, cases[i].exposure, 2);
        struct hk_comparison c = compare(&a, &b, &usual);
        const struct hk_finding *f = &c.findings[c.finding_count - 1];
        assert_string_equal(f->quantity, cases[i].quantity);
        assert_int_equal(f->basis, HK_BASIS_EVENTS);
        if (f->verdict != cases[i].verdict)
            fail_msg("%zu: %s, p %g", i, hk_paired_verdict_name(f->verdict), f->p);
        assert_int_equal(f->count_a, cases[i].exactness == HK_EXACT ? 1 : 2);
        assert_true(cases[i].a == 0 ? isnan(f->ratio) : fabs(f->ratio - cases[i].ratio) < 1e-12);
        assert_int_equal(cases[i].a > 0, f->detectable_ratio > 1);
        hk_comparison_fini(&c);
    }
}

/* A launch that failed, before one with a series of head-rooms. */
static void add_underruns(struct hk_run *run, double events)
{
    const double headroom_ns = 5000, periods = 1000;

    run_make(run, "counts", note);
    struct hk_launch *failed = run_add(run, "guest/underrun/x", 0, HK_TIMED, "hk_boots", 1);
    assert_int_equal(hk_launch_set_state(failed, HK_LAUNCH_FAILED, "it died"), HK_OK);
    struct hk_launch *held = run_add(run, "guest/underrun/x", 1, HK_EXACT, "hk_boots", 1);
    assert_int_equal(hk_launch_add_series(held, "underruns_count", &events, 1), HK_OK);
    assert_int_equal(hk_launch_add_series(held, "periods_count", &periods, 1), HK_OK);
    assert_int_equal(hk_launch_add_series(held, "headroom_ns", &headroom_ns, 1), HK_OK);
}

static void a_failed_launch_hides_no_events(void **state)
{
    struct hk_run a, b;

    (void)state;
    add_underruns(&a, 4);
    add_underruns(&b, 16);
    struct hk_comparison c = compare(&a, &b, &usual);
    const struct hk_finding *f = &c.findings[c.finding_count - 1];
    assert_string_equal(f->quantity, "underruns at 5000 ns");
    assert_int_equal(f->count_a, 1);
    assert_int_equal(f->count_b, 1);
    assert_true(f->p < 0.05);
    hk_comparison_fini(&c);
}

static void what_the_exact_test_does_not_take_is_said(void **state)
{
    struct hk_run a, b;

    (void)state;
    add_counts(&a, HK_EXACT, "hk_stale", 3e9, "hk_looks", 1);
    add_counts(&b, HK_EXACT, "hk_stale", 3e9, "hk_looks", 1);
    struct hk_comparison c = compare(&a, &b, &usual);
    const struct hk_finding *f = &c.findings[c.finding_count - 1];
    assert_string_equal(f->quantity, "stale looks");
    assert_true(isnan(f->p));
    assert_non_null(strstr(f->reason, "more than the exact test takes"));
    hk_comparison_fini(&c);
}

static void no_events_are_bounded_by_their_own_unit(void **state)
{
    struct hk_run a, b;

    (void)state;
    add_counts(&a, HK_EXACT, "hk_stale", 0, "hk_looks", 1);
    add_counts(&b, HK_EXACT, "hk_stale", 0, "hk_looks", 1);
    struct hk_comparison c = compare(&a, &b, &usual);
    assert_non_null(strstr(c.findings[c.finding_count - 1].reason, "per look"));
    hk_comparison_fini(&c);
}

/* Times beside the events, measured apart: all of them are tested together. */
static double detectable_beside(uint32_t times)
{
    const struct hk_rule rule = {.alpha = 0.05, .bound_ratio = 0.03, .drift_ratio = 0.01,
                                 .seed = 1};
    struct hk_run runs[2];
    double detectable = NAN;

    for (size_t side = 0; side < 2; side++) {
        run_make(&runs[side], "m", "");
        for (uint32_t l = 0; l < 3; l++) {
            struct hk_launch *launch =
                run_add(&runs[side], "native/a", l, HK_TIMED, "hk_underruns", 40 + l);
            assert_int_equal(hk_launch_add_counter(launch, "hk_wakeups", 1000), HK_OK);
        }
        for (uint32_t i = 0; i < times; i++) {
            char name[32];
            snprintf(name, sizeof name, "native/b/%02u", i);
            for (uint32_t l = 0; l < 3; l++)
                run_add(&runs[side], name, l, HK_TIMED, "cost_ns", 1000 + l);
        }
    }
    struct hk_comparison c = compare(&runs[0], &runs[1], &rule);
    for (size_t i = 0; i < c.finding_count; i++)
        if (c.findings[i].basis == HK_BASIS_EVENTS)
            detectable = c.findings[i].detectable_ratio;
    hk_comparison_fini(&c);
    return detectable;
}

static void times_apart_count_among_the_tests(void **state)
{
    (void)state;
    assert_true(detectable_beside(20) > detectable_beside(0));
}

/* --- more than times ------------------------------------------------------------------------------ */

static void make_tails(struct hk_run *run, size_t cells, double tail)
{
    char cell[32];

    run_make(run, "m", "");
    for (size_t c = 0; c < cells; c++) {
        snprintf(cell, sizeof cell, "native/x/n:%02zu", c);
        for (uint32_t l = 0; l < 20; l++) {
            const double wobble = 
                1 + 1e-3 * (double)((l * 13 + c * 7 + (tail > 1 ? 5 : 0)) % 11);
            struct hk_launch *launch = run_add(run, cell, l, HK_TIMED, "cost_ns", 1000 * wobble);
            assert_int_equal(hk_launch_add_counter(launch, "hk_latency_ns_p99",
                                                   3000 * wobble * (c == 0 ? tail : 1)), HK_OK);
        }
    }
}

/* Permutations enough for Holm over so many tests; and what can be found allows for them. */
static void a_tail_is_found_among_many_cells(void **state)
{
    (void)state;
    double finds[2];
    for (size_t many = 0; many < 2; many++) {
        struct hk_run a, b;
        struct hk_rule rule = usual;
        rule.paired = true;
        make_tails(&a, many ? 100 : 1, 1);
        make_tails(&b, many ? 100 : 1, 1.2);
        struct hk_comparison c = compare(&a, &b, &rule);
        assert_int_equal(c.finding_count, many ? 200 : 2);
        assert_string_equal(c.findings[1].quantity, "p99");
        assert_int_equal(c.findings[1].verdict, HK_PAIRED_SLOWER);
        assert_int_equal(c.verdict_count[HK_PAIRED_SLOWER], 1);
        assert_near(c.findings[1].b / c.findings[1].a, 1.2, 0.01);
        finds[many] = c.findings[0].detectable_ratio;
        assert_true(c.findings[1].detectable_ratio > 1.03);
        hk_comparison_fini(&c);
    }
    assert_true(finds[1] > finds[0]);
}

static void beside_times_only_the_rest_is_judged(void **state)
{
    (void)state;
    struct hk_run a, b, none;
    struct hk_comparison c;
    struct hk_rule bad = usual;
    bad.alpha = 0;
    make_tails(&a, 3, 1);
    make_tails(&b, 3, 1.2);
    assert_int_equal(hk_compare_beside(&a, &b, &usual, &c), HK_OK);
    assert_int_equal(c.finding_count, 3);
    assert_int_equal(c.findings[0].verdict, HK_PAIRED_SLOWER);
    assert_string_equal(c.findings[2].quantity, "p99");
    hk_comparison_fini(&c);
    run_make(&none, "m", "");
    assert_int_equal(hk_compare_beside(&a, &none, &usual, &c), HK_OK);
    assert_int_equal(c.finding_count, 0);
    hk_comparison_fini(&c);
    assert_refused(hk_compare_beside(&a, &b, &bad, &c), HK_EINVAL, &c);
    hk_run_fini(&a);
    hk_run_fini(&b);
    hk_run_fini(&none);
}

/* --- events behind times --------------------------------------------------------------------- */

/* A cell costs 100 ns, 800 a switch, 60 a system call of the client. */
static void make_events(struct hk_run *run, double switches_of_last, double unexplained)
{
    static const char *const others[] = {"hk_server_syscalls_per_op",
                                         "hk_client_page_faults_per_op"};
    char cell[32];

    run_make(run, "m", "");
    for (uint32_t c = 0; c < 16; c++) {
        const double switches = c == 15 ? switches_of_last : 2 + (c * 7) % 5;
        const double calls = 1 + (c * 5) % 7;
        snprintf(cell, sizeof cell, "native/cell/n:%02u", c);
        for (uint32_t l = 0; l < 10; l++) {
            const double wobble = 1 + 1e-4 * ((l * 13 + c * 7) % 10);
            const double ns = (100 + 800 * switches + 60 * calls + (c == 15 ? unexplained : 0));
            struct hk_launch *launch =
                run_add(run, cell, l, HK_TIMED, "cost_ns", ns * wobble);
            assert_int_equal(hk_launch_add_counter(launch, "hk_switches_per_op", switches), HK_OK);
            assert_int_equal(hk_launch_add_counter(launch, "hk_client_syscalls_per_op", calls),
                             HK_OK);
            for (size_t i = 0; i < 2; i++)
                assert_int_equal(hk_launch_add_counter(launch, others[i],
                                                       (double)((c * (3 + i)) % (4 + i))),
                                 HK_OK);
        }
    }
}

static void changed_times_are_explained_by_events(void **state)
{
    (void)state;
    static const struct {
        double switches, unexplained;
        const char *text;
        bool left;
    } cases[] = {{4, 0, "events explain +160", false},
                 {2, 900, "events explain +0 of +90", true}};
    for (size_t i = 0; i < 2; i++) {
        struct hk_run a, b;
        struct hk_rule rule = usual;
        struct hk_comparison c;
        char error[HK_TEXT_BYTES];
        rule.paired = true;
        make_events(&a, 2, 0);
        make_events(&b, cases[i].switches, cases[i].unexplained);
        assert_int_equal(hk_compare_runs(&a, &b, &rule, &c, error), HK_OK);
        assert_true(hk_compare_explain(&c, &a, &b));
        const struct hk_finding *f = &c.findings[15];
        assert_int_equal(f->verdict, HK_PAIRED_SLOWER);
        if (strncmp(f->reason, cases[i].text, strlen(cases[i].text)) != 0 ||
            (strstr(f->reason, "not explained") != NULL) != cases[i].left)
            fail_msg("%s", f->reason);
        assert_int_equal(f->cause_count, cases[i].switches == 4 ? 1 : 0);
        hk_comparison_fini(&c);
        hk_run_fini(&a);
        hk_run_fini(&b);
    }
}

static void too_few_cells_explain_nothing(void **state)
{
    (void)state;
    struct hk_run a, b;
    struct hk_rule rule = usual;
    rule.paired = true;
    make_times(&a, "m", 1, 10);
    make_times(&b, "m", 1.1, 10);
    struct hk_comparison c;
    char error[HK_TEXT_BYTES];
    assert_int_equal(hk_compare_runs(&a, &b, &rule, &c, error), HK_OK);
    assert_false(hk_compare_explain(&c, &a, &b));
    assert_int_equal(c.findings[0].cause_count, 0);
    hk_comparison_fini(&c);
    hk_run_fini(&a);
    hk_run_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_compared_as_integers),
        cmocka_unit_test(a_change_is_attributed),
        cmocka_unit_test(bad_functions_are_refused),
        cmocka_unit_test(times_get_a_verdict_or_a_reason),
        cmocka_unit_test(cells_without_a_partner_are_counted_or_missed),
        cmocka_unit_test(broken_launches_of_b_are_no_pass),
        cmocka_unit_test(nothing_in_common_and_bad_rules_are_refused),
        cmocka_unit_test(counters_of_events_are_compared_exactly),
        cmocka_unit_test(a_failed_launch_hides_no_events),
        cmocka_unit_test(what_the_exact_test_does_not_take_is_said),
        cmocka_unit_test(no_events_are_bounded_by_their_own_unit),
        cmocka_unit_test(times_apart_count_among_the_tests),
        cmocka_unit_test(a_tail_is_found_among_many_cells),
        cmocka_unit_test(beside_times_only_the_rest_is_judged),
        cmocka_unit_test(changed_times_are_explained_by_events),
        cmocka_unit_test(too_few_cells_explain_nothing),
    };
    hk_gsl_init();
    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
