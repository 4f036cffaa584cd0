/* SPDX-License-Identifier: MIT */
#include "predict_print.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "hk/base/units.h"
#include "hk/guest/mix.h"
#include "place_print.h"

enum { SHOWN = 3 };

static double instructions_of(const struct hk_prediction_task *t, uint32_t set)
{
    return t->priced[set].of[HK_PER_REQUEST].value;
}

/* --- text ------------------------------------------------------------------------------------ */

static void print_load(const struct hk_prediction_task *t, const struct hk_priced *p)
{
    struct hk_priced_load load;
    const enum hk_status status = hk_priced_under_load(p, &t->workload.mix, &load);

    if (status == HK_OK && load.interval_ns.upper < INFINITY)
        printf("  %5.2f busy, response %.0f ns [%.0f, %.0f]", load.utilisation_ratio,
               load.response_ns, load.interval_ns.lower, load.interval_ns.upper);
    else if (status == HK_OK)
        printf("  %5.2f busy, response %.0f ns or without end", load.utilisation_ratio,
               load.response_ns);
    else if (status == HK_ERANGE)
        printf("  %5.2f busy: no response, the queue grows without end", load.utilisation_ratio);
}

static void print_placement(const struct hk_prediction_task *t, const char *title, uint32_t set)
{
    const struct hk_predicted *p = &t->priced[set].of[HK_PER_REQUEST];
    char text[HK_SET_BYTES];

    hk_set_text(set, text);
    printf("%-9s %-58s %10.1f  [%9.1f, %9.1f]  %+7.2f %%  %10.0f", title, text, p->value,
           p->interval.lower, p->interval.upper, 100 * (p->value / instructions_of(t, 0) - 1),
           HK_NS_PER_S / p->value);
    if (t->has_crossings)
        printf("  %8.2f +- %.2f us%s", t->crossing_ns[set].value / HK_NS_PER_US,
               HK_Z_95 * t->crossing_ns[set].standard_error / HK_NS_PER_US,
               t->hops[set] ? " (hops)" : "");
    print_load(t, &t->priced[set]);
    puts("");
}

static void print_latencies(const struct hk_prediction_task *t, const char *title, uint32_t set)
{
    char text[HK_SET_BYTES];

    hk_set_text(set, text);
    printf("%-9s %-58s", title, text);
    for (unsigned i = 0; i < HK_LATENCY_QUANTILES; i++) {
        const struct hk_predicted *p = &t->priced[set].of[HK_P50 + i];
        printf("  %8.0f [%8.0f, %8.0f]", p->value, p->interval.lower, p->interval.upper);
    }
    puts("");
}

/* Sets from the cheapest to the dearest. */
static void order(const struct hk_prediction_task *t, uint32_t by_cost[HK_PLACEMENTS])
{
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        uint32_t at = set;
        for (; at > 0 && instructions_of(t, by_cost[at - 1]) > instructions_of(t, set); at--)
            by_cost[at] = by_cost[at - 1];
        by_cost[at] = set;
    }
}

typedef void print_row(const struct hk_prediction_task *t, const char *title, uint32_t set);

/* The cheapest, the dearest and the one that was asked for. */
static void print_some(const struct hk_prediction_task *t, print_row *row)
{
    uint32_t by_cost[HK_PLACEMENTS];

    order(t, by_cost);
    for (size_t i = 0; i < SHOWN; i++)
        row(t, i == 0 ? "cheapest" : "", by_cost[i]);
    for (size_t i = SHOWN; i > 0; i--)
        row(t, i == 1 ? "dearest" : "", by_cost[HK_PLACEMENTS - i]);
    if (t->asked)
        row(t, "--place", t->asked_set);
}

static void print_placements(const struct hk_prediction_task *t)
{
    printf("\n%-9s %-57s %12s  %22s  %9s  %10s%s\n", "placement", "kernel's mask: servers",
           "instructions", "95 % interval", "added", "per second",
           t->has_crossings ? "  native crossings" : "");
    print_some(t, print_placement);
    printf("\n%-9s %-57s  %29s  %29s  %29s\n", "latency", "of one request, without thinking",
           "p50, 95 % interval", "p90, 95 % interval", "p99, 95 % interval");
    print_some(t, print_latencies);
}

/* --- the mixer ------------------------------------------------------------------------------- */

