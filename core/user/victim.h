/* SPDX-License-Identifier: MIT */
/* The program "victim": a server that fails in the way its argument says, when it is called. */
#ifndef HK_USER_VICTIM_H
#define HK_USER_VICTIM_H

#include "user/spawn.h"

enum hk_victim_fault {
    HK_VICTIM_NULL,         /* reads address 0 */
    HK_VICTIM_KERNEL_IMAGE, /* reads the kernel's code */
    HK_VICTIM_DIRECT_MAP,   /* reads physical memory where the kernel sees it */
    HK_VICTIM_APIC,         /* writes a device register */
    HK_VICTIM_NON_CANONICAL,
    HK_VICTIM_WRITE_CODE,   /* W^X, one way */
    HK_VICTIM_RUN_DATA,     /* and the other */
    HK_VICTIM_RUN_KERNEL,   /* jumps to the system call entry */
    HK_VICTIM_UNMAPPED,     /* touches a page it has just unmapped */
    HK_VICTIM_READ_ONLY,    /* writes a page it has just made read-only */
    HK_VICTIM_DIVIDE,
    HK_VICTIM_ILLEGAL,
    HK_VICTIM_HALT,         /* an instruction for ring 0 only */
    HK_VICTIM_PORT,         /* an I/O port */
    HK_VICTIM_CR3,
    HK_VICTIM_BREAKPOINT,
    HK_VICTIM_SINGLE_STEP,
    HK_VICTIM_INTERRUPT,    /* a software interrupt into the timer's gate */
    HK_VICTIM_FPU,
    HK_VICTIM_STACK,        /* recursion without end */
    HK_VICTIM_LOOP,         /* never answers */
    HK_VICTIM_EXIT,         /* ends while the client waits */
    HK_VICTIM_THREAD_EXIT,
    HK_VICTIM_FAULTS,
};

/* Start a victim; it waits for its call when this returns. */
enum hk_status hk_victim_start(enum hk_victim_fault fault, struct hk_server *server);

#endif
