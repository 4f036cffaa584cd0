/* SPDX-License-Identifier: MIT */
/* The plan of a comparison measured now, over made-up launches: looks, early ends, confirmation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "compare_now.h"
#include "abba.h"
#include "progress.h"
#include "support.h"

enum { CELLS = 3, TRIALS = 80, LAUNCHES_MAX = 30 };

/* A sanitizer makes resampling several times slower. */
#if defined(__SANITIZE_ADDRESS__)
enum { BESIDE_TRIALS = 8 };
#else
enum { BESIDE_TRIALS = 24 };
#endif

static const uint64_t first_seed = 7;

/* What the made-up machine does. */
static struct {
    struct hk_noise_source noise;
    double effect[CELLS]; /* ln(B / A) */
    double tail[CELLS];   /* the same of the 99 % quantile alone */
    double misses[CELLS]; /* underruns per thousand periods of B; A has one */
    bool passes;          /* effects are gone when launches are repeated */
    bool broken;          /* the last cell never gives a value */
    bool silent;          /* launches say nothing beside their time */
    bool counts;          /* they count their events */
    size_t launches;
} machine;

/* Nothing is drawn in a test. */
void hk_progress_init(struct hk_progress *progress) { (void)progress; }
void hk_progress_fini(struct hk_progress *progress) { (void)progress; }
void hk_progress_show(struct hk_progress *progress, uint64_t done, uint64_t total,
                      const char *what)
{
    (void)progress, (void)done, (void)total, (void)what;
}

static enum hk_status open_made_up(struct hk_now *now, char error[HK_TEXT_BYTES])
{
    char cell[32];

    (void)error;
    for (size_t i = 0; i < CELLS; i++) {
        snprintf(cell, sizeof cell, "sim/cell/n:%zu", i);
        assert_non_null(hk_now_find(now, cell));
    }
    return HK_OK;
}

static void count(struct hk_launch *launch, const char *name, double value)
{
    assert_int_equal(hk_launch_add_counter(launch, name, value), HK_OK);
}

/* What a launch of a cell counts: a switch costs 800 ns, and is all that B has more. */
static void count_events(struct hk_launch *launch, size_t cell, double more)
{
    count(launch, "hk_switches_per_op", 2 + (double)((cell * 7) % 5) + more);
    count(launch, "hk_client_syscalls_per_op", 1 + (double)((cell * 5) % 7));
    count(launch, "hk_server_syscalls_per_op", (double)((cell * 3) % 4));
    count(launch, "hk_client_page_faults_per_op", (double)(cell % 3));
}

/* Both launches share what disturbs them; their quantiles also have noise of their own. */
static void keep_launches(struct hk_now *now, size_t cell, bool gone, double b_ns)
{
    const double common = hk_noise_next(&machine.noise);
    struct hk_launch launches[2];

    for (size_t side = 0; side < 2; side++) {
        struct hk_launch *l = &launches[side];
        const double tail = side == 1 && !gone ? machine.tail[cell] : 0;
        const double rate = side == 1 && !gone ? machine.misses[cell] : 1;
        double misses = 0;
        assert_int_equal(hk_launch_init(l, now->series[cell].pairs.cell, 0, 1), HK_OK);
        count(l, "cost_ns", side == 1 ? b_ns : 1000);
        count(l, "hk_latency_ns_p50", 900 * exp(0.01 * (common + hk_noise_next(&machine.noise))));
        count(l, "hk_latency_ns_p99",
              2000 * exp(0.03 * (common + hk_noise_next(&machine.noise)) + tail));
        for (int period = 0; period < 300; period++)
            misses += hk_rng_uniform(machine.noise.rng) < rate / 1000;
        count(l, "hk_underruns", misses);
        count(l, "hk_wakeups", 300);
        if (machine.counts)
            count_events(l, cell, side == 1 ? machine.effect[cell] : 0);
    }
    assert_int_equal(hk_now_keep(now, &launches[0], &launches[1]), HK_OK);
}

