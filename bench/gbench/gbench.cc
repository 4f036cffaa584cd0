// SPDX-License-Identifier: MIT
/*
 * The C interface on libbenchmark: the only C++ of the library.
 *
 * libbenchmark checks its preconditions by aborting, and some faults of use by
 * nothing at all. Every such precondition of 1.7.1 is checked here first; the
 * comments name the check that would have fired.
 */
#include "hk/gbench/gbench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using benchmark::State;
// benchmark::internal::Benchmark up to 1.9.4, benchmark::Benchmark after it.
using Family = std::remove_pointer_t<decltype(benchmark::RegisterBenchmark(
    "", std::declval<void (*)(State &)>()))>;

enum class Phase { setup, ready, running, paused, done, teardown };
enum class Fate { fine, skipped, failed };

const std::string kSkipped = "skipped: ";

// Marks the counter whose name carries the reason of a failed run to the
// reporter; no counter of a user has a control character in its name.
constexpr char kReasonMark = '\x01';

// Keys of a row and of the context in JSON reports of 1.7.1 to 1.9.5. A counter
// or context line of the same name comes later in the object and wins.
const std::set<std::string> kRowKeys = {
    "aggregate_name", "aggregate_unit", "allocs_per_iter", "big_o", "cpu_coefficient", "cpu_time",
    "error_message", "error_occurred", "family_index", "iterations", "label", "max_bytes_used",
    "name", "net_heap_growth", "per_family_instance_index", "real_coefficient", "real_time",
    "repetition_index", "repetitions", "rms", "run_name", "run_type", "skip_message", "skipped",
    "threads", "time_unit", "total_allocated_bytes",
};
const std::set<std::string> kContextKeys = {
    "aslr_enabled", "caches", "cpu_scaling_enabled", "date", "executable", "host_name",
    "json_schema_version", "library_build_type", "library_version", "load_avg", "mhz_per_cpu",
    "num_cpus",
};

/* Bytes that follow the first byte of a UTF-8 character; -1 if it cannot be a first byte. */
int utf8_extra(unsigned char first)
{
    if (first < 0x80) {
        return 0;
    }
    if (first < 0xc2 || first > 0xf4) {
        return -1;
    }
    return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

/* Overlong forms, surrogates and values past U+10FFFF show in the first two bytes. */
bool utf8_pair_valid(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second <= 0x9f;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second <= 0x8f;
    default: return true;
    }
}

/* Whether text is UTF-8 without control characters: what a JSON report can hold. */
bool printable(const char *text)
{
    const auto *p = reinterpret_cast<const unsigned char *>(text);
    while (*p != 0) {
        const int extra = utf8_extra(*p);
        if (extra < 0 || *p < 0x20 || *p == 0x7f || !utf8_pair_valid(p[0], p[1])) {
            return false;
        }
        for (int i = 1; i <= extra; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return false;
            }
        }
        p += 1 + extra;
    }
    return true;
}

bool printable_name(const char *text)
{
    return text != nullptr && *text != 0 && printable(text);
}

/* A reason must not be lost because of its spelling. */
std::string reason_text(const char *reason)
{
    std::string text = reason != nullptr && *reason != 0 ? reason : "no reason given";
    if (!printable(text.c_str())) {
        for (char &c : text) {
            c = c >= 0x20 && c < 0x7f ? c : '?';
        }
    }
    return text;
}

/* Holds the other threads back until thread 0 has run the setup function. */
class Gate {
public:
    void open(bool good)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        (good ? good_ : bad_) = true;
        changed_.notify_all();
    }

    bool wait()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return good_ || bad_; });
        return good_;
    }

    void close()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        good_ = bad_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool good_ = false;
    bool bad_ = false;
};

}  // namespace

struct hk_gbench {
    std::string name;
    hk_gbench_fn *fn = nullptr;
    void *arg = nullptr;
    hk_gbench_fn *setup = nullptr;
    hk_gbench_fn *teardown = nullptr;
    Family *family = nullptr;

    // What was set, to refuse what libbenchmark would abort on.
    bool has_arg_count = false;
    bool has_names = false;
    size_t arg_count = 0;
    size_t instance_count = 0;
    bool has_min_time = false;
    bool has_iterations = false;
    bool has_complexity = false;
    hk_gbench_clock clock = HK_GBENCH_CLOCK_CPU;

    Gate gate;
    std::mutex mutex;  // guards the two maps below: any thread of a run writes them
    std::map<std::string, unsigned> counter_flags;
    std::map<std::string, std::pair<Fate, std::string>> fates;  // by instance, of this run
};

struct hk_gbench_state {
    hk_gbench *bench;
    const State *view;
    State *live;  // null in teardown, when libbenchmark hands out an empty state
    Phase phase;
    Fate fate;
    std::string reason;
};

