/* SPDX-License-Identifier: MIT */
#include "test/oracle.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far the verifier lets an address go: what is certain of its offset and the rest, 65535 each. */
#define ASTRAY_BYTES (2 * 0x10000u)

enum tag { UNWRITTEN, NUMBER, ADDRESS };

/* One run; the tests have one at a time. */
static struct run {
    const unsigned char *packet;
    uint32_t bytes;
    uint32_t steps;
    const struct hk_instruction *last;
    uint8_t reg[HK_REGISTERS];
    uint8_t stack[HK_EXTENSION_STACK_BYTES];
} run;

/* What an instruction is checked against. */
struct place {
    const struct hk_extension *extension;
    const struct hk_instruction *i;
    const uint64_t *reg;
    uintptr_t stack; /* its lowest address */
    const struct hk_extension_context *context;
};

void hk_oracle_begin(const unsigned char *packet, uint32_t bytes)
{
    memset(&run, UNWRITTEN, sizeof(run));
    run.packet = packet;
    run.bytes = bytes;
    run.reg[1] = run.reg[HK_FRAME_POINTER] = ADDRESS;
}

uint32_t hk_oracle_steps(void)
{
    return run.steps;
}

static void demand(bool good, const struct place *p, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "instruction %ld (code 0x%02x): %s\n",
            (long)(p->i - p->extension->instructions), p->i->code, what);
    for (uint32_t n = 0; n < p->extension->count; n++) {
        const struct hk_instruction *i = &p->extension->instructions[n];

        fprintf(stderr, "%4u: code 0x%02x to %u from %u offset %d value %d\n", n, i->code,
                i->registers & 15, i->registers >> 4, i->offset, i->value);
    }
    abort();
}

static bool lies_in(uint64_t address, uint32_t bytes, const void *from, size_t count)
{
    const uint64_t first = (uintptr_t)from;

    return address >= first && bytes <= count && address - first <= count - bytes;
}

static bool lies_in_map(const struct place *p, uint64_t address, uint32_t bytes)
{
    for (uint32_t m = 0; m < p->extension->map_count; m++) {
        const struct hk_map *map = &p->extension->maps[m];

        for (uint32_t v = 0; v < map->count; v++)
            if (lies_in(address, bytes, map->values + (size_t)v * map->stride_bytes,
                        map->value_bytes))
                return true;
    }
    return false;
}

static bool lies_in_stack(const struct place *p, uint64_t address, uint32_t bytes)
{
    return lies_in(address, bytes, (const void *)p->stack, HK_EXTENSION_STACK_BYTES);
}

static uint8_t *tags_of(const struct place *p, uint64_t address)
{
    return run.stack + (address - p->stack);
}

static uint8_t read_register(const struct place *p, unsigned r)
{
    demand(r < HK_REGISTERS && run.reg[r] != UNWRITTEN, p, "reads an unwritten register");
    return run.reg[r];
}

static void write_register(const struct place *p, unsigned r, uint8_t tag)
{
    demand(r < HK_FRAME_POINTER, p, "writes a register that cannot be");
    run.reg[r] = tag;
}

/* Bytes of the stack are all numbers, or one address. */
static uint8_t read_stack(const struct place *p, uint64_t address, uint32_t bytes)
{
    const uint8_t *tags = tags_of(p, address);

    for (uint32_t b = 0; b < bytes; b++)
        demand(tags[b] != UNWRITTEN && tags[b] == tags[0], p, "reads unwritten bytes");
    demand(tags[0] != ADDRESS || (bytes == 8 && address % 8 == 0), p, "reads part of an address");
    return tags[0];
}

/* What a load gives; the context can be read by loads only. */
static uint8_t read_memory(const struct place *p, uint64_t address, uint32_t bytes)
{
    if (lies_in_stack(p, address, bytes))
        return read_stack(p, address, bytes);
    demand(lies_in(address, bytes, run.packet, run.bytes) || lies_in_map(p, address, bytes), p,
           "reads where it may not");
    return NUMBER;
}

