/* SPDX-License-Identifier: MIT */
#include "hk/judge/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate.h"
#include "formulas.h"
#include "hk/base/units.h"

const struct hk_judge_formula hk_judge_formulas[] = {
    {"F3", hk_f3_fit, hk_f3_validate},
    {"F5", hk_f5_fit, hk_f5_validate},
    {"F6", hk_f6_fit, hk_f6_validate},
    {"F7", hk_f7_fit, hk_f7_validate},
    {"F3", hk_service_fit, hk_service_validate},
    {"F4", hk_f4_fit, hk_f4_validate},
    {"F9", hk_f9_fit, hk_f9_validate},
    {"F2", hk_f2_fit, hk_f2_validate},
    {"F3", hk_f3_guest_fit, hk_f3_guest_validate},
    {"F6", hk_f6_guest_fit, hk_f6_guest_validate},
    {"F7", hk_f7_guest_fit, hk_f7_guest_validate},
    {"F8", hk_f8_fit, hk_f8_validate},
    {"F1", hk_f1_fit, hk_f1_validate},
    {"F3", hk_load_fit, hk_load_validate},
    {"F3", hk_block_fit, hk_block_validate},
};
const size_t hk_judge_formula_count = HK_ARRAY_COUNT(hk_judge_formulas);

/* Room for one more; arrays double so that appending stays linear. */
static enum hk_status grow(void **array, size_t count, size_t element_bytes)
{
    if (count != 0 && (count & (count - 1)) != 0)
        return HK_OK; /* capacity is the next power of two */
    void *larger = realloc(*array, (count == 0 ? 1 : 2 * count) * element_bytes);
    if (larger == NULL)
        return HK_ENOMEM;
    *array = larger;
    return HK_OK;
}

static bool interval_holds(double lower, double value, double upper)
{
    return isfinite(lower) && isfinite(value) && isfinite(upper) && lower <= value &&
           value <= upper;
}

enum hk_status hk_judge_parameter(const struct hk_judge *judge, const char *name,
                                  const struct hk_parameter **parameter)
{
    for (size_t i = 0; i < judge->parameter_count; i++) {
        if (strcmp(judge->parameters[i].name, name) == 0) {
            *parameter = &judge->parameters[i];
            return HK_OK;
        }
    }
    return HK_ENOENT;
}

enum hk_status hk_judge_add_parameter(struct hk_judge *judge, const struct hk_parameter *p)
{
    const struct hk_parameter *old;

    if (!interval_holds(p->lower, p->value, p->upper))
        return HK_EINVAL;
    if (hk_judge_parameter(judge, p->name, &old) == HK_OK)
        return HK_EEXIST;
    if (grow((void **)&judge->parameters, judge->parameter_count, sizeof *p) != HK_OK)
        return HK_ENOMEM;
    judge->parameters[judge->parameter_count++] = *p;
    return HK_OK;
}

enum hk_status hk_judge_add_comparison(struct hk_judge *judge, const struct hk_comparison *c)
{
    if (!interval_holds(c->lower, c->predicted, c->upper) ||
        !interval_holds(c->measured_lower, c->measured, c->measured_upper))
        return HK_EINVAL;
    if (grow((void **)&judge->comparisons, judge->comparison_count, sizeof *c) != HK_OK)
        return HK_ENOMEM;
    judge->comparisons[judge->comparison_count++] = *c;
    return HK_OK;
}

static enum hk_status add_judgement(struct hk_judge *judge, const struct hk_judgement *j)
{
    if (grow((void **)&judge->judgements, judge->judgement_count, sizeof *j) != HK_OK)
        return HK_ENOMEM;
    judge->judgements[judge->judgement_count++] = *j;
    return HK_OK;
}

static void copy_text(char *to, size_t bytes, const char *from)
{
    snprintf(to, bytes, "%s", from);
}

enum hk_status hk_judge_add_verdict(struct hk_judge *judge, const struct hk_verdict *v)
{
    struct hk_judgement j = {
        .kind = v->kind,
        .margin = v->margin,
        .error = v->error.value,
        .error_lower = v->error.interval.lower,
        .error_upper = v->error.interval.upper,
        .sample_count = v->sample_count,
        .exact = v->exact,
    };

