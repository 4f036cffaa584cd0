/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/machine/probe.h"

static const struct hk_probe *probe_named(const char *name)
{
    for (size_t i = 0; i < hk_probe_count; i++)
        if (strcmp(hk_probes[i].name, name) == 0)
            return &hk_probes[i];
    fail_msg("no probe '%s'", name);
    return NULL;
}

static void every_probe_answers_and_changes_nothing(void **state)
{
    (void)state;
    cpu_set_t before, after;
    int policy = sched_getscheduler(0);
    sched_getaffinity(0, sizeof(before), &before);
    for (size_t i = 0; i < hk_probe_count; i++) {
        const struct hk_probe *probe = &hk_probes[i];
        struct hk_probe_result result;
        memset(&result, 0x5a, sizeof(result));
        probe->run(probe, "/usr/bin:/bin", &result);
        if (!memchr(result.detail, '\0', sizeof(result.detail)) || !result.detail[0])
            fail_msg("%s says nothing", probe->name);
        assert_non_null(memchr(result.remedy, '\0', sizeof(result.remedy)));
        if (result.state == HK_PROBE_OK)
            assert_string_equal(result.remedy, "");
        assert_null(strchr(result.detail, '\n'));
    }
    sched_getaffinity(0, sizeof(after), &after);
    assert_int_equal(sched_getscheduler(0), policy);
    assert_true(CPU_EQUAL(&before, &after));
}

static void names_are_used_once_and_groups_stand_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < hk_probe_count; i++)
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(hk_probes[i].name, hk_probes[j].name);
            if (strcmp(hk_probes[i].group, hk_probes[j].group) == 0)
                assert_string_equal(hk_probes[i].group, hk_probes[i - 1].group);
        }
}

static void a_missing_program_names_its_package(void **state)
{
    (void)state;
    static const char *const paths[] = { "", ":", "/nonexistent", NULL };
    const struct hk_probe *probe = probe_named("gnuplot");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct hk_probe_result result;
        probe->run(probe, paths[i], &result);
        assert_int_equal(result.state, HK_PROBE_NO);
        assert_non_null(strstr(result.remedy, "gnuplot-nox"));
    }
}

static void a_program_is_found_on_the_path(void **state)
{
    (void)state;
    char folder[] = "/tmp/hkbench-probe-XXXXXX", path[64], search[96];
    struct hk_probe_result result;
    const struct hk_probe *probe = probe_named("gnuplot");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/gnuplot", folder);
    snprintf(search, sizeof(search), "/nonexistent::%s", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    probe->run(probe, search, &result);
    assert_int_equal(result.state, HK_PROBE_NO); /* not executable */
    assert_int_equal(chmod(path, 0755), 0);
    probe->run(probe, search, &result);
    assert_int_equal(result.state, HK_PROBE_OK);
    assert_string_equal(result.detail, path);
    unlink(path);
    rmdir(folder);
}

static void one_cpu_is_told(void **state)
{
    (void)state;
    cpu_set_t saved, one;
    struct hk_probe_result result;
    const struct hk_probe *probe = probe_named("two cores");
    size_t first = 0;
    sched_getaffinity(0, sizeof(saved), &saved);
    while (!CPU_ISSET(first, &saved))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    probe->run(probe, "", &result);
    sched_setaffinity(0, sizeof(saved), &saved);
    assert_int_equal(result.state, HK_PROBE_NO);
    assert_non_null(strstr(result.remedy, "taskset"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_probe_answers_and_changes_nothing),
        cmocka_unit_test(names_are_used_once_and_groups_stand_together),
        cmocka_unit_test(a_missing_program_names_its_package),
        cmocka_unit_test(a_program_is_found_on_the_path),
        cmocka_unit_test(one_cpu_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
