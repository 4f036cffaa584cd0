/* SPDX-License-Identifier: MIT */
/*
 * An open queue: requests are sent when they are due, whether or not the server is free, and wait
 * for each other. Arrivals and the work of each request are drawn before anything is measured. The
 * generator and the server are on CPUs of their own: on one CPU the server's work would delay the
 * arrivals, and the queue would not be seen.
 *
 * The number of requests is fixed and their times are uniform: a Poisson process, given its count.
 * Works are drawn one from each of as many equal parts of their law, in random order: every launch
 * has the law's mean and variance, and differs from others by order alone.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/stats/quantile.h"
#include "hk/stats/rng.h"
#include "hk/stats/summary.h"
#include "timed.h"

enum { REQUESTS_MIN = 64, REQUESTS_MAX = 1000000, SERVICE_US_MAX = 10000, RHO_PERCENT_MAX = 95 };

/* A launch takes half as long as one of requests at a rate, and has many more of them. */
enum { SESSION_SHARE = 2 };

/*
 * Slept until so long before a request is due, and spun from there: where idle CPUs halt, timers
 * wake 100 us late and more. At the highest rate of a cell that is 70 % of the time: the system
 * takes the CPU from SCHED_FIFO at 95 %.
 */
static const uint64_t spin_ns = 300 * HK_NS_PER_US;

/* Until both sides wait for the first request. */
static const uint64_t settle_ns = 5 * HK_NS_PER_MS;

/* --- laws of service ------------------------------------------------------------------- */

static void draw_deterministic(struct hk_rng *rng, double mean_ns, double *work_ns, size_t n)
{
    (void)rng;
    for (size_t i = 0; i < n; i++)
        work_ns[i] = mean_ns;
}

/* One from each of n equally likely parts of an exponential law. */
static void draw_exponential(struct hk_rng *rng, double mean_ns, double *work_ns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        work_ns[i] = -mean_ns * log1p(-((double)i + hk_rng_uniform(rng)) / (double)n);
}

/*
 * Two exponential laws, of which each has half of the work in the mean ("balanced means"), with a
 * squared coefficient of variation of 4.
 */
static void draw_hyper2(struct hk_rng *rng, double mean_ns, double *work_ns, size_t n)
{
    static const double cv2 = 4;
    const double often = 0.5 * (1 + sqrt((cv2 - 1) / (cv2 + 1)));
    const size_t many = (size_t)(often * (double)n + hk_rng_uniform(rng));

    draw_exponential(rng, mean_ns / (2 * often), work_ns, many);
    draw_exponential(rng, mean_ns / (2 * (1 - often)), work_ns + many, n - many);
}

static const struct law {
    const char *name;
    void (*draw)(struct hk_rng *rng, double mean_ns, double *work_ns, size_t n);
} laws[] = {
    {"deterministic", draw_deterministic},
    {"exponential", draw_exponential},
    {"hyper2", draw_hyper2},
};

/* --- cells ------------------------------------------------------------------------------- */

static const int rhos_percent[] = {30, 40, 50, 60, 70, 80};

/* Not in the quick run: a mean wait takes many requests, and there are many cells. */
static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    if (mode != HK_RUN_FULL)
        return HK_OK;
    for (size_t l = 0; l < HK_ARRAY_COUNT(laws); l++)
        for (size_t r = 0; r < HK_ARRAY_COUNT(rhos_percent) && status == HK_OK; r++)
            status = add(context,
                         "native/queue/pipe/place:cross_core/policy:fifo/law:%s/rho_percent:%d/"
                         "service_us:200",
                         laws[l].name, rhos_percent[r]);
    /* Where SCHED_FIFO is not ours, these are all. */
    for (size_t r = 0; r < HK_ARRAY_COUNT(rhos_percent) && status == HK_OK; r++)
        status = add(context,
                     "native/queue/pipe/place:cross_core/policy:other/law:exponential/"
                     "rho_percent:%d/service_us:200",
                     rhos_percent[r]);
    return status;
}

/* --- what all processes share ---------------------------------------------------------------- */

/* Each side writes into memory of its own. */
struct sending {
    uint64_t due_ns; /* after the start */
    uint64_t sent_ns;
};

struct serving {
    uint64_t work_ns; /* as drawn */
    uint64_t begun_ns;
    uint64_t ended_ns;
};

struct queue {
    struct hk_link link;
    bool linked;
    bool fifo;
    size_t count;
    struct sending *sent;
    struct serving *served;
};

