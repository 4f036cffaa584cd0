/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/model/verdict.h"
#include "support.h"

static struct hk_equivalence error_of(double value, double half_width, double margin)
{
    const struct hk_interval interval = {value - half_width, value + half_width, 0.9};
    struct hk_equivalence e;
    assert_int_equal(hk_equivalence_from_interval(value, &interval, margin, &e), HK_OK);
    return e;
}

static const struct hk_assumption kept = {
    .name = "J_cc / J",
    .unit = "",
    .expected = 1.7320508,
    .value = 1.734,
    .interval = {1.726, 1.742, 0.95},
    .tolerance = 0.02,
};
static const struct hk_assumption broken = {
    .name = "CV of lateness",
    .unit = "",
    .expected = 1.0,
    .value = 2.83,
    .interval = {2.2, 3.6, 0.95},
    .tolerance = 0.1,
};
static const struct hk_assumption broken_a_little = {
    .name = "lag-1 autocorrelation",
    .unit = "",
    .expected = 0.0,
    .value = 0.21,
    .interval = {0.15, 0.27, 0.95},
    .tolerance = 0.1,
};

static struct hk_evidence evidence_of(struct hk_equivalence error)
{
    return (struct hk_evidence){
        .formula = "F7",
        .regime = "native/other/idle",
        .scale = HK_ERROR_LOG10,
        .error = error,
        .sample_count = 30000,
    };
}

