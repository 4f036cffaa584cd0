/* SPDX-License-Identifier: MIT */
/*
 * PipeWire with its dummy driver and no session manager: the daemon's configuration has little but
 * that driver, which clients then follow. Configurations and socket lie in /dev/shm, which is the
 * launch's own.
 */
#include <pipewire/filter.h>
#include <pipewire/pipewire.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "audio_server.h"
#include "hk/base/units.h"

/* All that is called of the library, which is loaded when a cell asks for it. */
#define FUNCTIONS(F)                                                                              \
    F(pw_context_connect) F(pw_context_destroy) F(pw_context_new) F(pw_deinit)                    \
    F(pw_filter_add_listener) F(pw_filter_add_port) F(pw_filter_connect)                          \
    F(pw_filter_get_dsp_buffer) F(pw_filter_get_state) F(pw_filter_new) F(pw_init)                \
    F(pw_properties_free) F(pw_properties_new) F(pw_thread_loop_destroy)                          \
    F(pw_thread_loop_get_loop) F(pw_thread_loop_lock) F(pw_thread_loop_new)                       \
    F(pw_thread_loop_start) F(pw_thread_loop_unlock)

#define MEMBER(name) __typeof__(name) *name;
static struct { FUNCTIONS(MEMBER) } lib;

#define SYMBOL(name) {#name, &lib.name},
static bool pipewire_load(void)
{
    static const struct hk_audio_symbol symbols[] = {FUNCTIONS(SYMBOL)};

    return hk_audio_load("libpipewire-0.3.so.0", symbols, HK_ARRAY_COUNT(symbols));
}

#define FOLDER "/dev/shm"

enum { SETTLE_TRIES = 200, CONFIG_BYTES = 2048 };

static const struct timespec pause_between = {0, 5 * (long)HK_NS_PER_MS};

/* %u: frames of a period. */
static const char daemon_config[] =
    "context.properties = {\n"
    "    core.daemon = true\n"
    "    core.name = pipewire-0\n"
    "    support.dbus = false\n"
    "    mem.allow-mlock = false\n"
    "    default.clock.rate = 48000\n"
    "    default.clock.quantum = %u\n"
    "    default.clock.min-quantum = %u\n"
    "    default.clock.max-quantum = %u\n"
    "}\n"
    "context.spa-libs = { support.* = support/libspa-support }\n"
    "context.modules = [\n"
    "    { name = libpipewire-module-protocol-native }\n"
    "    { name = libpipewire-module-spa-node-factory }\n"
    "    { name = libpipewire-module-client-node }\n"
    "    { name = libpipewire-module-access }\n"
    "    { name = libpipewire-module-link-factory }\n"
    "]\n"
    "context.objects = [\n"
    "    { factory = spa-node-factory\n"
    "      args = { factory.name = support.node.driver  node.name = driver\n"
    "               priority.driver = 20000 } }\n"
    "]\n";
static const char client_config[] =
    "context.properties = { support.dbus = false  mem.allow-mlock = false  log.level = 0 }\n"
    "context.spa-libs = { support.* = support/libspa-support }\n"
    "context.modules = [\n"
    "    { name = libpipewire-module-protocol-native }\n"
    "    { name = libpipewire-module-client-node }\n"
    "]\n";

struct pipewire_member {
    struct hk_audio_graph *graph;
    size_t number;
    struct pw_thread_loop *loop;
    struct pw_context *context;
    struct pw_core *core;
    struct pw_filter *filter;
    struct spa_hook listener;
    void *in;
    void *out;
};

static bool write_file(const char *name, const char *text)
{
    char path[64];

    snprintf(path, sizeof path, FOLDER "/%s", name);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return false;
    const bool written = fputs(text, f) >= 0;
    return fclose(f) == 0 && written;
}

static void use_folder(void)
{
    setenv("PIPEWIRE_RUNTIME_DIR", FOLDER, 1);
    setenv("PIPEWIRE_CONFIG_DIR", FOLDER, 1);
    setenv("PIPEWIRE_DEBUG", "0", 1); /* a daemon that is not there yet is no news */
    unsetenv("PIPEWIRE_REMOTE");      /* somebody else's daemon */
}

static void pipewire_become(const char *path, const struct hk_audio_graph *graph)
{
    const unsigned frames = graph->period_frames;
    char text[CONFIG_BYTES];

    use_folder();
    snprintf(text, sizeof text, daemon_config, frames, frames, frames);
    if (write_file("client.conf", client_config) && write_file("daemon.conf", text))
        execl(path, path, "-c", "daemon.conf", (char *)NULL);
}

static void called(void *argument, struct spa_io_position *position)
{
    const uint64_t at_ns = hk_monotonic_ns();
    struct pipewire_member *m = argument;
    const uint32_t frames = (uint32_t)position->clock.duration;

    hk_audio_called(m->graph, m->number, at_ns, position->clock.position, frames,
                    m->in != NULL ? lib.pw_filter_get_dsp_buffer(m->in, frames) : NULL,
                    lib.pw_filter_get_dsp_buffer(m->out, frames));
}

