/* SPDX-License-Identifier: MIT */
#include "extension/form.h"

/* --- jumps ------------------------------------------------------------------------------- */

static bool is_jump_class(const struct hk_instruction *i)
{
    return hk_instruction_class(i) == HK_JMP || hk_instruction_class(i) == HK_JMP32;
}

bool hk_form_falls_through(const struct hk_instruction *i)
{
    return i->code != (HK_JMP | HK_JA) && i->code != (HK_JMP32 | HK_JA) &&
           i->code != (HK_JMP | HK_EXIT);
}

bool hk_form_jump(const struct hk_instruction *i, int32_t *distance)
{
    if (!is_jump_class(i) || i->code == (HK_JMP | HK_CALL) || i->code == (HK_JMP | HK_EXIT))
        return false;
    *distance = i->code == (HK_JMP32 | HK_JA) ? i->value : i->offset;
    return true;
}

/* --- one instruction ---------------------------------------------------------------------- */

/* Registers are at most 10, and 10 is not written. */
static enum hk_reject check_registers(const struct hk_instruction *i, bool writes)
{
    const unsigned to = hk_instruction_to(i);

    return to > HK_FRAME_POINTER || hk_instruction_from(i) > HK_FRAME_POINTER ||
                   (writes && to == HK_FRAME_POINTER)
               ? HK_REJECT_REGISTER
               : HK_REJECT_NONE;
}

/* The operand that is not used is zero. */
static enum hk_reject check_operand(const struct hk_instruction *i)
{
    const bool zero = i->code & HK_X ? i->value == 0 : hk_instruction_from(i) == 0;

    return zero ? HK_REJECT_NONE : HK_REJECT_RESERVED;
}

static enum hk_reject check_order(const struct hk_instruction *i, bool wide)
{
    if (wide && (i->code & HK_X))
        return HK_REJECT_OPCODE;
    if (i->offset != 0 || hk_instruction_from(i) != 0)
        return HK_REJECT_RESERVED;
    return i->value == 16 || i->value == 32 || i->value == 64 ? HK_REJECT_NONE
                                                              : HK_REJECT_OPCODE;
}

static bool offset_is_good(const struct hk_instruction *i, bool wide)
{
    switch (hk_instruction_operation(i)) {
    case HK_DIV:
    case HK_MOD:
        return i->offset == 0 || i->offset == 1;
    case HK_MOV:
        return i->offset == 0 || ((i->code & HK_X) && (i->offset == 8 || i->offset == 16 ||
                                                       (wide && i->offset == 32)));
    default:
        return i->offset == 0;
    }
}

static enum hk_reject check_alu(const struct hk_instruction *i)
{
    const bool wide = hk_instruction_class(i) == HK_ALU64;
    const unsigned operation = hk_instruction_operation(i);
    enum hk_reject reject = check_registers(i, true);

    if (reject != HK_REJECT_NONE)
        return reject;
    if (operation == HK_END)
        return check_order(i, wide);
    if (operation > HK_END || (operation == HK_NEG && (i->code & HK_X)))
        return HK_REJECT_OPCODE;
    if (operation == HK_NEG && i->value != 0)
        return HK_REJECT_RESERVED;
    if (!offset_is_good(i, wide))
        return HK_REJECT_RESERVED;
    if ((operation == HK_LSH || operation == HK_RSH || operation == HK_ARSH) &&
        !(i->code & HK_X) && (uint32_t)i->value >= (wide ? 64 : 32))
        return HK_REJECT_SHIFT;
    return check_operand(i);
}

static enum hk_reject check_call(const struct hk_instruction *i)
{
    if (i->registers != 0 || i->offset != 0)
        return HK_REJECT_RESERVED;
    return i->value == HK_HELPER_LOOKUP || i->value == HK_HELPER_UPDATE ? HK_REJECT_NONE
                                                                        : HK_REJECT_HELPER;
}