static void print_mixer(const struct hk_prediction_task *t, const char *title, uint32_t set)
{
    const struct hk_priced *p = &t->priced[set];
    const struct hk_predicted *late = &p->of[HK_LATENESS];
    const struct hk_predicted *jitter = &p->of[HK_JITTER];
    char text[HK_SET_BYTES];
    struct hk_interval share;

    hk_set_text(set, text);
    printf("%-9s %-58s  late %.0f ns [%.0f, %.0f]; jitter %.0f ns [%.0f, %.0f], textbook %.0f ns\n",
           title, text, late->value, late->interval.lower, late->interval.upper, jitter->value,
           jitter->interval.lower, jitter->interval.upper, p->mixer.jitter_textbook_ns);
    if (hk_priced_underruns(p, &share) == HK_OK)
        printf("%70s  underruns %.3g per period [%.3g, %.3g], textbook %.3g; late by %.0f ns at "
               "most\n", "", (double)p->mixer.underruns / (double)p->mixer.wakes, share.lower,
               share.upper, p->mixer.underrun_textbook, p->mixer.longest_ns);
}

/* In both places with nothing else moved, and where everything is. */
static void print_mixers(const struct hk_prediction_task *t)
{
    if (t->priced[0].mixer.wakes == 0)
        return;
    printf("\nmixer     in the guest, period %llu us, late by more than %.0f us is an underrun: F6 "
           "and F7 on what is left of calls that hold the processor;\n          %.0f %% intervals "
           "from %zu mixed workloads that play\n",
           (unsigned long long)(t->workload.mix.audio_period_ns / HK_NS_PER_US),
           t->priced[0].mixer.headroom_ns / HK_NS_PER_US,
           100 * t->prices.confidence_ratio[HK_JITTER], t->prices.playing_count);
    print_mixer(t, "kernel", 0);
    print_mixer(t, "server", 1u << HK_SERVICE_AUDIO);
    print_mixer(t, "", HK_PLACEMENTS - 1);
    if (t->asked)
        print_mixer(t, "--place", t->asked_set);
}

static void print_native(const struct hk_prediction_task *t)
{
    const struct hk_crossing_costs *c = &t->costs;

    if (!t->has_crossings)
        return;
    printf("native    F3 over %s, crossings alone; run %s: c_sys %.0f ns, c_ipc %.0f ns", t->transport,
           t->native.path, c->c_sys_ns.value, c->c_ipc_ns.value);
    if (c->has_hop)
        printf(", hop among three spaces %.0f ns", c->hop_ns.value);
    printf(", copies %.3f ns per byte\n", c->copy_ns_per_byte[0].value);
}

static void print_period(const struct hk_prediction_period *row)
{
    const struct hk_periods *p = &row->periods;

    printf("%s: %zu delays\n  jitter     %.2f us [%.2f, %.2f], F6 with dependence; textbook %.2f us\n",
           row->cell, p->count, p->jitter_ns / HK_NS_PER_US,
           p->jitter_interval_ns.lower / HK_NS_PER_US, p->jitter_interval_ns.upper / HK_NS_PER_US,
           p->jitter_textbook_ns / HK_NS_PER_US);
    if (p->tail_status != HK_OK)
        printf("  underruns  not predicted: %s\n",
               p->tail_status == HK_ERANGE
                   ? "the tail of the delays has no mean, and nothing so late was seen"
                   : "too few delays for a tail");
    else
        printf("  underruns  %.3g per period [%.3g, %.3g]%s, F7 by the measured law with a GPD tail; "
               "%.3g per hour, any in an hour %.3g; textbook %.3g\n", p->underrun_probability,
               p->underrun_interval.lower, p->underrun_interval.upper,
               p->extrapolated ? " (beyond what was seen)" : "", p->underruns_per_hour,
               p->hour_probability, p->underrun_textbook);
}

static void print_periods(const struct hk_prediction_task *t)
{
    if (t->period_count == 0)
        return;
    printf("\naudio     period %llu us, %llu buffers: late by more than %.0f us is an underrun; as a "
           "process wakes in run %s:\n",
           (unsigned long long)(t->workload.mix.audio_period_ns / HK_NS_PER_US),
           (unsigned long long)t->workload.mix.audio_buffers,
           t->periods[0].periods.headroom_ns / HK_NS_PER_US, t->wakeups.path);
    for (size_t i = 0; i < t->period_count; i++)
        print_period(&t->periods[i]);
}

static void print_waits(const struct hk_prediction_task *t)
{
    if (t->waits.count > 0)
        printf("          on this machine, dispatch included, it is %.1f %% off in the median of %zu "
               "queues, %.1f %% at worst; run %s\n", 100 * t->waits.error_median, t->waits.count,
               100 * t->waits.error_max, t->waits_path);
}

