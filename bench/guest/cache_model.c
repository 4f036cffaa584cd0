/* SPDX-License-Identifier: MIT */
#include "hk/guest/cache_model.h"

#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"

#define PAGE_SHIFT          12u
#define PAGE_MASK           (HK_PAGE_BYTES - 1u)
#define PAGE_NUMBER_MASK    ((1ull << 36) - 1u) /* of a canonical 48-bit address */
#define COLOUR_BITS         17u                 /* holds 0 to HK_CACHE_FRAME_CAPACITY */
#define MAX_WAYS            64u
#define MAX_ENTRIES         (1u << 22)
#define GLOBAL_TAG          (1ull << 63)
#define UPPER_HALF(address) (((address) >> 63) != 0)

/* One set-associative structure; ways of a set lie in order of use, most recent first. Tag 0 is
 * empty. */
struct assoc {
    uint32_t set_mask;
    uint32_t ways;
    uint64_t *tags;
};

struct tlb {
    struct assoc itlb, dtlb, stlb;
};

struct colour {
    uint64_t frame;
    uint32_t generation; /* entry is valid when it equals the model's: a reset touches no table */
    uint32_t id;
};

struct hk_cache_model {
    struct hk_cache_params params;
    uint32_t line_shift;
    struct assoc l1i, l1d, l2;
    struct tlb plain, pcid;
    struct colour *colours; /* open addressing, at most half full */
    uint32_t colour_count;
    uint32_t generation;
    bool fetched; /* the last fetch lay in one line, and nothing has happened to it since */
    uint64_t fetched_line;
    uint64_t fetched_frame;
    uint64_t events[HK_CACHE_EVENT_COUNT];
};

#define COLOUR_SLOTS (2u * HK_CACHE_FRAME_CAPACITY)

static bool is_power_of_two(uint32_t x)
{
    return x != 0 && (x & (x - 1u)) == 0;
}

static bool geometry_holds(struct hk_cache_geometry g)
{
    return g.ways >= 1 && g.ways <= MAX_WAYS && g.entries <= MAX_ENTRIES &&
           g.entries % g.ways == 0 && is_power_of_two(g.entries / g.ways);
}

enum hk_status hk_cache_params_check(const struct hk_cache_params *params)
{
    const struct hk_cache_geometry all[] = {params->l1i,  params->l1d,  params->l2,
                                            params->itlb, params->dtlb, params->stlb};

    for (size_t i = 0; i < HK_ARRAY_COUNT(all); i++) {
        if (!geometry_holds(all[i])) {
            return HK_EINVAL;
        }
    }
    if (!is_power_of_two(params->line_bytes) || params->line_bytes < 16 ||
        params->line_bytes > HK_PAGE_BYTES || params->global_kernel > 1) {
        return HK_EINVAL;
    }
    return HK_OK;
}

static bool assoc_init(struct assoc *a, struct hk_cache_geometry g)
{
    a->set_mask = g.entries / g.ways - 1u;
    a->ways = g.ways;
    a->tags = calloc(g.entries, sizeof(*a->tags));
    return a->tags != NULL;
}

static void assoc_clear(struct assoc *a)
{
    memset(a->tags, 0, ((size_t)a->set_mask + 1u) * a->ways * sizeof(*a->tags));
}

/* Use tag in its set; true when it was there. A miss replaces the least recently used way. */
static bool assoc_touch(struct assoc *a, uint64_t set, uint64_t tag)
{
    uint64_t *way = a->tags + (set & a->set_mask) * a->ways;
    uint32_t i = 0;

    if (way[0] == tag) {
        return true;
    }
    while (i < a->ways - 1u && way[i] != tag) {
        i++;
    }
    bool hit = way[i] == tag;
    memmove(way + 1, way, i * sizeof(*way));
    way[0] = tag;
    return hit;
}

/* Empty every way that is not global, keeping the others in order of use. */
static void assoc_flush(struct assoc *a)
{
    for (uint32_t set = 0; set <= a->set_mask; set++) {
        uint64_t *way = a->tags + (size_t)set * a->ways;
        uint32_t kept = 0;

        for (uint32_t i = 0; i < a->ways; i++) {
            if (way[i] & GLOBAL_TAG) {
                way[kept++] = way[i];
            }
        }
        memset(way + kept, 0, (a->ways - kept) * sizeof(*way));
    }
}

static bool tlb_init(struct tlb *t, const struct hk_cache_params *p)
{
    return assoc_init(&t->itlb, p->itlb) && assoc_init(&t->dtlb, p->dtlb) &&
           assoc_init(&t->stlb, p->stlb);
}

static void tlb_clear(struct tlb *t)
{
    assoc_clear(&t->itlb);
    assoc_clear(&t->dtlb);
    assoc_clear(&t->stlb);
}

static void tlb_free(struct tlb *t)
{
    free(t->itlb.tags);
    free(t->dtlb.tags);
    free(t->stlb.tags);
}

enum hk_status hk_cache_model_create(const struct hk_cache_params *params,
                                     struct hk_cache_model **model)
{
    struct hk_cache_model *m;

    if (hk_cache_params_check(params) != HK_OK) {
        return HK_EINVAL;
    }
    m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return HK_ENOMEM;
    }
    m->params = *params;
    m->generation = 1;
    m->line_shift = (uint32_t)__builtin_ctz(params->line_bytes);
    m->colours = calloc(COLOUR_SLOTS, sizeof(*m->colours));
    if (m->colours == NULL || !assoc_init(&m->l1i, params->l1i) ||
        !assoc_init(&m->l1d, params->l1d) || !assoc_init(&m->l2, params->l2) ||
        !tlb_init(&m->plain, params) || !tlb_init(&m->pcid, params)) {
        hk_cache_model_destroy(m);
        return HK_ENOMEM;
    }
    *model = m;
    return HK_OK;
}

