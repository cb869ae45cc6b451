/*
 * The relay without I/O: a script of what three clients and the surroundings
 * do. Clients send whatever bytes, or what is right at that place, so that
 * the script comes behind the handshake as well. Demanded: whatever the relay
 * sends is lines of receipts or frames; what it hands out has the id that
 * it says; every job comes back; nothing is left at the end.
 */
#include "fuzz.h"

#include "crypto/hash.h"
#include "relay/client.h"
#include "relay/relay.h"

#include <stdlib.h>
#include <string.h>

enum { PEERS = 3, QUEUE_MAX = 24, KEPT_MAX = 64, HEARD_MAX = 8 << 20 };
enum { START = 1700000000 };

/* One client: the relay's peer, and what it heard so far. */
struct caller {
	struct peer *peer;
	struct client *client;
	struct buffer heard;
	struct client_kept kept[KEPT_MAX];
	size_t kept_count;
	bool ended, lines, frames;
};

static struct world {
	struct relay *relay;
	struct store *store;
	struct store_job *queue, **queue_end;
	size_t queued;
	uint64_t wall, steady, batch;
	struct caller callers[PEERS];
} w;

static const unsigned char no_binding[PROOF_BINDING_LEN];

/* ---- the host ---- */

static bool
submit(void *context, struct store_job *job)
{
	if (w.queued == QUEUE_MAX)
		return false;
	job->next = NULL;
	*w.queue_end = job;
	w.queue_end = &job->next;
	w.queued++;
	return true;
}

static void
wake(void *context, struct peer *peer)
{
	struct caller *c = peer_data(peer);

	FUZZ_REQUIRE(c->peer == peer);
}

static void
report(void *context, const struct relay_report *r)
{
}

/* One commit of up to `count` jobs. */
static void
work(size_t count)
{
	struct store_job *job, *done = NULL, **end = &done;

	w.batch++;
	while (count-- > 0 && (job = w.queue) != NULL) {
		w.queue = job->next;
		if (w.queue == NULL)
			w.queue_end = &w.queue;
		w.queued--;
		job->next = NULL;
		job->batch = w.batch;
		if (job->kind == JOB_USAGE) {
			job->error = store_job_do(w.store, job);
		} else {
			FUZZ_REQUIRE(w.store->ops->begin(w.store) == E2E_OK);
			job->error = store_job_do(w.store, job);
			FUZZ_REQUIRE((job->error == E2E_OK ?
			    w.store->ops->commit : w.store->ops->rollback)
			    (w.store) == E2E_OK);
		}
		*end = job;
		end = &job->next;
	}
	if (done != NULL)
		relay_done(w.relay, done);
	relay_room(w.relay);
}

/* ---- what the relay says ---- */

static void
hear_item(struct caller *c, uint64_t seq, const unsigned char *id,
    const unsigned char *bytes, uint64_t size)
{
	unsigned char hash[HASH_LEN];

	FUZZ_REQUIRE(hash_sha256(hash, bytes, (size_t)size) == E2E_OK);
	FUZZ_REQUIRE(memcmp(hash, id, HASH_LEN) == 0);
	if (c->kept_count == KEPT_MAX || (c->kept_count > 0 &&
	    seq <= c->kept[c->kept_count - 1].seq))
		return;
	c->kept[c->kept_count].seq = seq;
	memcpy(c->kept[c->kept_count++].id, hash, HASH_LEN);
	fuzz_accepted();
}

/* Takes one frame, and what follows it; false when more has to come. */
static bool
hear_frame(struct caller *c)
{
	static struct frame f;
	enum frame_state state;
	uint64_t follows = 0;
	size_t length;

	state = frame_parse(&f, c->heard.data, c->heard.length, &length);
	FUZZ_REQUIRE(state != FRAME_BAD);
	if (state == FRAME_SHORT)
		return false;
	if (f.type == FRAME_MSG)
		follows = f.msg.size;
	else if (f.type == FRAME_DATA)
		follows = f.data.size - f.data.offset;
	FUZZ_REQUIRE(follows <= HEARD_MAX);
	if (c->heard.length - length < follows)
		return false;
	if (f.type == FRAME_MSG)
		hear_item(c, f.msg.seq, f.msg.id, c->heard.data + length,
		    follows);
	else if (f.type == FRAME_DATA && f.data.offset == 0)
		hear_item(c, f.data.seq, f.data.id, c->heard.data + length,
		    follows);
	else if (f.type == FRAME_CHAL)
		(void)client_challenge(c->client, &f,
		    (struct bytes){ c->heard.data, length });
	buffer_consume(&c->heard, length + (size_t)follows);
	return true;
}

