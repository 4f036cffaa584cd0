/* SPDX-License-Identifier: MIT */
#include "hk/trial/trial.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "hk/base/units.h"
#include "hk/model/extension.h"
#include "hk/model/utility.h"
#include "hk/stats/proportion.h"
#include "hk/trial/rare.h"
#include "hk/trial/world.h"

enum {
    RERUNS = 20,
    REPLICATES = 2000,
    SPLIT_REPLICATES = 1000, /* each takes milliseconds */
    REPLICATES_PER_JOB = 250,
    SPLIT_BATCHES = 100, /* its variance to a tenth */
    LIARS = 40,
    TRACES = 2000,
    PROBABILITIES = 2,
};

static const double probabilities[PROBABILITIES] = {1e-9, 1e-12};

/* What a control's verdict was in one rerun. */
struct outcome {
    enum hk_verdict_kind kind;
    char replacement[48];
    bool met; /* kind and replacement are those that the world was made for */
};

struct trial;

/* One piece of work; its results are its own, so that any thread may do it. */
struct job {
    enum hk_status (*run)(const struct trial *trial, struct job *job);
    size_t kind;        /* of world, or case */
    size_t probability;
    size_t noise;
    uint64_t number;    /* rerun, or first replicate */
    struct outcome outcomes[HK_CONTROLS_MAX];
    struct hk_rare_estimate estimate;
    uint64_t hits;
    double value;
};

struct trial {
    const struct hk_trial_plan *plan;
    struct job *jobs;
    size_t job_count;
    size_t capacity;
    atomic_size_t next;
    atomic_int status;
};

/* --- jobs ------------------------------------------------------------------------- */

static enum hk_status judge_world(const struct trial *t, struct job *job)
{
    const struct hk_world_kind *kind = &hk_world_kinds[job->kind];
    struct hk_world_plan plan = hk_world_plan_default;
    struct hk_judge judge;

    plan.seed = t->plan->seed;
    plan.stream = (job->kind * HK_NOISE_COUNT + job->noise) * RERUNS + job->number;
    plan.noise = (enum hk_noise)job->noise;
    hk_judge_init(&judge);
    const enum hk_status status = hk_world_judge(kind, &plan, &judge);
    for (size_t i = 0; status == HK_OK && i < HK_CONTROLS_MAX; i++) {
        const struct hk_control *c = &kind->controls[i];
        const struct hk_judgement *j =
            c->formula == NULL ? NULL : hk_control_judgement(c, &judge);
        job->outcomes[i].kind = j == NULL ? HK_VERDICT_INCONCLUSIVE : j->kind;
        snprintf(job->outcomes[i].replacement, sizeof job->outcomes[i].replacement, "%s",
                 j == NULL ? "" : j->replacement);
        job->outcomes[i].met = c->formula != NULL && hk_control_met(c, j);
    }
    hk_judge_fini(&judge);
    return status;
}

static enum hk_status estimate_rare(const struct trial *t, struct job *job)
{
    const struct hk_rare_case *c = &hk_rare_cases[job->kind];

    return hk_rare_case_estimate(c, probabilities[job->probability], t->plan->seed,
                                 c->batch_count, &job->estimate);
}

static enum hk_status measure_split(const struct trial *t, struct job *job)
{
    return hk_rare_case_estimate(&hk_rare_cases[job->kind], probabilities[job->probability],
                                 t->plan->seed, SPLIT_BATCHES, &job->estimate);
}

static enum hk_status cover_rare(const struct trial *t, struct job *job)
{
    return hk_rare_case_cover(&hk_rare_cases[job->kind], probabilities[job->probability],
                              t->plan->seed, job->number, REPLICATES_PER_JOB, &job->hits);
}

static enum hk_status flag_liar(const struct trial *t, struct job *job)
{
    return hk_rare_liar_flagged(probabilities[job->probability], t->plan->seed, LIARS,
                                &job->hits);
}

/* The largest difference of a rank acceptability, exact and from quasi-random weights. */
static enum hk_status compare_acceptabilities(const struct trial *t, struct job *job)
{
    enum { DRAWS = 4, ALTERNATIVES = 5, POINTS = 1 << 16 };
    struct hk_alternative draws[DRAWS * ALTERNATIVES];
    struct hk_acceptability exact, sampled;
    struct hk_rng *rng = NULL;
    enum hk_status status = hk_rng_create(t->plan->seed, job->number, &rng);

    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < HK_ARRAY_COUNT(draws); i++)
        for (size_t a = 0; a < HK_ATTRIBUTES; a++)
            draws[i].attribute[a] = hk_rng_uniform(rng);
    hk_rng_destroy(rng);
    status = hk_utility_acceptability(draws, DRAWS, ALTERNATIVES, &exact);
    if (status == HK_OK)
        status = hk_utility_acceptability_sampled(draws, DRAWS, ALTERNATIVES, POINTS, &sampled);
    for (size_t a = 0; a < ALTERNATIVES && status == HK_OK; a++)
        for (size_t r = 0; r < ALTERNATIVES; r++)
            job->value = fmax(job->value,
                              fabs(exact.rank_ratio[a][r] - sampled.rank_ratio[a][r]));
    return status;
}

