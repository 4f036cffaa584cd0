/* SPDX-License-Identifier: MIT */
#include "hk/stats/ratio.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>

static bool estimate_valid(const struct hk_estimate *e)
{
    return e && isfinite(e->value) && isfinite(e->standard_error) && e->standard_error >= 0.0;
}

enum hk_status hk_ratio_estimate(const struct hk_estimate *numerator,
                                 const struct hk_estimate *denominator, double covariance,
                                 double confidence, struct hk_estimate *ratio,
                                 struct hk_interval *interval)
{
    if (!estimate_valid(numerator) || !estimate_valid(denominator) || !ratio || !interval ||
        denominator->value == 0.0 || !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    const double bound = numerator->standard_error * denominator->standard_error;
    if (!(fabs(covariance) <= bound * (1.0 + 1e-9))) {
        return HK_EINVAL;
    }
    const size_t count =
        numerator->count < denominator->count ? numerator->count : denominator->count;
    if (count < 2) {
        return HK_ENOISE;
    }
    /* In units of the denominator: relative errors, so that squares stay in range. */
    const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0, (double)(count - 1));
    const double d = denominator->value;
    const double r = numerator->value / d;
    const double vn = (numerator->standard_error / d) * (numerator->standard_error / d);
    const double vd = (denominator->standard_error / d) * (denominator->standard_error / d);
    const double vnd = covariance / d / d;
    const double g = t * t * vd;
    if (!(g < 1.0)) {
        return HK_ENOISE;
    }
    /* (r - x)^2 = t^2 (vn - 2 x vnd + x^2 vd), a quadratic in x. */
    const double centre = (r - t * t * vnd) / (1.0 - g);
    const double inside = centre * centre - (r * r - t * t * vn) / (1.0 - g);
    const double half_width = sqrt(fmax(0.0, inside));
    const double delta = sqrt(fmax(0.0, vn - 2.0 * r * vnd + r * r * vd));
    if (!isfinite(inside) || !isfinite(half_width) || !isfinite(centre) || !isfinite(delta)) {
        return HK_EINVAL;
    }
    *ratio = (struct hk_estimate){r, delta, count};
    *interval = (struct hk_interval){centre - half_width, centre + half_width, confidence};
    return HK_OK;
}
