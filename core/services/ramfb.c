/* SPDX-License-Identifier: MIT */
#include "services/ramfb.h"

/* Offsets of ports: the address of a command, big-endian, high word first. */
#define COMMAND_HIGH 4u
#define COMMAND_LOW 8u
#define SIGNATURE 0x47464320554d4551ull /* "QEMU CFG" as the two reads give it */

#define FILE_DIRECTORY 0x19u
#define FORMAT_XRGB8888 0x34325258u

enum { CONTROL_ERROR = 1, CONTROL_READ = 2, CONTROL_SELECT = 8, CONTROL_WRITE = 16 };

/* All numbers are big-endian. */
struct command {
    uint32_t control, bytes;
    uint64_t address;
};

struct file {
    uint32_t bytes;
    uint16_t selector, reserved;
    char name[56];
};

struct screen {
    uint64_t address;
    uint32_t format, flags, width, height, line_bytes;
} __attribute__((packed));

/* What is on the page that both sides see. */
struct talk {
    struct command command;
    struct screen screen;
    _Alignas(64) char data[HK_PAGE_BYTES - 64];
};
_Static_assert(sizeof(struct talk) <= HK_PAGE_BYTES, "it is a page");

static enum hk_status perform(struct hk_service_host *host, struct talk *talk,
                              uint64_t talk_physical, uint32_t control, uint64_t data_offset,
                              uint64_t bytes)
{
    volatile uint32_t *done = &talk->command.control;

    talk->command = (struct command){ __builtin_bswap32(control),
                                      __builtin_bswap32((uint32_t)bytes),
                                      __builtin_bswap64(talk_physical + data_offset) };
    __asm__ volatile("" : : : "memory");
    host->out32(host, COMMAND_HIGH, __builtin_bswap32((uint32_t)(talk_physical >> 32)));
    host->out32(host, COMMAND_LOW, __builtin_bswap32((uint32_t)talk_physical));
    __asm__ volatile("" : : : "memory");
    return *done == 0 ? HK_OK : HK_EIO; /* QEMU answers before the write has ended */
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

/* The selector of etc/ramfb; the directory is read a file at a time. */
static enum hk_status find(struct hk_service_host *host, struct talk *talk, uint64_t physical,
                           uint32_t *selector)
{
    const uint64_t data = __builtin_offsetof(struct talk, data);
    uint32_t count;
    enum hk_status status = perform(host, talk, physical,
                                    FILE_DIRECTORY << 16 | CONTROL_SELECT | CONTROL_READ, data,
                                    sizeof(count));

    if (status != HK_OK)
        return status;
    __builtin_memcpy(&count, talk->data, sizeof(count));
    for (count = __builtin_bswap32(count); count > 0; count--) {
        struct file file;

        status = perform(host, talk, physical, CONTROL_READ, data, sizeof(file));
        if (status != HK_OK)
            return status;
        __builtin_memcpy(&file, talk->data, sizeof(file));
        file.name[sizeof(file.name) - 1] = '\0';
        if (!same(file.name, "etc/ramfb"))
            continue;
        *selector = __builtin_bswap16(file.selector);
        return HK_OK;
    }
    return HK_ENOTSUP;
}

enum hk_status hk_ramfb_show(struct hk_service_host *host, uint32_t pages, uint32_t width,
                             uint32_t height)
{
    uint64_t offset = (pages - 1) * (uint64_t)HK_PAGE_BYTES;
    uint64_t physical = host->device.frames_physical + offset;
    struct talk *talk = (struct talk *)(void *)((char *)host->device.frames + offset);
    uint64_t signature = host->in32(host, COMMAND_HIGH) |
                         (uint64_t)host->in32(host, COMMAND_LOW) << 32;
    uint32_t selector = 0;
    enum hk_status status;

    if (signature != SIGNATURE)
        return HK_ENOTSUP;
    status = find(host, talk, physical, &selector);
    if (status != HK_OK)
        return status;
    talk->screen = (struct screen){
        .address = __builtin_bswap64(host->device.frames_physical),
        .format = __builtin_bswap32(FORMAT_XRGB8888),
        .width = __builtin_bswap32(width),
        .height = __builtin_bswap32(height),
        .line_bytes = __builtin_bswap32(width * 4),
    };
    return perform(host, talk, physical, selector << 16 | CONTROL_SELECT | CONTROL_WRITE,
                   __builtin_offsetof(struct talk, screen), sizeof(talk->screen));
}
