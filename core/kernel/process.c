/* SPDX-License-Identifier: MIT */
#include "kernel/process.h"

#include "kernel/kernel.h"
#include "kernel/pager.h"
#include "port/port.h"

static bool copy_name(char *to, const char *from)
{
    uint32_t i = 0;

    for (; from[i] != '\0' && i < HK_NAME_BYTES - 1; i++)
        to[i] = from[i];
    to[i] = '\0';
    return i > 0 && from[i] == '\0';
}

/* The capability table, and handle 0 in it. */
static enum hk_status make_table(struct hk_cpu *cpu, struct hk_process *process)
{
    uint64_t handle;
    enum hk_status status =
        hk_page_allocate(cpu->kernel, HK_PAGE_OWNER_KERNEL, &process->caps_page);

    if (status != HK_OK)
        return status;
    process->caps = hk_window(cpu->kernel, process->caps_page);
    return hk_cap_insert(process, &process->object, HK_RIGHT_PROCESS, 0, &handle);
}

static void free_table(struct hk_cpu *cpu, struct hk_process *process)
{
    if (process->caps == NULL)
        return;
    hk_cap_drop_all(cpu, process);
    process->caps = NULL;
    hk_page_release(cpu->kernel, process->caps_page);
}

enum hk_status hk_process_create(struct hk_cpu *cpu, const char *name,
                                 struct hk_process **process)
{
    struct hk_kernel *kernel = cpu->kernel;
    struct hk_object *object;
    struct hk_process *new;
    enum hk_status status = hk_object_create(kernel, HK_OBJECT_PROCESS, &object);

    if (status != HK_OK)
        return status;
    new = (struct hk_process *)(void *)object;
    if (!copy_name(new->name, name))
        status = HK_EINVAL;
    if (status == HK_OK)
        status = hk_space_init(kernel, &new->space);
    if (status == HK_OK)
        status = make_table(cpu, new);
    if (status != HK_OK) {
        hk_space_fini(kernel, &new->space);
        new->state = HK_PROCESS_ENDED;
        free_table(cpu, new);
        hk_object_release(cpu, object);
        return status;
    }
    hk_object_hold(object); /* by the list of processes: it may drop its own handle and live on */
    new->pid = ++kernel->last_pid;
    new->next = kernel->processes;
    kernel->processes = new;
    *process = new;
    return HK_OK;
}

static enum hk_status map_stack(struct hk_cpu *cpu, struct hk_process *process)
{
    enum hk_status status = HK_OK;

    /* the page below the last one stays unmapped: an overflow is a page fault */
    for (uint64_t i = 1; i <= HK_USER_STACK_PAGES && status == HK_OK; i++)
        status = hk_space_map_fresh(cpu->kernel, &process->space, process->pid,
                                    HK_USER_STACK_TOP - i * HK_PAGE_BYTES,
                                    HK_MAP_READ | HK_MAP_WRITE);
    return status;
}

enum hk_status hk_process_start(struct hk_cpu *cpu, struct hk_process *process, uint64_t argument)
{
    struct hk_thread *thread;
    enum hk_status status;

    if (process->state != HK_PROCESS_NEW || process->entry == 0)
        return HK_EINVAL;
    status = map_stack(cpu, process);
    if (status == HK_OK)
        status = hk_thread_create(cpu, process, process->entry, HK_USER_STACK_TOP, argument,
                                  &thread);
    if (status != HK_OK)
        return status;
    process->state = HK_PROCESS_ALIVE;
    hk_sched_ready(cpu, thread);
    return HK_OK;
}

static void unlink_process(struct hk_kernel *kernel, struct hk_process *process)
{
    struct hk_process **link = &kernel->processes;

    while (*link != NULL && *link != process)
        link = &(*link)->next;
    if (*link == process)
        *link = process->next;
}

/* What process_wait returns. */
static hk_result exit_of(const struct hk_process *process)
{
    return (hk_result)process->exit_reason |
           (hk_result)((uint64_t)process->exit_code & 0xffffffff) << 8;
}

