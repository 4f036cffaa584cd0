/* SPDX-License-Identifier: MIT */
#include "simulate_work.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "hk/base/units.h"
#include "hk/counters/clock.h"
#include "progress.h"

enum {
    ROUND_FIRST = 16,
    BATCHES_HOPELESS = 4096,   /* without a single hit */
    BATCHES_UNRELIABLE = 256,  /* more of the same will not help */
    BATCHES_MAX = 1 << 22,
};

static const double confidence = 0.95;

/* One rank's part of a round: slot i is batch first + i * ranks + rank. */
struct round {
    const struct hk_simulation *simulation;
    uint64_t first;
    uint64_t end;
    size_t slot_count;
    struct hk_rare_total *slots;
    atomic_size_t next;
    atomic_int status;
    struct hk_progress *progress; /* shown by the first thread of the first rank */
};

/* Take the next batch; false when there is none left, or it is time to stop. */
static bool work_once(struct round *r)
{
    const struct hk_simulation *s = r->simulation;
    const size_t slot = atomic_fetch_add(&r->next, 1);
    const uint64_t index = r->first + slot * s->ranks->count + s->ranks->rank;

    if (slot >= r->slot_count || index >= r->end || *s->stop)
        return false;
    const enum hk_status status = hk_rare_batch(s->plan, s->seed, index, &r->slots[slot]);
    if (status != HK_OK)
        atomic_store(&r->status, (int)status);
    return status == HK_OK;
}

static void *work(void *context)
{
    while (work_once(context))
        ;
    return NULL;
}

/* The first thread works, too, and tells how far all are. */
static void work_and_tell(struct round *r)
{
    while (work_once(r)) {
        const size_t taken = atomic_load(&r->next);
        if (r->simulation->ranks->rank == 0 &&
            hk_monotonic_ns() - r->progress->started_ns > HK_NS_PER_S)
            hk_progress_show(r->progress, taken < r->slot_count ? taken : r->slot_count,
                             r->slot_count, "simulating a round of batches");
    }
}

static enum hk_status run_threads(struct round *r)
{
    pthread_t threads[HK_THREADS_MAX];
    size_t started = 0;

    while (started + 1 < r->simulation->thread_count &&
           pthread_create(&threads[started], NULL, work, r) == 0)
        started++;
    work_and_tell(r);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return (enum hk_status)atomic_load(&r->status);
}

/* Run batches first..end - 1 and merge them in their order; those not run are empty. */
static enum hk_status run_round(const struct hk_simulation *s, uint64_t first, uint64_t end,
                                struct hk_progress *progress, struct hk_rare_total *total)
{
    const size_t ranks = s->ranks->count;
    struct round r = {.simulation = s,
                      .first = first,
                      .end = end,
                      .slot_count = (size_t)(end - first + ranks - 1) / ranks,
                      .progress = progress};
    enum hk_status status = HK_ENOMEM;
    struct hk_rare_total *all = calloc(r.slot_count * ranks, sizeof *all);

    r.slots = calloc(r.slot_count, sizeof *r.slots);
    if (r.slots != NULL && all != NULL)
        status = run_threads(&r);
    if (hk_ranks_any(s->ranks, status != HK_OK))
        status = status != HK_OK ? status : HK_EPEER;
    else
        status = hk_ranks_gather(s->ranks, r.slots, r.slot_count, all);
    for (uint64_t i = 0; i < end - first && status == HK_OK; i++)
        hk_rare_merge(total, &all[i % ranks * r.slot_count + i / ranks]);
    free(all);
    free(r.slots);
    return status;
}

/* Relative half width of the interval, on the logarithm. */
static double half_width(const struct hk_rare_estimate *e)
{
    return e->interval.lower > 0 ? log(e->interval.upper / e->interval.lower) / 2 : INFINITY;
}

/* As many again at most: the first totals are rough. */
static uint64_t next_end(uint64_t done, const struct hk_rare_estimate *e, double error_ratio)
{
    const double ratio = half_width(e) / error_ratio;
    const double more = (double)done * fmin(1, 1.05 * ratio * ratio - 1);

    return done + (uint64_t)fmax(ROUND_FIRST, more);
}

enum hk_status hk_simulate(const struct hk_simulation *s, struct hk_simulated *out)
{
    struct hk_simulated result = {0};
    struct hk_rare_total total = {0};
    struct hk_progress progress;
    enum hk_status status = HK_OK;
    uint64_t end = ROUND_FIRST;

    hk_progress_init(&progress);
    for (;;) {
        status = run_round(s, result.batch_count, end, &progress, &total);
        result.batch_count = end;
        result.interrupted = hk_ranks_any(s->ranks, *s->stop);
        if (status != HK_OK)
            break;
        status = hk_rare_estimate(s->plan, &total, confidence, &result.estimate);
        const bool narrow = status == HK_OK && half_width(&result.estimate) <= s->error_ratio;
        const bool hopeless = status == HK_ENOISE ? end >= BATCHES_HOPELESS
                                                  : narrow && end >= BATCHES_UNRELIABLE;
        result.reached = narrow && result.estimate.reliable;
        if (result.reached || result.interrupted || hopeless || end >= BATCHES_MAX)
            break;
        end = status == HK_OK ? next_end(end, &result.estimate, s->error_ratio) : 2 * end;
    }
    hk_progress_fini(&progress);
    if (status == HK_OK)
        *out = result;
    else if (result.interrupted)
        status = HK_EINTR;
    return status;
}
