/* SPDX-License-Identifier: MIT */
/* A launch in memory: names, counters and series owned by the launch. */
#include "hk/result/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"

enum hk_status hk_launch_init(struct hk_launch *launch, const char *name, uint32_t index,
                              uint64_t seed)
{
    char *copy = strdup(name);
    if (!copy)
        return HK_ENOMEM;
    *launch = (struct hk_launch){ .name = copy, .index = index, .seed = seed };
    return HK_OK;
}

enum hk_status hk_launch_set_state(struct hk_launch *launch, enum hk_launch_state state,
                                   const char *reason)
{
    char *copy = NULL;
    if (reason) {
        copy = strdup(reason);
        if (!copy)
            return HK_ENOMEM;
    }
    free(launch->reason);
    launch->reason = copy;
    launch->state = state;
    return HK_OK;
}

enum hk_status hk_launch_add_counter(struct hk_launch *launch, const char *name, double value)
{
    if (!name || !name[0] || !isfinite(value))
        return HK_EINVAL;
    for (size_t i = 0; i < launch->counter_count; i++) {
        if (strcmp(launch->counters[i].name, name) == 0) {
            launch->counters[i].value = value;
            return HK_OK;
        }
    }
    struct hk_counter *grown =
        realloc(launch->counters, (launch->counter_count + 1) * sizeof(*grown));
    if (!grown)
        return HK_ENOMEM;
    launch->counters = grown;
    char *copy = strdup(name);
    if (!copy)
        return HK_ENOMEM;
    grown[launch->counter_count++] = (struct hk_counter){ copy, value };
    return HK_OK;
}

enum hk_status hk_launch_add_series(struct hk_launch *launch, const char *name,
                                    const double *values, size_t count)
{
    if (!name || !name[0] || (count > 0 && !values))
        return HK_EINVAL;
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return HK_EINVAL;
    if (hk_launch_series(launch, name))
        return HK_EEXIST;

    struct hk_series *grown = realloc(launch->series, (launch->series_count + 1) * sizeof(*grown));
    if (!grown)
        return HK_ENOMEM;
    launch->series = grown;
    char *name_copy = strdup(name);
    double *copy = malloc(count ? count * sizeof(*copy) : sizeof(*copy));
    if (!name_copy || !copy) {
        free(name_copy);
        free(copy);
        return HK_ENOMEM;
    }
    if (count)
        memcpy(copy, values, count * sizeof(*copy));
    grown[launch->series_count++] = (struct hk_series){ name_copy, count, copy };
    return HK_OK;
}

const struct hk_series *hk_launch_series(const struct hk_launch *launch, const char *name)
{
    for (size_t i = 0; i < launch->series_count; i++)
        if (strcmp(launch->series[i].name, name) == 0)
            return &launch->series[i];
    return NULL;
}

bool hk_launch_counter(const struct hk_launch *launch, const char *name, double *value)
{
    for (size_t i = 0; i < launch->counter_count; i++) {
        if (strcmp(launch->counters[i].name, name) == 0) {
            *value = launch->counters[i].value;
            return true;
        }
    }
    return false;
}

/* Where a launch's time comes from: the first that it has. */
static const char *const time_counters[] = { "cost_ns", "median_ns", "mean_ns" };

bool hk_launch_time_ns(const struct hk_launch *launch, double *value)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(time_counters); i++)
        if (hk_launch_counter(launch, time_counters[i], value))
            return true;
    return false;
}

static bool marked(const struct hk_launch *launch, const char *counter)
{
    double mark = 0;

    return hk_launch_counter(launch, counter, &mark) && mark > 0;
}

bool hk_launch_disturbed(const struct hk_launch *launch)
{
    return marked(launch, "hk_disturbed");
}

bool hk_launch_slow(const struct hk_launch *launch)
{
    return marked(launch, "hk_slow");
}

bool hk_launch_instructions(const struct hk_launch *launch, double *value)
{
    if (hk_launch_counter(launch, "hk_instructions", value))
        return true;
    double kernel = 0, user = 0;
    const bool has_kernel = hk_launch_counter(launch, "hk_instructions_kernel", &kernel);
    const bool has_user = hk_launch_counter(launch, "hk_instructions_user", &user);
    if (!has_kernel && !has_user)
        return false;
    *value = kernel + user;
    return true;
}

void hk_launch_fini(struct hk_launch *launch)
{
    for (size_t i = 0; i < launch->counter_count; i++)
        free(launch->counters[i].name);
    for (size_t i = 0; i < launch->series_count; i++) {
        free(launch->series[i].name);
        free(launch->series[i].values);
    }
    free(launch->counters);
    free(launch->series);
    free(launch->name);
    free(launch->reason);
    *launch = (struct hk_launch){ 0 };
}
