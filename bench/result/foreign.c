/* SPDX-License-Identifier: MIT */
#include "hk/result/foreign.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "foreign_rows.h"
#include "hk/base/units.h"

#define FILE_BYTES_MAX (256u << 20)

/* What the format itself puts into a row; everything else is a counter. */
static const char *const own_keys[] = {
    "name", "run_name", "run_type", "family_index", "per_family_instance_index", "repetitions",
    "repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit", "label",
    "error_occurred", "error_message", "skipped", "skip_message", "aggregate_name",
    "aggregate_unit",
};

static bool is_own_key(const char *key)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(own_keys); i++)
        if (strcmp(key, own_keys[i]) == 0)
            return true;
    return false;
}

/* --- NaN and Infinity ------------------------------------------------------- */

/*
 * No JSON, but the library writes them. They become an empty text of the same length, which is
 * no number either: whoever wants a number then finds none.
 */
static void blank_not_finite(char *text, size_t bytes)
{
    static const char *const words[] = {"-Infinity", "Infinity", "-NaN", "NaN"};
    bool quoted = false;
    for (size_t i = 0; i < bytes; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        for (size_t w = 0; !quoted && i < bytes && w < HK_ARRAY_COUNT(words); w++) {
            const size_t length = strlen(words[w]);
            if (length > bytes - i || memcmp(text + i, words[w], length) != 0)
                continue;
            memset(text + i, ' ', length);
            text[i] = text[i + 1] = '"';
            i += length - 1;
            break;
        }
    }
}

/* --- rows ------------------------------------------------------------------- */

static int64_t integer_of(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
                   json_integer_value(value) < UINT32_MAX
               ? json_integer_value(value)
               : -1;
}

