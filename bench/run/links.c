/* SPDX-License-Identifier: MIT */
#include "links.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hk/base/units.h"

static size_t round_to_page(size_t bytes)
{
    return (bytes + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES * HK_PAGE_BYTES;
}

static enum hk_status read_name(struct hk_task *task, struct hk_links *l)
{
    char transport[48], policy[16];
    const int64_t bytes = hk_task_int(task, "bytes", -1);

    if (hk_name_part(task->name, 2, transport, sizeof transport) != HK_OK ||
        hk_transport_find(transport, &l->transport) != HK_OK)
        return hk_task_refuse(task, HK_ENOENT,
                              "no transport of that name; hkbench list transports shows them");
    if (bytes < 0 || (uint64_t)bytes > l->transport->message_bytes_max)
        return hk_task_refuse(task, HK_EINVAL, "%s carries messages of 0 to %zu bytes", transport,
                              l->transport->message_bytes_max);
    l->bytes = (size_t)bytes;
    l->reply_bytes = strcmp(transport, "null") == 0 ? 0 : l->bytes;
    l->capacity = l->bytes == 0 ? 1 : l->bytes;
    l->batch = hk_name_text(task->name, "policy", policy, sizeof policy) == HK_OK;
    if (l->batch && strcmp(policy, "batch") != 0)
        return hk_task_refuse(task, HK_EINVAL, "the policy is batch, or not said");
    return HK_OK;
}

/* What the transport claims of one pair, for `servers` in a chain. */
static struct hk_expectation expectation(const struct hk_task *task, const struct hk_links *l,
                                         double servers)
{
    const struct hk_transport_claim *c = &l->transport->claim;
    const bool same_core = task->cpus[0] == task->cpus[1];
    struct hk_expectation e = HK_EXPECT_NOTHING;

    /* An empty message has no pages to move, and an empty packet is told from a closed socket. */
    if (l->bytes > HK_SHORT_MESSAGE_BYTES || l->bytes == 0)
        return e;
    if (same_core && c->same_core_switches_min >= 0)
        e.switches_min = servers * c->same_core_switches_min;
    e.client_syscalls_min = c->client_syscalls_min;
    e.client_syscalls_max = c->client_syscalls_max;
    /*
     * A server in the middle is a client too, and the one it wakes may preempt it before it
     * sleeps: more switches than hops, as the scheduler likes. Under SCHED_BATCH it may not.
     */
    if (servers > 1 && !l->batch)
        return e;
    e.switches_max = servers * (same_core ? c->same_core_switches_max : c->cross_core_switches_max);
    e.server_syscalls_min =
        servers * c->server_syscalls_min + (servers - 1) * c->client_syscalls_min;
    e.server_syscalls_max =
        servers * c->server_syscalls_max + (servers - 1) * c->client_syscalls_max;
    return e;
}

static enum hk_status open_links(struct hk_task *task, struct hk_links *l, size_t count)
{
    const struct hk_transport_options options = {.message_bytes = l->capacity};

    for (l->count = 0; l->count < count; l->count++) {
        const enum hk_status status =
            hk_link_open(l->transport, &options, &l->links[l->count]);
        if (status != HK_OK)
            return hk_task_refuse(task, status, "%s cannot be opened for %zu bytes: %s",
                                  l->transport->name, l->bytes, hk_status_text(status));
    }
    return HK_OK;
}

enum hk_status hk_links_open(struct hk_task *task, size_t count, bool chain)
{
    struct hk_links *l = calloc(1, sizeof *l);

    if (l == NULL)
        return HK_ENOMEM;
    task->state = l;
    l->chain = chain;
    l->loop = hk_links_echo;
    l->polling_fd = -1;
    enum hk_status status = read_name(task, l);
    if (status == HK_OK)
        status = hk_task_place(task);
    if (status == HK_OK)
        status = hk_transport_probe(l->transport, task->reason);
    if (status != HK_OK)
        return status;
    const bool alone = (l->transport->flags & (HK_TRANSPORT_LOCAL | HK_TRANSPORT_THREADS)) != 0;
    if (alone && count > 1)
        return hk_task_refuse(task, HK_ENOTSUP, "%s has no server process", l->transport->name);
    if ((l->transport->flags & HK_TRANSPORT_TWO_CPUS) != 0 && task->cpus[0] == task->cpus[1])
        return hk_task_refuse(task, HK_ENOTSUP, "%s spins: it needs two CPUs", l->transport->name);
    l->request = aligned_alloc(HK_PAGE_BYTES, round_to_page(l->capacity));
    l->reply = aligned_alloc(HK_PAGE_BYTES, round_to_page(l->capacity));
    if (l->request == NULL || l->reply == NULL)
        return HK_ENOMEM;
    hk_fill(l->request, l->capacity, task->seed);
    hk_fill(l->reply, l->capacity, ~task->seed);
    l->out = l->request;
    l->in = l->reply;
    task->expected = expectation(task, l, (double)count);
    task->server_count = alone ? 0 : count;
    task->threads = (l->transport->flags & HK_TRANSPORT_THREADS) != 0;
    task->spins = (l->transport->flags & HK_TRANSPORT_TWO_CPUS) != 0;
    return open_links(task, l, count);
}

void hk_links_close(struct hk_task *task)
{
    struct hk_links *l = task->state;

    if (l == NULL)
        return;
    for (size_t i = 0; i < l->count; i++)
        hk_link_close(&l->links[i]);
    if (l->polling_fd >= 0)
        close(l->polling_fd);
    free(l->request);
    free(l->reply);
    free(l);
    task->state = NULL;
}

/* Under SCHED_BATCH who is woken waits until its waker sleeps: a hop is one switch. */
static enum hk_status take_policy(struct hk_task *task)
{
    const struct hk_links *l = task->state;
    const struct sched_param parameter = {0};

    if (!l->batch || sched_setscheduler(0, SCHED_BATCH, &parameter) == 0)
        return HK_OK;
    return hk_task_refuse(task, HK_ENOTSUP, "SCHED_BATCH is refused here; leave policy:batch out");
}

static inline void burn(const struct hk_clock *clock, const _Atomic uint64_t *delay_ticks)
{
    if (delay_ticks != NULL)
        hk_clock_spin(clock, atomic_load_explicit(delay_ticks, memory_order_relaxed));
}

/* Where a server's handler forwards to. */
struct hop {
    const struct hk_clock *clock;
    const _Atomic uint64_t *delay_ticks; /* NULL: none */
    struct hk_link *next;                /* NULL: answers itself */
};

/* The service does nothing: what is measured is the way to it. */
static enum hk_status echo(void *context, void *buffer, size_t capacity, size_t request_bytes,
                           size_t *reply_bytes)
{
    const struct hop *hop = context;
    enum hk_status status = HK_OK;

    if (hop->next == NULL) {
        *reply_bytes = request_bytes;
    } else {
        burn(hop->clock, hop->delay_ticks);
        status = hk_link_call(hop->next, buffer, request_bytes, buffer, capacity, reply_bytes);
    }
    burn(hop->clock, hop->delay_ticks);
    return status;
}

enum hk_status hk_links_echo(struct hk_task *task, struct hk_link *link, size_t server)
{
    struct hk_links *l = task->state;
    struct hop hop = {.clock = &task->clock, .delay_ticks = l->delay_ticks};
    unsigned char *own = aligned_alloc(HK_PAGE_BYTES, round_to_page(l->capacity));
    unsigned char *message = hk_link_message(link, HK_SERVER);
    unsigned char *buffer = message != NULL ? message : own;
    enum hk_status status = HK_OK;

    if (own == NULL)
        return HK_ENOMEM;
    memset(buffer, 0, l->capacity); /* first touches stay out of the first round trips */
    if (l->chain && server + 1 < l->count) {
        hop.next = &l->links[server + 1];
        status = hk_link_attach(hop.next, HK_CLIENT);
    }
    if (status == HK_OK)
        status = hk_link_serve(link, buffer, l->capacity, echo, &hop);
    if (hop.next != NULL)
        hk_link_finish(hop.next);
    free(own);
    return status;
}

static enum hk_status attach_and_serve(struct hk_task *task, size_t server)
{
    struct hk_links *l = task->state;
    enum hk_status status = take_policy(task);

    if (status == HK_OK)
        status = hk_link_attach(&l->links[server], HK_SERVER);
    return status == HK_OK ? l->loop(task, &l->links[server], server) : status;
}

enum hk_status hk_links_serve(struct hk_task *task, size_t server)
{
    struct hk_links *l = task->state;

    /* An end held here that belongs to others would hide their death. */
    for (size_t i = 0; i < l->count; i++)
        if (i != server && !(l->chain && i == server + 1))
            hk_link_close(&l->links[i]);
    return attach_and_serve(task, server);
}

static void *serve_thread(void *context)
{
    struct hk_task *task = context;

    if (hk_pin(task->cpus[1]) == HK_OK)
        attach_and_serve(task, 0);
    return NULL;
}

/* What a transport moves without a copy it moves from its own memory, and to it. */
static void use_message(struct hk_links *l)
{
    unsigned char *message = hk_link_message(&l->links[0], HK_CLIENT);

    if (message == NULL)
        return;
    memcpy(message, l->request, l->bytes);
    l->out = message;
    l->in = message;
}

enum hk_status hk_links_enter(struct hk_task *task)
{
    struct hk_links *l = task->state;

    for (size_t i = 1; i < l->count; i++)
        hk_link_close(&l->links[i]);
    if (task->threads) {
        if (pthread_create(&l->thread, NULL, serve_thread, task) != 0)
            return hk_task_refuse(task, HK_ENOMEM, "no thread for the server");
        l->thread_started = true;
    }
    if ((l->transport->flags & HK_TRANSPORT_LOCAL) != 0) {
        static const struct hop no_hop; /* answers itself, without delay */
        l->links[0].inline_handler = echo;
        l->links[0].inline_context = (void *)(uintptr_t)&no_hop;
    }
    enum hk_status status = take_policy(task);
    if (status == HK_OK)
        status = hk_link_attach(&l->links[0], HK_CLIENT);
    if (status == HK_OK)
        use_message(l);
    return status;
}

enum hk_status hk_links_leave(struct hk_task *task)
{
    struct hk_links *l = task->state;
    const enum hk_status status = hk_link_finish(&l->links[0]);

    if (l->thread_started)
        pthread_join(l->thread, NULL);
    return status;
}

enum hk_status hk_links_run(struct hk_task *task, uint64_t n)
{
    struct hk_links *l = task->state;
    size_t got;

    for (uint64_t i = 0; i < n; i++) {
        burn(&task->clock, l->delay_ticks);
        const enum hk_status status =
            hk_link_call(&l->links[0], l->out, l->bytes, l->in, l->capacity, &got);
        if (status != HK_OK)
            return status;
        if (got != l->reply_bytes)
            return HK_EROW;
    }
    return HK_OK;
}

enum hk_status hk_links_verify(struct hk_task *task)
{
    struct hk_links *l = task->state;

    hk_fill(l->request, l->capacity, hk_mix(task->seed, 1));
    if (l->out != l->request)
        memcpy(l->out, l->request, l->bytes);
    const enum hk_status status = hk_links_run(task, 1);
    if (status != HK_OK)
        return status;
    if (memcmp(l->request, l->in, l->reply_bytes) != 0)
        return hk_task_refuse(task, HK_EROW, "the reply is not what was sent");
    return HK_OK;
}
