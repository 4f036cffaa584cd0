/* SPDX-License-Identifier: MIT */
/*
 * A compiled workload: which requests a client makes of the services, how often and how large.
 * The host makes it from workloads/NAME.ini, the kernel hands it to its programs as a module.
 * docs/workloads.md says what the keys mean.
 */
#ifndef HK_CORE_MIX_H
#define HK_CORE_MIX_H

#include <stdint.h>

#include "hk/base/status.h"

/* X(enumerator, name); the order is that of the bits of a placement */
#define HK_SERVICE_LIST(X) \
    X(FILE, file)          \
    X(NET, net)            \
    X(BLOCK, block)        \
    X(AUDIO, audio)        \
    X(TIMER, timer)        \
    X(DISPLAY, display)    \
    X(PRINT, print)        \
    X(MEMORY, memory)

enum hk_service_number {
#define X(number, name) HK_SERVICE_##number,
    HK_SERVICE_LIST(X)
#undef X
    HK_SERVICES,
};

/* X(service, action, section of the INI file, requests of the service, words of its payload) */
#define HK_MIX_ACTION_LIST(X)                   \
    X(FILE, FILE_STAT, "file.stat")             \
    X(FILE, FILE_READ, "file.read")             \
    X(FILE, FILE_LEND, "file.lend")             \
    X(FILE, FILE_WRITE, "file.write")           \
    X(FILE, FILE_REPLACE, "file.replace")       \
    X(NET, NET_EXCHANGE, "net.exchange")        \
    X(BLOCK, BLOCK_READ, "block.read")          \
    X(BLOCK, BLOCK_WRITE, "block.write")        \
    X(BLOCK, BLOCK_FLUSH, "block.flush")        \
    X(AUDIO, AUDIO_WRITE, "audio.write")        \
    X(TIMER, TIMER_ALARM, "timer.alarm")        \
    X(DISPLAY, DISPLAY_FILL, "display.fill")    \
    X(DISPLAY, DISPLAY_BLIT, "display.blit")    \
    X(DISPLAY, DISPLAY_BLEND, "display.blend")  \
    X(PRINT, PRINT_JOB, "print.job")            \
    X(MEMORY, MEMORY_RANGE, "memory.range")

enum hk_mix_action {
#define X(service, action, section) HK_MIX_##action,
    HK_MIX_ACTION_LIST(X)
#undef X
    HK_MIX_ACTIONS,
};

#define HK_MIX_ENTRIES_MAX HK_MIX_ACTIONS
#define HK_MIX_VERSION 2
#define HK_MIX_BYTES_MAX 65536 /* of one action */

struct hk_mix_entry {
    uint64_t action;    /* enum hk_mix_action */
    uint64_t weight;    /* its share of the requests drawn; 0: not drawn */
    uint64_t period_ns; /* or made every so often; 0: not */
    uint64_t count;     /* times in a row */
    uint64_t bytes_min; /* payload, from here ... */
    uint64_t bytes_max; /* ... to here, logarithmically uniform */
    uint64_t unaligned_percent; /* of lendings, whose buffer takes no pages: read instead */
};

/* Little-endian, as it lies in the module. */
struct hk_mix {
    uint64_t version; /* HK_MIX_VERSION */
    uint64_t seed;
    uint64_t requests;           /* of one region; the next has twice as many */
    uint64_t think_instructions; /* the client's own work before each request */
    uint64_t audio_period_ns;    /* how often the mixer wakes */
    uint64_t audio_buffers;      /* periods the device holds */
    uint64_t rate_per_s;         /* of requests that nobody waits for; only for predictions; 0: no */
    uint64_t entry_count;
    struct hk_mix_entry entry[HK_MIX_ENTRIES_MAX];
};

#define HK_MIX_REQUESTS_MAX 1000000
#define HK_MIX_THINK_MAX 1000000
#define HK_MIX_WEIGHT_MAX 1000000
#define HK_MIX_PERIOD_NS_MIN 50000
#define HK_MIX_PERIOD_NS_MAX 1000000000
#define HK_MIX_COUNT_MAX 64
#define HK_MIX_RATE_MAX 1000000000
#define HK_MIX_AUDIO_BUFFERS_MAX 8

#endif
