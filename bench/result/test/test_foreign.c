/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/result/foreign.h"
#include "sample_run.h"

#define ROW(name, more) "{\"name\":\"" name "\"," more "}"
#define TIMES "\"real_time\":2.385,\"cpu_time\":1.5,\"time_unit\":\"us\""
#define FILE_OF(rows) "{\"context\":{\"host_name\":\"ci-7\"},\"benchmarks\":[" rows "]}"
#define CSV_HEADER "name,iterations,real_time,cpu_time,time_unit,label,error_occurred,error_message,\"n\"\n"

static enum hk_status decode(const char *text, struct hk_foreign *foreign,
                             char error[HK_TEXT_BYTES])
{
    return hk_foreign_decode(text, strlen(text), foreign, error);
}

/* --- what is refused ---------------------------------------------------------- */

static const struct {
    const char *text;
    enum hk_status status;
    const char *says;
} refused[] = {
    {"", HK_EPARSE, "neither JSON nor CSV"},
    {"\x7f" "ELF", HK_EPARSE, "neither JSON nor CSV"},
    {"{", HK_EPARSE, "cut short"},
    {"{\"benchmarks\":[" ROW("a", TIMES), HK_EPARSE, "cut short"},
    {"{}", HK_EPARSE, "no list 'benchmarks'"},
    {"{\"benchmarks\":{}}", HK_EPARSE, "no list 'benchmarks'"},
    {"{\"benchmarks\":[]}", HK_EEMPTY, "no benchmark"},
    {"{\"benchmarks\":[7]}", HK_EPARSE, "without a name"},
    {FILE_OF("{" TIMES "}"), HK_EPARSE, "without a name"},
    {FILE_OF(ROW("", TIMES)), HK_EPARSE, "no or over"},
    {FILE_OF(ROW("a", "\"real_time\":1,\"cpu_time\":1")), HK_EPARSE, "time unit ''"},
    {FILE_OF(ROW("a", "\"real_time\":1,\"time_unit\":\"cycles\"")), HK_EPARSE, "unit 'cycles'"},
    {FILE_OF(ROW("a", TIMES ",\"real_time\":7")), HK_EPARSE, "duplicate"},
    {FILE_OF(ROW("a", TIMES ",\"x\":1e999")), HK_EPARSE, "real number overflow"},
    {FILE_OF(ROW("a", TIMES ",\"family_index\":0") "," ROW("a", TIMES ",\"family_index\":1")),
     HK_EPARSE, "two benchmarks are called 'a'"},
    {FILE_OF(ROW("a", TIMES ",\"repetition_index\":3") ","
             ROW("a", TIMES ",\"repetition_index\":3")),
     HK_EPARSE, "two benchmarks are called 'a'"},
    {FILE_OF(ROW("a_mean", TIMES ",\"run_type\":\"aggregate\"")), HK_EEMPTY, "only aggregates"},
    {CSV_HEADER, HK_EEMPTY, "no benchmark"},
    {CSV_HEADER "\"a\",1,2,2,ns,,,\n", HK_EPARSE, "8 fields, not 9"},
    {CSV_HEADER "\"a\",1,2,2,ns,,,,\n\"b\",1,2", HK_EPARSE, "cut short"},
    {CSV_HEADER "\"a,1,2,2,ns,,,,\n", HK_EPARSE, "0 fields"},
    {CSV_HEADER "\"a\",1,2,2,eons,,,,\n", HK_EPARSE, "unit 'eons'"},
    {CSV_HEADER "\"a_mean\",1,2,2,ns,,,,\n", HK_EEMPTY, "only aggregates"},
    {"name,iterations,time\n", HK_EPARSE, "no columns real_time"},
    {"name,iterations,real_time,real_time,time_unit\n", HK_EPARSE, "two columns are called"},
};

static void bad_files_are_refused_with_their_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(refused); i++) {
        struct hk_foreign foreign, before;
        char error[HK_TEXT_BYTES] = "";
        memset(&foreign, 0x5a, sizeof(foreign));
        before = foreign;
        const enum hk_status status = decode(refused[i].text, &foreign, error);
        if (status != refused[i].status || !strstr(error, refused[i].says))
            fail_msg("%s: %s: %s", refused[i].text, hk_status_name(status), error);
        assert_memory_equal(&foreign, &before, sizeof(foreign));
    }
}

