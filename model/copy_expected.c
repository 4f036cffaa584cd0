/* SPDX-License-Identifier: MIT */
#include "hk/model/copy_expected.h"

#include <math.h>

#include "check.h"
#include "hk/base/units.h"

#define ROUNDING 1e-9

static bool classes_valid(const struct hk_copy_class *classes, size_t class_count,
                          double copy_ns)
{
    if (!classes || class_count == 0 || !isfinite(copy_ns) || copy_ns < 0.0) {
        return false;
    }
    double total = 0.0;
    for (size_t i = 0; i < class_count; i++) {
        const struct hk_copy_class *c = &classes[i];
        if (!check_ratio(c->weight_ratio) || !check_ratio(c->aligned_ratio) ||
            !check_ratio(c->right_size_ratio) || !isfinite(c->buffer_count) ||
            c->buffer_count < 0.0) {
            return false;
        }
        total += c->weight_ratio;
    }
    return fabs(total - 1.0) <= ROUNDING;
}

static double mappable_min(const struct hk_copy_class *c)
{
    return fmax(0.0, c->aligned_ratio + c->right_size_ratio - 1.0);
}

static double mappable_max(const struct hk_copy_class *c)
{
    return fmin(c->aligned_ratio, c->right_size_ratio);
}

static double mappable_independent(const struct hk_copy_class *c)
{
    return c->aligned_ratio * c->right_size_ratio;
}

static double mappable_measured(const struct hk_copy_class *c)
{
    return c->mappable_ratio;
}

static double expected_with(const struct hk_copy_class *classes, size_t class_count,
                            double copy_ns, double (*mappable)(const struct hk_copy_class *))
{
    double buffers = 0.0;
    for (size_t i = 0; i < class_count; i++) {
        const struct hk_copy_class *c = &classes[i];
        buffers += c->weight_ratio * c->buffer_count * (1.0 - mappable(c));
    }
    return copy_ns * buffers;
}

enum hk_status hk_copy_expected(const struct hk_copy_class *classes, size_t class_count,
                                double copy_ns, double *expected_ns)
{
    if (!expected_ns || !classes_valid(classes, class_count, copy_ns)) {
        return HK_EINVAL;
    }
    *expected_ns = expected_with(classes, class_count, copy_ns, mappable_independent);
    return HK_OK;
}

enum hk_status hk_copy_expected_error(const struct hk_copy_class *classes,
                                      const size_t *buffer_counts, size_t class_count,
                                      const struct hk_estimate *copy_ns,
                                      struct hk_estimate *out)
{
    if (!buffer_counts || !copy_ns || !out || !check_estimate(copy_ns) ||
        !classes_valid(classes, class_count, copy_ns->value)) {
        return HK_EINVAL;
    }
    struct hk_estimate result = {.count = copy_ns->count};
    double variance = 0.0;
    for (size_t i = 0; i < class_count; i++) {
        const struct hk_copy_class *c = &classes[i];
        const double alpha = c->aligned_ratio;
        const double p = c->right_size_ratio;
        const double scale = copy_ns->value * c->weight_ratio * c->buffer_count;
        if (buffer_counts[i] == 0) {
            return HK_EINVAL;
        }
        variance += scale * scale *
                    (p * p * alpha * (1.0 - alpha) + alpha * alpha * p * (1.0 - p)) /
                    (double)buffer_counts[i];
        result.count = check_fewer(result.count, buffer_counts[i]);
    }
    const double copies = expected_with(classes, class_count, 1.0, mappable_independent);
    result.value = copies * copy_ns->value;
    result.standard_error = hypot(sqrt(variance), copies * copy_ns->standard_error);
    if (!check_finite_estimate(&result)) {
        return HK_EINVAL;
    }
    *out = result;
    return HK_OK;
}

/* Is the joint share possible, given the two margins? */
static bool joint_valid(const struct hk_copy_class *c)
{
    return c->mappable_ratio >= mappable_min(c) - ROUNDING &&
           c->mappable_ratio <= mappable_max(c) + ROUNDING;
}

enum hk_status hk_copy_correlation(const struct hk_copy_class *copy_class, double *rho)
{
    if (!copy_class || !rho || !check_ratio(copy_class->aligned_ratio) ||
        !check_ratio(copy_class->right_size_ratio) || !joint_valid(copy_class)) {
        return HK_EINVAL;
    }
    const double alpha = copy_class->aligned_ratio;
    const double p = copy_class->right_size_ratio;
    const double scale = sqrt(alpha * (1.0 - alpha) * p * (1.0 - p));
    if (!(scale > 0.0)) {
        return HK_ERANGE;
    }
    *rho = fmax(-1.0, fmin(1.0, (copy_class->mappable_ratio - alpha * p) / scale));
    return HK_OK;
}

