/* SPDX-License-Identifier: MIT */
/*
 * The ring with a peer that writes whatever it likes into the shared memory. The
 * memory is exactly as large as it claims, so that one byte outside is found.
 */
#include <stdlib.h>

#include "hk/core/ring.h"
#include "input.h"

enum step { POKE, SEND, RECEIVE, RESERVE, COMMIT, PEEK, RELEASE, ATTACH, STEPS };

struct ring {
    unsigned char *memory;
    uint64_t bytes;
    struct hk_ring_end sender, receiver;
    unsigned char message[512];
};

static void touch(volatile unsigned char *payload, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        payload[i]++;
}

static void do_step(struct ring *r, struct input *input)
{
    struct hk_ring_slot *slot;
    uint32_t bytes = (uint32_t)input_take(input, 2) % sizeof(r->message);

    switch ((enum step)(input_take(input, 1) % STEPS)) {
    case POKE: {
        uint64_t value = input_take(input, 8);

        memcpy(r->memory + input_take(input, 2) % (r->bytes - sizeof(value)), &value,
               sizeof(value));
        break;
    }
    case SEND:
        (void)hk_ring_send(&r->sender, r->message, bytes);
        break;
    case RECEIVE:
        if (hk_ring_receive(&r->receiver, r->message, bytes, &bytes) == HK_OK &&
            bytes > r->receiver.message_bytes)
            abort();
        break;
    case RESERVE:
        if (hk_ring_reserve(&r->sender, &slot) == HK_OK)
            touch(slot->payload, r->sender.message_bytes);
        break;
    case COMMIT:
        (void)hk_ring_commit(&r->sender, bytes);
        break;
    case PEEK:
        if (hk_ring_peek(&r->receiver, &slot, &bytes) == HK_OK)
            touch(slot->payload, bytes);
        break;
    case RELEASE:
        hk_ring_release(&r->receiver);
        break;
    case ATTACH:
        (void)hk_ring_attach(&r->receiver, r->memory, r->bytes);
        break;
    case STEPS:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input input = { data, bytes };
    struct ring r = { 0 };
    uint32_t slots = 1 + (uint32_t)input_take(&input, 1) % 16;
    uint32_t message_bytes = 1 + (uint32_t)input_take(&input, 1);
    size_t align = _Alignof(struct hk_ring_header);
    unsigned char *block;

    r.bytes = hk_ring_bytes(slots, message_bytes);
    /* the end of the ring is the end of the block, its start aligned by a guard in front */
    block = aligned_alloc(align, (r.bytes + align - 1) / align * align);
    if (block == NULL)
        return 0;
    r.memory = block;
    if (hk_ring_init(r.memory, r.bytes, slots, message_bytes) != HK_OK ||
        hk_ring_attach(&r.sender, r.memory, r.bytes) != HK_OK ||
        hk_ring_attach(&r.receiver, r.memory, r.bytes) != HK_OK)
        abort();
    while (input.bytes > 0)
        do_step(&r, &input);
    free(block);
    return 0;
}
