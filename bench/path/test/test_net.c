/* SPDX-License-Identifier: MIT */
/*
 * The network services: what is sent comes back over every stack and device, a dead server is
 * noticed, and no namespace, device or descriptor is left behind.
 */
#include <dirent.h>
#include <net/if.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hk/base/units.h"
#include "hk/path/net.h"
#include "watch.h"

static pid_t start_server(struct hk_net *net)
{
    const pid_t parent = getpid(), pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(getppid() == parent ? -hk_net_serve(net) : 1);
}

static void use(const struct hk_net_service *service, bool stream, size_t bytes)
{
    const struct hk_net_options options = {.stream = stream, .bytes = bytes};
    char reason[HK_REASON_BYTES] = "";
    struct hk_net net;

    assert_int_equal(hk_net_init(&net, service, &options, reason), HK_OK);
    const pid_t server = start_server(&net);
    const enum hk_status status = hk_net_enter(&net, reason);
    if (status == HK_ENOTSUP) {
        assert_non_null(strstr(reason, "; "));
        print_message("    %s over %s: not here: %s\n", service->name, service->over, reason);
    } else {
        if (status != HK_OK)
            fail_msg("%s over %s: %s %s", service->name, service->over, hk_status_text(status),
                     reason);
        for (uint64_t seed = 0; seed < 20; seed++)
            assert_int_equal(hk_net_verify(&net, seed), HK_OK);
        assert_int_equal(hk_net_run(&net, 10), HK_OK);
        hk_net_leave(&net);
    }
    hk_net_fini(&net);
    const int state = wait_for(server);
    assert_true(WIFEXITED(state) && WEXITSTATUS(state) == 0);
}

static void what_is_sent_comes_back(void **state)
{
    static const size_t sizes[] = {1, 64, HK_NET_BYTES_MAX};
    const int fds = count_fds();

    (void)state;
    for (size_t i = 0; i < hk_net_service_count; i++)
        for (size_t s = 0; s < HK_ARRAY_COUNT(sizes); s++) {
            use(hk_net_services[i], false, sizes[s]);
            if (hk_net_services[i]->streams)
                use(hk_net_services[i], true, sizes[s]);
        }
    assert_int_equal(count_fds(), fds);
    assert_int_equal(if_nametoindex("hk_client"), 0); /* nothing of it in our own namespace */
    assert_int_equal(if_nametoindex("hk_server"), 0);
}

static void what_a_service_has_not_is_refused(void **state)
{
    const struct hk_net_service *service = (void *)state;
    struct hk_net_options options = {.bytes = 0};
    char reason[HK_REASON_BYTES] = "";
    struct hk_net net;

    assert_int_equal(hk_net_service_find("kernel", "string_and_cans", &service), HK_ENOENT);
    assert_ptr_equal(service, state);
    assert_int_equal(hk_net_service_find("xdp", "veth", &service), HK_OK);
    assert_int_equal(hk_net_init(&net, service, &options, reason), HK_EINVAL);
    assert_non_null(strstr(reason, "bytes"));
    hk_net_fini(&net);
    options = (struct hk_net_options){.bytes = HK_NET_BYTES_MAX + 1};
    assert_int_equal(hk_net_init(&net, service, &options, reason), HK_EINVAL);
    hk_net_fini(&net);
    options = (struct hk_net_options){.stream = true, .bytes = 1};
    assert_int_equal(hk_net_init(&net, service, &options, reason), HK_EINVAL);
    assert_non_null(strstr(reason, "TCP"));
    hk_net_fini(&net);
}

/* No answer comes any more: an error within seconds, not a hang. */
static void a_dead_server_is_noticed(void **state)
{
    const struct hk_net_options options = {.bytes = 64};
    const struct hk_net_service *service;
    char reason[HK_REASON_BYTES] = "";
    enum hk_status status = HK_OK;
    struct hk_net net;

    (void)state;
    assert_int_equal(hk_net_service_find("kernel", "loopback", &service), HK_OK);
    assert_int_equal(hk_net_init(&net, service, &options, reason), HK_OK);
    const pid_t server = start_server(&net);
    if (hk_net_enter(&net, reason) != HK_OK) {
        hk_net_fini(&net);
        wait_for(server);
        print_message("skipped: %s\n", reason);
        skip();
    }
    kill(server, SIGKILL);
    wait_for(server);
    alarm(WAIT_S);
    while (status == HK_OK)
        status = hk_net_run(&net, 1);
    alarm(0);
    assert_true(status == HK_EPEER || status == HK_ETIMEOUT);
    hk_net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_comes_back),
        cmocka_unit_test(what_a_service_has_not_is_refused),
        cmocka_unit_test(a_dead_server_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
