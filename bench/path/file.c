/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "hk/transport/ipc.h"

const struct hk_file_service *const hk_file_services[] = {
    &hk_file_service_memfs,
    &hk_file_service_tmpfs,
    &hk_file_service_ext4,
    &hk_file_service_fuse,
    &hk_file_service_loop,
    &hk_file_service_nbd,
    &hk_file_service_ublk,
};
const size_t hk_file_service_count = HK_ARRAY_COUNT(hk_file_services);

static const char *const operation_names[] = {
    [HK_FILE_READ] = "read", [HK_FILE_WRITE] = "write",
    [HK_FILE_STAT] = "stat", [HK_FILE_LOOKUP] = "lookup",
};
static const char *const cache_names[] = {
    [HK_FILE_KEPT] = "kept", [HK_FILE_DIRECT] = "direct",
    [HK_FILE_WRITEBACK] = "writeback", [HK_FILE_PASSTHROUGH] = "passthrough",
};

/* Of the operations of a service with a server; -1: not claimed. */
static const struct hk_file_claim claims[HK_FILE_OPERATION_COUNT][HK_FILE_CACHE_COUNT] = {
    [HK_FILE_READ] = {{0, 0.01}, {1, -1}, {0, 0.01}, {0, 0.01}},
    [HK_FILE_WRITE] = {{1, -1}, {1, -1}, {0, 0.01}, {0, 0.01}},
    [HK_FILE_STAT] = {{0, 0.01}, {1, 1}, {0, 0.01}, {-1, -1}},
    [HK_FILE_LOOKUP] = {{0, 0.01}, {2, 2}, {0, 0.01}, {-1, -1}}, /* the name, its attributes */
};

static int find_word(const char *const *words, int count, const char *word)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

enum hk_status hk_file_operation_find(const char *name, enum hk_file_operation *operation)
{
    const int i = find_word(operation_names, HK_FILE_OPERATION_COUNT, name);

    if (i < 0)
        return HK_ENOENT;
    *operation = (enum hk_file_operation)i;
    return HK_OK;
}

enum hk_status hk_file_cache_find(const char *name, enum hk_file_cache *cache)
{
    const int i = find_word(cache_names, HK_FILE_CACHE_COUNT, name);

    if (i < 0)
        return HK_ENOENT;
    *cache = (enum hk_file_cache)i;
    return HK_OK;
}

enum hk_status hk_file_service_find(const char *name, const struct hk_file_service **service)
{
    for (size_t i = 0; i < hk_file_service_count; i++) {
        if (strcmp(hk_file_services[i]->name, name) == 0) {
            *service = hk_file_services[i];
            return HK_OK;
        }
    }
    return HK_ENOENT;
}

struct hk_file_claim hk_file_claim(const struct hk_file_service *service,
                                   const struct hk_file_options *options)
{
    if (!service->server)
        return (struct hk_file_claim){0, 0};
    return claims[options->operation][options->cache];
}

/* --- life --------------------------------------------------------------------------- */

static enum hk_status check_options(const struct hk_file_service *service,
                                    const struct hk_file_options *options,
                                    char reason[HK_REASON_BYTES])
{
    const bool moves = options->operation == HK_FILE_READ || options->operation == HK_FILE_WRITE;

    if (options->bytes < 1 || options->bytes > HK_FILE_BYTES_MAX)
        snprintf(reason, HK_REASON_BYTES, "files are used with 1 to %d bytes", HK_FILE_BYTES_MAX);
    else if ((service->caches & 1u << options->cache) == 0 ||
             (!moves && options->cache > HK_FILE_DIRECT))
        snprintf(reason, HK_REASON_BYTES, "%s is not to be had with cache:%s", service->name,
                 cache_names[options->cache]);
    else if (options->splice && (!service->splices || options->operation != HK_FILE_READ))
        snprintf(reason, HK_REASON_BYTES, "%s replies to no %s with pages", service->name,
                 operation_names[options->operation]);
    else
        return HK_OK;
    return HK_EINVAL;
}

