/* SPDX-License-Identifier: MIT */
#include "extension/verify.h"

#include "extension/alu.h"
#include "extension/form.h"
#include "extension/state.h"

/*
 * What is certain of an address's offset and the rest of it go so far at most, each: the address is
 * up to twice as far from where it began, and cannot wrap around.
 */
#define OFFSET_MAX 65535

/* How many earlier states a path is compared with, at one instruction. */
#define SEEN_MAX 8

static const char *const texts[HK_REJECTS] = {
#define X(name, text) text,
    HK_REJECT_LIST(X)
#undef X
};

const char *hk_reject_text(enum hk_reject reject)
{
    return (unsigned)reject < HK_REJECTS ? texts[reject] : "unknown reason";
}

/* --- records of states ------------------------------------------------------------------ */

/* A branch not taken now waits until this path has ended. */
static struct hk_verify_state *push(struct hk_verifier *v)
{
    const uint32_t bytes = hk_state_bytes(&v->now);
    struct hk_verify_state *state = (void *)(v->pending_state + v->pending_bytes);

    if (bytes > HK_VERIFY_PENDING_BYTES - v->pending_bytes)
        return NULL;
    __builtin_memcpy(state, &v->now, bytes);
    state->before = v->pending_last;
    v->pending_last = v->pending_bytes;
    v->pending_bytes += bytes;
    return state;
}

static bool pop(struct hk_verifier *v)
{
    const struct hk_verify_state *state = (const void *)(v->pending_state + v->pending_last);

    if (v->pending_bytes == 0)
        return false;
    __builtin_memcpy(&v->now, state, hk_state_bytes(state));
    v->pending_bytes = v->pending_last;
    v->pending_last = state->before;
    return true;
}

/* Whether an earlier path came by here that knew no more. */
static bool was_seen(const struct hk_verifier *v)
{
    uint32_t compared = 0;
    uint32_t record = v->seen[v->now.at % HK_VERIFY_CHAINS];

    while (record != 0 && compared < SEEN_MAX) {
        const struct hk_verify_state *state = (const void *)(v->seen_state + record - 1);

        if (state->at == v->now.at) {
            if (hk_state_covers(state, &v->now, v->live[v->now.at]))
                return true;
            compared++;
        }
        record = state->before;
    }
    return false;
}

static void forget_all(struct hk_verifier *v)
{
    for (uint32_t i = 0; i < HK_VERIFY_CHAINS; i++)
        v->seen[i] = 0;
    v->seen_bytes = 0;
}

/* Without room for more, all are forgotten: the next paths will meet those that come now. */
static void remember(struct hk_verifier *v)
{
    const uint32_t bytes = hk_state_bytes(&v->now);
    uint32_t *chain = &v->seen[v->now.at % HK_VERIFY_CHAINS];
    struct hk_verify_state *state;

    if (bytes > HK_VERIFY_SEEN_BYTES - v->seen_bytes)
        forget_all(v);
    state = (void *)(v->seen_state + v->seen_bytes);
    __builtin_memcpy(state, &v->now, bytes);
    state->before = *chain;
    *chain = v->seen_bytes + 1;
    v->seen_bytes += bytes;
}

/* --- arithmetic ------------------------------------------------------------------------- */

/* An address and what is certain of an offset. */
static enum hk_reject move_address(struct hk_value *address, int64_t by)
{
    if (by < -OFFSET_MAX || by > OFFSET_MAX || address->offset + by < -OFFSET_MAX ||
        address->offset + by > OFFSET_MAX)
        return HK_REJECT_OFFSET;
    address->offset = (int32_t)(address->offset + by);
    return HK_REJECT_NONE;
}

/* An address and an offset of which bounds are known. */
static enum hk_reject spread_address(struct hk_value *address, struct hk_range by, uint32_t at)
{
    if (address->kind == HK_VALUE_STACK || by.max > OFFSET_MAX ||
        address->range.max + by.max > OFFSET_MAX)
        return HK_REJECT_OFFSET;
    address->range.min += by.min;
    address->range.max += by.max;
    address->origin = (uint16_t)(at + 1);
    address->known = 0;
    return HK_REJECT_NONE;
}

static bool is_in_packet(const struct hk_value *value)
{
    return value->kind == HK_VALUE_PACKET || value->kind == HK_VALUE_PACKET_END;
}

