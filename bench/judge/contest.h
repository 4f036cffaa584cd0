/* SPDX-License-Identifier: MIT */
/* A formula and the models that may replace it, side by side on the same held-out cells. */
#ifndef HK_JUDGE_CONTEST_H
#define HK_JUDGE_CONTEST_H

#include "cells.h"

enum { HK_MODELS_MAX = 3 };

/* What is being judged; model 0 is the textbook's. */
struct hk_contest {
    const char *formula;
    const char *regime;
    double margin;
    enum hk_error_scale scale; /* of the margin; ln_ratio unless said otherwise */
    size_t model_count;
    const char *models[HK_MODELS_MAX];
    const struct hk_assumption *assumption; /* measured apart; NULL: none */
    struct hk_errors errors[HK_MODELS_MAX];
    size_t unpredicted[HK_MODELS_MAX]; /* cells of which a model says nothing */
    bool timed; /* something of it was not counted exactly: errors have intervals, not values */
};

/*
 * Start a comparison from a held-out cell.
 *
 * Returns HK_OK; HK_ENOISE below 2 launches: the cell says nothing then.
 */
enum hk_status hk_contest_measure(struct hk_contest *contest,
                                  const struct hk_cell_values *cell, struct hk_comparison *c);

/*
 * Add what one model predicts of it. Predictions <= 0 are none: of the textbook they leave the
 * regime undecided, and another model does not replace it then.
 */
enum hk_status hk_contest_predict(struct hk_contest *contest, size_t model,
                                  struct hk_judge *judge, struct hk_comparison *c,
                                  const struct hk_estimate *mean);

/*
 * Add the verdict, for which a model has to predict every cell; nothing when no cell was there.
 * Where all was counted exactly a model is judged by its worst cell, otherwise by the mean size of
 * its errors and an interval.
 */
enum hk_status hk_contest_decide(const struct hk_contest *contest, struct hk_judge *judge);

/* The sum of two independent estimates, and one times a factor. */
struct hk_estimate hk_estimate_sum(const struct hk_estimate *a, const struct hk_estimate *b);
struct hk_estimate hk_estimate_times(const struct hk_estimate *a, double factor);

#endif
