/*
 * sqlite_mail.c: what changes mailboxes.
 *
 * A deposit for one mailbox costs two searches, in seen and in the index of
 * cards, a look at the row of the box, its update, and four rows more: of
 * body and the index of seen at the end, of slot and seen in the middle.
 */
#include "store/sqlite_store.h"

#include <string.h>

static enum e2e_error
step_box(struct sqlite_statement *get, struct sqlite_box *box, bool *found)
{
	enum e2e_error err;

	*box = (struct sqlite_box){ .box = 0 };
	if ((err = sqlite_step(get, found)) != E2E_OK || !*found)
		return err;
	*box = (struct sqlite_box){
		.box = sqlite_column(get, 0),
		.next_seq = sqlite_column(get, 1),
		.items = sqlite_column(get, 2),
		.bytes = sqlite_column(get, 3),
		.dropped = sqlite_column(get, 4),
		.retired = sqlite_column(get, 5) != 0
	};
	sqlite_reset(get);
	return E2E_OK;
}

static enum e2e_error
get_box(struct sqlite_store *s, const unsigned char *id,
    struct sqlite_box *box, bool *found)
{
	struct sqlite_statement *get = sqlite_store_get(s, BOX_GET);

	sqlite_bind_bytes(get, 1, id, E2E_ID_LEN);
	return step_box(get, box, found);
}

static enum e2e_error
put_box(struct sqlite_store *s, const struct sqlite_box *box)
{
	struct sqlite_statement *put = sqlite_store_get(s, BOX_PUT);

	sqlite_bind(put, 1, box->box);
	sqlite_bind(put, 2, box->next_seq);
	sqlite_bind(put, 3, box->items);
	sqlite_bind(put, 4, box->bytes);
	sqlite_bind(put, 5, box->dropped);
	return sqlite_do(put);
}

struct slot {
	uint64_t body, stored, until, tries;
	bool there;
};

static enum e2e_error
get_slot(struct sqlite_store *s, uint64_t box, uint64_t seq,
    struct slot *slot)
{
	struct sqlite_statement *get = sqlite_store_get(s, SLOT_GET);
	enum e2e_error err;

	*slot = (struct slot){ .there = false };
	sqlite_bind(get, 1, box);
	sqlite_bind(get, 2, seq);
	if ((err = sqlite_step(get, &slot->there)) != E2E_OK || !slot->there)
		return err;
	slot->body = sqlite_column(get, 0);
	slot->stored = sqlite_column(get, 1);
	slot->until = sqlite_column(get, 2);
	slot->tries = sqlite_column(get, 3);
	sqlite_reset(get);
	return E2E_OK;
}

static enum e2e_error
add_slot(struct sqlite_store *s, uint64_t box, uint64_t seq,
    const struct slot *slot)
{
	struct sqlite_statement *add = sqlite_store_get(s, SLOT_ADD);

	sqlite_bind(add, 1, box);
	sqlite_bind(add, 2, seq);
	sqlite_bind(add, 3, slot->body);
	sqlite_bind(add, 4, slot->stored);
	sqlite_bind(add, 5, slot->until);
	return sqlite_do(add);
}

static enum e2e_error
delete_slot(struct sqlite_store *s, uint64_t box, uint64_t seq)
{
	struct sqlite_statement *delete = sqlite_store_get(s, SLOT_DELETE);

	sqlite_bind(delete, 1, box);
	sqlite_bind(delete, 2, seq);
	return sqlite_do(delete);
}

/* Deletes an item if it is there; the row of the box is the caller's. */
static enum e2e_error
remove_item(struct sqlite_store *s, struct sqlite_box *box, uint64_t seq,
    bool *was, uint64_t *size)
{
	enum e2e_error err;
	struct slot slot;

	*size = 0;
	err = get_slot(s, box->box, seq, &slot);
	*was = err == E2E_OK && slot.there;
	if (!*was)
		return err;
	if ((err = delete_slot(s, box->box, seq)) != E2E_OK)
		return err;
	if ((err = sqlite_body_release(s, slot.body, size)) != E2E_OK)
		return err;
	box->items--;
	box->bytes -= *size;
	s->now.items--;
	return E2E_OK;
}

