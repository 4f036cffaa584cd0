/* SPDX-License-Identifier: MIT */
/*
 * Kernel objects that leave nothing behind when their process is killed.
 *
 * POSIX queues lose their name as soon as they are open. System V objects
 * outlive their processes: where the process may, it enters an IPC namespace of
 * its own, which dies with it; elsewhere every object carries a key that begins
 * with 'hk', its creator removes it at the end, and hk_transport_sweep() removes
 * those whose users are all dead. A container's own IPC namespace is kept.
 */
#ifndef HK_TRANSPORT_IPC_H
#define HK_TRANSPORT_IPC_H

#include <mqueue.h>
#include <netinet/in.h>
#include <stddef.h>

#include "hk/base/status.h"

/* Within a default installation's limits: fs.mqueue.msgsize_max and kernel.msgmax. */
#define HK_QUEUE_MESSAGE_BYTES_MAX 8192u

/*
 * Create a System V message queue; it already names this process as its user.
 *
 * Returns HK_OK; HK_ENOSPC, HK_EPERM or HK_ENOTSUP when the system refuses.
 */
enum hk_status hk_sysv_msg_create(int *id);

/* Create a set of count System V semaphores at 0; errors as hk_sysv_msg_create. */
enum hk_status hk_sysv_sem_create(int count, int *id);

/*
 * Open a POSIX message queue that has no name any more.
 *
 * message_bytes  [in]  1 ... HK_QUEUE_MESSAGE_BYTES_MAX on a default installation
 *
 * Returns HK_OK; HK_EINVAL beyond the system's limits; HK_ENOMEM beyond the
 * user's (ulimit -q); HK_ENOTSUP.
 */
enum hk_status hk_mq_create(size_t message_bytes, mqd_t *queue);

/*
 * Open a socket bound to a free port of 127.0.0.1.
 *
 * type     [in]   SOCK_STREAM or SOCK_DGRAM
 * address  [out]  where it is bound
 * fd       [out]
 *
 * Returns HK_OK; HK_ENOTSUP and others when there is no loopback device.
 */
enum hk_status hk_loopback_socket(int type, struct sockaddr_in *address, int *fd);

/* Open a TCP connection of 127.0.0.1 with itself, without Nagle's delay. */
enum hk_status hk_loopback_connect(int fds[2]);

/* The project's status for an errno value of a failed call. */
enum hk_status hk_errno_status(int error);

#endif