static enum hk_status prepare_buffers(struct hk_file *file)
{
    const size_t room = (file->options.bytes + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES * HK_PAGE_BYTES;
    uint64_t x = 0x2385u;

    file->buffer = aligned_alloc(HK_PAGE_BYTES, room);
    file->expected = aligned_alloc(HK_PAGE_BYTES, room);
    if (file->buffer == NULL || file->expected == NULL)
        return HK_ENOMEM;
    memset(file->buffer, 0, room);
    for (size_t i = 0; i < room; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX generator */
        file->expected[i] = (unsigned char)(x >> 56);
    }
    return HK_OK;
}

enum hk_status hk_file_init(struct hk_file *file, const struct hk_file_service *service,
                            const struct hk_file_options *options,
                            char reason[HK_REASON_BYTES])
{
    *file = (struct hk_file){.service = service, .options = *options, .folder = -1, .fd = -1,
                             .handover = {-1, -1}, .shared = MAP_FAILED};
    enum hk_status status = check_options(service, options, reason);
    if (status == HK_OK)
        status = prepare_buffers(file);
    if (status == HK_OK && service->server)
        status = hk_handover_init(&file->handover);
    if (status == HK_OK && service->server) {
        file->shared = mmap(NULL, sizeof *file->shared, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        status = file->shared != MAP_FAILED ? HK_OK : HK_ENOMEM;
    }
    return status;
}

void hk_file_fini(struct hk_file *file)
{
    if (file->state != NULL)
        file->service->close(file);
    file->state = NULL;
    if (file->fd >= 0)
        close(file->fd);
    if (file->folder >= 0)
        close(file->folder);
    file->fd = file->folder = -1;
    if (file->service->server)
        hk_handover_fini(&file->handover);
    if (file->shared != MAP_FAILED)
        munmap(file->shared, sizeof *file->shared);
    file->shared = MAP_FAILED;
    free(file->buffer);
    free(file->expected);
    file->buffer = file->expected = NULL;
}

enum hk_status hk_file_serve(struct hk_file *file)
{
    return file->service->serve(file);
}

uint64_t hk_file_requests(const struct hk_file *file)
{
    return file->shared != MAP_FAILED ? atomic_load(&file->shared->requests) : 0;
}

enum hk_status hk_file_enter(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    enum hk_status status = file->service->open(file, reason);

    if (status == HK_OK && file->options.operation == HK_FILE_WRITE)
        memcpy(file->buffer, file->expected, file->options.bytes);
    if (status == HK_OK)
        status = hk_file_run(file, 2);
    return status;
}

/* --- operations by system calls --------------------------------------------------------- */

enum hk_status hk_file_open_in_folder(struct hk_file *file, bool create,
                                      char reason[HK_REASON_BYTES])
{
    const size_t bytes = file->options.bytes;
    const bool direct = create && file->options.cache == HK_FILE_DIRECT;

    file->fd = openat(file->folder, HK_FILE_NAME,
                      O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0) | (direct ? O_DIRECT : 0), 0600);
    if (file->fd < 0) {
        snprintf(reason, HK_REASON_BYTES, "%s refuses to open its file: %s", file->service->name,
                 strerror(errno));
        return errno == EINVAL ? HK_ENOTSUP : hk_errno_status(errno);
    }
    if (create && pwrite(file->fd, file->expected, bytes, 0) != (ssize_t)bytes)
        return hk_errno_status(errno);
    return HK_OK;
}

static enum hk_status run_read(struct hk_file *file, uint64_t n)
{
    const size_t bytes = file->options.bytes;

    for (uint64_t i = 0; i < n; i++)
        if (pread(file->fd, file->buffer, bytes, 0) != (ssize_t)bytes)
            return hk_errno_status(errno);
    return HK_OK;
}

static enum hk_status run_write(struct hk_file *file, uint64_t n)
{
    const size_t bytes = file->options.bytes;

    for (uint64_t i = 0; i < n; i++)
        if (pwrite(file->fd, file->buffer, bytes, 0) != (ssize_t)bytes)
            return hk_errno_status(errno);
    return HK_OK;
}

static enum hk_status run_stat(struct hk_file *file, uint64_t n)
{
    struct stat st;

    for (uint64_t i = 0; i < n; i++)
        if (fstat(file->fd, &st) != 0)
            return hk_errno_status(errno);
    return HK_OK;
}

static enum hk_status run_lookup(struct hk_file *file, uint64_t n)
{
    struct stat st;

    for (uint64_t i = 0; i < n; i++)
        if (fstatat(file->folder, HK_FILE_NAME, &st, 0) != 0)
            return hk_errno_status(errno);
    return HK_OK;
}

enum hk_status hk_file_run_syscalls(struct hk_file *file, uint64_t n)
{
    static enum hk_status (*const runs[])(struct hk_file *, uint64_t) = {
        [HK_FILE_READ] = run_read, [HK_FILE_WRITE] = run_write,
        [HK_FILE_STAT] = run_stat, [HK_FILE_LOOKUP] = run_lookup,
    };

    return runs[file->options.operation](file, n);
}

/* --- verification ------------------------------------------------------------------------- */

static enum hk_status wrong(char reason[HK_REASON_BYTES], const char *text)
{
    snprintf(reason, HK_REASON_BYTES, "%s", text);
    return HK_EROW;
}

/* What was written comes back, and what is read is what lies there. */
static enum hk_status verify_contents(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    const enum hk_file_operation asked = file->options.operation;
    const size_t bytes = file->options.bytes;
    enum hk_status status = HK_OK;

    if (asked == HK_FILE_WRITE) {
        for (size_t i = 0; i < bytes; i++)
            file->expected[i] ^= 0xa5;
        memcpy(file->buffer, file->expected, bytes);
        status = hk_file_run(file, 1);
    }
    memset(file->buffer, 0, bytes);
    file->options.operation = HK_FILE_READ;
    if (status == HK_OK)
        status = hk_file_run(file, 1);
    file->options.operation = asked;
    if (status == HK_OK && memcmp(file->buffer, file->expected, bytes) != 0)
        return wrong(reason, asked == HK_FILE_WRITE ? "what was written does not come back"
                                                    : "what was read is not in the file");
    return status;
}

static enum hk_status verify_attributes(const struct hk_file *file, char reason[HK_REASON_BYTES])
{
    struct stat open_file, named;

    if (file->fd < 0) /* in process: hk_file_run has compared them */
        return HK_OK;
    if (fstat(file->fd, &open_file) != 0 ||
        fstatat(file->folder, HK_FILE_NAME, &named, 0) != 0)
        return hk_errno_status(errno);
    if (open_file.st_size != (off_t)file->options.bytes || named.st_size != open_file.st_size ||
        named.st_ino != open_file.st_ino || !S_ISREG(named.st_mode))
        return wrong(reason, "size or number of the file is not what it must be");
    if (fstatat(file->folder, "no_such_name", &named, 0) == 0 || errno != ENOENT)
        return wrong(reason, "a name that is not there is found");
    return HK_OK;
}

enum hk_status hk_file_verify(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    const enum hk_file_operation asked = file->options.operation;

    if (asked == HK_FILE_STAT || asked == HK_FILE_LOOKUP)
        return verify_attributes(file, reason);
    return verify_contents(file, reason);
}
