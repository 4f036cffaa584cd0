/* SPDX-License-Identifier: MIT */
/*
 * The leader of a launch: opens what its tasks share, forks servers, helpers and
 * measuring processes, watches them, and answers with one launch per task.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "epochs.h"
#include "hk/base/units.h"
#include "hk/counters/floor.h"
#include "hk/counters/pace.h"
#include "hk/stats/quantile.h"
#include "pair.h"
#include "request.h"
#include "timed.h"

enum { FLOOR_BATCHES_MAX = 512, POLL_MS = 100, SERVER_GRACE_MS = 300 };

/* Time between forking and the common start of concurrent tasks. */
static const uint64_t start_delay_ns = 60 * HK_NS_PER_MS;

/* A side of a comparison waits for the other; and its clock is measured again in each launch. */
static const uint64_t epochs_deadline_ns = 600ull * HK_NS_PER_S;
static const uint64_t epochs_calibrate_ns = 5 * HK_NS_PER_MS;

struct lead {
    int fd; /* the runner */
    int channel_fd; /* the same for the measuring process, when epochs are asked for; or -1 */
    struct hk_request request;
    struct hk_task tasks[HK_TASKS_MAX];
    struct hk_launch launches[HK_TASKS_MAX];
    bool opened[HK_TASKS_MAX]; /* open succeeded: it is measured */
    double floor_before_ns;    /* 0: not measured */
    double floor_after_ns;
    double pace_before_ns;     /* 0: not measured */
    double pace_after_ns;
    struct hk_children children;
    uint64_t deadline_ns; /* CLOCK_MONOTONIC */
};

static enum hk_status read_request(struct lead *lead)
{
    unsigned char *at = (unsigned char *)&lead->request;
    size_t left = sizeof lead->request;

    while (left > 0) {
        const ssize_t n = read(lead->fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return HK_EPARSE;
        at += n;
        left -= (size_t)n;
    }
    const struct hk_request *r = &lead->request;
    if (r->magic != HK_REQUEST_MAGIC || r->bytes != sizeof *r || r->task_count == 0 ||
        r->task_count > HK_TASKS_MAX || (r->pair_rounds > 0 && r->task_count != 2))
        return HK_EPARSE;
    return HK_OK;
}

/* --- opening ----------------------------------------------------------------- */

static enum hk_launch_state state_of(enum hk_status status)
{
    switch (status) {
    case HK_OK: return HK_LAUNCH_OK;
    case HK_ENOTSUP:
    case HK_EPERM: return HK_LAUNCH_UNAVAILABLE;
    case HK_EROW: return HK_LAUNCH_INVALID;
    default: return HK_LAUNCH_FAILED;
    }
}

static enum hk_status set_failure(struct hk_launch *launch, enum hk_status status,
                                  const char *reason)
{
    return hk_launch_set_state(launch, state_of(status),
                               reason[0] != '\0' ? reason : hk_status_text(status));
}

static enum hk_status open_task(struct lead *lead, size_t i)
{
    const struct hk_request_task *asked = &lead->request.tasks[i];
    struct hk_task *task = &lead->tasks[i];

