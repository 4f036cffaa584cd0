/* SPDX-License-Identifier: MIT */
#include "audio_graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hk/base/units.h"
#include "hk/stats/quantile.h"
#include "timed.h"

enum { CALLBACKS_SKIPPED = 16, CALLBACKS_MIN = 8 };

/* A sample's value is its frame, as far as a float is exact. */
static const uint64_t sample_mask = 0xfffff;

struct hk_audio_graph *hk_audio_graph_create(size_t clients, uint32_t period_frames,
                                             uint64_t session_ns)
{
    /* Servers may make up for periods they missed: half as many again. */
    const size_t capacity = CALLBACKS_SKIPPED + (size_t)(1.5 * (double)session_ns / 1e9 *
                                                         HK_AUDIO_RATE_HZ / period_frames);
    const size_t each = capacity * sizeof(struct hk_audio_callback);
    const size_t bytes = sizeof(struct hk_audio_graph) + clients * each;
    struct hk_audio_graph *g = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (g == MAP_FAILED)
        return NULL;
    g->period_frames = period_frames;
    g->client_count = clients;
    g->capacity = capacity;
    g->bytes = bytes;
    for (size_t c = 0; c < clients; c++)
        g->clients[c].callbacks = (struct hk_audio_callback *)(g + 1) + c * capacity;
    return g;
}

void hk_audio_graph_destroy(struct hk_audio_graph *graph)
{
    if (graph != NULL)
        munmap(graph, graph->bytes);
}

void hk_audio_client_name(size_t client, char name[HK_AUDIO_NAME_BYTES])
{
    snprintf(name, HK_AUDIO_NAME_BYTES, "client%zu", client);
}

static float sample_of(uint64_t frame)
{
    return (float)(frame & sample_mask);
}

static bool is_right(uint64_t frame, uint32_t frames, const float *in)
{
    for (uint32_t i = 0; i < frames; i++)
        if (in[i] != sample_of(frame + i))
            return false;
    return true;
}

static void make_samples(uint64_t frame, uint32_t frames, float *out)
{
    for (uint32_t i = 0; i < frames; i++)
        out[i] = sample_of(frame + i);
}

void hk_audio_called(struct hk_audio_graph *graph, size_t client, uint64_t at_ns, uint64_t frame,
                     uint32_t frames, const float *in, float *out)
{
    struct hk_audio_client *c = &graph->clients[client];
    const size_t n = atomic_load_explicit(&c->count, memory_order_relaxed);
    const bool last = client > 0 && client + 1 == graph->client_count;

    if (client == 0 && out != NULL)
        make_samples(frame, frames, out);
    else if (in != NULL && out != NULL)
        memcpy(out, in, frames * sizeof *out);
    if (n == graph->capacity || !atomic_load_explicit(&graph->recording, memory_order_relaxed))
        return;
    const bool arrived = !last || (in != NULL && is_right(frame, frames, in));
    c->callbacks[n] = (struct hk_audio_callback){
        .at_ns = at_ns, .frame = frame, .right = frames == graph->period_frames && arrived};
    atomic_store_explicit(&c->count, n + 1, memory_order_release);
}

/* --- what came of it ------------------------------------------------------------------------ */

/* A client's callbacks without the first few. */
struct track {
    const struct hk_audio_callback *callbacks;
    size_t count;
};

static struct track track_of(const struct hk_audio_client *c)
{
    const size_t count = atomic_load_explicit(&c->count, memory_order_acquire);
    const size_t skipped = count < CALLBACKS_SKIPPED ? count : CALLBACKS_SKIPPED;

    return (struct track){c->callbacks + skipped, count - skipped};
}

static double period_ns(const struct hk_audio_graph *graph)
{
    return 1e9 * graph->period_frames / HK_AUDIO_RATE_HZ;
}

/*
 * One stretch from a callback on: how much later than the earliest of it each callback comes, on a
 * grid of whole periods. It ends where the server left periods out, and behind a callback that is
 * half a period late: a server that missed a period starts its clock anew, and tells it late or not
 * at all. Returns where the next begins.
 */
static size_t find_stretch(const struct hk_audio_graph *graph, const struct track *t, size_t from,
                           double *lateness_ns)
{
    const struct hk_audio_callback *c = t->callbacks;
    double earliest_ns = 0;
    size_t to = from;

    do {
        lateness_ns[to] = (double)(c[to].at_ns - c[from].at_ns) -
                          (double)(to - from) * period_ns(graph);
        earliest_ns = fmin(earliest_ns, lateness_ns[to]);
        to++;
    } while (to < t->count && c[to].frame == c[to - 1].frame + graph->period_frames &&
             lateness_ns[to - 1] - earliest_ns < period_ns(graph) / 2);
    for (size_t i = from; i < to; i++)
        lateness_ns[i] -= earliest_ns;
    return to;
}

static void find_lateness(const struct hk_audio_graph *graph, const struct track *t,
                          double *lateness_ns)
{
    for (size_t from = 0; from < t->count;)
        from = find_stretch(graph, t, from, lateness_ns);
}

