/* SPDX-License-Identifier: MIT */
/*
 * F9: T_ext(N) = t_x + V / N, with V linear in what the verifier processes.
 *
 * V is trained on programs of some sizes and numbers of branches and tested on the others;
 * the textbook takes a program's length for what is processed. The cost of a packet when the
 * program is loaded for N of them is predicted from three cells apart from it: the program
 * run with nothing attached, the program loaded, and a packet without a program. So is the N
 * from which on it beats a server.
 *
 * Linux says so in time, this suite's own kernel in instructions, in each place of its net service.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "contest.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/copy_curve.h"
#include "hk/model/extension.h"

enum { POINTS_MAX = 8 * HK_LAUNCHES_MAX, COUNTS_MAX = 7, EVENT_SIZES = 2 };

static const double straight_margin = 0.05;
static const double branchy_margin = 0.15;
static const double cost_margin = 0.05;
static const double break_even_margin = 0.10;

struct sizes {
    const char *shape;
    size_t count;
    int values[8];
};

/* Where it is measured. */
struct rig {
    const char *cells;   /* begin with this */
    const char *place;   /* and end with this, but for the program by itself */
    const char *subject; /* of its parameters */
    const char *unit;
    const char *straight, *branchy, *amortised, *break_even; /* regimes */
    struct sizes straight_training, straight_held_out, branchy_training, branchy_held_out;
    int event_sizes[EVENT_SIZES];
    size_t count_count;
    int counts[COUNTS_MAX];
};

#define GUEST(where)                                                                      \
    {.cells = "guest/extension",                                                          \
     .place = "/place:" where,                                                            \
     .subject = "guest_" where "_",                                                       \
     .unit = "instructions",                                                              \
     .straight = "guest/loading/straight/" where,                                         \
     .branchy = "guest/loading/branchy/" where,                                           \
     .amortised = "guest/amortised/" where,                                               \
     .break_even = "guest/break-even/" where,                                             \
     .straight_training = {"straight", 4, {16, 64, 256, 1024}},                           \
     .straight_held_out = {"straight", 4, {32, 128, 512, 2048}},                          \
     .branchy_training = {"branchy", 4, {2, 4, 6, 8}},                                    \
     .branchy_held_out = {"branchy", 3, {3, 5, 7}},                                       \
     .event_sizes = {64, 128},                                                            \
     .count_count = 4,                                                                    \
     .counts = {1, 10, 100, 200}}

static const struct rig rigs[] = {
    {.cells = "native/extension",
     .place = "",
     .subject = "",
     .unit = "ns",
     .straight = "native/loading/straight",
     .branchy = "native/loading/branchy",
     .amortised = "native/amortised",
     .break_even = "native/break-even",
     .straight_training = {"straight", 7, {16, 64, 256, 1024, 4096, 16384, 65536}},
     .straight_held_out = {"straight", 6, {32, 128, 512, 2048, 8192, 32768}},
     .branchy_training = {"branchy", 5, {2, 6, 8, 10, 12}},
     .branchy_held_out = {"branchy", 4, {4, 7, 9, 11}},
     .event_sizes = {256, 4096},
     .count_count = 7,
     .counts = {1, 10, 100, 1000, 10000, 100000, 1000000}},
    GUEST("kernel"),
    GUEST("server"),
};

/* Instructions of a program, as both worlds make them: 20 around the branches, 3 each. */
static double program_length(const struct sizes *sizes, size_t i)
{
    return sizes->shape[0] == 's' ? sizes->values[i] : 20.0 + 3 * sizes->values[i];
}

static const char load_cell[] = "%s/load/shape:%s/size:%d%s";

/* What stands for the verifier's work: the program's length, or what it says it processed. */
enum work { LENGTH, PROCESSED };

/* Load times of a cell, and the work behind them. HK_ENOENT when the run has it not. */
static enum hk_status read_load(const struct rig *rig, const struct hk_run *run,
                                const struct sizes *sizes, size_t i, enum work work,
                                struct hk_cell_values *loads, double *amount)
{
    struct hk_cell_values processed;
    const int size = sizes->values[i];

