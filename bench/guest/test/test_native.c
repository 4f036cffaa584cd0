/* SPDX-License-Identifier: MIT */
/*
 * The services in processes of the host do the work that the replay counts: every workload that
 * comes with hkbench, called directly and carried. Time passes in thinking alone, in both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/core/native.h"
#include "hk/guest/primitives.h"
#include "hk/guest/replay.h"

#define ALL_SERVERS (HK_SWEEP_PLACEMENTS - 1)

static const char *const files[] = {"audio_workstation", "desktop", "file_compile", "sensor_node",
                                    "web_server"};

struct bench {
    struct hk_native *native;
    uint64_t now_ns;
    enum hk_status refuse; /* of the next message that is carried */
    uint64_t spoil;        /* added to the words of its answer */
    uint64_t carried;
};

static uint64_t now_ns(void *context)
{
    return ((struct bench *)context)->now_ns;
}

static void wait_until(void *context, uint64_t at_ns)
{
    ((struct bench *)context)->now_ns = at_ns;
}

static enum hk_status carry(void *context, unsigned service, void *message, size_t *bytes)
{
    struct bench *b = context;
    _Alignas(8) char other[HK_NATIVE_MESSAGE_BYTES_MAX];
    enum hk_status status = b->refuse;

    b->carried++;
    if (status != HK_OK)
        return status;
    memcpy(other, message, *bytes);
    status = hk_native_handle(b->native, service, other, *bytes, bytes);
    memcpy(message, other, *bytes);
    ((uint64_t *)message)[1] += b->spoil;
    return status;
}

static void start(struct bench *b, const struct hk_mix *mix, uint32_t servers)
{
    const struct hk_native_options options = {mix, servers, now_ns, wait_until, carry, b};

    *b = (struct bench){.now_ns = 2385};
    assert_int_equal(hk_native_create(&options, &b->native), HK_OK);
    assert_int_equal(hk_native_set_up(b->native), HK_OK);
}

/* What requests from the seed on made the services do. */
static struct hk_native_tally region(struct bench *b, const struct hk_mix *mix, uint64_t seed,
                                     uint64_t count)
{
    struct hk_native_tally before, after;

    hk_native_tell(b->native, &before);
    hk_native_restart(b->native, seed);
    if (hk_native_requests(b->native, count) != HK_OK)
        fail_msg("%s", hk_native_error(b->native));
    hk_native_tell(b->native, &after);
    assert_int_equal(after.thought_ns - before.thought_ns,
                     count * (mix->think_instructions / 2 * 2));
    for (unsigned i = 0; i < HK_SERVICES; i++) {
        after.calls[i] -= before.calls[i];
        after.wakes[i] -= before.wakes[i];
    }
    return after;
}

static double replayed_calls(const struct hk_replay *replay, unsigned service)
{
    double calls = 0;

    for (enum hk_work w = 0; w < HK_WORKS; w++)
        if (hk_work_service(w) == service)
            calls += replay->work[w] * hk_work_calls(w);
    return calls;
}

static void same(const char *name, const char *what, double native, double replayed)
{
    if (native - replayed > 1e-6 || replayed - native > 1e-6)
        fail_msg("%s: %s: %f here, %f in the replay", name, what, native, replayed);
}

static void compare(const struct hk_sweep_workload *workload, uint32_t servers)
{
    static const struct {
        unsigned service;
        enum hk_work work;
    } own[] = {{HK_SERVICE_AUDIO, HK_WORK_AUDIO_WAKE},
               {HK_SERVICE_BLOCK, HK_WORK_BLOCK_WAKE},
               {HK_SERVICE_PRINT, HK_WORK_BAND}};
    const struct hk_mix *mix = &workload->mix;
    const double n = (double)mix->requests;
    const struct hk_replay_costs free_of_charge = {0};
    struct hk_native_tally once, twice;
    struct hk_replay replay;
    struct bench b;

    assert_int_equal(hk_mix_replay(mix, &free_of_charge, 0, &replay), HK_OK);
    start(&b, mix, servers);
    (void)region(&b, mix, ~mix->seed, mix->requests / 8 + 1);
    once = region(&b, mix, mix->seed, mix->requests);
    twice = region(&b, mix, mix->seed, 2 * mix->requests);
    hk_native_destroy(b.native);
    for (unsigned i = 0; i < HK_SERVICES; i++)
        same(workload->name, hk_mix_service_name((enum hk_service_number)i),
             (double)twice.calls[i] - (double)once.calls[i], n * replayed_calls(&replay, i));
    for (size_t i = 0; i < HK_ARRAY_COUNT(own); i++)
        same(workload->name, hk_work_name(own[i].work),
             (double)twice.wakes[own[i].service] - (double)once.wakes[own[i].service],
             n * replay.work[own[i].work]);
    assert_true(servers == 0 ? b.carried == 0 : b.carried > 0);
}

