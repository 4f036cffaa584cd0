/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "paths.h"

enum hk_status hk_path_buffers_init(struct hk_path_buffers *buffers, size_t bytes)
{
    size_t room_bytes = (bytes / HK_PAGE_BYTES + 1) * HK_PAGE_BYTES;
    uint64_t x = 0x2385u;

    *buffers = (struct hk_path_buffers){.bytes = bytes,
                                        .out = aligned_alloc(HK_PAGE_BYTES, room_bytes),
                                        .in = aligned_alloc(HK_PAGE_BYTES, room_bytes)};
    if (!buffers->out || !buffers->in) {
        hk_path_buffers_fini(buffers);
        return HK_ENOMEM;
    }
    memset(buffers->in, 0, room_bytes);
    for (size_t i = 0; i < room_bytes; i++) {
        /* Knuth's MMIX generator; its high bits are the good ones. */
        x = x * 6364136223846793005u + 1442695040888963407u;
        buffers->out[i] = (unsigned char)(x >> 56);
    }
    return HK_OK;
}

void hk_path_buffers_fini(struct hk_path_buffers *buffers)
{
    free(buffers->out);
    free(buffers->in);
    *buffers = (struct hk_path_buffers){0};
}

enum hk_status hk_path_buffers_verify(const struct hk_path_buffers *buffers)
{
    return memcmp(buffers->in, buffers->out, buffers->bytes) == 0 ? HK_OK : HK_EROW;
}

enum hk_status hk_path_refuse(char reason[HK_REASON_BYTES], const char *text)
{
    snprintf(reason, HK_REASON_BYTES, "%s", text);
    return HK_ENOTSUP;
}
