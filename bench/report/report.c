/* SPDX-License-Identifier: MIT */
/* The report's sections, from the answer to the evidence. */
#include "hk/report/report.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cells.h"
#include "hk/base/units.h"
#include "hk/judge/acceptance.h"
#include "html.h"
#include "published.h"
#include "style.h"

#define SVG_BYTES_MAX (32u << 20)

struct page {
    FILE *out;
    const struct hk_report_source *source;
    const struct hk_worlds *worlds;
    const char *folder;
    json_t *machine;
};

static const char *fact(const struct page *page, const char *key)
{
    const char *text = json_string_value(json_object_get(page->machine, key));
    return text ? text : "not known";
}

/* --- head -------------------------------------------------------------------------- */

static void count_states(const struct hk_run *run, size_t counts[4])
{
    for (size_t i = 0; i < run->launch_count; i++)
        counts[run->launches[i].state]++;
}

static void write_head(const struct page *page)
{
    const struct hk_run *run = page->source->run;
    FILE *out = page->out;
    size_t counts[4] = { 0 };
    count_states(run, counts);
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>hkbench: ",
          out);
    html_text(out, run->machine_id);
    fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>What a service costs "
                 "outside the kernel</h1>\n<p class=\"lead\">Measured ",
            report_style);
    html_text(out, run->started);
    fputs(" on ", out);
    html_text(out, fact(page, "cpu_model"));
    fprintf(out, " (%lld CPUs, hypervisor: ",
            (long long)json_integer_value(json_object_get(page->machine, "cpu_count")));
    html_text(out, fact(page, "hypervisor"));
    fputs("), Linux ", out);
    html_text(out, fact(page, "kernel"));
    fprintf(out, ". %zu launches hold; %zu did not do what they claim, %zu broke, %zu are not "
                 "available here.</p>\n",
            counts[HK_LAUNCH_OK], counts[HK_LAUNCH_INVALID], counts[HK_LAUNCH_FAILED],
            counts[HK_LAUNCH_UNAVAILABLE]);
    if (run->partial)
        fputs("<p class=\"notice\"><strong>Partial run:</strong> what stands here holds, but the "
              "plan was not finished.</p>\n",
              out);
    if (run->note[0]) {
        fputs("<p class=\"notice\">", out);
        html_text(out, run->note);
        fputs("</p>\n", out);
    }
    fputs("<nav aria-label=\"Sections\"><ul>"
          "<li><a href=\"#verdicts\">Verdicts</a></li><li><a href=\"#figures\">Figures</a></li>"
          "<li><a href=\"#costs\">Costs</a></li>"
          "<li><a href=\"#published\">Published</a></li><li><a href=\"#worlds\">Worlds</a></li>"
          "<li><a href=\"#missing\">Not measured</a></li>"
          "<li><a href=\"#parameters\">Parameters</a></li>"
          "<li><a href=\"#machine\">Machine</a></li>"
          "<li><a href=\"#again\">Do it again</a></li>"
          "<li><a href=\"#caveats\">Caveats</a></li></ul></nav>\n",
          out);
}

/* --- tables ------------------------------------------------------------------------- */

/* columns: header cells split by '|' */
static void open_table(FILE *out, const char *caption, const char *columns)
{
    fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"", out);
    html_text(out, caption);
    fputs("\"><table>\n<caption>", out);
    html_text(out, caption);
    fputs("</caption>\n<thead><tr>", out);
    char text[512];
    snprintf(text, sizeof(text), "%s", columns);
    char *save = NULL;
    for (char *one = strtok_r(text, "|", &save); one; one = strtok_r(NULL, "|", &save)) {
        fputs("<th scope=\"col\">", out);
        html_text(out, one);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
}

static void close_table(FILE *out)
{
    fputs("</tbody></table></div>\n", out);
}

/* --- verdicts -------------------------------------------------------------------------- */

static const struct {
    const char *id;
    const char *says;
} formulas[] = {
    { "F1", "utility of a design = weighted security + performance - cost" },
    { "F2", "services migrate in the order of effort and lost performance" },
    { "F3", "kernel: 2 system calls + 2 copies; server: 4 one-way messages + 4 copies" },
    { "F4", "throughput ratio of a zero-copy server = 2 / (1 + beta + 2 alpha)" },
    { "F5", "expected copying = what is not both aligned and of the right size" },
    { "F6", "jitter of a period = mean lateness times the square root of 2" },
    { "F7", "probability of an underrun = exp(-head-room / mean lateness)" },
    { "F8", "a fast path pays when its gain exceeds the cost of stale answers" },
    { "F9", "an extension pays after verification / gain invocations" },
};

