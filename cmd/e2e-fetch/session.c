/*
 * session.c: what has come is read before anything else is done, as far as
 * the credit goes, so that neither a slow command nor a slow disk keeps the
 * relay waiting; then it is handed on, in order, one by one. With --batch,
 * more is asked for until there is no more, and then it goes together.
 */
#include "session.h"

#include "cli/message.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* --wait: what was not handed on is asked for again after so long. */
	LEFT_AGAIN_SECONDS = 60,
	/* While a download that broke is looked for, little comes that may
	 * have to come again. */
	SEARCH_ITEMS = 16,
	SEARCH_BYTES = SPOOL_MEMORY_MAX,
	/* EMPTY and PONG one after the other. */
	IDLE_MAX = 64
};

enum e2e_error
session_told(struct session *s, enum e2e_error error)
{
	if (error != E2E_OK)
		s->r->told = true;
	return error;
}

void
session_use_credit(struct session *s, const struct fetch_item *item)
{
	s->used_items++;
	s->used_bytes += item->size;
}

/* ---- what comes ---- */

static enum e2e_error
take_item(struct session *s, uint64_t seq, const unsigned char *id,
    uint64_t size, uint64_t offset)
{
	struct fetch_item *item = calloc(1, sizeof(*item));
	struct fetch_partial fresh = { .path = NULL };
	enum e2e_error error;

	if (item == NULL)
		return relay_client_fail(s->r, E2E_ERR_MEMORY, "%s", "");
	s->idle = 0;
	item->seq = seq;
	item->size = size;
	memcpy(item->id, id, sizeof(item->id));
	if (size > INT64_MAX || offset > size || seq == 0)
		error = relay_client_fail(s->r, E2E_ERR_PROTOCOL,
		    "a message of an impossible size or number");
	else
		error = fetch_download(s->f, s->r, item, offset,
		    offset > 0 ? &s->partial : &fresh);
	if (error != E2E_OK) {
		fetch_item_free(item);
		return error;
	}
	fetch_queue_add(&s->queue, item);
	if (s->f->batch)
		session_use_credit(s, item);
	return E2E_OK;
}

/*
 * Is this what a broken download was of, under another number? The bytes that
 * are about to follow it are not needed: another session asks for the rest. But
 * not time and again: a relay could play that for ever.
 */
static enum e2e_error
meet_partial(struct session *s, const struct frame *frame)
{
	struct fetch_partial old;
	enum e2e_error error;

	if (frame->msg.size <= SPOOL_MEMORY_MAX || s->f->renumbered)
		return E2E_OK;
	error = session_told(s, fetch_partial_find(s->f, frame->msg.id, &old));
	if (error != E2E_OK || old.path == NULL)
		return error;
	if (old.size == frame->msg.size) {
		error = session_told(s, fetch_partial_renumber(s->f,
		    &old, frame->msg.seq));
		s->f->again = s->f->renumbered = error == E2E_OK;
		if (error == E2E_OK)
			error = relay_client_fail(s->r, E2E_ERR_BUSY,
			    "a broken download goes on elsewhere");
	}
	fetch_partial_free(&old);
	return error;
}

static enum e2e_error
take_message(struct session *s, const struct frame *frame)
{
	uint64_t seq = frame->msg.seq;
	enum e2e_error error;

	if (seq > INT64_MAX || seq <= s->last_seq)
		return relay_client_fail(s->r, E2E_ERR_PROTOCOL,
		    "the numbers of messages do not rise");
	/* It was there at the beginning, or has come since. */
	if (frame->msg.size > s->most_bytes || frame->msg.size > INT64_MAX)
		return relay_client_fail(s->r, E2E_ERR_PROTOCOL,
		    "a message larger than the relay takes or has");
	/* Whoever does not wait ends at the first EMPTY, whatever follows. */
	if (++s->came > s->allowed && s->empty && !s->f->wait)
		return relay_client_fail(s->r, E2E_ERR_PROTOCOL,
		    "more messages than were asked for");
	s->last_seq = seq;
	if ((error = meet_partial(s, frame)) != E2E_OK)
		return error;
	if (s->f->wait)
		s->empty = false;
	return take_item(s, seq, frame->msg.id, frame->msg.size, 0);
}

/* Nothing waits but what has come: the broken download does not, either. */
static void
end_search(struct session *s)
{
	if (s->searching)
		fetch_partial_drop(&s->partial);
	s->searching = false;
}

