/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "gpd_profile.h"
#include "hk/base/units.h"
#include "hk/model/tail.h"

#define POINT_COUNT 13

/* Upper tail probabilities of the percentage points below. */
static const double point_p[POINT_COUNT] = {0.99, 0.95, 0.90,  0.75, 0.50,  0.25, 0.15,
                                            0.10, 0.05, 0.025, 0.01, 0.005, 0.001};

/*
 * Percentage points of A2 with both parameters estimated by this library, which
 * depend on the shape: 20,000 samples of n = 300 for each xi.
 */
static const struct {
    double xi;
    double points[POINT_COUNT];
} shapes[] = {
    {-0.50,
     {0.1507, 0.2025, 0.2394, 0.3208, 0.4597, 0.6770, 0.8383,
      0.9609, 1.1799, 1.4054, 1.7744, 2.0440, 2.6959}},
    {-0.25,
     {0.1477, 0.1914, 0.2263, 0.3027, 0.4258, 0.6205, 0.7578,
      0.8719, 1.0714, 1.2694, 1.5957, 1.8230, 2.2745}},
    {-0.10,
     {0.1428, 0.1862, 0.2175, 0.2873, 0.4013, 0.5861, 0.7175,
      0.8201, 0.9999, 1.1899, 1.4550, 1.6759, 2.1627}},
    {0.00,
     {0.1355, 0.1810, 0.2118, 0.2796, 0.3933, 0.5644, 0.6869,
      0.7852, 0.9715, 1.1557, 1.4265, 1.5906, 2.0842}},
    {0.10,
     {0.1368, 0.1788, 0.2066, 0.2753, 0.3840, 0.5496, 0.6664,
      0.7588, 0.9277, 1.0956, 1.3253, 1.4977, 1.8996}},
    {0.25,
     {0.1367, 0.1748, 0.2039, 0.2690, 0.3739, 0.5306, 0.6446,
      0.7344, 0.8888, 1.0365, 1.2680, 1.4340, 1.8464}},
    {0.50,
     {0.1324, 0.1714, 0.1983, 0.2595, 0.3554, 0.4989, 0.6045,
      0.6836, 0.8311, 0.9765, 1.1698, 1.3334, 1.8334}},
    {0.75,
     {0.1311, 0.1688, 0.1953, 0.2516, 0.3442, 0.4854, 0.5846,
      0.6593, 0.7984, 0.9424, 1.1419, 1.2933, 1.6593}},
    {1.00,
     {0.1286, 0.1665, 0.1928, 0.2485, 0.3380, 0.4692, 0.5612,
      0.6342, 0.7534, 0.8885, 1.0667, 1.1909, 1.5279}},
    {1.50,
     {0.1289, 0.1641, 0.1880, 0.2414, 0.3261, 0.4515, 0.5394,
      0.6129, 0.7348, 0.8596, 1.0280, 1.1564, 1.4527}},
    {2.00,
     {0.1270, 0.1619, 0.1873, 0.2408, 0.3253, 0.4483, 0.5381,
      0.6067, 0.7189, 0.8410, 0.9990, 1.1079, 1.4102}},
};

double gpd_anderson(const double *ascending, size_t n, double offset, double xi, double sigma)
{
    const double count = (double)n;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double above = hk_gpd_survival(xi, sigma, ascending[i] - offset);
        const double rank = (double)i;
        /* The floor keeps one value at the end of the support from being everything. */
        sum += (2.0 * rank + 1.0) * log(fmax(1.0 - above, 1e-300)) +
               (2.0 * (count - rank) - 1.0) * log(fmax(above, 1e-300));
    }
    return -count - sum / count;
}

/* Percentage point at a shape between two rows. */
static double point_at(size_t row, double share, size_t point)
{
    return shapes[row].points[point] +
           share * (shapes[row + 1].points[point] - shapes[row].points[point]);
}

double gpd_anderson_p(double statistic, double xi)
{
    const size_t last = HK_ARRAY_COUNT(shapes) - 1;
    const double clamped = fmin(fmax(xi, shapes[0].xi), shapes[last].xi);
    size_t row = 0;
    while (row + 1 < last && clamped > shapes[row + 1].xi) {
        row++;
    }
    const double share = (clamped - shapes[row].xi) / (shapes[row + 1].xi - shapes[row].xi);
    double before = point_at(row, share, 0);
    if (statistic <= before) {
        return point_p[0];
    }
    for (size_t i = 1; i < POINT_COUNT; i++) {
        const double here = point_at(row, share, i);
        if (statistic <= here) {
            const double t = (statistic - before) / (here - before);
            return exp(log(point_p[i - 1]) + t * (log(point_p[i]) - log(point_p[i - 1])));
        }
        before = here;
    }
    return point_p[POINT_COUNT - 1];
}