namespace {

/* libbenchmark takes the first values of its flags from there. */
std::string environment(const char *variable, const char *fallback)
{
    const char *value = std::getenv(variable);
    return value != nullptr ? value : fallback;
}

/*
 * Mirrors libbenchmark's own registry, which is one per process and has no
 * handle: hence the one object of static lifetime here.
 */
struct Registry {
    std::vector<std::unique_ptr<hk_gbench>> benches;
    std::set<std::string> context_keys;
    int first_refusal = HK_GBENCH_OK;
    std::string first_refusal_text;
    std::string error_text;
    std::string out_path = environment("BENCHMARK_OUT", "");
    std::string out_format = environment("BENCHMARK_OUT_FORMAT", "json");
    std::vector<double (*)(const double *, size_t)> statistics;
    hk_gbench *current = nullptr;  // the benchmark that the calling thread of run is in
};

Registry &registry()
{
    static Registry the_registry;
    return the_registry;
}

int error(int code, const std::string &text)
{
    registry().error_text = text;
    return code;
}

/* An error that hk_gbench_run() must not run over. */
int refuse(int code, const std::string &text)
{
    Registry &r = registry();
    if (r.first_refusal == HK_GBENCH_OK) {
        r.first_refusal = code;
        r.first_refusal_text = text;
    }
    return error(code, text);
}

int refuse(const hk_gbench *bench, int code, const char *text)
{
    if (bench == nullptr) {
        return refuse(code, "no benchmark given");
    }
    return refuse(code, "benchmark '" + bench->name + "': " + text);
}

/* Exceptions end here: there is C above. */
template <class Action> int guarded(Action action)
{
    try {
        return action();
    } catch (const std::bad_alloc &) {
        return refuse(HK_GBENCH_ENOMEM, "out of memory");
    } catch (const std::exception &e) {
        return refuse(HK_GBENCH_EINVAL, e.what());
    }
}

/* ---- Reports ---- */

/* Up to 1.7 a run has error_occurred; from 1.8 on it has skipped, of several kinds. */
template <class Run>
auto mark_failed(Run &run, const std::string &reason, int) -> decltype(run.error_occurred, void())
{
    run.error_occurred = true;
    run.error_message = reason;
}

template <class Run> void mark_failed(Run &run, const std::string &reason, long)
{
    using Skipped = decltype(run.skipped);
    run.skipped = Skipped::SkippedWithError;
    run.skip_message = reason;
}

/* Whether a run of a benchmark of this name failed: its complexity then says nothing. */
bool any_failed(const std::string &name)
{
    const auto &benches = registry().benches;
    return std::any_of(benches.begin(), benches.end(), [&](const auto &bench) {
        return bench->name == name && !bench->fates.empty();
    });
}

/*
 * Stands before Google Benchmark's own reporter and tells it which runs failed.
 *
 * To libbenchmark no run ever fails here: SkipWithError() leads it, in 1.7.1 and
 * later, to aborts, to uninitialised and to empty data (docs/decisions/0140).
 */
class Report : public benchmark::BenchmarkReporter {
public:
    /* finite: leave out what is not a number; 1.7.1 writes NaN and Infinity into JSON. */
    Report(benchmark::BenchmarkReporter *inner, bool finite) : inner_(inner), finite_(finite) {}

    bool ReportContext(const Context &context) override
    {
        inner_->SetOutputStream(&GetOutputStream());
        inner_->SetErrorStream(&GetErrorStream());
        return inner_->ReportContext(context);
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        std::vector<Run> kept;
        for (Run run : runs) {
            if (settle_failure(&run) && (!finite_ || keep_finite(&run))) {
                kept.push_back(run);
            }
        }
        if (!kept.empty()) {
            inner_->ReportRuns(kept);
        }
    }

    void Finalize() override
    {
        inner_->Finalize();
        written_ = GetOutputStream().flush().good();
    }

    /* False if the last run's report met a full disk or a closed pipe. */
    bool written() const { return written_; }

private:
    /* Returns false for a row that says nothing because a run failed. */
    static bool settle_failure(Run *run)
    {
        if (run->report_big_o || run->report_rms) {
            return !any_failed(run->run_name.function_name);
        }
        const auto first = run->counters.begin();
        if (first == run->counters.end() || first->first[0] != kReasonMark) {
            return true;
        }
        if (run->run_type == Run::RT_Aggregate) {
            return false;
        }
        mark_failed(*run, first->first.substr(1), 0);
        run->real_accumulated_time = run->cpu_accumulated_time = 0;
        run->report_label.clear();
        run->counters.clear();
        return true;
    }

    /* Returns false for a row whose time is not finite. */
    static bool keep_finite(Run *run)
    {
        for (auto it = run->counters.begin(); it != run->counters.end();) {
            it = std::isfinite(it->second.value) ? std::next(it) : run->counters.erase(it);
        }
        return std::isfinite(run->real_accumulated_time) &&
               std::isfinite(run->cpu_accumulated_time);
    }

