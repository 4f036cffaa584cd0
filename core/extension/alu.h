/* SPDX-License-Identifier: MIT */
/*
 * What an operation does to two numbers: for the interpreter, and for the verifier where it knows
 * both. Inline, so that the interpreter's cases keep only their own. Source: RFC 9669, sections 4.1
 * to 4.3.
 */
#ifndef HK_EXTENSION_ALU_H
#define HK_EXTENSION_ALU_H

#include <stdbool.h>

#include "extension/instruction.h"

/* Not even -O0 makes a call of these. */
#define HK_ALU_INLINE static inline __attribute__((always_inline))

HK_ALU_INLINE int64_t hk_alu_signed(uint64_t a, unsigned bits)
{
    return (int64_t)(a << (64 - bits)) >> (64 - bits);
}

/* Division by zero gives 0, its remainder the dividend; the only overflow wraps. */
HK_ALU_INLINE uint64_t hk_alu_divide(int offset, unsigned bits, uint64_t a, uint64_t b)
{
    if (b == 0)
        return 0;
    if (offset == 0)
        return a / b;
    if (hk_alu_signed(b, bits) == -1)
        return 0 - a;
    return (uint64_t)(hk_alu_signed(a, bits) / hk_alu_signed(b, bits));
}

HK_ALU_INLINE uint64_t hk_alu_remainder(int offset, unsigned bits, uint64_t a, uint64_t b)
{
    if (b == 0)
        return a;
    if (offset == 0)
        return a % b;
    if (hk_alu_signed(b, bits) == -1)
        return 0;
    return (uint64_t)(hk_alu_signed(a, bits) % hk_alu_signed(b, bits));
}

/* a and b fit the bits, 32 or 64; only that many of the result are right. */
HK_ALU_INLINE uint64_t hk_alu_apply(unsigned operation, int offset, unsigned bits, uint64_t a,
                                    uint64_t b)
{
    switch (operation) {
    case HK_ADD: return a + b;
    case HK_SUB: return a - b;
    case HK_MUL: return a * b;
    case HK_DIV: return hk_alu_divide(offset, bits, a, b);
    case HK_OR: return a | b;
    case HK_AND: return a & b;
    case HK_LSH: return a << (b & (bits - 1));
    case HK_RSH: return a >> (b & (bits - 1));
    case HK_MOD: return hk_alu_remainder(offset, bits, a, b);
    case HK_XOR: return a ^ b;
    case HK_ARSH: return (uint64_t)(hk_alu_signed(a, bits) >> (b & (bits - 1)));
    default: /* HK_MOV; an offset says how many bits are the number */
        return offset == 0 ? b : (uint64_t)hk_alu_signed(b, (unsigned)offset);
    }
}

/*
 * The result of an operation of HK_ALU_LIST.
 *
 * offset  [in]  of the instruction: 1 makes division signed, 8, 16 and 32 extend a sign
 */
HK_ALU_INLINE uint64_t hk_alu(unsigned operation, int offset, bool wide, uint64_t a, uint64_t b)
{
    return wide ? hk_alu_apply(operation, offset, 64, a, b)
                : (uint32_t)hk_alu_apply(operation, offset, 32, (uint32_t)a, (uint32_t)b);
}

/* HK_NEG */
HK_ALU_INLINE uint64_t hk_alu_negate(bool wide, uint64_t a)
{
    return wide ? 0 - a : (uint32_t)(0 - a);
}

/* HK_END: the lowest 16, 32 or 64 bits, in their order or in the other. */
HK_ALU_INLINE uint64_t hk_alu_order(bool swap, int bits, uint64_t a)
{
    if (bits == 16)
        return swap ? __builtin_bswap16((uint16_t)a) : (uint16_t)a;
    if (bits == 32)
        return swap ? __builtin_bswap32((uint32_t)a) : (uint32_t)a;
    return swap ? __builtin_bswap64(a) : a;
}

/* Whether an HK_END swaps: this machine is little endian. */
HK_ALU_INLINE bool hk_alu_swaps(unsigned code)
{
    return (code & HK_CLASS) == HK_ALU64 || (code & HK_X);
}

/* a and b as they are, or sign-extended, to 64 bits */
HK_ALU_INLINE bool hk_alu_compare(unsigned operation, uint64_t a, uint64_t b)
{
    switch (operation) {
    case HK_JEQ: return a == b;
    case HK_JGT: return a > b;
    case HK_JGE: return a >= b;
    case HK_JSET: return (a & b) != 0;
    case HK_JNE: return a != b;
    case HK_JSGT: return (int64_t)a > (int64_t)b;
    case HK_JSGE: return (int64_t)a >= (int64_t)b;
    case HK_JLT: return a < b;
    case HK_JLE: return a <= b;
    case HK_JSLT: return (int64_t)a < (int64_t)b;
    default: return (int64_t)a <= (int64_t)b; /* HK_JSLE */
    }
}

/* Whether a comparison of HK_JUMP_LIST holds. */
HK_ALU_INLINE bool hk_alu_holds(unsigned operation, bool wide, uint64_t a, uint64_t b)
{
    if (wide)
        return hk_alu_compare(operation, a, b);
    return hk_alu_compare(operation, (uint64_t)hk_alu_signed(a, 32),
                          (uint64_t)hk_alu_signed(b, 32));
}

#endif
