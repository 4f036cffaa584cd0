/* SPDX-License-Identifier: MIT */
/* The linker sends every call of these laws to __wrap_*: ld's --wrap, in this program alone. */
#include "mutants.h"

static const struct hk_laws none;
static _Thread_local const struct hk_laws *injected = &none;

void hk_laws_inject(const struct hk_laws *laws)
{
    injected = laws == NULL ? &none : laws;
}

/* The injected law, else the real one. */
#define LAW(field, law) (injected->field != NULL ? injected->field : __real_##law)

__typeof__(hk_utility_regret) __wrap_hk_utility_regret;
__typeof__(hk_placements_predict) __wrap_hk_placements_predict;
__typeof__(hk_latency_chain_law) __wrap_hk_latency_chain_law;
__typeof__(hk_latency_user) __wrap_hk_latency_user;
__typeof__(hk_copy_curve_fit) __wrap_hk_copy_curve_fit;
__typeof__(hk_copy_curve_predict) __wrap_hk_copy_curve_predict;
__typeof__(hk_hop_predict) __wrap_hk_hop_predict;
__typeof__(hk_queue_wait_poisson) __wrap_hk_queue_wait_poisson;
__typeof__(hk_throughput_textbook) __wrap_hk_throughput_textbook;
__typeof__(hk_throughput_predict) __wrap_hk_throughput_predict;
__typeof__(hk_copy_expected) __wrap_hk_copy_expected;
__typeof__(hk_copy_corrected) __wrap_hk_copy_corrected;
__typeof__(hk_copied_bytes_mean) __wrap_hk_copied_bytes_mean;
__typeof__(hk_lateness_analyse) __wrap_hk_lateness_analyse;
__typeof__(hk_underrun_probability) __wrap_hk_underrun_probability;
__typeof__(hk_tail_probability) __wrap_hk_tail_probability;
__typeof__(hk_stale_any_pending) __wrap_hk_stale_any_pending;
__typeof__(hk_stale_ttl) __wrap_hk_stale_ttl;
__typeof__(hk_extension_fit) __wrap_hk_extension_fit;
__typeof__(hk_extension_verify) __wrap_hk_extension_verify;
__typeof__(hk_extension_cost) __wrap_hk_extension_cost;
__typeof__(hk_extension_break_even) __wrap_hk_extension_break_even;
__typeof__(hk_rare_plan_init) __wrap_hk_rare_plan_init;
__typeof__(hk_rare_estimate) __wrap_hk_rare_estimate;

enum hk_status __wrap_hk_utility_regret(const struct hk_alternative *predicted,
                                        const struct hk_alternative *measured,
                                        const struct hk_alternative *error, size_t count,
                                        struct hk_utility_regret *out)
{
    return LAW(utility_regret, hk_utility_regret)(predicted, measured, error, count, out);
}

enum hk_status __wrap_hk_placements_predict(const double *instructions,
                                            enum hk_placements_order order, double *predicted)
{
    return LAW(placements, hk_placements_predict)(instructions, order, predicted);
}

enum hk_status __wrap_hk_latency_chain_law(unsigned servers, struct hk_latency_law *law)
{
    return LAW(chain_law, hk_latency_chain_law)(servers, law);
}

enum hk_status __wrap_hk_latency_user(const struct hk_latency_law *law,
                                      const struct hk_latency_costs *costs,
                                      struct hk_estimate *out)
{
    return LAW(latency_user, hk_latency_user)(law, costs, out);
}

enum hk_status __wrap_hk_copy_curve_fit(const double *bytes, const double *cost_ns, size_t n,
                                        size_t breaks_max, struct hk_copy_curve *out)
{
    return LAW(curve_fit, hk_copy_curve_fit)(bytes, cost_ns, n, breaks_max, out);
}

enum hk_status __wrap_hk_copy_curve_predict(const struct hk_copy_curve *curve, double bytes,
                                            double confidence, struct hk_estimate *mean,
                                            struct hk_interval *interval)
{
    return LAW(curve_predict, hk_copy_curve_predict)(curve, bytes, confidence, mean, interval);
}

enum hk_status __wrap_hk_hop_predict(const struct hk_hop_model *model, unsigned servers,
                                     double confidence, struct hk_prediction *out)
{
    return LAW(hop_predict, hk_hop_predict)(model, servers, confidence, out);
}

enum hk_status __wrap_hk_queue_wait_poisson(const struct hk_queue_load *load,
                                            struct hk_estimate *wait_ns)
{
    return LAW(wait_poisson, hk_queue_wait_poisson)(load, wait_ns);
}

