/* SPDX-License-Identifier: MIT */
/*
 * Simulated machines whose truth is known, to put the judge on trial: launches in memory as a run
 * is read, disturbed as measurements are. What each formula must be told there is a table.
 */
#ifndef HK_TRIAL_WORLD_H
#define HK_TRIAL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/judge/judge.h"
#include "hk/result/result.h"
#include "hk/stats/noise.h"
#include "hk/stats/rng.h"

/* A verdict that follows from how a world is made. */
struct hk_control {
    const char *formula;
    const char *regime;
    enum hk_verdict_kind verdict; /* HOLDS: positive; REFUTED->REPLACED: negative */
    const char *replacement;      /* the model that is right; NULL where the formula is */
};

enum { HK_CONTROLS_MAX = 5 };

struct hk_world;

/* One way to make a world; equal rng, noise and sizes give equal worlds. */
struct hk_world_kind {
    const char *name;
    void (*fill)(struct hk_world *world);
    struct hk_control controls[HK_CONTROLS_MAX]; /* ends at the first without a formula */
    bool delays; /* the plan's wakes disturb it, not its noise */

    /* Instead of fill and the judge of runs: for formulas that no run has cells for. */
    enum hk_status (*judge)(struct hk_world *world, struct hk_judge *judge);
};

extern const struct hk_world_kind hk_world_kinds[];
extern const size_t hk_world_kind_count;

/* The kind of a name; NULL. */
const struct hk_world_kind *hk_world_find(const char *name);

/* How a world is disturbed. */
struct hk_world_plan {
    uint64_t seed;
    uint64_t stream;     /* worlds of different streams are independent */
    enum hk_noise noise; /* of launches, one after the other in each cell */
    double noise_ratio;  /* of a cost, per standard deviation of the noise's normal part */
    uint32_t launch_count;
    size_t wake_count;   /* wake-ups per lateness log, interval log and buffer */
};

/* What real launches of this suite scatter by, and samples large enough to decide. */
extern const struct hk_world_plan hk_world_plan_default;

/*
 * Make a world and let the judge fit and judge it, as it does any run.
 *
 * judge  [in,out]  empty; released by the caller also on failure
 *
 * Returns HK_OK; HK_ENOMEM; the status of the judge.
 */
enum hk_status hk_world_judge(const struct hk_world_kind *kind, const struct hk_world_plan *plan,
                              struct hk_judge *judge);

/* The judge's verdict where a control looks; NULL when it gave none. */
const struct hk_judgement *hk_control_judgement(const struct hk_control *control,
                                                const struct hk_judge *judge);

/* Is it the verdict that the world was made for? */
bool hk_control_met(const struct hk_control *control, const struct hk_judgement *judgement);

#endif
