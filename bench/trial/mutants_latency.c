/* SPDX-License-Identifier: MIT */
/* F2 and F3. */
#include <math.h>

#include "hk/base/units.h"
#include "mutants.h"

/* --- F2 ------------------------------------------------------------------------ */

/* Adds to the additive prediction of every set what a function says of it. */
static enum hk_status placements_with(const double *y, enum hk_placements_order order, double *out,
                                      double (*error)(const double *y, uint32_t set))
{
    const enum hk_status status = __real_hk_placements_predict(y, order, out);

    for (uint32_t set = 0; set < HK_PLACEMENTS && order == HK_PLACEMENTS_ADDITIVE; set++)
        out[set] += error(y, set);
    return status;
}

static double service_forgotten(const double *y, uint32_t set)
{
    return (set & 8u) != 0 ? y[0] - y[8] : 0;
}

static double monolith_again(const double *y, uint32_t set)
{
    return (double)(__builtin_popcount(set) - 1) * y[0] * (set != 0);
}

static double added(const double *y, uint32_t set)
{
    double sum = 0;

    for (uint32_t i = 0; i < HK_PLACED_SERVICES; i++)
        sum += (set >> i & 1) != 0 ? y[1u << i] - y[0] : 0;
    return sum;
}

static double mean_of_set(const double *y, uint32_t set)
{
    return set != 0 ? added(y, set) * (1.0 / __builtin_popcount(set) - 1) : 0;
}

static double less_for_each(const double *y, uint32_t set)
{
    return -0.03 * __builtin_popcount(set) * added(y, set);
}

static enum hk_status forget_service(const double *y, enum hk_placements_order order, double *out)
{
    return placements_with(y, order, out, service_forgotten);
}

static enum hk_status count_monolith(const double *y, enum hk_placements_order order, double *out)
{
    return placements_with(y, order, out, monolith_again);
}

static enum hk_status average_services(const double *y, enum hk_placements_order order, double *out)
{
    return placements_with(y, order, out, mean_of_set);
}

static enum hk_status lose_calls(const double *y, enum hk_placements_order order, double *out)
{
    return placements_with(y, order, out, less_for_each);
}

/* The interactions of pairs, times a factor. */
static enum hk_status scale_pairs(const double *y, enum hk_placements_order order, double *out,
                                  double factor)
{
    double additive[HK_PLACEMENTS];
    enum hk_status status = __real_hk_placements_predict(y, order, out);

    if (status != HK_OK || order != HK_PLACEMENTS_PAIRWISE)
        return status;
    status = __real_hk_placements_predict(y, HK_PLACEMENTS_ADDITIVE, additive);
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
        out[set] = additive[set] + factor * (out[set] - additive[set]);
    return status;
}

static enum hk_status pairs_with_wrong_sign(const double *y, enum hk_placements_order order,
                                            double *out)
{
    return scale_pairs(y, order, out, -1);
}

static enum hk_status pairs_twice(const double *y, enum hk_placements_order order, double *out)
{
    return scale_pairs(y, order, out, 2);
}

static enum hk_status pairs_ignored(const double *y, enum hk_placements_order order, double *out)
{
    return scale_pairs(y, order, out, 0);
}

const struct hk_mutant hk_mutants_placement[] = {
    {"a service costs nothing", "placements additive", 0, {.placements = forget_service}, NULL},
    {"monolith counted per service", "placements additive", 0, {.placements = count_monolith},
     NULL},
    {"mean of the services for their sum", "placements additive", 0,
     {.placements = average_services}, NULL},
    {"3 % less for each service of a set", "placements additive", 0, {.placements = lose_calls},
     NULL},
    {"pairs with the wrong sign", "placements in pairs", 0,
     {.placements = pairs_with_wrong_sign}, NULL},
    {"pairs counted twice", "placements in pairs", 0, {.placements = pairs_twice}, NULL},
    {"pairs ignored", "placements in pairs", 0, {.placements = pairs_ignored}, NULL},
    {0},
};

/* --- F3: coefficients ------------------------------------------------------------ */

static enum hk_status chain_times(unsigned servers, struct hk_latency_law *law, double transfers,
                                  double copies)
{
    const enum hk_status status = __real_hk_latency_chain_law(servers, law);

    law->user_transfers *= transfers;
    law->user_copies *= copies;
    return status;
}

