/* SPDX-License-Identifier: MIT */
/* Semaphores and notifications. */
#include "table.h"

static void semaphore_counts_and_wakes_one(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    struct hk_thread *three = hk_test_thread(test, "three");
    uint64_t mine, at_two, at_three;

    HK_EXPECT(test, one != NULL && two != NULL && three != NULL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_semaphore_create, 1ull << 31, 0, 0, 0) ==
                        HK_EINVAL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_semaphore_create, 2, 0, 0, 0);
    at_two = hk_test_share(test, one, mine, two, HK_RIGHT_SEMAPHORE);
    at_three = hk_test_share(test, one, mine, three, HK_RIGHT_SEMAPHORE);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_semaphore_wait, at_two, 0, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_semaphore_wait, at_two, HK_TIMEOUT_NONE, 0,
                                 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_semaphore_wait, at_two, 0, 0, 0) == HK_EEMPTY);
    hk_test_call(test, two, HK_SYS_semaphore_wait, at_two, HK_TIMEOUT_NONE, 0, 0);
    hk_test_call(test, three, HK_SYS_semaphore_wait, at_three, HK_TIMEOUT_NONE, 0, 0);
    HK_EXPECT(test, hk_test_asleep(two) && hk_test_asleep(three));
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_semaphore_post, mine, 0, 0, 0) == HK_OK);
    HK_EXPECT(test, !hk_test_asleep(two) && hk_test_asleep(three));
    HK_EXPECT(test, hk_test_result(two) == HK_OK);
    hk_test_end(test, two);
    hk_test_end(test, one);
    HK_EXPECT(test, !hk_test_asleep(three) && hk_test_result(three) == HK_EPEER);
    HK_EXPECT(test, hk_test_call(test, three, HK_SYS_semaphore_wait, at_three, HK_TIMEOUT_NONE, 0,
                                 0) == HK_EPEER);
}

static void semaphore_stops_at_its_maximum(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one");
    uint64_t mine;

    HK_EXPECT(test, one != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_semaphore_create, INT32_MAX, 0, 0, 0);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_semaphore_post, mine, 0, 0, 0) == HK_EFULL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_semaphore_wait, mine, 0, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_semaphore_post, mine, 0, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_notification_wait, mine, 0, 0, 0) ==
                        HK_EHANDLE);
}

static void notification_bits_stick(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t mine, theirs;

    HK_EXPECT(test, one != NULL && two != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_notification_create, 0, 0, 0, 0);
    theirs = hk_test_share(test, one, mine, two, HK_RIGHT_WAIT);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_notification_wait, theirs, 0, 0, 0) ==
                        HK_EEMPTY);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_notification_signal, theirs, 1, 0, 0) ==
                        HK_ERIGHT);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_notification_signal, mine, 0, 0, 0) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_notification_signal, mine, 1ull << 63, 0, 0) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_notification_signal, mine, 5, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_notification_signal, mine, 1ull << 62, 0, 0) ==
                        HK_OK);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_notification_wait, theirs, HK_TIMEOUT_NONE, 0,
                                 0) == (5 | 1ll << 62));
    hk_test_call(test, two, HK_SYS_notification_wait, theirs, HK_TIMEOUT_NONE, 0, 0);
    HK_EXPECT(test, hk_test_asleep(two));
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_notification_signal, mine, 6, 0, 0) == HK_OK);
    HK_EXPECT(test, !hk_test_asleep(two) && hk_test_result(two) == 6);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_notification_wait, theirs, 0, 0, 0) ==
                        HK_EEMPTY);
}

const struct hk_test_row hk_test_signals[] = {
    { "semaphore: counts, wakes one", semaphore_counts_and_wakes_one },
    { "semaphore: stops at its maximum", semaphore_stops_at_its_maximum },
    { "notification: bits stick", notification_bits_stick },
    { NULL, NULL },
};
