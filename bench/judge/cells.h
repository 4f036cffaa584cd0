/* SPDX-License-Identifier: MIT */
/* How the formulas read a run: one number per launch, and verdict building blocks. */
#ifndef HK_JUDGE_CELLS_H
#define HK_JUDGE_CELLS_H

#include "hk/judge/judge.h"
#include "hk/stats/estimate.h"

enum { HK_LAUNCHES_MAX = 512 };

/*
 * One counter over the OK and undisturbed launches of a cell, in launch order; cost_ns only of
 * those whose core was not slow.
 */
struct hk_cell_values {
    char cell[HK_NAME_BYTES];
    bool exact; /* every launch was counted, and they repeat: what they say is a point */
    size_t count;
    double values[HK_LAUNCHES_MAX];
    uint32_t index[HK_LAUNCHES_MAX]; /* launch numbers: equal numbers ran in the same pass */
};

/*
 * Read a counter of a cell; the cell's name is given as a printf format.
 *
 * Returns HK_OK with count >= 1; HK_ENOENT when the run has no such launch of it.
 */
__attribute__((format(printf, 4, 5))) enum hk_status hk_cell_read(const struct hk_run *run,
                                                                  const char *counter,
                                                                  struct hk_cell_values *out,
                                                                  const char *format, ...);

/*
 * Read the cost of a cell: cost_ns, and where launches are counted and not timed, the guest's clock,
 * hk_instructions_clock, of which one nanosecond is one instruction. Returns as hk_cell_read.
 */
__attribute__((format(printf, 3, 4))) enum hk_status hk_cell_read_cost(const struct hk_run *run,
                                                                       struct hk_cell_values *out,
                                                                       const char *format, ...);

/*
 * Read one counter over another of the same launch: of how many there were, such as events of all
 * periods. Returns as hk_cell_read; HK_EPARSE when the other one is not above 0.
 */
__attribute__((format(printf, 5, 6))) enum hk_status
hk_cell_read_ratio(const struct hk_run *run, const char *counter, const char *per,
                   struct hk_cell_values *out, const char *format, ...);

/* Mean over launches. HK_ENOISE below 2 launches. */
enum hk_status hk_cell_mean(const struct hk_cell_values *cell, struct hk_estimate *mean);

/* 95 % interval of an estimate, never narrower than its value. */
struct hk_interval hk_interval_95(const struct hk_estimate *estimate);

/* Add an estimate as a parameter named formula/subject/symbol. */
enum hk_status hk_judge_add_estimate(struct hk_judge *judge, const char *name,
                                     const struct hk_estimate *estimate, const char *source);

/* The same of a number without chance, whose interval is itself. */
enum hk_status hk_judge_add_exact(struct hk_judge *judge, const char *name, double value,
                                  uint64_t launches, const char *source);

/* Errors of one model over the held-out observations, as its verdict needs them. */
struct hk_errors {
    enum hk_error_scale scale; /* ln_ratio unless said otherwise */
    size_t count;
    double values[HK_LAUNCHES_MAX]; /* of predicted / measured */
    /* What of each is known, where all came from comparisons; standard errors, on the scale. */
    size_t known_count;
    double predicted_error_sum;
    double measured_error_squares;
};

/*
 * Add one comparison to the judge and to the model's errors.
 *
 * comparison  [in]  predicted and measured > 0
 */
enum hk_status hk_errors_add(struct hk_errors *errors, struct hk_judge *judge,
                             const struct hk_comparison *comparison);

/*
 * Are the errors equivalent to 0? Those over different cells may have both signs and must not
 * cancel: judged is how large they are, with the sign of their sum. To hold, a formula must be
 * right beyond these cells: they are taken for a sample, and how they differ widens the interval.
 * To fail it is enough to be wrong on these: where the sample leaves it open, what is known of
 * each measurement may close it (docs/decisions/0331).
 *
 * Returns as hk_equivalence_test.
 */
enum hk_status hk_errors_test(const struct hk_errors *errors, double margin,
                              struct hk_equivalence *out);

/*
 * Is the worst of the errors equivalent to 0? For what was counted exactly, where nothing is left
 * to chance and errors of different sign cannot cancel.
 *
 * errors  [in]  at least one
 *
 * Returns as hk_equivalence_test; never HK_ENOISE.
 */
enum hk_status hk_errors_test_worst(const struct hk_errors *errors, double margin,
                                    struct hk_equivalence *out);

/*
 * Is the mean error of a cell's launches equivalent to 0? Where they are exact it is a point, whose
 * interval is itself.
 *
 * values  [in]  one error for each launch of the cell
 *
 * Returns as hk_equivalence_test; exact launches are never HK_ENOISE.
 */
enum hk_status hk_cell_test_errors(const struct hk_cell_values *cell, const double *values,
                                   double margin, struct hk_equivalence *out);

/* Several launches' series of one name, one after the other in launch order. */
struct hk_cell_series {
    size_t count;
    double *values;
};

/*
 * Join a series over the OK launches of a cell; release values with free().
 *
 * Returns HK_OK with count >= 1; HK_ENOENT when no OK launch has it; HK_ENOMEM.
 */
enum hk_status hk_cell_series_read(const struct hk_run *run, const char *cell, const char *series,
                                   struct hk_cell_series *out);

/*
 * Call a function for each different cell whose name begins with prefix and has
 * an OK launch, in the order of names; stops at the first status that is not HK_OK.
 */
typedef enum hk_status hk_cell_visitor(const char *cell, void *context);
enum hk_status hk_cells_visit(const struct hk_run *run, const char *prefix,
                              hk_cell_visitor *visit, void *context);

#endif
