/* SPDX-License-Identifier: MIT */
/*
 * A program is put together from phrases, such as "look a key up, compare the result with 0". A
 * rough idea of what registers hold makes most of them fit; bytes decide which, and now and then
 * they spoil one.
 */
#include "test/generate.h"

#include <stdbool.h>

#include "hk/base/units.h"

enum kind { UNSET, NUMBER, CONTEXT, PACKET, PACKET_END, IN_MAP, KINDS };

#define TO_END INT16_MAX /* offset of a jump to the last two instructions, until they are there */
#define TAIL 2u
#define DEPTH_MAX 3u
#define PHRASE_MAX 12u /* instructions */

struct maker {
    struct input *input;
    const struct hk_map *maps;
    uint32_t map_count;
    struct hk_instruction *i;
    uint32_t count;
    uint8_t kind[HK_REGISTERS];
    uint8_t known[HK_REGISTERS]; /* bytes that may be read there */
    uint8_t slots; /* of the stack, bit each, from register 10 down */
};

static unsigned take(struct maker *m, unsigned below)
{
    return (unsigned)input_take(m->input, 1) % below;
}

static int32_t take_value(struct maker *m)
{
    static const int32_t special[] = { 0, 1, -1, 2, 3, 4, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256,
                                       65535, 65536, INT32_MAX, INT32_MIN };

    return take(m, 4) != 0 ? special[take(m, HK_ARRAY_COUNT(special))]
                           : (int32_t)input_take(m->input, 4);
}

static void emit(struct maker *m, unsigned code, unsigned to, unsigned from, int offset,
                 int32_t value)
{
    m->i[m->count++] = (struct hk_instruction){ (uint8_t)code, (uint8_t)(to | from << 4),
                                                (int16_t)offset, value };
}

static bool has(const struct maker *m, enum kind kind)
{
    for (unsigned r = 0; r < 10; r++)
        if (m->kind[r] == kind)
            return true;
    return false;
}

static void set(struct maker *m, unsigned r, enum kind kind, unsigned known)
{
    m->kind[r] = (uint8_t)kind;
    m->known[r] = (uint8_t)known;
}

/* A register to be written, seldom one that is hard to get again. */
static unsigned spare(struct maker *m)
{
    unsigned r = take(m, 10);

    for (unsigned n = 0; n < 8 && m->kind[r] > NUMBER; n++)
        r = (r + 1) % 10;
    return r;
}

/* A register of that kind. Where there is none, a number is made; for an address any is taken. */
static unsigned find(struct maker *m, enum kind kind)
{
    const unsigned first = take(m, 10);

    for (unsigned n = 0; n < 10; n++)
        if (m->kind[(first + n) % 10] == kind)
            return (first + n) % 10;
    if (kind == NUMBER) {
        emit(m, HK_ALU64 | HK_K | HK_MOV, first, 0, 0, take_value(m));
        set(m, first, NUMBER, 0);
    }
    return first;
}

/* --- numbers --------------------------------------------------------------------------- */

static void say_number(struct maker *m)
{
    const unsigned r = spare(m);

    if (take(m, 3) == 0) {
        emit(m, HK_LOAD_NUMBER, r, 0, 0, take_value(m));
        emit(m, 0, 0, 0, 0, take_value(m));
    } else {
        emit(m, HK_ALU64 | HK_K | HK_MOV, r, 0, 0, take_value(m));
    }
    set(m, r, NUMBER, 0);
}

static const uint8_t operations[] = {
#define X(name, code) code,
    HK_ALU_LIST(X)
#undef X
};

static bool is_shift(unsigned operation)
{
    return operation == HK_LSH || operation == HK_RSH || operation == HK_ARSH;
}