    enum hk_status status =
        hk_cell_read_cost(run, loads, load_cell, rig->cells, sizes->shape, size, rig->place);
    *amount = program_length(sizes, i);
    if (status != HK_OK || work == LENGTH)
        return status;
    status = hk_cell_read(run, "hk_processed_count", &processed, load_cell, rig->cells,
                          sizes->shape, size, rig->place);
    if (status == HK_OK)
        *amount = processed.values[0];
    return status;
}

/* All launches of the training cells. */
struct points {
    size_t count;
    double amounts[POINTS_MAX];
    double load_ns[POINTS_MAX];
};

/* HK_ENOENT when a training cell is missing. */
static enum hk_status read_points(const struct rig *rig, const struct hk_run *run,
                                  const struct sizes *training, enum work work,
                                  struct points *points)
{
    struct hk_cell_values loads;

    points->count = 0;
    for (size_t i = 0; i < training->count; i++) {
        double amount;
        if (read_load(rig, run, training, i, work, &loads, &amount) != HK_OK)
            return HK_ENOENT;
        for (size_t k = 0; k < loads.count; k++) {
            points->amounts[points->count] = amount;
            points->load_ns[points->count++] = loads.values[k];
        }
    }
    return HK_OK;
}

/* HK_ENOENT when a training cell is missing; HK_ENOISE. */
static enum hk_status fit_load(const struct rig *rig, const struct hk_run *run,
                               const struct sizes *training, enum work work,
                               struct hk_line *line)
{
    struct points points;
    const enum hk_status status = read_points(rig, run, training, work, &points);

    return status == HK_OK ? hk_extension_fit(points.amounts, points.load_ns, points.count, line)
                           : status;
}

static enum hk_status add_line(const struct rig *rig, struct hk_judge *judge, const char *shape,
                               enum work work, const struct hk_line *line)
{
    const struct hk_estimate v0 = {line->intercept, sqrt(line->var_intercept), line->count};
    const struct hk_estimate v1 = {line->slope, sqrt(line->var_slope), line->count};
    char name[HK_NAME_BYTES], source[HK_NAME_BYTES];

    snprintf(source, sizeof source, "%s/load/shape:%s/size:*%s", rig->cells, shape, rig->place);
    snprintf(name, sizeof name, "F9/%s%s/v0_%s", rig->subject, shape, rig->unit);
    enum hk_status status = hk_judge_add_estimate(judge, name, &v0, source);
    snprintf(name, sizeof name, "F9/%s%s/v1_%s_per_%s", rig->subject, shape, rig->unit,
             work == LENGTH ? "instruction" : "processed_instruction");
    return status == HK_OK ? hk_judge_add_estimate(judge, name, &v1, source) : status;
}

enum hk_status hk_f9_fit(const struct hk_run *training, struct hk_rng *rng,
                         struct hk_judge *judge)
{
    struct hk_line line;
    enum hk_status status = HK_OK;

    (void)rng; /* closed forms only */
    for (size_t r = 0; r < HK_ARRAY_COUNT(rigs) && status == HK_OK; r++) {
        const struct rig *rig = &rigs[r];
        if (fit_load(rig, training, &rig->straight_training, LENGTH, &line) == HK_OK)
            status = add_line(rig, judge, "straight", LENGTH, &line);
        if (status == HK_OK &&
            fit_load(rig, training, &rig->branchy_training, PROCESSED, &line) == HK_OK)
            status = add_line(rig, judge, "branchy", PROCESSED, &line);
    }
    return status;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* Held-out programs, predicted by the line of one kind of work. */
static enum hk_status compare_loads(const struct rig *rig, const struct hk_run *target,
                                    const struct hk_line *line, const struct sizes *held_out,
                                    enum work work, struct hk_contest *contest, size_t model,
                                    struct hk_judge *judge)
{
    struct hk_cell_values loads;
    struct hk_comparison c;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < held_out->count && status == HK_OK; i++) {
        struct hk_estimate mean;
        double amount;
        if (read_load(rig, target, held_out, i, work, &loads, &amount) != HK_OK ||
            hk_contest_measure(contest, &loads, &c) != HK_OK ||
            hk_extension_verify(line, amount, 0.95, &mean, NULL) != HK_OK)
            continue;
        snprintf(c.quantity, sizeof c.quantity, "cost_%s", rig->unit);
        if (loads.exact) /* what counts are beside the line is the law's fault, not chance */
            mean.standard_error = 0;
        status = hk_contest_predict(contest, model, judge, &c, &mean);
    }
    return status;
}

