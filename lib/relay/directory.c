/*
 * The directory: cards by id and by name, each with its owner's revocation.
 *
 * Every answer is read back from the store after the change was committed, so
 * that what is signed is what the next one who asks will see.
 */
#include "relay/peer.h"

#include "base/secret.h"
#include "message/revocation.h"

#include <stdlib.h>
#include <string.h>

/* One question: REGISTER, LOOKUP or REVOKE, step by step. */
struct question {
	struct task task;
	unsigned char id[E2E_ID_LEN];
	bool by_name;			/* else by `id` */
	char name[FRAME_TEXT_MAX + 1];
	size_t name_length;
	struct buffer bytes;		/* the card, or the statement */
};

static void
free_question(struct question *q)
{
	task_leave(&q->task);
	buffer_free(&q->task.job.bytes);
	buffer_free(&q->bytes);
	free(q);
}

static struct question *
new_question(struct peer *p, void (*done)(struct task *))
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL) {
		peer_lose(p);
		return NULL;
	}
	task_init(&q->task, p->relay, p, done);
	buffer_init(&q->bytes, FRAME_MAX);
	p->session->busy = true;
	return q;
}

/* The answer is no; the session goes on. */
static void
refuse(struct peer *p, const char *code, const char *text)
{
	struct relay_report report = {
		.event = RELAY_REFUSED, .peer = p, .code = code
	};
	struct buffer *out = session_output(p);

	relay_tell(p->relay, &report);
	if (out != NULL)
		frame_put_error(out, code, text);
}

/* Questions cost what sessions and deposits cost. */
static bool
is_slow_enough(struct peer *p)
{
	uint64_t retry;

	if (origin_take_rate(p, &retry))
		return true;
	refuse(p, "rate", "too many from this address");
	return false;
}

/* Ends the question; NULL code: it was answered. */
static void
end_question(struct question *q, const char *code, const char *text)
{
	struct peer *p = q->task.peer;

	free_question(q);
	if (p == NULL)
		return;
	p->session->busy = false;
	if (code != NULL && !p->closing)
		refuse(p, code, text);
	peer_resume(p);
}

/* Nothing to go on with: the peer has gone, or the store has failed. */
static bool
is_over(struct question *q)
{
	if (q->task.peer == NULL || q->task.peer->closing)
		end_question(q, NULL, NULL);
	else if (q->task.job.error != E2E_OK)
		end_question(q, "store", "the store cannot do that now");
	else
		return false;
	return true;
}

/* ---- RECORD ---- */

static enum e2e_error
put_record(struct peer *p, const struct question *q)
{
	struct session *s = p->session;
	const struct store_card *card = &q->task.job.lookup.card;
	struct frame frame = { .type = FRAME_RECORD };
	struct proof_query query = { .number = s->records };
	struct buffer signature, *out;
	enum e2e_error error;

	if (q->task.job.lookup.found) {
		frame.record.card = card->card;
		frame.record.registered = card->registered;
		if (card->revocation.length > 0)
			frame.record.revocations[
			    frame.record.revocation_count++] =
			    card->revocation;
	}
	if (q->by_name)
		query.name = (struct bytes){ (const unsigned char *)q->name,
		    q->name_length };
	else
		query.id = q->id;
	buffer_init(&signature, FRAME_MAX);
	error = proof_make_record(&signature, p->relay->identity->signing,
	    &s->proof, &query, &frame);
	if (error == E2E_OK && (out = session_output(p)) != NULL) {
		frame.record.signature = buffer_bytes(&signature);
		frame_put(out, &frame);
		s->records++;
	}
	buffer_free(&signature);
	return error;
}

static void
record_done(struct task *task)
{
	struct question *q = (struct question *)(void *)task;

	if (is_over(q))
		return;
	if (put_record(task->peer, q) != E2E_OK)
		end_question(q, "internal", "no record could be made");
	else
		end_question(q, NULL, NULL);
}

