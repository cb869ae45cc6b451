/* The world around a relay, at random. */
#include "relay_simulator.h"
#include "relay_lab.h"

#include "crypto/hash.h"
#include "message/identity.h"
#include "relay/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	PEOPLE = 3,			/* and one whom the relay does not know */
	ENVELOPES = 20,
	ACTORS = 12,
	PLAN_MAX = 6,
	KEPT_MAX = 64,
	STEPS = 400,
	SETTLE_MAX = 200000
};

/* ---- what is the same in all runs ---- */

static struct {
	struct e2e_identity *people[PEOPLE + 1], *relay;
	struct buffer envelopes[ENVELOPES];
	unsigned char ids[ENVELOPES][HASH_LEN];
	bool to[ENVELOPES][PEOPLE + 1];
} world;

/* ---- one run ---- */

enum role { NOBODY, BARE, PUTTER, FETCHER };

struct kept {
	uint64_t seq;
	unsigned envelope;
	bool acking;
};

/* A client and its connection. */
struct actor {
	enum role role;
	struct peer *peer;
	bool dirty, wants, vanishes, ends, ended, behaves, closed;
	uint64_t deadline;
	struct buffer out, in;		/* sent, not read; read, not looked at */
	size_t out_at;

	unsigned plan[PLAN_MAX];	/* envelopes that it sends */
	size_t plan_count, answered;

	struct client *client;
	unsigned person;
	bool surplus;			/* sends what is no envelope */
	bool challenged, refused, ready, empty, fed;
	uint64_t last_seq, began;
	struct kept kept[KEPT_MAX];
	size_t kept_count;
	bool getting;
	uint64_t get_offset;
	unsigned get_envelope;
};

struct simulator {
	uint64_t random;
	enum simulator_fault fault;
	const char *failure;
	struct simulator_stats *stats;
	struct relay *relay;
	struct store *store;
	uint64_t wall, steady, batch, clock;
	bool trouble, hurry, settling;

	struct { struct store_job *waiting, **waiting_end;
	    struct store_job *done, **done_end; } threads[2];
	size_t queued, queue_max;

	struct actor actors[ACTORS];
	/* Of an envelope in a mailbox. */
	bool committed[ENVELOPES][PEOPLE], oked[ENVELOPES][PEOPLE];
	bool fetched[ENVELOPES][PEOPLE];
	uint64_t acked[ENVELOPES][PEOPLE];	/* clock; 0: not */
};

