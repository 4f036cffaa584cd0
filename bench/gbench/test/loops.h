/* SPDX-License-Identifier: MIT */
/* The same empty loop through both interfaces: what is compared with what. */
#ifndef HK_GBENCH_TEST_LOOPS_H
#define HK_GBENCH_TEST_LOOPS_H

#include <hk/gbench/gbench.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The C loop: for hk_gbench_register(). */
void hk_loop_c(struct hk_gbench_state *state, void *arg);

/*
 * Register the C++ range-for loop, as "c++".
 *
 * iterations  [in] fixed number; 0 lets Google Benchmark choose
 */
void hk_loop_cpp_register(int64_t iterations);

#ifdef __cplusplus
}
#endif

#endif
