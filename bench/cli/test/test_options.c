/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command.h"
#include "hk/base/units.h"

struct sample_options {
    bool quick;
    const char *out;
    uint64_t budget_s;
};

static const struct hk_option sample_table[] = {
    {"quick", 'q', HK_OPTION_FLAG, NULL, "a flag", offsetof(struct sample_options, quick), 0, 0},
    {"out", 0, HK_OPTION_TEXT, "DIR", "a text", offsetof(struct sample_options, out), 0, 0},
    {"budget", 'b', HK_OPTION_UINT, "SECONDS", "a number",
     offsetof(struct sample_options, budget_s), 1, 86400},
};
static const struct sample_options sample_defaults = {.out = "results", .budget_s = 137};
static const struct hk_command sample = {
    .name = "sample",
    .summary = "a command",
    .options = sample_table,
    .option_count = HK_ARRAY_COUNT(sample_table),
    .defaults = &sample_defaults,
    .options_bytes = sizeof(struct sample_options),
    .positional_max = 1,
};

struct parse_case {
    const char *argv[6];
    enum hk_status status;
    struct sample_options expected;
    int rest;
};

static const struct parse_case cases[] = {
    {{"sample"}, HK_OK, {false, "results", 137}, 1},
    {{"sample", "--quick", "--budget", "23", "run7"}, HK_OK, {true, "results", 23}, 4},
    {{"sample", "-qb86400", "--out=x y"}, HK_OK, {true, "x y", 86400}, 3},
    {{"sample", "--budget", "0"}, HK_EINVAL, {0}, 0},
    {{"sample", "--budget", "-3"}, HK_EINVAL, {0}, 0},
    {{"sample", "--budget", "9223372036854775808"}, HK_EINVAL, {0}, 0},
    {{"sample", "--budget", "99999999999999999999999"}, HK_EINVAL, {0}, 0},
    {{"sample", "--budget", "12s"}, HK_EINVAL, {0}, 0},
    {{"sample", "--budget", ""}, HK_EINVAL, {0}, 0},
    {{"sample", "--budget"}, HK_EINVAL, {0}, 0},
    {{"sample", "--bogus"}, HK_EINVAL, {0}, 0},
    {{"sample", "one", "two"}, HK_EINVAL, {0}, 0},
    {{"sample", "--help"}, HK_EINTR, {0}, 0},
};

static void options_parse_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        const struct parse_case *c = &cases[i];
        char *argv[6] = {0};
        int argc = 0;
        int rest = 0;
        _Alignas(16) char values[HK_OPTIONS_BYTES_MAX];

        while (argc < 6 && c->argv[argc] != NULL) {
            argv[argc] = (char *)(uintptr_t)c->argv[argc];
            argc++;
        }
        assert_int_equal(hk_options_parse(&sample, argc, argv, values, &rest), c->status);
        if (c->status != HK_OK)
            continue;
        const struct sample_options *got = (const void *)values;
        assert_int_equal(got->quick, c->expected.quick);
        assert_string_equal(got->out, c->expected.out);
        assert_int_equal(got->budget_s, c->expected.budget_s);
        assert_int_equal(rest, c->rest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(options_parse_as_the_table_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
