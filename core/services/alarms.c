/* SPDX-License-Identifier: MIT */
/*
 * Alarms, one shot and periodic: a binary heap by time over a table. An entry of the
 * table counts while it has a client; the heap is made again from it. The table has two
 * copies in a server (services/durable.h).
 */
#include "services/durable.h"
#include "services/rows.h"

#define ALARMS 128u
#define PERIOD_NS_MIN 10000u /* no client may keep the service busy with one alarm */

/* As long as a power of two: none lies on two pages. */
struct alarm {
    _Alignas(64) uint64_t client; /* badge + 1; 0: not in use */
    uint64_t generation;
    uint64_t at_ns;
    uint64_t period_ns; /* 0: once */
    uint64_t bits;
    uint64_t count; /* times it went off */
};

/* On a page of its own. */
struct history {
    _Alignas(HK_PAGE_BYTES) uint64_t gone_off;
    uint64_t late_ns_max;
};

struct clockwork {
    struct alarm alarm[ALARMS];
    struct history history;
    uint32_t heap_count; /* from here on: made again by start() */
    uint8_t heap[ALARMS];
    bool broken; /* both copies of a page were damaged: nothing is known */
    struct hk_durable_tally found;
};

#define KEPT_PAGES (offsetof(struct clockwork, heap_count) / HK_PAGE_BYTES)

_Static_assert(offsetof(struct clockwork, heap_count) % HK_PAGE_BYTES == 0, "pages apart");
_Static_assert(HK_TIMER_PAGES == KEPT_PAGES + 1, "rows.h says as many pages");
_Static_assert(sizeof(struct clockwork) == HK_TIMER_PAGES * HK_PAGE_BYTES, "the heap fits");

static void keep(struct hk_service_host *host, const struct alarm *alarm)
{
    hk_durable_seal(host, alarm, offsetof(struct alarm, count) + sizeof(alarm->count));
}

static bool earlier(const struct clockwork *c, uint32_t a, uint32_t b)
{
    return c->alarm[c->heap[a]].at_ns < c->alarm[c->heap[b]].at_ns;
}

static void swap(struct clockwork *c, uint32_t a, uint32_t b)
{
    uint8_t was = c->heap[a];

    c->heap[a] = c->heap[b];
    c->heap[b] = was;
}

