/* SPDX-License-Identifier: MIT */
/*
 * One client uses a file: of the kernel's, of our own file system in process, of the same one
 * in a server. What a row claims of requests at the server is counted over all of a launch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/path/file.h"
#include "timed.h"

/*
 * F4 trains on the first, which is next to nothing, and every second; it is tested on the
 * others, and on the last four.
 */
static const unsigned sizes[] = {1,      4096,   8192,    16384, 32768, 65536,  131072,
                                 262144, 524288, 1048576, 24576, 49152, 196608, 786432};

/* Sizes of a row: none (an operation without data), or how many of the table. */
enum extent { ONE = 0, FEW = 3, BLOCKS = 7, ALL = 10, DENSE = 14 };

struct row {
    const char *kind;
    const char *keys; /* service and how it is used */
    enum extent extent;
    int quick; /* sizes of the quick run: the first so many of quick_sizes */
};

static const unsigned quick_sizes[] = {4096, 65536};

static const struct row rows[] = {
    {"file_read", "memfs", ALL, 2},
    {"file_read", "tmpfs", DENSE, 2},
    {"file_read", "ext4/cache:kept", FEW, 0},
    {"file_read", "ext4/cache:direct", FEW, 0},
    {"file_read", "fuse/cache:kept", ALL, 1},
    {"file_read", "fuse/cache:direct", DENSE, 2},
    {"file_read", "fuse/cache:direct/reply:splice", DENSE, 0},
    {"file_read", "fuse/cache:passthrough", FEW, 0},
    {"file_read", "fuse/cache:direct/place:cross_core", FEW, 0},
    {"file_write", "memfs", ALL, 0},
    {"file_write", "tmpfs", ALL, 0},
    {"file_write", "ext4/cache:kept", FEW, 0},
    {"file_write", "ext4/cache:direct", FEW, 0},
    {"file_write", "fuse/cache:kept", FEW, 0},
    {"file_write", "fuse/cache:writeback", FEW, 0},
    {"file_write", "fuse/cache:passthrough", FEW, 0},
    {"file_write", "fuse/cache:direct", ALL, 0},
    {"file_stat", "memfs", ONE, 0},
    {"file_stat", "tmpfs", ONE, 1},
    {"file_stat", "ext4/cache:kept", ONE, 0},
    {"file_stat", "fuse/cache:kept", ONE, 0},
    {"file_stat", "fuse/cache:direct", ONE, 1},
    {"file_stat", "fuse/cache:direct/place:cross_core", ONE, 0},
    {"file_lookup", "memfs", ONE, 0},
    {"file_lookup", "tmpfs", ONE, 0},
    {"file_lookup", "ext4/cache:kept", ONE, 0},
    {"file_lookup", "fuse/cache:kept", ONE, 0},
    {"file_lookup", "fuse/cache:direct", ONE, 0},
    {"block_read", "loop", BLOCKS, 3},
    {"block_read", "nbd", BLOCKS, 3},
    {"block_read", "nbd/place:cross_core", FEW, 0},
    {"block_read", "ublk", FEW, 0},
};

/* A page, 64 KiB, 1 MiB, of the table above. */
static const unsigned few_sizes[] = {4096, 65536, 1048576};

/* F3 judges the first five; the others are of many segments, and of many requests. */
static const unsigned block_sizes[] = {4096, 8192, 32768, 24576, 49152, 65536, 1048576};

/* The sizes of a row, of which the first so many are asked for. */
static const unsigned *row_sizes(const struct row *r, bool full)
{
    if (r->extent == BLOCKS)
        return block_sizes;
    if (!full)
        return quick_sizes;
    return r->extent == FEW ? few_sizes : sizes;
}

