/* SPDX-License-Identifier: MIT */
/*
 * Seeded message traces for the remap-or-copy path: classes of messages whose
 * buffers have an offset within their page and a length.
 */
#ifndef HK_RUN_TRACE_H
#define HK_RUN_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HK_TRACE_CLASSES = 3, HK_TRACE_BUFFERS_MAX = 4, HK_TRACE_PAGES_MAX = 9 };

/* How alignment and size of a buffer go together. */
enum hk_trace_mix {
    HK_MIX_INDEPENDENT, /* drawn apart, as F5 assumes */
    HK_MIX_DEPENDENT,   /* who asks for alignment asks for whole pages too */
    HK_MIX_UNIFORM,     /* any byte offset, any length from a page up */
};

struct hk_trace_buffer {
    uint32_t offset_bytes; /* within its page */
    uint32_t length_bytes; /* at most HK_TRACE_PAGES_MAX pages with the offset */
};

struct hk_trace_message {
    uint32_t class_index;
    uint32_t buffer_count;
    struct hk_trace_buffer buffers[HK_TRACE_BUFFERS_MAX];
};

struct hk_trace {
    enum hk_trace_mix mix;
    uint64_t state;
    uint64_t serial; /* of the next message */
};

void hk_trace_init(struct hk_trace *trace, enum hk_trace_mix mix, uint64_t seed);

/* The next message of the trace; the same for the same seed. */
void hk_trace_next(struct hk_trace *trace, struct hk_trace_message *message);

#endif
