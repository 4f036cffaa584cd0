/* SPDX-License-Identifier: MIT */
/*
 * A text that a guest leaves in its own memory for the counting plugin, which lives in the
 * emulator and so has that memory too. Nothing is copied out through a device.
 *
 * The text is cut into pages that may lie anywhere; each begins with this head. Whoever looks for
 * them knows a page by the magic numbers, which differ so that no code holds both side by side.
 */
#ifndef HK_BASE_MEMO_H
#define HK_BASE_MEMO_H

#include <stdint.h>

#define HK_MEMO_PAGE_BYTES 4096u
#define HK_MEMO_MAGIC_1 0x6d656d6f2d686b31u
#define HK_MEMO_MAGIC_2 0x92b7a3c41d5e6f80u

struct hk_memo_head {
    uint64_t magic[2];
    uint32_t index; /* of this page, from 0 */
    uint32_t count; /* of pages, in all of them */
    uint32_t bytes; /* of text in this page */
    uint32_t unused;
};

#define HK_MEMO_TEXT_BYTES (HK_MEMO_PAGE_BYTES - (uint32_t)sizeof(struct hk_memo_head))

struct hk_memo_page {
    struct hk_memo_head head;
    char text[HK_MEMO_TEXT_BYTES];
};

#endif
