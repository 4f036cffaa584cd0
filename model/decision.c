/* SPDX-License-Identifier: MIT */
#include "hk/model/decision.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "hk/stats/quantile.h"

static enum hk_status table_check(const struct hk_decision_table *table)
{
    if (!table || !table->values || table->option_count == 0 ||
        table->draw_count > SIZE_MAX / sizeof(double) / table->option_count) {
        return HK_EINVAL;
    }
    if (table->draw_count < 2) {
        return HK_ENOISE;
    }
    return hk_sample_finite(table->values, table->draw_count * table->option_count) ? HK_OK
                                                                                    : HK_EINVAL;
}

static const double *row_of(const struct hk_decision_table *table, size_t draw)
{
    return table->values + draw * table->option_count;
}

static double largest(const double *values, size_t n)
{
    double most = values[0];
    for (size_t i = 1; i < n; i++) {
        most = fmax(most, values[i]);
    }
    return most;
}

static double option_mean(const struct hk_decision_table *table, size_t option)
{
    double mean = 0.0;
    for (size_t d = 0; d < table->draw_count; d++) {
        mean += (row_of(table, d)[option] - mean) / (double)(d + 1);
    }
    return mean;
}

/* Shares of draws in which each option is best; equals share a draw. */
static void count_wins(const struct hk_decision_table *table, double *win_ratio)
{
    memset(win_ratio, 0, table->option_count * sizeof *win_ratio);
    for (size_t d = 0; d < table->draw_count; d++) {
        const double *row = row_of(table, d);
        const double most = largest(row, table->option_count);
        size_t equals = 0;
        for (size_t i = 0; i < table->option_count; i++) {
            equals += row[i] == most;
        }
        for (size_t i = 0; i < table->option_count; i++) {
            win_ratio[i] +=
                row[i] == most ? 1.0 / ((double)equals * (double)table->draw_count) : 0.0;
        }
    }
}

enum hk_status hk_decision_analyse(const struct hk_decision_table *table, double *win_ratio,
                                   double *regret_mean, struct hk_decision *out)
{
    const enum hk_status status = out ? table_check(table) : HK_EINVAL;
    if (status != HK_OK) {
        return status;
    }
    double best_in_hindsight = 0.0;
    for (size_t d = 0; d < table->draw_count; d++) {
        const double most = largest(row_of(table, d), table->option_count);
        best_in_hindsight += (most - best_in_hindsight) / (double)(d + 1);
    }
    struct hk_decision result = {.value_mean = -INFINITY};
    for (size_t i = 0; i < table->option_count; i++) {
        const double mean = option_mean(table, i);
        if (!isfinite(mean) || !isfinite(best_in_hindsight - mean)) {
            return HK_EINVAL;
        }
        if (mean > result.value_mean) {
            result.value_mean = mean;
            result.best = i;
        }
    }
    result.value_of_information = fmax(0.0, best_in_hindsight - result.value_mean);
    for (size_t i = 0; regret_mean && i < table->option_count; i++) {
        regret_mean[i] = fmax(0.0, best_in_hindsight - option_mean(table, i));
    }
    if (win_ratio) {
        count_wins(table, win_ratio);
    }
    *out = result;
    return HK_OK;
}

struct keyed_draw {
    double key;
    size_t draw;
};

static int by_key(const void *a, const void *b)
{
    const double x = ((const struct keyed_draw *)a)->key;
    const double y = ((const struct keyed_draw *)b)->key;
    return (x > y) - (x < y);
}

/* Mean over bins of the best option's mean within the bin. */
static double informed_mean(const struct hk_decision_table *table,
                            const struct keyed_draw *sorted, size_t bins, double *sums)
{
    double mean = 0.0;
    for (size_t b = 0; b < bins; b++) {
        const size_t first = b * table->draw_count / bins;
        const size_t end = (b + 1) * table->draw_count / bins;
        memset(sums, 0, table->option_count * sizeof *sums);
        for (size_t s = first; s < end; s++) {
            const double *row = row_of(table, sorted[s].draw);
            for (size_t i = 0; i < table->option_count; i++) {
                sums[i] += row[i] / (double)table->draw_count;
            }
        }
        mean += largest(sums, table->option_count);
    }
    return mean;
}

