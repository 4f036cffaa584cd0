/* SPDX-License-Identifier: MIT */
#include "hk/stats/proportion.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

static bool confidence_valid(double confidence)
{
    return confidence > 0.0 && confidence < 1.0;
}

static bool trials_valid(uint64_t events, uint64_t trials)
{
    return trials >= 1 && trials <= UINT_MAX && events <= trials;
}

/*
 * p with P(Beta(a, b) <= p) = tail, by bisection: GSL's own inverse does not
 * converge for some large a and b.
 */
static double beta_quantile(double a, double b, double tail)
{
    double low = 0.0;
    double high = 1.0;
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        const double middle = low + (high - low) / 2.0;
        if (gsl_cdf_beta_P(middle, a, b) < tail) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low + (high - low) / 2.0;
}

enum hk_status hk_proportion_interval(uint64_t events, uint64_t trials, double confidence,
                                      struct hk_interval *out)
{
    if (!out || !trials_valid(events, trials) || !confidence_valid(confidence)) {
        return HK_EINVAL;
    }
    const double tail = (1.0 - confidence) / 2.0;
    const double k = (double)events;
    const double n = (double)trials;
    *out = (struct hk_interval){
        .lower = events == 0 ? 0.0 : beta_quantile(k, n - k + 1.0, tail),
        .upper = events == trials ? 1.0 : beta_quantile(k + 1.0, n - k, 1.0 - tail),
        .confidence_ratio = confidence,
    };
    return HK_OK;
}

enum hk_status hk_proportion_count_needed(double probability, double relative,
                                          double confidence, uint64_t *trials)
{
    if (!trials || !(probability > 0.0 && probability < 1.0) || !(relative > 0.0) ||
        !confidence_valid(confidence)) {
        return HK_EINVAL;
    }
    const double z = gsl_cdf_ugaussian_Qinv((1.0 - confidence) / 2.0) / relative;
    const double needed = ceil(z * z * (1.0 - probability) / probability);
    if (!(needed <= 9007199254740992.0)) {
        return HK_ERANGE;
    }
    *trials = (uint64_t)fmax(1.0, needed);
    return HK_OK;
}

/* Smallest k with P(Bin <= k) >= level. */
static unsigned binomial_quantile(unsigned n, double probability, double level)
{
    unsigned low = 0;
    unsigned high = n;
    while (low < high) {
        const unsigned middle = low + (high - low) / 2;
        if (gsl_cdf_binomial_P(middle, probability, n) >= level) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

enum hk_status hk_binomial_band(uint64_t trials, double probability, double confidence,
                                uint64_t *low, uint64_t *high)
{
    if (!low || !high || !trials_valid(0, trials) || !confidence_valid(confidence) ||
        !(probability >= 0.0 && probability <= 1.0)) {
        return HK_EINVAL;
    }
    const double tail = (1.0 - confidence) / 2.0;
    *low = binomial_quantile((unsigned)trials, probability, tail);
    *high = binomial_quantile((unsigned)trials, probability, 1.0 - tail);
    return HK_OK;
}

/*
 * P of all outcomes on the far side of the mode that are no more likely than the
 * one seen. The probabilities fall away from the mode, so a search finds the edge.
 */
static double far_tail(unsigned seen, unsigned n, double probability)
{
    const double mean = (double)n * probability;
    const double limit = gsl_ran_binomial_pdf(seen, probability, n) * (1.0 + 1e-7);
    if ((double)seen < mean) {
        unsigned low = (unsigned)ceil(mean);
        unsigned high = n + 1;
        while (low < high) {
            const unsigned middle = low + (high - low) / 2;
            if (gsl_ran_binomial_pdf(middle, probability, n) <= limit) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low > n ? 0.0 : gsl_cdf_binomial_Q(low - 1, probability, n);
    }
    unsigned low = 0; /* outcomes below this one are no more likely */
    unsigned high = (unsigned)floor(mean) + 1;
    while (low < high) {
        const unsigned middle = low + (high - low) / 2;
        if (gsl_ran_binomial_pdf(middle, probability, n) <= limit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? 0.0 : gsl_cdf_binomial_P(low - 1, probability, n);
}

enum hk_status hk_binomial_test(uint64_t events, uint64_t trials, double probability, double *p)
{
    if (!p || !trials_valid(events, trials) || trials == UINT_MAX ||
        !(probability >= 0.0 && probability <= 1.0)) {
        return HK_EINVAL;
    }
    const unsigned k = (unsigned)events;
    const unsigned n = (unsigned)trials;
    const double mean = (double)n * probability;
    if (probability == 0.0 || probability == 1.0) {
        *p = (double)k == mean ? 1.0 : 0.0;
        return HK_OK;
    }
    if ((double)k == mean) {
        *p = 1.0;
        return HK_OK;
    }
    double near_tail;
    if ((double)k < mean) {
        near_tail = gsl_cdf_binomial_P(k, probability, n);
    } else {
        near_tail = k == 0 ? 1.0 : gsl_cdf_binomial_Q(k - 1, probability, n);
    }
    *p = fmin(1.0, near_tail + far_tail(k, n, probability));
    return HK_OK;
}

/* x ln y with 0 ln 0 = 0. */
static double x_log_y(double x, double y)
{
    return x == 0.0 ? 0.0 : x * log(y);
}

enum hk_status hk_coverage_test(uint64_t hits, uint64_t trials, double nominal,
                                struct hk_coverage *out)
{
    if (!out || !trials_valid(hits, trials) || !confidence_valid(nominal)) {
        return HK_EINVAL;
    }
    const double n = (double)trials;
    const double hit = (double)hits;
    const double miss = n - hit;
    const double claimed = x_log_y(hit, nominal) + x_log_y(miss, 1.0 - nominal);
    const double seen = x_log_y(hit, hit / n) + x_log_y(miss, miss / n);
    struct hk_coverage coverage = {
        .coverage_ratio = hit / n,
        .statistic = fmax(0.0, 2.0 * (seen - claimed)),
    };
    coverage.p_value = gsl_cdf_chisq_Q(coverage.statistic, 1.0);
    (void)hk_proportion_interval(hits, trials, 0.95, &coverage.interval);
    *out = coverage;
    return HK_OK;
}
