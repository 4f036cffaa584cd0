/* SPDX-License-Identifier: MIT */
#include "regime.h"

#include <stdio.h>
#include <string.h>

#include "hk/base/units.h"

enum hk_status hk_regime_read(const char *cell, struct hk_regime *regime)
{
    struct hk_regime r;
    char policy[24];
    char load[24];
    char keys[128];
    int64_t period_us = 0;
    int64_t inject_us = 0;

    if (hk_name_part(cell, 2, r.clock, sizeof r.clock) != HK_OK ||
        hk_name_text(cell, "policy", policy, sizeof policy) != HK_OK ||
        hk_name_text(cell, "load", load, sizeof load) != HK_OK ||
        hk_name_int(cell, "period_us", &period_us) != HK_OK ||
        hk_name_int(cell, "inject_us", &inject_us) != HK_OK || period_us <= 0)
        return HK_EPARSE;
    r.period_ns = (double)period_us * HK_NS_PER_US;
    r.control = inject_us > 0;
    snprintf(keys, sizeof keys, "policy:%s/load:%s/period_us:%lld/inject_us:%lld", policy, load,
             (long long)period_us, (long long)inject_us);
    snprintf(r.lateness_cell, sizeof r.lateness_cell, "native/wakeup/%s/%s/record:lateness",
             strcmp(r.clock, "device") == 0 ? "device" : "absolute", keys);
    snprintf(r.interval_cell, sizeof r.interval_cell, "native/wakeup/%s/%s/record:interval",
             r.clock, keys);
    snprintf(r.text, sizeof r.text, "native/%s/%s/%s%s", r.clock, policy, load,
             r.control ? "/injected Exp" : "");
    *regime = r;
    return HK_OK;
}
