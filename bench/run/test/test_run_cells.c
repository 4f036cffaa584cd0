/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/run/run.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void every_name_is_a_cell_name_and_unique(void **state)
{
    (void)state;
    for (int mode = HK_RUN_QUICK; mode <= HK_RUN_FULL; mode++) {
        char error[HK_TEXT_BYTES];
        struct hk_cells cells;
        assert_int_equal(hk_cells_expand((enum hk_run_mode)mode, NULL, &cells, error), HK_OK);
        assert_true(cells.count > 100);
        qsort(cells.names, cells.count, sizeof *cells.names, compare_names);
        for (size_t i = 0; i < cells.count; i++) {
            char kind[32];
            assert_int_equal(hk_name_check(cells.names[i]), HK_OK);
            assert_int_equal(hk_name_part(cells.names[i], 1, kind, sizeof kind), HK_OK);
            assert_non_null(hk_experiment_summary(kind));
            if (i > 0)
                assert_string_not_equal(cells.names[i - 1], cells.names[i]);
        }
        hk_cells_fini(&cells);
    }
}

static const char *const wanted_by_models[] = {
    "native/round_trip/pipe/place:same_core/bytes:1",
    "native/round_trip/unix_seqpacket/place:same_core/bytes:65536",
    "native/chain/pipe/place:same_core/servers:4/bytes:8192",
    "native/chain/pipe/place:same_core/policy:batch/servers:1/bytes:65536",
    "native/inject/pipe/place:same_core/servers:2/bytes:64",
    "native/inject/pipe/place:same_core/policy:batch/servers:2/bytes:64",
    "native/inject_syscall/pipe_self/bytes:64",
    "native/copy/memcpy/state:l2/bytes:4096",
    "native/remap/mremap/bytes:65536",
    "native/fallback/mix:independent/trace:train",
    "native/floor/cache_line/place:cross_core",
    "native/wakeup/absolute/policy:fifo/load:idle/period_us:16000/inject_us:1600/record:lateness",
    "native/underrun/absolute/policy:fifo/load:idle/period_us:16000/inject_us:1600",
};

static void the_quick_run_has_what_the_models_need(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(wanted_by_models); i++) {
        char error[HK_TEXT_BYTES], filter[HK_NAME_BYTES + 2];
        struct hk_cells cells;
        snprintf(filter, sizeof filter, "^%s$", wanted_by_models[i]);
        if (hk_cells_expand(HK_RUN_QUICK, filter, &cells, error) != HK_OK)
            fail_msg("%s", wanted_by_models[i]);
        assert_int_equal(cells.count, 1);
        hk_cells_fini(&cells);
    }
}

static void bad_filters_are_named(void **state)
{
    char error[HK_TEXT_BYTES] = "";
    struct hk_cells cells = {.count = 17};

    (void)state;
    assert_int_equal(hk_cells_expand(HK_RUN_QUICK, "(", &cells, error), HK_EPARSE);
    assert_non_null(strstr(error, "regular expression"));
    assert_int_equal(hk_cells_expand(HK_RUN_QUICK, "no_such_cell", &cells, error), HK_ENOENT);
    assert_non_null(strstr(error, "hkbench list"));
    assert_int_equal(cells.count, 17);
    assert_null(hk_experiment_summary("no_such_kind"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_a_cell_name_and_unique),
        cmocka_unit_test(the_quick_run_has_what_the_models_need),
        cmocka_unit_test(bad_filters_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
