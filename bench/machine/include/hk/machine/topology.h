/* SPDX-License-Identifier: MIT */
/*
 * Where the two sides of a cell run: pairs of CPUs by their distance, as hwloc
 * sees the machine and as far as this process may use it. A hypervisor may hide
 * the truth: the cache-line floor of each block says what the pair really was.
 */
#ifndef HK_MACHINE_TOPOLOGY_H
#define HK_MACHINE_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

#define HK_PLACE_REASON_BYTES 160

enum hk_place {
    HK_PLACE_SAME_CORE,    /* both on one logical CPU */
    HK_PLACE_CROSS_CORE,   /* two cores of one package, sharing the last cache where possible */
    HK_PLACE_SMT,          /* two hardware threads of one core */
    HK_PLACE_CROSS_SOCKET, /* two packages */
    HK_PLACE_COUNT,
};

struct hk_cpu_pair {
    int client; /* operating-system number of the CPU */
    int server;
};

struct hk_topology_counts {
    uint32_t packages; /* of what this process may use */
    uint32_t cores;
    uint32_t cpus;
};

struct hk_topology;

/* Word in cell names: "same_core". NULL for a value out of range. */
const char *hk_place_name(enum hk_place place);

/* HK_ENOENT, with *place untouched, when no place has that name. */
enum hk_status hk_place_find(const char *name, enum hk_place *place);

/*
 * Discover this machine, restricted to the CPUs this process may run on.
 *
 * Costs milliseconds: once per process, never in a timed path.
 * Returns HK_OK; HK_ENOTSUP when hwloc cannot; HK_ENOMEM.
 */
enum hk_status hk_topology_create(struct hk_topology **topology);

/*
 * A described machine, for tests and for planning on another one.
 *
 * description  [in]  hwloc's synthetic form: "package:2 l3:1 core:2 pu:2"
 * cpus         [in]  count CPU numbers that may be used; NULL with 0: all
 *
 * Returns HK_OK; HK_EPARSE for a bad description; HK_EINVAL when no CPU is left; HK_ENOMEM.
 */
enum hk_status hk_topology_create_described(const char *description, const int *cpus, size_t count,
                                            struct hk_topology **topology);

void hk_topology_destroy(struct hk_topology *topology);

/*
 * Choose the CPUs of a place: always the same pair on the same machine, away
 * from CPU 0, where interrupts land by default, when there is a choice.
 *
 * pair    [out]
 * reason  [out]  on HK_ENOTSUP: cause and remedy
 *
 * Returns HK_OK; HK_ENOTSUP when the machine or the affinity mask has no such pair.
 */
enum hk_status hk_topology_place(const struct hk_topology *topology, enum hk_place place,
                                 struct hk_cpu_pair *pair, char reason[HK_PLACE_REASON_BYTES]);

void hk_topology_count(const struct hk_topology *topology, struct hk_topology_counts *counts);

#endif
