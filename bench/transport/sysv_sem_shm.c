/* SPDX-License-Identifier: MIT */
/* The kernel core's ring in shared memory, with a System V semaphore each way as doorbell. */
#include <errno.h>
#include <stdlib.h>
#include <sys/sem.h>
#include <unistd.h>

#include "hk/transport/ipc.h"
#include "ring_pair.h"
#include "transports.h"

struct sem_state {
    struct hk_ring_pair rings;
    int set; /* semaphore number = the side that waits */
    pid_t creator;
};

static enum hk_status sem_probe(char reason[HK_REASON_BYTES])
{
    int id;
    enum hk_status status = hk_sysv_sem_create(1, &id);

    if (status != HK_OK)
        return hk_reason_set(reason, "no System V semaphore (%s): needs CONFIG_SYSVIPC and room "
                                     "under kernel.sem", hk_status_text(status));
    semctl(id, 0, IPC_RMID);
    return HK_OK;
}

static enum hk_status sem_set_open(struct hk_link *link)
{
    struct sem_state *state = calloc(1, sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    link->state = state;
    state->creator = getpid();
    state->set = -1;
    enum hk_status status = hk_sysv_sem_create(2, &state->set);
    if (status != HK_OK)
        return status;
    return hk_ring_pair_open(&state->rings, link->options.message_bytes,
                             HK_RING_SLOTS_STREAM);
}

static enum hk_status sem_attach(struct hk_link *link, enum hk_side side)
{
    struct sem_state *state = link->state;

    (void)side;
    hk_ring_pair_touch(&state->rings);
    return HK_OK;
}

static enum hk_status sem_change(struct hk_link *link, enum hk_side side, enum hk_side number,
                                 short by)
{
    struct sem_state *state = link->state;
    struct sembuf operation = {.sem_num = (unsigned short)number, .sem_op = by};

    while (semop(state->set, &operation, 1) != 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status sem_send(struct hk_link *link, enum hk_side side, const void *data,
                               size_t bytes)
{
    struct sem_state *state = link->state;
    enum hk_status status = hk_ring_pair_send(link, side, &state->rings, data, bytes);

    return status == HK_OK ? sem_change(link, side, hk_side_other(side), 1) : status;
}

static enum hk_status sem_receive(struct hk_link *link, enum hk_side side, void *data,
                                  size_t capacity, size_t *bytes)
{
    struct sem_state *state = link->state;
    enum hk_status status = sem_change(link, side, side, -1);

    if (status != HK_OK)
        return status;
    return hk_ring_pair_receive(&state->rings, side, data, capacity, bytes);
}

static void sem_set_close(struct hk_link *link)
{
    struct sem_state *state = link->state;

    if (state->set >= 0 && state->creator == getpid())
        semctl(state->set, 0, IPC_RMID);
    hk_ring_pair_close(&state->rings);
    free(state);
}

const struct hk_transport hk_transport_sysv_sem_shm = {
    .name = "sysv_sem_shm",
    .summary = "shared-memory ring, a System V semaphore each way as doorbell",
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .probe = sem_probe,
    .open = sem_set_open,
    .attach = sem_attach,
    .send = sem_send,
    .receive = sem_receive,
    .close = sem_set_close,
};
