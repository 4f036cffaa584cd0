/* SPDX-License-Identifier: MIT */
/*
 * Any requests to the services, and any composition. A service in ring 0 has the
 * kernel's memory in reach, so its state, its pages and the message buffer are
 * separate allocations here, whose ends are watched. Half of the inputs run services with
 * two copies, whose successor must find nothing to restore: all that changed was sealed.
 */
#include <stdlib.h>

#include "input.h"
#include "services/durable.h"

/* What a service asks of its place; time passes with each look at the clock. */
struct place {
    struct hk_service_host host;
    uint64_t now_ns;
};

static uint64_t clock_ns(struct hk_service_host *host)
{
    return ((struct place *)(void *)host)->now_ns += 25000;
}

static void wake_at(struct hk_service_host *host, uint64_t at_ns)
{
    (void)host, (void)at_ns;
}

static enum hk_status signal_client(struct hk_service_host *host, uint64_t client, uint64_t bits)
{
    (void)host, (void)bits;
    return client % 2 == 0 ? HK_OK : HK_ENOENT;
}

static enum hk_status lend(struct hk_service_host *host, const void *page, uint64_t client,
                           uint64_t address)
{
    (void)host, (void)client;
    if ((uintptr_t)page % 16 != 0)
        abort();
    return address % HK_PAGE_BYTES == 0 ? HK_OK : HK_EINVAL;
}

/* Every third page, so that both ways of every write are taken. */
static bool is_lent(struct hk_service_host *host, const void *page)
{
    return ((uintptr_t)page - (uintptr_t)host->memory) / HK_PAGE_BYTES % 3 == 0;
}

static void answer(struct hk_service_host *host, const struct hk_answer *answer)
{
    (void)host;
    if (answer->words > HK_ARRAY_COUNT(answer->word))
        abort();
}

static enum hk_status supply(struct hk_service_host *host, uint64_t address, uint64_t protection)
{
    (void)host, (void)address, (void)protection;
    return HK_EPERM; /* as where no fault is served */
}

static const struct hk_service_host host = {
    .clock_ns = clock_ns,
    .wake_at = wake_at,
    .signal = signal_client,
    .lend = lend,
    .is_lent = is_lent,
    .answer = answer,
    .supply = supply,
};

/* Small numbers mostly: they are the ones that name something. */
static uint64_t word_of(struct input *input)
{
    uint8_t choice = (uint8_t)input_take(input, 1);

    if (choice < 128)
        return choice % 8;
    return choice < 224 ? input_take(input, 2) : input_take(input, 8);
}

/* What says how many pages a successor restored and lost. */
static const struct {
    uint64_t request, word;
} found[HK_SERVICES] = {
    [HK_SERVICE_FILE] = { HK_FILE_STATUS, 1 },   [HK_SERVICE_BLOCK] = { HK_BLOCK_STATUS, 5 },
    [HK_SERVICE_TIMER] = { HK_TIMER_STATUS, 4 }, [HK_SERVICE_PRINT] = { HK_PRINT_FOUND, 1 },
    [HK_SERVICE_MEMORY] = { HK_MEMORY_STATUS, 1 },
};

/* A server starts after another's death, which left nothing half done. */
static void succeed(struct place *place, const struct hk_service *service)
{
    const size_t number = (size_t)(service - hk_services);
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { found[number].request };
    struct hk_service_message message = { .words = HK_SERVICE_REPLY_WORDS, .word = word };

    service->start(&place->host);
    if (place->host.copy == NULL)
        return;
    if (service->handle(&place->host, &message) != HK_OK ||
        word[found[number].word] + word[found[number].word + 1] != 0)
        abort();
}

/* A request of a client, the time that it asked for, or a server that starts after another's death. */
static void request(struct place *place, const struct hk_service *service, struct input *input)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
    struct hk_service_message message = { .badge = word_of(input),
                                          .words = HK_SERVICE_REPLY_WORDS,
                                          .word = word };
    enum hk_status status;

    for (size_t i = 0; i < HK_MESSAGE_REGISTER_WORDS; i++)
        word[i] = i < 9 ? word_of(input) : i;
    if (message.badge == 7)
        message.badge = HK_SERVICE_TIME_BADGE;
    if (message.badge == 6)
        succeed(place, service);
    message.buffer = calloc(HK_MESSAGE_BUFFER_WORDS, sizeof(uint64_t));
    if (message.buffer == NULL)
        abort();
    message.buffer[0] = word_of(input);
    status = service->handle(&place->host, &message);
    if (status > HK_OK || message.words > HK_MESSAGE_WORDS_MAX)
        abort();
    free(message.buffer);
}

static void compose(const uint8_t *data, size_t bytes)
{
    uint32_t placement;
    char *text = malloc(bytes + 1); /* not terminated: what is read behind it is found */

    if (text == NULL)
        abort();
    memcpy(text, data, bytes);
    if (hk_composition_parse(text, bytes, &placement) == HK_OK && placement >> HK_SERVICES != 0)
        abort();
    free(text);
}

/* Zeroed memory with watched ends; the same for every input, since to map it takes longer. */
static void *zeroed(void **memory, size_t pages)
{
    const size_t bytes = pages * HK_PAGE_BYTES;

    if (*memory == NULL)
        *memory = aligned_alloc(HK_PAGE_BYTES, bytes);
    if (*memory == NULL)
        abort();
    return memset(*memory, 0, bytes);
}

static void set_up(struct place *place, size_t number, bool copies)
{
    static void *memory[HK_SERVICES], *second[HK_SERVICES];
    const struct hk_service *service = &hk_services[number];

    *place = (struct place){ .host = host };
    place->host.memory = zeroed(&memory[number], service->pages);
    if (!copies || !service->two_copies)
        return;
    place->host.copy = zeroed(&second[number], service->pages + 1);
    place->host.sums = (uint64_t *)place->host.copy + service->pages * HK_PAGE_BYTES / 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input input = { data, bytes };
    struct place places[HK_SERVICES];

    compose(data, bytes);
    for (size_t i = 0; i < HK_SERVICES; i++) {
        set_up(&places[i], i, bytes % 2 == 1);
        hk_services[i].start(&places[i].host);
    }
    while (input.bytes > 0) {
        size_t number = input_take(&input, 1) % HK_SERVICES;

        request(&places[number], &hk_services[number], &input);
    }
    return 0;
}
