/* SPDX-License-Identifier: MIT */
/* Arrays that grow by doubling, for parsers that cannot know how many rows come. */
#ifndef HK_GUEST_GROW_H
#define HK_GUEST_GROW_H

#include <stdlib.h>
#include <string.h>

/* One more zeroed element at the end of *array, or NULL with the array unchanged. */
static inline void *hk_grow(void **array, size_t *count, size_t element_bytes)
{
    size_t n = *count;
    char *bigger = *array;

    if ((n & (n - 1)) == 0) {
        bigger = realloc(*array, (n == 0 ? 1 : 2 * n) * element_bytes);
        if (bigger == NULL) {
            return NULL;
        }
        *array = bigger;
    }
    memset(bigger + n * element_bytes, 0, element_bytes);
    (*count)++;
    return bigger + n * element_bytes;
}

#endif
