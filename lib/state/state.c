/*
 * state.c: the folder and its transactions; tables.h has the tables.
 *
 * Who finds no marker makes the database, or finishes it, under a lock, and
 * writes the marker last; who finds one makes nothing. So a database that is
 * not there is either not yet there or no more, and never in doubt.
 */
#include "state/tables.h"

#include "base/fd.h"
#include "base/folder.h"
#include "base/file.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "state.db"
#define LOCK "lock"
#define MARKER "format"
#define MARKER_BEGIN "e2e state "
#define VERSION 1
#define VERSION_TEXT "1"
#define MAKING (UINT64_C(1) << 62)	/* the byte of LOCK for it; those below
					 * are for messages */

static const char schema[] =
    "CREATE TABLE self (one INTEGER PRIMARY KEY, horizon INTEGER, "
    "messages INTEGER, numbers INTEGER, epochs INTEGER);"
    "INSERT INTO self VALUES (1, 0, 0, 0, 0);"

    "CREATE TABLE message (hash BLOB PRIMARY KEY, time INTEGER, "
    "done INTEGER, sender BLOB, conversation BLOB, number INTEGER) "
    "WITHOUT ROWID;"
    "CREATE INDEX message_time ON message (time);"
    "CREATE UNIQUE INDEX message_number ON message "
    "(sender, conversation, number) WHERE sender IS NOT NULL;"
    "CREATE TRIGGER message_in AFTER INSERT ON message BEGIN "
    "UPDATE self SET messages = messages + 1; END;"
    "CREATE TRIGGER message_out AFTER DELETE ON message BEGIN "
    "UPDATE self SET messages = messages - 1; END;"

    "CREATE TABLE numbers (sender BLOB, conversation BLOB, "
    "highest INTEGER, bits BLOB, touched INTEGER, "
    "PRIMARY KEY (sender, conversation)) WITHOUT ROWID;"
    "CREATE INDEX numbers_touched ON numbers (touched);"
    "CREATE TRIGGER numbers_in AFTER INSERT ON numbers BEGIN "
    "UPDATE self SET numbers = numbers + 1; END;"
    "CREATE TRIGGER numbers_out AFTER DELETE ON numbers BEGIN "
    "UPDATE self SET numbers = numbers - 1; END;"

    "CREATE TABLE own (sender BLOB, name BLOB, conversation BLOB, "
    "last INTEGER, PRIMARY KEY (sender, name)) WITHOUT ROWID;"

    "CREATE TABLE sent (id BLOB PRIMARY KEY, hash BLOB, data_hash BLOB, "
    "time INTEGER) WITHOUT ROWID;"
    "CREATE INDEX sent_time ON sent (time);"

    "CREATE TABLE epoch (maker BLOB, random BLOB, name BLOB, "
    "epoch INTEGER, touched INTEGER, "
    "PRIMARY KEY (maker, random, name)) WITHOUT ROWID;"
    "CREATE INDEX epoch_touched ON epoch (touched);"
    "CREATE TRIGGER epoch_in AFTER INSERT ON epoch BEGIN "
    "UPDATE self SET epochs = epochs + 1; END;"
    "CREATE TRIGGER epoch_out AFTER DELETE ON epoch BEGIN "
    "UPDATE self SET epochs = epochs - 1; END;";

#define STATEMENT_SQL(name, sql) sql,
static const char *const statements[] = { STATEMENTS(STATEMENT_SQL) };

static const struct sqlite_kind kind_there = {
	.application = 0x65326573,	/* "e2es" */
	.version = VERSION,
	.cache_kib = 2048
}, kind_to_make = {
	.application = 0x65326573,
	.version = VERSION,
	.schema = schema,
	.cache_kib = 2048
};

struct sqlite_statement *
state_get(struct state *s, enum statement statement)
{
	return s->statements[statement];
}

const char *
state_why(const struct state *s)
{
	return s->why;
}

enum e2e_error
state_lock(struct state *s, uint64_t at, const char *busy, const char **why)
{
	enum e2e_error err = fd_lock_at(s->lock, at, s->policy.wait);

	if (err == E2E_OK)
		return err;
	*why = err == E2E_ERR_BUSY ? busy : "the file system has no locks";
	return err == E2E_ERR_BUSY ? err : E2E_ERR_STORE;
}

/* ---- transactions ---- */

