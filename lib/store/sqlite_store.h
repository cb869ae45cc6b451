/*
 * sqlite_store.h: what the files sqlite*.c of this folder share.
 *
 *	card	one row for each identity: its card, name, revocation
 *	box	its mailbox: a small row, for every deposit changes it
 *	slot	the items of mailboxes
 *	body	envelopes, in the order of their arrival
 *	shared	how many items a body has, if more than one
 *	piece	bodies that are not in one row, those that arrive included
 *	staged	bodies that arrive
 *	seen	which mailbox had which bytes, until when
 *	state	one row of sums, written at each commit
 *
 * 1. A body is there exactly as long as it has items, and every item has its
 *    row in seen, with the same end: so what ends is found by seen alone,
 *    and an acknowledgement touches no index.
 * 2. All rows of seen with one id name the same body, dead or alive: a body
 *    that comes again takes its old key. A key is never another body's.
 * 3. A piece's key is its body's, then 20 bits of its number.
 * 4. What was changed in `now` since the transaction began is in the tables
 *    when it is committed; `before` has it as it was.
 */
#ifndef STORE_SQLITE_STORE_H
#define STORE_SQLITE_STORE_H

#include "base/sqlite.h"
#include "store/store.h"

#define PIECE_BITS 20
#define PIECES_MAX (UINT64_C(1) << PIECE_BITS)