static void
read_record(struct question *q, bool retired)
{
	struct store_job *job = &q->task.job;

	q->task.done = record_done;
	buffer_free(&job->bytes);
	buffer_init(&job->bytes, FRAME_MAX);
	task_prepare(&q->task, JOB_LOOKUP);
	memcpy(job->box, q->id, E2E_ID_LEN);
	memcpy(job->lookup.name, q->name, q->name_length);
	job->lookup.retired = retired;
	task_submit(&q->task);
}

/* ---- LOOKUP ---- */

static void
tell(struct peer *p, enum relay_event event, const unsigned char *box)
{
	struct relay_report report = {
		.event = event, .peer = p, .box = box
	};

	relay_tell(p->relay, &report);
}

void
directory_lookup(struct peer *p, const struct frame *frame)
{
	struct question *q;

	if (!is_slow_enough(p) ||
	    (q = new_question(p, record_done)) == NULL)
		return;
	p->relay->counters.lookups++;
	tell(p, RELAY_LOOKUP, frame->lookup.id);
	if (frame->lookup.id != NULL) {
		memcpy(q->id, frame->lookup.id, E2E_ID_LEN);
	} else {
		q->by_name = true;
		q->name_length = frame->lookup.name.length;
		memcpy(q->name, frame->lookup.name.data, q->name_length);
	}
	/* Nobody has such a name. */
	if (q->by_name && (q->name_length == 0 ||
	    q->name_length > STORE_NAME_MAX ||
	    memchr(q->name, '\0', q->name_length) != NULL)) {
		task_prepare(&q->task, JOB_LOOKUP);
		record_done(&q->task);
		return;
	}
	read_record(q, false);
}

/* ---- REGISTER ---- */

/* It becomes the name of a file at others'. */
static bool
is_registrable(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] =
	    "abcdefghijklmnopqrstuvwxyz0123456789._@-";
	size_t length = strlen(name);

	if (length == 0)
		return true;		/* found by id only */
	return length <= STORE_NAME_MAX && strchr(first, name[0]) != NULL &&
	    strspn(name, rest) == length;
}

/* In a time that does not depend on the contents. */
static bool
is_token(const struct relay *r, struct bytes token)
{
	char given[FRAME_TEXT_MAX + 1] = { 0 };
	char wanted[FRAME_TEXT_MAX + 1] = { 0 };
	size_t length = strlen(r->policy.token);

	if (length == 0 || token.data == NULL ||
	    token.length > FRAME_TEXT_MAX)
		return false;
	memcpy(given, token.data, token.length);
	memcpy(wanted, r->policy.token, length);
	return secret_equal(given, wanted, sizeof(wanted)) &&
	    token.length == length;
}

static void
enroll_done(struct task *task)
{
	struct question *q = (struct question *)(void *)task;

	if (is_over(q))
		return;
	switch (task->job.enroll.result) {
	case STORE_REGISTERED:
	case STORE_UPDATED:
	case STORE_UNCHANGED:
		task->relay->counters.registrations++;
		tell(task->peer, RELAY_REGISTERED, q->id);
		/* A session of an unknown mailbox had nothing to list. */
		task->peer->session->more = true;
		read_record(q, false);
		return;
	case STORE_NAME_TAKEN:
		end_question(q, "taken", "somebody else has this name");
		return;
	case STORE_ROLLBACK:
		end_question(q, "rollback", "a newer card is known");
		return;
	case STORE_CONFLICT:
		end_question(q, "conflict",
		    "another card of this serial is known");
		return;
	case STORE_REVOKED:
		end_question(q, "revoked", "this identity was revoked");
		return;
	}
	end_question(q, "store", "the store cannot do that now");
}

