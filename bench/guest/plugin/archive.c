/* SPDX-License-Identifier: MIT */
#include "archive.h"

#include <ar.h>
#include <string.h>

/* A decimal field, padded with blanks. */
static enum hk_status size_read(const struct ar_hdr *header, size_t *bytes)
{
    size_t value = 0;
    size_t i = 0;

    for (; i < sizeof(header->ar_size) && header->ar_size[i] != ' '; i++) {
        if (header->ar_size[i] < '0' || header->ar_size[i] > '9') {
            return HK_EPARSE;
        }
        value = value * 10 + (size_t)(header->ar_size[i] - '0'); /* ten digits cannot overflow */
    }
    *bytes = value;
    return i > 0 ? HK_OK : HK_EPARSE;
}

enum hk_status hk_archive_next(const unsigned char *archive, size_t bytes, size_t *position,
                               struct hk_archive_member *member)
{
    struct hk_archive_member found = {0};
    size_t at = *position;
    struct ar_hdr header;

    if (at == 0) {
        if (bytes < SARMAG || memcmp(archive, ARMAG, SARMAG) != 0) {
            return HK_EPARSE;
        }
        at = SARMAG;
    }
    if (at >= bytes) {
        return HK_ENOENT;
    }
    if (bytes - at < sizeof(header)) {
        return HK_EPARSE;
    }
    memcpy(&header, archive + at, sizeof(header));
    at += sizeof(header);
    if (memcmp(header.ar_fmag, ARFMAG, sizeof(header.ar_fmag)) != 0 ||
        size_read(&header, &found.bytes) != HK_OK || found.bytes > bytes - at) {
        return HK_EPARSE;
    }
    memcpy(found.name, header.ar_name, sizeof(header.ar_name));
    found.name[strcspn(found.name, "/ ")] = '\0';
    found.data = archive + at;
    *position = at + found.bytes + (found.bytes & 1u); /* members begin at even offsets */
    *member = found;
    return HK_OK;
}
