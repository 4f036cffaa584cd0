/* SPDX-License-Identifier: MIT */
/*
 * The path that F5 describes, for real: each buffer of a message is remapped
 * into the receiver's window where it consists of whole, aligned pages, and
 * copied where it does not. With partial:1 the whole pages inside any buffer are
 * remapped and only head and tail are copied.
 *
 * The train trace is logged by class; the test trace, of another seed, is what
 * the formula has to predict. What a copy takes differs by half from launch to
 * launch, with the pages that a process gets and with the host. So a launch of the
 * test trace delivers a third one, the yardstick, message by message in turns with
 * its own: t_copy as it is there and then.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/stats/quantile.h"
#include "trace.h"

enum {
    MESSAGES = 20000, /* the mean of copied bytes is then known to 0.7 % in one launch */
    BLOCKS = 40,      /* of messages, each timed for itself */
    SLOTS = 64, /* source slots, visited in turn */
    SLOT_BYTES = (HK_TRACE_PAGES_MAX + 1) * HK_PAGE_BYTES,
    WINDOW_BYTES = HK_TRACE_BUFFERS_MAX * SLOT_BYTES,
};

static const char *const mixes[] = {"independent", "dependent", "uniform"};
static const char *const traces[] = {"train", "test"};

/* What one class of the trace was like. */
struct class_log {
    uint64_t messages;
    uint64_t buffers;
    uint64_t aligned;
    uint64_t sized;
    uint64_t mappable;
    uint64_t bytes;
};

/* What was delivered of one trace. */
struct delivered {
    uint64_t copied_bytes;
    uint64_t mapped_bytes;
    uint64_t copy_ticks[BLOCKS];
    uint64_t block_bytes[BLOCKS];
    uint64_t copies[BLOCKS];
    struct class_log log[HK_TRACE_CLASSES];
};

struct fallback {
    int fd;
    char *source;      /* SLOTS slots of the file, mapped */
    char *window;      /* the receiver's address range for remapped pages */
    char *copied;      /* the receiver's buffer for copied bytes */
    bool partial;
    size_t block;
    uint64_t wrong; /* buffers whose contents did not arrive */
};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    (void)mode; /* the same in both: a launch takes one to two seconds */
    for (size_t t = 0; t < HK_ARRAY_COUNT(traces) && status == HK_OK; t++) {
        for (size_t m = 0; m < HK_MIX_UNIFORM && status == HK_OK; m++)
            status = add(context, "native/fallback/mix:%s/trace:%s", mixes[m], traces[t]);
        if (status == HK_OK)
            status = add(context, "native/fallback/mix:uniform/trace:%s/partial:1", traces[t]);
    }
    return status;
}

static enum hk_status read_mix(struct hk_task *task, enum hk_trace_mix *mix)
{
    char name[16] = "";

    (void)hk_name_text(task->name, "mix", name, sizeof name);
    for (size_t m = 0; m < HK_ARRAY_COUNT(mixes); m++) {
        if (strcmp(mixes[m], name) == 0) {
            *mix = (enum hk_trace_mix)m;
            return HK_OK;
        }
    }
    return hk_task_refuse(task, HK_EINVAL, "mix is one of independent, dependent, uniform");
}

static bool is_test(const struct hk_task *task)
{
    char name[16] = "";

    (void)hk_name_text(task->name, "trace", name, sizeof name);
    return strcmp(name, "test") == 0;
}

static enum hk_status open_task(struct hk_task *task)
{
    enum hk_trace_mix mix;
    const enum hk_status status = read_mix(task, &mix);

    return status == HK_OK ? hk_task_place(task) : status;
}

static void close_task(struct hk_task *task)
{
    (void)task; /* measure releases what it acquires */
}

static char *map_file(int fd, size_t bytes)
{
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return at == MAP_FAILED ? NULL : at;
}

static enum hk_status acquire(struct fallback *f, const struct hk_task *task)
{
    f->partial = hk_task_int(task, "partial", 0) == 1;
    f->fd = memfd_create("hkbench-fallback", MFD_CLOEXEC);
    if (f->fd < 0 || ftruncate(f->fd, (off_t)SLOTS * SLOT_BYTES) != 0)
        return HK_ENOTSUP;
    f->source = map_file(f->fd, (size_t)SLOTS * SLOT_BYTES);
    f->window = map_file(f->fd, WINDOW_BYTES);
    f->copied = aligned_alloc(HK_PAGE_BYTES, SLOT_BYTES);
    if (f->source == NULL || f->window == NULL || f->copied == NULL)
        return HK_ENOMEM;
    hk_fill(f->source, (size_t)SLOTS * SLOT_BYTES, task->seed);
    memset(f->copied, 0, SLOT_BYTES);
    return HK_OK;
}

