/* SPDX-License-Identifier: MIT */
#include "user/peer.h"

#include "user/filter.h"
#include "user/pager.h"

static void echo(uint64_t endpoint, uint64_t next)
{
    uint64_t badge, w0 = 0, w1 = 0;
    int64_t words = 0;

    (void)next;
    while (words >= 0)
        words = hk_reply_wait(endpoint, 2, &badge, &w0, &w1);
}

/* Every register is message here, so the loop is written out; its handle is on the stack. */
static void echo_long(uint64_t endpoint, uint64_t next)
{
    (void)next;
    __asm__ volatile("push %0\n\t"
                     "1: mov %1, %%rax\n\t"
                     "mov (%%rsp), %%rdi\n\t"
                     "syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jns 1b\n\t"
                     "pop %%rcx"
                     :
                     : "D"(endpoint), "i"(HK_IPC_REPLY_WAIT_LONG + HK_MESSAGE_REGISTER_WORDS)
                     : "rax", "rcx", "rsi", "rdx", "r8", "r9", "r10", "r11", "rbx", "rbp", "r12",
                       "r13", "r14", "r15", "memory");
}

static void echo_any(uint64_t endpoint, uint64_t next)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    int64_t words = 0;

    (void)next;
    while (words >= 0) {
        uint64_t handle = endpoint;

        words = hk_user_ipc(HK_IPC_REPLY_WAIT_ANY + words, &handle, word);
    }
}

static void forward(uint64_t endpoint, uint64_t next)
{
    uint64_t badge, w0 = 0, w1 = 0;

    while (hk_reply_wait(endpoint, 2, &badge, &w0, &w1) >= 0)
        (void)hk_call(next, 2, &w0, &w1);
}

static void forward_any(uint64_t endpoint, uint64_t next)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    int64_t words = 0;

    while (words >= 0) {
        uint64_t from = endpoint, to = next;

        words = hk_user_ipc(HK_IPC_REPLY_WAIT_ANY + words, &from, word);
        if (words >= 0)
            words = hk_user_ipc(HK_IPC_CALL_ANY + words, &to, word);
    }
}

static void delay_echo(uint64_t endpoint, uint64_t next)
{
    uint64_t badge, w0 = 0, w1 = 0;

    (void)next;
    while (hk_reply_wait(endpoint, 2, &badge, &w0, &w1) >= 0)
        hk_peer_delay(w1);
}

static void delay_forward(uint64_t endpoint, uint64_t next)
{
    uint64_t badge, w0 = 0, w1 = 0;

    while (hk_reply_wait(endpoint, 2, &badge, &w0, &w1) >= 0) {
        hk_peer_delay(w1);
        (void)hk_call(next, 2, &w0, &w1);
        hk_peer_delay(w1);
    }
}

static void sink(uint64_t endpoint, uint64_t next)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    int64_t words = 0;

    (void)next;
    while (words >= 0) {
        uint64_t handle = endpoint;

        words = hk_user_ipc(HK_IPC_RECEIVE, &handle, word);
    }
}

/* Two handles come as a message: where input comes from, where output goes. */
static bool handles(uint64_t endpoint, uint64_t *in, uint64_t *out)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };

    if (hk_user_ipc(HK_IPC_RECEIVE, &endpoint, word) != 2)
        return false;
    *in = word[0];
    *out = word[1];
    return true;
}

static void stream(uint64_t endpoint, uint64_t next)
{
    uint64_t in, out;
    char data[8];
    int64_t bytes = 1;

    (void)next;
    if (!handles(endpoint, &in, &out))
        return;
    while (bytes > 0) {
        bytes = hk_syscall5(HK_SYS_stream_read, in, (uint64_t)data, sizeof(data),
                        HK_TIMEOUT_NONE, 0);
        if (bytes > 0)
            bytes = hk_syscall5(HK_SYS_stream_write, out, (uint64_t)data, (uint64_t)bytes,
                                HK_TIMEOUT_NOW, 0);
    }
}

static void exchange(uint64_t endpoint, uint64_t next)
{
    uint64_t in, out;
    char data[8];
    int64_t bytes;

    (void)next;
    if (!handles(endpoint, &in, &out))
        return;
    bytes = hk_syscall5(HK_SYS_stream_read, in, (uint64_t)data, sizeof(data),
                        HK_TIMEOUT_NONE, 0);
    while (bytes > 0)
        bytes = hk_syscall5(HK_SYS_stream_exchange, out, in, (uint64_t)data, (uint64_t)bytes,
                            sizeof(data));
}

static void semaphore(uint64_t endpoint, uint64_t next)
{
    uint64_t in, out;

    (void)next;
    if (!handles(endpoint, &in, &out))
        return;
    while (hk_syscall(HK_SYS_semaphore_wait, in, HK_TIMEOUT_NONE, 0) >= 0)
        (void)hk_syscall(HK_SYS_semaphore_post, out, 0, 0);
}

