/* SPDX-License-Identifier: MIT */
/* Workload files: what they say, and what is wrong with those that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/guest/sweep.h"

#define GOOD "[workload]\nseed = 7\nrequests = 20\n"
#define READ "[file.read]\nweight = 3\nbytes_min = 1\nbytes_max = 9\n"

static const struct {
    const char *text;
    const char *says; /* part of the message */
} bad[] = {
    {"", "[workload] requests is missing"},
    {GOOD, "no action"},
    {READ, "requests is missing"},
    {GOOD "[file.read]\nbytes_min = 1\n", "[file.read] takes either weight or period_us"},
    {GOOD "[file.read]\nweight = 1\nperiod_us = 100\n", "takes either weight or period_us"},
    {GOOD "[file.read]\nweight = 1\nbytes_min = 1\n", "bytes_min is above bytes_max"},
    {GOOD "[file.read]\nweight = 0\n", "w:5: [file.read] weight: must be a whole number from 1"},
    {GOOD "[file.read]\nweight = 1x\n", "must be a whole number"},
    {GOOD "[file.read]\nweight = -1\n", "must be a whole number"},
    {GOOD "[file.read]\nweight =\n", "must be a whole number"},
    {GOOD "[file.read]\nwait = 1\n", "[file.read] wait: unknown key"},
    {GOOD "[file.reed]\nweight = 1\n", "no such section"},
    {GOOD "[audio.write]\nperiod_us = 49\n", "from 50 to 1000000"},
    {GOOD "[audio]\nbuffers = 9\n" READ, "[audio] buffers: must be a whole number from 2 to 8"},
    {GOOD "[file.read]\nweight = 1\nbytes_max = 65537\n", "from 0 to 65536"},
    {GOOD "[file.read]\nweight = 1\nbytes_max = 99999999999999999999\n", "from 0 to 65536"},
    {GOOD READ "unaligned_percent = 5\n", "unaligned_percent is for file.lend alone"},
    {GOOD "[file.lend]\nweight = 1\nunaligned_percent = 101\n", "from 0 to 100"},
    {"[workload]\nrate_per_s = 0\n", "from 1 to 1000000000"},
    {GOOD "nonsense\n", "w:4: neither [section] nor key = value"},
    {"seed = 7\n" GOOD READ, "no such section"},
};

static void bad_files_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++) {
        struct hk_mix mix = {.seed = 2385};
        char error[256] = "";

        assert_int_equal(hk_mix_parse(bad[i].text, "w", &mix, error), HK_EPARSE);
        if (strstr(error, bad[i].says) == NULL) {
            fail_msg("%s: says '%s'", bad[i].says, error);
        }
        assert_int_equal(mix.seed, 2385);
    }
}

static void good_file_is_read(void **state)
{
    struct hk_mix mix;
    char error[256];

    (void)state;
    assert_int_equal(hk_mix_parse(GOOD READ "[audio.write]\nperiod_us = 150\ncount = 8\n"
                                            "[audio]\nperiod_us = 200\nbuffers = 3\n",
                                  "w", &mix, error),
                     HK_OK);
    assert_int_equal(mix.version, HK_MIX_VERSION);
    assert_int_equal(mix.seed, 7);
    assert_int_equal(mix.requests, 20);
    assert_int_equal(mix.audio_period_ns, 200000);
    assert_int_equal(mix.audio_buffers, 3);
    assert_int_equal(mix.entry_count, 2);
    assert_int_equal(mix.entry[0].action, HK_MIX_FILE_READ);
    assert_int_equal(mix.entry[0].weight, 3);
    assert_int_equal(mix.entry[0].count, 1);
    assert_int_equal(mix.entry[0].bytes_max, 9);
    assert_int_equal(mix.entry[1].action, HK_MIX_AUDIO_WRITE);
    assert_int_equal(mix.entry[1].period_ns, 150000);
    assert_int_equal(mix.entry[1].count, 8);
    assert_string_equal(hk_mix_action_name(HK_MIX_AUDIO_WRITE), "audio.write");
    assert_int_equal(hk_mix_action_service(HK_MIX_AUDIO_WRITE), HK_SERVICE_AUDIO);
    assert_string_equal(hk_mix_service_name(HK_SERVICE_AUDIO), "audio");
}

static void workloads_are_found(void **state)
{
    static const char *const names[] = {"audio_workstation", "desktop", "file_compile",
                                        "sensor_node", "web_server"};
    struct hk_sweep_workload workload = {.name = "untouched"};
    char error[256];

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(names); i++) {
        if (hk_sweep_workload_find(HK_WORKLOADS, names[i], &workload, error) != HK_OK) {
            fail_msg("%s", error);
        }
        assert_string_equal(workload.name, names[i]);
    }
    assert_int_equal(hk_sweep_workload_find("/nowhere", HK_WORKLOADS "/desktop.ini", &workload,
                                            error),
                     HK_OK);
    assert_string_equal(workload.name, "desktop");
    assert_int_equal(hk_sweep_workload_find(HK_WORKLOADS, "moon", &workload, error), HK_ENOENT);
    assert_non_null(strstr(error, "moon.ini: cannot be opened"));
    assert_int_equal(hk_sweep_workload_find(HK_WORKLOADS, "", &workload, error), HK_EINVAL);
    assert_int_equal(hk_sweep_workload_find(HK_WORKLOADS, "a b", &workload, error), HK_EINVAL);
    assert_int_equal(hk_sweep_workload_find(HK_WORKLOADS, "a_name_of_more_than_31_characters",
                                            &workload, error),
                     HK_EINVAL);
    assert_string_equal(workload.name, "desktop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(good_file_is_read),
        cmocka_unit_test(workloads_are_found),
    };

    return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
