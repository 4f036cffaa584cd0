/* SPDX-License-Identifier: MIT */
/*
 * The exact suite: identical in every boot, on both machine types, idle and under load.
 *
 * With HK_TEST_LONG set, 20 runs of each kind instead of one.
 */
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/guest/record.h"

#define LONG_RUNS      20
#define LOAD_PROCESSES 2
#define TIMEOUT_MS     60000

/* Everything a run handed over, as text: two runs are identical when their texts are. */
struct log {
    char *text;
    size_t bytes;
    FILE *stream;
    size_t launch_count;
    size_t exact_count;
    size_t disagree_count; /* rows whose counted instructions differ from the clock's */
};

static struct hk_guest_files files;

static enum hk_status launch_log(void *user, const struct hk_launch *launch)
{
    struct log *log = user;
    double kernel = 0, user_ring = 0, clock = 0;

    fprintf(log->stream, "%s %u %d %d %s", launch->name, launch->index, (int)launch->state,
            (int)launch->exactness, launch->reason != NULL ? launch->reason : "-");
    for (size_t i = 0; i < launch->counter_count; i++) {
        fprintf(log->stream, " %s=%.17g", launch->counters[i].name, launch->counters[i].value);
    }
    fputc('\n', log->stream);
    log->launch_count++;
    log->exact_count += launch->exactness == HK_EXACT;
    if (hk_launch_counter(launch, "hk_instructions_kernel", &kernel) &&
        hk_launch_counter(launch, "hk_instructions_user", &user_ring) &&
        hk_launch_counter(launch, "hk_instructions_clock", &clock) && kernel + user_ring != clock) {
        log->disagree_count++;
        print_message("%s: %g counted, %g by the clock\n", launch->name, kernel + user_ring, clock);
    }
    return HK_OK;
}

static void log_init(struct log *log)
{
    *log = (struct log){0};
    log->stream = open_memstream(&log->text, &log->bytes);
    assert_non_null(log->stream);
}

static void log_fini(struct log *log)
{
    fclose(log->stream);
    free(log->text);
}

static const char *const hybrid[] = {"hybrid"};

static struct hk_guest_options options_of(enum hk_qemu_machine machine, struct log *log)
{
    return (struct hk_guest_options){
        .files = &files,
        .machine = machine,
        .memory_mib = 128,
        .places = hybrid,
        .place_count = 1,
        .boots = 2,
        .timeout_ms = TIMEOUT_MS,
        .on_launch = launch_log,
        .user = log,
    };
}

static void suite_run(enum hk_qemu_machine machine, struct log *log,
                      struct hk_guest_summary *summary)
{
    struct hk_guest_options options = options_of(machine, log);
    char error[HK_QEMU_ERROR_BYTES];
    enum hk_status status = hk_guest_run(&options, summary, error);

    if (status == HK_ENOTSUP) {
        printf("skipped: %s\n", error);
        exit(77);
    }
    if (status != HK_OK) {
        fail_msg("%s: %s", hk_status_name(status), error);
    }
    fflush(log->stream);
}

/* Neighbours that compute and sleep in turn; they die with the test. */
static void load_start(pid_t load[LOAD_PROCESSES])
{
    for (int i = 0; i < LOAD_PROCESSES; i++) {
        load[i] = fork();
        assert_true(load[i] >= 0);
        if (load[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (volatile unsigned n = 0;; n = n + 1) {
                if (n % (1u << 22) == 0) {
                    usleep(1000u * (unsigned)(i + 1));
                }
            }
        }
    }
}

static void load_stop(const pid_t load[LOAD_PROCESSES])
{
    for (int i = 0; i < LOAD_PROCESSES; i++) {
        kill(load[i], SIGKILL);
        waitpid(load[i], NULL, 0);
    }
}

/* Some runs, taking turns on the machines, each equal to the first one. */
static void runs_compare(const struct log *first, int runs)
{
    static const enum hk_qemu_machine machines[] = {HK_QEMU_Q35, HK_QEMU_MICROVM};
    struct hk_guest_summary summary;
    struct log next;

    for (int i = 0; i < runs; i++) {
        log_init(&next);
        suite_run(machines[i % 2], &next, &summary);
        assert_string_equal(first->text, next.text);
        log_fini(&next);
    }
}

static void suite_is_exact_everywhere(void **state)
{
    int runs = getenv("HK_TEST_LONG") != NULL ? 2 * LONG_RUNS : 1;
    struct hk_guest_summary summary;
    pid_t load[LOAD_PROCESSES];
    struct log first;

    (void)state;
    log_init(&first);
    suite_run(HK_QEMU_MICROVM, &first, &summary);
    print_message("%u exact, %u near, %u invalid, %u absent; %s\n", summary.exact_count,
                  summary.near_count, summary.invalid_count, summary.absent_count, summary.clock);
    assert_true(summary.exact_count > 0);
    assert_int_equal(summary.near_count, 0); /* within one composition */
    assert_int_equal(summary.invalid_count, 0);
    assert_int_equal(first.launch_count,
                     2 * (summary.exact_count + summary.near_count + summary.absent_count));
    assert_true(first.exact_count >= 2 * summary.exact_count);
    runs_compare(&first, runs);
    load_start(load);
    runs_compare(&first, runs);
    load_stop(load);
    log_fini(&first);
}

static bool only_null_syscall(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "guest/syscall/null") == 0;
}

