/* SPDX-License-Identifier: MIT */
#include "predict_print.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "hk/base/units.h"
#include "hk/guest/mix.h"
#include "place_print.h"

enum { SHOWN = 3 };

/* core/services: what people get without a word. */
#define HYBRID_SERVERS (1u << HK_SERVICE_FILE | 1u << HK_SERVICE_PRINT)

/* --- placements ------------------------------------------------------------------------------ */

/* "file:server" moves one service; false when it says something else. */
static bool parse_one(const char *word, size_t bytes, uint32_t *set)
{
    for (unsigned i = 0; i < HK_SERVICES; i++) {
        const char *name = hk_mix_service_name((enum hk_service_number)i);
        const size_t length = strlen(name);
        if (bytes != length + 7 || strncmp(word, name, length) != 0 || word[length] != ':')
            continue;
        if (strncmp(word + length + 1, "server", 6) == 0)
            *set |= 1u << i;
        else if (strncmp(word + length + 1, "kernel", 6) == 0)
            *set &= ~(1u << i);
        else
            return false;
        return true;
    }
    return false;
}

static bool parse_mask(const char *text, uint32_t *set)
{
    char *end;

    if (strncmp(text, "mask:", 5) != 0 || text[5] < '0' || text[5] > '9')
        return false;
    const unsigned long mask = strtoul(text + 5, &end, 10);
    if (*end != '\0' || mask >= HK_PLACEMENTS)
        return false;
    *set = HK_PLACEMENTS - 1 - (uint32_t)mask;
    return true;
}

enum hk_status hk_placement_parse(const char *text, uint32_t *set)
{
    static const struct {
        const char *name;
        uint32_t set;
    } presets[] = {
        {"hybrid", HYBRID_SERVERS}, {"monolithic", 0}, {"microkernel", HK_PLACEMENTS - 1}};
    uint32_t result = HYBRID_SERVERS;

    if (parse_mask(text, set))
        return HK_OK;
    for (size_t i = 0; i < HK_ARRAY_COUNT(presets); i++) {
        if (strcmp(text, presets[i].name) == 0) {
            *set = presets[i].set;
            return HK_OK;
        }
    }
    for (const char *word = text;; word++) {
        const size_t bytes = strcspn(word, ",");
        if (!parse_one(word, bytes, &result))
            return HK_EPARSE;
        word += bytes;
        if (*word == '\0')
            break;
    }
    *set = result;
    return HK_OK;
}

/* --- text ------------------------------------------------------------------------------------ */

static void print_placement(const struct hk_prediction_task *t, const char *title, uint32_t set)
{
    const struct hk_priced *p = &t->priced[set];
    char text[HK_SET_BYTES];

    hk_set_text(set, text);
    printf("%-9s %-58s %10.1f  [%9.1f, %9.1f]  %+7.2f %%  %10.0f\n", title, text, p->instructions,
           p->interval.lower, p->interval.upper,
           100 * (p->instructions / t->priced[0].instructions - 1),
           HK_NS_PER_S / p->instructions);
}

/* Sets from the cheapest to the dearest. */
static void order(const struct hk_prediction_task *t, uint32_t by_cost[HK_PLACEMENTS])
{
    for (uint32_t set = 0; set < HK_PLACEMENTS; set++) {
        uint32_t at = set;
        for (; at > 0 && t->priced[by_cost[at - 1]].instructions > t->priced[set].instructions; at--)
            by_cost[at] = by_cost[at - 1];
        by_cost[at] = set;
    }
}

static void print_placements(const struct hk_prediction_task *t)
{
    uint32_t by_cost[HK_PLACEMENTS];

    order(t, by_cost);
    printf("\n%-9s %-58s %10s  %22s  %9s  %10s\n", "placement", "kernel's mask: servers",
           "instructions", "95 % interval", "added", "per second");
    for (size_t i = 0; i < SHOWN; i++)
        print_placement(t, i == 0 ? "cheapest" : "", by_cost[i]);
    for (size_t i = SHOWN; i > 0; i--)
        print_placement(t, i == 1 ? "dearest" : "", by_cost[HK_PLACEMENTS - i]);
    if (t->asked)
        print_placement(t, "--place", t->asked_set);
}

void hk_prediction_print(const struct hk_prediction_task *t)
{
    const struct hk_prices *p = &t->prices;

    printf("workload  %s: %llu requests of a client that waits for each\n", t->workload.name,
           (unsigned long long)t->workload.mix.requests);
    printf("guest     F3 with prices of each service; an instruction is a nanosecond\n"
           "          run %s: prices from %zu cells of single workloads (worst fit %.1f %%), "
           "intervals from %zu of mixed ones (median error %.1f %%)\n", t->run.path,
           p->single_count, 100 * p->fit_error_max, p->mixed_count, 100 * p->mixed_error_median);
    print_placements(t);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_t *servers(uint32_t set)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < HK_SERVICES; i++)
        if ((set >> i & 1) != 0)
            json_array_append_new(array,
                                  json_string(hk_mix_service_name((enum hk_service_number)i)));
    return array;
}

static json_t *placement(const struct hk_prediction_task *t, uint32_t set)
{
    const struct hk_priced *p = &t->priced[set];

    return json_pack("{s:i, s:o, s:f, s:f, s:f, s:f}", "mask", (int)(HK_PLACEMENTS - 1 - set),
                     "servers", servers(set), "instructions", p->instructions,
                     "instructions_lower", p->interval.lower, "instructions_upper",
                     p->interval.upper, "requests_per_s", HK_NS_PER_S / p->instructions);
}

static json_t *guest(const struct hk_prediction_task *t)
{
    json_t *placements = json_array();

    for (uint32_t set = 0; set < HK_PLACEMENTS; set++)
        json_array_append_new(placements, placement(t, set));
    return json_pack("{s:s, s:s, s:I, s:f, s:I, s:f, s:f, s:o}", "run", t->run.path, "formula",
                     "F3, prices of each service", "single_cells_count",
                     (json_int_t)t->prices.single_count, "fit_error_max_ratio",
                     t->prices.fit_error_max, "mixed_cells_count",
                     (json_int_t)t->prices.mixed_count, "mixed_error_median_ratio",
                     t->prices.mixed_error_median, "confidence_ratio", 0.95, "placements",
                     placements);
}

enum hk_status hk_prediction_print_json(const struct hk_prediction_task *t)
{
    json_t *all = json_pack("{s:s, s:o}", "workload", t->workload.name, "guest", guest(t));

    if (all == NULL) {
        hk_cli_error("predict", "the folder's name is no valid UTF-8, or memory is out");
        return HK_ENOMEM;
    }
    json_dumpf(all, stdout, JSON_INDENT(1)); /* main looks whether it arrived */
    puts("");
    json_decref(all);
    return HK_OK;
}
