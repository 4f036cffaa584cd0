/* SPDX-License-Identifier: MIT */
/* Requests at a rate, as a real client makes them: idle between, cold when they come. */
#ifndef HK_RUN_SPORADIC_H
#define HK_RUN_SPORADIC_H

#include "experiment.h"

/*
 * Latency to report for one request.
 *
 * due_ns       [in]  when it was to be sent
 * last_end_ns  [in]  when the request before it was answered
 * begun_ns     [in]  when it was sent
 * end_ns       [in]  when it was answered
 *
 * A request that had to wait for the one before counts from when it was due, so that one slow
 * answer is not hidden by the requests it held up (coordinated omission). A client that
 * merely woke up late is not the transport's fault: then it counts from the sending.
 */
static inline uint64_t hk_sporadic_latency_ns(uint64_t due_ns, uint64_t last_end_ns,
                                              uint64_t begun_ns, uint64_t end_ns)
{
    return end_ns - (last_end_ns > due_ns ? due_ns : begun_ns);
}

/*
 * Send single operations at the name's rate_per_s, at times drawn once per period, for
 * task->effort.sporadic_ns and at least 10 requests; each is a block of its own.
 *
 * Returns HK_OK; the status of a failed operation.
 */
enum hk_status hk_sporadic_measure(struct hk_task *task, struct hk_launch *launch);

#endif
