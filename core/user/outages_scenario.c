/* SPDX-License-Identifier: MIT */
/*
 * Servers that are killed, hang, write over their own stack, answer nonsense or damage what
 * outlives them from moments on that are drawn from a seed, while a client works. The client
 * gets a status in bounded time, the supervisor starts another server, and what had been
 * acknowledged is still there. A `value` line for each service and fault records how long each was out.
 */
#include "user/client.h"
#include "user/compose.h"
#include "user/scenario.h"

#define WATCH_NS (HK_NS_PER_MS / 2)      /* how often the supervisor looks */
#define ANSWER_NS (HK_NS_PER_MS / 2)     /* how long a server may take to answer it */
#define STEADY_ANSWERS 20                /* of the new server, before the round is over */
#define PAUSE_NS (HK_NS_PER_MS / 10)     /* of a client, before it asks again who talks nonsense */
#define ROUND_NS_MAX (100 * HK_NS_PER_MS)
#define WORKER_STACK 0x0000500000000000  /* of the client's thread */
#define WORKER_STACK_PAGES 4
#define SUPERVISOR_PRIORITY 25           /* above servers: a server that loops must not stop it */
#define WORKER_PRIORITY 5
/*
 * The longest a call may take: the next look, an answer that does not come, the new server's
 * start.
 */
#define BOUND_NS (WATCH_NS + ANSWER_NS + 2 * HK_NS_PER_MS)

enum fault { KILLED, HANGS, CORRUPTS, GARBLES, DAMAGES, FAULTS };

static const struct {
    const char *name;
    enum hk_server_fault fault; /* of the server; a good one is killed */
    uint64_t rounds;            /* of each service */
} faults[FAULTS] = {
    [KILLED] = { "killed", HK_SERVER_FAULTS, 3 },
    [HANGS] = { "hangs", HK_SERVER_HANGS, 3 },
    [CORRUPTS] = { "corrupts", HK_SERVER_CORRUPTS, 3 },
    [GARBLES] = { "garbles", HK_SERVER_GARBLES, 3 },
    [DAMAGES] = { "damages", HK_SERVER_DAMAGES, 24 }, /* of services with two copies */
};

/* The client's thread works on this; the supervisor reads it. */
struct worker {
    struct hk_client client;
    enum hk_service_number service;
    volatile bool stop, stopped;
    volatile bool doubtful;    /* a server that answers nonsense may be at work */
    volatile uint64_t answers; /* acknowledged steps so far */
    volatile uint64_t errors;
    volatile uint64_t wrong;      /* answers that were no errors, and not true */
    volatile uint64_t lost;       /* acknowledged, and not there */
    volatile uint64_t call_ns_max;
    volatile uint64_t outage_ns_max; /* from the last answer before an error to the next one */
    bool out; /* since an error */
    uint64_t file, job;
};

static uint64_t now_ns(void)
{
    return (uint64_t)hk_syscall0(HK_SYS_clock);
}

static enum hk_status call(struct worker *w, uint64_t words,
                           uint64_t word[HK_MESSAGE_REGISTER_WORDS])
{
    return hk_client_call(&w->client, w->service, words, word);
}

static void fill(struct worker *w, uint64_t step)
{
    for (uint64_t i = 0; i < HK_MESSAGE_BUFFER_WORDS; i++)
        w->client.buffer[i] = step * 2385 + i;
}

static bool filled(const struct worker *w, uint64_t step, uint64_t words)
{
    for (uint64_t i = 0; i < words; i++)
        if (w->client.buffer[i] != step * 2385 + i)
            return false;
    return true;
}

/* --- a step, and what must be there of the last one that was acknowledged -------------- */

/*
 * A step is asked for again when it failed, so one that had been done before its server died is
 * done twice; a step that a check finds from the future is that one.
 */

/* Of a check: the server died meanwhile, or it found what it must, or not. */
static enum hk_status judge(enum hk_status status, bool found)
{
    if (status == HK_EPEER)
        return status;
    return status == HK_OK && found ? HK_OK : HK_EROW;
}

/* Step n goes to place n % 8 of a file, or to block n % 64. */
static enum hk_status file_step(struct worker *w, uint64_t step)
{
    struct hk_file_facts facts;
    enum hk_status status;

