/* SPDX-License-Identifier: MIT */
#include "hk/core/native.h"

#include <sys/mman.h>

#include "kernel/answers.h"
#include "services/services.h"
#include "user/workload.h"

#define CLIENT_BADGE 1
#define WINDOWS (HK_MIX_BYTES_MAX / HK_PAGE_BYTES) /* pages that an action lends or touches */

struct message {
    uint64_t badge;
    uint64_t words;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS];
    uint64_t buffer[HK_MESSAGE_BUFFER_WORDS];
};
#define HEADER_BYTES offsetof(struct message, word)
_Static_assert(sizeof(struct message) == HK_NATIVE_MESSAGE_BYTES_MAX, "as the header says");

/* A service where it runs; its address is the client's handle. */
struct place {
    struct hk_service_host host; /* first */
    struct hk_native *native;
    unsigned number;
};

/* A page that the client sees, of a service's memory or of its own. */
struct window {
    uint64_t address; /* 0: none */
    const void *page;
};

/* All of it in memory that the processes share. */
struct hk_native {
    struct hk_native_options options;
    struct hk_mix mix;
    uint64_t bytes; /* of all */
    struct place place[HK_SERVICES];
    uint64_t due_ns[HK_SERVICES]; /* of own work */
    uint64_t signals;
    struct window window[WINDOWS];
    unsigned lent_count;
    struct hk_answers answers;

    /* Of the client. */
    struct message message;
    struct hk_workload workload;
    uint64_t weight_sum;
    uint64_t entry_due_ns[HK_MIX_ENTRIES_MAX];
    uint64_t due_random;
    struct hk_native_tally tally;
    enum hk_status status; /* of the first message that could not be carried */

    _Alignas(HK_PAGE_BYTES) uint8_t supplied[WINDOWS][HK_PAGE_BYTES];
};

/* Whose system calls this thread makes, as the processor knows it of a guest's. */
static _Thread_local struct hk_native *current;

/* --- what a service asks for ------------------------------------------------------------ */

static struct place *place_of(struct hk_service_host *host)
{
    return (struct place *)(void *)host;
}

static struct window *window_at(struct hk_native *native, uint64_t address)
{
    return &native->window[address / HK_PAGE_BYTES % WINDOWS];
}

static uint64_t clock_ns(struct hk_service_host *host)
{
    const struct hk_native_options *options = &place_of(host)->native->options;

    return options->now_ns(options->context);
}

static void wake_at(struct hk_service_host *host, uint64_t at_ns)
{
    place_of(host)->native->due_ns[place_of(host)->number] = at_ns;
}

static enum hk_status signal_client(struct hk_service_host *host, uint64_t client, uint64_t bits)
{
    if (client != CLIENT_BADGE)
        return HK_ENOENT;
    place_of(host)->native->signals |= bits;
    return HK_OK;
}

static enum hk_status lend(struct hk_service_host *host, const void *page, uint64_t client,
                           uint64_t address)
{
    struct hk_native *native = place_of(host)->native;

    if (client != CLIENT_BADGE)
        return HK_ENOENT;
    *window_at(native, address) = (struct window){ address, page };
    native->lent_count++;
    return HK_OK;
}

static bool is_lent(struct hk_service_host *host, const void *page)
{
    const struct hk_native *native = place_of(host)->native;

    for (unsigned i = 0; i < WINDOWS && native->lent_count > 0; i++)
        if (native->window[i].address != 0 && native->window[i].page == page)
            return true;
    return false;
}

/* Answers are found by their endpoint's address; it is none, so that slots are always the same. */
static const struct hk_endpoint *endpoint_of(const struct place *place)
{
    return (const void *)(uintptr_t)(place->number + 1);
}

static void answer(struct hk_service_host *host, const struct hk_answer *answer)
{
    hk_answers_put(&place_of(host)->native->answers, endpoint_of(place_of(host)), answer);
}

