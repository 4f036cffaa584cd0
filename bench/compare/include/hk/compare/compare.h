/* SPDX-License-Identifier: MIT */
/*
 * Two sides compared, cell by cell: what differs, how sure that is, and what it comes from.
 *
 * Side A is what was, side B what is; SLOWER means that B costs more. A launch is one
 * replicate, whatever was repeated inside it. How the sides were measured decides what may be
 * said (docs/decisions/0240):
 *
 *   paired   launch i of A and of B side by side: one difference per pair
 *   apart    one side after the other: what drifted in between counts as error
 *   exact    counts that repeat: integers, no statistics
 *   near     counts that almost repeat: ranges and a fence
 *   events   numbers of rare events: exact, given their sum
 */
#ifndef HK_COMPARE_COMPARE_H
#define HK_COMPARE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/result/result.h"
#include "hk/stats/estimate.h"
#include "hk/stats/paired.h"

#define HK_CAVEATS_MAX 8u
#define HK_CAUSES_MAX 8u

enum hk_basis { HK_BASIS_PAIRED, HK_BASIS_APART, HK_BASIS_EXACT, HK_BASIS_NEAR, HK_BASIS_EVENTS };

struct hk_rule {
    double alpha;       /* two-sided, over all comparisons that gate together; inside (0, 0.5) */
    double bound_ratio; /* practical bound on times: 0.03 is 3 %; >= 0 */
    double floor_count; /* instructions that an exact count may change by; >= 0 */
    double drift_ratio; /* known sd of the drift between two jobs; 0: taken from the cells */
    bool paired;        /* launch i of A ran beside launch i of B, in random order */
    bool complete;      /* every cell of A must be in B, else UNKNOWN: B was to have them all */
    uint64_t seed;      /* of resampling */
};

/* What a count or a cost gained in one place. */
struct hk_cause {
    char what[HK_NAME_BYTES]; /* "kernel call_short", "event hk_cr3_writes" */
    double a;
    double b;
};

/* What NAN means below: not known for this basis. */
struct hk_finding {
    char cell[HK_NAME_BYTES];
    char quantity[48]; /* "time", "p99", "instructions", "underruns at 2000000 ns" */
    enum hk_basis basis;
    enum hk_paired_verdict verdict;
    bool gates;                  /* UNKNOWN leaves the whole comparison undecided */
    double a;                    /* median over launches, ns; or count; or events per period */
    double b;
    double ratio;                /* b / a, from the launches' ratios where they are paired */
    struct hk_interval interval; /* of the ratio */
    double detectable_ratio;     /* true ratio that is called SLOWER in 4 of 5 comparisons */
    double p;                    /* two-sided, against no difference at all */
    double p_bound;              /* two-sided, against a difference within the bound */
    double p_same;               /* against a difference beyond the bound */
    double p_holm;               /* p_bound, adjusted over all that gate */
    double q_value;              /* p, adjusted over all in the report (Benjamini-Hochberg) */
    double sd_between;           /* of the launches' log ratios */
    double sd_within;            /* of the rounds' log ratios in a launch */
    size_t count_a;              /* launches */
    size_t count_b;
    char reason[HK_TEXT_BYTES];  /* why not decided, or what to know; "" */
    size_t cause_count;
    struct hk_cause causes[HK_CAUSES_MAX]; /* the greatest first */
};

struct hk_comparison {
    size_t finding_count;
    struct hk_finding *findings;
    size_t only_a_count; /* cells without a partner */
    size_t only_b_count;
    size_t verdict_count[HK_PAIRED_FASTER + 1];
    size_t caveat_count;
    char caveats[HK_CAVEATS_MAX][HK_TEXT_BYTES];
};

/*
 * Compare two runs.
 *
 * a, b   [in]   launches sorted by name, as read
 * out    [out]  released with hk_comparison_fini; findings in the order of the cells' names
 * error  [out]  on failure one line
 *
 * Returns HK_OK; HK_EINVAL for a rule outside its ranges; HK_EEMPTY when the two have no
 * measured cell in common; HK_ENOMEM.
 */
enum hk_status hk_compare_runs(const struct hk_run *a, const struct hk_run *b,
                               const struct hk_rule *rule, struct hk_comparison *out,
                               char error[HK_TEXT_BYTES]);
void hk_comparison_fini(struct hk_comparison *comparison);

