/* SPDX-License-Identifier: MIT */
/* Any bytes in place of an ELF image, and of an archive of them. */
#include <stddef.h>
#include <stdint.h>

#include "archive.h"
#include "elf_symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_archive_member member;
    struct hk_elf_symbols symbols;
    size_t position = 0;

    while (hk_archive_next(data, bytes, &position, &member) == HK_OK) {
    }
    if (hk_elf_symbols_parse(data, bytes, &symbols) == HK_OK) {
        for (size_t i = 0; i < symbols.count; i++) {
            hk_elf_symbols_match(&symbols, symbols.symbols[i].address, data, bytes < 16 ? bytes : 16);
        }
        hk_elf_symbols_fini(&symbols);
    }
    return 0;
}
