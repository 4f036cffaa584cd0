/* SPDX-License-Identifier: MIT */
/*
 * What was measured job after job, in one SQLite file.
 *
 * A job is one measurement of one commit; it adds one point to each of its series. A series is
 * a benchmark, a metric, a kind and a basis: what its values can be held against.
 *
 *   kind      value                                    basis
 *   ratio     ns, and ns of the reference, same job    name of the pinned reference
 *   absolute  ns                                       machine and kernel
 *   exact     instructions, the same in every boot     what counted them: QEMU, compiler
 *   near      instructions that differ a little        the same
 *
 * Jobs are ordered as they were added, never by their time: clocks jump.
 */
#ifndef HK_HISTORY_HISTORY_H
#define HK_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/result/result.h"

#define HK_HISTORY_SCHEMA 1

struct hk_history;

enum hk_series_kind { HK_SERIES_RATIO, HK_SERIES_ABSOLUTE, HK_SERIES_EXACT, HK_SERIES_NEAR };

/* "ratio", "absolute", "exact", "near". */
const char *hk_series_kind_name(enum hk_series_kind kind);

/*
 * Open a history.
 *
 * create   [in]   make the file when there is none
 * history  [out]  closed with hk_history_close
 * error    [out]  on failure: file, cause and remedy, one line
 *
 * Returns HK_OK; HK_ENOENT; HK_EPARSE for what is no history, or a damaged one; HK_ESCHEMA for
 * one of a newer hkbench; HK_EPERM, HK_ENOSPC, HK_EBUSY, HK_EIO.
 */
enum hk_status hk_history_open(const char *path, bool create, struct hk_history **history,
                               char error[HK_TEXT_BYTES]);
void hk_history_close(struct hk_history *history); /* NULL is fine */

/* What the last failed call on this history says; one line, valid until the next call. */
const char *hk_history_error(const struct hk_history *history);

/* --- adding ------------------------------------------------------------------- */

struct hk_history_job {
    const char *commit;  /* what was measured */
    const char *time;    /* RFC 3339, for people */
    const char *machine; /* where */
    const char *source;  /* file or folder that it came from */
};

struct hk_history_point {
    char *name;
    char *metric;
    enum hk_series_kind kind;
    char *basis;
    double value;
    double reference; /* ratio only, else 0 */
    uint32_t count;   /* launches behind it */
};

struct hk_history_points {
    size_t count;
    size_t capacity;
    struct hk_history_point *points;
    size_t left_out_count;       /* cells without a value */
    char left_out[HK_TEXT_BYTES]; /* the first of them and why */
};

/* How a run becomes points. */
struct hk_history_source {
    const struct hk_run *run;
    const struct hk_run *reference; /* measured in the same job, or NULL */
    const char *pin;                /* name of the reference; NULL without one */
    const char *metric;             /* a counter instead of time and instructions, or NULL */
};

/*
 * Make the points of a run: the median over the launches of each cell that have the metric.
 *
 * points  [out]  to be released with hk_history_points_fini
 * error   [out]  on failure one line
 *
 * Counted cells give exact or near series, timed ones an absolute series and, with a reference,
 * a ratio series. Returns HK_OK; HK_EMACHINE when run and reference are of two machines;
 * HK_EEMPTY when no cell has a value; HK_ENOMEM.
 */
enum hk_status hk_history_collect(const struct hk_history_source *source,
                                  struct hk_history_points *points, char error[HK_TEXT_BYTES]);
void hk_history_points_fini(struct hk_history_points *points);

/*
 * Add a job with its points: all of it, durably, or nothing.
 *
 * number  [out]  of the job; later jobs have greater numbers
 *
 * Returns HK_OK; HK_EEXIST when the job would add the same source of the same commit again;
 * HK_EBUSY when another writer held the file for ten seconds; HK_ENOSPC, HK_EIO, HK_EPARSE.
 */
