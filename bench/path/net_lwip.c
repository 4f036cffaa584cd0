/* SPDX-License-Identifier: MIT */
/*
 * lwIP in the server: the client's packets come as frames from a TAP device, or from a packet
 * socket at the far end of a wire, and lwIP's echo sends frames back. lwIP is used without a
 * thread of its own: what receives a frame runs the stack. Over memory the client runs it itself,
 * for what the stack costs without the way to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/inet_chksum.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/prot/etharp.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/udp.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>

#include "hk/transport/ipc.h"
#include "nets.h"

enum { FRAME_BYTES = 2048, MTU_BYTES = 1500 };

/* The stack in this process. */
struct stack {
    struct netif netif;
    struct udp_pcb *datagrams;
    int fd; /* frames */
    bool done;
};

/* --- frames --------------------------------------------------------------------------------- */

static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
    const struct stack *s = netif->state;
    unsigned char bytes[FRAME_BYTES];
    const u16_t length = pbuf_copy_partial(frame, bytes, sizeof bytes, 0);

    return write(s->fd, bytes, length) == length ? ERR_OK : ERR_IF;
}

static err_t init_netif(struct netif *netif)
{
    netif->name[0] = 'h';
    netif->name[1] = 'k';
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    netif->mtu = MTU_BYTES;
    netif->hwaddr_len = HK_MAC_BYTES;
    memcpy(netif->hwaddr, hk_net_server_device.mac, HK_MAC_BYTES);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

/* Hand one frame to the stack; what is answered is sent before this returns. */
static void take_frame(struct stack *s, const unsigned char *bytes, size_t n)
{
    /* Not from PBUF_POOL: Debian's 2.1.3 writes large frames past the end of its elements. */
    struct pbuf *frame = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM);

    if (frame == NULL)
        return; /* dropped, as a device would */
    pbuf_take(frame, bytes, (u16_t)n);
    if (s->netif.input(frame, &s->netif) != ERR_OK)
        pbuf_free(frame);
    sys_check_timeouts();
}

static enum hk_status receive_frame(struct stack *s)
{
    unsigned char bytes[FRAME_BYTES];
    const ssize_t n = read(s->fd, bytes, sizeof bytes);

    if (n < 0)
        return errno == EINTR ? HK_OK : hk_errno_status(errno);
    take_frame(s, bytes, (size_t)n);
    return HK_OK;
}

/* --- the echo ---------------------------------------------------------------------------------- */

static void echo_datagram(void *context, struct udp_pcb *pcb, struct pbuf *data,
                          const ip_addr_t *from, u16_t port)
{
    struct stack *s = context;

    if (hk_net_is_farewell(data->payload, data->tot_len))
        s->done = true;
    else
        udp_sendto(pcb, data, from, port);
    pbuf_free(data);
}

static err_t echo_segment(void *context, struct tcp_pcb *pcb, struct pbuf *data, err_t error)
{
    struct stack *s = context;

    if (data == NULL || error != ERR_OK) { /* the client has closed */
        s->done = true;
        return tcp_close(pcb);
    }
    tcp_recved(pcb, data->tot_len);
    for (const struct pbuf *p = data; p != NULL; p = p->next)
        tcp_write(pcb, p->payload, p->len, TCP_WRITE_FLAG_COPY);
    tcp_output(pcb);
    pbuf_free(data);
    return ERR_OK;
}

static err_t accept_client(void *context, struct tcp_pcb *pcb, err_t error)
{
    if (error != ERR_OK || pcb == NULL)
        return ERR_VAL;
    tcp_arg(pcb, context);
    tcp_recv(pcb, echo_segment);
    tcp_nagle_disable(pcb);
    return ERR_OK;
}

static bool listen_datagrams(struct stack *s)
{
    s->datagrams = udp_new();
    if (s->datagrams == NULL || udp_bind(s->datagrams, IP_ADDR_ANY, HK_NET_PORT) != ERR_OK)
        return false;
    udp_recv(s->datagrams, echo_datagram, s);
    return true;
}

static bool listen_stream(struct stack *s)
{
    struct tcp_pcb *pcb = tcp_new();

    if (pcb == NULL || tcp_bind(pcb, IP_ADDR_ANY, HK_NET_PORT) != ERR_OK)
        return false;
    pcb = tcp_listen(pcb);
    if (pcb == NULL)
        return false;
    tcp_arg(pcb, s);
    tcp_accept(pcb, accept_client);
    return true;
}

/* The stack with its echo; frames leave by netif.linkoutput, which may still be changed. */
static enum hk_status start_stack(struct stack *s, bool stream)
{
    const ip4_addr_t address = {lwip_htonl(HK_NET_SERVER_ADDRESS)};
    const ip4_addr_t mask = {lwip_htonl(0xffffff00u)}, gateway = {0};

