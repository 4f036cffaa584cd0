/* SPDX-License-Identifier: MIT */
/*
 * The path that F5 describes, for real: a message's buffers change hands where they are whole,
 * aligned pages, and are copied where they are not. In the mix "grain" every buffer is granted,
 * and the kernel copies what is left at both ends.
 *
 * A trace visits every combination of alignment and size equally often, so that shares are what
 * they are said to be and not almost. The seed decides in which order, and how odd odd sizes are.
 */
#include "user/draw.h"
#include "user/experiments.h"

#define SOURCE 0x0000120000000000
#define TARGET 0x0000130000000000
#define PAGES 10 /* the longest buffer with what surrounds it */

#define CLASSES 2
#define COMBINATIONS 100 /* ten kinds of alignment by ten kinds of size */
#define ROUNDS 8         /* all combinations once, with whole pages of one number */
#define ROUND_PAGES 4    /* 1 to so many pages take turns */
#define GRAIN 16         /* what a general allocator aligns to */
#define OFFSETS (HK_PAGE_BYTES / GRAIN)
#define GRAIN_LENGTHS 4

/* Buffers per message; of ten, so many are aligned and so many of whole pages. */
static const struct {
    uint64_t buffers, aligned, sized;
} classes[CLASSES] = { { 1, 8, 6 }, { 2, 3, 5 } };

enum mix { INDEPENDENT, DEPENDENT, GRAINS };

static const char *const mixes[] = {
    [INDEPENDENT] = "independent",
    [DEPENDENT] = "dependent", /* who asks for alignment asks for whole pages too */
    [GRAINS] = "grain",
};

struct trace {
    enum mix mix;
    uint64_t seed;
    struct {
        uint64_t buffers, aligned, sized, mappable, bytes;
    } log[CLASSES];
    uint64_t copies, copied_bytes, copy_instructions;
    bool failed;
};

/* The giver's whole pages went with the buffer: it takes new ones, as an allocator would. */
static bool refill(uint64_t offset, uint64_t bytes)
{
    uint64_t first = (offset + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES;
    uint64_t end = (offset + bytes) / HK_PAGE_BYTES;

    return end <= first || hk_syscall(HK_SYS_page_map, SOURCE + first * HK_PAGE_BYTES, end - first,
                                      HK_MAP_READ | HK_MAP_WRITE) == HK_OK;
}

/* Both ends of a buffer carry a mark that has to arrive. */
static void mark(uint64_t at, uint64_t bytes, uint8_t value)
{
    ((volatile uint8_t *)at)[0] = value;
    ((volatile uint8_t *)at)[bytes - 1] = value;
}

static bool marked(uint64_t at, uint64_t bytes, uint8_t value)
{
    return ((volatile uint8_t *)at)[0] == value && ((volatile uint8_t *)at)[bytes - 1] == value;
}

/* Into the receiver's pages, or a copy. */
static void deliver(struct trace *t, uint64_t offset, uint64_t bytes, bool grant)
{
    uint64_t from = SOURCE + offset, to = TARGET + offset, start;
    uint8_t value = (uint8_t)(1 + t->copies % 255);
    int64_t copied = (int64_t)bytes;

    mark(from, bytes, value);
    start = hk_lab_clock();
    if (grant)
        copied = hk_syscall5(HK_SYS_grant, HK_HANDLE_SELF, from, to, bytes, 0);
    else
        __builtin_memcpy((void *)to, (void *)from, bytes);
    if (copied > 0) {
        t->copy_instructions += hk_lab_clock() - start;
        t->copied_bytes += (uint64_t)copied;
        t->copies++;
    }
    t->failed |= copied < 0 || !marked(to, bytes, value) || (grant && !refill(offset, bytes));
}

static void note(struct trace *t, uint64_t class_index, uint64_t offset, uint64_t bytes)
{
    bool aligned = offset == 0, sized = bytes % HK_PAGE_BYTES == 0;

    t->log[class_index].buffers++;
    t->log[class_index].aligned += aligned;
    t->log[class_index].sized += sized;
    t->log[class_index].mappable += aligned && sized;
    t->log[class_index].bytes += bytes;
}

/* Whole pages, or as much more as less: what is copied is as long as what is not. */
static void deliver_combination(struct trace *t, uint64_t class_index, uint64_t combination,
                                uint64_t round, uint64_t odd)
{
    uint64_t first = combination % 10, second = combination / 10;
    bool aligned = first < classes[class_index].aligned;
    bool sized = (t->mix == DEPENDENT ? first : second) < classes[class_index].sized;
    uint64_t bytes = (1 + round % ROUND_PAGES) * HK_PAGE_BYTES;
    uint64_t offset = aligned ? 0 : 1 + hk_draw(&t->seed) % (HK_PAGE_BYTES - 1);

    if (!sized)
        bytes = round < ROUND_PAGES ? bytes + odd : bytes - odd;
    note(t, class_index, offset, bytes);
    deliver(t, offset, bytes, aligned && sized);
}

/* An odd stride that shares no factor with the combinations visits all of them. */
static void deliver_class(struct trace *t, uint64_t class_index)
{
    static const uint64_t strides[] = { 37, 41, 43, 47, 53, 59, 61, 67 };
    uint64_t odd = 1 + hk_draw(&t->seed) % (HK_PAGE_BYTES / 2);

    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t stride = strides[hk_draw(&t->seed) % HK_ARRAY_COUNT(strides)];

        for (uint64_t i = 0; i < COMBINATIONS; i++)
            deliver_combination(t, class_index, i * stride % COMBINATIONS, round, odd);
    }
}

