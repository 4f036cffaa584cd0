/* SPDX-License-Identifier: MIT */
#include "kernel/syscall.h"

#include "kernel/boot.h"
#include "kernel/kernel.h"
#include "port/port.h"

static hk_result none(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                      uint64_t e)
{
    (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e;
    return HK_ENOSYS;
}

hk_syscall_fn *const hk_syscalls[HK_SYS_END] = {
    /* numbers that look like calls of 5 to 15 words */
    [5] = none,  [6] = none,  [7] = none,  [8] = none,  [9] = none,  [10] = none,
    [11] = none, [12] = none, [13] = none, [14] = none, [15] = none,
#define X(number, name) [number] = hk_sys_##name,
    HK_SYSCALL_LIST(X)
#undef X
};

hk_result hk_sys_null(struct hk_cpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                      uint64_t e)
{
    (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e;
    return 0;
}

#define LOG_BYTES_MAX 1024

hk_result hk_sys_log(struct hk_cpu *cpu, uint64_t address, uint64_t bytes, uint64_t c, uint64_t d,
                     uint64_t e)
{
    char text[128];

    (void)c, (void)d, (void)e;
    if (bytes > LOG_BYTES_MAX)
        return HK_ETOOBIG;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t part = bytes - done < sizeof(text) ? bytes - done : sizeof(text);
        enum hk_status status = hk_space_read(cpu->kernel, &cpu->current->process->space,
                                              address + done, text, part);

        if (status != HK_OK)
            return status;
        hk_port_console(cpu->kernel, text, part);
        done += part;
    }
    return HK_OK;
}

hk_result hk_sys_boot_info(struct hk_cpu *cpu, uint64_t address, uint64_t capacity, uint64_t c,
                           uint64_t d, uint64_t e)
{
    const char *line = cpu->kernel->command_line;
    uint64_t bytes = 0;
    enum hk_status status;

    (void)c, (void)d, (void)e;
    while (line[bytes] != '\0')
        bytes++;
    if (capacity < bytes + 1)
        return HK_ETOOBIG;
    status = hk_space_write(cpu->kernel, &cpu->current->process->space, address, line, bytes + 1);
    return status == HK_OK ? (hk_result)bytes : status;
}

hk_result hk_sys_power_off(struct hk_cpu *cpu, uint64_t code, uint64_t b, uint64_t c, uint64_t d,
                           uint64_t e)
{
    struct hk_object *self;
    enum hk_status status = hk_cap_find(cpu->current->process, HK_HANDLE_SELF, HK_OBJECT_PROCESS,
                                        HK_RIGHT_SYSTEM, &self);

    (void)b, (void)c, (void)d, (void)e;
    if (status == HK_OK)
        hk_shutdown(cpu, code);
    return status;
}

hk_result hk_sys_statistic(struct hk_cpu *cpu, uint64_t which, uint64_t b, uint64_t c, uint64_t d,
                           uint64_t e)
{
    (void)b, (void)c, (void)d, (void)e;
    switch (which) {
    case HK_STATISTIC_PAGES_FREE:
        return cpu->kernel->pages.free_count;
    case HK_STATISTIC_OBJECTS:
        return hk_object_count(cpu->kernel);
    case HK_STATISTIC_SWITCHES:
        return (hk_result)cpu->switch_count;
    case HK_STATISTIC_INTERRUPTS:
        return (hk_result)cpu->interrupt_count;
    case HK_STATISTIC_POLICY_QUESTIONS:
        return (hk_result)cpu->advice.question_count;
    case HK_STATISTIC_POLICY_FALLBACKS:
        return (hk_result)cpu->advice.fallback_count;
    default:
        return HK_EINVAL;
    }
}