static uint8_t read_context(const struct place *p, uint64_t address, uint32_t bytes)
{
    const uint64_t offset = address - (uintptr_t)p->context;

    if (bytes == 4 && offset == offsetof(struct hk_extension_context, bytes))
        return NUMBER;
    demand(bytes == 8 && (offset == offsetof(struct hk_extension_context, data) ||
                          offset == offsetof(struct hk_extension_context, data_end)),
           p, "reads what the context does not have");
    return ADDRESS;
}

/* What is left of an address that is written over is none, and no number either. */
static void forget_address(const struct place *p, uint64_t address)
{
    uint8_t *tags = tags_of(p, address & ~7ull);

    if (tags[0] == ADDRESS && tags[7] == ADDRESS)
        memset(tags, UNWRITTEN, 8);
}

static void write_memory(const struct place *p, uint64_t address, uint32_t bytes, uint8_t tag)
{
    if (lies_in_stack(p, address, bytes)) {
        demand(tag != ADDRESS || (bytes == 8 && address % 8 == 0), p,
               "writes part of an address");
        forget_address(p, address);
        forget_address(p, address + bytes - 1);
        memset(tags_of(p, address), tag, bytes);
        return;
    }
    demand(lies_in_map(p, address, bytes), p, "writes where it may not");
    demand(tag != ADDRESS, p, "an address gets into a map");
}

/* Bytes that a load or store moves: not the verifier's table, which may be wrong. */
static uint32_t bytes_of(const struct hk_instruction *i)
{
    switch (i->code & HK_SIZE) {
    case HK_BYTE:
        return 1;
    case HK_HALF:
        return 2;
    case HK_WORD:
        return 4;
    default:
        return 8;
    }
}

static uint64_t address_at(const struct place *p, unsigned r)
{
    demand(read_register(p, r) == ADDRESS, p, "uses a number as an address");
    return p->reg[r] + (uint64_t)(int64_t)p->i->offset;
}

static void step_load(const struct place *p)
{
    const uint64_t address = address_at(p, p->i->registers >> 4);
    const uint32_t bytes = bytes_of(p->i);
    const uint8_t tag = lies_in(address, bytes, p->context, sizeof(*p->context))
                            ? read_context(p, address, bytes)
                            : read_memory(p, address, bytes);

    demand(tag == NUMBER || (p->i->code & HK_MODE) == HK_MEM, p, "extends the sign of an address");
    write_register(p, p->i->registers & 15, tag);
}

static void step_store(const struct place *p)
{
    const bool is_register = (p->i->code & HK_CLASS) == HK_STX;

    write_memory(p, address_at(p, p->i->registers & 15), bytes_of(p->i),
                 is_register ? read_register(p, p->i->registers >> 4) : NUMBER);
}

/* Whether it was made from the packet's address: it may be behind the end. */
static bool near_packet(uint64_t address)
{
    return address + ASTRAY_BYTES - (uintptr_t)run.packet < 2 * ASTRAY_BYTES;
}

static void step_alu(const struct place *p)
{
    const unsigned operation = p->i->code & HK_OPERATION, to = p->i->registers & 15;
    const bool wide = (p->i->code & HK_CLASS) == HK_ALU64;
    const bool unary = operation == HK_NEG || operation == HK_END;
    uint8_t b = NUMBER, a;

    if (!unary && (p->i->code & HK_X))
        b = read_register(p, p->i->registers >> 4);
    if (operation == HK_MOV) {
        demand(b == NUMBER || (wide && p->i->offset == 0), p, "moves part of an address");
        write_register(p, to, b);
        return;
    }
    a = read_register(p, to);
    if (a == ADDRESS && b == ADDRESS) {
        demand(wide && operation == HK_SUB && near_packet(p->reg[to]) &&
                   near_packet(p->reg[p->i->registers >> 4]),
               p, "computes with two addresses");
        write_register(p, to, NUMBER);
        return;
    }
    demand((a == NUMBER && b == NUMBER) ||
               (wide && (operation == HK_ADD || (operation == HK_SUB && a == ADDRESS))),
           p, "computes with an address");
    write_register(p, to, a == ADDRESS || b == ADDRESS ? ADDRESS : NUMBER);
}

