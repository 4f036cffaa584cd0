/* SPDX-License-Identifier: MIT */
/* Scheduling by a server: its answers are followed, and what it does wrong is survived. */
#include "kernel/syscall.h"
#include "table.h"

#define AT HK_USER_BASE

enum { WORKERS = 3 };

struct world {
    struct hk_thread *server;
    struct hk_thread *workers[WORKERS];
};

/* Puts a ready thread on the CPU, as if it had been chosen. */
static void enter(struct hk_cpu *cpu, struct hk_thread *thread)
{
    hk_sched_remove(cpu, thread);
    thread->state = HK_THREAD_RUNNING;
    cpu->current = thread;
}

static uint64_t name_of(const struct hk_thread *thread)
{
    return (uint64_t)thread->process->pid << 32 | thread->number;
}

/* The server is on the CPU: it answers and waits for the next question; somebody runs then. */
static void serve(struct hk_test *test, uint64_t address, uint64_t answer)
{
    test->cpu->current->frame.rax =
        (uint64_t)hk_sys_policy_serve(test->cpu, address, 8, answer, 0, 0);
    hk_sched_exit(test->cpu);
}

/* Whoever is on the CPU gives its turn away. */
static const struct hk_thread *next_turn(struct hk_test *test)
{
    hk_sched_yield(test->cpu);
    hk_sched_exit(test->cpu);
    return test->cpu->current;
}

/* Three workers ready, the server waits in policy_serve with its buffer at address. */
static bool begin(struct hk_test *test, struct world *world, uint64_t address)
{
    struct hk_cpu *cpu = test->cpu;

    world->server = hk_test_thread(test, "policy");
    for (size_t i = 0; i < WORKERS; i++)
        world->workers[i] = hk_test_thread(test, "worker");
    if (test->failed != NULL)
        return false;
    world->server->process->caps[HK_HANDLE_SELF].rights |= HK_RIGHT_SYSTEM;
    if (hk_sched_select(cpu, HK_POLICY_SERVER) != HK_OK)
        return false;
    enter(cpu, world->server);
    serve(test, address, HK_POLICY_ANSWER_NONE);
    return true;
}

static void end(struct hk_test *test)
{
    (void)hk_sched_select(test->cpu, HK_POLICY_ROUND_ROBIN);
    while (test->cpu->kernel->processes != NULL)
        hk_process_end(test->cpu, test->cpu->kernel->processes, HK_EXIT_KILLED, 0);
    hk_sched_exit(test->cpu);
}

static void answers_are_followed(struct hk_test *test)
{
    static const uint32_t wishes[] = { 2, 2, 0, 1, 2, 0, 0 };
    struct hk_cpu *cpu = test->cpu;
    uint64_t fallbacks = cpu->advice.fallback_count;
    struct world world;

    HK_EXPECT(test, begin(test, &world, AT));
    for (size_t i = 0; i < HK_ARRAY_COUNT(wishes); i++) {
        struct hk_policy_candidate candidates[WORKERS];
        const struct hk_thread *wish = world.workers[wishes[i]];

        /* three are ready: the server was asked and is on the CPU */
        HK_EXPECT(test, cpu->current == world.server);
        HK_EXPECT(test, hk_test_result(world.server) == WORKERS);
        HK_EXPECT(test, hk_space_read(cpu->kernel, &world.server->process->space, AT, candidates,
                                      sizeof(candidates)) == HK_OK);
        for (size_t j = 0; j < WORKERS; j++)
            HK_EXPECT(test, candidates[j].thread != name_of(world.server) &&
                                candidates[j].priority == HK_PRIORITY_DEFAULT);
        serve(test, AT, name_of(wish));
        HK_EXPECT(test, cpu->current == wish);
        (void)next_turn(test);
    }
    HK_EXPECT(test, cpu->advice.fallback_count == fallbacks);
    end(test);
}

