/* SPDX-License-Identifier: MIT */
/*
 * Every transport, one contract: contents, order, sizes, orderly ends, killed
 * peers in either role at swept moments, and nothing left behind.
 *
 *   test_conformance                all transports, on all CPUs
 *   test_conformance --one-cpu      the same with both sides on one CPU
 *   test_conformance pipe tcp       only these
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/transport/transport.h"

#define TRANSPORTS_MAX 64
#define GUARD_S 20 /* a pair that has not ended by then hangs */
#define ONE_TASK 3 /* entries of a folder with one task: two dots */
#define CHECK(condition)                                                                          \
    do {                                                                                          \
        if (!(condition))                                                                         \
            return failed_at(__LINE__, #condition);                                               \
    } while (0)

static bool one_cpu;

/* ---- A pair of sides -------------------------------------------------------------------- */

struct pair;
typedef int side_body(struct pair *pair, enum hk_side side);

struct pair {
    struct hk_link link;
    side_body *bodies[2];
    size_t message_bytes;
    uint32_t count;     /* messages */
    size_t chosen_bytes; /* payload, where a body uses one size */
    pid_t pids[2];
    pthread_t threads[2];
    int results[2];
};

/* A side's verdict: 0, or the line that failed. */
static int failed_at(int line, const char *what)
{
    fprintf(stderr, "    line %d: %s\n", line, what);
    return line;
}

static bool is_threaded(const struct pair *pair)
{
    return pair->link.transport->flags & HK_TRANSPORT_THREADS;
}

static void sleep_us(long us)
{
    nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct thread_argument {
    struct pair *pair;
    enum hk_side side;
};

static void *thread_main(void *argument)
{
    struct thread_argument *a = argument;

    a->pair->results[a->side] = a->pair->bodies[a->side](a->pair, a->side);
    if (a->pair->results[a->side] != 0)
        hk_link_mark_dead(&a->pair->link, a->side);
    return NULL;
}

static void start_side(struct pair *pair, enum hk_side side)
{
    pair->pids[side] = fork();
    assert_true(pair->pids[side] >= 0);
    if (pair->pids[side] > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(GUARD_S);
    int result = pair->bodies[side](pair, side);
    hk_link_close(&pair->link);
    _exit(result != 0);
}

/* Runs both sides to their end; both must succeed. */
static void run_pair(struct pair *pair)
{
    if (is_threaded(pair)) {
        struct thread_argument arguments[2] = {{pair, HK_CLIENT}, {pair, HK_SERVER}};
        for (int side = 0; side < 2; side++)
            assert_int_equal(
                pthread_create(&pair->threads[side], NULL, thread_main, &arguments[side]), 0);
        for (int side = 0; side < 2; side++)
            pthread_join(pair->threads[side], NULL);
    } else {
        for (int side = 0; side < 2; side++)
            start_side(pair, (enum hk_side)side);
        for (int i = 0; i < 2; i++) {
            int wait_status;
            pid_t pid = wait(&wait_status);
            int side = pid == pair->pids[HK_SERVER];
            pair->results[side] = wait_status;
            if (wait_status != 0)
                hk_link_mark_dead(&pair->link, (enum hk_side)side);
        }
    }
    assert_int_equal(pair->results[HK_CLIENT], 0);
    assert_int_equal(pair->results[HK_SERVER], 0);
}

static struct pair open_pair(const struct hk_transport *transport, size_t message_bytes,
                             side_body *client, side_body *server)
{
    struct pair pair = {.bodies = {client, server}, .message_bytes = message_bytes};
    struct hk_transport_options options = {.message_bytes = message_bytes};

    assert_int_equal(hk_link_open(transport, &options, &pair.link), HK_OK);
    return pair;
}

/* ---- Contents --------------------------------------------------------------------------- */

/* xorshift64*: every message has its own, incompressible contents. */
static void fill(unsigned char *data, size_t bytes, uint64_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 0x2385;

    for (size_t i = 0; i < bytes; i += 8) {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        uint64_t word = x * 0x2545f4914f6cdd1du;
        memcpy(data + i, &word, bytes - i < 8 ? bytes - i : 8);
    }
}

static bool matches(const unsigned char *data, size_t bytes, uint64_t seed)
{
    unsigned char *expected = malloc(bytes + 1);

    fill(expected, bytes, seed);
    bool same = memcmp(data, expected, bytes) == 0;
    free(expected);
    return same;
}

/* Reply to request number n of `bytes`: other contents, and every third time another size. */
static size_t reply_size(size_t bytes, uint32_t n, size_t message_bytes)
{
    return n % 3 == 2 ? (bytes * 5 + 3) % (message_bytes + 1) : bytes;
}

static unsigned char *message_buffer(struct pair *pair, enum hk_side side, unsigned char **owned)
{
    unsigned char *buffer = hk_link_message(&pair->link, side);

    *owned = buffer ? NULL : malloc(pair->message_bytes);
    return buffer ? buffer : *owned;
}

struct echo {
    struct pair *pair;
    uint32_t count;
};

static enum hk_status echo(void *context, void *buffer, size_t capacity, size_t request_bytes,
                           size_t *reply_bytes)
{
    struct echo *e = context;
    uint32_t n = e->count++;

    if (capacity < e->pair->message_bytes || !matches(buffer, request_bytes, n))
        return HK_EROW;
    *reply_bytes = reply_size(request_bytes, n, e->pair->message_bytes);
    fill(buffer, *reply_bytes, n + 77777u);
    return HK_OK;
}

static int echo_server(struct pair *pair, enum hk_side side)
{
    struct echo e = {.pair = pair};
    unsigned char *owned;

    CHECK(hk_link_attach(&pair->link, side) == HK_OK);
    CHECK(hk_link_peer_alive(&pair->link, side));
    unsigned char *buffer = message_buffer(pair, side, &owned);
    enum hk_status status = hk_link_serve(&pair->link, buffer, pair->message_bytes, echo, &e);
    free(owned);
    CHECK(status == HK_OK);
    CHECK(e.count == pair->count);
    return 0;
}

static const size_t sizes_bytes[] = {0,    1,    7,    8,    9,     40,     41,     48,     63,  64,
                                     65,   127,  2047, 2048, 2049,  4095,   4096,   4097,   8192,
                                     3,    65507, 65536, 65537, 131072, 1000003, 1048576, 5};

static int check_call(struct pair *pair, unsigned char *buffer, size_t bytes, uint32_t n)
{
    size_t reply_bytes = 12345;

    fill(buffer, bytes, n);
    CHECK(hk_link_call(&pair->link, buffer, bytes, buffer, pair->message_bytes, &reply_bytes) ==
          HK_OK);
    CHECK(reply_bytes == reply_size(bytes, n, pair->message_bytes));
    CHECK(matches(buffer, reply_bytes, n + 77777u));
    return 0;
}

/* Every size up to the largest, then many of one size. */
static int calling_client(struct pair *pair, enum hk_side side)
{
    uint32_t n = 0;
    unsigned char *owned;

    CHECK(hk_link_attach(&pair->link, side) == HK_OK);
    unsigned char *buffer = message_buffer(pair, side, &owned);
    int result = 0;
    for (size_t i = 0; i < HK_ARRAY_COUNT(sizes_bytes) && result == 0; i++)
        if (sizes_bytes[i] <= pair->message_bytes)
            result = check_call(pair, buffer, sizes_bytes[i], n++);
    while (n < pair->count && result == 0)
        result = check_call(pair, buffer, pair->chosen_bytes, n++);
    free(owned);
    if (result != 0)
        return result;
    unsigned char nothing[1] = {0};
    size_t bytes = 54321;
    CHECK(hk_link_call(&pair->link, nothing, pair->message_bytes + 1, nothing, 1, &bytes) ==
          HK_ETOOBIG);
    CHECK(bytes == 54321);
    CHECK(hk_link_finish(&pair->link) == HK_OK);
    return 0;
}

static uint32_t sizes_up_to(size_t message_bytes)
{
    uint32_t count = 0;

    for (size_t i = 0; i < HK_ARRAY_COUNT(sizes_bytes); i++)
        count += sizes_bytes[i] <= message_bytes;
    return count;
}

/* Both sides on one CPU: a spin or a polling kernel thread gives way only now and then. */
static bool is_slow(const struct hk_transport *transport)
{
    return one_cpu && (transport->flags & HK_TRANSPORT_TWO_CPUS);
}

static void check_calls(const struct hk_transport *transport, size_t message_bytes)
{
    struct pair pair = open_pair(transport, message_bytes, calling_client, echo_server);

    pair.count = sizes_up_to(message_bytes);
    if (!is_slow(transport))
        pair.count += 300;
    pair.chosen_bytes = message_bytes < 64 ? message_bytes : 64;
    run_pair(&pair);
    hk_link_close(&pair.link);
    hk_link_close(&pair.link);
}

/* ---- One way ---------------------------------------------------------------------------- */

static size_t one_way_size(const struct pair *pair, uint32_t n)
{
    return n % 7 == 3 ? 0 : (n * 37u) % (pair->chosen_bytes + 1);
}

static int sending_client(struct pair *pair, enum hk_side side)
{
    unsigned char *data = malloc(pair->message_bytes);
    size_t bytes;

    CHECK(hk_link_attach(&pair->link, side) == HK_OK);
    CHECK(hk_link_send(&pair->link, side, data, pair->message_bytes + 1) == HK_ETOOBIG);
    for (uint32_t n = 0; n < pair->count; n++) {
        fill(data, one_way_size(pair, n), n);
        CHECK(hk_link_send(&pair->link, side, data, one_way_size(pair, n)) == HK_OK);
        /* Sent is sent: what becomes of the buffer is the sender's business. */
        memset(data, 0x5a, one_way_size(pair, n));
    }
    CHECK(hk_link_receive(&pair->link, side, data, pair->message_bytes, &bytes) == HK_OK);
    CHECK(bytes == 1);
    free(data);
    return 0;
}

static int receiving_server(struct pair *pair, enum hk_side side)
{
    unsigned char *data = malloc(pair->message_bytes);
    size_t bytes = 999;

    CHECK(hk_link_attach(&pair->link, side) == HK_OK);
    CHECK(hk_link_receive(&pair->link, side, data, pair->message_bytes - 1, &bytes) == HK_EINVAL);
    CHECK(bytes == 999);
    for (uint32_t n = 0; n < pair->count; n++) {
        CHECK(hk_link_receive(&pair->link, side, data, pair->message_bytes, &bytes) == HK_OK);
        CHECK(bytes == one_way_size(pair, n));
        CHECK(matches(data, bytes, n));
    }
    CHECK(hk_link_send(&pair->link, side, data, 1) == HK_OK);
    free(data);
    return 0;
}

static void check_one_way(const struct hk_transport *transport, size_t message_bytes)
{
    struct pair pair = open_pair(transport, message_bytes, sending_client, receiving_server);

    pair.count = is_slow(transport) ? 80 : 1500;
    pair.chosen_bytes = message_bytes < 200 ? message_bytes : 200;
    run_pair(&pair);
    hk_link_close(&pair.link);
}

/* Both sides send the largest message before either receives. */
static int crossing_side(struct pair *pair, enum hk_side side)
{
    unsigned char *data = malloc(pair->message_bytes);
    size_t bytes;

    CHECK(hk_link_attach(&pair->link, side) == HK_OK);
    for (uint32_t n = 0; n < 2; n++) {
        fill(data, pair->message_bytes, n + side);
        CHECK(hk_link_send(&pair->link, side, data, pair->message_bytes) == HK_OK);
        CHECK(hk_link_receive(&pair->link, side, data, pair->message_bytes, &bytes) == HK_OK);
        CHECK(bytes == pair->message_bytes);
        CHECK(matches(data, bytes, n + !side));
    }
    free(data);
    return 0;
}

static void check_crossing(const struct hk_transport *transport)
{
    struct pair pair =
        open_pair(transport, transport->message_bytes_max, crossing_side, crossing_side);

    run_pair(&pair);
    hk_link_close(&pair.link);
}

/* ---- Killed peers ----------------------------------------------------------------------- */

static int idle_victim(struct pair *pair, enum hk_side side)
{
    CHECK(hk_link_attach(&pair->link, side) == HK_OK);
    for (;;)
        pause();
}

static int busy_victim(struct pair *pair, enum hk_side side)
{
    unsigned char *owned;

    CHECK(hk_link_attach(&pair->link, side) == HK_OK);
    unsigned char *buffer = message_buffer(pair, side, &owned);
    struct echo e = {.pair = pair};
    size_t bytes;
    if (side == HK_SERVER)
        hk_link_serve(&pair->link, buffer, pair->message_bytes, echo, &e);
    for (uint32_t n = 0; side == HK_CLIENT; n++) {
        fill(buffer, pair->chosen_bytes, n);
        if (hk_link_call(&pair->link, buffer, pair->chosen_bytes, buffer, pair->message_bytes,
                         &bytes) != HK_OK)
            break;
    }
    free(owned);
    return 0;
}

/* Goes on with its role until the peer's death is told; anything else is a failure. */
static int surviving_side(struct pair *pair, enum hk_side side)
{
    enum hk_status status = hk_link_attach(&pair->link, side);
    unsigned char *owned;
    struct echo e = {.pair = pair};
    size_t bytes;

    if (status == HK_EPEER)
        return 0;
    CHECK(status == HK_OK);
    unsigned char *buffer = message_buffer(pair, side, &owned);
    if (side == HK_SERVER)
        status = hk_link_serve(&pair->link, buffer, pair->message_bytes, echo, &e);
    for (uint32_t n = 0; side == HK_CLIENT && status == HK_OK; n++) {
        fill(buffer, pair->chosen_bytes, n);
        status = hk_link_call(&pair->link, buffer, pair->chosen_bytes, buffer,
                              pair->message_bytes, &bytes);
    }
    free(owned);
    CHECK(status == HK_EPEER);
    /* A dying process closes its descriptors a little before it is dead. */
    for (int ms = 0; ms < 1000 && hk_link_peer_alive(&pair->link, side); ms++)
        sleep_us(1000);
    CHECK(!hk_link_peer_alive(&pair->link, side));
    return 0;
}

/* Sends until the transport is full and goes on; the peer never receives. */
static int flooding_side(struct pair *pair, enum hk_side side)
{
    enum hk_status status = hk_link_attach(&pair->link, side);
    unsigned char *data = calloc(1, pair->message_bytes);

    while (status == HK_OK)
        status = hk_link_send(&pair->link, side, data, pair->chosen_bytes);
    free(data);
    CHECK(status == HK_EPEER);
    return 0;
}

struct death {
    side_body *survivor;
    side_body *victim;
    enum hk_side victim_side;
    long delay_us;
};

static const struct death deaths[] = {
    {surviving_side, busy_victim, HK_SERVER, 0},
    {surviving_side, busy_victim, HK_CLIENT, 0},
    {surviving_side, busy_victim, HK_SERVER, 700},
    {surviving_side, busy_victim, HK_CLIENT, 900},
    {surviving_side, busy_victim, HK_SERVER, 2100},
    {surviving_side, busy_victim, HK_CLIENT, 2300},
    {surviving_side, busy_victim, HK_SERVER, 5300},
    {surviving_side, busy_victim, HK_CLIENT, 7700},
    {surviving_side, idle_victim, HK_SERVER, 6100},
    {surviving_side, idle_victim, HK_CLIENT, 5900},
    {flooding_side, idle_victim, HK_SERVER, 9700},
    {flooding_side, idle_victim, HK_CLIENT, 3700},
};

static int wait_for(pid_t pid)
{
    int wait_status;

    while (waitpid(pid, &wait_status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return wait_status;
}

static void check_death(const struct hk_transport *transport, const struct death *death,
                        size_t message_bytes)
{
    enum hk_side victim = death->victim_side;
    enum hk_side survivor = victim == HK_CLIENT ? HK_SERVER : HK_CLIENT;
    struct pair pair = open_pair(transport, message_bytes, death->survivor, death->survivor);

    pair.bodies[victim] = death->victim;
    pair.chosen_bytes = message_bytes < 64 ? message_bytes : message_bytes / 2;
    start_side(&pair, survivor);
    start_side(&pair, victim);
    sleep_us(death->delay_us);
    kill(pair.pids[victim], SIGKILL);
    uint64_t killed_ms = now_ms();
    wait_for(pair.pids[victim]);
    hk_link_mark_dead(&pair.link, victim);
    assert_int_equal(wait_for(pair.pids[survivor]), 0);
    /* Far beyond the promise: a machine may be busy, while a hang would last GUARD_S. */
    assert_true(now_ms() - killed_ms < 25 * HK_PEER_TIMEOUT_MS);
    hk_link_close(&pair.link);
}

/* A thread that gives up is declared dead by its process. */
static int leaving_thread(struct pair *pair, enum hk_side side)
{
    CHECK(hk_link_attach(&pair->link, side) == HK_OK);
    sleep_us(2000);
    hk_link_mark_dead(&pair->link, side);
    return 0;
}

static void check_deaths(const struct hk_transport *transport)
{
    size_t message_bytes =
        transport->message_bytes_max < 3000 ? transport->message_bytes_max : 3000;

    if (transport->flags & HK_TRANSPORT_THREADS) {
        for (int side = 0; side < 2; side++) {
            struct pair pair = open_pair(transport, message_bytes, surviving_side, surviving_side);
            pair.bodies[side] = leaving_thread;
            pair.chosen_bytes = message_bytes;
            run_pair(&pair);
            hk_link_close(&pair.link);
        }
        return;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(deaths); i++) {
        bool flood = deaths[i].survivor == flooding_side;
        if (!flood || !(transport->flags & HK_TRANSPORT_CALL_ONLY))
            check_death(transport, &deaths[i], message_bytes);
    }
}

/* ---- Nothing left behind ---------------------------------------------------------------- */

static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    if (!directory)
        return 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Objects with the project's mark in the System V tables. */
static int count_sysv(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[512];
    int count = 0;

    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file))
        count += ((unsigned)atoi(line) >> 16) == 0x686bu;
    fclose(file);
    return count;
}

struct inventory {
    int fds, tasks, shm, mqueues, sysv;
};

static struct inventory take_inventory(void)
{
    /* The kernel's threads of an io_uring end a moment after it. */
    for (int ms = 0; ms < 2000 && count_entries("/proc/self/task") > ONE_TASK; ms++)
        sleep_us(1000);
    return (struct inventory){
        .fds = count_entries("/proc/self/fd"),
        .tasks = count_entries("/proc/self/task"),
        .shm = count_entries("/dev/shm"),
        .mqueues = count_entries("/dev/mqueue"),
        .sysv = count_sysv("/proc/sysvipc/msg") + count_sysv("/proc/sysvipc/sem") +
                count_sysv("/proc/sysvipc/shm"),
    };
}

/* ---- The tests -------------------------------------------------------------------------- */

static void check_refusals(const struct hk_transport *transport)
{
    struct hk_link link = {.options.message_bytes = 4242};
    struct hk_transport_options bad[] = {
        {.message_bytes = 0},
        {.message_bytes = transport->message_bytes_max + 1},
        {.message_bytes = (size_t)1 << 63},
        {.message_bytes = SIZE_MAX},
    };

    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++) {
        assert_int_equal(hk_link_open(transport, &bad[i], &link), HK_EINVAL);
        assert_int_equal(link.options.message_bytes, 4242);
    }
}

static enum hk_status double_handler(void *context, void *buffer, size_t capacity,
                                     size_t request_bytes, size_t *reply_bytes)
{
    (void)context;
    if (2 * request_bytes > capacity)
        return HK_ETOOBIG;
    memcpy((unsigned char *)buffer + request_bytes, buffer, request_bytes);
    *reply_bytes = 2 * request_bytes;
    return HK_OK;
}

static void check_local(const struct hk_transport *transport)
{
    struct hk_transport_options options = {.message_bytes = 64};
    struct hk_link link;
    char reply[64] = "";
    size_t bytes = 99;

    assert_int_equal(hk_link_open(transport, &options, &link), HK_OK);
    assert_int_equal(hk_link_send(&link, HK_CLIENT, "x", 1), HK_ENOTSUP);
    assert_int_equal(hk_link_receive(&link, HK_SERVER, reply, 64, &bytes), HK_ENOTSUP);
    link.inline_handler = double_handler;
    assert_int_equal(hk_link_call(&link, "2.385", 5, reply, 64, &bytes), HK_OK);
    if (strcmp(transport->name, "inline") == 0) {
        assert_int_equal(bytes, 10);
        assert_memory_equal(reply, "2.3852.385", 10);
        assert_int_equal(hk_link_call(&link, reply, 40, reply, 64, &bytes), HK_ETOOBIG);
    }
    assert_int_equal(hk_link_finish(&link), HK_OK);
    hk_link_close(&link);
    hk_link_close(&link);
}

static void check_remote(const struct hk_transport *transport)
{
    size_t largest = transport->message_bytes_max;

    check_calls(transport, largest);
    check_calls(transport, largest < 64 ? largest : 64);
    check_calls(transport, 1);
    if (!(transport->flags & HK_TRANSPORT_CALL_ONLY)) {
        check_one_way(transport, largest);
        check_one_way(transport, largest < 48 ? largest : 48);
        check_crossing(transport);
    }
    check_deaths(transport);
}

static void test_transport(void **state)
{
    const struct hk_transport *transport = *state;
    char reason[HK_REASON_BYTES] = "";

    check_refusals(transport);
    if (hk_transport_probe(transport, reason) != HK_OK) {
        assert_string_not_equal(reason, "");
        print_message("    %s: skipped: %s\n", transport->name, reason);
        skip();
    }
    /* The first open may leave its mark on the process (an IPC namespace): only once. */
    struct pair pair = open_pair(transport, 1, NULL, NULL);
    hk_link_close(&pair.link);
    struct inventory before = take_inventory();
    if (is_slow(transport))
        print_message("    %s: few messages: both sides share the only CPU\n", transport->name);
    if (transport->flags & HK_TRANSPORT_LOCAL)
        check_local(transport);
    else
        check_remote(transport);
    struct inventory after = take_inventory();
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_registry(void **state)
{
    const struct hk_transport *found = (void *)state;

    assert_int_equal(hk_transport_find("carrier_pigeon", &found), HK_ENOENT);
    assert_ptr_equal(found, (void *)state);
    for (size_t i = 0; i < hk_transport_count; i++) {
        assert_int_equal(hk_transport_find(hk_transports[i]->name, &found), HK_OK);
        assert_ptr_equal(found, hk_transports[i]); /* so that names are unique */
    }
}

static bool is_chosen(const char *name, int argc, char **argv)
{
    bool any = false;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            continue;
        any = true;
        if (strcmp(argv[i], name) == 0)
            return true;
    }
    return !any;
}

static void use_one_cpu(void)
{
    cpu_set_t set;

    sched_getaffinity(0, sizeof(set), &set);
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[TRANSPORTS_MAX] = {cmocka_unit_test(test_registry)};
    size_t count = 1;
    cpu_set_t set;

    if (argc > 1 && strcmp(argv[1], "--one-cpu") == 0)
        use_one_cpu();
    sched_getaffinity(0, sizeof(set), &set);
    one_cpu = CPU_COUNT(&set) == 1;
    for (size_t i = 0; i < hk_transport_count && count < TRANSPORTS_MAX; i++)
        if (is_chosen(hk_transports[i]->name, argc, argv))
            tests[count++] = (struct CMUnitTest){
                .name = hk_transports[i]->name,
                .test_func = test_transport,
                .initial_state = (void *)(uintptr_t)hk_transports[i],
            };
    return _cmocka_run_group_tests("conformance", tests, count, NULL, NULL) != 0;
}
