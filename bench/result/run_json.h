/* SPDX-License-Identifier: MIT */
/* run.json: what the writer writes and the reader checks. */
#ifndef HK_RESULT_RUN_JSON_H
#define HK_RESULT_RUN_JSON_H

#define HK_RUN_FILE "run.json"
#define HK_RUN_MACHINE_FILE "machine.json"
#define HK_RUN_LAUNCHES_FILE "launches.jsonl"
#define HK_RUN_BENCHMARK_FILE "benchmark.json"
#define HK_RUN_EXACT_FILE "exact.json"

#define HK_RUN_RUNNING "running" /* being written, or its writer was killed */
#define HK_RUN_COMPLETE "complete"
#define HK_RUN_PARTIAL "partial"

#endif
