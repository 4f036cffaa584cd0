/* SPDX-License-Identifier: MIT */
#include "equations.h"

#include <math.h>

#include "hk/guest/mix.h"

const char *hk_equations_who(unsigned service)
{
    return service == HK_SERVICE_CLIENT ? "the client"
                                        : hk_mix_service_name((enum hk_service_number)service);
}

void hk_equations_init(struct hk_equations *e, unsigned service)
{
    *e = (struct hk_equations){.service = service};
    for (enum hk_work w = 0; w < HK_WORKS; w++)
        if (hk_work_service(w) == service)
            e->works[e->work_count++] = w;
}

void hk_equations_add(struct hk_equations *e, const struct hk_replay *replay, double cost,
                      const double prices[HK_WORKS])
{
    e->cost[e->count] = cost;
    e->scale[e->count] = fmax(cost, 1);
    for (enum hk_work w = 0; w < HK_WORKS; w++) /* what the client's own work costs is known */
        if (e->service != HK_SERVICE_CLIENT && hk_work_service(w) == HK_SERVICE_CLIENT)
            e->cost[e->count] -= replay->work[w] * prices[w];
    for (size_t i = 0; i < e->work_count; i++)
        e->units[e->count][i] = replay->work[e->works[i]];
    e->count++;
    e->cell_count++;
}

/* Over the terms that are left. */
static enum hk_status solve(const struct hk_equations *e, const bool *left, size_t left_count,
                            double *price)
{
    double x[HK_EQUATIONS_MAX * HK_LINEAR_TERMS_MAX];
    double weights[HK_EQUATIONS_MAX];
    struct hk_linear_fit fit;
    size_t n = 0;

    for (size_t i = 0; i < e->count; i++) {
        for (size_t k = 0; k < e->work_count; k++)
            if (left[k])
                x[n++] = e->units[i][k];
        weights[i] = 1 / (e->scale[i] * e->scale[i]);
    }
    const struct hk_linear_data data = {x, e->cost, weights, e->count, left_count};
    const enum hk_status status = hk_linear_fit(&data, &fit);
    if (status != HK_OK)
        return status;
    if (fit.rank < left_count && !e->shares)
        return HK_ENOISE;
    for (size_t k = 0, i = 0; k < e->work_count; k++)
        price[k] = left[k] ? fit.coefficient[i++] : 0;
    return HK_OK;
}

static enum hk_status solve_positive(const struct hk_equations *e, double *price)
{
    bool left[HK_LINEAR_TERMS_MAX];
    size_t left_count = e->work_count;

    for (size_t k = 0; k < e->work_count; k++)
        left[k] = true;
    while (left_count > 0) {
        const enum hk_status status = solve(e, left, left_count, price);
        size_t least = 0;
        if (status != HK_OK)
            return status;
        for (size_t k = 1; k < e->work_count; k++)
            least = price[k] < price[least] ? k : least;
        if (price[least] >= 0)
            return HK_OK;
        left[least] = false;
        left_count--;
    }
    return HK_ENOISE;
}

enum hk_status hk_equations_solve(const struct hk_equations *e, double prices[HK_WORKS],
                                  double *fit_error_max)
{
    double price[HK_LINEAR_TERMS_MAX];
    const enum hk_status status =
        e->count > e->work_count ? solve_positive(e, price) : HK_ENOISE;

    if (status != HK_OK)
        return status;
    for (size_t k = 0; k < e->work_count; k++)
        prices[e->works[k]] = price[k];
    for (size_t i = 0; i < e->count; i++) {
        double fitted = 0;
        for (size_t k = 0; k < e->work_count; k++)
            fitted += price[k] * e->units[i][k];
        *fit_error_max = fmax(*fit_error_max, fabs(fitted - e->cost[i]) / e->scale[i]);
    }
    return HK_OK;
}