    *task = (struct hk_task){.index = asked->index, .seed = asked->seed,
                             .count_syscalls = asked->count_syscalls, .ordinal = (uint32_t)i,
                             .effort = lead->request.effort, .clock = lead->request.clock,
                             .access = lead->request.access,
                             .channel_fd = lead->channel_fd,
                             .places = &lead->request.places,
                             .expected = HK_EXPECT_NOTHING};
    memcpy(task->name, asked->name, sizeof task->name);
    task->name[sizeof task->name - 1] = '\0';
    enum hk_status status = hk_launch_init(&lead->launches[i], task->name, task->index, task->seed);
    if (status != HK_OK)
        return status;
    task->experiment = hk_experiment_find(task->name);
    if (task->experiment == NULL)
        return set_failure(&lead->launches[i], HK_ENOENT, "no such experiment");
    status = task->experiment->open(task);
    lead->opened[i] = status == HK_OK;
    if (status == HK_OK)
        return HK_OK;
    task->experiment->close(task);
    return set_failure(&lead->launches[i], status, task->reason);
}

static double measure_floor(const struct lead *lead)
{
    const struct hk_task *task = &lead->tasks[0];
    double batches[FLOOR_BATCHES_MAX], median = 0;
    size_t n;

    if (!lead->opened[0] || task->cpus[0] == task->cpus[1] || task->effort.floor_ns == 0 ||
        hk_floor_measure(&task->clock, task->cpus, task->effort.floor_ns, batches,
                         FLOOR_BATCHES_MAX, &n) != HK_OK ||
        hk_sample_sort(batches, n) != HK_OK || hk_quantile(batches, n, 0.5, &median) != HK_OK)
        return 0;
    return median;
}

/* On one CPU, which the lead itself goes to; 0 where it may not. */
static double pace_of(const struct hk_clock *clock, int cpu)
{
    double piece_ns[HK_PACE_PIECES], median_ns = 0;

    if (hk_pin(cpu) != HK_OK)
        return 0;
    hk_pace_measure(clock, piece_ns);
    if (hk_sample_sort(piece_ns, HK_PACE_PIECES) != HK_OK ||
        hk_quantile(piece_ns, HK_PACE_PIECES, 0.5, &median_ns) != HK_OK)
        return 0;
    return median_ns;
}

/* On the slowest of the launch's CPUs. */
static double measure_pace(const struct lead *lead)
{
    double slowest_ns = 0;
    cpu_set_t own, used;

    if (sched_getaffinity(0, sizeof own, &own) != 0)
        return 0;
    CPU_ZERO(&used);
    for (size_t i = 0; i < lead->request.task_count; i++)
        for (size_t c = 0; lead->opened[i] && c < HK_ARRAY_COUNT(lead->tasks[i].cpus); c++)
            if (lead->tasks[i].cpus[c] >= 0)
                CPU_SET((size_t)lead->tasks[i].cpus[c], &used);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t)cpu, &used))
            slowest_ns = fmax(slowest_ns, pace_of(&lead->request.clock, cpu));
    sched_setaffinity(0, sizeof own, &own);
    return slowest_ns;
}

static bool any_alive(const struct lead *lead, enum hk_child_role role)
{
    for (size_t i = 0; i < lead->children.count; i++)
        if (lead->children.all[i].alive && lead->children.all[i].role == role)
            return true;
    return false;
}

/* --- the processes ----------------------------------------------------------- */

/* Exit code of a server: the negated status, which fits. */
_Noreturn static void serve(struct hk_task *task, size_t server)
{
    const enum hk_status status = hk_pin(task->cpus[1]) == HK_OK
                                      ? task->experiment->serve(task, server)
                                      : HK_ENOTSUP;
    _exit(-status);
}

static enum hk_status measure_entered(struct hk_task *task, struct hk_launch *launch)
{
    if (task->channel_fd >= 0)
        return hk_epochs_measure(task, launch);
    if (task->experiment->measure != NULL)
        return task->experiment->measure(task, launch);
    return hk_timed_measure(task, launch);
}

static enum hk_status enter_task(struct hk_task *task)
{
    /* -1: the experiment leaves the CPU to the scheduler. */
    if (task->cpus[0] >= 0 && hk_pin(task->cpus[0]) != HK_OK)
        return hk_task_refuse(task, HK_ENOTSUP, "CPU %d is not ours; check taskset or the cpuset",
                              task->cpus[0]);
    return task->experiment->enter != NULL ? task->experiment->enter(task) : HK_OK;
}

static enum hk_status measure_task(struct hk_task *task, struct hk_launch *launch)
{
    enum hk_status status = enter_task(task);

    if (status != HK_OK)
        return status;
    status = measure_entered(task, launch);
    if (task->experiment->leave != NULL)
        task->experiment->leave(task); /* the numbers stand whatever the farewell says */
    return status;
}

static enum hk_status measure_pair(struct hk_task tasks[2], uint32_t rounds,
                                   struct hk_launch *launch)
{
    enum hk_status status = enter_task(&tasks[0]);

    if (status != HK_OK)
        return status;
    status = enter_task(&tasks[1]);
    if (status == HK_OK) {
        status = hk_pair_measure(tasks, rounds, launch);
        if (tasks[1].experiment->leave != NULL)
            tasks[1].experiment->leave(&tasks[1]);
    }
    if (tasks[0].experiment->leave != NULL)
        tasks[0].experiment->leave(&tasks[0]);
    return status;
}