static void
enroll(struct question *q, const struct e2e_card *card)
{
	struct store_card *row = &q->task.job.enroll.card;

	if (!buffer_append(&q->bytes, card->encoded.data,
	    card->encoded.length)) {
		end_question(q, "internal", "out of memory");
		return;
	}
	memcpy(q->id, e2e_card_id(card), E2E_ID_LEN);
	task_prepare(&q->task, JOB_ENROLL);
	memcpy(row->id, q->id, E2E_ID_LEN);
	memcpy(row->name, card->name, strlen(card->name) + 1);
	row->serial = card->serial;
	row->card = buffer_bytes(&q->bytes);
	row->registered = q->task.relay->now;
	task_submit(&q->task);
}

void
directory_register(struct peer *p, const struct frame *frame)
{
	const struct relay_policy *policy = &p->relay->policy;
	struct e2e_card *card = NULL;
	struct question *q;

	if (!is_slow_enough(p))
		return;
	if (policy->registration == FRAME_CLOSED) {
		refuse(p, "closed", "this relay takes no registrations");
	} else if (policy->registration == FRAME_TOKEN &&
	    !is_token(p->relay, frame->enroll.token)) {
		refuse(p, "token", "this relay wants another token");
	} else if (card_decode(&card, frame->enroll.card) != E2E_OK) {
		refuse(p, "card", "the card cannot be read");
	} else if (memcmp(e2e_card_id(card), p->session->mailbox,
	    E2E_ID_LEN) != 0) {
		refuse(p, "card", "the card is somebody else's");
	} else if (!is_registrable(card->name)) {
		refuse(p, "name", "the name has other characters than "
		    "a-z 0-9 . _ @ -");
	} else if ((q = new_question(p, enroll_done)) != NULL) {
		enroll(q, card);
	}
	e2e_card_free(card);
}

/* ---- REVOKE ---- */

static void
revoke_done(struct task *task)
{
	struct question *q = (struct question *)(void *)task;

	if (is_over(q))
		return;
	if (!task->job.revoke.found) {
		end_question(q, "unknown", "this card is not registered here");
		return;
	}
	task->relay->counters.revocations++;
	tell(task->peer, RELAY_REVOKED, q->id);
	read_record(q, true);
}

static void
revoked_card_done(struct task *task)
{
	struct question *q = (struct question *)(void *)task;
	struct e2e_card *card = NULL;
	enum e2e_revocation_reason reason;
	enum e2e_error error;
	uint64_t made;

	if (is_over(q))
		return;
	if (!task->job.lookup.found) {
		end_question(q, "unknown", "this card is not registered here");
		return;
	}
	error = card_decode(&card, task->job.lookup.card.card);
	if (error == E2E_OK)
		error = revocation_verify(buffer_bytes(&q->bytes), card,
		    &reason, &made);
	e2e_card_free(card);
	if (error != E2E_OK) {
		end_question(q, "statement",
		    "this is not the identity's own revocation");
		return;
	}
	task->done = revoke_done;
	buffer_free(&task->job.bytes);
	task_prepare(task, JOB_REVOKE);
	memcpy(task->job.box, q->id, E2E_ID_LEN);
	if (!buffer_append(&task->job.bytes, q->bytes.data, q->bytes.length))
		end_question(q, "internal", "out of memory");
	else
		task_submit(task);
}

void
directory_revoke(struct peer *p, const struct frame *frame)
{
	struct bytes statement = frame->revoke.statement;
	unsigned char id[E2E_ID_LEN];
	struct question *q;

	if (!is_slow_enough(p))
		return;
	if (revocation_subject(statement, id) != E2E_OK) {
		refuse(p, "statement", "this is no revocation");
		return;
	}
	q = new_question(p, revoked_card_done);
	if (q == NULL)
		return;
	memcpy(q->id, id, E2E_ID_LEN);
	if (!buffer_append(&q->bytes, statement.data, statement.length)) {
		end_question(q, "internal", "out of memory");
		return;
	}
	task_prepare(&q->task, JOB_LOOKUP);
	memcpy(q->task.job.box, id, E2E_ID_LEN);
	q->task.job.lookup.retired = true;
	task_submit(&q->task);
}
