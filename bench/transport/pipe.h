/* SPDX-License-Identifier: MIT */
/* The pair of pipes that transports over pipes share; private to this folder. */
#ifndef HK_TRANSPORT_PIPE_H
#define HK_TRANSPORT_PIPE_H

#include "stream.h"

struct hk_pipe_pair {
    /* Indexed by the side that reads; both ends stay open in both sides, so that
     * a dead reader makes a full pipe and not a SIGPIPE. */
    int fds[2][2];
    struct hk_stream streams[2];
};

enum hk_status hk_pipe_open(struct hk_link *link);
enum hk_status hk_pipe_receive(struct hk_link *link, enum hk_side side, void *data, size_t capacity,
                               size_t *bytes);
void hk_pipe_close(struct hk_link *link);

#endif
