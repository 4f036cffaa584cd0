/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "archive.h"
#include "elf_symbols.h"
#include "hk/base/units.h"
#include "hk/base/memo.h"
#include "kallsyms.h"
#include "memo.h"

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

static void code_is_matched_byte_for_byte(void **state)
{
    struct image image = image_make();
    struct hk_elf_symbols symbols;

    (void)state;
    image.sections[0].sh_addr = 0x1000; /* code of 0x2000 lies 0x1000 behind the section's start */
    image.sections[0].sh_offset = offsetof(struct image, names) - 0x1000;
    assert_int_equal(parse(&image, sizeof(image), &symbols), HK_OK);
    assert_true(hk_elf_symbols_match(&symbols, 0x2001, "first", 5));
    assert_false(hk_elf_symbols_match(&symbols, 0x2002, "first", 5));
    assert_false(hk_elf_symbols_match(&symbols, 0x2010, "first", 5));             /* no symbol */
    assert_false(hk_elf_symbols_match(&symbols, 0x2001, "first", sizeof(image))); /* past the end */
    hk_elf_symbols_fini(&symbols);
}

#define MEMBER(name, size) name "0           0     0     644     " size "        `\n"

static void archive_members_are_walked(void **state)
{
    static const char text[] =
        "!<arch>\n" MEMBER("init/           ", "3 ") "abc\n" MEMBER("peer/           ", "2 ") "de";
    const unsigned char *bytes = (const unsigned char *)text;
    struct hk_archive_member member;
    size_t position = 0;

    (void)state;
    assert_int_equal(hk_archive_next(bytes, sizeof(text) - 1, &position, &member), HK_OK);
    assert_string_equal(member.name, "init");
    assert_int_equal(member.bytes, 3);
    assert_memory_equal(member.data, "abc", 3);
    assert_int_equal(hk_archive_next(bytes, sizeof(text) - 1, &position, &member), HK_OK);
    assert_string_equal(member.name, "peer");
    assert_int_equal(hk_archive_next(bytes, sizeof(text) - 1, &position, &member), HK_ENOENT);
    assert_string_equal(member.name, "peer");
}

static void broken_archives_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "!<arch>",
        "!<arch>\nshort",
        "!<arch>\n" MEMBER("a/              ", "9 ") "abc",
        "!<arch>\n" MEMBER("a/              ", "x ") "abc",
        "!<arch>\n" MEMBER("a/              ", "  ") "abc",
    };
    struct hk_archive_member member;

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(texts); i++) {
        size_t position = 0;

        assert_int_equal(
            hk_archive_next((const unsigned char *)texts[i], strlen(texts[i]), &position, &member),
            HK_EPARSE);
    }
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

static enum hk_status list_parse(const char *text, struct hk_elf_symbols *symbols)
{
    return hk_kallsyms_parse(text, strlen(text), symbols);
}

static void a_kernel_lists_its_functions(void **state)
{
    struct hk_elf_symbols symbols;

    (void)state;
    assert_int_equal(list_parse("0000000000000000 t hidden\n"
                                "ffffffff81000200 t vsnprintf\t[module]\n"
                                "ffffffff81000000 T start\n"
                                "ffffffff81000000 T __pfx_start\n"
                                "ffffffff82000000 D data\n"
                                "FFFFFFFF81000100 w weak.part.0\n"
                                "ffffffff81000300 T cut short",
                                &symbols),
                     HK_OK);
    assert_int_equal(symbols.count, 4);
    assert_string_equal(hk_elf_symbols_find(&symbols, 0xffffffff81000000)->name, "start");
    assert_string_equal(hk_elf_symbols_find(&symbols, 0xffffffff810000ff)->name, "start");
    assert_string_equal(hk_elf_symbols_find(&symbols, 0xffffffff81000100)->name, "weak.part.0");
    assert_string_equal(hk_elf_symbols_find(&symbols, 0xffffffff81000200)->name, "vsnprintf");
    assert_null(hk_elf_symbols_find(&symbols, 0xffffffff80ffffff));
    assert_null(hk_elf_symbols_find(&symbols, 0xffffffff81000200 + 4096));
    assert_false(hk_elf_symbols_match(&symbols, 0xffffffff81000000, "x", 1));
    hk_elf_symbols_fini(&symbols);
    assert_int_equal(list_parse("", &symbols), HK_OK); /* a kernel without a list */
    assert_int_equal(symbols.count, 0);
    hk_elf_symbols_fini(&symbols);
}

static void other_lists_are_refused(void **state)
{
    static const char *const texts[] = {"\n", "x T name\n", "12 T\n", "12 T \n", "12 Tname x\n",
                                        "12345678123456781 T name\n", "12  T name\n"};
    struct hk_elf_symbols symbols = {.count = 4711};

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(texts); i++) {
        assert_int_equal(list_parse(texts[i], &symbols), HK_EPARSE);
    }
    assert_int_equal(symbols.count, 4711);
}

/* Pages in any order among others, in a mapping of their own. */
static void a_memo_is_found_page_by_page(void **state)
{
    static const struct {
        size_t at;
        uint32_t index;
        const char *text;
    } parts[] = {{5, 0, "ffff"}, {1, 2, " name\n"}, {3, 1, "ffff81 T"}};
    struct hk_memo_page *pages = mmap(NULL, 7 * sizeof(*pages), PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *text = NULL;
    size_t bytes = 4711;

    (void)state;
    assert_true(pages != MAP_FAILED);
    assert_int_equal(hk_memo_read(&pages[4], &text, &bytes), HK_ENOENT);
    for (size_t i = 0; i < HK_ARRAY_COUNT(parts); i++) {
        assert_int_equal(hk_memo_read(&pages[4], &text, &bytes), HK_ENOENT); /* not yet whole */
        pages[parts[i].at].head = (struct hk_memo_head){
            .magic = {HK_MEMO_MAGIC_1, HK_MEMO_MAGIC_2}, .index = parts[i].index, .count = 3,
            .bytes = (uint32_t)strlen(parts[i].text)};
        strcpy(pages[parts[i].at].text, parts[i].text);
    }
    assert_true(text == NULL && bytes == 4711);
    assert_int_equal(hk_memo_read(&pages[4], &text, &bytes), HK_OK);
    assert_int_equal(bytes, 18);
    assert_memory_equal(text, "ffffffff81 T name\n", 18);
    free(text);
    pages[5].head.bytes = HK_MEMO_PAGE_BYTES; /* longer than a page's text: none of it */
    assert_int_equal(hk_memo_read(&pages[4], &text, &bytes), HK_ENOENT);
    assert_int_equal(hk_memo_read((const void *)8, &text, &bytes), HK_ENOENT);
    munmap(pages, 7 * sizeof(*pages));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_and_labels_are_found),
        cmocka_unit_test(code_is_matched_byte_for_byte),
        cmocka_unit_test(archive_members_are_walked),
        cmocka_unit_test(broken_archives_are_refused),
        cmocka_unit_test(broken_images_are_refused),
        cmocka_unit_test(stripped_image_is_empty),
        cmocka_unit_test(a_kernel_lists_its_functions),
        cmocka_unit_test(other_lists_are_refused),
        cmocka_unit_test(a_memo_is_found_page_by_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
