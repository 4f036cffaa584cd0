/* SPDX-License-Identifier: MIT */
#include "memo.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/memo.h"

#define PAGES_MAX 65536u /* 256 MiB of text */

/* The mapping that holds an address, as [from, to). */
static bool mapping_find(uintptr_t address, uintptr_t *from, uintptr_t *to)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[1024];
    bool found = false;

    while (maps != NULL && !found && fgets(line, sizeof(line), maps) != NULL) {
        found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR, from, to) == 2 && address >= *from &&
                address < *to;
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return found;
}

static bool is_page(const struct hk_memo_page *page)
{
    const struct hk_memo_head *head = &page->head;

    return head->magic[0] == HK_MEMO_MAGIC_1 && head->magic[1] == HK_MEMO_MAGIC_2 &&
           head->count <= PAGES_MAX && head->index < head->count &&
           head->bytes <= HK_MEMO_TEXT_BYTES;
}

/* Pages by their index, *count of them, to be freed. HK_ENOENT when none is there; HK_ENOMEM. */
static enum hk_status pages_find(uintptr_t from, uintptr_t to, const struct hk_memo_page ***out,
                                 uint32_t *count)
{
    const struct hk_memo_page **pages = NULL;

    for (uintptr_t at = from; at + HK_MEMO_PAGE_BYTES <= to; at += HK_MEMO_PAGE_BYTES) {
        const struct hk_memo_page *page = (const struct hk_memo_page *)at;

        if (!is_page(page)) {
            continue;
        }
        if (pages == NULL) {
            *count = page->head.count;
            pages = calloc(*count, sizeof(*pages));
            if (pages == NULL) {
                return HK_ENOMEM;
            }
        }
        if (page->head.index < *count) {
            pages[page->head.index] = page;
        }
    }
    *out = pages;
    return pages != NULL ? HK_OK : HK_ENOENT;
}

enum hk_status hk_memo_read(const void *inside, char **text, size_t *bytes)
{
    const struct hk_memo_page **pages;
    enum hk_status status;
    uintptr_t from, to;
    size_t length = 0;
    uint32_t count;
    char *joined;

    if (!mapping_find((uintptr_t)inside, &from, &to)) {
        return HK_ENOENT;
    }
    status = pages_find(from, to, &pages, &count);
    if (status != HK_OK) {
        return status;
    }
    joined = malloc((size_t)count * HK_MEMO_TEXT_BYTES + 1);
    if (joined == NULL) {
        status = HK_ENOMEM;
    }
    for (uint32_t i = 0; status == HK_OK && i < count; i++) {
        if (pages[i] == NULL) {
            status = HK_ENOENT;
            break;
        }
        memcpy(joined + length, pages[i]->text, pages[i]->head.bytes);
        length += pages[i]->head.bytes;
    }
    free(pages);
    if (status != HK_OK) {
        free(joined);
        return status;
    }
    *text = joined;
    *bytes = length;
    return HK_OK;
}
