/* SPDX-License-Identifier: MIT */
/*
 * F3: T_u = 4 c_ipc + 4 c_copy + t_u, and its generalisation to chains.
 *
 * Trained on round trips and on chains of one and two servers at the training
 * sizes; tested on chains of two to five servers at other sizes. The service
 * does nothing (t = 0): what is tested is the crossing. Costs are the launches'
 * 10 % quantiles of block means. The coefficients 2 and 4 are tested by
 * injection: a known delay before each send must come back multiplied. Both are
 * asked of the scheduler as it is, and under SCHED_BATCH, where a hop is one switch; and of a
 * stock kernel that is counted (linux/...), where a nanosecond is one instruction.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/copy_curve.h"
#include "hk/model/latency.h"
#include "hk/stats/line.h"

enum { SIZES = 4, CHAIN_MIN = 2, CHAIN_MAX = 5 };

/* Where the formula is tried; names up to the number of servers or bytes. */
struct f3_regime {
    const char *subject; /* of its parameters */
    const char *text;
    const char *one_server; /* a round trip, or a chain of one server */
    const char *chain;
    const char *self; /* the kernel path that c_sys comes from, up to the bytes */
};

/* As the scheduler does it by itself, and under SCHED_BATCH. */
#define NATIVE(transport)                                                                     \
    {transport, "native/" transport "/same_core",                                             \
     "native/round_trip/" transport "/place:same_core",                                       \
     "native/chain/" transport "/place:same_core", "native/syscall/" transport "_self"},      \
    {transport "_batch", "native/" transport "/same_core/batch",                              \
     "native/chain/" transport "/place:same_core/policy:batch/servers:1",                     \
     "native/chain/" transport "/place:same_core/policy:batch",                               \
     "native/syscall/" transport "_self"}
#define COUNTED(transport)                                                                    \
    {"linux_" transport, "linux/" transport, "linux/round_trip/" transport "/place:same_core",  \
     "linux/chain/" transport "/place:same_core", "linux/syscall/" transport "_self"}

static const struct f3_regime regimes[] = {
    NATIVE("pipe"),        NATIVE("unix_seqpacket"), NATIVE("unix_stream"),
    NATIVE("eventfd_shm"), NATIVE("futex_ring"),     COUNTED("pipe"),
    COUNTED("unix_seqpacket"),
};
static const int training_bytes[SIZES] = {1, 4096, 16384, 65536};
static const int held_out_bytes[] = {64,   256,  512,   1024,  2048,  3072,
                                     6144, 8192, 12288, 24576, 32768, 49152};

static const double time_margin = 0.05;        /* 5 % */
static const double coefficient_margin = 0.02; /* 2.00 +- 0.04, 4.00 +- 0.08 */

/* What the training cells of one transport give. */
struct f3_fit {
    struct hk_estimate c_ipc_ns;
    struct hk_copy_curve one_way; /* half a round trip, over bytes */
    struct hk_copy_curve chain[CHAIN_MIN]; /* chains of 1 and 2 servers, over bytes */
    bool has_chain;
    bool exact; /* all of these cells were counted, and repeat */
};

/* Cost over size from the training cells; scale turns a round trip into one way. */
static enum hk_status fit_curve(const struct hk_run *run, const char *prefix, double scale,
                                struct hk_copy_curve *curve, bool *exact)
{
    static const size_t breaks_max = 1; /* four sizes carry one break */
    double bytes[SIZES * HK_LAUNCHES_MAX];
    double cost_ns[SIZES * HK_LAUNCHES_MAX];
    struct hk_cell_values cell;
    size_t n = 0;

    for (size_t s = 0; s < SIZES; s++) {
        if (hk_cell_read_cost(run, &cell, "%s/bytes:%d", prefix, training_bytes[s]) != HK_OK)
            return HK_ENOENT;
        *exact = *exact && cell.exact;
        for (size_t i = 0; i < cell.count; i++, n++) {
            bytes[n] = training_bytes[s];
            cost_ns[n] = scale * cell.values[i];
        }
    }
    return hk_copy_curve_fit(bytes, cost_ns, n, breaks_max, curve);
}

