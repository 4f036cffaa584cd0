/* SPDX-License-Identifier: MIT */
/* Two POSIX message queues, one each way, unlinked as soon as they are open. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "link.h"
#include "transports.h"

#define QUEUE_MESSAGES 8 /* a default installation allows 10 */
#define NAME_TRIES 100

struct mq_state {
    mqd_t queues[2]; /* by the side that receives */
};

enum hk_status hk_mq_create(size_t message_bytes, mqd_t *queue)
{
    struct mq_attr attributes = {.mq_maxmsg = QUEUE_MESSAGES, .mq_msgsize = (long)message_bytes};
    char name[64];

    for (int i = 0; i < NAME_TRIES; i++) {
        snprintf(name, sizeof(name), "/hkbench.%d.%d", (int)getpid(), i);
        mqd_t opened = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, &attributes);
        if (opened >= 0) {
            mq_unlink(name);
            *queue = opened;
            return HK_OK;
        }
        if (errno != EEXIST)
            return hk_errno_status(errno);
    }
    return HK_EEXIST;
}

static enum hk_status mq_probe(char reason[HK_REASON_BYTES])
{
    mqd_t queue;
    enum hk_status status = hk_mq_create(1, &queue);

    if (status != HK_OK)
        return hk_reason_set(reason, "no POSIX message queue (%s): needs CONFIG_POSIX_MQUEUE and "
                                     "ulimit -q of some 100 KB", hk_status_text(status));
    mq_close(queue);
    return HK_OK;
}

static enum hk_status queues_open(struct hk_link *link)
{
    struct mq_state *state = malloc(sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    *state = (struct mq_state){.queues = {-1, -1}};
    link->state = state;
    enum hk_status status = hk_mq_create(link->options.message_bytes, &state->queues[0]);
    if (status != HK_OK)
        return status;
    return hk_mq_create(link->options.message_bytes, &state->queues[1]);
}

static enum hk_status queue_send(struct hk_link *link, enum hk_side side, const void *data,
                                 size_t bytes)
{
    struct mq_state *state = link->state;

    while (mq_send(state->queues[hk_side_other(side)], data, bytes, 0) != 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status queue_receive(struct hk_link *link, enum hk_side side, void *data,
                                    size_t capacity, size_t *bytes)
{
    struct mq_state *state = link->state;
    ssize_t n;

    while ((n = mq_receive(state->queues[side], data, capacity, NULL)) < 0) {
        enum hk_status status = hk_link_error(link, side, errno);
        if (status != HK_OK)
            return status;
    }
    *bytes = (size_t)n;
    return HK_OK;
}

static void queues_close(struct hk_link *link)
{
    struct mq_state *state = link->state;

    for (int side = 0; side < 2; side++)
        if (state->queues[side] >= 0)
            mq_close(state->queues[side]);
    free(state);
}

const struct hk_transport hk_transport_posix_mq = {
    .name = "posix_mq",
    .summary = "POSIX message queues: mq_send and mq_receive",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = HK_QUEUE_MESSAGE_BYTES_MAX,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .probe = mq_probe,
    .open = queues_open,
    .send = queue_send,
    .receive = queue_receive,
    .close = queues_close,
};
