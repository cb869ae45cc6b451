/*
 * model.c: a store in memory, to compare the others with.
 *
 * Made to be seen to be right: arrays that are searched from their beginning,
 * sums that are added up when somebody asks, a transaction that keeps a copy
 * of everything. Only bytes are shared between a copy and its original: they
 * never change once written.
 */
#include "store/store.h"

#include "base/number.h"

#include <stdlib.h>
#include <string.h>

/* A run of bytes, behind those `before` it. */
struct blob {
	unsigned references;
	struct blob *before;
	uint64_t offset;
	size_t size;
	unsigned char data[];
};

struct body {
	uint64_t key;
	store_id id;
	uint64_t size;
	bool staged;
	struct blob *bytes;
};

/* Its number is its place in the array. */
struct box {
	unsigned char id[E2E_ID_LEN];
	char name[STORE_NAME_MAX + 1];
	uint64_t serial, registered, next_seq, dropped;
	struct blob *card, *revocation;
	bool retired;
};

struct item {
	size_t box;
	uint64_t seq, stored, until, body;
	unsigned tries;
};

struct seen {
	store_id id;
	size_t box;
	uint64_t seq, until;
};

struct list {
	void *rows;
	size_t count, capacity;
};

/* 1. Items of a box stand in the order of seq. */
struct state {
	struct list bodies, boxes, items, seen;
	uint64_t next_body;
};

#define ROW(type, list, index) (&((struct type *)(list)->rows)[index])
#define BODY(s, i) ROW(body, &(s)->bodies, i)
#define BOX(s, i) ROW(box, &(s)->boxes, i)
#define ITEM(s, i) ROW(item, &(s)->items, i)
#define SEEN(s, i) ROW(seen, &(s)->seen, i)
#define NOWHERE SIZE_MAX

struct model {
	struct store store;
	struct state now, before;
	bool changing;
	enum e2e_error failed;		/* in this transaction */
};

/* ---- bytes ---- */

static struct blob *
blob_new(struct blob *before, const void *data, size_t size)
{
	struct blob *b = malloc(sizeof *b + size);

	if (b == NULL)
		return NULL;
	*b = (struct blob){ .references = 1, .before = before, .size = size };
	if (before != NULL)
		b->offset = before->offset + before->size;
	if (size > 0)
		memcpy(b->data, data, size);
	return b;
}

static void
blob_free(struct blob *b)
{
	struct blob *before;

	for (; b != NULL && --b->references == 0; b = before) {
		before = b->before;
		free(b);
	}
}

static struct blob *
blob_share(struct blob *b)
{
	if (b != NULL)
		b->references++;
	return b;
}

/* The bytes from `offset` on, into `out`. */
static void
blob_copy(const struct blob *b, uint64_t offset, size_t size,
    unsigned char *out)
{
	uint64_t end = offset + size, from, to;

	for (; b != NULL; b = b->before) {
		from = b->offset > offset ? b->offset : offset;
		to = b->offset + b->size < end ? b->offset + b->size : end;
		if (from < to)
			memcpy(out + (from - offset),
			    b->data + (from - b->offset),
			    (size_t)(to - from));
	}
}

static struct bytes
blob_bytes(const struct blob *b)
{
	return b != NULL ? (struct bytes){ b->data, b->size } :
	    (struct bytes){ NULL, 0 };
}

/* ---- lists ---- */

static void *
list_add(struct list *list, size_t row)
{
	size_t capacity = list->capacity != 0 ? list->capacity * 2 : 16;
	void *rows;

	if (list->count == list->capacity) {
		if ((rows = realloc(list->rows, capacity * row)) == NULL)
			return NULL;
		list->rows = rows;
		list->capacity = capacity;
	}
	return memset((unsigned char *)list->rows + row * list->count++, 0,
	    row);
}

static void
list_remove(struct list *list, size_t row, size_t index)
{
	unsigned char *at = (unsigned char *)list->rows + row * index;

	memmove(at, at + row, row * (--list->count - index));
}

