/* SPDX-License-Identifier: MIT */
#include "standing.h"

#include <string.h>

static bool of_regime(const struct hk_comparison *a, const struct hk_comparison *b)
{
    return strcmp(a->formula, b->formula) == 0 && strcmp(a->regime, b->regime) == 0;
}

static const struct hk_judgement *judgement_of(const struct hk_judge *judge,
                                               const struct hk_comparison *c)
{
    for (size_t i = 0; i < judge->judgement_count; i++)
        if (strcmp(judge->judgements[i].formula, c->formula) == 0 &&
            strcmp(judge->judgements[i].regime, c->regime) == 0)
            return &judge->judgements[i];
    return NULL;
}

const char *hk_judge_textbook(const struct hk_judge *judge, const struct hk_comparison *c)
{
    for (size_t i = 0; i < judge->comparison_count; i++)
        if (of_regime(&judge->comparisons[i], c))
            return judge->comparisons[i].model;
    return c->model;
}

static const char *strongest(const struct hk_judge *judge, const struct hk_comparison *c)
{
    for (size_t i = judge->comparison_count; i-- > 0;)
        if (of_regime(&judge->comparisons[i], c))
            return judge->comparisons[i].model;
    return c->model;
}

const char *hk_judge_standing(const struct hk_judge *judge, const struct hk_comparison *c)
{
    const struct hk_judgement *j = judgement_of(judge, c);

    if (j != NULL && j->kind == HK_VERDICT_HOLDS)
        return hk_judge_textbook(judge, c);
    return j != NULL && j->replacement[0] != '\0' ? j->replacement : strongest(judge, c);
}
