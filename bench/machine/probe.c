/* SPDX-License-Identifier: MIT */
#include "hk/machine/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/counters/host.h"
#include "hk/counters/idle.h"
#include "hk/counters/perf.h"
#include "hk/machine/topology.h"
#include "system_file.h"

const char *hk_probe_state_name(enum hk_probe_state state)
{
    static const char *const names[] = { "ok", "partly", "no" };
    return (size_t)state < HK_ARRAY_COUNT(names) ? names[state] : "unknown";
}

__attribute__((format(printf, 3, 4))) static void
found(struct hk_probe_result *result, enum hk_probe_state state, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->detail, sizeof(result->detail), format, arguments);
    va_end(arguments);
    result->state = state;
    result->remedy[0] = '\0';
}

__attribute__((format(printf, 2, 3))) static void remedy(struct hk_probe_result *result,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->remedy, sizeof(result->remedy), format, arguments);
    va_end(arguments);
}

/* A reason of the other components is "cause; remedy". */
static void found_reason(struct hk_probe_result *result, const char *reason)
{
    const char *split = strstr(reason, "; ");
    found(result, HK_PROBE_NO, "%.*s", split ? (int)(split - reason) : INT_MAX, reason);
    if (split)
        remedy(result, "%s", split + 2);
}

/* --- processor ------------------------------------------------------------------------ */

static void probe_place(const struct hk_probe *probe, const char *search_path,
                        struct hk_probe_result *result)
{
    struct hk_topology *topology = NULL;
    struct hk_cpu_pair pair;
    enum hk_place place = HK_PLACE_SAME_CORE;
    char reason[HK_PLACE_REASON_BYTES];
    (void)search_path;
    if (hk_place_find(probe->argument, &place) != HK_OK || hk_topology_create(&topology) != HK_OK) {
        found(result, HK_PROBE_NO, "hwloc cannot describe this machine");
        remedy(result, "mount /sys and /proc");
        return;
    }
    if (hk_topology_place(topology, place, &pair, reason) == HK_OK)
        found(result, HK_PROBE_OK, "client on CPU %d, server on CPU %d", pair.client, pair.server);
    else
        found_reason(result, reason);
    hk_topology_destroy(topology);
}

static bool has_cpu_flag(const char *flag)
{
    char flags[4096];
    if (!system_field("", "/proc/cpuinfo", "flags", flags, sizeof(flags)))
        return false;
    char *save = NULL;
    for (char *one = strtok_r(flags, " ", &save); one; one = strtok_r(NULL, " ", &save))
        if (strcmp(one, flag) == 0)
            return true;
    return false;
}

static void probe_tsc(const struct hk_probe *probe, const char *search_path,
                      struct hk_probe_result *result)
{
    char source[64] = "unknown";
    (void)probe;
    (void)search_path;
    system_line("", "/sys/devices/system/clocksource/clocksource0/current_clocksource", source,
                sizeof(source));
    bool constant = has_cpu_flag("constant_tsc"), nonstop = has_cpu_flag("nonstop_tsc");
    if (constant && nonstop && (strcmp(source, "tsc") == 0 || strcmp(source, "kvm-clock") == 0)) {
        found(result, HK_PROBE_OK, "constant and never stops; the kernel's clock is %s", source);
        return;
    }
    found(result, HK_PROBE_PARTLY, "constant: %s, never stops: %s, the kernel's clock is %s",
          constant ? "yes" : "no", nonstop ? "yes" : "no", source);
    remedy(result, "times are checked against CLOCK_MONOTONIC_RAW in every run; fix the frequency "
                   "or choose clocksource=tsc at boot");
}

