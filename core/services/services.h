/* SPDX-License-Identifier: MIT */
/*
 * Services, written once. A service is a function from a request to a reply; the
 * composition at boot says for each whether the kernel calls it directly or a
 * process of its own calls it for messages. It cannot tell the difference.
 *
 * A service never waits. What is not ready is a status, and who wants to know when
 * it is asks to be signalled. The one exception is the block service with a device, which
 * asks it for each block until it answers, at most 2 s: docs/decisions/0284.
 */
#ifndef HK_SERVICES_SERVICES_H
#define HK_SERVICES_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/abi.h"
#include "hk/base/status.h"
#include "hk/base/units.h"
#include "hk/core/composition.h"
#include "hk/core/mix.h"

/* Badge of the message that wake_at() asked for. */
#define HK_SERVICE_TIME_BADGE 0x8000000000000000

/* Badge of the message that its device's interrupt sends. */
#define HK_SERVICE_DEVICE_BADGE 0x8000000000000001

#define HK_SERVICE_NEVER_NS UINT64_MAX

enum hk_device_kind { HK_DEVICE_NONE, HK_DEVICE_VIRTIO_NET, HK_DEVICE_VIRTIO_BLOCK, HK_DEVICE_RAMFB };

/* A service's device, where it sees it. There is one when devices= names the service. */
struct hk_service_device {
    enum hk_device_kind kind;
    volatile void *registers;
    void *frames; /* as many pages as its row says, side by side, that the device sees too */
    uint64_t frames_physical;
};

/* What a service has and may ask of the place where it runs. */
struct hk_service_host {
    /*
     * The pages of its row, zeroed when the service first starts. They survive the
     * death of a server, and the next one finds them where they were: at any
     * instruction they must hold all that was acknowledged (services/commit.h).
     */
    void *memory;
    /*
     * Their second copy and their sums: services/durable.h. NULL in the kernel, which no
     * successor follows, and of services that have one copy.
     */
    void *copy;
    uint64_t *sums;
    struct hk_service_device device;

    uint64_t (*clock_ns)(struct hk_service_host *host);
    /* one message with HK_SERVICE_TIME_BADGE at this time, instead of any before */
    void (*wake_at)(struct hk_service_host *host, uint64_t at_ns);
    /* set bits that the client's hk_client_wait() returns; HK_ENOENT: it is gone */
    enum hk_status (*signal)(struct hk_service_host *host, uint64_t client, uint64_t bits);
    /* map a page of its memory at a client's address, for reading */
    enum hk_status (*lend)(struct hk_service_host *host, const void *page, uint64_t client,
                           uint64_t address);
    /* whether some client has a page mapped */
    bool (*is_lent)(struct hk_service_host *host, const void *page);
    /*
     * Leave an answer in the kernel's cache, where hk_client_answer() finds it without
     * the service; an answer of no words removes it. docs/decisions/0282
     */
    void (*answer)(struct hk_service_host *host, const struct hk_answer *answer);
    /*
     * While it serves a page fault (word 0 is HK_PAGER_FAULT, see abi.h): a zeroed page for the
     * client at that address, or for a page that is there another protection.
     */
    enum hk_status (*supply)(struct hk_service_host *host, uint64_t address, uint64_t protection);

    /* the device may interrupt again */
    void (*device_ack)(struct hk_service_host *host);
    /* its ports, by their offset */
    uint32_t (*in32)(struct hk_service_host *host, uint32_t offset);
    void (*out32)(struct hk_service_host *host, uint32_t offset, uint32_t value);
};

/*
 * A request, and in the same place its reply: word 0 is then the status, the
 * results follow from word 1, and words is the length of the whole.
 */
struct hk_service_message {
    uint64_t badge;   /* who asks: the client's pid */
    uint64_t words;
    uint64_t *word;   /* HK_MESSAGE_REGISTER_WORDS of them, where they lie anyway */
    uint64_t *buffer; /* words 11..: HK_MESSAGE_BUFFER_WORDS of them; none of the kernel's own */
};

struct hk_service {
    const char *name;
    uint32_t pages;        /* of memory, 1 to HK_SERVICE_PAGES_MAX */
    bool kernel_in_hybrid; /* where the default composition puts it */
    bool two_copies;       /* of its memory, when it is a server: services/durable.h */
    /* once before the first message: memory is zeroed, or as a predecessor left it */
    void (*start)(struct hk_service_host *host);
    /* words is HK_SERVICE_REPLY_WORDS before, and may be changed */
    enum hk_status (*handle)(struct hk_service_host *host, struct hk_service_message *message);
    enum hk_device_kind device; /* that it can use */
    uint32_t device_pages;
};

