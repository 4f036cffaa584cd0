/* SPDX-License-Identifier: MIT */
#include "hk/judge/acceptance.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/dependence.h"
#include "hk/stats/proportion.h"
#include "hk/stats/quantile.h"
#include "standing.h"

/* Which of a regime's models a line asks about. */
enum model {
    TEXTBOOK,
    HELD,
    ANY, /* of a quantity that only one foretells, or all alike */
};

struct criterion;
struct material;

/* Finds a line's figure. HK_ENOENT: there is nothing of it; HK_ENOMEM. */
typedef enum hk_status find_figure(const struct material *m, const struct criterion *c,
                                   struct hk_reached *out);

/* One line of the table. */
struct criterion {
    const char *row;
    const char *target;
    find_figure *find;
    const char *source;   /* formula; of a figure from elsewhere, its id */
    const char *regimes;  /* pattern of the shell's kind; of cells, where counts are looked at */
    const char *but;      /* regimes that do not count; NULL */
    const char *cells;    /* pattern of a comparison's; NULL: any */
    const char *quantity; /* pattern; NULL: any */
    enum model model;
    double measured_min; /* only comparisons measured at this and above; 0: all */
    double low; /* required: low <= figure <= high, in `unit`, which is `scale` times the ratio */
    double high;
    double scale;
    const char *unit;
    uint64_t count_min;
    bool by_value;       /* a share: its own value decides, given the count */
    const char *missing; /* why there may be no figure, and the remedy */
};

/* What the figures are found in. */
struct material {
    const struct hk_run *run;
    const struct hk_judge *judge;
    const struct hk_reached *figures;
    size_t figure_count;
};

static find_figure kept_share, lost_share, error_median, error_p95, error_max, decades_median,
    decades_max, covered, bounded, difference_max, rank_correlation, set_regret, replaced_share,
    sign_share, error_removed, judged_error, neighbour_sigmas, apart_sigmas, conclusive_share,
    measured_ratio, measured_difference, counted_exact, break_even, elsewhere;

#define PERCENT .scale = 100, .unit = "%"
#define DECADES .scale = 1, .unit = "decades"
#define PLAIN .scale = 1, .unit = ""

static const char no_cells[] = "the run has no such cells; hkbench run without --quick";
static const char no_control[] = "no injected control in the run; it needs SCHED_FIFO and "
                                 "hkbench run without --quick";
static const char no_guest[] = "nothing was counted; hkbench run --guest, or --linux";
/* A server that others may delay is not what the formulas of waiting are about. */
#define QUEUE_REGIMES "native/queue/fifo/@(deterministic|exponential|hyper2)"
#define QUEUE_LOW_DETERMINISTIC "*/law:deterministic/rho_percent:[34]0/*"
static const char no_queue[] = "the run has no such cells; hkbench run --full, with two cores "
                               "and SCHED_FIFO";
/*
 * Not a control: under SCHED_OTHER who is woken may preempt, and a round trip has more than the
 * four switches that the coefficient stands for (docs/decisions/0332).
 */
#define PREEMPTED "native/@(pipe|unix_seqpacket)/coefficient of two servers"
static const char left_out[] = "left out by --quick";
static const char no_second[] = "left out by --quick, or this machine has no second run of the "
                                "same cells";
static const char not_tried[] = "the trial did not come to it";