enum hk_status __wrap_hk_throughput_textbook(const struct hk_estimate *alpha,
                                             const struct hk_estimate *beta, double covariance,
                                             struct hk_estimate *out)
{
    return LAW(throughput_textbook, hk_throughput_textbook)(alpha, beta, covariance, out);
}

enum hk_status __wrap_hk_throughput_predict(const struct hk_throughput_costs *costs,
                                            struct hk_throughput *out)
{
    return LAW(throughput_general, hk_throughput_predict)(costs, out);
}

enum hk_status __wrap_hk_copy_expected(const struct hk_copy_class *classes, size_t class_count,
                                       double copy_ns, double *expected_ns)
{
    return LAW(copy_expected, hk_copy_expected)(classes, class_count, copy_ns, expected_ns);
}

enum hk_status __wrap_hk_copy_corrected(const struct hk_copy_class *classes, size_t class_count,
                                        double copy_ns, double *expected_ns)
{
    return LAW(copy_corrected, hk_copy_corrected)(classes, class_count, copy_ns, expected_ns);
}

enum hk_status __wrap_hk_copied_bytes_mean(uint64_t length_bytes, uint64_t page_bytes,
                                           uint64_t grain_bytes, double *mean_bytes)
{
    return LAW(copied_bytes, hk_copied_bytes_mean)(length_bytes, page_bytes, grain_bytes,
                                                   mean_bytes);
}

enum hk_status __wrap_hk_lateness_analyse(const double *lateness_ns, size_t n,
                                          const struct hk_bootstrap_options *options,
                                          struct hk_rng *rng, struct hk_lateness *out)
{
    return LAW(lateness, hk_lateness_analyse)(lateness_ns, n, options, rng, out);
}

enum hk_status __wrap_hk_underrun_probability(enum hk_underrun_law law, double mean_delay_ns,
                                              double headroom_ns, double period_ns,
                                              double *probability)
{
    return LAW(underrun, hk_underrun_probability)(law, mean_delay_ns, headroom_ns, period_ns,
                                                  probability);
}

enum hk_status __wrap_hk_tail_probability(const struct hk_tail *tail, double x_ns,
                                          double confidence, struct hk_tail_probability *out)
{
    return LAW(tail_probability, hk_tail_probability)(tail, x_ns, confidence, out);
}

enum hk_status __wrap_hk_stale_any_pending(double update_rate_per_s,
                                           const struct hk_time_law *delay, double *probability)
{
    return LAW(stale_any, hk_stale_any_pending)(update_rate_per_s, delay, probability);
}

enum hk_status __wrap_hk_stale_ttl(double update_rate_per_s, double ttl_ns, double *probability)
{
    return LAW(stale_ttl, hk_stale_ttl)(update_rate_per_s, ttl_ns, probability);
}

enum hk_status __wrap_hk_extension_fit(const double *processed, const double *load_ns, size_t n,
                                       struct hk_line *line)
{
    return LAW(extension_fit, hk_extension_fit)(processed, load_ns, n, line);
}

enum hk_status __wrap_hk_extension_verify(const struct hk_line *line, double processed,
                                          double confidence, struct hk_estimate *verify_ns,
                                          struct hk_interval *interval)
{
    return LAW(extension_verify, hk_extension_verify)(line, processed, confidence, verify_ns,
                                                      interval);
}

enum hk_status __wrap_hk_extension_cost(const struct hk_extension_costs *costs, double invocations,
                                        struct hk_estimate *out)
{
    return LAW(extension_cost, hk_extension_cost)(costs, invocations, out);
}

enum hk_status __wrap_hk_extension_break_even(const struct hk_extension_costs *costs,
                                              struct hk_estimate *invocations)
{
    return LAW(break_even, hk_extension_break_even)(costs, invocations);
}

enum hk_status __wrap_hk_rare_plan_init(const struct hk_rare_problem *problem,
                                        const struct hk_rare_method *method, uint64_t seed,
                                        struct hk_rare_plan *plan)
{
    return LAW(rare_plan, hk_rare_plan_init)(problem, method, seed, plan);
}

enum hk_status __wrap_hk_rare_estimate(const struct hk_rare_plan *plan,
                                       const struct hk_rare_total *total, double confidence,
                                       struct hk_rare_estimate *out)
{
    return LAW(rare_estimate, hk_rare_estimate)(plan, total, confidence, out);
}
