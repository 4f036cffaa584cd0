/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hk/stats/paired.h"

enum { FAILURES_MAX = 2, COUNTING_INTERVAL = 5, PACES_MIN = 8 };

/* A quiet core's pace repeats within 1 %; shared with a neighbour it is 5 to 50 % slower. */
static const double slow_ratio = 1.05;

static const double confidence = 0.9; /* five launches give the sign test 93.75 % */

/* Adds a cell to the group of its key, making one when there is none or it is full. */
static void assign_group(struct hk_schedule *s, size_t cell)
{
    const char *name = s->cells[cell].name;
    const struct hk_experiment *e = hk_experiment_find(name);
    const uint32_t copies = e != NULL && e->copies != NULL ? e->copies(name) : 1;
    struct hk_cell_group *g = NULL;
    char key[HK_NAME_BYTES];
    size_t tasks = 0;

    snprintf(key, sizeof key, "%s", name);
    if (e != NULL && e->group != NULL)
        e->group(name, key, sizeof key);
    for (size_t i = s->group_count; i-- > 0 && g == NULL;)
        if (strcmp(s->groups[i].key, key) == 0)
            g = &s->groups[i];
    for (size_t i = 0; g != NULL && i < g->count; i++)
        tasks += g->copies[i];
    if (g == NULL || tasks + copies > HK_TASKS_MAX) {
        g = &s->groups[s->group_count++];
        memcpy(g->key, key, sizeof key);
    }
    s->cells[cell].copies = copies;
    s->cells[cell].waits = e != NULL && e->group != NULL;
    g->cells[g->count] = cell;
    g->copies[g->count++] = copies;
}

enum hk_status hk_schedule_init(struct hk_schedule *schedule, const struct hk_cells *cells,
                                const struct hk_effort *effort, uint64_t seed)
{
    struct hk_schedule s = {.effort = effort, .cell_count = cells->count};
    /* Concurrent copies may number a few launches past the most. */
    const size_t room = effort->launches_max + HK_TASKS_MAX;

    s.cells = calloc(cells->count, sizeof *s.cells);
    s.groups = calloc(cells->count, sizeof *s.groups);
    s.order = calloc(cells->count, sizeof *s.order);
    enum hk_status status = hk_rng_create(seed, 0, &s.rng);
    if (s.cells == NULL || s.groups == NULL || s.order == NULL)
        status = HK_ENOMEM;
    for (size_t i = 0; i < cells->count && status == HK_OK; i++) {
        s.cells[i] = (struct hk_cell){.name = cells->names[i], .interval_ratio = -1};
        s.cells[i].cost_ns = calloc(room, sizeof(double));
        if (s.cells[i].cost_ns == NULL)
            status = HK_ENOMEM;
        assign_group(&s, i);
    }
    if (status != HK_OK) {
        hk_schedule_fini(&s);
        return status;
    }
    *schedule = s;
    return HK_OK;
}

void hk_schedule_fini(struct hk_schedule *schedule)
{
    for (size_t i = 0; schedule->cells != NULL && i < schedule->cell_count; i++)
        free(schedule->cells[i].cost_ns);
    free(schedule->cells);
    free(schedule->groups);
    free(schedule->order);
    free(schedule->pace_ns);
    hk_rng_destroy(schedule->rng);
    *schedule = (struct hk_schedule){0};
}

static bool group_runs(const struct hk_schedule *s, const struct hk_cell_group *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (s->cells[g->cells[i]].end == HK_CELL_RUNS)
            return true;
    return false;
}

static void begin_pass(struct hk_schedule *s)
{
    s->order_count = 0;
    s->order_next = 0;
    for (size_t g = 0; g < s->group_count; g++)
        if (group_runs(s, &s->groups[g]))
            s->order[s->order_count++] = g;
    for (size_t i = s->order_count; i > 1; i--) {
        const size_t j = hk_rng_below(s->rng, i);
        const size_t swapped = s->order[i - 1];
        s->order[i - 1] = s->order[j];
        s->order[j] = swapped;
    }
}

const struct hk_cell_group *hk_schedule_next(struct hk_schedule *schedule)
{
    if (schedule->order_next == schedule->order_count)
        begin_pass(schedule);
    if (schedule->order_next == schedule->order_count)
        return NULL;
    return &schedule->groups[schedule->order[schedule->order_next++]];
}