static const struct criterion criteria[] = {
    {.row = "F1", .target = "weights whose predicted winner is the counted one",
     .find = kept_share, .source = "F1", .regimes = "*/winner", .low = 95, .high = 100, PERCENT,
     .count_min = 1, .missing = no_guest},
    {.row = "F1", .target = "mean regret, of the range of U", .find = lost_share, .source = "F1",
     .regimes = "*/regret", .low = 0, .high = 2, PERCENT, .count_min = 1, .missing = no_guest},
    {.row = "F1", .target = "exact acceptability against QMC", .find = elsewhere,
     .source = "acceptability_gap", .low = 0, .high = 1e-3, PLAIN, .count_min = 1,
     .missing = not_tried},
    {.row = "F2", .target = "p_i of sets of 3 and more, median error", .find = error_median,
     .source = "F2", .regimes = "*", .quantity = "added_instructions", .model = HELD, .low = 0,
     .high = 8, PERCENT, .count_min = 8, .missing = no_guest},
    {.row = "F2", .target = "order of the sets, tau b", .find = rank_correlation, .source = "F2",
     .regimes = "*", .quantity = "added_instructions", .model = HELD, .low = 0.9, .high = 1, PLAIN,
     .count_min = 8, .missing = no_guest},
    {.row = "F2", .target = "regret of the set chosen, by its size", .find = set_regret,
     .source = "F2", .regimes = "*", .quantity = "added_instructions", .model = HELD, .low = 0,
     .high = 3, PERCENT, .count_min = 1, .missing = no_guest},
    {.row = "F2", .target = "pairs beat the additive score where services interact",
     .find = replaced_share, .source = "F2", .regimes = "*pairs*", .low = 100, .high = 100, PERCENT,
     .count_min = 1, .by_value = true, .missing = no_guest},
    {.row = "F3 wall", .target = "textbook on chains of 2-5, other sizes", .find = error_median,
     .source = "F3", .regimes = "native/*/same_core*", .quantity = "cost_ns", .model = TEXTBOOK,
     .low = 0, .high = INFINITY, PERCENT, .count_min = 1, .missing = no_cells},
    {.row = "F3 wall", .target = "the model that held, median error", .find = error_median,
     .source = "F3", .regimes = "native/*/same_core*", .quantity = "cost_ns", .model = HELD,
     .low = 0, .high = 5, PERCENT, .count_min = 8, .missing = no_cells},
    {.row = "F3 wall", .target = "the model that held, 95 % of errors", .find = error_p95,
     .source = "F3", .regimes = "native/*/same_core*", .quantity = "cost_ns", .model = HELD,
     .low = 0, .high = 10, PERCENT, .count_min = 59, .missing = no_cells},
    {.row = "F3 wall", .target = "95 % prediction intervals cover", .find = covered,
     .source = "F3", .regimes = "native/*/same_core*", .quantity = "cost_ns", .model = HELD,
     .low = 93, .high = 97, PERCENT, .count_min = 457, .by_value = true, .missing = no_cells},
    {.row = "F3 coeff", .target = "injection slopes against 2 and 4, worst", .find = judged_error,
     .source = "F3", .regimes = "native/*/coefficient*", .but = PREEMPTED, .low = -2, .high = 2,
     PERCENT, .count_min = 1, .missing = no_cells},
    {.row = "F3 coeff", .target = "wrong integers, least distance", .find = neighbour_sigmas,
     .source = "F3", .regimes = "native/*/coefficient*", .but = PREEMPTED, .low = 20,
     .high = INFINITY, .scale = 1, .unit = "sigma", .count_min = 1, .missing = no_cells},
    {.row = "F3 coeff", .target = "two servers that may preempt who wakes them, worst",
     .find = judged_error, .source = "F3", .regimes = PREEMPTED, .low = 0,
     .high = INFINITY, PERCENT, .count_min = 1, .missing = no_cells},
    {.row = "F3 icount", .target = "cells whose boots agree in every counter",
     .find = counted_exact,
     .regimes = "@(guest|linux)/@(syscall|round_trip|chain|inject|inject_syscall)/*", .low = 100,
     .high = 100, PERCENT, .count_min = 10, .by_value = true, .missing = no_guest},
    {.row = "F3 icount", .target = "additivity in our kernel, worst error", .find = error_max,
     .source = "F3", .regimes = "guest/*", .quantity = "*", .model = HELD, .low = 0, .high = 0.5,
     PERCENT, .count_min = 3, .missing = no_guest},
    {.row = "F3 load", .target = "mean wait, P-K or Kingman with dispatch", .find = error_max,
     .source = "F3", .regimes = QUEUE_REGIMES, .cells = "!(" QUEUE_LOW_DETERMINISTIC ")",
     .quantity = "wait_ns", .model = HELD, .low = 0, .high = 10, PERCENT, .count_min = 12,
     .missing = no_queue},
    {.row = "F3 load", .target = "the same, constant service at rho below 0.5", .find = error_max,
     .source = "F3", .regimes = QUEUE_REGIMES, .cells = QUEUE_LOW_DETERMINISTIC,
     .quantity = "wait_ns", .model = HELD, .low = 0, .high = 25, PERCENT, .count_min = 2,
     .missing = no_queue},
    {.row = "F3 load", .target = "mean wait, Lindley replay of the arrivals, median error",
     .find = error_median, .source = "F3", .regimes = QUEUE_REGIMES "/replay",
     .quantity = "wait_ns", .model = TEXTBOOK, .low = 0, .high = 5, PERCENT, .count_min = 12,
     .missing = no_queue},
    {.row = "F4", .target = "T(L) at sizes not fitted, median error", .find = error_median,
     .source = "F4", .regimes = "*", .quantity = "throughput_ratio", .model = HELD, .low = 0,
     .high = 5, PERCENT, .count_min = 8, .missing = no_cells},
    {.row = "F4", .target = "faster or slower, where T is 10 % off 1", .find = sign_share,
     .source = "F4", .regimes = "*", .quantity = "throughput_ratio", .model = HELD, .low = 95,
     .high = 100, PERCENT, .count_min = 8, .by_value = true, .missing = no_cells},
    {.row = "F4", .target = "size L* from which pages are faster", .find = break_even,
     .source = "F4", .regimes = "*/reply of pages", .quantity = "break_even_bytes", .model = ANY,
     .low = 0, .high = 15, PERCENT, .count_min = 1, .missing = no_cells},
    {.row = "F5", .target = "copied bytes by the partial-page law", .find = error_max,
     .source = "F5", .regimes = "*/partial mapping/bytes", .model = HELD, .low = 0, .high = 1,
     PERCENT, .count_min = 1, .missing = no_cells},
    {.row = "F5", .target = "copied bytes, sizes independent", .find = error_max, .source = "F5",
     .regimes = "*/independent/bytes", .model = HELD, .low = 0, .high = 1, PERCENT, .count_min = 1,
     .missing = no_cells},
    {.row = "F5", .target = "copying time of another trace", .find = error_max, .source = "F5",
     .regimes = "native/*/time", .model = HELD, .low = 0, .high = 3, PERCENT, .count_min = 2,
     .missing = no_cells},
    {.row = "F5", .target = "Frechet bounds hold the measured bytes", .find = bounded,
     .source = "F5", .regimes = "*dependent/bytes", .model = TEXTBOOK, .low = 100, .high = 100,
     PERCENT, .count_min = 1, .by_value = true, .missing = no_cells},
    {.row = "F5", .target = "error that the covariance removes", .find = error_removed,
     .source = "F5", .regimes = "*/dependent/*", .model = HELD, .low = 90, .high = 100, PERCENT,
     .count_min = 1, .missing = no_cells},
    {.row = "F6 control", .target = "J / (sqrt 2 delta) - 1, apart", .find = judged_error,
     .source = "F6", .regimes = "*/absolute/*injected Exp", .low = -3, .high = 3, PERCENT,
     .count_min = 1, .missing = no_control},
    {.row = "F6 control", .target = "J_cc / J against sqrt 3", .find = measured_ratio,
     .source = "F6", .regimes = "*/absolute/*injected Exp", .quantity = "cycle_ratio", .low = -1,
     .high = 1, PERCENT, .count_min = 1, .missing = no_control},
    {.row = "F6 control", .target = "lag-1 correlation of periods, against -1/2",
     .find = measured_difference, .source = "F6", .regimes = "*/absolute/*injected Exp",
     .quantity = "period_rho1", .low = -0.02, .high = 0.02, PLAIN, .count_min = 1,
     .missing = no_control},
    {.row = "F6 wild", .target = "regimes with a verdict", .find = conclusive_share,
     .source = "F6", .regimes = "native/*", .but = "*injected*", .low = 100, .high = 100, PERCENT,
     .count_min = 1, .by_value = true, .missing = no_cells},
    {.row = "F6 wild", .target = "sigma sqrt(2 (1 - rho)), worst error", .find = error_max,
     .source = "F6", .regimes = "native/*", .but = "*injected*", .quantity = "jitter_rms_ns",
     .model = HELD, .low = 0, .high = 15, PERCENT, .count_min = 1, .missing = no_cells},
    {.row = "F6 wild", .target = "95 % block-bootstrap intervals cover 100 blocks",
     .find = covered, .source = "F6", .regimes = "native/*", .but = "*injected*",
     .quantity = "block_jitter_rms_ns", .model = HELD, .low = 90, .high = 100, PERCENT,
     .count_min = 100, .by_value = true, .missing = no_cells},
    {.row = "F7 control", .target = "worst error at P >= 1e-2", .find = decades_max,
     .source = "F7", .regimes = "*injected Exp", .but = "*/absolute/*",
     .quantity = "underrun_ratio", .model = HELD, .measured_min = 1e-2, .low = 0, .high = 0.05,
     DECADES, .count_min = 3, .missing = no_control},
    {.row = "F7 control", .target = "worst error at P >= 1e-4", .find = decades_max,
     .source = "F7", .regimes = "*injected Exp", .but = "*/absolute/*",
     .quantity = "underrun_ratio", .model = HELD, .measured_min = 1e-4, .low = 0, .high = 0.15,
     DECADES, .count_min = 3, .missing = no_control},
    {.row = "F7 control", .target = "1 told from 1/2, absolute timer", .find = apart_sigmas,
     .source = "F7", .regimes = "*/absolute/*injected Exp", .quantity = "underrun_ratio",
     .model = TEXTBOOK, .low = 5, .high = INFINITY, .scale = 1, .unit = "sigma", .count_min = 3,
     .missing = no_control},
    {.row = "F7 wild", .target = "textbook's exponential, median error", .find = decades_median,
     .source = "F7", .regimes = "native/*", .but = "*injected*", .quantity = "underrun_ratio",
     .model = TEXTBOOK, .low = 0, .high = INFINITY, DECADES, .count_min = 1, .missing = no_cells},
    {.row = "F7 wild", .target = "the model that held, median error", .find = decades_median,
     .source = "F7", .regimes = "native/*", .but = "*injected*", .quantity = "underrun_ratio",
     .model = HELD, .low = 0, .high = 0.3, DECADES, .count_min = 8, .missing = no_cells},
    {.row = "F7 wild", .target = "95 % intervals cover", .find = covered, .source = "F7",
     .regimes = "native/*", .but = "*injected*", .quantity = "underrun_ratio", .model = HELD,
     .low = 90, .high = 100, PERCENT, .count_min = 40, .by_value = true, .missing = no_cells},
    {.row = "F7 wild", .target = "stretches of up to 20 s whose underruns lie in the interval",
     .find = covered, .source = "F7", .regimes = "native/*", .but = "*injected*",
     .quantity = "underruns_count", .model = ANY, .low = 90, .high = 100, PERCENT,
     .count_min = 10, .by_value = true, .missing = no_cells},
    {.row = "Rare", .target = "conditional, Siegmund: worst error, 1e-9 and 1e-12",
     .find = elsewhere, .source = "rare_conditional_error", .low = 0, .high = 1, PERCENT,
     .count_min = 8, .missing = not_tried},
    {.row = "Rare", .target = "tilted: worst error, 1e-9 and 1e-12", .find = elsewhere,
     .source = "rare_tilted_error", .low = 0, .high = 3, PERCENT, .count_min = 4,
     .missing = not_tried},
    {.row = "Rare", .target = "splitting: worst error, 1e-9 and 1e-12", .find = elsewhere,
     .source = "rare_split_error", .low = 0, .high = 15, PERCENT, .count_min = 2,
     .missing = not_tried},
    {.row = "Rare", .target = "95 % intervals cover, the worst case", .find = elsewhere,
     .source = "rare_coverage", .low = 93.6, .high = 96.4, PERCENT, .count_min = 1000,
     .by_value = true, .missing = left_out},
    {.row = "Rare", .target = "variance against counting at 1e-9, least but splitting's",
     .find = elsewhere, .source = "rare_reduction_1e-9", .low = 1e7, .high = INFINITY, PLAIN,
     .count_min = 6, .missing = not_tried},
    {.row = "Rare", .target = "variance against counting at 1e-12, least but splitting's",
     .find = elsewhere, .source = "rare_reduction_1e-12", .low = 1e10, .high = INFINITY, PLAIN,
     .count_min = 6, .missing = not_tried},
    {.row = "Rare", .target = "splitting: gain over counting at 1e-9, of what levels allow",
     .find = elsewhere, .source = "rare_split_yield_1e-9", .low = 50, .high = INFINITY, PERCENT,
     .count_min = 200, .missing = not_tried},
    {.row = "Rare", .target = "splitting: gain over counting at 1e-12, of what levels allow",
     .find = elsewhere, .source = "rare_split_yield_1e-12", .low = 50, .high = INFINITY, PERCENT,
     .count_min = 200, .missing = not_tried},
    {.row = "Rare", .target = "the liar estimator is flagged", .find = elsewhere,
     .source = "rare_liar_flagged", .low = 100, .high = 100, PERCENT, .count_min = 20,
     .by_value = true, .missing = not_tried},
    {.row = "F8", .target = "share of old answers, worst difference", .find = difference_max,
     .source = "F8", .regimes = "*", .quantity = "stale_ratio", .model = HELD, .low = 0,
     .high = 0.5, .scale = 100, .unit = "points", .count_min = 3, .missing = no_guest},
    {.row = "F8", .target = "the law of the refresh told from any-pending",
     .find = replaced_share, .source = "F8", .regimes = "*", .low = 100, .high = 100, PERCENT,
     .count_min = 1, .by_value = true, .missing = no_guest},
    {.row = "F9", .target = "V of unseen straight programs, median error", .find = error_median,
     .source = "F9", .regimes = "*/loading/straight", .model = HELD, .low = 0, .high = 5, PERCENT,
     .count_min = 5, .missing = no_cells},
    {.row = "F9", .target = "V of unseen branchy programs, median error", .find = error_median,
     .source = "F9", .regimes = "*/loading/branchy", .model = HELD, .low = 0, .high = 15, PERCENT,
     .count_min = 3, .missing = no_cells},
    {.row = "F9", .target = "amortised cost, N = 1..1e6, median error", .find = error_median,
     .source = "F9", .regimes = "*/amortised", .model = HELD, .low = 0, .high = 5, PERCENT,
     .count_min = 7, .missing = no_cells},
    {.row = "F9", .target = "break-even N*, worst error", .find = error_max, .source = "F9",
     .regimes = "*/break-even", .model = HELD, .low = 0, .high = 10, PERCENT, .count_min = 1,
     .missing = no_cells},
    {.row = "F9", .target = "ski rental over the best in hindsight, worst trace",
     .find = elsewhere, .source = "ski_rental_ratio", .low = 1, .high = 2, PLAIN, .count_min = 100,
     .missing = not_tried},
    {.row = "Judge", .target = "mutants killed", .find = elsewhere, .source = "mutants_killed",
     .low = 95, .high = 100, PERCENT, .count_min = 30, .by_value = true,
     .missing = "left out by --quick, hkbench-mutants is not beside hkbench, or a right formula "
                "did not get its verdict there"},
    {.row = "Judge", .target = "false verdicts in worlds of known truth", .find = elsewhere,
     .source = "false_verdicts", .low = 0, .high = 5, PERCENT, .count_min = 500,
     .missing = not_tried},
    {.row = "Judge", .target = "right verdicts, with what holds instead, in these",
     .find = elsewhere, .source = "controls_met", .low = 95, .high = 100, PERCENT,
     .count_min = 500, .missing = not_tried},
    {.row = "Judge", .target = "same verdict in 20 reruns of simulated noise", .find = elsewhere,
     .source = "same_verdict", .low = 95, .high = 100, PERCENT, .count_min = 500,
     .missing = not_tried},
    {.row = "Judge", .target = "same verdict in the runs of this machine", .find = elsewhere,
     .source = "same_verdict_runs", .low = 95, .high = 100, PERCENT, .count_min = 20,
     .by_value = true,
     .missing = no_second},
    {.row = "Judge", .target = "runs of this machine that decide, the same way",
     .find = elsewhere, .source = "same_decision_runs", .low = 95, .high = 100, PERCENT,
     .count_min = 20, .by_value = true, .missing = no_second},
    {.row = "Judge", .target = "blocks with a neighbour that the guard flags",
     .find = elsewhere, .source = "guard_flagged", .low = 99, .high = 100, PERCENT,
     /* So many, all of them flagged, have 99 % within their interval. */
     .count_min = 368, .missing = "no cell of guard/neighbour in the run"},
    {.row = "Judge", .target = "quiet blocks that the guard flags", .find = elsewhere,
     .source = "guard_quiet_flagged", .low = 0, .high = 5, PERCENT, .count_min = 72,
     .missing = "no cell of guard/neighbour or guard/quiet in the run"},
};