static void say_operation(struct maker *m)
{
    const unsigned operation = operations[take(m, HK_ARRAY_COUNT(operations))];
    const unsigned class = take(m, 2) ? HK_ALU64 : HK_ALU32;
    const unsigned to = find(m, NUMBER), from = find(m, NUMBER);
    int offset = 0;

    if (take(m, 8) == 0 && (operation == HK_DIV || operation == HK_MOD))
        offset = 1;
    if (take(m, 2)) {
        if (operation == HK_MOV && take(m, 4) == 0)
            offset = 8 << take(m, class == HK_ALU64 ? 3 : 2);
        emit(m, class | HK_X | operation, to, from, offset, 0);
    } else {
        const int32_t value = take_value(m);

        emit(m, class | HK_K | operation, to, 0, offset,
             is_shift(operation) ? value & (class == HK_ALU64 ? 63 : 31) : value);
    }
    set(m, to, NUMBER, 0);
}

static void say_unary(struct maker *m)
{
    const unsigned r = find(m, NUMBER);

    if (take(m, 2))
        emit(m, (take(m, 2) ? HK_ALU64 : HK_ALU32) | HK_NEG, r, 0, 0, 0);
    else if (take(m, 3) == 0)
        emit(m, HK_ALU64 | HK_END, r, 0, 0, 16 << take(m, 3));
    else
        emit(m, HK_ALU32 | HK_END | (take(m, 2) ? HK_X : 0), r, 0, 0, 16 << take(m, 3));
}

/* --- the packet -------------------------------------------------------------------------- */

static void say_context(struct maker *m)
{
    const unsigned context = find(m, CONTEXT), r = spare(m);
    static const struct {
        int offset;
        enum kind kind;
    } fields[] = { { HK_CONTEXT_DATA, PACKET }, { HK_CONTEXT_DATA_END, PACKET_END },
                   { HK_CONTEXT_LEN, NUMBER }, { HK_CONTEXT_DATA, PACKET } };
    const unsigned field = take(m, HK_ARRAY_COUNT(fields));

    emit(m, HK_LDX | HK_MEM | HK_WORD, r, context, fields[field].offset, 0);
    set(m, r, fields[field].kind, 0);
}

/* address + bytes against the end; behind it so many are known */
static void check_end(struct maker *m, unsigned address, unsigned bytes)
{
    const unsigned end = find(m, PACKET_END), r = spare(m);

    emit(m, HK_ALU64 | HK_X | HK_MOV, r, address, 0, 0);
    emit(m, HK_ALU64 | HK_K | HK_ADD, r, 0, 0, (int32_t)bytes);
    switch (take(m, 4)) {
    case 0: emit(m, HK_JMP | HK_X | HK_JLT, end, r, TO_END, 0); break;
    case 1: emit(m, HK_JMP | HK_X | HK_JGE, r, end, TO_END, 0); break;
    default: emit(m, HK_JMP | HK_X | HK_JGT, r, end, TO_END, 0); break;
    }
    set(m, r, PACKET, 0);
    m->known[address] = (uint8_t)bytes;
}

static void say_check(struct maker *m)
{
    if (!has(m, PACKET_END)) {
        const unsigned r = spare(m);

        emit(m, HK_LDX | HK_MEM | HK_WORD, r, find(m, CONTEXT), HK_CONTEXT_DATA_END, 0);
        set(m, r, PACKET_END, 0);
    }
    check_end(m, find(m, PACKET), 1 + take(m, 63));
}

static unsigned take_size(struct maker *m)
{
    return take(m, 4) << 3;
}

static unsigned bytes_of(unsigned size)
{
    static const unsigned char bytes[4] = { 4, 2, 1, 8 };

    return bytes[size >> 3];
}

/* An offset that fits in most cases. */
static int take_offset(struct maker *m, unsigned known, unsigned bytes)
{
    if (take(m, 16) == 0)
        return (int)take(m, 256) - 128;
    return known > bytes ? (int)take(m, known - bytes + 1) : 0;
}

static void say_packet_load(struct maker *m)
{
    const unsigned address = find(m, PACKET), size = take_size(m), r = spare(m);
    const bool sign = take(m, 8) == 0 && size != HK_DOUBLE;

    if (m->known[address] == 0 && take(m, 8) != 0) {
        say_check(m);
        return;
    }
    emit(m, HK_LDX | (sign ? HK_MEMSX : HK_MEM) | size, r, address,
         take_offset(m, m->known[address], bytes_of(size)), 0);
    set(m, r, NUMBER, 0);
}

