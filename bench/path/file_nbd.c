/* SPDX-License-Identifier: MIT */
/*
 * A block device in a server, by the kernel's nbd driver over a socket pair: no network, and no
 * package but the kernel's own. The driver's ioctls bind the device to the life of a process of
 * the server's, which stays in the kernel as long as it is connected; whichever of the processes
 * is killed, the device is free again.
 *
 * Source: Linux drivers/block/nbd.c and uapi/linux/nbd.h; the protocol's transmission phase,
 * NetworkBlockDevice/nbd doc/proto.md, simple replies.
 */
#include <linux/nbd.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "hk/base/units.h"

enum { DEVICES_MAX = 16, TIMEOUT_S = 2, READY_TRIES = 2000 };

/* --- answering -------------------------------------------------------------------------------- */

/* Whole, or HK_EPEER. */
static enum hk_status read_whole(int fd, void *to, size_t bytes)
{
    char *at = to;

    while (bytes > 0) {
        const ssize_t n = read(fd, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return HK_EPEER;
        at += n;
        bytes -= (size_t)n;
    }
    return HK_OK;
}

/* Changes the parts. */
static enum hk_status write_whole(int fd, struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t n = writev(fd, parts, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return HK_EPEER;
        for (; count > 0 && (size_t)n >= parts->iov_len; parts++, count--)
            n -= (ssize_t)parts->iov_len;
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + n;
            parts->iov_len -= (size_t)n;
        }
    }
    return HK_OK;
}

/* The device is as long as what a read must give, and only reads are answered. */
static enum hk_status answer_one(struct hk_file *file, int connection,
                                 const struct nbd_request *request)
{
    const uint64_t from = be64toh(request->from);
    const uint32_t bytes = be32toh(request->len);
    const bool fits = be32toh(request->type) == NBD_CMD_READ && from <= file->options.bytes &&
                      bytes <= file->options.bytes - from;
    struct nbd_reply reply = {.magic = htobe32(NBD_REPLY_MAGIC),
                              .error = htobe32(fits ? 0 : EINVAL)};
    struct iovec parts[2] = {{&reply, sizeof reply}, {NULL, 0}};

    memcpy(reply.handle, request->handle, sizeof reply.handle);
    if (fits)
        parts[1] = (struct iovec){file->expected + from, bytes};
    /* One thread writes. */
    atomic_fetch_add_explicit(&file->shared->requests, 1, memory_order_release);
    return write_whole(connection, parts, fits ? 2 : 1);
}

/* Until the client disconnects the device, or it is gone. */
static enum hk_status answer(struct hk_file *file, int connection)
{
    struct nbd_request request;

    while (read_whole(connection, &request, sizeof request) == HK_OK) {
        if (be32toh(request.magic) != NBD_REQUEST_MAGIC)
            return HK_EIO;
        if (be32toh(request.type) == NBD_CMD_DISC)
            return HK_OK;
        if (answer_one(file, connection, &request) != HK_OK)
            return HK_OK;
    }
    return HK_OK;
}

/* --- the device ------------------------------------------------------------------------------- */

/* The first that nobody uses takes the socket; -1 with errno. */
static int open_free_device(int socket)
{
    char path[32];
    int error = ENOENT;

    for (int i = 0; i < DEVICES_MAX; i++) {
        snprintf(path, sizeof path, "/dev/nbd%d", i);
        const int device = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
        if (device >= 0 && ioctl(device, NBD_SET_SOCK, socket) == 0)
            return device;
        if (device >= 0 || i == 0)
            error = errno;
        if (device >= 0)
            close(device);
    }
    errno = error;
    return -1;
}

static bool describe(int device, size_t bytes)
{
    return ioctl(device, NBD_SET_BLKSIZE, (unsigned long)HK_PAGE_BYTES) == 0 &&
           ioctl(device, NBD_SET_SIZE_BLOCKS, bytes / HK_PAGE_BYTES) == 0 &&
           /* Whoever waits for a server that died is told within this time. */
           ioctl(device, NBD_SET_TIMEOUT, (unsigned long)TIMEOUT_S) == 0 &&
           ioctl(device, NBD_SET_FLAGS, (unsigned long)(NBD_FLAG_HAS_FLAGS |
                                                        NBD_FLAG_READ_ONLY)) == 0;
}