static void bad_answers_fall_back(struct hk_test *test)
{
    struct hk_cpu *cpu = test->cpu;
    uint64_t fallbacks = cpu->advice.fallback_count;
    struct world world;

    HK_EXPECT(test, begin(test, &world, AT));
    for (uint32_t i = 0; i < HK_POLICY_FALLBACKS_MAX; i++) {
        HK_EXPECT(test, cpu->current == world.server);
        serve(test, AT, i % 2 == 0 ? name_of(world.server) : UINT64_MAX);
        /* round robin has chosen */
        HK_EXPECT(test, cpu->current == world.workers[i % WORKERS]);
        HK_EXPECT(test, cpu->advice.fallback_count == fallbacks + i + 1);
        (void)next_turn(test);
    }
    /* it is dismissed: told so, and not asked any more */
    HK_EXPECT(test, cpu->policy == &hk_policies[HK_POLICY_ROUND_ROBIN]);
    HK_EXPECT(test, hk_test_result(world.server) == HK_EPERM);
    HK_EXPECT(test, world.server->state == HK_THREAD_READY);
    HK_EXPECT(test, cpu->advice.server == NULL);
    end(test);
}

static void a_server_that_does_not_answer_is_dismissed(struct hk_test *test)
{
    struct hk_cpu *cpu = test->cpu;
    struct world world;

    HK_EXPECT(test, begin(test, &world, AT));
    HK_EXPECT(test, cpu->current == world.server);
    HK_EXPECT(test, cpu->slice.armed);
    HK_EXPECT(test, cpu->slice.at_ns - hk_port_clock_ns(cpu) <= HK_POLICY_ANSWER_NS);
    /* its time to answer is over: that is a turn given away like any other */
    HK_EXPECT(test, next_turn(test) == world.workers[0]);
    for (uint32_t i = 1; i < HK_POLICY_FALLBACKS_MAX; i++) {
        HK_EXPECT(test, cpu->policy == &hk_policies[HK_POLICY_SERVER]);
        (void)next_turn(test);
    }
    HK_EXPECT(test, cpu->policy == &hk_policies[HK_POLICY_ROUND_ROBIN]);
    end(test);
}

static void a_server_that_dies_leaves_round_robin(struct hk_test *test)
{
    struct hk_cpu *cpu = test->cpu;
    struct world world;

    HK_EXPECT(test, begin(test, &world, AT));
    HK_EXPECT(test, cpu->current == world.server);
    hk_process_end(cpu, world.server->process, HK_EXIT_DIVIDE, 0);
    hk_sched_exit(cpu);
    HK_EXPECT(test, cpu->policy == &hk_policies[HK_POLICY_ROUND_ROBIN]);
    HK_EXPECT(test, cpu->current == world.workers[0]);
    HK_EXPECT(test, next_turn(test) == world.workers[1]);
    end(test);
}

static void a_bad_buffer_falls_back(struct hk_test *test)
{
    struct hk_cpu *cpu = test->cpu;
    struct world world;

    HK_EXPECT(test, begin(test, &world, 0x1000));
    HK_EXPECT(test, cpu->current == world.workers[0]);
    HK_EXPECT(test, hk_test_result(world.server) == HK_EFAULT);
    end(test);
}

static void only_one_may_serve(struct hk_test *test)
{
    struct hk_cpu *cpu = test->cpu;
    struct world world;

    HK_EXPECT(test, begin(test, &world, AT));
    serve(test, AT, name_of(world.workers[1]));
    HK_EXPECT(test, cpu->current == world.workers[1]);
    HK_EXPECT(test, hk_sys_policy_serve(cpu, AT, 8, 0, 0, 0) == HK_ERIGHT);
    world.workers[1]->process->caps[HK_HANDLE_SELF].rights |= HK_RIGHT_SYSTEM;
    HK_EXPECT(test, hk_sys_policy_serve(cpu, AT, 8, 0, 0, 0) == HK_EBUSY);
    HK_EXPECT(test, hk_sys_policy_serve(cpu, AT, 0, 0, 0, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_sys_policy_serve(cpu, AT, HK_POLICY_CANDIDATES_MAX + 1, 0, 0, 0) ==
                        HK_EINVAL);
    end(test);
}

const struct hk_test_row hk_test_policy[] = {
    { "policy server: answers are followed", answers_are_followed },
    { "policy server: bad answers fall back", bad_answers_fall_back },
    { "policy server: no answer, dismissed", a_server_that_does_not_answer_is_dismissed },
    { "policy server: dies, round robin stays", a_server_that_dies_leaves_round_robin },
    { "policy server: a bad buffer falls back", a_bad_buffer_falls_back },
    { "policy server: only one may serve", only_one_may_serve },
    { NULL, NULL },
};