static enum hk_status fit_regime(const struct hk_run *run, const struct f3_regime *regime,
                                 struct f3_fit *fit)
{
    char prefix[HK_NAME_BYTES];
    struct hk_cell_values cell;

    enum hk_status status = hk_cell_read_cost(run, &cell, "%s/bytes:1", regime->one_server);
    if (status != HK_OK)
        return status;
    status = hk_cell_mean(&cell, &fit->c_ipc_ns);
    fit->c_ipc_ns.value /= 2;
    fit->c_ipc_ns.standard_error /= 2;
    fit->exact = cell.exact;
    if (status == HK_OK)
        status = fit_curve(run, regime->one_server, 0.5, &fit->one_way, &fit->exact);
    fit->has_chain = status == HK_OK;
    for (int m = 1; m <= CHAIN_MIN && fit->has_chain; m++) {
        snprintf(prefix, sizeof prefix, "%s/servers:%d", regime->chain, m);
        fit->has_chain = fit_curve(run, prefix, 1, &fit->chain[m - 1], &fit->exact) == HK_OK;
    }
    return status;
}

static enum hk_status add_curve(struct hk_judge *judge, const char *subject, const char *what,
                                const struct hk_copy_curve *curve, const char *source)
{
    char name[HK_NAME_BYTES];
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < 2 + curve->break_count && status == HK_OK; i++) {
        const struct hk_estimate term = {curve->terms[i], sqrt(curve->covariance[i][i]),
                                         curve->count};
        snprintf(name, sizeof name, "F3/%s/%s_%s%zu", subject, what,
                 i == 0 ? "at_0_ns_" : "ns_per_byte_", i);
        status = hk_judge_add_estimate(judge, name, &term, source);
    }
    for (size_t i = 0; i < curve->break_count && status == HK_OK; i++) {
        const struct hk_estimate at = {curve->break_bytes[i], 0, curve->count};
        snprintf(name, sizeof name, "F3/%s/%s_break_bytes_%zu", subject, what, i + 1);
        status = hk_judge_add_estimate(judge, name, &at, source);
    }
    return status;
}

/* c_sys: a write and a read of a few bytes on the process's own pipe are two entries. */
static enum hk_status add_c_sys(const struct hk_run *run, const struct f3_regime *r,
                                struct hk_judge *judge)
{
    struct hk_cell_values cell;
    struct hk_estimate c_sys;
    char name[HK_NAME_BYTES];

    if (hk_cell_read_cost(run, &cell, "%s/bytes:64", r->self) != HK_OK ||
        hk_cell_mean(&cell, &c_sys) != HK_OK)
        return HK_OK; /* not measured in this run */
    c_sys.value /= 2;
    c_sys.standard_error /= 2;
    snprintf(name, sizeof name, "F3/%s/c_sys_ns", r->subject);
    return hk_judge_add_estimate(judge, name, &c_sys, cell.cell);
}

/* A hop among three spaces: a chain of two servers has four of them. */
static enum hk_status add_hop_parameter(const struct f3_fit *fit, const struct f3_regime *r,
                                        struct hk_judge *judge)
{
    char name[HK_NAME_BYTES];
    char source[HK_NAME_BYTES];
    struct hk_estimate hop;

    if (!fit->has_chain || hk_copy_curve_predict(&fit->chain[1], 1, 0.95, &hop, NULL) != HK_OK)
        return HK_OK; /* not measured in this run */
    hop.value /= 4;
    hop.standard_error /= 4;
    snprintf(name, sizeof name, "F3/%s/hop_ns", r->subject);
    snprintf(source, sizeof source, "%s/servers:2/bytes:*", r->chain);
    return hk_judge_add_estimate(judge, name, &hop, source);
}