/* At least one of the two is an address; only addition and subtraction make sense then. */
static enum hk_reject address_alu(struct hk_value *to, const struct hk_value *from,
                                  unsigned operation, uint32_t at)
{
    const struct hk_value *number = hk_value_is_address(to) ? from : to;
    struct hk_value address = hk_value_is_address(to) ? *to : *from;
    enum hk_reject reject;

    if (operation == HK_SUB && is_in_packet(to) && is_in_packet(from)) {
        *to = hk_value_number(hk_range_bits(64));
        return HK_REJECT_NONE;
    }
    if (hk_value_is_address(number) || (operation != HK_ADD && operation != HK_SUB) ||
        (operation == HK_SUB && number == to))
        return HK_REJECT_ARITHMETIC;
    if (address.kind != HK_VALUE_PACKET && address.kind != HK_VALUE_STACK &&
        address.kind != HK_VALUE_IN_MAP)
        return HK_REJECT_ARITHMETIC;
    if (hk_range_is_number(number->range)) {
        const uint64_t by = number->range.min;

        reject = move_address(&address, (int64_t)(operation == HK_ADD ? by : 0 - by));
    } else {
        reject = operation == HK_ADD ? spread_address(&address, number->range, at)
                                     : HK_REJECT_OFFSET;
    }
    if (reject == HK_REJECT_NONE)
        *to = address;
    return reject;
}

static enum hk_reject unary(struct hk_value *to, const struct hk_instruction *i, bool wide)
{
    if (to->kind == HK_VALUE_UNSET)
        return HK_REJECT_UNSET;
    if (hk_value_is_address(to))
        return HK_REJECT_ARITHMETIC;
    to->range = hk_instruction_operation(i) == HK_NEG
                    ? hk_range_negate(wide, to->range)
                    : hk_range_order(hk_alu_swaps(i->code), i->value, to->range);
    return HK_REJECT_NONE;
}

/* The second operand: a register, or the number in the instruction, which `number` is for. */
static const struct hk_value *operand(const struct hk_verify_state *now,
                                      const struct hk_instruction *i, struct hk_value *number)
{
    if (i->code & HK_X)
        return &now->reg[hk_instruction_from(i)];
    *number = hk_value_number(hk_range_number((uint64_t)(int64_t)i->value));
    return number;
}

static enum hk_reject move(struct hk_value *to, const struct hk_value *from,
                           const struct hk_instruction *i, bool wide)
{
    if (hk_value_is_address(from) && (!wide || i->offset != 0))
        return HK_REJECT_ARITHMETIC;
    *to = *from;
    if (!hk_value_is_address(to))
        to->range = hk_range_alu(HK_MOV, i->offset, wide, to->range, to->range);
    return HK_REJECT_NONE;
}

static enum hk_reject alu(struct hk_verifier *v, const struct hk_instruction *i)
{
    const bool wide = hk_instruction_class(i) == HK_ALU64;
    const unsigned operation = hk_instruction_operation(i);
    struct hk_value *to = &v->now.reg[hk_instruction_to(i)], number;
    const struct hk_value *from = operand(&v->now, i, &number);

    if (operation == HK_NEG || operation == HK_END)
        return unary(to, i, wide);
    if (from->kind == HK_VALUE_UNSET || (operation != HK_MOV && to->kind == HK_VALUE_UNSET))
        return HK_REJECT_UNSET;
    if (operation == HK_MOV)
        return move(to, from, i, wide);
    if (hk_value_is_address(to) || hk_value_is_address(from))
        return wide ? address_alu(to, from, operation, v->now.at) : HK_REJECT_ARITHMETIC;
    to->range = hk_range_alu(operation, i->offset, wide, to->range, from->range);
    return HK_REJECT_NONE;
}

/* --- memory ------------------------------------------------------------------------------ */

static enum hk_reject load_context(const struct hk_instruction *i, struct hk_value *value)
{
    if (i->code != (HK_LDX | HK_MEM | HK_WORD))
        return HK_REJECT_CONTEXT;
    *value = hk_value_number(hk_range_bits(64));
    switch (i->offset) {
    case HK_CONTEXT_LEN:
        value->range.max = HK_EXTENSION_PACKET_BYTES_MAX;
        return HK_REJECT_NONE;
    case HK_CONTEXT_DATA:
        *value = (struct hk_value){ .kind = HK_VALUE_PACKET };
        return HK_REJECT_NONE;
    case HK_CONTEXT_DATA_END:
        *value = (struct hk_value){ .kind = HK_VALUE_PACKET_END };
        return HK_REJECT_NONE;
    default:
        return HK_REJECT_CONTEXT;
    }
}

