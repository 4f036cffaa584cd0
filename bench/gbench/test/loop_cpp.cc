// SPDX-License-Identifier: MIT
// The yardstick for the C loop: C++ because Google Benchmark's own loop is.
#include "loops.h"

#include <benchmark/benchmark.h>

static void loop_cpp(benchmark::State &state)
{
    for (auto _ : state) {
        HK_GBENCH_CLOBBER();
    }
}

void hk_loop_cpp_register(int64_t iterations)
{
    auto *bench = benchmark::RegisterBenchmark("c++", loop_cpp);
    if (iterations > 0) {
        bench->Iterations(iterations);
    }
}
