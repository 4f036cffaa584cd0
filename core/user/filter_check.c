/* SPDX-License-Identifier: MIT */
#include "user/filter_check.h"

#include "extension/assemble.h"
#include "extension/verify.h"

#define LOOPBACK 0x7f000001u
#define MAGIC 2385
#define MAP_OF_COUNTS (8ull | 2ull << 32) /* two values of eight bytes: dropped, passed */

/* Keeps datagrams that begin with MAGIC, and counts both kinds. */
static const struct hk_instruction counting[] = {
    SET(6, 0),
    LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
    LOAD_(WORD, 3, 1, HK_CONTEXT_DATA_END),
    COPY(4, 2),
    DO(ADD, 4, 32),
    IF_X(JGT, 4, 3, 3),
    LOAD_(WORD, 5, 2, 28),
    IF(JNE, 5, MAGIC, 1),
    SET(6, 1),
    STORE_(WORD, 10, -4, 6),
    COPY(2, 10),
    DO(ADD, 2, -4),
    MAP(1, 0),
    CALL(HK_HELPER_LOOKUP),
    IF(JEQ, 0, 0, 3),
    LOAD_(DOUBLE, 1, 0, 0),
    DO(ADD, 1, 1),
    STORE_(DOUBLE, 0, 0, 1),
    COPY(0, 6),
    EXIT,
};

/* Looks at the packet without looking where it ends. */
static const struct hk_instruction careless[] = {
    LOAD_(WORD, 2, 1, HK_CONTEXT_DATA),
    LOAD_(BYTE, 0, 2, 28),
    EXIT,
};

static const uint64_t maps[HK_EXTENSION_MAPS] = { MAP_OF_COUNTS };

static enum hk_status send(struct hk_client *client, uint64_t port, uint64_t first)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_SEND, port, LOOPBACK, port, 16 };

    client->buffer[0] = first;
    return hk_client_call(client, HK_SERVICE_NET, hk_service_payload_words(16), word);
}

/* Whether a datagram with this word arrives; or none. */
static bool arrives(struct hk_client *client, uint64_t port, uint64_t first)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_RECEIVE, port };

    return hk_client_call(client, HK_SERVICE_NET, 2, word) == HK_OK && word[1] == 16 &&
           client->buffer[0] == first;
}

static bool nothing_arrives(struct hk_client *client, uint64_t port)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_RECEIVE, port };

    return hk_client_call(client, HK_SERVICE_NET, 2, word) == HK_EEMPTY;
}

static bool count_is(struct hk_client *client, uint64_t port, uint64_t key, uint64_t count)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_VALUE, port, 0, key };

    return hk_client_call(client, HK_SERVICE_NET, 4, word) == HK_OK && word[1] == 8 &&
           client->buffer[0] == count;
}

/* Whether a request is refused so; no program was looked at then. */
static bool is_refused(struct hk_client *client, uint64_t port, uint64_t request, uint64_t first,
                       enum hk_status status)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { request, port, first, 1 };

    return hk_client_call(client, HK_SERVICE_NET, hk_service_payload_words(8), word) == status &&
           (status != HK_EINVAL || word[1] == HK_REJECT_NONE);
}

/* One of each kind. */
static bool filters(struct hk_client *client, uint64_t port)
{
    return send(client, port, MAGIC + 1) == HK_OK && nothing_arrives(client, port) &&
           send(client, port, MAGIC) == HK_OK && arrives(client, port, MAGIC);
}

bool hk_filter_works(struct hk_client *client, uint64_t port)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_VALUE, port, 0, 2 };
    struct hk_client_verdict verdict;
    bool good = hk_client_filter(client, port, careless, HK_ARRAY_COUNT(careless), maps,
                                 &verdict) == HK_EINVAL &&
                verdict.reject == HK_REJECT_PACKET_BOUNDS && verdict.at == 1;

    good = good && is_refused(client, port, HK_NET_PROGRAM, HK_ARRAY_COUNT(careless) + 1, HK_EINVAL);
    good = good && hk_client_filter(client, port + 1, careless, HK_ARRAY_COUNT(careless), maps,
                                    &verdict) == HK_ENOENT; /* not our port */
    good = good && hk_client_filter(client, port, counting, HK_ARRAY_COUNT(counting), maps,
                                    &verdict) == HK_OK &&
           verdict.processed >= HK_ARRAY_COUNT(counting) - 1;
    good = good && hk_client_filter(client, port, counting, HK_ARRAY_COUNT(counting), maps,
                                    &verdict) == HK_EBUSY; /* it is loaded */
    good = good && is_refused(client, port, HK_NET_FILTER, 0, HK_EEXIST);
    good = good && filters(client, port) && filters(client, port);
    return good && count_is(client, port, 0, 2) && count_is(client, port, 1, 2) &&
           hk_client_call(client, HK_SERVICE_NET, 4, word) == HK_ENOENT;
}

bool hk_filter_is_there(struct hk_client *client, uint64_t port)
{
    return filters(client, port) && count_is(client, port, 0, 3) &&
           hk_client_unfilter(client, port) == HK_OK &&
           hk_client_unfilter(client, port) == HK_ENOENT &&
           send(client, port, MAGIC + 1) == HK_OK && arrives(client, port, MAGIC + 1);
}
