/* SPDX-License-Identifier: MIT */
/*
 * scenario=tour: what the kernel does for two processes, step by step. Every line
 * it logs is something it has just looked at, so the log is the same wherever the
 * same thing happened.
 */
#include "kernel/boot.h"
#include "kernel/channel.h"
#include "kernel/kernel.h"
#include "kernel/scenario.h"

enum { SLOTS = 100, MESSAGE_BYTES = 256, STRANGER = 3 };

/* The tour's belongings; what is there at the end is taken down in any case. */
struct tour {
    struct hk_cpu *cpu;
    struct hk_process *processes[2];
    struct hk_channel *channel;
};

static void log_text(struct tour *tour, const char *text)
{
    hk_print(tour->cpu->kernel, HK_PROTOCOL " log ");
    hk_print(tour->cpu->kernel, text);
    hk_print(tour->cpu->kernel, "\n");
}

/* before <number> after */
static void log_number(struct tour *tour, const char *before, uint64_t number, const char *after)
{
    hk_print(tour->cpu->kernel, HK_PROTOCOL " log ");
    hk_print(tour->cpu->kernel, before);
    hk_print_number(tour->cpu->kernel, number);
    hk_print(tour->cpu->kernel, after);
    hk_print(tour->cpu->kernel, "\n");
}

/* before <name>, pid <pid> */
static void log_process(struct tour *tour, const char *before, const struct hk_process *process)
{
    hk_print(tour->cpu->kernel, HK_PROTOCOL " log ");
    hk_print(tour->cpu->kernel, before);
    hk_print(tour->cpu->kernel, process->name);
    hk_print(tour->cpu->kernel, ", pid ");
    hk_print_number(tour->cpu->kernel, process->pid);
    hk_print(tour->cpu->kernel, "\n");
}

static bool refuse(struct tour *tour, const char *what)
{
    hk_print(tour->cpu->kernel, HK_PROTOCOL " fail tour: ");
    hk_print(tour->cpu->kernel, what);
    hk_print(tour->cpu->kernel, "\n");
    return false;
}

static bool create_processes(struct tour *tour)
{
    static const char *const names[2] = { "Process1", "Process2" };

    for (uint32_t i = 0; i < 2; i++) {
        if (hk_process_create(tour->cpu, names[i], &tour->processes[i]) != HK_OK)
            return refuse(tour, "a process cannot be created");
        log_process(tour, "created ", tour->processes[i]);
        tour->processes[i]->entry = HK_USER_BASE;
        if (hk_process_start(tour->cpu, tour->processes[i], 0) != HK_OK)
            return refuse(tour, "a process cannot be started");
    }
    return true;
}

/* Each gets the CPU once, in its turn; no instruction of it runs here. */
static bool schedule_processes(struct tour *tour)
{
    struct hk_cpu *cpu = tour->cpu;

    for (uint32_t i = 0; i < 2; i++) {
        hk_sched_yield(cpu);
        hk_sched_exit(cpu);
        if (cpu->current == NULL || cpu->current->process != tour->processes[i])
            return refuse(tour, "the scheduler chose another process");
        log_process(tour, "scheduled ", cpu->current->process);
    }
    return true;
}

