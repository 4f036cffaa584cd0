/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it.
 *
 * There is one kernel stack, empty whenever user code runs, and interrupts are
 * off in here. So in the system call entry rsp is an ordinary register until C
 * is called: NMI, double fault and machine check have stacks of their own, and
 * nothing else can happen.
 *
 * Registers of the fast path, once current is loaded:
 *   r11  the calling thread
 *   rsp  the partner thread
 *   rcx  scratch (the user's return address is saved first)
 *   rdi  the caller's capability; then the badge
 * rsi rdx r8 r9, and r10 rbx rbp r12-r15 in a long message, go through untouched.
 *
 * Where the fast path does not find what it expects, the slow path gets rax, rdi
 * and all message registers as the user gave them, and hk_ipc() starts afresh:
 * nothing has been written by then. docs/decisions/0101 says which checks there
 * are and which guarantees they give.
 */
#include "arch/x86_64/offsets.h"
#include "hk/base/abi.h"

    .text

/*
 * Make rdi the capability behind the handle in rdi, if it has \right. A right
 * belongs to one type of object: the one bit says "endpoint" as well.
 */
.macro find_endpoint right, slow
    cmp $(HK_HANDLE_COUNT - 1), %rdi
    ja \slow
    shl $CAP_SHIFT, %edi
    add THREAD_CAPS(%r11), %rdi
    testb $\right, CAP_RIGHTS(%rdi)
    jz \slow\()_after_lookup
.endm

/* r11 stops running, rsp goes on: address space, and the way back to the user. */
.macro switch_to_partner clear
    movl $STATE_RUNNING, THREAD_STATE(%rsp)
    mov %rsp, hk_cpu_here + CPU_CURRENT
    mov THREAD_SPACE_ROOT(%rsp), %rcx
    cmp THREAD_SPACE_ROOT(%r11), %rcx
    je 1f
    mov %rcx, %cr3
1:
.if \clear
    xor %r10d, %r10d
    xor %ebx, %ebx
    xor %ebp, %ebp
    xor %r12d, %r12d
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
.endif
    mov THREAD_RIP(%rsp), %rcx
    mov $USER_RFLAGS, %r11d
    mov THREAD_RSP(%rsp), %rsp
    sysretq
.endm

/*
 * The caller's message goes to the server that waits at the endpoint, together
 * with the caller's budget and the right to reply; the caller waits for that.
 */
.macro call_path slow, clear, nobody
    find_endpoint HK_RIGHT_CALL, \slow
    mov CAP_OBJECT(%rdi), %rcx
    mov ENDPOINT_SLOT(%rcx), %rsp
    cmp $1, %rsp /* nobody, or HK_SLOT_QUEUED: not one waiting server */
    jbe \nobody
    cmpl $0, THREAD_FLAGS(%rsp)
    jne \slow\()_after_lookup
    mov CAP_BADGE(%rdi), %rdi
    movq $0, ENDPOINT_SLOT(%rcx)
    movl $STATE_CALLED, THREAD_STATE(%r11)
    mov %rsp, THREAD_SERVER(%r11)
    mov %r11, THREAD_CLIENT(%rsp)
    mov THREAD_BUDGET(%r11), %rcx
    mov %rcx, THREAD_BUDGET(%rsp)
    switch_to_partner \clear
.endm

/* The caller's message goes to the client it serves; the caller waits at the endpoint. */
.macro reply_wait_path slow, clear
    mov THREAD_CLIENT(%r11), %rsp
    test %rsp, %rsp
    jz \slow
    cmpl $0, THREAD_FLAGS(%rsp)
    jne \slow
    find_endpoint HK_RIGHT_RECEIVE, \slow
    mov CAP_OBJECT(%rdi), %rcx
    cmpq $0, ENDPOINT_SLOT(%rcx) /* other receivers, senders or events: slow */
    jne \slow\()_after_lookup
    mov %r11, ENDPOINT_SLOT(%rcx)
    mov %rcx, THREAD_ENDPOINT(%r11)
    movl $STATE_RECEIVING, THREAD_STATE(%r11)
    movq $0, THREAD_CLIENT(%r11)
    lea THREAD_OWN_BUDGET(%r11), %rcx
    mov %rcx, THREAD_BUDGET(%r11)
    xor %edi, %edi
    switch_to_partner \clear
.endm

/* Put rdi and rax back as the user gave them, then the slow path. */
.macro slow_exit slow, class
\slow\()_after_lookup:
    sub THREAD_CAPS(%r11), %rdi
    shr $CAP_SHIFT, %rdi
\slow:
.if \class
    add $\class, %rax
.endif
    jmp slow_ipc
.endm

    .balign 64
    .globl hk_entry_syscall
hk_entry_syscall:
    mov hk_cpu_here + CPU_CURRENT, %r11
    mov %rsp, THREAD_RSP(%r11)
    mov %rcx, THREAD_RIP(%r11)
    cmp $HK_MESSAGE_SHORT_WORDS, %rax
    jbe call_short /* unsigned: 0..4 */
    jg general     /* signed: 5.. */
    sub $HK_IPC_REPLY_WAIT, %rax
    cmp $HK_MESSAGE_SHORT_WORDS, %rax
    ja not_reply_wait
    reply_wait_path slow_reply_wait, 1
call_short:
    call_path slow_call, 1, call_instance
not_reply_wait:
    sub $(HK_IPC_CALL_LONG - HK_IPC_REPLY_WAIT), %rax
    cmp $HK_MESSAGE_REGISTER_WORDS, %rax
    ja not_call_long
    call_path slow_call_long, 0, slow_call_long_after_lookup
not_call_long:
    sub $(HK_IPC_REPLY_WAIT_LONG - HK_IPC_CALL_LONG), %rax
    cmp $HK_MESSAGE_REGISTER_WORDS, %rax
    ja slow_reply_wait_long
    reply_wait_path slow_reply_wait_long, 0

/* Short call of an endpoint where nobody waits: perhaps a service in ring 0 answers. */
call_instance:
    cmpq $0, ENDPOINT_INSTANCE(%rcx)
    je slow_call_after_lookup
    mov %rsi, THREAD_RSI(%r11)
    mov %rdx, THREAD_RDX(%r11)
    mov %r8, THREAD_R8(%r11)
    mov %r9, THREAD_R9(%r11)
    mov CAP_BADGE(%rdi), %rdx
    mov ENDPOINT_INSTANCE(%rcx), %rdi
    mov %r11, %rsi
    mov $hk_kernel_stack_top, %rsp
    call hk_instance_call
    mov hk_cpu_here + CPU_CURRENT, %r11
    cmp $HK_MESSAGE_SHORT_WORDS, %rax
    ja call_instance_with_work
    cmpq $0, hk_cpu_here + CPU_EXIT_WORK
    jne call_instance_with_work
    mov THREAD_RSI(%r11), %rsi
    mov THREAD_RDX(%r11), %rdx
    mov THREAD_R8(%r11), %r8
    mov THREAD_R9(%r11), %r9
    xor %edi, %edi
    xor %r10d, %r10d
    mov THREAD_RIP(%r11), %rcx
    mov THREAD_RSP(%r11), %rsp
    mov $USER_RFLAGS, %r11d
    sysretq
call_instance_with_work:
    mov %rax, THREAD_RAX(%r11)
    movq $0, THREAD_RDI(%r11)
    movq $USER_RFLAGS, THREAD_RFLAGS(%r11)
    jmp hk_exit_full

    slow_exit slow_call, HK_IPC_CALL
    slow_exit slow_reply_wait, HK_IPC_REPLY_WAIT
    slow_exit slow_call_long, HK_IPC_CALL_LONG
    slow_exit slow_reply_wait_long, HK_IPC_REPLY_WAIT_LONG

/* All registers of a rendezvous to the frame, and hk_ipc(). */
slow_ipc:
    mov %rax, THREAD_RAX(%r11)
    mov %rdi, THREAD_RDI(%r11)
    mov %rsi, THREAD_RSI(%r11)
    mov %rdx, THREAD_RDX(%r11)
    mov %r8, THREAD_R8(%r11)
    mov %r9, THREAD_R9(%r11)
    mov %r10, THREAD_R10(%r11)
    mov %rbx, THREAD_RBX(%r11)
    mov %rbp, THREAD_RBP(%r11)
    mov %r12, THREAD_R12(%r11)
    mov %r13, THREAD_R13(%r11)
    mov %r14, THREAD_R14(%r11)
    mov %r15, THREAD_R15(%r11)
    movq $USER_RFLAGS, THREAD_RFLAGS(%r11)
    mov $hk_kernel_stack_top, %rsp
    mov $hk_cpu_here, %rdi
    call hk_ipc
    jmp hk_exit_full

/* A general system call: hk_syscalls[rax](cpu, rsi, rdx, r10, r8, r9). */
general:
    cmp $HK_SYS_END, %rax
    jae no_such_call
    mov $hk_kernel_stack_top, %rsp
    mov %r10, %rcx
    mov $hk_cpu_here, %rdi
    call *hk_syscalls(, %rax, 8)
    cmpq $0, hk_cpu_here + CPU_EXIT_WORK
    jne general_with_work
    mov hk_cpu_here + CPU_CURRENT, %r11
general_return:
    xor %edi, %edi
    xor %esi, %esi
    xor %edx, %edx
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    mov THREAD_RIP(%r11), %rcx
    mov THREAD_RSP(%r11), %rsp
    mov $USER_RFLAGS, %r11d
    sysretq
no_such_call:
    mov $NO_SUCH_CALL, %rax
    jmp general_return

/* C has kept the callee-saved registers: they are still the user's. */
general_with_work:
    mov hk_cpu_here + CPU_CURRENT, %r11
    test %r11, %r11
    jz hk_exit_full /* the call has ended its thread */
    mov %rax, THREAD_RAX(%r11)
    mov %rbx, THREAD_RBX(%r11)
    mov %rbp, THREAD_RBP(%r11)
    mov %r12, THREAD_R12(%r11)
    mov %r13, THREAD_R13(%r11)
    mov %r14, THREAD_R14(%r11)
    mov %r15, THREAD_R15(%r11)
    movq $USER_RFLAGS, THREAD_RFLAGS(%r11)
    mov hk_cpu_here + CPU_HAND_OVER, %rdx
    test %rdx, %rdx
    jz hk_exit_full
    /* a general call hands over to one that sleeps in another: only these registers are kept */
    movq $0, hk_cpu_here + CPU_HAND_OVER
    movq $0, hk_cpu_here + CPU_EXIT_WORK
    mov %rdx, hk_cpu_here + CPU_CURRENT
    mov THREAD_SPACE_ROOT(%rdx), %rcx
    cmp THREAD_SPACE_ROOT(%r11), %rcx
    je 1f
    mov %rcx, %cr3
1:  mov %rdx, %r11
    mov THREAD_RAX(%r11), %rax
    mov THREAD_RBX(%r11), %rbx
    mov THREAD_RBP(%r11), %rbp
    mov THREAD_R12(%r11), %r12
    mov THREAD_R13(%r11), %r13
    mov THREAD_R14(%r11), %r14
    mov THREAD_R15(%r11), %r15
    jmp general_return

/* Leave the kernel for whoever is to run, with all registers from its frame. */
    .globl hk_exit_full
hk_exit_full:
    mov $hk_kernel_stack_top, %rsp
    cmpq $0, hk_cpu_here + CPU_EXIT_WORK
    je 1f
    mov $hk_cpu_here, %rdi
    call hk_sched_exit
1:  mov hk_cpu_here + CPU_CURRENT, %r11
    test %r11, %r11
    jz idle
    mov THREAD_SPACE_ROOT(%r11), %rcx
    mov %cr3, %rax
    cmp %rax, %rcx
    je 2f
    mov %rcx, %cr3
2:  pushq $SELECTOR_USER_DATA
    pushq THREAD_RSP(%r11)
    pushq THREAD_RFLAGS(%r11)
    pushq $SELECTOR_USER_CODE
    pushq THREAD_RIP(%r11)
    mov THREAD_RAX(%r11), %rax
    mov THREAD_RDI(%r11), %rdi
    mov THREAD_RSI(%r11), %rsi
    mov THREAD_RDX(%r11), %rdx
    mov THREAD_R8(%r11), %r8
    mov THREAD_R9(%r11), %r9
    mov THREAD_R10(%r11), %r10
    mov THREAD_RBX(%r11), %rbx
    mov THREAD_RBP(%r11), %rbp
    mov THREAD_R12(%r11), %r12
    mov THREAD_R13(%r11), %r13
    mov THREAD_R14(%r11), %r14
    mov THREAD_R15(%r11), %r15
    mov THREAD_RCX(%r11), %rcx
    mov THREAD_R11(%r11), %r11
    iretq

/* Nobody is ready: wait for an interrupt, which trap_from_kernel does not return from. */
idle:
    mov $hk_cpu_here, %rdi
    call hk_port_idle

/*
 * Traps. The CPU has pushed ss rsp rflags cs rip and perhaps an error code; each
 * stub makes that uniform and adds the vector. hk_trap_stubs[] has their addresses.
 */
.macro stub vector
    .balign 16
trap_\vector:
    .if !((0x60227d00 >> \vector) & 1) || (\vector > 31)
    pushq $0
    .endif
    pushq $\vector
    .if \vector == 2 || \vector == 8 || \vector == 18
    jmp trap_from_kernel /* on their own stacks: never a thread's fault alone */
    .else
    jmp trap
    .endif
.endm

    .altmacro
    .set vector, 0
    .rept 58
    stub %vector
    .set vector, vector + 1
    .endr

#define TRAP_VECTOR 0
#define TRAP_ERROR 8
#define TRAP_RIP 16
#define TRAP_CS 24
#define TRAP_RFLAGS 32
#define TRAP_RSP 40

trap:
    cld
    testb $3, TRAP_CS(%rsp)
    jz trap_from_kernel
    push %r11
    mov hk_cpu_here + CPU_CURRENT, %r11
    mov %rax, THREAD_RAX(%r11)
    mov %rdi, THREAD_RDI(%r11)
    mov %rsi, THREAD_RSI(%r11)
    mov %rdx, THREAD_RDX(%r11)
    mov %r8, THREAD_R8(%r11)
    mov %r9, THREAD_R9(%r11)
    mov %r10, THREAD_R10(%r11)
    mov %rbx, THREAD_RBX(%r11)
    mov %rbp, THREAD_RBP(%r11)
    mov %r12, THREAD_R12(%r11)
    mov %r13, THREAD_R13(%r11)
    mov %r14, THREAD_R14(%r11)
    mov %r15, THREAD_R15(%r11)
    mov %rcx, THREAD_RCX(%r11)
    pop THREAD_R11(%r11)
    pop %rsi                    /* vector */
    pop %rdx                    /* error code */
    pop THREAD_RIP(%r11)
    pop %rcx                    /* cs: the user has only one */
    pop THREAD_RFLAGS(%r11)
    pop THREAD_RSP(%r11)
    mov $hk_kernel_stack_top, %rsp
    pushq $2
    popfq                       /* the user's AC would switch SMAP off */
    mov $hk_cpu_here, %rdi
    call hk_trap_from_user
    jmp hk_exit_full

/*
 * Interrupts while idle; anything else is the kernel's own fault and ends the machine. Nothing
 * of an idle kernel is worth going back to.
 */
trap_from_kernel:
    cld
    mov $hk_cpu_here, %rdi
    mov TRAP_VECTOR(%rsp), %rsi
    mov TRAP_ERROR(%rsp), %rdx
    mov TRAP_RIP(%rsp), %rcx
    and $-16, %rsp
    call hk_trap_from_kernel
    jmp hk_exit_full

    .section .rodata
    .balign 8
    .globl hk_trap_stubs
hk_trap_stubs:
.macro stub_address vector
    .quad trap_\vector
.endm
    .set vector, 0
    .rept 58
    stub_address %vector
    .set vector, vector + 1
    .endr

    .section .note.GNU-stack, "", @progbits
