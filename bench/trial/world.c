/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"

const struct hk_world_plan hk_world_plan_default = {
    .seed = 1,
    .noise = HK_NOISE_INDEPENDENT,
    .noise_ratio = 0.005,
    .launch_count = 8,
    .wake_count = 20000,
};

#define HOLDS(formula, regime) {formula, regime, HK_VERDICT_HOLDS, NULL}
#define REPLACED(formula, regime, by) {formula, regime, HK_VERDICT_REFUTED_REPLACED, by}

const struct hk_world_kind hk_world_kinds[] = {
    {.name = "placements additive", .fill = hk_fill_additive,
     .controls = {HOLDS("F2", "guest/placement/trial"),
                  HOLDS("F1", "guest/placement/trial/winner"),
                  HOLDS("F1", "guest/placement/trial/regret")}},
    {.name = "placements in pairs", .fill = hk_fill_pairs,
     .controls = {REPLACED("F2", "guest/placement/trial", "pairs")}},
    {.name = "hops alike", .fill = hk_fill_hops_alike,
     .controls = {HOLDS("F3", "native/pipe/same_core")}},
    {.name = "hops dearer", .fill = hk_fill_hops_dearer,
     .controls = {REPLACED("F3", "native/pipe/same_core", "incremental hop")}},
    {.name = "hops of three", .fill = hk_fill_hops_of_three,
     .controls = {REPLACED("F3", "native/pipe/same_core", "hop among three spaces")}},
    {.name = "injection", .fill = hk_fill_injection,
     .controls = {HOLDS("F3", "native/pipe/coefficient of one server"),
                  HOLDS("F3", "native/pipe/coefficient of two servers"),
                  HOLDS("F3", "native/pipe/coefficient of the kernel path")}},
    {.name = "service of four transfers", .fill = hk_fill_service_textbook,
     .controls = {HOLDS("F3", "native/file/fuse")}},
    {.name = "service of one round trip", .fill = hk_fill_service_one_trip,
     .controls = {REPLACED("F3", "native/file/fuse", "kernel path and a round trip")}},
    {.name = "copy is half", .fill = hk_fill_share_half,
     .controls = {HOLDS("F4", "native/file read/reply of bytes"),
                  HOLDS("F4", "native/file read/reply of pages")}},
    {.name = "copy's own share", .fill = hk_fill_share_own,
     .controls = {REPLACED("F4", "native/file read/reply of bytes", "with the copy's own share"),
                  REPLACED("F4", "native/file read/reply of pages", "with the copy's own share")}},
    {.name = "independent sizes", .fill = hk_fill_independent,
     .controls = {HOLDS("F5", "native/independent/bytes"), HOLDS("F5", "native/independent/time")}},
    {.name = "dependent sizes", .fill = hk_fill_dependent,
     .controls = {REPLACED("F5", "native/dependent/bytes", "corrected for covariance"),
                  REPLACED("F5", "native/dependent/time", "corrected for covariance")}},
    {.name = "partial mapping", .fill = hk_fill_partial,
     .controls = {REPLACED("F5", "native/partial mapping/bytes", "partial mapping law")}},
    {.name = "exponential delays", .fill = hk_fill_exponential,
     .controls = {HOLDS("F6", "native/absolute/fifo/idle/injected Exp"),
                  HOLDS("F7", "native/device/fifo/idle/injected Exp"),
                  REPLACED("F7", "native/absolute/fifo/idle/injected Exp", "reading of this clock")},
     .delays = true},
    {.name = "queued delays", .fill = hk_fill_queued,
     .controls = {REPLACED("F7", "native/queued/fifo/idle/injected Exp", "reading of this clock")},
     .delays = true},
    {.name = "lognormal delays", .fill = hk_fill_lognormal,
     .controls = {REPLACED("F6", "native/absolute/other/idle", "sigma sqrt(2 (1 - rho1))"),
                  REPLACED("F7", "native/device/other/idle", "measured law with GPD tail")},
     .delays = true},
    {.name = "autoregressive delays", .fill = hk_fill_autoregressive,
     .controls = {REPLACED("F6", "native/absolute/other/cpu", "sigma sqrt(2 (1 - rho1))")},
     .delays = true},
    {.name = "waits under load", .fill = hk_fill_queue,
     .controls = {REPLACED("F3", "native/queue/fifo/deterministic", HK_MODEL_POISSON_WAIT),
                  REPLACED("F3", "native/queue/fifo/exponential", HK_MODEL_POISSON_WAIT),
                  REPLACED("F3", "native/queue/fifo/hyper2", HK_MODEL_POISSON_WAIT),
                  HOLDS("F3", "native/queue/fifo/exponential/replay"),
                  HOLDS("F3", "native/queue/fifo/hyper2/replay")},
     .delays = true},
    {.name = "closed forms",
     .controls = {HOLDS("Rare", "trial/closed forms"), HOLDS("Rare", "trial/intervals")},
     .delays = true, .judge = hk_judge_rare},
    {.name = "few changes", .fill = hk_fill_few_changes,
     .controls = {HOLDS("F8", "guest/refresh/server")}},
    {.name = "many changes", .fill = hk_fill_many_changes,
     .controls = {REPLACED("F8", "guest/refresh/server", "periodic refresh")}},
    {.name = "extension", .fill = hk_fill_extension,
     .controls = {HOLDS("F9", "native/loading/straight"),
                  REPLACED("F9", "native/loading/branchy", "by processed instructions"),
                  HOLDS("F9", "native/amortised"), HOLDS("F9", "native/break-even")}},
    {.name = "extension with attachment", .fill = hk_fill_attachment,
     .controls = {REPLACED("F9", "native/amortised", "with the attachment"),
                  REPLACED("F9", "native/break-even", "with the attachment")}},
};
const size_t hk_world_kind_count = HK_ARRAY_COUNT(hk_world_kinds);

