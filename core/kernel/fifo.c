/* SPDX-License-Identifier: MIT */
#include "kernel/fifo.h"

#include "kernel/kernel.h"
#include "port/port.h"

enum hk_status hk_fifo_init(struct hk_kernel *kernel, struct hk_fifo *fifo, uint64_t slots,
                            uint64_t message_bytes)
{
    uint64_t bytes;
    enum hk_status status;

    if (slots == 0 || message_bytes == 0)
        return HK_EINVAL;
    if (slots > HK_FIFO_BYTES_MAX || message_bytes > HK_FIFO_BYTES_MAX)
        return HK_ETOOBIG;
    bytes = hk_ring_bytes((uint32_t)slots, (uint32_t)message_bytes);
    if (bytes > HK_FIFO_BYTES_MAX)
        return HK_ETOOBIG;
    fifo->page_count = (uint32_t)((bytes + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES);
    status = hk_page_allocate_run(kernel, HK_PAGE_OWNER_KERNEL, fifo->page_count,
                                  &fifo->physical);
    if (status != HK_OK) {
        fifo->page_count = 0;
        return status;
    }
    void *memory = hk_window(kernel, fifo->physical);
    status = hk_ring_init(memory, bytes, (uint32_t)slots, (uint32_t)message_bytes);
    if (status == HK_OK)
        status = hk_ring_attach(&fifo->sender, memory, bytes);
    if (status == HK_OK)
        status = hk_ring_attach(&fifo->receiver, memory, bytes);
    return status;
}

void hk_fifo_fini(struct hk_kernel *kernel, struct hk_fifo *fifo)
{
    hk_page_release_run(kernel, fifo->physical, fifo->page_count);
    fifo->page_count = 0;
}

static struct hk_ring_slot *slot_of_age(const struct hk_fifo *fifo, uint32_t age)
{
    const struct hk_ring_end *end = &fifo->receiver;
    uint64_t offset = end->offset + (uint64_t)age * end->slot_bytes;

    return hk_ring_slot_at(end, offset < end->span_bytes ? offset : offset - end->span_bytes);
}

enum hk_status hk_fifo_find(const struct hk_fifo *fifo, uint32_t to, struct hk_ring_slot **slot,
                            uint32_t *age)
{
    uint32_t count = hk_fifo_count(fifo);

    for (uint32_t i = 0; i < count; i++) {
        struct hk_ring_slot *message = slot_of_age(fifo, i);

        if (message->to == 0 || message->to == to) {
            *slot = message;
            *age = i;
            return HK_OK;
        }
    }
    return HK_EEMPTY;
}

void hk_fifo_take(struct hk_fifo *fifo, uint32_t age)
{
    for (; age > 0; age--) {
        struct hk_ring_slot *older = slot_of_age(fifo, age - 1);
        struct hk_ring_slot *gap = slot_of_age(fifo, age);
        uint32_t bytes = atomic_load_explicit(&older->bytes, memory_order_relaxed);

        gap->to = older->to;
        gap->from = older->from;
        atomic_store_explicit(&gap->bytes, bytes, memory_order_relaxed);
        hk_port_copy(gap->payload, older->payload, bytes);
    }
    hk_ring_release(&fifo->receiver);
}
