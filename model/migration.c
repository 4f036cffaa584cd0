/* SPDX-License-Identifier: MIT */
#include "hk/model/migration.h"

#include <stdlib.h>

#include "check.h"
#include "golden.h"

#define BUDGET_ROUNDING 1e-12 /* sums that meet a budget exactly are within it */
#define GOLDEN_STEPS 90
#define DOUBLINGS_MAX 200

static bool services_valid(const struct hk_service *services, size_t n)
{
    if (!services || n == 0 || n > HK_SERVICES_MAX) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(services[i].benefit) <= 1e100) || !(services[i].effort >= 0.0) ||
            !(services[i].effort <= 1e100) || !(fabs(services[i].performance) <= 1e100)) {
            return false;
        }
    }
    return true;
}

static bool budgets_valid(const struct hk_budgets *budgets)
{
    return budgets && budgets->effort >= 0.0 && budgets->performance >= 0.0 &&
           (isfinite(budgets->effort) || isfinite(budgets->performance));
}

enum hk_status hk_migration_scores(const struct hk_service *services, size_t n, double alpha,
                                   double beta, double *scores)
{
    if (!scores || !services_valid(services, n) || !check_not_negative(alpha) ||
        !check_not_negative(beta)) {
        return HK_EINVAL;
    }
    double computed[HK_SERVICES_MAX];
    for (size_t i = 0; i < n; i++) {
        computed[i] = alpha * services[i].effort + beta * services[i].performance;
        if (!isfinite(computed[i])) {
            return HK_EINVAL;
        }
    }
    for (size_t i = 0; i < n; i++) {
        scores[i] = computed[i];
    }
    return HK_OK;
}

/* Insertion sort by ascending key: stable, and n is small. */
static void order_by(const double *keys, size_t n, size_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        while (at > 0 && keys[order[at - 1]] > keys[i]) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

enum hk_status hk_migration_order(const double *scores, size_t n, size_t *order)
{
    if (!scores || !order || n == 0 || n > HK_SERVICES_MAX) {
        return HK_EINVAL;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(scores[i])) {
            return HK_EINVAL;
        }
    }
    order_by(scores, n, order);
    return HK_OK;
}

static double within(double budget)
{
    return budget * (1.0 + BUDGET_ROUNDING);
}

/* The selection of a mask, sums in the order of the services. */
static struct hk_selection selection_of(const struct hk_service *services, size_t n,
                                        uint64_t mask)
{
    struct hk_selection s = {.in_server = mask};
    for (size_t i = 0; i < n; i++) {
        if (mask >> i & 1) {
            s.benefit += services[i].benefit;
            s.effort += services[i].effort;
            s.performance += services[i].performance;
        }
    }
    return s;
}

/* The dual function, by price of performance within price of effort. */
struct dual {
    const struct hk_service *services;
    size_t n;
    struct hk_budgets budgets;
    double alpha;
};

static double reduced_benefit(const struct hk_service *s, double alpha, double beta)
{
    return s->benefit - alpha * s->effort - beta * s->performance;
}

static double dual_value(const struct dual *d, double alpha, double beta)
{
    /* An unlimited budget has price 0. */
    double value = (alpha > 0.0 ? alpha * d->budgets.effort : 0.0) +
                   (beta > 0.0 ? beta * d->budgets.performance : 0.0);
    for (size_t i = 0; i < d->n; i++) {
        value += fmax(0.0, reduced_benefit(&d->services[i], alpha, beta));
    }
    return value;
}

/* Convex in beta and piecewise linear: the minimum is at 0 or where a service is indifferent. */
static double best_beta(const struct dual *d, double alpha)
{
    if (!isfinite(d->budgets.performance)) {
        return 0.0;
    }
    double best = 0.0;
    double least = dual_value(d, alpha, 0.0);
    for (size_t i = 0; i < d->n; i++) {
        const struct hk_service *s = &d->services[i];
        const double beta = (s->benefit - alpha * s->effort) / s->performance;
        if (check_positive(beta)) {
            const double value = dual_value(d, alpha, beta);
            best = value < least ? beta : best;
            least = fmin(least, value);
        }
    }
    return best;
}

