/*
 * sqlite.c: the file is looked at before SQLite may touch it.
 *
 * Whoever opens a database in WAL mode makes files beside it, and may write a
 * log into it that is not ours. So application_id and user_version are read
 * from the bytes of its header first (through SQLite's own file layer: to
 * close a descriptor of our own would release SQLite's locks).
 *
 * A new database is made in one transaction with a rollback journal, and with
 * synchronous=EXTRA, which flushes the folder after the journal's deletion: a
 * journal that came back after a power cut would take the whole database with
 * it. (The log's own first flush does the same, but only if the log is new.)
 *
 * Until then a file of another name, with "-begun" behind it, tells a start that
 * was cut off from a database that somebody has emptied.
 */
#include "base/sqlite.h"

#include "base/fd.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_LEN 100
#define HEADER_MAGIC "SQLite format 3"		/* with its NUL: 16 bytes */
#define HEADER_VERSION 60
#define HEADER_APPLICATION 68
#define BUSY_MS 10000
#define LOG_KEPT "201326592"	/* a longer log is cut when it begins anew */

struct sqlite {
	sqlite3 *handle;
	unsigned log_pages;
	bool broken;
	struct sqlite_statement *begin, *commit;
};

struct sqlite_statement {
	sqlite3_stmt *statement;
	int bound;		/* the first thing that went wrong */
};

static enum e2e_error
error(int code)
{
	if (code == SQLITE_IOERR_NOMEM)
		return E2E_ERR_MEMORY;
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return E2E_OK;
	case SQLITE_NOMEM:
		return E2E_ERR_MEMORY;
	case SQLITE_FULL:
		return E2E_ERR_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return E2E_ERR_STORE_DAMAGED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return E2E_ERR_STORE_IN_USE;
	case SQLITE_TOOBIG:
		return E2E_ERR_LIMIT;
	default:
		return E2E_ERR_STORE;
	}
}

/* ---- statements ---- */

enum e2e_error
sqlite_prepare(struct sqlite_statement **statement, struct sqlite *db,
    const char *sql)
{
	struct sqlite_statement *s = calloc(1, sizeof *s);
	int code;

	*statement = NULL;
	if (s == NULL)
		return E2E_ERR_MEMORY;
	code = sqlite3_prepare_v3(db->handle, sql, -1,
	    SQLITE_PREPARE_PERSISTENT, &s->statement, NULL);
	if (code != SQLITE_OK) {
		free(s);
		/* The words are ours, so it is the tables that are not. */
		return code == SQLITE_ERROR ? E2E_ERR_STORE_DAMAGED :
		    error(code);
	}
	*statement = s;
	return E2E_OK;
}

void
sqlite_finish(struct sqlite_statement *s)
{
	if (s == NULL)
		return;
	(void)sqlite3_finalize(s->statement);	/* an old step's error */
	free(s);
}

static void
bound(struct sqlite_statement *s, int code)
{
	if (s->bound == SQLITE_OK)
		s->bound = code;
}

void
sqlite_bind(struct sqlite_statement *s, int at, uint64_t number)
{
	bound(s, sqlite3_bind_int64(s->statement, at, (sqlite3_int64)number));
}

void
sqlite_bind_bytes(struct sqlite_statement *s, int at, const void *data,
    size_t size)
{
	/* NULL would bind NULL. */
	bound(s, sqlite3_bind_blob64(s->statement, at, size > 0 ? data : "",
	    size, SQLITE_STATIC));
}

void
sqlite_bind_text(struct sqlite_statement *s, int at, const char *text)
{
	bound(s, sqlite3_bind_text(s->statement, at, text, -1, SQLITE_STATIC));
}

void
sqlite_bind_null(struct sqlite_statement *s, int at)
{
	bound(s, sqlite3_bind_null(s->statement, at));
}

void
sqlite_reset(struct sqlite_statement *s)
{
	(void)sqlite3_reset(s->statement);	/* repeats the step's error */
	s->bound = SQLITE_OK;
}

enum e2e_error
sqlite_step(struct sqlite_statement *s, bool *row)
{
	int code = s->bound;

	if (code == SQLITE_OK)
		code = sqlite3_step(s->statement);
	*row = code == SQLITE_ROW;
	if (!*row)
		sqlite_reset(s);
	return error(code);
}

enum e2e_error
sqlite_do(struct sqlite_statement *s)
{
	enum e2e_error err;
	bool row;

	do
		err = sqlite_step(s, &row);
	while (row);
	return err;
}

