/* SPDX-License-Identifier: MIT */
#include "hk/guest/replay.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hk/core/mix_draw.h"
#include "hk/guest/mix.h"

/* Of core/services/: what decides how much work is done, and when. */
#define PAGE_BYTES         4096u
#define CACHE_ENTRIES      48u
#define WRITE_BACK_NS      500000.0
#define STREAM_FRAMES      1024u
#define PERIOD_FRAMES      64u
#define FRAME_BYTES        4u
#define BEFORE_NS          1e7 /* since the workload before: what is due has been for so long */
#define ALARMS             128u
#define ALARM_NS           40000.0
#define JOBS               4u
#define JOB_BYTES_MAX      (15u * PAGE_BYTES)
#define BAND_BYTES         2048u
#define BAND_NS            50000.0

static const struct {
    unsigned service;
    const char *name;
} works[HK_WORKS] = {
#define X(work, service, name) [HK_WORK_##work] = {HK_SERVICE_##service, name},
    HK_WORK_LIST(X)
#undef X
};

unsigned hk_work_service(enum hk_work work)
{
    return works[work].service;
}

const char *hk_work_name(enum hk_work work)
{
    return works[work].name;
}

static const double calls[HK_WORKS] = {
    [HK_WORK_LOOKUP] = 1,     [HK_WORK_READ] = 1,        [HK_WORK_LEND_PAGE] = 1,
    [HK_WORK_WRITE] = 1,      [HK_WORK_REPLACE] = 3,     [HK_WORK_REPLACE_WRITE] = 1,
    [HK_WORK_DATAGRAM] = 2,   [HK_WORK_BLOCK_READ] = 1,  [HK_WORK_BLOCK_WRITE] = 1,
    [HK_WORK_BLOCK_FLUSH] = 1, [HK_WORK_AUDIO_WRITE] = 1, [HK_WORK_ALARM] = 1,
    [HK_WORK_FILL] = 1,       [HK_WORK_BLIT] = 1,        [HK_WORK_BLEND] = 1,
    [HK_WORK_JOB] = 2,        [HK_WORK_JOB_REFUSED] = 1, [HK_WORK_JOB_DATA] = 1,
    [HK_WORK_RANGE] = 2,      [HK_WORK_RANGE_PAGE] = 1,
};

double hk_work_calls(enum hk_work work)
{
    return calls[work];
}

const unsigned hk_latency_percent[HK_LATENCY_QUANTILES] = {50, 90, 99};

_Static_assert(HK_MIX_BLOCKS - HK_MIX_CACHED_FIRST == CACHE_ENTRIES, "they fill the cache");

struct entry {
    bool used;
    bool dirty;
    uint64_t block;
    uint64_t last; /* when it was used, in requests of the cache */
};

struct job {
    enum { FREE, WAITING, DONE } state;
    uint64_t order;
    uint64_t bytes_left;
};

/* What a client did last: calls one after the other, each of which holds the processor a while. */
struct stretch {
    double start_ns;
    double end_ns;
    double held_ns; /* in all */
    double calls;
};

struct client {
    const struct hk_mix *mix;
    const struct hk_replay_costs *cost;
    uint64_t weight_sum;
    uint64_t random;
    uint64_t due_random;
    double due_ns[HK_MIX_ENTRIES_MAX];
    double now_ns; /* an instruction is a nanosecond */
    double work[HK_WORKS];
    uint64_t requests[HK_SERVICES];
    double busy_sum_ns;
    double busy_sum_ns2;
    double *latency_ns; /* of requests of the region; 2N of them */
    struct stretch last;
    struct hk_replay_lateness lateness;
    double late_ns; /* the last time */

    bool answered[HK_MIX_FILES];
    struct entry cache[CACHE_ENTRIES];
    uint64_t cache_clock;
    double flush_ns; /* INFINITY: never */
    uint64_t stream_frames[HK_MIX_STREAMS];
    uint64_t stream_count;
    double mix_ns; /* when the mixer wakes */
    double alarm_ns[ALARMS];
    unsigned alarm_count;
    struct job jobs[JOBS];
    uint64_t jobs_closed;
    double band_ns; /* INFINITY: no job waits */
};

