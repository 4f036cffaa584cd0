/* SPDX-License-Identifier: MIT */
#include "compare_print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { FIELD_BYTES = 64 };

enum hk_exit hk_compare_exit(const struct hk_comparison *c)
{
    switch (hk_comparison_verdict(c)) {
    case HK_PAIRED_SLOWER: return HK_EXIT_REFUTED;
    case HK_PAIRED_UNKNOWN: return HK_EXIT_UNDECIDED;
    default: return HK_EXIT_OK;
    }
}

static bool is_count(const struct hk_finding *f)
{
    return f->basis == HK_BASIS_EXACT || f->basis == HK_BASIS_NEAR;
}

static const char *number(double value, char text[FIELD_BYTES])
{
    if (isnan(value))
        snprintf(text, FIELD_BYTES, "-");
    else
        snprintf(text, FIELD_BYTES, fabs(value) >= 1e5 ? "%.0f" : "%.5g", value);
    return text;
}

/* "+3.1 % [+1.0, +5.2]", "+12", "x 1.9 [1.1, 4.0]", "-". */
static const char *change(const struct hk_finding *f, char text[FIELD_BYTES])
{
    if (isnan(f->a) && isnan(f->ratio))
        snprintf(text, FIELD_BYTES, "-");
    else if (is_count(f))
        snprintf(text, FIELD_BYTES, "%+.6g", f->b - f->a);
    else if (f->basis == HK_BASIS_EVENTS)
        snprintf(text, FIELD_BYTES, isnan(f->ratio) ? "-" : "x %.3g [%.3g, %.3g]", f->ratio,
                 f->interval.lower, f->interval.upper);
    else if (isnan(f->interval.lower))
        snprintf(text, FIELD_BYTES, "%+.2f %%", 100 * (f->ratio - 1));
    else
        snprintf(text, FIELD_BYTES, "%+.2f %% [%+.2f, %+.2f]", 100 * (f->ratio - 1),
                 100 * (f->interval.lower - 1), 100 * (f->interval.upper - 1));
    return text;
}

/* The smallest slowdown that would have been found. */
static const char *detectable(const struct hk_finding *f, char text[FIELD_BYTES])
{
    if (isnan(f->detectable_ratio))
        snprintf(text, FIELD_BYTES, f->basis == HK_BASIS_EXACT ? "any" : "-");
    else
        snprintf(text, FIELD_BYTES, "%+.2g %%", 100 * (f->detectable_ratio - 1));
    return text;
}

static void print_totals(const struct hk_comparison *c, const char *bold)
{
    printf("%s%s%s: %zu slower, %zu faster, %zu same, %zu undecided\n", bold,
           hk_paired_verdict_name(hk_comparison_verdict(c)), bold,
           c->verdict_count[HK_PAIRED_SLOWER], c->verdict_count[HK_PAIRED_FASTER],
           c->verdict_count[HK_PAIRED_SAME], c->verdict_count[HK_PAIRED_UNKNOWN]);
}

/* --- for people ------------------------------------------------------------------ */

static void print_table(const struct hk_comparison *c)
{
    char a[FIELD_BYTES], b[FIELD_BYTES], changed[FIELD_BYTES], found[FIELD_BYTES];

    printf("%-8s %-52s %-13s %11s %11s  %-28s %9s  %s\n", "verdict", "cell", "quantity", "A", "B",
           "B against A", "finds", "basis");
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct hk_finding *f = &c->findings[i];
        printf("%-8s %-52s %-13s %11s %11s  %-28s %9s  %s %zu/%zu\n",
               hk_paired_verdict_name(f->verdict), f->cell, f->quantity, number(f->a, a),
               number(f->b, b), change(f, changed), detectable(f, found), hk_basis_name(f->basis),
               f->count_a, f->count_b);
        if (f->reason[0] != '\0' && f->verdict != HK_PAIRED_SAME)
            printf("         %s\n", f->reason);
        for (size_t k = 0; k < f->cause_count; k++)
            printf("         %-60s %11s %11s  %+.6g\n", f->causes[k].what,
                   number(f->causes[k].a, a), number(f->causes[k].b, b),
                   f->causes[k].b - f->causes[k].a);
    }
    for (size_t i = 0; i < c->caveat_count; i++)
        printf("note: %s\n", c->caveats[i]);
    print_totals(c, "");
}

/* --- for a pull request ------------------------------------------------------------ */

