/* SPDX-License-Identifier: MIT */
/* The program "policy": chooses who runs next, well or in one of the wrong ways. */
#ifndef HK_USER_POLICY_H
#define HK_USER_POLICY_H

enum hk_policy_mode {
    HK_POLICY_MODE_SHARES,  /* turns in proportion to priority */
    HK_POLICY_MODE_NONSENSE, /* names a thread that does not exist */
    HK_POLICY_MODE_LOOP,    /* thinks for ever */
    HK_POLICY_MODE_WAIT,    /* sleeps instead of answering */
    HK_POLICY_MODE_YIELD,   /* gives its turn away instead of answering */
    HK_POLICY_MODE_EXIT,    /* ends when it is asked */
    HK_POLICY_MODE_FAULT,   /* reads address 0 when it is asked */
    HK_POLICY_MODE_BUFFER,  /* wants the question where no memory is */
    HK_POLICY_MODES,
};

#endif
