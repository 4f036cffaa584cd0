/* SPDX-License-Identifier: MIT */
#include "hk/predict/periods.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/model/extremal.h"
#include "hk/model/jitter.h"
#include "hk/model/tail.h"
#include "hk/model/underrun.h"
#include "hk/stats/quantile.h"

#define CLUSTER_QUANTILE 0.98

static const struct hk_bootstrap_options bootstrap = {.replicate_count = 500, .confidence_ratio = 0.95};

/*
 * Two runs are apart by the errors of both: this one's, and as much for the one to come. Delays are
 * skew, so the longer side of this one's is taken for both sides.
 */
static struct hk_interval of_another_run(double value, const struct hk_interval *own)
{
    const double factor = pow(fmax(own->upper / value, value / own->lower), M_SQRT2);

    return (struct hk_interval){value / factor, value * factor, 0.95};
}

static enum hk_status predict_jitter(const double *delays_ns, size_t n, struct hk_rng *rng,
                                     struct hk_lateness *l, struct hk_periods *p)
{
    const enum hk_status status = hk_lateness_analyse(delays_ns, n, &bootstrap, rng, l);

    if (status != HK_OK)
        return status;
    if (!(l->dependent_interval_ns.lower > 0))
        return HK_ENOISE;
    p->count = n;
    p->d0_ns = l->d0_ns;
    p->jitter_ns = l->dependent_ns;
    p->jitter_interval_ns = of_another_run(l->dependent_ns, &l->dependent_interval_ns);
    p->jitter_textbook_ns = l->textbook_ns;
    return HK_OK;
}

/* How delays beyond a high quantile cluster; 1, as if they did not, where they are too few. */
static double clustering(const double *delays_ns, const double *sorted_ns, size_t n)
{
    double threshold = 0;
    double index = 1;

    if (hk_quantile(sorted_ns, n, CLUSTER_QUANTILE, &threshold) != HK_OK ||
        hk_extremal_intervals(delays_ns, n, threshold, &index) != HK_OK)
        return 1;
    return index;
}

static enum hk_status predict_tail(const double *delays_ns, const double *sorted_ns, size_t n,
                                   double period_ns, struct hk_periods *p)
{
    const struct hk_tail_options options = {
        .confidence_ratio = 0.95, .extremal_index = clustering(delays_ns, sorted_ns, n)};
    struct hk_tail tail;
    struct hk_tail_probability beyond;
    struct hk_hourly hourly;

    enum hk_status status = hk_tail_fit(sorted_ns, n, &options, &tail);
    if (status == HK_OK)
        status = hk_tail_probability(&tail, p->headroom_ns, 0.95, &beyond);
    if (status == HK_OK)
        status = hk_tail_hourly(&tail, p->headroom_ns, period_ns, 0.95, &hourly);
    if (status != HK_OK)
        return status;
    p->underrun_probability = beyond.probability;
    p->underrun_interval = beyond.interval;
    p->extrapolated = beyond.extrapolated;
    p->underruns_per_hour = hourly.events_per_hour;
    p->hour_probability = hourly.hit_probability;
    return HK_OK;
}

enum hk_status hk_periods_predict(const double *delays_ns, size_t n, double period_ns,
                                  uint64_t buffers, struct hk_rng *rng, struct hk_periods *out)
{
    struct hk_periods p = {.headroom_ns = (double)(buffers - 1) * period_ns};
    struct hk_lateness lateness;

    if (!delays_ns || !(period_ns > 0) || !isfinite(period_ns) || buffers < 2)
        return HK_EINVAL;
    enum hk_status status = predict_jitter(delays_ns, n, rng, &lateness, &p);
    if (status == HK_OK)
        status = hk_underrun_probability(HK_UNDERRUN_DEVICE, lateness.delta_ns,
                                         p.headroom_ns - p.d0_ns, period_ns,
                                         &p.underrun_textbook);
    if (status != HK_OK)
        return status;
    double *sorted_ns = malloc(n * sizeof *sorted_ns);
    if (sorted_ns == NULL)
        return HK_ENOMEM;
    memcpy(sorted_ns, delays_ns, n * sizeof *sorted_ns);
    status = hk_sample_sort(sorted_ns, n);
    if (status == HK_OK)
        p.tail_status = predict_tail(delays_ns, sorted_ns, n, period_ns, &p);
    free(sorted_ns);
    if (status == HK_OK && p.tail_status != HK_OK && p.tail_status != HK_ERANGE &&
        p.tail_status != HK_ENOISE)
        status = p.tail_status;
    if (status == HK_OK)
        *out = p;
    return status;
}