static enum hk_reject check_jump(const struct hk_instruction *i)
{
    const bool wide = hk_instruction_class(i) == HK_JMP;
    const unsigned operation = hk_instruction_operation(i);
    enum hk_reject reject;

    if (i->code == (HK_JMP | HK_CALL))
        return check_call(i);
    if (i->code == (HK_JMP | HK_EXIT))
        return i->registers == 0 && i->offset == 0 && i->value == 0 ? HK_REJECT_NONE
                                                                    : HK_REJECT_RESERVED;
    if (operation == HK_JA && !(i->code & HK_X))
        return i->registers == 0 && (wide ? i->value : i->offset) == 0 ? HK_REJECT_NONE
                                                                       : HK_REJECT_RESERVED;
    if (operation == HK_JA || operation == HK_CALL || operation == HK_EXIT ||
        operation > HK_JSLE)
        return HK_REJECT_OPCODE;
    reject = check_registers(i, false);
    return reject == HK_REJECT_NONE ? check_operand(i) : reject;
}

static enum hk_reject check_access(const struct hk_instruction *i)
{
    const unsigned class = hk_instruction_class(i), mode = i->code & HK_MODE;
    const bool sign = class == HK_LDX && mode == HK_MEMSX && (i->code & HK_SIZE) != HK_DOUBLE;
    enum hk_reject reject = check_registers(i, class == HK_LDX);

    if (mode != HK_MEM && !sign)
        return HK_REJECT_OPCODE;
    if (reject != HK_REJECT_NONE)
        return reject;
    return class == HK_ST ? (hk_instruction_from(i) == 0 ? HK_REJECT_NONE : HK_REJECT_RESERVED)
                          : (i->value == 0 ? HK_REJECT_NONE : HK_REJECT_RESERVED);
}

/* Two instructions long. */
static enum hk_reject check_load_number(const struct hk_extension *extension, uint32_t at)
{
    const struct hk_instruction *i = &extension->instructions[at];
    const unsigned from = hk_instruction_from(i);

    if (i->code != HK_LOAD_NUMBER || from > HK_FROM_MAP)
        return HK_REJECT_OPCODE;
    if (at + 1 == extension->count)
        return HK_REJECT_PAST_END;
    if (check_registers(i, true) != HK_REJECT_NONE)
        return HK_REJECT_REGISTER;
    if (i->offset != 0 || i[1].code != 0 || i[1].registers != 0 || i[1].offset != 0)
        return HK_REJECT_RESERVED;
    if (from == HK_FROM_MAP && hk_instruction_number(i) >= extension->map_count)
        return HK_REJECT_MAP;
    return HK_REJECT_NONE;
}

static enum hk_reject check_instruction(const struct hk_extension *extension, uint32_t at)
{
    const struct hk_instruction *i = &extension->instructions[at];

    switch (hk_instruction_class(i)) {
    case HK_ALU32:
    case HK_ALU64:
        return check_alu(i);
    case HK_JMP:
    case HK_JMP32:
        return check_jump(i);
    case HK_LD:
        return check_load_number(extension, at);
    default:
        return check_access(i);
    }
}

/* --- the program ----------------------------------------------------------------------------- */

static enum hk_reject check_maps(const struct hk_extension *extension)
{
    if (extension->map_count > HK_EXTENSION_MAPS)
        return HK_REJECT_MAPS;
    for (uint32_t i = 0; i < extension->map_count; i++)
        if (extension->maps[i].value_bytes == 0 ||
            extension->maps[i].value_bytes > HK_EXTENSION_VALUE_BYTES_MAX)
            return HK_REJECT_MAPS;
    return HK_REJECT_NONE;
}

static enum hk_reject check_each(const struct hk_extension *extension, uint8_t *note, uint32_t *at)
{
    for (uint32_t i = 0; i < extension->count; i++) {
        const enum hk_reject reject = check_instruction(extension, i);

        *at = i;
        if (reject != HK_REJECT_NONE)
            return reject;
        note[i] = 0;
        if (extension->instructions[i].code == HK_LOAD_NUMBER)
            note[++i] = HK_NOTE_HALF;
        if (i + 1 == extension->count && hk_form_falls_through(&extension->instructions[*at]))
            return HK_REJECT_PAST_END;
    }
    return HK_REJECT_NONE;
}

