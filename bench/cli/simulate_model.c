/* SPDX-License-Identifier: MIT */
#include "simulate_model.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "hk/base/units.h"
#include "hk/model/extremal.h"
#include "hk/model/phase_type.h"
#include "hk/stats/quantile.h"
#include "run_argument.h"

static const char command[] = "simulate";
static const char lateness[] = "lateness_ns";
static const double tail_confidence = 0.95;
static const double index_quantile = 0.98; /* clusters are counted beyond it */

static const struct {
    const char *name;
    enum hk_underrun_law law;
} readings[] = {
    {"device", HK_UNDERRUN_DEVICE},
    {"absolute", HK_UNDERRUN_ABSOLUTE},
    {"queue", HK_UNDERRUN_QUEUE},
};

static enum hk_status refuse(const char *text)
{
    hk_cli_error(command, "%s", text);
    return HK_EINVAL;
}

/* A finite number > 0. Absent leaves the value. */
static enum hk_status read_number(const char *option, const char *text, double *value)
{
    char *end = NULL;

    if (text == NULL)
        return HK_OK;
    errno = 0;
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v) || !(v > 0)) {
        hk_cli_error(command, "--%s takes a number > 0, not '%s'", option, text);
        return HK_EINVAL;
    }
    *value = v;
    return HK_OK;
}

static enum hk_status read_reading(const char *text, enum hk_underrun_law *reading)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(readings); i++)
        if (strcmp(text, readings[i].name) == 0) {
            *reading = readings[i].law;
            return HK_OK;
        }
    hk_cli_error(command, "--reading takes device, absolute or queue, not '%s'", text);
    return HK_EINVAL;
}

static enum hk_status read_law(const char *text, enum hk_delay_kind *kind)
{
    for (int k = HK_DELAY_EXPONENTIAL; k <= HK_DELAY_WEIBULL; k++)
        if (strcmp(text, hk_delay_kind_name((enum hk_delay_kind)k)) == 0) {
            *kind = (enum hk_delay_kind)k;
            return HK_OK;
        }
    hk_cli_error(command, "--law takes exponential, hyperexponential, lomax, weibull or, with a "
                 "run, tail; not '%s'", text);
    return HK_EINVAL;
}

/* The measured law itself is what a run gives unless another is asked for. */
static bool wants_tail(const struct hk_simulate_options *o)
{
    return o->law == NULL || strcmp(o->law, "tail") == 0;
}

/* --- from a run ------------------------------------------------------------------------------ */

/* All lateness of a cell's OK launches in order; *values is the caller's. */
static enum hk_status join_lateness(const struct hk_run *run, const char *cell, double **values,
                                    size_t *count)
{
    const struct hk_launch *first = NULL;
    size_t launches = 0;
    size_t n = 0;

    if (hk_run_cell(run, cell, &first, &launches) != HK_OK)
        launches = 0;
    for (size_t i = 0; i < launches; i++) {
        const struct hk_series *s = hk_launch_series(&first[i], lateness);
        n += first[i].state == HK_LAUNCH_OK && s != NULL ? s->count : 0;
    }
    double *joined = malloc((n + 1) * sizeof *joined);
    if (joined == NULL)
        return HK_ENOMEM;
    n = 0;
    for (size_t i = 0; i < launches; i++) {
        const struct hk_series *s = hk_launch_series(&first[i], lateness);
        if (first[i].state != HK_LAUNCH_OK || s == NULL)
            continue;
        memcpy(joined + n, s->values, s->count * sizeof *joined);
        n += s->count;
    }
    *values = joined;
    *count = n;
    return HK_OK;
}

/* A cell of the run that has lateness, for the error line; NULL when there is none. */
static const char *some_cell(const struct hk_run *run)
{
    for (size_t i = 0; i < run->launch_count; i++)
        if (run->launches[i].state == HK_LAUNCH_OK &&
            hk_launch_series(&run->launches[i], lateness) != NULL)
            return run->launches[i].name;
    return NULL;
}

