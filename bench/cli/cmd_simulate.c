/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "commands.h"
#include "hk/base/units.h"
#include "hk/counters/clock.h"
#include "simulate_model.h"
#include "simulate_work.h"

#define NS_PER_HOUR (3600.0 * HK_NS_PER_S)

static const struct hk_option options[] = {
#define AT(f) offsetof(struct hk_simulate_options, f)
    {"reading", 0, HK_OPTION_TEXT, "CLOCK", "device, absolute or queue (device)",
     AT(reading), 0, 0},
    {"headroom-ns", 0, HK_OPTION_TEXT, "NS", "how late a wake-up may be", AT(headroom_ns), 0, 0},
    {"probability", 0, HK_OPTION_TEXT, "P", "or: find the head-room for this one per period",
     AT(probability), 0, 0},
    {"law", 0, HK_OPTION_TEXT, "LAW", "exponential, hyperexponential, lomax, weibull; of RUN: tail",
     AT(law), 0, 0},
    {"scale-ns", 0, HK_OPTION_TEXT, "NS", "the law's scale; the exponential's mean", AT(scale_ns),
     0, 0},
    {"shape", 0, HK_OPTION_TEXT, "X", "lomax: 1 / xi; weibull: k; hyperexponential: rare share",
     AT(shape), 0, 0},
    {"rare-scale-ns", 0, HK_OPTION_TEXT, "NS", "hyperexponential: mean of the rare delays",
     AT(rare_scale_ns), 0, 0},
    {"stages", 0, HK_OPTION_UINT, "N", "a delay is the sum of so many draws (1)", AT(stages), 1,
     HK_RARE_STAGES_MAX},
    {"samples", 0, HK_OPTION_UINT, "N", "draws the parameters were estimated from (0: exact)",
     AT(samples), 0, UINT64_MAX},
    {"period-ns", 0, HK_OPTION_TEXT, "NS", "between wake-ups: for the queue, and for rates",
     AT(period_ns), 0, 0},
    {"poisson", 0, HK_OPTION_FLAG, NULL, "queue: arrivals at random instead of each period",
     AT(poisson), 0, 0},
    {"ring-ns", 0, HK_OPTION_TEXT, "NS", "queue: backlog beyond it is dropped", AT(ring_ns), 0, 0},
    {"cell", 0, HK_OPTION_TEXT, "CELL", "of the run: whose lateness to fit", AT(cell), 0, 0},
    {"method", 0, HK_OPTION_TEXT, "NAME", "instead of the best one; 'list' names them", AT(method),
     0, 0},
    {"error-percent", 0, HK_OPTION_TEXT, "X", "Monte Carlo error to reach, at 95 % (1)",
     AT(error_percent), 0, 0},
    {"seed", 0, HK_OPTION_UINT, "N", "of the random numbers (1)", AT(seed), 0, UINT64_MAX},
    {"threads", 0, HK_OPTION_UINT, "N", "to share the work; the result is the same (all CPUs)",
     AT(threads), 1, HK_THREADS_MAX},
    {"json", 0, HK_OPTION_FLAG, NULL, "print the outcome as JSON", AT(json), 0, 0},
#undef AT
};
static const struct hk_simulate_options defaults = {
    .reading = "device", .stages = 1, .seed = 1};

static volatile sig_atomic_t stopped;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* All that is known in the end; NAN where something is not. */
struct answer {
    double headroom_ns; /* with the constant part */
    double probability; /* the best claim; NAN if none is defensible */
    struct hk_interval statistical;
    double statistical_decades;
    bool has_statistical;
    bool simulated;
    struct hk_simulated simulation;
    double seconds;
    const char *method;
    bool has_exact;
    double exact;
    const char *formula;
};

/* Why there is no point claim; NULL when there is one. */
static const char *refusal(const struct answer *a)
{
    if (a->has_statistical && !(a->statistical_decades <= 1))
        return "what the sample leaves open spans more than a decade";
    if (a->simulated && !a->simulation.estimate.reliable)
        return "a few draws carry the simulation's variance, so its error means little";
    return NULL;
}

/* --- computing ------------------------------------------------------------------------------- */

static enum hk_exit failed(enum hk_status status, const char *doing)
{
    hk_cli_error("simulate", "%s: %s", doing, hk_status_text(status));
    return status == HK_EINTR || status == HK_ENOISE || status == HK_ENOMEM ? HK_EXIT_UNMEASURED
                                                                            : HK_EXIT_USAGE;
}

static enum hk_exit answer_from_tail(struct hk_simulate_model *m, struct answer *a)
{
    struct hk_tail_probability p;
    double x_ns = m->problem.headroom_ns;
    enum hk_status status = HK_OK;