/* What the layer below calls it, in the words of state.h. */
static enum e2e_error
translate(enum e2e_error err, const char **why)
{
	if (err == E2E_ERR_STORE_IN_USE) {
		*why = "other processes have the database to themselves";
		return E2E_ERR_BUSY;
	}
	if (err == E2E_ERR_STORE_DAMAGED && *why == NULL)
		*why = "what is in the database does not fit together";
	return err;
}

enum e2e_error
state_begin(struct state *s)
{
	s->why = NULL;
	return translate(sqlite_begin(s->db), &s->why);
}

enum e2e_error
state_end(struct state *s, enum e2e_error err)
{
	enum e2e_error end;

	end = err == E2E_OK ? sqlite_commit(s->db) : sqlite_rollback(s->db);
	if (err == E2E_OK)
		err = end;
	/* After the flush: what was there then, was flushed. */
	if ((err == E2E_OK || err == E2E_ERR_STORE) &&
	    (end = sqlite_check_place(s->db)) != E2E_OK) {
		s->why = "the database was deleted or moved away";
		err = end;
	}
	return translate(err, &s->why);
}

enum e2e_error
state_self(struct state *s, struct state_self *self)
{
	struct sqlite_statement *get = state_get(s, SELF_GET);
	enum e2e_error err;
	bool row;

	if ((err = sqlite_step(get, &row)) != E2E_OK)
		return err;
	if (!row)
		return E2E_ERR_STORE_DAMAGED;
	*self = (struct state_self){
		.horizon = sqlite_column(get, 0),
		.messages = sqlite_column(get, 1),
		.numbers = sqlite_column(get, 2),
		.epochs = sqlite_column(get, 3)
	};
	sqlite_reset(get);
	return E2E_OK;
}

uint64_t
state_cutoff(const struct state *s)
{
	const struct state_policy *p = &s->policy;

	return p->now > p->keep ? p->now - p->keep : 0;
}

enum e2e_error
state_column(struct state *s, struct sqlite_statement *row, int at,
    void *bytes, size_t size)
{
	struct bytes column = sqlite_column_bytes(row, at);

	if (column.length != size) {
		s->why = "what is in the database has not the right length";
		return E2E_ERR_STORE_DAMAGED;
	}
	memcpy(bytes, column.data, size);
	return E2E_OK;
}

static enum e2e_error
forget(struct state *s, enum statement statement, uint64_t before,
    uint64_t limit)
{
	struct sqlite_statement *delete = state_get(s, statement);

	sqlite_bind(delete, 1, before);
	sqlite_bind(delete, 2, limit < FORGET_MAX ? limit : FORGET_MAX);
	return sqlite_do(delete);
}

enum e2e_error
state_forget(struct state *s, enum statement statement, uint64_t count)
{
	enum e2e_error err = E2E_OK;

	if (count >= s->policy.rows)
		err = forget(s, statement, INT64_MAX,
		    count - s->policy.rows + 1);
	return err == E2E_OK ? forget(s, statement, state_cutoff(s),
	    FORGET_MAX) : err;
}

/* ---- the folder ---- */

/* What is no file is not opened: a fifo would be waited at for ever, a link
 * leads elsewhere. */
static enum e2e_error
look(const char *path, const char *no_file, bool *there, const char **why)
{
	struct stat st;

	*there = lstat(path, &st) == 0;
	if (!*there)
		return errno == ENOENT ? E2E_OK : E2E_ERR_CREATE;
	if (S_ISREG(st.st_mode))
		return E2E_OK;
	*why = no_file;
	return E2E_ERR_STORE_DAMAGED;
}

static enum e2e_error
open_lock(struct state *s, const char *folder, const char **why)
{
	char *path = folder_join(folder, LOCK);
	enum e2e_error err;
	bool there;

	if (path == NULL)
		return E2E_ERR_MEMORY;
	err = look(path, LOCK " is no regular file", &there, why);
	if (err == E2E_OK) {
		s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC |
		    O_NOFOLLOW | O_NONBLOCK, 0600);
		if (s->lock < 0)
			err = E2E_ERR_CREATE;
	}
	free(path);
	return err;
}

static enum e2e_error
judge_marker(struct bytes text, const char **why)
{
	static const size_t begin = sizeof MARKER_BEGIN - 1;
	char digits[24];
	uint64_t version;
	size_t length;

	*why = "the file " MARKER " is not as it was written";
	if (text.length <= begin + 1 || text.length > sizeof digits + begin ||
	    memcmp(text.data, MARKER_BEGIN, begin) != 0 ||
	    text.data[text.length - 1] != '\n')
		return E2E_ERR_STORE_DAMAGED;
	length = text.length - begin - 1;
	memcpy(digits, text.data + begin, length);
	digits[length] = '\0';
	if (!number_parse(&version, digits, UINT64_MAX) || version < VERSION)
		return E2E_ERR_STORE_DAMAGED;
	if (version > VERSION) {
		*why = "it was written by a newer version";
		return E2E_ERR_STORE_VERSION;
	}
	*why = NULL;
	return E2E_OK;
}

