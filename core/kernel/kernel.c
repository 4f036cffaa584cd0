/* SPDX-License-Identifier: MIT */
#include "kernel/kernel.h"

#include "port/port.h"

enum hk_status hk_kernel_init(struct hk_kernel *kernel, struct hk_cpu *cpu, uintptr_t window,
                              uint64_t base, uint64_t bytes)
{
    hk_port_zero(kernel, sizeof(*kernel));
    hk_port_zero(cpu, sizeof(*cpu));
    kernel->cpu = cpu;
    kernel->window = window;
    cpu->kernel = kernel;
    cpu->policy = &hk_policies[HK_POLICY_ROUND_ROBIN];
    cpu->deadlines.next = &cpu->deadlines;
    cpu->deadlines.previous = &cpu->deadlines;
    return hk_page_init(kernel, base, bytes);
}

uint64_t hk_kernel_fini(struct hk_kernel *kernel)
{
    while (kernel->processes != NULL)
        hk_process_end(kernel->cpu, kernel->processes, HK_EXIT_KILLED, 0);
    hk_composition_fini(kernel->cpu);
    hk_service_fini(kernel->cpu);
    hk_deadline_disarm(kernel->cpu, &kernel->cpu->slice);
    hk_object_pools_trim(kernel);
    return hk_object_count(kernel) + (kernel->pages.count - kernel->pages.free_count);
}
