/* SPDX-License-Identifier: MIT */
/*
 * Round trips over every transport: the benchmark's thread is the client, the
 * server a process of its own (a thread where the transport says so) that
 * answers with what it was sent. Both are pinned as the row's place says.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gbench_rows.h"
#include "hk/base/units.h"
#include "hk/gbench/gbench.h"
#include "hk/transport/transport.h"

#define SERVER_END_MS 2000 /* an orderly end takes less than one */

static const struct place {
    const char *name;
    bool cross;
    uint32_t excluded; /* transports with these flags make no sense there */
} places[] = {
    {"same_core", false, HK_TRANSPORT_TWO_CPUS},
    {"cross_core", true, HK_TRANSPORT_LOCAL},
};

struct round_trip_row {
    const struct hk_transport *transport;
    const struct place *place;
    cpu_set_t allowed; /* of the client's thread, to be restored */
    int server_cpu;
    bool pinned;
    bool opened;
    bool attached;
    struct hk_link link;
    pid_t server;
    pthread_t thread;
    bool threaded; /* the thread runs */
    size_t bytes;
    unsigned char *request; /* own memory; the transport's own takes its place if it has some */
    unsigned char *reply;
    unsigned char *served;
};

#define PATTERN 0x5a

static void pin_to(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    /* Either CPU was in the mask a moment ago; if it is gone, the kernel's choice has to do. */
    (void)sched_setaffinity(0, sizeof set, &set);
}

/* ---- Server ---- */

static enum hk_status echo(void *context, void *buffer, size_t capacity, size_t request_bytes,
                           size_t *reply_bytes)
{
    (void)context, (void)buffer, (void)capacity;
    *reply_bytes = request_bytes;
    return HK_OK;
}

static enum hk_status serve(struct round_trip_row *row)
{
    enum hk_status status;
    void *memory;

    pin_to(row->server_cpu);
    status = hk_link_attach(&row->link, HK_SERVER);
    if (status != HK_OK) {
        return status;
    }
    memory = hk_link_message(&row->link, HK_SERVER);
    return hk_link_serve(&row->link, memory != NULL ? memory : row->served, row->bytes, echo, NULL);
}

static void *serve_in_thread(void *arg)
{
    (void)serve(arg);
    return NULL;
}

static enum hk_status start_server(struct round_trip_row *row)
{
    if ((row->transport->flags & HK_TRANSPORT_LOCAL) != 0) {
        row->link.inline_handler = echo;
        return HK_OK;
    }
    if ((row->transport->flags & HK_TRANSPORT_THREADS) != 0) {
        row->threaded = pthread_create(&row->thread, NULL, serve_in_thread, row) == 0;
        return row->threaded ? HK_OK : HK_ENOMEM;
    }
    row->server = fork();
    if (row->server < 0) {
        row->server = 0;
        return HK_ENOMEM;
    }
    if (row->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* no server outlives its client */
        const enum hk_status status = serve(row);
        hk_link_close(&row->link);
        _exit(status == HK_OK ? 0 : 1);
    }
    return HK_OK;
}

/* Waits for the server's orderly end; a server that does not come to it is killed. */
static void reap_server(struct round_trip_row *row)
{
    const struct timespec pause = {0, HK_NS_PER_MS};
    int waited_ms = 0;

    while (waitpid(row->server, NULL, WNOHANG) == 0) {
        if (waited_ms++ == SERVER_END_MS) {
            kill(row->server, SIGKILL);
        }
        nanosleep(&pause, NULL);
    }
    row->server = 0;
}

/* ---- Client ---- */

/* One number of a CPU's topology directory; -1 where the kernel does not tell. */
static long topology(int cpu, const char *file)
{
    char path[96];
    long value = -1;
    FILE *in;

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, file);
    in = fopen(path, "r");
    if (in == NULL) {
        return -1;
    }
    if (fscanf(in, "%ld", &value) != 1) {
        value = -1;
    }
    fclose(in);
    return value;
}

/* Hyperthreads of one core are neither the same CPU nor another core. */
static bool same_core(int a, int b)
{
    const long core = topology(a, "core_id");

    return a == b || (core >= 0 && core == topology(b, "core_id") &&
                      topology(a, "physical_package_id") == topology(b, "physical_package_id"));
}

/* The first allowed CPU that is on another core than cpu; -1 if there is none. */
static int other_core(const cpu_set_t *allowed, int cpu)
{
    for (int other = 0; other < CPU_SETSIZE; other++) {
        if (CPU_ISSET((size_t)other, allowed) && !same_core(cpu, other)) {
            return other;
        }
    }
    return -1;
}

/*
 * Chooses the CPUs, and pins the client to the first allowed one.
 *
 * Returns HK_OK; HK_ENOTSUP if the row's place does not exist here.
 */
static enum hk_status choose_cpus(struct round_trip_row *row, char reason[HK_REASON_BYTES])
{
    int client_cpu = 0;

    if (sched_getaffinity(0, sizeof row->allowed, &row->allowed) != 0) {
        snprintf(reason, HK_REASON_BYTES, "more CPUs than this program can name");
        return HK_ENOTSUP;
    }
    while (!CPU_ISSET((size_t)client_cpu, &row->allowed)) {
        client_cpu++;
    }
    row->server_cpu = row->place->cross ? other_core(&row->allowed, client_cpu) : client_cpu;
    if (row->server_cpu < 0) {
        snprintf(reason, HK_REASON_BYTES, "one core only: allow a second one (taskset, cpuset)");
        return HK_ENOTSUP;
    }
    pin_to(client_cpu);
    row->pinned = true;
    return HK_OK;
}

