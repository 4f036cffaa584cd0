/* SPDX-License-Identifier: MIT */
/*
 * The first program of a Linux guest: runs native experiments on a stock kernel, where the
 * counting plugin sees client, server and kernel alike, and reports on the debug console.
 *
 * /cells in the initramfs holds their names, one per line; what lies in /modules is loaded. Each
 * cell gets a process of its own with its servers; this one only waits, and collects what is left.
 * One virtual CPU, so both sides share it.
 * Lines and marks are those of our own kernel (hk/base/abi.h, hk/base/mark.h).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "experiments.h"
#include "hk/base/abi.h"
#include "hk/base/mark.h"
#include "hk/base/memo.h"
#include "hk/base/units.h"

#define NATIVE         "native/"
#define LINUX          "linux/"
#define MODULES        "/modules"
#define LINE_BYTES     65536
#define OPS_MAX        1000
#define WARM_OPS_MAX   200
#define REGIONS        3 /* of each length; the shortest counts, as in every cost */
#define CELL_TIMEOUT_S 20 /* of guest time, in which 20 thousand million instructions fit */
#define SETTLE_NS      (500 * HK_NS_PER_MS)
#define BEHIND_TICK_NS 50000
#define MEMO_PAGES_MAX 4096u /* 16 MiB; a cloud kernel's functions take three */

/* Twice this fits between two ticks even of a clock with 1,000 per second. */
static const uint64_t region_ticks = 200000;
static const uint64_t warm_ticks = 1000000;

/* Those that make sense on one CPU without real time, and how they are measured. */
static const struct row {
    const struct hk_experiment *experiment;
    bool counted; /* between marks; else by itself, with a clock that counts instructions */
} rows[] = {
    {&hk_experiment_syscall, true},  {&hk_experiment_round_trip, true},
    {&hk_experiment_chain, true},    {&hk_experiment_copy, true},
    {&hk_experiment_remap, true},    {&hk_experiment_inject, false},
    {&hk_experiment_fallback, false}, {&hk_experiment_inject_syscall, false},
    {&hk_experiment_block_read, true}, {&hk_experiment_file_read, true},
};

/* Blocks of those that measure by themselves: short, so that most hold no tick. */
static const struct hk_effort effort = {
    .warm_ns = 2 * HK_NS_PER_MS,
    .block_ns = HK_NS_PER_MS,
    .block_count = 20,
    .blocks_ns_max = HK_NS_PER_S,
    .verify_count = 20,
};

/* Shared by all processes: marks are numbered over all of them. */
static uint64_t *region_count;

/* --- the console -------------------------------------------------------------- */

/*
 * The right to use ports is held for a line only: with it, each return to user mode and each switch
 * would load a bitmap of ports, which is no cost of the path.
 */
static void put_line(const char *text)
{
    if (iopl(3) != 0)
        return; /* the host misses the line and says so */
    for (; *text != '\0'; text++)
        outb((unsigned char)*text, HK_CONSOLE_PORT);
    outb('\n', HK_CONSOLE_PORT);
    iopl(0);
}

/* A memo that grows; pages beyond its end cost nothing. */
struct memo {
    struct hk_memo_page *pages;
    uint32_t count;
};

static void memo_add(struct memo *memo, const char *text, size_t bytes)
{
    while (bytes > 0) {
        struct hk_memo_page *page = &memo->pages[memo->count - 1];
        const size_t room = sizeof page->text - page->head.bytes;
        const size_t part = bytes < room ? bytes : room;
        if (part == 0) {
            if (memo->count == MEMO_PAGES_MAX)
                return;
            memo->count++;
            continue;
        }
        memcpy(page->text + page->head.bytes, text, part);
        page->head.bytes += (uint32_t)part;
        text += part;
        bytes -= part;
    }
}

/*
 * The kernel's functions, for the counting plugin, which finds them in this process's memory. A
 * kernel without a list has them unnamed.
 */