void hk_process_end(struct hk_cpu *cpu, struct hk_process *process, enum hk_process_exit reason,
                    int64_t code)
{
    if (process->state == HK_PROCESS_ENDED)
        return;
    hk_object_hold(&process->object); /* until this function is done with it */
    process->state = HK_PROCESS_ENDED;
    process->exit_reason = reason;
    process->exit_code = code;
    for (struct hk_thread *t = process->threads; t != NULL; t = t->process_next)
        hk_thread_kill(cpu, t);
    while (process->threads != NULL) {
        struct hk_thread *thread = process->threads;

        process->threads = thread->process_next;
        hk_object_release(cpu, &thread->object);
    }
    hk_pager_clear(cpu, process);
    free_table(cpu, process);
    hk_port_space_leave(cpu, process->space.root);
    hk_space_fini(cpu->kernel, &process->space);
    unlink_process(cpu->kernel, process);
    hk_object_release(cpu, &process->object); /* the list's */
    hk_wait_wake_all(cpu, &process->waiters, exit_of(process));
    hk_object_release(cpu, &process->object);
}

void hk_process_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights)
{
    struct hk_process *process = (struct hk_process *)(void *)object;

    (void)rights;
    /* never started, and nobody is left who could: the list, its own capability, this one */
    if (process->state == HK_PROCESS_NEW && object->references == 3)
        hk_process_end(cpu, process, HK_EXIT_KILLED, 0);
}

void hk_process_destroy(struct hk_cpu *cpu, struct hk_object *object)
{
    (void)cpu, (void)object; /* hk_process_end() has freed what it had */
}

/* The process behind a handle, if the caller may command it. */
static enum hk_status find(struct hk_cpu *cpu, uint64_t handle, struct hk_process **process)
{
    struct hk_object *object;
    enum hk_status status = hk_cap_find(cpu->current->process, handle, HK_OBJECT_PROCESS,
                                        HK_RIGHT_PROCESS, &object);

    if (status == HK_OK)
        *process = (struct hk_process *)(void *)object;
    return status;
}

static const struct hk_module *find_module(const struct hk_kernel *kernel, const char *name)
{
    for (uint32_t i = 0; i < kernel->module_count; i++) {
        const struct hk_module *module = &kernel->modules[i];
        uint64_t at = 0;

        while (at < module->name_bytes && name[at] == module->name[at])
            at++;
        if (at == module->name_bytes && name[at] == '\0')
            return module;
    }
    return NULL;
}

enum hk_status hk_process_from_module(struct hk_cpu *cpu, const char *name,
                                      struct hk_process **process)
{
    const struct hk_module *module = find_module(cpu->kernel, name);
    struct hk_process *new;
    enum hk_status status;

    if (module == NULL)
        return HK_ENOENT;
    status = hk_process_create(cpu, name, &new);
    if (status != HK_OK)
        return status;
    status = hk_program_load(cpu, new, module->data, module->bytes);
    if (status != HK_OK) {
        hk_process_end(cpu, new, HK_EXIT_KILLED, 0);
        hk_object_release(cpu, &new->object);
        return status;
    }
    *process = new;
    return HK_OK;
}

/* module_read(name, bytes, buffer, capacity) -> bytes of the whole module; as many as fit are there */
hk_result hk_sys_module_read(struct hk_cpu *cpu, uint64_t name_address, uint64_t name_bytes,
                             uint64_t buffer, uint64_t capacity, uint64_t e)
{
    struct hk_space *space = &cpu->current->process->space;
    const struct hk_module *module;
    char name[HK_NAME_BYTES] = "";
    enum hk_status status;

    (void)e;
    if (name_bytes >= HK_NAME_BYTES)
        return HK_EINVAL;
    status = hk_space_read(cpu->kernel, space, name_address, name, name_bytes);
    if (status != HK_OK)
        return status;
    module = find_module(cpu->kernel, name);
    if (module == NULL)
        return HK_ENOENT;
    status = hk_space_write(cpu->kernel, space, buffer, module->data,
                            module->bytes < capacity ? module->bytes : capacity);
    return status == HK_OK ? (hk_result)module->bytes : status;
}

