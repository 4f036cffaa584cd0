/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hk/run/run.h"

/* In the abstract namespace: the first byte is 0, and no file is made. */
static const char lock_name[] = "\0hkbench-run";

static socklen_t lock_address(struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, lock_name, sizeof lock_name - 1);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof lock_name - 1);
}

/* Who listens on the lock; 0 when it has gone meanwhile. */
static pid_t find_holder(const struct sockaddr_un *address, socklen_t bytes)
{
    struct ucred peer = {0};
    socklen_t peer_bytes = sizeof peer;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return 0;
    if (connect(fd, (const struct sockaddr *)address, bytes) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_bytes) != 0)
        peer.pid = 0;
    close(fd);
    return peer.pid;
}

enum hk_status hk_run_lock_acquire(struct hk_run_lock *lock, pid_t *holder)
{
    struct sockaddr_un address;
    const socklen_t bytes = lock_address(&address);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return HK_EIO;
    if (bind(fd, (const struct sockaddr *)&address, bytes) == 0 && listen(fd, SOMAXCONN) == 0) {
        lock->fd = fd;
        return HK_OK;
    }
    const bool taken = errno == EADDRINUSE;
    close(fd);
    if (!taken)
        return HK_EIO;
    *holder = find_holder(&address, bytes);
    return HK_EBUSY;
}

void hk_run_lock_release(struct hk_run_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
