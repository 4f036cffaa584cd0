/* SPDX-License-Identifier: MIT */
/*
 * A real device driven from user space: bytes go to a 16550 that sends to itself,
 * and come back by interrupt. Its driver has the ports and the line, and no other
 * right. Registers in memory are read where both machine types have some.
 */
#include "user/peer.h"
#include "user/scenario.h"
#include "user/spawn.h"
#include "user/user.h"

#define HERE 0x0000100000000000
#define BYTES 200
#define PATIENCE_NS HK_NS_PER_MS
#define VIRTIO_PHYSICAL 0xfeb00000 /* microvm's first virtio-mmio transport */
#define VIRTIO_MAGIC 0x74726976
#define HPET_PHYSICAL 0xfed00000 /* q35's timer; the low word names vendor and revision */
#define HPET_IDENTITY 0x8086a201

static bool expect(bool holds, const char *what)
{
    hk_say(holds ? "log" : "fail", what);
    return holds;
}

/* Every byte comes back, in order. */
static bool exchange(uint64_t endpoint, uint64_t arrived)
{
    for (uint64_t i = 0; i < BYTES; i++) {
        uint64_t byte = i * 73 & 0xff, w0 = byte, w1 = 0;

        if (hk_call(endpoint, 1, &w0, &w1) != 0 ||
            hk_syscall(HK_SYS_notification_wait, arrived, PATIENCE_NS, 0) !=
                (int64_t)(HK_PEER_SERIAL_BYTE | byte))
            return false;
    }
    return true;
}

static bool drive(uint64_t ports, uint64_t line)
{
    int64_t arrived = hk_syscall0(HK_SYS_notification_create);
    bool held = true;

    /* the second driver starts where the first was killed: the line is free again */
    for (int i = 0; i < 2 && held; i++) {
        struct hk_server driver;

        held = hk_serial_start(ports, line, (uint64_t)arrived, &driver) == HK_OK;
        if (!held)
            return expect(false, "the driver starts");
        held = exchange(driver.endpoint, (uint64_t)arrived);
        hk_server_stop(&driver);
    }
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)arrived, 0, 0);
    return expect(held, "serial: 200 bytes out and back by interrupt, twice");
}

/* The first word of a page of registers; 0 when it cannot be had. */
static uint32_t read_register(uint64_t physical)
{
    int64_t io = hk_syscall(HK_SYS_io_create, HK_IO_MEMORY, physical, 1);
    uint32_t value = 0;

    if (io >= 0 && hk_syscall(HK_SYS_io_map, (uint64_t)io, HERE, HK_MAP_READ) == HK_OK) {
        value = *(volatile uint32_t *)HERE;
        (void)hk_syscall(HK_SYS_page_unmap, HERE, 1, 0);
    }
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)io, 0, 0);
    return value;
}

int hk_scenario_devices(uint64_t *ipc_page)
{
    int64_t ports = hk_syscall(HK_SYS_io_create, HK_IO_PORTS, HK_PEER_SERIAL_PORT,
                               HK_PEER_SERIAL_PORTS);
    int64_t line = hk_syscall(HK_SYS_io_create, HK_IO_LINE, HK_PEER_SERIAL_LINE, 1);
    bool held = ports >= 0 && line >= 0;

    (void)ipc_page;
    held = expect(held, "serial: ports and line") && drive((uint64_t)ports, (uint64_t)line);
    held &= expect(read_register(VIRTIO_PHYSICAL) == VIRTIO_MAGIC ||
                       read_register(HPET_PHYSICAL) == HPET_IDENTITY,
                   "registers in memory are what the device says");
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)ports, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)line, 0, 0);
    return held ? 0 : 1;
}
