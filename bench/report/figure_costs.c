/* SPDX-License-Identifier: MIT */
/* Data of the figures about round trips: by placement, by size, and how long single ones take. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "figure_data.h"
#include "hk/base/units.h"

#define SUBJECT_BYTES 64
#define FIGURE_BYTES 64 /* message size of the figures at one size */

/* A plain round trip: a transport at a place with a size and no other parameter. */
struct round_trip {
    char transport[SUBJECT_BYTES];
    char place[SUBJECT_BYTES];
    int64_t bytes;
};

static bool is_round_trip(const char *name, struct round_trip *r)
{
    char kind[SUBJECT_BYTES], plain[HK_NAME_BYTES];
    if (hk_name_part(name, 1, kind, sizeof(kind)) != HK_OK || strcmp(kind, "round_trip") != 0 ||
        hk_name_part(name, 2, r->transport, sizeof(r->transport)) != HK_OK ||
        hk_name_text(name, "place", r->place, sizeof(r->place)) != HK_OK ||
        hk_name_int(name, "bytes", &r->bytes) != HK_OK)
        return false;
    snprintf(plain, sizeof(plain), "native/round_trip/%s/place:%s/bytes:%lld", r->transport,
             r->place, (long long)r->bytes);
    return strcmp(name, plain) == 0;
}

/* --- by transport and placement ------------------------------------------------- */

static const struct {
    const char *place;
    const char *title;
} places[] = {
    { "same_core", "one core" },
    { "cross_core", "two cores" },
    { "smt", "two threads of a core" },
    { "cross_socket", "two sockets" },
};

struct ranked {
    struct round_trip key;
    struct spread cost_ns;
    double rank_ns; /* least median of the transport at any place */
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank_ns != y->rank_ns)
        return x->rank_ns < y->rank_ns ? -1 : 1;
    return strcmp(x->key.transport, y->key.transport);
}

static enum hk_status collect_ranked(const struct hk_run *run, struct ranked **out, size_t *count)
{
    struct ranked *all = calloc(run->launch_count + 1, sizeof(*all));
    if (!all)
        return HK_ENOMEM;
    size_t n = 0;
    struct cell cell;
    for (size_t next = 0; cell_next(run, &next, &cell);) {
        struct ranked *r = &all[n];
        if (!is_round_trip(cell.name, &r->key) || r->key.bytes != FIGURE_BYTES ||
            !cell_spread(&cell, "cost_ns", &r->cost_ns))
            continue;
        r->rank_ns = r->cost_ns.median;
        n++;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (strcmp(all[i].key.transport, all[j].key.transport) == 0)
                all[i].rank_ns = fmin(all[i].rank_ns, all[j].cost_ns.median);
    qsort(all, n, sizeof(*all), compare_ranked);
    *out = all;
    *count = n;
    return HK_OK;
}

static void write_place(FILE *out, const struct ranked *all, size_t count, size_t place)
{
    size_t row = 0;
    bool begun = false;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(all[i].key.transport, all[i - 1].key.transport) != 0)
            row++;
        if (strcmp(all[i].key.place, places[place].place) != 0)
            continue;
        if (!begun)
            fprintf(out, "\"%s\" transport median_ns lower_ns upper_ns\n", places[place].title);
        begun = true;
        fprintf(out, "%zu \"%s\" %.6g %.6g %.6g\n", row, all[i].key.transport,
                all[i].cost_ns.median, all[i].cost_ns.lower, all[i].cost_ns.upper);
    }
    if (begun)
        fputs("\n\n", out);
}

/* The rows' names, at their least cost so that the block widens no axis. */
static void write_names(FILE *out, const struct ranked *all, size_t count)
{
    size_t row = 0;
    fputs("row transport rank_us\n", out);
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || strcmp(all[i].key.transport, all[i - 1].key.transport) != 0;
        if (first)
            fprintf(out, "%zu \"%s\" %.6g\n", row++, all[i].key.transport, all[i].rank_ns / 1e3);
    }
    if (count > 0)
        fputs("\n\n", out);
}

enum hk_status figure_round_trip(const struct hk_report_source *source, FILE *out, size_t *points)
{
    struct ranked *all = NULL;
    size_t count = 0;
    enum hk_status status = collect_ranked(source->run, &all, &count);
    if (status != HK_OK)
        return status;
    write_names(out, all, count);
    for (size_t place = 0; place < HK_ARRAY_COUNT(places); place++)
        write_place(out, all, count, place);
    free(all);
    *points = count;
    return HK_OK;
}

/* --- against size ----------------------------------------------------------------- */

/* One of each family that copies, splices or remaps; the report's table has all. */
static const char *const sized_transports[] = { "pipe",   "unix_seqpacket",    "unix_stream", "tcp",
                                                "vmsplice", "process_vm_eventfd", "page_grant" };

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

struct sized {
    struct round_trip key;
    struct spread cost_ns;
};

static int compare_sized(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;
    int order = strcmp(x->key.transport, y->key.transport);
    return order ? order : (x->key.bytes > y->key.bytes) - (x->key.bytes < y->key.bytes);
}

static bool parameter(const struct hk_judge *judge, const char *subject, const char *symbol,
                      size_t i, double *value)
{
    char name[HK_NAME_BYTES];
    const struct hk_parameter *found = NULL;
    snprintf(name, sizeof(name), "F3/%s/one_way_%s%zu", subject, symbol, i);
    if (!judge || hk_judge_parameter(judge, name, &found) != HK_OK)
        return false;
    *value = found->value;
    return true;
}