static double number_of(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const char *failure_of(json_t *row)
{
    const bool failed = json_is_true(json_object_get(row, "error_occurred"));
    if (!failed && !json_is_true(json_object_get(row, "skipped")))
        return NULL;
    const char *text =
        json_string_value(json_object_get(row, failed ? "error_message" : "skip_message"));
    return text && text[0] ? text : failed ? "it reported an error" : "it was skipped";
}

static enum hk_status add_counters(struct hk_foreign *foreign, struct hk_launch *launch,
                                   json_t *row)
{
    const char *key;
    json_t *value;
    json_object_foreach(row, key, value) {
        if (is_own_key(key))
            continue;
        const enum hk_status status =
            hk_foreign_add_counter(foreign, launch, key, number_of(row, key));
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* Rows computed from other rows; old ones without a run_type have no real_time (BigO, RMS). */
static bool is_aggregate(json_t *row)
{
    const char *type = json_string_value(json_object_get(row, "run_type"));
    if (type)
        return strcmp(type, "aggregate") == 0;
    return json_object_get(row, "big_o") || json_object_get(row, "rms");
}

static enum hk_status take_row(json_t *json, struct hk_foreign_rows *rows,
                               char error[HK_TEXT_BYTES])
{
    const char *name = json_string_value(json_object_get(json, "run_name"));
    name = name ? name : json_string_value(json_object_get(json, "name"));
    if (!name)
        return hk_foreign_fail(error, HK_EPARSE, "a benchmark without a name");
    if (is_aggregate(json)) {
        rows->foreign->aggregate_count++;
        return HK_OK;
    }
    const struct hk_foreign_row row = {
        .name = name,
        .repetition = integer_of(json, "repetition_index"),
        .family = integer_of(json, "family_index"),
        .unit = json_string_value(json_object_get(json, "time_unit")),
        .label = json_string_value(json_object_get(json, "label")),
        .failure = failure_of(json),
        .real_time = number_of(json, "real_time"),
        .cpu_time = number_of(json, "cpu_time"),
    };
    struct hk_launch *launch = NULL;
    const enum hk_status status = hk_foreign_add(rows, &row, &launch, error);
    return status == HK_OK ? add_counters(rows->foreign, launch, json) : status;
}

/* --- context ---------------------------------------------------------------- */

static bool set_text(char **to, const char *text)
{
    free(*to);
    *to = strdup(text ? text : "");
    return *to != NULL;
}

/* The context becomes the machine record, under the record's names. */
static enum hk_status take_context(json_t *context, struct hk_foreign *foreign)
{
    static const struct {
        const char *from;
        const char *to;
    } facts[] = {{"host_name", "host_name"}, {"num_cpus", "cpu_count"}, {"hk_kernel", "kernel"}};
    struct hk_run *run = &foreign->run;
    const char *machine = json_string_value(json_object_get(context, "hk_machine"));
    const char *host = json_string_value(json_object_get(context, "host_name"));
    const char *state = json_string_value(json_object_get(context, "hk_state"));
    const char *arguments = json_string_value(json_object_get(context, "hk_arguments"));
    char id[HK_NAME_BYTES];

    snprintf(id, sizeof(id), machine ? "%s" : "foreign:%s",
             machine ? machine : host ? host : "unknown");
    json_t *record = json_pack("{s:s}", "id", id);
    for (size_t i = 0; record && i < HK_ARRAY_COUNT(facts); i++) {
        json_t *fact = json_object_get(context, facts[i].from);
        if (fact)
            json_object_set(record, facts[i].to, fact);
    }
    free(run->machine_json);
    run->machine_json = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    foreign->rows_are_launches = machine && json_object_get(context, "hk_schema");
    run->partial = state && strcmp(state, "partial") == 0;
    if (!arguments)
        arguments = json_string_value(json_object_get(context, "executable"));
    return run->machine_json && set_text(&run->machine_id, id) &&
                   set_text(&run->arguments, arguments) &&
                   set_text(&run->started, json_string_value(json_object_get(context, "date")))
               ? HK_OK
               : HK_ENOMEM;
}

static enum hk_status take_json(json_t *root, struct hk_foreign_rows *rows,
                                char error[HK_TEXT_BYTES])
{
    json_t *benchmarks = json_object_get(root, "benchmarks");
    json_t *json;
    size_t i;
    if (!json_is_array(benchmarks))
        return hk_foreign_fail(error, HK_EPARSE,
                               "no list 'benchmarks', so not Google Benchmark's format");
    enum hk_status status = take_context(json_object_get(root, "context"), rows->foreign);
    json_array_foreach(benchmarks, i, json) {
        if (status == HK_OK)
            status = take_row(json, rows, error);
    }
    return status;
}

static enum hk_status decode_json(char *text, size_t bytes, struct hk_foreign_rows *rows,
                                  char error[HK_TEXT_BYTES])
{
    json_error_t cause;
    blank_not_finite(text, bytes);
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &cause);
    if (!root)
        return hk_foreign_fail(error, HK_EPARSE, "line %d: %.150s; cut short, or no JSON",
                               cause.line, cause.text);
    const enum hk_status status = take_json(root, rows, error);
    json_decref(root);
    return status;
}

/* --- both formats ------------------------------------------------------------ */

static enum hk_status decode(char *text, size_t bytes, struct hk_foreign *foreign,
                             char error[HK_TEXT_BYTES])
{
    struct hk_foreign_rows rows = {.foreign = foreign};
    size_t start = 0;
    while (start < bytes && isspace((unsigned char)text[start]))
        start++;
    enum hk_status status = take_context(NULL, foreign); /* nothing known yet */
    if (status == HK_OK && set_text(&foreign->run.path, "") && set_text(&foreign->run.note, ""))
        status = start < bytes && text[start] == '{' ? decode_json(text, bytes, &rows, error)
                                                     : hk_foreign_decode_csv(text, bytes, &rows,
                                                                             error);
    if (status == HK_OK)
        status = hk_foreign_sort(&rows, error);
    free(rows.families);
    return status;
}

enum hk_status hk_foreign_decode(const char *text, size_t bytes, struct hk_foreign *foreign,
                                 char error[HK_TEXT_BYTES])
{
    struct hk_foreign made = {0};
    char *copy = malloc(bytes + 1);
    hk_foreign_fail(error, HK_OK, "out of memory"); /* unless something else is said */
    if (!copy)
        return HK_ENOMEM;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    const enum hk_status status = decode(copy, bytes, &made, error);
    free(copy);
    if (status == HK_OK)
        *foreign = made;
    else
        hk_foreign_fini(&made);
    return status;
}

enum hk_status hk_foreign_read(const char *path, struct hk_foreign *foreign,
                               char error[HK_TEXT_BYTES])
{
    char cause[HK_TEXT_BYTES];
    char *text = NULL;
    size_t bytes = 0;
    enum hk_status status = hk_file_read(path, FILE_BYTES_MAX, &text, &bytes);
    if (status != HK_OK)
        return hk_foreign_fail(error, status, "%.300s: %s", path, hk_status_text(status));
    status = hk_foreign_decode(text, bytes, foreign, cause);
    free(text);
    if (status != HK_OK)
        return hk_foreign_fail(error, status, "%.200s: %.300s", path, cause);
    if (set_text(&foreign->run.path, path))
        return HK_OK;
    hk_foreign_fini(foreign);
    return hk_foreign_fail(error, HK_ENOMEM, "out of memory");
}

void hk_foreign_fini(struct hk_foreign *foreign)
{
    hk_run_fini(&foreign->run);
}
