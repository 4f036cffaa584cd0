/* SPDX-License-Identifier: MIT */
/* The verifier: which programs it accepts, and where and why it rejects others. The interpreter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "extension/verify.h"
#include "hk/base/units.h"
#include "extension/assemble.h"

/* registers 2 and 3 become packet and end; `bytes` of it are there, else `skip` instructions on */
#define PACKET(bytes, skip)                                                               \
    LOAD_(WORD, 2, 1, HK_CONTEXT_DATA), LOAD_(WORD, 3, 1, HK_CONTEXT_DATA_END),           \
        COPY(4, 2), DO(ADD, 4, bytes), IF_X(JGT, 4, 3, skip)

/* register 0 becomes the address of value `key` of a map, or 0 */
#define LOOK_UP(map, key)                                                                  \
    STORE_NUMBER(WORD, 10, -4, key), COPY(2, 10), DO(ADD, 2, -4), MAP(1, map),             \
        CALL(HK_HELPER_LOOKUP)

#define END SET(0, 0), EXIT

#define ROW(name, reject, at, ...)                                                    \
    { name, HK_REJECT_##reject, at,                                                   \
      sizeof((struct hk_instruction[]){ __VA_ARGS__ }) / sizeof(struct hk_instruction), \
      { __VA_ARGS__ } }

