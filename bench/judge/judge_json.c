/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/judge/acceptance.h"
#include "hk/judge/judge.h"

/*
 * One table per stored struct drives both directions, so a field cannot be
 * written and not read. A JSON key is the C field's name.
 */
enum field_kind {
    FIELD_TEXT,
    FIELD_REAL,
    FIELD_REAL_OR_0, /* older files do not have it */
    FIELD_COUNT,
    FIELD_FLAG_OR_FALSE, /* older files do not have it */
    FIELD_KIND,
    FIELD_OUTCOME,
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    size_t bytes; /* room of a text */
};

#define TEXT(type, name) {#name, FIELD_TEXT, offsetof(struct type, name), sizeof(((struct type *)0)->name)}
#define REAL(type, name) {#name, FIELD_REAL, offsetof(struct type, name), sizeof(double)}
#define COUNT(type, name) {#name, FIELD_COUNT, offsetof(struct type, name), sizeof(uint64_t)}

static const struct field parameter_fields[] = {
    TEXT(hk_parameter, name),  REAL(hk_parameter, value),     REAL(hk_parameter, lower),
    REAL(hk_parameter, upper), COUNT(hk_parameter, launches), TEXT(hk_parameter, source),
};

static const struct field comparison_fields[] = {
    TEXT(hk_comparison, formula),        TEXT(hk_comparison, regime),
    TEXT(hk_comparison, model),          TEXT(hk_comparison, cell),
    TEXT(hk_comparison, quantity),       REAL(hk_comparison, predicted),
    REAL(hk_comparison, lower),          REAL(hk_comparison, upper),
    REAL(hk_comparison, measured),       REAL(hk_comparison, measured_lower),
    REAL(hk_comparison, measured_upper),
};

static const struct field judgement_fields[] = {
    {"kind", FIELD_KIND, offsetof(struct hk_judgement, kind), sizeof(enum hk_verdict_kind)},
    TEXT(hk_judgement, formula),
    TEXT(hk_judgement, regime),
    TEXT(hk_judgement, scale),
    REAL(hk_judgement, margin),
    REAL(hk_judgement, error),
    REAL(hk_judgement, error_lower),
    REAL(hk_judgement, error_upper),
    COUNT(hk_judgement, sample_count),
    {"exact", FIELD_FLAG_OR_FALSE, offsetof(struct hk_judgement, exact), sizeof(bool)},
    TEXT(hk_judgement, cause),
    TEXT(hk_judgement, replacement),
    REAL(hk_judgement, replacement_error),
    REAL(hk_judgement, replacement_lower),
    REAL(hk_judgement, replacement_upper),
    TEXT(hk_judgement, line),
};

static const struct field acceptance_fields[] = {
    TEXT(hk_acceptance, row),   TEXT(hk_acceptance, target), TEXT(hk_acceptance, required),
    {"outcome", FIELD_OUTCOME, offsetof(struct hk_acceptance, outcome),
     sizeof(enum hk_acceptance_outcome)},
    TEXT(hk_acceptance, unit),  REAL(hk_acceptance, value),  REAL(hk_acceptance, lower),
    REAL(hk_acceptance, upper), COUNT(hk_acceptance, sample_count), TEXT(hk_acceptance, why),
    {"confidence_ratio", FIELD_REAL_OR_0, offsetof(struct hk_acceptance, confidence_ratio),
     sizeof(double)},
};

static const enum hk_verdict_kind verdict_kinds[] = {
    HK_VERDICT_INCONCLUSIVE,
    HK_VERDICT_HOLDS,
    HK_VERDICT_REFUTED_REPLACED,
    HK_VERDICT_REFUTED,
};

static const char *const outcome_names[] = {"INCONCLUSIVE", "PASS", "MISSED", "REPORTED"};

const char *hk_acceptance_outcome_name(enum hk_acceptance_outcome outcome)
{
    return outcome_names[outcome];
}

static json_t *field_to_json(const struct field *f, const char *object)
{
    const char *at = object + f->offset;

    switch (f->kind) {
    case FIELD_TEXT:
        return json_string(at);
    case FIELD_REAL:
    case FIELD_REAL_OR_0:
        return json_real(*(const double *)(const void *)at);
    case FIELD_COUNT:
        return json_integer((json_int_t) * (const uint64_t *)(const void *)at);
    case FIELD_FLAG_OR_FALSE:
        return json_boolean(*(const bool *)(const void *)at);
    case FIELD_KIND:
        return json_string(hk_verdict_kind_name(*(const enum hk_verdict_kind *)(const void *)at));
    case FIELD_OUTCOME:
        return json_string(hk_acceptance_outcome_name(
            *(const enum hk_acceptance_outcome *)(const void *)at));
    }
    return NULL;
}

