/* SPDX-License-Identifier: MIT */
/*
 * One status for the whole project: kernel, transports, suite and models.
 *
 * Functions return HK_OK or one negative value and write their outputs only on
 * success. The kernel core returns the same numbers to its user programs, so
 * the list is freestanding: no libc here.
 */
#ifndef HK_BASE_STATUS_H
#define HK_BASE_STATUS_H

/* name, value, text a user can act on */
#define HK_STATUS_LIST(X)                                                    \
    X(HK_OK, 0, "success")                                                   \
    X(HK_EINVAL, -1, "invalid argument")                                     \
    X(HK_ENOMEM, -2, "out of memory")                                        \
    X(HK_ENOTSUP, -3, "not available on this machine")                       \
    X(HK_EPEER, -4, "the peer is gone")                                      \
    X(HK_ETIMEOUT, -5, "timed out")                                          \
    X(HK_EFULL, -6, "full")                                                  \
    X(HK_EEMPTY, -7, "empty")                                                \
    X(HK_EPERM, -8, "not permitted")                                         \
    X(HK_ENOENT, -9, "not found")                                            \
    X(HK_EEXIST, -10, "already exists")                                      \
    X(HK_EIO, -11, "input/output error")                                     \
    X(HK_ENOISE, -12, "too few or too noisy samples to decide")              \
    X(HK_EROW, -13, "the row did not do what it claims")                     \
    X(HK_EINTR, -14, "interrupted")                                          \
    X(HK_EPARSE, -15, "malformed input")                                     \
    X(HK_ESCHEMA, -16, "written by another schema version")                  \
    X(HK_EMACHINE, -17, "measured on another machine")                       \
    X(HK_EBUSY, -18, "busy")                                                 \
    X(HK_EFAULT, -19, "bad address")                                         \
    X(HK_ETOOBIG, -20, "larger than allowed")                                \
    X(HK_ENOSPC, -21, "no space left")                                       \
    X(HK_ERANGE, -22, "outside the range where the answer is defined")       \
    X(HK_ENOSYS, -23, "no such call")                                        \
    X(HK_EHANDLE, -24, "bad handle")                                         \
    X(HK_ERIGHT, -25, "handle lacks the right")

enum hk_status {
#define X(name, value, text) name = value,
    HK_STATUS_LIST(X)
#undef X
};

/*
 * Text of a status, for people.
 *
 * status  [in]  any value
 *
 * Returns a constant string; "unknown status" for a value not in the list.
 */
const char *hk_status_text(enum hk_status status);

/*
 * Name of a status as written in the source, e.g. "HK_EPEER".
 *
 * Returns a constant string; "HK_?" for a value not in the list.
 */
const char *hk_status_name(enum hk_status status);

#endif