/* In the measuring process: measures and writes the launch to output_fd. */
_Noreturn static void measure(struct lead *lead, size_t i, int output_fd)
{
    struct hk_launch *launch = &lead->launches[i];
    struct hk_task *task = &lead->tasks[i];
    struct hk_bytes frame = {0};
    enum hk_status status;

    if (lead->request.pair_rounds > 0)
        status = measure_pair(lead->tasks, lead->request.pair_rounds, launch);
    else
        status = measure_task(task, launch);
    if (status != HK_OK)
        status = set_failure(launch, status, task->reason);
    if (status == HK_OK)
        status = hk_wire_encode(launch, &frame);
    if (status == HK_OK)
        status = hk_write_all(output_fd, frame.data, frame.bytes);
    _exit(-status);
}

static enum hk_status fork_servers(struct lead *lead, size_t i)
{
    struct hk_task *task = &lead->tasks[i];
    bool in_child;
    int fd;

    for (size_t s = 0; s < task->server_count; s++) {
        const enum hk_status status = hk_child_fork(&lead->children, HK_CHILD_SERVER, i, s,
                                                    lead->fd, &in_child, &fd);
        if (status != HK_OK)
            return status;
        if (in_child)
            serve(task, s);
        task->server_pids[s] = lead->children.all[lead->children.count - 1].pid;
    }
    /* Concurrent tasks share their helpers: the load is the machine's, not each one's. */
    const bool helped = task->experiment->group != NULL && any_alive(lead, HK_CHILD_HELPER);
    for (size_t h = 0; h < task->helper_count && !helped; h++) {
        const enum hk_status status = hk_child_fork(&lead->children, HK_CHILD_HELPER, i, h,
                                                    lead->fd, &in_child, &fd);
        if (status != HK_OK)
            return status;
        if (in_child) {
            task->experiment->help(task, h);
            _exit(0);
        }
        task->helper_pids[h] = lead->children.all[lead->children.count - 1].pid;
    }
    return HK_OK;
}

static enum hk_status fork_measurer(struct lead *lead, size_t i)
{
    bool in_child;
    int fd;
    const enum hk_status status = hk_child_fork(&lead->children, HK_CHILD_MEASURER, i, 0, lead->fd,
                                                &in_child, &fd);

    if (status == HK_OK && in_child)
        measure(lead, i, fd);
    return status;
}

static enum hk_status fork_all(struct lead *lead)
{
    const bool pair = lead->request.pair_rounds > 0;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < lead->request.task_count && status == HK_OK; i++)
        if (lead->opened[i])
            status = fork_servers(lead, i);
    const uint64_t start_ns = hk_monotonic_ns() + start_delay_ns;
    for (size_t i = 0; i < lead->request.task_count && status == HK_OK; i++) {
        lead->tasks[i].start_ns = start_ns;
        if (lead->opened[i] && !(pair && i > 0))
            status = fork_measurer(lead, i);
    }
    return status;
}

/* --- watching ------------------------------------------------------------------ */

/* A server or helper that a signal ended while it was needed. */
static const struct hk_child *find_killed(const struct lead *lead)
{
    for (size_t i = 0; i < lead->children.count; i++) {
        const struct hk_child *c = &lead->children.all[i];
        if (!c->alive && WIFSIGNALED(c->wait_status))
            return c;
    }
    return NULL;
}

static const char *role_name(enum hk_child_role role)
{
    static const char *const names[] = {"server", "measuring process", "helper"};

    return names[role];
}

/* Waits until every measuring process has ended; false when the launch must be cut short. */
static bool watch(struct lead *lead, char reason[HK_TEXT_BYTES])
{
    while (any_alive(lead, HK_CHILD_MEASURER)) {
        if (hk_children_wait(&lead->children, lead->fd, POLL_MS) == HK_EPEER) {
            snprintf(reason, HK_TEXT_BYTES, "the runner is gone");
            return false;
        }
        const struct hk_child *killed = find_killed(lead);
        if (killed != NULL) {
            snprintf(reason, HK_TEXT_BYTES, "%s %zu was ended by signal %d",
                     role_name(killed->role), killed->number, WTERMSIG(killed->wait_status));
            return false;
        }
        if (hk_monotonic_ns() > lead->deadline_ns) {
            snprintf(reason, HK_TEXT_BYTES, "no result within %.1f s: watchdog",
                     (double)lead->request.deadline_ns / 1e9);
            return false;
        }
    }
    return true;
}

