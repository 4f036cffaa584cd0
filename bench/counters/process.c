/* SPDX-License-Identifier: MIT */
#include "hk/counters/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hk/base/units.h"

static uint64_t value_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

/* Adds one thread's counts; a thread that ended meanwhile adds nothing. */
static void add_thread(int task_fd, const char *thread, struct hk_switches *sum)
{
    char path[64], text[4096];

    snprintf(path, sizeof path, "%.32s/status", thread);
    const int fd = openat(task_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    const ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    sum->involuntary += value_after(text, "\nnonvoluntary_ctxt_switches:");
    sum->voluntary += value_after(text, "\nvoluntary_ctxt_switches:");
}

enum hk_status hk_process_switches(pid_t pid, struct hk_switches *switches)
{
    struct hk_switches sum = {0};
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return HK_ENOENT;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (entry->d_name[0] != '.')
            add_thread(dirfd(dir), entry->d_name, &sum);
    closedir(dir);
    *switches = sum;
    return HK_OK;
}

enum hk_status hk_process_cpu_ns(pid_t pid, uint64_t *cpu_ns)
{
    struct timespec t;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return HK_ENOENT;
    *cpu_ns = (uint64_t)t.tv_sec * HK_NS_PER_S + (uint64_t)t.tv_nsec;
    return HK_OK;
}
