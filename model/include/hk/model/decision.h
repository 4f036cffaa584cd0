/* SPDX-License-Identifier: MIT */
/*
 * Deciding under uncertainty: options whose values are known as draws (bootstrap
 * replicates, posterior samples), not as numbers.
 */
#ifndef HK_MODEL_DECISION_H
#define HK_MODEL_DECISION_H

#include <stddef.h>

#include "hk/base/status.h"

/* Values in one unit, larger is better: negate costs. */
struct hk_decision_table {
    const double *values; /* draw_count rows of option_count finite values */
    size_t draw_count;    /* >= 2; draws of a row belong together */
    size_t option_count;  /* >= 1 */
};

struct hk_decision {
    size_t best;                /* largest mean; the first of equals */
    double value_mean;          /* of the best */
    double value_of_information; /* E[max] - max E: what perfect information is worth */
};

/*
 * Choose by the mean, and say what the uncertainty may cost.
 *
 * win_ratio     [out]  option_count shares of draws in which the option is best
 *                      (shared among equals); may be null
 * regret_mean   [out]  option_count values E[max - value]; that of the best is the
 *                      value of perfect information; may be null
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if draw_count < 2.
 * Cost O(draws * options), no allocation.
 * Source: Raiffa & Schlaifer 1961, chapter 4.
 */
enum hk_status hk_decision_analyse(const struct hk_decision_table *table, double *win_ratio,
                                   double *regret_mean, struct hk_decision *out);

/*
 * Value of knowing one uncertain quantity exactly while the others stay uncertain:
 * E over x of max over options of E[value | x], less max E. The draws are sorted
 * by x and cut into bins of equal count.
 *
 * parameter  [in]   draw_count finite values of x, drawn with the rows
 * bins       [in]   2..draw_count / 2; about the square root of draw_count / 2. Too many
 *                   overstate the value, too few understate it
 * value      [out]  >= 0
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE if there are fewer than 2 draws per bin; HK_ENOMEM.
 * Source: Strong & Oakley 2013 (Medical Decision Making 33).
 */
enum hk_status hk_decision_information(const struct hk_decision_table *table,
                                       const double *parameter, size_t bins, double *value);

/*
 * Rank acceptability: in what share of draws does each option take each rank?
 *
 * rank_ratio  [out]  option_count rows of option_count shares; ties share the better rank
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE. Cost O(draws * options^2).
 */
enum hk_status hk_decision_ranks(const struct hk_decision_table *table, double *rank_ratio);

enum hk_dominance {
    HK_DOMINANCE_NONE,
    HK_DOMINANCE_SECOND, /* no risk-averse chooser prefers the other */
    HK_DOMINANCE_FIRST,  /* nobody who wants more prefers the other */
};

/*
 * Does option `better` stochastically dominate option `other`, by their draws?
 * Equal distributions do not dominate.
 *
 * Returns HK_OK; HK_EINVAL; HK_ENOISE; HK_ENOMEM. Cost O(draws log draws).
 * Source: Hadar & Russell 1969 (American Economic Review 59).
 */
enum hk_status hk_decision_dominance(const struct hk_decision_table *table, size_t better,
                                     size_t other, enum hk_dominance *dominance);

#endif
