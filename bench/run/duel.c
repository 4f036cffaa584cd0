/* SPDX-License-Identifier: MIT */
/* Two builds of this program side by side in one launch, epoch by epoch. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "epochs.h"
#include "hk/base/units.h"
#include "hk/stats/quantile.h"
#include "hk/stats/summary.h"
#include "spawn.h"
#include "timed.h"

enum { ROUNDS_MIN = 5, ROUNDS_MAX = 4096, TICK_MS = 100, LINE_BYTES_MAX = 1 << 20 };

/* Rounds between two pieces of single operations; launches between two that count calls. */
enum { ROUNDS_PER_SINGLE = 4, LAUNCHES_PER_COUNT = 4 };

/* An answer comes after an epoch, or after opening and warming up; a whole launch takes longer. */
static const uint64_t answer_ns = 20ull * HK_NS_PER_S;
static const uint64_t whole_ns = 120ull * HK_NS_PER_S;

struct side {
    struct hk_leader leader;
    const char *name; /* "A", "B" */
    double operation_ns;
    uint64_t step;
    unsigned knows; /* HK_EPOCHS_KNOWS_* */
    struct hk_launch launch;
};

struct duel {
    const struct hk_duel_plan *plan;
    uint64_t patience_ns; /* for one answer */
    struct side sides[2];
    uint64_t operations; /* per epoch, the same on both sides */
    size_t all_count;
    size_t kept_count;
    double all[ROUNDS_MAX]; /* ln(t_B / t_A) per round */
    double kept[ROUNDS_MAX];
    double ns[2][ROUNDS_MAX]; /* per operation */
    char breach[HK_TEXT_BYTES];
    char *error;
};

__attribute__((format(printf, 3, 4))) static enum hk_status fail(struct duel *d,
                                                                 enum hk_status status,
                                                                 const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(d->error, HK_TEXT_BYTES, format, arguments);
    va_end(arguments);
    return status;
}

/* --- one line from a side ------------------------------------------------------------ */

/* Waits for a whole line in the side's buffer. */
static enum hk_status receive_line(struct duel *d, struct side *s)
{
    const uint64_t deadline_ns = hk_monotonic_ns() + d->patience_ns;
    char bytes[4096];

