/* SPDX-License-Identifier: MIT */
/* What hkbench can prove about itself: a check is a row, its result a figure with a bound. */
#ifndef HK_CLI_SELFCHECK_H
#define HK_CLI_SELFCHECK_H

#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/result/result.h"
#include "hk/stats/estimate.h"

enum hk_check_verdict {
    HK_CHECK_MET,       /* the interval lies within the bounds */
    HK_CHECK_MISSED,    /* it lies beyond one */
    HK_CHECK_UNDECIDED, /* it crosses one */
    HK_CHECK_ABSENT,    /* could not be measured; reason says why */
};

struct hk_check_session {
    const char *const *launch_command;
    const volatile sig_atomic_t *stop;
    const char *peers;        /* folder with programs of others, or NULL */
    const char *own;          /* folder of this program */
    uint64_t launches;        /* per comparison of two things */
    uint64_t comparisons;     /* of A/A checks */
    uint64_t seed;
    void (*step)(void *context); /* called after every launch or comparison */
    void *step_context;
};

struct hk_check_result {
    double value;
    double lower; /* of a 95 % interval; equal to value where there is nothing to infer */
    double upper;
    double bound_low;
    double bound_high;
    size_t count; /* launches or comparisons behind it */
    enum hk_check_verdict verdict;
    char reason[HK_TEXT_BYTES];
};

struct hk_check {
    const char *name;
    const char *what;    /* one line: what is held against what */
    const char *unit;    /* "ratio", "ns", "rejections" */
    const char *a;       /* cells; NULL where the check has its own */
    const char *b;
    double bound_low;    /* -INFINITY: none */
    double bound_high;
    bool compares_often; /* steps are comparisons, not launches */
    const void *row;     /* the check's own data */

    /*
     * Fills value, interval, count and, when it has its own, the bounds.
     *
     * Returns HK_OK; HK_EINTR when stopped; anything else with result->reason.
     */
    enum hk_status (*measure)(const struct hk_check_session *session, const struct hk_check *check,
                              struct hk_check_result *result);
};

/* The checks on cells alone, and those against programs of others. */
extern const struct hk_check hk_checks_own[];
extern const size_t hk_checks_own_count;
extern const struct hk_check hk_checks_peers[];
extern const size_t hk_checks_peers_count;

/*
 * Changes found at a level of 1 % in series of noise alone, whose kind (enum hk_noise) is the
 * check's row.
 */
enum hk_status hk_selfcheck_changes(const struct hk_check_session *session,
                                    const struct hk_check *check, struct hk_check_result *result);

/* From the first instruction of a machine under TCG to the first line of a user program, ms. */
enum hk_status hk_selfcheck_boot(const struct hk_check_session *session,
                                 const struct hk_check *check, struct hk_check_result *result);

/*
 * Launch a cell once and take one of its figures.
 *
 * value   [out]
 * reason  [out]  why there is none
 *
 * Returns HK_OK; HK_EINTR; HK_ENOTSUP when this machine has it not; HK_EIO.
 */
enum hk_status hk_selfcheck_launch(const struct hk_check_session *session, const char *cell,
                                   const char *counter, uint32_t index, double *value,
                                   char reason[HK_TEXT_BYTES]);

/* Median and distribution-free interval of n values. HK_ENOISE when n is too small. */
enum hk_status hk_selfcheck_summarise(double *values, size_t n, struct hk_check_result *result);

/*
 * Stay on one CPU: what is started from here is measured there.
 *
 * before  [out]  for hk_selfcheck_unpin
 */
struct hk_selfcheck_pin {
    unsigned char mask[128];
};
void hk_selfcheck_pin(struct hk_selfcheck_pin *before);
void hk_selfcheck_unpin(const struct hk_selfcheck_pin *before);

#endif
