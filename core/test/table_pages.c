/* SPDX-License-Identifier: MIT */
#include "port/port.h"
#include "table.h"

enum { ALICE = 11, BOB = 23, FRAMES = 24 };

static bool has_byte(const struct hk_kernel *kernel, uint64_t physical, unsigned char byte)
{
    const unsigned char *bytes = hk_window(kernel, physical);

    for (uint32_t i = 0; i < HK_PAGE_BYTES; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

static void fill(const struct hk_kernel *kernel, uint64_t physical, unsigned char byte)
{
    unsigned char *bytes = hk_window(kernel, physical);

    for (uint32_t i = 0; i < HK_PAGE_BYTES; i++)
        bytes[i] = byte;
}

static void zeroed_and_last_freed_first(struct hk_test *test)
{
    struct hk_kernel *kernel = test->cpu->kernel;
    uint64_t first, second, again;

    HK_EXPECT(test, hk_page_allocate(kernel, ALICE, &first) == HK_OK);
    HK_EXPECT(test, hk_page_allocate(kernel, ALICE, &second) == HK_OK);
    HK_EXPECT(test, first != second && has_byte(kernel, first, 0));
    fill(kernel, first, 0xaa);
    fill(kernel, second, 0xbb);
    HK_EXPECT(test, hk_page_free(kernel, ALICE, first) == HK_OK);
    HK_EXPECT(test, hk_page_free(kernel, ALICE, second) == HK_OK);
    HK_EXPECT(test, hk_page_allocate(kernel, BOB, &again) == HK_OK);
    HK_EXPECT(test, again == second && has_byte(kernel, again, 0));
    HK_EXPECT(test, hk_page_allocate(kernel, BOB, &again) == HK_OK);
    HK_EXPECT(test, again == first && has_byte(kernel, again, 0));
    HK_EXPECT(test, hk_page_free(kernel, BOB, first) == HK_OK);
    HK_EXPECT(test, hk_page_free(kernel, BOB, second) == HK_OK);
}

static void double_and_foreign_free_are_refused(struct hk_test *test)
{
    struct hk_kernel *kernel = test->cpu->kernel;
    uint32_t free_count = kernel->pages.free_count;
    uint64_t frame;

    HK_EXPECT(test, hk_page_allocate(kernel, ALICE, &frame) == HK_OK);
    HK_EXPECT(test, hk_page_free(kernel, BOB, frame) == HK_EPERM);
    HK_EXPECT(test, hk_page_free(kernel, ALICE, frame + 1) == HK_EINVAL);
    HK_EXPECT(test, hk_page_free(kernel, ALICE, 0) == HK_EINVAL);
    HK_EXPECT(test, hk_page_free(kernel, ALICE, UINT64_MAX) == HK_EINVAL);
    HK_EXPECT(test, hk_page_free(kernel, ALICE, frame + (1ull << 40)) == HK_EINVAL);
    HK_EXPECT(test, hk_page_belongs(kernel, frame, ALICE));
    HK_EXPECT(test, !hk_page_belongs(kernel, frame, BOB));
    hk_page_hold(kernel, frame);
    HK_EXPECT(test, !hk_page_belongs(kernel, frame, ALICE));
    hk_page_release(kernel, frame);
    hk_page_give(kernel, frame, BOB);
    HK_EXPECT(test, hk_page_free(kernel, ALICE, frame) == HK_EPERM);
    HK_EXPECT(test, hk_page_free(kernel, BOB, frame) == HK_OK);
    HK_EXPECT(test, hk_page_free(kernel, BOB, frame) == HK_EINVAL);
    HK_EXPECT(test, !hk_page_belongs(kernel, frame, BOB));
    HK_EXPECT(test, kernel->pages.free_count == free_count);
}

static void runs_lie_side_by_side(struct hk_test *test)
{
    struct hk_kernel *kernel = test->cpu->kernel;
    uint64_t frames[FRAMES], run, untouched = 4711;

    HK_EXPECT(test, hk_page_allocate_run(kernel, ALICE, 0, &run) == HK_EINVAL);
    HK_EXPECT(test, hk_page_allocate_run(kernel, ALICE, kernel->pages.count + 1, &untouched) ==
                        HK_ENOMEM);
    HK_EXPECT(test, untouched == 4711);
    HK_EXPECT(test, hk_page_allocate_run(kernel, ALICE, FRAMES, &run) == HK_OK);
    for (uint64_t i = 0; i < FRAMES; i++) {
        frames[i] = run + i * HK_PAGE_BYTES;
        HK_EXPECT(test, hk_page_belongs(kernel, frames[i], ALICE));
        HK_EXPECT(test, has_byte(kernel, frames[i], 0));
    }
    hk_page_release_run(kernel, run, FRAMES);
}

/* The rest of memory in one run, then a run of freed frames: the gap is found and leaves the
 * free list, whose other frames stay on it. */
static void runs_are_found_among_freed_frames(struct hk_test *test)
{
    struct hk_kernel *kernel = test->cpu->kernel;
    uint32_t rest = kernel->pages.count - (uint32_t)kernel->pages.never_used;
    uint64_t frames[FRAMES], all = 0, run = 0, more;
    uint32_t free_count;

    HK_EXPECT(test, rest > FRAMES);
    HK_EXPECT(test, hk_page_allocate_run(kernel, ALICE, rest, &all) == HK_OK);
    for (uint64_t i = 0; i < FRAMES; i++) {
        frames[i] = all + (rest - FRAMES + i) * HK_PAGE_BYTES;
        fill(kernel, frames[i], 0xcc);
    }
    /* every frame of the last FRAMES but the fourth, in an order that is not theirs */
    for (uint64_t i = 0; i < FRAMES; i++)
        if (i * 7 % FRAMES != 3)
            HK_EXPECT(test, hk_page_free(kernel, ALICE, frames[i * 7 % FRAMES]) == HK_OK);
    free_count = kernel->pages.free_count;
    HK_EXPECT(test, hk_page_allocate_run(kernel, BOB, 12, &run) == HK_OK);
    HK_EXPECT(test, kernel->pages.free_count == free_count - 12);
    for (uint64_t i = 0; i < 12; i++) {
        HK_EXPECT(test, hk_page_belongs(kernel, run + i * HK_PAGE_BYTES, BOB));
        HK_EXPECT(test, has_byte(kernel, run + i * HK_PAGE_BYTES, 0));
    }
    for (uint32_t i = 0; i < free_count - 12; i++) {
        HK_EXPECT(test, hk_page_allocate(kernel, ALICE, &more) == HK_OK);
        HK_EXPECT(test, more < run || more >= run + 12 * HK_PAGE_BYTES);
    }
    HK_EXPECT(test, hk_page_allocate(kernel, ALICE, &more) == HK_ENOMEM);
    for (uint32_t i = 0; i < kernel->pages.count; i++) {
        uint64_t frame = kernel->pages.base + (uint64_t)i * HK_PAGE_BYTES;

        if (hk_page_belongs(kernel, frame, ALICE) || hk_page_belongs(kernel, frame, BOB))
            hk_page_release(kernel, frame);
    }
}

const struct hk_test_row hk_test_pages[] = {
    { "pages: zeroed, last freed first", zeroed_and_last_freed_first },
    { "pages: double and foreign free refused", double_and_foreign_free_are_refused },
    { "pages: runs lie side by side", runs_lie_side_by_side },
    { "pages: runs among freed frames", runs_are_found_among_freed_frames },
    { NULL, NULL },
};
