/* SPDX-License-Identifier: MIT */
/*
 * F8: a fast path in the kernel that may answer with old state.
 *
 * A share f of the requests is eligible. Every request pays the probe t_0, an
 * eligible one t_f instead of the slow path T_u:
 *   E[T] = t_0 + f t_f + (1 - f) T_u,    gain G = f (T_u - t_f) - t_0.
 * The kernel's copy becomes current a delay d after the server's commit. How often
 * an answer is stale depends on what "stale" means and on the law of d; the laws
 * below assume requests independent of updates (else PASTA is broken).
 */
#ifndef HK_MODEL_STALENESS_H
#define HK_MODEL_STALENESS_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

/* A law of times >= 0: of the delay from commit to visible, or between updates. */
enum hk_time_law_kind {
    HK_TIME_CONSTANT,
    HK_TIME_EXPONENTIAL,
    HK_TIME_LOGNORMAL,
    HK_TIME_EMPIRICAL, /* a measured sample, each value equally likely */
};

struct hk_time_law {
    enum hk_time_law_kind kind;
    double mean_ns;          /* of the first three, > 0 */
    double log_sd;           /* of the lognormal: sd of ln(time), > 0 and <= 5 */
    const double *sample_ns; /* of the empirical: count finite values >= 0, one of them > 0 */
    size_t count;
};

/* Mean of a law. HK_OK; HK_EINVAL. */
enum hk_status hk_time_law_mean(const struct hk_time_law *law, double *mean_ns);

/*
 * Any pending: stale iff some committed update is not visible yet. Pending updates
 * are M/G/inf, so P = 1 - exp(-mu E d) whatever the law of d.
 *
 * update_rate_per_s  [in]   mu of Poisson updates, >= 0
 * delay              [in]
 * probability        [out]
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_stale_any_pending(double update_rate_per_s, const struct hk_time_law *delay,
                                    double *probability);

/*
 * Last writer wins: stale iff the latest update is pending; its age is
 * exponential, so P = 1 - L(mu) with L the Laplace transform of the delay. Never
 * more than any-pending (Jensen), equal for a constant delay.
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if the quadrature (lognormal) does not converge.
 */
enum hk_status hk_stale_last_writer(double update_rate_per_s, const struct hk_time_law *delay,
                                    double *probability);

/*
 * Refresh every tau: P = 1 - (1 - exp(-mu tau)) / (mu tau).
 *
 * ttl_ns  [in]  tau, >= 0
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_stale_ttl(double update_rate_per_s, double ttl_ns, double *probability);

/*
 * Last writer wins with updates that are a renewal process, not Poisson: the age
 * of the latest update follows the equilibrium law, P = E min(X, d) / E X.
 *
 * interval  [in]  between updates; exponential gives hk_stale_last_writer
 * delay     [in]
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if a quadrature does not converge; HK_ENOMEM.
 * Cost O((m + n) log m) for empirical laws of m intervals and n delays.
 * Source: Cox 1962, Renewal Theory, section 5.1.
 */
enum hk_status hk_stale_renewal(const struct hk_time_law *interval,
                                const struct hk_time_law *delay, double *probability);

/* The path's costs, measured apart; means in ns. */
struct hk_fast_path {
    struct hk_estimate eligible_ratio; /* f, 0..1 */
    struct hk_estimate probe_ns;       /* t_0, >= 0 */
    struct hk_estimate fast_ns;        /* t_f, >= 0 */
    struct hk_estimate slow_ns;        /* T_u, >= 0 */
};

/*
 * Mean latency with the fast path, E[T], errors by the delta method.
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the result is not finite.
 */
enum hk_status hk_fast_path_latency(const struct hk_fast_path *path, struct hk_estimate *out);

/* Gain G per request against the slow path alone; negative where it costs. As above. */
enum hk_status hk_fast_path_gain(const struct hk_fast_path *path, struct hk_estimate *out);

/* What a stale answer costs. */
struct hk_stale_harm {
    struct hk_estimate stale_ratio; /* P(stale | fast path), 0..1 */
    double harm_ratio;              /* P(harm | stale): stale is not yet wrong, 0..1 */
    double loss_ns;                 /* per harmful answer, in ns of latency, >= 0 */
};

/*
 * Expected cost per request with staleness: E[T] + f P_stale P_harm loss.
 *
 * Returns as hk_fast_path_latency.
 */
enum hk_status hk_fast_path_cost(const struct hk_fast_path *path,
                                 const struct hk_stale_harm *harm, struct hk_estimate *out);

/*
 * The loss at which the fast path stops paying: G / (f P_stale P_harm).
 *
 * harm  [in]  its loss is not read
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the path never pays (G <= 0) or always
 * does (no harmful answer).
 */
enum hk_status hk_fast_path_break_even_loss(const struct hk_fast_path *path,
                                            const struct hk_stale_harm *harm,
                                            struct hk_estimate *loss_ns);

/*
 * Regret of a choice made on predicted costs: true cost of the chosen path less
 * that of the better one.
 *
 * fast_predicted_ns, slow_predicted_ns  [in]   what the choice was made on
 * fast_measured_ns, slow_measured_ns    [in]   what came out
 * regret_ns                             [out]  >= 0 per request
 *
 * Returns HK_OK; HK_EINVAL if a cost is not finite. A tie is decided for the slow path.
 */
enum hk_status hk_fast_path_regret(double fast_predicted_ns, double slow_predicted_ns,
                                   double fast_measured_ns, double slow_measured_ns,
                                   double *regret_ns);

/* A cache refreshed every tau. */
struct hk_ttl_costs {
    double update_rate_per_s;  /* mu, > 0 */
    double request_rate_per_s; /* of fast-path answers, > 0 */
    double refresh_ns;         /* cost of one refresh, > 0 */
    double harm_ns;            /* expected cost of one stale answer, > 0 */
};

/*
 * The refresh interval of least cost per second,
 *   refresh / tau + requests harm P_ttl(tau).
 * With x = mu tau the optimum solves 1 - (1 + x) e^(-x) = refresh mu / (requests harm):
 * a gamma quantile.
 *
 * ttl_ns            [out]
 * cost_ns_per_s     [out]  at the optimum; may be null
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if refreshing never pays (right side >= 1).
 */
enum hk_status hk_ttl_optimal(const struct hk_ttl_costs *costs, double *ttl_ns,
                              double *cost_ns_per_s);

#endif
