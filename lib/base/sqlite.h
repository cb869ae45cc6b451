/*
 * sqlite.h: databases in a file, by way of SQLite.
 *
 * Everything is flushed at each commit. Statements are prepared once and used
 * again; what goes wrong while values are bound is told by the step.
 *
 * 1. What has a SQLITE_WRITER is written ahead (WAL), and of all its handles
 *    exactly one writes and checkpoints: versions before 3.51.3 may damage it
 *    otherwise. The caller sees to that.
 * 2. What is SQLITE_SHARED has a rollback journal, and any number of handles
 *    that write, in any number of processes; but one at a time makes it, and
 *    the caller sees to that, too.
 * 3. A statement that was stepped is reset before the next step begins.
 *
 * Errors: E2E_ERR_FULL, E2E_ERR_MEMORY, E2E_ERR_STORE_DAMAGED,
 * E2E_ERR_STORE_IN_USE (another handle has held a lock for ten seconds),
 * E2E_ERR_LIMIT (a value is too large), else E2E_ERR_STORE.
 *
 * Threads: one at a time for each handle and its statements.
 */
#ifndef BASE_SQLITE_H
#define BASE_SQLITE_H

#include "base/buffer.h"

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite;
struct sqlite_statement;

enum sqlite_manner {
	SQLITE_WRITER,		/* made, with mode 0600, if there is none */
	SQLITE_READER,		/* changes nothing, checkpoints nothing */
	SQLITE_SHARED		/* a writer beside others; made likewise */
};

/* What marks a file as a database of one kind, and how to make one. */
struct sqlite_kind {
	uint32_t application;	/* PRAGMA application_id */
	uint32_t version;	/* PRAGMA user_version */
	const char *schema;	/* makes the tables of a new one; NULL, not
				 * for SQLITE_WRITER: none is made */
	uint32_t cache_kib;
};

/*
 * Opens, or makes, a database. One of a newer version is
 * E2E_ERR_STORE_VERSION; what is no such database, no regular file
 * (also a link), or was emptied, is E2E_ERR_STORE_DAMAGED, and so is one that
 * is gone when none is to be made (SQLITE_SHARED); neither is touched.
 * E2E_ERR_CREATE when there is none (SQLITE_READER) or it cannot be opened.
 * *why, if not NULL: a static sentence, or NULL.
 */
enum e2e_error sqlite_open(struct sqlite **db, const char *path,
    enum sqlite_manner manner, const struct sqlite_kind *kind,
    const char **why);
/* All statements are closed. NULL is fine. */
void sqlite_close(struct sqlite *db);

/* Runs statements that return nothing. */
enum e2e_error sqlite_run(struct sqlite *db, const char *sql);
/* The first column of the first row; 0 if there is none. */
enum e2e_error sqlite_ask(struct sqlite *db, const char *sql,
    uint64_t *number);

enum e2e_error sqlite_begin(struct sqlite *db);
/* When this fails the handle can only be closed, and writes no more. */
enum e2e_error sqlite_commit(struct sqlite *db);
/* Have the files still their names? A deleted one takes every write, too.
 * E2E_ERR_STORE: no, and the handle is as after a commit that failed. */
enum e2e_error sqlite_check_place(struct sqlite *db);
enum e2e_error sqlite_rollback(struct sqlite *db);
/* What is read until sqlite_rollback is of one moment. */
enum e2e_error sqlite_begin_reading(struct sqlite *db);

/* Pages in the log since it began anew. */
unsigned sqlite_log_pages(const struct sqlite *db);
/* Moves the log into the database. `wait`: for readers to let go of it, so
 * that it begins anew. Readers in the way are no error. */
enum e2e_error sqlite_checkpoint(struct sqlite *db, bool wait);

/* Copies the database into a new file, mode 0600, which appears complete and
 * on stable storage, or not at all. E2E_ERR_EXISTS, E2E_ERR_CREATE. */
enum e2e_error sqlite_backup(struct sqlite *db, const char *path);
/* SQLite's own look at everything; appends to the report what is wrong, and
 * is E2E_ERR_STORE_DAMAGED then. */
enum e2e_error sqlite_check(struct sqlite *db, struct buffer *report);

/* ---- statements ---- */

enum e2e_error sqlite_prepare(struct sqlite_statement **statement,
    struct sqlite *db, const char *sql);
void sqlite_finish(struct sqlite_statement *statement);	/* NULL is fine */

/* Parameters count from 1. Numbers beyond INT64_MAX come back the same, but
 * compare as negative ones. Bytes and text live until the reset. */
void sqlite_bind(struct sqlite_statement *s, int at, uint64_t number);
void sqlite_bind_bytes(struct sqlite_statement *s, int at, const void *data,
    size_t size);
void sqlite_bind_text(struct sqlite_statement *s, int at, const char *text);
void sqlite_bind_null(struct sqlite_statement *s, int at);

/* The next row, or the end; after the end and after an error it is reset. */
enum e2e_error sqlite_step(struct sqlite_statement *s, bool *row);
/* To the end, whatever rows there are. */
enum e2e_error sqlite_do(struct sqlite_statement *s);
void sqlite_reset(struct sqlite_statement *s);
/* The integer key of the row added last. */
uint64_t sqlite_last_row(const struct sqlite *db);

/* Columns count from 0; valid until the next step or reset. */
uint64_t sqlite_column(struct sqlite_statement *s, int at);
struct bytes sqlite_column_bytes(struct sqlite_statement *s, int at);
bool sqlite_column_is_null(struct sqlite_statement *s, int at);

#endif
