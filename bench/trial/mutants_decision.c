/* SPDX-License-Identifier: MIT */
/* F1 and F8. */
#include <math.h>
#include <string.h>

#include "hk/base/units.h"
#include "mutants.h"

/* --- F1 -------------------------------------------------------------------------- */

enum { SECURITY, PERFORMANCE, SIMPLICITY }; /* S, P, -C */

typedef void change_alternative(struct hk_alternative *a);

/* Choices made on alternatives that were changed first, against what was measured. */
static enum hk_status regret_of(const struct hk_alternative *predicted,
                                const struct hk_alternative *measured,
                                const struct hk_alternative *error, size_t n,
                                struct hk_utility_regret *out, change_alternative *change)
{
    struct hk_alternative wrong[HK_ALTERNATIVES_MAX];

    if (n > HK_ALTERNATIVES_MAX)
        return HK_ETOOBIG;
    memcpy(wrong, predicted, n * sizeof *predicted);
    for (size_t i = 0; i < n; i++)
        change(&wrong[i]);
    return __real_hk_utility_regret(wrong, measured, error, n, out);
}

static void swap_s_and_c(struct hk_alternative *a)
{
    const double s = a->attribute[SECURITY];

    a->attribute[SECURITY] = a->attribute[SIMPLICITY];
    a->attribute[SIMPLICITY] = s;
}

static void plus_c(struct hk_alternative *a)
{
    a->attribute[SIMPLICITY] = -a->attribute[SIMPLICITY];
}

static void cost_for_performance(struct hk_alternative *a)
{
    a->attribute[PERFORMANCE] = 1 / a->attribute[PERFORMANCE];
}

static void no_performance(struct hk_alternative *a)
{
    a->attribute[PERFORMANCE] = 0;
}

static void no_security(struct hk_alternative *a)
{
    a->attribute[SECURITY] = 0;
}

#define REGRET_WITH(name, change)                                                                 \
    static enum hk_status name(const struct hk_alternative *predicted,                            \
                               const struct hk_alternative *measured,                             \
                               const struct hk_alternative *error, size_t n,                      \
                               struct hk_utility_regret *out)                                     \
    {                                                                                             \
        return regret_of(predicted, measured, error, n, out, change);                             \
    }

REGRET_WITH(swapped, swap_s_and_c)
REGRET_WITH(added, plus_c)
REGRET_WITH(dear_is_good, cost_for_performance)
REGRET_WITH(speed_ignored, no_performance)
REGRET_WITH(safety_ignored, no_security)

const struct hk_mutant hk_mutants_utility[] = {
    {"S and C swapped", "placements additive", 1, {.utility_regret = swapped}, NULL},
    {"- w_C C -> + w_C C", "placements additive", 1, {.utility_regret = added}, NULL},
    {"cost for performance", "placements additive", 1, {.utility_regret = dear_is_good}, NULL},
    {"w_P P dropped", "placements additive", 1, {.utility_regret = speed_ignored}, NULL},
    {"w_S S dropped", "placements additive", 2, {.utility_regret = safety_ignored}, NULL},
    {0},
};

/* --- F8 -------------------------------------------------------------------------- */

/* 1 - e^(-mu d) -> mu d: more than 1 in the end. */
static enum hk_status linear_any(double rate, const struct hk_time_law *delay, double *p)
{
    double mean_ns = 0;
    const enum hk_status status = hk_time_law_mean(delay, &mean_ns);

    *p = rate * mean_ns / HK_NS_PER_S;
    return status;
}

static enum hk_status any_at(double rate, const struct hk_time_law *delay, double factor,
                             double *p)
{
    return __real_hk_stale_any_pending(factor * rate, delay, p);
}

/* A change waits for the whole period, not for half of it in the mean. */
static enum hk_status whole_period(double rate, const struct hk_time_law *delay, double *p)
{
    return any_at(rate, delay, 2, p);
}

static enum hk_status quarter_period(double rate, const struct hk_time_law *delay, double *p)
{
    return any_at(rate, delay, 0.5, p);
}

static enum hk_status fresh_for_stale(double rate, const struct hk_time_law *delay, double *p)
{
    const enum hk_status status = __real_hk_stale_any_pending(rate, delay, p);

    *p = 1 - *p;
    return status;
}

static enum hk_status ttl_at(double rate, double ttl_ns, double factor, double *p)
{
    return __real_hk_stale_ttl(rate, factor * ttl_ns, p);
}

static enum hk_status half_ttl(double rate, double ttl_ns, double *p)
{
    return ttl_at(rate, ttl_ns, 0.5, p);
}

/* Old at once when a period has seen a change at all: 1 - e^(-mu tau). */
static enum hk_status any_in_period(double rate, double ttl_ns, double *p)
{
    *p = -expm1(-rate * ttl_ns / HK_NS_PER_S);
    return HK_OK;
}

static enum hk_status fresh_ttl(double rate, double ttl_ns, double *p)
{
    const enum hk_status status = __real_hk_stale_ttl(rate, ttl_ns, p);

    *p = 1 - *p;
    return status;
}

const struct hk_mutant hk_mutants_staleness[] = {
    {"1 - e^(-mu d) -> mu d", "few changes", 0, {.stale_any = linear_any}, NULL},
    {"d = tau", "few changes", 0, {.stale_any = whole_period}, NULL},
    {"d = tau / 4", "few changes", 0, {.stale_any = quarter_period}, NULL},
    {"fresh for stale", "few changes", 0, {.stale_any = fresh_for_stale}, NULL},
    {"tau / 2 in the law of the refresh", "many changes", 0, {.stale_ttl = half_ttl}, NULL},
    {"any change in a period", "many changes", 0, {.stale_ttl = any_in_period}, NULL},
    {"1 - P of the refresh", "many changes", 0, {.stale_ttl = fresh_ttl}, NULL},
    {0},
};
