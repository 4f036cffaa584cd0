/* SPDX-License-Identifier: MIT */
/* Any command line, its words parted by zero bytes, against a table with every kind of option. */
#include <stdlib.h>
#include <string.h>

#include "command.h"

enum { WORDS_MAX = 16 };

struct fuzz_options {
    const char *text;
    uint64_t count;
    bool flag;
};

static const struct hk_option options[] = {
    {"text", 't', HK_OPTION_TEXT, "TEXT", "", offsetof(struct fuzz_options, text), 0, 0},
    {"count", 'c', HK_OPTION_UINT, "N", "", offsetof(struct fuzz_options, count), 3, 1000},
    {"flag", 'f', HK_OPTION_FLAG, NULL, "", offsetof(struct fuzz_options, flag), 0, 0},
};

static const struct hk_command command = {
    .name = "fuzz",
    .summary = "a command",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .options_bytes = sizeof(struct fuzz_options),
    .positional_max = 2,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    _Alignas(16) char values[HK_OPTIONS_BYTES_MAX];
    char name[] = "fuzz";
    char *argv[WORDS_MAX + 2] = {name};
    int argc = 1, rest = -1;
    char *line = malloc(bytes + 1);

    if (line == NULL)
        return 0;
    memcpy(line, data, bytes);
    line[bytes] = '\0';
    for (size_t at = 0; at < bytes && argc <= WORDS_MAX; at += strlen(line + at) + 1)
        argv[argc++] = line + at;
    const enum hk_status status = hk_options_parse(&command, argc, argv, values, &rest);
    const struct fuzz_options *o = (const void *)values;
    if (status == HK_OK && (rest < 1 || rest > argc || argc - rest > command.positional_max ||
                            (o->count != 0 && (o->count < 3 || o->count > 1000))))
        abort();
    if (status != HK_OK && rest != -1)
        abort();
    free(line);
    return 0;
}