    lwip_init();
    if (netif_add(&s->netif, &address, &mask, &gateway, s, init_netif, ethernet_input) == NULL)
        return HK_ENOMEM;
    netif_set_default(&s->netif);
    netif_set_up(&s->netif);
    return (stream ? listen_stream(s) : listen_datagrams(s)) ? HK_OK : HK_ENOMEM;
}

static enum hk_status lwip_serve(struct hk_net *net)
{
    struct stack s = {.fd = net->server};

    enum hk_status status = start_stack(&s, net->options.stream);
    while (status == HK_OK && !s.done)
        status = receive_frame(&s);
    return status;
}

/* --- in the client ------------------------------------------------------------------------------- */

enum { PAYLOAD_AT = SIZEOF_ETH_HDR + IP_HLEN + UDP_HLEN };

struct local_stack {
    struct stack stack;
    struct hk_net *net;
    uint64_t echoed_count;
    unsigned char frame[FRAME_BYTES]; /* of the request as it was last */
};

static err_t take_echo(struct netif *netif, struct pbuf *frame)
{
    struct local_stack *l = netif->state; /* the stack is its first member */

    if (frame->tot_len != PAYLOAD_AT + l->net->options.bytes)
        return ERR_OK; /* a question for an address */
    l->echoed_count += pbuf_copy_partial(frame, l->net->reply, (u16_t)l->net->options.bytes,
                                         PAYLOAD_AT) == l->net->options.bytes;
    return ERR_OK;
}

/* What a client of the wire would send: frame, IP and UDP around the request. */
static enum hk_status make_frame(const struct hk_net *net, unsigned char frame[FRAME_BYTES])
{
    struct eth_hdr *ethernet = (struct eth_hdr *)(void *)frame;
    struct ip_hdr *ip = (struct ip_hdr *)(void *)(frame + SIZEOF_ETH_HDR);
    struct udp_hdr *udp = (struct udp_hdr *)(void *)(frame + SIZEOF_ETH_HDR + IP_HLEN);
    const ip4_addr_t from = {lwip_htonl(HK_NET_CLIENT_ADDRESS)};
    const ip4_addr_t to = {lwip_htonl(HK_NET_SERVER_ADDRESS)};
    const u16_t bytes = (u16_t)(UDP_HLEN + net->options.bytes);

    memset(frame, 0, PAYLOAD_AT);
    memcpy(ethernet->dest.addr, hk_net_server_device.mac, HK_MAC_BYTES);
    memcpy(ethernet->src.addr, hk_net_client_device.mac, HK_MAC_BYTES);
    ethernet->type = lwip_htons(ETH_P_IP);
    IPH_VHL_SET(ip, 4, IP_HLEN / 4);
    IPH_LEN_SET(ip, lwip_htons((u16_t)(IP_HLEN + bytes)));
    IPH_TTL_SET(ip, 64);
    IPH_PROTO_SET(ip, IP_PROTO_UDP);
    ip->src.addr = from.addr;
    ip->dest.addr = to.addr;
    IPH_CHKSUM_SET(ip, inet_chksum(ip, IP_HLEN));
    udp->src = udp->dest = lwip_htons(HK_NET_PORT);
    udp->len = lwip_htons(bytes);
    memcpy(frame + PAYLOAD_AT, net->request, net->options.bytes);
    struct pbuf *sum = pbuf_alloc(PBUF_RAW, bytes, PBUF_RAM);
    if (sum == NULL)
        return HK_ENOMEM;
    pbuf_take(sum, udp, bytes);
    udp->chksum = inet_chksum_pseudo(sum, IP_PROTO_UDP, bytes, &from, &to);
    pbuf_free(sum);
    return HK_OK;
}

/* The client asks for the stack's hardware address, and so tells its own. */
static void introduce_client(struct stack *s)
{
    unsigned char frame[SIZEOF_ETH_HDR + SIZEOF_ETHARP_HDR] = {0};
    struct eth_hdr *ethernet = (struct eth_hdr *)(void *)frame;
    struct etharp_hdr *arp = (struct etharp_hdr *)(void *)(frame + SIZEOF_ETH_HDR);
    const ip4_addr_t from = {lwip_htonl(HK_NET_CLIENT_ADDRESS)};
    const ip4_addr_t to = {lwip_htonl(HK_NET_SERVER_ADDRESS)};

    memset(ethernet->dest.addr, 0xff, HK_MAC_BYTES);
    memcpy(ethernet->src.addr, hk_net_client_device.mac, HK_MAC_BYTES);
    ethernet->type = lwip_htons(ETH_P_ARP);
    arp->hwtype = lwip_htons(1); /* Ethernet */
    arp->proto = lwip_htons(ETH_P_IP);
    arp->hwlen = HK_MAC_BYTES;
    arp->protolen = sizeof from.addr;
    arp->opcode = lwip_htons(ARP_REQUEST);
    memcpy(arp->shwaddr.addr, hk_net_client_device.mac, HK_MAC_BYTES);
    memcpy(&arp->sipaddr, &from.addr, sizeof from.addr);
    memcpy(&arp->dipaddr, &to.addr, sizeof to.addr);
    take_frame(s, frame, sizeof frame);
}

