/* SPDX-License-Identifier: MIT */
/* The plugin against counts known from the probe's source, and against QEMU's own icount clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/guest/check.h"
#include "hk/guest/counts.h"
#include "hk/guest/qemu.h"

/* The clock also sees, besides the body: a move, two marks and one of its own two reads. */
#define CLOCK_EXTRA 4u

/* In the order of the probe's regions; restarted counts instructions that faulted and ran again. */
static const struct {
    const char *name;
    uint64_t kernel, user, loads, stores, entries, cr3_writes, restarted;
} expected[] = {
    {"empty", 0, 0, 0, 0, 0, 0, 0},
    {"loop", 1 + 2 * 1000, 0, 0, 0, 0, 0, 0},
    {"memory", 1 + 5 * 100, 0, 200, 100, 0, 0, 0},
    {"rep", 3 + 64 + 1, 0, 64, 64, 0, 0, 0}, /* the last, empty turn counts as well */
    {"cr3", 3 + 4 * 10 + 1, 0, 10, 0, 0, 11, 0},
    {"fault", 3 * 2 + 3 * 6, 0, UINT64_MAX, UINT64_MAX, 0, 0,
     3}, /* memory of exceptions: see 0130 */
    {"user", 3 * 100, 1 + 4 * 100, 0, 0, 100, 0, 0},
    {"interrupt", 10 * 2, 0, UINT64_MAX, UINT64_MAX, 0, 0, 0},
    {"device", 5, 0, 5, 0, 0, 0, 0},
};

static enum hk_status probe_run(enum hk_qemu_machine machine, struct hk_qemu_result *result)
{
    const struct hk_qemu_options options = {
        .kernel = HK_PROBE,
        .machine = machine,
        .memory_mib = 32,
        .timeout_ms = 20000,
        .plugin = HK_PLUGIN,
        .model = HK_CACHE_MODEL_INI,
    };
    char error[HK_QEMU_ERROR_BYTES];
    enum hk_status status = hk_qemu_run(&options, result, error);

    if (status == HK_ENOTSUP) {
        printf("skipped: %s\n", error);
        exit(77);
    }
    if (status != HK_OK) {
        print_error("%s\n", error);
    }
    return status;
}

static uint64_t clock_of(const struct hk_qemu_result *result, const char *name)
{
    char key[32];
    const char *found;

    snprintf(key, sizeof(key), "%s=", name);
    found = strstr(result->text, key);
    assert_non_null(found);
    return strtoull(found + strlen(key), NULL, 10);
}

static void check_region(const struct hk_region_counts *r, size_t i, uint64_t clock)
{
    const uint64_t *c = r->count;

    assert_int_equal(c[HK_COUNT_INSTRUCTIONS_KERNEL], expected[i].kernel);
    assert_int_equal(c[HK_COUNT_INSTRUCTIONS_USER], expected[i].user);
    assert_int_equal(c[HK_COUNT_RING_ENTRIES], expected[i].entries);
    assert_int_equal(c[HK_COUNT_CR3_WRITES], expected[i].cr3_writes);
    if (expected[i].loads != UINT64_MAX) {
        assert_int_equal(c[HK_COUNT_LOADS], expected[i].loads);
        assert_int_equal(c[HK_COUNT_STORES], expected[i].stores);
    }
    assert_int_equal(expected[i].kernel + expected[i].user,
                     clock - CLOCK_EXTRA + expected[i].restarted);
}

static void counts_agree_with_source_and_clock(void **state)
{
    struct hk_qemu_result result;
    struct hk_counts counts;
    char error[256];

    (void)state;
    assert_int_equal(probe_run(HK_QEMU_MICROVM, &result), HK_OK);
    assert_int_equal(hk_counts_parse(result.counts, result.counts_bytes, &counts, error), HK_OK);
    assert_int_equal(counts.region_count, HK_ARRAY_COUNT(expected));
    for (size_t i = 0; i < HK_ARRAY_COUNT(expected); i++) {
        check_region(&counts.regions[i], i, clock_of(&result, expected[i].name));
    }
    hk_counts_fini(&counts);
    hk_qemu_result_fini(&result);
}

/* Eleven CR3 writes cost eleven refills of the code page and ten of the data page. */
static void cr3_writes_have_a_price(void **state)
{
    struct hk_qemu_result result;
    struct hk_counts counts;
    char error[256];

    (void)state;
    assert_int_equal(probe_run(HK_QEMU_MICROVM, &result), HK_OK);
    assert_int_equal(hk_counts_parse(result.counts, result.counts_bytes, &counts, error), HK_OK);
    assert_int_equal(counts.regions[4].count[HK_COUNT_TLB_MISSES], 11 + 10);
    assert_int_equal(counts.regions[4].count[HK_COUNT_TLB_MISSES_PCID], 1 + 1);
    hk_counts_fini(&counts);
    hk_qemu_result_fini(&result);
}