enum hk_status hk_f3_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    (void)rng; /* closed forms only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(regimes); i++) {
        const struct f3_regime *r = &regimes[i];
        struct f3_fit fit;
        char name[HK_NAME_BYTES];
        char source[HK_NAME_BYTES];
        enum hk_status status = fit_regime(training, r, &fit);
        if (status == HK_ENOENT || status == HK_ENOISE)
            continue;
        if (status == HK_OK)
            status = add_c_sys(training, r, judge);
        snprintf(source, sizeof source, "%s/bytes:*", r->one_server);
        snprintf(name, sizeof name, "F3/%s/c_ipc_ns", r->subject);
        if (status == HK_OK)
            status = hk_judge_add_estimate(judge, name, &fit.c_ipc_ns, source);
        if (status == HK_OK)
            status = add_curve(judge, r->subject, "one_way", &fit.one_way, source);
        if (status == HK_OK)
            status = add_hop_parameter(&fit, r, judge);
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

/* The textbook: 2 m transfers, each c_ipc + c_copy(L). */
static enum hk_status predict_textbook(const struct f3_fit *fit, int servers, double bytes,
                                       struct hk_estimate *out)
{
    struct hk_latency_law law;
    struct hk_estimate one_way;
    enum hk_status status = hk_latency_chain_law((unsigned)servers, &law);

    if (status == HK_OK)
        status = hk_copy_curve_predict(&fit->one_way, bytes, 0.95, &one_way, NULL);
    if (status != HK_OK)
        return status;
    const double var_ipc = fit->c_ipc_ns.standard_error * fit->c_ipc_ns.standard_error;
    const double var_way = one_way.standard_error * one_way.standard_error;
    const struct hk_latency_costs costs = {
        .c_ipc_ns = fit->c_ipc_ns,
        /* The increment of a transferred message: the difference of two fitted costs. */
        .c_copy_ns = {one_way.value - fit->c_ipc_ns.value, sqrt(var_ipc + var_way),
                      one_way.count},
        .t_user_ns = {0, 0, fit->c_ipc_ns.count},
        .t_kernel_ns = {0, 0, fit->c_ipc_ns.count},
        .c_sys_ns = {0, 0, fit->c_ipc_ns.count},
        .ipc_copy_covariance_ns2 = -var_ipc,
    };
    return hk_latency_user(&law, &costs, out);
}

/*
 * Stronger: hops learnt from chains of one and two servers. A third address space makes a hop
 * dearer. Either each further server adds what the second one added, or all hops of a chain of
 * three spaces and more cost alike, because going back to the space left last is the cheap case
 * that only a single server has in all its hops.
 */
enum f3_stronger { INCREMENTAL, ALIKE, STRONGER };

static const char *const stronger_names[] = {
    [INCREMENTAL] = "incremental hop",
    [ALIKE] = "hop among three spaces",
};

/* The cost per further server, ns, and how it varies with those of one and two. */
static void add_hop(enum f3_stronger model, const struct hk_estimate *one, double var_two_ns2,
                    struct hk_hop_model *hops)
{
    if (model == ALIKE) {
        hops->hop_ns = hops->two_servers_ns / 2;
        hops->var_hop_ns2 = var_two_ns2 / 4;
        hops->covariance_ns2 = var_two_ns2 / 2;
    } else {
        hops->hop_ns = hops->two_servers_ns - one->value;
        hops->var_hop_ns2 = one->standard_error * one->standard_error + var_two_ns2;
        hops->covariance_ns2 = var_two_ns2;
    }
}

static enum hk_status predict_stronger(const struct f3_fit *fit, enum f3_stronger model,
                                       int servers, double bytes, struct hk_estimate *mean,
                                       struct hk_interval *interval)
{
    struct hk_estimate one;
    struct hk_estimate two;
    struct hk_prediction prediction;
    enum hk_status status =
        hk_copy_curve_predict(&fit->chain[1], bytes, 0.95, &two, interval);

    if (status == HK_OK)
        status = hk_copy_curve_predict(&fit->chain[0], bytes, 0.95, &one, NULL);
    if (status != HK_OK || servers == 2) {
        *mean = two;
        return status;
    }
    const double var_two = two.standard_error * two.standard_error;
    struct hk_hop_model hops = {
        .two_servers_ns = two.value,
        .var_two_servers_ns2 = var_two,
        .launch_sd_ns = fit->chain[1].relative_sd * two.value,
        .count = two.count < one.count ? two.count : one.count,
    };
    add_hop(model, &one, var_two, &hops);
    status = hk_hop_predict(&hops, (unsigned)servers, 0.95, &prediction);
    if (status == HK_OK) {
        *mean = prediction.mean;
        *interval = prediction.interval;
    }
    return status;
}

