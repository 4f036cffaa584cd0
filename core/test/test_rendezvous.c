/* SPDX-License-Identifier: MIT */
/* Rendezvous on the hosted kernel: call, reply, badge, time-outs, and what a death leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hk/core/hosted.h"
#include "kernel/kernel.h"

#define MEMORY_BYTES (1024 * 1024)
#define BADGE 0x7e57

struct fixture {
    struct hk_hosted *hosted;
    struct hk_thread *client, *server;
    uint64_t client_handle, server_handle;
};

static int64_t call(struct fixture *f, struct hk_thread *thread, enum hk_syscall number,
                    uint64_t a, uint64_t b)
{
    uint64_t arguments[5] = { a, b };
    bool asleep;
    int64_t result = hk_hosted_call(f->hosted, thread, number, arguments, &asleep);

    assert_false(asleep);
    return result;
}

static bool ipc(struct fixture *f, struct hk_thread *thread, int64_t tag, uint64_t handle,
                uint64_t word, struct hk_hosted_message *message)
{
    bool asleep;

    *message = (struct hk_hosted_message){ .tag = tag, .rdi = handle, .word = { word } };
    hk_hosted_ipc(f->hosted, thread, message, &asleep);
    return asleep;
}

static int setup(void **state)
{
    static struct fixture f;
    struct hk_cap *cap;

    assert_int_equal(hk_hosted_create(MEMORY_BYTES, &f.hosted), HK_OK);
    assert_int_equal(hk_hosted_process(f.hosted, "client", false, &f.client), HK_OK);
    assert_int_equal(hk_hosted_process(f.hosted, "server", false, &f.server), HK_OK);
    f.server_handle = (uint64_t)call(&f, f.server, HK_SYS_endpoint_create, 0, 0);
    assert_int_equal(hk_cap_entry(f.server->process, f.server_handle, &cap), HK_OK);
    assert_int_equal(hk_cap_insert(f.client->process, cap->object, HK_RIGHT_CALL, BADGE,
                                   &f.client_handle),
                     HK_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(hk_hosted_destroy(f->hosted), 0);
    return 0;
}

static void call_meets_waiting_server(void **state)
{
    struct fixture *f = *state;
    struct hk_hosted_message message;

    assert_true(ipc(f, f->server, HK_IPC_RECEIVE, f->server_handle, 0, &message));
    assert_true(ipc(f, f->client, HK_IPC_CALL + 2, f->client_handle, 2385, &message));
    assert_false(hk_hosted_asleep(f->server));
    hk_hosted_received(f->server, &message);
    assert_int_equal(message.tag, 2);
    assert_int_equal(message.rdi, BADGE);
    assert_int_equal(message.word[0], 2385);
    assert_true(ipc(f, f->server, HK_IPC_REPLY_WAIT + 1, f->server_handle, 7411, &message));
    assert_false(hk_hosted_asleep(f->client));
    hk_hosted_received(f->client, &message);
    assert_int_equal(message.tag, 1);
    assert_int_equal(message.rdi, 0);
    assert_int_equal(message.word[0], 7411);
}

static void call_waits_for_busy_server(void **state)
{
    struct fixture *f = *state;
    struct hk_hosted_message message;

    assert_true(ipc(f, f->client, HK_IPC_CALL + 1, f->client_handle, 2385, &message));
    assert_false(ipc(f, f->server, HK_IPC_RECEIVE, f->server_handle, 0, &message));
    assert_int_equal(message.word[0], 2385);
    assert_int_equal(message.rdi, BADGE);
}

static void a_right_is_needed(void **state)
{
    struct fixture *f = *state;
    struct hk_hosted_message message;

    assert_false(ipc(f, f->client, HK_IPC_RECEIVE, f->client_handle, 0, &message));
    assert_int_equal(message.tag, HK_ERIGHT);
    assert_false(ipc(f, f->client, HK_IPC_CALL, HK_HANDLE_COUNT, 0, &message));
    assert_int_equal(message.tag, HK_EHANDLE);
    assert_false(ipc(f, f->client, HK_IPC_CALL, HK_HANDLE_SELF, 0, &message));
    assert_int_equal(message.tag, HK_EHANDLE);
    assert_false(ipc(f, f->client, HK_IPC_CALL + 5, f->client_handle, 0, &message));
    assert_int_equal(message.tag, HK_ETOOBIG);
}

static void reply_right_is_single_use(void **state)
{
    struct fixture *f = *state;
    struct hk_hosted_message message;

    assert_true(ipc(f, f->client, HK_IPC_CALL, f->client_handle, 0, &message));
    assert_false(ipc(f, f->server, HK_IPC_RECEIVE, f->server_handle, 0, &message));
    assert_false(ipc(f, f->server, HK_IPC_REPLY, 0, 0, &message));
    assert_int_equal(message.tag, 0);
    assert_false(ipc(f, f->server, HK_IPC_REPLY, 0, 0, &message));
    assert_int_equal(message.tag, HK_EPEER);
}

static void death_of_the_server_is_told(void **state)
{
    struct fixture *f = *state;
    struct hk_hosted_message message;
    uint64_t none[5] = { 0 };
    bool asleep;

    assert_true(ipc(f, f->client, HK_IPC_CALL, f->client_handle, 0, &message));
    assert_false(ipc(f, f->server, HK_IPC_RECEIVE, f->server_handle, 0, &message));
    (void)hk_hosted_call(f->hosted, f->server, HK_SYS_exit, none, &asleep);
    assert_true(asleep);
    assert_false(hk_hosted_asleep(f->client));
    assert_int_equal(hk_hosted_result(f->client), HK_EPEER);
    assert_false(ipc(f, f->client, HK_IPC_CALL, f->client_handle, 0, &message));
    assert_int_equal(message.tag, HK_EPEER);
}

static void death_of_the_client_is_survived(void **state)
{
    struct fixture *f = *state;
    struct hk_hosted_message message;

    assert_true(ipc(f, f->client, HK_IPC_CALL, f->client_handle, 0, &message));
    assert_false(ipc(f, f->server, HK_IPC_RECEIVE, f->server_handle, 0, &message));
    hk_process_end(hk_hosted_kernel(f->hosted)->cpu, f->client->process, HK_EXIT_KILLED, 0);
    assert_true(ipc(f, f->server, HK_IPC_REPLY_WAIT, f->server_handle, 0, &message));
}

static void time_outs_end_every_wait(void **state)
{
    struct fixture *f = *state;
    struct hk_hosted_message message;

    assert_int_equal(call(f, f->client, HK_SYS_ipc_timeout, 1000, 0), HK_OK);
    assert_true(ipc(f, f->client, HK_IPC_CALL_ANY, f->client_handle, 0, &message));
    hk_hosted_advance(f->hosted, 999);
    assert_true(hk_hosted_asleep(f->client));
    hk_hosted_advance(f->hosted, 1);
    assert_false(hk_hosted_asleep(f->client));
    assert_int_equal(hk_hosted_result(f->client), HK_ETIMEOUT);
    /* the same after the server took the message: the reply then finds nobody */
    assert_true(ipc(f, f->client, HK_IPC_CALL_ANY, f->client_handle, 0, &message));
    assert_false(ipc(f, f->server, HK_IPC_RECEIVE, f->server_handle, 0, &message));
    hk_hosted_advance(f->hosted, 1000);
    assert_int_equal(hk_hosted_result(f->client), HK_ETIMEOUT);
    assert_false(ipc(f, f->server, HK_IPC_REPLY, 0, 0, &message));
    assert_int_equal(message.tag, HK_EPEER);
}