static enum hk_status supply(struct hk_service_host *host, uint64_t address, uint64_t protection)
{
    struct hk_native *native = place_of(host)->native;
    struct window *window = window_at(native, address);
    uint8_t *page = native->supplied[window - native->window];

    (void)protection;
    memset(page, 0, HK_PAGE_BYTES);
    *window = (struct window){ address, page };
    return HK_OK;
}

/* --- calls ------------------------------------------------------------------------------ */

/* The service works on the words where they lie, and leaves its reply there. */
static uint64_t handle(struct place *place, uint64_t badge, uint64_t *word, uint64_t *buffer)
{
    struct hk_service_message message = {
        .badge = badge, .words = HK_SERVICE_REPLY_WORDS, .word = word, .buffer = buffer
    };

    word[0] = (uint64_t)hk_services[place->number].handle(&place->host, &message);
    return message.words;
}

static uint64_t in_registers(uint64_t words)
{
    return words < HK_MESSAGE_REGISTER_WORDS ? words : HK_MESSAGE_REGISTER_WORDS;
}

/* To the service's process and back. Returns the reply's words, or a status. */
static int64_t carry(struct place *place, uint64_t badge, uint64_t words, uint64_t *word)
{
    struct hk_native *native = place->native;
    struct message *m = &native->message;
    size_t bytes = HEADER_BYTES + words * sizeof(uint64_t);
    enum hk_status status;

    m->badge = badge;
    m->words = words;
    memcpy(m->word, word, in_registers(words) * sizeof(uint64_t));
    status = native->options.carry(native->options.context, place->number, m, &bytes);
    if (status == HK_OK && (m->words == 0 || bytes != HEADER_BYTES + m->words * sizeof(uint64_t)))
        status = HK_EPARSE;
    if (status != HK_OK) {
        native->status = native->status == HK_OK ? status : native->status;
        return status;
    }
    memcpy(word, m->word, in_registers(m->words) * sizeof(uint64_t));
    return (int64_t)m->words;
}

static int64_t call(struct place *place, uint64_t badge, uint64_t words, uint64_t *word)
{
    struct hk_native *native = place->native;

    return native->options.servers >> place->number & 1
               ? carry(place, badge, words, word)
               : (int64_t)handle(place, badge, word, native->message.buffer);
}

enum hk_status hk_native_handle(struct hk_native *native, unsigned service, void *message,
                                size_t bytes, size_t *reply_bytes)
{
    struct message *m = message;

    if (bytes < HEADER_BYTES || m->words > HK_MESSAGE_WORDS_MAX ||
        bytes != HEADER_BYTES + m->words * sizeof(uint64_t))
        return HK_EPARSE;
    m->words = handle(&native->place[service], m->badge, m->word, m->buffer);
    *reply_bytes = HEADER_BYTES + m->words * sizeof(uint64_t);
    return HK_OK;
}

/* --- the client's system calls: user/user.h ------------------------------------------------ */

int64_t hk_user_ipc(int64_t tag, uint64_t *handle_, uint64_t word[HK_MESSAGE_REGISTER_WORDS])
{
    struct place *place = (struct place *)*handle_;

    place->native->tally.calls[place->number]++;
    return call(place, CLIENT_BADGE, (uint64_t)tag, word);
}

static int64_t get_answer(struct place *place, const struct hk_answer_key *key)
{
    struct hk_native *native = place->native;
    const struct hk_answer *found = hk_answers_find(&native->answers, endpoint_of(place), key);

    if (found == NULL)
        return HK_ENOENT;
    memcpy(native->message.buffer, found->word, found->words * sizeof(uint64_t));
    return (int64_t)found->words;
}

static int64_t unmap(struct hk_native *native, uint64_t address, uint64_t count)
{
    for (uint64_t i = 0; i < count && i < WINDOWS; i++)
        *window_at(native, address + i * HK_PAGE_BYTES) = (struct window){ 0 };
    native->lent_count = 0; /* nobody keeps lent pages beside others */
    return HK_OK;
}

