/* SPDX-License-Identifier: MIT */
/* F4 and F5. */
#include <math.h>
#include <string.h>

#include "hk/base/units.h"
#include "mutants.h"

/* --- F4 -------------------------------------------------------------------------- */

static enum hk_status throughput_with(const struct hk_estimate *alpha,
                                      const struct hk_estimate *beta, double alpha_ratio,
                                      double beta_value, struct hk_estimate *out)
{
    const struct hk_estimate a = {alpha_ratio * alpha->value, alpha->standard_error, alpha->count};
    const struct hk_estimate b = {fmax(0, beta_value), beta->standard_error, beta->count};

    return __real_hk_throughput_textbook(&a, &b, 0, out);
}

static enum hk_status four_alpha(const struct hk_estimate *alpha, const struct hk_estimate *beta,
                                 double covariance, struct hk_estimate *out)
{
    (void)covariance;
    return throughput_with(alpha, beta, 2, beta->value, out);
}

static enum hk_status one_alpha(const struct hk_estimate *alpha, const struct hk_estimate *beta,
                                double covariance, struct hk_estimate *out)
{
    (void)covariance;
    return throughput_with(alpha, beta, 0.5, beta->value, out);
}

static enum hk_status one_less_beta(const struct hk_estimate *alpha,
                                    const struct hk_estimate *beta, double covariance,
                                    struct hk_estimate *out)
{
    (void)covariance;
    return throughput_with(alpha, beta, 1, 1 - beta->value, out);
}

static enum hk_status two_beta(const struct hk_estimate *alpha, const struct hk_estimate *beta,
                               double covariance, struct hk_estimate *out)
{
    (void)covariance;
    return throughput_with(alpha, beta, 1, 2 * beta->value, out);
}

static enum hk_status half_of_it(const struct hk_estimate *alpha, const struct hk_estimate *beta,
                                 double covariance, struct hk_estimate *out)
{
    const enum hk_status status = __real_hk_throughput_textbook(alpha, beta, covariance, out);

    out->value /= 2;
    return status;
}

static enum hk_status inverted(const struct hk_estimate *alpha, const struct hk_estimate *beta,
                               double covariance, struct hk_estimate *out)
{
    const enum hk_status status = __real_hk_throughput_textbook(alpha, beta, covariance, out);

    out->value = 1 / out->value;
    return status;
}

/* "Approaches the monolithic design": T = 1 / (1 + beta - 1 + 2 alpha), base work forgotten. */
static enum hk_status no_base(const struct hk_estimate *alpha, const struct hk_estimate *beta,
                              double covariance, struct hk_estimate *out)
{
    const enum hk_status status = __real_hk_throughput_textbook(alpha, beta, covariance, out);

    out->value = 1 / (beta->value + 2 * alpha->value);
    return status;
}

static enum hk_status always_half(const struct hk_throughput_costs *costs,
                                  struct hk_throughput *out)
{
    struct hk_throughput_costs wrong = *costs;

    wrong.base_ns = costs->copy_ns;
    return __real_hk_throughput_predict(&wrong, out);
}

static enum hk_status reply_for_nothing(const struct hk_throughput_costs *costs,
                                        struct hk_throughput *out)
{
    struct hk_throughput_costs wrong = *costs;

    wrong.transfer_ns.value /= 2;
    return __real_hk_throughput_predict(&wrong, out);
}

static enum hk_status remap_for_nothing(const struct hk_throughput_costs *costs,
                                        struct hk_throughput *out)
{
    struct hk_throughput_costs wrong = *costs;

    wrong.remap_ns.value = 0;
    return __real_hk_throughput_predict(&wrong, out);
}

const struct hk_mutant hk_mutants_throughput[] = {
    {"2 alpha -> 4 alpha", "copy is half", 0, {.throughput_textbook = four_alpha}, NULL},
    {"2 alpha -> alpha", "copy is half", 0, {.throughput_textbook = one_alpha}, NULL},
    {"beta -> 1 - beta", "copy is half", 0, {.throughput_textbook = one_less_beta}, NULL},
    {"beta -> 2 beta", "copy is half", 1, {.throughput_textbook = two_beta}, NULL},
    {"2 -> 1 above the line", "copy is half", 0, {.throughput_textbook = half_of_it}, NULL},
    {"upside down", "copy is half", 1, {.throughput_textbook = inverted}, NULL},
    {"base work forgotten", "copy is half", 0, {.throughput_textbook = no_base}, NULL},
    {"phi = 1/2 in the general form", "copy's own share", 0, {.throughput_general = always_half},
     NULL},
    {"reply for nothing", "copy's own share", 0, {.throughput_general = reply_for_nothing}, NULL},
    {"remap for nothing", "copy's own share", 1, {.throughput_general = remap_for_nothing}, NULL},
    {0},
};

/* --- F5 -------------------------------------------------------------------------- */

enum { CLASSES_MAX = 8 };

typedef void change_class(struct hk_copy_class *c, size_t count);

