/* SPDX-License-Identifier: MIT */
#include "kernel/object.h"

#include "kernel/channel.h"
#include "kernel/endpoint.h"
#include "kernel/io.h"
#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "kernel/notification.h"
#include "kernel/pager.h"
#include "kernel/queue.h"
#include "kernel/semaphore.h"
#include "kernel/shm.h"
#include "kernel/stream.h"
#include "port/port.h"

const struct hk_object_row hk_object_types[HK_OBJECT_TYPES] = {
    [HK_OBJECT_PROCESS] = { "process", sizeof(struct hk_process),
                            HK_RIGHT_PROCESS | HK_RIGHT_SYSTEM, hk_process_destroy,
                            hk_process_released },
    [HK_OBJECT_THREAD] = { "thread", sizeof(struct hk_thread), HK_RIGHT_THREAD, NULL, NULL },
    [HK_OBJECT_ENDPOINT] = { "endpoint", sizeof(struct hk_endpoint),
                             HK_RIGHT_CALL | HK_RIGHT_RECEIVE, hk_endpoint_destroy,
                             hk_endpoint_released },
    [HK_OBJECT_TIMER] = { "timer", sizeof(struct hk_timer), HK_RIGHT_TIMER, hk_timer_destroy,
                          NULL },
    [HK_OBJECT_CHANNEL] = { "channel", sizeof(struct hk_channel), HK_RIGHT_CHANNEL,
                            hk_channel_destroy, hk_channel_released },
    [HK_OBJECT_QUEUE] = { "queue", sizeof(struct hk_queue), HK_RIGHT_QUEUE, hk_queue_destroy,
                          hk_queue_released },
    [HK_OBJECT_SEMAPHORE] = { "semaphore", sizeof(struct hk_semaphore), HK_RIGHT_SEMAPHORE,
                              hk_semaphore_destroy, hk_semaphore_released },
    [HK_OBJECT_NOTIFICATION] = { "notification", sizeof(struct hk_notification),
                                 HK_RIGHT_SIGNAL | HK_RIGHT_WAIT, hk_notification_destroy,
                                 hk_notification_released },
    [HK_OBJECT_SHM] = { "shared memory", sizeof(struct hk_shm),
                        HK_RIGHT_SHM_READ | HK_RIGHT_SHM_WRITE, hk_shm_destroy, NULL },
    [HK_OBJECT_STREAM] = { "stream", sizeof(struct hk_stream), HK_RIGHT_STREAM, hk_stream_destroy,
                           hk_stream_released },
    [HK_OBJECT_REGION] = { "region", sizeof(struct hk_region), 0, hk_region_destroy, NULL },
    [HK_OBJECT_IO] = { "device", sizeof(struct hk_io), HK_RIGHT_IO, hk_io_destroy, NULL },
};

/* A record on the free list. */
struct free_record {
    struct hk_object object;
    struct free_record *next;
};

static uint32_t record_bytes(enum hk_object_type type)
{
    return (hk_object_types[type].bytes + HK_CACHE_LINE_BYTES - 1) / HK_CACHE_LINE_BYTES *
           HK_CACHE_LINE_BYTES;
}

/* Carve one more page into records of the type. */
static enum hk_status grow(struct hk_kernel *kernel, enum hk_object_type type)
{
    struct hk_pool *pool = &kernel->pools[type];
    uint64_t physical;
    enum hk_status status = hk_page_allocate(kernel, HK_PAGE_OWNER_KERNEL, &physical);
    uint32_t bytes = record_bytes(type);

    if (status != HK_OK)
        return status;
    for (uint32_t offset = 0; offset + bytes <= HK_PAGE_BYTES; offset += bytes) {
        struct free_record *record = hk_window(kernel, physical + offset);

        record->next = pool->free;
        pool->free = record;
    }
    pool->page_count++;
    return HK_OK;
}

enum hk_status hk_object_create(struct hk_kernel *kernel, enum hk_object_type type,
                                struct hk_object **object)
{
    struct hk_pool *pool = &kernel->pools[type];
    struct free_record *record;

    if (pool->free == NULL) {
        enum hk_status status = grow(kernel, type);

        if (status != HK_OK)
            return status;
    }
    record = pool->free;
    pool->free = record->next;
    pool->live_count++;
    hk_port_zero(record, hk_object_types[type].bytes);
    record->object.type = type;
    record->object.references = 1;
    *object = &record->object;
    return HK_OK;
}

void hk_object_hold(struct hk_object *object)
{
    object->references++;
}

void hk_object_release(struct hk_cpu *cpu, struct hk_object *object)
{
    struct hk_pool *pool = &cpu->kernel->pools[object->type];
    struct free_record *record = (struct free_record *)(void *)object;

    if (--object->references > 0)
        return;
    if (hk_object_types[object->type].destroy != NULL)
        hk_object_types[object->type].destroy(cpu, object);
    object->type = HK_OBJECT_NONE;
    record->next = pool->free;
    pool->free = record;
    pool->live_count--;
}

/* Frees the pages of one pool without live records; its free list goes with them. */
static void trim(struct hk_kernel *kernel, struct hk_pool *pool)
{
    struct free_record *pages = NULL;

    /* every page's first record is on the free list: keep those, forget the others */
    while (pool->free != NULL) {
        struct free_record *record = pool->free;

        pool->free = record->next;
        if ((uintptr_t)record % HK_PAGE_BYTES == kernel->window % HK_PAGE_BYTES) {
            record->next = pages;
            pages = record;
        }
    }
    while (pages != NULL) {
        struct free_record *record = pages;

        pages = record->next;
        hk_page_release(kernel, (uintptr_t)record - kernel->window);
        pool->page_count--;
    }
}

void hk_object_pools_trim(struct hk_kernel *kernel)
{
    for (size_t type = 0; type < HK_OBJECT_TYPES; type++)
        if (kernel->pools[type].live_count == 0)
            trim(kernel, &kernel->pools[type]);
}

uint32_t hk_object_count(const struct hk_kernel *kernel)
{
    uint32_t count = 0;

    for (size_t type = 0; type < HK_OBJECT_TYPES; type++)
        count += kernel->pools[type].live_count;
    return count;
}
