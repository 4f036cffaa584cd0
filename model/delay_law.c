/* SPDX-License-Identifier: MIT */
#include "hk/model/delay_law.h"

#include <math.h>

static bool positive(double x)
{
    return isfinite(x) && x > 0.0;
}

enum hk_status hk_delay_check(const struct hk_delay_law *law)
{
    if (!law || !positive(law->scale_ns)) {
        return HK_EINVAL;
    }
    switch (law->kind) {
    case HK_DELAY_EXPONENTIAL:
        return HK_OK;
    case HK_DELAY_HYPEREXPONENTIAL:
        return law->shape > 0.0 && law->shape < 1.0 && positive(law->rare_scale_ns) ? HK_OK
                                                                                    : HK_EINVAL;
    case HK_DELAY_LOMAX:
    case HK_DELAY_WEIBULL:
        return positive(law->shape) ? HK_OK : HK_EINVAL;
    }
    return HK_EINVAL;
}

double hk_delay_survival(const struct hk_delay_law *law, double x_ns)
{
    const double z = x_ns / law->scale_ns;
    if (x_ns <= 0.0) {
        return 1.0;
    }
    switch (law->kind) {
    case HK_DELAY_EXPONENTIAL:
        return exp(-z);
    case HK_DELAY_HYPEREXPONENTIAL:
        return (1.0 - law->shape) * exp(-z) + law->shape * exp(-x_ns / law->rare_scale_ns);
    case HK_DELAY_LOMAX:
        return exp(-law->shape * log1p(z));
    case HK_DELAY_WEIBULL:
        return exp(-pow(z, law->shape));
    }
    return NAN;
}

double hk_delay_density(const struct hk_delay_law *law, double x_ns)
{
    const double z = x_ns / law->scale_ns;
    switch (law->kind) {
    case HK_DELAY_EXPONENTIAL:
        return exp(-z) / law->scale_ns;
    case HK_DELAY_HYPEREXPONENTIAL:
        return (1.0 - law->shape) * exp(-z) / law->scale_ns +
               law->shape * exp(-x_ns / law->rare_scale_ns) / law->rare_scale_ns;
    case HK_DELAY_LOMAX:
        return law->shape / law->scale_ns * exp(-(law->shape + 1.0) * log1p(z));
    case HK_DELAY_WEIBULL:
        return law->shape / law->scale_ns * pow(z, law->shape - 1.0) * exp(-pow(z, law->shape));
    }
    return NAN;
}

double hk_delay_mean(const struct hk_delay_law *law)
{
    switch (law->kind) {
    case HK_DELAY_EXPONENTIAL:
        return law->scale_ns;
    case HK_DELAY_HYPEREXPONENTIAL:
        return (1.0 - law->shape) * law->scale_ns + law->shape * law->rare_scale_ns;
    case HK_DELAY_LOMAX:
        return law->shape > 1.0 ? law->scale_ns / (law->shape - 1.0) : INFINITY;
    case HK_DELAY_WEIBULL:
        return law->scale_ns * tgamma(1.0 + 1.0 / law->shape);
    }
    return NAN;
}

bool hk_delay_is_heavy(const struct hk_delay_law *law)
{
    return law->kind == HK_DELAY_LOMAX || (law->kind == HK_DELAY_WEIBULL && law->shape < 1.0);
}

double hk_delay_draw(const struct hk_delay_law *law, struct hk_rng *rng)
{
    return hk_delay_draw_beyond(law, 0.0, rng);
}

/* Every law is a transformed exponential, and that has no memory: no law loses digits far out. */
double hk_delay_draw_beyond(const struct hk_delay_law *law, double from_ns, struct hk_rng *rng)
{
    const double e = hk_rng_exponential(rng, 1.0);
    switch (law->kind) {
    case HK_DELAY_EXPONENTIAL:
        return from_ns + law->scale_ns * e;
    case HK_DELAY_HYPEREXPONENTIAL: {
        const double gap = from_ns / law->scale_ns - from_ns / law->rare_scale_ns;
        const double rare = law->shape / (law->shape + (1.0 - law->shape) * exp(-gap));
        return from_ns + (hk_rng_uniform(rng) < rare ? law->rare_scale_ns : law->scale_ns) * e;
    }
    case HK_DELAY_LOMAX:
        return from_ns + (from_ns + law->scale_ns) * expm1(e / law->shape);
    case HK_DELAY_WEIBULL:
        return law->scale_ns * pow(pow(from_ns / law->scale_ns, law->shape) + e, 1.0 / law->shape);
    }
    return NAN;
}

enum hk_status hk_delay_tilt(const struct hk_delay_law *law, double theta_per_ns,
                             struct hk_delay_law *tilted, double *log_mgf)
{
    if (law->kind != HK_DELAY_EXPONENTIAL && law->kind != HK_DELAY_HYPEREXPONENTIAL) {
        return HK_ENOTSUP;
    }
    const double common = 1.0 - theta_per_ns * law->scale_ns;
    if (law->kind == HK_DELAY_EXPONENTIAL) {
        if (!(common > 0.0)) {
            return HK_ERANGE;
        }
        *tilted = (struct hk_delay_law){.kind = law->kind, .scale_ns = law->scale_ns / common};
        *log_mgf = -log(common);
        return HK_OK;
    }
    const double rare = 1.0 - theta_per_ns * law->rare_scale_ns;
    if (!(common > 0.0 && rare > 0.0)) {
        return HK_ERANGE;
    }
    const double mgf = (1.0 - law->shape) / common + law->shape / rare;
    *tilted = (struct hk_delay_law){
        .kind = law->kind,
        .scale_ns = law->scale_ns / common,
        .shape = law->shape / rare / mgf,
        .rare_scale_ns = law->rare_scale_ns / rare,
    };
    *log_mgf = log(mgf);
    return HK_OK;
}

const char *hk_delay_kind_name(enum hk_delay_kind kind)
{
    switch (kind) {
    case HK_DELAY_EXPONENTIAL:
        return "exponential";
    case HK_DELAY_HYPEREXPONENTIAL:
        return "hyperexponential";
    case HK_DELAY_LOMAX:
        return "lomax";
    case HK_DELAY_WEIBULL:
        return "weibull";
    }
    return "?";
}
