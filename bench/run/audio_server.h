/* SPDX-License-Identifier: MIT */
/* Audio servers of others: how one is started, and how a client of ours joins its graph. */
#ifndef HK_RUN_AUDIO_SERVER_H
#define HK_RUN_AUDIO_SERVER_H

#include "audio_graph.h"

/* A function of a client's library. */
struct hk_audio_symbol {
    const char *name;
    void *pointer; /* to a function pointer of its type */
};

/*
 * Load a client's library and fill in its functions. Linked, the libraries would make every launch
 * of every cell start 5 ms later (docs/decisions/0404-somebody-elses-audio-server.md).
 *
 * Returns whether all of them are there.
 */
bool hk_audio_load(const char *library, const struct hk_audio_symbol *symbols, size_t count);

struct hk_audio_server {
    const char *name;
    const char *missing; /* why none of this can be had, with the remedy; NULL: try */
    const char *program; /* the server's */
    const char *package; /* Debian's, that has it */
    bool tells_xruns;    /* to its clients */

    /* Load the client's library; before anything of it is called, and before forks. */
    bool (*load)(void);

    /* Become the server: returns only when that fails. */
    void (*become)(const char *path, const struct hk_audio_graph *graph);

    /*
     * Join the graph as one client and have hk_audio_called called every period from then on.
     *
     * joined  [out]  the server's word for us, for link
     *
     * Returns HK_OK; HK_EPEER when the server does not answer (yet).
     */
    enum hk_status (*join)(struct hk_audio_graph *graph, size_t client, void **joined);

    /* Connect all clients of the graph in a row; in the first one, when all have joined. */
    enum hk_status (*link)(const struct hk_audio_graph *graph, void *joined);
};

extern const struct hk_audio_server hk_audio_server_jack;
extern const struct hk_audio_server hk_audio_server_pipewire;

#endif
