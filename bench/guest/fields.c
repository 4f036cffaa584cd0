/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

bool hk_line_next(const char *text, size_t bytes, size_t *position, const char **line,
                  size_t *line_bytes)
{
    const char *start = text + *position;
    const char *end;

    if (*position >= bytes) {
        return false;
    }
    end = memchr(start, '\n', bytes - *position);
    if (end == NULL) {
        return false;
    }
    *line = start;
    *line_bytes = (size_t)(end - start);
    *position += *line_bytes + 1;
    return true;
}

static bool word_split(const char *word, size_t bytes, struct hk_field *field)
{
    const char *equals = memchr(word, '=', bytes);

    *field = (struct hk_field){.key = word, .key_bytes = bytes};
    if (equals != NULL) {
        field->key_bytes = (size_t)(equals - word);
        field->value = equals + 1;
        field->value_bytes = bytes - field->key_bytes - 1;
    }
    return field->key_bytes > 0;
}

enum hk_status hk_fields_split(const char *line, size_t line_bytes, struct hk_fields *fields)
{
    struct hk_fields found = {0};
    size_t start = 0;

    for (size_t i = 0; i <= line_bytes; i++) {
        if (i < line_bytes && line[i] != ' ') {
            if (line[i] < '!' || line[i] > '~') {
                return HK_EPARSE;
            }
            continue;
        }
        if (found.count == HK_FIELDS_CAPACITY ||
            !word_split(line + start, i - start, &found.field[found.count])) {
            return HK_EPARSE;
        }
        found.count++;
        start = i + 1;
    }
    *fields = found;
    return HK_OK;
}

bool hk_field_is(const struct hk_field *field, const char *key)
{
    return field->key_bytes == strlen(key) && memcmp(field->key, key, field->key_bytes) == 0;
}

enum hk_status hk_field_u64(const struct hk_field *field, uint64_t *value)
{
    uint64_t number = 0;

    if (field->value == NULL || field->value_bytes == 0) {
        return HK_EPARSE;
    }
    for (size_t i = 0; i < field->value_bytes; i++) {
        unsigned digit = (unsigned)(unsigned char)field->value[i] - '0';

        if (digit > 9) {
            return HK_EPARSE;
        }
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, digit, &number)) {
            return HK_ERANGE;
        }
    }
    *value = number;
    return HK_OK;
}

static enum hk_status find(const struct hk_fields *fields, const char *key,
                           const struct hk_field **field)
{
    const struct hk_field *found = NULL;

    for (size_t i = 0; i < fields->count; i++) {
        if (!hk_field_is(&fields->field[i], key)) {
            continue;
        }
        if (found != NULL) {
            return HK_EPARSE;
        }
        found = &fields->field[i];
    }
    if (found == NULL) {
        return HK_ENOENT;
    }
    *field = found;
    return HK_OK;
}

enum hk_status hk_fields_u64(const struct hk_fields *fields, const char *key, uint64_t *value)
{
    const struct hk_field *field;
    enum hk_status status = find(fields, key, &field);

    if (status != HK_OK) {
        return status;
    }
    return hk_field_u64(field, value) == HK_OK ? HK_OK : HK_EPARSE;
}

enum hk_status hk_fields_text(const struct hk_fields *fields, const char *key, char **value)
{
    const struct hk_field *field;
    enum hk_status status = find(fields, key, &field);
    char *copy;

    if (status != HK_OK) {
        return status;
    }
    if (field->value == NULL || field->value_bytes == 0) {
        return HK_EPARSE;
    }
    copy = strndup(field->value, field->value_bytes);
    if (copy == NULL) {
        return HK_ENOMEM;
    }
    *value = copy;
    return HK_OK;
}
