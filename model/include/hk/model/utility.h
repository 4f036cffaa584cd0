/* SPDX-License-Identifier: MIT */
/*
 * F1: utility of an architecture, U = w_S S + w_P P - w_C C.
 *
 * An alternative is (S, P, -C) on a common scale, larger is better; weights lie in
 * the simplex w >= 0, sum 1. Assumed: attributes preferentially independent, linear
 * values. Weights mean nothing without the scale: S times s is w_S times s.
 *
 * The weights for which one alternative is best form a convex polygon, so areas,
 * ranks and mean regret are exact: no sampling.
 */
#ifndef HK_MODEL_UTILITY_H
#define HK_MODEL_UTILITY_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"

#define HK_ATTRIBUTES 3u
#define HK_ALTERNATIVES_MAX 32u
#define HK_POLYGON_VERTICES_MAX (HK_ATTRIBUTES + HK_ALTERNATIVES_MAX)

struct hk_alternative {
    double attribute[HK_ATTRIBUTES]; /* S, P, -C */
};

/*
 * U of one alternative.
 *
 * weights  [in]  >= 0, sum 1 within 1e-9
 *
 * Returns HK_OK; HK_EINVAL.
 */
enum hk_status hk_utility_score(const double weights[HK_ATTRIBUTES],
                                const struct hk_alternative *alternative, double *utility);

/* Weights for which an alternative is best. */
struct hk_weight_polygon {
    size_t vertex_count;
    double vertices[HK_POLYGON_VERTICES_MAX][HK_ATTRIBUTES]; /* in order around it */
    double area_ratio;                                       /* of the simplex, 0..1 */
    double centroid[HK_ATTRIBUTES]; /* the central weight vector; zero if the area is */
};

/*
 * Winning region of alternative `index`: the simplex cut by one half-plane per
 * rival (ties count as won, so identical alternatives share a region).
 *
 * alternatives  [in]   count finite rows, count in 1..HK_ALTERNATIVES_MAX
 *
 * Returns HK_OK; HK_EINVAL. Cost O(count^2), no allocation.
 * Source: Sutherland & Hodgman 1974 (CACM 17(1)).
 */
enum hk_status hk_utility_region(const struct hk_alternative *alternatives, size_t count,
                                 size_t index, struct hk_weight_polygon *region);

/* An alternative that is best for weights of positive area. */
struct hk_utility_winner {
    size_t index;
    struct hk_weight_polygon region;
};

/*
 * All winners among any number of alternatives, such as the placements of many services:
 * few of them can win, and those are found one by one where the ones known so far are beaten.
 *
 * alternatives  [in]   count finite rows, count >= 1
 * winners       [out]  room for HK_ALTERNATIVES_MAX; their areas sum to 1. Of equals only one
 * winner_count  [out]
 *
 * Returns HK_OK; HK_EINVAL; HK_ETOOBIG if more than HK_ALTERNATIVES_MAX win.
 * Cost O(winners^3 + vertices * count), no allocation: 1 ms for 256 of which 20 win.
 */
enum hk_status hk_utility_winners(const struct hk_alternative *alternatives, size_t count,
                                  struct hk_utility_winner *winners, size_t *winner_count);

/* Can a linear score choose it? */
enum hk_support {
    HK_SUPPORT_DOMINATED,   /* another is at least as good in all and better in one */
    HK_SUPPORT_UNSUPPORTED, /* on the Pareto front, inside the convex hull: best for no weights */
    HK_SUPPORT_TIED,        /* best only together with others: on a face of the hull */
    HK_SUPPORT_WINS,        /* best for weights of positive area */
};

/* Class of alternative `index`. Arguments and result as hk_utility_region. */
enum hk_status hk_utility_support(const struct hk_alternative *alternatives, size_t count,
                                  size_t index, enum hk_support *support);

/* "dominated", "unsupported", "tied" or "wins". */
const char *hk_support_name(enum hk_support support);

