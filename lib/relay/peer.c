/*
 * One connection: what came and could not be looked at yet, what is to be
 * sent, and the clocks that run.
 *
 * Input is processed as it comes, without a copy; what has to wait (the rest
 * of a frame, anything behind something that is blocked) is kept in `pending`,
 * and goes through the same function when its time has come.
 */
#include "relay/peer.h"

#include <stdlib.h>
#include <string.h>

static const unsigned char envelope_prefix[FRAME_START_LEN] = {
	0xda, 0x65, 0x32, 0x65, 0x31
};

/* The price of an idle connection. */
_Static_assert(sizeof(struct peer) <= 512, "struct peer has grown");

/* ---- waiting for memory ---- */

static void
join_starved(struct peer *p)
{
	struct address *a = p->address;

	chain_add(&a->starved, &p->starved);
	if (chain_is_empty(&a->hungry))
		chain_add(&p->relay->hungry, &a->hungry);
	relay_starve(p->relay, a, p->held, 0);
}

static void
leave_starved(struct peer *p)
{
	struct address *a = p->address;

	if (chain_is_empty(&p->starved))
		return;
	chain_remove(&p->starved);
	if (chain_is_empty(&a->starved))
		chain_remove(&a->hungry);
	relay_starve(p->relay, a, 0, p->held);
}

bool
peer_starves(struct peer *p)
{
	const struct relay *r = p->relay;

	if (!relay_memory_short(r, p->address, p->held)) {
		p->starved_since = 0;
		return false;
	}
	/* Who waits keeps what was read: of that, too, there is an end. */
	if (p->starved_since == 0)
		p->starved_since = relay_memory_over(r, p->address, 0) ? 1 :
		    r->steady;
	if (r->steady - p->starved_since >= PEER_STARVE_MS)
		return false;
	join_starved(p);
	return true;
}

void
peer_feed(struct peer *p)
{
	leave_starved(p);
	peer_resume(p);
}

/* ---- made and freed ---- */

struct peer *
peer_new(struct relay *r, const struct peer_origin *origin, void *data)
{
	struct peer *p;

	if (r->counters.peers >= r->policy.connections)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->address = origin_take(r, origin);
	if (p->address == NULL) {
		free(p);
		return NULL;
	}
	p->relay = r;
	p->data = data;
	p->origin = *origin;
	p->begun = r->steady;
	chain_init(&p->woken);
	chain_init(&p->starved);
	chain_init(&p->tasks);
	chain_add(&r->peers, &p->all);
	buffer_init(&p->pending, PEER_PENDING_MAX);
	buffer_init(&p->output, PEER_OUTPUT_MAX);
	r->counters.connections++;
	r->counters.peers++;
	return p;
}

void
peer_free(struct peer *p)
{
	struct relay *r;

	if (p == NULL)
		return;
	r = p->relay;
	relay_enter(r, p);
	p->closing = true;
	deposit_abandon(p);
	session_free(p);
	while (!chain_is_empty(&p->tasks))
		task_leave(CHAIN_OF(p->tasks.next, struct task, of_peer));
	leave_starved(p);
	relay_account(r, p->address, &p->held, 0);
	chain_remove(&p->all);
	origin_give(p->address);
	chain_remove(&p->woken);
	transit_free(p->transit);
	buffer_free(&p->pending);
	buffer_free(&p->output);
	free(p);
	r->counters.peers--;
	relay_leave(r);
}

void *
peer_data(const struct peer *p)
{
	return p->data;
}

void
peer_set_data(struct peer *p, void *data)
{
	p->data = data;
}

/* ---- input ---- */

/* What is kept for this peer apart from its deposits. */
void
peer_account(struct peer *p)
{
	size_t now = p->pending.capacity +
	    (p->transit != NULL ? transit_held(p->transit) : 0);

	if (!chain_is_empty(&p->starved))
		relay_starve(p->relay, p->address, now, p->held);
	relay_account(p->relay, p->address, &p->held, now);
}

bool
peer_is_blocked(const struct peer *p)
{
	if (p->waiting > 0 || !chain_is_empty(&p->starved))
		return true;
	if (p->mode == MODE_SESSION && session_blocked(p))
		return true;
	return arrival_blocked(p);
}

/* The first bytes tell what this is going to be. False: too few. */
static bool
tell_mode(struct peer *p, const unsigned char *data, size_t size)
{
	size_t length = size < FRAME_START_LEN ? size : FRAME_START_LEN;
	bool bare = memcmp(data, envelope_prefix, length) == 0;
	bool session = memcmp(data, frame_start, length) == 0;

	if (!bare && !session) {
		p->mode = MODE_BARE;
		arrival_malformed(p, "neither an envelope nor a session");
		return true;
	}
	if (length < FRAME_START_LEN)
		return false;
	p->mode = bare ? MODE_BARE : MODE_SESSION;
	if (session && !session_begin(p))
		peer_lose(p);
	return true;
}

/* One step; *taken of the bytes. False: nothing to do with what is there. */
static bool
step(struct peer *p, const unsigned char *data, size_t size, size_t *taken)
{
	*taken = 0;
	if (p->mode == MODE_FRESH)
		return tell_mode(p, data, size);
	if (p->mode == MODE_BARE || p->arriving != NULL || p->skipping) {
		if (p->arriving == NULL && !p->skipping && peer_starves(p))
			return false;
		*taken = arrival_feed(p, data, size);
		return true;
	}
	*taken = session_input(p, data, size);
	return *taken > 0;
}