static void every_truncation_is_refused(void **state)
{
    static const char *const texts[] = {
        FILE_OF(ROW("a", TIMES) "," ROW("b", TIMES)),
        CSV_HEADER "\"a\",1,2,2,ns,,,,3\n",
    };
    (void)state;
    for (size_t t = 0; t < HK_ARRAY_COUNT(texts); t++) {
        for (size_t bytes = 0; bytes < strlen(texts[t]); bytes++) {
            struct hk_foreign foreign;
            char error[HK_TEXT_BYTES];
            assert_int_not_equal(hk_foreign_decode(texts[t], bytes, &foreign, error), HK_OK);
        }
    }
}

/* --- what is read -------------------------------------------------------------- */

static double counter(const struct hk_launch *launch, const char *name)
{
    double value;
    if (!hk_launch_counter(launch, name, &value))
        fail_msg("%s has no %s", launch->name, name);
    return value;
}

static void rows_become_launches_in_ns(void **state)
{
    (void)state;
    struct hk_foreign foreign;
    char error[HK_TEXT_BYTES];
    assert_int_equal(decode(FILE_OF(ROW("b", TIMES ",\"items\":4") "," ROW("a", TIMES ",\"s\":\"x\"")
                                    "," ROW("b", "\"real_time\":3,\"time_unit\":\"ms\"")),
                            &foreign, error), HK_OK);
    const struct hk_run *run = &foreign.run;
    assert_int_equal(run->launch_count, 3);
    assert_string_equal(run->machine_id, "foreign:ci-7");
    assert_false(foreign.rows_are_launches);
    assert_int_equal(foreign.counter_dropped_count, 1);
    assert_string_equal(run->launches[0].name, "a");
    assert_string_equal(run->launches[1].name, "b");
    assert_float_equal(counter(&run->launches[1], "cost_ns"), 2385, 1e-9);
    assert_float_equal(counter(&run->launches[1], "cpu_ns"), 1500, 1e-9);
    assert_float_equal(counter(&run->launches[1], "items"), 4, 0);
    assert_int_equal(run->launches[2].index, 1);
    assert_float_equal(counter(&run->launches[2], "cost_ns"), 3e6, 1e-6);
    hk_foreign_fini(&foreign);
}

/* A row without a time must never pass for a fast one. */
static const struct {
    const char *row;
    enum hk_launch_state state;
    const char *reason;
} without_time[] = {
    {ROW("a", "\"real_time\":NaN,\"time_unit\":\"ns\""), HK_LAUNCH_INVALID, "no positive number"},
    {ROW("a", "\"real_time\":-Infinity,\"time_unit\":\"ns\""), HK_LAUNCH_INVALID, "no positive"},
    {ROW("a", "\"real_time\":0.0,\"time_unit\":\"ns\""), HK_LAUNCH_INVALID, "no positive number"},
    {ROW("a", "\"real_time\":-3,\"time_unit\":\"ns\""), HK_LAUNCH_INVALID, "no positive number"},
    {ROW("a", "\"time_unit\":\"ns\""), HK_LAUNCH_INVALID, "no positive number"},
    {ROW("a", "\"real_time\":1e308,\"time_unit\":\"s\""), HK_LAUNCH_INVALID, "no positive number"},
    {ROW("a", "\"error_occurred\":true,\"error_message\":\"no NaN\",\"real_time\":0"),
     HK_LAUNCH_FAILED, "no NaN"},
    {ROW("a", "\"skipped\":true,\"skip_message\":\"\",\"real_time\":0"), HK_LAUNCH_FAILED,
     "it was skipped"},
};

static void a_row_without_a_time_has_no_cost(void **state)
{
    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(without_time); i++) {
        struct hk_foreign foreign;
        char error[HK_TEXT_BYTES], text[512];
        double value;
        snprintf(text, sizeof(text), FILE_OF("%s"), without_time[i].row);
        if (decode(text, &foreign, error) != HK_OK)
            fail_msg("%s: %s", text, error);
        const struct hk_launch *launch = &foreign.run.launches[0];
        assert_int_equal(launch->state, without_time[i].state);
        assert_non_null(strstr(launch->reason, without_time[i].reason));
        assert_false(hk_launch_counter(launch, "cost_ns", &value));
        hk_foreign_fini(&foreign);
    }
}

