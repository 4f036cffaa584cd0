/* SPDX-License-Identifier: MIT */
/* The program "server": one service of hk_services[] in a process of its own. */
#include "user/server.h"

#include "services/durable.h"
#include "services/ramfb.h"
#include "services/services.h"
#include "services/virtio.h"
#include "user/user.h"

struct server {
    struct hk_service_host host;
    uint64_t endpoint;
    uint64_t timer; /* HK_HANDLE_SELF: none yet */
    bool armed;     /* the timer has still to go off */
    uint64_t line;  /* of its device */
    uint64_t ports;
};

/* Where its memory is, in every server: what it points to stays where it was. */
#define SERVER_MEMORY 0x0000200000000000
#define SERVER_REGISTERS 0x0000210000000000
#define SERVER_FRAMES 0x0000220000000000

/* A page of memory is held by the object and by our mapping. */
#define HOLDERS_UNLENT 2

static struct server *server_of(struct hk_service_host *host)
{
    return (struct server *)(void *)host; /* its first member */
}

static uint64_t clock_ns(struct hk_service_host *host)
{
    (void)host;
    return (uint64_t)hk_syscall0(HK_SYS_clock);
}

static void wake_at(struct hk_service_host *host, uint64_t at_ns)
{
    struct server *server = server_of(host);

    if (at_ns == HK_SERVICE_NEVER_NS) {
        if (server->armed) {
            (void)hk_syscall(HK_SYS_cap_drop, server->timer, 0, 0);
            server->timer = HK_HANDLE_SELF;
        }
        server->armed = false;
        return;
    }
    server->armed = true;
    if (server->timer != HK_HANDLE_SELF) {
        (void)hk_syscall(HK_SYS_timer_set, server->timer, at_ns, 0);
        return;
    }
    int64_t timer = hk_syscall5(HK_SYS_timer_create, server->endpoint, HK_SERVICE_TIME_BADGE,
                                at_ns, 0, 0);

    if (timer > 0)
        server->timer = (uint64_t)timer;
}

static enum hk_status signal_client(struct hk_service_host *host, uint64_t client, uint64_t bits)
{
    (void)host;
    return (enum hk_status)hk_syscall(HK_SYS_process_signal, client, bits, 0);
}

static enum hk_status lend(struct hk_service_host *host, const void *page, uint64_t client,
                           uint64_t address)
{
    (void)host;
    return (enum hk_status)hk_syscall(HK_SYS_page_lend, client, (uint64_t)page, address);
}

static bool is_lent(struct hk_service_host *host, const void *page)
{
    (void)host;
    return hk_syscall(HK_SYS_page_holders, (uint64_t)page, 0, 0) > HOLDERS_UNLENT;
}

static void answer(struct hk_service_host *host, const struct hk_answer *answer)
{
    (void)hk_syscall(HK_SYS_answer_put, server_of(host)->endpoint, (uint64_t)answer, 0);
}

static enum hk_status supply(struct hk_service_host *host, uint64_t address, uint64_t protection)
{
    (void)host;
    return (enum hk_status)hk_syscall5(HK_SYS_pager_map, address, 1, protection, 0, 0);
}

static void device_ack(struct hk_service_host *host)
{
    (void)hk_syscall(HK_SYS_line_ack, server_of(host)->line, 0, 0);
}

static uint32_t in32(struct hk_service_host *host, uint32_t offset)
{
    return (uint32_t)hk_syscall(HK_SYS_io_in, server_of(host)->ports, offset, 4);
}

static void out32(struct hk_service_host *host, uint32_t offset, uint32_t value)
{
    (void)hk_syscall5(HK_SYS_io_out, server_of(host)->ports, offset, 4, value, 0);
}

/* --- the device: its frames are the supervisor's, the rest is made here --------------- */

static enum hk_status find_virtio(struct server *server, enum hk_virtio_device wanted)
{
    int64_t page = hk_syscall(HK_SYS_io_create, HK_IO_MEMORY, HK_VIRTIO_PHYSICAL, 1), line;
    uint32_t number;

    if (page < 0 || hk_syscall(HK_SYS_io_map, (uint64_t)page, SERVER_REGISTERS,
                               HK_MAP_READ | HK_MAP_WRITE) != HK_OK)
        return HK_ENOTSUP;
    if (hk_virtio_find((volatile void *)SERVER_REGISTERS, wanted, &number) != HK_OK)
        return HK_ENOTSUP;
    server->host.device.registers =
        (volatile char *)SERVER_REGISTERS + number * HK_VIRTIO_STRIDE_BYTES;
    line = hk_syscall(HK_SYS_io_create, HK_IO_LINE, HK_VIRTIO_LINE + number, 1);
    if (line < 0)
        return (enum hk_status)line;
    server->line = (uint64_t)line;
    return (enum hk_status)hk_syscall(HK_SYS_line_bind, server->line, server->endpoint,
                                      HK_SERVICE_DEVICE_BADGE);
}

