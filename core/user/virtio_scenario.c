/* SPDX-License-Identifier: MIT */
/*
 * Services with the devices of QEMU behind them: a file fetched over the network by
 * TFTP (RFC 1350), blocks on a disk, a picture on a screen. A server that has one is
 * killed in between: the next one takes the device over. virtio_test.sh looks at
 * disk and screen from outside.
 */
#include "user/client.h"
#include "user/compose.h"
#include "user/scenario.h"

#define SERVER 0x0a000202u /* QEMU's user network answers there, */
#define TFTP_PORT 69u      /* and here */
#define PORT 4711u
#define SIGNAL_NET 1u
#define RETRY_NS (50 * HK_NS_PER_MS)
#define RETRIES 40
#define SHOWN_NS (1500 * HK_NS_PER_MS) /* for whoever looks at the screen */
#define BLOCKS 60u                     /* more than are cached */

struct scene {
    struct hk_client client;
    struct hk_composition composition;
};

static bool expect(bool holds, const char *what)
{
    hk_say(holds ? "log" : "fail", what);
    return holds;
}

static enum hk_status call(struct scene *s, enum hk_service_number service, uint64_t words,
                           uint64_t word[HK_MESSAGE_REGISTER_WORDS])
{
    return hk_client_call(&s->client, service, words, word);
}

static void rest(uint64_t ns)
{
    (void)hk_syscall(HK_SYS_sleep, (uint64_t)hk_syscall0(HK_SYS_clock) + ns, 0, 0);
}

/* --- net -------------------------------------------------------------------------------- */

/* Ask for the file until its first block comes: datagrams may get lost, and ARP takes a while. */
static bool fetch(struct scene *s, uint64_t *bytes)
{
    static const char request[] = "\0\1hello.txt\0octet";
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];

    for (int i = 0; i < RETRIES; i++) {
        enum hk_status status;

        __builtin_memcpy(s->client.buffer, request, sizeof(request));
        word[0] = HK_NET_SEND, word[1] = PORT, word[2] = SERVER, word[3] = TFTP_PORT;
        word[4] = sizeof(request);
        status = call(s, HK_SERVICE_NET, hk_service_payload_words(sizeof(request)), word);
        if (status != HK_OK && status != HK_EBUSY)
            return false;
        (void)hk_client_wait(RETRY_NS);
        word[0] = HK_NET_RECEIVE, word[1] = PORT;
        status = call(s, HK_SERVICE_NET, 2, word);
        if (status == HK_OK) {
            *bytes = word[1];
            return word[2] == SERVER;
        }
        if (status != HK_EEMPTY)
            return false;
    }
    return false;
}

/* Data (3), block 1, and what virtio_test.sh wrote. */
static bool net_works(struct scene *s)
{
    static const char wanted[] = "\0\3\0\1hello from the host\n";
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_BIND, PORT, SIGNAL_NET }, bytes = 0;
    bool good = call(s, HK_SERVICE_NET, 3, word) == HK_OK && fetch(s, &bytes) &&
                bytes == sizeof(wanted) - 1 &&
                hk_text_equal((const char *)s->client.buffer, wanted, bytes);

    word[0] = HK_NET_CLOSE, word[1] = PORT;
    good = call(s, HK_SERVICE_NET, 2, word) == HK_OK && good;
    return expect(good, "net: a file over the wire");
}

/* --- block ------------------------------------------------------------------------------ */

/* Line n of the disk says "block n", over and over. */
static void fill(struct scene *s, uint64_t block)
{
    char *text = (char *)s->client.buffer;

    for (uint64_t i = 0; i < HK_BLOCK_BYTES; i += 16) {
        __builtin_memcpy(text + i, "block 00 of ours", 16);
        text[i + 6] = (char)('0' + block / 10);
        text[i + 7] = (char)('0' + block % 10);
    }
}

static bool write_blocks(struct scene *s)
{
    for (uint64_t i = 0; i < BLOCKS; i++) {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_WRITE, i };

        fill(s, i);
        if (call(s, HK_SERVICE_BLOCK, hk_service_payload_words(HK_BLOCK_BYTES), word) != HK_OK)
            return false;
    }
    return true;
}

static bool read_blocks(struct scene *s)
{
    for (uint64_t i = 0; i < BLOCKS; i++) {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_READ, i };
        const char *text = (const char *)s->client.buffer;

        if (call(s, HK_SERVICE_BLOCK, 2, word) != HK_OK ||
            text[4080 + 6] != (char)('0' + i / 10) || text[4080 + 7] != (char)('0' + i % 10))
            return false;
    }
    return true;
}

static bool block_works(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_STATUS };
    bool good = call(s, HK_SERVICE_BLOCK, 1, word) == HK_OK && word[1] == 64 && write_blocks(s) &&
                read_blocks(s);

    word[0] = HK_BLOCK_READ, word[1] = 64;
    good = good && call(s, HK_SERVICE_BLOCK, 2, word) == HK_ERANGE;
    word[0] = HK_BLOCK_FLUSH;
    good = good && call(s, HK_SERVICE_BLOCK, 1, word) == HK_OK;
    return expect(good, "block: a disk");
}

/* --- display ---------------------------------------------------------------------------- */

static bool display_works(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_DISPLAY_FILL, 0, 160 | 120ull << 32, 0x102030 };
    bool good = call(s, HK_SERVICE_DISPLAY, 4, word) == HK_OK;

    word[0] = HK_DISPLAY_FILL, word[1] = 40 | 30ull << 32, word[2] = 80 | 60ull << 32;
    word[3] = 0xe0a040;
    good = good && call(s, HK_SERVICE_DISPLAY, 4, word) == HK_OK;
    return expect(good, "display: a picture");
}

/* --- all -------------------------------------------------------------------------------- */

static bool (*const works[HK_SERVICES])(struct scene *s) = {
    [HK_SERVICE_NET] = net_works,
    [HK_SERVICE_BLOCK] = block_works,
    [HK_SERVICE_DISPLAY] = display_works,
};

/* Once, and again with the next server where the service has one. */
static bool try_twice(struct scene *s, enum hk_service_number number)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { UINT64_MAX };

    if (!works[number](s))
        return false;
    if (s->composition.placement & 1u << number)
        return true;
    hk_server_stop(&s->composition.server[number]);
    return expect(call(s, number, 1, word) == HK_EPEER, "its server is killed") &&
           hk_compose_server(&s->composition, number, HK_SERVER_HANGS, 0) == HK_OK &&
           works[number](s);
}

int hk_scenario_virtio(uint64_t *ipc_page)
{
    struct scene scene = { 0 };
    bool good = expect(hk_compose(&scene.composition) == HK_OK, "all services start");

    hk_client_init(&scene.client, ipc_page);
    for (uint32_t i = 0; i < HK_SERVICES && good; i++)
        if (scene.composition.devices & 1u << i)
            good = try_twice(&scene, (enum hk_service_number)i);
    if (good) {
        hk_say("log", "look at the screen");
        rest(SHOWN_NS);
    }
    hk_client_fini(&scene.client);
    hk_compose_stop(&scene.composition);
    return good ? 0 : 1;
}