static const struct {
    const char *name;
    enum hk_reject reject;
    uint32_t at;
    uint32_t count;
    struct hk_instruction program[24];
} rows[] = {
    ROW("nothing", LENGTH, 0),
    ROW("shortest", NONE, 0, END),
    ROW("unknown code", OPCODE, 0, INSTRUCTION(0x00, 0, 0, 0, 0), EXIT),
    ROW("atomic addition", OPCODE, 1, SET(0, 0), INSTRUCTION(0xdb, 10, 0, -8, 0), EXIT),
    ROW("packet by LD_ABS", OPCODE, 0, INSTRUCTION(0x20, 0, 0, 0, 0), EXIT),
    ROW("a call of its own function", RESERVED, 0, INSTRUCTION(0x85, 0, 1, 0, 1), END),
    ROW("value beside a register", RESERVED, 0, INSTRUCTION(0xbf, 0, 1, 0, 7), EXIT),
    ROW("offset of an addition", RESERVED, 1, SET(0, 0), INSTRUCTION(0x07, 0, 0, 1, 7), EXIT),
    ROW("register 11", REGISTER, 0, SET(11, 0), EXIT),
    ROW("writes register 10", REGISTER, 0, DO(SUB, 10, 8), END),
    ROW("shift by 64", SHIFT, 1, SET(0, 1), DO(LSH, 0, 64), EXIT),
    ROW("shift of 32 bits by 32", SHIFT, 1, SET(0, 1), DO32(RSH, 0, 32), EXIT),
    ROW("shift by a register", NONE, 0, SET(0, 1), DO_X(LSH, 0, 0), EXIT),
    ROW("a loop", JUMP_BACK, 1, SET(0, 3), IF(JNE, 0, 0, -1), EXIT),
    ROW("a jump to itself", JUMP_BACK, 0, SKIP(-1), EXIT),
    ROW("jump behind the end", JUMP_OUT, 1, SET(0, 0), IF(JEQ, 0, 0, 1), EXIT),
    ROW("jump into a number", JUMP_OUT, 1, SET(0, 0), IF(JEQ, 0, 0, 1), NUMBER64(0, 1, 1), EXIT),
    ROW("no exit", PAST_END, 1, SET(0, 0), SET(0, 1)),
    ROW("half a number", PAST_END, 0, INSTRUCTION(HK_LOAD_NUMBER, 0, 0, 0, 1)),
    ROW("helper 6", HELPER, 0, CALL(6), EXIT),
    ROW("map 2", MAP, 1, SET(0, 0), MAP(1, 2), EXIT),
    ROW("no result", UNSET, 0, EXIT),
    ROW("a register nobody set", UNSET, 0, COPY(0, 5), EXIT),
    ROW("set on one path", UNSET, 4, LOAD_(WORD, 2, 1, HK_CONTEXT_LEN), SET(0, 0),
        IF(JGT, 2, 5, 1), SET(5, 0), DO_X(ADD, 0, 5), EXIT),
    ROW("set on both paths", NONE, 0, LOAD_(WORD, 2, 1, HK_CONTEXT_LEN), SET(0, 0), SET(5, 1),
        IF(JGT, 2, 5, 1), SET(5, 0), DO_X(ADD, 0, 5), EXIT),
    ROW("set where a path is impossible", NONE, 0, SET(2, 7), SET(0, 0), IF(JGT, 2, 5, 1),
        COPY(0, 6), EXIT),
    ROW("stack nobody wrote", UNSET_STACK, 0, LOAD_(DOUBLE, 0, 10, -8), EXIT),
    ROW("one byte of it missing", UNSET_STACK, 3, STORE_NUMBER(WORD, 10, -8, 1),
        STORE_NUMBER(HALF, 10, -4, 1), STORE_NUMBER(BYTE, 10, -1, 1), LOAD_(DOUBLE, 0, 10, -8),
        EXIT),
    ROW("written in parts", NONE, 0, STORE_NUMBER(WORD, 10, -8, 1), STORE_NUMBER(HALF, 10, -4, 1),
        STORE_NUMBER(HALF, 10, -2, 1), LOAD_(DOUBLE, 0, 10, -8), EXIT),
    ROW("over two words", NONE, 0, STORE_NUMBER(DOUBLE, 10, -16, 1),
        STORE_NUMBER(DOUBLE, 10, -8, 1), LOAD_(DOUBLE, 0, 10, -13), EXIT),
    ROW("below the stack", STACK_BOUNDS, 0, STORE_NUMBER(WORD, 10, -516, 0), END),
    ROW("half above the stack", STACK_BOUNDS, 0, STORE_NUMBER(WORD, 10, -2, 0), END),
    ROW("lowest of the stack", NONE, 0, STORE_NUMBER(BYTE, 10, -512, 0), END),
    ROW("offset of the stack unknown", OFFSET, 2, LOAD_(WORD, 2, 1, HK_CONTEXT_LEN), COPY(3, 10),
        DO_X(ADD, 3, 2), END),
    ROW("address in parts", STACK_ADDRESS, 0, STORE_(WORD, 10, -8, 1), END),
    ROW("part of an address", STACK_ADDRESS, 1, STORE_(DOUBLE, 10, -8, 1), LOAD_(WORD, 0, 10, -8),
        EXIT),
    ROW("rest of an address", UNSET_STACK, 2, STORE_(DOUBLE, 10, -8, 1),
        STORE_NUMBER(WORD, 10, -8, 0), LOAD_(DOUBLE, 0, 10, -8), EXIT),
    ROW("address put aside", NONE, 0, STORE_(DOUBLE, 10, -8, 1), LOAD_(DOUBLE, 6, 10, -8),
        LOAD_(WORD, 0, 6, HK_CONTEXT_LEN), EXIT),
    ROW("packet without a look at its end", PACKET_BOUNDS, 1, LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
        LOAD_(BYTE, 0, 2, 0), EXIT),
    ROW("packet", NONE, 0, SET(0, 0), PACKET(12, 1), LOAD_(WORD, 0, 2, 8), EXIT),
    ROW("a byte too far", PACKET_BOUNDS, 6, SET(0, 0), PACKET(12, 1), LOAD_(WORD, 0, 2, 9), EXIT),
    ROW("on the wrong path", PACKET_BOUNDS, 7, SET(0, 0), PACKET(12, 1), EXIT,
        LOAD_(WORD, 0, 2, 8), EXIT),
    ROW("a byte before", PACKET_BOUNDS, 6, SET(0, 0), PACKET(12, 1), LOAD_(WORD, 0, 2, -1), EXIT),
    ROW("strictly before the end", NONE, 0, LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
        LOAD_(WORD, 3, 1, HK_CONTEXT_DATA_END), SET(0, 0), IF_X(JGE, 2, 3, 1),
        LOAD_(BYTE, 0, 2, 0), EXIT),
    ROW("not strictly", PACKET_BOUNDS, 4, LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
        LOAD_(WORD, 3, 1, HK_CONTEXT_DATA_END), SET(0, 0), IF_X(JGT, 2, 3, 1),
        LOAD_(BYTE, 0, 2, 0), EXIT),
    ROW("end first", NONE, 0, LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
        LOAD_(WORD, 3, 1, HK_CONTEXT_DATA_END), SET(0, 0), IF_X(JLE, 3, 2, 1),
        LOAD_(BYTE, 0, 2, 0), EXIT),
    ROW("write to the packet", PACKET_WRITE, 6, SET(0, 0), PACKET(12, 1),
        STORE_NUMBER(BYTE, 2, 0, 1), EXIT),
    /* a header of 4 * (first byte & 15) bytes, and 4 bytes behind it */
    ROW("header of unknown length", NONE, 0, SET(0, 0), PACKET(1, 9), LOAD_(BYTE, 5, 2, 0),
        DO(AND, 5, 15), DO(LSH, 5, 2), DO_X(ADD, 2, 5), COPY(4, 2), DO(ADD, 4, 4),
        IF_X(JGT, 4, 3, 2), LOAD_(WORD, 0, 2, 0), EXIT, EXIT),
    ROW("its length not checked", PACKET_BOUNDS, 10, SET(0, 0), PACKET(5, 5), LOAD_(BYTE, 5, 2, 0),
        DO(AND, 5, 15), DO(LSH, 5, 2), DO_X(ADD, 2, 5), LOAD_(WORD, 0, 2, 0), EXIT),
    ROW("offset far too large", OFFSET, 3, LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
        NUMBER64(3, 0, 1), DO_X(ADD, 2, 3), END),
    ROW("offset without a bound", OFFSET, 7, SET(0, 0), PACKET(4, 2), LOAD_(WORD, 5, 2, 0),
        DO_X(ADD, 2, 5), EXIT),
    ROW("length as end - data", NONE, 0, LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
        LOAD_(WORD, 0, 1, HK_CONTEXT_DATA_END), DO_X(SUB, 0, 2), EXIT),
    ROW("mark of the context", CONTEXT, 0, LOAD_(WORD, 0, 1, 8), EXIT),
    ROW("half of its len", CONTEXT, 0, LOAD_(HALF, 0, 1, 0), EXIT),
    ROW("write to the context", CONTEXT, 0, STORE_NUMBER(WORD, 1, 0, 0), END),
    ROW("context or stack", MIXED, 7, STORE_NUMBER(DOUBLE, 10, -8, 1),
        LOAD_(WORD, 2, 1, HK_CONTEXT_LEN), COPY(3, 10), DO(ADD, 3, -8), IF(JGT, 2, 9, 2),
        SET(0, 0), COPY(3, 1), LOAD_(WORD, 0, 3, 0), EXIT),
    ROW("number as address", NO_ADDRESS, 1, SET(2, 4096), LOAD_(WORD, 0, 2, 0), EXIT),
    ROW("not compared with 0", MAY_BE_NULL, 6, LOOK_UP(0, 1), LOAD_(WORD, 0, 0, 0), EXIT),
    ROW("compared with 0", NONE, 0, LOOK_UP(0, 1), IF(JEQ, 0, 0, 1), LOAD_(DOUBLE, 0, 0, 0), EXIT),
    ROW("on the path where it is 0", NO_ADDRESS, 7, LOOK_UP(0, 1), IF(JNE, 0, 0, 1),
        LOAD_(DOUBLE, 0, 0, 0), END),
    ROW("a copy compared", NONE, 0, LOOK_UP(0, 1), COPY(6, 0), IF(JEQ, 6, 0, 1),
        LOAD_(DOUBLE, 0, 0, 0), DO(AND, 0, 1), EXIT),
    ROW("behind the value", MAP_BOUNDS, 7, LOOK_UP(0, 1), IF(JEQ, 0, 0, 1),
        LOAD_(DOUBLE, 0, 0, 1), EXIT),
    ROW("an address into a map", LEAK, 7, LOOK_UP(0, 1), IF(JEQ, 0, 0, 1),
        STORE_(DOUBLE, 0, 0, 10), END),
    ROW("an address as result", LEAK, 1, COPY(0, 10), EXIT),
    ROW("the product of an address", ARITHMETIC, 1, COPY(0, 10), DO(MUL, 0, 2), EXIT),
    ROW("half of an address", ARITHMETIC, 0, DO32_X(MOV, 0, 10), EXIT),
    ROW("stack against packet", COMPARISON, 1, LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
        IF_X(JGT, 2, 10, 0), END),
    ROW("a number for a map", ARGUMENT, 1, SET(1, 0), CALL(HK_HELPER_LOOKUP), END),
    ROW("no key", UNSET, 2, MAP(1, 0), CALL(HK_HELPER_LOOKUP), END),
    ROW("half a key", UNSET_STACK, 5, STORE_NUMBER(HALF, 10, -8, 0), MAP(1, 0), COPY(2, 10),
        DO(ADD, 2, -8), CALL(HK_HELPER_LOOKUP), END),
    ROW("arguments are lost", UNSET, 6, LOOK_UP(0, 0), COPY(0, 2), EXIT),
};

