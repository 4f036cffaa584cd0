/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "hk/stats/bootstrap.h"
#include "hk/stats/dependence.h"

#define COUNT_MIN 8u

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * Smallest lag behind which run autocorrelations in a row are negligible; the
 * last lag looked at if there is none.
 */
static size_t last_notable_lag(const double *rho, size_t lag_max, size_t run, double negligible)
{
    size_t quiet = 0;
    for (size_t lag = 1; lag <= lag_max + run; lag++) {
        quiet = fabs(rho[lag - 1]) < negligible ? quiet + 1 : 0;
        if (quiet == run) {
            return lag - run;
        }
    }
    return lag_max;
}

/* Trapezoid: 1 up to a half, falling to 0 at 1. */
static double flat_top(double t)
{
    return t <= 0.5 ? 1.0 : fmax(0.0, 2.0 * (1.0 - t));
}

enum hk_status hk_block_length(const double *x, size_t n, size_t *length)
{
    if (!x || !length) {
        return HK_EINVAL;
    }
    if (n < COUNT_MIN) {
        return HK_ENOISE;
    }
    const double count = (double)n;
    const size_t run = (size_t)fmax(5.0, ceil(sqrt(log10(count))));
    /* Short series have fewer lags than the rule asks for. */
    const size_t run_used = size_min(run, n / 4);
    const size_t lag_max = size_min((size_t)ceil(sqrt(count)) + run, n - 1 - run_used);
    const size_t length_max = (size_t)ceil(fmin(3.0 * sqrt(count), count / 3.0));
    double *rho = malloc((lag_max + run_used) * sizeof *rho);
    if (!rho) {
        return HK_ENOMEM;
    }
    const enum hk_status status = hk_autocorrelation(x, n, lag_max + run_used, rho);
    if (status == HK_OK) {
        const double negligible = 2.0 * sqrt(log10(count) / count);
        const size_t last = last_notable_lag(rho, lag_max, run_used, negligible);
        const size_t window = size_min(last > 0 ? 2 * last : 1, lag_max);
        double spectrum = 1.0;
        double slope = 0.0;
        for (size_t lag = 1; lag <= window; lag++) {
            const double weight = flat_top((double)lag / (double)window) * rho[lag - 1];
            spectrum += 2.0 * weight;
            slope += 2.0 * (double)lag * weight;
        }
        /* Circular blocks: b = (2 G^2 / D)^(1/3) n^(1/3), D = 4/3 g(0)^2. */
        const double ratio = 1.5 * slope * slope / (spectrum * spectrum);
        const double best = spectrum != 0.0 ? ceil(cbrt(ratio * count)) : (double)length_max;
        *length = best < 1.0 ? 1 : size_min((size_t)fmin(best, count), length_max);
    }
    free(rho);
    return status;
}
