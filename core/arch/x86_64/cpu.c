/* SPDX-License-Identifier: MIT */
/* Descriptor tables, system call registers, protection bits. */
#include "arch/x86_64/machine.h"
#include "arch/x86_64/offsets.h"

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define EFER_SYSCALL 0x1
/* interrupts, trap, direction, alignment, nested task and I/O level off in the kernel */
#define SFMASK_BITS 0x47700

#define CR0_EMULATE_FPU 0x4 /* no FPU for user programs: nothing to switch, nothing to leak */
#define CR0_MONITOR_FPU 0x2
#define CR4_UMIP (1ull << 11)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)

#define GATE_INTERRUPT 0x8e /* present, ring 0, interrupts off */

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct __attribute__((packed)) task_state {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t stack[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    const void *base;
};

/* This CPU's tables: the hardware keeps pointers to them. */
struct cpu_tables {
    uint64_t gdt[7];
    struct gate idt[HK_VECTORS];
    struct task_state task;
};
static struct cpu_tables tables;

static void write_msr(uint32_t number, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t read_msr(uint32_t number)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static void load_segments(void)
{
    uint64_t task = (uint64_t)&tables.task;
    struct table_pointer pointer = { sizeof(tables.gdt) - 1, tables.gdt };

    tables.gdt[1] = 0x00209a0000000000; /* kernel code */
    tables.gdt[2] = 0x0000920000000000; /* kernel data */
    tables.gdt[3] = 0x0000f20000000000; /* user data */
    tables.gdt[4] = 0x0020fa0000000000; /* user code */
    tables.gdt[5] = 0x0000890000000000 | (sizeof(tables.task) - 1) | (task & 0xffffff) << 16 |
                    (task >> 24 & 0xff) << 56;
    tables.gdt[6] = task >> 32;
    tables.task.rsp[0] = (uint64_t)hk_kernel_stack_top;
    tables.task.stack[0] = (uint64_t)hk_fault_stack_top;
    tables.task.io_map = sizeof(tables.task); /* no I/O ports for user programs */
    __asm__ volatile("lgdt %0\n\t"
                     "ltr %w1"
                     :
                     : "m"(pointer), "r"(SELECTOR_TASK));
    __asm__ volatile("mov %0, %%ss" : : "r"(SELECTOR_KERNEL_DATA));
}

/* NMI, double fault and machine check may come when rsp is not a stack. */
static bool needs_own_stack(uint32_t vector)
{
    return vector == 2 || vector == 8 || vector == 18;
}

static void load_gates(void)
{
    struct table_pointer pointer = { sizeof(tables.idt) - 1, tables.idt };

    for (uint32_t i = 0; i < HK_VECTORS; i++) {
        uint64_t stub = hk_trap_stubs[i];

        tables.idt[i] = (struct gate){
            .offset_low = (uint16_t)stub,
            .selector = SELECTOR_KERNEL_CODE,
            .stack = needs_own_stack(i) ? 1 : 0,
            .type = GATE_INTERRUPT,
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
        };
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

/* Supervisor-mode protections, where CPUID leaf 7 has them. */
static void protect(void)
{
    uint32_t a = 7, b, c = 0, d;
    uint64_t cr0, cr4;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    if (b & 1u << 7)
        cr4 |= CR4_SMEP;
    if (b & 1u << 20)
        cr4 |= CR4_SMAP;
    if (c & 1u << 2)
        cr4 |= CR4_UMIP;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 = (cr0 | CR0_EMULATE_FPU) & ~(uint64_t)CR0_MONITOR_FPU;
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
}

void hk_cpu_setup(void)
{
    load_segments();
    load_gates();
    protect();
    write_msr(MSR_STAR, (uint64_t)SELECTOR_KERNEL_CODE << 32 |
                            (uint64_t)(SELECTOR_KERNEL_DATA | 3) << 48);
    write_msr(MSR_LSTAR, (uint64_t)hk_entry_syscall);
    write_msr(MSR_SFMASK, SFMASK_BITS);
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SYSCALL);
}