/* Twelve more cells of A. */
static enum hk_status measure_others(struct hk_now *now, struct hk_run *run)
{
    char cell[32];

    (void)now;
    for (size_t i = CELLS; machine.counts && i < CELLS + 12; i++) {
        struct hk_launch l;
        snprintf(cell, sizeof cell, "sim/cell/n:%zu", i);
        assert_int_equal(hk_launch_init(&l, cell, 0, 1), HK_OK);
        count_events(&l, i, 0);
        count(&l, "cost_ns", (100 + 800 * (2 + (double)((i * 7) % 5)) +
                              60 * (1 + (double)((i * 5) % 7))) * (1 + 1e-3 * (double)(i % 4)));
        assert_int_equal(hk_now_append(run, &l), HK_OK);
    }
    return HK_OK;
}

static enum hk_status measure_made_up(struct hk_now *now, uint64_t seed, uint32_t index,
                                      char error[HK_TEXT_BYTES])
{
    (void)index, (void)error;
    for (size_t i = 0; i < CELLS; i++) {
        struct hk_now_series *s = &now->series[i];
        double a_ns = 1000, b_ns = 1000, log_ratio;
        const struct hk_pairs one = {.log_ratio = &log_ratio, .a_ns = &a_ns, .b_ns = &b_ns};
        if (s->closed)
            continue;
        if (machine.broken && i == CELLS - 1) {
            s->failure_count++;
            snprintf(s->failure, sizeof s->failure, "it is broken");
            continue;
        }
        const bool gone = seed != first_seed && machine.passes;
        abba_launches(&machine.noise, gone ? 0 : machine.effect[i], 0.02, &log_ratio, 1);
        b_ns = a_ns * exp(log_ratio);
        if (hk_now_add(s, &one) != HK_OK)
            return HK_ENOMEM;
        if (!machine.silent)
            keep_launches(now, i, gone, b_ns);
        machine.launches++;
    }
    return HK_OK;
}

static const struct hk_now_source made_up = {"made-up launches", open_made_up, measure_made_up,
                                             measure_others};

static const struct hk_finding *finding_of(const struct hk_comparison *c, size_t cell,
                                           const char *quantity)
{
    char name[32];

    snprintf(name, sizeof name, "sim/cell/n:%zu", cell);
    for (size_t i = 0; i < c->finding_count; i++)
        if (strcmp(c->findings[i].cell, name) == 0 &&
            strcmp(c->findings[i].quantity, quantity) == 0)
            return &c->findings[i];
    fail_msg("no %s of %s", quantity, name);
    return NULL;
}

static struct hk_comparison compare(double bound)
{
    const struct hk_rule rule = {.alpha = 0.05, .bound_ratio = bound};
    struct hk_now_plan plan = {.now = {.seed = first_seed}, .source = &made_up, .rule = &rule,
                               .launches_max = LAUNCHES_MAX, .looks = 3};
    struct hk_comparison c;
    char error[HK_TEXT_BYTES];

    machine.launches = 0;
    assert_int_equal(hk_now_compare(&plan, &c, error), HK_OK);
    return c;
}

static void set_machine(enum hk_noise kind, double effect)
{
    hk_rng_destroy(machine.noise.rng);
    memset(&machine, 0, sizeof machine);
    machine.noise = (struct hk_noise_source){.noise = kind, .rng = test_rng(900 + kind)};
    machine.effect[0] = effect;
    for (size_t i = 0; i < CELLS; i++)
        machine.misses[i] = 1;
}

