/* SPDX-License-Identifier: MIT */
#include "place_print.h"

#include <stdio.h>
#include <string.h>

#include "hk/base/units.h"
#include "hk/guest/mix.h"

enum { DOUBTS_SHOWN = 3 };

void hk_set_text(uint32_t set, char text[HK_SET_BYTES])
{
    size_t n = (size_t)snprintf(text, HK_SET_BYTES, "%03u:", HK_SERVERS_ALL - set);

    if (set == 0 || set == HK_SERVERS_ALL) {
        snprintf(text + n, HK_SET_BYTES - n, " %s", set == 0 ? "monolith" : "microkernel");
        return;
    }
    for (unsigned i = 0; i < HK_SERVICES; i++)
        if ((set >> i & 1) != 0)
            n += (size_t)snprintf(text + n, HK_SET_BYTES - n, " %s",
                                  hk_mix_service_name((enum hk_service_number)i));
}

static void print_head(const struct hk_place_study *s, const struct hk_judgement *verdict)
{
    const double *y = s->truth->instructions;

    printf("workload     %s: %u placements, %s; monolith %.1f instructions per request, "
           "microkernel %+.1f %%, hybrid %+.1f %%\n", s->truth->workload, HK_PLACEMENTS,
           s->truth->exact ? "exact" : "near", y[0],
           100 * hk_place_added_ratio(y, HK_SERVERS_ALL),
           100 * hk_place_added_ratio(y, s->services->hybrid));
    printf("verdict      %s\n", verdict->line);
}

static void print_models(const struct hk_place_study *s)
{
    puts("\nprediction  cells  error of what is added  p95      of all   tau-b   regret, mean over "
         "weights  same winner");
    for (size_t i = 0; i < HK_ARRAY_COUNT(s->models); i++) {
        const struct hk_place_model *m = &s->models[i];
        printf("%-10s  %5zu  ", m->name, m->cells_count);
        if (m->judged)
            printf("%19.2f %%  %5.1f %%  %5.2f %%  %6.3f  ", 100 * m->fit.added_error_median,
                   100 * m->fit.added_error_p95, 100 * m->fit.total_error_median, m->fit.tau_b);
        else
            printf("%21s  %7s  %7s  %6s  ", "-", "-", "-", "-");
        printf("%23.3f %%  %9.1f %%\n", m->regret.range_mean > 0
                   ? 100 * m->regret.regret_mean / m->regret.range_mean : 0,
               100 * m->regret.agreement_ratio);
    }
}

static void print_order(const struct hk_place_study *s)
{
    printf("\nmove first   score   worth    alone  with those above  cheapest so many   "
           "(score below worth: move)\n");
    for (size_t k = 0; k < HK_SERVICES; k++) {
        const struct hk_place_step *t = &s->steps[k];
        printf("%zu %-9s  %6.4f  %6.4f  %+6.2f %%  %+14.2f %%  %+14.2f %%\n", k + 1,
               hk_mix_service_name((enum hk_service_number)t->service), t->score, t->worth,
               100 * t->alone_ratio, 100 * t->added_ratio, 100 * t->least_ratio);
    }
}

static void print_choice(const char *title, const struct hk_place_study *s, uint32_t set,
                         const char *note)
{
    char text[HK_SET_BYTES];

    hk_set_text(set, text);
    printf("%-26s %-58s %+7.2f %%  %5.1f  %5.1f  %s\n", title, text,
           100 * hk_place_added_ratio(s->truth->instructions, set),
           hk_place_benefit(s->services, set), hk_place_effort(s->services, set), note);
}

static void print_choices(const struct hk_place_study *s)
{
    char title[48];
    char note[64];

    printf("\n%-26s %-58s %9s  %5s  %5s\n", "choice", "placement, services in servers", "added",
           "points", "days");
    print_choice("best at stated weights", s, s->best, "");
    for (size_t i = 0; i < HK_ARRAY_COUNT(s->models); i++) {
        snprintf(title, sizeof title, "  predicted, %s", s->models[i].name);
        snprintf(note, sizeof note, "regret %.2f %%", 100 * s->models[i].regret_ratio);
        print_choice(title, s, s->models[i].best, note);
    }
    snprintf(title, sizeof title, "most points for %+.0f %%", 100 * s->budget_ratio);
    print_choice(title, s, s->budget_set, "");
    for (size_t i = 0; i < HK_ARRAY_COUNT(s->models); i++) {
        const struct hk_place_model *m = &s->models[i];
        snprintf(title, sizeof title, "  predicted, %s", m->name);
        if (m->budget_added_ratio > s->budget_ratio)
            snprintf(note, sizeof note, "over the budget");
        else
            snprintf(note, sizeof note, "regret %.1f points",
                     hk_place_benefit(s->services, s->budget_set) -
                         hk_place_benefit(s->services, m->budget_set));
        print_choice(title, s, m->budget_set, note);
    }
}