static const struct {
    enum hk_verdict_kind kind;
    const char *class;
    const char *meaning;
} kinds[] = {
    { HK_VERDICT_HOLDS, "holds", "within the margin on held-out data, no assumption violated" },
    { HK_VERDICT_REFUTED_REPLACED, "replaced",
      "off by more than the margin; a stronger model is not" },
    { HK_VERDICT_REFUTED, "refuted", "off by more than the margin; nothing tried holds" },
    { HK_VERDICT_INCONCLUSIVE, "open",
      "the data of this run cannot decide at this margin: no pass" },
};

static const char *says(const char *formula)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(formulas); i++)
        if (strcmp(formulas[i].id, formula) == 0)
            return formulas[i].says;
    return "";
}

static const char *class_of(enum hk_verdict_kind kind)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].class;
    return "open";
}

/* An error on its scale for people: percent of the measured value, or decades. */
static void write_error(FILE *out, const struct hk_judgement *j, double value, double lower,
                        double upper)
{
    if (j->sample_count == 0 && value == 0 && lower == 0 && upper == 0) {
        fputs("<td class=\"number\">&#8211;</td>", out);
        return;
    }
    if (strcmp(j->scale, "log10") == 0)
        fprintf(out, "<td class=\"number\">%+.2f [%+.2f, %+.2f] decades</td>", value, lower, upper);
    else
        fprintf(out, "<td class=\"number\">%+.1f [%+.1f, %+.1f] %%</td>", 100 * expm1(value),
                100 * expm1(lower), 100 * expm1(upper));
}

static void write_margin(FILE *out, const struct hk_judgement *j)
{
    if (strcmp(j->scale, "log10") == 0)
        fprintf(out, "<td class=\"number\">%.2f decades</td>", j->margin);
    else
        fprintf(out, "<td class=\"number\">%.1f %%</td>", 100 * expm1(j->margin));
}

static void write_verdict(FILE *out, const struct hk_judgement *j)
{
    const char *name = hk_verdict_kind_name(j->kind);
    fputs("<tr><th scope=\"row\">", out);
    html_text(out, j->formula);
    fprintf(out, "</th>");
    html_element(out, "td", j->regime);
    fprintf(out, "<td><span class=\"verdict %s\">", class_of(j->kind));
    html_text(out, name);
    fputs("</span></td>", out);
    write_error(out, j, j->error, j->error_lower, j->error_upper);
    write_margin(out, j);
    fprintf(out, "<td class=\"number\">%llu</td>", (unsigned long long)j->sample_count);
    html_element(out, "td", j->cause);
    html_element(out, "td", j->replacement);
    if (j->replacement[0])
        write_error(out, j, j->replacement_error, j->replacement_lower, j->replacement_upper);
    else
        fputs("<td></td>", out);
    fputs("</tr>\n", out);
}

static void write_legend(FILE *out, const struct hk_judge *judge)
{
    fputs("<dl class=\"legend\">\n", out);
    for (size_t i = 0; i < HK_ARRAY_COUNT(kinds); i++) {
        size_t count = 0;
        for (size_t k = 0; k < judge->judgement_count; k++)
            count += judge->judgements[k].kind == kinds[i].kind;
        fprintf(out, "<dt><span class=\"verdict %s\">", kinds[i].class);
        html_text(out, hk_verdict_kind_name(kinds[i].kind));
        fprintf(out, "</span> %zu times</dt><dd>", count);
        html_text(out, kinds[i].meaning);
        fputs("</dd>\n", out);
    }
    fputs("</dl>\n", out);
}

