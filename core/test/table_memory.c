/* SPDX-License-Identifier: MIT */
/* Shared memory and grants. */
#include "kernel/grant.h"
#include "table.h"

#define AT HK_USER_BASE
#define FREE (HK_USER_BASE + 64 * HK_PAGE_BYTES) /* nothing is mapped from here on */

static void shared_pages_are_the_same(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t mine, theirs;

    HK_EXPECT(test, one != NULL && two != NULL);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_shm_create, 3, 0, 0, 0);
    theirs = hk_test_share(test, one, mine, two, HK_RIGHT_SHM_READ);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_map, mine, FREE,
                                 HK_MAP_READ | HK_MAP_WRITE, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_shm_map, theirs, FREE,
                                 HK_MAP_READ | HK_MAP_WRITE, 0) == HK_ERIGHT);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_shm_map, theirs, FREE, HK_MAP_READ, 0) ==
                        HK_OK);
    hk_test_fill(test, one, FREE + 4000, 5000, 77);
    HK_EXPECT(test, hk_test_filled(test, two, FREE + 4000, 5000, 77));
    /* what was mapped for reading cannot be made writable, nor given away */
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_page_protect, FREE, 1,
                                 HK_MAP_READ | HK_MAP_WRITE, 0) == HK_EPERM);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_page_remap, HK_HANDLE_SELF, FREE,
                                 FREE + 16 * HK_PAGE_BYTES, 1) == HK_EPERM);
    hk_test_end(test, one);
    HK_EXPECT(test, hk_test_filled(test, two, FREE + 4000, 5000, 77));
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_shm_unmap, theirs, FREE + HK_PAGE_BYTES, 0,
                                 0) == HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_shm_unmap, theirs, AT, 0, 0) == HK_ENOENT);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_shm_unmap, theirs, FREE, 0, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, two, HK_SYS_shm_unmap, theirs, FREE, 0, 0) == HK_ENOENT);
    HK_EXPECT(test, !hk_test_filled(test, two, FREE + 4000, 1, 77));
}

static void shared_memory_is_mapped_whole_or_not(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one");
    uint64_t mine, read_write = HK_MAP_READ | HK_MAP_WRITE;
    uint32_t mapped;

    HK_EXPECT(test, one != NULL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_create, 0, 0, 0, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_create, 513, 0, 0, 0) == HK_ETOOBIG);
    mine = (uint64_t)hk_test_call(test, one, HK_SYS_shm_create, 3, 0, 0, 0);
    mapped = one->process->space.page_count;
    /* its last page would lie on a mapped one */
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_page_map, FREE + 2 * HK_PAGE_BYTES, 1,
                                 read_write, 0) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_map, mine, FREE, read_write, 0) ==
                        HK_EEXIST);
    HK_EXPECT(test, one->process->space.page_count == mapped + 1);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_map, mine, FREE + 1, read_write, 0) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_map, mine, 0, read_write, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_map, mine, HK_USER_IPC_BASE, read_write,
                                 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_map, mine, UINT64_MAX - 4095, read_write,
                                 0) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_map, mine, FREE,
                                 HK_MAP_READ | HK_MAP_EXECUTE, 0) == HK_EINVAL);
}

/* Uniform place in the page, at least 4095 bytes: 4095 bytes are copied on average. */
static void partial_mapping_law_is_exact(struct hk_test *test)
{
    static const uint64_t lengths[] = { 4095, 4096, 4097, 5000, 8191, 8192, 65536, 1000003 };

    for (size_t i = 0; i < HK_ARRAY_COUNT(lengths); i++) {
        uint64_t bytes = lengths[i], copied = 0;

        for (uint64_t offset = 0; offset < HK_PAGE_BYTES; offset++) {
            struct hk_grant_split split = hk_grant_split(offset, FREE + offset, bytes);

            HK_EXPECT(test, split.head_bytes + split.page_count * HK_PAGE_BYTES +
                                split.tail_bytes == bytes);
            HK_EXPECT(test, split.page_count == 0 ||
                                (offset + split.head_bytes) % HK_PAGE_BYTES == 0);
            HK_EXPECT(test, split.page_count == 0 || split.tail_bytes < HK_PAGE_BYTES);
            copied += split.head_bytes + split.tail_bytes;
        }
        HK_EXPECT(test, copied == 4095ull * HK_PAGE_BYTES);
    }
    /* shorter buffers and different places in the page: everything is copied */
    HK_EXPECT(test, hk_grant_split(17, 17, 4094).head_bytes == 4094);
    HK_EXPECT(test, hk_grant_split(0, 1, 81920).head_bytes == 81920);
    HK_EXPECT(test, hk_grant_split(0, 0, 81920).page_count == 20);
}

