/* SPDX-License-Identifier: MIT */
/* Every path of this folder, and what their files share. registry.c lists them. */
#ifndef HK_PATH_PATHS_H
#define HK_PATH_PATHS_H

#include "hk/path/path.h"

/* Two payload buffers: what is sent, of contents that do not compress, and what comes back. */
struct hk_path_buffers {
    size_t bytes;
    unsigned char *out;
    unsigned char *in;
};

/* Returns HK_OK; HK_ENOMEM. Undone by hk_path_buffers_fini. */
enum hk_status hk_path_buffers_init(struct hk_path_buffers *buffers, size_t bytes);
void hk_path_buffers_fini(struct hk_path_buffers *buffers);

/* HK_OK when `in` holds what `out` holds, else HK_EROW. */
enum hk_status hk_path_buffers_verify(const struct hk_path_buffers *buffers);

/* Writes cause and remedy. Returns HK_ENOTSUP. */
enum hk_status hk_path_refuse(char reason[HK_REASON_BYTES], const char *text);

extern const struct hk_path hk_path_memcpy;
extern const struct hk_path hk_path_vdso_clock;
extern const struct hk_path hk_path_getppid;
extern const struct hk_path hk_path_clock_syscall;
extern const struct hk_path hk_path_sched_yield;
extern const struct hk_path hk_path_clock_nanosleep_past;
extern const struct hk_path hk_path_timerfd_read_expired;
extern const struct hk_path hk_path_pipe_self;
extern const struct hk_path hk_path_unix_stream_self;
extern const struct hk_path hk_path_unix_dgram_self;
extern const struct hk_path hk_path_unix_seqpacket_self;
extern const struct hk_path hk_path_tcp_self;
extern const struct hk_path hk_path_udp_self;
extern const struct hk_path hk_path_icmp_echo;
extern const struct hk_path hk_path_posix_mq_self;
extern const struct hk_path hk_path_sysv_msg_self;
extern const struct hk_path hk_path_sysv_sem_self;
extern const struct hk_path hk_path_eventfd_self;
extern const struct hk_path hk_path_futex_wake_self;
extern const struct hk_path hk_path_signal_self;
extern const struct hk_path hk_path_signalfd_self;
extern const struct hk_path hk_path_io_uring_nop;
extern const struct hk_path hk_path_tmpfs_pread;
extern const struct hk_path hk_path_tmpfs_pwrite;

#endif