/* --- picking ------------------------------------------------------------------------ */

static bool matches(const char *pattern, const char *text)
{
    return pattern == NULL || fnmatch(pattern, text, FNM_EXTMATCH) == 0;
}

static bool regime_wanted(const struct criterion *c, const char *formula, const char *regime)
{
    return strcmp(formula, c->source) == 0 && matches(c->regimes, regime) &&
           (c->but == NULL || !matches(c->but, regime));
}

/* The model that a line asks about. */
static const char *model_of(const struct hk_judge *judge, const struct hk_comparison *c,
                            enum model model)
{
    return model == TEXTBOOK ? hk_judge_textbook(judge, c) : hk_judge_standing(judge, c);
}

static bool comparison_wanted(const struct material *m, const struct criterion *c,
                              const struct hk_comparison *x)
{
    return regime_wanted(c, x->formula, x->regime) && matches(c->cells, x->cell) &&
           matches(c->quantity, x->quantity) &&
           (c->measured_min == 0 || x->measured >= c->measured_min) &&
           (c->model == ANY || strcmp(x->model, model_of(m->judge, x, c->model)) == 0);
}

/* A number made of each comparison that a line looks at. */
typedef double of_comparison(const struct hk_comparison *c);

static enum hk_status collect(const struct material *m, const struct criterion *c,
                              of_comparison *of, double **values, size_t *count)
{
    size_t n = 0;
    double *x = malloc((m->judge->comparison_count + 1) * sizeof *x);

    if (x == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < m->judge->comparison_count; i++) {
        const struct hk_comparison *row = &m->judge->comparisons[i];
        if (!comparison_wanted(m, c, row))
            continue;
        const double value = of(row);
        if (isfinite(value))
            x[n++] = value;
    }
    if (n == 0) {
        free(x);
        return HK_ENOENT;
    }
    *values = x;
    *count = n;
    return HK_OK;
}

