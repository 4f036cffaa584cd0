/* SPDX-License-Identifier: MIT */
/* A file server: named files in memory, read and written at any offset. */
#include "services/rows.h"

#define NAME_WORDS 3
#define FILE_PAGES 4
#define FILE_BYTES_MAX (FILE_PAGES * (uint64_t)HK_PAGE_BYTES)

struct file {
    uint64_t name[NAME_WORDS]; /* all zero: free */
    uint64_t bytes;
    char *pages[FILE_PAGES]; /* NULL: not written yet, reads as zero */
};

#define FILES (HK_PAGE_BYTES / sizeof(struct file))

static bool same_name(const uint64_t *a, const uint64_t *b)
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

static const uint64_t no_name[NAME_WORDS];

static enum hk_status open_file(struct file *files, struct hk_service_message *message)
{
    const uint64_t *name = &message->word[1];

    if (same_name(name, no_name))
        return HK_EINVAL;
    for (uint64_t i = 0; i < FILES; i++) {
        if (!same_name(files[i].name, name) && !same_name(files[i].name, no_name))
            continue;
        /* files are never removed, so the first free entry comes after all used ones */
        for (uint64_t w = 0; w < NAME_WORDS; w++)
            files[i].name[w] = name[w];
        message->word[1] = i;
        return HK_OK;
    }
    return HK_ENOSPC;
}

/* The rest of a page from an offset on, but not more than wanted. */
static uint64_t piece(uint64_t offset, uint64_t wanted)
{
    uint64_t left = HK_PAGE_BYTES - offset % HK_PAGE_BYTES;

    return left < wanted ? left : wanted;
}

static enum hk_status write_file(struct hk_service_host *host, struct file *file,
                          struct hk_service_message *message)
{
    uint64_t offset = message->word[2], bytes = message->word[3];
    const char *data = (const char *)message->buffer;

    if (bytes > HK_PAGE_BYTES || offset > FILE_BYTES_MAX || bytes > FILE_BYTES_MAX - offset)
        return HK_ETOOBIG;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = offset + done;
        uint64_t part = piece(at, bytes - done);
        char **page = &file->pages[at / HK_PAGE_BYTES];

        if (*page == NULL)
            *page = host->page(host);
        if (*page == NULL)
            return HK_ENOMEM;
        __builtin_memcpy(*page + at % HK_PAGE_BYTES, data + done, part);
        done += part;
    }
    if (offset + bytes > file->bytes)
        file->bytes = offset + bytes;
    message->word[1] = bytes;
    return HK_OK;
}

static enum hk_status read_file(const struct file *file, struct hk_service_message *message)
{
    uint64_t offset = message->word[2], bytes = message->word[3];
    char *data = (char *)message->buffer;

    if (bytes > HK_PAGE_BYTES)
        return HK_ETOOBIG;
    if (offset >= file->bytes)
        bytes = 0;
    else if (bytes > file->bytes - offset)
        bytes = file->bytes - offset;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = offset + done;
        uint64_t part = piece(at, bytes - done);
        const char *page = file->pages[at / HK_PAGE_BYTES];

        if (page != NULL)
            __builtin_memcpy(data + done, page + at % HK_PAGE_BYTES, part);
        else
            __builtin_memset(data + done, 0, part);
        done += part;
    }
    message->word[1] = bytes;
    message->words = HK_MESSAGE_REGISTER_WORDS + (bytes + 7) / 8;
    return HK_OK;
}

enum hk_status hk_fs_handle(struct hk_service_host *host, void *state,
                            struct hk_service_message *message)
{
    struct file *files = state;
    uint64_t number = message->word[1];

    if (message->word[0] == HK_FS_OPEN)
        return open_file(files, message);
    if (number >= FILES || same_name(files[number].name, no_name))
        return HK_ENOENT;
    switch (message->word[0]) {
    case HK_FS_WRITE:
        return write_file(host, &files[number], message);
    case HK_FS_READ:
        return read_file(&files[number], message);
    case HK_FS_SIZE:
        message->word[1] = files[number].bytes;
        return HK_OK;
    default:
        return HK_ENOSYS;
    }
}
