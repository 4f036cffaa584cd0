/* SPDX-License-Identifier: MIT */
#include "timed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/counters/host.h"
#include "hk/counters/perf.h"
#include "hk/counters/process.h"
#include "hk/stats/histogram.h"
#include "hk/stats/quantile.h"

enum {
    BLOCKS_MAX = 1024,
    TRIES_PER_BLOCK = 3, /* blocks tried at most, per block wanted */
    SHORT_OPERATION_NS = 1000,
    SHORT_OPERATION_BATCH = 16,
    PRECISION_BITS = 7,
};

/* Counts per operation may be off by what strangers and the counting itself add. */
static const double claim_slack_ratio = 0.10;
static const double claim_slack = 0.05;
static const uint64_t calibrate_ns = 200 * HK_NS_PER_US;
static const uint64_t latency_max_ns = 10ull * HK_NS_PER_S;

enum hk_guard hk_guard_judge(const struct hk_evidence *e)
{
    if (e->steal_ns > 0)
        return HK_GUARD_STEAL;
    if (!e->serial)
        return e->involuntary > e->own_involuntary_max ? HK_GUARD_PREEMPTED : HK_GUARD_KEEP;
    const double foreign_ns = (double)e->wall_ns - (double)e->own_cpu_ns;
    return foreign_ns > HK_GUARD_FOREIGN_RATIO_MAX * (double)e->wall_ns ? HK_GUARD_FOREIGN
                                                                        : HK_GUARD_KEEP;
}

uint64_t hk_block_operations(double operation_ns, uint64_t block_ns, uint32_t step)
{
    const uint64_t unit = step == 0 ? 1 : step;
    uint64_t n = operation_ns > 0 ? (uint64_t)((double)block_ns / operation_ns) : 1;

    if (operation_ns < SHORT_OPERATION_NS && n < SHORT_OPERATION_BATCH)
        n = SHORT_OPERATION_BATCH;
    n -= n % unit;
    return n < unit ? unit : n;
}

static enum hk_status time_run(struct hk_task *task, uint64_t n, double *elapsed_ns)
{
    const uint64_t t0 = hk_clock_start(&task->clock);
    const enum hk_status status = task->experiment->run(task, n);
    const uint64_t t1 = hk_clock_stop(&task->clock);

    *elapsed_ns = hk_clock_ns(&task->clock, t1 - t0);
    return status;
}

enum hk_status hk_timed_calibrate(struct hk_task *task, uint64_t warm_ns, double *operation_ns)
{
    const uint64_t start_ns = hk_monotonic_ns();
    uint64_t n = task->operations_step == 0 ? 1 : task->operations_step;
    double elapsed_ns = 0, least_ns = INFINITY;

    for (;;) {
        const enum hk_status status = time_run(task, n, &elapsed_ns);
        if (status != HK_OK)
            return status;
        const bool long_enough = elapsed_ns >= (double)calibrate_ns;
        least_ns = fmin(least_ns, elapsed_ns / (double)n); /* an interruption only adds */
        if (long_enough && hk_monotonic_ns() - start_ns >= warm_ns)
            break;
        if (!long_enough)
            n *= 2;
    }
    *operation_ns = least_ns;
    return HK_OK;
}

/* What accumulates from block to block. */
struct account {
    uint64_t own_cpu_ns;
    uint64_t involuntary;
    uint64_t steal_ns;
};

uint64_t hk_task_cpu_ns(const struct hk_task *task)
{
    uint64_t sum = 0, one;

    if (hk_process_cpu_ns(0, &one) == HK_OK)
        sum = one;
    for (size_t s = 0; s < task->server_count; s++)
        if (hk_process_cpu_ns(task->server_pids[s], &one) == HK_OK)
            sum += one;
    for (size_t h = 0; h < task->helper_count; h++)
        if (hk_process_cpu_ns(task->helper_pids[h], &one) == HK_OK)
            sum += one;
    return sum;
}

static uint64_t involuntary_switches(const struct hk_task *task)
{
    struct hk_switches switches;
    struct rusage own;
    uint64_t sum = 0;

    if (getrusage(RUSAGE_SELF, &own) == 0)
        sum = (uint64_t)own.ru_nivcsw;
    for (size_t s = 0; s < task->server_count; s++)
        if (hk_process_switches(task->server_pids[s], &switches) == HK_OK)
            sum += switches.involuntary;
    return sum;
}

