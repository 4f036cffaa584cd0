/* SPDX-License-Identifier: MIT */
#include "kernel/stream.h"

#include "arch/x86_64/copy.h"
#include "kernel/cap.h"
#include "kernel/kernel.h"
#include "kernel/syscall.h"
#include "port/port.h"

enum hk_status hk_stream_create(struct hk_cpu *cpu, struct hk_stream **stream)
{
    struct hk_object *object;
    struct hk_stream *created;
    enum hk_status status = hk_object_create(cpu->kernel, HK_OBJECT_STREAM, &object);

    if (status != HK_OK)
        return status;
    created = (struct hk_stream *)(void *)object;
    status = hk_page_allocate(cpu->kernel, HK_PAGE_OWNER_KERNEL, &created->buffer);
    if (status != HK_OK) {
        hk_object_release(cpu, object);
        return status;
    }
    *stream = created;
    return HK_OK;
}

void hk_stream_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    struct hk_stream *stream = (struct hk_stream *)(void *)object;

    hk_wait_wake_all(cpu, &stream->readers, HK_EPEER);
    hk_wait_wake_all(cpu, &stream->writers, HK_EPEER);
    hk_page_release(cpu->kernel, stream->buffer);
}

void hk_stream_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights)
{
    struct hk_stream *stream = (struct hk_stream *)(void *)object;

    (void)rights;
    hk_peer_released(cpu, object, &stream->readers);
    hk_peer_released(cpu, object, &stream->writers);
}

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The part of a buffer that begins at an offset. */
static struct hk_buffer part_of(const struct hk_buffer *buffer, uint64_t offset, uint64_t bytes)
{
    return (struct hk_buffer){ buffer->space, buffer->address + offset, bytes };
}

/* Bytes into the stream, as many as there is room for; around its end in two parts. */
static enum hk_status put(struct hk_cpu *cpu, struct hk_stream *stream,
                          const struct hk_buffer *data, uint64_t *taken_bytes)
{
    unsigned char *page = hk_window(cpu->kernel, stream->buffer);
    uint64_t room_bytes = HK_STREAM_BYTES - (stream->written - stream->read);
    uint64_t bytes = min(room_bytes, data->bytes);
    uint64_t at = stream->written % HK_STREAM_BYTES;
    struct hk_buffer first = part_of(data, 0, min(bytes, HK_STREAM_BYTES - at));
    struct hk_buffer second = part_of(data, first.bytes, bytes - first.bytes);
    enum hk_status status;

    if (bytes == 0)
        return HK_EFULL;
    status = hk_buffer_read(cpu->kernel, &first, page + at);
    if (status == HK_OK && second.bytes > 0)
        status = hk_buffer_read(cpu->kernel, &second, page);
    if (status != HK_OK)
        return status;
    stream->written += (uint32_t)bytes;
    *taken_bytes = bytes;
    return HK_OK;
}

enum hk_status hk_stream_write(struct hk_cpu *cpu, struct hk_stream *stream,
                               const struct hk_buffer *data, uint64_t *taken_bytes)
{
    while (stream->readers.first != NULL) {
        struct hk_buffer part = part_of(data, 0, min(data->bytes,
                                                     stream->readers.first->wait.bytes));
        enum hk_status status = hk_message_deliver(cpu, &stream->readers, 0, &part);

        if (status == HK_OK)
            *taken_bytes = part.bytes;
        if (status != HK_EEMPTY)
            return status;
    }
    return put(cpu, stream, data, taken_bytes);
}

/* There is room: sleeping writers fill it, in their order. */
static void admit(struct hk_cpu *cpu, struct hk_stream *stream)
{
    while (stream->writers.first != NULL) {
        struct hk_thread *thread = stream->writers.first;
        struct hk_buffer data = hk_buffer_user(&thread->process->space, thread->wait.address,
                                               thread->wait.bytes);
        uint64_t taken_bytes = 0;
        enum hk_status status = put(cpu, stream, &data, &taken_bytes);

        if (status == HK_EFULL)
            return;
        hk_thread_wake(cpu, thread, status == HK_OK ? (hk_result)taken_bytes : status);
    }
}

enum hk_status hk_stream_read(struct hk_cpu *cpu, struct hk_stream *stream,
                              const struct hk_buffer *room, uint64_t *got_bytes)
{
    const unsigned char *page = hk_window(cpu->kernel, stream->buffer);
    uint64_t bytes = min(stream->written - stream->read, room->bytes);
    uint64_t at = stream->read % HK_STREAM_BYTES;
    struct hk_buffer first = part_of(room, 0, min(bytes, HK_STREAM_BYTES - at));
    struct hk_buffer second = part_of(room, first.bytes, bytes - first.bytes);
    enum hk_status status;

    if (bytes == 0)
        return HK_EEMPTY;
    status = hk_buffer_write(cpu->kernel, &first, page + at, first.bytes);
    if (status == HK_OK && second.bytes > 0)
        status = hk_buffer_write(cpu->kernel, &second, page, second.bytes);
    if (status != HK_OK)
        return status;
    stream->read += (uint32_t)bytes;
    admit(cpu, stream);
    *got_bytes = bytes;
    return HK_OK;
}

static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, struct hk_stream **stream)
{
    struct hk_object *object;
    enum hk_status status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_STREAM,
                                        HK_RIGHT_STREAM, &object);

    if (status == HK_OK)
        *stream = (struct hk_stream *)(void *)object;
    return status;
}

