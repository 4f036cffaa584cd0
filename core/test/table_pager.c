/* SPDX-License-Identifier: MIT */
/* Page faults as messages: who may serve them, with what, and what happens when nobody does. */
#include "kernel/composition.h"
#include "table.h"

#define REGION (HK_USER_BASE + 64 * HK_PAGE_BYTES) /* nothing is mapped here at first */
#define REGION_PAGES 5
#define IN_REGION (REGION + 2 * HK_PAGE_BYTES + 1234)
#define IN_PAGE (REGION + 2 * HK_PAGE_BYTES)
#define TIMEOUT_NS 1000000
#define BADGE 0x7e57
#define READ_WRITE (HK_MAP_READ | HK_MAP_WRITE)

/* A client whose region is a pager's; the pager waits, or not. */
struct pair {
    struct hk_thread *client, *pager;
    struct hk_process *client_process; /* held: its end is looked at */
    uint64_t endpoint, client_endpoint;
};

static bool make(struct hk_test *test, struct pair *pair)
{
    uint64_t call = 0;

    pair->client = hk_test_thread(test, "client");
    pair->pager = hk_test_thread(test, "pager");
    if (pair->client == NULL || pair->pager == NULL)
        return false;
    pair->endpoint = (uint64_t)hk_test_call(test, pair->pager, HK_SYS_endpoint_create, 0, 0, 0, 0);
    if (hk_cap_insert(pair->client->process, pair->pager->caps[pair->endpoint].object,
                      HK_RIGHT_CALL, BADGE, &call) != HK_OK)
        return false;
    pair->client_endpoint = call;
    pair->client_process = pair->client->process;
    hk_object_hold(&pair->client_process->object);
    return hk_test_call5(test, pair->client, HK_SYS_pager_bind, HK_HANDLE_SELF, REGION,
                         REGION_PAGES, call, TIMEOUT_NS) == HK_OK;
}

static void drop(struct hk_test *test, struct pair *pair)
{
    hk_object_release(test->cpu, &pair->client_process->object);
}

static void wait(struct hk_test *test, const struct pair *pair)
{
    hk_test_ipc(test, pair->pager, HK_IPC_RECEIVE, pair->endpoint, 0, 0, 0);
}

static void answer(struct hk_test *test, const struct pair *pair)
{
    hk_test_ipc(test, pair->pager, HK_IPC_REPLY, 0, 99, 98, 97);
}

static hk_result map(struct hk_test *test, const struct pair *pair, uint64_t address,
                     uint64_t count, uint64_t protection, uint64_t from)
{
    return hk_test_call(test, pair->pager, HK_SYS_pager_map, address, count, protection, from);
}

static bool ended(const struct pair *pair)
{
    return pair->client_process->state == HK_PROCESS_ENDED &&
           pair->client_process->exit_reason == HK_EXIT_PAGE;
}

/* The message of a fault, as the pager got it. */
static bool is_fault(const struct pair *pair, uint64_t address, uint64_t access)
{
    const struct hk_frame *frame = &pair->pager->frame;

    return frame->rax == HK_PAGER_WORDS && frame->rdi == BADGE &&
           frame->word[0] == HK_PAGER_FAULT && frame->word[1] == address &&
           frame->word[2] == access &&
           frame->word[3] == ((uint64_t)pair->client_process->pid << 32 | pair->client->number) &&
           frame->word[4] == 0 && frame->word[10] == 0;
}

static void registers_survive(struct hk_test *test, bool pager_waits)
{
    struct hk_frame before;
    struct pair p;

    HK_EXPECT(test, make(test, &p));
    if (pager_waits)
        wait(test, &p);
    for (uint32_t i = 0; i < HK_MESSAGE_REGISTER_WORDS; i++)
        p.client->frame.word[i] = 2385 + i;
    p.client->frame.rax = 7411;
    p.client->frame.rdi = 7412;
    before = p.client->frame;
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_WRITE);
    HK_EXPECT(test, hk_test_asleep(p.client));
    if (!pager_waits)
        wait(test, &p);
    HK_EXPECT(test, is_fault(&p, IN_REGION, HK_MAP_WRITE));
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, READ_WRITE, 0) == HK_OK);
    answer(test, &p);
    HK_EXPECT(test, !hk_test_asleep(p.client) && p.client->refused_page == 0);
    HK_EXPECT(test, p.client->frame.rax == before.rax && p.client->frame.rdi == before.rdi &&
                        p.client->frame.rip == before.rip);
    for (uint32_t i = 0; i < HK_MESSAGE_REGISTER_WORDS; i++)
        HK_EXPECT(test, p.client->frame.word[i] == before.word[i]);
    hk_test_fill(test, p.client, IN_PAGE, 8, 5);
    /* served once: the right to map went with the reply */
    HK_EXPECT(test, map(test, &p, IN_PAGE + HK_PAGE_BYTES, 1, READ_WRITE, 0) == HK_EPERM);
    drop(test, &p);
}

