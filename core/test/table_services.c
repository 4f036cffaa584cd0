/* SPDX-License-Identifier: MIT */
/* Processes, and the service registry. */
#include "services/services.h"
#include "table.h"

#define AT HK_USER_BASE

static void names_are_bounded(struct hk_test *test)
{
    struct hk_process *process = NULL;

    HK_EXPECT(test, hk_process_create(test->cpu, "", &process) == HK_EINVAL);
    HK_EXPECT(test, hk_process_create(test->cpu, "a name of thirty-two characters.",
                                      &process) == HK_EINVAL);
    HK_EXPECT(test, process == NULL);
    HK_EXPECT(test, hk_process_create(test->cpu, "a name of thirty-one characters",
                                      &process) == HK_OK);
    HK_EXPECT(test, process->name[30] == 's' && process->name[31] == '\0');
    hk_process_end(test->cpu, process, HK_EXIT_KILLED, 0);
    hk_object_release(test->cpu, &process->object);
}

/* A process without a handle to itself lives on, and its record with it. */
static void own_handle_may_be_dropped(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one");
    uint32_t objects;

    HK_EXPECT(test, one != NULL);
    objects = hk_object_count(test->cpu->kernel);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_cap_drop, HK_HANDLE_SELF, 0, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_object_count(test->cpu->kernel) == objects);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_cap_drop, HK_HANDLE_SELF, 0, 0, 0) ==
                        HK_EHANDLE);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_page_map,
                                 HK_USER_BASE + 64 * HK_PAGE_BYTES, 1, HK_MAP_READ, 0) == HK_OK);
    hk_test_end(test, one);
    HK_EXPECT(test, hk_object_count(test->cpu->kernel) == objects - 2);
}

static void make_system(struct hk_thread *thread)
{
    thread->process->caps[HK_HANDLE_SELF].rights |= HK_RIGHT_SYSTEM;
}

/* Which object a handle names. */
static const struct hk_object *object_of(const struct hk_thread *thread, hk_result handle)
{
    return handle < 0 || handle >= HK_HANDLE_COUNT ? NULL : thread->process->caps[handle].object;
}

static void names_are_found(struct hk_test *test)
{
    struct hk_thread *server = hk_test_thread(test, "server");
    struct hk_thread *client = hk_test_thread(test, "client");
    uint64_t endpoint, call_only;
    hk_result handle;

    HK_EXPECT(test, server != NULL && client != NULL);
    hk_test_put(test, server, AT, "fs");
    hk_test_put(test, client, AT, "fs");
    endpoint = (uint64_t)hk_test_call(test, server, HK_SYS_endpoint_create, 0, 0, 0, 0);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_service_register, AT, 2, endpoint, 0) ==
                        HK_ERIGHT);
    make_system(server);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_service_register, AT, 0, endpoint, 0) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_service_register, AT, 16, endpoint, 0) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_service_register, AT, 2, 99, 0) ==
                        HK_EHANDLE);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_service_lookup, AT, 2, 0, 0) == HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_service_register, AT, 2, endpoint, 0) ==
                        HK_OK);
    handle = hk_test_call(test, client, HK_SYS_service_lookup, AT, 2, 0, 0);
    HK_EXPECT(test, object_of(client, handle) != NULL);
    HK_EXPECT(test, object_of(client, handle) == object_of(server, (hk_result)endpoint));
    HK_EXPECT(test, client->process->caps[handle].rights == (HK_RIGHT_CALL | HK_RIGHT_COPY));
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_service_lookup, AT, 1, 0, 0) == HK_ENOENT);
    /* the right to call is not the right to stand in for the service */
    make_system(client);
    call_only = (uint64_t)handle;
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_service_register, AT, 2, call_only, 0) ==
                        HK_ERIGHT);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_service_unregister, AT, 2, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_service_unregister, AT, 2, 0, 0) ==
                        HK_ENOENT);
}

