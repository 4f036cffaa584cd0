/* SPDX-License-Identifier: MIT */
/*
 * Google Benchmark's JSON from a run: readers of that format take the files as
 * they are. Keys and their order are those of version 1.7.1.
 */
#include "hk/result/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "hk/base/units.h"

static bool is_error(const struct hk_launch *launch)
{
    return launch->state == HK_LAUNCH_INVALID || launch->state == HK_LAUNCH_FAILED;
}

/* Says whether a launch is a row of the file, and with which number. */
static bool row_value(const struct hk_launch *launch, bool exact, double *value)
{
    if (exact != (launch->exactness != HK_TIMED) || launch->state == HK_LAUNCH_UNAVAILABLE)
        return false;
    *value = 0;
    return is_error(launch) || (exact ? hk_launch_instructions(launch, value) : hk_launch_time_ns(launch, value));
}

/* --- context --------------------------------------------------------------- */

static void set_copy(json_t *to, const char *to_key, json_t *from, const char *from_key)
{
    json_t *value = json_object_get(from, from_key);
    if (value)
        json_object_set(to, to_key, value);
}

/* Custom pairs are strings, sorted by key, after the library's own. */
static void set_custom(json_t *context, const struct hk_run *run, json_t *machine)
{
    char schema[16], seed[24];
    snprintf(schema, sizeof(schema), "%d", HK_RESULT_SCHEMA);
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)run->seed);
    json_object_set_new(context, "hk_arguments", json_string(run->arguments));
    set_copy(context, "hk_kernel", machine, "kernel");
    json_object_set_new(context, "hk_machine", json_string(run->machine_id));
    json_object_set_new(context, "hk_schema", json_string(schema));
    json_object_set_new(context, "hk_seed", json_string(seed));
    json_object_set_new(context, "hk_state", json_string(run->partial ? "partial" : "complete"));
}

static json_t *make_context(const struct hk_run *run, json_t *machine)
{
    json_t *context = json_object();
    json_object_set_new(context, "date", json_string(run->started));
    set_copy(context, "host_name", machine, "host_name");
    json_object_set_new(context, "executable", json_string("hkbench"));
    set_copy(context, "num_cpus", machine, "cpu_count");
    double mhz = json_number_value(json_object_get(machine, "cpu_mhz"));
    json_object_set_new(context, "mhz_per_cpu", json_integer((json_int_t)llround(mhz)));
    set_copy(context, "cpu_scaling_enabled", machine, "cpu_scaling_enabled");
    json_t *caches = json_object_get(machine, "caches");
    json_object_set_new(context, "caches", caches ? json_incref(caches) : json_array());
    json_t *load = json_object_get(machine, "load_average");
    json_object_set_new(context, "load_avg", load ? json_incref(load) : json_array());
    json_object_set_new(context, "library_build_type", json_string("release"));
    set_custom(context, run, machine);
    return context;
}

/* --- rows ------------------------------------------------------------------ */

struct row {
    const struct hk_launch *launch;
    double value;
    size_t family;
    size_t instance;    /* cell within its family */
    size_t repetition;  /* launch within its cell */
    size_t repetitions; /* rows of the cell */
};

struct named_value {
    char name[HK_NAME_BYTES];
    double value;
};

static int compare_names(const void *a, const void *b)
{
    const struct named_value *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Every counter gets the prefix, so that none can shadow a field of the format. */
static bool set_counters(json_t *object, const struct hk_launch *launch)
{
    size_t count = launch->counter_count;
    struct named_value *sorted = malloc((count + 1) * sizeof(*sorted));
    if (!sorted)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *name = launch->counters[i].name;
        bool prefixed = strncmp(name, "hk_", 3) == 0;
        snprintf(sorted[i].name, sizeof(sorted[i].name), "%s%s", prefixed ? "" : "hk_", name);
        sorted[i].value = launch->counters[i].value;
    }
    qsort(sorted, count, sizeof(sorted[0]), compare_names);
    for (size_t i = 0; i < count; i++)
        json_object_set_new(object, sorted[i].name, json_real(sorted[i].value));
    free(sorted);
    return true;
}

/* Operations of a launch: those of its blocks. */
static json_int_t iterations_of(const struct hk_launch *launch)
{
    double per_block = 0, kept = 0, dropped = 0;
    hk_launch_counter(launch, "hk_block_operations", &per_block);
    hk_launch_counter(launch, "hk_blocks_kept", &kept);
    hk_launch_counter(launch, "hk_blocks_dropped", &dropped);
    double operations = per_block * (kept + dropped);
    return operations >= 1 && operations < 1e18 ? (json_int_t)operations : 1;
}