/* Every statement, prepared once. */
#define STATEMENTS(X) \
	X(STATE_GET, "SELECT next_body, mailboxes, items, bodies, bytes, " \
	    "seen FROM state WHERE one = 1") \
	X(STATE_PUT, "UPDATE state SET next_body = ?1, mailboxes = ?2, " \
	    "items = ?3, bodies = ?4, bytes = ?5, seen = ?6 WHERE one = 1") \
	X(BOX_GET, "SELECT b.box, b.next_seq, b.items, b.bytes, b.dropped, " \
	    "b.retired FROM card c JOIN box b ON b.box = c.box " \
	    "WHERE c.id = ?1") \
	X(BOX_AT, "SELECT box, next_seq, items, bytes, dropped, retired " \
	    "FROM box WHERE box = ?1") \
	X(BOX_ADD, "INSERT INTO box VALUES (?1, 1, 0, 0, 0, 0)") \
	X(BOX_PUT, "UPDATE box SET next_seq = ?2, items = ?3, bytes = ?4, " \
	    "dropped = ?5 WHERE box = ?1") \
	X(BOX_RETIRE, "UPDATE box SET retired = 1 WHERE retired = 0") \
	X(BOX_RETURN, "UPDATE box SET retired = 0 " \
	    "WHERE box = ?1 AND retired = 1") \
	X(BOX_OLDEST, "SELECT stored FROM slot WHERE box = ?1 " \
	    "ORDER BY seq LIMIT 1") \
	X(SEEN_ANY, "SELECT body FROM seen WHERE id = ?1 LIMIT 1") \
	X(SEEN_GET, "SELECT until, seq FROM seen WHERE id = ?1 AND box = ?2") \
	X(SEEN_ADD, "INSERT INTO seen VALUES (?1, ?2, ?3, ?4, ?5)") \
	X(SEEN_MOVE, "UPDATE seen SET seq = ?3 WHERE id = ?1 AND box = ?2") \
	X(SEEN_DELETE, "DELETE FROM seen WHERE id = ?1 AND box = ?2") \
	X(SEEN_ENDED, "SELECT id, box, seq FROM seen WHERE until <= ?1 " \
	    "ORDER BY until, id, box LIMIT 1") \
	X(SLOT_GET, "SELECT body, stored, until, tries FROM slot " \
	    "WHERE box = ?1 AND seq = ?2") \
	X(SLOT_ADD, "INSERT INTO slot VALUES (?1, ?2, ?3, ?4, ?5, 0)") \
	X(SLOT_TRIED, "UPDATE slot SET tries = ?3 WHERE box = ?1 AND seq = ?2") \
	X(SLOT_DELETE, "DELETE FROM slot WHERE box = ?1 AND seq = ?2") \
	X(SLOT_LIST, "SELECT s.seq, s.stored, s.until, s.body, b.size, b.id " \
	    "FROM slot s JOIN body b ON b.body = s.body WHERE s.box = " \
	    "(SELECT box FROM card WHERE id = ?1) AND s.seq > ?2 AND " \
	    "s.until > ?3 ORDER BY s.seq LIMIT ?4") \
	X(SLOT_FIND, "SELECT s.seq, s.stored, s.until, s.body, b.size, b.id " \
	    "FROM slot s JOIN body b ON b.body = s.body WHERE s.box = " \
	    "(SELECT box FROM card WHERE id = ?1) AND s.seq = ?2") \
	X(BODY_GET, "SELECT size, whole IS NULL, id FROM body " \
	    "WHERE body = ?1") \
	X(BODY_ADD, "INSERT INTO body VALUES (?1, ?2, ?3, ?4)") \
	X(BODY_DELETE, "DELETE FROM body WHERE body = ?1") \
	X(BODY_READ, "SELECT substr(whole, ?2, ?3) FROM body WHERE body = ?1") \
	X(BODY_WHOLE, "SELECT whole FROM body WHERE body = ?1") \
	X(SHARED_GET, "SELECT count FROM shared WHERE body = ?1") \
	X(SHARED_PUT, "INSERT OR REPLACE INTO shared VALUES (?1, ?2)") \
	X(SHARED_DELETE, "DELETE FROM shared WHERE body = ?1") \
	X(PIECE_ADD, "INSERT INTO piece VALUES (?1, ?2)") \
	X(PIECE_READ, "SELECT substr(bytes, ?2, ?3) FROM piece " \
	    "WHERE piece = ?1") \
	X(PIECE_MOVE, "UPDATE piece SET piece = piece - ?1 + ?3 " \
	    "WHERE piece >= ?1 AND piece < ?2") \
	X(PIECE_DELETE, "DELETE FROM piece WHERE piece >= ?1 AND piece < ?2") \
	X(STAGED_GET, "SELECT pieces, size FROM staged WHERE body = ?1") \
	X(STAGED_PUT, "INSERT OR REPLACE INTO staged VALUES (?1, ?2, ?3)") \
	X(STAGED_DELETE, "DELETE FROM staged WHERE body = ?1") \
	X(STAGED_OLD, "SELECT body, pieces, size FROM staged " \
	    "WHERE body < ?1 LIMIT 1") \
	X(CARD_GET, "SELECT c.box, c.id, c.name, c.serial, c.registered, " \
	    "c.card, c.revocation, b.retired FROM card c JOIN box b " \
	    "ON b.box = c.box WHERE c.id = ?1") \
	X(CARD_NAMED, "SELECT c.box, c.id, c.name, c.serial, c.registered, " \
	    "c.card, c.revocation, b.retired FROM card c JOIN box b " \
	    "ON b.box = c.box WHERE c.name = ?1") \
	X(CARD_ADD, "INSERT INTO card VALUES " \
	    "((SELECT ifnull(max(box), 0) + 1 FROM box), " \
	    "?1, ?2, ?3, ?4, ?5, NULL)") \
	X(CARD_PUT, "UPDATE card SET name = ?2, serial = ?3, " \
	    "card = ?4 WHERE box = ?1") \
	X(CARD_UNNAME, "UPDATE card SET name = NULL WHERE box = ?1") \
	X(CARD_REVOKE, "UPDATE card SET revocation = ?2 WHERE box = ?1")

#define STATEMENT_NAME(name, sql) name,
enum statement { STATEMENTS(STATEMENT_NAME) STATEMENT_COUNT };

struct sqlite_state {
	uint64_t next_body, mailboxes, items, bodies, bytes, seen;
};

struct sqlite_store {
	struct store store;
	enum store_manner manner;
	char *folder;
	int lock;			/* -1: none */
	struct sqlite *db;
	struct sqlite_statement *statements[STATEMENT_COUNT];
	struct sqlite_state now, before;
	bool changing;
	unsigned held;			/* how often */
	enum e2e_error failed;		/* in this transaction */
	uint64_t first_body;		/* of this opening: what is staged
					 * under a lower key is garbage */
};

