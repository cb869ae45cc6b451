/*
 * Acknowledgements, and what is noted when a session ends without them.
 *
 * A client proves that it has what it wants deleted: by the hash of the ids,
 * which it computed from the bytes. Nobody on the wire can swap mail for junk
 * and have the mail deleted.
 */
#include "relay/peer.h"

#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

/* A change of a mailbox that is being written: an acknowledgement, or a note
 * at the end of a session. The next session waits for it. */
struct settling {
	struct task task;
	struct chain all;
};

struct acknowledgement {
	struct settling settling;
	uint64_t *seqs;
	struct frame_range ranges[FRAME_RANGES_MAX];
	size_t range_count;
	uint64_t items, bytes;
};

/* ---- changes under way ---- */

bool
acknowledge_is_settling(const struct relay *r,
    const unsigned char box[E2E_ID_LEN])
{
	struct chain *at;

	for (at = r->settling.next; at != &r->settling; at = at->next) {
		if (memcmp(CHAIN_OF(at, struct settling, all)->task.job.box,
		    box, E2E_ID_LEN) == 0)
			return true;
	}
	return false;
}

static void
settle(struct settling *c, enum store_job_kind kind,
    const unsigned char box[E2E_ID_LEN])
{
	task_prepare(&c->task, kind);
	memcpy(c->task.job.box, box, E2E_ID_LEN);
	chain_add(&c->task.relay->settling, &c->all);
}

/* It is written; whoever waits for it goes on. */
static void
settled(struct settling *c)
{
	const struct relay *r = c->task.relay;
	struct peer *waiting;

	chain_remove(&c->all);
	waiting = session_find(r, c->task.job.box);
	if (waiting != NULL && auth_is_settling(waiting) &&
	    !acknowledge_is_settling(r, c->task.job.box)) {
		auth_settled(waiting);
		peer_resume(waiting);
	}
}

/* ---- ACK ---- */

static void
free_acknowledgement(struct acknowledgement *a)
{
	task_leave(&a->settling.task);
	free(a->seqs);
	free(a);
}

static void
acknowledged(struct task *task)
{
	struct acknowledgement *a = (struct acknowledgement *)(void *)task;
	struct relay_report report = {
		.event = RELAY_ACKED, .peer = task->peer,
		.box = task->job.box, .items = a->items, .bytes = a->bytes
	};
	struct peer *p = task->peer;
	struct frame frame = { .type = FRAME_ACKED };
	struct buffer *out;
	struct session *s;

	if (task->job.error == E2E_OK && a->items > 0) {
		task->relay->counters.acknowledged += a->items;
		relay_tell(task->relay, &report);
	}
	if (p != NULL) {
		s = p->session;
		s->acks--;
		if (task->job.error != E2E_OK) {
			session_fail(p, "store", "nothing was deleted");
		} else if (a->items > 0 && (out = session_output(p)) != NULL) {
			memcpy(frame.ack.ranges, a->ranges,
			    a->range_count * sizeof(a->ranges[0]));
			frame.ack.count = a->range_count;
			frame_put(out, &frame);
		}
	}
	settled(&a->settling);
	free_acknowledgement(a);
	if (p != NULL)
		peer_resume(p);
}

static struct acknowledgement *
new_acknowledgement(struct peer *p, size_t items)
{
	struct acknowledgement *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	task_init(&a->settling.task, p->relay, p, acknowledged);
	chain_init(&a->settling.all);
	a->seqs = calloc(items > 0 ? items : 1, sizeof(*a->seqs));
	if (a->seqs == NULL) {
		free_acknowledgement(a);
		return NULL;
	}
	return a;
}

static void
submit_acknowledgement(struct peer *p, struct acknowledgement *a)
{
	struct session *s = p->session;
	struct store_job *job = &a->settling.task.job;

	settle(&a->settling, JOB_ACKNOWLEDGE, s->mailbox);
	job->acknowledge.seqs = a->seqs;
	job->acknowledge.count = (size_t)a->items;
	job->acknowledge.told = s->told;
	s->told = 0;
	s->acks++;
	task_submit(&a->settling.task);
}

void
acknowledge_told(struct peer *p)
{
	struct acknowledgement *a = new_acknowledgement(p, 0);

	if (a != NULL)
		submit_acknowledgement(p, a);
}