static bool shares_cpu(const struct hk_task *task)
{
    return task->cpus[0] == task->cpus[1];
}

static bool task_is_serial(const struct hk_task *task)
{
    return shares_cpu(task) && !task->kernel_threads;
}

/* The blocks of one launch and what kept or dropped them. */
struct blocks {
    uint64_t operations; /* per block */
    size_t kept_count;
    double kept_ns[BLOCKS_MAX]; /* mean per operation */
    double all_ns[BLOCKS_MAX];
    size_t all_count;
    bool watch_steal; /* the hypervisor reports steal at all */
};

static void read_switches(const struct hk_task *task, bool watch_steal, struct account *a)
{
    struct hk_host_times host;

    a->involuntary = task_is_serial(task) ? 0 : involuntary_switches(task);
    if (watch_steal && hk_host_read(task->cpus, 2, &host) == HK_OK)
        a->steal_ns = host.steal_ns;
}

enum hk_status hk_timed_witness(struct hk_task *task, uint64_t n, bool watch_steal,
                                double *elapsed_ns, struct hk_evidence *evidence)
{
    struct account before = {0}, after = {0};

    /* CPU time next to the block: what reading /proc takes must not pass for the block's. */
    read_switches(task, watch_steal, &before);
    before.own_cpu_ns = hk_task_cpu_ns(task);
    const enum hk_status status = time_run(task, n, elapsed_ns);
    after.own_cpu_ns = hk_task_cpu_ns(task);
    read_switches(task, watch_steal, &after);
    *evidence = (struct hk_evidence){
        .wall_ns = (uint64_t)*elapsed_ns,
        .own_cpu_ns = after.own_cpu_ns - before.own_cpu_ns,
        .involuntary = after.involuntary - before.involuntary,
        .steal_ns = after.steal_ns - before.steal_ns,
        .serial = task_is_serial(task),
        .own_involuntary_max = n * task->own_preemptions,
    };
    if (task->by_cpu_time) { /* what others took is not in the cost; of the guards, steal is left */
        *elapsed_ns = (double)evidence->own_cpu_ns;
        evidence->wall_ns = evidence->own_cpu_ns;
    }
    return status;
}

static enum hk_status measure_block(struct hk_task *task, struct blocks *b)
{
    struct hk_evidence evidence;
    double elapsed_ns;

    const enum hk_status status =
        hk_timed_witness(task, b->operations, b->watch_steal, &elapsed_ns, &evidence);
    if (status != HK_OK)
        return status;
    const double mean_ns = elapsed_ns / (double)b->operations;
    b->all_ns[b->all_count++] = mean_ns;
    if (hk_guard_judge(&evidence) == HK_GUARD_KEEP)
        b->kept_ns[b->kept_count++] = mean_ns;
    return HK_OK;
}

enum hk_status hk_timed_block(struct hk_task *task, uint64_t n, double *mean_ns, bool *kept)
{
    const bool serial = task_is_serial(task);
    const uint64_t cpu_before_ns = serial ? hk_task_cpu_ns(task) : 0;
    double elapsed_ns;
    const enum hk_status status = time_run(task, n, &elapsed_ns);
    const struct hk_evidence evidence = {
        .wall_ns = (uint64_t)elapsed_ns,
        .own_cpu_ns = serial ? hk_task_cpu_ns(task) - cpu_before_ns : 0,
        .serial = serial,
    };

    *mean_ns = elapsed_ns / (double)n;
    *kept = hk_guard_judge(&evidence) == HK_GUARD_KEEP;
    return status;
}

static enum hk_status measure_blocks(struct hk_task *task, double operation_ns, struct blocks *b)
{
    const struct hk_effort *effort = &task->effort;
    const uint64_t start_ns = hk_monotonic_ns();
    size_t tries = (size_t)effort->block_count * TRIES_PER_BLOCK;

    b->operations = hk_block_operations(operation_ns, effort->block_ns, task->operations_step);
    tries = tries < BLOCKS_MAX ? tries : BLOCKS_MAX;
    while (b->kept_count < effort->block_count && b->all_count < tries) {
        const enum hk_status status = measure_block(task, b);
        if (status != HK_OK)
            return status;
        if (b->all_count >= HK_BLOCKS_MIN && hk_monotonic_ns() - start_ns > effort->blocks_ns_max)
            break;
    }
    return HK_OK;
}

