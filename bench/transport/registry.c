/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "hk/base/units.h"
#include "transports.h"

const struct hk_transport *const hk_transports[] = {
    &hk_transport_null,
    &hk_transport_inline,
    &hk_transport_pipe,
    &hk_transport_vmsplice,
    &hk_transport_unix_stream,
    &hk_transport_unix_dgram,
    &hk_transport_unix_seqpacket,
    &hk_transport_tcp,
    &hk_transport_udp,
    &hk_transport_posix_mq,
    &hk_transport_sysv_msg,
    &hk_transport_rt_signal,
    &hk_transport_signalfd,
    &hk_transport_eventfd_shm,
    &hk_transport_sysv_sem_shm,
    &hk_transport_futex_ring,
    &hk_transport_spin_ring,
    &hk_transport_spin_futex_ring,
    &hk_transport_thread_futex_ring,
    &hk_transport_thread_spin_ring,
    &hk_transport_thread_spin_futex_ring,
    &hk_transport_io_uring,
    &hk_transport_io_uring_sqpoll,
    &hk_transport_process_vm_eventfd,
    &hk_transport_page_grant,
    &hk_transport_page_grant_copy,
    &hk_transport_seccomp_notify,
};
const size_t hk_transport_count = HK_ARRAY_COUNT(hk_transports);

enum hk_status hk_transport_find(const char *name, const struct hk_transport **transport)
{
    for (size_t i = 0; i < hk_transport_count; i++) {
        if (strcmp(hk_transports[i]->name, name) == 0) {
            *transport = hk_transports[i];
            return HK_OK;
        }
    }
    return HK_ENOENT;
}
