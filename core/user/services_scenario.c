/* SPDX-License-Identifier: MIT */
/*
 * What the services must do, in whatever composition: the lines are the same for
 * all of them. Then every server dies, is replaced, and what was acknowledged before
 * must be there.
 */
#include "user/client.h"
#include "user/compose.h"
#include "user/filter_check.h"
#include "user/scenario.h"

#define LENT_PAGE 0x0000300000000000
#define WAIT_NS (10 * HK_NS_PER_MS)
#define SIGNAL_ALARM 1u
#define SIGNAL_PRINT 2u
#define SIGNAL_NET 4u
#define PORT 4711u
#define FILTERED_PORT 4800u
#define LOOPBACK 0x7f000001u
#define JOB_BYTES 5000u
#define FNV_BYTE(sum, byte) (((sum) ^ (byte)) * 0x100000001b3)

struct scene {
    struct hk_client client;
    uint64_t file, job, alarm, range, checksum;
    uint64_t signals; /* that came while others were waited for */
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

/* A request of up to three words whose answer does not matter. */
static enum hk_status ask(struct scene *s, enum hk_service_number service, uint64_t request,
                          uint64_t first, uint64_t second)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { request, first, second };

    return call(s, service, 3, word);
}

static void rest(uint64_t ns)
{
    (void)hk_syscall(HK_SYS_sleep, (uint64_t)hk_syscall0(HK_SYS_clock) + ns, 0, 0);
}

/* Other signals that come first are kept for those who wait for them. */
static bool wait_for(struct scene *s, uint64_t bit)
{
    for (int i = 0; i < 30 && !(s->signals & bit); i++) {
        int64_t bits = hk_client_wait(WAIT_NS);

        s->signals |= bits > 0 ? (uint64_t)bits : 0;
    }
    if (!(s->signals & bit))
        return false;
    s->signals &= ~bit;
    return true;
}

static void fill(struct scene *s, uint64_t factor)
{
    for (uint64_t i = 0; i < HK_MESSAGE_BUFFER_WORDS; i++)
        s->client.buffer[i] = factor * (i + 1);
}

/* --- file --------------------------------------------------------------------------- */

static bool file_is_there(struct scene *s)
{
    struct hk_file_facts facts;
    uint64_t got = 0;

    return hk_client_find(&s->client, "etc/conf", &facts) == HK_OK && facts.bytes == 4412 &&
           facts.file == s->file &&
           hk_client_read(&s->client, s->file, 3900, 4096, &got) == HK_OK && got == 512 &&
           s->client.buffer[63] == 2385 * 64;
}

static bool names_work(struct scene *s)
{
    struct hk_file_facts facts, again;
    bool good = hk_client_create(&s->client, "etc", HK_FILE_FOLDER, &facts) == HK_OK &&
                hk_client_create(&s->client, "etc/new", HK_FILE_PLAIN, &facts) == HK_OK &&
                hk_client_create(&s->client, "etc/old", HK_FILE_PLAIN, &again) == HK_OK;

    s->file = facts.file;
    good = good && hk_client_create(&s->client, "etc/new", HK_FILE_PLAIN, &facts) == HK_EEXIST;
    good = good && hk_client_rename(&s->client, "etc/new", "etc/conf") == HK_OK &&
           hk_client_rename(&s->client, "etc/old", "etc/conf") == HK_OK &&
           hk_client_find(&s->client, "etc/conf", &facts) == HK_OK && facts.file == again.file;
    good = good && hk_client_find(&s->client, "etc/old", &facts) == HK_ENOENT &&
           ask(s, HK_SERVICE_FILE, HK_FILE_STAT, s->file, 0) == HK_ENOENT;
    s->file = again.file;
    good = good && hk_client_unlink(&s->client, "etc") == HK_EBUSY &&
           hk_client_rename(&s->client, "etc", "etc/conf/x") == HK_EINVAL;
    return expect(good, "file: names, folders, renaming over a file");
}

