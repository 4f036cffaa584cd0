/* SPDX-License-Identifier: MIT */
#include "polygon.h"

#include <math.h>

void polygon_simplex(struct polygon *out)
{
    *out = (struct polygon){.count = 3, .w = {{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}}};
}

static void append(struct polygon *p, const double from[HK_ATTRIBUTES],
                   const double to[HK_ATTRIBUTES], double t)
{
    /* Rounding of a degenerate polygon could ask for one vertex more than a cut can add. */
    if (p->count == POLYGON_VERTICES_MAX) {
        return;
    }
    for (size_t i = 0; i < HK_ATTRIBUTES; i++) {
        p->w[p->count][i] = from[i] + t * (to[i] - from[i]);
    }
    p->count++;
}

void polygon_cut(const struct polygon *in, const double normal[HK_ATTRIBUTES], double slack,
                 struct polygon *out)
{
    out->count = 0;
    for (size_t i = 0; i < in->count; i++) {
        const double *from = in->w[i];
        const double *to = in->w[(i + 1) % in->count];
        const double here = polygon_dot(normal, from) + slack;
        const double there = polygon_dot(normal, to) + slack;
        if (here >= 0.0) {
            append(out, from, from, 0.0);
        }
        if ((here > 0.0 && there < 0.0) || (here < 0.0 && there > 0.0)) {
            append(out, from, to, here / (here - there));
        }
    }
}

double polygon_area(const struct polygon *p, double *centroid)
{
    double twice = 0.0;
    double moment[HK_ATTRIBUTES] = {0};
    for (size_t i = 2; i < p->count; i++) {
        /* Fan of triangles; two coordinates are enough, the third follows from the sum. */
        const double *a = p->w[0];
        const double *b = p->w[i - 1];
        const double *c = p->w[i];
        const double part = fabs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]));
        twice += part;
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            moment[k] += part * (a[k] + b[k] + c[k]) / 3.0;
        }
    }
    for (size_t k = 0; centroid && k < HK_ATTRIBUTES; k++) {
        centroid[k] = twice > 0.0 ? moment[k] / twice : 0.0;
    }
    return twice; /* the simplex has area 1/2 in these coordinates */
}