/* Three cells, three looks, five kinds of noise: one error rate. */
static void looking_thrice_at_equal_builds_keeps_alpha(void **state)
{
    (void)state;
    for (enum hk_noise k = 0; k < HK_NOISE_COUNT; k++) {
        size_t slower = 0, changed = 0;
        uint64_t low, high;
        set_machine(k, 0);
        machine.silent = true;
        for (int i = 0; i < TRIALS; i++) {
            struct hk_comparison c = compare(0);
            slower += c.verdict_count[HK_PAIRED_SLOWER] > 0;
            changed += c.verdict_count[HK_PAIRED_SLOWER] + c.verdict_count[HK_PAIRED_FASTER] > 0;
            hk_comparison_fini(&c);
        }
        assert_int_equal(hk_binomial_band(TRIALS, 0.05, 0.999, &low, &high), HK_OK);
        print_message("%-10s changed %zu, of these slower and confirmed %zu, of %d; %llu allowed\n",
                      hk_noise_name(k), changed, slower, TRIALS, (unsigned long long)high);
        assert_true(changed <= high && slower <= changed);
    }
}

/* Times and what stands beside them share one alpha. */
static void quantiles_and_counts_keep_alpha_too(void **state)
{
    (void)state;
    for (enum hk_noise k = 0; k < HK_NOISE_COUNT; k++) {
        size_t changed = 0;
        uint64_t low, high;
        set_machine(k, 0);
        for (int i = 0; i < BESIDE_TRIALS; i++) {
            struct hk_comparison c = compare(0);
            assert_int_equal(c.finding_count, 4 * CELLS); /* time, p50, p99, underruns */
            changed += c.verdict_count[HK_PAIRED_SLOWER] + c.verdict_count[HK_PAIRED_FASTER] > 0;
            hk_comparison_fini(&c);
        }
        assert_int_equal(hk_binomial_band(BESIDE_TRIALS, 0.05, 0.999, &low, &high), HK_OK);
        print_message("%-10s changed %zu of %d; %llu allowed\n", hk_noise_name(k), changed,
                      BESIDE_TRIALS, (unsigned long long)high);
        assert_true(changed <= high);
    }
}

static void a_tail_alone_is_found_and_confirmed(void **state)
{
    (void)state;
    size_t found = 0, times = 0;
    set_machine(HK_NOISE_INDEPENDENT, 0);
    machine.tail[1] = 0.20;
    for (int i = 0; i < BESIDE_TRIALS; i++) {
        struct hk_comparison c = compare(0.03);
        const struct hk_finding *tail = finding_of(&c, 1, "p99");
        found += tail->verdict == HK_PAIRED_SLOWER &&
                 strstr(tail->reason, "confirmed by") != NULL;
        times += finding_of(&c, 1, "time")->verdict == HK_PAIRED_SLOWER;
        assert_true(finding_of(&c, 0, "p99")->verdict != HK_PAIRED_SLOWER);
        hk_comparison_fini(&c);
    }
    print_message("p99 +22 %%: %zu of %d\n", found, BESIDE_TRIALS);
    assert_true(found >= BESIDE_TRIALS * 90 / 100 && times == 0);
}

static void underruns_alone_are_found_and_confirmed(void **state)
{
    (void)state;
    size_t found = 0;
    set_machine(HK_NOISE_INDEPENDENT, 0);
    machine.misses[2] = 20;
    for (int i = 0; i < BESIDE_TRIALS; i++) {
        struct hk_comparison c = compare(0.03);
        const struct hk_finding *f = finding_of(&c, 2, "underruns");
        found += f->verdict == HK_PAIRED_SLOWER && f->basis == HK_BASIS_EVENTS;
        hk_comparison_fini(&c);
    }
    print_message("underruns twenty times: %zu of %d\n", found, BESIDE_TRIALS);
    assert_true(found >= BESIDE_TRIALS * 80 / 100);
}

static void a_tail_that_does_not_recur_is_not_confirmed(void **state)
{
    (void)state;
    set_machine(HK_NOISE_INDEPENDENT, 0);
    machine.tail[1] = 0.40;
    machine.passes = true;
    struct hk_comparison c = compare(0.03);
    const struct hk_finding *f = finding_of(&c, 1, "p99");
    assert_int_equal(f->verdict, HK_PAIRED_UNKNOWN);
    assert_non_null(strstr(f->reason, "not confirmed"));
    hk_comparison_fini(&c);
}

