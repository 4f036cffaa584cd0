/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "elf_symbols.h"

/* An image with a code section, a data section, symbols and their names. */
struct image {
    Elf64_Ehdr header;
    Elf64_Shdr sections[4]; /* code, data, symbols, strings */
    Elf64_Sym symbols[4];
    char names[32];
};

#define NAMES "\0first\0label\0cell"

static struct image image_make(void)
{
    struct image image = {
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
                   .e_shoff = offsetof(struct image, sections),
                   .e_shentsize = sizeof(Elf64_Shdr),
                   .e_shnum = 4},
        .sections = {{.sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR},
                     {.sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC},
                     {.sh_type = SHT_SYMTAB,
                      .sh_offset = offsetof(struct image, symbols),
                      .sh_size = 4 * sizeof(Elf64_Sym),
                      .sh_link = 3},
                     {.sh_type = SHT_STRTAB,
                      .sh_offset = offsetof(struct image, names),
                      .sh_size = sizeof(NAMES)}},
        .symbols = {{.st_name = 1, .st_info = STT_FUNC, .st_value = 0x2000, .st_size = 0x10},
                    {.st_name = 7, .st_info = STT_NOTYPE, .st_value = 0x1000},
                    {.st_name = 13, .st_info = STT_OBJECT, .st_shndx = 1, .st_value = 0x3000}},
    };

    memcpy(image.names, NAMES, sizeof(NAMES));
    return image;
}

static enum hk_status parse(const struct image *image, size_t bytes, struct hk_elf_symbols *symbols)
{
    return hk_elf_symbols_parse((const unsigned char *)image, bytes, symbols);
}

static void functions_and_labels_are_found(void **state)
{
    struct image image = image_make();
    struct hk_elf_symbols symbols;

    (void)state;
    assert_int_equal(parse(&image, sizeof(image), &symbols), HK_OK);
    assert_int_equal(symbols.count, 2);
    assert_string_equal(hk_elf_symbols_find(&symbols, 0x1000)->name, "label");
    assert_string_equal(hk_elf_symbols_find(&symbols, 0x1fff)->name, "label"); /* to the next */
    assert_string_equal(hk_elf_symbols_find(&symbols, 0x200f)->name, "first");
    assert_null(hk_elf_symbols_find(&symbols, 0x2010));
    assert_null(hk_elf_symbols_find(&symbols, 0xfff));
    hk_elf_symbols_fini(&symbols);
}

static void broken_images_are_refused(void **state)
{
    struct hk_elf_symbols symbols = {.count = 4711};
    struct image image;

    (void)state;
    for (size_t bytes = 0; bytes < offsetof(struct image, names) + sizeof(NAMES); bytes += 7) {
        image = image_make();
        assert_int_equal(parse(&image, bytes, &symbols), HK_EPARSE);
    }
    image = image_make();
    image.header.e_shoff = UINT64_MAX - 8;
    assert_int_equal(parse(&image, sizeof(image), &symbols), HK_EPARSE);
    image = image_make();
    image.sections[2].sh_offset = UINT64_MAX - 8;
    assert_int_equal(parse(&image, sizeof(image), &symbols), HK_EPARSE);
    image = image_make();
    image.sections[2].sh_link = 77;
    assert_int_equal(parse(&image, sizeof(image), &symbols), HK_EPARSE);
    image = image_make();
    image.symbols[0].st_name = 5000;
    assert_int_equal(parse(&image, sizeof(image), &symbols), HK_EPARSE);
    image = image_make();
    image.sections[3].sh_size = 10; /* a name without its end */
    assert_int_equal(parse(&image, sizeof(image), &symbols), HK_EPARSE);
    assert_int_equal(symbols.count, 4711);
}

static void stripped_image_is_empty(void **state)
{
    struct image image = image_make();
    struct hk_elf_symbols symbols;

    (void)state;
    image.sections[2].sh_type = SHT_NULL;
    assert_int_equal(parse(&image, sizeof(image), &symbols), HK_OK);
    assert_int_equal(symbols.count, 0);
    assert_null(hk_elf_symbols_find(&symbols, 0x1000));
    hk_elf_symbols_fini(&symbols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_and_labels_are_found),
        cmocka_unit_test(broken_images_are_refused),
        cmocka_unit_test(stripped_image_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
