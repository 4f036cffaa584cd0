/* SPDX-License-Identifier: MIT */
/*
 * What drivers of virtio devices have in common: finding one among the transports of
 * QEMU's microvm, starting it, and a queue of requests. Source: VIRTIO 1.1, sections
 * 2.6 (split queues), 3.1 (initialisation) and 4.2 (memory-mapped transport).
 */
#ifndef HK_SERVICES_VIRTIO_H
#define HK_SERVICES_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "hk/base/status.h"

/* Where QEMU's microvm has its transports: one page of them, and the line of the first. */
#define HK_VIRTIO_PHYSICAL 0xfeb00000u
#define HK_VIRTIO_LINE 5u
#define HK_VIRTIO_TRANSPORTS 8u
#define HK_VIRTIO_STRIDE_BYTES 512u

enum hk_virtio_device { HK_VIRTIO_NET = 1, HK_VIRTIO_BLOCK = 2 };

#define HK_VIRTQUEUE_SLOTS 16u

/* A part of a request: where it is for the device, and whether the device writes there. */
struct hk_virtio_part {
    uint64_t physical;
    uint32_t bytes;
    bool device_writes;
};

struct hk_virtqueue; /* lies in memory that the device sees; one page */

/*
 * Which transport has a device of this kind.
 *
 * page    [in]   the registers of all transports
 * number  [out]  0 to HK_VIRTIO_TRANSPORTS - 1
 *
 * Returns HK_OK; HK_ENOENT.
 */
enum hk_status hk_virtio_find(volatile void *page, enum hk_virtio_device device,
                              uint32_t *number);

/*
 * Reset a device, agree with it on features, and give it empty queues.
 *
 * registers      [in]   of its transport
 * features       [in]   wanted of bits 0 to 31, beside VIRTIO_F_VERSION_1
 * queues         [in]   one page each
 * queue_physical [in]   of the first; the others follow
 * queue_count    [in]
 *
 * Returns HK_OK; HK_ENOTSUP when it is no modern device or refuses.
 */
enum hk_status hk_virtio_start(volatile void *registers, uint32_t features,
                               struct hk_virtqueue *const queues[], uint64_t queue_physical,
                               uint32_t queue_count);

/* Reset a device: it leaves the queues alone from here on. */
void hk_virtio_stop(volatile void *registers);

/* The device is done with interrupting for what it said so far. */
void hk_virtio_acknowledge(volatile void *registers);

/* A 64-bit field of the device's own configuration. */
uint64_t hk_virtio_config(volatile void *registers, uint32_t offset);

/*
 * Offer a request of one to three parts; `slot` is where its first part is described, 0 to
 * HK_VIRTQUEUE_SLOTS - 1, chosen by the driver, and must not be with the device.
 */
void hk_virtio_offer(volatile void *registers, uint32_t queue_number, struct hk_virtqueue *queue,
                     uint32_t slot, const struct hk_virtio_part *parts, uint32_t count);

/*
 * The next request that the device is through with.
 *
 * slot   [out]  of it
 * bytes  [out]  the device wrote
 *
 * Returns HK_OK; HK_EEMPTY; HK_EIO when the device names a slot that there is not.
 */
enum hk_status hk_virtio_take(struct hk_virtqueue *queue, uint32_t *slot, uint32_t *bytes);

#endif