const struct hk_world_kind *hk_world_find(const char *name)
{
    for (size_t i = 0; i < hk_world_kind_count; i++)
        if (strcmp(hk_world_kinds[i].name, name) == 0)
            return &hk_world_kinds[i];
    return NULL;
}

/* --- launches ------------------------------------------------------------------ */

static struct hk_launch *new_launch(struct hk_world *w, const char *cell, uint32_t index)
{
    struct hk_run *run = &w->run;

    if (w->status == HK_OK && run->launch_count == w->capacity) {
        const size_t capacity = w->capacity == 0 ? 64 : 2 * w->capacity;
        struct hk_launch *larger = realloc(run->launches, capacity * sizeof *larger);
        w->status = larger == NULL ? HK_ENOMEM : HK_OK;
        run->launches = larger == NULL ? run->launches : larger;
        w->capacity = larger == NULL ? w->capacity : capacity;
    }
    if (w->status == HK_OK)
        w->status = hk_launch_init(&run->launches[run->launch_count], cell, index, index);
    return w->status == HK_OK ? &run->launches[run->launch_count++] : NULL;
}

struct hk_noise_source hk_world_noise(struct hk_world *w)
{
    return (struct hk_noise_source){w->plan->noise, hk_rng_normal(w->rng), w->rng};
}

double hk_world_factor(const struct hk_world *w, struct hk_noise_source *source)
{
    return 1 + w->plan->noise_ratio * hk_noise_next(source);
}

void hk_world_cell(struct hk_world *w, const char *counter, double value, const char *format, ...)
{
    struct hk_noise_source noise = hk_world_noise(w);
    char cell[HK_NAME_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(cell, sizeof cell, format, args);
    va_end(args);
    for (uint32_t i = 0; i < w->plan->launch_count; i++) {
        struct hk_launch *launch = new_launch(w, cell, i);
        if (launch != NULL)
            w->status = hk_launch_add_counter(launch, counter, value * hk_world_factor(w, &noise));
    }
}

void hk_world_counter(struct hk_world *w, const char *cell, const char *counter, double value)
{
    for (size_t i = 0; i < w->run.launch_count && w->status == HK_OK; i++)
        if (strcmp(w->run.launches[i].name, cell) == 0)
            w->status = hk_launch_add_counter(&w->run.launches[i], counter, value);
}

void hk_world_launch(struct hk_world *w, const char *cell, uint32_t index,
                     enum hk_exactness exactness, const struct hk_world_counter *counters,
                     size_t counter_count, const struct hk_world_series *series,
                     size_t series_count)
{
    struct hk_launch *launch = new_launch(w, cell, index);

    if (launch == NULL)
        return;
    launch->exactness = exactness;
    for (size_t i = 0; i < counter_count && w->status == HK_OK; i++)
        w->status = hk_launch_add_counter(launch, counters[i].name, counters[i].value);
    for (size_t i = 0; i < series_count && w->status == HK_OK; i++)
        w->status =
            hk_launch_add_series(launch, series[i].name, series[i].values, series[i].count);
}

/* --- judging ------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct hk_launch *x = a;
    const struct hk_launch *y = b;
    const int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

enum hk_status hk_world_judge(const struct hk_world_kind *kind, const struct hk_world_plan *plan,
                              struct hk_judge *judge)
{
    struct hk_world w = {.plan = plan};
    char error[HK_TEXT_BYTES];

    w.status = hk_rng_create(plan->seed, plan->stream, &w.rng);
    if (w.status == HK_OK && kind->judge != NULL)
        w.status = kind->judge(&w, judge);
    if (w.status == HK_OK && kind->fill != NULL)
        kind->fill(&w);
    if (w.status == HK_OK && kind->fill != NULL) {
        qsort(w.run.launches, w.run.launch_count, sizeof *w.run.launches, by_name);
        w.status = hk_judge_validate(&w.run, &w.run, plan->seed, judge, error);
    }
    hk_run_fini(&w.run);
    hk_rng_destroy(w.rng);
    return w.status;
}

const struct hk_judgement *hk_control_judgement(const struct hk_control *control,
                                                const struct hk_judge *judge)
{
    return hk_judge_verdict(judge, control->formula, control->regime);
}

bool hk_control_met(const struct hk_control *control, const struct hk_judgement *j)
{
    return j != NULL && j->kind == control->verdict &&
           strcmp(j->replacement, control->replacement == NULL ? "" : control->replacement) == 0;
}