static void probe_quiet(const struct hk_probe *probe, const char *search_path,
                        struct hk_probe_result *result)
{
    char line[128];
    double load = 0;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    (void)probe;
    (void)search_path;
    if (!system_line("", "/proc/loadavg", line, sizeof(line)) || sscanf(line, "%lf", &load) != 1) {
        found(result, HK_PROBE_NO, "/proc/loadavg cannot be read");
        return;
    }
    bool quiet = load < 0.25 * (double)cpus;
    found(result, quiet ? HK_PROBE_OK : HK_PROBE_PARTLY, "load %.2f on %ld CPUs in the last minute",
          load, cpus);
    if (!quiet)
        remedy(result, "stop other work; disturbed blocks are dropped, but tails are not comparable");
}

static void probe_bare(const struct hk_probe *probe, const char *search_path,
                       struct hk_probe_result *result)
{
    uint64_t t[8], total = 0;
    char line[256];
    (void)probe;
    (void)search_path;
    if (!has_cpu_flag("hypervisor")) {
        found(result, HK_PROBE_OK, "no hypervisor");
        return;
    }
    if (!system_line("", "/proc/stat", line, sizeof(line)) ||
        sscanf(line, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &t[0], &t[1], &t[2], &t[3], &t[4],
               &t[5], &t[6], &t[7]) != 8)
        t[7] = 0;
    else
        for (size_t i = 0; i < HK_ARRAY_COUNT(t); i++)
            total += t[i];
    found(result, HK_PROBE_PARTLY, "a virtual machine; the host took %.2f %% of its time since boot",
          total ? 100.0 * (double)t[7] / (double)total : 0.0);
    remedy(result, "steal and the cache-line floor are recorded with each launch; for tails "
                   "measure on bare metal");
}

static void probe_governor(const struct hk_probe *probe, const char *search_path,
                           struct hk_probe_result *result)
{
    char governor[64];
    (void)probe;
    (void)search_path;
    if (!system_line("", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor,
                     sizeof(governor))) {
        found(result, HK_PROBE_OK, "the kernel does not scale the frequency here");
        return;
    }
    bool fixed = strcmp(governor, "performance") == 0;
    found(result, fixed ? HK_PROBE_OK : HK_PROBE_PARTLY, "governor %s", governor);
    if (!fixed)
        remedy(result, "cpupower frequency-set -g performance (package linux-cpupower)");
}

/* --- counters --------------------------------------------------------------------------- */

static void probe_event(enum hk_perf_event event, struct hk_probe_result *result)
{
    struct hk_perf_access access;
    char reason[HK_REASON_TEXT_BYTES];
    hk_perf_access_init(&access);
    if (hk_perf_probe(&access, event, reason) == HK_OK)
        found(result, HK_PROBE_OK, "%s can be counted", hk_perf_event_name(event));
    else
        found_reason(result, reason);
}

static void probe_pmu(const struct hk_probe *probe, const char *search_path,
                      struct hk_probe_result *result)
{
    (void)probe;
    (void)search_path;
    probe_event(HK_PERF_INSTRUCTIONS, result);
}

static void probe_syscalls(const struct hk_probe *probe, const char *search_path,
                           struct hk_probe_result *result)
{
    (void)probe;
    (void)search_path;
    probe_event(HK_PERF_SYSCALLS, result);
}

static void probe_pressure(const struct hk_probe *probe, const char *search_path,
                           struct hk_probe_result *result)
{
    uint64_t waiting_ns;
    (void)probe;
    (void)search_path;
    if (hk_host_pressure_ns(&waiting_ns) == HK_OK) {
        found(result, HK_PROBE_OK, "/proc/pressure/cpu");
        return;
    }
    found(result, HK_PROBE_NO, "no /proc/pressure/cpu");
    remedy(result, "boot with psi=1, on a kernel with CONFIG_PSI");
}

/* --- scheduling --------------------------------------------------------------------------- */

/* Tries something in a child, so that this process stays as it is; 0 or its errno. */
static int try_in_child(int (*attempt)(void))
{
    int state = 0;
    pid_t child = fork();
    if (child < 0)
        return errno;
    if (child == 0)
        _exit(attempt() >= 0 ? 0 : errno & 0xff);
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(state) ? WEXITSTATUS(state) : EINTR;
}

