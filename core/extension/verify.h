/* SPDX-License-Identifier: MIT */
/*
 * The verifier: accepts a program only when on every path it ends, touches nothing but its packet,
 * its stack and its maps, reads only what was written, and lets no address out.
 *
 * Jumps go forwards only, so a program ends after at most as many instructions as it has. All paths
 * are followed, one instruction after the other, with what is known of each register; a path ends
 * early where an earlier one came by that knew as little. Work is done in steps, so that a service
 * answers in bounded time while it verifies: docs/decisions/0340.
 */
#ifndef HK_EXTENSION_VERIFY_H
#define HK_EXTENSION_VERIFY_H

#include <stdbool.h>

#include "extension/extension.h"
#include "extension/range.h"
#include "hk/base/status.h"

/* X(name, text) */
#define HK_REJECT_LIST(X)                                                                        \
    X(NONE, "accepted")                                                                          \
    X(LENGTH, "the program is empty or too long")                                                \
    X(MAPS, "a map is too large, or there are too many")                                         \
    X(OPCODE, "there is no such instruction")                                                    \
    X(RESERVED, "a field that the instruction does not use is not zero")                         \
    X(REGISTER, "there is no such register, or it cannot be written")                            \
    X(SHIFT, "a shift by the width of the number or more")                                       \
    X(JUMP_BACK, "a jump backwards: the program might not end")                                  \
    X(JUMP_OUT, "a jump out of the program, or into the middle of an instruction")               \
    X(PAST_END, "the program runs past its last instruction")                                    \
    X(HELPER, "there is no such helper")                                                         \
    X(MAP, "there is no such map")                                                               \
    X(UNSET, "a register is read that was not written on every path")                            \
    X(UNSET_STACK, "bytes of the stack are read that were not written on every path")            \
    X(STACK_BOUNDS, "an access outside the stack")                                               \
    X(STACK_ADDRESS, "an address is stored or read in parts")                                    \
    X(PACKET_BOUNDS, "bytes of the packet that were not compared with its end")                  \
    X(PACKET_WRITE, "the packet can only be read")                                               \
    X(MAP_BOUNDS, "an access outside the value of the map")                                      \
    X(CONTEXT, "of the context only len, data and data_end can be read, as 4 bytes")             \
    X(MIXED, "the same instruction reads the context on one path and not on another")            \
    X(NO_ADDRESS, "a number is used as an address")                                              \
    X(MAY_BE_NULL, "the result of a lookup is used before it was compared with 0")               \
    X(ARITHMETIC, "an operation that an address does not have")                                  \
    X(OFFSET, "an offset without a small bound is added to an address")                          \
    X(COMPARISON, "addresses that cannot be compared")                                           \
    X(LEAK, "an address would leave the program")                                                \
    X(ARGUMENT, "the helper does not take this argument")                                        \
    X(TOO_COMPLEX, "too many paths")

enum hk_reject {
#define X(name, text) HK_REJECT_##name,
    HK_REJECT_LIST(X)
#undef X
    HK_REJECTS
};

/* What the verifier knows of a register, or of eight bytes of the stack. */
enum hk_value_kind {
    HK_VALUE_UNSET, /* of the stack: not as a whole, see `set` */
    HK_VALUE_NUMBER,
    HK_VALUE_CONTEXT,
    HK_VALUE_PACKET,
    HK_VALUE_PACKET_END,
    HK_VALUE_STACK,
    HK_VALUE_MAP,
    HK_VALUE_IN_MAP,
    HK_VALUE_IN_MAP_OR_NULL,
};

struct hk_value {
    uint8_t kind;
    uint8_t set;      /* bytes of the stack that numbers were written to, one bit each */
    uint8_t map;
    int32_t offset;   /* of an address: what is certain of it */
    uint16_t origin;  /* instruction + 1 that made the rest of it; copies share it */
    uint16_t known;   /* packet: so many bytes from there on (without offset) are before its end */
    struct hk_range range; /* of a number; of an address: the rest of its offset */
};

#define HK_VERIFY_SLOTS (HK_EXTENSION_STACK_BYTES / 8)

/* What is known at one instruction on one path; stored without the slots not used yet. */
struct hk_verify_state {
    uint16_t at;
    uint16_t slots;
    uint32_t before; /* where it is stored: the record before it */
    struct hk_value reg[HK_REGISTERS];
    struct hk_value slot[HK_VERIFY_SLOTS]; /* slot 0 is the highest, below register 10 */
};

#define HK_VERIFY_PROCESSED_MAX 200000u
#define HK_VERIFY_PENDING_BYTES (32u * 4096u)
#define HK_VERIFY_SEEN_BYTES (64u * 4096u)
#define HK_VERIFY_CHAINS 256u

/* The verifier's memory; no part of it needs to be kept after the last step. */
struct hk_verifier {
    struct hk_extension *extension;
    uint32_t processed;  /* instructions, counted once per path */
    uint32_t at;         /* instruction that was rejected */
    enum hk_reject reject;
    bool walking;        /* `now` is on a path */
    uint32_t pending_bytes, pending_last;
    uint32_t seen_bytes;
    uint32_t seen[HK_VERIFY_CHAINS]; /* last record + 1, by instruction */
    uint16_t live[HK_EXTENSION_INSTRUCTIONS_MAX]; /* registers that are read from here on */
    uint8_t note[HK_EXTENSION_INSTRUCTIONS_MAX];
    struct hk_verify_state now;
    unsigned char pending_state[HK_VERIFY_PENDING_BYTES] __attribute__((aligned(8)));
    unsigned char seen_state[HK_VERIFY_SEEN_BYTES] __attribute__((aligned(8)));
};

/*
 * Begin to verify a program.
 *
 * extension  [in]  stays the caller's and unchanged until the last step
 *
 * Returns HK_OK: go on with hk_verify_step; HK_EINVAL: rejected already. Cost O(instructions).
 */
enum hk_status hk_verify_begin(struct hk_verifier *verifier, struct hk_extension *extension);

/*
 * Follow paths for a while.
 *
 * budget  [in]  instructions to process, at most
 *
 * Returns HK_OK: accepted, and the program is now in the form that hk_extension_run() takes;
 * HK_EBUSY: not finished; HK_EINVAL: rejected, with `reject` and `at` in the verifier.
 */
enum hk_status hk_verify_step(struct hk_verifier *verifier, uint32_t budget);

/* What a rejection means, for people. */
const char *hk_reject_text(enum hk_reject reject);

#endif
