/* SPDX-License-Identifier: MIT */
/* A launch as one line of JSON, and back. */
#include "hk/result/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "hk/base/units.h"

static const char *const states[] = {
    [HK_LAUNCH_OK] = "ok",
    [HK_LAUNCH_INVALID] = "invalid",
    [HK_LAUNCH_UNAVAILABLE] = "unavailable",
    [HK_LAUNCH_FAILED] = "failed",
};

static const char *const exactnesses[] = {
    [HK_TIMED] = "timed",
    [HK_EXACT] = "exact",
    [HK_NEAR] = "near",
};

const char *hk_launch_state_name(enum hk_launch_state state)
{
    return (size_t)state < HK_ARRAY_COUNT(states) ? states[state] : "unknown";
}

/* Whole numbers stay whole in the file: shorter, and exact in every reader. */
static json_t *number(double value)
{
    const double exact_max = 9007199254740992.0; /* 2^53 */
    if (value == floor(value) && fabs(value) <= exact_max && !(value == 0 && signbit(value)))
        return json_integer((json_int_t)value);
    return json_real(value);
}

static json_t *encode_counters(const struct hk_launch *launch)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < launch->counter_count; i++) {
        const struct hk_counter *counter = &launch->counters[i];
        if (json_object_set_new(object, counter->name, number(counter->value)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *encode_values(const struct hk_series *series)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < series->count; i++) {
        if (json_array_append_new(array, number(series->values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *encode_series(const struct hk_launch *launch)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < launch->series_count; i++) {
        const struct hk_series *series = &launch->series[i];
        if (json_object_set_new(object, series->name, encode_values(series)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

enum hk_status hk_launch_encode(const struct hk_launch *launch, char **text)
{
    char seed[24];
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)launch->seed);
    /* The seed is text: JSON readers keep only 53 bits of a number. */
    json_t *object =
        json_pack("{s:s, s:I, s:s, s:s, s:s, s:s*, s:o, s:o}", "name", launch->name, "index",
                  (json_int_t)launch->index, "seed", seed, "state", states[launch->state],
                  "exactness", exactnesses[launch->exactness], "reason", launch->reason, "counters",
                  encode_counters(launch), "series", encode_series(launch));
    if (!object)
        return HK_EINVAL;
    char *encoded = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(object);
    if (!encoded)
        return HK_ENOMEM;
    *text = encoded;
    return HK_OK;
}

/* Index of word in a table of count words, or -1. */
static int word_index(const char *word, const char *const *table, size_t count)
{
    for (size_t i = 0; word && i < count; i++)
        if (strcmp(word, table[i]) == 0)
            return (int)i;
    return -1;
}

static enum hk_status decode_counters(json_t *object, struct hk_launch *launch)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        if (!json_is_number(value))
            return HK_EPARSE;
        enum hk_status status = hk_launch_add_counter(launch, key, json_number_value(value));
        if (status != HK_OK)
            return status == HK_EINVAL ? HK_EPARSE : status;
    }
    return HK_OK;
}

static enum hk_status decode_one_series(const char *name, json_t *array, struct hk_launch *launch)
{
    if (!json_is_array(array))
        return HK_EPARSE;
    size_t count = json_array_size(array);
    double *values = malloc((count + 1) * sizeof(*values));
    if (!values)
        return HK_ENOMEM;
    enum hk_status status = HK_OK;
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_array_get(array, i);
        if (!json_is_number(value)) {
            status = HK_EPARSE;
            goto done;
        }
        values[i] = json_number_value(value);
    }
    status = hk_launch_add_series(launch, name, values, count);
    if (status == HK_EINVAL || status == HK_EEXIST)
        status = HK_EPARSE;
done:
    free(values);
    return status;
}

static enum hk_status decode_series(json_t *object, struct hk_launch *launch)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        enum hk_status status = decode_one_series(key, value, launch);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static bool decode_seed(const char *text, uint64_t *seed)
{
    size_t length = strlen(text);
    if (length == 0 || length > 20 || strspn(text, "0123456789") != length)
        return false;
    *seed = strtoull(text, NULL, 10);
    return true;
}

/* Fills the launch from a parsed object; *what names the first field that is wrong. */
static enum hk_status decode_object(json_t *object, struct hk_launch *launch, const char **what)
{
    const char *name = NULL, *seed = NULL, *state = NULL, *exactness = NULL, *reason = NULL;
    json_int_t index = 0;
    json_t *counters = NULL, *series = NULL;
    json_error_t json_error;
    *what = "a field is missing or of the wrong type";
    if (json_unpack_ex(object, &json_error, 0, "{s:s, s:I, s:s, s:s, s:s, s?:s, s:o, s:o}", "name",
                       &name, "index", &index, "seed", &seed, "state", &state, "exactness",
                       &exactness, "reason", &reason, "counters", &counters, "series", &series) != 0)
        return HK_EPARSE;

    int state_index = word_index(state, states, HK_ARRAY_COUNT(states));
    int exactness_index = word_index(exactness, exactnesses, HK_ARRAY_COUNT(exactnesses));
    uint64_t seed_value = 0;
    *what = "name, index, seed, state or exactness has no legal value";
    if (hk_name_check(name) != HK_OK || index < 0 || index > UINT32_MAX || state_index < 0 ||
        exactness_index < 0 || !decode_seed(seed, &seed_value) || !json_is_object(counters) ||
        !json_is_object(series))
        return HK_EPARSE;
    *what = "a launch that is not ok has no reason";
    if (state_index != HK_LAUNCH_OK && reason == NULL)
        return HK_EPARSE;

    enum hk_status status = hk_launch_init(launch, name, (uint32_t)index, seed_value);
    if (status != HK_OK)
        return status;
    launch->exactness = (enum hk_exactness)exactness_index;
    *what = "a counter or a series is no list of finite numbers";
    status = hk_launch_set_state(launch, (enum hk_launch_state)state_index, reason);
    if (status == HK_OK)
        status = decode_counters(counters, launch);
    if (status == HK_OK)
        status = decode_series(series, launch);
    return status;
}

enum hk_status hk_launch_decode(const char *text, size_t bytes, struct hk_launch *launch,
                                char error[HK_TEXT_BYTES])
{
    json_error_t json_error;
    json_t *object = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &json_error);
    if (!object) {
        snprintf(error, HK_TEXT_BYTES, "no JSON at character %d: %s", json_error.position,
                 json_error.text);
        return HK_EPARSE;
    }
    struct hk_launch decoded = { 0 };
    const char *what = "";
    enum hk_status status = decode_object(object, &decoded, &what);
    json_decref(object);
    if (status != HK_OK) {
        snprintf(error, HK_TEXT_BYTES, "%s", status == HK_ENOMEM ? "out of memory" : what);
        hk_launch_fini(&decoded);
        return status;
    }
    *launch = decoded;
    return HK_OK;
}
