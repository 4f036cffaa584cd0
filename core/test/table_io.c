/* SPDX-License-Identifier: MIT */
/* Devices as objects: who may have what, and what a handle allows. */
#include "kernel/io.h"
#include "kernel/irq.h"
#include "table.h"

#define FREE (HK_USER_BASE + 64 * HK_PAGE_BYTES) /* nothing is mapped from here on */
#define READ_WRITE (HK_MAP_READ | HK_MAP_WRITE)
#define SCRATCH_PORTS 0x3f8 /* of a 16550, whose last register remembers a byte */
#define SCRATCH 7
#define REGISTERS 0xfeb00000 /* beyond all memory, and nobody's */

static struct hk_thread *trusted(struct hk_test *test)
{
    struct hk_thread *thread = hk_test_thread(test, "trusted");

    if (thread != NULL)
        thread->caps[HK_HANDLE_SELF].rights |= HK_RIGHT_SYSTEM;
    return thread;
}

static hk_result create(struct hk_test *test, struct hk_thread *thread, enum hk_io_kind kind,
                        uint64_t base, uint64_t count)
{
    return hk_test_call(test, thread, HK_SYS_io_create, kind, base, count, 0);
}

static void what_is_the_kernels_is_refused(struct hk_test *test)
{
    uint64_t memory_end = test->cpu->kernel->memory_end;
    const struct {
        enum hk_io_kind kind;
        uint64_t base, count;
        enum hk_status status;
    } cases[] = {
        { HK_IO_PORTS, 0x3f8, 0, HK_EINVAL },
        { HK_IO_PORTS, 0x10000, 1, HK_EINVAL },
        { HK_IO_PORTS, 0xffff, 2, HK_EINVAL },
        { HK_IO_PORTS, 1, UINT64_MAX, HK_EINVAL },
        { HK_IO_PORTS, HK_EXIT_PORT, 1, HK_EPERM },
        { HK_IO_PORTS, 0, 0x10000, HK_EPERM },
        { HK_IO_MEMORY, REGISTERS + 1, 1, HK_EINVAL },
        { HK_IO_MEMORY, REGISTERS, 0, HK_EINVAL },
        { HK_IO_MEMORY, REGISTERS, HK_IO_MEMORY_PAGES_MAX + 1, HK_EINVAL },
        { HK_IO_MEMORY, 1ull << 46, 1, HK_EINVAL },
        { HK_IO_MEMORY, UINT64_MAX - 4095, 1, HK_EINVAL },
        { HK_IO_MEMORY, 0, 1, HK_EPERM },
        { HK_IO_MEMORY, memory_end - HK_PAGE_BYTES, 2, HK_EPERM },
        { HK_IO_LINE, HK_IRQ_COUNT, 1, HK_EINVAL },
        { HK_IO_LINE, 4, 2, HK_EINVAL },
        { HK_IO_DMA, 0, 0, HK_EINVAL },
        { HK_IO_DMA, 0, HK_IO_DMA_PAGES_MAX + 1, HK_EINVAL },
        { HK_IO_DMA, REGISTERS, 1, HK_EINVAL },
        { HK_IO_KINDS, 0, 1, HK_EINVAL },
    };
    struct hk_thread *one = hk_test_thread(test, "one"), *two = trusted(test);

    HK_EXPECT(test, one != NULL && two != NULL);
    HK_EXPECT(test, create(test, one, HK_IO_PORTS, 0x3f8, 8) == HK_ERIGHT);
    for (size_t i = 0; i < HK_ARRAY_COUNT(cases); i++)
        HK_EXPECT(test, create(test, two, cases[i].kind, cases[i].base, cases[i].count) ==
                            cases[i].status);
}

static void ports_are_reached_by_handle(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = trusted(test);
    uint64_t ports, line;

    HK_EXPECT(test, one != NULL && two != NULL);
    ports = (uint64_t)create(test, two, HK_IO_PORTS, SCRATCH_PORTS, SCRATCH + 1);
    line = (uint64_t)create(test, two, HK_IO_LINE, 4, 1);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_out, ports, SCRATCH, 1, 1) == HK_EHANDLE);
    ports = hk_test_share(test, two, ports, one, HK_RIGHT_IO); /* all the driver has */
    line = hk_test_share(test, two, line, one, HK_RIGHT_IO);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_out, ports, SCRATCH, 1, 0x1a5) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_in, ports, SCRATCH, 1, 0) == 0xa5);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_out, ports, SCRATCH, 1, 0x5a) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_in, ports, SCRATCH, 1, 0) == 0x5a);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_base, ports, 0, 0, 0) == SCRATCH_PORTS);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_in, ports, SCRATCH + 1, 1, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_in, ports, SCRATCH, 2, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_in, ports, 0, 3, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_in, ports, UINT64_MAX, 1, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_in, line, 0, 1, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_map, ports, FREE, READ_WRITE, 0) ==
                        HK_EINVAL);
}