static enum hk_status three_for_four(unsigned servers, struct hk_latency_law *law)
{
    return chain_times(servers, law, 0.75, 1);
}

static enum hk_status round_trip_as_one_way(unsigned servers, struct hk_latency_law *law)
{
    return chain_times(servers, law, 2, 1);
}

static enum hk_status requests_only(unsigned servers, struct hk_latency_law *law)
{
    return chain_times(servers, law, 0.5, 1);
}

static enum hk_status no_copies(unsigned servers, struct hk_latency_law *law)
{
    return chain_times(servers, law, 1, 0);
}

static enum hk_status copies_both_sides(unsigned servers, struct hk_latency_law *law)
{
    return chain_times(servers, law, 1, 2);
}

static enum hk_status one_server_more(unsigned servers, struct hk_latency_law *law)
{
    return __real_hk_latency_chain_law(servers + 1, law);
}

static enum hk_status one_server_less(unsigned servers, struct hk_latency_law *law)
{
    return __real_hk_latency_chain_law(servers - 1, law);
}

static enum hk_status linear(const double *bytes, const double *cost_ns, size_t n,
                             size_t breaks_max, struct hk_copy_curve *out)
{
    (void)breaks_max;
    return __real_hk_copy_curve_fit(bytes, cost_ns, n, 0, out);
}

static enum hk_status next_size(const struct hk_copy_curve *curve, double bytes, double confidence,
                                struct hk_estimate *mean, struct hk_interval *interval)
{
    const double page = bytes > 1 ? fmin(bytes + HK_PAGE_BYTES, curve->max_bytes) : bytes;

    return __real_hk_copy_curve_predict(curve, page, confidence, mean, interval);
}

/* What the first server costs: T(2) - D. */
static enum hk_status naive_hop(const struct hk_hop_model *model, unsigned servers,
                                double confidence, struct hk_prediction *out)
{
    struct hk_hop_model naive = *model;

    naive.hop_ns = model->two_servers_ns - model->hop_ns;
    return __real_hk_hop_predict(&naive, servers, confidence, out);
}

static enum hk_status hop_too_few(const struct hk_hop_model *model, unsigned servers,
                                  double confidence, struct hk_prediction *out)
{
    struct hk_hop_model less = *model;

    less.two_servers_ns -= model->hop_ns;
    return __real_hk_hop_predict(&less, servers, confidence, out);
}

static enum hk_status hop_one_way(const struct hk_hop_model *model, unsigned servers,
                                  double confidence, struct hk_prediction *out)
{
    struct hk_hop_model half = *model;

    half.hop_ns /= 2;
    return __real_hk_hop_predict(&half, servers, confidence, out);
}

/* --- F3: services ---------------------------------------------------------------- */

static enum hk_status user_with(const struct hk_latency_law *law,
                                const struct hk_latency_costs *costs, struct hk_estimate *out,
                                double transfers, double copies)
{
    struct hk_latency_law wrong = *law;

    wrong.user_transfers *= transfers;
    wrong.user_copies *= copies;
    return __real_hk_latency_user(&wrong, costs, out);
}

static enum hk_status two_transfers(const struct hk_latency_law *law,
                                    const struct hk_latency_costs *costs, struct hk_estimate *out)
{
    return user_with(law, costs, out, 0.5, 1);
}

static enum hk_status three_transfers(const struct hk_latency_law *law,
                                      const struct hk_latency_costs *costs,
                                      struct hk_estimate *out)
{
    return user_with(law, costs, out, 0.75, 1);
}

static enum hk_status two_copies(const struct hk_latency_law *law,
                                 const struct hk_latency_costs *costs, struct hk_estimate *out)
{
    return user_with(law, costs, out, 1, 0.5);
}

static enum hk_status eight_copies(const struct hk_latency_law *law,
                                   const struct hk_latency_costs *costs, struct hk_estimate *out)
{
    return user_with(law, costs, out, 1, 2);
}

/* A hot memcpy instead of what a transferred message costs. */
static enum hk_status hot_copy(const struct hk_latency_law *law,
                               const struct hk_latency_costs *costs, struct hk_estimate *out)
{
    return user_with(law, costs, out, 1, 0.1);
}