static const char *standing(const struct hk_place_study *s, uint32_t set)
{
    if (hk_place_area(s, set) > 0)
        return "";
    return s->undominated[set] ? "best at no weights, though not dominated"
                               : "dominated by another placement";
}

static void print_regions(const struct hk_place_study *s)
{
    const uint32_t named[] = {0, s->services->hybrid, HK_SERVERS_ALL};
    const char *const names[] = {"monolith", "hybrid", "microkernel"};
    char text[HK_SET_BYTES];

    puts("\nweights at which it is best, of all; mean of these weights: isolation, performance, "
         "effort");
    for (size_t i = 0; i < s->winner_count; i++) {
        const struct hk_weight_polygon *r = &s->winners[i].region;
        hk_set_text((uint32_t)s->winners[i].index, text);
        printf("%7.2f %%  %.2f %.2f %.2f  %s%s\n", 100 * r->area_ratio, r->centroid[0],
               r->centroid[1], r->centroid[2], text,
               s->winners[i].index == s->services->hybrid ? " (hybrid)" : "");
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(named); i++)
        if (!(hk_place_area(s, named[i]) > 0))
            printf("%7.2f %%  the %s: %s\n", 0.0, names[i], standing(s, named[i]));
}

static void print_front(const struct hk_place_study *s)
{
    char text[HK_SET_BYTES];

    puts("\nPareto front: no other has as many points for fewer instructions");
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        if (!s->on_front[set])
            continue;
        hk_set_text(set, text);
        printf("%+8.2f %%  %5.1f points  %s\n",
               100 * hk_place_added_ratio(s->truth->instructions, set),
               hk_place_benefit(s->services, set), text);
    }
}

static void print_change(const char *word, const struct hk_place_change *change)
{
    char text[HK_SET_BYTES];

    if (!change->found) {
        printf("%s crossings, up to a factor of 1000: none\n", word);
        return;
    }
    hk_set_text(change->then, text);
    printf("%s crossings, %.3f times today's cost: then %s\n", word, change->factor, text);
}

/* The largest total index not shown yet; HK_PLACE_DOUBTS when none is above 0. */
static size_t next_doubt(const struct hk_place_study *s, const bool *shown)
{
    size_t next = HK_PLACE_DOUBTS;

    for (size_t i = 0; i < HK_PLACE_DOUBTS; i++)
        if (!shown[i] && s->doubts[i].total > 0 &&
            (next == HK_PLACE_DOUBTS || s->doubts[i].total > s->doubts[next].total))
            next = i;
    return next;
}

static void print_changes(const struct hk_place_study *s)
{
    bool shown[HK_PLACE_DOUBTS] = {false};
    size_t next = 0;

    puts("\nwhat would change the best placement at the stated weights");
    print_change("dearer", &s->dearer);
    print_change("cheaper", &s->cheaper);
    if (!s->doubted) {
        puts("no stated number, nor all together, halved or doubled");
        return;
    }
    printf("stated numbers between half and double, total Sobol index:");
    for (size_t k = 0; k < DOUBTS_SHOWN && (next = next_doubt(s, shown)) < HK_PLACE_DOUBTS; k++) {
        char name[32];
        shown[next] = true;
        hk_place_doubt_name(next, name, sizeof name);
        printf("%s %s %.2f (+- %.2f)", k > 0 ? "," : "", name, s->doubts[next].total,
               2 * s->doubts[next].total_se);
    }
    puts("");
}

void hk_place_print(const struct hk_place_study *study, const struct hk_judgement *verdict)
{
    print_head(study, verdict);
    print_models(study);
    print_order(study);
    print_choices(study);
    print_regions(study);
    print_front(study);
    print_changes(study);
}
