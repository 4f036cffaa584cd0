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
        snprintf(error, HK_QEMU_ERROR_BYTES, "%.300s for the initramfs: %s", path,
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

static enum hk_status file_add(FILE *archive, const char *name, uint32_t permissions,
                               const char *path, char *error)
{
    char *data = NULL;
    size_t bytes = 0;
    enum hk_status status = file_load(path, &data, &bytes, error);

    if (status == HK_OK) {
        member_add(archive, name, S_IFREG | permissions, data, bytes);
    }
    free(data);
    return status;
}

static enum hk_status cells_add(FILE *archive, const struct hk_initramfs *contents)
{
    char *list = NULL;
    size_t bytes = 0;
    FILE *text = open_memstream(&list, &bytes);
    bool failed = text == NULL;

    for (size_t i = 0; i < contents->cell_count && text != NULL; i++) {
        fprintf(text, "%s\n", contents->cells[i]);
    }
    failed = (text != NULL && fclose(text) != 0) || failed;
    if (!failed) {
        member_add(archive, "cells", S_IFREG | 0644, list, bytes);
    }
    free(list);
    return failed ? HK_ENOMEM : HK_OK;
}

static enum hk_status modules_add(FILE *archive, const struct hk_initramfs *contents, char *error)
{
    enum hk_status status = HK_OK;

    if (contents->module_count > 0) {
        member_add(archive, "modules", S_IFDIR | 0755, NULL, 0);
    }
    for (size_t i = 0; i < contents->module_count && status == HK_OK; i++) {
        const char *path = contents->modules[i];
        const char *slash = strrchr(path, '/');
        char name[128];

        snprintf(name, sizeof(name), "modules/%.100s", slash != NULL ? slash + 1 : path);
        status = file_add(archive, name, 0644, path, error);
    }
    return status;
}

static enum hk_status archive_write(FILE *archive, const struct hk_initramfs *contents,
                                    char *error)
{
    enum hk_status status = file_add(archive, "init", 0755, contents->init, error);

    if (status == HK_OK) {
        status = cells_add(archive, contents);
    }
    if (status == HK_OK) {
        status = modules_add(archive, contents, error);
    }
    member_add(archive, "TRAILER!!!", 0, NULL, 0);
    return status == HK_OK && ferror(archive) != 0 ? HK_ENOMEM : status;
}

enum hk_status hk_initramfs_create(const struct hk_initramfs *contents, int *fd,
                                   char error[HK_QEMU_ERROR_BYTES])
{
    int made = memfd_create("hkbench-initramfs", 0); /* QEMU inherits it */
    int writer = made >= 0 ? dup(made) : -1;
    FILE *archive = writer >= 0 ? fdopen(writer, "wb") : NULL;
    enum hk_status status = HK_ENOMEM;

    snprintf(error, HK_QEMU_ERROR_BYTES, "no memory for the initramfs");
    if (archive != NULL) {
        status = archive_write(archive, contents, error);
        if (fclose(archive) != 0 && status == HK_OK) {
            status = HK_ENOMEM;
        }
    } else if (writer >= 0) {
        close(writer);
    }
    if (status == HK_OK) {
        *fd = made;
    } else if (made >= 0) {
        close(made);
    }
    return status;
}
