/* SPDX-License-Identifier: MIT */
/*
 * Do the 95 % intervals of the estimators cover in 93.6 to 96.4 % of at least 1000 replicates? An
 * interval that claims too much is how a wrong estimator passes for a good one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "rare_cases.h"
#include "support.h"

/*
 * The seeds are fixed, so that a row either always passes or never does. What could be luck is that
 * these seeds pass: 4000 replicates of an interval that covers 92.3 % reach 93.6 in one of a
 * thousand tries, one that covers 95 leaves the band in one of ten thousand. To be seen as surely with
 * 2000, one must cover 91.7 % at most; with 1000, as a row of splitting or of an Erlang tilt has, 90.8.
 */
static const uint64_t seeds[] = {1, 20261130};

static const struct row {
    enum rare_case problem;
    const char *method;
    double probability;
    uint64_t replicates; /* of each seed */
    size_t particles;    /* 0: the method's own */
} rows[] = {
    {CASE_EXPONENTIAL, "tilt", 1e-9, 1000, 0},
    {CASE_EXPONENTIAL, "tilt", 1e-12, 1000, 0},
    {CASE_ERLANG, "tilt", 1e-9, 1000, 0},
    {CASE_ERLANG, "tilt", 1e-12, 500, 0},
    {CASE_ERLANG, "conditional-tilt", 1e-9, 1000, 0},
    {CASE_ERLANG, "conditional-tilt", 1e-12, 1000, 0},
    {CASE_ABSOLUTE, "conditional", 1e-9, 1000, 0},
    {CASE_ABSOLUTE, "conditional", 1e-12, 1000, 0},
    {CASE_D_M_1, "siegmund", 1e-9, 1000, 0},
    {CASE_D_M_1, "siegmund", 1e-12, 1000, 0},
    {CASE_LOMAX_SUM, "asmussen-kroese", 1e-9, 2000, 0},
    {CASE_LOMAX_SUM, "asmussen-kroese", 1e-12, 2000, 0},
    {CASE_LOMAX_HEAVIER_SUM, "asmussen-kroese", 1e-9, 2000, 0},
    {CASE_WEIBULL_SUM, "asmussen-kroese", 1e-9, 2000, 0},
    {CASE_WEIBULL_SUM, "asmussen-kroese", 1e-12, 2000, 0},
    {CASE_WEIBULL_LIGHTER_SUM, "asmussen-kroese", 1e-9, 2000, 0},
    {CASE_ERLANG, "last-particle", 1e-9, 500, 50},
    {CASE_ERLANG, "fixed-levels", 1e-12, 500, 150},
};

static uint64_t count_hits(const struct row *row, const struct hk_rare_problem *problem,
                           uint64_t seed)
{
    struct hk_rare_plan plan;
    uint64_t hits = 0;
    assert_int_equal(hk_rare_plan_init(problem, hk_rare_method_find(row->method), seed, &plan),
                     HK_OK);
    plan.particle_count = row->particles > 0 ? row->particles : plan.particle_count;
    for (uint64_t r = 0; r < row->replicates; r++) {
        struct hk_rare_total batch;
        struct hk_rare_estimate e;
        assert_int_equal(hk_rare_batch(&plan, seed, r, &batch), HK_OK);
        assert_int_equal(hk_rare_estimate(&plan, &batch, 0.95, &e), HK_OK);
        hits += e.interval.lower <= row->probability && row->probability <= e.interval.upper;
    }
    return hits;
}

static void intervals_cover(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const struct hk_rare_problem p = rare_case_at(row->problem, row->probability);
        const uint64_t n = HK_ARRAY_COUNT(seeds) * row->replicates;
        uint64_t hits = 0;
        for (size_t s = 0; s < HK_ARRAY_COUNT(seeds); s++) {
            hits += count_hits(row, &p, seeds[s]);
        }
        const double coverage = (double)hits / (double)n;
        print_message("%-17s %-16s %.0e  covers %.2f %% of %llu\n", rare_case_name(row->problem),
                      row->method, row->probability, 100 * coverage, (unsigned long long)n);
        if (coverage < 0.936 || coverage > 0.964) {
            fail_msg("%s by %s at %g: covers %g", rare_case_name(row->problem), row->method,
                     row->probability, coverage);
        }
    }
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
