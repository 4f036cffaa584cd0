/* SPDX-License-Identifier: MIT */
#include "hk/model/utility.h"

#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_qrng.h>

#include "check.h"
#include "hk/base/units.h"
#include "hk/stats/quantile.h"
#include "polygon.h"

#define ROUNDING 1e-9
#define CUT_SLACK 1e-13 /* of the largest difference: a tie stays a tie */
#define AREA_ZERO 1e-9
#define REGRET_POINTS 16384u
#define INDIFFERENCE_SE 2.0

static bool weights_valid(const double weights[HK_ATTRIBUTES])
{
    double sum = 0.0;
    for (size_t i = 0; weights && i < HK_ATTRIBUTES; i++) {
        if (!check_not_negative(weights[i])) {
            return false;
        }
        sum += weights[i];
    }
    return fabs(sum - 1.0) <= ROUNDING;
}

/* Halves keep differences of the largest numbers finite. */
static bool rows_valid(const struct hk_alternative *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            if (!(fabs(rows[i].attribute[k]) <= 1e300)) {
                return false;
            }
        }
    }
    return true;
}

static bool alternatives_valid(const struct hk_alternative *alternatives, size_t count)
{
    return alternatives && count >= 1 && count <= HK_ALTERNATIVES_MAX &&
           rows_valid(alternatives, count);
}

static double score(const double weights[HK_ATTRIBUTES], const struct hk_alternative *a)
{
    return polygon_dot(weights, a->attribute);
}

enum hk_status hk_utility_score(const double weights[HK_ATTRIBUTES],
                                const struct hk_alternative *alternative, double *utility)
{
    if (!utility || !weights_valid(weights) || !alternatives_valid(alternative, 1)) {
        return HK_EINVAL;
    }
    *utility = score(weights, alternative);
    return HK_OK;
}

/* Direction in which a beats b, scaled to largest component 1; false if they are equal. */
static bool beats(const struct hk_alternative *a, const struct hk_alternative *b,
                  double normal[HK_ATTRIBUTES])
{
    double largest = 0.0;
    for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
        normal[k] = a->attribute[k] - b->attribute[k];
        largest = fmax(largest, fabs(normal[k]));
    }
    for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
        normal[k] = largest > 0.0 ? normal[k] / largest : 0.0;
    }
    return largest > 0.0;
}

/* Is an identical row listed earlier? Choices go to the first of equals. */
static bool repeated(const struct hk_alternative *rows, size_t index)
{
    double normal[HK_ATTRIBUTES];
    for (size_t j = 0; j < index; j++) {
        if (!beats(&rows[j], &rows[index], normal)) {
            return true;
        }
    }
    return false;
}

/* Cut *p down to the weights for which alternative `index` is at least as good as all. */
static void cut_to_winner(const struct hk_alternative *alternatives, size_t count, size_t index,
                          struct polygon *p)
{
    for (size_t j = 0; j < count && p->count > 0; j++) {
        double normal[HK_ATTRIBUTES];
        if (j == index || !beats(&alternatives[index], &alternatives[j], normal)) {
            continue;
        }
        struct polygon cut;
        polygon_cut(p, normal, CUT_SLACK, &cut);
        *p = cut;
    }
}

enum hk_status hk_utility_region(const struct hk_alternative *alternatives, size_t count,
                                 size_t index, struct hk_weight_polygon *region)
{
    if (!region || !alternatives_valid(alternatives, count) || index >= count) {
        return HK_EINVAL;
    }
    struct polygon p;
    polygon_simplex(&p);
    cut_to_winner(alternatives, count, index, &p);
    *region = (struct hk_weight_polygon){.vertex_count = p.count};
    memcpy(region->vertices, p.w, p.count * sizeof p.w[0]);
    region->area_ratio = fmin(1.0, polygon_area(&p, region->centroid));
    return HK_OK;
}

static bool dominates(const double *a, const double *b, size_t attribute_count)
{
    bool better = false;
    for (size_t k = 0; k < attribute_count; k++) {
        if (a[k] < b[k]) {
            return false;
        }
        better = better || a[k] > b[k];
    }
    return better;
}

enum hk_status hk_utility_support(const struct hk_alternative *alternatives, size_t count,
                                  size_t index, enum hk_support *support)
{
    struct hk_weight_polygon region;
    if (!support) {
        return HK_EINVAL;
    }
    const enum hk_status status = hk_utility_region(alternatives, count, index, &region);
    if (status != HK_OK) {
        return status;
    }
    for (size_t j = 0; j < count; j++) {
        if (dominates(alternatives[j].attribute, alternatives[index].attribute, HK_ATTRIBUTES)) {
            *support = HK_SUPPORT_DOMINATED;
            return HK_OK;
        }
    }
    if (region.area_ratio > AREA_ZERO) {
        *support = HK_SUPPORT_WINS;
    } else {
        *support = region.vertex_count > 0 ? HK_SUPPORT_TIED : HK_SUPPORT_UNSUPPORTED;
    }
    return HK_OK;
}

