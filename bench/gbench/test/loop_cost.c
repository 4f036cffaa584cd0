/* SPDX-License-Identifier: MIT */
/*
 * What an iteration of the C loop costs more than one of the C++ loop.
 *
 *     gbench_loop_cost [LAUNCHES]
 *
 * Every launch is a process of its own (its own addresses, its own luck) that
 * runs both loops in randomly interleaved repetitions; its value is the
 * difference of the first deciles of the repetitions' CPU times. The interval
 * is that of the median over launches, by the sign test: no distribution assumed.
 *
 * Exit status: 0 the interval lies within +-0.05 ns, 1 it does not, 2 usage,
 * 3 could not measure.
 */
#include "loops.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOUND_NS 0.05
#define LAUNCHES_DEFAULT 21
#define LAUNCHES_MIN 6 /* fewer cannot give a 95 % interval */
#define LAUNCHES_MAX 1000
#define REPETITIONS 25
#define REPETITIONS_TEXT "25"

extern char **environ;

/* ---- A launch ---- */

static int run_launch(char *program, char *out_flag)
{
    static char interleave[] = "--benchmark_enable_random_interleaving=true";
    static char repetitions[] = "--benchmark_repetitions=" REPETITIONS_TEXT;
    static char min_time[] = "--benchmark_min_time=0.01";
    char *argv[] = {program, out_flag, interleave, repetitions, min_time, NULL};
    int argc = 5;
    int rc = hk_gbench_init(&argc, argv);

    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_register("c", hk_loop_c, NULL, NULL);
    }
    if (rc == HK_GBENCH_OK) {
        hk_loop_cpp_register(0);
        rc = hk_gbench_run(NULL, NULL);
    }
    if (rc != HK_GBENCH_OK) {
        fprintf(stderr, "gbench_loop_cost: %s\n", hk_gbench_error_text());
    }
    hk_gbench_shutdown();
    return rc == HK_GBENCH_OK ? 0 : 3;
}

static int spawn_launch(char *program, const char *path)
{
    char out_flag[256];
    char *argv[] = {program, out_flag, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;
    int rc;

    snprintf(out_flag, sizeof out_flag, "--benchmark_out=%s", path);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    rc = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0 || waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- Its value ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* First decile of the repetitions' CPU times, ns; NaN if the report lacks them. */
static double first_decile_ns(const json_t *rows, const char *name)
{
    double times_ns[REPETITIONS];
    size_t n = 0;
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row) {
        const char *row_name = json_string_value(json_object_get(row, "name"));
        if (row_name != NULL && strcmp(row_name, name) == 0 && n < REPETITIONS) {
            times_ns[n++] = json_number_value(json_object_get(row, "cpu_time"));
        }
    }
    if (n < REPETITIONS) {
        return NAN;
    }
    qsort(times_ns, n, sizeof *times_ns, compare_doubles);
    return times_ns[n / 10];
}

/* One launch: C minus C++, ns per iteration; NaN if it could not be measured. */
static double measure_difference_ns(char *program, const char *path, double *c_ns)
{
    json_t *report, *rows;
    double difference_ns = NAN;

    if (spawn_launch(program, path) != 0) {
        return NAN;
    }
    report = json_load_file(path, 0, NULL);
    rows = json_object_get(report, "benchmarks");
    *c_ns = first_decile_ns(rows, "c");
    difference_ns = *c_ns - first_decile_ns(rows, "c++");
    json_decref(report);
    return difference_ns;
}

/* ---- Over launches ---- */

/*
 * Rank k, from 1, such that the k-th smallest and k-th largest of n values hold
 * the median with at least 95 %: the largest k with 2 P(B(n, 1/2) < k) <= 0.05.
 */
static size_t sign_test_rank(size_t n)
{
    double term = pow(0.5, (double)n); /* P(B = 0) */
    double below = 0;
    size_t k = 0;

    while (2 * (below + term) <= 0.05) {
        below += term;
        term *= (double)(n - k) / (double)(k + 1);
        k++;
    }
    return k;
}

static int measure(char *program, size_t launch_count)
{
    static double differences_ns[LAUNCHES_MAX], c_ns[LAUNCHES_MAX];
    char path[] = "/tmp/gbench_loop_cost_XXXXXX";
    int fd = mkstemp(path);
    int exit_status = 3;
    size_t rank = sign_test_rank(launch_count);
    double low_ns, high_ns;

    if (fd < 0) {
        perror("gbench_loop_cost: mkstemp");
        return 3;
    }
    close(fd);
    for (size_t i = 0; i < launch_count; i++) {
        differences_ns[i] = measure_difference_ns(program, path, &c_ns[i]);
        if (isnan(differences_ns[i])) {
            fprintf(stderr, "gbench_loop_cost: launch %zu gave no report\n", i + 1);
            goto done;
        }
    }
    qsort(differences_ns, launch_count, sizeof *differences_ns, compare_doubles);
    qsort(c_ns, launch_count, sizeof *c_ns, compare_doubles);
    low_ns = differences_ns[rank - 1];
    high_ns = differences_ns[launch_count - rank];
    exit_status = low_ns >= -BOUND_NS && high_ns <= BOUND_NS ? 0 : 1;
    printf("C loop %.3f ns per iteration; C - C++ = %+.4f ns, interval [%+.4f, %+.4f] (95 %%, "
           "%zu launches): %s +-%.2f ns\n",
           c_ns[launch_count / 2], differences_ns[launch_count / 2], low_ns, high_ns, launch_count,
           exit_status == 0 ? "within" : "not within", BOUND_NS);

done:
    unlink(path);
    return exit_status;
}

int main(int argc, char **argv)
{
    unsigned long launch_count = LAUNCHES_DEFAULT;
    char *end = NULL;

    if (argc == 2 && strncmp(argv[1], "--benchmark_out=", 16) == 0) {
        return run_launch(argv[0], argv[1]);
    }
    if (argc == 2) {
        launch_count = strtoul(argv[1], &end, 10);
    }
    if (argc > 2 || (end != NULL && *end != 0) || launch_count < LAUNCHES_MIN ||
        launch_count > LAUNCHES_MAX) {
        fprintf(stderr, "usage: gbench_loop_cost [LAUNCHES], %d to %d\n", LAUNCHES_MIN,
                LAUNCHES_MAX);
        return 2;
    }
    return measure(argv[0], launch_count);
}
