/* SPDX-License-Identifier: MIT */
/* The machine under the kernel: QEMU's debug console and exit device, TSC, local APIC. */
#include "arch/x86_64/copy.h"
#include "arch/x86_64/machine.h"
#include "kernel/boot.h"
#include "port/port.h"

/* The clock of this machine, written once at boot. */
struct metal_clock {
    uint64_t start_tsc;
    uint64_t ns_per_tick_q32; /* 32 fractional bits */
    bool counts_instructions; /* one tick is one instruction */
};
static struct metal_clock machine_clock;

void hk_metal_start_clock(void)
{
    uint64_t tsc_hz = hk_apic_tsc_hz();

    machine_clock.ns_per_tick_q32 = ((uint64_t)HK_NS_PER_S << 32) / tsc_hz;
    machine_clock.counts_instructions = tsc_hz == HK_NS_PER_S;
    machine_clock.start_tsc = hk_read_tsc();
}

void hk_port_console(struct hk_kernel *kernel, const char *text, uint64_t bytes)
{
    (void)kernel;
    __asm__ volatile("rep outsb" : "+S"(text), "+c"(bytes) : "d"(HK_CONSOLE_PORT) : "memory");
}

uint64_t hk_port_clock_ns(struct hk_cpu *cpu)
{
    (void)cpu;
    return (uint64_t)((unsigned __int128)(hk_read_tsc() - machine_clock.start_tsc) *
                          machine_clock.ns_per_tick_q32 >>
                      32);
}

void hk_port_timer_arm(struct hk_cpu *cpu, uint64_t at_ns)
{
    uint64_t now_ns = hk_port_clock_ns(cpu);

    if (at_ns == HK_TIMEOUT_NONE)
        hk_apic_timer(0);
    else
        hk_apic_timer(at_ns > now_ns ? at_ns - now_ns : 1);
}

void hk_port_flush_page(struct hk_cpu *cpu, uint64_t address)
{
    (void)cpu;
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

void hk_port_space_leave(struct hk_cpu *cpu, uint64_t root)
{
    if (hk_read_cr3() == root)
        hk_write_cr3(cpu->kernel->kernel_root);
}

void hk_port_irq_mask(struct hk_cpu *cpu, uint32_t line, bool masked)
{
    (void)cpu;
    hk_ioapic_line(line, masked);
}

void hk_port_irq_raise(struct hk_cpu *cpu, uint32_t line)
{
    (void)cpu;
    hk_apic_send_self(HK_VECTOR_IRQ + line);
}

uint32_t hk_port_in(struct hk_cpu *cpu, uint16_t port, uint32_t bytes)
{
    (void)cpu;
    switch (bytes) {
    case 1:
        return hk_in8(port);
    case 2:
        return hk_in16(port);
    default:
        return hk_in32(port);
    }
}

void hk_port_out(struct hk_cpu *cpu, uint16_t port, uint32_t bytes, uint32_t value)
{
    (void)cpu;
    switch (bytes) {
    case 1:
        hk_out8(port, (uint8_t)value);
        return;
    case 2:
        hk_out16(port, (uint16_t)value);
        return;
    default:
        hk_out32(port, value);
    }
}

volatile void *hk_port_registers(struct hk_kernel *kernel, uint64_t physical)
{
    return hk_window(kernel, physical);
}

/* Interrupt controllers, console, power. */
bool hk_port_owns_ports(uint64_t first, uint64_t count)
{
    static const uint16_t ports[] = { 0x20, 0x21, 0xa0, 0xa1, HK_CONSOLE_PORT, HK_EXIT_PORT,
                                      HK_EXIT_PORT + 1, HK_EXIT_PORT + 2, HK_EXIT_PORT + 3 };

    for (size_t i = 0; i < HK_ARRAY_COUNT(ports); i++)
        if (ports[i] - first < count)
            return true;
    return false;
}

bool hk_port_owns_memory(const struct hk_kernel *kernel, uint64_t first, uint64_t bytes)
{
    return first < kernel->memory_end || hk_apic_is_at(first, bytes);
}

_Noreturn void hk_machine_exit(uint32_t code)
{
    hk_out32(HK_EXIT_PORT, code);
    for (;;) /* without the exit device: stay off */
        __asm__ volatile("cli; hlt");
}

void hk_port_power_off(struct hk_cpu *cpu, uint64_t code)
{
    (void)cpu;
    hk_machine_exit((uint32_t)code);
}

static void print_hex(struct hk_kernel *kernel, uint64_t number)
{
    char text[17] = " ";

    for (int i = 0; i < 16; i++)
        text[1 + i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
    hk_port_console(kernel, text, sizeof(text));
}

_Noreturn void hk_machine_panic(const char *what, uint64_t a, uint64_t b)
{
    struct hk_kernel *kernel = hk_cpu_here.kernel;

    hk_print(kernel, HK_PROTOCOL " fail panic: ");
    hk_print(kernel, what);
    print_hex(kernel, a);
    print_hex(kernel, b);
    hk_print(kernel, "\n");
    hk_machine_exit(HK_EXIT_PANIC);
}

/*
 * Where the clock counts instructions, a halt is not exact: QEMU moves the clock to
 * the next timer as soon as it sees the processor halted, and may see that before
 * the processor's last instructions are counted (docs/decisions/0200). Instructions
 * that do nothing take QEMU no time, and the timer interrupts at one of them.
 */
static _Noreturn void wait_for_interrupt(void)
{
    if (machine_clock.counts_instructions)
        __asm__ volatile("sti\n\t"
                         "1:\n\t"
                         ".rept 500\n\t"
                         "nop\n\t"
                         ".endr\n\t"
                         "jmp 1b");
    for (;;)
        __asm__ volatile("sti; hlt");
}

_Noreturn void hk_port_idle(struct hk_cpu *cpu)
{
    const struct hk_process *init = cpu->kernel->init;

    if (init == NULL || init->state == HK_PROCESS_ENDED)
        hk_boot_end(cpu);
    if (cpu->deadlines.next == &cpu->deadlines) {
        hk_print(cpu->kernel, HK_PROTOCOL " fail every thread waits and nothing can wake one\n");
        hk_shutdown(cpu, HK_EXIT_FAIL);
    }
    wait_for_interrupt();
}

void hk_port_zero(void *to, uint64_t bytes)
{
    uint64_t words = bytes / 8, rest = bytes % 8;

    __asm__ volatile("rep stosq\n\t"
                     "mov %3, %%rcx\n\t"
                     "rep stosb"
                     : "+D"(to), "+c"(words)
                     : "a"(0ull), "r"(rest)
                     : "memory");
}

void hk_port_copy(void *to, const void *from, uint64_t bytes)
{
    hk_copy_inline(to, from, bytes);
}
