/* SPDX-License-Identifier: MIT */
/* Channels, queues and streams. */
#include "table.h"

#define AT HK_USER_BASE
#define BAD 0x1000 /* nothing is mapped there */
#define CHANNEL_ALL (HK_RIGHT_CHANNEL | HK_RIGHT_COPY)

static hk_result receive(struct hk_test *test, struct hk_thread *thread, uint64_t channel,
                         uint64_t timeout_ns)
{
    return hk_test_call(test, thread, HK_SYS_channel_receive, channel, AT, 256, timeout_ns);
}

static void channel_is_bounded_and_in_order(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t mine, theirs;

    HK_EXPECT(test, one != NULL && two != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_channel_create, 100, 256, 0, 0);
    theirs = hk_test_share(test, one, mine, two, CHANNEL_ALL);
    for (uint32_t lap = 0; lap < 2; lap++) {
        for (uint32_t i = 0; i < 100; i++) {
            hk_test_fill(test, one, AT, 256 - i, i);
            HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine,
                                         two->process->pid, AT, 256 - i) == HK_OK);
        }
        HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, AT, 1) == HK_EFULL);
        for (uint32_t i = 0; i < 100; i++) {
            HK_EXPECT(test, receive(test, two, theirs, HK_TIMEOUT_NOW) == 256 - i);
            HK_EXPECT(test, hk_test_filled(test, two, AT, 256 - i, i));
        }
        HK_EXPECT(test, receive(test, two, theirs, HK_TIMEOUT_NOW) == HK_EEMPTY);
    }
}

static void channel_messages_find_their_receiver(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    struct hk_thread *three = hk_test_thread(test, "three");
    uint64_t mine, at_two, at_three;

    HK_EXPECT(test, one != NULL && two != NULL && three != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_channel_create, 4, 32, 0, 0);
    at_two = hk_test_share(test, one, mine, two, CHANNEL_ALL);
    at_three = hk_test_share(test, one, mine, three, CHANNEL_ALL);
    hk_test_put(test, one, AT, "two-a three two-b anyone");
    for (uint32_t lap = 0; lap < 3; lap++) {
        uint32_t to_two = two->process->pid, to_three = three->process->pid;

        HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, to_two, AT, 5) == 0);
        HK_EXPECT(test, receive(test, three, at_three, HK_TIMEOUT_NOW) == HK_EEMPTY);
        HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, to_three, AT + 6,
                                     5) == 0);
        HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, to_two, AT + 12,
                                     5) == 0);
        HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, AT + 18, 6) == 0);
        HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, AT, 1) == HK_EFULL);
        HK_EXPECT(test, receive(test, three, at_three, HK_TIMEOUT_NOW) == 5);
        HK_EXPECT(test, hk_test_there(test, three, AT, "three"));
        HK_EXPECT(test, receive(test, three, at_three, HK_TIMEOUT_NOW) == 6);
        HK_EXPECT(test, hk_test_there(test, three, AT, "anyone"));
        HK_EXPECT(test, receive(test, two, at_two, HK_TIMEOUT_NOW) == 5);
        HK_EXPECT(test, hk_test_there(test, two, AT, "two-a"));
        HK_EXPECT(test, receive(test, two, at_two, HK_TIMEOUT_NOW) == 5);
        HK_EXPECT(test, hk_test_there(test, two, AT, "two-b"));
        HK_EXPECT(test, receive(test, two, at_two, HK_TIMEOUT_NOW) == HK_EEMPTY);
    }
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 1ull << 32, AT, 1) ==
                        HK_EINVAL);
}

