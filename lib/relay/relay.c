/*
 * The relay as a whole: what its connections share, the jobs that are on
 * their way to the store and back, and the list of peers that the host is
 * still to be told about.
 *
 * That list is worked off when everything else of a call is done: the host
 * may answer a wake-up by closing that very connection.
 */
#include "relay/peer.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

enum {
	RATE_ADDRESS_PLACES = 8192,
	RATE_MAILBOX_PLACES = 32768,
	EXPIRE_ROWS = 1000,		/* in one transaction */
	SHARE_LEAST = 3 * STORE_PIECE_LEN	/* an upload, and its header */
};

void
relay_policy_default(struct relay_policy *policy)
{
	*policy = (struct relay_policy){
		.registration = FRAME_OPEN,
		.envelope_max = UINT64_C(64) << 20,
		.ttl = UINT64_C(30) * 86400,
		.box_bytes = UINT64_C(1) << 30,
		.box_items = 100000,
		.disk_low = UINT64_C(256) << 20,
		.connections = 10000,
		.connections_each = 256,
		.rate_address = 200, .burst_address = 2000,
		.rate_mailbox = 100, .burst_mailbox = 1000,
		.memory = UINT64_C(64) << 20,
		.header_ms = 10000,
		.slow_bytes = 1024,
		.idle_ms = 60000,
		.unauthenticated_ms = 15000,
		.linger_ms = 2000,
		.drain_ms = 2000,
		.attempts = 5
	};
}

/* ---- made and freed ---- */

static struct chain *
new_table(void)
{
	struct chain *table = calloc(RELAY_TABLE, sizeof(*table));
	size_t i;

	for (i = 0; table != NULL && i < RELAY_TABLE; i++)
		chain_init(&table[i]);
	return table;
}

/* New tables forget who was slowed down: only when the limits changed. */
static enum e2e_error
set_rates(struct relay *r, const struct relay_policy *p)
{
	struct rate *address = rate_new(p->rate_address,
	    p->burst_address > 0 ? p->burst_address : 1, RATE_ADDRESS_PLACES);
	struct rate *mailbox = rate_new(p->rate_mailbox,
	    p->burst_mailbox > 0 ? p->burst_mailbox : 1, RATE_MAILBOX_PLACES);

	if (address == NULL || mailbox == NULL) {
		rate_free(address);
		rate_free(mailbox);
		return E2E_ERR_MEMORY;
	}
	rate_free(r->rate_address);
	rate_free(r->rate_mailbox);
	r->rate_address = address;
	r->rate_mailbox = mailbox;
	return E2E_OK;
}

static enum e2e_error
copy_successions(struct relay *r, const struct frame_succession *successions,
    size_t count)
{
	struct buffer *b = &r->succession_bytes;
	size_t i, size = 0;

	if (count > FRAME_SUCCESSIONS_MAX)
		count = FRAME_SUCCESSIONS_MAX;	/* the newest come first */
	for (i = 0; i < count; i++)
		size += successions[i].card.length +
		    successions[i].statement.length;
	if (size > 0 && !buffer_reserve(b, size))
		return E2E_ERR_MEMORY;
	for (i = 0; i < count; i++) {
		struct frame_succession *to = &r->successions[i];

		to->card.data = b->data + b->length;
		to->card.length = successions[i].card.length;
		(void)buffer_append(b, successions[i].card.data,
		    to->card.length);
		to->statement.data = b->data + b->length;
		to->statement.length = successions[i].statement.length;
		(void)buffer_append(b, successions[i].statement.data,
		    to->statement.length);
	}
	r->succession_count = count;
	return b->failed ? E2E_ERR_MEMORY : E2E_OK;
}

enum e2e_error
relay_new(struct relay **relay, struct e2e_identity *identity,
    const struct frame_succession *successions, size_t succession_count,
    const struct relay_policy *policy, bool has_tls,
    const struct relay_host *host)
{
	struct relay *r = calloc(1, sizeof(*r));
	enum e2e_error error = E2E_ERR_MEMORY;

	*relay = NULL;
	if (r == NULL) {
		e2e_identity_free(identity);
		return error;
	}
	r->identity = identity;		/* transferred */
	r->policy = *policy;
	r->has_tls = has_tls;
	r->host = *host;
	r->free_space = UINT64_MAX;
	r->waiting_end = &r->waiting;
	chain_init(&r->peers);
	chain_init(&r->woken);
	chain_init(&r->hungry);
	chain_init(&r->local.all);
	chain_init(&r->local.hungry);
	chain_init(&r->local.starved);
	chain_init(&r->settling);
	buffer_init(&r->succession_bytes, FRAME_MAX);
	r->by_address = new_table();
	r->by_mailbox = new_table();
	if (r->by_address != NULL && r->by_mailbox != NULL)
		error = copy_successions(r, successions, succession_count);
	if (error == E2E_OK)
		error = set_rates(r, policy);
	if (error == E2E_OK && !random_bytes(&r->table_key,
	    sizeof(r->table_key)))
		error = E2E_ERR_CRYPTO;
	if (error != E2E_OK) {
		relay_free(r);
		return error;
	}
	*relay = r;
	return E2E_OK;
}