/* Every offset that the allocator may choose, with lengths of at least a page. */
static void deliver_grains(struct trace *t)
{
    for (uint64_t i = 0; i < GRAIN_LENGTHS; i++) {
        uint64_t bytes = HK_PAGE_BYTES + hk_draw(&t->seed) % (7 * OFFSETS) * GRAIN;

        for (uint64_t at = 0; at < OFFSETS; at++) {
            uint64_t offset = at * 37 % OFFSETS * GRAIN;

            note(t, 0, offset, bytes);
            deliver(t, offset, bytes, true);
        }
    }
}

static uint64_t messages(const struct trace *t, uint64_t class_index)
{
    return t->log[class_index].buffers / classes[class_index].buffers;
}

static void report_class(struct hk_line *line, const struct trace *t, uint64_t class_index)
{
    static const char *const keys[CLASSES][6] = {
        { "class_0_messages", "class_0_buffers", "class_0_aligned", "class_0_sized",
          "class_0_mappable", "class_0_bytes" },
        { "class_1_messages", "class_1_buffers", "class_1_aligned", "class_1_sized",
          "class_1_mappable", "class_1_bytes" },
    };
    const char *const *key = keys[class_index];

    hk_line_field(line, key[0], messages(t, class_index));
    hk_line_field(line, key[1], t->log[class_index].buffers);
    hk_line_field(line, key[2], t->log[class_index].aligned);
    hk_line_field(line, key[3], t->log[class_index].sized);
    hk_line_field(line, key[4], t->log[class_index].mappable);
    hk_line_field(line, key[5], t->log[class_index].bytes);
}

static void report(const struct trace *t, const char *name)
{
    struct hk_line line;

    hk_line_begin(&line, "value");
    hk_line_text(&line, "guest/fallback/mix:");
    hk_line_text(&line, mixes[t->mix]);
    hk_line_text(&line, "/trace:");
    hk_line_text(&line, name);
    hk_line_field(&line, "messages", messages(t, 0) + messages(t, 1));
    for (uint64_t c = 0; c < CLASSES; c++)
        report_class(&line, t, c);
    hk_line_field(&line, "copies", t->copies);
    hk_line_field(&line, "copied_bytes", t->copied_bytes);
    hk_line_field(&line, "copy_instructions", t->copy_instructions);
    hk_line_end(&line);
}

static bool run_trace(enum mix mix, const char *name, uint64_t seed)
{
    struct trace t = { .mix = mix, .seed = seed };

    if (mix == GRAINS)
        deliver_grains(&t);
    for (uint64_t c = 0; c < CLASSES && mix != GRAINS; c++)
        deliver_class(&t, c);
    if (t.failed)
        hk_say("fail", "a buffer did not arrive");
    else
        report(&t, name);
    return !t.failed;
}

bool hk_fallback_report(void)
{
    bool good = hk_syscall(HK_SYS_page_map, SOURCE, PAGES, HK_MAP_READ | HK_MAP_WRITE) == HK_OK &&
                hk_syscall(HK_SYS_page_map, TARGET, PAGES, HK_MAP_READ | HK_MAP_WRITE) == HK_OK;

    if (!good)
        hk_say("fail", "there are no pages for messages");
    for (uint64_t mix = 0; mix < HK_ARRAY_COUNT(mixes) && good; mix++)
        good = run_trace((enum mix)mix, "train", 2385 + mix) &&
               run_trace((enum mix)mix, "test", 7411 + mix);
    for (uint64_t i = 0; i < PAGES; i++) { /* one by one: a grant has taken some away */
        (void)hk_syscall(HK_SYS_page_unmap, SOURCE + i * HK_PAGE_BYTES, 1, 0);
        (void)hk_syscall(HK_SYS_page_unmap, TARGET + i * HK_PAGE_BYTES, 1, 0);
    }
    return good;
}
