/*
 * The clocks that run for a connection: how long it may take to begin, to go
 * on, to read, to say nothing.
 */
#include "relay/peer.h"

static bool
is_partial(const struct peer *p)
{
	if (p->closing || peer_is_blocked(p))
		return false;
	if (p->arriving != NULL || p->skipping)
		return transit_state(p->transit) == TRANSIT_HEADER;
	return p->pending.length > 0;
}

void
deadline_set(struct peer *p)
{
	uint64_t now = p->relay->steady;
	bool partial = is_partial(p);

	if (!partial)
		p->part_begun = 0;
	else if (p->part_begun == 0)
		p->part_begun = now;
	if (!partial && (p->closing || peer_is_blocked(p) ||
	    (p->arriving == NULL && !p->skipping)))
		p->in.start = 0;
	else if (p->in.start == 0)
		p->in = (struct window){ now, 0 };
	if (peer_backlog(p) == 0)
		p->out.start = 0;
	else if (p->out.start == 0)
		p->out = (struct window){ now, 0 };
}

bool
deadline_has_lingered(const struct peer *p)
{
	const struct relay *r = p->relay;

	if (p->mode == MODE_FRESH)
		return r->draining && p->pending.length == 0;
	return p->mode == MODE_BARE && p->arriving == NULL && !p->skipping &&
	    p->pending.length == 0 && (r->draining ||
	    r->steady - p->last_input >= r->policy.linger_ms);
}

static void
sooner(uint64_t *deadline, uint64_t since, uint64_t after)
{
	if (since != 0 && (*deadline == 0 || since + after < *deadline))
		*deadline = since + after;
}

/* An envelope that is on its way when the drain ends may still come, as long
 * as it does come. */
static uint64_t
drain_since(const struct peer *p)
{
	return !p->closing && p->arriving != NULL &&
	    p->last_input > p->half_at ? p->last_input : p->half_at;
}

uint64_t
peer_deadline(const struct peer *p)
{
	const struct relay_policy *policy = &p->relay->policy;
	uint64_t deadline = 0;

	sooner(&deadline, p->out.start, PEER_WINDOW_MS);
	if (p->state == PEER_CLOSED)
		return deadline;
	sooner(&deadline, p->in.start, PEER_WINDOW_MS);
	sooner(&deadline, p->part_begun, policy->header_ms);
	if (!chain_is_empty(&p->starved))
		sooner(&deadline, p->starved_since, PEER_STARVE_MS);
	if (p->state == PEER_HALF_CLOSED)
		sooner(&deadline, drain_since(p), policy->drain_ms);
	else if (p->mode == MODE_FRESH && p->pending.length == 0)
		sooner(&deadline, p->begun, policy->unauthenticated_ms);
	else if (p->mode == MODE_BARE && p->first == NULL &&
	    p->arriving == NULL && !p->skipping && p->pending.length == 0)
		sooner(&deadline, p->last_input, policy->linger_ms);
	if (p->session != NULL && p->state == PEER_OPEN && !p->closing)
		session_deadline(p, &deadline);
	return deadline;
}

static bool
is_over(const struct peer *p, uint64_t since, uint64_t after)
{
	return since != 0 && p->relay->steady >= since + after;
}

/* Slower than the policy over a whole window? Begins the next one. */
static bool
is_slow(const struct peer *p, struct window *w)
{
	uint64_t least = (uint64_t)p->relay->policy.slow_bytes *
	    PEER_WINDOW_MS / 1000;

	if (!is_over(p, w->start, PEER_WINDOW_MS))
		return false;
	if (w->bytes < least)
		return true;
	*w = (struct window){ p->relay->steady, 0 };
	return false;
}

static void
tell_broken(struct peer *p, const char *code)
{
	struct relay_report report = {
		.event = RELAY_BROKEN, .peer = p, .code = code
	};

	p->relay->counters.errors++;
	relay_tell(p->relay, &report);
}

/* Says so, since the peer may just have been cut off. */
static void
end_header(struct peer *p)
{
	tell_broken(p, "timeout");
	if (p->mode == MODE_SESSION && p->arriving == NULL && !p->skipping) {
		session_fail(p, "timeout", "a frame did not come in time");
		return;
	}
	if (p->mode == MODE_FRESH)
		p->mode = MODE_BARE;
	arrival_malformed(p, "the header did not come in time");
}

void
deadline_tick(struct peer *p)
{
	const struct relay_policy *policy = &p->relay->policy;
	bool open = p->state == PEER_OPEN;

	/* It is told that there is no memory, or finds that there is. */
	if (!chain_is_empty(&p->starved) && is_over(p, p->starved_since,
	    PEER_STARVE_MS))
		peer_feed(p);
	/* This one gets to know why; being too slow to read it is another. */
	if (open && is_over(p, p->part_begun, policy->header_ms))
		end_header(p);
	if (is_slow(p, &p->out) || (!p->closing && is_slow(p, &p->in))) {
		tell_broken(p, "slow");
		peer_lose(p);
	} else if (p->state == PEER_HALF_CLOSED && (is_over(p,
	    drain_since(p), policy->drain_ms) || is_over(p, p->part_begun,
	    policy->header_ms))) {
		peer_close(p);
		p->state = PEER_CLOSED;
	} else if (open && p->mode == MODE_FRESH && p->pending.length == 0 &&
	    is_over(p, p->begun, policy->unauthenticated_ms)) {
		peer_lose(p);
	} else if (open && p->session != NULL && !p->closing) {
		session_tick(p);
	}
}
