/* SPDX-License-Identifier: MIT */
/*
 * The result model: what a run writes and everything later reads.
 *
 *   results/<machine>/<run>/
 *     run.json         identity of the run: schema, machine, arguments, seed, state
 *     machine.json     the machine record
 *     launches.jsonl   the truth: one line per launch, appended as it ends
 *     benchmark.json   Google Benchmark JSON made from it, one iteration row per launch
 *     exact.json       the same for exact counts, never mixed with times
 *
 * A launch is one fresh start of the processes of one cell: one replicate. It
 * carries named counters (one number each) and named series (raw samples);
 * units stand in the names: block_mean_ns, lateness_ns, hk_switches_per_op.
 * A cell is named like a Google Benchmark, world first:
 *
 *   native/round_trip/pipe/place:same_core/bytes:64
 *
 * so every parameter of a cell can be read back from its name.
 */
#ifndef HK_RESULT_RESULT_H
#define HK_RESULT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

#define HK_RESULT_SCHEMA 1
#define HK_NAME_BYTES 256
#define HK_TEXT_BYTES 512

enum hk_launch_state {
    HK_LAUNCH_OK,          /* numbers hold */
    HK_LAUNCH_INVALID,     /* the row did not do what it claims: reason says what */
    HK_LAUNCH_UNAVAILABLE, /* this machine cannot: reason says why and the remedy */
    HK_LAUNCH_FAILED,      /* it broke: reason says how */
};

enum hk_exactness { HK_TIMED, HK_EXACT, HK_NEAR };

struct hk_counter {
    char *name;
    double value; /* finite; integers up to 2^53 exact */
};

struct hk_series {
    char *name; /* ends in its unit */
    size_t count;
    double *values; /* finite */
};

struct hk_launch {
    char *name;     /* the cell */
    uint32_t index; /* 0, 1, ... within the cell */
    uint64_t seed;
    enum hk_launch_state state;
    enum hk_exactness exactness;
    char *reason; /* when OK: NULL, or why the launch is only near */
    size_t counter_count;
    struct hk_counter *counters;
    size_t series_count;
    struct hk_series *series;
};

/* --- building a launch --------------------------------------------------- */

/* Start an empty launch of a cell. Returns HK_OK or HK_ENOMEM. */
enum hk_status hk_launch_init(struct hk_launch *launch, const char *name, uint32_t index,
                              uint64_t seed);

/* Set state and reason (copied; NULL for an HK_LAUNCH_OK with nothing to explain). */
enum hk_status hk_launch_set_state(struct hk_launch *launch, enum hk_launch_state state,
                                   const char *reason);

/* Add or replace a counter. HK_EINVAL when value is not finite or the name is empty. */
enum hk_status hk_launch_add_counter(struct hk_launch *launch, const char *name, double value);

/* Add a series (copied). HK_EINVAL when a value is not finite; HK_EEXIST when the name is taken. */
enum hk_status hk_launch_add_series(struct hk_launch *launch, const char *name,
                                    const double *values, size_t count);

/* Find by name; NULL or false when absent. */
const struct hk_series *hk_launch_series(const struct hk_launch *launch, const char *name);
bool hk_launch_counter(const struct hk_launch *launch, const char *name, double *value);

/* The time that a launch stands for: cost_ns, else median_ns, else mean_ns; false without one. */
bool hk_launch_time_ns(const struct hk_launch *launch, double *value);

/* Too few of its blocks passed their guards: evidence from outside, not from its value. */
bool hk_launch_disturbed(const struct hk_launch *launch);

/*
 * Its core was slow: costs are not those of other launches. What is compared within the launch,
 * counted, or waited for is as good as ever.
 */
bool hk_launch_slow(const struct hk_launch *launch);

/* Its number of instructions, kernel and user together; false when none were counted. */
bool hk_launch_instructions(const struct hk_launch *launch, double *value);

void hk_launch_fini(struct hk_launch *launch);

/* Word of a state as written in files: "ok", "invalid", "unavailable", "failed". */
const char *hk_launch_state_name(enum hk_launch_state state);

/*
 * Write a launch as one JSON object without line breaks, as in launches.jsonl;
 * also the form in which a launch travels between processes.
 *
 * text  [out]  to be freed by the caller
 *
 * Returns HK_OK; HK_ENOMEM; HK_EINVAL when a name or reason is no UTF-8.
 */
enum hk_status hk_launch_encode(const struct hk_launch *launch, char **text);

/*
 * Read what hk_launch_encode wrote. Any bytes are safe to give.
 *
 * text    [in]   bytes characters, need not end in NUL
 * launch  [out]  to be released with hk_launch_fini
 * error   [out]  on failure: what is wrong, one line
 *
 * Returns HK_OK; HK_EPARSE; HK_ENOMEM.
 */
enum hk_status hk_launch_decode(const char *text, size_t bytes, struct hk_launch *launch,
                                char error[HK_TEXT_BYTES]);

/* --- names --------------------------------------------------------------- */

/*
 * Say whether text is a cell name: path elements of letters, digits and _.+-,
 * at least two of them, some as key:value with keys used once, at most
 * HK_NAME_BYTES - 1 characters.
 *
 * Returns HK_OK or HK_EPARSE.
 */
enum hk_status hk_name_check(const char *name);

/*
 * Read `key:value` from a cell name as an integer.
 *
 * Returns HK_OK; HK_ENOENT when the key is absent; HK_EPARSE when the value is
 * no decimal integer.
 */
enum hk_status hk_name_int(const char *name, const char *key, int64_t *value);

/* The same as text. HK_ETOOBIG when it does not fit. */
enum hk_status hk_name_text(const char *name, const char *key, char *value, size_t capacity);

