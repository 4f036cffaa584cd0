/* SPDX-License-Identifier: MIT */
/* Any bytes a guest may print: parse or refuse, never more. */
#include <stddef.h>
#include <stdint.h>

#include "hk/guest/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_guest_report report;
    char error[256];

    if (hk_guest_report_parse((const char *)data, bytes, &report, error) == HK_OK) {
        hk_guest_report_fini(&report);
    }
    return 0;
}
