/* SPDX-License-Identifier: MIT */
#include "hk/core/hosted.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/boot.h"
#include "kernel/endpoint.h"
#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "kernel/pager.h"
#include "kernel/syscall.h"
#include "port/port.h"

#define HOSTED_PAGES 4

struct hk_hosted {
    struct hk_kernel kernel;
    struct hk_cpu cpu;
    void *memory;
    uint64_t now_ns;
    void (*sink)(void *context, const char *text, uint64_t bytes);
    void *sink_context;
    uint32_t pending_irqs; /* bit = line */
    uint32_t masked_irqs;
    uint8_t ports[0x10000 + 4]; /* a device that remembers what was written to it */
    bool off;
    uint64_t off_code;
};

static struct hk_hosted *machine_of(struct hk_kernel *kernel)
{
    return HK_CONTAINER(kernel, struct hk_hosted, kernel);
}

void hk_port_console(struct hk_kernel *kernel, const char *text, uint64_t bytes)
{
    struct hk_hosted *hosted = machine_of(kernel);

    if (hosted->sink != NULL)
        hosted->sink(hosted->sink_context, text, bytes);
}

uint64_t hk_port_clock_ns(struct hk_cpu *cpu)
{
    return machine_of(cpu->kernel)->now_ns;
}

/* Time stands still between calls of hk_hosted_advance(), which looks at the deadlines itself. */
void hk_port_timer_arm(struct hk_cpu *cpu, uint64_t at_ns)
{
    (void)cpu, (void)at_ns;
}

void hk_port_flush_page(struct hk_cpu *cpu, uint64_t address)
{
    (void)cpu, (void)address;
}

void hk_port_space_leave(struct hk_cpu *cpu, uint64_t root)
{
    (void)cpu, (void)root;
}

void hk_port_irq_mask(struct hk_cpu *cpu, uint32_t line, bool masked)
{
    struct hk_hosted *hosted = machine_of(cpu->kernel);

    if (masked)
        hosted->masked_irqs |= 1u << line;
    else
        hosted->masked_irqs &= ~(1u << line);
}

void hk_port_irq_raise(struct hk_cpu *cpu, uint32_t line)
{
    machine_of(cpu->kernel)->pending_irqs |= 1u << line;
}

uint32_t hk_port_in(struct hk_cpu *cpu, uint16_t port, uint32_t bytes)
{
    uint32_t value = 0;

    memcpy(&value, &machine_of(cpu->kernel)->ports[port], bytes);
    return value;
}

volatile void *hk_port_registers(struct hk_kernel *kernel, uint64_t physical)
{
    (void)kernel, (void)physical;
    return NULL;
}

void hk_port_out(struct hk_cpu *cpu, uint16_t port, uint32_t bytes, uint32_t value)
{
    memcpy(&machine_of(cpu->kernel)->ports[port], &value, bytes);
}

bool hk_port_owns_ports(uint64_t first, uint64_t count)
{
    return HK_EXIT_PORT - first < count;
}

bool hk_port_owns_memory(const struct hk_kernel *kernel, uint64_t first, uint64_t bytes)
{
    (void)bytes;
    return first < kernel->memory_end;
}

void hk_port_power_off(struct hk_cpu *cpu, uint64_t code)
{
    struct hk_hosted *hosted = machine_of(cpu->kernel);

    hosted->off = true;
    hosted->off_code = code;
}

void hk_port_zero(void *to, uint64_t bytes)
{
    memset(to, 0, bytes);
}

void hk_port_copy(void *to, const void *from, uint64_t bytes)
{
    memmove(to, from, bytes);
}

enum hk_status hk_hosted_create(uint64_t memory_bytes, struct hk_hosted **hosted)
{
    struct hk_hosted *new;
    enum hk_status status;