/* So many units of work, which take their time. */
static void work(struct client *c, enum hk_work kind, double units)
{
    c->work[kind] += units;
    c->now_ns += units * c->cost->unit[kind];
    c->last.held_ns += units * c->cost->held[kind];
    c->last.calls += units * calls[kind];
}

static double pages_of(uint64_t bytes)
{
    return (double)((bytes + PAGE_BYTES - 1) / PAGE_BYTES);
}

/* --- the services' own work, at its time ---------------------------------------------------- */

/* How long nobody could be woken, at a moment of what the client did last. */
static double wait_at(const struct stretch *s, double at_ns)
{
    if (!(s->calls > 0) || at_ns < s->start_ns || at_ns >= s->end_ns)
        return 0;
    const double call_ns = (s->end_ns - s->start_ns) / s->calls;
    const double held_ns = fmin(s->held_ns / s->calls, call_ns);
    const double into_ns = fmod(at_ns - s->start_ns, call_ns);

    if (held_ns >= call_ns || into_ns >= call_ns - held_ns / 2)
        return call_ns - into_ns;
    return fmax(held_ns / 2 - into_ns, 0);
}

/* Nobody wakes for so long. */
static void note_held(struct client *c, double held_ns)
{
    c->lateness.longest_ns = fmax(c->lateness.longest_ns, c->cost->wake + held_ns);
}

static void note_calls(struct client *c)
{
    const struct stretch *s = &c->last;
    const double whole = s->held_ns >= s->end_ns - s->start_ns ? 1 : 0.5;

    if (s->calls > 0)
        note_held(c, whole * s->held_ns / s->calls);
}

static void note_wake(struct client *c, double wait_ns)
{
    struct hk_replay_lateness *l = &c->lateness;
    const double late_ns = c->cost->wake + wait_ns;
    const double headroom_ns = (double)((c->mix->audio_buffers - 1) * c->mix->audio_period_ns);

    if (l->wakes > 0)
        l->change_square_sum += (late_ns - c->late_ns) * (late_ns - c->late_ns);
    l->wakes++;
    l->underruns += late_ns > headroom_ns;
    l->sum_ns += late_ns;
    l->square_sum += late_ns * late_ns;
    c->late_ns = late_ns;
}

static void mix_period(struct client *c)
{
    uint64_t frames = 0;

    for (unsigned i = 0; i < HK_MIX_STREAMS; i++) {
        const uint64_t have = c->stream_frames[i];
        const uint64_t taken = have < PERIOD_FRAMES ? have : PERIOD_FRAMES;

        c->stream_frames[i] -= taken;
        frames += taken;
    }
    work(c, HK_WORK_AUDIO_WAKE, 1);
    work(c, HK_WORK_AUDIO_FRAME, (double)frames);
}

static void flush_cache(struct client *c)
{
    for (unsigned i = 0; i < CACHE_ENTRIES; i++) {
        work(c, HK_WORK_BLOCK_BACK, c->cache[i].dirty);
        c->cache[i].dirty = false;
    }
}

static struct job *next_job(struct client *c)
{
    struct job *first = NULL;

    for (unsigned i = 0; i < JOBS; i++) {
        if (c->jobs[i].state == WAITING && (first == NULL || c->jobs[i].order < first->order)) {
            first = &c->jobs[i];
        }
    }
    return first;
}

static void print_band(struct client *c)
{
    struct job *job = next_job(c);
    const uint64_t bytes = job->bytes_left < BAND_BYTES ? job->bytes_left : BAND_BYTES;

    const double start_ns = c->now_ns;

    work(c, HK_WORK_BAND, 1);
    work(c, HK_WORK_BAND_BYTE, (double)bytes);
    note_held(c, c->now_ns - start_ns);
    job->bytes_left -= bytes;
    job->state = job->bytes_left == 0 ? DONE : WAITING;
    c->band_ns = next_job(c) == NULL ? INFINITY
                                     : c->band_ns + BAND_NS + c->cost->unit[HK_WORK_BAND] +
                                           (double)bytes * c->cost->unit[HK_WORK_BAND_BYTE];
}