#define HK_SERVICE_PAGES_MAX 512 /* 255 of one with two copies */
#define HK_SERVICE_REPLY_WORDS 2
#define HK_SERVICE_PAYLOAD_BYTES (HK_MESSAGE_BUFFER_WORDS * 8) /* of one message: a page */

extern const struct hk_service hk_services[HK_SERVICES];

/* Length of a reply with bytes in the buffer. */
static inline uint64_t hk_service_payload_words(uint64_t bytes)
{
    return HK_MESSAGE_REGISTER_WORDS + (bytes + 7) / 8;
}

/*
 * Word 0 of a request says what to do; its other words, and the reply's, depend on it.
 */
enum hk_file_request {
    HK_FILE_LOOKUP,   /* 1: folder, 2..4: name -> 1: file, 2: kind, 3: bytes, 4: version */
    HK_FILE_STAT,     /* 1: file -> as lookup */
    HK_FILE_CREATE,   /* 1: folder, 2..4: name, 5: kind -> as lookup; HK_EEXIST */
    HK_FILE_READ,     /* 1: file, 2: offset, 3: bytes <= 4096 -> 1: bytes, in the buffer */
    HK_FILE_WRITE,    /* 1: file, 2: offset, 3: bytes <= 4096, in the buffer -> 1: bytes */
    HK_FILE_LEND,     /* 1: file, 2: offset of a page, 3: client's page -> 1: bytes there */
    HK_FILE_TRUNCATE, /* 1: file, 2: bytes */
    HK_FILE_RENAME,   /* 1: folder, 2..4: name, 5: to folder, 6..8: name; replaces a file there */
    HK_FILE_UNLINK,   /* 1: folder, 2..4: name; a folder must be empty */
    HK_FILE_LIST,     /* 1: folder, 2: 0 or the last answer's -> 1: file, 2: next, 3..5: name */
    HK_FILE_REFRESH,  /* 1: ns; 0: no cached answer is older than its file, else so old at most */
    HK_FILE_STATUS,   /* -> 1: pages that its server restored when it started, 2: lost */
};
#define HK_FILE_ROOT 0
#define HK_FILE_ANSWER_WORDS 4 /* of lookup, stat and create, from word 1 on */
#define HK_FILE_NAME_BYTES 24 /* padded with zeros; no '/', not empty */
#define HK_FILE_BYTES_MAX (32 * (uint64_t)HK_PAGE_BYTES)
enum hk_file_kind { HK_FILE_FREE, HK_FILE_PLAIN, HK_FILE_FOLDER };

/* Under which keys the answers to lookup and stat are in the kernel's cache. */
static inline struct hk_answer_key hk_file_lookup_key(uint64_t folder, const uint64_t name[3])
{
    return (struct hk_answer_key){ { folder << 1 | 1, name[0], name[1], name[2] } };
}

static inline struct hk_answer_key hk_file_stat_key(uint64_t file)
{
    return (struct hk_answer_key){ { file << 1 } };
}

enum hk_net_request {
    HK_NET_BIND,    /* 1: port, 0: any, 2: bits to signal on arrival, 0: none -> 1: port */
    HK_NET_CLOSE,   /* 1: port */
    HK_NET_SEND,    /* 1: from port, 2: to address, 3: to port, 4: bytes, in the buffer */
    HK_NET_RECEIVE, /* 1: port -> 1: bytes, 2: from address, 3: from port; HK_EEMPTY */
    HK_NET_COUNT,   /* 1: enum hk_net_counter -> 1: packets */
    /* a program looks at what arrives at a port of the client's: services/port_filter.h */
    HK_NET_PROGRAM, /* 1: port, 2: first instruction, 3: instructions <= 512, in the buffer */
    HK_NET_FILTER,  /* 1: port, 2: instructions, 3: maps, 4..7: value bytes | values << 32 ->
                       1: processed; HK_EBUSY: ask again; HK_EINVAL: 1: enum hk_reject, 2: where */
    HK_NET_UNFILTER, /* 1: port */
    HK_NET_VALUE,   /* 1: port, 2: map, 3: key -> 1: bytes, in the buffer */
};

/* What became of packets: the faults of services/packet.h, and */
enum hk_net_counter {
    HK_NET_SENT,
    HK_NET_SHORT,
    HK_NET_VERSION,
    HK_NET_HEADER_SUM,
    HK_NET_FRAGMENT,
    HK_NET_PROTOCOL,
    HK_NET_LENGTH,
    HK_NET_PAYLOAD_SUM,
    HK_NET_NO_PORT,
    HK_NET_PORT_FULL,
    HK_NET_NOT_OURS,  /* sent to another address */
    HK_NET_FILTERED,
    HK_NET_DELIVERED,
    HK_NET_COUNTERS,
};

