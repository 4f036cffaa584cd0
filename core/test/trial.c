/* SPDX-License-Identifier: MIT */
#include "test/trial.h"

#include <stdlib.h>

#include "hk/base/units.h"
#include "test/generate.h"
#include "test/oracle.h"

/* Addresses go 128 KiB astray (test/oracle.c), from both sides of a gap: none meets another. */
#define GAP_BYTES (2 * 0x20000u)
#define PACKET_BYTES 256u
#define STRIDE_BYTES 64u /* more than a value has: the next one is not its own */
#define VALUES 4u

static struct world {
    unsigned char gap0[GAP_BYTES];
    unsigned char packet[PACKET_BYTES];
    unsigned char gap1[GAP_BYTES];
    unsigned char values[2][VALUES * STRIDE_BYTES];
    unsigned char gap2[GAP_BYTES];
    struct hk_verifier verifier;
} world;

static const struct hk_map maps[] = {
    { 8, STRIDE_BYTES, VALUES, world.values[0] },
    { 29, STRIDE_BYTES, VALUES, world.values[1] },
};

static const uint32_t lengths[] = { 0, 1, 13, 28, 64, PACKET_BYTES };

/* Knuth's MMIX generator */
static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return *state >> 32;
}

/* Small numbers are as likely as large ones: they pass comparisons. */
static void fill(unsigned char *data, size_t bytes, uint64_t *state)
{
    for (size_t i = 0; i < bytes; i++) {
        const uint64_t bits = next(state);

        data[i] = (unsigned char)(bits & 0x300 ? bits & 0x1f : bits);
    }
}

static void run(const struct hk_extension *extension, uint64_t seed, struct hk_trials *trials)
{
    fill(world.packet, PACKET_BYTES, &seed);
    fill(world.values[0], sizeof(world.values), &seed);
    for (size_t i = 0; i < HK_ARRAY_COUNT(lengths); i++) {
        const unsigned char *packet = world.packet + (PACKET_BYTES - lengths[i]);

        hk_oracle_begin(packet, lengths[i]);
        (void)hk_extension_run(extension, packet, lengths[i]);
        trials->run += hk_oracle_steps();
    }
}

void hk_trial(struct input *input, struct hk_trials *trials)
{
    struct hk_instruction instructions[HK_GENERATE_INSTRUCTIONS];
    struct hk_extension extension = {
        .instructions = instructions,
        .map_count = HK_ARRAY_COUNT(maps),
        .maps = maps,
    };
    struct hk_verifier *verifier = &world.verifier;
    enum hk_status status;

    extension.count = hk_generate(input, maps, extension.map_count, instructions);
    trials->programs++;
    trials->instructions += extension.count;
    status = hk_verify_begin(verifier, &extension);
    if (status == HK_OK)
        status = hk_verify_step(verifier, UINT32_MAX);
    trials->result[verifier->reject]++;
    if ((status == HK_OK) != (verifier->reject == HK_REJECT_NONE) || status == HK_EBUSY)
        abort();
    if (status != HK_OK)
        return;
    trials->processed += verifier->processed;
    run(&extension, input_take(input, 8), trials);
}
