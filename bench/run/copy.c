/* SPDX-License-Identifier: MIT */
/*
 * memcpy between places that lie in a given level of the memory hierarchy. The state is
 * made by cycling through an arena of a size that only that level holds, in an order that
 * prefetchers do not guess.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/units.h"

struct state_row {
    const char *name;
    int level;   /* of the cache that holds the arena, or that must not */
    int below;   /* level that must not hold it; 0: none */
    double fill; /* arena / size of the level */
};

/* DRAM: an arena four times the last level. */
static const struct state_row states[] = {
    {"l1", 1, 0, 0.5},
    {"l2", 2, 1, 0.5},
    {"llc", 3, 2, 0.25},
    {"dram", 3, 3, 4.0},
};

static const int bytes[] = {64, 1024, 4096, 16384, 65536, 262144, 1048576};

static const size_t arena_bytes_max = (size_t)256 * HK_MIB;

struct arena {
    unsigned char *memory; /* first half is copied from, second half to */
    size_t bytes;          /* of one copy */
    size_t half_bytes;
    size_t slot_count;     /* copies per half */
    size_t next;
    uint32_t *order;       /* of the slots */
};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (size_t s = 0; s < HK_ARRAY_COUNT(states); s++)
        for (size_t b = 0; b < HK_ARRAY_COUNT(bytes) && status == HK_OK; b++) {
            /* A copy of a size that two of do not fit has another state than its name. */
            if ((s == 0 && bytes[b] > 4096) || (s == 1 && bytes[b] > 65536))
                continue;
            if (mode == HK_RUN_QUICK && (b % 2 == 1 || bytes[b] > 262144))
                continue;
            status = add(context, "native/copy/memcpy/state:%s/bytes:%d", states[s].name,
                         bytes[b]);
        }
    return status;
}

static bool read_cache_file(int index, const char *file, char *text, size_t capacity)
{
    char path[96];

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, file);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    const bool got = fgets(text, (int)capacity, f) != NULL;
    fclose(f);
    return got;
}

/*
 * Size of a data cache of the first CPU; 0 when unknown. A virtual machine may hide it from
 * /sys and yet not from the processor's own description, which sysconf reads; of a last level
 * that gives what all its parts have together, and is not used.
 */
static size_t cache_bytes(int level)
{
    static const int names[] = {[1] = _SC_LEVEL1_DCACHE_SIZE, [2] = _SC_LEVEL2_CACHE_SIZE};
    char text[32];
    long found = 0;

    for (int index = 0; read_cache_file(index, "level", text, sizeof text); index++) {
        if (atoi(text) != level || !read_cache_file(index, "type", text, sizeof text) ||
            strncmp(text, "Instruction", 11) == 0 ||
            !read_cache_file(index, "size", text, sizeof text))
            continue;
        return (size_t)strtoull(text, NULL, 10) * HK_KIB;
    }
    if ((size_t)level < HK_ARRAY_COUNT(names))
        found = sysconf(names[level]);
    return found > 0 ? (size_t)found : 0;
}

static const struct state_row *find_state(const struct hk_task *task)
{
    char name[16];

    if (hk_name_text(task->name, "state", name, sizeof name) != HK_OK)
        return NULL;
    for (size_t s = 0; s < HK_ARRAY_COUNT(states); s++)
        if (strcmp(states[s].name, name) == 0)
            return &states[s];
    return NULL;
}

static enum hk_status open_task(struct hk_task *task)
{
    const struct state_row *state = find_state(task);
    const int64_t copy_bytes = hk_task_int(task, "bytes", 0);
    struct arena *a = calloc(1, sizeof *a);

    if (a == NULL)
        return HK_ENOMEM;
    task->state = a;
    if (state == NULL || copy_bytes < 1)
        return hk_task_refuse(task, HK_EINVAL, "a state (l1, l2, llc, dram) and bytes are needed");
    const size_t level_bytes = cache_bytes(state->level);
    const size_t below_bytes = state->below != 0 ? cache_bytes(state->below) : 0;
    if (level_bytes == 0)
        return hk_task_refuse(task, HK_ENOTSUP, "this machine does not tell the size of its %s",
                              state->name);
    const double arena_bytes = state->fill * (double)level_bytes;
    a->bytes = (size_t)copy_bytes;
    a->half_bytes = (size_t)arena_bytes / 2 / HK_PAGE_BYTES * HK_PAGE_BYTES;
    if (a->half_bytes > arena_bytes_max / 2)
        a->half_bytes = arena_bytes_max / 2;
    if (2 * a->half_bytes < below_bytes || a->half_bytes < a->bytes)
        return hk_task_refuse(task, HK_ENOTSUP, "%s of this machine cannot hold that arena alone",
                              state->name);
    a->slot_count = a->half_bytes / a->bytes;
    return hk_task_place(task);
}

static void close_task(struct hk_task *task)
{
    free(task->state);
    task->state = NULL;
}

static void shuffle(struct arena *a, uint64_t seed)
{
    for (size_t i = 0; i < a->slot_count; i++)
        a->order[i] = (uint32_t)i;
    for (size_t i = a->slot_count; i > 1; i--) {
        const size_t j = hk_mix(seed, i) % i;
        const uint32_t swapped = a->order[i - 1];
        a->order[i - 1] = a->order[j];
        a->order[j] = swapped;
    }
}

static enum hk_status enter(struct hk_task *task)
{
    struct arena *a = task->state;

    a->order = malloc(a->slot_count * sizeof *a->order);
    void *memory = mmap(NULL, 2 * a->half_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (a->order == NULL || memory == MAP_FAILED)
        return HK_ENOMEM;
    a->memory = memory;
    /* Large pages where they are to be had: the copy is measured, not the TLB. */
    madvise(memory, 2 * a->half_bytes, MADV_HUGEPAGE);
    memset(memory, 1, 2 * a->half_bytes);
    shuffle(a, task->seed);
    return HK_OK;
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    struct arena *a = task->state;
    size_t next = a->next;

    for (uint64_t i = 0; i < n; i++) {
        const size_t at = a->order[next] * a->bytes;
        memcpy(a->memory + a->half_bytes + at, a->memory + at, a->bytes);
        __asm__ volatile("" : : "r"(a->memory) : "memory"); /* the copy must happen */
        if (++next == a->slot_count)
            next = 0;
    }
    a->next = next;
    return HK_OK;
}

static enum hk_status leave(struct hk_task *task)
{
    struct arena *a = task->state;

    if (a->memory != NULL)
        munmap(a->memory, 2 * a->half_bytes);
    free(a->order);
    a->memory = NULL;
    a->order = NULL;
    return HK_OK;
}

const struct hk_experiment hk_experiment_copy = {
    .kind = "copy",
    .summary = "memcpy by size and by the level of memory that holds the data",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .enter = enter,
    .run = run,
    .leave = leave,
};