/* ---- seen ---- */

struct seen {
	uint64_t until, seq;
	bool there;
};

static enum e2e_error
get_seen(struct sqlite_store *s, const unsigned char *id, uint64_t box,
    struct seen *seen)
{
	struct sqlite_statement *get = sqlite_store_get(s, SEEN_GET);
	enum e2e_error err;

	*seen = (struct seen){ .there = false };
	sqlite_bind_bytes(get, 1, id, STORE_ID_LEN);
	sqlite_bind(get, 2, box);
	if ((err = sqlite_step(get, &seen->there)) != E2E_OK || !seen->there)
		return err;
	seen->until = sqlite_column(get, 0);
	seen->seq = sqlite_column(get, 1);
	sqlite_reset(get);
	return E2E_OK;
}

static enum e2e_error
delete_seen(struct sqlite_store *s, const unsigned char *id, uint64_t box)
{
	struct sqlite_statement *delete = sqlite_store_get(s, SEEN_DELETE);

	sqlite_bind_bytes(delete, 1, id, STORE_ID_LEN);
	sqlite_bind(delete, 2, box);
	s->now.seen--;
	return sqlite_do(delete);
}

/* The body of these bytes, if any mailbox has seen them; else a new key. */
static enum e2e_error
find_body(struct sqlite_store *s, const unsigned char *id, uint64_t *body,
    bool *seen)
{
	struct sqlite_statement *any = sqlite_store_get(s, SEEN_ANY);
	enum e2e_error err;

	*body = s->now.next_body;
	sqlite_bind_bytes(any, 1, id, STORE_ID_LEN);
	if ((err = sqlite_step(any, seen)) == E2E_OK && *seen) {
		*body = sqlite_column(any, 0);
		sqlite_reset(any);
	}
	return err;
}

/* ---- deposits ---- */

/* Was it here before? What has ended, and expire only did not come by yet, is
 * removed. */
static enum e2e_error
look_at_seen(struct sqlite_store *s, const struct store_deposit *d,
    struct sqlite_box *box, uint64_t *until)
{
	struct seen seen;
	uint64_t size;
	bool was;
	enum e2e_error err = get_seen(s, d->id, box->box, &seen);

	*until = 0;
	if (err != E2E_OK || !seen.there)
		return err;
	if (seen.until > d->now) {
		*until = seen.until;
		return E2E_OK;
	}
	err = remove_item(s, box, seen.seq, &was, &size);
	return err == E2E_OK ? delete_seen(s, d->id, box->box) : err;
}

static bool
has_room(const struct sqlite_box *box, const struct store_deposit *d)
{
	if (d->quota_items != 0 && box->items >= d->quota_items)
		return false;
	return d->quota_bytes == 0 || (d->size <= d->quota_bytes &&
	    box->bytes <= d->quota_bytes - d->size);
}

static enum e2e_error
add_item(struct sqlite_store *s, const struct store_deposit *d,
    struct sqlite_box *box, uint64_t body)
{
	struct sqlite_statement *add = sqlite_store_get(s, SEEN_ADD);
	struct slot slot = { .body = body, .stored = d->now,
	    .until = d->until };
	enum e2e_error err = add_slot(s, box->box, box->next_seq, &slot);

	if (err != E2E_OK)
		return err;
	sqlite_bind_bytes(add, 1, d->id, STORE_ID_LEN);
	sqlite_bind(add, 2, box->box);
	sqlite_bind(add, 3, d->until);
	sqlite_bind(add, 4, box->next_seq);
	sqlite_bind(add, 5, body);
	box->next_seq++;
	box->items++;
	box->bytes += d->size;
	s->now.items++;
	s->now.seen++;
	return sqlite_do(add);
}

/* One mailbox; *until: of the copy it has now, if it has one. */
static enum e2e_error
deposit_in(struct sqlite_store *s, const struct store_deposit *d,
    const unsigned char *id, uint64_t body, bool seen,
    enum store_outcome *outcome, uint64_t *until)
{
	struct sqlite_box box;
	enum e2e_error err;
	bool found;