    benchmark::BenchmarkReporter *inner_;
    bool finite_;
    bool written_ = true;
};

BENCHMARK_DISABLE_DEPRECATED_WARNING  // the CSV reporter is announced to go, but is there

/* Null for a format that libbenchmark is left to complain about. */
std::unique_ptr<benchmark::BenchmarkReporter> create_reporter(const std::string &format)
{
    if (format == "json") {
        return std::make_unique<benchmark::JSONReporter>();
    }
    if (format == "console") {
        return std::make_unique<benchmark::ConsoleReporter>(
            benchmark::ConsoleReporter::OO_None);
    }
    if (format == "csv") {
        return std::make_unique<benchmark::CSVReporter>();
    }
    return nullptr;
}

BENCHMARK_RESTORE_DEPRECATED_WARNING

/* Value of --<flag>=<value> in the arguments, else what it was: as libbenchmark keeps its flags. */
std::string flag_value(int argc, char **argv, const char *flag, const std::string &before)
{
    std::string value = before;
    const std::string prefix = std::string("--") + flag + "=";
    for (int i = 1; i < argc; i++) {
        if (std::strncmp(argv[i], prefix.c_str(), prefix.size()) == 0) {
            value = argv[i] + prefix.size();
        }
    }
    return value;
}

/* ---- Runs ---- */

std::string instance_key(const hk_gbench *bench, const State &state)
{
    std::string key = std::to_string(state.threads());
    for (size_t i = 0; i < bench->arg_count; i++) {
        key += "/" + std::to_string(state.range(i));
    }
    return key;
}

void stop(hk_gbench_state *s, Fate fate, const std::string &reason)
{
    if (s->live != nullptr && s->fate == Fate::fine) {
        s->fate = fate;
        s->reason = fate == Fate::skipped ? kSkipped + reason : reason;
    }
}

void fail(hk_gbench_state *s, const std::string &reason)
{
    stop(s, Fate::failed, reason);
}

/* Enters and leaves the loop as far as the benchmark has not, and hands the reason on. */
void complete_failed(hk_gbench_state *s)
{
    if (s->phase == Phase::ready) {
        s->live->KeepRunningBatch(s->live->max_iterations);
    } else if (s->phase == Phase::paused) {
        s->live->ResumeTiming();
    }
    if (s->phase != Phase::done) {
        s->live->KeepRunning();
        s->phase = Phase::done;
    }
    if (s->live->complexity_length_n() <= 0) {
        s->live->SetComplexityN(1);
    }
    if (!s->reason.empty()) {
        s->live->counters[kReasonMark + s->reason] = 1;
    }
}

/*
 * What must hold when a benchmark returns.
 *
 * libbenchmark aborts on a thread that left early (RunInThread), on a timer
 * still running (ThreadTimer), on a complexity without n (ComputeBigO) and on
 * repetitions whose iterations differ (ComputeStats).
 */
void settle(hk_gbench_state *s)
{
    if (s->phase == Phase::paused) {
        fail(s, "the benchmark returned while paused");
    } else if (s->phase == Phase::running) {
        fail(s, "the benchmark left its loop before the last iteration");
    } else if (s->phase == Phase::ready) {
        fail(s, "the benchmark returned without running its loop");
    } else if (s->bench->has_complexity && s->view->complexity_length_n() <= 0) {
        fail(s, "complexity was asked for, but no n > 0 was set");
    }
    if (s->fate != Fate::fine) {
        complete_failed(s);
    }
}

void call_benchmark(hk_gbench_state *s)
{
    hk_gbench *bench = s->bench;
    const bool gated = bench->setup != nullptr || bench->teardown != nullptr;
    const bool first = s->view->thread_index() == 0;
    if (gated && first) {
        registry().current = bench;
        s->phase = Phase::setup;
        if (bench->setup != nullptr) {
            bench->setup(s, bench->arg);
        }
        s->phase = Phase::ready;
        bench->gate.open(s->fate == Fate::fine);
    } else if (gated && !bench->gate.wait()) {
        s->fate = Fate::failed;  // thread 0 has the reason
    }
    if (s->fate == Fate::fine) {
        bench->fn(s, bench->arg);
    }
}

/* The fate of an earlier run of this instance, if that failed. */
void inherit_fate(hk_gbench_state *s, const std::string &key)
{
    std::lock_guard<std::mutex> lock(s->bench->mutex);
    const auto it = s->bench->fates.find(key);
    if (it != s->bench->fates.end()) {
        s->fate = it->second.first;
        s->reason = it->second.second;
    }
}

void bequeath_fate(const hk_gbench_state *s, const std::string &key)
{
    std::lock_guard<std::mutex> lock(s->bench->mutex);
    auto &fate = s->bench->fates.emplace(key, std::make_pair(s->fate, s->reason)).first->second;
    if (fate.first == Fate::skipped && s->fate == Fate::failed) {
        fate = {s->fate, s->reason};
    }
}

/*
 * One thread of one run.
 *
 * An instance that failed is not run again: libbenchmark, which sees a very
 * short run, would ask for ever more iterations.
 */
void run_thread(hk_gbench *bench, State &state)
{
    hk_gbench_state s = {bench, &state, &state, Phase::ready, Fate::fine, {}};
    const std::string key = instance_key(bench, state);
    inherit_fate(&s, key);
    if (s.fate == Fate::fine) {
        call_benchmark(&s);
    }
    settle(&s);
    if (s.fate != Fate::fine && !s.reason.empty()) {
        bequeath_fate(&s, key);
    }
}

/*
 * libbenchmark calls this on the thread of run, after all threads of a run have
 * been joined; in 1.7.1 without a word on which benchmark it was.
 */
void after_run(const State &state)
{
    hk_gbench *bench = registry().current;
    registry().current = nullptr;
    if (bench == nullptr) {
        return;
    }
    if (bench->teardown != nullptr) {
        hk_gbench_state s = {bench, &state, nullptr, Phase::teardown, Fate::fine, {}};
        bench->teardown(&s, bench->arg);
    }
    bench->gate.close();
}

/* ---- Settings ---- */

/* The instance's number of arguments is settled by whatever comes first (Benchmark::ArgsCnt). */
int claim_args(hk_gbench *bench, size_t count, size_t instances)
{
    if (bench == nullptr || count == 0) {
        return refuse(bench, HK_GBENCH_EINVAL, "no argument given");
    }
    if (bench->has_arg_count && bench->arg_count != count) {
        return refuse(bench, HK_GBENCH_EINVAL,
                      "its instances and argument names must agree on the number of arguments");
    }
    if (instances > HK_GBENCH_INSTANCES_MAX ||
        bench->instance_count + instances > HK_GBENCH_INSTANCES_MAX) {
        return refuse(bench, HK_GBENCH_ETOOBIG, "too many instances");
    }
    bench->has_arg_count = true;
    bench->arg_count = count;
    bench->instance_count += instances;
    return HK_GBENCH_OK;
}

/* a * b, or one past the limit of instances if it is more than that */
size_t product(size_t a, size_t b)
{
    const size_t limit = HK_GBENCH_INSTANCES_MAX + 1;
    return b != 0 && a > limit / b ? limit : std::min(a * b, limit);
}

/* An upper bound is enough: powers of 2 are the most a multiplier can give, on both sides of 0. */
constexpr size_t kRangeValuesMax = 2 * 63 + 3;

template <size_t I> double statistic(const std::vector<double> &values)
{
    return registry().statistics[I](values.data(), values.size());
}

template <size_t... I>
constexpr std::array<benchmark::StatisticsFunc *, sizeof...(I)> trampolines(
    std::index_sequence<I...>)
{
    return {{statistic<I>...}};
}

// ComputeStatistics takes a function without user data: one entry point per slot.
constexpr auto kTrampolines =
    trampolines(std::make_index_sequence<HK_GBENCH_STATISTICS_MAX>());

constexpr benchmark::BigO kComplexities[] = {
    benchmark::o1,    benchmark::oN,     benchmark::oNSquared, benchmark::oNCubed,
    benchmark::oLogN, benchmark::oNLogN, benchmark::oAuto,
};
constexpr benchmark::TimeUnit kUnits[] = {
    benchmark::kNanosecond, benchmark::kMicrosecond, benchmark::kMillisecond, benchmark::kSecond};

/* An enumerator used as an index: false for a value from nowhere. */
template <class Enum, size_t N, class Value> bool in_table(Enum e, const Value (&)[N])
{
    return static_cast<unsigned>(e) < N;
}

}  // namespace

