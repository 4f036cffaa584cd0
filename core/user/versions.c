/* SPDX-License-Identifier: MIT */
#include "user/versions.h"

/* Works for a while on every request, so that it is often stopped in the middle of one. */
static int serve(uint64_t endpoint, uint64_t version)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { 0 };
    uint64_t badge = endpoint, x, w1;
    int64_t words = hk_user_ipc(HK_IPC_RECEIVE, &badge, word);

    x = word[0];
    while (words >= 0) {
        for (uint64_t i = 0; i < x % 4; i++)
            (void)hk_syscall0(HK_SYS_yield);
        x = hk_versions_answer(x);
        w1 = version;
        words = hk_reply_wait(endpoint, 2, &badge, &x, &w1);
    }
    return 1;
}

/* The service, whichever version has the name now or takes it next. */
static uint64_t look_up(void)
{
    static const char name[] = HK_VERSIONS_SERVICE;

    return (uint64_t)hk_syscall(HK_SYS_service_lookup, (uint64_t)name, sizeof(name) - 1,
                                HK_TIMEOUT_NONE);
}

static int call_for_ever(uint64_t shm, uint64_t number)
{
    volatile struct hk_versions_count *count =
        (volatile struct hk_versions_count *)HK_WORKER_PAGE + number;
    uint64_t service = look_up();

    if (hk_syscall(HK_SYS_shm_map, shm, HK_WORKER_PAGE, HK_MAP_READ | HK_MAP_WRITE) != HK_OK)
        return 1;
    for (uint64_t n = 0;; n++) {
        uint64_t x = n * HK_VERSIONS_CLIENTS + number, version = 0, asked = x;
        int64_t words = hk_call(service, 2, &x, &version);

        while (words == HK_EPEER || words == HK_EHANDLE) {
            count->statuses++;
            (void)hk_syscall(HK_SYS_cap_drop, service, 0, 0);
            service = look_up();
            x = asked;
            words = hk_call(service, 2, &x, &version);
        }
        if (words != 2 || x != hk_versions_answer(asked) || version < count->version)
            count->wrong++;
        count->version = version;
        count->answers++;
    }
}

int main(uint64_t argument, uint64_t *ipc_page)
{
    uint64_t handle = argument & 0xff, number = argument >> 8 & 0xffffff;

    (void)ipc_page;
    return argument >> 32 == HK_VERSIONS_SERVER ? serve(handle, number)
                                                : call_for_ever(handle, number);
}
