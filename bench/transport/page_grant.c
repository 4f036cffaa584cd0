/* SPDX-License-Identifier: MIT */
/*
 * A message is pages of a memfd, handed over by remapping: the sender unmaps
 * them, the receiver maps them, nothing is copied. hk_link_message() is where
 * the pages appear; a message that lies elsewhere is copied there first. Beside
 * it the fallback with the same doorbell, which copies in and out of memory
 * that both have mapped. There are calls only: one set of pages goes to and fro.
 *
 * Granted are whole pages; the rest of the last page goes along, and has never
 * held anything but messages of these two sides.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bell.h"
#include "transports.h"

struct grant_state {
    struct hk_bells bells;
    int memfd;
    bool remaps;
    unsigned char *pages;         /* the same address in both sides */
    size_t pages_bytes;
    size_t unmapped_bytes[2];     /* by own side: what it has granted away */
    _Atomic uint64_t *in_flight_bytes; /* length of the message; shared */
};

static size_t page_round(size_t bytes)
{
    return (bytes + HK_PAGE_BYTES - 1) & ~(size_t)(HK_PAGE_BYTES - 1);
}

static enum hk_status pages_map(struct grant_state *state, size_t bytes, int more_flags)
{
    void *mapped = mmap(state->pages, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_FIXED | more_flags, state->memfd, 0);

    return mapped == MAP_FAILED ? hk_errno_status(errno) : HK_OK;
}

static enum hk_status grant_open_as(struct hk_link *link, bool remaps)
{
    struct grant_state *state = calloc(1, sizeof(*state));

    if (!state)
        return HK_ENOMEM;
    link->state = state;
    state->bells = (struct hk_bells){.fds = {-1, -1}};
    state->remaps = remaps;
    state->pages_bytes = page_round(link->options.message_bytes);
    state->memfd = memfd_create("hk_page_grant", MFD_CLOEXEC);
    if (state->memfd < 0 || ftruncate(state->memfd, (off_t)state->pages_bytes) != 0)
        return hk_errno_status(errno);
    void *length = mmap(NULL, HK_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
    if (length == MAP_FAILED)
        return HK_ENOMEM;
    state->in_flight_bytes = length;
    /* Reserves the addresses before the sides part. */
    void *pages = mmap(NULL, state->pages_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return HK_ENOMEM;
    state->pages = pages;
    return hk_bells_open(&state->bells);
}

static enum hk_status grant_open(struct hk_link *link)
{
    return grant_open_as(link, true);
}

static enum hk_status copy_open(struct hk_link *link)
{
    return grant_open_as(link, false);
}

static enum hk_status grant_attach(struct hk_link *link, enum hk_side side)
{
    struct grant_state *state = link->state;

    (void)side;
    return pages_map(state, state->pages_bytes, MAP_POPULATE);
}

static void *grant_message(struct hk_link *link, enum hk_side side)
{
    struct grant_state *state = link->state;

    (void)side;
    return state->pages;
}

static enum hk_status grant_send(struct hk_link *link, enum hk_side side, const void *data,
                                 size_t bytes)
{
    struct grant_state *state = link->state;
    size_t granted_bytes = state->remaps ? page_round(bytes) : 0;

    if (data != state->pages)
        memcpy(state->pages, data, bytes);
    if (granted_bytes > 0 && mmap(state->pages, granted_bytes, PROT_NONE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return hk_errno_status(errno);
    state->unmapped_bytes[side] = granted_bytes;
    atomic_store_explicit(state->in_flight_bytes, bytes, memory_order_release);
    return hk_bell_ring(link, side, &state->bells);
}

static enum hk_status grant_receive(struct hk_link *link, enum hk_side side, void *data,
                                    size_t capacity, size_t *bytes)
{
    struct grant_state *state = link->state;
    enum hk_status status = hk_bell_wait(link, side, &state->bells);

    if (status != HK_OK)
        return status;
    size_t got = atomic_load_explicit(state->in_flight_bytes, memory_order_acquire);
    if (got > capacity || got > state->pages_bytes)
        return HK_ETOOBIG;
    /* What arrives, and what this side had given away beyond it: its buffer is whole again. */
    size_t map_bytes = state->remaps ? page_round(got) : 0;
    if (map_bytes < state->unmapped_bytes[side])
        map_bytes = state->unmapped_bytes[side];
    if (map_bytes > 0)
        status = pages_map(state, map_bytes, MAP_POPULATE);
    if (status != HK_OK)
        return status;
    state->unmapped_bytes[side] = 0;
    if (data != state->pages)
        memcpy(data, state->pages, got);
    *bytes = got;
    return HK_OK;
}

static void grant_close(struct hk_link *link)
{
    struct grant_state *state = link->state;

    hk_bells_close(&state->bells);
    hk_fd_close(&state->memfd);
    if (state->pages)
        munmap(state->pages, state->pages_bytes);
    if (state->in_flight_bytes)
        munmap(state->in_flight_bytes, HK_PAGE_BYTES);
    free(state);
}

const struct hk_transport hk_transport_page_grant = {
    .name = "page_grant",
    .summary = "pages of a memfd handed over by remapping, an eventfd as doorbell: no copy",
    .flags = HK_TRANSPORT_ZERO_COPY | HK_TRANSPORT_CALL_ONLY,
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 4,
              .client_syscalls_max = 4,
              .server_syscalls_min = 4,
              .server_syscalls_max = 4},
    .open = grant_open,
    .attach = grant_attach,
    .send = grant_send,
    .receive = grant_receive,
    .message = grant_message,
    .close = grant_close,
};

const struct hk_transport hk_transport_page_grant_copy = {
    .name = "page_grant_copy",
    .summary = "the same pages, mapped by both sides for good: copied in and out",
    .flags = HK_TRANSPORT_CALL_ONLY,
    .message_bytes_max = HK_MIB,
    .claim = {.same_core_switches_min = 1.9,
              .same_core_switches_max = 2.2,
              .cross_core_switches_max = 2.2,
              .client_syscalls_min = 2,
              .client_syscalls_max = 2,
              .server_syscalls_min = 2,
              .server_syscalls_max = 2},
    .open = copy_open,
    .attach = grant_attach,
    .send = grant_send,
    .receive = grant_receive,
    .close = grant_close,
};
