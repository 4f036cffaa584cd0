/* SPDX-License-Identifier: MIT */
/* What the arguments of models are checked for; private to the component. */
#ifndef HK_MODEL_CHECK_H
#define HK_MODEL_CHECK_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "hk/stats/estimate.h"

static inline bool check_positive(double x)
{
    return isfinite(x) && x > 0.0;
}

static inline bool check_not_negative(double x)
{
    return isfinite(x) && x >= 0.0;
}

static inline bool check_ratio(double x)
{
    return x >= 0.0 && x <= 1.0;
}

/* Confidences and probabilities that must leave something on both sides. */
static inline bool check_inside_unit(double x)
{
    return x > 0.0 && x < 1.0;
}

/* Any finite value with an error that can be one. */
static inline bool check_estimate(const struct hk_estimate *e)
{
    return isfinite(e->value) && check_not_negative(e->standard_error);
}

static inline bool check_positive_estimate(const struct hk_estimate *e)
{
    return check_estimate(e) && e->value > 0.0;
}

static inline bool check_cost_estimate(const struct hk_estimate *e)
{
    return check_estimate(e) && e->value >= 0.0;
}

static inline bool check_finite_estimate(const struct hk_estimate *e)
{
    return isfinite(e->value) && isfinite(e->standard_error);
}

static inline size_t check_fewer(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
