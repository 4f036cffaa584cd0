/* SPDX-License-Identifier: MIT */
/*
 * F4: T = 2 / (1 + beta + 2 alpha), the throughput of a file system in a server over that of
 * the kernel's, for reads of different sizes.
 *
 * The kernel's costs are trained on every second size: b is a read of one byte, k what the
 * payload adds. A transfer, i, is half a round trip of one byte through a pipe. A server that
 * replies with bytes has them copied as the kernel has (beta = 1); for one that replies with
 * pages, z is what remapping as many costs. Predicted are the sizes in between, and the size from
 * which pages are faster, T = 1: what a copy costs more than a remap pays for two transfers there.
 *
 * A third model takes nothing from elsewhere: beta and alpha are this server's own at each size,
 * z + 2 i being what it costs beyond b at the sizes in training.
 */
#include <math.h>
#include <stdio.h>

#include "contest.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/copy_curve.h"
#include "hk/model/throughput.h"

enum { TRAINING = 6, HELD_OUT = 8, EMPTY_BYTES = 1, TYPICAL_BYTES = 32768 };

static const double margin = 0.10;
static const double share_tolerance = 0.05;
static const size_t breaks_max = 2;
static const int training_bytes[TRAINING] = {EMPTY_BYTES, 4096, 16384, 65536, 262144, 1048576};
static const int held_out_bytes[HELD_OUT] = {8192,   24576,  32768,  49152,
                                             131072, 196608, 524288, 786432};

static const char kernel_cells[] = "native/file_read/tmpfs";
static const char remap_cells[] = "native/remap/mremap";
static const char transfer_cell[] = "native/round_trip/pipe/place:same_core/bytes:1";

static const struct f4_case {
    const char *regime;
    const char *cells;
    bool remaps; /* instead of copying */
    size_t first; /* of the training sizes that it is measured at: up to a page is copied */
} cases[] = {
    {"native/file read/reply of bytes", "native/file_read/fuse/cache:direct", false, 0},
    {"native/file read/reply of pages",
     "native/file_read/fuse/cache:direct/reply:splice", true, 2},
};

enum model { TEXTBOOK, OWN_SHARE, OWN_CURVE, MODELS };
static const char *const model_names[MODELS] = {"textbook", "with the copy's own share",
                                                "this server's own beta and alpha"};

struct f4_fit {
    struct hk_copy_curve kernel; /* b + k over bytes */
    struct hk_copy_curve remap;
    struct hk_estimate transfer_ns;
    bool has_remap;
};

/* Costs over bytes, from the table's sizes without the first few. HK_ENOENT, HK_ENOISE. */
static enum hk_status fit_curve(const struct hk_run *run, const char *cells, size_t first,
                                struct hk_copy_curve *curve)
{
    double bytes[TRAINING * HK_LAUNCHES_MAX], cost_ns[TRAINING * HK_LAUNCHES_MAX];
    struct hk_cell_values cell;
    size_t n = 0;

    for (size_t s = first; s < TRAINING; s++) {
        if (hk_cell_read(run, "cost_ns", &cell, "%s/bytes:%d", cells, training_bytes[s]) != HK_OK)
            return HK_ENOENT;
        for (size_t i = 0; i < cell.count; i++, n++) {
            bytes[n] = training_bytes[s];
            cost_ns[n] = cell.values[i];
        }
    }
    return hk_copy_curve_fit(bytes, cost_ns, n, breaks_max, curve);
}

static enum hk_status fit(const struct hk_run *run, struct f4_fit *f)
{
    struct hk_cell_values cell;

    enum hk_status status = fit_curve(run, kernel_cells, 0, &f->kernel);
    if (status == HK_OK)
        status = hk_cell_read(run, "cost_ns", &cell, "%s", transfer_cell);
    if (status == HK_OK)
        status = hk_cell_mean(&cell, &f->transfer_ns);
    if (status != HK_OK)
        return status;
    f->transfer_ns = hk_estimate_times(&f->transfer_ns, 0.5);
    f->has_remap = fit_curve(run, remap_cells, 1, &f->remap) == HK_OK;
    return HK_OK;
}

/* b, k, z and i at one size. HK_ENOISE when the copy is lost in the noise of the rest. */
static enum hk_status costs_at(const struct f4_fit *f, double bytes, bool remaps,
                               struct hk_throughput_costs *costs)
{
    struct hk_estimate whole;