static int attempt_fifo(void)
{
    const struct sched_param parameter = { .sched_priority = 1 };
    return sched_setscheduler(0, SCHED_FIFO, &parameter);
}

/* glibc before 2.41 has neither sched_setattr nor its struct. */
struct deadline_attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns;
    uint64_t deadline_ns;
    uint64_t period_ns;
};

static int attempt_deadline(void)
{
    const struct deadline_attributes attributes = {
        .size = sizeof(attributes), .policy = SCHED_DEADLINE, .runtime_ns = 200000,
        .deadline_ns = 1000000, .period_ns = 1000000,
    };
    return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static int attempt_lock(void)
{
    return mlockall(MCL_CURRENT | MCL_FUTURE);
}

static int attempt_ipc_namespace(void)
{
    return unshare(CLONE_NEWIPC);
}

/* As a launch does it: without the right, in a user namespace. */
static int attempt_net_namespace(void)
{
    return unshare(CLONE_NEWNET) == 0 ? 0 : unshare(CLONE_NEWUSER | CLONE_NEWNET);
}

static int attempt_afxdp(void)
{
    return socket(AF_XDP, SOCK_RAW, 0);
}

static int attempt_bpf(void)
{
    static const struct bpf_insn nothing[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attributes.insns = (uintptr_t)nothing;
    attributes.insn_cnt = HK_ARRAY_COUNT(nothing);
    attributes.license = (uintptr_t)"MIT";
    return syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes)) >= 0 ? 0 : -1;
}

static const struct attempt {
    const char *name;
    int (*run)(void);
    const char *works;
    const char *remedy;
} attempts[] = {
    { "fifo", attempt_fifo, "SCHED_FIFO is granted",
      "run as root, or grant CAP_SYS_NICE, or raise RLIMIT_RTPRIO (ulimit -r)" },
    { "deadline", attempt_deadline, "SCHED_DEADLINE is granted",
      "run as root and not confined to a part of the CPUs (cpuset, taskset)" },
    { "lock", attempt_lock, "all memory can be locked",
      "run as root, or raise RLIMIT_MEMLOCK (ulimit -l)" },
    { "net", attempt_net_namespace, "a launch can have devices of its own",
      "run as root, or allow user namespaces" },
    { "bpf", attempt_bpf, "a program is loaded",
      "run as root or grant CAP_BPF, on a kernel with CONFIG_BPF_SYSCALL" },
    { "afxdp", attempt_afxdp, "a socket is opened",
      "run as root or grant CAP_NET_RAW, on a kernel with CONFIG_XDP_SOCKETS" },
    { "ipc", attempt_ipc_namespace, "a launch can have System V objects of its own",
      "run as root; without it, objects of killed runs are swept by name" },
};

static void probe_attempt(const struct hk_probe *probe, const char *search_path,
                          struct hk_probe_result *result)
{
    (void)search_path;
    for (size_t i = 0; i < HK_ARRAY_COUNT(attempts); i++) {
        if (strcmp(attempts[i].name, probe->argument) != 0)
            continue;
        int error = try_in_child(attempts[i].run);
        if (error == 0) {
            found(result, HK_PROBE_OK, "%s", attempts[i].works);
            return;
        }
        found(result, HK_PROBE_NO, "refused: %s", strerror(error));
        remedy(result, "%s", attempts[i].remedy);
        return;
    }
    found(result, HK_PROBE_NO, "no such attempt");
}

