/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "kernel/pager.h"
#include "kernel/syscall.h"
#include "port/port.h"

const struct hk_test_row *const hk_test_tables[] = {
    hk_test_pages, hk_test_messages, hk_test_signals, hk_test_memory, hk_test_services,
    hk_test_policy, hk_test_pager, hk_test_io, NULL,
};

void hk_test_fail(struct hk_test *test, const char *what, const char *file, uint32_t line)
{
    if (test->failed != NULL)
        return;
    test->failed = what;
    test->file = file;
    test->line = line;
}

static void end_all(struct hk_cpu *cpu)
{
    while (cpu->kernel->processes != NULL)
        hk_process_end(cpu, cpu->kernel->processes, HK_EXIT_KILLED, 0);
    hk_service_fini(cpu);
    hk_object_pools_trim(cpu->kernel);
}

void hk_test_run(struct hk_cpu *cpu, const struct hk_test_row *row, struct hk_test *test)
{
    uint32_t free_before, objects_before;

    hk_object_pools_trim(cpu->kernel);
    free_before = cpu->kernel->pages.free_count;
    objects_before = hk_object_count(cpu->kernel);
    *test = (struct hk_test){ .cpu = cpu };
    row->run(test);
    end_all(cpu);
    if (hk_object_count(cpu->kernel) != objects_before)
        hk_test_fail(test, "no object leaks", row->name, 0);
    if (cpu->kernel->pages.free_count != free_before)
        hk_test_fail(test, "no page leaks", row->name, 0);
}

static enum hk_status make_thread(struct hk_cpu *cpu, const char *name, struct hk_thread **thread)
{
    struct hk_process *process;
    enum hk_status status = hk_process_create(cpu, name, &process);

    if (status != HK_OK)
        return status;
    for (uint64_t i = 0; i < HK_TEST_PAGES && status == HK_OK; i++)
        status = hk_space_map_fresh(cpu->kernel, &process->space, process->pid,
                                    HK_USER_BASE + i * HK_PAGE_BYTES, HK_MAP_READ | HK_MAP_WRITE);
    process->entry = HK_USER_BASE;
    if (status == HK_OK)
        status = hk_process_start(cpu, process, 0);
    if (status == HK_OK)
        *thread = process->threads;
    else
        hk_process_end(cpu, process, HK_EXIT_KILLED, 0);
    hk_object_release(cpu, &process->object); /* the list holds it while it lives */
    return status;
}

struct hk_thread *hk_test_thread(struct hk_test *test, const char *name)
{
    struct hk_thread *thread = NULL;

    if (make_thread(test->cpu, name, &thread) != HK_OK)
        hk_test_fail(test, "memory for a test process", name, 0);
    return thread;
}

/* Takes whoever would run next off the CPU again: only the test decides who runs. */
static void leave(struct hk_cpu *cpu)
{
    struct hk_thread *next;

    hk_sched_exit(cpu);
    next = cpu->current;
    cpu->current = NULL;
    if (next != NULL)
        hk_sched_ready(cpu, next);
    cpu->exit_work = 0;
}

/* Puts the thread on the CPU, as if it were its turn. */
static bool enter(struct hk_test *test, struct hk_thread *thread)
{
    if (thread == NULL || thread->state != HK_THREAD_READY) {
        hk_test_fail(test, "the caller of a system call is ready", __FILE__, __LINE__);
        return false;
    }
    hk_sched_remove(test->cpu, thread);
    thread->state = HK_THREAD_RUNNING;
    test->cpu->current = thread;
    return true;
}

void hk_test_fault(struct hk_test *test, struct hk_thread *thread, uint64_t address,
                   uint64_t access)
{
    if (!enter(test, thread))
        return;
    if (!hk_pager_fault(test->cpu, address, access))
        hk_process_end(test->cpu, thread->process, HK_EXIT_PAGE, 0);
    leave(test->cpu);
}

