/* SPDX-License-Identifier: MIT */
/*
 * Boot, traps and measured regions of the probe guest. Everything below the upper half is
 * mapped for user mode too, so ring 3 simply runs this code at its low alias.
 *
 * A region function returns the RDTSC difference around its marks: under icount the number of
 * instructions between, plus a constant that the empty region shows. Bodies are written out in full
 * so that their counts can be read off: they are the reference the plugin is held against.
 */
#include "hk/base/mark.h"

#define KERNEL 0xffffffff80000000
#define LOW(symbol) ((symbol) - KERNEL)
#define KERNEL_CS 0x08
#define APIC_ID 0xfffffffffee00020
#define USER_BASE 0x13 /* sysret: ss = 0x1b, cs = 0x23 */

.macro mark kind
    .byte 0x0f, 0x1f, 0x80
    .long HK_MARK_MAGIC | \kind
.endm

.macro region name
    .globl \name
    .type \name, @function
\name:
    rdtsc
    mov %eax, %r8d
    mark HK_MARK_BEGIN
.endm

.macro region_end
    mark HK_MARK_END
    rdtsc
    sub %r8d, %eax
    ret
.endm

/* Fills an interrupt gate, whose address is split over its fields. */
.macro gate handler, vector
    mov $\handler, %rax
    mov %ax, idt + \vector * 16
    movw $KERNEL_CS, idt + \vector * 16 + 2
    movw $0x8e00, idt + \vector * 16 + 4
    shr $16, %rax
    mov %ax, idt + \vector * 16 + 6
    movl $0xffffffff, idt + \vector * 16 + 8
.endm

    .section .note.pvh, "a"
    .long 4, 8, 18 /* name and descriptor sizes, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad LOW(pvh_entry)

    .text
    .code32
    .globl pvh_entry
pvh_entry:
    mov $LOW(stack_end), %esp
    /* identity map of the first GiB, 2 MiB pages, present, writable, user, large */
    mov $LOW(pd), %edi
    mov $0x87, %eax
1:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    cmp $LOW(pd + 4096), %edi
    jne 1b
    mov %cr4, %eax
    or $0x20, %eax /* PAE */
    mov %eax, %cr4
    mov $LOW(pml4), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x101, %eax /* EFER: long mode, syscall */
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    lgdt LOW(gdt_pointer)
    ljmp $KERNEL_CS, $LOW(1f)
    .code64
1:  movabs $2f, %rax
    jmp *%rax
2:  mov $KERNEL_CS + 8, %eax
    mov %eax, %ss
    mov %eax, %ds
    mov %eax, %es
    mov $stack_end, %rsp
    mov $0xc0000081, %ecx /* STAR: selectors of syscall and sysret */
    xor %eax, %eax
    mov $(USER_BASE << 16 | KERNEL_CS), %edx
    wrmsr
    mov $0xc0000082, %ecx /* LSTAR */
    mov $syscall_entry, %rax
    mov %rax, %rdx
    shr $32, %rdx
    wrmsr
    gate page_fault, 14
    gate interrupt, 33
    lidt idt_pointer
    call guest_main
    mov $0x10, %eax
    mov $0xf4, %edx /* isa-debug-exit */
    out %eax, %dx
3:  hlt
    jmp 3b

/* Makes the faulting page present: pages at 1 GiB, the index is in address bits 12 to 20. */
    .type page_fault, @function
page_fault:
    mov %cr2, %rax
    shr $12, %rax
    and $511, %eax
    orq $1, pt(, %rax, 8)
    add $8, %rsp /* error code */
    iretq

    .type interrupt, @function
interrupt:
    iretq

/* eax = 0: come straight back; otherwise leave user mode and return from user_run with ebx. */
    .type syscall_entry, @function
syscall_entry:
    test %eax, %eax
    jnz 1f
    sysretq
1:  mov saved_rsp, %rsp
    mov %ebx, %eax
    pop %rbx
    ret

/* uint32_t user_run(void): the region below, in ring 3, at its low alias. */
    .globl user_run
    .type user_run, @function
user_run:
    push %rbx
    mov %rsp, saved_rsp
    mov $LOW(user_region), %rcx
    mov $2, %r11d
    sysretq

    .type user_region, @function
user_region:
    rdtsc
    mov %eax, %r8d
    mark HK_MARK_BEGIN
    mov $100, %ebx /* user: 1 + 4 * 100, kernel: 3 * 100 */
1:  xor %eax, %eax
    syscall
    dec %ebx
    jnz 1b
    mark HK_MARK_END
    rdtsc
    sub %r8d, %eax
    mov %eax, %ebx
    mov $1, %eax
    syscall

region region_empty
    region_end

region region_loop /* 1 + 2 * 1000 */
    mov $1000, %ecx
1:  dec %ecx
    jnz 1b
    region_end

region region_memory /* 1 + 5 * 100 instructions, 200 loads, 100 stores */
    mov $100, %ecx
1:  mov cell, %rax
    mov %rax, cell + 8
    cmp %rax, cell
    dec %ecx
    jnz 1b
    region_end

region region_rep /* 3 + rep over 64 bytes: 64 loads, 64 stores */
    mov $64, %ecx
    mov $cell, %rsi
    mov $cell + 64, %rdi
    rep movsb
    region_end

/* 1 + 5 * 10 + 1 instructions, 11 CR3 writes, the last one by a register that needs a REX prefix */
region region_cr3
    mov $LOW(pml4), %r9
    mov $10, %ecx
    mov $LOW(pml4_second), %rax
1:  mov %rax, %cr3
    mov cell, %r10
    dec %ecx
    jnz 1b
    mov %r9, %cr3
    region_end

region region_fault /* 3 loads that fault, each restarted after 6 instructions of page_fault */
    mov 0x40000000, %r9
    mov 0x40001000, %r9
    mov 0x40002000, %r9
    region_end

region region_interrupt /* 10 * (int and iretq) */
    .rept 10
    int $33
    .endr
    region_end

region region_device /* 5 reads of the interrupt controller in one block, each cut short by QEMU */
    .rept 5
    mov APIC_ID, %r9d
    .endr
    region_end

    .data
    .balign 4096
pml4:
    .quad LOW(pdpt) + 7
    .fill 510, 8, 0
    .quad LOW(pdpt) + 7
pml4_second:
    .quad LOW(pdpt) + 7
    .fill 510, 8, 0
    .quad LOW(pdpt) + 7
pdpt: /* the first GiB at 0 and at KERNEL, the pages that fault at 1 GiB, devices at the end */
    .quad LOW(pd) + 7, LOW(pd_faults) + 7
    .fill 508, 8, 0
    .quad LOW(pd) + 7, LOW(pd_devices) + 7
pd_devices: /* the last GiB: one large uncached page with the interrupt controller */
    .fill 503, 8, 0
    .quad 0xfee00000 + 0x97
    .fill 8, 8, 0
pd_faults:
    .quad LOW(pt) + 7
    .fill 511, 8, 0
pt: /* writable, user, not present */
    .quad 0x200006, 0x201006, 0x202006
    .fill 509, 8, 0
gdt:
    .quad 0
    .quad 0x00af9a000000ffff, 0x00cf92000000ffff /* kernel code, data */
    .quad 0x00cff2000000ffff, 0x00affa000000ffff /* user data, code */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .quad LOW(gdt)
idt_pointer:
    .word 256 * 16 - 1
    .quad idt

    .bss
    .balign 4096
pd: .skip 4096
idt: .skip 4096
    .skip 8192
stack_end:
saved_rsp: .skip 8
    .balign 4096
cell: .skip 4096