/* ---- Process ---- */

bool hk_gbench_available(void)
{
    return true;
}

int hk_gbench_init(int *argc, char **argv)
{
    if (argc == nullptr || argv == nullptr || *argc < 1 || argv[0] == nullptr) {
        return error(HK_GBENCH_EINVAL, "no arguments given");
    }
    return guarded([&]() -> int {
        Registry &r = registry();
        r.out_path = flag_value(*argc, argv, "benchmark_out", r.out_path);
        r.out_format = flag_value(*argc, argv, "benchmark_out_format", r.out_format);
        benchmark::Initialize(argc, argv);
        return HK_GBENCH_OK;
    });
}

int hk_gbench_add_context(const char *key, const char *value)
{
    if (!printable_name(key) || value == nullptr || !printable(value)) {
        return error(HK_GBENCH_EINVAL, "a context line needs a printable key and value");
    }
    return guarded([&]() -> int {
        if (kContextKeys.count(key) != 0) {
            return error(HK_GBENCH_EINVAL, std::string("context key '") + key +
                                               "' is one of Google Benchmark's own");
        }
        if (!registry().context_keys.insert(key).second) {
            return error(HK_GBENCH_EEXIST, std::string("context key '") + key + "' exists");
        }
        benchmark::AddCustomContext(key, value);
        return HK_GBENCH_OK;
    });
}

/* What only shows once everything was registered. */
static int check_registrations()
{
    Registry &r = registry();
    if (r.first_refusal != HK_GBENCH_OK) {
        return error(r.first_refusal, r.first_refusal_text);
    }
    for (const auto &bench : r.benches) {
        if (bench->has_names && bench->instance_count == 0) {
            return refuse(bench.get(), HK_GBENCH_EINVAL,
                          "it has argument names, but no arguments: nothing would run");
        }
        bench->fates.clear();
    }
    // libbenchmark would end the process.
    if (!r.out_path.empty() && !std::ofstream(r.out_path, std::ios::app).is_open()) {
        return error(HK_GBENCH_EIO, "cannot write '" + r.out_path + "' (--benchmark_out)");
    }
    return HK_GBENCH_OK;
}

