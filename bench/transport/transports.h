/* SPDX-License-Identifier: MIT */
/* Every transport of this folder; registry.c lists them. */
#ifndef HK_TRANSPORT_TRANSPORTS_H
#define HK_TRANSPORT_TRANSPORTS_H

#include "hk/transport/transport.h"

extern const struct hk_transport hk_transport_null;
extern const struct hk_transport hk_transport_inline;
extern const struct hk_transport hk_transport_pipe;
extern const struct hk_transport hk_transport_vmsplice;
extern const struct hk_transport hk_transport_unix_stream;
extern const struct hk_transport hk_transport_unix_dgram;
extern const struct hk_transport hk_transport_unix_seqpacket;
extern const struct hk_transport hk_transport_tcp;
extern const struct hk_transport hk_transport_udp;
extern const struct hk_transport hk_transport_posix_mq;
extern const struct hk_transport hk_transport_sysv_msg;
extern const struct hk_transport hk_transport_rt_signal;
extern const struct hk_transport hk_transport_signalfd;
extern const struct hk_transport hk_transport_eventfd_shm;
extern const struct hk_transport hk_transport_sysv_sem_shm;
extern const struct hk_transport hk_transport_futex_ring;
extern const struct hk_transport hk_transport_spin_ring;
extern const struct hk_transport hk_transport_spin_futex_ring;
extern const struct hk_transport hk_transport_thread_futex_ring;
extern const struct hk_transport hk_transport_thread_spin_ring;
extern const struct hk_transport hk_transport_thread_spin_futex_ring;
extern const struct hk_transport hk_transport_io_uring;
extern const struct hk_transport hk_transport_io_uring_sqpoll;
extern const struct hk_transport hk_transport_process_vm_eventfd;
extern const struct hk_transport hk_transport_page_grant;
extern const struct hk_transport hk_transport_page_grant_copy;
extern const struct hk_transport hk_transport_seccomp_notify;

#endif
