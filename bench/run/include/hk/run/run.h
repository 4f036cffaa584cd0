/* SPDX-License-Identifier: MIT */
/*
 * Measure cells: which there are, in which order, how often, and until when.
 *
 * A cell is fully described by its name (hk/result/result.h). A launch is a fresh
 * process tree for one cell: the runner executes its own program again, so address
 * layout and environment differ each time, and gets numbers back over a socket:
 *
 *   runner ── leader ─┬─ measuring process (the client)
 *                     ├─ servers
 *                     └─ helpers (load, a busy peer CPU)
 *
 * The leader only supervises: it sees every death by pidfd, has a deadline, and dies
 * with the runner, as its children die with it. A launch is one replicate.
 */
#ifndef HK_RUN_RUN_H
#define HK_RUN_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hk/base/status.h"
#include "hk/result/result.h"

enum hk_run_mode { HK_RUN_QUICK, HK_RUN_FULL };

/* How much is measured. Times are of one launch. */
struct hk_effort {
    uint32_t launches_min;      /* per cell, before its interval is looked at */
    uint32_t launches_max;
    double interval_ratio;      /* narrow enough: half width of the 90 % interval / estimate */
    uint64_t warm_ns;
    uint64_t block_ns;          /* length of a block */
    uint32_t block_count;       /* blocks to keep */
    uint64_t blocks_ns_max;     /* all blocks together, kept or not */
    uint64_t latency_ns;        /* length of the latency phase */
    uint32_t latency_count_max;
    uint32_t verify_count;      /* operations whose switches and system calls are counted */
    uint64_t floor_ns;          /* of each cache-line probe */
    uint64_t session_ns;        /* of cells that follow a clock: wake-ups, underruns */
    uint64_t sporadic_ns;       /* of cells that follow a request rate */
};

/* The effort of a mode. */
const struct hk_effort *hk_run_effort(enum hk_run_mode mode);

/* --- cells ----------------------------------------------------------------- */

struct hk_cells {
    size_t count;
    char (*names)[HK_NAME_BYTES];
};

/*
 * List the cells of a mode.
 *
 * filter  [in]   POSIX extended regular expression searched in the names; NULL: all
 * cells   [out]  in the order of the experiments' table; release with hk_cells_fini
 * error   [out]  on HK_EPARSE and HK_ENOENT: one line with the remedy
 *
 * Returns HK_OK; HK_EPARSE for a bad expression; HK_ENOENT when nothing matches; HK_ENOMEM.
 */
enum hk_status hk_cells_expand(enum hk_run_mode mode, const char *filter, struct hk_cells *cells,
                               char error[HK_TEXT_BYTES]);
void hk_cells_fini(struct hk_cells *cells);

/* One line on what a kind of experiment does; NULL for an unknown kind ("round_trip"). */
const char *hk_experiment_summary(const char *kind);

/* --- one run at a time ------------------------------------------------------ */

struct hk_run_lock {
    int fd;
};

/*
 * Become the only run of this machine (of this network namespace). The lock is an
 * abstract socket: it is gone when its holder is, and leaves no file.
 *
 * holder  [out]  on HK_EBUSY: process that holds it, 0 when unknown
 *
 * Returns HK_OK; HK_EBUSY; HK_EIO.
 */
enum hk_status hk_run_lock_acquire(struct hk_run_lock *lock, pid_t *holder);
void hk_run_lock_release(struct hk_run_lock *lock);

/* --- running ---------------------------------------------------------------- */

/* Where a run is; texts live during the callback. */
struct hk_run_progress {
    uint64_t elapsed_ns;
    uint64_t budget_ns;
    size_t launches_done;
    size_t launches_planned; /* with the least number of launches per cell */
    const char *cell;
};

struct hk_run_plan {
    enum hk_run_mode mode;
    const struct hk_effort *effort;   /* NULL: the mode's */
    const char *filter;               /* NULL: all cells */
    uint64_t budget_ns;               /* 0: the mode's */
    uint64_t seed;
    const char *out_root;
    const char *machine_json;         /* the machine record */
    const char *arguments;            /* the command line, for run.json */
    const char *remark;               /* goes into the run's note, or NULL */
    const char *const *launch_command; /* argv that ends in hk_launch_lead, NULL-terminated */
    /*
     * argv to put before launch_command, NULL-terminated: launches then run under that tool
     * (linux-perf). The element "%" becomes a file of the launch in <run>/perf/. NULL: none.
     */
    const char *const *wrapper;
    const volatile sig_atomic_t *stop; /* set: end with what there is; or NULL */
    void (*progress)(void *context, const struct hk_run_progress *progress); /* or NULL */
    void *progress_context;
};

struct hk_run_outcome {
    char path[4096]; /* of the run directory */
    bool partial;
    bool interrupted;
    size_t cells;
    size_t cells_narrow;      /* stopped because their interval was narrow enough */
    size_t cells_unavailable; /* the machine has it not */
    size_t cells_broken;      /* last launch INVALID or FAILED */
    size_t launches_ok;
    char note[HK_TEXT_BYTES]; /* why it stopped */
};

/*
 * Measure the cells of a plan and write a run directory.
 *
 * Each pass launches every cell that is not done once, in random order. The run ends when
 * all cells are done, the budget is spent, or *stop is set; it is then valid in every case,
 * and partial when a cell got fewer than the least number of launches.
 *
 * outcome  [out]  written when a run directory was created
 * error    [out]  on failure, one line with cause and remedy
 *
 * Returns HK_OK; HK_EPARSE, HK_ENOENT (filter); the result writer's statuses; HK_ENOMEM.
 */
