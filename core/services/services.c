/* SPDX-License-Identifier: MIT */
#include "services/services.h"

#include "services/ether.h"
#include "services/rows.h"

#define ROW(number, name, pages, hybrid, two_copies, ...) \
    [HK_SERVICE_##number] = { #name, pages, hybrid, two_copies, hk_##name##_start, \
                              hk_##name##_handle, __VA_ARGS__ },

/* The hybrid keeps what has to be quick in the kernel and moves what is big and rare. */
const struct hk_service hk_services[HK_SERVICES] = {
    ROW(FILE, file, HK_FILE_PAGES, false, true, HK_DEVICE_NONE, 0)
    ROW(NET, net, HK_NET_PAGES, true, false, HK_DEVICE_VIRTIO_NET, HK_ETHER_PAGES)
    ROW(BLOCK, block, HK_BLOCK_PAGES, true, true, HK_DEVICE_VIRTIO_BLOCK, HK_BLOCK_DEVICE_PAGES)
    ROW(AUDIO, audio, HK_AUDIO_PAGES, true, false, HK_DEVICE_NONE, 0)
    ROW(TIMER, timer, HK_TIMER_PAGES, true, true, HK_DEVICE_NONE, 0)
    ROW(DISPLAY, display, HK_DISPLAY_PAGES, true, false, HK_DEVICE_RAMFB, HK_DISPLAY_DEVICE_PAGES)
    ROW(PRINT, print, HK_PRINT_PAGES, false, true, HK_DEVICE_NONE, 0)
    ROW(MEMORY, memory, HK_MEMORY_PAGES, true, true, HK_DEVICE_NONE, 0)
};

_Static_assert(2 * HK_FILE_PAGES + 1 <= HK_SERVICE_PAGES_MAX &&
                   2 * HK_BLOCK_PAGES + 1 <= HK_SERVICE_PAGES_MAX, "two copies and their sums");

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

/* "mask:N" */
static bool parse_mask(const char *text, uint64_t bytes, uint32_t *placement)
{
    static const char key[] = "mask:";
    const uint64_t key_bytes = sizeof(key) - 1;
    uint32_t mask = 0;

    if (bytes <= key_bytes || bytes > key_bytes + 3 || !same(text, key_bytes, key))
        return false;
    for (uint64_t i = key_bytes; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        mask = mask * 10 + (uint32_t)(text[i] - '0');
    }
    if (mask > ALL)
        return false;
    *placement = mask;
    return true;
}

enum hk_status hk_composition_parse(const char *text, uint64_t bytes, uint32_t *placement)
{
    uint32_t result = 0, named = 0;

    for (uint32_t i = 0; i < HK_SERVICES; i++)
        result |= hk_services[i].kernel_in_hybrid ? 1u << i : 0;
    if (parse_mask(text, bytes, placement))
        return HK_OK;
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

enum hk_status hk_devices_parse(const char *text, uint64_t bytes, uint32_t *devices)
{
    uint32_t result = 0;

    for (uint64_t at = 0; at < bytes;) {
        uint64_t end = at;
        uint32_t i = 0;

        while (end < bytes && text[end] != ',')
            end++;
        while (i < HK_SERVICES && !same(text + at, end - at, hk_services[i].name))
            i++;
        if (i == HK_SERVICES || hk_services[i].device == HK_DEVICE_NONE)
            return HK_EPARSE;
        result |= 1u << i;
        at = end + 1;
    }
    *devices = result;
    return HK_OK;
}
