/* SPDX-License-Identifier: MIT */
/* Worlds of counts: F1 and F2 on all placements, F5 on traces, F8 on answers' versions. */
#include <math.h>
#include <stdio.h>

#include "hk/base/units.h"
#include "hk/judge/placements.h"
#include "world.h"

/* --- F1, F2 -------------------------------------------------------------------------- */

/* What a service in a server adds by itself, instructions per request. */
static const double alone[HK_PLACED_SERVICES] = {811, 1277, 463, 2039, 947, 1543, 619, 1151};

/* Two that call each other through the kernel save some of it when they move together. */
static double saved(uint32_t set)
{
    static const struct {
        uint32_t pair;
        double instructions;
    } pairs[] = {{0x03, 390}, {0x0c, 240}, {0x30, 610}, {0x81, 350}, {0x42, 330}};
    double sum = 0;

    for (size_t i = 0; i < HK_ARRAY_COUNT(pairs); i++)
        if ((set & pairs[i].pair) == pairs[i].pair)
            sum += pairs[i].instructions;
    return sum;
}

/* Counts of a kernel with timer ticks repeat within some hundredths of a percent. */
static void fill_placements(struct hk_world *w, double pairs)
{
    static const double monolith = 9137;
    static const double ticks_ratio = 0.0002;
    static const char *const services[HK_PLACED_SERVICES] = {
        "file", "net", "block", "audio", "timer", "display", "print", "memory"};
    char cell[HK_NAME_BYTES], counter[HK_NAME_BYTES];

    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        double cost = monolith - pairs * saved(set);
        for (uint32_t i = 0; i < HK_PLACED_SERVICES; i++)
            cost += (set >> i & 1) != 0 ? alone[i] : 0;
        snprintf(cell, sizeof cell, "guest/placement/trial/mask:%03u", HK_PLACEMENTS - 1 - set);
        for (uint32_t i = 0; i < 2; i++) {
            const struct hk_world_counter counted = {
                "hk_instructions_kernel", cost * (1 + ticks_ratio * hk_rng_normal(w->rng))};
            hk_world_launch(w, cell, i, HK_NEAR, &counted, 1, NULL, 0);
        }
    }
    /* What each does in the monolith, of which F1 makes its S. */
    snprintf(cell, sizeof cell, "guest/placement/trial/mask:%03u", HK_PLACEMENTS - 1);
    for (uint32_t i = 0; i < HK_PLACED_SERVICES; i++) {
        snprintf(counter, sizeof counter, "hk_instructions_%s", services[i]);
        hk_world_counter(w, cell, counter, 300 + 170 * (double)(i * 5 % 8));
    }
}

void hk_fill_additive(struct hk_world *w)
{
    fill_placements(w, 0);
}

void hk_fill_pairs(struct hk_world *w)
{
    fill_placements(w, 1);
}

/* --- F5 -------------------------------------------------------------------------- */

enum { CLASSES = 2 };

static const double weight[CLASSES] = {0.6, 0.4};
static const double buffers[CLASSES] = {1, 3};
static const double aligned[CLASSES] = {0.7, 0.4};
static const double sized[CLASSES] = {0.5, 0.6};
static const double length_bytes = 9000;

/* Share of buffers that are both: independent, and with a part of the largest covariance. */
static double mappable(size_t class, double covariance_ratio)
{
    const double product = aligned[class] * sized[class];

    return product + covariance_ratio * (fmin(aligned[class], sized[class]) - product);
}

/* A share of so many trials, as counted in a trace of a few thousand messages. */
static double counted(struct hk_world *w, double share)
{
    static const double buffers_per_class = 40000;

    return share + sqrt(share * (1 - share) / buffers_per_class) * hk_rng_normal(w->rng);
}

