/* SPDX-License-Identifier: MIT */
/*
 * lwIP in the server: the client's packets come as frames from a TAP device, or from a packet
 * socket at the far end of a wire, and lwIP's echo sends frames back. lwIP is used without a
 * thread of its own: what receives a frame runs the stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
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
static enum hk_status receive_frame(struct stack *s)
{
    unsigned char bytes[FRAME_BYTES];
    const ssize_t n = read(s->fd, bytes, sizeof bytes);

    if (n < 0)
        return errno == EINTR ? HK_OK : hk_errno_status(errno);
    /* Not from PBUF_POOL: Debian's 2.1.3 writes large frames past the end of its elements. */
    struct pbuf *frame = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM);
    if (frame == NULL)
        return HK_OK; /* dropped, as a device would */
    pbuf_take(frame, bytes, (u16_t)n);
    if (s->netif.input(frame, &s->netif) != ERR_OK)
        pbuf_free(frame);
    sys_check_timeouts();
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
    struct udp_pcb *pcb = udp_new();

    if (pcb == NULL || udp_bind(pcb, IP_ADDR_ANY, HK_NET_PORT) != ERR_OK)
        return false;
    udp_recv(pcb, echo_datagram, s);
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

static enum hk_status lwip_serve(struct hk_net *net)
{
    const ip4_addr_t address = {lwip_htonl(HK_NET_SERVER_ADDRESS)};
    const ip4_addr_t mask = {lwip_htonl(0xffffff00u)}, gateway = {0};
    struct stack s = {.fd = net->server};

    lwip_init();
    if (netif_add(&s.netif, &address, &mask, &gateway, &s, init_netif, ethernet_input) == NULL)
        return HK_ENOMEM;
    netif_set_default(&s.netif);
    netif_set_up(&s.netif);
    if (!(net->options.stream ? listen_stream(&s) : listen_datagrams(&s)))
        return HK_ENOMEM;
    enum hk_status status = HK_OK;
    while (status == HK_OK && !s.done)
        status = receive_frame(&s);
    return status;
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
