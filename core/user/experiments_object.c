/* SPDX-License-Identifier: MIT */
/* Queued and signalled communication, interrupts, and threads of one space. */
#include "user/experiments.h"
#include "user/victim.h"

/* Two objects of a kind: ours to the peer, and the peer's to us. */
static void pair(struct hk_lab *lab, enum hk_peer_role role, enum hk_syscall create, uint64_t a,
                 uint64_t b, uint64_t rights)
{
    int64_t out = hk_syscall(create, a, b, 0);
    int64_t in = hk_syscall(create, a, b, 0);

    hk_lab_peer(lab, role, HK_HANDLE_SELF);
    lab->handle = (uint64_t)out;
    lab->handle2 = (uint64_t)in;
    if (lab->error == NULL && !hk_peer_give(&lab->server[0], lab->handle, lab->handle2, rights))
        lab->error = "the objects cannot be set up";
}

static void drop_pair(struct hk_lab *lab)
{
    hk_lab_clear(lab);
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle2, 0, 0);
}

static void drop_one(struct hk_lab *lab)
{
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle, 0, 0);
}

static void semaphores(struct hk_lab *lab)
{
    pair(lab, HK_PEER_SEMAPHORE, HK_SYS_semaphore_create, 0, 0, HK_RIGHT_SEMAPHORE);
}

static void semaphore_round_trip(struct hk_lab *lab, uint64_t ops)
{
    do {
        (void)hk_syscall(HK_SYS_semaphore_post, lab->handle, 0, 0);
        if (hk_syscall(HK_SYS_semaphore_wait, lab->handle2, HK_TIMEOUT_NONE, 0) < 0)
            lab->error = "the semaphore broke";
    } while (--ops > 0);
}

static void one_semaphore(struct hk_lab *lab)
{
    lab->handle = (uint64_t)hk_syscall(HK_SYS_semaphore_create, 0, 0, 0);
}

static void semaphore_free(struct hk_lab *lab, uint64_t ops)
{
    do {
        (void)hk_syscall(HK_SYS_semaphore_post, lab->handle, 0, 0);
        if (hk_syscall(HK_SYS_semaphore_wait, lab->handle, HK_TIMEOUT_NONE, 0) < 0)
            lab->error = "the semaphore broke";
    } while (--ops > 0);
}

/* The delay before each of the two system calls. */
static void semaphore_delayed(struct hk_lab *lab, uint64_t ops)
{
    uint64_t delay = lab->parameter;

    do {
        hk_peer_delay(delay);
        (void)hk_syscall(HK_SYS_semaphore_post, lab->handle, 0, 0);
        hk_peer_delay(delay);
        if (hk_syscall(HK_SYS_semaphore_wait, lab->handle, HK_TIMEOUT_NONE, 0) < 0)
            lab->error = "the semaphore broke";
    } while (--ops > 0);
}

static void notifications(struct hk_lab *lab)
{
    pair(lab, HK_PEER_NOTIFY, HK_SYS_notification_create, 0, 0,
         HK_RIGHT_SIGNAL | HK_RIGHT_WAIT);
}

static void notification_round_trip(struct hk_lab *lab, uint64_t ops)
{
    do {
        (void)hk_syscall(HK_SYS_notification_signal, lab->handle, 1, 0);
        if (hk_syscall(HK_SYS_notification_wait, lab->handle2, HK_TIMEOUT_NONE, 0) < 0)
            lab->error = "the notification broke";
    } while (--ops > 0);
}

static void channels(struct hk_lab *lab)
{
    pair(lab, HK_PEER_CHANNEL, HK_SYS_channel_create, 4, HK_PEER_CHANNEL_BYTES,
         HK_RIGHT_CHANNEL);
}

static void channel_round_trip(struct hk_lab *lab, uint64_t ops)
{
    uint64_t data[HK_PEER_CHANNEL_BYTES / 8] = { 2385 };

    do {
        (void)hk_syscall5(HK_SYS_channel_send, lab->handle, 0, (uint64_t)data, sizeof(data), 0);
        if (hk_syscall5(HK_SYS_channel_receive, lab->handle2, (uint64_t)data, sizeof(data),
                        HK_TIMEOUT_NONE, 0) < 0)
            lab->error = "the channel broke";
    } while (--ops > 0);
}