/* Alarms whose time has come; the others go on waiting. */
static void ring(struct client *c)
{
    unsigned waiting = 0;

    for (unsigned i = 0; i < c->alarm_count; i++) {
        if (c->alarm_ns[i] > c->now_ns) {
            c->alarm_ns[waiting++] = c->alarm_ns[i];
        } else {
            work(c, HK_WORK_ALARM_RING, 1);
        }
    }
    c->alarm_count = waiting;
}

static void do_due_work(struct client *c)
{
    const struct stretch last = c->last;

    while (c->now_ns >= c->mix_ns) {
        note_wake(c, wait_at(&last, c->mix_ns));
        mix_period(c);
        c->mix_ns += (double)c->mix->audio_period_ns;
    }
    if (c->now_ns >= c->flush_ns) {
        const double start_ns = c->now_ns;

        work(c, HK_WORK_BLOCK_WAKE, 1);
        flush_cache(c);
        note_held(c, c->now_ns - start_ns);
        c->flush_ns = INFINITY;
    }
    while (c->now_ns >= c->band_ns) {
        print_band(c);
    }
    ring(c);
}

/* --- actions --------------------------------------------------------------------------------- */

static uint64_t choose_file(struct client *c)
{
    return hk_mix_choose(&c->random, HK_MIX_FILES);
}

static uint64_t find_file(struct client *c)
{
    const uint64_t file = choose_file(c);

    work(c, HK_WORK_FIND, 1);
    work(c, HK_WORK_LOOKUP, !c->answered[file]);
    c->answered[file] = true;
    return file;
}

static void use_file(struct client *c, enum hk_mix_action action, uint64_t bytes)
{
    const uint64_t file = action == HK_MIX_FILE_REPLACE ? choose_file(c) : find_file(c);

    switch (action) {
    case HK_MIX_FILE_READ:
        work(c, HK_WORK_READ, pages_of(bytes));
        work(c, HK_WORK_READ_BYTE, (double)bytes);
        break;
    case HK_MIX_FILE_LEND:
        work(c, HK_WORK_LEND, 1);
        work(c, HK_WORK_LEND_PAGE, pages_of(bytes));
        break;
    case HK_MIX_FILE_WRITE:
        work(c, HK_WORK_WRITE, pages_of(bytes));
        work(c, HK_WORK_WRITE_BYTE, (double)bytes);
        c->answered[file] = bytes == 0;
        break;
    case HK_MIX_FILE_REPLACE:
        work(c, HK_WORK_REPLACE, 1);
        work(c, HK_WORK_REPLACE_WRITE, pages_of(bytes));
        work(c, HK_WORK_WRITE_BYTE, (double)bytes);
        c->answered[file] = false;
        break;
    default:
        break;
    }
}

static void exchange(struct client *c, uint64_t bytes)
{
    work(c, HK_WORK_DATAGRAM,
         (double)((bytes + HK_MIX_DATAGRAM_BYTES - 1) / HK_MIX_DATAGRAM_BYTES));
    work(c, HK_WORK_DATAGRAM_BYTE, (double)bytes);
}

static struct entry *cached(struct client *c, uint64_t block)
{
    for (unsigned i = 0; i < CACHE_ENTRIES; i++) {
        if (c->cache[i].used && c->cache[i].block == block) {
            return &c->cache[i];
        }
    }
    return NULL;
}

static struct entry *take_entry(struct client *c)
{
    struct entry *oldest = &c->cache[0];

    for (unsigned i = 0; i < CACHE_ENTRIES; i++) {
        work(c, HK_WORK_BLOCK_SCAN, 1);
        if (!c->cache[i].used) {
            return &c->cache[i];
        }
        oldest = c->cache[i].last < oldest->last ? &c->cache[i] : oldest;
    }
    work(c, HK_WORK_BLOCK_BACK, oldest->dirty);
    oldest->dirty = false;
    oldest->used = false;
    return oldest;
}