static unsigned char values[2][4 * 8];
static const struct hk_map maps[] = { { 8, 8, 4, values[0] }, { 4, 4, 8, values[1] } };

static struct hk_verifier *verifier;

static int set_up(void **state)
{
    (void)state;
    verifier = malloc(sizeof(*verifier)); /* whatever was there before */
    if (verifier != NULL)
        memset(verifier, 0x5a, sizeof(*verifier));
    return verifier == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(verifier);
    return 0;
}

static enum hk_status verify(struct hk_extension *extension)
{
    enum hk_status status = hk_verify_begin(verifier, extension);

    return status == HK_OK ? hk_verify_step(verifier, UINT32_MAX) : status;
}

static void programs_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        struct hk_instruction program[HK_ARRAY_COUNT(rows[0].program)];
        struct hk_extension extension = { program, rows[i].count, HK_ARRAY_COUNT(maps), maps };
        enum hk_status status;

        memcpy(program, rows[i].program, sizeof(program));
        status = verify(&extension);
        if ((status == HK_OK) != (rows[i].reject == HK_REJECT_NONE) ||
            verifier->reject != rows[i].reject ||
            (status != HK_OK && verifier->at != rows[i].at))
            fail_msg("%s: instruction %u: %s", rows[i].name, verifier->at,
                     hk_reject_text(verifier->reject));
        if (status != HK_OK) /* and the program is as it was */
            assert_memory_equal(program, rows[i].program, sizeof(program));
    }
}

