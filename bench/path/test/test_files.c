/* SPDX-License-Identifier: MIT */
/*
 * The file services: contents and attributes are right, requests reach the server as often as
 * claimed, a dead server is noticed, and no mount, device or descriptor is left behind.
 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/path/file.h"
#include "watch.h"

enum { OPERATIONS = 20 };

/* The image has no name, but the device shows that it had one. */
static int count_our_loops(void)
{
    DIR *directory = opendir("/sys/block");
    int count = 0;
    char path[300], text[64];

    if (directory == NULL)
        return 0;
    for (struct dirent *e = readdir(directory); e != NULL; e = readdir(directory)) {
        snprintf(path, sizeof path, "/sys/block/%s/loop/backing_file", e->d_name);
        FILE *f = fopen(path, "re");
        if (f == NULL)
            continue;
        count += fgets(text, sizeof text, f) != NULL && strstr(text, "/memfd:hk_") != NULL;
        fclose(f);
    }
    closedir(directory);
    return count;
}

static const struct hk_file_service *service_of(const char *name)
{
    const struct hk_file_service *service = NULL;

    assert_int_equal(hk_file_service_find(name, &service), HK_OK);
    return service;
}

static pid_t start_server(struct hk_file *file)
{
    const pid_t parent = getpid();

    if (!file->service->server)
        return 0;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(getppid() == parent ? -hk_file_serve(file) : 1);
}

static const struct {
    const char *service;
    struct hk_file_options options;
} cases[] = {
    {"memfs", {HK_FILE_READ, HK_FILE_KEPT, false, 4096}},
    {"memfs", {HK_FILE_WRITE, HK_FILE_KEPT, false, 5000}},
    {"memfs", {HK_FILE_STAT, HK_FILE_KEPT, false, 1}},
    {"memfs", {HK_FILE_LOOKUP, HK_FILE_KEPT, false, 1}},
    {"tmpfs", {HK_FILE_READ, HK_FILE_KEPT, false, HK_FILE_BYTES_MAX}},
    {"tmpfs", {HK_FILE_WRITE, HK_FILE_KEPT, false, 4096}},
    {"tmpfs", {HK_FILE_STAT, HK_FILE_KEPT, false, 777}},
    {"tmpfs", {HK_FILE_LOOKUP, HK_FILE_KEPT, false, 4096}},
    {"ext4", {HK_FILE_READ, HK_FILE_KEPT, false, 65536}},
    {"ext4", {HK_FILE_WRITE, HK_FILE_DIRECT, false, 8192}},
    {"ext4", {HK_FILE_LOOKUP, HK_FILE_KEPT, false, 4096}},
    {"fuse", {HK_FILE_READ, HK_FILE_KEPT, false, 4096}},
    {"fuse", {HK_FILE_READ, HK_FILE_DIRECT, false, 1}},
    {"fuse", {HK_FILE_READ, HK_FILE_DIRECT, false, HK_FILE_BYTES_MAX}},
    {"fuse", {HK_FILE_READ, HK_FILE_DIRECT, true, 65536}},
    {"fuse", {HK_FILE_WRITE, HK_FILE_DIRECT, false, 12345}},
    {"fuse", {HK_FILE_WRITE, HK_FILE_KEPT, false, 4096}},
    {"fuse", {HK_FILE_WRITE, HK_FILE_WRITEBACK, false, 65536}},
    {"fuse", {HK_FILE_READ, HK_FILE_PASSTHROUGH, false, 65536}},
    {"fuse", {HK_FILE_WRITE, HK_FILE_PASSTHROUGH, false, 12345}},
    {"fuse", {HK_FILE_STAT, HK_FILE_KEPT, false, 4096}},
    {"fuse", {HK_FILE_STAT, HK_FILE_DIRECT, false, 4096}},
    {"fuse", {HK_FILE_LOOKUP, HK_FILE_KEPT, false, 4096}},
    {"fuse", {HK_FILE_LOOKUP, HK_FILE_DIRECT, false, 4096}},
    {"loop", {HK_FILE_READ, HK_FILE_DIRECT, false, 4096}},
    {"loop", {HK_FILE_READ, HK_FILE_DIRECT, false, HK_FILE_BYTES_MAX}},
    {"nbd", {HK_FILE_READ, HK_FILE_DIRECT, false, 4096}},
    {"nbd", {HK_FILE_READ, HK_FILE_DIRECT, false, HK_FILE_BYTES_MAX}},
    {"ublk", {HK_FILE_READ, HK_FILE_DIRECT, false, 4096}},
};

