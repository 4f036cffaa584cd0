/* SPDX-License-Identifier: MIT */
/*
 * JACK with its dummy driver: a device that keeps time and has no sound. The library starts a
 * thread for the callback in every client's process.
 */
#include <jack/jack.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audio_server.h"
#include "hk/base/units.h"

/* All that is called of the library, which is loaded when a cell asks for it. */
#define FUNCTIONS(F)                                                                              \
    F(jack_activate) F(jack_client_open) F(jack_connect) F(jack_last_frame_time)                  \
    F(jack_port_get_buffer) F(jack_port_register) F(jack_set_error_function)                      \
    F(jack_set_info_function) F(jack_set_process_callback) F(jack_set_xrun_callback)

#define MEMBER(name) __typeof__(name) *name;
static struct { FUNCTIONS(MEMBER) } lib;

#define SYMBOL(name) {#name, &lib.name},
static bool jack_load(void)
{
    static const struct hk_audio_symbol symbols[] = {FUNCTIONS(SYMBOL)};

    return hk_audio_load("libjack.so.0", symbols, HK_ARRAY_COUNT(symbols));
}

/* Seen in /dev/shm, which is the launch's own. */
#define SERVER_NAME "hkbench"

/* What a callback needs; one per process, for its life. */
struct jack_member {
    struct hk_audio_graph *graph;
    size_t number;
    jack_client_t *client;
    jack_port_t *in;
    jack_port_t *out;
};

static void jack_become(const char *path, const struct hk_audio_graph *graph)
{
    char rate[16], frames[16];

    snprintf(rate, sizeof rate, "%d", HK_AUDIO_RATE_HZ);
    snprintf(frames, sizeof frames, "%u", graph->period_frames);
    setenv("JACK_NO_AUDIO_RESERVATION", "1", 1); /* there is no device to ask the session bus for */
    execl(path, path, "-n", SERVER_NAME, "-r", "-d", "dummy", "-r", rate, "-p", frames,
          (char *)NULL);
}

static int called(jack_nframes_t frames, void *argument)
{
    const uint64_t at_ns = hk_monotonic_ns();
    struct jack_member *m = argument;
    const float *in = m->in != NULL ? lib.jack_port_get_buffer(m->in, frames) : NULL;

    hk_audio_called(m->graph, m->number, at_ns, lib.jack_last_frame_time(m->client), frames, in,
                    lib.jack_port_get_buffer(m->out, frames));
    return 0;
}

static int count_xrun(void *argument)
{
    struct jack_member *m = argument;

    if (atomic_load(&m->graph->recording))
        atomic_fetch_add(&m->graph->clients[m->number].xruns, 1);
    return 0;
}

static void keep_silent(const char *message)
{
    (void)message; /* a server that is not there yet is no news */
}

static bool register_ports(struct jack_member *m)
{
    m->out = lib.jack_port_register(m->client, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput,
                                     0);
    if (m->number > 0)
        m->in = lib.jack_port_register(m->client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput,
                                        0);
    return m->out != NULL && (m->number == 0 || m->in != NULL);
}

static enum hk_status jack_join(struct hk_audio_graph *graph, size_t number, void **joined)
{
    static const jack_options_t options = JackNoStartServer | JackUseExactName | JackServerName;
    struct jack_member *m = calloc(1, sizeof *m);
    char name[HK_AUDIO_NAME_BYTES];

    if (m == NULL)
        return HK_ENOMEM;
    lib.jack_set_error_function(keep_silent);
    lib.jack_set_info_function(keep_silent);
    hk_audio_client_name(number, name);
    *m = (struct jack_member){.graph = graph, .number = number,
                              .client = lib.jack_client_open(name, options, NULL, SERVER_NAME)};
    if (m->client == NULL) {
        free(m);
        return HK_EPEER;
    }
    /* From here on the library's threads may know it: it stays for the life of the process. */
    *joined = m;
    return register_ports(m) && lib.jack_set_process_callback(m->client, called, m) == 0 &&
                   lib.jack_set_xrun_callback(m->client, count_xrun, m) == 0 &&
                   lib.jack_activate(m->client) == 0
               ? HK_OK
               : HK_EIO;
}

static enum hk_status jack_link(const struct hk_audio_graph *graph, void *joined)
{
    const struct jack_member *m = joined;

    for (size_t i = 1; i < graph->client_count; i++) {
        char from[HK_AUDIO_NAME_BYTES], to[HK_AUDIO_NAME_BYTES], out[32], in[32];
        hk_audio_client_name(i - 1, from);
        hk_audio_client_name(i, to);
        snprintf(out, sizeof out, "%s:out", from);
        snprintf(in, sizeof in, "%s:in", to);
        if (lib.jack_connect(m->client, out, in) != 0)
            return HK_EIO;
    }
    return HK_OK;
}

const struct hk_audio_server hk_audio_server_jack = {
    .name = "jack",
    .program = "jackd",
    .package = "jackd2",
    .tells_xruns = true,
    .load = jack_load,
    .become = jack_become,
    .join = jack_join,
    .link = jack_link,
};
