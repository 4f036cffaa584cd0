/* SPDX-License-Identifier: MIT */
/* What a workload's client asks of the services: one function per row of HK_MIX_ACTION_LIST. */
#include "user/workload.h"

#define LENT_BASE 0x0000300000000000 /* where lent pages are mapped */
#define PORTS_FIRST 7000u
#define LOOPBACK 0x7f000001u
#define ALARM_NS 40000u
#define REST_NS (10 * HK_NS_PER_MS)

static void expect(struct hk_workload *w, bool holds, const char *what)
{
    if (!holds && w->error == NULL)
        w->error = what;
}

static enum hk_status call(struct hk_workload *w, enum hk_service_number service, uint64_t words,
                           uint64_t word[HK_MESSAGE_REGISTER_WORDS])
{
    return hk_client_call(&w->client, service, words, word);
}

/* --- file ------------------------------------------------------------------------- */

/* "srv/a" to "srv/l" */
static void choose_path(struct hk_workload *w, char path[8])
{
    __builtin_memcpy(path, "srv/", 4);
    path[4] = (char)('a' + hk_mix_choose(&w->random, HK_MIX_FILES));
    path[5] = '\0';
}

static void choose_file(struct hk_workload *w, struct hk_file_facts *facts)
{
    char path[8];

    choose_path(w, path);
    expect(w, hk_client_find(&w->client, path, facts) == HK_OK, "a file is not found");
}

static void file_stat(struct hk_workload *w, uint64_t bytes)
{
    struct hk_file_facts facts;

    (void)bytes;
    choose_file(w, &facts);
}

static void file_read(struct hk_workload *w, uint64_t bytes)
{
    struct hk_file_facts facts = { 0 };

    choose_file(w, &facts);
    for (uint64_t done = 0, got = 0; done < bytes; done += got) {
        uint64_t part = bytes - done < HK_PAGE_BYTES ? bytes - done : HK_PAGE_BYTES;
        bool good = hk_client_read(&w->client, facts.file, done, part, &got) == HK_OK &&
                    got == part;

        expect(w, good, "a file is not read");
        if (!good)
            return;
    }
}

static void file_lend(struct hk_workload *w, uint64_t bytes)
{
    uint64_t pages = (bytes + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES, sum = 0;
    struct hk_file_facts facts = { 0 };

    choose_file(w, &facts);
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t at = LENT_BASE + i * HK_PAGE_BYTES;
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_LEND, facts.file, i * HK_PAGE_BYTES,
                                                     at };

        if (call(w, HK_SERVICE_FILE, 4, word) != HK_OK) {
            expect(w, false, "a page is not lent");
            return;
        }
        sum += hk_user_read(at);
    }
    (void)sum;
    expect(w, hk_syscall(HK_SYS_page_unmap, LENT_BASE, pages, 0) == HK_OK,
           "lent pages cannot be unmapped");
}

static void write_all(struct hk_workload *w, uint64_t file, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += HK_PAGE_BYTES) {
        uint64_t part = bytes - done < HK_PAGE_BYTES ? bytes - done : HK_PAGE_BYTES;

        expect(w, hk_client_write(&w->client, file, done, part) == HK_OK, "a file is not written");
    }
}

static void file_write(struct hk_workload *w, uint64_t bytes)
{
    struct hk_file_facts facts = { 0 };

    choose_file(w, &facts);
    write_all(w, facts.file, bytes);
}

/* As compilers and editors do: write another file, then put it in the place of the old one. */
static void file_replace(struct hk_workload *w, uint64_t bytes)
{
    struct hk_file_facts facts = { 0 };
    char path[8];

    choose_path(w, path);
    expect(w, hk_client_create(&w->client, "srv/new", HK_FILE_PLAIN, &facts) == HK_OK,
           "a file is not created");
    write_all(w, facts.file, bytes);
    if (bytes < HK_MIX_FILE_PAGES * HK_PAGE_BYTES) { /* all files keep their length */
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_TRUNCATE, facts.file,
                                                     HK_MIX_FILE_PAGES * HK_PAGE_BYTES };

        expect(w, call(w, HK_SERVICE_FILE, 3, word) == HK_OK, "a file is not truncated");
    }
    expect(w, hk_client_rename(&w->client, "srv/new", path) == HK_OK, "a file is not renamed");
}