static bool
list_copy(struct list *to, const struct list *from, size_t row)
{
	*to = (struct list){ NULL, from->count, from->count };
	if (from->count == 0)
		return true;
	if ((to->rows = malloc(from->count * row)) == NULL) {
		to->count = to->capacity = 0;
		return false;
	}
	memcpy(to->rows, from->rows, from->count * row);
	return true;
}

/* ---- states ---- */

static void
state_free(struct state *s)
{
	for (size_t i = 0; i < s->bodies.count; i++)
		blob_free(BODY(s, i)->bytes);
	for (size_t i = 0; i < s->boxes.count; i++) {
		blob_free(BOX(s, i)->card);
		blob_free(BOX(s, i)->revocation);
	}
	free(s->bodies.rows);
	free(s->boxes.rows);
	free(s->items.rows);
	free(s->seen.rows);
	*s = (struct state){ .next_body = 1 };
}

static bool
state_copy(struct state *to, const struct state *from)
{
	bool ok;

	*to = (struct state){ .next_body = from->next_body };
	ok = list_copy(&to->bodies, &from->bodies, sizeof(struct body)) &&
	    list_copy(&to->boxes, &from->boxes, sizeof(struct box)) &&
	    list_copy(&to->items, &from->items, sizeof(struct item)) &&
	    list_copy(&to->seen, &from->seen, sizeof(struct seen));
	for (size_t i = 0; i < to->bodies.count; i++)
		(void)blob_share(BODY(to, i)->bytes);
	for (size_t i = 0; i < to->boxes.count; i++) {
		(void)blob_share(BOX(to, i)->card);
		(void)blob_share(BOX(to, i)->revocation);
	}
	if (!ok)
		state_free(to);
	return ok;
}

static size_t
find_box(const struct state *s, const unsigned char *id)
{
	for (size_t i = 0; i < s->boxes.count; i++)
		if (memcmp(BOX(s, i)->id, id, E2E_ID_LEN) == 0)
			return i;
	return NOWHERE;
}

static size_t
find_body(const struct state *s, uint64_t key)
{
	for (size_t i = 0; i < s->bodies.count; i++)
		if (BODY(s, i)->key == key)
			return i;
	return NOWHERE;
}

static size_t
find_item(const struct state *s, size_t box, uint64_t seq)
{
	for (size_t i = 0; i < s->items.count; i++)
		if (ITEM(s, i)->box == box && ITEM(s, i)->seq == seq)
			return i;
	return NOWHERE;
}

static size_t
find_seen(const struct state *s, const store_id id, size_t box)
{
	for (size_t i = 0; i < s->seen.count; i++)
		if (SEEN(s, i)->box == box &&
		    memcmp(SEEN(s, i)->id, id, STORE_ID_LEN) == 0)
			return i;
	return NOWHERE;
}

static struct body *
body_of(const struct state *s, const struct item *item)
{
	return BODY(s, find_body(s, item->body));
}

static void
remove_body(struct state *s, size_t index)
{
	blob_free(BODY(s, index)->bytes);
	list_remove(&s->bodies, sizeof(struct body), index);
}

static void
remove_item(struct state *s, size_t index)
{
	uint64_t body = ITEM(s, index)->body;

	list_remove(&s->items, sizeof(struct item), index);
	for (size_t i = 0; i < s->items.count; i++)
		if (ITEM(s, i)->body == body)
			return;
	remove_body(s, find_body(s, body));
}

/* ---- transactions ---- */

static struct model *
model_of(struct store *store)
{
	return (struct model *)(void *)store;
}

/* May this be changed now? */
static enum e2e_error
changing(struct model *m)
{
	if (m->failed != E2E_OK)
		return m->failed;
	return m->changing ? E2E_OK : E2E_ERR_USAGE;
}

static enum e2e_error
fail(struct model *m, enum e2e_error err)
{
	m->failed = err;
	return err;
}

static enum e2e_error
model_begin(struct store *store)
{
	struct model *m = model_of(store);

	if (m->changing)
		return E2E_ERR_USAGE;
	if (!state_copy(&m->before, &m->now))
		return E2E_ERR_MEMORY;
	m->changing = true;
	return E2E_OK;
}

