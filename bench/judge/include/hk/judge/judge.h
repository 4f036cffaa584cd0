/* SPDX-License-Identifier: MIT */
/*
 * Where measured runs meet models: fit parameters on some cells, predict other
 * cells, and say which formula holds, which does not, and what holds instead.
 *
 * Each formula is a row of hk_judge_formulas and states its training cells and
 * its held-out cells as two tables: no parameter comes from a cell that it
 * predicts. Fitting writes parameters.json; validating fits in the same way,
 * predicts the held-out cells and writes verdicts.json.
 */
#ifndef HK_JUDGE_JUDGE_H
#define HK_JUDGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/model/verdict.h"
#include "hk/result/result.h"
#include "hk/stats/rng.h"

#define HK_JUDGE_SCHEMA 1

/* The model of F3 under load that others ask for by its name. */
#define HK_MODEL_POISSON_WAIT "Pollaczek-Khinchine with dispatch"

/* One fitted number and where it comes from. */
struct hk_parameter {
    char name[HK_NAME_BYTES]; /* "F3/pipe/c_sys_ns": formula, subject, symbol with unit */
    double value;
    double lower; /* 95 % interval; equal to value when exact */
    double upper;
    uint64_t launches;          /* replicates behind it */
    char source[HK_NAME_BYTES]; /* the cell or cells it was fitted on */
};

/* One predicted quantity beside its measurement. */
struct hk_comparison {
    char formula[8];          /* "F3" */
    char regime[96];          /* of the verdict it belongs to */
    char model[48];           /* "textbook", "incremental hop", "GPD tail" */
    char cell[HK_NAME_BYTES]; /* where the measurement comes from */
    char quantity[48];        /* with unit: "cost_ns", "underrun_ratio" */
    double predicted;
    double lower; /* 95 % prediction interval */
    double upper;
    double measured;
    double measured_lower; /* 95 % interval of the measurement */
    double measured_upper;
};

/* A verdict as stored: hk_verdict with its texts owned. */
struct hk_judgement {
    enum hk_verdict_kind kind;
    char formula[8];
    char regime[96];
    char scale[16]; /* "ln_ratio" or "log10" */
    double margin;
    double error; /* of the textbook formula, on the scale */
    double error_lower;
    double error_upper;
    uint64_t sample_count;
    bool exact;           /* all was counted and repeated: errors are points, of the worst cell */
    char cause[96];       /* "" when no assumption is violated */
    char replacement[48]; /* "" when none holds */
    double replacement_error;
    double replacement_lower;
    double replacement_upper;
    char line[HK_TEXT_BYTES]; /* the whole for people */
};

struct hk_acceptance; /* hk/judge/acceptance.h */

struct hk_judge {
    size_t parameter_count;
    struct hk_parameter *parameters;
    size_t comparison_count;
    struct hk_comparison *comparisons;
    size_t judgement_count;
    struct hk_judgement *judgements;
    size_t acceptance_count; /* 0: not assessed */
    struct hk_acceptance *acceptance;
};

/* One formula: its two halves. Either may find nothing to do in a run. */
struct hk_judge_formula {
    const char *id; /* "F3" */

    /* Adds parameters from training cells. */
    enum hk_status (*fit)(const struct hk_run *training, struct hk_rng *rng,
                          struct hk_judge *judge);

    /* Adds comparisons and verdicts: fitted on one run, compared with cells of another or same. */
    enum hk_status (*validate)(const struct hk_run *training, const struct hk_run *target,
                               struct hk_rng *rng, struct hk_judge *judge);
};

extern const struct hk_judge_formula hk_judge_formulas[];
extern const size_t hk_judge_formula_count;

/* Empty judge; release with hk_judge_fini. */
void hk_judge_init(struct hk_judge *judge);
void hk_judge_fini(struct hk_judge *judge);

/*
 * Append a copy.
 *
 * Returns HK_OK; HK_ENOMEM; HK_EINVAL when a number is not finite or an interval
 * does not hold its value; HK_EEXIST for a parameter's second value.
 */
enum hk_status hk_judge_add_parameter(struct hk_judge *judge, const struct hk_parameter *p);
enum hk_status hk_judge_add_comparison(struct hk_judge *judge, const struct hk_comparison *c);

/* Append a verdict with its texts. HK_ENOMEM, HK_EINVAL. */
enum hk_status hk_judge_add_verdict(struct hk_judge *judge, const struct hk_verdict *verdict);

/* Append an INCONCLUSIVE without numbers, for what a run cannot decide at all. */
enum hk_status hk_judge_add_undecided(struct hk_judge *judge, const char *formula,
                                      const char *regime, const char *why);

/* Value of a parameter by name. HK_ENOENT. */
enum hk_status hk_judge_parameter(const struct hk_judge *judge, const char *name,
                                  const struct hk_parameter **parameter);

/* The verdict on a formula in a regime; NULL when there is none. */
const struct hk_judgement *hk_judge_verdict(const struct hk_judge *judge, const char *formula,
                                            const char *regime);

/*
 * Fit every formula on a run's training cells.
 *
 * seed   [in]   of the resampling; each formula has its own stream
 * error  [out]  on failure, which formula failed and why
 *
 * A formula whose training cells are missing contributes nothing; that is no
 * error. Returns HK_OK; HK_ENOMEM; or the status of the formula that failed.
 */
enum hk_status hk_judge_fit(const struct hk_run *training, uint64_t seed, struct hk_judge *judge,
                            char error[HK_TEXT_BYTES]);

/*
 * Judge every formula on a run's held-out cells.
 *
 * training  [in]  run whose training cells are fitted; may be target itself
 * target    [in]  run whose held-out cells are predicted
 *
 * Returns as hk_judge_fit; HK_EMACHINE when the two runs may not be mixed.
 */
enum hk_status hk_judge_validate(const struct hk_run *training, const struct hk_run *target,
                                 uint64_t seed, struct hk_judge *judge,
                                 char error[HK_TEXT_BYTES]);

/* Write <run>/parameters.json or <run>/verdicts.json atomically. HK_ENOMEM, HK_EPERM, HK_EIO... */
enum hk_status hk_judge_write_parameters(const struct hk_judge *judge, const char *run_path);
enum hk_status hk_judge_write_verdicts(const struct hk_judge *judge, const char *run_path);

/*
 * Read the two files into an empty judge; verdicts.json may be missing.
 *
 * error  [out]  on failure, one line: file, cause, remedy
 *
 * Returns HK_OK; HK_ENOENT when parameters.json is missing; HK_EPARSE; HK_ESCHEMA;
 * HK_EIO; HK_ENOMEM.
 */
enum hk_status hk_judge_read(const char *run_path, struct hk_judge *judge,
                             char error[HK_TEXT_BYTES]);

#endif
