/* SPDX-License-Identifier: MIT */
/* Programs: static 64-bit ELF executables, from memory. */
#include "kernel/kernel.h"
#include "port/port.h"

/* The fields of the ELF headers that matter; layout by the System V ABI, AMD64 supplement. */
struct elf_header {
    unsigned char ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments_offset, sections_offset;
    uint32_t flags;
    uint16_t header_bytes, segment_bytes, segment_count;
    uint16_t section_bytes, section_count, section_names;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, align;
};

#define ELF_EXECUTABLE 2
#define ELF_X86_64 62
#define ELF_SEGMENT_LOAD 1
#define ELF_SEGMENTS_MAX 16
#define ELF_FLAG_EXECUTE 1u
#define ELF_FLAG_WRITE 2u

static const unsigned char elf_ident[7] = { 0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little */,
                                            1 };

static bool header_is_good(const struct elf_header *header, uint64_t bytes)
{
    for (size_t i = 0; i < sizeof(elf_ident); i++)
        if (header->ident[i] != elf_ident[i])
            return false;
    return header->type == ELF_EXECUTABLE && header->machine == ELF_X86_64 &&
           header->segment_bytes == sizeof(struct elf_segment) &&
           header->segment_count <= ELF_SEGMENTS_MAX && header->segments_offset <= bytes &&
           header->segment_count * sizeof(struct elf_segment) <= bytes - header->segments_offset &&
           header->entry >= HK_USER_BASE && header->entry < HK_USER_END;
}

static bool segment_is_good(const struct elf_segment *segment, uint64_t bytes)
{
    bool both = (segment->flags & ELF_FLAG_WRITE) && (segment->flags & ELF_FLAG_EXECUTE);

    return !both && segment->offset <= bytes && segment->file_bytes <= bytes - segment->offset &&
           segment->file_bytes <= segment->memory_bytes &&
           segment->address % HK_PAGE_BYTES == 0 && segment->address >= HK_USER_BASE &&
           segment->address < HK_USER_IPC_BASE &&
           segment->memory_bytes <= HK_USER_IPC_BASE - segment->address;
}

static uint64_t protection_of(const struct elf_segment *segment)
{
    uint64_t protection = HK_MAP_READ;

    if (segment->flags & ELF_FLAG_WRITE)
        protection |= HK_MAP_WRITE;
    if (segment->flags & ELF_FLAG_EXECUTE)
        protection |= HK_MAP_EXECUTE;
    return protection;
}

static enum hk_status load_segment(struct hk_cpu *cpu, struct hk_process *process,
                                   const struct elf_segment *segment, const unsigned char *file)
{
    for (uint64_t done = 0; done < segment->memory_bytes; done += HK_PAGE_BYTES) {
        uint64_t address = segment->address + done;
        void *window;
        enum hk_status status = hk_space_map_fresh(cpu->kernel, &process->space, process->pid,
                                                   address, protection_of(segment));

        if (status == HK_EEXIST)
            return HK_EPARSE; /* two segments on one page */
        if (status == HK_OK)
            status = hk_space_find(cpu->kernel, &process->space, address, 0, &window);
        if (status != HK_OK)
            return status;
        if (done < segment->file_bytes) {
            uint64_t left = segment->file_bytes - done;

            hk_port_copy(window, file + segment->offset + done,
                         left < HK_PAGE_BYTES ? left : HK_PAGE_BYTES);
        }
    }
    return HK_OK;
}

enum hk_status hk_program_load(struct hk_cpu *cpu, struct hk_process *process,
                               const unsigned char *data, uint64_t bytes)
{
    struct elf_header header;

    if (bytes < sizeof(header))
        return HK_EPARSE;
    hk_port_copy(&header, data, sizeof(header));
    if (!header_is_good(&header, bytes))
        return HK_EPARSE;
    for (uint32_t i = 0; i < header.segment_count; i++) {
        struct elf_segment segment;
        enum hk_status status;

        hk_port_copy(&segment, data + header.segments_offset + i * sizeof(segment),
                     sizeof(segment));
        if (segment.type != ELF_SEGMENT_LOAD || segment.memory_bytes == 0)
            continue;
        if (!segment_is_good(&segment, bytes))
            return HK_EPARSE;
        status = load_segment(cpu, process, &segment, data);
        if (status != HK_OK)
            return status;
    }
    process->entry = header.entry;
    return HK_OK;
}