static void *map_shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* Draw when each request comes and how much work it is. */
static enum hk_status draw_plan(struct queue *q, const struct law *law, double service_ns,
                                double duration_ns, uint64_t seed)
{
    double *x = malloc(q->count * sizeof *x);
    struct hk_rng *rng = NULL;
    enum hk_status status = x == NULL ? HK_ENOMEM : hk_rng_create(seed, 0, &rng);

    if (status == HK_OK) {
        for (size_t i = 0; i < q->count; i++)
            x[i] = hk_rng_uniform(rng) * duration_ns;
        status = hk_sample_sort(x, q->count);
    }
    if (status == HK_OK) {
        for (size_t i = 0; i < q->count; i++)
            q->sent[i].due_ns = (uint64_t)x[i];
        law->draw(rng, service_ns, x, q->count);
        hk_rng_shuffle(rng, x, q->count);
        for (size_t i = 0; i < q->count; i++)
            q->served[i].work_ns = (uint64_t)llround(x[i]);
    }
    hk_rng_destroy(rng);
    free(x);
    return status;
}

static const struct law *find_law(const struct hk_task *task)
{
    char name[24];

    if (hk_name_text(task->name, "law", name, sizeof name) != HK_OK)
        return NULL;
    for (size_t l = 0; l < HK_ARRAY_COUNT(laws); l++)
        if (strcmp(laws[l].name, name) == 0)
            return &laws[l];
    return NULL;
}

static enum hk_status read_policy(struct hk_task *task, struct queue *q)
{
    char policy[16];

    if (hk_name_text(task->name, "policy", policy, sizeof policy) == HK_OK) {
        q->fifo = strcmp(policy, "fifo") == 0;
        if (q->fifo || strcmp(policy, "other") == 0)
            return HK_OK;
    }
    return hk_task_refuse(task, HK_EINVAL, "policies are other and fifo");
}

static enum hk_status open_link(struct hk_task *task, struct queue *q)
{
    static const struct hk_transport_options options = {.message_bytes = sizeof(uint64_t)};
    const struct hk_transport *transport;
    char name[48];

    if (hk_name_part(task->name, 2, name, sizeof name) != HK_OK ||
        hk_transport_find(name, &transport) != HK_OK)
        return hk_task_refuse(task, HK_ENOENT,
                              "no transport of that name; hkbench list transports shows them");
    if ((transport->flags &
         (HK_TRANSPORT_LOCAL | HK_TRANSPORT_CALL_ONLY | HK_TRANSPORT_THREADS)) != 0)
        return hk_task_refuse(task, HK_EINVAL, "%s does not send one way to a process", name);
    enum hk_status status = hk_transport_probe(transport, task->reason);
    if (status == HK_OK)
        status = hk_link_open(transport, &options, &q->link);
    q->linked = status == HK_OK;
    return status;
}

static enum hk_status open_task(struct hk_task *task)
{
    const struct law *law = find_law(task);
    const int64_t rho_percent = hk_task_int(task, "rho_percent", 0);
    const int64_t service_us = hk_task_int(task, "service_us", 0);
    struct queue *q = calloc(1, sizeof *q);

    if (q == NULL)
        return HK_ENOMEM;
    task->state = q;
    if (law == NULL || rho_percent < 1 || rho_percent > RHO_PERCENT_MAX || service_us < 1 ||
        service_us > SERVICE_US_MAX)
        return hk_task_refuse(task, HK_EINVAL, "a law (deterministic, exponential, hyper2), "
                              "rho_percent:1 to %d and service_us:1 to %d are needed",
                              RHO_PERCENT_MAX, SERVICE_US_MAX);
    enum hk_status status = read_policy(task, q);
    if (status == HK_OK)
        status = hk_task_place(task);
    if (status == HK_OK && task->cpus[0] == task->cpus[1])
        status = hk_task_refuse(task, HK_EINVAL, "the generator would take the server's CPU: "
                                "place:cross_core");
    if (status == HK_OK)
        status = open_link(task, q);
    if (status != HK_OK)
        return status;
    const double service_ns = (double)service_us * HK_NS_PER_US;
    const double gap_ns = 100 * service_ns / (double)rho_percent;
    const double wanted = (double)(task->effort.sporadic_ns / SESSION_SHARE) / gap_ns;
    q->count = (size_t)fmin(fmax(wanted, REQUESTS_MIN), REQUESTS_MAX);
    q->sent = map_shared(q->count * sizeof *q->sent);
    q->served = map_shared(q->count * sizeof *q->served);
    if (q->sent == NULL || q->served == NULL)
        return HK_ENOMEM;
    task->server_count = 1;
    return draw_plan(q, law, service_ns, gap_ns * (double)q->count, task->seed);
}

