/* SPDX-License-Identifier: MIT */
/* The machine's own state and instructions; not part of the hosted kernel. */
#ifndef HK_ARCH_MACHINE_H
#define HK_ARCH_MACHINE_H

#include "kernel/kernel.h"

/* Vectors: exceptions, then the lines of hk_irqs as seen by the CPU, then the local APIC's own. */
#define HK_VECTOR_IRQ 32
#define HK_VECTOR_TIMER 56
#define HK_VECTOR_SPURIOUS 57
#define HK_VECTORS 58

/* Defined in the image: entry.S and kernel.ld. */
extern const uint64_t hk_trap_stubs[HK_VECTORS];
extern struct hk_cpu hk_cpu_here;
extern char hk_image_text[], hk_image_rodata[], hk_image_data[], hk_image_end[];
extern char hk_kernel_stack_guard[], hk_kernel_stack_top[];
extern char hk_fault_stack_guard[], hk_fault_stack_top[];
void hk_entry_syscall(void);
_Noreturn void hk_exit_full(void);

/* Called by entry.S. */
void hk_trap_from_user(struct hk_cpu *cpu, uint64_t vector, uint64_t error);
void hk_trap_from_kernel(struct hk_cpu *cpu, uint64_t vector, uint64_t error, uint64_t rip);
_Noreturn void hk_port_idle(struct hk_cpu *cpu);
_Noreturn void hk_boot_main(uint64_t start_info);

/* Load descriptor tables, system call registers and protection bits of this CPU. */
void hk_cpu_setup(void);

/*
 * Make the kernel's own page tables: the image with W^X and guard pages, all
 * memory as data, device registers uncached. HK_ENOMEM.
 */
enum hk_status hk_paging_setup(struct hk_kernel *kernel, uint64_t memory_end);

/* A line of the I/O APIC; whether either APIC's registers are among these addresses. */
void hk_ioapic_line(uint32_t line, bool masked);
bool hk_apic_is_at(uint64_t physical, uint64_t bytes);

/* Switch the local APIC on, mask the I/O APIC's lines, and learn how fast the TSC runs against it. */
void hk_apic_setup(void);
void hk_apic_timer(uint64_t ns);
void hk_apic_send_self(uint32_t vector);
void hk_apic_end_of_interrupt(void);
uint64_t hk_apic_tsc_hz(void);

/* Time counts from here. */
void hk_metal_start_clock(void);

/* Say why, and end QEMU with HK_EXIT_PANIC. */
_Noreturn void hk_machine_panic(const char *what, uint64_t a, uint64_t b);
_Noreturn void hk_machine_exit(uint32_t code);

static inline void hk_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void hk_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void hk_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t hk_in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t hk_in16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t hk_in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t hk_read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t hk_read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t hk_read_cr3(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void hk_write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

#endif
