/* SPDX-License-Identifier: MIT */
/* Sizes and times by name; freestanding. */
#ifndef HK_BASE_UNITS_H
#define HK_BASE_UNITS_H

#define HK_KIB 1024u
#define HK_MIB (1024u * 1024u)

#define HK_NS_PER_US 1000u
#define HK_NS_PER_MS 1000000u
#define HK_NS_PER_S 1000000000u

/* What the kernel core and the shared-memory transports align to. */
#define HK_PAGE_BYTES 4096u
#define HK_CACHE_LINE_BYTES 64u

#define HK_ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
