/* SPDX-License-Identifier: MIT */
#include "place_services.h"

#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/guest/mix.h"

#define VALUE_MAX 1e9

static const char *const weights[HK_ATTRIBUTES] = {"isolation", "performance", "effort"};

enum { BENEFIT = 1, EFFORT = 2, HYBRID = 4, ALL_KEYS = 7 };

struct reading {
    struct hk_place_services s;
    unsigned keys_seen[HK_SERVICES];
    unsigned weights_seen;
    char cause[160]; /* of the first bad line */
};

static const char *name_of(size_t service)
{
    return hk_mix_service_name((enum hk_service_number)service);
}

static int refuse(struct reading *r, const char *section, const char *name, const char *cause)
{
    if (r->cause[0] == '\0')
        snprintf(r->cause, sizeof r->cause, "[%.30s] %.30s: %s", section, name, cause);
    return 0;
}

static bool number_read(const char *text, double *number)
{
    char *end = NULL;
    const double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= 0 && value <= VALUE_MAX))
        return false;
    *number = value;
    return true;
}

static int on_weight(struct reading *r, const char *name, const char *value)
{
    for (unsigned i = 0; i < HK_ATTRIBUTES; i++) {
        if (strcmp(name, weights[i]) != 0)
            continue;
        if ((r->weights_seen & 1u << i) != 0)
            return refuse(r, "weights", name, "stands here twice");
        if (!number_read(value, &r->s.weights[i]))
            return refuse(r, "weights", name, "a number of 0 to 1e9");
        r->weights_seen |= 1u << i;
        return 1;
    }
    return refuse(r, "weights", name, "no such key: isolation, performance or effort");
}

static int on_service(struct reading *r, size_t i, const char *name, const char *value)
{
    const unsigned key = strcmp(name, "benefit_points") == 0 ? BENEFIT
                         : strcmp(name, "effort_days") == 0  ? EFFORT
                         : strcmp(name, "hybrid") == 0       ? HYBRID
                                                             : 0;
    if (key == 0)
        return refuse(r, name_of(i), name, "no such key: benefit_points, effort_days or hybrid");
    if ((r->keys_seen[i] & key) != 0)
        return refuse(r, name_of(i), name, "stands here twice");
    r->keys_seen[i] |= key;
    if (key == HYBRID) {
        if (strcmp(value, "kernel") != 0 && strcmp(value, "server") != 0)
            return refuse(r, name_of(i), name, "kernel or server");
        r->s.hybrid |= strcmp(value, "server") == 0 ? 1u << i : 0;
        return 1;
    }
    if (!number_read(value, key == BENEFIT ? &r->s.benefit_points[i] : &r->s.effort_days[i]))
        return refuse(r, name_of(i), name, "a number of 0 to 1e9");
    return 1;
}

/* inih's handler: 0 marks the line as bad; only the first bad line's cause is kept. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;

    if (strcmp(section, "weights") == 0)
        return on_weight(r, name, value);
    for (size_t i = 0; i < HK_SERVICES; i++)
        if (strcmp(section, name_of(i)) == 0)
            return on_service(r, i, name, value);
    return refuse(r, section, name, "no such section: weights or the name of a service");
}

/* Nothing has a default: what people think must have been said. */
static enum hk_status check(struct reading *r, const char *name, char error[256])
{
    double sum = 0;

    for (size_t i = 0; i < HK_SERVICES; i++) {
        if (r->keys_seen[i] != ALL_KEYS) {
            snprintf(error, 256, "%.150s: [%s] takes benefit_points, effort_days and hybrid", name,
                     name_of(i));
            return HK_EPARSE;
        }
        r->s.benefit_points_sum += r->s.benefit_points[i];
        r->s.effort_days_sum += r->s.effort_days[i];
    }
    for (size_t k = 0; k < HK_ATTRIBUTES; k++)
        sum += r->s.weights[k];
    if (r->weights_seen != 7 || !(sum > 0)) {
        snprintf(error, 256, "%.150s: [weights] takes isolation, performance and effort, not all 0",
                 name);
        return HK_EPARSE;
    }
    if (!(r->s.benefit_points_sum > 0) || !(r->s.effort_days_sum > 0)) {
        snprintf(error, 256, "%.150s: all benefit_points or all effort_days are 0", name);
        return HK_EPARSE;
    }
    for (size_t k = 0; k < HK_ATTRIBUTES; k++)
        r->s.weights[k] /= sum;
    return HK_OK;
}

static enum hk_status finish(struct reading *r, int line, const char *name,
                             struct hk_place_services *services, char error[256])
{
    if (line > 0) {
        snprintf(error, 256, "%.60s:%d: %.170s", name, line,
                 r->cause[0] != '\0' ? r->cause : "neither [section] nor key = value");
        return HK_EPARSE;
    }
    const enum hk_status status = check(r, name, error);
    if (status == HK_OK)
        *services = r->s;
    return status;
}

enum hk_status hk_place_services_read(const char *path, struct hk_place_services *services,
                                      char error[256])
{
    struct reading r = {0};
    const int line = ini_parse(path, on_key, &r);

    if (line < 0) {
        snprintf(error, 256, "%.150s: cannot be opened: %s", path, strerror(errno));
        return HK_ENOENT;
    }
    return finish(&r, line, path, services, error);
}

enum hk_status hk_place_services_parse(const char *text, const char *name,
                                       struct hk_place_services *services, char error[256])
{
    struct reading r = {0};

    return finish(&r, ini_parse_string(text, on_key, &r), name, services, error);
}
