/* SPDX-License-Identifier: MIT */
/*
 * An audio mixer. It wakes every period, adds what its streams have for that period
 * and puts the sum into the buffer of a device that takes frames out at a fixed rate,
 * whether there are any or not: an underrun is a period the device wanted and did not
 * get in time.
 *
 * Positions only grow, and each is written last: what a stream has taken over is there.
 */
#include "services/commit.h"
#include "services/rows.h"

#define STREAMS 8u
#define STREAM_FRAMES 1024u /* that a stream holds: one page */
#define BUFFERS_MAX HK_MIX_AUDIO_BUFFERS_MAX
#define PERIOD_FRAMES HK_AUDIO_PERIOD_FRAMES

struct frame {
    int16_t left, right;
};

struct stream {
    uint64_t client; /* badge + 1; 0: not in use */
    uint64_t written, mixed; /* frames since it was opened */
};

/* How late it woke, since somebody asked; a server that dies may leave one of them half told. */
struct lateness {
    uint64_t wakes;
    uint64_t sum_ns, square_sum, change_square_sum;
    uint64_t last_ns, max_ns;
};

struct mixer {
    uint64_t period_ns; /* 0: stopped */
    uint64_t buffers;
    uint64_t start_ns; /* when the device wanted its first period */
    uint64_t periods; /* mixed since then; those not made in time are left out */
    uint64_t underruns;
    uint64_t short_frames;
    uint64_t checksum; /* of all that the device was given */
    uint64_t due_ns; /* when it is to wake; 0: it did not ask */
    struct lateness lateness;
    struct stream stream[STREAMS];
    struct frame device[BUFFERS_MAX][PERIOD_FRAMES];
};

_Static_assert(HK_AUDIO_PAGES == 1 + STREAMS, "rows.h says as many pages");
_Static_assert(sizeof(struct mixer) <= HK_PAGE_BYTES, "the mixer fits");
_Static_assert(STREAM_FRAMES * HK_AUDIO_FRAME_BYTES == HK_PAGE_BYTES, "a stream is a page");

static struct frame *frames_of(struct mixer *mixer, const struct stream *stream)
{
    char *base = (char *)mixer + HK_PAGE_BYTES;

    return (struct frame *)(void *)(base + (uint64_t)(stream - mixer->stream) * HK_PAGE_BYTES);
}

static int16_t saturate(int32_t sample)
{
    if (sample > INT16_MAX)
        return INT16_MAX;
    return sample < INT16_MIN ? INT16_MIN : (int16_t)sample;
}

/* Add a period of one stream; what it is short of stays silent. */
static void add_stream(struct mixer *mixer, struct stream *stream, struct frame *to)
{
    const struct frame *from = frames_of(mixer, stream);
    uint64_t count = stream->written - stream->mixed;

    if (count > PERIOD_FRAMES)
        count = PERIOD_FRAMES;
    for (uint64_t i = 0; i < count; i++) {
        const struct frame *frame = &from[(stream->mixed + i) % STREAM_FRAMES];

        to[i].left = saturate(to[i].left + frame->left);
        to[i].right = saturate(to[i].right + frame->right);
    }
    mixer->short_frames += PERIOD_FRAMES - count;
    hk_commit(stream->mixed, stream->mixed + count);
}

static void mix_period(struct mixer *mixer)
{
    struct frame *to = mixer->device[mixer->periods % mixer->buffers];

    __builtin_memset(to, 0, sizeof(mixer->device[0]));
    for (uint32_t i = 0; i < STREAMS; i++)
        if (mixer->stream[i].client != 0)
            add_stream(mixer, &mixer->stream[i], to);
    for (uint32_t i = 0; i < PERIOD_FRAMES; i += 16)
        mixer->checksum = mixer->checksum * 31 + (uint16_t)to[i].left;
    hk_commit(mixer->periods, mixer->periods + 1);
}

static void note_lateness(struct lateness *l, uint64_t late_ns)
{
    uint64_t change_ns = late_ns > l->last_ns ? late_ns - l->last_ns : l->last_ns - late_ns;

    if (l->wakes > 0)
        l->change_square_sum += change_ns * change_ns;
    l->wakes++;
    l->sum_ns += late_ns;
    l->square_sum += late_ns * late_ns;
    l->last_ns = late_ns;
    if (late_ns > l->max_ns)
        l->max_ns = late_ns;
}

/*
 * Fill the device. Period n is wanted from start + n periods on; a period whose time
 * has come without it is an underrun, and the device goes on with the next.
 */
static enum hk_status fill_device(struct hk_service_host *host, struct mixer *mixer)
{
    uint64_t now_ns = host->clock_ns(host);
    uint64_t wanted;

