/* SPDX-License-Identifier: MIT */
#include "rtnetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES = 1024 };

struct request {
    union {
        struct nlmsghdr header;
        char bytes[REQUEST_BYTES]; /* ample for what is asked here */
    };
};

static void begin(struct request *r, int type, int flags, const void *body, size_t bytes)
{
    memset(r, 0, sizeof *r);
    r->header.nlmsg_type = (__u16)type;
    r->header.nlmsg_flags = (__u16)(NLM_F_REQUEST | NLM_F_ACK | flags);
    memcpy(r->bytes + NLMSG_HDRLEN, body, bytes);
    r->header.nlmsg_len = (__u32)NLMSG_LENGTH(bytes);
}

/* The attribute's place, for nesting. */
static struct rtattr *put(struct request *r, int type, const void *data, size_t bytes)
{
    struct rtattr *a = (struct rtattr *)(void *)(r->bytes + NLMSG_ALIGN(r->header.nlmsg_len));

    a->rta_type = (unsigned short)type;
    a->rta_len = (unsigned short)RTA_LENGTH(bytes);
    if (bytes > 0)
        memcpy(RTA_DATA(a), data, bytes);
    r->header.nlmsg_len = (__u32)(NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len));
    return a;
}

static void end(struct request *r, struct rtattr *nest)
{
    nest->rta_len = (unsigned short)(r->bytes + r->header.nlmsg_len - (char *)nest);
}

/* 0 or an errno. */
static int ask(const struct request *r)
{
    union {
        struct nlmsghdr header;
        char bytes[2 * REQUEST_BYTES];
    } answer;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return errno;
    int error = EIO;
    if (send(fd, r->bytes, r->header.nlmsg_len, 0) < 0) {
        error = errno;
    } else if (recv(fd, answer.bytes, sizeof answer.bytes, 0) >= (ssize_t)NLMSG_LENGTH(4) &&
               answer.header.nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *e = NLMSG_DATA(&answer.header);
        error = -e->error;
    }
    close(fd);
    return error;
}

static enum hk_status outcome(int error, const char *what, char reason[HK_REASON_BYTES])
{
    if (error == 0)
        return HK_OK;
    snprintf(reason, HK_REASON_BYTES, "%s: %s; run as root on a kernel that has them", what,
             strerror(error));
    return HK_ENOTSUP;
}

enum hk_status hk_net_veth(const struct hk_net_device *here, const struct hk_net_device *there,
                           int peer_fd, char reason[HK_REASON_BYTES])
{
    const struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
    struct request r;

    begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    put(&r, IFLA_IFNAME, here->name, strlen(here->name) + 1);
    put(&r, IFLA_ADDRESS, here->mac, HK_MAC_BYTES);
    struct rtattr *link = put(&r, IFLA_LINKINFO, NULL, 0);
    put(&r, IFLA_INFO_KIND, "veth", 4);
    struct rtattr *data = put(&r, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = put(&r, VETH_INFO_PEER, &info, sizeof info);
    put(&r, IFLA_IFNAME, there->name, strlen(there->name) + 1);
    put(&r, IFLA_ADDRESS, there->mac, HK_MAC_BYTES);
    put(&r, IFLA_NET_NS_FD, &peer_fd, sizeof peer_fd);
    end(&r, peer);
    end(&r, data);
    end(&r, link);
    return outcome(ask(&r), "pairs of network devices (veth)", reason);
}

enum hk_status hk_net_up(const char *device, uint32_t address, char reason[HK_REASON_BYTES])
{
    const int index = (int)if_nametoindex(device);
    const struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index,
                                   .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    const struct ifaddrmsg place = {.ifa_family = AF_INET, .ifa_prefixlen = 24,
                                    .ifa_index = (__u32)index};
    const uint32_t wire = htonl(address);
    struct request r;
    int error = 0;

    if (address != 0) {
        begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &place, sizeof place);
        put(&r, IFA_LOCAL, &wire, sizeof wire);
        put(&r, IFA_ADDRESS, &wire, sizeof wire);
        error = ask(&r);
    }
    if (error == 0) {
        begin(&r, RTM_NEWLINK, 0, &info, sizeof info);
        error = ask(&r);
    }
    return outcome(error, device, reason);
}

enum hk_status hk_net_neighbour(const char *device, uint32_t address,
                                const uint8_t mac[HK_MAC_BYTES], char reason[HK_REASON_BYTES])
{
    const struct ndmsg body = {.ndm_family = AF_INET, .ndm_ifindex = (int)if_nametoindex(device),
                               .ndm_state = NUD_PERMANENT};
    const uint32_t wire = htonl(address);
    struct request r;

    begin(&r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof body);
    put(&r, NDA_DST, &wire, sizeof wire);
    put(&r, NDA_LLADDR, mac, HK_MAC_BYTES);
    return outcome(ask(&r), "a neighbour", reason);
}

enum hk_status hk_net_checksums(const char *device, char reason[HK_REASON_BYTES])
{
    struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM, .data = 0};
    struct ifreq request = {.ifr_data = (void *)&off};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return outcome(errno, "checksums of a device", reason);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    const int error = ioctl(fd, SIOCETHTOOL, &request) == 0 ? 0 : errno;
    close(fd);
    return outcome(error, "checksums of a device", reason);
}
