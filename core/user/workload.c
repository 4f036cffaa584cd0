/* SPDX-License-Identifier: MIT */
/*
 * Runs the workloads of the command line against the services, wherever they are:
 * workloads=NAME,NAME,... whose compiled mixes are the modules mix0, mix1, ...
 *
 * A region makes `requests` requests, the next twice as many, both from the same seed
 * on. The client never waits, so no time is a halt: the clock counts instructions.
 */
#include "user/workload.h"

#include "hk/base/mark.h"
#include "user/compose.h"
#include "user/scenario.h"

#define LATENCY_BASE 0x0000310000000000
#define LATENCY_PAGES 16u /* for so many requests of a region; of longer ones nothing is told */
#define LATENCIES_MAX (LATENCY_PAGES * HK_PAGE_BYTES / sizeof(uint64_t))

struct tally {
    uint64_t requests;     /* of clients, to one service */
    uint64_t instructions; /* of them, by the client's clock: with what interrupted them */
};

struct run {
    struct hk_workload workload;
    const char *name;
    uint64_t name_bytes;
    uint32_t placement;
    uint64_t weight_sum;
    uint64_t due_ns[HK_MIX_ENTRIES_MAX]; /* of entries with a period */
    uint64_t due_random; /* their generator: what is drawn must not depend on when they come */
    struct tally tally[HK_SERVICES];     /* of the region that ran last */
    struct hk_workload_lateness lateness; /* of the mixer there */
    uint64_t regions; /* marked so far, by all workloads */
};

static uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* --- one request -------------------------------------------------------------------- */

static void perform(struct run *run, const struct hk_mix_entry *entry)
{
    for (uint64_t i = 0; i < entry->count; i++) {
        uint64_t action = hk_mix_draw_action(&run->workload.random, entry);
        const struct hk_workload_row *row = &hk_workload_actions[action];
        uint64_t bytes = hk_mix_draw_bytes(&run->workload.random, entry);
        uint64_t start = read_tsc();

        row->run(&run->workload, bytes);
        run->tally[row->service].instructions += read_tsc() - start;
        run->tally[row->service].requests++;
    }
}

/* What has to be done at its time comes first. */
static void perform_due(struct run *run)
{
    const struct hk_mix *mix = &run->workload.mix;
    uint64_t now_ns = (uint64_t)hk_syscall0(HK_SYS_clock);
    uint64_t random = run->workload.random;

    run->workload.random = run->due_random;
    for (uint64_t i = 0; i < mix->entry_count; i++) {
        const struct hk_mix_entry *entry = &mix->entry[i];

        if (entry->period_ns == 0 || run->due_ns[i] > now_ns)
            continue;
        run->due_ns[i] += entry->period_ns;
        perform(run, entry);
    }
    run->due_random = run->workload.random;
    run->workload.random = random;
}

/* Two instructions for each turn. */
static void think(uint64_t instructions)
{
    uint64_t turns = instructions / 2;

    if (turns > 0)
        __asm__ volatile("1: dec %0; jnz 1b" : "+r"(turns) : : "cc");
}

static void run_requests(struct run *run, uint64_t count)
{
    const struct hk_mix *mix = &run->workload.mix;
    uint64_t *latency = (uint64_t *)LATENCY_BASE;

    for (uint64_t i = 0; i < count && run->workload.error == NULL; i++) {
        uint64_t start;

        think(mix->think_instructions);
        start = read_tsc();
        perform_due(run);
        if (run->weight_sum > 0)
            perform(run, hk_mix_draw_entry(&run->workload.random, mix, run->weight_sum));
        latency[i % LATENCIES_MAX] = read_tsc() - start;
    }
}

static uint64_t measure(struct run *run, uint64_t count)
{
    uint64_t start, end;

    run->workload.random = run->workload.mix.seed;
    run->due_random = ~run->workload.mix.seed;
    run->workload.stream_count = 0;
    for (uint64_t i = 0; i < HK_SERVICES; i++)
        run->tally[i] = (struct tally){ 0, 0 };
    for (uint64_t i = 0; i < run->workload.mix.entry_count; i++)
        run->due_ns[i] = (uint64_t)hk_syscall0(HK_SYS_clock);
    (void)hk_workload_lateness(&run->workload); /* that before the region is not of it */
    run->regions++;
    HK_MARK(HK_MARK_BEGIN);
    start = read_tsc();
    run_requests(run, count);
    end = read_tsc();
    HK_MARK(HK_MARK_END);
    run->lateness = hk_workload_lateness(&run->workload);
    return end - start;
}

