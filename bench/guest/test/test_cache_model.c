/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/guest/cache_model.h"

/* Small enough to fill by hand: L1 of 2 sets x 2 ways, L2 of 4 x 2, TLBs of 2 x 1 over 4 x 2. */
static const struct hk_cache_params small = {
    .l1i = {4, 2},
    .l1d = {4, 2},
    .l2 = {8, 2},
    .itlb = {2, 1},
    .dtlb = {2, 1},
    .stlb = {8, 2},
    .line_bytes = 64,
    .global_kernel = 1,
};

static int model_make(void **state)
{
    return hk_cache_model_create(&small, (struct hk_cache_model **)state);
}

static int model_free(void **state)
{
    hk_cache_model_destroy(*state);
    return 0;
}

#define EVENT(model, event) ((unsigned)hk_cache_model_events(model)[HK_##event])

static void lru_replaces_the_oldest(void **state)
{
    struct hk_cache_model *m = *state;

    /* lines 0, 2, 4 of one page share L1 set 0, which holds two */
    hk_cache_model_data(m, 0x1000, 7, 8);
    hk_cache_model_data(m, 0x1080, 7, 8);
    hk_cache_model_data(m, 0x1000, 7, 8); /* hit; 0x1080 is now the oldest */
    assert_int_equal(EVENT(m, CACHE_MISSES_L1D), 2);
    hk_cache_model_data(m, 0x1100, 7, 8);
    hk_cache_model_data(m, 0x1000, 7, 8);
    assert_int_equal(EVENT(m, CACHE_MISSES_L1D), 3);
    hk_cache_model_data(m, 0x1080, 7, 8); /* left the first level, still in the last */
    assert_int_equal(EVENT(m, CACHE_MISSES_L1D), 4);
    assert_int_equal(EVENT(m, CACHE_MISSES), 3);
    assert_int_equal(EVENT(m, CACHE_MISSES_L1I), 0);
    assert_int_equal(EVENT(m, TLB_MISSES), 1);
}

static void accesses_cross_lines_but_not_pages(void **state)
{
    struct hk_cache_model *m = *state;

    hk_cache_model_data(m, 0x1000 + 60, 7, 8);
    assert_int_equal(EVENT(m, CACHE_MISSES_L1D), 2);
    hk_cache_model_fetch(m, 0x1ffc, 7, 15);
    assert_int_equal(EVENT(m, CACHE_MISSES_L1I), 1);
    assert_int_equal(EVENT(m, TLB_MISSES_ITLB), 1);
    hk_cache_model_data(m, 0x1010, 7, 0); /* no size is a byte */
    assert_int_equal(EVENT(m, CACHE_MISSES_L1D), 2);
}

static void cr3_write_empties_what_pcid_keeps(void **state)
{
    struct hk_cache_model *m = *state;

    hk_cache_model_data(m, 0x1000, 1, 8);
    hk_cache_model_data(m, 0xffffffff80002000, 2, 8);
    hk_cache_model_fetch(m, 0x3000, 3, 4);
    assert_int_equal(EVENT(m, TLB_MISSES), 3);
    hk_cache_model_cr3_write(m);
    hk_cache_model_data(m, 0x1000, 1, 8);
    hk_cache_model_data(m, 0xffffffff80002000, 2, 8); /* global: stays */
    hk_cache_model_fetch(m, 0x3000, 3, 4);
    assert_int_equal(EVENT(m, TLB_MISSES), 5);
    assert_int_equal(EVENT(m, TLB_MISSES_ITLB), 2);
    assert_int_equal(EVENT(m, TLB_MISSES_DTLB), 3);
    assert_int_equal(EVENT(m, TLB_MISSES_PCID), 3);
    assert_int_equal(EVENT(m, CACHE_MISSES), 3); /* caches know nothing of CR3 */
}

static void same_address_in_two_spaces_is_two_pages(void **state)
{
    struct hk_cache_model *m = *state;

    for (int i = 0; i < 5; i++) {
        hk_cache_model_data(m, 0x5000, 11, 8);
        hk_cache_model_cr3_write(m);
        hk_cache_model_data(m, 0x5000, 13, 8);
        hk_cache_model_cr3_write(m);
    }
    assert_int_equal(EVENT(m, TLB_MISSES), 10);
    assert_int_equal(EVENT(m, TLB_MISSES_PCID), 2);
    assert_int_equal(EVENT(m, CACHE_MISSES), 2);
}