static void registers_are_not_memory(struct hk_test *test)
{
    struct hk_thread *one = trusted(test);
    uint64_t io, pages;
    uint32_t free_count;

    HK_EXPECT(test, one != NULL);
    io = (uint64_t)create(test, one, HK_IO_MEMORY, REGISTERS, 2);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_map, io, FREE, HK_MAP_READ | HK_MAP_EXECUTE,
                                 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_map, io, FREE + 1, READ_WRITE, 0) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_page_map, FREE + HK_PAGE_BYTES, 1, READ_WRITE,
                                 0) == HK_OK);
    pages = one->process->space.page_count;
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_map, io, FREE, READ_WRITE, 0) == HK_EEXIST);
    HK_EXPECT(test, one->process->space.page_count == pages);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_page_unmap, FREE + HK_PAGE_BYTES, 1, 0, 0) ==
                        HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_map, io, FREE, READ_WRITE, 0) == HK_OK);
    /* the kernel neither reads it for a call, nor moves, shares or protects it */
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_log, FREE, 8, 0, 0) == HK_EFAULT);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_page_protect, FREE, 1, HK_MAP_READ, 0) ==
                        HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_page_remap, HK_HANDLE_SELF, FREE,
                                 FREE + 16 * HK_PAGE_BYTES, 1) == HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, HK_HANDLE_SELF, FREE,
                                 FREE + 16 * HK_PAGE_BYTES, HK_PAGE_BYTES) == HK_EFAULT);
    free_count = test->cpu->kernel->pages.free_count;
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_page_unmap, FREE, 2, 0, 0) == HK_OK);
    HK_EXPECT(test, test->cpu->kernel->pages.free_count == free_count);
}

static void frames_of_a_device_outlive_its_driver(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = trusted(test);
    struct hk_kernel *kernel = test->cpu->kernel;
    uint64_t io, theirs;
    uint32_t free_count = kernel->pages.free_count;
    hk_result base;
    void *window;

    HK_EXPECT(test, one != NULL && two != NULL);
    io = (uint64_t)create(test, two, HK_IO_DMA, 0, 3);
    theirs = hk_test_share(test, two, io, one, HK_RIGHT_IO);
    base = hk_test_call(test, one, HK_SYS_io_base, theirs, 0, 0, 0);
    HK_EXPECT(test, base > 0 && (uint64_t)base % HK_PAGE_BYTES == 0);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_io_map, theirs, FREE, READ_WRITE, 0) == HK_OK);
    HK_EXPECT(test, hk_test_filled(test, one, FREE + HK_PAGE_BYTES, 1, 0));
    hk_test_fill(test, one, FREE, 3 * HK_PAGE_BYTES, 31);
    for (uint64_t i = 0; i < 3; i++) {
        HK_EXPECT(test, hk_space_find(kernel, &one->process->space, FREE + i * HK_PAGE_BYTES,
                                      HK_MAP_WRITE, &window) == HK_OK);
        HK_EXPECT(test, window == hk_window(kernel, (uint64_t)base + i * HK_PAGE_BYTES));
    }
    hk_test_end(test, one);
    /* the device may still write there: nobody else gets these frames */
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_io_map, io, FREE, HK_MAP_READ, 0) == HK_OK);
    HK_EXPECT(test, hk_test_filled(test, two, FREE, 3 * HK_PAGE_BYTES, 31));
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_cap_drop, io, 0, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_filled(test, two, FREE, 1, 31));
    hk_test_end(test, two);
    hk_object_pools_trim(kernel);
    HK_EXPECT(test, kernel->pages.free_count >= free_count);
}

static void a_line_has_one_listener(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = trusted(test);
    uint64_t line, theirs, endpoint, other;

    HK_EXPECT(test, one != NULL && two != NULL);
    line = (uint64_t)create(test, two, HK_IO_LINE, 19, 1);
    theirs = hk_test_share(test, two, line, one, HK_RIGHT_IO);
    endpoint = (uint64_t)hk_test_call(test, one, HK_SYS_endpoint_create, 0, 0, 0, 0);
    other = (uint64_t)hk_test_call(test, two, HK_SYS_endpoint_create, 0, 0, 0, 0);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_line_ack, theirs, 0, 0, 0) == HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_line_bind, theirs, theirs, 9, 0) ==
                        HK_EHANDLE);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_line_bind, endpoint, endpoint, 9, 0) ==
                        HK_EHANDLE);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_line_bind, theirs, endpoint, 9, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_line_bind, line, other, 9, 0) == HK_EBUSY);
    hk_test_ipc(test, one, HK_IPC_RECEIVE, endpoint, 0, 0, 0);
    hk_irq_raised(test->cpu, 19);
    HK_EXPECT(test, !hk_test_asleep(one) && one->frame.rdi == 9 && one->frame.word[0] == 1);
    hk_irq_raised(test->cpu, 19); /* masked: not heard */
    hk_test_ipc(test, one, HK_IPC_RECEIVE, endpoint, 0, 0, 0);
    HK_EXPECT(test, hk_test_asleep(one));
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_line_ack, line, 0, 0, 0) == HK_OK);
    hk_irq_raised(test->cpu, 19);
    HK_EXPECT(test, !hk_test_asleep(one));
    hk_test_end(test, one); /* and the next driver may have it */
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_line_bind, line, other, 9, 0) == HK_OK);
}

const struct hk_test_row hk_test_io[] = {
    { "devices: what is the kernel's is refused", what_is_the_kernels_is_refused },
    { "devices: ports are reached by handle", ports_are_reached_by_handle },
    { "devices: registers are not memory", registers_are_not_memory },
    { "devices: frames outlive the driver", frames_of_a_device_outlive_its_driver },
    { "devices: a line has one listener", a_line_has_one_listener },
    { NULL, NULL },
};
