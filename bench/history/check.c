/* SPDX-License-Identifier: MIT */
#include "hk/history/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/stats/change.h"
#include "hk/stats/quantile.h"

enum { WINDOW = HK_TRACK_WINDOW_MAX, PERMUTATIONS = 999 };

static const double near_difference_ratio = 0.002; /* counts that differ are still close */

const struct hk_track_options hk_track_defaults = {
    .false_discovery_ratio = 0.01,
    .difference_ratio = 0.03,
    .floor_instructions = 5,
    .floor_ns = 1,
    .seed = 1,
    .thread_count = 2,
};

static const char *const verdicts[] = {
    [HK_TRACK_STEADY] = "steady",   [HK_TRACK_FASTER] = "faster",
    [HK_TRACK_SLOWER] = "SLOWER",   [HK_TRACK_SUSPECT] = "suspect",
    [HK_TRACK_UNJUDGED] = "not judged",
};

const char *hk_track_verdict_name(enum hk_track_verdict verdict)
{
    return verdicts[verdict];
}

/* A series whose values go to the statistics. */
struct window {
    struct hk_track_row *row;
    size_t n;
    double level_ns; /* of the newest values, to turn a ratio into ns; 0: counts, or not known */
    double y[WINDOW]; /* natural logarithms */
    int64_t jobs[WINDOW];
};

struct judging {
    struct hk_history *history;
    const struct hk_track_options *options;
    struct hk_track_check *check;
    struct window *windows;
    size_t window_count;
};

__attribute__((format(printf, 3, 4))) static void conclude(struct hk_track_row *row,
                                                           enum hk_track_verdict verdict,
                                                           const char *format, ...)
{
    va_list arguments;
    row->verdict = verdict;
    va_start(arguments, format);
    vsnprintf(row->reason, sizeof(row->reason), format, arguments);
    va_end(arguments);
}

/* --- exact counts ----------------------------------------------------------------- */

/* Another exact series of the same count, by another counter; NULL when there is none. */
static const struct hk_history_series *other_counter(const struct hk_track_check *check,
                                                     const struct hk_history_series *series)
{
    const struct hk_history_series *found = NULL;
    for (size_t i = 0; i < check->list.count; i++) {
        const struct hk_history_series *s = &check->list.series[i];
        if (s != series && s->kind == HK_SERIES_EXACT && s->last_job < series->last_job &&
            strcmp(s->name, series->name) == 0 && strcmp(s->metric, series->metric) == 0 &&
            (!found || s->last_job > found->last_job))
            found = s;
    }
    return found;
}

/* First value of the accepted level, and the newest. */
static enum hk_status ends_of(struct hk_history *h, const struct hk_history_series *s,
                              struct hk_history_value *first, struct hk_history_value *last)
{
    size_t count = 0;
    enum hk_status status = hk_history_first(h, s->id, s->accepted_job, first);
    if (status == HK_OK)
        status = hk_history_values(h, s->id, 0, 1, last, &count);
    return status == HK_OK && count == 0 ? HK_ENOENT : status;
}

static void judge_difference(const struct judging *j, struct hk_track_row *row, int64_t from,
                             int64_t to)
{
    const double difference = row->after - row->before;
    if (difference == 0) {
        conclude(row, HK_TRACK_STEADY, "equal");
    } else if (fabs(difference) <= j->options->floor_instructions) {
        conclude(row, HK_TRACK_STEADY, "%+g, within the floor of %g", difference,
                 j->options->floor_instructions);
    } else {
        conclude(row, difference > 0 ? HK_TRACK_SLOWER : HK_TRACK_FASTER, "%+g exactly",
                 difference);
        row->job_before = from;
        row->job_after = to;
    }
}

/* Counted by something else than before: equal counts say the same, others say nothing. */
static enum hk_status judge_new_counter(const struct judging *j, struct hk_track_row *row,
                                        const struct hk_history_series *other, bool *decided)
{
    struct hk_history_value first, last;
    const enum hk_status status = ends_of(j->history, other, &first, &last);
    *decided = status == HK_OK && last.value != row->after;
    if (*decided)
        conclude(row, HK_TRACK_SUSPECT, "was %g by %.60s; count both with one, or accept",
                 last.value, other->basis);
    return status;
}