    if (m->has_target)
        status = m->has_mixture
                     ? hk_tail_mixture_quantile(&m->tail, &m->mixture, m->probability, &x_ns)
                     : hk_tail_quantile(&m->tail, m->probability, 0.95, &x_ns, NULL);
    if (status == HK_OK)
        status = m->has_mixture
                     ? hk_tail_mixture_probability(&m->tail, &m->mixture, x_ns, 0.95, &p)
                     : hk_tail_probability(&m->tail, x_ns, 0.95, &p);
    if (status == HK_ERANGE) {
        hk_cli_error("simulate",
                     "the fitted tail has no mean (xi %.2f): nothing beyond the largest value seen "
                     "is defensible; measure longer", m->tail.gpd.xi);
        return HK_EXIT_UNDECIDED;
    }
    if (status != HK_OK)
        return failed(status, "the tail says nothing there");
    a->headroom_ns = x_ns + m->constant_ns;
    a->probability = p.probability;
    a->statistical = p.interval;
    a->statistical_decades = p.interval_decades;
    a->has_statistical = true;
    a->method = "none needed";
    a->formula = m->has_mixture ? "measured body, a mixture of two exponentials beyond it"
                                : "measured body, generalised Pareto tail";
    return HK_EXIT_OK;
}

static enum hk_status add_statistical(const struct hk_simulate_model *m, uint64_t seed,
                                      struct answer *a)
{
    double error = 0;

    if (!(m->sample_count > 0))
        return HK_OK;
    const enum hk_status status =
        hk_rare_input_error(&m->problem, m->sample_count, seed, &error);
    if (status != HK_OK)
        return status;
    const double half = HK_Z_95 * error;
    a->statistical = (struct hk_interval){a->probability * exp(-half),
                                          fmin(1, a->probability * exp(half)), 0.95};
    a->statistical_decades = 2 * half / M_LN10;
    a->has_statistical = true;
    return HK_OK;
}

static size_t online_cpus(void)
{
    const long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > HK_THREADS_MAX ? HK_THREADS_MAX : (size_t)count;
}

static enum hk_exit answer_by_simulation(const struct hk_simulate_options *o,
                                         struct hk_simulate_model *m,
                                         const struct hk_ranks *ranks, struct answer *a)
{
    struct hk_rare_plan plan;
    const struct hk_rare_method *method = NULL;
    const uint64_t start_ns = hk_monotonic_ns();
    enum hk_status status = HK_OK;

    if (o->method != NULL && (method = hk_rare_method_find(o->method)) == NULL) {
        hk_cli_error("simulate", "unknown method '%s'; --method list names them", o->method);
        return HK_EXIT_USAGE;
    }
    if (m->has_target) {
        m->problem.headroom_ns = 1; /* to be found; the rest must be in order */
        status = hk_rare_problem_check(&m->problem);
        if (status == HK_OK)
            status = hk_rare_headroom_needed(&m->problem, m->probability, o->seed,
                                             &m->problem.headroom_ns);
    }
    if (status == HK_OK)
        status = hk_rare_plan_init(&m->problem, method, o->seed, &plan);
    if (status == HK_ERANGE)
        return failed(status, "the queue is never empty (utilisation 1 or more), or no simulation "
                              "reaches that far");
    if (status != HK_OK)
        return failed(status, "this method cannot do this problem");
    const struct hk_simulation simulation = {
        .plan = &plan,
        .ranks = ranks,
        .seed = o->seed,
        .thread_count = o->threads > 0 ? o->threads : online_cpus(),
        .error_ratio = m->error_ratio,
        .stop = &stopped,
    };
    status = hk_simulate(&simulation, &a->simulation);
    if (status != HK_OK)
        return failed(status, "no draw reached the head-room");
    a->seconds = (double)(hk_monotonic_ns() - start_ns) / HK_NS_PER_S;
    a->simulated = true;
    a->headroom_ns = m->problem.headroom_ns + m->constant_ns;
    a->probability = a->simulation.estimate.probability;
    a->method = hk_rare_method_name(plan.method);
    a->has_exact = hk_rare_exact(&m->problem, &a->exact, &a->formula) == HK_OK;
    status = add_statistical(m, o->seed, a);
    return status == HK_OK ? HK_EXIT_OK : failed(status, "no statistical error");
}

/* --- printing -------------------------------------------------------------------------------- */

