/* SPDX-License-Identifier: MIT */
/*
 * Two dimensions: fill, blit and blend into a linear framebuffer, from a picture that
 * clients upload. Pixels are 32 bits: blue in the lowest byte, alpha in the highest.
 * The framebuffer is memory, which a device shows where there is one.
 */
#include "services/ramfb.h"
#include "services/rows.h"

#define WIDTH 160u
#define HEIGHT 120u
#define SCREEN_BYTES (WIDTH * HEIGHT * 4u)
#define SCREEN_PAGES ((SCREEN_BYTES + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES)

_Static_assert(SCREEN_PAGES < HK_DISPLAY_DEVICE_PAGES, "a page is left to talk to the device");

/* The picture has the screen's size. Lines follow each other without a gap. */
struct display {
    uint64_t drawn;
    uint32_t *screen, *picture;
};

/* What there is at both ends of a copy. */
struct area {
    uint64_t x, y, width, height;
};

_Static_assert(HK_DISPLAY_PAGES == 1 + 2 * SCREEN_PAGES, "rows.h says as many pages");

static uint64_t low(uint64_t pair)
{
    return pair & 0xffffffff;
}

/* The area of two words; false when it is empty or not all on the screen. */
static bool read_area(uint64_t at, uint64_t size, struct area *area)
{
    *area = (struct area){ low(at), at >> 32, low(size), size >> 32 };
    return area->width > 0 && area->height > 0 && area->x < WIDTH && area->y < HEIGHT &&
           area->width <= WIDTH - area->x && area->height <= HEIGHT - area->y;
}

static enum hk_status fill(struct display *d, const struct area *area, uint32_t colour)
{
    for (uint64_t y = area->y; y < area->y + area->height; y++)
        for (uint64_t x = area->x; x < area->x + area->width; x++)
            d->screen[y * WIDTH + x] = colour;
    d->drawn += area->width * area->height;
    return HK_OK;
}

static enum hk_status blit(struct display *d, const struct area *to, const struct area *from)
{
    for (uint64_t y = 0; y < to->height; y++)
        __builtin_memcpy(&d->screen[(to->y + y) * WIDTH + to->x],
                         &d->picture[(from->y + y) * WIDTH + from->x], to->width * 4);
    d->drawn += to->width * to->height;
    return HK_OK;
}

/* alpha of above, 255 - alpha of below; for all channels at once, two by two */
static uint32_t blend_pixel(uint32_t below, uint32_t above)
{
    uint32_t alpha = above >> 24;
    uint32_t even = (above & 0xff00ff) * alpha + (below & 0xff00ff) * (255 - alpha);
    uint32_t green = (above >> 8 & 0xff) * alpha + (below >> 8 & 0xff) * (255 - alpha);

    return (even >> 8 & 0xff00ff) | (green & 0xff00);
}

static enum hk_status blend(struct display *d, const struct area *to, const struct area *from)
{
    for (uint64_t y = 0; y < to->height; y++) {
        uint32_t *below = &d->screen[(to->y + y) * WIDTH + to->x];
        const uint32_t *above = &d->picture[(from->y + y) * WIDTH + from->x];

        for (uint64_t x = 0; x < to->width; x++)
            below[x] = blend_pixel(below[x], above[x]);
    }
    d->drawn += to->width * to->height;
    return HK_OK;
}

static enum hk_status upload(struct display *d, const struct hk_service_message *message)
{
    uint64_t first = message->word[1], bytes = message->word[2];

    if (bytes > HK_SERVICE_PAYLOAD_BYTES)
        return HK_ETOOBIG;
    if (bytes % 4 != 0)
        return HK_EINVAL;
    if (first > WIDTH * HEIGHT || bytes / 4 > WIDTH * HEIGHT - first)
        return HK_ERANGE;
    __builtin_memcpy(&d->picture[first], message->buffer, bytes);
    return HK_OK;
}

static enum hk_status read_pixels(const struct display *d, struct hk_service_message *message)
{
    uint64_t x = low(message->word[1]), y = message->word[1] >> 32, count = message->word[2];

    if (x >= WIDTH || y >= HEIGHT || count > WIDTH - x)
        return HK_ERANGE;
    __builtin_memcpy(message->buffer, &d->screen[y * WIDTH + x], count * 4);
    message->word[1] = count * 4;
    message->words = hk_service_payload_words(count * 4);
    return HK_OK;
}

static enum hk_status draw(struct display *d, const struct hk_service_message *message)
{
    struct area to, from;

    if (!read_area(message->word[1], message->word[2], &to))
        return HK_ERANGE;
    if (message->word[0] == HK_DISPLAY_FILL)
        return fill(d, &to, (uint32_t)message->word[3]);
    if (!read_area(message->word[3], message->word[2], &from))
        return HK_ERANGE;
    return message->word[0] == HK_DISPLAY_BLIT ? blit(d, &to, &from) : blend(d, &to, &from);
}

enum hk_status hk_display_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct display *d = host->memory;

    switch (message->word[0]) {
    case HK_DISPLAY_FILL:
    case HK_DISPLAY_BLIT:
    case HK_DISPLAY_BLEND:
        return draw(d, message);
    case HK_DISPLAY_UPLOAD:
        return upload(d, message);
    case HK_DISPLAY_READ:
        return read_pixels(d, message);
    case HK_DISPLAY_STATUS:
        message->word[1] = WIDTH;
        message->word[2] = HEIGHT;
        message->word[3] = d->drawn;
        message->words = 4;
        return HK_OK;
    default:
        return HK_ENOSYS;
    }
}

void hk_display_start(struct hk_service_host *host)
{
    struct display *d = host->memory;
    char *base = host->memory;

    d->screen = (uint32_t *)(void *)(base + HK_PAGE_BYTES);
    if (host->device.kind == HK_DEVICE_RAMFB &&
        hk_ramfb_show(host, HK_DISPLAY_DEVICE_PAGES, WIDTH, HEIGHT) == HK_OK)
        d->screen = host->device.frames;
    d->picture = (uint32_t *)(void *)(base + (1 + SCREEN_PAGES) * HK_PAGE_BYTES);
}