static void every_rejection_is_given(void **state)
{
    bool given[HK_REJECTS] = { [HK_REJECT_MAPS] = true, [HK_REJECT_TOO_COMPLEX] = true };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++)
        given[rows[i].reject] = true;
    for (int reject = 0; reject < HK_REJECTS; reject++)
        if (!given[reject])
            fail_msg("no row for: %s", hk_reject_text((enum hk_reject)reject));
    assert_string_equal(hk_reject_text(HK_REJECTS), "unknown reason");
}

static void maps_are_bounded(void **state)
{
    static const struct hk_map bad[] = {
        { 0, 8, 1, values[0] }, { HK_EXTENSION_VALUE_BYTES_MAX + 1, 8, 1, values[0] } };
    struct hk_instruction program[] = { END };
    struct hk_extension extension = { program, 2, HK_EXTENSION_MAPS + 1, bad };

    (void)state;
    assert_int_equal(verify(&extension), HK_EINVAL);
    assert_int_equal(verifier->reject, HK_REJECT_MAPS);
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++) {
        extension.map_count = 1;
        extension.maps = &bad[i];
        assert_int_equal(verify(&extension), HK_EINVAL);
        assert_int_equal(verifier->reject, HK_REJECT_MAPS);
    }
}

/* --- paths ---------------------------------------------------------------------------- */