    if (w->file == 0) {
        status = hk_client_create(&w->client, "log", HK_FILE_PLAIN, &facts);
        if (status == HK_EEXIST)
            status = hk_client_find(&w->client, "log", &facts);
        if (status != HK_OK)
            return status;
        w->file = facts.file;
    }
    fill(w, step);
    return hk_client_write(&w->client, w->file, step % 8 * 4000, 4000);
}

static enum hk_status file_holds(struct worker *w, uint64_t step)
{
    uint64_t got = 0;
    enum hk_status status = hk_client_read(&w->client, w->file, step % 8 * 4000, 4000, &got);

    return judge(status, got == 4000 && filled(w, step, 500));
}

static enum hk_status block_step(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_WRITE, step % 64 };

    fill(w, step);
    return call(w, hk_service_payload_words(HK_BLOCK_BYTES), word);
}

static enum hk_status block_holds(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_READ, step % 64 };
    enum hk_status status = call(w, 2, word);

    return judge(status, filled(w, step, HK_MESSAGE_BUFFER_WORDS));
}

#define PORT 4711u

/* A datagram to ourselves. What was lost on the way before it was acknowledged is not missed. */
static enum hk_status net_step(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_BIND, PORT };
    enum hk_status status = step == 0 ? call(w, 3, word) : HK_OK;

    if (status != HK_OK && status != HK_EBUSY)
        return status;
    for (;;) { /* what is there of earlier, failed steps */
        word[0] = HK_NET_RECEIVE, word[1] = PORT;
        status = call(w, 2, word);
        if (status == HK_EEMPTY)
            break;
        if (status != HK_OK)
            return status;
    }
    fill(w, step);
    word[0] = HK_NET_SEND, word[1] = PORT, word[2] = 0x7f000001, word[3] = PORT, word[4] = 1000;
    return call(w, hk_service_payload_words(1000), word);
}

static enum hk_status net_holds(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_RECEIVE, PORT };
    enum hk_status status = call(w, 2, word);

    return judge(status, word[1] == 1000 && filled(w, step, 125));
}

static enum hk_status audio_step(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { step == 0 ? HK_AUDIO_START : HK_AUDIO_STATUS,
                                                 100000, 2 };

    return call(w, 3, word);
}

/* It goes on in time, whatever happened: periods and underruns together are the time that passed. */
static enum hk_status audio_holds(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_STATUS };
    enum hk_status status = call(w, 1, word);

    (void)step;
    return judge(status, word[1] + word[2] > 0);
}

#define ALARM_NS_MAX HK_NS_PER_MS /* from one time that it goes off to the next */

/* One periodic alarm, which must go on. */
static enum hk_status timer_step(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_TIMER_SET, now_ns() + 50000, 50000, 1 };

    if (step > 0)
        word[0] = HK_TIMER_STATUS;
    return call(w, 4, word);
}

/* It is set, and goes off again. */
static enum hk_status timer_holds(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_TIMER_STATUS };
    enum hk_status status = call(w, 1, word);
    const uint64_t gone_off = word[2], start_ns = now_ns();

    (void)step;
    while (status == HK_OK && word[2] == gone_off && now_ns() - start_ns < ALARM_NS_MAX) {
        word[0] = HK_TIMER_STATUS;
        status = call(w, 1, word);
    }
    return judge(status, word[1] >= 1 && word[2] > gone_off);
}

static enum hk_status display_step(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_DISPLAY_FILL, step % 100, 8 | 8ull << 32,
                                                 step * 7 };

    return call(w, 4, word);
}

static enum hk_status display_holds(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_DISPLAY_READ, step % 100, 1 };
    enum hk_status status = call(w, 3, word);

    return judge(status, (uint32_t)w->client.buffer[0] == (uint32_t)(step * 7));
}

/* A job of one page; the printer must come to its end. */
static enum hk_status print_step(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_PRINT_OPEN };
    enum hk_status status = call(w, 2, word);

    if (status == HK_EBUSY) { /* all places taken by failed steps: begin again */
        word[0] = HK_PRINT_CANCEL, word[1] = HK_PRINT_UNCLOSED;
        (void)call(w, 2, word);
        return HK_EPEER;
    }
    if (status != HK_OK)
        return status;
    w->job = word[1];
    fill(w, step);
    word[0] = HK_PRINT_DATA, word[1] = w->job, word[2] = 0, word[3] = HK_PAGE_BYTES;
    status = call(w, hk_service_payload_words(HK_PAGE_BYTES), word);
    if (status != HK_OK)
        return status;
    word[0] = HK_PRINT_CLOSE, word[1] = w->job;
    return call(w, 2, word);
}

