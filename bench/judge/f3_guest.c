/* SPDX-License-Identifier: MIT */
/*
 * F3 where a cost is a count: chains of servers on this suite's own kernel, in instructions.
 *
 * Trained on chains of one and two servers, at the training sizes; tested on three to five servers
 * at the others. t, the client's own work, is the empty loop, measured apart. Nothing is left to
 * chance, so a model is off by what it is off in the worst cell, and the margin is a tenth of what
 * times need. The coefficients are tested as everywhere: a delay before each send must come back
 * as often as the formula counts transfers.
 */
#include <math.h>
#include <stdio.h>

#include "contest.h"
#include "formulas.h"
#include "hk/base/units.h"
#include "hk/model/latency.h"
#include "hk/stats/line.h"

enum { SIZES = 4, TRAINED = 2, HELD_OUT_MIN = 3, HELD_OUT_MAX = 5, DELAYS = 4 };

static const double margin = 0.00498754151103897; /* ln 1.005 */

/* A kind of message; those that fit registers have one size. */
struct chain {
    const char *subject; /* of its parameters */
    const char *regime;
    const char *cells;
    size_t size_count;
    int training_words[SIZES];
    int held_out_words[SIZES];
};

static const struct chain chains[] = {
    {"guest_registers", "guest/chain/registers", "guest/chain/endpoint", 0, {0}, {0}},
    {"guest_buffer", "guest/chain/buffer", "guest/chain/endpoint_buffer", SIZES,
     {16, 64, 192, 512}, {32, 96, 256, 384}},
};

static const struct injection {
    const char *regime;
    const char *cells;
    double claimed;
} injections[] = {
    {"guest/coefficient of one server", "guest/inject/endpoint/servers:1", 2},
    {"guest/coefficient of two servers", "guest/inject/endpoint/servers:2", 4},
    {"guest/coefficient of the kernel path", "guest/inject_syscall/semaphore_self", 2},
};
static const int delay_instructions[DELAYS] = {100, 500, 1000, 2000};

/* Costs of one and two servers over the size, and the client's own. All instructions. */
struct fit {
    struct hk_line servers[TRAINED];
    struct hk_estimate client;
};

static enum hk_status read_chain(const struct hk_run *run, const struct chain *chain, int servers,
                                 int words, struct hk_cell_values *cell)
{
    if (chain->size_count == 0)
        return hk_cell_read_cost(run, cell, "%s/servers:%d", chain->cells, servers);
    return hk_cell_read_cost(run, cell, "%s/servers:%d/words:%d", chain->cells, servers, words);
}

/* A cost that depends on no size is a flat line. */
static enum hk_status fit_servers(const struct hk_run *run, const struct chain *chain, int servers,
                                  struct hk_line *line)
{
    double words[SIZES], cost[SIZES];
    struct hk_cell_values cell;
    struct hk_estimate mean;
    const size_t count = chain->size_count == 0 ? 1 : chain->size_count;

    for (size_t i = 0; i < count; i++) {
        if (read_chain(run, chain, servers, chain->training_words[i], &cell) != HK_OK ||
            hk_cell_mean(&cell, &mean) != HK_OK)
            return HK_ENOENT;
        words[i] = chain->training_words[i];
        cost[i] = mean.value;
    }
    if (chain->size_count > 0)
        return hk_line_fit(words, cost, NULL, count, line);
    *line = (struct hk_line){.intercept = cost[0], .count = mean.count};
    return HK_OK;
}

/* HK_ENOENT when the run has not all training cells. */
static enum hk_status fit_chain(const struct hk_run *run, const struct chain *chain,
                                struct fit *fit)
{
    struct hk_cell_values cell;
    enum hk_status status = hk_cell_read_cost(run, &cell, "guest/harness/empty");

    if (status == HK_OK)
        status = hk_cell_mean(&cell, &fit->client) == HK_OK ? HK_OK : HK_ENOENT;
    for (int m = 1; m <= TRAINED && status == HK_OK; m++)
        status = fit_servers(run, chain, m, &fit->servers[m - 1]);
    return status;
}

