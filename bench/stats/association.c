/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>

#include "hk/stats/dependence.h"

static bool table_valid(const struct hk_table2x2 *t)
{
    const double counts[] = {t->both, t->first_only, t->second_only, t->neither};
    for (int i = 0; i < 4; i++) {
        if (!isfinite(counts[i]) || counts[i] < 0.0) {
            return false;
        }
    }
    return true;
}

enum hk_status hk_association_test(const struct hk_table2x2 *tables, size_t class_count,
                                   struct hk_association *out)
{
    if (!tables || !out || class_count == 0) {
        return HK_EINVAL;
    }
    double excess = 0.0;
    double variance = 0.0;
    double agree = 0.0;
    double disagree = 0.0;
    for (size_t i = 0; i < class_count; i++) {
        const struct hk_table2x2 *t = &tables[i];
        if (!table_valid(t)) {
            return HK_EINVAL;
        }
        const double first = t->both + t->first_only;
        const double second = t->both + t->second_only;
        const double total = first + t->second_only + t->neither;
        if (total < 2.0) {
            continue; /* one observation says nothing about association */
        }
        excess += t->both - first * second / total;
        variance += first * (total - first) * second * (total - second) /
                    (total * total * (total - 1.0));
        agree += t->both * t->neither / total;
        disagree += t->first_only * t->second_only / total;
    }
    if (!(variance > 0.0) || disagree == 0.0) {
        return HK_ENOISE;
    }
    const double distance = fmax(0.0, fabs(excess) - 0.5);
    const double statistic = distance * distance / variance;
    *out = (struct hk_association){
        .statistic = statistic,
        .p_value = gsl_cdf_chisq_Q(statistic, 1.0),
        .common_odds_ratio = agree / disagree,
    };
    return HK_OK;
}