static bool any_dirty(const struct client *c)
{
    for (unsigned i = 0; i < CACHE_ENTRIES; i++) {
        if (c->cache[i].dirty) {
            return true;
        }
    }
    return false;
}

static void read_block(struct client *c, uint64_t block)
{
    struct entry *entry = cached(c, block);

    work(c, HK_WORK_BLOCK_READ, 1);
    if (entry == NULL) {
        work(c, HK_WORK_BLOCK_MISS, 1);
        entry = take_entry(c);
        *entry = (struct entry){.used = true, .block = block};
    }
    entry->last = ++c->cache_clock;
}

static void write_block(struct client *c, uint64_t block)
{
    struct entry *entry = take_entry(c);
    struct entry *before = cached(c, block);

    work(c, HK_WORK_BLOCK_WRITE, 1);
    if (!any_dirty(c)) {
        c->flush_ns = c->now_ns + WRITE_BACK_NS;
    }
    if (before != NULL) {
        *before = (struct entry){.used = false};
    }
    *entry = (struct entry){.used = true, .dirty = true, .block = block, .last = ++c->cache_clock};
}

static void use_blocks(struct client *c, enum hk_mix_action action, uint64_t bytes)
{
    if (action == HK_MIX_BLOCK_FLUSH) {
        work(c, HK_WORK_BLOCK_FLUSH, 1);
        flush_cache(c);
        return;
    }
    for (uint64_t done = 0; done < bytes; done += PAGE_BYTES) {
        const uint64_t block = hk_mix_draw_block(&c->random);

        if (action == HK_MIX_BLOCK_READ) {
            read_block(c, block);
        } else {
            write_block(c, block);
        }
    }
}

static void write_stream(struct client *c, uint64_t bytes)
{
    uint64_t *frames = &c->stream_frames[c->stream_count++ % HK_MIX_STREAMS];
    const uint64_t room = STREAM_FRAMES - *frames;
    const uint64_t count = bytes / FRAME_BYTES < room ? bytes / FRAME_BYTES : room;

    *frames += count;
    work(c, HK_WORK_AUDIO_WRITE, 1);
    work(c, HK_WORK_AUDIO_BYTE, (double)bytes);
}

/* Those that have not gone off yet are looked at. */
static void set_alarm(struct client *c)
{
    work(c, HK_WORK_ALARM, 1);
    work(c, HK_WORK_ALARM_WAITING, c->alarm_count);
    if (c->alarm_count < ALARMS) {
        c->alarm_ns[c->alarm_count++] = c->now_ns + ALARM_NS;
    }
}

static void draw(struct client *c, enum hk_work kind, enum hk_work pixel, uint64_t bytes)
{
    uint64_t width, height;

    hk_mix_area(bytes, &width, &height);
    (void)hk_mix_random(&c->random); /* where */
    (void)hk_mix_random(&c->random);
    work(c, kind, 1);
    work(c, pixel, (double)(width * height));
    work(c, HK_WORK_DRAW_LINE, (double)height);
}

static void print_job(struct client *c, uint64_t bytes)
{
    struct job *job = NULL;

    for (unsigned i = 0; i < JOBS; i++) {
        if (c->jobs[i].state == FREE || (job == NULL && c->jobs[i].state == DONE)) {
            job = &c->jobs[i];
        }
    }
    if (job == NULL) {
        work(c, HK_WORK_JOB_REFUSED, 1);
        return;
    }
    work(c, HK_WORK_JOB, 1);
    work(c, HK_WORK_JOB_DATA, pages_of(bytes));
    work(c, HK_WORK_JOB_BYTE, (double)bytes);
    if (next_job(c) == NULL) {
        c->band_ns = c->now_ns + BAND_NS;
    }
    *job = (struct job){WAITING, ++c->jobs_closed,
                        bytes < JOB_BYTES_MAX ? bytes : JOB_BYTES_MAX};
}

