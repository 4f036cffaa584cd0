/* SPDX-License-Identifier: MIT */
/* Worlds of delays: F6 and F7. The noise is the delays themselves. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "hk/base/units.h"
#include "world.h"

enum { HEADROOMS = 6 };

/* The constant part of every delay. */
static const double d0_ns = 90e3;
static const double mean_ns = 200e3;

/* The next delay beyond d0; state is the law's own, 0 at first. */
typedef double delay_law(struct hk_rng *rng, double *state);

static double exponential(struct hk_rng *rng, double *state)
{
    (void)state;
    return hk_rng_exponential(rng, mean_ns);
}

static double lognormal(struct hk_rng *rng, double *state)
{
    (void)state;
    return 300e3 * exp(0.45 * hk_rng_normal(rng));
}

/* Exponential with lag-1 correlation 0.5: each is half of the last and, half of the time, new. */
static double autoregressive(struct hk_rng *rng, double *state)
{
    static const double rho = 0.5;

    if (*state == 0)
        *state = hk_rng_exponential(rng, mean_ns);
    *state = rho * *state + (hk_rng_uniform(rng) < rho ? 0 : hk_rng_exponential(rng, mean_ns));
    return *state;
}

static void add_series(struct hk_world *w, const char *cell, const char *name, const double *x)
{
    const struct hk_world_series series = {name, x, w->plan->wake_count};

    hk_world_launch(w, cell, 0, HK_TIMED, NULL, 0, &series, 1);
}

static void add_lateness(struct hk_world *w, const char *clock, const char *keys, delay_law *law,
                         double *x)
{
    char cell[HK_NAME_BYTES];
    double state = 0;

    for (size_t i = 0; i < w->plan->wake_count; i++)
        x[i] = d0_ns + law(w->rng, &state);
    snprintf(cell, sizeof cell, "native/wakeup/%s/%s/record:lateness", clock, keys);
    add_series(w, cell, "lateness_ns", x);
}

static void add_intervals(struct hk_world *w, const char *keys, double period_ns, delay_law *law,
                          double *x)
{
    char cell[HK_NAME_BYTES];
    double state = 0;
    double previous = law(w->rng, &state);

    for (size_t i = 0; i < w->plan->wake_count; i++) {
        const double delay = law(w->rng, &state);
        x[i] = period_ns + delay - previous;
        previous = delay;
    }
    snprintf(cell, sizeof cell, "native/wakeup/absolute/%s/record:interval", keys);
    add_series(w, cell, "interval_ns", x);
}

/* Buffers of several head-rooms, drained by one clock's mechanism. */
struct drain {
    const char *clock;
    bool cancels; /* d0 is at both ends of what is drained, and the head-room does not lose it */
    double (*deficit)(double delay, double previous, double *backlog, double period_ns);
};

static double device_deficit(double delay, double previous, double *backlog, double period_ns)
{
    (void)previous, (void)backlog, (void)period_ns;
    return delay;
}

static double absolute_deficit(double delay, double previous, double *backlog, double period_ns)
{
    (void)backlog, (void)period_ns;
    return delay - previous;
}

static double queued_deficit(double delay, double previous, double *backlog, double period_ns)
{
    (void)previous;
    *backlog = fmax(0, *backlog - period_ns) + delay;
    return *backlog;
}

static void add_buffers(struct hk_world *w, const struct drain *drain, const char *keys,
                        double period_ns, double step_ns, delay_law *law)
{
    double headroom_ns[HEADROOMS], underruns[HEADROOMS] = {0}, periods[HEADROOMS];
    const double lost_ns = drain->cancels ? 0 : d0_ns;
    double state = 0, backlog = 0;
    double previous = law(w->rng, &state);
    char cell[HK_NAME_BYTES];

    for (size_t h = 0; h < HEADROOMS; h++) {
        headroom_ns[h] = lost_ns + step_ns * (double)(h + 1);
        periods[h] = (double)w->plan->wake_count;
    }
    for (size_t i = 0; i < w->plan->wake_count; i++) {
        const double delay = law(w->rng, &state);
        const double deficit = drain->deficit(delay, previous, &backlog, period_ns);
        for (size_t h = 0; h < HEADROOMS; h++)
            underruns[h] += deficit > headroom_ns[h] - lost_ns;
        previous = delay;
    }
    const struct hk_world_series series[] = {{"headroom_ns", headroom_ns, HEADROOMS},
                                             {"underruns_count", underruns, HEADROOMS},
                                             {"periods_count", periods, HEADROOMS}};
    snprintf(cell, sizeof cell, "native/underrun/%s/%s", drain->clock, keys);
    hk_world_launch(w, cell, 0, HK_TIMED, NULL, 0, series, HK_ARRAY_COUNT(series));
}

static const struct drain device = {"device", false, device_deficit};
static const struct drain absolute = {"absolute", true, absolute_deficit};
static const struct drain queued = {"queued", false, queued_deficit};

static double *room(struct hk_world *w)
{
    double *x = malloc(w->plan->wake_count * sizeof *x);

    w->status = x == NULL ? HK_ENOMEM : w->status;
    return x;
}

void hk_fill_exponential(struct hk_world *w)
{
    static const char keys[] = "policy:fifo/load:idle/period_us:2000/inject_us:200";
    double *x = room(w);

    if (x == NULL)
        return;
    add_lateness(w, "absolute", keys, exponential, x);
    add_lateness(w, "device", keys, exponential, x);
    add_intervals(w, keys, 2e6, exponential, x);
    add_buffers(w, &device, keys, 2e6, 150e3, exponential);
    add_buffers(w, &absolute, keys, 2e6, 120e3, exponential);
    free(x);
}

/* Work that takes two thirds of a period: what is late delays what follows. */
void hk_fill_queued(struct hk_world *w)
{
    static const char keys[] = "policy:fifo/load:idle/period_us:300/inject_us:200";
    double *x = room(w);

    if (x == NULL)
        return;
    add_lateness(w, "absolute", keys, exponential, x);
    add_buffers(w, &queued, keys, 300e3, 150e3, exponential);
    free(x);
}

void hk_fill_lognormal(struct hk_world *w)
{
    static const char keys[] = "policy:other/load:idle/period_us:1000/inject_us:0";
    double *x = room(w);

    if (x == NULL)
        return;
    add_lateness(w, "absolute", keys, lognormal, x);
    add_lateness(w, "device", keys, lognormal, x);
    add_intervals(w, keys, 1e6, lognormal, x);
    add_buffers(w, &device, keys, 1e6, 150e3, lognormal);
    free(x);
}

void hk_fill_autoregressive(struct hk_world *w)
{
    static const char keys[] = "policy:other/load:cpu/period_us:1000/inject_us:0";
    double *x = room(w);

    if (x == NULL)
        return;
    add_lateness(w, "absolute", keys, autoregressive, x);
    add_intervals(w, keys, 1e6, autoregressive, x);
    free(x);
}
