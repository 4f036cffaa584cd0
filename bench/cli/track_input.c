/* SPDX-License-Identifier: MIT */
#include "track_input.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "hk/result/foreign.h"

enum { FILES_MAX = 1000, INDEX_STRIDE = 1 << 16 };

static enum hk_status read_file(const char *path, struct hk_run *run, char error[HK_TEXT_BYTES])
{
    struct hk_foreign foreign;
    const enum hk_status status = hk_foreign_read(path, &foreign, error);
    if (status == HK_OK)
        *run = foreign.run;
    return status;
}

static int is_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && (strcmp(dot, ".json") == 0 || strcmp(dot, ".csv") == 0);
}

static int by_name(const void *a, const void *b)
{
    const struct hk_launch *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Move the launches of one start behind those of the others. */
static enum hk_status append(struct hk_run *all, struct hk_run *one, uint32_t start,
                             char error[HK_TEXT_BYTES])
{
    if (strcmp(all->machine_id, one->machine_id) != 0) {
        snprintf(error, HK_TEXT_BYTES, "%.200s: is of machine %.60s, the files before of %.60s",
                 one->path, one->machine_id, all->machine_id);
        return HK_EMACHINE;
    }
    struct hk_launch *grown = realloc(
        all->launches, (all->launch_count + one->launch_count) * sizeof *all->launches);
    if (grown == NULL)
        return HK_ENOMEM;
    all->launches = grown;
    for (size_t i = 0; i < one->launch_count; i++) {
        one->launches[i].index += start * INDEX_STRIDE;
        all->launches[all->launch_count++] = one->launches[i];
    }
    one->launch_count = 0;
    return HK_OK;
}

static enum hk_status read_all(const char *folder, struct dirent **entries, size_t count,
                               struct hk_run *run, char error[HK_TEXT_BYTES])
{
    enum hk_status status = HK_OK;
    for (size_t i = 0; i < count && status == HK_OK; i++) {
        char path[PATH_MAX];
        struct hk_run one = {0};
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (i == 0) {
            status = read_file(path, run, error);
            continue;
        }
        status = read_file(path, &one, error);
        if (status == HK_OK)
            status = append(run, &one, (uint32_t)i, error);
        hk_run_fini(&one);
    }
    if (status == HK_OK)
        qsort(run->launches, run->launch_count, sizeof *run->launches, by_name);
    return status;
}

static enum hk_status read_starts(const char *folder, struct hk_run *run,
                                  char error[HK_TEXT_BYTES])
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_file, alphasort);
    struct hk_run made = {0};
    enum hk_status status = HK_OK;
    if (count <= 0 || count > FILES_MAX) {
        snprintf(error, HK_TEXT_BYTES, "%.200s: no run folder, and none with 1 to %d files of "
                 "Google Benchmark: not found", folder, FILES_MAX);
        status = HK_ENOENT;
    } else {
        status = read_all(folder, entries, (size_t)count, &made, error);
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (status == HK_OK)
        *run = made;
    else
        hk_run_fini(&made);
    return status;
}

enum hk_status hk_track_input(const char *command, const char *path, struct hk_run *run)
{
    char file[PATH_MAX], error[HK_TEXT_BYTES] = "out of memory";
    struct stat info;
    enum hk_status status;

    snprintf(file, sizeof file, "%s/run.json", path);
    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode))
        status = read_file(path, run, error);
    else if (access(file, F_OK) == 0)
        status = hk_run_read(path, run, error);
    else
        status = read_starts(path, run, error);
    if (status != HK_OK)
        hk_cli_error(command, "%s", error);
    return status;
}
