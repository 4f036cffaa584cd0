/* SPDX-License-Identifier: MIT */
/* Two System V message queues, one each way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <unistd.h>

#include "hk/transport/ipc.h"
#include "link.h"
#include "transports.h"

struct sysv_message {
    long type; /* > 0 */
    unsigned char payload[];
};

struct sysv_state {
    int queues[2];                     /* by the side that receives */
    struct sysv_message *messages[2];  /* by own side: the kernel wants type and payload together */
    pid_t creator;
};

static enum hk_status sysv_probe(char reason[HK_REASON_BYTES])
{
    int id;
    enum hk_status status = hk_sysv_msg_create(&id);

    if (status != HK_OK)
        return hk_reason_set(reason, "no System V message queue (%s): needs CONFIG_SYSVIPC and "
                                     "room under kernel.msgmni", hk_status_text(status));
    msgctl(id, IPC_RMID, NULL);
    return HK_OK;
}

static enum hk_status sysv_open(struct hk_link *link)
{
    struct sysv_state *state = calloc(1, sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    link->state = state;
    *state = (struct sysv_state){.queues = {-1, -1}, .creator = getpid()};
    for (int side = 0; side < 2; side++) {
        state->messages[side] =
            calloc(1, sizeof(struct sysv_message) + link->options.message_bytes);
        if (!state->messages[side])
            return HK_ENOMEM;
        enum hk_status status = hk_sysv_msg_create(&state->queues[side]);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status sysv_send(struct hk_link *link, enum hk_side side, const void *data,
                                size_t bytes)
{
    struct sysv_state *state = link->state;
    struct sysv_message *message = state->messages[side];

    message->type = 1;
    memcpy(message->payload, data, bytes);
    while (msgsnd(state->queues[hk_side_other(side)], message, bytes, 0) != 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status sysv_receive(struct hk_link *link, enum hk_side side, void *data,
                                   size_t capacity, size_t *bytes)
{
    struct sysv_state *state = link->state;
    struct sysv_message *message = state->messages[side];
    ssize_t n;

    while ((n = msgrcv(state->queues[side], message, link->options.message_bytes, 0, 0)) < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    if ((size_t)n > capacity)
        return HK_ETOOBIG;
    memcpy(data, message->payload, (size_t)n);
    *bytes = (size_t)n;
    return HK_OK;
}

static void sysv_close(struct hk_link *link)
{
    struct sysv_state *state = link->state;

    for (int side = 0; side < 2; side++) {
        if (state->queues[side] >= 0 && state->creator == getpid())
            msgctl(state->queues[side], IPC_RMID, NULL);
        free(state->messages[side]);
    }
    free(state);
}

const struct hk_transport hk_transport_sysv_msg = {
    .name = "sysv_msg",
    .summary = "System V message queues: msgsnd and msgrcv",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = HK_QUEUE_MESSAGE_BYTES_MAX,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .probe = sysv_probe,
    .open = sysv_open,
    .send = sysv_send,
    .receive = sysv_receive,
    .close = sysv_close,
};
