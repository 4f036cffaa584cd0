/* SPDX-License-Identifier: MIT */
/*
 * What can be measured on this machine, what cannot, why, and the remedy. One
 * row per ability; a probe tries the thing itself where that is harmless, and
 * leaves nothing changed.
 */
#ifndef HK_MACHINE_PROBE_H
#define HK_MACHINE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#define HK_PROBE_TEXT_BYTES 240

enum hk_probe_state {
    HK_PROBE_OK,
    HK_PROBE_PARTLY, /* works, but less than it could */
    HK_PROBE_NO,
};

struct hk_probe_result {
    enum hk_probe_state state;
    char detail[HK_PROBE_TEXT_BYTES]; /* what was found */
    char remedy[HK_PROBE_TEXT_BYTES]; /* what to do about it; "" when OK or when nothing helps */
};

struct hk_probe {
    const char *group; /* "processor", "counters", ... */
    const char *name;  /* "two cores" */
    const char *use;   /* what is measured with it */
    const char *argument;

    /*
     * Finds out.
     *
     * search_path  [in]   folders of programs, as in PATH
     * result       [out]  always written
     */
    void (*run)(const struct hk_probe *probe, const char *search_path,
                struct hk_probe_result *result);
};

/* In the order in which doctor prints them; a group's rows stand together. */
extern const struct hk_probe hk_probes[];
extern const size_t hk_probe_count;

/*
 * Whether a program is in one of the folders of search_path, as in PATH; NULL: none.
 *
 * path   [out]  where, if it is
 * bytes  [in]   room; a longer path does not count
 */
bool hk_program_find(const char *name, const char *search_path, char *path, size_t bytes);

/* "ok", "partly" or "no". */
const char *hk_probe_state_name(enum hk_probe_state state);

#endif
