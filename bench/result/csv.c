/* SPDX-License-Identifier: MIT */
#include "hk/result/csv.h"

#include <stdbool.h>

size_t hk_csv_split(char **cursor, char **fields, size_t capacity)
{
    char *in = *cursor;
    size_t count = 0;
    for (;;) {
        if (count == capacity)
            return 0;
        char *out = in;
        bool quoted = *in == '"';
        fields[count++] = out;
        in += quoted;
        while (*in && (quoted || (*in != ',' && *in != '\n'))) {
            if (*in == '"' && quoted && in[1] != '"')
                quoted = false;
            else if (*in == '"' && quoted)
                *out++ = *in++;
            else
                *out++ = *in;
            in++;
        }
        if (quoted)
            return 0;
        const char end = *in;
        if (out > fields[count - 1] && end != ',' && out[-1] == '\r')
            out--;
        *out = '\0';
        in += end != '\0';
        if (end != ',')
            break;
    }
    *cursor = in;
    return count;
}