const char *hk_support_name(enum hk_support support)
{
    static const char *const names[] = {"dominated", "unsupported", "tied", "wins"};
    return (size_t)support < HK_ARRAY_COUNT(names) ? names[support] : "?";
}

/* The cells into which the rivals' half-planes cut the simplex, for one alternative. */
struct cells {
    const struct hk_alternative *alternatives;
    size_t count;
    size_t index;
    double rank_ratio[HK_ALTERNATIVES_MAX];
    double first_moment[HK_ATTRIBUTES]; /* area times centroid where it is first */
};

static void split(struct cells *cells, const struct polygon *p, size_t rival, size_t better)
{
    double centroid[HK_ATTRIBUTES];
    const double area = polygon_area(p, centroid);
    if (!(area > 0.0)) {
        return;
    }
    double normal[HK_ATTRIBUTES];
    while (rival < cells->count &&
           !beats(&cells->alternatives[cells->index], &cells->alternatives[rival], normal)) {
        rival++;
    }
    if (rival == cells->count) {
        cells->rank_ratio[better] += area;
        for (size_t k = 0; better == 0 && k < HK_ATTRIBUTES; k++) {
            cells->first_moment[k] += area * centroid[k];
        }
        return;
    }
    struct polygon part;
    polygon_cut(p, normal, 0.0, &part);
    split(cells, &part, rival + 1, better);
    for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
        normal[k] = -normal[k];
    }
    polygon_cut(p, normal, 0.0, &part);
    split(cells, &part, rival + 1, better + 1);
}

static bool draws_valid(const struct hk_alternative *draws, size_t draw_count, size_t count)
{
    return draws && draw_count >= 1 && count >= 1 && count <= HK_ALTERNATIVES_MAX &&
           rows_valid(draws, draw_count * count);
}

/* Sums over draws become means, moments become weights. */
static void acceptability_finish(struct hk_acceptability *sum, double weight_of_all)
{
    for (size_t i = 0; i < sum->count; i++) {
        const double first = sum->rank_ratio[i][0];
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            sum->central_weights[i][k] = first > 0.0 ? sum->central_weights[i][k] / first : 0.0;
        }
        for (size_t r = 0; r < sum->count; r++) {
            sum->rank_ratio[i][r] /= weight_of_all;
        }
    }
}

enum hk_status hk_utility_acceptability(const struct hk_alternative *draws, size_t draw_count,
                                        size_t count, struct hk_acceptability *out)
{
    if (!out || !draws_valid(draws, draw_count, count)) {
        return HK_EINVAL;
    }
    struct polygon simplex;
    polygon_simplex(&simplex);
    struct hk_acceptability sum = {.count = count};
    for (size_t d = 0; d < draw_count; d++) {
        for (size_t i = 0; i < count; i++) {
            struct cells cells = {
                .alternatives = draws + d * count, .count = count, .index = i};
            split(&cells, &simplex, 0, 0);
            for (size_t r = 0; r < count; r++) {
                sum.rank_ratio[i][r] += cells.rank_ratio[r];
            }
            for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
                sum.central_weights[i][k] += cells.first_moment[k];
            }
        }
    }
    acceptability_finish(&sum, (double)draw_count);
    *out = sum;
    return HK_OK;
}

/* Next weight vector, uniform on the simplex, from a two-dimensional sequence. */
static void next_weights(gsl_qrng *sequence, double weights[HK_ATTRIBUTES])
{
    double u[2];
    (void)gsl_qrng_get(sequence, u);
    const double root = sqrt(u[0]);
    weights[0] = 1.0 - root;
    weights[1] = root * (1.0 - u[1]);
    weights[2] = root * u[1];
}

static void rank_once(const struct hk_alternative *alternatives, size_t count,
                      const double weights[HK_ATTRIBUTES], struct hk_acceptability *sum)
{
    double scores[HK_ALTERNATIVES_MAX];
    for (size_t i = 0; i < count; i++) {
        scores[i] = score(weights, &alternatives[i]);
    }
    for (size_t i = 0; i < count; i++) {
        size_t better = 0;
        for (size_t j = 0; j < count; j++) {
            better += scores[j] > scores[i];
        }
        sum->rank_ratio[i][better] += 1.0;
        for (size_t k = 0; better == 0 && k < HK_ATTRIBUTES; k++) {
            sum->central_weights[i][k] += weights[k];
        }
    }
}

