/* SPDX-License-Identifier: MIT */
/*
 * Services, written once. A service is a function from a request to a reply; the
 * composition at boot says for each whether the kernel calls it directly or a
 * process of its own calls it for messages. It cannot tell the difference.
 */
#ifndef HK_SERVICES_SERVICES_H
#define HK_SERVICES_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/abi.h"
#include "hk/base/status.h"
#include "hk/base/units.h"

/* Badge of a message that an interrupt sent; its word 0 says how many there were. */
#define HK_SERVICE_IRQ_BADGE 0x8000000000000000

/* What a service may ask of the place where it runs. */
struct hk_service_host {
    /* one more zeroed page for as long as the service lives; NULL: no memory */
    void *(*page)(struct hk_service_host *host);
    /* the device may interrupt again */
    void (*irq_ack)(struct hk_service_host *host, uint32_t line);
    /*
     * While it serves a page fault (word 0 is HK_PAGER_FAULT, see abi.h): one page for the client
     * at that address. page: one that page() gave, the client's from now on; NULL: a zeroed one.
     */
    enum hk_status (*supply)(struct hk_service_host *host, uint64_t address, uint64_t protection,
                             void *page);
};

/*
 * A request, and in the same place its reply: word 0 is then the status, the
 * results follow from word 1, and words is the length of the whole.
 */
struct hk_service_message {
    uint64_t badge;   /* who asks */
    uint64_t words;
    uint64_t *word;   /* HK_MESSAGE_REGISTER_WORDS of them, where they lie anyway */
    uint64_t *buffer; /* words 11..: HK_MESSAGE_BUFFER_WORDS of them; none of the kernel's own */
};

struct hk_service {
    const char *name;
    /* line whose interrupts are its messages; HK_SERVICE_NO_IRQ: none */
    uint32_t irq;
    bool kernel_in_hybrid; /* where the default composition puts it */
    /* state: one zeroed page of its own. words is 2 before, and may be changed. */
    enum hk_status (*handle)(struct hk_service_host *host, void *state,
                      struct hk_service_message *message);
};

#define HK_SERVICE_NO_IRQ 0xffffffffu

enum hk_service_number { HK_SERVICE_FS, HK_SERVICE_DRIVER, HK_SERVICE_MEMORY, HK_SERVICES };
extern const struct hk_service hk_services[HK_SERVICES];

#define HK_SERVICE_REPLY_WORDS 2

/* Word 0 of a request says what to do; its other words, and the reply's, depend on it. */
enum hk_fs_request {
    HK_FS_OPEN,  /* 1, 2, 3: name, 24 bytes -> 1: file; made when it is not there */
    HK_FS_WRITE, /* 1: file, 2: offset, 3: bytes <= 4096, in the buffer -> 1: bytes */
    HK_FS_READ,  /* 1: file, 2: offset, 3: bytes <= 4096 -> 1: bytes, in the buffer */
    HK_FS_SIZE,  /* 1: file -> 1: bytes */
};

enum hk_driver_request {
    HK_DRIVER_COUNT, /* -> 1: interrupts so far */
};

enum hk_memory_request {
    HK_MEMORY_RESERVE, /* 1: pages -> 1: address where the client may map that many */
    HK_MEMORY_RELEASE, /* 1: address, as reserved -> 1: pages */
};

/*
 * Where a service runs: one bit per service, set for the kernel.
 *
 * text   [in]  "hybrid", "monolithic", "microkernel", or "name:kernel,name:server,..." on top of
 *              hybrid, each name at most once; not terminated
 * bytes  [in]  its length; 0: hybrid
 * placement  [out]
 *
 * Returns HK_OK; HK_EPARSE for anything else.
 */
enum hk_status hk_composition_parse(const char *text, uint64_t bytes, uint32_t *placement);

#endif