static bool
hear_line(struct caller *c)
{
	unsigned char *end = memchr(c->heard.data, '\n', c->heard.length);
	struct receipt receipt;

	if (end == NULL)
		return false;
	FUZZ_REQUIRE(receipt_parse(&receipt, (const char *)c->heard.data,
	    (size_t)(end - c->heard.data)));
	if (receipt.code == RECEIPT_OK)
		fuzz_accepted();
	buffer_consume(&c->heard, (size_t)(end + 1 - c->heard.data));
	return true;
}

/* Up to `most` bytes of output. */
static void
hear(struct caller *c, size_t most)
{
	struct bytes out = peer_output(c->peer);
	size_t size = out.length < most ? out.length : most;

	if (size == 0)
		return;
	FUZZ_REQUIRE(buffer_append(&c->heard, out.data, size));
	peer_sent(c->peer, size);
	if (!c->lines && !c->frames) {
		c->frames = c->heard.data[0] == 0xda;
		c->lines = !c->frames;
	}
	while (c->heard.length > 0 && (c->frames ? hear_frame(c) :
	    hear_line(c)))
		;
}

/* ---- what clients do ---- */

static void
say(struct caller *c, const void *data, size_t size)
{
	if (!c->ended && size > 0 && peer_wants_input(c->peer) &&
	    peer_state(c->peer) != PEER_CLOSED)
		peer_input(c->peer, data, size);
}

static void
say_frame(struct caller *c, const struct frame *f)
{
	struct buffer b;

	buffer_init(&b, FRAME_MAX);
	frame_put(&b, f);
	say(c, b.data, b.length);
	buffer_free(&b);
}

static void
connect_caller(struct caller *c, unsigned variant)
{
	struct peer_origin origin = { .local = (variant & 1) != 0,
	    .has_address = true };

	memset(c, 0, sizeof(*c));
	origin.address[15] = (unsigned char)(variant >> 1 & 1);
	buffer_init(&c->heard, HEARD_MAX);
	c->client = client_new(no_binding);
	FUZZ_REQUIRE(c->client != NULL);
	c->peer = peer_new(w.relay, &origin, c);
	FUZZ_REQUIRE(c->peer != NULL);
}

static void
disconnect(struct caller *c)
{
	peer_free(c->peer);
	client_free(c->client);
	buffer_free(&c->heard);
}

static struct bytes
envelope(unsigned which)
{
	static struct buffer made[2];
	const struct e2e_card *to = e2e_identity_card(
	    fuzz_identity(FUZZ_CURVE));
	struct e2e_seal request = { .to.cards = &to, .to.card_count = 1,
	    .threads = 1, .to.hide = which % 2 == 1 };
	struct fuzz_memory memory = { (const unsigned char *)"hello", 5, 0 };
	struct buffer *b = &made[which % 2];
	struct e2e_input input = fuzz_input(&memory, false);
	struct e2e_output output;

	if (b->length == 0) {
		buffer_init(b, FUZZ_OUTPUT_MAX);
		output = fuzz_output(b, false);
		FUZZ_REQUIRE(e2e_seal(&request, &input, &output, NULL,
		    NULL) == E2E_OK);
	}
	return buffer_bytes(b);
}

/* Something right, as far as the client can know. */
static void
say_right(struct caller *c, unsigned what, unsigned detail)
{
	const struct e2e_identity *owner = fuzz_identity(FUZZ_CURVE);
	const unsigned char *id = e2e_card_id(e2e_identity_card(owner));
	struct frame f = { .type = FRAME_PING };
	struct buffer b;

	buffer_init(&b, FRAME_MAX);
	switch (what) {
	case 0:
		say(c, envelope(detail).data, envelope(detail).length);
		break;
	case 1:
		(void)client_hello(c->client, &b, detail % 4 == 0 ? NULL : id,
		    detail % 8, detail * 64u);
		break;
	case 2:
		(void)client_auth(c->client, &b, owner, detail % 2 == 0);
		break;
	case 3:
		(void)client_ack(c->client, &b, owner, c->kept,
		    c->kept_count);
		c->kept_count = 0;
		break;
	case 4:
		f.type = FRAME_PUT;
		f.put.mailboxes = (struct bytes){ id, E2E_ID_LEN };
		f.put.count = detail % 2;
		say_frame(c, &f);
		say(c, envelope(detail / 2).data, envelope(detail / 2).length);
		break;
	case 5:
		f.type = FRAME_LOOKUP;
		f.lookup.id = id;
		say_frame(c, &f);
		break;
	case 6:
		f.type = FRAME_REGISTER;
		f.enroll.card = buffer_bytes(
		    &e2e_identity_card(owner)->encoded);
		say_frame(c, &f);
		break;
	case 7:
		f.type = detail % 2 == 0 ? FRAME_CREDIT : FRAME_GET;
		f.credit.items = f.get.seq = detail / 2;
		f.credit.bytes = f.get.offset = detail / 16 * 100;
		say_frame(c, &f);
		break;
	default:
		f.ping.number = detail;
		say_frame(c, &f);
		break;
	}
	say(c, b.data, b.length);
	buffer_free(&b);
}

