/* SPDX-License-Identifier: MIT */
#include "sporadic.h"

#include <stdlib.h>

#include "hk/base/units.h"
#include "timed.h"

enum { REQUESTS_MIN = 10, REQUESTS_MAX = 1000000 };

/* The schedule is absolute: a late answer moves no later request. */
static enum hk_status send_requests(struct hk_task *task, uint64_t period_ns, double *latency_ns,
                                    size_t count)
{
    const uint64_t start_ns = hk_monotonic_ns() + period_ns;
    uint64_t end_ns = start_ns;

    for (size_t i = 0; i < count; i++) {
        /* Anywhere in its period, lest all requests meet the timer tick in the same phase. */
        const uint64_t due_ns = start_ns + i * period_ns + hk_mix(task->seed, i) % period_ns;
        const uint64_t last_end_ns = end_ns;
        hk_sleep_until(due_ns);
        const uint64_t begun_ns = hk_monotonic_ns();
        const enum hk_status status = task->experiment->run(task, 1);
        end_ns = hk_monotonic_ns();
        if (status != HK_OK)
            return status;
        latency_ns[i] =
            (double)hk_sporadic_latency_ns(due_ns, last_end_ns, begun_ns, end_ns);
    }
    return HK_OK;
}

enum hk_status hk_sporadic_measure(struct hk_task *task, struct hk_launch *launch)
{
    const int64_t rate_per_s = hk_task_int(task, "rate_per_s", 0);
    double operation_ns;

    if (rate_per_s < 1 || rate_per_s > 100000)
        return hk_task_refuse(task, HK_EINVAL, "rate_per_s goes from 1 to 100000");
    const uint64_t period_ns = HK_NS_PER_S / (uint64_t)rate_per_s;
    size_t count = task->effort.sporadic_ns / period_ns;
    count = count < REQUESTS_MIN ? REQUESTS_MIN : count > REQUESTS_MAX ? REQUESTS_MAX : count;
    double *latency_ns = calloc(count, sizeof *latency_ns);
    if (latency_ns == NULL)
        return HK_ENOMEM;
    const struct hk_surroundings before = hk_look_around(task);
    enum hk_status status = hk_timed_calibrate(task, task->effort.warm_ns, &operation_ns);
    if (status == HK_OK)
        status = send_requests(task, period_ns, latency_ns, count);
    if (status == HK_OK)
        status = hk_report_costs(latency_ns, count, launch);
    if (status == HK_OK)
        status = hk_report_latencies(task, latency_ns, count, launch);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "hk_blocks_kept", (double)count);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "hk_blocks_dropped", 0);
    if (status == HK_OK)
        status = hk_report_surroundings(task, &before, launch);
    if (status == HK_OK)
        status = hk_timed_verify(task, operation_ns, launch);
    free(latency_ns);
    return status;
}
