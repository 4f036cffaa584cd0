/* SPDX-License-Identifier: MIT */
/* Boots the kernel core for a person: its log as it comes, then its figures as a table. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "guest_files.h"
#include "hk/base/abi.h"
#include "hk/base/units.h"
#include "hk/guest/check.h"
#include "hk/guest/counts.h"
#include "hk/guest/qemu.h"
#include "hk/guest/report.h"

struct kernel_options {
    const char *place;
    const char *append;
    const char *scenario;
    const char *machine;
    const char *trace;
    uint64_t memory_mib;
    uint64_t gdb_port;
    uint64_t timeout_s;
    bool count;
    bool functions;
    bool kvm;
};

static const struct hk_option options[] = {
#define AT(f) offsetof(struct kernel_options, f)
    {"scenario", 0, HK_OPTION_TEXT, "NAME", "what to run (tour)", AT(scenario), 0, 0},
    {"place", 0, HK_OPTION_TEXT, "LIST",
     "monolithic, microkernel, mask:N or SERVICE:kernel|server,... (hybrid)", AT(place), 0, 0},
    {"append", 0, HK_OPTION_TEXT, "TEXT", "more for the scenario, such as 'seed=7 calls=1000000'",
     AT(append), 0, 0},
    {"machine", 0, HK_OPTION_TEXT, "NAME", "microvm or q35 (microvm)", AT(machine), 0, 0},
    {"memory", 0, HK_OPTION_UINT, "MIB", "guest memory (128)", AT(memory_mib), 4, 2048},
    {"timeout", 0, HK_OPTION_UINT, "SECONDS", "stop a guest that hangs (60; 0: never)",
     AT(timeout_s), 0, 86400},
    {"count", 0, HK_OPTION_FLAG, NULL, "count rings, memory, CR3 writes, caches and TLBs",
     AT(count), 0, 0},
    {"functions", 0, HK_OPTION_FLAG, NULL, "with --count: instructions per function", AT(functions),
     0, 0},
    {"trace", 0, HK_OPTION_TEXT, "FILE", "write a readable log of all crossings", AT(trace), 0, 0},
    {"gdb", 0, HK_OPTION_UINT, "PORT", "wait for gdb on this port before the first instruction",
     AT(gdb_port), 1024, 65535},
    {"kvm", 0, HK_OPTION_FLAG, NULL, "run on the processor, after KVM's self-check", AT(kvm), 0, 0},
#undef AT
};
static const struct kernel_options defaults = {
    .scenario = "tour", .machine = "microvm", .memory_mib = 128, .timeout_s = 60};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* Log and failures as text; rows wait for the table; what is no line of the protocol stays. */
static void line_show(void *user, const char *line)
{
    static const struct {
        const char *start;
        const char *shown;
    } kinds[] = {{"HK1 log ", ""}, {"HK1 fail ", "FAIL: "}, {"HK1 absent ", "absent: "}};

    (void)user;
    for (size_t i = 0; i < HK_ARRAY_COUNT(kinds); i++) {
        size_t bytes = strlen(kinds[i].start);

        if (strncmp(line, kinds[i].start, bytes) == 0) {
            printf("%s%s\n", kinds[i].shown, line + bytes);
            return;
        }
    }
    if (strncmp(line, "HK1 ", 4) != 0) {
        puts(line);
    }
}

/* --- figures ------------------------------------------------------------------ */

/* Columns of the table with --count. */
static const struct {
    const char *title;
    enum hk_count count;
} columns[] = {
    {"kernel", HK_COUNT_INSTRUCTIONS_KERNEL},
    {"user", HK_COUNT_INSTRUCTIONS_USER},
    {"loads", HK_COUNT_LOADS},
    {"stores", HK_COUNT_STORES},
    {"entries", HK_COUNT_RING_ENTRIES},
    {"cr3", HK_COUNT_CR3_WRITES},
    {"tlb", HK_COUNT_TLB_MISSES},
    {"tlb+pcid", HK_COUNT_TLB_MISSES_PCID},
    {"cache", HK_COUNT_CACHE_MISSES},
};

static double per_op(const struct hk_guest_row *row, uint64_t at_n, uint64_t at_2n)
{
    return ((double)at_2n - (double)at_n) / (double)row->ops;
}

static void counts_print(const struct hk_guest_row *row, const struct hk_counts *counts)
{
    const struct hk_region_counts *n = &counts->regions[row->region_n];
    const struct hk_region_counts *n2 = &counts->regions[row->region_2n];

    for (size_t i = 0; i < HK_ARRAY_COUNT(columns); i++) {
        printf(" %8.6g", per_op(row, n->count[columns[i].count], n2->count[columns[i].count]));
    }
}