/* The worst ratio of the deterministic policy's cost to the best in hindsight. */
static enum hk_status rent_skis(const struct trial *t, struct job *job)
{
    struct hk_rng *rng = NULL;
    enum hk_status status = hk_rng_create(t->plan->seed, job->number, &rng);

    for (size_t i = 0; i < TRACES && status == HK_OK; i++) {
        const double user_ns = 1e3 * exp(2 * hk_rng_normal(rng));
        const struct hk_extension_costs costs = {
            .execute_ns = {user_ns * hk_rng_uniform(rng), 0, 1},
            .verify_ns = {1e4 * exp(2 * hk_rng_normal(rng)), 0, 1},
            .user_ns = {user_ns, 0, 1},
        };
        struct hk_ski_rental policy;
        status = hk_extension_ski_rental(&costs, &policy);
        if (status != HK_OK)
            break;
        /* A program's life: often much shorter or longer than what pays. */
        const double life = 1 + floor(policy.load_before * hk_rng_exponential(rng, 1.5));
        job->value = fmax(job->value, hk_extension_policy_ns(&costs, policy.load_before, life) /
                                          hk_extension_hindsight_ns(&costs, life));
    }
    hk_rng_destroy(rng);
    return status;
}

/* --- threads ----------------------------------------------------------------------- */

static void add_job(struct trial *t, const struct job *job)
{
    if (t->job_count == t->capacity) {
        const size_t capacity = t->capacity == 0 ? 256 : 2 * t->capacity;
        struct job *larger = realloc(t->jobs, capacity * sizeof *larger);
        if (larger == NULL) {
            atomic_store(&t->status, (int)HK_ENOMEM);
            return;
        }
        t->jobs = larger;
        t->capacity = capacity;
    }
    t->jobs[t->job_count++] = *job;
}

static bool stopped(const struct trial *t)
{
    return t->plan->stop != NULL && *t->plan->stop;
}

static bool work_once(struct trial *t)
{
    const size_t i = atomic_fetch_add(&t->next, 1);

    if (i >= t->job_count || stopped(t) || atomic_load(&t->status) != (int)HK_OK)
        return false;
    const enum hk_status status = t->jobs[i].run(t, &t->jobs[i]);
    if (status != HK_OK)
        atomic_store(&t->status, (int)status);
    return status == HK_OK;
}

static void *work(void *context)
{
    while (work_once(context))
        ;
    return NULL;
}

static enum hk_status run_jobs(struct trial *t)
{
    pthread_t threads[HK_TRIAL_THREADS_MAX];
    size_t started = 0;

    while (started + 1 < t->plan->thread_count &&
           pthread_create(&threads[started], NULL, work, t) == 0)
        started++;
    while (work_once(t))
        if (t->plan->progress != NULL)
            t->plan->progress(t->plan->context, atomic_load(&t->next), t->job_count);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return stopped(t) ? HK_EINTR : (enum hk_status)atomic_load(&t->status);
}

static uint64_t replicates_of(size_t c)
{
    return hk_rare_cases[c].family == HK_RARE_SPLIT ? SPLIT_REPLICATES : REPLICATES;
}

/* The longest jobs first, so that no thread is left with one at the end. */
static void plan_jobs(struct trial *t)
{
    for (size_t c = 0; c < hk_rare_case_count; c++) {
        for (size_t p = 0; p < PROBABILITIES; p++) {
            add_job(t, &(struct job){.run = estimate_rare, .kind = c, .probability = p});
            if (hk_rare_cases[c].family == HK_RARE_SPLIT)
                add_job(t, &(struct job){.run = measure_split, .kind = c, .probability = p});
            for (uint64_t r = 0; r < replicates_of(c) && !t->plan->quick; r += REPLICATES_PER_JOB)
                add_job(t, &(struct job){.run = cover_rare, .kind = c, .probability = p,
                                         .number = r});
        }
    }
    for (size_t p = 0; p < PROBABILITIES; p++)
        add_job(t, &(struct job){.run = flag_liar, .probability = p});
    add_job(t, &(struct job){.run = compare_acceptabilities, .number = 1});
    add_job(t, &(struct job){.run = rent_skis, .number = 2});
    for (size_t k = 0; k < hk_world_kind_count; k++)
        for (size_t n = 0; n < (hk_world_kinds[k].delays ? 1 : HK_NOISE_COUNT); n++)
            for (uint64_t r = 0; r < RERUNS && hk_world_kinds[k].fill != NULL; r++)
                add_job(t, &(struct job){.run = judge_world, .kind = k, .noise = n, .number = r});
}

