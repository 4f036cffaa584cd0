/* SPDX-License-Identifier: MIT */
/* The local APIC: a one-shot timer, and interrupts to oneself. */
#include "arch/x86_64/machine.h"
#include "arch/x86_64/paging.h"

#define APIC_PHYSICAL 0xfee00000
#define APIC_SPURIOUS 0x0f0
#define APIC_END_OF_INTERRUPT 0x0b0
#define APIC_COMMAND 0x300
#define APIC_TIMER 0x320
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define APIC_ENABLE 0x100
#define APIC_MASKED 0x10000
#define APIC_DIVIDE_BY_1 0xb
#define APIC_TO_SELF 0x40000

/* QEMU's APIC timer counts at 1 GHz under TCG and KVM alike: one count is 1 ns. */
#define CALIBRATION_NS 50000
/* A TSC this near to 1 GHz is icount's, which is exact. */
#define EXACT_HZ 1000000000
#define EXACT_TOLERANCE_HZ 20000000

static void apic_write(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(HK_DIRECT_MAP + APIC_PHYSICAL + offset) = value;
}

static uint32_t apic_read(uint32_t offset)
{
    return *(volatile uint32_t *)(HK_DIRECT_MAP + APIC_PHYSICAL + offset);
}

void hk_apic_setup(void)
{
    /* the legacy controllers stay silent */
    hk_out8(0x21, 0xff);
    hk_out8(0xa1, 0xff);
    apic_write(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_1);
    apic_write(APIC_TIMER, HK_VECTOR_TIMER);
    apic_write(APIC_SPURIOUS, APIC_ENABLE | HK_VECTOR_SPURIOUS);
}

uint64_t hk_apic_tsc_hz(void)
{
    uint64_t start, ticks, hz;
    uint32_t begin, elapsed;

    apic_write(APIC_TIMER, HK_VECTOR_TIMER | APIC_MASKED);
    apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
    begin = apic_read(APIC_TIMER_CURRENT);
    start = hk_read_tsc();
    do {
        elapsed = begin - apic_read(APIC_TIMER_CURRENT);
        ticks = hk_read_tsc() - start;
    } while (elapsed < CALIBRATION_NS);
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_TIMER, HK_VECTOR_TIMER);
    hz = ticks * HK_NS_PER_S / elapsed;
    if (hz > EXACT_HZ - EXACT_TOLERANCE_HZ && hz < EXACT_HZ + EXACT_TOLERANCE_HZ)
        hz = EXACT_HZ;
    return hz;
}

void hk_apic_timer(uint64_t ns)
{
    apic_write(APIC_TIMER_INITIAL, ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns);
}

void hk_apic_send_self(uint32_t vector)
{
    apic_write(APIC_COMMAND, APIC_TO_SELF | vector);
}

void hk_apic_end_of_interrupt(void)
{
    apic_write(APIC_END_OF_INTERRUPT, 0);
}
