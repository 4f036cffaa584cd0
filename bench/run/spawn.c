/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hk/base/units.h"

enum { PADDING_BYTES_MAX = 4096, TICK_MS = 100, GRACE_MS = 3000, LAUNCHES_MAX = HK_TASKS_MAX };

/*
 * The environment with one more variable of random length: the stack of the program starts
 * elsewhere in every launch, as it does between any two users' shells.
 */
static char **pad_environment(uint64_t seed)
{
    extern char **environ;
    static const char prefix[] = "HK_PADDING=";
    const size_t padding = hk_mix(seed, 0) % PADDING_BYTES_MAX;
    size_t count = 0;

    while (environ[count] != NULL)
        count++;
    char **padded = malloc((count + 2) * sizeof *padded + sizeof prefix + padding);
    if (padded == NULL)
        return NULL;
    char *variable = (char *)(padded + count + 2);
    memcpy(variable, prefix, sizeof prefix - 1);
    memset(variable + sizeof prefix - 1, 'x', padding);
    variable[sizeof prefix - 1 + padding] = '\0';
    memcpy(padded, environ, count * sizeof *padded);
    padded[count] = variable;
    padded[count + 1] = NULL;
    return padded;
}

_Noreturn static void become_leader(const char *const *command, char **environment, int fd,
                                    pid_t runner)
{
    sigset_t none;

    /* Out of the terminal's group: Ctrl-C is for the runner, who then ends us in order. */
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    personality((unsigned long)personality(0xffffffff) & ~(unsigned long)ADDR_NO_RANDOMIZE);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() == runner && dup2(fd, HK_LAUNCH_FD) == HK_LAUNCH_FD &&
        fcntl(HK_LAUNCH_FD, F_SETFD, 0) == 0)
        execve(command[0], (char *const *)(uintptr_t)command, environment);
    _exit(127);
}

enum hk_status hk_leader_start(const struct hk_spawn_options *options, struct hk_leader *leader)
{
    int fds[2];
    const pid_t runner = getpid();

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return HK_ENOMEM;
    char **environment = pad_environment(options->seed);
    const pid_t pid = environment != NULL ? fork() : -1;
    if (pid == 0)
        become_leader(options->command, environment, fds[1], runner);
    free(environment);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return HK_ENOMEM;
    }
    setpgid(pid, pid); /* whoever is first; the other call fails harmlessly */
    *leader = (struct hk_leader){.pid = pid, .fd = fds[0]};
    return HK_OK;
}

/* Reads until the leader closes its end. HK_EINTR on *stop, HK_ETIMEOUT past the deadline. */
static enum hk_status collect(const struct hk_spawn_options *options, struct hk_leader *leader,
                              uint64_t deadline_ns)
{
    unsigned char bytes[65536];

    for (;;) {
        struct pollfd p = {.fd = leader->fd, .events = POLLIN};
        if (options->stop != NULL && *options->stop)
            return HK_EINTR;
        if (hk_monotonic_ns() > deadline_ns)
            return HK_ETIMEOUT;
        if (poll(&p, 1, TICK_MS) <= 0)
            continue;
        const ssize_t n = read(leader->fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return HK_OK;
        const enum hk_status status = hk_bytes_append(&leader->output, bytes, (size_t)n);
        if (status != HK_OK)
            return status;
    }
}

void hk_leader_end(struct hk_leader *leader)
{
    const uint64_t end_ns = hk_monotonic_ns() + (uint64_t)GRACE_MS * HK_NS_PER_MS;
    const struct timespec pause = {0, HK_NS_PER_MS};
    siginfo_t info;

    close(leader->fd);
    for (;;) {
        /* Left unreaped, the leader still owns the number of its group. */
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)leader->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid == leader->pid || hk_monotonic_ns() > end_ns)
            break;
        nanosleep(&pause, NULL);
    }
    kill(-leader->pid, SIGKILL);
    while (waitpid(leader->pid, &leader->wait_status, 0) < 0 && errno == EINTR)
        ;
}

/* What is missing in the answer becomes FAILED. */
static enum hk_status fail_launch(const struct hk_request_task *task, const struct hk_leader *leader,
                                  enum hk_status collected, struct hk_launch *launch)
{
    char reason[HK_TEXT_BYTES];

    if (WIFSIGNALED(leader->wait_status) && collected == HK_OK)
        snprintf(reason, sizeof reason, "the launch's leader was ended by signal %d",
                 WTERMSIG(leader->wait_status));
    else if (collected == HK_OK && WEXITSTATUS(leader->wait_status) == 127)
        snprintf(reason, sizeof reason, "the program could not be executed again");
    else
        snprintf(reason, sizeof reason, "the launch's leader gave no answer%s",
                 collected == HK_ETIMEOUT ? " in time" : "");
    const enum hk_status status = hk_launch_init(launch, task->name, task->index, task->seed);
    return status == HK_OK ? hk_launch_set_state(launch, HK_LAUNCH_FAILED, reason) : status;
}

static enum hk_status decode_all(const struct hk_request *request, const struct hk_leader *leader,
                                 enum hk_status collected, struct hk_launch *launches,
                                 size_t *count)
{
    const size_t expected = request->pair_rounds > 0 ? 1 : request->task_count;
    size_t at = 0, used, n = 0;
    enum hk_status status = HK_OK;

    for (; n < expected; n++, at += used)
        if (hk_wire_decode(leader->output.data + at, leader->output.bytes - at, &launches[n],
                           &used) != HK_OK)
            break;
    for (; n < expected && status == HK_OK; n++)
        status = fail_launch(&request->tasks[n], leader, collected, &launches[n]);
    *count = n;
    return status;
}

enum hk_status hk_spawn_launch(const struct hk_spawn_options *options, struct hk_request *request,
                               struct hk_launch *launches, size_t *count)
{
    struct hk_leader leader;

    request->magic = HK_REQUEST_MAGIC;
    request->bytes = sizeof *request;
    request->runner = options->wrapped ? 0 : (int32_t)getpid();
    enum hk_status status = hk_leader_start(options, &leader);
    if (status != HK_OK)
        return status;
    /* The leader bounds itself; the runner allows for opening, floors and tidying up. */
    const uint64_t deadline_ns = hk_monotonic_ns() + request->deadline_ns + 10ull * HK_NS_PER_S;
    enum hk_status collected = hk_write_all(leader.fd, request, sizeof *request);
    if (collected == HK_OK)
        collected = collect(options, &leader, deadline_ns);
    hk_leader_end(&leader);
    status = collected == HK_EINTR ? HK_EINTR
                                   : decode_all(request, &leader, collected, launches, count);
    hk_bytes_fini(&leader.output);
    return status;
}
