/* SPDX-License-Identifier: MIT */
/*
 * What a workload makes the client and the services do, repeated on the host: the client's draws are
 * those of the guest (hk/core/mix_draw.h), and of the services as much state is kept as decides how
 * much work a request is (which files' answers are cached, which blocks, which jobs wait). Kinds of
 * work are counted, not instructions; what each costs is somebody else's to know.
 */
#ifndef HK_GUEST_REPLAY_H
#define HK_GUEST_REPLAY_H

#include <stdint.h>

#include "hk/base/status.h"
#include "hk/core/mix.h"

/* X(enumerator, who does it: the client or a service, name of a unit of it) */
#define HK_WORK_LIST(X)                                                      \
    X(REQUEST, CLIENT, "request")                                            \
    X(ENTRY, CLIENT, "row of the mix looked at")                             \
    X(FIND, FILE, "path found")                                              \
    X(LOOKUP, FILE, "lookup asked of the service")                           \
    X(READ, FILE, "page read")                                               \
    X(READ_BYTE, FILE, "byte read")                                          \
    X(LEND, FILE, "lending")                                                 \
    X(LEND_PAGE, FILE, "page lent")                                          \
    X(WRITE, FILE, "page written")                                           \
    X(WRITE_BYTE, FILE, "byte written")                                      \
    X(REPLACE, FILE, "file replaced")                                        \
    X(REPLACE_WRITE, FILE, "page written to a new file")                     \
    X(DATAGRAM, NET, "datagram exchanged")                                   \
    X(DATAGRAM_BYTE, NET, "byte exchanged")                                  \
    X(BLOCK_READ, BLOCK, "block read")                                       \
    X(BLOCK_WRITE, BLOCK, "block written")                                   \
    X(BLOCK_MISS, BLOCK, "block read from the device")                       \
    X(BLOCK_BACK, BLOCK, "block written back")                               \
    X(BLOCK_SCAN, BLOCK, "entry of the cache looked at")                     \
    X(BLOCK_FLUSH, BLOCK, "flush asked for")                                 \
    X(BLOCK_WAKE, BLOCK, "flush in time")                                    \
    X(AUDIO_WRITE, AUDIO, "write to a stream")                               \
    X(AUDIO_BYTE, AUDIO, "byte written to a stream")                         \
    X(AUDIO_WAKE, AUDIO, "period mixed")                                     \
    X(AUDIO_FRAME, AUDIO, "frame mixed")                                     \
    X(ALARM, TIMER, "alarm")                                                 \
    X(ALARM_WAITING, TIMER, "alarm that waits")                              \
    X(ALARM_RING, TIMER, "alarm that goes off")                              \
    X(FILL, DISPLAY, "fill")                                                 \
    X(FILL_PIXEL, DISPLAY, "pixel filled")                                   \
    X(BLIT, DISPLAY, "blit")                                                 \
    X(BLIT_PIXEL, DISPLAY, "pixel blitted")                                  \
    X(BLEND, DISPLAY, "blend")                                               \
    X(BLEND_PIXEL, DISPLAY, "pixel blended")                                 \
    X(DRAW_LINE, DISPLAY, "line drawn")                                      \
    X(JOB, PRINT, "job")                                                     \
    X(JOB_REFUSED, PRINT, "job refused")                                     \
    X(JOB_DATA, PRINT, "page of a job")                                      \
    X(JOB_BYTE, PRINT, "byte of a job")                                      \
    X(BAND, PRINT, "band printed")                                           \
    X(BAND_BYTE, PRINT, "byte printed")                                      \
    X(RANGE, MEMORY, "range of memory")                                      \
    X(RANGE_PAGE, MEMORY, "page touched")

#define HK_SERVICE_CLIENT HK_SERVICES /* in HK_WORK_LIST: the client itself */

enum hk_work {
#define X(work, service, name) HK_WORK_##work,
    HK_WORK_LIST(X)
#undef X
    HK_WORKS,
};

/* Who does it: a service, or HK_SERVICE_CLIENT; and what a unit of it is called. */
unsigned hk_work_service(enum hk_work work);
const char *hk_work_name(enum hk_work work);

/* Of the requests of the region of 2N: the least that so many of a hundred do not exceed. */
enum hk_latency_quantile { HK_LATENCY_P50, HK_LATENCY_P90, HK_LATENCY_P99, HK_LATENCY_QUANTILES };
extern const unsigned hk_latency_percent[HK_LATENCY_QUANTILES];

/* How late the mixer wakes in the region of 2N. */
struct hk_replay_lateness {
    double wakes;
    double underruns; /* wakes later than all but one of the device's periods */
    double sum_ns;
    double square_sum;        /* ns^2 */
    double change_square_sum; /* of how much it changes from one to the next, wakes - 1 of them */
    double longest_ns;        /* as late as a wake could have been: the longest that it may wait */
};

struct hk_replay {
    double work[HK_WORKS];          /* units per request, as a cell's costs: (W(2N) - W(N)) / N */
    uint64_t requests[HK_SERVICES]; /* actions of each service in the region of 2N */
    double busy_mean_ns;            /* of a request there, without the thinking before it */
    double busy_cv2;                /* squared coefficient of variation of that */
    double latency_ns[HK_LATENCY_QUANTILES]; /* of a request there, once it is made: with what is
                                                due before it, and what interrupts it */
    struct hk_replay_lateness lateness;
};

/* What a workload costs where its services are: instructions, the clock by which periods pass. */
struct hk_replay_costs {
    double unit[HK_WORKS]; /* of a unit of each kind of work; the client's thinking is added */
    double held[HK_WORKS]; /* of these with the processor held, so that nobody wakes: half of them
                              when a call begins and half when it ends; all: nobody wakes at all */
    double wake;           /* from the time that the mixer asked for until it runs, if it can */
};

/* Calls of a service that a unit of work is, docs/workloads.md. */
double hk_work_calls(enum hk_work work);

/*
 * Repeat a workload: warm-up, a region of N requests, one of 2N.
 *
 * mix          [in]   checked, as hk_mix_read gives it
 * costs        [in]
 * phase_ratio  [in]   0..1: how much of a mixer's period has passed when the client begins
 * replay       [out]  written only on success
 *
 * Returns HK_OK; HK_EINVAL for a negative or not finite cost or a phase outside its range;
 * HK_ERANGE when mixing a period takes longer than the period: such a mixer leaves nobody else any
 * time; HK_ENOMEM.
 */
enum hk_status hk_mix_replay(const struct hk_mix *mix, const struct hk_replay_costs *costs,
                             double phase_ratio, struct hk_replay *replay);

#endif