static bool filled_with(struct tour *tour, uint64_t frame, unsigned char byte)
{
    const unsigned char *bytes = hk_window(tour->cpu->kernel, frame);

    for (uint32_t i = 0; i < HK_PAGE_BYTES; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

static bool allocate_page(struct tour *tour, const char *name, uint64_t *frame)
{
    struct hk_kernel *kernel = tour->cpu->kernel;
    uint64_t never_used = kernel->pages.never_used;
    bool is_new;

    if (hk_page_allocate(kernel, tour->processes[0]->pid, frame) != HK_OK)
        return refuse(tour, "no page left");
    if (!filled_with(tour, *frame, 0))
        return refuse(tour, "a page is not zeroed");
    is_new = kernel->pages.never_used != never_used;
    hk_print(kernel, HK_PROTOCOL " log allocated ");
    hk_print(kernel, name);
    hk_print(kernel, is_new ? ", new, zeroed\n" : ", from the free list, zeroed\n");
    return true;
}

static void fill_page(struct tour *tour, uint64_t frame, unsigned char byte)
{
    unsigned char *bytes = hk_window(tour->cpu->kernel, frame);

    for (uint32_t i = 0; i < HK_PAGE_BYTES; i++)
        bytes[i] = byte;
}

static bool reuse_pages(struct tour *tour)
{
    struct hk_kernel *kernel = tour->cpu->kernel;
    uint32_t pid = tour->processes[0]->pid;
    uint64_t first, second, third, fourth;

    if (!allocate_page(tour, "page A", &first) || !allocate_page(tour, "page B", &second))
        return false;
    fill_page(tour, first, 0xaa);
    fill_page(tour, second, 0xbb);
    if (!filled_with(tour, first, 0xaa) || !filled_with(tour, second, 0xbb))
        return refuse(tour, "pages overlap");
    log_text(tour, "filled page A with 0xAA, page B with 0xBB");
    if (hk_page_free(kernel, pid, first) != HK_OK || hk_page_free(kernel, pid, second) != HK_OK)
        return refuse(tour, "a page cannot be freed");
    log_text(tour, "freed page A, then page B");
    if (!allocate_page(tour, "page C", &third) || !allocate_page(tour, "page D", &fourth))
        return false;
    if (third != second || fourth != first)
        return refuse(tour, "the last page freed is not the first handed out");
    log_text(tour, "page C is where page B was, page D where page A was");
    if (hk_page_free(kernel, pid, third) != HK_OK || hk_page_free(kernel, pid, fourth) != HK_OK)
        return refuse(tour, "a page cannot be freed");
    log_text(tour, "freed page C and page D");
    return true;
}

static enum hk_status send(struct tour *tour, const char *data, uint64_t bytes)
{
    struct hk_buffer message = hk_buffer_kernel(data, bytes);

    return hk_channel_send(tour->cpu, tour->channel, tour->processes[0]->pid,
                           tour->processes[1]->pid, &message);
}

static enum hk_status receive(struct tour *tour, uint32_t pid, char text[MESSAGE_BYTES],
                              uint32_t *bytes)
{
    struct hk_buffer room = hk_buffer_kernel(text, MESSAGE_BYTES);

    return hk_channel_receive(tour->cpu, tour->channel, pid, &room, bytes);
}

static bool pass_message(struct tour *tour)
{
    static const char hello[] = "Hello, Process 2!";
    char text[MESSAGE_BYTES];
    uint32_t bytes;

    if (hk_channel_create(tour->cpu, SLOTS, MESSAGE_BYTES, &tour->channel) != HK_OK)
        return refuse(tour, "the channel cannot be created");
    log_text(tour, "created a channel of 100 messages of 256 bytes");
    if (send(tour, hello, sizeof(hello)) != HK_OK)
        return refuse(tour, "the message cannot be sent");
    log_text(tour, "1 sent to 2: Hello, Process 2!");
    if (receive(tour, STRANGER, text, &bytes) != HK_EEMPTY)
        return refuse(tour, "somebody else received the message");
    log_text(tour, "3 received nothing: empty");
    if (receive(tour, tour->processes[1]->pid, text, &bytes) != HK_OK || bytes != sizeof(hello))
        return refuse(tour, "the message did not arrive");
    hk_print(tour->cpu->kernel, HK_PROTOCOL " log 2 received: ");
    hk_print(tour->cpu->kernel, text);
    hk_print(tour->cpu->kernel, "\n");
    return true;
}

static bool fill_and_drain(struct tour *tour)
{
    char text[MESSAGE_BYTES] = { 0 };
    uint64_t sent_count = 0, received_count = 0;
    enum hk_status status;
    uint32_t bytes;

    while (sent_count <= SLOTS && (status = send(tour, text, sizeof(text))) == HK_OK)
        sent_count++;
    if (sent_count != SLOTS || status != HK_EFULL)
        return refuse(tour, "the channel does not hold what it should");
    log_number(tour, "sent ", sent_count, " messages, then: full");
    while ((status = receive(tour, tour->processes[1]->pid, text, &bytes)) == HK_OK)
        received_count++;
    if (received_count != SLOTS || status != HK_EEMPTY)
        return refuse(tour, "messages were lost");
    log_number(tour, "received ", received_count, " messages, then: empty");
    return true;
}

static void clean_up(struct tour *tour)
{
    if (tour->channel != NULL)
        hk_object_release(tour->cpu, &tour->channel->object);
    for (uint32_t i = 0; i < 2; i++) {
        if (tour->processes[i] == NULL)
            continue;
        hk_process_end(tour->cpu, tour->processes[i], HK_EXIT_NORMAL, 0);
        hk_object_release(tour->cpu, &tour->processes[i]->object);
    }
    hk_sched_exit(tour->cpu);
    hk_object_pools_trim(tour->cpu->kernel);
}

bool hk_scenario_tour(struct hk_cpu *cpu)
{
    struct tour tour = { .cpu = cpu };
    uint32_t objects = hk_object_count(cpu->kernel);
    uint32_t pages = cpu->kernel->pages.free_count;
    bool held = create_processes(&tour) && schedule_processes(&tour) && reuse_pages(&tour) &&
                pass_message(&tour) && fill_and_drain(&tour);
    uint64_t leaks;

    clean_up(&tour);
    leaks = hk_object_count(cpu->kernel) - objects + (pages - cpu->kernel->pages.free_count);
    log_number(&tour, "cleaned up: ", leaks, " leaks");
    return held && leaks == 0;
}
