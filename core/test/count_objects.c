/* SPDX-License-Identifier: MIT */
/* count_objects WHAT N: does WHAT N times, for an instruction counter (count_test.sh). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/core/hosted.h"
#include "kernel/channel.h"
#include "kernel/kernel.h"

enum { MESSAGE_BYTES = 256 };

struct count {
    struct hk_cpu *cpu;
    struct hk_channel *channel;
    char from[MESSAGE_BYTES], to[MESSAGE_BYTES];
    volatile uint32_t bytes; /* so that no copy has a length known to the compiler */
    uint64_t frame;
};

static void page(struct count *c, long n)
{
    struct hk_kernel *kernel = c->cpu->kernel;
    uint64_t frame;

    for (; n > 0; n--)
        if (hk_page_allocate(kernel, 1, &frame) != HK_OK ||
            hk_page_free(kernel, 1, frame) != HK_OK)
            abort();
}

static void zero(struct count *c, long n)
{
    void *memory = hk_window(c->cpu->kernel, c->frame);

    for (; n > 0; n--)
        hk_port_zero(memory, HK_PAGE_BYTES);
}

static void channel(struct count *c, long n)
{
    uint32_t bytes = c->bytes, got_bytes;

    for (; n > 0; n--)
        if (hk_channel_put(c->cpu, c->channel, 1, 2, c->from, bytes) != HK_OK ||
            hk_channel_get(c->cpu, c->channel, 2, c->to, bytes, &got_bytes) != HK_OK)
            abort();
}

static void buffers(struct count *c, long n)
{
    struct hk_buffer data = hk_buffer_kernel(c->from, c->bytes);
    struct hk_buffer room = hk_buffer_kernel(c->to, c->bytes);
    uint32_t bytes;

    for (; n > 0; n--)
        if (hk_channel_send(c->cpu, c->channel, 1, 2, &data) != HK_OK ||
            hk_channel_receive(c->cpu, c->channel, 2, &room, &bytes) != HK_OK)
            abort();
}

static void ring(struct count *c, long n)
{
    uint32_t bytes = c->bytes, got_bytes;

    for (; n > 0; n--)
        if (hk_ring_send(&c->channel->fifo.sender, c->from, bytes) != HK_OK ||
            hk_ring_receive(&c->channel->fifo.receiver, c->to, bytes, &got_bytes) != HK_OK)
            abort();
}

/* What the three before it copy. */
static void copy(struct count *c, long n)
{
    uint32_t bytes = c->bytes;

    for (; n > 0; n--) {
        memcpy(c->to, c->from, bytes);
        __asm__ volatile("" ::: "memory");
        memcpy(c->from, c->to, bytes);
        __asm__ volatile("" ::: "memory");
    }
}

static const struct {
    const char *name;
    void (*run)(struct count *c, long n);
} rows[] = {
    { "page", page },       { "zero", zero }, { "channel", channel },
    { "buffers", buffers }, { "ring", ring }, { "copy", copy },
};

int main(int argc, char **argv)
{
    struct count c = { .bytes = MESSAGE_BYTES };
    struct hk_hosted *hosted;

    if (argc != 3 || hk_hosted_create(4 * HK_MIB, &hosted) != HK_OK)
        return 2;
    c.cpu = hk_hosted_kernel(hosted)->cpu;
    if (hk_channel_create(c.cpu, 100, MESSAGE_BYTES, &c.channel) != HK_OK ||
        hk_page_allocate(c.cpu->kernel, 1, &c.frame) != HK_OK)
        return 2;
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++)
        if (strcmp(argv[1], rows[i].name) == 0)
            rows[i].run(&c, atol(argv[2]));
    hk_object_release(c.cpu, &c.channel->object);
    hk_page_release(c.cpu->kernel, c.frame);
    return hk_hosted_destroy(hosted) == 0 ? 0 : 1;
}