/* splitmix64 */
static uint64_t
draw(struct simulator *s)
{
	uint64_t z = s->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static size_t
below(struct simulator *s, size_t n)
{
	return (size_t)(draw(s) % n);
}

static bool
one_in(struct simulator *s, size_t n)
{
	return below(s, n) == 0;
}

static void
broken(struct simulator *s, const char *failure)
{
	if (s->failure == NULL)
		s->failure = failure;
}

static void
demand(struct simulator *s, bool held, const char *failure)
{
	if (!held)
		broken(s, failure);
}

static int
find_envelope(const unsigned char *id)
{
	int i;

	for (i = 0; i < ENVELOPES; i++) {
		if (memcmp(world.ids[i], id, HASH_LEN) == 0)
			return i;
	}
	return -1;
}

static int
find_person(const unsigned char *id)
{
	int i;

	for (i = 0; i < PEOPLE; i++) {
		if (memcmp(e2e_card_id(world.people[i]->card), id,
		    E2E_ID_LEN) == 0)
			return i;
	}
	return -1;
}

/* ---- the store's threads ---- */

static bool
on_submit(void *context, struct store_job *job)
{
	struct simulator *s = context;
	unsigned t = job->kind >= JOB_SUMMARY;

	if (s->queued >= s->queue_max) {
		s->stats->full++;
		return false;
	}
	job->next = NULL;
	*s->threads[t].waiting_end = job;
	s->threads[t].waiting_end = &job->next;
	s->queued++;
	s->stats->jobs++;
	return true;
}

static void
note_deposit(struct simulator *s, const struct store_job *job)
{
	int e = find_envelope(job->deposit.id), p;
	size_t i;

	demand(s, e >= 0, "something else was deposited");
	for (i = 0; e >= 0 && i < job->deposit.box_count; i++) {
		p = find_person(job->deposit.boxes[i]);
		if (p >= 0 && job->deposit.outcomes[i] <= STORE_DUPLICATE)
			s->committed[e][p] = true;
	}
}

static void
delete_items(struct simulator *s, const unsigned char *box, uint64_t seq)
{
	struct store_job job;

	memset(&job, 0, sizeof(job));
	job.kind = JOB_ACKNOWLEDGE;
	memcpy(job.box, box, E2E_ID_LEN);
	job.acknowledge.seqs = &seq;
	job.acknowledge.count = 1;
	assert_int_equal(relay_lab_do(s->store, &job), E2E_OK);
}

/* The newest item of a mailbox that has this envelope goes. */
static void
lose(struct simulator *s, const unsigned char *box, const unsigned char *id)
{
	struct store_item items[STORE_ITEMS_MAX];
	size_t count = STORE_ITEMS_MAX, i;
	struct buffer none;

	buffer_init(&none, 0);
	assert_int_equal(s->store->ops->list(s->store, box, 0, s->wall, items,
	    &count, &none), E2E_OK);
	for (i = 0; i < count; i++) {
		if (memcmp(items[i].id, id, STORE_ID_LEN) == 0)
			delete_items(s, box, items[i].seq);
	}
	buffer_free(&none);
}

static void
do_wrong_before(struct simulator *s, struct store_job *job)
{
	size_t i;

	if (s->fault == FAULT_UNSENT && job->kind == JOB_ACKNOWLEDGE &&
	    job->acknowledge.count > 0)
		delete_items(s, job->box, job->acknowledge.seqs[
		    job->acknowledge.count - 1] + 1);
	if (s->fault == FAULT_EARLY && job->kind == JOB_DEPOSIT) {
		for (i = 0; i < job->deposit.box_count; i++)
			job->deposit.outcomes[i] = STORE_STORED;
		job->deposit.kept_until = job->deposit.until;
	}
}

static void
do_wrong_after(struct simulator *s, struct store_job *job)
{
	struct store_item swap;
	size_t i;

	if (s->fault == FAULT_LOSS && job->kind == JOB_DEPOSIT) {
		for (i = 0; i < job->deposit.box_count; i++)
			lose(s, job->deposit.boxes[i], job->deposit.id);
	} else if (s->fault == FAULT_ORDER && job->kind == JOB_LIST &&
	    job->list.count > 1) {
		swap = job->list.items[0];
		job->list.items[0] = job->list.items[1];
		job->list.items[1] = swap;
	} else if (s->fault == FAULT_JUNK && job->bytes.length > 100 &&
	    (job->kind == JOB_LIST || job->kind == JOB_READ)) {
		job->bytes.data[77] ^= 1;
	}
}

static void
execute(struct simulator *s, unsigned t)
{
	struct store_job *job = s->threads[t].waiting;

	s->threads[t].waiting = job->next;
	if (job->next == NULL)
		s->threads[t].waiting_end = &s->threads[t].waiting;
	job->next = NULL;
	if (one_in(s, 3))
		s->batch++;
	job->batch = s->batch;
	do_wrong_before(s, job);
	if (s->trouble && t == 0 && one_in(s, 20)) {
		job->error = one_in(s, 2) ? E2E_ERR_FULL : E2E_ERR_MEMORY;
	} else if ((s->fault == FAULT_EARLY && job->kind == JOB_DEPOSIT) ||
	    (s->fault == FAULT_UNDELETED && job->kind == JOB_ACKNOWLEDGE)) {
		job->error = E2E_OK;
	} else {
		job->error = relay_lab_do(s->store, job);
		demand(s, job->error == E2E_OK, "the store has refused");
		if (job->kind == JOB_DEPOSIT)
			note_deposit(s, job);
		do_wrong_after(s, job);
	}
	*s->threads[t].done_end = job;
	s->threads[t].done_end = &job->next;
}

/* Some of what is done, or all. */
static void
hand_back(struct simulator *s, unsigned t)
{
	struct store_job *first = s->threads[t].done, *last = first;

	s->queued--;
	while (last->next != NULL && !one_in(s, 4)) {
		last = last->next;
		s->queued--;
	}
	s->threads[t].done = last->next;
	if (last->next == NULL)
		s->threads[t].done_end = &s->threads[t].done;
	last->next = NULL;
	relay_done(s->relay, first);
}

static bool
turn_store(struct simulator *s)
{
	unsigned t = below(s, 2) != 0;

	if (s->threads[t].waiting == NULL && s->threads[t].done == NULL)
		t = !t;
	if (s->threads[t].done != NULL && (s->threads[t].waiting == NULL ||
	    one_in(s, 3)))
		hand_back(s, t);
	else if (s->threads[t].waiting != NULL)
		execute(s, t);
	else
		return false;
	return true;
}

/* ---- the host ---- */

static void
on_wake(void *context, struct peer *peer)
{
	struct simulator *s = context;
	struct actor *a = peer_data(peer);

	if (s->fault != FAULT_WAKE)
		a->dirty = true;
}

static void
on_report(void *context, const struct relay_report *report)
{
	struct simulator *s = context;

	if (report->event == RELAY_REPLACED)
		s->stats->replaced++;
}

static void
hang_up(struct actor *a)
{
	peer_free(a->peer);
	a->peer = NULL;
	client_free(a->client);
	buffer_free(&a->out);
	buffer_free(&a->in);
	memset(a, 0, sizeof(*a));
}

/* What a host looks at when it has a reason to. */
static void
look(struct actor *a)
{
	if (!a->dirty)
		return;
	a->dirty = false;
	a->wants = peer_wants_input(a->peer);
	a->deadline = peer_deadline(a->peer);
	a->closed = peer_state(a->peer) == PEER_CLOSED;
}

/* Reads from the socket what the client has written. */
static bool
read_socket(struct simulator *s, struct actor *a)
{
	size_t left = a->out.length - a->out_at, n;

	look(a);
	if (a->ended || a->closed || !a->wants)
		return false;
	if (left == 0) {
		if (!a->ends)
			return false;
		a->ended = true;
		peer_end(a->peer);
		a->dirty = true;
		return true;
	}
	switch (below(s, 4)) {
	case 0:
		n = 1 + below(s, 3);
		break;
	case 1:
		n = 1 + below(s, 200);
		break;
	default:
		n = 1 + below(s, 70000);
		break;
	}
	if (n > left)
		n = left;
	peer_input(a->peer, a->out.data + a->out_at, n);
	a->out_at += n;
	a->dirty = true;
	return true;
}

/* Writes to the socket what the client then reads. */
static bool
write_socket(struct simulator *s, struct actor *a)
{
	struct bytes out;
	size_t n;

	look(a);
	out = peer_output(a->peer);
	if (out.length == 0)
		return false;
	n = one_in(s, 3) ? 1 + below(s, out.length) : out.length;
	assert_true(buffer_append(&a->in, out.data, n));
	peer_sent(a->peer, n);
	a->dirty = true;
	return true;
}

static void
tick_all(struct simulator *s)
{
	struct actor *a;

	for (a = s->actors; a < s->actors + ACTORS; a++) {
		if (a->role == NOBODY)
			continue;
		look(a);
		if (a->deadline != 0 && a->deadline <= s->steady) {
			peer_tick(a->peer);
			a->dirty = true;
			look(a);
			demand(s, a->deadline == 0 ||
			    a->deadline > s->steady,
			    "a deadline stays over");
		}
	}
}

static void
advance_clock(struct simulator *s)
{
	uint64_t ms = below(s, 5);

	if (s->hurry && one_in(s, 10))
		ms = below(s, 8000);
	s->steady += ms;
	relay_set_time(s->relay, s->wall + s->steady / 1000, s->steady);
	tick_all(s);
}

/* ---- depositors ---- */

static void
judge_line(struct simulator *s, struct actor *a, const struct receipt *r)
{
	unsigned e, p;

	if (a->answered == a->plan_count) {
		/* To what was cut off, or the junk behind the last. */
		demand(s, a->surplus && r->code != RECEIPT_OK,
		    "a surplus answer");
		a->surplus = false;
		return;
	}
	e = a->plan[a->answered++];
	if (r->code != RECEIPT_OK) {
		s->stats->refused++;
		return;
	}
	s->stats->oks++;
	demand(s, memcmp(r->id, world.ids[e], HASH_LEN) == 0,
	    "an OK for another envelope");
	for (p = 0; p < PEOPLE; p++) {
		if (!world.to[e][p])
			continue;
		demand(s, s->committed[e][p], "an OK before its commit");
		s->oked[e][p] = true;
	}
}

static void
read_lines(struct simulator *s, struct actor *a)
{
	struct receipt receipt;
	unsigned char *end;
	size_t length;

	while (a->in.length > 0 && (end = memchr(a->in.data, '\n',
	    a->in.length)) != NULL) {
		length = (size_t)(end - a->in.data);
		demand(s, receipt_parse(&receipt, (char *)a->in.data, length),
		    "a line that is none");
		judge_line(s, a, &receipt);
		buffer_consume(&a->in, length + 1);
	}
}

/* ---- sessions ---- */

static void
put_frame(struct actor *a, const struct frame *frame)
{
	frame_put(&a->out, frame);
	assert_false(a->out.failed);
}

static void
take_challenge(struct simulator *s, struct actor *a,
    const struct frame *frame, struct bytes whole)
{
	demand(s, client_challenge(a->client, frame, whole) == E2E_OK,
	    "a relay that is another");
	a->challenged = true;
	if (a->role == FETCHER && s->failure == NULL) {
		a->began = s->clock;
		assert_int_equal(client_auth(a->client, &a->out,
		    world.people[a->person], one_in(s, 2)), E2E_OK);
	}
}

static void
take_receipt(struct simulator *s, struct actor *a, const struct frame *frame)
{
	unsigned char boxes[PEOPLE + 1][E2E_ID_LEN], swap[E2E_ID_LEN];
	struct receipt receipt;
	size_t count = 0, i, k;
	unsigned e;

	if (a->answered >= a->plan_count) {
		broken(s, "a surplus receipt");
		return;
	}
	e = a->plan[a->answered];
	for (i = 0; i <= PEOPLE; i++) {
		if (world.to[e][i])
			memcpy(boxes[count++], e2e_card_id(
			    world.people[i]->card), E2E_ID_LEN);
	}
	for (i = 0; i < count; i++) {
		for (k = i + 1; k < count; k++) {
			if (memcmp(boxes[i], boxes[k], E2E_ID_LEN) > 0) {
				memcpy(swap, boxes[i], E2E_ID_LEN);
				memcpy(boxes[i], boxes[k], E2E_ID_LEN);
				memcpy(boxes[k], swap, E2E_ID_LEN);
			}
		}
	}
	demand(s, client_receipt(a->client, frame, world.ids[e],
	    (const unsigned char (*)[E2E_ID_LEN])boxes, count, &receipt) ==
	    E2E_OK, "a receipt that proves nothing");
	if (s->failure == NULL)
		judge_line(s, a, &receipt);
}

/* False: the body has not come yet. */
static bool
take_item(struct simulator *s, struct actor *a, uint64_t seq,
    const unsigned char *id, uint64_t size, uint64_t offset, bool is_data,
    size_t head)
{
	int e = find_envelope(id);
	const struct buffer *envelope;
	struct kept *kept;

	demand(s, e >= 0 && world.to[e][a->person] &&
	    world.envelopes[e].length == size && offset <= size,
	    "an item that nobody sent");
	if (s->failure != NULL || a->in.length - head < size - offset)
		return false;
	envelope = &world.envelopes[e];
	demand(s, memcmp(a->in.data + head, envelope->data + offset,
	    (size_t)(size - offset)) == 0, "an item was altered");
	if (is_data) {
		a->getting = false;
		demand(s, (unsigned)e == a->get_envelope &&
		    offset == a->get_offset, "another item than asked for");
		s->stats->resumed++;
		return true;
	}
	demand(s, seq > a->last_seq, "items out of order");
	demand(s, s->acked[e][a->person] == 0 ||
	    s->acked[e][a->person] > a->began,
	    "an item that was deleted came again");
	demand(s, s->committed[e][a->person] || s->fault == FAULT_EARLY,
	    "an item before its commit");
	a->last_seq = seq;
	a->empty = false;
	s->fetched[e][a->person] = true;
	s->stats->fetched++;
	if (size > SESSION_PIECE)
		s->stats->streamed++;
	if (a->kept_count < KEPT_MAX) {
		kept = &a->kept[a->kept_count++];
		*kept = (struct kept){ seq, (unsigned)e, false };
	}
	return true;
}

static void
take_acked(struct simulator *s, struct actor *a, const struct frame *frame)
{
	size_t i, k, left = 0;
	struct kept *kept;
	bool hit;

	for (i = 0; i < a->kept_count; i++) {
		kept = &a->kept[i];
		hit = false;
		for (k = 0; k < frame->ack.count; k++)
			hit |= kept->seq >= frame->ack.ranges[k].first &&
			    kept->seq <= frame->ack.ranges[k].last;
		if (!hit) {
			a->kept[left++] = *kept;
			continue;
		}
		demand(s, kept->acking, "deleted without being told to");
		s->acked[kept->envelope][a->person] = ++s->clock;
		s->stats->acked++;
	}
	a->kept_count = left;
}

static bool
is_word(struct bytes text, const char *word)
{
	return text.length == strlen(word) &&
	    memcmp(text.data, word, text.length) == 0;
}

/* False: more bytes are needed. */
static bool
take_frame(struct simulator *s, struct actor *a, const struct frame *f,
    struct bytes whole)
{
	struct frame pong = { .type = FRAME_PONG };

	switch (f->type) {
	case FRAME_CHAL:
		take_challenge(s, a, f, whole);
		break;
	case FRAME_READY:
		a->ready = true;
		break;
	case FRAME_MSG:
		if (!take_item(s, a, f->msg.seq, f->msg.id, f->msg.size, 0,
		    false, whole.length))
			return false;
		buffer_consume(&a->in, (size_t)f->msg.size);
		break;
	case FRAME_DATA:
		if (!take_item(s, a, f->data.seq, f->data.id, f->data.size,
		    f->data.offset, true, whole.length))
			return false;
		buffer_consume(&a->in, (size_t)(f->data.size -
		    f->data.offset));
		break;
	case FRAME_EMPTY:
		if (a->last_seq > 0 && a->began > 0)
			s->stats->pushed++;
		demand(s, !a->empty, "EMPTY twice");
		a->empty = true;
		break;
	case FRAME_ACKED:
		take_acked(s, a, f);
		break;
	case FRAME_RECEIPT:
		take_receipt(s, a, f);
		break;
	case FRAME_PING:
		pong.ping.number = f->ping.number;
		put_frame(a, &pong);
		break;
	case FRAME_PONG:
		break;
	case FRAME_ERROR:
		if (is_word(f->error.code, "gone")) {
			a->getting = false;
			break;
		}
		a->behaves = false;
		demand(s, s->trouble || s->hurry || a->ends,
		    "an ERROR out of nothing");
		break;
	case FRAME_GOAWAY:
		a->behaves = false;
		break;
	default:
		broken(s, "a frame that relays do not send");
		break;
	}
	return true;
}

static void
read_frames(struct simulator *s, struct actor *a)
{
	struct frame frame;
	struct bytes whole;
	size_t length;

	while (s->failure == NULL && a->in.length > 0) {
		switch (frame_parse(&frame, a->in.data, a->in.length,
		    &length)) {
		case FRAME_SHORT:
			return;
		case FRAME_BAD:
			/* Who has not said what he is is answered in text. */
			demand(s, a->refused || (s->hurry && !a->challenged &&
			    a->in.data[0] == 'E'), "bytes that are no frame");
			a->refused = true;
			buffer_clear(&a->in);
			return;
		case FRAME_COMPLETE:
			break;
		}
		whole = (struct bytes){ a->in.data, length };
		if (!take_frame(s, a, &frame, whole))
			return;
		buffer_consume(&a->in, length);
	}
}

/* ---- what fetchers want ---- */

static void
acknowledge(struct simulator *s, struct actor *a, bool all)
{
	struct client_kept kept[KEPT_MAX];
	size_t i, count = 0;

	for (i = 0; i < a->kept_count; i++) {
		if (a->kept[i].acking || (!all && one_in(s, 3)))
			continue;
		a->kept[i].acking = true;
		kept[count].seq = a->kept[i].seq;
		memcpy(kept[count++].id, world.ids[a->kept[i].envelope],
		    HASH_LEN);
	}
	if (count > 0)
		assert_int_equal(client_ack(a->client, &a->out,
		    world.people[a->person], kept, count), E2E_OK);
}

static void
act_fetcher(struct simulator *s, struct actor *a)
{
	struct frame frame = { .type = FRAME_CREDIT };
	const struct kept *kept;

	if (!a->ready || a->ended || a->ends)
		return;
	switch (below(s, 8)) {
	case 0:
	case 1:
		acknowledge(s, a, one_in(s, 2));
		break;
	case 2:
		frame.credit.items = below(s, 4);
		frame.credit.bytes = below(s, 500000);
		put_frame(a, &frame);
		break;
	case 3:
		if (a->kept_count == 0 || a->getting)
			break;
		kept = &a->kept[below(s, a->kept_count)];
		frame.type = FRAME_GET;
		frame.get.seq = kept->seq;
		frame.get.offset = below(s,
		    world.envelopes[kept->envelope].length + 1);
		a->get_envelope = kept->envelope;
		a->get_offset = frame.get.offset;
		a->getting = true;
		put_frame(a, &frame);
		break;
	case 4:
		frame.type = FRAME_PING;
		put_frame(a, &frame);
		break;
	default:
		break;
	}
}

/* ---- who is there ---- */

static void
plan_deposits(struct simulator *s, struct actor *a)
{
	struct frame put = { .type = FRAME_PUT };
	size_t i;
	unsigned e;

	a->plan_count = 1 + below(s, PLAN_MAX);
	for (i = 0; i < a->plan_count; i++) {
		/* Large ones are rare. */
		e = (unsigned)below(s, one_in(s, 3) ? ENVELOPES :
		    ENVELOPES - 3);
		a->plan[i] = e;
		if (a->role == PUTTER)
			put_frame(a, &put);
		(void)buffer_append(&a->out, world.envelopes[e].data,
		    world.envelopes[e].length);
	}
	if (a->role == BARE && one_in(s, 8)) {
		/* The last one is cut off, or junk follows. */
		a->surplus = true;
		if (one_in(s, 2)) {
			a->out.length -= 1 + below(s, 50);
			a->ends = true;
			a->plan_count--;
		} else {
			(void)buffer_append(&a->out, "junk", 4);
		}
	} else {
		a->ends = a->role == BARE && one_in(s, 2);
	}
	assert_false(a->out.failed);
}

static void
come(struct simulator *s, struct actor *a, enum role role)
{
	struct peer_origin origin = { .local = true };
	const unsigned char *box = NULL;

	/* Each address, and all others together, have their share of memory. */
	origin.has_address = one_in(s, 2);
	origin.address[0] = (unsigned char)below(s, 3);
	memset(a, 0, sizeof(*a));
	buffer_init(&a->out, LAB_MAX);
	buffer_init(&a->in, LAB_MAX);
	a->peer = peer_new(s->relay, &origin, a);
	assert_non_null(a->peer);
	a->role = role;
	a->dirty = true;
	a->vanishes = one_in(s, 4);
	a->behaves = !a->vanishes;
	if (role != BARE) {
		a->client = client_new(origin.binding);
		assert_non_null(a->client);
		if (role == FETCHER) {
			a->person = (unsigned)below(s, PEOPLE);
			box = e2e_card_id(world.people[a->person]->card);
		}
		assert_int_equal(client_hello(a->client, &a->out, box,
		    below(s, 10), below(s, 1000000)), E2E_OK);
	}
	if (role != FETCHER)
		plan_deposits(s, a);
}

/* False: nothing to be done. */
static bool
turn_actor(struct simulator *s, struct actor *a)
{
	bool moved = false;

	if (a->vanishes && !s->settling && one_in(s, 60)) {
		s->stats->vanished++;
		hang_up(a);
		return true;
	}
	if (one_in(s, 2) || s->settling)
		moved |= read_socket(s, a);
	if (one_in(s, 2) || s->settling)
		moved |= write_socket(s, a);
	if (a->role == BARE)
		read_lines(s, a);
	else
		read_frames(s, a);
	if (a->role == FETCHER && s->failure == NULL && !s->settling)
		act_fetcher(s, a);
	look(a);
	return moved;
}

static void
turn(struct simulator *s)
{
	struct actor *a = &s->actors[below(s, ACTORS)];
	static const enum role roles[] = { BARE, BARE, PUTTER, FETCHER };

	switch (below(s, 10)) {
	case 0:
	case 1:
	case 2:
		(void)turn_store(s);
		break;
	case 3:
		advance_clock(s);
		break;
	case 4:
		if (one_in(s, 10))
			relay_housekeeping(s->relay);
		if (one_in(s, 5))
			relay_room(s->relay);
		break;
	default:
		if (a->role == NOBODY)
			come(s, a, roles[below(s, 4)]);
		else if (a->closed && peer_output(a->peer).length == 0 &&
		    a->in.length == 0)
			hang_up(a);
		else
			(void)turn_actor(s, a);
		break;
	}
}

/* ---- the end ---- */

/* Everybody goes on until nothing moves any more. The clock stands. */
static void
settle(struct simulator *s)
{
	struct frame credit = { .type = FRAME_CREDIT };
	struct actor *a;
	size_t rounds = 0;
	bool moved = true;

	s->settling = true;
	credit.credit.items = 1000;
	credit.credit.bytes = UINT64_C(1) << 40;
	while (moved && s->failure == NULL) {
		moved = turn_store(s);
		for (a = s->actors; a < s->actors + ACTORS; a++) {
			if (a->role == NOBODY)
				continue;
			moved |= turn_actor(s, a);
			if (a->role != FETCHER || !a->ready ||
			    s->failure != NULL)
				continue;
			acknowledge(s, a, true);
			if (!a->fed)
				put_frame(a, &credit);
			a->fed = true;
		}
		demand(s, ++rounds < SETTLE_MAX, "it never ends");
	}
}

/* Time has not passed, so only store and queue could be in the way. */
static void
judge_behaving(struct simulator *s)
{
	const struct actor *a;
	unsigned e;

	demand(s, s->queued == 0, "jobs are left");
	for (a = s->actors; a < s->actors + ACTORS && !s->hurry; a++) {
		if (a->role == NOBODY || !a->behaves)
			continue;
		if (a->role != FETCHER) {
			demand(s, a->answered == a->plan_count,
			    "who behaved was not answered");
			continue;
		}
		/* Ended amid an envelope: there was no place to say so. */
		if (peer_state(a->peer) != PEER_OPEN)
			continue;
		demand(s, session_find(s->relay, e2e_card_id(
		    world.people[a->person]->card)) == a->peer,
		    "two sessions of one mailbox");
		demand(s, a->ready && a->empty,
		    "a session was not told that it has all");
		for (e = 0; e < ENVELOPES; e++)
			demand(s, !s->committed[e][a->person] ||
			    s->fetched[e][a->person],
			    "mail was not pushed");
	}
}

/* The last session of everybody takes all that is left. */
static void
fetch_all(struct simulator *s)
{
	struct actor *a = &s->actors[0];
	unsigned p, e;

	for (p = 0; p < PEOPLE && s->failure == NULL; p++) {
		come(s, a, FETCHER);
		client_free(a->client);
		a->client = client_new((const unsigned char[32]){ 0 });
		assert_non_null(a->client);
		a->person = p;
		a->vanishes = false;
		buffer_clear(&a->out);
		assert_int_equal(client_hello(a->client, &a->out,
		    e2e_card_id(world.people[p]->card), 1000,
		    UINT64_C(1) << 40), E2E_OK);
		settle(s);
		demand(s, a->empty && a->kept_count == 0,
		    "the last session was not served");
		hang_up(a);
		for (e = 0; e < ENVELOPES; e++)
			demand(s, !s->oked[e][p] || s->fetched[e][p],
			    "what was OKed is lost");
	}
}

static void
clean_up(struct simulator *s)
{
	struct actor *a;

	for (a = s->actors; a < s->actors + ACTORS; a++) {
		if (a->role != NOBODY)
			hang_up(a);
	}
	while (turn_store(s) || s->queued > 0)
		;
	relay_room(s->relay);
	while (turn_store(s))
		;
	demand(s, s->relay->memory == 0 && s->relay->starved_memory == 0,
	    "memory is still held");
	demand(s, relay_is_idle(s->relay), "something is still under way");
	demand(s, relay_counters(s->relay)->peers == 0 &&
	    relay_counters(s->relay)->authenticated == 0,
	    "somebody is still counted");
	relay_free(s->relay);
	s->store->ops->close(s->store);
}

/* ---- a run ---- */

static struct e2e_identity *
copy_relay(void)
{
	struct e2e_identity *copy;
	const struct e2e_kdf_cost cost = { 0, 0, 0 };
	char *text;
	size_t length;

	assert_int_equal(e2e_identity_text(world.relay, NULL, 0, cost, &text,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&copy, text, length), E2E_OK);
	e2e_secret_free(text);
	return copy;
}

static void
enroll_people(struct simulator *s)
{
	struct store_job job;
	const struct e2e_card *card;
	unsigned p;

	for (p = 0; p < PEOPLE; p++) {
		card = world.people[p]->card;
		memset(&job, 0, sizeof(job));
		job.kind = JOB_ENROLL;
		memcpy(job.enroll.card.id, e2e_card_id(card), E2E_ID_LEN);
		job.enroll.card.serial = e2e_card_serial(card);
		job.enroll.card.card = buffer_bytes(&card->encoded);
		job.enroll.card.registered = s->wall;
		assert_int_equal(relay_lab_do(s->store, &job), E2E_OK);
	}
}

static void
set_up(struct simulator *s)
{
	struct relay_host host = {
		.context = s, .submit = on_submit, .wake = on_wake,
		.report = on_report
	};
	struct relay_policy policy;
	unsigned t;

	relay_policy_default(&policy);
	policy.attempts = (uint32_t)(1 + below(s, 6));
	policy.rate_mailbox = 0;
	s->trouble = one_in(s, 5);
	s->hurry = one_in(s, 4);
	s->queue_max = one_in(s, 3) ? 1 + below(s, 4) : 100;
	if (one_in(s, 4))
		policy.memory = 600000 + below(s, 1200000);
	for (t = 0; t < 2; t++) {
		s->threads[t].waiting_end = &s->threads[t].waiting;
		s->threads[t].done_end = &s->threads[t].done;
	}
	s->wall = RELAY_LAB_WALL;
	s->steady = 1 + below(s, 100000);
	s->clock = 1;
	assert_int_equal(store_model_open(&s->store), E2E_OK);
	assert_int_equal(relay_new(&s->relay, copy_relay(), NULL, 0, &policy,
	    false, &host), E2E_OK);
	relay_set_time(s->relay, s->wall, s->steady);
	enroll_people(s);
}

const char *
simulator_run(uint64_t seed, enum simulator_fault fault,
    struct simulator_stats *stats)
{
	struct simulator *s = calloc(1, sizeof(*s));
	struct actor *a;
	const char *failure;
	size_t i;

	assert_non_null(s);
	s->random = seed;
	s->fault = fault;
	s->stats = stats;
	set_up(s);
	for (i = 0; i < STEPS && s->failure == NULL; i++)
		turn(s);
	if (s->failure == NULL)
		settle(s);
	if (s->failure == NULL)
		judge_behaving(s);
	for (a = s->actors; a < s->actors + ACTORS; a++) {
		if (a->role != NOBODY)
			hang_up(a);
	}
	s->trouble = false;
	if (s->failure == NULL)
		settle(s);
	if (s->failure == NULL)
		fetch_all(s);
	clean_up(s);
	stats->runs++;
	failure = s->failure;
	free(s);
	return failure;
}

void
simulator_begin(void)
{
	/* By envelope: whose it is, as bits; the last three are large. */
	static const unsigned to[ENVELOPES] = {
		1, 2, 4, 3, 5, 6, 7, 8, 9, 15, 1, 2, 4, 1, 2, 4, 1, 1, 2, 7
	};
	static const size_t sizes[ENVELOPES] = {
		1, 50, 100, 500, 1000, 2000, 3000, 10, 20, 30, 16384, 20000,
		40000, 0, 5, 7, 9, 300000, 150000, 600000
	};
	const struct e2e_identity *people[PEOPLE + 1];
	size_t e, p, count;

	for (p = 0; p <= PEOPLE; p++)
		world.people[p] = lab_fixed_identity((unsigned char)(40 + p),
		    (unsigned char)(50 + p), "", 1700000000);
	world.relay = lab_fixed_identity(60, 61, "relay", 1700000000);
	for (e = 0; e < ENVELOPES; e++) {
		count = 0;
		for (p = 0; p <= PEOPLE; p++) {
			world.to[e][p] = to[e] >> p & 1;
			if (world.to[e][p])
				people[count++] = world.people[p];
		}
		world.envelopes[e] = relay_lab_envelope(sizes[e], people,
		    count);
		assert_int_equal(hash_sha256(world.ids[e],
		    world.envelopes[e].data, world.envelopes[e].length),
		    E2E_OK);
	}
}

void
simulator_end(void)
{
	size_t e, p;

	for (e = 0; e < ENVELOPES; e++)
		buffer_free(&world.envelopes[e]);
	for (p = 0; p <= PEOPLE; p++)
		e2e_identity_free(world.people[p]);
	e2e_identity_free(world.relay);
}