static volatile sig_atomic_t stop_now = 1;

/* A copy of the programs with the head of the first one overwritten; its name goes to path. */
static void archive_damage(char *path)
{
    static const char junk[64] = "no program begins like this";
    char command[2 * HK_GUEST_PATH_BYTES + 8];
    FILE *file;

    strcpy(path, "/tmp/hkbench-programs-XXXXXX");
    close(mkstemp(path));
    snprintf(command, sizeof(command), "cp %s %s", files.programs, path);
    assert_int_equal(system(command), 0);
    file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 8 + 60, SEEK_SET), 0); /* the archive's and the member's head */
    assert_int_equal(fwrite(junk, sizeof(junk), 1, file), 1);
    fclose(file);
}

/* What cannot work ends with a status and a reason, never with a hang. */
static void bad_runs_say_why(void **state)
{
    struct log log;
    struct hk_guest_options options = options_of(HK_QEMU_MICROVM, &log);
    struct hk_guest_summary summary;
    char error[HK_QEMU_ERROR_BYTES] = "";
    static struct hk_guest_files broken;

    (void)state;
    log_init(&log);
    options.boots = 1;
    assert_int_equal(hk_guest_run(&options, &summary, error), HK_EINVAL);
    options.boots = 2;
    options.places = (const char *const[]){"file:kernel scenario=tour"};
    assert_int_equal(hk_guest_run(&options, &summary, error), HK_EINVAL);
    options.places = (const char *const[]){"file:moon", "hybrid"}; /* the second goes on */
    options.place_count = 2;
    assert_int_equal(hk_guest_run(&options, &summary, error), HK_EROW);
    assert_non_null(strstr(error, "the guest reported: "));
    assert_int_equal(log.launch_count, 2 * summary.exact_count);
    log.launch_count = 0;
    options.places = hybrid;
    options.place_count = 1;
    options.program = "true"; /* answers, but not like QEMU */
    assert_int_equal(hk_guest_run(&options, &summary, error), HK_EPARSE);
    options.program = NULL;
    options.timeout_ms = 1;
    assert_int_equal(hk_guest_run(&options, &summary, error), HK_ETIMEOUT);
    options.timeout_ms = TIMEOUT_MS;
    options.stop = &stop_now;
    assert_int_equal(hk_guest_run(&options, &summary, error), HK_EINTR);
    options.stop = NULL;
    broken = files;
    memcpy(broken.programs, files.model, sizeof(broken.programs)); /* text instead of programs */
    options.files = &broken;
    assert_int_equal(hk_guest_run(&options, &summary, error),
                     HK_EIO); /* the plugin sees it first */
    assert_non_null(strstr(error, "no readable archive"));
    archive_damage(broken.programs); /* still an archive, no longer programs */
    assert_int_equal(hk_guest_run(&options, &summary, error), HK_EROW);
    unlink(broken.programs);
    assert_non_null(strstr(error, "cannot start the program init"));
    assert_int_equal(log.launch_count, 0);
    log_fini(&log);
}

/*
 * Where KVM passes its check, its rows stand in a world of their own. A script plays a QEMU whose
 * KVM works and answers for both guests; without KVM it is QEMU itself.
 */
static void filter_holds_and_kvm_rows_stand_apart(void **state)
{
    static const char script[] =
        "#!/bin/sh\n"
        "case \"$*\" in\n"
        "*'-accel kvm'*probe*) printf 'loop=3100\\nuser=1\\ninterrupt=1\\n'; exit 33 ;;\n"
        "*'-accel kvm'*) echo HK1 begin version=1 scenario=experiments place=default\n"
        "  echo HK1 row guest/syscall/null ops=64 ticks_n=1000 ticks_2n=7400 region_n=0"
        " region_2n=1\n"
        "  echo HK1 done leaks=0\n"
        "  exit 33 ;;\n"
        "esac\n"
        "exec qemu-system-x86_64 \"$@\"\n";
    char path[] = "/tmp/hkbench-script-XXXXXX";
    int fd = mkstemp(path);
    struct log log;
    struct hk_guest_options options = options_of(HK_QEMU_MICROVM, &log);
    struct hk_guest_summary summary;
    char error[HK_QEMU_ERROR_BYTES];

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
    fchmod(fd, 0700);
    close(fd);
    options.program = path;
    options.wanted = only_null_syscall;
    options.kvm = true;
    log_init(&log);
    assert_int_equal(hk_guest_run(&options, &summary, error), HK_OK);
    unlink(path);
    fflush(log.stream);
    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        assert_true(summary.kvm);
        assert_int_equal(summary.timed_count, 1);
        assert_non_null(strstr(log.text, "guest_kvm/syscall/null 1 0 0 - hk_cycles=100\n"));
    } else {
        assert_false(summary.kvm);
        assert_non_null(strstr(summary.clock, "/dev/kvm"));
    }
    assert_int_equal(summary.exact_count, 1);
    assert_int_equal(log.exact_count, 2);
    assert_int_equal(log.disagree_count, 0);
    assert_non_null(strstr(log.text, "hk_instructions_kernel="));
    assert_null(strstr(log.text, "round_trip"));
    log_fini(&log);
}