enum hk_status hk_report_costs(const double *mean_ns, size_t n, struct hk_launch *launch)
{
    double cost_ns, median_ns, sum_ns = 0;

    double *sorted = malloc(n * sizeof *sorted + 1);
    if (sorted == NULL)
        return HK_ENOMEM;
    memcpy(sorted, mean_ns, n * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sum_ns += mean_ns[i];
    enum hk_status status = hk_sample_sort(sorted, n);
    if (status == HK_OK)
        status = hk_quantile(sorted, n, 0.1, &cost_ns);
    if (status == HK_OK)
        status = hk_quantile(sorted, n, 0.5, &median_ns);
    free(sorted);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "cost_ns", cost_ns);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "median_ns", median_ns);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "mean_ns", sum_ns / (double)n);
    return status == HK_OK ? hk_launch_add_series(launch, "block_mean_ns", mean_ns, n) : status;
}

enum hk_status hk_report_blocks(const struct hk_blocks *b, struct hk_launch *launch)
{
    const bool disturbed = b->kept_count < HK_BLOCKS_MIN;
    const struct hk_counter counters[] = {
        {"hk_blocks_kept", (double)b->kept_count},
        {"hk_blocks_dropped", (double)(b->all_count - b->kept_count)},
        {"hk_block_operations", (double)b->operations},
        {"hk_disturbed", disturbed ? 1.0 : 0.0},
    };
    enum hk_status status = disturbed ? hk_report_costs(b->all_ns, b->all_count, launch)
                                      : hk_report_costs(b->kept_ns, b->kept_count, launch);

    for (size_t i = 0; i < HK_ARRAY_COUNT(counters) && status == HK_OK; i++)
        status = hk_launch_add_counter(launch, counters[i].name, counters[i].value);
    return status;
}

enum hk_status hk_timed_record(struct hk_task *task,
                               enum hk_status (*run)(struct hk_task *task, uint64_t n),
                               uint64_t count_max, uint64_t limit_ticks, struct hk_histogram *h)
{
    const struct hk_clock clock = task->clock;
    const uint64_t start = hk_clock_start(&clock);

    for (uint64_t i = 0; i < count_max; i++) {
        const uint64_t t0 = hk_clock_start(&clock);
        const enum hk_status status = run(task, 1);
        const uint64_t t1 = hk_clock_stop(&clock);
        if (status != HK_OK)
            return status;
        hk_histogram_record(h, t1 - t0);
        if (t1 - start > limit_ticks)
            break;
    }
    return HK_OK;
}

static enum hk_status record_latencies(struct hk_task *task, struct hk_histogram *h,
                                       const void *context)
{
    (void)context;
    return hk_timed_record(task, task->experiment->run, task->effort.latency_count_max,
                           hk_clock_ticks(&task->clock, (double)task->effort.latency_ns), h);
}

static const struct {
    const char *counter;
    double q;
} latency_quantiles[] = {
    {"hk_latency_ns_p50", 0.5},
    {"hk_latency_ns_p90", 0.9},
    {"hk_latency_ns_p99", 0.99},
    {"hk_latency_ns_p999", 0.999},
};

static enum hk_status report_buckets(const struct hk_task *task, const struct hk_histogram *h,
                                     struct hk_launch *launch)
{
    double *ns = malloc(2 * h->bucket_count * sizeof *ns);
    struct hk_histogram_bucket bucket;
    size_t n = 0;

    if (ns == NULL)
        return HK_ENOMEM;
    double *count = ns + h->bucket_count;
    for (size_t i = 0; i < h->bucket_count; i++) {
        if (hk_histogram_bucket_get(h, i, &bucket) != HK_OK || bucket.count == 0)
            continue;
        ns[n] = task->clock.ns_per_tick * ((double)bucket.first + (double)bucket.last) / 2;
        count[n++] = (double)bucket.count;
    }
    enum hk_status status = hk_launch_add_series(launch, "latency_bucket_ns", ns, n);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "latency_bucket_count", count, n);
    free(ns);
    return status;
}

