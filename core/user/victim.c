/* SPDX-License-Identifier: MIT */
#include "user/victim.h"

static void read_at(uint64_t address)
{
    (void)*(volatile uint64_t *)address;
}

static void read_null(void)
{
    read_at(0);
}

static void read_kernel_image(void)
{
    read_at(0xffffffff80100000);
}

static void read_direct_map(void)
{
    read_at(0xffff800000200000);
}

static void write_apic(void)
{
    *(volatile uint32_t *)0xffff8000fee000f0 = 0;
}

static void read_non_canonical(void)
{
    read_at(0x8000000000000000);
}

static void write_code(void)
{
    *(volatile uint8_t *)HK_USER_BASE = 0xc3;
}

static void run_data(void)
{
    static uint8_t code[1] = { 0xc3 };
    void (*function)(void);
    uint8_t *address = code;

    __asm__("mov %1, %0" : "=r"(function) : "r"(address));
    function();
}

static void run_kernel(void)
{
    __asm__ volatile("jmp *%0" : : "r"(0xffffffff80100000));
}

static volatile uint64_t *const heap = (volatile uint64_t *)0x0000100000000000;

static void use_unmapped(void)
{
    (void)hk_syscall(HK_SYS_page_map, (uint64_t)heap, 1, HK_MAP_READ | HK_MAP_WRITE);
    *heap = 2385;
    (void)hk_syscall(HK_SYS_page_unmap, (uint64_t)heap, 1, 0);
    *heap = 2385;
}

static void write_read_only(void)
{
    (void)hk_syscall(HK_SYS_page_map, (uint64_t)heap, 1, HK_MAP_READ | HK_MAP_WRITE);
    *heap = 2385;
    (void)hk_syscall(HK_SYS_page_protect, (uint64_t)heap, 1, HK_MAP_READ);
    *heap = 2385;
}

static void divide(void)
{
    __asm__ volatile("div %0" : : "r"(0), "a"(1), "d"(0));
}

static void illegal(void)
{
    __asm__ volatile("ud2");
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

static void port(void)
{
    __asm__ volatile("outb %%al, $0xf4" : : "a"(0));
}

static void load_cr3(void)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(0ull));
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void single_step(void)
{
    __asm__ volatile("pushfq\n\t"
                     "orq $0x100, (%rsp)\n\t"
                     "popfq\n\t"
                     "nop");
}

static void software_interrupt(void)
{
    __asm__ volatile("int $56");
}

static void fpu(void)
{
    __asm__ volatile("fld1");
}

static void overflow(void)
{
    __asm__ volatile("1: push %rax\n\t"
                     "jmp 1b");
}

static void loop(void)
{
    for (;;)
        __asm__ volatile("" : : : "memory");
}

static void leave(void)
{
    (void)hk_syscall(HK_SYS_exit, 7, 0, 0);
}

static void leave_thread(void)
{
    (void)hk_syscall0(HK_SYS_thread_exit);
}

static void (*const faults[HK_VICTIM_FAULTS])(void) = {
    [HK_VICTIM_NULL] = read_null,
    [HK_VICTIM_KERNEL_IMAGE] = read_kernel_image,
    [HK_VICTIM_DIRECT_MAP] = read_direct_map,
    [HK_VICTIM_APIC] = write_apic,
    [HK_VICTIM_NON_CANONICAL] = read_non_canonical,
    [HK_VICTIM_WRITE_CODE] = write_code,
    [HK_VICTIM_RUN_DATA] = run_data,
    [HK_VICTIM_RUN_KERNEL] = run_kernel,
    [HK_VICTIM_UNMAPPED] = use_unmapped,
    [HK_VICTIM_READ_ONLY] = write_read_only,
    [HK_VICTIM_DIVIDE] = divide,
    [HK_VICTIM_ILLEGAL] = illegal,
    [HK_VICTIM_HALT] = halt,
    [HK_VICTIM_PORT] = port,
    [HK_VICTIM_CR3] = load_cr3,
    [HK_VICTIM_BREAKPOINT] = breakpoint,
    [HK_VICTIM_SINGLE_STEP] = single_step,
    [HK_VICTIM_INTERRUPT] = software_interrupt,
    [HK_VICTIM_FPU] = fpu,
    [HK_VICTIM_STACK] = overflow,
    [HK_VICTIM_LOOP] = loop,
    [HK_VICTIM_EXIT] = leave,
    [HK_VICTIM_THREAD_EXIT] = leave_thread,
};

/* argument: fault, endpoint, one byte each */
int main(uint64_t argument, uint64_t *ipc_page)
{
    uint64_t badge, w0 = 0, w1 = 0;

    (void)ipc_page;
    (void)hk_reply_wait(argument >> 8 & 0xff, 0, &badge, &w0, &w1);
    if ((argument & 0xff) < HK_VICTIM_FAULTS)
        faults[argument & 0xff]();
    return 0; /* a fault that did not happen ends as an ordinary exit, which the test refuses */
}
