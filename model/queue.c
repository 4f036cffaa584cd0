/* SPDX-License-Identifier: MIT */
#include "hk/model/queue.h"

#include "check.h"
#include "hk/base/units.h"

static bool load_valid(const struct hk_queue_load *load)
{
    return load && check_positive_estimate(&load->arrivals_per_s) &&
           check_positive_estimate(&load->service_ns) && check_not_negative(load->arrival_cv2) &&
           check_not_negative(load->service_cv2);
}

/* W = rho / (1 - rho) V E[S] with V the mean of the two squared variations. */
static enum hk_status wait_with(const struct hk_queue_load *load, double variation,
                                struct hk_estimate *wait_ns)
{
    const double service = load->service_ns.value;
    const double rho = load->arrivals_per_s.value * service / HK_NS_PER_S;
    if (!(rho < 1.0)) {
        return HK_ERANGE;
    }
    const double idle = 1.0 - rho;
    const double wait = rho / idle * variation * service;
    /* d ln W / d ln lambda = 1 / idle; d ln W / d ln E[S] = 1 + 1 / idle. */
    const double by_rate =
        load->arrivals_per_s.standard_error / load->arrivals_per_s.value / idle;
    const double by_service = load->service_ns.standard_error / service * (1.0 + 1.0 / idle);
    const struct hk_estimate result = {
        .value = wait,
        .standard_error = wait * hypot(by_rate, by_service),
        .count = check_fewer(load->arrivals_per_s.count, load->service_ns.count),
    };
    if (!check_finite_estimate(&result)) {
        return HK_ERANGE;
    }
    *wait_ns = result;
    return HK_OK;
}

enum hk_status hk_queue_wait_poisson(const struct hk_queue_load *load,
                                     struct hk_estimate *wait_ns)
{
    if (!wait_ns || !load_valid(load)) {
        return HK_EINVAL;
    }
    return wait_with(load, (1.0 + load->service_cv2) / 2.0, wait_ns);
}

enum hk_status hk_queue_wait_general(const struct hk_queue_load *load,
                                     struct hk_estimate *wait_ns)
{
    if (!wait_ns || !load_valid(load)) {
        return HK_EINVAL;
    }
    return wait_with(load, (load->arrival_cv2 + load->service_cv2) / 2.0, wait_ns);
}

enum hk_status hk_queue_dispatch_wait(double arrivals_per_s, const struct hk_estimate *dispatch_ns,
                                      double dispatch_cv2, struct hk_estimate *added_ns)
{
    if (!dispatch_ns || !added_ns || !check_positive(arrivals_per_s) ||
        !check_positive_estimate(dispatch_ns) || !check_not_negative(dispatch_cv2)) {
        return HK_EINVAL;
    }
    /* x = lambda E[D]; the added wait is E[D] (2 + x (1 + c^2)) / (2 (1 + x)). */
    const double x = arrivals_per_s * dispatch_ns->value / HK_NS_PER_S;
    const double square = x * (1.0 + dispatch_cv2);
    const double added = dispatch_ns->value * (2.0 + square) / (2.0 * (1.0 + x));
    const double elasticity = 1.0 + square / (2.0 + square) - x / (1.0 + x);
    const struct hk_estimate result = {
        .value = added,
        .standard_error =
            added * elasticity * dispatch_ns->standard_error / dispatch_ns->value,
        .count = dispatch_ns->count,
    };
    if (!check_finite_estimate(&result)) {
        return HK_ERANGE;
    }
    *added_ns = result;
    return HK_OK;
}