/* Is there one, and is it ours? */
static enum e2e_error
read_marker(const char *path, bool *there, const char **why)
{
	struct buffer text;
	enum e2e_error err;

	err = look(path, MARKER " is no regular file", there, why);
	if (err != E2E_OK || !*there)
		return err;
	buffer_init(&text, 64);
	err = file_read(path, &text);
	if (err == E2E_OK)
		err = judge_marker(buffer_bytes(&text), why);
	else if (err == E2E_ERR_LIMIT)
		err = judge_marker((struct bytes){ NULL, 0 }, why);
	else if (err == E2E_ERR_NO_INPUT)
		err = E2E_ERR_CREATE;
	buffer_free(&text);
	return err;
}

static enum e2e_error
make_database(struct state *s, const char *folder, const char *path,
    const char *marker, const char **why)
{
	static const char text[] = MARKER_BEGIN VERSION_TEXT "\n";
	enum e2e_error err;

	err = sqlite_open(&s->db, path, SQLITE_SHARED, &kind_to_make, why);
	if (err == E2E_OK)
		err = folder_flush(folder);
	if (err == E2E_OK)
		err = file_write(marker, text, sizeof text - 1, 0600,
		    FILE_REPLACE);
	return err;
}

static enum e2e_error
find_or_make(struct state *s, const char *folder, const char *path,
    const char *marker, const char **why)
{
	enum e2e_error err, end;
	bool there;

	if ((err = read_marker(marker, &there, why)) != E2E_OK)
		return err;
	if (!there) {
		err = state_lock(s, MAKING, "another process is making it",
		    why);
		if (err != E2E_OK)
			return err;
		/* Somebody else may have made it meanwhile. */
		err = read_marker(marker, &there, why);
		if (err == E2E_OK && !there)
			err = make_database(s, folder, path, marker, why);
		end = fd_unlock_at(s->lock, MAKING);
		if (err == E2E_OK && end != E2E_OK)
			err = E2E_ERR_STORE;
	}
	if (err == E2E_OK && s->db == NULL)
		err = sqlite_open(&s->db, path, SQLITE_SHARED, &kind_there,
		    why);
	return err;
}

static enum e2e_error
open_database(struct state *s, const char *folder, const char **why)
{
	char *path = folder_join(folder, DATABASE), *marker = folder_join(folder, MARKER);
	enum e2e_error err = E2E_ERR_MEMORY;
	struct state_self self;

	if (path != NULL && marker != NULL)
		err = find_or_make(s, folder, path, marker, why);
	free(path);
	free(marker);
	for (int i = 0; i < STATEMENT_COUNT && err == E2E_OK; i++)
		err = sqlite_prepare(&s->statements[i], s->db, statements[i]);
	return err == E2E_OK ? state_self(s, &self) : err;
}

enum e2e_error
state_open(struct state **opened, const char *folder,
    const struct state_policy *policy, const char **why)
{
	const char *unsaid;
	enum e2e_error err;
	struct state *s;
	int saved;

	*opened = NULL;
	if (why == NULL)
		why = &unsaid;
	*why = NULL;
	if ((s = calloc(1, sizeof *s)) == NULL)
		return E2E_ERR_MEMORY;
	s->lock = -1;
	s->policy = *policy;
	if (s->policy.keep == 0)
		s->policy.keep = STATE_KEEP;
	if (s->policy.rows == 0)
		s->policy.rows = STATE_ROWS;
	if (s->policy.wait == 0)
		s->policy.wait = STATE_WAIT;
	err = folder_create(folder);
	if (err == E2E_OK)
		err = open_lock(s, folder, why);
	if (err == E2E_OK)
		err = open_database(s, folder, why);
	if (err != E2E_OK) {
		saved = errno;
		state_close(s);
		errno = saved;
		return translate(err, why);
	}
	*opened = s;
	return E2E_OK;
}

void
state_close(struct state *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite_finish(s->statements[i]);
	sqlite_close(s->db);
	if (s->lock >= 0)
		(void)close(s->lock);	/* never written */
	free(s);
}