static enum hk_reject load(struct hk_verifier *v, const struct hk_instruction *i)
{
    const struct hk_value *base = &v->now.reg[hk_instruction_from(i)];
    const bool context = base->kind == HK_VALUE_CONTEXT;
    uint8_t *note = &v->note[v->now.at];
    struct hk_value value;
    enum hk_reject reject =
        context ? load_context(i, &value)
                : hk_state_load(&v->now, v->extension->maps, base, i->offset,
                                hk_instruction_bytes(i), &value);

    if (reject != HK_REJECT_NONE)
        return reject;
    /* one form of it cannot do both */
    if ((*note & HK_NOTE_REACHED) && context != ((*note & HK_NOTE_CONTEXT) != 0))
        return HK_REJECT_MIXED;
    *note |= context ? HK_NOTE_CONTEXT : 0;
    if ((i->code & HK_MODE) == HK_MEMSX)
        value = hk_value_number(hk_range_bits(64));
    v->now.reg[hk_instruction_to(i)] = value;
    return HK_REJECT_NONE;
}

static enum hk_reject store(struct hk_verifier *v, const struct hk_instruction *i)
{
    const struct hk_value value =
        hk_instruction_class(i) == HK_STX
            ? v->now.reg[hk_instruction_from(i)]
            : hk_value_number(hk_range_number((uint64_t)(int64_t)i->value));

    if (value.kind == HK_VALUE_UNSET)
        return HK_REJECT_UNSET;
    return hk_state_store(&v->now, v->extension->maps, &v->now.reg[hk_instruction_to(i)],
                          i->offset, hk_instruction_bytes(i), &value);
}

static void load_number(struct hk_verifier *v, const struct hk_instruction *i)
{
    const uint64_t number = hk_instruction_number(i);
    struct hk_value *to = &v->now.reg[hk_instruction_to(i)];

    if (hk_instruction_from(i) == HK_FROM_MAP)
        *to = (struct hk_value){ .kind = HK_VALUE_MAP, .map = (uint8_t)number };
    else
        *to = hk_value_number(hk_range_number(number));
}

/* --- calls -------------------------------------------------------------------------------- */

/* A value that is copied into a map must not come out of one: it might be the same. */
static enum hk_reject check_update(const struct hk_verifier *v, const struct hk_map *map)
{
    const struct hk_value *reg = v->now.reg;

    if (reg[3].kind == HK_VALUE_UNSET || reg[4].kind == HK_VALUE_UNSET)
        return HK_REJECT_UNSET;
    if (reg[3].kind == HK_VALUE_IN_MAP || reg[4].kind != HK_VALUE_NUMBER)
        return HK_REJECT_ARGUMENT;
    return hk_state_readable(&v->now, v->extension->maps, &reg[3], map->value_bytes);
}

static enum hk_reject call(struct hk_verifier *v, const struct hk_instruction *i)
{
    struct hk_value *reg = v->now.reg;
    const bool look_up = i->value == HK_HELPER_LOOKUP;
    const uint8_t map = reg[1].map;
    enum hk_reject reject = HK_REJECT_NONE;

    if (reg[1].kind == HK_VALUE_UNSET)
        return HK_REJECT_UNSET;
    if (reg[1].kind != HK_VALUE_MAP)
        return HK_REJECT_ARGUMENT;
    reject = hk_state_readable(&v->now, v->extension->maps, &reg[2], HK_EXTENSION_KEY_BYTES);
    if (reject == HK_REJECT_NONE && !look_up)
        reject = check_update(v, &v->extension->maps[map]);
    if (reject != HK_REJECT_NONE)
        return reject;
    for (uint32_t r = 1; r <= 5; r++)
        reg[r].kind = HK_VALUE_UNSET;
    reg[0] = look_up ? (struct hk_value){ .kind = HK_VALUE_IN_MAP_OR_NULL, .map = map,
                                          .origin = (uint16_t)(v->now.at + 1) }
                     : hk_value_number(hk_range_bits(64));
    return HK_REJECT_NONE;
}

/* --- branches ------------------------------------------------------------------------------- */

