/* SPDX-License-Identifier: MIT */
#include "hk/guest/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fields.h"
#include "hk/base/units.h"
#include "hk/guest/counts.h"

#define CHECK_MS                20000u
#define KVM_CHECK_MS            2000u
#define KVM_CYCLES_PER_STEP_MAX 100u
#define KVM_STEPS               1000u
/* The clock also sees a move, two marks and one of its own two reads around a region's body. */
#define CLOCK_EXTRA 4u

/* The probe's regions in order, and how many instructions fault and begin again. */
static const struct {
    const char *name;
    uint64_t restarted;
} regions[] = {
    {"empty", 0}, {"loop", 0}, {"memory", 0},    {"rep", 0},    {"cr3", 0},
    {"fault", 3}, {"user", 0}, {"interrupt", 0}, {"device", 0},
};

/* The number the probe printed in its line name=number. */
static enum hk_status clock_of(const struct hk_qemu_result *result, const char *name,
                               uint64_t *clock)
{
    struct hk_fields fields;
    size_t position = 0;
    const char *line;
    size_t bytes;

    while (hk_line_next(result->text, result->text_bytes, &position, &line, &bytes)) {
        if (hk_fields_split(line, bytes, &fields) == HK_OK &&
            hk_fields_u64(&fields, name, clock) == HK_OK) {
            return HK_OK;
        }
    }
    return HK_ENOENT;
}

static enum hk_status regions_compare(const struct hk_qemu_result *result,
                                      const struct hk_counts *counts, char *reason)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(regions); i++) {
        uint64_t clock = 0;
        uint64_t counted;

        if (i >= counts->region_count || clock_of(result, regions[i].name, &clock) != HK_OK) {
            snprintf(reason, HK_QEMU_ERROR_BYTES, "the probe guest did not get past region '%s'",
                     regions[i].name);
            return HK_EROW;
        }
        counted = counts->regions[i].count[HK_COUNT_INSTRUCTIONS_KERNEL] +
                  counts->regions[i].count[HK_COUNT_INSTRUCTIONS_USER];
        if (counted + CLOCK_EXTRA != clock + regions[i].restarted) {
            snprintf(reason, HK_QEMU_ERROR_BYTES,
                     "in the probe's region '%s' the plugin counted %" PRIu64
                     " instructions, the clock %" PRIu64 "; use QEMU 7.2, whose counts agree",
                     regions[i].name, counted, clock + regions[i].restarted - CLOCK_EXTRA);
            return HK_EROW;
        }
    }
    return HK_OK;
}

enum hk_status hk_guest_count_check(const char *program, const struct hk_guest_files *files,
                                    char reason[HK_QEMU_ERROR_BYTES])
{
    const struct hk_qemu_options options = {
        .program = program,
        .kernel = files->probe,
        .memory_mib = 32,
        .timeout_ms = CHECK_MS,
        .plugin = files->plugin,
        .model = files->model,
    };
    struct hk_qemu_result result;
    struct hk_counts counts;
    enum hk_status status = hk_qemu_run(&options, &result, reason);

    if (status != HK_OK) {
        return status;
    }
    status = hk_counts_parse(result.counts, result.counts_bytes, &counts, reason);
    if (status == HK_OK) {
        status = regions_compare(&result, &counts, reason);
        hk_counts_fini(&counts);
    }
    hk_qemu_result_fini(&result);
    return status;
}

enum hk_status hk_guest_kvm_check(const char *program, const char *probe,
                                  char reason[HK_QEMU_ERROR_BYTES])
{
    static const char *const needed[] = {"loop", "user", "interrupt"};
    const struct hk_qemu_options options = {
        .program = program,
        .kernel = probe,
        .clock = HK_QEMU_KVM,
        .memory_mib = 32,
        .timeout_ms = KVM_CHECK_MS,
    };
    struct hk_qemu_result result;
    enum hk_status status = HK_OK;
    uint64_t cycles;

    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        snprintf(reason, HK_QEMU_ERROR_BYTES, "/dev/kvm: %s", strerror(errno));
        return HK_ENOTSUP;
    }
    if (hk_qemu_run(&options, &result, reason) != HK_OK) {
        return HK_ENOTSUP;
    }
    if (clock_of(&result, "loop", &cycles) == HK_OK &&
        cycles > (uint64_t)KVM_STEPS * KVM_CYCLES_PER_STEP_MAX) {
        snprintf(reason, HK_QEMU_ERROR_BYTES,
                 "under KVM %u loop steps took %llu cycles: guest code "
                 "is emulated here",
                 KVM_STEPS, (unsigned long long)cycles);
        status = HK_ENOTSUP;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(needed) && status == HK_OK; i++) {
        if (clock_of(&result, needed[i], &cycles) != HK_OK) {
            snprintf(reason, HK_QEMU_ERROR_BYTES, "the probe guest did not get past '%s' under KVM",
                     needed[i]);
            status = HK_ENOTSUP;
        }
    }
    hk_qemu_result_fini(&result);
    return status;
}
