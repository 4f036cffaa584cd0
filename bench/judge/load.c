/* SPDX-License-Identifier: MIT */
/*
 * F3 under load: how long requests wait that come whether or not the server is free.
 *
 * F3 alone has no queue, so a request waits for the server's dispatch and nothing else. Against it
 * stand Pollaczek-Khinchine and Kingman with dispatch; and, in a regime of its own, Lindley's
 * recursion over the very requests that were sent. Parameters come from launches with even numbers
 * and predict those with odd ones: what the server takes beyond the work that was drawn, how its
 * service varies, how long dispatch takes. A replay knows when its requests came and how much work
 * each was, as one who replays a trace does, and never what they took.
 *
 * A mean wait under load is much the luck of the draw, which the formulas do not predict. What the
 * draw alone did is known without measuring: the recursion over what was drawn, less the mean of it
 * over other orders of the same requests. It is taken off each launch's measurement
 * (docs/decisions/0400-the-luck-of-the-draw.md).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contest.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/queue.h"
#include "hk/stats/summary.h"

enum half { TRAINING, HELD_OUT }; /* parity of the launch's number */

enum { NO_QUEUE, POISSON, GENERAL, MODELS };

enum { ORDERS = 64 }; /* of the same requests, to tell the luck of one */

static const double margin = 0.10;
static const char cells[] = "native/queue/";

static const char *const policies[] = {"fifo", "other"};
static const char *const laws[] = {"deterministic", "exponential", "hyper2"};

/* --- what was measured ------------------------------------------------------------------ */

static enum hk_status read_half(const struct hk_run *run, const char *cell, const char *counter,
                                enum half half, struct hk_cell_values *out)
{
    const enum hk_status status = hk_cell_read(run, counter, out, "%s", cell);
    size_t n = 0;

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < out->count; i++) {
        if (out->index[i] % 2 != half)
            continue;
        out->values[n] = out->values[i];
        out->index[n++] = out->index[i];
    }
    out->count = n;
    return n > 0 ? HK_OK : HK_ENOENT;
}

static enum hk_status read_mean(const struct hk_run *run, const char *cell, const char *counter,
                                struct hk_estimate *mean)
{
    struct hk_cell_values values;
    enum hk_status status = read_half(run, cell, counter, TRAINING, &values);

    if (status == HK_OK)
        status = hk_cell_mean(&values, mean);
    return status;
}

/* What the training launches of a cell tell. */
struct known {
    struct hk_queue_load load;
    struct hk_estimate work_ns; /* drawn */
    struct hk_estimate dispatch_ns;
    double dispatch_cv2;
};

/* HK_ENOENT, HK_ENOISE: not enough launches of it. */
static enum hk_status read_known(const struct hk_run *training, const char *cell,
                                 struct known *known)
{
    struct hk_estimate arrival_cv2, service_cv2, dispatch_cv2;
    const struct {
        const char *counter;
        struct hk_estimate *mean;
    } parts[] = {
        {"arrivals_per_s", &known->load.arrivals_per_s},
        {"service_ns", &known->load.service_ns},
        {"work_ns", &known->work_ns},
        {"dispatch_ns", &known->dispatch_ns},
        {"arrival_cv2", &arrival_cv2},
        {"service_cv2", &service_cv2},
        {"dispatch_cv2", &dispatch_cv2},
    };
    enum hk_status status = HK_OK;

    for (size_t i = 0; i < HK_ARRAY_COUNT(parts) && status == HK_OK; i++)
        status = read_mean(training, cell, parts[i].counter, parts[i].mean);
    if (status != HK_OK)
        return status;
    known->load.arrival_cv2 = arrival_cv2.value;
    known->load.service_cv2 = service_cv2.value;
    known->dispatch_cv2 = dispatch_cv2.value;
    return HK_OK;
}

/* The requests of a launch, as they came. */
struct requests {
    size_t count;
    const double *gap_ns;
    const double *work_ns;
};

/* Mean wait by the recursion, with more work for each and a dispatch; room for 2 counts. */
static enum hk_status replay_mean(const struct requests *r, double more_ns, double dispatch_ns,
                                  double *room, double *mean_ns)
{
    struct hk_estimate mean = {0};

    for (size_t i = 0; i < r->count; i++)
        room[i] = fmax(r->work_ns[i] + more_ns, 0);
    enum hk_status status =
        hk_queue_replay_dispatched(r->gap_ns, room, r->count, dispatch_ns, room + r->count);
    if (status == HK_OK)
        status = hk_mean_estimate(room + r->count, r->count, &mean);
    *mean_ns = mean.value;
    return status;
}

/*
 * What the order alone, in which gaps and works were drawn, added to the mean wait: against the
 * mean of other orders of the same. Nothing of it was measured, and no formula has a part in it.
 * Room for 4 counts.
 */