static enum hk_status print_holds(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_PRINT_STATUS, w->job };
    enum hk_status status = call(w, 2, word);

    (void)step;
    while (status == HK_OK && word[3] == HK_PRINT_WAITING) {
        word[0] = HK_PRINT_STATUS, word[1] = w->job;
        status = call(w, 2, word);
    }
    return judge(status, word[3] == HK_PRINT_DONE && word[1] == HK_PAGE_BYTES);
}

/* A range held, another taken and given back. */
static enum hk_status memory_step(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_MEMORY_RESERVE, 1 };
    enum hk_status status;

    (void)step;
    if (w->file == 0) {
        status = call(w, 2, word);
        if (status != HK_OK)
            return status;
        w->file = word[1];
    }
    word[0] = HK_MEMORY_RESERVE, word[1] = 2;
    status = call(w, 2, word);
    word[0] = HK_MEMORY_RELEASE;
    return status == HK_OK ? call(w, 2, word) : status;
}

/* The range that is held cannot be given to anybody else. */
static enum hk_status memory_holds(struct worker *w, uint64_t step)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_MEMORY_RESERVE, 1 };
    enum hk_status status = call(w, 2, word);
    bool other = word[1] != w->file;

    (void)step;
    word[0] = HK_MEMORY_RELEASE;
    if (status == HK_OK)
        (void)call(w, 2, word);
    return judge(status, other);
}

static const struct {
    enum hk_status (*step)(struct worker *w, uint64_t step);
    enum hk_status (*holds)(struct worker *w, uint64_t step); /* HK_EROW: lost */
    uint64_t kept; /* so many steps are there at a time, the last one among them */
    uint64_t status_request, found_word; /* of what a successor found damaged */
} work[HK_SERVICES] = {
    [HK_SERVICE_FILE] = { file_step, file_holds, 8, HK_FILE_STATUS, 1 },
    [HK_SERVICE_NET] = { net_step, net_holds, 1 },
    [HK_SERVICE_BLOCK] = { block_step, block_holds, 64, HK_BLOCK_STATUS, 5 },
    [HK_SERVICE_AUDIO] = { audio_step, audio_holds, 1 },
    [HK_SERVICE_TIMER] = { timer_step, timer_holds, 1, HK_TIMER_STATUS, 4 },
    [HK_SERVICE_DISPLAY] = { display_step, display_holds, 1 },
    [HK_SERVICE_PRINT] = { print_step, print_holds, 1, HK_PRINT_FOUND, 1 },
    [HK_SERVICE_MEMORY] = { memory_step, memory_holds, 1, HK_MEMORY_STATUS, 1 },
};

/* --- the client's thread ---------------------------------------------------------------- */

/* What a step or a check came to, and how long it took. */
static void note(struct worker *w, uint64_t start_ns, enum hk_status status, uint64_t *answered_ns)
{
    uint64_t end_ns = now_ns();

    if (end_ns - start_ns > w->call_ns_max)
        w->call_ns_max = end_ns - start_ns;
    if (status == HK_OK) {
        if (w->out && end_ns - *answered_ns > w->outage_ns_max)
            w->outage_ns_max = end_ns - *answered_ns;
        *answered_ns = end_ns;
    } else {
        w->errors++;
    }
    w->out = status != HK_OK;
}

/* Whether what was acknowledged of a step is there; of nonsense nothing follows. */
static bool check(struct worker *w, uint64_t step, uint64_t *answered_ns)
{
    const bool doubtful = w->doubtful;
    uint64_t start_ns = now_ns();
    enum hk_status status = work[w->service].holds(w, step);

    note(w, start_ns, status, answered_ns);
    w->wrong += doubtful && status == HK_EROW;
    w->lost += !doubtful && status == HK_EROW;
    return status == HK_OK || !doubtful;
}

/* Steps and checks for ever; a step that failed, or whose check says nothing, is made again. */
static void work_on(struct worker *w)
{
    uint64_t answered_ns = now_ns();

    (void)hk_syscall(HK_SYS_thread_policy, HK_HANDLE_SELF, WORKER_PRIORITY, 0);
    while (!w->stop) {
        const bool was_out = w->out, doubtful = w->doubtful;
        uint64_t start_ns = now_ns(), before = 1;
        enum hk_status status = work[w->service].step(w, w->answers);

        note(w, start_ns, status, &answered_ns);
        if (status != HK_OK || !check(w, w->answers, &answered_ns)) {
            if (doubtful)
                (void)hk_syscall(HK_SYS_sleep, now_ns() + PAUSE_NS, 0, 0);
            continue;
        }
        w->answers++;
        while (was_out && before < work[w->service].kept && before < w->answers)
            (void)check(w, w->answers - 1 - before++, &answered_ns);
    }
    hk_client_fini(&w->client);
    w->stopped = true;
    (void)hk_syscall0(HK_SYS_thread_exit);
}