/* Half the width of the distribution-free interval of the launches' costs, over their middle. */
static double interval_ratio(const struct hk_cell *c)
{
    struct hk_interval interval;

    if (hk_sign_interval(c->cost_ns, c->cost_count, confidence, &interval) != HK_OK)
        return -1;
    const double middle = (interval.lower + interval.upper) / 2;
    return middle > 0 ? (interval.upper - interval.lower) / 2 / middle : -1;
}

static void account_failure(struct hk_cell *c, const struct hk_launch *launch)
{
    c->failures++;
    if (launch->state == HK_LAUNCH_UNAVAILABLE)
        c->end = HK_CELL_UNAVAILABLE;
    else if (c->failures >= FAILURES_MAX && c->failures * 2 > c->launches)
        c->end = HK_CELL_BROKEN;
}

static void decide(const struct hk_effort *effort, bool has_cost, struct hk_cell *c)
{
    const uint32_t least = effort->launches_min * c->copies;
    const uint32_t repeated = c->slow < least ? c->slow : least;
    const uint32_t ok = c->launches - c->failures - repeated;

    if (ok < least)
        c->end = HK_CELL_RUNS; /* failures end it elsewhere */
    else if (!has_cost || ok >= effort->launches_max)
        c->end = HK_CELL_ENOUGH;
    else if (c->interval_ratio >= 0 && c->interval_ratio <= effort->interval_ratio)
        c->end = HK_CELL_NARROW;
}

bool hk_schedule_counts(const struct hk_cell *cell)
{
    return !cell->counted || cell->launches % COUNTING_INTERVAL == 0;
}

static enum hk_status keep_pace(struct hk_schedule *s, double pace_ns)
{
    size_t at = s->pace_count;

    if (at == s->pace_room) {
        const size_t room = 2 * at + PACES_MIN;
        double *larger = realloc(s->pace_ns, room * sizeof *larger);
        if (larger == NULL)
            return HK_ENOMEM;
        s->pace_ns = larger;
        s->pace_room = room;
    }
    for (; at > 0 && s->pace_ns[at - 1] > pace_ns; at--)
        s->pace_ns[at] = s->pace_ns[at - 1];
    s->pace_ns[at] = pace_ns;
    s->pace_count++;
    return HK_OK;
}

/*
 * Whether the core was slow. Against the faster quarter: most launches of a run may be slow, and a
 * clock that is high for the first minute only is no pace to wait for.
 */
static enum hk_status judge_pace(struct hk_schedule *s, struct hk_launch *launch, bool *slow)
{
    double before_ns, after_ns;
    enum hk_status status = HK_OK;

    *slow = false;
    if (!hk_launch_counter(launch, "hk_pace_before_ns", &before_ns) ||
        !hk_launch_counter(launch, "hk_pace_after_ns", &after_ns))
        return HK_OK;
    if (s->pace_count >= PACES_MIN) {
        *slow = fmax(before_ns, after_ns) > slow_ratio * s->pace_ns[s->pace_count / 4];
        status = hk_launch_add_counter(launch, "hk_slow", *slow ? 1 : 0);
    }
    return status == HK_OK ? keep_pace(s, fmin(before_ns, after_ns)) : status;
}

enum hk_status hk_schedule_account(struct hk_schedule *schedule, size_t cell,
                                   struct hk_launch *launch)
{
    struct hk_cell *c = &schedule->cells[cell];
    enum hk_status status = HK_OK;
    bool slow = false;
    double cost_ns;

    c->counted = c->counted || (launch->state == HK_LAUNCH_OK && hk_schedule_counts(c));
    c->launches++;
    if (launch->state != HK_LAUNCH_OK) {
        account_failure(c, launch);
        return HK_OK;
    }
    if (!c->waits)
        status = judge_pace(schedule, launch, &slow);
    if (status != HK_OK)
        return status;
    c->slow += slow ? 1 : 0;
    const bool has_cost = hk_launch_counter(launch, "cost_ns", &cost_ns);
    if (has_cost && !slow && c->cost_count < schedule->effort->launches_max) {
        c->cost_ns[c->cost_count++] = cost_ns;
        c->interval_ratio = interval_ratio(c);
    }
    decide(schedule->effort, has_cost, c);
    if (c->interval_ratio >= 0)
        status = hk_launch_add_counter(launch, "hk_interval_ratio", c->interval_ratio);
    if (status != HK_OK)
        return status;
    const double stop = c->end == HK_CELL_NARROW ? 1 : c->end == HK_CELL_ENOUGH ? 2 : 0;
    return hk_launch_add_counter(launch, "hk_stop", stop);
}