static enum hk_status kind_from_name(const char *name, enum hk_verdict_kind *kind)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(verdict_kinds); i++) {
        if (strcmp(hk_verdict_kind_name(verdict_kinds[i]), name) == 0) {
            *kind = verdict_kinds[i];
            return HK_OK;
        }
    }
    return HK_EPARSE;
}

static enum hk_status outcome_from_name(const char *name, enum hk_acceptance_outcome *outcome)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(outcome_names); i++) {
        if (strcmp(outcome_names[i], name) == 0) {
            *outcome = (enum hk_acceptance_outcome)i;
            return HK_OK;
        }
    }
    return HK_EPARSE;
}

static enum hk_status field_from_json(const struct field *f, const json_t *object, char *out)
{
    const json_t *value = json_object_get(object, f->key);
    char *at = out + f->offset;

    switch (f->kind) {
    case FIELD_TEXT:
        if (!json_is_string(value) || json_string_length(value) >= f->bytes)
            return HK_EPARSE;
        memcpy(at, json_string_value(value), json_string_length(value) + 1);
        return HK_OK;
    case FIELD_REAL_OR_0:
        *(double *)(void *)at = json_number_value(value); /* 0 of what is none */
        return value == NULL || json_is_number(value) ? HK_OK : HK_EPARSE;
    case FIELD_REAL:
        if (!json_is_number(value))
            return HK_EPARSE;
        *(double *)(void *)at = json_number_value(value);
        return HK_OK;
    case FIELD_COUNT:
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return HK_EPARSE;
        *(uint64_t *)(void *)at = (uint64_t)json_integer_value(value);
        return HK_OK;
    case FIELD_FLAG_OR_FALSE:
        *(bool *)(void *)at = json_is_true(value);
        return value == NULL || json_is_boolean(value) ? HK_OK : HK_EPARSE;
    case FIELD_KIND:
        if (!json_is_string(value))
            return HK_EPARSE;
        return kind_from_name(json_string_value(value),
                              (enum hk_verdict_kind *)(void *)at);
    case FIELD_OUTCOME:
        if (!json_is_string(value))
            return HK_EPARSE;
        return outcome_from_name(json_string_value(value),
                                 (enum hk_acceptance_outcome *)(void *)at);
    }
    return HK_EPARSE;
}

/* An array of structs and how one is stored. */
struct table {
    const char *key;
    const struct field *fields;
    size_t field_count;
    size_t element_bytes;
};

static const struct table parameter_table = {"parameters", parameter_fields,
                                             HK_ARRAY_COUNT(parameter_fields),
                                             sizeof(struct hk_parameter)};
static const struct table comparison_table = {"comparisons", comparison_fields,
                                              HK_ARRAY_COUNT(comparison_fields),
                                              sizeof(struct hk_comparison)};
static const struct table judgement_table = {"verdicts", judgement_fields,
                                             HK_ARRAY_COUNT(judgement_fields),
                                             sizeof(struct hk_judgement)};

static const struct table acceptance_table = {"acceptance", acceptance_fields,
                                              HK_ARRAY_COUNT(acceptance_fields),
                                              sizeof(struct hk_acceptance)};

static json_t *table_to_json(const struct table *t, const void *elements, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        for (size_t k = 0; k < t->field_count; k++)
            json_object_set_new(object, t->fields[k].key,
                                field_to_json(&t->fields[k],
                                              (const char *)elements + i * t->element_bytes));
        json_array_append_new(array, object);
    }
    return array;
}

static enum hk_status table_from_json(const struct table *t, const json_t *root, void **elements,
                                      size_t *count)
{
    const json_t *array = json_object_get(root, t->key);
    const size_t n = json_array_size(array);
    enum hk_status status = HK_OK;

    if (!json_is_array(array))
        return HK_EPARSE;
    /* Room as hk_judge_add_* expects it: the next power of two. */
    size_t room = 1;
    while (room < n)
        room *= 2;
    char *read = calloc(room, t->element_bytes);
    if (read == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < n && status == HK_OK; i++)
        for (size_t k = 0; k < t->field_count && status == HK_OK; k++)
            status = field_from_json(&t->fields[k], json_array_get(array, i),
                                     read + i * t->element_bytes);
    if (status != HK_OK) {
        free(read);
        return status;
    }
    *elements = read;
    *count = n;
    return HK_OK;
}

static enum hk_status write_json(const char *run_path, const char *file, json_t *root)
{
    char path[4096];

