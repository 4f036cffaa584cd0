/* SPDX-License-Identifier: MIT */
/*
 * Wrong formulas and wrong fits, put in the place of the right ones under an unchanged judge: the
 * program hkbench-mutants is linked so that every call of a law below goes through a pointer
 * (docs/decisions/0330).
 */
#ifndef HK_TRIAL_MUTANTS_H
#define HK_TRIAL_MUTANTS_H

#include "hk/judge/placements.h"
#include "hk/model/copy_curve.h"
#include "hk/model/copy_expected.h"
#include "hk/model/extension.h"
#include "hk/model/jitter.h"
#include "hk/model/latency.h"
#include "hk/model/queue.h"
#include "hk/model/rare.h"
#include "hk/model/staleness.h"
#include "hk/model/tail.h"
#include "hk/model/throughput.h"
#include "hk/model/underrun.h"
#include "hk/model/utility.h"
#include "world.h"

/* What can be replaced; NULL is the law as it is. */
struct hk_laws {
    __typeof__(hk_utility_regret) *utility_regret;
    __typeof__(hk_placements_predict) *placements;
    __typeof__(hk_latency_chain_law) *chain_law;
    __typeof__(hk_latency_user) *latency_user;
    __typeof__(hk_copy_curve_fit) *curve_fit;
    __typeof__(hk_copy_curve_predict) *curve_predict;
    __typeof__(hk_hop_predict) *hop_predict;
    __typeof__(hk_queue_wait_poisson) *wait_poisson;
    __typeof__(hk_throughput_textbook) *throughput_textbook;
    __typeof__(hk_throughput_predict) *throughput_general;
    __typeof__(hk_copy_expected) *copy_expected;
    __typeof__(hk_copy_corrected) *copy_corrected;
    __typeof__(hk_copied_bytes_mean) *copied_bytes;
    __typeof__(hk_lateness_analyse) *lateness;
    __typeof__(hk_underrun_probability) *underrun;
    __typeof__(hk_tail_probability) *tail_probability;
    __typeof__(hk_stale_any_pending) *stale_any;
    __typeof__(hk_stale_ttl) *stale_ttl;
    __typeof__(hk_extension_fit) *extension_fit;
    __typeof__(hk_extension_verify) *extension_verify;
    __typeof__(hk_extension_cost) *extension_cost;
    __typeof__(hk_extension_break_even) *break_even;
    __typeof__(hk_rare_plan_init) *rare_plan;
    __typeof__(hk_rare_estimate) *rare_estimate;
};

/* The laws as they are, whatever is injected. */
__typeof__(hk_utility_regret) __real_hk_utility_regret;
__typeof__(hk_placements_predict) __real_hk_placements_predict;
__typeof__(hk_latency_chain_law) __real_hk_latency_chain_law;
__typeof__(hk_latency_user) __real_hk_latency_user;
__typeof__(hk_copy_curve_fit) __real_hk_copy_curve_fit;
__typeof__(hk_copy_curve_predict) __real_hk_copy_curve_predict;
__typeof__(hk_hop_predict) __real_hk_hop_predict;
__typeof__(hk_queue_wait_poisson) __real_hk_queue_wait_poisson;
__typeof__(hk_throughput_textbook) __real_hk_throughput_textbook;
__typeof__(hk_throughput_predict) __real_hk_throughput_predict;
__typeof__(hk_copy_expected) __real_hk_copy_expected;
__typeof__(hk_copy_corrected) __real_hk_copy_corrected;
__typeof__(hk_copied_bytes_mean) __real_hk_copied_bytes_mean;
__typeof__(hk_lateness_analyse) __real_hk_lateness_analyse;
__typeof__(hk_underrun_probability) __real_hk_underrun_probability;
__typeof__(hk_tail_probability) __real_hk_tail_probability;
__typeof__(hk_stale_any_pending) __real_hk_stale_any_pending;
__typeof__(hk_stale_ttl) __real_hk_stale_ttl;
__typeof__(hk_extension_fit) __real_hk_extension_fit;
__typeof__(hk_extension_verify) __real_hk_extension_verify;
__typeof__(hk_extension_cost) __real_hk_extension_cost;
__typeof__(hk_extension_break_even) __real_hk_extension_break_even;
__typeof__(hk_rare_plan_init) __real_hk_rare_plan_init;
__typeof__(hk_rare_estimate) __real_hk_rare_estimate;

/* From now on in this thread; NULL for the laws as they are. */
void hk_laws_inject(const struct hk_laws *laws);

struct hk_mutant {
    const char *name;    /* what is wrong with it */
    const char *world;   /* where the truth is known */
    size_t control;      /* of the world: which verdict must change */
    struct hk_laws laws;
    void (*fill)(struct hk_world *world); /* instead, where the claim is a table's row: what is */
};

/* One group per file; each ends at a mutant without a name. */
extern const struct hk_mutant hk_mutants_utility[];
extern const struct hk_mutant hk_mutants_placement[];
extern const struct hk_mutant hk_mutants_latency[];
extern const struct hk_mutant hk_mutants_throughput[];
extern const struct hk_mutant hk_mutants_copy[];
extern const struct hk_mutant hk_mutants_delay[];
extern const struct hk_mutant hk_mutants_staleness[];
extern const struct hk_mutant hk_mutants_extension[];
extern const struct hk_mutant hk_mutants_rare[];

#endif