enum hk_status hk_copy_bounds(const struct hk_copy_class *classes, size_t class_count,
                              double copy_ns, struct hk_interval *bounds)
{
    if (!bounds || !classes_valid(classes, class_count, copy_ns)) {
        return HK_EINVAL;
    }
    *bounds = (struct hk_interval){
        .lower = expected_with(classes, class_count, copy_ns, mappable_max),
        .upper = expected_with(classes, class_count, copy_ns, mappable_min),
        .confidence_ratio = 1.0,
    };
    return HK_OK;
}

enum hk_status hk_copy_corrected(const struct hk_copy_class *classes, size_t class_count,
                                 double copy_ns, double *expected_ns)
{
    if (!expected_ns || !classes_valid(classes, class_count, copy_ns)) {
        return HK_EINVAL;
    }
    for (size_t i = 0; i < class_count; i++) {
        if (!joint_valid(&classes[i])) {
            return HK_EINVAL;
        }
    }
    *expected_ns = expected_with(classes, class_count, copy_ns, mappable_measured);
    return HK_OK;
}

uint64_t hk_copied_bytes_partial(uint64_t offset_bytes, uint64_t length_bytes,
                                 uint64_t page_bytes)
{
    const uint64_t head = (page_bytes - offset_bytes % page_bytes) % page_bytes;
    if (length_bytes < head) {
        return length_bytes;
    }
    return head + (length_bytes - head) % page_bytes;
}

uint64_t hk_copied_bytes_whole(uint64_t offset_bytes, uint64_t length_bytes,
                               uint64_t page_bytes)
{
    const bool mappable = offset_bytes % page_bytes == 0 && length_bytes % page_bytes == 0;
    return mappable ? 0 : length_bytes;
}

enum hk_status hk_copied_bytes_mean(uint64_t length_bytes, uint64_t page_bytes,
                                    uint64_t grain_bytes, double *mean_bytes)
{
    if (!mean_bytes || length_bytes == 0 || page_bytes == 0 || grain_bytes == 0 ||
        page_bytes % grain_bytes != 0) {
        return HK_EINVAL;
    }
    double sum = 0.0;
    for (uint64_t offset = 0; offset < page_bytes; offset += grain_bytes) {
        sum += (double)hk_copied_bytes_partial(offset, length_bytes, page_bytes);
    }
    *mean_bytes = sum / (double)(page_bytes / grain_bytes);
    return HK_OK;
}

static bool cost_of(double (*cost)(double bytes, const void *context), const void *context,
                    double bytes, double *sum_ns)
{
    if (bytes > 0.0) {
        const double ns = cost(bytes, context);
        if (!isfinite(ns) || ns < 0.0) {
            return false;
        }
        *sum_ns += ns;
    }
    return true;
}

enum hk_status hk_copy_trace_cost(const struct hk_buffer *buffers, size_t buffer_count,
                                  size_t message_count, enum hk_map_policy policy,
                                  const struct hk_copy_costs *costs,
                                  struct hk_copy_trace_cost *out)
{
    if (!buffers || buffer_count == 0 || message_count == 0 || !costs || !costs->copy_ns ||
        !costs->remap_ns || !out || (policy != HK_MAP_WHOLE && policy != HK_MAP_PARTIAL)) {
        return HK_EINVAL;
    }
    double cost_ns = 0.0;
    double copied_bytes = 0.0;
    double remapped_bytes = 0.0;
    for (size_t i = 0; i < buffer_count; i++) {
        const struct hk_buffer *b = &buffers[i];
        const uint64_t copied =
            policy == HK_MAP_PARTIAL
                ? hk_copied_bytes_partial(b->offset_bytes, b->length_bytes, HK_PAGE_BYTES)
                : hk_copied_bytes_whole(b->offset_bytes, b->length_bytes, HK_PAGE_BYTES);
        const double remapped = (double)(b->length_bytes - copied);
        if (!cost_of(costs->copy_ns, costs->context, (double)copied, &cost_ns) ||
            !cost_of(costs->remap_ns, costs->context, remapped, &cost_ns)) {
            return HK_EINVAL;
        }
        copied_bytes += (double)copied;
        remapped_bytes += remapped;
    }
    const double messages = (double)message_count;
    *out = (struct hk_copy_trace_cost){
        .cost_ns_mean = cost_ns / messages,
        .copied_bytes_mean = copied_bytes / messages,
        .remapped_bytes_mean = remapped_bytes / messages,
    };
    return HK_OK;
}