static void a_fault_is_a_call(struct hk_test *test)
{
    registers_survive(test, true);
    registers_survive(test, false);
}

static void only_the_region_can_be_mapped(struct hk_test *test)
{
    struct pair p;

    HK_EXPECT(test, make(test, &p));
    wait(test, &p);
    /* an ordinary call, whatever it says, lets nobody map */
    hk_test_ipc(test, p.client, HK_IPC_CALL + 3, p.client_endpoint, HK_PAGER_FAULT, IN_REGION,
                HK_MAP_WRITE);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, READ_WRITE, 0) == HK_EPERM);
    answer(test, &p);
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    HK_EXPECT(test, map(test, &p, REGION - HK_PAGE_BYTES, 1, HK_MAP_READ, 0) == HK_EPERM);
    HK_EXPECT(test, map(test, &p, REGION + REGION_PAGES * HK_PAGE_BYTES, 1, HK_MAP_READ, 0) ==
                        HK_EPERM);
    HK_EXPECT(test, map(test, &p, REGION + 3 * HK_PAGE_BYTES, 3, HK_MAP_READ, 0) == HK_EPERM);
    HK_EXPECT(test, map(test, &p, REGION, REGION_PAGES + 1, HK_MAP_READ, 0) == HK_EPERM);
    HK_EXPECT(test, map(test, &p, IN_REGION, 1, HK_MAP_READ, 0) == HK_EINVAL);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 0, HK_MAP_READ, 0) == HK_EINVAL);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 257, HK_MAP_READ, 0) == HK_ETOOBIG);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, HK_MAP_WRITE, 0) == HK_EINVAL);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, READ_WRITE | HK_MAP_EXECUTE, 0) == HK_EINVAL);
    HK_EXPECT(test, map(test, &p, REGION, REGION_PAGES, HK_MAP_READ, 0) == HK_OK);
    /* what is there gets another protection */
    HK_EXPECT(test, map(test, &p, REGION, 2, READ_WRITE, 0) == HK_OK);
    answer(test, &p);
    HK_EXPECT(test, !hk_test_asleep(p.client));
    hk_test_fill(test, p.client, REGION, 2 * HK_PAGE_BYTES, 3);
    HK_EXPECT(test, hk_test_filled(test, p.client, REGION + 2 * HK_PAGE_BYTES, 1, 0));
    /* a fault on a page that may be read only is one more, for another access */
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_WRITE);
    HK_EXPECT(test, is_fault(&p, IN_REGION, HK_MAP_WRITE));
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, READ_WRITE, 0) == HK_OK);
    answer(test, &p);
    HK_EXPECT(test, p.client->refused_page == 0);
    hk_test_fill(test, p.client, IN_PAGE, 1, 3);
    drop(test, &p);
}

static void pages_of_the_pager_move(struct hk_test *test)
{
    struct pair p;
    uint64_t shm;

    HK_EXPECT(test, make(test, &p));
    shm = (uint64_t)hk_test_call(test, p.pager, HK_SYS_shm_create, 1, 0, 0, 0);
    HK_EXPECT(test, hk_test_call(test, p.pager, HK_SYS_shm_map, shm, REGION, READ_WRITE, 0) ==
                        HK_OK);
    hk_test_fill(test, p.pager, HK_USER_BASE, 2 * HK_PAGE_BYTES, 17);
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_EXECUTE);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, HK_MAP_READ, REGION) == HK_EPERM); /* shared */
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, HK_MAP_READ, REGION + HK_PAGE_BYTES) == HK_ENOENT);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, HK_MAP_READ, HK_USER_BASE + 8) == HK_EINVAL);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 2, HK_MAP_READ | HK_MAP_EXECUTE, HK_USER_BASE) ==
                        HK_OK);
    answer(test, &p);
    HK_EXPECT(test, !hk_test_asleep(p.client) && p.client->refused_page == 0);
    HK_EXPECT(test, hk_test_filled(test, p.client, IN_PAGE, 2 * HK_PAGE_BYTES, 17));
    HK_EXPECT(test, !hk_test_filled(test, p.pager, HK_USER_BASE, 1, 17));
    HK_EXPECT(test, p.client->process->space.page_count ==
                        HK_TEST_PAGES + 2 + HK_USER_STACK_PAGES + 1);
    /* executable now, so a fault for writing is not over by the same page */
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_WRITE);
    answer(test, &p);
    HK_EXPECT(test, p.client->refused_page == IN_PAGE);
    drop(test, &p);
}

