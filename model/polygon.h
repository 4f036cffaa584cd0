/* SPDX-License-Identifier: MIT */
/* Convex polygons of weights inside the simplex; private to the component. */
#ifndef HK_MODEL_POLYGON_H
#define HK_MODEL_POLYGON_H

#include "hk/model/utility.h"

/* Cut by the rivals in two tables of alternatives, a vertex per cut. */
#define POLYGON_VERTICES_MAX (HK_ATTRIBUTES + 2 * HK_ALTERNATIVES_MAX)

struct polygon {
    size_t count;
    double w[POLYGON_VERTICES_MAX][HK_ATTRIBUTES];
};

/* The whole simplex. */
void polygon_simplex(struct polygon *out);

/*
 * Part of a polygon with normal . w >= -slack (Sutherland-Hodgman). One cut adds at
 * most one vertex; *out must not be *in.
 */
void polygon_cut(const struct polygon *in, const double normal[HK_ATTRIBUTES], double slack,
                 struct polygon *out);

/* Area as a share of the simplex; centroid (zero for no area) if not null. */
double polygon_area(const struct polygon *p, double *centroid);

static inline double polygon_dot(const double a[HK_ATTRIBUTES], const double b[HK_ATTRIBUTES])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

#endif
