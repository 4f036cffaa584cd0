/* SPDX-License-Identifier: MIT */
/* Parameters of the cache model from an INI file; the only part of the model that knows a file. */
#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/guest/cache_model.h"

/* The file says bytes where the model wants lines: size_bytes rows are divided once all is read. */
static const struct key {
    const char *section;
    const char *name;
    size_t offset;
    bool size_bytes;
} keys[] = {
#define FIELD(f) offsetof(struct hk_cache_params, f)
    {"line", "line_bytes", FIELD(line_bytes), false},
    {"page", "global_kernel", FIELD(global_kernel), false},
    {"l1i", "size_bytes", FIELD(l1i.entries), true},
    {"l1i", "ways", FIELD(l1i.ways), false},
    {"l1d", "size_bytes", FIELD(l1d.entries), true},
    {"l1d", "ways", FIELD(l1d.ways), false},
    {"l2", "size_bytes", FIELD(l2.entries), true},
    {"l2", "ways", FIELD(l2.ways), false},
    {"itlb", "entries", FIELD(itlb.entries), false},
    {"itlb", "ways", FIELD(itlb.ways), false},
    {"dtlb", "entries", FIELD(dtlb.entries), false},
    {"dtlb", "ways", FIELD(dtlb.ways), false},
    {"stlb", "entries", FIELD(stlb.entries), false},
    {"stlb", "ways", FIELD(stlb.ways), false},
#undef FIELD
};

struct reading {
    struct hk_cache_params params;
    bool seen[HK_ARRAY_COUNT(keys)];
    char cause[160]; /* of the first bad line */
};

static uint32_t *field_of(struct hk_cache_params *params, const struct key *key)
{
    return (uint32_t *)(void *)((char *)params + key->offset);
}

static bool number_read(const char *text, uint32_t *number)
{
    char *end;
    unsigned long long value;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value > UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

/* inih's handler: 0 marks the line as bad; only the first bad line's cause is kept. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;
    const char *cause = "unknown key";

    for (size_t i = 0; i < HK_ARRAY_COUNT(keys); i++) {
        if (strcmp(section, keys[i].section) != 0 || strcmp(name, keys[i].name) != 0) {
            continue;
        }
        if (r->seen[i]) {
            cause = "repeated key";
        } else if (number_read(value, field_of(&r->params, &keys[i]))) {
            r->seen[i] = true;
            return 1;
        } else {
            cause = "not a whole number";
        }
        break;
    }
    if (r->cause[0] == '\0') {
        snprintf(r->cause, sizeof(r->cause), "[%.24s] %.24s = %.24s: %s", section, name, value,
                 cause);
    }
    return 0;
}

static enum hk_status lines_from_bytes(struct hk_cache_params *params)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(keys); i++) {
        uint32_t *field = field_of(params, &keys[i]);

        if (keys[i].size_bytes && (params->line_bytes == 0 || *field % params->line_bytes != 0)) {
            return HK_EINVAL;
        }
        if (keys[i].size_bytes) {
            *field /= params->line_bytes;
        }
    }
    return hk_cache_params_check(params);
}

enum hk_status hk_cache_params_read(const char *path, struct hk_cache_params *params,
                                    char error[256])
{
    struct reading r = {0};
    int line = ini_parse(path, on_key, &r);

    if (line < 0) {
        snprintf(error, 256, "%.120s: cannot be opened: %s", path, strerror(errno));
        return HK_ENOENT;
    }
    if (line > 0) {
        snprintf(error, 256, "%.80s:%d: %.150s", path, line,
                 r.cause[0] ? r.cause : "malformed line");
        return HK_EPARSE;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(keys); i++) {
        if (!r.seen[i]) {
            snprintf(error, 256, "%.120s: [%s] %s is missing", path, keys[i].section, keys[i].name);
            return HK_EPARSE;
        }
    }
    if (lines_from_bytes(&r.params) != HK_OK) {
        snprintf(error, 256, "%.120s: sets (entries / ways) must be a power of two, ways 1 to 64",
                 path);
        return HK_EINVAL;
    }
    *params = r.params;
    return HK_OK;
}
