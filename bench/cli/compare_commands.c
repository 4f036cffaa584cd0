/* SPDX-License-Identifier: MIT */
/* Two commands: launches in turns. What they print is Google Benchmark's JSON, or they are timed. */
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_now.h"
#include "compare_side.h"
#include "hk/base/units.h"
#include "hk/counters/clock.h"
#include "program.h"

enum { OUTPUT_BYTES = 16 << 20, PADDING_BYTES = 4096 };

static const uint64_t command_limit_ns = 3600ull * HK_NS_PER_S;

/* A program of Google Benchmark takes its flags from the environment too. */
#define JSON_OUTPUT "BENCHMARK_FORMAT=json"
#define WALL_CELL   "command/wall"

static enum hk_status open_commands(struct hk_now *now, char error[HK_TEXT_BYTES])
{
    (void)now, (void)error;
    return HK_OK;
}

/* splitmix64's finaliser: a number per launch and purpose. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

static enum hk_status make_wall_run(double ns, uint32_t index, struct hk_run *run)
{
    *run = (struct hk_run){.launches = calloc(1, sizeof *run->launches)};
    enum hk_status status =
        run->launches == NULL ? HK_ENOMEM : hk_launch_init(run->launches, WALL_CELL, index, 0);
    if (status == HK_OK) {
        run->launch_count = 1;
        status = hk_launch_add_counter(run->launches, "cost_ns", ns);
    }
    if (status != HK_OK)
        hk_run_fini(run);
    return status;
}

/* Runs one side once. The stack of what it starts begins elsewhere each time. */
static enum hk_status run_side(const struct hk_now *now, unsigned side, uint64_t seed,
                               uint32_t index, struct hk_run *run, char error[HK_TEXT_BYTES])
{
    char padding[PADDING_BYTES + 16] = "HK_PADDING=";
    const char *const environment[] = {JSON_OUTPUT, padding, NULL};
    const char *const argv[] = {"/bin/sh", "-c", "exec 2>/dev/null; eval \"$1\"", "sh",
                                now->programs[side], NULL};
    const struct hk_program program = {.argv = argv, .environment = environment,
                                       .limit_ns = command_limit_ns, .stop = now->stop};
    const size_t prefix = strlen(padding);
    char *text = malloc(OUTPUT_BYTES);

    if (text == NULL)
        return HK_ENOMEM;
    memset(padding + prefix, 'x', mix(seed + 2 * index + side) % PADDING_BYTES);
    const uint64_t start_ns = hk_monotonic_ns();
    enum hk_status status = hk_program_run(&program, text, OUTPUT_BYTES);
    const uint64_t wall_ns = hk_monotonic_ns() - start_ns;
    const char *json = strchr(text, '{');
    if (status == HK_EIO || status == HK_ENOENT) {
        snprintf(error, HK_TEXT_BYTES, "side %c failed; run it by itself to see why: %.300s",
                 "AB"[side], now->programs[side]);
        status = HK_EINVAL;
    } else if (status == HK_OK && json != NULL && strstr(json, "\"benchmarks\"") != NULL) {
        status = hk_side_decode(json, strlen(json), index, run, error);
    } else if (status == HK_OK) {
        status = make_wall_run((double)wall_ns, index, run);
    }
    free(text);
    return status;
}

static enum hk_status add_pair(struct hk_now *now, const struct hk_launch *a,
                               const struct hk_launch *b)
{
    double a_ns, b_ns;
    struct hk_now_series *s = hk_now_find(now, a->name);

    if (s == NULL)
        return HK_ENOMEM;
    if (s->closed)
        return HK_OK;
    if (a->state != HK_LAUNCH_OK || b->state != HK_LAUNCH_OK || !hk_launch_time_ns(a, &a_ns) ||
        !hk_launch_time_ns(b, &b_ns) || !(a_ns > 0) || !(b_ns > 0)) {
        const struct hk_launch *bad = a->state != HK_LAUNCH_OK ? a : b;
        s->failure_count++;
        snprintf(s->failure, sizeof s->failure, "%s",
                 bad->reason != NULL ? bad->reason : "a launch without a time");
        return HK_OK;
    }
    double log_ratio = log(b_ns / a_ns);
    const struct hk_pairs one = {.log_ratio = &log_ratio, .a_ns = &a_ns, .b_ns = &b_ns};
    return hk_now_add(s, &one);
}

/* Both runs are sorted by name, and every name is there once. */
static enum hk_status add_pairs(struct hk_now *now, const regex_t *filter, struct hk_run *a,
                                struct hk_run *b)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0, j = 0; i < a->launch_count && j < b->launch_count && status == HK_OK;) {
        struct hk_launch *x = &a->launches[i], *y = &b->launches[j];
        const int order = strcmp(x->name, y->name);
        i += order <= 0;
        j += order >= 0;
        if (order != 0 || (filter != NULL && regexec(filter, x->name, 0, NULL, 0) != 0))
            continue;
        const struct hk_now_series *s = hk_now_find(now, x->name);
        const bool open = s != NULL && !s->closed;
        status = add_pair(now, x, y);
        if (status == HK_OK && open)
            status = hk_now_keep(now, x, y);
    }
    return status;
}

static enum hk_status add_filtered(struct hk_now *now, struct hk_run *a, struct hk_run *b)
{
    regex_t regex;

    if (now->filter == NULL)
        return add_pairs(now, NULL, a, b);
    if (regcomp(&regex, now->filter, REG_EXTENDED | REG_NOSUB) != 0)
        return HK_EPARSE;
    const enum hk_status status = add_pairs(now, &regex, a, b);
    regfree(&regex);
    return status;
}

static enum hk_status measure_commands(struct hk_now *now, uint64_t seed, uint32_t index,
                                       char error[HK_TEXT_BYTES])
{
    const unsigned first = (unsigned)(mix(seed ^ index) & 1);
    struct hk_run runs[2] = {0};
    enum hk_status status = HK_OK;

    for (unsigned i = 0; i < 2 && status == HK_OK; i++) {
        const unsigned side = i == 0 ? first : 1 - first;
        status = run_side(now, side, seed, index, &runs[side], error);
    }
    if (status == HK_OK)
        status = add_filtered(now, &runs[0], &runs[1]);
    hk_run_fini(&runs[0]);
    hk_run_fini(&runs[1]);
    return status;
}

const struct hk_now_source hk_now_commands = {
    .name = "launches of two commands",
    .open = open_commands,
    .measure = measure_commands,
};