/* A number, bounded in one of several ways. */
static void bound(struct maker *m, unsigned number)
{
    const unsigned class = take(m, 4) ? HK_JMP : HK_JMP32;

    switch (take(m, 4)) {
    case 0:
        emit(m, HK_ALU64 | HK_K | HK_AND, number, 0, 0, (int32_t)take(m, 64));
        emit(m, HK_ALU64 | HK_K | HK_ADD, number, 0, 0, (int32_t)take(m, 8));
        break;
    case 1: emit(m, HK_ALU32 | HK_K | HK_MOD, number, 0, 0, 1 + (int32_t)take(m, 40)); break;
    case 2: emit(m, class | HK_K | HK_JGT, number, 0, TO_END, (int32_t)take(m, 64)); break;
    default:
        emit(m, class | HK_K | HK_JSLT, number, 0, TO_END, 0);
        emit(m, class | HK_K | HK_JSGT, number, 0, TO_END, (int32_t)take(m, 64));
        break;
    }
}

/* Two bounded numbers make a third, which is compared: its bounds must be right. */
static void say_bounded(struct maker *m)
{
    const unsigned class = take(m, 4) ? HK_ALU64 : HK_ALU32;
    const unsigned operation = operations[take(m, HK_ARRAY_COUNT(operations))];
    const unsigned a = find(m, NUMBER), b = find(m, NUMBER);

    bound(m, a);
    bound(m, b);
    emit(m, class | HK_X | operation, a, b, 0, 0);
    emit(m, HK_JMP | HK_K | HK_JGT, a, 0, TO_END, take_value(m));
}

/* An address and a bounded number: what is behind it must be checked anew. */
static void say_variable(struct maker *m)
{
    const bool packet = take(m, 2) || !has(m, IN_MAP);
    const unsigned number = find(m, NUMBER), address = find(m, packet ? PACKET : IN_MAP);
    const unsigned r = spare(m);

    bound(m, number);
    emit(m, HK_ALU64 | HK_X | HK_MOV, r, address, 0, 0);
    set(m, r, packet ? PACKET : IN_MAP, packet ? 0 : m->known[address] / 2);
    emit(m, HK_ALU64 | HK_X | (take(m, 16) ? HK_ADD : HK_SUB), r, number, 0, 0);
    if (packet && has(m, PACKET_END) && take(m, 4) != 0)
        check_end(m, r, take(m, 32));
}

/*
 * An address from a base and a number, and another one: from a second number, or with a jump a copy
 * of the first. What is known of the one by a comparison is known of the other only when it is.
 */
static void say_copies(struct maker *m)
{
    const unsigned number = find(m, NUMBER), base = find(m, PACKET);
    const unsigned r = spare(m), other = (r + 1 + take(m, 9)) % 10, size = take_size(m);
    const unsigned bytes = bytes_of(size) + take(m, 16);

    bound(m, number);
    emit(m, HK_ALU64 | HK_X | HK_MOV, r, base, 0, 0);
    emit(m, HK_ALU64 | HK_X | HK_ADD, r, number, 0, 0);
    emit(m, HK_ALU64 | HK_X | HK_MOV, other, base, 0, 0);
    set(m, r, PACKET, 0);
    set(m, other, PACKET, 0);
    if (take(m, 2)) {
        emit(m, HK_JMP | HK_K | HK_JSET, number, 0, 1, 1 + (int32_t)take(m, 4));
        emit(m, HK_ALU64 | HK_X | HK_MOV, other, r, 0, 0);
    }
    check_end(m, other, bytes);
    emit(m, HK_LDX | HK_MEM | size, spare(m), r, take_offset(m, bytes, bytes_of(size)), 0);
}

static void say_fixed(struct maker *m)
{
    const unsigned address = find(m, take(m, 2) || !has(m, IN_MAP) ? PACKET : IN_MAP);

    emit(m, HK_ALU64 | HK_K | (take(m, 2) ? HK_ADD : HK_SUB), address, 0, 0, (int32_t)take(m, 8));
    m->known[address] = m->known[address] > 8 ? (uint8_t)(m->known[address] - 8) : 0;
}

