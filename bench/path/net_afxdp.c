/* SPDX-License-Identifier: MIT */
/*
 * The echo in a server that gets packets before any stack does: a program at the far end of a
 * wire hands frames to an AF_XDP socket, and the server turns them around and sends them. In copy
 * mode the kernel copies each frame into the server's memory and out of it again; that works with
 * every device and driver. One frame is on its way at a time, so one queue and few frames do; a
 * frame is sent from where it was received.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "xdp.h"

enum { FRAMES = 32, FRAME_BYTES = 4096, SEND_TRIES = 1000 };

/* A ring of the socket: who writes its items and who reads them each has a counter. */
struct ring {
    uint32_t *producer;
    uint32_t *consumer;
    void *items;
};

struct socket_memory {
    int fd;
    unsigned char *frames;
    struct ring fill; /* frames that may be received into */
    struct ring received;
    struct ring to_send;
    struct ring sent; /* frames that are free again */
};

#define PASS_AT 17

/* Register 1 the map, 2 its element, 3 what happens if no socket is there. */
static const struct bpf_insn hand_over[] = {
    UNLESS_ECHO_GOTO(PASS_AT),
    {BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, 0}, /* completed in attach() */
    {0, 0, 0, 0, 0},
    NUMBER(BPF_MOV, 2, 0),
    NUMBER(BPF_MOV, 3, XDP_PASS),
    {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map},
    EXIT(),
    NUMBER(BPF_MOV, 0, XDP_PASS),
    EXIT(),
};
#define MAP_AT 11

/* --- setting it up --------------------------------------------------------------------------- */

static enum hk_status map_ring(int fd, const struct xdp_ring_offset *at, size_t item_bytes,
                               off_t page, struct ring *ring)
{
    unsigned char *memory = mmap(NULL, at->desc + FRAMES * item_bytes, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_POPULATE, fd, page);

    if (memory == MAP_FAILED)
        return HK_ENOMEM;
    *ring = (struct ring){.producer = (uint32_t *)(void *)(memory + at->producer),
                          .consumer = (uint32_t *)(void *)(memory + at->consumer),
                          .items = memory + at->desc};
    return HK_OK;
}

static enum hk_status map_rings(struct socket_memory *s)
{
    struct xdp_mmap_offsets at;
    socklen_t bytes = sizeof at;

    if (getsockopt(s->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &bytes) != 0)
        return HK_ENOTSUP;
    if (bytes != sizeof at) { /* of a kernel before 5.4, where errno says nothing */
        errno = EOPNOTSUPP;
        return HK_ENOTSUP;
    }
    enum hk_status status =
        map_ring(s->fd, &at.fr, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING, &s->fill);
    if (status == HK_OK)
        status = map_ring(s->fd, &at.cr, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING,
                          &s->sent);
    if (status == HK_OK)
        status = map_ring(s->fd, &at.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING, &s->received);
    if (status == HK_OK)
        status = map_ring(s->fd, &at.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING, &s->to_send);
    return status;
}

static bool set_ring(int fd, int which)
{
    const int count = FRAMES;

    return setsockopt(fd, SOL_XDP, which, &count, sizeof count) == 0;
}

/* An address in the ring of the kernel's frames, for it to receive into. */
static void offer(struct socket_memory *s, uint64_t frame)
{
    const uint32_t at = *s->fill.producer;

    ((uint64_t *)s->fill.items)[at % FRAMES] = frame;
    __atomic_store_n(s->fill.producer, at + 1, __ATOMIC_RELEASE);
}

static enum hk_status open_socket(struct socket_memory *s, char reason[HK_REASON_BYTES])
{
    struct xdp_umem_reg memory = {.len = FRAMES * FRAME_BYTES, .chunk_size = FRAME_BYTES};
    struct sockaddr_xdp at = {.sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY,
                              .sxdp_ifindex = if_nametoindex(hk_net_server_device.name)};

    s->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return hk_xdp_refuse(reason, "an AF_XDP socket");
    s->frames = mmap(NULL, memory.len, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (s->frames == MAP_FAILED)
        return HK_ENOMEM;
    memory.addr = (uintptr_t)s->frames;
    if (setsockopt(s->fd, SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory) != 0 ||
        !set_ring(s->fd, XDP_UMEM_FILL_RING) || !set_ring(s->fd, XDP_UMEM_COMPLETION_RING) ||
        !set_ring(s->fd, XDP_RX_RING) || !set_ring(s->fd, XDP_TX_RING) || map_rings(s) != HK_OK)
        return hk_xdp_refuse(reason, "the memory of an AF_XDP socket");
    for (uint64_t i = 0; i < FRAMES; i++)
        offer(s, i * FRAME_BYTES);
    return bind(s->fd, (const struct sockaddr *)&at, sizeof at) == 0
               ? HK_OK : hk_xdp_refuse(reason, "AF_XDP in copy mode at a veth");
}

/* The map has one place, of the device's one queue. Map and program live with the link. */
static enum hk_status attach(const struct socket_memory *s, char reason[HK_REASON_BYTES])
{
    struct bpf_insn program[HK_ARRAY_COUNT(hand_over)];
    union bpf_attr create, update;
    const uint32_t key = 0;
    int link = -1;

