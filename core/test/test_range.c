/* SPDX-License-Identifier: MIT */
/* Intervals: what comes of numbers that lie in them lies in what is said to come of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extension/alu.h"
#include "extension/range.h"
#include "hk/base/units.h"

#define TRIES 20000

static const unsigned operations[] = {
#define X(name, code) code,
    HK_ALU_LIST(X)
#undef X
};

static const unsigned comparisons[] = {
#define X(name, code) code,
    HK_JUMP_LIST(X)
#undef X
};

static uint64_t state = 2385;

/* Knuth's MMIX generator */
static uint64_t next(void)
{
    state = state * 6364136223846793005 + 1442695040888963407;
    return state >> 32;
}

/* Of any length, near a power of two as often as not: there the bounds are. */
static uint64_t random_number(void)
{
    const unsigned bits = 1 + (unsigned)next() % 64;
    const uint64_t number = (next() << 32 | next()) >> (64 - bits);

    return next() % 2 ? number : (1ull << (bits - 1)) + next() % 5 - 2;
}

static struct hk_range random_range(void)
{
    const uint64_t a = random_number(), b = next() % 4 == 0 ? a : random_number();

    return a < b ? (struct hk_range){ a, b } : (struct hk_range){ b, a };
}

static uint64_t random_within(struct hk_range range)
{
    const uint64_t width = range.max - range.min;

    switch (next() % 4) {
    case 0: return range.min;
    case 1: return range.max;
    default:
        return width == UINT64_MAX ? random_number()
                                   : range.min + random_number() % (width + 1);
    }
}

static bool contains(struct hk_range range, uint64_t number)
{
    return range.min <= number && number <= range.max;
}

static int offset_for(unsigned operation, bool wide)
{
    if (operation == HK_DIV || operation == HK_MOD)
        return (int)(next() % 2);
    return operation == HK_MOV && next() % 2 ? 8 << next() % (wide ? 3 : 2) : 0;
}

static void operations_stay_within(void **unused)
{
    uint64_t narrowed = 0;

    (void)unused;
    for (size_t o = 0; o < HK_ARRAY_COUNT(operations); o++) {
        for (int n = 0; n < TRIES; n++) {
            const bool wide = next() % 2;
            const int offset = offset_for(operations[o], wide);
            const struct hk_range a = random_range(), b = random_range();
            const struct hk_range result = hk_range_alu(operations[o], offset, wide, a, b);
            const uint64_t x = random_within(a), y = random_within(b);

            if (!contains(result, hk_alu(operations[o], offset, wide, x, y)))
                fail_msg("operation 0x%x of %llu and %llu", operations[o], (unsigned long long)x,
                         (unsigned long long)y);
            narrowed += result.max < UINT32_MAX;
        }
    }
    assert_true(narrowed > HK_ARRAY_COUNT(operations) * TRIES / 4); /* it does say something */
}

static void other_operations_stay_within(void **unused)
{
    (void)unused;
    for (int n = 0; n < TRIES; n++) {
        const struct hk_range a = random_range();
        const uint64_t x = random_within(a);
        const int bits = 16 << next() % 3;
        const bool flag = next() % 2;

        assert_true(contains(hk_range_negate(flag, a), hk_alu_negate(flag, x)));
        assert_true(contains(hk_range_order(flag, bits, a), hk_alu_order(flag, bits, x)));
    }
}

/* Two numbers for which a comparison holds are left in their intervals. */
static void comparisons_keep_what_holds(void **unused)
{
    uint64_t narrowed = 0, refuted = 0;

    (void)unused;
    for (size_t c = 0; c < HK_ARRAY_COUNT(comparisons); c++) {
        for (int n = 0; n < TRIES; n++) {
            const bool wide = next() % 2;
            const struct hk_range a = random_range(), b = random_range();
            const uint64_t x = random_within(a), y = random_within(b);
            const bool holds = hk_alu_holds(comparisons[c], wide, x, y);
            struct hk_range left_a = a, left_b = b;

            if (!hk_range_assume(comparisons[c], wide, holds, &left_a, &left_b) ||
                !contains(left_a, x) || !contains(left_b, y))
                fail_msg("comparison 0x%x of %llu and %llu", comparisons[c], (unsigned long long)x,
                         (unsigned long long)y);
            assert_true(hk_range_within(left_a, a) && hk_range_within(left_b, b));
            narrowed += left_a.min != a.min || left_a.max != a.max;
            left_a = a, left_b = b;
            refuted += !hk_range_assume(comparisons[c], wide, !holds, &left_a, &left_b);
        }
    }
    assert_true(narrowed > HK_ARRAY_COUNT(comparisons) * TRIES / 20);
    assert_true(refuted > HK_ARRAY_COUNT(comparisons) * TRIES / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_stay_within),
        cmocka_unit_test(other_operations_stay_within),
        cmocka_unit_test(comparisons_keep_what_holds),
    };

    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
