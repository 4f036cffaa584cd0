/* SPDX-License-Identifier: MIT */
/* Whole files, written atomically; folders. */
#include "hk/result/result.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

enum hk_status hk_status_from_errno(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
        return HK_EPERM;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return HK_ENOSPC;
    case ENOENT:
    case ENOTDIR:
        return HK_ENOENT;
    case EEXIST:
        return HK_EEXIST;
    case ENOMEM:
        return HK_ENOMEM;
    default:
        return HK_EIO;
    }
}

enum hk_status hk_fd_write_all(int fd, const char *text, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t n = write(fd, text + done, bytes - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hk_status_from_errno(errno);
        done += (size_t)n;
    }
    return HK_OK;
}

/* fsync of the folder makes the rename last; a file system without it is no error. */
static void sync_parent(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash++;
    if (slash)
        *slash = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

enum hk_status hk_file_write(const char *path, const char *text, size_t bytes)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof(temporary))
        return HK_EINVAL;
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return hk_status_from_errno(errno);

    enum hk_status status = hk_fd_write_all(fd, text, bytes);
    if (status == HK_OK && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
        status = hk_status_from_errno(errno);
    if (close(fd) != 0 && status == HK_OK)
        status = hk_status_from_errno(errno);
    if (status == HK_OK && rename(temporary, path) != 0)
        status = hk_status_from_errno(errno);
    if (status != HK_OK) {
        unlink(temporary);
        return status;
    }
    sync_parent(path);
    return HK_OK;
}

static enum hk_status read_all(int fd, size_t bytes_max, char **text, size_t *bytes)
{
    size_t capacity = 4096, used = 0;
    char *buffer = malloc(capacity);
    if (!buffer)
        return HK_ENOMEM;
    enum hk_status status = HK_OK;
    for (;;) {
        if (used + 1 == capacity) {
            char *grown = realloc(buffer, capacity * 2);
            if (!grown) {
                status = HK_ENOMEM;
                goto done;
            }
            buffer = grown;
            capacity *= 2;
        }
        ssize_t n = read(fd, buffer + used, capacity - used - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            status = hk_status_from_errno(errno);
            goto done;
        }
        if (n == 0)
            break;
        used += (size_t)n;
        if (used > bytes_max) {
            status = HK_ETOOBIG;
            goto done;
        }
    }
    buffer[used] = '\0';
    *text = buffer;
    *bytes = used;
    return HK_OK;
done:
    free(buffer);
    return status;
}

enum hk_status hk_file_read(const char *path, size_t bytes_max, char **text, size_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return hk_status_from_errno(errno);
    enum hk_status status = read_all(fd, bytes_max, text, bytes);
    close(fd);
    return status;
}

enum hk_status hk_folder_make(const char *path)
{
    char partial[PATH_MAX];
    int length = snprintf(partial, sizeof(partial), "%s", path);
    if (length <= 0 || (size_t)length >= sizeof(partial))
        return HK_EINVAL;
    for (char *slash = partial + 1;; slash++) {
        slash += strcspn(slash, "/");
        bool last = *slash == '\0';
        *slash = '\0';
        if (mkdir(partial, 0755) != 0 && errno != EEXIST)
            return hk_status_from_errno(errno);
        if (last)
            break;
        *slash = '/';
    }
    struct stat info;
    if (stat(path, &info) != 0)
        return hk_status_from_errno(errno);
    return S_ISDIR(info.st_mode) ? HK_OK : HK_EPERM;
}
