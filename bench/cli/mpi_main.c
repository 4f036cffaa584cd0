/* SPDX-License-Identifier: MIT */
/*
 * The simulate command with MPI, in a program of its own: hkbench measures, and must not carry
 * the MPI library's threads and mappings while it does.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "hk/stats/gsl.h"

int main(int argc, char **argv)
{
    _Alignas(16) char values[HK_OPTIONS_BYTES_MAX];
    int rest = 0;

    hk_gsl_init();
    if (argc < 2 || strcmp(argv[1], hk_cmd_simulate.name) != 0) {
        hk_cli_error("simulate", "run it as: mpirun -n N hkbench simulate ...");
        return HK_EXIT_USAGE;
    }
    const enum hk_status status =
        hk_options_parse(&hk_cmd_simulate, argc - 1, argv + 1, values, &rest);
    if (status != HK_OK)
        return status == HK_EINTR ? HK_EXIT_OK : HK_EXIT_USAGE;
    return (int)hk_cmd_simulate.run(values, argc - 1 - rest, argv + 1 + rest);
}
