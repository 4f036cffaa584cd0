/* SPDX-License-Identifier: MIT */
/*
 * The services and a workload's client in processes of the host, without a kernel between them:
 * the guest's own sources, core/services/ and core/user/workload_actions.c. A service is called
 * directly, or its messages are carried to another process. What a kernel would do is done by who
 * made this: the clock is the caller's; a service's own work is begun by the client, when it is
 * due, with a message like any other; a page lent is seen, and a page supplied is zeroed, in memory
 * that all processes share. Services keep one copy of their memory, as in the kernel.
 */
#ifndef HK_CORE_NATIVE_H
#define HK_CORE_NATIVE_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/core/mix.h"

#define HK_NATIVE_MESSAGE_BYTES_MAX (2 * sizeof(uint64_t) + (11 + 512) * sizeof(uint64_t))

struct hk_native;

struct hk_native_options {
    const struct hk_mix *mix; /* checked, as hk_mix_read gives it */
    uint32_t servers;         /* bit per service: its messages are carried */

    /* Time, and to let it pass: the client thinks for a nanosecond where the guest's does for an
     * instruction. */
    uint64_t (*now_ns)(void *context);
    void (*wait_until)(void *context, uint64_t at_ns);

    /*
     * Carry a message to a service's process, where hk_native_handle() answers it, and put the
     * answer in its place; NULL where servers is 0. *bytes is then the answer's length.
     */
    enum hk_status (*carry)(void *context, unsigned service, void *message, size_t *bytes);
    void *context;
};

/*
 * Start the services, in memory that processes forked afterwards share.
 *
 * Returns HK_OK; HK_ENOMEM.
 */
enum hk_status hk_native_create(const struct hk_native_options *options, struct hk_native **out);
void hk_native_destroy(struct hk_native *native);

/*
 * In the client's process: make the files, ports and streams that the requests are about.
 *
 * Returns HK_OK; HK_EROW: hk_native_error() says what a service did that it must not; the status
 * of a message that could not be carried.
 */
enum hk_status hk_native_set_up(struct hk_native *native);

/* Draw from this seed on, with everything due that has a period. */
void hk_native_restart(struct hk_native *native, uint64_t seed);

/* Make so many requests, each after thinking. Statuses as above. */
enum hk_status hk_native_requests(struct hk_native *native, uint64_t count);

/* NULL: nothing. */
const char *hk_native_error(const struct hk_native *native);

/* What was done since hk_native_set_up(). */
struct hk_native_tally {
    uint64_t thought_ns;         /* by the clock, with what the services did meanwhile left out */
    uint64_t calls[HK_SERVICES]; /* of the client, faults included */
    uint64_t wakes[HK_SERVICES]; /* for the service's own work */
};
void hk_native_tell(const struct hk_native *native, struct hk_native_tally *tally);

/*
 * In a service's process: answer a message.
 *
 * bytes        [in]   of the message as carried
 * reply_bytes  [out]  of the answer, in its place
 *
 * Returns HK_OK; HK_EPARSE for what is no message.
 */
enum hk_status hk_native_handle(struct hk_native *native, unsigned service, void *message,
                                size_t bytes, size_t *reply_bytes);

#endif
