/* SPDX-License-Identifier: MIT */
/* Equivalence within a margin: two one-sided tests. */
#ifndef HK_STATS_EQUIVALENCE_H
#define HK_STATS_EQUIVALENCE_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

enum hk_equivalence_outcome {
    HK_EQUIVALENCE_UNDECIDED,  /* the interval crosses a margin: not a pass */
    HK_EQUIVALENCE_EQUIVALENT, /* wholly inside [-margin, margin] */
    HK_EQUIVALENCE_DIFFERENT,  /* wholly outside */
};

struct hk_equivalence {
    enum hk_equivalence_outcome outcome;
    double value;                /* mean, e.g. of ln(predicted / measured) */
    double margin;
    struct hk_interval interval; /* 1 - 2 alpha */
    double p_equivalence;        /* larger of the two one-sided p */
    size_t count;                /* replicates; 0 when judged from an interval */
};

/*
 * Two one-sided t tests of the mean of log ratios.
 *
 * log_ratios  [in]   n finite values, one per replicate (launch or cell)
 * n           [in]   >= 3
 * margin      [in]   > 0, same unit: 0.03 for 3 %
 * alpha       [in]   each side, inside (0, 0.5); 0.05 makes a 90 % interval
 * out         [out]
 *
 * Identical values have no spread and are judged as they stand (p 0 or 1).
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 3.
 * Source: Schuirmann 1987 (J. Pharmacokinetics and Biopharmaceutics 15(6)).
 */
enum hk_status hk_equivalence_test(const double *log_ratios, size_t n, double margin,
                                   double alpha, struct hk_equivalence *out);

/*
 * The same decision from an interval obtained otherwise (bootstrap, profile
 * likelihood, order statistics). p_equivalence is not known then: it is 0 for
 * EQUIVALENT and 1 otherwise.
 *
 * value     [in]  point estimate, inside the interval
 * interval  [in]  of confidence 1 - 2 alpha
 *
 * Returns HK_OK; HK_EINVAL if margin <= 0 or the interval is empty or not finite.
 */
enum hk_status hk_equivalence_from_interval(double value, const struct hk_interval *interval,
                                            double margin, struct hk_equivalence *out);

/*
 * Replicates for two one-sided tests to succeed when the truth is 0.
 *
 * sd, margin  [in]   same unit, > 0
 * power       [in]   inside (0, 1)
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE beyond 10^9.
 */
enum hk_status hk_equivalence_count_needed(double sd, double margin, double alpha, double power,
                                           size_t *n);

/* "EQUIVALENT", "DIFFERENT" or "UNDECIDED". */
const char *hk_equivalence_outcome_name(enum hk_equivalence_outcome outcome);

#endif
