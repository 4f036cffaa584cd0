/* SPDX-License-Identifier: MIT */
/* Any bytes in place of an ELF image. */
#include <stddef.h>
#include <stdint.h>

#include "elf_symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_elf_symbols symbols;

    if (hk_elf_symbols_parse(data, bytes, &symbols) == HK_OK) {
        hk_elf_symbols_find(&symbols, bytes);
        hk_elf_symbols_fini(&symbols);
    }
    return 0;
}
