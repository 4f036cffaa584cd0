/* SPDX-License-Identifier: MIT */
/* The kernel's table of tests on the hosted machine; a row that fails names its expectation. */
#include <stdio.h>

#include "hk/core/hosted.h"
#include "table.h"

#define MEMORY_BYTES (4 * HK_MIB)

static int run_row(const struct hk_test_row *row)
{
    struct hk_hosted *hosted;
    struct hk_test test;
    uint64_t leaks;

    if (hk_hosted_create(MEMORY_BYTES, &hosted) != HK_OK) {
        printf("fail %s: no memory\n", row->name);
        return 1;
    }
    hk_test_run(hk_hosted_kernel(hosted)->cpu, row, &test);
    leaks = hk_hosted_destroy(hosted);
    if (test.failed != NULL)
        printf("fail %s: %s (%s:%u)\n", row->name, test.failed, test.file, test.line);
    else if (leaks != 0)
        printf("fail %s: %llu leaks at shutdown\n", row->name, (unsigned long long)leaks);
    else
        printf("ok   %s\n", row->name);
    return test.failed != NULL || leaks != 0;
}

int main(void)
{
    int failed = 0;

    for (const struct hk_test_row *const *table = hk_test_tables; *table != NULL; table++)
        for (const struct hk_test_row *row = *table; row->name != NULL; row++)
            failed += run_row(row);
    return failed > 0;
}