static json_t *make_row(const struct row *row)
{
    const struct hk_launch *launch = row->launch;
    double cpu = row->value;
    if (launch->exactness == HK_TIMED && !is_error(launch))
        hk_launch_counter(launch, "cpu_ns", &cpu);
    json_t *object = json_pack(
        "{s:s, s:I, s:I, s:s, s:s, s:I, s:I, s:i}", "name", launch->name, "family_index",
        (json_int_t)row->family, "per_family_instance_index", (json_int_t)row->instance, "run_name",
        launch->name, "run_type", "iteration", "repetitions", (json_int_t)row->repetitions,
        "repetition_index", (json_int_t)row->repetition, "threads", 1);
    if (!object)
        return NULL;
    if (is_error(launch)) {
        const char *reason = launch->reason ? launch->reason : "no reason given";
        json_object_set_new(object, "error_occurred", json_true());
        json_object_set_new(object, "error_message", json_string(reason));
    }
    json_object_set_new(object, "iterations", json_integer(iterations_of(launch)));
    json_object_set_new(object, "real_time", json_real(row->value));
    json_object_set_new(object, "cpu_time", json_real(cpu));
    json_object_set_new(object, "time_unit", json_string("ns"));
    if (!set_counters(object, launch)) {
        json_decref(object);
        return NULL;
    }
    if (launch->exactness != HK_TIMED)
        json_object_set_new(object, "label",
                            json_string(launch->exactness == HK_EXACT
                                            ? "EXACT: the time is a number of instructions"
                                            : "NEAR: the time is a number of instructions"));
    return object;
}

/* Length of the leading part without key:value elements: what a family shares. */
static size_t family_length(const char *name)
{
    size_t length = strcspn(name, ":");
    if (name[length] == ':')
        while (length > 0 && name[length - 1] != '/')
            length--;
    return length;
}

static bool same_family(const char *a, const char *b)
{
    size_t length = family_length(a);
    return length == family_length(b) && strncmp(a, b, length) == 0;
}

/* Numbers the rows; launches come sorted by name and index. */
static size_t collect_rows(const struct hk_run *run, bool exact, struct row *rows)
{
    size_t count = 0, cell_start = 0;
    for (size_t i = 0; i < run->launch_count; i++) {
        struct row row = { .launch = &run->launches[i] };
        if (!row_value(row.launch, exact, &row.value))
            continue;
        const struct row *last = count ? &rows[count - 1] : NULL;
        bool same_cell = last && strcmp(last->launch->name, row.launch->name) == 0;
        bool family = last && same_family(last->launch->name, row.launch->name);
        if (last) {
            row.family = last->family + (family ? 0 : 1);
            row.instance = same_cell ? last->instance : family ? last->instance + 1 : 0;
        }
        if (!same_cell)
            cell_start = count;
        row.repetition = count - cell_start;
        rows[count++] = row;
        for (size_t j = cell_start; j < count; j++)
            rows[j].repetitions = count - cell_start;
    }
    return count;
}

static json_t *make_rows(const struct hk_run *run, bool exact)
{
    struct row *rows = calloc(run->launch_count + 1, sizeof(*rows));
    json_t *array = json_array();
    if (!rows || !array) {
        free(rows);
        json_decref(array);
        return NULL;
    }
    size_t count = collect_rows(run, exact, rows);
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, make_row(&rows[i])) != 0) {
            json_decref(array);
            array = NULL;
            break;
        }
    }
    free(rows);
    return array;
}

enum hk_status hk_run_benchmark_json(const struct hk_run *run, bool exact, char **text)
{
    json_t *machine = json_loads(run->machine_json, 0, NULL);
    if (!json_is_object(machine)) {
        json_decref(machine);
        return HK_EPARSE;
    }
    json_t *rows = make_rows(run, exact);
    json_t *file = rows ? json_pack("{s:o, s:o}", "context", make_context(run, machine),
                                    "benchmarks", rows)
                        : NULL;
    json_decref(machine);
    if (!file)
        return HK_ENOMEM;
    char *dumped = json_dumps(file, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(file);
    if (!dumped)
        return HK_ENOMEM;
    *text = dumped;
    return HK_OK;
}
