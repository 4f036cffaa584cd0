/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands.h"
#include "hk/stats/gsl.h"

static const struct hk_command *const commands[] = {
    &hk_cmd_doctor,
    &hk_cmd_list,
    &hk_cmd_run,
    &hk_cmd_launch,
    &hk_cmd_epochs,
    &hk_cmd_compare,
    &hk_cmd_track,
    &hk_cmd_calibrate,
    &hk_cmd_fit,
    &hk_cmd_validate,
    &hk_cmd_place,
    &hk_cmd_predict,
    &hk_cmd_simulate,
    &hk_cmd_plot,
    &hk_cmd_report,
    &hk_cmd_selfcheck,
    &hk_cmd_kernel,
    NULL,
};

/* prefix is the group's name and a space, or empty. */
static const struct hk_command *find_command(const struct hk_command *const *table,
                                             const char *prefix, const char *name)
{
    const size_t skip = strlen(prefix);
    for (size_t i = 0; table[i] != NULL; i++)
        if (strcmp(table[i]->name + skip, name) == 0)
            return table[i];
    return NULL;
}

static void print_overview(FILE *out)
{
    fputs("usage: hkbench <command> [options]\n\n"
          "What it costs to move an operating-system service out of the kernel,\n"
          "on this machine, and whether a formula could have told.\n\ncommands:\n",
          out);
    for (size_t i = 0; commands[i] != NULL; i++)
        if (!commands[i]->hidden)
            fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nhkbench <command> --help explains one; --version prints the version.\n"
          "exit status: 0 fine, 1 regression or refuted where it had to hold, 2 usage,\n"
          "3 could not measure, 4 undecided.\n",
          out);
}

static void print_group(const struct hk_command *group, FILE *out)
{
    fprintf(out, "usage: hkbench %s <command> [options]\n\n%s\n\ncommands:\n", group->name,
            group->summary);
    for (size_t i = 0; group->subcommands[i] != NULL; i++)
        fprintf(out, "  %-18s %s\n", group->subcommands[i]->name, group->subcommands[i]->summary);
    fprintf(out, "\nhkbench %s <command> --help explains one.\n", group->name);
}

/*
 * Find the command of a group that argv names, and point past the group's name.
 *
 * Returns HK_OK; HK_EINTR when help was asked for and printed; HK_ENOENT after one line.
 */
static enum hk_status enter_group(const struct hk_command **command, int *argc, char ***argv)
{
    const struct hk_command *group = *command;
    char prefix[32];

    if (*argc < 3 || strcmp((*argv)[2], "--help") == 0 || strcmp((*argv)[2], "-h") == 0) {
        print_group(group, *argc < 3 ? stderr : stdout);
        return *argc < 3 ? HK_ENOENT : HK_EINTR;
    }
    snprintf(prefix, sizeof prefix, "%s ", group->name);
    *command = find_command(group->subcommands, prefix, (*argv)[2]);
    if (*command == NULL) {
        hk_cli_error(group->name, "unknown command '%s'; hkbench %s --help lists the commands",
                     (*argv)[2], group->name);
        return HK_ENOENT;
    }
    --*argc;
    ++*argv;
    return HK_OK;
}

/* What was printed must have arrived; a reader that left (head) is no failure. */
static int finish_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno == EPIPE)
        return code;
    hk_cli_error(NULL, "standard output cannot be written: %s", strerror(errno));
    return code == HK_EXIT_OK ? HK_EXIT_USAGE : code;
}

int main(int argc, char **argv)
{
    /* The options structs hold pointers and integers: give them the strictest alignment. */
    _Alignas(16) char values[HK_OPTIONS_BYTES_MAX];
    int rest = 0;

    hk_gsl_init();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a status, not a death */
    signal(SIGXFSZ, SIG_IGN); /* and so is a file that may not grow */
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_overview(argc < 2 ? stderr : stdout);
        return argc < 2 ? HK_EXIT_USAGE : HK_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("hkbench " HK_VERSION);
        return HK_EXIT_OK;
    }
    const struct hk_command *command = find_command(commands, "", argv[1]);
    if (command == NULL) {
        hk_cli_error(NULL, "unknown command '%s'; hkbench --help lists the commands", argv[1]);
        return HK_EXIT_USAGE;
    }
    enum hk_status status = HK_OK;
    if (command->subcommands != NULL)
        status = enter_group(&command, &argc, &argv);
    if (status != HK_OK)
        return status == HK_EINTR ? HK_EXIT_OK : HK_EXIT_USAGE;
    status = hk_options_parse(command, argc - 1, argv + 1, values, &rest);
    if (status != HK_OK)
        return status == HK_EINTR ? HK_EXIT_OK : HK_EXIT_USAGE;
    return finish_output((int)command->run(values, argc - 1 - rest, argv + 1 + rest));
}
