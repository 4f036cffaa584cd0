/* SPDX-License-Identifier: MIT */
#include "hk/guest/counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "grow.h"

static const char *const names[] = {
#define X(name, text) #text,
    HK_COUNT_LIST(X) HK_CACHE_EVENT_LIST(X)
#undef X
};

struct reading {
    struct hk_counts counts;
    bool done;
    bool with_model; /* of the first region; the others must agree */
};

const char *hk_count_name(enum hk_count count)
{
    return (unsigned)count < HK_COUNT_COUNT ? names[count] : NULL;
}

static enum hk_status region_read(struct reading *r, const struct hk_fields *fields)
{
    bool with_model = fields->count > 2u + HK_COUNT_CACHE_MISSES;
    size_t expected = with_model ? HK_COUNT_COUNT : HK_COUNT_CACHE_MISSES;
    struct hk_region_counts *region;
    uint64_t index;

    if (hk_fields_u64(fields, "region", &index) != HK_OK || index != r->counts.region_count ||
        fields->count != 2 + expected || (index > 0 && with_model != r->with_model)) {
        return HK_EPARSE;
    }
    r->with_model = with_model;
    region = hk_grow((void **)&r->counts.regions, &r->counts.region_count, sizeof(*region));
    if (region == NULL) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < expected; i++) {
        if (hk_fields_u64(fields, names[i], &region->count[i]) != HK_OK) {
            return HK_EPARSE;
        }
    }
    return HK_OK;
}

/* A function line belongs to the region line before it. */
static enum hk_status function_read(struct reading *r, const struct hk_fields *fields)
{
    struct hk_region_counts *region;
    struct hk_function_count *f;
    uint64_t index;
    uint64_t instructions;

    if (hk_fields_u64(fields, "region", &index) != HK_OK || index + 1 != r->counts.region_count ||
        hk_fields_u64(fields, "instructions", &instructions) != HK_OK || fields->count != 5 ||
        !hk_field_is(&fields->field[3], "ring")) {
        return HK_EPARSE;
    }
    region = &r->counts.regions[index];
    f = hk_grow((void **)&region->functions, &region->function_count, sizeof(*f));
    if (f == NULL) {
        return HK_ENOMEM;
    }
    f->instructions = instructions;
    return hk_fields_text(fields, "function", &f->name);
}

static enum hk_status done_read(struct reading *r, const struct hk_fields *fields)
{
    uint64_t regions;
    uint64_t unmatched;
    uint64_t saturated;

    if (fields->count != 5 || hk_fields_u64(fields, "regions", &regions) != HK_OK ||
        hk_fields_u64(fields, "unmatched", &unmatched) != HK_OK ||
        hk_fields_u64(fields, "saturated", &saturated) != HK_OK ||
        regions != r->counts.region_count) {
        return HK_EPARSE;
    }
    r->done = true;
    return unmatched == 0 && saturated == 0 ? HK_OK : HK_EROW;
}

/* The second word of a line decides its kind. */
static const struct {
    const char *key;
    enum hk_status (*read)(struct reading *r, const struct hk_fields *fields);
} kinds[] = {{"region", region_read}, {"function", function_read}, {"done", done_read}};

static enum hk_status line_read(struct reading *r, const char *line, size_t bytes)
{
    struct hk_fields fields;

    if (r->done || hk_fields_split(line, bytes, &fields) != HK_OK || fields.count < 2 ||
        !hk_field_is(&fields.field[0], "HKC1")) {
        return HK_EPARSE;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (hk_field_is(&fields.field[1], kinds[i].key)) {
            return kinds[i].read(r, &fields);
        }
    }
    return HK_EPARSE;
}

static int most_first(const void *a, const void *b)
{
    const struct hk_function_count *x = a;
    const struct hk_function_count *y = b;

    if (x->instructions != y->instructions) {
        return x->instructions < y->instructions ? 1 : -1;
    }
    return strcmp(x->name, y->name);
}

static void functions_sort(struct hk_counts *counts)
{
    for (size_t i = 0; i < counts->region_count; i++) {
        if (counts->regions[i].function_count > 1) {
            qsort(counts->regions[i].functions, counts->regions[i].function_count,
                  sizeof(struct hk_function_count), most_first);
        }
    }
}

enum hk_status hk_counts_parse(const char *text, size_t bytes, struct hk_counts *counts,
                               char error[256])
{
    enum hk_status status = HK_OK;
    struct reading r = {0};
    size_t position = 0;
    size_t number = 0;
    const char *line;
    size_t line_bytes;

    while (status == HK_OK && hk_line_next(text, bytes, &position, &line, &line_bytes)) {
        number++;
        status = line_read(&r, line, line_bytes);
    }
    if (status == HK_OK && !r.done) {
        snprintf(error, 256, "the counts end after line %zu: the emulator did not finish", number);
        status = HK_EPARSE;
    } else if (status == HK_OK && position != bytes) {
        snprintf(error, 256, "counts: text after the last line");
        status = HK_EPARSE;
    } else if (status == HK_EROW) {
        snprintf(error, 256, "region marks do not pair, or a region touches too many pages");
    } else if (status != HK_OK) {
        snprintf(error, 256, "counts, line %zu: %s", number, hk_status_text(status));
    }
    if (status != HK_OK) {
        hk_counts_fini(&r.counts);
        return status;
    }
    functions_sort(&r.counts);
    *counts = r.counts;
    return HK_OK;
}

void hk_counts_fini(struct hk_counts *counts)
{
    for (size_t i = 0; i < counts->region_count; i++) {
        for (size_t j = 0; j < counts->regions[i].function_count; j++) {
            free(counts->regions[i].functions[j].name);
        }
        free(counts->regions[i].functions);
    }
    free(counts->regions);
    *counts = (struct hk_counts){0};
}
