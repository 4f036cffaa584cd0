/* SPDX-License-Identifier: MIT */
/*
 * many_programs COUNT [SEED]: that many programs from a seed, verified, and run under the oracle
 * where they are accepted; ten million with HK_TEST_LONG. Fails when a promise is broken, too few
 * are accepted to show anything, or a rejection is never given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hk/base/units.h"
#include "test/trial.h"

#define COUNT_LONG 10000000u
#define SEED 20261130u
#define ACCEPTED_LEAST 0.10
#define BYTES 384u /* for one program */

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void try_one(uint64_t *state, struct hk_trials *trials)
{
    uint64_t words[BYTES / 8];
    struct input input = { (const uint8_t *)words, sizeof(words) };

    for (size_t i = 0; i < HK_ARRAY_COUNT(words); i++)
        words[i] = next(state);
    hk_trial(&input, trials);
}

/* Such programs are made by hand in test_extension. */
static bool is_made_here(enum hk_reject reject)
{
    return reject != HK_REJECT_LENGTH && reject != HK_REJECT_MAPS &&
           reject != HK_REJECT_TOO_COMPLEX;
}

static int report(const struct hk_trials *trials, double seconds)
{
    const double accepted = (double)trials->result[HK_REJECT_NONE] / (double)trials->programs;
    int status = accepted < ACCEPTED_LEAST;

    printf("%llu programs of %.1f instructions, %.0f/s; accepted ones: %.1f processed, %.1f run\n",
           (unsigned long long)trials->programs,
           (double)trials->instructions / (double)trials->programs,
           (double)trials->programs / seconds,
           (double)trials->processed / (double)trials->result[HK_REJECT_NONE],
           (double)trials->run / (double)trials->result[HK_REJECT_NONE]);
    for (int reject = 0; reject < HK_REJECTS; reject++) {
        printf("%10llu %5.2f %%  %s\n", (unsigned long long)trials->result[reject],
               100.0 * (double)trials->result[reject] / (double)trials->programs,
               hk_reject_text((enum hk_reject)reject));
        if (is_made_here((enum hk_reject)reject) && trials->result[reject] == 0)
            status = 1;
    }
    return status;
}

int main(int argc, char **argv)
{
    uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 10) : SEED;
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    struct hk_trials trials = { 0 };
    struct timespec begin, end;

    if (count == 0) {
        fprintf(stderr, "usage: many_programs COUNT [SEED]\n");
        return 1;
    }
    if (getenv("HK_TEST_LONG") != NULL)
        count = COUNT_LONG;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (uint64_t i = 0; i < count; i++)
        try_one(&state, &trials);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return report(&trials, (double)(end.tv_sec - begin.tv_sec) +
                               (double)(end.tv_nsec - begin.tv_nsec) / HK_NS_PER_S);
}
