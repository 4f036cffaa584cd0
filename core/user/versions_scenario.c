/* SPDX-License-Identifier: MIT */
/*
 * A service is replaced again and again while clients call it. They may see a
 * delay or a status; they never see a wrong answer, nor one of an older version
 * after one of a newer.
 */
#include "user/scenario.h"
#include "user/spawn.h"
#include "user/user.h"
#include "user/versions.h"

#define REPLACEMENTS 60
#define BETWEEN_NS 200000 /* from one version to the next */
#define GAP_NS 50000      /* without any */

struct scene {
    uint64_t shm;
    struct hk_server server;
    uint64_t version;
    struct hk_server clients[HK_VERSIONS_CLIENTS]; /* their endpoints are not used */
};

static void wait_ns(uint64_t ns)
{
    (void)hk_syscall(HK_SYS_sleep, (uint64_t)hk_syscall0(HK_SYS_clock) + ns, 0, 0);
}

static enum hk_status enter_name(uint64_t endpoint)
{
    static const char name[] = HK_VERSIONS_SERVICE;

    return (enum hk_status)hk_syscall(HK_SYS_service_register, (uint64_t)name, sizeof(name) - 1,
                                      endpoint);
}

/* A new version with an endpoint of its own, not yet under the name. */
static enum hk_status start_version(struct scene *scene, struct hk_server *server)
{
    uint64_t theirs = 0;
    enum hk_status status = hk_server_create("versions", server, &theirs);

    if (status != HK_OK)
        return status;
    scene->version++;
    status = (enum hk_status)hk_syscall(
        HK_SYS_process_start, server->process,
        hk_versions_argument(HK_VERSIONS_SERVER, theirs, scene->version), 0);
    if (status != HK_OK)
        hk_server_stop(server);
    return status;
}

/* The name goes to the new version, then the old one stops: clients of the old see HK_EPEER. */
static enum hk_status hand_over(struct scene *scene)
{
    struct hk_server old = scene->server;
    enum hk_status status = start_version(scene, &scene->server);

    if (status == HK_OK)
        status = enter_name(scene->server.endpoint);
    hk_server_stop(&old);
    return status;
}

/* The old one stops, nobody serves for a while, then there is a new one: lookups wait. */
static enum hk_status stop_and_start(struct scene *scene)
{
    enum hk_status status;

    hk_server_stop(&scene->server);
    wait_ns(GAP_NS);
    status = start_version(scene, &scene->server);
    return status == HK_OK ? enter_name(scene->server.endpoint) : status;
}

/* A new process at the same endpoint: clients that wait there see a delay and nothing else. */
static enum hk_status swap_process(struct scene *scene)
{
    uint64_t old = scene->server.process;
    int64_t process = hk_syscall(HK_SYS_process_create, (uint64_t)"versions", 8, 0);
    int64_t handle;

    if (process < 0)
        return (enum hk_status)process;
    (void)hk_syscall(HK_SYS_process_kill, old, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, old, 0, 0);
    scene->server.process = (uint64_t)process;
    handle = hk_syscall5(HK_SYS_cap_copy, scene->server.process, scene->server.endpoint,
                         HK_RIGHT_RECEIVE, 0, 0);
    if (handle < 0)
        return (enum hk_status)handle;
    scene->version++;
    return (enum hk_status)hk_syscall(
        HK_SYS_process_start, scene->server.process,
        hk_versions_argument(HK_VERSIONS_SERVER, (uint64_t)handle, scene->version), 0);
}

static enum hk_status (*const ways[])(struct scene *scene) = { hand_over, stop_and_start,
                                                               swap_process };

static enum hk_status start_client(struct scene *scene, uint64_t number)
{
    struct hk_server *client = &scene->clients[number];
    uint64_t unused;
    enum hk_status status = hk_server_create("versions", client, &unused);
    int64_t handle;

    if (status != HK_OK)
        return status;
    handle = hk_syscall5(HK_SYS_cap_copy, client->process, scene->shm,
                         HK_RIGHT_SHM_READ | HK_RIGHT_SHM_WRITE, 0, 0);
    if (handle < 0)
        return (enum hk_status)handle;
    return (enum hk_status)hk_syscall(
        HK_SYS_process_start, client->process,
        hk_versions_argument(HK_VERSIONS_CLIENT, (uint64_t)handle, number), 0);
}

static bool judge(const struct scene *scene)
{
    bool good = true;

    for (uint64_t i = 0; i < HK_VERSIONS_CLIENTS; i++) {
        const volatile struct hk_versions_count *count =
            (const volatile struct hk_versions_count *)HK_WORKER_PAGE + i;
        bool held = count->wrong == 0 && count->statuses > 0 &&
                    count->answers > 2 * REPLACEMENTS && count->version == scene->version;
        struct hk_line line;

        hk_line_begin(&line, held ? "log" : "fail");
        hk_line_text(&line, "client");
        hk_line_field(&line, "answers", count->answers);
        hk_line_field(&line, "statuses", count->statuses);
        hk_line_field(&line, "wrong", count->wrong);
        hk_line_field(&line, "version", count->version);
        hk_line_end(&line);
        good &= held;
    }
    return good;
}

static enum hk_status set_up(struct scene *scene)
{
    int64_t shm = hk_syscall(HK_SYS_shm_create, 1, 0, 0);
    enum hk_status status;

    if (shm < 0)
        return (enum hk_status)shm;
    scene->shm = (uint64_t)shm;
    status = (enum hk_status)hk_syscall(HK_SYS_shm_map, scene->shm, HK_WORKER_PAGE,
                                        HK_MAP_READ | HK_MAP_WRITE);
    /* the clients come first and wait for the first version */
    for (uint64_t i = 0; i < HK_VERSIONS_CLIENTS && status == HK_OK; i++)
        status = start_client(scene, i);
    if (status == HK_OK)
        status = start_version(scene, &scene->server);
    return status == HK_OK ? enter_name(scene->server.endpoint) : status;
}

/* What set_up() has not come to has no handle of a process. */
static void stop_started(struct hk_server *server)
{
    if (server->process != HK_HANDLE_SELF)
        hk_server_stop(server);
}

int hk_scenario_versions(uint64_t *ipc_page)
{
    struct scene scene = { 0 };
    enum hk_status status = set_up(&scene);
    bool good;

    (void)ipc_page;
    for (uint32_t i = 0; i < REPLACEMENTS && status == HK_OK; i++) {
        wait_ns(BETWEEN_NS);
        status = ways[i % HK_ARRAY_COUNT(ways)](&scene);
    }
    wait_ns(BETWEEN_NS);
    if (status != HK_OK)
        hk_say("fail", "a version cannot be started");
    good = status == HK_OK && judge(&scene);
    for (uint64_t i = 0; i < HK_VERSIONS_CLIENTS; i++)
        stop_started(&scene.clients[i]);
    stop_started(&scene.server);
    return good ? 0 : 1;
}
