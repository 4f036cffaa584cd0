/* SPDX-License-Identifier: MIT */
/*
 * The table of general system calls. A handler is called hk_sys_<name>, sits in
 * the file of its object, and gets arguments that nobody has checked.
 */
#ifndef HK_KERNEL_SYSCALL_H
#define HK_KERNEL_SYSCALL_H

#include "kernel/types.h"

extern hk_syscall_fn *const hk_syscalls[HK_SYS_END];

#define X(number, name) hk_syscall_fn hk_sys_##name;
HK_SYSCALL_LIST(X)
#undef X

#endif
