/* SPDX-License-Identifier: MIT */
/* Stands in for io_uring.c where liburing is not installed. */
#include "link.h"
#include "transports.h"

static enum hk_status none_probe(char reason[HK_REASON_BYTES])
{
    return hk_reason_set(reason, "built without liburing: install liburing-dev and build again");
}

const struct hk_transport hk_transport_io_uring = {
    .name = "io_uring",
    .summary = "io_uring over Unix packet sockets: send and receive in one submission",
    .flags = HK_TRANSPORT_DATAGRAM,
    .message_bytes_max = 128 * HK_KIB,
    .probe = none_probe,
};

const struct hk_transport hk_transport_io_uring_sqpoll = {
    .name = "io_uring_sqpoll",
    .summary = "the same with kernel threads that poll for submissions",
    .flags = HK_TRANSPORT_DATAGRAM | HK_TRANSPORT_TWO_CPUS,
    .message_bytes_max = 128 * HK_KIB,
    .probe = none_probe,
};
