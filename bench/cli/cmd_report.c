/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "figures.h"
#include "hk/base/units.h"
#include "hk/report/report.h"

struct report_options {
    const char *out;
};

static const struct hk_option options[] = {
    { "out", 'o', HK_OPTION_TEXT, "DIR", "results folder to look for the newest run in (results)",
      offsetof(struct report_options, out), 0, 0 },
};
static const struct report_options defaults = { .out = "results" };

static enum hk_exit write_report(const struct hk_cli_figures *figures)
{
    const struct hk_report_source source = { &figures->run, &figures->judge };
    char path[HK_CLI_PATH_BYTES];
    char *html = NULL;
    if (snprintf(path, sizeof(path), "%s/report.html", figures->run.path) >= (int)sizeof(path)) {
        hk_cli_error("report", "the run's path is too long");
        return HK_EXIT_USAGE;
    }
    enum hk_status status = hk_report_html(&source, figures->folder, &html);
    if (status == HK_OK)
        status = hk_file_write(path, html, strlen(html));
    free(html);
    if (status != HK_OK) {
        hk_cli_error("report", "cannot write %s: %s", path, hk_status_text(status));
        return HK_EXIT_USAGE;
    }
    puts(path);
    return HK_EXIT_OK;
}

static enum hk_exit run_report(const void *values, int argc, char **argv)
{
    const struct report_options *o = values;
    struct hk_cli_figures figures;
    size_t drawn = 0;
    if (hk_cli_figures_open("report", argc > 0 ? argv[0] : NULL, o->out, &figures) != HK_OK)
        return HK_EXIT_USAGE;
    /* A figure that cannot be drawn was named on stderr; the report says it in its place. */
    (void)hk_cli_figures_draw(&figures, NULL, HK_FIGURE_SVG, &drawn);
    enum hk_exit code = write_report(&figures);
    hk_cli_figures_close(&figures);
    return code;
}

const struct hk_command hk_cmd_report = {
    .name = "report",
    .arguments = "[RUN]",
    .summary = "write a run's report: one HTML file",
    .details = "RUN is a run folder; without it, the newest run of the results folder.\n"
               "Draws the figures and writes RUN/report.html, which needs no other file and no\n"
               "network. Fit and validate first: their verdicts come first in the report.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct report_options),
    .positional_max = 1,
    .run = run_report,
};