static void a_reply_without_the_page_ends_it(struct hk_test *test)
{
    struct pair p;

    HK_EXPECT(test, make(test, &p));
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    HK_EXPECT(test, map(test, &p, REGION, 1, HK_MAP_READ, 0) == HK_OK); /* another one */
    answer(test, &p);
    HK_EXPECT(test, !hk_test_asleep(p.client) && p.client_process->state != HK_PROCESS_ENDED);
    /* it tries again, and that was it: the pager is not asked */
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    HK_EXPECT(test, ended(&p) && hk_test_asleep(p.pager));
    drop(test, &p);
}

/* How a fault ends without a reply. */
static void expect_refused(struct hk_test *test, struct pair *p)
{
    HK_EXPECT(test, !hk_test_asleep(p->client) && p->client->refused_page == IN_PAGE);
    hk_test_fault(test, p->client, IN_REGION, HK_MAP_READ);
    HK_EXPECT(test, ended(p));
}

static void a_pager_that_ends_ends_it(struct hk_test *test)
{
    struct pair p;

    HK_EXPECT(test, make(test, &p)); /* while it serves */
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    hk_test_end(test, p.pager);
    expect_refused(test, &p);
    drop(test, &p);
    HK_EXPECT(test, make(test, &p)); /* before it has taken the message */
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    HK_EXPECT(test, hk_test_asleep(p.client));
    hk_test_end(test, p.pager);
    expect_refused(test, &p);
    drop(test, &p);
    HK_EXPECT(test, make(test, &p)); /* before the fault */
    hk_test_end(test, p.pager);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    HK_EXPECT(test, ended(&p));
    drop(test, &p);
    HK_EXPECT(test, make(test, &p)); /* it goes on to the next message without a reply */
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    wait(test, &p);
    expect_refused(test, &p);
    drop(test, &p);
}

static void a_client_that_ends_leaves_nothing(struct hk_test *test)
{
    struct pair p;

    HK_EXPECT(test, make(test, &p));
    wait(test, &p);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    hk_test_end(test, p.client);
    HK_EXPECT(test, map(test, &p, IN_PAGE, 1, HK_MAP_READ, 0) == HK_EPERM);
    answer(test, &p);
    HK_EXPECT(test, hk_test_result(p.pager) == HK_EPEER);
    drop(test, &p);
    HK_EXPECT(test, make(test, &p)); /* in the queue */
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    hk_test_end(test, p.client);
    wait(test, &p);
    HK_EXPECT(test, hk_test_asleep(p.pager));
    drop(test, &p);
}

static void bindings_are_checked(struct hk_test *test, const struct pair *p)
{
    uint64_t self = HK_HANDLE_SELF, room = (HK_USER_IPC_BASE - HK_USER_BASE) / HK_PAGE_BYTES;
    uint64_t pager = p->client_endpoint, overflow = UINT64_MAX / HK_PAGE_BYTES + 2;
    const struct {
        uint64_t process, address, pages, endpoint, timeout_ns;
        enum hk_status status;
    } cases[] = {
        { 77, REGION, 1, pager, 1, HK_EHANDLE },
        { self, REGION, 1, 77, 1, HK_EHANDLE },
        { self, REGION, 1, self, 1, HK_EHANDLE }, /* no endpoint */
        { self, REGION, 1, pager, 1, HK_EEXIST },
        { self, REGION - HK_PAGE_BYTES, 2, pager, 1, HK_EEXIST },
        { self, REGION + (REGION_PAGES - 1) * HK_PAGE_BYTES, 2, pager, 1, HK_EEXIST },
        { self, HK_USER_BASE, room, pager, 1, HK_EEXIST },
        { self, REGION + 1, 1, pager, 1, HK_EINVAL },
        { self, 0, 1, pager, 1, HK_EINVAL },
        { self, HK_USER_BASE, 0, pager, 1, HK_EINVAL },
        { self, HK_USER_BASE, room + 1, pager, 1, HK_EINVAL },
        { self, HK_USER_BASE, overflow, pager, 1, HK_EINVAL },
        { self, HK_USER_IPC_BASE, 1, pager, 1, HK_EINVAL },
        { self, HK_USER_BASE, 1, pager, 0, HK_EINVAL },
        { self, HK_USER_BASE, 1, pager, HK_TIMEOUT_NONE, HK_EINVAL },
        { self, HK_USER_BASE, 1, pager, HK_PAGER_TIMEOUT_NS_MAX, HK_OK },
    };

    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++)
        HK_EXPECT(test, hk_test_call5(test, p->client, HK_SYS_pager_bind, cases[i].process,
                                      cases[i].address, cases[i].pages, cases[i].endpoint,
                                      cases[i].timeout_ns) == cases[i].status);
}