static void channel_send_wakes_exactly_one(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one");
    struct hk_thread *sleepers[3];
    uint64_t handles[3], mine;

    HK_EXPECT(test, one != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_channel_create, 4, 32, 0, 0);
    for (uint32_t i = 0; i < 3; i++) {
        sleepers[i] = hk_test_thread(test, "sleeper");
        HK_EXPECT(test, sleepers[i] != NULL);
        handles[i] = hk_test_share(test, one, mine, sleepers[i], CHANNEL_ALL);
        receive(test, sleepers[i], handles[i], HK_TIMEOUT_NONE);
        HK_EXPECT(test, hk_test_asleep(sleepers[i]));
    }
    hk_test_put(test, one, AT, "to the third, to the first");
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, sleepers[2]->process->pid,
                                 AT, 12) == HK_OK);
    HK_EXPECT(test, hk_test_asleep(sleepers[0]) && hk_test_asleep(sleepers[1]));
    HK_EXPECT(test, !hk_test_asleep(sleepers[2]) && hk_test_result(sleepers[2]) == 12);
    HK_EXPECT(test, hk_test_there(test, sleepers[2], AT, "to the third"));
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, AT + 14, 12) == HK_OK);
    HK_EXPECT(test, !hk_test_asleep(sleepers[0]) && hk_test_asleep(sleepers[1]));
    HK_EXPECT(test, hk_test_there(test, sleepers[0], AT, "to the first"));
    /* a dead sleeper is no receiver */
    hk_test_end(test, sleepers[1]);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, AT, 12) == HK_OK);
    HK_EXPECT(test, receive(test, sleepers[2], handles[2], HK_TIMEOUT_NOW) == 12);
}

static void channel_faults_stay_with_the_guilty(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    struct hk_thread *three = hk_test_thread(test, "three");
    uint64_t mine, at_two, at_three;

    HK_EXPECT(test, one != NULL && two != NULL && three != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_channel_create, 4, 32, 0, 0);
    at_two = hk_test_share(test, one, mine, two, CHANNEL_ALL);
    at_three = hk_test_share(test, one, mine, three, CHANNEL_ALL);
    hk_test_put(test, one, AT, "message");
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, AT, 33) == HK_ETOOBIG);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, AT, UINT64_MAX) ==
                        HK_ETOOBIG);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, BAD, 7) == HK_EFAULT);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, 99, 0, AT, 7) == HK_EHANDLE);
    /* sleepers with a bad address or too little room fail; the message goes to the next */
    hk_test_call(test, two, HK_SYS_channel_receive, at_two, BAD, 32, HK_TIMEOUT_NONE);
    hk_test_call(test, three, HK_SYS_channel_receive, at_three, AT, 6, HK_TIMEOUT_NONE);
    HK_EXPECT(test, hk_test_asleep(two) && hk_test_asleep(three));
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, BAD, 7) == HK_EFAULT);
    HK_EXPECT(test, hk_test_asleep(two) && hk_test_asleep(three));
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, UINT64_MAX - 3, 7) ==
                        HK_EFAULT);
    HK_EXPECT(test, hk_test_asleep(two) && hk_test_asleep(three));
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_send, mine, 0, AT, 7) == HK_OK);
    HK_EXPECT(test, !hk_test_asleep(two) && hk_test_result(two) == HK_EFAULT);
    HK_EXPECT(test, !hk_test_asleep(three) && hk_test_result(three) == HK_ETOOBIG);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_channel_receive, at_two, BAD, 32, 0) ==
                        HK_EFAULT);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_channel_receive, at_two, AT, 6, 0) ==
                        HK_ETOOBIG);
    HK_EXPECT(test, receive(test, two, at_two, HK_TIMEOUT_NOW) == 7);
    HK_EXPECT(test, hk_test_there(test, two, AT, "message"));
}

static void channel_sleepers_learn_of_a_death(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t mine, theirs;

    HK_EXPECT(test, one != NULL && two != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_channel_create, 4, 32, 0, 0);
    HK_EXPECT(test, receive(test, one, mine, HK_TIMEOUT_NONE) == HK_EPEER);
    theirs = hk_test_share(test, one, mine, two, CHANNEL_ALL);
    receive(test, two, theirs, HK_TIMEOUT_NONE);
    HK_EXPECT(test, hk_test_asleep(two));
    hk_test_end(test, one);
    HK_EXPECT(test, !hk_test_asleep(two) && hk_test_result(two) == HK_EPEER);
    HK_EXPECT(test, receive(test, two, theirs, HK_TIMEOUT_NONE) == HK_EPEER);
}