static enum e2e_error
model_commit(struct store *store)
{
	struct model *m = model_of(store);

	if (changing(m) != E2E_OK)
		return changing(m);
	state_free(&m->before);
	m->changing = false;
	return E2E_OK;
}

static enum e2e_error
model_rollback(struct store *store)
{
	struct model *m = model_of(store);
	uint64_t next_body = m->now.next_body;

	if (!m->changing)
		return E2E_ERR_USAGE;
	state_free(&m->now);
	m->now = m->before;
	m->now.next_body = next_body;
	m->before = (struct state){ .next_body = 1 };
	m->changing = false;
	m->failed = E2E_OK;
	return E2E_OK;
}

static void
model_close(struct store *store)
{
	struct model *m = model_of(store);

	state_free(&m->now);
	state_free(&m->before);
	free(m);
}

/* ---- bodies ---- */

static enum e2e_error
model_stage(struct store *store, uint64_t *staged, struct bytes piece)
{
	struct model *m = model_of(store);
	struct state *s = &m->now;
	struct body *body;
	struct blob *blob;
	size_t i;

	if (changing(m) != E2E_OK)
		return changing(m);
	i = find_body(s, *staged);
	if (piece.length == 0 || piece.length > STORE_PIECE_LEN ||
	    (*staged != 0 && (i == NOWHERE || !BODY(s, i)->staged ||
	    BODY(s, i)->size % STORE_PIECE_LEN != 0)))
		return fail(m, E2E_ERR_USAGE);
	if (*staged == 0) {
		i = s->bodies.count;
		if ((body = list_add(&s->bodies, sizeof *body)) == NULL)
			return fail(m, E2E_ERR_MEMORY);
		body->staged = true;
		body->key = s->next_body++;
	}
	body = BODY(s, i);
	blob = blob_new(body->bytes, piece.data, piece.length);
	if (blob == NULL)
		return fail(m, E2E_ERR_MEMORY);
	body->bytes = blob;
	body->size += piece.length;
	*staged = body->key;
	return E2E_OK;
}

static enum e2e_error
model_unstage(struct store *store, uint64_t staged)
{
	struct model *m = model_of(store);
	size_t i;

	if (changing(m) != E2E_OK)
		return changing(m);
	i = find_body(&m->now, staged);
	if (i != NOWHERE && BODY(&m->now, i)->staged)
		remove_body(&m->now, i);
	return E2E_OK;
}

/* ---- deposits ---- */

static void
fill_counts(const struct state *s, size_t box, uint64_t *items,
    uint64_t *bytes)
{
	*items = *bytes = 0;
	for (size_t i = 0; i < s->items.count; i++)
		if (ITEM(s, i)->box == box) {
			(*items)++;
			*bytes += body_of(s, ITEM(s, i))->size;
		}
}

static enum store_outcome
outcome(struct state *s, const struct store_deposit *d, size_t box,
    uint64_t *until)
{
	uint64_t items, bytes;
	size_t i;

	if (box == NOWHERE || BOX(s, box)->retired)
		return STORE_UNKNOWN;
	if ((i = find_seen(s, d->id, box)) != NOWHERE) {
		if (SEEN(s, i)->until > d->now) {
			*until = SEEN(s, i)->until;
			return STORE_DUPLICATE;
		}
		/* Its time is over; expire only has not come by yet. */
		size_t item = find_item(s, box, SEEN(s, i)->seq);
		if (item != NOWHERE)
			remove_item(s, item);
		list_remove(&s->seen, sizeof(struct seen), i);
	}
	fill_counts(s, box, &items, &bytes);
	if ((d->quota_items != 0 && items >= d->quota_items) ||
	    (d->quota_bytes != 0 && (d->size > d->quota_bytes ||
	    bytes > d->quota_bytes - d->size))) {
		BOX(s, box)->dropped++;
		return STORE_QUOTA;
	}
	*until = d->until;
	return STORE_STORED;
}

/* The body with these bytes, made of the deposit's if there is none. 0: no
 * memory. */
