/* SPDX-License-Identifier: MIT */
/*
 * From the PVH entry (32-bit, paging off, ebx = start info) to hk_boot_main in
 * the upper half. The tables made here map the first 4 GiB three times: where
 * they are, as the image, and as the direct map; hk_boot_main replaces them.
 */
#include "arch/x86_64/offsets.h"
#include "arch/x86_64/paging.h"

#define PHYSICAL(symbol) (symbol - HK_IMAGE_BASE)
#define EFER 0xc0000080
#define EFER_LONG_MODE_AND_NO_EXECUTE 0x900
#define CR0_PROTECTED_PAGED 0x80010001 /* paging, write protection, protected mode */
#define CR4_PAE 0x20
#define EARLY_GIB 4

    /* Xen's note 18: the 32-bit physical entry point, which QEMU looks for */
    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .quad PHYSICAL(boot32)

    .section .text.boot, "ax"
    .code32
    .globl boot32
boot32:
    cld
    mov $PHYSICAL(hk_kernel_stack_top), %esp
    mov %ebx, %ebp

    /* second level: 2 MiB pages over the first 4 GiB */
    mov $PHYSICAL(early_seconds), %edi
    mov $(HK_PTE_PRESENT | HK_PTE_WRITE | HK_PTE_LARGE), %eax
1:  mov %eax, (%edi)
    add $8, %edi
    add $0x200000, %eax
    jnc 1b

    /* third level: entries 0.. for both low maps, 510.. for the image's last 2 GiB */
    mov $PHYSICAL(early_seconds) + HK_PTE_PRESENT + HK_PTE_WRITE, %eax
    mov $PHYSICAL(early_thirds), %edi
    xor %ecx, %ecx
2:  mov %eax, (%edi,%ecx,8)
    add $0x1000, %eax
    inc %ecx
    cmp $EARLY_GIB, %ecx
    jb 2b
    movl $PHYSICAL(early_seconds) + HK_PTE_PRESENT + HK_PTE_WRITE, 510 * 8(%edi)

    mov $PHYSICAL(early_thirds) + HK_PTE_PRESENT + HK_PTE_WRITE, %eax
    mov $PHYSICAL(early_root), %edi
    mov %eax, (%edi)
    mov %eax, 256 * 8(%edi)
    mov %eax, 511 * 8(%edi)

    mov %edi, %cr3
    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov $EFER, %ecx
    rdmsr
    or $EFER_LONG_MODE_AND_NO_EXECUTE, %eax
    wrmsr
    mov $CR0_PROTECTED_PAGED, %eax
    mov %eax, %cr0
    lgdt PHYSICAL(early_gdt_pointer)
    ljmp $SELECTOR_KERNEL_CODE, $PHYSICAL(boot64)

    .code64
boot64:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov $hk_kernel_stack_top, %rsp
    mov %ebp, %edi
    mov $hk_boot_main, %rax
    call *%rax
    ud2

    .section .rodata.boot, "a"
    .balign 8
early_gdt:
    .quad 0
    .quad 0x00209a0000000000 /* 64-bit code, ring 0 */
early_gdt_pointer:
    .word early_gdt_pointer - early_gdt - 1
    .long PHYSICAL(early_gdt)

    .section .bss.boot, "aw", @nobits
    .balign 4096
early_root:
    .skip 4096
early_thirds:
    .skip 4096
early_seconds:
    .skip 4096 * EARLY_GIB

    .section .note.GNU-stack, "", @progbits