    memory_bytes -= memory_bytes % HK_PAGE_BYTES;
    if (memory_bytes < 16 * HK_PAGE_BYTES)
        return HK_EINVAL;
    new = calloc(1, sizeof(*new));
    if (new == NULL)
        return HK_ENOMEM;
    new->memory = aligned_alloc(HK_PAGE_BYTES, memory_bytes);
    if (new->memory == NULL) {
        free(new);
        return HK_ENOMEM;
    }
    /* physical addresses start at one page, so that 0 is never a valid frame */
    status = hk_kernel_init(&new->kernel, &new->cpu, (uintptr_t)new->memory - HK_PAGE_BYTES,
                            HK_PAGE_BYTES, memory_bytes);
    if (status != HK_OK) {
        free(new->memory);
        free(new);
        return status;
    }
    new->kernel.memory_end = HK_PAGE_BYTES + memory_bytes;
    new->masked_irqs = ~0u;
    *hosted = new;
    return HK_OK;
}

enum hk_status hk_hosted_boot(struct hk_hosted *hosted, const char *command_line)
{
    const struct hk_boot_module no_archive = { 0 };
    size_t bytes = strlen(command_line) + 1;

    if (bytes > HK_COMMAND_LINE_BYTES)
        return HK_ETOOBIG;
    memcpy(hosted->kernel.command_line, command_line, bytes);
    hk_boot(&hosted->cpu, &no_archive);
    return HK_OK;
}

uint64_t hk_hosted_destroy(struct hk_hosted *hosted)
{
    uint64_t leaks = hk_kernel_fini(&hosted->kernel);

    free(hosted->memory);
    free(hosted);
    return leaks;
}

struct hk_kernel *hk_hosted_kernel(struct hk_hosted *hosted)
{
    return &hosted->kernel;
}

enum hk_status hk_hosted_process(struct hk_hosted *hosted, const char *name, bool system,
                                 struct hk_thread **thread)
{
    struct hk_cpu *cpu = &hosted->cpu;
    struct hk_process *process;
    enum hk_status status = hk_process_create(cpu, name, &process);

