/* SPDX-License-Identifier: MIT */
/* How the runner ends: every way QEMU can fail, played by small programs in its place. */
#include <dirent.h>
#include <errno.h>
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
#include "hk/guest/qemu.h"

static size_t open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL) {
        n++;
    }
    closedir(d);
    return n;
}

/* Runs a shell script in place of QEMU and checks that no process and no descriptor is left. */
static enum hk_status script_run(const char *body, struct hk_qemu_options options,
                                 struct hk_qemu_result *result, char *error)
{
    char path[] = "/tmp/hkbench-script-XXXXXX";
    enum hk_status status;
    size_t files;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    dprintf(fd, "#!/bin/sh\n%s\n", body);
    fchmod(fd, 0700);
    close(fd);
    options.program = path;
    options.kernel = HK_PROBE;
    options.memory_mib = 32;
    files = open_files();
    status = hk_qemu_run(&options, result, error);
    unlink(path);
    assert_int_equal(open_files(), files);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return status;
}

static volatile sig_atomic_t stop_now = 1;

static const struct {
    const char *body;
    struct hk_qemu_options options;
    enum hk_status status;
    const char *message;
} failures[] = {
    {"echo hello; kill -9 $$", {0}, HK_EPEER, "killed by signal 9"},
    {"echo HK1 log waiting; exec sleep 30", {.timeout_ms = 300}, HK_ETIMEOUT, "HK1 log waiting"},
    {"exec sleep 30", {.timeout_ms = 200}, HK_ETIMEOUT, "(nothing)"},
    {"exec yes", {.output_bytes = 20000}, HK_ETOOBIG, "more than 20000 bytes"},
    {"exec sleep 30", {.stop = &stop_now}, HK_EINTR, "stopped"},
    {"echo 'plugin requires API version 1, but' >&2; exit 1", {0}, HK_ENOTSUP, "4.2 to 8.2"},
    {"echo 'Could not access KVM kernel module' >&2; exit 1", {0}, HK_ENOTSUP, "KVM cannot"},
    {"echo 'invalid accelerator kvm' >&2; exit 1", {0}, HK_ENOTSUP, "without KVM"},
    {"echo 'no such device: x' >&2; exit 1", {0}, HK_EIO, "refused to run: no such device: x"},
    {"exit 1", {0}, HK_EIO, "no reason given"},
};

static void failures_have_a_status_and_a_reason(void **state)
{
    char error[HK_QEMU_ERROR_BYTES];

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(failures); i++) {
        struct hk_qemu_result result = {.text_bytes = 4711};

        assert_int_equal(script_run(failures[i].body, failures[i].options, &result, error),
                         failures[i].status);
        if (strstr(error, failures[i].message) == NULL) {
            fail_msg("%s: %s", failures[i].body, error);
        }
        assert_int_equal(result.text_bytes, 4711);
    }
}

static void line_keep(void *user, const char *line)
{
    strcat(user, line);
    strcat(user, "|");
}

static void output_and_lines_arrive(void **state)
{
    char lines[64] = "";
    const struct hk_qemu_options options = {.on_line = line_keep, .user = lines};
    struct hk_qemu_result result;
    char error[HK_QEMU_ERROR_BYTES];

    (void)state;
    assert_int_equal(
        script_run("printf 'a b\\nc'; sleep 0.1; printf 'd\\ne'; exit 33", options, &result, error),
        HK_OK);
    assert_string_equal(lines, "a b|cd|");
    assert_string_equal(result.text, "a b\ncd\ne");
    assert_true(result.exited);
    assert_int_equal(result.exit_value, 16);
    hk_qemu_result_fini(&result);
    assert_int_equal(script_run("exit 0", options, &result, error), HK_OK);
    assert_false(result.exited);
    assert_string_equal(result.text, "");
    hk_qemu_result_fini(&result);
}

/* Arguments reach QEMU whole: spaces stay, commas in paths are written twice. */
static void arguments_arrive_whole(void **state)
{
    const struct hk_qemu_options options = {
        .append = "place=fs:kernel,net:server scenario=tour",
        .plugin = "/a,b/plugin.so",
        .model = "/c d/model.ini",
    };
    struct hk_qemu_result result;
    char error[HK_QEMU_ERROR_BYTES];

    (void)state;
    assert_int_equal(script_run("for a; do echo \"[$a]\"; done; exit 33", options, &result, error),
                     HK_OK);
    assert_non_null(strstr(result.text, "[place=fs:kernel,net:server scenario=tour]\n"));
    assert_non_null(strstr(result.text, "[file=/a,,b/plugin.so,model=/c d/model.ini,elf="));
    assert_non_null(strstr(result.text, ",out=/proc/self/fd/"));
    assert_non_null(strstr(result.text, "[-icount]\n[shift=0,sleep=off]\n"));
    hk_qemu_result_fini(&result);
}

