/*
 * sqlite_care.c: sums, copies, and a look at everything.
 *
 * What SQLite finds is that its trees are trees; that their rows agree with
 * each other, as sqlite_store.h has it, and that every envelope still hashes to
 * its id, is found here.
 */
#include "store/sqlite_store.h"

#include "crypto/hash.h"

#include <string.h>
#include <sys/statvfs.h>

/* Each counts what is not as it should be. */
static const struct {
	const char *sql, *word;
} questions[] = {
	{ "SELECT (SELECT count(*) FROM state) <> 1",
	    "there is no row of sums" },
	{ "SELECT mailboxes <> (SELECT count(*) FROM box) FROM state",
	    "the number of mailboxes is wrong" },
	{ "SELECT items <> (SELECT count(*) FROM slot) FROM state",
	    "the number of items is wrong" },
	{ "SELECT bodies <> (SELECT count(*) FROM body) OR bytes <> "
	    "(SELECT ifnull(sum(size), 0) FROM body) FROM state",
	    "the number or size of the bodies is wrong" },
	{ "SELECT seen <> (SELECT count(*) FROM seen) FROM state",
	    "the number of ids seen is wrong" },
	{ "SELECT max(ifnull((SELECT max(body) FROM body), 0), "
	    "ifnull((SELECT max(body) FROM staged), 0), "
	    "ifnull((SELECT max(body) FROM seen), 0)) >= next_body "
	    "FROM state", "the next key of a body is taken" },
	{ "SELECT (SELECT count(*) FROM card WHERE box NOT IN "
	    "(SELECT box FROM box)) + (SELECT count(*) FROM box WHERE box "
	    "NOT IN (SELECT box FROM card))",
	    "cards and mailboxes do not belong together" },
	{ "SELECT count(*) FROM box LEFT JOIN (SELECT s.box AS of, "
	    "count(*) AS n, sum(b.size) AS z, max(s.seq) AS last FROM slot s "
	    "LEFT JOIN body b ON b.body = s.body GROUP BY s.box) ON of = box "
	    "WHERE items <> ifnull(n, 0) OR bytes <> ifnull(z, 0) OR "
	    "next_seq <= ifnull(last, 0)",
	    "the sums of a mailbox are wrong" },
	{ "SELECT count(*) FROM slot WHERE box NOT IN (SELECT box FROM box) "
	    "OR body NOT IN (SELECT body FROM body)",
	    "an item has no mailbox or no body" },
	{ "SELECT count(*) FROM body b LEFT JOIN (SELECT body AS of, "
	    "count(*) AS n FROM slot GROUP BY body) ON of = b.body "
	    "WHERE ifnull(n, 0) <> ifnull((SELECT count FROM shared "
	    "WHERE shared.body = b.body), 1)",
	    "a body is counted wrongly" },
	{ "SELECT count(*) FROM shared WHERE count < 2 OR body NOT IN "
	    "(SELECT body FROM body)", "a count has no body" },
	{ "SELECT count(*) FROM slot s JOIN body b ON b.body = s.body "
	    "LEFT JOIN seen n ON n.id = b.id AND n.box = s.box WHERE "
	    "n.seq IS NOT s.seq OR n.until IS NOT s.until OR "
	    "n.body IS NOT s.body", "an item was not seen" },
	{ "SELECT count(*) FROM seen WHERE box NOT IN (SELECT box FROM box)",
	    "something was seen by no mailbox" },
	{ "SELECT count(*) FROM piece WHERE (piece >> 20) NOT IN "
	    "(SELECT body FROM staged UNION ALL SELECT body FROM body "
	    "WHERE whole IS NULL)", "a piece has no body" },
	{ "SELECT count(*) FROM body WHERE whole IS NOT NULL AND "
	    "length(whole) <> size OR length(id) <> 32",
	    "a body has not its size" }
};

static enum e2e_error
say(struct buffer *report, const char *word)
{
	return buffer_append(report, word, strlen(word)) &&
	    buffer_append_byte(report, '\n') ? E2E_OK : E2E_ERR_MEMORY;
}

static enum e2e_error
ask_questions(struct sqlite_store *s, struct buffer *report, bool *sound)
{
	enum e2e_error err = E2E_OK;
	uint64_t wrong;

	for (size_t i = 0; i < sizeof questions / sizeof questions[0] &&
	    err == E2E_OK; i++) {
		err = sqlite_ask(s->db, questions[i].sql, &wrong);
		if (err == E2E_OK && wrong != 0) {
			*sound = false;
			err = say(report, questions[i].word);
		}
	}
	return err;
}

