/* SPDX-License-Identifier: MIT */
/* What the commands plot and report share: a run with its judge, and its figures on disk. */
#ifndef HK_CLI_FIGURES_H
#define HK_CLI_FIGURES_H

#include "command.h"
#include "hk/report/figure.h"

#define HK_CLI_PATH_BYTES 4096

struct hk_cli_figures {
    const char *command; /* for error lines */
    struct hk_run run;
    struct hk_judge judge;               /* empty when the run was not fitted yet */
    char folder[HK_CLI_PATH_BYTES];      /* <run>/plots, absolute */
    char scripts[HK_CLI_PATH_BYTES];     /* the gnuplot scripts, built or installed */
};

/* Find the gnuplot scripts, built or installed; prints one line when there are none. */
enum hk_status hk_cli_scripts_find(const char *command, char scripts[HK_CLI_PATH_BYTES]);

/*
 * Read a run (NULL: the newest under root), its parameters and verdicts, and make its
 * folder for figures. Prints one line with the remedy on failure.
 *
 * Returns HK_OK or the status of what failed; release with hk_cli_figures_close.
 */
enum hk_status hk_cli_figures_open(const char *command, const char *path, const char *root,
                                   struct hk_cli_figures *figures);
void hk_cli_figures_close(struct hk_cli_figures *figures);

/*
 * Write the data of every figure and draw it.
 *
 * only   [in]   name of one figure, or NULL for all
 * drawn  [out]  number of figures drawn
 *
 * Says on stderr what a figure lacks. Returns HK_OK; HK_ENOTSUP when gnuplot is missing (one
 * line was printed, the data are written); HK_EIO and others after one line.
 */
enum hk_status hk_cli_figures_draw(const struct hk_cli_figures *figures, const char *only,
                                   enum hk_figure_format format, size_t *drawn);

#endif
