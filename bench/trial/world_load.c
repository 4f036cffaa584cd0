/* SPDX-License-Identifier: MIT */
/*
 * F3 under load. No run measures waits yet, so a queue is simulated by Lindley's recursion and
 * what the formulas of waiting say is judged by the rule that judges all formulas.
 */
#include <math.h>
#include <stdlib.h>

#include "hk/base/units.h"
#include "hk/model/queue.h"
#include "hk/stats/equivalence.h"
#include "hk/stats/summary.h"
#include "world.h"

enum { LOADS = 6, LAWS = 3 };

static const double service_ns = 211e3;
static const double margin = 0.10; /* the acceptance table's */

/* Services of equal mean: constant, exponential, and one in ten much longer. */
static double draw_service(struct hk_rng *rng, size_t law)
{
    static const double rare = 0.1, ratio = 6;
    const double mean = service_ns / (1 - rare + rare * ratio);

    if (law == 0)
        return service_ns;
    if (law == 1)
        return hk_rng_exponential(rng, service_ns);
    return hk_rng_exponential(rng, hk_rng_uniform(rng) < rare ? ratio * mean : mean);
}

struct trace {
    size_t count;
    double *gap_ns;
    double *service_ns;
};

/* Mean wait of one launch, and what is known of its load from another one. */
static enum hk_status measure(struct hk_world *w, struct trace *t, size_t law, double rho,
                              double *wait_ns, struct hk_queue_load *load)
{
    struct hk_estimate gap, service, wait;

    for (size_t i = 0; i < t->count; i++) {
        t->gap_ns[i] = hk_rng_exponential(w->rng, service_ns / rho);
        t->service_ns[i] = draw_service(w->rng, law);
    }
    enum hk_status status = hk_mean_estimate(t->gap_ns, t->count, &gap);
    if (status == HK_OK)
        status = hk_mean_estimate(t->service_ns, t->count, &service);
    if (status == HK_OK)
        status = hk_queue_replay(t->gap_ns, t->service_ns, t->count, t->gap_ns);
    if (status == HK_OK)
        status = hk_mean_estimate(t->gap_ns, t->count, &wait);
    if (status != HK_OK)
        return status;
    const double cv = service.standard_error * sqrt((double)t->count) / service.value;
    *wait_ns = wait.value;
    *load = (struct hk_queue_load){
        .arrivals_per_s = {HK_NS_PER_S / gap.value, 0, t->count},
        .service_ns = {service.value, 0, t->count},
        .arrival_cv2 = 1,
        .service_cv2 = cv * cv,
    };
    return HK_OK;
}

/* One law of service at all loads: predicted from one trace, measured in another. */
static enum hk_status compare(struct hk_world *w, struct trace *t, size_t law,
                              double errors[LOADS])
{
    static const double rhos[LOADS] = {0.3, 0.4, 0.5, 0.6, 0.65, 0.7};
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < LOADS && status == HK_OK; i++) {
        struct hk_queue_load known, other;
        struct hk_estimate predicted = {0};
        double ignored, measured = 0;
        status = measure(w, t, law, rhos[i], &ignored, &known);
        if (status == HK_OK)
            status = measure(w, t, law, rhos[i], &measured, &other);
        if (status == HK_OK)
            status = hk_queue_wait_poisson(&known, &predicted);
        errors[i] = status == HK_OK ? log(predicted.value / measured) : 0;
    }
    return status;
}

static enum hk_status judge_law(struct hk_world *w, struct trace *t, size_t law,
                                struct hk_judge *judge)
{
    static const char *const regimes[LAWS] = {"trial/load/constant", "trial/load/exponential",
                                              "trial/load/mixed"};
    struct hk_evidence evidence = {.formula = "F3", .regime = regimes[law],
                                   .scale = HK_ERROR_LN_RATIO, .sample_count = LOADS};
    struct hk_verdict verdict;
    double errors[LOADS];

    enum hk_status status = compare(w, t, law, errors);
    if (status == HK_OK)
        status = hk_equivalence_test(errors, LOADS, margin, 0.05, &evidence.error);
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

enum hk_status hk_judge_load(struct hk_world *w, struct hk_judge *judge)
{
    struct trace t = {.count = 4 * w->plan->wake_count};
    enum hk_status status = HK_ENOMEM;

    t.gap_ns = malloc(t.count * sizeof *t.gap_ns);
    t.service_ns = malloc(t.count * sizeof *t.service_ns);
    if (t.gap_ns != NULL && t.service_ns != NULL)
        status = HK_OK;
    for (size_t law = 0; law < LAWS && status == HK_OK; law++)
        status = judge_law(w, &t, law, judge);
    free(t.gap_ns);
    free(t.service_ns);
    return status;
}
