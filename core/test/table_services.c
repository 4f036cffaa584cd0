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

#define FS (1u << HK_SERVICE_FS)
#define DRIVER (1u << HK_SERVICE_DRIVER)
#define MEMORY (1u << HK_SERVICE_MEMORY)
#define UNTOUCHED 0x2385u

static const struct place_case places[] = {
    { "", HK_OK, DRIVER | MEMORY },
    { "hybrid", HK_OK, DRIVER | MEMORY },
    { "monolithic", HK_OK, FS | DRIVER | MEMORY },
    { "microkernel", HK_OK, 0 },
    { "fs:kernel", HK_OK, FS | DRIVER | MEMORY },
    { "memory:server,driver:server", HK_OK, 0 },
    { "fs", HK_EPARSE, UNTOUCHED },
    { "fs:", HK_EPARSE, UNTOUCHED },
    { "fs:moon", HK_EPARSE, UNTOUCHED },
    { "audio:kernel", HK_EPARSE, UNTOUCHED },
    { "microkernel,fs:kernel", HK_EPARSE, UNTOUCHED },
    { "fs:kernel,,driver:kernel", HK_EPARSE, UNTOUCHED },
    { "fs:kernel,fs:server", HK_EPARSE, UNTOUCHED },
};

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

const struct hk_test_row hk_test_services[] = {
    { "processes: names of up to 31 characters", names_are_bounded },
    { "processes: the own handle may be dropped", own_handle_may_be_dropped },
    { "services: names are found", names_are_found },
    { "services: replaced while clients wait", replacement_while_clients_wait },
    { "services: the registry fills up", registry_fills_up },
    { "services: compositions are read", compositions_are_read },
    { NULL, NULL },
};
