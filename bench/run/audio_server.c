/* SPDX-License-Identifier: MIT */
/*
 * A period of somebody else's audio server: when it calls a client back, and what one client more
 * in its graph costs. The server is the launch's own, with a device that only keeps time; it and
 * the clients beyond the first are processes of the measuring one and die with it. What they
 * leave in /dev/shm only they see.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audio_server.h"
#include "experiments.h"
#include "hk/base/units.h"
#include "hk/machine/probe.h"
#include "hk/path/shm.h"

enum { PERIOD_FRAMES_MIN = 16, PERIOD_FRAMES_MAX = 4096, PERIODS_MIN = 64, PATH_BYTES = 4096 };

static const uint64_t join_ns = 8 * HK_NS_PER_S; /* until the server must have let everybody in */
static const struct timespec tick = {0, 5 * HK_NS_PER_MS};

static const struct hk_audio_server *const servers[] = {&hk_audio_server_jack,
                                                        &hk_audio_server_pipewire};
static const unsigned period_frames[] = {64, 256};
static const unsigned client_counts[] = {1, HK_AUDIO_CLIENTS_MAX};

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    if (mode != HK_RUN_FULL)
        return HK_OK;
    for (size_t s = 0; s < HK_ARRAY_COUNT(servers); s++)
        for (size_t p = 0; p < HK_ARRAY_COUNT(period_frames); p++)
            for (size_t c = 0; c < HK_ARRAY_COUNT(client_counts) && status == HK_OK; c++)
                status = add(context, "native/audio_server/%s/period_frames:%u/clients:%u",
                             servers[s]->name, period_frames[p], client_counts[c]);
    return status;
}

bool hk_audio_load(const char *library, const struct hk_audio_symbol *symbols, size_t count)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

    for (size_t i = 0; i < count && handle != NULL; i++) {
        void *address = dlsym(handle, symbols[i].name);
        if (address == NULL)
            return false;
        memcpy(symbols[i].pointer, &address, sizeof address);
    }
    return handle != NULL; /* it stays for the life of the process */
}

struct session {
    const struct hk_audio_server *server;
    struct hk_audio_graph *graph;
    uint64_t length_ns;
    char program[PATH_BYTES];
    /* In the measuring process: the server, then the clients beyond the first; 0: not started. */
    pid_t pids[HK_AUDIO_CLIENTS_MAX];
};

static enum hk_status find_server(struct hk_task *task, struct session *s)
{
    char name[24];

    if (hk_name_part(task->name, 2, name, sizeof name) == HK_OK)
        for (size_t i = 0; i < HK_ARRAY_COUNT(servers); i++)
            if (strcmp(servers[i]->name, name) == 0)
                s->server = servers[i];
    if (s->server == NULL)
        return hk_task_refuse(task, HK_ENOENT, "no such audio server; hkbench list --full shows "
                              "them");
    if (s->server->missing != NULL)
        return hk_task_refuse(task, HK_ENOTSUP, "%s", s->server->missing);
    if (!hk_program_find(s->server->program, getenv("PATH"), s->program, sizeof s->program))
        return hk_task_refuse(task, HK_ENOTSUP, "there is no %s; install Debian's package %s",
                              s->server->program, s->server->package);
    if (!s->server->load())
        return hk_task_refuse(task, HK_ENOTSUP, "the client's library of %s cannot be loaded; "
                              "install Debian's package %s again",
                              s->server->program, s->server->package);
    return HK_OK;
}

static enum hk_status open_task(struct hk_task *task)
{
    struct session *s = calloc(1, sizeof *s);
    const int64_t frames = hk_task_int(task, "period_frames", 0);
    const int64_t clients = hk_task_int(task, "clients", 1);

    if (s == NULL)
        return HK_ENOMEM;
    task->state = s;
    if (frames < PERIOD_FRAMES_MIN || frames > PERIOD_FRAMES_MAX || (frames & (frames - 1)) != 0 ||
        clients < 1 || clients > HK_AUDIO_CLIENTS_MAX)
        return hk_task_refuse(task, HK_EINVAL, "period_frames:%d to %d, a power of two, and "
                              "clients:1 to %d are needed", PERIOD_FRAMES_MIN, PERIOD_FRAMES_MAX,
                              HK_AUDIO_CLIENTS_MAX);
    const enum hk_status status = find_server(task, s);
    if (status != HK_OK)
        return status;
    task->cpus[0] = task->cpus[1] = hk_nth_cpu(0); /* of server and clients too: they inherit it */
    s->length_ns = (uint64_t)frames * PERIODS_MIN * HK_NS_PER_S / HK_AUDIO_RATE_HZ;
    if (s->length_ns < task->effort.sporadic_ns)
        s->length_ns = task->effort.sporadic_ns;
    s->graph = hk_audio_graph_create((size_t)clients, (uint32_t)frames, s->length_ns);
    if (s->graph == NULL)
        return HK_ENOMEM;
    s->graph->tells_xruns = s->server->tells_xruns;
    return HK_OK;
}

static void close_task(struct hk_task *task)
{
    struct session *s = task->state;

    if (s == NULL)
        return;
    hk_audio_graph_destroy(s->graph);
    free(s);
    task->state = NULL;
}

/* --- processes ------------------------------------------------------------------------------ */

/* 0 in the child, which dies with us; -1 when there is none. */
static pid_t fork_dependent(void)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    return 0;
}

