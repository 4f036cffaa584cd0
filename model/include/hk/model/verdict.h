/* SPDX-License-Identifier: MIT */
/*
 * The verdict on a formula: does it hold within a margin on data it has not
 * seen, and if not, what is violated and what holds instead?
 *
 * Nothing here knows a formula: evidence goes in, a verdict comes out, so that
 * every formula, native or in the guest, is judged by the same rule.
 */
#ifndef HK_MODEL_VERDICT_H
#define HK_MODEL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/equivalence.h"
#include "hk/stats/estimate.h"

enum hk_verdict_kind {
    HK_VERDICT_INCONCLUSIVE,     /* the data cannot decide at this margin: not a pass */
    HK_VERDICT_HOLDS,            /* equivalent on held-out data, and no assumption violated */
    HK_VERDICT_REFUTED_REPLACED, /* off by more than the margin; a named model is not */
    HK_VERDICT_REFUTED,          /* off by more than the margin; nothing tried holds */
};

/* In what the error of a prediction is expressed. */
enum hk_error_scale {
    HK_ERROR_LN_RATIO, /* ln(predicted / measured): times, throughputs, jitter */
    HK_ERROR_LOG10,    /* log10(predicted / measured): probabilities, in decades */
};

/* One assumption of the formula, as measured apart from the formula's target. */
struct hk_assumption {
    const char *name;            /* "CV of lateness", "lag-1 autocorrelation" */
    const char *unit;            /* "" for a pure number */
    double expected;             /* what the formula assumes */
    double value;                /* what was measured */
    struct hk_interval interval; /* of the measured value */
    double tolerance;            /* largest |value - expected| that does not matter, >= 0 */
};

/* A model's performance on the held-out data. */
struct hk_model_result {
    const char *name;            /* "incremental hop", "GPD tail" */
    struct hk_equivalence error; /* on the scale and margin of the verdict */
};

/* Everything needed to decide; the arrays stay the caller's. */
struct hk_evidence {
    const char *formula; /* "F3" */
    const char *regime;  /* "native/same_core/idle" */
    enum hk_error_scale scale;
    struct hk_equivalence error; /* of the formula as the textbook has it */
    const struct hk_assumption *assumptions;
    size_t assumption_count;
    const struct hk_model_result *replacements; /* in order of preference: simplest first */
    size_t replacement_count;
    size_t sample_count; /* held-out observations behind the errors */
    /* Counted: the same on every machine. Every interval is a point, the worst observation's. F6 to
       F8 compare a law with the draws of one seed, and their margin covers how these differ. */
    bool exact;
};

struct hk_verdict {
    enum hk_verdict_kind kind;
    const char *formula;
    const char *regime;
    enum hk_error_scale scale;
    double margin;
    struct hk_equivalence error;
    bool has_cause;
    struct hk_assumption cause; /* the assumption violated most, relative to its tolerance */
    bool has_replacement;
    struct hk_model_result replacement;
    size_t sample_count;
    bool exact;
};

/*
 * Is an assumption violated, beyond doubt? Its whole interval lies farther from
 * the expected value than the tolerance.
 */
bool hk_assumption_violated(const struct hk_assumption *assumption);

/*
 * Decide.
 *
 * HOLDS         the error is EQUIVALENT and no assumption is violated.
 * REFUTED_*     the error is DIFFERENT; the first replacement that is EQUIVALENT
 *               at the same margin replaces it. The violated assumption with the
 *               largest effect is the cause.
 * INCONCLUSIVE  the error is UNDECIDED, or EQUIVALENT although an assumption is
 *               violated: agreement by luck is no evidence (the cause is named).
 *
 * evidence  [in]   strings and arrays outlive the verdict
 * out       [out]
 *
 * Returns HK_OK; HK_EINVAL for a null pointer, a margin that differs between the
 * formula and a replacement, a tolerance < 0 or a value that is not finite.
 */
enum hk_status hk_verdict_decide(const struct hk_evidence *evidence, struct hk_verdict *out);

/* "HOLDS", "REFUTED->REPLACED", "REFUTED" or "INCONCLUSIVE". */
const char *hk_verdict_kind_name(enum hk_verdict_kind kind);

/*
 * One line of text, e.g. (one line, folded here)
 *   F7 in native/other/idle: REFUTED->REPLACED, off by -8.10 decades [-8.31, -7.92]
 *   (margin 0.30 decades, n=30000); cause: CV of lateness 2.83 [2.2, 3.6] where 1 is
 *   assumed; GPD tail HOLDS, off by +0.15 decades [-0.02, +0.28]
 * Errors of HK_ERROR_LN_RATIO are shown in percent. An exact verdict says so, and no interval:
 *   F3 in guest/chain/registers: HOLDS, EXACT, off by +0.00 % at worst (margin 0.50 %, n=3)
 *
 * verdict  [in]
 * text     [out]  always terminated when bytes > 0 and HK_OK or HK_ENOSPC
 * bytes    [in]   size of text; 512 is enough for names of 60 characters
 *
 * Returns HK_OK; HK_EINVAL for a null pointer or bytes = 0; HK_ENOSPC if the line
 * was cut.
 */
enum hk_status hk_verdict_format(const struct hk_verdict *verdict, char *text, size_t bytes);

#endif