struct f3_errors {
    struct hk_errors textbook;
    struct hk_errors stronger[STRONGER];
    bool timed; /* a cell of them was not counted exactly */
};

static enum hk_status compare_one(struct hk_errors *errors, struct hk_judge *judge,
                                  struct hk_comparison *c, const char *model,
                                  const struct hk_estimate *mean,
                                  const struct hk_interval *interval)
{
    snprintf(c->model, sizeof c->model, "%s", model);
    c->predicted = mean->value;
    c->lower = fmin(interval->lower, mean->value);
    c->upper = fmax(interval->upper, mean->value);
    return hk_errors_add(errors, judge, c);
}

/* One held-out cell: measured, and predicted by all models. */
static enum hk_status compare_cell(const struct hk_run *target, const struct f3_fit *fit,
                                   const struct f3_regime *regime, int servers, int bytes,
                                   struct f3_errors *errors, struct hk_judge *judge)
{
    struct hk_cell_values cell;
    struct hk_estimate measured;
    struct hk_estimate mean;
    struct hk_interval interval;
    struct hk_comparison c = {.formula = "F3", .quantity = "cost_ns"};

    if (hk_cell_read_cost(target, &cell, "%s/servers:%d/bytes:%d", regime->chain, servers,
                     bytes) != HK_OK ||
        hk_cell_mean(&cell, &measured) != HK_OK)
        return HK_OK; /* not in this run */
    errors->timed |= !cell.exact;
    interval = hk_interval_95(&measured);
    snprintf(c.regime, sizeof c.regime, "%s", regime->text);
    snprintf(c.cell, sizeof c.cell, "%s", cell.cell);
    c.measured = measured.value;
    c.measured_lower = interval.lower;
    c.measured_upper = interval.upper;

    enum hk_status status = predict_textbook(fit, servers, bytes, &mean);
    interval = hk_interval_95(&mean);
    if (status == HK_OK)
        status = compare_one(&errors->textbook, judge, &c, "textbook", &mean, &interval);
    for (enum f3_stronger m = 0; m < STRONGER && status == HK_OK && fit->has_chain; m++) {
        status = predict_stronger(fit, m, servers, bytes, &mean, &interval);
        if (status == HK_OK)
            status = compare_one(&errors->stronger[m], judge, &c, stronger_names[m], &mean,
                                 &interval);
    }
    return status;
}

/* The assumption behind 2 m c_ipc: a hop costs the same in any chain. */
static struct hk_assumption hop_assumption(const struct f3_fit *fit)
{
    struct hk_estimate one = {0};
    struct hk_estimate two = {0};
    struct hk_assumption a = {.name = "second server's cost over the first's", .unit = "",
                              .expected = 1, .tolerance = time_margin, .value = 1,
                              .interval = {1, 1, 0.95}};

    if (!fit->has_chain ||
        hk_copy_curve_predict(&fit->chain[0], 1, 0.95, &one, NULL) != HK_OK ||
        hk_copy_curve_predict(&fit->chain[1], 1, 0.95, &two, NULL) != HK_OK)
        return a;
    const double relative_one = one.standard_error / one.value;
    const double relative_two = two.standard_error / two.value;
    const double ratio = two.value / one.value;
    const double half = fit->exact ? 0 : HK_Z_95 * ratio * hypot(relative_one, relative_two);
    a.value = ratio - 1;
    a.interval = (struct hk_interval){a.value - half, a.value + half, 0.95};
    return a;
}