static void move_up(struct clockwork *c, uint32_t at)
{
    for (; at > 0 && earlier(c, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(c, at, (at - 1) / 2);
}

static void move_down(struct clockwork *c, uint32_t at)
{
    for (;;) {
        uint32_t first = at;

        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < c->heap_count && earlier(c, child, first))
                first = child;
        if (first == at)
            return;
        swap(c, at, first);
        at = first;
    }
}

static void insert(struct clockwork *c, uint32_t index)
{
    c->heap[c->heap_count] = (uint8_t)index;
    move_up(c, c->heap_count++);
}

static void take_out(struct clockwork *c, uint32_t at)
{
    c->heap[at] = c->heap[--c->heap_count];
    if (at < c->heap_count) {
        move_down(c, at);
        move_up(c, at);
    }
}

static void wake_for_first(struct hk_service_host *host, const struct clockwork *c)
{
    host->wake_at(host, c->heap_count == 0 ? HK_SERVICE_NEVER_NS : c->alarm[c->heap[0]].at_ns);
}

static uint64_t number_of(const struct clockwork *c, const struct alarm *alarm)
{
    return (uint64_t)(alarm - c->alarm) | alarm->generation << 8;
}

static enum hk_status set(struct hk_service_host *host, struct clockwork *c,
                          struct hk_service_message *message)
{
    struct alarm *alarm = NULL;

    if (message->word[3] == 0 || message->word[1] > INT64_MAX || message->word[2] > INT64_MAX ||
        (message->word[2] != 0 && message->word[2] < PERIOD_NS_MIN))
        return HK_EINVAL;
    for (uint32_t i = 0; i < ALARMS && alarm == NULL; i++)
        if (c->alarm[i].client == 0)
            alarm = &c->alarm[i];
    if (alarm == NULL)
        return HK_ENOSPC;
    alarm->generation = (alarm->generation + 1) & 0xffffffff;
    alarm->at_ns = message->word[1];
    alarm->period_ns = message->word[2];
    alarm->bits = message->word[3];
    alarm->count = 0;
    alarm->client = message->badge + 1;
    keep(host, alarm);
    insert(c, (uint32_t)(alarm - c->alarm));
    if (c->heap[0] == alarm - c->alarm)
        wake_for_first(host, c);
    message->word[1] = number_of(c, alarm);
    return HK_OK;
}

static enum hk_status cancel(struct hk_service_host *host, struct clockwork *c,
                             struct hk_service_message *message)
{
    uint64_t index = message->word[1] & 0xff;
    struct alarm *alarm;

    if (index >= ALARMS)
        return HK_ENOENT;
    alarm = &c->alarm[index];
    if (alarm->client != message->badge + 1 || number_of(c, alarm) != message->word[1])
        return HK_ENOENT;
    for (uint32_t at = 0; at < c->heap_count; at++) {
        if (&c->alarm[c->heap[at]] != alarm)
            continue;
        take_out(c, at);
        if (at == 0)
            wake_for_first(host, c);
        break;
    }
    alarm->client = 0;
    hk_durable_seal(host, &alarm->client, sizeof(alarm->client));
    message->word[1] = alarm->count;
    return HK_OK;
}

/* Signal all that are due; a periodic one goes on from the next time of its grid. */
static enum hk_status go_off(struct hk_service_host *host, struct clockwork *c)
{
    uint64_t now_ns = host->clock_ns(host);

    while (c->heap_count > 0 && c->alarm[c->heap[0]].at_ns <= now_ns) {
        struct alarm *alarm = &c->alarm[c->heap[0]];
        uint64_t late_ns = now_ns - alarm->at_ns;

        bool client_is_gone = host->signal(host, alarm->client - 1, alarm->bits) == HK_ENOENT;

        alarm->count++;
        c->history.gone_off++;
        if (late_ns > c->history.late_ns_max)
            c->history.late_ns_max = late_ns;
        take_out(c, 0);
        if (alarm->period_ns == 0 || client_is_gone) {
            alarm->client = 0;
        } else {
            alarm->at_ns += (late_ns / alarm->period_ns + 1) * alarm->period_ns;
            insert(c, (uint32_t)(alarm - c->alarm));
        }
        keep(host, alarm);
    }
    hk_durable_seal(host, &c->history, 2 * sizeof(c->history.gone_off));
    wake_for_first(host, c);
    return HK_OK;
}

enum hk_status hk_timer_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct clockwork *c = host->memory;

    if (message->badge == HK_SERVICE_TIME_BADGE)
        return c->broken ? HK_OK : go_off(host, c);
    if (c->broken && message->word[0] < HK_TIMER_STATUS)
        return HK_EIO;
    switch (message->word[0]) {
    case HK_TIMER_SET:
        return set(host, c, message);
    case HK_TIMER_CANCEL:
        return cancel(host, c, message);
    case HK_TIMER_STATUS:
        message->word[1] = c->heap_count;
        message->word[2] = c->history.gone_off;
        message->word[3] = c->history.late_ns_max;
        message->word[4] = c->found.restored;
        message->word[5] = c->found.lost;
        message->words = 6;
        return HK_OK;
    default:
        return HK_ENOSYS;
    }
}

void hk_timer_start(struct hk_service_host *host)
{
    struct clockwork *c = host->memory;

    __builtin_memset(&c->heap_count, 0, sizeof(*c) - offsetof(struct clockwork, heap_count));
    for (uint64_t page = 0; page < KEPT_PAGES; page++)
        c->broken |= !hk_durable_mend(host, page, &c->found);
    if (c->broken)
        return;
    for (uint32_t i = 0; i < ALARMS; i++)
        if (c->alarm[i].client != 0)
            insert(c, i);
    wake_for_first(host, c);
}