/* --- figures ----------------------------------------------------------------------- */

struct results {
    struct hk_reached *figures;
    size_t count;
};

static void add_figure(struct results *r, const char *id, double value, double lower, double upper,
                       uint64_t n)
{
    struct hk_reached *f = &r->figures[r->count++];

    *f = (struct hk_reached){.value = value, .lower = lower, .upper = upper, .count = n,
                            .confidence_ratio = 0.95};
    snprintf(f->id, sizeof f->id, "%s", id);
}

static void add_share(struct results *r, const char *id, uint64_t hits, uint64_t n)
{
    struct hk_interval interval;

    if (hk_proportion_interval(hits, n, 0.95, &interval) == HK_OK)
        add_figure(r, id, (double)hits / (double)n, interval.lower, interval.upper, n);
}

/* The worst error of a family. The truth is known, so it is what it is and has no interval. */
static void add_rare_errors(const struct trial *t, struct results *r)
{
    static const char *const ids[HK_RARE_FAMILIES] = {
        [HK_RARE_CONDITIONAL] = "rare_conditional_error",
        [HK_RARE_TILTED] = "rare_tilted_error",
        [HK_RARE_SPLIT] = "rare_split_error",
    };

    for (int family = 0; family < HK_RARE_FAMILIES; family++) {
        double worst = 0;
        uint64_t n = 0;
        for (size_t i = 0; i < t->job_count; i++) {
            const struct job *job = &t->jobs[i];
            if (job->run != estimate_rare || (int)hk_rare_cases[job->kind].family != family)
                continue;
            worst = fmax(worst, fabs(job->estimate.probability /
                                         probabilities[job->probability] - 1));
            n++;
        }
        add_figure(r, ids[family], worst, worst, worst, n);
    }
}

static void add_reductions(const struct trial *t, struct results *r)
{
    static const char *const ids[PROBABILITIES] = {"rare_reduction_1e-9", "rare_reduction_1e-12"};

    for (size_t p = 0; p < PROBABILITIES; p++) {
        double least = INFINITY;
        uint64_t n = 0;
        for (size_t i = 0; i < t->job_count; i++) {
            const struct job *job = &t->jobs[i];
            if (job->run != estimate_rare || job->probability != p ||
                hk_rare_cases[job->kind].family == HK_RARE_SPLIT)
                continue;
            least = fmin(least, job->estimate.variance_reduction);
            n++;
        }
        add_figure(r, ids[p], least, least, least, n);
    }
}

/*
 * The gain of splitting over counting, both per draw of the law, as a share of what it could be.
 * That is with particles that owe each other nothing and cost what a trajectory of counting costs:
 * relative variance L / n after n (1 + L) of them, L = -ln p, the least that levels allow. The
 * interval is that of the variance of the logarithms, which are nearly normal.
 * Source: Guyader, Hengartner & Matzner-Lober 2011 (Applied Mathematics & Optimization 64(2)).
 */
static void add_split_yield(const struct job *job, struct results *r)
{
    static const char *const ids[PROBABILITIES] = {"rare_split_yield_1e-9",
                                                   "rare_split_yield_1e-12"};
    const struct hk_rare_estimate *e = &job->estimate;
    const double p = probabilities[job->probability], depth = -log(p);
    const double freedom = e->draw_count - 1, squares = freedom * log1p(e->relative_variance);
    const double work =
        e->step_count / e->draw_count / hk_rare_cases[job->kind].problem.stage_count;
    const double possible = (1 - p) / p / (depth * (1 + depth));
    const double gain = (1 - p) / p / (e->relative_variance * work);
    const double low = expm1(squares / gsl_cdf_chisq_Pinv(0.975, freedom));
    const double high = expm1(squares / gsl_cdf_chisq_Pinv(0.025, freedom));

    add_figure(r, ids[job->probability], gain / possible,
               gain / possible * e->relative_variance / high,
               gain / possible * e->relative_variance / low, (uint64_t)e->draw_count);
    snprintf(r->figures[r->count - 1].note, sizeof r->figures[0].note,
             "%.2g times counting's, per draw of the law; levels allow %.2g", gain, possible);
}

