/*
 * A session: the frames that come, and its clocks.
 *
 * Questions that only the store can answer (AUTH, REGISTER, LOOKUP, REVOKE,
 * GET) are worked on one at a time: while one is under way the frames behind
 * it wait. Deposits and acknowledgements are not waited for.
 */
#include "relay/peer.h"

#include <stdlib.h>
#include <string.h>

bool
session_begin(struct peer *p)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return false;
	s->peer = p;
	s->useful = p->relay->steady;
	chain_init(&s->by_mailbox);
	buffer_init(&s->handshake, 2 * FRAME_MAX);
	buffer_init(&s->held, PEER_OUTPUT_MAX);
	p->session = s;
	return true;
}

void
session_free(struct peer *p)
{
	struct session *s = p->session;

	if (s == NULL)
		return;
	delivery_end(p);
	auth_free(s->settling);
	e2e_card_free(s->card);
	buffer_free(&s->handshake);
	buffer_free(&s->held);
	free(s);
	p->session = NULL;
}

struct peer *
session_find(const struct relay *r, const unsigned char box[E2E_ID_LEN])
{
	const struct chain *chain = relay_mailbox_chain(r, box);
	struct chain *at;
	struct session *s;

	for (at = chain->next; at != chain; at = at->next) {
		s = CHAIN_OF(at, struct session, by_mailbox);
		if (memcmp(s->mailbox, box, E2E_ID_LEN) == 0)
			return s->peer;
	}
	return NULL;
}

/* ---- output and the end ---- */

struct buffer *
session_output(struct peer *p)
{
	struct buffer *out = peer_put(p);

	return out != NULL && p->session->stream.active ?
	    &p->session->held : out;
}

void
session_put(struct peer *p, const struct frame *frame)
{
	struct buffer *out = session_output(p);

	if (out != NULL)
		frame_put(out, frame);
}

void
session_fail(struct peer *p, const char *code, const char *text)
{
	struct relay_report report = {
		.event = RELAY_BROKEN, .peer = p, .code = code
	};

	if (p->closing)
		return;
	p->last_code = code;
	p->last_text = text;
	p->relay->counters.errors++;
	relay_tell(p->relay, &report);
	peer_close(p);
}

void
session_unreadable(struct peer *p)
{
	session_fail(p, "store", "the store cannot be read");
}

void
session_last_words(struct peer *p)
{
	struct buffer *out;

	/* Amid an envelope there is no place for a frame. */
	if (p->last_code == NULL || p->session->stream.active)
		return;
	if ((out = session_output(p)) != NULL)
		frame_put_error(out, p->last_code, p->last_text);
	p->last_code = NULL;
}

void
session_goaway(struct peer *p, const char *reason, uint64_t retry)
{
	struct buffer *out;

	if (p->session->leaving)
		return;
	p->session->leaving = true;
	if ((out = session_output(p)) != NULL)
		frame_put_goaway(out, reason, retry);
}

bool
session_is_owed(const struct peer *p)
{
	const struct session *s = p->session;

	return s->acks > 0 || s->busy;
}

/* ---- the other frames ---- */

static void
take_ping(struct peer *p, const struct frame *frame)
{
	struct frame pong = { .type = FRAME_PONG };

	pong.ping.number = frame->ping.number;
	session_put(p, &pong);
}

/* The owner was told how much was dropped, and is still there. */
static void
settle_told(struct peer *p)
{
	struct session *s = p->session;

	if (s->told > 0 && s->state == SESSION_READY)
		acknowledge_told(p);
}

static bool
needs_ready(enum frame_type type)
{
	return type == FRAME_ACK || type == FRAME_GET ||
	    type == FRAME_CREDIT || type == FRAME_REGISTER;
}