/* Equal access patterns on other frames give equal events, and a reset forgets everything. */
static void frames_are_coloured_by_first_touch(void **state)
{
    static const uint64_t bases[] = {0x123, 0x7f0000000000, 0x9999};
    struct hk_cache_model *m = *state;
    uint64_t events[HK_ARRAY_COUNT(bases)][HK_CACHE_EVENT_COUNT];

    for (size_t b = 0; b < HK_ARRAY_COUNT(bases); b++) {
        hk_cache_model_reset(m);
        for (uint64_t i = 0; i < 2385; i++) {
            uint64_t page = i * i % 17;

            hk_cache_model_data(m, page << 12 | (i * 72 & 4095), bases[b] * (page + 1), 8);
        }
        memcpy(events[b], hk_cache_model_events(m), sizeof(events[b]));
    }
    assert_true(events[0][HK_CACHE_MISSES] > 100);
    assert_memory_equal(events[0], events[1], sizeof(events[0]));
    assert_memory_equal(events[0], events[2], sizeof(events[0]));
}

static void too_many_frames_are_reported(void **state)
{
    struct hk_cache_model *m = *state;

    for (uint64_t i = 0; i < HK_CACHE_FRAME_CAPACITY - 1; i++) {
        hk_cache_model_data(m, i << 12, i, 8);
    }
    assert_false(hk_cache_model_saturated(m));
    hk_cache_model_data(m, 0, HK_CACHE_FRAME_CAPACITY, 8);
    hk_cache_model_data(m, 0, HK_CACHE_FRAME_CAPACITY + 1, 8);
    assert_true(hk_cache_model_saturated(m));
    hk_cache_model_reset(m);
    assert_false(hk_cache_model_saturated(m));
}

static void bad_geometry_is_refused(void **state)
{
    static const struct hk_cache_geometry bad[] = {
        {4, 0}, {0, 1}, {12, 4}, {65, 65}, {1u << 23, 1}};
    struct hk_cache_model *m = NULL;
    struct hk_cache_params params;

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++) {
        params = small;
        params.dtlb = bad[i];
        assert_int_equal(hk_cache_model_create(&params, &m), HK_EINVAL);
        assert_null(m);
    }
    params = small;
    params.line_bytes = 48;
    assert_int_equal(hk_cache_params_check(&params), HK_EINVAL);
    params = small;
    params.global_kernel = 2;
    assert_int_equal(hk_cache_params_check(&params), HK_EINVAL);
}

static void shipped_parameters_hold(void **state)
{
    struct hk_cache_params params;
    char error[256];

    (void)state;
    assert_int_equal(hk_cache_params_read(HK_CACHE_MODEL_INI, &params, error), HK_OK);
    assert_int_equal(params.line_bytes, 64);
    assert_int_equal(params.l1d.entries, 512);
    assert_int_equal(params.stlb.entries, 1536);
    assert_int_equal(params.stlb.ways, 12);
}

static const struct {
    const char *text;
    enum hk_status status;
    const char *cause;
} bad_files[] = {
    {"[l1i]\nways = 8\n", HK_EPARSE, "[line] line_bytes is missing"},
    {"[l1i]\nways = 8\nways = 8\n", HK_EPARSE, ":3: [l1i] ways = 8: repeated key"},
    {"[l1i]\nways = -8\n", HK_EPARSE, "not a whole number"},
    {"[l1i]\nways = 99999999999\n", HK_EPARSE, "not a whole number"},
    {"[l9]\nways = 8\n", HK_EPARSE, "unknown key"},
    {"[l1i\n", HK_EPARSE, ":1: malformed line"},
};

static void bad_files_say_why(void **state)
{
    char path[] = "/tmp/hkbench-params-XXXXXX";
    struct hk_cache_params params = {.line_bytes = 4711};
    char error[256];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad_files); i++) {
        size_t bytes = strlen(bad_files[i].text);

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad_files[i].text, bytes, 0), bytes);
        assert_int_equal(hk_cache_params_read(path, &params, error), bad_files[i].status);
        assert_non_null(strstr(error, bad_files[i].cause));
    }
    close(fd);
    unlink(path);
    assert_int_equal(hk_cache_params_read(path, &params, error), HK_ENOENT);
    assert_int_equal(params.line_bytes, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lru_replaces_the_oldest, model_make, model_free),
        cmocka_unit_test_setup_teardown(accesses_cross_lines_but_not_pages, model_make, model_free),
        cmocka_unit_test_setup_teardown(cr3_write_empties_what_pcid_keeps, model_make, model_free),
        cmocka_unit_test_setup_teardown(same_address_in_two_spaces_is_two_pages, model_make,
                                        model_free),
        cmocka_unit_test_setup_teardown(frames_are_coloured_by_first_touch, model_make, model_free),
        cmocka_unit_test_setup_teardown(too_many_frames_are_reported, model_make, model_free),
        cmocka_unit_test(bad_geometry_is_refused),
        cmocka_unit_test(shipped_parameters_hold),
        cmocka_unit_test(bad_files_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
