/* SPDX-License-Identifier: MIT */
/* What is known on one path, how memory accesses read and change it, and when it covers another. */
#ifndef HK_EXTENSION_STATE_H
#define HK_EXTENSION_STATE_H

#include "extension/verify.h"

static inline bool hk_value_is_address(const struct hk_value *value)
{
    return value->kind > HK_VALUE_NUMBER;
}

static inline struct hk_value hk_value_number(struct hk_range range)
{
    return (struct hk_value){ .kind = HK_VALUE_NUMBER, .set = 0xff, .range = range };
}

/* Bytes that a record of a state takes. */
static inline uint32_t hk_state_bytes(const struct hk_verify_state *state)
{
    return (uint32_t)(offsetof(struct hk_verify_state, slot) +
                      state->slots * sizeof(struct hk_value));
}

/* At the first instruction: the context in register 1, the stack's end in register 10. */
void hk_state_init(struct hk_verify_state *state);

/*
 * Check a load of up to eight bytes.
 *
 * base    [in]   the address
 * offset  [in]   that the instruction adds
 * value   [out]  what is known of the bytes
 */
enum hk_reject hk_state_load(const struct hk_verify_state *state, const struct hk_map *maps,
                             const struct hk_value *base, int32_t offset, uint32_t bytes,
                             struct hk_value *value);

/* Check a store likewise, and note it. */
enum hk_reject hk_state_store(struct hk_verify_state *state, const struct hk_map *maps,
                              const struct hk_value *base, int32_t offset, uint32_t bytes,
                              const struct hk_value *value);

/* Check that so many bytes of numbers can be read there: for a helper. */
enum hk_reject hk_state_readable(const struct hk_verify_state *state, const struct hk_map *maps,
                                 const struct hk_value *base, uint32_t bytes);

/* Every copy of a looked-up address of this origin is one, or is 0. */
void hk_state_looked_up(struct hk_verify_state *state, uint16_t origin, bool found);

/* From every address in the packet of this origin on, so many bytes are there. */
void hk_state_packet_known(struct hk_verify_state *state, uint16_t origin, uint16_t known);

/* Forget the registers that are not read any more. */
void hk_state_prune(struct hk_verify_state *state, unsigned live);

/* Whether all that is shown from `state` on holds from `other` on, too. */
bool hk_state_covers(const struct hk_verify_state *state, const struct hk_verify_state *other,
                     unsigned live);

#endif