static double dual_at(const struct dual *d, double alpha)
{
    return dual_value(d, alpha, best_beta(d, alpha));
}

static double dual_value_at(const void *dual, double alpha)
{
    return dual_at(dual, alpha);
}

/* The dual is convex in alpha too. */
static double best_alpha(const struct dual *d)
{
    if (!isfinite(d->budgets.effort)) {
        return 0.0;
    }
    double high = 1e-100;
    for (size_t i = 0; i < d->n; i++) {
        const struct hk_service *s = &d->services[i];
        high = s->effort > 0.0 ? fmax(high, s->benefit / s->effort) : high;
    }
    for (int i = 0; i < DOUBLINGS_MAX && dual_at(d, 2.0 * high) < dual_at(d, high); i++) {
        high *= 2.0;
    }
    high *= 2.0;
    const double inner = golden_minimise(dual_value_at, d, 0.0, high, GOLDEN_STEPS);
    return dual_at(d, 0.0) <= dual_at(d, inner) ? 0.0 : inner;
}

enum hk_status hk_migration_prices(const struct hk_service *services, size_t n,
                                   const struct hk_budgets *budgets,
                                   struct hk_shadow_prices *out)
{
    if (!out || !services_valid(services, n) || !budgets_valid(budgets)) {
        return HK_EINVAL;
    }
    const struct dual d = {.services = services, .n = n, .budgets = *budgets};
    const double alpha = best_alpha(&d);
    const double beta = best_beta(&d, alpha);
    *out = (struct hk_shadow_prices){alpha, beta, dual_value(&d, alpha, beta)};
    return HK_OK;
}

static bool fits(const struct hk_selection *taken, const struct hk_service *s,
                 const struct hk_budgets *budgets)
{
    return taken->effort + s->effort <= within(budgets->effort) &&
           taken->performance + s->performance <= within(budgets->performance);
}

enum hk_status hk_migration_greedy(const struct hk_service *services, size_t n,
                                   const struct hk_budgets *budgets,
                                   const struct hk_shadow_prices *prices,
                                   struct hk_selection *out)
{
    if (!out || !prices || !services_valid(services, n) || !budgets_valid(budgets) ||
        !check_not_negative(prices->alpha) || !check_not_negative(prices->beta)) {
        return HK_EINVAL;
    }
    double keys[HK_SERVICES_MAX] = {0};
    size_t order[HK_SERVICES_MAX];
    for (size_t i = 0; i < n; i++) {
        const double price =
            prices->alpha * services[i].effort + prices->beta * services[i].performance;
        /* Free ones first, then benefit per price; what brings no benefit last. */
        keys[i] = price > 0.0 ? -services[i].benefit / price : -INFINITY;
        keys[i] = services[i].benefit > 0.0 ? keys[i] : INFINITY;
    }
    order_by(keys, n, order);
    struct hk_selection taken = {0};
    for (size_t k = 0; k < n; k++) {
        const struct hk_service *s = &services[order[k]];
        if (s->benefit > 0.0 && fits(&taken, s, budgets)) {
            taken = selection_of(services, n, taken.in_server | UINT64_C(1) << order[k]);
        }
    }
    *out = taken;
    return HK_OK;
}

/* Depth-first search; services in descending order of what a wrong decision costs. */
struct search {
    const struct hk_service *services;
    size_t n;
    const struct hk_budgets *budgets;
    struct hk_shadow_prices prices;
    size_t order[HK_SERVICES_MAX];
    double gain_left[HK_SERVICES_MAX + 1]; /* most negative performance still to come */
    uint64_t nodes_left;
    struct hk_selection best;
};

