/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hk/base/units.h"

enum { BAR_CELLS = 24, TEXT_COLUMNS = 44 };

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * HK_NS_PER_S + (uint64_t)t.tv_nsec;
}

void hk_progress_init(struct hk_progress *p)
{
    *p = (struct hk_progress){.terminal = isatty(STDERR_FILENO) == 1, .started_ns = now_ns()};
}

static void draw_bar(uint64_t done, uint64_t total, uint64_t elapsed_ns, const char *what)
{
    char bar[BAR_CELLS + 1];
    const uint64_t filled = done >= total ? BAR_CELLS : done * BAR_CELLS / total;

    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', filled);
    bar[BAR_CELLS] = '\0';
    fprintf(stderr, "\r\033[K[%s] %3u %% %3u s  %.*s", bar, (unsigned)(done * 100 / total),
            (unsigned)(elapsed_ns / HK_NS_PER_S), TEXT_COLUMNS, what);
}

void hk_progress_show(struct hk_progress *p, uint64_t done, uint64_t total, const char *what)
{
    const uint64_t now = now_ns();
    const uint64_t interval_ns = p->terminal ? HK_NS_PER_S / 10 : 10ull * HK_NS_PER_S;

    if (total == 0 || (p->drawn_ns != 0 && now - p->drawn_ns < interval_ns))
        return;
    p->drawn_ns = now;
    if (p->terminal)
        draw_bar(done, total, now - p->started_ns, what);
    else
        fprintf(stderr, "%3u %%, %u s: %s\n", (unsigned)(done * 100 / total),
                (unsigned)((now - p->started_ns) / HK_NS_PER_S), what);
}

void hk_progress_fini(struct hk_progress *p)
{
    if (p->terminal && p->drawn_ns != 0)
        fputs("\r\033[K", stderr);
}
