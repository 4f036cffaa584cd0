/* SPDX-License-Identifier: MIT */
/* Queues, semaphores, futexes and signals that a process sends to itself. */
#include <errno.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/transport/ipc.h"
#include "paths.h"

struct queue_state {
    int id; /* queue, semaphore set or signalfd */
    struct hk_path_buffers buffers;
    uint32_t word;   /* futex */
    sigset_t set;
    bool is_blocked; /* the signal, by us */
};

static enum hk_status state_create(size_t bytes, struct queue_state **state)
{
    struct queue_state *s = calloc(1, sizeof(*s));
    enum hk_status status = s ? hk_path_buffers_init(&s->buffers, bytes) : HK_ENOMEM;

    if (status != HK_OK) {
        free(s);
        return status;
    }
    s->id = -1;
    *state = s;
    return HK_OK;
}

static void state_destroy(struct queue_state *s)
{
    hk_path_buffers_fini(&s->buffers);
    free(s);
}

static enum hk_status queue_verify(void *state)
{
    const struct queue_state *s = state;

    return hk_path_buffers_verify(&s->buffers);
}

/* ---- POSIX message queue ---- */

static enum hk_status mq_path_open(const struct hk_path_options *options, void **state)
{
    struct queue_state *s;

    if (options->bytes > HK_QUEUE_MESSAGE_BYTES_MAX)
        return HK_EINVAL;
    enum hk_status status = state_create(options->bytes, &s);
    if (status != HK_OK)
        return status;
    status = hk_mq_create(options->bytes > 0 ? options->bytes : 1, &s->id);
    if (status != HK_OK) {
        state_destroy(s);
        return status;
    }
    *state = s;
    return HK_OK;
}

static enum hk_status mq_path_run(void *state, uint64_t n)
{
    const struct queue_state *s = state;
    const size_t bytes = s->buffers.bytes;
    const size_t room = bytes > 0 ? bytes : 1;

    for (uint64_t i = 0; i < n; i++)
        if (mq_send(s->id, (char *)s->buffers.out, bytes, 0) != 0 ||
            mq_receive(s->id, (char *)s->buffers.in, room, NULL) != (ssize_t)bytes)
            return hk_errno_status(errno);
    return HK_OK;
}

static void mq_path_close(void *state)
{
    struct queue_state *s = state;

    mq_close(s->id);
    state_destroy(s);
}

static enum hk_status mq_path_probe(char reason[HK_REASON_BYTES])
{
    mqd_t queue;

    if (hk_mq_create(1, &queue) != HK_OK)
        return hk_path_refuse(reason, "no POSIX message queue: needs CONFIG_POSIX_MQUEUE and room "
                                      "under ulimit -q");
    mq_close(queue);
    return HK_OK;
}

/* ---- System V message queue; the buffers begin with the message type ---- */

static enum hk_status msg_open(const struct hk_path_options *options, void **state)
{
    const long type = 1;
    struct queue_state *s;

    if (options->bytes > HK_QUEUE_MESSAGE_BYTES_MAX)
        return HK_EINVAL;
    enum hk_status status = state_create(sizeof(type) + options->bytes, &s);
    if (status != HK_OK)
        return status;
    memcpy(s->buffers.out, &type, sizeof(type));
    status = hk_sysv_msg_create(&s->id);
    if (status != HK_OK) {
        state_destroy(s);
        return status;
    }
    *state = s;
    return HK_OK;
}

static enum hk_status msg_run(void *state, uint64_t n)
{
    const struct queue_state *s = state;
    const size_t bytes = s->buffers.bytes - sizeof(long);

    for (uint64_t i = 0; i < n; i++)
        if (msgsnd(s->id, s->buffers.out, bytes, 0) != 0 ||
            msgrcv(s->id, s->buffers.in, bytes, 0, 0) != (ssize_t)bytes)
            return hk_errno_status(errno);
    return HK_OK;
}

