/* SPDX-License-Identifier: MIT */
/* Opening, adding, accepting. */
#include "hk/history/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database.h"

#define APPLICATION_ID 0x686b6268 /* "hkbh": told apart from other programs' databases */
#define BUSY_MS 10000

/*
 * One row per point in the order in which a series is read: a range of the primary key. Jobs
 * are numbered for good: AUTOINCREMENT never gives a number twice.
 */
static const char schema_sql[] =
    "CREATE TABLE job (number INTEGER PRIMARY KEY AUTOINCREMENT, revision TEXT NOT NULL,"
    " time TEXT NOT NULL, machine TEXT NOT NULL, source TEXT NOT NULL,"
    " UNIQUE (revision, source, time));"
    "CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL, metric TEXT NOT NULL,"
    " kind INTEGER NOT NULL, basis TEXT NOT NULL, last_job INTEGER NOT NULL,"
    " UNIQUE (name, metric, kind, basis));"
    "CREATE TABLE point (series INTEGER NOT NULL REFERENCES series, job INTEGER NOT NULL"
    " REFERENCES job, value REAL NOT NULL, reference REAL NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (series, job)) WITHOUT ROWID;"
    "CREATE TABLE acceptance (series INTEGER NOT NULL REFERENCES series, job INTEGER NOT NULL,"
    " after INTEGER NOT NULL, time TEXT NOT NULL, reason TEXT NOT NULL,"
    " PRIMARY KEY (series, job)) WITHOUT ROWID;";

static const char *const kinds[] = {
    [HK_SERIES_RATIO] = "ratio",
    [HK_SERIES_ABSOLUTE] = "absolute",
    [HK_SERIES_EXACT] = "exact",
    [HK_SERIES_NEAR] = "near",
};

const char *hk_series_kind_name(enum hk_series_kind kind)
{
    return kinds[kind];
}

/* --- SQLite's errors ------------------------------------------------------------ */

static const struct {
    int code;
    enum hk_status status;
    const char *remedy;
} failures[] = {
    {SQLITE_BUSY, HK_EBUSY, "another process is writing to it; try again"},
    {SQLITE_LOCKED, HK_EBUSY, "another process is writing to it; try again"},
    {SQLITE_FULL, HK_ENOSPC, "free some space; nothing of this job was kept"},
    {SQLITE_READONLY, HK_EPERM, "it and its folder must be writable"},
    {SQLITE_PERM, HK_EPERM, "it and its folder must be writable"},
    {SQLITE_CANTOPEN, HK_EPERM, "it cannot be opened; its folder must exist and be writable"},
    {SQLITE_NOTADB, HK_EPARSE, "it is no history of hkbench; give another file with --history"},
    {SQLITE_CORRUPT, HK_EPARSE,
     "it is damaged; restore a copy, or save what is left with: sqlite3 FILE .recover"},
    {SQLITE_NOMEM, HK_ENOMEM, "free some memory"},
};

enum hk_status hk_database_fail(struct hk_history *h)
{
    const int code = sqlite3_errcode(h->db) & 0xff;
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        if (failures[i].code != code)
            continue;
        snprintf(h->error, sizeof(h->error), "%s: %.120s; %s", h->path, sqlite3_errmsg(h->db),
                 failures[i].remedy);
        return failures[i].status;
    }
    snprintf(h->error, sizeof(h->error), "%s: %.200s", h->path, sqlite3_errmsg(h->db));
    return HK_EIO;
}

sqlite3_stmt *hk_database_prepare(struct hk_history *h, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(h->db, sql, -1, &statement, NULL) == SQLITE_OK)
        return statement;
    (void)hk_database_fail(h);
    return NULL;
}

enum hk_status hk_database_exec(struct hk_history *h, const char *sql)
{
    return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK ? HK_OK : hk_database_fail(h);
}

enum hk_status hk_database_step(struct hk_history *h, sqlite3_stmt *statement)
{
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return HK_OK;
    return code == SQLITE_DONE ? HK_EEMPTY : hk_database_fail(h);
}

enum hk_status hk_database_begin(struct hk_history *h)
{
    return hk_database_exec(h, "BEGIN IMMEDIATE");
}

