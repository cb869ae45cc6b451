/*
 * Who is at the other end: HELLO and CHAL, AUTH and READY.
 *
 * The newest session of a mailbox has it. What older ones were still doing to
 * the mailbox is on record before the new one is shown what is there.
 */
#include "relay/peer.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

/* AUTH, until READY. */
struct auth {
	struct task task;
	struct buffer signature;
	unsigned char session_hash[PROOF_HASH_LEN];
};

void
auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	task_leave(&a->task);
	buffer_free(&a->task.job.bytes);
	buffer_free(&a->signature);
	free(a);
}

/* ---- HELLO, CHAL ---- */

static void
fill_core(struct frame_core *core, const struct relay *r,
    const unsigned char *snonce)
{
	size_t i;

	memset(core, 0, sizeof(*core));
	core->version = FRAME_VERSION;
	core->card = buffer_bytes(&r->identity->card->encoded);
	for (i = 0; i < r->succession_count; i++)
		core->successions[i] = r->successions[i];
	core->succession_count = r->succession_count;
	core->snonce = snonce;
	core->time = r->now;
	core->limits = (struct frame_limits){ r->policy.envelope_max,
	    r->policy.ttl, r->policy.box_bytes, r->policy.box_items,
	    r->policy.registration };
}

static enum e2e_error
put_challenge(struct peer *p, struct buffer *out, struct bytes hello)
{
	struct session *s = p->session;
	unsigned char snonce[FRAME_NONCE_LEN];
	struct buffer core, signature;
	struct frame_core parts;
	struct frame frame = { .type = FRAME_CHAL };
	enum e2e_error error = E2E_ERR_CRYPTO;

	buffer_init(&core, FRAME_MAX);
	buffer_init(&signature, FRAME_MAX);
	if (!random_bytes(snonce, sizeof(snonce)))
		goto out;
	fill_core(&parts, p->relay, snonce);
	frame_put_core(&core, &parts);
	memcpy(s->proof.binding, p->origin.binding, PROOF_BINDING_LEN);
	error = core.failed ? E2E_ERR_MEMORY : proof_hash(s->proof.hello,
	    hello, (struct bytes){ NULL, 0 });
	if (error == E2E_OK)
		error = proof_make_server(&signature,
		    p->relay->identity->signing, &s->proof,
		    buffer_bytes(&core));
	if (error != E2E_OK)
		goto out;
	frame.chal.core = buffer_bytes(&core);
	frame.chal.signature = buffer_bytes(&signature);
	(void)buffer_append(&s->handshake, hello.data, hello.length);
	frame_put(out, &frame);
	(void)buffer_append(&s->handshake, out->data, out->length);
	error = out->failed || s->handshake.failed ? E2E_ERR_MEMORY :
	    proof_hash(s->proof.transcript, buffer_bytes(&s->handshake),
	    (struct bytes){ NULL, 0 });
out:
	buffer_free(&core);
	buffer_free(&signature);
	return error;
}

static bool
speaks_version(const struct frame *hello)
{
	size_t i;

	for (i = 0; i < hello->hello.version_count; i++) {
		if (hello->hello.versions[i] == FRAME_VERSION)
			return true;
	}
	return false;
}

void
auth_hello(struct peer *p, const struct frame *frame, struct bytes whole)
{
	struct session *s = p->session;
	struct buffer chal, *out;
	uint64_t retry;

	if (!speaks_version(frame)) {
		session_fail(p, "version", "no version in common");
		return;
	}
	if (p->relay->draining || !origin_take_rate(p, &retry)) {
		session_goaway(p, p->relay->draining ? "drain" : "rate",
		    p->relay->draining ? PEER_RETRY : retry);
		peer_close(p);
		return;
	}
	s->has_mailbox = frame->hello.mailbox != NULL;
	if (s->has_mailbox)
		memcpy(s->mailbox, frame->hello.mailbox, E2E_ID_LEN);
	s->credit_items = frame->hello.credit_items;
	s->credit_bytes = frame->hello.credit_bytes;
	buffer_init(&chal, FRAME_MAX);
	if (put_challenge(p, &chal, whole) != E2E_OK) {
		session_fail(p, "internal", "no challenge could be made");
	} else if ((out = session_output(p)) != NULL) {
		(void)buffer_append(out, chal.data, chal.length);
		s->state = SESSION_CHALLENGED;
		p->relay->counters.sessions++;
	}
	buffer_free(&chal);
}

/* ---- AUTH, READY ---- */

static void
summary_done(struct task *task)
{
	const struct store_summary *sum = &task->job.summary;
	struct peer *p = task->peer;
	enum e2e_error error = task->job.error;
	struct frame frame = { .type = FRAME_READY };
	struct session *s;

	if (p == NULL || p->closing) {
		auth_free((struct auth *)(void *)task);
		if (p != NULL) {
			p->session->busy = false;
			peer_resume(p);
		}
		return;
	}
	s = p->session;
	s->busy = false;
	if (error != E2E_OK) {
		session_fail(p, "store", "the store cannot be read");
	} else {
		frame.ready.items = sum->items;
		frame.ready.bytes = sum->bytes;
		frame.ready.oldest = sum->oldest;
		frame.ready.dropped = s->told = sum->dropped;
		session_put(p, &frame);
		s->state = SESSION_READY;
		s->more = true;
	}
	auth_free((struct auth *)(void *)task);
	peer_resume(p);
}

