/* SPDX-License-Identifier: MIT */
/*
 * F8: how often a cached answer is an old one. The rate of changes is that of the law that they are
 * drawn from; P is counted by the versions that answers carried.
 *
 * The cache is made new every tau, so a change stays unseen for tau / 2 in the mean. The textbook
 * takes any unseen change for an old answer, whatever the law of the delay: 1 - e^(-mu tau / 2).
 * The stronger law knows that one refresh brings all changes before it: 1 - (1 - e^-x) / x with
 * x = mu tau. Only this suite's own kernel has such a cache: Linux keeps none of a service's answers
 * whose age could be set and whose versions could be read without FUSE.
 */
#include <stdio.h>

#include "contest.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/staleness.h"

enum { REFRESHES = 3 };

static const double margin = 0.0487901641694320; /* ln 1.05 */

static const char cells[] = "guest/staleness/file/refresh_us:%d/place:%s";
static const int refreshes_us[REFRESHES] = {500, 1000, 2000};

/* Where the service is; its cache is the kernel's in either case. */
static const struct place {
    const char *name;
    const char *regime;
} places[] = {{"server", "guest/refresh/server"}, {"kernel", "guest/refresh/kernel"}};

/* Changes per second. HK_ENOENT when the run does not say. */
static enum hk_status read_rate(const struct hk_run *run, const char *place, double *rate_per_s,
                                size_t *launches)
{
    struct hk_cell_values change;

    if (hk_cell_read(run, "hk_change_ns", &change, cells, 0, place) != HK_OK ||
        !(change.values[0] > 0))
        return HK_ENOENT;
    *rate_per_s = HK_NS_PER_S / change.values[0];
    *launches = change.count;
    return HK_OK;
}

enum hk_status hk_f8_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(places) && status == HK_OK; i++) {
        char name[HK_NAME_BYTES], source[HK_NAME_BYTES];
        size_t launches;
        double rate_per_s;
        if (read_rate(training, places[i].name, &rate_per_s, &launches) != HK_OK)
            continue;
        snprintf(name, sizeof name, "F8/%s/change_rate_per_s", places[i].name);
        snprintf(source, sizeof source, cells, 0, places[i].name);
        status = hk_judge_add_exact(judge, name, rate_per_s, launches, source);
    }
    return status;
}

/* Old answers of all, in each launch. HK_ENOENT also for none: nothing has no logarithm. */
static enum hk_status read_share(const struct hk_run *run, const char *place, int refresh_us,
                                 struct hk_cell_values *share)
{
    if (hk_cell_read_ratio(run, "hk_stale", "hk_looks", share, cells, refresh_us, place) != HK_OK)
        return HK_ENOENT;
    for (size_t i = 0; i < share->count; i++)
        if (!(share->values[i] > 0))
            return HK_ENOENT;
    return HK_OK;
}

static enum hk_status compare_refresh(const struct hk_run *target, const char *place,
                                      double rate_per_s, int refresh_us,
                                      struct hk_contest *contest, struct hk_judge *judge)
{
    const double refresh_ns = (double)refresh_us * HK_NS_PER_US;
    const struct hk_time_law unseen = {.kind = HK_TIME_CONSTANT, .mean_ns = refresh_ns / 2};
    struct hk_estimate any = {.count = 1}, latest = {.count = 1};
    struct hk_cell_values share;
    struct hk_comparison c;

    if (read_share(target, place, refresh_us, &share) != HK_OK ||
        hk_contest_measure(contest, &share, &c) != HK_OK)
        return HK_OK; /* not in this run */
    snprintf(c.quantity, sizeof c.quantity, "stale_ratio");
    enum hk_status status = hk_stale_any_pending(rate_per_s, &unseen, &any.value);
    if (status == HK_OK)
        status = hk_stale_ttl(rate_per_s, refresh_ns, &latest.value);
    if (status == HK_OK)
        status = hk_contest_predict(contest, 0, judge, &c, &any);
    return status == HK_OK ? hk_contest_predict(contest, 1, judge, &c, &latest) : status;
}

enum hk_status hk_f8_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(places) && status == HK_OK; i++) {
        struct hk_contest contest = {.formula = "F8", .regime = places[i].regime, .margin = margin,
                                     .model_count = 2,
                                     .models = {"textbook", "periodic refresh"}};
        double rate_per_s;
        size_t launches;
        if (read_rate(training, places[i].name, &rate_per_s, &launches) != HK_OK)
            continue;
        for (size_t r = 0; r < REFRESHES && status == HK_OK; r++)
            status = compare_refresh(target, places[i].name, rate_per_s, refreshes_us[r], &contest,
                                     judge);
        if (status == HK_OK)
            status = hk_contest_decide(&contest, judge);
    }
    return status;
}