/* The case whose coverage is farthest from what is claimed. */
static void add_coverage(const struct trial *t, struct results *r)
{
    struct hk_reached worst = {.value = 0.95};

    for (size_t c = 0; c < hk_rare_case_count; c++) {
        for (size_t p = 0; p < PROBABILITIES; p++) {
            const uint64_t n = replicates_of(c);
            uint64_t hits = 0;
            for (size_t i = 0; i < t->job_count; i++)
                if (t->jobs[i].run == cover_rare && t->jobs[i].kind == c &&
                    t->jobs[i].probability == p)
                    hits += t->jobs[i].hits;
            struct hk_reached figure = {.count = 0};
            struct results one = {&figure, 0};
            add_share(&one, "rare_coverage", hits, n);
            if (fabs(figure.value - 0.95) < fabs(worst.value - 0.95))
                continue;
            worst = figure;
            snprintf(worst.note, sizeof worst.note, "the worst: %s by %s at %g",
                     hk_rare_cases[c].name, hk_rare_cases[c].method, probabilities[p]);
        }
    }
    r->figures[r->count++] = worst;
}

/* True formulas refuted, and wrong ones that held: a judge that never decides has none. */
static bool is_false(const struct hk_control *c, const struct outcome *o)
{
    const bool refuted =
        o->kind == HK_VERDICT_REFUTED || o->kind == HK_VERDICT_REFUTED_REPLACED;

    return c->verdict == HK_VERDICT_HOLDS ? refuted : o->kind == HK_VERDICT_HOLDS;
}

static void add_verdicts(const struct trial *t, struct results *r)
{
    uint64_t wrong = 0, met = 0, n = 0;

    for (size_t i = 0; i < t->job_count; i++) {
        const struct job *job = &t->jobs[i];
        const struct hk_control *controls = hk_world_kinds[job->kind].controls;
        for (size_t k = 0; job->run == judge_world && k < HK_CONTROLS_MAX; k++) {
            if (controls[k].formula == NULL)
                break;
            wrong += is_false(&controls[k], &job->outcomes[k]);
            met += job->outcomes[k].met;
            n++;
        }
    }
    add_share(r, "false_verdicts", wrong, n);
    add_share(r, "controls_met", met, n);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    return a->kind == b->kind && strcmp(a->replacement, b->replacement) == 0;
}

/* Reruns of one control, from job `first` on, that agree with the verdict given most often. */
static uint64_t most_frequent(const struct trial *t, size_t first, uint64_t reruns, size_t control)
{
    uint64_t most = 0;

    for (size_t i = first; i < first + reruns; i++) {
        uint64_t n = 0;
        for (size_t k = first; k < first + reruns; k++)
            n += same(&t->jobs[i].outcomes[control], &t->jobs[k].outcomes[control]);
        most = n > most ? n : most;
    }
    return most;
}

static void add_same_verdicts(const struct trial *t, struct results *r)
{
    uint64_t agree = 0, n = 0;

    for (size_t i = 0; i < t->job_count; i++) {
        const struct job *job = &t->jobs[i];
        if (job->run != judge_world || job->number != 0)
            continue;
        const struct hk_control *controls = hk_world_kinds[job->kind].controls;
        for (size_t k = 0; k < HK_CONTROLS_MAX && controls[k].formula != NULL; k++) {
            agree += most_frequent(t, i, RERUNS, k);
            n += RERUNS;
        }
    }
    add_share(r, "same_verdict", agree, n);
}

static void add_others(const struct trial *t, struct results *r)
{
    uint64_t flagged = 0;

    for (size_t i = 0; i < t->job_count; i++) {
        const struct job *job = &t->jobs[i];
        if (job->run == flag_liar)
            flagged += job->hits;
        if (job->run == measure_split)
            add_split_yield(job, r);
        if (job->run == compare_acceptabilities)
            add_figure(r, "acceptability_gap", job->value, job->value, job->value, 25);
        if (job->run == rent_skis)
            add_figure(r, "ski_rental_ratio", job->value, job->value, job->value, TRACES);
    }
    add_share(r, "rare_liar_flagged", flagged, PROBABILITIES * LIARS);
}

enum hk_status hk_trial_run(const struct hk_trial_plan *plan, struct hk_reached *figures,
                            size_t *count)
{
    struct trial t = {.plan = plan};
    struct results r = {figures, 0};

    if (plan->thread_count < 1 || plan->thread_count > HK_TRIAL_THREADS_MAX)
        return HK_EINVAL;
    atomic_init(&t.status, (int)HK_OK);
    plan_jobs(&t);
    const enum hk_status status = run_jobs(&t);
    if (status == HK_OK) {
        add_rare_errors(&t, &r);
        add_reductions(&t, &r);
        add_others(&t, &r);
        add_verdicts(&t, &r);
        add_same_verdicts(&t, &r);
        if (!plan->quick)
            add_coverage(&t, &r);
        *count = r.count;
    }
    free(t.jobs);
    return status;
}
