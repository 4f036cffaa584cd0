/* SPDX-License-Identifier: MIT */
/* The commands, one file cmd_<name>.c each; main.c lists them in the order of --help. */
#ifndef HK_CLI_COMMANDS_H
#define HK_CLI_COMMANDS_H

#include "command.h"

extern const struct hk_command hk_cmd_calibrate;
extern const struct hk_command hk_cmd_track;
extern const struct hk_command hk_cmd_compare;
extern const struct hk_command hk_cmd_doctor;
extern const struct hk_command hk_cmd_epochs;
extern const struct hk_command hk_cmd_fit;
extern const struct hk_command hk_cmd_kernel;
extern const struct hk_command hk_cmd_launch;
extern const struct hk_command hk_cmd_list;
extern const struct hk_command hk_cmd_place;
extern const struct hk_command hk_cmd_plot;
extern const struct hk_command hk_cmd_predict;
extern const struct hk_command hk_cmd_report;
extern const struct hk_command hk_cmd_run;
extern const struct hk_command hk_cmd_selfcheck;
extern const struct hk_command hk_cmd_simulate;
extern const struct hk_command hk_cmd_validate;

#endif
