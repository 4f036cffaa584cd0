/* SPDX-License-Identifier: MIT */
#include "hk/counters/floor.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { POLLS_PER_DEADLINE_CHECK = 1024 };

struct line {
    /* Two lines apart: adjacent-line prefetchers fetch pairs. */
    _Alignas(2 * HK_CACHE_LINE_BYTES) _Atomic uint32_t ball;
    _Alignas(2 * HK_CACHE_LINE_BYTES) _Atomic bool stop;
    _Atomic bool ready;
};

static bool pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

/* Answers every odd ball with the next even one. */
static void *answer(void *context)
{
    struct line *line = context;
    uint32_t next = 1;

    atomic_store(&line->ready, true);
    while (!atomic_load_explicit(&line->stop, memory_order_relaxed)) {
        for (int polls = 0; polls < POLLS_PER_DEADLINE_CHECK; polls++) {
            if (atomic_load_explicit(&line->ball, memory_order_acquire) != next)
                continue;
            atomic_store_explicit(&line->ball, next + 1, memory_order_release);
            next += 2;
        }
    }
    return NULL;
}

/* One batch of round trips; false when the deadline passes first. */
static bool play_batch(struct line *line, uint32_t *ball, uint64_t deadline_ns)
{
    for (uint32_t i = 0; i < HK_FLOOR_BATCH_COUNT; i++) {
        uint32_t polls = 0;
        atomic_store_explicit(&line->ball, *ball + 1, memory_order_release);
        *ball += 2;
        while (atomic_load_explicit(&line->ball, memory_order_acquire) != *ball)
            if (++polls % POLLS_PER_DEADLINE_CHECK == 0 && hk_monotonic_ns() > deadline_ns)
                return false;
    }
    return true;
}

static size_t play(const struct hk_clock *clock, struct line *line, uint64_t duration_ns,
                   double *batch_ns, size_t batch_max)
{
    const uint64_t start_ns = hk_monotonic_ns();
    size_t n = 0;
    uint32_t ball = 0;

    while (!atomic_load(&line->ready))
        if (hk_monotonic_ns() - start_ns > HK_NS_PER_S)
            return 0;
    const uint64_t end_ns = hk_monotonic_ns() + duration_ns;
    while (n < batch_max && hk_monotonic_ns() < end_ns) {
        const uint64_t t0 = hk_clock_start(clock);
        if (!play_batch(line, &ball, end_ns))
            break;
        batch_ns[n++] = hk_clock_ns(clock, hk_clock_stop(clock) - t0) / HK_FLOOR_BATCH_COUNT;
    }
    return n;
}

enum hk_status hk_floor_measure(const struct hk_clock *clock, const int cpus[2],
                                uint64_t duration_ns, double *batch_ns, size_t batch_max,
                                size_t *batch_count)
{
    struct line line = {0};
    pthread_attr_t attributes;
    cpu_set_t before, other;
    pthread_t thread;
    size_t n = 0;

    if (cpus[0] == cpus[1] || duration_ns > HK_NS_PER_S || batch_max == 0)
        return HK_EINVAL;
    if (pthread_getaffinity_np(pthread_self(), sizeof before, &before) != 0 || !pin(cpus[0]))
        return HK_ENOTSUP;
    enum hk_status status = HK_ENOTSUP;
    CPU_ZERO(&other);
    CPU_SET((size_t)cpus[1], &other);
    if (pthread_attr_init(&attributes) != 0) {
        status = HK_ENOMEM;
        goto done;
    }
    /* Created on its CPU: a thread that moves later would start on ours. */
    if (pthread_attr_setaffinity_np(&attributes, sizeof other, &other) == 0 &&
        pthread_create(&thread, &attributes, answer, &line) == 0) {
        n = play(clock, &line, duration_ns, batch_ns, batch_max);
        atomic_store(&line.stop, true);
        pthread_join(thread, NULL);
        status = n > 0 ? HK_OK : HK_ETIMEOUT;
    }
    pthread_attr_destroy(&attributes);
done:
    pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    if (status == HK_OK)
        *batch_count = n;
    return status;
}
