/* SPDX-License-Identifier: MIT */
/*
 * A command is a row: its name, its option table, and a function. The same
 * table parses the command line and prints --help. A new command is a file
 * cmd_<name>.c and a row in main.c.
 */
#ifndef HK_CLI_COMMAND_H
#define HK_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

/* Exit codes; each means one thing. */
enum hk_exit {
    HK_EXIT_OK = 0,
    HK_EXIT_REFUTED = 1,    /* a regression, or refuted where it was required to hold */
    HK_EXIT_USAGE = 2,      /* the command line is wrong, or a file cannot be read or written */
    HK_EXIT_UNMEASURED = 3, /* nothing could be measured */
    HK_EXIT_UNDECIDED = 4,  /* measured, but too noisy to say */
};

/*
 * The exit code of a failure: HK_EXIT_UNMEASURED when the machine is at fault, or an
 * interruption; HK_EXIT_USAGE when what was named on the command line is, a full disk included.
 */
enum hk_exit hk_exit_of(enum hk_status status);

enum hk_option_kind {
    HK_OPTION_FLAG, /* bool */
    HK_OPTION_TEXT, /* const char * */
    HK_OPTION_UINT, /* uint64_t, within [min, max] */
};

struct hk_option {
    const char *name;     /* without the dashes */
    char letter;          /* short form, or 0 */
    enum hk_option_kind kind;
    const char *argument; /* what --help calls the value: "SECONDS" */
    const char *help;
    size_t offset;        /* of the value in the command's options struct */
    uint64_t min;         /* HK_OPTION_UINT only */
    uint64_t max;
};

struct hk_command {
    const char *name;
    const char *arguments; /* positional, for --help: "[RUN]"; NULL for none */
    const char *summary;   /* one line */
    const char *details;   /* paragraph for --help, or NULL */
    const struct hk_option *options;
    size_t option_count;
    const void *defaults; /* options struct to start from; NULL: zeros */
    size_t options_bytes; /* its size, at most HK_OPTIONS_BYTES_MAX */
    int positional_max;
    bool hidden; /* not in the list: called by hkbench itself */
    /*
     * A group: NULL-terminated commands that are named after it ("track add"); the other fields
     * but name and summary are then unused.
     */
    const struct hk_command *const *subcommands;

    /* Returns an exit code; has printed its own one-line error. */
    enum hk_exit (*run)(const void *options, int argc, char **argv);
};

#define HK_OPTIONS_BYTES_MAX 512

/*
 * Parse a command's own arguments.
 *
 * argc, argv  [in]   what stands after the command's name
 * values      [out]  HK_OPTIONS_BYTES_MAX bytes; on success the options struct
 * rest        [out]  index of the first positional argument in argv
 *
 * Prints what is wrong, with the remedy, on stderr. Returns HK_OK; HK_EINVAL;
 * HK_EINTR when --help was asked for and printed.
 */
enum hk_status hk_options_parse(const struct hk_command *command, int argc, char **argv,
                                void *values, int *rest);

/* Print a command's help from its table. */
void hk_options_help(const struct hk_command *command);

/* One line on stderr: "hkbench <command>: <message>". */
__attribute__((format(printf, 2, 3))) void hk_cli_error(const char *command, const char *format,
                                                        ...);

#endif