static bool data_works(struct scene *s)
{
    struct hk_file_facts facts;
    uint64_t version, got;
    bool good;

    fill(s, 2385);
    good = hk_client_write(&s->client, s->file, 3900, 512) == HK_OK && file_is_there(s) &&
           hk_client_find(&s->client, "etc/conf", &facts) == HK_OK;
    version = facts.version;
    good = good && ask(s, HK_SERVICE_FILE, HK_FILE_TRUNCATE, s->file, 4000) == HK_OK &&
           ask(s, HK_SERVICE_FILE, HK_FILE_TRUNCATE, s->file, 4412) == HK_OK &&
           hk_client_find(&s->client, "etc/conf", &facts) == HK_OK &&
           facts.version == version + 2 && facts.bytes == 4412;
    good = good && hk_client_read(&s->client, s->file, 3992, 16, &got) == HK_OK && got == 16 &&
           s->client.buffer[0] != 0 && s->client.buffer[1] == 0;
    fill(s, 2385);
    good = good && hk_client_write(&s->client, s->file, 3900, 512) == HK_OK;
    good = good && hk_client_write(&s->client, s->file, HK_FILE_BYTES_MAX, 1) == HK_ETOOBIG;
    return expect(good && file_is_there(s), "file: writing, reading, truncating, versions");
}

/* A lent page stays as it was lent, whatever becomes of the file. */
static bool lending_works(struct scene *s)
{
    const volatile uint64_t *page = (const volatile uint64_t *)LENT_PAGE;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_LEND, s->file, 0, LENT_PAGE };
    uint64_t before;
    bool good = call(s, HK_SERVICE_FILE, 4, word) == HK_OK && word[1] == HK_PAGE_BYTES;

    before = good ? page[488] : 0;
    fill(s, 7);
    good = good && before != 0 && hk_client_write(&s->client, s->file, 3900, 196) == HK_OK &&
           page[488] == before;
    good = good && hk_syscall(HK_SYS_page_protect, LENT_PAGE, 1, HK_MAP_READ | HK_MAP_WRITE) < 0 &&
           hk_syscall(HK_SYS_page_unmap, LENT_PAGE, 1, 0) == HK_OK;
    word[0] = HK_FILE_LEND, word[1] = s->file, word[2] = 0, word[3] = 12;
    good = good && call(s, HK_SERVICE_FILE, 4, word) == HK_EINVAL;
    fill(s, 2385);
    good = good && hk_client_write(&s->client, s->file, 3900, 512) == HK_OK;
    return expect(good && file_is_there(s), "file: pages lent for reading");
}

/* What the kernel's cache knows is found without the service; after a change it is gone. */
static bool answers_work(struct scene *s)
{
    struct hk_answer_key key = hk_file_stat_key(s->file);
    uint64_t handle = s->client.handle[HK_SERVICE_FILE];
    bool good = ask(s, HK_SERVICE_FILE, HK_FILE_STAT, s->file, 0) == HK_OK &&
                hk_syscall5(HK_SYS_answer_get, handle, key.word[0], key.word[1], key.word[2],
                            key.word[3]) == HK_FILE_ANSWER_WORDS &&
                s->client.buffer[2] == 4412;

    fill(s, 2385);
    good = good && hk_client_write(&s->client, s->file, 3900, 512) == HK_OK &&
           hk_syscall5(HK_SYS_answer_get, handle, key.word[0], key.word[1], key.word[2],
                       key.word[3]) == HK_ENOENT;
    return expect(good, "file: answers in the kernel's cache");
}

static bool file_works(struct scene *s)
{
    return names_work(s) && data_works(s) && lending_works(s) && answers_work(s);
}

/* --- net ---------------------------------------------------------------------------- */

static bool send(struct scene *s, uint64_t bytes, uint64_t to, enum hk_status wanted)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_SEND, PORT, LOOPBACK, to, bytes };

    return call(s, HK_SERVICE_NET, hk_service_payload_words(bytes), word) == wanted;
}

