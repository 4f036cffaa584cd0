/* SPDX-License-Identifier: MIT */
/* What the compiler calls for copies and fills, in the booted kernel and in its programs. */
#include <stddef.h>

#include "arch/x86_64/copy.h"

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

void *memcpy(void *to, const void *from, size_t bytes)
{
    hk_copy_inline(to, from, bytes);
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    uint64_t words = bytes / 8, rest = bytes % 8;
    uint64_t pattern = 0x0101010101010101 * (unsigned char)value;
    void *at = to;

    __asm__ volatile("rep stosq\n\t"
                     "mov %3, %%rcx\n\t"
                     "rep stosb"
                     : "+D"(at), "+c"(words)
                     : "a"(pattern), "r"(rest)
                     : "memory");
    return to;
}
