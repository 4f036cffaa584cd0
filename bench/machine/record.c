/* SPDX-License-Identifier: MIT */
#include "hk/machine/record.h"

#include <cpuid.h>
#include <ctype.h>
#include <dirent.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hwloc.h>
#include <jansson.h>

#include "hk/base/units.h"
#include "hk/machine/topology.h"
#include "system_file.h"

#define TEXT_BYTES 256

/* A fact is one line of one file. */
static const struct {
    const char *key;
    const char *path;
} lines[] = {
    { "host_name", "/proc/sys/kernel/hostname" },
    { "kernel", "/proc/sys/kernel/osrelease" },
    { "kernel_build", "/proc/sys/kernel/version" },
    { "clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource" },
    { "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor" },
    { "smt", "/sys/devices/system/cpu/smt/control" },
    { "isolated_cpus", "/sys/devices/system/cpu/isolated" },
    { "nohz_full_cpus", "/sys/devices/system/cpu/nohz_full" },
    { "transparent_hugepage", "/sys/kernel/mm/transparent_hugepage/enabled" },
    { "idle_driver", "/sys/devices/system/cpu/cpuidle/current_driver" },
};

/* The same for whole numbers. */
static const struct {
    const char *key;
    const char *path;
} numbers[] = {
    { "realtime_runtime_us", "/proc/sys/kernel/sched_rt_runtime_us" },
    { "realtime_period_us", "/proc/sys/kernel/sched_rt_period_us" },
    { "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid" },
};

/* Fields of the first processor in /proc/cpuinfo. */
static const struct {
    const char *key;
    const char *field;
} cpu_fields[] = {
    { "cpu_vendor", "vendor_id" },  { "cpu_model", "model name" }, { "cpu_family", "cpu family" },
    { "cpu_model_number", "model" }, { "cpu_stepping", "stepping" }, { "microcode", "microcode" },
};

static void set_text(json_t *record, const char *key, const char *text)
{
    if (text[0])
        json_object_set_new(record, key, json_string(text));
}

static void add_tables(const char *root, json_t *record)
{
    char text[TEXT_BYTES];
    long long number = 0;
    for (size_t i = 0; i < HK_ARRAY_COUNT(lines); i++)
        if (system_line(root, lines[i].path, text, sizeof(text)))
            set_text(record, lines[i].key, text);
    for (size_t i = 0; i < HK_ARRAY_COUNT(numbers); i++)
        if (system_number(root, numbers[i].path, &number))
            json_object_set_new(record, numbers[i].key, json_integer(number));
    for (size_t i = 0; i < HK_ARRAY_COUNT(cpu_fields); i++)
        if (system_field(root, "/proc/cpuinfo", cpu_fields[i].field, text, sizeof(text)))
            set_text(record, cpu_fields[i].key, text);
}

static void add_host(const char *root, json_t *record)
{
    char vendor[TEXT_BYTES] = "", product[TEXT_BYTES] = "", model[2 * TEXT_BYTES];
    system_line(root, "/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor));
    system_line(root, "/sys/class/dmi/id/product_name", product, sizeof(product));
    snprintf(model, sizeof(model), "%s%s%s", vendor, vendor[0] && product[0] ? " " : "", product);
    set_text(record, "host_model", model);
}

/* --- processor ----------------------------------------------------------------- */

static const struct {
    const char *signature;
    const char *name;
} hypervisors[] = {
    { "KVMKVMKVM", "KVM" },       { "Microsoft Hv", "Hyper-V" }, { "VMwareVMware", "VMware" },
    { "XenVMMXenVMM", "Xen" },    { "TCGTCGTCGTCG", "QEMU TCG" }, { "bhyve bhyve ", "bhyve" },
    { "prl hyperv  ", "Parallels" }, { "VBoxVBoxVBox", "VirtualBox" },
};

/* CPUID leaf 0x40000000: twelve characters that every hypervisor of note sets. */
static void add_hypervisor(json_t *record)
{
    unsigned a, b, c, d;
    char signature[13] = "";
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 31))) {
        json_object_set_new(record, "hypervisor", json_string("none"));
        return;
    }
    __cpuid(0x40000000, a, b, c, d);
    memcpy(signature, &b, 4);
    memcpy(signature + 4, &c, 4);
    memcpy(signature + 8, &d, 4);
    for (size_t i = 0; i < sizeof(signature) - 1 && signature[i]; i++)
        if (!isprint((unsigned char)signature[i]))
            signature[i] = '?';
    const char *name = signature;
    for (size_t i = 0; i < HK_ARRAY_COUNT(hypervisors); i++)
        if (strncmp(signature, hypervisors[i].signature, strlen(hypervisors[i].signature)) == 0)
            name = hypervisors[i].name;
    json_object_set_new(record, "hypervisor", json_string(name[0] ? name : "unknown"));
}

