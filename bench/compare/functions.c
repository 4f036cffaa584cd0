/* SPDX-License-Identifier: MIT */
/* Which functions the instructions of a cell are in, on both sides. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define FILE_NAME      "functions.tsv"
#define FILE_BYTES_MAX (64u << 20)

/* Of these at most, so that the kinds of event keep their place. */
enum { FUNCTIONS_SHOWN = 4 };

struct row {
    const char *cell;
    const char *function;
    double instructions;
};

struct hk_functions {
    char *text;
    size_t count;
    struct row *rows; /* by cell, then function */
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    const int order = strcmp(x->cell, y->cell);

    return order != 0 ? order : strcmp(x->function, y->function);
}

/* Splits "cell TAB function TAB number" in place. */
static bool row_split(char *line, struct row *row)
{
    char *function = strchr(line, '\t');
    char *number = function != NULL ? strchr(function + 1, '\t') : NULL;
    char *end;

    if (number == NULL || function == line || number == function + 1)
        return false;
    *function = *number = '\0';
    errno = 0;
    *row = (struct row){line, function + 1, strtod(number + 1, &end)};
    return errno == 0 && end != number + 1 && *end == '\0' && isfinite(row->instructions);
}

static enum hk_status rows_split(struct hk_functions *f, size_t bytes, char error[HK_TEXT_BYTES])
{
    char *line = f->text, *end = f->text + bytes;
    size_t number = 1;

    while (line < end) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL) {
            snprintf(error, HK_TEXT_BYTES, "line %zu is cut short", number);
            return HK_EPARSE;
        }
        *newline = '\0';
        /* the first line names the columns */
        if (number > 1 && (memchr(line, '\0', (size_t)(newline - line)) != NULL ||
                           !row_split(line, &f->rows[f->count++]))) {
            snprintf(error, HK_TEXT_BYTES, "line %zu: not a cell, a function and a number", number);
            return HK_EPARSE;
        }
        line = newline + 1;
        number++;
    }
    return HK_OK;
}

static size_t count_lines(const char *text, size_t bytes)
{
    size_t n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += text[i] == '\n';
    return n;
}

enum hk_status hk_functions_parse(const char *text, size_t bytes, struct hk_functions **functions,
                                  char error[HK_TEXT_BYTES])
{
    struct hk_functions *f = calloc(1, sizeof *f);

    if (f != NULL) {
        f->text = malloc(bytes + 1);
        f->rows = malloc((count_lines(text, bytes) + 1) * sizeof *f->rows);
    }
    if (f == NULL || f->text == NULL || f->rows == NULL) {
        hk_functions_free(f);
        snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(HK_ENOMEM));
        return HK_ENOMEM;
    }
    if (bytes > 0)
        memcpy(f->text, text, bytes);
    const enum hk_status status = rows_split(f, bytes, error);
    if (status != HK_OK) {
        hk_functions_free(f);
        return status;
    }
    qsort(f->rows, f->count, sizeof *f->rows, compare_rows);
    *functions = f;
    return HK_OK;
}

enum hk_status hk_functions_read(const char *folder, struct hk_functions **functions,
                                 char error[HK_TEXT_BYTES])
{
    char path[PATH_MAX], cause[HK_TEXT_BYTES];
    char *text = NULL;
    size_t bytes = 0;

    if (snprintf(path, sizeof path, "%s/" FILE_NAME, folder) >= (int)sizeof path)
        return HK_ENOENT;
    enum hk_status status = hk_file_read(path, FILE_BYTES_MAX, &text, &bytes);
    if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "%.300s: %s", path, hk_status_text(status));
        return status;
    }
    status = hk_functions_parse(text, bytes, functions, cause);
    free(text);
    if (status != HK_OK)
        snprintf(error, HK_TEXT_BYTES, "%.300s: %.150s", path, cause);
    return status;
}

enum hk_status hk_functions_text(const struct hk_functions *f, char **text, size_t *bytes)
{
    FILE *out = open_memstream(text, bytes);

    if (out == NULL)
        return HK_ENOMEM;
    fprintf(out, "cell\tfunction\tinstructions_per_op\n");
    for (size_t i = 0; i < f->count; i++)
        fprintf(out, "%s\t%s\t%.9g\n", f->rows[i].cell, f->rows[i].function,
                f->rows[i].instructions);
    return fclose(out) == 0 ? HK_OK : HK_ENOMEM;
}

void hk_functions_free(struct hk_functions *f)
{
    if (f == NULL)
        return;
    free(f->text);
    free(f->rows);
    free(f);
}

/* --- differences --------------------------------------------------------------------- */

/* First row of a cell; count when there is none. */
static size_t find_cell(const struct hk_functions *f, const char *cell)
{
    size_t low = 0, high = f->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(f->rows[middle].cell, cell) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool in_cell(const struct hk_functions *f, size_t i, const char *cell)
{
    return i < f->count && strcmp(f->rows[i].cell, cell) == 0;
}

struct change {
    const char *function;
    double a;
    double b;
};

/* Keeps the greatest changes, the greatest first. */
static void keep(struct change changes[FUNCTIONS_SHOWN], struct change new)
{
    for (size_t i = 0; i < FUNCTIONS_SHOWN; i++) {
        if (changes[i].function != NULL &&
            fabs(changes[i].b - changes[i].a) >= fabs(new.b - new.a))
            continue;
        const struct change moved = changes[i];
        changes[i] = new;
        new = moved;
        if (new.function == NULL)
            return;
    }
}

static void changes_of(const char *cell, const struct hk_functions *a,
                       const struct hk_functions *b, struct change changes[FUNCTIONS_SHOWN])
{
    size_t i = find_cell(a, cell), j = find_cell(b, cell);

    while (in_cell(a, i, cell) || in_cell(b, j, cell)) {
        const int order = !in_cell(a, i, cell)   ? 1
                          : !in_cell(b, j, cell) ? -1
                                                 : strcmp(a->rows[i].function,
                                                          b->rows[j].function);
        struct change new = {order <= 0 ? a->rows[i].function : b->rows[j].function, 0, 0};
        if (order <= 0)
            new.a = a->rows[i++].instructions;
        if (order >= 0)
            new.b = b->rows[j++].instructions;
        if (new.a != new.b)
            keep(changes, new);
    }
}

void hk_compare_functions(struct hk_comparison *c, const struct hk_functions *a,
                          const struct hk_functions *b)
{
    if (a == NULL || b == NULL)
        return;
    for (size_t i = 0; i < c->finding_count; i++) {
        struct hk_finding *f = &c->findings[i];
        struct change changes[FUNCTIONS_SHOWN] = {0};
        if ((f->basis != HK_BASIS_EXACT && f->basis != HK_BASIS_NEAR) || isnan(f->a) ||
            isnan(f->b) || f->a == f->b)
            continue; /* unchanged, or missing on one side */
        changes_of(f->cell, a, b, changes);
        struct hk_finding before = *f;
        f->cause_count = 0;
        for (size_t k = 0; k < FUNCTIONS_SHOWN && changes[k].function != NULL; k++)
            cause_add(f, changes[k].a, changes[k].b, "%s %.200s",
                      strchr(changes[k].function, ':') != NULL ? "user" : "kernel",
                      changes[k].function);
        for (size_t k = 0; k < before.cause_count; k++)
            cause_add(f, before.causes[k].a, before.causes[k].b, "%.250s", before.causes[k].what);
    }
}
