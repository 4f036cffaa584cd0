/* SPDX-License-Identifier: MIT */
/* The functions of a stock kernel, as it lists them itself in /proc/kallsyms. */
#ifndef HK_GUEST_KALLSYMS_H
#define HK_GUEST_KALLSYMS_H

#include "elf_symbols.h"

/*
 * Read lines "address type name", the address in hexadecimal; what follows the name is left out.
 *
 * text     [in]   any bytes; trusted in nothing; a last line without its end is dropped
 * symbols  [out]  written only on success; release with hk_elf_symbols_fini
 *
 * Types t, T, w and W are code, the others are left out. Each function reaches to the next one, the
 * last one over a page; of several names for one address the last by the alphabet is found, which is
 * the one with fewest underscores in front. Addresses of 0, which a kernel shows to those who may
 * not see them, are left out. No image is attached: hk_elf_symbols_match finds nothing.
 *
 * Returns HK_OK, also for no functions; HK_EPARSE for a line of another form; HK_ENOMEM.
 */
enum hk_status hk_kallsyms_parse(const char *text, size_t bytes, struct hk_elf_symbols *symbols);

#endif