static void work_is_the_replays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HK_PRIMITIVES; i++) {
        struct hk_sweep_workload workload;

        hk_primitive_make(i, &workload);
        compare(&workload, 0);
        compare(&workload, ALL_SERVERS);
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(files); i++) {
        struct hk_sweep_workload workload;
        char error[256];

        assert_int_equal(hk_sweep_workload_find(HK_WORKLOADS, files[i], &workload, error), HK_OK);
        compare(&workload, 0);
        compare(&workload, ALL_SERVERS);
    }
}

/* One that asks all services. */
static const struct hk_mix *some_mix(void)
{
    static struct hk_sweep_workload workload;
    char error[256];

    assert_int_equal(hk_sweep_workload_find(HK_WORKLOADS, "desktop", &workload, error), HK_OK);
    return &workload.mix;
}

static void what_cannot_be_carried_is_told(void **state)
{
    struct bench b;

    (void)state;
    start(&b, some_mix(), ALL_SERVERS);
    b.refuse = HK_EPEER;
    assert_int_equal(hk_native_requests(b.native, 100), HK_EPEER);
    hk_native_destroy(b.native);

    start(&b, some_mix(), ALL_SERVERS);
    b.spoil = 3; /* more words than came */
    assert_int_equal(hk_native_requests(b.native, 100), HK_EPARSE);
    hk_native_destroy(b.native);
}

/* Files that nobody made. */
static void what_a_service_must_not_do_is_told(void **state)
{
    struct hk_sweep_workload workload;
    struct bench b = {.now_ns = 2385};

    (void)state;
    hk_primitive_make(0, &workload);
    workload.mix.entry[0] = (struct hk_mix_entry){
        .action = HK_MIX_FILE_STAT, .weight = 1, .count = 1};
    const struct hk_native_options options = {&workload.mix, 0, now_ns, wait_until, NULL, &b};
    assert_int_equal(hk_native_create(&options, &b.native), HK_OK);
    assert_null(hk_native_error(b.native));
    assert_int_equal(hk_native_requests(b.native, 1), HK_EROW);
    assert_string_equal(hk_native_error(b.native), "a file is not found");
    hk_native_destroy(b.native);
}

static void what_is_no_message_is_refused(void **state)
{
    uint64_t message[4] = {1, 2, HK_MIX_ACTIONS, 0};
    size_t reply_bytes = 2385;
    struct bench b;

    (void)state;
    start(&b, some_mix(), 0);
    assert_int_equal(hk_native_handle(b.native, HK_SERVICE_NET, message, 15, &reply_bytes),
                     HK_EPARSE);
    assert_int_equal(hk_native_handle(b.native, HK_SERVICE_NET, message, 24, &reply_bytes),
                     HK_EPARSE);
    message[1] = UINT64_MAX;
    assert_int_equal(hk_native_handle(b.native, HK_SERVICE_NET, message, 8, &reply_bytes),
                     HK_EPARSE);
    assert_int_equal(hk_native_handle(b.native, HK_SERVICE_NET, message, 32, &reply_bytes),
                     HK_EPARSE);
    assert_int_equal(reply_bytes, 2385);
    hk_native_destroy(b.native);
}

static void no_memory_is_told(void **state)
{
    struct rlimit before;
    struct bench b = {0};
    const struct hk_native_options options = {some_mix(), 0, now_ns, wait_until, NULL, &b};

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    const struct rlimit less = {0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &less), 0);
    const enum hk_status status = hk_native_create(&options, &b.native);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_int_equal(status, HK_ENOMEM);
    assert_null(b.native);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_the_replays),
        cmocka_unit_test(what_cannot_be_carried_is_told),
        cmocka_unit_test(what_a_service_must_not_do_is_told),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(no_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