    *costs = (struct hk_throughput_costs){.transfer_ns = f->transfer_ns};
    enum hk_status status =
        hk_copy_curve_predict(&f->kernel, EMPTY_BYTES, 0.95, &costs->base_ns, NULL);
    if (status == HK_OK)
        status = hk_copy_curve_predict(&f->kernel, bytes, 0.95, &whole, NULL);
    if (status != HK_OK)
        return status;
    const struct hk_estimate less = hk_estimate_times(&costs->base_ns, -1);
    costs->copy_ns = hk_estimate_sum(&whole, &less);
    costs->remap_ns = costs->copy_ns;
    if (remaps)
        status = hk_copy_curve_predict(&f->remap, bytes, 0.95, &costs->remap_ns, NULL);
    if (status == HK_OK && !(costs->copy_ns.value > 0))
        status = HK_ENOISE;
    return status;
}

/* alpha = i / k and beta = z / k; they share k. */
static enum hk_status predict_textbook(const struct hk_throughput_costs *c, bool remaps,
                                       struct hk_estimate *out)
{
    const double k = c->copy_ns.value;
    const double var_k = c->copy_ns.standard_error * c->copy_ns.standard_error;
    const double i = c->transfer_ns.value, z = c->remap_ns.value;
    const double alpha_sd = hypot(c->transfer_ns.standard_error / k, i * sqrt(var_k) / (k * k));
    const double beta_sd = hypot(c->remap_ns.standard_error / k, z * sqrt(var_k) / (k * k));
    const struct hk_estimate alpha = {i / k, alpha_sd, c->copy_ns.count};
    const struct hk_estimate beta = {z / k, remaps ? beta_sd : 0, c->copy_ns.count};

    return hk_throughput_textbook(&alpha, &beta, remaps ? i * z * var_k / (k * k * k * k) : 0,
                                  out);
}

/* Throughput is the inverse of cost: the kernel's mean over each launch of the server's. */
static enum hk_status measure_ratio(const struct hk_run *run, const char *cells, int bytes,
                                    struct hk_cell_values *ratio)
{
    struct hk_cell_values kernel;
    struct hk_estimate mean;

    if (hk_cell_read(run, "cost_ns", &kernel, "%s/bytes:%d", kernel_cells, bytes) != HK_OK ||
        hk_cell_mean(&kernel, &mean) != HK_OK ||
        hk_cell_read(run, "cost_ns", ratio, "%s/bytes:%d", cells, bytes) != HK_OK)
        return HK_ENOENT;
    for (size_t i = 0; i < ratio->count; i++)
        ratio->values[i] = mean.value / ratio->values[i];
    return HK_OK;
}

/* (b + k) / (b + z + 2 i), with what the server itself costs at other sizes. */
static enum hk_status predict_own(const struct f4_fit *f, const struct hk_copy_curve *server,
                                  double bytes, struct hk_estimate *out)
{
    struct hk_estimate kernel, user;

    enum hk_status status = hk_copy_curve_predict(&f->kernel, bytes, 0.95, &kernel, NULL);
    if (status == HK_OK)
        status = hk_copy_curve_predict(server, bytes, 0.95, &user, NULL);
    if (status != HK_OK)
        return status;
    const double ratio = kernel.value / user.value;
    *out = (struct hk_estimate){
        ratio,
        ratio * hypot(kernel.standard_error / kernel.value, user.standard_error / user.value),
        kernel.count < user.count ? kernel.count : user.count};
    return HK_OK;
}

/* server: of its own, NULL where it was measured at too few sizes */
static enum hk_status compare_size(const struct hk_run *target, const struct f4_fit *f,
                                   const struct hk_copy_curve *server,
                                   const struct f4_case *row, int bytes,
                                   struct hk_contest *contest, struct hk_judge *judge)
{
    struct hk_throughput_costs costs;
    struct hk_throughput general;
    struct hk_cell_values ratio;
    struct hk_estimate textbook, own;
    struct hk_comparison c;

    if (measure_ratio(target, row->cells, bytes, &ratio) != HK_OK ||
        hk_contest_measure(contest, &ratio, &c) != HK_OK ||
        costs_at(f, bytes, row->remaps, &costs) != HK_OK)
        return HK_OK; /* not in this run */
    snprintf(c.quantity, sizeof c.quantity, "throughput_ratio");
    enum hk_status status = predict_textbook(&costs, row->remaps, &textbook);
    if (status == HK_OK)
        status = hk_throughput_predict(&costs, &general);
    if (status == HK_OK)
        status = hk_contest_predict(contest, TEXTBOOK, judge, &c, &textbook);
    if (status == HK_OK)
        status = hk_contest_predict(contest, OWN_SHARE, judge, &c, &general.ratio);
    if (status != HK_OK || server == NULL || predict_own(f, server, bytes, &own) != HK_OK)
        return status;
    return hk_contest_predict(contest, OWN_CURVE, judge, &c, &own);
}

