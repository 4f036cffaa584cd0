/* SPDX-License-Identifier: MIT */
/*
 * Sudden deaths, swept over the life of a launch: the runner goes on with a reason, and
 * nothing is left behind, neither processes nor System V objects, devices or namespaces.
 *
 * Every other moment of a sweep each day, all of them with HK_TEST_LONG set.
 */
#include <dirent.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "smoke.h"

enum { DESCENDANTS_MAX = 64, PROCESSES_MAX = 32768 };

static const char *const launch_command[] = {"/proc/self/exe", "launch", NULL};

static bool is_todays(long moment)
{
    return getenv("HK_TEST_LONG") != NULL || (time(NULL) / 86400 + moment) % 2 == 0;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Parent of a process; 0 when it is gone or waits to be reaped. */
static int live_parent(int pid)
{
    char path[64], state = 'Z';
    int parent = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%*d (%*[^)]) %c %d", &state, &parent) != 2 || state == 'Z')
        parent = 0;
    fclose(f);
    return parent;
}

struct kin {
    int pid;
    int parent;
};

/* All live processes with their parents; at most max. */
static size_t list_processes(struct kin *list, size_t max)
{
    DIR *dir = opendir("/proc");
    size_t count = 0;

    for (struct dirent *e = readdir(dir); e != NULL && count < max; e = readdir(dir)) {
        const int pid = atoi(e->d_name);
        const int parent = pid > 0 ? live_parent(pid) : 0;
        if (parent != 0)
            list[count++] = (struct kin){pid, parent};
    }
    closedir(dir);
    return count;
}

/* Live descendants of a process, the nearest first; at most max. */
static size_t find_descendants(int root, int *pids, size_t max)
{
    static struct kin list[PROCESSES_MAX];
    const size_t all = list_processes(list, PROCESSES_MAX);
    size_t count = 0;

    for (size_t i = 0; i <= count; i++) {
        const int parent = i == 0 ? root : pids[i - 1];
        for (size_t k = 0; k < all && count < max; k++)
            if (list[k].parent == parent)
                pids[count++] = list[k].pid;
    }
    return count;
}

/* Waits a few seconds for the last signals to arrive, then insists. */
static void assert_all_gone(const int *pids, size_t count)
{
    for (int tries = 0; tries < 500; tries++) {
        size_t alive = 0;
        for (size_t i = 0; i < count; i++)
            alive += live_parent(pids[i]) != 0;
        if (alive == 0)
            return;
        sleep_ms(10);
    }
    fail_msg("processes are left behind");
}

/* The network namespace of a process; 0 when it is gone. */
static ino_t namespace_of(int pid)
{
    char path[64];
    struct stat s;

    snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
    return stat(path, &s) == 0 ? s.st_ino : 0;
}

/* Those in which processes are that are not our own. */
static void find_namespaces(const int *pids, size_t count, ino_t *found)
{
    const ino_t own = namespace_of(getpid());

    for (size_t i = 0; i < count; i++) {
        found[i] = namespace_of(pids[i]);
        if (found[i] == own)
            found[i] = 0;
    }
}

/* With its last process a namespace goes, and every device in it. Returns how many there were. */
static size_t assert_no_one_in(const ino_t *namespaces, size_t count)
{
    DIR *dir = opendir("/proc");
    size_t known = 0;

    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        for (size_t i = 0; i < count; i++)
            if (namespaces[i] != 0 && namespace_of(atoi(e->d_name)) == namespaces[i])
                fail_msg("process %s is left in a network namespace", e->d_name);
    closedir(dir);
    assert_int_equal(if_nametoindex("hk_client"), 0); /* nor in our own */
    assert_int_equal(if_nametoindex("hk_server"), 0);
    for (size_t i = 0; i < count; i++)
        known += namespaces[i] != 0;
    return known;
}

static size_t count_lines(const char *path)
{
    FILE *f = fopen(path, "re");
    size_t lines = 0;

    if (f == NULL)
        return 0;
    for (int c = fgetc(f); c != EOF; c = fgetc(f))
        lines += c == '\n';
    fclose(f);
    return lines;
}

static size_t count_system_v(void)
{
    return count_lines("/proc/sysvipc/msg") + count_lines("/proc/sysvipc/sem") +
           count_lines("/proc/sysvipc/shm");
}

static volatile sig_atomic_t stopped;

static void on_interrupt(int number)
{
    (void)number;
    stopped = 1;
}

