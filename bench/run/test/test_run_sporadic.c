/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sporadic.h"

static void a_free_server_is_timed_from_the_sending(void **state)
{
    (void)state;
    /* due at 1000, the client itself woke at 1070, answered at 1095 */
    assert_int_equal(hk_sporadic_latency_ns(1000, 900, 1070, 1095), 25);
    assert_int_equal(hk_sporadic_latency_ns(1000, 1000, 1070, 1095), 25);
}

static void a_held_up_request_is_timed_from_when_it_was_due(void **state)
{
    (void)state;
    /* the answer before came at 5000 */
    assert_int_equal(hk_sporadic_latency_ns(1000, 5000, 5003, 5028), 4028);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_server_is_timed_from_the_sending),
        cmocka_unit_test(a_held_up_request_is_timed_from_when_it_was_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
