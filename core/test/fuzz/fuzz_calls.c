/* SPDX-License-Identifier: MIT */
/*
 * Any system calls and rendezvous with any arguments, from several threads, with
 * time and interrupts in between: no crash, no leak, and every thread that stands
 * outside a call is ready.
 */
#include <stdlib.h>

#include "hk/core/hosted.h"
#include "input.h"
#include "kernel/kernel.h"

enum { MEMORY_BYTES = 2 * 1024 * 1024, PROCESSES = 3, STEPS_MAX = 400 };

struct machine {
    struct hk_hosted *hosted;
    struct hk_kernel *kernel;
};

/* Arguments that get further than noise does; the last row is noise. */
static uint64_t argument(struct input *input)
{
    uint8_t choice = (uint8_t)input_take(input, 1);

    switch (choice >> 5) {
    case 0:
        return choice & 31; /* handle, count, flags */
    case 1:
        return HK_USER_BASE + (choice & 31) * 0x200u;
    case 2:
        return HK_USER_BASE + (0x40u + (choice & 31)) * HK_PAGE_BYTES; /* nothing there at first */
    case 3:
        return HK_USER_IPC_BASE - (choice & 31u);
    case 4:
        return choice & 1 ? HK_TIMEOUT_NONE : HK_TIMEOUT_NOW;
    case 5:
        return 1ull << (choice & 31) << (choice & 32);
    case 6:
        return HK_USER_END - (choice & 31u);
    default:
        return input_take(input, 8);
    }
}

/* One of the threads that could make a call now, or NULL. */
static struct hk_thread *choose(struct machine *m, uint64_t number)
{
    uint64_t count = 0;

    for (int lap = 0; lap < 2; lap++) {
        for (struct hk_process *p = m->kernel->processes; p != NULL; p = p->next)
            for (struct hk_thread *t = p->threads; t != NULL; t = t->process_next)
                if (!hk_hosted_asleep(t) && count++ == number && lap == 1)
                    return t;
        if (count == 0)
            return NULL;
        number %= count;
        count = 0;
    }
    return NULL;
}

static void add_process(struct machine *m)
{
    struct hk_thread *thread;

    /* out of memory is an answer, too */
    (void)hk_hosted_process(m->hosted, "process", true, &thread);
}

static void rendezvous(struct machine *m, struct input *input, struct hk_thread *thread)
{
    static const int64_t classes[] = { HK_IPC_CALL, HK_IPC_REPLY_WAIT, HK_IPC_CALL_LONG,
                                       HK_IPC_REPLY_WAIT_LONG, HK_IPC_RECEIVE, HK_IPC_REPLY };
    struct hk_hosted_message message = { 0 };
    uint8_t choice = (uint8_t)input_take(input, 1);
    bool asleep;

    message.tag = choice & 0x80 ? -(int64_t)input_take(input, 2)
                                : classes[choice % HK_ARRAY_COUNT(classes)] + (choice >> 3);
    message.rdi = input_take(input, 1) % 8;
    for (size_t i = 0; i < HK_MESSAGE_REGISTER_WORDS; i++)
        message.word[i] = i;
    if (message.tag >= 5)
        return; /* the entry code sends these to the general calls */
    hk_hosted_ipc(m->hosted, thread, &message, &asleep);
}

static void fault(struct machine *m, struct input *input, struct hk_thread *thread)
{
    static const uint64_t access[] = { HK_MAP_READ, HK_MAP_WRITE, HK_MAP_EXECUTE };
    bool asleep, ended;

    hk_hosted_fault(m->hosted, thread, argument(input), access[input_take(input, 1) % 3], &asleep,
                    &ended);
}

static void step(struct machine *m, struct input *input)
{
    uint8_t choice = (uint8_t)input_take(input, 1);
    struct hk_thread *thread = choose(m, choice >> 4);
    uint64_t arguments[5];
    bool asleep;

    if (thread == NULL || choice % 16 == 15) {
        add_process(m);
        return;
    }
    switch (choice % 16) {
    case 14:
        hk_hosted_advance(m->hosted, input_take(input, 4));
        return;
    case 13:
        hk_hosted_interrupt(m->hosted, (uint32_t)input_take(input, 1) % HK_IRQ_COUNT);
        return;
    case 12:
        fault(m, input, thread);
        return;
    case 11:
    case 10:
        rendezvous(m, input, thread);
        return;
    default:
        break;
    }
    uint64_t number = HK_SYS_FIRST + input_take(input, 1) % (HK_SYS_END - HK_SYS_FIRST);
    for (size_t i = 0; i < HK_ARRAY_COUNT(arguments); i++)
        arguments[i] = argument(input);
    hk_hosted_call(m->hosted, thread, (enum hk_syscall)number, arguments, &asleep);
    if (m->kernel->pages.free_count > m->kernel->pages.count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input input = { data, bytes };
    struct machine m;

    if (hk_hosted_create(MEMORY_BYTES, &m.hosted) != HK_OK)
        abort();
    m.kernel = hk_hosted_kernel(m.hosted);
    for (int i = 0; i < PROCESSES; i++)
        add_process(&m);
    for (int i = 0; i < STEPS_MAX && input.bytes > 0; i++)
        step(&m, &input);
    if (hk_hosted_destroy(m.hosted) != 0)
        abort();
    return 0;
}
