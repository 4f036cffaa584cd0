/* SPDX-License-Identifier: MIT */
/*
 * What outlives a server lies in two copies, and each page of it has a sum. The first copy is
 * the service's memory; the second and the sums are touched here alone. A successor compares
 * the copies, and where they differ the one that has the sum is right. When neither or both
 * have it, the page is lost, and is not served.
 *
 * A change is made in the first copy and sealed: the sum follows by one store, then the second
 * copy. So a server may end at any instruction: before that store the change has not happened,
 * after it the change is whole. docs/decisions/0406
 */
#ifndef HK_SERVICES_DURABLE_H
#define HK_SERVICES_DURABLE_H

#include "services/services.h"

/* What a successor found, in pages. */
struct hk_durable_tally {
    uint64_t restored; /* from the other copy: damaged, or half written when the server ended */
    uint64_t lost;
};

/* Pages of the memory that a server of this service works on. */
static inline uint64_t hk_durable_pages(const struct hk_service *service)
{
    return service->two_copies ? 2 * (uint64_t)service->pages + 1 : service->pages;
}

/* Where the second copy and the sums are in it. */
static inline void hk_durable_set_up(struct hk_service_host *host,
                                     const struct hk_service *service)
{
    const uint64_t bytes = (uint64_t)service->pages * HK_PAGE_BYTES;

    if (!service->two_copies)
        return;
    host->copy = (char *)host->memory + bytes;
    host->sums = (uint64_t *)(void *)((char *)host->copy + bytes);
}

/* As hk_durable_seal(), of a service that has two copies. */
void hk_durable_seal_page(struct hk_service_host *host, const void *at);
void hk_durable_seal_part(struct hk_service_host *host, const void *at, uint64_t bytes);

/*
 * What lies in a range of the memory counts from here on.
 *
 * at, bytes  [in]  within one page
 *
 * Cost: an addition for each word of a whole page and an eighth more, three for each word of a
 * part, and the copy; nothing where there is one copy.
 */
static inline void hk_durable_seal(struct hk_service_host *host, const void *at, uint64_t bytes)
{
    if (host->copy == NULL)
        return;
    if (bytes == HK_PAGE_BYTES)
        hk_durable_seal_page(host, at);
    else
        hk_durable_seal_part(host, at, bytes);
}

/* A page of the memory becomes zeros, and counts. Cost: the fills. */
void hk_durable_clear_page(struct hk_service_host *host, void *at);

/*
 * A page of the memory becomes what another is, and counts. Each copy and the sum are the other
 * page's, so damage that nobody has found yet stays damage.
 *
 * to, from  [in]  pages; the second was sealed whole, or mended, since it was written
 *
 * Cost: the copies.
 */
void hk_durable_copy_page(struct hk_service_host *host, void *to, const void *from);

/*
 * Make a page of the memory, as a predecessor left it, what was sealed last.
 *
 * Returns whether it is; false: lost, both copies stay as they are.
 */
bool hk_durable_mend(struct hk_service_host *host, uint64_t page, struct hk_durable_tally *tally);

#endif