/* k(L): what the payload adds to the cost of an operation; the curve less what it has for none. */
static struct hk_copy_curve payload_curve(const struct hk_copy_curve *whole)
{
    struct hk_copy_curve k = *whole;

    k.terms[0] = -EMPTY_BYTES * whole->terms[1];
    for (size_t j = 1; j < HK_CURVE_TERMS_MAX; j++)
        k.covariance[0][j] = k.covariance[j][0] = -EMPTY_BYTES * whole->covariance[1][j];
    k.covariance[0][0] = EMPTY_BYTES * EMPTY_BYTES * whole->covariance[1][1];
    return k;
}

/* L* where k - z = 2 i, which is beta + 2 alpha = 1 too: both models say the same. HK_ERANGE. */
static enum hk_status predict_break_even(const struct f4_fit *f, struct hk_break_even_size *out)
{
    const struct hk_copy_curve copy = payload_curve(&f->kernel);
    const struct hk_throughput_curves curves = {
        .transfer_ns = f->transfer_ns, .copy = &copy, .remap = &f->remap};

    return hk_throughput_break_even(&curves, 0.95, out);
}

/* ln T at one size, with the errors of both costs. HK_ENOENT, HK_ENOISE. */
static enum hk_status measure_log_ratio(const struct hk_run *run, const char *cells, int bytes,
                                        struct hk_estimate *out)
{
    struct hk_cell_values cell;
    struct hk_estimate kernel, server;

    enum hk_status status =
        hk_cell_read(run, "cost_ns", &cell, "%s/bytes:%d", kernel_cells, bytes);
    if (status == HK_OK)
        status = hk_cell_mean(&cell, &kernel);
    if (status == HK_OK)
        status = hk_cell_read(run, "cost_ns", &cell, "%s/bytes:%d", cells, bytes);
    if (status == HK_OK)
        status = hk_cell_mean(&cell, &server);
    if (status != HK_OK)
        return status;
    *out = (struct hk_estimate){
        log(kernel.value / server.value),
        hypot(kernel.standard_error / kernel.value, server.standard_error / server.value),
        kernel.count < server.count ? kernel.count : server.count};
    return HK_OK;
}

/*
 * ln L* as measured: between the first two neighbouring sizes of which the smaller has T < 1 and
 * the larger has not, on the straight line of ln T over ln L. HK_ERANGE when there are none.
 */
static enum hk_status measure_break_even(const struct hk_run *run, const char *cells,
                                         struct hk_estimate *out)
{
    struct hk_estimate below = {0}, above;
    double below_bytes = 0;

    for (size_t s = 0; s < HELD_OUT; s++) {
        if (measure_log_ratio(run, cells, held_out_bytes[s], &above) != HK_OK)
            continue;
        if (above.value >= 0 && below_bytes > 0) {
            const double step = log(held_out_bytes[s] / below_bytes);
            const double rise = above.value - below.value;
            *out = (struct hk_estimate){
                log(below_bytes) - step * below.value / rise,
                step * hypot(above.value * below.standard_error,
                             below.value * above.standard_error) / (rise * rise),
                below.count < above.count ? below.count : above.count};
            return HK_OK;
        }
        below = above;
        below_bytes = above.value < 0 ? held_out_bytes[s] : 0;
    }
    return HK_ERANGE;
}

/* Nothing where either does not cross: the acceptance table says so of the ratios. */
static enum hk_status compare_break_even(const struct hk_run *target, const struct f4_fit *f,
                                         const struct f4_case *row, struct hk_judge *judge)
{
    struct hk_break_even_size predicted;
    struct hk_estimate measured;
    struct hk_comparison c = {.formula = "F4", .quantity = "break_even_bytes"};

    if (predict_break_even(f, &predicted) != HK_OK ||
        measure_break_even(target, row->cells, &measured) != HK_OK)
        return HK_OK;
    const struct hk_interval interval = hk_interval_95(&measured);
    c.predicted = predicted.bytes.value;
    c.lower = predicted.interval.lower;
    c.upper = predicted.interval.upper;
    c.measured = exp(measured.value);
    c.measured_lower = exp(interval.lower);
    c.measured_upper = exp(interval.upper);
    snprintf(c.regime, sizeof c.regime, "%s", row->regime);
    snprintf(c.model, sizeof c.model, "%s", model_names[OWN_SHARE]);
    snprintf(c.cell, sizeof c.cell, "%s", row->cells);
    return hk_judge_add_comparison(judge, &c);
}