/* --- F3: load ---------------------------------------------------------------------- */

static enum hk_status wait_with(const struct hk_queue_load *load, double service_cv2,
                                double service_ratio, struct hk_estimate *out)
{
    struct hk_queue_load wrong = *load;

    wrong.service_cv2 = service_cv2;
    wrong.service_ns.value *= service_ratio;
    return __real_hk_queue_wait_poisson(&wrong, out);
}

static enum hk_status no_variance(const struct hk_queue_load *load, struct hk_estimate *out)
{
    return wait_with(load, 0, 1, out);
}

static enum hk_status always_exponential(const struct hk_queue_load *load, struct hk_estimate *out)
{
    return wait_with(load, 1, 1, out);
}

static enum hk_status variance_for_square(const struct hk_queue_load *load, struct hk_estimate *out)
{
    return wait_with(load, sqrt(load->service_cv2), 1, out);
}

/* The response, which has the service in it. */
static enum hk_status response_for_wait(const struct hk_queue_load *load, struct hk_estimate *out)
{
    const enum hk_status status = __real_hk_queue_wait_poisson(load, out);

    out->value += load->service_ns.value;
    return status;
}

const struct hk_mutant hk_mutants_latency[] = {
    {"4 -> 3 c_ipc", "hops alike", 0, {.chain_law = three_for_four}, NULL},
    {"4 -> 2 c_ipc (requests only)", "hops alike", 0, {.chain_law = requests_only}, NULL},
    {"4 -> 8 c_ipc (round trip as one way)", "hops alike", 0,
     {.chain_law = round_trip_as_one_way}, NULL},
    {"4 -> 0 c_copy", "hops alike", 0, {.chain_law = no_copies}, NULL},
    {"4 -> 8 c_copy", "hops alike", 0, {.chain_law = copies_both_sides}, NULL},
    {"a server too many", "hops alike", 0, {.chain_law = one_server_more}, NULL},
    {"a server too few", "hops alike", 0, {.chain_law = one_server_less}, NULL},
    {"linear instead of segmented copies", "hops alike", 0, {.curve_fit = linear}, NULL},
    {"off by a page", "hops alike", 0, {.curve_predict = next_size}, NULL},
    {"naive hop instead of incremental", "hops dearer", 0, {.hop_predict = naive_hop}, NULL},
    {"a hop too few", "hops dearer", 0, {.hop_predict = hop_too_few}, NULL},
    {"a hop counted one way", "hops dearer", 0, {.hop_predict = hop_one_way}, NULL},
    {"2 c_ipc where 3 are paid", "injection", 0, {0}, hk_fill_injection_more},
    {"4 c_ipc where 5 are paid", "injection", 1, {0}, hk_fill_injection_more},
    {"2 c_sys where 3 are paid", "injection", 2, {0}, hk_fill_injection_more},
    {"2 c_ipc where 1 is paid", "injection", 0, {0}, hk_fill_injection_less},
    {"4 c_ipc where 3 are paid", "injection", 1, {0}, hk_fill_injection_less},
    {"2 c_sys where 1 is paid", "injection", 2, {0}, hk_fill_injection_less},
    {"service: 4 -> 2 c_ipc", "service of four transfers", 0, {.latency_user = two_transfers},
     NULL},
    {"service: 4 -> 3 c_ipc", "service of four transfers", 0, {.latency_user = three_transfers},
     NULL},
    {"service: 4 -> 2 c_copy", "service of four transfers", 0, {.latency_user = two_copies}, NULL},
    {"service: 4 -> 8 c_copy", "service of four transfers", 0, {.latency_user = eight_copies},
     NULL},
    {"service: hot memcpy as c_copy", "service of four transfers", 0, {.latency_user = hot_copy},
     NULL},
    {"load: P-K without variance", "waits under load", 2, {.wait_poisson = no_variance}, NULL},
    {"load: every service exponential", "waits under load", 0,
     {.wait_poisson = always_exponential}, NULL},
    {"load: cv for cv^2", "waits under load", 2, {.wait_poisson = variance_for_square}, NULL},
    {"load: response for wait", "waits under load", 1, {.wait_poisson = response_for_wait}, NULL},
    {0},
};
