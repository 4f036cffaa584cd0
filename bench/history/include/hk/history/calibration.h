/* SPDX-License-Identifier: MIT */
/*
 * How often a verdict cries wolf on this machine: the same thing against itself, many times.
 * Kept in <results>/<machine>/calibration.json; the newest measurement replaces the older.
 */
#ifndef HK_HISTORY_CALIBRATION_H
#define HK_HISTORY_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/result/result.h"

/* The ways to a verdict, each with a rate of its own. */
enum hk_verdict_path {
    HK_PATH_PAIRED,      /* both sides in turns within each launch */
    HK_PATH_INTERLEAVED, /* launches of both sides in turns */
    HK_PATH_HISTORY,     /* ratios of job after job, searched for changes */
    HK_PATH_APART,       /* all launches of one side, then all of the other */
    HK_PATH_COUNT,
};

/* "paired", "interleaved", "history", "apart". */
const char *hk_verdict_path_name(enum hk_verdict_path path);

struct hk_calibration_path {
    double nominal_ratio;    /* level of the test */
    uint64_t trials;         /* comparisons of the same with the same; 0: not calibrated */
    uint64_t rejections;     /* that came out different */
    double difference_sd_ln; /* of ln(B / A) between launches; apart: between sides' medians */
    double lower_ratio;      /* 95 % Clopper-Pearson interval of the rate; set when read */
    double upper_ratio;
};

struct hk_calibration {
    char machine[128];
    char time[40]; /* RFC 3339 */
    struct hk_calibration_path paths[HK_PATH_COUNT];
};

/*
 * Write root/<machine>/calibration.json atomically.
 *
 * Returns HK_OK; HK_EINVAL for rates that cannot be; HK_EPERM, HK_ENOSPC, HK_EIO, HK_ENOMEM.
 */
enum hk_status hk_calibration_write(const char *root, const struct hk_calibration *calibration);

/*
 * Read what was written for a machine.
 *
 * error  [out]  on failure one line with the remedy
 *
 * Returns HK_OK; HK_ENOENT when the machine was not calibrated; HK_EPARSE, HK_ESCHEMA, HK_EIO.
 */
enum hk_status hk_calibration_read(const char *root, const char *machine,
                                   struct hk_calibration *calibration, char error[HK_TEXT_BYTES]);

/*
 * Is a path's verdict only advice here: is its false-alarm rate surely above the nominal one?
 *
 * reason  [out]  one line when true
 */
bool hk_calibration_advisory(const struct hk_calibration *calibration, enum hk_verdict_path path,
                             char reason[HK_TEXT_BYTES]);

#endif
