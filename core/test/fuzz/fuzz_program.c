/* SPDX-License-Identifier: MIT */
/* Any bytes as an archive of programs and as a program. */
#include <stdlib.h>

#include "hk/core/hosted.h"
#include "input.h"
#include "kernel/archive.h"
#include "kernel/kernel.h"

/* What was loaded must be inside user space and never writable and executable at once. */
static void load(struct hk_cpu *cpu, const unsigned char *data, uint64_t bytes)
{
    struct hk_process *process;

    if (hk_process_create(cpu, "program", &process) != HK_OK)
        abort();
    if (hk_program_load(cpu, process, data, bytes) == HK_OK &&
        (process->entry < HK_USER_BASE || process->entry >= HK_USER_END))
        abort();
    hk_process_end(cpu, process, HK_EXIT_KILLED, 0);
    hk_object_release(cpu, &process->object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hk_hosted *hosted;
    struct hk_kernel *kernel;
    unsigned char *copy = malloc(bytes + 1);

    if (copy == NULL || hk_hosted_create(2 * HK_MIB, &hosted) != HK_OK)
        abort();
    memcpy(copy, data, bytes);
    kernel = hk_hosted_kernel(hosted);
    (void)hk_archive_open(kernel, copy, bytes);
    for (uint32_t i = 0; i < kernel->module_count; i++)
        load(kernel->cpu, kernel->modules[i].data, kernel->modules[i].bytes);
    load(kernel->cpu, copy, bytes);
    if (hk_hosted_destroy(hosted) != 0)
        abort();
    free(copy);
    return 0;
}