static void bad_geometries_are_refused(struct hk_test *test)
{
    static const struct {
        uint64_t slots, message_bytes;
        enum hk_status status;
    } rows[] = {
        { 0, 256, HK_EINVAL },           { 100, 0, HK_EINVAL },
        { UINT64_MAX, 1, HK_ETOOBIG },   { 1, UINT64_MAX, HK_ETOOBIG },
        { 1ull << 32, 1, HK_ETOOBIG },   { HK_MIB, HK_MIB, HK_ETOOBIG },
        { 4096, 256, HK_ETOOBIG },
    };
    struct hk_thread *one = hk_test_thread(test, "one");
    uint32_t objects;

    HK_EXPECT(test, one != NULL);
    objects = hk_object_count(test->cpu->kernel);
    for (size_t i = 0; i < HK_ARRAY_COUNT(rows); i++) {
        HK_EXPECT(test, hk_test_call(test, one, HK_SYS_channel_create, rows[i].slots,
                                     rows[i].message_bytes, 0, 0) == rows[i].status);
        HK_EXPECT(test, hk_test_call(test, one, HK_SYS_queue_create, rows[i].slots,
                                     rows[i].message_bytes, 0, 0) == rows[i].status);
    }
    HK_EXPECT(test, hk_object_count(test->cpu->kernel) == objects);
}

static void queue_outlives_its_sender(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t mine, theirs;

    HK_EXPECT(test, one != NULL && two != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_queue_create, 3, 64, 0, 0);
    theirs = hk_test_share(test, one, mine, two, HK_RIGHT_QUEUE);
    hk_test_put(test, one, AT, "first second");
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_queue_send, mine, AT, 5, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_queue_send, mine, AT + 6, 6, 0) == HK_OK);
    hk_test_end(test, one);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_queue_receive, theirs, AT, 4, 0) ==
                        HK_ETOOBIG);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_queue_receive, theirs, AT, 64, 0) == 5);
    HK_EXPECT(test, hk_test_there(test, two, AT, "first"));
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_queue_receive, theirs, AT, 64,
                                 HK_TIMEOUT_NONE) == 6);
    HK_EXPECT(test, hk_test_there(test, two, AT, "second"));
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_queue_receive, theirs, AT, 64, 0) ==
                        HK_EEMPTY);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_queue_receive, theirs, AT, 64,
                                 HK_TIMEOUT_NONE) == HK_EPEER);
}

static void queue_senders_wait_for_room(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    struct hk_thread *bad = hk_test_thread(test, "bad");
    uint64_t mine, at_two, at_bad;

    HK_EXPECT(test, one != NULL && two != NULL && bad != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_queue_create, 1, 8, 0, 0);
    at_two = hk_test_share(test, one, mine, two, HK_RIGHT_QUEUE);
    at_bad = hk_test_share(test, one, mine, bad, HK_RIGHT_QUEUE);
    hk_test_put(test, one, AT, "a");
    hk_test_put(test, two, AT, "b");
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_queue_send, mine, AT, 1, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_queue_send, at_two, AT, 1, 0) == HK_EFULL);
    hk_test_call(test, bad, HK_SYS_queue_send, at_bad, BAD, 1, HK_TIMEOUT_NONE);
    hk_test_call(test, two, HK_SYS_queue_send, at_two, AT, 1, HK_TIMEOUT_NONE);
    HK_EXPECT(test, hk_test_asleep(bad) && hk_test_asleep(two));
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_queue_receive, mine, AT, 8, 0) == 1);
    HK_EXPECT(test, hk_test_there(test, one, AT, "a"));
    HK_EXPECT(test, !hk_test_asleep(bad) && hk_test_result(bad) == HK_EFAULT);
    HK_EXPECT(test, !hk_test_asleep(two) && hk_test_result(two) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_queue_receive, mine, AT, 8, 0) == 1);
    HK_EXPECT(test, hk_test_there(test, one, AT, "b"));
    hk_test_call(test, one, HK_SYS_queue_receive, mine, AT, 8, HK_TIMEOUT_NONE);
    HK_EXPECT(test, hk_test_asleep(one));
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_queue_send, at_two, AT, 1, 0) == HK_OK);
    HK_EXPECT(test, !hk_test_asleep(one) && hk_test_result(one) == 1);
}

