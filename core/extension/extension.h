/* SPDX-License-Identifier: MIT */
/*
 * Extensions: small programs in eBPF's instruction set that a client leaves in the kernel, or in a
 * server, to look at packets. A program is verified once (verify.h) and then run without any check.
 *
 * It gets what a cgroup_skb program of Linux gets: in register 1 a struct __sk_buff, of which it
 * may read len, data and data_end, where the packet begins with its IP header. It returns 0 to drop
 * the packet, anything else to let it pass. Maps are arrays; key and value lie on its stack.
 */
#ifndef HK_EXTENSION_EXTENSION_H
#define HK_EXTENSION_EXTENSION_H

#include <stddef.h>
#include <stdint.h>

#include "extension/instruction.h"

#define HK_EXTENSION_INSTRUCTIONS_MAX 4096u /* as Linux takes from users without rights */
#define HK_EXTENSION_STACK_BYTES 512
#define HK_EXTENSION_PACKET_BYTES_MAX 65535u
#define HK_EXTENSION_MAPS 4u
#define HK_EXTENSION_KEY_BYTES 4u
#define HK_EXTENSION_VALUE_BYTES_MAX 1024u

/* An array: value i at values + i * stride_bytes. */
struct hk_map {
    uint32_t value_bytes; /* 1 to HK_EXTENSION_VALUE_BYTES_MAX */
    uint32_t stride_bytes;
    uint32_t count;
    unsigned char *values;
};

struct hk_extension {
    struct hk_instruction *instructions;
    uint32_t count;
    uint32_t map_count;
    const struct hk_map *maps;
};

/* Where programs that clang made for Linux look: offsets in struct __sk_buff. */
enum { HK_CONTEXT_LEN = 0, HK_CONTEXT_DATA = 76, HK_CONTEXT_DATA_END = 80 };

/* Where they find it: the verifier changes the offsets. */
struct hk_extension_context {
    uint32_t bytes;
    const unsigned char *data;
    const unsigned char *data_end;
};

/* What stands in an accepted program where no path leads: the packet is dropped. */
enum { HK_TRAP = 0 };

/*
 * Run a verified program on a packet.
 *
 * bytes  [in]  at most HK_EXTENSION_PACKET_BYTES_MAX
 *
 * Returns what it returns; 0 drops the packet. Each instruction runs at most once.
 */
uint64_t hk_extension_run(const struct hk_extension *extension, const unsigned char *packet,
                          uint32_t bytes);

/* Value of a map by number; NULL where there is none. */
static inline unsigned char *hk_map_value(const struct hk_map *map, uint32_t key)
{
    return key < map->count ? map->values + (size_t)key * map->stride_bytes : NULL;
}

#endif
