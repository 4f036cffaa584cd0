/* SPDX-License-Identifier: MIT */
/*
 * The interpreter. It checks nothing that the verifier has shown. With HK_EXTENSION_ORACLE it asks
 * test/oracle.c before every instruction, which checks everything, and the program is not run
 * on where the verifier was wrong.
 */
#include "extension/alu.h"
#include "extension/extension.h"

struct machine {
    uint64_t reg[HK_REGISTERS];
    const struct hk_extension *extension;
    struct hk_extension_context context;
    unsigned char stack[HK_EXTENSION_STACK_BYTES] __attribute__((aligned(8)));
};

#ifdef HK_EXTENSION_ORACLE
#include "test/oracle.h"
#define BEFORE(machine, instruction)                                                             \
    hk_oracle_step((machine)->extension, (instruction), (machine)->reg,                          \
                   (uintptr_t)(machine)->stack, &(machine)->context)
#else
#define BEFORE(machine, instruction) ((void)0)
#endif

/* errno of Linux */
enum { TOO_BIG = 7, EXISTS = 17, INVALID = 22 };
enum { UPDATE_NEW = 1, UPDATE_OLD = 2 };

static uint64_t lookup(const struct machine *m)
{
    uint32_t key;

    __builtin_memcpy(&key, (const void *)m->reg[2], sizeof(key));
    return (uintptr_t)hk_map_value(&m->extension->maps[m->reg[1]], key);
}

/* Every value of an array exists. */
static uint64_t update(const struct machine *m)
{
    const struct hk_map *map = &m->extension->maps[m->reg[1]];
    unsigned char *value;
    uint32_t key;

    if (m->reg[4] > UPDATE_OLD)
        return (uint64_t)-INVALID;
    __builtin_memcpy(&key, (const void *)m->reg[2], sizeof(key));
    value = hk_map_value(map, key);
    if (value == NULL)
        return (uint64_t)-TOO_BIG;
    if (m->reg[4] == UPDATE_NEW)
        return (uint64_t)-EXISTS;
    __builtin_memcpy(value, (const void *)m->reg[3], map->value_bytes);
    return 0;
}

static uint64_t call(const struct machine *m, int32_t helper)
{
    return helper == HK_HELPER_LOOKUP ? lookup(m) : update(m);
}

/*
 * One piece of code per operation code, and a table of where they are: from one to the next takes
 * four instructions, where a switch in a loop took thirteen.
 */
#define HERE                          \
    do {                              \
        BEFORE(&m, i);                \
        goto *pieces[i->code];        \
    } while (0)
#define NEXT                          \
    do {                              \
        i++;                          \
        HERE;                         \
    } while (0)

#define TO m.reg[hk_instruction_to(i)]
#define FROM m.reg[hk_instruction_from(i)]
#define VALUE ((uint64_t)(int64_t)i->value)

#define ALU(name, code_)                                                                \
    alu64_x_##name: TO = hk_alu(code_, i->offset, true, TO, FROM); NEXT;                \
    alu64_k_##name: TO = hk_alu(code_, i->offset, true, TO, VALUE); NEXT;               \
    alu32_x_##name: TO = hk_alu(code_, i->offset, false, TO, FROM); NEXT;               \
    alu32_k_##name: TO = hk_alu(code_, i->offset, false, TO, VALUE); NEXT;

#define JUMP(name, code_)                                                               \
    jmp64_x_##name: i += hk_alu_holds(code_, true, TO, FROM) ? i->offset : 0; NEXT;     \
    jmp64_k_##name: i += hk_alu_holds(code_, true, TO, VALUE) ? i->offset : 0; NEXT;    \
    jmp32_x_##name: i += hk_alu_holds(code_, false, TO, FROM) ? i->offset : 0; NEXT;    \
    jmp32_k_##name: i += hk_alu_holds(code_, false, TO, VALUE) ? i->offset : 0; NEXT;

/* memcpy, since an address need not be a multiple of anything */
#define LOAD(name, type)                                                                \
    load_##name: {                                                                      \
        type loaded;                                                                    \
        __builtin_memcpy(&loaded, (const char *)FROM + i->offset, sizeof(type));        \
        TO = (uint64_t)loaded;                                                          \
        NEXT;                                                                           \
    }

#define STORE(name, type)                                                               \
    store_x_##name: {                                                                   \
        type stored = (type)FROM;                                                       \
        __builtin_memcpy((char *)TO + i->offset, &stored, sizeof(type));                \
        NEXT;                                                                           \
    }                                                                                   \
    store_k_##name: {                                                                   \
        type stored = (type)i->value;                                                   \
        __builtin_memcpy((char *)TO + i->offset, &stored, sizeof(type));                \
        NEXT;                                                                           \
    }

