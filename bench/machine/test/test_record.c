/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "hk/base/units.h"
#include "hk/machine/record.h"

static json_t *record_of(const char *root)
{
    char *text = NULL;
    assert_int_equal(hk_machine_record(root, &text), HK_OK);
    json_t *record = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(record);
    free(text);
    return record;
}

static const struct {
    const char *key;
    const char *value;
} texts[] = {
    { "cpu_model", "Test(R) Xenon(TM) CPU 6130 @ 2.10GHz" },
    { "microcode", "0x2006e05" },
    { "cpu_family", "6" },
    { "cpu_model_number", "85" },
    { "kernel", "6.1.0-13-test" },
    { "preemption", "voluntary" },
    { "governor", "powersave" },
    { "clocksource", "tsc" },
    { "host_model", "Acme Server 9" },
    { "operating_system", "Test Linux 12" },
};

static void a_described_system_is_recorded(void **state)
{
    (void)state;
    json_t *record = record_of(HK_TEST_SYSTEM);
    for (size_t i = 0; i < HK_ARRAY_COUNT(texts); i++)
        assert_string_equal(json_string_value(json_object_get(record, texts[i].key)),
                            texts[i].value);
    const char *id = json_string_value(json_object_get(record, "id"));
    assert_int_equal(strncmp(id, "test-xenon-cpu-6130-", 20), 0);
    assert_int_equal(strlen(id), 28);
    assert_true(json_real_value(json_object_get(record, "cpu_mhz")) == 2100.25);
    assert_true(json_is_true(json_object_get(record, "cpu_scaling_enabled")));
    assert_true(json_real_value(json_object_get(record, "steal_since_boot_ratio")) == 0.01);
    assert_int_equal(json_integer_value(json_object_get(record, "realtime_runtime_us")), 950000);
    assert_true(json_integer_value(json_object_get(record, "memory_bytes")) == 16316412LL * 1024);
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(record, "mitigations"), "meltdown")),
                        "Mitigation: PTI");
    json_decref(record);
}

static void caches_are_as_google_benchmark_lists_them(void **state)
{
    (void)state;
    json_t *record = record_of(HK_TEST_SYSTEM);
    json_t *caches = json_object_get(record, "caches");
    assert_int_equal(json_array_size(caches), 2);
    json_t *last = json_array_get(caches, 1);
    assert_string_equal(json_string_value(json_object_get(last, "type")), "Unified");
    assert_int_equal(json_integer_value(json_object_get(last, "level")), 3);
    assert_int_equal(json_integer_value(json_object_get(last, "size")), 22 * 1024 * 1024);
    assert_int_equal(json_integer_value(json_object_get(last, "num_sharing")), 32);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(caches, 0), "num_sharing")), 2);
    json_decref(record);
}

static void an_empty_system_leaves_facts_out(void **state)
{
    (void)state;
    json_t *record = record_of("/nonexistent");
    assert_null(json_object_get(record, "kernel"));
    assert_null(json_object_get(record, "mitigations"));
    assert_null(json_object_get(record, "steal_since_boot_ratio"));
    assert_non_null(json_string_value(json_object_get(record, "id")));
    json_decref(record);
}

static void this_machine_has_one_id(void **state)
{
    (void)state;
    json_t *a = record_of(""), *b = record_of("");
    assert_true(json_equal(json_object_get(a, "id"), json_object_get(b, "id")));
    assert_true(json_integer_value(json_object_get(a, "cpu_count")) >= 1);
    json_decref(a);
    json_decref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_described_system_is_recorded),
        cmocka_unit_test(caches_are_as_google_benchmark_lists_them),
        cmocka_unit_test(an_empty_system_leaves_facts_out),
        cmocka_unit_test(this_machine_has_one_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