static int64_t take_signals(struct hk_native *native)
{
    const uint64_t bits = native->signals;

    native->signals = 0;
    return bits == 0 ? HK_EEMPTY : (int64_t)bits;
}

int64_t hk_syscall5(enum hk_syscall number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                    uint64_t e)
{
    switch (number) {
    case HK_SYS_clock:
        return (int64_t)current->options.now_ns(current->options.context);
    case HK_SYS_answer_get:
        return get_answer((struct place *)a, &(struct hk_answer_key){ { b, c, d, e } });
    case HK_SYS_page_unmap:
        return unmap(current, a, b);
    case HK_SYS_signal_wait:
        return take_signals(current);
    case HK_SYS_pager_bind: /* a page that is not there is asked of the memory service anyway */
    case HK_SYS_pager_unbind:
        return HK_OK;
    default:
        return HK_ENOSYS;
    }
}

uint64_t hk_user_read(uint64_t address)
{
    return *(const volatile uint64_t *)window_at(current, address)->page;
}

/* A page that is not there is a fault, which its pager serves. */
void hk_user_write(uint64_t address, uint64_t value)
{
    struct window *window = window_at(current, address);

    if (window->address != address) {
        uint64_t handle_ = current->workload.client.handle[HK_SERVICE_MEMORY];
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_PAGER_FAULT, address, HK_MAP_WRITE };

        if (hk_user_ipc(HK_PAGER_WORDS, &handle_, word) < 0 || window->address != address) {
            current->workload.error = "a page is not supplied";
            return;
        }
    }
    *(volatile uint64_t *)current->supplied[window - current->window] = value;
}

/* --- the client, as in user/workload.c, with the services' own work at its time -------------- */

static uint64_t now_of(const struct hk_native *native)
{
    return native->options.now_ns(native->options.context);
}

static void do_due_work(struct hk_native *native)
{
    const uint64_t now_ns = now_of(native);

    for (unsigned i = 0; i < HK_SERVICES; i++)
        while (native->due_ns[i] <= now_ns) {
            uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 1 };

            native->due_ns[i] = HK_SERVICE_NEVER_NS;
            native->tally.wakes[i]++;
            (void)call(&native->place[i], HK_SERVICE_TIME_BADGE, 1, word);
        }
}

static uint64_t next_due(const struct hk_native *native)
{
    uint64_t first_ns = HK_SERVICE_NEVER_NS;

    for (unsigned i = 0; i < HK_SERVICES; i++)
        first_ns = native->due_ns[i] < first_ns ? native->due_ns[i] : first_ns;
    return first_ns;
}

/* Interrupted by what is due, as the guest's is. */
static void think(struct hk_native *native, uint64_t left_ns)
{
    while (left_ns > 0) {
        const uint64_t start_ns = now_of(native), due_ns = next_due(native);
        const uint64_t until_ns = due_ns < start_ns + left_ns ? due_ns : start_ns + left_ns;
        uint64_t passed_ns;

        if (until_ns > start_ns)
            native->options.wait_until(native->options.context, until_ns);
        passed_ns = now_of(native) - start_ns;
        native->tally.thought_ns += passed_ns;
        left_ns -= passed_ns < left_ns ? passed_ns : left_ns;
        if (due_ns <= start_ns + passed_ns)
            do_due_work(native);
    }
}

static enum hk_status status_of(const struct hk_native *native)
{
    if (native->status != HK_OK)
        return native->status;
    return native->workload.error == NULL ? HK_OK : HK_EROW;
}

static void perform(struct hk_native *native, const struct hk_mix_entry *entry)
{
    struct hk_workload *w = &native->workload;

    for (uint64_t i = 0; i < entry->count && status_of(native) == HK_OK; i++) {
        const uint64_t action = hk_mix_draw_action(&w->random, entry);

        hk_workload_actions[action].run(w, hk_mix_draw_bytes(&w->random, entry));
        do_due_work(native);
    }
}