static void print_law(const struct hk_simulate_model *m)
{
    const struct hk_delay_law *l = &m->problem.law;

    if (m->has_tail) {
        const struct hk_tail *t = &m->tail;
        printf("law          lateness of %s beyond its minimum, %zu values\n", m->source, t->count);
        printf("  beyond %.0f ns            %zu values, extremal index %.2f; ", t->threshold_ns,
               t->exceed_count, t->extremal_index);
        if (m->has_mixture)
            printf("means %.0f ns and, a share of %.3g, %.0f ns\n", m->mixture.law.scale_ns,
                   m->mixture.law.shape, m->mixture.law.rare_scale_ns);
        else
            printf("generalised Pareto, xi %.3f, sigma %.0f ns\n", t->gpd.xi, t->gpd.sigma_ns);
        return;
    }
    printf("law          ");
    if (m->problem.stage_count > 1)
        printf("sum of %u draws, each ", m->problem.stage_count);
    printf("%s, scale %.6g ns", hk_delay_kind_name(l->kind), l->scale_ns);
    if (l->kind != HK_DELAY_EXPONENTIAL)
        printf(", shape %.6g", l->shape);
    if (l->kind == HK_DELAY_HYPEREXPONENTIAL)
        printf(", rare scale %.6g ns", l->rare_scale_ns);
    if (m->source[0] != '\0')
        printf("; fitted to %s beyond its minimum of %.0f ns", m->source, m->constant_ns);
    puts("");
}

static void print_simulation(const struct answer *a)
{
    const struct hk_simulated *s = &a->simulation;
    const struct hk_rare_estimate *e = &s->estimate;

    printf("method       %s: %.4g draws, %.3g s%s\n", a->method, e->draw_count, a->seconds,
           s->interrupted ? "; interrupted, this is what it had" : "");
    printf("estimate     %.4g per period (log10 %.4f)\n", e->probability, e->log10_probability);
    printf("  Monte Carlo error, 95 %%   [%.4g, %.4g], standard error %.2g %%\n",
           e->interval.lower, e->interval.upper, 100 * e->relative_error);
    printf("  relative variance         %.3g a draw; counting has %.3g\n", e->relative_variance,
           1 / e->probability);
    printf("  counting would take       %.2g periods for the same error\n", e->naive_count);
    if (a->has_exact)
        printf("exact        %.6g, %s; the simulation is off by %+.2f %%\n", a->exact, a->formula,
               100 * (e->probability / a->exact - 1));
    else
        puts("exact        no closed form");
}

static void print_answer(const struct hk_simulate_model *m, const struct answer *a)
{
    printf("question     P(deficit > head-room) per period, reading: %s\n",
           hk_underrun_law_name(m->problem.reading));
    print_law(m);
    printf("head-room    %.6g ns\n", a->headroom_ns);
    if (a->simulated)
        print_simulation(a);
    else
        printf("formula      %s: no simulation needed\n", a->formula);
    if (!a->has_statistical)
        puts("  statistical error         none: the parameters were given as exact (--samples)");
    else
        printf("  statistical error, 95 %%   [%.3g, %.3g], %.2f decades, from %.0f values\n",
               a->statistical.lower, a->statistical.upper, a->statistical_decades,
               m->sample_count);
    if (refusal(a) != NULL)
        printf("claim        none: %s\n", refusal(a));
    else
        printf("claim        %.3g per period\n", a->probability);
    if (m->problem.period_ns > 0 && refusal(a) == NULL) {
        const double count = NS_PER_HOUR / m->problem.period_ns * a->probability;
        printf("per hour     %.3g underruns", count);
        if (m->has_tail)
            printf(", in %.3g clusters", count * m->tail.extremal_index);
        puts("");
    }
}

static void print_json(const struct hk_simulate_model *m, const struct answer *a)
{
    const struct hk_rare_estimate *e = &a->simulation.estimate;
    json_t *root = json_pack("{s:s, s:f, s:s, s:s}", "reading",
                             hk_underrun_law_name(m->problem.reading), "headroom_ns",
                             a->headroom_ns, "method", a->method, "source", m->source);

    json_object_set_new(root, "probability",
                        refusal(a) != NULL ? json_null() : json_real(a->probability));
    json_object_set_new(root, "formula", a->formula != NULL ? json_string(a->formula)
                                                            : json_null());
    if (a->has_exact)
        json_object_set_new(root, "exact", json_real(a->exact));
    if (a->has_statistical)
        json_object_set_new(root, "statistical",
                            json_pack("{s:f, s:f, s:f, s:f}", "lower", a->statistical.lower,
                                      "upper", a->statistical.upper, "decades",
                                      fmin(a->statistical_decades, 1e6), "sample_count",
                                      m->sample_count));
    if (a->simulated)
        json_object_set_new(
            root, "monte_carlo",
            json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:b, s:b, s:b}", "estimate",
                      e->probability, "lower", e->interval.lower, "upper", e->interval.upper,
                      "relative_error", e->relative_error, "relative_variance",
                      e->relative_variance, "draw_count", e->draw_count, "naive_count",
                      fmin(e->naive_count, 1e308), "batch_count",
                      (json_int_t)a->simulation.batch_count, "reliable", (int)e->reliable,
                      "reached", (int)a->simulation.reached, "partial",
                      (int)a->simulation.interrupted));
    if (root != NULL && json_dumpf(root, stdout, JSON_INDENT(2)) == 0)
        puts("");
    json_decref(root);
}