static const struct pw_filter_events events = {PW_VERSION_FILTER_EVENTS, .process = called};

static void *add_port(struct pipewire_member *m, enum pw_direction direction, const char *name)
{
    struct pw_properties *p = lib.pw_properties_new(
        PW_KEY_FORMAT_DSP, "32 bit float mono audio", PW_KEY_PORT_NAME, name, NULL);

    return lib.pw_filter_add_port(m->filter, direction, PW_FILTER_PORT_FLAG_MAP_BUFFERS, 1, p,
                                       NULL, 0);
}

static enum hk_status add_filter(struct pipewire_member *m)
{
    char name[HK_AUDIO_NAME_BYTES];

    hk_audio_client_name(m->number, name);
    m->filter = lib.pw_filter_new(m->core, name,
                                  lib.pw_properties_new(PW_KEY_NODE_NAME, name,
                                                        PW_KEY_NODE_ALWAYS_PROCESS, "true",
                                                        NULL));
    if (m->filter == NULL)
        return HK_ENOMEM;
    lib.pw_filter_add_listener(m->filter, &m->listener, &events, m);
    m->out = add_port(m, PW_DIRECTION_OUTPUT, "out");
    if (m->number > 0)
        m->in = add_port(m, PW_DIRECTION_INPUT, "in");
    return m->out != NULL && (m->number == 0 || m->in != NULL) &&
                   lib.pw_filter_connect(m->filter, PW_FILTER_FLAG_RT_PROCESS, NULL, 0) == 0
               ? HK_OK
               : HK_EIO;
}

static enum hk_status connect_core(struct pipewire_member *m)
{
    m->loop = lib.pw_thread_loop_new("hkbench", NULL);
    if (m->loop == NULL)
        return HK_ENOMEM;
    m->context = lib.pw_context_new(
        lib.pw_thread_loop_get_loop(m->loop),
        lib.pw_properties_new(PW_KEY_CONFIG_NAME, "client.conf", NULL), 0);
    m->core = m->context != NULL ? lib.pw_context_connect(m->context, NULL, 0) : NULL;
    return m->core != NULL ? HK_OK : HK_EPEER;
}

/* Of one that has not connected. */
static void forget(struct pipewire_member *m)
{
    if (m->context != NULL)
        lib.pw_context_destroy(m->context);
    if (m->loop != NULL)
        lib.pw_thread_loop_destroy(m->loop);
    free(m);
    lib.pw_deinit();
}

static bool has_settled(struct pipewire_member *m)
{
    lib.pw_thread_loop_lock(m->loop);
    const enum pw_filter_state state = lib.pw_filter_get_state(m->filter, NULL);
    lib.pw_thread_loop_unlock(m->loop);
    return state == PW_FILTER_STATE_PAUSED || state == PW_FILTER_STATE_STREAMING;
}

static enum hk_status pipewire_join(struct hk_audio_graph *graph, size_t number, void **joined)
{
    struct pipewire_member *m = calloc(1, sizeof *m);

    if (m == NULL)
        return HK_ENOMEM;
    *m = (struct pipewire_member){.graph = graph, .number = number};
    use_folder();
    lib.pw_init(NULL, NULL);
    enum hk_status status = connect_core(m);
    if (status != HK_OK) {
        forget(m);
        return status;
    }
    /* From here on the library's threads may know it: it stays for the life of the process. */
    *joined = m;
    status = add_filter(m);
    if (status == HK_OK && lib.pw_thread_loop_start(m->loop) != 0)
        status = HK_EIO;
    for (int i = 0; i < SETTLE_TRIES && status == HK_OK && !has_settled(m); i++)
        nanosleep(&pause_between, NULL);
    return status == HK_OK && !has_settled(m) ? HK_ETIMEOUT : status;
}

static enum hk_status pipewire_link(const struct hk_audio_graph *graph, void *joined)
{
    struct pipewire_member *m = joined;
    enum hk_status status = HK_OK;

    lib.pw_thread_loop_lock(m->loop);
    for (size_t i = 1; i < graph->client_count && status == HK_OK; i++) {
        char from[HK_AUDIO_NAME_BYTES], to[HK_AUDIO_NAME_BYTES];
        hk_audio_client_name(i - 1, from);
        hk_audio_client_name(i, to);
        struct pw_properties *p = lib.pw_properties_new(PW_KEY_LINK_OUTPUT_NODE, from,
                                                    PW_KEY_LINK_INPUT_NODE, to, NULL);
        if (p == NULL || pw_core_create_object(m->core, "link-factory", PW_TYPE_INTERFACE_Link,
                                               PW_VERSION_LINK, &p->dict, 0) == NULL)
            status = HK_EIO;
        lib.pw_properties_free(p);
    }
    lib.pw_thread_loop_unlock(m->loop);
    return status;
}

const struct hk_audio_server hk_audio_server_pipewire = {
    .name = "pipewire",
    .program = "pipewire",
    .package = "pipewire",
    .load = pipewire_load,
    .become = pipewire_become,
    .join = pipewire_join,
    .link = pipewire_link,
};
