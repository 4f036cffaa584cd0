/* SPDX-License-Identifier: MIT */
#include "kernel/service.h"

#include "kernel/cap.h"
#include "kernel/endpoint.h"
#include "kernel/kernel.h"
#include "kernel/message.h"
#include "kernel/syscall.h"
#include "port/port.h"

static bool equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static struct hk_service_entry *find_entry(struct hk_kernel *kernel, const char *name)
{
    for (size_t i = 0; i < HK_SERVICE_COUNT; i++)
        if (equal(kernel->services.entries[i].name, name))
            return &kernel->services.entries[i];
    return NULL;
}

/* A name in user memory; 0 bytes or more than fit are refused. */
static enum hk_status read_name(struct hk_cpu *cpu, const struct hk_thread *thread,
                                uint64_t address, uint64_t bytes, char name[HK_SERVICE_NAME_BYTES])
{
    hk_port_zero(name, HK_SERVICE_NAME_BYTES);
    if (bytes == 0 || bytes >= HK_SERVICE_NAME_BYTES)
        return HK_EINVAL;
    return hk_space_read(cpu->kernel, &thread->process->space, address, name, bytes);
}

static hk_result give_call_right(struct hk_process *process, struct hk_endpoint *endpoint)
{
    uint64_t handle;
    /* the badge tells the service which client asks */
    enum hk_status status = hk_cap_insert(process, &endpoint->object,
                                          HK_RIGHT_CALL | HK_RIGHT_COPY, process->pid, &handle);

    return status == HK_OK ? (hk_result)handle : status;
}

/* Lookups that waited for this name, or whose name has become unreadable, return. */
static void wake_lookups(struct hk_cpu *cpu, const char *name, struct hk_endpoint *endpoint)
{
    struct hk_thread *next;

    for (struct hk_thread *t = cpu->kernel->services.waiters.first; t != NULL; t = next) {
        char wanted[HK_SERVICE_NAME_BYTES];
        enum hk_status status = read_name(cpu, t, t->wait.address, t->wait.bytes, wanted);

        next = t->next;
        if (status != HK_OK)
            hk_thread_wake(cpu, t, status);
        else if (equal(wanted, name))
            hk_thread_wake(cpu, t, give_call_right(t->process, endpoint));
    }
}

enum hk_status hk_service_register(struct hk_cpu *cpu, const char *name,
                                   struct hk_endpoint *endpoint)
{
    struct hk_service_entry *entry = find_entry(cpu->kernel, name);
    struct hk_endpoint *before;
    uint32_t length = 0;

    while (name[length] != '\0' && length < HK_SERVICE_NAME_BYTES)
        length++;
    if (length == 0 || length == HK_SERVICE_NAME_BYTES)
        return HK_EINVAL;
    if (entry == NULL)
        entry = find_entry(cpu->kernel, "");
    if (entry == NULL)
        return HK_ENOSPC;
    before = entry->endpoint;
    hk_object_hold(&endpoint->object);
    hk_port_copy(entry->name, name, length + 1);
    entry->endpoint = endpoint;
    if (before != NULL)
        hk_object_release(cpu, &before->object);
    wake_lookups(cpu, name, endpoint);
    return HK_OK;
}

static void forget(struct hk_cpu *cpu, struct hk_service_entry *entry)
{
    struct hk_endpoint *endpoint = entry->endpoint;

    *entry = (struct hk_service_entry){ 0 };
    hk_object_release(cpu, &endpoint->object);
}

enum hk_status hk_service_unregister(struct hk_cpu *cpu, const char *name)
{
    struct hk_service_entry *entry = find_entry(cpu->kernel, name);

    if (entry == NULL || entry->endpoint == NULL)
        return HK_ENOENT;
    forget(cpu, entry);
    return HK_OK;
}

enum hk_status hk_service_find(const struct hk_kernel *kernel, const char *name,
                               struct hk_endpoint **endpoint)
{
    for (size_t i = 0; i < HK_SERVICE_COUNT; i++) {
        const struct hk_service_entry *entry = &kernel->services.entries[i];

        if (entry->endpoint == NULL || !equal(entry->name, name))
            continue;
        if (entry->endpoint->receive_capabilities == 0)
            return HK_ENOENT;
        *endpoint = entry->endpoint;
        return HK_OK;
    }
    return HK_ENOENT;
}

void hk_service_fini(struct hk_cpu *cpu)
{
    for (size_t i = 0; i < HK_SERVICE_COUNT; i++)
        if (cpu->kernel->services.entries[i].endpoint != NULL)
            forget(cpu, &cpu->kernel->services.entries[i]);
}

static enum hk_status check_system(struct hk_cpu *cpu)
{
    struct hk_object *self;

    return hk_cap_find(cpu->current->process, HK_HANDLE_SELF, HK_OBJECT_PROCESS, HK_RIGHT_SYSTEM,
                       &self);
}

/* service_register(name, bytes, endpoint): only who receives there may register it */
hk_result hk_sys_service_register(struct hk_cpu *cpu, uint64_t address, uint64_t bytes,
                                  uint64_t handle, uint64_t d, uint64_t e)
{
    char name[HK_SERVICE_NAME_BYTES];
    struct hk_object *endpoint;
    enum hk_status status = check_system(cpu);

    (void)d, (void)e;
    if (status == HK_OK)
        status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_ENDPOINT, HK_RIGHT_RECEIVE,
                             &endpoint);
    if (status == HK_OK)
        status = read_name(cpu, cpu->current, address, bytes, name);
    if (status != HK_OK)
        return status;
    return hk_service_register(cpu, name, (struct hk_endpoint *)(void *)endpoint);
}

/* service_unregister(name, bytes) */
hk_result hk_sys_service_unregister(struct hk_cpu *cpu, uint64_t address, uint64_t bytes,
                                    uint64_t c, uint64_t d, uint64_t e)
{
    char name[HK_SERVICE_NAME_BYTES];
    enum hk_status status = check_system(cpu);

    (void)c, (void)d, (void)e;
    if (status == HK_OK)
        status = read_name(cpu, cpu->current, address, bytes, name);
    return status == HK_OK ? hk_service_unregister(cpu, name) : status;
}

/* service_lookup(name, bytes, timeout_ns) -> handle with the call right */
hk_result hk_sys_service_lookup(struct hk_cpu *cpu, uint64_t address, uint64_t bytes,
                                uint64_t timeout_ns, uint64_t d, uint64_t e)
{
    struct hk_buffer where = hk_buffer_user(NULL, address, bytes);
    char name[HK_SERVICE_NAME_BYTES];
    struct hk_endpoint *endpoint;
    enum hk_status status = read_name(cpu, cpu->current, address, bytes, name);

    (void)d, (void)e;
    if (status != HK_OK)
        return status;
    status = hk_service_find(cpu->kernel, name, &endpoint);
    if (status == HK_OK)
        return give_call_right(cpu->current->process, endpoint);
    if (timeout_ns == HK_TIMEOUT_NOW)
        return status;
    hk_message_block(cpu, &cpu->kernel->services.waiters, &where, 0, timeout_ns);
    return HK_OK;
}
