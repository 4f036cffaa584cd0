/* SPDX-License-Identifier: MIT */
/* The history of results: the group of subcommands and what they share. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "hk/base/units.h"
#include "track.h"

enum hk_exit hk_track_open(const char *command, const char *path, bool create,
                           struct hk_history **history)
{
    char error[HK_TEXT_BYTES], folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (create && slash != NULL && slash != folder) {
        *slash = '\0';
        (void)hk_folder_make(folder); /* what is wrong with it shows when the file is opened */
    }
    const enum hk_status status = hk_history_open(path, create, history, error);
    if (status == HK_OK)
        return HK_EXIT_OK;
    hk_cli_error(command, "%s", error);
    return status == HK_EBUSY || status == HK_ENOSPC || status == HK_EIO ? HK_EXIT_UNMEASURED
                                                                          : HK_EXIT_USAGE;
}

enum hk_exit hk_track_failed(const char *command, const struct hk_history *history,
                             enum hk_status status)
{
    const char *text = hk_history_error(history);
    hk_cli_error(command, "%s", text[0] != '\0' ? text : hk_status_text(status));
    return status == HK_EINVAL || status == HK_EEXIST || status == HK_EPARSE ? HK_EXIT_USAGE
                                                                              : HK_EXIT_UNMEASURED;
}

void hk_track_now(char text[40])
{
    const time_t now = time(NULL);
    struct tm utc;
    strftime(text, 40, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

void hk_track_series_text(const struct hk_history_series *s, char *text, size_t capacity)
{
    static const char *const before[] = {
        [HK_SERIES_RATIO] = "against", [HK_SERIES_ABSOLUTE] = "on",
        [HK_SERIES_EXACT] = "exactly, by", [HK_SERIES_NEAR] = "nearly, by",
    };
    snprintf(text, capacity, "%s %s %s", s->metric, before[s->kind], s->basis);
}

void hk_track_value_text(const struct hk_history_series *s, double value, char *text,
                         size_t capacity)
{
    if (s->kind == HK_SERIES_RATIO)
        snprintf(text, capacity, "%.4f", value);
    else if (s->kind != HK_SERIES_ABSOLUTE)
        snprintf(text, capacity, "%.10g", value);
    else if (value < 1e3)
        snprintf(text, capacity, "%.4g ns", value);
    else if (value < 1e6)
        snprintf(text, capacity, "%.4g us", value / 1e3);
    else
        snprintf(text, capacity, "%.4g ms", value / 1e6);
}

static const struct hk_command *const subcommands[] = {
    &hk_cmd_track_add,  &hk_cmd_track_import, &hk_cmd_track_check,  &hk_cmd_track_show,
    &hk_cmd_track_log,  &hk_cmd_track_accept, &hk_cmd_track_export, NULL,
};

const struct hk_command hk_cmd_track = {
    .name = "track",
    .summary = "keep a history of results and say what changed",
    .subcommands = subcommands,
};
