/* SPDX-License-Identifier: MIT */
#include <ftw.h>
#include <math.h>
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
#include "hk/report/worlds.h"

#define NULL_CALL 0 /* row of the table */

static char root[64];

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/hkbench-worlds-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info, (void)kind, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A finished run with one launch of a cell; counters end with a NULL name. */
struct value {
    const char *name;
    double value;
};

static void write_run(const char *machine, const char *cell, const struct value *values,
                      char path[256])
{
    char machine_json[64];
    struct hk_run_writer *writer;
    struct hk_launch launch;

    snprintf(machine_json, sizeof machine_json, "{\"id\": \"%s\"}", machine);
    assert_int_equal(hk_run_create(root, machine_json, "run", 1, &writer), HK_OK);
    snprintf(path, 256, "%s", hk_run_writer_path(writer));
    assert_int_equal(hk_launch_init(&launch, cell, 0, 1), HK_OK);
    for (; values->name != NULL; values++)
        assert_int_equal(hk_launch_add_counter(&launch, values->name, values->value), HK_OK);
    if (launch.counter_count == 0)
        assert_int_equal(hk_launch_set_state(&launch, HK_LAUNCH_UNAVAILABLE, "no such thing"),
                         HK_OK);
    assert_int_equal(hk_run_append(writer, &launch), HK_OK);
    hk_launch_fini(&launch);
    assert_int_equal(hk_run_finish(writer, false, NULL), HK_OK);
}

static const struct value counted[] = {
    {"hk_instructions_kernel", 322}, {"hk_instructions_user", 15}, {"hk_cr3_writes", 2}, {0}};
static const struct value timed[] = {{"cost_ns", 95.5}, {0}};
static const struct value nothing[] = {{0}};

/* --- the table ------------------------------------------------------------------------- */

static void every_row_names_cells_of_its_worlds(void **state)
{
    (void)state;
    for (size_t i = 0; i < hk_world_row_count; i++) {
        const struct hk_world_row *row = &hk_world_rows[i];
        size_t worlds = 0;
        assert_true(strcmp(row->service, "kernel") == 0 || strcmp(row->service, "server") == 0);
        for (int world = 0; world < HK_WORLDS; world++) {
            char part[64];
            if (row->cell[world] == NULL)
                continue;
            worlds++;
            assert_int_equal(hk_name_check(row->cell[world]), HK_OK);
            assert_int_equal(hk_name_part(row->cell[world], 0, part, sizeof part), HK_OK);
            assert_string_equal(part, hk_world_name((enum hk_world)world));
        }
        assert_true(worlds >= 1);
    }
}

static void commands_name_the_cell(void **state)
{
    (void)state;
    char command[HK_TEXT_BYTES];
    hk_world_command("linux/a/b", HK_WORLD_LINUX, command);
    assert_string_equal(command, "run --linux --full --filter '^linux/a/b$'");
    hk_world_command(NULL, HK_WORLD_LINUX, command);
    assert_string_equal(command, "run --linux");
    hk_world_command("native/a/b", HK_WORLD_NATIVE, command);
    assert_string_equal(command, "run --full --filter '^native/a/b$'");
}

/* --- finding runs ------------------------------------------------------------------------ */

static void the_newest_run_with_a_cell_of_the_table_counts(void **state)
{
    (void)state;
    const struct hk_world_row *row = &hk_world_rows[NULL_CALL];
    char old[256], linux_run[256], native[256], other[256], error[HK_TEXT_BYTES];
    struct hk_worlds worlds = {0};

    write_run("one-1", row->cell[HK_WORLD_LINUX], nothing, old);
    write_run("one-1", row->cell[HK_WORLD_LINUX], counted, linux_run);
    write_run("two-2", row->cell[HK_WORLD_NATIVE], timed, native);
    write_run("two-2", "linux/another/cell", counted, other);
    assert_int_equal(hk_worlds_add_newest(&worlds, root, error), HK_OK);
    assert_true(worlds.have[HK_WORLD_LINUX] && worlds.have[HK_WORLD_NATIVE]);
    assert_false(worlds.have[HK_WORLD_GUEST]);
    assert_string_equal(worlds.run[HK_WORLD_LINUX].path, linux_run);
    assert_string_equal(worlds.run[HK_WORLD_NATIVE].path, native);
    hk_worlds_fini(&worlds);
    assert_int_equal(hk_worlds_add_newest(&worlds, "/nowhere", error), HK_OK);
    assert_false(worlds.have[HK_WORLD_LINUX]);
}

