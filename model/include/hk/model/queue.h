/* SPDX-License-Identifier: MIT */
/*
 * F3 under load: requests wait for a busy server, which F3 assumes away.
 *
 * One server, first come first served. lambda is the arrival rate, S the service
 * time, rho = lambda E[S] the utilisation, c^2 squared coefficients of variation.
 * Waits are means before service; the response adds E[S]. At rho >= 1 the queue
 * grows without end: HK_ERANGE, never a number. The recursion (hk_queue_replay)
 * holds there too, for as long as the trace lasts.
 */
#ifndef HK_MODEL_QUEUE_H
#define HK_MODEL_QUEUE_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

struct hk_queue_load {
    struct hk_estimate arrivals_per_s;  /* lambda, > 0 */
    struct hk_estimate service_ns;      /* E[S], > 0; dispatch and wake-up belong to it */
    double arrival_cv2;                 /* 1 for Poisson, 0 for a clock; >= 0 */
    double service_cv2;                 /* 1 exponential, 0 constant; >= 0 */
};

/*
 * Mean wait, M/G/1 (Pollaczek-Khinchine): rho / (1 - rho) (1 + c_s^2) / 2 E[S]. Exact for
 * Poisson arrivals; arrival_cv2 is not read.
 *
 * wait_ns  [out]  error by the delta method over lambda and E[S], which matter most near
 *                 rho = 1 and there make the result uncertain
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if rho >= 1.
 * Source: Kleinrock 1975, Queueing Systems I, section 5.6.
 */
enum hk_status hk_queue_wait_poisson(const struct hk_queue_load *load,
                                     struct hk_estimate *wait_ns);

/*
 * Mean wait, G/G/1 (Kingman): rho / (1 - rho) (c_a^2 + c_s^2) / 2 E[S]; equal to the above for
 * c_a^2 = 1, an approximation and in heavy traffic an upper bound otherwise.
 *
 * Returns as hk_queue_wait_poisson.
 * Source: Kingman 1961 (Math. Proc. Camb. Phil. Soc. 57(4)).
 */
enum hk_status hk_queue_wait_general(const struct hk_queue_load *load,
                                     struct hk_estimate *wait_ns);

/*
 * What dispatching an idle server adds to the mean wait of all requests. A server that was idle
 * begins a dispatch D after the request that wakes it: a set-up before each busy period. The wait
 * of the formulas above gets longer by (2 E[D] + lambda E[D^2]) / (2 (1 + lambda E[D])): D for the
 * request that wakes, and what is left of it for those that come meanwhile and behind. Exact for
 * Poisson arrivals.
 *
 * arrivals_per_s  [in]   > 0
 * dispatch_ns     [in]   E[D], > 0
 * dispatch_cv2    [in]   squared coefficient of variation of D, >= 0
 * added_ns        [out]  error by the delta method over E[D]
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the result is not finite.
 * Source: Welch 1964 (Operations Research 12(5)), with a first service of D + S.
 */
enum hk_status hk_queue_dispatch_wait(double arrivals_per_s, const struct hk_estimate *dispatch_ns,
                                      double dispatch_cv2, struct hk_estimate *added_ns);

/*
 * Inverse: the highest arrival rate at which the mean wait stays within a limit,
 * by the general formula.
 *
 * load              [in]   its arrival rate is not read
 * wait_limit_ns     [in]   > 0
 * arrivals_per_s    [out]
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if nothing ever waits (both variations 0): any
 * rate below 1 / E[S] will do.
 */
enum hk_status hk_queue_rate_for_wait(const struct hk_queue_load *load, double wait_limit_ns,
                                      double *arrivals_per_s);

/*
 * Waits of a trace by Lindley's recursion, W_(n+1) = max(0, W_n + S_n - A_n). It tests
 * the mechanism: no law, no stationarity, rho may exceed 1.
 *
 * gap_ns      [in]   n times between arrivals >= 0: gap_ns[i] from request i - 1 to i; the
 *                    first is not read
 * service_ns  [in]   n service times >= 0
 * n           [in]   >= 1
 * wait_ns     [out]  n waits; may be gap_ns
 *
 * Returns HK_OK; HK_EINVAL (a wait that is not finite included). Cost O(n).
 * Source: Lindley 1952 (Math. Proc. Camb. Phil. Soc. 48(2)).
 */
enum hk_status hk_queue_replay(const double *gap_ns, const double *service_ns, size_t n,
                               double *wait_ns);

/*
 * The same of a server that begins dispatch_ns >= 0 late whenever a request meets it idle, as the
 * first one does. Returns as hk_queue_replay.
 */
enum hk_status hk_queue_replay_dispatched(const double *gap_ns, const double *service_ns, size_t n,
                                          double dispatch_ns, double *wait_ns);

/* Batches: a server that serves up to `batch_max` waiting requests at once. */
struct hk_bulk_load {
    double arrivals_per_s; /* Poisson, > 0 */
    double setup_ns;       /* s_0: per batch, >= 0 */
    double each_ns;        /* s_1: per request, >= 0; s_0 + s_1 > 0 */
};

/*
 * Fluid answer: the smallest batch that keeps up, m / (s_0 + s_1 m) >= lambda.
 *
 * batch  [out]  whole requests, >= 1
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if no batch does (lambda s_1 >= 1).
 */
enum hk_status hk_bulk_batch_needed(const struct hk_bulk_load *load, double *batch);

struct hk_bulk {
    double response_ns;    /* mean time from arrival to end of its batch */
    double in_system_mean; /* requests waiting or in service */
};

/*
 * Bulk service M/M^[K]/1 with partial batches: exponential batches of mean
 * service_ns whatever their size, which requests may join until they are full
 * (the queue length is geometric). K = 1 is M/M/1.
 *
 * arrivals_per_s  [in]   lambda, > 0
 * service_ns      [in]   mean of a batch, > 0
 * batch_max       [in]   K >= 1
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if lambda service >= K.
 * Source: Gross & Harris 1998, Fundamentals of Queueing Theory, section 3.2.
 */
enum hk_status hk_bulk_exponential(double arrivals_per_s, double service_ns, size_t batch_max,
                                   struct hk_bulk *out);

#endif
