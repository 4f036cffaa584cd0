/* SPDX-License-Identifier: MIT */
#include "hk/path/filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hk/base/units.h"
#include "hk/transport/ipc.h"

/* What the filter keeps begins with this. */
static const uint32_t magic = 0x686b6266; /* "hkbf" */
static const uint32_t keep_mask = 0xffff;
static const uint32_t keep_least = HK_FILTER_PACKET_BYTES;

enum { LOG_STATISTICS = 4 }; /* BPF_LOG_STATS: one line, whatever the program's size */

/* --- the decision ------------------------------------------------------------------------- */

static void put_word(unsigned char *at, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(word >> (24 - 8 * i));
}

static uint64_t word_at(const unsigned char *at)
{
    return (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
}

void hk_filter_packet(unsigned char packet[HK_FILTER_PACKET_BYTES], uint64_t seed)
{
    uint64_t x = seed;

    for (size_t i = 0; i < HK_FILTER_PACKET_BYTES; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX generator */
        packet[i] = (unsigned char)(x >> 56);
    }
    put_word(packet, magic);
}

void hk_filter_spoil(unsigned char packet[HK_FILTER_PACKET_BYTES])
{
    put_word(packet, ~magic);
}

/* Factor of step i: odd, so that nothing is lost. */
static int32_t factor(uint32_t i)
{
    return (int32_t)(2 * (i % 1000) + 3);
}

enum { FRAME_INSTRUCTIONS = 14, BRANCH_TAIL_INSTRUCTIONS = 6 }; /* around what a size repeats */

static uint64_t hash_straight(uint32_t size, const uint64_t words[3])
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < size - FRAME_INSTRUCTIONS; i++) {
        switch (i % 4) {
        case 0: hash += words[0]; break;
        case 1: hash ^= words[1]; break;
        case 2: hash *= (uint64_t)factor(i); break;
        default: hash += words[2]; break;
        }
    }
    return hash;
}

uint32_t hk_filter_decide(const struct hk_filter *filter,
                          const unsigned char packet[HK_FILTER_PACKET_BYTES])
{
    const uint64_t words[3] = {word_at(packet), word_at(packet + 4), word_at(packet + 8)};

    if (words[0] != magic)
        return 0;
    const uint64_t hash = filter->shape == HK_FILTER_STRAIGHT
                              ? hash_straight(filter->size, words)
                              : words[1] & ((1u << filter->size) - 1);
    return ((uint32_t)hash & keep_mask) | keep_least;
}

/* --- the program --------------------------------------------------------------------------- */

static void emit(struct hk_filter_program *p, unsigned code, unsigned to, unsigned from, int offset,
                 int32_t value)
{
    p->instructions[p->count++] = (struct bpf_insn){
        .code = (__u8)code, .dst_reg = to & 15, .src_reg = from & 15, .off = (__s16)offset,
        .imm = value};
}

static void emit_number(struct hk_filter_program *p, unsigned operation, unsigned to, int32_t value)
{
    emit(p, BPF_ALU64 | operation | BPF_K, to, 0, 0, value);
}

static void emit_register(struct hk_filter_program *p, unsigned operation, unsigned to,
                          unsigned from)
{
    emit(p, BPF_ALU64 | operation | BPF_X, to, from, 0, 0);
}

/* Register 0 becomes a word of the packet, in host order; registers 1 to 5 are lost. */
static void emit_word(struct hk_filter_program *p, int32_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, 0, offset);
}

/* Words 0 to 2 into registers 7 to 9; a packet without the magic is dropped. 11 instructions. */
static void emit_head(struct hk_filter_program *p)
{
    emit_register(p, BPF_MOV, BPF_REG_6, BPF_REG_1); /* where BPF_ABS looks for the packet */
    emit_word(p, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, (int32_t)magic);
    emit_number(p, BPF_MOV, BPF_REG_0, 0);
    emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    emit_register(p, BPF_MOV, BPF_REG_7, BPF_REG_0);
    emit_word(p, 4);
    emit_register(p, BPF_MOV, BPF_REG_8, BPF_REG_0);
    emit_word(p, 8);
    emit_register(p, BPF_MOV, BPF_REG_9, BPF_REG_0);
    emit_number(p, BPF_MOV, BPF_REG_0, 0);
}

static void emit_straight(struct hk_filter_program *p, uint32_t size)
{
    for (uint32_t i = 0; i < size - FRAME_INSTRUCTIONS; i++) {
        switch (i % 4) {
        case 0: emit_register(p, BPF_ADD, BPF_REG_0, BPF_REG_7); break;
        case 1: emit_register(p, BPF_XOR, BPF_REG_0, BPF_REG_8); break;
        case 2: emit_number(p, BPF_MUL, BPF_REG_0, factor(i)); break;
        default: emit_register(p, BPF_ADD, BPF_REG_0, BPF_REG_9); break;
        }
    }
}

/*
 * Each branch adds its bit or not. In the end the sum addresses the stack, so that the
 * verifier needs its exact value on every path, and no two paths are alike to it.
 */
