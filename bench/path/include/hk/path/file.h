/* SPDX-License-Identifier: MIT */
/*
 * The file service, wherever it is kept: in the Linux kernel (tmpfs, ext4), as a file system
 * of our own called in process, and the same one in a server behind FUSE. Block devices are files
 * that are only read: of the kernel's (loop), and in a server (nbd). One client uses one file by
 * the same system calls everywhere.
 */
#ifndef HK_PATH_FILE_H
#define HK_PATH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/path/handover.h"

enum { HK_FILE_BYTES_MAX = 1 << 20 };

enum hk_file_operation {
    HK_FILE_READ,   /* pread from the file's beginning */
    HK_FILE_WRITE,  /* pwrite to it */
    HK_FILE_STAT,   /* fstat of the open file */
    HK_FILE_LOOKUP, /* fstatat by name */
    HK_FILE_OPERATION_COUNT,
};

/* What the kernel may answer without the service. */
enum hk_file_cache {
    HK_FILE_KEPT,        /* data and attributes it has seen; writes go through */
    HK_FILE_DIRECT,      /* nothing: every operation asks the service */
    HK_FILE_WRITEBACK,   /* also writes stay with it for a while */
    HK_FILE_PASSTHROUGH, /* data goes to a file that the server named at open */
    HK_FILE_CACHE_COUNT,
};

/* "read", ...; "kept", .... HK_ENOENT for other words. */
enum hk_status hk_file_operation_find(const char *name, enum hk_file_operation *operation);
enum hk_status hk_file_cache_find(const char *name, enum hk_file_cache *cache);

struct hk_file_options {
    enum hk_file_operation operation;
    enum hk_file_cache cache;
    bool splice;  /* the server replies with pages instead of bytes */
    size_t bytes; /* of a read or write, and the file's size; 1 to HK_FILE_BYTES_MAX */
};

/* Requests of an operation that reach the server; a bound of -1 is not claimed. */
struct hk_file_claim {
    double requests_min;
    double requests_max;
};

struct hk_file_service;

struct hk_file {
    const struct hk_file_service *service;
    struct hk_file_options options;
    struct hk_handover handover;  /* of the mount, where a server makes it */
    struct hk_file_shared *shared;
    void *state;                  /* the service's own, of the client */
    int folder;                   /* descriptors of the client; -1 */
    int fd;
    unsigned char *buffer;        /* page aligned, options.bytes */
    unsigned char *expected;      /* what a read must give */
};

struct hk_file_service {
    const char *name;
    const char *summary;
    unsigned caches; /* those it has: bits 1 << enum hk_file_cache */
    bool splices;
    bool server;     /* a process of its own answers */
    bool kernel_threads; /* have a part in every operation, whose time is nobody's */
    uint32_t preemptions; /* of client and server by these threads, at most, in an operation */
    int syscalls;    /* of the client per operation */

    enum hk_status (*open)(struct hk_file *file, char reason[HK_REASON_BYTES]); /* in the client */
    void (*close)(struct hk_file *file);
    enum hk_status (*serve)(struct hk_file *file); /* in the server; NULL: there is none */
    enum hk_status (*run)(struct hk_file *file, uint64_t n);
};

/* The registry, and a service by name: HK_ENOENT. */
extern const struct hk_file_service *const hk_file_services[];
extern const size_t hk_file_service_count;
enum hk_status hk_file_service_find(const char *name, const struct hk_file_service **service);

/* What an operation of the service must do. */
struct hk_file_claim hk_file_claim(const struct hk_file_service *service,
                                   const struct hk_file_options *options);

/*
 * Prepare in the process that is the parent of client and server.
 *
 * Returns HK_OK; HK_EINVAL with the reason for options the service has not; HK_ENOMEM.
 */
enum hk_status hk_file_init(struct hk_file *file, const struct hk_file_service *service,
                            const struct hk_file_options *options,
                            char reason[HK_REASON_BYTES]);

/* Release what this process holds; in every one of them. Idempotent. */
void hk_file_fini(struct hk_file *file);

/* In the server: answer until the client is gone. The mount's refusal reaches the client. */
enum hk_status hk_file_serve(struct hk_file *file);

/*
 * In the client: get at the file and use it once, so that what may be cached is.
 *
 * Returns HK_OK; HK_ENOTSUP with cause and remedy; HK_EPEER when the server died.
 */
enum hk_status hk_file_enter(struct hk_file *file, char reason[HK_REASON_BYTES]);

/* n operations: the timed path. HK_EIO, HK_EPEER. */
static inline enum hk_status hk_file_run(struct hk_file *file, uint64_t n)
{
    return file->service->run(file, n);
}

/* Whether contents and attributes are what they must be: HK_EROW with the reason when not. */
enum hk_status hk_file_verify(struct hk_file *file, char reason[HK_REASON_BYTES]);

/* Requests that have reached the server since it began; 0 where there is none. */
uint64_t hk_file_requests(const struct hk_file *file);

#endif