/* Servers end by themselves after the client's farewell; those that do not are ended. */
static void end_children(struct lead *lead)
{
    const uint64_t end_ns = hk_monotonic_ns() + (uint64_t)SERVER_GRACE_MS * HK_NS_PER_MS;

    hk_children_kill(&lead->children, HK_CHILD_HELPER);
    while (any_alive(lead, HK_CHILD_SERVER) && hk_monotonic_ns() < end_ns)
        hk_children_wait(&lead->children, -1, 10);
    hk_children_kill(&lead->children, -1);
    hk_children_reap(&lead->children);
}

/* --- answering ------------------------------------------------------------------ */

static const struct hk_child *measurer_of(const struct lead *lead, size_t i)
{
    for (size_t c = 0; c < lead->children.count; c++)
        if (lead->children.all[c].role == HK_CHILD_MEASURER && lead->children.all[c].task == i)
            return &lead->children.all[c];
    return NULL;
}

/*
 * A client that lost its peer knows no more than that; the server's exit status says why.
 */
static enum hk_status add_server_status(const struct lead *lead, size_t i, struct hk_launch *launch)
{
    char reason[HK_TEXT_BYTES];

    for (size_t c = 0; c < lead->children.count; c++) {
        const struct hk_child *child = &lead->children.all[c];
        const int code = WIFEXITED(child->wait_status) ? WEXITSTATUS(child->wait_status) : 0;
        if (child->role != HK_CHILD_SERVER || child->task != i || code == 0)
            continue;
        snprintf(reason, sizeof reason, "%.300s; server %zu ended with: %s", launch->reason,
                 child->number, hk_status_text((enum hk_status)-code));
        return hk_launch_set_state(launch, HK_LAUNCH_FAILED, reason);
    }
    return HK_OK;
}

/* Replace the empty launch by what the measuring process said, or say why there is nothing. */
static enum hk_status take_answer(struct lead *lead, size_t i, const char *cut_short)
{
    const struct hk_child *measurer = measurer_of(lead, i);
    struct hk_launch decoded;
    size_t used;

    if (cut_short[0] != '\0')
        return hk_launch_set_state(&lead->launches[i], HK_LAUNCH_FAILED, cut_short);
    if (measurer == NULL ||
        hk_wire_decode(measurer->output.data, measurer->output.bytes, &decoded, &used) != HK_OK)
        return hk_launch_set_state(&lead->launches[i], HK_LAUNCH_FAILED,
                                   "the measuring process ended without a result");
    hk_launch_fini(&lead->launches[i]);
    lead->launches[i] = decoded;
    return decoded.state == HK_LAUNCH_FAILED ? add_server_status(lead, i, &lead->launches[i])
                                             : HK_OK;
}

/* What was measured around the launch; of the floor, which is the first task's, only there. */
static enum hk_status add_around(struct lead *lead, size_t i)
{
    const bool floors = i == 0 && lead->floor_before_ns > 0 && lead->floor_after_ns > 0;
    const bool paces = lead->pace_before_ns > 0 && lead->pace_after_ns > 0;
    const struct {
        const char *name;
        double ns;
        bool known;
    } rows[] = {
        {"hk_floor_before_ns", lead->floor_before_ns, floors},
        {"hk_floor_after_ns", lead->floor_after_ns, floors},
        {"hk_pace_before_ns", lead->pace_before_ns, paces},
        {"hk_pace_after_ns", lead->pace_after_ns, paces},
    };
    enum hk_status status = HK_OK;

    for (size_t r = 0; r < HK_ARRAY_COUNT(rows) && status == HK_OK; r++)
        if (rows[r].known)
            status = hk_launch_add_counter(&lead->launches[i], rows[r].name, rows[r].ns);
    return status;
}

