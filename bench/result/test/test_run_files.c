/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/result/result.h"
#include "sample_run.h"

static char root[64];
static char run_path[PATH_MAX];
static char error[HK_TEXT_BYTES];

static int setup(void **state)
{
    (void)state;
    sample_folder_make(root);
    return sample_run_write(root, run_path, sizeof(run_path)) == HK_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sample_folder_remove(root);
    return 0;
}

static char *file_of(const char *name)
{
    static char path[PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s", run_path, name);
    return path;
}

static void put(const char *name, const char *text)
{
    assert_int_equal(hk_file_write(file_of(name), text, strlen(text)), HK_OK);
}

static void append_text(const char *name, const char *text)
{
    FILE *file = fopen(file_of(name), "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static size_t count_files(const char *pattern)
{
    char command[PATH_MAX + 128];
    unsigned long count = 0;
    snprintf(command, sizeof(command), "find %s -name '%s' | wc -l", root, pattern);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%lu", &count), 1);
    pclose(pipe);
    return count;
}

static void a_run_is_read_back_sorted(void **state)
{
    (void)state;
    struct hk_run run;
    assert_int_equal(hk_run_read(run_path, &run, error), HK_OK);
    assert_false(run.partial);
    assert_true(run.seed == 42);
    assert_string_equal(run.machine_id, SAMPLE_MACHINE_ID);
    assert_string_equal(run.machine_json, sample_machine_json);
    assert_string_equal(run.arguments, "run --quick");
    assert_int_equal(run.launch_count, 8);
    const struct hk_launch *first = NULL;
    size_t count = 0;
    assert_int_equal(hk_run_cell(&run, SAMPLE_PIPE, &first, &count), HK_OK);
    assert_int_equal(count, SAMPLE_PIPE_LAUNCHES);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(first[i].index, i);
    count = 2385;
    assert_int_equal(hk_run_cell(&run, "native/zzz", &first, &count), HK_ENOENT);
    assert_int_equal(hk_run_cell(&run, "", &first, &count), HK_ENOENT);
    assert_int_equal(count, 2385);
    hk_run_fini(&run);
}

static void runs_of_one_second_get_their_own_folders(void **state)
{
    (void)state;
    char other[PATH_MAX], latest[PATH_MAX];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sample_run_write(root, other, sizeof(other)), HK_OK);
        assert_string_not_equal(other, run_path);
        assert_int_equal(hk_run_latest(root, NULL, latest, sizeof(latest)), HK_OK);
        assert_string_equal(latest, other);
    }
    assert_int_equal(hk_run_latest(root, SAMPLE_MACHINE_ID, latest, sizeof(latest)), HK_OK);
    assert_int_equal(hk_run_latest(root, "other", latest, sizeof(latest)), HK_ENOENT);
    assert_int_equal(hk_run_latest("/nowhere", NULL, latest, sizeof(latest)), HK_ENOENT);
    assert_int_equal(hk_run_latest(root, NULL, latest, 10), HK_ETOOBIG);
}

/* The path of the newest run that has a cell, or "". */
static const char *newest_with(const char *machine_id, const char *cell, bool ok)
{
    static char path[PATH_MAX];
    const struct hk_run_wanted wanted = { machine_id, &cell, 1, ok };
    enum hk_status status = hk_run_latest_with(root, &wanted, path, sizeof(path));
    if (status != HK_OK) {
        assert_int_equal(status, HK_ENOENT);
        path[0] = '\0';
    }
    return path;
}

static void the_newest_run_with_a_cell_is_found(void **state)
{
    (void)state;
    static const char *const cells[] = { "native/zzz", SAMPLE_PIPE };
    const struct hk_run_wanted one = { .cells = cells, .cell_count = 1 };
    const struct hk_run_wanted two = { .cells = cells, .cell_count = 2 };
    char newest[PATH_MAX], path[PATH_MAX];
    assert_int_equal(sample_run_write(root, newest, sizeof(newest)), HK_OK);
    assert_int_equal(hk_run_latest_with(root, &two, path, sizeof(path)), HK_OK);
    assert_string_equal(path, newest);
    assert_int_equal(hk_run_latest_with(root, &one, path, sizeof(path)), HK_ENOENT);
    assert_int_equal(hk_run_latest_with("/nowhere", &two, path, sizeof(path)), HK_ENOENT);
    assert_int_equal(hk_run_latest_with(root, &two, path, 10), HK_ETOOBIG);
    assert_string_equal(newest_with(NULL, "native/round_trip/pipe/*", true), newest);
    assert_string_equal(newest_with(NULL, SAMPLE_PIPE "*", true), newest);
    assert_string_equal(newest_with(NULL, "native/round_trip/pipe/", true), ""); /* not whole */
    assert_string_equal(newest_with(NULL, "round_trip/*", true), "");            /* begins none */
    assert_string_equal(newest_with(SAMPLE_MACHINE_ID, SAMPLE_PIPE, true), newest);
    assert_string_equal(newest_with("other", SAMPLE_PIPE, true), "");
}

static void what_failed_or_cannot_be_read_is_passed_over(void **state)
{
    (void)state;
    char newest[PATH_MAX], path[PATH_MAX];
    assert_string_equal(newest_with(NULL, "native/round_trip/futex/*", true), ""); /* invalid */
    assert_string_equal(newest_with(NULL, "native/round_trip/pipe/place:smt/bytes:64", true), "");
    assert_string_equal(newest_with(NULL, "native/round_trip/futex/*", false), run_path);
    assert_string_equal(newest_with(NULL, "native/round_trip/pipe/place:smt/bytes:64", false),
                        run_path);
    assert_int_equal(sample_run_write(root, newest, sizeof(newest)), HK_OK);
    snprintf(path, sizeof(path), "%s/launches.jsonl", newest);
    assert_int_equal(truncate(path, 100), 0); /* the first line is torn */
    assert_string_equal(newest_with(NULL, SAMPLE_PIPE, true), run_path);
    put("run.json", "{\"schema\": 0}");
    assert_string_equal(newest_with(NULL, SAMPLE_PIPE, true), "");
}

/* Two machines may begin a run in the same second. */
static void runs_of_one_name_are_all_looked_at(void **state)
{
    (void)state;
    char command[3 * PATH_MAX], latest[PATH_MAX];
    snprintf(command, sizeof(command),
             "cd %s && cp -r " SAMPLE_MACHINE_ID " zzz && : >zzz/%s/launches.jsonl", root,
             strrchr(run_path, '/') + 1);
    assert_int_equal(system(command), 0);
    assert_int_equal(hk_run_latest(root, NULL, latest, sizeof(latest)), HK_OK);
    assert_non_null(strstr(latest, "/zzz/"));
    assert_string_equal(newest_with(NULL, SAMPLE_PIPE, true), run_path);
}

static void a_torn_last_line_is_dropped(void **state)
{
    (void)state;
    append_text("launches.jsonl", "{\"name\":\"native/a\",\"ind");
    struct hk_run run;
    assert_int_equal(hk_run_read(run_path, &run, error), HK_OK);
    assert_true(run.partial);
    assert_int_equal(run.launch_count, 8);
    hk_run_fini(&run);
}

static void a_malformed_line_is_named(void **state)
{
    (void)state;
    append_text("launches.jsonl", "{\"name\":\"native/a\",\"ind\n");
    struct hk_run run = { .seed = 2385 };
    assert_int_equal(hk_run_read(run_path, &run, error), HK_EPARSE);
    assert_non_null(strstr(error, "launches.jsonl:9:"));
    assert_true(run.seed == 2385);
}

static void a_killed_writer_leaves_a_partial_run(void **state)
{
    (void)state;
    char path[PATH_MAX];
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    if (child == 0) {
        struct hk_run_writer *writer = NULL;
        if (hk_run_create(root, sample_machine_json, "run", 1, &writer) != HK_OK ||
            sample_append(writer, SAMPLE_PIPE, 0, 3706.25) != HK_OK)
            _exit(1);
        const char *name = hk_run_writer_path(writer);
        if (write(pipe_fds[1], name, strlen(name) + 1) < 0)
            _exit(1);
        pause();
        _exit(0);
    }
    close(pipe_fds[1]);
    assert_true(read(pipe_fds[0], path, sizeof(path)) > 0);
    close(pipe_fds[0]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    struct hk_run run;
    assert_int_equal(hk_run_read(path, &run, error), HK_OK);
    assert_true(run.partial);
    assert_int_equal(run.launch_count, 1);
    assert_non_null(strstr(run.note, "killed"));
    hk_run_fini(&run);
}

static void an_interrupted_run_says_why(void **state)
{
    (void)state;
    struct hk_run_writer *writer = NULL;
    struct hk_run run;
    char path[PATH_MAX];
    assert_int_equal(hk_run_create(root, sample_machine_json, "run", 1, &writer), HK_OK);
    snprintf(path, sizeof(path), "%s", hk_run_writer_path(writer));
    assert_int_equal(hk_run_finish(writer, true, "stopped by Ctrl-C"), HK_OK);
    assert_int_equal(hk_run_read(path, &run, error), HK_OK);
    assert_true(run.partial);
    assert_string_equal(run.note, "stopped by Ctrl-C");
    assert_int_equal(run.launch_count, 0);
    hk_run_fini(&run);
}

static const struct {
    const char *file;
    const char *text; /* NULL: the file is removed */
    enum hk_status status;
    const char *says;
} damages[] = {
    { "run.json", NULL, HK_ENOENT, "run.json: not found" },
    { "machine.json", NULL, HK_ENOENT, "machine.json: not found" },
    { "launches.jsonl", NULL, HK_ENOENT, "launches.jsonl: not found" },
    { "run.json", "", HK_EPARSE, "run.json:" },
    { "run.json", "[1]", HK_EPARSE, "run.json:" },
    { "run.json", "{\"schema\": 1}", HK_EPARSE, "a field is missing" },
    { "run.json", "{\"schema\": \"1\"}", HK_EPARSE, "no schema" },
    { "run.json", "{\"schema\": 999}", HK_ESCHEMA, "schema 999" },
    { "machine.json", "{\"id\": \"elsewhere\"}", HK_EMACHINE, "elsewhere" },
    { "machine.json", "{}", HK_EMACHINE, "none" },
    { "launches.jsonl", "\n", HK_EPARSE, "launches.jsonl:1:" },
};

static void damaged_runs_are_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(damages); i++) {
        assert_int_equal(sample_run_write(root, run_path, sizeof(run_path)), HK_OK);
        if (damages[i].text)
            put(damages[i].file, damages[i].text);
        else
            assert_int_equal(unlink(file_of(damages[i].file)), 0);
        struct hk_run run;
        error[0] = '\0';
        assert_int_equal(hk_run_read(run_path, &run, error), damages[i].status);
        if (!strstr(error, damages[i].says))
            fail_msg("'%s' does not say '%s'", error, damages[i].says);
    }
    struct hk_run run;
    assert_int_equal(hk_run_read("/nowhere", &run, error), HK_ENOENT);
}