/* How far apart two numbers are; without an end where an interval reaches down to nothing. */
typedef double of_pair(double predicted, double measured);

static double error_between(double predicted, double measured)
{
    return measured > 0 ? fabs(predicted / measured - 1) : INFINITY;
}

static double decades_between(double predicted, double measured)
{
    return measured > 0 ? fabs(log10(predicted / measured)) : INFINITY;
}

static double difference_between(double predicted, double measured)
{
    return fabs(predicted - measured);
}

static double error_of(const struct hk_comparison *c)
{
    return error_between(c->predicted, c->measured);
}

static double decades_of(const struct hk_comparison *c)
{
    return decades_between(c->predicted, c->measured);
}

static double hit_of(const struct hk_comparison *c)
{
    return c->lower <= c->measured && c->measured <= c->upper ? 1 : 0;
}

/* A bound is broken where the whole measurement lies beyond it. */
static double within_of(const struct hk_comparison *c)
{
    return c->lower <= c->measured_upper && c->measured_lower <= c->upper ? 1 : 0;
}

static double sign_of(const struct hk_comparison *c)
{
    if (fabs(c->measured - 1) <= 0.10)
        return NAN; /* too close to call */
    return (c->predicted > 1) == (c->measured > 1) ? 1 : 0;
}

/* --- figures ------------------------------------------------------------------------ */

