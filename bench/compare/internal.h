/* SPDX-License-Identifier: MIT */
/* What the files of this component share. */
#ifndef HK_COMPARE_INTERNAL_H
#define HK_COMPARE_INTERNAL_H

#include "hk/compare/compare.h"

/* Of finding a change as large as detectable_ratio. */
#define POWER 0.8

/* The launches of one cell on both sides. */
struct cell {
    const char *name;
    const struct hk_launch *a;
    const struct hk_launch *b;
    size_t count_a;
    size_t count_b;
};

/* An empty finding; nothing known. */
struct hk_finding finding_make(const char *cell, const char *quantity, enum hk_basis basis);

/* Append; HK_ENOMEM. */
enum hk_status finding_add(struct hk_comparison *c, const struct hk_finding *finding);

/* Set the reason; returns the finding. */
__attribute__((format(printf, 2, 3))) void finding_say(struct hk_finding *finding,
                                                       const char *format, ...);

/* The same behind what is said already. */
__attribute__((format(printf, 2, 3))) void finding_say_more(struct hk_finding *finding,
                                                            const char *format, ...);

/* Add a cause if there is room and a difference. */
__attribute__((format(printf, 4, 5))) void cause_add(struct hk_finding *finding, double a, double b,
                                                     const char *format, ...);

/* Median of n >= 1 values; reorders them. */
double median_of(double *values, size_t n);

/*
 * Values of the launches that hold: in launches that are OK, and positive.
 *
 * counter  [in]   NULL: the launch's time
 * values   [out]  room for count
 *
 * Returns how many.
 */
size_t values_of(const struct hk_launch *launches, size_t count, const char *counter,
                 double *values);

/* Launches that hold with both sides' values, matched by index; room for the smaller count. */
size_t pairs_of(const struct cell *cell, const char *counter, double *a, double *b);

/* How many findings have p values. */
size_t count_tested(const struct hk_comparison *c);

/* Give verdicts to what has p values: Holm over what was tested, levels of the rule. */
enum hk_status decide_family(struct hk_comparison *c, const struct hk_rule *rule);

void count_verdicts(struct hk_comparison *c);

/* What goes with all quantiles that were compared in pairs. */
void note_bands(struct hk_comparison *c);

/* By whose rule, and in what company: what can be found depends on how much is tested. */
struct judging {
    const struct hk_rule *rule;
    size_t tests; /* judged together, >= 1 */
};

/* Findings of one cell; each adds none, one or several. */
enum hk_status compare_counted(struct hk_comparison *c, const struct cell *cell,
                               const struct hk_rule *rule, const char *other_tool);
enum hk_status compare_paired(struct hk_comparison *c, const struct cell *cell,
                              const struct judging *judging);
enum hk_status compare_quantiles(struct hk_comparison *c, const struct cell *cell,
                                 const struct judging *judging);
enum hk_status compare_events(struct hk_comparison *c, const struct cell *cell,
                              const struct judging *judging);
enum hk_status compare_apart(struct hk_comparison *c, const struct cell *cell);

/* The drift between two jobs, from all cells that were measured apart; their p values. */
enum hk_status judge_apart(struct hk_comparison *c, const struct judging *judging);

/* The quantiles of single operations that a launch reports. */
extern const struct quantile {
    const char *name;
    const char *counter;
} quantiles[];
extern const size_t quantile_count;

#endif
