/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include "experiment.h"
#include "hk/base/units.h"

/* Buffer counts differ by class, so that weights matter. */
static const struct {
    uint32_t buffer_count;
    double aligned_ratio;
    double sized_ratio;
} classes[HK_TRACE_CLASSES] = {
    {1, 0.80, 0.60}, /* small requests from a page allocator */
    {2, 0.50, 0.70},
    {4, 0.25, 0.40}, /* scattered pieces from a general allocator */
};

enum { WHOLE_PAGES_MAX = 4, UNIFORM_BYTES_MAX = 8 * HK_PAGE_BYTES };

void hk_trace_init(struct hk_trace *trace, enum hk_trace_mix mix, uint64_t seed)
{
    *trace = (struct hk_trace){.mix = mix, .state = seed};
}

/* Weyl sequence through a mixer: counter-based, so a trace needs no library state. */
static double uniform(struct hk_trace *trace)
{
    trace->state += 0x9E3779B97F4A7C15u;
    return (double)(hk_mix(trace->state, 0) >> 11) * 0x1p-53;
}

/* Uniform on {low, ..., high}. */
static uint32_t between(struct hk_trace *trace, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(uniform(trace) * (high - low + 1));
}

/*
 * Classes take turns in their shares, 5 : 3 : 2: what is left to chance is what the
 * formula is about, and a mean is known to half the error.
 */
static uint32_t next_class(struct hk_trace *trace)
{
    static const uint32_t turns[] = {0, 1, 0, 2, 0, 1, 0, 2, 0, 1};

    return turns[trace->serial++ % HK_ARRAY_COUNT(turns)];
}

/*
 * Whole pages, or as much more or less than whole pages with equal chance: the
 * mean length is the same for both, so the cost of a copy does not depend on
 * why it was needed.
 */
static uint32_t draw_length(struct hk_trace *trace, bool sized)
{
    const uint32_t whole = between(trace, 1, WHOLE_PAGES_MAX) * HK_PAGE_BYTES;

    if (sized)
        return whole;
    const uint32_t odd = between(trace, 1, HK_PAGE_BYTES / 2 - 1);
    return uniform(trace) < 0.5 ? whole + odd : whole - odd;
}

static struct hk_trace_buffer draw_buffer(struct hk_trace *trace, uint32_t class_index)
{
    if (trace->mix == HK_MIX_UNIFORM)
        return (struct hk_trace_buffer){between(trace, 0, HK_PAGE_BYTES - 1),
                                        between(trace, HK_PAGE_BYTES, UNIFORM_BYTES_MAX)};
    const double u = uniform(trace);
    const bool aligned = u < classes[class_index].aligned_ratio;
    /* The same draw for both makes them as dependent as their shares allow. */
    const double v = trace->mix == HK_MIX_DEPENDENT ? u : uniform(trace);
    const bool sized = v < classes[class_index].sized_ratio;
    return (struct hk_trace_buffer){aligned ? 0 : between(trace, 1, HK_PAGE_BYTES - 1),
                                    draw_length(trace, sized)};
}

void hk_trace_next(struct hk_trace *trace, struct hk_trace_message *message)
{
    message->class_index = next_class(trace);
    message->buffer_count = classes[message->class_index].buffer_count;
    for (uint32_t i = 0; i < message->buffer_count; i++)
        message->buffers[i] = draw_buffer(trace, message->class_index);
}