static void function_print(void *user, const char *function, double instructions)
{
    (void)user;
    printf("    %-46s %9.6g\n", function, instructions);
}

static void header_print(const struct hk_counts *counts, bool kvm)
{
    printf("\nper operation:\n%-50s %9s", "", kvm ? "cycles" : "instr");
    for (size_t i = 0; counts != NULL && i < HK_ARRAY_COUNT(columns); i++) {
        printf(" %8s", columns[i].title);
    }
    putchar('\n');
}

static void row_print(const struct hk_guest_row *row, const struct hk_counts *counts,
                      bool functions)
{
    bool counted = counts != NULL && row->region_n < counts->region_count &&
                   row->region_2n < counts->region_count;

    printf("%-50s", row->name);
    if (row->kind == HK_GUEST_ROW) {
        printf(" %9.6g", per_op(row, row->ticks_n, row->ticks_2n));
        if (counted) {
            counts_print(row, counts);
        }
    }
    for (size_t i = 0; i < row->value_count; i++) {
        printf(" %s=%" PRId64, row->values[i].key, row->values[i].value);
    }
    putchar('\n');
    if (counted && functions) {
        hk_guest_row_functions(row, counts, function_print, NULL);
    }
}

static void table_print(const struct hk_guest_report *report, const struct hk_counts *counts,
                        const struct kernel_options *o)
{
    bool header = false;

    for (size_t i = 0; i < report->row_count; i++) {
        if (report->rows[i].kind == HK_GUEST_ABSENT) {
            continue; /* shown when it came */
        }
        if (!header) {
            header_print(counts, o->kvm);
            header = true;
        }
        row_print(&report->rows[i], counts, o->functions);
    }
}

/* --- the command -------------------------------------------------------------- */

static enum hk_exit end_judge(const struct hk_guest_report *report,
                              const struct hk_qemu_result *result)
{
    if (!report->done) {
        hk_cli_error("kernel", "the guest ended without its last line: it crashed or was reset; "
                               "look with --trace or --gdb");
        return HK_EXIT_UNMEASURED;
    }
    if (report->leaks != 0) {
        hk_cli_error("kernel", "%" PRIu64 " objects were still held at shutdown", report->leaks);
        return HK_EXIT_REFUTED;
    }
    if (result->exited && result->exit_value == HK_EXIT_COMMAND_LINE) {
        hk_cli_error("kernel", "the kernel does not know this --scenario or --place: see above");
        return HK_EXIT_USAGE;
    }
    if (report->fail_count != 0 || !result->exited || result->exit_value != HK_EXIT_PASS) {
        hk_cli_error("kernel", "the scenario failed");
        return HK_EXIT_REFUTED;
    }
    return HK_EXIT_OK;
}

static enum hk_exit result_show(const struct hk_qemu_result *result, const struct kernel_options *o)
{
    struct hk_guest_report report;
    struct hk_counts counts = {0};
    char error[256];
    enum hk_exit code;

    if (hk_guest_report_parse(result->text, result->text_bytes, &report, error) != HK_OK) {
        hk_cli_error("kernel", "%s", error);
        return HK_EXIT_UNMEASURED;
    }
    if (o->count &&
        hk_counts_parse(result->counts, result->counts_bytes, &counts, error) != HK_OK) {
        hk_cli_error("kernel", "%s", error);
        hk_guest_report_fini(&report);
        return HK_EXIT_UNMEASURED;
    }
    table_print(&report, o->count ? &counts : NULL, o);
    fprintf(stderr, "first line after %.1f ms, ended after %.1f ms\n",
            (double)result->first_output_ns / HK_NS_PER_MS, (double)result->wall_ns / HK_NS_PER_MS);
    code = end_judge(&report, result);
    hk_counts_fini(&counts);
    hk_guest_report_fini(&report);
    return code;
}

static enum hk_exit options_check(const struct kernel_options *o, enum hk_qemu_machine *machine)
{
    const char *const words[] = {o->scenario, o->place != NULL ? o->place : ""};

