/* SPDX-License-Identifier: MIT */
/*
 * The acceptance table: what each formula's models must reach on held-out data, beside what a run
 * reached. Its lines are a const table; they look at comparisons and verdicts by formula, regime
 * and quantity, so that whatever a judge adds fills them.
 */
#ifndef HK_JUDGE_ACCEPTANCE_H
#define HK_JUDGE_ACCEPTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/judge/judge.h"

enum hk_acceptance_outcome {
    HK_ACCEPTANCE_INCONCLUSIVE, /* no figure, or one that may be on either side: not a pass */
    HK_ACCEPTANCE_PASS,
    HK_ACCEPTANCE_MISSED,
    HK_ACCEPTANCE_REPORTED, /* nothing is required: no part of what its row says */
};

/* "INCONCLUSIVE", "PASS", "MISSED" or "REPORTED". */
const char *hk_acceptance_outcome_name(enum hk_acceptance_outcome outcome);

/* One line as it came out. Numbers are in the unit of what is required. */
struct hk_acceptance {
    enum hk_acceptance_outcome outcome;
    char row[16];          /* "F3 wall" */
    char target[80];       /* what was looked at */
    char required[40];     /* "<= 5 %" */
    char unit[16];         /* "%", "decades", "sigma", "" */
    double value;          /* 0, as its interval, where there is no figure */
    double lower;
    double upper;
    double confidence_ratio; /* of the interval; 0: it is a point, or older than this field */
    uint64_t sample_count; /* 0: there is no figure */
    char why[200];         /* what is missing or in the way of a pass, or where it comes from; "" */
};

/* A figure that no run has, found otherwise: by simulation, by a closed form, over several runs. */
struct hk_reached {
    char id[32];
    double value;
    double lower; /* equal to value where it is exact */
    double upper;
    uint64_t count;
    char note[80]; /* which case it comes from, or why there is none; "" */
    double confidence_ratio; /* of the interval, where it is no point */
};

/*
 * Assess a judged run: every line of the table, in its order.
 *
 * run      [in]      what was judged
 * figures  [in]      figure_count of them; a line whose figure is missing is INCONCLUSIVE
 * judge    [in,out]  with its verdicts and comparisons; gets the lines
 *
 * Returns HK_OK; HK_ENOMEM; HK_EEXIST when it has lines already.
 */
enum hk_status hk_acceptance_assess(const struct hk_run *run, const struct hk_reached *figures,
                                    size_t figure_count, struct hk_judge *judge);

/*
 * What the lines of a row say together: MISSED if one is; PASS if all do of which anything is
 * required, and there is one; INCONCLUSIVE otherwise.
 */
enum hk_acceptance_outcome hk_acceptance_row(const struct hk_judge *judge, const char *row);

#endif
