/* SPDX-License-Identifier: MIT */
/* The copy of the metal port, inline for the few paths where a call counts. */
#ifndef HK_ARCH_COPY_H
#define HK_ARCH_COPY_H

#include <stdint.h>

static inline void hk_copy_inline(void *to, const void *from, uint64_t bytes)
{
    uint64_t words = bytes / 8, rest = bytes % 8;

    __asm__ volatile("rep movsq\n\t"
                     "mov %3, %%rcx\n\t"
                     "rep movsb"
                     : "+D"(to), "+S"(from), "+c"(words)
                     : "r"(rest)
                     : "memory");
}

#endif
