/* SPDX-License-Identifier: MIT */
/* What the round trips of one transport say of a crossing between two processes. */
#ifndef HK_JUDGE_CROSSING_H
#define HK_JUDGE_CROSSING_H

#include "cells.h"
#include "hk/model/copy_curve.h"

struct hk_crossing {
    struct hk_estimate c_ipc_ns;  /* one way, one byte */
    struct hk_copy_curve one_way; /* over bytes */
    bool exact;                   /* all of the round trips were counted, and repeat */
};

/*
 * Read round trips of 1, 4096, 16384 and 65536 bytes.
 *
 * cells  [in]  names up to the bytes: "native/round_trip/pipe/place:same_core"
 *
 * Returns HK_OK; HK_ENOENT when the run has not all of them, or too few launches.
 */
enum hk_status hk_crossing_read(const struct hk_run *run, const char *cells,
                                struct hk_crossing *out);

/*
 * One way of a message. Where all was counted there is no standard error: what counts are beside
 * the curve is the curve's fault, not chance.
 *
 * bytes  [in]  1 to 65536
 *
 * Returns HK_OK; HK_ERANGE.
 */
enum hk_status hk_crossing_one_way(const struct hk_crossing *crossing, double bytes,
                                   struct hk_estimate *out);

/*
 * F3 as the textbook has it: 4 c_ipc + 4 c_copy(L) + t_u, the four transfers for each request.
 *
 * Returns as hk_crossing_one_way.
 */
enum hk_status hk_crossing_textbook(const struct hk_crossing *crossing, double bytes,
                                    double requests, const struct hk_estimate *body,
                                    struct hk_estimate *out);

#endif