static void replacement_while_clients_wait(struct hk_test *test)
{
    struct hk_thread *old = hk_test_thread(test, "old"), *new = hk_test_thread(test, "new");
    struct hk_thread *client = hk_test_thread(test, "client");
    struct hk_thread *other = hk_test_thread(test, "other");
    uint64_t endpoint;
    hk_result handle;

    HK_EXPECT(test, old != NULL && new != NULL && client != NULL && other != NULL);
    make_system(old);
    make_system(new);
    hk_test_put(test, old, AT, "clock");
    hk_test_put(test, new, AT, "clock");
    hk_test_put(test, client, AT, "clock");
    hk_test_put(test, other, AT, "audio");
    endpoint = (uint64_t)hk_test_call(test, old, HK_SYS_endpoint_create, 0, 0, 0, 0);
    HK_EXPECT(test, hk_test_call(test, old, HK_SYS_service_register, AT, 5, endpoint, 0) == 0);
    /* the old version dies; who looks it up now waits for the next */
    hk_test_end(test, old);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_service_lookup, AT, 5, 0, 0) == HK_ENOENT);
    hk_test_call(test, client, HK_SYS_service_lookup, AT, 5, HK_TIMEOUT_NONE, 0);
    hk_test_call(test, other, HK_SYS_service_lookup, AT, 5, HK_TIMEOUT_NONE, 0);
    HK_EXPECT(test, hk_test_asleep(client) && hk_test_asleep(other));
    endpoint = (uint64_t)hk_test_call(test, new, HK_SYS_endpoint_create, 0, 0, 0, 0);
    HK_EXPECT(test, hk_test_call(test, new, HK_SYS_service_register, AT, 5, endpoint, 0) == 0);
    HK_EXPECT(test, !hk_test_asleep(client) && hk_test_asleep(other));
    handle = hk_test_result(client);
    HK_EXPECT(test, object_of(client, handle) != NULL);
    HK_EXPECT(test, object_of(client, handle) == object_of(new, (hk_result)endpoint));
    /* a third version takes the name over while the second still runs */
    endpoint = (uint64_t)hk_test_call(test, new, HK_SYS_endpoint_create, 0, 0, 0, 0);
    HK_EXPECT(test, hk_test_call(test, new, HK_SYS_service_register, AT, 5, endpoint, 0) == 0);
    handle = hk_test_call(test, client, HK_SYS_service_lookup, AT, 5, 0, 0);
    HK_EXPECT(test, object_of(client, handle) == object_of(new, (hk_result)endpoint));
}

static void registry_fills_up(struct hk_test *test)
{
    struct hk_thread *server = hk_test_thread(test, "server");
    uint64_t endpoint;

    HK_EXPECT(test, server != NULL);
    make_system(server);
    endpoint = (uint64_t)hk_test_call(test, server, HK_SYS_endpoint_create, 0, 0, 0, 0);
    hk_test_put(test, server, AT, "abcdefghijklmnopqrst");
    for (uint32_t i = 0; i < HK_SERVICE_COUNT; i++)
        HK_EXPECT(test, hk_test_call(test, server, HK_SYS_service_register, AT + i, 3, endpoint,
                                     0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_service_register, AT + 17, 3, endpoint,
                                 0) == HK_ENOSPC);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_service_register, AT + 3, 3, endpoint, 0) ==
                        HK_OK);
}

struct place_case {
    const char *text;
    enum hk_status status;
    uint32_t placement;
};

#define BIT(service) (1u << HK_SERVICE_##service)
#define ALL ((1u << HK_SERVICES) - 1)
#define HYBRID (ALL & ~(BIT(FILE) | BIT(PRINT)))
#define UNTOUCHED 0x2385u

static const struct place_case places[] = {
    { "", HK_OK, HYBRID },
    { "hybrid", HK_OK, HYBRID },
    { "monolithic", HK_OK, ALL },
    { "microkernel", HK_OK, 0 },
    { "file:kernel", HK_OK, HYBRID | BIT(FILE) },
    { "memory:server,net:server", HK_OK, HYBRID & ~(BIT(MEMORY) | BIT(NET)) },
    { "mask:0", HK_OK, 0 },
    { "mask:255", HK_OK, ALL },
    { "mask:", HK_EPARSE, UNTOUCHED },
    { "mask:256", HK_EPARSE, UNTOUCHED },
    { "mask:0001", HK_EPARSE, UNTOUCHED },
    { "mask:-1", HK_EPARSE, UNTOUCHED },
    { "mask:1,file:kernel", HK_EPARSE, UNTOUCHED },
    { "file", HK_EPARSE, UNTOUCHED },
    { "file:", HK_EPARSE, UNTOUCHED },
    { "file:moon", HK_EPARSE, UNTOUCHED },
    { "driver:kernel", HK_EPARSE, UNTOUCHED },
    { "microkernel,file:kernel", HK_EPARSE, UNTOUCHED },
    { "file:kernel,,net:kernel", HK_EPARSE, UNTOUCHED },
    { "file:kernel,file:server", HK_EPARSE, UNTOUCHED },
};

