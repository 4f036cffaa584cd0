/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "hk/judge/judge.h"

void hk_judge_init(struct hk_judge *judge)
{
    *judge = (struct hk_judge){0};
}

void hk_judge_fini(struct hk_judge *judge)
{
    free(judge->parameters);
    free(judge->comparisons);
    free(judge->judgements);
    free(judge->acceptance);
    *judge = (struct hk_judge){0};
}