enum hk_status hk_decision_information(const struct hk_decision_table *table,
                                       const double *parameter, size_t bins, double *value)
{
    struct hk_decision decision;
    if (!value || bins < 2) {
        return HK_EINVAL;
    }
    enum hk_status status = hk_decision_analyse(table, NULL, NULL, &decision);
    if (status != HK_OK) {
        return status;
    }
    if (!hk_sample_finite(parameter, table->draw_count)) {
        return HK_EINVAL;
    }
    if (bins > table->draw_count / 2) {
        return HK_ENOISE;
    }
    struct keyed_draw *sorted = malloc(table->draw_count * sizeof *sorted);
    double *sums = malloc(table->option_count * sizeof *sums);
    status = sorted && sums ? HK_OK : HK_ENOMEM;
    if (status == HK_OK) {
        for (size_t d = 0; d < table->draw_count; d++) {
            sorted[d] = (struct keyed_draw){parameter[d], d};
        }
        qsort(sorted, table->draw_count, sizeof *sorted, by_key);
        *value = fmax(0.0, informed_mean(table, sorted, bins, sums) - decision.value_mean);
    }
    free(sorted);
    free(sums);
    return status;
}

enum hk_status hk_decision_ranks(const struct hk_decision_table *table, double *rank_ratio)
{
    const enum hk_status status = rank_ratio ? table_check(table) : HK_EINVAL;
    if (status != HK_OK) {
        return status;
    }
    const size_t n = table->option_count;
    memset(rank_ratio, 0, n * n * sizeof *rank_ratio);
    for (size_t d = 0; d < table->draw_count; d++) {
        const double *row = row_of(table, d);
        for (size_t i = 0; i < n; i++) {
            size_t better = 0;
            for (size_t j = 0; j < n; j++) {
                better += row[j] > row[i];
            }
            rank_ratio[i * n + better] += 1.0 / (double)table->draw_count;
        }
    }
    return HK_OK;
}

/*
 * First order: every order statistic at least as large. Second order: every partial
 * sum of order statistics at least as large, which is the integral condition for
 * samples of the same size.
 */
static enum hk_dominance compare_sorted(const double *better, const double *other, size_t n)
{
    bool first = true;
    bool second = true;
    bool different = false;
    double lead = 0.0;
    for (size_t i = 0; i < n; i++) {
        first = first && better[i] >= other[i];
        different = different || better[i] != other[i];
        lead += better[i] - other[i];
        second = second && lead >= 0.0;
    }
    if (!different) {
        return HK_DOMINANCE_NONE;
    }
    if (first) {
        return HK_DOMINANCE_FIRST;
    }
    return second ? HK_DOMINANCE_SECOND : HK_DOMINANCE_NONE;
}

enum hk_status hk_decision_dominance(const struct hk_decision_table *table, size_t better,
                                     size_t other, enum hk_dominance *dominance)
{
    enum hk_status status = dominance ? table_check(table) : HK_EINVAL;
    if (status != HK_OK) {
        return status;
    }
    if (better >= table->option_count || other >= table->option_count) {
        return HK_EINVAL;
    }
    const size_t n = table->draw_count;
    double *sorted = malloc(2 * n * sizeof *sorted);
    if (!sorted) {
        return HK_ENOMEM;
    }
    for (size_t d = 0; d < n; d++) {
        sorted[d] = row_of(table, d)[better];
        sorted[n + d] = row_of(table, d)[other];
    }
    status = hk_sample_sort(sorted, n);
    if (status == HK_OK) {
        status = hk_sample_sort(sorted + n, n);
    }
    if (status == HK_OK) {
        *dominance = compare_sorted(sorted, sorted + n, n);
    }
    free(sorted);
    return status;
}