hk_result hk_sys_process_create(struct hk_cpu *cpu, uint64_t name_address, uint64_t bytes,
                                uint64_t c, uint64_t d, uint64_t e)
{
    struct hk_process *self = cpu->current->process;
    struct hk_process *process;
    struct hk_object *system;
    char name[HK_NAME_BYTES] = "";
    uint64_t handle;
    enum hk_status status =
        hk_cap_find(self, HK_HANDLE_SELF, HK_OBJECT_PROCESS, HK_RIGHT_SYSTEM, &system);

    (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    if (bytes >= HK_NAME_BYTES)
        return HK_EINVAL;
    status = hk_space_read(cpu->kernel, &self->space, name_address, name, bytes);
    if (status == HK_OK)
        status = hk_process_from_module(cpu, name, &process);
    if (status != HK_OK)
        return status;
    status = hk_cap_insert(self, &process->object, HK_RIGHT_PROCESS | HK_RIGHT_COPY, 0, &handle);
    if (status != HK_OK)
        hk_process_end(cpu, process, HK_EXIT_KILLED, 0);
    hk_object_release(cpu, &process->object);
    return status == HK_OK ? (hk_result)handle : status;
}

hk_result hk_sys_process_start(struct hk_cpu *cpu, uint64_t handle, uint64_t argument, uint64_t c,
                               uint64_t d, uint64_t e)
{
    struct hk_process *process;
    enum hk_status status = find(cpu, handle, &process);

    (void)c, (void)d, (void)e;
    return status == HK_OK ? hk_process_start(cpu, process, argument) : status;
}

hk_result hk_sys_process_wait(struct hk_cpu *cpu, uint64_t handle, uint64_t timeout_ns, uint64_t c,
                              uint64_t d, uint64_t e)
{
    struct hk_process *process;
    enum hk_status status = find(cpu, handle, &process);

    (void)c, (void)d, (void)e;
    if (status != HK_OK)
        return status;
    if (process == cpu->current->process)
        return HK_EINVAL;
    if (process->state == HK_PROCESS_ENDED)
        return exit_of(process);
    if (timeout_ns == HK_TIMEOUT_NOW)
        return HK_ETIMEOUT;
    hk_wait_block(cpu, &process->waiters, timeout_ns);
    return HK_OK;
}

hk_result hk_sys_process_kill(struct hk_cpu *cpu, uint64_t handle, uint64_t b, uint64_t c,
                              uint64_t d, uint64_t e)
{
    struct hk_process *process;
    enum hk_status status = find(cpu, handle, &process);

    (void)b, (void)c, (void)d, (void)e;
    if (status == HK_OK)
        hk_process_end(cpu, process, HK_EXIT_KILLED, 0);
    return status;
}

hk_result hk_sys_exit(struct hk_cpu *cpu, uint64_t code, uint64_t b, uint64_t c, uint64_t d,
                      uint64_t e)
{
    (void)b, (void)c, (void)d, (void)e;
    hk_process_end(cpu, cpu->current->process, code == 0 ? HK_EXIT_NORMAL : HK_EXIT_CODE,
                   (int64_t)code);
    return HK_OK;
}

hk_result hk_sys_process_trust(struct hk_cpu *cpu, uint64_t handle, uint64_t b, uint64_t c,
                               uint64_t d, uint64_t e)
{
    struct hk_process *process;
    struct hk_object *system;
    enum hk_status status = hk_cap_find(cpu->current->process, HK_HANDLE_SELF, HK_OBJECT_PROCESS,
                                        HK_RIGHT_SYSTEM, &system);

    (void)b, (void)c, (void)d, (void)e;
    if (status == HK_OK)
        status = find(cpu, handle, &process);
    if (status != HK_OK)
        return status;
    if (process->caps == NULL || process->caps[HK_HANDLE_SELF].object != &process->object)
        return HK_EPEER;
    process->caps[HK_HANDLE_SELF].rights |= HK_RIGHT_SYSTEM;
    return HK_OK;
}
