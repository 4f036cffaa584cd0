/* SPDX-License-Identifier: MIT */
#include "hk/guest/mix.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"

#define AUDIO_BUFFERS 2

/* A key: where its value goes, in which unit, and what it may be. */
struct key {
    const char *name;
    size_t offset;
    uint64_t unit; /* the file's number times this is the mix's */
    uint64_t min, max;
};

static const struct key workload_keys[] = {
#define FIELD(f) offsetof(struct hk_mix, f)
    {"seed", FIELD(seed), 1, 0, UINT64_MAX},
    {"requests", FIELD(requests), 1, 1, HK_MIX_REQUESTS_MAX},
    {"think_instructions", FIELD(think_instructions), 1, 0, HK_MIX_THINK_MAX},
    {"rate_per_s", FIELD(rate_per_s), 1, 1, HK_MIX_RATE_MAX},
};

static const struct key audio_keys[] = {
    {"period_us", FIELD(audio_period_ns), HK_NS_PER_US, HK_MIX_PERIOD_NS_MIN,
     HK_MIX_PERIOD_NS_MAX},
    {"buffers", FIELD(audio_buffers), 1, 2, HK_MIX_AUDIO_BUFFERS_MAX},
#undef FIELD
};

static const struct key action_keys[] = {
#define FIELD(f) offsetof(struct hk_mix_entry, f)
    {"weight", FIELD(weight), 1, 1, HK_MIX_WEIGHT_MAX},
    {"period_us", FIELD(period_ns), HK_NS_PER_US, HK_MIX_PERIOD_NS_MIN, HK_MIX_PERIOD_NS_MAX},
    {"count", FIELD(count), 1, 1, HK_MIX_COUNT_MAX},
    {"bytes_min", FIELD(bytes_min), 1, 0, HK_MIX_BYTES_MAX},
    {"bytes_max", FIELD(bytes_max), 1, 0, HK_MIX_BYTES_MAX},
    {"unaligned_percent", FIELD(unaligned_percent), 1, 0, 100},
#undef FIELD
};

static const struct {
    const char *section;
    enum hk_service_number service;
} actions[HK_MIX_ACTIONS] = {
#define X(service, action, section) [HK_MIX_##action] = {section, HK_SERVICE_##service},
    HK_MIX_ACTION_LIST(X)
#undef X
};

static const char *const services[HK_SERVICES] = {
#define X(number, name) [HK_SERVICE_##number] = #name,
    HK_SERVICE_LIST(X)
#undef X
};

const char *hk_mix_service_name(enum hk_service_number service)
{
    return services[service];
}

const char *hk_mix_action_name(enum hk_mix_action action)
{
    return actions[action].section;
}

enum hk_service_number hk_mix_action_service(enum hk_mix_action action)
{
    return actions[action].service;
}

struct reading {
    struct hk_mix mix;
    char cause[200]; /* of the first bad line */
};

static bool number_read(const char *text, const struct key *key, uint64_t *number)
{
    char *end;
    unsigned long long value;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value > key->max / key->unit ||
        value * key->unit < key->min) {
        return false;
    }
    *number = value * key->unit;
    return true;
}

static int refuse(struct reading *r, const char *section, const char *name, const char *cause)
{
    if (r->cause[0] == '\0') {
        snprintf(r->cause, sizeof(r->cause), "[%.24s] %.24s: %s", section, name, cause);
    }
    return 0;
}

static int value_set(struct reading *r, const char *section, const char *name, const char *value,
                     const struct key *keys, size_t count, void *base)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t number;

        if (strcmp(name, keys[i].name) != 0) {
            continue;
        }
        if (!number_read(value, &keys[i], &number)) {
            char range[80];

            snprintf(range, sizeof(range), "must be a whole number from %llu to %llu",
                     (unsigned long long)((keys[i].min + keys[i].unit - 1) / keys[i].unit),
                     (unsigned long long)(keys[i].max / keys[i].unit));
            return refuse(r, section, name, range);
        }
        memcpy((char *)base + keys[i].offset, &number, sizeof(number));
        return 1;
    }
    return refuse(r, section, name, "unknown key");
}

