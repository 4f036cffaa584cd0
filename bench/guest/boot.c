/* SPDX-License-Identifier: MIT */
#include "boot.h"

#include <stdio.h>

#include "hk/base/abi.h"

/* What the kernel itself says went wrong. A missing last line means that it crashed. */
static enum hk_status boot_judge(const struct hk_guest_boot *boot, const struct hk_qemu_result *result,
                                 char *error)
{
    const struct hk_guest_report *r = &boot->report;

    if (r->fail_count > 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest reported: %.300s%s", r->fails[0],
                 r->fail_count > 1 ? " (and more)" : "");
        return HK_EROW;
    }
    if (!r->done) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest ended without its last line after %zu rows",
                 r->row_count);
        return HK_EROW;
    }
    if (r->leaks != 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest leaked %llu objects",
                 (unsigned long long)r->leaks);
        return HK_EROW;
    }
    if (!result->exited || result->exit_value != HK_EXIT_PASS) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest ended with %s %u",
                 result->exited ? "status" : "a reset, status", result->exit_value);
        return HK_EROW;
    }
    return HK_OK;
}

static enum hk_status boot_decode(const struct hk_qemu_result *result, struct hk_guest_boot *boot,
                                  char *error)
{
    enum hk_status status =
        hk_guest_report_parse(result->text, result->text_bytes, &boot->report, error);

    if (status != HK_OK) {
        return status;
    }
    if (result->counts != NULL) {
        status = hk_counts_parse(result->counts, result->counts_bytes, &boot->counts, error);
        boot->counted = status == HK_OK;
    }
    if (status != HK_OK) { /* rows without their counts would pass for times */
        hk_guest_report_fini(&boot->report);
    }
    return status;
}

enum hk_status hk_guest_boot_run(const struct hk_qemu_options *qemu, struct hk_guest_boot *boot,
                                 char error[HK_QEMU_ERROR_BYTES])
{
    struct hk_qemu_result result;
    enum hk_status status = hk_qemu_run(qemu, &result, error);

    if (status != HK_OK) {
        return status;
    }
    status = boot_decode(&result, boot, error);
    if (status == HK_OK) {
        status = boot_judge(boot, &result, error);
    }
    hk_qemu_result_fini(&result);
    return status;
}

void hk_guest_boot_fini(struct hk_guest_boot *boot)
{
    hk_guest_report_fini(&boot->report);
    hk_counts_fini(&boot->counts);
    *boot = (struct hk_guest_boot){0};
}
