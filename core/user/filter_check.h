/* SPDX-License-Identifier: MIT */
/* A client's program in the net service: what it must do there, and after the server has died. */
#ifndef HK_USER_FILTER_CHECK_H
#define HK_USER_FILTER_CHECK_H

#include "user/client.h"

/* Rejected, and accepted; datagrams dropped, passed and counted. The program stays. */
bool hk_filter_works(struct hk_client *client, uint64_t port);

/* It still does the same, with the counts of before; then it is removed. */
bool hk_filter_is_there(struct hk_client *client, uint64_t port);

#endif
