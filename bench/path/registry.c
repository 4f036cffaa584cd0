/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "hk/base/units.h"
#include "paths.h"

const struct hk_path *const hk_paths[] = {
    &hk_path_memcpy,
    &hk_path_vdso_clock,
    &hk_path_getppid,
    &hk_path_clock_syscall,
    &hk_path_sched_yield,
    &hk_path_clock_nanosleep_past,
    &hk_path_timerfd_read_expired,
    &hk_path_pipe_self,
    &hk_path_unix_stream_self,
    &hk_path_unix_dgram_self,
    &hk_path_unix_seqpacket_self,
    &hk_path_tcp_self,
    &hk_path_udp_self,
    &hk_path_icmp_echo,
    &hk_path_posix_mq_self,
    &hk_path_sysv_msg_self,
    &hk_path_sysv_sem_self,
    &hk_path_eventfd_self,
    &hk_path_futex_wake_self,
    &hk_path_signal_self,
    &hk_path_signalfd_self,
    &hk_path_io_uring_nop,
    &hk_path_tmpfs_pread,
    &hk_path_tmpfs_pwrite,
};
const size_t hk_path_count = HK_ARRAY_COUNT(hk_paths);

enum hk_status hk_path_find(const char *name, const struct hk_path **path)
{
    for (size_t i = 0; i < hk_path_count; i++) {
        if (strcmp(hk_paths[i]->name, name) == 0) {
            *path = hk_paths[i];
            return HK_OK;
        }
    }
    return HK_ENOENT;
}