static hk_gbench_totals count_fates(size_t matched_count)
{
    hk_gbench_totals totals = {matched_count, 0, 0};
    for (const auto &bench : registry().benches) {
        for (const auto &entry : bench->fates) {
            (entry.second.first == Fate::failed ? totals.error_count : totals.skip_count)++;
        }
    }
    return totals;
}

int hk_gbench_run(const char *filter, struct hk_gbench_totals *totals)
{
    return guarded([&]() -> int {
        int rc = check_registrations();
        if (rc != HK_GBENCH_OK) {
            return rc;
        }
        const Registry &r = registry();
        // The library's own JSON reporter is made once and remembers its first report.
        benchmark::JSONReporter json;
        benchmark::BenchmarkReporter *own = benchmark::CreateDefaultDisplayReporter();
        const bool is_json = dynamic_cast<benchmark::JSONReporter *>(own) != nullptr;
        Report display(is_json ? &json : own, is_json);
        const auto file_reporter = r.out_path.empty() ? nullptr : create_reporter(r.out_format);
        Report file(file_reporter.get(), r.out_format == "json");
        const size_t matched_count = benchmark::RunSpecifiedBenchmarks(
            &display, file_reporter != nullptr ? &file : nullptr,
            filter != nullptr ? std::string(filter) : benchmark::GetBenchmarkFilter());
        if (matched_count == 0) {
            return error(HK_GBENCH_ENOENT, "no benchmark matches the filter");
        }
        if (!display.written() || !file.written()) {
            return error(HK_GBENCH_EIO, display.written() ? "cannot write all of '" + r.out_path + "'"
                                                          : "cannot write all of the report");
        }
        if (totals != nullptr) {
            *totals = count_fates(matched_count);
        }
        return HK_GBENCH_OK;
    });
}

void hk_gbench_shutdown(void)
{
    benchmark::ClearRegisteredBenchmarks();
    benchmark::Shutdown();
    // Shutdown() deletes the context lines, but 1.7.1 keeps the pointer to them.
    benchmark::internal::GetGlobalContext() = nullptr;
    Registry fresh;
    fresh.out_path = registry().out_path;  // libbenchmark's flags stay, too
    fresh.out_format = registry().out_format;
    registry() = std::move(fresh);
}

const char *hk_gbench_error_text(void)
{
    return registry().error_text.c_str();
}

/* ---- Registration ---- */

int hk_gbench_register(const char *name, hk_gbench_fn *fn, void *arg, struct hk_gbench **bench)
{
    if (!printable_name(name) || fn == nullptr) {
        return refuse(HK_GBENCH_EINVAL, "a benchmark needs a printable name and a function");
    }
    return guarded([&]() -> int {
        auto owner = std::make_unique<hk_gbench>();
        hk_gbench *b = owner.get();
        b->name = name;
        b->fn = fn;
        b->arg = arg;
        registry().benches.push_back(std::move(owner));
        b->family = benchmark::RegisterBenchmark(name, [b](State &state) { run_thread(b, state); });
        if (bench != nullptr) {
            *bench = b;
        }
        return HK_GBENCH_OK;
    });
}

int hk_gbench_register_cpp_loop(const char *name)
{
    if (!printable_name(name)) {
        return refuse(HK_GBENCH_EINVAL, "a benchmark needs a printable name");
    }
    return guarded([&]() -> int {
        benchmark::RegisterBenchmark(name, [](State &state) {
            for (auto _ : state) {
                benchmark::ClobberMemory();
            }
        });
        return HK_GBENCH_OK;
    });
}

int hk_gbench_set_setup(struct hk_gbench *bench, hk_gbench_fn *setup, hk_gbench_fn *teardown)
{
    if (bench == nullptr || (setup == nullptr && teardown == nullptr)) {
        return refuse(bench, HK_GBENCH_EINVAL, "neither setup nor teardown given");
    }
    bench->setup = setup;
    bench->teardown = teardown;
    bench->family->Teardown(after_run);
    return HK_GBENCH_OK;
}

int hk_gbench_add_arg(struct hk_gbench *bench, int64_t value)
{
    return hk_gbench_add_args(bench, &value, 1);
}

int hk_gbench_add_args(struct hk_gbench *bench, const int64_t *values, size_t count)
{
    if (values == nullptr) {
        return refuse(bench, HK_GBENCH_EINVAL, "no arguments given");
    }
    return guarded([&]() -> int {
        const int rc = claim_args(bench, count, 1);
        if (rc == HK_GBENCH_OK) {
            bench->family->Args(std::vector<int64_t>(values, values + count));
        }
        return rc;
    });
}

int hk_gbench_add_range(struct hk_gbench *bench, int64_t low, int64_t high)
{
    const hk_gbench_range range = {low, high};
    return hk_gbench_add_ranges(bench, &range, 1);
}