	*until = 0;
	*outcome = STORE_UNKNOWN;
	err = get_box(s, id, &box, &found);
	if (err != E2E_OK || !found || box.retired)
		return err;
	*outcome = STORE_DUPLICATE;
	if (seen && (err = look_at_seen(s, d, &box, until)) != E2E_OK)
		return err;
	if (*until != 0)
		return E2E_OK;
	if (has_room(&box, d)) {
		*outcome = STORE_STORED;
		*until = d->until;
		if ((err = add_item(s, d, &box, body)) != E2E_OK)
			return err;
	} else {
		*outcome = STORE_QUOTA;
		box.dropped++;
	}
	return put_box(s, &box);
}

static enum e2e_error
look_at_deposit(struct sqlite_store *s, const struct store_deposit *d)
{
	enum e2e_error err;
	bool there;

	if (d->until > INT64_MAX || d->now > INT64_MAX)
		return E2E_ERR_USAGE;
	if (d->staged == 0)
		return d->size == d->body.length ? E2E_OK : E2E_ERR_USAGE;
	err = sqlite_body_staged(s, d->staged, d->size, &there);
	return err == E2E_OK && !there ? E2E_ERR_USAGE : err;
}

enum e2e_error
sqlite_mail_deposit(struct store *store, struct store_deposit *d)
{
	struct sqlite_store *s = sqlite_store_of(store);
	uint64_t body, until, stored = 0;
	enum e2e_error err;
	bool seen;

	d->kept_until = 0;
	if ((err = sqlite_store_changing(s)) != E2E_OK)
		return err;
	if ((err = look_at_deposit(s, d)) == E2E_OK)
		err = find_body(s, d->id, &body, &seen);
	if (err == E2E_OK && !seen && d->staged != 0)
		body = d->staged;
	for (size_t i = 0; i < d->box_count && err == E2E_OK; i++) {
		err = deposit_in(s, d, d->boxes[i], body, seen,
		    &d->outcomes[i], &until);
		if (d->outcomes[i] == STORE_STORED)
			stored++;
		if (until != 0 && (d->kept_until == 0 ||
		    until < d->kept_until))
			d->kept_until = until;
	}
	if (err == E2E_OK && stored > 0)
		err = sqlite_body_keep(s, body, d, stored);
	else if (err == E2E_OK && d->staged != 0)
		err = sqlite_body_unstage(store, d->staged);
	return sqlite_store_changed(s, err);
}

/* ---- after them ---- */

enum e2e_error
sqlite_mail_acknowledge(struct store *store,
    const unsigned char id[E2E_ID_LEN], const uint64_t *seqs, size_t count,
    uint64_t told)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct sqlite_box box;
	enum e2e_error err;
	bool changed = false, was;
	uint64_t size;

	if ((err = sqlite_store_changing(s)) != E2E_OK)
		return err;
	err = get_box(s, id, &box, &was);
	if (err != E2E_OK || !was)
		return sqlite_store_changed(s, err);
	for (size_t i = 0; i < count && err == E2E_OK; i++) {
		err = remove_item(s, &box, seqs[i], &was, &size);
		changed = changed || was;
	}
	if (told > box.dropped)
		told = box.dropped;
	box.dropped -= told;
	if (err == E2E_OK && (changed || told > 0))
		err = put_box(s, &box);
	return sqlite_store_changed(s, err);
}

/* Puts the item behind the others of its mailbox. */
static enum e2e_error
move_item(struct sqlite_store *s, struct sqlite_box *box, uint64_t seq,
    const struct slot *slot)
{
	struct sqlite_statement *get = sqlite_store_get(s, BODY_GET);
	struct sqlite_statement *move = sqlite_store_get(s, SEEN_MOVE);
	unsigned char id[STORE_ID_LEN];
	enum e2e_error err;
	struct bytes bytes;
	bool row;

	sqlite_bind(get, 1, slot->body);
	if ((err = sqlite_step(get, &row)) != E2E_OK)
		return err;
	if (!row)
		return E2E_ERR_STORE_DAMAGED;
	bytes = sqlite_column_bytes(get, 2);
	if (bytes.length == sizeof id)
		memcpy(id, bytes.data, sizeof id);
	else
		err = E2E_ERR_STORE_DAMAGED;
	sqlite_reset(get);
	sqlite_bind_bytes(move, 1, id, sizeof id);
	sqlite_bind(move, 2, box->box);
	sqlite_bind(move, 3, box->next_seq);
	if (err == E2E_OK)
		err = sqlite_do(move);
	if (err == E2E_OK)
		err = delete_slot(s, box->box, seq);
	if (err == E2E_OK)
		err = add_slot(s, box->box, box->next_seq++, slot);
	return err == E2E_OK ? put_box(s, box) : err;
}

