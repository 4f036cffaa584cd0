/* SPDX-License-Identifier: MIT */
/*
 * Every path does what it says: its payload arrives, it makes the system calls
 * that it claims, refuses sizes out of range and leaves no descriptor open.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/counters/perf.h"
#include "hk/path/path.h"
#include "hk/transport/transport.h"
#include "watch.h"

#define PATHS_MAX 64
#define OPERATIONS 200u

static void check_refusal(const struct hk_path *path, size_t bytes)
{
    const struct hk_path_options options = {.bytes = bytes};
    void *state = &state;

    assert_int_equal(path->open(&options, &state), HK_EINVAL);
    assert_ptr_equal(state, &state);
}

static void check_size(const struct hk_path *path, size_t bytes)
{
    const struct hk_path_options options = {.bytes = bytes};
    void *state;

    assert_int_equal(path->open(&options, &state), HK_OK);
    assert_int_equal(path->run(state, 0), HK_OK);
    assert_int_equal(path->run(state, 3), HK_OK);
    if (path->verify)
        assert_int_equal(path->verify(state), HK_OK);
    path->close(state);
}

/* Skipped where system calls cannot be counted; the reason is printed once. */
static void check_claim(const struct hk_path *path, const struct hk_perf_access *access)
{
    const struct hk_path_options options = {.bytes = path->bytes_max < 64 ? path->bytes_max : 64};
    struct hk_perf perf;
    uint64_t before, after, idle;
    void *state;

    if (access->syscalls_id == 0 || path->syscalls < 0)
        return;
    assert_int_equal(path->open(&options, &state), HK_OK);
    assert_int_equal(path->run(state, 2), HK_OK);
    hk_perf_open(access, 0, &perf);
    /* What the measurement itself calls is counted by doing nothing first. */
    assert_true(hk_perf_read(&perf, HK_PERF_SYSCALLS, &before));
    assert_true(hk_perf_read(&perf, HK_PERF_SYSCALLS, &after));
    idle = after - before;
    assert_true(hk_perf_read(&perf, HK_PERF_SYSCALLS, &before));
    assert_int_equal(path->run(state, OPERATIONS), HK_OK);
    assert_true(hk_perf_read(&perf, HK_PERF_SYSCALLS, &after));
    hk_perf_close(&perf);
    path->close(state);
    /* A run may look at the clock or its own number once. */
    double per_operation = (double)(after - before - idle) / OPERATIONS;
    if (per_operation < path->syscalls - 0.02 || per_operation > path->syscalls + 0.02)
        print_error("    %s: %.3f system calls for each operation\n", path->name, per_operation);
    assert_true(per_operation >= path->syscalls - 0.02);
    assert_true(per_operation <= path->syscalls + 0.02);
}

static void test_path(void **initial)
{
    const struct hk_path *path = *initial;
    static const size_t sizes_bytes[] = {0, 1, 8, 64, 4096, 65536};
    char reason[HK_REASON_BYTES] = "";
    struct hk_perf_access access;

    if (path->probe && path->probe(reason) != HK_OK) {
        assert_string_not_equal(reason, "");
        print_message("    %s: skipped: %s\n", path->name, reason);
        skip();
    }
    if (path->transport) {
        const struct hk_transport *transport;
        assert_int_equal(hk_transport_find(path->transport, &transport), HK_OK);
    }
    int fds = count_fds();
    check_refusal(path, path->bytes_max + 1);
    check_refusal(path, (size_t)1 << 63);
    for (size_t i = 0; i < HK_ARRAY_COUNT(sizes_bytes); i++)
        if (sizes_bytes[i] <= path->bytes_max)
            check_size(path, sizes_bytes[i]);
    check_size(path, path->bytes_max);
    hk_perf_access_init(&access);
    check_claim(path, &access);
    assert_int_equal(count_fds(), fds);
}

static void test_registry(void **state)
{
    const struct hk_path *found = (void *)state;
    struct hk_perf_access access;
    char reason[HK_REASON_TEXT_BYTES];

    assert_int_equal(hk_path_find("wormhole", &found), HK_ENOENT);
    assert_ptr_equal(found, (void *)state);
    for (size_t i = 0; i < hk_path_count; i++) {
        assert_int_equal(hk_path_find(hk_paths[i]->name, &found), HK_OK);
        assert_ptr_equal(found, hk_paths[i]); /* so that names are unique */
    }
    hk_perf_access_init(&access);
    if (hk_perf_probe(&access, HK_PERF_SYSCALLS, reason) != HK_OK)
        print_message("    system calls are not counted: %s\n", reason);
}

int main(void)
{
    struct CMUnitTest tests[PATHS_MAX] = {cmocka_unit_test(test_registry)};
    size_t count = 1;

    for (size_t i = 0; i < hk_path_count && count < PATHS_MAX; i++)
        tests[count++] = (struct CMUnitTest){
            .name = hk_paths[i]->name,
            .test_func = test_path,
            .initial_state = (void *)(uintptr_t)hk_paths[i],
        };
    return _cmocka_run_group_tests("paths", tests, count, NULL, NULL) != 0;
}
