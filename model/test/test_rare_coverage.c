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

static const struct row {
    enum rare_case problem;
    const char *method;
    double probability;
    uint64_t replicates; /* 2000 where that is cheap: the band is then three standard errors */
    size_t particles;    /* 0: the method's own */
} rows[] = {
    {CASE_EXPONENTIAL, "tilt", 1e-9, 2000, 0},
    {CASE_EXPONENTIAL, "tilt", 1e-12, 2000, 0},
    {CASE_ERLANG, "tilt", 1e-9, 2000, 0},
    {CASE_ERLANG, "tilt", 1e-12, 1000, 0},
    {CASE_ERLANG, "conditional-tilt", 1e-9, 2000, 0},
    {CASE_ERLANG, "conditional-tilt", 1e-12, 2000, 0},
    {CASE_ABSOLUTE, "conditional", 1e-9, 2000, 0},
    {CASE_ABSOLUTE, "conditional", 1e-12, 2000, 0},
    {CASE_D_M_1, "siegmund", 1e-9, 2000, 0},
    {CASE_D_M_1, "siegmund", 1e-12, 2000, 0},
    {CASE_ERLANG, "last-particle", 1e-9, 1000, 50},
    {CASE_ERLANG, "fixed-levels", 1e-12, 1000, 250},
};

static void intervals_cover(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const struct hk_rare_problem p = rare_case_at(row->problem, row->probability);
        struct hk_rare_plan plan;
        uint64_t hits = 0;
        assert_int_equal(hk_rare_plan_init(&p, hk_rare_method_find(row->method), 1, &plan), HK_OK);
        plan.particle_count = row->particles > 0 ? row->particles : plan.particle_count;
        for (uint64_t r = 0; r < row->replicates; r++) {
            struct hk_rare_total batch;
            struct hk_rare_estimate e;
            assert_int_equal(hk_rare_batch(&plan, 1, r, &batch), HK_OK);
            assert_int_equal(hk_rare_estimate(&plan, &batch, 0.95, &e), HK_OK);
            hits += e.interval.lower <= row->probability && row->probability <= e.interval.upper;
        }
        const double coverage = (double)hits / (double)row->replicates;
        print_message("%-12s %-16s %.0e  covers %.2f %% of %llu\n", rare_case_name(row->problem),
                      row->method, row->probability, 100 * coverage,
                      (unsigned long long)row->replicates);
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