static void a_changed_time_is_explained_by_its_events(void **state)
{
    (void)state;
    for (int counted = 0; counted < 2; counted++) {
        size_t said = 0;
        set_machine(HK_NOISE_INDEPENDENT, 0.3);
        machine.counts = counted == 1;
        struct hk_comparison c = compare(0.03);
        const struct hk_finding *f = finding_of(&c, 0, "time");
        assert_int_equal(f->verdict, HK_PAIRED_SLOWER);
        assert_non_null(strstr(f->reason, "confirmed by"));
        for (size_t i = 0; i < c.caveat_count; i++)
            said += strstr(c.caveats[i], "comes from is not known") != NULL;
        assert_int_equal(said, counted == 0);
        assert_int_equal(strstr(f->reason, "events explain") != NULL, counted == 1);
        assert_int_equal(f->cause_count, counted);
        if (counted)
            assert_string_equal(f->causes[0].what, "event switches");
        hk_comparison_fini(&c);
    }
}

static void a_slowdown_is_found_before_the_plan_ends_and_confirmed(void **state)
{
    (void)state;
    size_t found = 0, launches = 0, others = 0;
    set_machine(HK_NOISE_INDEPENDENT, 0.10);
    machine.silent = true;
    for (int i = 0; i < TRIALS; i++) {
        struct hk_comparison c = compare(0.03);
        found += c.findings[0].verdict == HK_PAIRED_SLOWER &&
                 strstr(c.findings[0].reason, "confirmed by") != NULL;
        others += c.findings[1].verdict == HK_PAIRED_SLOWER;
        launches += machine.launches;
        hk_comparison_fini(&c);
    }
    print_message("10 %%: %zu of %d, with %.1f launches of %d\n", found, TRIALS,
                  (double)launches / TRIALS, CELLS * LAUNCHES_MAX);
    assert_true(found >= TRIALS * 98 / 100 && others == 0);
    assert_true(launches < (size_t)TRIALS * CELLS * LAUNCHES_MAX);
}

static void what_does_not_recur_is_not_confirmed(void **state)
{
    (void)state;
    set_machine(HK_NOISE_INDEPENDENT, 0.10);
    machine.passes = machine.silent = true;
    struct hk_comparison c = compare(0.03);
    assert_int_equal(c.findings[0].verdict, HK_PAIRED_UNKNOWN);
    assert_non_null(strstr(c.findings[0].reason, "not confirmed"));
    assert_int_equal(hk_comparison_verdict(&c), HK_PAIRED_UNKNOWN);
    hk_comparison_fini(&c);
}

static void a_broken_cell_is_unknown_with_its_reason(void **state)
{
    (void)state;
    set_machine(HK_NOISE_INDEPENDENT, 0);
    machine.broken = machine.silent = true;
    struct hk_comparison c = compare(0.10);
    assert_int_equal(c.findings[0].verdict, HK_PAIRED_SAME);
    assert_int_equal(c.findings[2].verdict, HK_PAIRED_UNKNOWN);
    assert_string_equal(c.findings[2].reason, "it is broken");
    assert_int_equal(hk_comparison_verdict(&c), HK_PAIRED_UNKNOWN);
    hk_comparison_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_thrice_at_equal_builds_keeps_alpha),
        cmocka_unit_test(quantiles_and_counts_keep_alpha_too),
        cmocka_unit_test(a_tail_alone_is_found_and_confirmed),
        cmocka_unit_test(underruns_alone_are_found_and_confirmed),
        cmocka_unit_test(a_tail_that_does_not_recur_is_not_confirmed),
        cmocka_unit_test(a_changed_time_is_explained_by_its_events),
        cmocka_unit_test(a_slowdown_is_found_before_the_plan_ends_and_confirmed),
        cmocka_unit_test(what_does_not_recur_is_not_confirmed),
        cmocka_unit_test(a_broken_cell_is_unknown_with_its_reason),
    };
    hk_gsl_init();
    const int failed = cmocka_run_group_tests_name("compare/now", tests, NULL, NULL);
    hk_rng_destroy(machine.noise.rng);
    return failed;
}
