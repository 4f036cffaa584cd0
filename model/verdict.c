/* SPDX-License-Identifier: MIT */
#include "hk/model/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static bool assumption_valid(const struct hk_assumption *a)
{
    return a->name && a->unit && isfinite(a->expected) && isfinite(a->value) &&
           isfinite(a->interval.lower) && isfinite(a->interval.upper) &&
           a->interval.lower <= a->interval.upper && a->tolerance >= 0.0 &&
           isfinite(a->tolerance);
}

static bool error_valid(const struct hk_equivalence *error, double margin)
{
    return error->margin == margin && margin > 0.0 && isfinite(error->value) &&
           isfinite(error->interval.lower) && isfinite(error->interval.upper) &&
           error->interval.lower <= error->interval.upper;
}

static bool evidence_valid(const struct hk_evidence *e)
{
    if (!e->formula || !e->regime || (e->assumption_count > 0 && !e->assumptions) ||
        (e->replacement_count > 0 && !e->replacements) ||
        !error_valid(&e->error, e->error.margin)) {
        return false;
    }
    for (size_t i = 0; i < e->assumption_count; i++) {
        if (!assumption_valid(&e->assumptions[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < e->replacement_count; i++) {
        if (!e->replacements[i].name ||
            !error_valid(&e->replacements[i].error, e->error.margin)) {
            return false;
        }
    }
    return true;
}

bool hk_assumption_violated(const struct hk_assumption *assumption)
{
    return assumption->interval.lower > assumption->expected + assumption->tolerance ||
           assumption->interval.upper < assumption->expected - assumption->tolerance;
}

/* Distance from what is assumed, in tolerances; a tolerance of 0 makes any distance infinite. */
static double violation_size(const struct hk_assumption *a)
{
    const double distance = fabs(a->value - a->expected);
    return a->tolerance > 0.0 ? distance / a->tolerance : INFINITY;
}

static void name_cause(const struct hk_evidence *evidence, struct hk_verdict *verdict)
{
    for (size_t i = 0; i < evidence->assumption_count; i++) {
        const struct hk_assumption *a = &evidence->assumptions[i];
        if (hk_assumption_violated(a) &&
            (!verdict->has_cause || violation_size(a) > violation_size(&verdict->cause))) {
            verdict->has_cause = true;
            verdict->cause = *a;
        }
    }
}

static void name_replacement(const struct hk_evidence *evidence, struct hk_verdict *verdict)
{
    for (size_t i = 0; i < evidence->replacement_count && !verdict->has_replacement; i++) {
        if (evidence->replacements[i].error.outcome == HK_EQUIVALENCE_EQUIVALENT) {
            verdict->has_replacement = true;
            verdict->replacement = evidence->replacements[i];
        }
    }
}

enum hk_status hk_verdict_decide(const struct hk_evidence *evidence, struct hk_verdict *out)
{
    if (!evidence || !out || !evidence_valid(evidence)) {
        return HK_EINVAL;
    }
    struct hk_verdict verdict = {
        .kind = HK_VERDICT_INCONCLUSIVE,
        .formula = evidence->formula,
        .regime = evidence->regime,
        .scale = evidence->scale,
        .margin = evidence->error.margin,
        .error = evidence->error,
        .sample_count = evidence->sample_count,
        .exact = evidence->exact,
    };
    name_cause(evidence, &verdict);
    if (evidence->error.outcome == HK_EQUIVALENCE_EQUIVALENT && !verdict.has_cause) {
        verdict.kind = HK_VERDICT_HOLDS;
    } else if (evidence->error.outcome == HK_EQUIVALENCE_DIFFERENT) {
        name_replacement(evidence, &verdict);
        verdict.kind = verdict.has_replacement ? HK_VERDICT_REFUTED_REPLACED : HK_VERDICT_REFUTED;
    }
    *out = verdict;
    return HK_OK;
}

const char *hk_verdict_kind_name(enum hk_verdict_kind kind)
{
    switch (kind) {
    case HK_VERDICT_INCONCLUSIVE:
        return "INCONCLUSIVE";
    case HK_VERDICT_HOLDS:
        return "HOLDS";
    case HK_VERDICT_REFUTED_REPLACED:
        return "REFUTED->REPLACED";
    case HK_VERDICT_REFUTED:
        return "REFUTED";
    }
    return "?";
}

struct text {
    char *at;
    size_t left;
    bool cut;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format,
                                                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int written = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    if (written < 0 || (size_t)written >= text->left) {
        text->cut = true;
        text->at += text->left - 1;
        text->left = 1;
        return;
    }
    text->at += written;
    text->left -= (size_t)written;
}

static double percent(double ln_ratio)
{
    return 100.0 * expm1(ln_ratio);
}

/* Never "-0.00": an exact error of nothing has no sign. */
static double unsigned_zero(double value, double resolution)
{
    return fabs(value) < resolution / 2.0 ? 0.0 : value;
}

static void append_error(struct text *text, const struct hk_verdict *v,
                         const struct hk_equivalence *error)
{
    const struct hk_interval *ci = &error->interval;
    if (v->exact && v->scale == HK_ERROR_LOG10) {
        append(text, "off by %+.3f decades at worst", unsigned_zero(error->value, 0.001));
    } else if (v->exact) {
        append(text, "off by %+.2f %% at worst", unsigned_zero(percent(error->value), 0.01));
    } else if (v->scale == HK_ERROR_LOG10) {
        append(text, "off by %+.2f decades [%+.2f, %+.2f]", error->value, ci->lower, ci->upper);
    } else {
        append(text, "off by %+.1f %% [%+.1f, %+.1f]", percent(error->value), percent(ci->lower),
               percent(ci->upper));
    }
}

static void append_margin(struct text *text, const struct hk_verdict *v)
{
    if (v->scale == HK_ERROR_LOG10) {
        append(text, " (margin %.2f decades, n=%zu)", v->margin, v->sample_count);
    } else {
        append(text, " (margin %.*f %%, n=%zu)", v->exact ? 2 : 1, percent(v->margin),
               v->sample_count);
    }
}

static void append_cause(struct text *text, const struct hk_verdict *v)
{
    const struct hk_assumption *c = &v->cause;
    append(text, "; cause: %s %.3g%s%s", c->name, c->value, c->unit[0] ? " " : "", c->unit);
    if (!v->exact) {
        append(text, " [%.3g, %.3g]", c->interval.lower, c->interval.upper);
    }
    append(text, " where %.3g is assumed", c->expected);
}

enum hk_status hk_verdict_format(const struct hk_verdict *verdict, char *text, size_t bytes)
{
    if (!verdict || !text || bytes == 0) {
        return HK_EINVAL;
    }
    struct text line = {.at = text, .left = bytes};
    append(&line, "%s in %s: %s, %s", verdict->formula, verdict->regime,
           hk_verdict_kind_name(verdict->kind), verdict->exact ? "EXACT, " : "");
    append_error(&line, verdict, &verdict->error);
    append_margin(&line, verdict);
    if (verdict->has_cause) {
        append_cause(&line, verdict);
    }
    if (verdict->has_replacement) {
        append(&line, "; %s HOLDS, ", verdict->replacement.name);
        append_error(&line, verdict, &verdict->replacement.error);
    }
    return line.cut ? HK_ENOSPC : HK_OK;
}
