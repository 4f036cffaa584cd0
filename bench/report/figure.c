/* SPDX-License-Identifier: MIT */
/* The table of figures, and drawing them with gnuplot. */
#include "hk/report/figure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "figure_data.h"
#include "hk/base/units.h"

#define DRAW_TIMEOUT_MS 60000

const struct hk_figure hk_figures[] = {
    { "round_trip", "Round trip by transport and placement",
      "Each mark is the median over launches of the cost of one round trip of 64 bytes; its bar holds "
      "the middle half of the launches. Costs come from a low quantile of block means.",
      "round_trip cells of 64 bytes", figure_round_trip },
    { "size", "Cost against message size, with the fitted segments",
      "Marks are medians over launches, bars their middle half; lines are the segments that "
      "were fitted on the training sizes, for the transports that the formulas are fitted on.",
      "round_trip cells on one core in two or more sizes", figure_size },
    { "latency", "How long single round trips take",
      "For a latency on the horizontal axis, the share of round trips that took longer. Both axes "
      "are logarithmic: a straight line is a heavy tail.",
      "latency histograms of round_trip cells of 64 bytes", figure_latency },
    { "lateness", "How late periodic wake-ups are",
      "For a lateness, the share of wake-ups that were later. The exponential law has the measured "
      "mean; the tail is a generalised Pareto law fitted beyond a threshold.",
      "wakeup cells that record lateness", figure_lateness },
    { "underrun", "Underruns: measured, and by every law",
      "Marks are counted underruns of a buffer that is really drained, with 95 % intervals. The laws "
      "were fitted on other runs of the wake-up alone.",
      "underrun cells", figure_underrun },
    { "prediction", "Prediction against measurement",
      "Held-out cells only: no parameter comes from a cell shown here. Open marks are the textbook's "
      "formula, filled ones the stronger models; a perfect prediction lies on 1.",
      "verdicts: hkbench validate", figure_prediction },
};
const size_t hk_figure_count = HK_ARRAY_COUNT(hk_figures);

static const struct {
    const char *name;
    const char *gnuplot;
} formats[] = {
    [HK_FIGURE_SVG] = { "svg", "svg" },
    [HK_FIGURE_PNG] = { "png", "png" },
    [HK_FIGURE_TERMINAL] = { "txt", "dumb" },
};

enum hk_status hk_figure_format_find(const char *name, enum hk_figure_format *format)
{
    for (size_t i = 0; i < HK_FIGURE_TERMINAL; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *format = (enum hk_figure_format)i;
            return HK_OK;
        }
    }
    return HK_ENOENT;
}

const char *hk_figure_format_name(enum hk_figure_format format)
{
    return formats[format].name;
}

enum hk_status hk_figure_write_data(const struct hk_figure *figure,
                                    const struct hk_report_source *source, const char *folder)
{
    char path[PATH_MAX];
    char *text = NULL;
    size_t bytes = 0, points = 0;
    if (snprintf(path, sizeof(path), "%s/%s.dat", folder, figure->name) >= (int)sizeof(path))
        return HK_EINVAL;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return HK_ENOMEM;
    enum hk_status status = figure->write(source, out, &points);
    if (fclose(out) != 0 && status == HK_OK)
        status = HK_ENOMEM;
    if (status == HK_OK)
        status = points == 0 ? HK_EEMPTY : hk_file_write(path, text, bytes);
    free(text);
    return status;
}

/* --- gnuplot ----------------------------------------------------------------- */

static enum hk_status spawn_gnuplot(char *const *arguments, const char *scripts, int error_fd,
                                    pid_t *pid)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return HK_ENOMEM;
    int code = posix_spawn_file_actions_addchdir_np(&actions, scripts);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, error_fd, STDERR_FILENO);
    if (code == 0)
        code = posix_spawnp(pid, "gnuplot", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code == ENOENT && access(scripts, X_OK) == 0)
        return HK_ENOTSUP;
    return code == 0 ? HK_OK : HK_EIO;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What gnuplot says until it ends; false when it takes too long. */
