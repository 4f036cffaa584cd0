/* SPDX-License-Identifier: MIT */
/* What the newest job says, series by series, given those before it. */
#ifndef HK_HISTORY_CHECK_H
#define HK_HISTORY_CHECK_H

#include "hk/history/history.h"

#define HK_TRACK_WINDOW_MAX 60u

enum hk_track_verdict {
    HK_TRACK_STEADY,
    HK_TRACK_FASTER,
    HK_TRACK_SLOWER,
    HK_TRACK_SUSPECT,  /* the newest value stands out, or cannot be held against the others */
    HK_TRACK_UNJUDGED, /* reason says why */
};

/* "steady", "faster", "SLOWER", "suspect", "not judged". */
const char *hk_track_verdict_name(enum hk_track_verdict verdict);

struct hk_track_options {
    const char *filter;          /* extended regular expression, or NULL */
    double false_discovery_ratio; /* 0.01 */
    double difference_ratio;     /* changes of times up to this are too small to matter: 0.03 */
    double floor_instructions;   /* of exact counts: 5 */
    double floor_ns;             /* of times: 1 */
    uint64_t seed;
    size_t thread_count;
    bool every_series; /* also those that the newest commit did not measure */
};

/* What is used unless asked otherwise. */
extern const struct hk_track_options hk_track_defaults;

struct hk_track_row {
    const struct hk_history_series *series;
    enum hk_track_verdict verdict;
    size_t count;        /* values judged */
    double before;       /* level of the normal: ns, instructions, or a ratio to the reference */
    double after;        /* level now */
    double p_adjusted;   /* of times; 1 for counts */
    int64_t job_before;  /* it changed after this job */
    int64_t job_after;   /* and by this one; 0 when it did not change */
    char reason[200];
};

struct hk_track_check {
    struct hk_history_list list;
    struct hk_track_row *rows; /* one per series of the list that is not left out */
    size_t count;
    size_t judged_count;
    size_t elsewhere_count; /* series that the newest commit did not measure */
    size_t verdicts[HK_TRACK_UNJUDGED + 1];
};

/*
 * Judge.
 *
 * check  [out]  to be released with hk_track_check_fini
 *
 * Exact counts: any difference from the accepted level beyond the floor is a change. Times and
 * near counts: hk_change_judge over all series at once, on the logarithms of at most
 * HK_TRACK_WINDOW_MAX values since the accepted change; then the gates. A series with a ratio
 * is judged by it, not by its absolute times as well. Returns HK_OK, also without series; the
 * statuses of hk_history_list; hk_history_error says more.
 */
enum hk_status hk_track_check(struct hk_history *history, const struct hk_track_options *options,
                              struct hk_track_check *check);
void hk_track_check_fini(struct hk_track_check *check);

#endif
