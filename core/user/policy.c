/* SPDX-License-Identifier: MIT */
#include "user/policy.h"

#include "user/user.h"

#define TRACKED 16
#define NOWHERE 0x10000

/* Stride scheduling: each turn moves a thread on by the inverse of its share. */
struct share {
    uint64_t thread; /* 0: free */
    uint64_t pass;
};

#define ONE_TURN 1000000u

/* Where a thread stands; a new one starts where the one furthest behind does. */
static struct share *find_share(struct share shares[TRACKED], uint64_t thread, uint64_t start)
{
    struct share *oldest = &shares[0];

    for (size_t i = 0; i < TRACKED; i++) {
        if (shares[i].thread == thread)
            return &shares[i];
        if (shares[i].pass < oldest->pass)
            oldest = &shares[i];
    }
    *oldest = (struct share){ thread, start };
    return oldest;
}

static uint64_t choose(struct share shares[TRACKED], const struct hk_policy_candidate *candidates,
                       int64_t count, uint64_t *now)
{
    struct share *best = NULL;
    uint64_t priority = 1;

    for (int64_t i = 0; i < count; i++) {
        struct share *share = find_share(shares, candidates[i].thread, *now);

        if (share->pass < *now)
            share->pass = *now; /* it slept: no turns are saved up */
        if (best != NULL && best->pass <= share->pass)
            continue;
        best = share;
        priority = candidates[i].priority + 1;
    }
    if (best == NULL)
        return HK_POLICY_ANSWER_NONE;
    *now = best->pass;
    best->pass += ONE_TURN / priority;
    return best->thread;
}

static void misbehave(uint64_t mode)
{
    switch (mode) {
    case HK_POLICY_MODE_LOOP:
        for (;;)
            __asm__ volatile("");
    case HK_POLICY_MODE_WAIT:
        (void)hk_syscall(HK_SYS_sleep,
                         (uint64_t)hk_syscall0(HK_SYS_clock) + 10 * HK_NS_PER_MS, 0, 0);
        break;
    case HK_POLICY_MODE_YIELD:
        (void)hk_syscall0(HK_SYS_yield);
        break;
    case HK_POLICY_MODE_EXIT:
        (void)hk_syscall(HK_SYS_exit, 7, 0, 0);
        break;
    case HK_POLICY_MODE_FAULT:
        (void)*(volatile uint64_t *)0;
        break;
    default:
        break;
    }
}

int main(uint64_t mode, uint64_t *ipc_page)
{
    struct hk_policy_candidate candidates[HK_POLICY_CANDIDATES_MAX];
    struct share shares[TRACKED] = { { 0, 0 } };
    uint64_t address = mode == HK_POLICY_MODE_BUFFER ? NOWHERE : (uint64_t)candidates;
    uint64_t answer = HK_POLICY_ANSWER_NONE, now = 1;
    int64_t count;

    (void)ipc_page;
    for (;;) {
        count = hk_syscall(HK_SYS_policy_serve, address, HK_POLICY_CANDIDATES_MAX, answer);
        if (count == HK_EFAULT)
            continue;
        if (count < 0)
            return 1; /* dismissed */
        misbehave(mode);
        answer = mode == HK_POLICY_MODE_SHARES ? choose(shares, candidates, count, &now)
                                               : UINT64_MAX;
    }
}
