/* SPDX-License-Identifier: MIT */
/* What the program "fuzz" and its supervisor agree on. */
#ifndef HK_USER_FUZZ_H
#define HK_USER_FUZZ_H

#define HK_FUZZ_CALLS 2000 /* per process */

/* Where a fuzzing process maps the page it counts its calls in, and that page's handle. */
#define HK_FUZZ_COUNT_ADDRESS 0x0000300000000000
#define HK_FUZZ_COUNT_HANDLE 1

#endif
