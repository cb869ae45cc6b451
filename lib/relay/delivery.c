/*
 * What is sent to the owner of a mailbox, and when.
 *
 * The mailbox is listed in short pieces behind a cursor; small bodies come
 * with the list, large ones are read piece by piece as the output drains.
 * `more` says that there may be something behind the cursor: at first, after
 * a full list, and whenever a deposit was committed for this mailbox.
 */
#include "relay/peer.h"

#include <stdlib.h>
#include <string.h>

/* A list, under way or in hand. */
struct listing {
	struct task task;
	struct store_item items[SESSION_LIST_ITEMS];
	size_t asked, at;
};

static void
free_listing(struct listing *l)
{
	if (l == NULL)
		return;
	task_leave(&l->task);
	buffer_free(&l->task.job.bytes);
	free(l);
}

static bool
has_credit(const struct session *s)
{
	return s->out_items < s->credit_items && s->out_bytes <
	    s->credit_bytes && s->sent_count < SESSION_SENT_MAX;
}

static void
put_whole(struct peer *p, const struct store_item *item)
{
	struct buffer *out = peer_put(p);

	if (out == NULL || !sent_add(p->session, item)) {
		peer_lose(p);
		return;
	}
	stream_head(p->session, out, item, false, 0);
	(void)buffer_append(out, item->whole.data, item->whole.length);
	sent_complete(p, item->seq);
	p->session->told_empty = false;
	stream_count(p, item);
}

/* ---- GET ---- */

static void
find_done(struct task *task)
{
	struct peer *p = task->peer;
	struct session *s;
	struct store_item item = task->job.find.item;
	bool found = task->job.find.found;
	enum e2e_error error = task->job.error;
	struct buffer *out;

	task_free(task);
	if (p == NULL)
		return;
	s = p->session;
	s->finding = s->get_pending = false;
	if (p->closing) {
		/* nobody waits for it */
	} else if (error != E2E_OK) {
		session_unreadable(p);
	} else if (!found || s->get_offset > item.size) {
		if ((out = session_output(p)) != NULL)
			frame_put_error(out, "gone",
			    "this item is not there");
	} else {
		stream_begin(p, &item, true, s->get_offset);
	}
	peer_resume(p);
}

static void
find_item(struct peer *p)
{
	struct session *s = p->session;
	struct task *task = malloc(sizeof(*task));

	if (task == NULL) {
		peer_lose(p);
		return;
	}
	task_init(task, p->relay, p, find_done);
	task_prepare(task, JOB_FIND);
	memcpy(task->job.box, s->mailbox, E2E_ID_LEN);
	task->job.find.seq = s->get_seq;
	s->finding = true;
	task_submit(task);
}

void
delivery_get(struct peer *p, uint64_t seq, uint64_t offset)
{
	struct session *s = p->session;

	/* Frames behind it wait until it has begun. */
	s->get_pending = true;
	s->get_seq = seq;
	s->get_offset = offset;
}

/* ---- lists ---- */

static void
list_done(struct task *task)
{
	struct listing *l = (struct listing *)(void *)task;
	struct peer *p = task->peer;
	struct session *s;

	if (p == NULL) {
		free_listing(l);
		return;
	}
	s = p->session;
	s->listing = false;
	if (task->job.error != E2E_OK) {
		s->list = NULL;
		free_listing(l);
		session_unreadable(p);
	} else if (task->job.list.count == l->asked) {
		s->more = true;
	}
	peer_resume(p);
}

static void
ask_list(struct peer *p)
{
	struct session *s = p->session;
	struct listing *l = calloc(1, sizeof(*l));
	bool credit = has_credit(s);
	uint64_t left;

	if (l == NULL) {
		peer_lose(p);
		return;
	}
	task_init(&l->task, p->relay, p, list_done);
	/* Without credit just a look: is there anything? */
	buffer_init(&l->task.job.bytes, credit ? SESSION_PIECE : 0);
	task_prepare(&l->task, JOB_LIST);
	memcpy(l->task.job.box, s->mailbox, E2E_ID_LEN);
	l->asked = 1;
	if (credit) {
		left = s->credit_items - s->out_items;
		l->asked = left < SESSION_LIST_ITEMS ? (size_t)left :
		    SESSION_LIST_ITEMS;
	}
	l->task.job.list.after = s->cursor;
	l->task.job.list.now = p->relay->now;
	l->task.job.list.items = l->items;
	l->task.job.list.count = l->asked;
	s->list = l;
	s->listing = true;
	s->more = false;
	task_submit(&l->task);
}

static void
drop_list(struct session *s)
{
	free_listing(s->list);
	s->list = NULL;
}

/* The next item of the list in hand. False: it has to wait. */
static bool
send_next(struct peer *p)
{
	struct session *s = p->session;
	struct listing *l = s->list;
	const struct store_item *item = &l->items[l->at];

	if (sent_find(s, item->seq) == NULL) {
		if (!has_credit(s)) {
			s->stalled = s->more = true;
			drop_list(s);
			return false;
		}
		if (item->whole.data == NULL && l->at > 0 &&
		    item->size <= SESSION_PIECE) {
			/* It fits into a list of its own. */
			s->more = true;
			drop_list(s);
			return true;
		}
		s->cursor = item->seq;
		l->at++;
		if (item->whole.data != NULL)
			put_whole(p, item);
		else
			stream_begin(p, item, false, 0);
		return true;
	}
	s->cursor = item->seq;
	l->at++;
	return true;
}

static bool
pump_once(struct peer *p)
{
	struct session *s = p->session;
	struct buffer *out;

	if (s->stream.task != NULL) {
		if (!s->stream.reading)
			stream_read(p);
		return false;
	}
	if (s->finding || s->listing)
		return false;
	if (s->get_pending) {
		find_item(p);
		return false;
	}
	if (s->leaving)
		return false;
	if (s->list != NULL && s->list->at < s->list->task.job.list.count)
		return send_next(p);
	drop_list(s);
	if (s->more && !(s->stalled && !has_credit(s))) {
		s->stalled = false;
		ask_list(p);
		return false;
	}
	if (!s->more && !s->told_empty && (out = session_output(p)) != NULL) {
		struct frame frame = { .type = FRAME_EMPTY };

		frame_put(out, &frame);
		s->told_empty = true;
	}
	return false;
}

void
delivery_pump(struct peer *p)
{
	if (p->session->state != SESSION_READY)
		return;
	while (p->state == PEER_OPEN && !p->closing &&
	    peer_backlog(p) < SESSION_PIECE && pump_once(p))
		;
}

void
delivery_push(struct peer *p)
{
	struct session *s = p->session;

	s->more = true;
	peer_resume(p);
}

void
delivery_credit(struct peer *p, uint64_t items, uint64_t bytes)
{
	struct session *s = p->session;

	if (__builtin_add_overflow(s->credit_items, items, &s->credit_items))
		s->credit_items = UINT64_MAX;
	if (__builtin_add_overflow(s->credit_bytes, bytes, &s->credit_bytes))
		s->credit_bytes = UINT64_MAX;
}

/* ---- the end of a session ---- */

void
delivery_end(struct peer *p)
{
	struct session *s = p->session;

	if (!chain_is_empty(&s->by_mailbox)) {
		chain_remove(&s->by_mailbox);
		p->relay->counters.authenticated--;
		acknowledge_note(p);
	}
	if (!s->listing)
		drop_list(s);
	if (!s->stream.reading)
		stream_cut(s);
	sent_forget(s);
}
