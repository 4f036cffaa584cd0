/* SPDX-License-Identifier: MIT */
/*
 * What the verifier promises, checked while a program runs: every access lies in the packet, the
 * stack or one value of a map, every byte and register read was written, no address gets out, no
 * instruction runs twice, and none that no path was to reach. Knows the instructions by itself: it
 * shares nothing with the verifier and the interpreter but the program and the names in its codes.
 */
#ifndef HK_TEST_ORACLE_H
#define HK_TEST_ORACLE_H

#include "extension/extension.h"

/* Before a program is run on a packet. */
void hk_oracle_begin(const unsigned char *packet, uint32_t bytes);

/* Before each instruction: prints what is wrong and aborts, if anything is. */
void hk_oracle_step(const struct hk_extension *extension, const struct hk_instruction *i,
                    const uint64_t reg[HK_REGISTERS], uintptr_t stack,
                    const struct hk_extension_context *context);

/* Instructions run since hk_oracle_begin. */
uint32_t hk_oracle_steps(void);

#endif