static uint64_t
keep_body(struct state *s, const struct store_deposit *d)
{
	struct body *body;
	size_t i;

	for (i = 0; i < s->bodies.count; i++)
		if (!BODY(s, i)->staged &&
		    memcmp(BODY(s, i)->id, d->id, STORE_ID_LEN) == 0)
			return BODY(s, i)->key;
	if (d->staged != 0) {
		body = BODY(s, find_body(s, d->staged));
		body->staged = false;
	} else {
		if ((body = list_add(&s->bodies, sizeof *body)) == NULL)
			return 0;
		body->key = s->next_body++;
		body->size = d->size;
		body->bytes = blob_new(NULL, d->body.data, d->body.length);
		if (body->bytes == NULL)
			return 0;
	}
	memcpy(body->id, d->id, STORE_ID_LEN);
	return body->key;
}

static bool
place(struct state *s, const struct store_deposit *d, size_t box,
    uint64_t body)
{
	struct item *item = list_add(&s->items, sizeof *item);
	struct seen *seen = list_add(&s->seen, sizeof *seen);

	if (item == NULL || seen == NULL)
		return false;
	*item = (struct item){ .box = box, .seq = BOX(s, box)->next_seq++,
	    .stored = d->now, .until = d->until, .body = body };
	memcpy(seen->id, d->id, STORE_ID_LEN);
	seen->box = box;
	seen->seq = item->seq;
	seen->until = d->until;
	return true;
}

static bool
fits(const struct state *s, const struct store_deposit *d)
{
	size_t i = find_body(s, d->staged);

	if (d->until > INT64_MAX || d->now > INT64_MAX)
		return false;
	return d->staged == 0 ? d->size == d->body.length :
	    i != NOWHERE && BODY(s, i)->staged && BODY(s, i)->size == d->size;
}

static enum e2e_error
model_deposit(struct store *store, struct store_deposit *d)
{
	struct model *m = model_of(store);
	struct state *s = &m->now;
	uint64_t body = 0, until = 0;

	d->kept_until = 0;
	if (changing(m) != E2E_OK)
		return changing(m);
	if (!fits(s, d))
		return fail(m, E2E_ERR_USAGE);
	for (size_t i = 0; i < d->box_count; i++) {
		size_t box = find_box(s, d->boxes[i]);

		until = 0;
		d->outcomes[i] = outcome(s, d, box, &until);
		if (until != 0 && (d->kept_until == 0 ||
		    until < d->kept_until))
			d->kept_until = until;
		if (d->outcomes[i] != STORE_STORED)
			continue;
		if ((body = keep_body(s, d)) == 0 || !place(s, d, box, body))
			return fail(m, E2E_ERR_MEMORY);
	}
	if (d->staged != 0 && d->staged != body)
		return model_unstage(store, d->staged);
	return E2E_OK;
}

/* ---- items ---- */

static enum e2e_error
model_summary(struct store *store, const unsigned char box[E2E_ID_LEN],
    struct store_summary *summary)
{
	struct state *s = &model_of(store)->now;
	size_t at = find_box(s, box);

	*summary = (struct store_summary){ .known = at != NOWHERE };
	if (at == NOWHERE)
		return E2E_OK;
	fill_counts(s, at, &summary->items, &summary->bytes);
	summary->dropped = BOX(s, at)->dropped;
	for (size_t i = s->items.count; i-- > 0;)
		if (ITEM(s, i)->box == at)
			summary->oldest = ITEM(s, i)->stored;
	return E2E_OK;
}

static void
fill_item(const struct state *s, const struct item *from,
    struct store_item *to)
{
	const struct body *body = body_of(s, from);

	*to = (struct store_item){ .seq = from->seq, .stored = from->stored,
	    .until = from->until, .size = body->size, .body = body->key };
	memcpy(to->id, body->id, STORE_ID_LEN);
}

/* Appends all the bodies that fit; then, when the buffer has stopped moving,
 * says where they are. */
static enum e2e_error
fill_bytes(const struct state *s, struct store_item *items, size_t count,
    struct buffer *bytes)
{
	size_t start = bytes->length, fitting;
	unsigned char *at;