static void functions_are_named(void **state)
{
    struct hk_qemu_result result;
    struct hk_counts counts;
    char error[256];

    (void)state;
    assert_int_equal(probe_run(HK_QEMU_MICROVM, &result), HK_OK);
    assert_int_equal(hk_counts_parse(result.counts, result.counts_bytes, &counts, error), HK_OK);
    assert_int_equal(counts.regions[5].function_count, 2);
    assert_string_equal(counts.regions[5].functions[0].name, "page_fault");
    assert_int_equal(counts.regions[5].functions[0].instructions, 18);
    assert_string_equal(counts.regions[5].functions[1].name, "region_fault");
    /* ring 3 runs the code at its low alias, which no symbol covers */
    assert_string_equal(counts.regions[6].functions[0].name, "?");
    hk_counts_fini(&counts);
    hk_qemu_result_fini(&result);
}

static void runs_and_machines_are_identical(void **state)
{
    static const enum hk_qemu_machine runs[] = {HK_QEMU_MICROVM, HK_QEMU_Q35};
    struct hk_qemu_result first;
    struct hk_qemu_result next;

    (void)state;
    assert_int_equal(probe_run(HK_QEMU_MICROVM, &first), HK_OK);
    assert_true(first.exited);
    assert_int_equal(first.exit_value, 0x10);
    for (size_t i = 0; i < HK_ARRAY_COUNT(runs); i++) {
        assert_int_equal(probe_run(runs[i], &next), HK_OK);
        assert_string_equal(first.text, next.text);
        assert_string_equal(first.counts, next.counts);
        hk_qemu_result_fini(&next);
    }
    hk_qemu_result_fini(&first);
}

/* A clock of two nanoseconds per instruction does not agree with the counts: found out. */
static void wrong_clock_is_found_out(void **state)
{
    static const char script[] = "#!/bin/sh\nexec qemu-system-x86_64 \"$@\" -icount shift=1\n";
    static struct hk_guest_files files = {
        .probe = HK_PROBE, .plugin = HK_PLUGIN, .model = HK_CACHE_MODEL_INI};
    char path[] = "/tmp/hkbench-script-XXXXXX";
    char reason[HK_QEMU_ERROR_BYTES] = "";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
    fchmod(fd, 0700);
    close(fd);
    assert_int_equal(hk_guest_count_check(NULL, &files, reason), HK_OK);
    assert_int_equal(hk_guest_count_check(path, &files, reason), HK_EROW);
    unlink(path);
    assert_non_null(strstr(reason, "the plugin counted"));
}

/* Runs a program under user-mode emulation with the plugin; 127 when the emulator is missing. */
static int user_mode_run(const char *counts_path, const char *from)
{
    char plugin[1024];
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        snprintf(plugin, sizeof(plugin), HK_PLUGIN ",out=%s,model=%s,elf=%s%s", counts_path,
                 HK_CACHE_MODEL_INI, HK_MARKED, from);
        execlp("qemu-x86_64", "qemu-x86_64", "-plugin", plugin, HK_MARKED, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void user_mode_count(const char *from, struct hk_counts *counts)
{
    char path[] = "/tmp/hkbench-counts-XXXXXX";
    int fd = mkstemp(path);
    char error[256];
    char text[4096];
    ssize_t bytes;
    int code;

    assert_true(fd >= 0);
    code = user_mode_run(path, from);
    bytes = pread(fd, text, sizeof(text), 0);
    close(fd);
    unlink(path);
    if (code == 127) {
        print_message("qemu-x86_64 is not installed; Debian: apt install qemu-user\n");
        skip();
    }
    assert_int_equal(code, 0);
    assert_true(bytes > 0);
    assert_int_equal(hk_counts_parse(text, (size_t)bytes, counts, error), HK_OK);
}

static void check_hosted_region(const struct hk_region_counts *r, uint64_t rounds)
{
    assert_int_equal(r->count[HK_COUNT_INSTRUCTIONS_USER], 1 + 3 * rounds);
    assert_int_equal(r->count[HK_COUNT_INSTRUCTIONS_KERNEL], 0);
    assert_int_equal(r->count[HK_COUNT_STORES], rounds);
    assert_int_equal(r->count[HK_COUNT_TLB_MISSES], 2);
    assert_string_equal(r->functions[0].name, "marked_loop");
}

static void hosted_code_is_counted(void **state)
{
    struct hk_counts counts;

    (void)state;
    user_mode_count("", &counts);
    assert_int_equal(counts.region_count, 2);
    check_hosted_region(&counts.regions[0], 1000);
    check_hosted_region(&counts.regions[1], 500);
    hk_counts_fini(&counts);
}

/*
 * The region before the mark is not there; the one behind it is as exact as ever. In either case
 * the one after HK_MARK_DISARM is not there.
 */
static void counting_may_wait_for_its_mark(void **state)
{
    struct hk_counts counts;

    (void)state;
    user_mode_count(",from=arm", &counts);
    assert_int_equal(counts.region_count, 1);
    check_hosted_region(&counts.regions[0], 500);
    hk_counts_fini(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_agree_with_source_and_clock),
        cmocka_unit_test(cr3_writes_have_a_price),
        cmocka_unit_test(functions_are_named),
        cmocka_unit_test(runs_and_machines_are_identical),
        cmocka_unit_test(wrong_clock_is_found_out),
        cmocka_unit_test(hosted_code_is_counted),
        cmocka_unit_test(counting_may_wait_for_its_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
