/* SPDX-License-Identifier: MIT */
#include "hk/guest/primitives.h"

#include <stdio.h>

#include "hk/base/units.h"
#include "hk/core/mix_draw.h"
#include "hk/guest/replay.h"

#define NEVER_NS HK_MIX_PERIOD_NS_MAX /* longer than a region */

const char hk_primitives_filter[] = "/" HK_PRIMITIVE_SINGLE "[a-z0-9_]+/mask:(000|255)$"
                                    "|/mixed_a[0-7]/mask:(000|255|090|165)$"
                                    "|/mixed_b[0-7]/mask:(051|204|015|240)$"
                                    "|/mixed_c[0-7]/mask:(000|255|008|247)$";

#define BATCHES 3u
#define BATCH_PLAYING 2u /* all of its workloads have a mixer */
static const uint32_t masks[BATCHES][HK_PRIMITIVES_MASKS] = {
    {0, 255, 90, 165}, {51, 204, 15, 240}, {0, 255, 8, 247}};

static unsigned batch_of(unsigned mixed)
{
    return mixed / (HK_PRIMITIVES_MIXED / BATCHES);
}

const uint32_t *hk_primitive_masks(unsigned mixed)
{
    return masks[batch_of(mixed)];
}

/* --- single ---------------------------------------------------------------------------------- */

struct part {
    enum hk_mix_action action;
    uint64_t weight; /* 0: not drawn, but once in a region */
    uint64_t bytes_min;
    uint64_t bytes_max;
};

struct row {
    const char *name;
    unsigned service;
    uint64_t requests;
    uint64_t think_instructions;
    uint64_t audio_period_us; /* 0: longest */
    unsigned part_count;
    struct part parts[3];
};

