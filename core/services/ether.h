/* SPDX-License-Identifier: MIT */
/*
 * Packets over a virtio network device: Ethernet frames, and ARP to find whom they
 * are for. The addresses are those of QEMU's user network.
 */
#ifndef HK_SERVICES_ETHER_H
#define HK_SERVICES_ETHER_H

#include "services/services.h"

#define HK_ETHER_ADDRESS 0x0a00020fu /* 10.0.2.15 */
#define HK_ETHER_PAGES 8u            /* of frames that the device sees */
#define HK_ETHER_NEIGHBOURS 8u

/* Of a machine on the same wire. */
struct hk_ether_neighbour {
    uint32_t address; /* 0: free */
    unsigned char mac[6];
};

struct hk_ether {
    bool running;
    unsigned char mac[6];
    struct hk_ether_neighbour neighbour[HK_ETHER_NEIGHBOURS];
    uint32_t next_neighbour; /* whose place the next one takes */
    uint32_t sending;        /* bit per slot: with the device */
};

/*
 * Start the device, whatever it did before. HK_OK; HK_ENOTSUP.
 */
enum hk_status hk_ether_start(struct hk_ether *ether, const struct hk_service_device *device);

/*
 * Send a packet to an address: directly when it is on the wire's network, else by the gateway.
 *
 * Returns HK_OK; HK_EBUSY when the receiver is not known yet (it has been asked for: try again) or
 * the device has too many packets; HK_ENOTSUP without a device.
 */
enum hk_status hk_ether_send(struct hk_ether *ether, const struct hk_service_device *device,
                             uint32_t to, const unsigned char *packet, uint64_t bytes);

/*
 * The device interrupted: answer ARP, and hand the packets over.
 */
void hk_ether_receive(struct hk_ether *ether, const struct hk_service_device *device,
                      void (*packet)(struct hk_service_host *host, const unsigned char *data,
                                     uint64_t bytes),
                      struct hk_service_host *host);

/*
 * One frame from outside; nothing in it is trusted.
 *
 * arp     [out]  42 bytes to send back, when the result says so
 *
 * Returns what is to be done with it.
 */
enum hk_ether_verdict { HK_ETHER_DROP, HK_ETHER_PACKET, HK_ETHER_ANSWER };
enum hk_ether_verdict hk_ether_read(struct hk_ether *ether, const unsigned char *frame,
                                    uint64_t bytes, unsigned char arp[42]);

#define HK_ETHER_HEADER_BYTES 14u

#endif
