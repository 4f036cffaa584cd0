/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/report/report.h"

#define MACHINE                                                                         \
    "{\"id\": \"test-1a2b3c4d\", \"cpu_model\": \"Test <CPU> & Co\", \"cpu_count\": 2," \
    " \"kernel\": \"6.1.0-test\", \"hypervisor\": \"none\", \"mitigations\": {\"x\": \"y\"}}"
#define HOSTILE "<script src=\"http://example.org/x.js\">'&</script>"

static char folder[64];
static struct hk_run run;
static struct hk_judge judge;
static const struct hk_report_source source = { &run, &judge };
static struct hk_worlds worlds;

/* --- a small made-up world: the numbers stand for nothing ---------------------------- */

static struct hk_launch *launch_new(const char *name, uint32_t index)
{
    struct hk_launch *grown =
        realloc(run.launches, (run.launch_count + 1) * sizeof(*run.launches));
    assert_non_null(grown);
    run.launches = grown;
    struct hk_launch *launch = &run.launches[run.launch_count++];
    assert_int_equal(hk_launch_init(launch, name, index, 1), HK_OK);
    return launch;
}

static void add_cost(const char *name, double cost_ns)
{
    static const double ns[] = { 3500, 3700, 9100, 250000 }, counts[] = { 10, 900, 80, 10 };
    for (uint32_t i = 0; i < 3; i++) {
        struct hk_launch *launch = launch_new(name, i);
        hk_launch_add_counter(launch, "cost_ns", cost_ns * (1 + 0.03 * i));
        hk_launch_add_series(launch, "latency_bucket_ns", ns, 4);
        hk_launch_add_series(launch, "latency_bucket_count", counts, 4);
    }
}

static void add_periodic(void)
{
    const char *keys = "policy:fifo/load:idle/period_us:1000/inject_us:0";
    static const double headroom_ns[] = { 20000, 100000, 500000 }, underruns[] = { 900, 31, 0 },
                        periods[] = { 10000, 10000, 10000 };
    double lateness_ns[500];
    char name[HK_NAME_BYTES];
    for (size_t i = 0; i < 500; i++)
        lateness_ns[i] = 15000 - 20000 * log1p(-(double)i / 500.0);
    snprintf(name, sizeof(name), "native/underrun/device/%s", keys);
    struct hk_launch *launch = launch_new(name, 0);
    hk_launch_add_series(launch, "headroom_ns", headroom_ns, 3);
    hk_launch_add_series(launch, "underruns_count", underruns, 3);
    hk_launch_add_series(launch, "periods_count", periods, 3);
    snprintf(name, sizeof(name), "native/wakeup/absolute/%s/record:lateness", keys);
    launch = launch_new(name, 0);
    hk_launch_add_series(launch, "lateness_ns", lateness_ns, 500);
}

