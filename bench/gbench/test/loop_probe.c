/* SPDX-License-Identifier: MIT */
/*
 * Runs one kind of loop a given number of times: loop_probe c|c++ ITERATIONS.
 * Counting the instructions of two such runs gives the price of an iteration.
 */
#include "loops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    int one = 1;
    int rc;
    struct hk_gbench *bench;

    if (argc != 3) {
        return 2;
    }
    rc = hk_gbench_init(&one, argv);
    if (rc == HK_GBENCH_OK && strcmp(argv[1], "c") == 0) {
        rc = hk_gbench_register("c", hk_loop_c, NULL, &bench);
        if (rc == HK_GBENCH_OK) {
            rc = hk_gbench_set_iterations(bench, strtoll(argv[2], NULL, 10));
        }
    } else if (rc == HK_GBENCH_OK) {
        hk_loop_cpp_register(strtoll(argv[2], NULL, 10));
    }
    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_run(NULL, NULL);
    }
    if (rc != HK_GBENCH_OK) {
        fprintf(stderr, "loop_probe: %s\n", hk_gbench_error_text());
    }
    hk_gbench_shutdown();
    return rc != HK_GBENCH_OK;
}
