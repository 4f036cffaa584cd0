/* SPDX-License-Identifier: MIT */
/* A progress bar on a terminal, a plain line now and then elsewhere; always on stderr. */
#ifndef HK_CLI_PROGRESS_H
#define HK_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct hk_progress {
    bool terminal;
    uint64_t started_ns;
    uint64_t drawn_ns;
};

void hk_progress_init(struct hk_progress *progress);

/*
 * Show how far the work is; redraws at most ten times a second on a terminal
 * and once in ten seconds elsewhere.
 *
 * done, total  [in]  any unit; total > 0
 * what         [in]  what is being done now, one short phrase
 */
void hk_progress_show(struct hk_progress *progress, uint64_t done, uint64_t total,
                      const char *what);

/* Clear the bar. */
void hk_progress_fini(struct hk_progress *progress);

#endif