static size_t
process(struct peer *p, const unsigned char *data, size_t size)
{
	size_t at = 0, taken;
	bool more = true;

	p->working = true;
	while (more && at < size && !p->closing && !peer_is_blocked(p)) {
		more = step(p, data + at, size - at, &taken);
		at += taken;
		p->early -= taken < p->early ? taken : p->early;
	}
	p->working = false;
	return p->closing ? size : at;
}

static void
process_pending(struct peer *p)
{
	struct buffer *b = &p->pending;

	if (b->length == 0)
		return;
	buffer_consume(b, process(p, b->data, b->length));
	if (b->length == 0)
		buffer_free(b);
}

static void go_on(struct peer *p);

void
peer_input(struct peer *p, const void *data, size_t size)
{
	size_t taken = 0;

	relay_enter(p->relay, p);
	if (size > 0 && p->state != PEER_CLOSED) {
		p->last_input = p->relay->steady;
		p->in.bytes += size;
		if (p->pending.length == 0)
			taken = process(p, data, size);
		if (taken < size && !buffer_append(&p->pending,
		    (const unsigned char *)data + taken, size - taken))
			peer_lose(p);
		peer_update(p);
		go_on(p);
	}
	relay_leave(p->relay);
}

void
peer_end(struct peer *p)
{
	relay_enter(p->relay, p);
	p->ended = true;
	peer_update(p);
	relay_leave(p->relay);
}

bool
peer_wants_input(const struct peer *p)
{
	if (p->state == PEER_CLOSED || p->ended)
		return false;
	return p->closing || !peer_is_blocked(p);
}

/*
 * Answers that go out make room for more of what was read: until neither
 * moves, or what was read would grow beyond its limit, although nothing is in
 * its way.
 */
static void
go_on(struct peer *p)
{
	size_t before;

	do {
		before = p->pending.length;
		process_pending(p);
		peer_update(p);
	} while (p->pending.length > 0 && p->pending.length < before);
}

void
peer_resume(struct peer *p)
{
	/* An answer that came at once: whoever is at work here goes on. */
	if (!p->working)
		go_on(p);
	relay_wake(p);
}

/* ---- output ---- */

size_t
peer_backlog(const struct peer *p)
{
	return p->output.length - p->output_at;
}

struct buffer *
peer_put(struct peer *p)
{
	if (p->state != PEER_OPEN)
		return NULL;
	if (p->output_at > p->output.length / 2) {
		buffer_consume(&p->output, p->output_at);
		p->output_at = 0;
	}
	return &p->output;
}

static void
drop_output(struct peer *p)
{
	buffer_free(&p->output);
	p->output_at = 0;
}

struct bytes
peer_output(struct peer *p)
{
	if (peer_backlog(p) == 0)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ p->output.data + p->output_at,
	    peer_backlog(p) };
}

void
peer_sent(struct peer *p, size_t size)
{
	relay_enter(p->relay, p);
	if (size > peer_backlog(p))
		size = peer_backlog(p);
	p->output_at += size;
	p->sent_total += size;
	p->out.bytes += size;
	p->last_sent = p->relay->steady;
	if (peer_backlog(p) == 0)
		drop_output(p);
	go_on(p);
	relay_leave(p->relay);
}

/* ---- states ---- */

enum peer_state
peer_state(const struct peer *p)
{
	return p->state;
}

void
peer_close(struct peer *p)
{
	p->closing = true;
	arrival_drop(p);
}

void
peer_lose(struct peer *p)
{
	peer_close(p);
	p->state = PEER_CLOSED;
	drop_output(p);
}

/* Does the store still owe an answer? */
static bool
is_owed(const struct peer *p)
{
	return p->first != NULL || p->waiting > 0 ||
	    (p->session != NULL && session_is_owed(p));
}

static void
end_writing(struct peer *p)
{
	p->state = p->ended ? PEER_CLOSED : PEER_HALF_CLOSED;
	p->half_at = p->relay->steady;
}

/* Input that has ended within something. */
static void
take_end(struct peer *p)
{
	if (p->mode == MODE_FRESH && p->pending.length > 0) {
		p->mode = MODE_BARE;
		arrival_malformed(p, "the envelope was cut off");
	} else if (p->arriving != NULL || p->skipping) {
		arrival_malformed(p, "the envelope was cut off");
	}
	peer_close(p);
}

void
peer_update(struct peer *p)
{
	if (p->state == PEER_CLOSED)
		goto out;
	deposit_flush(p);
	if (p->session != NULL)
		session_update(p);
	if (p->output.failed || p->pending.failed) {
		peer_lose(p);
		goto out;
	}
	if (p->ended && !p->closing && !peer_is_blocked(p)) {
		take_end(p);
		deposit_flush(p);
	}
	if (p->state == PEER_HALF_CLOSED && p->ended && p->closing)
		p->state = PEER_CLOSED;
	if (p->state == PEER_OPEN && !is_owed(p) && (p->closing ||
	    deadline_has_lingered(p))) {
		if (p->session != NULL)
			session_last_words(p);
		end_writing(p);
	}
	if (p->closing)
		buffer_free(&p->pending);
	if (p->pending.length < p->early)
		p->early = p->pending.length;
out:
	if (p->arriving == NULL && !p->skipping) {
		transit_free(p->transit);
		p->transit = NULL;
	}
	peer_account(p);
	deadline_set(p);
}

void
peer_tick(struct peer *p)
{
	relay_enter(p->relay, p);
	deadline_tick(p);
	peer_update(p);
	relay_leave(p->relay);
}
