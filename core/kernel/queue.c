/* SPDX-License-Identifier: MIT */
#include "kernel/queue.h"

#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/syscall.h"

enum hk_status hk_queue_create(struct hk_cpu *cpu, uint64_t slots, uint64_t message_bytes,
                               struct hk_queue **queue)
{
    struct hk_object *object;
    struct hk_queue *created;
    enum hk_status status = hk_object_create(cpu->kernel, HK_OBJECT_QUEUE, &object);

    if (status != HK_OK)
        return status;
    created = (struct hk_queue *)(void *)object;
    status = hk_fifo_init(cpu->kernel, &created->fifo, slots, message_bytes);
    if (status != HK_OK) {
        hk_object_release(cpu, object);
        return status;
    }
    *queue = created;
    return HK_OK;
}

void hk_queue_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    struct hk_queue *queue = (struct hk_queue *)(void *)object;

    hk_wait_wake_all(cpu, &queue->receivers, HK_EPEER);
    hk_wait_wake_all(cpu, &queue->senders, HK_EPEER);
    hk_fifo_fini(cpu->kernel, &queue->fifo);
}

void hk_queue_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights)
{
    struct hk_queue *queue = (struct hk_queue *)(void *)object;

    (void)rights;
    hk_peer_released(cpu, object, &queue->receivers);
    hk_peer_released(cpu, object, &queue->senders);
}

static enum hk_status put(struct hk_cpu *cpu, struct hk_queue *queue, uint32_t from,
                          const struct hk_buffer *data)
{
    struct hk_ring_slot *slot;
    enum hk_status status = hk_ring_reserve(&queue->fifo.sender, &slot);

    if (status != HK_OK)
        return status;
    slot->to = 0;
    slot->from = from;
    status = hk_buffer_read(cpu->kernel, data, slot->payload);
    if (status != HK_OK)
        return status;
    return hk_ring_commit(&queue->fifo.sender, (uint32_t)data->bytes);
}

enum hk_status hk_queue_send(struct hk_cpu *cpu, struct hk_queue *queue, uint32_t from,
                             const struct hk_buffer *data)
{
    if (data->bytes > queue->fifo.sender.message_bytes)
        return HK_ETOOBIG;
    if (queue->receivers.first != NULL) {
        enum hk_status status = hk_message_deliver(cpu, &queue->receivers, 0, data);

        if (status != HK_EEMPTY)
            return status;
    }
    return put(cpu, queue, from, data);
}

/* There is room: let the first sleeping sender that has a readable message fill it. */
static void admit(struct hk_cpu *cpu, struct hk_queue *queue)
{
    while (queue->senders.first != NULL) {
        struct hk_thread *thread = queue->senders.first;
        struct hk_buffer data = hk_buffer_user(&thread->process->space, thread->wait.address,
                                               thread->wait.bytes);
        enum hk_status status = put(cpu, queue, thread->process->pid, &data);

        hk_thread_wake(cpu, thread, status);
        if (status == HK_OK)
            return;
    }
}

enum hk_status hk_queue_receive(struct hk_cpu *cpu, struct hk_queue *queue,
                                const struct hk_buffer *room, uint32_t *bytes)
{
    struct hk_ring_slot *slot;
    uint32_t message_bytes;
    enum hk_status status = hk_ring_peek(&queue->fifo.receiver, &slot, &message_bytes);

    if (status != HK_OK)
        return status;
    if (message_bytes > room->bytes)
        return HK_ETOOBIG;
    status = hk_buffer_write(cpu->kernel, room, slot->payload, message_bytes);
    if (status != HK_OK)
        return status;
    hk_ring_release(&queue->fifo.receiver);
    admit(cpu, queue);
    *bytes = message_bytes;
    return HK_OK;
}

static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, struct hk_queue **queue)
{
    struct hk_object *object;
    enum hk_status status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_QUEUE,
                                        HK_RIGHT_QUEUE, &object);

    if (status == HK_OK)
        *queue = (struct hk_queue *)(void *)object;
    return status;
}

/* queue_create(slots, message_bytes) -> handle */
hk_result hk_sys_queue_create(struct hk_cpu *cpu, uint64_t slots, uint64_t message_bytes,
                              uint64_t c, uint64_t d, uint64_t e)
{
    struct hk_queue *queue;
    enum hk_status status = hk_queue_create(cpu, slots, message_bytes, &queue);

    (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_cap_give(cpu, &queue->object, HK_RIGHT_QUEUE | HK_RIGHT_COPY)
                           : status;
}

/* queue_send(queue, data, bytes, timeout_ns) */
hk_result hk_sys_queue_send(struct hk_cpu *cpu, uint64_t handle, uint64_t data, uint64_t bytes,
                            uint64_t timeout_ns, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    struct hk_buffer message = hk_buffer_user(&self->space, data, bytes);
    struct hk_queue *queue;
    enum hk_status status = find(cpu, handle, &queue);

    (void)e;
    if (status != HK_OK)
        return status;
    status = hk_queue_send(cpu, queue, self->pid, &message);
    if (status != HK_EFULL || timeout_ns == HK_TIMEOUT_NOW)
        return status;
    if (hk_peer_gone(queue->object.references, cpu->current))
        return HK_EPEER;
    hk_message_block(cpu, &queue->senders, &message, 0, timeout_ns);
    return HK_OK;
}

/* queue_receive(queue, data, capacity, timeout_ns) -> bytes */
hk_result hk_sys_queue_receive(struct hk_cpu *cpu, uint64_t handle, uint64_t data,
                               uint64_t capacity, uint64_t timeout_ns, uint64_t e)
{
    struct hk_buffer room = hk_buffer_user(&cpu->current->process->space, data, capacity);
    struct hk_queue *queue;
    uint32_t bytes;
    enum hk_status status = find(cpu, handle, &queue);

    (void)e;
    if (status != HK_OK)
        return status;
    status = hk_queue_receive(cpu, queue, &room, &bytes);
    if (status == HK_OK)
        return bytes;
    if (status != HK_EEMPTY || timeout_ns == HK_TIMEOUT_NOW)
        return status;
    if (hk_peer_gone(queue->object.references, cpu->current))
        return HK_EPEER;
    hk_message_block(cpu, &queue->receivers, &room, 0, timeout_ns);
    return HK_OK;
}
