/* SPDX-License-Identifier: MIT */
#include "worlds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

enum hk_exit hk_cli_worlds_find(const char *command, const char *root, char *const *paths,
                                size_t path_count, struct hk_worlds *worlds)
{
    char error[HK_TEXT_BYTES];
    enum hk_status status = HK_OK;

    *worlds = (struct hk_worlds){0};
    for (size_t i = 0; i < path_count && status == HK_OK; i++) {
        bool used = false;
        status = hk_worlds_add(worlds, paths[i], &used, error);
        if (status == HK_OK && !used) {
            hk_cli_error(command, "%.300s has no cell of the table, or its world has a run before "
                         "it", paths[i]);
            return HK_EXIT_USAGE;
        }
    }
    if (status == HK_OK)
        status = hk_worlds_add_newest(worlds, root, error);
    if (status != HK_OK)
        hk_cli_error(command, "%s", error);
    return status == HK_OK ? HK_EXIT_OK : HK_EXIT_USAGE;
}

bool hk_cli_worlds_beside(const char *command, const char *root, const char *path,
                          struct hk_worlds *worlds)
{
    char error[HK_TEXT_BYTES];
    bool used = false;

    *worlds = (struct hk_worlds){0};
    if (hk_worlds_add(worlds, path, &used, error) != HK_OK ||
        hk_worlds_add_newest(worlds, root, error) != HK_OK)
        hk_cli_error(command, "%s", error);
    return used;
}

/* --- for people ------------------------------------------------------------------------ */

static void print_number(const struct hk_world_figure *figure, double value, int width)
{
    char text[32] = "?";

    if (figure->state == HK_WORLD_OK && !isnan(value))
        snprintf(text, sizeof text, value >= 1000 ? "%.0f" : "%.4g", value);
    else if (figure->state == HK_WORLD_NONE || figure->state == HK_WORLD_OK)
        snprintf(text, sizeof text, "-");
    printf(" %*s", width, text);
}

static void print_row(const struct hk_worlds *worlds, const struct hk_world_row *row)
{
    printf("%-40s %-7s", row->what, row->service);
    for (int world = 0; world < HK_WORLDS; world++) {
        const struct hk_world_figure f = hk_worlds_figure(worlds, row, (enum hk_world)world);
        if (world == HK_WORLD_NATIVE) {
            print_number(&f, f.cost_ns, 9);
        } else {
            print_number(&f, f.instructions_kernel, 9);
            print_number(&f, f.instructions_user, 6);
        }
        print_number(&f, f.switches, 6);
    }
    putchar('\n');
}

static void print_absent(const struct hk_worlds *worlds, const struct hk_world_row *row, bool all)
{
    char command[HK_TEXT_BYTES];

    for (int world = 0; world < HK_WORLDS; world++) {
        const struct hk_world_figure f = hk_worlds_figure(worlds, row, (enum hk_world)world);
        if (!all && !worlds->have[world])
            continue;
        if (f.state == HK_WORLD_FAILED)
            printf("? %s: %s\n", row->cell[world], f.reason);
        if (f.state != HK_WORLD_MISSING)
            continue;
        hk_world_command(row->cell[world], (enum hk_world)world, command);
        printf("? %s: hkbench %s\n", row->cell[world], command);
    }
}

static void print_runs(const struct hk_worlds *worlds)
{
    char command[HK_TEXT_BYTES];

    for (int world = 0; world < HK_WORLDS; world++) {
        hk_world_command(NULL, (enum hk_world)world, command);
        printf("%s: %s%s\n", hk_world_name((enum hk_world)world),
               worlds->have[world] ? worlds->run[world].path : "no run; measure one with: hkbench ",
               worlds->have[world] ? "" : command);
    }
}

static bool wanted(const struct hk_worlds *worlds, const struct hk_world_row *row,
                   enum hk_world of)
{
    return of == HK_WORLDS || hk_worlds_figure(worlds, row, of).state == HK_WORLD_OK;
}

void hk_cli_worlds_print(const struct hk_worlds *worlds, enum hk_world of)
{
    printf("%-40s %-7s %9s %6s %6s %9s %6s %6s %9s %6s\n", "", "service", "linux:", "", "", "ours:",
           "", "", "native:", "");
    printf("%-40s %-7s %9s %6s %6s %9s %6s %6s %9s %6s\n", "operation", "in", "kernel", "user",
           "spaces", "kernel", "user", "spaces", "ns", "switch");
    for (size_t i = 0; i < hk_world_row_count; i++)
        if (wanted(worlds, &hk_world_rows[i], of))
            print_row(worlds, &hk_world_rows[i]);
    print_runs(worlds);
    for (size_t i = 0; i < hk_world_row_count; i++)
        if (wanted(worlds, &hk_world_rows[i], of))
            print_absent(worlds, &hk_world_rows[i], of == HK_WORLDS);
}

/* --- for programs ------------------------------------------------------------------------ */

static void set_number(json_t *object, const char *key, double value)
{
    if (!isnan(value))
        json_object_set_new(object, key, json_real(value));
}

static json_t *world_json(const struct hk_worlds *worlds, const struct hk_world_row *row,
                          enum hk_world world)
{
    const struct hk_world_figure f = hk_worlds_figure(worlds, row, world);
    json_t *object = json_pack("{s:s}", "cell", row->cell[world]);
    char command[HK_TEXT_BYTES];

    if (f.state == HK_WORLD_OK) {
        set_number(object, "hk_instructions_kernel", f.instructions_kernel);
        set_number(object, "hk_instructions_user", f.instructions_user);
        set_number(object, "cost_ns", f.cost_ns);
        set_number(object, world == HK_WORLD_NATIVE ? "hk_switches_per_op" : "hk_cr3_writes",
                   f.switches);
    } else if (f.state == HK_WORLD_FAILED) {
        json_object_set_new(object, "reason", json_string(f.reason));
    } else {
        hk_world_command(row->cell[world], world, command);
        json_object_set_new(object, "measured_by", json_sprintf("hkbench %s", command));
    }
    return object;
}

enum hk_exit hk_cli_worlds_print_json(const char *command, const struct hk_worlds *worlds)
{
    json_t *rows = json_array(), *runs = json_object();

    for (int world = 0; world < HK_WORLDS; world++)
        if (worlds->have[world])
            json_object_set_new(runs, hk_world_name((enum hk_world)world),
                                json_string(worlds->run[world].path));
    for (size_t i = 0; i < hk_world_row_count; i++) {
        const struct hk_world_row *row = &hk_world_rows[i];
        json_t *object = json_pack("{s:s, s:s}", "operation", row->what, "service", row->service);
        for (int world = 0; world < HK_WORLDS; world++)
            if (row->cell[world] != NULL)
                json_object_set_new(object, hk_world_name((enum hk_world)world),
                                    world_json(worlds, row, (enum hk_world)world));
        json_array_append_new(rows, object);
    }
    json_t *whole = json_pack("{s:o, s:o}", "runs", runs, "rows", rows);
    char *text = json_dumps(whole, JSON_INDENT(1));
    json_decref(whole);
    if (text == NULL) {
        hk_cli_error(command, "out of memory, or the name of a folder is no valid UTF-8");
        return HK_EXIT_USAGE;
    }
    puts(text);
    free(text);
    return HK_EXIT_OK;
}
