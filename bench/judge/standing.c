/* SPDX-License-Identifier: MIT */
#include "standing.h"

#include <string.h>

static bool of_regime(const struct hk_comparison *a, const struct hk_comparison *b)
{
    return strcmp(a->formula, b->formula) == 0 && strcmp(a->regime, b->regime) == 0;
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
    const struct hk_judgement *j = hk_judge_verdict(judge, c->formula, c->regime);

    if (j != NULL && j->kind == HK_VERDICT_HOLDS)
        return hk_judge_textbook(judge, c);
    return j != NULL && j->replacement[0] != '\0' ? j->replacement : strongest(judge, c);
}
