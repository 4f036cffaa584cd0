/* SPDX-License-Identifier: MIT */
#include "epochs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "timed.h"
#include "wire.h"

enum { LINE_BYTES = 80, SETTLE_NS = 100000 };

/* Requests are short and come one at a time: read byte by byte. */
static enum hk_status read_line(int fd, char line[LINE_BYTES])
{
    size_t n = 0;

    while (n < LINE_BYTES) {
        const ssize_t got = read(fd, &line[n], 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return HK_EPEER;
        if (line[n] == '\n') {
            line[n] = '\0';
            return HK_OK;
        }
        n++;
    }
    return HK_EPARSE;
}

static void signal_servers(const struct hk_task *task, int number)
{
    for (size_t s = 0; task->spins && s < task->server_count; s++)
        kill(task->server_pids[s], number);
}

/* Untimed operations first: caches and the servers' CPUs are the other side's until then. */
static enum hk_status settle(struct hk_task *task)
{
    const uint32_t step = task->operations_step == 0 ? 1 : task->operations_step;
    const uint64_t start_ns = hk_monotonic_ns();
    enum hk_status status;

    signal_servers(task, SIGCONT);
    do {
        status = task->experiment->run(task, step);
    } while (status == HK_OK && hk_monotonic_ns() - start_ns < SETTLE_NS);
    return status;
}

static enum hk_status answer_epoch(struct hk_task *task, uint64_t n, bool watch_steal)
{
    struct hk_evidence evidence;
    char line[LINE_BYTES];
    double elapsed_ns;

    enum hk_status status = settle(task);
    if (status == HK_OK)
        status = hk_timed_witness(task, n, watch_steal, &elapsed_ns, &evidence);
    signal_servers(task, SIGSTOP);
    if (status != HK_OK)
        return status;
    const int keep = hk_guard_judge(&evidence) == HK_GUARD_KEEP;
    const int length =
        snprintf(line, sizeof line, HK_EPOCHS_EPOCH " %.17g %d\n", elapsed_ns, keep);
    return hk_write_all(task->channel_fd, line, (size_t)length);
}

/* A single operation takes at most so many times as long as one of an epoch, on average. */
enum { SINGLE_TIMES = 20 };

static enum hk_status answer_single(struct hk_task *task, uint64_t n, double operation_ns,
                                    struct hk_latencies *latencies)
{
    const double limit_ns = SINGLE_TIMES * (double)n * operation_ns;
    char line[LINE_BYTES];

    enum hk_status status = settle(task);
    if (status == HK_OK)
        status = hk_timed_record(task, task->experiment->run, n,
                                 hk_clock_ticks(&task->clock, limit_ns), &latencies->h);
    signal_servers(task, SIGSTOP);
    if (status != HK_OK)
        return status;
    const int length = snprintf(line, sizeof line, HK_EPOCHS_SINGLE " %llu 1\n",
                                (unsigned long long)latencies->h.count);
    return hk_write_all(task->channel_fd, line, (size_t)length);
}

/* "<word> N" */
static bool parse_number(const char *line, const char *word, uint64_t *n)
{
    const size_t length = strlen(word);
    char *end;

    if (strncmp(line, word, length) != 0 || line[length] != ' ' || line[length + 1] < '0' ||
        line[length + 1] > '9')
        return false;
    errno = 0;
    *n = strtoull(line + length + 1, &end, 10);
    return errno == 0 && *end == '\0' && *n > 0;
}

static enum hk_status send_ready(struct hk_task *task, double operation_ns, uint32_t step,
                                 unsigned knows)
{
    char line[LINE_BYTES];
    const int length = snprintf(line, sizeof line, HK_EPOCHS_READY " %.17g %u %u\n", operation_ns,
                                step, knows);

    return hk_write_all(task->channel_fd, line, (size_t)length);
}

static enum hk_status serve_epochs(struct hk_task *task, double operation_ns,
                                   struct hk_latencies *latencies)
{
    struct hk_host_times host;
    const bool watch_steal = hk_host_read(task->cpus, 2, &host) == HK_OK && host.steal_ns > 0;
    const unsigned single = task->one_way || task->by_cpu_time ? 0 : HK_EPOCHS_KNOWS_SINGLE;
    char line[LINE_BYTES];
    uint64_t n;

    enum hk_status status =
        send_ready(task, operation_ns, task->operations_step == 0 ? 1 : task->operations_step,
                   HK_EPOCHS_KNOWS_COUNT | single);
    while (status == HK_OK) {
        status = read_line(task->channel_fd, line);
        if (status != HK_OK)
            return status;
        task->count_syscalls = strcmp(line, HK_EPOCHS_COUNT) == 0;
        if (task->count_syscalls || strcmp(line, HK_EPOCHS_END) == 0)
            return HK_OK;
        if (parse_number(line, HK_EPOCHS_EPOCH, &n))
            status = answer_epoch(task, n, watch_steal);
        else if (single && parse_number(line, HK_EPOCHS_SINGLE, &n))
            status = answer_single(task, n, operation_ns, latencies);
        else
            status = HK_EPARSE;
    }
    return status;
}

static enum hk_status measure_epochs(struct hk_task *task, struct hk_latencies *latencies,
                                     struct hk_launch *launch)
{
    double operation_ns;

    enum hk_status status = hk_timed_calibrate(task, task->effort.warm_ns, &operation_ns);
    signal_servers(task, SIGSTOP);
    if (status == HK_OK)
        status = serve_epochs(task, operation_ns, latencies);
    signal_servers(task, SIGCONT); /* for what follows, and the farewell */
    if (status == HK_OK && latencies->h.count > 0)
        status = hk_latencies_report(task, latencies, launch);
    return status == HK_OK ? hk_timed_verify(task, operation_ns, launch) : status;
}

/* A launch as in any run, but when it is asked for: the other side measures before or after. */
static enum hk_status measure_whole(struct hk_task *task, struct hk_launch *launch)
{
    char line[LINE_BYTES];
    enum hk_status status = send_ready(task, 1, 0, HK_EPOCHS_KNOWS_WHOLE);

    if (status == HK_OK)
        status = read_line(task->channel_fd, line);
    if (status == HK_OK && strcmp(line, HK_EPOCHS_WHOLE) != 0)
        return hk_task_refuse(task, HK_EINVAL, "this cell does not run in epochs");
    return status == HK_OK ? task->experiment->measure(task, launch) : status;
}

/* Requests at a rate are no epochs either: back to back they would be another cell. */
static bool measures_itself(const struct hk_task *task)
{
    int64_t rate_per_s;

    return task->experiment->run == NULL ||
           hk_name_int(task->name, "rate_per_s", &rate_per_s) != HK_ENOENT;
}

enum hk_status hk_epochs_measure(struct hk_task *task, struct hk_launch *launch)
{
    struct hk_latencies latencies;

    if (measures_itself(task))
        return measure_whole(task, launch);
    if (task->spins && task->threads)
        return hk_task_refuse(task, HK_ENOTSUP, "its server is a thread, which spins beside the "
                              "other side");
    enum hk_status status = hk_latencies_init(task, &latencies);
    if (status == HK_OK)
        status = measure_epochs(task, &latencies, launch);
    hk_latencies_fini(&latencies);
    return status;
}