void hk_test_ipc(struct hk_test *test, struct hk_thread *thread, int64_t tag, uint64_t handle,
                 uint64_t w0, uint64_t w1, uint64_t w2)
{
    if (!enter(test, thread))
        return;
    thread->frame.rax = (uint64_t)tag;
    thread->frame.rdi = handle;
    thread->frame.word[0] = w0;
    thread->frame.word[1] = w1;
    thread->frame.word[2] = w2;
    hk_ipc(test->cpu);
    leave(test->cpu);
}

hk_result hk_test_call(struct hk_test *test, struct hk_thread *thread, enum hk_syscall number,
                       uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return hk_test_call5(test, thread, number, a, b, c, d, 0);
}

hk_result hk_test_call5(struct hk_test *test, struct hk_thread *thread, enum hk_syscall number,
                        uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    struct hk_cpu *cpu = test->cpu;
    hk_result result;

    if (!enter(test, thread))
        return HK_EINVAL;
    result = hk_syscalls[number](cpu, a, b, c, d, e);
    if (cpu->current == thread)
        thread->frame.rax = (uint64_t)result;
    leave(cpu);
    return result;
}

bool hk_test_asleep(const struct hk_thread *thread)
{
    return thread->state != HK_THREAD_READY;
}

hk_result hk_test_result(const struct hk_thread *thread)
{
    return (hk_result)thread->frame.rax;
}

uint64_t hk_test_share(struct hk_test *test, struct hk_thread *from, uint64_t handle,
                       struct hk_thread *to, uint64_t rights)
{
    uint64_t shared = HK_HANDLE_COUNT;
    struct hk_cap *cap;
    enum hk_status status = hk_cap_entry(from->process, handle, &cap);

    if (status == HK_OK)
        status = hk_cap_insert(to->process, cap->object, rights, 0, &shared);
    if (status != HK_OK)
        hk_test_fail(test, "a handle to share", __FILE__, __LINE__);
    return shared;
}

void hk_test_fill(struct hk_test *test, struct hk_thread *thread, uint64_t address, uint64_t bytes,
                  uint32_t start)
{
    for (uint64_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)(start + i);

        if (hk_space_write(test->cpu->kernel, &thread->process->space, address + i, &byte, 1) !=
            HK_OK)
            hk_test_fail(test, "writable test memory", __FILE__, __LINE__);
    }
}

bool hk_test_filled(struct hk_test *test, struct hk_thread *thread, uint64_t address,
                    uint64_t bytes, uint32_t start)
{
    for (uint64_t i = 0; i < bytes; i++) {
        unsigned char byte;

        if (hk_space_read(test->cpu->kernel, &thread->process->space, address + i, &byte, 1) !=
                HK_OK ||
            byte != (unsigned char)(start + i))
            return false;
    }
    return true;
}

static uint64_t length(const char *text)
{
    uint64_t bytes = 0;

    while (text[bytes] != '\0')
        bytes++;
    return bytes;
}

void hk_test_put(struct hk_test *test, struct hk_thread *thread, uint64_t address,
                 const char *text)
{
    if (hk_space_write(test->cpu->kernel, &thread->process->space, address, text, length(text)) !=
        HK_OK)
        hk_test_fail(test, "writable test memory", __FILE__, __LINE__);
}

bool hk_test_there(struct hk_test *test, struct hk_thread *thread, uint64_t address,
                   const char *text)
{
    for (uint64_t i = 0; i < length(text); i++) {
        char byte;

        if (hk_space_read(test->cpu->kernel, &thread->process->space, address + i, &byte, 1) !=
                HK_OK ||
            byte != text[i])
            return false;
    }
    return true;
}

void hk_test_end(struct hk_test *test, struct hk_thread *thread)
{
    hk_process_end(test->cpu, thread->process, HK_EXIT_KILLED, 0);
    leave(test->cpu);
}