static void runs_of_other_machines_do_not_mix(void **state)
{
    (void)state;
    struct hk_run a, b;
    assert_int_equal(hk_run_read(run_path, &a, error), HK_OK);
    assert_int_equal(hk_run_read(run_path, &b, error), HK_OK);
    assert_int_equal(hk_run_mixable(&a, &b, error), HK_OK);
    free(b.machine_json);
    b.machine_json = strdup("{\"id\": \"" SAMPLE_MACHINE_ID "\", \"kernel\": \"6.1.0-other\"}");
    assert_int_equal(hk_run_mixable(&a, &b, error), HK_EMACHINE);
    assert_non_null(strstr(error, "'kernel'"));
    b.machine_id[0] = 'x';
    assert_int_equal(hk_run_mixable(&a, &b, error), HK_EMACHINE);
    hk_run_fini(&a);
    hk_run_fini(&b);
}

static void bad_machine_records_are_refused(void **state)
{
    (void)state;
    static const char *const records[] = { "", "{}", "[]", "{\"id\": 7}", "{\"id\": \"\"}",
                                           "{\"id\": \"..\"}", "{\"id\": \"a/b\"}" };
    for (size_t i = 0; i < HK_ARRAY_COUNT(records); i++) {
        struct hk_run_writer *writer = NULL;
        assert_int_equal(hk_run_create(root, records[i], "run", 1, &writer), HK_EPARSE);
        assert_null(writer);
    }
}

