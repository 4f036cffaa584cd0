/* SPDX-License-Identifier: MIT */
/*
 * Which uncertain parameter drives a result or a decision: Sobol indices.
 *
 * The first-order index of x_i is the share of the result's variance that knowing
 * x_i alone would remove; the total index the share that stays when everything but
 * x_i is known. For a decision, let the result be 0 or 1.
 */
#ifndef HK_MODEL_SENSITIVITY_H
#define HK_MODEL_SENSITIVITY_H

#include <stdbool.h>
#include <stddef.h>

#include "hk/base/status.h"
#include "hk/stats/rng.h"

#define HK_SENSITIVITY_PARAMETERS_MAX 20u /* two Sobol dimensions each, of GSL's 40 */

/* A parameter known to lie in a range, uniform on it or on its logarithm. */
struct hk_parameter_range {
    double low;
    double high;      /* > low */
    bool logarithmic; /* low > 0 then */
};

/* The result at given parameter values; finite. */
typedef double (*hk_result_fn)(const double *values, const void *context);

struct hk_sensitivity {
    double first;    /* main effect, 0..1 up to the error */
    double total;    /* with all interactions */
    double first_se; /* standard errors, from independent random shifts */
    double total_se;
};

struct hk_sensitivity_options {
    size_t point_count; /* per shift, >= 64; a power of 2 */
    size_t shift_count; /* >= 2 */
};

/*
 * Saltelli's design with Jansen's estimators on a Sobol sequence of 2 d dimensions.
 *
 * function, context  [in]
 * ranges             [in]   parameter_count in 1..HK_SENSITIVITY_PARAMETERS_MAX
 * rng                [in]   advanced: draws the shifts
 * out                [out]  parameter_count rows
 *
 * Returns HK_OK; HK_EINVAL; HK_ERANGE if the function gives a value that is not
 * finite; HK_ENOISE if it is constant; HK_ENOMEM.
 * Cost shifts * points * (parameters + 2) evaluations.
 * Source: Saltelli et al. 2010 (Computer Physics Communications 181); Jansen 1999
 * (117); shifts by Cranley & Patterson 1976.
 */
enum hk_status hk_sensitivity_indices(hk_result_fn function, const void *context,
                                      const struct hk_parameter_range *ranges,
                                      size_t parameter_count,
                                      const struct hk_sensitivity_options *options,
                                      struct hk_rng *rng, struct hk_sensitivity *out);

#endif