static void one_channel(struct hk_lab *lab)
{
    lab->handle = (uint64_t)hk_syscall(HK_SYS_channel_create, 4, HK_PEER_CHANNEL_BYTES, 0);
}

static void channel_alone(struct hk_lab *lab, uint64_t ops)
{
    uint64_t data[HK_PEER_CHANNEL_BYTES / 8] = { 2385 };

    do {
        (void)hk_syscall5(HK_SYS_channel_send, lab->handle, 0, (uint64_t)data, sizeof(data), 0);
        if (hk_syscall5(HK_SYS_channel_receive, lab->handle, (uint64_t)data, sizeof(data),
                        HK_TIMEOUT_NONE, 0) < 0)
            lab->error = "the channel broke";
    } while (--ops > 0);
}

static void driver(struct hk_lab *lab)
{
    hk_lab_peer(lab, HK_PEER_IRQ, HK_HANDLE_SELF);
}

/* Interrupt, message to the driver in its own space, acknowledge, wait for the next. */
static void interrupt(struct hk_lab *lab, uint64_t ops)
{
    (void)lab;
    do {
        (void)hk_syscall(HK_SYS_irq_raise, HK_PEER_LINE, 0, 0);
        (void)hk_syscall0(HK_SYS_yield);
    } while (--ops > 0);
}

/* The driver of a real device: server[0]; handle2: what it signals. */
static void serial(struct hk_lab *lab)
{
    int64_t ports = hk_syscall(HK_SYS_io_create, HK_IO_PORTS, HK_PEER_SERIAL_PORT,
                               HK_PEER_SERIAL_PORTS);
    int64_t line = hk_syscall(HK_SYS_io_create, HK_IO_LINE, HK_PEER_SERIAL_LINE, 1);
    int64_t arrived = hk_syscall0(HK_SYS_notification_create);

    lab->handle2 = (uint64_t)arrived;
    if (ports < 0 || line < 0 || arrived < 0 ||
        hk_serial_start((uint64_t)ports, (uint64_t)line, lab->handle2, &lab->server[0]) != HK_OK)
        lab->error = "the driver does not start";
    else
        lab->server_count = 1;
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)ports, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)line, 0, 0);
}

/* A byte to the driver, to the device, back by interrupt, and here by notification. */
static void serial_byte(struct hk_lab *lab, uint64_t ops)
{
    uint64_t endpoint = lab->server[0].endpoint;

    do {
        uint64_t w0 = ops & 0xff, w1 = 0;

        (void)hk_call(endpoint, 1, &w0, &w1);
        if (hk_syscall(HK_SYS_notification_wait, lab->handle2, HK_NS_PER_MS, 0) !=
            (int64_t)(HK_PEER_SERIAL_BYTE | (ops & 0xff))) {
            lab->error = "no serial port that sends to itself (QEMU: -serial null)";
            return;
        }
    } while (--ops > 0);
}

static void stop_serial(struct hk_lab *lab)
{
    hk_lab_clear(lab);
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle2, 0, 0);
}

/* A second thread of this program, until lab->stop. */
#define THREAD_STACK_WORDS 512
static uint64_t thread_stack[THREAD_STACK_WORDS];

static void yielding_thread(struct hk_lab *lab)
{
    while (!lab->stop)
        (void)hk_syscall0(HK_SYS_yield);
    (void)hk_syscall0(HK_SYS_thread_exit);
}

static void serving_thread(struct hk_lab *lab)
{
    uint64_t badge, w0 = 0, w1 = 0, endpoint = lab->handle;
    int64_t words = 0;

    while (words >= 0 && !lab->stop)
        words = hk_reply_wait(endpoint, 2, &badge, &w0, &w1);
    (void)hk_syscall0(HK_SYS_thread_exit);
}