static enum hk_status judge_exact(const struct judging *j, struct hk_track_row *row)
{
    const struct hk_history_series *s = row->series;
    const struct hk_history_series *other = s->accepted_job ? NULL : other_counter(j->check, s);
    struct hk_history_value first, last;
    bool decided = false;
    enum hk_status status = ends_of(j->history, s, &first, &last);
    if (status != HK_OK)
        return status;
    row->before = first.value;
    row->after = last.value;
    row->p_adjusted = 1;
    row->count = 1;
    if (other)
        status = judge_new_counter(j, row, other, &decided);
    if (status != HK_OK || decided)
        return status;
    if (first.job == last.job && !s->accepted_job && !other) {
        conclude(row, HK_TRACK_UNJUDGED, "first value");
        return HK_OK;
    }
    judge_difference(j, row, first.job, last.job);
    /* The job that brought the change: the first in the newest stretch of equal values. */
    return row->job_after ? hk_history_stretch(j->history, s->id, &row->job_before, &row->job_after)
                          : HK_OK;
}

/* --- windows ------------------------------------------------------------------------ */

static double median(const double *x, size_t n)
{
    double sorted[WINDOW];
    double value = 0;
    memcpy(sorted, x, n * sizeof(*x));
    (void)hk_sample_sort(sorted, n); /* cannot fail: finite, not empty */
    (void)hk_quantile(sorted, n, 0.5, &value);
    return value;
}

static enum hk_status fill_window(const struct judging *j, struct window *w)
{
    struct hk_history_value values[WINDOW];
    const struct hk_history_series *s = w->row->series;
    double newest[WINDOW];
    const enum hk_status status =
        hk_history_values(j->history, s->id, s->accepted_job, WINDOW, values, &w->n);
    for (size_t i = 0; status == HK_OK && i < w->n; i++) {
        const double reference = s->kind == HK_SERIES_RATIO ? values[i].reference : 1;
        w->y[i] = log(values[i].value / reference);
        w->jobs[i] = values[i].job;
        newest[i] = values[i].value;
        if (!isfinite(w->y[i]))
            return HK_ERANGE;
    }
    w->row->count = w->n;
    /* A ratio to 1 was imported: the times that it came from are not known. */
    const bool known = w->n > 0 && !(s->kind == HK_SERIES_RATIO && values[w->n - 1].reference == 1);
    if (status == HK_OK && known && s->kind != HK_SERIES_NEAR)
        w->level_ns = median(newest, w->n);
    return status;
}

static struct hk_change_gate gate_of(const struct judging *j, const struct window *w)
{
    const bool near = w->row->series->kind == HK_SERIES_NEAR;
    const double ratio = near ? near_difference_ratio : j->options->difference_ratio;
    /* The floor in ns is a ratio of this series' own level. */
    const double floor_ratio = w->level_ns > 0 ? j->options->floor_ns / w->level_ns : 0;
    return (struct hk_change_gate){.difference_min = log1p(fmax(ratio, floor_ratio)),
                                   .residual_factor = 3,
                                   .agreement_min = 0.85};
}

/* --- from the statistics to a verdict -------------------------------------------------- */

/* The level at first against the level now, over all steps in between. */
static void join_steps(const struct window *w, const size_t *positions, size_t count,
                       struct hk_change *c)
{
    double residuals[WINDOW];
    for (size_t i = 0, from = 0; i <= count; i++) {
        const size_t to = i < count ? positions[i] : w->n;
        const double level = median(w->y + from, to - from);
        if (i == 0)
            c->before_median = level;
        c->after_median = level;
        for (; from < to; from++)
            residuals[from] = fabs(w->y[from] - level);
    }
    c->difference = c->after_median - c->before_median;
    c->residual_median = median(residuals, w->n);
    double agreeing = 0;
    const size_t last = positions[count - 1];
    for (size_t a = 0; a < positions[0]; a++)
        for (size_t b = last; b < w->n; b++)
            agreeing += (w->y[b] - w->y[a]) * c->difference > 0;
    c->agreement_ratio = agreeing / ((double)positions[0] * (double)(w->n - last));
    if (count > 1)
        c->first = c->last = last;
    c->shape = HK_CHANGE_STEP;
}