/* Cached operations may bring one late request of the opening with them. */
static void check_requests(struct hk_file *file)
{
    const struct hk_file_claim claim = hk_file_claim(file->service, &file->options);
    const uint64_t before = hk_file_requests(file);

    assert_int_equal(hk_file_run(file, OPERATIONS), HK_OK);
    const double requests = (double)(hk_file_requests(file) - before);
    assert_true(requests >= claim.requests_min * OPERATIONS);
    if (claim.requests_max >= 0)
        assert_true(requests <= claim.requests_max * OPERATIONS + 1);
}

static void use(struct hk_file *file, const char *service)
{
    char reason[HK_REASON_BYTES] = "";
    const pid_t server = start_server(file);
    const enum hk_status status = hk_file_enter(file, reason);

    if (status == HK_ENOTSUP) {
        assert_string_not_equal(reason, "");
        print_message("    %s: not here: %s\n", service, reason);
    } else {
        if (status != HK_OK)
            fail_msg("%s: %s %s", service, hk_status_text(status), reason);
        assert_int_equal(hk_file_run(file, 0), HK_OK);
        check_requests(file);
        if (hk_file_verify(file, reason) != HK_OK)
            fail_msg("%s: %s", service, reason);
    }
    hk_file_fini(file);
    if (server > 0) {
        const int state = wait_for(server);
        assert_true(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    }
}

static void every_service_does_what_it_claims(void **state)
{
    const int fds = count_fds();
    char reason[HK_REASON_BYTES] = "";

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        struct hk_file file;
        assert_int_equal(hk_file_init(&file, service_of(cases[i].service), &cases[i].options,
                                      reason), HK_OK);
        use(&file, cases[i].service);
        assert_int_equal(count_fds(), fds);
    }
    for (int tries = 0; tries < 100 * WAIT_S && count_our_loops() > 0; tries++)
        nanosleep(&(struct timespec){0, 10 * 1000000}, NULL);
    assert_int_equal(count_our_loops(), 0);
}

static const struct {
    const char *service;
    struct hk_file_options options;
    const char *word; /* of the reason */
} refused[] = {
    {"memfs", {HK_FILE_READ, HK_FILE_DIRECT, false, 4096}, "cache:direct"},
    {"tmpfs", {HK_FILE_READ, HK_FILE_KEPT, false, 0}, "bytes"},
    {"tmpfs", {HK_FILE_READ, HK_FILE_KEPT, false, HK_FILE_BYTES_MAX + 1}, "bytes"},
    {"tmpfs", {HK_FILE_READ, HK_FILE_KEPT, true, 4096}, "pages"},
    {"fuse", {HK_FILE_WRITE, HK_FILE_DIRECT, true, 4096}, "pages"},
    {"fuse", {HK_FILE_STAT, HK_FILE_WRITEBACK, false, 4096}, "cache:writeback"},
    {"nbd", {HK_FILE_READ, HK_FILE_KEPT, false, 4096}, "cache:kept"},
};

static void what_a_service_has_not_is_refused(void **state)
{
    const struct hk_file_service *service = (void *)state;

    for (size_t i = 0; i < HK_ARRAY_COUNT(refused); i++) {
        char reason[HK_REASON_BYTES] = "";
        struct hk_file file;
        assert_int_equal(hk_file_init(&file, service_of(refused[i].service), &refused[i].options,
                                      reason), HK_EINVAL);
        assert_non_null(strstr(reason, refused[i].word));
        hk_file_fini(&file);
    }
    assert_int_equal(hk_file_service_find("tape", &service), HK_ENOENT);
    assert_ptr_equal(service, state);
    enum hk_file_cache cache = HK_FILE_DIRECT;
    enum hk_file_operation operation = HK_FILE_STAT;
    assert_int_equal(hk_file_cache_find("l2", &cache), HK_ENOENT);
    assert_int_equal(hk_file_operation_find("seek", &operation), HK_ENOENT);
    assert_true(cache == HK_FILE_DIRECT && operation == HK_FILE_STAT);
}

