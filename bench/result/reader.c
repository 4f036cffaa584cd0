/* SPDX-License-Identifier: MIT */
/* Reading a run back; finding runs. */
#include "hk/result/result.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "run_json.h"

#define JSON_FILE_BYTES_MAX (16u << 20)
#define LAUNCHES_BYTES_MAX (4ull << 30)

__attribute__((format(printf, 3, 4))) static enum hk_status
fail(char error[HK_TEXT_BYTES], enum hk_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, HK_TEXT_BYTES, format, arguments);
    va_end(arguments);
    return status;
}

static enum hk_status read_file(const char *folder, const char *name, size_t bytes_max, char **text,
                                size_t *bytes, char error[HK_TEXT_BYTES])
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof(path))
        return fail(error, HK_ENOENT, "%.100s...: the path is too long", folder);
    enum hk_status status = hk_file_read(path, bytes_max, text, bytes);
    if (status == HK_ENOENT)
        return fail(error, status, "%.300s: not found; give a run directory as 'hkbench run' names it",
                    path);
    if (status != HK_OK)
        return fail(error, status, "%.300s: %s", path, hk_status_text(status));
    return HK_OK;
}

static enum hk_status read_json(const char *folder, const char *name, char **text, json_t **json,
                                char error[HK_TEXT_BYTES])
{
    size_t bytes = 0;
    enum hk_status status = read_file(folder, name, JSON_FILE_BYTES_MAX, text, &bytes, error);
    if (status != HK_OK)
        return status;
    json_error_t json_error;
    *json = json_loadb(*text, bytes, JSON_REJECT_DUPLICATES, &json_error);
    if (*json && json_is_object(*json))
        return HK_OK;
    json_decref(*json);
    *json = NULL;
    free(*text);
    *text = NULL;
    return fail(error, HK_EPARSE, "%.200s/%s:%d: no JSON object: %.100s; restore the file or measure again",
                folder, name, json_error.line, json_error.text);
}

/* Copies a text field; an absent one becomes "" unless it is required. */
static bool copy_text(json_t *object, const char *key, bool required, char **out)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text && required)
        return false;
    *out = strdup(text ? text : "");
    return *out != NULL;
}

static enum hk_status take_run_json(json_t *json, struct hk_run *run, char error[HK_TEXT_BYTES])
{
    json_t *schema = json_object_get(json, "schema");
    if (!json_is_integer(schema))
        return fail(error, HK_EPARSE, "%.300s/%s: no schema number", run->path, HK_RUN_FILE);
    if (json_integer_value(schema) != HK_RESULT_SCHEMA)
        return fail(error, HK_ESCHEMA,
                    "%.300s: written with schema %lld, this hkbench reads schema %d; measure again "
                    "or use the hkbench that wrote it",
                    run->path, (long long)json_integer_value(schema), HK_RESULT_SCHEMA);
    const char *state = json_string_value(json_object_get(json, "state"));
    const char *seed = json_string_value(json_object_get(json, "seed"));
    if (!state || !seed || !copy_text(json, "machine", true, &run->machine_id) ||
        !copy_text(json, "arguments", true, &run->arguments) ||
        !copy_text(json, "started", true, &run->started) ||
        !copy_text(json, "note", false, &run->note))
        return fail(error, HK_EPARSE, "%.300s/%s: a field is missing", run->path, HK_RUN_FILE);
    run->seed = strtoull(seed, NULL, 10);
    run->partial = strcmp(state, HK_RUN_COMPLETE) != 0;
    if (strcmp(state, HK_RUN_RUNNING) != 0)
        return HK_OK;
    free(run->note);
    run->note = strdup("the run was killed or is still going on");
    return run->note ? HK_OK : HK_ENOMEM;
}

static enum hk_status take_machine_json(struct hk_run *run, char error[HK_TEXT_BYTES])
{
    json_t *json = NULL;
    enum hk_status status =
        read_json(run->path, HK_RUN_MACHINE_FILE, &run->machine_json, &json, error);
    if (status != HK_OK)
        return status;
    const char *id = json_string_value(json_object_get(json, "id"));
    if (!id || strcmp(id, run->machine_id) != 0)
        status = fail(error, HK_EMACHINE,
                      "%.200s: run.json is of machine '%.60s', machine.json of '%.60s'; files of two "
                      "runs were mixed",
                      run->path, run->machine_id, id ? id : "none");
    json_decref(json);
    return status;
}

static enum hk_status add_launch(struct hk_run *run, size_t *capacity, struct hk_launch *launch)
{
    if (run->launch_count == *capacity) {
        size_t grown_capacity = *capacity ? *capacity * 2 : 64;
        struct hk_launch *grown = realloc(run->launches, grown_capacity * sizeof(*grown));
        if (!grown)
            return HK_ENOMEM;
        run->launches = grown;
        *capacity = grown_capacity;
    }
    run->launches[run->launch_count++] = *launch;
    return HK_OK;
}

