/* SPDX-License-Identifier: MIT */
/* How far off the formula of waiting was where a machine's queues were judged (F3 under load). */
#ifndef HK_PREDICT_WAITS_H
#define HK_PREDICT_WAITS_H

#include <stddef.h>

#include "hk/base/status.h"

struct hk_waits {
    size_t count;        /* cells */
    double error_median; /* |predicted / measured - 1| */
    double error_max;
};

/*
 * Errors of Pollaczek-Khinchine with dispatch in the verdicts of a run, of servers that nobody else
 * delays (SCHED_FIFO).
 *
 * Returns HK_OK; HK_ENOENT when the run is not judged or has no such queues; the statuses of
 * hk_judge_read; HK_ENOMEM.
 */
enum hk_status hk_waits_read(const char *run_path, struct hk_waits *out);

#endif
