/* SPDX-License-Identifier: MIT */
/* Any bytes as a kernel's list of functions: every answer lies in what was read. */
#include <stdlib.h>

#include "kallsyms.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes)
{
    struct hk_elf_symbols symbols;

    if (hk_kallsyms_parse((const char *)data, bytes, &symbols) != HK_OK) {
        return 0;
    }
    for (size_t i = 0; i < symbols.count; i++) {
        const struct hk_elf_symbol *s = hk_elf_symbols_find(&symbols, symbols.symbols[i].address);

        if (s == NULL || s->address != symbols.symbols[i].address || s->name[0] == '\0' ||
            hk_elf_symbols_match(&symbols, s->address, "x", 1)) {
            abort();
        }
    }
    hk_elf_symbols_fini(&symbols);
    return 0;
}
