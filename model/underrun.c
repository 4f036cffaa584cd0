/* SPDX-License-Identifier: MIT */
#include "hk/model/underrun.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "check.h"
#include "hk/base/units.h"

#define NS_PER_HOUR (3600.0 * HK_NS_PER_S)
#define FRAMES_MAX 9007199254740992.0 /* 2^53: whole numbers in a double end here */

static bool law_valid(enum hk_underrun_law law)
{
    return law == HK_UNDERRUN_DEVICE || law == HK_UNDERRUN_ABSOLUTE || law == HK_UNDERRUN_QUEUE;
}

enum hk_status hk_underrun_headroom(double buffer_frames, double rate_frames_per_s,
                                    double period_ns, double d0_ns, double *headroom_ns)
{
    if (!headroom_ns || !check_positive(buffer_frames) || !check_positive(rate_frames_per_s) ||
        !check_positive(period_ns) || !check_not_negative(d0_ns)) {
        return HK_EINVAL;
    }
    const double headroom = buffer_frames / rate_frames_per_s * HK_NS_PER_S - period_ns - d0_ns;
    if (!isfinite(headroom)) {
        return HK_EINVAL;
    }
    *headroom_ns = headroom;
    return HK_OK;
}

/*
 * Root s in (0, 1) of s = exp(-(1 - s) T / m), the chance that an arrival finds the
 * D/M/1 server busy; T / m > 1. By bisection: 0 is below the root, and just under
 * 1 is above it.
 */
static double queue_root(double load_inverse)
{
    double low = 0.0;
    double high = 1.0;
    for (int i = 0; i < 200 && high - low > 0.0; i++) {
        const double middle = low + (high - low) / 2.0;
        if (middle <= low || middle >= high) {
            break;
        }
        /* f(s) = exp(-(1 - s) c) - s is positive below the root, negative above. */
        if (exp(-(1.0 - middle) * load_inverse) > middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low + (high - low) / 2.0;
}

/* Mean of the exponential tail of a law: the delay's own, or the queue's slower decay. */
static enum hk_status decay_mean(enum hk_underrun_law law, double mean_delay_ns, double period_ns,
                                 double *decay_ns)
{
    if (!law_valid(law) || !check_positive(mean_delay_ns)) {
        return HK_EINVAL;
    }
    if (law != HK_UNDERRUN_QUEUE) {
        *decay_ns = mean_delay_ns;
        return HK_OK;
    }
    if (!check_positive(period_ns)) {
        return HK_EINVAL;
    }
    if (mean_delay_ns >= period_ns) {
        return HK_ERANGE;
    }
    const double idle = 1.0 - queue_root(period_ns / mean_delay_ns);
    if (!(idle > 0.0)) {
        return HK_ERANGE; /* utilisation so close to 1 that rounding decides */
    }
    *decay_ns = mean_delay_ns / idle;
    return HK_OK;
}

enum hk_status hk_underrun_probability(enum hk_underrun_law law, double mean_delay_ns,
                                       double headroom_ns, double period_ns,
                                       double *probability)
{
    if (!probability || !isfinite(headroom_ns)) {
        return HK_EINVAL;
    }
    double decay_ns;
    const enum hk_status status = decay_mean(law, mean_delay_ns, period_ns, &decay_ns);
    if (status != HK_OK) {
        return status;
    }
    const double tail = exp(-fabs(headroom_ns) / decay_ns);
    if (law == HK_UNDERRUN_ABSOLUTE) {
        *probability = headroom_ns >= 0.0 ? 0.5 * tail : 1.0 - 0.5 * tail;
    } else {
        *probability = headroom_ns >= 0.0 ? tail : 1.0;
    }
    return HK_OK;
}

enum hk_status hk_underrun_propagate(enum hk_underrun_law law,
                                     const struct hk_estimate *mean_delay_ns,
                                     double headroom_ns, double period_ns, double confidence,
                                     double *probability, struct hk_interval *interval)
{
    if (!mean_delay_ns || !probability || !interval || !check_estimate(mean_delay_ns) ||
        !check_inside_unit(confidence)) {
        return HK_EINVAL;
    }
    if (mean_delay_ns->count < 2) {
        return HK_ENOISE;
    }
    const double t = gsl_cdf_tdist_Qinv((1.0 - confidence) / 2.0,
                                        (double)(mean_delay_ns->count - 1));
    const double reach = t * mean_delay_ns->standard_error;
    if (mean_delay_ns->value > 0.0 && !(reach < mean_delay_ns->value)) {
        return HK_ENOISE;
    }
    /* The probability grows with the mean delay for headroom, and falls without. */
    double at[3];
    for (int i = 0; i < 3; i++) {
        const enum hk_status status = hk_underrun_probability(
            law, mean_delay_ns->value + (i - 1) * reach, headroom_ns, period_ns, &at[i]);
        if (status != HK_OK) {
            return status;
        }
    }
    *probability = at[1];
    *interval = (struct hk_interval){fmin(at[0], at[2]), fmax(at[0], at[2]), confidence};
    return HK_OK;
}

enum hk_status hk_underrun_headroom_needed(enum hk_underrun_law law, double mean_delay_ns,
                                           double period_ns, double probability,
                                           double *headroom_ns)
{
    if (!headroom_ns || !(probability > 0.0 && probability < 1.0)) {
        return HK_EINVAL;
    }
    double decay_ns;
    const enum hk_status status = decay_mean(law, mean_delay_ns, period_ns, &decay_ns);
    if (status != HK_OK) {
        return status;
    }
    const double scale = law == HK_UNDERRUN_ABSOLUTE ? 2.0 : 1.0;
    *headroom_ns = fmax(0.0, -decay_ns * log(scale * probability));
    return HK_OK;
}

enum hk_status hk_underrun_buffer_needed(double headroom_ns, double rate_frames_per_s,
                                         double period_ns, double d0_ns,
                                         uint64_t *buffer_frames)
{
    if (!buffer_frames || !check_not_negative(headroom_ns) ||
        !check_positive(rate_frames_per_s) || !check_positive(period_ns) ||
        !check_not_negative(d0_ns)) {
        return HK_EINVAL;
    }
    const double exact = rate_frames_per_s * (headroom_ns + period_ns + d0_ns) / HK_NS_PER_S;
    if (!(exact <= FRAMES_MAX)) {
        return HK_ETOOBIG;
    }
    /* A whole number of frames that rounding lifted by an ulp stays that number. */
    const double nearest = round(exact);
    const bool whole = fabs(exact - nearest) <= 1e-12 * nearest;
    *buffer_frames = (uint64_t)(whole ? nearest : ceil(exact));
    return HK_OK;
}

enum hk_status hk_underrun_per_hour(double probability, double period_ns, double extremal_index,
                                    double *per_hour)
{
    if (!per_hour || !(probability >= 0.0 && probability <= 1.0) || !check_positive(period_ns) ||
        !(extremal_index > 0.0 && extremal_index <= 1.0)) {
        return HK_EINVAL;
    }
    const double trials = NS_PER_HOUR / period_ns;
    if (extremal_index < 1.0) {
        *per_hour = -expm1(-extremal_index * trials * probability);
    } else {
        *per_hour = probability < 1.0 ? -expm1(trials * log1p(-probability)) : 1.0;
    }
    return HK_OK;
}

enum hk_status hk_underrun_from_hourly(double per_hour, double period_ns, double extremal_index,
                                       double *probability)
{
    if (!probability || !check_inside_unit(per_hour) || !check_positive(period_ns) ||
        !(extremal_index > 0.0 && extremal_index <= 1.0)) {
        return HK_EINVAL;
    }
    const double trials = NS_PER_HOUR / period_ns;
    const double exponent = -log1p(-per_hour) / (extremal_index * trials);
    const double p = extremal_index < 1.0 ? exponent : -expm1(-exponent);
    if (!(p > 0.0 && p <= 1.0)) {
        return HK_ERANGE;
    }
    *probability = p;
    return HK_OK;
}

enum hk_status hk_underrun_buffer_for_hourly(const struct hk_underrun_design *design,
                                             double per_hour, uint64_t *buffer_frames)
{
    if (!design) {
        return HK_EINVAL;
    }
    double probability;
    double headroom_ns;
    enum hk_status status = hk_underrun_from_hourly(per_hour, design->period_ns,
                                                    design->extremal_index, &probability);
    if (status == HK_OK) {
        /* Certain underruns need no headroom at all. */
        status = hk_underrun_headroom_needed(design->law, design->mean_delay_ns,
                                             design->period_ns,
                                             fmin(probability, nextafter(1.0, 0.0)), &headroom_ns);
    }
    if (status == HK_OK) {
        status = hk_underrun_buffer_needed(headroom_ns, design->rate_frames_per_s,
                                           design->period_ns, design->d0_ns, buffer_frames);
    }
    return status;
}

static bool delays_valid(const double *delay_ns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(delay_ns[i]) || delay_ns[i] < 0.0) {
            return false;
        }
    }
    return true;
}

