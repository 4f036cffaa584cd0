/* SPDX-License-Identifier: MIT */
/* Deadlines in virtual or real time, and timer objects that send messages. */
#ifndef HK_KERNEL_TIMER_H
#define HK_KERNEL_TIMER_H

#include "kernel/types.h"

/* A deadline; lives inside what waits for it. */
struct hk_deadline {
    struct hk_deadline *next, *previous;
    uint64_t at_ns;
    bool armed;
    void (*expired)(struct hk_cpu *cpu, struct hk_deadline *deadline);
};

/* Insert by time; a deadline in the past fires at the next opportunity. O(armed deadlines). */
void hk_deadline_arm(struct hk_cpu *cpu, struct hk_deadline *deadline, uint64_t at_ns,
                     void (*expired)(struct hk_cpu *, struct hk_deadline *));

/* Take out; nothing happens when it is not armed. */
void hk_deadline_disarm(struct hk_cpu *cpu, struct hk_deadline *deadline);

/* Fire what has come due and program the hardware for the next one. */
void hk_deadline_run(struct hk_cpu *cpu);

#endif
