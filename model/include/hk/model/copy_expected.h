/* SPDX-License-Identifier: MIT */
/*
 * F5: expected copy cost per message,
 *   E[C] = t_copy sum_i w_i k_i (1 - alpha_i p_i),
 * with message classes i of share w_i and k_i buffers, of which alpha_i are
 * aligned and p_i have the right size. Assumed: alignment independent of size
 * within a class, free remaps, a copy time that does not depend on size, all or
 * nothing.
 */
#ifndef HK_MODEL_COPY_EXPECTED_H
#define HK_MODEL_COPY_EXPECTED_H

#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"
#include "hk/stats/estimate.h"

struct hk_copy_class {
    double weight_ratio;      /* w: shares sum to 1 over the classes */
    double buffer_count;      /* k: mean number of buffers, >= 0 */
    double aligned_ratio;     /* alpha */
    double right_size_ratio;  /* p */
    double mappable_ratio;    /* q, measured jointly; only hk_copy_corrected reads it */
};

/*
 * F5 as it stands.
 *
 * classes      [in]   class_count rows, >= 1
 * copy_ns      [in]   t_copy per buffer, >= 0
 * expected_ns  [out]  per message
 *
 * Returns HK_OK; HK_EINVAL for a null pointer, a ratio outside [0, 1], a negative
 * count or cost, or weights that do not sum to 1 within 1e-9.
 */
enum hk_status hk_copy_expected(const struct hk_copy_class *classes, size_t class_count,
                                double copy_ns, double *expected_ns);

/*
 * F5 with its error. Shares counted over n_i training buffers of class i have binomial
 * errors, so Var = t^2 sum (w k)^2 Var(alpha p) + (E / t)^2 Var t with
 * Var(alpha p) = p^2 alpha (1 - alpha) / n + alpha^2 p (1 - p) / n.
 *
 * buffer_counts  [in]   class_count counts >= 1: buffers behind each class's shares
 * copy_ns        [in]   value >= 0
 * out            [out]  ns per message; count is the smallest that entered
 *
 * Returns as hk_copy_expected; HK_EINVAL for a count of 0 or a result that is not finite.
 */
enum hk_status hk_copy_expected_error(const struct hk_copy_class *classes,
                                      const size_t *buffer_counts, size_t class_count,
                                      const struct hk_estimate *copy_ns,
                                      struct hk_estimate *out);

/*
 * Correlation of alignment and size within a class,
 * (q - alpha p) / sqrt(alpha (1 - alpha) p (1 - p)): F5 is off by exactly
 * -t_copy sum w k rho sqrt(alpha (1 - alpha) p (1 - p)).
 *
 * rho  [out]  -1..1
 *
 * Returns HK_OK; HK_EINVAL if a share is outside [0, 1] or q outside its Frechet
 * bounds; HK_ERANGE if a share is 0 or 1: nothing varies.
 */
enum hk_status hk_copy_correlation(const struct hk_copy_class *copy_class, double *rho);

/*
 * Bounds that hold whatever the dependence of alignment and size (Frechet):
 * q between max(0, alpha + p - 1) and min(alpha, p).
 *
 * bounds  [out]  ns per message; confidence 1: it is arithmetic, not inference
 *
 * Returns as hk_copy_expected.
 */
enum hk_status hk_copy_bounds(const struct hk_copy_class *classes, size_t class_count,
                              double copy_ns, struct hk_interval *bounds);

/*
 * F5 corrected for the covariance of alignment and size: 1 - q instead of
 * 1 - alpha p. The q must come from another trace than the one predicted.
 *
 * Returns as hk_copy_expected; HK_EINVAL if a q is outside its Frechet bounds by
 * more than 1e-9.
 */
enum hk_status hk_copy_corrected(const struct hk_copy_class *classes, size_t class_count,
                                 double copy_ns, double *expected_ns);

/* Bytes left to copy when the whole pages inside a buffer are remapped. Exact. */
uint64_t hk_copied_bytes_partial(uint64_t offset_bytes, uint64_t length_bytes,
                                 uint64_t page_bytes);

/* Bytes to copy when only a buffer of whole, aligned pages is remapped. Exact. */
uint64_t hk_copied_bytes_whole(uint64_t offset_bytes, uint64_t length_bytes,
                               uint64_t page_bytes);

/*
 * Mean of hk_copied_bytes_partial over offsets uniform on the multiples of a
 * grain. With byte offsets it is page - 1 = 4095 for every length >= 4095.
 *
 * grain_bytes  [in]   alignment of the allocator: divides page_bytes; 1 for bytes
 * mean_bytes   [out]
 *
 * Returns HK_OK; HK_EINVAL if a size is 0 or grain does not divide page.
 * Cost O(page / grain).
 */
enum hk_status hk_copied_bytes_mean(uint64_t length_bytes, uint64_t page_bytes,
                                    uint64_t grain_bytes, double *mean_bytes);

/* One buffer of a trace. */
struct hk_buffer {
    uint64_t offset_bytes; /* within its page */
    uint64_t length_bytes;
};

enum hk_map_policy {
    HK_MAP_WHOLE,   /* remap aligned buffers of whole pages, copy the others */
    HK_MAP_PARTIAL, /* remap the whole pages inside, copy head and tail */
};

/* Costs by size; each returns ns, finite and >= 0, for bytes > 0. */
struct hk_copy_costs {
    double (*copy_ns)(double bytes, const void *context);
    double (*remap_ns)(double bytes, const void *context);
    const void *context;
};

struct hk_copy_trace_cost {
    double cost_ns_mean;      /* per message */
    double copied_bytes_mean; /* per message */
    double remapped_bytes_mean;
};

/*
 * Stronger model: the empirical joint law of length and offset, with copies that
 * cost by size and remaps that are not free.
 *
 * buffers        [in]  buffer_count >= 1, of a training trace
 * message_count  [in]  messages they belong to, >= 1
 *
 * Returns HK_OK; HK_EINVAL (a cost function's bad value included).
 * Cost O(buffer_count).
 */
enum hk_status hk_copy_trace_cost(const struct hk_buffer *buffers, size_t buffer_count,
                                  size_t message_count, enum hk_map_policy policy,
                                  const struct hk_copy_costs *costs,
                                  struct hk_copy_trace_cost *out);

#endif