static void start_thread(struct hk_lab *lab, void (*function)(struct hk_lab *))
{
    int64_t thread;

    lab->stop = false;
    thread = hk_syscall(HK_SYS_thread_create, (uint64_t)function,
                        (uint64_t)&thread_stack[THREAD_STACK_WORDS - 1], (uint64_t)lab);
    if (thread < 0)
        lab->error = "the thread does not start";
    lab->handle2 = (uint64_t)thread;
    (void)hk_syscall0(HK_SYS_yield);
}

static void second_thread(struct hk_lab *lab)
{
    start_thread(lab, yielding_thread);
}

static void stop_thread(struct hk_lab *lab)
{
    lab->stop = true;
    (void)hk_syscall0(HK_SYS_yield);
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle2, 0, 0);
}

static void yield(struct hk_lab *lab, uint64_t ops)
{
    (void)lab;
    do
        (void)hk_syscall0(HK_SYS_yield);
    while (--ops > 0);
}

static void second_server(struct hk_lab *lab)
{
    lab->handle = (uint64_t)hk_syscall0(HK_SYS_endpoint_create);
    start_thread(lab, serving_thread);
}

static void call(struct hk_lab *lab, uint64_t ops)
{
    uint64_t handle = lab->handle, w0 = 2385, w1 = 7411;

    do
        (void)hk_call(handle, 2, &w0, &w1);
    while (--ops > 0);
    if (w0 != 2385 || w1 != 7411)
        lab->error = "the reply is not what was sent";
}

/* The thread leaves its loop at the next message, without a reply: the caller gets HK_EPEER. */
static void stop_server(struct hk_lab *lab)
{
    uint64_t w0 = 0, w1 = 0;

    lab->stop = true;
    (void)hk_call(lab->handle, 0, &w0, &w1);
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle2, 0, 0);
    drop_one(lab);
}

/* A server is started, faults when it is called, and is cleared away: one contained fault. */
static void contained_fault(struct hk_lab *lab, uint64_t ops)
{
    do {
        struct hk_server server;
        uint64_t w0 = 0, w1 = 0;

        if (hk_victim_start(HK_VICTIM_NULL, &server) != HK_OK) {
            lab->error = "the server does not start";
            return;
        }
        if (hk_call(server.endpoint, 0, &w0, &w1) != HK_EPEER)
            lab->error = "the fault went unnoticed";
        hk_server_stop(&server);
    } while (--ops > 0);
}

#define INJECT(delay)                                                                        \
    { "guest/inject_syscall/semaphore_self/delay_instructions:" #delay, one_semaphore,         \
      semaphore_delayed, drop_one, delay, 8, 0 }

static const struct hk_experiment rows[] = {
    { "guest/round_trip/endpoint/spaces:1/words:2", second_server, call, stop_server, 2, 0, 0 },
    { "guest/context_switch/yield/spaces:1", second_thread, yield, stop_thread, 0, 0, 0 },
    { "guest/syscall/semaphore_self", one_semaphore, semaphore_free, drop_one, 0, 0, 0 },
    { "guest/round_trip/semaphore/spaces:2", semaphores, semaphore_round_trip, drop_pair, 0, 0,
      0 },
    { "guest/round_trip/notification/spaces:2", notifications, notification_round_trip, drop_pair,
      0, 0, 0 },
    { "guest/syscall/channel_self/bytes:256", one_channel, channel_alone, drop_one, 0, 0, 0 },
    { "guest/round_trip/channel/bytes:256", channels, channel_round_trip, drop_pair, 0, 0, 0 },
    { "guest/interrupt/to_driver/spaces:2", driver, interrupt, hk_lab_clear, 0, 0, 0 },
    { "guest/interrupt/serial/spaces:2", serial, serial_byte, stop_serial, 0, 0, 0 },
    { "guest/page_fault/contained/restart:1", NULL, contained_fault, NULL, 0, 8, 0 },
    INJECT(100), INJECT(500), INJECT(1000), INJECT(2000),
};

const struct hk_experiment_table hk_experiments_object = { rows, HK_ARRAY_COUNT(rows) };
