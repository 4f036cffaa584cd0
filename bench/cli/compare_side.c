/* SPDX-License-Identifier: MIT */
#include "compare_side.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hk/result/foreign.h"
#include "hk/stats/quantile.h"

enum { FILES_MAX = 1000 };

void hk_side_fini(struct hk_side *side)
{
    hk_run_fini(&side->run);
    hk_functions_free(side->functions);
    *side = (struct hk_side){0};
}

void hk_side_filter(struct hk_side *side, const regex_t *filter)
{
    size_t kept = 0;

    for (size_t i = 0; filter != NULL && i < side->run.launch_count; i++) {
        if (regexec(filter, side->run.launches[i].name, 0, NULL, 0) == 0)
            side->run.launches[kept++] = side->run.launches[i];
        else
            hk_launch_fini(&side->run.launches[i]);
    }
    if (filter != NULL)
        side->run.launch_count = kept;
}

/* --- files of other programs ------------------------------------------------------ */

/* Median time of a benchmark's repetitions; 0 when none holds. */
static double median_time(const struct hk_launch *launches, size_t count)
{
    double *values = malloc(count * sizeof *values);
    double median = 0;
    size_t n = 0;

    for (size_t i = 0; values != NULL && i < count; i++)
        if (launches[i].state == HK_LAUNCH_OK && hk_launch_time_ns(&launches[i], &values[n]))
            n++;
    if (n > 0 && hk_sample_sort(values, n) == HK_OK)
        (void)hk_quantile(values, n, 0.5, &median);
    free(values);
    return median;
}

/* Repetitions inside one process are no replicates: they become one launch, their median. */
static enum hk_status fold_repetitions(struct hk_run *run, uint32_t index)
{
    enum hk_status status = HK_OK;
    size_t kept = 0;

    for (size_t i = 0, n; i < run->launch_count; i += n) {
        struct hk_launch first = run->launches[i];
        for (n = 1; i + n < run->launch_count &&
                    strcmp(first.name, run->launches[i + n].name) == 0; n++)
            ;
        const double median = median_time(&run->launches[i], n);
        for (size_t k = 1; k < n; k++)
            hk_launch_fini(&run->launches[i + k]);
        first.index = index;
        if (first.exactness == HK_TIMED && median > 0 && status == HK_OK) {
            status = hk_launch_set_state(&first, HK_LAUNCH_OK, NULL);
            if (status == HK_OK)
                status = hk_launch_add_counter(&first, "cost_ns", median);
        }
        run->launches[kept++] = first;
    }
    run->launch_count = kept;
    return status;
}

static enum hk_status take_foreign(struct hk_foreign *foreign, uint32_t index, struct hk_run *run,
                                   char error[HK_TEXT_BYTES])
{
    const enum hk_status status =
        foreign->rows_are_launches ? HK_OK : fold_repetitions(&foreign->run, index);

    if (status != HK_OK) {
        hk_foreign_fini(foreign);
        snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(status));
        return status;
    }
    *run = foreign->run; /* the rest of it owns nothing */
    return HK_OK;
}

enum hk_status hk_side_decode(const char *text, size_t bytes, uint32_t index, struct hk_run *run,
                              char error[HK_TEXT_BYTES])
{
    struct hk_foreign foreign;
    const enum hk_status status = hk_foreign_decode(text, bytes, &foreign, error);

    return status == HK_OK ? take_foreign(&foreign, index, run, error) : status;
}

static enum hk_status read_file(const char *path, uint32_t index, struct hk_run *run,
                                char error[HK_TEXT_BYTES])
{
    struct hk_foreign foreign;
    const enum hk_status status = hk_foreign_read(path, &foreign, error);

    return status == HK_OK ? take_foreign(&foreign, index, run, error) : status;
}

static int compare_launches(const void *a, const void *b)
{
    const struct hk_launch *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Moves the launches of one run to another. */
static enum hk_status take_launches(struct hk_run *into, struct hk_run *from)
{
    const size_t count = into->launch_count + from->launch_count;
    struct hk_launch *grown = realloc(into->launches, (count + 1) * sizeof *grown);

    if (grown == NULL)
        return HK_ENOMEM;
    into->launches = grown;
    memcpy(grown + into->launch_count, from->launches, from->launch_count * sizeof *grown);
    into->launch_count = count;
    from->launch_count = 0;
    qsort(grown, count, sizeof *grown, compare_launches);
    return HK_OK;
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot != NULL && strcmp(dot, ".json") == 0;
}

static enum hk_status add_file(const char *path, uint32_t index, struct hk_run *run,
                               char error[HK_TEXT_BYTES])
{
    struct hk_run one;
    enum hk_status status = read_file(path, index, index == 0 ? run : &one, error);

    if (status != HK_OK || index == 0)
        return status;
    if (hk_run_mixable(run, &one, error) != HK_OK)
        status = HK_EMACHINE;
    else if ((status = take_launches(run, &one)) != HK_OK)
        snprintf(error, HK_TEXT_BYTES, "%s", hk_status_text(status));
    hk_run_fini(&one);
    return status;
}

/* A folder of files, in the order of their names; each is a launch of the same program. */
static enum hk_status read_files(const char *folder, struct hk_run *run, char error[HK_TEXT_BYTES])
{
    struct dirent **entries;
    const int count = scandir(folder, &entries, is_json, alphasort);
    enum hk_status status = count > 0 && count <= FILES_MAX ? HK_OK : HK_ENOENT;
    char path[PATH_MAX];

    if (status != HK_OK)
        snprintf(error, HK_TEXT_BYTES, "%.300s: neither a run of hkbench (no run.json) nor a folder "
                 "of 1 to %d files *.json of Google Benchmark", folder, FILES_MAX);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (status == HK_OK)
            status = add_file(path, (uint32_t)i, run, error);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status;
}

/* --- any side ----------------------------------------------------------------------- */

static bool has_file(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat s;

    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           stat(path, &s) == 0;
}

enum hk_status hk_side_read(const char *path, struct hk_side *side, char error[HK_TEXT_BYTES])
{
    struct hk_side read = {0};
    struct stat s;
    enum hk_status status;

    if (stat(path, &s) != 0) {
        snprintf(error, HK_TEXT_BYTES, "%.300s: not found; give a run's folder or a file of Google "
                 "Benchmark", path);
        return HK_ENOENT;
    }
    if (!S_ISDIR(s.st_mode))
        status = read_file(path, 0, &read.run, error);
    else if (has_file(path, "run.json"))
        status = hk_run_read(path, &read.run, error);
    else
        status = read_files(path, &read.run, error);
    if (status == HK_OK && S_ISDIR(s.st_mode) && has_file(path, "functions.tsv"))
        status = hk_functions_read(path, &read.functions, error);
    if (status != HK_OK)
        hk_side_fini(&read);
    else
        *side = read;
    return status;
}