static enum hk_status luck_of(const struct requests *r, struct hk_rng *rng, double *room,
                              double *luck_ns)
{
    double *gap_ns = room + 2 * r->count, *work_ns = room + 3 * r->count;
    const struct requests other = {r->count, gap_ns, work_ns};
    double drawn_ns, mean_ns, sum_ns = 0;

    enum hk_status status = replay_mean(r, 0, 0, room, &drawn_ns);
    memcpy(gap_ns, r->gap_ns, r->count * sizeof *gap_ns);
    memcpy(work_ns, r->work_ns, r->count * sizeof *work_ns);
    for (int i = 0; i < ORDERS && status == HK_OK; i++) {
        hk_rng_shuffle(rng, gap_ns + 1, r->count - 1); /* the first is no gap */
        hk_rng_shuffle(rng, work_ns, r->count);
        status = replay_mean(&other, 0, 0, room, &mean_ns);
        sum_ns += mean_ns;
    }
    if (status == HK_OK)
        *luck_ns = drawn_ns - sum_ns / ORDERS;
    return status;
}

/* The held-out launches of a cell: what was measured, and what a replay says of it. */
struct held_out {
    struct hk_cell_values wait_ns; /* its luck taken off */
    struct hk_cell_values lucky_ns; /* as it was measured */
    struct hk_cell_values replayed_ns;
};

static enum hk_status add_values(const struct requests *r, double wait_ns,
                                 const struct known *known, struct hk_rng *rng,
                                 struct held_out *out)
{
    const double more_ns = known->load.service_ns.value - known->work_ns.value;
    const size_t n = out->wait_ns.count;
    double *room = malloc(4 * r->count * sizeof *room);
    double luck_ns;

    if (room == NULL)
        return HK_ENOMEM;
    enum hk_status status = luck_of(r, rng, room, &luck_ns);
    if (status == HK_OK)
        status = replay_mean(r, more_ns, known->dispatch_ns.value, room,
                             &out->replayed_ns.values[n]);
    free(room);
    if (status != HK_OK)
        return status == HK_ENOMEM ? status : HK_OK; /* these are no requests */
    out->wait_ns.values[n] = wait_ns - luck_ns;
    out->lucky_ns.values[n] = wait_ns;
    out->wait_ns.count = out->lucky_ns.count = out->replayed_ns.count = n + 1;
    return HK_OK;
}

static enum hk_status add_launch(const struct hk_launch *launch, const struct known *known,
                                 struct hk_rng *rng, struct held_out *out)
{
    const struct hk_series *gap = hk_launch_series(launch, "request_gap_ns");
    const struct hk_series *work = hk_launch_series(launch, "request_work_ns");
    double wait_ns;

    if (launch->state != HK_LAUNCH_OK || hk_launch_disturbed(launch) ||
        launch->index % 2 != HELD_OUT || out->wait_ns.count == HK_LAUNCHES_MAX ||
        !hk_launch_counter(launch, "wait_ns", &wait_ns) || gap == NULL || work == NULL ||
        gap->count != work->count || gap->count < 2)
        return HK_OK;
    const struct requests requests = {gap->count, gap->values, work->values};
    return add_values(&requests, wait_ns, known, rng, out);
}

static enum hk_status read_held_out(const struct hk_run *target, const char *cell,
                                    const struct known *known, struct hk_rng *rng,
                                    struct held_out *out)
{
    const struct hk_launch *first = NULL;
    size_t launches = 0;
    enum hk_status status = hk_run_cell(target, cell, &first, &launches);

    snprintf(out->wait_ns.cell, sizeof out->wait_ns.cell, "%s", cell);
    snprintf(out->lucky_ns.cell, sizeof out->lucky_ns.cell, "%s", cell);
    for (size_t i = 0; i < launches && status == HK_OK; i++)
        status = add_launch(&first[i], known, rng, out);
    return status;
}

/* --- what is predicted ------------------------------------------------------------------- */

static enum hk_status predict(const struct known *known, struct hk_estimate waits[MODELS])
{
    struct hk_estimate poisson, general, added;

    enum hk_status status = hk_queue_wait_poisson(&known->load, &poisson);
    if (status == HK_OK)
        status = hk_queue_wait_general(&known->load, &general);
    if (status == HK_OK)
        status = hk_queue_dispatch_wait(known->load.arrivals_per_s.value, &known->dispatch_ns,
                                        known->dispatch_cv2, &added);
    if (status != HK_OK)
        return status;
    waits[NO_QUEUE] = known->dispatch_ns;
    waits[POISSON] = hk_estimate_sum(&poisson, &added);
    waits[GENERAL] = hk_estimate_sum(&general, &added);
    return HK_OK;
}

static enum hk_status compare(struct hk_contest *contest, const struct hk_cell_values *measured,
                              const struct hk_estimate *predictions, struct hk_judge *judge)
{
    struct hk_comparison c;
    enum hk_status status = hk_contest_measure(contest, measured, &c);

    if (status != HK_OK)
        return status == HK_ENOISE ? HK_OK : status;
    if (!(c.measured > 0))
        return HK_OK; /* the luck was all of it: too few requests to say anything */
    snprintf(c.quantity, sizeof c.quantity, "wait_ns");
    for (size_t m = 0; m < contest->model_count && status == HK_OK; m++)
        status = hk_contest_predict(contest, m, judge, &c, &predictions[m]);
    return status;
}