    if (!interval_holds(j.error_lower, j.error, j.error_upper))
        return HK_EINVAL;
    copy_text(j.formula, sizeof j.formula, v->formula);
    copy_text(j.regime, sizeof j.regime, v->regime);
    copy_text(j.scale, sizeof j.scale, v->scale == HK_ERROR_LOG10 ? "log10" : "ln_ratio");
    if (v->has_cause)
        copy_text(j.cause, sizeof j.cause, v->cause.name);
    if (v->has_replacement) {
        copy_text(j.replacement, sizeof j.replacement, v->replacement.name);
        j.replacement_error = v->replacement.error.value;
        j.replacement_lower = v->replacement.error.interval.lower;
        j.replacement_upper = v->replacement.error.interval.upper;
    }
    const enum hk_status status = hk_verdict_format(v, j.line, sizeof j.line);
    if (status != HK_OK && status != HK_ENOSPC)
        return status;
    return add_judgement(judge, &j);
}

enum hk_status hk_judge_add_undecided(struct hk_judge *judge, const char *formula,
                                      const char *regime, const char *why)
{
    struct hk_judgement j = {.kind = HK_VERDICT_INCONCLUSIVE};

    copy_text(j.formula, sizeof j.formula, formula);
    copy_text(j.regime, sizeof j.regime, regime);
    copy_text(j.scale, sizeof j.scale, "none");
    snprintf(j.line, sizeof j.line, "%s in %s: INCONCLUSIVE, %s", formula, regime, why);
    return add_judgement(judge, &j);
}

const struct hk_judgement *hk_judge_verdict(const struct hk_judge *judge, const char *formula,
                                            const char *regime)
{
    for (size_t i = 0; i < judge->judgement_count; i++)
        if (strcmp(judge->judgements[i].formula, formula) == 0 &&
            strcmp(judge->judgements[i].regime, regime) == 0)
            return &judge->judgements[i];
    return NULL;
}

/* Each formula draws from its own stream, so adding one leaves the others' numbers alone. */
static enum hk_status formula_rng(size_t formula, uint64_t seed, struct hk_rng **rng)
{
    return hk_rng_create(seed, formula, rng);
}

enum hk_status hk_judge_fit(const struct hk_run *training, uint64_t seed, struct hk_judge *judge,
                            char error[HK_TEXT_BYTES])
{
    for (size_t i = 0; i < hk_judge_formula_count; i++) {
        const struct hk_judge_formula *f = &hk_judge_formulas[i];
        struct hk_rng *rng = NULL;
        enum hk_status status = formula_rng(i, seed, &rng);
        if (status == HK_OK)
            status = f->fit(training, rng, judge);
        hk_rng_destroy(rng);
        if (status != HK_OK) {
            snprintf(error, HK_TEXT_BYTES, "fitting %s: %s", f->id, hk_status_text(status));
            return status;
        }
    }
    return HK_OK;
}

enum hk_status hk_judge_validate(const struct hk_run *training, const struct hk_run *target,
                                 uint64_t seed, struct hk_judge *judge,
                                 char error[HK_TEXT_BYTES])
{
    enum hk_status status = HK_OK;

    if (training != target)
        status = hk_run_mixable(training, target, error);
    for (size_t i = 0; i < hk_judge_formula_count && status == HK_OK; i++) {
        const struct hk_judge_formula *f = &hk_judge_formulas[i];
        struct hk_rng *rng = NULL;
        status = formula_rng(i, seed, &rng);
        if (status == HK_OK)
            status = f->validate(training, target, rng, judge);
        hk_rng_destroy(rng);
        if (status != HK_OK)
            snprintf(error, HK_TEXT_BYTES, "judging %s: %s", f->id, hk_status_text(status));
    }
    if (status != HK_OK)
        return status;
    status = hk_judge_calibrate(judge);
    if (status != HK_OK)
        snprintf(error, HK_TEXT_BYTES, "calibrating intervals: %s", hk_status_text(status));
    return status;
}