    json_object_set_new(root, "schema", json_integer(HK_JUDGE_SCHEMA));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(root);
    if (text == NULL)
        return HK_ENOMEM;
    enum hk_status status = HK_ETOOBIG;
    if (snprintf(path, sizeof path, "%s/%s", run_path, file) < (int)sizeof path)
        status = hk_file_write(path, text, strlen(text));
    free(text);
    return status;
}

enum hk_status hk_judge_write_parameters(const struct hk_judge *judge, const char *run_path)
{
    json_t *root = json_object();

    json_object_set_new(root, parameter_table.key,
                        table_to_json(&parameter_table, judge->parameters,
                                      judge->parameter_count));
    return write_json(run_path, "parameters.json", root);
}

enum hk_status hk_judge_write_verdicts(const struct hk_judge *judge, const char *run_path)
{
    json_t *root = json_object();

    json_object_set_new(root, judgement_table.key,
                        table_to_json(&judgement_table, judge->judgements,
                                      judge->judgement_count));
    json_object_set_new(root, comparison_table.key,
                        table_to_json(&comparison_table, judge->comparisons,
                                      judge->comparison_count));
    if (judge->acceptance_count > 0)
        json_object_set_new(root, acceptance_table.key,
                            table_to_json(&acceptance_table, judge->acceptance,
                                          judge->acceptance_count));
    return write_json(run_path, "verdicts.json", root);
}

static enum hk_status load_json(const char *run_path, const char *file, json_t **root,
                                char error[HK_TEXT_BYTES])
{
    char path[4096];
    json_error_t where;

    if (snprintf(path, sizeof path, "%s/%s", run_path, file) >= (int)sizeof path)
        return HK_ETOOBIG;
    json_t *read = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (read == NULL && json_error_code(&where) == json_error_cannot_open_file) {
        snprintf(error, HK_TEXT_BYTES, "%.300s is missing; run `hkbench fit` first", path);
        return HK_ENOENT;
    }
    if (read == NULL) {
        snprintf(error, HK_TEXT_BYTES, "%.300s line %d: %.100s; run `hkbench fit` again", path,
                 where.line, where.text);
        return HK_EPARSE;
    }
    const json_t *schema = json_object_get(read, "schema");
    if (json_integer_value(schema) != HK_JUDGE_SCHEMA) {
        snprintf(error, HK_TEXT_BYTES, "%.300s has schema %lld, this hkbench reads %d; run "
                 "`hkbench fit` and `hkbench validate` again", path,
                 (long long)json_integer_value(schema), HK_JUDGE_SCHEMA);
        json_decref(read);
        return HK_ESCHEMA;
    }
    *root = read;
    return HK_OK;
}

static enum hk_status read_parameters(const char *run_path, struct hk_judge *judge,
                                      char error[HK_TEXT_BYTES])
{
    json_t *root = NULL;
    enum hk_status status = load_json(run_path, "parameters.json", &root, error);

    if (status != HK_OK)
        return status;
    status = table_from_json(&parameter_table, root, (void **)&judge->parameters,
                             &judge->parameter_count);
    json_decref(root);
    return status;
}

static enum hk_status read_verdicts(const char *run_path, struct hk_judge *judge,
                                    char error[HK_TEXT_BYTES])
{
    json_t *root = NULL;
    enum hk_status status = load_json(run_path, "verdicts.json", &root, error);

    if (status != HK_OK)
        return status == HK_ENOENT ? HK_OK : status;
    status = table_from_json(&judgement_table, root, (void **)&judge->judgements,
                             &judge->judgement_count);
    if (status == HK_OK)
        status = table_from_json(&comparison_table, root, (void **)&judge->comparisons,
                                 &judge->comparison_count);
    if (status == HK_OK && json_object_get(root, acceptance_table.key) != NULL)
        status = table_from_json(&acceptance_table, root, (void **)&judge->acceptance,
                                 &judge->acceptance_count);
    json_decref(root);
    return status;
}

enum hk_status hk_judge_read(const char *run_path, struct hk_judge *judge,
                             char error[HK_TEXT_BYTES])
{
    struct hk_judge read = {0};

    snprintf(error, HK_TEXT_BYTES, "%.300s: parameters.json or verdicts.json is malformed; run "
             "`hkbench fit` and `hkbench validate` again", run_path);
    enum hk_status status = read_parameters(run_path, &read, error);
    if (status == HK_OK)
        status = read_verdicts(run_path, &read, error);
    if (status != HK_OK) {
        hk_judge_fini(&read);
        return status;
    }
    error[0] = '\0';
    *judge = read;
    return HK_OK;
}
