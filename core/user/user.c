/* SPDX-License-Identifier: MIT */
#include "user/user.h"

size_t hk_text_bytes(const char *text)
{
    size_t bytes = 0;

    while (text[bytes] != '\0')
        bytes++;
    return bytes;
}

bool hk_text_equal(const char *a, const char *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

void hk_line_text(struct hk_line *line, const char *text)
{
    for (; *text != '\0' && line->bytes < sizeof(line->text) - 1; text++)
        line->text[line->bytes++] = *text;
}

void hk_line_begin(struct hk_line *line, const char *kind)
{
    line->bytes = 0;
    hk_line_text(line, HK_PROTOCOL " ");
    hk_line_text(line, kind);
    hk_line_text(line, " ");
}

void hk_line_number(struct hk_line *line, uint64_t number)
{
    char text[21];
    size_t at = sizeof(text) - 1;

    text[at] = '\0';
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    hk_line_text(line, text + at);
}

void hk_line_field(struct hk_line *line, const char *key, uint64_t number)
{
    hk_line_text(line, " ");
    hk_line_text(line, key);
    hk_line_text(line, "=");
    hk_line_number(line, number);
}

void hk_line_end(struct hk_line *line)
{
    line->text[line->bytes++] = '\n'; /* hk_line_text() leaves room for it */
    (void)hk_syscall(HK_SYS_log, (uint64_t)line->text, line->bytes, 0);
}

void hk_say(const char *kind, const char *text)
{
    struct hk_line line;

    hk_line_begin(&line, kind);
    hk_line_text(&line, text);
    hk_line_end(&line);
}

bool hk_boot_value(const char *key, char *value, size_t capacity)
{
    char line[HK_COMMAND_LINE_BYTES];
    size_t key_bytes = hk_text_bytes(key);
    const char *at = line;

    if (hk_syscall(HK_SYS_boot_info, (uint64_t)line, sizeof(line), 0) < 0)
        return false;
    while (*at != '\0') {
        if (hk_text_equal(at, key, key_bytes) && at[key_bytes] == '=') {
            size_t i = 0;

            for (at += key_bytes + 1; *at != '\0' && *at != ' ' && i < capacity - 1; at++)
                value[i++] = *at;
            value[i] = '\0';
            return true;
        }
        while (*at != '\0' && *at != ' ')
            at++;
        while (*at == ' ')
            at++;
    }
    return false;
}
