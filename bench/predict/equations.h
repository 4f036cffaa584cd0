/* SPDX-License-Identifier: MIT */
/* Units of a service's work against what they cost together, and what a unit costs then. */
#ifndef HK_PREDICT_EQUATIONS_H
#define HK_PREDICT_EQUATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/guest/primitives.h"
#include "hk/guest/replay.h"
#include "hk/stats/linear.h"

#define HK_EQUATIONS_MAX (2 * HK_PRIMITIVES_SINGLE)

struct hk_equations {
    unsigned service;
    bool shares; /* works that nothing tells apart share what they cost; else they are refused */
    enum hk_work works[HK_LINEAR_TERMS_MAX];
    size_t work_count;
    double units[HK_EQUATIONS_MAX][HK_LINEAR_TERMS_MAX];
    double cost[HK_EQUATIONS_MAX];
    double scale[HK_EQUATIONS_MAX]; /* of an error that is small: the whole but thinking */
    size_t count;
    size_t cell_count; /* that they come from */
};

/* No equations, of all works of a service or of HK_SERVICE_CLIENT. */
void hk_equations_init(struct hk_equations *e, unsigned service);

/*
 * Add a cell: what its units cost, of which the client's own have prices already.
 *
 * cost    [in]  of a request, without thinking
 * prices  [in]  of all works; only those of the client are looked at, and none for its own service
 */
void hk_equations_add(struct hk_equations *e, const struct hk_replay *replay, double cost,
                      const double prices[HK_WORKS]);

/*
 * Least squares of relative errors; no work gives anything back, so a price below 0 is 0, one after
 * the other.
 *
 * prices         [in,out]  those of the service are written, only on success
 * fit_error_max  [in,out]  raised to the largest |fitted - cost| by scale
 *
 * Returns HK_OK; HK_ENOISE for too few equations; as hk_linear_fit.
 */
enum hk_status hk_equations_solve(const struct hk_equations *e, double prices[HK_WORKS],
                                  double *fit_error_max);

/* Name of a service or "the client". */
const char *hk_equations_who(unsigned service);

#endif
