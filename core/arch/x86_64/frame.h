/* SPDX-License-Identifier: MIT */
/*
 * The user registers of a thread that is not running, in the order in which the
 * entry code stores them. Offsets for assembly are in offsets.h.
 */
#ifndef HK_ARCH_FRAME_H
#define HK_ARCH_FRAME_H

#include <stdint.h>

#include "hk/base/abi.h"

struct hk_frame {
    uint64_t rax;
    uint64_t rdi;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS]; /* rsi rdx r8 r9 r10 rbx rbp r12 r13 r14 r15 */
    uint64_t rcx;
    uint64_t r11;
    uint64_t rip;
    uint64_t rsp;
    uint64_t rflags;
};

#endif