static void msg_close(void *state)
{
    struct queue_state *s = state;

    msgctl(s->id, IPC_RMID, NULL);
    state_destroy(s);
}

static enum hk_status msg_probe(char reason[HK_REASON_BYTES])
{
    int id;

    if (hk_sysv_msg_create(&id) != HK_OK)
        return hk_path_refuse(reason, "no System V message queue: needs CONFIG_SYSVIPC and room "
                                      "under kernel.msgmni");
    msgctl(id, IPC_RMID, NULL);
    return HK_OK;
}

/* ---- System V semaphore ---- */

static enum hk_status sem_path_open(const struct hk_path_options *options, void **state)
{
    struct queue_state *s;

    if (options->bytes > 0)
        return HK_EINVAL;
    enum hk_status status = state_create(0, &s);
    if (status != HK_OK)
        return status;
    status = hk_sysv_sem_create(1, &s->id);
    if (status != HK_OK) {
        state_destroy(s);
        return status;
    }
    *state = s;
    return HK_OK;
}

static enum hk_status sem_path_run(void *state, uint64_t n)
{
    const struct queue_state *s = state;
    struct sembuf up = {.sem_op = 1}, down = {.sem_op = -1};

    for (uint64_t i = 0; i < n; i++)
        if (semop(s->id, &up, 1) != 0 || semop(s->id, &down, 1) != 0)
            return hk_errno_status(errno);
    return HK_OK;
}

static void sem_path_close(void *state)
{
    struct queue_state *s = state;

    semctl(s->id, 0, IPC_RMID);
    state_destroy(s);
}

static enum hk_status sem_path_probe(char reason[HK_REASON_BYTES])
{
    int id;

    if (hk_sysv_sem_create(1, &id) != HK_OK)
        return hk_path_refuse(reason, "no System V semaphore: needs CONFIG_SYSVIPC and room under "
                                      "kernel.sem");
    semctl(id, 0, IPC_RMID);
    return HK_OK;
}

/* ---- Futex without a waiter ---- */

static enum hk_status futex_open(const struct hk_path_options *options, void **state)
{
    struct queue_state *s;

    if (options->bytes > 0)
        return HK_EINVAL;
    enum hk_status status = state_create(0, &s);
    if (status == HK_OK)
        *state = s;
    return status;
}

static enum hk_status futex_run(void *state, uint64_t n)
{
    struct queue_state *s = state;

    /* Not private: the transport's word is shared between processes too. */
    for (uint64_t i = 0; i < n; i++)
        if (syscall(SYS_futex, &s->word, FUTEX_WAKE, 1, NULL, NULL, 0) != 0)
            return HK_EROW;
    return HK_OK;
}

static void futex_close(void *state)
{
    state_destroy(state);
}

/* ---- Signal ---- */

static int self_signal(void)
{
    return SIGRTMIN + 7;
}

static enum hk_status signal_open(const struct hk_path_options *options, void **state)
{
    struct queue_state *s;
    sigset_t before;

    if (options->bytes > sizeof(union sigval))
        return HK_EINVAL;
    enum hk_status status = state_create(options->bytes, &s);
    if (status != HK_OK)
        return status;
    sigemptyset(&s->set);
    sigaddset(&s->set, self_signal());
    pthread_sigmask(SIG_BLOCK, &s->set, &before);
    s->is_blocked = !sigismember(&before, self_signal());
    *state = s;
    return HK_OK;
}

static void signal_close(void *state)
{
    struct queue_state *s = state;

    if (s->is_blocked) {
        /* A signal that still waits would end the process. */
        while (sigtimedwait(&s->set, NULL, &(struct timespec){0}) > 0)
            continue;
        pthread_sigmask(SIG_UNBLOCK, &s->set, NULL);
    }
    if (s->id >= 0)
        close(s->id);
    state_destroy(s);
}

static enum hk_status signalfd_open(const struct hk_path_options *options, void **state)
{
    void *opened;
    enum hk_status status = signal_open(options, &opened);