static enum hk_status find_device(struct server *server, const struct hk_service *service,
                                  uint64_t frames)
{
    int64_t physical = hk_syscall(HK_SYS_io_base, frames, 0, 0), ports;

    if (physical < 0 || hk_syscall(HK_SYS_io_map, frames, SERVER_FRAMES,
                                   HK_MAP_READ | HK_MAP_WRITE) != HK_OK)
        return HK_EINVAL;
    server->host.device = (struct hk_service_device){
        .kind = service->device,
        .frames = (void *)SERVER_FRAMES,
        .frames_physical = (uint64_t)physical,
    };
    switch (service->device) {
    case HK_DEVICE_VIRTIO_NET:
        return find_virtio(server, HK_VIRTIO_NET);
    case HK_DEVICE_VIRTIO_BLOCK:
        return find_virtio(server, HK_VIRTIO_BLOCK);
    default:
        ports = hk_syscall(HK_SYS_io_create, HK_IO_PORTS, HK_RAMFB_PORT, HK_RAMFB_PORTS);
        server->ports = (uint64_t)ports;
        return ports < 0 ? (enum hk_status)ports : HK_OK;
    }
}

/* --- its work ------------------------------------------------------------------------ */

static inline void handle(struct server *server, const struct hk_service *service,
                          struct hk_service_message *message)
{
    if (message->badge == HK_SERVICE_TIME_BADGE)
        server->armed = false;
    message->words = HK_SERVICE_REPLY_WORDS;
    message->word[0] = (uint64_t)service->handle(&server->host, message);
}

static inline int64_t answer_and_receive(const struct server *server,
                                         struct hk_service_message *message)
{
    message->badge = server->endpoint;
    return hk_user_ipc(hk_reply_wait_class(message->words) + (int64_t)message->words,
                       &message->badge, message->word);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005 + 1442695040888963407; /* Knuth's MMIX */
    return *seed ^ *seed >> 29; /* the low bits of the product alone are poor */
}

/* Nonsense for the status, or for everything that comes with it. */
static void garble(struct hk_service_message *message, uint64_t *seed)
{
    if (next_random(seed) >> 63) {
        message->word[0] = next_random(seed);
        return;
    }
    for (uint64_t i = 1; i < message->words; i++) {
        uint64_t *word = i < HK_MESSAGE_REGISTER_WORDS
                             ? &message->word[i] : &message->buffer[i - HK_MESSAGE_REGISTER_WORDS];

        *word ^= next_random(seed);
    }
}

/*
 * One byte of its memory becomes another: of either copy or of the sums, in a word that says
 * something.
 */
static void damage(const struct hk_service *service, uint64_t *seed)
{
    volatile uint64_t *word = (volatile uint64_t *)SERVER_MEMORY;
    const uint64_t words = hk_durable_pages(service) * HK_PAGE_BYTES / 8;
    uint64_t at;

    do
        at = next_random(seed) % words;
    while (word[at] == 0);
    word[at] ^= (1 + next_random(seed) % 255) << next_random(seed) % 8 * 8;
}

/* Fail as the supervisor asked: to see what clients, supervisor and data make of it. */
static void fail(struct server *server, const struct hk_service *service, uint64_t argument,
                 struct hk_service_message *message)
{
    volatile uint64_t *at = (volatile uint64_t *)__builtin_frame_address(0);
    const enum hk_server_fault fault = hk_server_argument_fault(argument);
    uint64_t seed = argument;

    while (fault == HK_SERVER_HANGS) {
    }
    while (fault == HK_SERVER_GARBLES) {
        garble(message, &seed);
        if (answer_and_receive(server, message) < 0)
            return;
        handle(server, service, message);
    }
    if (fault == HK_SERVER_DAMAGES) {
        damage(service, &seed);
        __builtin_trap();
    }
    /* its stack is no longer what it was: the next return goes anywhere */
    for (uint64_t i = 0; i < 64; i++)
        at[i] = next_random(&seed);
}

static void serve(struct server *server, const struct hk_service *service, uint64_t argument,
                  struct hk_service_message *message)
{
    uint64_t served = 0, last = hk_server_argument_after(argument);
    int64_t words;

    message->badge = server->endpoint;
    words = hk_user_ipc(HK_IPC_RECEIVE, &message->badge, message->word);
    while (words >= 0) {
        handle(server, service, message);
        if (++served == last)
            fail(server, service, argument, message);
        words = answer_and_receive(server, message);
    }
}

int main(uint64_t argument, uint64_t *ipc_page)
{
    struct server server = {
        .host = {
            .memory = (void *)SERVER_MEMORY,
            .clock_ns = clock_ns,
            .wake_at = wake_at,
            .signal = signal_client,
            .lend = lend,
            .is_lent = is_lent,
            .answer = answer,
            .supply = supply,
            .device_ack = device_ack,
            .in32 = in32,
            .out32 = out32,
        },
        .endpoint = hk_server_argument_endpoint(argument),
    };
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    struct hk_service_message message = { .word = word, .buffer = ipc_page };
    const struct hk_service *service;

    if (hk_server_argument_service(argument) >= HK_SERVICES)
        return 1;
    service = &hk_services[hk_server_argument_service(argument)];
    hk_durable_set_up(&server.host, service);
    if (hk_syscall(HK_SYS_shm_map, hk_server_argument_memory(argument), SERVER_MEMORY,
                   HK_MAP_READ | HK_MAP_WRITE) != HK_OK)
        return 2;
    if (hk_server_argument_frames(argument) != HK_HANDLE_SELF &&
        find_device(&server, service, hk_server_argument_frames(argument)) != HK_OK)
        return 4;
    (void)hk_syscall(HK_SYS_thread_policy, HK_HANDLE_SELF, HK_SERVER_PRIORITY, 0);
    service->start(&server.host);
    serve(&server, service, argument, &message);
    return 3;
}
