/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/paired.h"
#include "hk/stats/quantile.h"

/* Midranks are doubled throughout, so that they are integers. */
#define RANK_SUM_MAX (HK_WILCOXON_EXACT_MAX * (HK_WILCOXON_EXACT_MAX + 1u))

struct ranked {
    double magnitude;
    bool positive;
    unsigned doubled_rank;
};

static int by_magnitude(const void *a, const void *b)
{
    const double x = ((const struct ranked *)a)->magnitude;
    const double y = ((const struct ranked *)b)->magnitude;
    return (x > y) - (x < y);
}

/* Rank the non-zero differences by size; returns how many, and sum of t^3 - t over ties. */
static size_t rank_differences(const double *d, size_t n, struct ranked *ranked, double *ties)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (d[i] != 0.0) {
            ranked[count++] = (struct ranked){.magnitude = fabs(d[i]), .positive = d[i] > 0.0};
        }
    }
    qsort(ranked, count, sizeof *ranked, by_magnitude);
    *ties = 0.0;
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && ranked[end].magnitude <= ranked[first].magnitude) {
            end++;
        }
        for (size_t i = first; i < end; i++) {
            ranked[i].doubled_rank = (unsigned)(first + 1 + end);
        }
        const double tied = (double)(end - first);
        *ties += tied * tied * tied - tied;
        first = end;
    }
    return count;
}

/*
 * Number of sign patterns by doubled rank sum: ways[s], s = 0..total. Counts reach
 * 2^50 and are exact in a double.
 */
static size_t count_patterns(const struct ranked *ranked, size_t count, double *ways)
{
    size_t total = 0;
    memset(ways, 0, (RANK_SUM_MAX + 1) * sizeof *ways);
    ways[0] = 1.0;
    for (size_t i = 0; i < count; i++) {
        const size_t rank = ranked[i].doubled_rank;
        total += rank;
        for (size_t s = total; s >= rank; s--) {
            ways[s] += ways[s - rank];
        }
    }
    return total;
}

static void exact_p(const struct ranked *ranked, size_t count, size_t doubled_sum,
                    struct hk_wilcoxon *out)
{
    double ways[RANK_SUM_MAX + 1];
    const size_t total = count_patterns(ranked, count, ways);
    double less = 0.0;
    double greater = 0.0;
    for (size_t s = 0; s <= total; s++) {
        less += s <= doubled_sum ? ways[s] : 0.0;
        greater += s >= doubled_sum ? ways[s] : 0.0;
    }
    out->p_less = ldexp(less, -(int)count);
    out->p_greater = ldexp(greater, -(int)count);
}

static void normal_p(size_t count, double ties, struct hk_wilcoxon *out)
{
    const double n = (double)count;
    const double mean = n * (n + 1.0) / 4.0;
    const double sd = sqrt(n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0);
    out->p_greater = gsl_cdf_ugaussian_Q((out->statistic - mean - 0.5) / sd);
    out->p_less = gsl_cdf_ugaussian_P((out->statistic - mean + 0.5) / sd);
}

static void test_ranks(const struct ranked *ranked, double ties, struct hk_wilcoxon *out)
{
    size_t doubled_sum = 0;
    for (size_t i = 0; i < out->count; i++) {
        doubled_sum += ranked[i].positive ? ranked[i].doubled_rank : 0u;
    }
    out->statistic = (double)doubled_sum / 2.0;
    if (out->count <= HK_WILCOXON_EXACT_MAX) {
        exact_p(ranked, out->count, doubled_sum, out);
    } else {
        normal_p(out->count, ties, out);
    }
    out->p_two_sided = fmin(1.0, 2.0 * fmin(out->p_less, out->p_greater));
}

/*
 * How many Walsh averages to leave out at each end, and the confidence attained:
 * the largest k with P(W <= k - 1) <= tail. 0 if n is too small.
 */
static size_t walsh_rank(size_t n, double tail, double *confidence)
{
    if (n > HK_WILCOXON_EXACT_MAX) {
        const double m = (double)n;
        const double mean = m * (m + 1.0) / 4.0;
        const double sd = sqrt(m * (m + 1.0) * (2.0 * m + 1.0) / 24.0);
        const double k = floor(mean + 0.5 - gsl_cdf_ugaussian_Qinv(tail) * sd);
        if (k < 1.0) {
            return 0;
        }
        *confidence = 1.0 - 2.0 * gsl_cdf_ugaussian_P((k - 0.5 - mean) / sd);
        return (size_t)k;
    }
    struct ranked untied[HK_WILCOXON_EXACT_MAX];
    for (size_t i = 0; i < n; i++) {
        untied[i].doubled_rank = (unsigned)(2 * (i + 1));
    }
    double ways[RANK_SUM_MAX + 1];
    (void)count_patterns(untied, n, ways);
    const double patterns = ldexp(1.0, (int)n);
    double below = 0.0;
    size_t k = 0;
    while (below + ways[2 * k] <= tail * patterns) {
        below += ways[2 * k];
        k++;
    }
    *confidence = 1.0 - 2.0 * below / patterns;
    return k;
}

static void fill_walsh(const double *d, size_t n, double *walsh)
{
    size_t filled = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++) {
            walsh[filled++] = d[i] / 2.0 + d[j] / 2.0;
        }
    }
}

enum hk_status hk_wilcoxon_test(const double *d, size_t n, double confidence,
                                struct hk_wilcoxon *out)
{
    if (!out || !hk_sample_finite(d, n) || !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    if (n > HK_PAIRED_COUNT_MAX) {
        return HK_ETOOBIG;
    }
    struct hk_wilcoxon result = {0};
    const size_t rank = walsh_rank(n, (1.0 - confidence) / 2.0,
                                   &result.interval.confidence_ratio);
    if (rank == 0) {
        return HK_ENOISE;
    }
    const size_t walsh_count = n * (n + 1) / 2;
    enum hk_status status = HK_ENOMEM;
    double ties;
    struct ranked *ranked = malloc(n * sizeof *ranked);
    double *walsh = malloc(walsh_count * sizeof *walsh);
    if (!ranked || !walsh) {
        goto done;
    }
    result.count = rank_differences(d, n, ranked, &ties);
    test_ranks(ranked, ties, &result);
    fill_walsh(d, n, walsh);
    status = hk_sample_sort(walsh, walsh_count);
    if (status != HK_OK) {
        goto done;
    }
    (void)hk_quantile(walsh, walsh_count, 0.5, &result.location);
    result.interval.lower = walsh[rank - 1];
    result.interval.upper = walsh[walsh_count - rank];
    *out = result;
done:
    free(ranked);
    free(walsh);
    return status;
}