/* A held guest is let go once the monitor has spoken, and the moment is noted. */
static void held_guest_is_let_go(void **state)
{
    static const char body[] =
        "fd=${*##*id=monitor,fd=}; fd=${fd%% *}; echo '{\"QMP\": {}}' >&$fd\n"
        "read word <&$fd; echo '{\"return\": {}}' >&$fd\n"
        "read word <&$fd; echo '{\"return\": {\"running\": false}}' >&$fd; read word <&$fd\n"
        "echo \"$word\"; for a; do echo \"[$a]\"; done; exit 33";
    const struct hk_qemu_options options = {.held = true, .timeout_ms = 20000};
    struct hk_qemu_result result;
    char error[HK_QEMU_ERROR_BYTES];

    (void)state;
    assert_int_equal(script_run(body, options, &result, error), HK_OK);
    assert_int_equal(strncmp(result.text, "{\"execute\": \"cont\"}\n", 20), 0);
    assert_non_null(strstr(result.text, "[-S]\n"));
    assert_true(result.released_ns > 0);
    hk_qemu_result_fini(&result);
    assert_int_equal(script_run("exec sleep 30", (struct hk_qemu_options){
        .held = true, .timeout_ms = 200}, &result, error), HK_ETIMEOUT);
    assert_int_equal(script_run("echo 'no such device: x' >&2; exit 1", options, &result, error),
                     HK_EIO);
    assert_int_equal(script_run("exit 0", (struct hk_qemu_options){
        .held = true, .gdb_port = 1234}, &result, error), HK_EINVAL);
}

static void missing_program_names_its_package(void **state)
{
    const struct hk_qemu_options options = {
        .program = "qemu-system-none", .kernel = HK_PROBE, .memory_mib = 32};
    struct hk_qemu_result result;
    char error[HK_QEMU_ERROR_BYTES];

    (void)state;
    assert_int_equal(hk_qemu_run(&options, &result, error), HK_ENOTSUP);
    assert_non_null(strstr(error, "apt install qemu-system-x86"));
}

static void version_is_read(void **state)
{
    char version[32] = "untouched";
    char error[HK_QEMU_ERROR_BYTES];

    (void)state;
    assert_int_equal(hk_qemu_version("qemu-system-none", version, error), HK_ENOTSUP);
    assert_int_equal(hk_qemu_version("true", version, error), HK_EPARSE);
    assert_string_equal(version, "untouched");
    if (hk_qemu_version(NULL, version, error) == HK_OK) {
        assert_true(version[0] >= '1' && version[0] <= '9');
    }
}

static void bad_images_are_refused(void **state)
{
    struct hk_qemu_options options = {.kernel = "/nowhere/kernel.elf", .memory_mib = 32};
    struct hk_qemu_result result;
    char error[HK_QEMU_ERROR_BYTES];

    (void)state;
    assert_int_equal(hk_qemu_run(&options, &result, error), HK_ENOENT);
    assert_non_null(strstr(error, "/nowhere/kernel.elf"));
    options.kernel = HK_CACHE_MODEL_INI;
    assert_int_equal(hk_qemu_run(&options, &result, error), HK_EPARSE);
    assert_non_null(strstr(error, "corrupt"));
    options.kernel = "/bin/true"; /* position independent: no kernel */
    assert_int_equal(hk_qemu_run(&options, &result, error), HK_EPARSE);
}

static void bad_options_are_refused(void **state)
{
    struct hk_qemu_options options = {.kernel = HK_PROBE, .memory_mib = 1};
    struct hk_qemu_result result;
    char error[HK_QEMU_ERROR_BYTES];
    enum hk_qemu_machine machine = HK_QEMU_Q35;

    (void)state;
    assert_int_equal(hk_qemu_run(&options, &result, error), HK_EINVAL);
    assert_non_null(strstr(error, "not 1"));
    options.memory_mib = 32;
    options.clock = HK_QEMU_KVM;
    options.plugin = HK_PLUGIN;
    assert_int_equal(hk_qemu_run(&options, &result, error), HK_EINVAL);
    assert_int_equal(hk_qemu_machine_find("pc", &machine), HK_ENOENT);
    assert_int_equal(machine, HK_QEMU_Q35);
    assert_int_equal(hk_qemu_machine_find("microvm", &machine), HK_OK);
    assert_string_equal(hk_qemu_machine_name(machine), "microvm");
}

/* KVM is either trusted or refused with a reason, within its time, and nothing stays behind. */
static void kvm_check_always_ends(void **state)
{
    char reason[HK_QEMU_ERROR_BYTES] = "";
    enum hk_status status = hk_guest_kvm_check(NULL, HK_PROBE, reason);

    (void)state;
    assert_true(status == HK_OK || status == HK_ENOTSUP);
    assert_true(status == HK_OK || reason[0] != '\0');
    print_message("KVM: %s\n", status == HK_OK ? "trusted" : reason);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_have_a_status_and_a_reason),
        cmocka_unit_test(output_and_lines_arrive),
        cmocka_unit_test(arguments_arrive_whole),
        cmocka_unit_test(held_guest_is_let_go),
        cmocka_unit_test(missing_program_names_its_package),
        cmocka_unit_test(version_is_read),
        cmocka_unit_test(bad_images_are_refused),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(kvm_check_always_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
