/* SPDX-License-Identifier: MIT */
#include <math.h>

#include <gsl/gsl_cdf.h>

#include "golden.h"
#include "gpd_profile.h"
#include "hk/model/tail.h"

/* Below this, xi t is replaced by its limit: the exponential law. */
#define XI_ZERO 1e-9

/* Grid of v = ln(1 + theta max) for the start of the search, theta = xi / sigma. */
#define GRID_FIRST (-7.0)
#define GRID_LAST 60.0
#define GRID_STEP 1.0
#define GOLDEN_STEPS 28 /* narrows a bracket by 10^-6 */
#define NEWTON_STEPS 40
#define BISECTIONS 40
#define XI_TOLERANCE 1e-5

void gpd_points_init(struct gpd_points *points, const double *ascending, size_t n, double offset)
{
    const size_t exact = n < GPD_POINTS_MAX ? n : GPD_POINTS_EXACT;
    const size_t groups = n < GPD_POINTS_MAX ? 0 : GPD_POINTS_GROUPED;
    const size_t rest = n - exact;
    double sum = 0.0;
    points->count = 0;
    for (size_t g = 0; g < groups; g++) {
        const size_t first = g * rest / groups;
        const size_t end = (g + 1) * rest / groups;
        double group = 0.0;
        for (size_t i = first; i < end; i++) {
            group += ascending[i] - offset;
        }
        points->value[points->count] = group / (double)(end - first);
        points->weight[points->count++] = (double)(end - first);
        sum += group;
    }
    for (size_t i = rest; i < n; i++) {
        points->value[points->count] = ascending[i] - offset;
        points->weight[points->count++] = 1.0;
        sum += ascending[i] - offset;
    }
    points->total = (double)n;
    points->mean = sum / (double)n;
    points->max = ascending[n - 1] - offset;
}

static double log_likelihood(const struct gpd_points *points, double xi, double sigma)
{
    if (!(sigma > 0.0) || !isfinite(sigma) || xi * points->max <= -sigma) {
        return -INFINITY;
    }
    if (fabs(xi) < XI_ZERO) {
        return -points->total * (log(sigma) + points->mean / sigma);
    }
    double sum = 0.0;
    for (size_t i = 0; i < points->count; i++) {
        sum += points->weight[i] * log1p(xi * points->value[i] / sigma);
    }
    return -points->total * log(sigma) - (1.0 + 1.0 / xi) * sum;
}

/* Grimshaw's profile: for theta = xi / sigma the best xi is the mean of ln(1 + theta y). */
static struct gpd_parameters at_theta(const struct gpd_points *points, double v)
{
    const double theta = expm1(v) / points->max;
    struct gpd_parameters p = {.xi = 0.0, .sigma = points->mean};
    if (fabs(theta) * points->mean >= XI_ZERO) {
        double sum = 0.0;
        for (size_t i = 0; i < points->count; i++) {
            sum += points->weight[i] * log1p(theta * points->value[i]);
        }
        p.xi = sum / points->total;
        p.sigma = p.xi / theta;
    }
    p.log_likelihood = p.xi > GPD_XI_MIN && p.xi < GPD_XI_MAX
                           ? -points->total * (log(p.sigma) + p.xi + 1.0)
                           : -INFINITY;
    return p;
}

/* What a function of one variable needs besides. */
struct search {
    const struct gpd_points *points;
    double distance;
    double log_ratio;
};

static double theta_value(const struct search *search, double v)
{
    return at_theta(search->points, v).log_likelihood;
}

static double theta_loss(const void *search, double v)
{
    return -theta_value(search, v);
}

enum hk_status gpd_maximise(const struct gpd_points *points, struct gpd_parameters *out)
{
    const struct search search = {.points = points};
    double best_v = GRID_FIRST;
    double best = -INFINITY;
    for (double v = GRID_FIRST; v <= GRID_LAST; v += GRID_STEP) {
        const double here = theta_value(&search, v);
        if (here > best) {
            best = here;
            best_v = v;
        }
    }
    if (!isfinite(best)) {
        return HK_ENOISE;
    }
    const double v =
        golden_minimise(theta_loss, &search, best_v - GRID_STEP, best_v + GRID_STEP, GOLDEN_STEPS);
    const struct gpd_parameters found = at_theta(points, v);
    /* A maximum at the edge of what is allowed is no maximum. */
    if (!isfinite(found.log_likelihood) || found.xi < GPD_XI_MIN + 0.01 ||
        found.xi > GPD_XI_MAX - 0.01) {
        return HK_ENOISE;
    }
    *out = found;
    return HK_OK;
}

/*
 * Best sigma for a given xi. The score in ln sigma,
 * (1 + xi) sum y / (sigma + xi y) - N, falls in sigma: Newton inside a bracket.
 */