static enum hk_status answer(struct lead *lead, const char *cut_short)
{
    const size_t count = lead->request.pair_rounds > 0 ? 1 : lead->request.task_count;
    struct hk_bytes frames = {0};
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < count && status == HK_OK; i++) {
        if (lead->opened[i])
            status = take_answer(lead, i, cut_short);
        if (status == HK_OK)
            status = add_around(lead, i);
        if (status == HK_OK)
            status = hk_wire_encode(&lead->launches[i], &frames);
    }
    if (status == HK_OK)
        status = hk_write_all(lead->fd, frames.data, frames.bytes);
    hk_bytes_fini(&frames);
    return status;
}

static enum hk_status conduct(struct lead *lead)
{
    char cut_short[HK_TEXT_BYTES] = "";

    lead->floor_before_ns = measure_floor(lead);
    lead->pace_before_ns = measure_pace(lead);
    lead->deadline_ns = hk_monotonic_ns() + lead->request.deadline_ns;
    const enum hk_status status = fork_all(lead);
    if (status != HK_OK)
        snprintf(cut_short, sizeof cut_short, "no process for the launch: %s",
                 hk_status_text(status));
    else if (!watch(lead, cut_short))
        hk_children_kill(&lead->children, -1);
    end_children(lead);
    lead->pace_after_ns = measure_pace(lead);
    lead->floor_after_ns = measure_floor(lead);
    return answer(lead, cut_short);
}

static enum hk_status lead_launch(struct lead *lead)
{
    enum hk_status status = HK_OK;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Under a wrapper the parent is the wrapper, which dies with the runner by itself. */
    if (lead->request.runner != 0 && getppid() != lead->request.runner)
        return HK_EPEER;
    for (size_t i = 0; i < lead->request.task_count && status == HK_OK; i++)
        status = open_task(lead, i);
    /* One side of a pair alone says nothing: the refusal of either is the answer. */
    if (lead->request.pair_rounds > 0 && lead->opened[0] && !lead->opened[1]) {
        lead->opened[0] = false;
        lead->tasks[0].experiment->close(&lead->tasks[0]);
        status = hk_launch_set_state(&lead->launches[0], lead->launches[1].state,
                                     lead->launches[1].reason);
    }
    if (status == HK_OK)
        status = conduct(lead);
    for (size_t i = 0; i < lead->request.task_count; i++)
        if (lead->opened[i])
            lead->tasks[i].experiment->close(&lead->tasks[i]);
    return status;
}

static void lead_free(struct lead *lead)
{
    for (size_t i = 0; i < HK_TASKS_MAX; i++)
        hk_launch_fini(&lead->launches[i]);
    hk_children_fini(&lead->children);
    free(lead);
}

enum hk_status hk_launch_lead(int fd)
{
    struct lead *lead = calloc(1, sizeof *lead);

    if (lead == NULL)
        return HK_ENOMEM;
    lead->fd = fd;
    lead->channel_fd = -1;
    enum hk_status status = read_request(lead);
    if (status == HK_OK)
        status = lead_launch(lead);
    lead_free(lead);
    return status;
}

/* --- epochs ------------------------------------------------------------------------ */

/* Nobody sends a struct here: the runner may be another build. */
static enum hk_status make_request(struct hk_request *r, const char *cell, uint64_t seed)
{
    r->runner = (int32_t)getppid();
    r->task_count = 1;
    r->deadline_ns = epochs_deadline_ns;
    r->effort = *hk_run_effort(HK_RUN_QUICK);
    snprintf(r->tasks[0].name, sizeof r->tasks[0].name, "%s", cell);
    r->tasks[0].seed = seed;
    hk_perf_access_init(&r->access);
    const enum hk_status status = hk_clock_init(&r->clock, epochs_calibrate_ns);
    return status == HK_OK ? hk_places_find(&r->places) : status;
}

enum hk_status hk_epochs_lead(int fd, const char *cell, uint64_t seed)
{
    struct lead *lead = calloc(1, sizeof *lead);

    if (lead == NULL)
        return HK_ENOMEM;
    lead->fd = fd;
    lead->channel_fd = dup(fd);
    enum hk_status status = lead->channel_fd < 0 ? HK_EPARSE : HK_OK;
    if (status == HK_OK)
        status = make_request(&lead->request, cell, seed);
    if (status == HK_OK)
        status = lead_launch(lead);
    if (lead->channel_fd >= 0)
        close(lead->channel_fd);
    lead_free(lead);
    return status;
}
