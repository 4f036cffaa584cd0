/* SPDX-License-Identifier: MIT */
/*
 * The kernel core in a process: for tests, sanitizers and fuzzers.
 *
 * Physical memory is one allocation, page tables are real and in it, time is a
 * number the caller advances. The caller plays the machine: it makes system
 * calls in the name of a thread and sees whether the thread sleeps afterwards.
 * A sleeping thread's result appears in hk_hosted_result() once somebody woke it.
 * Nothing else runs: between two calls every thread stands still.
 */
#ifndef HK_CORE_HOSTED_H
#define HK_CORE_HOSTED_H

#include <stdbool.h>
#include <stdint.h>

#include "hk/base/abi.h"
#include "hk/base/status.h"

struct hk_hosted;
struct hk_kernel;
struct hk_thread;

/*
 * Create a machine with this much memory and a booted kernel in it.
 *
 * memory_bytes  [in]  at least 16 pages
 * hosted        [out]
 *
 * Returns HK_OK; HK_ENOMEM; HK_EINVAL.
 */
enum hk_status hk_hosted_create(uint64_t memory_bytes, struct hk_hosted **hosted);

/*
 * Boot with a command line and no programs: the scenarios that the kernel runs
 * itself work, others end with a line `HK1 fail`. The machine is off afterwards.
 *
 * Returns HK_OK; HK_ETOOBIG for a line longer than the kernel keeps.
 */
enum hk_status hk_hosted_boot(struct hk_hosted *hosted, const char *command_line);

/* Shut the kernel down, free the machine; returns how many objects and pages leaked. */
uint64_t hk_hosted_destroy(struct hk_hosted *hosted);

/* The kernel, for callers that use its functions directly. */
struct hk_kernel *hk_hosted_kernel(struct hk_hosted *hosted);

/*
 * Create a process with one thread, ready to make calls, and four pages of
 * memory at HK_USER_BASE. system: it may do what needs HK_RIGHT_SYSTEM.
 */
enum hk_status hk_hosted_process(struct hk_hosted *hosted, const char *name, bool system,
                                 struct hk_thread **thread);

/*
 * Make a general system call as this thread, which must not be asleep or dead.
 *
 * asleep  [out] true when the call did not return yet
 *
 * Returns its result; meaningless when asleep.
 */
int64_t hk_hosted_call(struct hk_hosted *hosted, struct hk_thread *thread,
                       enum hk_syscall number, const uint64_t arguments[5], bool *asleep);

/*
 * As if this thread had touched an address without being allowed to (one of HK_MAP_*): its pager
 * is asked, or its process ends. Does it sleep, and if not, is its process still there?
 */
void hk_hosted_fault(struct hk_hosted *hosted, struct hk_thread *thread, uint64_t address,
                     uint64_t access, bool *asleep, bool *ended);

/* Registers of a rendezvous, see abi.h. */
struct hk_hosted_message {
    int64_t tag;    /* HK_IPC_<class> + words; afterwards words or a status */
    uint64_t rdi;   /* handle; afterwards badge */
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
};

/* Make a rendezvous call as this thread; message is updated when it did not fall asleep. */
void hk_hosted_ipc(struct hk_hosted *hosted, struct hk_thread *thread,
                   struct hk_hosted_message *message, bool *asleep);

/* Does this thread sleep, and if not, what did its last call return? */
bool hk_hosted_asleep(const struct hk_thread *thread);
int64_t hk_hosted_result(const struct hk_thread *thread);
void hk_hosted_received(const struct hk_thread *thread, struct hk_hosted_message *message);

/* Let time pass; time-outs and timers due by then happen. */
void hk_hosted_advance(struct hk_hosted *hosted, uint64_t ns);

/* A device interrupts. */
void hk_hosted_interrupt(struct hk_hosted *hosted, uint32_t line);

/* Copy to and from a thread's user memory; HK_EFAULT as the kernel sees it. */
enum hk_status hk_hosted_write(struct hk_hosted *hosted, struct hk_thread *thread,
                               uint64_t address, const void *from, uint64_t bytes);
enum hk_status hk_hosted_read(struct hk_hosted *hosted, struct hk_thread *thread,
                              uint64_t address, void *to, uint64_t bytes);

/* Where the kernel's console goes; NULL text sink: nowhere. */
void hk_hosted_console(struct hk_hosted *hosted,
                       void (*sink)(void *context, const char *text, uint64_t bytes),
                       void *context);

/* Did somebody power the machine off, and with what code? */
bool hk_hosted_is_off(const struct hk_hosted *hosted, uint64_t *code);

#endif