/* n times: a bit of len is looked at, and an operation with it is done to a register or not. */
static uint32_t branchy(struct hk_instruction *program, uint32_t branches, unsigned operation,
                        unsigned to)
{
    static const struct hk_instruction head[] = { LOAD_(WORD, 2, 1, HK_CONTEXT_LEN), SET(0, 0) };
    static const struct hk_instruction tail[] = { EXIT };
    uint32_t count = 2;

    memcpy(program, head, sizeof(head));
    for (uint32_t i = 0; i < branches; i++) {
        const struct hk_instruction part[] = { IF(JSET, 2, 1 << (i % 30), 1),
                                               INSTRUCTION(HK_ALU64 | HK_K | operation, to, 0, 0,
                                                           1 << (i % 30)) };

        memcpy(program + count, part, sizeof(part));
        count += 2;
    }
    memcpy(program + count, tail, sizeof(tail));
    return count + 1;
}

static void paths_are_counted(void **state)
{
    struct hk_instruction program[HK_EXTENSION_INSTRUCTIONS_MAX];
    struct hk_extension extension = { program, branchy(program, 10, HK_ADD, 0), 0, NULL };
    uint32_t steps = 1;
    enum hk_status status;

    (void)state;
    assert_int_equal(hk_verify_begin(verifier, &extension), HK_OK);
    while ((status = hk_verify_step(verifier, 64)) == HK_EBUSY)
        steps++;
    assert_int_equal(status, HK_OK);
    /* a state that covers another one would know nothing of the sum: every path is followed */
    assert_true(verifier->processed >= 3 * 1024);
    assert_true(steps >= verifier->processed / 64);
    extension.count = branchy(program, 30, HK_ADD, 0);
    assert_int_equal(verify(&extension), HK_EINVAL);
    assert_int_equal(verifier->reject, HK_REJECT_TOO_COMPLEX);
    assert_int_equal(verifier->processed, HK_VERIFY_PROCESSED_MAX);
    /* as many branches as fit, each state of them waiting */
    extension.count = branchy(program, 2000, HK_ADD, 0);
    assert_int_equal(verify(&extension), HK_EINVAL);
    assert_int_equal(verifier->reject, HK_REJECT_TOO_COMPLEX);
    extension.count = HK_EXTENSION_INSTRUCTIONS_MAX + 1;
    assert_int_equal(verify(&extension), HK_EINVAL);
    assert_int_equal(verifier->reject, HK_REJECT_LENGTH);
}

/* With a number that nobody reads paths meet again. */
static void paths_that_meet_end(void **state)
{
    struct hk_instruction program[HK_EXTENSION_INSTRUCTIONS_MAX];
    struct hk_extension extension = { program, branchy(program, 350, HK_MOV, 5), 0, NULL };

    (void)state;
    assert_int_equal(verify(&extension), HK_OK);
    assert_true(verifier->processed < 2 * extension.count);
}

