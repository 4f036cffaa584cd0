/* SPDX-License-Identifier: MIT */
/* What tests of paths ask about processes: descriptors left open, servers that must end. */
#ifndef HK_PATH_TEST_WATCH_H
#define HK_PATH_TEST_WATCH_H

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "hk/base/units.h"

enum { WAIT_S = 30 };

static inline int count_fds(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* State of a server that must end by itself; one that does not is ended, and fails the test. */
static inline int wait_for(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = 10 * HK_NS_PER_MS};
    int state = 0;

    for (int tries = 0; tries < 100 * WAIT_S; tries++) {
        if (waitpid(pid, &state, WNOHANG) == pid)
            return state;
        nanosleep(&pause, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &state, 0);
    fail_msg("the server does not end");
    return state;
}

#endif