/* phi = k / (b + k): half, says the textbook. */
static struct hk_assumption share_assumption(const struct f4_fit *f)
{
    struct hk_assumption a = {.name = "copy's share of a read of 32 KiB", .unit = "",
                              .expected = 0.5, .value = 0.5, .interval = {0.5, 0.5, 0.95},
                              .tolerance = share_tolerance};
    struct hk_throughput_costs c;

    if (costs_at(f, TYPICAL_BYTES, false, &c) != HK_OK)
        return a;
    const double b = c.base_ns.value, k = c.copy_ns.value, sum = b + k;
    const double error = hypot(b * c.copy_ns.standard_error, k * c.base_ns.standard_error);
    const double half = HK_Z_95 * error / (sum * sum);
    a.value = k / sum;
    a.interval = (struct hk_interval){a.value - half, a.value + half, 0.95};
    return a;
}

static enum hk_status add_break_even(const struct f4_fit *f, struct hk_judge *judge)
{
    struct hk_break_even_size size;
    struct hk_parameter p = {.name = "F4/file_read/break_even_bytes"};

    if (predict_break_even(f, &size) != HK_OK)
        return HK_OK; /* pages never become faster at the sizes that curves are of */
    p.value = size.bytes.value;
    p.lower = size.interval.lower;
    p.upper = size.interval.upper;
    p.launches = size.bytes.count;
    snprintf(p.source, sizeof p.source, "%s", remap_cells);
    return hk_judge_add_parameter(judge, &p);
}

enum hk_status hk_f4_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    struct hk_throughput_costs c;
    struct f4_fit f;

    (void)rng; /* closed forms only */
    if (fit(training, &f) != HK_OK || costs_at(&f, TYPICAL_BYTES, false, &c) != HK_OK)
        return HK_OK; /* not in this run */
    enum hk_status status =
        hk_judge_add_estimate(judge, "F4/file_read/b_ns", &c.base_ns, kernel_cells);
    if (status == HK_OK)
        status = hk_judge_add_estimate(judge, "F4/file_read/k_32768_ns", &c.copy_ns, kernel_cells);
    if (status == HK_OK)
        status = hk_judge_add_estimate(judge, "F4/file_read/i_ns", &c.transfer_ns, transfer_cell);
    if (status == HK_OK && f.has_remap && costs_at(&f, TYPICAL_BYTES, true, &c) == HK_OK)
        status = hk_judge_add_estimate(judge, "F4/file_read/z_32768_ns", &c.remap_ns, remap_cells);
    return status == HK_OK && f.has_remap ? add_break_even(&f, judge) : status;
}

enum hk_status hk_f4_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    struct f4_fit f;
    enum hk_status status = HK_OK;

    (void)rng; /* closed forms only */
    if (fit(training, &f) != HK_OK)
        return HK_OK; /* not in this run */
    const struct hk_assumption share = share_assumption(&f);
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases) && status == HK_OK; i++) {
        struct hk_contest contest = {.formula = "F4", .regime = cases[i].regime,
                                     .margin = margin, .model_count = MODELS,
                                     .models = {model_names[TEXTBOOK], model_names[OWN_SHARE],
                                                model_names[OWN_CURVE]},
                                     .assumption = &share};
        struct hk_copy_curve curve;
        if (cases[i].remaps && !f.has_remap)
            continue;
        const struct hk_copy_curve *server =
            fit_curve(training, cases[i].cells, cases[i].first, &curve) == HK_OK ? &curve : NULL;
        for (size_t s = 0; s < HELD_OUT && status == HK_OK; s++)
            status = compare_size(target, &f, server, &cases[i], held_out_bytes[s], &contest,
                                  judge);
        if (status == HK_OK && cases[i].remaps)
            status = compare_break_even(target, &f, &cases[i], judge);
        if (status == HK_OK)
            status = hk_contest_decide(&contest, judge);
    }
    return status;
}