/* Sorts the values. */
static enum hk_status report_lateness(double *lateness_ns, size_t n, struct hk_launch *launch)
{
    static const struct {
        const char *name;
        double q;
    } quantiles[] = {{"hk_lateness_ns_p50", 0.5}, {"hk_lateness_ns_p90", 0.9},
                     {"hk_lateness_ns_p99", 0.99}};
    enum hk_status status = hk_launch_add_series(launch, "lateness_ns", lateness_ns, n);

    if (status == HK_OK)
        status = hk_sample_sort(lateness_ns, n);
    for (size_t i = 0; i < HK_ARRAY_COUNT(quantiles) && status == HK_OK; i++) {
        double value_ns;
        if (quantiles[i].q > 1 - 1 / (double)n)
            break; /* no tail from fewer values than that */
        status = hk_quantile(lateness_ns, n, quantiles[i].q, &value_ns);
        if (status == HK_OK)
            status = hk_launch_add_counter(launch, quantiles[i].name, value_ns);
    }
    return status;
}

/* Intervals take the place of whatever is in values_ns. */
static enum hk_status report_intervals(const struct hk_audio_graph *graph, const struct track *t,
                                       double *values_ns, struct hk_launch *launch)
{
    double deviation_ns = 0;

    for (size_t i = 0; i + 1 < t->count; i++) {
        values_ns[i] = (double)(t->callbacks[i + 1].at_ns - t->callbacks[i].at_ns);
        deviation_ns += fabs(values_ns[i] - period_ns(graph)) / (double)(t->count - 1);
    }
    const enum hk_status status =
        hk_launch_add_series(launch, "interval_ns", values_ns, t->count - 1);
    return status == HK_OK
               ? hk_launch_add_counter(launch, "hk_period_deviation_ns_mean", deviation_ns)
               : status;
}

/*
 * From the first client's begin to the last one's, by client in between, of periods that passed
 * through all. Returns how many there are.
 */
static size_t find_hops(const struct hk_audio_graph *graph, const struct track *first,
                        double *hops_ns)
{
    const struct track last = track_of(&graph->clients[graph->client_count - 1]);
    size_t n = 0;

    for (size_t i = 0, j = 0; i < first->count; i++) {
        const struct hk_audio_callback *a = &first->callbacks[i];
        while (j < last.count && last.callbacks[j].frame < a->frame)
            j++;
        if (j == last.count)
            break;
        const struct hk_audio_callback *b = &last.callbacks[j];
        if (b->frame == a->frame && a->right && b->right && b->at_ns > a->at_ns)
            hops_ns[n++] = (double)(b->at_ns - a->at_ns) / (double)(graph->client_count - 1);
    }
    return n;
}

static enum hk_status report_hops(struct hk_task *task, const struct hk_audio_graph *graph,
                                  const struct track *first, double *values_ns,
                                  struct hk_launch *launch)
{
    const size_t n = find_hops(graph, first, values_ns);

    if (2 * n < first->count)
        return hk_task_refuse(task, HK_EROW, "the samples of %zu periods of %zu passed through all "
                              "clients", n, first->count);
    const enum hk_status status =
        hk_launch_add_counter(launch, "hk_whole_periods_ratio", (double)n / (double)first->count);
    return status == HK_OK ? hk_report_costs(values_ns, n, launch) : status;
}

static enum hk_status report_track(struct hk_task *task, const struct hk_audio_graph *graph,
                                   const struct track *t, double *values_ns,
                                   struct hk_launch *launch)
{
    uint64_t xruns = 0;

    for (size_t i = 0; i < t->count; i++)
        if (!t->callbacks[i].right)
            return hk_task_refuse(task, HK_EROW, "a callback was not asked for %u frames",
                                  graph->period_frames);
    for (size_t c = 0; c < graph->client_count; c++) /* each is told of all */
        xruns = graph->clients[c].xruns > xruns ? graph->clients[c].xruns : xruns;
    find_lateness(graph, t, values_ns);
    enum hk_status status = report_lateness(values_ns, t->count, launch);
    if (status == HK_OK)
        status = report_intervals(graph, t, values_ns, launch);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "hk_periods_count", (double)t->count);
    if (status == HK_OK && graph->tells_xruns)
        status = hk_launch_add_counter(launch, "hk_xruns_count", (double)xruns);
    if (status == HK_OK && graph->client_count > 1)
        status = report_hops(task, graph, t, values_ns, launch);
    return status;
}

enum hk_status hk_audio_report(struct hk_task *task, const struct hk_audio_graph *graph,
                               struct hk_launch *launch)
{
    const struct track first = track_of(&graph->clients[0]);

    if (first.count < CALLBACKS_MIN)
        return hk_task_refuse(task, HK_ETIMEOUT, "the server called the client back only %zu times "
                              "in a session; measure on a quieter machine",
                              first.count);
    double *values_ns = calloc(first.count, sizeof *values_ns);
    if (values_ns == NULL)
        return HK_ENOMEM;
    const enum hk_status status = report_track(task, graph, &first, values_ns, launch);
    free(values_ns);
    return status;
}