static enum hk_status open_link(struct round_trip_row *row)
{
    const struct hk_transport_options options = {.message_bytes = row->bytes};
    enum hk_status status;

    row->request = calloc(1, row->bytes);
    row->reply = calloc(1, row->bytes);
    row->served = calloc(1, row->bytes);
    if (row->request == NULL || row->reply == NULL || row->served == NULL) {
        return HK_ENOMEM;
    }
    status = hk_link_open(row->transport, &options, &row->link);
    if (status != HK_OK) {
        return status;
    }
    row->opened = true;
    status = start_server(row);
    if (status == HK_OK) {
        status = hk_link_attach(&row->link, HK_CLIENT);
    }
    row->attached = status == HK_OK;
    return status;
}

static void round_trip_setup(struct hk_gbench_state *state, void *arg)
{
    struct round_trip_row *row = arg;
    char reason[HK_REASON_BYTES] = "";
    enum hk_status status = hk_transport_probe(row->transport, reason);

    row->bytes = (size_t)hk_gbench_state_arg(state, 0);
    if (status == HK_OK) {
        status = choose_cpus(row, reason);
    }
    if (status == HK_OK) {
        status = open_link(row);
    }
    if (status == HK_ENOTSUP) {
        hk_gbench_state_skip(state, reason[0] != 0 ? reason : hk_status_text(status));
    } else if (status != HK_OK) {
        hk_gbench_state_fail(state, hk_status_text(status));
    }
}

static void round_trip_teardown(struct hk_gbench_state *state, void *arg)
{
    struct round_trip_row *row = arg;

    (void)state;
    if (row->attached && (row->server > 0 || row->threaded)) {
        (void)hk_link_finish(&row->link); /* a dead server is reaped all the same */
    }
    if (row->server > 0) {
        reap_server(row);
    }
    if (row->threaded) {
        pthread_join(row->thread, NULL);
        row->threaded = false;
    }
    if (row->opened) {
        hk_link_close(&row->link);
    }
    if (row->pinned) {
        (void)sched_setaffinity(0, sizeof row->allowed, &row->allowed);
    }
    free(row->request);
    free(row->reply);
    free(row->served);
    row->request = row->reply = row->served = NULL;
    row->opened = row->attached = row->pinned = false;
}

/* After the run: whether the last reply is what was sent. Local transports move nothing. */
static bool echoed(const struct round_trip_row *row, const unsigned char *reply, size_t reply_bytes)
{
    if ((row->transport->flags & HK_TRANSPORT_LOCAL) != 0) {
        return true;
    }
    for (size_t i = 0; i < row->bytes; i++) {
        if (reply[i] != PATTERN) {
            return false;
        }
    }
    return reply_bytes == row->bytes;
}

static void round_trip_run(struct hk_gbench_state *state, void *arg)
{
    struct round_trip_row *row = arg;
    unsigned char *memory = hk_link_message(&row->link, HK_CLIENT);
    unsigned char *request = memory != NULL ? memory : row->request;
    unsigned char *reply = memory != NULL ? memory : row->reply;
    const size_t bytes = row->bytes;
    size_t reply_bytes = 0;

    memset(request, PATTERN, bytes);
    HK_GBENCH_LOOP(state) {
        const enum hk_status status =
            hk_link_call(&row->link, request, bytes, reply, bytes, &reply_bytes);
        if (__builtin_expect(status != HK_OK, 0)) {
            hk_gbench_state_fail(state, hk_status_text(status));
            break;
        }
    }
    if (!hk_gbench_state_failed(state) && !echoed(row, reply, reply_bytes)) {
        hk_gbench_state_fail(state, "the reply is not what was sent");
    }
    if ((row->transport->flags & HK_TRANSPORT_LOCAL) != 0) {
        return; /* nothing moved, and a rate would say otherwise */
    }
    /* There and back. */
    hk_gbench_state_set_bytes(state, 2 * hk_gbench_state_iterations(state) * (int64_t)bytes);
}

/* ---- Registration ---- */

static int add_round_trip(struct round_trip_row *row)
{
    char name[128];
    struct hk_gbench *bench = NULL;
    int rc;

    snprintf(name, sizeof name, "native/round_trip/%s/place:%s", row->transport->name,
             row->place->name);
    rc = hk_gbench_register(name, round_trip_run, row, &bench);
    if (rc != HK_GBENCH_OK) {
        return rc;
    }
    rc = hk_suite_add_sizes(bench, row->transport->message_bytes_max);
    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_set_clock(bench, HK_GBENCH_CLOCK_REAL);
    }
    if (rc == HK_GBENCH_OK) {
        rc = hk_gbench_set_setup(bench, round_trip_setup, round_trip_teardown);
    }
    return rc;
}

static enum hk_status round_trip_add(void **context)
{
    const size_t place_count = HK_ARRAY_COUNT(places);
    const size_t row_count = hk_transport_count * place_count;
    struct round_trip_row *rows = calloc(row_count, sizeof *rows);
    int rc = HK_GBENCH_OK;

    if (rows == NULL) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < row_count && rc == HK_GBENCH_OK; i++) {
        rows[i].transport = hk_transports[i / place_count];
        rows[i].place = &places[i % place_count];
        if ((rows[i].transport->flags & rows[i].place->excluded) == 0) {
            rc = add_round_trip(&rows[i]);
        }
    }
    if (rc != HK_GBENCH_OK) {
        free(rows);
        return (enum hk_status)rc;
    }
    *context = rows;
    return HK_OK;
}

const struct hk_suite_group hk_suite_round_trip = {"round_trip", round_trip_add, free};