    if (hk_qemu_machine_find(o->machine, machine) != HK_OK) {
        hk_cli_error("kernel", "--machine takes microvm or q35, not '%s'", o->machine);
        return HK_EXIT_USAGE;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(words); i++) {
        if (strpbrk(words[i], " \t\n") != NULL) {
            hk_cli_error("kernel", "'%.40s' is not one word", words[i]);
            return HK_EXIT_USAGE;
        }
    }
    if (o->kvm && (o->count || o->trace != NULL)) {
        hk_cli_error("kernel", "--count and --trace need TCG: leave out --kvm");
        return HK_EXIT_USAGE;
    }
    if (o->functions && !o->count) {
        hk_cli_error("kernel", "--functions needs --count");
        return HK_EXIT_USAGE;
    }
    return HK_EXIT_OK;
}

/* The kernel's command line; its first word of a name counts, so --append replaces nothing. */
static enum hk_exit command_line(const struct kernel_options *o, char line[HK_COMMAND_LINE_BYTES])
{
    int bytes = snprintf(line, HK_COMMAND_LINE_BYTES, "scenario=%s%s%s%s%s", o->scenario,
                         o->place != NULL ? " place=" : "", o->place != NULL ? o->place : "",
                         o->append != NULL ? " " : "", o->append != NULL ? o->append : "");

    if (bytes < 0 || bytes >= HK_COMMAND_LINE_BYTES) {
        hk_cli_error("kernel", "the kernel's command line would have %d characters, of at most %d",
                     bytes, HK_COMMAND_LINE_BYTES - 1);
        return HK_EXIT_USAGE;
    }
    return HK_EXIT_OK;
}

static enum hk_exit kvm_require(const struct hk_guest_files *files)
{
    char reason[HK_QEMU_ERROR_BYTES];

    if (hk_guest_kvm_check(NULL, files->probe, reason) == HK_OK) {
        return HK_EXIT_OK;
    }
    hk_cli_error("kernel", "KVM failed its self-check: %s; without --kvm the guest runs under TCG",
                 reason);
    return HK_EXIT_UNMEASURED;
}

static struct hk_qemu_options qemu_options(const struct kernel_options *o,
                                           const struct hk_guest_files *files,
                                           enum hk_qemu_machine machine, const char *append)
{
    bool plugin = o->count || o->trace != NULL;

    return (struct hk_qemu_options){
        .kernel = files->kernel,
        .programs = files->programs,
        .append = append,
        .machine = machine,
        .clock = o->kvm ? HK_QEMU_KVM : HK_QEMU_EXACT,
        .memory_mib = (uint32_t)o->memory_mib,
        .timeout_ms = o->gdb_port != 0 ? 0 : (uint32_t)o->timeout_s * 1000u,
        .plugin = plugin ? files->plugin : NULL,
        .model = o->count ? files->model : NULL,
        .trace = o->trace,
        .gdb_port = (uint16_t)o->gdb_port,
        .on_line = line_show,
        .stop = &stopped,
    };
}

static enum hk_exit run_kernel(const void *values, int argc, char **argv)
{
    static struct hk_guest_files files;
    const struct kernel_options *o = values;
    enum hk_qemu_machine machine;
    struct hk_qemu_options qemu;
    struct hk_qemu_result result;
    char error[HK_QEMU_ERROR_BYTES];
    char line[HK_COMMAND_LINE_BYTES];
    enum hk_exit code = options_check(o, &machine);

    (void)argc;
    (void)argv;
    if (code == HK_EXIT_OK) {
        code = command_line(o, line);
    }
    if (code != HK_EXIT_OK) {
        return code;
    }
    if (hk_cli_guest_files("kernel", &files) != HK_OK) {
        return HK_EXIT_USAGE;
    }
    if (o->kvm && (code = kvm_require(&files)) != HK_EXIT_OK) {
        return code;
    }
    qemu = qemu_options(o, &files, machine, line);
    if (o->gdb_port != 0) {
        fprintf(stderr, "waiting for: gdb %s -ex 'target remote :%" PRIu64 "'\n", files.kernel,
                o->gdb_port);
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    setvbuf(stdout, NULL, _IOLBF, 0);
    const enum hk_status status = hk_qemu_run(&qemu, &result, error);
    if (status != HK_OK) {
        hk_cli_error("kernel", "%s", error);
        return hk_exit_of(status);
    }
    code = result_show(&result, o);
    hk_qemu_result_fini(&result);
    return code;
}

const struct hk_command hk_cmd_kernel = {
    .name = "kernel",
    .summary = "boot the kernel core in QEMU and show what it does",
    .details =
        "Figures are exact: instructions under QEMU's icount clock, the cost of one operation\n"
        "from two loop lengths. Scenarios: tour, experiments and others the kernel knows.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct kernel_options),
    .run = run_kernel,
};