	for (fitting = 0; fitting < count; fitting++) {
		size_t size = (size_t)items[fitting].size;

		if (size > bytes->limit - bytes->length)
			break;
		if ((at = buffer_extend(bytes, size)) == NULL)
			return E2E_ERR_MEMORY;
		blob_copy(BODY(s, find_body(s, items[fitting].body))->bytes,
		    0, size, at);
	}
	for (size_t i = 0; i < fitting; i++) {
		items[i].whole = (struct bytes){ bytes->data + start,
		    (size_t)items[i].size };
		start += items[i].whole.length;
	}
	return E2E_OK;
}

static enum e2e_error
model_list(struct store *store, const unsigned char box[E2E_ID_LEN],
    uint64_t after, uint64_t now, struct store_item *items, size_t *count,
    struct buffer *bytes)
{
	struct state *s = &model_of(store)->now;
	size_t at = find_box(s, box), max = *count;

	*count = 0;
	for (size_t i = 0; i < s->items.count && *count < max; i++)
		if (ITEM(s, i)->box == at && ITEM(s, i)->seq > after &&
		    ITEM(s, i)->until > now)
			fill_item(s, ITEM(s, i), &items[(*count)++]);
	return bytes != NULL ? fill_bytes(s, items, *count, bytes) : E2E_OK;
}

static enum e2e_error
model_find(struct store *store, const unsigned char box[E2E_ID_LEN],
    uint64_t seq, struct store_item *item, bool *found)
{
	struct state *s = &model_of(store)->now;
	size_t at = find_item(s, find_box(s, box), seq);

	*item = (struct store_item){ .seq = 0 };
	*found = at != NOWHERE;
	if (*found)
		fill_item(s, ITEM(s, at), item);
	return E2E_OK;
}

static enum e2e_error
model_read(struct store *store, uint64_t body, uint64_t offset, size_t size,
    struct buffer *bytes)
{
	struct state *s = &model_of(store)->now;
	size_t at = find_body(s, body);
	unsigned char *out;

	if (at == NOWHERE || BODY(s, at)->staged ||
	    offset >= BODY(s, at)->size)
		return E2E_OK;
	if (size > BODY(s, at)->size - offset)
		size = (size_t)(BODY(s, at)->size - offset);
	if ((out = buffer_extend(bytes, size)) == NULL)
		return E2E_ERR_MEMORY;
	blob_copy(BODY(s, at)->bytes, offset, size, out);
	return E2E_OK;
}

static enum e2e_error
model_acknowledge(struct store *store, const unsigned char box[E2E_ID_LEN],
    const uint64_t *seqs, size_t count, uint64_t told)
{
	struct model *m = model_of(store);
	struct state *s = &m->now;
	size_t at = find_box(s, box), item;

	if (changing(m) != E2E_OK)
		return changing(m);
	if (at == NOWHERE)
		return E2E_OK;
	for (size_t i = 0; i < count; i++)
		if ((item = find_item(s, at, seqs[i])) != NOWHERE)
			remove_item(s, item);
	BOX(s, at)->dropped -= told < BOX(s, at)->dropped ? told :
	    BOX(s, at)->dropped;
	return E2E_OK;
}

static enum e2e_error
model_unacknowledged(struct store *store, const unsigned char box[E2E_ID_LEN],
    uint64_t seq, unsigned limit, bool *moved)
{
	struct model *m = model_of(store);
	struct state *s = &m->now;
	size_t at = find_item(s, find_box(s, box), seq);
	struct item item;

	*moved = false;
	if (changing(m) != E2E_OK)
		return changing(m);
	if (at == NOWHERE || ++ITEM(s, at)->tries < limit || limit == 0)
		return E2E_OK;
	item = *ITEM(s, at);
	item.tries = 0;
	item.seq = BOX(s, item.box)->next_seq++;
	for (size_t i = 0; i < s->seen.count; i++)
		if (SEEN(s, i)->box == item.box && SEEN(s, i)->seq == seq)
			SEEN(s, i)->seq = item.seq;
	list_remove(&s->items, sizeof item, at);
	*ROW(item, &s->items, s->items.count++) = item;
	*moved = true;
	return E2E_OK;
}

/* ---- directory ---- */