static void add_counts(json_t *record)
{
    struct hk_topology *topology = NULL;
    struct hk_topology_counts counts;
    json_object_set_new(record, "cpu_count", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    if (hk_topology_create(&topology) != HK_OK)
        return;
    hk_topology_count(topology, &counts);
    hk_topology_destroy(topology);
    json_object_set_new(record, "cpu_affinity_count", json_integer(counts.cpus));
    json_object_set_new(record, "core_affinity_count", json_integer(counts.cores));
    json_object_set_new(record, "package_affinity_count", json_integer(counts.packages));
}

static void add_frequency(const char *root, json_t *record)
{
    char text[TEXT_BYTES];
    if (system_field(root, "/proc/cpuinfo", "cpu MHz", text, sizeof(text)))
        json_object_set_new(record, "cpu_mhz", json_real(strtod(text, NULL)));
    if (system_line(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text,
                    sizeof(text)))
        json_object_set_new(record, "cpu_scaling_enabled",
                            json_boolean(strcmp(text, "performance") != 0));
}

/* Size as the kernel prints it, "48K", in bytes. */
static json_int_t size_bytes(const char *text)
{
    char *end = NULL;
    long long size = strtoll(text, &end, 10);
    return *end == 'K' ? size * 1024 : *end == 'M' ? size * 1024 * 1024 : size;
}

/* Number of CPUs in a list like "0-3,8". */
static json_int_t list_count(const char *list)
{
    json_int_t count = 0;
    while (isdigit((unsigned char)*list)) {
        char *end = NULL;
        long first = strtol(list, &end, 10), last = first;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        count += last - first + 1;
        list = *end == ',' ? end + 1 : end;
    }
    return count;
}

/* As Google Benchmark lists them: the caches of CPU 0. */
static void add_caches(const char *root, json_t *record)
{
    json_t *caches = json_array();
    for (int i = 0; i < 16; i++) {
        char path[128], type[32], size[32], shared[TEXT_BYTES] = "0";
        long long level = 0;
        const char *base = "/sys/devices/system/cpu/cpu0/cache/index";
        snprintf(path, sizeof(path), "%s%d/type", base, i);
        if (!system_line(root, path, type, sizeof(type)))
            break;
        snprintf(path, sizeof(path), "%s%d/size", base, i);
        if (!system_line(root, path, size, sizeof(size)))
            continue;
        snprintf(path, sizeof(path), "%s%d/level", base, i);
        system_number(root, path, &level);
        snprintf(path, sizeof(path), "%s%d/shared_cpu_list", base, i);
        system_line(root, path, shared, sizeof(shared));
        json_array_append_new(caches, json_pack("{s:s, s:I, s:I, s:I}", "type", type, "level",
                                                (json_int_t)level, "size", size_bytes(size),
                                                "num_sharing", list_count(shared)));
    }
    json_object_set_new(record, "caches", caches);
}

/* --- kernel ---------------------------------------------------------------------- */

/* The word in brackets of "none [voluntary] full". */
static bool chosen(const char *text, char *word, size_t capacity)
{
    const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;
    if (!open || !close || (size_t)(close - open - 1) >= capacity)
        return false;
    memcpy(word, open + 1, (size_t)(close - open - 1));
    word[close - open - 1] = '\0';
    return true;
}

static void add_preemption(const char *root, json_t *record)
{
    char text[TEXT_BYTES], word[64] = "";
    if (system_line(root, "/sys/kernel/realtime", text, sizeof(text)) && text[0] == '1')
        snprintf(word, sizeof(word), "realtime");
    else if (system_line(root, "/sys/kernel/debug/sched/preempt", text, sizeof(text)))
        chosen(text, word, sizeof(word));
    if (!word[0] && system_line(root, "/proc/sys/kernel/version", text, sizeof(text)))
        snprintf(word, sizeof(word), "%s",
                 strstr(text, "PREEMPT_RT")        ? "realtime"
                 : strstr(text, "PREEMPT_DYNAMIC") ? "dynamic, current choice not readable"
                 : strstr(text, "PREEMPT_LAZY")    ? "lazy"
                 : strstr(text, "PREEMPT")         ? "full"
                                                   : "none or voluntary");
    set_text(record, "preemption", word);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_mitigations(const char *root, json_t *record)
{
    const char *folder = "/sys/devices/system/cpu/vulnerabilities";
    char path[PATH_MAX], text[TEXT_BYTES];
    struct dirent **entries = NULL;
    snprintf(path, sizeof(path), "%s%s", root, folder);
    int count = scandir(path, &entries, NULL, compare_names);
    if (count < 0)
        return;
    json_t *mitigations = json_object();
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && system_line(root, path, text, sizeof(text)))
            set_text(mitigations, entries[i]->d_name, text);
        free(entries[i]);
    }
    free(entries);
    json_object_set_new(record, "mitigations", mitigations);
}

static void add_load(const char *root, json_t *record)
{
    char text[TEXT_BYTES];
    double load[3];
    if (system_line(root, "/proc/loadavg", text, sizeof(text)) &&
        sscanf(text, "%lf %lf %lf", &load[0], &load[1], &load[2]) == 3)
        json_object_set_new(record, "load_average",
                            json_pack("[f, f, f]", load[0], load[1], load[2]));
}

