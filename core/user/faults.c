/* SPDX-License-Identifier: MIT */
/*
 * Fault containment: a server fails while its client waits. The client gets a
 * status, the supervisor sees why, a new server answers, and the machine runs on.
 */
#include "user/peer.h"
#include "user/scenario.h"
#include "user/victim.h"

#define PATIENCE_NS (5 * HK_NS_PER_MS)

struct fault_case {
    const char *name;
    enum hk_victim_fault fault;
    enum hk_status seen_by_client;
    int64_t exit; /* of process_wait; the loop has to be killed */
};

static const struct fault_case cases[] = {
    { "read_null", HK_VICTIM_NULL, HK_EPEER, HK_EXIT_PAGE },
    { "read_kernel_image", HK_VICTIM_KERNEL_IMAGE, HK_EPEER, HK_EXIT_PAGE },
    { "read_direct_map", HK_VICTIM_DIRECT_MAP, HK_EPEER, HK_EXIT_PAGE },
    { "write_apic", HK_VICTIM_APIC, HK_EPEER, HK_EXIT_PAGE },
    { "read_non_canonical", HK_VICTIM_NON_CANONICAL, HK_EPEER, HK_EXIT_ILLEGAL },
    { "write_code", HK_VICTIM_WRITE_CODE, HK_EPEER, HK_EXIT_PAGE },
    { "run_data", HK_VICTIM_RUN_DATA, HK_EPEER, HK_EXIT_PAGE },
    { "run_kernel", HK_VICTIM_RUN_KERNEL, HK_EPEER, HK_EXIT_PAGE },
    { "use_unmapped", HK_VICTIM_UNMAPPED, HK_EPEER, HK_EXIT_PAGE },
    { "write_read_only", HK_VICTIM_READ_ONLY, HK_EPEER, HK_EXIT_PAGE },
    { "divide", HK_VICTIM_DIVIDE, HK_EPEER, HK_EXIT_DIVIDE },
    { "illegal", HK_VICTIM_ILLEGAL, HK_EPEER, HK_EXIT_ILLEGAL },
    { "halt", HK_VICTIM_HALT, HK_EPEER, HK_EXIT_ILLEGAL },
    { "port", HK_VICTIM_PORT, HK_EPEER, HK_EXIT_ILLEGAL },
    { "load_cr3", HK_VICTIM_CR3, HK_EPEER, HK_EXIT_ILLEGAL },
    { "breakpoint", HK_VICTIM_BREAKPOINT, HK_EPEER, HK_EXIT_ILLEGAL },
    { "single_step", HK_VICTIM_SINGLE_STEP, HK_EPEER, HK_EXIT_EXCEPTION },
    { "software_interrupt", HK_VICTIM_INTERRUPT, HK_EPEER, HK_EXIT_ILLEGAL },
    { "fpu", HK_VICTIM_FPU, HK_EPEER, HK_EXIT_ILLEGAL },
    { "stack_overflow", HK_VICTIM_STACK, HK_EPEER, HK_EXIT_STACK },
    { "endless_loop", HK_VICTIM_LOOP, HK_ETIMEOUT, HK_EXIT_KILLED },
    { "exit", HK_VICTIM_EXIT, HK_EPEER, HK_EXIT_CODE },
    { "thread_exit", HK_VICTIM_THREAD_EXIT, HK_EPEER, HK_EXIT_NORMAL },
};

static void report(const char *kind, const struct fault_case *row, const char *what, int64_t value)
{
    struct hk_line line;

    hk_line_begin(&line, kind);
    hk_line_text(&line, "fault ");
    hk_line_text(&line, row->name);
    hk_line_text(&line, " ");
    hk_line_text(&line, what);
    hk_line_text(&line, value < 0 ? " -" : " ");
    hk_line_number(&line, (uint64_t)(value < 0 ? -value : value));
    hk_line_end(&line);
}

/* A fresh server in the place of the dead one answers. */
static bool answers(void)
{
    struct hk_server server;
    uint64_t w0 = 2385, w1 = 7411;
    int64_t words;

    if (hk_peer_start(HK_PEER_ECHO, HK_HANDLE_SELF, &server) != HK_OK)
        return false;
    words = hk_call(server.endpoint, 2, &w0, &w1);
    hk_server_stop(&server);
    return words == 2 && w0 == 2385 && w1 == 7411;
}

static bool run_case(const struct fault_case *row)
{
    struct hk_server server;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    uint64_t handle;
    int64_t status, exit;

    status = hk_victim_start(row->fault, &server);
    if (status != HK_OK) {
        report("fail", row, "does not start", status);
        return false;
    }
    handle = server.endpoint;
    status = hk_user_ipc(HK_IPC_CALL_ANY, &handle, word);
    if (status == HK_ETIMEOUT)
        (void)hk_syscall(HK_SYS_process_kill, server.process, 0, 0);
    exit = hk_syscall(HK_SYS_process_wait, server.process, PATIENCE_NS, 0);
    hk_server_stop(&server);
    if (status != (int64_t)row->seen_by_client)
        report("fail", row, "client got", status);
    else if (exit < 0 || (exit & 0xff) != row->exit)
        report("fail", row, "supervisor got", exit);
    else if (!answers())
        report("fail", row, "its successor does not answer", 0);
    else {
        report("log", row, "contained, exit", exit & 0xff);
        return true;
    }
    return false;
}

int hk_scenario_faults(uint64_t *ipc_page)
{
    int failed = 0;

    (void)ipc_page;
    (void)hk_syscall(HK_SYS_ipc_timeout, PATIENCE_NS, 0, 0);
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++)
        if (!run_case(&cases[i]))
            failed = 1;
    return failed;
}