void
relay_free(struct relay *r)
{
	if (r == NULL)
		return;
	e2e_identity_free(r->identity);
	buffer_free(&r->succession_bytes);
	rate_free(r->rate_address);
	rate_free(r->rate_mailbox);
	free(r->by_address);
	free(r->by_mailbox);
	free(r);
}

void
relay_set_policy(struct relay *r, const struct relay_policy *policy)
{
	const struct relay_policy *old = &r->policy;

	/* Without memory for new tables the old rates stay. */
	if (old->rate_address != policy->rate_address ||
	    old->burst_address != policy->burst_address ||
	    old->rate_mailbox != policy->rate_mailbox ||
	    old->burst_mailbox != policy->burst_mailbox)
		(void)set_rates(r, policy);
	r->policy = *policy;
}

void
relay_set_time(struct relay *r, uint64_t wall, uint64_t steady)
{
	r->now = wall;
	/* 0 means "never" in what is remembered. */
	r->steady = steady > 0 ? steady : 1;
}

void
relay_set_free_space(struct relay *r, uint64_t bytes)
{
	r->free_space = bytes;
}

const struct relay_counters *
relay_counters(const struct relay *r)
{
	return &r->counters;
}

/* ---- calls from outside ---- */

void
relay_enter(struct relay *r, struct peer *peer)
{
	r->current = peer;
}

/* All of a ring becomes a ring of its own. */
static void
take_chain(struct chain *to, struct chain *from)
{
	chain_init(to);
	chain_add(from, to);
	chain_remove(from);
}

/*
 * Those of one address, in turn, each once: whoever starves again joins the
 * end of the ring that is not looked at now.
 */
static void
feed_address(struct relay *r, struct address *a)
{
	struct chain turn, again, *c;

	take_chain(&turn, &a->starved);
	while (!chain_is_empty(&turn) && !relay_memory_short(r, a, 0))
		peer_feed(CHAIN_OF(turn.next, struct peer, starved));
	/* Those whose turn did not come stay in front. */
	take_chain(&again, &a->starved);
	take_chain(&a->starved, &turn);
	while (!chain_is_empty(&again)) {
		c = again.next;
		chain_remove(c);
		chain_add(&a->starved, c);
	}
	if (!chain_is_empty(&a->starved) && chain_is_empty(&a->hungry))
		chain_add(&r->hungry, &a->hungry);
}

/* Budget was freed: those who wait for it go on, address by address. */
static void
feed_starved(struct relay *r)
{
	struct chain turn;
	struct address *a;

	if (chain_is_empty(&r->hungry))
		return;
	take_chain(&turn, &r->hungry);
	while (!chain_is_empty(&turn)) {
		a = CHAIN_OF(turn.next, struct address, hungry);
		chain_remove(&a->hungry);
		feed_address(r, a);
	}
}

void
relay_leave(struct relay *r)
{
	struct peer *peer;

	feed_starved(r);
	r->current = NULL;
	while (!chain_is_empty(&r->woken)) {
		peer = CHAIN_OF(r->woken.next, struct peer, woken);
		chain_remove(&peer->woken);
		r->host.wake(r->host.context, peer);
	}
}

void
relay_wake(struct peer *peer)
{
	struct relay *r = peer->relay;

	if (peer != r->current && chain_is_empty(&peer->woken))
		chain_add(&r->woken, &peer->woken);
}

void
relay_tell(struct relay *r, const struct relay_report *report)
{
	r->host.report(r->host.context, report);
}

/* ---- jobs that come back ---- */

/* A change that failed is the end of it; what could not be read may be read
 * the next time. */
static void
store_failed(struct relay *r, const struct store_job *job)
{
	struct relay_report report = { .event = RELAY_STORE_FAILED };

	if (job->kind >= JOB_SUMMARY)
		report.code = "read";
	else if (r->failed)
		return;
	else
		r->failed = true;
	relay_tell(r, &report);
}

void
relay_done(struct relay *r, struct store_job *jobs)
{
	struct store_job *next;
	struct task *task;

	relay_enter(r, NULL);
	for (; jobs != NULL; jobs = next) {
		next = jobs->next;
		jobs->next = NULL;
		task = (struct task *)(void *)jobs;
		r->flying--;
		if (jobs->error == E2E_ERR_STORE)
			store_failed(r, jobs);
		task->done(task);
	}
	batch_sign(r);
	task_submit_waiting(r);
	relay_leave(r);
}

void
relay_room(struct relay *r)
{
	relay_enter(r, NULL);
	task_submit_waiting(r);
	relay_leave(r);
}

/* ---- now and then ---- */

