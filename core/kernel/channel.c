/* SPDX-License-Identifier: MIT */
#include "kernel/channel.h"

#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/syscall.h"

enum hk_status hk_channel_create(struct hk_cpu *cpu, uint64_t slots, uint64_t message_bytes,
                                 struct hk_channel **channel)
{
    struct hk_object *object;
    struct hk_channel *created;
    enum hk_status status = hk_object_create(cpu->kernel, HK_OBJECT_CHANNEL, &object);

    if (status != HK_OK)
        return status;
    created = (struct hk_channel *)(void *)object;
    status = hk_fifo_init(cpu->kernel, &created->fifo, slots, message_bytes);
    if (status != HK_OK) {
        hk_object_release(cpu, object);
        return status;
    }
    *channel = created;
    return HK_OK;
}

void hk_channel_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    struct hk_channel *channel = (struct hk_channel *)(void *)object;

    hk_wait_wake_all(cpu, &channel->receivers, HK_EPEER);
    hk_fifo_fini(cpu->kernel, &channel->fifo);
}

void hk_channel_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights)
{
    (void)rights;
    hk_peer_released(cpu, object, &((struct hk_channel *)(void *)object)->receivers);
}

enum hk_status hk_channel_send(struct hk_cpu *cpu, struct hk_channel *channel, uint32_t from,
                               uint32_t to, const struct hk_buffer *data)
{
    struct hk_ring_end *end = &channel->fifo.sender;
    struct hk_ring_slot *slot;
    enum hk_status status;

    if (data->bytes > end->message_bytes)
        return HK_ETOOBIG;
    if (channel->receivers.first != NULL) {
        status = hk_message_deliver(cpu, &channel->receivers, to, data);
        if (status != HK_EEMPTY)
            return status;
    }
    status = hk_ring_reserve(end, &slot);
    if (status != HK_OK)
        return status;
    slot->to = to;
    slot->from = from;
    status = hk_buffer_read(cpu->kernel, data, slot->payload);
    return status == HK_OK ? hk_ring_commit(end, (uint32_t)data->bytes) : status;
}

enum hk_status hk_channel_receive(struct hk_cpu *cpu, struct hk_channel *channel, uint32_t to,
                                  const struct hk_buffer *room, uint32_t *bytes)
{
    struct hk_ring_slot *slot;
    uint32_t age = 0, message_bytes;
    enum hk_status status = hk_ring_peek(&channel->fifo.receiver, &slot, &message_bytes);

    if (status == HK_OK && slot->to != to && slot->to != 0)
        status = hk_fifo_find(&channel->fifo, to, &slot, &age);
    if (status != HK_OK)
        return status;
    message_bytes = atomic_load_explicit(&slot->bytes, memory_order_relaxed);
    if (message_bytes > room->bytes)
        return HK_ETOOBIG;
    status = hk_buffer_write(cpu->kernel, room, slot->payload, message_bytes);
    if (status != HK_OK)
        return status;
    hk_fifo_take(&channel->fifo, age);
    *bytes = message_bytes;
    return HK_OK;
}

static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, struct hk_channel **channel)
{
    struct hk_object *object;
    enum hk_status status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_CHANNEL,
                                        HK_RIGHT_CHANNEL, &object);

    if (status == HK_OK)
        *channel = (struct hk_channel *)(void *)object;
    return status;
}

/* channel_create(slots, message_bytes) -> handle */
hk_result hk_sys_channel_create(struct hk_cpu *cpu, uint64_t slots, uint64_t message_bytes,
                                uint64_t c, uint64_t d, uint64_t e)
{
    struct hk_channel *channel;
    enum hk_status status = hk_channel_create(cpu, slots, message_bytes, &channel);

    (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_cap_give(cpu, &channel->object, HK_RIGHT_CHANNEL | HK_RIGHT_COPY)
                           : status;
}

/* channel_send(channel, to_pid, data, bytes) */
hk_result hk_sys_channel_send(struct hk_cpu *cpu, uint64_t handle, uint64_t to, uint64_t data,
                              uint64_t bytes, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    struct hk_buffer message = hk_buffer_user(&self->space, data, bytes);
    struct hk_channel *channel;
    enum hk_status status = find(cpu, handle, &channel);

    (void)e;
    if (status != HK_OK)
        return status;
    if (to > UINT32_MAX)
        return HK_EINVAL;
    return hk_channel_send(cpu, channel, self->pid, (uint32_t)to, &message);
}

/* channel_receive(channel, data, capacity, timeout_ns) -> bytes */
hk_result hk_sys_channel_receive(struct hk_cpu *cpu, uint64_t handle, uint64_t data,
                                 uint64_t capacity, uint64_t timeout_ns, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    struct hk_buffer room = hk_buffer_user(&self->space, data, capacity);
    struct hk_channel *channel;
    uint32_t bytes;
    enum hk_status status = find(cpu, handle, &channel);

    (void)e;
    if (status != HK_OK)
        return status;
    status = hk_channel_receive(cpu, channel, self->pid, &room, &bytes);
    if (status == HK_OK)
        return bytes;
    if (status != HK_EEMPTY || timeout_ns == HK_TIMEOUT_NOW)
        return status;
    if (hk_peer_gone(channel->object.references, cpu->current))
        return HK_EPEER;
    hk_message_block(cpu, &channel->receivers, &room, 0, timeout_ns);
    return HK_OK;
}