/*
 * A quantile with its distribution-free interval of at least 90 %. Where n is too small for one it
 * is all that was seen, which holds the quantile less often: how often stands with it.
 */
static enum hk_status quantile_of(const struct material *m, const struct criterion *c,
                                  of_comparison *of, double q, struct hk_reached *out)
{
    struct hk_interval interval;
    double *x = NULL;
    size_t n = 0;
    enum hk_status status = collect(m, c, of, &x, &n);

    if (status != HK_OK)
        return status;
    status = hk_sample_sort(x, n);
    if (status == HK_OK)
        status = hk_quantile(x, n, q, &out->value);
    if (status == HK_OK && hk_quantile_interval(x, n, q, 0.90, &interval) != HK_OK)
        interval = (struct hk_interval){x[0], x[n - 1],
                                        1 - pow(q, (double)n) - pow(1 - q, (double)n)};
    if (status == HK_OK) {
        out->lower = interval.lower;
        out->upper = interval.upper;
        out->confidence_ratio = interval.confidence_ratio;
        out->count = n;
    }
    free(x);
    return status;
}

static enum hk_status error_median(const struct material *m, const struct criterion *c,
                                   struct hk_reached *out)
{
    return quantile_of(m, c, error_of, 0.5, out);
}

static enum hk_status error_p95(const struct material *m, const struct criterion *c,
                                struct hk_reached *out)
{
    return quantile_of(m, c, error_of, 0.95, out);
}

static enum hk_status decades_median(const struct material *m, const struct criterion *c,
                                     struct hk_reached *out)
{
    return quantile_of(m, c, decades_of, 0.5, out);
}

/*
 * The largest: nothing is inferred beyond what was measured. What each measurement may be is: the
 * largest lies between the largest of the lower ends and that of the upper ones; where all is
 * exact, these are itself.
 */
static enum hk_status extreme_of(const struct material *m, const struct criterion *c,
                                 of_pair *of, struct hk_reached *out)
{
    for (size_t i = 0; i < m->judge->comparison_count; i++) {
        const struct hk_comparison *x = &m->judge->comparisons[i];
        if (!comparison_wanted(m, c, x) || !isfinite(of(x->predicted, x->measured)))
            continue;
        const double low = of(x->predicted, x->measured_lower);
        const double high = of(x->predicted, x->measured_upper);
        const bool hit = x->measured_lower <= x->predicted && x->predicted <= x->measured_upper;
        out->value = fmax(out->value, of(x->predicted, x->measured));
        out->lower = fmax(out->lower, hit ? 0 : fmin(low, high));
        out->upper = fmax(out->upper, fmax(low, high));
        out->count++;
    }
    out->confidence_ratio = 0.95;
    return out->count > 0 ? HK_OK : HK_ENOENT;
}

static enum hk_status error_max(const struct material *m, const struct criterion *c,
                                struct hk_reached *out)
{
    return extreme_of(m, c, error_between, out);
}

/*
 * The error of a size at which T = 1. Where there is none to compare, the ratios that were measured
 * tell why: an L* is not made up beyond them.
 */
static enum hk_status break_even(const struct material *m, const struct criterion *c,
                                 struct hk_reached *out)
{
    double least = INFINITY, most = 0;
    const enum hk_status status = error_max(m, c, out);

    for (size_t i = 0; i < m->judge->comparison_count; i++) {
        const struct hk_comparison *x = &m->judge->comparisons[i];
        if (!regime_wanted(c, x->formula, x->regime) ||
            strcmp(x->quantity, "throughput_ratio") != 0)
            continue;
        least = fmin(least, x->measured);
        most = fmax(most, x->measured);
    }
    if (status != HK_ENOENT || most == 0)
        return status;
    if (most < 1)
        snprintf(out->note, sizeof out->note, "no size measured has T >= 1: %.2f at most", most);
    else if (least > 1)
        snprintf(out->note, sizeof out->note, "no size measured has T < 1: %.2f at least", least);
    else
        snprintf(out->note, sizeof out->note, "T passes 1 where no model says so");
    return status;
}

static enum hk_status decades_max(const struct material *m, const struct criterion *c,
                                  struct hk_reached *out)
{
    return extreme_of(m, c, decades_between, out);
}

static enum hk_status difference_max(const struct material *m, const struct criterion *c,
                                     struct hk_reached *out)
{
    return extreme_of(m, c, difference_between, out);
}

static enum hk_status share(uint64_t hits, uint64_t n, struct hk_reached *out)
{
    struct hk_interval interval;

    if (n == 0)
        return HK_ENOENT;
    const enum hk_status status = hk_proportion_interval(hits, n, 0.95, &interval);
    if (status != HK_OK)
        return status;
    out->value = (double)hits / (double)n;
    out->lower = interval.lower;
    out->upper = interval.upper;
    out->confidence_ratio = interval.confidence_ratio;
    out->count = n;
    return HK_OK;
}

static enum hk_status share_of(const struct material *m, const struct criterion *c,
                               of_comparison *of, struct hk_reached *out)
{
    double *x = NULL;
    size_t n = 0;
    uint64_t hits = 0;
    const enum hk_status status = collect(m, c, of, &x, &n);

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        hits += x[i] > 0;
    free(x);
    return share(hits, n, out);
}