static bool collect(int fd, char *text, size_t capacity)
{
    size_t used = 0;
    int64_t deadline = now_ms() + DRAW_TIMEOUT_MS;
    for (;;) {
        struct pollfd waiting = { .fd = fd, .events = POLLIN };
        int64_t left = deadline - now_ms();
        char buffer[1024];
        if (left <= 0)
            return false;
        if (poll(&waiting, 1, (int)left) <= 0)
            continue;
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n <= 0)
            break;
        size_t kept = (size_t)n < capacity - 1 - used ? (size_t)n : capacity - 1 - used;
        memcpy(text + used, buffer, kept);
        used += kept;
    }
    text[used] = '\0';
    return true;
}

/* gnuplot prints the line, a caret below it, then the cause: the last line that says something. */
static void last_line(char *text, char *line, size_t capacity)
{
    char *save = NULL;
    snprintf(line, capacity, "no message");
    for (char *one = strtok_r(text, "\n", &save); one; one = strtok_r(NULL, "\n", &save))
        if (strspn(one, " ^\t") != strlen(one))
            snprintf(line, capacity, "%s", one);
}

static enum hk_status run_gnuplot(char *const *arguments, const char *scripts,
                                  char error[HK_TEXT_BYTES])
{
    int fds[2];
    pid_t pid = 0;
    char text[4096], line[200];
    if (pipe2(fds, O_CLOEXEC) != 0) {
        snprintf(error, HK_TEXT_BYTES, "no pipe to gnuplot: %s", strerror(errno));
        return HK_EIO;
    }
    enum hk_status status = spawn_gnuplot(arguments, scripts, fds[1], &pid);
    close(fds[1]);
    if (status != HK_OK) {
        close(fds[0]);
        snprintf(error, HK_TEXT_BYTES, status == HK_ENOTSUP
                     ? "gnuplot is not installed; install Debian's package gnuplot-nox"
                     : "gnuplot cannot be started in %.200s",
                 scripts);
        return status;
    }
    int state = 0;
    bool ended = collect(fds[0], text, sizeof(text));
    close(fds[0]);
    if (!ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    if (ended && WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return HK_OK;
    last_line(text, line, sizeof(line));
    snprintf(error, HK_TEXT_BYTES, "gnuplot %s: %s", ended ? "failed" : "took over a minute",
             ended ? line : "killed");
    return HK_EIO;
}

enum hk_status hk_figure_draw(const struct hk_figure *figure, const char *scripts,
                              const char *folder, enum hk_figure_format format,
                              const char *caption, char error[HK_TEXT_BYTES])
{
    char script[PATH_MAX], data[PATH_MAX], output[PATH_MAX], line[HK_TEXT_BYTES];
    if (snprintf(script, sizeof(script), "%s.gp", figure->name) >= (int)sizeof(script) ||
        snprintf(data, sizeof(data), "%s/%s.dat", folder, figure->name) >= (int)sizeof(data) ||
        snprintf(output, sizeof(output), "%s/%s.%s", folder, figure->name, formats[format].name) >=
            (int)sizeof(output)) {
        snprintf(error, HK_TEXT_BYTES, "%.300s...: the path is too long", folder);
        return HK_EINVAL;
    }
    snprintf(line, sizeof(line), "%s", caption);
    char kind[8];
    snprintf(kind, sizeof(kind), "%s", formats[format].gnuplot);
    char program[] = "gnuplot", flag[] = "-c";
    char *arguments[] = { program, flag, script, data, output, kind, line, NULL };
    return run_gnuplot(arguments, scripts, error);
}

void hk_figure_caption(const struct hk_run *run, char *caption, size_t capacity)
{
    json_t *machine = json_loads(run->machine_json, 0, NULL);
    const char *model = json_string_value(json_object_get(machine, "cpu_model"));
    const char *kernel = json_string_value(json_object_get(machine, "kernel"));
    const char *hypervisor = json_string_value(json_object_get(machine, "hypervisor"));
    size_t cells = 0, ok = 0;
    for (size_t i = 0; i < run->launch_count; i++) {
        ok += run->launches[i].state == HK_LAUNCH_OK;
        cells += i == 0 || strcmp(run->launches[i].name, run->launches[i - 1].name) != 0;
    }
    bool bare = !hypervisor || strcmp(hypervisor, "none") == 0;
    snprintf(caption, capacity, "n = %zu launches of %zu cells; %s%s%s, Linux %s; %.10s%s", ok, cells,
             model ? model : run->machine_id, bare ? "" : " under ", bare ? "" : hypervisor,
             kernel ? kernel : "of unknown version", run->started,
             run->partial ? "; partial run" : "");
    json_decref(machine);
}