static bool net_is_there(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_RECEIVE, PORT };

    return call(s, HK_SERVICE_NET, 2, word) == HK_OK && word[1] == 1001 && word[2] == LOOPBACK &&
           word[3] == PORT && s->client.buffer[124] == 2385 * 125;
}

static bool filter_works(struct scene *s)
{
    const bool good = ask(s, HK_SERVICE_NET, HK_NET_BIND, FILTERED_PORT, 0) == HK_OK &&
                      hk_filter_works(&s->client, FILTERED_PORT);

    return expect(good, "net: a client's program drops, passes and counts");
}

static bool net_works(struct scene *s)
{
    bool good = ask(s, HK_SERVICE_NET, HK_NET_BIND, PORT, SIGNAL_NET) == HK_OK &&
                ask(s, HK_SERVICE_NET, HK_NET_BIND, PORT, 0) == HK_EBUSY;

    fill(s, 2385);
    good = good && send(s, 1001, PORT, HK_OK) && hk_client_wait(WAIT_NS) == SIGNAL_NET &&
           net_is_there(s);
    good = good && ask(s, HK_SERVICE_NET, HK_NET_RECEIVE, PORT, 0) == HK_EEMPTY &&
           send(s, 1473, PORT, HK_ETOOBIG) && send(s, 1, 0, HK_EINVAL) && send(s, 1, 9, HK_OK);
    fill(s, 2385);
    good = good && send(s, 1001, PORT, HK_OK) && hk_client_wait(WAIT_NS) == SIGNAL_NET;
    return expect(good, "net: datagrams over the loopback") && filter_works(s);
}

static bool net_and_filter_are_there(struct scene *s)
{
    return net_is_there(s) && hk_filter_is_there(&s->client, FILTERED_PORT);
}

/* --- block -------------------------------------------------------------------------- */

static bool block_is_there(struct scene *s)
{
    return ask(s, HK_SERVICE_BLOCK, HK_BLOCK_READ, 77, 0) == HK_OK &&
           s->client.buffer[511] == 991 * 512;
}

static bool block_works(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_WRITE };
    bool good = true;

    for (uint64_t i = 0; i < 128 && good; i++) {
        fill(s, i);
        word[0] = HK_BLOCK_WRITE, word[1] = i;
        good = call(s, HK_SERVICE_BLOCK, hk_service_payload_words(HK_BLOCK_BYTES), word) == HK_OK;
    }
    for (uint64_t i = 0; i < 128 && good; i++)
        good = ask(s, HK_SERVICE_BLOCK, HK_BLOCK_READ, i, 0) == HK_OK &&
               s->client.buffer[9] == 10 * i;
    good = good && ask(s, HK_SERVICE_BLOCK, HK_BLOCK_READ, 128, 0) == HK_ERANGE;
    fill(s, 991); /* over what is cached, and stays dirty */
    word[0] = HK_BLOCK_WRITE, word[1] = 77;
    good = good &&
           call(s, HK_SERVICE_BLOCK, hk_service_payload_words(HK_BLOCK_BYTES), word) == HK_OK;
    return expect(good && block_is_there(s), "block: more blocks than the cache holds");
}

/* --- audio -------------------------------------------------------------------------- */

/* Each wake-up is told once, and was in its period. */
static bool audio_tells_lateness(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_LATENESS };
    bool good = call(s, HK_SERVICE_AUDIO, 1, word) == HK_OK && word[1] >= 9 && word[1] <= 13 &&
                word[5] < HK_NS_PER_MS && word[2] <= word[1] * word[5] &&
                word[3] <= word[2] * word[5] && word[2] >= word[5];

    word[0] = HK_AUDIO_LATENESS;
    good = good && call(s, HK_SERVICE_AUDIO, 1, word) == HK_OK && word[1] <= 1;
    return expect(good, "audio: how late it woke, once");
}

