/* SPDX-License-Identifier: MIT */
#include "user/filter.h"

#include "services/packet.h"

/* What the filter keeps begins with this, in the order of bytes of this machine. */
#define MAGIC 0x686b6266u
#define KEEP_MASK 0xffffu
#define KEEP_LEAST 64u
#define FRAME_INSTRUCTIONS 14u /* around what a size repeats */

/* Factor of step i: odd, so that nothing is lost. */
static int32_t factor(uint64_t i)
{
    return (int32_t)(2 * (i % 1000) + 3);
}

/* --- the decision ---------------------------------------------------------------------- */

void hk_filter_datagram(uint64_t word[HK_FILTER_WORDS])
{
    for (uint64_t i = 0; i < HK_FILTER_WORDS; i++)
        word[i] = 0x9e3779b97f4a7c15 * (i + 1);
    word[0] = word[0] >> 32 << 32 | MAGIC;
}

static uint64_t hash(uint64_t steps, const uint64_t words[3])
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < steps; i++) {
        switch (i % 4) {
        case 0: sum += words[0]; break;
        case 1: sum ^= words[1]; break;
        case 2: sum *= (uint64_t)factor(i); break;
        default: sum += words[2]; break;
        }
    }
    return sum;
}

uint64_t hk_filter_decide(const struct hk_filter *filter, const uint64_t word[HK_FILTER_WORDS])
{
    const uint64_t words[3] = { (uint32_t)word[0], word[0] >> 32, (uint32_t)word[1] };
    uint64_t sum;

    if (words[0] != MAGIC)
        return 0;
    sum = filter->shape == HK_FILTER_STRAIGHT ? hash(filter->size - FRAME_INSTRUCTIONS, words)
                                              : words[1] & ((1ull << filter->size) - 1);
    return (sum & KEEP_MASK) | KEEP_LEAST;
}

/* --- the program ------------------------------------------------------------------------ */

struct writer {
    struct hk_instruction *program;
    uint32_t count;
};

static void emit(struct writer *w, unsigned code, unsigned to, unsigned from, int offset,
                 int32_t value)
{
    w->program[w->count++] = (struct hk_instruction){ (uint8_t)code, (uint8_t)(to | from << 4),
                                                      (int16_t)offset, value };
}

static void emit_number(struct writer *w, unsigned operation, unsigned to, int32_t value)
{
    emit(w, HK_ALU64 | HK_K | operation, to, 0, 0, value);
}

static void emit_register(struct writer *w, unsigned operation, unsigned to, unsigned from)
{
    emit(w, HK_ALU64 | HK_X | operation, to, from, 0, 0);
}

/* Three halves of words into registers 7 to 9; a packet without the magic is dropped. */
static void emit_head(struct writer *w)
{
    const int payload = HK_PACKET_HEADER_BYTES;

    emit_number(w, HK_MOV, 0, 0);
    emit(w, HK_LDX | HK_MEM | HK_WORD, 2, 1, HK_CONTEXT_DATA, 0);
    emit(w, HK_LDX | HK_MEM | HK_WORD, 3, 1, HK_CONTEXT_DATA_END, 0);
    emit_register(w, HK_MOV, 4, 2);
    emit_number(w, HK_ADD, 4, payload + 12);
    emit(w, HK_JMP | HK_X | HK_JGT, 4, 3, 2, 0);
    emit(w, HK_LDX | HK_MEM | HK_WORD, 7, 2, payload, 0);
    emit(w, HK_JMP | HK_K | HK_JEQ, 7, 0, 1, (int32_t)MAGIC);
    emit(w, HK_JMP | HK_EXIT, 0, 0, 0, 0);
    emit(w, HK_LDX | HK_MEM | HK_WORD, 8, 2, payload + 4, 0);
    emit(w, HK_LDX | HK_MEM | HK_WORD, 9, 2, payload + 8, 0);
}

static void emit_straight(struct writer *w, uint64_t size)
{
    for (uint64_t i = 0; i < size - FRAME_INSTRUCTIONS; i++) {
        switch (i % 4) {
        case 0: emit_register(w, HK_ADD, 0, 7); break;
        case 1: emit_register(w, HK_XOR, 0, 8); break;
        case 2: emit_number(w, HK_MUL, 0, factor(i)); break;
        default: emit_register(w, HK_ADD, 0, 9); break;
        }
    }
}

/*
 * Each branch adds its bit or not. In the end the sum addresses the stack, so that the verifier
 * needs its value on every path, and no two paths are alike to it.
 */
static void emit_branchy(struct writer *w, uint64_t branches)
{
    for (uint64_t b = 0; b < branches; b++) {
        emit(w, HK_JMP | HK_K | HK_JSET, 8, 0, 1, (int32_t)(1u << b));
        emit(w, HK_JMP | HK_JA, 0, 0, 1, 0);
        emit_number(w, HK_ADD, 0, (int32_t)(1u << b));
    }
    emit_register(w, HK_MOV, 1, 0);
    emit_number(w, HK_AND, 1, 0xf8);
    emit_register(w, HK_MOV, 2, HK_FRAME_POINTER);
    emit_number(w, HK_ADD, 2, -256);
    emit_register(w, HK_ADD, 2, 1);
    emit(w, HK_STX | HK_MEM | HK_DOUBLE, 2, 9, 0, 0);
}

uint32_t hk_filter_program(const struct hk_filter *filter,
                           struct hk_instruction program[HK_EXTENSION_INSTRUCTIONS_MAX])
{
    struct writer w = { program, 0 };

    emit_head(&w);
    if (filter->shape == HK_FILTER_STRAIGHT)
        emit_straight(&w, filter->size);
    else
        emit_branchy(&w, filter->size);
    emit_number(&w, HK_AND, 0, (int32_t)KEEP_MASK);
    emit_number(&w, HK_OR, 0, (int32_t)KEEP_LEAST);
    emit(&w, HK_JMP | HK_EXIT, 0, 0, 0, 0);
    return w.count;
}
