/* SPDX-License-Identifier: MIT */
/* The same service in the kernel and in a server: what a placement costs. */
#include "user/compose.h"
#include "user/experiments.h"

static void find(struct hk_lab *lab)
{
    int64_t handle = hk_service_handle((enum hk_service_number)(lab->parameter & 0xff));

    if (handle < 0)
        lab->error = "the service is not there";
    lab->handle = (uint64_t)handle;
}

static void drop(struct hk_lab *lab)
{
    (void)hk_syscall(HK_SYS_cap_drop, lab->handle, 0, 0);
}

static void open_file(struct hk_lab *lab)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FS_OPEN, 0x7274 };

    find(lab);
    if (lab->error == NULL && hk_service_request(lab->handle, 4, word) != HK_OK)
        lab->error = "the file cannot be opened";
    lab->handle2 = word[1];
    word[0] = HK_FS_WRITE, word[1] = lab->handle2, word[2] = 0, word[3] = HK_PAGE_BYTES;
    if (lab->error == NULL &&
        hk_service_request(lab->handle, HK_MESSAGE_WORDS_MAX, word) != HK_OK)
        lab->error = "the file cannot be written";
}

/* Requests of one word whose reply is short. */
static void ask(struct hk_lab *lab, uint64_t request, uint64_t argument, uint64_t ops)
{
    do {
        uint64_t w0 = request, w1 = argument;

        if (hk_call(lab->handle, 2, &w0, &w1) < 1 || w0 != HK_OK)
            lab->error = "the service refuses";
    } while (--ops > 0);
}

static void fs_size(struct hk_lab *lab, uint64_t ops)
{
    ask(lab, HK_FS_SIZE, lab->handle2, ops);
}

static void driver_count(struct hk_lab *lab, uint64_t ops)
{
    ask(lab, HK_DRIVER_COUNT, 0, ops);
}

static void memory_range(struct hk_lab *lab, uint64_t ops)
{
    do {
        uint64_t w0 = HK_MEMORY_RESERVE, w1 = 1;

        (void)hk_call(lab->handle, 2, &w0, &w1);
        w0 = HK_MEMORY_RELEASE;
        if (hk_call(lab->handle, 2, &w0, &w1) < 1 || w0 != HK_OK)
            lab->error = "the service refuses";
    } while (--ops > 0);
}

static void fs_read(struct hk_lab *lab, uint64_t ops)
{
    uint64_t bytes = lab->parameter >> 8;

    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FS_READ, lab->handle2, 0, bytes };

        if (hk_service_request(lab->handle, 4, word) != HK_OK || word[1] != bytes)
            lab->error = "the file cannot be read";
    } while (--ops > 0);
}

#define FS_BYTES(n) (HK_SERVICE_FS | (uint64_t)(n) << 8)

static const struct hk_experiment rows[] = {
    { "guest/service/fs_size", open_file, fs_size, drop, HK_SERVICE_FS, 0, HK_SERVICE_FS + 1 },
    { "guest/service/fs_read/bytes:64", open_file, fs_read, drop, FS_BYTES(64), 0,
      HK_SERVICE_FS + 1 },
    { "guest/service/fs_read/bytes:512", open_file, fs_read, drop, FS_BYTES(512), 0,
      HK_SERVICE_FS + 1 },
    { "guest/service/fs_read/bytes:4096", open_file, fs_read, drop, FS_BYTES(4096), 0,
      HK_SERVICE_FS + 1 },
    { "guest/service/driver_count", find, driver_count, drop, HK_SERVICE_DRIVER, 0,
      HK_SERVICE_DRIVER + 1 },
    { "guest/service/memory_range", find, memory_range, drop, HK_SERVICE_MEMORY, 0,
      HK_SERVICE_MEMORY + 1 },
};

const struct hk_experiment_table hk_experiments_service = { rows, HK_ARRAY_COUNT(rows) };
