/*
 * hand.c: what has come is handed on, acknowledged, and makes room for more.
 *
 * Signals wait from the moment at which a message is handed on until its
 * acknowledgement was sent: with --batch, those of all of the batch.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

enum {
	CREDIT_AGAIN_ITEMS = FETCH_CREDIT_ITEMS / 2,
	CREDIT_AGAIN_BYTES = FETCH_CREDIT_BYTES / 2
};

bool
hand_reached_max(const struct session *s)
{
	return s->f->max != 0 && s->f->handled >= s->f->max;
}

/* ---- what is sent ---- */

static int
by_seq(const void *a, const void *b)
{
	const struct client_kept *left = a, *right = b;

	return left->seq < right->seq ? -1 : left->seq > right->seq;
}

/* Only then may it be acknowledged, or remembered. A flush that has failed is
 * not tried again: the system may say the next time that all is well. */
enum e2e_error
hand_flush(struct session *s)
{
	enum e2e_error error;

	if (s->unflushed || fetch_ledger_is_safe(&s->f->ledger))
		return E2E_OK;
	error = session_told(s, fetch_deliver_flush(s->f));
	s->unflushed = error != E2E_OK;
	if (error == E2E_OK)
		fetch_ledger_flushed(&s->f->ledger);
	return error;
}

static enum e2e_error
send_one_ack(struct session *s, const struct client_kept *kept, size_t count)
{
	struct buffer out;
	enum e2e_error error;

	buffer_init(&out, FRAME_MAX);
	error = client_ack(s->r->client, &out, s->f->key.identity, kept,
	    count);
	if (error != E2E_OK)
		(void)relay_client_fail(s->r, error, "%s", "");
	else
		error = relay_client_send(s->r, &out);
	buffer_free(&out);
	return error;
}

enum e2e_error
hand_send_ack(struct session *s)
{
	enum e2e_error error;
	size_t at, count;

	if (s->kept_count == 0)
		return E2E_OK;
	if ((error = hand_flush(s)) != E2E_OK)
		return error;
	qsort(s->kept, s->kept_count, sizeof(s->kept[0]), by_seq);
	for (at = 0; error == E2E_OK && at < s->kept_count; at += count) {
		count = s->kept_count - at < SESSION_ACK_MAX ?
		    s->kept_count - at : SESSION_ACK_MAX;
		error = send_one_ack(s, s->kept + at, count);
	}
	/* Else it is remembered, and signals wait until that is done. */
	if (error == E2E_OK) {
		s->kept_count = 0;
		child_let_signals();
	}
	return error;
}

enum e2e_error
hand_send_credit(struct session *s)
{
	struct frame frame = { .type = FRAME_CREDIT };
	uint64_t room = UINT64_MAX;

	if (s->f->max != 0)
		room = s->f->max - s->granted;
	frame.credit.items = s->used_items < room ? s->used_items : room;
	frame.credit.bytes = s->used_bytes;
	s->used_items = s->used_bytes = 0;
	if (s->empty && !s->f->wait)
		frame.credit.items = 0;
	if (frame.credit.items == 0)
		return E2E_OK;
	s->granted += frame.credit.items;
	s->allowed += frame.credit.items;
	return relay_client_send_frame(s->r, &frame);
}

/* ---- handing on ---- */

static void
add_kept(struct session *s, const struct fetch_item *item)
{
	struct client_kept *kept = s->kept;
	size_t i;

	/* It may have come by GET and by MSG. */
	for (i = 0; i < s->kept_count; i++)
		if (kept[i].seq == item->seq)
			return;
	kept += s->kept_count++;
	kept->seq = item->seq;
	memcpy(kept->id, item->id, SPOOL_ID_LEN);
}

static enum e2e_error
settle(struct session *s, const struct fetch_item *item, bool kept,
    bool broken)
{
	struct fetch *f = s->f;
	enum e2e_error error = E2E_OK;

	if (kept)
		error = fetch_ledger_add(&f->ledger, item->id, item->seq);
	if (kept && error == E2E_OK) {
		if (!broken)
			add_kept(s, item);
	} else {
		s->left++;
		f->left++;
	}
	f->handled++;
	return error;
}

static enum e2e_error
hand_on_first(struct session *s, const struct child_watch *watch, bool broken)
{
	struct fetch_item *item = fetch_queue_pop(&s->queue);
	enum e2e_error error = E2E_OK, settled;
	bool kept = fetch_ledger_find(&s->f->ledger, item->id) != NULL;

	if (!kept)
		error = fetch_deliver(s->f, item, watch, &kept);
	settled = settle(s, item, error == E2E_OK && kept, broken);
	session_use_credit(s, item);
	fetch_item_free(item);
	return error == E2E_OK ? settled : error;
}

/* Also when something failed, what was kept is remembered. */
static enum e2e_error
hand_on_batch(struct session *s, const struct child_watch *watch, bool broken)
{
	struct fetch_queue batch, again;
	struct fetch_item *item;
	enum e2e_error error, settled;

	fetch_queue_init(&again);
	fetch_batch_take(&batch, &s->queue, s->f->max == 0 ? UINT64_MAX :
	    s->f->max - s->f->handled);
	error = fetch_batch(s->f, &batch, watch);
	while ((item = fetch_queue_pop(&batch)) != NULL) {
		if (item->outcome == FETCH_AGAIN) {
			fetch_queue_add(&again, item);
			continue;
		}
		settled = settle(s, item, item->outcome == FETCH_KEPT,
		    broken);
		error = error == E2E_OK ? settled : error;
		fetch_item_free(item);
	}
	fetch_queue_put_back(&s->queue, &again);
	return error;
}

/* broken: nothing more comes, and nothing can be acknowledged. */
static enum e2e_error
hand_on(struct session *s, bool broken)
{
	const struct child_watch watch = {
		broken ? -1 : link_fd(s->r->link), session_take_meanwhile, s
	};

	return session_told(s, s->f->batch ?
	    hand_on_batch(s, &watch, broken) :
	    hand_on_first(s, &watch, broken));
}

enum e2e_error
hand_on_next(struct session *s)
{
	enum e2e_error error;

	child_hold_signals();
	error = hand_on(s, false);
	if (error == E2E_OK)
		error = s->broken;
	if (error == E2E_OK && (s->kept_count >= SESSION_ACK_MAX ||
	    s->f->manner == FETCH_COMMAND || child_signal_waits()))
		error = hand_send_ack(s);
	if (s->kept_count == 0)
		child_let_signals();
	if (error == E2E_OK && (s->used_items >= CREDIT_AGAIN_ITEMS ||
	    s->used_bytes >= CREDIT_AGAIN_BYTES))
		error = hand_send_credit(s);
	return error;
}

enum e2e_error
hand_on_rest(struct session *s)
{
	enum e2e_error error = E2E_OK;

	child_hold_signals();
	while (error == E2E_OK && s->queue.first != NULL &&
	    !child_signal_waits() && !hand_reached_max(s))
		error = hand_on(s, true);
	return error;
}