static void emit_branchy(struct hk_filter_program *p, uint32_t branches)
{
    for (uint32_t b = 0; b < branches; b++) {
        emit(p, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_8, 0, 1, (int32_t)(1u << b));
        emit(p, BPF_JMP | BPF_JA, 0, 0, 1, 0);
        emit_number(p, BPF_ADD, BPF_REG_0, (int32_t)(1u << b));
    }
    emit_register(p, BPF_MOV, BPF_REG_1, BPF_REG_0);
    emit_number(p, BPF_AND, BPF_REG_1, 0xf8);
    emit_register(p, BPF_MOV, BPF_REG_2, BPF_REG_10);
    emit_number(p, BPF_ADD, BPF_REG_2, -256);
    emit_register(p, BPF_ADD, BPF_REG_2, BPF_REG_1);
    emit(p, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_9, 0, 0);
}

static void emit_tail(struct hk_filter_program *p)
{
    emit_number(p, BPF_AND, BPF_REG_0, (int32_t)keep_mask);
    emit_number(p, BPF_OR, BPF_REG_0, (int32_t)keep_least);
    emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

enum hk_status hk_filter_init(const struct hk_filter *filter, struct hk_filter_program *program)
{
    const bool straight = filter->shape == HK_FILTER_STRAIGHT;
    const uint32_t size = filter->size;

    if (straight ? size < HK_FILTER_SIZE_MIN || size > HK_FILTER_SIZE_MAX
                 : size < 1 || size > HK_FILTER_BRANCHES_MAX)
        return HK_EINVAL;
    const size_t room = straight ? size : FRAME_INSTRUCTIONS + 3 * size + BRANCH_TAIL_INSTRUCTIONS;
    struct hk_filter_program p = {.instructions = calloc(room, sizeof *p.instructions)};
    if (p.instructions == NULL)
        return HK_ENOMEM;
    emit_head(&p);
    if (straight)
        emit_straight(&p, size);
    else
        emit_branchy(&p, size);
    emit_tail(&p);
    *program = p;
    return HK_OK;
}

void hk_filter_fini(struct hk_filter_program *program)
{
    free(program->instructions);
    *program = (struct hk_filter_program){0};
}

/* --- the kernel ----------------------------------------------------------------------------- */

static int bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static union bpf_attr load_attributes(const struct hk_filter_program *program)
{
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attributes.insns = (uintptr_t)program->instructions;
    attributes.insn_cnt = (uint32_t)program->count;
    attributes.license = (uintptr_t) "MIT";
    return attributes;
}

enum hk_status hk_filter_load(const struct hk_filter_program *program, int *fd,
                              char reason[HK_REASON_BYTES])
{
    union bpf_attr attributes = load_attributes(program);
    const int loaded = bpf(BPF_PROG_LOAD, &attributes);

    if (loaded < 0) {
        snprintf(reason, HK_REASON_BYTES, "eBPF: %s; %s", strerror(errno),
                 errno == EPERM ? "run as root, or grant CAP_BPF"
                                : "a kernel with CONFIG_BPF_SYSCALL is needed");
        return HK_ENOTSUP;
    }
    *fd = loaded;
    return HK_OK;
}

enum hk_status hk_filter_processed(const struct hk_filter_program *program, uint64_t *count)
{
    union bpf_attr attributes = load_attributes(program);
    char log[1024] = "";
    unsigned long long processed;

    attributes.log_level = LOG_STATISTICS;
    attributes.log_buf = (uintptr_t)log;
    attributes.log_size = sizeof log;
    const int fd = bpf(BPF_PROG_LOAD, &attributes);
    if (fd < 0)
        return HK_ENOTSUP;
    close(fd);
    log[sizeof log - 1] = '\0';
    const char *at = strstr(log, "processed ");
    if (at == NULL || sscanf(at, "processed %llu insns", &processed) != 1)
        return HK_EPARSE;
    *count = processed;
    return HK_OK;
}

enum hk_status hk_filter_run(int fd, const unsigned char packet[HK_FILTER_PACKET_BYTES],
                             uint32_t repeats, uint32_t *keep)
{
    /* The kernel takes an Ethernet header off: the filter then sees what a socket shows it. */
    enum { HEADER_BYTES = 14 };
    unsigned char frame[HEADER_BYTES + HK_FILTER_PACKET_BYTES] = {0};
    union bpf_attr attributes;

    memcpy(frame + HEADER_BYTES, packet, HK_FILTER_PACKET_BYTES);
    memset(&attributes, 0, sizeof attributes);
    attributes.test.prog_fd = (uint32_t)fd;
    attributes.test.data_in = (uintptr_t)frame;
    attributes.test.data_size_in = sizeof frame;
    attributes.test.repeat = repeats;
    if (bpf(BPF_PROG_TEST_RUN, &attributes) != 0)
        return hk_errno_status(errno);
    *keep = attributes.test.retval;
    return HK_OK;
}

enum hk_status hk_filter_attach(int socket, int fd)
{
    const int option = fd < 0 ? SO_DETACH_BPF : SO_ATTACH_BPF;

    return setsockopt(socket, SOL_SOCKET, option, &fd, sizeof fd) == 0 ? HK_OK
                                                                      : hk_errno_status(errno);
}