    while (s->leader.output.bytes == 0 ||
           memchr(s->leader.output.data, '\n', s->leader.output.bytes) == NULL) {
        struct pollfd p = {.fd = s->leader.fd, .events = POLLIN};
        if (d->plan->stop != NULL && *d->plan->stop)
            return HK_EINTR;
        if (hk_monotonic_ns() > deadline_ns || s->leader.output.bytes > LINE_BYTES_MAX)
            return fail(d, HK_EIO, "side %s gives no answer", s->name);
        if (poll(&p, 1, TICK_MS) <= 0)
            continue;
        const ssize_t n = read(s->leader.fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(d, HK_EINVAL, "side %s ended without an answer: does '%.200s' know the "
                        "command 'epochs'?", s->name, d->plan->programs[s->name[0] - 'A']);
        const enum hk_status status = hk_bytes_append(&s->leader.output, bytes, (size_t)n);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static void drop_line(struct side *s)
{
    struct hk_bytes *o = &s->leader.output;
    const char *end = memchr(o->data, '\n', o->bytes);
    const size_t used = (size_t)(end - o->data) + 1;

    memmove(o->data, o->data + used, o->bytes - used);
    o->bytes -= used;
}

static enum hk_status status_of(enum hk_launch_state state)
{
    switch (state) {
    case HK_LAUNCH_OK: return HK_OK;
    case HK_LAUNCH_UNAVAILABLE: return HK_ENOTSUP;
    case HK_LAUNCH_INVALID: return HK_EROW;
    default: return HK_EIO;
    }
}

/* The launch with which a side ends, early or not. */
static enum hk_status take_launch(struct duel *d, struct side *s)
{
    size_t used;

    hk_launch_fini(&s->launch);
    if (hk_wire_decode(s->leader.output.data, s->leader.output.bytes, &s->launch, &used) != HK_OK) {
        s->launch = (struct hk_launch){0};
        return fail(d, HK_EIO, "side %s answers what is no answer", s->name);
    }
    const enum hk_status status = status_of(s->launch.state);
    return status == HK_OK ? HK_OK
                           : fail(d, status, "side %s: %.400s", s->name,
                                  s->launch.reason != NULL ? s->launch.reason : "");
}

/* Reads "<word> NUMBER NUMBER", and a third where it is there. A launch instead ends the duel. */
static enum hk_status take_numbers(struct duel *d, struct side *s, const char *word,
                                   double *first, unsigned *second, unsigned *third)
{
    char format[40];

    enum hk_status status = receive_line(d, s);
    if (status != HK_OK)
        return status;
    char *end = memchr(s->leader.output.data, '\n', s->leader.output.bytes);
    *end = '\0';
    *third = 0;
    snprintf(format, sizeof format, "%s %%lf %%u %%u", word);
    const bool good = sscanf(s->leader.output.data, format, first, second, third) >= 2 &&
                      isfinite(*first) && *first > 0;
    *end = '\n';
    if (!good) {
        status = take_launch(d, s);
        return status == HK_OK ? fail(d, HK_EIO, "side %s ended too early", s->name) : status;
    }
    drop_line(s);
    return HK_OK;
}

static enum hk_status send_line(struct duel *d, struct side *s, const char *line)
{
    return hk_write_all(s->leader.fd, line, strlen(line)) == HK_OK
               ? HK_OK
               : fail(d, HK_EIO, "side %s is gone", s->name);
}

/* --- rounds ------------------------------------------------------------------------------ */

/* Asks for the epoch's number of operations, together or one by one. */
static enum hk_status run_epoch(struct duel *d, unsigned side, const char *word, double *value,
                                unsigned *kept)
{
    struct side *s = &d->sides[side];
    char line[64];
    unsigned ignored;

    snprintf(line, sizeof line, "%s %llu\n", word, (unsigned long long)d->operations);
    const enum hk_status status = send_line(d, s, line);
    return status == HK_OK ? take_numbers(d, s, word, value, kept, &ignored) : status;
}

/* Two rounds in ABBA or BAAB order: what drifts linearly hits both alike. */
static enum hk_status run_rounds(struct duel *d, unsigned first)
{
    const unsigned order[4] = {first, 1 - first, 1 - first, first};
    double ns[4];
    unsigned kept[4];

    for (size_t i = 0; i < 4; i++) {
        const enum hk_status status = run_epoch(d, order[i], HK_EPOCHS_EPOCH, &ns[i], &kept[i]);
        if (status != HK_OK)
            return status;
        ns[i] /= (double)d->operations;
    }
    for (size_t i = 0; i < 4; i += 2) {
        const size_t a = order[i] == 0 ? i : i + 1, b = order[i] == 0 ? i + 1 : i;
        d->ns[0][d->all_count] = ns[a];
        d->ns[1][d->all_count] = ns[b];
        d->all[d->all_count++] = log(ns[b] / ns[a]);
        if (kept[a] && kept[b])
            d->kept[d->kept_count++] = log(ns[b] / ns[a]);
    }
    return HK_OK;
}

static bool both_know(const struct duel *d, unsigned what)
{
    return (d->sides[0].knows & d->sides[1].knows & what) != 0;
}

/*
 * Operations of either side, each timed by itself: for the quantiles. A side stops at a limit of
 * time, so what it says is how many there were, and one may have done fewer than the other.
 */
static enum hk_status run_singles(struct duel *d, unsigned first)
{
    double count;
    unsigned ignored;

    if (!both_know(d, HK_EPOCHS_KNOWS_SINGLE))
        return HK_OK;
    const enum hk_status status = run_epoch(d, first, HK_EPOCHS_SINGLE, &count, &ignored);
    return status == HK_OK ? run_epoch(d, 1 - first, HK_EPOCHS_SINGLE, &count, &ignored) : status;
}

static uint64_t common_multiple(uint64_t a, uint64_t b)
{
    uint64_t x = a, y = b;

    while (y != 0) {
        const uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

/* As many as fill an epoch, if one takes so long. */
static uint64_t operations_in_epoch(const struct duel *d, double operation_ns)
{
    const uint64_t step = common_multiple(d->sides[0].step, d->sides[1].step);

    return hk_block_operations(operation_ns, d->plan->epoch_ns, (uint32_t)step);
}

/* On a busy machine a side may have warmed up beside others, and say what is far too long. */
static void correct_operations(struct duel *d)
{
    double least_ns = INFINITY;

    for (size_t i = 0; i < d->all_count; i++)
        least_ns = fmin(least_ns, fmin(d->ns[0][i], d->ns[1][i]));
    const uint64_t operations = operations_in_epoch(d, least_ns);
    d->operations = operations > d->operations ? operations : d->operations;
}

/* Another number of system calls than claimed is a finding of the comparison, and no failure. */
static enum hk_status excuse(struct duel *d, struct side *s, enum hk_status status)
{
    const char *reason = s->launch.reason;

    if (status != HK_EROW || reason == NULL || strstr(reason, "_syscalls_per_op") == NULL)
        return status;
    snprintf(d->breach, sizeof d->breach, "side %s: %.400s", s->name, reason);
    return hk_launch_set_state(&s->launch, HK_LAUNCH_OK, NULL);
}

/* Both sides verify what they did. */
static enum hk_status say_end(struct duel *d)
{
    const bool counts = d->plan->index % LAUNCHES_PER_COUNT == 0;

    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &d->sides[i];
        enum hk_status status =
            send_line(d, s, counts && both_know(d, HK_EPOCHS_KNOWS_COUNT) ? HK_EPOCHS_COUNT "\n"
                                                                          : HK_EPOCHS_END "\n");
        if (status == HK_OK)
            status = receive_line(d, s);
        if (status == HK_OK)
            status = excuse(d, s, take_launch(d, s));
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* --- what comes of it ----------------------------------------------------------------------- */

static enum hk_status report_rounds(struct duel *d, struct hk_duel *duel)
{
    duel->kept = (uint32_t)d->kept_count;
    duel->disturbed = d->kept_count < ROUNDS_MIN;
    double *values = duel->disturbed ? d->all : d->kept;
    const size_t n = duel->disturbed ? d->all_count : d->kept_count;
    struct hk_estimate mean;

    if (n < ROUNDS_MIN)
        return fail(d, HK_ENOISE, "%zu rounds; a launch needs %d", n, ROUNDS_MIN);
    if (hk_mean_estimate(values, n, &mean) == HK_OK)
        duel->sd_within = mean.standard_error * sqrt((double)n);
    enum hk_status status = hk_sample_sort(values, n);
    if (status == HK_OK)
        status = hk_quantile(values, n, 0.5, &duel->log_ratio);
    for (unsigned i = 0; i < 2 && status == HK_OK; i++) {
        status = hk_sample_sort(d->ns[i], d->all_count);
        if (status == HK_OK)
            status = hk_quantile(d->ns[i], d->all_count, 0.5, &duel->ns[i]);
        if (status == HK_OK)
            status = hk_launch_add_counter(&d->sides[i].launch, "cost_ns", duel->ns[i]);
    }
    return status;
}

/* The launches are the caller's from here on. */
static void give_launches(struct duel *d, struct hk_duel *duel)
{
    memcpy(duel->breach, d->breach, sizeof duel->breach);
    for (unsigned i = 0; i < 2; i++) {
        duel->launches[i] = d->sides[i].launch;
        duel->launches[i].index = d->plan->index;
        d->sides[i].launch = (struct hk_launch){0};
    }
}

static enum hk_status fight_rounds(struct duel *d, struct hk_duel *duel)
{
    const uint64_t seed = hk_mix(d->plan->seed, d->plan->index);
    enum hk_status status = HK_OK;

    for (uint32_t r = 0; r + 1 < d->plan->rounds && r + 1 < ROUNDS_MAX && status == HK_OK; r += 2) {
        const unsigned first = (unsigned)(hk_mix(seed, r) & 1);
        status = run_rounds(d, first);
        if (r == 0)
            correct_operations(d);
        if (status == HK_OK && r % ROUNDS_PER_SINGLE == 0)
            status = run_singles(d, first);
    }
    if (status == HK_OK)
        status = say_end(d);
    return status == HK_OK ? report_rounds(d, duel) : status;
}

/* Whole launches, first the one side, then the other. */
static enum hk_status fight_whole(struct duel *d, struct hk_duel *duel)
{
    const unsigned first = (unsigned)(hk_mix(d->plan->seed, d->plan->index) & 1);

    d->patience_ns = whole_ns;
    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &d->sides[i == 0 ? first : 1 - first];
        enum hk_status status = send_line(d, s, HK_EPOCHS_WHOLE "\n");
        if (status == HK_OK)
            status = receive_line(d, s);
        if (status == HK_OK)
            status = take_launch(d, s);
        if (status != HK_OK)
            return status;
    }
    if (hk_launch_time_ns(&d->sides[0].launch, &duel->ns[0]) &&
        hk_launch_time_ns(&d->sides[1].launch, &duel->ns[1]) && duel->ns[0] > 0 && duel->ns[1] > 0)
        duel->log_ratio = log(duel->ns[1] / duel->ns[0]);
    return HK_OK;
}

static enum hk_status fight(struct duel *d, struct hk_duel *out)
{
    struct hk_duel duel = {.log_ratio = NAN, .sd_within = NAN, .ns = {NAN, NAN}};
    const enum hk_status status = both_know(d, HK_EPOCHS_KNOWS_WHOLE) ? fight_whole(d, &duel)
                                                                      : fight_rounds(d, &duel);

    if (status == HK_OK) {
        give_launches(d, &duel);
        *out = duel;
    }
    return status;
}

void hk_duel_fini(struct hk_duel *duel)
{
    hk_launch_fini(&duel->launches[0]);
    hk_launch_fini(&duel->launches[1]);
}

static enum hk_status start_side(struct duel *d, unsigned i)
{
    const uint64_t seed = hk_mix(hk_mix(d->plan->seed, d->plan->index), 1000 + i);
    char text[24];
    const char *const command[] = {d->plan->programs[i], "epochs", d->plan->cell, text, NULL};
    const struct hk_spawn_options options = {.command = command, .seed = seed};

    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    d->sides[i].name = i == 0 ? "A" : "B";
    return hk_leader_start(&options, &d->sides[i].leader);
}

/* One after the other: side by side, on one CPU, neither would find out what it takes. */
static enum hk_status start_sides(struct duel *d, bool started[2])
{
    const unsigned first = (unsigned)(hk_mix(d->plan->seed, d->plan->index) >> 1 & 1);
    enum hk_status status = HK_OK;

    for (unsigned i = 0; i < 2 && status == HK_OK; i++) {
        struct side *s = &d->sides[i == 0 ? first : 1 - first];
        unsigned step = 0;
        status = start_side(d, (unsigned)(s - d->sides));
        started[s - d->sides] = status == HK_OK;
        if (status == HK_OK)
            status = take_numbers(d, s, HK_EPOCHS_READY, &s->operation_ns, &step, &s->knows);
        s->step = step == 0 ? 1 : step;
    }
    if (status == HK_OK)
        d->operations = operations_in_epoch(
            d, sqrt(d->sides[0].operation_ns * d->sides[1].operation_ns));
    return status;
}

enum hk_status hk_duel_run(const struct hk_duel_plan *plan, struct hk_duel *duel,
                           char error[HK_TEXT_BYTES])
{
    struct duel *d = calloc(1, sizeof *d);
    bool started[2] = {false, false};

    if (d == NULL)
        return HK_ENOMEM;
    d->plan = plan;
    d->patience_ns = answer_ns;
    d->error = error;
    error[0] = '\0';
    enum hk_status status = start_sides(d, started);
    if (status == HK_OK)
        status = fight(d, duel);
    for (unsigned i = 0; i < 2; i++) {
        if (started[i])
            hk_leader_end(&d->sides[i].leader);
        hk_bytes_fini(&d->sides[i].leader.output);
        hk_launch_fini(&d->sides[i].launch);
    }
    if (status != HK_OK && error[0] == '\0')
        snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(status));
    free(d);
    return status;
}
