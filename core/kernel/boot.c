/* SPDX-License-Identifier: MIT */
#include "kernel/boot.h"

#include "kernel/archive.h"
#include "kernel/kernel.h"
#include "kernel/scenario.h"
#include "port/port.h"

void hk_print(struct hk_kernel *kernel, const char *text)
{
    uint64_t bytes = 0;

    while (text[bytes] != '\0')
        bytes++;
    hk_port_console(kernel, text, bytes);
}

void hk_print_number(struct hk_kernel *kernel, uint64_t number)
{
    char text[20];
    uint32_t at = sizeof(text);

    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    hk_port_console(kernel, text + at, sizeof(text) - at);
}

uint64_t hk_boot_option(const struct hk_kernel *kernel, const char *key, const char **value)
{
    const char *at = kernel->command_line;

    while (*at != '\0') {
        uint64_t bytes = 0;
        const char *word;
        const char *wanted = key;

        while (*at == ' ')
            at++;
        word = at;
        while (*at != '\0' && *at != ' ')
            at++;
        while (*wanted != '\0' && word < at && *word == *wanted)
            word++, wanted++;
        if (*wanted != '\0' || word == at || *word != '=')
            continue;
        word++;
        bytes = (uint64_t)(at - word);
        *value = word;
        return bytes;
    }
    return 0;
}

static void print_option(struct hk_kernel *kernel, const char *key, const char *otherwise)
{
    const char *value;
    uint64_t bytes = hk_boot_option(kernel, key, &value);

    hk_print(kernel, " ");
    hk_print(kernel, key);
    hk_print(kernel, "=");
    if (bytes > 0)
        hk_port_console(kernel, value, bytes);
    else
        hk_print(kernel, otherwise);
}

static void fail(struct hk_cpu *cpu, const char *what, enum hk_status status)
{
    hk_print(cpu->kernel, HK_PROTOCOL " fail ");
    hk_print(cpu->kernel, what);
    hk_print(cpu->kernel, ": ");
    hk_print(cpu->kernel, hk_status_text(status));
    if (status == HK_ENOMEM)
        hk_print(cpu->kernel, "; give the machine more (QEMU: -m)");
    hk_print(cpu->kernel, "\n");
    hk_shutdown(cpu, HK_EXIT_FAIL);
}

/* One line that ends with the names of services, and the end of the machine. */
static void refuse(struct hk_cpu *cpu, const char *what, bool devices_only)
{
    hk_print(cpu->kernel, what);
    for (uint32_t i = 0; i < HK_SERVICES; i++) {
        if (devices_only && hk_services[i].device == HK_DEVICE_NONE)
            continue;
        hk_print(cpu->kernel, " ");
        hk_print(cpu->kernel, hk_services[i].name);
    }
    hk_print(cpu->kernel, " at most once\n");
    hk_shutdown(cpu, HK_EXIT_COMMAND_LINE);
}

/* Which services are in the kernel, and which have a device; false, and shut down, when not. */
static bool read_composition(struct hk_cpu *cpu, uint32_t *placement, uint32_t *devices)
{
    const char *place = "", *list = "";
    uint64_t place_bytes = hk_boot_option(cpu->kernel, "place", &place);
    uint64_t list_bytes = hk_boot_option(cpu->kernel, "devices", &list);

    if (hk_composition_parse(place, place_bytes, placement) != HK_OK) {
        refuse(cpu, HK_PROTOCOL " fail place= takes hybrid, monolithic, microkernel, mask:N or "
                                "service:kernel|server,... with each of", false);
        return false;
    }
    if (hk_devices_parse(list, list_bytes, devices) != HK_OK) {
        refuse(cpu, HK_PROTOCOL " fail devices= takes a list of", true);
        return false;
    }
    return true;
}

void hk_boot(struct hk_cpu *cpu, const struct hk_boot_module *archive)
{
    struct hk_kernel *kernel = cpu->kernel;
    struct hk_process *init;
    uint32_t placement, devices;
    enum hk_status status;

    kernel->boot_pages = kernel->pages.count - kernel->pages.free_count;
    hk_print(kernel, HK_PROTOCOL " begin version=1");
    print_option(kernel, "scenario", "none");
    print_option(kernel, "place", "hybrid");
    hk_print(kernel, "\n");
    if (!read_composition(cpu, &placement, &devices) || hk_scenario_boot(cpu))
        return;
    status = hk_composition_start(cpu, placement, devices);
    if (status != HK_OK) {
        fail(cpu, "cannot start the services of the kernel", status);
        return;
    }
    status = archive->bytes == 0 ? HK_ENOENT
                                 : hk_archive_open(kernel, archive->data, archive->bytes);
    if (status != HK_OK) {
        fail(cpu, "no usable archive of programs; build or install it again (QEMU: -initrd)",
             status);
        return;
    }
    status = hk_process_from_module(cpu, "init", &init);
    if (status == HK_OK) {
        init->caps[HK_HANDLE_SELF].rights |= HK_RIGHT_SYSTEM;
        kernel->init = init;
        status = hk_process_start(cpu, init, 0);
    }
    if (status != HK_OK)
        fail(cpu, "cannot start the program init of the archive", status);
}

/* Why a program ended, beside an exit of its own. */
static const char *const endings[] = {
    [HK_EXIT_KILLED] = "killed",
    [HK_EXIT_PAGE] = "page fault",
    [HK_EXIT_DIVIDE] = "division by zero",
    [HK_EXIT_ILLEGAL] = "illegal instruction",
    [HK_EXIT_STACK] = "stack overflow",
    [HK_EXIT_EXCEPTION] = "exception",
};

void hk_boot_end(struct hk_cpu *cpu)
{
    struct hk_kernel *kernel = cpu->kernel;
    uint32_t reason = kernel->init == NULL ? HK_EXIT_CODE : kernel->init->exit_reason;

    if (reason > HK_EXIT_CODE) {
        hk_print(kernel, HK_PROTOCOL " fail the program init ended: ");
        hk_print(kernel, endings[reason]);
        if (kernel->pages.ran_out)
            hk_print(kernel, "; memory ran out: give the machine more (QEMU: -m)");
        hk_print(kernel, "\n");
    }
    hk_shutdown(cpu, reason == HK_EXIT_NORMAL ? HK_EXIT_PASS : HK_EXIT_FAIL);
}

void hk_shutdown(struct hk_cpu *cpu, uint64_t code)
{
    struct hk_kernel *kernel = cpu->kernel;
    uint64_t leaks;

    if (kernel->init != NULL) {
        struct hk_process *init = kernel->init;

        kernel->init = NULL;
        hk_process_end(cpu, init, HK_EXIT_KILLED, 0);
        hk_object_release(cpu, &init->object);
    }
    leaks = hk_kernel_fini(kernel) - kernel->boot_pages;
    hk_print(kernel, HK_PROTOCOL " done leaks=");
    hk_print_number(kernel, leaks);
    hk_print(kernel, "\n");
    hk_port_power_off(cpu, leaks == 0 ? code : HK_EXIT_FAIL);
}
