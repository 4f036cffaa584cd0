/* SPDX-License-Identifier: MIT */
/*
 * F3 under load: launches of a server whose queue, dispatch and overhead are known. What begins
 * when is found here by a clock that goes from request to request, not by the model's recursion.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/summary.h"
#include "world.h"

enum { LOADS = 5, REQUESTS_SHARE = 10 };

static const double service_ns = 200e3;
static const double overhead_ns = 1.4e3;
static const double dispatch_ns = 31e3; /* in the mean */

/* An exponential law, one draw from each of n parts: every launch has its mean and variance. */
static void draw_exponential(struct hk_world *w, double mean_ns, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = -mean_ns * log1p(-((double)i + hk_rng_uniform(w->rng)) / (double)n);
}

static void draw_works(struct hk_world *w, const char *law, double *work, size_t n)
{
    const size_t often = strcmp(law, "hyper2") == 0 ? n - n / 9 : n;

    draw_exponential(w, often < n ? service_ns * 9 / 16 : service_ns, work, often);
    draw_exponential(w, service_ns * 9 / 2, work + often, n - often);
    for (size_t i = 0; i < n && strcmp(law, "deterministic") == 0; i++)
        work[i] = service_ns;
    hk_rng_shuffle(w->rng, work, n);
}

/* The requests of one launch, each array of count. */
struct trace {
    size_t count;
    double *gap;
    double *work;
    double *service;
    double *wait;
    double *dispatch;
    size_t dispatch_count;
};

static void serve(struct hk_world *w, struct trace *t)
{
    double now_ns = 0, free_ns = -1;

    t->dispatch_count = 0;
    for (size_t i = 0; i < t->count; i++) {
        now_ns += t->gap[i];
        t->service[i] = t->work[i] + overhead_ns;
        t->wait[i] = free_ns - now_ns;
        if (free_ns <= now_ns) {
            t->wait[i] = hk_rng_exponential(w->rng, dispatch_ns);
            t->dispatch[t->dispatch_count++] = t->wait[i];
        }
        free_ns = now_ns + t->wait[i] + t->service[i];
    }
}

static void add_launch(struct hk_world *w, const struct trace *t, const char *cell, uint32_t index)
{
    const struct {
        const char *mean;
        const char *cv2;
        const double *x;
        size_t count;
    } moments[] = {
        {"wait_ns", "wait_cv2", t->wait, t->count},
        {"service_ns", "service_cv2", t->service, t->count},
        {"work_ns", "work_cv2", t->work, t->count},
        {"gap_ns", "arrival_cv2", t->gap + 1, t->count - 1},
        {"dispatch_ns", "dispatch_cv2", t->dispatch, t->dispatch_count},
    };
    const struct hk_world_series series[] = {{"request_gap_ns", t->gap, t->count},
                                             {"request_work_ns", t->work, t->count}};
    struct hk_world_counter counters[2 * HK_ARRAY_COUNT(moments) + 1];
    struct hk_estimate mean = {0};
    size_t n = 0;

    for (size_t i = 0; i < HK_ARRAY_COUNT(moments) && w->status == HK_OK; i++) {
        w->status = hk_mean_estimate(moments[i].x, moments[i].count, &mean);
        const double cv = mean.standard_error * sqrt((double)moments[i].count) / mean.value;
        counters[n++] = (struct hk_world_counter){moments[i].mean, mean.value};
        counters[n++] = (struct hk_world_counter){moments[i].cv2, cv * cv};
        if (moments[i].x == t->gap + 1)
            counters[n++] = (struct hk_world_counter){"arrivals_per_s", HK_NS_PER_S / mean.value};
    }
    if (w->status == HK_OK)
        hk_world_launch(w, cell, index, HK_TIMED, counters, n, series, HK_ARRAY_COUNT(series));
}

static void add_cell(struct hk_world *w, struct trace *t, const char *law, int rho_percent)
{
    char cell[HK_NAME_BYTES];

    snprintf(cell, sizeof cell,
             "native/queue/pipe/place:cross_core/policy:fifo/law:%s/rho_percent:%d/service_us:200",
             law, rho_percent);
    for (uint32_t i = 0; i < w->plan->launch_count; i++) {
        draw_exponential(w, 100 * service_ns / rho_percent, t->gap, t->count);
        hk_rng_shuffle(w->rng, t->gap, t->count);
        draw_works(w, law, t->work, t->count);
        serve(w, t);
        add_launch(w, t, cell, i);
    }
}

void hk_fill_queue(struct hk_world *w)
{
    static const char *const laws[] = {"deterministic", "exponential", "hyper2"};
    static const int rhos_percent[LOADS] = {30, 40, 50, 60, 70};
    const size_t n = w->plan->wake_count / REQUESTS_SHARE;
    double *x = malloc(5 * n * sizeof *x);
    struct trace t = {n, x, x + n, x + 2 * n, x + 3 * n, x + 4 * n, 0};

    if (x == NULL) {
        w->status = HK_ENOMEM;
        return;
    }
    for (size_t law = 0; law < HK_ARRAY_COUNT(laws); law++)
        for (size_t r = 0; r < LOADS && w->status == HK_OK; r++)
            add_cell(w, &t, laws[law], rhos_percent[r]);
    free(x);
}
