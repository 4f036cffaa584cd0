/* SPDX-License-Identifier: MIT */
/* Instructions of eBPF as initialisers, for programs written by hand. */
#ifndef HK_EXTENSION_ASSEMBLE_H
#define HK_EXTENSION_ASSEMBLE_H

#include "extension/instruction.h"

#define INSTRUCTION(code, to, from, offset, value)                           \
    { (uint8_t)(code), (uint8_t)((to) | (from) << 4), (int16_t)(offset), (value) }

#define SET(to, value) INSTRUCTION(HK_ALU64 | HK_K | HK_MOV, to, 0, 0, value)
#define COPY(to, from) INSTRUCTION(HK_ALU64 | HK_X | HK_MOV, to, from, 0, 0)
#define DO(operation, to, value) INSTRUCTION(HK_ALU64 | HK_K | HK_##operation, to, 0, 0, value)
#define DO_X(operation, to, from) INSTRUCTION(HK_ALU64 | HK_X | HK_##operation, to, from, 0, 0)
#define DO32(operation, to, value) INSTRUCTION(HK_ALU32 | HK_K | HK_##operation, to, 0, 0, value)
#define DO32_X(operation, to, from) INSTRUCTION(HK_ALU32 | HK_X | HK_##operation, to, from, 0, 0)
#define LOAD_(size, to, from, offset) INSTRUCTION(HK_LDX | HK_MEM | HK_##size, to, from, offset, 0)
#define STORE_(size, to, offset, from) INSTRUCTION(HK_STX | HK_MEM | HK_##size, to, from, offset, 0)
#define STORE_NUMBER(size, to, offset, value) \
    INSTRUCTION(HK_ST | HK_MEM | HK_##size, to, 0, offset, value)
#define IF(comparison, to, value, skip) \
    INSTRUCTION(HK_JMP | HK_K | HK_##comparison, to, 0, skip, value)
#define IF_X(comparison, to, from, skip) \
    INSTRUCTION(HK_JMP | HK_X | HK_##comparison, to, from, skip, 0)
#define IF32(comparison, to, value, skip) \
    INSTRUCTION(HK_JMP32 | HK_K | HK_##comparison, to, 0, skip, value)
#define SKIP(skip) INSTRUCTION(HK_JMP | HK_JA, 0, 0, skip, 0)
#define CALL(helper) INSTRUCTION(HK_JMP | HK_CALL, 0, 0, 0, helper)
#define EXIT INSTRUCTION(HK_JMP | HK_EXIT, 0, 0, 0, 0)
#define NUMBER64(to, low, high)                                     \
    INSTRUCTION(HK_LOAD_NUMBER, to, HK_FROM_NUMBER, 0, (int32_t)(low)), \
        INSTRUCTION(0, 0, 0, 0, high)
#define MAP(to, number) \
    INSTRUCTION(HK_LOAD_NUMBER, to, HK_FROM_MAP, 0, number), INSTRUCTION(0, 0, 0, 0, 0)

#endif