static enum hk_status take_lines(struct hk_run *run, const char *text, size_t bytes,
                                 char error[HK_TEXT_BYTES])
{
    size_t capacity = 0, line = 0;
    const char *cursor = text, *end = text + bytes;
    while (cursor < end) {
        const char *newline = memchr(cursor, '\n', (size_t)(end - cursor));
        if (!newline) {
            run->partial = true; /* torn: its writer was killed while writing it */
            return HK_OK;
        }
        line++;
        char cause[HK_TEXT_BYTES];
        struct hk_launch launch;
        enum hk_status status = hk_launch_decode(cursor, (size_t)(newline - cursor), &launch, cause);
        if (status != HK_OK)
            return fail(error, status,
                        "%.200s/%s:%zu: %.150s; remove the line or measure again", run->path,
                        HK_RUN_LAUNCHES_FILE, line, cause);
        status = add_launch(run, &capacity, &launch);
        if (status != HK_OK) {
            hk_launch_fini(&launch);
            return fail(error, status, "%.300s: %s", run->path, hk_status_text(status));
        }
        cursor = newline + 1;
    }
    return HK_OK;
}

static int compare_launches(const void *a, const void *b)
{
    const struct hk_launch *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* All but the launches. */
static enum hk_status read_head(struct hk_run *run, char error[HK_TEXT_BYTES])
{
    char *text = NULL;
    json_t *json = NULL;
    enum hk_status status = read_json(run->path, HK_RUN_FILE, &text, &json, error);
    if (status != HK_OK)
        return status;
    free(text);
    status = take_run_json(json, run, error);
    json_decref(json);
    return status == HK_OK ? take_machine_json(run, error) : status;
}

static enum hk_status read_into(struct hk_run *run, char error[HK_TEXT_BYTES])
{
    char *text = NULL;
    size_t bytes = 0;
    enum hk_status status = read_head(run, error);
    if (status == HK_OK)
        status = read_file(run->path, HK_RUN_LAUNCHES_FILE, LAUNCHES_BYTES_MAX, &text, &bytes, error);
    if (status == HK_OK)
        status = take_lines(run, text, bytes, error);
    free(text);
    if (status == HK_OK && run->launch_count > 1)
        qsort(run->launches, run->launch_count, sizeof(run->launches[0]), compare_launches);
    return status;
}

enum hk_status hk_run_read(const char *path, struct hk_run *run, char error[HK_TEXT_BYTES])
{
    struct hk_run read = { .path = strdup(path) };
    if (!read.path)
        return fail(error, HK_ENOMEM, "out of memory");
    enum hk_status status = read_into(&read, error);
    if (status != HK_OK) {
        hk_run_fini(&read);
        return status;
    }
    *run = read;
    return HK_OK;
}

void hk_run_fini(struct hk_run *run)
{
    for (size_t i = 0; i < run->launch_count; i++)
        hk_launch_fini(&run->launches[i]);
    free(run->launches);
    free(run->path);
    free(run->machine_id);
    free(run->machine_json);
    free(run->arguments);
    free(run->started);
    free(run->note);
    *run = (struct hk_run){ 0 };
}

/* Where a run is. Names begin with its time, so the greatest is the newest; "" is before all. */
struct run_place {
    char name[NAME_MAX + 1];
    char machine[NAME_MAX + 1];
};

/* Runs of two machines may have one name. */
static int compare_places(const struct run_place *a, const struct run_place *b)
{
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->machine, b->machine);
}

