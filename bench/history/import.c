/* SPDX-License-Identifier: MIT */
#include "hk/history/import.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "hk/result/csv.h"

enum { TEXTS = 3 }; /* columns that are no series */

/* What a column's values belong to; texts lie in the file's. */
struct column {
    char *name;
    char *metric;
    char *basis;
    enum hk_series_kind kind;
};

struct job {
    const char *time;
    const char *commit;
    const char *machine;
};

struct parsed {
    size_t column_count; /* series */
    struct column *columns;
    size_t job_count;
    size_t capacity; /* jobs */
    struct job *jobs;
    double *values; /* a row of columns per job; NaN: none */
};

__attribute__((format(printf, 2, 3))) static enum hk_status refuse(char error[HK_TEXT_BYTES],
                                                                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, HK_TEXT_BYTES, format, arguments);
    va_end(arguments);
    return HK_EPARSE;
}

static void parsed_fini(struct parsed *p)
{
    free(p->columns);
    free(p->jobs);
    free(p->values);
}

/* --- titles --------------------------------------------------------------------- */

/* "name metric kind basis", split in place at the first word that is a kind. */
static bool take_title(char *title, struct column *c)
{
    for (char *space = strchr(title, ' '); space; space = strchr(space + 1, ' ')) {
        for (int kind = HK_SERIES_RATIO; kind <= HK_SERIES_NEAR; kind++) {
            const char *word = hk_series_kind_name((enum hk_series_kind)kind);
            const size_t length = strlen(word);
            if (strncmp(space + 1, word, length) != 0 || space[1 + length] != ' ')
                continue;
            *space = '\0';
            char *before = strrchr(title, ' ');
            if (before == NULL || before == title || before[1] == '\0')
                return false;
            *before = '\0';
            *c = (struct column){title, before + 1, space + length + 2, (enum hk_series_kind)kind};
            return true;
        }
    }
    return false;
}

