/* SPDX-License-Identifier: MIT */
/*
 * A path is a service of the Linux kernel, asked by one system call or a few:
 * the in-kernel neighbour of a transport, or the same service that a server
 * offers elsewhere. One file per family, one row per path.
 */
#ifndef HK_PATH_PATH_H
#define HK_PATH_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/transport/transport.h"

struct hk_path_options {
    size_t bytes; /* payload per operation; 0 for a null operation */
};

struct hk_path {
    const char *name;      /* "getppid", "pipe_self", "tmpfs_pread" */
    const char *summary;   /* one line for `list` */
    const char *transport; /* the transport whose kernel entry this is, or NULL */
    size_t bytes_max;      /* 0: takes no payload */
    double syscalls;       /* system calls per operation, checked by the harness; -1: not claimed */

    /* NULL: always available; else HK_ENOTSUP with cause and remedy. */
    enum hk_status (*probe)(char reason[HK_REASON_BYTES]);
    enum hk_status (*open)(const struct hk_path_options *options, void **state);

    /* Does n operations: the timed body. */
    enum hk_status (*run)(void *state, uint64_t n);

    /*
     * After run, untimed: HK_OK when the payload of the last operation arrived
     * as it was sent, else HK_EROW. NULL: there is no payload.
     */
    enum hk_status (*verify)(void *state);
    void (*close)(void *state);
};

/* The registry: every path, in the order `list` prints them. */
extern const struct hk_path *const hk_paths[];
extern const size_t hk_path_count;

/* Returns HK_OK; HK_ENOENT when no path has that name. */
enum hk_status hk_path_find(const char *name, const struct hk_path **path);

#endif