static void perform_due(struct hk_native *native)
{
    const uint64_t now_ns = now_of(native), random = native->workload.random;

    native->workload.random = native->due_random;
    for (uint64_t i = 0; i < native->mix.entry_count; i++) {
        const struct hk_mix_entry *entry = &native->mix.entry[i];

        if (entry->period_ns == 0 || native->entry_due_ns[i] > now_ns)
            continue;
        native->entry_due_ns[i] += entry->period_ns;
        perform(native, entry);
    }
    native->due_random = native->workload.random;
    native->workload.random = random;
}

enum hk_status hk_native_requests(struct hk_native *native, uint64_t count)
{
    current = native;
    for (uint64_t i = 0; i < count && status_of(native) == HK_OK; i++) {
        think(native, native->mix.think_instructions / 2 * 2);
        perform_due(native);
        if (native->weight_sum > 0)
            perform(native, hk_mix_draw_entry(&native->workload.random, &native->mix,
                                              native->weight_sum));
    }
    return status_of(native);
}

void hk_native_restart(struct hk_native *native, uint64_t seed)
{
    native->workload.random = seed;
    native->due_random = ~seed;
    native->workload.stream_count = 0;
    for (uint64_t i = 0; i < native->mix.entry_count; i++)
        native->entry_due_ns[i] = now_of(native);
}

enum hk_status hk_native_set_up(struct hk_native *native)
{
    current = native;
    hk_workload_set_up(&native->workload);
    native->tally = (struct hk_native_tally){ 0 };
    hk_native_restart(native, native->mix.seed);
    return status_of(native);
}

const char *hk_native_error(const struct hk_native *native)
{
    return native->workload.error;
}

void hk_native_tell(const struct hk_native *native, struct hk_native_tally *tally)
{
    *tally = native->tally;
}

/* --- life --------------------------------------------------------------------------------- */

static uint64_t round_up(uint64_t bytes)
{
    return (bytes + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES * HK_PAGE_BYTES;
}

static void start_services(struct hk_native *native)
{
    static const struct hk_service_host host = {
        .clock_ns = clock_ns, .wake_at = wake_at, .signal = signal_client, .lend = lend,
        .is_lent = is_lent, .answer = answer, .supply = supply
    };
    uint8_t *memory = (uint8_t *)native + round_up(sizeof(*native));

    for (unsigned i = 0; i < HK_SERVICES; i++) {
        struct place *place = &native->place[i];

        *place = (struct place){ .host = host, .native = native, .number = i };
        place->host.memory = memory;
        memory += hk_services[i].pages * (uint64_t)HK_PAGE_BYTES;
        native->due_ns[i] = HK_SERVICE_NEVER_NS;
        native->workload.client.handle[i] = (uintptr_t)place;
        hk_services[i].start(&place->host);
    }
}

enum hk_status hk_native_create(const struct hk_native_options *options, struct hk_native **out)
{
    uint64_t bytes = round_up(sizeof(struct hk_native));
    struct hk_native *native;

    for (unsigned i = 0; i < HK_SERVICES; i++)
        bytes += hk_services[i].pages * (uint64_t)HK_PAGE_BYTES;
    native = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (native == MAP_FAILED)
        return HK_ENOMEM;
    native->bytes = bytes;
    native->options = *options;
    native->mix = *options->mix;
    native->workload.mix = *options->mix;
    native->workload.client.buffer = native->message.buffer;
    for (uint64_t i = 0; i < options->mix->entry_count; i++)
        native->weight_sum += options->mix->entry[i].weight;
    start_services(native);
    *out = native;
    return HK_OK;
}

void hk_native_destroy(struct hk_native *native)
{
    (void)munmap(native, native->bytes);
}