static int by_title(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the titles. */
static bool has_twice(char **titles, size_t count)
{
    qsort(titles, count, sizeof(*titles), by_title);
    for (size_t i = 1; i < count; i++)
        if (strcmp(titles[i - 1], titles[i]) == 0)
            return true;
    return false;
}

static enum hk_status take_titles(struct parsed *p, char **fields, char error[HK_TEXT_BYTES])
{
    char **sorted = malloc((p->column_count + 1) * sizeof(*sorted));
    p->columns = calloc(p->column_count + 1, sizeof(*p->columns));
    if (!sorted || !p->columns) {
        free(sorted);
        return HK_ENOMEM;
    }
    memcpy(sorted, fields + TEXTS, p->column_count * sizeof(*sorted));
    const bool twice = has_twice(sorted, p->column_count);
    free(sorted);
    if (twice)
        return refuse(error, "two columns have the same title");
    for (size_t i = 0; i < p->column_count; i++)
        if (!take_title(fields[TEXTS + i], &p->columns[i]))
            return refuse(error, "column %zu is no 'name metric kind basis'", TEXTS + i + 1);
    return HK_OK;
}

/* --- rows ------------------------------------------------------------------------- */

static bool take_value(const struct column *c, const char *text, double *value)
{
    char *end;
    *value = (double)NAN;
    if (text[0] == '\0')
        return true;
    *value = strtod(text, &end);
    const bool timed = c->kind == HK_SERIES_RATIO || c->kind == HK_SERIES_ABSOLUTE;
    return *end == '\0' && isfinite(*value) && (timed ? *value > 0 : *value >= 0);
}

static enum hk_status grow(struct parsed *p)
{
    const size_t capacity = p->capacity ? 2 * p->capacity : 64;
    if (capacity > SIZE_MAX / sizeof(double) / (p->column_count + 1))
        return HK_ENOMEM;
    struct job *jobs = realloc(p->jobs, capacity * sizeof(*jobs));
    if (jobs)
        p->jobs = jobs;
    double *values = realloc(p->values, capacity * (p->column_count + 1) * sizeof(*values));
    if (values)
        p->values = values;
    if (!jobs || !values)
        return HK_ENOMEM;
    p->capacity = capacity;
    return HK_OK;
}

static enum hk_status take_row(struct parsed *p, char **fields, char error[HK_TEXT_BYTES])
{
    if (p->job_count == p->capacity && grow(p) != HK_OK)
        return HK_ENOMEM;
    double *values = p->values + p->job_count * p->column_count;
    for (size_t i = 0; i < p->column_count; i++)
        if (!take_value(&p->columns[i], fields[TEXTS + i], &values[i]))
            return refuse(error, "row %zu, %.100s: '%.40s' is no value of it", p->job_count + 1,
                          p->columns[i].name, fields[TEXTS + i]);
    p->jobs[p->job_count++] = (struct job){fields[0], fields[1], fields[2]};
    return HK_OK;
}

static enum hk_status parse_lines(char *text, size_t bytes, char **fields, size_t room,
                                  struct parsed *p, char error[HK_TEXT_BYTES])
{
    char *cursor = text;
    const size_t count = hk_csv_split(&cursor, fields, room);
    if (count <= TEXTS)
        return refuse(error, "no series in its first line");
    p->column_count = count - TEXTS;
    enum hk_status status = take_titles(p, fields, error);
    while (status == HK_OK && *cursor) {
        const size_t found = hk_csv_split(&cursor, fields, room);
        status = found == count ? take_row(p, fields, error)
                                : refuse(error, "row %zu does not have %zu fields; cut short?",
                                         p->job_count + 1, count);
    }
    return status == HK_OK && text[bytes - 1] != '\0'
               ? refuse(error, "the last line has no end; cut short")
               : status;
}

static enum hk_status parse(char *text, size_t bytes, struct parsed *p, char error[HK_TEXT_BYTES])
{
    static const char start[] = HK_HISTORY_CSV_START;
    size_t room = 1;
    if (memchr(text, '\0', bytes))
        return refuse(error, "a NUL byte: no text file");
    if (strncmp(text, start, sizeof(start) - 1) != 0)
        return refuse(error, "it does not begin with %s", start);
    for (const char *c = text; *c && *c != '\n'; c++)
        room += *c == ',';
    char **fields = malloc(room * sizeof(*fields));
    if (!fields)
        return HK_ENOMEM;
    const enum hk_status status = parse_lines(text, bytes, fields, room, p, error);
    free(fields);
    return status;
}

/* --- adding ------------------------------------------------------------------------- */

static enum hk_status add_job(struct hk_history *h, const struct parsed *p, size_t index,
                              const char *source, struct hk_history_point *points)
{
    char row[HK_TEXT_BYTES];
    size_t n = 0;
    int64_t number;
    for (size_t i = 0; i < p->column_count; i++) {
        const struct column *c = &p->columns[i];
        const double value = p->values[index * p->column_count + i];
        if (!isnan(value))
            points[n++] = (struct hk_history_point){
                .name = c->name, .metric = c->metric, .kind = c->kind, .basis = c->basis,
                .value = value, .reference = c->kind == HK_SERIES_RATIO ? 1 : 0, .count = 1};
    }
    if (n == 0)
        return HK_EEMPTY;
    snprintf(row, sizeof(row), "%.300s row %zu", source, index + 1);
    const struct hk_history_job job = {p->jobs[index].commit, p->jobs[index].time,
                                       p->jobs[index].machine, row};
    return hk_database_add(h, &job, &(struct hk_history_points){.count = n, .points = points},
                           &number);
}

static enum hk_status add_rows(struct hk_history *h, const struct parsed *p, const char *source,
                               struct hk_history_point *points, size_t *added)
{
    enum hk_status status = HK_OK;
    for (size_t i = 0; i < p->job_count && status == HK_OK; i++) {
        status = add_job(h, p, i, source, points);
        *added += status == HK_OK;
        if (status == HK_EEMPTY) /* no value of these series: nothing to keep */
            status = HK_OK;
    }
    return status;
}

/* All or none: what is mended in a file can be imported again from its first row. */
static enum hk_status add_jobs(struct hk_history *h, const struct parsed *p, const char *source,
                               size_t *added, char error[HK_TEXT_BYTES])
{
    struct hk_history_point *points = malloc((p->column_count + 1) * sizeof(*points));
    size_t count = 0;
    enum hk_status status = points ? hk_database_begin(h) : HK_ENOMEM;
    if (status == HK_OK)
        status = hk_database_end(h, add_rows(h, p, source, points, &count));
    free(points);
    if (status == HK_OK)
        *added = count;
    else
        snprintf(error, HK_TEXT_BYTES, "%s; nothing of %.200s was added",
                 status == HK_ENOMEM ? hk_status_text(status) : hk_history_error(h), source);
    return status;
}

enum hk_status hk_history_import_csv(struct hk_history *h, char *text, size_t bytes,
                                     const char *source, size_t *added, char error[HK_TEXT_BYTES])
{
    struct parsed p = {0};
    char why[HK_TEXT_BYTES] = "out of memory";
    *added = 0;
    enum hk_status status = parse(text, bytes, &p, why);
    if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "%.200s: %.300s", source, why);
    } else {
        status = add_jobs(h, &p, source, added, error);
        if (status == HK_OK && *added == 0) {
            status = HK_EEMPTY;
            snprintf(error, HK_TEXT_BYTES, "%.300s: no values", source);
        }
    }
    parsed_fini(&p);
    return status;
}
