/* SPDX-License-Identifier: MIT */
/*
 * An experiment is a row: its kind (second part of a cell's name), the cells it
 * expands to, and what runs in which process of a launch. A new one is a file and a
 * row in experiments.c.
 */
#ifndef HK_RUN_EXPERIMENT_H
#define HK_RUN_EXPERIMENT_H

#include <stdarg.h>

#include "hk/counters/clock.h"
#include "hk/counters/perf.h"
#include "hk/machine/topology.h"
#include "hk/run/run.h"
#include "hk/transport/transport.h"

enum { HK_SERVERS_MAX = 8, HK_HELPERS_MAX = 8, HK_TASKS_MAX = 48 };

/* Messages up to this size must do what the transport's claim says of short ones. */
enum { HK_SHORT_MESSAGE_BYTES = 1024 };

/* What one operation must do; a bound of -1 is not claimed. */
struct hk_expectation {
    double switches_min; /* of all processes together */
    double switches_max;
    double client_syscalls_min;
    double client_syscalls_max;
    double server_syscalls_min; /* of all servers together */
    double server_syscalls_max;
};

#define HK_EXPECT_NOTHING ((struct hk_expectation){-1, -1, -1, -1, -1, -1})

/* The CPUs of each place, looked up once per run. */
struct hk_places {
    bool available[HK_PLACE_COUNT];
    struct hk_cpu_pair pairs[HK_PLACE_COUNT];
    char reasons[HK_PLACE_COUNT][HK_PLACE_REASON_BYTES];
};

/* HK_ENOTSUP, HK_ENOMEM when the topology cannot be had. */
enum hk_status hk_places_find(struct hk_places *places);

/* A cell being measured, as every process of its launch sees it. */
struct hk_task {
    char name[HK_NAME_BYTES];
    uint32_t index;
    uint64_t seed;
    const struct hk_experiment *experiment;
    struct hk_effort effort;
    struct hk_clock clock;
    struct hk_perf_access access;
    const struct hk_places *places;
    bool count_syscalls; /* after timing; not in every launch, because it takes long */
    uint32_t ordinal;  /* among the launch's tasks: spreads concurrent ones over CPUs */
    uint64_t start_ns; /* CLOCK_MONOTONIC at which concurrent tasks begin together */
    int channel_fd;    /* where single epochs are asked for (epochs.h); -1: nobody does */

    /* Set by the experiment's open. */
    int cpus[2];                 /* of the measuring process, of the servers */
    size_t server_count;         /* processes */
    size_t helper_count;
    bool threads;                /* the servers are threads of the measuring process */
    bool spins;                  /* they burn their CPU also while nothing is asked of them */
    /* Never waits and may outlast a slice: costs are CPU time, which no foreign time can be in, so
     * that guard is off; no latency phase, which would take the wall clock. */
    bool by_cpu_time;
    bool kernel_threads;         /* work for it on its CPU: not all of the time there is its own */
    uint32_t own_preemptions;    /* of an operation, at most, by these threads */
    bool one_way;                /* an operation's end is not seen: no latency phase */
    uint32_t operations_step;    /* run() is called with multiples of this; 0 reads as 1 */
    struct hk_expectation expected;
    void *state;
    char reason[HK_REASON_BYTES]; /* why open or enter refused */

    /* Known in the measuring process. */
    pid_t server_pids[HK_SERVERS_MAX];
    pid_t helper_pids[HK_HELPERS_MAX];
};

typedef enum hk_status hk_cell_adder(void *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct hk_experiment {
    const char *kind;
    const char *summary;

    /* Adds the cells of a mode. */
    enum hk_status (*expand)(enum hk_run_mode mode, hk_cell_adder *add, void *context);

    /*
     * Reads the name, acquires what all processes share. HK_ENOTSUP with task->reason when the
     * machine has it not. close releases it, also after a failed open.
     */
    enum hk_status (*open)(struct hk_task *task);
    void (*close)(struct hk_task *task);

    enum hk_status (*serve)(struct hk_task *task, size_t server); /* in a server process */
    void (*help)(struct hk_task *task, size_t helper);            /* in a helper, until killed */

    /* In the measuring process. */
    enum hk_status (*enter)(struct hk_task *task);           /* may be NULL */
    enum hk_status (*run)(struct hk_task *task, uint64_t n); /* the timed path: n operations */
    enum hk_status (*verify)(struct hk_task *task);          /* contents; may be NULL */
    enum hk_status (*leave)(struct hk_task *task);           /* may be NULL */

    /* Instead of run: measures by itself and fills the launch. */
    enum hk_status (*measure)(struct hk_task *task, struct hk_launch *launch);

    /* Cells with the same text run at the same time in one launch; NULL: alone. */
    void (*group)(const char *name, char *group, size_t capacity);
    uint32_t (*copies)(const char *name); /* replicates of a cell in such a launch; NULL: 1 */
};

extern const struct hk_experiment *const hk_experiments[];
extern const size_t hk_experiment_count;

/* The experiment of a cell's name; NULL when there is none. */
const struct hk_experiment *hk_experiment_find(const char *name);

/* Set task->reason and return status. */
__attribute__((format(printf, 3, 4))) enum hk_status
hk_task_refuse(struct hk_task *task, enum hk_status status, const char *format, ...);

/* An integer key of the task's name, or fallback when it is absent or no number. */
int64_t hk_task_int(const struct hk_task *task, const char *key, int64_t fallback);

/* Put the calling thread under SCHED_FIFO. HK_ENOTSUP with the reason. */
enum hk_status hk_task_fifo(struct hk_task *task);

/* Sleep until CLOCK_MONOTONIC is there. */
void hk_sleep_until(uint64_t ns);

/* Fill task->cpus from the name's place; HK_ENOTSUP with reason. No place: one CPU for both. */
enum hk_status hk_task_place(struct hk_task *task);

/* Bind the calling thread to one CPU. HK_ENOTSUP. */
enum hk_status hk_pin(int cpu);

/* The nth CPU of the affinity mask, counted around. */
int hk_nth_cpu(uint32_t n);

/* Number of CPUs in the affinity mask. */
uint32_t hk_cpu_count(void);

/* A well mixed number from two: splitmix64's finaliser (Steele, Lea, Flood 2014). */
uint64_t hk_mix(uint64_t a, uint64_t b);

/* Bytes that are neither constant nor periodic: message contents. */
void hk_fill(void *buffer, size_t bytes, uint64_t seed);

#endif
