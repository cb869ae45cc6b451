/*
 * sqlite.c: opening and transactions; sqlite_store.h has the tables.
 *
 * The log is moved into the database by hand, between transactions: what
 * SQLite does by itself after a commit ignores errors, and would be waited for
 * by those whose deposit is safe already. The longer the log, the
 * more often a page is written to it for each time it is written to its
 * place, and the fewer wait for that: with 128 MiB less than one deposit in a
 * hundred, with 64 more. Beyond that only the longest wait grows.
 */
#include "store/sqlite_store.h"

#include "base/fd.h"
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "relay.db"
#define LOCK "relay.lock"
#define LOG_PAGES 32768		/* 128 MiB */
#define LOG_PAGES_MAX (2 * LOG_PAGES)

static const char schema[] =
    "CREATE TABLE state (one INTEGER PRIMARY KEY, next_body INTEGER, "
    "mailboxes INTEGER, items INTEGER, bodies INTEGER, bytes INTEGER, "
    "seen INTEGER);"
    "INSERT INTO state VALUES (1, 1, 0, 0, 0, 0, 0);"
    "CREATE TABLE card (box INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, "
    "name TEXT, serial INTEGER, registered INTEGER, card BLOB, "
    "revocation BLOB);"
    "CREATE UNIQUE INDEX card_name ON card (name) WHERE name IS NOT NULL;"
    "CREATE TABLE box (box INTEGER PRIMARY KEY, next_seq INTEGER, "
    "items INTEGER, bytes INTEGER, dropped INTEGER, retired INTEGER);"
    "CREATE TABLE slot (box INTEGER, seq INTEGER, body INTEGER, "
    "stored INTEGER, until INTEGER, tries INTEGER, "
    "PRIMARY KEY (box, seq)) WITHOUT ROWID;"
    "CREATE TABLE body (body INTEGER PRIMARY KEY, id BLOB, size INTEGER, "
    "whole BLOB);"
    "CREATE TABLE shared (body INTEGER PRIMARY KEY, count INTEGER);"
    "CREATE TABLE piece (piece INTEGER PRIMARY KEY, bytes BLOB);"
    "CREATE TABLE staged (body INTEGER PRIMARY KEY, pieces INTEGER, "
    "size INTEGER);"
    "CREATE TABLE seen (id BLOB, box INTEGER, until INTEGER, seq INTEGER, "
    "body INTEGER, PRIMARY KEY (id, box)) WITHOUT ROWID;"
    "CREATE INDEX seen_until ON seen (until);";

#define STATEMENT_SQL(name, sql) sql,
static const char *const statements[] = { STATEMENTS(STATEMENT_SQL) };

static const struct sqlite_kind kind_write = {
	.application = 0x65326572,	/* "e2er" */
	.version = 1,
	.schema = schema,
	.cache_kib = 65536
}, kind_read = {
	.application = 0x65326572,
	.version = 1,
	.cache_kib = 16384
};

struct sqlite_store *
sqlite_store_of(struct store *store)
{
	return (struct sqlite_store *)(void *)store;
}

struct sqlite_statement *
sqlite_store_get(struct sqlite_store *s, enum statement statement)
{
	return s->statements[statement];
}

enum e2e_error
sqlite_store_changing(const struct sqlite_store *s)
{
	if (s->failed != E2E_OK)
		return s->failed;
	return s->changing ? E2E_OK : E2E_ERR_USAGE;
}

enum e2e_error
sqlite_store_changed(struct sqlite_store *s, enum e2e_error err)
{
	if (s->failed == E2E_OK)
		s->failed = err;
	return err;
}

enum e2e_error
sqlite_store_hold(struct sqlite_store *s)
{
	enum e2e_error err = E2E_OK;

	if (!s->changing && s->held == 0)
		err = sqlite_begin_reading(s->db);
	if (err == E2E_OK)
		s->held++;
	return err;
}

