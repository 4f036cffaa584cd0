/* SPDX-License-Identifier: MIT */
/*
 * The kernel core's binary interface: system calls, register messages, boot
 * parameters, and the lines it prints for the host. Freestanding, and includable
 * from assembly: everything above the #ifndef __ASSEMBLER__ is plain numbers.
 */
#ifndef HK_BASE_ABI_H
#define HK_BASE_ABI_H

/*
 * Rendezvous IPC
 * --------------
 * Instruction `syscall`; rcx and r11 are lost, rflags come back cleared.
 *
 *   rax  [in]  class and number of message words, see below
 *        [out] number of words received (>= 0), or a negative enum hk_status
 *   rdi  [in]  handle of an endpoint
 *        [out] badge of the capability the sender used (0 in a reply)
 *   message words 0..3:  rsi rdx r8 r9
 *   message words 4..10: r10 rbx rbp r12 r13 r14 r15
 *
 * A short message has 0..4 words and always occupies the first four registers;
 * the kernel clears those of words 4..10 on the way. A long message has 5..11
 * words and always occupies all eleven. So what a sender does not mean to send
 * must not be in a register of its message's class. Words 11.. of a buffered
 * message travel through the IPC pages of the two threads. Every message
 * register is clobbered by the call.
 *
 * rax holds HK_IPC_<class> + words. Calls are small non-negative numbers, the
 * other classes negative, general system calls HK_SYS_FIRST and above: one
 * compare at the entry tells the three apart. The first four classes have a fast
 * path; the others always take the slow path, take any length, and wait no
 * longer than the thread's ipc_timeout.
 */
#define HK_IPC_CALL 0                 /* 0..4 words; waits for the reply */
#define HK_IPC_REPLY_WAIT (-1024)     /* 0..4 words: reply to the client, wait for the next */
#define HK_IPC_CALL_LONG (-2048)      /* 5..11 words */
#define HK_IPC_REPLY_WAIT_LONG (-3072)
#define HK_IPC_CALL_ANY (-4096)
#define HK_IPC_REPLY_WAIT_ANY (-5120)
#define HK_IPC_SEND (-6144)           /* one way: done when a receiver has it */
#define HK_IPC_RECEIVE (-7168)        /* 0 words; gives up the right to reply, if any */
#define HK_IPC_REPLY (-8192)          /* without waiting; rdi is ignored */
#define HK_IPC_CLASS_WORDS 1024

#define HK_MESSAGE_SHORT_WORDS 4
#define HK_MESSAGE_REGISTER_WORDS 11
#define HK_MESSAGE_BUFFER_WORDS 512
#define HK_MESSAGE_WORDS_MAX (HK_MESSAGE_REGISTER_WORDS + HK_MESSAGE_BUFFER_WORDS)

/*
 * General system calls: rax number, arguments in rsi rdx r10 r8 r9 (a b c d e);
 * rax is the result: >= 0, or a negative enum hk_status. rdi, rcx, r11 and the
 * argument registers are lost, all others preserved. Addresses are the caller's,
 * names are terminated by their length. The list is the table of the calls that
 * exist: the kernel's dispatch table and the user stubs come from it.
 *
 * X(number, name), numbers without gaps
 */