/* A child that runs cells as hkbench would, and says with its exit status how it ended. */
static pid_t start_runner(const char *folder, const char *filter)
{
    struct hk_effort effort = smoke_effort;
    struct hk_run_outcome outcome;
    char error[HK_TEXT_BYTES];

    effort.launches_min = effort.launches_max = 2;
    const struct hk_run_plan plan = {
        .mode = HK_RUN_FULL, .effort = &effort, .filter = filter,
        .budget_ns = 60ull * HK_NS_PER_S, .seed = 3, .out_root = folder,
        .machine_json = "{\"id\":\"test\"}", .arguments = "test",
        .launch_command = launch_command, .stop = &stopped};
    stopped = 0;
    signal(SIGINT, on_interrupt);
    const pid_t pid = fork();
    if (pid == 0)
        _exit(hk_run_execute(&plan, &outcome, error) == HK_OK ? 0 : 1);
    return pid;
}

static void make_folder(char *folder)
{
    strcpy(folder, "/tmp/hk_test_XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void remove_folder(const char *folder)
{
    char command[64];

    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* The run under a folder reads as valid, and every launch that failed says why. */
static bool check_run(const char *folder)
{
    char path[4096], error[HK_TEXT_BYTES] = "";
    struct hk_run run;

    assert_int_equal(hk_run_latest(folder, NULL, path, sizeof path), HK_OK);
    if (hk_run_read(path, &run, error) != HK_OK)
        fail_msg("%s", error);
    for (size_t i = 0; i < run.launch_count; i++)
        assert_true(run.launches[i].state == HK_LAUNCH_OK || run.launches[i].reason != NULL);
    const bool partial = run.partial;
    hk_run_fini(&run);
    return partial;
}

static const char ipc_filter[] =
    "^native/(round_trip/(pipe|sysv_msg|futex_ring)/place:same_core/bytes:64|"
    "chain/pipe/place:same_core/servers:3/bytes:1|file_read/fuse/cache:direct/bytes:4096)$";
static const char audio_filter[] =
    "^native/audio_server/(jack|pipewire)/period_frames:64/clients:4$";
static const char net_filter[] =
    "^native/net_echo/[a-z]*/over:(veth|tap|packet)/protocol:udp/bytes:64$";
static const char server_net_filter[] =
    "^native/net_echo/(afxdp/over:veth|lwip/over:tap)/protocol:udp/bytes:64$";

/* Kills one descendant of the runner after a delay: the leader, or what it forked. */
static size_t kill_one_and_finish(const char *filter, long delay_ms, size_t which)
{
    ino_t namespaces[DESCENDANTS_MAX];
    int pids[DESCENDANTS_MAX], status;
    char folder[32];

    make_folder(folder);
    const pid_t runner = start_runner(folder, filter);
    sleep_ms(delay_ms);
    const size_t count = find_descendants(runner, pids, DESCENDANTS_MAX);
    find_namespaces(pids, count, namespaces);
    if (count > 0)
        kill(pids[which % count], SIGKILL);
    assert_int_equal(waitpid(runner, &status, 0), runner);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_all_gone(pids, count);
    check_run(folder);
    remove_folder(folder);
    return assert_no_one_in(namespaces, count);
}

static void the_run_goes_on_when_any_part_dies(void **state)
{
    (void)state;
    const size_t before = count_system_v();
    for (long i = 0; i < 10; i++)
        if (is_todays(i))
            kill_one_and_finish(ipc_filter, 120 + 23 * i, (size_t)i / 2);
    assert_true(count_system_v() <= before);
}

/* Kills the runner in this moment, and everything of it has to go by itself. */
static size_t kill_now(pid_t runner, const char *folder)
{
    ino_t namespaces[DESCENDANTS_MAX];
    int pids[DESCENDANTS_MAX];

    const size_t count = find_descendants(runner, pids, DESCENDANTS_MAX);
    find_namespaces(pids, count, namespaces);
    kill(runner, SIGKILL);
    waitpid(runner, NULL, 0);
    assert_all_gone(pids, count);
    remove_folder(folder);
    return assert_no_one_in(namespaces, count);
}

static size_t kill_runner(const char *filter, long delay_ms)
{
    char folder[32];

    make_folder(folder);
    const pid_t runner = start_runner(folder, filter);
    sleep_ms(delay_ms);
    return kill_now(runner, folder);
}

static void nothing_outlives_a_killed_runner(void **state)
{
    (void)state;
    for (long i = 0; i < 5; i++)
        if (is_todays(i))
            kill_runner(ipc_filter, 105 + 39 * i);
}

/* On a loaded machine a delay may miss it: kills the runner once a process is in a namespace. */
static size_t kill_runner_in_namespace(const char *filter)
{
    ino_t namespaces[DESCENDANTS_MAX];
    int pids[DESCENDANTS_MAX];
    char folder[32];
    bool seen = false;

    make_folder(folder);
    const pid_t runner = start_runner(folder, filter);
    for (int tries = 0; tries < 10000 && !seen && live_parent(runner) != 0; tries++) {
        const size_t count = find_descendants(runner, pids, DESCENDANTS_MAX);
        find_namespaces(pids, count, namespaces);
        for (size_t i = 0; i < count; i++)
            seen = seen || namespaces[i] != 0;
        if (!seen)
            sleep_ms(1);
    }
    return kill_now(runner, folder);
}

/* As a launch does: it may also mount, if need be as root of a user namespace. */
static bool enters_namespace(void)
{
    if (fsopen("tmpfs", FSOPEN_CLOEXEC) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    return unshare(CLONE_NEWNET) == 0;
}

static bool namespaces_can_be_made(void)
{
    int status;
    const pid_t pid = fork();

    if (pid == 0)
        _exit(enters_namespace() ? 0 : 1);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Namespaces, wires, TAP devices, programs at devices: all of them go with their processes. */
static void no_network_is_left_behind(void **state)
{
    size_t seen = 0;

    (void)state;
    for (long i = 0; i < 8; i++)
        if (is_todays(i))
            seen += kill_runner(net_filter, 60 + 37 * i);
    for (long i = 0; i < 4; i++)
        if (is_todays(i))
            seen += kill_one_and_finish(server_net_filter, 70 + 53 * i, (size_t)i / 2);
    if (!namespaces_can_be_made()) {
        print_message("    skipped: no network namespace can be made here\n");
        skip();
    }
    for (size_t i = 0; i < 3 && seen == 0; i++)
        seen += kill_runner_in_namespace(net_filter);
    print_message("    %zu processes were in namespaces of their own when one was killed\n", seen);
    assert_true(seen > 0);
}

/* Servers of others do not clean up after a kill, so that nobody must have to. */
static size_t count_audio_files(void)
{
    DIR *dir = opendir("/dev/shm");
    size_t count = 0;

    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir))
        count += strstr(e->d_name, "jack") != NULL || strstr(e->d_name, "pipewire") != NULL ||
                 strstr(e->d_name, ".conf") != NULL;
    if (dir != NULL)
        closedir(dir);
    return count;
}

static bool is_audio_server(int pid)
{
    char path[64], name[16] = "";

    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    const bool is = fgets(name, sizeof name, f) != NULL &&
                    (strcmp(name, "jackd\n") == 0 || strcmp(name, "pipewire\n") == 0);
    fclose(f);
    return is;
}

/* So long after the server of others has begun; false when there never was one. */
static bool kill_runner_behind_server(long delay_ms)
{
    int pids[DESCENDANTS_MAX];
    char folder[32];
    bool seen = false;

    make_folder(folder);
    const pid_t runner = start_runner(folder, audio_filter);
    while (!seen && live_parent(runner) != 0) {
        const size_t count = find_descendants(runner, pids, DESCENDANTS_MAX);
        for (size_t i = 0; i < count; i++)
            seen = seen || is_audio_server(pids[i]);
        sleep_ms(1);
    }
    sleep_ms(delay_ms);
    kill_now(runner, folder);
    return seen;
}

/* The server is among the descendants, which must all be gone. */
static void no_audio_server_is_left_behind(void **state)
{
    const size_t before = count_audio_files();

    (void)state;
    for (long i = 0; i < 4; i++)
        if (is_todays(i))
            kill_one_and_finish(audio_filter, 250, (size_t)i);
    for (long i = 0; i < 3; i++) {
        if (is_todays(i) && !kill_runner_behind_server(40 * i)) {
            print_message("    skipped: no audio server is here, or no client of one was built\n");
            skip();
        }
    }
    assert_int_equal(count_audio_files(), before);
}

static void an_interrupt_leaves_a_valid_partial_run(void **state)
{
    (void)state;
    for (long i = 0; i < 4; i++) {
        if (!is_todays(i))
            continue;
        int pids[DESCENDANTS_MAX], status;
        char folder[32];
        make_folder(folder);
        const pid_t runner = start_runner(folder, "^native/(chain|wakeup)/");
        sleep_ms(130 + 41 * i);
        const size_t count = find_descendants(runner, pids, DESCENDANTS_MAX);
        kill(runner, SIGINT);
        assert_int_equal(waitpid(runner, &status, 0), runner);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_all_gone(pids, count);
        assert_true(check_run(folder));
        remove_folder(folder);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "launch") == 0)
        return hk_launch_lead(HK_LAUNCH_FD) == HK_OK ? 0 : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_run_goes_on_when_any_part_dies),
        cmocka_unit_test(nothing_outlives_a_killed_runner),
        cmocka_unit_test(no_network_is_left_behind),
        cmocka_unit_test(no_audio_server_is_left_behind),
        cmocka_unit_test(an_interrupt_leaves_a_valid_partial_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