/* The true sum over classes that were changed first. */
static enum hk_status expected_of(const struct hk_copy_class *classes, size_t n, double copy_ns,
                                  double *out, change_class *change)
{
    struct hk_copy_class wrong[CLASSES_MAX];

    if (n > CLASSES_MAX)
        return HK_ETOOBIG;
    memcpy(wrong, classes, n * sizeof *classes);
    for (size_t i = 0; i < n; i++)
        change(&wrong[i], n);
    return __real_hk_copy_expected(wrong, n, copy_ns, out);
}

static void all_sized(struct hk_copy_class *c, size_t n)
{
    (void)n;
    c->right_size_ratio = 1;
}

static void all_aligned(struct hk_copy_class *c, size_t n)
{
    (void)n;
    c->aligned_ratio = 1;
}

static void equal_weights(struct hk_copy_class *c, size_t n)
{
    c->weight_ratio = 1.0 / (double)n;
}

static void one_buffer(struct hk_copy_class *c, size_t n)
{
    (void)n;
    c->buffer_count = 1;
}

/* Aligned or of the right size, where both are needed. */
static void either(struct hk_copy_class *c, size_t n)
{
    (void)n;
    c->aligned_ratio += c->right_size_ratio - c->aligned_ratio * c->right_size_ratio;
    c->right_size_ratio = 1;
}

static enum hk_status size_ignored(const struct hk_copy_class *c, size_t n, double t, double *out)
{
    return expected_of(c, n, t, out, all_sized);
}

static enum hk_status alignment_ignored(const struct hk_copy_class *c, size_t n, double t,
                                        double *out)
{
    return expected_of(c, n, t, out, all_aligned);
}

static enum hk_status weights_ignored(const struct hk_copy_class *c, size_t n, double t,
                                      double *out)
{
    return expected_of(c, n, t, out, equal_weights);
}

static enum hk_status buffers_ignored(const struct hk_copy_class *c, size_t n, double t,
                                      double *out)
{
    return expected_of(c, n, t, out, one_buffer);
}

static enum hk_status either_suffices(const struct hk_copy_class *c, size_t n, double t,
                                      double *out)
{
    return expected_of(c, n, t, out, either);
}

/* 1 - alpha p -> alpha p: what is mapped. */
static enum hk_status the_mapped(const struct hk_copy_class *c, size_t n, double t, double *out)
{
    const enum hk_status status = __real_hk_copy_expected(c, n, t, out);
    double all = 0;

    for (size_t i = 0; i < n; i++)
        all += t * c[i].weight_ratio * c[i].buffer_count;
    if (status == HK_OK)
        *out = all - *out;
    return status;
}

/* The correction times a factor. */
static enum hk_status covariance_scaled(const struct hk_copy_class *c, size_t n, double t,
                                        double factor, double *out)
{
    double textbook = 0, corrected = 0;
    enum hk_status status = __real_hk_copy_corrected(c, n, t, &corrected);

    if (status == HK_OK)
        status = __real_hk_copy_expected(c, n, t, &textbook);
    if (status == HK_OK)
        *out = textbook + factor * (corrected - textbook);
    return status;
}

static enum hk_status covariance_sign(const struct hk_copy_class *c, size_t n, double t,
                                      double *out)
{
    return covariance_scaled(c, n, t, -1, out);
}

static enum hk_status covariance_halved(const struct hk_copy_class *c, size_t n, double t,
                                        double *out)
{
    return covariance_scaled(c, n, t, 0.5, out);
}

static enum hk_status a_page_too_few(uint64_t length, uint64_t page, uint64_t grain, double *mean)
{
    const enum hk_status status = __real_hk_copied_bytes_mean(length, page, grain, mean);

    if (status == HK_OK)
        *mean += (double)page;
    return status;
}

static enum hk_status head_alone(uint64_t length, uint64_t page, uint64_t grain, double *mean)
{
    const enum hk_status status = __real_hk_copied_bytes_mean(length, page, grain, mean);

    if (status == HK_OK)
        *mean /= 2;
    return status;
}

const struct hk_mutant hk_mutants_copy[] = {
    {"alpha p -> alpha", "independent sizes", 0, {.copy_expected = size_ignored}, NULL},
    {"alpha p -> p", "independent sizes", 0, {.copy_expected = alignment_ignored}, NULL},
    {"alpha p -> alpha + p - alpha p", "independent sizes", 0, {.copy_expected = either_suffices},
     NULL},
    {"1 - alpha p -> alpha p", "independent sizes", 1, {.copy_expected = the_mapped}, NULL},
    {"weights ignored", "independent sizes", 0, {.copy_expected = weights_ignored}, NULL},
    {"k_i ignored", "independent sizes", 1, {.copy_expected = buffers_ignored}, NULL},
    {"covariance with the wrong sign", "dependent sizes", 0, {.copy_corrected = covariance_sign},
     NULL},
    {"half of the covariance", "dependent sizes", 0, {.copy_corrected = covariance_halved}, NULL},
    {"off by a page", "partial mapping", 0, {.copied_bytes = a_page_too_few}, NULL},
    {"head copied, tail forgotten", "partial mapping", 0, {.copied_bytes = head_alone}, NULL},
    {0},
};