/* Whether the whole is SLOWER, UNKNOWN, FASTER or SAME, in this order of precedence. */
enum hk_paired_verdict hk_comparison_verdict(const struct hk_comparison *comparison);

/* "paired", "apart", "exact", "near", "events". */
const char *hk_basis_name(enum hk_basis basis);

/* --- pairs measured now ------------------------------------------------------ */

/* One cell, measured on both sides in the same launches. */
struct hk_pairs {
    char cell[HK_NAME_BYTES];
    size_t count;      /* launches */
    double *log_ratio; /* of each: ln(B / A) */
    double *a_ns;
    double *b_ns;
    double *sd_within; /* of the rounds; or NULL */
};

/* Two-sided levels of one look; with one look alpha and 2 alpha. */
struct hk_levels {
    double difference;  /* to call SLOWER or FASTER */
    double equivalence; /* twice the one-sided level to call SAME */
};

/*
 * Judge one cell by itself.
 *
 * tests    [in]   how many are judged together: the detectable ratio allows for them
 * finding  [out]  p_holm and q_value are those of a family of one
 *
 * The Wilcoxon signed rank test decides, or the sign test where the differences are skewed.
 *
 * Returns HK_OK, also for too few launches (UNKNOWN with its reason); HK_EINVAL; HK_ENOMEM.
 */
enum hk_status hk_compare_pairs(const struct hk_pairs *pairs, const struct hk_rule *rule,
                                const struct hk_levels *levels, size_t tests,
                                struct hk_finding *finding);

/*
 * Make a comparison of findings that have their verdicts; p_holm and q_value are filled in.
 *
 * Returns HK_OK; HK_EEMPTY without findings; HK_ENOMEM.
 */
enum hk_status hk_comparison_make(const struct hk_finding *findings, size_t count,
                                  struct hk_comparison *out);

/* Add a line that goes with all findings; more than HK_CAVEATS_MAX are dropped. */
__attribute__((format(printf, 2, 3))) void hk_comparison_say(struct hk_comparison *comparison,
                                                             const char *format, ...);

/*
 * Judge what launches measured in turns say beside their times: quantiles and counts of events.
 *
 * a, b  [in]   launch i of A ran beside launch i of B; sorted by name, then index
 * rule  [in]   paired is taken for granted
 * out   [out]  released with hk_comparison_fini; no findings when there is no such thing
 *
 * Returns HK_OK; HK_EINVAL for a rule outside its ranges; HK_ENOMEM.
 */
enum hk_status hk_compare_beside(const struct hk_run *a, const struct hk_run *b,
                                 const struct hk_rule *rule, struct hk_comparison *out);

/* --- what a change comes from -------------------------------------------------- */

struct hk_functions;

/*
 * Read functions.tsv: cell, function, instructions per operation.
 *
 * text  [in]   any bytes
 *
 * Returns HK_OK; HK_EPARSE with the line in error; HK_ENOMEM.
 */
enum hk_status hk_functions_parse(const char *text, size_t bytes, struct hk_functions **functions,
                                  char error[HK_TEXT_BYTES]);

/* The same from the folder of a run. HK_ENOENT when it has none. */
enum hk_status hk_functions_read(const char *folder, struct hk_functions **functions,
                                 char error[HK_TEXT_BYTES]);

/* The text that hk_functions_parse reads; to be freed by the caller. HK_ENOMEM. */
enum hk_status hk_functions_text(const struct hk_functions *functions, char **text, size_t *bytes);
void hk_functions_free(struct hk_functions *functions);

/*
 * Put the functions that gained or lost most in front of the causes of exact and near findings
 * that changed. A function in a program of its own ("init:call") runs in ring 3, others in
 * ring 0. a and b may be NULL: nothing is known then.
 */
void hk_compare_functions(struct hk_comparison *comparison, const struct hk_functions *a,
                          const struct hk_functions *b);

/*
 * Explain changed times by counted events: cost per event fitted over the cells of A, times
 * what each cell's events changed by. Adds the events to the causes, and to the reason how much
 * they explain and whether what is left over is more than noise.
 *
 * Returns whether costs could be fitted: at least HK_EXPLAIN_CELLS_MIN cells of A were counted.
 */
#define HK_EXPLAIN_CELLS_MIN 10u
bool hk_compare_explain(struct hk_comparison *comparison, const struct hk_run *a,
                        const struct hk_run *b);

#endif
