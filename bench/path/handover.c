/* SPDX-License-Identifier: MIT */
#include "hk/path/handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What travels beside the descriptors. */
struct word {
    enum hk_status status;
    char reason[HK_REASON_BYTES];
};

union control {
    char bytes[CMSG_SPACE(HK_HANDOVER_FDS_MAX * sizeof(int))];
    struct cmsghdr align;
};

enum hk_status hk_handover_init(struct hk_handover *handover)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        *handover = (struct hk_handover){-1, -1};
        return HK_ENOMEM;
    }
    *handover = (struct hk_handover){.giver = ends[0], .taker = ends[1]};
    return HK_OK;
}

static void close_end(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

void hk_handover_fini(struct hk_handover *handover)
{
    close_end(&handover->giver);
    close_end(&handover->taker);
}

enum hk_status hk_handover_give(struct hk_handover *handover, enum hk_status status,
                                const char *reason, const int *fds, size_t count)
{
    struct word word = {.status = status};
    struct iovec data = {&word, sizeof word};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    union control control = {.bytes = {0}};
    const size_t bytes = count * sizeof *fds;

    if (count > HK_HANDOVER_FDS_MAX)
        return HK_EINVAL;
    snprintf(word.reason, sizeof word.reason, "%s", reason);
    if (status == HK_OK && count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(c), fds, bytes);
    }
    close_end(&handover->taker);
    const ssize_t sent = sendmsg(handover->giver, &message, MSG_NOSIGNAL);
    close_end(&handover->giver);
    return sent == (ssize_t)sizeof word ? status : HK_EPEER;
}

enum hk_status hk_handover_take(struct hk_handover *handover, int *fds, size_t count,
                                char reason[HK_REASON_BYTES])
{
    struct word word;
    struct iovec data = {&word, sizeof word};
    union control control;
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got;

    close_end(&handover->giver);
    do
        got = recvmsg(handover->taker, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    close_end(&handover->taker);
    if (got != (ssize_t)sizeof word)
        return HK_EPEER;
    if (word.status != HK_OK) {
        memcpy(reason, word.reason, sizeof word.reason);
        return word.status;
    }
    const struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (count > 0 && (c == NULL || c->cmsg_len != CMSG_LEN(count * sizeof *fds)))
        return HK_EIO;
    if (count > 0)
        memcpy(fds, CMSG_DATA(c), count * sizeof *fds);
    return HK_OK;
}