/* Quantiles are reported only as far as the sample bounds them: no extrapolation. */
enum hk_status hk_latencies_report(const struct hk_task *task,
                                   const struct hk_latencies *latencies, struct hk_launch *launch)
{
    const struct hk_histogram *h = &latencies->h;
    double ticks;
    size_t needed;

    for (size_t i = 0; i < HK_ARRAY_COUNT(latency_quantiles); i++) {
        const double q = latency_quantiles[i].q;
        if (hk_quantile_count_needed(q, 0.95, &needed) != HK_OK || h->count < needed ||
            hk_histogram_quantile(h, q, &ticks) != HK_OK)
            continue;
        const enum hk_status status = hk_launch_add_counter(launch, latency_quantiles[i].counter,
                                                            ticks * task->clock.ns_per_tick);
        if (status != HK_OK)
            return status;
    }
    return report_buckets(task, h, launch);
}

enum hk_status hk_latencies_init(const struct hk_task *task, struct hk_latencies *latencies)
{
    const uint64_t ticks_max = hk_clock_ticks(&task->clock, (double)latency_max_ns);
    size_t bytes;

    *latencies = (struct hk_latencies){0};
    if (hk_histogram_bytes(PRECISION_BITS, ticks_max, &bytes) != HK_OK)
        return HK_ERANGE;
    latencies->memory = malloc(bytes);
    if (latencies->memory == NULL)
        return HK_ENOMEM;
    return hk_histogram_init(&latencies->h, latencies->memory, bytes, PRECISION_BITS, ticks_max);
}

void hk_latencies_fini(struct hk_latencies *latencies)
{
    free(latencies->memory);
}

/* Fills a histogram by `record` and reports it. */
static enum hk_status with_histogram(struct hk_task *task, struct hk_launch *launch,
                                     enum hk_status (*record)(struct hk_task *task,
                                                              struct hk_histogram *h,
                                                              const void *context),
                                     const void *context)
{
    struct hk_latencies latencies;
    enum hk_status status = hk_latencies_init(task, &latencies);

    if (status == HK_OK)
        status = record(task, &latencies.h, context);
    if (status == HK_OK)
        status = hk_latencies_report(task, &latencies, launch);
    hk_latencies_fini(&latencies);
    return status;
}

struct values {
    const double *ns;
    size_t count;
};

static enum hk_status record_values(struct hk_task *task, struct hk_histogram *h,
                                    const void *context)
{
    const struct values *v = context;

    for (size_t i = 0; i < v->count; i++)
        hk_histogram_record(h, hk_clock_ticks(&task->clock, v->ns[i]));
    return HK_OK;
}

enum hk_status hk_report_latencies(struct hk_task *task, const double *ns, size_t n,
                                   struct hk_launch *launch)
{
    const struct values values = {ns, n};

    return with_histogram(task, launch, record_values, &values);
}

/* What a number of operations made the processes do. */
struct work {
    uint64_t switches;
    uint64_t client_faults;
    uint64_t client_syscalls;
    uint64_t server_syscalls;
    uint64_t hardware[HK_PERF_EVENT_COUNT]; /* of the client */
    bool has_client_syscalls;
    bool has_server_syscalls;
    bool has_hardware[HK_PERF_EVENT_COUNT];
};

struct watch {
    struct hk_perf client;
    struct hk_perf servers[HK_SERVERS_MAX];
};

static void open_watch(const struct hk_task *task, struct watch *w)
{
    static const struct hk_perf_access no_syscalls = {0};
    const struct hk_perf_access *access = task->count_syscalls ? &task->access : &no_syscalls;

    hk_perf_open(access, 0, &w->client);
    for (size_t s = 0; s < task->server_count; s++)
        hk_perf_open(access, task->server_pids[s], &w->servers[s]);
}

static void close_watch(const struct hk_task *task, struct watch *w)
{
    hk_perf_close(&w->client);
    for (size_t s = 0; s < task->server_count; s++)
        hk_perf_close(&w->servers[s]);
}

/*
 * Switches that belong to the operation. On one CPU the woken side may preempt the waker, so
 * both kinds count; with a CPU each, an involuntary one is a stranger's doing.
 */
static uint64_t switches_of(const struct hk_task *task, pid_t pid)
{
    struct hk_switches one;

    if (hk_process_switches(pid, &one) != HK_OK)
        return 0;
    return one.voluntary + (shares_cpu(task) ? one.involuntary : 0);
}

