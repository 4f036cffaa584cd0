/* SPDX-License-Identifier: MIT */
#include "services/services.h"

#include "services/rows.h"

const struct hk_service hk_services[HK_SERVICES] = {
    [HK_SERVICE_FS] = { "fs", HK_SERVICE_NO_IRQ, false, hk_fs_handle },
    [HK_SERVICE_DRIVER] = { "driver", HK_DRIVER_LINE, true, hk_driver_handle },
    [HK_SERVICE_MEMORY] = { "memory", HK_SERVICE_NO_IRQ, true, hk_memory_handle },
};

struct preset {
    const char *name;
    uint32_t placement;
};

#define ALL ((1u << HK_SERVICES) - 1)

static const struct preset presets[] = {
    { "monolithic", ALL },
    { "microkernel", 0 },
};

static bool same(const char *text, uint64_t bytes, const char *name)
{
    uint64_t i = 0;

    while (i < bytes && name[i] != '\0' && text[i] == name[i])
        i++;
    return i == bytes && name[i] == '\0';
}

/* "name:where"; named says which services have been named */
static bool parse_one(const char *text, uint64_t bytes, uint32_t *placement, uint32_t *named)
{
    uint64_t colon = 0;

    while (colon < bytes && text[colon] != ':')
        colon++;
    if (colon == bytes)
        return false;
    for (uint32_t i = 0; i < HK_SERVICES; i++) {
        if (!same(text, colon, hk_services[i].name))
            continue;
        if (*named & 1u << i)
            return false;
        *named |= 1u << i;
        text += colon + 1;
        bytes -= colon + 1;
        if (same(text, bytes, "kernel"))
            *placement |= 1u << i;
        else if (same(text, bytes, "server"))
            *placement &= ~(1u << i);
        else
            return false;
        return true;
    }
    return false;
}

enum hk_status hk_composition_parse(const char *text, uint64_t bytes, uint32_t *placement)
{
    uint32_t result = 0, named = 0;

    for (uint32_t i = 0; i < HK_SERVICES; i++)
        result |= hk_services[i].kernel_in_hybrid ? 1u << i : 0;
    if (same(text, bytes, "hybrid"))
        bytes = 0;
    for (size_t i = 0; i < HK_ARRAY_COUNT(presets); i++) {
        if (!same(text, bytes, presets[i].name))
            continue;
        *placement = presets[i].placement;
        return HK_OK;
    }
    for (uint64_t at = 0; at < bytes;) {
        uint64_t end = at;

        while (end < bytes && text[end] != ',')
            end++;
        if (!parse_one(text + at, end - at, &result, &named))
            return HK_EPARSE;
        at = end + 1;
    }
    *placement = result;
    return HK_OK;
}