static void notify(uint64_t endpoint, uint64_t next)
{
    uint64_t in, out;

    (void)next;
    if (!handles(endpoint, &in, &out))
        return;
    while (hk_syscall(HK_SYS_notification_wait, in, HK_TIMEOUT_NONE, 0) >= 0)
        (void)hk_syscall(HK_SYS_notification_signal, out, 1, 0);
}

static void channel(uint64_t endpoint, uint64_t next)
{
    uint64_t in, out;
    uint64_t data[HK_PEER_CHANNEL_BYTES / 8];

    (void)next;
    if (!handles(endpoint, &in, &out))
        return;
    while (hk_syscall5(HK_SYS_channel_receive, in, (uint64_t)data, sizeof(data),
                       HK_TIMEOUT_NONE, 0) >= 0)
        (void)hk_syscall5(HK_SYS_channel_send, out, 0, (uint64_t)data, sizeof(data), 0);
}

static void irq(uint64_t endpoint, uint64_t next)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    int64_t words = 0;

    (void)next;
    if (hk_syscall(HK_SYS_irq_bind, HK_PEER_LINE, endpoint, 1) != HK_OK)
        return;
    while (words >= 0) {
        uint64_t handle = endpoint;

        words = hk_user_ipc(HK_IPC_RECEIVE, &handle, word);
        (void)hk_syscall(HK_SYS_irq_ack, HK_PEER_LINE, 0, 0);
    }
}

/* Registers of a 16550, and what makes it send to itself and interrupt for each byte. */
#define SERIAL_DATA 0
#define SERIAL_INTERRUPTS 1
#define SERIAL_ON_DATA 0x01
#define SERIAL_MODEM 4
#define SERIAL_LOOP 0x18

/* Three handles come as a message: ports, line, and the notification for what arrives. */
static void serial(uint64_t endpoint, uint64_t next)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    uint64_t handle = endpoint, ports, line, arrived, badge, byte = 0, unused = 0;
    int64_t words = 0;

    (void)next;
    if (hk_user_ipc(HK_IPC_RECEIVE, &handle, word) != 3)
        return;
    ports = word[0], line = word[1], arrived = word[2];
    (void)hk_syscall5(HK_SYS_io_out, ports, SERIAL_MODEM, 1, SERIAL_LOOP, 0);
    (void)hk_syscall5(HK_SYS_io_out, ports, SERIAL_INTERRUPTS, 1, SERIAL_ON_DATA, 0);
    if (hk_syscall(HK_SYS_line_bind, line, endpoint, HK_PEER_SERIAL_BYTE) != HK_OK)
        return;
    while (words >= 0) {
        words = hk_reply_wait(endpoint, 0, &badge, &byte, &unused);
        if (badge != HK_PEER_SERIAL_BYTE) { /* a client's byte */
            (void)hk_syscall5(HK_SYS_io_out, ports, SERIAL_DATA, 1, byte, 0);
            continue;
        }
        byte = (uint64_t)hk_syscall(HK_SYS_io_in, ports, SERIAL_DATA, 1);
        (void)hk_syscall(HK_SYS_line_ack, line, 0, 0);
        (void)hk_syscall(HK_SYS_notification_signal, arrived, HK_PEER_SERIAL_BYTE | byte, 0);
    }
}

/* Bursts of 50 to 850 us, rests of 100 to 1700 us: a third of the CPU. */
static void load(uint64_t endpoint, uint64_t next)
{
    uint64_t state = 0x9e3779b97f4a7c15 * (endpoint + 1);

    (void)next;
    for (;;) {
        uint64_t until_ns;

        state = state * 6364136223846793005 + 1442695040888963407;
        until_ns = (uint64_t)hk_syscall0(HK_SYS_clock) + 50000 + (state >> 33) % 800000;
        while ((uint64_t)hk_syscall0(HK_SYS_clock) < until_ns)
            ;
        (void)hk_syscall(HK_SYS_sleep, until_ns + 100000 + (state >> 20) % 1600000, 0, 0);
    }
}

#define FILL_ADDRESS 0x0000100000000000
#define FILL_PAGES 256

static void fill(uint64_t endpoint, uint64_t next)
{
    uint64_t *word = (uint64_t *)FILL_ADDRESS;

    (void)endpoint, (void)next;
    if (hk_syscall(HK_SYS_page_map, FILL_ADDRESS, FILL_PAGES, HK_MAP_READ | HK_MAP_WRITE) == HK_OK)
        for (uint64_t i = 0; i < FILL_PAGES * HK_PAGE_BYTES / sizeof(*word); i++)
            word[i] = 0xaaaaaaaaaaaaaaaa;
}

