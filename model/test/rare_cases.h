/* SPDX-License-Identifier: MIT */
/* Rare-event problems with a closed form, at any probability. */
#ifndef HK_MODEL_TEST_RARE_CASES_H
#define HK_MODEL_TEST_RARE_CASES_H

#include <math.h>

#include "hk/model/rare.h"

enum rare_case {
    CASE_EXPONENTIAL,
    CASE_ERLANG, /* four stages: an IPC path */
    CASE_ABSOLUTE,
    CASE_ABSOLUTE_ERLANG,
    CASE_D_M_1, /* queues at utilisation 0.7 */
    CASE_M_M_1,
    CASE_D_ERLANG_1,
    CASE_M_ERLANG_1,
    CASE_D_HYPER_1, /* at utilisation 0.5 */
    CASE_M_HYPER_1,
    CASE_HYPER_SUM,
    CASE_LOMAX_SUM,
    CASE_LOMAX_HEAVIER_SUM,
    CASE_WEIBULL_SUM,
    CASE_WEIBULL_LIGHTER_SUM,
    CASE_COUNT,
};

#define EXPONENTIAL {HK_DELAY_EXPONENTIAL, 1.0, 0.0, 0.0}
#define HYPER {HK_DELAY_HYPEREXPONENTIAL, 1.0, 0.01, 20.0}
#define LOMAX {HK_DELAY_LOMAX, 1.0, 2.0, 0.0}
#define LOMAX_HEAVIER {HK_DELAY_LOMAX, 1.0, 1.2, 0.0}
#define WEIBULL {HK_DELAY_WEIBULL, 1.0, 0.5, 0.0}
#define WEIBULL_LIGHTER {HK_DELAY_WEIBULL, 1.0, 0.8, 0.0}

static const struct {
    const char *name;
    struct hk_rare_problem problem; /* without its headroom */
} rare_cases[CASE_COUNT] = {
    {"exponential", {HK_UNDERRUN_DEVICE, EXPONENTIAL, 1, 0, 0, false, 0}},
    {"Erlang-4", {HK_UNDERRUN_DEVICE, EXPONENTIAL, 4, 0, 0, false, 0}},
    {"absolute", {HK_UNDERRUN_ABSOLUTE, EXPONENTIAL, 1, 0, 0, false, 0}},
    {"absolute Erlang", {HK_UNDERRUN_ABSOLUTE, EXPONENTIAL, 4, 0, 0, false, 0}},
    {"D/M/1", {HK_UNDERRUN_QUEUE, EXPONENTIAL, 1, 0, 1.0 / 0.7, false, 0}},
    {"M/M/1", {HK_UNDERRUN_QUEUE, EXPONENTIAL, 1, 0, 1.0 / 0.7, true, 0}},
    {"D/E4/1", {HK_UNDERRUN_QUEUE, EXPONENTIAL, 4, 0, 4.0 / 0.7, false, 0}},
    {"M/E4/1", {HK_UNDERRUN_QUEUE, EXPONENTIAL, 4, 0, 4.0 / 0.7, true, 0}},
    {"D/H2/1", {HK_UNDERRUN_QUEUE, HYPER, 1, 0, 1.19 / 0.5, false, 0}},
    {"M/H2/1", {HK_UNDERRUN_QUEUE, HYPER, 1, 0, 1.19 / 0.5, true, 0}},
    {"sum of H2", {HK_UNDERRUN_DEVICE, HYPER, 3, 0, 0, false, 0}},
    {"sum of Lomax", {HK_UNDERRUN_DEVICE, LOMAX, 3, 0, 0, false, 0}},
    {"sum of Lomax 1.2", {HK_UNDERRUN_DEVICE, LOMAX_HEAVIER, 2, 0, 0, false, 0}},
    {"sum of Weibull", {HK_UNDERRUN_DEVICE, WEIBULL, 2, 0, 0, false, 0}},
    {"sum of Weibull .8", {HK_UNDERRUN_DEVICE, WEIBULL_LIGHTER, 2, 0, 0, false, 0}},
};

static inline const char *rare_case_name(enum rare_case c)
{
    return rare_cases[c].name;
}

/* The problem at the headroom where its closed form has this probability. */
static inline struct hk_rare_problem rare_case_at(enum rare_case c, double probability)
{
    struct hk_rare_problem p = rare_cases[c].problem;
    double low = log(1e-3);
    double high = log(1e8);
    for (int i = 0; i < 60; i++) {
        double exact = 0.0;
        p.headroom_ns = exp((low + high) / 2.0);
        if (hk_rare_exact(&p, &exact, NULL) != HK_OK) {
            fail_msg("%s has no closed form at %g", rare_case_name(c), p.headroom_ns);
        }
        *(exact > probability ? &low : &high) = (low + high) / 2.0;
    }
    return p;
}

#endif
