/* SPDX-License-Identifier: MIT */
/* The build without libbenchmark: every call is refused with a reason, outputs stay untouched. */
#include <hk/gbench/gbench.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void never_called(struct hk_gbench_state *state, void *arg)
{
    (void)state, (void)arg;
    fail();
}

static void test_refused_with_a_reason(void **context)
{
    static char program[] = "p", flag[] = "--benchmark_filter=x";
    char *argv[] = {program, flag, NULL};
    int argc = 2;
    struct hk_gbench_totals totals = {5, 5, 5};
    struct hk_gbench *bench = NULL;

    (void)context;
    assert_false(hk_gbench_available());
    assert_int_equal(hk_gbench_init(&argc, argv), HK_GBENCH_ENOTSUP);
    assert_int_equal(argc, 2);
    assert_int_equal(hk_gbench_register("x", never_called, NULL, &bench), HK_GBENCH_ENOTSUP);
    assert_null(bench);
    assert_int_equal(hk_gbench_run(NULL, &totals), HK_GBENCH_ENOTSUP);
    assert_int_equal(totals.matched_count, 5);
    assert_non_null(strstr(hk_gbench_error_text(), "libbenchmark-dev"));
    hk_gbench_shutdown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused_with_a_reason)};

    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