static void
take_frame(struct peer *p, const struct frame *frame, struct bytes whole)
{
	struct session *s = p->session;

	if ((s->state == SESSION_NEW) != (frame->type == FRAME_HELLO)) {
		session_fail(p, "syntax", "HELLO comes first, and once");
		return;
	}
	if (needs_ready(frame->type) && s->state != SESSION_READY) {
		session_fail(p, "auth", "this needs AUTH");
		return;
	}
	switch (frame->type) {
	case FRAME_HELLO:
		auth_hello(p, frame, whole);
		break;
	case FRAME_AUTH:
		auth_take(p, frame, whole);
		break;
	case FRAME_ACK:
		acknowledge_take(p, frame);
		break;
	case FRAME_GET:
		delivery_get(p, frame->get.seq, frame->get.offset);
		break;
	case FRAME_CREDIT:
		delivery_credit(p, frame->credit.items, frame->credit.bytes);
		break;
	case FRAME_PUT:
		s->useful = p->relay->steady;
		(void)arrival_begin(p, frame);
		break;
	case FRAME_REGISTER:
		directory_register(p, frame);
		break;
	case FRAME_LOOKUP:
		s->useful = p->relay->steady;
		directory_lookup(p, frame);
		break;
	case FRAME_REVOKE:
		s->useful = p->relay->steady;
		directory_revoke(p, frame);
		break;
	case FRAME_PING:
		take_ping(p, frame);
		break;
	case FRAME_PONG:
		break;
	case FRAME_GOAWAY:
	case FRAME_ERROR:
		peer_close(p);
		break;
	default:
		session_fail(p, "syntax", "a frame that clients do not send");
		break;
	}
}

size_t
session_input(struct peer *p, const unsigned char *data, size_t size)
{
	struct frame frame;
	size_t length = 0;

	p->session->pinged = false;
	switch (frame_parse(&frame, data, size, &length)) {
	case FRAME_SHORT:
		return 0;
	case FRAME_BAD:
		session_fail(p, "syntax", "not a frame");
		return size;
	case FRAME_COMPLETE:
		break;
	}
	if (frame.type == FRAME_PUT && peer_starves(p))
		return 0;
	p->part_begun = 0;
	take_frame(p, &frame, (struct bytes){ data, length });
	if (!p->closing)
		settle_told(p);
	return length;
}

bool
session_blocked(const struct peer *p)
{
	const struct session *s = p->session;

	return s->busy || s->get_pending || s->acks >= PEER_ACKS_MAX ||
	    s->held.length >= PEER_OUTPUT_HIGH;
}

/* ---- clocks ---- */

void
session_update(struct peer *p)
{
	struct session *s = p->session;

	if (s->held.failed) {
		peer_lose(p);
		return;
	}
	if (p->first != NULL || p->arriving != NULL || s->busy)
		s->useful = p->relay->steady;
	if (p->state == PEER_OPEN && !p->closing)
		delivery_pump(p);
	/* Told to go, and nothing is under way any more: the write side ends,
	 * what is acknowledged now is still deleted. */
	if (s->leaving && !p->closing && p->state == PEER_OPEN &&
	    p->first == NULL && p->arriving == NULL && !p->skipping &&
	    p->early == 0 && s->stream.task == NULL && !s->get_pending &&
	    !session_is_owed(p)) {
		p->state = p->ended ? PEER_CLOSED : PEER_HALF_CLOSED;
		p->half_at = p->relay->steady;
	}
}

static uint64_t
last_traffic(const struct peer *p)
{
	return p->last_sent > p->last_input ? p->last_sent : p->last_input;
}

void
session_deadline(const struct peer *p, uint64_t *deadline)
{
	const struct session *s = p->session;
	const struct relay_policy *policy = &p->relay->policy;
	uint64_t at;

	if (s->card == NULL)
		at = s->useful + policy->unauthenticated_ms;
	else if (s->pinged)
		at = s->pinged_at + policy->idle_ms;
	else
		at = last_traffic(p) + policy->idle_ms;
	if (*deadline == 0 || at < *deadline)
		*deadline = at;
}

void
session_tick(struct peer *p)
{
	struct session *s = p->session;
	const struct relay_policy *policy = &p->relay->policy;
	struct frame ping = { .type = FRAME_PING };
	uint64_t now = p->relay->steady;

	if (s->card == NULL) {
		if (now >= s->useful + policy->unauthenticated_ms &&
		    p->first == NULL && p->arriving == NULL && !s->busy)
			session_fail(p, "timeout", "nothing was asked for");
	} else if (s->pinged) {
		if (now >= s->pinged_at + policy->idle_ms)
			session_fail(p, "timeout", "nobody answers");
	} else if (now >= last_traffic(p) + policy->idle_ms) {
		s->pinged = true;
		s->pinged_at = now;
		ping.ping.number = now;
		session_put(p, &ping);
	}
}