static void say_length(struct maker *m)
{
    const unsigned end = find(m, PACKET_END), r = spare(m);

    emit(m, HK_ALU64 | HK_X | HK_MOV, r, end, 0, 0);
    emit(m, HK_ALU64 | HK_X | HK_SUB, r, find(m, PACKET), 0, 0);
    set(m, r, NUMBER, 0);
}

/* --- the stack ----------------------------------------------------------------------------- */

static int slot_offset(unsigned slot)
{
    return -8 * (int)(slot + 1);
}

static void say_stack_store(struct maker *m)
{
    const unsigned slot = take(m, 8), size = take(m, 2) ? HK_DOUBLE : take_size(m);
    const unsigned from = take(m, 4) ? find(m, NUMBER) : find(m, (enum kind)take(m, KINDS));
    const int at = slot_offset(slot) + (size == HK_DOUBLE ? 0 : (int)take(m, 8));

    if (take(m, 4) == 0)
        emit(m, HK_ST | HK_MEM | size, HK_FRAME_POINTER, 0, at, take_value(m));
    else
        emit(m, HK_STX | HK_MEM | size, HK_FRAME_POINTER, from, at, 0);
    if (size == HK_DOUBLE)
        m->slots |= (uint8_t)(1u << slot);
}

static void say_stack_load(struct maker *m)
{
    const unsigned size = take(m, 3) ? HK_DOUBLE : take_size(m), r = spare(m);
    unsigned slot = take(m, 8);

    for (unsigned n = 0; n < 8 && !(m->slots >> slot & 1); n++)
        slot = (slot + 1) % 8;
    if (!(m->slots >> slot & 1) && take(m, 16) != 0) {
        emit(m, HK_ST | HK_MEM | HK_DOUBLE, HK_FRAME_POINTER, 0, slot_offset(slot),
             take_value(m));
        m->slots |= (uint8_t)(1u << slot);
    }
    emit(m, HK_LDX | HK_MEM | size, r, HK_FRAME_POINTER,
         slot_offset(slot) + (size == HK_DOUBLE ? 0 : (int)take(m, 5)), 0);
    set(m, r, NUMBER, 0);
}

/* An address is put aside, and read into another register. */
static void say_spill(struct maker *m)
{
    const unsigned from = find(m, (enum kind)(CONTEXT + take(m, KINDS - CONTEXT)));
    const unsigned slot = take(m, 8), r = spare(m);

    emit(m, HK_STX | HK_MEM | HK_DOUBLE, HK_FRAME_POINTER, from, slot_offset(slot), 0);
    emit(m, HK_LDX | HK_MEM | HK_DOUBLE, r, HK_FRAME_POINTER, slot_offset(slot), 0);
    set(m, r, (enum kind)m->kind[from], m->known[from]);
    m->slots &= (uint8_t)~(1u << slot);
}

/* --- maps ------------------------------------------------------------------------------------ */

static void say_arguments(struct maker *m, unsigned map)
{
    const unsigned slot = take(m, 8);

    if (take(m, 2))
        emit(m, HK_ST | HK_MEM | HK_WORD, HK_FRAME_POINTER, 0, slot_offset(slot),
             (int32_t)take(m, 6));
    else
        emit(m, HK_STX | HK_MEM | HK_DOUBLE, HK_FRAME_POINTER, find(m, NUMBER),
             slot_offset(slot), 0);
    emit(m, HK_ALU64 | HK_X | HK_MOV, 2, HK_FRAME_POINTER, 0, 0);
    emit(m, HK_ALU64 | HK_K | HK_ADD, 2, 0, 0, slot_offset(slot));
    emit(m, HK_LOAD_NUMBER, 1, HK_FROM_MAP, 0, (int32_t)map);
    emit(m, 0, 0, 0, 0, 0);
}

static void called(struct maker *m)
{
    for (unsigned r = 0; r <= 5; r++)
        set(m, r, UNSET, 0);
}