static void act(struct client *c, enum hk_mix_action action, uint64_t bytes)
{
    c->last = (struct stretch){.start_ns = c->now_ns};
    switch (action) {
    case HK_MIX_FILE_STAT:
    case HK_MIX_FILE_READ:
    case HK_MIX_FILE_LEND:
    case HK_MIX_FILE_WRITE:
    case HK_MIX_FILE_REPLACE:
        use_file(c, action, bytes);
        break;
    case HK_MIX_NET_EXCHANGE:
        exchange(c, bytes);
        break;
    case HK_MIX_BLOCK_READ:
    case HK_MIX_BLOCK_WRITE:
    case HK_MIX_BLOCK_FLUSH:
        use_blocks(c, action, bytes);
        break;
    case HK_MIX_AUDIO_WRITE:
        write_stream(c, bytes);
        break;
    case HK_MIX_TIMER_ALARM:
        set_alarm(c);
        break;
    case HK_MIX_DISPLAY_FILL:
        draw(c, HK_WORK_FILL, HK_WORK_FILL_PIXEL, bytes);
        break;
    case HK_MIX_DISPLAY_BLIT:
        draw(c, HK_WORK_BLIT, HK_WORK_BLIT_PIXEL, bytes);
        break;
    case HK_MIX_DISPLAY_BLEND:
        draw(c, HK_WORK_BLEND, HK_WORK_BLEND_PIXEL, bytes);
        break;
    case HK_MIX_PRINT_JOB:
        print_job(c, bytes);
        break;
    case HK_MIX_MEMORY_RANGE:
        work(c, HK_WORK_RANGE, 1);
        work(c, HK_WORK_RANGE_PAGE, pages_of(bytes));
        break;
    default:
        break;
    }
    c->last.end_ns = c->now_ns;
    note_calls(c);
    do_due_work(c);
}

/* --- the client, as in core/user/workload.c -------------------------------------------------- */

static void perform(struct client *c, const struct hk_mix_entry *entry)
{
    for (uint64_t i = 0; i < entry->count; i++) {
        const enum hk_mix_action action =
            (enum hk_mix_action)hk_mix_draw_action(&c->random, entry);
        const uint64_t bytes = hk_mix_draw_bytes(&c->random, entry);

        c->requests[hk_mix_action_service(action)]++;
        act(c, action, bytes);
    }
}

static void perform_due(struct client *c)
{
    const double now_ns = c->now_ns;
    const uint64_t random = c->random;

    c->random = c->due_random;
    for (uint64_t i = 0; i < c->mix->entry_count; i++) {
        const struct hk_mix_entry *entry = &c->mix->entry[i];

        if (entry->period_ns == 0 || c->due_ns[i] > now_ns) {
            continue;
        }
        c->due_ns[i] += (double)entry->period_ns;
        perform(c, entry);
    }
    c->due_random = c->random;
    c->random = random;
}

static void run_requests(struct client *c, uint64_t count)
{
    c->busy_sum_ns = 0;
    c->busy_sum_ns2 = 0;
    for (uint64_t i = 0; i < count; i++) {
        c->now_ns += (double)(c->mix->think_instructions / 2 * 2);
        c->last = (struct stretch){0};
        const double start_ns = c->now_ns;
        do_due_work(c); /* it interrupts the thinking */
        const double made_ns = c->now_ns;
        work(c, HK_WORK_REQUEST, 1);
        work(c, HK_WORK_ENTRY, (double)c->mix->entry_count);
        perform_due(c);
        if (c->weight_sum > 0) {
            perform(c, hk_mix_draw_entry(&c->random, c->mix, c->weight_sum));
        }
        const double busy_ns = c->now_ns - start_ns;
        c->busy_sum_ns += busy_ns;
        c->busy_sum_ns2 += busy_ns * busy_ns;
        c->latency_ns[i] = c->now_ns - made_ns;
    }
}