static void a_counter_replaces_no_time(void **state)
{
    (void)state;
    struct hk_foreign foreign;
    char error[HK_TEXT_BYTES];
    assert_int_equal(decode(FILE_OF(ROW("a", TIMES ",\"cost_ns\":1,\"x\":NaN,\"\":2")), &foreign,
                            error), HK_OK);
    assert_float_equal(counter(&foreign.run.launches[0], "cost_ns"), 2385, 1e-9);
    assert_int_equal(foreign.counter_dropped_count, 3);
    hk_foreign_fini(&foreign);
}

static void counts_are_believed_of_hkbench_alone(void **state)
{
    static const char row[] = ROW("a", "\"real_time\":98,\"time_unit\":\"ns\",\"label\":\"EXACT: x\"");
    (void)state;
    struct hk_foreign foreign;
    char error[HK_TEXT_BYTES], text[512];
    snprintf(text, sizeof(text),
             "{\"context\":{\"hk_machine\":\"m\",\"hk_schema\":\"1\"},\"benchmarks\":[%s]}", row);
    assert_int_equal(decode(text, &foreign, error), HK_OK);
    assert_true(foreign.rows_are_launches);
    assert_int_equal(foreign.run.launches[0].exactness, HK_EXACT);
    assert_float_equal(counter(&foreign.run.launches[0], "hk_instructions"), 98, 0);
    hk_foreign_fini(&foreign);
    snprintf(text, sizeof(text), FILE_OF("%s"), row);
    assert_int_equal(decode(text, &foreign, error), HK_OK);
    assert_int_equal(foreign.run.launches[0].exactness, HK_TIMED);
    hk_foreign_fini(&foreign);
}

static void csv_is_read_behind_its_notes(void **state)
{
    (void)state;
    struct hk_foreign foreign;
    char error[HK_TEXT_BYTES];
    assert_int_equal(decode("2026-11-21\nRunning ./b\n***WARNING*** \"noisy\n" CSV_HEADER
                            "\"a/\"\"x\"\"\",100,2.5,2,us,\"l, m\",,,7\r\n"
                            "\"b\",1,0,0,us,,true,\"no,\nreally\",\n"
                            "\"b_stddev\",2,1,1,us,,,,\n",
                            &foreign, error), HK_OK);
    assert_int_equal(foreign.run.launch_count, 2);
    assert_int_equal(foreign.aggregate_count, 1);
    assert_string_equal(foreign.run.launches[0].name, "a/\"x\"");
    assert_float_equal(counter(&foreign.run.launches[0], "cost_ns"), 2500, 1e-9);
    assert_float_equal(counter(&foreign.run.launches[0], "n"), 7, 0);
    assert_int_equal(foreign.run.launches[1].state, HK_LAUNCH_FAILED);
    assert_string_equal(foreign.run.launches[1].reason, "no,\nreally");
    hk_foreign_fini(&foreign);
}

static void own_files_come_back_as_written(void **state)
{
    (void)state;
    char root[64], path[PATH_MAX], file[PATH_MAX + 32], error[HK_TEXT_BYTES];
    struct hk_foreign foreign;
    sample_folder_make(root);
    assert_int_equal(sample_run_write(root, path, sizeof(path)), HK_OK);
    snprintf(file, sizeof(file), "%s/benchmark.json", path);
    assert_int_equal(hk_foreign_read(file, &foreign, error), HK_OK);
    const struct hk_launch *first = NULL;
    size_t count = 0;
    assert_true(foreign.rows_are_launches);
    assert_string_equal(foreign.run.path, file);
    assert_string_equal(foreign.run.machine_id, SAMPLE_MACHINE_ID);
    assert_int_equal(hk_run_cell(&foreign.run, SAMPLE_PIPE, &first, &count), HK_OK);
    assert_int_equal(count, SAMPLE_PIPE_LAUNCHES);
    assert_float_equal(counter(&first[0], "cost_ns"), 3706.25, 0);
    assert_float_equal(counter(&first[1], "cost_ns"), 3811, 0);
    hk_foreign_fini(&foreign);
    snprintf(file, sizeof(file), "%s/no.json", path);
    assert_int_equal(hk_foreign_read(file, &foreign, error), HK_ENOENT);
    assert_non_null(strstr(error, "no.json: "));
    sample_folder_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_refused_with_their_reason),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(rows_become_launches_in_ns),
        cmocka_unit_test(a_row_without_a_time_has_no_cost),
        cmocka_unit_test(a_counter_replaces_no_time),
        cmocka_unit_test(counts_are_believed_of_hkbench_alone),
        cmocka_unit_test(csv_is_read_behind_its_notes),
        cmocka_unit_test(own_files_come_back_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