static void set_up_files(struct hk_workload *w)
{
    struct hk_file_facts facts;
    enum hk_status status = hk_client_create(&w->client, "srv", HK_FILE_FOLDER, &facts);
    char path[8] = "srv/a";

    expect(w, status == HK_OK || status == HK_EEXIST, "a folder is not created");
    for (uint32_t i = 0; i < HK_MIX_FILES; i++) {
        path[4] = (char)('a' + i);
        /* of the workload before; and looked for once, so that both regions find its answer */
        if (hk_client_find(&w->client, path, &facts) == HK_OK)
            continue;
        expect(w, hk_client_create(&w->client, path, HK_FILE_PLAIN, &facts) == HK_OK,
               "a file is not created");
        write_all(w, facts.file, HK_MIX_FILE_PAGES * HK_PAGE_BYTES);
        expect(w, hk_client_find(&w->client, path, &facts) == HK_OK, "a file is not found");
    }
}

/* --- net -------------------------------------------------------------------------- */

/* From one of our ports to the other, a datagram at a time. */
static void net_exchange(struct hk_workload *w, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += HK_MIX_DATAGRAM_BYTES) {
        uint64_t part = bytes - done < HK_MIX_DATAGRAM_BYTES ? bytes - done : HK_MIX_DATAGRAM_BYTES;
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_SEND, w->port[0], LOOPBACK, w->port[1],
                                                     part };

        expect(w, call(w, HK_SERVICE_NET, hk_service_payload_words(part), word) == HK_OK,
               "a datagram is not sent");
        word[0] = HK_NET_RECEIVE, word[1] = w->port[1];
        expect(w, call(w, HK_SERVICE_NET, 2, word) == HK_OK && word[1] == part,
               "a datagram does not arrive");
    }
}

static void set_up_ports(struct hk_workload *w)
{
    for (uint64_t i = 0; i < HK_ARRAY_COUNT(w->port); i++) {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_BIND, PORTS_FIRST + i };

        expect(w, call(w, HK_SERVICE_NET, 3, word) == HK_OK, "a port is not bound");
        w->port[i] = word[1];
    }
}

static void clear_ports(struct hk_workload *w)
{
    for (uint64_t i = 0; i < HK_ARRAY_COUNT(w->port); i++) {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_CLOSE, w->port[i] };

        (void)call(w, HK_SERVICE_NET, 2, word);
    }
}

/* --- block ------------------------------------------------------------------------ */

static void use_blocks(struct hk_workload *w, enum hk_block_request request, uint64_t bytes)
{
    uint64_t words = request == HK_BLOCK_WRITE ? hk_service_payload_words(HK_BLOCK_BYTES) : 2;

    for (uint64_t done = 0; done < bytes; done += HK_BLOCK_BYTES) {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { request, hk_mix_draw_block(&w->random) };

        expect(w, call(w, HK_SERVICE_BLOCK, words, word) == HK_OK, "a block fails");
    }
}

static void block_read(struct hk_workload *w, uint64_t bytes)
{
    use_blocks(w, HK_BLOCK_READ, bytes);
}

static void block_write(struct hk_workload *w, uint64_t bytes)
{
    use_blocks(w, HK_BLOCK_WRITE, bytes);
}

static void block_flush(struct hk_workload *w, uint64_t bytes)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_FLUSH };

    (void)bytes;
    expect(w, call(w, HK_SERVICE_BLOCK, 1, word) == HK_OK, "the blocks are not written back");
}

/* The cache holds the last blocks, unchanged, whatever workload was before. */
static void set_up_blocks(struct hk_workload *w)
{
    for (uint64_t i = HK_MIX_CACHED_FIRST; i < HK_MIX_BLOCKS; i++) {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_BLOCK_READ, i };

        expect(w, call(w, HK_SERVICE_BLOCK, 2, word) == HK_OK, "a block fails");
    }
}

