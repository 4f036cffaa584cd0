/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "hk/base/units.h"
#include "hk/result/result.h"
#include "sample_run.h"

static json_t *load(const char *file)
{
    char root[64], path[PATH_MAX], name[PATH_MAX + 32];
    sample_folder_make(root);
    assert_int_equal(sample_run_write(root, path, sizeof(path)), HK_OK);
    snprintf(name, sizeof(name), "%s/%s", path, file);
    json_error_t error;
    json_t *json = json_load_file(name, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        fail_msg("%s:%d: %s", name, error.line, error.text);
    sample_folder_remove(root);
    return json;
}

/* The keys in the order in which version 1.7.1 writes them. */
static const char *const context_keys[] = {
    "date",      "host_name", "executable", "num_cpus",   "mhz_per_cpu", "caches", "load_avg",
    "library_build_type", "hk_arguments", "hk_kernel", "hk_machine", "hk_schema", "hk_seed",
    "hk_state",
};
static const char *const row_keys[] = {
    "name",        "family_index",     "per_family_instance_index", "run_name",   "run_type",
    "repetitions", "repetition_index", "threads",                   "iterations", "real_time",
    "cpu_time",    "time_unit",        "hk_block_operations", "hk_blocks_dropped",
    "hk_blocks_kept", "hk_cost_ns", "hk_switches_per_op",
};

static void assert_keys(json_t *object, const char *const *keys, size_t count)
{
    const char *key;
    json_t *value;
    size_t i = 0;
    assert_int_equal(json_object_size(object), count);
    json_object_foreach(object, key, value)
        assert_string_equal(key, keys[i++]);
}

static json_t *row_of(json_t *file, const char *name, int repetition)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(file, "benchmarks"), i, row) {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0 &&
            json_integer_value(json_object_get(row, "repetition_index")) == repetition)
            return row;
    }
    return NULL;
}

static void keys_stand_in_the_order_of_1_7_1(void **state)
{
    (void)state;
    json_t *file = load("benchmark.json");
    assert_keys(json_object_get(file, "context"), context_keys, HK_ARRAY_COUNT(context_keys));
    assert_keys(row_of(file, SAMPLE_PIPE, 0), row_keys, HK_ARRAY_COUNT(row_keys));
    json_decref(file);
}

static void a_launch_is_a_row(void **state)
{
    (void)state;
    json_t *file = load("benchmark.json");
    json_t *row = row_of(file, SAMPLE_PIPE, 1);
    assert_non_null(row);
    assert_true(json_real_value(json_object_get(row, "real_time")) == 3811.0);
    assert_true(json_real_value(json_object_get(row, "cpu_time")) == 3811.0);
    assert_int_equal(json_integer_value(json_object_get(row, "iterations")), 12345);
    assert_int_equal(json_integer_value(json_object_get(row, "repetitions")),
                     SAMPLE_PIPE_LAUNCHES);
    /* 3 of one cell, 1 of another size in the same family, 1 syscall, 1 errored */
    assert_int_equal(json_array_size(json_object_get(file, "benchmarks")), 6);
    json_t *other = row_of(file, "native/round_trip/pipe/place:same_core/bytes:4096", 0);
    assert_int_equal(json_integer_value(json_object_get(row, "family_index")),
                     json_integer_value(json_object_get(other, "family_index")));
    assert_int_not_equal(json_integer_value(json_object_get(row, "per_family_instance_index")),
                         json_integer_value(json_object_get(other, "per_family_instance_index")));
    json_decref(file);
}

static void invalid_is_an_error_and_unavailable_no_row(void **state)
{
    (void)state;
    json_t *file = load("benchmark.json");
    json_t *row = row_of(file, "native/round_trip/futex/place:same_core/bytes:64", 0);
    assert_true(json_is_true(json_object_get(row, "error_occurred")));
    assert_string_equal(json_string_value(json_object_get(row, "error_message")),
                        "3.9 switches per operation, claims 2");
    assert_true(json_real_value(json_object_get(row, "real_time")) == 0);
    assert_null(row_of(file, "native/round_trip/pipe/place:smt/bytes:64", 0));
    assert_null(row_of(file, SAMPLE_GUEST, 0));
    json_decref(file);
}

static void exact_counts_stand_apart(void **state)
{
    (void)state;
    json_t *file = load("exact.json");
    assert_int_equal(json_array_size(json_object_get(file, "benchmarks")), 1);
    json_t *row = row_of(file, SAMPLE_GUEST, 0);
    assert_true(json_real_value(json_object_get(row, "real_time")) == 124);
    assert_string_equal(json_string_value(json_object_get(row, "time_unit")), "ns");
    assert_non_null(strstr(json_string_value(json_object_get(row, "label")), "EXACT"));
    json_decref(file);
}

/* A field name of the format cannot be taken by a counter. */
static void a_counter_cannot_shadow_a_field(void **state)
{
    (void)state;
    char *text = NULL;
    struct hk_launch launch;
    assert_int_equal(hk_launch_init(&launch, "native/a", 0, 0), HK_OK);
    assert_int_equal(hk_launch_add_counter(&launch, "cost_ns", 2.385), HK_OK);
    assert_int_equal(hk_launch_add_counter(&launch, "real_time", 99), HK_OK);
    struct hk_run run = { .machine_id = (char *)"m", .machine_json = (char *)"{}",
                          .arguments = (char *)"", .started = (char *)"", .launch_count = 1,
                          .launches = &launch };
    assert_int_equal(hk_run_benchmark_json(&run, false, &text), HK_OK);
    json_t *file = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    json_t *row = row_of(file, "native/a", 0);
    assert_true(json_real_value(json_object_get(row, "real_time")) == 2.385);
    assert_true(json_real_value(json_object_get(row, "hk_real_time")) == 99);
    json_decref(file);
    free(text);
    run.machine_json = (char *)"[]";
    text = NULL;
    assert_int_equal(hk_run_benchmark_json(&run, false, &text), HK_EPARSE);
    assert_null(text);
    hk_launch_fini(&launch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_stand_in_the_order_of_1_7_1),
        cmocka_unit_test(a_launch_is_a_row),
        cmocka_unit_test(invalid_is_an_error_and_unavailable_no_row),
        cmocka_unit_test(exact_counts_stand_apart),
        cmocka_unit_test(a_counter_cannot_shadow_a_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