static void parts_of_a_page_are_no_block(void **state)
{
    const struct hk_file_options options = {HK_FILE_READ, HK_FILE_DIRECT, false, 5000};
    char reason[HK_REASON_BYTES] = "";
    struct hk_file file;

    (void)state;
    assert_int_equal(hk_file_init(&file, service_of("loop"), &options, reason), HK_OK);
    assert_int_equal(hk_file_enter(&file, reason), HK_EINVAL);
    assert_non_null(strstr(reason, "multiples"));
    hk_file_fini(&file);
}

/* Whoever waits for a server that dies gets an answer, and later ones too. */
static void server_dies(const char *service, enum hk_status expected)
{
    const struct hk_file_options options = {HK_FILE_READ, HK_FILE_DIRECT, false, 4096};
    char reason[HK_REASON_BYTES] = "";
    enum hk_status status = HK_OK;
    struct hk_file file;

    assert_int_equal(hk_file_init(&file, service_of(service), &options, reason), HK_OK);
    const pid_t server = start_server(&file);
    if (hk_file_enter(&file, reason) != HK_OK) {
        hk_file_fini(&file);
        wait_for(server);
        print_message("skipped: %s\n", reason);
        skip();
    }
    const pid_t killer = fork(); /* while requests are on their way */
    if (killer == 0) {
        nanosleep(&(struct timespec){0, 5 * 1000000}, NULL);
        kill(server, SIGKILL);
        _exit(0);
    }
    alarm(WAIT_S);
    while (status == HK_OK)
        status = hk_file_run(&file, 1);
    assert_int_equal(status, expected);
    assert_int_equal(hk_file_run(&file, 1), expected);
    alarm(0);
    wait_for(killer);
    wait_for(server);
    hk_file_fini(&file);
}

static void a_dead_fuse_server_is_noticed(void **state)
{
    (void)state;
    server_dies("fuse", HK_EPEER);
}

static void a_dead_nbd_server_is_noticed(void **state)
{
    (void)state;
    server_dies("nbd", HK_EIO);
}

static void a_giver_says_why_or_dies(void **state)
{
    char reason[HK_REASON_BYTES] = "";
    struct hk_handover handover;
    int fds[2] = {17, 17}, given[2] = {0, 1};

    (void)state;
    assert_int_equal(hk_handover_init(&handover), HK_OK);
    struct hk_handover other = {dup(handover.giver), dup(handover.taker)};
    assert_int_equal(hk_handover_give(&other, HK_ENOTSUP, "no ink; buy some", NULL, 0), HK_ENOTSUP);
    assert_int_equal(hk_handover_take(&handover, fds, 2, reason), HK_ENOTSUP);
    assert_string_equal(reason, "no ink; buy some");
    assert_int_equal(fds[0], 17);

    assert_int_equal(hk_handover_init(&handover), HK_OK);
    other = (struct hk_handover){dup(handover.giver), dup(handover.taker)};
    assert_int_equal(hk_handover_give(&other, HK_OK, "", given, 2), HK_OK);
    assert_int_equal(hk_handover_take(&handover, fds, 2, reason), HK_OK);
    assert_true(fds[0] > 2 && fds[1] > 2 && fds[0] != fds[1]);
    close(fds[0]);
    close(fds[1]);

    assert_int_equal(hk_handover_init(&handover), HK_OK);
    close(handover.giver);
    handover.giver = -1;
    assert_int_equal(hk_handover_take(&handover, fds, 1, reason), HK_EPEER);
    hk_handover_fini(&handover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_service_does_what_it_claims),
        cmocka_unit_test(what_a_service_has_not_is_refused),
        cmocka_unit_test(parts_of_a_page_are_no_block),
        cmocka_unit_test(a_dead_fuse_server_is_noticed),
        cmocka_unit_test(a_dead_nbd_server_is_noticed),
        cmocka_unit_test(a_giver_says_why_or_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