_Noreturn static void be_server(const struct session *s)
{
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0)
        s->server->become(s->program, s->graph);
    _exit(127);
}

/* HK_EPEER with the reason when the server or a client has ended. */
static enum hk_status look_after(struct hk_task *task, struct session *s)
{
    int state;

    for (size_t i = 0; i < s->graph->client_count; i++) {
        if (waitpid(s->pids[i], &state, WNOHANG) != s->pids[i])
            continue;
        s->pids[i] = 0;
        if (i > 0)
            return hk_task_refuse(task, HK_EPEER, "client %zu of %s has ended", i,
                                  s->server->program);
        return hk_task_refuse(task, HK_EPEER, "%s ended by %s %d while it was needed",
                              s->server->program, WIFSIGNALED(state) ? "signal" : "itself with",
                              WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state));
    }
    return HK_OK;
}

/* The one before it in the queue at the server's door: the measuring process comes last. */
static bool is_turn(const struct hk_audio_graph *graph, size_t client)
{
    const size_t before = client > 0 ? client - 1 : graph->client_count - 1;

    return before == 0 || atomic_load(&graph->clients[before].joined);
}

/*
 * Joins when it is its turn (libjack's database does not stand several who open it at once), and
 * tries again while the server is not up yet; it is looked after in the measuring process.
 */
static enum hk_status join_until(struct session *s, size_t client, uint64_t end_ns,
                                 struct hk_task *watching, void **joined)
{
    enum hk_status status = HK_EPEER;

    while (status == HK_EPEER && hk_monotonic_ns() < end_ns) {
        if (watching != NULL && look_after(watching, s) != HK_OK)
            return HK_EPEER;
        if (is_turn(s->graph, client))
            status = s->server->join(s->graph, client, joined);
        if (status == HK_EPEER)
            nanosleep(&tick, NULL);
    }
    atomic_store(&s->graph->clients[client].joined, status == HK_OK);
    return status;
}

_Noreturn static void be_client(struct session *s, size_t client, uint64_t end_ns)
{
    void *joined;

    if (join_until(s, client, end_ns, NULL, &joined) != HK_OK)
        _exit(1);
    for (;;)
        pause(); /* its callbacks have a thread of their own */
}

/* The server, and clients beyond the first: before the library has started threads in here. */
static enum hk_status start(struct session *s, uint64_t end_ns)
{
    for (size_t i = 0; i < s->graph->client_count; i++) {
        s->pids[i] = fork_dependent();
        if (s->pids[i] < 0)
            return HK_ENOMEM;
        if (s->pids[i] == 0 && i == 0)
            be_server(s);
        if (s->pids[i] == 0)
            be_client(s, i, end_ns);
    }
    return HK_OK;
}

/* The numbers are in our memory: nobody needs to be asked to leave. */
static void end(struct session *s)
{
    for (size_t i = 0; i < HK_AUDIO_CLIENTS_MAX; i++)
        if (s->pids[i] > 0)
            kill(s->pids[i], SIGKILL);
    for (size_t i = 0; i < HK_AUDIO_CLIENTS_MAX; i++)
        while (s->pids[i] > 0 && waitpid(s->pids[i], NULL, 0) < 0 && errno == EINTR)
            ;
}

/* --- a session ------------------------------------------------------------------------------ */

static bool all_joined(const struct hk_audio_graph *graph)
{
    for (size_t c = 0; c < graph->client_count; c++)
        if (!atomic_load(&graph->clients[c].joined))
            return false;
    return true;
}

static enum hk_status await_all(struct hk_task *task, struct session *s, uint64_t end_ns)
{
    enum hk_status status = HK_OK;

    while (status == HK_OK && !all_joined(s->graph)) {
        if (hk_monotonic_ns() > end_ns)
            return hk_task_refuse(task, HK_ETIMEOUT, "%s did not let all clients in within %.0f s",
                                  s->server->program, (double)join_ns / 1e9);
        nanosleep(&tick, NULL);
        status = look_after(task, s);
    }
    return status;
}

static enum hk_status record(struct hk_task *task, struct session *s)
{
    const uint64_t end_ns = hk_monotonic_ns() + s->length_ns;
    enum hk_status status = HK_OK;

    atomic_store(&s->graph->recording, true);
    while (status == HK_OK && hk_monotonic_ns() < end_ns) {
        nanosleep(&tick, NULL);
        status = look_after(task, s);
    }
    atomic_store(&s->graph->recording, false);
    return status;
}

static enum hk_status join_all(struct hk_task *task, struct session *s)
{
    const uint64_t end_ns = hk_monotonic_ns() + join_ns;
    void *joined;

    enum hk_status status = start(s, end_ns);
    if (status == HK_OK)
        status = join_until(s, 0, end_ns, task, &joined);
    if (status == HK_OK || (status == HK_EPEER && task->reason[0] == '\0'))
        status = await_all(task, s, end_ns);
    return status == HK_OK ? s->server->link(s->graph, joined) : status;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    struct session *s = task->state;

    enum hk_status status = hk_shm_private(task->reason);
    if (status != HK_OK)
        return status;
    status = join_all(task, s);
    if (status == HK_OK)
        status = record(task, s);
    end(s);
    return status == HK_OK ? hk_audio_report(task, s->graph, launch) : status;
}

const struct hk_experiment hk_experiment_audio_server = {
    .kind = "audio_server",
    .summary = "somebody else's audio server: when it calls back, what one client more costs",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .measure = measure,
};