static double best_sigma(const struct gpd_points *points, double xi)
{
    const double edge = fmax(0.0, -xi * points->max); /* of the support, for xi < 0 */
    double low = log(fmax(1e-12 * points->mean, edge * (1.0 + 1e-12)));
    double high = log(1e6 * (points->mean + points->max));
    double at = log(fmax(points->mean, 1.5 * edge)); /* well off the pole at the edge */
    for (int i = 0; i < NEWTON_STEPS; i++) {
        const double sigma = exp(at);
        double sum = 0.0;
        double slope = 0.0;
        for (size_t j = 0; j < points->count; j++) {
            const double share = points->value[j] / (sigma + xi * points->value[j]);
            sum += points->weight[j] * share;
            slope -= points->weight[j] * share * sigma / (sigma + xi * points->value[j]);
        }
        const double score = (1.0 + xi) * sum - points->total;
        if (fabs(score) <= 1e-9 * points->total) {
            break;
        }
        *(score > 0.0 ? &low : &high) = at;
        const double next = at - score / ((1.0 + xi) * slope);
        at = next > low && next < high ? next : low + (high - low) / 2.0;
    }
    return exp(at);
}

double gpd_profile_xi(const struct gpd_points *points, double xi)
{
    return log_likelihood(points, xi, best_sigma(points, xi));
}

static double ratio_value(const struct search *search, double xi)
{
    const double sigma = fabs(xi) < XI_ZERO
                             ? -search->distance / search->log_ratio
                             : xi * search->distance / expm1(-xi * search->log_ratio);
    return log_likelihood(search->points, xi, sigma);
}

static double ratio_loss(const void *search, double xi)
{
    return -ratio_value(search, xi);
}

double gpd_profile_ratio(const struct gpd_points *points, double distance, double log_ratio)
{
    const struct search search = {points, distance, log_ratio};
    const double step = 0.25;
    double best_xi = 0.0;
    double best = -INFINITY;
    for (double xi = -0.95; xi < 4.0; xi += step) {
        const double here = ratio_value(&search, xi);
        if (here > best) {
            best = here;
            best_xi = xi;
        }
    }
    const double xi = golden_minimise(ratio_loss, &search, fmax(GPD_XI_MIN, best_xi - step),
                                      best_xi + step, GOLDEN_STEPS);
    return fmax(best, ratio_value(&search, xi));
}

/* End of the profile interval of xi on one side, clamped to the range allowed. */
static double xi_end(const struct gpd_points *points, const struct gpd_parameters *best,
                     double limit, double drop)
{
    double inside = best->xi;
    double outside = limit;
    if (gpd_profile_xi(points, limit) > best->log_likelihood - drop) {
        return limit;
    }
    for (int i = 0; i < BISECTIONS && fabs(outside - inside) > XI_TOLERANCE; i++) {
        const double middle = inside + (outside - inside) / 2.0;
        if (gpd_profile_xi(points, middle) > best->log_likelihood - drop) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    return inside;
}

struct hk_interval gpd_xi_interval(const struct gpd_points *points,
                                   const struct gpd_parameters *best, double drop,
                                   double confidence)
{
    return (struct hk_interval){
        .lower = xi_end(points, best, GPD_XI_MIN, drop),
        .upper = xi_end(points, best, GPD_XI_MAX, drop),
        .confidence_ratio = confidence,
    };
}

enum hk_status hk_gpd_fit(const double *exceed_ns, size_t n, double confidence,
                          struct hk_gpd *out)
{
    if (!exceed_ns || !out || !(confidence > 0.0 && confidence < 1.0)) {
        return HK_EINVAL;
    }
    if (n < HK_TAIL_EXCEEDANCES_MIN) {
        return HK_ENOISE;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(exceed_ns[i]) || !(exceed_ns[i] > 0.0) ||
            (i > 0 && exceed_ns[i] < exceed_ns[i - 1])) {
            return HK_EINVAL;
        }
    }
    if (exceed_ns[0] == exceed_ns[n - 1]) {
        return HK_ENOISE;
    }
    struct gpd_points points;
    struct gpd_parameters best;
    gpd_points_init(&points, exceed_ns, n, 0.0);
    const enum hk_status status = gpd_maximise(&points, &best);
    if (status != HK_OK) {
        return status;
    }
    const double drop = gsl_cdf_chisq_Qinv(1.0 - confidence, 1.0) / 2.0;
    *out = (struct hk_gpd){
        .xi = best.xi,
        .sigma_ns = best.sigma,
        .log_likelihood = best.log_likelihood,
        .xi_interval = gpd_xi_interval(&points, &best, drop, confidence),
        .count = n,
    };
    return HK_OK;
}

double hk_gpd_survival(double xi, double sigma, double x)
{
    if (fabs(xi) < XI_ZERO) {
        return exp(-x / sigma);
    }
    const double inner = xi * x / sigma;
    return inner <= -1.0 ? 0.0 : exp(-log1p(inner) / xi);
}

double hk_gpd_quantile(double xi, double sigma, double p)
{
    const double depth = -log(p);
    return fabs(xi) < XI_ZERO ? sigma * depth : sigma * expm1(xi * depth) / xi;
}
