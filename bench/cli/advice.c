/* SPDX-License-Identifier: MIT */
#include "advice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "hk/machine/record.h"

enum hk_status hk_cli_machine_id(char *id, size_t capacity)
{
    char *text = NULL;
    const enum hk_status status = hk_machine_record("", &text);
    if (status != HK_OK)
        return status;
    json_t *record = json_loads(text, 0, NULL);
    const char *found = json_string_value(json_object_get(record, "id"));
    snprintf(id, capacity, "%s", found != NULL ? found : "unknown");
    json_decref(record);
    free(text);
    return HK_OK;
}

static bool is_slower_time(const struct hk_finding *f)
{
    return f->verdict == HK_PAIRED_SLOWER && f->basis != HK_BASIS_EXACT &&
           f->basis != HK_BASIS_NEAR;
}

void hk_cli_advise(struct hk_comparison *c, const char *root, const char *machine,
                   enum hk_verdict_path path)
{
    struct hk_calibration calibration;
    char here[128], reason[HK_TEXT_BYTES];

    if (machine == NULL && hk_cli_machine_id(here, sizeof here) != HK_OK)
        return;
    if (hk_calibration_read(root, machine != NULL ? machine : here, &calibration, reason) !=
            HK_OK ||
        !hk_calibration_advisory(&calibration, path, reason))
        return; /* not calibrated, or as it is meant to be */
    for (size_t i = 0; i < c->finding_count; i++) {
        struct hk_finding *f = &c->findings[i];
        if (!is_slower_time(f))
            continue;
        f->verdict = HK_PAIRED_UNKNOWN;
        f->gates = true;
        snprintf(f->reason, sizeof f->reason, "%s", reason);
        c->verdict_count[HK_PAIRED_SLOWER]--;
        c->verdict_count[HK_PAIRED_UNKNOWN]++;
    }
}

void hk_cli_describe_gate(const struct hk_calibration *calibration, struct hk_probe_result *result)
{
    char rates[HK_PROBE_TEXT_BYTES] = "", advise[64] = "", reason[HK_TEXT_BYTES];
    bool missing = false;

    for (size_t i = 0; i < HK_PATH_COUNT; i++) {
        const struct hk_calibration_path *p = &calibration->paths[i];
        const char *name = hk_verdict_path_name((enum hk_verdict_path)i);
        missing = missing || p->trials == 0;
        if (p->trials > 0)
            snprintf(rates + strlen(rates), sizeof rates - strlen(rates), "%s%s %llu of %llu",
                     rates[0] != '\0' ? ", " : "", name, (unsigned long long)p->rejections,
                     (unsigned long long)p->trials);
        if (hk_calibration_advisory(calibration, (enum hk_verdict_path)i, reason))
            snprintf(advise + strlen(advise), sizeof advise - strlen(advise), "%s%s",
                     advise[0] != '\0' ? ", " : "", name);
    }
    result->state = missing || advise[0] != '\0' ? HK_PROBE_PARTLY : HK_PROBE_OK;
    snprintf(result->detail, sizeof result->detail, "false alarms on %.10s: %.120s; %s%.60s",
             calibration->time, rates, advise[0] != '\0' ? "only advise: " : "all gate", advise);
    snprintf(result->remedy, sizeof result->remedy, "%s",
             advise[0] != '\0' ? "gate on counts, or on a quieter machine"
             : missing        ? "hkbench calibrate, for the ways that are missing"
                              : "");
}
