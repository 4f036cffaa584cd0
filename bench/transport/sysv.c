/* SPDX-License-Identifier: MIT */
#include "hk/transport/ipc.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link.h"

#define KEY_MARK 0x686b0000u /* "hk" */
#define KEY_MARK_MASK 0xffff0000u
#define KEY_TRIES 1000u
/* Inode of the namespace that the system starts with (PROC_IPC_INIT_INO). */
#define INITIAL_NAMESPACE_INODE 0xefffffffu

/* The fourth argument of semctl, which the caller has to declare. */
union semctl_argument {
    int value;
    struct semid_ds *set;
    struct seminfo *info;
    unsigned short *values;
};

/* Leaves the system's namespace if the process may; a container's own one is left alone. */
static void enter_own_namespace(void)
{
    struct stat namespace;

    if (stat("/proc/self/ns/ipc", &namespace) == 0 && namespace.st_ino == INITIAL_NAMESPACE_INODE)
        (void)unshare(CLONE_NEWIPC);
}

static key_t key_number(unsigned attempt)
{
    return (key_t)(KEY_MARK | (((unsigned)getpid() * 61u + attempt) & ~KEY_MARK_MASK));
}

enum hk_status hk_sysv_msg_create(int *id)
{
    struct {
        long type;
    } mark = {.type = 1};

    enter_own_namespace();
    for (unsigned i = 0; i < KEY_TRIES; i++) {
        int created = msgget(key_number(i), IPC_CREAT | IPC_EXCL | 0600);
        if (created < 0 && errno != EEXIST)
            return hk_errno_status(errno);
        if (created < 0)
            continue;
        /* The kernel records the last sender and receiver: from now on that is us. */
        if (msgsnd(created, &mark, 0, IPC_NOWAIT) != 0 ||
            msgrcv(created, &mark, 0, 0, IPC_NOWAIT) != 0) {
            enum hk_status status = hk_errno_status(errno);
            msgctl(created, IPC_RMID, NULL);
            return status;
        }
        *id = created;
        return HK_OK;
    }
    return HK_EEXIST;
}

enum hk_status hk_sysv_sem_create(int count, int *id)
{
    enter_own_namespace();
    for (unsigned i = 0; i < KEY_TRIES; i++) {
        int created = semget(key_number(i), count, IPC_CREAT | IPC_EXCL | 0600);
        if (created < 0 && errno != EEXIST)
            return hk_errno_status(errno);
        if (created < 0)
            continue;
        for (int n = 0; n < count; n++)
            (void)semctl(created, n, SETVAL, (union semctl_argument){.value = 0});
        *id = created;
        return HK_OK;
    }
    return HK_EEXIST;
}

/* A process that the kernel names as user and that is gone; 0 is one that we cannot see. */
static bool is_dead(pid_t pid)
{
    return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

static bool is_ours(const struct ipc_perm *perm)
{
    return ((unsigned)perm->__key & KEY_MARK_MASK) == KEY_MARK && perm->cuid == geteuid();
}

static uint32_t sweep_queues(void)
{
    struct msginfo info;
    struct msqid_ds queue;
    uint32_t removed = 0;
    int last = msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info);

    for (int index = 0; index <= last; index++) {
        int id = msgctl(index, MSG_STAT, &queue);
        if (id >= 0 && is_ours(&queue.msg_perm) && is_dead(queue.msg_lspid) &&
            is_dead(queue.msg_lrpid) && msgctl(id, IPC_RMID, NULL) == 0)
            removed++;
    }
    return removed;
}

static uint32_t sweep_semaphores(void)
{
    struct seminfo info;
    struct semid_ds set;
    uint32_t removed = 0;
    int last = semctl(0, 0, SEM_INFO, (union semctl_argument){.info = &info});

    for (int index = 0; index <= last; index++) {
        int id = semctl(index, 0, SEM_STAT, (union semctl_argument){.set = &set});
        if (id < 0 || !is_ours(&set.sem_perm))
            continue;
        bool dead = true;
        for (unsigned long n = 0; n < set.sem_nsems; n++)
            dead = dead && is_dead(semctl(id, (int)n, GETPID));
        if (dead && semctl(id, 0, IPC_RMID) == 0)
            removed++;
    }
    return removed;
}

enum hk_status hk_transport_sweep(uint32_t *removed)
{
    *removed = sweep_queues() + sweep_semaphores();
    return HK_OK;
}
