/* SPDX-License-Identifier: MIT */
#include "extension/state.h"

static const struct hk_value unset = { .kind = HK_VALUE_UNSET };

void hk_state_init(struct hk_verify_state *state)
{
    state->at = state->slots = 0;
    for (uint32_t i = 0; i < HK_REGISTERS; i++)
        state->reg[i] = unset;
    state->reg[1].kind = HK_VALUE_CONTEXT;
    state->reg[HK_FRAME_POINTER].kind = HK_VALUE_STACK;
}

/* --- bounds ------------------------------------------------------------------------------ */

/* Whether bytes at an address and an offset are its to read. */
static enum hk_reject check_bounds(const struct hk_map *maps, const struct hk_value *base,
                                   int32_t offset, uint32_t bytes)
{
    const int64_t first = (int64_t)base->offset + offset, end = first + bytes;

    switch (base->kind) {
    case HK_VALUE_STACK:
        return first < -HK_EXTENSION_STACK_BYTES || end > 0 ? HK_REJECT_STACK_BOUNDS
                                                            : HK_REJECT_NONE;
    case HK_VALUE_PACKET:
        return first < 0 || end > base->known ? HK_REJECT_PACKET_BOUNDS : HK_REJECT_NONE;
    case HK_VALUE_IN_MAP:
        return first + (int64_t)base->range.min < 0 ||
                       end + (int64_t)base->range.max > maps[base->map].value_bytes
                   ? HK_REJECT_MAP_BOUNDS
                   : HK_REJECT_NONE;
    case HK_VALUE_IN_MAP_OR_NULL:
        return HK_REJECT_MAY_BE_NULL;
    case HK_VALUE_CONTEXT:
        return HK_REJECT_CONTEXT;
    case HK_VALUE_UNSET:
        return HK_REJECT_UNSET;
    default:
        return HK_REJECT_NO_ADDRESS;
    }
}

/* --- the stack ------------------------------------------------------------------------------ */

/* Bytes from `first` (negative) on, as bits of the slot they begin in and, above, the one after. */
struct part {
    uint32_t slot;
    unsigned mask;
};

static struct part part_of(int64_t first, uint32_t bytes)
{
    return (struct part){ (uint32_t)((-first - 1) / 8),
                          ((1u << bytes) - 1) << ((unsigned)first & 7) };
}

static const struct hk_value *slot_at(const struct hk_verify_state *state, uint32_t slot)
{
    return slot < state->slots ? &state->slot[slot] : &unset;
}

/* Whether these bytes of a slot were written, and are not of an address. */
static enum hk_reject check_slot(const struct hk_verify_state *state, uint32_t slot,
                                 unsigned mask)
{
    const struct hk_value *value = slot_at(state, slot);

    if (mask == 0)
        return HK_REJECT_NONE;
    if (hk_value_is_address(value))
        return HK_REJECT_STACK_ADDRESS;
    return (value->set & mask) == mask ? HK_REJECT_NONE : HK_REJECT_UNSET_STACK;
}

static enum hk_reject check_stack(const struct hk_verify_state *state, int64_t first,
                                  uint32_t bytes)
{
    const struct part part = part_of(first, bytes);
    enum hk_reject reject = check_slot(state, part.slot, part.mask & 0xff);

    return reject != HK_REJECT_NONE || part.mask < 0x100
               ? reject
               : check_slot(state, part.slot - 1, part.mask >> 8);
}

static enum hk_reject load_stack(const struct hk_verify_state *state, int64_t first,
                                 uint32_t bytes, struct hk_value *value)
{
    const struct hk_value *slot = slot_at(state, part_of(first, bytes).slot);

    if (bytes == 8 && first % 8 == 0 && slot->kind != HK_VALUE_UNSET) {
        *value = *slot;
        return HK_REJECT_NONE;
    }
    *value = hk_value_number(hk_range_bits(8 * bytes));
    return check_stack(state, first, bytes);
}

/* Some bytes of a slot become a number that is not remembered. */
static void store_slot(struct hk_value *slot, unsigned mask)
{
    const unsigned set = hk_value_is_address(slot) ? 0 : slot->set;

    *slot = unset;
    slot->set = (uint8_t)(set | mask);
}

static enum hk_reject store_stack(struct hk_verify_state *state, int64_t first, uint32_t bytes,
                                  const struct hk_value *value)
{
    const struct part part = part_of(first, bytes);

    while (state->slots <= part.slot)
        state->slot[state->slots++] = unset;
    if (bytes == 8 && first % 8 == 0) {
        state->slot[part.slot] = *value;
        state->slot[part.slot].set = 0xff;
        return HK_REJECT_NONE;
    }
    if (hk_value_is_address(value))
        return HK_REJECT_STACK_ADDRESS;
    store_slot(&state->slot[part.slot], part.mask & 0xff);
    if (part.mask > 0xff)
        store_slot(&state->slot[part.slot - 1], part.mask >> 8);
    return HK_REJECT_NONE;
}

/* --- accesses -------------------------------------------------------------------------------- */