/* Entry of the thread; its IPC page's address arrives in rsi as that of every thread. */
static void worker_main(struct worker *w, uint64_t *ipc_page)
{
    hk_client_init(&w->client, ipc_page);
    work_on(w);
}

/* --- the supervisor --------------------------------------------------------------------- */

struct outage {
    struct hk_composition composition;
    uint64_t random;
    uint64_t restored, lost_pages; /* that successors found, of one service and fault */
};

static uint64_t choose(struct outage *o, uint64_t count)
{
    o->random = o->random * 6364136223846793005 + 1442695040888963407; /* Knuth's MMIX */
    return (o->random >> 33) % count;
}

static void sleep_ns(uint64_t ns)
{
    (void)hk_syscall(HK_SYS_sleep, now_ns() + ns, 0, 0);
}

/*
 * Whether a server answers as it must; one that is gone or says nothing in time does not. To
 * what no service knows there is one true answer: an error, and the rest as it was asked.
 */
static bool answers(const struct hk_server *server)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { UINT64_MAX, UINT64_MAX };
    uint64_t handle = server->endpoint;
    int64_t words = hk_user_ipc(HK_IPC_CALL_ANY + 2, &handle, word);
    int64_t status = (int64_t)word[0];

    return words == HK_SERVICE_REPLY_WORDS && (status == HK_ENOSYS || status == HK_ENOENT) &&
           word[1] == UINT64_MAX;
}

/* Put a server that fails in the place of a good one. */
static enum hk_status start_failing(struct outage *o, enum hk_service_number service,
                                    enum fault fault)
{
    uint64_t after = 20 + choose(o, 200);

    hk_server_stop(&o->composition.server[service]);
    return hk_compose_server(&o->composition, service, faults[fault].fault, after);
}

/* Look until the server has failed and another answers steadily. */
static bool watch(struct outage *o, const struct worker *w, enum fault fault)
{
    struct hk_server *server = &o->composition.server[w->service];
    uint64_t start_ns = now_ns();

    if (fault == KILLED) {
        sleep_ns(HK_NS_PER_MS / 4 + choose(o, HK_NS_PER_MS / 4)); /* any instruction of that time */
        (void)hk_syscall(HK_SYS_process_kill, server->process, 0, 0);
    }
    while (answers(server)) {
        sleep_ns(WATCH_NS);
        if (now_ns() - start_ns > ROUND_NS_MAX)
            return false;
    }
    hk_server_stop(server);
    return hk_compose_server(&o->composition, w->service, HK_SERVER_HANGS, 0) == HK_OK;
}

/* What the new server, which answers by now, found damaged when it started. */
static void note_found(struct outage *o, const struct worker *w)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { work[w->service].status_request };
    uint64_t handle = o->composition.server[w->service].endpoint;
    const uint64_t *found = &word[work[w->service].found_word];
    struct hk_line line;

    if (!hk_services[w->service].two_copies ||
        hk_user_ipc(HK_IPC_CALL_ANY + 1, &handle, word) < 0 || word[0] != HK_OK)
        return;
    o->restored += found[0];
    o->lost_pages += found[1];
    if (found[0] + found[1] == 0)
        return;
    hk_line_begin(&line, "log");
    hk_line_text(&line, hk_services[w->service].name);
    hk_line_text(&line, ": damaged pages restored ");
    hk_line_number(&line, found[0]);
    hk_line_text(&line, ", lost ");
    hk_line_number(&line, found[1]);
    hk_line_end(&line);
}

static bool wait_for(const struct worker *w, uint64_t answers_wanted)
{
    uint64_t start_ns = now_ns();

    while (w->answers < answers_wanted && now_ns() - start_ns < ROUND_NS_MAX)
        sleep_ns(HK_NS_PER_MS / 10);
    return w->answers >= answers_wanted;
}