static enum hk_status add_row(const struct row *r, enum hk_run_mode mode, hk_cell_adder *add,
                              void *context)
{
    const bool full = mode == HK_RUN_FULL;
    const unsigned *bytes = row_sizes(r, full);
    const size_t count = full ? (size_t)r->extent : (size_t)r->quick;
    enum hk_status status = HK_OK;

    if (r->extent == ONE)
        return full || r->quick > 0 ? add(context, "native/%s/%s", r->kind, r->keys) : HK_OK;
    for (size_t i = 0; i < count && status == HK_OK; i++)
        if (strstr(r->keys, "splice") == NULL || bytes[i] > HK_PAGE_BYTES) /* a page is copied */
            status = add(context, "native/%s/%s/bytes:%u", r->kind, r->keys, bytes[i]);
    return status;
}

static enum hk_status expand(const char *kind, enum hk_run_mode mode, hk_cell_adder *add,
                             void *context)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(rows) && status == HK_OK; i++)
        if (strcmp(rows[i].kind, kind) == 0)
            status = add_row(&rows[i], mode, add, context);
    return status;
}

static enum hk_status expand_file_read(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    return expand("file_read", mode, add, context);
}

static enum hk_status expand_block_read(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    return expand("block_read", mode, add, context);
}

static enum hk_status expand_file_write(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    return expand("file_write", mode, add, context);
}

static enum hk_status expand_file_stat(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    return expand("file_stat", mode, add, context);
}

static enum hk_status expand_file_lookup(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    return expand("file_lookup", mode, add, context);
}

/* --- a launch --------------------------------------------------------------------------- */

struct file_state {
    struct hk_file file;
    uint64_t operations;      /* of run since the file was entered */
    uint64_t requests_before; /* at the server by then */
};

static enum hk_status read_name(struct hk_task *task, const struct hk_file_service **service,
                                struct hk_file_options *options)
{
    char kind[24], name[24], text[24], reply[24] = "bytes";

    if (hk_name_part(task->name, 1, kind, sizeof kind) != HK_OK || strchr(kind, '_') == NULL ||
        hk_file_operation_find(strchr(kind, '_') + 1, &options->operation) != HK_OK ||
        hk_name_part(task->name, 2, name, sizeof name) != HK_OK ||
        hk_file_service_find(name, service) != HK_OK)
        return hk_task_refuse(task, HK_ENOENT, "no such file service; hkbench list --full shows "
                              "them");
    options->cache = (enum hk_file_cache)__builtin_ctz((*service)->caches); /* its first */
    hk_name_text(task->name, "reply", reply, sizeof reply);
    if (hk_name_text(task->name, "cache", text, sizeof text) == HK_OK &&
        hk_file_cache_find(text, &options->cache) != HK_OK)
        return hk_task_refuse(task, HK_EINVAL, "no cache is called %s", text);
    options->splice = strcmp(reply, "splice") == 0;
    const int64_t bytes = hk_task_int(task, "bytes", HK_PAGE_BYTES);
    options->bytes = bytes < 0 ? 0 : (size_t)bytes;
    return HK_OK;
}

/*
 * A request is two switches, and two system calls of the server: it reads and it replies.
 * What the kernel answers needs none.
 */
static void set_expectation(struct hk_task *task, const struct hk_file *file)
{
    const struct hk_file_claim claim = hk_file_claim(file->service, &file->options);
    const bool small = file->options.bytes <= HK_PAGE_BYTES; /* one request, in one piece */

    task->expected.client_syscalls_min = file->service->syscalls;
    task->expected.client_syscalls_max = file->service->syscalls;
    task->server_count = file->service->server ? 1 : 0;
    task->kernel_threads = file->service->kernel_threads;
    task->own_preemptions = file->service->preemptions;
    if (claim.requests_min < 1)
        return;
    task->expected.switches_min = 2 * claim.requests_min;
    if (small && task->cpus[0] == task->cpus[1] && !task->kernel_threads)
        task->expected.switches_max = 2 * claim.requests_min;
    task->expected.server_syscalls_min = (file->options.splice ? 3 : 2) * claim.requests_min;
    if (small)
        task->expected.server_syscalls_max = 2 * claim.requests_min;
}

