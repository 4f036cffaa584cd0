/* SPDX-License-Identifier: MIT */
/* What can be measured: cells, and the rows they are made of. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "hk/base/units.h"
#include "hk/path/path.h"
#include "hk/run/run.h"
#include "hk/transport/transport.h"

struct list_options {
    const char *filter;
    bool full;
    bool json;
};

static const struct hk_option options[] = {
#define AT(f) offsetof(struct list_options, f)
    {"filter", 'f', HK_OPTION_TEXT, "REGEX", "only cells whose name matches", AT(filter), 0, 0},
    {"full", 0, HK_OPTION_FLAG, NULL, "cells of the full run, not of the quick one", AT(full), 0,
     0},
    {"json", 0, HK_OPTION_FLAG, NULL, "print as JSON", AT(json), 0, 0},
#undef AT
};

/* What is printed: a line of text, or a row of a JSON array. */
struct rows {
    json_t *array; /* NULL: text */
};

/* summary and reason may be NULL; a reason says why it is not to be had here. */
static void show(struct rows *rows, const char *name, const char *summary, const char *reason)
{
    if (rows->array != NULL) {
        json_t *row = json_pack("{s:s, s:s*, s:b, s:s*}", "name", name, "summary", summary,
                                "available", reason == NULL, "reason", reason);
        json_array_append_new(rows->array, row);
        return;
    }
    if (summary == NULL)
        puts(name);
    else
        printf("%-24s %s\n", name, summary);
    if (reason != NULL)
        printf("%-24s not here: %s\n", "", reason);
}

static enum hk_exit list_cells(const struct list_options *o, struct rows *rows)
{
    char error[HK_TEXT_BYTES];
    struct hk_cells cells;

    const enum hk_status status =
        hk_cells_expand(o->full ? HK_RUN_FULL : HK_RUN_QUICK, o->filter, &cells, error);
    if (status == HK_ENOMEM) {
        hk_cli_error("list", "out of memory");
        return HK_EXIT_UNMEASURED;
    }
    if (status != HK_OK) {
        hk_cli_error("list", "%s", error);
        return HK_EXIT_USAGE;
    }
    for (size_t i = 0; i < cells.count; i++)
        show(rows, cells.names[i], NULL, NULL);
    hk_cells_fini(&cells);
    return HK_EXIT_OK;
}

/* Each kind once, in the order of the cells. */
static enum hk_exit list_experiments(const struct list_options *o, struct rows *rows)
{
    char error[HK_TEXT_BYTES], kind[32], last[32] = "";
    struct hk_cells cells;

    (void)o;
    if (hk_cells_expand(HK_RUN_FULL, NULL, &cells, error) != HK_OK)
        return HK_EXIT_UNMEASURED;
    for (size_t i = 0; i < cells.count; i++) {
        if (hk_name_part(cells.names[i], 1, kind, sizeof kind) != HK_OK || strcmp(kind, last) == 0)
            continue;
        show(rows, kind, hk_experiment_summary(kind), NULL);
        memcpy(last, kind, sizeof last);
    }
    hk_cells_fini(&cells);
    return HK_EXIT_OK;
}

static enum hk_exit list_transports(const struct list_options *o, struct rows *rows)
{
    char reason[HK_REASON_BYTES];

    (void)o;
    for (size_t i = 0; i < hk_transport_count; i++) {
        const struct hk_transport *t = hk_transports[i];
        show(rows, t->name, t->summary, hk_transport_probe(t, reason) != HK_OK ? reason : NULL);
    }
    return HK_EXIT_OK;
}

static enum hk_exit list_paths(const struct list_options *o, struct rows *rows)
{
    (void)o;
    for (size_t i = 0; i < hk_path_count; i++)
        show(rows, hk_paths[i]->name, hk_paths[i]->summary, NULL);
    return HK_EXIT_OK;
}

static const struct {
    const char *name;
    enum hk_exit (*list)(const struct list_options *o, struct rows *rows);
} lists[] = {
    {"cells", list_cells},
    {"experiments", list_experiments},
    {"transports", list_transports},
    {"paths", list_paths},
};

static enum hk_exit run(const void *values, int argc, char **argv)
{
    const struct list_options *o = values;
    const char *what = argc > 0 ? argv[0] : "cells";

    for (size_t i = 0; i < HK_ARRAY_COUNT(lists); i++) {
        if (strcmp(lists[i].name, what) != 0)
            continue;
        struct rows rows = {.array = o->json ? json_array() : NULL};
        const enum hk_exit code = lists[i].list(o, &rows);
        json_t *root = o->json ? json_pack("{s:o}", what, rows.array) : NULL;
        if (o->json && code == HK_EXIT_OK) {
            json_dumpf(root, stdout, JSON_INDENT(2));
            putchar('\n');
        }
        json_decref(root);
        return code;
    }
    hk_cli_error("list", "'%s' is none of cells, experiments, transports, paths", what);
    return HK_EXIT_USAGE;
}

const struct hk_command hk_cmd_list = {
    .name = "list",
    .arguments = "[cells|experiments|transports|paths]",
    .summary = "show what can be measured",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .options_bytes = sizeof(struct list_options),
    .positional_max = 1,
    .run = run,
};
