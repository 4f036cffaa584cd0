/* SPDX-License-Identifier: MIT */
/*
 * Any bytes in any file of a run folder. The first byte says which file they are; the others
 * are in order. What is read must be whole: sorted, with a reason wherever a launch is not OK.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hk/result/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const struct {
    const char *name;
    const char *text; /* in order */
} files[] = {
    {"run.json", "{\"schema\":1,\"machine\":\"m\",\"state\":\"complete\",\"arguments\":\"\","
                 "\"seed\":\"1\",\"started\":\"20260101T000000Z\",\"launch_count\":1}"},
    {"machine.json", "{\"id\":\"m\"}"},
    {"launches.jsonl", "{\"name\":\"native/a/b\",\"index\":0,\"seed\":\"1\",\"state\":\"ok\","
                       "\"exactness\":\"timed\",\"counters\":{},\"series\":{}}\n"},
};
enum { FILE_COUNT = sizeof files / sizeof files[0] };

static char folder[] = "/tmp/hk-fuzz-run-XXXXXX";

static void write_file(size_t i, const void *text, size_t bytes)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
    FILE *f = fopen(path, "w");
    if (f == NULL || fwrite(text, 1, bytes, f) != bytes || fclose(f) != 0)
        abort();
}

static void remove_folder(void)
{
    char path[64];

    for (size_t i = 0; i < FILE_COUNT; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        unlink(path);
    }
    rmdir(folder);
}

static void make_folder(void)
{
    if (mkdtemp(folder) == NULL)
        abort();
    atexit(remove_folder);
    for (size_t i = 0; i < FILE_COUNT; i++)
        write_file(i, files[i].text, strlen(files[i].text));
}

static void check(const struct hk_run *run)
{
    for (size_t i = 0; i < run->launch_count; i++) {
        if (i > 0 && strcmp(run->launches[i - 1].name, run->launches[i].name) > 0)
            abort();
        if (run->launches[i].state != HK_LAUNCH_OK && run->launches[i].reason == NULL)
            abort();
    }
    if (run->machine_id == NULL || run->started == NULL || run->arguments == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static bool made;
    struct hk_run run;
    char error[HK_TEXT_BYTES] = "";

    if (!made)
        make_folder();
    made = true;
    if (bytes == 0)
        return 0;
    const size_t i = data[0] % FILE_COUNT;
    write_file(i, data + 1, bytes - 1);
    const enum hk_status status = hk_run_read(folder, &run, error);
    if (status == HK_OK) {
        check(&run);
        hk_run_fini(&run);
    } else if (error[0] == '\0') {
        abort(); /* refused without a word */
    }
    write_file(i, files[i].text, strlen(files[i].text));
    return 0;
}