static bool audio_works(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_OPEN };
    uint64_t stream;
    bool good = call(s, HK_SERVICE_AUDIO, 1, word) == HK_OK;

    stream = word[1];
    fill(s, 3);
    word[0] = HK_AUDIO_WRITE, word[1] = stream, word[2] = 1000;
    good = good && call(s, HK_SERVICE_AUDIO, hk_service_payload_words(4000), word) == HK_OK &&
           word[1] == 1000;
    word[0] = HK_AUDIO_WRITE, word[1] = stream, word[2] = 1000;
    good = good && call(s, HK_SERVICE_AUDIO, hk_service_payload_words(4000), word) == HK_OK &&
           word[1] == 24;
    good = good && ask(s, HK_SERVICE_AUDIO, HK_AUDIO_START, HK_NS_PER_MS, 3) == HK_OK;
    rest(10 * HK_NS_PER_MS);
    word[0] = HK_AUDIO_STATUS;
    good = good && call(s, HK_SERVICE_AUDIO, 1, word) == HK_OK && word[1] >= 9 && word[1] <= 13 &&
           word[2] == 0 && word[3] == 0 && word[4] != 0;
    return expect(good, "audio: a period at a time, no underrun") && audio_tells_lateness(s);
}

static bool audio_is_there(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_STATUS };
    uint64_t before;

    (void)call(s, HK_SERVICE_AUDIO, 1, word);
    before = word[1];
    rest(5 * HK_NS_PER_MS);
    word[0] = HK_AUDIO_STATUS;
    return call(s, HK_SERVICE_AUDIO, 1, word) == HK_OK && word[1] >= before + 4;
}

/* --- timer -------------------------------------------------------------------------- */

static bool set_alarm(struct scene *s, uint64_t after_ns, uint64_t period_ns, uint64_t *alarm)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_TIMER_SET,
                                                 (uint64_t)hk_syscall0(HK_SYS_clock) + after_ns,
                                                 period_ns, SIGNAL_ALARM };
    bool good = call(s, HK_SERVICE_TIMER, 4, word) == HK_OK;

    *alarm = word[1];
    return good;
}

static bool timer_works(struct scene *s)
{
    uint64_t first, second, start_ns, passed_ns;
    bool good = set_alarm(s, 5 * HK_NS_PER_MS, 0, &first) &&
                set_alarm(s, 2 * HK_NS_PER_MS, 0, &second);

    start_ns = (uint64_t)hk_syscall0(HK_SYS_clock);
    good = good && hk_client_wait(WAIT_NS) == SIGNAL_ALARM;
    passed_ns = (uint64_t)hk_syscall0(HK_SYS_clock) - start_ns;
    good = good && passed_ns > HK_NS_PER_MS && passed_ns < 3 * HK_NS_PER_MS;
    good = good && ask(s, HK_SERVICE_TIMER, HK_TIMER_CANCEL, second, 0) == HK_ENOENT &&
           ask(s, HK_SERVICE_TIMER, HK_TIMER_CANCEL, first, 0) == HK_OK;
    good = good && hk_client_wait(WAIT_NS) == HK_ETIMEOUT;
    good = good && set_alarm(s, HK_NS_PER_MS, HK_NS_PER_MS, &s->alarm);
    for (int i = 0; i < 3; i++)
        good = good && hk_client_wait(WAIT_NS) == SIGNAL_ALARM;
    return expect(good, "timer: alarms in their order, once and again and again");
}

static bool timer_is_there(struct scene *s)
{
    s->signals &= ~(uint64_t)SIGNAL_ALARM;
    return wait_for(s, SIGNAL_ALARM) && wait_for(s, SIGNAL_ALARM);
}

/* --- display ------------------------------------------------------------------------ */

static bool pixel_is(struct scene *s, uint64_t x, uint64_t y, uint32_t colour)
{
    return ask(s, HK_SERVICE_DISPLAY, HK_DISPLAY_READ, x | y << 32, 1) == HK_OK &&
           (uint32_t)s->client.buffer[0] == colour;
}

static bool draw(struct scene *s, uint64_t request, uint64_t at, uint64_t size, uint64_t third)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { request, at, size, third };

    return call(s, HK_SERVICE_DISPLAY, 4, word) == HK_OK;
}

