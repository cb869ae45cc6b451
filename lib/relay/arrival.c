/*
 * An envelope that arrives: is it one, is it wanted, is there room for it?
 *
 * A refused envelope is passed over to its end, for only its frame tells
 * where the next one begins.
 */
#include "relay/peer.h"

#include <stdlib.h>
#include <string.h>

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(store_id));
}

static bool
allocate_boxes(struct deposit *d, size_t count)
{
	d->boxes = calloc(count, sizeof(*d->boxes));
	d->outcomes = calloc(count, sizeof(*d->outcomes));
	return d->boxes != NULL && d->outcomes != NULL;
}

/* Those of PUT, each once, ascending. */
static bool
take_put_boxes(struct deposit *d, const struct frame *put)
{
	size_t i, kept = 0;

	d->is_put = true;
	if (put->put.count == 0)
		return true;
	if (!allocate_boxes(d, put->put.count))
		return false;
	for (i = 0; i < put->put.count; i++)
		memcpy(d->boxes[i], frame_mailbox(put, i), sizeof(store_id));
	qsort(d->boxes, put->put.count, sizeof(store_id), compare_ids);
	for (i = 0; i < put->put.count; i++) {
		if (kept == 0 || compare_ids(d->boxes[i],
		    d->boxes[kept - 1]) != 0)
			memmove(d->boxes[kept++], d->boxes[i],
			    sizeof(store_id));
	}
	d->box_count = kept;
	return true;
}

static bool
begin(struct peer *p, const struct frame *put)
{
	struct deposit *d = NULL;

	if (p->transit == NULL)
		p->transit = transit_new();
	if (p->transit != NULL)
		d = deposit_new(p);
	if (d == NULL) {
		peer_lose(p);
		return false;
	}
	p->arriving = d;
	if (p->part_begun == 0)
		p->part_begun = p->relay->steady;
	if (put != NULL && !take_put_boxes(d, put)) {
		peer_lose(p);
		return false;
	}
	deposit_account(d);
	return true;
}

bool
arrival_begin(struct peer *p, const struct frame *put)
{
	if (!begin(p, put))
		return false;
	if (p->starved_since != 0)
		deposit_refuse(p->arriving, RECEIPT_BUSY, PEER_RETRY,
		    "no memory");
	return true;
}

bool
arrival_blocked(const struct peer *p)
{
	const struct deposit *d = p->arriving;

	if (peer_backlog(p) >= PEER_OUTPUT_HIGH)
		return true;
	if (d != NULL)
		return d->busy && d->body.length == STORE_PIECE_LEN;
	return !p->skipping && p->deposit_count >= PEER_DEPOSITS_MAX;
}

void
arrival_malformed(struct peer *p, const char *text)
{
	if (p->session != NULL) {
		session_fail(p, "syntax", text);
		return;
	}
	if (p->skipping || (p->arriving == NULL && !begin(p, NULL))) {
		peer_close(p);
		return;
	}
	deposit_refuse(p->arriving, RECEIPT_SYNTAX, 0, text);
	peer_close(p);
}

void
arrival_drop(struct peer *p)
{
	struct deposit *d = p->arriving;

	p->skipping = false;
	if (d == NULL)
		return;
	p->arriving = NULL;
	deposit_take_back(d);
}

/* ---- what the policy says ---- */

/* Before anything of it is written. */
static bool
is_open(struct deposit *d)
{
	const struct relay *r = d->task.relay;

	if (d->late)
		deposit_refuse(d, RECEIPT_DRAIN, PEER_RETRY,
		    "the relay is about to end");
	else if (r->failed)
		deposit_refuse(d, RECEIPT_BUSY, PEER_RETRY,
		    "the store has failed");
	else if (r->free_space < r->policy.disk_low)
		deposit_refuse(d, RECEIPT_FULL, 0, "no space is left");
	else
		return true;
	return false;
}

static bool
is_slow_enough(struct deposit *d)
{
	struct relay *r = d->task.relay;
	uint64_t retry, longest = 0;
	size_t i;

	if (!origin_take_rate(d->task.peer, &retry)) {
		deposit_refuse(d, RECEIPT_RATE, retry,
		    "too many from this address");
		return false;
	}
	for (i = 0; i < d->box_count; i++) {
		if (!rate_take(r->rate_mailbox, d->boxes[i],
		    sizeof(store_id), r->steady, &retry) && retry >= longest)
			longest = retry > 0 ? retry : 1;
	}
	if (longest == 0)
		return true;
	deposit_refuse(d, RECEIPT_RATE, longest,
	    "too many for a mailbox");
	return false;
}