static void read_usage(const struct hk_task *task, struct work *work)
{
    struct rusage own = {0};

    getrusage(RUSAGE_SELF, &own);
    work->client_faults = (uint64_t)(own.ru_minflt + own.ru_majflt);
    work->switches = switches_of(task, getpid());
    for (size_t s = 0; s < task->server_count; s++)
        work->switches += switches_of(task, task->server_pids[s]);
}

static void read_server_syscalls(const struct hk_task *task, const struct watch *w,
                                 struct work *work)
{
    uint64_t one;

    work->server_syscalls = 0;
    work->has_server_syscalls = task->server_count > 0;
    for (size_t s = 0; s < task->server_count; s++) {
        if (hk_perf_read(&w->servers[s], HK_PERF_SYSCALLS, &one))
            work->server_syscalls += one;
        else
            work->has_server_syscalls = false;
    }
}

static void read_client_syscalls(const struct watch *w, struct work *work)
{
    work->has_client_syscalls = hk_perf_read(&w->client, HK_PERF_SYSCALLS, &work->client_syscalls);
}

static void read_hardware(const struct watch *w, struct work *work)
{
    for (enum hk_perf_event e = 0; e < HK_PERF_SYSCALLS; e++)
        work->has_hardware[e] = hk_perf_read(&w->client, e, &work->hardware[e]);
}

static enum hk_status add_per_operation(struct hk_launch *launch, const char *name, uint64_t before,
                                        uint64_t after, uint64_t n)
{
    return hk_launch_add_counter(launch, name, (double)(after - before) / (double)n);
}

static enum hk_status report_work(struct hk_launch *launch, const struct work *before,
                                  const struct work *after, uint64_t n)
{
    char name[64];
    enum hk_status status = add_per_operation(launch, "hk_switches_per_op", before->switches,
                                              after->switches, n);

    if (status == HK_OK)
        status = add_per_operation(launch, "hk_client_page_faults_per_op", before->client_faults,
                                   after->client_faults, n);
    if (status == HK_OK && after->has_client_syscalls)
        status = add_per_operation(launch, "hk_client_syscalls_per_op", before->client_syscalls,
                                   after->client_syscalls, n);
    if (status == HK_OK && after->has_server_syscalls)
        status = add_per_operation(launch, "hk_server_syscalls_per_op", before->server_syscalls,
                                   after->server_syscalls, n);
    for (enum hk_perf_event e = 0; e < HK_PERF_SYSCALLS && status == HK_OK; e++) {
        if (!after->has_hardware[e])
            continue;
        snprintf(name, sizeof name, "hk_client_%s_per_op", hk_perf_event_name(e));
        status = add_per_operation(launch, name, before->hardware[e], after->hardware[e], n);
    }
    return status;
}

/* Holds one count against its claim; the first breach makes the launch INVALID. */
static enum hk_status check_claim(struct hk_launch *launch, const char *counter, double least,
                                  double most)
{
    char reason[HK_TEXT_BYTES];
    double value;

    if (launch->state != HK_LAUNCH_OK || !hk_launch_counter(launch, counter, &value))
        return HK_OK;
    const bool low = least >= 0 && value < least * (1 - claim_slack_ratio) - claim_slack;
    const bool high = most >= 0 && value > most * (1 + claim_slack_ratio) + claim_slack;
    if (!low && !high)
        return HK_OK;
    snprintf(reason, sizeof reason, "%s is %.3g, claimed are %s %.3g: the row did something else",
             counter, value, low ? "at least" : "at most", low ? least : most);
    return hk_launch_set_state(launch, HK_LAUNCH_INVALID, reason);
}

static enum hk_status check_claims(const struct hk_expectation *e, struct hk_launch *launch)
{
    enum hk_status status =
        check_claim(launch, "hk_switches_per_op", e->switches_min, e->switches_max);

    if (status == HK_OK)
        status = check_claim(launch, "hk_client_syscalls_per_op", e->client_syscalls_min,
                             e->client_syscalls_max);
    if (status == HK_OK)
        status = check_claim(launch, "hk_server_syscalls_per_op", e->server_syscalls_min,
                             e->server_syscalls_max);
    return status;
}

