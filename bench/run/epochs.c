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

enum { LINE_BYTES = 64, SETTLE_NS = 100000 };

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

/* "epoch N" */
static bool parse_epoch(const char *line, uint64_t *n)
{
    static const char word[] = HK_EPOCHS_EPOCH " ";
    char *end;

    if (strncmp(line, word, sizeof word - 1) != 0 || line[sizeof word - 1] < '0' ||
        line[sizeof word - 1] > '9')
        return false;
    errno = 0;
    *n = strtoull(line + sizeof word - 1, &end, 10);
    return errno == 0 && *end == '\0' && *n > 0;
}

static enum hk_status serve_epochs(struct hk_task *task, double operation_ns)
{
    struct hk_host_times host;
    const bool watch_steal = hk_host_read(task->cpus, 2, &host) == HK_OK && host.steal_ns > 0;
    char line[LINE_BYTES];
    uint64_t n;
    const int length = snprintf(line, sizeof line, HK_EPOCHS_READY " %.17g %u\n", operation_ns,
                                task->operations_step == 0 ? 1 : task->operations_step);

    enum hk_status status = hk_write_all(task->channel_fd, line, (size_t)length);
    while (status == HK_OK) {
        status = read_line(task->channel_fd, line);
        if (status == HK_OK && strcmp(line, HK_EPOCHS_END) == 0)
            return HK_OK;
        if (status == HK_OK)
            status = parse_epoch(line, &n) ? answer_epoch(task, n, watch_steal) : HK_EPARSE;
    }
    return status;
}

enum hk_status hk_epochs_measure(struct hk_task *task, struct hk_launch *launch)
{
    double operation_ns;

    if (task->experiment->run == NULL)
        return hk_task_refuse(task, HK_EINVAL, "this cell does not run in epochs");
    if (task->spins && task->threads)
        return hk_task_refuse(task, HK_ENOTSUP, "its server is a thread, which spins beside the "
                              "other side");
    enum hk_status status = hk_timed_calibrate(task, task->effort.warm_ns, &operation_ns);
    signal_servers(task, SIGSTOP);
    if (status == HK_OK)
        status = serve_epochs(task, operation_ns);
    signal_servers(task, SIGCONT); /* for what follows, and the farewell */
    return status == HK_OK ? hk_timed_verify(task, operation_ns, launch) : status;
}
