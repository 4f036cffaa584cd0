/* SPDX-License-Identifier: MIT */
/*
 * What a periodic mixer will see, from how late wake-ups came elsewhere: the jitter of its periods
 * (F6) and how often its device runs dry (F7, the device owns the clock: D > (buffers - 1) T).
 * Assumed: lateness does not depend on the period; mixing takes no time unless the delays hold it.
 */
#ifndef HK_PREDICT_PERIODS_H
#define HK_PREDICT_PERIODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"
#include "hk/stats/rng.h"

struct hk_periods {
    size_t count;                  /* delays */
    double d0_ns;                  /* the least */
    double jitter_ns;              /* sigma sqrt(2 (1 - rho_1)) */
    struct hk_interval jitter_interval_ns; /* 95 %, of what a run of as many periods measures */
    double jitter_textbook_ns;     /* delta sqrt 2 */
    double headroom_ns;            /* (buffers - 1) T */
    enum hk_status tail_status;    /* of what follows: HK_OK; HK_ERANGE: no tail to go by so far out;
                                      HK_ENOISE: too few delays */
    double underrun_probability;   /* per period: counted in the body, a GPD beyond */
    struct hk_interval underrun_interval; /* 95 %, profile likelihood */
    bool extrapolated;             /* beyond all that was measured */
    double underrun_textbook;      /* e^(-(h - d0) / delta) */
    double underruns_per_hour;
    double hour_probability;       /* of at least one in an hour, clusters considered */
};

/*
 * Predict.
 *
 * delays_ns  [in]   n finite values >= 0 in time order
 * n          [in]   >= 100
 * period_ns  [in]   > 0
 * buffers    [in]   >= 2
 * rng        [in]   of the block bootstrap
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if n < 100 or all delays are equal; HK_ENOMEM.
 */
enum hk_status hk_periods_predict(const double *delays_ns, size_t n, double period_ns,
                                  uint64_t buffers, struct hk_rng *rng, struct hk_periods *out);

#endif