enum hk_status hk_timed_verify(struct hk_task *task, double operation_ns, struct hk_launch *launch)
{
    /* Slow operations are checked for no longer than the latency phase lasts. */
    const double least_ns = (double)task->effort.latency_ns / task->effort.verify_count;
    const uint64_t n = hk_block_operations(operation_ns > least_ns ? operation_ns : least_ns,
                                           task->effort.latency_ns, task->operations_step);
    struct work before, after;
    struct watch watch;

    if (task->experiment->verify != NULL) {
        const enum hk_status status = task->experiment->verify(task);
        if (status == HK_EROW)
            return hk_launch_set_state(launch, HK_LAUNCH_INVALID, task->reason);
        if (status != HK_OK)
            return status;
    }
    open_watch(task, &watch);
    enum hk_status status = task->experiment->run(task, n); /* counting changes the first ones */
    /* Our own system calls innermost: reading the other counts makes some. */
    read_usage(task, &before);
    read_hardware(&watch, &before);
    read_server_syscalls(task, &watch, &before);
    read_client_syscalls(&watch, &before);
    before.client_syscalls++; /* the reading that ends the count */
    if (status == HK_OK)
        status = task->experiment->run(task, n);
    read_client_syscalls(&watch, &after);
    read_server_syscalls(task, &watch, &after);
    read_hardware(&watch, &after);
    read_usage(task, &after);
    close_watch(task, &watch);
    if (status == HK_OK)
        status = report_work(launch, &before, &after, n);
    return status == HK_OK ? check_claims(&task->expected, launch) : status;
}

struct hk_surroundings hk_look_around(const struct hk_task *task)
{
    struct hk_surroundings s = {.own_cpu_ns = hk_task_cpu_ns(task), .now_ns = hk_monotonic_ns()};

    s.has_host = hk_host_read(task->cpus, 2, &s.host) == HK_OK;
    s.has_pressure = hk_host_pressure_ns(&s.waiting_ns) == HK_OK;
    return s;
}

enum hk_status hk_report_surroundings(const struct hk_task *task,
                                      const struct hk_surroundings *before,
                                      struct hk_launch *launch)
{
    const struct hk_surroundings after = hk_look_around(task);
    enum hk_status status = HK_OK;
    double error_ppm;

    if (before->has_host && after.has_host) {
        status = hk_launch_add_counter(launch, "hk_steal_ratio",
                                       hk_host_steal_ratio(&before->host, &after.host));
        if (status == HK_OK)
            status = hk_launch_add_counter(
                launch, "hk_foreign_ratio",
                hk_host_foreign_ratio(&before->host, &after.host,
                                      after.own_cpu_ns - before->own_cpu_ns));
    }
    if (status == HK_OK && before->has_pressure && after.has_pressure)
        status = hk_launch_add_counter(launch, "hk_pressure_ratio",
                                       (double)(after.waiting_ns - before->waiting_ns) /
                                           (double)(after.now_ns - before->now_ns));
    if (status == HK_OK && hk_clock_check(&task->clock, &error_ppm) == HK_OK)
        status = hk_launch_add_counter(launch, "hk_clock_error_ppm", error_ppm);
    if (status == HK_OK)
        status = hk_launch_add_counter(launch, "hk_clock_read_ns", task->clock.read_ns);
    return status;
}

enum hk_status hk_timed_measure(struct hk_task *task, struct hk_launch *launch)
{
    double operation_ns;

    struct blocks *b = calloc(1, sizeof *b);
    if (b == NULL)
        return HK_ENOMEM;
    const struct hk_surroundings before = hk_look_around(task);
    b->watch_steal = before.has_host && before.host.steal_ns > 0;
    enum hk_status status = hk_timed_calibrate(task, task->effort.warm_ns, &operation_ns);
    if (status == HK_OK)
        status = measure_blocks(task, operation_ns, b);
    if (status == HK_OK)
        status = hk_report_blocks(&(struct hk_blocks){b->operations, b->kept_ns, b->kept_count,
                                                      b->all_ns, b->all_count}, launch);
    if (status == HK_OK && !task->one_way && !task->by_cpu_time) /* latencies are wall clock */
        status = with_histogram(task, launch, record_latencies, NULL);
    if (status == HK_OK)
        status = hk_report_surroundings(task, &before, launch);
    if (status == HK_OK)
        status = hk_timed_verify(task, operation_ns, launch);
    free(b);
    return status;
}