enum e2e_error
sqlite_mail_unacknowledged(struct store *store,
    const unsigned char id[E2E_ID_LEN], uint64_t seq, unsigned limit,
    bool *moved)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct sqlite_statement *tried = sqlite_store_get(s, SLOT_TRIED);
	struct slot slot = { .there = false };
	struct sqlite_box box;
	enum e2e_error err;
	bool found;

	*moved = false;
	if ((err = sqlite_store_changing(s)) != E2E_OK)
		return err;
	err = get_box(s, id, &box, &found);
	if (err == E2E_OK && found)
		err = get_slot(s, box.box, seq, &slot);
	if (err == E2E_OK && slot.there) {
		*moved = limit != 0 && slot.tries + 1 >= limit;
		if (*moved) {
			err = move_item(s, &box, seq, &slot);
		} else {
			sqlite_bind(tried, 1, box.box);
			sqlite_bind(tried, 2, seq);
			sqlite_bind(tried, 3, slot.tries + 1);
			err = sqlite_do(tried);
		}
	}
	return sqlite_store_changed(s, err);
}

/* ---- the end ---- */

struct ended {
	store_id id;
	uint64_t box, seq;
};

static enum e2e_error
get_ended(struct sqlite_store *s, uint64_t now, struct ended *e, bool *row)
{
	struct sqlite_statement *get = sqlite_store_get(s, SEEN_ENDED);
	enum e2e_error err;
	struct bytes id;

	sqlite_bind(get, 1, now < INT64_MAX ? now : INT64_MAX);
	if ((err = sqlite_step(get, row)) != E2E_OK || !*row)
		return err;
	id = sqlite_column_bytes(get, 0);
	if (id.length == sizeof e->id)
		memcpy(e->id, id.data, sizeof e->id);
	else
		err = E2E_ERR_STORE_DAMAGED;
	e->box = sqlite_column(get, 1);
	e->seq = sqlite_column(get, 2);
	sqlite_reset(get);
	return err;
}

static enum e2e_error
expire_one(struct sqlite_store *s, const struct ended *e,
    struct store_expired *gone)
{
	struct sqlite_statement *get = sqlite_store_get(s, BOX_AT);
	struct sqlite_box box;
	enum e2e_error err;
	uint64_t size;
	bool was;

	sqlite_bind(get, 1, e->box);
	if ((err = step_box(get, &box, &was)) != E2E_OK)
		return err;
	if (!was)
		return E2E_ERR_STORE_DAMAGED;
	if ((err = delete_seen(s, e->id, e->box)) != E2E_OK)
		return err;
	gone->seen++;
	if ((err = remove_item(s, &box, e->seq, &was, &size)) != E2E_OK ||
	    !was)
		return err;
	gone->items++;
	gone->bytes += size;
	return put_box(s, &box);
}

enum e2e_error
sqlite_mail_expire(struct store *store, uint64_t now, size_t limit,
    struct store_expired *gone)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct ended e;
	enum e2e_error err;
	bool row = true;

	*gone = (struct store_expired){ .items = 0 };
	if ((err = sqlite_store_changing(s)) != E2E_OK)
		return err;
	while (err == E2E_OK && gone->seen < limit) {
		err = get_ended(s, now, &e, &row);
		if (err != E2E_OK || !row)
			break;
		err = expire_one(s, &e, gone);
	}
	if (err == E2E_OK)
		err = sqlite_body_sweep(s, limit, &gone->staged);
	return sqlite_store_changed(s, err);
}
