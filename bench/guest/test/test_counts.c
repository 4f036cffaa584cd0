/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/guest/counts.h"

#define PLAIN                                                                                      \
    "instructions_kernel=120 instructions_user=44 loads=9 stores=8 ring_entries=2 "                \
    "cr3_writes=1"
#define MODEL                                                                                      \
    " cache_misses=5 cache_misses_l1i=4 cache_misses_l1d=3 tlb_misses=2 "                          \
    "tlb_misses_itlb=1 tlb_misses_dtlb=6 tlb_misses_pcid=7"
#define DONE(n) "HKC1 done regions=" #n " unmatched=0 saturated=0\n"

static void good_file_is_read(void **state)
{
    static const char text[] = "HKC1 region=0 " PLAIN MODEL "\n"
                               "HKC1 function=small region=0 ring=user instructions=44\n"
                               "HKC1 function=big region=0 ring=kernel instructions=120\n"
                               "HKC1 region=1 " PLAIN MODEL "\n" DONE(2);
    struct hk_counts counts;
    char error[256];

    (void)state;
    assert_int_equal(hk_counts_parse(text, sizeof(text) - 1, &counts, error), HK_OK);
    assert_int_equal(counts.region_count, 2);
    assert_int_equal(counts.regions[0].count[HK_COUNT_INSTRUCTIONS_KERNEL], 120);
    assert_int_equal(counts.regions[1].count[HK_COUNT_CR3_WRITES], 1);
    assert_int_equal(counts.regions[1].count[HK_COUNT_TLB_MISSES_PCID], 7);
    assert_int_equal(counts.regions[0].function_count, 2);
    assert_string_equal(counts.regions[0].functions[0].name, "big");
    hk_counts_fini(&counts);
    assert_int_equal(counts.region_count, 0);
}

static const struct {
    const char *text;
    enum hk_status status;
} bad[] = {
    {"", HK_EPARSE},
    {"HKC1 region=0 " PLAIN "\n", HK_EPARSE},             /* no end */
    {"HKC1 region=0 " PLAIN "\nHKC1 done", HK_EPARSE},    /* cut in the last line */
    {"HKC1 region=1 " PLAIN "\n" DONE(1), HK_EPARSE},     /* out of order */
    {"HKC1 region=0 " PLAIN "\n" DONE(2), HK_EPARSE},     /* one is missing */
    {"HKC2 region=0 " PLAIN "\n" DONE(1), HK_EPARSE},     /* another version */
    {"HKC1 region=0 " PLAIN " \n" DONE(1), HK_EPARSE},    /* empty word */
    {"HKC1 region=0 " PLAIN " x=1\n" DONE(1), HK_EPARSE}, /* unknown key */
    {"HKC1 region=0 " PLAIN "\nHKC1 region=1 " PLAIN MODEL "\n" DONE(2), HK_EPARSE},
    {"HKC1 function=f region=0 ring=user instructions=1\n" DONE(0), HK_EPARSE},
    {DONE(0) "x\n", HK_EPARSE},
    {DONE(0) "x", HK_EPARSE},
    {"HKC1 done regions=0 unmatched=1 saturated=0\n", HK_EROW},
    {"HKC1 done regions=0 unmatched=0 saturated=3\n", HK_EROW},
    {"HKC1 done regions=0 unmatched=18446744073709551616 saturated=0\n", HK_EPARSE},
    {"HKC1 done regions=-0 unmatched=0 saturated=0\n", HK_EPARSE},
};

static void bad_files_are_refused(void **state)
{
    struct hk_counts counts = {.region_count = 4711};
    char error[256];

    (void)state;
    for (size_t i = 0; i < HK_ARRAY_COUNT(bad); i++) {
        error[0] = '\0';
        assert_int_equal(hk_counts_parse(bad[i].text, strlen(bad[i].text), &counts, error),
                         bad[i].status);
        assert_true(error[0] != '\0');
        assert_int_equal(counts.region_count, 4711);
    }
}

static void every_count_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(hk_count_name(HK_COUNT_INSTRUCTIONS_KERNEL), "instructions_kernel");
    assert_string_equal(hk_count_name(HK_COUNT_TLB_MISSES_PCID), "tlb_misses_pcid");
    assert_null(hk_count_name(HK_COUNT_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_file_is_read),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(every_count_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
