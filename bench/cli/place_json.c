/* SPDX-License-Identifier: MIT */
#include "hk/base/units.h"
#include "hk/guest/mix.h"
#include "place_print.h"

/* A set as its cell has it, with what it costs and brings. */
static json_t *set_json(const struct hk_place_study *s, uint32_t set)
{
    json_t *servers = json_array();

    for (unsigned i = 0; i < HK_SERVICES; i++)
        if ((set >> i & 1) != 0)
            json_array_append_new(servers,
                                  json_string(hk_mix_service_name((enum hk_service_number)i)));
    return json_pack("{s:i, s:o, s:f, s:f, s:f, s:f, s:b}", "mask", (int)(HK_SERVERS_ALL - set),
                     "servers", servers, "instructions", s->truth->instructions[set],
                     "added_ratio", hk_place_added_ratio(s->truth->instructions, set),
                     "benefit_points", hk_place_benefit(s->services, set), "effort_days",
                     hk_place_effort(s->services, set), "on_front", (int)s->on_front[set]);
}

static json_t *model_json(const struct hk_place_study *s, const struct hk_place_model *m)
{
    json_t *j = json_pack(
        "{s:s, s:I, s:f, s:f, s:f, s:f, s:o, s:f, s:o, s:b}", "name", m->name, "cells_count",
        (json_int_t)m->cells_count, "regret_mean", m->regret.regret_mean, "regret_max",
        m->regret.regret_max, "range_mean", m->regret.range_mean, "agreement_ratio",
        m->regret.agreement_ratio, "best", set_json(s, m->best), "best_regret_ratio",
        m->regret_ratio, "budget", set_json(s, m->budget_set), "over_budget",
        (int)(m->budget_added_ratio > s->budget_ratio));

    if (m->judged)
        json_object_set_new(
            j, "held_out",
            json_pack("{s:I, s:I, s:f, s:f, s:f, s:f}", "count", (json_int_t)m->fit.count,
                      "not_positive_count", (json_int_t)m->fit.not_positive,
                      "added_error_ratio_median", m->fit.added_error_median,
                      "added_error_ratio_p95", m->fit.added_error_p95,
                      "total_error_ratio_median", m->fit.total_error_median, "tau_b",
                      m->fit.tau_b));
    return j;
}

static json_t *steps_json(const struct hk_place_study *s)
{
    json_t *array = json_array();

    for (size_t k = 0; k < HK_SERVICES; k++) {
        const struct hk_place_step *t = &s->steps[k];
        json_array_append_new(
            array, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "service",
                             hk_mix_service_name((enum hk_service_number)t->service), "score",
                             t->score, "worth", t->worth, "alone_ratio", t->alone_ratio,
                             "added_ratio", t->added_ratio, "least_added_ratio", t->least_ratio));
    }
    return array;
}

static json_t *winners_json(const struct hk_place_study *s)
{
    json_t *array = json_array();

    for (size_t i = 0; i < s->winner_count; i++) {
        const struct hk_weight_polygon *r = &s->winners[i].region;
        json_t *vertices = json_array();
        for (size_t v = 0; v < r->vertex_count; v++)
            json_array_append_new(vertices, json_pack("[f, f, f]", r->vertices[v][0],
                                                      r->vertices[v][1], r->vertices[v][2]));
        json_array_append_new(
            array, json_pack("{s:o, s:f, s:[f, f, f], s:o}", "placement",
                             set_json(s, (uint32_t)s->winners[i].index), "area_ratio",
                             r->area_ratio, "weights_mean", r->centroid[0], r->centroid[1],
                             r->centroid[2], "vertices", vertices));
    }
    return array;
}

static json_t *change_json(const struct hk_place_study *s, const struct hk_place_change *c)
{
    return c->found ? json_pack("{s:f, s:o}", "crossing_factor", c->factor, "then",
                                set_json(s, c->then))
                    : json_null();
}

static json_t *doubts_json(const struct hk_place_study *s)
{
    json_t *array = json_array();

    for (size_t i = 0; i < HK_PLACE_DOUBTS && s->doubted; i++) {
        const struct hk_sensitivity *d = &s->doubts[i];
        char name[32];
        hk_place_doubt_name(i, name, sizeof name);
        json_array_append_new(array, json_pack("{s:s, s:f, s:f, s:f, s:f}", "name", name, "first",
                                               d->first, "first_se", d->first_se, "total",
                                               d->total, "total_se", d->total_se));
    }
    return array;
}

json_t *hk_place_json(const struct hk_place_study *study, const struct hk_judgement *verdict)
{
    json_t *placements = json_array();
    json_t *models = json_array();

    for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
        json_array_append_new(placements, set_json(study, set));
    for (size_t i = 0; i < HK_ARRAY_COUNT(study->models); i++)
        json_array_append_new(models, model_json(study, &study->models[i]));
    return json_pack(
        "{s:s, s:b, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o}", "workload",
        study->truth->workload, "exact", (int)study->truth->exact, "verdict",
        hk_verdict_kind_name(verdict->kind), "line", verdict->line, "models", models, "order",
        steps_json(study), "best", set_json(study, study->best), "hybrid",
        set_json(study, study->services->hybrid), "budget", set_json(study, study->budget_set),
        "budget_ratio", study->budget_ratio, "winners", winners_json(study), "changes",
        json_pack("{s:o, s:o}", "dearer", change_json(study, &study->dearer), "cheaper",
                  change_json(study, &study->cheaper)),
        "doubts", doubts_json(study), "placements", placements);
}