static void a_given_run_comes_before_the_newest(void **state)
{
    (void)state;
    const struct hk_world_row *row = &hk_world_rows[NULL_CALL];
    char given[256], newer[256], other[256], error[HK_TEXT_BYTES] = "";
    struct hk_worlds worlds = {0};
    bool used = false;

    write_run("one-1", row->cell[HK_WORLD_GUEST], counted, given);
    write_run("one-1", row->cell[HK_WORLD_GUEST], counted, newer);
    write_run("one-1", "guest/another/cell", counted, other);
    assert_int_equal(hk_worlds_add(&worlds, given, &used, error), HK_OK);
    assert_true(used);
    assert_int_equal(hk_worlds_add(&worlds, newer, &used, error), HK_OK);
    assert_false(used);
    assert_int_equal(hk_worlds_add(&worlds, other, &used, error), HK_OK);
    assert_false(used);
    assert_int_equal(hk_worlds_add_newest(&worlds, root, error), HK_OK);
    assert_string_equal(worlds.run[HK_WORLD_GUEST].path, given);
    used = true;
    assert_int_equal(hk_worlds_add(&worlds, "/nowhere", &used, error), HK_ENOENT);
    assert_true(used && error[0] != '\0');
    hk_worlds_fini(&worlds);
}

/* --- figures ------------------------------------------------------------------------------ */

static void figures_say_what_is_there_and_what_is_not(void **state)
{
    (void)state;
    const struct hk_world_row *row = &hk_world_rows[NULL_CALL];
    struct hk_world_row none = *row;
    char path[256], error[HK_TEXT_BYTES];
    struct hk_worlds worlds = {0};

    none.cell[HK_WORLD_LINUX] = NULL;
    write_run("one-1", row->cell[HK_WORLD_LINUX], counted, path);
    write_run("one-1", row->cell[HK_WORLD_NATIVE], nothing, path);
    assert_int_equal(hk_worlds_add_newest(&worlds, root, error), HK_OK);
    struct hk_world_figure f = hk_worlds_figure(&worlds, row, HK_WORLD_LINUX);
    assert_int_equal(f.state, HK_WORLD_OK);
    assert_true(f.instructions_kernel == 322 && f.instructions_user == 15 && f.switches == 2);
    assert_true(isnan(f.cost_ns));
    f = hk_worlds_figure(&worlds, row, HK_WORLD_NATIVE);
    assert_int_equal(f.state, HK_WORLD_FAILED);
    assert_string_equal(f.reason, "no such thing");
    assert_int_equal(hk_worlds_figure(&worlds, row, HK_WORLD_GUEST).state, HK_WORLD_MISSING);
    assert_int_equal(hk_worlds_figure(&worlds, &none, HK_WORLD_LINUX).state, HK_WORLD_NONE);
    assert_int_equal(hk_worlds_figure(&worlds, row + 1, HK_WORLD_LINUX).state, HK_WORLD_MISSING);
    hk_worlds_fini(&worlds);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_names_cells_of_its_worlds),
        cmocka_unit_test(commands_name_the_cell),
        TEST(the_newest_run_with_a_cell_of_the_table_counts),
        TEST(a_given_run_comes_before_the_newest),
        TEST(figures_say_what_is_there_and_what_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
