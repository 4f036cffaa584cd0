/* SPDX-License-Identifier: MIT */
/* What the subcommands of track share. */
#ifndef HK_CLI_TRACK_H
#define HK_CLI_TRACK_H

#include "command.h"
#include "hk/history/check.h"

#define HK_TRACK_HISTORY "results/history.db"

extern const struct hk_command hk_cmd_track_accept;
extern const struct hk_command hk_cmd_track_add;
extern const struct hk_command hk_cmd_track_check;
extern const struct hk_command hk_cmd_track_export;
extern const struct hk_command hk_cmd_track_import;
extern const struct hk_command hk_cmd_track_log;
extern const struct hk_command hk_cmd_track_show;

/* Open a history; prints one line on failure, and gives the exit code for it. */
enum hk_exit hk_track_open(const char *command, const char *path, bool create,
                           struct hk_history **history);

/* Print the last failure of a history; gives the exit code for it. */
enum hk_exit hk_track_failed(const char *command, const struct hk_history *history,
                             enum hk_status status);

/* Now, as RFC 3339 in UTC. */
void hk_track_now(char text[40]);

/* "time_ns ratio to v1.0": what a series is, beside its name. */
void hk_track_series_text(const struct hk_history_series *series, char *text, size_t capacity);

/* A value of a series with its unit: "3.71 us", "98", "1.021". */
void hk_track_value_text(const struct hk_history_series *series, double value, char *text,
                         size_t capacity);

#endif