static void stream_carries_bytes(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t mine, theirs, sent = 0, got = 0;

    HK_EXPECT(test, one != NULL && two != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_stream_create, 0, 0, 0, 0);
    theirs = hk_test_share(test, one, mine, two, HK_RIGHT_STREAM);
    /* pieces of 701 and 997 bytes wrap around the page at every place */
    while (got < 50000) {
        hk_result bytes;

        hk_test_fill(test, one, AT, 701, (uint32_t)sent);
        bytes = hk_test_call(test, one, HK_SYS_stream_write, mine, AT, 701, 0);
        HK_EXPECT(test, bytes == HK_EFULL || (bytes > 0 && bytes <= 701));
        sent += bytes > 0 ? (uint64_t)bytes : 0;
        if (bytes == 701)
            continue;
        bytes = hk_test_call(test, two, HK_SYS_stream_read, theirs, AT, 997, 0);
        HK_EXPECT(test, bytes == 997);
        HK_EXPECT(test, hk_test_filled(test, two, AT, 997, (uint32_t)got));
        got += 997;
    }
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_stream_write, mine, AT, 0, 0) == 0);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_stream_write, mine, BAD, 5, 0) == HK_EFAULT);
}

static void stream_wakes_readers_and_writers(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t mine, theirs;

    HK_EXPECT(test, one != NULL && two != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_stream_create, 0, 0, 0, 0);
    theirs = hk_test_share(test, one, mine, two, HK_RIGHT_STREAM);
    hk_test_put(test, one, AT, "byte stream");
    hk_test_call(test, two, HK_SYS_stream_read, theirs, AT, 4, HK_TIMEOUT_NONE);
    HK_EXPECT(test, hk_test_asleep(two));
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_stream_write, mine, AT, 11, 0) == 4);
    HK_EXPECT(test, !hk_test_asleep(two) && hk_test_result(two) == 4);
    HK_EXPECT(test, hk_test_there(test, two, AT, "byte"));
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_stream_read, theirs, AT, 4, 0) == HK_EEMPTY);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_stream_write, mine, AT, 5000, 0) == 4096);
    hk_test_call(test, one, HK_SYS_stream_write, mine, AT, 9, HK_TIMEOUT_NONE);
    HK_EXPECT(test, hk_test_asleep(one));
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_stream_read, theirs, AT, 4, 0) == 4);
    HK_EXPECT(test, !hk_test_asleep(one) && hk_test_result(one) == 4);
    hk_test_call(test, one, HK_SYS_stream_write, mine, AT, 9, HK_TIMEOUT_NONE);
    HK_EXPECT(test, hk_test_asleep(one));
    hk_test_end(test, two);
    HK_EXPECT(test, !hk_test_asleep(one) && hk_test_result(one) == HK_EPEER);
}

const struct hk_test_row hk_test_messages[] = {
    { "channel: bounded, in order", channel_is_bounded_and_in_order },
    { "channel: messages find their receiver", channel_messages_find_their_receiver },
    { "channel: a send wakes exactly one", channel_send_wakes_exactly_one },
    { "channel: faults stay with the guilty", channel_faults_stay_with_the_guilty },
    { "channel: sleepers learn of a death", channel_sleepers_learn_of_a_death },
    { "channel, queue: bad geometries", bad_geometries_are_refused },
    { "queue: outlives its sender", queue_outlives_its_sender },
    { "queue: senders wait for room", queue_senders_wait_for_room },
    { "stream: carries bytes", stream_carries_bytes },
    { "stream: wakes readers and writers", stream_wakes_readers_and_writers },
    { NULL, NULL },
};
