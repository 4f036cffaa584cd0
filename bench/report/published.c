/* SPDX-License-Identifier: MIT */
#include "published.h"

#include "hk/base/units.h"

/* As their authors state them, on their machines and workloads. */
const struct published published_figures[] = {
    {"FUSE: latency of a request", "up to 4 times the in-kernel file system's",
     "Vangoor et al., ACM Transactions on Storage 15(2), 2019", PUBLISHED_TIMES,
     "native/file_stat/fuse/cache:direct", "native/file_stat/tmpfs"},
    {"FUSE: throughput of small reads", "0 to 83 % less over 45 workloads",
     "Vangoor, Tarasov, Zadok, FAST 2017", PUBLISHED_LOSS,
     "native/file_read/fuse/cache:direct/bytes:4096", "native/file_read/tmpfs/bytes:4096"},
    {"FUSE: throughput of large reads", "0 to 83 % less over 45 workloads",
     "Vangoor, Tarasov, Zadok, FAST 2017", PUBLISHED_LOSS,
     "native/file_read/fuse/cache:direct/bytes:1048576", "native/file_read/tmpfs/bytes:1048576"},
    {"FUSE: processor time", "31 % more", "Vangoor, Tarasov, Zadok, FAST 2017", PUBLISHED_ALONE,
     NULL, NULL},
    {"FUSE with answers kept in the kernel", "overhead of a kernel build 17 % before, 5.71 % after",
     "Bijlani, Ramachandran, USENIX ATC 2019 (ExtFUSE)", PUBLISHED_TIMES,
     "native/file_stat/fuse/cache:kept", "native/file_stat/tmpfs"},
    {"MSG_ZEROCOPY: size from which it pays", "writes over about 10 KB",
     "Linux documentation, networking/msg_zerocopy", PUBLISHED_ALONE, NULL, NULL},
    {"io_uring's zero-copy send of 65435 bytes", "2.44 times MSG_ZEROCOPY's throughput",
     "Begunkov, io_uring zerocopy send RFC, 2021", PUBLISHED_ALONE, NULL, NULL},
};
const size_t published_count = HK_ARRAY_COUNT(published_figures);
