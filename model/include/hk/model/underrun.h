/* SPDX-License-Identifier: MIT */
/*
 * F7: probability that a drained buffer runs empty, P_u = exp(-lambda (B/r - T_s)).
 *
 * The formula has four readings, which differ by factors of 2 to 50; which one is
 * right follows from who owns the clock:
 *   device-anchored   the device asks for each period: P(D > h)
 *   absolute timer    free-running, topped up to full: P(D_n - D_(n-1) > h), half of it
 *   queue             fixed refill, late work queues: Lindley's recursion, D/M/1
 * h = B/r - T_s - d0 is the headroom: the constant part of the delay is spent.
 */
#ifndef HK_MODEL_UNDERRUN_H
#define HK_MODEL_UNDERRUN_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

enum hk_underrun_law {
    HK_UNDERRUN_DEVICE,   /* e^(-lambda h): the textbook */
    HK_UNDERRUN_ABSOLUTE, /* (1/2) e^(-lambda h) */
    HK_UNDERRUN_QUEUE,    /* e^(-lambda (1 - s) h), s = e^(-lambda (1 - s) T_s) */
};

/*
 * Effective headroom.
 *
 * buffer_frames      [in]   B, > 0
 * rate_frames_per_s  [in]   r, > 0
 * period_ns          [in]   T_s, > 0
 * d0_ns              [in]   constant delay, >= 0
 * headroom_ns        [out]  negative if the buffer cannot even hold the constants
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_underrun_headroom(double buffer_frames, double rate_frames_per_s,
                                    double period_ns, double d0_ns, double *headroom_ns);

/*
 * Probability of an underrun per period for exponential delays.
 *
 * law            [in]
 * mean_delay_ns  [in]   1 / lambda, beyond d0; the mean service time for the queue; > 0
 * headroom_ns    [in]   finite; below 0 the device law gives 1
 * period_ns      [in]   read by the queue only, > 0
 * probability    [out]
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE for a queue whose utilisation is >= 1.
 */
enum hk_status hk_underrun_probability(enum hk_underrun_law law, double mean_delay_ns,
                                       double headroom_ns, double period_ns,
                                       double *probability);

/*
 * The same with the error of the mean delay: sd(ln P) = lambda h / sqrt n. The interval
 * says nothing about whether the law is right, which matters far more.
 *
 * mean_delay_ns  [in]   1 / lambda with its standard error, > 0
 * confidence     [in]   inside (0, 1)
 * interval       [out]  of the probability
 *
 * Returns as hk_underrun_probability; HK_ENOISE if the mean delay does not differ from
 * 0 at this confidence; HK_ERANGE if the queue may be full within it.
 */
enum hk_status hk_underrun_propagate(enum hk_underrun_law law,
                                     const struct hk_estimate *mean_delay_ns,
                                     double headroom_ns, double period_ns, double confidence,
                                     double *probability, struct hk_interval *interval);

/*
 * Inverse: headroom for a target probability, inside (0, 1).
 *
 * Returns as hk_underrun_probability. The smallest headroom >= 0 for the
 * absolute law, whose probability is at most 1/2 there.
 */
enum hk_status hk_underrun_headroom_needed(enum hk_underrun_law law, double mean_delay_ns,
                                           double period_ns, double probability,
                                           double *headroom_ns);

/*
 * Buffer for a headroom: B = r (h + T_s + d0), rounded up to whole frames.
 *
 * Returns HK_OK; HK_EINVAL; HK_ETOOBIG beyond 2^53 frames.
 */
enum hk_status hk_underrun_buffer_needed(double headroom_ns, double rate_frames_per_s,
                                         double period_ns, double d0_ns,
                                         uint64_t *buffer_frames);

/*
 * Probability of at least one underrun per hour: 1 - exp(-theta N P) with
 * N = 3600 s / T_s; exactly 1 - (1 - P)^N for theta = 1.
 *
 * probability     [in]  per period, 0..1
 * period_ns       [in]  > 0
 * extremal_index  [in]  theta in (0, 1]: 1 / mean cluster size
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_underrun_per_hour(double probability, double period_ns, double extremal_index,
                                    double *per_hour);

/*
 * Inverse: probability per period at which an hour has an underrun with probability
 * per_hour.
 *
 * per_hour  [in]  inside (0, 1)
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if even certain underruns are rarer than that
 * (fewer clusters per hour).
 */
enum hk_status hk_underrun_from_hourly(double per_hour, double period_ns, double extremal_index,
                                       double *probability);

/* What a designer knows before choosing a buffer. */
struct hk_underrun_design {
    enum hk_underrun_law law;
    double mean_delay_ns;     /* 1 / lambda, beyond d0 */
    double d0_ns;
    double period_ns;
    double rate_frames_per_s;
    double extremal_index;    /* 1 for independent delays */
};

/*
 * Inverse of everything: the buffer with which an hour passes without underrun but
 * with probability per_hour.
 *
 * Returns HK_OK or what hk_underrun_from_hourly, hk_underrun_headroom_needed and
 * hk_underrun_buffer_needed return.
 */
enum hk_status hk_underrun_buffer_for_hourly(const struct hk_underrun_design *design,
                                             double per_hour, uint64_t *buffer_frames);

/*
 * Count, over measured delays in time order, what a law would call an underrun.
 * The mechanism without any distribution.
 *
 * delay_ns     [in]   n finite values >= 0 (beyond d0 if the headroom is)
 * n            [in]   >= 2
 * headroom_ns  [in]   finite
 * period_ns    [in]   read by the queue only, > 0
 * events       [out]
 * trials       [out]
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 2. Cost O(n).
 * Source: Lindley 1952 (Math. Proc. Camb. Phil. Soc. 48(2)) for the queue.
 */
enum hk_status hk_underrun_replay(enum hk_underrun_law law, const double *delay_ns, size_t n,
                                  double headroom_ns, double period_ns, uint64_t *events,
                                  uint64_t *trials);

/* "device-anchored", "absolute timer" or "queue". */
const char *hk_underrun_law_name(enum hk_underrun_law law);

#endif