static uint64_t replay_device(const double *delay_ns, size_t n, double headroom_ns)
{
    uint64_t events = 0;
    for (size_t i = 0; i < n; i++) {
        events += delay_ns[i] > headroom_ns;
    }
    return events;
}

static uint64_t replay_absolute(const double *delay_ns, size_t n, double headroom_ns)
{
    uint64_t events = 0;
    for (size_t i = 1; i < n; i++) {
        events += delay_ns[i] - delay_ns[i - 1] > headroom_ns;
    }
    return events;
}

static uint64_t replay_queue(const double *delay_ns, size_t n, double headroom_ns,
                             double period_ns)
{
    uint64_t events = 0;
    double wait_ns = 0.0;
    for (size_t i = 0; i < n; i++) {
        events += wait_ns + delay_ns[i] > headroom_ns;
        wait_ns = fmax(0.0, wait_ns + delay_ns[i] - period_ns);
    }
    return events;
}

enum hk_status hk_underrun_replay(enum hk_underrun_law law, const double *delay_ns, size_t n,
                                  double headroom_ns, double period_ns, uint64_t *events,
                                  uint64_t *trials)
{
    if (!delay_ns || !events || !trials || !law_valid(law) || !isfinite(headroom_ns) ||
        (law == HK_UNDERRUN_QUEUE && !check_positive(period_ns))) {
        return HK_EINVAL;
    }
    if (n < 2) {
        return HK_ENOISE;
    }
    if (!delays_valid(delay_ns, n)) {
        return HK_EINVAL;
    }
    switch (law) {
    case HK_UNDERRUN_DEVICE:
        *events = replay_device(delay_ns, n, headroom_ns);
        break;
    case HK_UNDERRUN_ABSOLUTE:
        *events = replay_absolute(delay_ns, n, headroom_ns);
        break;
    case HK_UNDERRUN_QUEUE:
        *events = replay_queue(delay_ns, n, headroom_ns, period_ns);
        break;
    }
    *trials = law == HK_UNDERRUN_ABSOLUTE ? n - 1 : n;
    return HK_OK;
}

const char *hk_underrun_law_name(enum hk_underrun_law law)
{
    switch (law) {
    case HK_UNDERRUN_DEVICE:
        return "device-anchored";
    case HK_UNDERRUN_ABSOLUTE:
        return "absolute timer";
    case HK_UNDERRUN_QUEUE:
        return "queue";
    }
    return "?";
}