static void write_formulas(FILE *out, const struct hk_judge *judge)
{
    const char *last = "";
    fputs("<ul class=\"formulas\">\n", out);
    for (size_t i = 0; i < judge->judgement_count; i++) {
        if (strcmp(judge->judgements[i].formula, last) == 0)
            continue;
        last = judge->judgements[i].formula;
        fputs("<li><strong>", out);
        html_text(out, last);
        fputs("</strong> ", out);
        html_text(out, says(last));
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

/* What is required of the models and of the judge, beside what was reached; once assessed. */
static void write_acceptance(FILE *out, const struct hk_judge *judge)
{
    static const char *const classes[] = {[HK_ACCEPTANCE_INCONCLUSIVE] = "open",
                                          [HK_ACCEPTANCE_PASS] = "holds",
                                          [HK_ACCEPTANCE_MISSED] = "refuted",
                                          [HK_ACCEPTANCE_REPORTED] = "open"};

    open_table(out, "What is required, and what was reached",
               "Row|On held-out data|Required|Reached [interval]|Its level|n|Outcome|Because");
    for (size_t i = 0; i < judge->acceptance_count; i++) {
        const struct hk_acceptance *a = &judge->acceptance[i];
        fputs("<tr><th scope=\"row\">", out);
        html_text(out, a->row);
        fputs("</th>", out);
        html_element(out, "td", a->target);
        html_element(out, "td", a->required);
        char level[16] = "";
        if (a->confidence_ratio > 0)
            snprintf(level, sizeof level, "%.0f %%", 100 * a->confidence_ratio);
        if (a->sample_count == 0)
            fputs("<td class=\"number\">&#8211;</td><td></td><td></td>", out);
        else
            fprintf(out, "<td class=\"number\">%.3g [%.3g, %.3g] %s</td><td>%s</td>"
                    "<td class=\"number\">%llu</td>", a->value, a->lower, a->upper, a->unit, level,
                    (unsigned long long)a->sample_count);
        fprintf(out, "<td><span class=\"verdict %s\">%s</span></td>", classes[a->outcome],
                hk_acceptance_outcome_name(a->outcome));
        html_element(out, "td", a->why);
        fputs("</tr>\n", out);
    }
    close_table(out);
}

static void write_verdicts(const struct page *page)
{
    const struct hk_judge *judge = page->source->judge;
    FILE *out = page->out;
    fputs("<section id=\"verdicts\"><h2>Could a formula have told?</h2>\n", out);
    if (!judge || judge->judgement_count == 0) {
        fputs("<p class=\"notice\">This run has not been judged. <code>hkbench validate</code> does "
              "it, then make the report again.</p></section>\n",
              out);
        return;
    }
    write_formulas(out, judge);
    open_table(out, "Each formula against measurements that it was not fitted on",
               "Formula|Regime|Verdict|Off by [90 % interval]|Margin|n|Assumption violated|"
               "Holds instead|Which is off by");
    for (size_t i = 0; i < judge->judgement_count; i++)
        write_verdict(out, &judge->judgements[i]);
    close_table(out);
    write_legend(out, judge);
    fputs("<details><summary>The same in words</summary>\n<ul>\n", out);
    for (size_t i = 0; i < judge->judgement_count; i++)
        html_element(out, "li", judge->judgements[i].line);
    fputs("\n</ul></details>\n", out);
    if (judge->acceptance_count > 0)
        write_acceptance(out, judge);
    fputs("</section>\n", out);
}

/* --- figures ------------------------------------------------------------------------------ */

static void write_figure(const struct page *page, const struct hk_figure *figure)
{
    char path[PATH_MAX];
    char *svg = NULL;
    size_t bytes = 0;
    snprintf(path, sizeof(path), "%s/%s.svg", page->folder, figure->name);
    enum hk_status status = hk_file_read(path, SVG_BYTES_MAX, &svg, &bytes);
    fputs("<figure>", page->out);
    if (status == HK_OK) {
        html_svg(page->out, svg, figure->name, figure->title);
    } else {
        fputs("<p class=\"notice\">No figure: it needs ", page->out);
        html_text(page->out, figure->needs);
        fputs(", and gnuplot (Debian package gnuplot-nox).</p>", page->out);
    }
    fputs("<figcaption>", page->out);
    html_element(page->out, "strong", figure->title);
    fputs(". ", page->out);
    html_text(page->out, figure->reading);
    fputs("</figcaption></figure>\n", page->out);
    free(svg);
}

static void write_figures(const struct page *page)
{
    fputs("<section id=\"figures\"><h2>Figures</h2>\n", page->out);
    for (size_t i = 0; i < hk_figure_count; i++)
        write_figure(page, &hk_figures[i]);
    fputs("</section>\n", page->out);
}

/* --- costs --------------------------------------------------------------------------------- */

static const struct {
    const char *counter;
    const char *header;
} cost_columns[] = {
    { "cost_ns", "cost, ns" },
    { "mean_ns", "mean, ns" },
    { "hk_latency_ns_p50", "p50, ns" },
    { "hk_latency_ns_p99", "p99, ns" },
    { "hk_switches_per_op", "switches" },
    { "hk_client_syscalls_per_op", "syscalls of the client" },
};

static size_t count_disturbed(const struct cell *cell)
{
    size_t count = 0;
    for (size_t i = 0; i < cell->count; i++)
        count += hk_launch_disturbed(&cell->launches[i]) || hk_launch_slow(&cell->launches[i]);
    return count;
}

static void write_cost(FILE *out, const struct cell *cell, const struct spread *cost)
{
    fputs("<tr><th scope=\"row\"><code>", out);
    html_text(out, cell->name);
    fprintf(out, "</code></th><td class=\"number\">%zu</td><td class=\"number\">%zu</td>",
            cost->count, count_disturbed(cell));
    for (size_t i = 0; i < HK_ARRAY_COUNT(cost_columns); i++) {
        struct spread spread;
        if (cell_spread(cell, cost_columns[i].counter, &spread))
            html_number(out, spread.median);
        else
            fputs("<td></td>", out);
        if (i == 0) {
            html_number(out, cost->least);
            html_number(out, cost->most);
        }
    }
    fputs("</tr>\n", out);
}

/* World and kind of a cell: what one table holds. */
static void group_of(const char *name, char *group, size_t capacity)
{
    char world[32] = "", kind[64] = "";
    hk_name_part(name, 0, world, sizeof(world));
    hk_name_part(name, 1, kind, sizeof(kind));
    snprintf(group, capacity, "%s/%s", world, kind);
}

static void write_costs(const struct page *page)
{
    FILE *out = page->out;
    struct cell cell;
    char last[128] = "", group[128], columns[512] = "cell|launches|disturbed|cost, ns|least|most";
    size_t tables = 0;
    for (size_t i = 1; i < HK_ARRAY_COUNT(cost_columns); i++) {
        size_t used = strlen(columns);
        snprintf(columns + used, sizeof(columns) - used, "|%s", cost_columns[i].header);
    }
    fputs("<section id=\"costs\"><h2>Costs</h2>\n<p>Medians over launches; cost is the 10 % quantile "
          "of the block means of a launch, least and most are of the launches' costs. Disturbed is "
          "the number of launches in which other work left too few quiet blocks. Per operation.</p>\n",
          out);
    for (size_t next = 0; cell_next(page->source->run, &next, &cell);) {
        struct spread cost;
        if (!cell_spread(&cell, "cost_ns", &cost))
            continue;
        group_of(cell.name, group, sizeof(group));
        if (strcmp(group, last) != 0) {
            if (tables++ > 0)
                close_table(out);
            open_table(out, group, columns);
            snprintf(last, sizeof(last), "%s", group);
        }
        write_cost(out, &cell, &cost);
    }
    if (tables > 0)
        close_table(out);
    else
        fputs("<p class=\"notice\">This run has no costs.</p>\n", out);
    fputs("</section>\n", out);
}

/* --- beside others' ---------------------------------------------------------------------------- */

/* Median cost of a cell; false when the run has none. */
static bool cost_of(const struct hk_run *run, const char *name, double *cost_ns, size_t *launches)
{
    struct cell cell;
    struct spread spread;
    for (size_t next = 0; cell_next(run, &next, &cell);) {
        if (strcmp(cell.name, name) != 0 || !cell_spread(&cell, "cost_ns", &spread))
            continue;
        *cost_ns = spread.median;
        *launches = spread.count;
        return true;
    }
    return false;
}

static void write_ours(FILE *out, const struct hk_run *run, const struct published *p)
{
    double cost_ns, against_ns;
    size_t n, against_n;
    if (p->as == PUBLISHED_ALONE) {
        html_element(out, "td", "nothing here measures it");
        return;
    }
    if (!cost_of(run, p->cell, &cost_ns, &n) || !cost_of(run, p->against, &against_ns, &against_n)) {
        html_element(out, "td", "not in this run");
        return;
    }
    fputs("<td>", out);
    if (p->as == PUBLISHED_TIMES)
        fprintf(out, "%.3g times", cost_ns / against_ns);
    else
        fprintf(out, "%.3g %% less", 100 * (1 - against_ns / cost_ns));
    fputs(" (<code>", out);
    html_text(out, p->cell);
    fputs("</code> against <code>", out);
    html_text(out, p->against);
    fprintf(out, "</code>, %zu and %zu launches)</td>", n, against_n);
}

static void write_published(const struct page *page)
{
    FILE *out = page->out;
    fputs("<section id=\"published\"><h2>Beside published figures</h2>\n<p>What others found, on "
          "their machines and workloads, and what comes nearest to it here: medians over launches. "
          "They need not agree.</p>\n",
          out);
    open_table(out, "Published figures and ours", "What|Published|Source|Here");
    for (size_t i = 0; i < published_count; i++) {
        const struct published *p = &published_figures[i];
        fputs("<tr>", out);
        html_element(out, "td", p->what);
        html_element(out, "td", p->figure);
        html_element(out, "td", p->source);
        write_ours(out, page->source->run, p);
        fputs("</tr>\n", out);
    }
    close_table(out);
    fputs("</section>\n", out);
}

/* --- the same in three worlds --------------------------------------------------------------------- */

/* Cells of the table: three of a counted world, two of the native one. */
static void write_world(FILE *out, const struct hk_world_figure *figure, enum hk_world world)
{
    const double counted[] = { figure->instructions_kernel, figure->instructions_user,
                               figure->switches };
    const double timed[] = { figure->cost_ns, figure->switches };
    const bool native = world == HK_WORLD_NATIVE;
    const size_t count = native ? HK_ARRAY_COUNT(timed) : HK_ARRAY_COUNT(counted);
    for (size_t i = 0; i < count; i++) {
        const double value = native ? timed[i] : counted[i];
        if (figure->state == HK_WORLD_OK && !isnan(value))
            html_number(out, value);
        else
            fprintf(out, "<td class=\"number\">%s</td>",
                    figure->state == HK_WORLD_NONE || figure->state == HK_WORLD_OK ? "&#8211;"
                                                                                   : "?");
    }
}

/* Why a question mark stands there, and what answers it. */
static void write_absent(FILE *out, const struct hk_world_row *row, enum hk_world world,
                         const struct hk_world_figure *figure)
{
    char command[HK_TEXT_BYTES];
    if (figure->state != HK_WORLD_MISSING && figure->state != HK_WORLD_FAILED)
        return;
    fputs("<li><code>", out);
    html_text(out, row->cell[world]);
    fputs("</code> ", out);
    if (figure->state == HK_WORLD_FAILED) {
        html_text(out, figure->reason);
    } else {
        hk_world_command(row->cell[world], world, command);
        fputs("is measured by <code>hkbench ", out);
        html_text(out, command);
        fputs("</code>", out);
    }
    fputs("</li>\n", out);
}

static void write_world_runs(FILE *out, const struct hk_worlds *worlds)
{
    fputs("<p>From", out);
    for (int world = 0; world < HK_WORLDS; world++) {
        fputs(world > 0 ? "; " : " ", out);
        fputs(hk_world_name((enum hk_world)world), out);
        fputs(": <code>", out);
        html_text(out, worlds->have[world] ? worlds->run[world].path : "no run");
        fputs("</code>", out);
    }
    fputs(".</p>\n<ul>\n", out);
}

static void write_worlds(const struct page *page)
{
    FILE *out = page->out;
    fputs("<section id=\"worlds\"><h2>The same in three worlds</h2>\n<p>One operation on a stock "
          "Linux kernel and on hkbench's own, both counted under QEMU (instructions in the kernel "
          "and outside of it, switches of address spaces), and on the native machine, timed "
          "(median over launches, switches of contexts). The service is where the second column "
          "says. Instructions are no time.</p>\n",
          out);
    open_table(out, "The same operation in three worlds",
               "operation|service in|Linux: kernel|user|spaces|ours: kernel|user|spaces|"
               "native: ns|switches");
    for (size_t i = 0; i < hk_world_row_count; i++) {
        fputs("<tr>", out);
        html_element(out, "td", hk_world_rows[i].what);
        html_element(out, "td", hk_world_rows[i].service);
        for (int world = 0; world < HK_WORLDS; world++) {
            const struct hk_world_figure figure =
                hk_worlds_figure(page->worlds, &hk_world_rows[i], (enum hk_world)world);
            write_world(out, &figure, (enum hk_world)world);
        }
        fputs("</tr>\n", out);
    }
    close_table(out);
    write_world_runs(out, page->worlds);
    for (size_t i = 0; i < hk_world_row_count; i++)
        for (int world = 0; world < HK_WORLDS; world++) {
            const struct hk_world_figure figure =
                hk_worlds_figure(page->worlds, &hk_world_rows[i], (enum hk_world)world);
            write_absent(out, &hk_world_rows[i], (enum hk_world)world, &figure);
        }
    fputs("</ul></section>\n", out);
}

/* --- exact counts ------------------------------------------------------------------------------ */

static void write_counts(const struct page *page)
{
    FILE *out = page->out;
    bool begun = false;
    for (size_t i = 0; i < page->source->run->launch_count; i++) {
        const struct hk_launch *launch = &page->source->run->launches[i];
        if (launch->exactness == HK_TIMED || launch->state != HK_LAUNCH_OK)
            continue;
        if (!begun) {
            fputs("<section id=\"counts\"><h2>Exact counts</h2>\n<p>Counted per operation, not "
                  "timed.</p>\n",
                  out);
            open_table(out, "Counts per operation", "cell|class|counts");
        }
        begun = true;
        fputs("<tr><th scope=\"row\"><code>", out);
        html_text(out, launch->name);
        fprintf(out, "</code></th><td>%s</td><td>",
                launch->exactness == HK_EXACT ? "exact" : "near");
        for (size_t c = 0; c < launch->counter_count; c++) {
            fputs(c ? ", " : "", out);
            html_text(out, launch->counters[c].name);
            fprintf(out, " %.10g", launch->counters[c].value);
        }
        fputs("</td></tr>\n", out);
    }
    if (begun) {
        close_table(out);
        fputs("</section>\n", out);
    }
}

/* --- what is missing ------------------------------------------------------------------------------ */

static void write_missing(const struct page *page)
{
    FILE *out = page->out;
    const struct hk_run *run = page->source->run;
    const char *last_name = "", *last_reason = "";
    bool begun = false;
    fputs("<section id=\"missing\"><h2>Not measured, and why</h2>\n", out);
    for (size_t i = 0; i < run->launch_count; i++) {
        const struct hk_launch *launch = &run->launches[i];
        const char *reason = launch->reason ? launch->reason : "no reason given";
        if (launch->state == HK_LAUNCH_OK ||
            (strcmp(launch->name, last_name) == 0 && strcmp(reason, last_reason) == 0))
            continue;
        last_name = launch->name;
        last_reason = reason;
        if (!begun)
            open_table(out, "Launches without numbers", "cell|state|reason");
        begun = true;
        fputs("<tr><th scope=\"row\"><code>", out);
        html_text(out, launch->name);
        fputs("</code></th>", out);
        html_element(out, "td", hk_launch_state_name(launch->state));
        html_element(out, "td", reason);
        fputs("</tr>\n", out);
    }
    if (begun)
        close_table(out);
    else
        fputs("<p>Every cell of this run was measured.</p>\n", out);
    fputs("</section>\n", out);
}

/* --- parameters, machine, reproduction, caveats ----------------------------------------------------- */

static void write_parameters(const struct page *page)
{
    const struct hk_judge *judge = page->source->judge;
    FILE *out = page->out;
    fputs("<section id=\"parameters\"><h2>Fitted parameters</h2>\n", out);
    if (!judge || judge->parameter_count == 0) {
        fputs("<p class=\"notice\">None yet: <code>hkbench fit</code>.</p></section>\n", out);
        return;
    }
    open_table(out, "Each fitted number and the cells it comes from",
               "parameter|value|95 % from|to|n|fitted on");
    for (size_t i = 0; i < judge->parameter_count; i++) {
        const struct hk_parameter *p = &judge->parameters[i];
        fputs("<tr><th scope=\"row\"><code>", out);
        html_text(out, p->name);
        fputs("</code></th>", out);
        html_number(out, p->value);
        html_number(out, p->lower);
        html_number(out, p->upper);
        fprintf(out, "<td class=\"number\">%llu</td><td><code>", (unsigned long long)p->launches);
        html_text(out, p->source);
        fputs("</code></td></tr>\n", out);
    }
    close_table(out);
    fputs("</section>\n", out);
}

static void write_machine(const struct page *page)
{
    FILE *out = page->out;
    const char *key;
    json_t *value;
    fputs("<section id=\"machine\"><h2>Machine</h2>\n", out);
    open_table(out, "The machine record of the run", "fact|value");
    json_object_foreach(page->machine, key, value) {
        char *dumped = json_is_string(value)
                           ? NULL
                           : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        fputs("<tr><th scope=\"row\">", out);
        html_text(out, key);
        fputs("</th>", out);
        html_element(out, "td", dumped ? dumped : json_is_string(value) ? json_string_value(value) : "");
        fputs("</tr>\n", out);
        free(dumped);
    }
    close_table(out);
    fputs("</section>\n", out);
}

static void write_again(const struct page *page)
{
    const struct hk_run *run = page->source->run;
    FILE *out = page->out;
    fputs("<section id=\"again\"><h2>Do it again</h2>\n<p>The run was made by</p>\n<pre><code>hkbench ",
          out);
    html_text(out, run->arguments);
    fprintf(out, "</code></pre>\n<p>with seed %llu. From its folder</p>\n<pre><code>",
            (unsigned long long)run->seed);
    html_text(out, run->path);
    fputs("</code></pre>\n<p>everything here can be made again without measuring:</p>\n<pre><code>"
          "hkbench fit RUN\nhkbench validate RUN\nhkbench plot RUN\nhkbench report RUN</code></pre>\n"
          "<p><code>launches.jsonl</code> in that folder holds every launch with its raw samples; "
          "<code>benchmark.json</code> is the same for tools that read Google Benchmark's format; "
          "<code>plots/*.dat</code> are the figures' numbers.</p></section>\n",
          out);
}

static const char *const caveats[] = {
    "A launch is one replicate. Intervals are over launches; the many repetitions inside a launch "
    "make its number precise, not general.",
    "Costs are low quantiles of block means: what the path costs when nothing disturbs it. Tails are "
    "in the latency figure; medians and quantiles of parts do not add up to those of the whole.",
    "A blocking round trip between two cores costs ten times more or less with the idle state of the "
    "other CPU; compare only cells of the same state.",
    "In a virtual machine the hypervisor may move virtual CPUs between distant cores. The cache-line "
    "floor before and after each launch shows it; the topology does not.",
    "Verdicts hold for the regime they name, on this machine, at the margin they state. INCONCLUSIVE "
    "is no pass.",
    "Times of two machines, kernels or mitigation settings do not compare; hkbench refuses to mix "
    "them.",
};

static void write_caveats(FILE *out)
{
    fputs("<section id=\"caveats\"><h2>Caveats</h2>\n<ul>\n", out);
    for (size_t i = 0; i < HK_ARRAY_COUNT(caveats); i++) {
        html_element(out, "li", caveats[i]);
        fputc('\n', out);
    }
    fputs("</ul></section>\n</main>\n</body>\n</html>\n", out);
}

enum hk_status hk_report_html(const struct hk_report_source *source,
                              const struct hk_worlds *worlds, const char *folder, char **html)
{
    char *text = NULL;
    size_t bytes = 0;
    struct page page = { .source = source, .worlds = worlds, .folder = folder };
    page.machine = json_loads(source->run->machine_json, 0, NULL);
    page.out = page.machine ? open_memstream(&text, &bytes) : NULL;
    if (!page.out) {
        json_decref(page.machine);
        return HK_ENOMEM;
    }
    write_head(&page);
    write_verdicts(&page);
    write_figures(&page);
    write_costs(&page);
    write_published(&page);
    write_worlds(&page);
    write_counts(&page);
    write_missing(&page);
    write_parameters(&page);
    write_machine(&page);
    write_again(&page);
    write_caveats(page.out);
    json_decref(page.machine);
    if (fclose(page.out) != 0) {
        free(text);
        return HK_ENOMEM;
    }
    *html = text;
    return HK_OK;
}
