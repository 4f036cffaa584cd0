/* SPDX-License-Identifier: MIT */
/* Workload files, workloads/NAME.ini, and what the guest gets of them. Keys: docs/workloads.md. */
#ifndef HK_GUEST_MIX_H
#define HK_GUEST_MIX_H

#include <stddef.h>

#include "hk/base/status.h"
#include "hk/core/mix.h"

/*
 * Read a workload.
 *
 * path   [in]
 * mix    [out]  written only on success
 * error  [out]  on failure one line for people: file, line, key, what it must be
 *
 * Returns HK_OK; HK_ENOENT when it cannot be opened; HK_EPARSE for what is no workload.
 */
enum hk_status hk_mix_read(const char *path, struct hk_mix *mix, char error[256]);

/* The same from text in memory; `name` stands in messages. */
enum hk_status hk_mix_parse(const char *text, const char *name, struct hk_mix *mix,
                            char error[256]);

/* Name of a service, as in place=. */
const char *hk_mix_service_name(enum hk_service_number service);

/* Section of an action in the file, e.g. "file.read", and the service it uses. */
const char *hk_mix_action_name(enum hk_mix_action action);
enum hk_service_number hk_mix_action_service(enum hk_mix_action action);

#endif