int hk_gbench_add_ranges(struct hk_gbench *bench, const struct hk_gbench_range *ranges,
                         size_t count)
{
    if (ranges == nullptr) {
        return refuse(bench, HK_GBENCH_EINVAL, "no ranges given");
    }
    return guarded([&]() -> int {
        size_t instances = 1;
        std::vector<std::pair<int64_t, int64_t>> pairs;
        for (size_t i = 0; i < count; i++) {
            // AddNegatedPowers: the most negative value has no positive twin.
            if (ranges[i].low > ranges[i].high || ranges[i].low < -INT64_MAX) {
                return refuse(bench, HK_GBENCH_EINVAL, "a range must not be empty");
            }
            instances = product(instances, ranges[i].low == ranges[i].high ? 1 : kRangeValuesMax);
            pairs.emplace_back(ranges[i].low, ranges[i].high);
        }
        const int rc = claim_args(bench, count, instances);
        if (rc == HK_GBENCH_OK) {
            bench->family->Ranges(pairs);
        }
        return rc;
    });
}

int hk_gbench_add_dense_range(struct hk_gbench *bench, int64_t low, int64_t high, int64_t step)
{
    if (low > high || step < 1) {
        return refuse(bench, HK_GBENCH_EINVAL, "a dense range needs low <= high and step >= 1");
    }
    return guarded([&]() -> int {
        const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
        const uint64_t steps = span / static_cast<uint64_t>(step);
        const int rc = claim_args(
            bench, 1, static_cast<size_t>(std::min<uint64_t>(steps, HK_GBENCH_INSTANCES_MAX)) + 1);
        // Not DenseRange(): it overflows near the largest value.
        for (uint64_t i = 0; rc == HK_GBENCH_OK && i <= steps; i++) {
            bench->family->Args({low + static_cast<int64_t>(i) * step});
        }
        return rc;
    });
}

int hk_gbench_add_product(struct hk_gbench *bench, const struct hk_gbench_list *lists, size_t count)
{
    if (lists == nullptr) {
        return refuse(bench, HK_GBENCH_EINVAL, "no lists given");
    }
    return guarded([&]() -> int {
        size_t instances = 1;
        std::vector<std::vector<int64_t>> values;
        for (size_t i = 0; i < count; i++) {
            if (lists[i].values == nullptr || lists[i].count == 0) {
                return refuse(bench, HK_GBENCH_EINVAL, "a list of arguments is empty");
            }
            instances = product(instances, lists[i].count);
            if (instances <= HK_GBENCH_INSTANCES_MAX) {
                values.emplace_back(lists[i].values, lists[i].values + lists[i].count);
            }
        }
        const int rc = claim_args(bench, count, instances);
        if (rc == HK_GBENCH_OK) {
            bench->family->ArgsProduct(values);
        }
        return rc;
    });
}

int hk_gbench_set_range_multiplier(struct hk_gbench *bench, int multiplier)
{
    if (bench == nullptr || multiplier < 2) {
        return refuse(bench, HK_GBENCH_EINVAL, "a range multiplier is at least 2");
    }
    bench->family->RangeMultiplier(multiplier);
    return HK_GBENCH_OK;
}

int hk_gbench_set_arg_names(struct hk_gbench *bench, const char *const *names, size_t count)
{
    return guarded([&]() -> int {
        std::vector<std::string> list;
        for (size_t i = 0; names != nullptr && i < count; i++) {
            if (!printable_name(names[i])) {
                return refuse(bench, HK_GBENCH_EINVAL, "an argument name is not printable");
            }
            list.emplace_back(names[i]);
        }
        const int rc = claim_args(bench, list.size(), 0);
        if (rc == HK_GBENCH_OK) {
            bench->has_names = true;
            bench->family->ArgNames(list);
        }
        return rc;
    });
}

int hk_gbench_add_threads(struct hk_gbench *bench, int thread_count)
{
    return hk_gbench_add_thread_range(bench, thread_count, thread_count);
}

int hk_gbench_add_thread_range(struct hk_gbench *bench, int low, int high)
{
    if (bench == nullptr || low < 1 || high < low) {
        return refuse(bench, HK_GBENCH_EINVAL, "thread counts need 1 <= low <= high");
    }
    if (high > HK_GBENCH_THREADS_MAX) {
        return refuse(bench, HK_GBENCH_ETOOBIG, "too many threads");
    }
    return guarded([&]() -> int {
        bench->family->ThreadRange(low, high);
        return HK_GBENCH_OK;
    });
}

int hk_gbench_set_clock(struct hk_gbench *bench, enum hk_gbench_clock clock)
{
    if (bench == nullptr || static_cast<unsigned>(clock) > HK_GBENCH_CLOCK_MANUAL) {
        return refuse(bench, HK_GBENCH_EINVAL, "unknown clock");
    }
    if (bench->clock != HK_GBENCH_CLOCK_CPU && bench->clock != clock) {
        return refuse(bench, HK_GBENCH_EINVAL, "it has another clock already");
    }
    bench->clock = clock;
    if (clock == HK_GBENCH_CLOCK_REAL) {
        bench->family->UseRealTime();
    } else if (clock == HK_GBENCH_CLOCK_MANUAL) {
        bench->family->UseManualTime();
    }
    return HK_GBENCH_OK;
}

