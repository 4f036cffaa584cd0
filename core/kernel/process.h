/* SPDX-License-Identifier: MIT */
/* Processes: a name, an address space, a capability table, threads. */
#ifndef HK_KERNEL_PROCESS_H
#define HK_KERNEL_PROCESS_H

#include "kernel/cap.h"
#include "kernel/notification.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "kernel/types.h"

#define HK_NAME_BYTES 32 /* up to 31 characters */

enum hk_process_state { HK_PROCESS_NEW, HK_PROCESS_ALIVE, HK_PROCESS_ENDED };

struct hk_process {
    struct hk_object object;
    uint32_t pid;
    uint32_t state; /* enum hk_process_state */
    char name[HK_NAME_BYTES];
    struct hk_space space;
    struct hk_cap *caps;       /* HK_HANDLE_COUNT entries: one page */
    uint64_t caps_page;        /* its physical address */
    uint64_t caps_hint;        /* no entry below this one is free */
    struct hk_thread *threads;
    uint32_t thread_count;     /* ever created: numbers threads and their IPC pages */
    uint32_t exit_reason;      /* enum hk_process_exit */
    int64_t exit_code;
    uint64_t fault_address;
    uint64_t entry;            /* of the loaded program */
    struct hk_region *regions; /* whose faults a pager serves */
    struct hk_wait_queue waiters; /* process_wait */
    struct hk_notification signals; /* from the services it uses; its object is not used */
    struct hk_process *next;   /* all processes */
};

/*
 * Create an empty process; handle 0 of its table is itself.
 *
 * name     [in]  1 to 31 characters, terminated
 * process  [out] one reference
 *
 * Returns HK_OK; HK_EINVAL for the name; HK_ENOMEM. pids count up from 1.
 */
enum hk_status hk_process_create(struct hk_cpu *cpu, const char *name,
                                 struct hk_process **process);

/*
 * Load a program into a new process: fresh pages, W^X, entry point.
 *
 * data, bytes  [in]  a static 64-bit ELF executable; nothing in it is trusted
 *
 * Returns HK_OK; HK_EPARSE for what is not such a file, lies outside it or outside
 * user space, or wants memory both writable and executable; HK_ENOMEM. After an
 * error the process may hold some pages and is only good for hk_process_end().
 */
enum hk_status hk_program_load(struct hk_cpu *cpu, struct hk_process *process,
                               const unsigned char *data, uint64_t bytes);

/*
 * Create a process from the module of this name. HK_ENOENT when there is none;
 * otherwise as hk_process_create() and hk_program_load().
 */
enum hk_status hk_process_from_module(struct hk_cpu *cpu, const char *name,
                                      struct hk_process **process);

/* Create the first thread at process->entry with a guarded stack, and make it ready. */
enum hk_status hk_process_start(struct hk_cpu *cpu, struct hk_process *process,
                                uint64_t argument);

/*
 * End a process: its threads die, its capabilities and pages go, waiters are
 * told. The record stays until the last reference goes. Safe for the caller's own
 * process: the CPU then switches away on the way out of the kernel.
 */
void hk_process_end(struct hk_cpu *cpu, struct hk_process *process, enum hk_process_exit reason,
                    int64_t code);

/* hk_object_types[]: a capability, and the last reference, have gone. */
void hk_process_released(struct hk_cpu *cpu, struct hk_object *object, uint32_t rights);
void hk_process_destroy(struct hk_cpu *cpu, struct hk_object *object);

#endif