uint64_t
sqlite_last_row(const struct sqlite *db)
{
	return (uint64_t)sqlite3_last_insert_rowid(db->handle);
}

uint64_t
sqlite_column(struct sqlite_statement *s, int at)
{
	return (uint64_t)sqlite3_column_int64(s->statement, at);
}

struct bytes
sqlite_column_bytes(struct sqlite_statement *s, int at)
{
	struct bytes b = { sqlite3_column_blob(s->statement, at), 0 };

	if (b.data != NULL)
		b.length = (size_t)sqlite3_column_bytes(s->statement, at);
	return b;
}

bool
sqlite_column_is_null(struct sqlite_statement *s, int at)
{
	return sqlite3_column_type(s->statement, at) == SQLITE_NULL;
}

enum e2e_error
sqlite_run(struct sqlite *db, const char *sql)
{
	return error(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

enum e2e_error
sqlite_ask(struct sqlite *db, const char *sql, uint64_t *number)
{
	struct sqlite_statement *s;
	enum e2e_error err = sqlite_prepare(&s, db, sql);
	bool row = false;

	*number = 0;
	if (err == E2E_OK)
		err = sqlite_step(s, &row);
	if (row)
		*number = sqlite_column(s, 0);
	sqlite_finish(s);
	return err;
}

/* ---- files ---- */

static enum e2e_error
flush(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	enum e2e_error err = E2E_OK;

	if (fd < 0)
		return E2E_ERR_STORE;
	if (fd_flush(fd) != E2E_OK)
		err = errno == ENOSPC ? E2E_ERR_FULL : E2E_ERR_STORE;
	if (fd_close(fd) != E2E_OK && err == E2E_OK)
		err = E2E_ERR_STORE;
	return err;
}

static enum e2e_error
flush_folder_of(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		return flush(".", O_RDONLY | O_DIRECTORY);
	slash[1] = '\0';
	return flush(path, O_RDONLY | O_DIRECTORY);
}

/* ---- opening ---- */

/* SQLite would wait at a fifo for ever, and make what a link to nothing leads
 * to, for others to read. (SQLITE_OPEN_NOFOLLOW would refuse links on the way
 * to the folder, too.) */
static enum e2e_error
look_at_file(const char *path, const char *suffix, const char **why)
{
	char *name = sqlite3_mprintf("%s%s", path, suffix);
	enum e2e_error err = E2E_OK;
	struct stat st;

	if (name == NULL)
		return E2E_ERR_MEMORY;
	if (lstat(name, &st) != 0) {
		if (errno != ENOENT)
			err = E2E_ERR_CREATE;
	} else if (!S_ISREG(st.st_mode)) {
		*why = "its database, or what is beside it, is no regular "
		    "file";
		err = E2E_ERR_STORE_DAMAGED;
	}
	sqlite3_free(name);
	return err;
}

static enum e2e_error
look_at_files(const char *path, const char **why)
{
	static const char *const suffixes[] = {
		"", "-journal", "-wal", "-shm"
	};
	enum e2e_error err = E2E_OK;

	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0] &&
	    err == E2E_OK; i++)
		err = look_at_file(path, suffixes[i], why);
	return err;
}

/* The first bytes of a file; *size 0 if there is none. */
static int
read_header(sqlite3_vfs *vfs, const char *path, sqlite3_int64 *size,
    unsigned char header[HEADER_LEN])
{
	/* SQLite's file layer wants the path in a form of its own. */
	const char *name = sqlite3_create_filename(path, "", "", 0, NULL);
	sqlite3_file *file = sqlite3_malloc(vfs->szOsFile);
	int code = SQLITE_NOMEM, flags;

	if (name == NULL || file == NULL)
		goto out;
	memset(file, 0, (size_t)vfs->szOsFile);
	code = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_MAIN_DB, &flags);
	if (code == SQLITE_OK)
		code = file->pMethods->xFileSize(file, size);
	if (code == SQLITE_OK && *size > 0)
		code = file->pMethods->xRead(file, header, HEADER_LEN, 0);
	if (code == SQLITE_IOERR_SHORT_READ)
		code = SQLITE_OK;	/* filled up with zeros */
	if (file->pMethods != NULL)
		(void)file->pMethods->xClose(file);	/* only read */
out:
	sqlite3_free(file);
	sqlite3_free_filename(name);
	return code;
}

