/* SPDX-License-Identifier: MIT */
/*
 * A print spooler: clients leave big jobs, and the service prints them one after the
 * other, a band at a time at the pace of the printer, which is a checksum here.
 *
 * A job counts while it has a state; the printer's progress is kept with the job, so
 * that a new server goes on in the middle of it. Jobs and what is still to be printed of
 * them have two copies in a server (services/durable.h).
 */
#include "services/durable.h"
#include "services/rows.h"

#define JOBS 4u
#define JOB_PAGES 15u
#define JOB_BYTES_MAX ((uint64_t)JOB_PAGES * HK_PAGE_BYTES)
#define BAND_BYTES 2048u
#define BAND_NS 50000u /* of the printer: 40 MB/s, faster than real ones by a thousand */

struct job {
    uint64_t state; /* enum hk_print_state */
    uint64_t generation;
    uint64_t client;
    uint64_t bits;
    uint64_t order; /* of closing: the lowest is printed first */
    uint64_t bytes;
    uint64_t printed;  /* bytes */
    uint64_t checksum; /* of those */
};

struct spool {
    struct job job[JOBS];
    /* from here on, on a page of its own: made again by start() */
    _Alignas(HK_PAGE_BYTES) uint64_t closed_count;
    bool broken; /* both copies of the jobs were damaged: nothing is known */
    struct hk_durable_tally found;
};

#define HEAD_PAGES 2u

_Static_assert(HK_PRINT_PAGES == HEAD_PAGES + JOBS * JOB_PAGES, "rows.h says as many pages");
_Static_assert(sizeof(struct spool) <= HEAD_PAGES * HK_PAGE_BYTES, "the head fits");

static uint64_t first_page(const struct spool *spool, const struct job *job)
{
    return HEAD_PAGES + (uint64_t)(job - spool->job) * JOB_PAGES;
}

static char *data_of(struct spool *spool, const struct job *job)
{
    return (char *)spool + first_page(spool, job) * HK_PAGE_BYTES;
}

static void keep(struct hk_service_host *host, const struct job *job)
{
    hk_durable_seal(host, job, sizeof(*job));
}

static void set_state(struct hk_service_host *host, struct job *job, enum hk_print_state state)
{
    job->state = state;
    hk_durable_seal(host, &job->state, sizeof(job->state));
}

static struct job *job_of(struct spool *spool, uint64_t number)
{
    struct job *job;

    if ((number & 0xff) >= JOBS)
        return NULL;
    job = &spool->job[number & 0xff];
    return job->state != HK_PRINT_FREE && job->generation == number >> 8 ? job : NULL;
}

/* Closed and not yet printed, the one that was closed first. */
static struct job *next_job(struct spool *spool)
{
    struct job *first = NULL;

    for (uint32_t i = 0; i < JOBS; i++)
        if (spool->job[i].state == HK_PRINT_WAITING &&
            (first == NULL || spool->job[i].order < first->order))
            first = &spool->job[i];
    return first;
}

static enum hk_status open_job(struct hk_service_host *host, struct spool *spool,
                               struct hk_service_message *message)
{
    struct job *job = NULL;

    for (uint32_t i = 0; i < JOBS; i++) /* one that has ended is kept until its place is needed */
        if (spool->job[i].state == HK_PRINT_FREE || (job == NULL &&
                                                     spool->job[i].state >= HK_PRINT_DONE))
            job = &spool->job[i];
    if (job == NULL)
        return HK_EBUSY;
    job->generation = (job->generation + 1) & 0xffffffff;
    job->client = message->badge;
    job->bits = message->word[1];
    job->bytes = 0;
    job->printed = job->checksum = 0;
    job->state = HK_PRINT_FILLING;
    keep(host, job);
    message->word[1] = (uint64_t)(job - spool->job) | job->generation << 8;
    return HK_OK;
}

/* What was added to a job counts, on however many pages it lies. */
static void keep_data(struct hk_service_host *host, const char *data, uint64_t offset,
                      uint64_t bytes)
{
    for (uint64_t at = offset, part; at < offset + bytes; at += part) {
        part = HK_PAGE_BYTES - at % HK_PAGE_BYTES;
        if (part > offset + bytes - at)
            part = offset + bytes - at;
        hk_durable_seal(host, data + at, part);
    }
}

/* The offset says which data this is: sent again after an error, it is not added twice. */
static enum hk_status add_data(struct hk_service_host *host, struct spool *spool, struct job *job,
                               struct hk_service_message *message)
{
    uint64_t offset = message->word[2], bytes = message->word[3];

    if (job->state != HK_PRINT_FILLING)
        return HK_EBUSY;
    if (bytes > HK_SERVICE_PAYLOAD_BYTES || offset > job->bytes)
        return HK_EINVAL;
    if (bytes > JOB_BYTES_MAX - offset)
        return HK_ENOSPC;
    __builtin_memcpy(data_of(spool, job) + offset, message->buffer, bytes);
    keep_data(host, data_of(spool, job), offset, bytes);
    job->bytes = offset + bytes;
    keep(host, job);
    message->word[1] = bytes;
    return HK_OK;
}

static enum hk_status close_job(struct hk_service_host *host, struct spool *spool, struct job *job)
{
    bool idle = next_job(spool) == NULL;

    if (job->state != HK_PRINT_FILLING)
        return HK_EBUSY;
    job->order = ++spool->closed_count;
    job->state = HK_PRINT_WAITING;
    keep(host, job);
    if (idle)
        host->wake_at(host, host->clock_ns(host) + BAND_NS);
    return HK_OK;
}