/* What becomes of a state where a comparison holds, or does not; false where it never does. */
static bool assume_numbers(struct hk_verify_state *state, const struct hk_instruction *i,
                           const struct hk_value *from, bool holds)
{
    struct hk_range a = state->reg[hk_instruction_to(i)].range, b = from->range;

    if (!hk_range_assume(hk_instruction_operation(i), hk_instruction_class(i) == HK_JMP, holds,
                         &a, &b))
        return false;
    state->reg[hk_instruction_to(i)].range = a;
    if (i->code & HK_X)
        state->reg[hk_instruction_from(i)].range = b;
    return true;
}

/* An address in the packet at or before its end: so many bytes are there. Strictly: one more. */
static void assume_packet(struct hk_verify_state *state, const struct hk_instruction *i,
                          bool holds)
{
    const unsigned operation = hk_instruction_operation(i);
    const struct hk_value *to = &state->reg[hk_instruction_to(i)];
    const bool first = to->kind == HK_VALUE_PACKET;
    const struct hk_value *address = first ? to : &state->reg[hk_instruction_from(i)];
    const bool is_less = operation == HK_JLT || operation == HK_JLE;
    const bool has_equal = operation == HK_JGE || operation == HK_JLE;
    const bool below = (is_less == first) == holds; /* address <= end follows */
    const bool strictly = has_equal != holds;
    const int32_t known = address->offset + (strictly ? 1 : 0);

    if (below && known > 0)
        hk_state_packet_known(state, address->origin, (uint16_t)(known > OFFSET_MAX ? OFFSET_MAX
                                                                                    : known));
}

enum comparison { NUMBERS, LOOKED_UP, PACKET, NONE };

static enum comparison comparison_of(const struct hk_instruction *i, const struct hk_value *to,
                                     const struct hk_value *from)
{
    const unsigned operation = hk_instruction_operation(i);

    if (to->kind == HK_VALUE_NUMBER && from->kind == HK_VALUE_NUMBER)
        return NUMBERS;
    if (hk_instruction_class(i) != HK_JMP)
        return NONE;
    if (to->kind == HK_VALUE_IN_MAP_OR_NULL && !(i->code & HK_X) && i->value == 0 &&
        (operation == HK_JEQ || operation == HK_JNE))
        return LOOKED_UP;
    if (is_in_packet(to) && is_in_packet(from) && to->kind != from->kind &&
        (operation == HK_JGT || operation == HK_JGE || operation == HK_JLT ||
         operation == HK_JLE))
        return PACKET;
    return NONE;
}

static bool assume(struct hk_verify_state *state, const struct hk_instruction *i,
                   enum comparison comparison, const struct hk_value *from, bool holds)
{
    switch (comparison) {
    case NUMBERS:
        return assume_numbers(state, i, from, holds);
    case LOOKED_UP:
        hk_state_looked_up(state, state->reg[hk_instruction_to(i)].origin,
                           (hk_instruction_operation(i) == HK_JNE) == holds);
        return true;
    default:
        assume_packet(state, i, holds);
        return true;
    }
}

/* This path goes on with the next instruction; the other way waits, if it is possible at all. */
static enum hk_reject branch(struct hk_verifier *v, const struct hk_instruction *i)
{
    struct hk_value number;
    const struct hk_value from = *operand(&v->now, i, &number); /* as it is before the branch */
    const struct hk_value *to = &v->now.reg[hk_instruction_to(i)];
    const enum comparison comparison = comparison_of(i, to, &from);
    const uint16_t next = (uint16_t)(v->now.at + 1), target = (uint16_t)(next + i->offset);
    struct hk_verify_state *other;

    if (to->kind == HK_VALUE_UNSET || from.kind == HK_VALUE_UNSET)
        return HK_REJECT_UNSET;
    if (comparison == NONE)
        return HK_REJECT_COMPARISON;
    other = push(v);
    if (other == NULL)
        return HK_REJECT_TOO_COMPLEX;
    other->at = target;
    v->now.at = next;
    if (!assume(other, i, comparison, &from, true)) {
        v->pending_bytes = v->pending_last;
        v->pending_last = other->before;
    }
    v->walking = assume(&v->now, i, comparison, &from, false);
    return HK_REJECT_NONE;
}

/* --- paths ----------------------------------------------------------------------------------- */

