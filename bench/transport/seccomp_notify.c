/* SPDX-License-Identifier: MIT */
/*
 * An upcall: the client makes a system call that the kernel does not know, a
 * seccomp filter turns it into a notification, and the server answers it. Up to
 * 16 bytes of a request ride in the call's arguments and up to 7 of a reply in
 * its result; more is copied by the server with process_vm_readv and writev.
 *
 * The filter stays in the client's process for good: it costs every later
 * system call there some 30 ns.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "link.h"
#include "transports.h"

/* Beyond every system call of x86-64, so that no other call of the client is served. */
#define CALL_NUMBER 1000

/* Arguments of the call. */
enum { ARG_REQUEST, ARG_REQUEST_BYTES, ARG_REPLY, ARG_CAPACITY, ARG_INLINE };
#define INLINE_REQUEST_BYTES 16u

/* Result of the call: length + 1 in the top byte and the reply below, or the length alone. */
#define INLINE_REPLY_BYTES 7u
#define INLINE_SHIFT 56

#define LISTENER_WAIT_MS 50
#define LISTENER_WAITS 100

struct upcall_state {
    int handover[2]; /* by side: brings the listener to the server */
    int listener;
    struct seccomp_notif request; /* that the server is answering */
};

static enum hk_status upcall_probe(char reason[HK_REASON_BYTES])
{
    const uint32_t action = SECCOMP_RET_USER_NOTIF;

    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0)
        return hk_reason_set(reason, "no seccomp user notification (%s): needs Linux 5.0 with "
                                     "CONFIG_SECCOMP_FILTER", strerror(errno));
    return HK_OK;
}

static enum hk_status upcall_open(struct hk_link *link)
{
    struct upcall_state *state = calloc(1, sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    link->state = state;
    state->listener = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, state->handover) != 0) {
        state->handover[0] = state->handover[1] = -1;
        return hk_errno_status(errno);
    }
    return HK_OK;
}

static int filter_install(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALL_NUMBER, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = HK_ARRAY_COUNT(program), .filter = program};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &filter);
}

/* Space for one descriptor, aligned as control messages want it. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static enum hk_status listener_give(int socket, int listener)
{
    char byte = 0;
    union control control = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &listener, sizeof(listener));
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? HK_OK : HK_EPEER;
}

static enum hk_status listener_take(struct hk_link *link, int socket, int *listener)
{
    struct timeval wait = {.tv_usec = LISTENER_WAIT_MS * 1000};
    char byte;
    union control control;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t n = -1;

    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    for (int i = 0; n < 0 && i < LISTENER_WAITS; i++) {
        if (hk_link_peer_gone(link, HK_SERVER))
            return HK_EPEER;
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    }
    if (n < 0)
        return HK_ETIMEOUT;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (n == 0 || !header || header->cmsg_type != SCM_RIGHTS)
        return HK_EPEER;
    memcpy(listener, CMSG_DATA(header), sizeof(*listener));
    return HK_OK;
}

static enum hk_status upcall_attach(struct hk_link *link, enum hk_side side)
{
    struct upcall_state *state = link->state;
    enum hk_status status;

    hk_fd_close(&state->handover[hk_side_other(side)]);
    if (side == HK_SERVER) {
        status = listener_take(link, state->handover[side], &state->listener);
    } else {
        /* Where only ancestors may read a process (Yama), the server has to be let in. */
        (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
        int listener = filter_install();
        if (listener < 0)
            return errno == EBUSY ? HK_EBUSY : hk_errno_status(errno);
        status = listener_give(state->handover[side], listener);
        /* Only the server holds it: its death ends our calls. */
        hk_fd_close(&listener);
    }
    hk_fd_close(&state->handover[side]);
    return status;
}

static enum hk_status upcall_call(struct hk_link *link, const void *request, size_t request_bytes,
                                  void *reply, size_t capacity, size_t *reply_bytes)
{
    uint64_t words[2] = {0, 0};

    if (request_bytes <= INLINE_REQUEST_BYTES)
        memcpy(words, request, request_bytes);
    long result = syscall(CALL_NUMBER, request, request_bytes, reply, capacity, words[0], words[1]);
    if (result < 0) {
        int error = errno;
        bool gone = hk_link_peer_gone(link, HK_CLIENT);
        /* An interrupted call may have been served: it must not be made twice. */
        if (error == EINTR && !gone)
            return HK_EINTR;
        /* ENOSYS: the listener is closed. */
        return error == ENOSYS || gone ? HK_EPEER : hk_errno_status(error);
    }
    if (result >> INLINE_SHIFT == 0) {
        *reply_bytes = (size_t)result;
        return HK_OK;
    }
    *reply_bytes = (size_t)(result >> INLINE_SHIFT) - 1;
    memcpy(reply, &result, *reply_bytes);
    return HK_OK;
}

