/* SPDX-License-Identifier: MIT */
/* The kernel core's ring in shared memory, with an eventfd each way as doorbell. */
#include <stdlib.h>

#include "bell.h"
#include "ring_pair.h"
#include "transports.h"

struct eventfd_state {
    struct hk_bells bells;
    struct hk_ring_pair rings;
};

static enum hk_status eventfd_open(struct hk_link *link)
{
    struct eventfd_state *state = calloc(1, sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    link->state = state;
    state->bells = (struct hk_bells){.fds = {-1, -1}};
    enum hk_status status = hk_bells_open(&state->bells);
    if (status != HK_OK)
        return status;
    return hk_ring_pair_open(&state->rings, link->options.message_bytes,
                             HK_RING_SLOTS_STREAM);
}

static enum hk_status eventfd_attach(struct hk_link *link, enum hk_side side)
{
    struct eventfd_state *state = link->state;

    (void)side;
    hk_ring_pair_touch(&state->rings);
    return HK_OK;
}

static enum hk_status eventfd_send(struct hk_link *link, enum hk_side side, const void *data,
                                   size_t bytes)
{
    struct eventfd_state *state = link->state;
    enum hk_status status = hk_ring_pair_send(link, side, &state->rings, data, bytes);

    return status == HK_OK ? hk_bell_ring(link, side, &state->bells) : status;
}

static enum hk_status eventfd_receive(struct hk_link *link, enum hk_side side, void *data,
                                      size_t capacity, size_t *bytes)
{
    struct eventfd_state *state = link->state;
    enum hk_status status = hk_bell_wait(link, side, &state->bells);

    if (status != HK_OK)
        return status;
    return hk_ring_pair_receive(&state->rings, side, data, capacity, bytes);
}

static void eventfd_close(struct hk_link *link)
{
    struct eventfd_state *state = link->state;

    hk_bells_close(&state->bells);
    hk_ring_pair_close(&state->rings);
    free(state);
}

const struct hk_transport hk_transport_eventfd_shm = {
    .name = "eventfd_shm",
    .summary = "shared-memory ring, an eventfd each way as doorbell",
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = eventfd_open,
    .attach = eventfd_attach,
    .send = eventfd_send,
    .receive = eventfd_receive,
    .close = eventfd_close,
};
