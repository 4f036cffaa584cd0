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

/* An answer comes after an epoch, or after opening and warming up. */
static const uint64_t answer_ns = 20ull * HK_NS_PER_S;

struct side {
    struct hk_leader leader;
    const char *name; /* "A", "B" */
    double operation_ns;
    uint64_t step;
};

struct duel {
    const struct hk_duel_plan *plan;
    struct side sides[2];
    uint64_t operations; /* per epoch, the same on both sides */
    size_t all_count;
    size_t kept_count;
    double all[ROUNDS_MAX]; /* ln(t_B / t_A) per round */
    double kept[ROUNDS_MAX];
    double ns[2][ROUNDS_MAX]; /* per operation */
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
    const uint64_t deadline_ns = hk_monotonic_ns() + answer_ns;
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
    struct hk_launch launch;
    size_t used;

    if (hk_wire_decode(s->leader.output.data, s->leader.output.bytes, &launch, &used) != HK_OK)
        return fail(d, HK_EIO, "side %s answers what is no answer", s->name);
    const enum hk_status status = status_of(launch.state);
    if (status != HK_OK)
        fail(d, status, "side %s: %.400s", s->name, launch.reason != NULL ? launch.reason : "");
    hk_launch_fini(&launch);
    return status;
}

/* Reads "<word> NUMBER NUMBER". A launch instead ends the duel. */
static enum hk_status take_numbers(struct duel *d, struct side *s, const char *word,
                                   double *first, unsigned *second)
{
    char format[32];

    enum hk_status status = receive_line(d, s);
    if (status != HK_OK)
        return status;
    char *end = memchr(s->leader.output.data, '\n', s->leader.output.bytes);
    *end = '\0';
    snprintf(format, sizeof format, "%s %%lf %%u", word);
    const bool good = sscanf(s->leader.output.data, format, first, second) == 2 &&
                      isfinite(*first) && *first > 0;
    *end = '\n';
    if (!good) {
        status = take_launch(d, s);
        return status == HK_OK ? fail(d, HK_EIO, "side %s ended too early", s->name) : status;
    }
    drop_line(s);
    return HK_OK;
}

/* --- rounds ------------------------------------------------------------------------------ */

static enum hk_status run_epoch(struct duel *d, unsigned side, double *ns, bool *kept)
{
    struct side *s = &d->sides[side];
    char line[64];
    double elapsed_ns;
    unsigned keep;
    const int length = snprintf(line, sizeof line, HK_EPOCHS_EPOCH " %llu\n",
                                (unsigned long long)d->operations);

    if (hk_write_all(s->leader.fd, line, (size_t)length) != HK_OK)
        return fail(d, HK_EIO, "side %s is gone", s->name);
    const enum hk_status status = take_numbers(d, s, HK_EPOCHS_EPOCH, &elapsed_ns, &keep);
    *ns = elapsed_ns / (double)d->operations;
    *kept = keep != 0;
    return status;
}

/* Two rounds in ABBA or BAAB order: what drifts linearly hits both alike. */
static enum hk_status run_rounds(struct duel *d, unsigned first)
{
    const unsigned order[4] = {first, 1 - first, 1 - first, first};
    double ns[4];
    bool kept[4];

    for (size_t i = 0; i < 4; i++) {
        const enum hk_status status = run_epoch(d, order[i], &ns[i], &kept[i]);
        if (status != HK_OK)
            return status;
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

static enum hk_status get_ready(struct duel *d)
{
    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &d->sides[i];
        unsigned step;
        const enum hk_status status =
            take_numbers(d, s, HK_EPOCHS_READY, &s->operation_ns, &step);
        if (status != HK_OK)
            return status;
        s->step = step == 0 ? 1 : step;
    }
    const struct side *s = d->sides;
    d->operations = hk_block_operations(sqrt(s[0].operation_ns * s[1].operation_ns),
                                        d->plan->epoch_ns,
                                        (uint32_t)common_multiple(s[0].step, s[1].step));
    return HK_OK;
}

/* Both sides verify what they did. */
static enum hk_status say_end(struct duel *d)
{
    static const char line[] = HK_EPOCHS_END "\n";

    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &d->sides[i];
        enum hk_status status = hk_write_all(s->leader.fd, line, sizeof line - 1);
        if (status == HK_OK)
            status = receive_line(d, s);
        if (status == HK_OK)
            status = take_launch(d, s);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status report(struct duel *d, struct hk_duel *out)
{
    struct hk_duel duel = {.kept = (uint32_t)d->kept_count, .disturbed = d->kept_count < ROUNDS_MIN};
    double *values = duel.disturbed ? d->all : d->kept;
    const size_t n = duel.disturbed ? d->all_count : d->kept_count;
    struct hk_estimate mean;

    if (n < ROUNDS_MIN)
        return fail(d, HK_ENOISE, "%zu rounds; a launch needs %d", n, ROUNDS_MIN);
    if (hk_mean_estimate(values, n, &mean) == HK_OK)
        duel.sd_within = mean.standard_error * sqrt((double)n);
    enum hk_status status = hk_sample_sort(values, n);
    if (status == HK_OK)
        status = hk_quantile(values, n, 0.5, &duel.log_ratio);
    for (unsigned i = 0; i < 2 && status == HK_OK; i++) {
        status = hk_sample_sort(d->ns[i], d->all_count);
        if (status == HK_OK)
            status = hk_quantile(d->ns[i], d->all_count, 0.5, &duel.ns[i]);
    }
    if (status == HK_OK)
        *out = duel;
    return status;
}

static enum hk_status fight(struct duel *d, struct hk_duel *out)
{
    const uint64_t seed = hk_mix(d->plan->seed, d->plan->index);
    enum hk_status status = get_ready(d);

    for (uint32_t r = 0; r + 1 < d->plan->rounds && r + 1 < ROUNDS_MAX && status == HK_OK; r += 2)
        status = run_rounds(d, (unsigned)(hk_mix(seed, r) & 1));
    if (status == HK_OK)
        status = say_end(d);
    return status == HK_OK ? report(d, out) : status;
}

static enum hk_status start_side(struct duel *d, unsigned i)
{
    const uint64_t seed = hk_mix(hk_mix(d->plan->seed, d->plan->index), 1000 + i);
    char text[24];
    const char *const command[] = {d->plan->programs[i], "epochs", d->plan->cell, text, NULL};
    const struct hk_spawn_options options = {.command = command, .seed = seed};

    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    d->sides[i].name = i == 0 ? "A" : "B";
    d->error[0] = '\0';
    return hk_leader_start(&options, &d->sides[i].leader);
}

enum hk_status hk_duel_run(const struct hk_duel_plan *plan, struct hk_duel *duel,
                           char error[HK_TEXT_BYTES])
{
    struct duel *d = calloc(1, sizeof *d);
    const unsigned first = (unsigned)(hk_mix(plan->seed, plan->index) >> 1 & 1);
    bool started[2] = {false, false};
    enum hk_status status = HK_OK;

    if (d == NULL)
        return HK_ENOMEM;
    d->plan = plan;
    d->error = error;
    for (unsigned i = 0; i < 2 && status == HK_OK; i++) {
        const unsigned side = i == 0 ? first : 1 - first;
        status = start_side(d, side);
        started[side] = status == HK_OK;
    }
    if (status == HK_OK)
        status = fight(d, duel);
    for (unsigned i = 0; i < 2; i++) {
        if (started[i])
            hk_leader_end(&d->sides[i].leader);
        hk_bytes_fini(&d->sides[i].leader.output);
    }
    if (status != HK_OK && error[0] == '\0')
        snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(status));
    free(d);
    return status;
}
