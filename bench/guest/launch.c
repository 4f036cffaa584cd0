/* SPDX-License-Identifier: MIT */
/* From rows of a report to launches of the result model. */
#include <stdio.h>
#include <string.h>

#include "hk/guest/report.h"
#include "hk/guest/run.h"

static enum hk_status counter_add(struct hk_launch *launch, const char *key, double value)
{
    char name[HK_NAME_BYTES];

    snprintf(name, sizeof(name), "hk_%s", key);
    return hk_launch_add_counter(launch, name, value);
}

/* What one operation costs, from C(N) and C(2N). Callers have ruled out a negative cost. */
static double per_op(uint64_t at_n, uint64_t at_2n, uint64_t ops)
{
    return (double)(at_2n - at_n) / (double)ops;
}

static const char *row_fault(const struct hk_guest_row *row, const struct hk_counts *counts)
{
    if (row->ticks_2n < row->ticks_n) {
        return "the clock went further over N operations than over 2 N";
    }
    if (counts == NULL) {
        return NULL;
    }
    if (row->region_n >= counts->region_count || row->region_2n >= counts->region_count) {
        return "the row names a region that was not counted";
    }
    for (size_t i = 0; i < HK_COUNT_CACHE_MISSES; i++) {
        if (counts->regions[row->region_2n].count[i] < counts->regions[row->region_n].count[i]) {
            return "a count is larger over N operations than over 2 N";
        }
    }
    return NULL;
}

static enum hk_status costs_add(struct hk_launch *launch, const struct hk_guest_row *row,
                                const struct hk_counts *counts)
{
    double clock = per_op(row->ticks_n, row->ticks_2n, row->ops);
    enum hk_status status;

    if (counts == NULL) {
        return counter_add(launch, "cycles", clock);
    }
    status = counter_add(launch, "instructions_clock", clock);
    for (size_t i = 0; i < HK_COUNT_COUNT && status == HK_OK; i++) {
        /* misses can fall from N to 2N by a lucky replacement: the difference keeps its sign */
        double n = (double)counts->regions[row->region_n].count[i];
        double n2 = (double)counts->regions[row->region_2n].count[i];

        status = counter_add(launch, hk_count_name((enum hk_count)i), (n2 - n) / (double)row->ops);
    }
    return status;
}

static enum hk_status row_fill(struct hk_launch *launch, const struct hk_guest_row *row,
                               const struct hk_counts *counts)
{
    enum hk_status status = HK_OK;
    const char *fault;

    if (row->kind == HK_GUEST_ABSENT) {
        return hk_launch_set_state(launch, HK_LAUNCH_UNAVAILABLE, row->text);
    }
    fault = row->kind == HK_GUEST_ROW ? row_fault(row, counts) : NULL;
    if (fault != NULL) {
        return hk_launch_set_state(launch, HK_LAUNCH_INVALID, fault);
    }
    if (row->kind == HK_GUEST_ROW) {
        status = costs_add(launch, row, counts);
    }
    for (size_t i = 0; i < row->value_count && status == HK_OK; i++) {
        status = counter_add(launch, row->values[i].key, (double)row->values[i].value);
    }
    return status;
}

/* A launch that the guest made itself; its clock counts instructions as the plugin does. */
static enum hk_status whole_launch(const struct hk_guest_row *row, struct hk_launch *made)
{
    char error[HK_TEXT_BYTES];
    enum hk_status status = hk_launch_decode(row->text, strlen(row->text), made, error);

    if (status == HK_OK && strcmp(made->name, row->name) == 0) {
        return HK_OK;
    }
    if (status == HK_OK) {
        hk_launch_fini(made);
        snprintf(error, sizeof(error), "its launch is of another cell");
    }
    if (status == HK_ENOMEM) {
        return status;
    }
    status = hk_launch_init(made, row->name, 0, 0);
    return status == HK_OK ? hk_launch_set_state(made, HK_LAUNCH_INVALID, error) : status;
}

enum hk_status hk_guest_row_launch(const struct hk_guest_row *row, const struct hk_counts *counts,
                                   uint32_t index, struct hk_launch *launch)
{
    const bool whole = row->kind == HK_GUEST_LAUNCH;
    struct hk_launch made;
    enum hk_status status =
        whole ? whole_launch(row, &made) : hk_launch_init(&made, row->name, index, 0);

    if (status != HK_OK) {
        return status;
    }
    made.index = index;
    made.exactness = counts != NULL ? HK_NEAR : HK_TIMED;
    if (whole) {
        *launch = made;
        return HK_OK;
    }
    status = row_fill(&made, row, counts);
    if (status != HK_OK) {
        hk_launch_fini(&made);
        return status;
    }
    *launch = made;
    return HK_OK;
}