    if (mixer->period_ns == 0)
        return HK_OK;
    if (mixer->due_ns != 0 && now_ns >= mixer->due_ns)
        note_lateness(&mixer->lateness, now_ns - mixer->due_ns);
    wanted = now_ns < mixer->start_ns ? 0 : (now_ns - mixer->start_ns) / mixer->period_ns + 1;
    if (mixer->periods < wanted) {
        mixer->underruns += wanted - mixer->periods;
        hk_commit(mixer->periods, wanted);
    }
    while (mixer->periods < wanted + mixer->buffers - 1)
        mix_period(mixer);
    /* when a buffer comes free; there are buffers - 1 periods left until the device is dry */
    mixer->due_ns = mixer->start_ns + wanted * mixer->period_ns;
    host->wake_at(host, mixer->due_ns);
    return HK_OK;
}

static enum hk_status start_device(struct hk_service_host *host, struct mixer *mixer,
                                   uint64_t period_ns, uint64_t buffers)
{
    if (period_ns < HK_MIX_PERIOD_NS_MIN || period_ns > HK_NS_PER_S || buffers < 2 ||
        buffers > BUFFERS_MAX)
        return HK_EINVAL;
    mixer->period_ns = 0;
    mixer->due_ns = 0;
    mixer->buffers = buffers;
    mixer->start_ns = host->clock_ns(host) + period_ns;
    mixer->periods = mixer->underruns = mixer->short_frames = mixer->checksum = 0;
    hk_commit(mixer->period_ns, period_ns);
    return fill_device(host, mixer);
}

static enum hk_status open_stream(struct mixer *mixer, struct hk_service_message *message)
{
    for (uint32_t i = 0; i < STREAMS; i++) {
        if (mixer->stream[i].client != 0)
            continue;
        mixer->stream[i].written = mixer->stream[i].mixed = 0;
        hk_commit(mixer->stream[i].client, message->badge + 1);
        message->word[1] = i;
        return HK_OK;
    }
    return HK_ENOSPC;
}

static enum hk_status write_frames(struct mixer *mixer, struct stream *stream,
                                   struct hk_service_message *message)
{
    const struct frame *from = (const struct frame *)message->buffer;
    struct frame *to = frames_of(mixer, stream);
    uint64_t count = message->word[2];
    uint64_t room = STREAM_FRAMES - (stream->written - stream->mixed);

    if (count > HK_SERVICE_PAYLOAD_BYTES / HK_AUDIO_FRAME_BYTES)
        return HK_ETOOBIG;
    if (count > room)
        count = room;
    for (uint64_t done = 0; done < count;) {
        uint64_t at = (stream->written + done) % STREAM_FRAMES;
        uint64_t part = STREAM_FRAMES - at < count - done ? STREAM_FRAMES - at : count - done;

        __builtin_memcpy(to + at, from + done, part * sizeof(*to));
        done += part;
    }
    hk_commit(stream->written, stream->written + count);
    message->word[1] = count;
    return HK_OK;
}

static enum hk_status tell(const struct mixer *mixer, struct hk_service_message *message)
{
    message->word[1] = mixer->periods - mixer->underruns;
    message->word[2] = mixer->underruns;
    message->word[3] = mixer->short_frames;
    message->word[4] = mixer->checksum;
    message->words = 5;
    return HK_OK;
}

/* And begin anew. */
static enum hk_status tell_lateness(struct mixer *mixer, struct hk_service_message *message)
{
    message->word[1] = mixer->lateness.wakes;
    message->word[2] = mixer->lateness.sum_ns;
    message->word[3] = mixer->lateness.square_sum;
    message->word[4] = mixer->lateness.change_square_sum;
    message->word[5] = mixer->lateness.max_ns;
    message->words = 6;
    mixer->lateness = (struct lateness){ 0 };
    return HK_OK;
}

static enum hk_status handle_stream(struct mixer *mixer, struct hk_service_message *message)
{
    struct stream *stream;

    if (message->word[1] >= STREAMS)
        return HK_ENOENT;
    stream = &mixer->stream[message->word[1]];
    if (stream->client == 0)
        return HK_ENOENT;
    if (stream->client != message->badge + 1)
        return HK_EPERM;
    if (message->word[0] == HK_AUDIO_WRITE)
        return write_frames(mixer, stream, message);
    hk_commit(stream->client, 0);
    return HK_OK;
}

enum hk_status hk_audio_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    struct mixer *mixer = host->memory;

    if (message->badge == HK_SERVICE_TIME_BADGE)
        return fill_device(host, mixer);
    switch (message->word[0]) {
    case HK_AUDIO_START:
        return start_device(host, mixer, message->word[1], message->word[2]);
    case HK_AUDIO_STOP:
        mixer->period_ns = 0;
        host->wake_at(host, HK_SERVICE_NEVER_NS);
        return HK_OK;
    case HK_AUDIO_OPEN:
        return open_stream(mixer, message);
    case HK_AUDIO_WRITE:
    case HK_AUDIO_CLOSE:
        return handle_stream(mixer, message);
    case HK_AUDIO_STATUS:
        return tell(mixer, message);
    case HK_AUDIO_LATENESS:
        return tell_lateness(mixer, message);
    default:
        return HK_ENOSYS;
    }
}

/* After a restart the device has gone on without us: what it missed is counted. */
void hk_audio_start(struct hk_service_host *host)
{
    (void)fill_device(host, host->memory);
}