enum hk_status hk_database_end(struct hk_history *h, enum hk_status status)
{
    if (status == HK_OK)
        status = hk_database_exec(h, "COMMIT");
    if (status != HK_OK)
        (void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

const char *hk_history_error(const struct hk_history *h)
{
    return h->error;
}

/* --- opening --------------------------------------------------------------------- */

static enum hk_status read_number(struct hk_history *h, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = hk_database_prepare(h, sql);
    enum hk_status status = statement ? hk_database_step(h, statement) : HK_EPARSE;
    if (status == HK_OK)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

/* Two writers may find the file empty at once: only one of them makes the tables. */
static enum hk_status make_schema(struct hk_history *h)
{
    char version[64];
    int64_t tables = 0;
    enum hk_status status = hk_database_begin(h);
    if (status != HK_OK)
        return status;
    status = read_number(h, "SELECT count(*) FROM sqlite_master", &tables);
    if (status == HK_OK && tables == 0)
        status = hk_database_exec(h, schema_sql);
    snprintf(version, sizeof(version), "PRAGMA application_id=%d; PRAGMA user_version=%d",
             APPLICATION_ID, HK_HISTORY_SCHEMA);
    if (status == HK_OK && tables == 0)
        status = hk_database_exec(h, version);
    return hk_database_end(h, status);
}

static enum hk_status check_schema(struct hk_history *h)
{
    int64_t application = 0, version = 0, tables = 0;
    enum hk_status status = read_number(h, "SELECT count(*) FROM sqlite_master", &tables);
    if (status == HK_OK && tables == 0)
        status = make_schema(h);
    if (status == HK_OK)
        status = read_number(h, "PRAGMA application_id", &application);
    if (status == HK_OK)
        status = read_number(h, "PRAGMA user_version", &version);
    if (status != HK_OK)
        return status;
    if (application != APPLICATION_ID) {
        snprintf(h->error, sizeof(h->error),
                 "%s: a database of another program; give another file with --history", h->path);
        return HK_EPARSE;
    }
    if (version == HK_HISTORY_SCHEMA)
        return HK_OK;
    snprintf(h->error, sizeof(h->error),
             "%s: written with schema %lld, this hkbench reads schema %d; use a newer hkbench",
             h->path, (long long)version, HK_HISTORY_SCHEMA);
    return HK_ESCHEMA;
}

/* We make neither, so in a file that has them they are somebody's who means no good. */
static enum hk_status distrust_schema(struct hk_history *h)
{
    static const int options[] = {SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                                  SQLITE_DBCONFIG_TRUSTED_SCHEMA};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        int now = 1;
        if (sqlite3_db_config(h->db, options[i], 0, &now) == SQLITE_OK && now == 0)
            continue;
        snprintf(h->error, sizeof(h->error),
                 "%s: SQLite %s does not turn views and triggers off; use 3.31 or newer", h->path,
                 sqlite3_libversion());
        return HK_ENOTSUP;
    }
    return HK_OK;
}

static enum hk_status open_database(struct hk_history *h, const char *path, bool create)
{
    const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    if (sqlite3_open_v2(path, &h->db, flags, NULL) != SQLITE_OK)
        return hk_database_fail(h);
    sqlite3_busy_timeout(h->db, BUSY_MS);
    enum hk_status status = distrust_schema(h);
    if (status == HK_OK)
        status = check_schema(h);
    /* A committed job is on the disk before it is acknowledged; readers never wait. */
    return status == HK_OK ? hk_database_exec(h, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                                 "PRAGMA foreign_keys=ON")
                           : status;
}

enum hk_status hk_history_open(const char *path, bool create, struct hk_history **history,
                               char error[HK_TEXT_BYTES])
{
    if (!create && access(path, F_OK) != 0) {
        snprintf(error, HK_TEXT_BYTES, "%.200s: %s; make it with: hkbench track add", path,
                 strerror(errno));
        return HK_ENOENT;
    }
    struct hk_history *h = calloc(1, sizeof(*h));
    if (!h) {
        snprintf(error, HK_TEXT_BYTES, "out of memory");
        return HK_ENOMEM;
    }
    snprintf(h->path, sizeof(h->path), "%s", path);
    const enum hk_status status = open_database(h, path, create);
    if (status == HK_OK) {
        *history = h;
        return HK_OK;
    }
    snprintf(error, HK_TEXT_BYTES, "%s", h->error);
    hk_history_close(h);
    return status;
}

void hk_history_close(struct hk_history *h)
{
    if (!h)
        return;
    sqlite3_close(h->db);
    free(h);
}

/* --- adding ------------------------------------------------------------------------ */

static const char insert_job[] =
    "INSERT INTO job (revision, time, machine, source) VALUES (?, ?, ?, ?) RETURNING number";
static const char insert_series[] =
    "INSERT INTO series (name, metric, kind, basis, last_job) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET last_job = excluded.last_job RETURNING id";
static const char insert_point[] =
    "INSERT INTO point (series, job, value, reference, count) VALUES (?, ?, ?, ?, ?)";

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    sqlite3_bind_text(statement, column, text ? text : "", -1, SQLITE_TRANSIENT);
}

static enum hk_status add_job(struct hk_history *h, const struct hk_history_job *job,
                              int64_t *number)
{
    sqlite3_stmt *statement = hk_database_prepare(h, insert_job);
    if (!statement)
        return HK_EPARSE;
    bind_text(statement, 1, job->commit);
    bind_text(statement, 2, job->time);
    bind_text(statement, 3, job->machine);
    bind_text(statement, 4, job->source);
    enum hk_status status = hk_database_step(h, statement);
    if (status == HK_OK)
        *number = sqlite3_column_int64(statement, 0);
    else if (sqlite3_extended_errcode(h->db) == SQLITE_CONSTRAINT_UNIQUE) {
        status = HK_EEXIST;
        snprintf(h->error, sizeof(h->error), "%s: %.200s of commit %.60s is in it already",
                 h->path, job->source, job->commit);
    }
    sqlite3_finalize(statement);
    return status;
}

static enum hk_status add_point(struct hk_history *h, sqlite3_stmt *series, sqlite3_stmt *point,
                                const struct hk_history_point *p, int64_t job)
{
    bind_text(series, 1, p->name);
    bind_text(series, 2, p->metric);
    sqlite3_bind_int(series, 3, (int)p->kind);
    bind_text(series, 4, p->basis);
    sqlite3_bind_int64(series, 5, job);
    enum hk_status status = hk_database_step(h, series);
    if (status != HK_OK)
        return status;
    sqlite3_bind_int64(point, 1, sqlite3_column_int64(series, 0));
    sqlite3_bind_int64(point, 2, job);
    sqlite3_bind_double(point, 3, p->value);
    sqlite3_bind_double(point, 4, p->reference);
    sqlite3_bind_int64(point, 5, p->count);
    status = hk_database_step(h, point);
    sqlite3_reset(series);
    sqlite3_reset(point);
    return status == HK_EEMPTY ? HK_OK : status;
}

static enum hk_status add_points(struct hk_history *h, const struct hk_history_points *points,
                                 int64_t job)
{
    sqlite3_stmt *series = hk_database_prepare(h, insert_series);
    sqlite3_stmt *point = hk_database_prepare(h, insert_point);
    enum hk_status status = series && point ? HK_OK : HK_EPARSE;
    for (size_t i = 0; i < points->count && status == HK_OK; i++)
        status = add_point(h, series, point, &points->points[i], job);
    sqlite3_finalize(series);
    sqlite3_finalize(point);
    return status;
}

enum hk_status hk_database_add(struct hk_history *h, const struct hk_history_job *job,
                               const struct hk_history_points *points, int64_t *number)
{
    int64_t made = 0;
    enum hk_status status = add_job(h, job, &made);
    if (status == HK_OK)
        status = add_points(h, points, made);
    if (status == HK_OK)
        *number = made;
    return status;
}

enum hk_status hk_history_add(struct hk_history *h, const struct hk_history_job *job,
                              const struct hk_history_points *points, int64_t *number)
{
    int64_t made = 0;
    enum hk_status status = hk_database_begin(h);
    if (status != HK_OK)
        return status;
    status = hk_database_end(h, hk_database_add(h, job, points, &made));
    if (status == HK_OK)
        *number = made;
    return status;
}

/* --- accepting ------------------------------------------------------------------------ */

enum hk_status hk_history_accept(struct hk_history *h, int64_t series, int64_t job,
                                 const char *time, const char *reason)
{
    if (!reason || reason[strspn(reason, " \t\n")] == '\0') {
        snprintf(h->error, sizeof(h->error), "a change is accepted with a reason only");
        return HK_EINVAL;
    }
    sqlite3_stmt *statement = hk_database_prepare(
        h, "INSERT INTO acceptance (series, job, after, time, reason)"
           " VALUES (?, ?, (SELECT coalesce(max(number), 0) FROM job), ?, ?)");
    if (!statement)
        return HK_EPARSE;
    sqlite3_bind_int64(statement, 1, series);
    sqlite3_bind_int64(statement, 2, job);
    bind_text(statement, 3, time);
    bind_text(statement, 4, reason);
    enum hk_status status = hk_database_step(h, statement);
    const int code = sqlite3_extended_errcode(h->db);
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE) {
        status = HK_EEXIST;
        snprintf(h->error, sizeof(h->error), "that level was accepted before");
    }
    sqlite3_finalize(statement);
    return status == HK_EEMPTY ? HK_OK : status;
}
