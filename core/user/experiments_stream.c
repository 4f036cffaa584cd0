/* SPDX-License-Identifier: MIT */
/* Byte streams between two processes: the counterpart of a pair of pipes. */
#include "user/experiments.h"

/* Two streams, and a peer at their other ends. */
static void prepare(struct hk_lab *lab, enum hk_peer_role role)
{
    int64_t out = hk_syscall0(HK_SYS_stream_create);
    int64_t in = hk_syscall0(HK_SYS_stream_create);

    hk_lab_peer(lab, role, HK_HANDLE_SELF);
    lab->handle = (uint64_t)out;
    lab->handle2 = (uint64_t)in;
    if (lab->error == NULL &&
        !hk_peer_give(&lab->server[0], lab->handle, lab->handle2, HK_RIGHT_STREAM))
        lab->error = "the streams cannot be set up";
}

static void with_stream(struct hk_lab *lab)
{
    prepare(lab, HK_PEER_STREAM);
}

static void with_exchange(struct hk_lab *lab)
{
    prepare(lab, HK_PEER_EXCHANGE);
}

static void write_read(struct hk_lab *lab, uint64_t ops)
{
    uint64_t out = lab->handle, in = lab->handle2, bytes = lab->parameter;
    char data[8] = "b";

    do {
        if (hk_syscall5(HK_SYS_stream_write, out, (uint64_t)data, bytes, HK_TIMEOUT_NOW, 0) < 1 ||
            hk_syscall5(HK_SYS_stream_read, in, (uint64_t)data, sizeof(data),
                        HK_TIMEOUT_NONE, 0) < 1)
            lab->error = "the stream broke";
    } while (--ops > 0);
    if (data[0] != 'b')
        lab->error = "the bytes are not what was sent";
}

static void exchange(struct hk_lab *lab, uint64_t ops)
{
    uint64_t out = lab->handle, in = lab->handle2, bytes = lab->parameter;
    char data[8] = "b";

    do {
        if (hk_syscall5(HK_SYS_stream_exchange, out, in, (uint64_t)data, bytes, sizeof(data)) < 1)
            lab->error = "the stream broke";
    } while (--ops > 0);
    if (data[0] != 'b')
        lab->error = "the bytes are not what was sent";
}

static void finish(struct hk_lab *lab)
{
    hk_lab_clear(lab);
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle, 0, 0);
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle2, 0, 0);
}

static const struct hk_experiment rows[] = {
    { "guest/round_trip/stream/bytes:1", with_stream, write_read, finish, 1, 0, 0 },
    { "guest/round_trip/stream/bytes:8", with_stream, write_read, finish, 8, 0, 0 },
    { "guest/round_trip/stream_exchange/bytes:1", with_exchange, exchange, finish, 1, 0, 0 },
    { "guest/round_trip/stream_exchange/bytes:8", with_exchange, exchange, finish, 8, 0, 0 },
};

const struct hk_experiment_table hk_experiments_stream = { rows, HK_ARRAY_COUNT(rows) };