/* So that what happens only once, such as the first page of a table, is in no region. */
static void warm_up(struct run *run)
{
    run->workload.random = ~run->workload.mix.seed;
    run_requests(run, run->workload.mix.requests / 8 + 1);
}

/* --- one workload ------------------------------------------------------------------- */

/* The host has checked it; what reaches a guest by hand is checked here. */
static bool entry_is_good(const struct hk_mix_entry *entry)
{
    return entry->action < HK_MIX_ACTIONS && entry->weight <= HK_MIX_WEIGHT_MAX &&
           (entry->period_ns == 0 || entry->period_ns >= HK_MIX_PERIOD_NS_MIN) &&
           entry->count <= HK_MIX_COUNT_MAX && entry->bytes_min <= entry->bytes_max &&
           entry->bytes_max <= HK_MIX_BYTES_MAX &&
           entry->unaligned_percent <= 100 &&
           (entry->unaligned_percent == 0 || entry->action == HK_MIX_FILE_LEND);
}

static bool read_mix(struct run *run, uint64_t number)
{
    const char name[] = { 'm', 'i', 'x', (char)('0' + number) };
    struct hk_mix *mix = &run->workload.mix;
    int64_t bytes = hk_syscall5(HK_SYS_module_read, (uint64_t)name, sizeof(name), (uint64_t)mix,
                                sizeof(*mix), 0);

    if (bytes != sizeof(*mix) || mix->version != HK_MIX_VERSION || mix->requests == 0 ||
        mix->requests > HK_MIX_REQUESTS_MAX || mix->think_instructions > HK_MIX_THINK_MAX ||
        mix->rate_per_s > HK_MIX_RATE_MAX || mix->entry_count > HK_MIX_ENTRIES_MAX)
        return false;
    run->weight_sum = 0;
    for (uint64_t i = 0; i < mix->entry_count; i++) {
        if (!entry_is_good(&mix->entry[i]))
            return false;
        run->weight_sum += mix->entry[i].weight;
    }
    return true;
}

static void print_name(struct hk_line *line, const struct run *run)
{
    char mask[4] = { (char)('0' + run->placement / 100), (char)('0' + run->placement / 10 % 10),
                     (char)('0' + run->placement % 10), '\0' };

    hk_line_text(line, "guest/placement/");
    for (uint64_t i = 0; i < run->name_bytes; i++) {
        const char letter[] = { run->name[i], '\0' };

        hk_line_text(line, letter);
    }
    hk_line_text(line, "/mask:");
    hk_line_text(line, mask);
}

/* The key and the name of a service in one word. */
static void print_tally(struct hk_line *line, const char *key, const char *service, uint64_t value)
{
    hk_line_text(line, " ");
    hk_line_text(line, key);
    hk_line_text(line, service);
    hk_line_text(line, "=");
    hk_line_number(line, value);
}