enum hk_block_request {
    HK_BLOCK_READ,   /* 1: block -> 1: bytes, in the buffer */
    HK_BLOCK_WRITE,  /* 1: block, the buffer; acknowledged: survives the server */
    HK_BLOCK_FLUSH,  /* -> 1: blocks written back; on the device now */
    HK_BLOCK_STATUS, /* -> 1: blocks, 2: dirty, 3: hits, 4: misses, 5: pages restored, 6: lost */
};
#define HK_BLOCK_BYTES HK_PAGE_BYTES

enum hk_audio_request {
    HK_AUDIO_START,  /* 1: period ns, 2: periods the device holds: starts afresh */
    HK_AUDIO_STOP,   /* */
    HK_AUDIO_OPEN,   /* -> 1: stream */
    HK_AUDIO_CLOSE,  /* 1: stream */
    HK_AUDIO_WRITE,  /* 1: stream, 2: frames <= 1024, in the buffer -> 1: frames taken */
    HK_AUDIO_STATUS, /* -> 1: periods mixed, 2: underruns, 3: frames streams were short of, 4: sum */
    /*
     * -> of the wake-ups since somebody asked last: 1: how many, 2: ns late in all, 3: squares of
     * that, 4: squares of how much it changed from one to the next, 5: the latest by ns
     */
    HK_AUDIO_LATENESS,
};
#define HK_AUDIO_PERIOD_FRAMES 64
#define HK_AUDIO_FRAME_BYTES 4 /* two samples of 16 bits */

enum hk_timer_request {
    HK_TIMER_SET,    /* 1: at ns, 2: period ns or 0, 3: bits to signal -> 1: alarm */
    HK_TIMER_CANCEL, /* 1: alarm -> 1: times it went off */
    /* -> 1: alarms set, 2: gone off, 3: latest by ns, 4: pages restored, 5: lost */
    HK_TIMER_STATUS,
};

enum hk_display_request {
    HK_DISPLAY_FILL,   /* 1: x | y << 32, 2: width | height << 32, 3: colour */
    HK_DISPLAY_UPLOAD, /* 1: first pixel of the picture, 2: bytes <= 4096, in the buffer */
    HK_DISPLAY_BLIT,   /* 1: x | y << 32, 2: width | height << 32, 3: x | y << 32 in the picture */
    HK_DISPLAY_BLEND,  /* the same, by the picture's alpha (bits 24 to 31) */
    HK_DISPLAY_READ,   /* 1: x | y << 32, 2: pixels <= 1024 of that line -> 1: bytes */
    HK_DISPLAY_STATUS, /* -> 1: width, 2: height, 3: pixels drawn */
};

enum hk_print_request {
    HK_PRINT_OPEN,   /* 1: bits to signal when it is printed, 0: none -> 1: job */
    HK_PRINT_DATA,   /* 1: job, 2: offset (what is there already), 3: bytes, in the buffer -> 1: bytes */
    HK_PRINT_CLOSE,  /* 1: job: no more data comes */
    HK_PRINT_CANCEL, /* 1: job, or HK_PRINT_UNCLOSED: all of the caller's, if an answer was lost */
    /* 1: job -> 1: bytes printed, 2: checksum of them, 3: enum hk_print_state; HK_EIO: lost */
    HK_PRINT_STATUS,
    HK_PRINT_FOUND, /* -> 1: pages that its server restored when it started, 2: lost */
};
#define HK_PRINT_UNCLOSED UINT64_MAX /* no job has this number */
enum hk_print_state {
    HK_PRINT_FREE,
    HK_PRINT_FILLING,
    HK_PRINT_WAITING,
    HK_PRINT_DONE,
    HK_PRINT_LOST, /* both copies of its data were damaged before it was printed */
};

enum hk_memory_request {
    HK_MEMORY_RESERVE, /* 1: pages -> 1: address of that many, which come when they are touched */
    HK_MEMORY_RELEASE, /* 1: address, as reserved -> 1: pages */
    HK_MEMORY_STATUS,  /* -> 1: pages that its server restored when it started, 2: lost */
};

/*
 * Which services use their devices: one bit per service.
 *
 * text   [in]  "name,name,..." of services that can have one; not terminated
 * bytes  [in]  its length; 0: none
 *
 * Returns HK_OK; HK_EPARSE for anything else.
 */
enum hk_status hk_devices_parse(const char *text, uint64_t bytes, uint32_t *devices);

#endif