static void
ask_summary(struct auth *a)
{
	struct peer *p = a->task.peer;

	p->session->state = SESSION_COUNTING;
	a->task.done = summary_done;
	task_prepare(&a->task, JOB_SUMMARY);
	memcpy(a->task.job.box, p->session->mailbox, E2E_ID_LEN);
	task_submit(&a->task);
}

/* The newest session has the mailbox. What the older ones did must be on
 * record before this one is shown what is there. */
static void
take_mailbox(struct auth *a)
{
	struct peer *p = a->task.peer, *older;
	struct session *s = p->session;
	struct relay *r = p->relay;
	struct relay_report report = {
		.event = RELAY_REPLACED, .box = s->mailbox
	};

	older = session_find(r, s->mailbox);
	if (older != NULL) {
		report.peer = older;
		relay_tell(r, &report);
		session_goaway(older, "replaced", 0);
		delivery_end(older);
		if (older->session->settling != NULL) {
			auth_free(older->session->settling);
			older->session->settling = NULL;
			older->session->busy = false;
		}
		peer_close(older);
		peer_update(older);
		relay_wake(older);
	}
	chain_add(relay_mailbox_chain(r, s->mailbox), &s->by_mailbox);
	r->counters.authenticated++;
	report.event = RELAY_SESSION;
	report.peer = p;
	relay_tell(r, &report);
	if (acknowledge_is_settling(r, s->mailbox)) {
		s->state = SESSION_SETTLING;
		s->settling = a;
		return;
	}
	ask_summary(a);
}

bool
auth_is_settling(const struct peer *p)
{
	return p->session->settling != NULL;
}

void
auth_settled(struct peer *p)
{
	struct auth *a = p->session->settling;

	p->session->settling = NULL;
	ask_summary(a);
}

/* The card is here: is it the mailbox's owner who speaks? Takes the card. */
static void
judge_auth(struct auth *a, struct e2e_card *card)
{
	struct peer *p = a->task.peer;
	struct session *s = p->session;
	bool valid = false;

	if (memcmp(e2e_card_id(card), s->mailbox, E2E_ID_LEN) == 0 &&
	    proof_check_auth(&valid, card->signing,
	    buffer_bytes(&a->signature),
	    e2e_card_id(p->relay->identity->card), &s->proof) == E2E_OK &&
	    valid) {
		memcpy(s->proof.session, a->session_hash, PROOF_HASH_LEN);
		s->card = card;		/* transferred */
		take_mailbox(a);
		return;
	}
	e2e_card_free(card);
	auth_free(a);
	s->busy = false;
	session_fail(p, "auth", "the signature is not the mailbox owner's");
}

static void
card_found(struct task *task)
{
	struct auth *a = (struct auth *)(void *)task;
	struct peer *p = task->peer;
	struct e2e_card *card = NULL;
	const char *text = NULL;

	if (p == NULL || p->closing) {
		if (p != NULL)
			p->session->busy = false;
	} else if (task->job.error != E2E_OK) {
		text = "the store cannot be read";
	} else if (!task->job.lookup.found) {
		text = "nobody of this id is registered here";
	} else if (card_decode(&card, task->job.lookup.card.card) != E2E_OK) {
		text = "the card cannot be read";
	} else {
		judge_auth(a, card);
		peer_resume(p);
		return;
	}
	auth_free(a);
	if (text != NULL) {
		p->session->busy = false;
		session_fail(p, "auth", text);
	}
	if (p != NULL)
		peer_resume(p);
}

static void
look_up_card(struct auth *a)
{
	const struct session *s = a->task.peer->session;

	task_prepare(&a->task, JOB_LOOKUP);
	memcpy(a->task.job.box, s->mailbox, E2E_ID_LEN);
	a->task.job.lookup.retired = true;
	task_submit(&a->task);
}

void
auth_take(struct peer *p, const struct frame *frame, struct bytes whole)
{
	struct session *s = p->session;
	struct e2e_card *card = NULL;
	struct auth *a;

	if (s->state != SESSION_CHALLENGED || !s->has_mailbox) {
		session_fail(p, "syntax", "AUTH was not asked for");
		return;
	}
	if (p->relay->has_tls && !p->origin.tls && !p->origin.local) {
		session_fail(p, "tls", "this relay wants TLS for that");
		return;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		peer_lose(p);
		return;
	}
	task_init(&a->task, p->relay, p, card_found);
	buffer_init(&a->signature, FRAME_MAX);
	s->state = SESSION_VERIFYING;
	s->busy = true;
	if (!buffer_append(&a->signature, frame->auth.signature.data,
	    frame->auth.signature.length) || proof_hash(a->session_hash,
	    buffer_bytes(&s->handshake), whole) != E2E_OK) {
		s->busy = false;
		auth_free(a);
		session_fail(p, "internal", "out of memory");
		return;
	}
	buffer_free(&s->handshake);
	/* A card of this id has the id's signing key, whoever sends it. */
	if (frame->auth.card.data == NULL) {
		look_up_card(a);
	} else if (card_decode(&card, frame->auth.card) == E2E_OK) {
		judge_auth(a, card);
	} else {
		s->busy = false;
		auth_free(a);
		session_fail(p, "auth", "the card cannot be read");
	}
}
