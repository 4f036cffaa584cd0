/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a history: every reader must refuse or read them. Random bytes hardly get past
 * SQLite's first look, so most inputs are changes of a sound file: records of three bytes of
 * offset and one of value.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hk/history/check.h"
#include "hk/history/export.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { JOBS = 14, SERIES = 4, RECORD_BYTES = 4 };

static char path[] = "/dev/shm/hkbench-fuzz-XXXXXX"; /* a job waits for its disk: have none */
static uint8_t *image; /* of the sound file */
static size_t image_bytes;

static void tidy(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char name[96];

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static void add_jobs(struct hk_history *history)
{
    static char *const names[SERIES] = {"a/b", "a/b", "guest/call", "guest/near"};
    static char *const metrics[SERIES] = {"time_ns", "time_ns", "instructions", "instructions"};
    static char *const bases[SERIES] = {"v1", "m, Linux 6.1", "QEMU 7.2", "QEMU 7.2"};
    static const enum hk_series_kind kinds[SERIES] = {HK_SERIES_RATIO, HK_SERIES_ABSOLUTE,
                                                      HK_SERIES_EXACT, HK_SERIES_NEAR};
    for (int j = 0; j < JOBS; j++) {
        struct hk_history_point points[SERIES];
        char commit[16];
        int64_t number;
        snprintf(commit, sizeof commit, "c%d", j);
        for (size_t s = 0; s < SERIES; s++)
            points[s] = (struct hk_history_point){
                .name = names[s], .metric = metrics[s], .kind = kinds[s], .basis = bases[s],
                .value = 98 + (j > 7 ? 11 : 0) + (kinds[s] == HK_SERIES_EXACT ? 0 : j % 3),
                .reference = kinds[s] == HK_SERIES_RATIO ? 97 : 0, .count = 3};
        const struct hk_history_job job = {commit, "2026-01-01T00:00:00Z", "m", "made"};
        const struct hk_history_points all = {.count = SERIES, .points = points};
        if (hk_history_add(history, &job, &all, &number) != HK_OK)
            abort();
    }
    if (hk_history_accept(history, 3, 9, "2026-01-01T00:00:00Z", "it is right") != HK_OK)
        abort();
}

static void read_image(void)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        abort();
    image_bytes = (size_t)ftell(file);
    image = malloc(image_bytes);
    rewind(file);
    if (image == NULL || fread(image, 1, image_bytes, file) != image_bytes)
        abort();
    fclose(file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct hk_history *history = NULL;
    char error[HK_TEXT_BYTES];
    const int fd = mkstemp(path);

    (void)argc, (void)argv;
    close(fd);
    if (fd < 0 || hk_history_open(path, true, &history, error) != HK_OK)
        abort();
    add_jobs(history);
    hk_history_close(history);
    read_image();
    return atexit(tidy);
}

static void write_file(const uint8_t *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0)
        abort();
}

static void write_changed(const uint8_t *data, size_t bytes)
{
    uint8_t *changed = malloc(image_bytes);

    if (changed == NULL)
        abort();
    memcpy(changed, image, image_bytes);
    for (; bytes >= RECORD_BYTES; bytes -= RECORD_BYTES, data += RECORD_BYTES) {
        const size_t at = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2];
        changed[at % image_bytes] = data[3];
    }
    write_file(changed, image_bytes);
    free(changed);
}

static void ignore_line(void *context, const struct hk_history_line *line)
{
    *(size_t *)context += strlen(line->what) + strlen(line->subject) + strlen(line->detail);
}

static void read_all(struct hk_history *history)
{
    struct hk_track_options options = hk_track_defaults;
    struct hk_track_check check;
    struct hk_history_list list;
    size_t length = 0;
    FILE *null = fopen("/dev/null", "w");

    options.thread_count = 1;
    if (hk_track_check(history, &options, &check) == HK_OK)
        hk_track_check_fini(&check);
    if (null != NULL && hk_history_list(history, NULL, &list) == HK_OK) {
        for (size_t i = 0; i < hk_export_format_count; i++)
            (void)hk_export_formats[i].write(history, &list, null);
        hk_history_list_fini(&list);
    }
    (void)hk_history_log(history, 100, ignore_line, &length);
    if (null != NULL)
        fclose(null);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_history *history = NULL;
    char error[HK_TEXT_BYTES];

    if (bytes == 0)
        return 0;
    tidy();
    if (data[0] & 1)
        write_file(data + 1, bytes - 1);
    else
        write_changed(data + 1, bytes - 1);
    if (hk_history_open(path, false, &history, error) == HK_OK)
        read_all(history);
    hk_history_close(history);
    return 0;
}