#define HK_SYS_FIRST 16
#define HK_SYSCALL_LIST(X)                                                                  \
    X(16, null)                 /* () -> 0 */                                               \
    X(17, log)                  /* (text, bytes): text to the console */                    \
    X(18, clock)                /* () -> ns since boot */                                   \
    X(19, yield)                /* () */                                                    \
    X(20, exit)                 /* (code): ends the process; does not return */             \
    X(21, process_create)       /* (name, bytes): process from the module -> handle */      \
    X(22, process_start)        /* (process, argument): runs it */                          \
    X(23, process_wait)         /* (process, timeout_ns) -> enum hk_process_exit, exit code << 8 */ \
    X(24, process_kill)         /* (process) */                                             \
    X(25, thread_create)        /* (entry, stack_top, argument) -> handle */                \
    X(26, thread_exit)          /* (): ends the calling thread */                           \
    X(27, thread_policy)        /* (thread, priority, period_ns) */                         \
    X(28, sleep)                /* (until_ns): absolute time */                             \
    X(29, page_map)             /* (address, count, HK_MAP_*): fresh zeroed pages */        \
    X(30, page_unmap)           /* (address, count) */                                      \
    X(31, page_protect)         /* (address, count, HK_MAP_*) */                            \
    X(32, page_remap)           /* (process, from, to, count): moves pages there */         \
    X(33, cap_copy)             /* (process, handle, rights, badge) -> handle over there */ \
    X(34, cap_drop)             /* (handle) */                                              \
    X(35, endpoint_create)      /* () -> handle with all rights */                          \
    X(36, ipc_timeout)          /* (timeout_ns): for the slow IPC classes */                \
    X(37, irq_bind)             /* (line, endpoint, badge): interrupts become messages */   \
    X(38, irq_ack)              /* (line): the next one may come */                         \
    X(39, irq_raise)            /* (line): as if the device did */                          \
    X(40, timer_create)         /* (endpoint, badge, first_ns, period_ns) -> handle */      \
    X(41, boot_info)            /* (buffer, capacity): the command line -> bytes */         \
    X(42, power_off)            /* (code) */                                                \
    X(43, policy_select)        /* (enum hk_policy_number) */                               \
    X(44, statistic)            /* (HK_STATISTIC_*) -> value */                             \
    X(45, channel_create)       /* (slots, message_bytes) -> handle */                      \
    X(46, channel_send)         /* (channel, to_pid, data, bytes) */                        \
    X(47, channel_receive)      /* (channel, data, capacity, timeout_ns) -> bytes */        \
    X(48, queue_create)         /* (slots, message_bytes) -> handle */                      \
    X(49, queue_send)           /* (queue, data, bytes, timeout_ns) */                      \
    X(50, queue_receive)        /* (queue, data, capacity, timeout_ns) -> bytes */          \
    X(51, semaphore_create)     /* (count) -> handle */                                     \
    X(52, semaphore_post)       /* (semaphore) */                                           \
    X(53, semaphore_wait)       /* (semaphore, timeout_ns) */                               \
    X(54, notification_create)  /* () -> handle */                                          \
    X(55, notification_signal)  /* (notification, bits) */                                  \
    X(56, notification_wait)    /* (notification, timeout_ns) -> bits */                    \
    X(57, shm_create)           /* (pages) -> handle */                                     \
    X(58, shm_map)              /* (shm, address, HK_MAP_*) */                              \
    X(59, shm_unmap)            /* (shm, address) */                                        \
    X(60, grant)                /* (process, from, to, bytes) -> bytes copied */            \
    X(61, stream_create)        /* () -> handle */                                          \
    X(62, stream_write)         /* (stream, data, bytes, timeout_ns) -> bytes */            \
    X(63, stream_read)          /* (stream, data, capacity, timeout_ns) -> bytes */         \
    X(64, service_register)     /* (name, bytes, endpoint) */                               \
    X(65, service_unregister)   /* (name, bytes) */                                         \
    X(66, service_lookup)       /* (name, bytes, timeout_ns) -> handle to call */           \
    X(67, process_trust)        /* (process): it may command the system, as the caller may */ \
    X(68, stream_exchange)      /* (out, in, data, bytes, capacity): write, then read */    \
    X(69, policy_serve)         /* (candidates, capacity, answer) -> candidates */          \
    X(70, pager_bind)           /* (process, address, pages, endpoint, timeout_ns) */       \
    X(71, pager_unbind)         /* (process, address) */                                    \
    X(72, pager_map)            /* (address, count, HK_MAP_*, from): for the client served */ \
    X(73, timer_set)            /* (timer, at_ns): once, at this time instead */            \
    X(74, module_read)          /* (name, bytes, buffer, capacity) -> bytes of the module */ \
    X(75, process_signal)       /* (pid, bits): of a client, by who may command the system */ \
    X(76, signal_wait)          /* (timeout_ns) -> bits signalled to this process */        \
    X(77, page_lend)            /* (pid, from, to): a shared page, for reading, to a client */ \
    X(78, page_holders)         /* (address) -> mappings and objects that hold the page */  \
    X(79, answer_put)           /* (endpoint, struct hk_answer): as if the receiver gave it */ \
    X(80, answer_get)           /* (endpoint, key 0 to 3) -> words, in the IPC page; HK_ENOENT */ \
    X(81, io_create)            /* (enum hk_io_kind, base, count) -> handle */              \
    X(82, io_in)                /* (io, offset, bytes) -> value */                          \
    X(83, io_out)               /* (io, offset, bytes, value) */                            \
    X(84, io_map)               /* (io, address, HK_MAP_*) */                               \
    X(85, io_base)              /* (io) -> first port, physical address, or line */         \
    X(86, line_bind)            /* (io, endpoint, badge): interrupts become messages */     \
    X(87, line_ack)             /* (io): the next one may come */
