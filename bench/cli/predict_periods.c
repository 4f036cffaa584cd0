/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "predict_print.h"

void hk_prediction_refuse(struct hk_prediction_task *task, const char *format, ...)
{
    va_list arguments;

    if (task->refusal_count == HK_PREDICTION_REFUSALS)
        return;
    va_start(arguments, format);
    vsnprintf(task->refusals[task->refusal_count++], HK_TEXT_BYTES, format, arguments);
    va_end(arguments);
}

bool hk_mix_plays(const struct hk_mix *mix)
{
    return mix->audio_period_ns < HK_MIX_PERIOD_NS_MAX;
}

/* Cells of wake-ups that nobody delayed, and the series that has the delays. */
static const struct {
    const char *prefix;
    const char *series;
} sources[] = {
    {"native/wakeup/device/", "lateness_ns"},  /* until the mixer runs */
    {"native/audio/device/", "completion_ns"}, /* until it has mixed */
};

static const char *series_of(const char *cell)
{
    char text[24];

    for (size_t i = 0; i < HK_ARRAY_COUNT(sources); i++)
        if (strncmp(cell, sources[i].prefix, strlen(sources[i].prefix)) == 0)
            return hk_name_text(cell, "inject_us", text, sizeof text) != HK_OK ||
                           strcmp(text, "0") == 0
                       ? sources[i].series : NULL;
    return NULL;
}

/* The delays of all launches of a cell, in order; NULL when there are none or memory is short. */
static double *delays_of(const struct hk_launch *first, size_t launch_count, const char *series,
                         size_t *count)
{
    double *all = NULL;

    *count = 0;
    for (size_t i = 0; i < launch_count; i++) {
        const struct hk_series *s = hk_launch_series(&first[i], series);
        if (first[i].state != HK_LAUNCH_OK || s == NULL || s->count == 0)
            continue;
        double *more = realloc(all, (*count + s->count) * sizeof *all);
        if (more == NULL) {
            free(all);
            return NULL;
        }
        all = more;
        memcpy(all + *count, s->values, s->count * sizeof *all);
        *count += s->count;
    }
    return all;
}

static void add_cell(struct hk_prediction_task *t, const struct hk_launch *first, size_t count,
                     struct hk_rng *rng)
{
    struct hk_prediction_period *row = &t->periods[t->period_count];
    const struct hk_mix *mix = &t->workload.mix;
    const char *series = series_of(first->name);
    size_t n = 0;

    if (series == NULL || t->period_count == HK_PREDICTION_ROWS)
        return;
    double *delays_ns = delays_of(first, count, series, &n);
    if (delays_ns == NULL)
        return;
    const enum hk_status status = hk_periods_predict(delays_ns, n, (double)mix->audio_period_ns,
                                                     mix->audio_buffers, rng, &row->periods);
    free(delays_ns);
    if (status == HK_OK) {
        snprintf(row->cell, sizeof row->cell, "%s", first->name);
        t->period_count++;
    } else {
        hk_prediction_refuse(t, "jitter and underruns by %.150s: %s", first->name,
                             hk_status_text(status));
    }
}

void hk_prediction_periods(struct hk_prediction_task *task, struct hk_rng *rng)
{
    const struct hk_run *run = &task->wakeups;
    size_t end = 0;

    for (size_t i = 0; i < run->launch_count; i = end) { /* launches are sorted by name */
        for (end = i + 1;
             end < run->launch_count && strcmp(run->launches[end].name, run->launches[i].name) == 0;)
            end++;
        add_cell(task, &run->launches[i], end - i, rng);
    }
}
