/* SPDX-License-Identifier: MIT */
/*
 * F6: RMS jitter of a periodic wake-up, J = delta sqrt 2.
 *
 * Absolute timer: wake-up n comes at nT + d0 + D_n. Period P_n = T + D_n - D_(n-1),
 * J = RMS(P_n - T). The square root of two comes from differencing two independent
 * delays; the exponential law enters only as sigma = delta. In general
 * J = sigma sqrt(2 (1 - rho_1)). Lateness comes from runs A, J from runs B.
 */
#ifndef HK_MODEL_JITTER_H
#define HK_MODEL_JITTER_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/bootstrap.h"
#include "hk/stats/estimate.h"
#include "hk/stats/fit_test.h"
#include "hk/stats/rng.h"

/* What a lateness log (run A) says. */
struct hk_lateness {
    size_t count;
    double d0_ns;    /* minimum: the constant part */
    double delta_ns; /* mean - d0 */
    double sigma_ns;
    double cv;       /* sigma / delta: 1 for the exponential law */
    double rho1;
    struct hk_interval cv_interval;   /* block bootstrap */
    struct hk_interval rho1_interval;
    struct hk_fit_test exponential;   /* distance from the shifted exponential */
    size_t block_count;               /* values per block */
    double textbook_ns;               /* F6: delta sqrt 2 */
    struct hk_interval textbook_interval_ns;
    double dependent_ns;              /* sigma sqrt(2 (1 - rho_1)) */
    struct hk_interval dependent_interval_ns;
};

/*
 * Analyse lateness in time order.
 *
 * lateness_ns  [in]  n finite values >= 0, one launch
 * n            [in]  >= 100
 * options      [in]  of the block bootstrap
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 100 or the log is constant; HK_ENOMEM.
 * Cost O(n log n + replicates * n / block).
 */
enum hk_status hk_lateness_analyse(const double *lateness_ns, size_t n,
                                   const struct hk_bootstrap_options *options,
                                   struct hk_rng *rng, struct hk_lateness *out);

/* A prediction of J with its interval. */
struct hk_jitter_forecast {
    double jitter_ns;
    struct hk_interval interval_ns;
};

/*
 * Foretell J of the periods that follow a log. So few have an error of their own beside that of
 * the log: the intervals are of the J that will be measured, not of the law's. They are those of
 * hk_bootstrap_next over neighbouring delays; the textbook's is the same about its own value.
 *
 * lateness_ns  [in]   n finite values >= 0 in time order, one launch
 * n            [in]   >= 100
 * next_count   [in]   periods that follow, >= 1
 * options      [in]   of the block bootstrap
 * textbook     [out]  delta sqrt 2
 * dependent    [out]  sigma sqrt(2 (1 - rho_1))
 *
 * Returns as hk_lateness_analyse.
 */
enum hk_status hk_jitter_foretell(const double *lateness_ns, size_t n, size_t next_count,
                                  const struct hk_bootstrap_options *options, struct hk_rng *rng,
                                  struct hk_jitter_forecast *textbook,
                                  struct hk_jitter_forecast *dependent);

/* F6 as the textbook has it. HK_EINVAL if delta is negative or not finite. */
enum hk_status hk_jitter_textbook(double delta_ns, double *jitter_ns);

/* sigma sqrt(2 (1 - rho_1)). HK_EINVAL if sigma < 0 or rho is outside [-1, 1]. */
enum hk_status hk_jitter_dependent(double sigma_ns, double rho1, double *jitter_ns);

/*
 * Relative timer, the next wake-up counted from the last: sqrt(sigma^2 + delta^2). Also
 * delta sqrt 2 for an exponential law, and a trap: constants do not drop out of delta.
 * HK_EINVAL if a value is negative or not finite.
 */
enum hk_status hk_jitter_relative(double delta_ns, double sigma_ns, double *jitter_ns);

/*
 * J_cc / J of delays with autocorrelations rho_1 and rho_2:
 * sqrt((6 - 8 rho_1 + 2 rho_2) / (2 - 2 rho_1)); sqrt 3 for independent ones.
 *
 * Returns HK_OK; HK_EINVAL if a correlation is outside [-1, 1]; HK_ERANGE if rho_1 = 1
 * or no series has these two.
 */
enum hk_status hk_jitter_cycle_law(double rho1, double rho2, double *ratio);

/*
 * Periods per run for two one-sided tests of J / (delta sqrt 2), J and delta from
 * separate runs of exponential delays: sd of the log ratio is sqrt(9/4 + 1) / sqrt n.
 *
 * margin  [in]  0.03 for 3 %; alpha, power as hk_equivalence_count_needed
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE beyond 10^9.
 */
enum hk_status hk_jitter_count_needed(double margin, double alpha, double power, size_t *n);

/* What the intervals between wake-ups (run B) say. */
struct hk_jitter {
    size_t count;
    double rms_ns;                 /* J */
    struct hk_interval rms_interval_ns;
    double trimmed_rms_ns;         /* without the top 0.1 % of |P - T| */
    double top_share_ratio;        /* share of J^2 that the top 0.1 % carry */
    double cycle_ratio;            /* J_cc / J: sqrt 3 for any independent delays */
    struct hk_interval cycle_ratio_interval;
    double rho1;                   /* of the periods: -1/2 for independent delays */
    struct hk_interval rho1_interval;
    double relative_error_se;      /* standard error of ln J */
    size_t block_count;
};

/*
 * Analyse measured periods in time order.
 *
 * period_ns   [in]  n finite values, one launch; skipped periods taken out before
 * n           [in]  >= 100
 * nominal_ns  [in]  T, > 0
 * options     [in]  of the block bootstrap
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 100 or the periods are constant; HK_ENOMEM.
 */
enum hk_status hk_jitter_analyse(const double *period_ns, size_t n, double nominal_ns,
                                 const struct hk_bootstrap_options *options,
                                 struct hk_rng *rng, struct hk_jitter *out);

#endif