static void longest_program(void **state)
{
    static struct hk_instruction program[HK_EXTENSION_INSTRUCTIONS_MAX];
    struct hk_extension extension = { program, HK_EXTENSION_INSTRUCTIONS_MAX, 0, NULL };
    const struct hk_instruction set = SET(0, 0), add = DO(ADD, 0, 1), leave = EXIT;

    (void)state;
    program[0] = set;
    for (uint32_t i = 1; i < extension.count - 1; i++)
        program[i] = add;
    program[extension.count - 1] = leave;
    assert_int_equal(verify(&extension), HK_OK);
    assert_int_equal(verifier->processed, HK_EXTENSION_INSTRUCTIONS_MAX);
    assert_int_equal(hk_extension_run(&extension, values[0], 0), extension.count - 2);
}

/* --- the interpreter ---------------------------------------------------------------------- */

/* register 0 from two numbers, by one instruction */
static uint64_t compute(struct hk_instruction i, uint64_t a, uint64_t b)
{
    struct hk_instruction program[] = {
        NUMBER64(0, (uint32_t)a, (int32_t)(a >> 32)), NUMBER64(1, (uint32_t)b, (int32_t)(b >> 32)),
        i, EXIT
    };
    struct hk_extension extension = { program, HK_ARRAY_COUNT(program), 0, NULL };

    assert_int_equal(verify(&extension), HK_OK);
    return hk_extension_run(&extension, values[0], 0);
}

/* Source: RFC 9669, sections 4.1 and 4.2. */
static void operations_compute(void **state)
{
    static const struct {
        struct hk_instruction i;
        uint64_t a, b, result;
    } cases[] = {
        { DO_X(ADD, 0, 1), UINT64_MAX, 2, 1 },
        { DO32_X(ADD, 0, 1), UINT64_MAX, 2, 1 },
        { DO(ADD, 0, -1), 5, 0, 4 },
        { DO32(ADD, 0, -6), 5, 0, 0xffffffff },
        { DO_X(SUB, 0, 1), 3, 5, (uint64_t)-2 },
        { DO_X(MUL, 0, 1), 0x100000001, 0x100000001, 0x200000001 },
        { DO32_X(MUL, 0, 1), 0x10001, 0x10001, 0x20001 },
        { DO_X(DIV, 0, 1), 17, 5, 3 },
        { DO_X(DIV, 0, 1), 17, 0, 0 },
        { DO(DIV, 0, 0), 17, 0, 0 },
        { DO32_X(DIV, 0, 1), 0x500000011, 0x700000005, 3 },
        { DO_X(MOD, 0, 1), 17, 0, 17 },
        { DO32_X(MOD, 0, 1), 0x500000011, 0x700000000, 17 },
        { INSTRUCTION(HK_ALU64 | HK_X | HK_DIV, 0, 1, 1, 0), (uint64_t)-17, 5, (uint64_t)-3 },
        { INSTRUCTION(HK_ALU64 | HK_X | HK_MOD, 0, 1, 1, 0), (uint64_t)-17, 5, (uint64_t)-2 },
        { INSTRUCTION(HK_ALU64 | HK_X | HK_DIV, 0, 1, 1, 0), 1ull << 63, UINT64_MAX, 1ull << 63 },
        { INSTRUCTION(HK_ALU64 | HK_X | HK_MOD, 0, 1, 1, 0), 1ull << 63, UINT64_MAX, 0 },
        { INSTRUCTION(HK_ALU32 | HK_X | HK_DIV, 0, 1, 1, 0), 0x80000000, 0xffffffff, 0x80000000 },
        { INSTRUCTION(HK_ALU32 | HK_K | HK_DIV, 0, 0, 1, -2), 0xfffffff1, 0, 7 },
        { DO_X(OR, 0, 1), 0xf0, 0x0f, 0xff },
        { DO(AND, 0, -16), 0xffffffffff, 0, 0xfffffffff0 },
        { DO32(AND, 0, -16), 0xffffffffff, 0, 0xfffffff0 },
        { DO_X(XOR, 0, 1), 0xff, 0x0f, 0xf0 },
        { DO_X(LSH, 0, 1), 1, 65, 2 },
        { DO32_X(LSH, 0, 1), 1, 33, 2 },
        { DO_X(RSH, 0, 1), 1ull << 63, 63, 1 },
        { DO_X(ARSH, 0, 1), 1ull << 63, 63, UINT64_MAX },
        { DO32(ARSH, 0, 4), 0x80000000, 0, 0xf8000000 },
        { DO32_X(MOV, 0, 1), 0, 0x1234567890, 0x34567890 },
        { SET(0, -1), 0, 0, UINT64_MAX },
        { DO32(MOV, 0, -1), 0, 0, 0xffffffff },
        { INSTRUCTION(HK_ALU64 | HK_X | HK_MOV, 0, 1, 8, 0), 0, 0x80, (uint64_t)-128 },
        { INSTRUCTION(HK_ALU64 | HK_X | HK_MOV, 0, 1, 32, 0), 0, 0x7fffffff, 0x7fffffff },
        { INSTRUCTION(HK_ALU32 | HK_X | HK_MOV, 0, 1, 16, 0), 0, 0x8000, 0xffff8000 },
        { INSTRUCTION(HK_ALU64 | HK_NEG, 0, 0, 0, 0), 5, 0, (uint64_t)-5 },
        { INSTRUCTION(HK_ALU32 | HK_NEG, 0, 0, 0, 0), 5, 0, 0xfffffffb },
        { INSTRUCTION(HK_ALU32 | HK_END | HK_X, 0, 0, 0, 16), 0x123456, 0, 0x5634 },
        { INSTRUCTION(HK_ALU32 | HK_END | HK_X, 0, 0, 0, 32), 0x1112345678, 0, 0x78563412 },
        { INSTRUCTION(HK_ALU32 | HK_END | HK_K, 0, 0, 0, 16), 0x123456, 0, 0x3456 },
        { INSTRUCTION(HK_ALU64 | HK_END, 0, 0, 0, 64), 0x0102030405060708, 0, 0x0807060504030201 },
    };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        const uint64_t result = compute(cases[i].i, cases[i].a, cases[i].b);

        if (result != cases[i].result)
            fail_msg("case %zu: 0x%llx, not 0x%llx", i, (unsigned long long)result,
                     (unsigned long long)cases[i].result);
    }
}

