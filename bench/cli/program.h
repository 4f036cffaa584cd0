/* SPDX-License-Identifier: MIT */
/* A program outside, run for the text it prints. */
#ifndef HK_CLI_PROGRAM_H
#define HK_CLI_PROGRAM_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

struct hk_program {
    const char *const *argv;           /* NULL-terminated */
    const char *folder;                /* looked into before PATH; or NULL */
    const char *const *environment;    /* added to ours: NULL-terminated "NAME=value"; or NULL */
    uint64_t limit_ns;                 /* then it is killed */
    const volatile sig_atomic_t *stop; /* set: it is killed; or NULL */
};

/*
 * Run a program to its end and collect standard output and standard error together.
 *
 * The program and what it starts form a process group, which is gone afterwards; it dies with
 * the caller.
 *
 * text      [out]  what it printed, NUL-terminated, cut at the capacity
 * capacity  [in]   >= 1
 *
 * Returns HK_OK when it ended with status 0; HK_ENOENT when there is no such program; HK_EINTR;
 * HK_ETIMEOUT; HK_EIO when it ended otherwise; HK_ENOMEM. text is valid in every case.
 */
enum hk_status hk_program_run(const struct hk_program *program, char *text, size_t capacity);

#endif
