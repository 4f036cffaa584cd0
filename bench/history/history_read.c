/* SPDX-License-Identifier: MIT */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? (const char *)text : "";
}

/* --- series ------------------------------------------------------------------- */

static enum hk_status take_series(sqlite3_stmt *row, struct hk_history_list *list,
                                  size_t *capacity)
{
    if (list->count == *capacity) {
        const size_t grown_capacity = *capacity ? *capacity * 2 : 64;
        struct hk_history_series *grown =
            realloc(list->series, grown_capacity * sizeof(*list->series));
        if (!grown)
            return HK_ENOMEM;
        list->series = grown;
        *capacity = grown_capacity;
    }
    struct hk_history_series *s = &list->series[list->count];
    const int kind = sqlite3_column_int(row, 3);
    *s = (struct hk_history_series){
        .id = sqlite3_column_int64(row, 0),
        .name = strdup(text_of(row, 1)),
        .metric = strdup(text_of(row, 2)),
        .kind = (enum hk_series_kind)kind,
        .basis = strdup(text_of(row, 4)),
        .last_job = sqlite3_column_int64(row, 5),
        .accepted_job = sqlite3_column_int64(row, 6),
    };
    list->count++;
    if (kind < HK_SERIES_RATIO || kind > HK_SERIES_NEAR)
        return HK_EPARSE;
    return s->name && s->metric && s->basis ? HK_OK : HK_ENOMEM;
}

static enum hk_status list_all(struct hk_history *h, const regex_t *filter,
                               struct hk_history_list *list)
{
    sqlite3_stmt *statement = hk_database_prepare(
        h, "SELECT id, name, metric, kind, basis, last_job,"
           " coalesce((SELECT max(job) FROM acceptance WHERE series = id), 0)"
           " FROM series ORDER BY name, metric, kind, basis");
    size_t capacity = 0;
    enum hk_status status = statement ? HK_OK : HK_EPARSE;
    while (status == HK_OK && (status = hk_database_step(h, statement)) == HK_OK)
        if (!filter || regexec(filter, text_of(statement, 1), 0, NULL, 0) == 0)
            status = take_series(statement, list, &capacity);
    sqlite3_finalize(statement);
    return status == HK_EEMPTY ? HK_OK : status;
}

enum hk_status hk_history_list(struct hk_history *h, const char *filter,
                               struct hk_history_list *list)
{
    struct hk_history_list made = {0};
    regex_t regex;
    if (filter && regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB) != 0) {
        snprintf(h->error, sizeof(h->error), "'%.100s' is not an extended regular expression",
                 filter);
        return HK_EINVAL;
    }
    const enum hk_status status = list_all(h, filter ? &regex : NULL, &made);
    if (filter)
        regfree(&regex);
    if (status == HK_OK)
        *list = made;
    else
        hk_history_list_fini(&made);
    return status;
}

static void series_fini(struct hk_history_series *s)
{
    free(s->name);
    free(s->metric);
    free(s->basis);
}

void hk_history_list_keep(struct hk_history_list *list, enum hk_series_kind kind)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->series[i].kind == kind)
            list->series[kept++] = list->series[i];
        else
            series_fini(&list->series[i]);
    }
    list->count = kept;
}

void hk_history_list_fini(struct hk_history_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        series_fini(&list->series[i]);
    free(list->series);
    *list = (struct hk_history_list){0};
}

/* --- values --------------------------------------------------------------------- */

static void take_value(sqlite3_stmt *row, struct hk_history_value *value)
{
    *value = (struct hk_history_value){
        .job = sqlite3_column_int64(row, 0),
        .value = sqlite3_column_double(row, 1),
        .reference = sqlite3_column_double(row, 2),
        .count = (uint32_t)sqlite3_column_int64(row, 3),
    };
}

enum hk_status hk_history_values(struct hk_history *h, int64_t series, int64_t from,
                                 size_t capacity, struct hk_history_value *values, size_t *count)
{
    sqlite3_stmt *statement =
        hk_database_prepare(h, "SELECT job, value, reference, count FROM point"
                               " WHERE series = ? AND job >= ? ORDER BY job DESC LIMIT ?");
    if (!statement)
        return HK_EPARSE;
    sqlite3_bind_int64(statement, 1, series);
    sqlite3_bind_int64(statement, 2, from);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)capacity);
    size_t n = 0;
    enum hk_status status;
    while ((status = hk_database_step(h, statement)) == HK_OK)
        take_value(statement, &values[n++]);
    sqlite3_finalize(statement);
    if (status != HK_EEMPTY)
        return status;
    for (size_t i = 0; i < n / 2; i++) {
        const struct hk_history_value swapped = values[i];
        values[i] = values[n - 1 - i];
        values[n - 1 - i] = swapped;
    }
    *count = n;
    return HK_OK;
}

