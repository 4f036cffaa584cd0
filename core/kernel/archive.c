/* SPDX-License-Identifier: MIT */
#include "kernel/archive.h"

#include "kernel/kernel.h"

/* One member's header in the common `ar` format: text fields, padded with blanks. */
struct ar_header {
    char name[16]; /* ended by '/' */
    char date[12], user[6], group[6], mode[8];
    char bytes[10];
    char end[2];
};

static const char magic[8] = { '!', '<', 'a', 'r', 'c', 'h', '>', '\n' };

/* A decimal number padded with blanks; false for anything else. */
static bool number(const char *text, size_t length, uint64_t *value)
{
    uint64_t result = 0;
    size_t i = 0;

    for (; i < length && text[i] >= '0' && text[i] <= '9'; i++)
        result = result * 10 + (uint64_t)(text[i] - '0');
    if (i == 0)
        return false;
    for (; i < length; i++)
        if (text[i] != ' ')
            return false;
    *value = result;
    return true;
}

enum hk_status hk_archive_open(struct hk_kernel *kernel, const unsigned char *data, uint64_t bytes)
{
    uint64_t at = sizeof(magic);

    if (bytes < sizeof(magic))
        return HK_EPARSE;
    for (size_t i = 0; i < sizeof(magic); i++)
        if (data[i] != (unsigned char)magic[i])
            return HK_EPARSE;
    while (at < bytes) {
        const struct ar_header *header = (const void *)(data + at);
        struct hk_module *module = &kernel->modules[kernel->module_count];
        uint64_t size, name_bytes = 0;

        if (bytes - at < sizeof(*header) || header->end[0] != '`' || header->end[1] != '\n' ||
            !number(header->bytes, sizeof(header->bytes), &size))
            return HK_EPARSE;
        at += sizeof(*header);
        if (size > bytes - at)
            return HK_EPARSE;
        while (name_bytes < sizeof(header->name) && header->name[name_bytes] != '/')
            name_bytes++;
        if (name_bytes == 0 || name_bytes == sizeof(header->name))
            return HK_EPARSE;
        if (kernel->module_count == HK_MODULE_COUNT)
            return HK_ENOSPC;
        *module = (struct hk_module){ header->name, name_bytes, data + at, size };
        kernel->module_count++;
        at += size + size % 2; /* members start at even offsets */
    }
    return HK_OK;
}
