/* SPDX-License-Identifier: MIT */
/*
 * UDP over IPv4. What is sent to an address of this machine goes through a loopback:
 * a packet is made with all its headers and sums, and taken apart again as if it had
 * come from a wire. The rest goes to the network device, if there is one. Fragments
 * are refused and counted.
 */
#include "services/commit.h"
#include "services/ether.h"
#include "services/packet.h"
#include "services/port_filter.h"
#include "services/rows.h"

#define PORTS 16u
#define SLOTS 4u /* datagrams that wait at a port */
#define SLOT_BYTES 2048u
#define FIRST_FREE_PORT 49152u /* of those for anybody: RFC 6335 */
#define LOOPBACK_NETWORK 0x7f000000u
#define LOOPBACK_MASK 0xff000000u
#define LOOPBACK 0x7f000001u

struct port {
    uint64_t client; /* badge + 1; 0: not in use */
    uint64_t number;
    uint64_t bits; /* signalled on arrival; 0: none */
    uint64_t arrived, taken; /* datagrams */
    uint64_t bytes[SLOTS];
    uint64_t from[SLOTS]; /* address << 16 | port */
};

struct net {
    struct port port[PORTS];
    uint64_t count[HK_NET_COUNTERS];
    uint16_t next_id;
    uint16_t next_port;
    struct hk_ether ether;
};

#define HEAD_PAGES 1u
#define SLOT_PAGES (PORTS * SLOTS * SLOT_BYTES / HK_PAGE_BYTES)
#define PACKET_PAGE (HEAD_PAGES + SLOT_PAGES)
#define FILTER_PAGE (PACKET_PAGE + 1)
#define FILTER_PAGES ((sizeof(struct hk_port_filter) + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES)
_Static_assert(HK_NET_PAGES == FILTER_PAGE + FILTER_PAGES, "rows.h says as many pages");
_Static_assert(sizeof(struct net) <= HEAD_PAGES * HK_PAGE_BYTES, "the head fits");
_Static_assert(HK_PACKET_PAYLOAD_MAX <= SLOT_BYTES, "a datagram fits a slot");
_Static_assert((int)HK_NET_SHORT == (int)HK_PACKET_SHORT, "faults of packets are counters");

static unsigned char *slot_of(struct net *net, const struct port *port, uint64_t datagram)
{
    uint64_t slot = (uint64_t)(port - net->port) * SLOTS + datagram % SLOTS;

    return (unsigned char *)net + HEAD_PAGES * HK_PAGE_BYTES + slot * SLOT_BYTES;
}

static struct hk_port_filter *filter_of(struct net *net)
{
    return (void *)((unsigned char *)net + FILTER_PAGE * HK_PAGE_BYTES);
}

static struct port *find(struct net *net, uint64_t number)
{
    for (uint32_t i = 0; i < PORTS; i++)
        if (net->port[i].client != 0 && net->port[i].number == number)
            return &net->port[i];
    return NULL;
}

static uint64_t choose_port(struct net *net)
{
    uint64_t number;

    do
        number = FIRST_FREE_PORT + net->next_port++ % (65536 - FIRST_FREE_PORT);
    while (find(net, number) != NULL);
    return number;
}

static enum hk_status bind_port(struct net *net, struct hk_service_message *message)
{
    uint64_t number = message->word[1];
    struct port *port = NULL;

    if (number > UINT16_MAX)
        return HK_EINVAL;
    if (number != 0 && find(net, number) != NULL)
        return HK_EBUSY;
    for (uint32_t i = 0; i < PORTS && port == NULL; i++)
        if (net->port[i].client == 0)
            port = &net->port[i];
    if (port == NULL)
        return HK_ENOSPC;
    port->number = number != 0 ? number : choose_port(net);
    port->bits = message->word[2];
    port->arrived = port->taken = 0;
    hk_commit(port->client, message->badge + 1);
    message->word[1] = port->number;
    return HK_OK;
}

/* A datagram for whoever has its port. */
static enum hk_net_counter deliver(struct hk_service_host *host, struct net *net,
                                   const struct hk_packet *packet)
{
    struct port *port = find(net, packet->to_port);
    uint64_t slot;

    if (port == NULL)
        return HK_NET_NO_PORT;
    if (port->arrived - port->taken == SLOTS)
        return HK_NET_PORT_FULL;
    slot = port->arrived % SLOTS;
    __builtin_memcpy(slot_of(net, port, port->arrived), packet->payload, packet->payload_bytes);
    port->bytes[slot] = packet->payload_bytes;
    port->from[slot] = (uint64_t)packet->from << 16 | packet->from_port;
    hk_commit(port->arrived, port->arrived + 1);
    if (port->bits != 0)
        (void)host->signal(host, port->client - 1, port->bits);
    return HK_NET_DELIVERED;
}

static bool is_loopback(uint32_t address)
{
    return (address & LOOPBACK_MASK) == LOOPBACK_NETWORK || address == HK_ETHER_ADDRESS;
}

/* A port's program sees the packet without Ethernet's padding, as under Linux. */
static bool passes(struct net *net, const unsigned char *data, const struct hk_packet *packet)
{
    const uint64_t bytes = (uint64_t)(packet->payload - data) + packet->payload_bytes;

    return hk_port_filter_passes(filter_of(net), packet->to_port, data, bytes);
}