static size_t
find_name(const struct state *s, const char *name)
{
	for (size_t i = 0; i < s->boxes.count; i++)
		if (name[0] != '\0' && strcmp(BOX(s, i)->name, name) == 0)
			return i;
	return NOWHERE;
}

static enum store_registration
registration(const struct state *s, const struct store_card *card, size_t at)
{
	const struct box *box = at != NOWHERE ? BOX(s, at) : NULL;
	size_t namesake = find_name(s, card->name);
	bool same = box != NULL && box->serial == card->serial;

	if (box != NULL && box->revocation != NULL)
		return STORE_REVOKED;
	if (box != NULL && card->serial < box->serial)
		return STORE_ROLLBACK;
	if (same && !bytes_equal(card->card, blob_bytes(box->card)))
		return STORE_CONFLICT;
	if (namesake != NOWHERE && namesake != at && !BOX(s, namesake)->retired)
		return STORE_NAME_TAKEN;
	if (same && strcmp(card->name, box->name) == 0)
		return STORE_UNCHANGED;
	return box != NULL ? STORE_UPDATED : STORE_REGISTERED;
}

static enum e2e_error
model_enroll(struct store *store, const struct store_card *card,
    enum store_registration *result)
{
	struct model *m = model_of(store);
	struct state *s = &m->now;
	size_t at = find_box(s, card->id), namesake = find_name(s, card->name);
	struct blob *bytes;
	struct box *box;

	if (changing(m) != E2E_OK)
		return changing(m);
	*result = registration(s, card, at);
	if (*result == STORE_UNCHANGED)
		BOX(s, at)->retired = false;
	if (*result > STORE_UPDATED)
		return E2E_OK;
	bytes = blob_new(NULL, card->card.data, card->card.length);
	if (bytes == NULL)
		return fail(m, E2E_ERR_MEMORY);
	if (namesake != NOWHERE && namesake != at)
		BOX(s, namesake)->name[0] = '\0';
	if (at != NOWHERE) {
		box = BOX(s, at);
	} else if ((box = list_add(&s->boxes, sizeof *box)) == NULL) {
		blob_free(bytes);
		return fail(m, E2E_ERR_MEMORY);
	} else {
		memcpy(box->id, card->id, E2E_ID_LEN);
		box->next_seq = 1;
		box->registered = card->registered;
	}
	memcpy(box->name, card->name, sizeof box->name);
	box->serial = card->serial;
	box->retired = false;
	blob_free(box->card);
	box->card = bytes;
	return E2E_OK;
}

static enum e2e_error
model_lookup(struct store *store, const unsigned char *id, const char *name,
    bool retired, struct store_card *card, struct buffer *bytes, bool *found)
{
	struct state *s = &model_of(store)->now;
	size_t at = id != NULL ? find_box(s, id) : find_name(s, name), start;
	struct bytes revocation, own;
	const struct box *box;

	*card = (struct store_card){ .serial = 0 };
	*found = at != NOWHERE && (retired || !BOX(s, at)->retired);
	if (!*found)
		return E2E_OK;
	box = BOX(s, at);
	own = blob_bytes(box->card);
	revocation = blob_bytes(box->revocation);
	start = bytes->length;
	if (!buffer_append(bytes, own.data, own.length) ||
	    !buffer_append(bytes, revocation.data, revocation.length))
		return E2E_ERR_MEMORY;
	memcpy(card->id, box->id, E2E_ID_LEN);
	memcpy(card->name, box->name, sizeof card->name);
	card->serial = box->serial;
	card->registered = box->registered;
	card->card = (struct bytes){ bytes->data + start, own.length };
	card->revocation = (struct bytes){ bytes->data + start + own.length,
	    revocation.length };
	return E2E_OK;
}

static enum e2e_error
model_revoke(struct store *store, const unsigned char id[E2E_ID_LEN],
    struct bytes revocation, bool *found)
{
	struct model *m = model_of(store);
	size_t at = find_box(&m->now, id);
	struct box *box;