static uint64_t print_band(const char *data, uint64_t bytes, uint64_t checksum)
{
    for (uint64_t i = 0; i < bytes; i++)
        checksum = (checksum ^ (unsigned char)data[i]) * 0x100000001b3; /* FNV-1a */
    return checksum;
}

static enum hk_status print_next(struct hk_service_host *host, struct spool *spool)
{
    struct job *job = next_job(spool);
    uint64_t bytes;

    if (job == NULL)
        return HK_OK;
    bytes = job->bytes - job->printed < BAND_BYTES ? job->bytes - job->printed : BAND_BYTES;
    job->checksum = print_band(data_of(spool, job) + job->printed, bytes, job->checksum);
    job->printed += bytes;
    if (job->printed == job->bytes)
        job->state = HK_PRINT_DONE;
    keep(host, job);
    if (job->state == HK_PRINT_DONE && job->bits != 0)
        (void)host->signal(host, job->client, job->bits);
    if (next_job(spool) != NULL)
        host->wake_at(host, host->clock_ns(host) + BAND_NS);
    return HK_OK;
}

/* For who did not get the number of a job that it opened. */
static enum hk_status cancel_unclosed(struct hk_service_host *host, struct spool *spool,
                                      uint64_t client)
{
    for (uint32_t i = 0; i < JOBS; i++)
        if (spool->job[i].state == HK_PRINT_FILLING && spool->job[i].client == client)
            set_state(host, &spool->job[i], HK_PRINT_FREE);
    return HK_OK;
}

static enum hk_status tell(const struct job *job, struct hk_service_message *message)
{
    message->word[1] = job->printed;
    message->word[2] = job->checksum;
    message->word[3] = job->state;
    message->words = 4;
    return HK_OK;
}

/* What a job's owner asks; of a lost one there is nothing to tell. */
static enum hk_status handle_job(struct hk_service_host *host, struct spool *spool,
                                 struct job *job, struct hk_service_message *message)
{
    if (job->client != message->badge)
        return HK_EPERM;
    if (job->state == HK_PRINT_LOST && message->word[0] != HK_PRINT_CANCEL)
        return HK_EIO;
    switch (message->word[0]) {
    case HK_PRINT_DATA:
        return add_data(host, spool, job, message);
    case HK_PRINT_CLOSE:
        return close_job(host, spool, job);
    case HK_PRINT_CANCEL:
        set_state(host, job, HK_PRINT_FREE);
        return HK_OK;
    case HK_PRINT_STATUS:
        return tell(job, message);
    default:
        return HK_ENOSYS;
    }
}

enum hk_status hk_print_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct spool *spool = host->memory;
    struct job *job;

    if (message->badge == HK_SERVICE_TIME_BADGE)
        return spool->broken ? HK_OK : print_next(host, spool);
    if (spool->broken && message->word[0] < HK_PRINT_FOUND)
        return HK_EIO;
    switch (message->word[0]) {
    case HK_PRINT_OPEN:
        return open_job(host, spool, message);
    case HK_PRINT_FOUND:
        message->word[1] = spool->found.restored;
        message->word[2] = spool->found.lost;
        message->words = 3;
        return HK_OK;
    default:
        job = job_of(spool, message->word[1]);
        if (job != NULL)
            return handle_job(host, spool, job, message);
        return message->word[0] == HK_PRINT_CANCEL && message->word[1] == HK_PRINT_UNCLOSED
                   ? cancel_unclosed(host, spool, message->badge) : HK_ENOENT;
    }
}

/* --- start ------------------------------------------------------------------------ */

/* Whether some of a page is still to be printed. */
static bool needs(const struct job *job, uint64_t page)
{
    const bool waits = job->state == HK_PRINT_FILLING || job->state == HK_PRINT_WAITING;

    return waits && page * HK_PAGE_BYTES < job->bytes &&
           (page + 1) * HK_PAGE_BYTES > job->printed;
}

static bool mend_data(struct hk_service_host *host, struct spool *spool, const struct job *job)
{
    bool good = true;

    for (uint64_t page = 0; page < JOB_PAGES; page++)
        if (needs(job, page))
            good &= hk_durable_mend(host, first_page(spool, job) + page, &spool->found);
    return good;
}

/* All that is to be printed is there, or the job is lost; the other pages are good as they are. */
static void mend_job(struct hk_service_host *host, struct spool *spool, struct job *job)
{
    if (!mend_data(host, spool, job)) {
        set_state(host, job, HK_PRINT_LOST);
        if (job->bits != 0)
            (void)host->signal(host, job->client, job->bits);
    }
    for (uint64_t page = 0; page < JOB_PAGES; page++)
        if (!needs(job, page))
            hk_durable_seal(host, data_of(spool, job) + page * HK_PAGE_BYTES, HK_PAGE_BYTES);
}

void hk_print_start(struct hk_service_host *host)
{
    struct spool *spool = host->memory;

    __builtin_memset((char *)spool + offsetof(struct spool, closed_count), 0,
                     sizeof(*spool) - offsetof(struct spool, closed_count));
    spool->broken = !hk_durable_mend(host, 0, &spool->found);
    for (uint32_t i = 0; i < JOBS && !spool->broken; i++) {
        mend_job(host, spool, &spool->job[i]);
        if (spool->job[i].order > spool->closed_count)
            spool->closed_count = spool->job[i].order;
    }
    if (!spool->broken && next_job(spool) != NULL)
        host->wake_at(host, host->clock_ns(host) + BAND_NS);
}
