/* SPDX-License-Identifier: MIT */
/*
 * The sender writes into the receiver's memory with process_vm_writev and rings
 * an eventfd. Each side has one mailbox of private memory, mapped before the
 * sides part, so that its address is known; hk_link_message() is its payload:
 * a message received there needs no second copy.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bell.h"
#include "transports.h"

#define MAILBOXES 1u /* of each side */

struct mailbox {
    _Alignas(HK_CACHE_LINE_BYTES) uint64_t bytes;
    _Alignas(HK_CACHE_LINE_BYTES) unsigned char payload[];
};

struct vm_state {
    struct hk_bells bells;
    struct mailbox *mailboxes[2]; /* by receiving side */
    size_t mailbox_bytes;
    struct hk_credit credits[2];  /* by own side */
    bool occupied[2];             /* the message of this side's mailbox is still in use */
};

static enum hk_status vm_probe(char reason[HK_REASON_BYTES])
{
    char from = 1, to = 0;
    struct iovec local = {&from, 1}, remote = {&to, 1};

    if (process_vm_writev(getpid(), &local, 1, &remote, 1, 0) != 1)
        return hk_reason_set(reason, "process_vm_writev is refused (%s): needs "
                                     "CONFIG_CROSS_MEMORY_ATTACH and a container that lets it "
                                     "through", strerror(errno));
    return HK_OK;
}

static enum hk_status vm_open(struct hk_link *link)
{
    struct vm_state *state = calloc(1, sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    link->state = state;
    state->bells = (struct hk_bells){.fds = {-1, -1}};
    state->mailbox_bytes = sizeof(struct mailbox) + link->options.message_bytes;
    for (int side = 0; side < 2; side++) {
        void *memory = mmap(NULL, state->mailbox_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return HK_ENOMEM;
        state->mailboxes[side] = memory;
    }
    return hk_bells_open(&state->bells);
}

static enum hk_status vm_attach(struct hk_link *link, enum hk_side side)
{
    struct vm_state *state = link->state;

    /* Where only ancestors may write into a process (Yama), a sibling has to be let in. */
    (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    memset(state->mailboxes[side], 0, state->mailbox_bytes);
    return HK_OK;
}

static void *vm_message(struct hk_link *link, enum hk_side side)
{
    struct vm_state *state = link->state;

    return state->mailboxes[side]->payload;
}

/* The peer may write into this side's mailbox again. */
static void mailbox_release(struct hk_link *link, enum hk_side side, struct vm_state *state)
{
    if (!state->occupied[side])
        return;
    state->occupied[side] = false;
    hk_credit_take(link, side, &state->credits[side]);
}

static enum hk_status vm_send(struct hk_link *link, enum hk_side side, const void *data,
                              size_t bytes)
{
    struct vm_state *state = link->state;
    pid_t peer = (pid_t)atomic_load_explicit(&hk_link_peer(link, side)->pid, memory_order_relaxed);
    struct mailbox *mailbox = state->mailboxes[hk_side_other(side)];
    uint64_t header = bytes;
    /* Header and payload are a line apart there, and arrive in one call. */
    struct iovec local[2] = {{&header, sizeof(header)}, {(void *)(uintptr_t)data, bytes}};
    struct iovec remote[2] = {{&mailbox->bytes, sizeof(header)}, {mailbox->payload, bytes}};
    enum hk_status status = hk_credit_wait(link, side, &state->credits[side], MAILBOXES);

    if (status != HK_OK)
        return status;
    if (process_vm_writev(peer, local, 2, remote, 2, 0) != (ssize_t)(sizeof(header) + bytes)) {
        status = hk_link_error(link, side, errno);
        return status != HK_OK ? status : HK_EIO;
    }
    state->credits[side].sent++;
    mailbox_release(link, side, state);
    return hk_bell_ring(link, side, &state->bells);
}

static enum hk_status vm_receive(struct hk_link *link, enum hk_side side, void *data,
                                 size_t capacity, size_t *bytes)
{
    struct vm_state *state = link->state;
    const struct mailbox *mailbox = state->mailboxes[side];

    mailbox_release(link, side, state);
    enum hk_status status = hk_bell_wait(link, side, &state->bells);
    if (status != HK_OK)
        return status;
    if (mailbox->bytes > capacity)
        return HK_ETOOBIG;
    *bytes = mailbox->bytes;
    state->occupied[side] = true;
    if (data != mailbox->payload) {
        memcpy(data, mailbox->payload, *bytes);
        mailbox_release(link, side, state);
    }
    return HK_OK;
}

static void vm_close(struct hk_link *link)
{
    struct vm_state *state = link->state;

    hk_bells_close(&state->bells);
    for (int side = 0; side < 2; side++)
        if (state->mailboxes[side])
            munmap(state->mailboxes[side], state->mailbox_bytes);
    free(state);
}

const struct hk_transport hk_transport_process_vm_eventfd = {
    .name = "process_vm_eventfd",
    .summary = "process_vm_writev into the receiver's memory and an eventfd: one copy",
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 3,
              .client_syscalls_max = 3,
              .server_syscalls_min = 3,
              .server_syscalls_max = 3},
    .probe = vm_probe,
    .open = vm_open,
    .attach = vm_attach,
    .send = vm_send,
    .receive = vm_receive,
    .message = vm_message,
    .close = vm_close,
};
