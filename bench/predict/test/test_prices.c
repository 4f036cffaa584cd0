/* SPDX-License-Identifier: MIT */
/*
 * Predictions against counted truth: prices from the primitives alone, five workloads in all 256
 * placements, none of which any price or interval has seen. Both tables are runs of hkbench, kept as
 * their means (every launch repeated exactly); their first lines say which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/guest/mix.h"
#include "hk/guest/primitives.h"
#include "hk/judge/placements.h"
#include "hk/predict/prices.h"
#include "hk/stats/error.h"
#include "hk/stats/proportion.h"
#include "support.h"

#define WORKLOADS 5
#define LINE_BYTES 512

static const char *const workloads[WORKLOADS] = {"audio_workstation", "desktop", "file_compile",
                                                 "sensor_node", "web_server"};
static struct hk_run primitives;
static double counted[WORKLOADS][HK_PLACEMENTS]; /* by set */

/* The next line that is no remark. */
static bool next_line(FILE *file, char line[LINE_BYTES])
{
    do {
        if (fgets(line, LINE_BYTES, file) == NULL)
            return false;
    } while (line[0] == '#');
    return true;
}

static void add_launch(struct hk_run *run, char *line)
{
    struct hk_launch *launch = &run->launches[run->launch_count];
    char *at = NULL;
    char name[128];
    const char *workload = strtok_r(line, "\t", &at);

    snprintf(name, sizeof name, "guest/placement/%s/mask:%03d", workload,
             atoi(strtok_r(NULL, "\t", &at)));
    assert_int_equal(hk_launch_init(launch, name, 0, 1), HK_OK);
    run->launch_count++;
    launch->exactness = HK_EXACT;
    assert_int_equal(hk_launch_add_counter(launch, "hk_instructions_kernel",
                                           atof(strtok_r(NULL, "\t", &at))),
                     HK_OK);
    assert_int_equal(hk_launch_add_counter(launch, "hk_instructions_user", 0), HK_OK);
    for (unsigned i = 0; i < HK_SERVICES; i++) {
        snprintf(name, sizeof name, "hk_requests_%s",
                 hk_mix_service_name((enum hk_service_number)i));
        assert_int_equal(hk_launch_add_counter(launch, name, atof(strtok_r(NULL, "\t\n", &at))),
                         HK_OK);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hk_launch *)a)->name, ((const struct hk_launch *)b)->name);
}

static int read_tables(void **state)
{
    char line[LINE_BYTES];
    FILE *file = fopen(HK_PRIMITIVES_TSV, "re");

    (void)state;
    assert_non_null(file);
    primitives.path = strdup("primitives.tsv");
    primitives.launches = calloc(1000, sizeof *primitives.launches);
    assert_non_null(primitives.launches);
    while (next_line(file, line))
        add_launch(&primitives, line);
    fclose(file);
    qsort(primitives.launches, primitives.launch_count, sizeof *primitives.launches, by_name);
    file = fopen(HK_PLACEMENTS_TSV, "re");
    assert_non_null(file);
    while (next_line(file, line)) {
        char *at = NULL;
        const int mask = atoi(strtok_r(line, "\t", &at));
        for (size_t w = 0; w < WORKLOADS; w++)
            counted[w][255 - mask] = atof(strtok_r(NULL, "\t\n", &at));
    }
    fclose(file);
    return 0;
}

static int free_tables(void **state)
{
    (void)state;
    hk_run_fini(&primitives);
    return 0;
}

static void workload_is_read(size_t w, struct hk_mix *mix)
{
    char path[4096], error[256];

    snprintf(path, sizeof path, "%s/%s.ini", HK_WORKLOADS, workloads[w]);
    assert_int_equal(hk_mix_read(path, mix, error), HK_OK);
}

/* The acceptance of F: half of all errors within 5 %, 95 of 100 within 10 %; and what 95 % cover. */
static void held_out_placements_are_predicted(void **state)
{
    struct hk_prices prices;
    char error[HK_TEXT_BYTES];
    double predicted[WORKLOADS * HK_PLACEMENTS];
    const double *measured = &counted[0][0];
    uint64_t hits = 0;
    struct hk_error_summary all;
    struct hk_interval coverage;

    (void)state;
    if (hk_prices_fit(&primitives, &prices, error) != HK_OK)
        fail_msg("%s", error);
    print_message("prices: %zu single cells, worst fit %.1f %%; %zu mixed cells, median error "
                  "%.2f %%, margin %.2f %%\n", prices.single_count, 100 * prices.fit_error_max,
                  prices.mixed_count, 100 * prices.mixed_error_median,
                  100 * expm1(prices.margin_ln));
    for (size_t w = 0; w < WORKLOADS; w++) {
        struct hk_error_summary errors;
        struct hk_mix mix;
        uint64_t own = 0;
        workload_is_read(w, &mix);
        for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
            struct hk_priced p;
            assert_int_equal(hk_prices_predict(&prices, &mix, set, &p), HK_OK);
            predicted[w * HK_PLACEMENTS + set] = p.instructions;
            own += counted[w][set] >= p.interval.lower && counted[w][set] <= p.interval.upper;
        }
        assert_int_equal(hk_error_summarise(&predicted[w * HK_PLACEMENTS], counted[w],
                                            HK_PLACEMENTS, &errors), HK_OK);
        print_message("%-18s MdAPE %.2f %%, p95 %.2f %%, signed median %+.2f %%, covered %llu of "
                      "256\n", workloads[w], 100 * errors.absolute_median,
                      100 * errors.absolute_p95, 100 * errors.signed_median,
                      (unsigned long long)own);
        hits += own;
    }
    assert_int_equal(hk_error_summarise(predicted, measured, HK_ARRAY_COUNT(predicted), &all),
                     HK_OK);
    assert_int_equal(hk_proportion_interval(hits, HK_ARRAY_COUNT(predicted), 0.95, &coverage),
                     HK_OK);
    print_message("all                MdAPE %.2f %%, p95 %.2f %%; covered %llu of %zu: %.1f %% "
                  "[%.1f, %.1f]\n", 100 * all.absolute_median, 100 * all.absolute_p95,
                  (unsigned long long)hits, HK_ARRAY_COUNT(predicted),
                  100.0 * (double)hits / HK_ARRAY_COUNT(predicted), 100 * coverage.lower,
                  100 * coverage.upper);
    assert_true(all.absolute_median <= 0.05);
    assert_true(all.absolute_p95 <= 0.10);
    assert_true(coverage.upper >= 0.95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_out_placements_are_predicted),
    };

    hk_gsl_init();
    return cmocka_run_group_tests_name("prices", tests, read_tables, free_tables);
}
