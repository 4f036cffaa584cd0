/* SPDX-License-Identifier: MIT */
#include "hk/stats/multiple.h"

#include <math.h>
#include <stdlib.h>

struct indexed {
    double p;
    size_t index;
};

static int by_p(const void *a, const void *b)
{
    const double x = ((const struct indexed *)a)->p;
    const double y = ((const struct indexed *)b)->p;
    return (x > y) - (x < y);
}

/* Check and sort; *out is the caller's to free on HK_OK. */
static enum hk_status order(const double *p, size_t m, const double *adjusted,
                            struct indexed **out)
{
    if (!p || !adjusted || m == 0) {
        return HK_EINVAL;
    }
    for (size_t i = 0; i < m; i++) {
        if (!(p[i] >= 0.0 && p[i] <= 1.0)) {
            return HK_EINVAL;
        }
    }
    struct indexed *ordered = malloc(m * sizeof *ordered);
    if (!ordered) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < m; i++) {
        ordered[i] = (struct indexed){.p = p[i], .index = i};
    }
    qsort(ordered, m, sizeof *ordered, by_p);
    *out = ordered;
    return HK_OK;
}

enum hk_status hk_adjust_holm(const double *p, size_t m, double *adjusted)
{
    struct indexed *ordered;
    const enum hk_status status = order(p, m, adjusted, &ordered);
    if (status != HK_OK) {
        return status;
    }
    double largest = 0.0;
    for (size_t i = 0; i < m; i++) {
        largest = fmax(largest, fmin(1.0, (double)(m - i) * ordered[i].p));
        adjusted[ordered[i].index] = largest;
    }
    free(ordered);
    return HK_OK;
}

enum hk_status hk_adjust_benjamini_hochberg(const double *p, size_t m, double *adjusted)
{
    struct indexed *ordered;
    const enum hk_status status = order(p, m, adjusted, &ordered);
    if (status != HK_OK) {
        return status;
    }
    double smallest = 1.0;
    for (size_t i = m; i > 0; i--) {
        smallest = fmin(smallest, (double)m / (double)i * ordered[i - 1].p);
        adjusted[ordered[i - 1].index] = smallest;
    }
    free(ordered);
    return HK_OK;
}
