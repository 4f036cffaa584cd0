/* SPDX-License-Identifier: MIT */
/*
 * The instructions of eBPF, in the encoding of RFC 9669, so that what clang makes for the target
 * bpf is a program here. Left out: atomic operations, packet access by LD_ABS and LD_IND, calls of
 * the program's own functions and tail calls.
 */
#ifndef HK_EXTENSION_INSTRUCTION_H
#define HK_EXTENSION_INSTRUCTION_H

#include <stdint.h>

struct hk_instruction {
    uint8_t code;
    uint8_t registers; /* low half: to, high half: from */
    int16_t offset;
    int32_t value;
};

#define HK_REGISTERS 11u
#define HK_FRAME_POINTER 10u

enum { /* class: the lowest three bits of a code */
    HK_LD = 0, HK_LDX = 1, HK_ST = 2, HK_STX = 3, HK_ALU32 = 4, HK_JMP = 5, HK_JMP32 = 6,
    HK_ALU64 = 7, HK_CLASS = 7,
};

enum { /* loads and stores: size and mode */
    HK_WORD = 0x00, HK_HALF = 0x08, HK_BYTE = 0x10, HK_DOUBLE = 0x18, HK_SIZE = 0x18,
    HK_IMM = 0x00, HK_MEM = 0x60, HK_MEMSX = 0x80, HK_MODE = 0xe0,
};

enum { /* the rest: second operand and operation */
    HK_K = 0, /* the value */
    HK_X = 8, /* a register */
    HK_OPERATION = 0xf0,
};

/* Operations of HK_ALU32 and HK_ALU64: those on two numbers, and two with rules of their own. */
#define HK_ALU_LIST(X)                                                        \
    X(ADD, 0x00) X(SUB, 0x10) X(MUL, 0x20) X(DIV, 0x30) X(OR, 0x40)           \
    X(AND, 0x50) X(LSH, 0x60) X(RSH, 0x70) X(MOD, 0x90) X(XOR, 0xa0)          \
    X(MOV, 0xb0) X(ARSH, 0xc0)

/* Operations of HK_JMP and HK_JMP32 that compare two numbers. */
#define HK_JUMP_LIST(X)                                                       \
    X(JEQ, 0x10) X(JGT, 0x20) X(JGE, 0x30) X(JSET, 0x40) X(JNE, 0x50)         \
    X(JSGT, 0x60) X(JSGE, 0x70) X(JLT, 0xa0) X(JLE, 0xb0) X(JSLT, 0xc0)       \
    X(JSLE, 0xd0)

enum {
#define X(name, code) HK_##name = code,
    HK_ALU_LIST(X)
    HK_JUMP_LIST(X)
#undef X
    HK_NEG = 0x80,
    HK_END = 0xd0, /* HK_K: to little endian, HK_X: to big endian; of HK_ALU64: swap */
    HK_JA = 0x00,
    HK_CALL = 0x80,
    HK_EXIT = 0x90,
};

enum { HK_LOAD_NUMBER = HK_LD | HK_IMM | HK_DOUBLE }; /* its upper half is the next instruction */
enum { HK_FROM_NUMBER = 0, HK_FROM_MAP = 1 };         /* `from` of it */

/* Helpers that HK_CALL knows, by their numbers in Linux. */
enum {
    HK_HELPER_LOOKUP = 1, /* (map, key) -> its value, or 0 */
    HK_HELPER_UPDATE = 2, /* (map, key, value, flags) -> 0, or a negative errno of Linux */
};

static inline unsigned hk_instruction_to(const struct hk_instruction *i)
{
    return i->registers & 15u;
}

static inline unsigned hk_instruction_from(const struct hk_instruction *i)
{
    return i->registers >> 4;
}

static inline unsigned hk_instruction_class(const struct hk_instruction *i)
{
    return i->code & HK_CLASS;
}

static inline unsigned hk_instruction_operation(const struct hk_instruction *i)
{
    return i->code & HK_OPERATION;
}

/* Bytes that a load or store moves. */
static inline unsigned hk_instruction_bytes(const struct hk_instruction *i)
{
    static const unsigned char bytes[4] = { 4, 2, 1, 8 };

    return bytes[(i->code & HK_SIZE) >> 3];
}

/* The 64 bits of HK_LOAD_NUMBER. */
static inline uint64_t hk_instruction_number(const struct hk_instruction *i)
{
    return (uint32_t)i[0].value | (uint64_t)(uint32_t)i[1].value << 32;
}

#endif
