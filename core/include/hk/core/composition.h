/* SPDX-License-Identifier: MIT */
/* A placement as the kernel's place= has it; hosts that ask people for one read it the same way. */
#ifndef HK_CORE_COMPOSITION_H
#define HK_CORE_COMPOSITION_H

#include <stdint.h>

#include "hk/base/status.h"

/*
 * Where a service runs: one bit per service, set for the kernel.
 *
 * text   [in]  "hybrid", "monolithic", "microkernel", "mask:N" (decimal, the bits themselves), or
 *              "name:kernel,name:server,..." on top of hybrid, each name at most once; not terminated
 * bytes  [in]  its length; 0: hybrid
 * placement  [out]
 *
 * Returns HK_OK; HK_EPARSE for anything else.
 */
enum hk_status hk_composition_parse(const char *text, uint64_t bytes, uint32_t *placement);

#endif