static void add_verdicts(void)
{
    const struct hk_comparison c = {
        .formula = "F3", .regime = "native/pipe", .model = "textbook", .cell = "native/chain/pipe",
        .quantity = "cost_ns", .predicted = 9000, .lower = 8000, .upper = 9900, .measured = 10000,
        .measured_lower = 9800, .measured_upper = 10300,
    };
    const struct hk_parameter p = { .name = "F3/pipe/c_ipc_ns", .value = 1850.5, .lower = 1800,
                                    .upper = 1900, .launches = 5, .source = "native/round_trip" };
    assert_int_equal(hk_judge_add_comparison(&judge, &c), HK_OK);
    assert_int_equal(hk_judge_add_parameter(&judge, &p), HK_OK);
    assert_int_equal(hk_judge_add_undecided(&judge, "F3", "native/pipe <one>", HOSTILE), HK_OK);
    assert_int_equal(hk_judge_add_undecided(&judge, "F7", "native/device/two", "few"), HK_OK);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/hkbench-report-XXXXXX");
    assert_non_null(mkdtemp(folder));
    run = (struct hk_run){ .path = strdup(folder), .machine_id = strdup("test-1a2b3c4d"),
                           .machine_json = strdup(MACHINE), .arguments = strdup("run --quick"),
                           .started = strdup("2026-01-02T03:04:05Z"), .note = strdup("") };
    hk_judge_init(&judge);
    /* in the order of names, as a reader gives them */
    add_cost("native/round_trip/pipe/place:cross_core/bytes:64", 30500);
    add_cost("native/round_trip/pipe/place:same_core/bytes:4096", 4800);
    add_cost("native/round_trip/pipe/place:same_core/bytes:64", 3700);
    add_cost("native/round_trip/pipe/place:same_core/bytes:64/clients:2", 9700);
    struct hk_launch *launch = launch_new("native/round_trip/udp/place:smt/bytes:64", 0);
    hk_launch_set_state(launch, HK_LAUNCH_UNAVAILABLE, HOSTILE);
    add_periodic();
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    hk_run_fini(&run);
    hk_judge_fini(&judge);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* --- the page -------------------------------------------------------------------------- */

/* Name of the tag at text, "<name ..." or "</name"; returns where the tag ends. */
static const char *tag_name(const char *text, char name[32])
{
    size_t n = 0;
    text += text[1] == '/' ? 2 : 1;
    for (; n + 1 < 32 && isalnum((unsigned char)text[n]); n++)
        name[n] = text[n];
    name[n] = '\0';
    return strchr(text, '>');
}

/* Every element that is opened is closed, in order: the page is also XML. */
static void assert_well_formed(const char *html)
{
    char stack[64][32], name[32];
    size_t depth = 0;
    for (const char *at = strchr(html, '<'); at; at = strchr(at + 1, '<')) {
        if (at[1] == '!')
            continue;
        const char *end = tag_name(at, name);
        assert_non_null(end);
        assert_true(name[0] != '\0');
        if (at[1] == '/') {
            assert_true(depth > 0);
            assert_string_equal(name, stack[--depth]);
        } else if (end[-1] != '/') {
            assert_true(depth < 64);
            strcpy(stack[depth++], name);
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

/* Nothing is loaded from anywhere: the only links are to places in the page. */
static void assert_alone(const char *html)
{
    assert_null(strstr(html, " src=\""));
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "<link"));
    assert_null(strstr(html, "@import"));
    assert_null(strstr(html, "url(http"));
    for (const char *at = strstr(html, "href="); at; at = strstr(at + 1, "href="))
        assert_int_equal(at[6], '#');
}

static char *page(void)
{
    char *html = NULL;
    assert_int_equal(hk_report_html(&source, &worlds, folder, &html), HK_OK);
    assert_well_formed(html);
    assert_alone(html);
    return html;
}

static void every_verdict_stands_there_first(void **state)
{
    (void)state;
    add_verdicts();
    char *html = page();
    const char *verdicts = strstr(html, "id=\"verdicts\"");
    const char *costs = strstr(html, "id=\"costs\"");
    assert_true(verdicts && costs && verdicts < costs);
    for (size_t i = 1; i < judge.judgement_count; i++)
        assert_non_null(strstr(html, judge.judgements[i].regime));
    assert_non_null(strstr(html, "native/pipe &lt;one&gt;"));
    assert_non_null(strstr(html, "INCONCLUSIVE</span> 2 times"));
    assert_non_null(strstr(html, "F3/pipe/c_ipc_ns"));
    free(html);
}

static void what_is_missing_is_named_and_escaped(void **state)
{
    (void)state;
    char *html = page();
    assert_non_null(strstr(html, "place:smt"));
    assert_non_null(strstr(html, "&lt;script src=&quot;http:"));
    assert_non_null(strstr(html, "Test &lt;CPU&gt; &amp; Co"));
    assert_non_null(strstr(html, "hkbench validate"));
    assert_non_null(strstr(html, "gnuplot-nox"));
    /* and of other worlds, with the command that measures it */
    assert_non_null(strstr(html, "hkbench run --guest --filter &#39;^guest/syscall/null$&#39;"));
    free(html);
}

static void an_empty_run_makes_a_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < run.launch_count; i++)
        hk_launch_fini(&run.launches[i]);
    run.launch_count = 0;
    run.partial = true;
    char *html = page();
    assert_non_null(strstr(html, "Partial run"));
    free(html);
}

