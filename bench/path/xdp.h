/* SPDX-License-Identifier: MIT */
/* Programs at the far end of a wire, before any stack: what both users of them share. */
#ifndef HK_PATH_XDP_H
#define HK_PATH_XDP_H

#include <linux/bpf.h>
#include <stddef.h>

#include "nets.h"

enum {
    ETHERNET_BYTES = 14,
    IP_SOURCE = ETHERNET_BYTES + 12,
    UDP_PORTS = ETHERNET_BYTES + 20,
    HEADERS_BYTES = ETHERNET_BYTES + 20 + 8,
};

#define LOAD(size, to, from, at) {BPF_LDX | BPF_MEM | (size), (to), (from), (at), 0}
#define STORE(size, to, at, from) {BPF_STX | BPF_MEM | (size), (to), (from), (at), 0}
#define MOVE(to, from) {BPF_ALU64 | BPF_MOV | BPF_X, (to), (from), 0, 0}
#define NUMBER(operation, to, value) {BPF_ALU64 | (operation) | BPF_K, (to), 0, 0, (value)}
#define EXIT() {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}

/* As a little-endian machine loads what is in network order. */
#define IP_TYPE 0x0008
#define ECHO_PORT ((HK_NET_PORT & 0xff) << 8 | HK_NET_PORT >> 8)
#define UDP_NUMBER 17

/* Instruction number `at` jumps to number `pass`. */
#define UNLESS(compare, register, is, pass, at)                                                   \
    {BPF_JMP | (compare) | BPF_K, (register), 0, (pass) - (at) - 1, (is)}

/*
 * The first eleven instructions: go on with datagrams for the echo's port, with the frame in
 * register 2 and the port in 5; what is another's goes to instruction number `pass`.
 */
#define UNLESS_ECHO_GOTO(pass)                                                                    \
    LOAD(BPF_W, 2, 1, offsetof(struct xdp_md, data)),                                             \
        LOAD(BPF_W, 3, 1, offsetof(struct xdp_md, data_end)), MOVE(4, 2),                         \
        NUMBER(BPF_ADD, 4, HEADERS_BYTES),                                                        \
        {BPF_JMP | BPF_JGT | BPF_X, 4, 3, (pass) - 4 - 1, 0}, /* too short */                     \
        LOAD(BPF_H, 4, 2, 12), UNLESS(BPF_JNE, 4, IP_TYPE, pass, 6),                              \
        LOAD(BPF_B, 4, 2, ETHERNET_BYTES + 9), UNLESS(BPF_JNE, 4, UDP_NUMBER, pass, 8),           \
        LOAD(BPF_H, 5, 2, UDP_PORTS + 2), UNLESS(BPF_JNE, 5, ECHO_PORT, pass, 10)

/* The system call; -1 with errno. */
int hk_xdp_bpf(int command, union bpf_attr *attributes);

/* HK_ENOTSUP, with what cannot be had, errno's cause and the remedy as the reason. */
enum hk_status hk_xdp_refuse(char reason[HK_REASON_BYTES], const char *what);

/*
 * Load a program and put it at the server's end of the wire, in the mode that every device has
 * (SKB). It stays as long as *link is open.
 */
enum hk_status hk_xdp_attach(const struct bpf_insn *program, size_t count, int *link,
                             char reason[HK_REASON_BYTES]);

#endif
