/* SPDX-License-Identifier: MIT */
/*
 * One packet filter in three forms: a program for the kernel's eBPF machine, made by size or
 * by branching, the same decision as a compiled function, and a datagram socket that the
 * program can be attached to.
 */
#ifndef HK_PATH_FILTER_H
#define HK_PATH_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/transport/transport.h"

enum {
    HK_FILTER_PACKET_BYTES = 64,
    HK_FILTER_SIZE_MIN = 16,
    HK_FILTER_SIZE_MAX = 900000, /* the verifier looks at a million */
    HK_FILTER_BRANCHES_MAX = 14,
};

enum hk_filter_shape {
    HK_FILTER_STRAIGHT, /* so many instructions, each executed */
    HK_FILTER_BRANCHY,  /* so many branches that the verifier must follow both ways */
};

struct hk_filter {
    enum hk_filter_shape shape;
    uint32_t size; /* instructions, or branches */
};

/* Fill a packet that the filter keeps; its last bytes are of the seed. */
void hk_filter_packet(unsigned char packet[HK_FILTER_PACKET_BYTES], uint64_t seed);

/* Make a packet one that is dropped. */
void hk_filter_spoil(unsigned char packet[HK_FILTER_PACKET_BYTES]);

/* The decision, compiled in: bytes to keep as the program returns them; 0: drop. */
uint32_t hk_filter_decide(const struct hk_filter *filter,
                          const unsigned char packet[HK_FILTER_PACKET_BYTES]);

/* A program, ready to be loaded again and again. */
struct hk_filter_program {
    size_t count;          /* instructions */
    struct bpf_insn *instructions;
};

/* HK_EINVAL for a size out of range; HK_ENOMEM. Undone by hk_filter_fini. */
enum hk_status hk_filter_init(const struct hk_filter *filter, struct hk_filter_program *program);
void hk_filter_fini(struct hk_filter_program *program);

/*
 * Load: the kernel verifies and compiles it.
 *
 * fd  [out]  of the loaded program; the kernel forgets it with its last descriptor
 *
 * Returns HK_OK; HK_ENOTSUP with cause and remedy.
 */
enum hk_status hk_filter_load(const struct hk_filter_program *program, int *fd,
                              char reason[HK_REASON_BYTES]);

/* Instructions the verifier processed to accept the program. HK_ENOTSUP, HK_EPARSE. */
enum hk_status hk_filter_processed(const struct hk_filter_program *program, uint64_t *count);

/*
 * Have the kernel run a loaded program on a packet, with nothing attached.
 *
 * repeats  [in]   1 to 2^31 - 1
 * keep     [out]  what it returned
 */
enum hk_status hk_filter_run(int fd, const unsigned char packet[HK_FILTER_PACKET_BYTES],
                             uint32_t repeats, uint32_t *keep);

/* Ask a loaded program about each datagram that arrives at a socket; -1: nobody. */
enum hk_status hk_filter_attach(int socket, int fd);

#endif