static enum hk_reject check_target(const struct hk_extension *extension, uint8_t *note,
                                   uint32_t at, int32_t distance)
{
    if (distance < 0)
        return HK_REJECT_JUMP_BACK;
    if ((uint32_t)distance >= extension->count - at - 1 ||
        (note[at + 1 + (uint32_t)distance] & HK_NOTE_HALF))
        return HK_REJECT_JUMP_OUT;
    note[at + 1 + (uint32_t)distance] |= HK_NOTE_TARGET;
    return HK_REJECT_NONE;
}

static enum hk_reject check_jumps(const struct hk_extension *extension, uint8_t *note,
                                  uint32_t *at)
{
    enum hk_reject reject = HK_REJECT_NONE;
    int32_t distance;

    for (uint32_t i = 0; i < extension->count && reject == HK_REJECT_NONE; i++) {
        *at = i;
        if (!(note[i] & HK_NOTE_HALF) && hk_form_jump(&extension->instructions[i], &distance))
            reject = check_target(extension, note, i, distance);
    }
    return reject;
}

enum hk_reject hk_form_check(const struct hk_extension *extension, uint8_t *note, uint32_t *at)
{
    enum hk_reject reject = check_maps(extension);

    *at = 0;
    if (extension->count == 0 || extension->count > HK_EXTENSION_INSTRUCTIONS_MAX)
        return HK_REJECT_LENGTH;
    if (reject == HK_REJECT_NONE)
        reject = check_each(extension, note, at);
    return reject == HK_REJECT_NONE ? check_jumps(extension, note, at) : reject;
}

/* --- live registers -------------------------------------------------------------------------- */

struct effect {
    unsigned reads, writes; /* a bit per register */
};

static struct effect effect_of(const struct hk_instruction *i)
{
    const unsigned to = 1u << hk_instruction_to(i), from = 1u << hk_instruction_from(i);
    const unsigned x = i->code & HK_X ? from : 0;

    switch (hk_instruction_class(i)) {
    case HK_LD:
        return (struct effect){ 0, to };
    case HK_LDX:
        return (struct effect){ from, to };
    case HK_ST:
        return (struct effect){ to, 0 };
    case HK_STX:
        return (struct effect){ to | from, 0 };
    case HK_ALU32:
    case HK_ALU64:
        if (hk_instruction_operation(i) == HK_MOV)
            return (struct effect){ x, to };
        return (struct effect){ hk_instruction_operation(i) == HK_END ? to : to | x, to };
    default:
        if (i->code == (HK_JMP | HK_CALL)) /* registers 1 to 5 are arguments, and then lost */
            return (struct effect){ i->value == HK_HELPER_LOOKUP ? 0x06 : 0x1e, 0x3f };
        if (i->code == (HK_JMP | HK_EXIT))
            return (struct effect){ 1, 0 };
        return (struct effect){ hk_instruction_operation(i) == HK_JA ? 0 : to | x, 0 };
    }
}

void hk_form_live(const struct hk_extension *extension, const uint8_t *note, uint16_t *live)
{
    for (uint32_t at = extension->count; at-- > 0;) {
        const struct hk_instruction *i = &extension->instructions[at];
        const struct effect effect = effect_of(i);
        const uint32_t next = at + (i->code == HK_LOAD_NUMBER ? 2 : 1);
        unsigned after = 0;
        int32_t distance;

        if (note[at] & HK_NOTE_HALF)
            continue;
        if (hk_form_falls_through(i))
            after = live[next];
        if (hk_form_jump(i, &distance))
            after |= live[at + 1 + (uint32_t)distance];
        live[at] = (uint16_t)((after & ~effect.writes) | effect.reads);
    }
}
