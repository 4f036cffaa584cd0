/* SPDX-License-Identifier: MIT */
/* Finding a guest's memo (hk/base/memo.h) in the memory of the emulator that runs it. */
#ifndef HK_GUEST_MEMO_H
#define HK_GUEST_MEMO_H

#include <stddef.h>

#include "hk/base/status.h"

/*
 * Read the memo in the mapping of this process that holds an address.
 *
 * inside  [in]   any address of the guest's memory, as this process has it
 * text    [out]  to be freed by the caller; not terminated; written only on success
 * bytes   [out]  its length; written only on success
 *
 * Returns HK_OK; HK_ENOENT when there is none, or a page of it is missing; HK_ENOMEM. Cost one look
 * at each page.
 */
enum hk_status hk_memo_read(const void *inside, char **text, size_t *bytes);

#endif