static enum hk_status add_exact(struct hk_judge *judge, const struct chain *chain,
                                const char *symbol, double value, size_t launches)
{
    char name[HK_NAME_BYTES], source[HK_NAME_BYTES];

    snprintf(name, sizeof name, "F3/%s/%s", chain->subject, symbol);
    snprintf(source, sizeof source, "%s/servers:*", chain->cells);
    return hk_judge_add_exact(judge, name, value, launches, source);
}

enum hk_status hk_f3_guest_fit(const struct hk_run *training, struct hk_rng *rng,
                               struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(chains) && status == HK_OK; i++) {
        struct fit fit;
        if (fit_chain(training, &chains[i], &fit) != HK_OK)
            continue;
        const struct hk_line *one = &fit.servers[0], *two = &fit.servers[1];
        const size_t launches = fit.client.count;
        status = add_exact(judge, &chains[i], "c_ipc_instructions",
                           (one->intercept - fit.client.value) / 2, launches);
        if (status == HK_OK)
            status = add_exact(judge, &chains[i], "c_copy_instructions_per_word", one->slope / 2,
                               launches);
        if (status == HK_OK)
            status = add_exact(judge, &chains[i], "hop_instructions",
                               two->intercept - one->intercept, launches);
    }
    return status;
}

static double at(const struct hk_line *line, double words)
{
    return line->intercept + line->slope * words;
}

/* 2 m transfers, each c_ipc + c_copy(L), and the client. */
static enum hk_status predict_textbook(const struct fit *fit, int servers, double words,
                                       struct hk_estimate *out)
{
    const size_t n = fit->client.count;
    struct hk_latency_law law;
    const struct hk_latency_costs costs = {
        .c_ipc_ns = {(fit->servers[0].intercept - fit->client.value) / 2, 0, n},
        .c_copy_ns = {fit->servers[0].slope * words / 2, 0, n},
        .t_user_ns = {fit->client.value, 0, n},
        .t_kernel_ns = {0, 0, n},
        .c_sys_ns = {0, 0, n},
    };
    const enum hk_status status = hk_latency_chain_law((unsigned)servers, &law);

    return status == HK_OK ? hk_latency_user(&law, &costs, out) : status;
}

/* Every server after the first adds what the second one added. */
static enum hk_status predict_incremental(const struct fit *fit, int servers, double words,
                                          struct hk_estimate *out)
{
    const double two = at(&fit->servers[1], words);
    const struct hk_hop_model hops = {
        .two_servers_ns = two,
        .hop_ns = two - at(&fit->servers[0], words),
        .count = fit->client.count,
    };
    struct hk_prediction prediction;
    const enum hk_status status = hk_hop_predict(&hops, (unsigned)servers, 0.95, &prediction);

    if (status == HK_OK)
        *out = prediction.mean;
    return status;
}

static enum hk_status compare_cell(const struct hk_run *target, const struct chain *chain,
                                   const struct fit *fit, int servers, int words,
                                   struct hk_contest *contest, struct hk_judge *judge)
{
    struct hk_cell_values cell;
    struct hk_comparison c;
    struct hk_estimate textbook, incremental;

    if (read_chain(target, chain, servers, words, &cell) != HK_OK ||
        hk_contest_measure(contest, &cell, &c) != HK_OK)
        return HK_OK; /* not in this run */
    snprintf(c.quantity, sizeof c.quantity, "cost_instructions");
    enum hk_status status = predict_textbook(fit, servers, words, &textbook);
    if (status == HK_OK)
        status = predict_incremental(fit, servers, words, &incremental);
    if (status == HK_OK)
        status = hk_contest_predict(contest, 0, judge, &c, &textbook);
    return status == HK_OK ? hk_contest_predict(contest, 1, judge, &c, &incremental) : status;
}

/* What 2 m c_ipc takes for granted: a hop costs the same in any chain. At the smallest message. */
static struct hk_assumption hop_assumption(const struct chain *chain, const struct fit *fit)
{
    const double words = chain->training_words[0];
    const double one = at(&fit->servers[0], words);
    const double more = (at(&fit->servers[1], words) - one) / (one - fit->client.value);

