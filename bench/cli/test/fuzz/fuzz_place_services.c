/* SPDX-License-Identifier: MIT */
/* Any text as services.ini: what is accepted keeps the bounds that studies rely on. */
#include <stdlib.h>
#include <string.h>

#include "place_services.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1);
    struct hk_place_services s;
    char error[256];

    if (text == NULL)
        return 0;
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    if (hk_place_services_parse(text, "fuzz", &s, error) == HK_OK) {
        const double sum = s.weights[0] + s.weights[1] + s.weights[2];
        if (!(sum > 0.999 && sum < 1.001) || !(s.benefit_points_sum > 0) ||
            !(s.effort_days_sum > 0) || s.hybrid >= 1u << HK_SERVICES)
            abort();
    }
    free(text);
    return 0;
}