static void say_look_up(struct maker *m)
{
    const unsigned map = take(m, m->map_count), copy = 6 + take(m, 4);
    const bool copied = take(m, 2);
    const unsigned checked = copied && take(m, 2) ? copy : 0;

    say_arguments(m, map);
    emit(m, HK_JMP | HK_CALL, 0, 0, 0, HK_HELPER_LOOKUP);
    called(m);
    if (copied)
        emit(m, HK_ALU64 | HK_X | HK_MOV, copy, 0, 0, 0);
    if (take(m, 16) != 0)
        emit(m, HK_JMP | HK_K | HK_JEQ, checked, 0, TO_END, 0);
    set(m, 0, IN_MAP, m->maps[map].value_bytes);
    if (copied)
        set(m, copy, IN_MAP, m->maps[map].value_bytes);
}

static void say_update(struct maker *m)
{
    const unsigned map = take(m, m->map_count);

    for (unsigned done = 0; done < m->maps[map].value_bytes && done < 32; done += 8) {
        emit(m, HK_ST | HK_MEM | HK_DOUBLE, HK_FRAME_POINTER, 0, -128 + (int)done, take_value(m));
    }
    say_arguments(m, map);
    emit(m, HK_ALU64 | HK_X | HK_MOV, 3, HK_FRAME_POINTER, 0, 0);
    emit(m, HK_ALU64 | HK_K | HK_ADD, 3, 0, 0, -128);
    emit(m, HK_ALU64 | HK_K | HK_MOV, 4, 0, 0, (int32_t)take(m, 4));
    emit(m, HK_JMP | HK_CALL, 0, 0, 0, HK_HELPER_UPDATE);
    called(m);
    set(m, 0, NUMBER, 0);
}

static void say_map_access(struct maker *m)
{
    const unsigned address = find(m, IN_MAP), size = take_size(m);
    const int offset = take_offset(m, m->known[address], bytes_of(size));

    if (!has(m, IN_MAP)) {
        say_look_up(m);
    } else if (take(m, 2)) {
        emit(m, HK_STX | HK_MEM | size, address, find(m, NUMBER), offset, 0);
    } else {
        const unsigned r = spare(m);

        emit(m, HK_LDX | HK_MEM | size, r, address, offset, 0);
        set(m, r, NUMBER, 0);
    }
}

/* --- programs -------------------------------------------------------------------------------- */

static void say_copy(struct maker *m)
{
    const unsigned from = find(m, (enum kind)take(m, KINDS)), r = spare(m);

    emit(m, HK_ALU64 | HK_X | HK_MOV, r, from, 0, 0);
    set(m, r, (enum kind)m->kind[from], m->known[from]);
}

/* One load that is of the context where a jump is taken, and of the stack where not. */
static void say_mixed(struct maker *m)
{
    const unsigned number = find(m, NUMBER), r = spare(m);

    emit(m, HK_ST | HK_MEM | HK_DOUBLE, HK_FRAME_POINTER, 0, -8, 0);
    emit(m, HK_ALU64 | HK_X | HK_MOV, r, find(m, CONTEXT), 0, 0);
    emit(m, HK_JMP | HK_K | HK_JEQ, number, 0, 2, take_value(m));
    emit(m, HK_ALU64 | HK_X | HK_MOV, r, HK_FRAME_POINTER, 0, 0);
    emit(m, HK_ALU64 | HK_K | HK_ADD, r, 0, 0, -8);
    emit(m, HK_LDX | HK_MEM | HK_WORD, r, r, HK_CONTEXT_LEN, 0);
    set(m, r, NUMBER, 0);
}

/* Anything at all. */
static void say_noise(struct maker *m)
{
    const uint64_t bits = input_take(m->input, 8);

    emit(m, (unsigned)bits & 0xff, (unsigned)(bits >> 8) & 15, (unsigned)(bits >> 12) & 15,
         (int)(bits >> 16 & 7), take_value(m));
}

static void (*const phrases[])(struct maker *m) = {
    say_number, say_operation, say_operation, say_operation, say_unary, say_context, say_context,
    say_check, say_packet_load, say_packet_load, say_bounded, say_variable, say_variable,
    say_copies, say_fixed, say_length, say_stack_store, say_stack_load, say_stack_load, say_spill,
    say_look_up, say_update, say_map_access, say_map_access, say_copy,
};

