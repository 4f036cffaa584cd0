/* SPDX-License-Identifier: MIT */
/*
 * What the services must do, in whatever composition: the lines are the same for
 * all of them. Then one server dies and is replaced while its clients live.
 */
#include "user/compose.h"
#include "user/scenario.h"

static bool expect(bool holds, const char *what)
{
    hk_say(holds ? "log" : "fail", what);
    return holds;
}

static bool files_work(uint64_t *page)
{
    int64_t handle = hk_service_handle(HK_SERVICE_FS);
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FS_OPEN, 0x6f6c6c6568 };
    uint64_t fs = (uint64_t)handle, one_way = fs, file;
    bool good;

    if (!expect(handle >= 0 && hk_service_request(fs, 4, word) == HK_OK, "fs opens a file"))
        return false;
    file = word[1];
    for (uint64_t i = 0; i < 64; i++)
        page[i] = 2385 * i;
    word[0] = HK_FS_WRITE, word[1] = file, word[2] = 3900, word[3] = 512;
    good = expect(hk_service_request(fs, HK_MESSAGE_REGISTER_WORDS + 64, word) == HK_OK &&
                      word[1] == 512,
                  "fs writes across a page");
    for (uint64_t i = 0; i < 64; i++)
        page[i] = 0;
    word[0] = HK_FS_READ, word[1] = file, word[2] = 3900, word[3] = 4096;
    good &= expect(hk_service_request(fs, 4, word) == HK_OK && word[1] == 512 &&
                       page[63] == 2385 * 63 && page[1] == 2385,
                   "fs reads it back");
    word[0] = HK_FS_READ, word[1] = file + 1, word[2] = 0, word[3] = 8;
    good &= expect(hk_service_request(fs, 4, word) == HK_ENOENT, "fs refuses a bad file");
    good &= expect(hk_user_ipc(HK_IPC_SEND + 4, &one_way, word) == 0, "fs takes a one-way message");
    (void)hk_syscall(HK_SYS_cap_drop, fs, 0, 0);
    return good;
}

static bool driver_works(void)
{
    int64_t handle = hk_service_handle(HK_SERVICE_DRIVER);
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_DRIVER_COUNT };
    uint64_t before;
    bool good = handle >= 0 && hk_service_request((uint64_t)handle, 1, word) == HK_OK;

    before = word[1];
    for (int i = 0; i < 3; i++) {
        (void)hk_syscall(HK_SYS_irq_raise, hk_services[HK_SERVICE_DRIVER].irq, 0, 0);
        (void)hk_syscall0(HK_SYS_yield);
    }
    word[0] = HK_DRIVER_COUNT;
    good = good && hk_service_request((uint64_t)handle, 1, word) == HK_OK &&
           word[1] == before + 3;
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)handle, 0, 0);
    return expect(good, "driver counts three interrupts");
}

static bool memory_works(void)
{
    int64_t handle = hk_service_handle(HK_SERVICE_MEMORY);
    uint64_t memory = (uint64_t)handle;
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_MEMORY_RESERVE, 3 };
    uint64_t address;
    bool good;

    if (!expect(handle >= 0 && hk_service_request(memory, 2, word) == HK_OK,
                "memory reserves a range"))
        return false;
    address = word[1];
    good = expect(hk_syscall(HK_SYS_page_map, address, 3, HK_MAP_READ | HK_MAP_WRITE) == HK_OK &&
                      hk_syscall(HK_SYS_page_unmap, address, 3, 0) == HK_OK,
                  "pages can be mapped there");
    word[0] = HK_MEMORY_RESERVE, word[1] = 100000;
    good &= expect(hk_service_request(memory, 2, word) == HK_ENOMEM, "memory has a limit");
    word[0] = HK_MEMORY_RELEASE, word[1] = address;
    good &= expect(hk_service_request(memory, 2, word) == HK_OK && word[1] == 3,
                   "memory takes it back");
    (void)hk_syscall(HK_SYS_cap_drop, memory, 0, 0);
    return good;
}

/* In every composition but the monolithic: the file server dies and another takes its name. */
static bool replacement_works(struct hk_composition *composition, uint64_t *page)
{
    int64_t handle = hk_service_handle(HK_SERVICE_FS);
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FS_OPEN, 0x6f6c6c6568 };
    bool good;

    if (composition->placement & 1u << HK_SERVICE_FS)
        return true;
    hk_server_stop(&composition->server[HK_SERVICE_FS]);
    good = expect(hk_service_request((uint64_t)handle, 4, word) == HK_EPEER,
                  "a client of the dead server gets a status");
    (void)hk_syscall(HK_SYS_cap_drop, (uint64_t)handle, 0, 0);
    good &= expect(hk_compose_server(composition, HK_SERVICE_FS) == HK_OK,
                   "a new version takes its place");
    return good && files_work(page);
}

int hk_scenario_services(uint64_t *ipc_page)
{
    struct hk_composition composition;
    bool good = hk_compose(&composition) == HK_OK;

    good = expect(good, "all services start");
    if (good) {
        good = files_work(ipc_page);
        good &= driver_works();
        good &= memory_works();
        good &= replacement_works(&composition, ipc_page);
        hk_compose_stop(&composition);
    }
    return good ? 0 : 1;
}