enum hk_status hk_history_first(struct hk_history *h, int64_t series, int64_t from,
                                struct hk_history_value *value)
{
    sqlite3_stmt *statement =
        hk_database_prepare(h, "SELECT job, value, reference, count FROM point"
                               " WHERE series = ? AND job >= ? ORDER BY job LIMIT 1");
    if (!statement)
        return HK_EPARSE;
    sqlite3_bind_int64(statement, 1, series);
    sqlite3_bind_int64(statement, 2, from);
    const enum hk_status status = hk_database_step(h, statement);
    if (status == HK_OK)
        take_value(statement, value);
    sqlite3_finalize(statement);
    return status == HK_EEMPTY ? HK_ENOENT : status;
}

enum hk_status hk_history_stretch(struct hk_history *h, int64_t series, int64_t *before,
                                  int64_t *begin)
{
    sqlite3_stmt *statement = hk_database_prepare(
        h, "SELECT job, value FROM point WHERE series = ? ORDER BY job DESC");
    if (!statement)
        return HK_EPARSE;
    sqlite3_bind_int64(statement, 1, series);
    double newest = 0;
    bool first = true;
    enum hk_status status;
    while ((status = hk_database_step(h, statement)) == HK_OK) {
        if (!first && sqlite3_column_double(statement, 1) != newest) {
            *before = sqlite3_column_int64(statement, 0);
            break;
        }
        newest = sqlite3_column_double(statement, 1);
        *begin = sqlite3_column_int64(statement, 0);
        first = false;
    }
    sqlite3_finalize(statement);
    return status == HK_EEMPTY ? HK_OK : status;
}

/* --- jobs ------------------------------------------------------------------------- */

enum hk_status hk_history_job_read(struct hk_history *h, int64_t number,
                                   struct hk_history_entry *entry)
{
    sqlite3_stmt *statement = hk_database_prepare(
        h, "SELECT revision, time, machine, source FROM job WHERE number = ?");
    if (!statement)
        return HK_EPARSE;
    sqlite3_bind_int64(statement, 1, number);
    enum hk_status status = hk_database_step(h, statement);
    if (status == HK_OK) {
        entry->job = number;
        snprintf(entry->commit, sizeof(entry->commit), "%s", text_of(statement, 0));
        snprintf(entry->time, sizeof(entry->time), "%s", text_of(statement, 1));
        snprintf(entry->machine, sizeof(entry->machine), "%s", text_of(statement, 2));
        snprintf(entry->source, sizeof(entry->source), "%s", text_of(statement, 3));
    }
    sqlite3_finalize(statement);
    return status == HK_EEMPTY ? HK_ENOENT : status;
}

enum hk_status hk_history_newest(struct hk_history *h, int64_t *number)
{
    sqlite3_stmt *statement =
        hk_database_prepare(h, "SELECT coalesce(max(number), 0) FROM job");
    enum hk_status status = statement ? hk_database_step(h, statement) : HK_EPARSE;
    if (status == HK_OK)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

enum hk_status hk_history_previous(struct hk_history *h, int64_t number, int64_t *previous)
{
    sqlite3_stmt *statement = hk_database_prepare(
        h, "SELECT number FROM job WHERE number < ? ORDER BY number DESC LIMIT 1");
    if (!statement)
        return HK_EPARSE;
    sqlite3_bind_int64(statement, 1, number);
    enum hk_status status = hk_database_step(h, statement);
    const int64_t found = status == HK_OK ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    if (status == HK_OK && found >= number) { /* out of order: whoever walks would not end */
        status = HK_EPARSE;
        snprintf(h->error, sizeof(h->error), "%s: it is damaged; restore a copy", h->path);
    }
    if (status == HK_OK)
        *previous = found;
    return status == HK_EEMPTY ? HK_ENOENT : status;
}

enum hk_status hk_history_log(struct hk_history *h, size_t line_max,
                              void (*tell)(void *context, const struct hk_history_line *line),
                              void *context)
{
    /* An acceptance stands behind the job that was the newest when it was made. */
    sqlite3_stmt *statement = hk_database_prepare(
        h, "SELECT number AS at, 0 AS kind, revision, time, machine || ', ' || source FROM job"
           " UNION ALL SELECT after, 1, name || ' ' || metric, time,"
           " 'from job ' || job || ': ' || reason FROM acceptance JOIN series ON id = series"
           " ORDER BY at DESC, kind DESC LIMIT ?");
    if (!statement)
        return HK_EPARSE;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)line_max);
    enum hk_status status;
    while ((status = hk_database_step(h, statement)) == HK_OK) {
        const struct hk_history_line line = {
            .job = sqlite3_column_int64(statement, 0),
            .what = sqlite3_column_int(statement, 1) ? "accept" : "add",
            .subject = text_of(statement, 2),
            .time = text_of(statement, 3),
            .detail = text_of(statement, 4),
        };
        tell(context, &line);
    }
    sqlite3_finalize(statement);
    return status == HK_EEMPTY ? HK_OK : status;
}