static void release(struct fallback *f)
{
    if (f->source != NULL)
        munmap(f->source, (size_t)SLOTS * SLOT_BYTES);
    if (f->window != NULL)
        munmap(f->window, WINDOW_BYTES);
    free(f->copied);
    if (f->fd >= 0)
        close(f->fd);
}

static void log_buffer(struct class_log *log, const struct hk_trace_buffer *b)
{
    const bool aligned = b->offset_bytes == 0;
    const bool sized = b->length_bytes % HK_PAGE_BYTES == 0;

    log->buffers++;
    log->aligned += aligned;
    log->sized += sized;
    log->mappable += aligned && sized;
    log->bytes += b->length_bytes;
}

/* The part of a buffer that can be remapped: [from, to) within its slot, empty when none. */
static void mappable_range(const struct fallback *f, const struct hk_trace_buffer *b, size_t *from,
                           size_t *to)
{
    const size_t end = b->offset_bytes + b->length_bytes;

    *from = (b->offset_bytes + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES * HK_PAGE_BYTES;
    *to = end / HK_PAGE_BYTES * HK_PAGE_BYTES;
    const bool whole = *from == b->offset_bytes && *to == end;
    if (*to <= *from || (!whole && !f->partial))
        *from = *to = end; /* nothing: all is copied */
}

/* Copies head and tail of one buffer; timed, since F5 predicts the time of copies alone. */
static void copy_rest(struct fallback *f, const struct hk_task *task, struct delivered *d,
                      const char *slot, const struct hk_trace_buffer *b, size_t from, size_t to)
{
    const size_t end = b->offset_bytes + b->length_bytes;
    const size_t head = from - b->offset_bytes;
    const size_t tail = end - to;

    if (head + tail == 0)
        return;
    const uint64_t start = hk_clock_start(&task->clock);
    memcpy(f->copied, slot + b->offset_bytes, head);
    memcpy(f->copied + head, slot + to, tail);
    __asm__ volatile("" : : "r"(f->copied) : "memory");
    d->copy_ticks[f->block] += hk_clock_stop(&task->clock) - start;
    d->copies[f->block]++;
    d->block_bytes[f->block] += head + tail;
    d->copied_bytes += head + tail;
    f->wrong += memcmp(f->copied, slot + b->offset_bytes, head) != 0;
    f->wrong += memcmp(f->copied + head, slot + to, tail) != 0;
}

static enum hk_status remap_pages(struct fallback *f, char *window, size_t slot_at, size_t from,
                                  size_t to)
{
    if (from == to)
        return HK_OK;
    if (mmap(window, to - from, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, f->fd,
             (off_t)(slot_at + from)) == MAP_FAILED)
        return HK_EIO;
    f->wrong += memcmp(window, f->source + slot_at + from, to - from) != 0;
    return HK_OK;
}

static enum hk_status deliver(struct fallback *f, const struct hk_task *task,
                              struct hk_trace *trace, uint64_t first_slot, struct delivered *d)
{
    struct hk_trace_message m;
    enum hk_status status = HK_OK;

    hk_trace_next(trace, &m);
    struct class_log *log = &d->log[m.class_index];
    log->messages++;
    for (uint32_t i = 0; i < m.buffer_count && status == HK_OK; i++) {
        const size_t slot_at = (size_t)((first_slot + i) % SLOTS) * SLOT_BYTES;
        size_t from = 0;
        size_t to = 0;
        log_buffer(log, &m.buffers[i]);
        mappable_range(f, &m.buffers[i], &from, &to);
        status = remap_pages(f, f->window + (size_t)i * SLOT_BYTES, slot_at, from, to);
        if (status == HK_OK)
            d->mapped_bytes += to - from;
        copy_rest(f, task, d, f->source + slot_at, &m.buffers[i], from, to);
    }
    return status;
}

static enum hk_status add_classes(const struct delivered *d, struct hk_launch *launch)
{
    /* Columns of the class log as the series that the formula's parameters are. */
    double weight[HK_TRACE_CLASSES];
    double buffers[HK_TRACE_CLASSES];
    double aligned[HK_TRACE_CLASSES];
    double sized[HK_TRACE_CLASSES];
    double mappable[HK_TRACE_CLASSES];
    double bytes[HK_TRACE_CLASSES];
    const struct {
        const char *name;
        const double *values;
    } columns[] = {
        {"class_weight_ratio", weight},  {"class_buffers_mean", buffers},
        {"class_aligned_ratio", aligned}, {"class_sized_ratio", sized},
        {"class_mappable_ratio", mappable}, {"class_length_bytes", bytes},
    };
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_TRACE_CLASSES; i++) {
        const struct class_log *l = &d->log[i];
        if (l->buffers == 0)
            return HK_ENOISE;
        weight[i] = (double)l->messages / MESSAGES;
        buffers[i] = (double)l->buffers / (double)l->messages;
        aligned[i] = (double)l->aligned / (double)l->buffers;
        sized[i] = (double)l->sized / (double)l->buffers;
        mappable[i] = (double)l->mappable / (double)l->buffers;
        bytes[i] = (double)l->bytes / (double)l->buffers;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(columns) && status == HK_OK; i++)
        status = hk_launch_add_series(launch, columns[i].name, columns[i].values,
                                      HK_TRACE_CLASSES);
    return status;
}

