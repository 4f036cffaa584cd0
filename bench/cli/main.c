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
    &hk_cmd_fit,
    &hk_cmd_validate,
    &hk_cmd_simulate,
    &hk_cmd_plot,
    &hk_cmd_report,
    &hk_cmd_selfcheck,
    &hk_cmd_kernel,
    NULL,
};

static const struct hk_command *find_command(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
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

/* What was printed must have arrived; a reader that left (head) is no failure. */
static int finish_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno == EPIPE)
        return code;
    hk_cli_error(NULL, "standard output cannot be written: %s", strerror(errno));
    return code == HK_EXIT_OK ? HK_EXIT_UNMEASURED : code;
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
    const struct hk_command *command = find_command(argv[1]);
    if (command == NULL) {
        hk_cli_error(NULL, "unknown command '%s'; hkbench --help lists the commands", argv[1]);
        return HK_EXIT_USAGE;
    }
    const enum hk_status status = hk_options_parse(command, argc - 1, argv + 1, values, &rest);
    if (status != HK_OK)
        return status == HK_EINTR ? HK_EXIT_OK : HK_EXIT_USAGE;
    return finish_output((int)command->run(values, argc - 1 - rest, argv + 1 + rest));
}
