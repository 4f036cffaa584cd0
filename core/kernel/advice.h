/* SPDX-License-Identifier: MIT */
/*
 * Scheduling by a user-space server: policy "server".
 *
 * Its thread waits in policy_serve. When a turn has to be given and two or more
 * threads are ready, the kernel writes them into the server's buffer, runs it, and
 * takes its next policy_serve as the answer. It has HK_POLICY_ANSWER_NS. Whoever
 * answers too late, answers nonsense, waits for somebody or dies loses the turn to
 * round robin; after HK_POLICY_FALLBACKS_MAX such turns in a row the server is
 * dismissed and round robin is the policy again. So a bad server costs time, and
 * never the machine.
 */
#ifndef HK_KERNEL_ADVICE_H
#define HK_KERNEL_ADVICE_H

#include "kernel/thread.h"
#include "kernel/types.h"

struct hk_advice {
    struct hk_thread *server;  /* NULL: nobody serves */
    struct hk_wait_queue idle; /* where it waits for a question */
    bool asked, answered;
    uint64_t answer;           /* as in struct hk_policy_candidate */
    uint32_t fallbacks_in_row;
    uint64_t question_count, fallback_count;
};

/*
 * Choose who runs next, for the policy whose row is served.
 *
 * Returns a thread taken out of the run queue: the server, to be asked, or the one
 * it chose. NULL: round robin has to choose.
 * Cost O(candidates), of which there are at most HK_POLICY_CANDIDATES_MAX.
 */
struct hk_thread *hk_advice_pick(struct hk_cpu *cpu);

/* A thread dies; if it is the server, round robin is the policy again. */
void hk_advice_forget(struct hk_cpu *cpu, const struct hk_thread *thread);

#endif
