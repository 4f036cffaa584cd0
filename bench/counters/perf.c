/* SPDX-License-Identifier: MIT */
#include "hk/counters/perf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct event_row {
    const char *name;
    uint32_t type;
    uint64_t config; /* tracepoints: of struct hk_perf_access */
};

static const struct event_row events[HK_PERF_EVENT_COUNT] = {
    [HK_PERF_CYCLES] = {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    [HK_PERF_INSTRUCTIONS] = {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    [HK_PERF_CACHE_MISSES] = {"cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    [HK_PERF_BRANCH_MISSES] = {"branch_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    [HK_PERF_SYSCALLS] = {"syscalls", PERF_TYPE_TRACEPOINT, 0},
};

static const char syscalls_tracepoint[] = "raw_syscalls/sys_enter";
static const char *const tracefs_roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

const char *hk_perf_event_name(enum hk_perf_event event)
{
    return events[event].name;
}

static bool read_id_file(const char *root, const char *tracepoint, uint64_t *id)
{
    char path[128], text[32] = "";

    snprintf(path, sizeof path, "%s/events/%s/id", root, tracepoint);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    *id = strtoull(text, NULL, 10);
    return n > 0 && *id != 0;
}

/*
 * Look the number up in a mount namespace of a child's own: root can mount tracefs
 * there without leaving a mount behind for anyone else.
 */
static bool read_id_privately(const char *tracepoint, uint64_t *id)
{
    int fds[2];

    if (geteuid() != 0 || pipe2(fds, O_CLOEXEC) != 0)
        return false;
    const pid_t pid = fork();
    if (pid == 0) {
        uint64_t found = 0;
        const bool mounted = unshare(CLONE_NEWNS) == 0 &&
                             mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                             mount("tracefs", tracefs_roots[0], "tracefs", 0, NULL) == 0;
        if (!mounted || !read_id_file(tracefs_roots[0], tracepoint, &found))
            _exit(1);
        _exit(write(fds[1], &found, sizeof found) == (ssize_t)sizeof found ? 0 : 1);
    }
    close(fds[1]);
    const bool got = pid > 0 && read(fds[0], id, sizeof *id) == (ssize_t)sizeof *id;
    close(fds[0]);
    if (pid > 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return got;
}

void hk_perf_access_init(struct hk_perf_access *access)
{
    uint64_t id = 0;
    bool found = false;

    for (size_t i = 0; i < sizeof tracefs_roots / sizeof tracefs_roots[0] && !found; i++)
        found = read_id_file(tracefs_roots[i], syscalls_tracepoint, &id);
    if (!found)
        found = read_id_privately(syscalls_tracepoint, &id);
    access->syscalls_id = found ? id : 0;
}

static int open_event(const struct hk_perf_access *access, const struct event_row *row, pid_t pid)
{
    struct perf_event_attr attr = {
        .type = row->type,
        .size = sizeof attr,
        .config = row->config,
        .inherit = 1,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
    };

    if (row->type == PERF_TYPE_TRACEPOINT) {
        if (access->syscalls_id == 0)
            return -1;
        attr.config = access->syscalls_id;
    }
    return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

void hk_perf_open(const struct hk_perf_access *access, pid_t pid, struct hk_perf *perf)
{
    for (int e = 0; e < HK_PERF_EVENT_COUNT; e++)
        perf->fds[e] = open_event(access, &events[e], pid);
}

bool hk_perf_read(const struct hk_perf *perf, enum hk_perf_event event, uint64_t *count)
{
    struct {
        uint64_t value;
        uint64_t enabled_ns;
        uint64_t running_ns;
    } sample;

    if (perf->fds[event] < 0 ||
        read(perf->fds[event], &sample, sizeof sample) != (ssize_t)sizeof sample)
        return false;
    if (sample.enabled_ns != 0 && sample.running_ns == 0)
        return false;
    /* More events than hardware counters: the kernel takes turns, the count is scaled. */
    *count = sample.running_ns >= sample.enabled_ns
                 ? sample.value
                 : (uint64_t)((double)sample.value * (double)sample.enabled_ns /
                              (double)sample.running_ns);
    return true;
}

void hk_perf_close(struct hk_perf *perf)
{
    for (int e = 0; e < HK_PERF_EVENT_COUNT; e++) {
        if (perf->fds[e] >= 0)
            close(perf->fds[e]);
        perf->fds[e] = -1;
    }
}

static const char *refusal(const struct event_row *row, int error)
{
    if (error == EACCES || error == EPERM)
        return "not permitted; run as root or set kernel.perf_event_paranoid to -1";
    if (row->type == PERF_TYPE_HARDWARE)
        return "no performance monitoring unit, as in most virtual machines";
    if (row->type == PERF_TYPE_TRACEPOINT)
        return "no tracefs; run as root or mount tracefs on /sys/kernel/tracing";
    return "this kernel has no perf events";
}

enum hk_status hk_perf_probe(const struct hk_perf_access *access, enum hk_perf_event event,
                             char reason[HK_REASON_TEXT_BYTES])
{
    errno = 0;
    const int fd = open_event(access, &events[event], 0);
    if (fd >= 0) {
        close(fd);
        return HK_OK;
    }
    snprintf(reason, HK_REASON_TEXT_BYTES, "%s: %s", events[event].name,
             refusal(&events[event], errno));
    return HK_ENOTSUP;
}
