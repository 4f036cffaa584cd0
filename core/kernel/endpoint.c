/* SPDX-License-Identifier: MIT */
#include "kernel/endpoint.h"

#include "kernel/composition.h"
#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "kernel/pager.h"
#include "port/port.h"

/* What the classes of abi.h do; the row number is the class. */
struct ipc_class {
    uint32_t words_max;
    bool reply;   /* first: answer the client served */
    bool receive; /* then: wait for a message */
    bool send;    /* or: give a message */
    bool call;    /* and wait for its reply */
    bool timed;   /* no longer than ipc_timeout_ns */
};

static const struct ipc_class classes[] = {
    [0] = { HK_MESSAGE_SHORT_WORDS, .send = true, .call = true },            /* CALL */
    [1] = { HK_MESSAGE_SHORT_WORDS, .reply = true, .receive = true },        /* REPLY_WAIT */
    [2] = { HK_MESSAGE_REGISTER_WORDS, .send = true, .call = true },         /* CALL_LONG */
    [3] = { HK_MESSAGE_REGISTER_WORDS, .reply = true, .receive = true },     /* REPLY_WAIT_LONG */
    [4] = { HK_MESSAGE_WORDS_MAX, .send = true, .call = true, .timed = true }, /* CALL_ANY */
    [5] = { HK_MESSAGE_WORDS_MAX, .reply = true, .receive = true, .timed = true },
    [6] = { HK_MESSAGE_WORDS_MAX, .send = true, .timed = true },             /* SEND */
    [7] = { 0, .receive = true, .timed = true },                             /* RECEIVE */
    [8] = { HK_MESSAGE_WORDS_MAX, .reply = true },                           /* REPLY */
};

_Static_assert(HK_IPC_REPLY == -8 * HK_IPC_CLASS_WORDS, "rows of classes[] are the ABI's classes");

/* Restore what slot promises (endpoint.h) after the queue or the events changed. */
static void update_slot(struct hk_endpoint *endpoint)
{
    bool waiting = endpoint->queue.first != NULL || endpoint->events != NULL;

    endpoint->slot = waiting ? HK_SLOT_QUEUED : NULL;
}

static bool slot_is_thread(const struct hk_endpoint *endpoint)
{
    return endpoint->slot != NULL && endpoint->slot != HK_SLOT_QUEUED;
}

/* Take the receiver that has waited longest, or NULL. */
static struct hk_thread *take_receiver(struct hk_cpu *cpu, struct hk_endpoint *endpoint)
{
    struct hk_thread *receiver = slot_is_thread(endpoint) ? endpoint->slot : endpoint->queue.first;

    if (receiver == NULL || receiver->state != HK_THREAD_RECEIVING)
        return NULL;
    hk_endpoint_leave(cpu, receiver);
    hk_deadline_disarm(cpu, &receiver->deadline);
    receiver->flags &= ~HK_THREAD_TIMED;
    return receiver;
}

static void add_receiver(struct hk_endpoint *endpoint, struct hk_thread *thread)
{
    if (endpoint->slot == NULL) {
        endpoint->slot = thread;
        return;
    }
    if (slot_is_thread(endpoint))
        hk_wait_queue_append(&endpoint->queue, endpoint->slot);
    hk_wait_queue_append(&endpoint->queue, thread);
    endpoint->slot = HK_SLOT_QUEUED;
}

void hk_endpoint_leave(struct hk_cpu *cpu, struct hk_thread *thread)
{
    struct hk_endpoint *endpoint = thread->endpoint;

    (void)cpu;
    thread->endpoint = NULL;
    if (endpoint->slot == thread) {
        endpoint->slot = NULL;
        return;
    }
    hk_wait_queue_remove(thread);
    update_slot(endpoint);
}

/* Registers and IPC page of one thread to another. */
static void deliver(struct hk_kernel *kernel, const struct hk_thread *from, struct hk_thread *to,
                    uint64_t words, uint64_t badge)
{
    uint64_t in_registers = words > HK_MESSAGE_SHORT_WORDS ? HK_MESSAGE_REGISTER_WORDS
                                                           : HK_MESSAGE_SHORT_WORDS;

    for (uint64_t i = 0; i < HK_MESSAGE_REGISTER_WORDS; i++)
        to->frame.word[i] = i < in_registers ? from->frame.word[i] : 0;
    if (words > HK_MESSAGE_REGISTER_WORDS)
        hk_port_copy(hk_window(kernel, to->ipc_page), hk_window(kernel, from->ipc_page),
                     (words - HK_MESSAGE_REGISTER_WORDS) * sizeof(uint64_t));
    to->frame.rax = words;
    to->frame.rdi = badge;
}

/* client waits for server's reply from here on, and server runs on its budget */
static void begin_service(struct hk_thread *client, struct hk_thread *server)
{
    client->state = HK_THREAD_CALLED;
    client->server = server;
    server->client = client;
    server->budget = client->budget;
}