int hk_gbench_set_process_cpu_time(struct hk_gbench *bench)
{
    if (bench == nullptr) {
        return refuse(bench, HK_GBENCH_EINVAL, "");
    }
    bench->family->MeasureProcessCPUTime();
    return HK_GBENCH_OK;
}

int hk_gbench_set_unit(struct hk_gbench *bench, enum hk_gbench_unit unit)
{
    if (bench == nullptr || !in_table(unit, kUnits)) {
        return refuse(bench, HK_GBENCH_EINVAL, "unknown unit");
    }
    bench->family->Unit(kUnits[unit]);
    return HK_GBENCH_OK;
}

int hk_gbench_set_repetitions(struct hk_gbench *bench, int repetition_count)
{
    if (bench == nullptr || repetition_count < 1) {
        return refuse(bench, HK_GBENCH_EINVAL, "at least one repetition is needed");
    }
    bench->family->Repetitions(repetition_count);
    return HK_GBENCH_OK;
}

int hk_gbench_set_iterations(struct hk_gbench *bench, int64_t iteration_count)
{
    if (bench == nullptr || iteration_count < 1 || bench->has_min_time) {
        return refuse(bench, HK_GBENCH_EINVAL,
                      "a number of iterations is at least 1, and excludes a minimum time");
    }
    bench->has_iterations = true;
    bench->family->Iterations(iteration_count);
    return HK_GBENCH_OK;
}

int hk_gbench_set_min_time_s(struct hk_gbench *bench, double min_time_s, double warm_up_s)
{
    if (bench == nullptr || !(min_time_s > 0) || !(warm_up_s >= 0) || !std::isfinite(min_time_s) ||
        !std::isfinite(warm_up_s) || bench->has_iterations) {
        return refuse(bench, HK_GBENCH_EINVAL,
                      "a minimum time is > 0 s, a warm-up >= 0 s, and both exclude a number of "
                      "iterations");
    }
    bench->has_min_time = true;
    bench->family->MinTime(min_time_s);
    bench->family->MinWarmUpTime(warm_up_s);
    return HK_GBENCH_OK;
}

int hk_gbench_set_complexity(struct hk_gbench *bench, enum hk_gbench_complexity complexity)
{
    if (bench == nullptr || !in_table(complexity, kComplexities)) {
        return refuse(bench, HK_GBENCH_EINVAL, "unknown complexity");
    }
    bench->has_complexity = true;
    bench->family->Complexity(kComplexities[complexity]);
    return HK_GBENCH_OK;
}

int hk_gbench_set_complexity_law(struct hk_gbench *bench, double (*law)(int64_t n))
{
    if (bench == nullptr || law == nullptr) {
        return refuse(bench, HK_GBENCH_EINVAL, "no law given");
    }
    bench->has_complexity = true;
    bench->family->Complexity(law);
    return HK_GBENCH_OK;
}

int hk_gbench_add_statistic(struct hk_gbench *bench, const char *name,
                            double (*function)(const double *values, size_t count),
                            enum hk_gbench_statistic_unit unit)
{
    if (bench == nullptr || !printable_name(name) || function == nullptr ||
        (unit != HK_GBENCH_STATISTIC_TIME && unit != HK_GBENCH_STATISTIC_RATIO)) {
        return refuse(bench, HK_GBENCH_EINVAL, "a statistic needs a printable name and a function");
    }
    return guarded([&]() -> int {
        auto &slots = registry().statistics;
        size_t i = 0;
        while (i < slots.size() && slots[i] != function) {
            i++;
        }
        if (i == kTrampolines.size()) {
            return refuse(bench, HK_GBENCH_ETOOBIG, "too many distinct statistic functions");
        }
        if (i == slots.size()) {
            slots.push_back(function);
        }
        bench->family->ComputeStatistics(
            name, kTrampolines[i],
            unit == HK_GBENCH_STATISTIC_RATIO ? benchmark::kPercentage : benchmark::kTime);
        return HK_GBENCH_OK;
    });
}

/* ---- Inside a benchmark ---- */

int64_t hk_gbench_loop_begin(struct hk_gbench_state *s)
{
    if (s->phase != Phase::ready || s->live == nullptr) {
        fail(s, s->phase == Phase::setup ? "a setup function ran a loop"
                                         : "the benchmark ran a second loop");
        return 0;
    }
    if (s->fate != Fate::fine) {
        return 0;
    }
    // One batch of all iterations: true once, then false and the clock stops.
    const int64_t count = s->live->max_iterations;
    s->phase = s->live->KeepRunningBatch(count) ? Phase::running : Phase::done;
    return s->phase == Phase::running ? count : 0;
}

void hk_gbench_loop_end(struct hk_gbench_state *s)
{
    if (s->live == nullptr || s->fate != Fate::fine) {
        return;
    }
    if (s->phase == Phase::paused) {
        fail(s, "the loop ended while paused");
    } else if (s->phase == Phase::running) {
        s->phase = Phase::done;
        s->live->KeepRunning();
    }
}