static const uint8_t jumps[] = {
#define X(name, code) code,
    HK_JUMP_LIST(X)
#undef X
};

static void say_jump(struct maker *m)
{
    const unsigned class = take(m, 2) ? HK_JMP : HK_JMP32;
    const unsigned operation = jumps[take(m, HK_ARRAY_COUNT(jumps))];
    const unsigned to = find(m, NUMBER);

    if (take(m, 2))
        emit(m, class | HK_X | operation, to, find(m, NUMBER), 0, 0);
    else
        emit(m, class | HK_K | operation, to, 0, 0, take_value(m));
}

static bool has_room(const struct maker *m)
{
    return m->count + 2 * PHRASE_MAX + TAIL < HK_GENERATE_INSTRUCTIONS;
}

static void say_block(struct maker *m, unsigned depth);

/* Phrases that a comparison jumps over; behind them both ways must agree. */
static void say_condition(struct maker *m, unsigned depth)
{
    const struct maker before = *m;
    uint32_t at;

    say_jump(m);
    at = m->count - 1;
    say_block(m, depth + 1);
    m->i[at].offset = (int16_t)(m->count - at - 1);
    if (take(m, 16) == 0)
        return; /* which may be a mistake */
    for (unsigned r = 0; r < 10; r++) {
        if (m->kind[r] != before.kind[r])
            m->kind[r] = UNSET;
        if (m->known[r] > before.known[r])
            m->known[r] = before.known[r];
    }
    m->slots &= before.slots;
}

static void say_block(struct maker *m, unsigned depth)
{
    const unsigned length = 1 + take(m, depth == 0 ? 20 : 4);

    for (unsigned n = 0; n < length && has_room(m); n++) {
        const unsigned choice = take(m, 256);

        if (choice == 0)
            say_noise(m);
        else if (choice == 1)
            say_mixed(m);
        else if (choice < 48 && depth < DEPTH_MAX)
            say_condition(m, depth);
        else
            phrases[choice % HK_ARRAY_COUNT(phrases)](m);
    }
}

static void spoil(struct maker *m)
{
    struct hk_instruction *i = &m->i[take(m, m->count)];

    switch (take(m, 5)) {
    case 0: i->code = (uint8_t)input_take(m->input, 1); break;
    case 1: i->registers = (uint8_t)input_take(m->input, 1); break;
    case 2: i->offset = (int16_t)(i->offset + (int)take(m, 16) - 8); break;
    case 3: i->value = take_value(m); break;
    default: *i = m->i[take(m, m->count)]; break;
    }
}

uint32_t hk_generate(struct input *input, const struct hk_map *maps, uint32_t map_count,
                     struct hk_instruction *instructions)
{
    struct maker m = { .input = input, .maps = maps, .map_count = map_count, .i = instructions };

    set(&m, 1, CONTEXT, 0);
    emit(&m, HK_ALU64 | HK_X | HK_MOV, 6, 1, 0, 0);
    emit(&m, HK_ALU64 | HK_K | HK_MOV, 0, 0, 0, take_value(&m));
    emit(&m, HK_LDX | HK_MEM | HK_WORD, 7, 1, HK_CONTEXT_DATA, 0);
    emit(&m, HK_LDX | HK_MEM | HK_WORD, 8, 1, HK_CONTEXT_DATA_END, 0);
    set(&m, 6, CONTEXT, 0);
    set(&m, 0, NUMBER, 0);
    set(&m, 7, PACKET, 0);
    set(&m, 8, PACKET_END, 0);
    say_block(&m, 0);
    for (uint32_t at = 0; at < m.count; at++)
        if (m.i[at].offset == TO_END)
            m.i[at].offset = (int16_t)(m.count - at - 1);
    emit(&m, HK_ALU64 | HK_K | HK_MOV, 0, 0, 0, take_value(&m));
    emit(&m, HK_JMP | HK_EXIT, 0, 0, 0, 0);
    if (take(&m, 4) == 0)
        spoil(&m);
    return m.count;
}