/* The entry of a section, made when it is the first key of it; NULL: no such action. */
static struct hk_mix_entry *entry_of(struct hk_mix *mix, const char *section)
{
    for (uint64_t i = 0; i < mix->entry_count; i++) {
        if (strcmp(section, actions[mix->entry[i].action].section) == 0) {
            return &mix->entry[i];
        }
    }
    for (uint64_t a = 0; a < HK_MIX_ACTIONS; a++) {
        if (strcmp(section, actions[a].section) == 0) {
            struct hk_mix_entry *entry = &mix->entry[mix->entry_count++];

            *entry = (struct hk_mix_entry){.action = a, .count = 1};
            return entry;
        }
    }
    return NULL;
}

/* inih's handler: 0 marks the line as bad; only the first bad line's cause is kept. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;
    struct hk_mix_entry *entry;

    if (strcmp(section, "workload") == 0) {
        return value_set(r, section, name, value, workload_keys, HK_ARRAY_COUNT(workload_keys),
                         &r->mix);
    }
    if (strcmp(section, "audio") == 0) {
        return value_set(r, section, name, value, audio_keys, HK_ARRAY_COUNT(audio_keys), &r->mix);
    }
    entry = entry_of(&r->mix, section);
    if (entry == NULL) {
        return refuse(r, section, name, "no such section: [workload], [audio] or [service.action]");
    }
    return value_set(r, section, name, value, action_keys, HK_ARRAY_COUNT(action_keys), entry);
}

static const char *entry_fault(const struct hk_mix_entry *entry)
{
    if ((entry->weight == 0) == (entry->period_ns == 0)) {
        return "takes either weight or period_us";
    }
    if (entry->unaligned_percent > 0 && entry->action != HK_MIX_FILE_LEND) {
        return "unaligned_percent is for file.lend alone";
    }
    return entry->bytes_min > entry->bytes_max ? "bytes_min is above bytes_max" : NULL;
}

static enum hk_status mix_check(const struct hk_mix *mix, const char *name, char error[256])
{
    if (mix->requests == 0) {
        snprintf(error, 256, "%.150s: [workload] requests is missing", name);
        return HK_EPARSE;
    }
    if (mix->entry_count == 0) {
        snprintf(error, 256, "%.150s: no action: a section such as [file.read]", name);
        return HK_EPARSE;
    }
    for (uint64_t i = 0; i < mix->entry_count; i++) {
        const char *fault = entry_fault(&mix->entry[i]);

        if (fault != NULL) {
            snprintf(error, 256, "%.150s: [%s] %s", name, actions[mix->entry[i].action].section,
                     fault);
            return HK_EPARSE;
        }
    }
    return HK_OK;
}

static enum hk_status reading_finish(const struct reading *r, int line, const char *name,
                                     struct hk_mix *mix, char error[256])
{
    enum hk_status status;

    if (line > 0) {
        snprintf(error, 256, "%.50s:%d: %.180s", name, line,
                 r->cause[0] != '\0' ? r->cause : "neither [section] nor key = value");
        return HK_EPARSE;
    }
    status = mix_check(&r->mix, name, error);
    if (status == HK_OK) {
        *mix = r->mix;
    }
    return status;
}

static const struct reading start = {.mix = {.version = HK_MIX_VERSION,
                                             .audio_period_ns = HK_MIX_PERIOD_NS_MAX,
                                             .audio_buffers = AUDIO_BUFFERS}};

enum hk_status hk_mix_read(const char *path, struct hk_mix *mix, char error[256])
{
    struct reading r = start;
    int line = ini_parse(path, on_key, &r);

    if (line < 0) {
        snprintf(error, 256, "%.150s: cannot be opened: %s", path, strerror(errno));
        return HK_ENOENT;
    }
    return reading_finish(&r, line, path, mix, error);
}

enum hk_status hk_mix_parse(const char *text, const char *name, struct hk_mix *mix,
                            char error[256])
{
    struct reading r = start;

    return reading_finish(&r, ini_parse_string(text, on_key, &r), name, mix, error);
}
