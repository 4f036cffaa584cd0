/* SPDX-License-Identifier: MIT */
#include "hk/counters/host.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hk/base/units.h"

/* Columns of a cpu line in /proc/stat (proc(5)). */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMN_COUNT };

static bool wanted(int cpu, const int *cpus, size_t cpu_count)
{
    for (size_t i = 0; i < cpu_count; i++)
        if (cpus[i] == cpu)
            return true;
    return false;
}

static void add_line(const unsigned long long c[COLUMN_COUNT], uint64_t tick_ns,
                     struct hk_host_times *sum)
{
    const uint64_t busy = c[USER] + c[NICE] + c[SYSTEM] + c[IRQ] + c[SOFTIRQ];

    sum->busy_ns += busy * tick_ns;
    sum->steal_ns += c[STEAL] * tick_ns;
    sum->total_ns += (busy + c[IDLE] + c[IOWAIT] + c[STEAL]) * tick_ns;
}

enum hk_status hk_host_read(const int *cpus, size_t cpu_count, struct hk_host_times *times)
{
    const long ticks_per_s = sysconf(_SC_CLK_TCK);
    struct hk_host_times sum = {0};
    unsigned long long c[COLUMN_COUNT];
    char line[512];
    int cpu;

    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL || ticks_per_s <= 0) {
        if (file != NULL)
            fclose(file);
        return HK_EIO;
    }
    while (fgets(line, sizeof line, file) != NULL && strncmp(line, "cpu", 3) == 0) {
        if (sscanf(line, "cpu%d %llu %llu %llu %llu %llu %llu %llu %llu", &cpu, &c[USER], &c[NICE],
                   &c[SYSTEM], &c[IDLE], &c[IOWAIT], &c[IRQ], &c[SOFTIRQ], &c[STEAL]) != 9)
            continue;
        if (cpu_count == 0 || wanted(cpu, cpus, cpu_count))
            add_line(c, HK_NS_PER_S / (uint64_t)ticks_per_s, &sum);
    }
    fclose(file);
    if (sum.total_ns == 0)
        return HK_EIO;
    *times = sum;
    return HK_OK;
}

enum hk_status hk_host_pressure_ns(uint64_t *waiting_ns)
{
    unsigned long long total_us = 0;

    FILE *file = fopen("/proc/pressure/cpu", "re");
    if (file == NULL)
        return HK_ENOTSUP;
    const int fields = fscanf(file, "some avg10=%*f avg60=%*f avg300=%*f total=%llu", &total_us);
    fclose(file);
    if (fields != 1)
        return HK_ENOTSUP;
    *waiting_ns = total_us * HK_NS_PER_US;
    return HK_OK;
}

static double clamped_ratio(double part, double whole)
{
    if (whole <= 0.0 || part <= 0.0)
        return 0.0;
    return part < whole ? part / whole : 1.0;
}

double hk_host_foreign_ratio(const struct hk_host_times *before, const struct hk_host_times *after,
                             uint64_t own_cpu_ns)
{
    const double busy = (double)after->busy_ns - (double)before->busy_ns;

    return clamped_ratio(busy - (double)own_cpu_ns,
                         (double)after->total_ns - (double)before->total_ns);
}

double hk_host_steal_ratio(const struct hk_host_times *before, const struct hk_host_times *after)
{
    return clamped_ratio((double)after->steal_ns - (double)before->steal_ns,
                         (double)after->total_ns - (double)before->total_ns);
}