enum hk_status hk_utility_acceptability_sampled(const struct hk_alternative *draws,
                                                size_t draw_count, size_t count,
                                                size_t point_count,
                                                struct hk_acceptability *out)
{
    if (!out || !draws_valid(draws, draw_count, count) || point_count == 0) {
        return HK_EINVAL;
    }
    gsl_qrng *sequence = gsl_qrng_alloc(gsl_qrng_sobol, 2);
    if (!sequence) {
        return HK_ENOMEM;
    }
    struct hk_acceptability sum = {.count = count};
    for (size_t d = 0; d < draw_count; d++) {
        gsl_qrng_init(sequence);
        for (size_t p = 0; p < point_count; p++) {
            double weights[HK_ATTRIBUTES];
            next_weights(sequence, weights);
            rank_once(draws + d * count, count, weights, &sum);
        }
    }
    gsl_qrng_free(sequence);
    acceptability_finish(&sum, (double)draw_count * (double)point_count);
    *out = sum;
    return HK_OK;
}

enum hk_status hk_utility_chebyshev(const struct hk_alternative *alternatives, size_t count,
                                    const double weights[HK_ATTRIBUTES], double rho,
                                    size_t *chosen)
{
    if (!chosen || !alternatives_valid(alternatives, count) || !weights_valid(weights) ||
        !check_positive(rho)) {
        return HK_EINVAL;
    }
    struct hk_alternative ideal = alternatives[0];
    for (size_t i = 1; i < count; i++) {
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            ideal.attribute[k] = fmax(ideal.attribute[k], alternatives[i].attribute[k]);
        }
    }
    double least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        double worst = 0.0;
        double all = 0.0;
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            const double distance = ideal.attribute[k] - alternatives[i].attribute[k];
            worst = fmax(worst, weights[k] * distance);
            all += distance;
        }
        if (worst + rho * all < least) {
            least = worst + rho * all;
            *chosen = i;
        }
    }
    return HK_OK;
}

/* Exact part: where the predicted winner is a and the measured one b, U differs linearly. */
static void regret_integrate(const struct hk_alternative *predicted,
                             const struct hk_alternative *measured, size_t count,
                             struct hk_utility_regret *out)
{
    for (size_t a = 0; a < count; a++) {
        struct polygon chosen;
        if (repeated(predicted, a)) {
            continue;
        }
        polygon_simplex(&chosen);
        cut_to_winner(predicted, count, a, &chosen);
        for (size_t b = 0; b < count; b++) {
            struct polygon both = chosen;
            double centroid[HK_ATTRIBUTES];
            cut_to_winner(measured, count, b, &both);
            const double area = polygon_area(&both, centroid);
            if (repeated(measured, b) || !(area > AREA_ZERO)) {
                continue;
            }
            double normal[HK_ATTRIBUTES];
            const bool same = !beats(&measured[a], &measured[b], normal);
            out->regret_mean +=
                area * (score(centroid, &measured[b]) - score(centroid, &measured[a]));
            out->agreement_ratio += same ? area : 0.0;
            for (size_t v = 0; v < both.count; v++) {
                out->regret_max = fmax(out->regret_max, score(both.w[v], &measured[b]) -
                                                            score(both.w[v], &measured[a]));
            }
        }
    }
}

/* Mean over the simplex of the best U; of the worst with sign -1. */
static double mean_best(const struct hk_alternative *alternatives, size_t count, double sign)
{
    struct hk_alternative signed_rows[HK_ALTERNATIVES_MAX];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            signed_rows[i].attribute[k] = sign * alternatives[i].attribute[k];
        }
    }
    double mean = 0.0;
    for (size_t i = 0; i < count; i++) {
        struct polygon p;
        double centroid[HK_ATTRIBUTES];
        polygon_simplex(&p);
        cut_to_winner(signed_rows, count, i, &p);
        const double area = polygon_area(&p, centroid);
        mean += repeated(signed_rows, i) ? 0.0 : area * score(centroid, &signed_rows[i]);
    }
    return sign * mean;
}

static size_t winner(const struct hk_alternative *alternatives, size_t count,
                     const double weights[HK_ATTRIBUTES])
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (score(weights, &alternatives[i]) > score(weights, &alternatives[best])) {
            best = i;
        }
    }
    return best;
}

/* Does the measured winner lead every rival by more than the indifference band? */
static bool decided(const struct hk_alternative *measured, const struct hk_alternative *error,
                    size_t count, const double weights[HK_ATTRIBUTES], size_t best)
{
    for (size_t j = 0; j < count; j++) {
        double variance = 0.0;
        for (size_t k = 0; error && k < HK_ATTRIBUTES; k++) {
            const double of_best = weights[k] * error[best].attribute[k];
            const double of_rival = weights[k] * error[j].attribute[k];
            variance += of_best * of_best + of_rival * of_rival;
        }
        const double lead = score(weights, &measured[best]) - score(weights, &measured[j]);
        if (j != best && !(lead > INDIFFERENCE_SE * sqrt(variance))) {
            return false;
        }
    }
    return true;
}

