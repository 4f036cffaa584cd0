/* SPDX-License-Identifier: MIT */
/*
 * Phase-type laws: the time until a Markov chain of a few phases ends. Sums and
 * mixtures of exponentials are such laws, and their queues have closed forms by
 * the matrix exponential.
 */
#ifndef HK_MODEL_PHASE_TYPE_H
#define HK_MODEL_PHASE_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/model/delay_law.h"

#define HK_PHASES_MAX 16u

struct hk_phase_type {
    size_t count;
    double initial[HK_PHASES_MAX];                  /* sums to 1 */
    double generator[HK_PHASES_MAX][HK_PHASES_MAX]; /* per ns; rows sum to minus the exit rate */
};

/*
 * The sum of stage_count independent draws of an exponential or hyperexponential law.
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOTSUP for another law; HK_ETOOBIG beyond HK_PHASES_MAX phases.
 */
enum hk_status hk_phase_type_sum(const struct hk_delay_law *law, unsigned stage_count,
                                 struct hk_phase_type *out);

/*
 * Coxian law of two phases with a given mean and squared coefficient of variation.
 *
 * cv_squared  [in]  >= 0.5: two phases cannot vary less
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE below 0.5.
 * Source: Marie 1980 (Performance Evaluation Review 9(2)); at most two moments are matched.
 */
enum hk_status hk_phase_type_coxian(double mean_ns, double cv_squared, struct hk_phase_type *out);

/* Mean. Returns HK_OK; HK_EINVAL; HK_ENOISE for a singular generator. */
enum hk_status hk_phase_type_mean(const struct hk_phase_type *law, double *mean_ns);

/* P(D > x), x >= 0. Returns HK_OK; HK_EINVAL; HK_ENOMEM. Cost O(count^3). */
enum hk_status hk_phase_type_survival(const struct hk_phase_type *law, double x_ns,
                                      double *probability);

/* P(D - D' > h) for two independent draws, h >= 0. Returns as above. Cost O(count^6). */
enum hk_status hk_phase_type_difference(const struct hk_phase_type *law, double headroom_ns,
                                        double *probability);

/*
 * Sojourn in a stationary queue with this service: P(W + D > h).
 *
 * period_ns  [in]  time between arrivals; its mean if poisson
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE for a utilisation >= 1; HK_ENOISE if the fixed point of
 * the periodic queue was not reached; HK_ENOMEM.
 * Source: Asmussen & Albrecher 2010, Ruin Probabilities, IX.3 and IX.4: ladder heights of a
 * phase-type walk are phase-type with the same generator.
 */
enum hk_status hk_phase_type_queue(const struct hk_phase_type *law, double period_ns, bool poisson,
                                   double headroom_ns, double *probability);

/* A hyperexponential law found in a sample. */
struct hk_hyper_fit {
    struct hk_delay_law law;
    double log_likelihood;      /* of the two components */
    double log_likelihood_one;  /* of the best single exponential */
    double bic_gain;            /* > 0: the second component pays for its two parameters */
    unsigned iterations;
};

/*
 * Fit a mixture of two exponentials by expectation and maximisation.
 *
 * delay_ns  [in]  n finite values >= 0, not all 0
 * n         [in]  >= 100
 *
 * The longer mean is the rare component's, also where its share is the larger one. Values are
 * condensed to 512 groups of neighbours, the largest 256 kept as they are.
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE for fewer values, or where no second component is found;
 * HK_ENOMEM. Cost O(n log n) and milliseconds.
 */
enum hk_status hk_hyper_fit(const double *delay_ns, size_t n, struct hk_hyper_fit *out);

#endif