/* No receiver is there: the current thread waits for one; words and badge are in its wait. */
static void queue_sender(struct hk_cpu *cpu, struct hk_endpoint *endpoint, bool wants_reply)
{
    struct hk_thread *self = cpu->current;

    self->state = HK_THREAD_SENDING;
    self->endpoint = endpoint;
    self->wait.wants_reply = wants_reply;
    hk_wait_queue_append(&endpoint->queue, self);
    update_slot(endpoint);
}

void hk_endpoint_fault(struct hk_cpu *cpu, struct hk_endpoint *endpoint)
{
    struct hk_thread *self = cpu->current;
    struct hk_thread *receiver = take_receiver(cpu, endpoint);

    if (receiver == NULL) {
        queue_sender(cpu, endpoint, true);
    } else {
        hk_pager_deliver(self, receiver);
        begin_service(self, receiver);
        hk_sched_hand_over(cpu, receiver);
    }
    cpu->exit_work |= HK_WORK_SCHEDULE;
}

static enum hk_status give(struct hk_cpu *cpu, const struct ipc_class *class, uint64_t words)
{
    struct hk_thread *self = cpu->current;
    struct hk_endpoint *endpoint;
    struct hk_object *object;
    struct hk_thread *receiver;
    uint64_t badge;
    enum hk_status status = hk_cap_find(self->process, self->frame.rdi, HK_OBJECT_ENDPOINT,
                                        HK_RIGHT_CALL, &object);

    if (status != HK_OK)
        return status;
    endpoint = (struct hk_endpoint *)(void *)object;
    badge = self->caps[self->frame.rdi].badge;
    if (endpoint->receive_capabilities == 0)
        return HK_EPEER;
    if (endpoint->instance != NULL) {
        uint64_t reply_words = (uint64_t)hk_instance_call(endpoint->instance, self, badge);

        /* whoever sends one way is told no more than a server's client is: that it arrived */
        self->frame.rax = class->call ? reply_words : 0;
        self->frame.rdi = 0;
        return HK_OK;
    }
    receiver = take_receiver(cpu, endpoint);
    if (receiver == NULL) {
        if (class->timed && self->ipc_timeout_ns == HK_TIMEOUT_NOW)
            return HK_ETIMEOUT;
        self->wait.badge = badge;
        self->wait.words = words;
        queue_sender(cpu, endpoint, class->call);
    } else {
        deliver(cpu->kernel, self, receiver, words, badge);
        if (!class->call) {
            receiver->budget = &receiver->own_budget;
            hk_sched_ready(cpu, receiver);
            return HK_OK;
        }
        begin_service(self, receiver);
        hk_sched_hand_over(cpu, receiver);
    }
    cpu->exit_work |= HK_WORK_SCHEDULE;
    if (class->timed)
        hk_thread_time(cpu, self, self->ipc_timeout_ns);
    return HK_OK;
}

static enum hk_status reply(struct hk_cpu *cpu, uint64_t words)
{
    struct hk_thread *self = cpu->current;
    struct hk_thread *client = self->client;

    bool faulted;

    if (client == NULL)
        return HK_EPEER;
    faulted = client->flags & HK_THREAD_FAULTED;
    hk_thread_wake(cpu, client, (hk_result)words); /* ends the service: self->client is NULL */
    if (!faulted)
        deliver(cpu->kernel, self, client, words, 0);
    return HK_OK;
}

/* A message from the kernel: how often its source fired since the last one. */
static void deliver_event(struct hk_thread *to, uint64_t badge, uint64_t count)
{
    hk_port_zero(to->frame.word, sizeof(to->frame.word));
    to->frame.rax = 1;
    to->frame.rdi = badge;
    to->frame.word[0] = count;
}

static enum hk_status take(struct hk_cpu *cpu, const struct ipc_class *class)
{
    struct hk_thread *self = cpu->current;
    struct hk_endpoint *endpoint;
    struct hk_object *object;
    struct hk_thread *sender;
    enum hk_status status = hk_cap_find(self->process, self->frame.rdi, HK_OBJECT_ENDPOINT,
                                        HK_RIGHT_RECEIVE, &object);

    if (status != HK_OK)
        return status;
    if (self->client != NULL)
        hk_thread_wake(cpu, self->client, HK_EPEER);
    endpoint = (struct hk_endpoint *)(void *)object;
    if (endpoint->events != NULL) {
        struct hk_event *event = endpoint->events;

        deliver_event(self, event->badge, event->count);
        hk_event_cancel(event);
        return HK_OK;
    }
    sender = endpoint->queue.first;
    if (sender != NULL && sender->state == HK_THREAD_SENDING) {
        if (sender->flags & HK_THREAD_FAULTED)
            hk_pager_deliver(sender, self);
        else
            deliver(cpu->kernel, sender, self, sender->wait.words, sender->wait.badge);
        if (sender->wait.wants_reply) {
            hk_endpoint_leave(cpu, sender);
            begin_service(sender, self);
        } else {
            hk_thread_wake(cpu, sender, HK_OK);
        }
        return HK_OK;
    }
    if (class->timed && self->ipc_timeout_ns == HK_TIMEOUT_NOW)
        return HK_ETIMEOUT;
    self->state = HK_THREAD_RECEIVING;
    self->endpoint = endpoint;
    add_receiver(endpoint, self);
    cpu->exit_work |= HK_WORK_SCHEDULE;
    if (class->timed)
        hk_thread_time(cpu, self, self->ipc_timeout_ns);
    return HK_OK;
}

