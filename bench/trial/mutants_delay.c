/* SPDX-License-Identifier: MIT */
/* F6 and F7. */
#include <math.h>

#include "mutants.h"

/* --- F6 -------------------------------------------------------------------------- */

static void scale(double *value, struct hk_interval *interval, double factor)
{
    *value *= factor;
    interval->lower *= factor;
    interval->upper *= factor;
}

static enum hk_status textbook_times(const double *x, size_t n,
                                     const struct hk_bootstrap_options *options,
                                     struct hk_rng *rng, struct hk_lateness *out, double factor)
{
    const enum hk_status status = __real_hk_lateness_analyse(x, n, options, rng, out);

    if (status == HK_OK)
        scale(&out->textbook_ns, &out->textbook_interval_ns, factor);
    return status;
}

static enum hk_status no_root(const double *x, size_t n, const struct hk_bootstrap_options *o,
                              struct hk_rng *rng, struct hk_lateness *out)
{
    return textbook_times(x, n, o, rng, out, 1 / M_SQRT2);
}

static enum hk_status root_of_three(const double *x, size_t n,
                                    const struct hk_bootstrap_options *o, struct hk_rng *rng,
                                    struct hk_lateness *out)
{
    return textbook_times(x, n, o, rng, out, sqrt(3) / M_SQRT2);
}

static enum hk_status two_for_root(const double *x, size_t n, const struct hk_bootstrap_options *o,
                                   struct hk_rng *rng, struct hk_lateness *out)
{
    return textbook_times(x, n, o, rng, out, M_SQRT2);
}

/* The mean, with the constant that drops out of differences. */
static enum hk_status with_d0(const double *x, size_t n, const struct hk_bootstrap_options *o,
                              struct hk_rng *rng, struct hk_lateness *out)
{
    const enum hk_status status = __real_hk_lateness_analyse(x, n, o, rng, out);

    if (status == HK_OK)
        scale(&out->textbook_ns, &out->textbook_interval_ns, 1 + out->d0_ns / out->delta_ns);
    return status;
}

static enum hk_status dependent_times(const double *x, size_t n,
                                      const struct hk_bootstrap_options *options,
                                      struct hk_rng *rng, struct hk_lateness *out, bool sign)
{
    const enum hk_status status = __real_hk_lateness_analyse(x, n, options, rng, out);

    if (status == HK_OK)
        scale(&out->dependent_ns, &out->dependent_interval_ns,
              sqrt((sign ? 1 + out->rho1 : 1) / (1 - out->rho1)));
    return status;
}

static enum hk_status wrong_rho_sign(const double *x, size_t n,
                                     const struct hk_bootstrap_options *o, struct hk_rng *rng,
                                     struct hk_lateness *out)
{
    return dependent_times(x, n, o, rng, out, true);
}

static enum hk_status no_rho(const double *x, size_t n, const struct hk_bootstrap_options *o,
                             struct hk_rng *rng, struct hk_lateness *out)
{
    return dependent_times(x, n, o, rng, out, false);
}

/* The relative timer's reading, sqrt(sigma^2 + delta^2), under an absolute timer. */
static enum hk_status relative_timer(const double *x, size_t n,
                                     const struct hk_bootstrap_options *o, struct hk_rng *rng,
                                     struct hk_lateness *out)
{
    const enum hk_status status = __real_hk_lateness_analyse(x, n, o, rng, out);

    if (status == HK_OK)
        scale(&out->dependent_ns, &out->dependent_interval_ns,
              hypot(out->sigma_ns, out->delta_ns) / out->dependent_ns);
    return status;
}

/* --- F7 -------------------------------------------------------------------------- */

static enum hk_status device_halved(enum hk_underrun_law law, double mean_ns, double headroom_ns,
                                    double period_ns, double *p)
{
    const enum hk_status status =
        __real_hk_underrun_probability(law, mean_ns, headroom_ns, period_ns, p);

    *p /= law == HK_UNDERRUN_DEVICE ? 2 : 1;
    return status;
}

/* Any reading becomes the device's: the 1/2, or the queue, is dropped. */
static enum hk_status device_for_all(enum hk_underrun_law law, double mean_ns, double headroom_ns,
                                     double period_ns, double *p)
{
    (void)law;
    return __real_hk_underrun_probability(HK_UNDERRUN_DEVICE, mean_ns, headroom_ns, period_ns, p);
}

