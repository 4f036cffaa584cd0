/* SPDX-License-Identifier: MIT */
/*
 * Message bytes on their way: from a user or from the kernel, into an object or
 * straight to a thread that sleeps for them. And when to stop sleeping because
 * nobody is left who could send.
 */
#ifndef HK_KERNEL_MESSAGE_H
#define HK_KERNEL_MESSAGE_H

#include "kernel/space.h"
#include "kernel/thread.h"
#include "kernel/types.h"
#include "port/port.h"

/* Bytes of a user or, with space NULL, of the kernel. */
struct hk_buffer {
    struct hk_space *space;
    uint64_t address;
    uint64_t bytes;
};

static inline struct hk_buffer hk_buffer_user(struct hk_space *space, uint64_t address,
                                              uint64_t bytes)
{
    return (struct hk_buffer){ space, address, bytes };
}

static inline struct hk_buffer hk_buffer_kernel(const void *memory, uint64_t bytes)
{
    return (struct hk_buffer){ NULL, (uintptr_t)memory, bytes };
}

/* Copy a whole buffer into kernel memory. HK_OK; HK_EFAULT. */
static inline enum hk_status hk_buffer_read(struct hk_kernel *kernel,
                                            const struct hk_buffer *from, void *to)
{
    if (from->space != NULL)
        return hk_space_read(kernel, from->space, from->address, to, from->bytes);
    hk_port_copy(to, (const void *)(uintptr_t)from->address, from->bytes);
    return HK_OK;
}

/* Copy kernel memory to the start of a buffer; the caller checked its size. HK_OK; HK_EFAULT. */
static inline enum hk_status hk_buffer_write(struct hk_kernel *kernel, const struct hk_buffer *to,
                                             const void *from, uint64_t bytes)
{
    if (to->space != NULL)
        return hk_space_write(kernel, to->space, to->address, from, bytes);
    hk_port_copy((void *)(uintptr_t)to->address, from, bytes);
    return HK_OK;
}

/*
 * Put the caller to sleep until a message comes or, for a sender, until there is room.
 *
 * buffer  [in]  the user's, to be filled or read by the waker
 * word    [in]  kept in thread->wait.word for the object
 */
void hk_message_block(struct hk_cpu *cpu, struct hk_wait_queue *queue,
                      const struct hk_buffer *buffer, uint64_t word, uint64_t timeout_ns);

/*
 * Hand a message to the first sleeper it is for, which returns from its call.
 * Sleepers that cannot take it (bad address, too little room) return with the
 * reason and the message goes to the next.
 *
 * to    [in]  pid, 0 for whoever comes first
 * data  [in]  the message
 *
 * Returns HK_OK when one took it; HK_EEMPTY when nobody waits for it; HK_EFAULT when
 * the sender's memory is bad. Cost O(sleepers) plus the copy.
 */
enum hk_status hk_message_deliver(struct hk_cpu *cpu, struct hk_wait_queue *queue, uint32_t to,
                                  const struct hk_buffer *data);

/*
 * Whether a thread that goes to sleep at an object could never be woken: its
 * process has no other thread and nobody else has a capability for the object.
 *
 * references  [in]  capabilities that are left
 */
bool hk_peer_gone(uint32_t references, const struct hk_thread *thread);

/* A capability for the object goes: sleepers that are left alone return HK_EPEER. */
void hk_peer_released(struct hk_cpu *cpu, const struct hk_object *object,
                      struct hk_wait_queue *queue);

#endif
