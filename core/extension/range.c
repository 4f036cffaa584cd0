/* SPDX-License-Identifier: MIT */
#include "extension/range.h"

#include "extension/alu.h"

static const struct hk_range any = { 0, UINT64_MAX };

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The lowest 32 bits of a number in the range. */
static struct hk_range low_half(struct hk_range a)
{
    if (a.min >> 32 == a.max >> 32)
        return (struct hk_range){ (uint32_t)a.min, (uint32_t)a.max };
    return hk_range_bits(32);
}

/* Every number with no bit above the highest of this one. */
static uint64_t filled(uint64_t number)
{
    return number == 0 ? 0 : UINT64_MAX >> __builtin_clzll(number);
}

/* --- operations ------------------------------------------------------------------------ */

static struct hk_range shift_left(struct hk_range a, uint64_t by)
{
    if (a.max > UINT64_MAX >> by)
        return any;
    return (struct hk_range){ a.min << by, a.max << by };
}

static struct hk_range shift_right(struct hk_range a, struct hk_range by, unsigned bits)
{
    if (!hk_range_is_number(by))
        return (struct hk_range){ 0, a.max };
    return (struct hk_range){ a.min >> (by.min & (bits - 1)), a.max >> (by.min & (bits - 1)) };
}

static struct hk_range divide(struct hk_range a, struct hk_range b)
{
    if (hk_range_is_number(b) && b.min != 0)
        return (struct hk_range){ a.min / b.min, a.max / b.min };
    return (struct hk_range){ 0, a.max };
}

static struct hk_range remainder_of(struct hk_range a, struct hk_range b)
{
    if (a.max < b.min)
        return a;
    return (struct hk_range){ 0, b.min > 0 ? lesser(a.max, b.max - 1) : a.max };
}

/* Of two numbers below 2^bits; the result may have more bits. */
static struct hk_range apply(unsigned operation, int offset, unsigned bits, struct hk_range a,
                             struct hk_range b)
{
    const uint64_t sign = 1ull << (bits - 1);
    uint64_t product;

    switch (operation) {
    case HK_ADD:
        return a.max > UINT64_MAX - b.max ? any : (struct hk_range){ a.min + b.min, a.max + b.max };
    case HK_SUB:
        return a.min < b.max ? any : (struct hk_range){ a.min - b.max, a.max - b.min };
    case HK_MUL:
        return __builtin_mul_overflow(a.max, b.max, &product)
                   ? any
                   : (struct hk_range){ a.min * b.min, product };
    case HK_OR:
        return (struct hk_range){ greater(a.min, b.min), filled(a.max | b.max) };
    case HK_AND:
        return (struct hk_range){ 0, lesser(a.max, b.max) };
    case HK_XOR:
        return (struct hk_range){ 0, filled(a.max | b.max) };
    case HK_LSH:
        return hk_range_is_number(b) ? shift_left(a, b.min & (bits - 1)) : any;
    case HK_RSH:
        return shift_right(a, b, bits);
    case HK_ARSH:
        return a.max < sign ? shift_right(a, b, bits) : any;
    case HK_DIV:
        return offset == 0 || (a.max < sign && b.max < sign) ? divide(a, b) : any;
    case HK_MOD:
        return offset == 0 || (a.max < sign && b.max < sign) ? remainder_of(a, b) : any;
    default: /* HK_MOV */
        return offset == 0 || b.max >> (offset - 1) == 0 ? b : any;
    }
}

struct hk_range hk_range_alu(unsigned operation, int offset, bool wide, struct hk_range a,
                             struct hk_range b)
{
    if (hk_range_is_number(a) && hk_range_is_number(b))
        return hk_range_number(hk_alu(operation, offset, wide, a.min, b.min));
    if (wide)
        return apply(operation, offset, 64, a, b);
    return low_half(apply(operation, offset, 32, low_half(a), low_half(b)));
}

struct hk_range hk_range_negate(bool wide, struct hk_range a)
{
    if (hk_range_is_number(a))
        return hk_range_number(hk_alu_negate(wide, a.min));
    return hk_range_bits(wide ? 64 : 32);
}

struct hk_range hk_range_order(bool swap, int bits, struct hk_range a)
{
    const struct hk_range whole = hk_range_bits((unsigned)bits);

    if (hk_range_is_number(a))
        return hk_range_number(hk_alu_order(swap, bits, a.min));
    return !swap && hk_range_within(a, whole) ? a : whole;
}

/* --- comparisons ------------------------------------------------------------------------- */

