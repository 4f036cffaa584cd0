/* SPDX-License-Identifier: MIT */
/* Function symbols of a 64-bit little-endian ELF image, for attribution of counts. */
#ifndef HK_GUEST_ELF_SYMBOLS_H
#define HK_GUEST_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

struct hk_elf_symbol {
    uint64_t address;
    uint64_t bytes;  /* a symbol without a size reaches to the next one */
    uint64_t offset; /* of its code in the image */
    char *name;
};

struct hk_elf_symbols {
    const unsigned char *image;
    size_t image_bytes;
    size_t count;
    struct hk_elf_symbol *symbols; /* by address */
};

/*
 * Read the function symbols of an image.
 *
 * image    [in]   the file's bytes, any; trusted in nothing; must stay where they are
 * bytes    [in]   how many
 * symbols  [out]  written only on success; release with hk_elf_symbols_fini
 *
 * Functions and executable labels (assembly code) count. An image without a symbol table gives an
 * empty result. Returns HK_OK; HK_EPARSE when it is no such ELF or points outside itself;
 * HK_ENOMEM.
 */
enum hk_status hk_elf_symbols_parse(const unsigned char *image, size_t bytes,
                                    struct hk_elf_symbols *symbols);
void hk_elf_symbols_fini(struct hk_elf_symbols *symbols);

/*
 * Whether the image holds this code at this address: programs of different address spaces share
 * addresses, and only their code tells them apart.
 */
bool hk_elf_symbols_match(const struct hk_elf_symbols *symbols, uint64_t address, const void *code,
                          size_t bytes);

/* The symbol that covers address, or NULL. Cost O(log n). */
const struct hk_elf_symbol *hk_elf_symbols_find(const struct hk_elf_symbols *symbols,
                                                uint64_t address);

#endif
