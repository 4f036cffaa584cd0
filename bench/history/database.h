/* SPDX-License-Identifier: MIT */
/* The database behind a history, shared inside this component. */
#ifndef HK_HISTORY_DATABASE_H
#define HK_HISTORY_DATABASE_H

#include <sqlite3.h>

#include "hk/history/history.h"

struct hk_history {
    sqlite3 *db;
    char path[256]; /* for messages */
    char error[HK_TEXT_BYTES];
};

/* Keep what SQLite says as the history's error, with the remedy, and give its status. */
enum hk_status hk_database_fail(struct hk_history *h);

/* Prepare one statement; NULL after hk_database_fail was called. */
sqlite3_stmt *hk_database_prepare(struct hk_history *h, const char *sql);

/* Run statements without results. */
enum hk_status hk_database_exec(struct hk_history *h, const char *sql);

/*
 * One step of a statement. HK_OK with a row, HK_EEMPTY at the end, or what failed.
 */
enum hk_status hk_database_step(struct hk_history *h, sqlite3_stmt *statement);

/* A transaction of one writer, until hk_database_end: HK_EBUSY. */
enum hk_status hk_database_begin(struct hk_history *h);

/* Commits what came to HK_OK and undoes the rest. Returns status, or why it was not committed. */
enum hk_status hk_database_end(struct hk_history *h, enum hk_status status);

/* hk_history_add inside a transaction of the caller's. */
enum hk_status hk_database_add(struct hk_history *h, const struct hk_history_job *job,
                               const struct hk_history_points *points, int64_t *number);

#endif