/* The i-th path element that is no key:value ("native", "round_trip", "pipe"). */
enum hk_status hk_name_part(const char *name, size_t i, char *part, size_t capacity);

/* --- writing a run ------------------------------------------------------- */

struct hk_run_writer;

/*
 * Create results/<machine>/<run>/ and open it for appending.
 *
 * root          [in]  results folder; made when absent
 * machine_json  [in]  the machine record as JSON text; its "id" names the folder
 * arguments     [in]  the command line, for run.json
 * seed          [in]  of the run
 *
 * The run counts as partial until hk_run_finish. Returns HK_OK; HK_EPERM,
 * HK_ENOSPC, HK_EIO or HK_EPARSE.
 */
enum hk_status hk_run_create(const char *root, const char *machine_json, const char *arguments,
                             uint64_t seed, struct hk_run_writer **writer);

/* Folder of the run being written. */
const char *hk_run_writer_path(const struct hk_run_writer *writer);

/*
 * Append one launch; the line is complete in the file or not there at all.
 *
 * Returns HK_OK; HK_EINVAL when the name is no cell name; HK_ENOSPC, HK_EIO, HK_ENOMEM.
 */
enum hk_status hk_run_append(struct hk_run_writer *writer, const struct hk_launch *launch);

/*
 * Write benchmark.json and exact.json atomically, close the run, free the writer.
 *
 * partial  [in]  true when interrupted, or out of budget before its plan was done
 * note     [in]  why it stopped, one line; NULL for none
 *
 * The writer is freed in any case. Returns HK_OK; HK_ENOSPC, HK_EIO or HK_EPERM
 * when a file could not be written: launches.jsonl then still holds the run,
 * which reads as partial.
 */
enum hk_status hk_run_finish(struct hk_run_writer *writer, bool partial, const char *note);

/* --- reading a run ------------------------------------------------------- */

struct hk_run {
    char *path;
    char *machine_id;
    char *machine_json;
    char *arguments;
    char *started; /* RFC 3339 */
    char *note;
    uint64_t seed;
    bool partial;
    size_t launch_count;
    struct hk_launch *launches; /* sorted by name, then index */
};

/*
 * Read a run directory. A torn last line (a killed writer) is dropped and the
 * run marked partial; any other malformed line is HK_EPARSE with its number.
 *
 * error  [out]  on failure, one line for people: file, line, cause, remedy
 *
 * Returns HK_OK; HK_ENOENT, HK_EPARSE, HK_ESCHEMA, HK_EIO.
 */
enum hk_status hk_run_read(const char *path, struct hk_run *run, char error[HK_TEXT_BYTES]);
void hk_run_fini(struct hk_run *run);

/* Newest run under root, for the given machine id or any when NULL. HK_ENOENT when none. */
enum hk_status hk_run_latest(const char *root, const char *machine_id, char *path, size_t capacity);

/* A run that somebody looks for. */
struct hk_run_wanted {
    const char *machine_id;   /* NULL: of any machine */
    const char *const *cells; /* names; "native/syscall/" and a '*': all that begin so */
    size_t cell_count;
    bool ok; /* launches of other states will not do */
};

/*
 * Newest run under root that has a launch of at least one of the cells. A run of another schema
 * has none, nor has a line that cannot be decoded. Costs a search of each run's launches; of what
 * is found a line or a few are decoded.
 *
 * Returns HK_OK; HK_ENOENT when there is none; HK_ETOOBIG.
 */
enum hk_status hk_run_latest_with(const char *root, const struct hk_run_wanted *wanted, char *path,
                                  size_t capacity);

/* First launch of a cell and how many there are in a row. HK_ENOENT. */
enum hk_status hk_run_cell(const struct hk_run *run, const char *name,
                           const struct hk_launch **first, size_t *count);

/* HK_EMACHINE, with the reason in error, when mixing the two runs would lie. */
enum hk_status hk_run_mixable(const struct hk_run *a, const struct hk_run *b,
                              char error[HK_TEXT_BYTES]);

/* --- Google Benchmark's JSON ---------------------------------------------- */

/*
 * Write launches as Google Benchmark 1.7.1 JSON: all its keys in its order, one
 * iteration row per launch, so that a U test over rows sees real replicates.
 *
 * exact  [in]   false: the timed launches; real_time is cost_ns, else median_ns, else
 *               mean_ns. true: the counted ones; real_time is the number of instructions
 * text   [out]  to be freed by the caller
 *
 * Counters get the prefix hk_ unless they have it. Invalid and failed launches are rows with
 * error_occurred; unavailable ones and launches without a time are left out, because readers
 * of the format take an errored row for a time of 0.
 *
 * Returns HK_OK; HK_ENOMEM; HK_EPARSE when the machine record is no JSON object.
 * Source: the output of Google Benchmark 1.7.1.
 */
enum hk_status hk_run_benchmark_json(const struct hk_run *run, bool exact, char **text);

/* --- atomic files --------------------------------------------------------- */

/* Write text to path by temporary file, fsync and rename. HK_EPERM, HK_ENOSPC, HK_EIO. */
enum hk_status hk_file_write(const char *path, const char *text, size_t bytes);

/*
 * Read a whole file, at most bytes_max, and end it with NUL.
 *
 * text   [out]  to be freed by the caller
 * bytes  [out]  length without the NUL
 *
 * Returns HK_OK; HK_ENOENT, HK_EPERM, HK_EIO, HK_ENOMEM; HK_ETOOBIG when longer.
 */
enum hk_status hk_file_read(const char *path, size_t bytes_max, char **text, size_t *bytes);

/* Make a folder and its parents. HK_OK also when it is there; HK_EPERM, HK_ENOSPC, HK_EIO. */
enum hk_status hk_folder_make(const char *path);

#endif