static enum hk_exit exit_code(const struct answer *a)
{
    if (a->simulated && a->simulation.interrupted)
        return HK_EXIT_UNMEASURED;
    if (refusal(a) != NULL || (a->simulated && !a->simulation.reached))
        return HK_EXIT_UNDECIDED;
    return HK_EXIT_OK;
}

/* --- the command ----------------------------------------------------------------------------- */

/* One of several processes of a launcher, in a program without MPI: become the one with it. */
static enum hk_exit become_mpi(void)
{
    enum { ARGUMENTS_MAX = 128, BYTES_MAX = 65536 };
    static char bytes[BYTES_MAX];
    static char *argv[ARGUMENTS_MAX + 1];
    char path[4096];
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    size_t argc = 0;

    if (fd >= 0)
        close(fd);
    for (char *at = bytes; n > 0 && at < bytes + n && argc < ARGUMENTS_MAX; at += strlen(at) + 1)
        argv[argc++] = at;
    if (argc > 1 && length > 0) {
        path[length] = '\0';
        char *slash = strrchr(path, '/');
        snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "hkbench-mpi");
        execv(path, argv);
    }
    hk_cli_error("simulate", "one of several MPI processes, but %s is missing; install "
                 "libopenmpi-dev and openmpi-bin, then build again", path);
    return HK_EXIT_USAGE;
}

static bool is_launched(void)
{
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");

    if (size == NULL)
        size = getenv("PMI_SIZE");
    return size != NULL && strtol(size, NULL, 10) > 1;
}

static enum hk_exit list_methods(void)
{
    for (size_t i = 0; i < hk_rare_method_count; i++)
        printf("%s%s\n", hk_rare_method_name(hk_rare_methods[i]),
               hk_rare_method_is_sound(hk_rare_methods[i])
                   ? ""
                   : " (wrong, with an error bar that denies it: for teaching)");
    return HK_EXIT_OK;
}

static enum hk_exit answer(const struct hk_simulate_options *o, const char *run_path,
                           const struct hk_ranks *ranks)
{
    struct hk_simulate_model m;
    struct answer a = {0};

    const enum hk_status status = hk_simulate_model_init(o, run_path, &m);
    if (status != HK_OK)
        return status == HK_ENOISE ? HK_EXIT_UNMEASURED : HK_EXIT_USAGE;
    enum hk_exit code =
        m.has_tail ? answer_from_tail(&m, &a) : answer_by_simulation(o, &m, ranks, &a);
    if (code == HK_EXIT_OK) {
        (o->json ? print_json : print_answer)(&m, &a);
        code = exit_code(&a);
    }
    hk_simulate_model_fini(&m);
    return code;
}

static enum hk_exit run_simulate(const void *values, int argc, char **argv)
{
    const struct hk_simulate_options *o = values;
    /* The first Ctrl-C ends after the batches that are running, the second one at once. */
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct hk_ranks ranks;

    if (!hk_ranks_with_mpi && is_launched())
        return become_mpi();
    if (o->method != NULL && strcmp(o->method, "list") == 0)
        return list_methods();
    if (hk_ranks_init(&ranks) != HK_OK) {
        hk_cli_error("simulate", "the MPI library does not start");
        return HK_EXIT_UNMEASURED;
    }
    /* All ranks do the same; the first one speaks. */
    if (ranks.rank != 0 &&
        (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL))
        return HK_EXIT_UNMEASURED;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    const enum hk_exit code = answer(o, argc > 0 ? argv[0] : NULL, &ranks);
    fflush(stdout);
    hk_ranks_fini();
    return code;
}

const struct hk_command hk_cmd_simulate = {
    .name = "simulate",
    .arguments = "[RUN]",
    .summary = "underrun probabilities too small to count, by simulation",
    .details =
        "Says how likely a wake-up is to be later than its head-room, down to 1e-12 and beyond,\n"
        "with two errors kept apart: of the simulation, and of the sample that the law comes\n"
        "from. The law's parameters are given, or fitted to the lateness of a cell of RUN (a run\n"
        "folder). Under mpirun the processes share the work. The same seed gives the same bits,\n"
        "however the work is shared. Exit status 4: more than a decade is open.",
    .options = options,
    .option_count = HK_ARRAY_COUNT(options),
    .defaults = &defaults,
    .options_bytes = sizeof(struct hk_simulate_options),
    .positional_max = 1,
    .run = run_simulate,
};
