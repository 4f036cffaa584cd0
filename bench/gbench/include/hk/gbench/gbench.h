/* SPDX-License-Identifier: MIT */
/*
 * Google Benchmark for C.
 *
 * A pure C interface to Google Benchmark's libbenchmark (1.7.1 or newer): the
 * same flags, the same console, JSON and CSV output, the same names. The header
 * stands alone and the library behind it has no other dependency, so that any
 * C project can use it.
 *
 *     static void copy(struct hk_gbench_state *state, void *arg)
 *     {
 *         size_t bytes = (size_t)hk_gbench_state_arg(state, 0);
 *         HK_GBENCH_LOOP(state) {
 *             memcpy(to, from, bytes);
 *             HK_GBENCH_CLOBBER();
 *         }
 *         hk_gbench_state_set_bytes(state, hk_gbench_state_iterations(state) * (int64_t)bytes);
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct hk_gbench *bench;
 *         struct hk_gbench_totals totals;
 *         int rc = hk_gbench_init(&argc, argv);
 *         if (rc == HK_GBENCH_OK) rc = hk_gbench_register("copy", copy, NULL, &bench);
 *         if (rc == HK_GBENCH_OK) rc = hk_gbench_add_range(bench, 8, 4096);
 *         if (rc == HK_GBENCH_OK) rc = hk_gbench_run(NULL, &totals);
 *         if (rc != HK_GBENCH_OK) fprintf(stderr, "%s\n", hk_gbench_error_text());
 *         hk_gbench_shutdown();
 *         return rc != HK_GBENCH_OK || totals.error_count > 0;
 *     }
 *
 * Errors. Functions return HK_GBENCH_OK or a negative value and write their
 * outputs only on success. Google Benchmark aborts the process on a wrong
 * setting; here a wrong setting is refused before it gets there, the first
 * refusal is kept, and hk_gbench_run() repeats it instead of running.
 *
 * Printing. Results, and the library's own remarks, are printed by Google
 * Benchmark: that is what it is for. It also ends the process by itself for
 * --help and for a flag it cannot parse. Nothing here prints beyond that.
 *
 * Threads. Google Benchmark keeps one registry per process. Everything but the
 * state functions is called from one thread; a state belongs to the thread it
 * was given to.
 */
#ifndef HK_GBENCH_GBENCH_H
#define HK_GBENCH_GBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hk_gbench_result {
    HK_GBENCH_OK = 0,
    HK_GBENCH_EINVAL = -1,   /* invalid argument, or a setting that contradicts an earlier one */
    HK_GBENCH_ENOMEM = -2,   /* out of memory */
    HK_GBENCH_ENOTSUP = -3,  /* built without libbenchmark: hk_gbench_error_text() says so */
    HK_GBENCH_ENOENT = -9,   /* no benchmark matches the filter */
    HK_GBENCH_EEXIST = -10,  /* the name is taken */
    HK_GBENCH_EIO = -11,     /* the output file cannot be written */
    HK_GBENCH_ETOOBIG = -20, /* more than the limits below */
};

#define HK_GBENCH_INSTANCES_MAX 100000 /* instances of one benchmark */
#define HK_GBENCH_THREADS_MAX 1024     /* threads of one instance */
#define HK_GBENCH_STATISTICS_MAX 16    /* distinct statistic functions in a process */

struct hk_gbench;       /* a registered benchmark; lives until hk_gbench_shutdown() */
struct hk_gbench_state; /* one thread of one run of it; lives until the function returns */

/* The benchmark itself: untimed preparation, one timed loop, untimed rest. */
typedef void hk_gbench_fn(struct hk_gbench_state *state, void *arg);

enum hk_gbench_unit { HK_GBENCH_NS, HK_GBENCH_US, HK_GBENCH_MS, HK_GBENCH_S };

/* Which clock counts. Google Benchmark's default is the CPU time of the thread. */
enum hk_gbench_clock {
    HK_GBENCH_CLOCK_CPU,
    HK_GBENCH_CLOCK_REAL,   /* wall-clock time: right for anything that waits */
    HK_GBENCH_CLOCK_MANUAL, /* hk_gbench_state_add_time_s() */
};

