/* SPDX-License-Identifier: MIT */
/* Two builds or two commands, measured now in turns. */
#ifndef HK_CLI_COMPARE_NOW_H
#define HK_CLI_COMPARE_NOW_H

#include <signal.h>
#include <stdint.h>

#include "hk/compare/compare.h"

/* The pairs of one cell as they come in. */
struct hk_now_series {
    struct hk_pairs pairs;
    size_t capacity;
    size_t disturbed_count; /* launches with too few undisturbed rounds */
    size_t failure_count;   /* launches without a value */
    bool closed;            /* decided, or given up */
    struct hk_finding finding;
    char failure[HK_TEXT_BYTES]; /* why the last one gave no value */
    char breach[HK_TEXT_BYTES];  /* what a side did that the cell does not claim; "" */
};

struct hk_now {
    const char *programs[2]; /* hkbench builds, or commands for the shell */
    const char *filter;      /* NULL: the usual cells */
    uint32_t rounds;         /* per launch, of builds */
    uint64_t seed;
    const volatile sig_atomic_t *stop;
    size_t series_count;
    struct hk_now_series *series;
    struct hk_run runs[2]; /* the launches of A and of B so far, by cell and index when sorted */
};

/*
 * How a pair of launches comes about. measure runs launch `index` and adds its pairs to all
 * series that are not closed; HK_EINTR when *stop was set; anything else but HK_OK ends all.
 */
struct hk_now_source {
    const char *name; /* of the sides, for the report: "builds", "commands" */
    enum hk_status (*open)(struct hk_now *now, char error[HK_TEXT_BYTES]);
    enum hk_status (*measure)(struct hk_now *now, uint64_t seed, uint32_t index,
                              char error[HK_TEXT_BYTES]);
    /*
     * Measure more cells of A, once each, into run: costs of events are fitted over cells. NULL:
     * there are no more. HK_EINTR, HK_ENOMEM.
     */
    enum hk_status (*measure_others)(struct hk_now *now, struct hk_run *run);
};

extern const struct hk_now_source hk_now_builds;
extern const struct hk_now_source hk_now_commands;

/* The series of a cell, made when it is new; NULL when out of memory. */
struct hk_now_series *hk_now_find(struct hk_now *now, const char *cell);

/* Add a pair. HK_ENOMEM. */
enum hk_status hk_now_add(struct hk_now_series *series, const struct hk_pairs *one);

/*
 * Keep the launches behind a pair, for what they say beside their time; both are taken over.
 *
 * Returns HK_OK; HK_ENOMEM: they are released.
 */
enum hk_status hk_now_keep(struct hk_now *now, struct hk_launch *a, struct hk_launch *b);

/* Move a launch to the end of a run; it is released when that fails. HK_ENOMEM. */
enum hk_status hk_now_append(struct hk_run *run, struct hk_launch *launch);

struct hk_now_plan {
    struct hk_now now;
    const struct hk_now_source *source;
    const struct hk_rule *rule;
    uint32_t launches_max;
    uint32_t looks;
};

/*
 * Measure and compare: after each look that the plan declares, cells whose time is decided are
 * left. Quantiles and counts of events are judged once, of all launches that were made; they
 * have a fifth of alpha, times the rest. What is SLOWER at the end is measured again from
 * scratch, and stays SLOWER only if it is that again. Changed times are explained by events.
 *
 * Returns HK_OK; HK_EINTR; HK_EEMPTY when there is nothing to compare; HK_ENOMEM; what the
 * source returned.
 */
enum hk_status hk_now_compare(struct hk_now_plan *plan, struct hk_comparison *out,
                              char error[HK_TEXT_BYTES]);

/* Whether a program is an hkbench: its --version says so. */
bool hk_now_is_build(const char *program);

#endif
