/* SPDX-License-Identifier: MIT */
/* The file system in memory: names, contents, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "memfs.h"

static int create(void **state)
{
    struct hk_memfs *fs;

    if (hk_memfs_create(&fs) != HK_OK)
        return 1;
    *state = fs;
    return 0;
}

static int destroy(void **state)
{
    hk_memfs_destroy(*state);
    return 0;
}

static void names_are_found_in_their_folder(void **state)
{
    struct hk_memfs_attributes folder, file, found;
    struct hk_memfs *fs = *state;

    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "etc", true, &folder), HK_OK);
    assert_int_equal(hk_memfs_make(fs, folder.inode, "hosts", false, &file), HK_OK);
    assert_int_equal(hk_memfs_lookup(fs, folder.inode, "hosts", &found), HK_OK);
    assert_int_equal(found.inode, file.inode);
    assert_int_equal(hk_memfs_lookup(fs, HK_MEMFS_ROOT, "hosts", &found), HK_ENOENT);
    assert_int_equal(hk_memfs_lookup(fs, 0, "hosts", &found), HK_ENOENT);
    assert_int_equal(hk_memfs_attributes(fs, folder.inode, &found), HK_OK);
    assert_true(found.folder);
    assert_int_equal(hk_memfs_attributes(fs, HK_MEMFS_ROOT, &found), HK_OK);
    assert_int_equal(hk_memfs_attributes(fs, 0, &found), HK_ENOENT);
    assert_int_equal(hk_memfs_attributes(fs, UINT64_MAX, &found), HK_ENOENT);
}

static void what_cannot_be_made_is_refused(void **state)
{
    struct hk_memfs_attributes made = {.inode = 2385}, file;
    char name[HK_MEMFS_NAME_BYTES + 1], number[16];
    struct hk_memfs *fs = *state;

    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "a", false, &file), HK_OK);
    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "a", true, &made), HK_EEXIST);
    assert_int_equal(hk_memfs_make(fs, file.inode, "b", false, &made), HK_ENOENT);
    assert_int_equal(hk_memfs_make(fs, 99, "b", false, &made), HK_ENOENT);
    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "", false, &made), HK_EINVAL);
    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "a/b", false, &made), HK_EINVAL);
    memset(name, 'n', HK_MEMFS_NAME_BYTES);
    name[HK_MEMFS_NAME_BYTES] = '\0';
    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, name, false, &made), HK_EINVAL);
    assert_int_equal(made.inode, 2385);
    for (int i = 2; i < HK_MEMFS_INODES_MAX; i++) {
        snprintf(number, sizeof number, "f%d", i);
        assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, number, false, &file), HK_OK);
    }
    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "last", false, &made), HK_ENOSPC);
}

static void what_is_written_lies_there(void **state)
{
    struct hk_memfs_attributes file, other, found;
    struct hk_memfs *fs = *state;
    const unsigned char *data;
    size_t bytes = 100;
    char back[8] = "";

    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "a", false, &file), HK_OK);
    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "b", false, &other), HK_OK);
    assert_int_equal(hk_memfs_write(fs, file.inode, 4090, "seventy", 7), HK_OK);
    assert_int_equal(hk_memfs_attributes(fs, file.inode, &found), HK_OK);
    assert_int_equal(found.bytes, 4097);
    assert_int_equal(hk_memfs_view(fs, file.inode, 4090, &data, &bytes), HK_OK);
    assert_int_equal(bytes, 7);
    assert_memory_equal(data, "seventy", 7);
    assert_int_equal(pread(hk_memfs_fd(fs), back, 7, (off_t)hk_memfs_fd_offset(fs, data)), 7);
    assert_string_equal(back, "seventy");
    bytes = 10;
    assert_int_equal(hk_memfs_view(fs, file.inode, 4097, &data, &bytes), HK_OK);
    assert_int_equal(bytes, 0);
    bytes = 10;
    assert_int_equal(hk_memfs_view(fs, other.inode, UINT64_MAX, &data, &bytes), HK_OK);
    assert_int_equal(bytes, 0);
}

static void limits_hold(void **state)
{
    struct hk_memfs_attributes file, found;
    struct hk_memfs *fs = *state;
    const unsigned char *data = NULL;
    size_t bytes = 1;

    assert_int_equal(hk_memfs_make(fs, HK_MEMFS_ROOT, "a", false, &file), HK_OK);
    assert_int_equal(hk_memfs_write(fs, file.inode, HK_MEMFS_FILE_BYTES_MAX, "x", 1), HK_ENOSPC);
    assert_int_equal(hk_memfs_write(fs, file.inode, UINT64_MAX, "x", 1), HK_ENOSPC);
    assert_int_equal(hk_memfs_write(fs, file.inode, HK_MEMFS_FILE_BYTES_MAX - 1, "x", 1), HK_OK);
    assert_int_equal(hk_memfs_write(fs, HK_MEMFS_ROOT, 0, "x", 1), HK_EINVAL);
    assert_int_equal(hk_memfs_write(fs, 77, 0, "x", 1), HK_ENOENT);
    assert_int_equal(hk_memfs_view(fs, HK_MEMFS_ROOT, 0, &data, &bytes), HK_EINVAL);
    assert_int_equal(hk_memfs_view(fs, 77, 0, &data, &bytes), HK_ENOENT);
    assert_true(data == NULL && bytes == 1);
    assert_int_equal(hk_memfs_attributes(fs, file.inode, &found), HK_OK);
    assert_int_equal(found.bytes, HK_MEMFS_FILE_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_found_in_their_folder, create, destroy),
        cmocka_unit_test_setup_teardown(what_cannot_be_made_is_refused, create, destroy),
        cmocka_unit_test_setup_teardown(what_is_written_lies_there, create, destroy),
        cmocka_unit_test_setup_teardown(limits_hold, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