void hk_prediction_print(const struct hk_prediction_task *t)
{
    const struct hk_prices *p = &t->prices;

    printf("workload  %s: %llu requests of a client that waits for each\n", t->workload.name,
           (unsigned long long)t->workload.mix.requests);
    printf("guest     F3 with prices of each service; an instruction is a nanosecond\n"
           "          run %s: prices from %zu cells of single workloads (worst fit %.1f %%), "
           "intervals from %zu mixed ones (median error %.1f %%)\n", t->run.path,
           p->single_count, 100 * p->fit_error_max, p->mixed_count, 100 * p->mixed_error_median);
    print_native(t);
    if (t->workload.mix.rate_per_s > 0)
        printf("load      %llu requests per second of the guest's time, Poisson: M/G/1 (F3 under "
               "load) on the guest's costs without thinking\n",
               (unsigned long long)t->workload.mix.rate_per_s);
    print_waits(t);
    print_placements(t);
    hk_prediction_print_totals(t);
    print_mixers(t);
    print_periods(t);
    for (size_t i = 0; i < t->refusal_count; i++)
        printf("%snot predicted: %s\n", i == 0 ? "\n" : "", t->refusals[i]);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_t *servers(uint32_t set)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < HK_SERVICES; i++)
        if ((set >> i & 1) != 0)
            json_array_append_new(array,
                                  json_string(hk_mix_service_name((enum hk_service_number)i)));
    return array;
}

static void add_load(json_t *object, const struct hk_priced *p, const struct hk_mix *mix)
{
    struct hk_priced_load load;
    const enum hk_status status = hk_priced_under_load(p, mix, &load);

    if (status == HK_EINVAL)
        return; /* nobody asked */
    json_object_set_new(object, "utilisation_ratio", json_real(load.utilisation_ratio));
    if (status != HK_OK)
        return;
    json_object_set_new(object, "response_ns", json_real(load.response_ns));
    json_object_set_new(object, "response_ns_lower", json_real(load.interval_ns.lower));
    if (load.interval_ns.upper < INFINITY)
        json_object_set_new(object, "response_ns_upper", json_real(load.interval_ns.upper));
}

static void add_predicted(json_t *object, const char *name, const struct hk_predicted *p)
{
    char key[64];

    json_object_set_new(object, name, json_real(p->value));
    snprintf(key, sizeof key, "%.50s_lower", name);
    json_object_set_new(object, key, json_real(p->interval.lower));
    snprintf(key, sizeof key, "%.50s_upper", name);
    json_object_set_new(object, key, json_real(p->interval.upper));
}

static void add_mixer(json_t *object, const struct hk_priced *p)
{
    struct hk_predicted underruns;

    if (hk_priced_underruns(p, &underruns.interval) != HK_OK)
        return;
    underruns.value = (double)p->mixer.underruns / (double)p->mixer.wakes;
    add_predicted(object, "lateness_ns", &p->of[HK_LATENESS]);
    add_predicted(object, "jitter_ns", &p->of[HK_JITTER]);
    json_object_set_new(object, "jitter_textbook_ns", json_real(p->mixer.jitter_textbook_ns));
    add_predicted(object, "underrun_probability", &underruns);
    json_object_set_new(object, "underrun_textbook", json_real(p->mixer.underrun_textbook));
    json_object_set_new(object, "lateness_ns_longest", json_real(p->mixer.longest_ns));
}

static json_t *placement(const struct hk_prediction_task *t, uint32_t set)
{
    const struct hk_priced *p = &t->priced[set];
    json_t *object =
        json_pack("{s:i, s:o, s:f}", "mask", (int)(HK_PLACEMENTS - 1 - set), "servers",
                  servers(set), "requests_per_s", HK_NS_PER_S / instructions_of(t, set));

    add_predicted(object, "instructions", &p->of[HK_PER_REQUEST]);
    add_predicted(object, "latency_instructions_p50", &p->of[HK_P50]);
    add_predicted(object, "latency_instructions_p90", &p->of[HK_P90]);
    add_predicted(object, "latency_instructions_p99", &p->of[HK_P99]);
    if (t->has_total[set])
        add_predicted(object, "total_ns", &t->total[set]);
    add_mixer(object, p);
    add_load(object, p, &t->workload.mix);
    if (t->has_crossings) {
        json_object_set_new(object, "crossings_ns", json_real(t->crossing_ns[set].value));
        json_object_set_new(object, "crossings_ns_se",
                            json_real(t->crossing_ns[set].standard_error));
        json_object_set_new(object, "crossings_model",
                            json_string(t->hops[set] ? "hop among three spaces" : "textbook"));
    }
    return object;
}

