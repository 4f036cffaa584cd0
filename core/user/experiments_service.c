/* SPDX-License-Identifier: MIT */
/* The same service in the kernel and in a server: what a placement costs, call by call. */
#include "user/client.h"
#include "user/experiments.h"

#define PORT 7u
#define LOOPBACK 0x7f000001u

static void set_up(struct hk_lab *lab)
{
    hk_client_init(&lab->client, lab->ipc_page);
}

static void finish(struct hk_lab *lab)
{
    hk_client_fini(&lab->client);
}

static enum hk_status ask(struct hk_lab *lab, enum hk_service_number service, uint64_t words,
                          uint64_t word[HK_MESSAGE_REGISTER_WORDS])
{
    enum hk_status status = hk_client_call(&lab->client, service, words, word);

    if (status != HK_OK)
        lab->error = "the service refuses";
    return status;
}

static void open_file(struct hk_lab *lab)
{
    struct hk_file_facts facts = { 0 };

    set_up(lab);
    if (hk_client_find(&lab->client, "rt", &facts) != HK_OK &&
        hk_client_create(&lab->client, "rt", HK_FILE_PLAIN, &facts) != HK_OK)
        lab->error = "the file cannot be opened";
    else if (hk_client_write(&lab->client, facts.file, 0, HK_PAGE_BYTES) != HK_OK)
        lab->error = "the file cannot be written";
    lab->handle2 = facts.file;
}

static void file_stat(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_STAT, lab->handle2 };

        (void)ask(lab, HK_SERVICE_FILE, 2, word);
    } while (--ops > 0);
}

/* The answer is in the kernel's cache after the first time. */
static void file_find(struct hk_lab *lab, uint64_t ops)
{
    struct hk_file_facts facts;

    do {
        if (hk_client_find(&lab->client, "rt", &facts) != HK_OK)
            lab->error = "the file is not found";
    } while (--ops > 0);
}

static void file_read(struct hk_lab *lab, uint64_t ops)
{
    uint64_t got = 0;

    do {
        if (hk_client_read(&lab->client, lab->handle2, 0, lab->parameter, &got) != HK_OK ||
            got != lab->parameter)
            lab->error = "the file cannot be read";
    } while (--ops > 0);
}

static void file_write(struct hk_lab *lab, uint64_t ops)
{
    do {
        if (hk_client_write(&lab->client, lab->handle2, 0, lab->parameter) != HK_OK)
            lab->error = "the file cannot be written";
    } while (--ops > 0);
}

/* A page of the file mapped instead of copied; the next one replaces it. */
static void file_lend(struct hk_lab *lab, uint64_t ops)
{
    const uint64_t at = 0x0000300000000000;

    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_LEND, lab->handle2, 0, at };

        (void)ask(lab, HK_SERVICE_FILE, 4, word);
    } while (--ops > 0);
    (void)hk_syscall(HK_SYS_page_unmap, at, 1, 0);
}

static void bind(struct hk_lab *lab)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_BIND, PORT };

    set_up(lab);
    (void)ask(lab, HK_SERVICE_NET, 3, word);
}

static void unbind(struct hk_lab *lab)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_CLOSE, PORT };

    (void)ask(lab, HK_SERVICE_NET, 2, word);
    finish(lab);
}

static void net_exchange(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_SEND, PORT, LOOPBACK, PORT,
                                                     lab->parameter };

        (void)ask(lab, HK_SERVICE_NET, hk_service_payload_words(lab->parameter), word);
        word[0] = HK_NET_RECEIVE, word[1] = PORT;
        (void)ask(lab, HK_SERVICE_NET, 2, word);
    } while (--ops > 0);
}

static void block_read(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_READ, 3 };

        (void)ask(lab, HK_SERVICE_BLOCK, 2, word);
    } while (--ops > 0);
}

static void audio_status(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_STATUS };

        (void)ask(lab, HK_SERVICE_AUDIO, 1, word);
    } while (--ops > 0);
}

/* Set and cancelled: it never goes off. */
static void timer_alarm(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_TIMER_SET, INT64_MAX, 0, 1 };

        (void)ask(lab, HK_SERVICE_TIMER, 4, word);
        word[0] = HK_TIMER_CANCEL;
        (void)ask(lab, HK_SERVICE_TIMER, 2, word);
    } while (--ops > 0);
}

static void display_fill(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_DISPLAY_FILL, 0, 16 | 16ull << 32, 0xffffff };

        (void)ask(lab, HK_SERVICE_DISPLAY, 4, word);
    } while (--ops > 0);
}

static void print_job(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_PRINT_OPEN };

        (void)ask(lab, HK_SERVICE_PRINT, 2, word);
        word[0] = HK_PRINT_CANCEL;
        (void)ask(lab, HK_SERVICE_PRINT, 2, word);
    } while (--ops > 0);
}

static void memory_range(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_MEMORY_RESERVE, 1 };

        (void)ask(lab, HK_SERVICE_MEMORY, 2, word);
        word[0] = HK_MEMORY_RELEASE;
        (void)ask(lab, HK_SERVICE_MEMORY, 2, word);
    } while (--ops > 0);
}

#define ROW(name, prepare, run, finish, parameter, service) \
    { "guest/service/" name, prepare, run, finish, parameter, 0, HK_SERVICE_##service + 1 }

static const struct hk_experiment rows[] = {
    ROW("file_stat", open_file, file_stat, finish, 0, FILE),
    ROW("file_find", open_file, file_find, finish, 0, FILE),
    ROW("file_read/bytes:64", open_file, file_read, finish, 64, FILE),
    ROW("file_read/bytes:512", open_file, file_read, finish, 512, FILE),
    ROW("file_read/bytes:4096", open_file, file_read, finish, 4096, FILE),
    ROW("file_write/bytes:64", open_file, file_write, finish, 64, FILE),
    ROW("file_write/bytes:4096", open_file, file_write, finish, 4096, FILE),
    ROW("file_lend/bytes:4096", open_file, file_lend, finish, 0, FILE),
    ROW("net_exchange/bytes:64", bind, net_exchange, unbind, 64, NET),
    ROW("net_exchange/bytes:1472", bind, net_exchange, unbind, 1472, NET),
    ROW("block_read/bytes:4096", set_up, block_read, finish, 0, BLOCK),
    ROW("audio_status", set_up, audio_status, finish, 0, AUDIO),
    ROW("timer_alarm", set_up, timer_alarm, finish, 0, TIMER),
    ROW("display_fill/pixels:256", set_up, display_fill, finish, 0, DISPLAY),
    ROW("print_job", set_up, print_job, finish, 0, PRINT),
    ROW("memory_range", set_up, memory_range, finish, 0, MEMORY),
};

const struct hk_experiment_table hk_experiments_service = { rows, HK_ARRAY_COUNT(rows) };