static void
pass_time(uint64_t ms)
{
	size_t i;

	w.steady += ms;
	w.wall = START + w.steady / 1000;
	relay_set_time(w.relay, w.wall, w.steady);
	for (i = 0; i < PEERS; i++) {
		struct peer *peer = w.callers[i].peer;

		if (peer_deadline(peer) != 0 && peer_deadline(peer) <= w.steady)
			peer_tick(peer);
	}
}

/* One step of the script; returns how many bytes it used. */
static size_t
step(const uint8_t *data, size_t size)
{
	struct caller *c = &w.callers[data[0] % PEERS];
	unsigned what = data[0] / PEERS % 24, detail = size > 1 ? data[1] : 0;
	size_t n;

	switch (what) {
	case 10:
	case 11:
	case 12:
		n = size < 2 ? 0 : size - 2 < detail ? size - 2 : detail;
		say(c, data + 2, n);
		return 2 + n;
	case 13:
	case 14:
	case 15:
		hear(c, detail < 128 ? detail : SIZE_MAX);
		return 2;
	case 16:
	case 17:
	case 18:
		work(1 + detail % 32);
		return 2;
	case 19:
		pass_time(detail * 50u);
		return 2;
	case 20:
		if (!c->ended && peer_state(c->peer) != PEER_CLOSED)
			peer_end(c->peer);
		c->ended = true;
		return 1;
	case 21:
		disconnect(c);
		connect_caller(c, detail);
		return 2;
	case 22:
		relay_housekeeping(w.relay);
		relay_set_free_space(w.relay, detail % 8 == 0 ? 1 :
		    UINT64_MAX);
		return 2;
	case 23:
		if (detail == 77)
			relay_drain(w.relay);
		return 2;
	default:
		say_right(c, what, detail);
		return 2;
	}
}

static void
begin(void)
{
	const struct relay_host host = { NULL, submit, wake, report };
	const struct e2e_card *card =
	    e2e_identity_card(fuzz_identity(FUZZ_CURVE));
	struct store_card row = { .card = buffer_bytes(&card->encoded),
	    .registered = START };
	enum store_registration result;
	struct e2e_identity *identity;
	struct relay_policy policy;
	size_t i;

	memset(&w, 0, sizeof(w));
	w.queue_end = &w.queue;
	w.steady = 1;
	memcpy(row.id, e2e_card_id(card), E2E_ID_LEN);
	FUZZ_REQUIRE(store_model_open(&w.store) == E2E_OK);
	FUZZ_REQUIRE(w.store->ops->begin(w.store) == E2E_OK);
	FUZZ_REQUIRE(w.store->ops->enroll(w.store, &row, &result) == E2E_OK);
	FUZZ_REQUIRE(w.store->ops->commit(w.store) == E2E_OK);
	relay_policy_default(&policy);
	policy.envelope_max = 4096;
	policy.box_items = 6;
	policy.memory = 16384;
	policy.burst_mailbox = 20;
	FUZZ_REQUIRE(e2e_identity_parse(&identity, fuzz_key_sender,
	    strlen(fuzz_key_sender)) == E2E_OK);
	FUZZ_REQUIRE(relay_new(&w.relay, identity, NULL, 0, &policy, false,
	    &host) == E2E_OK);
	relay_set_time(w.relay, START, 1);
	for (i = 0; i < PEERS; i++)
		connect_caller(&w.callers[i], (unsigned)i);
}

static void
end(void)
{
	size_t i, rounds;

	for (i = 0; i < PEERS; i++)
		disconnect(&w.callers[i]);
	/* What was under way ends, and begins nothing without end. */
	for (rounds = 0; w.queue != NULL; rounds++) {
		FUZZ_REQUIRE(rounds < 1000);
		work(SIZE_MAX);
	}
	FUZZ_REQUIRE(relay_is_idle(w.relay));
	FUZZ_REQUIRE(relay_counters(w.relay)->peers == 0);
	relay_free(w.relay);
	w.store->ops->close(w.store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t used;

	begin();
	while (size > 0) {
		used = step(data, size);
		if (used > size)
			used = size;
		data += used;
		size -= used;
	}
	end();
	return 0;
}
