/* SPDX-License-Identifier: MIT */
/*
 * Paired comparison of two configurations over launches.
 *
 * The values are one difference per launch, d_l = median over rounds of
 * ln(t_B) - ln(t_A): exp(d) - 1 is by how much B is slower. Repetitions inside a
 * launch are not replicates and do not belong here.
 */
#ifndef HK_STATS_PAIRED_H
#define HK_STATS_PAIRED_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

#define HK_WILCOXON_EXACT_MAX 50u
#define HK_PAIRED_COUNT_MAX 4096u

/*
 * Interval of the median of the differences by the sign test; no assumption but
 * independent launches.
 *
 * d           [in]   n finite values, any order
 * n           [in]   >= 6 at 95 %
 * confidence  [in]   inside (0, 1)
 * out         [out]  with the confidence really attained, >= the one asked for
 *
 * Returns HK_OK; HK_EINVAL for bad arguments; HK_ENOISE if n is too small for
 * the confidence; HK_ETOOBIG if n > HK_PAIRED_COUNT_MAX; HK_ENOMEM.
 * Source: Conover, Practical Nonparametric Statistics, section 3.2.
 */
enum hk_status hk_sign_interval(const double *d, size_t n, double confidence,
                                struct hk_interval *out);

/*
 * Sign test of differences against zero, exact; zeros are dropped.
 *
 * d          [in]   n >= 1 finite values
 * p_greater  [out]  against: differences are positive
 * p_less     [out]
 *
 * Returns HK_OK; HK_EINVAL. Without a difference both are 1.
 */
enum hk_status hk_sign_test(const double *d, size_t n, double *p_greater, double *p_less);

struct hk_wilcoxon {
    size_t count;       /* differences that are not zero */
    double statistic;   /* sum of the ranks of positive differences, midranks for ties */
    double p_two_sided;
    double p_greater;   /* against: differences are positive */
    double p_less;
    double location;    /* Hodges-Lehmann: median of the Walsh averages of all n */
    struct hk_interval interval; /* of the location, by order statistics of Walsh averages */
};

/*
 * Wilcoxon signed rank test of differences against zero, with the Hodges-Lehmann
 * estimate and its interval.
 *
 * d           [in]   n finite values
 * n           [in]   >= 6 at 95 %
 * confidence  [in]   of the interval, inside (0, 1)
 * out         [out]
 *
 * Exact up to HK_WILCOXON_EXACT_MAX differences, with ties too (the permutation
 * distribution of the midranks); normal with continuity and tie correction above.
 * Zeros are dropped from the test and kept in the location. If every difference
 * is zero, p is 1 and the interval is [0, 0].
 *
 * Returns HK_OK; HK_EINVAL for bad arguments; HK_ENOISE if n is too small for
 * the confidence; HK_ETOOBIG if n > HK_PAIRED_COUNT_MAX; HK_ENOMEM.
 * Cost O(n^2 log n).
 * Source: Hollander & Wolfe, Nonparametric Statistical Methods, sections 3.1-3.3.
 */
enum hk_status hk_wilcoxon_test(const double *d, size_t n, double confidence,
                                struct hk_wilcoxon *out);

enum hk_paired_test { HK_PAIRED_T, HK_PAIRED_WILCOXON, HK_PAIRED_SIGN };

/*
 * Smallest true difference that a comparison of n launches would find.
 *
 * sd     [in]   standard deviation of the differences (natural log), > 0
 * n      [in]   launches, >= 2
 * test   [in]   which test will decide; the ranks cost 4.5 %, the signs 36.3 % of n
 * alpha  [in]   two-sided level, inside (0, 1)
 * power  [in]   inside (0, 1)
 * delta  [out]  in the unit of sd
 *
 * Returns HK_OK; HK_EINVAL for bad arguments; HK_ENOISE if n < 2.
 */
enum hk_status hk_paired_detectable(double sd, size_t n, enum hk_paired_test test, double alpha,
                                    double power, double *delta);

/*
 * Probability that a comparison of n launches finds a true difference of delta.
 *
 * delta  [in]   >= 0, in the unit of sd
 * power  [out]  inverse of hk_paired_detectable
 *
 * Returns HK_OK; HK_EINVAL for bad arguments; HK_ENOISE if n < 2.
 */
enum hk_status hk_paired_power(double sd, size_t n, enum hk_paired_test test, double alpha,
                               double delta, double *power);

/*
 * Launches needed to find a difference of delta (same unit as sd).
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if more than HK_PAIRED_COUNT_MAX.
 */
enum hk_status hk_paired_count_needed(double sd, double delta, enum hk_paired_test test,
                                      double alpha, double power, size_t *n);

enum hk_paired_verdict {
    HK_PAIRED_UNKNOWN, /* the interval crosses the bound: more launches */
    HK_PAIRED_SAME,    /* equivalent within the practical bound */
    HK_PAIRED_SLOWER,  /* B costs more than A by more than the bound */
    HK_PAIRED_FASTER,
};

struct hk_paired_options {
    double alpha;               /* two-sided, inside (0, 0.5) */
    double practical_ratio;     /* bound eps >= 0: 0.03 is 3 % */
    enum hk_paired_test test;   /* HK_PAIRED_WILCOXON unless symmetry is doubtful */
};

struct hk_paired {
    enum hk_paired_verdict verdict;
    double log_ratio;            /* estimate of ln(B / A) */
    double ratio;                /* exp of it */
    struct hk_interval interval; /* of the log ratio, confidence >= 1 - alpha */
    double p_two_sided;          /* against no difference at all */
    double detectable_log_ratio; /* at power 0.8, from the sd of these launches */
    size_t count;
};

/*
 * Compare over launches and say SLOWER, FASTER, SAME or UNKNOWN.
 *
 * SLOWER or FASTER if the 1 - alpha interval lies wholly beyond the practical
 * bound; SAME if the 1 - 2 alpha interval lies wholly within it (two one-sided
 * tests); UNKNOWN otherwise. With a bound of 0, SAME cannot be.
 *
 * d    [in]   n natural log ratios within +-700, one per launch
 * out  [out]
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n is too small for alpha; HK_ETOOBIG; HK_ENOMEM.
 * Source: Schuirmann 1987; Kalibera & Jones 2013 (launches as replicates).
 */
enum hk_status hk_paired_compare(const double *d, size_t n,
                                 const struct hk_paired_options *options, struct hk_paired *out);

/* "SLOWER", "FASTER", "SAME" or "UNKNOWN". */
const char *hk_paired_verdict_name(enum hk_paired_verdict verdict);

#endif
