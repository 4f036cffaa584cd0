/* SPDX-License-Identifier: MIT */
#include "services/ether.h"

#include "services/byte_order.h"
#include "services/virtio.h"

#define NETWORK_MASK 0xffffff00u
#define GATEWAY 0x0a000202u /* 10.0.2.2 */
#define FEATURE_MAC (1u << 5)
#define RECEIVE 0u /* queues */
#define SEND 1u
#define RECEIVE_SLOTS 8u
#define SEND_SLOTS 4u
#define SLOT_BYTES 2048u
#define FIRST_RECEIVE_BYTE (2 * HK_PAGE_BYTES)
#define FIRST_SEND_BYTE (FIRST_RECEIVE_BYTE + RECEIVE_SLOTS * SLOT_BYTES)
#define VIRTIO_HEADER_BYTES 12u
#define ARP_BYTES 28u
#define TYPE_IP 0x0800u
#define TYPE_ARP 0x0806u
_Static_assert(FIRST_SEND_BYTE + SEND_SLOTS * SLOT_BYTES <= HK_ETHER_PAGES * HK_PAGE_BYTES,
               "the buffers fit");

static const unsigned char everybody[6] = { 255, 255, 255, 255, 255, 255 };

static struct hk_virtqueue *queue_of(const struct hk_service_device *device, uint32_t number)
{
    return (struct hk_virtqueue *)(void *)((char *)device->frames + number * HK_PAGE_BYTES);
}

/* --- what is in frames ----------------------------------------------------------- */

static void write_header(const struct hk_ether *ether, const unsigned char to[6], uint32_t type,
                         unsigned char *frame)
{
    __builtin_memcpy(frame, to, 6);
    __builtin_memcpy(frame + 6, ether->mac, 6);
    hk_put_be16(frame + 12, type);
}

/* RFC 826: request (1) or reply (2) for IPv4 over Ethernet. */
static void write_arp(const struct hk_ether *ether, uint32_t operation, const unsigned char to[6],
                      uint32_t to_address, unsigned char frame[42])
{
    unsigned char *arp = frame + HK_ETHER_HEADER_BYTES;

    write_header(ether, to, TYPE_ARP, frame);
    hk_put_be16(arp, 1);
    hk_put_be16(arp + 2, TYPE_IP);
    arp[4] = 6;
    arp[5] = 4;
    hk_put_be16(arp + 6, operation);
    __builtin_memcpy(arp + 8, ether->mac, 6);
    hk_put_be32(arp + 14, HK_ETHER_ADDRESS);
    __builtin_memcpy(arp + 18, to, 6);
    hk_put_be32(arp + 24, to_address);
}

static const struct hk_ether_neighbour *find(const struct hk_ether *ether, uint32_t address)
{
    for (uint32_t i = 0; i < HK_ETHER_NEIGHBOURS; i++)
        if (ether->neighbour[i].address == address)
            return &ether->neighbour[i];
    return NULL;
}

static void learn(struct hk_ether *ether, uint32_t address, const unsigned char mac[6])
{
    struct hk_ether_neighbour *place = NULL;

    for (uint32_t i = 0; i < HK_ETHER_NEIGHBOURS; i++)
        if (ether->neighbour[i].address == address)
            place = &ether->neighbour[i];
    if (place == NULL)
        place = &ether->neighbour[ether->next_neighbour++ % HK_ETHER_NEIGHBOURS];
    place->address = address;
    __builtin_memcpy(place->mac, mac, 6);
}

static enum hk_ether_verdict read_arp(struct hk_ether *ether, const unsigned char *arp,
                                      unsigned char answer[42])
{
    uint32_t operation = hk_get_be16(arp + 6), from = hk_get_be32(arp + 14);

    if (hk_get_be16(arp) != 1 || hk_get_be16(arp + 2) != TYPE_IP || arp[4] != 6 || arp[5] != 4 ||
        hk_get_be32(arp + 24) != HK_ETHER_ADDRESS || from == 0)
        return HK_ETHER_DROP;
    if (operation != 1 && operation != 2)
        return HK_ETHER_DROP;
    learn(ether, from, arp + 8);
    if (operation == 2)
        return HK_ETHER_DROP;
    write_arp(ether, 2, arp + 8, from, answer);
    return HK_ETHER_ANSWER;
}

enum hk_ether_verdict hk_ether_read(struct hk_ether *ether, const unsigned char *frame,
                                    uint64_t bytes, unsigned char arp[42])
{
    if (bytes < HK_ETHER_HEADER_BYTES)
        return HK_ETHER_DROP;
    if (hk_get_be16(frame + 12) == TYPE_IP)
        return HK_ETHER_PACKET;
    if (hk_get_be16(frame + 12) != TYPE_ARP || bytes < HK_ETHER_HEADER_BYTES + ARP_BYTES)
        return HK_ETHER_DROP;
    return read_arp(ether, frame + HK_ETHER_HEADER_BYTES, arp);
}

/* --- the device ------------------------------------------------------------------- */

static void offer_to_receive(const struct hk_service_device *device, uint32_t slot)
{
    const struct hk_virtio_part part = {
        device->frames_physical + FIRST_RECEIVE_BYTE + slot * SLOT_BYTES, SLOT_BYTES, true
    };

    hk_virtio_offer(device->registers, RECEIVE, queue_of(device, RECEIVE), slot, &part, 1);
}