/* 1 where a jump is taken; its own numbers are not known to the verifier */
static bool is_taken(struct hk_instruction jump, uint64_t a, uint64_t b)
{
    struct hk_instruction program[] = {
        SET(0, 0), PACKET(16, 4), LOAD_(DOUBLE, 5, 2, 0), LOAD_(DOUBLE, 6, 2, 8), jump, EXIT,
        SET(0, 1), EXIT
    };
    struct hk_extension extension = { program, HK_ARRAY_COUNT(program), 0, NULL };
    unsigned char packet[16];

    program[5].offset = 3;
    memcpy(packet, &a, 8);
    memcpy(packet + 8, &b, 8);
    assert_int_equal(verify(&extension), HK_OK);
    assert_int_equal(hk_extension_run(&extension, packet, 15), 0);
    return hk_extension_run(&extension, packet, 16) == 1;
}

/* Source: RFC 9669, section 4.3. Columns: -1 against 1, 1 against -1, 5 against 5. */
static void comparisons_decide(void **state)
{
    static const struct {
        unsigned operation;
        bool taken[3];
    } cases[] = {
        { HK_JEQ, { 0, 0, 1 } },  { HK_JNE, { 1, 1, 0 } },  { HK_JSET, { 1, 1, 1 } },
        { HK_JGT, { 1, 0, 0 } },  { HK_JGE, { 1, 0, 1 } },  { HK_JLT, { 0, 1, 0 } },
        { HK_JLE, { 0, 1, 1 } },  { HK_JSGT, { 0, 1, 0 } }, { HK_JSGE, { 0, 1, 1 } },
        { HK_JSLT, { 1, 0, 0 } }, { HK_JSLE, { 1, 0, 1 } },
    };
    static const int32_t pairs[3][2] = { { -1, 1 }, { 1, -1 }, { 5, 5 } };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        for (size_t n = 0; n < 3; n++) {
            const uint64_t a = (uint64_t)(int64_t)pairs[n][0], b = (uint64_t)(int64_t)pairs[n][1];
            const unsigned code = cases[i].operation;
            const struct hk_instruction forms[] = {
                INSTRUCTION(HK_JMP | HK_X | code, 5, 6, 1, 0),
                INSTRUCTION(HK_JMP | HK_K | code, 5, 0, 1, pairs[n][1]),
                INSTRUCTION(HK_JMP32 | HK_X | code, 5, 6, 1, 0),
                INSTRUCTION(HK_JMP32 | HK_K | code, 5, 0, 1, pairs[n][1]),
            };

            for (size_t form = 0; form < HK_ARRAY_COUNT(forms); form++)
                assert_int_equal(is_taken(forms[form], form < 2 ? a : a << 32 >> 32, b),
                                 cases[i].taken[n]);
        }
    }
}