/* Asymptotic complexity to fit over the instances of a benchmark. */
enum hk_gbench_complexity {
    HK_GBENCH_O_1,
    HK_GBENCH_O_N,
    HK_GBENCH_O_N_SQUARED,
    HK_GBENCH_O_N_CUBED,
    HK_GBENCH_O_LOG_N,
    HK_GBENCH_O_N_LOG_N,
    HK_GBENCH_O_AUTO, /* the best fitting of the above */
};

/* What the report does to a counter's value, summed over threads before; may be combined. */
enum hk_gbench_counter_flag {
    HK_GBENCH_COUNTER_PLAIN = 0,
    HK_GBENCH_COUNTER_RATE = 1,                /* divided by the seconds of the run */
    HK_GBENCH_COUNTER_AVG_THREADS = 2,         /* divided by the number of threads */
    HK_GBENCH_COUNTER_ITERATION_INVARIANT = 4, /* multiplied by the number of iterations */
    HK_GBENCH_COUNTER_AVG_ITERATIONS = 8,      /* divided by the number of iterations */
    HK_GBENCH_COUNTER_INVERT = 16,             /* inverted, last of all */
};

/* The step from one unit prefix to the next on the console. */
enum hk_gbench_base { HK_GBENCH_BASE_1000 = 1000, HK_GBENCH_BASE_1024 = 1024 };

/* What a custom statistic's result is. */
enum hk_gbench_statistic_unit { HK_GBENCH_STATISTIC_TIME, HK_GBENCH_STATISTIC_RATIO };

struct hk_gbench_range {
    int64_t low;
    int64_t high; /* included */
};

struct hk_gbench_list {
    const int64_t *values;
    size_t count;
};

struct hk_gbench_totals {
    size_t matched_count; /* instances that the filter selected */
    size_t error_count;   /* instances of which a run failed */
    size_t skip_count;    /* instances that skipped themselves, and did not fail */
};

/* ---- Process ---------------------------------------------------------------------------- */

/*
 * Say whether this build has Google Benchmark.
 *
 * Returns false if every other function returns HK_GBENCH_ENOTSUP.
 */
bool hk_gbench_available(void);

/*
 * Take the --benchmark_* flags out of the command line.
 *
 * argc  [in,out] number of arguments, >= 1; what remains on return
 * argv  [in,out] arguments; those not recognised stay, in order, after argv[0]
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL for no arguments at all. Whether an argument that
 * stays is an error is the caller's to say. Google Benchmark itself ends the
 * process for --help (status 0) and for a flag whose value it cannot parse (1).
 */
int hk_gbench_init(int *argc, char **argv);

/*
 * Add a line to the context of every report.
 *
 * key    [in] printable UTF-8, not one of the context's own keys (date, num_cpus, ...)
 * value  [in] printable UTF-8
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL; HK_GBENCH_EEXIST if the key was added before.
 */
int hk_gbench_add_context(const char *key, const char *value);

/*
 * Run the registered benchmarks and report them.
 *
 * filter  [in]  regular expression over the full names; a leading '-' selects what does not
 *               match; NULL for --benchmark_filter's value
 * totals  [out] what happened, for an exit status; may be NULL
 *
 * Every number in a JSON report is finite: a derived value that is not (the
 * coefficient of variation of a counter that stayed 0, a rate over no time) is left out.
 * With --benchmark_list_tests the names are printed and nothing runs.
 *
 * Returns HK_GBENCH_OK, also when benchmarks failed: see totals;
 * HK_GBENCH_ENOENT if nothing matches or the expression is not valid;
 * HK_GBENCH_EIO if the file of --benchmark_out cannot be opened, or a report not be written
 * to its end;
 * the first refusal, if any registration or setting was refused before.
 */
int hk_gbench_run(const char *filter, struct hk_gbench_totals *totals);

