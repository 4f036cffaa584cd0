/* SPDX-License-Identifier: MIT */
/* The program "server": one service of hk_services[] in a process of its own. */
#include "services/services.h"
#include "user/user.h"

struct server {
    struct hk_service_host host;
    uint64_t next_page; /* where the service's memory grows */
};

#define SERVER_HEAP 0x0000200000000000

static void *server_page(struct hk_service_host *host)
{
    struct server *server = (struct server *)(void *)host; /* its first member */
    uint64_t address = server->next_page;

    if (hk_syscall(HK_SYS_page_map, address, 1, HK_MAP_READ | HK_MAP_WRITE) != HK_OK)
        return NULL;
    server->next_page += HK_PAGE_BYTES;
    return (void *)address;
}

static void server_irq_ack(struct hk_service_host *host, uint32_t line)
{
    (void)host;
    (void)hk_syscall(HK_SYS_irq_ack, line, 0, 0);
}

static enum hk_status server_supply(struct hk_service_host *host, uint64_t address,
                                    uint64_t protection, void *page)
{
    (void)host;
    return (enum hk_status)hk_syscall5(HK_SYS_pager_map, address, 1, protection, (uint64_t)page, 0);
}

/* argument: number of the service, endpoint, one byte each */
int main(uint64_t argument, uint64_t *ipc_page)
{
    struct server server = { { server_page, server_irq_ack, server_supply }, SERVER_HEAP };
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    struct hk_service_message message = { .word = word, .buffer = ipc_page };
    uint64_t endpoint = argument >> 8 & 0xff;
    const struct hk_service *service;
    void *state = server_page(&server.host);
    int64_t words;

    if ((argument & 0xff) >= HK_SERVICES || state == NULL)
        return 1;
    service = &hk_services[argument & 0xff];
    if (service->irq != HK_SERVICE_NO_IRQ &&
        hk_syscall(HK_SYS_irq_bind, service->irq, endpoint, HK_SERVICE_IRQ_BADGE) != HK_OK)
        return 2;
    message.badge = endpoint;
    words = hk_user_ipc(HK_IPC_RECEIVE, &message.badge, message.word);
    while (words >= 0) {
        message.words = HK_SERVICE_REPLY_WORDS;
        message.word[0] = (uint64_t)service->handle(&server.host, state, &message);
        message.badge = endpoint;
        words = hk_user_ipc(hk_reply_wait_class(message.words) + (int64_t)message.words,
                            &message.badge, message.word);
    }
    return 3;
}