static int
exists(sqlite3_vfs *vfs, const char *path, const char *suffix, int *there)
{
	char *name = sqlite3_mprintf("%s%s", path, suffix);
	int code = SQLITE_NOMEM;

	*there = 0;
	if (name != NULL)
		code = vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, there);
	sqlite3_free(name);
	return code;
}

static char *
name_of_mark(const char *path)
{
	size_t size = strlen(path) + sizeof "-begun";
	char *name = malloc(size);

	if (name != NULL)
		(void)snprintf(name, size, "%s-begun", path);
	return name;
}

/* There is nothing in the file: that is no matter if there is none, or if it
 * was just made. */
static enum e2e_error
look_at_nothing(sqlite3_vfs *vfs, const char *path, const char **why)
{
	char *mark = name_of_mark(path);
	enum e2e_error err = E2E_OK;
	int named, code;

	if (mark == NULL)
		return E2E_ERR_MEMORY;
	/* To be asked whether it exists SQLite says no of an empty one. */
	code = vfs->xAccess(vfs, path, SQLITE_ACCESS_READWRITE, &named);
	if (code != SQLITE_OK) {
		err = error(code);
	} else if (named && access(mark, F_OK) != 0) {
		*why = "it is empty";
		err = E2E_ERR_STORE_DAMAGED;
	}
	free(mark);
	return err;
}

/* Is the file one of this kind, or none yet (*empty)? */
static enum e2e_error
look_at_header(const char *path, const struct sqlite_kind *kind, bool *empty,
    const char **why)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	unsigned char header[HEADER_LEN];
	sqlite3_int64 size = 0;
	int code, there, journal = 0;

	*empty = true;
	if (vfs == NULL)
		return E2E_ERR_STORE;
	code = exists(vfs, path, "", &there);
	if (code == SQLITE_OK && there)
		code = read_header(vfs, path, &size, header);
	if (code == SQLITE_OK)
		code = exists(vfs, path, "-journal", &journal);
	*empty = size == 0;
	if (code == SQLITE_OK && *empty && !journal)
		return look_at_nothing(vfs, path, why);
	if (code != SQLITE_OK)
		return (code & 0xff) == SQLITE_CANTOPEN ? E2E_ERR_CREATE :
		    error(code);
	/* Begun and not finished: only SQLite can tell what it is. */
	if (*empty || journal)
		return E2E_OK;
	if (memcmp(header, HEADER_MAGIC, sizeof HEADER_MAGIC) != 0 ||
	    number_get32(header + HEADER_APPLICATION) != kind->application) {
		*why = "there is a file of this name that is something else";
		return E2E_ERR_STORE_DAMAGED;
	}
	if (number_get32(header + HEADER_VERSION) > kind->version) {
		*why = "it was written by a newer version";
		return E2E_ERR_STORE_VERSION;
	}
	return E2E_OK;
}

static int
count_log_pages(void *context, sqlite3 *handle, const char *name, int pages)
{
	struct sqlite *db = context;

	db->log_pages = (unsigned)pages;
	return SQLITE_OK;
}

static enum e2e_error
make_schema(struct sqlite *db, const struct sqlite_kind *kind)
{
	char numbers[128];
	enum e2e_error err;

	(void)snprintf(numbers, sizeof numbers, "PRAGMA application_id=%u;"
	    "PRAGMA user_version=%u;", (unsigned)kind->application,
	    (unsigned)kind->version);
	err = sqlite_run(db, "BEGIN EXCLUSIVE");
	if (err == E2E_OK)
		err = sqlite_run(db, numbers);
	if (err == E2E_OK)
		err = sqlite_run(db, kind->schema);
	if (err == E2E_OK)
		err = sqlite_run(db, "COMMIT");
	return err;
}

/* The header could have been that of a transaction not finished. */
static enum e2e_error
verify_kind(struct sqlite *db, const struct sqlite_kind *kind,
    const char **why)
{
	uint64_t application, version;
	enum e2e_error err;

	err = sqlite_ask(db, "PRAGMA application_id", &application);
	if (err == E2E_OK)
		err = sqlite_ask(db, "PRAGMA user_version", &version);
	if (err != E2E_OK)
		return err;
	if (application == kind->application && version == kind->version)
		return E2E_OK;
	*why = "its header does not say what it should";
	return application == kind->application && version > kind->version ?
	    E2E_ERR_STORE_VERSION : E2E_ERR_STORE_DAMAGED;
}