static void close_task(struct hk_task *task)
{
    struct queue *q = task->state;

    if (q == NULL)
        return;
    if (q->sent != NULL)
        munmap(q->sent, q->count * sizeof *q->sent);
    if (q->served != NULL)
        munmap(q->served, q->count * sizeof *q->served);
    if (q->linked)
        hk_link_close(&q->link);
    free(q);
    task->state = NULL;
}

/* --- the server ------------------------------------------------------------------------------ */

static uint64_t thread_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * HK_NS_PER_S + (uint64_t)t.tv_nsec;
}

/* By CPU time: who is interrupted has it all still to do, as with real work. */
static void work_for(uint64_t ns)
{
    const uint64_t end_ns = thread_cpu_ns() + ns;

    while (thread_cpu_ns() < end_ns)
        ;
}

/* A page's first touch may take longer than a request. */
static void touch(struct queue *q)
{
    for (size_t i = 0; i < q->count; i++) {
        q->served[i].begun_ns = 0;
        q->served[i].ended_ns = 0;
    }
}

static enum hk_status serve_all(struct queue *q)
{
    uint64_t number = 0;
    size_t bytes;

    for (size_t i = 0; i < q->count; i++) {
        struct serving *s = &q->served[i];
        const enum hk_status status =
            hk_link_receive(&q->link, HK_SERVER, &number, sizeof number, &bytes);
        s->begun_ns = hk_monotonic_ns();
        if (status != HK_OK)
            return status;
        if (number != i)
            return HK_EROW; /* not first come, first served */
        work_for(s->work_ns);
        s->ended_ns = hk_monotonic_ns();
    }
    return hk_link_send(&q->link, HK_SERVER, &number, sizeof number);
}

static enum hk_status serve(struct hk_task *task, size_t server)
{
    struct queue *q = task->state;
    uint64_t farewell;
    size_t bytes;

    (void)server;
    touch(q);
    enum hk_status status = hk_link_attach(&q->link, HK_SERVER);
    if (status == HK_OK && q->fifo)
        status = hk_task_fifo(task);
    if (status == HK_OK)
        status = serve_all(q);
    if (status == HK_OK)
        status = hk_link_receive(&q->link, HK_SERVER, &farewell, sizeof farewell, &bytes);
    return status;
}

/* --- the generator ---------------------------------------------------------------------------- */

static enum hk_status enter(struct hk_task *task)
{
    struct queue *q = task->state;
    const enum hk_status status = hk_link_attach(&q->link, HK_CLIENT);

    return status == HK_OK && q->fifo ? hk_task_fifo(task) : status;
}

static enum hk_status leave(struct hk_task *task)
{
    struct queue *q = task->state;

    return hk_link_finish(&q->link);
}

/* Late ones count from when they are sent: what the generator does late is not the server's. */
static enum hk_status send_all(struct queue *q)
{
    const uint64_t start_ns = hk_monotonic_ns() + settle_ns;
    enum hk_status status = HK_OK;
    uint64_t answer;
    size_t bytes;

    for (uint64_t i = 0; i < q->count; i++)
        q->sent[i].due_ns += start_ns;
    for (uint64_t i = 0; i < q->count && status == HK_OK; i++) {
        struct sending *s = &q->sent[i];
        if (s->due_ns > hk_monotonic_ns() + spin_ns)
            hk_sleep_until(s->due_ns - spin_ns);
        do
            s->sent_ns = hk_monotonic_ns();
        while (s->sent_ns < s->due_ns);
        status = hk_link_send(&q->link, HK_CLIENT, &i, sizeof i);
    }
    return status == HK_OK
               ? hk_link_receive(&q->link, HK_CLIENT, &answer, sizeof answer, &bytes)
               : status;
}

/* --- what came of it ------------------------------------------------------------------------- */

/* Of all requests, gathered by kind. */
struct samples {
    double *gap_ns;      /* between sendings; the first is 0 */
    double *work_ns;     /* drawn */
    double *service_ns;  /* taken */
    double *wait_ns;
    double *dispatch_ns; /* waits of those that met an idle server */
    double *handover_ns; /* from one request's end to the next one's begin, where that waited */
    double late_ns;      /* mean of the generator */
    size_t dispatch_count;
    size_t handover_count;
};

static double difference_ns(uint64_t later, uint64_t sooner)
{
    return (double)(int64_t)(later - sooner);
}