enum e2e_error
sqlite_store_let_go(struct sqlite_store *s, enum e2e_error err)
{
	enum e2e_error end = E2E_OK;

	if (--s->held == 0 && !s->changing)
		end = sqlite_rollback(s->db);
	return err != E2E_OK ? err : end;
}

/* ---- transactions ---- */

static enum e2e_error
get_state(struct sqlite_store *s)
{
	struct sqlite_statement *get = sqlite_store_get(s, STATE_GET);
	enum e2e_error err;
	bool row;

	if ((err = sqlite_step(get, &row)) != E2E_OK)
		return err;
	if (!row)
		return E2E_ERR_STORE_DAMAGED;
	s->now = (struct sqlite_state){
		.next_body = sqlite_column(get, 0),
		.mailboxes = sqlite_column(get, 1),
		.items = sqlite_column(get, 2),
		.bodies = sqlite_column(get, 3),
		.bytes = sqlite_column(get, 4),
		.seen = sqlite_column(get, 5)
	};
	sqlite_reset(get);
	return E2E_OK;
}

static enum e2e_error
put_state(struct sqlite_store *s)
{
	struct sqlite_statement *put = sqlite_store_get(s, STATE_PUT);

	if (memcmp(&s->now, &s->before, sizeof s->now) == 0)
		return E2E_OK;
	sqlite_bind(put, 1, s->now.next_body);
	sqlite_bind(put, 2, s->now.mailboxes);
	sqlite_bind(put, 3, s->now.items);
	sqlite_bind(put, 4, s->now.bodies);
	sqlite_bind(put, 5, s->now.bytes);
	sqlite_bind(put, 6, s->now.seen);
	return sqlite_do(put);
}

static enum e2e_error
store_begin(struct store *store)
{
	struct sqlite_store *s = sqlite_store_of(store);
	unsigned log = sqlite_log_pages(s->db);
	enum e2e_error err = E2E_OK;

	if (s->manner != STORE_WRITE || s->changing)
		return E2E_ERR_USAGE;
	if (log >= LOG_PAGES)
		err = sqlite_checkpoint(s->db, log >= LOG_PAGES_MAX);
	/* On a full disk the log may still have room, to make some. */
	if (err == E2E_OK || err == E2E_ERR_FULL)
		err = sqlite_begin(s->db);
	if (err != E2E_OK)
		return err;
	s->changing = true;
	s->failed = E2E_OK;
	s->before = s->now;
	return E2E_OK;
}

static enum e2e_error
store_commit(struct store *store)
{
	struct sqlite_store *s = sqlite_store_of(store);
	enum e2e_error err;

	if ((err = sqlite_store_changing(s)) != E2E_OK)
		return err;
	if ((err = put_state(s)) != E2E_OK)
		return sqlite_store_changed(s, err);
	s->changing = false;
	/* In this order: what is told to be there was there after it was
	 * flushed. It takes two calls of stat beside a flush. */
	if ((err = sqlite_commit(s->db)) == E2E_OK &&
	    (err = sqlite_check_place(s->db)) != E2E_OK)
		store->why = "the database or its log was deleted or moved "
		    "away";
	return err;
}

static enum e2e_error
store_rollback(struct store *store)
{
	struct sqlite_store *s = sqlite_store_of(store);
	uint64_t next_body = s->now.next_body;

	if (!s->changing)
		return E2E_ERR_USAGE;
	s->changing = false;
	s->failed = E2E_OK;
	s->now = s->before;
	s->now.next_body = next_body;
	return sqlite_rollback(s->db);
}

/* ---- opening ---- */

static void
store_close(struct store *store)
{
	struct sqlite_store *s = sqlite_store_of(store);

	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite_finish(s->statements[i]);
	sqlite_close(s->db);
	if (s->lock >= 0)
		(void)close(s->lock);	/* never written */
	free(s->folder);
	free(s);
}