static bool run_round(struct outage *o, struct worker *w, enum fault fault)
{
    w->doubtful = fault == GARBLES;
    if ((fault != KILLED && start_failing(o, w->service, fault) != HK_OK) || !watch(o, w, fault))
        return false;
    w->doubtful = false;
    if (!wait_for(w, w->answers + (fault == DAMAGES ? work[w->service].kept : STEADY_ANSWERS)))
        return false;
    note_found(o, w);
    return true;
}

static bool run_rounds(struct outage *o, struct worker *w, enum fault fault)
{
    for (uint64_t round = 0; round < faults[fault].rounds; round++)
        if (!run_round(o, w, fault))
            return false;
    return true;
}

static void print_name(struct hk_line *line, const struct worker *w, enum fault fault)
{
    hk_line_text(line, "guest/outage/");
    hk_line_text(line, hk_services[w->service].name);
    hk_line_text(line, "/fault:");
    hk_line_text(line, faults[fault].name);
}

static bool report(const struct outage *o, const struct worker *w, enum fault fault, bool complete)
{
    /* one byte at a time: what is damaged has an intact copy */
    bool mended = o->lost_pages == 0 && (fault != DAMAGES || o->restored > 0);
    bool good = complete && mended && w->lost == 0 && w->call_ns_max < BOUND_NS && w->errors > 0;
    struct hk_line line;

    hk_line_begin(&line, "value");
    print_name(&line, w, fault);
    hk_line_field(&line, "faults", faults[fault].rounds);
    hk_line_field(&line, "errors", w->errors);
    hk_line_field(&line, "wrong", w->wrong);
    hk_line_field(&line, "lost", w->lost);
    hk_line_field(&line, "pages_restored", o->restored);
    hk_line_field(&line, "pages_lost", o->lost_pages);
    hk_line_field(&line, "call_ns_max", w->call_ns_max);
    hk_line_field(&line, "outage_ns_max", w->outage_ns_max);
    hk_line_end(&line);
    if (good)
        return true;
    hk_line_begin(&line, "fail");
    print_name(&line, w, fault);
    hk_line_text(&line, complete ? ": data lost, or damage not found, or a call without an end"
                                 : ": no server again");
    hk_line_end(&line);
    return false;
}

static bool suffer(struct outage *o, enum hk_service_number service, enum fault fault)
{
    struct worker w = { .service = service };
    int64_t thread = hk_syscall(HK_SYS_thread_create, (uint64_t)worker_main,
                                WORKER_STACK + WORKER_STACK_PAGES * HK_PAGE_BYTES - 8,
                                (uint64_t)&w);
    bool complete;

    if (thread < 0) {
        hk_say("fail", "no thread for the client");
        return false;
    }
    o->restored = o->lost_pages = 0;
    complete = run_rounds(o, &w, fault);
    w.stop = true;
    for (int i = 0; i < 1000 && !w.stopped; i++)
        sleep_ns(HK_NS_PER_MS / 10);
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)thread, 0, 0);
    return report(o, &w, fault, complete);
}

int hk_scenario_outages(uint64_t *ipc_page)
{
    struct outage o = { .random = 0 };
    char seed[24] = "";
    bool good = true;

    (void)ipc_page;
    (void)hk_boot_value("seed", seed, sizeof(seed));
    for (const char *at = seed; *at >= '0' && *at <= '9'; at++)
        o.random = o.random * 10 + (uint64_t)(*at - '0');
    (void)hk_syscall(HK_SYS_policy_select, HK_POLICY_PRIORITY, 0, 0);
    (void)hk_syscall(HK_SYS_thread_policy, HK_HANDLE_SELF, SUPERVISOR_PRIORITY, 0);
    (void)hk_syscall(HK_SYS_ipc_timeout, ANSWER_NS, 0, 0);
    if (hk_syscall(HK_SYS_page_map, WORKER_STACK, WORKER_STACK_PAGES,
                   HK_MAP_READ | HK_MAP_WRITE) != HK_OK ||
        hk_compose(&o.composition) != HK_OK) {
        hk_say("fail", "the services do not start");
        return 1;
    }
    for (uint32_t i = 0; i < HK_SERVICES; i++)
        for (uint32_t fault = 0; fault < FAULTS && !(o.composition.placement & 1u << i); fault++)
            if (fault != DAMAGES || hk_services[i].two_copies)
                good &= suffer(&o, (enum hk_service_number)i, (enum fault)fault);
    hk_compose_stop(&o.composition);
    return good ? 0 : 1;
}