static void maps_are_used(void **state)
{
    struct hk_instruction program[] = {
        LOOK_UP(0, 2), IF(JEQ, 0, 0, 3), LOAD_(DOUBLE, 1, 0, 0), DO(ADD, 1, 1),
        STORE_(DOUBLE, 0, 0, 1), STORE_NUMBER(DOUBLE, 10, -16, 2385), COPY(2, 10), DO(ADD, 2, -4),
        COPY(3, 10), DO(ADD, 3, -16), SET(4, 0), MAP(1, 1), CALL(HK_HELPER_UPDATE), EXIT
    };
    struct hk_extension extension = { program, HK_ARRAY_COUNT(program), HK_ARRAY_COUNT(maps),
                                      maps };
    uint64_t count;
    uint32_t value;

    (void)state;
    memset(values, 0, sizeof(values));
    assert_int_equal(verify(&extension), HK_OK);
    assert_int_equal(hk_extension_run(&extension, values[0], 0), 0);
    assert_int_equal(hk_extension_run(&extension, values[0], 0), 0);
    memcpy(&count, values[0] + 16, sizeof(count));
    memcpy(&value, values[1] + 8, sizeof(value));
    assert_int_equal(count, 2);
    assert_int_equal(value, 2385);
}

/* What helpers say of a key that is not there, and of flags; as Linux does of arrays. */
static void helpers_refuse(void **state)
{
    static const struct {
        int32_t key, flags;
        int64_t result;
    } cases[] = { { 3, 0, 0 },  { 3, 2, 0 },   { 3, 1, -17 },
                  { 8, 0, -7 }, { -1, 0, -7 }, { 0, 3, -22 } };

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        struct hk_instruction program[] = {
            STORE_NUMBER(DOUBLE, 10, -8, 1), STORE_NUMBER(WORD, 10, -12, cases[i].key),
            COPY(2, 10), DO(ADD, 2, -12), COPY(3, 10), DO(ADD, 3, -8), SET(4, cases[i].flags),
            MAP(1, 1), CALL(HK_HELPER_UPDATE), EXIT
        };
        struct hk_extension extension = { program, HK_ARRAY_COUNT(program), 2, maps };

        assert_int_equal(verify(&extension), HK_OK);
        assert_int_equal((int64_t)hk_extension_run(&extension, values[0], 0), cases[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_judged),   cmocka_unit_test(every_rejection_is_given),
        cmocka_unit_test(maps_are_bounded),      cmocka_unit_test(paths_are_counted),
        cmocka_unit_test(paths_that_meet_end),   cmocka_unit_test(longest_program),
        cmocka_unit_test(operations_compute),    cmocka_unit_test(comparisons_decide),
        cmocka_unit_test(maps_are_used),         cmocka_unit_test(helpers_refuse),
    };

    return cmocka_run_group_tests_name("extension", tests, set_up, tear_down);
}
