/* SPDX-License-Identifier: MIT */
/* First instruction of a program, and the general form of a rendezvous. */
#include "hk/base/abi.h"

    .text
    /* rdi: argument of process_start, rsi: address of the IPC page */
    .globl _start
_start:
    xor %ebp, %ebp
    call main
    mov %rax, %rsi
    mov $20, %eax /* HK_SYS_exit */
    syscall

    /*
     * int64_t hk_user_ipc(int64_t tag, uint64_t *handle_and_badge, uint64_t word[11]):
     * all message registers from and to memory; callee-saved registers survive.
     */
    .globl hk_user_ipc
hk_user_ipc:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rsi
    push %rdx
    mov %rdi, %rax
    mov (%rsi), %rdi
    mov %rdx, %r15
    mov 0(%r15), %rsi
    mov 8(%r15), %rdx
    mov 16(%r15), %r8
    mov 24(%r15), %r9
    mov 32(%r15), %r10
    mov 40(%r15), %rbx
    mov 48(%r15), %rbp
    mov 56(%r15), %r12
    mov 64(%r15), %r13
    mov 72(%r15), %r14
    mov 80(%r15), %r15
    syscall
    pop %rcx
    mov %rsi, 0(%rcx)
    mov %rdx, 8(%rcx)
    mov %r8, 16(%rcx)
    mov %r9, 24(%rcx)
    mov %r10, 32(%rcx)
    mov %rbx, 40(%rcx)
    mov %rbp, 48(%rcx)
    mov %r12, 56(%rcx)
    mov %r13, 64(%rcx)
    mov %r14, 72(%rcx)
    mov %r15, 80(%rcx)
    pop %rcx
    mov %rdi, (%rcx)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .note.GNU-stack, "", @progbits