#define HK_SYS_END 88

/* Where a process finds its IPC pages, stacks and starting handles. */
#define HK_USER_BASE 0x0000000000400000
#define HK_USER_END 0x00007ffffffff000
#define HK_USER_STACK_TOP 0x00007fffff000000
#define HK_USER_STACK_PAGES 8
#define HK_USER_IPC_BASE 0x00007ffff0000000
#define HK_HANDLE_SELF 0
#define HK_HANDLE_COUNT 128

/* The boot command line: key=value separated by blanks; longer is refused. */
#define HK_COMMAND_LINE_BYTES 512

/* Protection of a mapping; write and execute together are refused. */
#define HK_MAP_READ 1
#define HK_MAP_WRITE 2
#define HK_MAP_EXECUTE 4

/*
 * What a capability allows. A right belongs to one object type, so that one
 * test checks type and right together; hk_cap_insert() refuses a right on an
 * object of another type.
 */
#define HK_RIGHT_CALL 0x0001u       /* endpoint: call and send */
#define HK_RIGHT_RECEIVE 0x0002u    /* endpoint: receive, reply and wait */
#define HK_RIGHT_PROCESS 0x0004u    /* process: start, wait, kill, map, give capabilities */
#define HK_RIGHT_THREAD 0x0008u     /* thread: set policy */
#define HK_RIGHT_CHANNEL 0x0010u    /* channel: send, receive */
#define HK_RIGHT_QUEUE 0x0020u      /* queue: send, receive */
#define HK_RIGHT_SEMAPHORE 0x0040u  /* semaphore: post, wait */
#define HK_RIGHT_SIGNAL 0x0080u     /* notification: signal */
#define HK_RIGHT_WAIT 0x0100u       /* notification: wait */
#define HK_RIGHT_SHM_READ 0x0200u   /* shared memory: map for reading */
#define HK_RIGHT_SHM_WRITE 0x0400u  /* shared memory: map for writing */
#define HK_RIGHT_TIMER 0x0800u      /* timer: owned */
#define HK_RIGHT_STREAM 0x1000u     /* byte stream: read, write */
#define HK_RIGHT_COPY 0x2000u       /* any type: may be copied to another process */
#define HK_RIGHT_SYSTEM 0x4000u     /* own process: power off, interrupts, policies, services */
#define HK_RIGHT_IO 0x8000u         /* ports, device memory, line: use */
#define HK_RIGHTS_ALL 0xffffu

/*
 * A page fault in a region that pager_bind() gave to an endpoint arrives there as a call of four
 * words: HK_PAGER_FAULT, the address, the one of HK_MAP_* that the thread lacked, and the thread
 * (pid << 32 | number in its process). Its badge is that of the capability the region was bound
 * with. Until the reply pager_map() maps pages into that region: fresh ones where `from` is 0,
 * otherwise the pager's own, which leave it. The reply's words are lost. Without the page by then,
 * or by the time-out, the thread's process ends as it would have without a pager.
 *
 * Buffers of system calls are not paged in: where no page is, the call returns HK_EFAULT.
 */
#define HK_PAGER_FAULT 0xfa017
#define HK_PAGER_WORDS 4
#define HK_PAGER_TIMEOUT_NS_MAX 1000000000
#define HK_REGIONS_PER_PROCESS 16

/* A timer with a shorter period could take the whole CPU. */
#define HK_TIMER_PERIOD_NS_MIN 100000

/* Timeouts are relative, ns. */
#define HK_TIMEOUT_NONE 0xffffffffffffffff
#define HK_TIMEOUT_NOW 0

/*
 * Lines for the host, on the debug console, one per line, fields key=value:
 *
 *   HK1 begin version=1 scenario=<name> place=<composition>
 *   HK1 log <text>                     for people
 *   HK1 row <name> ops=<N> ticks_n=<t> ticks_2n=<t> region_n=<id> region_2n=<id> [key=value...]
 *   HK1 value <name> <key>=<integer>... figures that are not per operation
 *   HK1 absent <name> <reason>         a row that cannot be had here
 *   HK1 launch <name> <json>           a launch as the host stores it, from a guest that can say so
 *   HK1 fail <text>                    something that must hold does not
 *   HK1 done leaks=<n>                 last line; the exit device follows
 *
 * ticks are TSC differences around the region: instructions under icount. The
 * cost of one operation is (C(2N) - C(N)) / N for any counter C, from the marked
 * regions region_n and region_2n, so that what surrounds the loop cancels. Regions
 * are numbered in the order of their begin marks (hk/base/mark.h), from 0.
 */
