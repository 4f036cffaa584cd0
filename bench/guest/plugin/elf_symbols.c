/* SPDX-License-Identifier: MIT */
#include "elf_symbols.h"

#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct image {
    const unsigned char *bytes;
    size_t size;
    Elf64_Ehdr header;
};

static bool in_image(const struct image *image, uint64_t offset, uint64_t bytes)
{
    return offset <= image->size && bytes <= image->size - offset;
}

/* Copies, because nothing in a file is promised to be aligned. */
static bool section_read(const struct image *image, uint64_t index, Elf64_Shdr *section)
{
    uint64_t offset = image->header.e_shoff + index * sizeof(*section);

    if (index >= image->header.e_shnum || !in_image(image, offset, sizeof(*section))) {
        return false;
    }
    memcpy(section, image->bytes + offset, sizeof(*section));
    return true;
}

static bool header_read(struct image *image)
{
    const unsigned char *ident = image->header.e_ident;

    if (!in_image(image, 0, sizeof(image->header))) {
        return false;
    }
    memcpy(&image->header, image->bytes, sizeof(image->header));
    return memcmp(ident, ELFMAG, SELFMAG) == 0 && ident[EI_CLASS] == ELFCLASS64 &&
           ident[EI_DATA] == ELFDATA2LSB && image->header.e_shentsize == sizeof(Elf64_Shdr) &&
           image->header.e_shoff <= image->size;
}

static bool is_code(const struct image *image, const Elf64_Sym *sym, Elf64_Shdr *section)
{
    unsigned type = ELF64_ST_TYPE(sym->st_info);

    if (type != STT_FUNC && type != STT_NOTYPE) {
        return false;
    }
    return section_read(image, sym->st_shndx, section) && (section->sh_flags & SHF_EXECINSTR) != 0;
}

static int by_address(const void *a, const void *b)
{
    const struct hk_elf_symbol *x = a;
    const struct hk_elf_symbol *y = b;

    return x->address < y->address ? -1 : x->address > y->address;
}

/* Reads one symbol into *out; HK_ENOENT when it is no code. */
static enum hk_status symbol_read(const struct image *image, const Elf64_Shdr *table,
                                  const Elf64_Shdr *strings, uint64_t index,
                                  struct hk_elf_symbol *out)
{
    Elf64_Shdr section;
    const char *name;
    Elf64_Sym sym;

    memcpy(&sym, image->bytes + table->sh_offset + index * sizeof(sym), sizeof(sym));
    if (!is_code(image, &sym, &section)) {
        return HK_ENOENT;
    }
    if (sym.st_name >= strings->sh_size) {
        return HK_EPARSE;
    }
    name = (const char *)image->bytes + strings->sh_offset + sym.st_name;
    if (memchr(name, '\0', strings->sh_size - sym.st_name) == NULL) {
        return HK_EPARSE;
    }
    if (name[0] == '\0') {
        return HK_ENOENT;
    }
    out->name = strdup(name);
    out->address = sym.st_value;
    out->bytes = sym.st_size;
    out->offset = section.sh_offset + (sym.st_value - section.sh_addr); /* checked when used */
    return out->name != NULL ? HK_OK : HK_ENOMEM;
}

static void sizes_fill(struct hk_elf_symbols *s)
{
    for (size_t i = 0; i + 1 < s->count; i++) {
        if (s->symbols[i].bytes == 0) {
            s->symbols[i].bytes = s->symbols[i + 1].address - s->symbols[i].address;
        }
    }
}

static enum hk_status table_read(const struct image *image, const Elf64_Shdr *table,
                                 struct hk_elf_symbols *out)
{
    uint64_t count = table->sh_size / sizeof(Elf64_Sym);
    enum hk_status status;
    Elf64_Shdr strings;

    if (!in_image(image, table->sh_offset, table->sh_size) ||
        !section_read(image, table->sh_link, &strings) ||
        !in_image(image, strings.sh_offset, strings.sh_size)) {
        return HK_EPARSE;
    }
    out->symbols = calloc(count ? count : 1, sizeof(*out->symbols));
    if (out->symbols == NULL) {
        return HK_ENOMEM;
    }
    for (uint64_t i = 0; i < count; i++) {
        status = symbol_read(image, table, &strings, i, &out->symbols[out->count]);
        if (status == HK_OK) {
            out->count++;
        } else if (status != HK_ENOENT) {
            return status;
        }
    }
    if (out->count > 1) {
        qsort(out->symbols, out->count, sizeof(*out->symbols), by_address);
    }
    sizes_fill(out);
    return HK_OK;
}

enum hk_status hk_elf_symbols_parse(const unsigned char *image, size_t bytes,
                                    struct hk_elf_symbols *symbols)
{
    struct image file = {.bytes = image, .size = bytes};
    struct hk_elf_symbols found = {.image = image, .image_bytes = bytes};
    enum hk_status status = HK_OK;
    Elf64_Shdr section;

    if (!header_read(&file)) {
        return HK_EPARSE;
    }
    for (uint64_t i = 0; i < file.header.e_shnum; i++) {
        if (!section_read(&file, i, &section)) {
            return HK_EPARSE;
        }
        if (section.sh_type == SHT_SYMTAB) {
            status = table_read(&file, &section, &found);
            break; /* an object has at most one */
        }
    }
    if (status != HK_OK) {
        hk_elf_symbols_fini(&found);
        return status;
    }
    *symbols = found;
    return HK_OK;
}

void hk_elf_symbols_fini(struct hk_elf_symbols *symbols)
{
    for (size_t i = 0; i < symbols->count; i++) {
        free(symbols->symbols[i].name);
    }
    free(symbols->symbols);
    *symbols = (struct hk_elf_symbols){0};
}

bool hk_elf_symbols_match(const struct hk_elf_symbols *symbols, uint64_t address, const void *code,
                          size_t bytes)
{
    const struct hk_elf_symbol *symbol = hk_elf_symbols_find(symbols, address);
    uint64_t offset;

    if (symbol == NULL) {
        return false;
    }
    offset = symbol->offset + (address - symbol->address);
    return offset <= symbols->image_bytes && bytes <= symbols->image_bytes - offset &&
           memcmp(symbols->image + offset, code, bytes) == 0;
}

const struct hk_elf_symbol *hk_elf_symbols_find(const struct hk_elf_symbols *symbols,
                                                uint64_t address)
{
    size_t low = 0;
    size_t high = symbols->count;

    while (low < high) { /* the last symbol that starts at or before address */
        size_t middle = low + (high - low) / 2;

        if (symbols->symbols[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 ||
        address - symbols->symbols[low - 1].address >= symbols->symbols[low - 1].bytes) {
        return NULL;
    }
    return &symbols->symbols[low - 1];
}
