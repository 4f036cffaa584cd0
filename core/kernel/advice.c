/* SPDX-License-Identifier: MIT */
#include "kernel/advice.h"

#include "kernel/kernel.h"
#include "kernel/syscall.h"

static uint64_t name_of(const struct hk_thread *thread)
{
    return (uint64_t)thread->process->pid << 32 | thread->number;
}

static void dismiss(struct hk_cpu *cpu)
{
    struct hk_advice *advice = &cpu->advice;

    advice->server = NULL;
    advice->asked = advice->answered = false;
    advice->fallbacks_in_row = 0;
    if (cpu->policy->served)
        cpu->policy = &hk_policies[HK_POLICY_ROUND_ROBIN]; /* the run queue is the same */
    hk_wait_wake_all(cpu, &advice->idle, HK_EPERM);
}

void hk_advice_forget(struct hk_cpu *cpu, const struct hk_thread *thread)
{
    if (cpu->advice.server != thread)
        return;
    cpu->advice.fallback_count += cpu->advice.asked;
    dismiss(cpu);
}

/* The server failed to choose. */
static struct hk_thread *fall_back(struct hk_cpu *cpu)
{
    struct hk_advice *advice = &cpu->advice;

    advice->fallback_count++;
    if (++advice->fallbacks_in_row >= HK_POLICY_FALLBACKS_MAX)
        dismiss(cpu);
    return NULL;
}

/* The ready thread of this name, out of the run queue; NULL if there is none. */
static struct hk_thread *take_ready(struct hk_cpu *cpu, uint64_t name)
{
    for (size_t i = 0; i < HK_PRIORITY_COUNT; i++) {
        for (struct hk_thread *t = cpu->run.list[i].first; t != NULL; t = t->next) {
            if (name_of(t) != name)
                continue;
            hk_sched_remove(cpu, t);
            return t;
        }
    }
    return NULL;
}

/* Write the ready threads into the server's buffer. Returns how many, or a status. */
static hk_result write_candidates(struct hk_cpu *cpu)
{
    const struct hk_thread *server = cpu->advice.server;
    uint64_t capacity = server->wait.bytes;
    hk_result count = 0;

    for (size_t i = 0; i < HK_PRIORITY_COUNT; i++) {
        for (struct hk_thread *t = cpu->run.list[i].first; t != NULL; t = t->next) {
            struct hk_policy_candidate candidate = { name_of(t), t->budget->priority,
                                                     t->budget->period_ns,
                                                     t->budget->deadline_ns };
            uint64_t offset = (uint64_t)count * sizeof(candidate);
            enum hk_status status;

            if ((uint64_t)count == capacity)
                return count;
            status = hk_space_write(cpu->kernel, &server->process->space,
                                    server->wait.address + offset, &candidate, sizeof(candidate));
            if (status != HK_OK)
                return status;
            count++;
        }
    }
    return count;
}

/* Wake the server with a question; it runs next, on a turn as short as its time to answer. */
static struct hk_thread *ask(struct hk_cpu *cpu)
{
    struct hk_advice *advice = &cpu->advice;
    struct hk_thread *server = advice->server;
    hk_result count = write_candidates(cpu);

    hk_thread_wake(cpu, server, count);
    if (count < 0)
        return fall_back(cpu);
    hk_sched_remove(cpu, server);
    hk_deadline_disarm(cpu, &cpu->slice); /* its own time starts now */
    advice->asked = true;
    advice->question_count++;
    return server;
}

static struct hk_thread *pick(struct hk_cpu *cpu)
{
    struct hk_advice *advice = &cpu->advice;
    struct hk_thread *chosen;

    if (advice->server == NULL)
        return NULL;
    if (advice->asked) {
        chosen = advice->answered ? take_ready(cpu, advice->answer) : NULL;
        advice->asked = advice->answered = false;
        if (chosen == NULL)
            return fall_back(cpu);
        advice->fallbacks_in_row = 0;
        hk_deadline_disarm(cpu, &cpu->slice);
        return chosen;
    }
    if (cpu->run.count < 2)
        return NULL;
    return advice->idle.first != NULL ? ask(cpu) : fall_back(cpu);
}

struct hk_thread *hk_advice_pick(struct hk_cpu *cpu)
{
    struct hk_thread *chosen = pick(cpu);

    cpu->exit_work = 0; /* waking the server asked for the switch that is under way */
    return chosen;
}

/* policy_serve(candidates, capacity, answer) -> number of candidates */
hk_result hk_sys_policy_serve(struct hk_cpu *cpu, uint64_t address, uint64_t capacity,
                              uint64_t answer, uint64_t d, uint64_t e)
{
    struct hk_advice *advice = &cpu->advice;
    struct hk_thread *self = cpu->current;
    struct hk_object *process;
    enum hk_status status = hk_cap_find(self->process, HK_HANDLE_SELF, HK_OBJECT_PROCESS,
                                        HK_RIGHT_SYSTEM, &process);

    (void)d, (void)e;
    if (status != HK_OK)
        return status;
    if (capacity == 0 || capacity > HK_POLICY_CANDIDATES_MAX)
        return HK_EINVAL;
    if (advice->server != NULL && advice->server != self)
        return HK_EBUSY;
    advice->server = self;
    advice->answered = advice->asked;
    advice->answer = answer;
    self->own_budget.slice_ns = HK_POLICY_ANSWER_NS;
    self->wait.address = address;
    self->wait.bytes = capacity;
    hk_wait_block(cpu, &advice->idle, HK_TIMEOUT_NONE);
    return HK_OK;
}
