/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/result/result.h"

static const struct {
    const char *name;
    const char *key;
    enum hk_status status;
    int64_t value;
} ints[] = {
    { "native/round_trip/pipe/place:same_core/bytes:64", "bytes", HK_OK, 64 },
    { "native/a/bytes:0", "bytes", HK_OK, 0 },
    { "native/a/shift:-17", "shift", HK_OK, -17 },
    { "native/a/bytes:9223372036854775807", "bytes", HK_OK, INT64_MAX },
    { "native/a/bytes:9223372036854775808", "bytes", HK_EPARSE, 0 },
    { "native/a/bytes:99999999999999999999999999999999999", "bytes", HK_EPARSE, 0 },
    { "native/a/bytes:", "bytes", HK_EPARSE, 0 },
    { "native/a/bytes:-", "bytes", HK_EPARSE, 0 },
    { "native/a/bytes:6x", "bytes", HK_EPARSE, 0 },
    { "native/a/bytes: 6", "bytes", HK_EPARSE, 0 },
    { "native/a/message_bytes:6", "bytes", HK_ENOENT, 0 },
    { "native/bytes/a", "bytes", HK_ENOENT, 0 },
    { "", "bytes", HK_ENOENT, 0 },
};

static void integers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(ints); i++) {
        int64_t value = 2385;
        assert_int_equal(hk_name_int(ints[i].name, ints[i].key, &value), ints[i].status);
        assert_true(value == (ints[i].status == HK_OK ? ints[i].value : 2385));
    }
}

static void text_and_parts_are_read(void **state)
{
    (void)state;
    const char *name = "native/round_trip/pipe/place:same_core/bytes:64";
    char text[16] = "untouched";
    assert_int_equal(hk_name_text(name, "place", text, sizeof(text)), HK_OK);
    assert_string_equal(text, "same_core");
    assert_int_equal(hk_name_text(name, "place", text, 9), HK_ETOOBIG);
    assert_string_equal(text, "same_core");
    assert_int_equal(hk_name_text(name, "load", text, sizeof(text)), HK_ENOENT);
    assert_int_equal(hk_name_part(name, 0, text, sizeof(text)), HK_OK);
    assert_string_equal(text, "native");
    assert_int_equal(hk_name_part(name, 2, text, sizeof(text)), HK_OK);
    assert_string_equal(text, "pipe");
    assert_int_equal(hk_name_part(name, 3, text, sizeof(text)), HK_ENOENT);
    assert_int_equal(hk_name_part(name, 1, text, 5), HK_ETOOBIG);
}

static const struct {
    const char *name;
    enum hk_status status;
} checks[] = {
    { "native/round_trip/pipe/place:same_core/bytes:64", HK_OK },
    { "native/a", HK_OK },
    { "native/a/x:1.5e+3", HK_OK },
    { "native", HK_EPARSE },
    { "", HK_EPARSE },
    { "/a/b", HK_EPARSE },
    { "a/b/", HK_EPARSE },
    { "a//b", HK_EPARSE },
    { "a/b c", HK_EPARSE },
    { "a/:1", HK_EPARSE },
    { "a/x:", HK_EPARSE },
    { "a/x:1:2", HK_EPARSE },
    { "a/x:1/x:2", HK_EPARSE },
    { "a/x:1/x:1", HK_EPARSE },
    { "a/b\"", HK_EPARSE },
    { "a/<b>", HK_EPARSE },
};

static void names_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(checks); i++)
        if (hk_name_check(checks[i].name) != checks[i].status)
            fail_msg("'%s' is not judged %s", checks[i].name, hk_status_name(checks[i].status));
    char longest[HK_NAME_BYTES + 1];
    memset(longest, 'a', sizeof(longest));
    longest[1] = '/';
    longest[HK_NAME_BYTES] = '\0';
    assert_int_equal(hk_name_check(longest), HK_EPARSE);
    longest[HK_NAME_BYTES - 1] = '\0';
    assert_int_equal(hk_name_check(longest), HK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read),
        cmocka_unit_test(text_and_parts_are_read),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