/* stream_create() -> handle */
hk_result hk_sys_stream_create(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                               uint64_t e)
{
    struct hk_stream *stream;
    enum hk_status status = hk_stream_create(cpu, &stream);

    (void)a, (void)b, (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_cap_give(cpu, &stream->object, HK_RIGHT_STREAM | HK_RIGHT_COPY)
                           : status;
}

/* stream_write(stream, data, bytes, timeout_ns) -> bytes taken */
hk_result hk_sys_stream_write(struct hk_cpu *cpu, uint64_t handle, uint64_t address,
                              uint64_t bytes, uint64_t timeout_ns, uint64_t e)
{
    struct hk_buffer data = hk_buffer_user(&cpu->current->process->space, address, bytes);
    struct hk_stream *stream;
    uint64_t taken_bytes;
    enum hk_status status = find(cpu, handle, &stream);

    (void)e;
    if (status != HK_OK || bytes == 0)
        return status;
    status = hk_stream_write(cpu, stream, &data, &taken_bytes);
    if (status == HK_OK)
        return (hk_result)taken_bytes;
    if (status != HK_EFULL || timeout_ns == HK_TIMEOUT_NOW)
        return status;
    if (hk_peer_gone(stream->object.references, cpu->current))
        return HK_EPEER;
    hk_message_block(cpu, &stream->writers, &data, 0, timeout_ns);
    return HK_OK;
}

/* stream_read(stream, data, capacity, timeout_ns) -> bytes */
hk_result hk_sys_stream_read(struct hk_cpu *cpu, uint64_t handle, uint64_t address,
                             uint64_t capacity, uint64_t timeout_ns, uint64_t e)
{
    struct hk_buffer room = hk_buffer_user(&cpu->current->process->space, address, capacity);
    struct hk_stream *stream;
    uint64_t got_bytes;
    enum hk_status status = find(cpu, handle, &stream);

    (void)e;
    if (status != HK_OK || capacity == 0)
        return status;
    status = hk_stream_read(cpu, stream, &room, &got_bytes);
    if (status == HK_OK)
        return (hk_result)got_bytes;
    if (status != HK_EEMPTY || timeout_ns == HK_TIMEOUT_NOW)
        return status;
    if (hk_peer_gone(stream->object.references, cpu->current))
        return HK_EPEER;
    hk_message_block(cpu, &stream->readers, &room, 0, timeout_ns);
    return HK_OK;
}

static inline bool within_page(uint64_t address, uint64_t bytes)
{
    return address / HK_PAGE_BYTES == (address + bytes - 1) / HK_PAGE_BYTES;
}

/* Both halves in the general way. */
static __attribute__((noinline)) hk_result exchange_in_steps(struct hk_cpu *cpu, uint64_t out,
                                                             uint64_t in, uint64_t data,
                                                             uint64_t bytes, uint64_t capacity)
{
    hk_result written;

    if (bytes == 0 || capacity == 0)
        return HK_EINVAL;
    written = hk_sys_stream_write(cpu, out, data, bytes, HK_TIMEOUT_NOW, 0);
    return written < 0 ? written
                       : hk_sys_stream_read(cpu, in, data, capacity, HK_TIMEOUT_NONE, 0);
}

/*
 * stream_exchange(out, in, data, bytes, capacity): write, then read into the same
 * buffer. When the write meets a sleeping reader and the read has to wait, the CPU
 * goes straight to that reader: the two calls and two switches of a round trip
 * through two streams become one call and one switch on either side. That takes a
 * message within the page each side used last, and a reader without a time-out.
 */
hk_result hk_sys_stream_exchange(struct hk_cpu *cpu, uint64_t out, uint64_t in, uint64_t data,
                                 uint64_t bytes, uint64_t capacity)
{
    struct hk_thread *self = cpu->current, *reader;
    struct hk_stream *to, *from;
    void *source, *target;

    if (!hk_cap_has(self, out, HK_RIGHT_STREAM) || !hk_cap_has(self, in, HK_RIGHT_STREAM))
        goto steps;
    to = (struct hk_stream *)(void *)self->caps[out].object;
    from = (struct hk_stream *)(void *)self->caps[in].object;
    reader = to->readers.first;
    if (reader == NULL || reader->flags != 0 || bytes > reader->wait.bytes || bytes == 0 ||
        !within_page(data, bytes) || !within_page(reader->wait.address, bytes))
        goto steps;
    /* one reference to the stream read from is our own: alone we would wait for nobody; and with
     * others ready, the policy says who comes next */
    if (from->written != from->read || from->object.references == 1 || cpu->run.count > 0 ||
        capacity == 0)
        goto steps;
    source = hk_space_window(&self->process->space, data, HK_MAP_READ);
    target = hk_space_window(&reader->process->space, reader->wait.address, HK_MAP_WRITE);
    if (source == NULL || target == NULL)
        goto steps;
    hk_copy_inline(target, source, bytes);
    hk_wait_queue_remove(reader);
    reader->frame.rax = bytes;
    hk_sched_hand_over(cpu, reader);
    self->state = HK_THREAD_WAITING;
    self->wait.address = data;
    self->wait.bytes = capacity;
    hk_wait_queue_append(&from->readers, self);
    return HK_OK;
steps:
    return exchange_in_steps(cpu, out, in, data, bytes, capacity);
}
