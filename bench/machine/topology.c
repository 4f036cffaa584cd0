/* SPDX-License-Identifier: MIT */
#include "hk/machine/topology.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hwloc.h>

/* What places look at, copied out of hwloc once. */
struct cpu {
    int number;
    unsigned package;
    unsigned core;
    unsigned cache; /* last level shared with others; CPUs without one share UINT_MAX */
};

struct hk_topology {
    size_t count;
    struct cpu *cpus; /* by descending number: CPU 0 comes last */
};

/* --- discovery -------------------------------------------------------------- */

static unsigned ancestor_index(hwloc_topology_t hwloc, hwloc_obj_t pu, hwloc_obj_type_t type,
                               unsigned otherwise)
{
    hwloc_obj_t object = hwloc_get_ancestor_obj_by_type(hwloc, type, pu);
    return object ? object->logical_index : otherwise;
}

/* The outermost cache above a CPU. */
static unsigned last_cache(hwloc_obj_t pu)
{
    unsigned index = UINT_MAX;
    for (hwloc_obj_t object = pu->parent; object; object = object->parent)
        if (hwloc_obj_type_is_dcache(object->type))
            index = object->logical_index;
    return index;
}

static int compare_cpus(const void *a, const void *b)
{
    const struct cpu *x = a, *y = b;
    return (x->number < y->number) - (x->number > y->number);
}

static enum hk_status copy_cpus(hwloc_topology_t hwloc, const cpu_set_t *allowed,
                                struct hk_topology *topology)
{
    int count = hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_PU);
    if (count <= 0)
        return HK_ENOTSUP;
    topology->cpus = calloc((size_t)count, sizeof(*topology->cpus));
    if (!topology->cpus)
        return HK_ENOMEM;
    for (int i = 0; i < count; i++) {
        hwloc_obj_t pu = hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_PU, (unsigned)i);
        if (pu->os_index >= CPU_SETSIZE || !CPU_ISSET(pu->os_index, allowed))
            continue;
        topology->cpus[topology->count++] = (struct cpu){
            .number = (int)pu->os_index,
            .package = ancestor_index(hwloc, pu, HWLOC_OBJ_PACKAGE, 0),
            .core = ancestor_index(hwloc, pu, HWLOC_OBJ_CORE, pu->logical_index),
            .cache = last_cache(pu),
        };
    }
    if (topology->count == 0)
        return HK_EINVAL;
    qsort(topology->cpus, topology->count, sizeof(topology->cpus[0]), compare_cpus);
    return HK_OK;
}

/* description NULL: this machine */
static enum hk_status create(const char *description, const cpu_set_t *allowed,
                             struct hk_topology **topology)
{
    hwloc_topology_t hwloc;
    struct hk_topology *made = calloc(1, sizeof(*made));
    if (!made)
        return HK_ENOMEM;
    if (hwloc_topology_init(&hwloc) != 0) {
        free(made);
        return HK_ENOMEM;
    }
    enum hk_status status = HK_OK;
    if (description && hwloc_topology_set_synthetic(hwloc, description) != 0)
        status = HK_EPARSE;
    else if (hwloc_topology_load(hwloc) != 0)
        status = description ? HK_EPARSE : HK_ENOTSUP;
    if (status == HK_OK)
        status = copy_cpus(hwloc, allowed, made);
    hwloc_topology_destroy(hwloc);
    if (status != HK_OK) {
        hk_topology_destroy(made);
        return status;
    }
    *topology = made;
    return HK_OK;
}

enum hk_status hk_topology_create(struct hk_topology **topology)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return HK_ENOTSUP;
    return create(NULL, &allowed, topology);
}

enum hk_status hk_topology_create_described(const char *description, const int *cpus, size_t count,
                                            struct hk_topology **topology)
{
    cpu_set_t allowed;
    if (count == 0)
        memset(&allowed, 0xff, sizeof(allowed));
    else
        CPU_ZERO(&allowed);
    for (size_t i = 0; i < count; i++) {
        if (cpus[i] < 0 || cpus[i] >= CPU_SETSIZE)
            return HK_EINVAL;
        CPU_SET((size_t)cpus[i], &allowed);
    }
    return create(description, &allowed, topology);
}

void hk_topology_destroy(struct hk_topology *topology)
{
    if (!topology)
        return;
    free(topology->cpus);
    free(topology);
}

/* --- places ------------------------------------------------------------------ */

static bool is_same_cpu(const struct cpu *a, const struct cpu *b)
{
    return a == b;
}

static bool is_near_core(const struct cpu *a, const struct cpu *b)
{
    return a->package == b->package && a->core != b->core && a->cache == b->cache;
}

static bool is_other_core(const struct cpu *a, const struct cpu *b)
{
    return a->package == b->package && a->core != b->core;
}

static bool is_sibling(const struct cpu *a, const struct cpu *b)
{
    return a != b && a->core == b->core;
}

static bool is_other_package(const struct cpu *a, const struct cpu *b)
{
    return a->package != b->package;
}

typedef bool relation(const struct cpu *a, const struct cpu *b);

static const struct place {
    relation *best;
    relation *second; /* when no pair is in the best relation; NULL: none */
    const char *missing;
} places[HK_PLACE_COUNT] = {
    [HK_PLACE_SAME_CORE] = { is_same_cpu, NULL, "no CPU may be used" },
    [HK_PLACE_CROSS_CORE] = { is_near_core, is_other_core, "no two cores of one package" },
    [HK_PLACE_SMT] = { is_sibling, NULL, "no core with two hardware threads" },
    [HK_PLACE_CROSS_SOCKET] = { is_other_package, NULL, "no second package" },
};

static bool find_pair(const struct hk_topology *topology, relation *related,
                      struct hk_cpu_pair *pair)
{
    for (size_t i = 0; i < topology->count; i++) {
        for (size_t j = 0; j < topology->count; j++) {
            if (!related(&topology->cpus[i], &topology->cpus[j]))
                continue;
            *pair = (struct hk_cpu_pair){ topology->cpus[i].number, topology->cpus[j].number };
            return true;
        }
    }
    return false;
}

enum hk_status hk_topology_place(const struct hk_topology *topology, enum hk_place place,
                                 struct hk_cpu_pair *pair, char reason[HK_PLACE_REASON_BYTES])
{
    const struct place *row = &places[place];
    if (find_pair(topology, row->best, pair) ||
        (row->second && find_pair(topology, row->second, pair)))
        return HK_OK;
    snprintf(reason, HK_PLACE_REASON_BYTES,
             "%s among the %zu CPUs this process may use; widen its CPU set (taskset, cpuset) or "
             "measure on a machine that has it",
             row->missing, topology->count);
    return HK_ENOTSUP;
}

static unsigned package_of(const struct cpu *cpu)
{
    return cpu->package;
}

static unsigned core_of(const struct cpu *cpu)
{
    return cpu->core;
}

static uint32_t count_distinct(const struct hk_topology *topology, unsigned (*of)(const struct cpu *))
{
    uint32_t distinct = 0;
    for (size_t i = 0; i < topology->count; i++) {
        size_t j = 0;
        while (j < i && of(&topology->cpus[j]) != of(&topology->cpus[i]))
            j++;
        distinct += j == i;
    }
    return distinct;
}

void hk_topology_count(const struct hk_topology *topology, struct hk_topology_counts *counts)
{
    *counts = (struct hk_topology_counts){
        .packages = count_distinct(topology, package_of),
        .cores = count_distinct(topology, core_of),
        .cpus = (uint32_t)topology->count,
    };
}