/* The rest of a download that broke. */
static enum e2e_error
take_data(struct session *s, const struct frame *frame)
{
	const struct fetch_partial *p = &s->partial;

	if (p->path == NULL || frame->data.seq != p->seq ||
	    frame->data.size != p->size || frame->data.offset != p->have ||
	    memcmp(frame->data.id, p->id, sizeof(p->id)) != 0)
		return relay_client_fail(s->r, E2E_ERR_PROTOCOL,
		    "data that was not asked for");
	s->f->renumbered = false;
	return take_item(s, p->seq, p->id, p->size, p->have);
}

static enum e2e_error
take_acked(struct session *s, const struct frame *frame)
{
	uint64_t confirmed = 0;
	size_t i;

	for (i = 0; i < frame->ack.count; i++)
		confirmed += fetch_ledger_confirm(&s->f->ledger,
		    frame->ack.ranges[i].first, frame->ack.ranges[i].last);
	if (confirmed == 0)
		return relay_client_fail(s->r, E2E_ERR_PROTOCOL,
		    "it confirms what was not acknowledged");
	s->idle = 0;
	return E2E_OK;
}

static enum e2e_error
take_nothing(struct session *s)
{
	if (++s->idle > IDLE_MAX)
		return relay_client_fail(s->r, E2E_ERR_PROTOCOL,
		    "it says nothing, over and over");
	return E2E_OK;
}

static enum e2e_error
take_frame(struct session *s, uint32_t timeout)
{
	struct frame frame;
	enum e2e_error error;

	error = relay_client_frame(s->r, &frame, timeout);
	if (error != E2E_OK)
		return error;
	switch (frame.type) {
	case FRAME_MSG:
		return take_message(s, &frame);
	case FRAME_DATA:
		return take_data(s, &frame);
	case FRAME_ACKED:
		return take_acked(s, &frame);
	case FRAME_EMPTY:
		s->empty = true;
		end_search(s);
		return take_nothing(s);
	case FRAME_PONG:
		return take_nothing(s);
	default:
		return relay_client_fail(s->r, E2E_ERR_PROTOCOL,
		    "a frame of type %d has no place here", (int)frame.type);
	}
}

int
session_take_meanwhile(void *context)
{
	struct session *s = context;

	while (s->broken == E2E_OK && fetch_queue_has_room(&s->queue) &&
	    link_has_input(s->r->link))
		s->broken = take_frame(s, 0);
	return s->broken == E2E_OK && fetch_queue_has_room(&s->queue);
}

/* ---- the session ---- */

static bool
is_finished(const struct session *s)
{
	return fetch_ledger_open(&s->f->ledger) == 0 &&
	    (hand_reached_max(s) || (s->empty && !s->f->wait));
}

/* Nothing is at hand: waits for what comes next. */
static enum e2e_error
take_next(struct session *s)
{
	uint32_t limit = 0;
	enum e2e_error error;
	bool again = false;

	if (s->f->wait && s->empty) {
		again = s->left > 0;
		limit = again ? LEFT_AGAIN_SECONDS : UINT32_MAX;
	}
	error = take_frame(s, limit);
	if (error == E2E_ERR_UNREACHABLE && again)
		return relay_client_fail(s->r, E2E_ERR_BUSY,
		    "asking again for what was not handed on");
	return error;
}

/* Is it time to hand on what is there, rather than to see what comes? */
static bool
has_enough(const struct session *s)
{
	const struct fetch *f = s->f;

	if (!fetch_queue_has_room(&s->queue) || (s->empty && !f->wait))
		return true;
	/* A relay may wait while so many are not acknowledged. */
	if (s->queue.items + s->left >= FETCH_BATCH_ITEMS)
		return true;
	if (f->batch && f->max != 0 &&
	    s->queue.items >= f->max - f->handled)
		return true;
	return (!f->batch || f->wait) && !link_has_input(s->r->link);
}

static enum e2e_error
go_on(struct session *s)
{
	enum e2e_error error = E2E_OK;

	while (error == E2E_OK) {
		if (s->queue.first != NULL && hand_reached_max(s)) {
			/* Was not asked for. */
			fetch_item_free(fetch_queue_pop(&s->queue));
			continue;
		}
		if (s->queue.first != NULL && has_enough(s)) {
			error = hand_on_next(s);
			continue;
		}
		if (s->queue.first != NULL) {
			/* A relay without credit would say nothing. */
			if (!link_has_input(s->r->link))
				error = hand_send_credit(s);
			if (error == E2E_OK)
				error = take_frame(s, 0);
			continue;
		}
		if (s->empty)
			fetch_ledger_settle(&s->f->ledger);
		if ((error = hand_send_ack(s)) == E2E_OK)
			error = hand_send_credit(s);
		if (error == E2E_OK && is_finished(s))
			return E2E_OK;
		if (error == E2E_OK)
			error = take_next(s);
	}
	return error;
}