/*
 * Forget all benchmarks, context lines and refusals. Every struct hk_gbench is gone after it.
 */
void hk_gbench_shutdown(void);

/*
 * Text of the latest error of any function above or of a setting, "" if none.
 *
 * Valid until the next call of such a function.
 */
const char *hk_gbench_error_text(void);

/* ---- Registration ----------------------------------------------------------------------- */

/*
 * Register a benchmark.
 *
 * name   [in]  printable UTF-8, not empty; a name that starts with DISABLED_ never runs
 * fn     [in]  called once per thread and run, often several times to find the number of
 *              iterations; every call must run its loop to the end, or fail
 * arg    [in]  handed to fn, setup and teardown; the caller's, must outlive the run
 * bench  [out] for the settings below; may be NULL
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL; HK_GBENCH_ENOMEM.
 */
int hk_gbench_register(const char *name, hk_gbench_fn *fn, void *arg, struct hk_gbench **bench);

/*
 * Register Google Benchmark's own C++ loop with an empty body: the yardstick for what an
 * iteration of any other loop costs.
 *
 * name  [in]  as for hk_gbench_register
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL; HK_GBENCH_ENOMEM.
 */
int hk_gbench_register_cpp_loop(const char *name);

/*
 * Call functions around every run, untimed.
 *
 * setup     [in] called once before any thread of a run enters the benchmark; may be NULL.
 *                It may fail or skip the run; it may not run a loop.
 * teardown  [in] called once after all threads of the run have left it, also when it failed;
 *                may be NULL. Its state only answers questions.
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL for no benchmark or if both are NULL.
 */
int hk_gbench_set_setup(struct hk_gbench *bench, hk_gbench_fn *setup, hk_gbench_fn *teardown);

/*
 * Add instances of the benchmark, by their arguments.
 *
 * All instances of one benchmark have the same number of arguments, and as many
 * as it has argument names. A range holds its ends and the powers of the
 * multiplier (8 unless set before the range is added) between them; ranges and
 * product add every combination, the first argument varying fastest.
 *
 * Each returns HK_GBENCH_OK; HK_GBENCH_EINVAL for a number of arguments that differs, an
 * empty list, low > high, a step or multiplier that does not grow;
 * HK_GBENCH_ETOOBIG for more than HK_GBENCH_INSTANCES_MAX instances.
 */
int hk_gbench_add_arg(struct hk_gbench *bench, int64_t value);
int hk_gbench_add_args(struct hk_gbench *bench, const int64_t *values, size_t count);
int hk_gbench_add_range(struct hk_gbench *bench, int64_t low, int64_t high);
int hk_gbench_add_ranges(struct hk_gbench *bench, const struct hk_gbench_range *ranges,
                         size_t count);
int hk_gbench_add_dense_range(struct hk_gbench *bench, int64_t low, int64_t high, int64_t step);
int hk_gbench_add_product(struct hk_gbench *bench, const struct hk_gbench_list *lists,
                          size_t count);
int hk_gbench_set_range_multiplier(struct hk_gbench *bench, int multiplier);

/*
 * Name the arguments, so that instances read "copy/bytes:64" and not "copy/64".
 *
 * names  [in] count printable strings; copied
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL if count is not the number of arguments.
 */
int hk_gbench_set_arg_names(struct hk_gbench *bench, const char *const *names, size_t count);

/*
 * Run every instance with this number of threads; with each power of two of a range and its
 * ends. May be repeated.
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL unless 1 <= low <= high; HK_GBENCH_ETOOBIG above
 * HK_GBENCH_THREADS_MAX.
 */
int hk_gbench_add_threads(struct hk_gbench *bench, int thread_count);
int hk_gbench_add_thread_range(struct hk_gbench *bench, int low, int high);

/*
 * Choose the clock that decides on the number of iterations and on rates.
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL for an unknown clock, or for a second choice of
 * HK_GBENCH_CLOCK_REAL or _MANUAL after the other.
 */