static enum hk_status judge_times(const struct f3_fit *fit, const char *regime,
                                  const struct f3_errors *errors, struct hk_judge *judge)
{
    const struct hk_assumption assumption = hop_assumption(fit);
    struct hk_model_result stronger[STRONGER];
    struct hk_evidence evidence = {
        .formula = "F3",
        .regime = regime,
        .scale = HK_ERROR_LN_RATIO,
        .assumptions = &assumption,
        .assumption_count = fit->has_chain ? 1 : 0,
        .replacements = stronger,
        .sample_count = errors->textbook.count,
        .exact = fit->exact && !errors->timed,
    };
    enum hk_status (*const test)(const struct hk_errors *, double, struct hk_equivalence *) =
        evidence.exact ? hk_errors_test_worst : hk_errors_test;
    struct hk_verdict verdict;

    if (errors->textbook.count == 0)
        return HK_OK; /* no chain of this transport in this run */
    enum hk_status status = test(&errors->textbook, time_margin, &evidence.error);
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, "F3", regime,
                                      "fewer than 3 held-out chains were measured");
    for (enum f3_stronger m = 0; m < STRONGER && status == HK_OK && fit->has_chain; m++) {
        const struct hk_errors *e = &errors->stronger[m];
        stronger[m] = (struct hk_model_result){.name = stronger_names[m]};
        status = test(e, time_margin, &stronger[m].error);
        evidence.replacement_count = STRONGER;
    }
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

/* The slopes of an injection, one per launch: all delays took turns in it. */
struct f3_slopes {
    size_t count;
    bool exact;
    double values[HK_LAUNCHES_MAX];
    double line_errors[HK_LAUNCHES_MAX]; /* how far the launch's points are off its line */
};

/* A neighbour of the core slows some delays' blocks and not others: such launches do not count. */
static enum hk_status read_slopes(const struct hk_run *run, const char *cell,
                                  struct f3_slopes *slopes)
{
    const struct hk_launch *first = NULL;
    size_t launches = 0;
    const enum hk_status status = hk_run_cell(run, cell, &first, &launches);

    slopes->count = 0;
    slopes->exact = true;
    for (size_t i = 0; i < launches && slopes->count < HK_LAUNCHES_MAX; i++) {
        const struct hk_series *x = hk_launch_series(&first[i], "delay_ns");
        const struct hk_series *y = hk_launch_series(&first[i], "delay_cost_ns");
        struct hk_line line;
        if (first[i].state != HK_LAUNCH_OK || hk_launch_disturbed(&first[i]) ||
            hk_launch_slow(&first[i]) || x == NULL || y == NULL || x->count != y->count ||
            hk_line_fit(x->values, y->values, NULL, x->count, &line) != HK_OK)
            continue;
        slopes->exact = slopes->exact && first[i].exactness == HK_EXACT;
        slopes->line_errors[slopes->count] = sqrt(line.var_slope);
        slopes->values[slopes->count++] = line.slope;
    }
    return status;
}

/* One structural coefficient, and the cell that shows it. */
struct f3_injection {
    const char *cell;
    const char *regime;
    double claimed;
};

static const struct f3_injection injections[] = {
    {"native/inject/pipe/place:same_core/servers:1/bytes:64",
     "native/pipe/coefficient of one server", 2},
    {"native/inject/pipe/place:same_core/servers:2/bytes:64",
     "native/pipe/coefficient of two servers", 4},
    {"native/inject/pipe/place:same_core/policy:batch/servers:1/bytes:64",
     "native/pipe/batch/coefficient of one server", 2},
    {"native/inject/pipe/place:same_core/policy:batch/servers:2/bytes:64",
     "native/pipe/batch/coefficient of two servers", 4},
    {"native/inject/unix_seqpacket/place:same_core/servers:1/bytes:64",
     "native/unix_seqpacket/coefficient of one server", 2},
    {"native/inject/unix_seqpacket/place:same_core/servers:2/bytes:64",
     "native/unix_seqpacket/coefficient of two servers", 4},
    {"native/inject/unix_seqpacket/place:same_core/policy:batch/servers:1/bytes:64",
     "native/unix_seqpacket/batch/coefficient of one server", 2},
    {"native/inject/unix_seqpacket/place:same_core/policy:batch/servers:2/bytes:64",
     "native/unix_seqpacket/batch/coefficient of two servers", 4},
    {"native/inject_syscall/pipe_self/bytes:64", "native/pipe/coefficient of the kernel path", 2},
    {"linux/inject/pipe/place:same_core/servers:1/bytes:64", "linux/pipe/coefficient of one server",
     2},
    {"linux/inject/pipe/place:same_core/servers:2/bytes:64",
     "linux/pipe/coefficient of two servers", 4},
    {"linux/inject_syscall/pipe_self/bytes:64", "linux/pipe/coefficient of the kernel path", 2},
};

