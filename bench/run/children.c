/* SPDX-License-Identifier: MIT */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

/* The child's half: dies with its parent, also when that died before we could ask for it. */
static void enter_child(pid_t parent, int close_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* the terminal's Ctrl-C is the runner's business */
    close(close_fd);
}

enum hk_status hk_child_fork(struct hk_children *children, enum hk_child_role role, size_t task,
                             size_t number, int close_fd, bool *in_child, int *child_fd)
{
    struct hk_child *c = &children->all[children->count];
    const pid_t parent = getpid();
    int fds[2] = {-1, -1};

    if (children->count == HK_CHILDREN_MAX)
        return HK_EFULL;
    if (role == HK_CHILD_MEASURER && pipe2(fds, O_CLOEXEC) != 0)
        return HK_ENOMEM;
    const pid_t pid = fork();
    if (pid < 0) {
        if (fds[0] >= 0) {
            close(fds[0]);
            close(fds[1]);
        }
        return HK_ENOMEM;
    }
    if (pid == 0) {
        enter_child(parent, close_fd);
        if (fds[0] >= 0)
            close(fds[0]);
        *in_child = true;
        *child_fd = fds[1];
        return HK_OK;
    }
    if (fds[1] >= 0)
        close(fds[1]);
    *c = (struct hk_child){.role = role, .task = task, .number = number, .pid = pid,
                           .pidfd = pidfd_open(pid, 0), .output_fd = fds[0], .alive = true};
    if (c->output_fd >= 0)
        fcntl(c->output_fd, F_SETFL, O_NONBLOCK);
    children->count++;
    *in_child = false;
    return HK_OK;
}

static void collect_output(struct hk_child *c)
{
    unsigned char bytes[READ_BYTES];

    for (;;) {
        const ssize_t n = read(c->output_fd, bytes, sizeof bytes);
        if (n > 0 && hk_bytes_append(&c->output, bytes, (size_t)n) == HK_OK)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        close(c->output_fd);
        c->output_fd = -1;
        return;
    }
}

static void reap(struct hk_child *c, int flags)
{
    if (!c->alive || waitpid(c->pid, &c->wait_status, flags) != c->pid)
        return;
    c->alive = false;
    if (c->pidfd >= 0)
        close(c->pidfd);
    c->pidfd = -1;
    if (c->output_fd >= 0)
        collect_output(c); /* what it wrote before it ended */
}

enum hk_status hk_children_wait(struct hk_children *children, int watch_fd, int timeout_ms)
{
    struct pollfd polls[2 * HK_CHILDREN_MAX + 1];
    nfds_t n = 0;

    polls[n++] = (struct pollfd){.fd = watch_fd};
    for (size_t i = 0; i < children->count; i++) {
        const struct hk_child *c = &children->all[i];
        polls[n++] = (struct pollfd){.fd = c->pidfd, .events = POLLIN};
        polls[n++] = (struct pollfd){.fd = c->output_fd, .events = POLLIN};
    }
    if (poll(polls, n, timeout_ms) < 0)
        return HK_OK; /* interrupted: the caller looks at its flags */
    for (size_t i = 0; i < children->count; i++) {
        struct hk_child *c = &children->all[i];
        if (c->output_fd >= 0 && polls[2 * i + 2].revents != 0)
            collect_output(c);
        if (c->alive && (c->pidfd < 0 || polls[2 * i + 1].revents != 0))
            reap(c, WNOHANG);
    }
    return watch_fd >= 0 && (polls[0].revents & (POLLHUP | POLLERR)) != 0 ? HK_EPEER : HK_OK;
}

void hk_children_kill(struct hk_children *children, int role)
{
    for (size_t i = 0; i < children->count; i++)
        if (children->all[i].alive && (role < 0 || (int)children->all[i].role == role))
            kill(children->all[i].pid, SIGKILL);
}

void hk_children_reap(struct hk_children *children)
{
    for (size_t i = 0; i < children->count; i++)
        while (children->all[i].alive)
            reap(&children->all[i], 0);
}

void hk_children_fini(struct hk_children *children)
{
    for (size_t i = 0; i < children->count; i++) {
        struct hk_child *c = &children->all[i];
        if (c->pidfd >= 0)
            close(c->pidfd);
        if (c->output_fd >= 0)
            close(c->output_fd);
        hk_bytes_fini(&c->output);
    }
    children->count = 0;
}