/* Share of CPU time since boot that the hypervisor gave to others. */
static void add_steal(const char *root, json_t *record)
{
    char text[TEXT_BYTES];
    unsigned long long t[8], total = 0;
    if (!system_line(root, "/proc/stat", text, sizeof(text)) ||
        sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
               &t[4], &t[5], &t[6], &t[7]) != 8)
        return;
    for (size_t i = 0; i < HK_ARRAY_COUNT(t); i++)
        total += t[i];
    if (total > 0)
        json_object_set_new(record, "steal_since_boot_ratio",
                            json_real((double)t[7] / (double)total));
}

static void add_memory(const char *root, json_t *record)
{
    char text[TEXT_BYTES];
    if (system_field(root, "/proc/meminfo", "MemTotal", text, sizeof(text)))
        json_object_set_new(record, "memory_bytes",
                            json_integer((json_int_t)strtoll(text, NULL, 10) * 1024));
    json_object_set_new(record, "page_bytes", json_integer(sysconf(_SC_PAGESIZE)));
}

static void add_software(const char *root, json_t *record)
{
    char text[TEXT_BYTES], hwloc[32];
    FILE *file = NULL;
    snprintf(text, sizeof(text), "%s/etc/os-release", root);
    file = fopen(text, "re");
    while (file && fgets(text, sizeof(text), file)) {
        char name[TEXT_BYTES];
        if (sscanf(text, "PRETTY_NAME=\"%255[^\"]", name) == 1)
            set_text(record, "operating_system", name);
    }
    if (file)
        fclose(file);
    unsigned version = hwloc_get_api_version();
    snprintf(hwloc, sizeof(hwloc), "%u.%u.%u", version >> 16, (version >> 8) & 0xff,
             version & 0xff);
#ifdef __clang__
    const char *compiler = __VERSION__; /* begins with its name */
#else
    const char *compiler = "gcc " __VERSION__;
#endif
#ifdef NDEBUG
    const char *build = "release";
#else
    const char *build = "debug";
#endif
    json_object_set_new(record, "software",
                        json_pack("{s:s, s:s, s:s, s:s, s:s}", "compiler", compiler, "build",
                                  build, "libc", gnu_get_libc_version(), "hwloc_api", hwloc,
                                  "jansson", JANSSON_VERSION));
}

/* --- identity -------------------------------------------------------------------- */

/* FNV-1a over a text and its end. */
static uint32_t mix(uint32_t hash, const char *text)
{
    for (size_t i = 0;; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
        if (!text[i])
            return hash;
    }
}

/* "AMD EPYC 7R13 48-Core Processor" -> "amd-epyc-7r13-48-core-processor" */
static void slug(const char *text, char *out, size_t capacity)
{
    size_t n = 0;
    for (; *text && *text != '@' && n + 1 < capacity; text++) {
        if (*text == '(') { /* "(R)", "(TM)" */
            text += strcspn(text, ")");
            if (!*text)
                break;
        } else if (isalnum((unsigned char)*text)) {
            out[n++] = (char)tolower((unsigned char)*text);
        } else if (n > 0 && out[n - 1] != '-') {
            out[n++] = '-';
        }
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
}

static void add_id(json_t *record)
{
    static const char *const keys[] = { "cpu_vendor",   "cpu_model",  "cpu_family",
                                        "cpu_model_number", "cpu_stepping", "hypervisor",
                                        "host_model" };
    char name[40], id[64], count[24];
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < HK_ARRAY_COUNT(keys); i++) {
        const char *text = json_string_value(json_object_get(record, keys[i]));
        hash = mix(hash, text ? text : "");
    }
    snprintf(count, sizeof(count), "%lld",
             (long long)json_integer_value(json_object_get(record, "cpu_count")));
    hash = mix(hash, count);
    const char *model = json_string_value(json_object_get(record, "cpu_model"));
    slug(model ? model : "unknown-cpu", name, sizeof(name));
    snprintf(id, sizeof(id), "%s-%08x", name[0] ? name : "cpu", hash);
    json_object_set_new(record, "id", json_string(id));
}

enum hk_status hk_machine_record(const char *system_root, char **json)
{
    json_t *record = json_object();
    if (!record)
        return HK_ENOMEM;
    json_object_set_new(record, "id", json_string("")); /* first key; its value comes last */
    add_tables(system_root, record);
    add_host(system_root, record);
    add_hypervisor(record);
    add_counts(record);
    add_frequency(system_root, record);
    add_caches(system_root, record);
    add_preemption(system_root, record);
    add_mitigations(system_root, record);
    add_load(system_root, record);
    add_steal(system_root, record);
    add_memory(system_root, record);
    add_software(system_root, record);
    add_id(record);
    char *text = json_dumps(record, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(record);
    if (!text)
        return HK_ENOMEM;
    *json = text;
    return HK_OK;
}