/* In place: what must exceed the head-room for an underrun. Returns how many there are. */
static size_t to_deficits(const struct hk_rare_problem *p, double *x, size_t n)
{
    double previous = x[0];
    double backlog = 0;

    if (p->reading == HK_UNDERRUN_DEVICE)
        return n;
    for (size_t i = 1; i < n; i++) {
        const double delay = x[i];
        backlog = fmax(0, backlog - p->period_ns) + delay;
        x[i - 1] = p->reading == HK_UNDERRUN_ABSOLUTE ? delay - previous : backlog;
        previous = delay;
    }
    return n - 1;
}

/* The measured law of the deficits with a fitted tail; their clusters count once. */
static enum hk_status fit_tail(struct hk_simulate_model *m, double *x, size_t n)
{
    struct hk_tail_options options = {.confidence_ratio = tail_confidence, .extremal_index = 1};
    const size_t count = to_deficits(&m->problem, x, n);
    double threshold = 0;
    double *sorted = malloc((count + 1) * sizeof *sorted);

    if (sorted == NULL)
        return HK_ENOMEM;
    memcpy(sorted, x, count * sizeof *sorted);
    m->sorted_ns = sorted;
    enum hk_status status = hk_sample_sort(sorted, count);
    if (status == HK_OK)
        status = hk_quantile(sorted, count, index_quantile, &threshold);
    if (status == HK_OK)
        status = hk_extremal_intervals(x, count, threshold, &options.extremal_index);
    if (status == HK_OK)
        status = hk_tail_fit(sorted, count, &options, &m->tail);
    m->has_tail = status == HK_OK;
    m->has_mixture = m->has_tail && hk_tail_mixture_fit(&m->tail, &m->mixture) == HK_OK &&
                     hk_tail_mixture_preferred(&m->mixture);
    return status;
}

/* A parametric law of the delays beyond their minimum. */
static enum hk_status fit_law(struct hk_simulate_model *m, const double *x, size_t n)
{
    struct hk_hyper_fit fit;
    double sum = 0;

    if (m->problem.law.kind == HK_DELAY_HYPEREXPONENTIAL) {
        const enum hk_status status = hk_hyper_fit(x, n, &fit);
        if (status == HK_OK)
            m->problem.law = fit.law;
        return status;
    }
    if (m->problem.law.kind != HK_DELAY_EXPONENTIAL)
        return refuse("with a run, --law takes tail, exponential or hyperexponential");
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    m->problem.law.scale_ns = sum / (double)n;
    return sum > 0 ? HK_OK : HK_ENOISE;
}

static enum hk_status fit_cell(const struct hk_run *run, const struct hk_simulate_options *o,
                               struct hk_simulate_model *m)
{
    double *x = NULL;
    size_t n = 0;

    enum hk_status status = join_lateness(run, o->cell != NULL ? o->cell : "", &x, &n);
    if (status != HK_OK)
        return status;
    if (n < 2) {
        const char *some = some_cell(run);
        if (some == NULL)
            hk_cli_error(command, "%s has no lateness; measure it with: hkbench run --quick",
                         run->path);
        else
            hk_cli_error(command, "--cell takes a cell with lateness, such as '%s'", some);
        free(x);
        return HK_EINVAL;
    }
    m->constant_ns = x[0];
    for (size_t i = 1; i < n; i++)
        m->constant_ns = fmin(m->constant_ns, x[i]);
    for (size_t i = 0; i < n; i++)
        x[i] -= m->constant_ns;
    m->sample_count = (double)n;
    snprintf(m->source, sizeof m->source, "%s", o->cell);
    status = wants_tail(o) ? fit_tail(m, x, n) : fit_law(m, x, n);
    free(x);
    if (status == HK_ENOMEM)
        hk_cli_error(command, "%s", hk_status_text(status));
    if (status == HK_ENOISE)
        hk_cli_error(command, "%s has too few different values to fit this law; measure longer",
                     o->cell);
    return status;
}

static enum hk_status from_run(const struct hk_simulate_options *o, const char *path,
                               struct hk_simulate_model *m)
{
    struct hk_run run;

    if (o->scale_ns != NULL || o->shape != NULL || o->rare_scale_ns != NULL || o->samples != 0 ||
        o->stages != 1)
        return refuse("the law's parameters come from the run or from the command line, not both");
    if (hk_run_argument(command, path, "", &run) != HK_OK)
        return HK_EINVAL;
    const enum hk_status status = fit_cell(&run, o, m);
    hk_run_fini(&run);
    return status;
}