static const struct place_case devices[] = {
    { "", HK_OK, 0 },
    { "net", HK_OK, BIT(NET) },
    { "display,block,net", HK_OK, BIT(NET) | BIT(BLOCK) | BIT(DISPLAY) },
    { "file", HK_EPARSE, UNTOUCHED },
    { "net,", HK_OK, BIT(NET) },
    { ",net", HK_EPARSE, UNTOUCHED },
    { "moon", HK_EPARSE, UNTOUCHED },
};

static void devices_are_read(struct hk_test *test)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(devices); i++) {
        uint32_t result = UNTOUCHED;
        uint64_t bytes = 0;

        while (devices[i].text[bytes] != '\0')
            bytes++;
        HK_EXPECT(test, hk_devices_parse(devices[i].text, bytes, &result) == devices[i].status);
        HK_EXPECT(test, result == devices[i].placement);
    }
    /* there are none on this machine */
    HK_EXPECT(test, hk_composition_start(test->cpu, BIT(NET), BIT(NET)) == HK_ENOTSUP);
    hk_composition_fini(test->cpu);
}

static void compositions_are_read(struct hk_test *test)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(places); i++) {
        uint32_t placement = UNTOUCHED;
        uint64_t bytes = 0;

        while (places[i].text[bytes] != '\0')
            bytes++;
        HK_EXPECT(test, hk_composition_parse(places[i].text, bytes, &placement) ==
                            places[i].status);
        HK_EXPECT(test, placement == places[i].placement);
    }
}

/* A service knows its clients by their pids; only who may command the system is a service. */
static void clients_are_signalled(struct hk_test *test)
{
    struct hk_thread *service = hk_test_thread(test, "service");
    struct hk_thread *client = hk_test_thread(test, "client");
    uint64_t pid = client->process->pid;

    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_process_signal, pid, 4, 0, 0) == HK_ERIGHT);
    make_system(service);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_process_signal, pid, 0, 0, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_process_signal, 2385, 4, 0, 0) ==
                        HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_signal_wait, HK_TIMEOUT_NOW, 0, 0, 0) ==
                        HK_EEMPTY);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_process_signal, pid, 4, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_process_signal, pid, 3, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_signal_wait, HK_TIMEOUT_NOW, 0, 0, 0) == 7);
    hk_test_call(test, client, HK_SYS_signal_wait, HK_TIMEOUT_NONE, 0, 0, 0);
    HK_EXPECT(test, hk_test_asleep(client));
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_process_signal, pid, 16, 0, 0) == HK_OK);
    HK_EXPECT(test, !hk_test_asleep(client) && hk_test_result(client) == 16);
    hk_test_call(test, client, HK_SYS_signal_wait, HK_TIMEOUT_NONE, 0, 0, 0);
    hk_test_end(test, client);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_process_signal, pid, 1, 0, 0) == HK_ENOENT);
}

#define SHARED (AT + 64 * HK_PAGE_BYTES)
#define LENT (AT + 128 * HK_PAGE_BYTES)

static void pages_are_lent(struct hk_test *test)
{
    struct hk_thread *service = hk_test_thread(test, "service");
    struct hk_thread *client = hk_test_thread(test, "client");
    uint64_t pid = client->process->pid;
    hk_result shm = hk_test_call(test, service, HK_SYS_shm_create, 1, 0, 0, 0);

    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_shm_map, (uint64_t)shm, SHARED,
                                 HK_MAP_READ | HK_MAP_WRITE, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, pid, SHARED, LENT, 0) ==
                        HK_ERIGHT);
    make_system(service);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, pid, AT, LENT, 0) == HK_EPERM);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, pid, LENT, LENT, 0) ==
                        HK_EFAULT);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, pid, SHARED, LENT + 1, 0) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, pid, SHARED, HK_USER_IPC_BASE,
                                 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, 2385, SHARED, LENT, 0) ==
                        HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_holders, SHARED, 0, 0, 0) == 2);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, pid, SHARED, LENT, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, pid, SHARED, LENT, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_holders, SHARED, 0, 0, 0) == 3);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_page_protect, LENT, 1,
                                 HK_MAP_READ | HK_MAP_WRITE, 0) < 0);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_page_unmap, LENT, 1, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_holders, SHARED, 0, 0, 0) == 2);
    /* what was lent outlives who lent it */
    HK_EXPECT(test, hk_test_call(test, service, HK_SYS_page_lend, pid, SHARED, LENT, 0) == HK_OK);
    hk_test_end(test, service);
    hk_test_put(test, client, AT, "x");
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_page_holders, LENT, 0, 0, 0) == 1);
}

