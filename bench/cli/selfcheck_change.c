/* SPDX-License-Identifier: MIT */
/* The change points of a history against series of known truth. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hk/stats/change.h"
#include "hk/stats/noise.h"
#include "selfcheck.h"

enum { SERIES = 10000, POINTS = 60 };

static const double alpha = 0.01;
static const double rate_min = 0.005;
static const double rate_max = 0.025;

static enum hk_status count_false(const double *values, uint64_t *rejections)
{
    struct hk_change_series *series = calloc(SERIES, sizeof *series);
    struct hk_change_judged *judged = calloc(SERIES, sizeof *judged);
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const struct hk_change_plan plan = {.false_discovery_ratio = alpha, .permutations_min = 999,
                                        .seed = 1, .thread_count = cpus > 0 ? (size_t)cpus : 1};
    enum hk_status status = series != NULL && judged != NULL ? HK_OK : HK_ENOMEM;

    for (size_t i = 0; status == HK_OK && i < SERIES; i++)
        series[i] = (struct hk_change_series){values + i * POINTS, POINTS};
    if (status == HK_OK)
        status = hk_change_judge(series, SERIES, &plan, judged);
    for (size_t i = 0; status == HK_OK && i < SERIES; i++)
        *rejections += judged[i].change.p_value <= alpha;
    free(series);
    free(judged);
    return status;
}

enum hk_status hk_selfcheck_changes(const struct hk_check_session *session,
                                    const struct hk_check *check, struct hk_check_result *result)
{
    const enum hk_noise noise = *(const enum hk_noise *)check->row;
    double *values = malloc(SERIES * POINTS * sizeof *values);
    struct hk_rng *rng = NULL;
    uint64_t rejections = 0;
    enum hk_status status = values != NULL ? hk_rng_create(session->seed, noise, &rng) : HK_ENOMEM;

    for (size_t i = 0; status == HK_OK && i < SERIES; i++)
        hk_noise_draw(noise, rng, values + i * POINTS, POINTS);
    if (status == HK_OK)
        status = count_false(values, &rejections);
    hk_rng_destroy(rng);
    free(values);
    session->step(session->step_context);
    result->count = SERIES;
    result->value = result->lower = result->upper = (double)rejections;
    result->bound_low = rate_min * SERIES;
    result->bound_high = rate_max * SERIES;
    return status;
}
