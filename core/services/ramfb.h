/* SPDX-License-Identifier: MIT */
/*
 * Frames of memory as the screen of a QEMU machine: its device `ramfb`, which shows
 * what lies at an address that it was told once. Source: QEMU, docs/specs/fw_cfg.rst
 * and hw/display/ramfb.c.
 */
#ifndef HK_SERVICES_RAMFB_H
#define HK_SERVICES_RAMFB_H

#include "services/services.h"

/* Ports of QEMU's firmware configuration, whose file etc/ramfb takes the address. */
#define HK_RAMFB_PORT 0x510u
#define HK_RAMFB_PORTS 12u

/*
 * Show `device->frames` as a screen of 32 bits a pixel. The last of its pages is used to talk with
 * the machine, and must not be part of the screen.
 *
 * Returns HK_OK; HK_ENOTSUP when the machine has no such device.
 */
enum hk_status hk_ramfb_show(struct hk_service_host *host, uint32_t pages, uint32_t width,
                             uint32_t height);

#endif
