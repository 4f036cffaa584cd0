/* SPDX-License-Identifier: MIT */
/*
 * Page faults served in user space: by pagers that do it well, and by those that do
 * not. A process whose pager fails ends as one without a pager does, in bounded
 * time, and the machine runs on.
 */
#include "user/pager.h"
#include "user/peer.h"
#include "user/scenario.h"
#include "user/user.h"

#define TIMEOUT_NS (2 * (uint64_t)HK_NS_PER_MS)
/* The time-out, and by round robin two slices of 10 ms of a pager that loops. */
#define BOUND_NS (TIMEOUT_NS + 20 * (uint64_t)HK_NS_PER_MS)

struct paging_case {
    const char *name;
    enum hk_pager_way way;
    int64_t exit; /* of process_wait */
};

#define EXIT_CODE(code) (HK_EXIT_CODE | (int64_t)(code) << 8)
#define EXIT_FAULT (HK_EXIT_PAGE | (int64_t)14 << 8)

static const struct paging_case cases[] = {
    { "fresh", HK_PAGER_FRESH, HK_EXIT_NORMAL },
    { "filled", HK_PAGER_FILLED, EXIT_CODE(HK_PEER_TOUCH_PATTERN) },
    { "refuses", HK_PAGER_REFUSES, EXIT_FAULT },
    { "elsewhere", HK_PAGER_ELSEWHERE, EXIT_FAULT },
    { "ignores", HK_PAGER_IGNORES, EXIT_FAULT },
    { "sleeps", HK_PAGER_SLEEPS, EXIT_FAULT },
    { "loops", HK_PAGER_LOOPS, EXIT_FAULT },
    { "exits", HK_PAGER_EXITS, EXIT_FAULT },
    { "crashes", HK_PAGER_CRASHES, EXIT_FAULT },
};

static void report(const char *kind, const struct paging_case *row, const char *what,
                   uint64_t value)
{
    struct hk_line line;

    hk_line_begin(&line, kind);
    hk_line_text(&line, "pager ");
    hk_line_text(&line, row->name);
    hk_line_text(&line, " ");
    hk_line_text(&line, what);
    hk_line_text(&line, " ");
    hk_line_number(&line, value);
    hk_line_end(&line);
}

/* A process that touches a region bound to this endpoint; how it ended, and after what time. */
static int64_t run_client(uint64_t endpoint, uint64_t *elapsed_ns)
{
    static const char name[] = "peer";
    int64_t process =
        hk_syscall(HK_SYS_process_create, (uint64_t)name, sizeof(name) - 1, 0);
    uint64_t start_ns;
    int64_t status;

    if (process < 0)
        return process;
    status = hk_syscall5(HK_SYS_pager_bind, (uint64_t)process, HK_PEER_REGION,
                         HK_PEER_REGION_PAGES, endpoint, TIMEOUT_NS);
    start_ns = (uint64_t)hk_syscall0(HK_SYS_clock);
    if (status == HK_OK)
        status = hk_syscall(HK_SYS_process_start, (uint64_t)process, HK_PEER_TOUCH, 0);
    if (status == HK_OK)
        status = hk_syscall(HK_SYS_process_wait, (uint64_t)process, HK_TIMEOUT_NONE, 0);
    *elapsed_ns = (uint64_t)hk_syscall0(HK_SYS_clock) - start_ns;
    (void)hk_syscall(HK_SYS_process_kill, (uint64_t)process, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)process, 0, 0);
    return status;
}

static bool run_case(const struct paging_case *row)
{
    struct hk_server pager;
    uint64_t elapsed_ns = 0;
    int64_t exit;

    if (hk_pager_start(row->way, &pager) != HK_OK) {
        report("fail", row, "does not start", 0);
        return false;
    }
    exit = run_client(pager.endpoint, &elapsed_ns);
    hk_server_stop(&pager);
    if (exit != row->exit)
        report("fail", row, "client ended with", (uint64_t)exit);
    else if (elapsed_ns > BOUND_NS)
        report("fail", row, "client waited ns", elapsed_ns);
    else
        report("log", row, "exit", (uint64_t)exit & 0xff);
    return exit == row->exit && elapsed_ns <= BOUND_NS;
}

int hk_scenario_paging(uint64_t *ipc_page)
{
    int failed = 0;

    (void)ipc_page;
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++)
        failed |= !run_case(&cases[i]);
    return failed;
}
