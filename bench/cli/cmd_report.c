/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "figures.h"
#include "hk/base/units.h"
#include "hk/report/report.h"
#include "worlds.h"

struct report_options {
    const char *out;
    bool worlds;
    bool json;
};

static const struct hk_option options[] = {
    { "out", 'o', HK_OPTION_TEXT, "DIR", "results folder to look for the newest run in (results)",
      offsetof(struct report_options, out), 0, 0 },
    { "worlds", 0, HK_OPTION_FLAG, NULL,
      "instead print the same operations on Linux, on our kernel and here; up to three RUNs",
      offsetof(struct report_options, worlds), 0, 0 },
    { "json", 0, HK_OPTION_FLAG, NULL, "with --worlds: print as JSON",
      offsetof(struct report_options, json), 0, 0 },
};
static const struct report_options defaults = { .out = "results" };

static enum hk_exit write_report(const struct hk_cli_figures *figures,
                                 const struct hk_worlds *worlds)
{
    const struct hk_report_source source = { &figures->run, &figures->judge };
    char path[HK_CLI_PATH_BYTES];
    char *html = NULL;
    if (snprintf(path, sizeof(path), "%s/report.html", figures->run.path) >= (int)sizeof(path)) {
        hk_cli_error("report", "the run's path is too long");
        return HK_EXIT_USAGE;
    }
    enum hk_status status = hk_report_html(&source, worlds, figures->folder, &html);
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

static enum hk_exit make_page(const char *path, const char *out)
{
    struct hk_cli_figures figures;
    struct hk_worlds worlds;
    size_t drawn = 0;
    if (hk_cli_figures_open("report", path, out, &figures) != HK_OK)
        return HK_EXIT_USAGE;
    /* A figure that cannot be drawn was named on stderr; the report says it in its place. */
    (void)hk_cli_figures_draw(&figures, NULL, HK_FIGURE_SVG, &drawn);
    (void)hk_cli_worlds_beside("report", out, figures.run.path, &worlds);
    enum hk_exit code = write_report(&figures, &worlds);
    hk_worlds_fini(&worlds);
    hk_cli_figures_close(&figures);
    return code;
}

static enum hk_exit show_worlds(const struct report_options *o, size_t count, char **paths)
{
    struct hk_worlds worlds;
    enum hk_exit code = hk_cli_worlds_find("report", o->out, paths, count, &worlds);
    if (code == HK_EXIT_OK && o->json)
        code = hk_cli_worlds_print_json("report", &worlds);
    else if (code == HK_EXIT_OK)
        hk_cli_worlds_print(&worlds, HK_WORLDS);
    hk_worlds_fini(&worlds);
    return code;
}

static enum hk_exit run_report(const void *values, int argc, char **argv)
{
    const struct report_options *o = values;
    if (o->worlds)
        return show_worlds(o, (size_t)argc, argv);
    if (argc > 1 || o->json) {
        hk_cli_error("report", "%s", argc > 1 ? "the page is of one run; more only with --worlds"
                                              : "--json is for --worlds");
        return HK_EXIT_USAGE;
    }
    return make_page(argc > 0 ? argv[0] : NULL, o->out);
}

const struct hk_command hk_cmd_report = {
    .name = "report",
    .arguments = "[RUN...]",
    .summary = "write a run's report: one HTML file",
    .details = "RUN is a run folder; without it, the newest run of the results folder.\n"
               "Draws the figures and writes RUN/report.html, which needs no other file and no\n"
               "network. Fit and validate first: their verdicts come first in the report.\n"
               "--worlds takes the newest run of each world, or those given.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct report_options),
    .positional_max = HK_WORLDS,
    .run = run_report,
};