static enum hk_status describe_change(const struct judging *j, const struct window *w,
                                      struct hk_change *c)
{
    const struct hk_change_options options = {.permutations_max = PERMUTATIONS,
                                              .exceedances_max = 10,
                                              .seed = j->options->seed};
    size_t positions[HK_CHANGE_SEGMENTS_MAX];
    size_t count = 0;
    const enum hk_status status = hk_change_segments(
        w->y, w->n, j->options->false_discovery_ratio, &options, positions, &count);
    if (status == HK_OK && count > 0)
        join_steps(w, positions, count, c);
    return status;
}

static void set_levels(struct window *w, const struct hk_change *c)
{
    w->row->before = exp(c->before_median);
    w->row->after = exp(c->after_median);
    if (c->shape != HK_CHANGE_DRIFT)
        return;
    const double middle = median(w->y, w->n);
    w->row->before = exp(middle - c->difference / 2);
    w->row->after = exp(middle + c->difference / 2);
}

/* A step needs points on both sides; until then only the newest value can stand out. */
static void judge_newest(const struct judging *j, struct window *w, size_t m)
{
    double p = 1;
    const struct hk_change_gate gate = gate_of(j, w);
    const double before = median(w->y, w->n > 1 ? w->n - 1 : 1);
    const double difference = w->y[w->n - 1] - before;
    w->row->before = exp(before);
    w->row->after = exp(w->y[w->n - 1]);
    if (hk_change_newest(w->y, w->n, &p) == HK_OK &&
        p * (double)m <= j->options->false_discovery_ratio &&
        fabs(difference) >= gate.difference_min)
        conclude(w->row, HK_TRACK_SUSPECT, "the newest value is off by %+.1f %%; measure again",
                 100 * expm1(difference));
}

static enum hk_status judge_window(const struct judging *j, struct window *w,
                                   const struct hk_change_judged *judged, size_t m)
{
    struct hk_change c = judged->change;
    w->row->p_adjusted = judged->p_adjusted;
    conclude(w->row, HK_TRACK_STEADY, "no change, p = %.2g", judged->p_adjusted);
    if (judged->p_adjusted > j->options->false_discovery_ratio) {
        judge_newest(j, w, m);
        return HK_OK;
    }
    const enum hk_status status = describe_change(j, w, &c);
    if (status != HK_OK)
        return status;
    const struct hk_change_gate gate = gate_of(j, w);
    const double percent = 100 * expm1(c.difference);
    set_levels(w, &c);
    if (!hk_change_matters(&c, &gate)) {
        conclude(w->row, HK_TRACK_STEADY, "%+.1f %%, too little to matter, p = %.2g", percent,
                 judged->p_adjusted);
        return HK_OK;
    }
    conclude(w->row, c.difference > 0 ? HK_TRACK_SLOWER : HK_TRACK_FASTER, "%s of %+.1f %%, p = %.2g",
             c.shape == HK_CHANGE_DRIFT ? "a drift" : "a step", percent, judged->p_adjusted);
    const bool drifts = c.shape == HK_CHANGE_DRIFT;
    w->row->job_before = w->jobs[drifts ? 0 : c.first - 1];
    w->row->job_after = w->jobs[drifts ? w->n - 1 : c.last];
    return HK_OK;
}

static enum hk_status judge_windows(struct judging *j)
{
    const size_t m = j->window_count;
    struct hk_change_series *series = calloc(m + 1, sizeof(*series));
    struct hk_change_judged *judged = calloc(m + 1, sizeof(*judged));
    const struct hk_change_plan plan = {
        .false_discovery_ratio = j->options->false_discovery_ratio,
        .permutations_min = PERMUTATIONS,
        .seed = j->options->seed,
        .thread_count = j->options->thread_count,
    };
    enum hk_status status = series && judged ? HK_OK : HK_ENOMEM;
    for (size_t i = 0; status == HK_OK && i < m; i++)
        series[i] = (struct hk_change_series){j->windows[i].y, j->windows[i].n};
    if (status == HK_OK && m > 0)
        status = hk_change_judge(series, m, &plan, judged);
    for (size_t i = 0; status == HK_OK && i < m; i++) {
        if (judged[i].status == HK_OK)
            status = judge_window(j, &j->windows[i], &judged[i], m);
        else if (judged[i].status == HK_ENOISE)
            conclude(j->windows[i].row, HK_TRACK_UNJUDGED, "%zu of %u values", j->windows[i].n,
                     HK_CHANGE_POINTS_MIN);
        else
            status = judged[i].status;
    }
    free(series);
    free(judged);
    return status;
}