/* Where the pieces are. */
#define ALU_PIECE(name, code)                          \
    [HK_ALU64 | HK_X | (code)] = &&alu64_x_##name,     \
    [HK_ALU64 | HK_K | (code)] = &&alu64_k_##name,     \
    [HK_ALU32 | HK_X | (code)] = &&alu32_x_##name,     \
    [HK_ALU32 | HK_K | (code)] = &&alu32_k_##name,
#define JUMP_PIECE(name, code)                         \
    [HK_JMP | HK_X | (code)] = &&jmp64_x_##name,       \
    [HK_JMP | HK_K | (code)] = &&jmp64_k_##name,       \
    [HK_JMP32 | HK_X | (code)] = &&jmp32_x_##name,     \
    [HK_JMP32 | HK_K | (code)] = &&jmp32_k_##name,
#define LOAD_PIECE(name, mode, size) [HK_LDX | (mode) | (size)] = &&load_##name,
#define STORE_PIECE(name, size)                        \
    [HK_STX | HK_MEM | (size)] = &&store_x_##name,     \
    [HK_ST | HK_MEM | (size)] = &&store_k_##name,

uint64_t hk_extension_run(const struct hk_extension *extension, const unsigned char *packet,
                          uint32_t bytes)
{
    static const void *const pieces[256] = {
        HK_ALU_LIST(ALU_PIECE)
        HK_JUMP_LIST(JUMP_PIECE)
        LOAD_PIECE(u8, HK_MEM, HK_BYTE)
        LOAD_PIECE(u16, HK_MEM, HK_HALF)
        LOAD_PIECE(u32, HK_MEM, HK_WORD)
        LOAD_PIECE(u64, HK_MEM, HK_DOUBLE)
        LOAD_PIECE(s8, HK_MEMSX, HK_BYTE)
        LOAD_PIECE(s16, HK_MEMSX, HK_HALF)
        LOAD_PIECE(s32, HK_MEMSX, HK_WORD)
        STORE_PIECE(u8, HK_BYTE)
        STORE_PIECE(u16, HK_HALF)
        STORE_PIECE(u32, HK_WORD)
        STORE_PIECE(u64, HK_DOUBLE)
        [HK_ALU64 | HK_NEG] = &&negate64,
        [HK_ALU32 | HK_NEG] = &&negate32,
        [HK_ALU64 | HK_END] = &&order,
        [HK_ALU32 | HK_END | HK_K] = &&order,
        [HK_ALU32 | HK_END | HK_X] = &&order,
        [HK_LOAD_NUMBER] = &&load_number,
        [HK_JMP | HK_JA] = &&jump,
        [HK_JMP32 | HK_JA] = &&jump_far,
        [HK_JMP | HK_CALL] = &&call,
        [HK_JMP | HK_EXIT] = &&leave,
        [HK_TRAP] = &&trap,
    };
    const struct hk_instruction *i = extension->instructions;
    struct machine m;

    m.extension = extension;
    m.context = (struct hk_extension_context){ bytes, packet, packet + bytes };
    m.reg[1] = (uintptr_t)&m.context;
    m.reg[HK_FRAME_POINTER] = (uintptr_t)(m.stack + sizeof(m.stack));
    HERE;
    HK_ALU_LIST(ALU)
    HK_JUMP_LIST(JUMP)
    LOAD(u8, uint8_t)
    LOAD(u16, uint16_t)
    LOAD(u32, uint32_t)
    LOAD(u64, uint64_t)
    LOAD(s8, int8_t)
    LOAD(s16, int16_t)
    LOAD(s32, int32_t)
    STORE(u8, uint8_t)
    STORE(u16, uint16_t)
    STORE(u32, uint32_t)
    STORE(u64, uint64_t)
negate64:
    TO = hk_alu_negate(true, TO);
    NEXT;
negate32:
    TO = hk_alu_negate(false, TO);
    NEXT;
order:
    TO = hk_alu_order(hk_alu_swaps(i->code), i->value, TO);
    NEXT;
load_number:
    TO = hk_instruction_number(i);
    i++;
    NEXT;
jump:
    i += i->offset;
    NEXT;
jump_far:
    i += i->value;
    NEXT;
call:
    m.reg[0] = call(&m, i->value);
    NEXT;
trap: /* no path leads here */
    m.reg[0] = 0;
leave:
    return m.reg[0];
}
