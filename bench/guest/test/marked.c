/* SPDX-License-Identifier: MIT */
/* A hosted program with regions of known cost, for user-mode emulation; the last comes too late. */
#include <stdint.h>
#include <stdio.h>

#include "hk/base/mark.h"

static uint64_t cell;

/* 1 + 3 rounds instructions and as many stores as rounds. */
__attribute__((noinline)) static void marked_loop(uint32_t rounds)
{
    HK_MARK(HK_MARK_BEGIN);
    __asm__ volatile("mov %1, %%ecx\n"
                     "1: movq %%rcx, %0\n\t"
                     "dec %%ecx\n\t"
                     "jnz 1b"
                     : "=m"(cell)
                     : "r"(rounds)
                     : "rcx", "cc");
    HK_MARK(HK_MARK_END);
}

int main(void)
{
    marked_loop(1000);
    HK_MARK(HK_MARK_ARM);
    puts("ran");
    marked_loop(500);
    HK_MARK(HK_MARK_DISARM);
    puts("ran on");
    marked_loop(250);
    return 0;
}
