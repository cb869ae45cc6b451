/*
 * What becomes of an envelope: jobs for the store, and the answer.
 *
 * One that fits into a piece goes to the store whole. A larger one is staged
 * piece by piece: one piece is being written while the next one fills, and
 * when that is full, too, the peer is not read from. So the memory for an
 * upload is bounded whatever its size, and its sender is slowed down to the
 * speed of the disk.
 */
#include "relay/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
tell(const struct deposit *d, enum relay_event event, const char *code)
{
	struct relay_report report = {
		.event = event, .peer = d->task.peer, .code = code,
		.box = d->box_count == 1 ? d->boxes[0] : NULL,
		.items = d->receipt.stored, .bytes = d->size
	};

	relay_tell(d->task.relay, &report);
}

void
deposit_account(struct deposit *d)
{
	relay_account(d->task.relay, d->address, &d->held, d->body.capacity +
	    d->task.job.bytes.capacity + d->frame.capacity +
	    d->box_count * (sizeof(store_id) + sizeof(enum store_outcome)));
}

static void
forget_bytes(struct deposit *d)
{
	buffer_free(&d->body);
	if (!d->busy)
		buffer_free(&d->task.job.bytes);
	deposit_account(d);
}

static void
destroy(struct deposit *d)
{
	struct relay *r = d->task.relay;

	task_leave(&d->task);
	buffer_free(&d->body);
	buffer_free(&d->task.job.bytes);
	buffer_free(&d->frame);
	relay_account(r, d->address, &d->held, 0);
	d->address->deposits--;
	origin_settle(d->address);
	if (d->complete)
		r->deposits--;
	free(d->boxes);
	free(d->outcomes);
	free(d);
}

/* ---- the order of answers ---- */

static void
append_order(struct peer *p, struct deposit *d)
{
	d->ordered = true;
	if (p->last != NULL)
		p->last->next = d;
	else
		p->first = d;
	p->last = d;
	p->deposit_count++;
}

static struct deposit *
take_first(struct peer *p)
{
	struct deposit *d = p->first;

	p->first = d->next;
	if (p->first == NULL)
		p->last = NULL;
	d->next = NULL;
	d->ordered = false;
	p->deposit_count--;
	return d;
}

void
deposit_put_receipt(struct deposit *d, struct frame *frame)
{
	struct buffer line;

	buffer_init(&line, RECEIPT_LINE_MAX + 1);
	receipt_put(&line, &d->receipt);
	if (line.failed || line.length == 0) {
		d->frame.failed = true;
	} else {
		/* The frame's text has no newline. */
		frame->type = FRAME_RECEIPT;
		frame->receipt.line = (struct bytes){ line.data,
		    line.length - 1 };
		frame_put(&d->frame, frame);
	}
	buffer_free(&line);
}

static void
put_answer(struct peer *p, struct deposit *d)
{
	struct buffer *out = p->session != NULL ? session_output(p) :
	    peer_put(p);
	struct frame frame;

	if (out == NULL)
		return;
	if (!d->is_put) {
		receipt_put(out, &d->receipt);
		return;
	}
	if (d->frame.length == 0 && !d->frame.failed) {
		memset(&frame, 0, sizeof(frame));
		deposit_put_receipt(d, &frame);
	}
	if (d->frame.failed)
		out->failed = true;
	(void)buffer_append(out, d->frame.data, d->frame.length);
}

void
deposit_flush(struct peer *p)
{
	struct deposit *d;

	while (p->first != NULL && p->first->answered) {
		d = take_first(p);
		put_answer(p, d);
		deposit_advance(d);
	}
}

void
deposit_answer(struct deposit *d)
{
	struct peer *p = d->task.peer;

	d->answered = true;
	if (p != NULL)
		peer_resume(p);
	else
		deposit_advance(d);
}

void
deposit_refuse(struct deposit *d, enum receipt_code code, uint64_t retry,
    const char *text)
{
	struct relay *r = d->task.relay;
	struct peer *p = d->task.peer;

	d->receipt.code = code;
	d->receipt.retry = retry;
	(void)snprintf(d->receipt.text, sizeof(d->receipt.text), "%s", text);
	d->given_up = d->answered = true;
	r->counters.refused[code]++;
	tell(d, RELAY_REFUSED, receipt_code_name(code));
	if (d->arriving) {
		d->arriving = false;
		p->arriving = NULL;
		p->skipping = true;
	}
	forget_bytes(d);
}

/* ---- jobs ---- */

/* The piece goes; the other buffer, empty now, takes the next one. */
static void
give_body(struct deposit *d)
{
	struct buffer swap = d->task.job.bytes;

	buffer_clear(&swap);
	d->task.job.bytes = d->body;
	d->body = swap;
}

static void
submit(struct deposit *d)
{
	d->busy = true;
	deposit_account(d);
	task_submit(&d->task);
}

void
deposit_stage(struct deposit *d)
{
	give_body(d);
	task_prepare(&d->task, JOB_STAGE);
	d->task.job.stage.staged = d->staged;
	submit(d);
}

static void
submit_unstage(struct deposit *d)
{
	task_prepare(&d->task, JOB_UNSTAGE);
	d->task.job.stage.staged = d->staged;
	submit(d);
}