/* Stochastic multicriteria acceptability: what holds if nobody knows the weights. */
struct hk_acceptability {
    size_t count;
    /* [alternative][rank]: share of weights and draws that give this rank; 1 + the number
       of strictly better ones, so ties share the better rank. Rows sum to 1. */
    double rank_ratio[HK_ALTERNATIVES_MAX][HK_ALTERNATIVES_MAX];
    double central_weights[HK_ALTERNATIVES_MAX][HK_ATTRIBUTES]; /* mean weights that favour it */
};

/*
 * Rank acceptability over uniform weights, exactly, averaged over draws of the
 * attributes (bootstrap values of P, uniform draws from intervals of S and C).
 *
 * draws       [in]   draw_count times count alternatives
 * draw_count  [in]   >= 1
 * count       [in]   1..HK_ALTERNATIVES_MAX
 *
 * Returns HK_OK; HK_EINVAL. Cost O(draw_count * count^3) polygon cuts, no allocation.
 * Source: Lahdelma & Salminen 2001 (Operations Research 49(3)), SMAA-2.
 */
enum hk_status hk_utility_acceptability(const struct hk_alternative *draws, size_t draw_count,
                                        size_t count, struct hk_acceptability *out);

/*
 * The same from quasi-random weights (Sobol): the check of the exact one.
 *
 * point_count  [in]  >= 1 weights per draw
 *
 * Returns as above; HK_ENOMEM. Cost O(draw_count * point_count * count^2).
 */
enum hk_status hk_utility_acceptability_sampled(const struct hk_alternative *draws,
                                                size_t draw_count, size_t count,
                                                size_t point_count,
                                                struct hk_acceptability *out);

/*
 * Augmented Chebyshev scalarisation: the alternative with the least
 *   max_i w_i (z_i - x_i) + rho sum_i (z_i - x_i),   z the best of each attribute.
 * Reaches every point of the Pareto front, unsupported ones too.
 *
 * weights  [in]   >= 0, sum 1
 * rho      [in]   > 0, small (0.001): keeps weakly dominated points out
 * chosen   [out]  the first of equals
 *
 * Returns HK_OK; HK_EINVAL.
 * Source: Steuer & Choo 1983 (Mathematical Programming 26).
 */
enum hk_status hk_utility_chebyshev(const struct hk_alternative *alternatives, size_t count,
                                    const double weights[HK_ATTRIBUTES], double rho,
                                    size_t *chosen);

/* How good choices made on predictions are, over all weights. */
struct hk_utility_regret {
    double agreement_ratio; /* weights for which predicted and measured winner are the same */
    double regret_mean;     /* U of the measured winner less U of the chosen one, exact */
    double regret_max;      /* exact */
    double regret_p95;      /* from 16384 quasi-random weights, as are the next two */
    double decided_ratio;   /* weights whose measured winner leads by more than 2 standard errors */
    double agreement_decided_ratio; /* agreement among those; 1 if there are none */
    double range_mean;      /* mean of best less worst measured U, exact: the scale of a regret */
};

/*
 * Regret of choosing by predicted attributes what is judged by measured ones.
 *
 * predicted, measured  [in]  count rows each, 1..HK_ALTERNATIVES_MAX
 * error                [in]  standard errors of measured, >= 0; null: all 0
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOMEM.
 */
enum hk_status hk_utility_regret(const struct hk_alternative *predicted,
                                 const struct hk_alternative *measured,
                                 const struct hk_alternative *error, size_t count,
                                 struct hk_utility_regret *out);

/*
 * Pareto front of n designs with any number of attributes, larger is better.
 * Equal designs are on it together.
 *
 * values     [in]   n rows of attribute_count finite values
 * on_front   [out]  n flags
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOMEM.
 * Cost O(n log n + n * front).
 */
enum hk_status hk_pareto_front(const double *values, size_t n, size_t attribute_count,
                               bool *on_front);

#endif
