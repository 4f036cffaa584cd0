/* SPDX-License-Identifier: MIT */
/* What the actions of a workload have in common. */
#ifndef HK_USER_WORKLOAD_H
#define HK_USER_WORKLOAD_H

#include "user/client.h"

#define HK_WORKLOAD_FILES 12u
#define HK_WORKLOAD_STREAMS 8u

struct hk_workload {
    struct hk_client client;
    struct hk_mix mix;
    uint64_t random; /* state of the generator */
    uint64_t port[2];
    uint64_t stream[HK_WORKLOAD_STREAMS];
    uint64_t stream_count;
    const char *error; /* what a service did that it must not; NULL: nothing */
};

/* The next number from the seed: SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t hk_workload_random(struct hk_workload *w);

/* A number in 0 .. count - 1; count at least 1. */
static inline uint64_t hk_workload_choose(struct hk_workload *w, uint64_t count)
{
    return (uint64_t)((unsigned __int128)hk_workload_random(w) * count >> 64);
}

/* Make what the actions work on: files, ports, streams. w->error says what failed. */
void hk_workload_set_up(struct hk_workload *w);
void hk_workload_clear(struct hk_workload *w);

/* What an action does with so many bytes of payload. */
typedef void hk_workload_action(struct hk_workload *w, uint64_t bytes);

/* A row of the table behind enum hk_mix_action. */
struct hk_workload_row {
    enum hk_service_number service;
    hk_workload_action *run;
};
extern const struct hk_workload_row hk_workload_actions[HK_MIX_ACTIONS];

#endif