/* --- figures --------------------------------------------------------------------------- */

static void figures_without_data_are_not_written(void **state)
{
    (void)state;
    char path[128];
    for (size_t i = 0; i < hk_figure_count; i++) {
        bool prediction = strcmp(hk_figures[i].name, "prediction") == 0;
        assert_int_equal(hk_figure_write_data(&hk_figures[i], &source, folder),
                         prediction ? HK_EEMPTY : HK_OK);
        snprintf(path, sizeof(path), "%s/%s.dat", folder, hk_figures[i].name);
        assert_int_equal(access(path, R_OK), prediction ? -1 : 0);
    }
    assert_int_equal(hk_figure_write_data(&hk_figures[0], &source, "/nonexistent"), HK_ENOENT);
}

static void costs_are_in_the_data(void **state)
{
    (void)state;
    char path[128], *text = NULL;
    size_t bytes = 0;
    assert_int_equal(hk_figure_write_data(&hk_figures[0], &source, folder), HK_OK);
    snprintf(path, sizeof(path), "%s/round_trip.dat", folder);
    assert_int_equal(hk_file_read(path, 100000, &text, &bytes), HK_OK);
    assert_non_null(strstr(text, "0 \"pipe\" 3811 3755.5 3866.5"));
    assert_non_null(strstr(text, "0 \"pipe\" 31415 "));
    assert_null(strstr(text, "9991")); /* several clients are another question */
    free(text);
}

static void figures_are_drawn(void **state)
{
    (void)state;
    add_verdicts();
    char error[HK_TEXT_BYTES], caption[HK_TEXT_BYTES];
    hk_figure_caption(&run, caption, sizeof(caption));
    assert_non_null(strstr(caption, "n = 14 launches of 7 cells"));
    for (size_t i = 0; i < hk_figure_count; i++) {
        assert_int_equal(hk_figure_write_data(&hk_figures[i], &source, folder), HK_OK);
        enum hk_status status = hk_figure_draw(&hk_figures[i], HK_TEST_SCRIPTS, folder,
                                               HK_FIGURE_SVG, "it's 100 % \"n\"", error);
        if (status == HK_ENOTSUP) {
            print_message("not drawn: %s\n", error);
            return;
        }
        if (status != HK_OK)
            fail_msg("%s: %s", hk_figures[i].name, error);
    }
    char *html = page();
    assert_non_null(strstr(html, "<svg role=\"img\""));
    assert_null(strstr(html, "No figure"));
    free(html);
}

static void without_gnuplot_there_is_a_remedy(void **state)
{
    (void)state;
    char error[HK_TEXT_BYTES] = "", saved[4096];
    snprintf(saved, sizeof(saved), "%s", getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    enum hk_status status =
        hk_figure_draw(&hk_figures[0], HK_TEST_SCRIPTS, folder, HK_FIGURE_SVG, "", error);
    setenv("PATH", saved, 1);
    assert_int_equal(status, HK_ENOTSUP);
    assert_non_null(strstr(error, "gnuplot-nox"));
    assert_int_equal(
        hk_figure_draw(&hk_figures[0], "/nonexistent", folder, HK_FIGURE_SVG, "", error), HK_EIO);
}

static void formats_have_names(void **state)
{
    (void)state;
    enum hk_figure_format format = HK_FIGURE_TERMINAL;
    assert_int_equal(hk_figure_format_find("jpeg", &format), HK_ENOENT);
    assert_int_equal(format, HK_FIGURE_TERMINAL);
    assert_int_equal(hk_figure_format_find("png", &format), HK_OK);
    assert_string_equal(hk_figure_format_name(format), "png");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_verdict_stands_there_first),
        TEST(what_is_missing_is_named_and_escaped),
        TEST(an_empty_run_makes_a_page),
        TEST(figures_without_data_are_not_written),
        TEST(costs_are_in_the_data),
        TEST(figures_are_drawn),
        TEST(without_gnuplot_there_is_a_remedy),
        TEST(formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
