/* SPDX-License-Identifier: MIT */
#include "kernel/message.h"

#include "kernel/kernel.h"

void hk_message_block(struct hk_cpu *cpu, struct hk_wait_queue *queue,
                      const struct hk_buffer *buffer, uint64_t word, uint64_t timeout_ns)
{
    struct hk_thread *self = cpu->current;

    self->wait.address = buffer->address;
    self->wait.bytes = buffer->bytes;
    self->wait.word = word;
    hk_wait_block(cpu, queue, timeout_ns);
}

/* Whether every byte of a buffer can be read; only asked after a copy failed. */
static bool readable(struct hk_kernel *kernel, const struct hk_buffer *buffer)
{
    uint64_t end = buffer->address + buffer->bytes;
    void *window;

    if (buffer->space == NULL)
        return true;
    if (end < buffer->address)
        return false;
    for (uint64_t at = buffer->address; at < end; at = (at | (HK_PAGE_BYTES - 1)) + 1)
        if (hk_space_find(kernel, buffer->space, at, HK_MAP_READ, &window) != HK_OK)
            return false;
    return true;
}

static enum hk_status copy_to(struct hk_kernel *kernel, struct hk_thread *thread,
                              const struct hk_buffer *data)
{
    struct hk_space *space = &thread->process->space;
    uint64_t address = thread->wait.address;

    if (data->bytes > thread->wait.bytes)
        return HK_ETOOBIG;
    if (data->space != NULL)
        return hk_space_copy(kernel, space, address, data->space, data->address, data->bytes);
    return hk_space_write(kernel, space, address, (const void *)(uintptr_t)data->address,
                          data->bytes);
}

enum hk_status hk_message_deliver(struct hk_cpu *cpu, struct hk_wait_queue *queue, uint32_t to,
                                  const struct hk_buffer *data)
{
    struct hk_thread *next;

    for (struct hk_thread *thread = queue->first; thread != NULL; thread = next) {
        enum hk_status status;

        next = thread->next;
        if (to != 0 && thread->process->pid != to)
            continue;
        status = copy_to(cpu->kernel, thread, data);
        if (status == HK_EFAULT && !readable(cpu->kernel, data))
            return HK_EFAULT;
        hk_thread_wake(cpu, thread, status == HK_OK ? (hk_result)data->bytes : status);
        if (status == HK_OK)
            return HK_OK;
    }
    return HK_EEMPTY;
}

bool hk_peer_gone(uint32_t references, const struct hk_thread *thread)
{
    return references <= 1 && thread->process->threads == thread &&
           thread->process_next == NULL;
}

void hk_peer_released(struct hk_cpu *cpu, const struct hk_object *object,
                      struct hk_wait_queue *queue)
{
    /* The capability that goes still counts. Whoever is left sleeps in one process. */
    if (queue->first != NULL && hk_peer_gone(object->references - 1, queue->first))
        hk_wait_wake_all(cpu, queue, HK_EPEER);
}
