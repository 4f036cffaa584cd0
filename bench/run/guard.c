/* SPDX-License-Identifier: MIT */
/*
 * The guard on trial: does it drop the blocks that a neighbour shares, and keep those that nobody
 * does? A process that is not ours works on the CPU being measured, in pieces as long as a
 * scheduler's slice. Whether it was there during a block is told by its own CPU clock, and that
 * nobody was, by the block's process not having been switched: what the guard looks at is neither.
 */
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/counters/host.h"
#include "hk/counters/process.h"
#include "timed.h"

enum { BLOCKS = 400, EFFORTS = 10 /* as long as the blocks of so many cells */ };

/* Twice what the guard lets pass (docs/decisions/0171): at the edge, clocks decide. */
static const double shared_ratio_min = 2 * HK_GUARD_FOREIGN_RATIO_MAX;
/* The neighbour wants the CPU for so long at a time; how much of it the scheduler decides. */
static const uint64_t busy_ns = HK_NS_PER_MS;
static const struct timespec pause_between = {0, 3 * (long)HK_NS_PER_MS};

static const struct {
    const char *name;
    size_t neighbours;
} rows[] = {{"neighbour", 1}, {"quiet", 0}};

static const char *const places[] = {"same_core", "cross_core"};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    (void)mode;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++)
        for (size_t p = 0; p < HK_ARRAY_COUNT(places) && status == HK_OK; p++)
            status = add(context, "native/guard/%s/place:%s", rows[i].name, places[p]);
    return status;
}

static enum hk_status open_task(struct hk_task *task)
{
    char name[32];

    task->helper_count = HK_HELPERS_MAX; /* none of that name */
    if (hk_name_part(task->name, 2, name, sizeof name) == HK_OK)
        for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++)
            if (strcmp(rows[i].name, name) == 0)
                task->helper_count = rows[i].neighbours;
    if (task->helper_count == HK_HELPERS_MAX)
        return hk_task_refuse(task, HK_ENOENT, "no guard row of that name; hkbench list shows "
                              "them");
    return hk_task_place(task);
}

static void close_task(struct hk_task *task)
{
    (void)task;
}

static void neighbour(struct hk_task *task, size_t helper)
{
    (void)helper;
    if (hk_pin(task->cpus[0]) != HK_OK)
        return;
    for (;;) {
        const uint64_t end_ns = hk_monotonic_ns() + busy_ns;
        while (hk_monotonic_ns() < end_ns)
            ;
        nanosleep(&pause_between, NULL);
    }
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    (void)task;
    for (uint64_t i = 0; i < n; i++)
        __asm__ volatile("" ::: "memory");
    return HK_OK;
}

/* What the guard does not look at. */
struct truth {
    uint64_t neighbour_ns;
    uint64_t switches;
    uint64_t now_ns;
};

/* HK_ENOENT when the neighbour is gone. */
static enum hk_status neighbour_cpu_ns(const struct hk_task *task, uint64_t *cpu_ns)
{
    *cpu_ns = 0;
    return task->helper_count > 0 ? hk_process_cpu_ns(task->helper_pids[0], cpu_ns) : HK_OK;
}

static enum hk_status own_switches(uint64_t *switches)
{
    struct rusage own;

    if (getrusage(RUSAGE_SELF, &own) != 0)
        return HK_EIO;
    *switches = (uint64_t)(own.ru_nivcsw + own.ru_nvcsw);
    return HK_OK;
}

/* The clock around the neighbour's: a neighbour between the two was around the block, not in it. */
static enum hk_status look_before(const struct hk_task *task, struct truth *t)
{
    t->now_ns = hk_monotonic_ns();
    const enum hk_status status = own_switches(&t->switches);
    return status == HK_OK ? neighbour_cpu_ns(task, &t->neighbour_ns) : status;
}

static enum hk_status look_after(const struct hk_task *task, struct truth *t)
{
    const enum hk_status known = neighbour_cpu_ns(task, &t->neighbour_ns);
    const enum hk_status status = own_switches(&t->switches);

    t->now_ns = hk_monotonic_ns();
    return known == HK_OK ? status : known;
}

/* Blocks by what is true of them, and those of them that the guard dropped. */
struct counts {
    uint64_t shared;
    uint64_t shared_flagged;
    uint64_t quiet;
    uint64_t quiet_flagged;
};

static void count_block(const struct truth *before, const struct truth *after,
                        const struct hk_evidence *evidence, struct counts *c)
{
    const bool flagged = hk_guard_judge(evidence) != HK_GUARD_KEEP;
    /* The neighbour may have run between our looks and the block: that disturbs nothing. */
    const double around_ns =
        (double)(after->now_ns - before->now_ns) - (double)evidence->wall_ns;
    const double inside_ns = (double)(after->neighbour_ns - before->neighbour_ns) - around_ns;

    if (inside_ns > shared_ratio_min * (double)evidence->wall_ns) {
        c->shared++;
        c->shared_flagged += flagged;
    } else if (after->switches == before->switches) {
        c->quiet++;
        c->quiet_flagged += flagged;
    }
}

/* Until it has worked there, a neighbour may still be starting on another CPU. */
static bool has_arrived(const struct hk_task *task, const struct truth *t)
{
    return task->helper_count == 0 || t->neighbour_ns >= 2 * busy_ns;
}

static enum hk_status report(const struct counts *c, struct hk_launch *launch)
{
    const struct hk_counter counters[] = {
        {"hk_neighbour_blocks", (double)c->shared},
        {"hk_neighbour_flagged", (double)c->shared_flagged},
        {"hk_quiet_blocks", (double)c->quiet},
        {"hk_quiet_flagged", (double)c->quiet_flagged},
    };
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(counters) && status == HK_OK; i++)
        status = hk_launch_add_counter(launch, counters[i].name, counters[i].value);
    return status;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    const struct hk_surroundings before = hk_look_around(task);
    const bool watch_steal = before.has_host && before.host.steal_ns > 0;
    const uint64_t end_ns = hk_monotonic_ns() + EFFORTS * task->effort.blocks_ns_max;
    struct hk_task alone = *task;
    struct counts counts = {0};
    double operation_ns, elapsed_ns;

    alone.helper_count = 0; /* whose time is not ours */
    enum hk_status status = hk_timed_calibrate(task, task->effort.warm_ns, &operation_ns);
    const uint64_t n = hk_block_operations(operation_ns, task->effort.block_ns, 1);
    for (size_t i = 0; status == HK_OK && i < BLOCKS && hk_monotonic_ns() < end_ns; i++) {
        struct truth first, last;
        struct hk_evidence evidence;
        const bool known = look_before(task, &first) == HK_OK;
        status = hk_timed_witness(&alone, n, watch_steal, &elapsed_ns, &evidence);
        /* Of a block whose truth is not known, nothing is counted. */
        if (look_after(task, &last) == HK_OK && known && status == HK_OK &&
            has_arrived(task, &first))
            count_block(&first, &last, &evidence, &counts);
    }
    if (status == HK_OK)
        status = report(&counts, launch);
    return status == HK_OK ? hk_report_surroundings(task, &before, launch) : status;
}

const struct hk_experiment hk_experiment_guard = {
    .kind = "guard",
    .summary = "does the guard drop the blocks that a neighbour shares, and keep quiet ones",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .help = neighbour,
    .run = run,
    .measure = measure,
};
