/* SPDX-License-Identifier: MIT */
/* The local APIC: a one-shot timer, and interrupts to oneself. The I/O APIC: lines of devices. */
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

#define IOAPIC_PHYSICAL 0xfec00000
#define IOAPIC_DATA 0x10
#define IOAPIC_ENTRY 0x10 /* index of the first of two words per line */
#define IOAPIC_LEVEL 0x8000
#define IOAPIC_MASKED 0x10000

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

/*
 * All lines are level-triggered, to this CPU: a device that still has something to
 * say when its driver acknowledges is heard again, and an edge that comes while a
 * line is masked would be lost. QEMU's polarity is always active high.
 */
void hk_ioapic_line(uint32_t line, bool masked)
{
    volatile uint32_t *index = (volatile uint32_t *)(HK_DIRECT_MAP + IOAPIC_PHYSICAL);

    *index = IOAPIC_ENTRY + 2 * line;
    index[IOAPIC_DATA / sizeof(*index)] =
        (HK_VECTOR_IRQ + line) | IOAPIC_LEVEL | (masked ? IOAPIC_MASKED : 0);
}

bool hk_apic_is_at(uint64_t physical, uint64_t bytes)
{
    return (physical < APIC_PHYSICAL + HK_PAGE_BYTES && APIC_PHYSICAL < physical + bytes) ||
           (physical < IOAPIC_PHYSICAL + HK_PAGE_BYTES && IOAPIC_PHYSICAL < physical + bytes);
}

void hk_apic_setup(void)
{
    /* the legacy controllers stay silent */
    hk_out8(0x21, 0xff);
    hk_out8(0xa1, 0xff);
    for (uint32_t line = 0; line < HK_IRQ_COUNT; line++)
        hk_ioapic_line(line, true);
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