    if (status != HK_OK)
        return status;
    if (system)
        process->caps[HK_HANDLE_SELF].rights |= HK_RIGHT_SYSTEM;
    for (uint64_t i = 0; i < HOSTED_PAGES && status == HK_OK; i++)
        status = hk_space_map_fresh(&hosted->kernel, &process->space, process->pid,
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

/* Puts the thread on the CPU, as if it were its turn. */
static void enter(struct hk_hosted *hosted, struct hk_thread *thread)
{
    hk_sched_remove(&hosted->cpu, thread);
    thread->state = HK_THREAD_RUNNING;
    hosted->cpu.current = thread;
}

/* Interrupts that are pending and not masked happen on the way out. */
static void take_interrupts(struct hk_hosted *hosted)
{
    uint32_t lines = hosted->pending_irqs & ~hosted->masked_irqs;

    for (uint32_t line = 0; line < HK_IRQ_COUNT; line++) {
        if (!(lines >> line & 1))
            continue;
        hosted->pending_irqs &= ~(1u << line);
        hosted->cpu.interrupt_count++;
        hk_irq_raised(&hosted->cpu, line);
    }
}

/* Takes whoever would run next off the CPU again: here only the caller decides who runs. */
static void leave(struct hk_hosted *hosted)
{
    struct hk_cpu *cpu = &hosted->cpu;
    struct hk_thread *next;

    take_interrupts(hosted);
    hk_sched_exit(cpu);
    next = cpu->current;
    cpu->current = NULL;
    if (next != NULL)
        hk_sched_ready(cpu, next);
    cpu->exit_work = 0;
}

bool hk_hosted_asleep(const struct hk_thread *thread)
{
    return thread->state != HK_THREAD_READY;
}

int64_t hk_hosted_result(const struct hk_thread *thread)
{
    return (int64_t)thread->frame.rax;
}

int64_t hk_hosted_call(struct hk_hosted *hosted, struct hk_thread *thread,
                       enum hk_syscall number, const uint64_t arguments[5], bool *asleep)
{
    struct hk_process *process = thread->process;
    int64_t result;

    hk_object_hold(&process->object); /* the call may end the process */
    enter(hosted, thread);
    result = hk_syscalls[number](&hosted->cpu, arguments[0], arguments[1], arguments[2],
                                 arguments[3], arguments[4]);
    if (hosted->cpu.current == thread)
        thread->frame.rax = (uint64_t)result;
    leave(hosted);
    *asleep = process->state == HK_PROCESS_ENDED || hk_hosted_asleep(thread);
    hk_object_release(&hosted->cpu, &process->object);
    return result;
}

void hk_hosted_fault(struct hk_hosted *hosted, struct hk_thread *thread, uint64_t address,
                     uint64_t access, bool *asleep, bool *ended)
{
    struct hk_process *process = thread->process;

    hk_object_hold(&process->object); /* the fault may end the process */
    enter(hosted, thread);
    if (!hk_pager_fault(&hosted->cpu, address, access))
        hk_process_end(&hosted->cpu, process, HK_EXIT_PAGE, 0);
    leave(hosted);
    *ended = process->state == HK_PROCESS_ENDED;
    *asleep = *ended || hk_hosted_asleep(thread);
    hk_object_release(&hosted->cpu, &process->object);
}

void hk_hosted_received(const struct hk_thread *thread, struct hk_hosted_message *message)
{
    message->tag = (int64_t)thread->frame.rax;
    message->rdi = thread->frame.rdi;
    memcpy(message->word, thread->frame.word, sizeof(message->word));
}

void hk_hosted_ipc(struct hk_hosted *hosted, struct hk_thread *thread,
                   struct hk_hosted_message *message, bool *asleep)
{
    enter(hosted, thread);
    thread->frame.rax = (uint64_t)message->tag;
    thread->frame.rdi = message->rdi;
    memcpy(thread->frame.word, message->word, sizeof(message->word));
    hk_ipc(&hosted->cpu);
    leave(hosted);
    *asleep = hk_hosted_asleep(thread);
    if (!*asleep)
        hk_hosted_received(thread, message);
}

void hk_hosted_advance(struct hk_hosted *hosted, uint64_t ns)
{
    uint64_t until_ns = hosted->now_ns + ns;
    struct hk_deadline *first = hosted->cpu.deadlines.next;

    /* deadline by deadline, so that what one of them starts counts from its own time */
    while (first != &hosted->cpu.deadlines && first->at_ns <= until_ns) {
        if (first->at_ns > hosted->now_ns)
            hosted->now_ns = first->at_ns;
        hk_deadline_run(&hosted->cpu);
        leave(hosted);
        first = hosted->cpu.deadlines.next;
    }
    hosted->now_ns = until_ns;
}

void hk_hosted_interrupt(struct hk_hosted *hosted, uint32_t line)
{
    hosted->pending_irqs |= 1u << line;
    leave(hosted);
}

enum hk_status hk_hosted_write(struct hk_hosted *hosted, struct hk_thread *thread,
                               uint64_t address, const void *from, uint64_t bytes)
{
    return hk_space_write(&hosted->kernel, &thread->process->space, address, from, bytes);
}

enum hk_status hk_hosted_read(struct hk_hosted *hosted, struct hk_thread *thread,
                              uint64_t address, void *to, uint64_t bytes)
{
    return hk_space_read(&hosted->kernel, &thread->process->space, address, to, bytes);
}

void hk_hosted_console(struct hk_hosted *hosted,
                       void (*sink)(void *context, const char *text, uint64_t bytes),
                       void *context)
{
    hosted->sink = sink;
    hosted->sink_context = context;
}

bool hk_hosted_is_off(const struct hk_hosted *hosted, uint64_t *code)
{
    if (hosted->off)
        *code = hosted->off_code;
    return hosted->off;
}