static const struct store_ops ops = {
	.name = "sqlite",
	.close = store_close,
	.begin = store_begin,
	.commit = store_commit,
	.rollback = store_rollback,
	.stage = sqlite_body_stage,
	.unstage = sqlite_body_unstage,
	.deposit = sqlite_mail_deposit,
	.summary = sqlite_items_summary,
	.list = sqlite_items_list,
	.find = sqlite_items_find,
	.read = sqlite_body_read,
	.acknowledge = sqlite_mail_acknowledge,
	.unacknowledged = sqlite_mail_unacknowledged,
	.enroll = sqlite_directory_enroll,
	.lookup = sqlite_directory_lookup,
	.revoke = sqlite_directory_revoke,
	.retire_all = sqlite_directory_retire_all,
	.expire = sqlite_mail_expire,
	.usage = sqlite_care_usage,
	.backup = sqlite_care_backup,
	.check = sqlite_care_check
};

static enum e2e_error
look_at_folder(const char *folder, const char **why)
{
	struct stat st;

	if (stat(folder, &st) != 0)
		return E2E_ERR_CREATE;
	if (!S_ISDIR(st.st_mode)) {
		*why = "the store is no folder";
		return E2E_ERR_CONFIG;
	}
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		*why = "others may look into the folder";
		return E2E_ERR_PERMISSIONS;
	}
	return E2E_OK;
}

/* A lock of this open file: a second one of this process is refused, too,
 * and SQLite, which closes files of its own, cannot release it. */
static enum e2e_error
take_lock(struct sqlite_store *s, const char **why)
{
	char *path = folder_join(s->folder, LOCK);

	if (path == NULL)
		return E2E_ERR_MEMORY;
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	if (s->lock < 0)
		return E2E_ERR_CREATE;
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return E2E_OK;
	if (errno == EWOULDBLOCK)
		return E2E_ERR_STORE_IN_USE;
	*why = "the file system has no locks";
	return E2E_ERR_STORE;
}

static enum e2e_error
open_database(struct sqlite_store *s, const char **why)
{
	bool write = s->manner == STORE_WRITE;
	char *path = folder_join(s->folder, DATABASE);
	enum e2e_error err;

	if (path == NULL)
		return E2E_ERR_MEMORY;
	err = sqlite_open(&s->db, path, write ? SQLITE_WRITER : SQLITE_READER,
	    write ? &kind_write : &kind_read, why);
	free(path);
	for (int i = 0; i < STATEMENT_COUNT && err == E2E_OK; i++)
		err = sqlite_prepare(&s->statements[i], s->db, statements[i]);
	if (err == E2E_OK)
		err = get_state(s);
	s->first_body = s->now.next_body;
	return err;
}

enum e2e_error
store_sqlite_open(struct store **store, const char *folder,
    enum store_manner manner, const char **why)
{
	struct sqlite_store *s;
	enum e2e_error err = E2E_OK;
	const char *unsaid;

	*store = NULL;
	if (why == NULL)
		why = &unsaid;
	*why = NULL;
	if ((s = calloc(1, sizeof *s)) == NULL)
		return E2E_ERR_MEMORY;
	s->store.ops = &ops;
	s->manner = manner;
	s->lock = -1;
	if ((s->folder = strdup(folder)) == NULL)
		err = E2E_ERR_MEMORY;
	if (err == E2E_OK && manner == STORE_WRITE)
		err = folder_create(folder);
	if (err == E2E_OK)
		err = look_at_folder(folder, why);
	if (err == E2E_OK && manner == STORE_WRITE)
		err = take_lock(s, why);
	if (err == E2E_OK)
		err = open_database(s, why);
	if (err == E2E_OK && manner == STORE_WRITE)
		err = folder_flush(folder);
	if (err != E2E_OK) {
		store_close(&s->store);
		return err;
	}
	*store = &s->store;	/* transferred */
	return E2E_OK;
}