/* Asks for a journal, and has the answer read: SQLite says no politely. */
static enum e2e_error
set_journal(struct sqlite *db, const char *sql, const char *mode,
    const char *otherwise, const char **why)
{
	struct bytes want = { (const unsigned char *)mode, strlen(mode) };
	struct sqlite_statement *s;
	enum e2e_error err;
	bool row = false;

	err = sqlite_prepare(&s, db, sql);
	if (err == E2E_OK)
		err = sqlite_step(s, &row);
	if (row && !bytes_equal(sqlite_column_bytes(s, 0), want)) {
		*why = otherwise;
		err = E2E_ERR_STORE;
	}
	sqlite_finish(s);
	return err;
}

static enum e2e_error
check_synchronous(struct sqlite *db, uint64_t want, const char **why)
{
	uint64_t synchronous;
	enum e2e_error err;

	err = sqlite_ask(db, "PRAGMA synchronous", &synchronous);
	if (err == E2E_OK && synchronous != want) {
		*why = "this SQLite does not flush what it commits";
		err = E2E_ERR_STORE;
	}
	return err;
}

static enum e2e_error
find_or_make(struct sqlite *db, const struct sqlite_kind *kind,
    const char **why)
{
	enum e2e_error err;
	uint64_t pages;

	/* A journal left behind was rolled back by now. */
	if ((err = sqlite_ask(db, "PRAGMA page_count", &pages)) != E2E_OK)
		return err;
	if (pages == 0 && kind->schema == NULL) {
		*why = "it is empty";
		return E2E_ERR_STORE_DAMAGED;
	}
	if (pages == 0 && (err = make_schema(db, kind)) != E2E_OK)
		return err;
	return verify_kind(db, kind, why);
}

/* No files elsewhere, whose failure would be one more to think of. */
#define SETTINGS_OF_WRITERS "PRAGMA temp_store=MEMORY;" \
    "PRAGMA synchronous=EXTRA;" \
    "PRAGMA secure_delete=FAST;"

static enum e2e_error
set_up_writer(struct sqlite *db, const struct sqlite_kind *kind,
    const char **why)
{
	enum e2e_error err;

	err = sqlite_run(db, SETTINGS_OF_WRITERS
	    "PRAGMA wal_autocheckpoint=0;"
	    "PRAGMA journal_size_limit=" LOG_KEPT);
	if (err == E2E_OK)
		err = find_or_make(db, kind, why);
	if (err == E2E_OK)
		err = set_journal(db, "PRAGMA journal_mode=WAL", "wal",
		    "there is no write-ahead log on this file system", why);
	if (err == E2E_OK)
		err = sqlite_run(db, "PRAGMA synchronous=FULL");
	if (err == E2E_OK)
		err = check_synchronous(db, 2, why);
	(void)sqlite3_wal_hook(db->handle, count_log_pages, db);
	return err;
}

static enum e2e_error
set_up_shared(struct sqlite *db, const struct sqlite_kind *kind,
    const char **why)
{
	enum e2e_error err;

	err = sqlite_run(db, SETTINGS_OF_WRITERS);
	if (err == E2E_OK)
		err = find_or_make(db, kind, why);
	if (err == E2E_OK)
		err = set_journal(db, "PRAGMA journal_mode=DELETE", "delete",
		    "it keeps no rollback journal", why);
	/* It stays at EXTRA: a journal whose deletion a power cut undoes
	 * would undo what was committed. */
	if (err == E2E_OK)
		err = check_synchronous(db, 3, why);
	return err;
}

static enum e2e_error
set_up(struct sqlite *db, enum sqlite_manner manner,
    const struct sqlite_kind *kind, const char **why)
{
	char cache[64];
	enum e2e_error err;

	(void)sqlite3_busy_timeout(db->handle, BUSY_MS);
	(void)snprintf(cache, sizeof cache, "PRAGMA cache_size=-%u",
	    (unsigned)kind->cache_kib);
	if ((err = sqlite_run(db, cache)) != E2E_OK)
		return err;
	if (manner == SQLITE_WRITER)
		return set_up_writer(db, kind, why);
	if (manner == SQLITE_SHARED)
		return set_up_shared(db, kind, why);
	if (sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL) != SQLITE_OK)
		return E2E_ERR_STORE;
	err = sqlite_run(db, "PRAGMA query_only=1;"
	    "PRAGMA wal_autocheckpoint=0");
	return err == E2E_OK ? verify_kind(db, kind, why) : err;
}

