/* SPDX-License-Identifier: MIT */
#include "abba.h"

#include "hk/stats/quantile.h"

enum { ROUNDS = 8 };

#define LAYOUT_RATIO 0.3 /* of the epochs' sd */

void abba_launches(struct hk_noise_source *noise, double effect, double sd, double *d,
                   size_t count)
{
    for (size_t l = 0; l < count; l++) {
        const double layout[2] = {LAYOUT_RATIO * sd * hk_rng_normal(noise->rng),
                                  LAYOUT_RATIO * sd * hk_rng_normal(noise->rng) + effect};
        double rounds[ROUNDS];
        for (size_t r = 0; r < ROUNDS; r += 2) {
            const size_t first = hk_rng_below(noise->rng, 2);
            double x[4];
            for (size_t i = 0; i < 4; i++) {
                const size_t side = i == 0 || i == 3 ? first : 1 - first;
                x[i] = sd * hk_noise_next(noise) + layout[side];
            }
            rounds[r] = first == 0 ? x[1] - x[0] : x[0] - x[1];
            rounds[r + 1] = first == 0 ? x[2] - x[3] : x[3] - x[2];
        }
        (void)hk_sample_sort(rounds, ROUNDS);
        (void)hk_quantile(rounds, ROUNDS, 0.5, &d[l]);
    }
}