/* The process that stays in the kernel: its end, however it comes, disconnects the device. */
static pid_t fork_holder(int device, int connection)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(connection); /* or the driver would not see the server's end */
    if (getppid() == parent)
        ioctl(device, NBD_DO_IT);
    ioctl(device, NBD_CLEAR_SOCK);
    _exit(0);
}

/* The device has its size once the holder is in the kernel. */
static bool await_size(int device, size_t bytes)
{
    static const struct timespec pause = {0, HK_NS_PER_MS};
    uint64_t size = 0;

    for (int i = 0; i < READY_TRIES; i++) {
        if (ioctl(device, BLKGETSIZE64, &size) == 0 && size == bytes)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* Connects a device to sockets[1]; *holder is to be waited for, when there is one. */
static enum hk_status connect_device(const struct hk_file *file, const int sockets[2], int *device,
                                     pid_t *holder, char reason[HK_REASON_BYTES])
{
    const enum hk_status status = hk_block_check(file, reason);

    if (status != HK_OK)
        return status;
    *device = open_free_device(sockets[1]);
    if (*device < 0) {
        snprintf(reason, HK_REASON_BYTES, "no /dev/nbd* is to be had: %s; %s", strerror(errno),
                 errno == ENOENT ? "modprobe nbd, on a kernel with CONFIG_BLK_DEV_NBD"
                 : errno == EACCES ? "run as root" : "disconnect one with nbd-client -d");
        return HK_ENOTSUP;
    }
    if (!describe(*device, file->options.bytes)) {
        snprintf(reason, HK_REASON_BYTES, "the nbd driver refuses its settings: %s",
                 strerror(errno));
        return HK_ENOTSUP;
    }
    *holder = fork_holder(*device, sockets[0]);
    return *holder > 0 ? HK_OK : HK_ENOMEM;
}

static enum hk_status serve_connected(struct hk_file *file, int sockets[2], int *device,
                                      pid_t *holder)
{
    char reason[HK_REASON_BYTES] = "";

    enum hk_status status = connect_device(file, sockets, device, holder, reason);
    close(sockets[1]); /* the driver's now */
    sockets[1] = -1;
    if (status == HK_OK && !await_size(*device, file->options.bytes)) {
        snprintf(reason, HK_REASON_BYTES, "the nbd driver does not start");
        status = HK_EIO;
    }
    status = hk_handover_give(&file->handover, status, reason, device, 1);
    if (*device >= 0)
        close(*device);
    return status == HK_OK ? answer(file, sockets[0]) : status;
}

static enum hk_status nbd_serve(struct hk_file *file)
{
    int sockets[2], device = -1;
    pid_t holder = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return HK_ENOMEM;
    const enum hk_status status = serve_connected(file, sockets, &device, &holder);
    close(sockets[0]); /* the driver disconnects, and the holder comes back */
    while (holder > 0 && waitpid(holder, NULL, 0) < 0 && errno == EINTR)
        ;
    /* The client says that it is not available; here nothing broke. */
    return status == HK_ENOTSUP ? HK_OK : status;
}

/* --- the client ------------------------------------------------------------------------------- */

static enum hk_status nbd_open(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    const enum hk_status status = hk_handover_take(&file->handover, &file->fd, 1, reason);

    if (status == HK_OK)
        file->state = &file->fd; /* there is something to disconnect */
    return status;
}

/* The server hears of it as its last request. */
static void nbd_close(struct hk_file *file)
{
    ioctl(file->fd, NBD_DISCONNECT);
}

const struct hk_file_service hk_file_service_nbd = {
    .name = "nbd",
    .summary = "a block device in a server, by the kernel's nbd driver over a socket pair",
    .caches = 1u << HK_FILE_DIRECT,
    .server = true,
    .kernel_threads = true,
    /* The one that sends, of the client; the one that receives, of the server: when the request is
     * taken, and when the reply is there. */
    .preemptions = 3,
    .syscalls = 1,
    .open = nbd_open,
    .close = nbd_close,
    .serve = nbd_serve,
    .run = hk_file_run_syscalls,
};
