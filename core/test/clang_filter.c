/* SPDX-License-Identifier: MIT */
/*
 * A filter as one writes it for Linux (cgroup_skb): IPv4 and UDP to port 53 or 5353, whatever the
 * length of the header. Compiled by clang for the target bpf.
 */
struct sk_buff { /* the fields that are used, where struct __sk_buff has them */
    unsigned int len;
    unsigned int others[18];
    unsigned int data;
    unsigned int data_end;
};

int filter(struct sk_buff *skb)
{
    const unsigned char *data = (const unsigned char *)(long)skb->data;
    const unsigned char *end = (const unsigned char *)(long)skb->data_end;

    if (data + 20 > end || data[0] >> 4 != 4 || data[9] != 17)
        return 0;
    const unsigned int header_bytes = (data[0] & 15u) * 4;
    if (header_bytes < 20)
        return 0;
    const unsigned char *udp = data + header_bytes;
    if (udp + 8 > end)
        return 0;
    const unsigned int port = (unsigned int)udp[2] << 8 | udp[3];

    /* a sum over the header, for what an unrolled loop looks like */
    unsigned int sum = 0;
#pragma unroll
    for (int i = 0; i < 20; i += 2)
        sum += (unsigned int)data[i] << 8 | data[i + 1];
    return (port == 53 || port == 5353) && sum != 0;
}