	*found = at != NOWHERE;
	if (changing(m) != E2E_OK)
		return changing(m);
	if (revocation.length == 0)
		return fail(m, E2E_ERR_USAGE);
	if (!*found || BOX(&m->now, at)->revocation != NULL)
		return E2E_OK;
	box = BOX(&m->now, at);
	box->revocation = blob_new(NULL, revocation.data, revocation.length);
	return box->revocation != NULL ? E2E_OK : fail(m, E2E_ERR_MEMORY);
}

static enum e2e_error
model_retire_all(struct store *store)
{
	struct model *m = model_of(store);

	if (changing(m) != E2E_OK)
		return changing(m);
	for (size_t i = 0; i < m->now.boxes.count; i++)
		BOX(&m->now, i)->retired = true;
	return E2E_OK;
}

/* ---- housekeeping ---- */

/* The one that ended first. */
static size_t
find_ended(const struct state *s, uint64_t now)
{
	size_t first = NOWHERE;

	for (size_t i = 0; i < s->seen.count; i++) {
		const struct seen *a = SEEN(s, i), *b;
		int order;

		if (a->until > now)
			continue;
		if (first == NOWHERE) {
			first = i;
			continue;
		}
		b = SEEN(s, first);
		order = memcmp(a->id, b->id, STORE_ID_LEN);
		if (a->until < b->until || (a->until == b->until &&
		    (order < 0 || (order == 0 && a->box < b->box))))
			first = i;
	}
	return first;
}

static enum e2e_error
model_expire(struct store *store, uint64_t now, size_t limit,
    struct store_expired *gone)
{
	struct model *m = model_of(store);
	struct state *s = &m->now;
	size_t at, item;

	*gone = (struct store_expired){ .items = 0 };
	if (changing(m) != E2E_OK)
		return changing(m);
	while (gone->seen < limit && (at = find_ended(s, now)) != NOWHERE) {
		item = find_item(s, SEEN(s, at)->box, SEEN(s, at)->seq);
		if (item != NOWHERE) {
			gone->items++;
			gone->bytes += body_of(s, ITEM(s, item))->size;
			remove_item(s, item);
		}
		gone->seen++;
		list_remove(&s->seen, sizeof(struct seen), at);
	}
	return E2E_OK;
}

static enum e2e_error
model_usage(struct store *store, bool exact, struct store_usage *usage)
{
	struct model *m = model_of(store);
	struct state *s = &m->now;

	*usage = (struct store_usage){ .mailboxes = s->boxes.count,
	    .items = s->items.count, .seen = s->seen.count,
	    .free_bytes = UINT64_MAX };
	if (m->changing)
		return E2E_ERR_USAGE;
	for (size_t i = 0; i < s->bodies.count; i++)
		if (!BODY(s, i)->staged) {
			usage->bodies++;
			usage->bytes += BODY(s, i)->size;
		}
	return E2E_OK;
}

static enum e2e_error
model_backup(struct store *store, const char *path)
{
	return E2E_ERR_USAGE;	/* there is no file of it */
}

static enum e2e_error
model_check(struct store *store, struct buffer *report)
{
	return model_of(store)->changing ? E2E_ERR_USAGE : E2E_OK;
}

static const struct store_ops ops = {
	.name = "model",
	.close = model_close,
	.begin = model_begin,
	.commit = model_commit,
	.rollback = model_rollback,
	.stage = model_stage,
	.unstage = model_unstage,
	.deposit = model_deposit,
	.summary = model_summary,
	.list = model_list,
	.find = model_find,
	.read = model_read,
	.acknowledge = model_acknowledge,
	.unacknowledged = model_unacknowledged,
	.enroll = model_enroll,
	.lookup = model_lookup,
	.revoke = model_revoke,
	.retire_all = model_retire_all,
	.expire = model_expire,
	.usage = model_usage,
	.backup = model_backup,
	.check = model_check
};

enum e2e_error
store_model_open(struct store **store)
{
	struct model *m = calloc(1, sizeof *m);

	*store = NULL;
	if (m == NULL)
		return E2E_ERR_MEMORY;
	m->store.ops = &ops;
	m->now.next_body = m->before.next_body = 1;
	*store = &m->store;
	return E2E_OK;
}
