/* SPDX-License-Identifier: MIT */
/*
 * Any requests to the services, and any composition. A service in ring 0 has the
 * kernel's memory in reach, so its state, its pages and the message buffer are
 * separate allocations here, whose ends are watched.
 */
#include <stdlib.h>

#include "input.h"
#include "services/services.h"

enum { PAGES_MAX = 64 };

struct place {
    struct hk_service_host host;
    void *pages[PAGES_MAX];
    size_t page_count;
};

static void *give_page(struct hk_service_host *host)
{
    struct place *place = (struct place *)(void *)host; /* its first member */

    if (place->page_count == PAGES_MAX)
        return NULL;
    return place->pages[place->page_count++] = calloc(1, HK_PAGE_BYTES);
}

static void acknowledge(struct hk_service_host *host, uint32_t line)
{
    (void)host, (void)line;
}

static enum hk_status supply(struct hk_service_host *host, uint64_t address, uint64_t protection,
                             void *page)
{
    (void)host, (void)address, (void)protection, (void)page;
    return HK_EPERM; /* as where no fault is served */
}

/* Small numbers mostly: they are the ones that name something. */
static uint64_t word_of(struct input *input)
{
    uint8_t choice = (uint8_t)input_take(input, 1);

    if (choice < 128)
        return choice % 8;
    return choice < 224 ? input_take(input, 2) : input_take(input, 8);
}

static void request(struct place *place, const struct hk_service *service, void *state,
                    struct input *input)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
    struct hk_service_message message = { .badge = word_of(input),
                                          .words = HK_SERVICE_REPLY_WORDS,
                                          .word = word };
    enum hk_status status;

    for (size_t i = 0; i < HK_MESSAGE_REGISTER_WORDS; i++)
        word[i] = i < 4 ? word_of(input) : i;
    message.buffer = calloc(HK_MESSAGE_BUFFER_WORDS, sizeof(uint64_t));
    if (message.buffer == NULL)
        abort();
    message.buffer[0] = word_of(input);
    status = service->handle(&place->host, state, &message);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct place place = { .host = { give_page, acknowledge, supply } };
    struct input input = { data, bytes };
    void *states[HK_SERVICES];

    compose(data, bytes);
    for (size_t i = 0; i < HK_SERVICES; i++)
        if ((states[i] = calloc(1, HK_PAGE_BYTES)) == NULL)
            abort();
    while (input.bytes > 0) {
        size_t number = input_take(&input, 1) % HK_SERVICES;

        request(&place, &hk_services[number], states[number], &input);
    }
    for (size_t i = 0; i < HK_SERVICES; i++)
        free(states[i]);
    for (size_t i = 0; i < place.page_count; i++)
        free(place.pages[i]);
    return 0;
}
