/* SPDX-License-Identifier: MIT */
/*
 * Answers that services left in the kernel: a small table, found by endpoint and key
 * without the service. Whoever comes to a taken slot replaces what is there, so an
 * answer may always be missing; it is never one that its service has removed.
 */
#ifndef HK_KERNEL_ANSWERS_H
#define HK_KERNEL_ANSWERS_H

#include "kernel/types.h"

#define HK_ANSWER_SLOTS 128

struct hk_answer_slot {
    const struct hk_endpoint *endpoint; /* NULL: empty */
    struct hk_answer answer;
};

struct hk_answers {
    struct hk_answer_slot slot[HK_ANSWER_SLOTS];
};

/* Keep an answer, or remove it when it has no words. words is at most 4. */
void hk_answers_put(struct hk_answers *answers, const struct hk_endpoint *endpoint,
                    const struct hk_answer *answer);

/* The answer for a key, or NULL. */
const struct hk_answer *hk_answers_find(const struct hk_answers *answers,
                                        const struct hk_endpoint *endpoint,
                                        const struct hk_answer_key *key);

/* Nobody receives at the endpoint any more: what was answered there is void. */
void hk_answers_forget(struct hk_answers *answers, const struct hk_endpoint *endpoint);

#endif
