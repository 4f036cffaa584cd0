/* SPDX-License-Identifier: MIT */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "hk/base/units.h"

enum { CELLS_FIRST = 256 };

struct expansion {
    const regex_t *filter; /* NULL: everything */
    struct hk_cells cells;
    size_t capacity;
};

static enum hk_status grow(struct expansion *e)
{
    const size_t capacity = e->capacity == 0 ? CELLS_FIRST : 2 * e->capacity;
    char(*names)[HK_NAME_BYTES] = realloc(e->cells.names, capacity * sizeof *names);

    if (names == NULL)
        return HK_ENOMEM;
    e->cells.names = names;
    e->capacity = capacity;
    return HK_OK;
}

__attribute__((format(printf, 2, 3))) static enum hk_status add_cell(void *context,
                                                                     const char *format, ...)
{
    struct expansion *e = context;
    char name[HK_NAME_BYTES];
    va_list args;

    va_start(args, format);
    const int length = vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof name)
        return HK_ETOOBIG;
    if (e->filter != NULL && regexec(e->filter, name, 0, NULL, 0) != 0)
        return HK_OK;
    if (e->cells.count == e->capacity && grow(e) != HK_OK)
        return HK_ENOMEM;
    memcpy(e->cells.names[e->cells.count++], name, sizeof name);
    return HK_OK;
}

static enum hk_status expand_all(enum hk_run_mode mode, struct expansion *e)
{
    for (size_t i = 0; i < hk_experiment_count; i++) {
        const enum hk_status status = hk_experiments[i]->expand(mode, add_cell, e);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

enum hk_status hk_cells_expand(enum hk_run_mode mode, const char *filter, struct hk_cells *cells,
                               char error[HK_TEXT_BYTES])
{
    struct expansion e = {0};
    regex_t regex;

    if (filter != NULL) {
        const int code = regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB);
        if (code != 0) {
            char why[128];
            regerror(code, &regex, why, sizeof why);
            snprintf(error, HK_TEXT_BYTES, "filter '%.200s' is no regular expression: %s", filter,
                     why);
            return HK_EPARSE;
        }
        e.filter = &regex;
    }
    enum hk_status status = expand_all(mode, &e);
    if (filter != NULL)
        regfree(&regex);
    if (status == HK_OK && e.cells.count == 0) {
        snprintf(error, HK_TEXT_BYTES, "no cell matches '%.200s'; hkbench list shows the names",
                 filter != NULL ? filter : "");
        status = HK_ENOENT;
    }
    if (status != HK_OK) {
        hk_cells_fini(&e.cells);
        return status;
    }
    *cells = e.cells;
    return HK_OK;
}

void hk_cells_fini(struct hk_cells *cells)
{
    free(cells->names);
    *cells = (struct hk_cells){0};
}