/* Heap sort: the value goes down from `at` until both below it are smaller. */
static void sift(uint64_t *heap, uint64_t at, uint64_t count)
{
    uint64_t value = heap[at];

    for (uint64_t below = 2 * at + 1; below < count; below = 2 * at + 1) {
        below += below + 1 < count && heap[below + 1] > heap[below];
        if (heap[below] <= value)
            break;
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = value;
}

static void sort(uint64_t *values, uint64_t count)
{
    for (uint64_t i = count / 2; i > 0; i--)
        sift(values, i - 1, count);
    for (uint64_t end = count; end > 1; end--) {
        uint64_t largest = values[0];

        values[0] = values[end - 1];
        values[end - 1] = largest;
        sift(values, 0, end - 1);
    }
}

/* Of the requests of the longer region: the least that so many of a hundred do not exceed. */
static void print_latencies(struct hk_line *line, uint64_t count)
{
    static const struct {
        const char *key;
        uint64_t percent;
    } quantiles[] = { { "latency_instructions_p50", 50 },
                      { "latency_instructions_p90", 90 },
                      { "latency_instructions_p99", 99 } };
    uint64_t *latency = (uint64_t *)LATENCY_BASE;

    if (count > LATENCIES_MAX)
        return;
    sort(latency, count);
    for (uint64_t i = 0; i < HK_ARRAY_COUNT(quantiles); i++)
        hk_line_field(line, quantiles[i].key,
                      latency[(count * quantiles[i].percent + 99) / 100 - 1]);
}

static void print_lateness(struct hk_line *line, const struct hk_workload_lateness *lateness)
{
    if (lateness->wakes == 0)
        return;
    hk_line_field(line, "wakes", lateness->wakes);
    hk_line_field(line, "lateness_ns_sum", lateness->sum_ns);
    hk_line_field(line, "lateness_square_sum", lateness->square_sum);
    hk_line_field(line, "lateness_change_square_sum", lateness->change_square_sum);
    hk_line_field(line, "lateness_ns_max", lateness->max_ns);
    hk_line_field(line, "underruns", lateness->underruns);
}

static void report(const struct run *run, uint64_t ticks_n, uint64_t ticks_2n)
{
    struct hk_line line;

    hk_line_begin(&line, "row");
    print_name(&line, run);
    hk_line_field(&line, "ops", run->workload.mix.requests);
    hk_line_field(&line, "ticks_n", ticks_n);
    hk_line_field(&line, "ticks_2n", ticks_2n);
    hk_line_field(&line, "region_n", run->regions - 2);
    hk_line_field(&line, "region_2n", run->regions - 1);
    for (uint32_t i = 0; i < HK_SERVICES; i++) {
        if (run->tally[i].requests == 0)
            continue;
        print_tally(&line, "requests_", hk_services[i].name, run->tally[i].requests);
        print_tally(&line, "instructions_", hk_services[i].name, run->tally[i].instructions);
    }
    print_latencies(&line, 2 * run->workload.mix.requests);
    print_lateness(&line, &run->lateness);
    hk_line_end(&line);
}

static void run_workload(struct run *run, uint64_t number)
{
    uint64_t ticks_n = 0, ticks_2n = 0;
    struct hk_line line;

    if (!read_mix(run, number)) {
        run->workload.error = "its module is no compiled mix of this version";
    } else {
        hk_workload_set_up(&run->workload);
        warm_up(run);
        ticks_n = measure(run, run->workload.mix.requests);
        ticks_2n = measure(run, 2 * run->workload.mix.requests);
        hk_workload_clear(&run->workload);
    }
    if (run->workload.error == NULL) {
        report(run, ticks_n, ticks_2n);
        return;
    }
    hk_line_begin(&line, "fail");
    print_name(&line, run);
    hk_line_text(&line, ": ");
    hk_line_text(&line, run->workload.error);
    hk_line_end(&line);
}

/* Every name of the list; false when one failed. */
static bool run_list(struct run *run, const char *list)
{
    bool good = true;

    for (uint64_t number = 0; *list != '\0' && number < 10; number++) {
        run->name = list;
        run->name_bytes = 0;
        while (list[run->name_bytes] != '\0' && list[run->name_bytes] != ',')
            run->name_bytes++;
        run->workload.error = NULL;
        run_workload(run, number);
        good &= run->workload.error == NULL;
        list += run->name_bytes;
        list += *list == ',';
    }
    return good;
}

int hk_scenario_workload(uint64_t *ipc_page)
{
    struct hk_composition composition;
    char list[HK_COMMAND_LINE_BYTES];
    struct run run = { 0 };
    bool good;

    /* fixed priorities: servers' own work first, and nobody's turn ends by time */
    (void)hk_syscall(HK_SYS_policy_select, HK_POLICY_PRIORITY, 0, 0);
    if (!hk_boot_value("workloads", list, sizeof(list))) {
        hk_say("fail", "workloads= names the workloads, whose mixes are the modules mix0, ...");
        return 1;
    }
    if (hk_compose(&composition) != HK_OK) {
        hk_say("fail", "the services do not start");
        return 1;
    }
    if (hk_syscall(HK_SYS_page_map, LATENCY_BASE, LATENCY_PAGES, HK_MAP_READ | HK_MAP_WRITE) !=
        HK_OK) {
        hk_say("fail", "there is no memory for latencies");
        return 1;
    }
    run.placement = composition.placement;
    hk_client_init(&run.workload.client, ipc_page);
    good = run_list(&run, list);
    hk_client_fini(&run.workload.client);
    hk_compose_stop(&composition);
    return good ? 0 : 1;
}