static void yield(uint64_t endpoint, uint64_t next)
{
    (void)endpoint, (void)next;
    for (;;)
        (void)hk_syscall0(HK_SYS_yield);
}

/* Reads a word with a known value in every other register; all of them survive a page fault. */
static bool read_word(const volatile uint64_t *at, uint64_t *value)
{
    uint64_t together;

    __asm__ volatile("mov $1, %%eax\n\t"
                     "mov $2, %%ebx\n\t"
                     "mov $4, %%ecx\n\t"
                     "mov $8, %%edx\n\t"
                     "mov $16, %%r8d\n\t"
                     "mov $32, %%r9d\n\t"
                     "mov $64, %%r10d\n\t"
                     "mov $128, %%r11d\n\t"
                     "mov $256, %%r12d\n\t"
                     "mov $512, %%r13d\n\t"
                     "mov $1024, %%r14d\n\t"
                     "mov $2048, %%r15d\n\t"
                     "stc\n\t"
                     "mov (%%rdi), %%rsi\n\t"
                     "adc $4096, %%rax\n\t" /* the carry as well: 4098 */
                     "or %%rbx, %%rax\n\t"
                     "or %%rcx, %%rax\n\t"
                     "or %%rdx, %%rax\n\t"
                     "or %%r8, %%rax\n\t"
                     "or %%r9, %%rax\n\t"
                     "or %%r10, %%rax\n\t"
                     "or %%r11, %%rax\n\t"
                     "or %%r12, %%rax\n\t"
                     "or %%r13, %%rax\n\t"
                     "or %%r14, %%rax\n\t"
                     "or %%r15, %%rax"
                     : "=a"(together), "=S"(*value)
                     : "D"(at)
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "cc", "memory");
    return together == 8190;
}

/* Every second page is written before it is read. */
static void touch(uint64_t endpoint, uint64_t next)
{
    uint64_t first = 0;

    (void)endpoint, (void)next;
    for (uint64_t page = 0; page < HK_PEER_REGION_PAGES; page++) {
        volatile uint64_t *word = (volatile uint64_t *)(HK_PEER_REGION + page * HK_PAGE_BYTES);
        uint64_t value;

        if (page % 2 != 0)
            word[511] = 2385;
        if (!read_word(&word[510], &value) || (page > 0 && value != first) ||
            (page % 2 != 0 && word[511] != 2385))
            (void)hk_syscall(HK_SYS_exit, HK_PEER_TOUCH_WRONG, 0, 0);
        first = value;
    }
    if (first != 0)
        (void)hk_syscall(HK_SYS_exit,
                         first == HK_PAGER_PATTERN ? HK_PEER_TOUCH_PATTERN : HK_PEER_TOUCH_WRONG,
                         0, 0);
}

static void filter(uint64_t endpoint, uint64_t next)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    uint64_t handle = endpoint;
    int64_t words = hk_user_ipc(HK_IPC_RECEIVE, &handle, word);

    (void)next;
    while (words == 1 + HK_FILTER_WORDS) {
        const struct hk_filter wanted = hk_filter_unpack(word[0]);

        if (!hk_filter_is_good(&wanted))
            return;
        word[0] = hk_filter_decide(&wanted, word + 1);
        handle = endpoint;
        words = hk_user_ipc(HK_IPC_REPLY_WAIT + 1, &handle, word);
    }
}

static void (*const roles[HK_PEER_ROLES])(uint64_t endpoint, uint64_t next) = {
    [HK_PEER_ECHO] = echo,       [HK_PEER_ECHO_LONG] = echo_long, [HK_PEER_ECHO_ANY] = echo_any,
    [HK_PEER_FORWARD] = forward, [HK_PEER_SINK] = sink,           [HK_PEER_YIELD] = yield,
    [HK_PEER_STREAM] = stream,   [HK_PEER_EXCHANGE] = exchange,   [HK_PEER_FILL] = fill,
    [HK_PEER_SEMAPHORE] = semaphore, [HK_PEER_NOTIFY] = notify,   [HK_PEER_CHANNEL] = channel,
    [HK_PEER_IRQ] = irq,         [HK_PEER_LOAD] = load,           [HK_PEER_TOUCH] = touch,
    [HK_PEER_SERIAL] = serial,   [HK_PEER_FORWARD_ANY] = forward_any,
    [HK_PEER_DELAY_ECHO] = delay_echo, [HK_PEER_DELAY_FORWARD] = delay_forward,
    [HK_PEER_FILTER] = filter,
};

/* argument: role, endpoint, next, one byte each */
int main(uint64_t argument, uint64_t *ipc_page)
{
    (void)ipc_page;
    if ((argument & 0xff) >= HK_PEER_ROLES)
        return 1;
    roles[argument & 0xff](argument >> 8 & 0xff, argument >> 16 & 0xff);
    return 0;
}