static void sort_out(const struct queue *q, struct samples *s)
{
    for (size_t i = 0; i < q->count; i++) {
        const struct sending *a = &q->sent[i];
        const struct serving *b = &q->served[i];
        s->gap_ns[i] = i > 0 ? difference_ns(a->sent_ns, a[-1].sent_ns) : 0;
        s->work_ns[i] = (double)b->work_ns;
        s->service_ns[i] = difference_ns(b->ended_ns, b->begun_ns);
        s->wait_ns[i] = difference_ns(b->begun_ns, a->sent_ns);
        s->late_ns += difference_ns(a->sent_ns, a->due_ns) / (double)q->count;
        if (i == 0 || a->sent_ns >= b[-1].ended_ns)
            s->dispatch_ns[s->dispatch_count++] = s->wait_ns[i];
        else
            s->handover_ns[s->handover_count++] = difference_ns(b->begun_ns, b[-1].ended_ns);
    }
}

/* Mean and squared coefficient of variation, as two counters; cv2_name may be NULL. */
static enum hk_status add_moments(struct hk_launch *launch, const char *name, const char *cv2_name,
                                  const double *x, size_t n, double more)
{
    struct hk_estimate mean;

    if (hk_mean_estimate(x, n, &mean) != HK_OK)
        return HK_OK; /* too few of them for either */
    const double sd = mean.standard_error * sqrt((double)n) / (mean.value + more);
    enum hk_status status = hk_launch_add_counter(launch, name, mean.value + more);
    if (status == HK_OK && cv2_name != NULL)
        status = hk_launch_add_counter(launch, cv2_name, sd * sd);
    return status;
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n > 0 ? sum / (double)n : 0;
}

static enum hk_status report(const struct samples *s, size_t n, struct hk_launch *launch)
{
    /* Taking the next one keeps the server as the service does. */
    const double handover_ns = mean_of(s->handover_ns, s->handover_count);
    const double span_ns = mean_of(s->gap_ns, n) * (double)n;
    const double busy_ns = (mean_of(s->service_ns, n) + handover_ns) * (double)n;
    const struct hk_counter counters[] = {
        {"arrivals_per_s", HK_NS_PER_S * (double)(n - 1) / span_ns},
        {"utilisation_ratio", busy_ns / span_ns},
        {"hk_handover_ns", handover_ns},
        {"hk_late_ns", s->late_ns},
        {"hk_requests", (double)n},
        {"hk_requests_dispatched", (double)s->dispatch_count},
    };
    enum hk_status status = add_moments(launch, "wait_ns", NULL, s->wait_ns, n, 0);

    if (status == HK_OK)
        status = add_moments(launch, "service_ns", "service_cv2", s->service_ns, n, handover_ns);
    if (status == HK_OK)
        status = add_moments(launch, "work_ns", "work_cv2", s->work_ns, n, 0);
    if (status == HK_OK)
        status = add_moments(launch, "gap_ns", "arrival_cv2", s->gap_ns + 1, n - 1, 0);
    if (status == HK_OK)
        status = add_moments(launch, "dispatch_ns", "dispatch_cv2", s->dispatch_ns,
                             s->dispatch_count, 0);
    for (size_t i = 0; i < HK_ARRAY_COUNT(counters) && status == HK_OK; i++)
        status = hk_launch_add_counter(launch, counters[i].name, counters[i].value);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "request_gap_ns", s->gap_ns, n);
    if (status == HK_OK)
        status = hk_launch_add_series(launch, "request_work_ns", s->work_ns, n);
    return status;
}

static enum hk_status measure(struct hk_task *task, struct hk_launch *launch)
{
    struct queue *q = task->state;
    double *memory = calloc(6 * q->count, sizeof *memory);
    struct samples s = {memory, memory + q->count, memory + 2 * q->count, memory + 3 * q->count,
                        memory + 4 * q->count, memory + 5 * q->count, 0, 0, 0};

    if (memory == NULL)
        return HK_ENOMEM;
    const struct hk_surroundings before = hk_look_around(task);
    enum hk_status status = send_all(q);
    if (status == HK_OK) {
        sort_out(q, &s);
        status = report(&s, q->count, launch);
    }
    if (status == HK_OK)
        status = hk_report_surroundings(task, &before, launch);
    free(memory);
    return status;
}

const struct hk_experiment hk_experiment_queue = {
    .kind = "queue",
    .summary = "requests that come whether or not the server is free: how long they wait",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .serve = serve,
    .enter = enter,
    .leave = leave,
    .measure = measure,
};