static bool assume_equal(struct hk_range *a, struct hk_range *b)
{
    const struct hk_range both = { greater(a->min, b->min), lesser(a->max, b->max) };

    if (both.min > both.max)
        return false;
    *a = *b = both;
    return true;
}

/* a is not this number. */
static bool exclude(struct hk_range *a, uint64_t number)
{
    if (hk_range_is_number(*a) && a->min == number)
        return false;
    a->min += a->min == number;
    a->max -= a->max == number;
    return true;
}

static bool assume_different(struct hk_range *a, struct hk_range *b)
{
    if (hk_range_is_number(*b))
        return exclude(a, b->min);
    return hk_range_is_number(*a) ? exclude(b, a->min) : true;
}

/* a < b, or with slack 1: a <= b */
static bool assume_less(struct hk_range *a, struct hk_range *b, uint64_t slack)
{
    if (slack == 0 && (b->max == 0 || a->min == UINT64_MAX))
        return false;
    const uint64_t highest = b->max - 1 + slack;
    const uint64_t lowest = a->min + 1 - slack;

    if (a->min > highest || lowest > b->max)
        return false;
    a->max = lesser(a->max, highest);
    b->min = greater(b->min, lowest);
    return true;
}

/* The same for signed numbers, where at least one sign is known. */
static bool assume_less_signed(struct hk_range *a, struct hk_range *b, uint64_t slack)
{
    const struct hk_range positive = { 0, INT64_MAX }, negative = { 1ull << 63, UINT64_MAX };
    struct hk_range signs;

    if (hk_range_within(*a, positive)) { /* so b is positive as well */
        signs = positive;
        if (!assume_equal(b, &signs))
            return false;
    } else if (hk_range_within(*b, negative)) { /* so a is negative as well */
        signs = negative;
        if (!assume_equal(a, &signs))
            return false;
    } else {
        /* one negative and one positive number are in order; of others too little is known */
        return true;
    }
    return assume_less(a, b, slack);
}

static bool assume_bits(bool holds, const struct hk_range *a, const struct hk_range *b)
{
    if (hk_range_is_number(*a) && hk_range_is_number(*b))
        return ((a->min & b->min) != 0) == holds;
    return !holds || (a->max != 0 && b->max != 0);
}

/* Each comparison as one that holds, of a and b or of b and a. */
static bool assume(unsigned operation, bool holds, struct hk_range *a, struct hk_range *b)
{
    switch (operation) {
    case HK_JEQ: return holds ? assume_equal(a, b) : assume_different(a, b);
    case HK_JNE: return holds ? assume_different(a, b) : assume_equal(a, b);
    case HK_JSET: return assume_bits(holds, a, b);
    case HK_JGT: return holds ? assume_less(b, a, 0) : assume_less(a, b, 1);
    case HK_JGE: return holds ? assume_less(b, a, 1) : assume_less(a, b, 0);
    case HK_JLT: return holds ? assume_less(a, b, 0) : assume_less(b, a, 1);
    case HK_JLE: return holds ? assume_less(a, b, 1) : assume_less(b, a, 0);
    case HK_JSGT: return holds ? assume_less_signed(b, a, 0) : assume_less_signed(a, b, 1);
    case HK_JSGE: return holds ? assume_less_signed(b, a, 1) : assume_less_signed(a, b, 0);
    case HK_JSLT: return holds ? assume_less_signed(a, b, 0) : assume_less_signed(b, a, 1);
    default: return holds ? assume_less_signed(a, b, 1) : assume_less_signed(b, a, 0);
    }
}

/* Of the lowest 32 bits: told of the whole only where there is nothing above them. */
static bool assume_low(unsigned operation, bool holds, struct hk_range *a, struct hk_range *b)
{
    const struct hk_range half = hk_range_bits(32);
    struct hk_range low_a = low_half(*a), low_b = low_half(*b);

    if (operation >= HK_JSGT && operation != HK_JLT && operation != HK_JLE) {
        if (low_a.max > INT32_MAX || low_b.max > INT32_MAX)
            return true;
    }
    if (!assume(operation, holds, &low_a, &low_b))
        return false;
    *a = hk_range_within(*a, half) ? low_a : *a;
    *b = hk_range_within(*b, half) ? low_b : *b;
    return true;
}

bool hk_range_assume(unsigned operation, bool wide, bool holds, struct hk_range *a,
                     struct hk_range *b)
{
    struct hk_range left_a = *a, left_b = *b;

    if (!(wide ? assume(operation, holds, &left_a, &left_b)
               : assume_low(operation, holds, &left_a, &left_b)))
        return false;
    *a = left_a;
    *b = left_b;
    return true;
}