/*
 * What the verifier keeps of each instruction outgrows one level of the caches after another, so
 * an instruction of a long program may cost more: a line for each level.
 */
static enum hk_status compare_levels(const struct rig *rig, const struct hk_run *training,
                                     const struct hk_run *target, struct hk_contest *contest,
                                     struct hk_judge *judge)
{
    static const size_t levels_max = 2; /* what seven sizes carry */
    struct hk_copy_curve curve;
    struct hk_cell_values loads;
    struct hk_comparison c;
    struct points points;

    if (read_points(rig, training, &rig->straight_training, LENGTH, &points) != HK_OK ||
        hk_copy_curve_fit(points.amounts, points.load_ns, points.count, levels_max, &curve) !=
            HK_OK)
        return HK_OK;
    enum hk_status status = HK_OK;
    for (size_t i = 0; i < rig->straight_held_out.count && status == HK_OK; i++) {
        struct hk_estimate mean;
        double amount;
        if (read_load(rig, target, &rig->straight_held_out, i, LENGTH, &loads, &amount) != HK_OK ||
            hk_contest_measure(contest, &loads, &c) != HK_OK ||
            hk_copy_curve_predict(&curve, amount, 0.95, &mean, NULL) != HK_OK)
            continue;
        status = hk_contest_predict(contest, 1, judge, &c, &mean);
    }
    return status;
}

