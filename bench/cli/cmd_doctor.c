/* SPDX-License-Identifier: MIT */
/* What can be measured here: the machine's probes, then the suite's own transports and paths. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "advice.h"
#include "commands.h"
#include "hk/base/units.h"
#include "hk/guest/check.h"
#include "hk/guest/files.h"
#include "hk/machine/probe.h"
#include "hk/path/path.h"
#include "hk/transport/transport.h"

struct doctor_options {
    bool json;
    bool all;
};

static const struct hk_option options[] = {
    { "json", 0, HK_OPTION_FLAG, NULL, "print JSON", offsetof(struct doctor_options, json), 0, 0 },
    { "all", 'a', HK_OPTION_FLAG, NULL, "list also the transports and paths that are fine",
      offsetof(struct doctor_options, all), 0, 0 },
};

/* Takes each finding as it is made. */
struct sink {
    json_t *json; /* NULL: print a table */
    bool all;
    const char *group; /* printed last */
    size_t counts[3];
    size_t hidden; /* fine, and of a group that is summed up */
};

static const char *const summed_groups[] = { "transport", "path" };

static bool is_summed(const char *group)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(summed_groups); i++)
        if (strcmp(group, summed_groups[i]) == 0)
            return true;
    return false;
}

static void end_group(struct sink *sink)
{
    if (sink->hidden > 0)
        printf("  ok      and %zu more are fine (--all lists them)\n", sink->hidden);
    sink->hidden = 0;
}

static void print_finding(struct sink *sink, const char *group, const char *name, const char *use,
                          const struct hk_probe_result *result)
{
    if (strcmp(group, sink->group) != 0) {
        end_group(sink);
        printf("%s%s\n", sink->group[0] ? "\n" : "", group);
        sink->group = group;
    }
    if (result->state == HK_PROBE_OK && is_summed(group) && !sink->all) {
        sink->hidden++;
        return;
    }
    printf("  %-7s %-22s %s\n", hk_probe_state_name(result->state), name, result->detail);
    if (result->state != HK_PROBE_OK && use[0])
        printf("  %-7s %-22s for: %s\n", "", "", use);
    if (result->remedy[0])
        printf("  %-7s %-22s remedy: %s\n", "", "", result->remedy);
}

static void take(struct sink *sink, const char *group, const char *name, const char *use,
                 const struct hk_probe_result *result)
{
    sink->counts[result->state]++;
    if (!sink->json) {
        print_finding(sink, group, name, use, result);
        return;
    }
    json_array_append_new(sink->json,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "group", group, "name", name,
                                    "state", hk_probe_state_name(result->state), "use", use,
                                    "detail", result->detail, "remedy", result->remedy));
}

/* A reason reads "cause; remedy". */
static void take_reason(struct sink *sink, const char *group, const char *name, const char *use,
                        enum hk_status status, const char *reason)
{
    struct hk_probe_result result = { .state = HK_PROBE_OK, .detail = "works" };
    if (status != HK_OK) {
        const char *split = strstr(reason, "; ");
        result.state = HK_PROBE_NO;
        snprintf(result.detail, sizeof(result.detail), "%.*s",
                 split ? (int)(split - reason) : (int)sizeof(result.detail) - 1, reason);
        snprintf(result.remedy, sizeof(result.remedy), "%s", split ? split + 2 : "");
    }
    take(sink, group, name, use, &result);
}

/* That QEMU starts and /dev/kvm opens says nothing about what they tell: try both. */
static void examine_guest_clocks(struct sink *sink, const struct hk_guest_files *files)
{
    char reason[HK_QEMU_ERROR_BYTES] = "";
    enum hk_status status = hk_guest_count_check(NULL, files, reason);
    take_reason(sink, "suite", "guest counts", "hkbench run --guest", status, reason);
    status = hk_guest_kvm_check(NULL, files->probe, reason);
    take_reason(sink, "suite", "guest cycles", "cycles of hkbench run --guest, hkbench kernel --kvm",
                status, reason);
}