static void step_call(const struct place *p)
{
    const uint64_t map = p->reg[1];
    uint8_t result = NUMBER;
    uint32_t key;

    demand(read_register(p, 1) == ADDRESS && map < p->extension->map_count, p, "names no map");
    demand(read_register(p, 2) == ADDRESS && read_memory(p, p->reg[2], 4) == NUMBER, p,
           "has no key");
    memcpy(&key, (const void *)p->reg[2], sizeof(key));
    if (p->i->value == HK_HELPER_LOOKUP) {
        result = key < p->extension->maps[map].count ? ADDRESS : NUMBER;
    } else {
        const uint32_t bytes = p->extension->maps[map].value_bytes;

        demand(p->i->value == HK_HELPER_UPDATE, p, "calls nothing");
        demand(read_register(p, 4) == NUMBER && read_register(p, 3) == ADDRESS &&
                   read_memory(p, p->reg[3], bytes) == NUMBER,
               p, "has no value");
    }
    for (unsigned r = 1; r <= 5; r++)
        run.reg[r] = UNWRITTEN;
    write_register(p, 0, result);
}

/*
 * An address compared with a number would get out bit by bit. What is left: whether one in the
 * packet is before its end, and whether a lookup has found anything.
 */
static void step_comparison(const struct place *p, unsigned operation)
{
    const unsigned to = p->i->registers & 15, from = p->i->registers >> 4;
    const bool wide = (p->i->code & HK_CLASS) == HK_JMP;
    const bool ordered = operation == HK_JGT || operation == HK_JGE || operation == HK_JLT ||
                         operation == HK_JLE;
    const uint8_t a = read_register(p, to);

    if (p->i->code & HK_X) {
        const uint8_t b = read_register(p, from);

        demand((a == NUMBER && b == NUMBER) ||
                   (a == ADDRESS && b == ADDRESS && wide && ordered && near_packet(p->reg[to]) &&
                    near_packet(p->reg[from])),
               p, "compares an address");
        return;
    }
    demand(a == NUMBER || (wide && p->i->value == 0 &&
                           (operation == HK_JEQ || operation == HK_JNE)),
           p, "compares an address with a number");
}

static void step_jump(const struct place *p)
{
    const unsigned operation = p->i->code & HK_OPERATION;

    if (p->i->code == (HK_JMP | HK_CALL)) {
        step_call(p);
        return;
    }
    if (p->i->code == (HK_JMP | HK_EXIT)) {
        demand(read_register(p, 0) == NUMBER, p, "returns an address");
        return;
    }
    if (operation != HK_JA)
        step_comparison(p, operation);
}

void hk_oracle_step(const struct hk_extension *extension, const struct hk_instruction *i,
                    const uint64_t reg[HK_REGISTERS], uintptr_t stack,
                    const struct hk_extension_context *context)
{
    const struct place p = { extension, i, reg, stack, context };

    demand(i >= extension->instructions && i < extension->instructions + extension->count, &p,
           "is not in the program");
    demand(run.last == NULL || i > run.last, &p, "runs again");
    run.last = i;
    run.steps++;
    switch (i->code & HK_CLASS) {
    case HK_LD:
        demand(i->code == HK_LOAD_NUMBER, &p, "was not to be reached");
        write_register(&p, i->registers & 15, i->registers >> 4 == HK_FROM_MAP ? ADDRESS : NUMBER);
        break;
    case HK_LDX:
        step_load(&p);
        break;
    case HK_ST:
    case HK_STX:
        step_store(&p);
        break;
    case HK_ALU32:
    case HK_ALU64:
        step_alu(&p);
        break;
    default:
        step_jump(&p);
        break;
    }
}
