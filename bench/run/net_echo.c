/* SPDX-License-Identifier: MIT */
/* A packet there and back: both ends in the kernel's stack, lwIP in a server, or no stack. */
#include <stdlib.h>
#include <string.h>

#include "experiments.h"
#include "hk/base/units.h"
#include "hk/path/net.h"

static const int sizes[] = {64, 256, 512, 1024, 1400};

static enum hk_status add_service(const struct hk_net_service *s, const char *rest,
                                  hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    for (int stream = 0; stream <= s->streams && status == HK_OK; stream++)
        for (size_t i = 0; i < HK_ARRAY_COUNT(sizes) && status == HK_OK; i++)
            if (rest[0] == '\0' || i == 0)
                status = add(context, "native/net_echo/%s/over:%s/protocol:%s%s/bytes:%d", s->name,
                             s->over, stream ? "tcp" : "udp", rest, sizes[i]);
    return status;
}

static enum hk_status expand(enum hk_run_mode mode, hk_cell_adder *add, void *context)
{
    enum hk_status status = HK_OK;

    if (mode != HK_RUN_FULL)
        return HK_OK;
    for (size_t i = 0; i < hk_net_service_count && status == HK_OK; i++) {
        status = add_service(hk_net_services[i], "", add, context);
        if (status == HK_OK && hk_net_services[i]->run == NULL) /* there are two sides */
            status = add_service(hk_net_services[i], "/place:cross_core", add, context);
    }
    return status;
}

static enum hk_status read_name(struct hk_task *task, const struct hk_net_service **service,
                                struct hk_net_options *options)
{
    char name[24], over[24] = "", protocol[8] = "udp";
    const int64_t bytes = hk_task_int(task, "bytes", 0);

    hk_name_text(task->name, "over", over, sizeof over);
    hk_name_text(task->name, "protocol", protocol, sizeof protocol);
    if (hk_name_part(task->name, 2, name, sizeof name) != HK_OK ||
        hk_net_service_find(name, over, service) != HK_OK)
        return hk_task_refuse(task, HK_ENOENT, "no such network service; hkbench list --full shows "
                              "them");
    if (strcmp(protocol, "udp") != 0 && strcmp(protocol, "tcp") != 0)
        return hk_task_refuse(task, HK_EINVAL, "protocols are udp and tcp");
    options->stream = protocol[0] == 't';
    options->bytes = bytes < 0 ? 0 : (size_t)bytes;
    return HK_OK;
}

/* A segment's acknowledgement may travel alone: of streams only lower bounds are claimed. */
static void set_expectation(struct hk_task *task, const struct hk_net *net)
{
    const struct hk_net_service *s = net->service;

    task->expected.client_syscalls_min = s->run != NULL ? 0 : 2;
    task->expected.server_syscalls_min = s->syscalls;
    task->expected.switches_min = s->switches ? 2 : 0;
    if (net->options.stream)
        return;
    task->expected.client_syscalls_max = task->expected.client_syscalls_min;
    task->expected.server_syscalls_max = s->syscalls;
    if (task->cpus[0] == task->cpus[1])
        task->expected.switches_max = s->switches ? 2 : 0;
}

static enum hk_status open_task(struct hk_task *task)
{
    const struct hk_net_service *service;
    struct hk_net_options options = {0};

    enum hk_status status = read_name(task, &service, &options);
    if (status == HK_OK)
        status = hk_task_place(task);
    if (status != HK_OK)
        return status;
    struct hk_net *net = calloc(1, sizeof *net);
    if (net == NULL)
        return HK_ENOMEM;
    task->state = net;
    task->server_count = 1;
    status = hk_net_init(net, service, &options, task->reason);
    set_expectation(task, net);
    return status;
}

static void close_task(struct hk_task *task)
{
    if (task->state != NULL)
        hk_net_fini(task->state);
    free(task->state);
    task->state = NULL;
}

static enum hk_status serve(struct hk_task *task, size_t server)
{
    (void)server;
    return hk_net_serve(task->state);
}

static enum hk_status enter(struct hk_task *task)
{
    return hk_net_enter(task->state, task->reason);
}

static enum hk_status run(struct hk_task *task, uint64_t n)
{
    return hk_net_run(task->state, n);
}

static enum hk_status verify(struct hk_task *task)
{
    const enum hk_status status = hk_net_verify(task->state, hk_mix(task->seed, 1));

    if (status == HK_EROW)
        return hk_task_refuse(task, status, "the echo is not what was sent");
    return status;
}

static enum hk_status leave(struct hk_task *task)
{
    hk_net_leave(task->state);
    return HK_OK;
}

const struct hk_experiment hk_experiment_net_echo = {
    .kind = "net_echo",
    .summary = "a packet there and back: the kernel's stack, lwIP in a server, XDP, AF_XDP",
    .expand = expand,
    .open = open_task,
    .close = close_task,
    .serve = serve,
    .enter = enter,
    .run = run,
    .verify = verify,
    .leave = leave,
};