static void grants_move_whole_pages(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    struct hk_kernel *kernel = test->cpu->kernel;
    uint64_t from = AT + 100, bytes = 4 * HK_PAGE_BYTES, handle = 0;
    uint32_t free_count;
    void *before, *after;

    HK_EXPECT(test, one != NULL && two != NULL);
    HK_EXPECT(test, hk_cap_insert(one->process, &two->process->object, HK_RIGHT_PROCESS, 0,
                                  &handle) == HK_OK);
    hk_test_fill(test, one, from, bytes, 3);
    HK_EXPECT(test, hk_space_find(kernel, &one->process->space, AT + 4096, HK_MAP_READ,
                                  &before) == HK_OK);
    free_count = kernel->pages.free_count;
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, from, from, bytes) == 4096);
    HK_EXPECT(test, hk_test_filled(test, two, from, bytes, 3));
    HK_EXPECT(test, hk_space_find(kernel, &two->process->space, AT + 4096, HK_MAP_READ,
                                  &after) == HK_OK);
    HK_EXPECT(test, before == after);
    HK_EXPECT(test, hk_page_belongs(kernel, (uintptr_t)after - kernel->window,
                                    two->process->pid));
    /* three pages left the giver, and the receiver's own three went back */
    HK_EXPECT(test, hk_space_find(kernel, &one->process->space, AT + 4096, HK_MAP_READ,
                                  &after) == HK_EFAULT);
    HK_EXPECT(test, hk_test_filled(test, one, from, 3996, 3));
    HK_EXPECT(test, kernel->pages.free_count == free_count + 3);
    /* they are gone here: the same grant again fails at the first of them */
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, from, from, bytes) ==
                        HK_EFAULT);
}

static void grants_copy_what_cannot_move(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t shm, handle = 0;

    HK_EXPECT(test, one != NULL && two != NULL);
    HK_EXPECT(test, hk_cap_insert(one->process, &two->process->object, HK_RIGHT_PROCESS, 0,
                                  &handle) == HK_OK);
    hk_test_fill(test, one, AT, 3 * HK_PAGE_BYTES, 9);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, AT, AT + 1, 9000) == 9000);
    HK_EXPECT(test, hk_test_filled(test, two, AT + 1, 9000, 9));
    HK_EXPECT(test, hk_test_filled(test, one, AT, 9000, 9));
    shm = (uint64_t)hk_test_call(test, one, HK_SYS_shm_create, 2, 0, 0, 0);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_shm_map, shm, FREE,
                                 HK_MAP_READ | HK_MAP_WRITE, 0) == HK_OK);
    hk_test_fill(test, one, FREE, 2 * HK_PAGE_BYTES, 31);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, FREE, AT, 8192) == 8192);
    HK_EXPECT(test, hk_test_filled(test, two, AT, 8192, 31));
    HK_EXPECT(test, hk_test_filled(test, one, FREE, 8192, 31));
}

static void bad_grants_are_refused(struct hk_test *test)
{
    struct hk_thread *one = hk_test_thread(test, "one"), *two = hk_test_thread(test, "two");
    uint64_t handle = 0;

    HK_EXPECT(test, one != NULL && two != NULL);
    HK_EXPECT(test, hk_cap_insert(one->process, &two->process->object, HK_RIGHT_PROCESS, 0,
                                  &handle) == HK_OK);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, 77, AT, AT, 1) == HK_EHANDLE);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, AT, AT, UINT64_MAX) ==
                        HK_ETOOBIG);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, 0, AT, 4096) == HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, AT, UINT64_MAX - 9, 64) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, FREE, AT, 64) == HK_EFAULT);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, AT, FREE, 64) == HK_EFAULT);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, HK_HANDLE_SELF, AT, AT + 64, 65) ==
                        HK_EINVAL);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, HK_HANDLE_SELF, AT, AT + 64, 64) == 64);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, AT, AT, 0) == 0);
    hk_object_hold(&two->process->object);
    hk_process_end(test->cpu, two->process, HK_EXIT_KILLED, 0);
    HK_EXPECT(test, hk_test_call(test, one, HK_SYS_grant, handle, AT, AT, 4096) == HK_EPEER);
    hk_object_release(test->cpu, one->process->caps[handle].object);
}

const struct hk_test_row hk_test_memory[] = {
    { "shared memory: the same pages", shared_pages_are_the_same },
    { "shared memory: whole or not at all", shared_memory_is_mapped_whole_or_not },
    { "grant: the partial-mapping law", partial_mapping_law_is_exact },
    { "grant: whole pages move", grants_move_whole_pages },
    { "grant: the rest is copied", grants_copy_what_cannot_move },
    { "grant: bad ranges and handles", bad_grants_are_refused },
    { NULL, NULL },
};
