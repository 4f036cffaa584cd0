/* SPDX-License-Identifier: MIT */
/* The rows of hk_experiments, one file each. */
#ifndef HK_RUN_EXPERIMENTS_H
#define HK_RUN_EXPERIMENTS_H

#include "experiment.h"

extern const struct hk_experiment hk_experiment_syscall;
extern const struct hk_experiment hk_experiment_round_trip;
extern const struct hk_experiment hk_experiment_one_way;
extern const struct hk_experiment hk_experiment_chain;
extern const struct hk_experiment hk_experiment_inject;
extern const struct hk_experiment hk_experiment_inject_syscall;
extern const struct hk_experiment hk_experiment_copy;
extern const struct hk_experiment hk_experiment_remap;
extern const struct hk_experiment hk_experiment_fallback;
extern const struct hk_experiment hk_experiment_extension;
extern const struct hk_experiment hk_experiment_file_read;
extern const struct hk_experiment hk_experiment_file_write;
extern const struct hk_experiment hk_experiment_file_stat;
extern const struct hk_experiment hk_experiment_file_lookup;
extern const struct hk_experiment hk_experiment_queue;
extern const struct hk_experiment hk_experiment_wakeup;
extern const struct hk_experiment hk_experiment_underrun;
extern const struct hk_experiment hk_experiment_audio;
extern const struct hk_experiment hk_experiment_audio_server;
extern const struct hk_experiment hk_experiment_block_read;
extern const struct hk_experiment hk_experiment_net_echo;
extern const struct hk_experiment hk_experiment_workload;
extern const struct hk_experiment hk_experiment_floor;
extern const struct hk_experiment hk_experiment_harness;
extern const struct hk_experiment hk_experiment_guard;

/*
 * Over what chains go: as the scheduler does it by itself, where a woken server may preempt its
 * waker, and under SCHED_BATCH, where a hop is exactly one switch.
 */
struct hk_chain_row {
    const char *transport;
    const char *policy; /* what the name says of it: "" or "/policy:batch" */
    bool inject; /* known delays as well */
    bool quick;
};
enum { HK_CHAIN_ROWS = 10 };
extern const struct hk_chain_row hk_chain_rows[HK_CHAIN_ROWS];

/* A chain of as many servers as the name says. */
enum hk_status hk_chain_open(struct hk_task *task);

#endif
