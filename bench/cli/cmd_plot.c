/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "figures.h"
#include "hk/base/units.h"

struct plot_options {
    const char *out;
    const char *format;
    const char *figure;
    bool terminal;
};

static const struct hk_option options[] = {
    { "out", 'o', HK_OPTION_TEXT, "DIR", "results folder to look for the newest run in (results)",
      offsetof(struct plot_options, out), 0, 0 },
    { "format", 0, HK_OPTION_TEXT, "NAME", "svg or png (svg)",
      offsetof(struct plot_options, format), 0, 0 },
    { "figure", 0, HK_OPTION_TEXT, "NAME", "only this figure",
      offsetof(struct plot_options, figure), 0, 0 },
    { "terminal", 0, HK_OPTION_FLAG, NULL, "draw with characters, here",
      offsetof(struct plot_options, terminal), 0, 0 },
};
static const struct plot_options defaults = { .out = "results", .format = "svg" };

static bool is_figure(const char *name)
{
    for (size_t i = 0; i < hk_figure_count; i++)
        if (strcmp(hk_figures[i].name, name) == 0)
            return true;
    return false;
}

static bool check_options(const struct plot_options *o, enum hk_figure_format *format)
{
    if (o->terminal)
        *format = HK_FIGURE_TERMINAL;
    else if (hk_figure_format_find(o->format, format) != HK_OK) {
        hk_cli_error("plot", "unknown format '%s'; give svg or png, or --terminal", o->format);
        return false;
    }
    if (o->figure && !is_figure(o->figure)) {
        char names[256] = "";
        for (size_t i = 0; i < hk_figure_count; i++)
            snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
                     i ? ", " : "", hk_figures[i].name);
        hk_cli_error("plot", "unknown figure '%s'; there are: %s", o->figure, names);
        return false;
    }
    return true;
}

static enum hk_exit run_plot(const void *values, int argc, char **argv)
{
    const struct plot_options *o = values;
    enum hk_figure_format format = HK_FIGURE_SVG;
    struct hk_cli_figures figures;
    size_t drawn = 0;
    if (!check_options(o, &format) ||
        hk_cli_figures_open("plot", argc > 0 ? argv[0] : NULL, o->out, &figures) != HK_OK)
        return HK_EXIT_USAGE;
    enum hk_status status = hk_cli_figures_draw(&figures, o->figure, format, &drawn);
    if (format != HK_FIGURE_TERMINAL && drawn > 0)
        printf("%zu figures in %s\n", drawn, figures.folder);
    hk_cli_figures_close(&figures);
    return status == HK_OK && drawn > 0 ? HK_EXIT_OK : HK_EXIT_UNMEASURED;
}

const struct hk_command hk_cmd_plot = {
    .name = "plot",
    .arguments = "[RUN]",
    .summary = "draw a run's figures",
    .details = "RUN is a run folder; without it, the newest run of the results folder.\n"
               "Writes RUN/plots/: the data as text, and a figure from each. Fit and validate\n"
               "first to see fitted laws and predictions. Needs gnuplot (gnuplot-nox).",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct plot_options),
    .positional_max = 1,
    .run = run_plot,
};
