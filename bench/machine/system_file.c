/* SPDX-License-Identifier: MIT */
#include "system_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 4096

static FILE *open_file(const char *root, const char *path)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof(name), "%s%s", root, path) >= (int)sizeof(name))
        return NULL;
    return fopen(name, "re");
}

static void copy_trimmed(char *out, size_t capacity, const char *text)
{
    text += strspn(text, " \t");
    size_t length = strcspn(text, "\n");
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    if (length >= capacity)
        length = capacity - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

bool system_line(const char *root, const char *path, char *line, size_t capacity)
{
    char buffer[LINE_BYTES];
    FILE *file = open_file(root, path);
    if (!file)
        return false;
    bool read = fgets(buffer, sizeof(buffer), file) != NULL;
    fclose(file);
    if (!read)
        return false;
    copy_trimmed(line, capacity, buffer);
    return line[0] != '\0';
}

bool system_field(const char *root, const char *path, const char *key, char *value,
                  size_t capacity)
{
    char buffer[LINE_BYTES];
    FILE *file = open_file(root, path);
    if (!file)
        return false;
    bool found = false;
    size_t key_length = strlen(key);
    while (!found && fgets(buffer, sizeof(buffer), file)) {
        const char *rest = buffer + key_length;
        if (strncmp(buffer, key, key_length) != 0)
            continue;
        rest += strspn(rest, " \t");
        if (*rest != ':')
            continue;
        copy_trimmed(value, capacity, rest + 1);
        found = true;
    }
    fclose(file);
    return found;
}

bool system_number(const char *root, const char *path, long long *value)
{
    char line[64], *end = NULL;
    if (!system_line(root, path, line, sizeof(line)))
        return false;
    errno = 0;
    long long parsed = strtoll(line, &end, 10);
    if (errno != 0 || end == line)
        return false;
    *value = parsed;
    return true;
}
