/* SPDX-License-Identifier: MIT */
#include "hk/stats/equivalence.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/summary.h"

static enum hk_equivalence_outcome outcome_of(const struct hk_interval *interval, double margin)
{
    if (interval->lower >= -margin && interval->upper <= margin) {
        return HK_EQUIVALENCE_EQUIVALENT;
    }
    if (interval->lower > margin || interval->upper < -margin) {
        return HK_EQUIVALENCE_DIFFERENT;
    }
    return HK_EQUIVALENCE_UNDECIDED;
}

enum hk_status hk_equivalence_test(const double *log_ratios, size_t n, double margin,
                                   double alpha, struct hk_equivalence *out)
{
    if (!out || !log_ratios || !(margin > 0.0) || !isfinite(margin) ||
        !(alpha > 0.0 && alpha < 0.5)) {
        return HK_EINVAL;
    }
    if (n < 3) {
        return HK_ENOISE;
    }
    struct hk_estimate mean;
    struct hk_interval interval;
    enum hk_status status = hk_mean_estimate(log_ratios, n, &mean);
    if (status == HK_OK) {
        status = hk_mean_interval(&mean, 1.0 - 2.0 * alpha, &interval);
    }
    if (status != HK_OK) {
        return status;
    }
    const double distance = margin - fabs(mean.value);
    double p = distance >= 0.0 ? 0.0 : 1.0;
    if (mean.standard_error > 0.0) {
        p = gsl_cdf_tdist_Q(distance / mean.standard_error, (double)(n - 1));
    }
    *out = (struct hk_equivalence){
        .outcome = outcome_of(&interval, margin),
        .value = mean.value,
        .margin = margin,
        .interval = interval,
        .p_equivalence = p,
        .count = n,
    };
    return HK_OK;
}

enum hk_status hk_equivalence_from_interval(double value, const struct hk_interval *interval,
                                            double margin, struct hk_equivalence *out)
{
    if (!interval || !out || !(margin > 0.0) || !isfinite(margin) || !isfinite(value) ||
        !isfinite(interval->lower) || !isfinite(interval->upper) ||
        !(interval->lower <= interval->upper)) {
        return HK_EINVAL;
    }
    const enum hk_equivalence_outcome outcome = outcome_of(interval, margin);
    *out = (struct hk_equivalence){
        .outcome = outcome,
        .value = value,
        .margin = margin,
        .interval = *interval,
        .p_equivalence = outcome == HK_EQUIVALENCE_EQUIVALENT ? 0.0 : 1.0,
    };
    return HK_OK;
}

enum hk_status hk_equivalence_count_needed(double sd, double margin, double alpha, double power,
                                           size_t *n)
{
    if (!n || !(sd > 0.0) || !isfinite(sd) || !(margin > 0.0) || !isfinite(margin) ||
        !(alpha > 0.0 && alpha < 0.5) || !(power > 0.0 && power < 1.0)) {
        return HK_EINVAL;
    }
    const double z = gsl_cdf_ugaussian_Qinv(alpha) + gsl_cdf_ugaussian_Qinv((1.0 - power) / 2.0);
    const double needed = ceil(z * z * (sd / margin) * (sd / margin));
    if (!(needed <= 1e9)) {
        return HK_ERANGE;
    }
    *n = needed < 3.0 ? 3 : (size_t)needed;
    return HK_OK;
}

const char *hk_equivalence_outcome_name(enum hk_equivalence_outcome outcome)
{
    switch (outcome) {
    case HK_EQUIVALENCE_UNDECIDED:
        return "UNDECIDED";
    case HK_EQUIVALENCE_EQUIVALENT:
        return "EQUIVALENT";
    case HK_EQUIVALENCE_DIFFERENT:
        return "DIFFERENT";
    }
    return "?";
}