/* Round trip by the fitted one-way segments: a + b L + sum over breaks of b_i (L - break_i). */
static bool fitted_ns(const struct hk_judge *judge, const char *subject, double bytes, double *ns)
{
    double one_way, slope, at;
    if (!parameter(judge, subject, "at_0_ns_", 0, &one_way) ||
        !parameter(judge, subject, "ns_per_byte_", 1, &slope))
        return false;
    one_way += slope * bytes;
    for (size_t i = 1; parameter(judge, subject, "break_bytes_", i, &at) &&
                       parameter(judge, subject, "ns_per_byte_", i + 1, &slope);
         i++)
        one_way += slope * fmax(0, bytes - at);
    *ns = 2 * one_way;
    return true;
}

static void write_fit(FILE *out, const struct hk_judge *judge, const struct sized *first,
                      size_t count)
{
    double low = (double)first[0].key.bytes, high = (double)first[count - 1].key.bytes, ns;
    const int steps = 100;
    fputs("fit ns\n", out);
    if (!fitted_ns(judge, first[0].key.transport, low, &ns) || low <= 0) {
        fputs("1 NaN\n\n\n", out);
        return;
    }
    for (int i = 0; i <= steps; i++) {
        double bytes = low * pow(high / low, (double)i / steps);
        if (fitted_ns(judge, first[0].key.transport, bytes, &ns))
            fprintf(out, "%.6g %.6g\n", bytes, ns);
    }
    fputs("\n\n", out);
}

static size_t write_sizes(FILE *out, const struct hk_judge *judge, const struct sized *first,
                          size_t count)
{
    if (count < 2)
        return 0;
    fprintf(out, "\"%s\" median_ns lower_ns upper_ns\n", first[0].key.transport);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%lld %.6g %.6g %.6g\n", (long long)first[i].key.bytes,
                first[i].cost_ns.median, first[i].cost_ns.lower, first[i].cost_ns.upper);
    fputs("\n\n", out);
    write_fit(out, judge, first, count);
    return count;
}

enum hk_status figure_size(const struct hk_report_source *source, FILE *out, size_t *points)
{
    struct sized *all = calloc(source->run->launch_count + 1, sizeof(*all));
    if (!all)
        return HK_ENOMEM;
    size_t n = 0;
    struct cell cell;
    for (size_t next = 0; cell_next(source->run, &next, &cell);)
        if (is_round_trip(cell.name, &all[n].key) && all[n].key.bytes > 0 &&
            strcmp(all[n].key.place, "same_core") == 0 &&
            is_among(all[n].key.transport, sized_transports, HK_ARRAY_COUNT(sized_transports)) &&
            cell_spread(&cell, "cost_ns", &all[n].cost_ns))
            n++;
    qsort(all, n, sizeof(*all), compare_sized);
    *points = 0;
    for (size_t start = 0, end; start < n; start = end) {
        end = start + 1;
        while (end < n && strcmp(all[end].key.transport, all[start].key.transport) == 0)
            end++;
        *points += write_sizes(out, source->judge, &all[start], end - start);
    }
    free(all);
    return HK_OK;
}

/* --- single round trips --------------------------------------------------------------- */

struct bucket {
    double ns;
    double count;
};

static int compare_buckets(const void *a, const void *b)
{
    return compare_doubles(a, b); /* by the first member */
}

static enum hk_status merge_buckets(const struct cell *cell, struct bucket **out, size_t *count)
{
    double *ns = NULL, *counts = NULL;
    size_t n = 0, m = 0;
    struct bucket *merged = NULL;
    enum hk_status status = cell_series(cell, "latency_bucket_ns", &ns, &n);
    if (status == HK_OK)
        status = cell_series(cell, "latency_bucket_count", &counts, &m);
    if (status == HK_OK && (n == 0 || n != m))
        status = HK_EEMPTY;
    if (status == HK_OK && !(merged = calloc(n, sizeof(*merged))))
        status = HK_ENOMEM;
    if (status != HK_OK)
        goto done;
    for (size_t i = 0; i < n; i++)
        merged[i] = (struct bucket){ ns[i], counts[i] };
    qsort(merged, n, sizeof(*merged), compare_buckets);
    *out = merged;
    *count = n;
done:
    free(ns);
    free(counts);
    return status;
}

static void write_ccdf(FILE *out, const struct bucket *buckets, size_t count)
{
    double total = 0, seen = 0;
    for (size_t i = 0; i < count; i++)
        total += buckets[i].count;
    for (size_t i = 0; i < count; i++) {
        seen += buckets[i].count;
        if ((i + 1 == count || buckets[i + 1].ns != buckets[i].ns) && seen < total)
            fprintf(out, "%.6g %.6g\n", buckets[i].ns, (total - seen) / total);
    }
}

/* More would be unreadable; one transport of each family is shown. */
#define LATENCY_SERIES_MAX 7

enum hk_status figure_latency(const struct hk_report_source *source, FILE *out, size_t *points)
{
    static const char *const shown[] = { "pipe", "futex_ring", "spin_ring", "udp" };
    size_t series = 0;
    struct cell cell;
    enum hk_status status = HK_OK;
    *points = 0;
    for (size_t next = 0; status == HK_OK && cell_next(source->run, &next, &cell);) {
        struct round_trip key;
        struct bucket *buckets = NULL;
        size_t count = 0;
        if (!is_round_trip(cell.name, &key) || key.bytes != FIGURE_BYTES ||
            series == LATENCY_SERIES_MAX ||
            !is_among(key.transport, shown, HK_ARRAY_COUNT(shown)))
            continue;
        status = merge_buckets(&cell, &buckets, &count);
        if (status == HK_EEMPTY) {
            status = HK_OK;
            continue;
        }
        if (status != HK_OK)
            break;
        fprintf(out, "\"%s, %s\" share\n", key.transport, key.place);
        write_ccdf(out, buckets, count);
        fputs("\n\n", out);
        free(buckets);
        *points += count;
        series++;
    }
    return status;
}
