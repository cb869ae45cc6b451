/*
 * An item on its way out, in frames and bytes. A large body is read piece by
 * piece as the output drains; meanwhile all other frames wait, for an
 * envelope has no place for them.
 */
#include "relay/peer.h"

#include <stdlib.h>
#include <string.h>

void
stream_count(struct peer *p, const struct store_item *item)
{
	struct relay_report report = {
		.event = RELAY_FETCHED, .peer = p,
		.box = p->session->mailbox, .items = 1, .bytes = item->size
	};

	p->relay->counters.delivered++;
	p->relay->counters.delivered_bytes += item->size;
	relay_tell(p->relay, &report);
}

void
stream_head(struct session *s, struct buffer *out,
    const struct store_item *item, bool is_data, uint64_t offset)
{
	struct frame frame = { .type = is_data ? FRAME_DATA : FRAME_MSG };

	if (is_data) {
		frame.data.seq = item->seq;
		frame.data.id = item->id;
		frame.data.size = item->size;
		frame.data.offset = offset;
	} else {
		frame.msg.seq = item->seq;
		frame.msg.id = item->id;
		frame.msg.stored = item->stored;
		frame.msg.until = item->until;
		frame.msg.size = item->size;
		s->out_items++;
		s->out_bytes += item->size;
	}
	frame_put(out, &frame);
}

static void piece_done(struct task *task);

static void
stream_end(struct peer *p)
{
	struct session *s = p->session;
	struct buffer *out;

	sent_complete(p, s->stream.item.seq);
	stream_count(p, &s->stream.item);
	s->stream.active = false;
	task_free(s->stream.task);
	s->stream.task = NULL;
	/* What had to wait for it. */
	if ((out = peer_put(p)) != NULL)
		(void)buffer_append(out, s->held.data, s->held.length);
	buffer_free(&s->held);
}

void
stream_read(struct peer *p)
{
	struct stream *st = &p->session->stream;
	uint64_t left = st->item.size - st->offset;

	task_prepare(st->task, JOB_READ);
	st->task->job.read.body = st->item.body;
	st->task->job.read.offset = st->offset;
	st->task->job.read.size = left < SESSION_PIECE ? (size_t)left :
	    SESSION_PIECE;
	st->reading = true;
	task_submit(st->task);
}

/* The first piece is read before the frame is put: the body may be gone. */
void
stream_begin(struct peer *p, const struct store_item *item, bool is_data,
    uint64_t offset)
{
	struct stream *st = &p->session->stream;
	struct task *task = malloc(sizeof(*task));

	if (task == NULL) {
		peer_lose(p);
		return;
	}
	task_init(task, p->relay, p, piece_done);
	buffer_init(&task->job.bytes, SESSION_PIECE);
	st->item = *item;
	st->item.whole = (struct bytes){ NULL, 0 };
	st->is_data = is_data;
	st->offset = offset;
	st->task = task;
	stream_read(p);
}

/* Nothing more of it goes out. */
void
stream_cut(struct session *s)
{
	task_free(s->stream.task);
	s->stream.task = NULL;
}

static void
stream_gone(struct peer *p, enum e2e_error error)
{
	struct session *s = p->session;
	struct buffer *out;

	stream_cut(s);
	if (s->stream.active)
		peer_lose(p);	/* half an envelope: nothing fits behind */
	else if (error != E2E_OK)
		session_unreadable(p);
	else if (s->stream.is_data && (out = session_output(p)) != NULL)
		frame_put_error(out, "gone", "this item is not there");
}

static bool
stream_open(struct peer *p, struct buffer *out)
{
	struct session *s = p->session;
	struct stream *st = &s->stream;

	if (sent_find(s, st->item.seq) == NULL &&
	    !sent_add(s, &st->item))
		return false;
	stream_head(s, out, &st->item, st->is_data, st->offset);
	st->active = true;
	if (!st->is_data)
		s->told_empty = false;
	return true;
}

static void
piece_done(struct task *task)
{
	struct peer *p = task->peer;
	struct stream *st;
	struct buffer *out;

	if (p == NULL) {
		task_free(task);
		return;
	}
	st = &p->session->stream;
	st->reading = false;
	out = peer_put(p);
	if (p->closing || out == NULL) {
		stream_cut(p->session);
	} else if (task->job.error != E2E_OK || (task->job.bytes.length == 0 &&
	    st->offset < st->item.size)) {
		stream_gone(p, task->job.error);
	} else if (!st->active && !stream_open(p, out)) {
		peer_lose(p);
	} else {
		(void)buffer_append(out, task->job.bytes.data,
		    task->job.bytes.length);
		st->offset += task->job.bytes.length;
		buffer_clear(&task->job.bytes);
		if (st->offset == st->item.size)
			stream_end(p);
	}
	peer_resume(p);
}
