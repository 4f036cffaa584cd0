/* SPDX-License-Identifier: MIT */
#include "foreign_rows.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"

static const struct {
    const char *name;
    double ns;
} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};

enum hk_status hk_foreign_fail(char error[HK_TEXT_BYTES], enum hk_status status,
                               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, HK_TEXT_BYTES, format, arguments);
    va_end(arguments);
    return status;
}

static bool unit_ns(const char *unit, double *ns)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(units); i++) {
        if (unit && strcmp(unit, units[i].name) == 0) {
            *ns = units[i].ns;
            return true;
        }
    }
    return false;
}

/* hkbench labels its counts so, because the format knows times only. */
static enum hk_exactness exactness_of(const struct hk_foreign *foreign, const char *label)
{
    if (!foreign->rows_are_launches || !label)
        return HK_TIMED;
    if (strncmp(label, "EXACT: ", 7) == 0)
        return HK_EXACT;
    return strncmp(label, "NEAR: ", 6) == 0 ? HK_NEAR : HK_TIMED;
}

static enum hk_status set_values(struct hk_launch *launch, const struct hk_foreign_row *row,
                                 double ns)
{
    if (row->failure)
        return hk_launch_set_state(launch, HK_LAUNCH_FAILED, row->failure);
    if (launch->exactness != HK_TIMED)
        return isfinite(row->real_time) && row->real_time >= 0
                   ? hk_launch_add_counter(launch, "hk_instructions", row->real_time)
                   : hk_launch_set_state(launch, HK_LAUNCH_INVALID, "its count is no number");
    if (!(isfinite(row->real_time * ns) && row->real_time > 0))
        return hk_launch_set_state(launch, HK_LAUNCH_INVALID, "its time is no positive number");
    enum hk_status status = hk_launch_add_counter(launch, "cost_ns", row->real_time * ns);
    if (status == HK_OK && isfinite(row->cpu_time * ns))
        status = hk_launch_add_counter(launch, "cpu_ns", row->cpu_time * ns);
    return status;
}

static enum hk_status grow(struct hk_foreign_rows *rows)
{
    struct hk_run *run = &rows->foreign->run;
    if (run->launch_count < rows->capacity)
        return HK_OK;
    const size_t capacity = rows->capacity ? rows->capacity * 2 : 64;
    struct hk_launch *launches = realloc(run->launches, capacity * sizeof(*launches));
    if (!launches)
        return HK_ENOMEM;
    run->launches = launches;
    int64_t *families = realloc(rows->families, capacity * sizeof(*families));
    if (!families)
        return HK_ENOMEM;
    rows->families = families;
    rows->capacity = capacity;
    return HK_OK;
}

enum hk_status hk_foreign_add_counter(struct hk_foreign *foreign, struct hk_launch *launch,
                                      const char *name, double value)
{
    double taken;
    if (!name[0] || !isfinite(value) || hk_launch_counter(launch, name, &taken)) {
        foreign->counter_dropped_count++;
        return HK_OK;
    }
    return hk_launch_add_counter(launch, name, value);
}

enum hk_status hk_foreign_add(struct hk_foreign_rows *rows, const struct hk_foreign_row *row,
                              struct hk_launch **launch, char error[HK_TEXT_BYTES])
{
    struct hk_run *run = &rows->foreign->run;
    double ns = 1;
    if (!row->name[0] || strlen(row->name) >= HK_NAME_BYTES)
        return hk_foreign_fail(error, HK_EPARSE, "a benchmark's name has no or over %d characters",
                               HK_NAME_BYTES - 1);
    if (!row->failure && !unit_ns(row->unit, &ns))
        return hk_foreign_fail(error, HK_EPARSE,
                               "%.200s: time unit '%.20s', not s, ms, us or ns; no time can be "
                               "compared with it", row->name, row->unit ? row->unit : "");
    enum hk_status status = grow(rows);
    if (status != HK_OK)
        return status;
    struct hk_launch made;
    const uint32_t index = row->repetition < 0 ? UINT32_MAX : (uint32_t)row->repetition;
    status = hk_launch_init(&made, row->name, index, 0);
    if (status != HK_OK)
        return status;
    made.exactness = exactness_of(rows->foreign, row->label);
    status = set_values(&made, row, ns);
    if (status != HK_OK) {
        hk_launch_fini(&made);
        return status;
    }
    rows->families[run->launch_count] = row->family;
    run->launches[run->launch_count] = made;
    *launch = &run->launches[run->launch_count++];
    return HK_OK;
}

/* A row to sort: its place in the file decides between equals, so that sorting is stable. */
struct place {
    struct hk_launch launch;
    int64_t family;
    size_t position;
};

static int by_name(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = strcmp(x->launch.name, y->launch.name);
    if (order == 0)
        order = (x->launch.index > y->launch.index) - (x->launch.index < y->launch.index);
    return order ? order : (x->position > y->position) - (x->position < y->position);
}

/* Numbers the rows of one name, first to end; HK_EPARSE when they are not one benchmark. */
static enum hk_status number_rows(struct place *first, const struct place *end,
                                  char error[HK_TEXT_BYTES])
{
    const bool numbered = first->launch.index != UINT32_MAX;
    for (struct place *p = first; p < end; p++) {
        const bool twice = p > first && numbered && p->launch.index == p[-1].launch.index;
        if (p->family != first->family || twice || p->launch.exactness != first->launch.exactness ||
            (p->launch.index != UINT32_MAX) != numbered)
            return hk_foreign_fail(error, HK_EPARSE,
                                   "two benchmarks are called '%.200s'; give each its own name",
                                   first->launch.name);
        if (!numbered)
            p->launch.index = (uint32_t)(p - first);
    }
    return HK_OK;
}

static enum hk_status number_all(struct place *places, size_t count, char error[HK_TEXT_BYTES])
{
    size_t first = 0;
    enum hk_status status = HK_OK;
    for (size_t i = 1; i <= count && status == HK_OK; i++) {
        if (i < count && strcmp(places[i].launch.name, places[first].launch.name) == 0)
            continue;
        status = number_rows(&places[first], &places[i], error);
        first = i;
    }
    return status;
}

enum hk_status hk_foreign_sort(struct hk_foreign_rows *rows, char error[HK_TEXT_BYTES])
{
    struct hk_run *run = &rows->foreign->run;
    if (run->launch_count == 0)
        return hk_foreign_fail(error, HK_EEMPTY,
                               rows->foreign->aggregate_count
                                   ? "only aggregates; measure without "
                                     "--benchmark_report_aggregates_only"
                                   : "no benchmark in it");
    struct place *places = malloc(run->launch_count * sizeof(*places));
    if (!places)
        return HK_ENOMEM;
    for (size_t i = 0; i < run->launch_count; i++)
        places[i] = (struct place){run->launches[i], rows->families[i], i};
    qsort(places, run->launch_count, sizeof(*places), by_name);
    const enum hk_status status = number_all(places, run->launch_count, error);
    for (size_t i = 0; i < run->launch_count; i++)
        run->launches[i] = places[i].launch;
    free(places);
    return status;
}