int hk_gbench_set_clock(struct hk_gbench *bench, enum hk_gbench_clock clock);

/*
 * Count the CPU time of the whole process instead of that of the benchmark's threads.
 */
int hk_gbench_set_process_cpu_time(struct hk_gbench *bench);

/*
 * Report in this unit instead of --benchmark_time_unit's.
 */
int hk_gbench_set_unit(struct hk_gbench *bench, enum hk_gbench_unit unit);

/*
 * Repeat every instance; the report then has mean, median, standard deviation and
 * coefficient of variation. Overrides --benchmark_repetitions.
 *
 * Repetitions inside one launch share its luck: they are no replicates for a test
 * between builds.
 */
int hk_gbench_set_repetitions(struct hk_gbench *bench, int repetition_count);

/*
 * Run exactly this many iterations. Excludes a minimum time.
 */
int hk_gbench_set_iterations(struct hk_gbench *bench, int64_t iteration_count);

/*
 * Run for at least this long, after a warm-up of at least that long.
 *
 * min_time_s  [in] > 0, s
 * warm_up_s   [in] >= 0, s
 *
 * They come together, because libbenchmark 1.7.1 ignores a warm-up without a minimum
 * time. Returns HK_GBENCH_OK; HK_GBENCH_EINVAL, also after a number of iterations was set.
 */
int hk_gbench_set_min_time_s(struct hk_gbench *bench, double min_time_s, double warm_up_s);

/*
 * Fit the cost over hk_gbench_state_set_complexity_n(): one of the known laws, or the
 * caller's.
 *
 * law  [in] work for n; finite and > 0 for every n that occurs
 *
 * Every run must then set its n (> 0), or it fails. If a run failed, no complexity is
 * reported.
 */
int hk_gbench_set_complexity(struct hk_gbench *bench, enum hk_gbench_complexity complexity);
int hk_gbench_set_complexity_law(struct hk_gbench *bench, double (*law)(int64_t n));

/*
 * Report another statistic over the repetitions.
 *
 * name      [in] printable, appended to the benchmark's name
 * function  [in] of count >= 1 values, in the order of the repetitions; a result that is not
 *                finite is left out of JSON reports
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL; HK_GBENCH_ETOOBIG for more than
 * HK_GBENCH_STATISTICS_MAX distinct functions in the process.
 */
int hk_gbench_add_statistic(struct hk_gbench *bench, const char *name,
                            double (*function)(const double *values, size_t count),
                            enum hk_gbench_statistic_unit unit);

/* ---- Inside a benchmark ----------------------------------------------------------------- */

/*
 * Start the clock and tell how often to do it.
 *
 * Returns the number of iterations, >= 1; 0 if the run has failed, was skipped, or had its
 * loop already. All threads start together.
 */
int64_t hk_gbench_loop_begin(struct hk_gbench_state *state);

/*
 * Stop the clock. Without effect on a run that failed.
 */
void hk_gbench_loop_end(struct hk_gbench_state *state);

/* For HK_GBENCH_LOOP: the compiler sees that the loop ends here. */
static inline bool hk_gbench_loop_more(struct hk_gbench_state *state, int64_t left)
{
    if (__builtin_expect(left != 0, 1)) {
        return true;
    }
    hk_gbench_loop_end(state);
    return false;
}

/*
 * The timed loop: HK_GBENCH_LOOP(state) { one operation }
 *
 * Counts down a local variable: two instructions per iteration, as the C++
 * range-for. It is a for statement, once per call. Leaving it early (break,
 * return, goto) is for failed and skipped runs only, and there it is a duty: the
 * loop does not look at the state, so that after hk_gbench_state_fail() it would
 * go on to the last iteration. Left early for no reason, the run fails.
 *
 * A body that wants the number of iterations takes the pair instead:
 *     int64_t n = hk_gbench_loop_begin(state);
 *     do_it(n);
 *     hk_gbench_loop_end(state);
 */
