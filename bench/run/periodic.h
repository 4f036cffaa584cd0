/* SPDX-License-Identifier: MIT */
/* Experiments that follow a clock: waking up on time, and feeding a buffer in time. */
#ifndef HK_RUN_PERIODIC_H
#define HK_RUN_PERIODIC_H

#include "experiment.h"

enum hk_periodic_clock {
    HK_PERIODIC_ABSOLUTE, /* a timer set to a grid of times */
    HK_PERIODIC_RELATIVE, /* a timer set one period after the last wake-up */
    HK_PERIODIC_DEVICE,   /* an interrupt source that ticks by itself: a periodic timerfd */
    HK_PERIODIC_QUEUED,   /* work of a random length is queued on a grid of times */
};

struct hk_periodic {
    enum hk_periodic_clock clock;
    uint64_t period_ns;
    double inject_ns; /* mean of the exponential delay that is added; 0: none */
    size_t count;     /* wake-ups, without the first few */
    uint64_t *delays_ns;
    int timer_fd;     /* device */
    uint64_t origin_ns; /* of the grid, CLOCK_MONOTONIC */
};

/* One wake-up: what should have been, and what was. */
struct hk_wakeup {
    uint64_t grid_ns; /* the ideal time; of ticks that have passed, the last */
    uint64_t due_ns;  /* the first of them, which is what should have woken us */
    uint64_t now_ns;
    uint64_t last_ns; /* the wake-up before, or the origin */
    /*
     * With injected delays: the machine stood still at this wake-up or the one before, or work is
     * queued since it did. A known law holds of the others; whether it did was not its value.
     */
    bool stalled;
};

typedef void hk_wakeup_fn(void *context, const struct hk_wakeup *wakeup);

/* Read clock, period_us, inject_us from the name; places and prepares helpers for load:loaded. */
enum hk_status hk_periodic_open(struct hk_task *task);
void hk_periodic_close(struct hk_task *task);

/*
 * The load: computes and makes system calls three fifths of the time, at normal priority. With
 * injected delays: keeps its CPU awake when nothing else is to run, since waking up from a halt
 * adds a law of its own.
 */
void hk_periodic_help(struct hk_task *task, size_t helper);

/*
 * Become what the name's policy says (other, fifo, deadline) and lock memory.
 *
 * Returns HK_OK; HK_ENOTSUP with the reason when the policy is refused.
 */
enum hk_status hk_periodic_enter(struct hk_task *task);

/*
 * Follow the clock and report every wake-up after the first few.
 *
 * launch  [in,out]  with injected delays it gets hk_stalled_ratio
 */
enum hk_status hk_periodic_run(struct hk_task *task, struct hk_launch *launch, hk_wakeup_fn *wake,
                               void *context);

/*
 * Group of a cell: same load and injection. What predicts and what is predicted then live
 * through the same seconds, in different processes. Injected arms, of which there are several
 * copies, are apart by kind: more of them at once would wait for each other.
 */
void hk_periodic_group(const char *name, char *group, size_t capacity);

/* Injected arms sleep most of the time: several replicates run at once. */
uint32_t hk_periodic_copies(const char *name);

#endif