struct step {
    const struct hk_run *training;
    const struct hk_run *target;
    const char *policy;
    const char *law;
    struct hk_contest *waits;
    struct hk_contest *replays;
    struct held_out *held_out;
    struct hk_rng *rng;
    struct hk_judge *judge;
};

static bool text_is(const char *cell, const char *key, const char *value)
{
    char text[24];

    return hk_name_text(cell, key, text, sizeof text) == HK_OK && strcmp(text, value) == 0;
}

static enum hk_status judge_cell(const char *cell, void *context)
{
    struct step *step = context;
    struct hk_estimate waits[MODELS], replayed;
    struct known known;

    if (!text_is(cell, "policy", step->policy) || !text_is(cell, "law", step->law) ||
        read_known(step->training, cell, &known) != HK_OK ||
        predict(&known, waits) != HK_OK) /* HK_ERANGE: more than it can serve, and no mean wait */
        return HK_OK;
    memset(step->held_out, 0, sizeof *step->held_out);
    enum hk_status status = read_held_out(step->target, cell, &known, step->rng, step->held_out);
    if (status == HK_ENOENT || (status == HK_OK && step->held_out->wait_ns.count < 2))
        return HK_OK;
    if (status == HK_OK)
        status = compare(step->waits, &step->held_out->wait_ns, waits, step->judge);
    if (status == HK_OK)
        status = hk_cell_mean(&step->held_out->replayed_ns, &replayed);
    if (status != HK_OK)
        return status;
    replayed.standard_error = 0; /* the requests are those that were measured: no chance between */
    return compare(step->replays, &step->held_out->lucky_ns, &replayed, step->judge);
}

static enum hk_status judge_regime(struct step *step)
{
    char regime[64], replay[72];

    snprintf(regime, sizeof regime, "native/queue/%s/%s", step->policy, step->law);
    snprintf(replay, sizeof replay, "%s/replay", regime);
    struct hk_contest waits = {.formula = "F3", .regime = regime, .margin = margin,
                               .model_count = MODELS,
                               .models = {"textbook, no queue", HK_MODEL_POISSON_WAIT,
                                          "Kingman with dispatch"}};
    struct hk_contest replays = {.formula = "F3", .regime = replay, .margin = margin,
                                 .model_count = 1, .models = {"Lindley replay"}};
    step->waits = &waits;
    step->replays = &replays;
    enum hk_status status = hk_cells_visit(step->target, cells, judge_cell, step);
    if (status == HK_OK)
        status = hk_contest_decide(&waits, step->judge);
    return status == HK_OK ? hk_contest_decide(&replays, step->judge) : status;
}

enum hk_status hk_load_validate(const struct hk_run *training, const struct hk_run *target,
                                struct hk_rng *rng, struct hk_judge *judge)
{
    struct held_out *held_out = malloc(sizeof *held_out);
    enum hk_status status = held_out == NULL ? HK_ENOMEM : HK_OK;

    for (size_t p = 0; p < HK_ARRAY_COUNT(policies); p++)
        for (size_t l = 0; l < HK_ARRAY_COUNT(laws) && status == HK_OK; l++) {
            struct step step = {.training = training, .target = target, .policy = policies[p],
                                .law = laws[l], .held_out = held_out, .rng = rng,
                                .judge = judge};
            status = judge_regime(&step);
        }
    free(held_out);
    return status;
}

/* --- parameters ----------------------------------------------------------------------------- */

struct fit_step {
    const struct hk_run *training;
    struct hk_judge *judge;
};

static enum hk_status fit_cell(const char *cell, void *context)
{
    const struct fit_step *step = context;
    struct known known;
    const struct {
        const char *symbol;
        const struct hk_estimate *mean;
    } parts[] = {
        {"arrivals_per_s", &known.load.arrivals_per_s},
        {"service_ns", &known.load.service_ns},
        {"dispatch_ns", &known.dispatch_ns},
    };
    enum hk_status status = HK_OK;

    if (read_known(step->training, cell, &known) != HK_OK)
        return HK_OK; /* too few launches of it */
    for (size_t i = 0; i < HK_ARRAY_COUNT(parts) && status == HK_OK; i++) {
        char name[HK_NAME_BYTES];
        snprintf(name, sizeof name, "F3/%.200s/%s", cell + strlen("native/"), parts[i].symbol);
        status = hk_judge_add_estimate(step->judge, name, parts[i].mean, cell);
    }
    return status;
}

enum hk_status hk_load_fit(const struct hk_run *training, struct hk_rng *rng,
                           struct hk_judge *judge)
{
    struct fit_step step = {training, judge};

    (void)rng; /* closed forms only */
    return hk_cells_visit(training, cells, fit_cell, &step);
}
