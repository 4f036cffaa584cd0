/* SPDX-License-Identifier: MIT */
/*
 * How often is a cached answer an old one? A file changes at exponentially distributed
 * times, a client looks at other such times, and the service makes the kernel's cache
 * new every so often. Versions say which answers were older than what the service had
 * acknowledged. By the model (F8, periodic refresh) the share is
 * 1 - (1 - e^-x) / x with x = refresh / mean time between changes.
 */
#include "user/client.h"
#include "user/draw.h"
#include "user/experiments.h"

#define LOOKS 4000
#define CHANGE_NS 1000000u /* mean time between two changes, */
#define LOOK_NS 370000u    /* and between two looks */

/*
 * Times are rounded up to slots, in which the refresh comes first and is well through before the
 * first change or look. Those follow one after the other, in the order of their times before
 * rounding: what is old does not depend on how long any of them takes. With all changes of a slot
 * before its looks, half a slot more of changes would be met than the law says.
 */
#define SLOT_NS 20000u
#define CHANGE_IN_SLOT_NS 7000u
#define LOOK_IN_SLOT_NS 14000u

/* Multiples of a slot, and the last of all others, so that all begin alike in it. */
static const uint64_t refreshes_ns[] = { 0, 500000, 1000000, 2000000 };
#define BEGIN_NS 2000000u

struct observation {
    struct hk_client client;
    uint64_t random;
    uint64_t file;
    uint64_t version; /* of the last change that was acknowledged */
    uint64_t stale;
    bool failed;
};

static void sleep_until(uint64_t at_ns, uint64_t in_slot_ns)
{
    uint64_t slot_ns = (at_ns + SLOT_NS - 1) / SLOT_NS * SLOT_NS;

    (void)hk_syscall(HK_SYS_sleep, slot_ns + in_slot_ns, 0, 0);
}

static void change(struct observation *o)
{
    if (hk_client_write(&o->client, o->file, 0, 8) != HK_OK)
        o->failed = true;
    o->version++;
}

static void look(struct observation *o)
{
    struct hk_file_facts facts = { 0 };

    if (hk_client_find(&o->client, "age", &facts) != HK_OK || facts.version > o->version)
        o->failed = true;
    o->stale += facts.version != o->version;
}

static void observe(struct observation *o)
{
    uint64_t now_ns = (uint64_t)hk_syscall0(HK_SYS_clock);
    uint64_t change_ns = (now_ns / BEGIN_NS + 1) * BEGIN_NS, look_ns = change_ns;

    for (uint32_t looks = 0; looks < LOOKS && !o->failed;) {
        if (change_ns < look_ns) {
            sleep_until(change_ns, CHANGE_IN_SLOT_NS);
            change(o);
            change_ns += hk_draw_exponential(&o->random, CHANGE_NS);
        } else {
            sleep_until(look_ns, LOOK_IN_SLOT_NS);
            look(o);
            look_ns += hk_draw_exponential(&o->random, LOOK_NS);
            looks++;
        }
    }
}

static bool set_refresh(struct observation *o, uint64_t refresh_ns)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_REFRESH, refresh_ns };

    return hk_client_call(&o->client, HK_SERVICE_FILE, 2, word) == HK_OK;
}

static bool begin(struct observation *o, uint64_t refresh_ns, uint64_t *ipc_page)
{
    struct hk_file_facts facts = { 0 };

    hk_client_init(&o->client, ipc_page);
    if (hk_client_find(&o->client, "age", &facts) != HK_OK &&
        hk_client_create(&o->client, "age", HK_FILE_PLAIN, &facts) != HK_OK)
        return false;
    o->file = facts.file;
    o->version = facts.version;
    return set_refresh(o, refresh_ns);
}

static bool report(const struct observation *o, uint64_t refresh_ns, bool in_kernel)
{
    struct hk_line line;

    hk_line_begin(&line, o->failed ? "fail" : "value");
    hk_line_text(&line, "guest/staleness/file/refresh_us:");
    hk_line_number(&line, refresh_ns / HK_NS_PER_US);
    hk_line_text(&line, in_kernel ? "/place:kernel" : "/place:server");
    hk_line_field(&line, "looks", LOOKS);
    hk_line_field(&line, "stale", o->stale);
    hk_line_field(&line, "change_ns", CHANGE_NS);
    hk_line_end(&line);
    return !o->failed;
}

bool hk_staleness_report(uint64_t *ipc_page, bool in_kernel)
{
    bool good = true;

    for (size_t i = 0; i < HK_ARRAY_COUNT(refreshes_ns); i++) {
        struct observation o = { .random = 2385 + i };

        o.failed = !begin(&o, refreshes_ns[i], ipc_page);
        observe(&o);
        o.failed |= refreshes_ns[i] == 0 && o.stale > 0; /* then none may be old */
        good &= report(&o, refreshes_ns[i], in_kernel) && set_refresh(&o, 0);
        hk_client_fini(&o.client);
    }
    return good;
}