static void the_four_verdicts(void **state)
{
    (void)state;
    const struct hk_model_result good = {"GPD tail", error_of(0.15, 0.1, 0.3)};
    const struct hk_model_result bad = {"lognormal", error_of(-2.0, 0.1, 0.3)};
    const struct hk_model_result replacements[] = {bad, good};
    const struct {
        struct hk_equivalence error;
        const struct hk_assumption *assumption;
        size_t replacement_count;
        enum hk_verdict_kind kind;
    } cases[] = {
        {error_of(0.05, 0.1, 0.3), &kept, 2, HK_VERDICT_HOLDS},
        {error_of(0.05, 0.1, 0.3), &broken, 2, HK_VERDICT_INCONCLUSIVE},
        {error_of(-8.1, 0.2, 0.3), &broken, 2, HK_VERDICT_REFUTED_REPLACED},
        {error_of(-8.1, 0.2, 0.3), &broken, 1, HK_VERDICT_REFUTED},
        {error_of(-8.1, 0.2, 0.3), &kept, 0, HK_VERDICT_REFUTED},
        {error_of(0.2, 0.2, 0.3), &kept, 2, HK_VERDICT_INCONCLUSIVE},
        {error_of(0.0, 1.0, 0.3), &kept, 2, HK_VERDICT_INCONCLUSIVE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hk_evidence evidence = evidence_of(cases[i].error);
        evidence.assumptions = cases[i].assumption;
        evidence.assumption_count = 1;
        evidence.replacements = replacements;
        evidence.replacement_count = cases[i].replacement_count;
        struct hk_verdict verdict;
        assert_int_equal(hk_verdict_decide(&evidence, &verdict), HK_OK);
        assert_int_equal(verdict.kind, cases[i].kind);
        assert_int_equal(verdict.has_cause, cases[i].assumption == &broken);
        assert_int_equal(verdict.has_replacement, verdict.kind == HK_VERDICT_REFUTED_REPLACED);
        if (verdict.has_replacement) {
            assert_string_equal(verdict.replacement.name, "GPD tail");
        }
    }
}

static void the_largest_violation_is_the_cause(void **state)
{
    (void)state;
    const struct hk_assumption assumptions[] = {kept, broken_a_little, broken};
    struct hk_evidence evidence = evidence_of(error_of(-8.1, 0.2, 0.3));
    evidence.assumptions = assumptions;
    evidence.assumption_count = 3;
    struct hk_verdict verdict;
    assert_int_equal(hk_verdict_decide(&evidence, &verdict), HK_OK);
    assert_true(verdict.has_cause);
    assert_string_equal(verdict.cause.name, "CV of lateness");
    assert_false(hk_assumption_violated(&kept));
    assert_true(hk_assumption_violated(&broken_a_little));
    /* an interval that reaches into the tolerance is no proof */
    struct hk_assumption doubtful = broken;
    doubtful.interval.lower = 1.05;
    assert_false(hk_assumption_violated(&doubtful));
}

static void a_verdict_is_one_line(void **state)
{
    (void)state;
    const struct hk_model_result good = {"GPD tail", error_of(0.15, 0.1, 0.3)};
    struct hk_evidence evidence = evidence_of(error_of(-8.1, 0.2, 0.3));
    evidence.assumptions = &broken;
    evidence.assumption_count = 1;
    evidence.replacements = &good;
    evidence.replacement_count = 1;
    struct hk_verdict verdict;
    char text[512];
    assert_int_equal(hk_verdict_decide(&evidence, &verdict), HK_OK);
    assert_int_equal(hk_verdict_format(&verdict, text, sizeof text), HK_OK);
    assert_string_equal(text,
                        "F7 in native/other/idle: REFUTED->REPLACED, off by -8.10 decades "
                        "[-8.30, -7.90] (margin 0.30 decades, n=30000); cause: CV of lateness "
                        "2.83 [2.2, 3.6] where 1 is assumed; GPD tail HOLDS, off by +0.15 "
                        "decades [+0.05, +0.25]");
    evidence = evidence_of(error_of(0.0, 0.01, 0.03));
    evidence.scale = HK_ERROR_LN_RATIO;
    evidence.formula = "F6";
    assert_int_equal(hk_verdict_decide(&evidence, &verdict), HK_OK);
    assert_int_equal(hk_verdict_format(&verdict, text, sizeof text), HK_OK);
    assert_string_equal(text, "F6 in native/other/idle: HOLDS, off by +0.0 % [-1.0, +1.0] "
                              "(margin 3.0 %, n=30000)");
}

/* Counted, not sampled: there is a worst value and no interval. */
static void an_exact_verdict_says_so(void **state)
{
    (void)state;
    const struct hk_model_result good = {"incremental hop", error_of(-1e-17, 0, 0.005)};
    struct hk_evidence evidence = evidence_of(error_of(0.0187, 0, 0.005));
    evidence.scale = HK_ERROR_LN_RATIO;
    evidence.exact = true;
    evidence.assumptions = &broken;
    evidence.assumption_count = 1;
    evidence.replacements = &good;
    evidence.replacement_count = 1;
    struct hk_verdict verdict;
    char text[512];
    assert_int_equal(hk_verdict_decide(&evidence, &verdict), HK_OK);
    assert_int_equal(hk_verdict_format(&verdict, text, sizeof text), HK_OK);
    assert_string_equal(text,
                        "F7 in native/other/idle: REFUTED->REPLACED, EXACT, off by +1.89 % at "
                        "worst (margin 0.50 %, n=30000); cause: CV of lateness 2.83 where 1 is "
                        "assumed; incremental hop HOLDS, off by +0.00 % at worst");
    evidence.scale = HK_ERROR_LOG10;
    assert_int_equal(hk_verdict_decide(&evidence, &verdict), HK_OK);
    assert_int_equal(hk_verdict_format(&verdict, text, sizeof text), HK_OK);
    assert_non_null(strstr(text, "EXACT, off by +0.019 decades at worst (margin 0.01 decades"));
}

static void a_short_buffer_is_cut_and_terminated(void **state)
{
    (void)state;
    struct hk_evidence evidence = evidence_of(error_of(-8.1, 0.2, 0.3));
    struct hk_verdict verdict;
    char whole[512];
    assert_int_equal(hk_verdict_decide(&evidence, &verdict), HK_OK);
    assert_int_equal(hk_verdict_format(&verdict, whole, sizeof whole), HK_OK);
    for (size_t bytes = 1; bytes <= strlen(whole) + 1; bytes++) {
        char text[512];
        memset(text, 'x', sizeof text);
        const enum hk_status expected = bytes == strlen(whole) + 1 ? HK_OK : HK_ENOSPC;
        assert_int_equal(hk_verdict_format(&verdict, text, bytes), expected);
        assert_int_equal(text[bytes], 'x');
        assert_true(strlen(text) < bytes);
        assert_memory_equal(text, whole, strlen(text));
    }
    assert_int_equal(hk_verdict_format(&verdict, whole, 0), HK_EINVAL);
    assert_int_equal(hk_verdict_format(NULL, whole, 8), HK_EINVAL);
}

static void bad_evidence_is_refused(void **state)
{
    (void)state;
    struct hk_verdict verdict;
    struct hk_model_result other_margin = {"GPD tail", error_of(0.15, 0.1, 0.4)};
    struct hk_assumption negative = kept;
    struct hk_evidence evidence = evidence_of(error_of(0.0, 0.1, 0.3));
    negative.tolerance = -1.0;
    evidence.replacements = &other_margin;
    evidence.replacement_count = 1;
    assert_refused(hk_verdict_decide(&evidence, &verdict), HK_EINVAL, &verdict);
    evidence.replacement_count = 0;
    evidence.assumptions = &negative;
    evidence.assumption_count = 1;
    assert_refused(hk_verdict_decide(&evidence, &verdict), HK_EINVAL, &verdict);
    negative = kept;
    negative.interval.upper = NAN;
    assert_refused(hk_verdict_decide(&evidence, &verdict), HK_EINVAL, &verdict);
    evidence.assumption_count = 0;
    evidence.formula = NULL;
    assert_refused(hk_verdict_decide(&evidence, &verdict), HK_EINVAL, &verdict);
    assert_refused(hk_verdict_decide(NULL, &verdict), HK_EINVAL, &verdict);
    assert_string_equal(hk_verdict_kind_name(HK_VERDICT_REFUTED_REPLACED), "REFUTED->REPLACED");
    assert_string_equal(hk_verdict_kind_name((enum hk_verdict_kind)9), "?");
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_verdicts),
        cmocka_unit_test(the_largest_violation_is_the_cause),
        cmocka_unit_test(a_verdict_is_one_line),
        cmocka_unit_test(an_exact_verdict_says_so),
        cmocka_unit_test(a_short_buffer_is_cut_and_terminated),
        cmocka_unit_test(bad_evidence_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