/* A row of box. */
struct sqlite_box {
	uint64_t box, next_seq, items, bytes, dropped;
	bool retired;
};

struct sqlite_store *sqlite_store_of(struct store *store);
struct sqlite_statement *sqlite_store_get(struct sqlite_store *s,
    enum statement statement);
/* May it be changed now? */
enum e2e_error sqlite_store_changing(const struct sqlite_store *s);
/* The result of a change: remembers a failure. */
enum e2e_error sqlite_store_changed(struct sqlite_store *s,
    enum e2e_error err);
/* What is read between these, which nest, is of one moment. */
enum e2e_error sqlite_store_hold(struct sqlite_store *s);
enum e2e_error sqlite_store_let_go(struct sqlite_store *s,
    enum e2e_error err);

/* ---- sqlite_body.c ---- */

enum e2e_error sqlite_body_stage(struct store *, uint64_t *staged,
    struct bytes piece);
enum e2e_error sqlite_body_unstage(struct store *, uint64_t staged);
enum e2e_error sqlite_body_read(struct store *, uint64_t body, uint64_t offset,
    size_t size, struct buffer *bytes);
/* Is there a staged body of this size? */
enum e2e_error sqlite_body_staged(struct sqlite_store *s, uint64_t staged,
    uint64_t size, bool *there);
/* Gives `body` `count` items more; makes it, of the deposit's bytes, if it is
 * not there. A staged one is used up in any case. */
enum e2e_error sqlite_body_keep(struct sqlite_store *s, uint64_t body,
    const struct store_deposit *d, uint64_t count);
/* Takes one item from it, with the last one itself. *size: its size. */
enum e2e_error sqlite_body_release(struct sqlite_store *s, uint64_t body,
    uint64_t *size);
/* Deletes up to `limit` pieces of bodies that did not arrive before the store
 * was opened; *bodies: how many are gone. */
enum e2e_error sqlite_body_sweep(struct sqlite_store *s, size_t limit,
    uint64_t *bodies);

/* ---- sqlite_mail.c ---- */

enum e2e_error sqlite_mail_deposit(struct store *, struct store_deposit *d);
enum e2e_error sqlite_mail_acknowledge(struct store *,
    const unsigned char box[E2E_ID_LEN], const uint64_t *seqs, size_t count,
    uint64_t told);
enum e2e_error sqlite_mail_unacknowledged(struct store *,
    const unsigned char box[E2E_ID_LEN], uint64_t seq, unsigned limit,
    bool *moved);
enum e2e_error sqlite_mail_expire(struct store *, uint64_t now, size_t limit,
    struct store_expired *gone);

/* ---- sqlite_items.c ---- */

enum e2e_error sqlite_items_summary(struct store *,
    const unsigned char box[E2E_ID_LEN], struct store_summary *summary);
enum e2e_error sqlite_items_list(struct store *,
    const unsigned char box[E2E_ID_LEN], uint64_t after, uint64_t now,
    struct store_item *items, size_t *count, struct buffer *bytes);
enum e2e_error sqlite_items_find(struct store *,
    const unsigned char box[E2E_ID_LEN], uint64_t seq,
    struct store_item *item, bool *found);

/* ---- sqlite_directory.c ---- */

enum e2e_error sqlite_directory_enroll(struct store *,
    const struct store_card *card, enum store_registration *result);
enum e2e_error sqlite_directory_lookup(struct store *,
    const unsigned char *id, const char *name, bool retired,
    struct store_card *card, struct buffer *bytes, bool *found);
enum e2e_error sqlite_directory_revoke(struct store *,
    const unsigned char id[E2E_ID_LEN], struct bytes revocation, bool *found);
enum e2e_error sqlite_directory_retire_all(struct store *);

/* ---- sqlite_care.c ---- */

enum e2e_error sqlite_care_usage(struct store *, bool exact,
    struct store_usage *usage);
enum e2e_error sqlite_care_backup(struct store *, const char *path);
enum e2e_error sqlite_care_check(struct store *, struct buffer *report);

#endif