#define MACHINE_JSON "{\"id\": \"test-machine\", \"host_name\": \"h\", \"cpu_count\": 1}"

static struct hk_guest_plan plan_of(const char *out_root)
{
    return (struct hk_guest_plan){
        .files = &files,
        .memory_mib = 128,
        .places = hybrid,
        .place_count = 1,
        .boots = 2,
        .timeout_ms = TIMEOUT_MS,
        .out_root = out_root,
        .machine_json = MACHINE_JSON,
        .arguments = "hkbench run --guest",
    };
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* A recorded run reads back with its classes, and exact counts stand apart from times. */
static void run_is_recorded(void **state)
{
    char root[] = "/tmp/hkbench-results-XXXXXX";
    struct hk_guest_outcome outcome;
    struct hk_guest_plan plan;
    const struct hk_launch *first;
    char path[4200];
    struct hk_run run;
    char error[HK_TEXT_BYTES];
    size_t count;

    (void)state;
    assert_non_null(mkdtemp(root));
    plan = plan_of(root);
    assert_int_equal(hk_guest_record(&plan, &outcome, error), HK_OK);
    assert_false(outcome.partial);
    assert_int_equal(hk_run_read(outcome.path, &run, error), HK_OK);
    assert_int_equal(run.launch_count,
                     2 * (outcome.summary.exact_count + outcome.summary.absent_count));
    assert_int_equal(hk_run_cell(&run, "guest/syscall/null", &first, &count), HK_OK);
    assert_int_equal(count, 2);
    assert_int_equal(first[0].exactness, HK_EXACT);
    assert_int_equal(first[1].exactness, HK_EXACT);
    snprintf(path, sizeof(path), "%s/exact.json", outcome.path);
    assert_int_equal(access(path, R_OK), 0);
    hk_run_fini(&run);
    snprintf(path, sizeof(path),
             "grep -q '^guest/syscall/null\thk_entry_syscall\t[0-9]' "
             "%s/functions.tsv",
             outcome.path);
    assert_int_equal(system(path), 0);
    plan.filter = "(";
    assert_int_equal(hk_guest_record(&plan, &outcome, error), HK_EPARSE);
    assert_string_equal(outcome.path, "");
    assert_int_equal(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void unwritable_folder_is_said(void **state)
{
    struct hk_guest_plan plan = plan_of("/proc/nowhere");
    struct hk_guest_outcome outcome;
    char error[HK_TEXT_BYTES] = "";

    (void)state;
    assert_int_not_equal(hk_guest_record(&plan, &outcome, error), HK_OK);
    assert_non_null(strstr(error, "could not be kept"));
    plan.filter = "no_such_cell"; /* writes nothing, so the folder does not matter */
    assert_int_equal(hk_guest_record(&plan, &outcome, error), HK_ENOENT);
    assert_string_equal(outcome.path, "");
}

static void missing_files_are_named(void **state)
{
    struct hk_guest_files found;
    char error[512];

    (void)state;
    assert_int_equal(hk_guest_files_find("/nowhere", &found, error), HK_ENOENT);
    assert_non_null(strstr(error, "hkbench-kernel.elf is missing"));
}

/* "exact" runs the suite often and takes as long as all the rest: two tests for CTest. */
int main(int argc, char **argv)
{
    const struct CMUnitTest exact[] = {
        cmocka_unit_test(suite_is_exact_everywhere),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_runs_say_why),
        cmocka_unit_test(filter_holds_and_kvm_rows_stand_apart),
        cmocka_unit_test(run_is_recorded),
        cmocka_unit_test(unwritable_folder_is_said),
        cmocka_unit_test(missing_files_are_named),
    };
    char error[512];

    if (hk_guest_files_find(HK_BUILD_FOLDER, &files, error) != HK_OK) {
        print_error("%s\n", error);
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "exact") == 0) {
        return cmocka_run_group_tests(exact, NULL, NULL);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