static void probe_throttle(const struct hk_probe *probe, const char *search_path,
                           struct hk_probe_result *result)
{
    long long runtime_us = 0, period_us = 0;
    (void)probe;
    (void)search_path;
    if (!system_number("", "/proc/sys/kernel/sched_rt_runtime_us", &runtime_us) ||
        !system_number("", "/proc/sys/kernel/sched_rt_period_us", &period_us)) {
        found(result, HK_PROBE_PARTLY, "the limit cannot be read");
        return;
    }
    if (runtime_us < 0)
        found(result, HK_PROBE_PARTLY, "no limit: a real-time task that spins hangs its CPU");
    else
        found(result, HK_PROBE_OK, "%lld of %lld ms; a task that stays below is not held up",
              runtime_us / 1000, period_us / 1000);
}

static void probe_idle(const struct hk_probe *probe, const char *search_path,
                       struct hk_probe_result *result)
{
    char reason[HK_REASON_TEXT_BYTES];
    int fd = -1;
    (void)probe;
    (void)search_path;
    if (hk_idle_hold_polling(&fd, reason) != HK_OK) {
        found_reason(result, reason);
        return;
    }
    close(fd);
    found(result, HK_PROBE_OK, "/dev/cpu_dma_latency can be held");
}

/* --- memory, devices, programs --------------------------------------------------------------- */

static void probe_hugepages(const struct hk_probe *probe, const char *search_path,
                            struct hk_probe_result *result)
{
    long long free_count = 0;
    (void)probe;
    (void)search_path;
    if (!system_number("", "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
                       &free_count)) {
        found(result, HK_PROBE_NO, "the kernel has no 2 MiB pages");
    } else if (free_count == 0) {
        found(result, HK_PROBE_PARTLY, "none reserved");
        remedy(result, "sysctl vm.nr_hugepages=16");
    } else {
        found(result, HK_PROBE_OK, "%lld free pages of 2 MiB", free_count);
    }
}

static const struct device {
    const char *path;
    const char *remedy;
} devices[] = {
    { "/dev/kvm", "load kvm_intel or kvm_amd, join the group kvm; exact counts do not need it" },
    { "/dev/fuse", "modprobe fuse, and run as root or in a user namespace that may mount" },
    { "/dev/net/tun", "modprobe tun, and run as root" },
    { "/dev/ublk-control", "modprobe ublk_drv, on a kernel with CONFIG_BLK_DEV_UBLK" },
    { "/dev/nbd0", "modprobe nbd, on a kernel with CONFIG_BLK_DEV_NBD" },
    { "/dev/loop-control", "modprobe loop, and run as root" },
};

static void probe_device(const struct hk_probe *probe, const char *search_path,
                         struct hk_probe_result *result)
{
    int fd = open(probe->argument, O_RDWR | O_CLOEXEC);
    (void)search_path;
    if (fd >= 0) {
        close(fd);
        found(result, HK_PROBE_OK, "%s opens", probe->argument);
        return;
    }
    found(result, HK_PROBE_NO, "%s: %s", probe->argument, strerror(errno));
    for (size_t i = 0; i < HK_ARRAY_COUNT(devices); i++)
        if (strcmp(devices[i].path, probe->argument) == 0)
            remedy(result, "%s", devices[i].remedy);
}

static const struct program {
    const char *name;
    const char *package;
} programs[] = {
    { "qemu-system-x86_64", "qemu-system-x86" }, { "qemu-x86_64", "qemu-user" },
    { "gnuplot", "gnuplot-nox" },                { "perf", "linux-perf" },
    { "spin", "spin" },                          { "clang", "clang" },
    { "mpirun", "openmpi-bin" },                 { "jackd", "jackd2" },
    { "pipewire", "pipewire" },
};

bool hk_program_find(const char *name, const char *search_path, char *path, size_t bytes)
{
    const char *folder = search_path ? search_path : "";
    while (*folder) {
        size_t length = strcspn(folder, ":");
        int n = snprintf(path, bytes, "%.*s/%s", (int)length, folder, name);
        if (length > 0 && n >= 0 && (size_t)n < bytes && access(path, X_OK) == 0)
            return true;
        folder += length;
        folder += *folder == ':';
    }
    return false;
}

