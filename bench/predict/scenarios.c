/* SPDX-License-Identifier: MIT */
#include "scenarios.h"

#include <math.h>

#include "hk/base/units.h"
#include "hk/model/underrun.h"

/*
 * What has a period falls where the clock says, and the clock is only as good as the prices: the
 * workload is repeated on clocks that go slower and faster by as much as prices may be off, and
 * begun at several moments of the mixer's period.
 */
static const double clocks[] = {0.95, 0.975, 1, 1.025, 1.05};
static const double phases[] = {0, 0.25, 0.5, 0.75};
#define SCENARIOS (HK_ARRAY_COUNT(clocks) * HK_ARRAY_COUNT(phases))

/* --- of each quantity: what a mixer's wake-ups say, predicted or counted ---------------------- */

static double mean_lateness(double wakes, double sum_ns)
{
    return wakes > 0 ? sum_ns / wakes : NAN;
}

static double jitter(double wakes, double change_square_sum)
{
    return wakes > 1 ? sqrt(change_square_sum / (wakes - 1)) : NAN;
}

bool hk_quantity_counted(const struct hk_launch *launch, enum hk_quantity quantity, double *value)
{
    static const char *const names[HK_QUANTITIES] = {
        [HK_P50] = "hk_latency_instructions_p50", [HK_P90] = "hk_latency_instructions_p90",
        [HK_P99] = "hk_latency_instructions_p99", [HK_LATENESS] = "hk_lateness_ns_sum",
        [HK_JITTER] = "hk_lateness_change_square_sum"};
    double wakes = 0, found = 0;

    if (quantity == HK_PER_REQUEST)
        return hk_launch_instructions(launch, value);
    if (!hk_launch_counter(launch, names[quantity], &found))
        return false;
    (void)hk_launch_counter(launch, "hk_wakes", &wakes);
    if (quantity == HK_LATENESS)
        found = mean_lateness(wakes, found);
    else if (quantity == HK_JITTER)
        found = jitter(wakes, found);
    if (isnan(found))
        return false;
    *value = found;
    return true;
}

enum hk_status hk_replay_counted(const struct hk_mix *mix, double request_ns,
                                 struct hk_replay *replay)
{
    struct hk_replay_costs clock = {0};

    clock.unit[HK_WORK_REQUEST] = fmax(request_ns, 0);
    return hk_mix_replay(mix, &clock, 0, replay);
}

/* --- scenarios -------------------------------------------------------------------------------- */

/* Prices where the services are. */
static void costs_of(const struct hk_prices *prices, uint32_t set, struct hk_replay_costs *costs)
{
    costs->wake =
        prices->wake_ns[(set >> HK_SERVICE_AUDIO & 1) != 0 ? HK_IN_SERVER : HK_IN_KERNEL];
    for (enum hk_work w = 0; w < HK_WORKS; w++) {
        const unsigned service = hk_work_service(w);
        const double in_kernel = prices->instructions[HK_IN_KERNEL][w];
        const double in_server = prices->instructions[HK_IN_SERVER][w];
        const bool is_client = service == HK_SERVICE_CLIENT;
        const bool is_moved = !is_client && (set >> service & 1) != 0;
        costs->unit[w] = is_moved ? in_server : in_kernel;
        costs->held[w] = is_client ? 0 : is_moved ? fmax(in_server - in_kernel, 0) : in_kernel;
    }
}

/* What one scenario says of each quantity; NAN: nothing. */
static enum hk_status replay_at(const struct hk_mix *mix, const struct hk_replay_costs *costs,
                                double clock, double phase, double value[HK_QUANTITIES],
                                struct hk_replay *replay)
{
    struct hk_replay_costs scaled = *costs;

