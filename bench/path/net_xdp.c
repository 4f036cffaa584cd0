/* SPDX-License-Identifier: MIT */
/*
 * The echo as a program in the kernel: at the far end of a wire it turns a packet around
 * before any stack sees it. The server holds the program and has nothing else to do.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "hk/base/units.h"
#include "xdp.h"

#define PASS_AT 28 /* index of the instruction that lets the kernel's stack have it */

/* Registers: 2 the frame, 3 its end, 4 to 6 what is exchanged. Sums do not change by swapping. */
static const struct bpf_insn turn_around[] = {
    UNLESS_ECHO_GOTO(PASS_AT),
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

static enum hk_status xdp_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons(HK_NET_FAREWELL_PORT)};
    int link = -1;

    enum hk_status status = hk_net_open_wire(net, true, true, client, reason);
    if (status == HK_OK)
        status = hk_xdp_attach(turn_around, HK_ARRAY_COUNT(turn_around), &link, reason);
    /* the link stays open until this process ends */
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
