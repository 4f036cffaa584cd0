/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/counters/clock.h"

enum { TICK_MS = 50, EXIT_NOT_FOUND = 127 };

_Noreturn static void become(const struct hk_program *p, int fd, pid_t parent)
{
    char *const *argv = (char *const *)(uintptr_t)p->argv;
    char path[4096];
    int null_fd;

    setpgid(0, 0); /* Ctrl-C is for the caller, who then ends the group */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    null_fd = open("/dev/null", O_RDONLY);
    if (getppid() != parent || null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
        fcntl(STDOUT_FILENO, F_SETFL, 0) != 0)
        _exit(EXIT_NOT_FOUND);
    for (size_t i = 0; p->environment != NULL && p->environment[i] != NULL; i++)
        putenv((char *)(uintptr_t)p->environment[i]);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (p->folder != NULL &&
        snprintf(path, sizeof path, "%s/%s", p->folder, p->argv[0]) < (int)sizeof path)
        execv(path, argv);
    execvp(p->argv[0], argv);
    _exit(EXIT_NOT_FOUND);
}

/* Whether the process has ended; it stays unreaped and so keeps the number of its group. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Takes what is there; what exceeds the capacity is thrown away. */
static void drain(int fd, char *text, size_t capacity, size_t *used)
{
    char rest[512];

    for (;;) {
        const bool full = *used + 1 >= capacity;
        const ssize_t n = full ? read(fd, rest, sizeof rest)
                               : read(fd, text + *used, capacity - 1 - *used);
        if (n <= 0)
            break;
        *used += full ? 0 : (size_t)n;
    }
    text[*used] = '\0';
}

/* Reads until the program has ended: what it leaves running may hold the pipe open for ever. */
static enum hk_status collect(const struct hk_program *p, pid_t pid, int fd, char *text,
                              size_t capacity)
{
    const uint64_t end_ns = hk_monotonic_ns() + p->limit_ns;
    size_t used = 0;

    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        const bool ended = has_ended(pid);
        drain(fd, text, capacity, &used);
        if (ended)
            return HK_OK;
        if (p->stop != NULL && *p->stop)
            return HK_EINTR;
        if (hk_monotonic_ns() > end_ns)
            return HK_ETIMEOUT;
        poll(&poll_fd, 1, TICK_MS);
        if ((poll_fd.revents & (POLLHUP | POLLIN)) == POLLHUP) /* closed, but not ended yet */
            nanosleep(&(struct timespec){.tv_nsec = HK_NS_PER_MS}, NULL);
    }
}

enum hk_status hk_program_run(const struct hk_program *program, char *text, size_t capacity)
{
    const pid_t parent = getpid();
    siginfo_t info;
    int fds[2], wait_status = 0;

    text[0] = '\0';
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return HK_ENOMEM;
    const pid_t pid = fork();
    if (pid == 0)
        become(program, fds[1], parent);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return HK_ENOMEM;
    }
    setpgid(pid, pid); /* whoever is first; the other call fails harmlessly */
    const enum hk_status status = collect(program, pid, fds[0], text, capacity);
    close(fds[0]);
    if (status != HK_OK)
        kill(-pid, SIGKILL);
    /* Left unreaped, it still owns the number of its group. */
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    kill(-pid, SIGKILL); /* what it left running */
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
        ;
    if (status != HK_OK)
        return status;
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_NOT_FOUND)
        return HK_ENOENT;
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0 ? HK_OK : HK_EIO;
}
