/* SPDX-License-Identifier: MIT */
#include "kallsyms.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LAST_BYTES 4096

/* Takes "address type name" apart; false when the line is no such thing. */
static bool line_split(const char *line, size_t bytes, uint64_t *address, char *type,
                       const char **name, size_t *name_bytes)
{
    size_t at = 0;

    *address = 0;
    for (; at < bytes && at < 16 && isxdigit((unsigned char)line[at]); at++) {
        int digit = tolower((unsigned char)line[at]);

        *address = *address << 4 | (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    if (at == 0 || bytes - at < 4 || line[at] != ' ' || line[at + 2] != ' ') {
        return false;
    }
    *type = line[at + 1];
    *name = line + at + 3;
    *name_bytes = 0;
    while (*name + *name_bytes < line + bytes && isgraph((unsigned char)(*name)[*name_bytes])) {
        (*name_bytes)++;
    }
    return *name_bytes > 0;
}

static enum hk_status line_read(const char *line, size_t bytes, struct hk_elf_symbols *symbols)
{
    struct hk_elf_symbol *symbol = &symbols->symbols[symbols->count];
    const char *name;
    size_t name_bytes;
    uint64_t address;
    char type;

    if (!line_split(line, bytes, &address, &type, &name, &name_bytes)) {
        return HK_EPARSE;
    }
    if (address == 0 || type == '\0' || strchr("tTwW", type) == NULL) {
        return HK_OK;
    }
    symbol->address = address;
    symbol->name = strndup(name, name_bytes);
    if (symbol->name == NULL) {
        return HK_ENOMEM;
    }
    symbols->count++;
    return HK_OK;
}

static int by_address_and_name(const void *a, const void *b)
{
    const struct hk_elf_symbol *x = a;
    const struct hk_elf_symbol *y = b;

    return x->address != y->address ? (x->address < y->address ? -1 : 1) : strcmp(x->name, y->name);
}

static size_t lines_count(const char *text, size_t bytes)
{
    size_t count = 0;

    for (size_t i = 0; i < bytes; i++) {
        count += text[i] == '\n';
    }
    return count;
}

enum hk_status hk_kallsyms_parse(const char *text, size_t bytes, struct hk_elf_symbols *symbols)
{
    struct hk_elf_symbols found = {0};
    enum hk_status status = HK_OK;
    const char *end;

    found.symbols = calloc(lines_count(text, bytes) + 1, sizeof(*found.symbols));
    if (found.symbols == NULL) {
        return HK_ENOMEM;
    }
    for (const char *line = text; status == HK_OK && bytes > 0 &&
                                  (end = memchr(line, '\n', (size_t)(text + bytes - line))) != NULL;
         line = end + 1) {
        status = line_read(line, (size_t)(end - line), &found);
    }
    if (status != HK_OK) {
        hk_elf_symbols_fini(&found);
        return status;
    }
    qsort(found.symbols, found.count, sizeof(*found.symbols), by_address_and_name);
    for (size_t i = 0; i < found.count; i++) {
        found.symbols[i].bytes = i + 1 < found.count
                                     ? found.symbols[i + 1].address - found.symbols[i].address
                                     : LAST_BYTES;
    }
    *symbols = found;
    return HK_OK;
}