/* A packet has come in. */
static void input(struct hk_service_host *host, const unsigned char *data, uint64_t bytes)
{
    struct net *net = host->memory;
    struct hk_packet packet;
    enum hk_packet_fault fault = hk_packet_read(data, bytes, &packet);
    enum hk_net_counter counter = (enum hk_net_counter)fault;

    if (fault == HK_PACKET_GOOD && !is_loopback(packet.to))
        counter = HK_NET_NOT_OURS;
    else if (fault == HK_PACKET_GOOD && !passes(net, data, &packet))
        counter = HK_NET_FILTERED;
    else if (fault == HK_PACKET_GOOD)
        counter = deliver(host, net, &packet);
    net->count[counter]++;
}

/* From outside: nobody there may speak to, or as, the loopback's network. */
static void input_from_wire(struct hk_service_host *host, const unsigned char *data, uint64_t bytes)
{
    struct net *net = host->memory;

    if (bytes >= HK_PACKET_HEADER_BYTES &&
        (data[12] == LOOPBACK_NETWORK >> 24 || data[16] == LOOPBACK_NETWORK >> 24))
        net->count[HK_NET_NOT_OURS]++;
    else
        input(host, data, bytes);
}

static enum hk_status send(struct hk_service_host *host, struct net *net,
                           const struct hk_service_message *message)
{
    const struct port *port = find(net, message->word[1]);
    unsigned char *data = (unsigned char *)net + PACKET_PAGE * HK_PAGE_BYTES;
    struct hk_packet packet = {
        .from = LOOPBACK,
        .to = (uint32_t)message->word[2],
        .from_port = (uint16_t)message->word[1],
        .to_port = (uint16_t)message->word[3],
        .payload = (const unsigned char *)message->buffer,
        .payload_bytes = message->word[4],
    };
    enum hk_status status = HK_OK;

    if (port == NULL)
        return HK_ENOENT;
    if (port->client != message->badge + 1)
        return HK_EPERM;
    if (message->word[3] == 0 || message->word[3] > UINT16_MAX || message->word[2] > UINT32_MAX)
        return HK_EINVAL;
    if (message->word[4] > HK_PACKET_PAYLOAD_MAX)
        return HK_ETOOBIG; /* it would have to be fragmented */
    if (is_loopback(packet.to)) {
        input(host, data, hk_packet_write(&packet, net->next_id++, data));
    } else {
        packet.from = HK_ETHER_ADDRESS;
        status = hk_ether_send(&net->ether, &host->device, packet.to, data,
                               hk_packet_write(&packet, net->next_id++, data));
    }
    net->count[HK_NET_SENT] += status == HK_OK;
    return status;
}

static enum hk_status receive(struct net *net, struct port *port,
                              struct hk_service_message *message)
{
    uint64_t slot = port->taken % SLOTS, bytes = port->bytes[slot];

    if (port->arrived == port->taken)
        return HK_EEMPTY;
    __builtin_memcpy(message->buffer, slot_of(net, port, port->taken), bytes);
    message->word[1] = bytes;
    message->word[2] = port->from[slot] >> 16;
    message->word[3] = port->from[slot] & 0xffff;
    message->words = hk_service_payload_words(bytes);
    hk_commit(port->taken, port->taken + 1);
    return HK_OK;
}

/* What only whose port it is may ask for. */
static enum hk_status handle_port(struct net *net, struct hk_service_message *message)
{
    struct port *port = find(net, message->word[1]);

    if (port == NULL)
        return HK_ENOENT;
    if (port->client != message->badge + 1)
        return HK_EPERM;
    if (message->word[0] == HK_NET_RECEIVE)
        return receive(net, port, message);
    if (message->word[0] != HK_NET_CLOSE)
        return hk_port_filter_handle(filter_of(net), message);
    hk_port_filter_close(filter_of(net), port->number);
    hk_commit(port->client, 0);
    return HK_OK;
}

enum hk_status hk_net_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct net *net = host->memory;

    if (message->badge == HK_SERVICE_DEVICE_BADGE) {
        hk_ether_receive(&net->ether, &host->device, input_from_wire, host);
        host->device_ack(host);
        return HK_OK;
    }
    switch (message->word[0]) {
    case HK_NET_BIND:
        return bind_port(net, message);
    case HK_NET_SEND:
        return send(host, net, message);
    case HK_NET_RECEIVE:
    case HK_NET_CLOSE:
    case HK_NET_PROGRAM:
    case HK_NET_FILTER:
    case HK_NET_UNFILTER:
    case HK_NET_VALUE:
        return handle_port(net, message);
    case HK_NET_COUNT:
        if (message->word[1] >= HK_NET_COUNTERS)
            return HK_EINVAL;
        message->word[1] = net->count[message->word[1]];
        return HK_OK;
    default:
        return HK_ENOSYS;
    }
}

/* All is kept but what the device was doing. Without one, or when it refuses, nothing goes out. */
void hk_net_start(struct hk_service_host *host)
{
    struct net *net = host->memory;

    hk_port_filter_start(filter_of(net));
    net->ether.running = false;
    if (host->device.registers != NULL)
        (void)hk_ether_start(&net->ether, &host->device);
}
