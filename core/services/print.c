/* SPDX-License-Identifier: MIT */
/*
 * A print spooler: clients leave big jobs, and the service prints them one after the
 * other, a band at a time at the pace of the printer, which is a checksum here.
 *
 * A job counts while it has a state; the printer's progress is kept with the job, so
 * that a new server goes on in the middle of it.
 */
#include "services/commit.h"
#include "services/rows.h"

#define JOBS 4u
#define JOB_PAGES 15u
#define JOB_BYTES_MAX ((uint64_t)JOB_PAGES * HK_PAGE_BYTES)
#define BAND_BYTES 2048u
#define BAND_NS 50000u /* of the printer: 40 MB/s, faster than real ones by a thousand */

struct progress {
    uint64_t bytes;
    uint64_t checksum; /* of those bytes */
};

struct job {
    uint64_t state; /* enum hk_print_state */
    uint64_t generation;
    uint64_t client;
    uint64_t bits;
    uint64_t order; /* of closing: the lowest is printed first */
    uint64_t bytes;
    uint64_t printed; /* counts the bands; the one that counts is progress[printed % 2] */
    struct progress progress[2];
};

struct spool {
    struct job job[JOBS];
    uint64_t closed_count;
};

_Static_assert(HK_PRINT_PAGES == 1 + JOBS * JOB_PAGES, "rows.h says as many pages");

static const char *data_of(struct hk_service_host *host, const struct spool *spool,
                           const struct job *job)
{
    return (const char *)host->memory + HK_PAGE_BYTES +
           (uint64_t)(job - spool->job) * JOB_BYTES_MAX;
}

static const struct progress *progress_of(const struct job *job)
{
    return &job->progress[job->printed % 2];
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

static enum hk_status open_job(struct spool *spool, struct hk_service_message *message)
{
    struct job *job = NULL;

    for (uint32_t i = 0; i < JOBS; i++) /* a printed one is kept until its place is needed */
        if (spool->job[i].state == HK_PRINT_FREE || (job == NULL &&
                                                     spool->job[i].state == HK_PRINT_DONE))
            job = &spool->job[i];
    if (job == NULL)
        return HK_EBUSY;
    hk_commit(job->state, HK_PRINT_FREE);
    job->generation = (job->generation + 1) & 0xffffffff;
    job->client = message->badge;
    job->bits = message->word[1];
    job->bytes = 0;
    job->printed = 0;
    job->progress[0] = (struct progress){ 0, 0 };
    hk_commit(job->state, HK_PRINT_FILLING);
    message->word[1] = (uint64_t)(job - spool->job) | job->generation << 8;
    return HK_OK;
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
    __builtin_memcpy((char *)data_of(host, spool, job) + offset, message->buffer, bytes);
    hk_commit(job->bytes, offset + bytes);
    message->word[1] = bytes;
    return HK_OK;
}

static enum hk_status close_job(struct hk_service_host *host, struct spool *spool, struct job *job)
{
    bool idle = next_job(spool) == NULL;

    if (job->state != HK_PRINT_FILLING)
        return HK_EBUSY;
    job->order = ++spool->closed_count;
    hk_commit(job->state, HK_PRINT_WAITING);
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
    struct progress done;
    uint64_t bytes;

    if (job == NULL)
        return HK_OK;
    done = *progress_of(job);
    bytes = job->bytes - done.bytes < BAND_BYTES ? job->bytes - done.bytes : BAND_BYTES;
    done.checksum = print_band(data_of(host, spool, job) + done.bytes, bytes, done.checksum);
    done.bytes += bytes;
    job->progress[(job->printed + 1) % 2] = done;
    hk_commit(job->printed, job->printed + 1);
    if (done.bytes == job->bytes) {
        hk_commit(job->state, HK_PRINT_DONE);
        if (job->bits != 0)
            (void)host->signal(host, job->client, job->bits);
    }
    if (next_job(spool) != NULL)
        host->wake_at(host, host->clock_ns(host) + BAND_NS);
    return HK_OK;
}

/* For who did not get the number of a job that it opened. */
static enum hk_status cancel_unclosed(struct spool *spool, uint64_t client)
{
    for (uint32_t i = 0; i < JOBS; i++)
        if (spool->job[i].state == HK_PRINT_FILLING && spool->job[i].client == client)
            hk_commit(spool->job[i].state, HK_PRINT_FREE);
    return HK_OK;
}

static enum hk_status tell(const struct job *job, struct hk_service_message *message)
{
    const struct progress *done = progress_of(job);

    message->word[1] = done->bytes;
    message->word[2] = done->checksum;
    message->word[3] = job->state;
    message->words = 4;
    return HK_OK;
}

enum hk_status hk_print_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct spool *spool = host->memory;
    struct job *job;

    if (message->badge == HK_SERVICE_TIME_BADGE)
        return print_next(host, spool);
    if (message->word[0] == HK_PRINT_OPEN)
        return open_job(spool, message);
    job = job_of(spool, message->word[1]);
    if (job == NULL)
        return message->word[0] == HK_PRINT_CANCEL && message->word[1] == HK_PRINT_UNCLOSED
                   ? cancel_unclosed(spool, message->badge) : HK_ENOENT;
    if (job->client != message->badge)
        return HK_EPERM;
    switch (message->word[0]) {
    case HK_PRINT_DATA:
        return add_data(host, spool, job, message);
    case HK_PRINT_CLOSE:
        return close_job(host, spool, job);
    case HK_PRINT_CANCEL:
        hk_commit(job->state, HK_PRINT_FREE);
        return HK_OK;
    case HK_PRINT_STATUS:
        return tell(job, message);
    default:
        return HK_ENOSYS;
    }
}

void hk_print_start(struct hk_service_host *host)
{
    if (next_job(host->memory) != NULL)
        host->wake_at(host, host->clock_ns(host) + BAND_NS);
}
