/* SPDX-License-Identifier: MIT */
#include "hk/model/formula.h"

#include <string.h>

static const struct hk_formula formulas[] = {
    {
        .id = "F1",
        .title = "utility of an architecture",
        .text = "U = w_S S + w_P P - w_C C",
        .assumptions = "preferentially independent attributes, linear values, a common scale",
        .replacement = "rank acceptability over weights, Pareto front, Chebyshev scalarisation",
    },
    {
        .id = "F2",
        .title = "order of migration",
        .text = "j_i = alpha c_i + beta p_i, lowest first",
        .assumptions = "equal benefits, costs that do not depend on where others live",
        .replacement = "budgeted selection with shadow prices, minimum cut over the call graph",
    },
    {
        .id = "F3",
        .title = "latency of a request",
        .text = "T_k = 2 c_sys + 2 c_copy + t_k; T_u = 4 c_ipc + 4 c_copy + t_u",
        .assumptions = "serial path, costs independent of context, no queueing",
        .replacement = "incremental hops with segmented copy cost; queueing under load",
    },
    {
        .id = "F4",
        .title = "throughput of a file system in a server",
        .text = "T = 2 / (1 + beta + 2 alpha)",
        .assumptions = "base work equals one copy, one client, two transfers, a remap always "
                       "possible and never dearer than the copy",
        .replacement = "T(L) from the copy's share and the remap's cost at each size",
    },
    {
        .id = "F5",
        .title = "expected copy cost",
        .text = "E[C] = t_copy sum_i w_i k_i (1 - alpha_i p_i)",
        .assumptions = "alignment independent of size within a class, free remaps, "
                       "copy time independent of size, all or nothing",
        .replacement = "joint law of length and offset with partial mapping",
    },
    {
        .id = "F6",
        .title = "RMS jitter of a periodic wake-up",
        .text = "J = delta sqrt 2",
        .assumptions = "absolute timer, independent exponential delays",
        .replacement = "J = sigma sqrt(2 (1 - rho_1))",
    },
    {
        .id = "F7",
        .title = "underrun probability",
        .text = "P_u = exp(-lambda (B/r - T_s))",
        .assumptions = "device-anchored wake-ups, exponential delays, no constant delay",
        .replacement = "empirical body with generalised Pareto tail",
    },
    {
        .id = "F8",
        .title = "fast path in the kernel, with stale answers",
        .text = "E[T] = t_0 + f t_f + (1 - f) T_u; P_stale = 1 - exp(-mu E d)",
        .assumptions = "requests independent of Poisson updates, any pending update counts",
        .replacement = "last writer wins by the delay's Laplace transform, or renewal updates",
    },
    {
        .id = "F9",
        .title = "verified extension",
        .text = "T_ext(N) = t_x + V / N; N* = V / (T_u - t_x)",
        .assumptions = "verification linear in program size, a known number of invocations",
        .replacement = "V by instructions processed, N by its law",
    },
};

const struct hk_formula *hk_formulas(size_t *count)
{
    if (count) {
        *count = sizeof formulas / sizeof formulas[0];
    }
    return formulas;
}

const struct hk_formula *hk_formula_find(const char *id)
{
    for (size_t i = 0; id && i < sizeof formulas / sizeof formulas[0]; i++) {
        if (strcmp(formulas[i].id, id) == 0) {
            return &formulas[i];
        }
    }
    return NULL;
}
