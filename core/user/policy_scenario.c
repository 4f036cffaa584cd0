/* SPDX-License-Identifier: MIT */
/*
 * Scheduling by a server, for two workers of different priority: one that gives
 * them their shares, and the wrong ones, each of which must cost nobody his turn.
 */
#include "user/policy.h"
#include "user/scenario.h"
#include "user/user.h"
#include "user/worker.h"

#define RUN_NS (10 * HK_NS_PER_MS)
#define HEAVY 5 /* priorities: six shares against two */
#define LIGHT 1

struct policy_case {
    const char *name;
    enum hk_policy_mode mode;
    uint64_t ratio; /* heavy's turns for each of light's */
    uint64_t turns; /* that each gets at least */
    bool falls_back;
};

static const struct policy_case cases[] = {
    { "a server that deals out shares", HK_POLICY_MODE_SHARES, 3, 1000, false },
    { "a server that talks nonsense", HK_POLICY_MODE_NONSENSE, 1, 1000, true },
    /* dismissed, it is one more thread that uses up its slices */
    { "a server that thinks for ever", HK_POLICY_MODE_LOOP, 1, 1, true },
    { "a server that sleeps", HK_POLICY_MODE_WAIT, 1, 1000, true },
    { "a server that yields", HK_POLICY_MODE_YIELD, 1, 1000, true },
    { "a server that exits", HK_POLICY_MODE_EXIT, 1, 1000, true },
    { "a server that crashes", HK_POLICY_MODE_FAULT, 1, 1000, true },
    { "a server with a bad buffer", HK_POLICY_MODE_BUFFER, 1, 1000, true },
};

/* A process of this program, started; rights to the shared page where it is one of the workers. */
static int64_t start(const char *program, uint64_t argument, bool trusted, uint64_t shm)
{
    int64_t process =
        hk_syscall(HK_SYS_process_create, (uint64_t)program, hk_text_bytes(program), 0);
    int64_t status = process;

    if (process < 0)
        return process;
    if (trusted)
        status = hk_syscall(HK_SYS_process_trust, (uint64_t)process, 0, 0);
    else
        status = hk_syscall5(HK_SYS_cap_copy, (uint64_t)process, shm,
                             HK_RIGHT_SHM_READ | HK_RIGHT_SHM_WRITE, 0, 0);
    if (status >= 0) {
        if (!trusted)
            argument |= (uint64_t)status; /* its handle of the page */
        status = hk_syscall(HK_SYS_process_start, (uint64_t)process, argument, 0);
    }
    return status < 0 ? status : process;
}

static void stop(int64_t process)
{
    if (process < 0)
        return;
    (void)hk_syscall(HK_SYS_process_kill, (uint64_t)process, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)process, 0, 0);
}

static bool judge(const struct policy_case *c, uint64_t heavy, uint64_t light, uint64_t questions,
                  uint64_t fallbacks)
{
    struct hk_line line;
    /* start-up and the last turn: a few counts either way */
    uint64_t wanted = light * c->ratio, slack = wanted / 20 + 5;
    bool good = heavy >= c->turns && light >= c->turns && heavy <= wanted + slack &&
                wanted <= heavy + slack && c->falls_back == (fallbacks > 0);

    hk_line_begin(&line, good ? "log" : "fail");
    hk_line_text(&line, c->name);
    hk_line_field(&line, "heavy", heavy);
    hk_line_field(&line, "light", light);
    hk_line_field(&line, "questions", questions);
    hk_line_field(&line, "fallbacks", fallbacks);
    hk_line_end(&line);
    return good;
}

static uint64_t statistic(enum hk_statistic which)
{
    return (uint64_t)hk_syscall(HK_SYS_statistic, which, 0, 0);
}

static bool run_case(const struct policy_case *c, uint64_t shm)
{
    volatile uint64_t *counters = (volatile uint64_t *)HK_WORKER_PAGE;
    uint64_t questions = statistic(HK_STATISTIC_POLICY_QUESTIONS);
    uint64_t fallbacks = statistic(HK_STATISTIC_POLICY_FALLBACKS);
    uint64_t until_ns;
    int64_t server, heavy, light;
    bool good;

    counters[0] = counters[1] = 0;
    (void)hk_syscall(HK_SYS_policy_select, HK_POLICY_SERVER, 0, 0);
    server = start("policy", c->mode, true, shm);
    (void)hk_syscall0(HK_SYS_yield); /* it comes to where it serves */
    heavy = start("worker", hk_worker_argument(0, 0, HEAVY), false, shm);
    light = start("worker", hk_worker_argument(0, 1, LIGHT), false, shm);
    good = server >= 0 && heavy >= 0 && light >= 0;
    until_ns = (uint64_t)hk_syscall0(HK_SYS_clock) + RUN_NS;
    if (good)
        (void)hk_syscall(HK_SYS_sleep, until_ns, 0, 0);
    stop(heavy);
    stop(light);
    stop(server);
    (void)hk_syscall(HK_SYS_policy_select, HK_POLICY_ROUND_ROBIN, 0, 0);
    return good && judge(c, counters[0], counters[1],
                         statistic(HK_STATISTIC_POLICY_QUESTIONS) - questions,
                         statistic(HK_STATISTIC_POLICY_FALLBACKS) - fallbacks);
}

int hk_scenario_policy(uint64_t *ipc_page)
{
    int64_t shm = hk_syscall(HK_SYS_shm_create, 1, 0, 0);
    bool good;

    (void)ipc_page;
    good = shm >= 0 && hk_syscall(HK_SYS_shm_map, (uint64_t)shm, HK_WORKER_PAGE,
                                  HK_MAP_READ | HK_MAP_WRITE) == HK_OK;
    if (!good) {
        hk_say("fail", "no shared page for the workers");
        return 1;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++)
        good &= run_case(&cases[i], (uint64_t)shm);
    return good ? 0 : 1;
}
