/* SPDX-License-Identifier: MIT */
/* Rows of the guest's experiments, and what they share. */
#ifndef HK_USER_EXPERIMENTS_H
#define HK_USER_EXPERIMENTS_H

#include "user/client.h"
#include "user/peer.h"
#include "user/user.h"

#define HK_LAB_SERVERS 8

/* What one experiment has on its bench. */
struct hk_lab {
    uint64_t parameter; /* of the row */
    uint64_t *ipc_page;
    const char *error;  /* set by prepare or run when the row cannot be measured */
    struct hk_server server[HK_LAB_SERVERS];
    uint64_t server_count;
    uint64_t handle;    /* what run works on */
    uint64_t handle2;
    struct hk_client client; /* of the services */
    volatile bool stop; /* for a second thread */
    uint64_t processed; /* instructions by the verifier; 0: none was asked */
    uint32_t placement; /* bit per service: in the kernel */
    uint64_t regions;   /* marked so far */
    bool failed;
};

struct hk_experiment {
    const char *name;
    void (*prepare)(struct hk_lab *lab); /* NULL: nothing */
    void (*run)(struct hk_lab *lab, uint64_t ops);
    void (*finish)(struct hk_lab *lab); /* NULL: nothing; runs after a failed prepare too */
    uint64_t parameter;
    uint64_t ops; /* N; 0: the default */
    uint64_t placed; /* number of a service + 1: where it runs is part of the name; 0: none */
};

struct hk_experiment_table {
    const struct hk_experiment *rows;
    size_t count;
};

extern const struct hk_experiment_table hk_experiments_call;
extern const struct hk_experiment_table hk_experiments_extension;
extern const struct hk_experiment_table hk_experiments_memory;
extern const struct hk_experiment_table hk_experiments_object;
extern const struct hk_experiment_table hk_experiments_service;
extern const struct hk_experiment_table hk_experiments_stream;
extern const struct hk_experiment_table hk_experiments_twin;

/* The guest's clock; under icount a tick is an instruction. */
static inline uint64_t hk_lab_clock(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Start a peer as server[server_count++]; lab->handle is its endpoint then. */
void hk_lab_peer(struct hk_lab *lab, enum hk_peer_role role, uint64_t next);

/*
 * Periodic wake-ups under every policy, with competitors from a seed: one `value`
 * line each with lateness and underruns.
 */
void hk_periodic_report(void);

/*
 * Periodic wake-ups with delays from a seed, of laws that are known: one `value` line each with
 * moments of lateness, of intervals, and underruns by headroom.
 */
void hk_delays_report(void);

/* Shares of old answers in the kernel's cache: one `value` line each; false when one is wrong. */
bool hk_staleness_report(uint64_t *ipc_page, bool in_kernel);

/*
 * Messages whose buffers change hands or are copied: one `value` line for each trace with what was
 * in it and what was copied; false when one cannot be had.
 */
bool hk_fallback_report(void);

/* Stop all peers. */
void hk_lab_clear(struct hk_lab *lab);

#endif
