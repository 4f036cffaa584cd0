/* SPDX-License-Identifier: MIT */
/*
 * F3 across cores, after LogGP: a hop is not the sum of its parts, because the
 * partner wakes up while the sender still works,
 *   hop = o_s + max(wake, rest) + o_r,
 * o_s and o_r the overheads of sending and receiving, `rest` what the sender still
 * does after it has triggered the wake-up.
 */
#ifndef HK_MODEL_OVERLAP_H
#define HK_MODEL_OVERLAP_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

struct hk_overlap {
    struct hk_estimate send_ns;    /* o_s */
    struct hk_estimate wake_ns;    /* from trigger to first instruction of the receiver */
    struct hk_estimate rest_ns;
    struct hk_estimate receive_ns; /* o_r */
    double wake_sd_ns;             /* scatter of one wake-up, >= 0 */
    double rest_sd_ns;
};

/*
 * Mean of a hop. E max(wake, rest) for independent normal times (Clark), which for no
 * scatter is the larger mean: scatter makes a race cost more than either mean.
 *
 * hop_ns  [out]  error by the delta method
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the result is not finite.
 * Source: Alexandrov et al. 1995 (LogGP, SPAA); Clark 1961 (Operations Research 9).
 */
enum hk_status hk_overlap_hop(const struct hk_overlap *overlap, struct hk_estimate *hop_ns);

/*
 * Slack by injection: work added behind the trigger is free until it outlasts the
 * wake-up, then it is paid in full,
 *   T(d) = floor + slope max(0, d - slack).
 */
struct hk_slack {
    double floor_ns;
    double slack_ns; /* wake - rest of the hop; 0 if the first ns already counts */
    double slope;    /* how many hops of the path wait for the injected work */
    double residual_sd_ns;
    size_t count;
};

/*
 * Fit the hinge by least squares, exactly: each gap between delays is tried.
 *
 * delay_ns  [in]   n finite injected delays, ascending, at least 4 different
 * total_ns  [in]   n finite path times
 * n         [in]   >= 5
 *
 * Returns HK_OK; HK_EINVAL (delays out of order included); HK_ENOISE if there are too
 * few or the total does not grow with the delay. Cost O(n^2).
 * Source: Hudson 1966 (JASA 61).
 */
enum hk_status hk_overlap_slack(const double *delay_ns, const double *total_ns, size_t n,
                                struct hk_slack *out);

#endif