#define HK_GBENCH_LOOP(state)                                          \
    for (int64_t hk_gbench_left_ = hk_gbench_loop_begin(state);        \
         hk_gbench_loop_more((state), hk_gbench_left_); hk_gbench_left_--)

/* Have the compiler compute a value (a scalar) although nobody uses it. */
#define HK_GBENCH_KEEP(value) __asm__ volatile("" : : "r,m"(value) : "memory")

/* Have the compiler write to memory what it wants to write, and read it again. */
#define HK_GBENCH_CLOBBER() __asm__ volatile("" : : : "memory")

/*
 * Keep a part of an iteration out of the time.
 *
 * Each pair costs about 0.4 us (a Linux pipe round trip!), and part of that is counted:
 * not for short operations. Out of order, the run fails.
 */
void hk_gbench_state_pause(struct hk_gbench_state *state);
void hk_gbench_state_resume(struct hk_gbench_state *state);

/*
 * With HK_GBENCH_CLOCK_MANUAL: add the time of this iteration.
 *
 * seconds  [in] finite, >= 0; otherwise the run fails
 */
void hk_gbench_state_add_time_s(struct hk_gbench_state *state, double seconds);

/*
 * Fail, or skip, this run. Before the loop, or in it followed by a break, or after it.
 *
 * reason  [in] for people; bytes that a JSON file cannot hold are replaced by '?'
 *
 * A failed run counts for totals.error_count; a skipped one is what does not apply or is
 * not available here. libbenchmark 1.7.1 knows errors only: a skip is reported as an error
 * with "skipped: " before the reason. Of a thread's reasons the first counts, of several
 * threads' reasons one is reported. Later repetitions of the instance are not run any
 * more: they repeat the reason, and no statistics over repetitions are reported.
 */
void hk_gbench_state_fail(struct hk_gbench_state *state, const char *reason);
void hk_gbench_state_skip(struct hk_gbench_state *state, const char *reason);

/* Whether this thread's run has failed or was skipped. */
bool hk_gbench_state_failed(const struct hk_gbench_state *state);

/*
 * The instance's argument; the run fails, and 0 is returned, if there is no such argument.
 */
int64_t hk_gbench_state_arg(struct hk_gbench_state *state, size_t index);

/* Number of arguments of the instance. */
size_t hk_gbench_state_arg_count(const struct hk_gbench_state *state);

/* Iterations this thread has done; known after the loop, 0 before it. */
int64_t hk_gbench_state_iterations(const struct hk_gbench_state *state);

/* This thread, 0 <= index < thread count, and the number of threads of the run. */
int hk_gbench_state_thread_index(const struct hk_gbench_state *state);
int hk_gbench_state_thread_count(const struct hk_gbench_state *state);

/*
 * Report a counter; after the loop, for it costs about 10 ns.
 *
 * name   [in] printable UTF-8; not a key that a report's row has already (name, real_time,
 *             iterations, label, ...), which it would override for every reader
 * value  [in] finite
 * flags  [in] hk_gbench_counter_flag, combined
 * base   [in] for the console only
 *
 * Returns HK_GBENCH_OK; HK_GBENCH_EINVAL, also for flags that differ from those this
 * benchmark gave the same name before (libbenchmark would abort).
 */
int hk_gbench_state_set_counter(struct hk_gbench_state *state, const char *name, double value,
                                unsigned flags, enum hk_gbench_base base);

/*
 * Report bytes or items per second.
 *
 * total  [in] bytes or items of all this thread's iterations, >= 0
 */
int hk_gbench_state_set_bytes(struct hk_gbench_state *state, int64_t total);
int hk_gbench_state_set_items(struct hk_gbench_state *state, int64_t total);

/* The n of the complexity fit, > 0; summed over threads. */
int hk_gbench_state_set_complexity_n(struct hk_gbench_state *state, int64_t n);

/* A text at the end of the report's row; printable UTF-8, of the last thread that sets one. */
int hk_gbench_state_set_label(struct hk_gbench_state *state, const char *text);

#ifdef __cplusplus
}
#endif

#endif