static enum hk_reject jump(struct hk_verifier *v, const struct hk_instruction *i)
{
    const struct hk_value *result = &v->now.reg[0];
    int32_t distance;

    if (i->code == (HK_JMP | HK_EXIT)) {
        v->walking = false;
        if (result->kind == HK_VALUE_UNSET)
            return HK_REJECT_UNSET;
        return hk_value_is_address(result) ? HK_REJECT_LEAK : HK_REJECT_NONE;
    }
    if (hk_instruction_operation(i) != HK_JA)
        return branch(v, i);
    (void)hk_form_jump(i, &distance);
    v->now.at = (uint16_t)(v->now.at + 1 + distance);
    return HK_REJECT_NONE;
}

/* One instruction, and where the path goes on. */
static enum hk_reject follow(struct hk_verifier *v)
{
    const struct hk_instruction *i = &v->extension->instructions[v->now.at];
    const uint16_t at = v->now.at;
    enum hk_reject reject = HK_REJECT_NONE;

    switch (hk_instruction_class(i)) {
    case HK_ALU32:
    case HK_ALU64:
        reject = alu(v, i);
        break;
    case HK_LD:
        load_number(v, i);
        v->now.at++;
        break;
    case HK_LDX:
        reject = load(v, i);
        break;
    case HK_ST:
    case HK_STX:
        reject = store(v, i);
        break;
    default:
        if (i->code != (HK_JMP | HK_CALL)) {
            v->note[at] |= HK_NOTE_REACHED;
            return jump(v, i);
        }
        reject = call(v, i);
        break;
    }
    v->note[at] |= HK_NOTE_REACHED;
    v->now.at++;
    return reject;
}

_Static_assert(offsetof(struct hk_extension_context, bytes) == HK_CONTEXT_LEN, "read as it stands");

/* The form that runs: the context's own fields, and no instruction that no path reaches. */
static void finish(struct hk_verifier *v)
{
    for (uint32_t at = 0; at < v->extension->count; at++) {
        struct hk_instruction *i = &v->extension->instructions[at];

        if (!(v->note[at] & (HK_NOTE_REACHED | HK_NOTE_HALF)))
            i->code = HK_TRAP;
        if (!(v->note[at] & HK_NOTE_CONTEXT) || i->offset == HK_CONTEXT_LEN)
            continue;
        i->code = HK_LDX | HK_MEM | HK_DOUBLE;
        i->offset = i->offset == HK_CONTEXT_DATA
                        ? (int16_t)offsetof(struct hk_extension_context, data)
                        : (int16_t)offsetof(struct hk_extension_context, data_end);
    }
}

/* What this path knows has been looked at before; it ends here if that covers it. */
static bool ends_here(struct hk_verifier *v)
{
    if (!(v->note[v->now.at] & HK_NOTE_TARGET))
        return false;
    hk_state_prune(&v->now, v->live[v->now.at]);
    if (was_seen(v))
        return true;
    remember(v);
    return false;
}

static enum hk_status rejected(struct hk_verifier *v, enum hk_reject reject, uint32_t at)
{
    v->reject = reject;
    v->at = at;
    return HK_EINVAL;
}

enum hk_status hk_verify_begin(struct hk_verifier *v, struct hk_extension *extension)
{
    enum hk_reject reject;
    uint32_t at;

    v->extension = extension;
    v->processed = v->pending_bytes = v->pending_last = 0;
    v->reject = HK_REJECT_NONE;
    reject = hk_form_check(extension, v->note, &at);
    if (reject != HK_REJECT_NONE)
        return rejected(v, reject, at);
    hk_form_live(extension, v->note, v->live);
    forget_all(v);
    hk_state_init(&v->now);
    v->walking = true;
    return HK_OK;
}

enum hk_status hk_verify_step(struct hk_verifier *v, uint32_t budget)
{
    for (; budget > 0; budget--) {
        enum hk_reject reject;
        uint32_t at;

        if (!v->walking && !pop(v)) {
            finish(v);
            return HK_OK;
        }
        at = v->now.at;
        v->walking = !ends_here(v);
        if (!v->walking)
            continue;
        if (v->processed == HK_VERIFY_PROCESSED_MAX)
            return rejected(v, HK_REJECT_TOO_COMPLEX, at);
        v->processed++;
        reject = follow(v);
        if (reject != HK_REJECT_NONE)
            return rejected(v, reject, at);
    }
    return HK_EBUSY;
}