static json_t *periods(const struct hk_prediction_task *t)
{
    json_t *array = json_array();

    for (size_t i = 0; i < t->period_count; i++) {
        const struct hk_periods *p = &t->periods[i].periods;
        json_t *row = json_pack(
            "{s:s, s:I, s:f, s:f, s:f, s:f, s:f}", "cell", t->periods[i].cell, "delays_count",
            (json_int_t)p->count, "jitter_ns", p->jitter_ns, "jitter_ns_lower",
            p->jitter_interval_ns.lower, "jitter_ns_upper", p->jitter_interval_ns.upper,
            "jitter_textbook_ns", p->jitter_textbook_ns, "headroom_ns", p->headroom_ns);
        if (p->tail_status == HK_OK)
            json_object_update_new(
                row, json_pack("{s:f, s:f, s:f, s:b, s:f, s:f, s:f}", "underrun_probability",
                               p->underrun_probability, "underrun_probability_lower",
                               p->underrun_interval.lower, "underrun_probability_upper",
                               p->underrun_interval.upper, "extrapolated", p->extrapolated,
                               "underrun_textbook", p->underrun_textbook, "underruns_per_hour",
                               p->underruns_per_hour, "hour_probability", p->hour_probability));
        json_array_append_new(array, row);
    }
    return array;
}

static json_t *crossings(const struct hk_prediction_task *t)
{
    const struct hk_crossing_costs *c = &t->costs;
    json_t *object = json_object();

    if (!t->has_crossings)
        return object;
    json_object_update_new(
        object, json_pack("{s:s, s:s, s:s, s:f, s:f, s:f}", "run", t->native.path, "formula",
                          "F3, crossings alone", "transport", t->transport, "c_sys_ns",
                          c->c_sys_ns.value, "c_ipc_ns", c->c_ipc_ns.value, "copy_ns_per_byte",
                          c->copy_ns_per_byte[0].value));
    if (c->has_hop)
        json_object_set_new(object, "hop_ns", json_real(c->hop_ns.value));
    return object;
}

static json_t *audio(const struct hk_prediction_task *t)
{
    json_t *object = json_object();

    if (t->period_count > 0)
        json_object_update_new(
            object, json_pack("{s:s, s:s, s:I, s:I, s:o}", "run", t->wakeups.path, "formula",
                              "jitter F6, underruns F7 of a device's clock", "period_us",
                              (json_int_t)(t->workload.mix.audio_period_ns / HK_NS_PER_US),
                              "buffers", (json_int_t)t->workload.mix.audio_buffers, "regimes",
                              periods(t)));
    return object;
}

static json_t *waits(const struct hk_prediction_task *t)
{
    if (t->waits.count == 0)
        return json_object();
    return json_pack("{s:s, s:s, s:I, s:f, s:f}", "run", t->waits_path, "formula",
                     "Pollaczek-Khinchine with dispatch", "queues_count", (json_int_t)t->waits.count,
                     "error_median_ratio", t->waits.error_median, "error_max_ratio",
                     t->waits.error_max);
}

static json_t *refusals(const struct hk_prediction_task *t)
{
    json_t *array = json_array();

    for (size_t i = 0; i < t->refusal_count; i++)
        json_array_append_new(array, json_string(t->refusals[i]));
    return array;
}

static json_t *guest(const struct hk_prediction_task *t)
{
    json_t *placements = json_array();

    for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
        json_array_append_new(placements, placement(t, set));
    return json_pack("{s:s, s:s, s:I, s:f, s:I, s:f, s:f, s:f, s:o}", "run", t->run.path, "formula",
                     "F3, prices of each service", "single_cells_count",
                     (json_int_t)t->prices.single_count, "fit_error_max_ratio",
                     t->prices.fit_error_max, "mixed_count",
                     (json_int_t)t->prices.mixed_count, "mixed_error_median_ratio",
                     t->prices.mixed_error_median, "confidence_ratio",
                     t->prices.confidence_ratio[HK_PER_REQUEST], "mixer_confidence_ratio",
                     t->prices.confidence_ratio[HK_JITTER], "placements",
                     placements);
}

enum hk_status hk_prediction_print_json(const struct hk_prediction_task *t)
{
    json_t *all = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "workload", t->workload.name, "guest",
                            guest(t), "crossings", crossings(t), "totals",
                            hk_prediction_totals_json(t), "audio", audio(t), "waits", waits(t),
                            "not_predicted", refusals(t));

    if (all == NULL) {
        hk_cli_error("predict", "the folder's name is no valid UTF-8, or memory is out");
        return HK_ENOMEM;
    }
    json_dumpf(all, stdout, JSON_INDENT(1)); /* main looks whether it arrived */
    puts("");
    json_decref(all);
    return HK_OK;
}
