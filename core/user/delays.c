/* SPDX-License-Identifier: MIT */
/*
 * A periodic thread whose wake-ups are late by delays from a seed, of a law that is known: what
 * jitter and underruns come of it (F6, F7). Virtual time adds the kernel's own path and nothing
 * else, so the figures are the same in every run.
 *
 * What a law is fitted on and what it predicts are rows of their own, with seeds of their own.
 */
#include "hk/core/delay_law.h"
#include "user/draw.h"
#include "user/experiments.h"

#define PERIOD_NS (4 * HK_NS_PER_MS) /* no delay lasts until the next wake-up */
#define PERIODS 4000
#define HEADROOM_NS 50000

static const struct hk_delay_law laws[] = HK_DELAY_LAWS;

struct wakeups {
    const struct hk_delay_law *law;
    uint64_t seed;
    uint64_t delay_ns; /* the last one drawn */
    uint64_t next_ns;  /* when the timer would be right */
};

static void begin(struct wakeups *w, const struct hk_delay_law *law, uint64_t seed)
{
    *w = (struct wakeups){ .law = law, .seed = seed };
    if (law->lasting)
        w->delay_ns = law->mean_ns;
    w->next_ns = (uint64_t)hk_syscall0(HK_SYS_clock) + PERIOD_NS;
}

/* Sleep until the next wake-up and its delay; returns the time. */
static uint64_t wake_up(struct wakeups *w)
{
    uint64_t drawn_ns = 0;

    for (uint64_t i = 0; i < w->law->stages; i++) {
        bool rare = hk_draw(&w->seed) % HK_DELAY_RARE_IN == 0;

        drawn_ns += hk_draw_exponential(&w->seed, rare ? w->law->rare_ns : w->law->mean_ns);
    }
    w->delay_ns = w->law->lasting ? (w->delay_ns + drawn_ns) / 2 : drawn_ns;
    (void)hk_syscall(HK_SYS_sleep, w->next_ns + w->delay_ns, 0, 0);
    w->next_ns += PERIOD_NS;
    return (uint64_t)hk_syscall0(HK_SYS_clock);
}

static void begin_line(struct hk_line *line, const char *what, const struct hk_delay_law *law,
                       const char *kind)
{
    hk_line_begin(line, "value");
    hk_line_text(line, what);
    hk_line_text(line, law->name);
    hk_line_text(line, kind);
    hk_line_field(line, "periods", PERIODS);
}

/* Moments of the lateness x: sums of x, x^2 and of x times the x before. */
static void report_lateness(const struct hk_delay_law *law)
{
    uint64_t least_ns = UINT64_MAX, sum = 0, square = 0, product = 0, before = 0;
    struct hk_line line;
    struct wakeups w;

    begin(&w, law, 2385);
    for (uint64_t i = 0; i < PERIODS; i++) {
        uint64_t late_ns = wake_up(&w) - (w.next_ns - PERIOD_NS);

        least_ns = late_ns < least_ns ? late_ns : least_ns;
        sum += late_ns;
        square += late_ns * late_ns;
        product += late_ns * before;
        before = late_ns;
    }
    begin_line(&line, "guest/wakeup/delayed/law:", law, "/record:lateness");
    hk_line_field(&line, "lateness_ns_min", least_ns);
    hk_line_field(&line, "lateness_ns_sum", sum);
    hk_line_field(&line, "lateness_square_sum", square);
    hk_line_field(&line, "lateness_product_sum", product);
    hk_line_end(&line);
}

/* Intervals alone, by how much they differ from the period, and from each other. */
static void report_intervals(const struct hk_delay_law *law)
{
    uint64_t before_ns, square = 0, cycle_square = 0;
    int64_t before = 0;
    struct hk_line line;
    struct wakeups w;

    begin(&w, law, 7411);
    before_ns = wake_up(&w);
    for (uint64_t i = 0; i < PERIODS; i++) {
        uint64_t now_ns = wake_up(&w);
        int64_t off = (int64_t)(now_ns - before_ns) - (int64_t)PERIOD_NS;

        square += (uint64_t)(off * off);
        if (i > 0)
            cycle_square += (uint64_t)((off - before) * (off - before));
        before = off;
        before_ns = now_ns;
    }
    begin_line(&line, "guest/wakeup/delayed/law:", law, "/record:interval");
    hk_line_field(&line, "interval_square_sum", square);
    hk_line_field(&line, "cycle_square_sum", cycle_square);
    hk_line_end(&line);
}

static void count(uint64_t underruns[HK_DELAY_HEADROOMS], int64_t short_by_ns)
{
    for (int64_t h = 0; h < HK_DELAY_HEADROOMS; h++)
        underruns[h] += short_by_ns > (h + 1) * HEADROOM_NS;
}

static void report_underruns(const struct hk_delay_law *law, const char *clock,
                             const uint64_t underruns[HK_DELAY_HEADROOMS])
{
    static const char *const keys[] = { "underruns_1", "underruns_2", "underruns_3", "underruns_4",
                                        "underruns_5" };
    struct hk_line line;

    begin_line(&line, "guest/underrun/delayed/law:", law, clock);
    hk_line_field(&line, "headroom_ns", HEADROOM_NS);
    for (uint64_t h = 0; h < HK_ARRAY_COUNT(keys); h++)
        hk_line_field(&line, keys[h], underruns[h]);
    hk_line_end(&line);
}

/*
 * Two buffers drained at once, each in five sizes: one whose device asks when a period has gone,
 * so that it runs dry when the answer comes later than the headroom; and one that is filled up at
 * each wake-up of a free-running timer, dry when the next comes that much later than a period.
 */
static void run_underruns(const struct hk_delay_law *law)
{
    uint64_t device[HK_DELAY_HEADROOMS] = { 0 }, absolute[HK_DELAY_HEADROOMS] = { 0 }, before_ns;
    struct wakeups w;

    begin(&w, law, 6007);
    before_ns = wake_up(&w);
    for (uint64_t i = 0; i < PERIODS; i++) {
        uint64_t now_ns = wake_up(&w);

        count(device, (int64_t)(now_ns - (w.next_ns - PERIOD_NS)));
        count(absolute, (int64_t)(now_ns - before_ns) - (int64_t)PERIOD_NS);
        before_ns = now_ns;
    }
    report_underruns(law, "/clock:device", device);
    report_underruns(law, "/clock:absolute", absolute);
}

void hk_delays_report(void)
{
    for (uint64_t i = 0; i < HK_ARRAY_COUNT(laws); i++) {
        report_lateness(&laws[i]);
        if (laws[i].intervals)
            report_intervals(&laws[i]);
        if (laws[i].underruns)
            run_underruns(&laws[i]);
    }
}
