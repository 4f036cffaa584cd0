/* SPDX-License-Identifier: MIT */
/* Cell names: path elements, some of them key:value. */
#include "hk/result/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct element {
    const char *text;
    size_t length;
    size_t key_length; /* 0: no key:value */
};

/* Takes the element at *cursor and moves past it; false at the end. */
static bool element_next(const char **cursor, struct element *element)
{
    if (!*cursor)
        return false;
    const char *start = *cursor;
    size_t length = strcspn(start, "/");
    const char *colon = memchr(start, ':', length);
    *element = (struct element){ start, length, colon ? (size_t)(colon - start) : 0 };
    *cursor = start[length] == '/' ? start + length + 1 : NULL;
    return true;
}

static bool is_word(const char *text, size_t length)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_.+-";
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!text[i] || !strchr(allowed, text[i]))
            return false;
    return true;
}

static bool is_element(const struct element *element)
{
    size_t key = element->key_length;
    if (key == 0)
        return is_word(element->text, element->length);
    return is_word(element->text, key) &&
           is_word(element->text + key + 1, element->length - key - 1);
}

static bool find_value(const char *name, const char *key, const char **value, size_t *length)
{
    size_t key_length = strlen(key);
    const char *cursor = name;
    struct element element;
    while (element_next(&cursor, &element)) {
        if (element.key_length == 0 || element.key_length != key_length ||
            memcmp(element.text, key, key_length) != 0)
            continue;
        *value = element.text + key_length + 1;
        *length = element.length - key_length - 1;
        return true;
    }
    return false;
}

static enum hk_status copy_out(const char *text, size_t length, char *out, size_t capacity)
{
    if (length >= capacity)
        return HK_ETOOBIG;
    memcpy(out, text, length);
    out[length] = '\0';
    return HK_OK;
}

enum hk_status hk_name_check(const char *name)
{
    if (strlen(name) >= HK_NAME_BYTES)
        return HK_EPARSE;
    size_t count = 0;
    const char *cursor = name;
    struct element element;
    while (element_next(&cursor, &element)) {
        if (!is_element(&element))
            return HK_EPARSE;
        count++;
        if (element.key_length == 0)
            continue;
        /* find_value finds the first use of a key: another place means it was used before. */
        char key[HK_NAME_BYTES];
        const char *value = NULL;
        size_t length = 0;
        copy_out(element.text, element.key_length, key, sizeof(key));
        if (!find_value(name, key, &value, &length) ||
            value != element.text + element.key_length + 1)
            return HK_EPARSE;
    }
    return count >= 2 ? HK_OK : HK_EPARSE;
}

enum hk_status hk_name_text(const char *name, const char *key, char *value, size_t capacity)
{
    const char *text = NULL;
    size_t length = 0;
    if (!find_value(name, key, &text, &length))
        return HK_ENOENT;
    return copy_out(text, length, value, capacity);
}

enum hk_status hk_name_int(const char *name, const char *key, int64_t *value)
{
    char text[32];
    enum hk_status status = hk_name_text(name, key, text, sizeof(text));
    if (status != HK_OK)
        return status == HK_ETOOBIG ? HK_EPARSE : status;
    const char *digits = text[0] == '-' ? text + 1 : text;
    if (!digits[0] || digits[strspn(digits, "0123456789")] != '\0')
        return HK_EPARSE;
    errno = 0;
    long long parsed = strtoll(text, NULL, 10);
    if (errno != 0)
        return HK_EPARSE;
    *value = parsed;
    return HK_OK;
}

enum hk_status hk_name_part(const char *name, size_t i, char *part, size_t capacity)
{
    const char *cursor = name;
    struct element element;
    size_t seen = 0;
    while (element_next(&cursor, &element)) {
        if (element.key_length != 0)
            continue;
        if (seen++ == i)
            return copy_out(element.text, element.length, part, capacity);
    }
    return HK_ENOENT;
}
