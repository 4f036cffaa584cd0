/* SPDX-License-Identifier: MIT */
/* The shortest boot that proves something: a server in another address space answers. */
#include "user/scenario.h"
#include "user/peer.h"
#include "user/user.h"

int hk_scenario_hello(uint64_t *ipc_page)
{
    struct hk_server server;
    uint64_t w0 = 2385, w1 = 7411;
    int64_t words;

    (void)ipc_page;
    if (hk_peer_start(HK_PEER_ECHO, HK_HANDLE_SELF, &server) != HK_OK) {
        hk_say("fail", "the echo server does not start");
        return 1;
    }
    words = hk_call(server.endpoint, 2, &w0, &w1);
    if (words != 2 || w0 != 2385 || w1 != 7411) {
        hk_say("fail", "the echo server answers wrongly");
        return 1;
    }
    hk_server_stop(&server);
    hk_say("log", "hello from ring 3");
    return 0;
}