static void folders_that_cannot_be_written_are_a_status(void **state)
{
    (void)state;
    char path[PATH_MAX + 8];
    struct hk_run_writer *writer = NULL;
    put("a_file", "x");
    snprintf(path, sizeof(path), "%s", file_of("a_file"));
    assert_int_equal(hk_run_create(path, sample_machine_json, "run", 1, &writer), HK_EPERM);
    assert_int_equal(hk_run_create("/proc/hkbench", sample_machine_json, "run", 1, &writer),
                     HK_EPERM);
    assert_null(writer);
    assert_int_equal(hk_file_write("/dev/full/x", "x", 1), HK_ENOENT);
}

/* Limits the size of files this process may write: write fails as on a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_costs_no_written_launch(void **state)
{
    (void)state;
    struct hk_run_writer *writer = NULL;
    struct hk_run run;
    char path[PATH_MAX];
    assert_int_equal(hk_run_create(root, sample_machine_json, "run", 1, &writer), HK_OK);
    snprintf(path, sizeof(path), "%s", hk_run_writer_path(writer));
    limit_files(2000);
    uint32_t written = 0;
    enum hk_status status;
    while ((status = sample_append(writer, SAMPLE_PIPE, written, 3706.25)) == HK_OK)
        written++;
    limit_files(0);
    assert_int_equal(status, HK_ENOSPC);
    assert_true(written > 2);
    assert_int_equal(hk_run_read(path, &run, error), HK_OK);
    assert_int_equal(run.launch_count, written);
    hk_run_fini(&run);

    /* Room again: the run goes on behind the last whole line. */
    assert_int_equal(sample_append(writer, SAMPLE_PIPE, written, 3706.25), HK_OK);
    limit_files(1500);
    assert_int_equal(hk_run_finish(writer, false, NULL), HK_ENOSPC);
    limit_files(0);
    assert_int_equal(hk_run_read(path, &run, error), HK_OK);
    assert_int_equal(run.launch_count, written + 1);
    assert_true(run.partial);
    hk_run_fini(&run);
    assert_int_equal(count_files("*.??????"), 0); /* no temporary file stays */
}

