/* SPDX-License-Identifier: MIT */
/*
 * A server may end between any two instructions, and its memory is what its
 * successor starts from. So a change is prepared where nobody looks, and one store
 * makes it count. The processor keeps the order of its own stores; this keeps the
 * compiler's. What can be computed from the rest is not kept but made again by
 * start().
 */
#ifndef HK_SERVICES_COMMIT_H
#define HK_SERVICES_COMMIT_H

#define hk_commit(place, value)               \
    do {                                      \
        __asm__ volatile("" : : : "memory"); \
        (place) = (value);                    \
        __asm__ volatile("" : : : "memory"); \
    } while (0)

#endif
