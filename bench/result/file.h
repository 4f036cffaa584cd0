/* SPDX-License-Identifier: MIT */
/* File helpers shared inside this component. */
#ifndef HK_RESULT_FILE_H
#define HK_RESULT_FILE_H

#include <stddef.h>

#include "hk/base/status.h"

/* The status of an errno value from open, write, mkdir or rename. */
enum hk_status hk_status_from_errno(int error);

/* Write everything, going on after short writes and signals. */
enum hk_status hk_fd_write_all(int fd, const char *text, size_t bytes);

#endif
