/* SPDX-License-Identifier: MIT */
/* What the actions of a workload have in common. */
#ifndef HK_USER_WORKLOAD_H
#define HK_USER_WORKLOAD_H

#include "hk/core/mix_draw.h"
#include "user/client.h"

struct hk_workload {
    struct hk_client client;
    struct hk_mix mix;
    uint64_t random; /* state of the generator */
    uint64_t port[2];
    uint64_t stream[HK_MIX_STREAMS];
    uint64_t stream_count;
    uint64_t underruns; /* of the mixer since it started */
    const char *error; /* what a service did that it must not; NULL: nothing */
};

/* Make what the actions work on: files, ports, streams. w->error says what failed. */
void hk_workload_set_up(struct hk_workload *w);
void hk_workload_clear(struct hk_workload *w);

/* How late the mixer woke since this was asked last: a reply to HK_AUDIO_LATENESS. */
struct hk_workload_lateness {
    uint64_t wakes;
    uint64_t sum_ns, square_sum, change_square_sum, max_ns;
    uint64_t underruns; /* periods that the device wanted in vain */
};
struct hk_workload_lateness hk_workload_lateness(struct hk_workload *w);

/* What an action does with so many bytes of payload. */
typedef void hk_workload_action(struct hk_workload *w, uint64_t bytes);

/* A row of the table behind enum hk_mix_action. */
struct hk_workload_row {
    enum hk_service_number service;
    hk_workload_action *run;
};
extern const struct hk_workload_row hk_workload_actions[HK_MIX_ACTIONS];

#endif