/* A body's bytes, a piece at a time. */
static enum e2e_error
hash_body(struct sqlite_store *s, struct hash *hash, uint64_t body,
    uint64_t size, unsigned char out[HASH_LEN])
{
	struct buffer bytes;
	enum e2e_error err = E2E_OK;

	buffer_init(&bytes, STORE_PIECE_LEN);
	for (uint64_t at = 0; at < size && err == E2E_OK;
	    at += STORE_PIECE_LEN) {
		buffer_clear(&bytes);
		err = sqlite_body_read(&s->store, body, at, STORE_PIECE_LEN,
		    &bytes);
		if (err == E2E_OK)
			err = hash_update(hash, bytes.data, bytes.length);
	}
	buffer_free(&bytes);
	return err == E2E_OK ? hash_final(hash, out) : err;
}

static enum e2e_error
compare_bodies(struct sqlite_store *s, struct buffer *report, bool *sound)
{
	struct sqlite_statement *all = NULL;
	unsigned char got[HASH_LEN];
	struct hash *hash = NULL;
	enum e2e_error err;
	struct bytes id;
	bool row, good;

	err = sqlite_prepare(&all, s->db, "SELECT body, size, id FROM body");
	if (err == E2E_OK)
		err = hash_new(&hash);
	while (err == E2E_OK && *sound) {
		if ((err = sqlite_step(all, &row)) != E2E_OK || !row)
			break;
		err = hash_body(s, hash, sqlite_column(all, 0),
		    sqlite_column(all, 1), got);
		id = sqlite_column_bytes(all, 2);
		good = err == E2E_OK && id.length == sizeof got &&
		    memcmp(id.data, got, sizeof got) == 0;
		if (good || (err != E2E_OK && err != E2E_ERR_STORE_DAMAGED))
			continue;
		*sound = false;
		err = say(report, "a body is not what its id says");
	}
	hash_free(hash);
	sqlite_finish(all);
	return err;
}

enum e2e_error
sqlite_care_check(struct store *store, struct buffer *report)
{
	struct sqlite_store *s = sqlite_store_of(store);
	enum e2e_error err;
	bool sound = true;

	if (s->changing)
		return E2E_ERR_USAGE;
	if ((err = sqlite_store_hold(s)) != E2E_OK)
		return err;
	err = sqlite_check(s->db, report);
	if (err == E2E_OK)
		err = ask_questions(s, report, &sound);
	if (err == E2E_OK && sound)
		err = compare_bodies(s, report, &sound);
	if (err == E2E_OK && !sound)
		err = E2E_ERR_STORE_DAMAGED;
	return sqlite_store_let_go(s, err);
}

/* ---- sums ---- */

static const struct {
	const char *sql;
	size_t at;
} counts[] = {
	{ "SELECT count(*) FROM box",
	    offsetof(struct store_usage, mailboxes) },
	{ "SELECT count(*) FROM slot", offsetof(struct store_usage, items) },
	{ "SELECT count(*) FROM body", offsetof(struct store_usage, bodies) },
	{ "SELECT sum(size) FROM body", offsetof(struct store_usage, bytes) },
	{ "SELECT count(*) FROM seen", offsetof(struct store_usage, seen) }
};

static enum e2e_error
count_rows(struct sqlite_store *s, struct store_usage *usage)
{
	enum e2e_error err = sqlite_store_hold(s);
	uint64_t n;

	if (err != E2E_OK)
		return err;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0] &&
	    err == E2E_OK; i++) {
		err = sqlite_ask(s->db, counts[i].sql, &n);
		memcpy((unsigned char *)usage + counts[i].at, &n, sizeof n);
	}
	return sqlite_store_let_go(s, err);
}

enum e2e_error
sqlite_care_usage(struct store *store, bool exact, struct store_usage *usage)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct sqlite_statement *get = sqlite_store_get(s, STATE_GET);
	struct statvfs disk;
	enum e2e_error err = E2E_OK;
	bool row;

	*usage = (struct store_usage){ .free_bytes = UINT64_MAX };
	if (s->changing)
		return E2E_ERR_USAGE;
	if (statvfs(s->folder, &disk) == 0)
		usage->free_bytes = (uint64_t)disk.f_bavail *
		    (disk.f_frsize != 0 ? disk.f_frsize : disk.f_bsize);
	if (exact)
		return count_rows(s, usage);
	if ((err = sqlite_step(get, &row)) != E2E_OK)
		return err;
	if (!row)
		return E2E_ERR_STORE_DAMAGED;
	usage->mailboxes = sqlite_column(get, 1);
	usage->items = sqlite_column(get, 2);
	usage->bodies = sqlite_column(get, 3);
	usage->bytes = sqlite_column(get, 4);
	usage->seen = sqlite_column(get, 5);
	sqlite_reset(get);
	return E2E_OK;
}

enum e2e_error
sqlite_care_backup(struct store *store, const char *path)
{
	struct sqlite_store *s = sqlite_store_of(store);

	return s->changing ? E2E_ERR_USAGE : sqlite_backup(s->db, path);
}