enum hk_status hk_run_execute(const struct hk_run_plan *plan, struct hk_run_outcome *outcome,
                              char error[HK_TEXT_BYTES]);

/* --- pairs ------------------------------------------------------------------ */

struct hk_pair_plan {
    const char *a; /* cell names; the same cell twice is an A/A comparison */
    const char *b;
    uint32_t launches;
    uint32_t rounds;   /* per launch; each is one block of A and one of B, order random */
    uint64_t block_ns; /* 1 to 2 ms */
    uint64_t seed;
    const char *const *launch_command;
    const volatile sig_atomic_t *stop;
};

/*
 * Compare two cells, interleaved within each launch.
 *
 * log_ratio  [out]  plan->launches values: median over rounds of ln(t_B / t_A)
 * count      [out]  values written; fewer than asked when a launch failed or *stop was set
 * error      [out]  when a launch did not give a value: the last reason
 *
 * Returns HK_OK with count >= 1; HK_EINVAL for a cell that cannot be paired; HK_ENOTSUP;
 * HK_EIO when no launch succeeded.
 */
enum hk_status hk_pair_run(const struct hk_pair_plan *plan, double *log_ratio, size_t *count,
                           char error[HK_TEXT_BYTES]);

/* --- two builds ------------------------------------------------------------- */

struct hk_duel_plan {
    const char *cell;
    const char *programs[2]; /* hkbench of build A and of build B, as paths */
    uint32_t index;          /* of the launch */
    uint32_t rounds;         /* each is one epoch of A and one of B */
    uint64_t epoch_ns;       /* 1 to 2 ms */
    uint64_t seed;
    const volatile sig_atomic_t *stop;
};

struct hk_duel {
    double log_ratio; /* median over rounds of ln(t_B / t_A); NAN: the cell has no time */
    double sd_within; /* of the rounds' log ratios; NAN: there are none */
    double ns[2];     /* per operation, median of the epochs of A, of B */
    uint32_t kept;    /* rounds that nothing disturbed */
    bool disturbed;   /* too few were left: all rounds count */
    struct hk_launch launches[2]; /* of A, of B: latencies, events; cost_ns is ns above */
    char breach[HK_TEXT_BYTES];   /* a side makes more or fewer system calls than claimed; or "" */
};

/*
 * One launch of the same cell in two builds, in turns: both process trees are started, with
 * fresh address layouts and padded environments, and asked for epochs of equally many
 * operations in ABBA or BAAB order by chance. A round is dropped when steal time, foreign CPU
 * time or involuntary switches speak against either of its epochs. Every other two rounds as
 * many operations are timed one by one, for the quantiles; at the end those of one block are
 * counted, in every fourth launch with their system calls. System calls that the cell does not
 * claim make no launch invalid here: they may be what the builds differ in.
 *
 * A cell that measures by itself (wakeup, underrun) is measured whole, first the one side, then
 * the other, by chance.
 *
 * The builds talk in lines of text (docs/decisions/0241), so that they may differ.
 *
 * duel   [out]  to be released with hk_duel_fini
 * error  [out]  why there is no value
 *
 * Returns HK_OK; HK_ENOTSUP when a side cannot run the cell here; HK_EINVAL when the cell does
 * not run in epochs or a program knows none; HK_EROW when a side did not do what the cell
 * claims; HK_ENOISE for fewer than 5 rounds; HK_EIO when a side broke; HK_EINTR; HK_ENOMEM.
 */
enum hk_status hk_duel_run(const struct hk_duel_plan *plan, struct hk_duel *duel,
                           char error[HK_TEXT_BYTES]);
void hk_duel_fini(struct hk_duel *duel);

/* --- single launches --------------------------------------------------------- */

struct hk_cell_plan {
    const char *cell;
    uint32_t index; /* of the launch */
    uint64_t seed;
    const char *const *launch_command;
    const volatile sig_atomic_t *stop;
};

/*
 * Launch one cell once, with the quick mode's effort: for comparisons with what runs outside.
 *
 * launch  [out]  to be released with hk_launch_fini; its state may be other than HK_LAUNCH_OK
 *
 * Returns HK_OK; HK_EINVAL for an unknown cell; HK_EINTR when *stop was set; HK_ENOMEM; HK_EIO
 * when the clock cannot be calibrated.
 */
enum hk_status hk_cell_launch(const struct hk_cell_plan *plan, struct hk_launch *launch);

/* --- the other end of launch_command ---------------------------------------- */

#define HK_LAUNCH_FD 3

/*
 * Lead one launch: read the request from fd, fork and supervise, write the launches back.
 * For the program's hidden command; fd is HK_LAUNCH_FD.
 *
 * Returns HK_OK when everything asked for was answered; HK_EPARSE for a malformed request;
 * HK_EPEER when the runner is gone.
 */
enum hk_status hk_launch_lead(int fd);

/*
 * The same for one side of a duel: leads a launch of the cell that answers on fd to requests
 * for epochs.
 *
 * Returns as hk_launch_lead; HK_ENOTSUP and HK_ENOMEM when clock or topology cannot be had.
 */
enum hk_status hk_epochs_lead(int fd, const char *cell, uint64_t seed);

#endif
