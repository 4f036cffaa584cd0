/* SPDX-License-Identifier: MIT */
#include "hk/predict/waits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hk/judge/judge.h"
#include "hk/stats/quantile.h"

static bool is_wait(const struct hk_comparison *c)
{
    static const char regimes[] = "native/queue/fifo/";

    return strcmp(c->formula, "F3") == 0 && strncmp(c->regime, regimes, strlen(regimes)) == 0 &&
           strcmp(c->model, HK_MODEL_POISSON_WAIT) == 0 && c->measured > 0;
}

static enum hk_status collect(const struct hk_judge *judge, struct hk_waits *out)
{
    double *errors = malloc((judge->comparison_count + 1) * sizeof *errors);
    struct hk_waits w = {0};

    if (errors == NULL)
        return HK_ENOMEM;
    for (size_t i = 0; i < judge->comparison_count; i++) {
        const struct hk_comparison *c = &judge->comparisons[i];
        if (is_wait(c))
            errors[w.count++] = fabs(c->predicted / c->measured - 1);
    }
    enum hk_status status = w.count == 0 ? HK_ENOENT : hk_sample_sort(errors, w.count);
    if (status == HK_OK)
        status = hk_quantile(errors, w.count, 0.5, &w.error_median);
    if (status == HK_OK) {
        w.error_max = errors[w.count - 1];
        *out = w;
    }
    free(errors);
    return status;
}

enum hk_status hk_waits_read(const char *run_path, struct hk_waits *out)
{
    struct hk_judge judge;
    char error[HK_TEXT_BYTES];

    hk_judge_init(&judge);
    enum hk_status status = hk_judge_read(run_path, &judge, error);
    if (status == HK_OK)
        status = collect(&judge, out);
    hk_judge_fini(&judge);
    return status;
}
