/* SPDX-License-Identifier: MIT */
/* Numbers in network byte order, most significant byte first, at any address. */
#ifndef HK_SERVICES_BYTE_ORDER_H
#define HK_SERVICES_BYTE_ORDER_H

#include <stdint.h>

static inline uint32_t hk_get_be16(const unsigned char *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t hk_get_be32(const unsigned char *at)
{
    return hk_get_be16(at) << 16 | hk_get_be16(at + 2);
}

static inline void hk_put_be16(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

static inline void hk_put_be32(unsigned char *at, uint32_t value)
{
    hk_put_be16(at, value >> 16);
    hk_put_be16(at + 2, value);
}

#endif
