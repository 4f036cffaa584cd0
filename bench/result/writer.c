/* SPDX-License-Identifier: MIT */
/* Writing a run: a folder, an append-only file of launches, and the exports at the end. */
#include "hk/result/result.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "file.h"
#include "run_json.h"

#define RUNS_PER_SECOND_MAX 99

struct hk_run_writer {
    char path[PATH_MAX];
    char started[32];
    char *machine_id;
    char *arguments;
    uint64_t seed;
    int fd;     /* launches.jsonl */
    off_t size; /* of its complete lines */
    size_t launch_count;
};

static enum hk_status join(char path[PATH_MAX], const char *folder, const char *name)
{
    int length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return length > 0 && length < PATH_MAX ? HK_OK : HK_EINVAL;
}

/* A machine id names a folder: one path element that shells and people can type. */
static bool is_folder_name(const char *id)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_.-";
    size_t length = strlen(id);
    return length > 0 && length <= 100 && id[0] != '.' && strspn(id, allowed) == length;
}

static enum hk_status read_machine_id(const char *machine_json, char **id)
{
    json_t *machine = json_loads(machine_json, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(machine, "id"));
    enum hk_status status = text && is_folder_name(text) ? HK_OK : HK_EPARSE;
    if (status == HK_OK) {
        *id = strdup(text);
        if (!*id)
            status = HK_ENOMEM;
    }
    json_decref(machine);
    return status;
}

static void format_now(char text[32], const char *format)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, 32, format, &utc);
}

/* Makes a folder that no other run has: the start time, numbered within one second. */
static enum hk_status make_run_folder(struct hk_run_writer *writer, const char *root)
{
    char machine[PATH_MAX], stamp[32];
    enum hk_status status = join(machine, root, writer->machine_id);
    if (status == HK_OK)
        status = hk_folder_make(machine);
    if (status != HK_OK)
        return status;
    format_now(writer->started, "%Y-%m-%dT%H:%M:%SZ");
    format_now(stamp, "%Y%m%dT%H%M%SZ");
    for (int i = 1; i <= RUNS_PER_SECOND_MAX; i++) {
        char name[48];
        if (i == 1)
            snprintf(name, sizeof(name), "%s", stamp);
        else
            snprintf(name, sizeof(name), "%s-%02d", stamp, i);
        status = join(writer->path, machine, name);
        if (status != HK_OK)
            return status;
        if (mkdir(writer->path, 0755) == 0)
            return HK_OK;
        if (errno != EEXIST)
            return hk_status_from_errno(errno);
    }
    return HK_EEXIST;
}

static enum hk_status write_json(const struct hk_run_writer *writer, const char *name, json_t *json)
{
    char path[PATH_MAX];
    enum hk_status status = join(path, writer->path, name);
    if (status != HK_OK)
        return status;
    char *text = json_dumps(json, JSON_INDENT(2));
    if (!text)
        return HK_ENOMEM;
    status = hk_file_write(path, text, strlen(text));
    free(text);
    return status;
}

static enum hk_status write_run_json(const struct hk_run_writer *writer, const char *state,
                                     const char *note)
{
    char seed[24], finished[32] = "";
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)writer->seed);
    if (strcmp(state, HK_RUN_RUNNING) != 0)
        format_now(finished, "%Y-%m-%dT%H:%M:%SZ");
    json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:I}", "schema",
                             HK_RESULT_SCHEMA, "machine", writer->machine_id, "state", state,
                             "arguments", writer->arguments, "seed", seed, "started",
                             writer->started, "finished", finished[0] ? finished : NULL, "note",
                             note, "launch_count", (json_int_t)writer->launch_count);
    if (!json)
        return HK_EINVAL;
    enum hk_status status = write_json(writer, HK_RUN_FILE, json);
    json_decref(json);
    return status;
}

static enum hk_status write_machine_json(const struct hk_run_writer *writer, const char *text)
{
    char path[PATH_MAX];
    enum hk_status status = join(path, writer->path, HK_RUN_MACHINE_FILE);
    return status == HK_OK ? hk_file_write(path, text, strlen(text)) : status;
}

static void writer_free(struct hk_run_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    free(writer->machine_id);
    free(writer->arguments);
    free(writer);
}

