/* SPDX-License-Identifier: MIT */
/*
 * Workloads that are measured so that others need not be: single ones, in which a client does one
 * thing with one service, give what each kind of work costs (hk/guest/replay.h); mixed ones, drawn
 * at random once and for all, show how far predictions made of these are off.
 */
#ifndef HK_GUEST_PRIMITIVES_H
#define HK_GUEST_PRIMITIVES_H

#include "hk/guest/sweep.h"

#define HK_PRIMITIVES_SINGLE 56u
#define HK_PRIMITIVES_MIXED  24u /* in three batches */
#define HK_PRIMITIVES        (HK_PRIMITIVES_SINGLE + HK_PRIMITIVES_MIXED)

#define HK_PRIMITIVE_SINGLE "one_" /* how the names of single ones begin */

/* Their cells that are measured, as a regular expression for hk_guest_plan. */
extern const char hk_primitives_filter[];

/* Placements of a mixed one, as masks of the services in the kernel. */
#define HK_PRIMITIVES_MASKS 4u
const uint32_t *hk_primitive_masks(unsigned mixed);

/* The first HK_PRIMITIVES_SINGLE are single, the others mixed. i < HK_PRIMITIVES. */
void hk_primitive_make(unsigned i, struct hk_sweep_workload *workload);

/* Who does all the work of a single one: a service, or HK_SERVICE_CLIENT. */
unsigned hk_primitive_service(unsigned single);

#endif
