/* SPDX-License-Identifier: MIT */
/*
 * Clients of somebody else's audio server, one after the other in its graph, and what their
 * callbacks leave. The first makes samples, each hands them on, and the last knows what must
 * arrive: a period counts as whole when it has passed through all of them.
 */
#ifndef HK_RUN_AUDIO_GRAPH_H
#define HK_RUN_AUDIO_GRAPH_H

#include <stdatomic.h>

#include "experiment.h"

enum { HK_AUDIO_CLIENTS_MAX = 4, HK_AUDIO_RATE_HZ = 48000 };

struct hk_audio_callback {
    uint64_t at_ns; /* its begin, CLOCK_MONOTONIC */
    uint64_t frame; /* the server's name of the period: its first frame */
    bool right;     /* as many samples as agreed and, in the last client, the right ones */
};

/* One process writes: its callbacks, one after the other. */
struct hk_audio_client {
    _Atomic bool joined;
    _Atomic size_t count;
    _Atomic uint64_t xruns;
    struct hk_audio_callback *callbacks;
};

/* In memory that all processes of a launch share. */
struct hk_audio_graph {
    uint32_t period_frames;
    size_t client_count;
    size_t capacity; /* callbacks of a client */
    size_t bytes;    /* of all this */
    bool tells_xruns;
    _Atomic bool recording;
    struct hk_audio_client clients[HK_AUDIO_CLIENTS_MAX];
};

/*
 * Make a graph that has room for a session; NULL when there is no memory.
 *
 * clients        [in]  1 to HK_AUDIO_CLIENTS_MAX
 * period_frames  [in]  >= 1
 */
struct hk_audio_graph *hk_audio_graph_create(size_t clients, uint32_t period_frames,
                                             uint64_t session_ns);
void hk_audio_graph_destroy(struct hk_audio_graph *graph);

/* What a client is called in the server's graph. */
enum { HK_AUDIO_NAME_BYTES = 16 };
void hk_audio_client_name(size_t client, char name[HK_AUDIO_NAME_BYTES]);

/*
 * A client's callback, whichever server calls: record it and hand the samples on.
 *
 * at_ns  [in]   when it began
 * frame  [in]   the period's first frame, as every client is told
 * in     [in]   frames samples; NULL when nothing comes, as always to the first client
 * out    [out]  frames samples; NULL when nobody listens
 */
void hk_audio_called(struct hk_audio_graph *graph, size_t client, uint64_t at_ns, uint64_t frame,
                     uint32_t frames, const float *in, float *out);

/*
 * What a session came to: intervals and lateness of the first client, what each further client of
 * the graph costs, xruns.
 *
 * Returns HK_OK; HK_EROW with task->reason when the samples did not pass; HK_ENOMEM.
 */
enum hk_status hk_audio_report(struct hk_task *task, const struct hk_audio_graph *graph,
                               struct hk_launch *launch);

#endif
