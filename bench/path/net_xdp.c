/* SPDX-License-Identifier: MIT */
/*
 * The echo as a program in the kernel: at the far end of a wire it turns a packet around
 * before any stack sees it. The server holds the program and has nothing else to do.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "nets.h"

enum {
    ETHERNET_BYTES = 14,
    IP_SOURCE = ETHERNET_BYTES + 12,
    UDP_PORTS = ETHERNET_BYTES + 20,
    HEADERS_BYTES = ETHERNET_BYTES + 20 + 8,
};

#define LOAD(size, to, from, at) {BPF_LDX | BPF_MEM | (size), (to), (from), (at), 0}
#define STORE(size, to, at, from) {BPF_STX | BPF_MEM | (size), (to), (from), (at), 0}
#define MOVE(to, from) {BPF_ALU64 | BPF_MOV | BPF_X, (to), (from), 0, 0}
#define NUMBER(operation, to, value) {BPF_ALU64 | (operation) | BPF_K, (to), 0, 0, (value)}
#define EXIT() {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}

/* As a little-endian machine loads what is in network order. */
#define IP_TYPE 0x0008
#define ECHO_PORT ((HK_NET_PORT & 0xff) << 8 | HK_NET_PORT >> 8)
#define UDP_NUMBER 17
#define PASS_AT 28 /* index of the instruction that lets the kernel's stack have it */
#define UNLESS(compare, register, is, at)                                                         \
    {BPF_JMP | (compare) | BPF_K, (register), 0, PASS_AT - (at) - 1, (is)}

/* Registers: 2 the frame, 3 its end, 4 to 6 what is exchanged. Sums do not change by swapping. */
static const struct bpf_insn turn_around[] = {
    LOAD(BPF_W, 2, 1, offsetof(struct xdp_md, data)),
    LOAD(BPF_W, 3, 1, offsetof(struct xdp_md, data_end)),
    MOVE(4, 2),
    NUMBER(BPF_ADD, 4, HEADERS_BYTES),
    {BPF_JMP | BPF_JGT | BPF_X, 4, 3, PASS_AT - 4 - 1, 0}, /* too short */
    LOAD(BPF_H, 4, 2, 12),
    UNLESS(BPF_JNE, 4, IP_TYPE, 6),
    LOAD(BPF_B, 4, 2, ETHERNET_BYTES + 9),
    UNLESS(BPF_JNE, 4, UDP_NUMBER, 8),
    LOAD(BPF_H, 5, 2, UDP_PORTS + 2),
    UNLESS(BPF_JNE, 5, ECHO_PORT, 10),
    LOAD(BPF_H, 4, 2, UDP_PORTS),
    STORE(BPF_H, 2, UDP_PORTS, 5),
    STORE(BPF_H, 2, UDP_PORTS + 2, 4),
    LOAD(BPF_W, 4, 2, IP_SOURCE),
    LOAD(BPF_W, 5, 2, IP_SOURCE + 4),
    STORE(BPF_W, 2, IP_SOURCE, 5),
    STORE(BPF_W, 2, IP_SOURCE + 4, 4),
    LOAD(BPF_W, 4, 2, 0), /* hardware addresses: 4 and 2 bytes of the first */
    LOAD(BPF_H, 5, 2, 4),
    LOAD(BPF_H, 6, 2, 6), /* 2 and 4 of the second */
    STORE(BPF_H, 2, 0, 6),
    LOAD(BPF_W, 6, 2, 8),
    STORE(BPF_W, 2, 2, 6),
    STORE(BPF_W, 2, 6, 4),
    STORE(BPF_H, 2, 10, 5),
    NUMBER(BPF_MOV, 0, XDP_TX),
    EXIT(),
    NUMBER(BPF_MOV, 0, XDP_PASS),
    EXIT(),
};

static int bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static enum hk_status refuse(char reason[HK_REASON_BYTES], const char *what)
{
    snprintf(reason, HK_REASON_BYTES, "%s: %s; run as root on a kernel with eBPF and XDP", what,
             strerror(errno));
    return HK_ENOTSUP;
}

/* The link holds the program at the device; both are gone with its descriptor. */
static enum hk_status attach(int *link, char reason[HK_REASON_BYTES])
{
    union bpf_attr load, create;

    memset(&load, 0, sizeof load);
    load.prog_type = BPF_PROG_TYPE_XDP;
    load.insns = (uintptr_t)turn_around;
    load.insn_cnt = HK_ARRAY_COUNT(turn_around);
    load.license = (uintptr_t) "MIT";
    const int program = bpf(BPF_PROG_LOAD, &load);
    if (program < 0)
        return refuse(reason, "an XDP program");
    memset(&create, 0, sizeof create);
    create.link_create.prog_fd = (uint32_t)program;
    create.link_create.target_ifindex = if_nametoindex(hk_net_server_device.name);
    create.link_create.attach_type = BPF_XDP;
    create.link_create.flags = XDP_FLAGS_SKB_MODE;
    *link = bpf(BPF_LINK_CREATE, &create);
    const int error = errno;
    close(program);
    errno = error;
    return *link >= 0 ? HK_OK : refuse(reason, "a program at a veth");
}

static enum hk_status xdp_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons(HK_NET_FAREWELL_PORT)};
    int link = -1;

    enum hk_status status = hk_net_open_wire(net, true, true, client, reason);
    if (status == HK_OK)
        status = attach(&link, reason); /* held open until this process ends */
    if (status == HK_OK)
        status = hk_net_socket(net, &net->server);
    if (status == HK_OK && bind(net->server, (const struct sockaddr *)&at, sizeof at) != 0)
        status = HK_EIO;
    return status;
}

/* Nothing to answer: only the farewell comes here. */
static enum hk_status xdp_serve(struct hk_net *net)
{
    unsigned char bytes[64];

    return recv(net->server, bytes, sizeof bytes, 0) >= 0 ? HK_OK : HK_EIO;
}

const struct hk_net_service hk_net_service_xdp = {
    .name = "xdp",
    .over = "veth",
    .summary = "turned around by a program in the kernel at the end of a veth",
    .farewell_port = HK_NET_FAREWELL_PORT,
    .open = xdp_open,
    .serve = xdp_serve,
};