static void descend(struct search *search, size_t depth, struct hk_selection taken, double bound)
{
    if (search->nodes_left == 0 || !(bound > search->best.benefit) ||
        taken.effort > within(search->budgets->effort) ||
        taken.performance + search->gain_left[depth] >
            within(search->budgets->performance)) {
        return;
    }
    search->nodes_left--;
    if (depth == search->n) {
        if (taken.benefit > search->best.benefit) {
            search->best = taken;
        }
        return;
    }
    const size_t i = search->order[depth];
    const struct hk_service *s = &search->services[i];
    const double reduced =
        reduced_benefit(s, search->prices.alpha, search->prices.beta);
    struct hk_selection with = taken;
    with.in_server |= UINT64_C(1) << i;
    with.benefit += s->benefit;
    with.effort += s->effort;
    with.performance += s->performance;
    /* The bound counts what pays at these prices; deciding against the prices costs the rest. */
    if (reduced > 0.0) {
        descend(search, depth + 1, with, bound);
        descend(search, depth + 1, taken, bound - reduced);
    } else {
        descend(search, depth + 1, taken, bound);
        descend(search, depth + 1, with, bound + reduced);
    }
}

enum hk_status hk_migration_select(const struct hk_service *services, size_t n,
                                   const struct hk_budgets *budgets, uint64_t node_limit,
                                   struct hk_selection *out)
{
    if (!out || node_limit == 0) {
        return HK_EINVAL;
    }
    struct search search = {
        .services = services, .n = n, .budgets = budgets, .nodes_left = node_limit};
    enum hk_status status = hk_migration_prices(services, n, budgets, &search.prices);
    if (status == HK_OK) {
        status = hk_migration_greedy(services, n, budgets, &search.prices, &search.best);
    }
    if (status != HK_OK) {
        return status;
    }
    double keys[HK_SERVICES_MAX] = {0};
    for (size_t i = 0; i < n; i++) {
        keys[i] =
            -fabs(reduced_benefit(&services[i], search.prices.alpha, search.prices.beta));
    }
    order_by(keys, n, search.order);
    for (size_t depth = n; depth > 0; depth--) {
        search.gain_left[depth - 1] = search.gain_left[depth] +
                                      fmin(0.0, services[search.order[depth - 1]].performance);
    }
    descend(&search, 0, (struct hk_selection){0}, search.prices.bound);
    *out = selection_of(services, n, search.best.in_server);
    out->proven = search.nodes_left > 0;
    return HK_OK;
}

/* Sums of all subsets of up to half of the services. */
static void subset_sums(const struct hk_service *services, size_t n, struct hk_service *sums)
{
    sums[0] = (struct hk_service){0};
    for (size_t i = 0; i < n; i++) {
        for (size_t m = 0; m < (size_t)1 << i; m++) {
            struct hk_service *sum = &sums[m | (size_t)1 << i];
            *sum = sums[m];
            sum->benefit += services[i].benefit;
            sum->effort += services[i].effort;
            sum->performance += services[i].performance;
        }
    }
}

enum hk_status hk_migration_enumerate(const struct hk_service *services, size_t n,
                                      const struct hk_budgets *budgets,
                                      struct hk_selection *out)
{
    if (!out || !services_valid(services, n) || !budgets_valid(budgets)) {
        return HK_EINVAL;
    }
    if (n > HK_ENUMERATED_MAX) {
        return HK_ETOOBIG;
    }
    /* A set is a low and a high half: two look-ups and no drift of running sums. */
    const size_t low_bits = n / 2;
    const size_t low_count = (size_t)1 << low_bits;
    const size_t high_count = (size_t)1 << (n - low_bits);
    struct hk_service *low = malloc((low_count + high_count) * sizeof *low);
    if (!low) {
        return HK_ENOMEM;
    }
    struct hk_service *high = low + low_count;
    subset_sums(services, low_bits, low);
    subset_sums(services + low_bits, n - low_bits, high);
    const double effort = within(budgets->effort);
    const double performance = within(budgets->performance);
    double most = 0.0;
    uint64_t best = 0;
    for (size_t h = 0; h < high_count; h++) {
        for (size_t l = 0; l < low_count; l++) {
            const double benefit = low[l].benefit + high[h].benefit;
            if (benefit > most && low[l].effort + high[h].effort <= effort &&
                low[l].performance + high[h].performance <= performance) {
                most = benefit;
                best = (uint64_t)h << low_bits | l;
            }
        }
    }
    free(low);
    *out = selection_of(services, n, best);
    out->proven = true;
    return HK_OK;
}