static void answers_are_found(struct hk_test *test)
{
    struct hk_thread *server = hk_test_thread(test, "server");
    struct hk_thread *client = hk_test_thread(test, "client");
    uint64_t endpoint = (uint64_t)hk_test_call(test, server, HK_SYS_endpoint_create, 0, 0, 0, 0);
    struct hk_answer answer = { { { 3, 1, 4, 1 } }, 2, { 2385, 7411 } };
    struct hk_answer_key other = { { 3, 1, 4, 2 } };
    const struct hk_object *object = object_of(server, (hk_result)endpoint);
    const struct hk_endpoint *at = (const struct hk_endpoint *)(const void *)object;
    struct hk_answers *answers = &test->cpu->kernel->answers;
    uint64_t call_only;

    HK_EXPECT(test, hk_cap_insert(client->process, (struct hk_object *)(uintptr_t)object,
                                  HK_RIGHT_CALL, 0, &call_only) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_answer_put, call_only, AT, 0, 0) ==
                        HK_ERIGHT);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_answer_put, endpoint, LENT, 0, 0) ==
                        HK_EFAULT);
    HK_EXPECT(test, hk_test_call(test, client, HK_SYS_answer_get, call_only, 3, 1, 4) ==
                        HK_ENOENT);
    hk_answers_put(answers, at, &answer);
    HK_EXPECT(test, hk_answers_find(answers, at, &answer.key) != NULL);
    HK_EXPECT(test, hk_answers_find(answers, at, &answer.key)->word[1] == 7411);
    HK_EXPECT(test, hk_answers_find(answers, at, &other) == NULL);
    answer.words = 0;
    hk_answers_put(answers, at, &answer);
    HK_EXPECT(test, hk_answers_find(answers, at, &answer.key) == NULL);
    /* the answers of a server that is gone are gone */
    answer.words = 1;
    hk_answers_put(answers, at, &answer);
    hk_test_end(test, server);
    HK_EXPECT(test, hk_answers_find(answers, at, &answer.key) == NULL);
}

static void timers_are_set_again(struct hk_test *test)
{
    struct hk_thread *server = hk_test_thread(test, "server");
    uint64_t endpoint = (uint64_t)hk_test_call(test, server, HK_SYS_endpoint_create, 0, 0, 0, 0);
    hk_result timer = hk_test_call(test, server, HK_SYS_timer_create, endpoint, 9, 1000, 0);

    HK_EXPECT(test, timer > 0);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_timer_set, endpoint, 5000, 0, 0) < 0);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_timer_set, (uint64_t)timer, UINT64_MAX, 0,
                                 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, server, HK_SYS_timer_set, (uint64_t)timer, 5000, 0, 0) ==
                        HK_OK);
    HK_EXPECT(test, test->cpu->deadlines.next->at_ns == 5000);
}

const struct hk_test_row hk_test_services[] = {
    { "processes: names of up to 31 characters", names_are_bounded },
    { "processes: the own handle may be dropped", own_handle_may_be_dropped },
    { "services: names are found", names_are_found },
    { "services: replaced while clients wait", replacement_while_clients_wait },
    { "services: the registry fills up", registry_fills_up },
    { "services: compositions are read", compositions_are_read },
    { "services: devices are read, and may be missing", devices_are_read },
    { "services: clients are signalled", clients_are_signalled },
    { "services: pages are lent", pages_are_lent },
    { "services: answers are found without them", answers_are_found },
    { "services: timers are set again", timers_are_set_again },
    { NULL, NULL },
};
