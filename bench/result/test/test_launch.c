/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/result/result.h"

#define NAME "native/round_trip/pipe/place:same_core/bytes:64"

static void what_is_put_in_comes_back(void **state)
{
    (void)state;
    const double blocks[] = { 3706.2519531, 0.1, -2.5e-300, 9007199254740992.0, 1.7e308, 4 };
    struct hk_launch launch, again;
    char *text = NULL;
    char error[HK_TEXT_BYTES];
    assert_int_equal(hk_launch_init(&launch, NAME, 7, UINT64_MAX), HK_OK);
    assert_int_equal(hk_launch_add_counter(&launch, "cost_ns", 1), HK_OK);
    assert_int_equal(hk_launch_add_counter(&launch, "cost_ns", 3706.2519531), HK_OK);
    assert_int_equal(hk_launch_add_series(&launch, "block_mean_ns", blocks, 6), HK_OK);
    assert_int_equal(hk_launch_add_series(&launch, "empty_ns", NULL, 0), HK_OK);
    assert_int_equal(hk_launch_set_state(&launch, HK_LAUNCH_INVALID, "\"quoted\"\n\tand broken"),
                     HK_OK);
    launch.exactness = HK_NEAR;

    assert_int_equal(hk_launch_encode(&launch, &text), HK_OK);
    assert_null(strchr(text, '\n'));
    assert_int_equal(hk_launch_decode(text, strlen(text), &again, error), HK_OK);
    assert_string_equal(again.name, NAME);
    assert_int_equal(again.index, 7);
    assert_true(again.seed == UINT64_MAX);
    assert_int_equal(again.state, HK_LAUNCH_INVALID);
    assert_int_equal(again.exactness, HK_NEAR);
    assert_string_equal(again.reason, "\"quoted\"\n\tand broken");
    double cost = 0;
    assert_true(hk_launch_counter(&again, "cost_ns", &cost));
    assert_true(cost == 3706.2519531);
    assert_int_equal(again.counter_count, 1);
    const struct hk_series *series = hk_launch_series(&again, "block_mean_ns");
    assert_non_null(series);
    assert_int_equal(series->count, 6);
    assert_memory_equal(series->values, blocks, sizeof(blocks));
    assert_int_equal(hk_launch_series(&again, "empty_ns")->count, 0);
    hk_launch_fini(&again);
    hk_launch_fini(&launch);
    free(text);
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    const double bad[] = { NAN, INFINITY, -INFINITY };
    struct hk_launch launch;
    assert_int_equal(hk_launch_init(&launch, NAME, 0, 0), HK_OK);
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++) {
        const double values[] = { 2.385, bad[i] };
        assert_int_equal(hk_launch_add_counter(&launch, "cost_ns", bad[i]), HK_EINVAL);
        assert_int_equal(hk_launch_add_series(&launch, "block_mean_ns", values, 2), HK_EINVAL);
    }
    assert_int_equal(hk_launch_add_counter(&launch, "", 2.385), HK_EINVAL);
    assert_int_equal(hk_launch_add_series(&launch, "", NULL, 0), HK_EINVAL);
    assert_int_equal(launch.counter_count, 0);
    assert_int_equal(launch.series_count, 0);
    assert_int_equal(hk_launch_add_series(&launch, "a_ns", bad, 0), HK_OK);
    assert_int_equal(hk_launch_add_series(&launch, "a_ns", bad, 0), HK_EEXIST);
    double value = 2.385;
    assert_false(hk_launch_counter(&launch, "cost_ns", &value));
    assert_true(value == 2.385);
    hk_launch_fini(&launch);
}

static void a_name_that_is_no_utf8_is_refused(void **state)
{
    (void)state;
    struct hk_launch launch;
    char *text = NULL;
    assert_int_equal(hk_launch_init(&launch, NAME, 0, 0), HK_OK);
    assert_int_equal(hk_launch_set_state(&launch, HK_LAUNCH_FAILED, "\xff\xfe"), HK_OK);
    assert_int_equal(hk_launch_encode(&launch, &text), HK_EINVAL);
    assert_null(text);
    hk_launch_fini(&launch);
}

#define REST ",\"index\":0,\"seed\":\"1\",\"state\":\"ok\",\"exactness\":\"timed\""
#define TAIL ",\"counters\":{},\"series\":{}}"

static void malformed_lines_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"name\":\"a/b\"" REST,
        "{\"name\":\"a/b\"" REST "}",
        "{\"name\":\"a/b\"" REST TAIL "x",
        "{\"name\":\"a/b\",\"name\":\"a/c\"" REST TAIL,
        "{\"name\":\"a\"" REST TAIL,
        "{\"name\":\"a//b\"" REST TAIL,
        "{\"name\":7" REST TAIL,
        "{\"name\":\"a/b\",\"index\":-1,\"seed\":\"1\",\"state\":\"ok\",\"exactness\":\"timed\"" TAIL,
        "{\"name\":\"a/b\",\"index\":4294967296,\"seed\":\"1\",\"state\":\"ok\",\"exactness\":\"timed\"" TAIL,
        "{\"name\":\"a/b\",\"index\":0,\"seed\":\"-1\",\"state\":\"ok\",\"exactness\":\"timed\"" TAIL,
        "{\"name\":\"a/b\",\"index\":0,\"seed\":\"\",\"state\":\"ok\",\"exactness\":\"timed\"" TAIL,
        "{\"name\":\"a/b\",\"index\":0,\"seed\":1,\"state\":\"ok\",\"exactness\":\"timed\"" TAIL,
        "{\"name\":\"a/b\",\"index\":0,\"seed\":\"1\",\"state\":\"fine\",\"exactness\":\"timed\"" TAIL,
        "{\"name\":\"a/b\",\"index\":0,\"seed\":\"1\",\"state\":\"ok\",\"exactness\":\"about\"" TAIL,
        "{\"name\":\"a/b\",\"index\":0,\"seed\":\"1\",\"state\":\"failed\",\"exactness\":\"timed\"" TAIL,
        "{\"name\":\"a/b\"" REST ",\"counters\":[],\"series\":{}}",
        "{\"name\":\"a/b\"" REST ",\"counters\":{\"x\":\"1\"},\"series\":{}}",
        "{\"name\":\"a/b\"" REST ",\"counters\":{\"x\":NaN},\"series\":{}}",
        "{\"name\":\"a/b\"" REST ",\"counters\":{\"x\":1e999},\"series\":{}}",
        "{\"name\":\"a/b\"" REST ",\"counters\":{\"\":1},\"series\":{}}",
        "{\"name\":\"a/b\"" REST ",\"counters\":{},\"series\":{\"x\":1}}",
        "{\"name\":\"a/b\"" REST ",\"counters\":{},\"series\":{\"x\":[1,null]}}",
    };
    for (size_t i = 0; i < HK_ARRAY_COUNT(lines); i++) {
        char error[HK_TEXT_BYTES] = "";
        struct hk_launch launch = { .index = 2385 };
        if (hk_launch_decode(lines[i], strlen(lines[i]), &launch, error) != HK_EPARSE)
            fail_msg("accepted: %s", lines[i]);
        assert_true(error[0] != '\0');
        assert_int_equal(launch.index, 2385);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_in_comes_back),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(a_name_that_is_no_utf8_is_refused),
        cmocka_unit_test(malformed_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