static void time_outs_end_page_faults(void **state)
{
    const uint64_t page = HK_USER_BASE + 64 * HK_PAGE_BYTES;
    struct fixture *f = *state;
    uint64_t region[5] = { HK_HANDLE_SELF, page, 1, f->client_handle, 1000 };
    struct hk_hosted_message message;
    bool asleep, ended;

    assert_int_equal(hk_hosted_call(f->hosted, f->client, HK_SYS_pager_bind, region, &asleep),
                     HK_OK);
    assert_true(ipc(f, f->server, HK_IPC_RECEIVE, f->server_handle, 0, &message));
    hk_hosted_fault(f->hosted, f->client, page + 5, HK_MAP_READ, &asleep, &ended);
    assert_true(asleep && !ended);
    hk_hosted_received(f->server, &message);
    assert_int_equal(message.tag, HK_PAGER_WORDS);
    assert_int_equal(message.word[1], page + 5);
    hk_hosted_advance(f->hosted, 999);
    assert_true(hk_hosted_asleep(f->client));
    hk_hosted_advance(f->hosted, 1);
    assert_false(hk_hosted_asleep(f->client));
    /* too late to help, and the second fault is the last */
    region[0] = page, region[1] = 1, region[2] = HK_MAP_READ, region[3] = 0;
    assert_int_equal(hk_hosted_call(f->hosted, f->server, HK_SYS_pager_map, region, &asleep),
                     HK_EPERM);
    hk_hosted_fault(f->hosted, f->client, page + 5, HK_MAP_READ, &asleep, &ended);
    assert_true(ended);
}

static void long_message_goes_through_the_ipc_pages(void **state)
{
    struct fixture *f = *state;
    struct hk_hosted_message message;
    uint64_t sent[53], received[53];

    for (uint64_t i = 0; i < 53; i++)
        sent[i] = 2385 * i + 17;
    assert_int_equal(hk_hosted_write(f->hosted, f->client, f->client->ipc_address, sent,
                                     sizeof(sent)),
                     HK_OK);
    assert_true(ipc(f, f->server, HK_IPC_RECEIVE, f->server_handle, 0, &message));
    assert_true(ipc(f, f->client, HK_IPC_CALL_ANY + 64, f->client_handle, 1, &message));
    hk_hosted_received(f->server, &message);
    assert_int_equal(message.tag, 64);
    assert_int_equal(hk_hosted_read(f->hosted, f->server, f->server->ipc_address, received,
                                    sizeof(received)),
                     HK_OK);
    assert_memory_equal(sent, received, sizeof(sent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(call_meets_waiting_server, setup, teardown),
        cmocka_unit_test_setup_teardown(call_waits_for_busy_server, setup, teardown),
        cmocka_unit_test_setup_teardown(a_right_is_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(reply_right_is_single_use, setup, teardown),
        cmocka_unit_test_setup_teardown(death_of_the_server_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(death_of_the_client_is_survived, setup, teardown),
        cmocka_unit_test_setup_teardown(time_outs_end_every_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(time_outs_end_page_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(long_message_goes_through_the_ipc_pages, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
