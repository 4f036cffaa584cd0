/* SPDX-License-Identifier: MIT */
/*
 * The cache line between two CPUs as a cell of its own: what spinning transports are held to.
 * Client and server are processes, as a transport's are, and so the two can be paired. Both look
 * with pauses, which leaves the line to its writer: without them the floor lies higher.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "experiments.h"
#include "hk/base/units.h"

/* The ball is odd on its way to the server; this one ends the game. */
static const uint32_t last_ball = UINT32_MAX;

struct line {
    /* Two lines apart: adjacent-line prefetchers fetch pairs. */
    _Alignas(2 * HK_CACHE_LINE_BYTES) _Atomic uint32_t ball;
};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    const enum hk_status status = add(context, "native/floor/cache_line/place:cross_core");

    return status == HK_OK && mode == HK_RUN_FULL
               ? add(context, "native/floor/cache_line/place:smt")
               : status;
}

static enum hk_status open_task(struct hk_task *task)
{
    const enum hk_status status = hk_task_place(task);

    if (status != HK_OK)
        return status;
    if (task->cpus[0] == task->cpus[1])
        return hk_task_refuse(task, HK_EINVAL, "the floor lies between two CPUs");
    void *line = mmap(NULL, sizeof(struct line), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0);
    if (line == MAP_FAILED)
        return HK_ENOMEM;
    task->state = line;
    task->server_count = 1;
    task->spins = true;
    /* Neither side gives its CPU up; a neighbour that takes it is no breach. */
    task->expected = HK_EXPECT_NOTHING;
    task->expected.client_syscalls_max = task->expected.server_syscalls_max = 0.1;
    return HK_OK;
}

static void close_task(struct hk_task *task)
{
    if (task->state != NULL)
        munmap(task->state, sizeof(struct line));
    task->state = NULL;
}

/*
 * Answers every odd ball with the next even one. Bounded by the launch: the leader ends a
 * server whose client is gone.
 */
static enum hk_status serve(struct hk_task *task, size_t server)
{
    struct line *line = task->state;
    uint32_t ball;

    (void)server;
    for (uint32_t next = 1;; next += 2) {
        while ((ball = atomic_load_explicit(&line->ball, memory_order_acquire)) != next) {
            if (ball == last_ball)
                return HK_OK;
            __builtin_ia32_pause();
        }
        atomic_store_explicit(&line->ball, next + 1, memory_order_release);
    }
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    struct line *line = task->state;
    uint32_t ball = atomic_load_explicit(&line->ball, memory_order_relaxed);

    for (uint64_t i = 0; i < n; i++) {
        atomic_store_explicit(&line->ball, ball + 1, memory_order_release);
        ball += 2;
        while (atomic_load_explicit(&line->ball, memory_order_acquire) != ball)
            __builtin_ia32_pause();
    }
    return HK_OK;
}

static enum hk_status leave(struct hk_task *task)
{
    struct line *line = task->state;

    atomic_store(&line->ball, last_ball);
    return HK_OK;
}

const struct hk_experiment hk_experiment_floor = {
    .kind = "floor",
    .summary = "a cache line bounced between two CPUs: the floor of every exchange",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .serve = serve,
    .run = run,
    .leave = leave,
};