/* One action, always of one size. */
#define ONE(text, who, what, bytes) \
    {text, HK_SERVICE_##who, 40, 1000, 0, 1, {{HK_MIX_##what, 1, bytes, bytes}}}

/* Several actions of one service, with weights. */
#define SOME(text, who, think, count, ...) \
    {text, HK_SERVICE_##who, 150, think, 0, count, {__VA_ARGS__}}

/* Printers are slow: the client thinks until a job is printed, mostly. */
#define PRINT(text, requests, think, bytes) \
    {text, HK_SERVICE_PRINT, requests, think, 0, 1, {{HK_MIX_PRINT_JOB, 1, bytes, bytes}}}

#define MIXER(text, period_us, weight, bytes) \
    {text, HK_SERVICE_AUDIO, 3000, 4000, period_us, 1, {{HK_MIX_AUDIO_WRITE, weight, bytes, bytes}}}

static const struct row rows[HK_PRIMITIVES_SINGLE] = {
    SOME("idle", CLIENT, 1000, 1, {HK_MIX_TIMER_ALARM, 0, 0, 0}),
    SOME("idle_two", CLIENT, 1000, 2, {HK_MIX_TIMER_ALARM, 0, 0, 0},
         {HK_MIX_FILE_STAT, 0, 0, 0}),
    SOME("idle_three", CLIENT, 1000, 3, {HK_MIX_TIMER_ALARM, 0, 0, 0},
         {HK_MIX_FILE_STAT, 0, 0, 0}, {HK_MIX_DISPLAY_FILL, 0, 4, 4}),
    ONE("stat", FILE, FILE_STAT, 0),
    ONE("read_small", FILE, FILE_READ, 512),
    ONE("read_page", FILE, FILE_READ, 4096),
    ONE("read_odd", FILE, FILE_READ, 6000),
    ONE("read_large", FILE, FILE_READ, 13000),
    ONE("lend_page", FILE, FILE_LEND, 4096),
    ONE("lend_three", FILE, FILE_LEND, 12288),
    ONE("lend_large", FILE, FILE_LEND, 28672),
    ONE("write_small", FILE, FILE_WRITE, 64),
    ONE("write_page", FILE, FILE_WRITE, 4096),
    ONE("write_large", FILE, FILE_WRITE, 13000),
    SOME("stat_write", FILE, 1000, 2, {HK_MIX_FILE_STAT, 3, 0, 0},
         {HK_MIX_FILE_WRITE, 1, 64, 64}),
    ONE("replace_small", FILE, FILE_REPLACE, 512),
    ONE("replace_page", FILE, FILE_REPLACE, 4096),
    ONE("replace_large", FILE, FILE_REPLACE, 16384),
    ONE("net_small", NET, NET_EXCHANGE, 64),
    ONE("net_full", NET, NET_EXCHANGE, 1472),
    ONE("net_many", NET, NET_EXCHANGE, 4000),
    ONE("block_read", BLOCK, BLOCK_READ, 4096),
    ONE("block_write", BLOCK, BLOCK_WRITE, 4096),
    SOME("block_both", BLOCK, 1000, 2, {HK_MIX_BLOCK_READ, 1, 4096, 4096},
         {HK_MIX_BLOCK_WRITE, 1, 4096, 4096}),
    SOME("block_mostly_read", BLOCK, 1000, 2, {HK_MIX_BLOCK_READ, 4, 4096, 16384},
         {HK_MIX_BLOCK_WRITE, 1, 4096, 4096}),
    SOME("block_flush", BLOCK, 1000, 3, {HK_MIX_BLOCK_READ, 3, 4096, 4096},
         {HK_MIX_BLOCK_WRITE, 2, 4096, 4096}, {HK_MIX_BLOCK_FLUSH, 1, 0, 0}),
    SOME("block_flush_often", BLOCK, 1000, 2, {HK_MIX_BLOCK_WRITE, 1, 4096, 4096},
         {HK_MIX_BLOCK_FLUSH, 1, 0, 0}),
    SOME("block_seldom", BLOCK, 60000, 2, {HK_MIX_BLOCK_READ, 1, 4096, 4096},
         {HK_MIX_BLOCK_WRITE, 1, 4096, 4096}),
    SOME("block_write_seldom", BLOCK, 100000, 1, {HK_MIX_BLOCK_WRITE, 1, 4096, 4096}),
    MIXER("mixer", 100, 0, 256),
    MIXER("mixer_write", 100, 1, 256),
    MIXER("mixer_seldom", 400, 1, 128),
    MIXER("audio_write", 0, 1, 256),
    MIXER("audio_small", 0, 1, 64),
    ONE("alarm", TIMER, TIMER_ALARM, 0),
    SOME("alarm_later", TIMER, 8000, 1, {HK_MIX_TIMER_ALARM, 1, 0, 0}),
    SOME("alarm_alone", TIMER, 60000, 1, {HK_MIX_TIMER_ALARM, 1, 0, 0}),
    SOME("draw_small", DISPLAY, 1000, 3, {HK_MIX_DISPLAY_FILL, 1, 256, 256},
         {HK_MIX_DISPLAY_BLIT, 1, 256, 256}, {HK_MIX_DISPLAY_BLEND, 1, 256, 256}),
    SOME("draw_lines", DISPLAY, 1000, 3, {HK_MIX_DISPLAY_FILL, 3, 2560, 10240},
         {HK_MIX_DISPLAY_BLIT, 1, 640, 20480}, {HK_MIX_DISPLAY_BLEND, 1, 1280, 5120}),
    ONE("fill", DISPLAY, DISPLAY_FILL, 1024),
    ONE("fill_large", DISPLAY, DISPLAY_FILL, 8192),
    ONE("blit", DISPLAY, DISPLAY_BLIT, 1024),
    ONE("blit_large", DISPLAY, DISPLAY_BLIT, 8192),
    ONE("blend", DISPLAY, DISPLAY_BLEND, 1024),
    ONE("blend_large", DISPLAY, DISPLAY_BLEND, 8192),
    PRINT("print_small", 20, 100000, 1000),
    PRINT("print_page", 20, 150000, 4096),
    PRINT("print_odd", 16, 200000, 6000),
    PRINT("print_large", 8, 500000, 20000),
    PRINT("print_full", 120, 5000, 8192),
    PRINT("print_once", 1, 1000, 1000), /* four jobs in all: none is printed meanwhile */
    PRINT("print_once_large", 1, 1000, 20000),
    ONE("memory_page", MEMORY, MEMORY_RANGE, 4096),
    ONE("memory_two", MEMORY, MEMORY_RANGE, 8192),
    ONE("memory_three", MEMORY, MEMORY_RANGE, 12288),
    ONE("memory_large", MEMORY, MEMORY_RANGE, 32768),
};

unsigned hk_primitive_service(unsigned single)
{
    return rows[single].service;
}

static void make_single(const struct row *row, struct hk_sweep_workload *workload)
{
    struct hk_mix *mix = &workload->mix;

    snprintf(workload->name, sizeof(workload->name), HK_PRIMITIVE_SINGLE "%s", row->name);
    *mix = (struct hk_mix){
        .version = HK_MIX_VERSION,
        .seed = 20261130,
        .requests = row->requests,
        .think_instructions = row->think_instructions,
        .audio_period_ns = row->audio_period_us > 0 ? row->audio_period_us * HK_NS_PER_US
                                                    : NEVER_NS,
        .audio_buffers = 4,
        .entry_count = row->part_count,
    };
    for (unsigned i = 0; i < row->part_count; i++) {
        const struct part *part = &row->parts[i];

        mix->entry[i] = (struct hk_mix_entry){
            .action = part->action,
            .weight = part->weight,
            .period_ns = part->weight == 0 ? NEVER_NS : 0,
            .count = 1,
            .bytes_min = part->bytes_min,
            .bytes_max = part->bytes_max,
        };
    }
}

/* --- mixed ----------------------------------------------------------------------------------- */

#define SIZE_CLASSES 6u /* from 64 bytes on */

static void draw_entry(uint64_t *random, enum hk_mix_action action, struct hk_mix_entry *entry)
{
    const uint64_t low = 64u << hk_mix_choose(random, SIZE_CLASSES);

    *entry = (struct hk_mix_entry){
        .action = action,
        .weight = 1 + hk_mix_choose(random, 30),
        .count = 1,
        .bytes_min = low,
        .bytes_max = low << hk_mix_choose(random, 5),
    };
    if (action == HK_MIX_PRINT_JOB) {
        entry->weight = 1 + hk_mix_choose(random, 3); /* as rare as with people */
    } else if (action == HK_MIX_AUDIO_WRITE) {
        entry->bytes_max = entry->bytes_min = 256; /* a period */
    }
}

/* Streams are written as the mixer reads them. */
static void play(uint64_t *random, struct hk_mix *mix)
{
    struct hk_mix_entry *entry = &mix->entry[mix->entry_count++];

    mix->audio_period_ns = (100 + 50 * hk_mix_choose(random, 7)) * HK_NS_PER_US;
    draw_entry(random, HK_MIX_AUDIO_WRITE, entry);
    entry->weight = 0;
    entry->period_ns = mix->audio_period_ns;
    entry->count = 1 + hk_mix_choose(random, HK_MIX_STREAMS);
}

static void make_mixed(unsigned mixed, struct hk_sweep_workload *workload)
{
    struct hk_mix *mix = &workload->mix;
    uint64_t random = 20261130 + mixed;

    snprintf(workload->name, sizeof(workload->name), "mixed_%c%u", "abc"[batch_of(mixed)],
             mixed % (HK_PRIMITIVES_MIXED / BATCHES));
    *mix = (struct hk_mix){
        .version = HK_MIX_VERSION,
        .seed = random,
        .requests = 60,
        .think_instructions = 500 + 500 * hk_mix_choose(&random, 8),
        .audio_period_ns = NEVER_NS,
        .audio_buffers = 4,
    };
    if (hk_mix_choose(&random, 3) == 0 || batch_of(mixed) == BATCH_PLAYING) {
        play(&random, mix);
    }
    for (unsigned action = 0; action < HK_MIX_ACTIONS; action++) {
        if (action != HK_MIX_AUDIO_WRITE && hk_mix_choose(&random, 2) == 0) {
            draw_entry(&random, (enum hk_mix_action)action, &mix->entry[mix->entry_count++]);
        }
    }
}

void hk_primitive_make(unsigned i, struct hk_sweep_workload *workload)
{
    if (i < HK_PRIMITIVES_SINGLE) {
        make_single(&rows[i], workload);
    } else {
        make_mixed(i - HK_PRIMITIVES_SINGLE, workload);
    }
}
