/* SPDX-License-Identifier: MIT */
#include "xdp.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int hk_xdp_bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

enum hk_status hk_xdp_refuse(char reason[HK_REASON_BYTES], const char *what)
{
    snprintf(reason, HK_REASON_BYTES, "%s: %s; run as root on a kernel with eBPF and XDP", what,
             strerror(errno));
    return HK_ENOTSUP;
}

enum hk_status hk_xdp_attach(const struct bpf_insn *program, size_t count, int *link,
                             char reason[HK_REASON_BYTES])
{
    union bpf_attr load, create;

    memset(&load, 0, sizeof load);
    load.prog_type = BPF_PROG_TYPE_XDP;
    load.insns = (uintptr_t)program;
    load.insn_cnt = (uint32_t)count;
    load.license = (uintptr_t) "MIT";
    const int loaded = hk_xdp_bpf(BPF_PROG_LOAD, &load);
    if (loaded < 0)
        return hk_xdp_refuse(reason, "an XDP program");
    memset(&create, 0, sizeof create);
    create.link_create.prog_fd = (uint32_t)loaded;
    create.link_create.target_ifindex = if_nametoindex(hk_net_server_device.name);
    create.link_create.attach_type = BPF_XDP;
    create.link_create.flags = XDP_FLAGS_SKB_MODE;
    *link = hk_xdp_bpf(BPF_LINK_CREATE, &create);
    const int error = errno;
    close(loaded);
    errno = error;
    return *link >= 0 ? HK_OK : hk_xdp_refuse(reason, "a program at a veth");
}
