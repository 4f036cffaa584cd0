/* SPDX-License-Identifier: MIT */
/* How long the kernel core boots: no counted figure, for what a person or a test waits for. */
#include <stdio.h>
#include <string.h>

#include "guest_files.h"
#include "hk/base/units.h"
#include "hk/counters/clock.h"
#include "hk/guest/qemu.h"
#include "selfcheck.h"

enum { LAUNCHES_MAX = 1000, MEMORY_MIB = 128, TIMEOUT_MS = 60000 };

/* The first program prints through a system call, so its first line comes after its first
 * instruction; the kernel's own line, before, begins like this. */
static const char kernel_line[] = "HK1 begin";

static void first_line_note(void *user, const char *line)
{
    uint64_t *at_ns = user;

    if (*at_ns == 0 && strncmp(line, kernel_line, strlen(kernel_line)) != 0)
        *at_ns = hk_monotonic_ns();
}

enum hk_status hk_selfcheck_boot(const struct hk_check_session *session,
                                 const struct hk_check *check, struct hk_check_result *result)
{
    static struct hk_guest_files files;
    uint64_t line_ns;
    const struct hk_qemu_options qemu = {
        .append = "scenario=tour", .machine = HK_QEMU_MICROVM, .clock = HK_QEMU_EXACT,
        .kernel = files.kernel, .programs = files.programs, .memory_mib = MEMORY_MIB,
        .timeout_ms = TIMEOUT_MS, .held = true, .on_line = first_line_note, .user = &line_ns,
        .stop = session->stop};
    double values_ms[LAUNCHES_MAX];
    enum hk_status status = hk_cli_guest_files("selfcheck", &files);
    size_t n = 0;

    (void)check;
    for (uint64_t i = 0; status == HK_OK && i < session->launches; i++) {
        struct hk_qemu_result boot;
        line_ns = 0;
        status = hk_qemu_run(&qemu, &boot, result->reason);
        session->step(session->step_context);
        if (status != HK_OK)
            break;
        if (line_ns != 0 && boot.released_ns != 0)
            values_ms[n++] = (double)(line_ns - boot.released_ns) / HK_NS_PER_MS;
        hk_qemu_result_fini(&boot);
    }
    return status == HK_OK ? hk_selfcheck_summarise(values_ms, n, result) : status;
}
