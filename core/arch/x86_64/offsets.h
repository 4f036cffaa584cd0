/* SPDX-License-Identifier: MIT */
/* Where the entry code finds things; offsets.c holds these numbers against the structures. */
#ifndef HK_ARCH_OFFSETS_H
#define HK_ARCH_OFFSETS_H

#define CPU_CURRENT 0
#define CPU_EXIT_WORK 8
#define CPU_HAND_OVER 16

#define THREAD_STATE 8
#define THREAD_FLAGS 12
#define THREAD_CAPS 16
#define THREAD_SPACE_ROOT 24
#define THREAD_BUDGET 32
#define THREAD_CLIENT 40
#define THREAD_SERVER 48
#define THREAD_ENDPOINT 56
#define THREAD_RAX 64
#define THREAD_RDI 72
#define THREAD_RSI 80 /* message word 0 */
#define THREAD_RDX 88
#define THREAD_R8 96
#define THREAD_R9 104
#define THREAD_R10 112 /* message word 4 */
#define THREAD_RBX 120
#define THREAD_RBP 128
#define THREAD_R12 136
#define THREAD_R13 144
#define THREAD_R14 152
#define THREAD_R15 160
#define THREAD_RCX 168
#define THREAD_R11 176
#define THREAD_RIP 184
#define THREAD_RSP 192
#define THREAD_RFLAGS 200
#define THREAD_OWN_BUDGET 224

#define STATE_RUNNING 2
#define STATE_RECEIVING 3
#define STATE_CALLED 5

#define CAP_OBJECT 0
#define CAP_BADGE 8
#define CAP_RIGHTS 16
#define CAP_SHIFT 5 /* log2 of the size of an entry */

#define ENDPOINT_SLOT 8
#define ENDPOINT_INSTANCE 16

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x1b
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TASK 0x28

#define USER_RFLAGS 0x202
#define NO_SUCH_CALL -23

#endif
