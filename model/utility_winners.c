/* SPDX-License-Identifier: MIT */
#include "hk/model/utility.h"

#include <stdbool.h>

#include "check.h"
#include "polygon.h"

#define SLACK 1e-11 /* of the largest attribute: better by less is a tie */

/* The few alternatives that are known to win somewhere. */
struct candidates {
    const struct hk_alternative *all;
    size_t all_count;
    double slack;
    size_t count;
    size_t index[HK_ALTERNATIVES_MAX];
    struct hk_alternative rows[HK_ALTERNATIVES_MAX]; /* all[index[i]] */
};

static size_t best_at(const struct candidates *c, const double weights[HK_ATTRIBUTES])
{
    size_t best = 0;
    for (size_t i = 1; i < c->all_count; i++) {
        if (polygon_dot(weights, c->all[i].attribute) >
            polygon_dot(weights, c->all[best].attribute)) {
            best = i;
        }
    }
    return best;
}

static void remove_at(struct candidates *c, size_t position)
{
    c->count--;
    c->index[position] = c->index[c->count];
    c->rows[position] = c->rows[c->count];
}

/* A candidate whose region has no area makes room. */
static bool make_room(struct candidates *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct hk_weight_polygon region;
        if (hk_utility_region(c->rows, c->count, i, &region) == HK_OK &&
            !(region.area_ratio > 0.0)) {
            remove_at(c, i);
            return true;
        }
    }
    return false;
}

static enum hk_status add(struct candidates *c, size_t index)
{
    if (c->count == HK_ALTERNATIVES_MAX && !make_room(c)) {
        return HK_ETOOBIG;
    }
    c->index[c->count] = index;
    c->rows[c->count++] = c->all[index];
    return HK_OK;
}

static bool better_at(const struct candidates *c, const double weights[HK_ATTRIBUTES],
                      size_t index)
{
    double best = -INFINITY;
    for (size_t i = 0; i < c->count; i++) {
        best = fmax(best, polygon_dot(weights, c->rows[i].attribute));
    }
    return polygon_dot(weights, c->all[index].attribute) > best + c->slack;
}

/*
 * The upper envelope of all is convex in the weights and that of the candidates is linear in
 * each region, so where one lies above the other it does so at a vertex.
 */
static enum hk_status improve(struct candidates *c, bool *improved)
{
    *improved = false;
    for (size_t i = 0; i < c->count && !*improved; i++) {
        struct hk_weight_polygon region;
        enum hk_status status = hk_utility_region(c->rows, c->count, i, &region);
        for (size_t v = 0; v < region.vertex_count && status == HK_OK; v++) {
            const size_t best = best_at(c, region.vertices[v]);
            if (better_at(c, region.vertices[v], best)) {
                *improved = true;
                status = add(c, best);
                break;
            }
        }
        if (status != HK_OK) {
            return status;
        }
    }
    return HK_OK;
}

static bool start(struct candidates *c)
{
    double largest = 0.0;
    for (size_t i = 0; i < c->all_count; i++) {
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            if (!(fabs(c->all[i].attribute[k]) <= 1e300)) {
                return false;
            }
            largest = fmax(largest, fabs(c->all[i].attribute[k]));
        }
    }
    c->slack = SLACK * largest;
    const double middle[HK_ATTRIBUTES] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    return add(c, best_at(c, middle)) == HK_OK;
}

enum hk_status hk_utility_winners(const struct hk_alternative *alternatives, size_t count,
                                  struct hk_utility_winner *winners, size_t *winner_count)
{
    struct candidates c = {.all = alternatives, .all_count = count};
    bool improved = true;
    enum hk_status status = HK_OK;

    if (!alternatives || count < 1 || !winners || !winner_count || !start(&c)) {
        return HK_EINVAL;
    }
    while (improved && status == HK_OK) {
        status = improve(&c, &improved);
    }
    while (status == HK_OK && make_room(&c)) {
    }
    if (status != HK_OK) {
        return status;
    }
    for (size_t i = 0; i < c.count; i++) {
        winners[i].index = c.index[i];
        (void)hk_utility_region(c.rows, c.count, i, &winners[i].region); /* as in improve() */
    }
    *winner_count = c.count;
    return HK_OK;
}