/* --- all series -------------------------------------------------------------------------- */

static bool has_ratio(const struct hk_track_check *check, const struct hk_history_series *s)
{
    for (size_t i = 0; i < check->list.count; i++) {
        const struct hk_history_series *o = &check->list.series[i];
        if (o->kind == HK_SERIES_RATIO && o->last_job == s->last_job &&
            strcmp(o->name, s->name) == 0 && strcmp(o->metric, s->metric) == 0)
            return true;
    }
    return false;
}

static enum hk_status take_row(struct judging *j, struct hk_track_row *row)
{
    const struct hk_history_series *s = row->series;
    struct window *w = &j->windows[j->window_count];
    if (s->kind == HK_SERIES_EXACT)
        return judge_exact(j, row);
    if (s->kind == HK_SERIES_ABSOLUTE && has_ratio(j->check, s)) {
        conclude(row, HK_TRACK_UNJUDGED, "its ratio is judged");
        return HK_OK;
    }
    if (s->kind == HK_SERIES_NEAR && !s->accepted_job && other_counter(j->check, s)) {
        conclude(row, HK_TRACK_SUSPECT, "was exact, now boots differ; find out why, or accept");
        return HK_OK;
    }
    w->row = row;
    const enum hk_status status = fill_window(j, w);
    j->window_count += status == HK_OK;
    if (status != HK_ERANGE)
        return status;
    conclude(row, HK_TRACK_UNJUDGED, "a value is not positive");
    return HK_OK;
}

/* Jobs of the newest commit, which may be several: a series of one of them is current. */
static enum hk_status oldest_current(struct hk_history *h, int64_t *oldest)
{
    struct hk_history_entry newest, entry;
    int64_t number = 0;
    enum hk_status status = hk_history_newest(h, &number);
    if (status == HK_OK && number > 0)
        status = hk_history_job_read(h, number, &newest);
    *oldest = number;
    while (status == HK_OK) {
        int64_t previous;
        status = hk_history_previous(h, *oldest, &previous);
        if (status == HK_OK)
            status = hk_history_job_read(h, previous, &entry);
        if (status == HK_OK && strcmp(entry.commit, newest.commit) != 0)
            break;
        if (status == HK_OK)
            *oldest = previous;
    }
    return status == HK_ENOENT ? HK_OK : status;
}

static void count_verdicts(struct hk_track_check *check)
{
    for (size_t i = 0; i < check->count; i++)
        check->verdicts[check->rows[i].verdict]++;
    check->judged_count = check->count - check->verdicts[HK_TRACK_UNJUDGED];
}

static enum hk_status judge_all(struct judging *j)
{
    struct hk_track_check *check = j->check;
    int64_t oldest = 0;
    enum hk_status status = oldest_current(j->history, &oldest);
    for (size_t i = 0; status == HK_OK && i < check->list.count; i++) {
        if (check->list.series[i].last_job < oldest && !j->options->every_series) {
            check->elsewhere_count++;
            continue;
        }
        check->rows[check->count] = (struct hk_track_row){.series = &check->list.series[i]};
        status = take_row(j, &check->rows[check->count++]);
    }
    if (status == HK_OK)
        status = judge_windows(j);
    count_verdicts(check);
    return status;
}

enum hk_status hk_track_check(struct hk_history *history, const struct hk_track_options *options,
                              struct hk_track_check *check)
{
    struct hk_track_check made = {0};
    struct judging j = {.history = history, .options = options, .check = &made};
    enum hk_status status = hk_history_list(history, options->filter, &made.list);
    if (status != HK_OK)
        return status;
    made.rows = calloc(made.list.count + 1, sizeof(*made.rows));
    j.windows = calloc(made.list.count + 1, sizeof(*j.windows));
    status = made.rows && j.windows ? judge_all(&j) : HK_ENOMEM;
    free(j.windows);
    if (status == HK_OK)
        *check = made;
    else
        hk_track_check_fini(&made);
    return status;
}

void hk_track_check_fini(struct hk_track_check *check)
{
    free(check->rows);
    hk_history_list_fini(&check->list);
    *check = (struct hk_track_check){0};
}