enum hk_status hk_ether_start(struct hk_ether *ether, const struct hk_service_device *device)
{
    struct hk_virtqueue *const queues[] = { queue_of(device, RECEIVE), queue_of(device, SEND) };
    enum hk_status status = hk_virtio_start(device->registers, FEATURE_MAC, queues,
                                            device->frames_physical, 2);
    uint64_t mac;

    ether->running = status == HK_OK;
    ether->sending = 0;
    if (status != HK_OK)
        return status;
    mac = hk_virtio_config(device->registers, 0);
    __builtin_memcpy(ether->mac, &mac, 6);
    for (uint32_t slot = 0; slot < RECEIVE_SLOTS; slot++)
        offer_to_receive(device, slot);
    return HK_OK;
}

/* Slots that the device is through with. */
static void collect_sent(struct hk_ether *ether, const struct hk_service_device *device)
{
    uint32_t slot, bytes;

    while (hk_virtio_take(queue_of(device, SEND), &slot, &bytes) == HK_OK)
        ether->sending &= ~(1u << slot);
}

/* A free slot's frame, behind the header of virtio, which stays zero; NULL: all are on the way. */
static unsigned char *take_slot(struct hk_ether *ether, const struct hk_service_device *device,
                                uint32_t *slot)
{
    unsigned char *buffer;

    collect_sent(ether, device);
    for (*slot = 0; *slot < SEND_SLOTS && (ether->sending & 1u << *slot) != 0; ++*slot) {
    }
    if (*slot == SEND_SLOTS)
        return NULL;
    buffer = (unsigned char *)device->frames + FIRST_SEND_BYTE + *slot * SLOT_BYTES;
    __builtin_memset(buffer, 0, VIRTIO_HEADER_BYTES);
    return buffer + VIRTIO_HEADER_BYTES;
}

static void send_slot(struct hk_ether *ether, const struct hk_service_device *device,
                      uint32_t slot, uint64_t bytes)
{
    const struct hk_virtio_part part = {
        device->frames_physical + FIRST_SEND_BYTE + slot * SLOT_BYTES,
        (uint32_t)(VIRTIO_HEADER_BYTES + bytes), false
    };

    ether->sending |= 1u << slot;
    hk_virtio_offer(device->registers, SEND, queue_of(device, SEND), slot, &part, 1);
}

static void send_arp(struct hk_ether *ether, const struct hk_service_device *device,
                     const unsigned char arp[42])
{
    uint32_t slot;
    unsigned char *frame = take_slot(ether, device, &slot);

    if (frame == NULL)
        return; /* whoever wants to know asks again */
    __builtin_memcpy(frame, arp, 42);
    send_slot(ether, device, slot, 42);
}

enum hk_status hk_ether_send(struct hk_ether *ether, const struct hk_service_device *device,
                             uint32_t to, const unsigned char *packet, uint64_t bytes)
{
    const struct hk_ether_neighbour *neighbour;
    unsigned char *frame;
    uint32_t slot;

    if (!ether->running)
        return HK_ENOTSUP;
    if ((to & NETWORK_MASK) != (HK_ETHER_ADDRESS & NETWORK_MASK))
        to = GATEWAY;
    neighbour = find(ether, to);
    if (neighbour == NULL) {
        unsigned char arp[42];

        write_arp(ether, 1, everybody, to, arp);
        send_arp(ether, device, arp);
        return HK_EBUSY;
    }
    frame = take_slot(ether, device, &slot);
    if (frame == NULL)
        return HK_EBUSY;
    write_header(ether, neighbour->mac, TYPE_IP, frame);
    __builtin_memcpy(frame + HK_ETHER_HEADER_BYTES, packet, bytes);
    send_slot(ether, device, slot, HK_ETHER_HEADER_BYTES + bytes);
    return HK_OK;
}

void hk_ether_receive(struct hk_ether *ether, const struct hk_service_device *device,
                      void (*packet)(struct hk_service_host *host, const unsigned char *data,
                                     uint64_t bytes),
                      struct hk_service_host *host)
{
    uint32_t slot, bytes;

    hk_virtio_acknowledge(device->registers);
    while (hk_virtio_take(queue_of(device, RECEIVE), &slot, &bytes) == HK_OK) {
        const unsigned char *frame = (const unsigned char *)device->frames + FIRST_RECEIVE_BYTE +
                                     slot * SLOT_BYTES + VIRTIO_HEADER_BYTES;
        unsigned char arp[42];
        enum hk_ether_verdict verdict = HK_ETHER_DROP;

        if (slot >= RECEIVE_SLOTS)
            continue;
        if (bytes > VIRTIO_HEADER_BYTES && bytes <= SLOT_BYTES)
            verdict = hk_ether_read(ether, frame, bytes - VIRTIO_HEADER_BYTES, arp);
        if (verdict == HK_ETHER_PACKET)
            packet(host, frame + HK_ETHER_HEADER_BYTES,
                   bytes - VIRTIO_HEADER_BYTES - HK_ETHER_HEADER_BYTES);
        else if (verdict == HK_ETHER_ANSWER)
            send_arp(ether, device, arp);
        offer_to_receive(device, slot);
    }
}