/* All of these were sent whole, and none is missing in between. */
static bool
count_range(const struct session *s, const struct frame_range *range,
    size_t *count)
{
	size_t i = sent_place(s, range->first);
	uint64_t seq = range->first;

	for (; i < s->sent_count && s->sent[i].seq == seq &&
	    s->sent[i].complete; i++, seq++) {
		++*count;
		if (seq == range->last)
			return true;
	}
	return false;
}

/* Does the client have what was sent? */
static bool
proves_possession(const struct session *s, const struct frame *ack)
{
	unsigned char ids[PROOF_HASH_LEN];
	struct hash *hash = NULL;
	bool valid = false;
	enum e2e_error error;
	size_t i, k;

	error = hash_new(&hash);
	for (k = 0; error == E2E_OK && k < ack->ack.count; k++) {
		i = sent_place(s, ack->ack.ranges[k].first);
		for (; error == E2E_OK && i < s->sent_count &&
		    s->sent[i].seq <= ack->ack.ranges[k].last; i++)
			error = hash_update(hash, s->sent[i].id,
			    STORE_ID_LEN);
	}
	if (error == E2E_OK)
		error = hash_final(hash, ids);
	if (error == E2E_OK)
		error = proof_check_ack(&valid, s->card->signing,
		    ack->ack.signature, &s->proof, ack->ack.ranges,
		    ack->ack.count, ids);
	hash_free(hash);
	return error == E2E_OK && valid;
}

static void
take_range(struct session *s, const struct frame_range *range,
    struct acknowledgement *a)
{
	size_t i = sent_place(s, range->first), end = i;

	for (; end < s->sent_count && s->sent[end].seq <= range->last;
	    end++) {
		a->seqs[a->items++] = s->sent[end].seq;
		a->bytes += s->sent[end].size;
	}
	memmove(&s->sent[i], &s->sent[end],
	    (s->sent_count - end) * sizeof(*s->sent));
	s->sent_count -= end - i;
}

void
acknowledge_take(struct peer *p, const struct frame *ack)
{
	struct session *s = p->session;
	struct acknowledgement *a;
	size_t i, count = 0;

	for (i = 0; i < ack->ack.count; i++) {
		if (!count_range(s, &ack->ack.ranges[i], &count)) {
			session_fail(p, "ack", "this was not sent");
			return;
		}
	}
	if (!proves_possession(s, ack)) {
		session_fail(p, "ack", "the proof does not match");
		return;
	}
	a = new_acknowledgement(p, count);
	if (a == NULL) {
		peer_lose(p);
		return;
	}
	for (i = 0; i < ack->ack.count; i++) {
		a->ranges[i] = ack->ack.ranges[i];
		take_range(s, &ack->ack.ranges[i], a);
	}
	a->range_count = ack->ack.count;
	if (s->sent_count == 0)
		sent_forget(s);
	submit_acknowledgement(p, a);
}

/* ---- the end of a session ---- */

static void
ending_done(struct task *task)
{
	struct settling *c = (struct settling *)(void *)task;

	if (task->job.error == E2E_OK && task->job.unacknowledged.moved)
		task->relay->counters.moved++;
	settled(c);
	free(c);
}

/*
 * The oldest item that was handed out and not acknowledged. One whose bytes
 * did not all leave is not to blame for that: over a bad line it comes in
 * many sessions, and goes on where it broke off as long as its seq stays.
 */
void
acknowledge_note(struct peer *p)
{
	const struct session *s = p->session;
	struct settling *c;
	size_t i;

	for (i = 0; i < s->sent_count && (!s->sent[i].complete ||
	    s->sent[i].end > p->sent_total); i++)
		;
	if (i == s->sent_count || p->relay->failed)
		return;
	c = malloc(sizeof(*c));
	if (c == NULL)
		return;
	task_init(&c->task, p->relay, NULL, ending_done);
	settle(c, JOB_UNACKNOWLEDGED, s->mailbox);
	c->task.job.unacknowledged.seq = s->sent[i].seq;
	c->task.job.unacknowledged.limit = p->relay->policy.attempts;
	task_submit(&c->task);
}