    if (status != HK_OK)
        return status;
    struct queue_state *s = opened;
    s->id = signalfd(-1, &s->set, SFD_CLOEXEC);
    if (s->id < 0) {
        status = hk_errno_status(errno);
        signal_close(s);
        return status;
    }
    *state = s;
    return HK_OK;
}

static int signal_queue(const struct queue_state *s, pid_t pid, pid_t tid)
{
    siginfo_t info = {.si_signo = self_signal(), .si_code = SI_QUEUE};

    memcpy(&info.si_value, s->buffers.out, s->buffers.bytes);
    return (int)syscall(SYS_rt_tgsigqueueinfo, pid, tid, info.si_signo, &info);
}

static enum hk_status signal_run(void *state, uint64_t n)
{
    const struct queue_state *s = state;
    const pid_t pid = getpid(), tid = gettid();
    siginfo_t info;

    for (uint64_t i = 0; i < n; i++) {
        if (signal_queue(s, pid, tid) != 0 || sigwaitinfo(&s->set, &info) < 0)
            return hk_errno_status(errno);
        memcpy(s->buffers.in, &info.si_value, s->buffers.bytes);
    }
    return HK_OK;
}

static enum hk_status signalfd_run(void *state, uint64_t n)
{
    const struct queue_state *s = state;
    const pid_t pid = getpid(), tid = gettid();
    struct signalfd_siginfo info;

    for (uint64_t i = 0; i < n; i++) {
        if (signal_queue(s, pid, tid) != 0 || read(s->id, &info, sizeof(info)) < 0)
            return hk_errno_status(errno);
        memcpy(s->buffers.in, &info.ssi_ptr, s->buffers.bytes);
    }
    return HK_OK;
}

const struct hk_path hk_path_posix_mq_self = {
    .name = "posix_mq_self",
    .summary = "send to and receive from one's own POSIX message queue",
    .transport = "posix_mq",
    .bytes_max = HK_QUEUE_MESSAGE_BYTES_MAX,
    .syscalls = 2,
    .probe = mq_path_probe,
    .open = mq_path_open,
    .run = mq_path_run,
    .verify = queue_verify,
    .close = mq_path_close,
};

const struct hk_path hk_path_sysv_msg_self = {
    .name = "sysv_msg_self",
    .summary = "send to and receive from one's own System V message queue",
    .transport = "sysv_msg",
    .bytes_max = HK_QUEUE_MESSAGE_BYTES_MAX,
    .syscalls = 2,
    .probe = msg_probe,
    .open = msg_open,
    .run = msg_run,
    .verify = queue_verify,
    .close = msg_close,
};

const struct hk_path hk_path_sysv_sem_self = {
    .name = "sysv_sem_self",
    .summary = "one's own System V semaphore up and down",
    .transport = "sysv_sem_shm",
    .syscalls = 2,
    .probe = sem_path_probe,
    .open = sem_path_open,
    .run = sem_path_run,
    .close = sem_path_close,
};

const struct hk_path hk_path_futex_wake_self = {
    .name = "futex_wake_self",
    .summary = "a futex wake that wakes nobody",
    .transport = "futex_ring",
    .syscalls = 1,
    .open = futex_open,
    .run = futex_run,
    .close = futex_close,
};

const struct hk_path hk_path_signal_self = {
    .name = "signal_self",
    .summary = "a real-time signal to oneself, taken by sigwaitinfo",
    .transport = "rt_signal",
    .bytes_max = sizeof(union sigval),
    .syscalls = 2,
    .open = signal_open,
    .run = signal_run,
    .verify = queue_verify,
    .close = signal_close,
};

const struct hk_path hk_path_signalfd_self = {
    .name = "signalfd_self",
    .summary = "a real-time signal to oneself, read from a signalfd",
    .transport = "signalfd",
    .bytes_max = sizeof(union sigval),
    .syscalls = 2,
    .open = signalfd_open,
    .run = signalfd_run,
    .verify = queue_verify,
    .close = signal_close,
};
