/* SPDX-License-Identifier: MIT */
/*
 * An audio server's period: wake with the device, mix so many streams, fill the device's
 * buffer. Buffers of 1 to 8 periods are fed by the same wake-ups and drained by the clock; an
 * underrun is a buffer that the mix comes too late for. What the scheduler's lateness alone
 * does is measured by the underrun cells.
 */
#include <math.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "periodic.h"

enum { BUFFERS = 8, STREAMS_MAX = 1024, CHANNELS = 2, FRAMES_PER_S = 48000 };

static const char *const policies[] = {"other", "fifo", "deadline"};
static const char *const loads[] = {"idle", "loaded"};
static const unsigned stream_counts[] = {1, 32, 256};
static const unsigned period_us = 1333; /* 64 frames of 48 kHz */

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    if (mode != HK_RUN_FULL)
        return HK_OK;
    for (size_t p = 0; p < HK_ARRAY_COUNT(policies); p++)
        for (size_t l = 0; l < HK_ARRAY_COUNT(loads); l++)
            for (size_t s = 0; s < HK_ARRAY_COUNT(stream_counts) && status == HK_OK; s++)
                status = add(context, "native/audio/device/policy:%s/load:%s/period_us:%u/"
                             "streams:%u", policies[p], loads[l], period_us, stream_counts[s]);
    return status;
}

/* One period of all streams, and what became of the buffers. */
struct mixer {
    const struct hk_periodic *periodic;
    size_t streams;
    size_t samples; /* of a period, all channels */
    float *input;   /* streams times samples */
    float *gains;
    float *output;
    bool filled;    /* the first period fills the buffers and is not counted */
    size_t periods;
    double *done_ns; /* after the device's tick, by period */
    uint64_t last_done_ns;
    double mixing_ns; /* of all periods */
    double level_ns[BUFFERS];
    double underruns[BUFFERS];
};

static void mix(struct mixer *m)
{
    for (size_t i = 0; i < m->samples; i++)
        m->output[i] = 0;
    for (size_t s = 0; s < m->streams; s++) {
        const float *in = m->input + s * m->samples;
        const float gain = m->gains[s];
        for (size_t i = 0; i < m->samples; i++)
            m->output[i] += gain * in[i];
    }
    __asm__ volatile("" : : "r"(m->output) : "memory"); /* the mix must happen */
}

static void feed(void *context, const struct hk_wakeup *w)
{
    struct mixer *m = context;
    const double period_ns = (double)m->periodic->period_ns;

    mix(m);
    const uint64_t now_ns = hk_monotonic_ns();
    const double late_ns = (double)now_ns - (double)w->grid_ns;
    m->mixing_ns += (double)(now_ns - w->now_ns);
    for (size_t b = 0; b < BUFFERS; b++) {
        if (m->filled) {
            m->level_ns[b] -= (double)(now_ns - m->last_done_ns);
            m->underruns[b] += m->level_ns[b] < 0;
        }
        /* Filled up as of the tick: what has been played since is missing. */
        m->level_ns[b] = (double)(b + 1) * period_ns - late_ns;
    }
    if (m->filled)
        m->done_ns[m->periods++] = late_ns;
    m->filled = true;
    m->last_done_ns = now_ns;
}

static enum hk_status prepare(struct hk_task *task, struct mixer *m)
{
    const int64_t streams = hk_task_int(task, "streams", 0);

    if (streams < 1 || streams > STREAMS_MAX)
        return hk_task_refuse(task, HK_EINVAL, "streams:1 to %d are needed", STREAMS_MAX);
    m->periodic = task->state;
    m->streams = (size_t)streams;
    m->samples = CHANNELS * (size_t)((double)FRAMES_PER_S * (double)m->periodic->period_ns / 1e9);
    m->input = malloc(m->streams * m->samples * sizeof *m->input);
    m->gains = malloc(m->streams * sizeof *m->gains);
    m->output = calloc(m->samples + 1, sizeof *m->output);
    m->done_ns = calloc(m->periodic->count + 1, sizeof *m->done_ns);
    if (m->input == NULL || m->gains == NULL || m->output == NULL || m->done_ns == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < m->streams * m->samples; i++)
        m->input[i] = (float)(hk_mix(task->seed, i) % 2001) / 1000 - 1;
    for (size_t s = 0; s < m->streams; s++)
        m->gains[s] = 1 / (float)(s + 1);
    mix(m); /* first touches stay out of the first period */
    return HK_OK;
}

static void release(struct mixer *m)
{
    free(m->input);
    free(m->gains);
    free(m->output);
    free(m->done_ns);
}

/* The last period's mix, sample by sample in higher precision. */
static bool mix_is_right(const struct mixer *m)
{
    for (size_t i = 0; i < m->samples; i++) {
        double sum = 0;
        for (size_t s = 0; s < m->streams; s++)
            sum += (double)m->gains[s] * (double)m->input[s * m->samples + i];
        if (fabs(sum - (double)m->output[i]) > 1e-3)
            return false;
    }
    return true;
}

static enum hk_status report(const struct mixer *m, struct hk_launch *launch)
{
    double headroom_ns[BUFFERS], periods[BUFFERS];

    for (size_t b = 0; b < BUFFERS; b++) {
        headroom_ns[b] = (double)b * (double)m->periodic->period_ns;
        periods[b] = (double)m->periods;
    }
    enum hk_status status = hk_launch_add_series(launch, "headroom_ns", headroom_ns, BUFFERS);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "underruns_count", m->underruns, BUFFERS);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "periods_count", periods, BUFFERS);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "completion_ns", m->done_ns, m->periods);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "hk_mix_ns_mean",
                                       m->mixing_ns / (double)(m->periods + 1));
    return status;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    struct mixer m = {0};

    prctl(PR_SET_TIMERSLACK, 1); /* as audio servers do */
    enum hk_status status = prepare(task, &m);
    if (status == HK_OK)
        status = hk_periodic_run(task, launch, feed, &m);
    if (status == HK_OK && !mix_is_right(&m))
        status = hk_task_refuse(task, HK_EROW, "the mix is not the sum of its streams");
    if (status == HK_OK)
        status = report(&m, launch);
    release(&m);
    return status;
}

const struct hk_experiment hk_experiment_audio = {
    .kind = "audio",
    .summary = "a mixer that fills a device's buffer every period: underruns by size",
    .expand = expand,
    .open = hk_periodic_open,
    .close = hk_periodic_close,
    .help = hk_periodic_help,
    .enter = hk_periodic_enter,
    .measure = measure,
};