/* --- audio ------------------------------------------------------------------------ */

/* One period to the next stream; what the stream has no room for is dropped. */
static void audio_write(struct hk_workload *w, uint64_t bytes)
{
    uint64_t frames = bytes / HK_AUDIO_FRAME_BYTES;
    uint64_t stream = w->stream[w->stream_count++ % HK_MIX_STREAMS];
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_WRITE, stream, frames };

    expect(w, call(w, HK_SERVICE_AUDIO, hk_service_payload_words(bytes), word) == HK_OK,
           "frames are not taken");
}

static void set_up_streams(struct hk_workload *w)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];

    for (uint64_t i = 0; i < HK_MIX_STREAMS; i++) {
        word[0] = HK_AUDIO_OPEN;
        expect(w, call(w, HK_SERVICE_AUDIO, 1, word) == HK_OK, "a stream is not opened");
        w->stream[i] = word[1];
    }
    word[0] = HK_AUDIO_START, word[1] = w->mix.audio_period_ns, word[2] = w->mix.audio_buffers;
    expect(w, call(w, HK_SERVICE_AUDIO, 3, word) == HK_OK, "the mixer does not start");
    w->underruns = 0;
}

struct hk_workload_lateness hk_workload_lateness(struct hk_workload *w)
{
    uint64_t status[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_STATUS };
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_LATENESS };
    struct hk_workload_lateness lateness;

    expect(w, call(w, HK_SERVICE_AUDIO, 1, status) == HK_OK &&
                  call(w, HK_SERVICE_AUDIO, 1, word) == HK_OK,
           "the mixer does not tell how late it was");
    lateness = (struct hk_workload_lateness){ word[1], word[2], word[3], word[4], word[5],
                                              status[2] - w->underruns };
    w->underruns = status[2];
    return lateness;
}

static void clear_streams(struct hk_workload *w)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_AUDIO_STOP };

    (void)call(w, HK_SERVICE_AUDIO, 1, word);
    for (uint64_t i = 0; i < HK_MIX_STREAMS; i++) {
        word[0] = HK_AUDIO_CLOSE, word[1] = w->stream[i];
        (void)call(w, HK_SERVICE_AUDIO, 2, word);
    }
}

/* --- timer ------------------------------------------------------------------------ */

static void timer_alarm(struct hk_workload *w, uint64_t bytes)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_TIMER_SET,
                                                 (uint64_t)hk_syscall0(HK_SYS_clock) + ALARM_NS, 0,
                                                 1 };
    enum hk_status status = call(w, HK_SERVICE_TIMER, 4, word);

    (void)bytes;
    expect(w, status == HK_OK || status == HK_ENOSPC, "an alarm is not set");
    (void)hk_client_wait(HK_TIMEOUT_NOW); /* alarms that went off meanwhile */
}

/* --- display ---------------------------------------------------------------------- */

static void draw(struct hk_workload *w, enum hk_display_request request, uint64_t bytes)
{
    uint64_t width, height, at;

    hk_mix_area(bytes, &width, &height);
    at = hk_mix_choose(&w->random, HK_MIX_SCREEN_WIDTH - width + 1);
    at |= hk_mix_choose(&w->random, HK_MIX_SCREEN_HEIGHT - height + 1) << 32;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { request, at, width | height << 32, at };

    expect(w, call(w, HK_SERVICE_DISPLAY, 4, word) == HK_OK, "an area is not drawn");
}

static void display_fill(struct hk_workload *w, uint64_t bytes)
{
    draw(w, HK_DISPLAY_FILL, bytes);
}

static void display_blit(struct hk_workload *w, uint64_t bytes)
{
    draw(w, HK_DISPLAY_BLIT, bytes);
}

static void display_blend(struct hk_workload *w, uint64_t bytes)
{
    draw(w, HK_DISPLAY_BLEND, bytes);
}

/* --- print ------------------------------------------------------------------------ */