static void
submit_deposit(struct deposit *d)
{
	const struct relay *r = d->task.relay;
	struct store_deposit *job = &d->task.job.deposit;

	if (d->staged == 0)
		give_body(d);
	task_prepare(&d->task, JOB_DEPOSIT);
	memcpy(job->id, d->id, STORE_ID_LEN);
	job->now = r->now;
	job->until = r->now + r->policy.ttl;
	job->size = d->size;
	if (d->staged == 0)
		job->body = buffer_bytes(&d->task.job.bytes);
	job->staged = d->staged;
	job->boxes = (const store_id *)d->boxes;
	job->box_count = d->box_count;
	job->quota_bytes = r->policy.box_bytes;
	job->quota_items = r->policy.box_items;
	job->outcomes = d->outcomes;
	submit(d);
}

void
deposit_advance(struct deposit *d)
{
	if (d->busy || d->arriving)
		return;
	if (d->given_up && d->staged != 0 && !d->task.relay->failed) {
		submit_unstage(d);
		return;
	}
	if (d->complete && !d->stored && !d->given_up) {
		if (d->staged != 0 && d->body.length > 0)
			deposit_stage(d);
		else
			submit_deposit(d);
		return;
	}
	if (!d->ordered)
		destroy(d);
}

static void
refuse_for(struct deposit *d, enum e2e_error error)
{
	if (error == E2E_ERR_FULL)
		deposit_refuse(d, RECEIPT_FULL, 0, "no space is left");
	else
		deposit_refuse(d, RECEIPT_BUSY, PEER_RETRY,
		    "the store cannot take it now");
}

static void
count(struct deposit *d, size_t *full)
{
	struct relay_counters *counters = &d->task.relay->counters;
	struct receipt *receipt = &d->receipt;
	struct peer *reader;
	size_t i;

	*full = 0;
	for (i = 0; i < d->box_count; i++) {
		switch (d->outcomes[i]) {
		case STORE_STORED:
			receipt->stored++;
			reader = session_find(d->task.relay, d->boxes[i]);
			if (reader != NULL)
				delivery_push(reader);
			break;
		case STORE_DUPLICATE:
			receipt->dup++;
			break;
		case STORE_UNKNOWN:
			receipt->unknown++;
			break;
		case STORE_QUOTA:
			++*full;
			break;
		}
	}
	counters->stored += receipt->stored;
	counters->duplicates += receipt->dup;
	counters->unknown += receipt->unknown;
}

static void
deposit_done(struct deposit *d)
{
	char text[128];
	size_t full;

	d->staged = 0;
	d->stored = true;
	count(d, &full);
	if (full > 0) {
		(void)snprintf(text, sizeof(text),
		    "%zu of %zu mailboxes full, stored in %llu", full,
		    d->box_count, (unsigned long long)d->receipt.stored);
		deposit_refuse(d, RECEIPT_QUOTA, 0, text);
	} else if (d->receipt.stored + d->receipt.dup == 0) {
		deposit_refuse(d, RECEIPT_NOUSER, 0,
		    "no recipient has a mailbox here");
	} else {
		memcpy(d->receipt.id, d->id, RECEIPT_ID_LEN);
		d->receipt.code = RECEIPT_OK;
		d->receipt.until = d->task.job.deposit.kept_until;
		d->task.relay->counters.deposits++;
		d->task.relay->counters.deposit_bytes += d->size;
		tell(d, RELAY_DEPOSIT, NULL);
		forget_bytes(d);
		if (d->is_put && d->task.peer != NULL) {
			batch_add(d);
			return;
		}
	}
	deposit_answer(d);
}

static void
task_done(struct task *task)
{
	struct deposit *d = (struct deposit *)(void *)task;
	struct peer *p = task->peer;
	enum store_job_kind kind = task->job.kind;
	enum e2e_error error = task->job.error;

	d->busy = false;
	if (kind == JOB_STAGE && error == E2E_OK)
		d->staged = task->job.stage.staged;
	if (kind == JOB_UNSTAGE)
		d->staged = 0;
	if (kind == JOB_DEPOSIT && error == E2E_OK) {
		deposit_done(d);
		return;
	}
	if (kind == JOB_STAGE)
		buffer_clear(&task->job.bytes);
	if (d->given_up)
		forget_bytes(d);
	else if (error != E2E_OK)
		refuse_for(d, error);
	/* While it is in the order, it is not freed. */
	deposit_advance(d);
	if (p != NULL)
		peer_resume(p);
}

/* ---- the beginning, and early ends ---- */

static void
remove_last(struct peer *p)
{
	struct deposit *d, **at = &p->first;

	while ((*at)->next != NULL)
		at = &(*at)->next;
	(*at)->ordered = false;
	*at = NULL;
	p->deposit_count--;
	p->last = NULL;
	for (d = p->first; d != NULL; d = d->next)
		p->last = d;
}

struct deposit *
deposit_new(struct peer *p)
{
	struct deposit *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	task_init(&d->task, p->relay, p, task_done);
	buffer_init(&d->task.job.bytes, STORE_PIECE_LEN);
	buffer_init(&d->body, STORE_PIECE_LEN);
	buffer_init(&d->frame, FRAME_MAX);
	d->arriving = true;
	d->address = p->address;
	d->address->deposits++;
	d->late = p->relay->draining && p->early == 0;
	append_order(p, d);
	return d;
}

void
deposit_take_back(struct deposit *d)
{
	d->arriving = false;
	d->given_up = true;
	remove_last(d->task.peer);
	task_leave(&d->task);
	forget_bytes(d);
	deposit_advance(d);
}

void
deposit_abandon(struct peer *p)
{
	struct deposit *d;

	arrival_drop(p);
	while (p->first != NULL) {
		d = take_first(p);
		task_leave(&d->task);
		deposit_advance(d);
	}
}