static bool display_is_there(struct scene *s)
{
    return pixel_is(s, 10, 20, 0x203040) && pixel_is(s, 12, 21, 0x5f6f7f);
}

static bool display_works(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
    bool good = draw(s, HK_DISPLAY_FILL, 10 | 20ull << 32, 30 | 40ull << 32, 0x203040) &&
                pixel_is(s, 39, 59, 0x203040) && pixel_is(s, 40, 59, 0) &&
                !draw(s, HK_DISPLAY_FILL, 150 | 20ull << 32, 30 | 1ull << 32, 0);

    word[0] = HK_DISPLAY_UPLOAD, word[1] = 0, word[2] = 4096;
    for (uint64_t i = 0; i < HK_MESSAGE_BUFFER_WORDS; i++)
        s->client.buffer[i] = 0x80a0b0c080a0b0c0; /* about half of each */
    good = good && call(s, HK_SERVICE_DISPLAY, hk_service_payload_words(4096), word) == HK_OK &&
           draw(s, HK_DISPLAY_BLEND, 11 | 21ull << 32, 5 | 2ull << 32, 0) &&
           pixel_is(s, 12, 21, 0x5f6f7f) && draw(s, HK_DISPLAY_BLIT, 0, 5 | 2ull << 32, 0) &&
           pixel_is(s, 4, 1, 0x80a0b0c0) && pixel_is(s, 5, 1, 0);
    return expect(good, "display: fill, blit, blend");
}

/* --- print -------------------------------------------------------------------------- */

/* Who lost the numbers of its unclosed jobs gets their places back, and no other's. */
static bool unclosed_jobs_end(struct scene *s)
{
    uint64_t opened = 0;

    while (ask(s, HK_SERVICE_PRINT, HK_PRINT_OPEN, 0, 0) == HK_OK)
        opened++;
    return expect(opened >= 3 &&
                      ask(s, HK_SERVICE_PRINT, HK_PRINT_CANCEL, HK_PRINT_UNCLOSED, 0) == HK_OK &&
                      ask(s, HK_SERVICE_PRINT, HK_PRINT_OPEN, 0, 0) == HK_OK &&
                      ask(s, HK_SERVICE_PRINT, HK_PRINT_CANCEL, HK_PRINT_UNCLOSED, 0) == HK_OK,
                  "print: unclosed jobs are cancelled");
}

static bool print_works(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_PRINT_OPEN, SIGNAL_PRINT };
    bool good = call(s, HK_SERVICE_PRINT, 2, word) == HK_OK;

    s->job = word[1];
    s->checksum = 0;
    for (uint64_t done = 0; done < JOB_BYTES && good; done += word[1]) {
        uint64_t part = JOB_BYTES - done < HK_PAGE_BYTES ? JOB_BYTES - done : HK_PAGE_BYTES;

        fill(s, done + 1);
        for (uint64_t i = 0; i < part; i++)
            s->checksum = FNV_BYTE(s->checksum, ((unsigned char *)s->client.buffer)[i]);
        word[0] = HK_PRINT_DATA, word[1] = s->job, word[2] = done, word[3] = part;
        good = call(s, HK_SERVICE_PRINT, hk_service_payload_words(part), word) == HK_OK &&
               word[1] == part;
    }
    good = good && ask(s, HK_SERVICE_PRINT, HK_PRINT_CLOSE, s->job, 0) == HK_OK;
    return expect(good, "print: a job is taken") && unclosed_jobs_end(s);
}

static bool print_is_there(struct scene *s)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_PRINT_STATUS, s->job };

    return wait_for(s, SIGNAL_PRINT) && call(s, HK_SERVICE_PRINT, 2, word) == HK_OK && word[1] == JOB_BYTES &&
           word[2] == s->checksum && word[3] == HK_PRINT_DONE;
}

/* --- memory ------------------------------------------------------------------------- */

#define RANGE_PAGES 3u