    return (struct hk_assumption){.name = "second server's cost over the first's", .unit = "",
                                  .expected = 1, .value = more, .interval = {more, more, 1},
                                  .tolerance = margin};
}

static enum hk_status judge_chain(const struct hk_run *training, const struct hk_run *target,
                                  const struct chain *chain, struct hk_judge *judge)
{
    struct hk_contest contest = {.formula = "F3", .regime = chain->regime, .margin = margin,
                                 .model_count = 2, .models = {"textbook", "incremental hop"}};
    const size_t sizes = chain->size_count == 0 ? 1 : chain->size_count;
    struct fit fit;
    enum hk_status status = HK_OK;

    if (fit_chain(training, chain, &fit) != HK_OK)
        return HK_OK;
    const struct hk_assumption assumption = hop_assumption(chain, &fit);
    contest.assumption = &assumption;
    for (int m = HELD_OUT_MIN; m <= HELD_OUT_MAX && status == HK_OK; m++)
        for (size_t s = 0; s < sizes && status == HK_OK; s++)
            status = compare_cell(target, chain, &fit, m, chain->held_out_words[s], &contest,
                                  judge);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

/* The slope over the delays in each launch. HK_ENOENT when a delay is missing. */
static enum hk_status read_slopes(const struct hk_run *run, const char *cells,
                                  struct hk_cell_values *slopes)
{
    struct hk_cell_values delayed[DELAYS];
    double x[DELAYS], y[DELAYS];
    struct hk_line line;

    *slopes = (struct hk_cell_values){.exact = true, .count = HK_LAUNCHES_MAX};
    snprintf(slopes->cell, sizeof slopes->cell, "%s/delay_instructions:*", cells);
    for (size_t d = 0; d < DELAYS; d++) {
        x[d] = delay_instructions[d];
        if (hk_cell_read_cost(run, &delayed[d], "%s/delay_instructions:%d", cells,
                              delay_instructions[d]) != HK_OK)
            return HK_ENOENT;
        slopes->exact = slopes->exact && delayed[d].exact;
        if (delayed[d].count < slopes->count)
            slopes->count = delayed[d].count;
    }
    for (size_t i = 0; i < slopes->count; i++) {
        for (size_t d = 0; d < DELAYS; d++)
            y[d] = delayed[d].values[i];
        const enum hk_status status = hk_line_fit(x, y, NULL, DELAYS, &line);
        if (status != HK_OK)
            return status;
        slopes->values[i] = line.slope;
    }
    return HK_OK;
}

static enum hk_status judge_coefficient(const struct hk_run *target,
                                        const struct injection *injection, struct hk_judge *judge)
{
    struct hk_contest contest = {.formula = "F3", .regime = injection->regime, .margin = margin,
                                 .model_count = 1, .models = {"textbook"}};
    const struct hk_estimate claimed = {injection->claimed, 0, DELAYS};
    struct hk_cell_values slopes;
    struct hk_comparison c;

    if (read_slopes(target, injection->cells, &slopes) != HK_OK ||
        hk_contest_measure(&contest, &slopes, &c) != HK_OK)
        return HK_OK; /* not in this run */
    snprintf(c.quantity, sizeof c.quantity, "coefficient_count");
    const enum hk_status status = hk_contest_predict(&contest, 0, judge, &c, &claimed);
    return status == HK_OK ? hk_contest_decide(&contest, judge) : status;
}

enum hk_status hk_f3_guest_validate(const struct hk_run *training, const struct hk_run *target,
                                    struct hk_rng *rng, struct hk_judge *judge)
{
    enum hk_status status = HK_OK;

    (void)rng; /* counts only */
    for (size_t i = 0; i < HK_ARRAY_COUNT(chains) && status == HK_OK; i++)
        status = judge_chain(training, target, &chains[i], judge);
    for (size_t i = 0; i < HK_ARRAY_COUNT(injections) && status == HK_OK; i++)
        status = judge_coefficient(target, &injections[i], judge);
    return status;
}