static enum hk_status absolute_for_all(enum hk_underrun_law law, double mean_ns,
                                       double headroom_ns, double period_ns, double *p)
{
    (void)law;
    return __real_hk_underrun_probability(HK_UNDERRUN_ABSOLUTE, mean_ns, headroom_ns, period_ns,
                                          p);
}

/* e^(-lambda B / r): the period is not taken off. */
static enum hk_status whole_buffer(enum hk_underrun_law law, double mean_ns, double headroom_ns,
                                   double period_ns, double *p)
{
    return __real_hk_underrun_probability(law, mean_ns, headroom_ns + period_ns, period_ns, p);
}

static enum hk_status twice_lambda(enum hk_underrun_law law, double mean_ns, double headroom_ns,
                                   double period_ns, double *p)
{
    return __real_hk_underrun_probability(law, mean_ns / 2, headroom_ns, period_ns, p);
}

/* h in powers of two: e -> 2. */
static enum hk_status half_life(enum hk_underrun_law law, double mean_ns, double headroom_ns,
                                double period_ns, double *p)
{
    return __real_hk_underrun_probability(law, mean_ns / M_LN2, headroom_ns, period_ns, p);
}

static enum hk_status complement(enum hk_underrun_law law, double mean_ns, double headroom_ns,
                                 double period_ns, double *p)
{
    const enum hk_status status =
        __real_hk_underrun_probability(law, mean_ns, headroom_ns, period_ns, p);

    *p = 1 - *p;
    return status;
}

static enum hk_status tail_times(const struct hk_tail *tail, double x_ns, double confidence,
                                 struct hk_tail_probability *out, double factor)
{
    const enum hk_status status = __real_hk_tail_probability(tail, x_ns, confidence, out);

    if (status == HK_OK)
        scale(&out->probability, &out->interval, factor);
    return status;
}

/* The share beyond the threshold forgotten: only a tenth, or less, gets there. */
static enum hk_status share_forgotten(const struct hk_tail *tail, double x_ns, double confidence,
                                      struct hk_tail_probability *out)
{
    return tail_times(tail, x_ns, confidence, out, fmin(10, 1 / tail->exceed_ratio));
}

/* xi = 0 from the mean on: an exponential again. */
static enum hk_status exponential_tail(const struct hk_tail *tail, double x_ns, double confidence,
                                       struct hk_tail_probability *out)
{
    double mean_ns = 0;
    enum hk_status status = __real_hk_tail_probability(tail, x_ns, confidence, out);

    for (size_t i = 0; i < tail->count; i++)
        mean_ns += tail->sorted_ns[i] / (double)tail->count;
    if (status == HK_OK)
        scale(&out->probability, &out->interval, exp(-x_ns / mean_ns) / out->probability);
    return status;
}

const struct hk_mutant hk_mutants_delay[] = {
    {"sqrt 2 -> 1", "exponential delays", 0, {.lateness = no_root}, NULL},
    {"sqrt 2 -> sqrt 3", "exponential delays", 0, {.lateness = root_of_three}, NULL},
    {"sqrt 2 -> 2", "exponential delays", 0, {.lateness = two_for_root}, NULL},
    {"mean for mean - min", "exponential delays", 0, {.lateness = with_d0}, NULL},
    {"sqrt(1 - rho) -> sqrt(1 + rho)", "autoregressive delays", 0, {.lateness = wrong_rho_sign},
     NULL},
    {"rho dropped", "autoregressive delays", 0, {.lateness = no_rho}, NULL},
    {"relative timer's reading", "lognormal delays", 0, {.lateness = relative_timer}, NULL},
    {"1 -> 1/2 for a device", "exponential delays", 1, {.underrun = device_halved}, NULL},
    {"the 1/2 for every clock", "exponential delays", 1, {.underrun = absolute_for_all}, NULL},
    {"the 1/2 dropped", "exponential delays", 2, {.underrun = device_for_all}, NULL},
    {"e^(-lambda B/r)", "exponential delays", 1, {.underrun = whole_buffer}, NULL},
    {"lambda -> 2 lambda", "exponential delays", 1, {.underrun = twice_lambda}, NULL},
    {"e -> 2", "exponential delays", 1, {.underrun = half_life}, NULL},
    {"P -> 1 - P", "exponential delays", 1, {.underrun = complement}, NULL},
    {"late work does not queue", "queued delays", 0, {.underrun = device_for_all}, NULL},
    {"exceedance share forgotten", "lognormal delays", 1, {.tail_probability = share_forgotten},
     NULL},
    {"exponential for the tail", "lognormal delays", 1, {.tail_probability = exponential_tail},
     NULL},
    {0},
};
