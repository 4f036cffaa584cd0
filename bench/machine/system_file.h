/* SPDX-License-Identifier: MIT */
/* Small files of /proc and /sys. */
#ifndef HK_MACHINE_SYSTEM_FILE_H
#define HK_MACHINE_SYSTEM_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* First line of root/path without its end; false when it cannot be read or is empty. */
bool system_line(const char *root, const char *path, char *line, size_t capacity);

/* Value after "key<blanks>:" in a file like /proc/cpuinfo; the first one. */
bool system_field(const char *root, const char *path, const char *key, char *value,
                  size_t capacity);

/* A whole number from a file; false when there is none. */
bool system_number(const char *root, const char *path, long long *value);

#endif
