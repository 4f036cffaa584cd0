/* SPDX-License-Identifier: MIT */
#include "hk/guest/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "grow.h"
#include "hk/base/abi.h"
#include "hk/base/units.h"

#define QUOTE_BYTES 100

struct line {
    const char *text;
    size_t bytes;
    size_t rest; /* where the text behind the verb begins */
    struct hk_fields fields;
};

static bool is_row_key(const char *key)
{
    static const char *const keys[] = {"ops", "ticks_n", "ticks_2n", "region_n", "region_2n"};

    for (size_t i = 0; i < HK_ARRAY_COUNT(keys); i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum hk_status signed_read(const struct hk_field *field, int64_t *value)
{
    struct hk_field digits = *field;
    bool negative = field->value != NULL && field->value_bytes > 0 && field->value[0] == '-';
    uint64_t magnitude;

    if (negative) {
        digits.value++;
        digits.value_bytes--;
    }
    if (hk_field_u64(&digits, &magnitude) != HK_OK || magnitude > INT64_MAX) {
        return HK_EPARSE;
    }
    *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return HK_OK;
}

/* The keys of a row from word `first` on that are not its own: each becomes a value. */
static enum hk_status values_read(const struct hk_fields *fields, size_t first,
                                  struct hk_guest_row *row)
{
    for (size_t i = first; i < fields->count; i++) {
        struct hk_guest_value *value;
        char *key = strndup(fields->field[i].key, fields->field[i].key_bytes);

        if (key == NULL) {
            return HK_ENOMEM;
        }
        if (row->kind == HK_GUEST_ROW && is_row_key(key)) {
            free(key);
            continue;
        }
        for (size_t j = 0; j < row->value_count; j++) {
            if (strcmp(row->values[j].key, key) == 0) {
                free(key);
                return HK_EPARSE;
            }
        }
        value = hk_grow((void **)&row->values, &row->value_count, sizeof(*value));
        if (value == NULL) {
            free(key);
            return HK_ENOMEM;
        }
        value->key = key;
        if (signed_read(&fields->field[i], &value->value) != HK_OK) {
            return HK_EPARSE;
        }
    }
    return HK_OK;
}

/* Word 2 of the line is the row's name; a name may come once. */
static enum hk_status row_add(struct hk_guest_report *report, const struct line *line,
                              enum hk_guest_row_kind kind, struct hk_guest_row **row)
{
    const struct hk_field *name = &line->fields.field[2];
    struct hk_guest_row *r;

    if (line->fields.count < 3 || name->value != NULL || name->key_bytes >= HK_NAME_BYTES) {
        return HK_EPARSE;
    }
    for (size_t i = 0; i < report->row_count; i++) {
        if (hk_field_is(name, report->rows[i].name)) {
            return HK_EPARSE;
        }
    }
    r = hk_grow((void **)&report->rows, &report->row_count, sizeof(*r));
    if (r == NULL) {
        return HK_ENOMEM;
    }
    r->kind = kind;
    r->name = strndup(name->key, name->key_bytes);
    *row = r;
    return r->name != NULL ? HK_OK : HK_ENOMEM;
}

static enum hk_status row_read(struct hk_guest_report *report, const struct line *line)
{
    const struct hk_fields *f = &line->fields;
    struct hk_guest_row *row;
    enum hk_status status = row_add(report, line, HK_GUEST_ROW, &row);

    if (status != HK_OK) {
        return status;
    }
    if (hk_fields_u64(f, "ops", &row->ops) != HK_OK || row->ops == 0 ||
        hk_fields_u64(f, "ticks_n", &row->ticks_n) != HK_OK ||
        hk_fields_u64(f, "ticks_2n", &row->ticks_2n) != HK_OK ||
        hk_fields_u64(f, "region_n", &row->region_n) != HK_OK ||
        hk_fields_u64(f, "region_2n", &row->region_2n) != HK_OK) {
        return HK_EPARSE;
    }
    return values_read(f, 3, row);
}

static enum hk_status value_read(struct hk_guest_report *report, const struct line *line)
{
    struct hk_guest_row *row;
    enum hk_status status = row_add(report, line, HK_GUEST_VALUE, &row);

    if (status != HK_OK) {
        return status;
    }
    return line->fields.count > 3 ? values_read(&line->fields, 3, row) : HK_EPARSE;
}

static char *rest_copy(const struct line *line, size_t from)
{
    return strndup(line->text + from, line->bytes - from);
}

static enum hk_status text_read(struct hk_guest_report *report, const struct line *line,
                                enum hk_guest_row_kind kind)
{
    struct hk_guest_row *row;
    enum hk_status status = row_add(report, line, kind, &row);
    size_t text = line->rest + (status == HK_OK ? strlen(row->name) + 1 : 0);

    if (status != HK_OK) {
        return status;
    }
    if (text >= line->bytes) {
        return HK_EPARSE;
    }
    row->text = rest_copy(line, text);
    return row->text != NULL ? HK_OK : HK_ENOMEM;
}

static enum hk_status absent_read(struct hk_guest_report *report, const struct line *line)
{
    return text_read(report, line, HK_GUEST_ABSENT);
}

static enum hk_status launch_read(struct hk_guest_report *report, const struct line *line)
{
    return text_read(report, line, HK_GUEST_LAUNCH);
}

static enum hk_status fail_read(struct hk_guest_report *report, const struct line *line)
{
    char **text = hk_grow((void **)&report->fails, &report->fail_count, sizeof(*text));

    if (text == NULL) {
        return HK_ENOMEM;
    }
    *text = rest_copy(line, line->rest);
    return *text != NULL ? HK_OK : HK_ENOMEM;
}

static enum hk_status log_read(struct hk_guest_report *report, const struct line *line)
{
    (void)report; /* for people, who see it as it comes */
    (void)line;
    return HK_OK;
}

static enum hk_status begin_read(struct hk_guest_report *report, const struct line *line)
{
    uint64_t version;
    enum hk_status status;

    if (report->scenario != NULL || hk_fields_u64(&line->fields, "version", &version) != HK_OK) {
        return HK_EPARSE;
    }
    if (version != HK_PROTOCOL_VERSION) {
        return HK_ESCHEMA;
    }
    status = hk_fields_text(&line->fields, "scenario", &report->scenario);
    if (status == HK_OK) {
        status = hk_fields_text(&line->fields, "place", &report->place);
    }
    return status == HK_ENOENT ? HK_EPARSE : status;
}

static enum hk_status done_read(struct hk_guest_report *report, const struct line *line)
{
    report->done = true;
    return hk_fields_u64(&line->fields, "leaks", &report->leaks) == HK_OK ? HK_OK : HK_EPARSE;
}

static const struct verb {
    const char *name;
    bool words; /* the line consists of words; else free text follows the verb */
    enum hk_status (*read)(struct hk_guest_report *report, const struct line *line);
} verbs[] = {
    {"begin", true, begin_read},    {"row", true, row_read},    {"value", true, value_read},
    {"absent", false, absent_read}, {"fail", false, fail_read}, {"log", false, log_read},
    {"done", true, done_read},      {"launch", false, launch_read},
};

/* Free text may hold anything: only the protocol's name, the verb and the word behind are split. */
static enum hk_status words_split(struct line *line, const struct verb *verb)
{
    size_t bytes = line->bytes;
    const char *end;

    if (!verb->words) {
        end = line->rest < bytes ? memchr(line->text + line->rest, ' ', bytes - line->rest) : NULL;
        bytes = end != NULL ? (size_t)(end - line->text) : bytes;
    }
    if (verb->read == log_read || verb->read == fail_read) {
        return HK_OK;
    }
    return hk_fields_split(line->text, bytes, &line->fields);
}

static enum hk_status line_read(struct hk_guest_report *report, const char *text, size_t bytes)
{
    static const char protocol[] = HK_PROTOCOL " ";
    struct line line = {.text = text, .bytes = bytes};

    if (report->done || bytes < sizeof(protocol) ||
        memcmp(text, protocol, sizeof(protocol) - 1) != 0) {
        return HK_EPARSE;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(verbs); i++) {
        size_t end = sizeof(protocol) - 1 + strlen(verbs[i].name);

        if (bytes < end ||
            memcmp(text + sizeof(protocol) - 1, verbs[i].name, strlen(verbs[i].name)) != 0 ||
            (bytes > end && text[end] != ' ')) {
            continue;
        }
        line.rest = bytes > end ? end + 1 : end;
        if (words_split(&line, &verbs[i]) != HK_OK) {
            return HK_EPARSE;
        }
        return verbs[i].read(report, &line);
    }
    return HK_EPARSE;
}

/* The offending line, with what a terminal should not see replaced. */
static void line_quote(char error[256], size_t number, const char *cause, const char *line,
                       size_t bytes)
{
    char quote[QUOTE_BYTES + 1];
    size_t n = bytes < QUOTE_BYTES ? bytes : QUOTE_BYTES;

    for (size_t i = 0; i < n; i++) {
        quote[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
    }
    quote[n] = '\0';
    snprintf(error, 256, "guest, line %zu: %s: %s", number, cause, quote);
}

enum hk_status hk_guest_report_parse(const char *text, size_t bytes, struct hk_guest_report *report,
                                     char error[256])
{
    struct hk_guest_report found = {0};
    enum hk_status status = HK_OK;
    size_t position = 0;
    size_t number = 0;
    const char *line = NULL;
    size_t line_bytes = 0;

    while (status == HK_OK && hk_line_next(text, bytes, &position, &line, &line_bytes)) {
        number++;
        status = line_read(&found, line, line_bytes);
    }
    if (status != HK_OK) {
        line_quote(error, number, hk_status_text(status), line, line_bytes);
        hk_guest_report_fini(&found);
        return status;
    }
    *report = found;
    return HK_OK;
}

static void row_fini(struct hk_guest_row *row)
{
    for (size_t i = 0; i < row->value_count; i++) {
        free(row->values[i].key);
    }
    free(row->values);
    free(row->name);
    free(row->text);
}

void hk_guest_report_fini(struct hk_guest_report *report)
{
    for (size_t i = 0; i < report->row_count; i++) {
        row_fini(&report->rows[i]);
    }
    for (size_t i = 0; i < report->fail_count; i++) {
        free(report->fails[i]);
    }
    free(report->rows);
    free(report->fails);
    free(report->scenario);
    free(report->place);
    *report = (struct hk_guest_report){0};
}