static enum hk_status covered(const struct material *m, const struct criterion *c,
                              struct hk_reached *out)
{
    return share_of(m, c, hit_of, out);
}

static enum hk_status bounded(const struct material *m, const struct criterion *c,
                              struct hk_reached *out)
{
    return share_of(m, c, within_of, out);
}

static enum hk_status sign_share(const struct material *m, const struct criterion *c,
                                 struct hk_reached *out)
{
    return share_of(m, c, sign_of, out);
}

/* Calls a function with the comparisons of each regime that a line looks at. */
typedef enum hk_status of_regime(const struct hk_comparison *const *rows, size_t n, void *context);

static enum hk_status for_regimes(const struct material *m, const struct criterion *c,
                                  of_regime *of, void *context)
{
    const struct hk_judge *judge = m->judge;
    const struct hk_comparison **rows = malloc((judge->comparison_count + 1) * sizeof *rows);
    enum hk_status status = rows == NULL ? HK_ENOMEM : HK_OK;

    for (size_t j = 0; j < judge->judgement_count && status == HK_OK; j++) {
        size_t n = 0;
        for (size_t i = 0; i < judge->comparison_count; i++)
            if (strcmp(judge->comparisons[i].regime, judge->judgements[j].regime) == 0 &&
                comparison_wanted(m, c, &judge->comparisons[i]))
                rows[n++] = &judge->comparisons[i];
        status = n > 0 ? of(rows, n, context) : HK_OK;
    }
    free(rows);
    return status;
}

/* Widens a figure by a point; the worst of all regimes is what counts. */
static void take_least(struct hk_reached *f, double value, size_t n)
{
    if (f->count == 0 || value < f->value)
        f->value = f->lower = f->upper = value;
    f->count += n;
}

static enum hk_status tau_of_regime(const struct hk_comparison *const *rows, size_t n, void *out)
{
    double *x = malloc(2 * n * sizeof *x);
    double tau = 0;

    if (x == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        x[i] = rows[i]->predicted;
        x[n + i] = rows[i]->measured;
    }
    const enum hk_status status = hk_kendall_tau_b(x, x + n, n, &tau);
    free(x);
    if (status == HK_OK)
        take_least(out, tau, n);
    return status == HK_ENOISE ? HK_OK : status;
}

static enum hk_status rank_correlation(const struct material *m, const struct criterion *c,
                                       struct hk_reached *out)
{
    const enum hk_status status = for_regimes(m, c, tau_of_regime, out);

    return status == HK_OK && out->count == 0 ? HK_ENOENT : status;
}

enum { SERVICES_MAX = 16 };

/* The services of a set in servers: those that are not in the cell's mask. */
static int services_of(const struct hk_comparison *c)
{
    static const uint32_t all = 255; /* eight services, as the guest has them */
    int64_t mask = 0;

    return hk_name_int(c->cell, "mask", &mask) == HK_OK ? __builtin_popcount(all & ~(uint32_t)mask)
                                                        : -1;
}

/* Of all sets of k services, the one that is predicted to be cheapest, against the one that is. */
static enum hk_status regret_of_regime(const struct hk_comparison *const *rows, size_t n,
                                       void *out)
{
    struct hk_reached *worst = out;

    for (int k = 1; k < SERVICES_MAX; k++) {
        const struct hk_comparison *chosen = NULL, *best = NULL;
        for (size_t i = 0; i < n; i++) {
            if (services_of(rows[i]) != k)
                continue;
            chosen = chosen == NULL || rows[i]->predicted < chosen->predicted ? rows[i] : chosen;
            best = best == NULL || rows[i]->measured < best->measured ? rows[i] : best;
        }
        if (chosen == NULL)
            continue;
        const double regret = chosen->measured / best->measured - 1;
        if (worst->count == 0 || regret > worst->value)
            worst->value = worst->lower = worst->upper = regret;
        worst->count++;
    }
    return HK_OK;
}

static enum hk_status set_regret(const struct material *m, const struct criterion *c,
                                 struct hk_reached *out)
{
    const enum hk_status status = for_regimes(m, c, regret_of_regime, out);

    return status == HK_OK && out->count == 0 ? HK_ENOENT : status;
}

/* 1 - the part of the textbook's error that is left by the model that held; the least. */
static enum hk_status error_removed(const struct material *m, const struct criterion *c,
                                    struct hk_reached *out)
{
    const struct hk_judge *judge = m->judge;

    for (size_t i = 0; i < judge->comparison_count; i++) {
        const struct hk_comparison *held = &judge->comparisons[i];
        if (!comparison_wanted(m, c, held))
            continue;
        for (size_t k = 0; k < judge->comparison_count; k++) {
            const struct hk_comparison *naive = &judge->comparisons[k];
            if (strcmp(naive->regime, held->regime) == 0 &&
                strcmp(naive->cell, held->cell) == 0 &&
                strcmp(naive->quantity, held->quantity) == 0 &&
                strcmp(naive->model, hk_judge_textbook(judge, held)) == 0 && error_of(naive) > 0)
                take_least(out, 1 - error_of(held) / error_of(naive), 1);
        }
    }
    return out->count > 0 ? HK_OK : HK_ENOENT;
}

/* Calls a function with each verdict that a line looks at. */
#define FOR_JUDGEMENTS(m, c, j)                                                                   \
    for (const struct hk_judgement *j = (m)->judge->judgements;                                   \
         j < (m)->judge->judgements + (m)->judge->judgement_count; j++)                           \
        if (regime_wanted(c, j->formula, j->regime))

static enum hk_status replaced_share(const struct material *m, const struct criterion *c,
                                     struct hk_reached *out)
{
    uint64_t hits = 0, n = 0;

    FOR_JUDGEMENTS(m, c, j) {
        n++;
        hits += j->kind == HK_VERDICT_REFUTED_REPLACED;
    }
    return share(hits, n, out);
}