void hk_cache_model_destroy(struct hk_cache_model *model)
{
    if (model == NULL) {
        return;
    }
    free(model->l1i.tags);
    free(model->l1d.tags);
    free(model->l2.tags);
    tlb_free(&model->plain);
    tlb_free(&model->pcid);
    free(model->colours);
    free(model);
}

void hk_cache_model_reset(struct hk_cache_model *model)
{
    model->fetched = false;
    assoc_clear(&model->l1i);
    assoc_clear(&model->l1d);
    assoc_clear(&model->l2);
    tlb_clear(&model->plain);
    tlb_clear(&model->pcid);
    model->colour_count = 0;
    model->generation++;
    if (model->generation == 0) { /* wrapped: stamps of 2^32 resets ago would look valid */
        memset(model->colours, 0, COLOUR_SLOTS * sizeof(*model->colours));
        model->generation = 1;
    }
    memset(model->events, 0, sizeof(model->events));
}

/* Number of the frame in order of first touch since the reset, from 1; 0 once the table is full. */
static uint64_t colour_of(struct hk_cache_model *m, uint64_t frame)
{
    uint64_t slot = (frame * 0x9e3779b97f4a7c15ull >> 32) % COLOUR_SLOTS;

    for (;; slot = (slot + 1u) % COLOUR_SLOTS) {
        struct colour *c = &m->colours[slot];

        if (c->generation == m->generation && c->frame == frame) {
            return c->id;
        }
        if (c->generation == m->generation) {
            continue;
        }
        if (m->colour_count == HK_CACHE_FRAME_CAPACITY) {
            return 0;
        }
        *c = (struct colour){frame, m->generation, ++m->colour_count};
        return c->id;
    }
}

/* 0 found in the first level, 1 in the second, 2 page walk. */
static uint32_t tlb_depth(struct tlb *t, struct assoc *first, uint64_t set, uint64_t tag)
{
    return assoc_touch(first, set, tag) ? 0 : assoc_touch(&t->stlb, set, tag) ? 1 : 2;
}

static void translate(struct hk_cache_model *m, bool fetch, uint64_t address, uint64_t colour)
{
    uint64_t page = address >> PAGE_SHIFT;
    /* a kernel sees frames at addresses that the allocator decides: their sets go by colour */
    uint64_t set = UPPER_HALF(address) ? colour : page;
    /* + 1 keeps page 0 with colour 0 from looking like an empty way */
    uint64_t tag = ((page & PAGE_NUMBER_MASK) << COLOUR_BITS | colour) + 1u;
    uint32_t depth;

    if (m->params.global_kernel && UPPER_HALF(address)) {
        tag |= GLOBAL_TAG;
    }
    depth = tlb_depth(&m->plain, fetch ? &m->plain.itlb : &m->plain.dtlb, set, tag);
    m->events[fetch ? HK_TLB_MISSES_ITLB : HK_TLB_MISSES_DTLB] += depth > 0;
    m->events[HK_TLB_MISSES] += depth > 1;
    depth = tlb_depth(&m->pcid, fetch ? &m->pcid.itlb : &m->pcid.dtlb, set, tag);
    m->events[HK_TLB_MISSES_PCID] += depth > 1;
}

static void access_lines(struct hk_cache_model *m, bool fetch, uint64_t address, uint64_t frame,
                         uint32_t bytes)
{
    uint64_t colour = colour_of(m, frame);
    uint64_t offset = address & PAGE_MASK;
    uint64_t last = offset + (bytes ? bytes : 1u) - 1u;

    translate(m, fetch, address, colour);
    last = last > PAGE_MASK ? PAGE_MASK : last;
    for (uint64_t i = offset >> m->line_shift; i <= last >> m->line_shift; i++) {
        uint64_t line = (colour << PAGE_SHIFT >> m->line_shift) + i;

        if (assoc_touch(fetch ? &m->l1i : &m->l1d, line, line + 1u)) {
            continue;
        }
        m->events[fetch ? HK_CACHE_MISSES_L1I : HK_CACHE_MISSES_L1D]++;
        m->events[HK_CACHE_MISSES] += !assoc_touch(&m->l2, line, line + 1u);
    }
}

/*
 * Most instructions follow one in the same line. Its entries are the most recently used ones then,
 * so to touch them again would change nothing.
 */
void hk_cache_model_fetch(struct hk_cache_model *model, uint64_t address, uint64_t frame,
                          uint32_t bytes)
{
    uint64_t line = address >> model->line_shift;
    bool within = (address + (bytes ? bytes : 1u) - 1u) >> model->line_shift == line;

    if (within && model->fetched && line == model->fetched_line && frame == model->fetched_frame) {
        return;
    }
    access_lines(model, true, address, frame, bytes);
    model->fetched = within;
    model->fetched_line = line;
    model->fetched_frame = frame;
}

void hk_cache_model_data(struct hk_cache_model *model, uint64_t address, uint64_t frame,
                         uint32_t bytes)
{
    access_lines(model, false, address, frame, bytes);
}

void hk_cache_model_cr3_write(struct hk_cache_model *model)
{
    model->fetched = false;
    assoc_flush(&model->plain.itlb);
    assoc_flush(&model->plain.dtlb);
    assoc_flush(&model->plain.stlb);
}

const uint64_t *hk_cache_model_events(const struct hk_cache_model *model)
{
    return model->events;
}

bool hk_cache_model_saturated(const struct hk_cache_model *model)
{
    return model->colour_count == HK_CACHE_FRAME_CAPACITY;
}