static void print_markdown_rows(const struct hk_comparison *c, bool same)
{
    char a[FIELD_BYTES], b[FIELD_BYTES], changed[FIELD_BYTES], found[FIELD_BYTES];

    printf("| verdict | cell | quantity | A | B | B against A | finds |\n"
           "|---|---|---|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct hk_finding *f = &c->findings[i];
        if ((f->verdict == HK_PAIRED_SAME) != same)
            continue;
        printf("| %s | `%s` | %s | %s | %s | %s | %s |\n", hk_paired_verdict_name(f->verdict),
               f->cell, f->quantity, number(f->a, a), number(f->b, b), change(f, changed),
               detectable(f, found));
        for (size_t k = 0; k < f->cause_count; k++)
            printf("| | ↳ %s | | %s | %s | %+.6g | |\n", f->causes[k].what,
                   number(f->causes[k].a, a), number(f->causes[k].b, b),
                   f->causes[k].b - f->causes[k].a);
        if (f->reason[0] != '\0' && !same)
            printf("| | %s | | | | | |\n", f->reason);
    }
}

static void print_markdown(const struct hk_comparison *c, const char *a, const char *b)
{
    printf("### hkbench: `%s` (A) and `%s` (B)\n\n", a, b);
    print_totals(c, "**");
    printf("\n");
    if (c->verdict_count[HK_PAIRED_SAME] < c->finding_count) {
        print_markdown_rows(c, false);
        printf("\n");
    }
    for (size_t i = 0; i < c->caveat_count; i++)
        printf("> %s\n\n", c->caveats[i]);
    printf("<details><summary>%zu unchanged</summary>\n\n", c->verdict_count[HK_PAIRED_SAME]);
    print_markdown_rows(c, true);
    printf("\n</details>\n");
}

/* --- for programs ---------------------------------------------------------------------- */

static void set_number(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static json_t *make_finding(const struct hk_finding *f)
{
    json_t *causes = json_array();
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:s, s:I, s:I}", "cell", f->cell, "quantity", f->quantity,
        "basis", hk_basis_name(f->basis), "verdict", hk_paired_verdict_name(f->verdict), "gates",
        f->gates, "reason", f->reason, "launches_a", (json_int_t)f->count_a, "launches_b",
        (json_int_t)f->count_b);
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"a", f->a}, {"b", f->b}, {"ratio", f->ratio}, {"ratio_lower", f->interval.lower},
        {"ratio_upper", f->interval.upper}, {"confidence_ratio", f->interval.confidence_ratio},
        {"detectable_ratio", f->detectable_ratio}, {"p", f->p}, {"p_bound", f->p_bound},
        {"p_same", f->p_same}, {"p_holm", f->p_holm}, {"q_value", f->q_value},
        {"log_ratio_sd_between", f->sd_between}, {"log_ratio_sd_within", f->sd_within}};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        set_number(object, numbers[i].key, numbers[i].value);
    for (size_t k = 0; k < f->cause_count; k++) {
        json_t *cause = json_pack("{s:s}", "what", f->causes[k].what);
        set_number(cause, "a", f->causes[k].a);
        set_number(cause, "b", f->causes[k].b);
        json_array_append_new(causes, cause);
    }
    json_object_set_new(object, "causes", causes);
    return object;
}

static enum hk_status print_json(const struct hk_comparison *c, const char *a, const char *b)
{
    json_t *findings = json_array(), *caveats = json_array();

    for (size_t i = 0; i < c->finding_count; i++)
        json_array_append_new(findings, make_finding(&c->findings[i]));
    for (size_t i = 0; i < c->caveat_count; i++)
        json_array_append_new(caveats, json_string(c->caveats[i]));
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "verdict",
        hk_paired_verdict_name(hk_comparison_verdict(c)), "a", a, "b", b, "slower_count",
        (json_int_t)c->verdict_count[HK_PAIRED_SLOWER], "faster_count",
        (json_int_t)c->verdict_count[HK_PAIRED_FASTER], "same_count",
        (json_int_t)c->verdict_count[HK_PAIRED_SAME], "unknown_count",
        (json_int_t)c->verdict_count[HK_PAIRED_UNKNOWN], "only_a_count",
        (json_int_t)c->only_a_count, "only_b_count", (json_int_t)c->only_b_count, "caveats",
        caveats, "findings", findings);
    char *text = json_dumps(object, JSON_INDENT(1) | JSON_REAL_PRECISION(12));

    json_decref(object);
    if (text == NULL)
        return HK_EINVAL;
    puts(text);
    free(text);
    return HK_OK;
}

enum hk_status hk_compare_print(const struct hk_comparison *comparison, const char *a,
                                const char *b, enum hk_compare_format format)
{
    switch (format) {
    case HK_COMPARE_TABLE: print_table(comparison); return HK_OK;
    case HK_COMPARE_MARKDOWN: print_markdown(comparison, a, b); return HK_OK;
    case HK_COMPARE_JSON: return print_json(comparison, a, b);
    }
    return HK_EINVAL;
}
