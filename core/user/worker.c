/* SPDX-License-Identifier: MIT */
#include "user/worker.h"

int main(uint64_t argument, uint64_t *ipc_page)
{
    uint64_t shm = argument & 0xff, slot = argument >> 8 & 0xff, priority = argument >> 16 & 0xff;
    volatile uint64_t *counter = (volatile uint64_t *)HK_WORKER_PAGE + slot % HK_WORKER_SLOTS;

    (void)ipc_page;
    if (hk_syscall(HK_SYS_shm_map, shm, HK_WORKER_PAGE, HK_MAP_READ | HK_MAP_WRITE) != HK_OK ||
        hk_syscall(HK_SYS_thread_policy, HK_HANDLE_SELF, priority, 0) != HK_OK)
        return 1;
    for (;;) {
        *counter = *counter + 1;
        (void)hk_syscall0(HK_SYS_yield);
    }
}
