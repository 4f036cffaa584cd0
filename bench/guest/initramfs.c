/* SPDX-License-Identifier: MIT */
#include "initramfs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((long)64 * 1024 * 1024)

static void pad(FILE *archive)
{
    while (ftell(archive) % 4 != 0) {
        fputc(0, archive);
    }
}

/* One member: thirteen fields of eight hexadecimal digits, the name, the contents, each padded. */
static void member_add(FILE *archive, const char *name, uint32_t mode, const void *data,
                       size_t bytes)
{
    const uint32_t fields[] = {0, mode, 0, 0, 1, 0, (uint32_t)bytes, 0, 0, 0, 0,
                               (uint32_t)strlen(name) + 1, 0};

    fputs("070701", archive);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        fprintf(archive, "%08x", fields[i]);
    }
    fwrite(name, 1, strlen(name) + 1, archive);
    pad(archive);
    if (bytes > 0) {
        fwrite(data, 1, bytes, archive);
    }
    pad(archive);
}

static enum hk_status file_load(const char *path, char **data, size_t *bytes, char *error)
{
    FILE *file = fopen(path, "rbe");
    long size = -1;
    char *loaded;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
    }
    if (size <= 0 || size > FILE_BYTES_MAX) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "first program %.300s: %s", path,
                 file == NULL ? strerror(errno) : "empty or no file");
        if (file != NULL) {
            fclose(file);
        }
        return HK_ENOENT;
    }
    rewind(file);
    loaded = malloc((size_t)size);
    if (loaded != NULL) {
        *bytes = fread(loaded, 1, (size_t)size, file);
        *data = loaded;
    }
    fclose(file);
    return loaded != NULL ? HK_OK : HK_ENOMEM;
}

static enum hk_status archive_write(int fd, const char *init, size_t init_bytes,
                                    const char *const *cells, size_t count)
{
    char *list = NULL;
    size_t list_bytes = 0;
    FILE *text = open_memstream(&list, &list_bytes);
    FILE *archive = fdopen(fd, "wb");
    bool failed = text == NULL || archive == NULL;

    for (size_t i = 0; i < count && text != NULL; i++) {
        fprintf(text, "%s\n", cells[i]);
    }
    failed = (text != NULL && fclose(text) != 0) || failed;
    if (!failed) {
        member_add(archive, "init", S_IFREG | 0755, init, init_bytes);
        member_add(archive, "cells", S_IFREG | 0644, list, list_bytes);
        member_add(archive, "TRAILER!!!", 0, NULL, 0);
        failed = ferror(archive) != 0;
    }
    if (archive == NULL) {
        close(fd);
    } else {
        failed = fclose(archive) != 0 || failed;
    }
    free(list);
    return failed ? HK_ENOMEM : HK_OK;
}

enum hk_status hk_initramfs_create(const char *init_path, const char *const *cells, size_t count,
                                   int *fd, char error[HK_QEMU_ERROR_BYTES])
{
    char *init = NULL;
    size_t init_bytes = 0;
    enum hk_status status = file_load(init_path, &init, &init_bytes, error);
    int made = -1;
    int writer = -1;

    if (status != HK_OK) {
        return status;
    }
    made = memfd_create("hkbench-initramfs", 0); /* QEMU inherits it */
    writer = made >= 0 ? dup(made) : -1;
    status = writer >= 0 ? archive_write(writer, init, init_bytes, cells, count) : HK_ENOMEM;
    free(init);
    if (status != HK_OK) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "no memory for the initramfs: %s", strerror(errno));
        if (made >= 0) {
            close(made);
        }
        return status;
    }
    *fd = made;
    return HK_OK;
}
