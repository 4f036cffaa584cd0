/* SPDX-License-Identifier: MIT */
/* Exceptions and interrupts. */
#include "arch/x86_64/machine.h"
#include "kernel/irq.h"
#include "kernel/pager.h"
#include "port/port.h"

#define VECTOR_DIVIDE 0
#define VECTOR_ILLEGAL 6
#define VECTOR_NO_FPU 7
#define VECTOR_STACK 12
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE 14

/* Error code of a page fault. */
#define FAULT_WRITE 0x2
#define FAULT_FETCH 0x10

static bool interrupt(struct hk_cpu *cpu, uint64_t vector)
{
    if (vector < HK_VECTOR_IRQ)
        return false;
    cpu->interrupt_count++;
    if (vector == HK_VECTOR_SPURIOUS)
        return true;
    if (vector == HK_VECTOR_TIMER) {
        hk_apic_end_of_interrupt();
        hk_deadline_run(cpu);
    } else {
        hk_irq_raised(cpu, (uint32_t)(vector - HK_VECTOR_IRQ)); /* masks: first */
        hk_apic_end_of_interrupt();
    }
    return true;
}

/* The pages just below a stack are there to be run into. */
static bool is_stack_guard(uint64_t address)
{
    uint64_t end = HK_USER_STACK_TOP - HK_USER_STACK_PAGES * HK_PAGE_BYTES;

    return address < end && address >= end - HK_PAGE_BYTES;
}

static enum hk_process_exit reason_of(uint64_t vector, uint64_t address)
{
    switch (vector) {
    case VECTOR_DIVIDE:
        return HK_EXIT_DIVIDE;
    case VECTOR_ILLEGAL:
    case VECTOR_NO_FPU:
    case VECTOR_PROTECTION:
        return HK_EXIT_ILLEGAL;
    case VECTOR_STACK:
        return HK_EXIT_STACK;
    case VECTOR_PAGE:
        return is_stack_guard(address) ? HK_EXIT_STACK : HK_EXIT_PAGE;
    default:
        return HK_EXIT_EXCEPTION;
    }
}

/* What the user lacked, by the error code of a page fault. */
static uint64_t access_of(uint64_t error)
{
    if (error & FAULT_FETCH)
        return HK_MAP_EXECUTE;
    return error & FAULT_WRITE ? HK_MAP_WRITE : HK_MAP_READ;
}

/* A user program's exception ends its process, unless its pager helps; everyone else runs on. */
void hk_trap_from_user(struct hk_cpu *cpu, uint64_t vector, uint64_t error)
{
    struct hk_process *process = cpu->current->process;
    uint64_t address = hk_read_cr2();

    if (interrupt(cpu, vector))
        return;
    if (vector == VECTOR_PAGE && hk_pager_fault(cpu, address, access_of(error)))
        return;
    process->fault_address = address;
    hk_process_end(cpu, process, reason_of(vector, address), (int64_t)vector);
}

void hk_trap_from_kernel(struct hk_cpu *cpu, uint64_t vector, uint64_t error, uint64_t rip)
{
    (void)error;
    if (!interrupt(cpu, vector))
        hk_machine_panic("exception in the kernel: vector, instruction", vector, rip);
}
