/* SPDX-License-Identifier: MIT */
/* Every transport of this folder; registry.c lists them. */
#ifndef HK_TRANSPORT_TRANSPORTS_H
#define HK_TRANSPORT_TRANSPORTS_H

#include "hk/transport/transport.h"

extern const struct hk_transport hk_transport_null;
extern const struct hk_transport hk_transport_inline;
extern const struct hk_transport hk_transport_pipe;
extern const struct hk_transport hk_transport_unix_stream;
extern const struct hk_transport hk_transport_unix_dgram;
extern const struct hk_transport hk_transport_unix_seqpacket;

#endif
