/*
 * tables.h: the tables of the state, and what its files share.
 *
 *	self	one row: the horizon, and how many rows others have
 *	message	one row for each message received
 *	numbers	the window of a sender's conversation
 *	own	the numbers given out
 *	sent	messages that asked for a receipt
 *	epoch	the highest epoch of a group
 *
 * 1. A row of message that is pending (done = 0) has its sender, conversation
 *    and number, if it has any; one that is done has left its number in the
 *    window, and has none.
 * 2. Of every message that was done and has no row, the time is before the
 *    horizon.
 * 3. The counts of self are kept by triggers, and by nothing else. They fire
 *    on INSERT and DELETE, and not for what REPLACE replaces.
 */
#ifndef STATE_TABLES_H
#define STATE_TABLES_H

#include "base/sqlite.h"
#include "state/state.h"

/* Every statement, prepared once. */
#define STATEMENTS(X) \
	X(SELF_GET, "SELECT horizon, messages, numbers, epochs FROM self " \
	    "WHERE one = 1") \
	X(SELF_HORIZON, "UPDATE self SET horizon = ?1 WHERE one = 1") \
	X(MESSAGE_GET, "SELECT done FROM message WHERE hash = ?1") \
	X(MESSAGE_NUMBERED, "SELECT 1 FROM message WHERE sender = ?1 AND " \
	    "conversation = ?2 AND number = ?3") \
	X(MESSAGE_ADD, "INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6)") \
	X(MESSAGE_DONE, "UPDATE message SET done = 1, sender = NULL, " \
	    "conversation = NULL, number = NULL WHERE hash = ?1") \
	X(MESSAGE_DELETE, "DELETE FROM message WHERE hash = ?1") \
	X(MESSAGE_OLDEST, "SELECT hash, time, done FROM message " \
	    "ORDER BY time, hash LIMIT 1") \
	X(MESSAGE_NEWEST, "SELECT max(time) FROM message") \
	X(NUMBERS_GET, "SELECT highest, bits FROM numbers " \
	    "WHERE sender = ?1 AND conversation = ?2") \
	X(NUMBERS_ADD, "INSERT INTO numbers VALUES (?1, ?2, ?3, ?4, ?5)") \
	X(NUMBERS_PUT, "UPDATE numbers SET highest = ?3, bits = ?4, " \
	    "touched = ?5 WHERE sender = ?1 AND conversation = ?2") \
	X(NUMBERS_FORGET, "DELETE FROM numbers WHERE (sender, conversation) " \
	    "IN (SELECT sender, conversation FROM numbers " \
	    "WHERE touched < ?1 ORDER BY touched LIMIT ?2)") \
	X(OWN_GET, "SELECT conversation, last FROM own " \
	    "WHERE sender = ?1 AND name = ?2") \
	X(OWN_ADD, "INSERT INTO own VALUES (?1, ?2, ?3, ?4)") \
	X(OWN_PUT, "UPDATE own SET last = ?3 WHERE sender = ?1 AND name = ?2") \
	X(SENT_GET, "SELECT hash, data_hash, time FROM sent WHERE id = ?1") \
	X(SENT_PUT, "INSERT OR REPLACE INTO sent VALUES (?1, ?2, ?3, ?4)") \
	X(SENT_FORGET, "DELETE FROM sent WHERE id IN (SELECT id FROM sent " \
	    "WHERE time < ?1 ORDER BY time LIMIT ?2)") \
	X(EPOCH_GET, "SELECT epoch FROM epoch " \
	    "WHERE maker = ?1 AND random = ?2 AND name = ?3") \
	X(EPOCH_ADD, "INSERT INTO epoch VALUES (?1, ?2, ?3, ?4, ?5)") \
	X(EPOCH_PUT, "UPDATE epoch SET epoch = ?4, touched = ?5 " \
	    "WHERE maker = ?1 AND random = ?2 AND name = ?3") \
	X(EPOCH_FORGET, "DELETE FROM epoch WHERE (maker, random, name) IN " \
	    "(SELECT maker, random, name FROM epoch WHERE touched < ?1 " \
	    "ORDER BY touched LIMIT ?2)")

#define STATEMENT_NAME(name, sql) name,
enum statement { STATEMENTS(STATEMENT_NAME) STATEMENT_COUNT };

/* How much is forgotten in one transaction. */
enum { FORGET_MAX = 64 };

struct state {
	struct state_policy policy;
	struct sqlite *db;
	struct sqlite_statement *statements[STATEMENT_COUNT];
	int lock;			/* -1: none */
	const char *why;
	bool admitted;
	struct state_message message;	/* the one that is admitted */
	bool was_pending;		/* its row is an earlier attempt's */
};

/* The row of self. */
struct state_self {
	uint64_t horizon;		/* the first time that is not before */
	uint64_t messages, numbers, epochs;
};

struct sqlite_statement *state_get(struct state *s, enum statement statement);
/* Has this byte of the file of locks for this process; else *why says what is
 * in the way, `busy` for another process. E2E_ERR_BUSY, E2E_ERR_STORE. */
enum e2e_error state_lock(struct state *s, uint64_t at, const char *busy,
    const char **why);
/* A transaction: everything that a function changes, until state_end, which
 * commits, or rolls back for an error, and returns the first one, in the
 * words of state.h. Without state_begin's E2E_OK there is no state_end. */
enum e2e_error state_begin(struct state *s);
enum e2e_error state_end(struct state *s, enum e2e_error err);
/* Within one. */
enum e2e_error state_self(struct state *s, struct state_self *self);
/* Of what is older, nothing needs to be known any more. */
uint64_t state_cutoff(const struct state *s);
/* The caller's bytes, or E2E_ERR_STORE_DAMAGED if they are not so many. */
enum e2e_error state_column(struct state *s, struct sqlite_statement *row,
    int at, void *bytes, size_t size);
/* Runs one of the statements that forget: makes room for one more among
 * `count` rows, then forgets what is older than need be; no more than
 * FORGET_MAX rows each. */
enum e2e_error state_forget(struct state *s, enum statement statement,
    uint64_t count);

#endif
