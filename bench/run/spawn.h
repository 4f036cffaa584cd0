/* SPDX-License-Identifier: MIT */
/* One launch, seen from the runner: execute the program again, ask, collect the answer. */
#ifndef HK_RUN_SPAWN_H
#define HK_RUN_SPAWN_H

#include "request.h"
#include "wire.h"

struct hk_spawn_options {
    bool wrapped;                      /* command starts another program that starts ours */
    const char *const *command;        /* argv of the program's hidden command, NULL-terminated */
    const volatile sig_atomic_t *stop; /* or NULL */
    uint64_t seed;                     /* of the environment's padding */
};

struct hk_leader {
    pid_t pid;
    int fd; /* our end of the socket */
    int wait_status;
    struct hk_bytes output;
};

/* Execute the command with a socket on HK_LAUNCH_FD and a padded environment. HK_ENOMEM. */
enum hk_status hk_leader_start(const struct hk_spawn_options *options, struct hk_leader *leader);

/*
 * Close our end, which tells the leader to tidy up, and wait; after a grace its whole process
 * group is killed. The output stays.
 */
void hk_leader_end(struct hk_leader *leader);

/*
 * Run one launch to its end.
 *
 * request   [in,out]  magic, bytes, runner are filled in
 * launches  [out]     one per task (one in all for a pair); each to be released
 * count     [out]
 *
 * A leader that broke gives launches that are FAILED with the reason. Returns HK_OK;
 * HK_EINTR when *stop was set: nothing is given then; HK_ENOMEM. No process is left in any case.
 */
enum hk_status hk_spawn_launch(const struct hk_spawn_options *options, struct hk_request *request,
                               struct hk_launch *launches, size_t *count);

#endif