    memset(&create, 0, sizeof create);
    create.map_type = BPF_MAP_TYPE_XSKMAP;
    create.key_size = create.value_size = sizeof(uint32_t);
    create.max_entries = 1;
    const int map = hk_xdp_bpf(BPF_MAP_CREATE, &create);
    if (map < 0)
        return hk_xdp_refuse(reason, "a map of AF_XDP sockets");
    memset(&update, 0, sizeof update);
    update.map_fd = (uint32_t)map;
    update.key = (uintptr_t)&key;
    update.value = (uintptr_t)&s->fd;
    if (hk_xdp_bpf(BPF_MAP_UPDATE_ELEM, &update) != 0) {
        const enum hk_status refused = hk_xdp_refuse(reason, "an AF_XDP socket in a map");
        close(map);
        return refused;
    }
    memcpy(program, hand_over, sizeof program);
    program[MAP_AT].imm = map;
    const enum hk_status status =
        hk_xdp_attach(program, HK_ARRAY_COUNT(program), &link, reason); /* open to the end */
    close(map);
    return status;
}

static enum hk_status afxdp_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    struct socket_memory *s = calloc(1, sizeof *s);

    if (s == NULL)
        return HK_ENOMEM;
    net->state = s; /* with its frames and rings it goes when the server's process ends */
    s->fd = -1;
    enum hk_status status = hk_net_open_wire(net, true, true, client, reason);
    if (status == HK_OK)
        status = open_socket(s, reason);
    net->server = s->fd;
    return status == HK_OK ? attach(s, reason) : status;
}

/* --- answering --------------------------------------------------------------------------------- */

static void swap(unsigned char *a, unsigned char *b, size_t bytes)
{
    unsigned char kept[8];

    memcpy(kept, a, bytes);
    memcpy(a, b, bytes);
    memcpy(b, kept, bytes);
}

/* Addresses of hardware, IP and UDP; sums do not change by swapping. */
static void turn_around(unsigned char *frame)
{
    swap(frame, frame + 6, 6);
    swap(frame + IP_SOURCE, frame + IP_SOURCE + 4, 4);
    swap(frame + UDP_PORTS, frame + UDP_PORTS + 2, 2);
}

/* What was sent may be received into again. */
static void reclaim(struct socket_memory *s)
{
    uint32_t at = *s->sent.consumer;
    const uint32_t end = __atomic_load_n(s->sent.producer, __ATOMIC_ACQUIRE);

    for (; at != end; at++)
        offer(s, ((const uint64_t *)s->sent.items)[at % FRAMES]);
    __atomic_store_n(s->sent.consumer, end, __ATOMIC_RELEASE);
}

static enum hk_status send_back(struct socket_memory *s, struct xdp_desc frame)
{
    const uint32_t at = *s->to_send.producer;

    turn_around(s->frames + frame.addr);
    ((struct xdp_desc *)s->to_send.items)[at % FRAMES] =
        (struct xdp_desc){.addr = frame.addr, .len = frame.len};
    __atomic_store_n(s->to_send.producer, at + 1, __ATOMIC_RELEASE);
    for (int tries = 0; sendto(s->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0; tries++)
        if ((errno != EAGAIN && errno != EBUSY && errno != ENOBUFS) || tries == SEND_TRIES)
            return HK_EIO;
    reclaim(s);
    return HK_OK;
}

/* The next frame that came; false when there is none. */
static bool take(struct socket_memory *s, struct xdp_desc *frame)
{
    const uint32_t at = *s->received.consumer;

    if (__atomic_load_n(s->received.producer, __ATOMIC_ACQUIRE) == at)
        return false;
    *frame = ((const struct xdp_desc *)s->received.items)[at % FRAMES];
    __atomic_store_n(s->received.consumer, at + 1, __ATOMIC_RELEASE);
    return true;
}

static enum hk_status afxdp_serve(struct hk_net *net)
{
    struct socket_memory *s = net->state;
    struct pollfd wait = {.fd = s->fd, .events = POLLIN};
    enum hk_status status = HK_OK;
    struct xdp_desc frame;

    while (status == HK_OK) {
        if (poll(&wait, 1, -1) < 0 && errno != EINTR)
            return HK_EIO;
        if (!take(s, &frame)) {
            if (wait.revents & (POLLERR | POLLHUP | POLLNVAL)) /* it would be so for ever */
                return HK_EIO;
            continue;
        }
        const unsigned char *payload = s->frames + frame.addr + HEADERS_BYTES;
        /* No shorter frame comes here. */
        if (hk_net_is_farewell(payload, frame.len - HEADERS_BYTES))
            return HK_OK;
        status = send_back(s, frame);
    }
    return status;
}

const struct hk_net_service hk_net_service_afxdp = {
    .name = "afxdp",
    .over = "veth",
    .summary = "turned around by a server that gets frames through AF_XDP in copy mode",
    .syscalls = 2,
    .switches = true,
    .open = afxdp_open,
    .serve = afxdp_serve,
};