/* Slope and its interval, which is a point where launches are exact. */
static enum hk_status test_slopes(const struct f3_slopes *slopes, double claimed,
                                  double *value, struct hk_interval *interval)
{
    static const double confidence = 0.90;
    struct hk_coefficient c;

    if (slopes->exact && slopes->count > 0) {
        *value = slopes->values[0];
        *interval = (struct hk_interval){*value, *value, confidence};
        return HK_OK;
    }
    const enum hk_status status =
        hk_coefficient_test(slopes->values, slopes->line_errors, slopes->count, claimed,
                            confidence, &c);
    if (status == HK_OK) {
        *value = c.value;
        *interval = c.interval;
    }
    return status;
}

static enum hk_status judge_coefficient(const struct hk_run *target,
                                        const struct f3_injection *injection,
                                        struct hk_judge *judge)
{
    struct f3_slopes slopes;
    struct hk_interval slope_interval;
    double slope;
    struct hk_evidence evidence = {.formula = "F3", .regime = injection->regime,
                                   .scale = HK_ERROR_LN_RATIO};
    struct hk_verdict verdict;

    if (read_slopes(target, injection->cell, &slopes) != HK_OK)
        return HK_OK; /* not in this run */
    evidence.sample_count = slopes.count;
    evidence.exact = slopes.exact;
    enum hk_status status = test_slopes(&slopes, injection->claimed, &slope, &slope_interval);
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, "F3", injection->regime,
                                      "fewer than 3 launches that were neither disturbed nor slow");
    if (status != HK_OK)
        return status;
    if (slope_interval.lower <= 0)
        return hk_judge_add_undecided(judge, "F3", injection->regime,
                                      "the slope is not even surely positive");
    /* Predicted over measured, as everywhere. */
    const struct hk_interval interval = {log(injection->claimed / slope_interval.upper),
                                         log(injection->claimed / slope_interval.lower), 0.90};
    status = hk_equivalence_from_interval(log(injection->claimed / slope), &interval,
                                          coefficient_margin, &evidence.error);
    if (status == HK_OK)
        status = hk_verdict_decide(&evidence, &verdict);
    return status == HK_OK ? hk_judge_add_verdict(judge, &verdict) : status;
}

static enum hk_status judge_regime(const struct hk_run *training, const struct hk_run *target,
                                   const struct f3_regime *regime, struct hk_judge *judge)
{
    struct f3_fit fit;
    struct f3_errors errors = {0};
    enum hk_status status = fit_regime(training, regime, &fit);

    if (status == HK_ENOENT)
        return HK_OK;
    if (status == HK_ENOISE)
        return hk_judge_add_undecided(judge, "F3", regime->text,
                                      "too few launches to fit the costs");
    for (int m = CHAIN_MIN; m <= CHAIN_MAX && status == HK_OK; m++)
        for (size_t s = 0; s < HK_ARRAY_COUNT(held_out_bytes) && status == HK_OK; s++)
            status = compare_cell(target, &fit, regime, m, held_out_bytes[s], &errors, judge);
    return status == HK_OK ? judge_times(&fit, regime->text, &errors, judge) : status;
}

enum hk_status hk_f3_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* closed forms only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(regimes) && status == HK_OK; i++)
        status = judge_regime(training, target, &regimes[i], judge);
    for (size_t i = 0; i < HK_ARRAY_COUNT(injections) && status == HK_OK; i++)
        status = judge_coefficient(target, &injections[i], judge);
    return status;
}