enum hk_status hk_queue_rate_for_wait(const struct hk_queue_load *load, double wait_limit_ns,
                                      double *arrivals_per_s)
{
    if (!load || !arrivals_per_s || !check_positive_estimate(&load->service_ns) ||
        !check_not_negative(load->arrival_cv2) || !check_not_negative(load->service_cv2) ||
        !check_positive(wait_limit_ns)) {
        return HK_EINVAL;
    }
    const double service = load->service_ns.value;
    const double unit = (load->arrival_cv2 + load->service_cv2) / 2.0 * service;
    if (!(unit > 0.0)) {
        return HK_ERANGE;
    }
    /* W / unit = rho / (1 - rho) */
    const double rho = wait_limit_ns / (wait_limit_ns + unit);
    const double rate = rho / service * HK_NS_PER_S;
    if (!check_positive(rate)) {
        return HK_ERANGE;
    }
    *arrivals_per_s = rate;
    return HK_OK;
}

enum hk_status hk_queue_replay(const double *gap_ns, const double *service_ns, size_t n,
                               double *wait_ns)
{
    return hk_queue_replay_dispatched(gap_ns, service_ns, n, 0.0, wait_ns);
}

enum hk_status hk_queue_replay_dispatched(const double *gap_ns, const double *service_ns, size_t n,
                                          double dispatch_ns, double *wait_ns)
{
    if (!gap_ns || !service_ns || !wait_ns || n == 0 || !check_not_negative(dispatch_ns)) {
        return HK_EINVAL;
    }
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        if ((i > 0 && !check_not_negative(gap_ns[i])) || !check_not_negative(service_ns[i])) {
            return HK_EINVAL;
        }
        sum += service_ns[i];
    }
    if (!isfinite(sum + dispatch_ns)) {
        return HK_EINVAL;
    }
    double wait = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double left = i > 0 ? wait + service_ns[i - 1] - gap_ns[i] : 0.0;
        wait = left > 0.0 ? left : dispatch_ns;
        wait_ns[i] = wait;
    }
    return HK_OK;
}

enum hk_status hk_bulk_batch_needed(const struct hk_bulk_load *load, double *batch)
{
    if (!load || !batch || !check_positive(load->arrivals_per_s) ||
        !check_not_negative(load->setup_ns) || !check_not_negative(load->each_ns) ||
        !(load->setup_ns + load->each_ns > 0.0)) {
        return HK_EINVAL;
    }
    const double per_ns = load->arrivals_per_s / HK_NS_PER_S;
    const double spare = 1.0 - per_ns * load->each_ns;
    const double needed = per_ns * load->setup_ns / spare;
    if (!(spare > 0.0) || !isfinite(needed)) {
        return HK_ERANGE;
    }
    *batch = fmax(1.0, ceil(needed * (1.0 - 1e-12)));
    return HK_OK;
}

/*
 * Root r in (0, 1) of mu r^(K+1) - (lambda + mu) r + lambda = 0, which is
 * r + r^2 + .. + r^K = lambda / mu once the root at 1 is divided out: increasing.
 */
static double bulk_root(double load, size_t batch_max)
{
    double low = 0.0;
    double high = 1.0;
    for (int i = 0; i < 200 && high - low > 0.0; i++) {
        const double r = low + (high - low) / 2.0;
        if (r <= low || r >= high) {
            break;
        }
        const double sum = r * -expm1((double)batch_max * log(r)) / (1.0 - r);
        *(sum < load ? &low : &high) = r;
    }
    return low + (high - low) / 2.0;
}

enum hk_status hk_bulk_exponential(double arrivals_per_s, double service_ns, size_t batch_max,
                                   struct hk_bulk *out)
{
    if (!out || !check_positive(arrivals_per_s) || !check_positive(service_ns) ||
        batch_max == 0) {
        return HK_EINVAL;
    }
    const double load = arrivals_per_s * (service_ns / HK_NS_PER_S);
    if (!(load < (double)batch_max)) {
        return HK_ERANGE;
    }
    const double r = bulk_root(load, batch_max);
    const double in_system = r / (1.0 - r);
    const double response = in_system / arrivals_per_s * HK_NS_PER_S;
    if (!isfinite(in_system) || !isfinite(response)) {
        return HK_ERANGE;
    }
    *out = (struct hk_bulk){.response_ns = response, .in_system_mean = in_system};
    return HK_OK;
}
