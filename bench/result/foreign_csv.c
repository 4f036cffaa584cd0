/* SPDX-License-Identifier: MIT */
/* Google Benchmark's CSV: --benchmark_format=csv, and its --benchmark_out with notes before it. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "foreign_rows.h"
#include "hk/base/units.h"
#include "hk/result/csv.h"

enum { COLUMNS_MAX = 512 };

/* Columns that the format itself has, by their position in struct header. */
enum column { NAME, REAL_TIME, CPU_TIME, UNIT, LABEL, FAILED, FAILURE, KNOWN_COUNT };

static const char *const known_names[KNOWN_COUNT] = {
    [NAME] = "name", [REAL_TIME] = "real_time", [CPU_TIME] = "cpu_time", [UNIT] = "time_unit",
    [LABEL] = "label", [FAILED] = "error_occurred", [FAILURE] = "error_message",
};

struct header {
    size_t count;
    const char *names[COLUMNS_MAX];
    size_t known[KNOWN_COUNT]; /* column of each; COLUMNS_MAX: absent */
};

static size_t find_column(const struct header *header, const char *name)
{
    for (size_t i = 0; i < header->count; i++)
        if (strcmp(header->names[i], name) == 0)
            return i;
    return COLUMNS_MAX;
}

static enum hk_status take_header(char **cursor, struct header *header, char error[HK_TEXT_BYTES])
{
    char *fields[COLUMNS_MAX];
    header->count = hk_csv_split(cursor, fields, COLUMNS_MAX);
    for (size_t i = 0; i < header->count; i++) {
        header->names[i] = fields[i];
        for (size_t j = 0; j < i; j++)
            if (strcmp(fields[i], fields[j]) == 0)
                return hk_foreign_fail(error, HK_EPARSE, "two columns are called '%.100s'",
                                       fields[i]);
    }
    for (size_t k = 0; k < KNOWN_COUNT; k++)
        header->known[k] = find_column(header, known_names[k]);
    if (header->known[REAL_TIME] == COLUMNS_MAX || header->known[UNIT] == COLUMNS_MAX)
        return hk_foreign_fail(error, HK_EPARSE, "no columns real_time and time_unit");
    return HK_OK;
}

/* The line that names the columns; --benchmark_out puts the context's lines before it. */
static char *find_header(char *text)
{
    static const char start[] = "name,iterations,";
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, start, sizeof(start) - 1) == 0)
            return line;
    }
    return NULL;
}

/* NaN for what is no number to its last character. */
static double parse_number(const char *text)
{
    char *end = NULL;
    const double value = strtod(text, &end);
    return end != text && *end == '\0' ? value : (double)NAN;
}

static const char *field(const struct header *header, char *const *fields, enum column column)
{
    const size_t i = header->known[column];
    return i == COLUMNS_MAX ? "" : fields[i];
}

/* CSV has no column for it, but an aggregate's name ends so. */
static bool is_aggregate(const char *name)
{
    static const char *const endings[] = {"_mean", "_median", "_stddev", "_cv", "_BigO", "_RMS"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < HK_ARRAY_COUNT(endings); i++) {
        const size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(name + length - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

static enum hk_status add_counters(const struct header *header, char *const *fields,
                                   struct hk_foreign *foreign, struct hk_launch *launch)
{
    for (size_t i = 0; i < header->count; i++) {
        bool own = strcmp(header->names[i], "iterations") == 0;
        for (size_t k = 0; k < KNOWN_COUNT; k++)
            own = own || header->known[k] == i;
        if (own || !fields[i][0])
            continue;
        const enum hk_status status = hk_foreign_add_counter(foreign, launch, header->names[i],
                                                             parse_number(fields[i]));
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static enum hk_status take_line(const struct header *header, char *const *fields,
                                struct hk_foreign_rows *rows, char error[HK_TEXT_BYTES])
{
    const char *failure = field(header, fields, FAILURE);
    const bool failed = strcmp(field(header, fields, FAILED), "true") == 0;
    const struct hk_foreign_row row = {
        .name = field(header, fields, NAME),
        .repetition = -1,
        .family = -1,
        .unit = field(header, fields, UNIT),
        .label = field(header, fields, LABEL),
        .failure = !failed ? NULL : failure[0] ? failure : "it reported an error",
        .real_time = parse_number(field(header, fields, REAL_TIME)),
        .cpu_time = parse_number(field(header, fields, CPU_TIME)),
    };
    struct hk_launch *launch = NULL;
    if (is_aggregate(row.name)) {
        rows->foreign->aggregate_count++;
        return HK_OK;
    }
    const enum hk_status status = hk_foreign_add(rows, &row, &launch, error);
    return status == HK_OK ? add_counters(header, fields, rows->foreign, launch) : status;
}

enum hk_status hk_foreign_decode_csv(char *text, size_t bytes, struct hk_foreign_rows *rows,
                                     char error[HK_TEXT_BYTES])
{
    struct header header;
    char *fields[COLUMNS_MAX];
    if (memchr(text, '\0', bytes))
        return hk_foreign_fail(error, HK_EPARSE, "a NUL byte: no text file");
    char *cursor = find_header(text);
    if (!cursor)
        return hk_foreign_fail(error, HK_EPARSE, "neither JSON nor CSV of Google Benchmark");
    enum hk_status status = take_header(&cursor, &header, error);
    for (size_t line = 1; status == HK_OK && *cursor; line++) {
        if (*cursor == '\n' || strchr(cursor, '\n') == NULL) {
            if (*cursor != '\n')
                return hk_foreign_fail(error, HK_EPARSE, "the last line has no end; cut short");
            cursor++;
            continue;
        }
        const size_t count = hk_csv_split(&cursor, fields, COLUMNS_MAX);
        if (count != header.count)
            return hk_foreign_fail(error, HK_EPARSE, "row %zu has %zu fields, not %zu", line, count,
                                   header.count);
        status = take_line(&header, fields, rows, error);
    }
    return status;
}
