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
#include "hk/history/calibration.h"

static char root[64];
static char file[128];

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/hkbench-test-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(file, sizeof(file), "%s/m/calibration.json", root);
    return 0;
}

static int teardown(void **state)
{
    char folder[128];
    (void)state;
    snprintf(folder, sizeof(folder), "%s/m", root);
    unlink(file);
    rmdir(folder);
    return rmdir(root);
}

static struct hk_calibration make(uint64_t rejections, uint64_t trials)
{
    struct hk_calibration c = {.machine = "m", .time = "2026-01-01T00:00:00Z"};
    c.paths[HK_PATH_HISTORY] = (struct hk_calibration_path){
        .nominal_ratio = 0.01, .trials = trials, .rejections = rejections,
        .difference_sd_ln = 0.125};
    return c;
}

/* 95 % Clopper-Pearson intervals: 3 of 30 from 2.1 %, 1 of 30 from 0.08 %. */
static void the_gate_is_advice_when_the_rate_is_surely_too_high(void **state)
{
    static const struct {
        uint64_t rejections, trials;
        bool advisory;
    } rows[] = {{0, 30, false}, {1, 30, false}, {3, 30, true}, {30, 30, true}};
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        struct hk_calibration written = make(rows[i].rejections, rows[i].trials), read;
        char error[HK_TEXT_BYTES] = "";
        assert_int_equal(hk_calibration_write(root, &written), HK_OK);
        assert_int_equal(hk_calibration_read(root, "m", &read, error), HK_OK);
        assert_int_equal(read.paths[HK_PATH_HISTORY].rejections, rows[i].rejections);
        assert_float_equal(read.paths[HK_PATH_HISTORY].difference_sd_ln, 0.125, 0);
        assert_int_equal(hk_calibration_advisory(&read, HK_PATH_HISTORY, error),
                         rows[i].advisory);
        assert_int_equal(error[0] != '\0', rows[i].advisory);
        assert_false(hk_calibration_advisory(&read, HK_PATH_PAIRED, error)); /* never measured */
        if (rows[i].trials == 30 && rows[i].rejections == 3)
            assert_float_equal(read.paths[HK_PATH_HISTORY].lower_ratio, 0.02112, 1e-5);
    }
}

static void what_is_no_calibration_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum hk_status status;
    } rows[] = {
        {"", HK_EPARSE},
        {"{", HK_EPARSE},
        {"[]", HK_EPARSE},
        {"{\"schema\":99,\"machine\":\"m\",\"time\":\"t\",\"paths\":{}}", HK_ESCHEMA},
        {"{\"schema\":1,\"machine\":\"other\",\"time\":\"t\",\"paths\":{}}", HK_EPARSE},
        {"{\"schema\":1,\"machine\":\"m\",\"time\":\"t\",\"paths\":{\"history\":{}}}", HK_EPARSE},
        {"{\"schema\":1,\"machine\":\"m\",\"time\":\"t\",\"paths\":{\"history\":{\"nominal_ratio\":"
         "0.01,\"trials_count\":3,\"rejections_count\":4,\"difference_sd_ln\":1}}}", HK_EPARSE},
        {"{\"schema\":1,\"machine\":\"m\",\"time\":\"t\",\"paths\":{\"history\":{\"nominal_ratio\":"
         "0,\"trials_count\":3,\"rejections_count\":1,\"difference_sd_ln\":1}}}", HK_EPARSE},
    };
    struct hk_calibration c = make(1, 2), read;
    char error[HK_TEXT_BYTES];
    (void)state;
    assert_int_equal(hk_calibration_read(root, "m", &read, error), HK_ENOENT);
    assert_int_equal(hk_calibration_write(root, &c), HK_OK);
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        assert_int_equal(hk_file_write(file, rows[i].text, strlen(rows[i].text)), HK_OK);
        assert_int_equal(hk_calibration_read(root, "m", &read, error), rows[i].status);
    }
    c = make(3, 2);
    assert_int_equal(hk_calibration_write(root, &c), HK_EINVAL);
    c = make(1, 2);
    strcpy(c.machine, "../m");
    assert_int_equal(hk_calibration_write(root, &c), HK_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_gate_is_advice_when_the_rate_is_surely_too_high, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_no_calibration_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
