/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/guest/report.h"

#define BEGIN "HK1 begin version=1 scenario=experiments place=fs:kernel,net:server\n"
#define ROW   "ops=1000 ticks_n=8003 ticks_2n=12003 region_n=0 region_2n=1"

static void good_report_is_read(void **state)
{
    static const char text[] =
        BEGIN "HK1 log booted, and \xff anything else\n"
              "HK1 row guest/round_trip/endpoint/spaces:2/words:2 " ROW " switches=-2\n"
              "HK1 value guest/underrun/absolute seen=17 worst_ns=12345\n"
              "HK1 absent guest/syscall/vdso there is no vDSO here\n"
              "HK1 fail two = three\n"
              "HK1 log\n"
              "HK1 done leaks=3\n";
    struct hk_guest_report r;
    char error[256];

    (void)state;
    assert_int_equal(hk_guest_report_parse(text, sizeof(text) - 1, &r, error), HK_OK);
    assert_string_equal(r.scenario, "experiments");
    assert_string_equal(r.place, "fs:kernel,net:server");
    assert_true(r.done);
    assert_int_equal(r.leaks, 3);
    assert_int_equal(r.row_count, 3);
    assert_string_equal(r.rows[0].name, "guest/round_trip/endpoint/spaces:2/words:2");
    assert_int_equal(r.rows[0].ops, 1000);
    assert_int_equal(r.rows[0].ticks_2n, 12003);
    assert_int_equal(r.rows[0].region_2n, 1);
    assert_int_equal(r.rows[0].value_count, 1);
    assert_int_equal(r.rows[0].values[0].value, -2);
    assert_int_equal(r.rows[1].kind, HK_GUEST_VALUE);
    assert_int_equal(r.rows[1].value_count, 2);
    assert_string_equal(r.rows[1].values[1].key, "worst_ns");
    assert_string_equal(r.rows[2].text, "there is no vDSO here");
    assert_int_equal(r.fail_count, 1);
    assert_string_equal(r.fails[0], "two = three");
    hk_guest_report_fini(&r);
}

static void crash_keeps_what_came_before(void **state)
{
    static const char text[] = BEGIN "HK1 row a " ROW "\nHK1 row b ops=10";
    struct hk_guest_report r;
    char error[256];

    (void)state;
    assert_int_equal(hk_guest_report_parse(text, sizeof(text) - 1, &r, error), HK_OK);
    assert_false(r.done);
    assert_int_equal(r.row_count, 1);
    hk_guest_report_fini(&r);
}

static const struct {
    const char *text;
    enum hk_status status;
} bad[] = {
    {"hello\n", HK_EPARSE},
    {"HK1\n", HK_EPARSE},
    {"HK1 rows a\n", HK_EPARSE},
    {"HK1 row\n", HK_EPARSE},
    {"HK1 row a\n", HK_EPARSE},
    {"HK1 row a=1 " ROW "\n", HK_EPARSE},
    {"HK1 row a " ROW " ops=1\n", HK_EPARSE},
    {"HK1 row a " ROW " x=1 x=2\n", HK_EPARSE},
    {"HK1 row a " ROW " x=--1\n", HK_EPARSE},
    {"HK1 row a " ROW " x\n", HK_EPARSE},
    {"HK1 row a  " ROW "\n", HK_EPARSE},
    {"HK1 row a ops=0 ticks_n=1 ticks_2n=2 region_n=0 region_2n=1\n", HK_EPARSE},
    {"HK1 row a " ROW "\nHK1 value a x=1\n", HK_EPARSE},
    {"HK1 value a\n", HK_EPARSE},
    {"HK1 absent a\n", HK_EPARSE},
    {"HK1 absent a \n", HK_EPARSE},
    {"HK1 done\n", HK_EPARSE},
    {"HK1 done leaks=0\nHK1 log late\n", HK_EPARSE},
    {BEGIN BEGIN, HK_EPARSE},
    {"HK1 begin version=1 scenario=a\n", HK_EPARSE},
    {"HK1 begin version=2 scenario=a place=b\n", HK_ESCHEMA},
    {"HK1 row \x1b[2J " ROW "\n", HK_EPARSE},
};

static void bad_reports_are_refused_and_quoted(void **state)
{
    struct hk_guest_report r = {.row_count = 4711};
    char error[256];

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++) {
        enum hk_status status = hk_guest_report_parse(bad[i].text, strlen(bad[i].text), &r, error);

        if (status != bad[i].status) {
            fail_msg("%d instead of %d: %s", status, bad[i].status, bad[i].text);
        }
        assert_non_null(strstr(error, "guest, line "));
        assert_null(strchr(error, '\x1b'));
        assert_int_equal(r.row_count, 4711);
    }
}

/* A name that is part of another's is still told. */
static void each_counter_that_differs_is_named(void **state)
{
    static const char *const names[] = {"hk_tlb_misses_pcid", "hk_tlb_misses", "hk_tlb", "same"};
    struct hk_launch boots[3];

    (void)state;
    for (uint32_t i = 0; i < HK_ARRAY_COUNT(boots); i++) {
        assert_int_equal(hk_launch_init(&boots[i], "guest/a", i, 0), HK_OK);
        boots[i].exactness = HK_NEAR;
        for (size_t k = 0; k < HK_ARRAY_COUNT(names); k++) {
            assert_int_equal(hk_launch_add_counter(&boots[i], names[k], k < 3 ? i : 0), HK_OK);
        }
    }
    assert_int_equal(hk_guest_launches_classify(boots, HK_ARRAY_COUNT(boots)), HK_OK);
    assert_int_equal(boots[2].exactness, HK_NEAR);
    assert_string_equal(boots[2].reason,
                        "boots differ in hk_tlb_misses_pcid, hk_tlb_misses, hk_tlb");
    for (size_t i = 0; i < HK_ARRAY_COUNT(boots); i++) {
        hk_launch_fini(&boots[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_report_is_read),
        cmocka_unit_test(crash_keeps_what_came_before),
        cmocka_unit_test(bad_reports_are_refused_and_quoted),
        cmocka_unit_test(each_counter_that_differs_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
