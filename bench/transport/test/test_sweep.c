/* SPDX-License-Identifier: MIT */
/* What a killed process leaves in the System V tables is swept, and nothing else is. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/transport/ipc.h"
#include "hk/transport/transport.h"

/* Creates one of each in a process that is killed at once; it shares this one's namespace. */
static void leave_behind(int *queue, int *set)
{
    int ids[2], report[2];

    assert_int_equal(pipe(report), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (hk_sysv_msg_create(&ids[0]) == HK_OK && hk_sysv_sem_create(3, &ids[1]) == HK_OK &&
            write(report[1], ids, sizeof(ids)) == (ssize_t)sizeof(ids))
            raise(SIGKILL);
        _exit(1);
    }
    int wait_status;
    assert_int_equal(waitpid(pid, &wait_status, 0), pid);
    assert_true(WIFSIGNALED(wait_status));
    assert_int_equal(read(report[0], ids, sizeof(ids)), sizeof(ids));
    close(report[0]);
    close(report[1]);
    *queue = ids[0];
    *set = ids[1];
}

static void test_sweep(void **state)
{
    struct msqid_ds info;
    uint32_t removed = 99;
    int own_queue, own_set, dead_queue, dead_set;

    (void)state;
    if (hk_sysv_msg_create(&own_queue) != HK_OK) {
        print_message("    skipped: no System V message queues here\n");
        skip();
    }
    assert_int_equal(hk_sysv_sem_create(2, &own_set), HK_OK);
    /* A queue without the mark is nobody's business. */
    int foreign = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    assert_true(foreign >= 0);
    assert_int_equal(hk_transport_sweep(&removed), HK_OK);

    leave_behind(&dead_queue, &dead_set);
    assert_int_equal(msgctl(dead_queue, IPC_STAT, &info), 0);
    assert_int_equal(hk_transport_sweep(&removed), HK_OK);
    assert_int_equal(removed, 2);
    assert_int_equal(msgctl(dead_queue, IPC_STAT, &info), -1);
    assert_int_equal(semctl(dead_set, 0, GETVAL), -1);

    assert_int_equal(msgctl(own_queue, IPC_RMID, NULL), 0);
    assert_int_equal(semctl(own_set, 0, IPC_RMID), 0);
    assert_int_equal(msgctl(foreign, IPC_RMID, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep)};

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
