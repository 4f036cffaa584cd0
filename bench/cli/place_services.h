/* SPDX-License-Identifier: MIT */
/* What people say of the guest's services, workloads/services.ini: docs/place.md has the keys. */
#ifndef HK_CLI_PLACE_SERVICES_H
#define HK_CLI_PLACE_SERVICES_H

#include <stdint.h>

#include "hk/base/status.h"
#include "hk/core/mix.h"
#include "hk/model/utility.h"

struct hk_place_services {
    double weights[HK_ATTRIBUTES];       /* isolation, performance, effort; sum 1 */
    double benefit_points[HK_SERVICES];  /* of isolating it, >= 0 */
    double effort_days[HK_SERVICES];     /* of moving it, >= 0 */
    double benefit_points_sum;           /* > 0, as the next */
    double effort_days_sum;
    uint32_t hybrid; /* the set of services that the design to compare has in servers */
};

/*
 * Read the file.
 *
 * services  [out]  written only on success
 * error     [out]  on failure one line for people: file, line, key, what it must be
 *
 * Returns HK_OK; HK_ENOENT when it cannot be opened; HK_EPARSE.
 */
enum hk_status hk_place_services_read(const char *path, struct hk_place_services *services,
                                      char error[256]);

/* The same from text in memory; `name` stands in messages. */
enum hk_status hk_place_services_parse(const char *text, const char *name,
                                       struct hk_place_services *services, char error[256]);

#endif
