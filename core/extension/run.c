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
    hk_oracle_step((machine)->extension, (instruction), (machine)->reg, (machine)->stack,         \
                   &(machine)->context)
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

/* Of a load: memcpy, since an address need not be a multiple of anything. */
#define LOAD(code_, type)                                                        \
    case HK_LDX | (code_): {                                                     \
        type loaded;                                                             \
        __builtin_memcpy(&loaded, (const char *)from + i->offset, sizeof(type)); \
        *to = (uint64_t)loaded;                                                  \
        break;                                                                   \
    }

#define STORE(size, type)                                                   \
    case HK_STX | HK_MEM | (size): {                                        \
        type stored = (type)from;                                           \
        __builtin_memcpy((char *)*to + i->offset, &stored, sizeof(type));   \
        break;                                                              \
    }                                                                       \
    case HK_ST | HK_MEM | (size): {                                         \
        type stored = (type)i->value;                                       \
        __builtin_memcpy((char *)*to + i->offset, &stored, sizeof(type));   \
        break;                                                              \
    }

#define ALU(name, code_)                                                                 \
    case HK_ALU64 | HK_X | (code_): *to = hk_alu(code_, i->offset, true, *to, from); break; \
    case HK_ALU64 | HK_K | (code_): *to = hk_alu(code_, i->offset, true, *to, value); break; \
    case HK_ALU32 | HK_X | (code_): *to = hk_alu(code_, i->offset, false, *to, from); break; \
    case HK_ALU32 | HK_K | (code_): *to = hk_alu(code_, i->offset, false, *to, value); break;

#define JUMP(name, code_)                                                                          \
    case HK_JMP | HK_X | (code_): i += hk_alu_holds(code_, true, *to, from) ? i->offset : 0; break; \
    case HK_JMP | HK_K | (code_): i += hk_alu_holds(code_, true, *to, value) ? i->offset : 0; break; \
    case HK_JMP32 | HK_X | (code_):                                                                \
        i += hk_alu_holds(code_, false, *to, from) ? i->offset : 0;                                \
        break;                                                                                     \
    case HK_JMP32 | HK_K | (code_):                                                                \
        i += hk_alu_holds(code_, false, *to, value) ? i->offset : 0;                               \
        break;

uint64_t hk_extension_run(const struct hk_extension *extension, const unsigned char *packet,
                          uint32_t bytes)
{
    struct machine m;
    const struct hk_instruction *i;

    m.extension = extension;
    m.context = (struct hk_extension_context){ bytes, packet, packet + bytes };
    m.reg[1] = (uintptr_t)&m.context;
    m.reg[HK_FRAME_POINTER] = (uintptr_t)(m.stack + sizeof(m.stack));
    for (i = extension->instructions;; i++) {
        uint64_t *const to = &m.reg[hk_instruction_to(i)];
        const uint64_t from = m.reg[hk_instruction_from(i)];
        const uint64_t value = (uint64_t)(int64_t)i->value;

        BEFORE(&m, i);
        switch (i->code) {
        HK_ALU_LIST(ALU)
        HK_JUMP_LIST(JUMP)
        LOAD(HK_MEM | HK_BYTE, uint8_t)
        LOAD(HK_MEM | HK_HALF, uint16_t)
        LOAD(HK_MEM | HK_WORD, uint32_t)
        LOAD(HK_MEM | HK_DOUBLE, uint64_t)
        LOAD(HK_MEMSX | HK_BYTE, int8_t)
        LOAD(HK_MEMSX | HK_HALF, int16_t)
        LOAD(HK_MEMSX | HK_WORD, int32_t)
        STORE(HK_BYTE, uint8_t)
        STORE(HK_HALF, uint16_t)
        STORE(HK_WORD, uint32_t)
        STORE(HK_DOUBLE, uint64_t)
        case HK_ALU64 | HK_NEG:
            *to = hk_alu_negate(true, *to);
            break;
        case HK_ALU32 | HK_NEG:
            *to = hk_alu_negate(false, *to);
            break;
        case HK_ALU64 | HK_END:
        case HK_ALU32 | HK_END | HK_K:
        case HK_ALU32 | HK_END | HK_X:
            *to = hk_alu_order(hk_alu_swaps(i->code), i->value, *to);
            break;
        case HK_LOAD_NUMBER:
            *to = hk_instruction_number(i);
            i++;
            break;
        case HK_JMP | HK_JA:
            i += i->offset;
            break;
        case HK_JMP32 | HK_JA:
            i += i->value;
            break;
        case HK_JMP | HK_CALL:
            m.reg[0] = call(&m, i->value);
            break;
        case HK_JMP | HK_EXIT:
            return m.reg[0];
        default: /* no path leads here: the verifier has put HK_TRAP in its place */
            return 0;
        }
    }
}