void hk_ipc(struct hk_cpu *cpu)
{
    struct hk_thread *self = cpu->current;
    struct hk_frame *frame = &self->frame;
    int64_t tag = (int64_t)frame->rax;
    uint64_t number, words;
    enum hk_status status = HK_OK;

    if (tag > 0 ? tag >= HK_IPC_CLASS_WORDS : tag < HK_IPC_REPLY) {
        frame->rax = (uint64_t)HK_ENOSYS;
        return;
    }
    number = tag >= 0 ? 0 : (uint64_t)(-tag + HK_IPC_CLASS_WORDS - 1) / HK_IPC_CLASS_WORDS;
    words = (uint64_t)tag + number * HK_IPC_CLASS_WORDS;
    if (words > classes[number].words_max) {
        frame->rax = (uint64_t)HK_ETOOBIG;
        return;
    }
    frame->rax = 0;
    if (classes[number].reply)
        status = reply(cpu, words);
    if (classes[number].receive)
        status = take(cpu, &classes[number]); /* a client that is gone does not stop a server */
    if (classes[number].send)
        status = give(cpu, &classes[number], words);
    if (status != HK_OK) {
        frame->rax = (uint64_t)status;
        frame->rdi = 0;
    }
}

void hk_event_raise(struct hk_cpu *cpu, struct hk_event *event)
{
    struct hk_endpoint *endpoint = event->endpoint;
    struct hk_event **last = &endpoint->events;
    struct hk_thread *receiver;

    if (event->count++ > 0)
        return;
    if (endpoint->instance != NULL) {
        event->count = 0;
        hk_instance_event(endpoint->instance, event->badge, 1);
        return;
    }
    receiver = take_receiver(cpu, endpoint);
    if (receiver != NULL) {
        receiver->budget = &receiver->own_budget;
        deliver_event(receiver, event->badge, event->count);
        event->count = 0;
        hk_sched_ready(cpu, receiver);
        return;
    }
    while (*last != NULL)
        last = &(*last)->next;
    *last = event;
    event->next = NULL;
    update_slot(endpoint);
}

void hk_event_cancel(struct hk_event *event)
{
    struct hk_event **link;

    if (event->endpoint == NULL || event->count == 0)
        return;
    event->count = 0;
    for (link = &event->endpoint->events; *link != NULL; link = &(*link)->next) {
        if (*link != event)
            continue;
        *link = event->next;
        break;
    }
    if (!slot_is_thread(event->endpoint))
        update_slot(event->endpoint);
}

void hk_endpoint_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights)
{
    struct hk_endpoint *endpoint = (struct hk_endpoint *)(void *)object;

    if (!(rights & HK_RIGHT_RECEIVE) || --endpoint->receive_capabilities > 0)
        return;
    hk_irq_unbind(cpu, endpoint);
    hk_answers_forget(&cpu->kernel->answers, endpoint);
    while (endpoint->queue.first != NULL)
        hk_thread_wake(cpu, endpoint->queue.first, HK_EPEER);
    if (slot_is_thread(endpoint))
        hk_thread_wake(cpu, endpoint->slot, HK_EPEER);
}

void hk_endpoint_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    /* every waiter was woken when the last receive capability went; calls came from capabilities */
    hk_irq_unbind(cpu, (struct hk_endpoint *)(void *)object);
}

enum hk_status hk_endpoint_create(struct hk_cpu *cpu, struct hk_endpoint **endpoint)
{
    struct hk_object *object;
    enum hk_status status = hk_object_create(cpu->kernel, HK_OBJECT_ENDPOINT, &object);

    if (status == HK_OK)
        *endpoint = (struct hk_endpoint *)(void *)object;
    return status;
}

hk_result hk_sys_endpoint_create(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c,
                                 uint64_t d, uint64_t e)
{
    struct hk_endpoint *endpoint;
    uint64_t handle;
    enum hk_status status = hk_endpoint_create(cpu, &endpoint);

    (void)a, (void)b, (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    status = hk_cap_insert(cpu->current->process, &endpoint->object,
                           HK_RIGHT_CALL | HK_RIGHT_RECEIVE | HK_RIGHT_COPY, 0, &handle);
    hk_object_release(cpu, &endpoint->object);
    return status == HK_OK ? (hk_result)handle : status;
}