static void fill_trace(struct hk_world *w, const char *mix, const char *trace, const char *keys,
                       double covariance_ratio, double copied_bytes)
{
    static const double lengths[CLASSES] = {length_bytes, length_bytes};
    struct hk_noise_source noise = hk_world_noise(w);
    char cell[HK_NAME_BYTES];

    snprintf(cell, sizeof cell, "native/fallback/mix:%s/trace:%s%s", mix, trace, keys);
    for (uint32_t i = 0; i < w->plan->launch_count; i++) {
        double a[CLASSES], p[CLASSES], q[CLASSES];
        for (size_t k = 0; k < CLASSES; k++) {
            a[k] = counted(w, aligned[k]);
            p[k] = counted(w, sized[k]);
            q[k] = counted(w, mappable(k, covariance_ratio));
        }
        const struct hk_world_series series[] = {
            {"class_weight_ratio", weight, CLASSES}, {"class_buffers_mean", buffers, CLASSES},
            {"class_aligned_ratio", a, CLASSES},     {"class_sized_ratio", p, CLASSES},
            {"class_mappable_ratio", q, CLASSES},    {"class_length_bytes", lengths, CLASSES}};
        const double bytes = copied_bytes * (1 + 0.002 * hk_rng_normal(w->rng));
        /* A launch's copies are all slow or all fast; the yardstick is of other messages. */
        const double byte_ns = 0.07 * hk_world_factor(w, &noise);
        const struct hk_world_counter counters[] = {
            {"copied_bytes_per_message", bytes},
            {"copy_ns_per_message", byte_ns * bytes},
            {"yardstick_copy_ns",
             byte_ns * length_bytes * (1 + 0.005 * hk_rng_normal(w->rng))}};
        hk_world_launch(w, cell, i, HK_TIMED, counters, HK_ARRAY_COUNT(counters), series,
                        HK_ARRAY_COUNT(series));
    }
}

static void fill_mix(struct hk_world *w, const char *mix, double covariance_ratio)
{
    double copied = 0;

    for (size_t k = 0; k < CLASSES; k++)
        copied += weight[k] * buffers[k] * (1 - mappable(k, covariance_ratio)) * length_bytes;
    fill_trace(w, mix, "train", "", covariance_ratio, copied);
    fill_trace(w, mix, "test", "", covariance_ratio, copied);
}

void hk_fill_independent(struct hk_world *w)
{
    fill_mix(w, "independent", 0);
}

void hk_fill_dependent(struct hk_world *w)
{
    fill_mix(w, "dependent", 0.8);
}

/* Head and tail are copied, the whole pages between them mapped: 4095 bytes, however long. */
void hk_fill_partial(struct hk_world *w)
{
    const double copied = (weight[0] * buffers[0] + weight[1] * buffers[1]) * (HK_PAGE_BYTES - 1);

    fill_trace(w, "uniform", "train", "/partial:1", 0, copied);
    fill_trace(w, "uniform", "test", "/partial:1", 0, copied);
}

/* --- F8 -------------------------------------------------------------------------- */

/* A cache made new every so often, looked at at random; the share of old answers is binomial. */
static void fill_staleness(struct hk_world *w, double change_ns)
{
    static const int refreshes_us[] = {0, 500, 1000, 2000};
    static const double looks = 40000;
    char cell[HK_NAME_BYTES];

    for (size_t r = 0; r < HK_ARRAY_COUNT(refreshes_us); r++) {
        const double x = refreshes_us[r] * (double)HK_NS_PER_US / change_ns;
        const double p = x > 0 ? 1 - (1 - exp(-x)) / x : 0;
        snprintf(cell, sizeof cell, "guest/staleness/file/refresh_us:%d/place:server",
                 refreshes_us[r]);
        for (uint32_t i = 0; i < w->plan->launch_count; i++) {
            const double share = p + sqrt(p * (1 - p) / looks) * hk_rng_normal(w->rng);
            const struct hk_world_counter counters[] = {
                {"hk_looks", looks}, {"hk_stale", share * looks}, {"hk_change_ns", change_ns}};
            hk_world_launch(w, cell, i, HK_NEAR, counters, HK_ARRAY_COUNT(counters), NULL, 0);
        }
    }
}

/* So few that two unseen ones hardly meet: any unseen change and the latest are the same. */
void hk_fill_few_changes(struct hk_world *w)
{
    fill_staleness(w, 5e6);
}

void hk_fill_many_changes(struct hk_world *w)
{
    fill_staleness(w, 500e3);
}