static void
expire_done(struct task *task)
{
	struct relay *r = task->relay;

	r->expiring = false;
	if (task->job.error == E2E_OK)
		r->counters.expired_items += task->job.expire.gone.items;
	free(task);
}

static void
usage_done(struct task *task)
{
	struct relay *r = task->relay;

	r->measuring = false;
	if (task->job.error == E2E_OK)
		r->free_space = task->job.usage.usage.free_bytes;
	free(task);
}

/* NULL when there is no memory: next time, then. */
static struct task *
new_errand(struct relay *r, enum store_job_kind kind,
    void (*done)(struct task *))
{
	struct task *task = malloc(sizeof(*task));

	if (task == NULL)
		return NULL;
	task_init(task, r, NULL, done);
	task_prepare(task, kind);
	return task;
}

void
relay_housekeeping(struct relay *r)
{
	struct task *task;

	relay_enter(r, NULL);
	if (!r->expiring && !r->failed && (task = new_errand(r, JOB_EXPIRE,
	    expire_done)) != NULL) {
		r->expiring = true;
		task->job.expire.now = r->now;
		task->job.expire.limit = EXPIRE_ROWS;
		task_submit(task);
	}
	if (!r->measuring && !r->failed && (task = new_errand(r, JOB_USAGE,
	    usage_done)) != NULL) {
		r->measuring = true;
		task_submit(task);
	}
	relay_leave(r);
}

void
relay_drain(struct relay *r)
{
	struct chain *at, *next;
	struct peer *peer;

	relay_enter(r, NULL);
	r->draining = true;
	for (at = r->peers.next; at != &r->peers; at = next) {
		next = at->next;
		peer = CHAIN_OF(at, struct peer, all);
		peer->early = peer->pending.length;
		if (peer->session != NULL)
			session_goaway(peer, "drain", PEER_RETRY);
		peer_update(peer);
		relay_wake(peer);
	}
	relay_leave(r);
}

/* Does something of its come, or is an answer due? */
static bool
is_occupied(const struct peer *p)
{
	if (peer_backlog(p) > 0)
		return true;
	return p->state != PEER_CLOSED && (p->arriving != NULL ||
	    p->skipping || p->first != NULL || p->early > 0);
}

bool
relay_is_idle(const struct relay *r)
{
	struct chain *at;

	if (r->deposits > 0 || r->flying > 0 || r->waiting != NULL)
		return false;
	for (at = r->peers.next; at != &r->peers; at = at->next) {
		if (is_occupied(CHAIN_OF(at, struct peer, all)))
			return false;
	}
	return true;
}

/* ---- the budget of memory ---- */

/*
 * Below three quarters everybody may begin something. Above, those who hold
 * nothing wait, so that those who hold something can finish it; who needs
 * more beyond the whole is refused. What somebody keeps while he waits does
 * not count for him nor for others who wait, or they would wait for ever.
 *
 * The same holds within the share of each address, so that one of them does
 * not make all others wait: a quarter of the whole, or half of it for Unix
 * sockets, but room for one upload in any case.
 */
static uint64_t
address_share(const struct relay *r, const struct address *a)
{
	uint64_t whole = r->policy.memory;
	uint64_t share = a == &r->local ? whole / 2 : whole / 4;

	if (share < SHARE_LEAST)
		share = SHARE_LEAST;
	return share < whole ? share : whole;
}

static bool
is_short(uint64_t limit, size_t held, size_t starved, size_t own)
{
	size_t active = held - starved - own;

	return active > 0 && active >= limit / 4 * 3;
}

bool
relay_memory_short(const struct relay *r, const struct address *a, size_t own)
{
	return is_short(r->policy.memory, r->memory, r->starved_memory, own) ||
	    is_short(address_share(r, a), a->memory, a->starved_memory, own);
}

static bool
is_over(uint64_t limit, size_t held, size_t more)
{
	return held > limit || more > limit - held;
}

bool
relay_memory_over(const struct relay *r, const struct address *a, size_t more)
{
	return is_over(r->policy.memory, r->memory, more) ||
	    is_over(address_share(r, a), a->memory, more);
}

void
relay_account(struct relay *r, struct address *a, size_t *held, size_t now)
{
	r->memory = r->memory - *held + now;
	a->memory = a->memory - *held + now;
	*held = now;
}

void
relay_starve(struct relay *r, struct address *a, size_t more, size_t less)
{
	r->starved_memory = r->starved_memory + more - less;
	a->starved_memory = a->starved_memory + more - less;
}

/* ---- tables ---- */

struct chain *
relay_mailbox_chain(const struct relay *r, const unsigned char box[E2E_ID_LEN])
{
	uint64_t n;

	memcpy(&n, box, sizeof(n));
	n = (n ^ r->table_key) * UINT64_C(0x9e3779b97f4a7c15);
	return &r->by_mailbox[n >> 32 & (RELAY_TABLE - 1)];
}