    for (enum hk_work w = 0; w < HK_WORKS; w++) {
        scaled.unit[w] *= clock;
        scaled.held[w] *= clock;
    }
    const enum hk_status status = hk_mix_replay(mix, &scaled, phase, replay);
    if (status != HK_OK)
        return status;
    value[HK_PER_REQUEST] = hk_thinking(mix);
    for (enum hk_work w = 0; w < HK_WORKS; w++)
        value[HK_PER_REQUEST] += costs->unit[w] * replay->work[w];
    for (unsigned i = 0; i < HK_LATENCY_QUANTILES; i++) /* the clock was wrong, not the price */
        value[HK_P50 + i] = replay->latency_ns[i] / clock;
    value[HK_LATENESS] = mean_lateness(replay->lateness.wakes, replay->lateness.sum_ns);
    value[HK_JITTER] = jitter(replay->lateness.wakes, replay->lateness.change_square_sum);
    return HK_OK;
}

/* All scenarios so far. */
struct sums {
    double value[HK_QUANTITIES];
    size_t count[HK_QUANTITIES];
    struct hk_replay_lateness lateness;
};

static void add_scenario(struct sums *s, const double value[HK_QUANTITIES],
                         const struct hk_replay_lateness *lateness, struct hk_priced *out)
{
    for (size_t q = 0; q < HK_QUANTITIES; q++) {
        struct hk_interval *range = &out->of[q].interval;
        if (isnan(value[q]))
            continue;
        range->lower = s->count[q] > 0 ? fmin(range->lower, value[q]) : value[q];
        range->upper = s->count[q] > 0 ? fmax(range->upper, value[q]) : value[q];
        s->value[q] += value[q];
        s->count[q]++;
    }
    s->lateness.wakes += lateness->wakes;
    s->lateness.underruns += lateness->underruns;
    s->lateness.sum_ns += lateness->sum_ns;
    s->lateness.square_sum += lateness->square_sum;
    s->lateness.longest_ns = fmax(s->lateness.longest_ns, lateness->longest_ns);
}

/* The textbook's exponential law with the mean and the variation of all wake-ups. */
static void tell_mixer(const struct hk_mix *mix, const struct hk_replay_lateness *l,
                       struct hk_priced_mixer *out)
{
    const double wakes = fmax(l->wakes, 1);
    const double mean_ns = l->sum_ns / wakes;
    const double delta_ns = sqrt(fmax(l->square_sum / wakes - mean_ns * mean_ns, 0));
    const double period_ns = (double)mix->audio_period_ns;
    const double headroom_ns = (double)(mix->audio_buffers - 1) * period_ns;

    *out = (struct hk_priced_mixer){
        .wakes = (uint64_t)l->wakes,
        .underruns = (uint64_t)l->underruns,
        .longest_ns = l->longest_ns,
        .headroom_ns = headroom_ns,
        .jitter_textbook_ns = delta_ns * M_SQRT2,
    };
    if (delta_ns > 0)
        (void)hk_underrun_probability(HK_UNDERRUN_DEVICE, delta_ns,
                                      headroom_ns - (mean_ns - delta_ns), period_ns,
                                      &out->underrun_textbook);
}

enum hk_status hk_scenarios_run(const struct hk_prices *prices, const struct hk_mix *mix,
                                uint32_t set, struct hk_priced *out)
{
    struct hk_replay_costs costs;
    struct hk_priced p = {0};
    struct sums sums = {0};

    costs_of(prices, set, &costs);
    for (size_t i = 0; i < SCENARIOS; i++) {
        const double clock = clocks[i % HK_ARRAY_COUNT(clocks)];
        const double phase = phases[i / HK_ARRAY_COUNT(clocks)];
        double value[HK_QUANTITIES];
        struct hk_replay replay;
        const enum hk_status status = replay_at(mix, &costs, clock, phase, value, &replay);
        if (status != HK_OK)
            return status;
        if (clock == 1 && phase == 0)
            p.replay = replay;
        add_scenario(&sums, value, &replay.lateness, &p);
    }
    for (size_t q = 0; q < HK_QUANTITIES; q++) {
        p.of[q].value = sums.count[q] > 0 ? sums.value[q] / (double)sums.count[q] : 0;
        p.of[q].interval.confidence_ratio = 0.95;
    }
    tell_mixer(mix, &sums.lateness, &p.mixer);
    *out = p;
    return HK_OK;
}
