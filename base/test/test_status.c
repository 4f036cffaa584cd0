/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hk/base/status.h"

static void every_status_has_name_and_text(void **state)
{
    (void)state;
#define X(name, value, text)                         \
    assert_string_equal(hk_status_name(name), #name); \
    assert_string_equal(hk_status_text(name), text);  \
    assert_int_equal(name, value);                    \
    assert_true(name <= 0);
    HK_STATUS_LIST(X)
#undef X
}

static void unknown_status_is_named_so(void **state)
{
    (void)state;
    assert_string_equal(hk_status_text((enum hk_status)-12345), "unknown status");
    assert_string_equal(hk_status_name((enum hk_status)-12345), "HK_?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_name_and_text),
        cmocka_unit_test(unknown_status_is_named_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