static enum hk_status regret_sample(const struct hk_alternative *predicted,
                                    const struct hk_alternative *measured,
                                    const struct hk_alternative *error, size_t count,
                                    struct hk_utility_regret *out)
{
    gsl_qrng *sequence = gsl_qrng_alloc(gsl_qrng_sobol, 2);
    double *regrets = malloc(REGRET_POINTS * sizeof *regrets);
    enum hk_status status = sequence && regrets ? HK_OK : HK_ENOMEM;
    size_t clear = 0;
    size_t agreed = 0;
    for (size_t p = 0; status == HK_OK && p < REGRET_POINTS; p++) {
        double weights[HK_ATTRIBUTES];
        next_weights(sequence, weights);
        const size_t chosen = winner(predicted, count, weights);
        const size_t best = winner(measured, count, weights);
        regrets[p] = score(weights, &measured[best]) - score(weights, &measured[chosen]);
        if (decided(measured, error, count, weights, best)) {
            clear++;
            agreed += !(regrets[p] > 0.0);
        }
    }
    if (status == HK_OK) {
        status = hk_sample_sort(regrets, REGRET_POINTS);
    }
    if (status == HK_OK) {
        (void)hk_quantile(regrets, REGRET_POINTS, 0.95, &out->regret_p95);
        out->decided_ratio = (double)clear / REGRET_POINTS;
        out->agreement_decided_ratio = clear > 0 ? (double)agreed / (double)clear : 1.0;
    }
    if (sequence) {
        gsl_qrng_free(sequence);
    }
    free(regrets);
    return status;
}

static bool errors_valid(const struct hk_alternative *error, size_t count)
{
    for (size_t i = 0; error && i < count; i++) {
        for (size_t k = 0; k < HK_ATTRIBUTES; k++) {
            if (!check_not_negative(error[i].attribute[k])) {
                return false;
            }
        }
    }
    return true;
}

enum hk_status hk_utility_regret(const struct hk_alternative *predicted,
                                 const struct hk_alternative *measured,
                                 const struct hk_alternative *error, size_t count,
                                 struct hk_utility_regret *out)
{
    if (!out || !alternatives_valid(predicted, count) || !alternatives_valid(measured, count) ||
        !errors_valid(error, count)) {
        return HK_EINVAL;
    }
    struct hk_utility_regret result = {0};
    regret_integrate(predicted, measured, count, &result);
    result.agreement_ratio = fmin(1.0, result.agreement_ratio);
    result.range_mean = mean_best(measured, count, 1.0) - mean_best(measured, count, -1.0);
    const enum hk_status status = regret_sample(predicted, measured, error, count, &result);
    if (status == HK_OK) {
        *out = result;
    }
    return status;
}

/* A row with what its comparison needs. */
struct design {
    const double *values;
    size_t attribute_count;
    size_t index;
};

/* Best first, attribute by attribute: a design can only be dominated by an earlier one. */
static int best_first(const void *a, const void *b)
{
    const struct design *x = a;
    const struct design *y = b;
    for (size_t k = 0; k < x->attribute_count; k++) {
        if (x->values[k] != y->values[k]) {
            return x->values[k] > y->values[k] ? -1 : 1;
        }
    }
    return 0;
}

enum hk_status hk_pareto_front(const double *values, size_t n, size_t attribute_count,
                               bool *on_front)
{
    if (!on_front || attribute_count == 0 || n == 0 ||
        !hk_sample_finite(values, n * attribute_count)) {
        return HK_EINVAL;
    }
    struct design *designs = malloc(n * sizeof *designs);
    const double **front = malloc(n * sizeof *front);
    if (!designs || !front) {
        free(designs);
        free(front);
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        designs[i] = (struct design){values + i * attribute_count, attribute_count, i};
    }
    qsort(designs, n, sizeof *designs, best_first);
    size_t front_count = 0;
    for (size_t i = 0; i < n; i++) {
        bool beaten = false;
        /* The latest members are the most similar ones: they decide soonest. */
        for (size_t f = front_count; f > 0 && !beaten; f--) {
            beaten = dominates(front[f - 1], designs[i].values, attribute_count);
        }
        on_front[designs[i].index] = !beaten;
        if (!beaten) {
            front[front_count++] = designs[i].values;
        }
    }
    free(designs);
    free(front);
    return HK_OK;
}
