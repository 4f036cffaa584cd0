/* SPDX-License-Identifier: MIT */
/* Lines of key=value words, as the plugin and the kernel write them. Strict and bounded. */
#ifndef HK_GUEST_FIELDS_H
#define HK_GUEST_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

#define HK_FIELDS_CAPACITY 40u

struct hk_field {
    const char *key; /* not terminated */
    size_t key_bytes;
    const char *value; /* NULL for a word without '=' */
    size_t value_bytes;
};

struct hk_fields {
    size_t count;
    struct hk_field field[HK_FIELDS_CAPACITY];
};

/*
 * The next line of text[0..bytes), without its end; advances *position behind it.
 * False at the end; a last line without a newline counts as cut off and is not returned.
 */
bool hk_line_next(const char *text, size_t bytes, size_t *position, const char **line,
                  size_t *line_bytes);

/*
 * Split a line at single spaces. HK_EPARSE for an empty word or key, a byte that is not printable
 * ASCII, or more than HK_FIELDS_CAPACITY words.
 */
enum hk_status hk_fields_split(const char *line, size_t line_bytes, struct hk_fields *fields);

bool hk_field_is(const struct hk_field *field, const char *key);

/* Decimal digits only. HK_EPARSE; HK_ERANGE beyond 64 bits. */
enum hk_status hk_field_u64(const struct hk_field *field, uint64_t *value);

/* The value of a key as a number. HK_ENOENT when absent, HK_EPARSE when twice or no number. */
enum hk_status hk_fields_u64(const struct hk_fields *fields, const char *key, uint64_t *value);

/* The value of a key as text on the heap. HK_ENOENT, HK_EPARSE, HK_ENOMEM. */
enum hk_status hk_fields_text(const struct hk_fields *fields, const char *key, char **value);

#endif
