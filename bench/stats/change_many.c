/* SPDX-License-Identifier: MIT */
/* Many series, on several threads; the newest point of one. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "hk/stats/change.h"
#include "hk/stats/multiple.h"
#include "hk/stats/summary.h"

enum {
    EXCEEDANCES = 10,      /* p at the level is then known to a third of itself */
    ROUND_FACTOR = 10,
    RESOLUTION_FACTOR = 4, /* p can fall to a quarter of what the adjustment asks for */
    THREADS_MAX = 64,
};
static const double permutations_limit = 1e7;

/* One look at the series whose number is listed; threads take them one by one. */
struct look {
    const struct hk_change_series *series;
    struct hk_change_judged *judged;
    const size_t *listed;
    size_t count;
    struct hk_change_options options;
    atomic_size_t next;
};

static void *work(void *context)
{
    struct look *look = context;
    for (;;) {
        const size_t i = atomic_fetch_add(&look->next, 1);
        if (i >= look->count) {
            return NULL;
        }
        const struct hk_change_series *s = &look->series[look->listed[i]];
        struct hk_change_judged *j = &look->judged[look->listed[i]];
        j->status = hk_change_test(s->y, s->n, &look->options, &j->change);
    }
}

/* The caller is one of the threads; a thread that cannot start leaves its share to the others. */
static void look_at(struct look *look, size_t thread_count)
{
    pthread_t threads[THREADS_MAX];
    size_t started = 0;
    atomic_init(&look->next, 0);
    while (started + 1 < thread_count && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, work, look) == 0) {
        started++;
    }
    work(look);
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Keep in the list what could be a finding if only more permutations were drawn. */
static size_t still_open(const struct hk_change_judged *judged, size_t *listed, size_t count,
                         double permutations)
{
    /* Fewer than EXCEEDANCES in all of them, for the better shape; p is twice its p. */
    const double open = 2.0 * (double)EXCEEDANCES / (permutations + 1.0);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct hk_change_judged *j = &judged[listed[i]];
        if (j->status == HK_OK && j->change.p_value <= open) {
            listed[kept++] = listed[i];
        }
    }
    return kept;
}

static void look_again(struct look *look, size_t *listed, size_t judged_count,
                       const struct hk_change_plan *plan)
{
    double permutations = (double)plan->permutations_min;
    for (;;) {
        look->count = still_open(look->judged, listed, look->count, permutations);
        const double needed = RESOLUTION_FACTOR * (double)judged_count /
                              (plan->false_discovery_ratio * (double)look->count);
        if (look->count == 0 || permutations >= needed || permutations >= permutations_limit) {
            return;
        }
        permutations = fmin(permutations * ROUND_FACTOR, permutations_limit);
        look->options.permutations_max = (size_t)permutations;
        look_at(look, plan->thread_count);
    }
}

static enum hk_status adjust(struct hk_change_judged *judged, const size_t *listed, size_t count)
{
    double *p = malloc((count + 1) * sizeof *p);
    enum hk_status status = p ? HK_OK : HK_ENOMEM;
    for (size_t i = 0; p && i < count; i++) {
        p[i] = judged[listed[i]].change.p_value;
    }
    if (status == HK_OK && count > 0) {
        status = hk_adjust_benjamini_hochberg(p, count, p);
    }
    for (size_t i = 0; status == HK_OK && i < count; i++) {
        judged[listed[i]].p_adjusted = p[i];
    }
    free(p);
    return status;
}

enum hk_status hk_change_judge(const struct hk_change_series *series, size_t m,
                               const struct hk_change_plan *plan, struct hk_change_judged *judged)
{
    if (!series || m == 0 || !plan || !judged || plan->thread_count == 0 ||
        plan->permutations_min == 0 ||
        !(plan->false_discovery_ratio > 0.0 && plan->false_discovery_ratio < 1.0)) {
        return HK_EINVAL;
    }
    size_t *listed = malloc(2 * m * sizeof *listed);
    if (!listed) {
        return HK_ENOMEM;
    }
    size_t *all = listed + m;
    size_t judged_count = 0;
    memset(judged, 0, m * sizeof *judged);
    for (size_t i = 0; i < m; i++) {
        listed[i] = i;
    }
    struct look look = {.series = series, .judged = judged, .listed = listed, .count = m,
                        .options = {.permutations_max = plan->permutations_min,
                                    .exceedances_max = EXCEEDANCES,
                                    .seed = plan->seed}};
    look_at(&look, plan->thread_count);
    for (size_t i = 0; i < m; i++) {
        if (judged[i].status == HK_OK) {
            all[judged_count++] = i;
        }
    }
    look_again(&look, listed, judged_count, plan);
    const enum hk_status status = adjust(judged, all, judged_count);
    free(listed);
    return status;
}

/* --- the newest point --------------------------------------------------------------- */

enum hk_status hk_change_newest(const double *y, size_t n, double *p)
{
    struct hk_estimate older;
    if (!y || !p) {
        return HK_EINVAL;
    }
    if (n < HK_CHANGE_SEGMENT_MIN + 1) {
        return HK_ENOISE;
    }
    const enum hk_status status = hk_mean_estimate(y, n - 1, &older);
    if (status != HK_OK || !isfinite(y[n - 1])) {
        return status != HK_OK ? status : HK_EINVAL;
    }
    const double distance = fabs(y[n - 1] - older.value);
    const double sd = older.standard_error * sqrt((double)(n - 1));
    if (sd == 0.0) {
        *p = distance == 0.0 ? 1.0 : 0.0;
        return HK_OK;
    }
    *p = 2.0 * gsl_cdf_tdist_Q(distance / (sd * sqrt(1.0 + 1.0 / (double)(n - 1))),
                               (double)(n - 2));
    return HK_OK;
}