/* A run that could not even be started leaves no folder that looks like one. */
static void remove_run_folder(const struct hk_run_writer *writer)
{
    static const char *const files[] = { HK_RUN_FILE, HK_RUN_MACHINE_FILE, HK_RUN_LAUNCHES_FILE };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[PATH_MAX];
        if (join(path, writer->path, files[i]) == HK_OK)
            unlink(path);
    }
    rmdir(writer->path);
}

static enum hk_status open_files(struct hk_run_writer *writer, const char *machine_json)
{
    char path[PATH_MAX];
    enum hk_status status = join(path, writer->path, HK_RUN_LAUNCHES_FILE);
    if (status == HK_OK)
        status = write_machine_json(writer, machine_json);
    if (status != HK_OK)
        return status;
    writer->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (writer->fd < 0)
        return hk_status_from_errno(errno);
    /* Last: a folder with run.json is a run. */
    return write_run_json(writer, HK_RUN_RUNNING, NULL);
}

enum hk_status hk_run_create(const char *root, const char *machine_json, const char *arguments,
                             uint64_t seed, struct hk_run_writer **writer)
{
    struct hk_run_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return HK_ENOMEM;
    w->fd = -1;
    w->seed = seed;
    w->arguments = strdup(arguments);
    enum hk_status status = w->arguments ? HK_OK : HK_ENOMEM;
    if (status == HK_OK)
        status = read_machine_id(machine_json, &w->machine_id);
    if (status == HK_OK)
        status = make_run_folder(w, root);
    if (status != HK_OK)
        goto done;
    status = open_files(w, machine_json);
    if (status != HK_OK)
        remove_run_folder(w);
done:
    if (status != HK_OK) {
        writer_free(w);
        /* A parent that is a file, or a dangling link: nothing can be made there. */
        return status == HK_ENOENT ? HK_EPERM : status;
    }
    *writer = w;
    return HK_OK;
}

const char *hk_run_writer_path(const struct hk_run_writer *writer)
{
    return writer->path;
}

enum hk_status hk_run_append(struct hk_run_writer *writer, const struct hk_launch *launch)
{
    if (hk_name_check(launch->name) != HK_OK)
        return HK_EINVAL;
    char *text = NULL;
    enum hk_status status = hk_launch_encode(launch, &text);
    if (status != HK_OK)
        return status;
    size_t bytes = strlen(text);
    text[bytes] = '\n'; /* in place of the NUL: line and end in one write */
    status = hk_fd_write_all(writer->fd, text, bytes + 1);
    free(text);
    if (status == HK_OK) {
        writer->size += (off_t)bytes + 1;
        writer->launch_count++;
        return HK_OK;
    }
    /* Take back what was written of the line; a reader drops it if this fails too. */
    if (ftruncate(writer->fd, writer->size) == 0)
        (void)lseek(writer->fd, writer->size, SEEK_SET);
    return status;
}

static enum hk_status export_one(const struct hk_run *run, bool exact, const char *name)
{
    char path[PATH_MAX];
    char *text = NULL;
    enum hk_status status = join(path, run->path, name);
    if (status == HK_OK)
        status = hk_run_benchmark_json(run, exact, &text);
    if (status == HK_OK)
        status = hk_file_write(path, text, strlen(text));
    free(text);
    return status;
}

/* The exports are made from the file, so that they can never say more than it does. */
static enum hk_status export_all(const struct hk_run_writer *writer, bool partial)
{
    struct hk_run run;
    char error[HK_TEXT_BYTES];
    enum hk_status status = hk_run_read(writer->path, &run, error);
    if (status != HK_OK)
        return status;
    run.partial = partial; /* the file still says that it is being written */
    status = export_one(&run, false, HK_RUN_BENCHMARK_FILE);
    if (status == HK_OK)
        status = export_one(&run, true, HK_RUN_EXACT_FILE);
    hk_run_fini(&run);
    return status;
}

enum hk_status hk_run_finish(struct hk_run_writer *writer, bool partial, const char *note)
{
    enum hk_status status = HK_OK;
    if (fsync(writer->fd) != 0)
        status = hk_status_from_errno(errno);
    if (status == HK_OK)
        status = export_all(writer, partial);
    if (status == HK_OK)
        status = write_run_json(writer, partial ? HK_RUN_PARTIAL : HK_RUN_COMPLETE, note);
    writer_free(writer);
    return status;
}
