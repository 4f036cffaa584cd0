/* SPDX-License-Identifier: MIT */
#include "hk/history/calibration.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "hk/stats/proportion.h"

#define SCHEMA 1
#define FILE_BYTES_MAX (1u << 20)

static const double confidence = 0.95;

static const char *const names[HK_PATH_COUNT] = {"paired", "interleaved", "history",
                                                    "apart"};

const char *hk_verdict_path_name(enum hk_verdict_path path)
{
    return names[path];
}

static bool is_sound(const struct hk_calibration_path *p)
{
    return p->trials <= UINT32_MAX && p->rejections <= p->trials && p->nominal_ratio > 0 &&
           p->nominal_ratio < 1 && isfinite(p->difference_sd_ln) && p->difference_sd_ln >= 0;
}

static enum hk_status file_name(const char *root, const char *machine, char path[PATH_MAX])
{
    const int n = snprintf(path, PATH_MAX, "%s/%s/calibration.json", root, machine);
    return n > 0 && n < PATH_MAX && !strchr(machine, '/') ? HK_OK : HK_EINVAL;
}

enum hk_status hk_calibration_write(const char *root, const struct hk_calibration *c)
{
    char path[PATH_MAX];
    json_t *paths = json_object();
    if (file_name(root, c->machine, path) != HK_OK)
        return json_decref(paths), HK_EINVAL;
    for (size_t i = 0; i < HK_PATH_COUNT; i++) {
        const struct hk_calibration_path *p = &c->paths[i];
        if (p->trials == 0)
            continue;
        if (!is_sound(p))
            return json_decref(paths), HK_EINVAL;
        json_object_set_new(paths, names[i],
                            json_pack("{s:f, s:I, s:I, s:f}", "nominal_ratio", p->nominal_ratio,
                                      "trials_count", (json_int_t)p->trials, "rejections_count",
                                      (json_int_t)p->rejections, "difference_sd_ln",
                                      p->difference_sd_ln));
    }
    json_t *file = json_pack("{s:i, s:s, s:s, s:o}", "schema", SCHEMA, "machine", c->machine,
                             "time", c->time, "paths", paths);
    char *text = json_dumps(file, JSON_INDENT(2));
    json_decref(file);
    if (!text)
        return HK_ENOMEM;
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s/%s", root, c->machine);
    enum hk_status status = hk_folder_make(folder);
    if (status == HK_OK)
        status = hk_file_write(path, text, strlen(text));
    free(text);
    return status;
}

static enum hk_status take_path(json_t *json, struct hk_calibration_path *p)
{
    struct hk_interval interval;
    const json_int_t trials = json_integer_value(json_object_get(json, "trials_count"));
    const json_int_t rejections = json_integer_value(json_object_get(json, "rejections_count"));
    if (trials <= 0 || rejections < 0)
        return HK_EPARSE;
    p->trials = (uint64_t)trials;
    p->rejections = (uint64_t)rejections;
    p->nominal_ratio = json_number_value(json_object_get(json, "nominal_ratio"));
    p->difference_sd_ln = json_number_value(json_object_get(json, "difference_sd_ln"));
    if (!is_sound(p) ||
        hk_proportion_interval(p->rejections, p->trials, confidence, &interval) != HK_OK)
        return HK_EPARSE;
    p->lower_ratio = interval.lower;
    p->upper_ratio = interval.upper;
    return HK_OK;
}

static enum hk_status take(json_t *file, const char *machine, struct hk_calibration *c)
{
    const char *of = json_string_value(json_object_get(file, "machine"));
    const char *time = json_string_value(json_object_get(file, "time"));
    json_t *schema = json_object_get(file, "schema");
    if (!json_is_integer(schema))
        return HK_EPARSE;
    if (json_integer_value(schema) != SCHEMA)
        return HK_ESCHEMA;
    if (!of || !time || strcmp(of, machine) != 0)
        return HK_EPARSE;
    snprintf(c->machine, sizeof(c->machine), "%s", of);
    snprintf(c->time, sizeof(c->time), "%s", time);
    for (size_t i = 0; i < HK_PATH_COUNT; i++) {
        json_t *path = json_object_get(json_object_get(file, "paths"), names[i]);
        if (path && take_path(path, &c->paths[i]) != HK_OK)
            return HK_EPARSE;
    }
    return HK_OK;
}

enum hk_status hk_calibration_read(const char *root, const char *machine,
                                   struct hk_calibration *calibration, char error[HK_TEXT_BYTES])
{
    char path[PATH_MAX];
    char *text = NULL;
    size_t bytes = 0;
    struct hk_calibration read = {0};
    enum hk_status status = file_name(root, machine, path);
    if (status == HK_OK)
        status = hk_file_read(path, FILE_BYTES_MAX, &text, &bytes);
    if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "%.300s: %s; measure it with: hkbench calibrate", path,
                 hk_status_text(status));
        return status;
    }
    json_t *file = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    status = take(file, machine, &read);
    json_decref(file);
    if (status == HK_OK)
        *calibration = read;
    else
        snprintf(error, HK_TEXT_BYTES, "%.300s: %s; measure again with: hkbench calibrate", path,
                 hk_status_text(status));
    return status;
}

bool hk_calibration_advisory(const struct hk_calibration *calibration, enum hk_verdict_path path,
                             char reason[HK_TEXT_BYTES])
{
    const struct hk_calibration_path *p = &calibration->paths[path];
    if (p->trials == 0 || p->lower_ratio <= p->nominal_ratio)
        return false;
    snprintf(reason, HK_TEXT_BYTES,
             "advice only: on this machine %llu of %llu comparisons of the same with the same came "
             "out different (%s, at least %.1f %%, where %.0f %% are meant to)",
             (unsigned long long)p->rejections, (unsigned long long)p->trials, names[path],
             100 * p->lower_ratio, 100 * p->nominal_ratio);
    return true;
}