static void leave_symbols(void)
{
    struct memo memo = {mmap(NULL, MEMO_PAGES_MAX * sizeof *memo.pages, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1};
    FILE *symbols = fopen("/proc/kallsyms", "re");
    char line[1024];

    while (memo.pages != MAP_FAILED && symbols != NULL &&
           fgets(line, sizeof line, symbols) != NULL) {
        const char *type = strchr(line, ' ');
        if (type != NULL && strchr("tTwW", type[1]) != NULL)
            memo_add(&memo, line, strlen(line));
    }
    for (uint32_t i = 0; memo.pages != MAP_FAILED && i < memo.count; i++) {
        memo.pages[i].head.index = i;
        memo.pages[i].head.count = memo.count;
        memo.pages[i].head.magic[0] = HK_MEMO_MAGIC_1;
        memo.pages[i].head.magic[1] = HK_MEMO_MAGIC_2;
    }
    if (symbols != NULL)
        fclose(symbols);
}

/* A launch as the suite stores it. */
static void put_launch(const struct hk_launch *launch)
{
    static char line[LINE_BYTES];
    char *json = NULL;

    if (hk_launch_encode(launch, &json) != HK_OK ||
        (size_t)snprintf(line, sizeof line, HK_PROTOCOL " launch %s %s", launch->name, json) >=
            sizeof line)
        snprintf(line, sizeof line, HK_PROTOCOL " fail %s has a launch that cannot be told",
                 launch->name);
    put_line(line);
    free(json);
}

static void put_refusal(struct hk_launch *launch, enum hk_launch_state state, const char *reason)
{
    if (hk_launch_set_state(launch, state, reason) == HK_OK)
        put_launch(launch);
}

/* --- counting ------------------------------------------------------------------- */

/*
 * Begin just behind a tick of the system's clock: a short region then holds none. Sleeping there
 * costs nothing, since the virtual clock jumps, and lets kernel threads finish what they do.
 */
static void await_tick(void)
{
    struct timespec last, period;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &last);
    clock_getres(CLOCK_MONOTONIC_COARSE, &period);
    const uint64_t next_ns = (uint64_t)last.tv_sec * HK_NS_PER_S + (uint64_t)last.tv_nsec +
                             (uint64_t)period.tv_nsec + BEHIND_TICK_NS;
    const struct timespec next = {.tv_sec = (time_t)(next_ns / HK_NS_PER_S),
                                  .tv_nsec = (long)(next_ns % HK_NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
        ;
}

static enum hk_status count_region(struct hk_task *task, uint64_t ops, uint64_t *ticks)
{
    await_tick();
    const uint64_t start = hk_clock_start(&task->clock);
    HK_MARK(HK_MARK_BEGIN);
    const enum hk_status status = task->experiment->run(task, ops);
    HK_MARK(HK_MARK_END);
    *ticks = hk_clock_stop(&task->clock) - start;
    return status;
}

/* Kernel threads that wake in the middle are no cost of the path: the shortest region has fewest. */
static enum hk_status count_shortest(struct hk_task *task, uint64_t ops, uint64_t *ticks,
                                     uint64_t *region)
{
    enum hk_status status = HK_OK;

    *ticks = UINT64_MAX;
    for (size_t i = 0; i < REGIONS && status == HK_OK; i++) {
        uint64_t took;
        const uint64_t number = (*region_count)++;
        status = count_region(task, ops, &took);
        if (status == HK_OK && took < *ticks) {
            *ticks = took;
            *region = number;
        }
    }
    return status;
}

static uint64_t step_of(const struct hk_task *task)
{
    return task->operations_step != 0 ? task->operations_step : 1;
}

/* Whole steps that fit into so many ticks, at least one and at most so many operations. */
static uint64_t fit_ops(const struct hk_task *task, uint64_t ticks, uint64_t per_op, uint64_t max)
{
    const uint64_t ops = ticks / per_op < max ? ticks / per_op : max;

    return ops < step_of(task) ? step_of(task) : ops - ops % step_of(task);
}

static enum hk_status time_ops(struct hk_task *task, uint64_t ops, uint64_t *per_op)
{
    const uint64_t start = hk_clock_start(&task->clock);
    const enum hk_status status = task->experiment->run(task, ops);

    *per_op = (hk_clock_stop(&task->clock) - start) / ops + 1;
    return status;
}

/*
 * The first operation touches memory and finds its partner; some tens later the scheduler has
 * settled on whom a wake-up preempts.
 */
static enum hk_status warm_up(struct hk_task *task, uint64_t *per_op)
{
    enum hk_status status = time_ops(task, step_of(task), per_op);

    if (status == HK_OK && task->experiment->verify != NULL)
        status = task->experiment->verify(task);
    if (status != HK_OK)
        return status;
    return time_ops(task, fit_ops(task, warm_ticks, *per_op, WARM_OPS_MAX), per_op);
}

static enum hk_status count_row(struct hk_task *task)
{
    uint64_t ticks[2], regions[2], per_op;
    char line[512];

    enum hk_status status = warm_up(task, &per_op);
    const uint64_t ops = fit_ops(task, region_ticks, per_op, OPS_MAX);
    for (size_t i = 0; i < 2 && status == HK_OK; i++)
        status = count_shortest(task, ops << i, &ticks[i], &regions[i]);
    if (status != HK_OK)
        return status;
    snprintf(line, sizeof line,
             HK_PROTOCOL " row " LINUX "%s ops=%llu ticks_n=%llu ticks_2n=%llu region_n=%llu "
                         "region_2n=%llu",
             task->name + strlen(NATIVE), (unsigned long long)ops, (unsigned long long)ticks[0],
             (unsigned long long)ticks[1], (unsigned long long)regions[0],
             (unsigned long long)regions[1]);
    put_line(line);
    return HK_OK;
}

/* --- a cell --------------------------------------------------------------------- */

static enum hk_status fork_servers(struct hk_task *task)
{
    for (size_t s = 0; s < task->server_count; s++) {
        task->server_pids[s] = fork();
        if (task->server_pids[s] < 0)
            return HK_ENOMEM;
        if (task->server_pids[s] == 0)
            _exit(-task->experiment->serve(task, s));
    }
    return HK_OK;
}

static enum hk_status perform(struct hk_task *task, bool counted, struct hk_launch *launch)
{
    const struct hk_experiment *e = task->experiment;
    enum hk_status status = fork_servers(task);

    if (status == HK_OK && e->enter != NULL)
        status = e->enter(task);
    if (status != HK_OK)
        return status;
    status = counted ? count_row(task) : e->measure(task, launch);
    if (status == HK_OK && !counted)
        put_launch(launch);
    if (e->leave != NULL)
        e->leave(task); /* the numbers stand whatever the farewell says */
    return status;
}

static const struct row *find_row(const char *name)
{
    char kind[32];

    if (strncmp(name, NATIVE, strlen(NATIVE)) != 0 ||
        hk_name_part(name, 1, kind, sizeof kind) != HK_OK)
        return NULL;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++)
        if (strcmp(rows[i].experiment->kind, kind) == 0)
            return &rows[i];
    return NULL;
}

/* A tick is an instruction, and what reads cost is known exactly. */
static struct hk_clock guest_clock(void)
{
    struct hk_clock clock = {.tsc = true, .ns_per_tick = 1};
    const uint64_t start = hk_clock_start(&clock);

    clock.read_ns = (double)(hk_clock_stop(&clock) - start);
    return clock;
}

/* The same in every boot, and another for every cell: no two traces are one. */
static uint64_t seed_of(const char *name)
{
    uint64_t seed = 0;

    for (; *name != '\0'; name++)
        seed = hk_mix(seed, (unsigned char)*name);
    return seed;
}

static void run_cell(const char *name, const struct row *row)
{
    static const struct hk_places places = {.available = {[HK_PLACE_SAME_CORE] = true}};
    struct hk_task task = {.clock = guest_clock(), .places = &places, .seed = seed_of(name),
                           .effort = effort, .expected = HK_EXPECT_NOTHING};
    char own_name[HK_NAME_BYTES];
    struct hk_launch launch;
    enum hk_status status;

    snprintf(task.name, sizeof task.name, "%s", name);
    snprintf(own_name, sizeof own_name, LINUX "%s", strchr(name, '/') + 1);
    if (hk_launch_init(&launch, own_name, 0, task.seed) != HK_OK)
        return;
    if (row == NULL) {
        put_refusal(&launch, HK_LAUNCH_UNAVAILABLE, "this experiment needs the native machine");
        return;
    }
    task.experiment = row->experiment;
    status = task.experiment->open(&task);
    if (status == HK_OK)
        status = perform(&task, row->counted, &launch);
    if (status != HK_OK)
        put_refusal(&launch,
                    status == HK_ENOTSUP || status == HK_EPERM ? HK_LAUNCH_UNAVAILABLE
                                                               : HK_LAUNCH_FAILED,
                    task.reason[0] != '\0' ? task.reason : hk_status_text(status));
    task.experiment->close(&task);
}

/* Every process of the cell is in its group, and what loses its parent becomes ours. */
static void collect(pid_t leader, const char *name)
{
    int wait_status = 0;
    char line[HK_NAME_BYTES + 64];

    while (waitpid(leader, &wait_status, 0) < 0 && errno == EINTR)
        ;
    kill(-leader, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    if (!WIFSIGNALED(wait_status))
        return; /* it has said itself what came of it */
    snprintf(line, sizeof line, HK_PROTOCOL " fail %s ended by signal %d", name,
             WTERMSIG(wait_status));
    put_line(line);
}

static void start_cell(const char *name, const struct row *row)
{
    const pid_t leader = fork();

    if (leader == 0) {
        setpgid(0, 0);
        prctl(PR_SET_TIMERSLACK, 1);
        sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
        alarm(CELL_TIMEOUT_S);
        run_cell(name, row);
        _exit(0);
    }
    if (leader > 0)
        collect(leader, name);
}

/* --- the machine ---------------------------------------------------------------- */

static void mount_all(void)
{
    static const struct {
        const char *type;
        const char *folder;
    } mounts[] = {{"proc", "/proc"},   {"sysfs", "/sys"},      {"devtmpfs", "/dev"},
                  {"tmpfs", "/tmp"},   {"tmpfs", "/dev/shm"},  {"mqueue", "/dev/mqueue"}};

    for (size_t i = 0; i < HK_ARRAY_COUNT(mounts); i++) {
        mkdir(mounts[i].folder, 0755);
        mount(mounts[i].type, mounts[i].folder, mounts[i].type, 0, NULL); /* cells say what lacks */
    }
}

static void load_module(const char *name)
{
    char path[300], line[512];

    snprintf(path, sizeof path, MODULES "/%s", name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) {
        snprintf(line, sizeof line, HK_PROTOCOL " log module %s: %s", name, strerror(errno));
        put_line(line);
    }
    if (fd >= 0)
        close(fd);
}

/* All that the host packed, which needs each other not; without one its cells say what lacks. */
static void load_modules(void)
{
    DIR *folder = opendir(MODULES);

    for (struct dirent *e = NULL; folder != NULL && (e = readdir(folder)) != NULL;)
        if (e->d_name[0] != '.')
            load_module(e->d_name);
    if (folder != NULL)
        closedir(folder);
}

static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
}

static void settle(void)
{
    static const struct timespec time = {.tv_nsec = SETTLE_NS};

    nanosleep(&time, NULL); /* what the kernel put off until after its start is then done */
}

/* Experiments that measure by themselves have no regions: they run before anything is counted. */
static void run_cells(bool counted)
{
    char line[HK_NAME_BYTES + 1];
    FILE *cells = fopen("/cells", "re");

    while (cells != NULL && fgets(line, sizeof line, cells) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const struct row *row = find_row(line);
        if ((row != NULL && row->counted) == counted)
            start_cell(line, row);
    }
    if (cells != NULL)
        fclose(cells);
    else
        put_line(HK_PROTOCOL " fail the initramfs has no /cells");
}

int main(void)
{
    struct utsname system;
    char line[256];

    if (getpid() != 1 || iopl(3) != 0) {
        fputs("hkbench-linux-init is the first program of a virtual machine; "
              "hkbench run --linux boots it\n", stderr);
        return 2;
    }
    mount_all();
    raise_loopback();
    load_modules();
    region_count = mmap(NULL, sizeof *region_count, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (region_count == MAP_FAILED || uname(&system) != 0)
        return 1; /* the kernel panics, and the host says that the guest crashed */
    snprintf(line, sizeof line, HK_PROTOCOL " begin version=%d scenario=linux place=%s",
             HK_PROTOCOL_VERSION, system.release);
    put_line(line);
    leave_symbols();
    settle();
    run_cells(false);
    HK_MARK(HK_MARK_ARM);
    settle();
    run_cells(true);
    put_line(HK_PROTOCOL " done leaks=0");
    iopl(3);
    outb(HK_EXIT_PASS, HK_EXIT_PORT);
    return 0;
}