static bool
make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd >= 0 ? fd_close(fd) == E2E_OK : errno == EEXIST;
}

/* SQLite itself would make it readable for others. */
static bool
begin_file(const char *path)
{
	char *mark = name_of_mark(path);
	bool made = mark != NULL && make_file(mark);

	/* Changes the path, which is not needed any more. */
	if (made)
		made = flush_folder_of(mark) == E2E_OK;
	free(mark);
	return made && make_file(path);
}

static enum e2e_error
forget_mark(const char *path)
{
	char *mark = name_of_mark(path);
	enum e2e_error err = E2E_OK;

	if (mark == NULL)
		return E2E_ERR_MEMORY;
	if (unlink(mark) != 0 && errno != ENOENT)
		err = E2E_ERR_CREATE;
	free(mark);
	return err;
}

enum e2e_error
sqlite_open(struct sqlite **opened, const char *path,
    enum sqlite_manner manner, const struct sqlite_kind *kind,
    const char **why)
{
	bool makes = manner != SQLITE_READER && kind->schema != NULL;
	const char *unsaid;
	struct sqlite *db;
	enum e2e_error err;
	bool empty;
	int code;

	*opened = NULL;
	if (why == NULL)
		why = &unsaid;
	*why = NULL;
	if ((err = look_at_files(path, why)) != E2E_OK ||
	    (err = look_at_header(path, kind, &empty, why)) != E2E_OK)
		return err;
	if (empty && !makes && manner == SQLITE_SHARED) {
		*why = "it is gone";
		return E2E_ERR_STORE_DAMAGED;
	}
	if (empty && (!makes || !begin_file(path)))
		return E2E_ERR_CREATE;
	if ((db = calloc(1, sizeof *db)) == NULL)
		return E2E_ERR_MEMORY;
	/* A reader, too, needs a log's index, which is a file to write. */
	code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
	    (makes ? SQLITE_OPEN_CREATE : 0), NULL);
	err = (code & 0xff) == SQLITE_CANTOPEN ? E2E_ERR_CREATE : error(code);
	if (err == E2E_OK)
		err = set_up(db, manner, kind, why);
	if (err == E2E_OK && makes)
		err = forget_mark(path);
	if (err == E2E_OK)
		err = sqlite_prepare(&db->begin, db, manner == SQLITE_READER ?
		    "BEGIN" : "BEGIN IMMEDIATE");
	if (err == E2E_OK)
		err = sqlite_prepare(&db->commit, db, "COMMIT");
	if (err != E2E_OK) {
		db->broken = true;
		sqlite_close(db);
		return err;
	}
	*opened = db;
	return E2E_OK;
}

void
sqlite_close(struct sqlite *db)
{
	if (db == NULL)
		return;
	sqlite_finish(db->begin);
	sqlite_finish(db->commit);
	/* What an unhappy end leaves in the log the next start finds there. */
	if (db->broken)
		(void)sqlite3_db_config(db->handle,
		    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_close_v2(db->handle);	/* everything was committed */
	free(db);
}

/* ---- transactions ---- */

enum e2e_error
sqlite_begin(struct sqlite *db)
{
	return db->broken ? E2E_ERR_STORE : sqlite_do(db->begin);
}

enum e2e_error
sqlite_begin_reading(struct sqlite *db)
{
	return db->broken ? E2E_ERR_STORE : sqlite_run(db, "BEGIN");
}

enum e2e_error
sqlite_commit(struct sqlite *db)
{
	enum e2e_error err;

	/* SQLite may have rolled back by itself after an error. */
	if (db->broken || sqlite3_get_autocommit(db->handle))
		err = E2E_ERR_STORE;
	else
		err = sqlite_do(db->commit);
	if (err != E2E_OK)
		db->broken = true;
	return err;
}

/* The log is there as soon as something was written to it. */
static int
is_in_place(const struct sqlite *db, bool *is)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	const char *name = sqlite3_db_filename(db->handle, "main");
	int code, moved = 0, there = 1;

	code = sqlite3_file_control(db->handle, "main",
	    SQLITE_FCNTL_HAS_MOVED, &moved);
	/* A file system of the tests may not know. */
	if (code == SQLITE_NOTFOUND)
		code = SQLITE_OK;
	if (code == SQLITE_OK && db->log_pages > 0)
		code = vfs->xAccess(vfs, sqlite3_filename_wal(name),
		    SQLITE_ACCESS_EXISTS, &there);
	*is = !moved && there;
	return code;
}