/* --- from the command line ------------------------------------------------------------------- */

static enum hk_status read_problem(const struct hk_simulate_options *o, bool tail,
                                   struct hk_simulate_model *m)
{
    struct hk_rare_problem *p = &m->problem;
    double error_percent = 1;

    p->stage_count = (unsigned)o->stages;
    p->poisson = o->poisson;
    enum hk_status status = read_reading(o->reading, &p->reading);
    if (status == HK_OK && !tail)
        status = read_law(o->law != NULL ? o->law : "exponential", &p->law.kind);
    const struct {
        const char *name;
        const char *text;
        double *value;
    } numbers[] = {
        {"scale-ns", o->scale_ns, &p->law.scale_ns},
        {"shape", o->shape, &p->law.shape},
        {"rare-scale-ns", o->rare_scale_ns, &p->law.rare_scale_ns},
        {"headroom-ns", o->headroom_ns, &p->headroom_ns},
        {"probability", o->probability, &m->probability},
        {"period-ns", o->period_ns, &p->period_ns},
        {"ring-ns", o->ring_ns, &p->ring_ns},
        {"error-percent", o->error_percent, &error_percent},
    };
    for (size_t i = 0; i < HK_ARRAY_COUNT(numbers) && status == HK_OK; i++)
        status = read_number(numbers[i].name, numbers[i].text, numbers[i].value);
    m->error_ratio = error_percent / 100;
    m->sample_count = (double)o->samples;
    return status;
}

static enum hk_status check_question(const struct hk_simulate_options *o, bool tail,
                                     struct hk_simulate_model *m)
{
    const struct hk_rare_problem *p = &m->problem;

    m->has_target = o->probability != NULL;
    if ((o->headroom_ns != NULL) == m->has_target)
        return refuse("give either --headroom-ns or --probability");
    if (m->has_target && m->probability >= 1)
        return refuse("--probability takes a number below 1");
    if (p->reading == HK_UNDERRUN_QUEUE && o->period_ns == NULL)
        return refuse("the queue needs --period-ns, the time between two wake-ups");
    if (p->reading != HK_UNDERRUN_QUEUE && (o->poisson || o->ring_ns != NULL))
        return refuse("--poisson and --ring-ns belong to --reading queue");
    if (tail && (o->poisson || o->ring_ns != NULL || o->method != NULL || o->error_percent != NULL))
        return refuse("the tail of a run is not simulated: --poisson, --ring-ns, --method and "
                      "--error-percent need another --law");
    return HK_OK;
}

enum hk_status hk_simulate_model_init(const struct hk_simulate_options *o, const char *run_path,
                                      struct hk_simulate_model *model)
{
    struct hk_simulate_model m = {0};
    const bool tail = run_path != NULL && wants_tail(o);
    enum hk_status status = read_problem(o, tail, &m);

    if (status == HK_OK)
        status = check_question(o, tail, &m);
    if (status == HK_OK && run_path == NULL && o->cell != NULL)
        status = refuse("--cell is of a run: name its folder");
    if (status != HK_OK)
        return HK_EINVAL;
    if (run_path != NULL)
        status = from_run(o, run_path, &m);
    else if (o->scale_ns == NULL)
        status = refuse("a law needs --scale-ns (the mean, if exponential), or name a run");
    if (status == HK_OK && !m.has_tail && hk_delay_check(&m.problem.law) != HK_OK)
        status = refuse(m.problem.law.kind == HK_DELAY_HYPEREXPONENTIAL
                            ? "a hyperexponential law needs --shape, the share below 1 of the rare "
                              "delays, and --rare-scale-ns, their mean"
                            : "this law needs --shape");
    if (status == HK_OK && !m.has_target) {
        m.problem.headroom_ns -= m.constant_ns;
        if (!(m.problem.headroom_ns > 0))
            status = refuse("the head-room does not even hold the constant part of the delay");
    }
    if (status != HK_OK) {
        hk_simulate_model_fini(&m);
        return status == HK_ENOISE || status == HK_ENOMEM ? HK_ENOISE : HK_EINVAL;
    }
    *model = m;
    return HK_OK;
}

void hk_simulate_model_fini(struct hk_simulate_model *model)
{
    free(model->sorted_ns);
    model->sorted_ns = NULL;
}