static enum hk_status memory_start(struct hk_net *net)
{
    struct local_stack *l = calloc(1, sizeof *l);

    if (l == NULL)
        return HK_ENOMEM;
    l->net = net;
    net->state = l;
    const enum hk_status status = start_stack(&l->stack, false);
    l->stack.netif.linkoutput = take_echo;
    if (status != HK_OK)
        return status;
    introduce_client(&l->stack);
    return make_frame(net, l->frame);
}

static enum hk_status memory_run(struct hk_net *net, uint64_t n)
{
    struct local_stack *l = net->state;
    const uint64_t before = l->echoed_count;
    enum hk_status status = HK_OK;

    /* Not made anew in every call: its sum would be in the latency of a single echo. */
    if (memcmp(l->frame + PAYLOAD_AT, net->request, net->options.bytes) != 0)
        status = make_frame(net, l->frame);
    for (uint64_t i = 0; i < n && status == HK_OK; i++)
        take_frame(&l->stack, l->frame, PAYLOAD_AT + net->options.bytes);
    return status == HK_OK && l->echoed_count != before + n ? HK_ETIMEOUT : status;
}

/* lwIP keeps pointers to what it was given. */
static void memory_stop(struct hk_net *net)
{
    struct local_stack *l = net->state;

    if (l->stack.datagrams != NULL)
        udp_remove(l->stack.datagrams);
    netif_remove(&l->stack.netif);
    free(l);
    net->state = NULL;
}

/* A server with nothing to do, which ends with the client's descriptor. */
static enum hk_status memory_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    int ends[2];

    (void)reason;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return hk_errno_status(errno);
    net->server = ends[0];
    *client = ends[1];
    return HK_OK;
}

static enum hk_status memory_serve(struct hk_net *net)
{
    char byte;

    return read(net->server, &byte, sizeof byte) == 0 ? HK_OK : HK_EIO;
}

/* --- where frames come from ------------------------------------------------------------------------ */

static enum hk_status refuse(char reason[HK_REASON_BYTES], const char *what, const char *remedy)
{
    snprintf(reason, HK_REASON_BYTES, "%s: %s; %s", what, strerror(errno), remedy);
    return HK_ENOTSUP;
}

static enum hk_status tap_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    const char *device = hk_net_client_device.name;

    enum hk_status status = hk_net_enter_namespace(reason);
    if (status != HK_OK)
        return status;
    net->server = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (net->server < 0 || ioctl(net->server, TUNSETIFF, &request) != 0)
        return refuse(reason, "no TAP device", "modprobe tun, and run as root");
    status = hk_net_up(device, HK_NET_CLIENT_ADDRESS, reason);
    if (status == HK_OK)
        status = hk_net_neighbour(device, HK_NET_SERVER_ADDRESS, hk_net_server_device.mac, reason);
    return status == HK_OK ? hk_net_socket(net, client) : status;
}

static enum hk_status packet_open(struct hk_net *net, int *client, char reason[HK_REASON_BYTES])
{
    const enum hk_status status = hk_net_open_wire(net, true, false, client, reason);

    if (status != HK_OK)
        return status;
    const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = (int)if_nametoindex(hk_net_server_device.name)};
    const int one = 1;
    net->server = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    if (net->server < 0 || bind(net->server, (const struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(net->server, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) != 0)
        return refuse(reason, "no packet socket", "run as root");
    return HK_OK;
}

const struct hk_net_service hk_net_service_lwip_tap = {
    .name = "lwip",
    .over = "tap",
    .summary = "lwIP in a server, frames by a TAP device",
    .streams = true,
    .syscalls = 2,
    .switches = true,
    .open = tap_open,
    .serve = lwip_serve,
};

const struct hk_net_service hk_net_service_lwip_packet = {
    .name = "lwip",
    .over = "packet",
    .summary = "lwIP in a server, frames by a packet socket at the end of a veth",
    .streams = true,
    .syscalls = 2,
    .switches = true,
    .open = packet_open,
    .serve = lwip_serve,
};

const struct hk_net_service hk_net_service_lwip_memory = {
    .name = "lwip",
    .over = "memory",
    .summary = "lwIP in the client itself, frames in memory",
    .open = memory_open,
    .serve = memory_serve,
    .start = memory_start,
    .run = memory_run,
    .stop = memory_stop,
};