static enum hk_status judge_straight(const struct rig *rig, const struct hk_run *training,
                                     const struct hk_run *target, struct hk_judge *judge)
{
    struct hk_contest contest = {.formula = "F9", .regime = rig->straight,
                                 .margin = straight_margin, .model_count = 2,
                                 .models = {"textbook", "a line per cache level"}};
    struct hk_line line;

    if (fit_load(rig, training, &rig->straight_training, LENGTH, &line) != HK_OK)
        return HK_OK;
    enum hk_status status =
        compare_loads(rig, target, &line, &rig->straight_held_out, LENGTH, &contest, 0, judge);
    if (status == HK_OK && contest.timed) /* instructions know no caches */
        status = compare_levels(rig, training, target, &contest, judge);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

/* The textbook knows a branchy program's length only; the verifier follows its paths. */
static enum hk_status judge_branchy(const struct rig *rig, const struct hk_run *training,
                                    const struct hk_run *target, struct hk_judge *judge)
{
    struct hk_contest contest = {.formula = "F9", .regime = rig->branchy,
                                 .margin = branchy_margin, .model_count = 2,
                                 .models = {"by length", "by processed instructions"}};
    struct hk_line by_length, by_work;

    if (fit_load(rig, training, &rig->straight_training, LENGTH, &by_length) != HK_OK ||
        fit_load(rig, training, &rig->branchy_training, PROCESSED, &by_work) != HK_OK)
        return HK_OK;
    enum hk_status status =
        compare_loads(rig, target, &by_length, &rig->branchy_held_out, LENGTH, &contest, 0, judge);
    if (status == HK_OK)
        status = compare_loads(rig, target, &by_work, &rig->branchy_held_out, PROCESSED, &contest,
                               1, judge);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

/* --- running --------------------------------------------------------------------------------- */

static enum hk_status read_mean(const struct rig *rig, const struct hk_run *run, const char *part,
                                const char *place, int size, struct hk_estimate *mean)
{
    struct hk_cell_values cell;
    const enum hk_status status = hk_cell_read_cost(run, &cell, "%s/%s/shape:straight/size:%d%s",
                                                    rig->cells, part, size, place);

    return status == HK_OK ? hk_cell_mean(&cell, mean) : status;
}

/* Each measured apart from what they predict. */
struct parts {
    struct hk_extension_costs apart;    /* t_x: a plain packet, and the program run by itself */
    struct hk_extension_costs attached; /* t_x: a packet with the program attached */
};

static enum hk_status read_parts(const struct rig *rig, const struct hk_run *run, int size,
                                 struct parts *parts)
{
    struct hk_estimate plain, alone, attached, load, server;

    if (read_mean(rig, run, "event_plain", rig->place, size, &plain) != HK_OK ||
        read_mean(rig, run, "run", "", size, &alone) != HK_OK ||
        read_mean(rig, run, "event_ebpf", rig->place, size, &attached) != HK_OK ||
        read_mean(rig, run, "load", rig->place, size, &load) != HK_OK ||
        read_mean(rig, run, "event_server", rig->place, size, &server) != HK_OK)
        return HK_ENOENT;
    *parts = (struct parts){.apart = {hk_estimate_sum(&plain, &alone), load, server},
                            .attached = {attached, load, server}};
    return HK_OK;
}

static enum hk_status read_amortised(const struct rig *rig, const struct hk_run *run, int size,
                                     int count, struct hk_cell_values *cell)
{
    return hk_cell_read_cost(run, cell, "%s/amortised/shape:straight/size:%d/count:%d%s",
                             rig->cells, size, count, rig->place);
}

static enum hk_status compare_amortised(const struct rig *rig, const struct hk_run *target,
                                        const struct parts *parts, int size,
                                        struct hk_contest *contest, struct hk_judge *judge)
{
    struct hk_cell_values cell;
    struct hk_comparison c;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < rig->count_count && status == HK_OK; i++) {
        struct hk_estimate apart, attached;
        if (read_amortised(rig, target, size, rig->counts[i], &cell) != HK_OK ||
            hk_contest_measure(contest, &cell, &c) != HK_OK)
            continue;
        snprintf(c.quantity, sizeof c.quantity, "cost_%s", rig->unit);
        status = hk_extension_cost(&parts->apart, rig->counts[i], &apart);
        if (status == HK_OK)
            status = hk_extension_cost(&parts->attached, rig->counts[i], &attached);
        if (status == HK_OK)
            status = hk_contest_predict(contest, 0, judge, &c, &apart);
        if (status == HK_OK)
            status = hk_contest_predict(contest, 1, judge, &c, &attached);
    }
    return status;
}

static enum hk_status judge_amortised(const struct rig *rig, const struct hk_run *training,
                                      const struct hk_run *target, struct hk_judge *judge)
{
    struct hk_contest contest = {.formula = "F9", .regime = rig->amortised,
                                 .margin = cost_margin, .model_count = 2,
                                 .models = {"textbook", "with the attachment"}};
    struct parts parts;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < EVENT_SIZES && status == HK_OK; i++)
        if (read_parts(rig, training, rig->event_sizes[i], &parts) == HK_OK)
            status = compare_amortised(rig, target, &parts, rig->event_sizes[i], &contest, judge);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

/* --- break-even ------------------------------------------------------------------------------ */

/* The cost of launch number `index` of a cell; false when it has none. */
static bool value_of(const struct hk_cell_values *cell, uint32_t index, double *value)
{
    for (size_t i = 0; i < cell->count; i++) {
        if (cell->index[i] == index) {
            *value = cell->values[i];
            return true;
        }
    }
    return false;
}

/*
 * Where one pass's curve of costs over N crosses the server's cost: what is left above t_x
 * falls as 1 / N, so it is a line in 1 / N between two measured N.
 */
static bool crossing(const struct rig *rig, const struct hk_cell_values *cells, uint32_t index,
                     double server_ns, double *n)
{
    double above_ns, below_ns;

    for (size_t i = 0; i + 1 < rig->count_count; i++) {
        if (!value_of(&cells[i], index, &above_ns) || !value_of(&cells[i + 1], index, &below_ns) ||
            above_ns < server_ns || below_ns >= server_ns)
            continue;
        const double share = (server_ns - below_ns) / (above_ns - below_ns);
        *n = 1 / (share / rig->counts[i] + (1 - share) / rig->counts[i + 1]);
        return true;
    }
    return false;
}

/* N* of each pass that measured the whole curve. */
static void measured_break_evens(const struct rig *rig, const struct hk_run *run, int size,
                                 struct hk_cell_values *out)
{
    struct hk_cell_values cells[COUNTS_MAX], server;

    out->count = 0;
    snprintf(out->cell, sizeof out->cell, "%s/amortised/shape:straight/size:%d/count:*%s",
             rig->cells, size, rig->place);
    if (hk_cell_read_cost(run, &server, "%s/event_server/shape:straight/size:%d%s", rig->cells,
                          size, rig->place) != HK_OK)
        return;
    out->exact = server.exact;
    for (size_t i = 0; i < rig->count_count; i++) {
        if (read_amortised(rig, run, size, rig->counts[i], &cells[i]) != HK_OK)
            cells[i].count = 0;
        out->exact = out->exact && cells[i].exact;
    }
    for (size_t s = 0; s < server.count; s++)
        if (crossing(rig, cells, server.index[s], server.values[s], &out->values[out->count]))
            out->index[out->count++] = server.index[s];
}

static void add_error(struct hk_errors *errors, double predicted, double measured)
{
    if (errors->count < HK_LAUNCHES_MAX)
        errors->values[errors->count++] = log(predicted / measured);
}

/* Each pass is an observation of its own; the comparison that is shown is of their mean. */
static enum hk_status compare_break_even(const struct rig *rig, const struct hk_run *target,
                                         const struct parts *parts, int size,
                                         struct hk_contest *contest, struct hk_judge *judge)
{
    struct hk_estimate predicted[2];
    struct hk_cell_values found;
    struct hk_comparison c;
    struct hk_contest shown = *contest;
    enum hk_status status = HK_OK;

    measured_break_evens(rig, target, size, &found);
    if (hk_contest_measure(contest, &found, &c) != HK_OK ||
        hk_extension_break_even(&parts->apart, &predicted[0]) != HK_OK ||
        hk_extension_break_even(&parts->attached, &predicted[1]) != HK_OK)
        return HK_OK;
    snprintf(c.quantity, sizeof c.quantity, "break_even_count");
    for (size_t m = 0; m < contest->model_count && status == HK_OK; m++) {
        for (size_t i = 0; i < found.count; i++)
            add_error(&contest->errors[m], predicted[m].value, found.values[i]);
        status = hk_contest_predict(&shown, m, judge, &c, &predicted[m]);
    }
    return status;
}

static enum hk_status judge_break_even(const struct rig *rig, const struct hk_run *training,
                                       const struct hk_run *target, struct hk_judge *judge)
{
    struct hk_contest contest = {.formula = "F9", .regime = rig->break_even,
                                 .margin = break_even_margin, .model_count = 2,
                                 .models = {"textbook", "with the attachment"}};
    struct parts parts;
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < EVENT_SIZES && status == HK_OK; i++)
        if (read_parts(rig, training, rig->event_sizes[i], &parts) == HK_OK)
            status = compare_break_even(rig, target, &parts, rig->event_sizes[i], &contest, judge);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

static enum hk_status judge_rig(const struct rig *rig, const struct hk_run *training,
                                const struct hk_run *target, struct hk_judge *judge)
{
    enum hk_status status = judge_straight(rig, training, target, judge);

    if (status == HK_OK)
        status = judge_branchy(rig, training, target, judge);
    if (status == HK_OK)
        status = judge_amortised(rig, training, target, judge);
    return status == HK_OK ? judge_break_even(rig, training, target, judge) : status;
}

enum hk_status hk_f9_validate(const struct hk_run *training, const struct hk_run *target,
                              struct hk_rng *rng, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* closed forms only */
    for (size_t r = 0; r < HK_ARRAY_COUNT(rigs) && status == HK_OK; r++)
        status = judge_rig(&rigs[r], training, target, judge);
    return status;
}