static void run_region(struct client *c, uint64_t count)
{
    c->random = c->mix->seed;
    c->due_random = ~c->mix->seed;
    c->stream_count = 0;
    memset(c->work, 0, sizeof(c->work));
    memset(c->requests, 0, sizeof(c->requests));
    c->lateness = (struct hk_replay_lateness){.longest_ns = c->cost->wake};
    for (uint64_t i = 0; i < c->mix->entry_count; i++) {
        c->due_ns[i] = c->now_ns;
    }
    run_requests(c, count);
}

static void client_init(struct client *c, const struct hk_mix *mix,
                        const struct hk_replay_costs *cost, double phase_ratio)
{
    *c = (struct client){.mix = mix, .cost = cost, .flush_ns = INFINITY, .band_ns = INFINITY,
                         .mix_ns = (1 - phase_ratio) * (double)mix->audio_period_ns};
    for (unsigned i = 0; i < HK_MIX_FILES; i++) {
        c->answered[i] = true;
    }
    for (unsigned i = 0; i < CACHE_ENTRIES; i++) {
        c->cache[i] = (struct entry){
            .used = true, .block = HK_MIX_CACHED_FIRST + i, .last = ++c->cache_clock};
    }
    for (uint64_t i = 0; i < mix->entry_count; i++) {
        c->due_ns[i] = -BEFORE_NS;
        c->weight_sum += mix->entry[i].weight;
    }
}

/* Of one period with all streams. */
static double mix_instructions_max(const double *instructions)
{
    return instructions[HK_WORK_AUDIO_WAKE] +
           HK_MIX_STREAMS * PERIOD_FRAMES * instructions[HK_WORK_AUDIO_FRAME];
}

static bool are_good(const struct hk_replay_costs *costs)
{
    bool good = costs->wake >= 0 && isfinite(costs->wake);

    for (unsigned i = 0; i < HK_WORKS && good; i++) {
        good = costs->unit[i] >= 0 && isfinite(costs->unit[i]) && costs->held[i] >= 0 &&
               isfinite(costs->held[i]);
    }
    return good;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void tell_requests(struct client *c, uint64_t count, struct hk_replay *replay)
{
    const double mean_ns = c->busy_sum_ns / (double)count;
    const double square_ns2 = c->busy_sum_ns2 / (double)count;

    replay->busy_mean_ns = mean_ns;
    replay->busy_cv2 = mean_ns > 0 ? fmax(square_ns2 / (mean_ns * mean_ns) - 1, 0) : 0;
    qsort(c->latency_ns, count, sizeof(*c->latency_ns), ascending);
    for (unsigned i = 0; i < HK_LATENCY_QUANTILES; i++) {
        replay->latency_ns[i] = c->latency_ns[(count * hk_latency_percent[i] + 99) / 100 - 1];
    }
}

enum hk_status hk_mix_replay(const struct hk_mix *mix, const struct hk_replay_costs *costs,
                             double phase_ratio, struct hk_replay *replay)
{
    struct client c;
    double first[HK_WORKS];

    if (!are_good(costs) || !(phase_ratio >= 0 && phase_ratio < 1)) {
        return HK_EINVAL;
    }
    if (mix_instructions_max(costs->unit) >= (double)mix->audio_period_ns) {
        return HK_ERANGE;
    }
    client_init(&c, mix, costs, phase_ratio);
    c.latency_ns = malloc(2 * mix->requests * sizeof(*c.latency_ns));
    if (c.latency_ns == NULL) {
        return HK_ENOMEM;
    }
    c.random = ~mix->seed; /* the warm-up */
    run_requests(&c, mix->requests / 8 + 1);
    run_region(&c, mix->requests);
    memcpy(first, c.work, sizeof(first));
    run_region(&c, 2 * mix->requests);
    for (unsigned i = 0; i < HK_WORKS; i++) {
        replay->work[i] = (c.work[i] - first[i]) / (double)mix->requests;
    }
    memcpy(replay->requests, c.requests, sizeof(c.requests));
    tell_requests(&c, 2 * mix->requests, replay);
    replay->lateness = c.lateness;
    free(c.latency_ns);
    return HK_OK;
}