enum hk_reject hk_state_load(const struct hk_verify_state *state, const struct hk_map *maps,
                             const struct hk_value *base, int32_t offset, uint32_t bytes,
                             struct hk_value *value)
{
    const enum hk_reject reject = check_bounds(maps, base, offset, bytes);

    if (reject != HK_REJECT_NONE)
        return reject;
    if (base->kind == HK_VALUE_STACK)
        return load_stack(state, (int64_t)base->offset + offset, bytes, value);
    *value = hk_value_number(hk_range_bits(8 * bytes));
    return HK_REJECT_NONE;
}

enum hk_reject hk_state_store(struct hk_verify_state *state, const struct hk_map *maps,
                              const struct hk_value *base, int32_t offset, uint32_t bytes,
                              const struct hk_value *value)
{
    const enum hk_reject reject = check_bounds(maps, base, offset, bytes);

    if (base->kind == HK_VALUE_PACKET)
        return HK_REJECT_PACKET_WRITE;
    if (reject != HK_REJECT_NONE)
        return reject;
    if (base->kind == HK_VALUE_STACK)
        return store_stack(state, (int64_t)base->offset + offset, bytes, value);
    return hk_value_is_address(value) ? HK_REJECT_LEAK : HK_REJECT_NONE;
}

enum hk_reject hk_state_readable(const struct hk_verify_state *state, const struct hk_map *maps,
                                 const struct hk_value *base, uint32_t bytes)
{
    enum hk_reject reject = check_bounds(maps, base, 0, bytes);

    if (base->kind != HK_VALUE_STACK)
        return reject;
    for (uint32_t done = 0; done < bytes && reject == HK_REJECT_NONE; done += 8)
        reject = check_stack(state, (int64_t)base->offset + done,
                             bytes - done < 8 ? bytes - done : 8);
    return reject;
}

/* --- what comparisons tell ------------------------------------------------------------------- */

static void look_up_value(struct hk_value *value, uint16_t origin, bool found)
{
    if (value->kind != HK_VALUE_IN_MAP_OR_NULL || value->origin != origin)
        return;
    value->origin = 0;
    if (found)
        value->kind = HK_VALUE_IN_MAP;
    else
        *value = hk_value_number(hk_range_number(0));
}

void hk_state_looked_up(struct hk_verify_state *state, uint16_t origin, bool found)
{
    for (uint32_t i = 0; i < HK_REGISTERS; i++)
        look_up_value(&state->reg[i], origin, found);
    for (uint32_t i = 0; i < state->slots; i++)
        look_up_value(&state->slot[i], origin, found);
}

static void know_value(struct hk_value *value, uint16_t origin, uint16_t known)
{
    if (value->kind == HK_VALUE_PACKET && value->origin == origin && value->known < known)
        value->known = known;
}

void hk_state_packet_known(struct hk_verify_state *state, uint16_t origin, uint16_t known)
{
    for (uint32_t i = 0; i < HK_REGISTERS; i++)
        know_value(&state->reg[i], origin, known);
    for (uint32_t i = 0; i < state->slots; i++)
        know_value(&state->slot[i], origin, known);
}

/* --- covering -------------------------------------------------------------------------------- */

void hk_state_prune(struct hk_verify_state *state, unsigned live)
{
    for (uint32_t i = 0; i < HK_FRAME_POINTER; i++)
        if (!(live >> i & 1))
            state->reg[i] = unset;
}

static bool covers_value(const struct hk_value *value, const struct hk_value *other)
{
    if (value->kind != other->kind)
        return false;
    switch (value->kind) {
    case HK_VALUE_NUMBER:
        return hk_range_within(other->range, value->range);
    case HK_VALUE_PACKET:
        return value->offset == other->offset && value->origin == other->origin &&
               value->known <= other->known && hk_range_within(other->range, value->range);
    case HK_VALUE_STACK:
        return value->offset == other->offset;
    case HK_VALUE_MAP:
        return value->map == other->map;
    case HK_VALUE_IN_MAP:
        return value->map == other->map && value->offset == other->offset &&
               hk_range_within(other->range, value->range);
    case HK_VALUE_IN_MAP_OR_NULL:
        return value->map == other->map && value->origin == other->origin;
    default:
        return true;
    }
}

/* What was not set was not read; bytes that were set are numbers. */
static bool covers_slot(const struct hk_value *value, const struct hk_value *other)
{
    if (value->kind != HK_VALUE_UNSET)
        return covers_value(value, other);
    if (value->set == 0)
        return true;
    return !hk_value_is_address(other) && (value->set & ~other->set) == 0;
}

bool hk_state_covers(const struct hk_verify_state *state, const struct hk_verify_state *other,
                     unsigned live)
{
    for (uint32_t i = 0; i < HK_FRAME_POINTER; i++)
        if ((live >> i & 1) && state->reg[i].kind != HK_VALUE_UNSET &&
            !covers_value(&state->reg[i], &other->reg[i]))
            return false;
    for (uint32_t i = 0; i < state->slots; i++)
        if (!covers_slot(&state->slot[i], slot_at(other, i)))
            return false;
    return true;
}
