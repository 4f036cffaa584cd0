/* SPDX-License-Identifier: MIT */
/*
 * What judging costs: a history of SERIES series with JOBS values each is made in a file, checked,
 * and the same number of series is tested with all their permutations.
 *
 * history_cost FILE SERIES JOBS
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hk/history/check.h"
#include "hk/stats/change.h"
#include "hk/stats/noise.h"

enum { POINTS = HK_TRACK_WINDOW_MAX, PERMUTATIONS = 999 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "history_cost: %s\n", what);
    exit(1);
}

static void add_job(struct hk_history *history, struct hk_rng *rng, size_t series, int job)
{
    struct hk_history_points points = {.count = series};
    char commit[32], names[32];
    char machine[] = "m", metric[] = "time_ns";
    int64_t number;
    points.points = calloc(series, sizeof(*points.points));
    for (size_t i = 0; points.points && i < series; i++) {
        double noise;
        hk_noise_draw(HK_NOISE_INDEPENDENT, rng, &noise, 1);
        snprintf(names, sizeof(names), "series/%zu", i);
        points.points[i] = (struct hk_history_point){
            .name = strdup(names), .metric = metric, .kind = HK_SERIES_ABSOLUTE, .basis = machine,
            .value = exp(8 + 0.02 * noise), .count = 10};
    }
    snprintf(commit, sizeof(commit), "c%d", job);
    const struct hk_history_job made = {commit, "2026-01-01T00:00:00Z", machine, "made"};
    if (!points.points || hk_history_add(history, &made, &points, &number) != HK_OK)
        fail(hk_history_error(history));
    for (size_t i = 0; i < series; i++)
        free(points.points[i].name);
    free(points.points);
}

static void test_all(size_t series, const struct hk_change_options *options)
{
    struct hk_rng *rng = NULL;
    struct hk_change change;
    double y[POINTS];
    if (hk_rng_create(1, 2, &rng) != HK_OK)
        fail("no generator");
    const double start = now_s();
    for (size_t i = 0; i < series; i++) {
        hk_noise_draw((enum hk_noise)(i % HK_NOISE_COUNT), rng, y, POINTS);
        (void)hk_change_test(y, POINTS, options, &change);
    }
    printf("%zu series of %d, %d permutations each, one thread: %.2f s\n", series, POINTS,
           PERMUTATIONS, now_s() - start);
    hk_rng_destroy(rng);
}

int main(int argc, char **argv)
{
    struct hk_history *history = NULL;
    struct hk_track_check check;
    struct hk_rng *rng = NULL;
    char error[HK_TEXT_BYTES];
    const struct hk_change_options all = {.permutations_max = PERMUTATIONS, .seed = 1};
    if (argc != 4)
        fail("history_cost FILE SERIES JOBS");
    const size_t series = strtoul(argv[2], NULL, 10);
    const int jobs = atoi(argv[3]);
    if (hk_history_open(argv[1], true, &history, error) != HK_OK ||
        hk_rng_create(1, 1, &rng) != HK_OK)
        fail(error);
    double start = now_s();
    for (int j = 0; j < jobs; j++)
        add_job(history, rng, series, j);
    printf("%d jobs of %zu values: %.2f s\n", jobs, series, now_s() - start);
    start = now_s();
    if (hk_track_check(history, &hk_track_defaults, &check) != HK_OK)
        fail(hk_history_error(history));
    printf("check of %zu values: %.2f s, judged %zu, slower %zu, faster %zu, suspect %zu\n",
           series * (size_t)jobs, now_s() - start, check.judged_count,
           check.verdicts[HK_TRACK_SLOWER], check.verdicts[HK_TRACK_FASTER],
           check.verdicts[HK_TRACK_SUSPECT]);
    hk_track_check_fini(&check);
    hk_history_close(history);
    hk_rng_destroy(rng);
    test_all(series, &all);
    return 0;
}