static void an_atomic_write_replaces_or_leaves(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    put("note.txt", "first");
    put("note.txt", "second");
    assert_int_equal(hk_file_read(file_of("note.txt"), 100, &text, &bytes), HK_OK);
    assert_string_equal(text, "second");
    assert_int_equal(bytes, 6);
    free(text);
    text = NULL;
    assert_int_equal(hk_file_read(file_of("note.txt"), 5, &text, &bytes), HK_ETOOBIG);
    assert_int_equal(hk_file_read(file_of("absent"), 5, &text, &bytes), HK_ENOENT);
    assert_int_equal(hk_file_read(run_path, 5, &text, &bytes), HK_EIO);
    assert_null(text);
    char big[4096];
    memset(big, 'x', sizeof(big));
    limit_files(1000);
    assert_int_equal(hk_file_write(file_of("note.txt"), big, sizeof(big)), HK_ENOSPC);
    limit_files(0);
    assert_int_equal(hk_file_read(file_of("note.txt"), 100, &text, &bytes), HK_OK);
    assert_string_equal(text, "second");
    free(text);
    assert_int_equal(count_files("note.txt*"), 1);
}

static void a_launch_without_a_cell_name_is_refused(void **state)
{
    (void)state;
    struct hk_run_writer *writer = NULL;
    assert_int_equal(hk_run_create(root, sample_machine_json, "run", 1, &writer), HK_OK);
    assert_int_equal(sample_append(writer, "not a name", 0, 1), HK_EINVAL);
    assert_int_equal(hk_run_finish(writer, false, NULL), HK_OK);
}

/* The exports are made while run.json still says "running". */
static void exports_say_how_the_run_ended(void **state)
{
    (void)state;
    for (int partial = 0; partial < 2; partial++) {
        struct hk_run_writer *writer = NULL;
        char path[PATH_MAX], *text = NULL;
        size_t bytes = 0;
        assert_int_equal(hk_run_create(root, sample_machine_json, "run", 1, &writer), HK_OK);
        assert_int_equal(sample_append(writer, "native/x/pipe", 0, 1), HK_OK);
        snprintf(path, sizeof(path), "%s/benchmark.json", hk_run_writer_path(writer));
        assert_int_equal(hk_run_finish(writer, partial == 1, NULL), HK_OK);
        assert_int_equal(hk_file_read(path, 1 << 20, &text, &bytes), HK_OK);
        assert_non_null(strstr(text, partial ? "\"hk_state\": \"partial\""
                                             : "\"hk_state\": \"complete\""));
        free(text);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_read_back_sorted),
        TEST(runs_of_one_second_get_their_own_folders),
        TEST(the_newest_run_with_a_cell_is_found),
        TEST(what_failed_or_cannot_be_read_is_passed_over),
        TEST(runs_of_one_name_are_all_looked_at),
        TEST(a_torn_last_line_is_dropped),
        TEST(a_malformed_line_is_named),
        TEST(a_killed_writer_leaves_a_partial_run),
        TEST(an_interrupted_run_says_why),
        TEST(exports_say_how_the_run_ended),
        TEST(damaged_runs_are_refused_with_a_reason),
        TEST(runs_of_other_machines_do_not_mix),
        TEST(bad_machine_records_are_refused),
        TEST(folders_that_cannot_be_written_are_a_status),
        TEST(a_full_disk_costs_no_written_launch),
        TEST(an_atomic_write_replaces_or_leaves),
        TEST(a_launch_without_a_cell_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
