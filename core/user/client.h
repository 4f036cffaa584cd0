/* SPDX-License-Identifier: MIT */
/*
 * How programs use services. Nothing here depends on where a service runs; that it
 * died is a status, and the next call goes to its successor.
 */
#ifndef HK_USER_CLIENT_H
#define HK_USER_CLIENT_H

#include "extension/extension.h"
#include "services/services.h"
#include "user/user.h"

/* How long a client waits for a service that is being started again. */
#define HK_CLIENT_PATIENCE_NS (5 * HK_NS_PER_MS)

struct hk_client {
    uint64_t handle[HK_SERVICES]; /* HK_HANDLE_SELF: not looked up */
    uint64_t *buffer;             /* our IPC page: the payload of requests and replies */
};

void hk_client_init(struct hk_client *client, uint64_t *ipc_page);

/* Drop all handles. */
void hk_client_fini(struct hk_client *client);

/*
 * One request.
 *
 * words  [in]      of the request; more than HK_MESSAGE_REGISTER_WORDS: in the buffer
 * word   [in,out]  request, then reply
 *
 * Returns the service's status, or that of the call: HK_EPEER when the service died (it may
 * or may not have done what was asked); HK_ETIMEOUT when there is none.
 */
enum hk_status hk_client_call(struct hk_client *client, enum hk_service_number service,
                              uint64_t words, uint64_t word[HK_MESSAGE_REGISTER_WORDS]);

/* Wait for bits that services signalled. Returns them, or HK_ETIMEOUT, HK_EEMPTY. */
static inline int64_t hk_client_wait(uint64_t timeout_ns)
{
    return hk_syscall(HK_SYS_signal_wait, timeout_ns, 0, 0);
}

/* What the file service says of a file. */
struct hk_file_facts {
    uint64_t file; /* its number */
    uint64_t kind; /* enum hk_file_kind */
    uint64_t bytes;
    uint64_t version; /* grows with every change */
};

/*
 * Find a file by its path, e.g. "srv/index": from the kernel's cache what it knows, the
 * rest from the service.
 */
enum hk_status hk_client_find(struct hk_client *client, const char *path,
                              struct hk_file_facts *facts);

/* Create a file or a folder; the folders on the way must be there. */
enum hk_status hk_client_create(struct hk_client *client, const char *path, uint64_t kind,
                                struct hk_file_facts *facts);

/* Rename a file, over any that is there; remove one. */
enum hk_status hk_client_rename(struct hk_client *client, const char *from, const char *to);
enum hk_status hk_client_unlink(struct hk_client *client, const char *path);

/* Read to, and write from, the buffer: at most HK_SERVICE_PAYLOAD_BYTES. */
enum hk_status hk_client_read(struct hk_client *client, uint64_t file, uint64_t offset,
                              uint64_t bytes, uint64_t *got);
enum hk_status hk_client_write(struct hk_client *client, uint64_t file, uint64_t offset,
                               uint64_t bytes);

/*
 * Memory that is there when it is touched: a range from the memory service, bound to it as
 * its pager. hk_client_release() unmaps what was touched and gives the range back.
 */
enum hk_status hk_client_reserve(struct hk_client *client, uint64_t pages, uint64_t *address);
enum hk_status hk_client_release(struct hk_client *client, uint64_t address, uint64_t pages);

/* What was rejected, or what it took to accept. */
struct hk_client_verdict {
    uint64_t processed;
    uint64_t reject, at; /* enum hk_reject, instruction */
};

/*
 * Have a program look at what arrives at a port of ours.
 *
 * maps  [in]  value bytes | values << 32, HK_EXTENSION_MAPS of them; 0: no more
 *
 * Returns HK_OK or the first status that was not; see services/port_filter.h.
 */
enum hk_status hk_client_filter(struct hk_client *client, uint64_t port,
                              const struct hk_instruction *program, uint64_t count,
                              const uint64_t maps[HK_EXTENSION_MAPS],
                              struct hk_client_verdict *verdict);
enum hk_status hk_client_unfilter(struct hk_client *client, uint64_t port);

#endif