static uint64_t function_count(const struct hk_region_counts *region, const char *name)
{
    for (size_t i = 0; i < region->function_count; i++) {
        if (strcmp(region->functions[i].name, name) == 0) {
            return region->functions[i].instructions;
        }
    }
    return 0;
}

void hk_guest_row_functions(const struct hk_guest_row *row, const struct hk_counts *counts,
                            void (*each)(void *user, const char *function, double instructions),
                            void *user)
{
    const struct hk_region_counts *n2;

    if (row->kind != HK_GUEST_ROW || row_fault(row, counts) != NULL) {
        return;
    }
    n2 = &counts->regions[row->region_2n];
    for (size_t i = 0; i < n2->function_count; i++) {
        const struct hk_function_count *f = &n2->functions[i];
        uint64_t n = function_count(&counts->regions[row->region_n], f->name);

        if (f->instructions != n) {
            each(user, f->name, ((double)f->instructions - (double)n) / (double)row->ops);
        }
    }
}

static const char differ[] = "boots differ in ";

/* Adds what differs to a list in words, each once; a name may be the beginning of another. */
static void difference_note(char why[HK_TEXT_BYTES], const char *what)
{
    const size_t used = strlen(why), bytes = strlen(what);
    const char *item = why + (used > 0 ? sizeof(differ) - 1 : 0);

    while (*item != '\0') {
        const size_t item_bytes = strcspn(item, ",");

        if (item_bytes == bytes && strncmp(item, what, bytes) == 0) {
            return;
        }
        item += item_bytes;
        item += strspn(item, ", ");
    }
    snprintf(why + used, HK_TEXT_BYTES - used, "%s%s", used > 0 ? ", " : differ, what);
}

static void counters_compare(const struct hk_launch *a, const struct hk_launch *b,
                             char why[HK_TEXT_BYTES])
{
    double value;

    if (a->state != b->state) {
        difference_note(why, "whether the row held");
        return;
    }
    if (a->counter_count != b->counter_count) {
        difference_note(why, "the number of counters");
    }
    for (size_t i = 0; i < a->counter_count; i++) {
        if (!hk_launch_counter(b, a->counters[i].name, &value) || value != a->counters[i].value) {
            difference_note(why, a->counters[i].name);
        }
    }
}

enum hk_status hk_guest_launches_near(struct hk_launch *launches, size_t count, const char *why)
{
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < count && status == HK_OK; i++) {
        if (launches[i].exactness == HK_TIMED) {
            continue;
        }
        launches[i].exactness = HK_NEAR;
        if (launches[i].state == HK_LAUNCH_OK) {
            status = hk_launch_set_state(&launches[i], HK_LAUNCH_OK, why);
        }
    }
    return status;
}

enum hk_status hk_guest_launches_classify(struct hk_launch *launches, size_t count)
{
    char why[HK_TEXT_BYTES] = "";

    for (size_t i = 1; i < count; i++) {
        counters_compare(&launches[0], &launches[i], why);
    }
    if (count < 2) {
        return hk_guest_launches_near(launches, count, "only one boot had the row");
    }
    if (why[0] != '\0') {
        return hk_guest_launches_near(launches, count, why);
    }
    for (size_t i = 0; i < count; i++) {
        if (launches[i].exactness != HK_TIMED) {
            launches[i].exactness = HK_EXACT;
        }
    }
    return HK_OK;
}

void hk_guest_summary_add(struct hk_guest_summary *summary, const struct hk_launch *launch)
{
    switch (launch->state) {
    case HK_LAUNCH_UNAVAILABLE:
        summary->absent_count++;
        return;
    case HK_LAUNCH_INVALID:
    case HK_LAUNCH_FAILED:
        summary->invalid_count++;
        return;
    case HK_LAUNCH_OK:
        break;
    }
    summary->exact_count += launch->exactness == HK_EXACT;
    summary->near_count += launch->exactness == HK_NEAR;
    summary->timed_count += launch->exactness == HK_TIMED;
}
