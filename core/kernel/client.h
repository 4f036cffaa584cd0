/* SPDX-License-Identifier: MIT */
/*
 * What a service does for a client whose message it is not answering: signals, and
 * pages lent. A service knows its clients by their pids, the badges of their
 * messages; so only who may command the system can do this.
 */
#ifndef HK_KERNEL_CLIENT_H
#define HK_KERNEL_CLIENT_H

#include "kernel/types.h"

/*
 * Add bits to what a process was signalled, or give them to its thread in signal_wait.
 *
 * Returns HK_OK; HK_ENOENT when there is no such process (any more); HK_EINVAL for no
 * bits or one outside HK_NOTIFICATION_BITS.
 */
enum hk_status hk_client_signal(struct hk_cpu *cpu, uint64_t pid, uint64_t bits);

/*
 * Map a frame at a client's address, for reading only; what it had there goes.
 *
 * physical  [in]  held once more by the new mapping
 *
 * Returns HK_OK; HK_ENOENT as above; HK_EINVAL for an address that is not page-aligned
 * or not below HK_USER_IPC_BASE; HK_ENOMEM.
 */
enum hk_status hk_client_lend(struct hk_cpu *cpu, uint64_t pid, uint64_t physical,
                              uint64_t address);

#endif