enum e2e_error
sqlite_check_place(struct sqlite *db)
{
	bool is = false;
	int code = is_in_place(db, &is);

	if (code == SQLITE_OK && is)
		return E2E_OK;
	db->broken = true;
	return E2E_ERR_STORE;
}

enum e2e_error
sqlite_rollback(struct sqlite *db)
{
	enum e2e_error err = E2E_OK;

	if (!sqlite3_get_autocommit(db->handle))
		err = sqlite_run(db, "ROLLBACK");
	if (err != E2E_OK)
		db->broken = true;
	return err;
}

unsigned
sqlite_log_pages(const struct sqlite *db)
{
	return db->log_pages;
}

enum e2e_error
sqlite_checkpoint(struct sqlite *db, bool wait)
{
	int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, wait ?
	    SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	return (code & 0xff) == SQLITE_BUSY ? E2E_OK : error(code);
}

/* ---- copies ---- */

static enum e2e_error
copy_into(struct sqlite *db, const char *path)
{
	sqlite3_backup *backup = NULL;
	sqlite3 *copy = NULL;
	int code, finish = SQLITE_OK;

	code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	/* Flushed at the end, once; thrown away if that is not reached. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(copy, "PRAGMA journal_mode=OFF;"
		    "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	if (code == SQLITE_OK) {
		backup = sqlite3_backup_init(copy, "main", db->handle, "main");
		code = backup != NULL ? sqlite3_backup_step(backup, -1) :
		    sqlite3_extended_errcode(copy);
	}
	if (backup != NULL)
		finish = sqlite3_backup_finish(backup);
	if (code == SQLITE_DONE)
		code = finish;
	if (copy != NULL)
		(void)sqlite3_close_v2(copy);	/* synced by the caller */
	return error(code);
}

/* Gives the finished copy its name, and never another's. */
static enum e2e_error
appear(const char *part, const char *path)
{
	struct stat st;

	if (link(part, path) == 0)
		return E2E_OK;
	if (errno == EEXIST)
		return E2E_ERR_EXISTS;
	/* A file system without links. */
	if (lstat(path, &st) == 0)
		return E2E_ERR_EXISTS;
	return rename(part, path) == 0 ? E2E_OK : E2E_ERR_CREATE;
}

enum e2e_error
sqlite_backup(struct sqlite *db, const char *path)
{
	size_t size = strlen(path) + sizeof ".part";
	char *part = malloc(size);
	enum e2e_error err = E2E_OK;
	struct stat st;
	int fd;

	if (part == NULL)
		return E2E_ERR_MEMORY;
	(void)snprintf(part, size, "%s.part", path);
	if (lstat(path, &st) == 0) {
		free(part);
		return E2E_ERR_EXISTS;
	}
	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		err = errno == EEXIST ? E2E_ERR_EXISTS : E2E_ERR_CREATE;
		free(part);
		return err;
	}
	if (fd_close(fd) != E2E_OK)
		err = E2E_ERR_STORE;
	if (err == E2E_OK)
		err = copy_into(db, part);
	if (err == E2E_OK)
		err = flush(part, O_RDONLY);
	if (err == E2E_OK)
		err = appear(part, path);
	if (unlink(part) != 0 && errno != ENOENT && err == E2E_OK)
		err = E2E_ERR_STORE;
	if (err == E2E_OK)
		err = flush_folder_of(part);
	free(part);
	return err;
}

enum e2e_error
sqlite_check(struct sqlite *db, struct buffer *report)
{
	struct sqlite_statement *s;
	enum e2e_error err;
	struct bytes word;
	bool row, sound = true;

	err = sqlite_prepare(&s, db, "PRAGMA integrity_check(10)");
	if (err != E2E_OK)
		return err;
	while ((err = sqlite_step(s, &row)) == E2E_OK && row) {
		word = sqlite_column_bytes(s, 0);
		if (word.length == 2 && memcmp(word.data, "ok", 2) == 0)
			continue;
		sound = false;
		if (!buffer_append(report, word.data, word.length) ||
		    !buffer_append_byte(report, '\n'))
			break;
	}
	sqlite_finish(s);
	return err == E2E_OK && !sound ? E2E_ERR_STORE_DAMAGED : err;
}