static void probe_program(const struct hk_probe *probe, const char *search_path,
                          struct hk_probe_result *result)
{
    char path[PATH_MAX];
    if (hk_program_find(probe->argument, search_path, path, sizeof path)) {
        found(result, HK_PROBE_OK, "%.*s", HK_PROBE_TEXT_BYTES - 1, path);
        return;
    }
    found(result, HK_PROBE_NO, "%s is not installed", probe->argument);
    for (size_t i = 0; i < HK_ARRAY_COUNT(programs); i++)
        if (strcmp(programs[i].name, probe->argument) == 0)
            remedy(result, "install Debian's package %s", programs[i].package);
}

const struct hk_probe hk_probes[] = {
    { "processor", "two cores", "cells at place:cross_core", "cross_core", probe_place },
    { "processor", "hardware threads", "cells at place:smt", "smt", probe_place },
    { "processor", "two sockets", "cells at place:cross_socket", "cross_socket", probe_place },
    { "processor", "time stamp counter", "all times", NULL, probe_tsc },
    { "processor", "fixed frequency", "costs that repeat", NULL, probe_governor },
    { "processor", "bare metal", "tails", NULL, probe_bare },
    { "processor", "quiet machine", "all times", NULL, probe_quiet },
    { "counters", "performance counters", "instructions and cycles of native cells", NULL,
      probe_pmu },
    { "counters", "system calls", "checking what a cell claims", NULL, probe_syscalls },
    { "counters", "pressure", "guards against other work", NULL, probe_pressure },
    { "scheduling", "SCHED_FIFO", "cells with policy:fifo", "fifo", probe_attempt },
    { "scheduling", "SCHED_DEADLINE", "cells with policy:deadline", "deadline", probe_attempt },
    { "scheduling", "real-time limit", "real-time cells", NULL, probe_throttle },
    { "scheduling", "polling when idle", "cells with peer:poll", NULL, probe_idle },
    { "memory", "locked memory", "wake-ups without page faults", "lock", probe_attempt },
    { "memory", "huge pages", "remapping of large buffers", NULL, probe_hugepages },
    { "system", "IPC namespace", "nothing left behind by killed runs", "ipc", probe_attempt },
    { "system", "FUSE", "a file system in a server", "/dev/fuse", probe_device },
    { "system", "loop devices", "cells of ext4", "/dev/loop-control", probe_device },
    { "system", "ublk", "nothing: it was never tried", "/dev/ublk-control", probe_device },
    { "system", "nbd", "a block device in a server", "/dev/nbd0", probe_device },
    { "system", "TAP devices", "cells of lwIP over TAP", "/dev/net/tun", probe_device },
    { "system", "network namespace", "cells of net_echo", "net", probe_attempt },
    { "system", "eBPF", "cells of extensions", "bpf", probe_attempt },
    { "system", "AF_XDP", "net_echo/afxdp", "afxdp", probe_attempt },
    { "guest", "QEMU", "hkbench run --guest, hkbench kernel", "qemu-system-x86_64", probe_program },
    { "guest", "QEMU for programs", "counting hosted code exactly", "qemu-x86_64", probe_program },
    { "guest", "KVM", "cycles in the guest", "/dev/kvm", probe_device },
    { "programs", "gnuplot", "hkbench plot, figures of the report", "gnuplot", probe_program },
    { "programs", "perf", "hkbench run --perf", "perf", probe_program },
    { "programs", "mpirun", "hkbench simulate on several machines", "mpirun", probe_program },
    { "programs", "jackd", "audio_server/jack", "jackd", probe_program },
    { "programs", "pipewire", "audio_server/pipewire", "pipewire", probe_program },
    { "programs", "spin", "model checking in the tests", "spin", probe_program },
    { "programs", "clang", "fuzzing in the tests", "clang", probe_program },
};
const size_t hk_probe_count = HK_ARRAY_COUNT(hk_probes);