static bool memory_works(struct scene *s)
{
    bool good = hk_client_reserve(&s->client, RANGE_PAGES, &s->range) == HK_OK;
    volatile uint64_t *word = (volatile uint64_t *)s->range;
    uint64_t fault[HK_MESSAGE_REGISTER_WORDS] = { HK_PAGER_FAULT, s->range, HK_MAP_READ };

    for (uint64_t i = 0; i < RANGE_PAGES - 1 && good; i++) {
        good = word[512 * i + 7] == 0;
        word[512 * i + 7] = 2385;
    }
    good = good && word[7] == 2385 &&
           ask(s, HK_SERVICE_MEMORY, HK_MEMORY_RESERVE, 100000, 0) == HK_ENOMEM &&
           call(s, HK_SERVICE_MEMORY, 4, fault) == HK_EPERM; /* a claim, not a fault */
    return expect(good, "memory: pages when they are touched, with a limit");
}

/* Bound to the endpoint of a server that died, a range is bound again. */
static bool memory_is_there(struct scene *s)
{
    volatile uint64_t *word = (volatile uint64_t *)s->range;

    (void)ask(s, HK_SERVICE_MEMORY, UINT64_MAX, 0, 0); /* finds the new server */
    (void)hk_syscall(HK_SYS_pager_unbind, HK_HANDLE_SELF, s->range, 0);
    if (hk_syscall5(HK_SYS_pager_bind, HK_HANDLE_SELF, s->range, RANGE_PAGES,
                    s->client.handle[HK_SERVICE_MEMORY], WAIT_NS) != HK_OK)
        return false;
    word[512 * (RANGE_PAGES - 1)] = 1;
    return word[7] == 2385 && hk_client_release(&s->client, s->range, RANGE_PAGES) == HK_OK;
}

/* --- all ---------------------------------------------------------------------------- */

struct part {
    bool (*works)(struct scene *scene);
    bool (*is_there)(struct scene *scene); /* what works() left, after a server died */
};

static const struct part parts[HK_SERVICES] = {
    [HK_SERVICE_FILE] = { file_works, file_is_there },
    [HK_SERVICE_NET] = { net_works, net_and_filter_are_there },
    [HK_SERVICE_BLOCK] = { block_works, block_is_there },
    [HK_SERVICE_AUDIO] = { audio_works, audio_is_there },
    [HK_SERVICE_TIMER] = { timer_works, timer_is_there },
    [HK_SERVICE_DISPLAY] = { display_works, display_is_there },
    [HK_SERVICE_PRINT] = { print_works, print_is_there },
    [HK_SERVICE_MEMORY] = { memory_works, memory_is_there },
};

/* Its server dies and another takes its name; in the kernel there is none to die. */
static bool survives(struct scene *s, struct hk_composition *composition,
                     enum hk_service_number number)
{
    struct hk_line line;
    bool good = true;

    if (!(composition->placement & 1u << number)) {
        hk_server_stop(&composition->server[number]);
        good = ask(s, number, UINT64_MAX, 0, 0) == HK_EPEER;
        good = good && hk_compose_server(composition, number, HK_SERVER_HANGS, 0) == HK_OK;
    }
    good = good && parts[number].is_there(s);
    hk_line_begin(&line, good ? "log" : "fail");
    hk_line_text(&line, hk_services[number].name);
    hk_line_text(&line, ": still has what it acknowledged");
    hk_line_end(&line);
    return good;
}

int hk_scenario_services(uint64_t *ipc_page)
{
    struct hk_composition composition;
    struct scene scene = { 0 };
    bool good = expect(hk_compose(&composition) == HK_OK, "all services start");

    hk_client_init(&scene.client, ipc_page);
    for (uint32_t i = 0; i < HK_SERVICES && good; i++)
        good = parts[i].works(&scene);
    for (uint32_t i = 0; i < HK_SERVICES && good; i++)
        good = survives(&scene, &composition, (enum hk_service_number)i);
    hk_client_fini(&scene.client);
    hk_compose_stop(&composition);
    return good ? 0 : 1;
}
