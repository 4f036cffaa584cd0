/* SPDX-License-Identifier: MIT */
/*
 * clang_object FILE: the program in an object that clang made of clang_filter.c is accepted, and
 * says of packets what its source says.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extension/verify.h"
#include "hk/base/units.h"

static const struct {
    unsigned char version_and_length, protocol;
    unsigned short port;
    unsigned bytes;
    uint64_t keep;
} cases[] = {
    { 0x45, 17, 53, 28, 1 },  { 0x45, 17, 5353, 28, 1 }, { 0x45, 17, 54, 28, 0 },
    { 0x45, 6, 53, 28, 0 },   { 0x65, 17, 53, 28, 0 },   { 0x44, 17, 53, 28, 0 },
    { 0x46, 17, 53, 32, 1 },  { 0x46, 17, 53, 31, 0 },   { 0x4f, 17, 5353, 68, 1 },
    { 0x4f, 17, 5353, 67, 0 }, { 0x45, 17, 53, 27, 0 },  { 0x45, 17, 53, 0, 0 },
};

/* The first section with instructions. */
static const Elf64_Shdr *find_text(const unsigned char *file, size_t bytes)
{
    const Elf64_Ehdr *header = (const void *)file;
    const Elf64_Shdr *section;

    if (bytes < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_machine != EM_BPF)
        return NULL;
    section = (const void *)(file + header->e_shoff);
    for (unsigned i = 0; i < header->e_shnum; i++)
        if ((section[i].sh_flags & SHF_EXECINSTR) && section[i].sh_size > 0)
            return &section[i];
    return NULL;
}

static int check(const struct hk_extension *extension)
{
    int failed = 0;

    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++) {
        unsigned char packet[68] = { cases[i].version_and_length };
        unsigned char *udp = packet + (packet[0] & 15) * 4;
        uint64_t keep;

        packet[9] = cases[i].protocol;
        udp[2] = (unsigned char)(cases[i].port >> 8);
        udp[3] = (unsigned char)cases[i].port;
        keep = hk_extension_run(extension, packet, cases[i].bytes);
        if (keep != cases[i].keep)
            failed = printf("packet %zu: %llu\n", i, (unsigned long long)keep);
    }
    return failed != 0;
}

int main(int argc, char **argv)
{
    static unsigned char file[1 << 16] __attribute__((aligned(8)));
    static struct hk_verifier verifier;
    FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;
    const size_t bytes = in != NULL ? fread(file, 1, sizeof(file), in) : 0;
    const Elf64_Shdr *text = find_text(file, bytes);
    struct hk_extension extension = { 0 };
    enum hk_status status;

    if (in != NULL)
        fclose(in);
    if (text == NULL) {
        fprintf(stderr, "usage: clang_object FILE, an object for bpf\n");
        return 1;
    }
    extension.instructions = (void *)(file + text->sh_offset);
    extension.count = (uint32_t)(text->sh_size / sizeof(struct hk_instruction));
    status = hk_verify_begin(&verifier, &extension);
    if (status == HK_OK)
        status = hk_verify_step(&verifier, UINT32_MAX);
    printf("%u instructions, %u processed: instruction %u: %s\n", extension.count,
           verifier.processed, verifier.at, hk_reject_text(verifier.reject));
    return status == HK_OK ? check(&extension) : 1;
}
