/* SPDX-License-Identifier: MIT */
/* A hosted program with one marked region of known cost, for user-mode emulation. */
#include <stdint.h>
#include <stdio.h>

#include "hk/base/mark.h"

static uint64_t cell;

/* 1 + 3 * 1000 instructions and 1000 stores. */
__attribute__((noinline)) static void marked_loop(void)
{
    HK_MARK(HK_MARK_BEGIN);
    __asm__ volatile("mov $1000, %%ecx\n"
                     "1: movq %%rcx, %0\n\t"
                     "dec %%ecx\n\t"
                     "jnz 1b"
                     : "=m"(cell)
                     :
                     : "rcx", "cc");
    HK_MARK(HK_MARK_END);
}

int main(void)
{
    marked_loop();
    puts("ran");
    return 0;
}