/* Keeps in latest the newest run of a machine, of those older than `before` unless that is NULL. */
static void scan_machine(const char *root, const char *machine, const struct run_place *before,
                         struct run_place *latest)
{
    struct run_place here;
    char path[PATH_MAX], file[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", root, machine) >= (int)sizeof(path))
        return;
    DIR *folder = opendir(path);
    if (!folder)
        return;
    struct dirent *entry;
    snprintf(here.machine, sizeof(here.machine), "%s", machine);
    while ((entry = readdir(folder))) {
        snprintf(here.name, sizeof(here.name), "%s", entry->d_name);
        if (here.name[0] == '.' || compare_places(&here, latest) <= 0 ||
            (before && compare_places(&here, before) >= 0) ||
            snprintf(file, sizeof(file), "%s/%s/" HK_RUN_FILE, path, here.name) >=
                (int)sizeof(file) ||
            access(file, F_OK) != 0)
            continue;
        *latest = here;
    }
    closedir(folder);
}

static void scan_root(const char *root, const struct run_place *before, struct run_place *latest)
{
    DIR *folder = opendir(root);
    if (!folder)
        return;
    struct dirent *entry;
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            scan_machine(root, entry->d_name, before, latest);
    closedir(folder);
}

static enum hk_status place_path(const char *root, const struct run_place *place, char *path,
                                 size_t capacity)
{
    int length = snprintf(path, capacity, "%s/%s/%s", root, place->machine, place->name);
    return length > 0 && (size_t)length < capacity ? HK_OK : HK_ETOOBIG;
}

/* Keeps in latest the newest run of a machine, of any if machine is NULL; false when none. */
static bool scan(const char *root, const char *machine, const struct run_place *before,
                 struct run_place *latest)
{
    if (machine)
        scan_machine(root, machine, before, latest);
    else
        scan_root(root, before, latest);
    return latest->name[0];
}

enum hk_status hk_run_latest(const char *root, const char *machine_id, char *path, size_t capacity)
{
    struct run_place latest = { 0 };
    return scan(root, machine_id, NULL, &latest) ? place_path(root, &latest, path, capacity)
                                                 : HK_ENOENT;
}

/* Whether a line is a launch of a cell, or with a '*' of one that begins so. */
static bool is_of(const char *line, size_t bytes, const char *cell, bool ok)
{
    size_t fixed = strcspn(cell, "*");
    char error[HK_TEXT_BYTES];
    struct hk_launch launch;
    if (hk_launch_decode(line, bytes, &launch, error) != HK_OK)
        return false;
    bool is = (!ok || launch.state == HK_LAUNCH_OK) && strncmp(launch.name, cell, fixed) == 0 &&
              (cell[fixed] == '*' || launch.name[fixed] == '\0');
    hk_launch_fini(&launch);
    return is;
}

/* Looks for the name as it is written, and decodes those lines alone: all take seconds. */
static bool names(const char *text, size_t bytes, const char *cell, bool ok)
{
    char quoted[HK_NAME_BYTES + 2];
    size_t fixed = strcspn(cell, "*");
    int length = snprintf(quoted, sizeof(quoted), "\"%.*s%s", (int)fixed, cell,
                          cell[fixed] == '*' ? "" : "\"");
    const char *line = text, *end = text + bytes, *hit;
    if (length >= (int)sizeof(quoted))
        return false; /* no cell's name is so long */
    while ((hit = memmem(line, (size_t)(end - line), quoted, (size_t)length))) {
        const char *before = memrchr(line, '\n', (size_t)(hit - line));
        const char *newline = memchr(hit, '\n', (size_t)(end - hit));
        line = before ? before + 1 : line;
        if (!newline)
            return false; /* torn */
        if (is_of(line, (size_t)(newline - line), cell, ok))
            return true;
        line = newline + 1;
    }
    return false;
}

static bool has_one(const char *run_path, const struct hk_run_wanted *wanted)
{
    char error[HK_TEXT_BYTES];
    char *text = NULL;
    size_t bytes = 0;
    bool found = false;
    struct hk_run run = { .path = strdup(run_path) };
    if (run.path && read_head(&run, error) == HK_OK &&
        read_file(run_path, HK_RUN_LAUNCHES_FILE, LAUNCHES_BYTES_MAX, &text, &bytes, error) == HK_OK)
        for (size_t i = 0; i < wanted->cell_count && !found; i++)
            found = names(text, bytes, wanted->cells[i], wanted->ok);
    hk_run_fini(&run);
    free(text);
    return found;
}

enum hk_status hk_run_latest_with(const char *root, const struct hk_run_wanted *wanted, char *path,
                                  size_t capacity)
{
    struct run_place before = { 0 };
    char found[PATH_MAX];
    for (;;) {
        struct run_place latest = { 0 };
        if (!scan(root, wanted->machine_id, before.name[0] ? &before : NULL, &latest))
            return HK_ENOENT;
        if (place_path(root, &latest, found, sizeof(found)) == HK_OK &&
            has_one(found, wanted))
            return place_path(root, &latest, path, capacity);
        before = latest;
    }
}

enum hk_status hk_run_cell(const struct hk_run *run, const char *name,
                           const struct hk_launch **first, size_t *count)
{
    size_t low = 0, high = run->launch_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(run->launches[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < run->launch_count && strcmp(run->launches[end].name, name) == 0)
        end++;
    if (end == low)
        return HK_ENOENT;
    *first = &run->launches[low];
    *count = end - low;
    return HK_OK;
}

/* What must be equal beside the machine's id for two costs to be comparable. */
static const char *const mixable_keys[] = { "kernel", "microcode", "mitigations", "preemption",
                                            "clocksource", "cpu_affinity_count" };

enum hk_status hk_run_mixable(const struct hk_run *a, const struct hk_run *b,
                              char error[HK_TEXT_BYTES])
{
    if (strcmp(a->machine_id, b->machine_id) != 0)
        return fail(error, HK_EMACHINE, "%.150s is of machine %.60s, %.150s of %.60s: their times "
                    "do not compare; compare counts, or measure both on one machine",
                    a->path, a->machine_id, b->path, b->machine_id);
    enum hk_status status = HK_OK;
    json_t *left = json_loads(a->machine_json, 0, NULL);
    json_t *right = json_loads(b->machine_json, 0, NULL);
    for (size_t i = 0; i < sizeof(mixable_keys) / sizeof(mixable_keys[0]); i++) {
        json_t *x = json_object_get(left, mixable_keys[i]);
        json_t *y = json_object_get(right, mixable_keys[i]);
        if ((!x && !y) || json_equal(x, y))
            continue;
        status = fail(error, HK_EMACHINE,
                      "%.150s and %.150s differ in '%s' of the machine record: their times do not "
                      "compare; measure both again",
                      a->path, b->path, mixable_keys[i]);
        break;
    }
    json_decref(left);
    json_decref(right);
    return status;
}