static void
report_ready(const struct session *s, const struct frame *ready)
{
	struct json j;

	if (ready->ready.dropped > 0)
		message_warn("%s: the mailbox was full: %llu message%s turned "
		    "away", s->f->place.name,
		    (unsigned long long)ready->ready.dropped,
		    ready->ready.dropped == 1 ? " was" : "s were");
	message_detail("%s: %llu waiting, %llu bytes", s->f->place.name,
	    (unsigned long long)ready->ready.items,
	    (unsigned long long)ready->ready.bytes);
	message_event(&j, "ready");
	json_number(&j, "waiting", ready->ready.items);
	json_number(&j, "bytes", ready->ready.bytes);
	json_number(&j, "oldest", ready->ready.oldest);
	json_number(&j, "dropped", ready->ready.dropped);
	message_status(&j);
}

/* With a broken download no credit is given at first: it comes before
 * everything that is new. */
static enum e2e_error
start(struct session *s)
{
	struct fetch *f = s->f;
	struct frame frame;
	uint64_t items = FETCH_CREDIT_ITEMS, left = f->max - f->handled;
	uint64_t bytes = FETCH_CREDIT_BYTES;
	bool resume = s->partial.path != NULL;
	enum e2e_error error;

	if (f->max != 0 && left < items)
		items = left;
	s->granted = f->handled;
	s->allowed = resume ? 0 : items;
	s->granted += s->allowed;
	error = relay_client_open(s->r, &f->place,
	    e2e_card_id(e2e_identity_card(f->key.identity)),
	    resume ? 0 : items, resume ? 0 : bytes);
	if (error == E2E_OK)
		error = relay_client_auth(s->r, f->key.identity, false,
		    &frame);
	if (error != E2E_OK)
		return error;
	f->progress = true;
	report_ready(s, &frame);
	s->most_bytes = client_limits(s->r->client)->envelope_max;
	if (s->most_bytes == 0)
		s->most_bytes = UINT64_MAX;
	else if (s->most_bytes < frame.ready.bytes)
		s->most_bytes = frame.ready.bytes;
	if (!resume)
		return E2E_OK;
	memset(&frame, 0, sizeof(frame));
	frame.type = FRAME_GET;
	frame.get.seq = s->partial.seq;
	frame.get.offset = s->partial.have;
	if ((error = relay_client_send_frame(s->r, &frame)) != E2E_OK)
		return error;
	message_detail("%s: going on with a download at %llu of %llu bytes",
	    f->place.name, (unsigned long long)s->partial.have,
	    (unsigned long long)s->partial.size);
	do
		error = take_frame(s, 0);
	while (error == E2E_OK && s->queue.first == NULL);
	if (error == E2E_ERR_REFUSED && strcmp(s->r->code, "gone") == 0) {
		/* It has another number, or is gone indeed. */
		error = E2E_OK;
		s->searching = true;
		if (s->empty || f->renumbered)
			end_search(s);
		if (s->searching && items > SEARCH_ITEMS)
			items = SEARCH_ITEMS;
		if (s->searching)
			bytes = SEARCH_BYTES;
	}
	s->granted += s->queue.first != NULL;
	s->used_items = items;
	s->used_bytes = bytes;
	return error == E2E_OK ? hand_send_credit(s) : error;
}

enum e2e_error
fetch_session(struct fetch *f, struct relay_client *r)
{
	struct session s = { .f = f, .r = r };
	enum e2e_error error, rest;

	fetch_queue_init(&s.queue);
	f->progress = f->again = false;
	error = session_told(&s, fetch_partial_find(f, NULL, &s.partial));
	if (error == E2E_OK)
		error = start(&s);
	if (error == E2E_OK)
		error = go_on(&s);
	if (error != E2E_OK && !r->told) {
		rest = hand_on_rest(&s);
		error = rest == E2E_OK ? error : rest;
	}
	rest = hand_flush(&s);
	error = rest == E2E_OK ? error : rest;
	/* What was handed on may still come to be acknowledged: next time. */
	fetch_queue_free(&s.queue);
	fetch_ledger_break(&f->ledger);
	fetch_partial_free(&s.partial);
	return error;
}