static void regions_are_checked(struct hk_test *test)
{
    uint64_t self = HK_HANDLE_SELF;
    struct pair p;

    HK_EXPECT(test, make(test, &p));
    bindings_are_checked(test, &p);
    for (uint64_t i = 2; i < HK_REGIONS_PER_PROCESS + 1; i++)
        HK_EXPECT(test, hk_test_call5(test, p.client, HK_SYS_pager_bind, self,
                                      REGION + i * 16 * HK_PAGE_BYTES, 1, p.client_endpoint, 1) ==
                            (i < HK_REGIONS_PER_PROCESS ? HK_OK : HK_ENOSPC));
    HK_EXPECT(test, hk_test_call(test, p.client, HK_SYS_pager_unbind, self,
                                 REGION + HK_PAGE_BYTES, 0, 0) == HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, p.client, HK_SYS_pager_unbind, self, REGION, 0, 0) ==
                        HK_OK);
    hk_test_fault(test, p.client, IN_REGION, HK_MAP_READ);
    HK_EXPECT(test, ended(&p));
    drop(test, &p);
}

/* A service in ring 0 as pager: of all pages but the fourth. */
static enum hk_status serve(struct hk_service_host *host, struct hk_service_message *message)
{
    uint64_t page = (message->word[1] - REGION) / HK_PAGE_BYTES;

    if (message->word[0] != HK_PAGER_FAULT || message->badge != BADGE)
        return host->supply(host, REGION, HK_MAP_READ);
    return page == 3 ? HK_EPERM : host->supply(host, REGION + page * HK_PAGE_BYTES, READ_WRITE);
}

static void start_pager(struct hk_service_host *host)
{
    (void)host;
}

static void a_pager_in_ring_0_serves(struct hk_test *test)
{
    static const struct hk_service service = { "pager", 1, true, false, start_pager, serve,
                                                HK_DEVICE_NONE, 0 };
    struct hk_kernel *kernel = test->cpu->kernel;
    struct hk_instance *instance = &kernel->instances[0];
    struct pair p;
    uint32_t free_count;

    HK_EXPECT(test, hk_instance_start(test->cpu, instance, &service, false) == HK_OK);
    HK_EXPECT(test, make(test, &p));
    HK_EXPECT(test, hk_test_call(test, p.client, HK_SYS_pager_unbind, HK_HANDLE_SELF, REGION, 0,
                                 0) == HK_OK);
    HK_EXPECT(test, hk_cap_insert(p.client->process, &instance->endpoint->object, HK_RIGHT_CALL,
                                  BADGE, &p.client_endpoint) == HK_OK);
    HK_EXPECT(test, hk_test_call5(test, p.client, HK_SYS_pager_bind, HK_HANDLE_SELF, REGION,
                                  REGION_PAGES, p.client_endpoint, TIMEOUT_NS) == HK_OK);
    hk_test_ipc(test, p.client, HK_IPC_CALL + 2, p.client_endpoint, HK_PAGER_FAULT + 1, REGION, 0);
    HK_EXPECT(test, p.client->frame.word[0] == (uint64_t)HK_EPERM);
    p.client->frame.word[0] = 2385;
    hk_test_fault(test, p.client, REGION, HK_MAP_WRITE);
    HK_EXPECT(test, !hk_test_asleep(p.client) && p.client->frame.word[0] == 2385);
    hk_test_fill(test, p.client, REGION, 8, 5);
    free_count = kernel->pages.free_count;
    hk_test_fault(test, p.client, REGION + HK_PAGE_BYTES + 9, HK_MAP_READ);
    HK_EXPECT(test, hk_test_filled(test, p.client, REGION + HK_PAGE_BYTES + 7, 1, 0));
    HK_EXPECT(test, kernel->pages.free_count == free_count - 1);
    HK_EXPECT(test, hk_test_call(test, p.client, HK_SYS_page_unmap, REGION + HK_PAGE_BYTES, 1, 0,
                                 0) == HK_OK);
    HK_EXPECT(test, kernel->pages.free_count == free_count);
    hk_test_fault(test, p.client, REGION + 3 * HK_PAGE_BYTES, HK_MAP_READ);
    HK_EXPECT(test, ended(&p));
    drop(test, &p);
    hk_composition_fini(test->cpu);
}

const struct hk_test_row hk_test_pager[] = {
    { "pager: a fault is a call that leaves the registers alone", a_fault_is_a_call },
    { "pager: it maps in the region of the fault alone", only_the_region_can_be_mapped },
    { "pager: its own pages move", pages_of_the_pager_move },
    { "pager: a reply without the page ends the process", a_reply_without_the_page_ends_it },
    { "pager: its end ends the process", a_pager_that_ends_ends_it },
    { "pager: the end of the process leaves nothing", a_client_that_ends_leaves_nothing },
    { "pager: regions are checked", regions_are_checked },
    { "pager: a service in ring 0", a_pager_in_ring_0_serves },
    { NULL, NULL },
};
