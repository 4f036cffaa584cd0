/* SPDX-License-Identifier: MIT */
#include "noise.h"

#include <math.h>

#include "hk/stats/quantile.h"

enum { ROUNDS = 8 };

#define LAYOUT_RATIO 0.3 /* of the epochs' sd */

const char *const noise_names[NOISE_KINDS] = {"iid", "AR(1) 0.3", "AR(1) 0.6", "spikes",
                                              "lognormal"};

static double autoregressive(struct noise *n, double rho)
{
    n->state = rho * n->state + sqrt(1 - rho * rho) * hk_rng_normal(n->rng);
    return n->state;
}

double noise_next(struct noise *n)
{
    switch (n->kind) {
    case NOISE_AR3: return autoregressive(n, 0.3);
    case NOISE_AR6: return autoregressive(n, 0.6);
    case NOISE_SPIKES:
        return 0.5 * hk_rng_normal(n->rng) +
               (hk_rng_uniform(n->rng) < 0.05 ? hk_rng_exponential(n->rng, 10) : 0);
    case NOISE_LOGNORMAL: return exp(hk_rng_normal(n->rng)) - exp(0.5);
    default: return hk_rng_normal(n->rng);
    }
}

void noise_launches(struct noise *n, double effect, double sd, double *d, size_t count)
{
    for (size_t l = 0; l < count; l++) {
        const double layout[2] = {LAYOUT_RATIO * sd * hk_rng_normal(n->rng),
                                  LAYOUT_RATIO * sd * hk_rng_normal(n->rng) + effect};
        double rounds[ROUNDS];
        for (size_t r = 0; r < ROUNDS; r += 2) {
            const size_t first = hk_rng_below(n->rng, 2);
            double x[4];
            for (size_t i = 0; i < 4; i++) {
                const size_t side = i == 0 || i == 3 ? first : 1 - first;
                x[i] = sd * noise_next(n) + layout[side];
            }
            rounds[r] = first == 0 ? x[1] - x[0] : x[0] - x[1];
            rounds[r + 1] = first == 0 ? x[2] - x[3] : x[3] - x[2];
        }
        (void)hk_sample_sort(rounds, ROUNDS);
        (void)hk_quantile(rounds, ROUNDS, 0.5, &d[l]);
    }
}