static void examine_guest_files(struct sink *sink)
{
    char folder[HK_GUEST_PATH_BYTES], error[512] = "/proc/self/exe cannot be read";
    struct hk_guest_files files;
    enum hk_status status = HK_ENOENT;
    ssize_t bytes = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    if (bytes > 0) {
        folder[bytes] = '\0';
        *strrchr(folder, '/') = '\0';
        status = hk_guest_files_find(folder, &files, error);
    }
    take_reason(sink, "suite", "guest files", "kernel image, counting plugin, cache model", status,
                error);
    if (status == HK_OK)
        examine_guest_clocks(sink, &files);
}

/* Do verdicts on times hold here, or is nobody to fail for them? */
static void examine_gate(struct sink *sink)
{
    struct hk_probe_result result = { .state = HK_PROBE_NO };
    struct hk_calibration calibration;
    char machine[128] = "", text[HK_TEXT_BYTES] = "";
    enum hk_status status = hk_cli_machine_id(machine, sizeof(machine));

    if (status == HK_OK)
        status = hk_calibration_read("results", machine, &calibration, text);
    if (status == HK_OK) {
        hk_cli_describe_gate(&calibration, &result);
    } else {
        snprintf(result.detail, sizeof(result.detail), "%s",
                 status == HK_ENOENT ? "not calibrated here: verdicts on times gate, and nobody knows "
                                       "how often they are wrong"
                                     : text);
        snprintf(result.remedy, sizeof(result.remedy), "hkbench calibrate");
    }
    take(sink, "suite", "gate on times", "hkbench compare, hkbench track check", &result);
}

static void examine_suite(struct sink *sink)
{
    char reason[HK_REASON_BYTES] = "";
    examine_guest_files(sink);
    examine_gate(sink);
    take_reason(sink, "suite", "Google Benchmark", "hkbench-gbench",
                HK_WITH_LIBBENCHMARK ? HK_OK : HK_ENOTSUP,
                "built without libbenchmark; install Debian's package libbenchmark-dev and build again");
    take_reason(sink, "suite", "MPI", "hkbench simulate on several machines",
                HK_WITH_MPI ? HK_OK : HK_ENOTSUP,
                "built without MPI; install Debian's package libopenmpi-dev and build again");
    for (size_t i = 0; i < hk_transport_count; i++) {
        enum hk_status status = hk_transport_probe(hk_transports[i], reason);
        take_reason(sink, "transport", hk_transports[i]->name, hk_transports[i]->summary, status,
                    reason);
    }
    for (size_t i = 0; i < hk_path_count; i++) {
        const struct hk_path *path = hk_paths[i];
        enum hk_status status = path->probe ? path->probe(reason) : HK_OK;
        take_reason(sink, "path", path->name, path->summary, status, reason);
    }
}

static void print_json(struct sink *sink)
{
    char *text = json_dumps(sink->json, JSON_INDENT(2));
    if (text)
        puts(text);
    free(text);
    json_decref(sink->json);
}

static enum hk_exit run_doctor(const void *values, int argc, char **argv)
{
    const struct doctor_options *o = values;
    struct sink sink = { .json = o->json ? json_array() : NULL, .all = o->all, .group = "" };
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < hk_probe_count; i++) {
        struct hk_probe_result result;
        fflush(stdout); /* some probes fork */
        hk_probes[i].run(&hk_probes[i], getenv("PATH"), &result);
        take(&sink, hk_probes[i].group, hk_probes[i].name, hk_probes[i].use, &result);
    }
    fflush(stdout);
    examine_suite(&sink);
    if (sink.json) {
        print_json(&sink);
        return HK_EXIT_OK;
    }
    end_group(&sink);
    printf("\n%zu ok, %zu partly, %zu not here. What is missing becomes a row with its reason in the "
           "results; it stops nothing.\n",
           sink.counts[HK_PROBE_OK], sink.counts[HK_PROBE_PARTLY], sink.counts[HK_PROBE_NO]);
    return HK_EXIT_OK;
}

const struct hk_command hk_cmd_doctor = {
    .name = "doctor",
    .summary = "say what this machine can and cannot measure, and the remedy",
    .details = "Tries each thing once, in some seconds, and changes nothing.\n"
               "Never fails: what is missing is an answer.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .options_bytes = sizeof(struct doctor_options),
    .run = run_doctor,
};