/* The header is complete: is this one wanted? */
static void
admit(struct deposit *d)
{
	const unsigned char (*kids)[E2E_ID_LEN];
	size_t count;

	d->admitted = true;
	if (!is_open(d))
		return;
	if (d->box_count == 0) {
		kids = transit_mailboxes(d->task.peer->transit, &count);
		if (count == 0) {
			deposit_refuse(d, RECEIPT_NOUSER, 0,
			    "no recipient is named");
			return;
		}
		if (!allocate_boxes(d, count)) {
			deposit_refuse(d, RECEIPT_BUSY, PEER_RETRY,
			    "no memory");
			return;
		}
		memcpy(d->boxes, kids, count * sizeof(store_id));
		d->box_count = count;
		deposit_account(d);
	}
	(void)is_slow_enough(d);
}

/* By how much the buffer grows for `size` more bytes. */
static size_t
growth(const struct buffer *b, size_t size)
{
	size_t capacity = 2 * b->capacity;

	if (b->length + size <= b->capacity)
		return 0;
	if (capacity < b->length + size)
		capacity = b->length + size;
	return (capacity < b->limit ? capacity : b->limit) - b->capacity;
}

/* Room for more bytes of it, in memory and in the budget. */
static bool
make_room(struct deposit *d, size_t size)
{
	size_t more = growth(&d->body, size);

	if (more == 0)
		return true;
	if (relay_memory_over(d->task.relay, d->address, more) ||
	    !buffer_reserve(&d->body, size)) {
		deposit_refuse(d, RECEIPT_BUSY, PEER_RETRY, "no memory");
		return false;
	}
	deposit_account(d);
	return true;
}

static void
finish(struct peer *p)
{
	struct deposit *d = p->arriving;

	p->skipping = false;
	p->part_begun = 0;
	if (d != NULL) {
		d->size = transit_size(p->transit);
		memcpy(d->id, transit_id(p->transit), STORE_ID_LEN);
		d->arriving = false;
		d->complete = true;
		d->task.relay->deposits++;
		p->arriving = NULL;
		deposit_advance(d);
	}
	transit_reset(p->transit);
}

/* What the bytes that were just seen mean. */
static void
judge(struct peer *p)
{
	enum transit_state state = transit_state(p->transit);

	if (state == TRANSIT_BAD) {
		arrival_malformed(p, "not an envelope");
		return;
	}
	if (state != TRANSIT_HEADER && p->arriving != NULL &&
	    !p->arriving->admitted)
		admit(p->arriving);
	if (transit_size(p->transit) > p->relay->policy.envelope_max) {
		if (p->arriving != NULL)
			deposit_refuse(p->arriving, RECEIPT_SIZE, 0,
			    "larger than this relay takes");
		peer_close(p);
	} else if (state == TRANSIT_DONE) {
		finish(p);
	}
}

/* The piece that is full is written while the next one comes. */
static size_t
make_way(struct deposit *d, size_t size)
{
	size_t room;

	if (d->body.length == STORE_PIECE_LEN && is_open(d))
		deposit_stage(d);
	if (d->given_up)
		return size;
	room = STORE_PIECE_LEN - d->body.length;
	if (size > room)
		size = room;
	(void)make_room(d, size);
	return size;
}

size_t
arrival_feed(struct peer *p, const unsigned char *data, size_t size)
{
	enum e2e_error error;
	size_t taken = 0;

	if (p->arriving == NULL && !p->skipping && !arrival_begin(p, NULL))
		return size;
	if (p->arriving != NULL)
		size = make_way(p->arriving, size);
	error = transit_feed(p->transit, data, size, &taken);
	peer_account(p);
	if (p->arriving != NULL)
		(void)buffer_append(&p->arriving->body, data, taken);
	/* Nobody knows any more where this envelope ends. */
	if (error == E2E_OK && transit_state(p->transit) == TRANSIT_HEADER &&
	    relay_memory_over(p->relay, p->address, 0))
		error = E2E_ERR_MEMORY;
	if (error != E2E_OK) {
		if (p->arriving != NULL)
			deposit_refuse(p->arriving, RECEIPT_BUSY, PEER_RETRY,
			    "no memory");
		peer_close(p);
		return size;
	}
	judge(p);
	return taken;
}
