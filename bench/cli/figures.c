/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_argument.h"

/* In the build tree the scripts are copied beside the executable. */
static const char *const script_folders[] = { "plots", "../share/hkbench/plots" };

enum hk_status hk_cli_scripts_find(const char *command, char scripts[HK_CLI_PATH_BYTES])
{
    char program[HK_CLI_PATH_BYTES], name[HK_CLI_PATH_BYTES + 64];
    ssize_t bytes = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[bytes > 0 ? bytes : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < sizeof(script_folders) / sizeof(script_folders[0]); i++) {
        snprintf(name, sizeof(name), "%s/%s", program, script_folders[i]);
        char *real = realpath(name, NULL);
        if (!real)
            continue;
        snprintf(scripts, HK_CLI_PATH_BYTES, "%s", real);
        free(real);
        return HK_OK;
    }
    hk_cli_error(command, "the gnuplot scripts are neither built nor installed; build the "
                          "project or install it again");
    return HK_ENOENT;
}

static enum hk_status make_folder(struct hk_cli_figures *figures)
{
    char name[HK_CLI_PATH_BYTES];
    if (snprintf(name, sizeof(name), "%s/plots", figures->run.path) >= (int)sizeof(name))
        return HK_EINVAL;
    enum hk_status status = hk_folder_make(name);
    if (status != HK_OK) {
        hk_cli_error(figures->command, "cannot write %s: %s", name, hk_status_text(status));
        return status;
    }
    char *real = realpath(name, NULL);
    if (!real)
        return HK_EIO;
    snprintf(figures->folder, sizeof(figures->folder), "%s", real);
    free(real);
    return HK_OK;
}

static enum hk_status read_judge(struct hk_cli_figures *figures)
{
    char error[HK_TEXT_BYTES];
    enum hk_status status = hk_judge_read(figures->run.path, &figures->judge, error);
    if (status == HK_OK || status == HK_ENOENT)
        return HK_OK; /* not fitted yet: figures and report say so */
    hk_cli_error(figures->command, "%s", error);
    return status;
}

enum hk_status hk_cli_figures_open(const char *command, const char *path, const char *root,
                                   struct hk_cli_figures *figures)
{
    memset(figures, 0, sizeof(*figures));
    figures->command = command;
    hk_judge_init(&figures->judge);
    enum hk_status status = hk_run_argument(command, path, root, &figures->run);
    if (status != HK_OK)
        return status;
    status = read_judge(figures);
    if (status == HK_OK)
        status = make_folder(figures);
    if (status == HK_OK)
        status = hk_cli_scripts_find(command, figures->scripts);
    if (status != HK_OK)
        hk_cli_figures_close(figures);
    return status;
}

void hk_cli_figures_close(struct hk_cli_figures *figures)
{
    hk_judge_fini(&figures->judge);
    hk_run_fini(&figures->run);
}

/* A figure of an earlier drawing must not stand for this one. */
static void remove_old(const struct hk_cli_figures *figures, const struct hk_figure *figure,
                       enum hk_figure_format format)
{
    char name[HK_CLI_PATH_BYTES + 64];
    snprintf(name, sizeof(name), "%s/%s.%s", figures->folder, figure->name,
             hk_figure_format_name(format));
    unlink(name);
}

static enum hk_status draw_one(const struct hk_cli_figures *figures, const struct hk_figure *figure,
                               enum hk_figure_format format, const char *caption, bool draw)
{
    const struct hk_report_source source = { &figures->run, &figures->judge };
    char error[HK_TEXT_BYTES];
    remove_old(figures, figure, format);
    enum hk_status status = hk_figure_write_data(figure, &source, figures->folder);
    if (status == HK_EEMPTY) {
        hk_cli_error(figures->command, "no figure %s: it needs %s", figure->name, figure->needs);
        return status;
    }
    if (status != HK_OK) {
        hk_cli_error(figures->command, "cannot write %s/%s.dat: %s", figures->folder, figure->name,
                     hk_status_text(status));
        return status;
    }
    if (!draw)
        return HK_ENOTSUP;
    status = hk_figure_draw(figure, figures->scripts, figures->folder, format, caption, error);
    if (status != HK_OK)
        hk_cli_error(figures->command, "%s: %s", figure->name, error);
    return status;
}

enum hk_status hk_cli_figures_draw(const struct hk_cli_figures *figures, const char *only,
                                   enum hk_figure_format format, size_t *drawn)
{
    char caption[HK_TEXT_BYTES];
    bool gnuplot = true;
    enum hk_status result = HK_OK;
    *drawn = 0;
    hk_figure_caption(&figures->run, caption, sizeof(caption));
    for (size_t i = 0; i < hk_figure_count; i++) {
        if (only && strcmp(only, hk_figures[i].name) != 0)
            continue;
        enum hk_status status = draw_one(figures, &hk_figures[i], format, caption, gnuplot);
        *drawn += status == HK_OK;
        if (status == HK_ENOTSUP)
            gnuplot = false; /* said once; the data of the others are still written */
        if (status != HK_OK && status != HK_EEMPTY)
            result = status;
    }
    return result;
}
