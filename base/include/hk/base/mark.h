/* SPDX-License-Identifier: MIT */
/*
 * Region marks: how a program tells the counting plugin what to count.
 *
 * A mark is a no-operation the compiler never emits by itself, nopl disp32(%rax), whose
 * displacement carries a magic and a kind. It costs one instruction, touches no register, no flag
 * and no memory, and works in both rings, in the guest and in hosted code under user-mode
 * emulation.
 *
 * Exactly the instructions executed between a begin and the next end mark are counted, the marks
 * themselves are not. Regions do not nest; the plugin numbers them 0, 1, 2, ... in the order of
 * their begin marks, so a program that counts its own begin marks knows the number of each region.
 */
#ifndef HK_BASE_MARK_H
#define HK_BASE_MARK_H

#define HK_MARK_MAGIC 0x484b0000
#define HK_MARK_BEGIN 1
#define HK_MARK_END 2
/* Counting may begin soon: see the plugin's from=arm. No region begins for a few instructions. */
#define HK_MARK_ARM 3
/* No region begins any more: what the plugin has not seen yet runs at full speed. */
#define HK_MARK_DISARM 4

#ifndef __ASSEMBLER__
#define HK_MARK(kind)                                                                              \
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0"                                         \
                     :                                                                             \
                     : "i"(HK_MARK_MAGIC | (kind))                                                 \
                     : "memory")
#endif

#endif
