/* SPDX-License-Identifier: MIT */
/*
 * A link over two connected sockets, private to this folder: Unix pairs, TCP and
 * UDP differ in how they open and in whether they keep message boundaries.
 */
#ifndef HK_TRANSPORT_SOCKET_PAIR_H
#define HK_TRANSPORT_SOCKET_PAIR_H

#include "stream.h"

struct hk_socket_pair {
    int fds[2];                  /* by side */
    struct hk_stream streams[2]; /* of byte streams */
    struct hk_credit credits[2]; /* of UDP */
};

/*
 * Allocates the state of a link over fds, which it owns from now on, also when it fails.
 */
enum hk_status hk_socket_pair_open(struct hk_link *link, int fds[2]);

/* Asks for room for one message in flight and one behind it; the system may give less. */
void hk_socket_room(int fd, size_t message_bytes);

enum hk_status hk_socket_pair_attach(struct hk_link *link, enum hk_side side);
void hk_socket_pair_close(struct hk_link *link);

/* For byte streams. */
enum hk_status hk_socket_stream_send(struct hk_link *link, enum hk_side side, const void *data,
                                     size_t bytes);
enum hk_status hk_socket_stream_receive(struct hk_link *link, enum hk_side side, void *data,
                                        size_t capacity, size_t *bytes);

/* For sockets that keep boundaries. */
enum hk_status hk_socket_packet_send(struct hk_link *link, enum hk_side side, const void *data,
                                     size_t bytes);
enum hk_status hk_socket_packet_receive(struct hk_link *link, enum hk_side side, void *data,
                                        size_t capacity, size_t *bytes);

/* Nothing received: is it the end of the connection, and not an empty message? */
bool hk_socket_hung_up(int fd);

#endif