static enum hk_status upcall_send(struct hk_link *link, enum hk_side side, const void *data,
                                  size_t bytes)
{
    struct upcall_state *state = link->state;
    const struct seccomp_notif *request = &state->request;
    struct seccomp_notif_resp response = {.id = request->id, .val = (int64_t)bytes};

    if (side == HK_CLIENT)
        return HK_ENOTSUP;
    if (bytes > request->data.args[ARG_CAPACITY])
        return HK_ETOOBIG;
    if (bytes <= INLINE_REPLY_BYTES) {
        memcpy(&response.val, data, bytes);
        if (bytes == 0)
            response.val = 0;
        else
            response.val |= (int64_t)(bytes + 1) << INLINE_SHIFT;
    } else {
        struct iovec local = {(void *)(uintptr_t)data, bytes};
        struct iovec remote = {(void *)(uintptr_t)request->data.args[ARG_REPLY], bytes};
        if (process_vm_writev((pid_t)request->pid, &local, 1, &remote, 1, 0) != (ssize_t)bytes)
            return hk_link_error(link, side, errno) == HK_EPEER ? HK_EPEER : HK_EFAULT;
    }
    while (ioctl(state->listener, SECCOMP_IOCTL_NOTIF_SEND, &response) != 0) {
        /* ENOENT: who asked does not wait any more. */
        enum hk_status status = hk_link_error(link, side, errno == ENOENT ? ESRCH : errno);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status upcall_receive(struct hk_link *link, enum hk_side side, void *data,
                                     size_t capacity, size_t *bytes)
{
    struct upcall_state *state = link->state;
    struct seccomp_notif *request = &state->request;

    if (side == HK_CLIENT)
        return HK_ENOTSUP;
    for (;;) {
        /* The kernel insists on zeroes. */
        memset(request, 0, sizeof(*request));
        if (ioctl(state->listener, SECCOMP_IOCTL_NOTIF_RECV, request) == 0)
            break;
        /* ENOENT: a caller went away between its call and our taking it, perhaps for good. */
        enum hk_status status = hk_link_error(link, side, errno == ENOENT ? EINTR : errno);
        if (status != HK_OK)
            return status;
    }
    size_t request_bytes = request->data.args[ARG_REQUEST_BYTES];
    if (request_bytes > capacity)
        return HK_ETOOBIG;
    if (request_bytes <= INLINE_REQUEST_BYTES) {
        memcpy(data, &request->data.args[ARG_INLINE], request_bytes);
    } else {
        struct iovec local = {data, request_bytes};
        struct iovec remote = {(void *)(uintptr_t)request->data.args[ARG_REQUEST], request_bytes};
        if (process_vm_readv((pid_t)request->pid, &local, 1, &remote, 1, 0) !=
            (ssize_t)request_bytes)
            return hk_link_error(link, side, errno) == HK_EPEER ? HK_EPEER : HK_EFAULT;
    }
    *bytes = request_bytes;
    return HK_OK;
}

static void upcall_close(struct hk_link *link)
{
    struct upcall_state *state = link->state;

    hk_fd_close(&state->handover[0]);
    hk_fd_close(&state->handover[1]);
    hk_fd_close(&state->listener);
    free(state);
}

const struct hk_transport hk_transport_seccomp_notify = {
    .name = "seccomp_notify",
    .summary = "a system call of the client answered by the server: seccomp user notification",
    .flags = HK_TRANSPORT_UPCALL | HK_TRANSPORT_CALL_ONLY,
    .message_bytes_max = HK_MIB,
    /* The client's call ends before the tracepoint that counts system calls: counted as 0. */
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 0,
              .client_syscalls_max = 1,
              .server_syscalls_min = 2,
              .server_syscalls_max = 4},
    .probe = upcall_probe,
    .open = upcall_open,
    .attach = upcall_attach,
    .send = upcall_send,
    .receive = upcall_receive,
    .call = upcall_call,
    .close = upcall_close,
};