void hk_gbench_state_pause(struct hk_gbench_state *s)
{
    if (s->phase != Phase::running) {
        fail(s, "pause outside of a running loop");
    } else if (s->fate == Fate::fine) {
        s->live->PauseTiming();
        s->phase = Phase::paused;
    }
}

void hk_gbench_state_resume(struct hk_gbench_state *s)
{
    if (s->phase != Phase::paused) {
        fail(s, "resume without pause");
    } else if (s->fate == Fate::fine) {
        s->phase = Phase::running;
        s->live->ResumeTiming();
    }
}

void hk_gbench_state_add_time_s(struct hk_gbench_state *s, double seconds)
{
    if (s->phase != Phase::running && s->phase != Phase::paused) {
        fail(s, "manual time outside of a running loop");
    } else if (!std::isfinite(seconds) || seconds < 0) {
        fail(s, "a manual time is finite and not negative");
    } else {
        s->live->SetIterationTime(seconds);
    }
}

void hk_gbench_state_fail(struct hk_gbench_state *s, const char *reason)
{
    fail(s, reason_text(reason));
}

void hk_gbench_state_skip(struct hk_gbench_state *s, const char *reason)
{
    stop(s, Fate::skipped, reason_text(reason));
}

bool hk_gbench_state_failed(const struct hk_gbench_state *s)
{
    return s->fate != Fate::fine;
}

int64_t hk_gbench_state_arg(struct hk_gbench_state *s, size_t index)
{
    if (index >= s->bench->arg_count) {
        fail(s, "argument " + std::to_string(index) + " asked for, but there are " +
                    std::to_string(s->bench->arg_count));
        return 0;
    }
    return s->view->range(index);
}

size_t hk_gbench_state_arg_count(const struct hk_gbench_state *s)
{
    return s->bench->arg_count;
}

int64_t hk_gbench_state_iterations(const struct hk_gbench_state *s)
{
    return s->phase == Phase::done ? s->view->iterations() : 0;
}

int hk_gbench_state_thread_index(const struct hk_gbench_state *s)
{
    return s->view->thread_index();
}

int hk_gbench_state_thread_count(const struct hk_gbench_state *s)
{
    return s->view->threads();
}

static benchmark::Counter::Flags counter_flags(unsigned flags)
{
    const unsigned same = HK_GBENCH_COUNTER_INVERT - 1;  // the low bits are libbenchmark's own
    unsigned out = flags & same;
    if ((flags & HK_GBENCH_COUNTER_INVERT) != 0) {
        out |= static_cast<unsigned>(benchmark::Counter::kInvert);
    }
    return static_cast<benchmark::Counter::Flags>(out);
}

int hk_gbench_state_set_counter(struct hk_gbench_state *s, const char *name, double value,
                                unsigned flags, enum hk_gbench_base base)
{
    if (s->live == nullptr || !printable_name(name) || !std::isfinite(value) ||
        flags >= 2 * HK_GBENCH_COUNTER_INVERT ||
        (base != HK_GBENCH_BASE_1000 && base != HK_GBENCH_BASE_1024)) {
        return HK_GBENCH_EINVAL;
    }
    try {
        if (kRowKeys.count(name) != 0) {
            return HK_GBENCH_EINVAL;
        }
        std::lock_guard<std::mutex> lock(s->bench->mutex);
        if (s->bench->counter_flags.emplace(name, flags).first->second != flags) {
            return HK_GBENCH_EINVAL;
        }
        s->live->counters[name] =
            benchmark::Counter(value, counter_flags(flags),
                               base == HK_GBENCH_BASE_1024 ? benchmark::Counter::kIs1024
                                                           : benchmark::Counter::kIs1000);
    } catch (const std::bad_alloc &) {
        return HK_GBENCH_ENOMEM;
    }
    return HK_GBENCH_OK;
}

int hk_gbench_state_set_bytes(struct hk_gbench_state *s, int64_t total)
{
    return total < 0 ? HK_GBENCH_EINVAL
                     : hk_gbench_state_set_counter(s, "bytes_per_second",
                                                   static_cast<double>(total),
                                                   HK_GBENCH_COUNTER_RATE, HK_GBENCH_BASE_1024);
}

int hk_gbench_state_set_items(struct hk_gbench_state *s, int64_t total)
{
    return total < 0 ? HK_GBENCH_EINVAL
                     : hk_gbench_state_set_counter(s, "items_per_second",
                                                   static_cast<double>(total),
                                                   HK_GBENCH_COUNTER_RATE, HK_GBENCH_BASE_1000);
}

int hk_gbench_state_set_complexity_n(struct hk_gbench_state *s, int64_t n)
{
    if (s->live == nullptr || n < 1) {
        return HK_GBENCH_EINVAL;
    }
    s->live->SetComplexityN(n);
    return HK_GBENCH_OK;
}

int hk_gbench_state_set_label(struct hk_gbench_state *s, const char *text)
{
    if (s->live == nullptr || text == nullptr || !printable(text)) {
        return HK_GBENCH_EINVAL;
    }
    try {
        s->live->SetLabel(std::string(text));
    } catch (const std::bad_alloc &) {
        return HK_GBENCH_ENOMEM;
    }
    return HK_GBENCH_OK;
}
