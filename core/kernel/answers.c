/* SPDX-License-Identifier: MIT */
#include "kernel/answers.h"

#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/syscall.h"

#define HASH_FACTOR 0x9e3779b97f4a7c15 /* 2^64 / golden ratio: Knuth, TAOCP 6.4 */

static uint64_t slot_of(const struct hk_endpoint *endpoint, const struct hk_answer_key *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)endpoint;

    for (size_t i = 0; i < HK_ARRAY_COUNT(key->word); i++)
        hash = (hash ^ key->word[i]) * HASH_FACTOR;
    return hash >> 32 & (HK_ANSWER_SLOTS - 1);
}

static bool is_for(const struct hk_answer_slot *slot, const struct hk_endpoint *endpoint,
                   const struct hk_answer_key *key)
{
    const uint64_t *a = slot->answer.key.word, *b = key->word;

    return slot->endpoint == endpoint && a[0] == b[0] && a[1] == b[1] && a[2] == b[2] &&
           a[3] == b[3];
}

void hk_answers_put(struct hk_answers *answers, const struct hk_endpoint *endpoint,
                    const struct hk_answer *answer)
{
    struct hk_answer_slot *slot = &answers->slot[slot_of(endpoint, &answer->key)];

    if (answer->words > 0)
        *slot = (struct hk_answer_slot){ endpoint, *answer };
    else if (is_for(slot, endpoint, &answer->key))
        slot->endpoint = NULL;
}

const struct hk_answer *hk_answers_find(const struct hk_answers *answers,
                                        const struct hk_endpoint *endpoint,
                                        const struct hk_answer_key *key)
{
    const struct hk_answer_slot *slot = &answers->slot[slot_of(endpoint, key)];

    return is_for(slot, endpoint, key) ? &slot->answer : NULL;
}

void hk_answers_forget(struct hk_answers *answers, const struct hk_endpoint *endpoint)
{
    for (size_t i = 0; i < HK_ANSWER_SLOTS; i++)
        if (answers->slot[i].endpoint == endpoint)
            answers->slot[i].endpoint = NULL;
}

/* answer_put(endpoint, answer): only who receives there may answer */
hk_result hk_sys_answer_put(struct hk_cpu *cpu, uint64_t handle, uint64_t address, uint64_t c,
                            uint64_t d, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    struct hk_object *endpoint;
    struct hk_answer answer;
    enum hk_status status =
        hk_cap_find(self, handle, HK_OBJECT_ENDPOINT, HK_RIGHT_RECEIVE, &endpoint);

    (void)c, (void)d, (void)e;
    if (status == HK_OK)
        status = hk_space_read(cpu->kernel, &self->space, address, &answer, sizeof(answer));
    if (status != HK_OK)
        return status;
    if (answer.words > HK_ARRAY_COUNT(answer.word))
        return HK_ETOOBIG;
    hk_answers_put(&cpu->kernel->answers, (struct hk_endpoint *)(void *)endpoint, &answer);
    return HK_OK;
}

/* answer_get(endpoint, key words) -> words of the answer, which is in the IPC page */
hk_result hk_sys_answer_get(struct hk_cpu *cpu, uint64_t handle, uint64_t key0, uint64_t key1,
                            uint64_t key2, uint64_t key3)
{
    struct hk_thread *self = cpu->current;
    const struct hk_answer_key key = { { key0, key1, key2, key3 } };
    const struct hk_answer *answer;
    struct hk_object *endpoint;
    uint64_t *to = hk_window(cpu->kernel, self->ipc_page);
    enum hk_status status =
        hk_cap_find(self->process, handle, HK_OBJECT_ENDPOINT, HK_RIGHT_CALL, &endpoint);

    if (status != HK_OK)
        return status;
    answer = hk_answers_find(&cpu->kernel->answers, (struct hk_endpoint *)(void *)endpoint, &key);
    if (answer == NULL)
        return HK_ENOENT;
    for (uint64_t i = 0; i < answer->words; i++)
        to[i] = answer->word[i];
    return (hk_result)answer->words;
}