enum hk_status hk_history_add(struct hk_history *history, const struct hk_history_job *job,
                              const struct hk_history_points *points, int64_t *number);

/* --- reading ------------------------------------------------------------------ */

struct hk_history_series {
    int64_t id;
    char *name;
    char *metric;
    enum hk_series_kind kind;
    char *basis;
    int64_t last_job;     /* that has a point of it */
    int64_t accepted_job; /* first job of its accepted level; 0: none was accepted */
};

struct hk_history_list {
    size_t count;
    struct hk_history_series *series; /* by name, metric, kind, basis */
};

/*
 * List the series.
 *
 * filter  [in]   extended regular expression searched in the names, or NULL
 *
 * Returns HK_OK, also with none; HK_EINVAL for a bad expression; HK_EPARSE, HK_EIO, HK_ENOMEM.
 */
enum hk_status hk_history_list(struct hk_history *history, const char *filter,
                               struct hk_history_list *list);
void hk_history_list_fini(struct hk_history_list *list);

/* Drop the series of other kinds. */
void hk_history_list_keep(struct hk_history_list *list, enum hk_series_kind kind);

struct hk_history_value {
    int64_t job;
    double value;
    double reference;
    uint32_t count;
};

/*
 * The newest values of a series, oldest first.
 *
 * from    [in]   first job wanted; 0: from the start
 * values  [out]  room for capacity
 * count   [out]  how many there are of at most capacity
 *
 * Cost O(capacity log points): an index range, whatever the history holds.
 */
enum hk_status hk_history_values(struct hk_history *history, int64_t series, int64_t from,
                                 size_t capacity, struct hk_history_value *values, size_t *count);

/* The first value of a series from a job on; HK_ENOENT when there is none. */
enum hk_status hk_history_first(struct hk_history *history, int64_t series, int64_t from,
                                struct hk_history_value *value);

/*
 * The newest stretch of equal values: where it begins.
 *
 * before  [out]  last job with another value; untouched when all are equal
 * begin   [out]  first job of the stretch
 */
enum hk_status hk_history_stretch(struct hk_history *history, int64_t series, int64_t *before,
                                  int64_t *begin);

struct hk_history_entry {
    int64_t job;
    char commit[128];
    char time[40];
    char machine[128];
    char source[256];
};

/* One job; HK_ENOENT when there is none of that number. */
enum hk_status hk_history_job_read(struct hk_history *history, int64_t number,
                                   struct hk_history_entry *entry);

/* The newest job's number; 0 in an empty history. */
enum hk_status hk_history_newest(struct hk_history *history, int64_t *number);

/*
 * The last job before one. HK_ENOENT when that is the first; HK_EPARSE when the numbers of a
 * damaged file are out of order; what reading it failed with.
 */
enum hk_status hk_history_previous(struct hk_history *history, int64_t number, int64_t *previous);

struct hk_history_line {
    int64_t job;          /* when it happened */
    const char *what;     /* "add" or "accept" */
    const char *subject;  /* commit, or series */
    const char *time;
    const char *detail;   /* machine and number of points, or the reason */
};

/*
 * Tell jobs and acceptances, newest first.
 *
 * tell  [in]  called for at most line_max lines; texts live during the call
 */
enum hk_status hk_history_log(struct hk_history *history, size_t line_max,
                              void (*tell)(void *context, const struct hk_history_line *line),
                              void *context);

/* --- accepting ------------------------------------------------------------------ */

/*
 * Accept the level that a series has from a job on: it is the new normal.
 *
 * reason  [in]  why, not empty
 *
 * Returns HK_OK; HK_EINVAL without a reason; HK_EEXIST when that level was accepted before;
 * HK_EBUSY, HK_ENOSPC, HK_EIO.
 */
enum hk_status hk_history_accept(struct hk_history *history, int64_t series, int64_t job,
                                 const char *time, const char *reason);

#endif