/* A job, unless all places are taken: then the user tries again another time. */
static void print_job(struct hk_workload *w, uint64_t bytes)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_PRINT_OPEN };
    enum hk_status status = call(w, HK_SERVICE_PRINT, 2, word);
    uint64_t job = word[1];

    if (status == HK_EBUSY)
        return;
    expect(w, status == HK_OK, "a job is not opened");
    for (uint64_t done = 0; done < bytes && status == HK_OK; done += HK_PAGE_BYTES) {
        uint64_t part = bytes - done < HK_PAGE_BYTES ? bytes - done : HK_PAGE_BYTES;

        word[0] = HK_PRINT_DATA, word[1] = job, word[2] = done, word[3] = part;
        status = call(w, HK_SERVICE_PRINT, hk_service_payload_words(part), word);
        expect(w, status == HK_OK || status == HK_ENOSPC, "a job's data is not taken");
    }
    word[0] = HK_PRINT_CLOSE, word[1] = job;
    expect(w, call(w, HK_SERVICE_PRINT, 2, word) == HK_OK, "a job is not closed");
}

/* --- memory ----------------------------------------------------------------------- */

/* Each page is a fault that the service answers. */
static void memory_range(struct hk_workload *w, uint64_t bytes)
{
    uint64_t pages = (bytes + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES;
    uint64_t address;

    if (hk_client_reserve(&w->client, pages, &address) != HK_OK) {
        expect(w, false, "a range is not reserved");
        return;
    }
    for (uint64_t i = 0; i < pages; i++)
        hk_user_write(address + i * HK_PAGE_BYTES, i);
    expect(w, hk_client_release(&w->client, address, pages) == HK_OK, "a range is not released");
}

const struct hk_workload_row hk_workload_actions[HK_MIX_ACTIONS] = {
    [HK_MIX_FILE_STAT] = { HK_SERVICE_FILE, file_stat },
    [HK_MIX_FILE_READ] = { HK_SERVICE_FILE, file_read },
    [HK_MIX_FILE_LEND] = { HK_SERVICE_FILE, file_lend },
    [HK_MIX_FILE_WRITE] = { HK_SERVICE_FILE, file_write },
    [HK_MIX_FILE_REPLACE] = { HK_SERVICE_FILE, file_replace },
    [HK_MIX_NET_EXCHANGE] = { HK_SERVICE_NET, net_exchange },
    [HK_MIX_BLOCK_READ] = { HK_SERVICE_BLOCK, block_read },
    [HK_MIX_BLOCK_WRITE] = { HK_SERVICE_BLOCK, block_write },
    [HK_MIX_BLOCK_FLUSH] = { HK_SERVICE_BLOCK, block_flush },
    [HK_MIX_AUDIO_WRITE] = { HK_SERVICE_AUDIO, audio_write },
    [HK_MIX_TIMER_ALARM] = { HK_SERVICE_TIMER, timer_alarm },
    [HK_MIX_DISPLAY_FILL] = { HK_SERVICE_DISPLAY, display_fill },
    [HK_MIX_DISPLAY_BLIT] = { HK_SERVICE_DISPLAY, display_blit },
    [HK_MIX_DISPLAY_BLEND] = { HK_SERVICE_DISPLAY, display_blend },
    [HK_MIX_PRINT_JOB] = { HK_SERVICE_PRINT, print_job },
    [HK_MIX_MEMORY_RANGE] = { HK_SERVICE_MEMORY, memory_range },
};

void hk_workload_set_up(struct hk_workload *w)
{
    set_up_files(w);
    set_up_ports(w);
    set_up_blocks(w);
    set_up_streams(w);
}

/* Then time for jobs, alarms and dirty blocks: the next workload must not meet them. */
void hk_workload_clear(struct hk_workload *w)
{
    clear_streams(w);
    clear_ports(w);
    (void)hk_syscall(HK_SYS_sleep, (uint64_t)hk_syscall0(HK_SYS_clock) + REST_NS, 0, 0);
    (void)hk_client_wait(HK_TIMEOUT_NOW);
}