/*
 * What the model that held keeps of 1, in the regime where that is least: errors are logarithms. A
 * regime that could not be decided may be that one, so there is no least then.
 */
static enum hk_status kept_share(const struct material *m, const struct criterion *c,
                                 struct hk_reached *out)
{
    FOR_JUDGEMENTS(m, c, j) {
        if (j->kind == HK_VERDICT_INCONCLUSIVE) {
            snprintf(out->note, sizeof out->note, "%.50s could not be decided", j->regime);
            return HK_ENOENT;
        }
        const bool replaced = j->kind == HK_VERDICT_REFUTED_REPLACED;
        take_least(out, exp(replaced ? j->replacement_error : j->error), 1);
    }
    return out->count > 0 ? HK_OK : HK_ENOENT;
}

static enum hk_status lost_share(const struct material *m, const struct criterion *c,
                                 struct hk_reached *out)
{
    const enum hk_status status = kept_share(m, c, out);

    out->value = out->lower = out->upper = 1 - out->value;
    return status;
}

static enum hk_status conclusive_share(const struct material *m, const struct criterion *c,
                                       struct hk_reached *out)
{
    uint64_t hits = 0, n = 0;

    FOR_JUDGEMENTS(m, c, j) {
        n++;
        hits += j->kind != HK_VERDICT_INCONCLUSIVE;
    }
    return share(hits, n, out);
}

/* The textbook's error in the regime where it is worst; verdicts without numbers do not count. */
static enum hk_status judged_error(const struct material *m, const struct criterion *c,
                                   struct hk_reached *out)
{
    FOR_JUDGEMENTS(m, c, j) {
        if (j->sample_count == 0)
            continue;
        const double reach = fmax(fabs(j->error_lower), fabs(j->error_upper));
        if (out->count == 0 || reach > fmax(fabs(log1p(out->lower)), fabs(log1p(out->upper)))) {
            out->value = expm1(j->error);
            out->lower = expm1(j->error_lower);
            out->upper = expm1(j->error_upper);
        }
        out->confidence_ratio = 0.90; /* as of all verdicts */
        out->count++;
    }
    return out->count > 0 ? HK_OK : HK_ENOENT;
}

/* Claimed coefficients by their regimes' last words. */
static double claimed_in(const char *regime)
{
    return strstr(regime, "two servers") != NULL ? 4 : 2;
}

/*
 * How far a slope is from the integers beside the claimed one, in standard errors. An interval
 * that is a point, of exact counts, is infinitely far from them and says nothing of noise.
 */
static enum hk_status neighbour_sigmas(const struct material *m, const struct criterion *c,
                                       struct hk_reached *out)
{
    FOR_JUDGEMENTS(m, c, j) {
        const double claimed = claimed_in(j->regime);
        const double slope = claimed * exp(-j->error);
        const double se = slope * (j->error_upper - j->error_lower) / (2 * HK_Z_90);
        if (j->sample_count > 0 && se > 0)
            take_least(out, fmin(fabs(slope - claimed + 1), fabs(claimed + 1 - slope)) / se, 1);
    }
    return out->count > 0 ? HK_OK : HK_ENOENT;
}

/* How surely a prediction is not what was measured, where that is surest. */
static double sigmas_of(const struct hk_comparison *c)
{
    return decades_of(c) / (log10(c->measured_upper / c->measured_lower) / (2 * HK_Z_95));
}

static enum hk_status apart_sigmas(const struct material *m, const struct criterion *c,
                                   struct hk_reached *out)
{
    double *x = NULL;
    size_t n = 0;
    const enum hk_status status = collect(m, c, sigmas_of, &x, &n);

    for (size_t i = 0; status == HK_OK && i < n; i++)
        out->value = fmax(out->value, x[i]);
    free(x);
    out->lower = out->upper = out->value;
    out->count = n;
    return status;
}

/* Measured against predicted, with the measured interval, where it is worst. */
static enum hk_status measured_against(const struct material *m, const struct criterion *c,
                                       bool ratio, struct hk_reached *out)
{
    for (size_t i = 0; i < m->judge->comparison_count; i++) {
        const struct hk_comparison *x = &m->judge->comparisons[i];
        if (!comparison_wanted(m, c, x))
            continue;
        const double unit = ratio ? x->predicted : 1;
        const double value = (x->measured - x->predicted) / unit;
        if (out->count == 0 || fabs(value) > fabs(out->value)) {
            out->value = value;
            out->lower = (x->measured_lower - x->predicted) / unit;
            out->upper = (x->measured_upper - x->predicted) / unit;
        }
        out->confidence_ratio = 0.95;
        out->count++;
    }
    return out->count > 0 ? HK_OK : HK_ENOENT;
}

static enum hk_status measured_ratio(const struct material *m, const struct criterion *c,
                                     struct hk_reached *out)
{
    return measured_against(m, c, true, out);
}

static enum hk_status measured_difference(const struct material *m, const struct criterion *c,
                                          struct hk_reached *out)
{
    return measured_against(m, c, false, out);
}

/* Counted cells all of whose launches agree; the count is of launches in the smallest one. */
static enum hk_status counted_exact(const struct material *m, const struct criterion *c,
                                    struct hk_reached *out)
{
    const struct hk_run *run = m->run;
    uint64_t exact = 0, cells = 0, launches_min = UINT64_MAX;

    for (size_t i = 0; i < run->launch_count;) {
        const struct hk_launch *first = &run->launches[i];
        uint64_t n = 0;
        bool agree = true;
        for (; i < run->launch_count && strcmp(run->launches[i].name, first->name) == 0; i++) {
            const struct hk_launch *l = &run->launches[i];
            if (l->state != HK_LAUNCH_OK || l->exactness == HK_TIMED)
                continue;
            n++;
            agree = agree && l->exactness == HK_EXACT;
        }
        if (n == 0 || !matches(c->regimes, first->name))
            continue;
        cells++;
        exact += agree;
        launches_min = n < launches_min ? n : launches_min;
    }
    const enum hk_status status = share(exact, cells, out);
    out->count = status == HK_OK ? launches_min : 0;
    return status;
}