static enum hk_status open_task(struct hk_task *task)
{
    const struct hk_file_service *service;
    struct hk_file_options options = {0};

    enum hk_status status = read_name(task, &service, &options);
    if (status == HK_OK)
        status = hk_task_place(task);
    if (status != HK_OK)
        return status;
    struct file_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return HK_ENOMEM;
    task->state = s;
    status = hk_file_init(&s->file, service, &options, task->reason);
    if (status == HK_OK)
        set_expectation(task, &s->file);
    return status;
}

static void close_task(struct hk_task *task)
{
    struct file_state *s = task->state;

    if (s == NULL)
        return;
    hk_file_fini(&s->file);
    free(s);
    task->state = NULL;
}

static enum hk_status serve(struct hk_task *task, size_t server)
{
    struct file_state *s = task->state;

    (void)server;
    return hk_file_serve(&s->file);
}

static enum hk_status enter(struct hk_task *task)
{
    struct file_state *s = task->state;
    const enum hk_status status = hk_file_enter(&s->file, task->reason);

    s->operations = 0;
    s->requests_before = hk_file_requests(&s->file);
    return status;
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    struct file_state *s = task->state;

    s->operations += n;
    return hk_file_run(&s->file, n);
}

static enum hk_status verify(struct hk_task *task)
{
    struct file_state *s = task->state;

    return hk_file_verify(&s->file, task->reason);
}

/* Requests per operation so far, against the claim: a hit of a cache is no visit to the server. */
static enum hk_status check_requests(struct file_state *s, double per_operation,
                                     struct hk_launch *launch)
{
    static const double slack = 0.01; /* the file's opening and closing words */
    const struct hk_file_claim claim = hk_file_claim(s->file.service, &s->file.options);
    char reason[HK_TEXT_BYTES];

    if (launch->state != HK_LAUNCH_OK ||
        (per_operation >= claim.requests_min - slack &&
         (claim.requests_max < 0 || per_operation <= claim.requests_max + slack)))
        return HK_OK;
    snprintf(reason, sizeof reason, "%.3g requests of an operation reached the server, claimed are "
             "%.3g%s: the row did something else", per_operation, claim.requests_min,
             claim.requests_max < 0 ? " or more" : "");
    return hk_launch_set_state(launch, HK_LAUNCH_INVALID, reason);
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    struct file_state *s = task->state;

    enum hk_status status = hk_timed_measure(task, launch);
    if (status != HK_OK || !s->file.service->server)
        return status;
    const double requests = (double)(hk_file_requests(&s->file) - s->requests_before);
    const double per_operation = requests / (double)s->operations;
    status = hk_launch_add_counter(launch, "hk_requests_per_op", per_operation);
    return status == HK_OK ? check_requests(s, per_operation, launch) : status;
}

/* The server ends when the mount does. */
static enum hk_status leave(struct hk_task *task)
{
    struct file_state *s = task->state;

    hk_file_fini(&s->file);
    return HK_OK;
}

#define FILE_EXPERIMENT(about, operation, text)                                                   \
    const struct hk_experiment hk_experiment_##about##_##operation = {                            \
        .kind = #about "_" #operation, .summary = text, .expand = expand_##about##_##operation,   \
        .open = open_task, .close = close_task, .serve = serve, .enter = enter, .run = run,       \
        .verify = verify, .leave = leave, .measure = measure,                                     \
    }

FILE_EXPERIMENT(file, read,
                "a file read from its beginning: in process, by the kernel, by a server");
FILE_EXPERIMENT(file, write,
                "a file written from its beginning: in process, by the kernel, by a server");
FILE_EXPERIMENT(file, stat, "attributes of an open file: in process, by the kernel, by a server");
FILE_EXPERIMENT(file, lookup, "a file looked up by name: in process, by the kernel, by a server");
FILE_EXPERIMENT(block, read,
                "a block device read past the cache: the kernel's own, or in a server");
