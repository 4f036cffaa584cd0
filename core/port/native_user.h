/* SPDX-License-Identifier: MIT */
/*
 * In the place of user/user.h where the client's sources run in a process of the host (native.c):
 * a system call is a function call there. Included before everything else, by its guard.
 */
#ifndef HK_USER_USER_H
#define HK_USER_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hk/base/abi.h"
#include "hk/base/status.h"
#include "hk/base/units.h"

/* Those that a workload makes; HK_ENOSYS for any other. */
int64_t hk_syscall5(enum hk_syscall number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                    uint64_t e);

static inline int64_t hk_syscall(enum hk_syscall number, uint64_t a, uint64_t b, uint64_t c)
{
    return hk_syscall5(number, a, b, c, 0, 0);
}

static inline int64_t hk_syscall0(enum hk_syscall number)
{
    return hk_syscall5(number, 0, 0, 0, 0, 0);
}

/* A request and its reply; the tag is the number of words. */
int64_t hk_user_ipc(int64_t tag, uint64_t *handle, uint64_t word[HK_MESSAGE_REGISTER_WORDS]);

static inline int64_t hk_call_class(uint64_t words)
{
    (void)words;
    return 0;
}

uint64_t hk_user_read(uint64_t address);
void hk_user_write(uint64_t address, uint64_t value);

static inline size_t hk_text_bytes(const char *text)
{
    return strlen(text);
}

#endif
