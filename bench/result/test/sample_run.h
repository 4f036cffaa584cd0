/* SPDX-License-Identifier: MIT */
/* A small made-up run for tests: the numbers stand for nothing. */
#ifndef HK_RESULT_TEST_SAMPLE_RUN_H
#define HK_RESULT_TEST_SAMPLE_RUN_H

#include <stddef.h>

#include "hk/result/result.h"

#define SAMPLE_MACHINE_ID "test-cpu-1a2b3c4d"
#define SAMPLE_PIPE "native/round_trip/pipe/place:same_core/bytes:64"
#define SAMPLE_PIPE_LAUNCHES 3
#define SAMPLE_GUEST "guest/round_trip/endpoint/spaces:2/words:2"

extern const char sample_machine_json[];

/* Writes the run under root; path receives its folder. */
enum hk_status sample_run_write(const char *root, char *path, size_t capacity);

/* Appends one timed launch with a cost. */
enum hk_status sample_append(struct hk_run_writer *writer, const char *name, uint32_t index,
                             double cost_ns);

/* A folder of its own for a test, under the system's temporary folder; remove with the next. */
void sample_folder_make(char path[64]);
void sample_folder_remove(const char *path);

#endif