#define HK_PROTOCOL "HK1"
#define HK_PROTOCOL_VERSION 1

/* isa-debug-exit at this port ends QEMU with status 2 v + 1; no `done` line before it is a crash */
#define HK_EXIT_PORT 0xf4
#define HK_EXIT_PASS 0x10
#define HK_EXIT_FAIL 0x11
#define HK_EXIT_PANIC 0x12
#define HK_EXIT_COMMAND_LINE 0x13 /* it asks for what there is not */
#define HK_CONSOLE_PORT 0xe9

#ifndef __ASSEMBLER__
#include <stdint.h>

enum hk_syscall {
#define X(number, name) HK_SYS_##name = number,
    HK_SYSCALL_LIST(X)
#undef X
};

/* How a process ended: the low byte of what process_wait returns. */
enum hk_process_exit {
    HK_EXIT_NORMAL,    /* exit(0) */
    HK_EXIT_CODE,      /* exit(code != 0) */
    HK_EXIT_KILLED,    /* by a holder of its capability */
    HK_EXIT_PAGE,      /* touched what it may not */
    HK_EXIT_DIVIDE,
    HK_EXIT_ILLEGAL,   /* instruction that does not exist or is not its to execute */
    HK_EXIT_STACK,     /* ran into a guard page */
    HK_EXIT_EXCEPTION, /* any other exception */
};

/*
 * What a device needs of its driver. A driver of HK_IO_DMA could have the device write anywhere,
 * since there is no I/O MMU: it is trusted as the kernel is. The frames stay as long as a capability
 * of theirs does, so whoever supervises a driver keeps one until the device has been reset.
 */
enum hk_io_kind {
    HK_IO_PORTS,  /* count ports from base */
    HK_IO_MEMORY, /* count pages of registers from a physical address */
    HK_IO_LINE,   /* an interrupt line: input of the I/O APIC, level-triggered */
    HK_IO_DMA,    /* count zeroed frames side by side */
    HK_IO_KINDS,
};

#define HK_IO_MEMORY_PAGES_MAX 256
#define HK_IO_DMA_PAGES_MAX 64

/* Scheduling policies; policy_select takes one. */
enum hk_policy_number {
    HK_POLICY_ROUND_ROBIN, /* in turn, by time */
    HK_POLICY_PRIORITY,    /* highest first; equals in turn, until they wait or yield */
    HK_POLICY_EDF,         /* earliest deadline first; without a period last */
    HK_POLICY_SERVER,      /* whom the thread in policy_serve chooses; else in turn */
    HK_POLICIES,
};

/* One thread that could run next, as policy_serve tells it; `thread` is the answer. */
struct hk_policy_candidate {
    uint64_t thread;      /* pid << 32 | number in its process */
    uint64_t priority;
    uint64_t period_ns;   /* 0: not periodic */
    uint64_t deadline_ns; /* absolute */
};

/*
 * An answer that a server left in the kernel (answer_put): whoever may call its endpoint
 * can have it without the server (answer_get). words 0 removes it.
 */
struct hk_answer_key {
    uint64_t word[4];
};
struct hk_answer {
    struct hk_answer_key key;
    uint64_t words;
    uint64_t word[4];
};

#define HK_POLICY_CANDIDATES_MAX 32
#define HK_POLICY_ANSWER_NONE 0     /* the first time */
#define HK_POLICY_ANSWER_NS 50000   /* how long a policy server may think */
#define HK_POLICY_FALLBACKS_MAX 5   /* turns in a row without a good answer: dismissed */

enum hk_statistic {
    HK_STATISTIC_PAGES_FREE,
    HK_STATISTIC_OBJECTS,
    HK_STATISTIC_SWITCHES,
    HK_STATISTIC_INTERRUPTS,
    HK_STATISTIC_POLICY_QUESTIONS, /* put to a policy server */
    HK_STATISTIC_POLICY_FALLBACKS, /* turns it did not decide */
};
#endif
#endif