static enum hk_status elsewhere(const struct material *m, const struct criterion *c,
                                struct hk_reached *out)
{
    for (size_t i = 0; i < m->figure_count; i++) {
        if (strcmp(m->figures[i].id, c->source) == 0) {
            *out = m->figures[i];
            return HK_OK;
        }
    }
    return HK_ENOENT;
}

/* --- lines -------------------------------------------------------------------------- */

/* Nothing is required of it: it stands beside other lines for comparison. */
static bool only_reported(const struct criterion *c)
{
    return isinf(c->high) && c->low == 0;
}

static void format_required(const struct criterion *c, char *text, size_t bytes)
{
    const char *space = c->unit[0] != '\0' ? " " : "";

    if (only_reported(c))
        snprintf(text, bytes, "reported");
    else if (isinf(c->high))
        snprintf(text, bytes, ">= %g%s%s", c->low, space, c->unit);
    else if (c->low == -c->high)
        snprintf(text, bytes, "+-%g%s%s", c->high, space, c->unit);
    else if (c->low == 0)
        snprintf(text, bytes, "<= %g%s%s", c->high, space, c->unit);
    else if (c->high == 100 && c->low < 100 && strcmp(c->unit, "%") == 0)
        snprintf(text, bytes, ">= %g %%", c->low);
    else if (c->low == c->high)
        snprintf(text, bytes, "%g%s%s", c->low, space, c->unit);
    else
        snprintf(text, bytes, "%g .. %g%s%s", c->low, c->high, space, c->unit);
}

static bool inside(const struct criterion *c, double value)
{
    return c->low <= value && value <= c->high;
}

/* A figure passes when all of its interval does; a share when it does, given enough trials. */
static void decide(const struct criterion *c, struct hk_acceptance *a)
{
    const bool enough = a->sample_count >= c->count_min;
    const bool reached =
        inside(c, a->value) && (c->by_value || (inside(c, a->lower) && inside(c, a->upper)));
    const bool beyond = a->upper < c->low || a->lower > c->high;

    if (only_reported(c))
        a->outcome = HK_ACCEPTANCE_REPORTED;
    else if (enough && reached)
        a->outcome = HK_ACCEPTANCE_PASS;
    else if (beyond || (enough && c->by_value))
        a->outcome = HK_ACCEPTANCE_MISSED;
    if (a->outcome == HK_ACCEPTANCE_INCONCLUSIVE && !enough)
        snprintf(a->why, sizeof a->why, "n=%llu of %llu", (unsigned long long)a->sample_count,
                 (unsigned long long)c->count_min);
    else if (a->outcome == HK_ACCEPTANCE_INCONCLUSIVE)
        snprintf(a->why, sizeof a->why, "the interval reaches beyond what is required");
}

static enum hk_status assess(const struct material *m, const struct criterion *c,
                             struct hk_acceptance *a)
{
    struct hk_reached figure = {.count = 0};

    *a = (struct hk_acceptance){.outcome = HK_ACCEPTANCE_INCONCLUSIVE};
    snprintf(a->row, sizeof a->row, "%s", c->row);
    snprintf(a->target, sizeof a->target, "%s", c->target);
    snprintf(a->unit, sizeof a->unit, "%s", c->unit);
    format_required(c, a->required, sizeof a->required);
    const enum hk_status status = c->find(m, c, &figure);
    if (status == HK_ENOMEM)
        return status;
    if (status != HK_OK || figure.count == 0 || !isfinite(figure.value)) {
        snprintf(a->why, sizeof a->why, "%s", figure.note[0] != '\0' ? figure.note : c->missing);
        return HK_OK;
    }
    if (!isfinite(figure.lower + figure.upper)) {
        snprintf(a->why, sizeof a->why, "what was measured may be nothing: no end to the error");
        return HK_OK;
    }
    a->value = c->scale * figure.value;
    a->lower = c->scale * fmin(figure.lower, figure.value);
    a->upper = c->scale * fmax(figure.upper, figure.value);
    a->confidence_ratio = a->lower < a->upper ? figure.confidence_ratio : 0;
    a->sample_count = figure.count;
    decide(c, a);
    if (a->why[0] == '\0')
        snprintf(a->why, sizeof a->why, "%s", figure.note);
    return HK_OK;
}

enum hk_status hk_acceptance_assess(const struct hk_run *run, const struct hk_reached *figures,
                                    size_t figure_count, struct hk_judge *judge)
{
    const struct material m = {run, judge, figures, figure_count};
    const size_t n = HK_ARRAY_COUNT(criteria);
    enum hk_status status = HK_OK;

    if (judge->acceptance_count != 0)
        return HK_EEXIST;
    struct hk_acceptance *lines = calloc(n, sizeof *lines);
    if (lines == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < n && status == HK_OK; i++)
        status = assess(&m, &criteria[i], &lines[i]);
    if (status != HK_OK) {
        free(lines);
        return status;
    }
    judge->acceptance = lines;
    judge->acceptance_count = n;
    return HK_OK;
}

enum hk_acceptance_outcome hk_acceptance_row(const struct hk_judge *judge, const char *row)
{
    size_t passed = 0, open = 0;

    for (size_t i = 0; i < judge->acceptance_count; i++) {
        const struct hk_acceptance *a = &judge->acceptance[i];
        if (strcmp(a->row, row) != 0)
            continue;
        if (a->outcome == HK_ACCEPTANCE_MISSED)
            return HK_ACCEPTANCE_MISSED;
        passed += a->outcome == HK_ACCEPTANCE_PASS;
        open += a->outcome == HK_ACCEPTANCE_INCONCLUSIVE;
    }
    return passed > 0 && open == 0 ? HK_ACCEPTANCE_PASS : HK_ACCEPTANCE_INCONCLUSIVE;
}