/*
 * Time of all copies: what a byte costs in an undisturbed block (the 10 % quantile,
 * as for every cost), times the bytes. A mean over everything would carry each
 * preemption that fell between two clock readings.
 */
static enum hk_status copy_time(const struct delivered *d, const struct hk_task *task,
                                double *all_ns)
{
    double per_byte_ns[BLOCKS];
    size_t blocks = 0;
    double low = 0;

    for (size_t i = 0; i < BLOCKS; i++) {
        if (d->block_bytes[i] == 0)
            continue;
        const double ns = hk_clock_ns(&task->clock, d->copy_ticks[i]) -
                          (double)d->copies[i] * task->clock.read_ns;
        per_byte_ns[blocks++] = ns / (double)d->block_bytes[i];
    }
    enum hk_status status = hk_sample_sort(per_byte_ns, blocks);
    if (status == HK_OK)
        status = hk_quantile(per_byte_ns, blocks, 0.1, &low);
    *all_ns = low * (double)d->copied_bytes;
    return status;
}

static enum hk_status report(const struct delivered *d, const struct hk_task *task,
                             struct hk_launch *launch)
{
    double all_ns = 0;
    enum hk_status status = copy_time(d, task, &all_ns);
    const struct {
        const char *name;
        double value;
    } counters[] = {
        {"messages_count", MESSAGES},
        {"copied_bytes_per_message", (double)d->copied_bytes / MESSAGES},
        {"mapped_bytes_per_message", (double)d->mapped_bytes / MESSAGES},
        {"copy_ns_per_message", all_ns / MESSAGES},
        {"cost_ns", all_ns / MESSAGES},
    };

    for (size_t i = 0; i < HK_ARRAY_COUNT(counters) && status == HK_OK; i++)
        status = hk_launch_add_counter(launch, counters[i].name, counters[i].value);
    return status == HK_OK ? add_classes(d, launch) : status;
}

static enum hk_status report_yardstick(const struct delivered *d, const struct hk_task *task,
                                       struct hk_launch *launch)
{
    double all_ns = 0;
    uint64_t copies = 0;
    const enum hk_status status = copy_time(d, task, &all_ns);

    for (size_t i = 0; i < BLOCKS; i++)
        copies += d->copies[i];
    if (status != HK_OK || copies == 0)
        return status == HK_OK ? HK_ENOISE : status;
    return hk_launch_add_counter(launch, "yardstick_copy_ns", all_ns / (double)copies);
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    struct fallback f = {.fd = -1};
    struct hk_trace trace;
    struct hk_trace yardstick;
    struct delivered own = {0};
    struct delivered reference = {0};
    enum hk_trace_mix mix = HK_MIX_INDEPENDENT;
    const bool in_turns = is_test(task);
    enum hk_status status = read_mix(task, &mix);

    if (status == HK_OK)
        status = acquire(&f, task);
    /*
     * The seed is the launch's own, so no two traces are the same. Of the slots, which
     * both visit in turn, they are half a round apart: none finds them warmer.
     */
    hk_trace_init(&trace, mix, task->seed);
    hk_trace_init(&yardstick, mix, ~task->seed);
    for (uint64_t i = 0; i < MESSAGES && status == HK_OK; i++) {
        const uint64_t slot = i * HK_TRACE_BUFFERS_MAX;
        f.block = i * BLOCKS / MESSAGES;
        status = deliver(&f, task, &trace, slot, &own);
        if (status == HK_OK && in_turns)
            status = deliver(&f, task, &yardstick, slot + SLOTS / 2, &reference);
    }
    if (status == HK_OK && f.wrong > 0)
        status = hk_task_refuse(task, HK_EROW, "%llu buffers arrived damaged",
                                (unsigned long long)f.wrong);
    if (status == HK_OK)
        status = report(&own, task, launch);
    if (status == HK_OK && in_turns)
        status = report_yardstick(&reference, task, launch);
    release(&f);
    return status;
}

const struct hk_experiment hk_experiment_fallback = {
    .kind = "fallback",
    .summary = "messages whose buffers are remapped where possible and copied where not",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .measure = measure,
};
