/*
 * Sessions: who may fetch, what is delivered and in which order, what an
 * acknowledgement deletes and what it never does, and how sessions end.
 */
#include "relay_lab.h"

#include "crypto/hash.h"
#include "message/identity.h"
#include "relay/merkle.h"
#include "relay/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct relay_lab lab;
static struct relay_lab_client client, other;
static struct e2e_identity *alice, *bob, *nobody;
enum { LETTERS = 6 };
static struct buffer letters[LETTERS];	/* small ones for alice */
static const struct buffer *const all_letters[LETTERS] = {
	&letters[0], &letters[1], &letters[2], &letters[3], &letters[4],
	&letters[5]
};

static int
setup(void **state)
{
	size_t i;

	(void)state;
	relay_lab_start(&lab, NULL, false);
	alice = relay_lab_person(&lab, 1, "alice");
	bob = relay_lab_person(&lab, 2, "bob");
	nobody = lab_fixed_identity(3, 103, "nobody", 1700000000);
	for (i = 0; i < LETTERS; i++)
		letters[i] = relay_lab_envelope(10 + i,
		    (const struct e2e_identity *const *)&alice, 1);
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	relay_lab_leave(&client);
	relay_lab_leave(&other);
	relay_lab_end(&lab);
	for (i = 0; i < LETTERS; i++)
		buffer_free(&letters[i]);
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(nobody);
	return 0;
}

static void
fill(size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		relay_lab_deposit(&lab, &letters[i]);
}

static uint64_t
waiting(const struct e2e_identity *who)
{
	struct store_summary sum;

	assert_int_equal(lab.store->ops->summary(lab.store,
	    e2e_card_id(who->card), &sum), E2E_OK);
	return sum.items;
}

static void
login(const struct e2e_identity *who, uint64_t items)
{
	(void)relay_lab_login(&lab, &client, who, items, 1 << 23);
}

/* ---- who it is ---- */

static void
an_owner_gets_his_mail_and_deletes_it(void **state)
{
	struct frame ready;
	uint64_t seqs[3];
	size_t i;

	(void)state;
	fill(3);
	ready = relay_lab_login(&lab, &client, alice, 256, 1 << 23);
	assert_int_equal(ready.ready.items, 3);
	assert_int_equal(ready.ready.bytes, letters[0].length +
	    letters[1].length + letters[2].length);
	assert_int_equal(ready.ready.oldest, lab.wall);
	assert_int_equal(ready.ready.dropped, 0);
	for (i = 0; i < 3; i++)
		seqs[i] = relay_lab_expect_msg(&client, &letters[i]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_expect_nothing(&client);
	relay_lab_ack(&client, seqs, all_letters, 3);
	/* Not before it is so. */
	relay_lab_expect_nothing(&client);
	relay_lab_run(&lab);
	relay_lab_expect_acked(&client, seqs[0], seqs[2]);
	relay_lab_expect_nothing(&client);
	assert_int_equal(waiting(alice), 0);
	assert_int_equal(relay_counters(lab.relay)->acknowledged, 3);
	assert_int_equal(relay_counters(lab.relay)->authenticated, 1);
}

static void
fragments_make_no_difference(void **state)
{
	struct buffer b;
	struct frame frame;
	struct bytes whole;
	uint64_t seq;

	(void)state;
	fill(1);
	relay_lab_connect(&lab, &client.link);
	client.client = client_new((const unsigned char[32]){ 0 });
	client.identity = alice;
	buffer_init(&b, FRAME_MAX);
	assert_int_equal(client_hello(client.client, &b,
	    e2e_card_id(alice->card), 10, 1 << 20), E2E_OK);
	relay_lab_send(&client.link, b.data, b.length, 1);
	buffer_clear(&b);
	assert_true(relay_lab_next(&client, &frame, &whole));
	assert_int_equal(client_challenge(client.client, &frame, whole),
	    E2E_OK);
	assert_int_equal(client_auth(client.client, &b, alice, false),
	    E2E_OK);
	relay_lab_send(&client.link, b.data, b.length, 1);
	buffer_free(&b);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_READY);
	seq = relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_ack(&client, &seq, all_letters, 1);
	relay_lab_run(&lab);
	relay_lab_expect_acked(&client, seq, seq);
}

/* A signature by another key, or for another relay or session. */
static void
nobody_else_gets_in(void **state)
{
	struct buffer b, stolen;
	struct frame frame, auth = { .type = FRAME_AUTH };
	size_t length;
	unsigned i;

	(void)state;
	fill(1);
	buffer_init(&stolen, FRAME_MAX);
	relay_lab_hello(&lab, &other, alice, 10, 1000);
	assert_int_equal(client_auth(other.client, &stolen, alice, true),
	    E2E_OK);
	for (i = 0; i < 4; i++) {
		relay_lab_hello(&lab, &client, alice, 10, 1000);
		if (i == 0) {		/* replayed from another session */
			relay_lab_send(&client.link, stolen.data,
			    stolen.length, 0);
		} else if (i == 3) {	/* no signature at all */
			auth.auth.signature = buffer_bytes(&letters[0]);
			relay_lab_send_frame(&client, &auth);
		} else {
			/* Bob's card and signature for alice's mailbox. */
			buffer_init(&b, FRAME_MAX);
			relay_lab_hello(&lab, &other, bob, 10, 1000);
			assert_int_equal(client_auth(other.client, &b, bob,
			    i == 1), E2E_OK);
			assert_int_equal(frame_parse(&frame, b.data,
			    b.length, &length), FRAME_COMPLETE);
			relay_lab_send_frame(&client, &frame);
			buffer_free(&b);
			relay_lab_leave(&other);
		}
		relay_lab_run(&lab);
		relay_lab_expect_end(&client, "auth");
		relay_lab_leave(&client);
		if (i == 0)
			relay_lab_leave(&other);
	}
	assert_int_equal(relay_counters(lab.relay)->authenticated, 0);
	assert_int_equal(lab.done[JOB_LIST], 0);
	buffer_free(&stolen);
}

static void
an_unknown_mailbox_needs_its_card(void **state)
{
	struct frame ready;

	(void)state;
	relay_lab_hello(&lab, &client, nobody, 10, 1000);
	relay_lab_auth(&client, false);
	relay_lab_run(&lab);
	relay_lab_expect_end(&client, "auth");
	relay_lab_leave(&client);
	relay_lab_hello(&lab, &client, nobody, 10, 1000);
	relay_lab_auth(&client, true);
	relay_lab_run(&lab);
	ready = relay_lab_expect(&client, FRAME_READY);
	assert_int_equal(ready.ready.items, 0);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
}

/* From RELAY: AUTH in the clear only from this machine. */
static void
a_relay_with_tls_wants_it(void **state)
{
	const struct peer_origin from[] = {
		{ .has_address = true, .address = { 0x20, 1 } },
		{ .has_address = true, .address = { 0x20, 1 }, .tls = true,
		    .binding = { 1, 2, 3 } },
		{ .local = true }
	};
	size_t i;

	(void)state;
	relay_lab_end(&lab);
	relay_lab_start(&lab, NULL, true);
	relay_lab_enroll(&lab, alice->card);
	for (i = 0; i < 3; i++) {
		relay_lab_hello_from(&lab, &client, &from[i], alice, 1, 1);
		relay_lab_auth(&client, false);
		relay_lab_run(&lab);
		if (i == 0)
			relay_lab_expect_end(&client, "tls");
		else
			(void)relay_lab_expect(&client, FRAME_READY);
		relay_lab_leave(&client);
	}
}

/* The signature is about this channel and no other. */
static void
the_binding_must_be_the_same(void **state)
{
	const struct peer_origin bound = {
		.tls = true, .local = true, .binding = { 1, 2, 3 }
	};
	struct client *c = client_new((const unsigned char[32]){ 0 });
	struct frame frame;
	struct bytes whole;
	struct buffer b;

	(void)state;
	relay_lab_connect_from(&lab, &client.link, &bound);
	buffer_init(&b, FRAME_MAX);
	assert_int_equal(client_hello(c, &b, e2e_card_id(alice->card), 1, 1),
	    E2E_OK);
	relay_lab_send(&client.link, b.data, b.length, 0);
	assert_true(relay_lab_next(&client, &frame, &whole));
	assert_int_equal(client_challenge(c, &frame, whole),
	    E2E_ERR_RELAY_PROOF);
	buffer_free(&b);
	client_free(c);
}

static void
frames_out_of_place_end_the_session(void **state)
{
	struct frame frame;
	static const struct {
		enum frame_type type;
		unsigned stage;		/* 0 new, 1 challenged, 2 ready */
		const char *code;
	} cases[] = {
		{ FRAME_PING, 0, "syntax" }, { FRAME_AUTH, 0, "syntax" },
		{ FRAME_PUT, 0, "syntax" }, { FRAME_HELLO, 1, "syntax" },
		{ FRAME_ACK, 1, "auth" }, { FRAME_GET, 1, "auth" },
		{ FRAME_CREDIT, 1, "auth" }, { FRAME_REGISTER, 1, "auth" },
		{ FRAME_EMPTY, 1, "syntax" }, { FRAME_READY, 1, "syntax" },
		{ FRAME_HELLO, 2, "syntax" }, { FRAME_AUTH, 2, "syntax" },
		{ FRAME_ACKED, 2, "syntax" }, { FRAME_RECORD, 2, "syntax" }
	};
	const unsigned char some[32] = { 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&frame, 0, sizeof(frame));
		frame.type = cases[i].type;
		switch (frame.type) {
		case FRAME_HELLO:
			frame.hello.version_count = 1;
			frame.hello.versions[0] = 1;
			frame.hello.cnonce = some;
			break;
		case FRAME_AUTH:
			frame.auth.signature = (struct bytes){ some, 32 };
			break;
		case FRAME_ACK:
		case FRAME_ACKED:
			frame.ack.count = 1;
			frame.ack.signature = (struct bytes){ some, 32 };
			break;
		case FRAME_REGISTER:
			frame.enroll.card = (struct bytes){ some, 32 };
			break;
		case FRAME_RECORD:
			frame.record.signature = (struct bytes){ some, 32 };
			break;
		default:
			break;
		}
		if (cases[i].stage == 0) {
			relay_lab_connect(&lab, &client.link);
		} else if (cases[i].stage == 1) {
			relay_lab_hello(&lab, &client, alice, 1, 1);
		} else {
			login(alice, 1);
			(void)relay_lab_expect(&client, FRAME_EMPTY);
		}
		relay_lab_send_frame(&client, &frame);
		relay_lab_run(&lab);
		relay_lab_expect_end(&client, cases[i].code);
		relay_lab_leave(&client);
	}
}

static void
what_is_no_frame_ends_the_session(void **state)
{
	static const unsigned char bad[] = {
		0xda, 0x65, 0x32, 0x65, 0x33, 0x81, 0x18, 0x2a
	};
	struct frame hello = { .type = FRAME_HELLO };
	const unsigned char nonce[32] = { 1 };

	(void)state;
	login(alice, 1);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_send(&client.link, bad, sizeof(bad), 0);
	relay_lab_expect_end(&client, "syntax");
	assert_int_equal(lab.reports[RELAY_BROKEN], 1);
	relay_lab_leave(&client);
	/* A version that is not spoken here. */
	relay_lab_connect(&lab, &client.link);
	hello.hello.cnonce = nonce;
	hello.hello.version_count = 2;
	hello.hello.versions[0] = 7;
	hello.hello.versions[1] = 8;
	relay_lab_send_frame(&client, &hello);
	relay_lab_expect_end(&client, "version");
}

/* ---- delivery ---- */

static void
credit_is_kept(void **state)
{
	struct frame more = { .type = FRAME_CREDIT };
	uint64_t seqs[LETTERS];

	(void)state;
	fill(5);
	login(alice, 2);
	seqs[0] = relay_lab_expect_msg(&client, &letters[0]);
	seqs[1] = relay_lab_expect_msg(&client, &letters[1]);
	relay_lab_expect_nothing(&client);
	/* The client knows what it can take; an acknowledgement is none. */
	relay_lab_ack(&client, seqs, all_letters, 1);
	relay_lab_run(&lab);
	relay_lab_expect_acked(&client, seqs[0], seqs[0]);
	relay_lab_expect_nothing(&client);
	more.credit.items = 1;
	relay_lab_send_frame(&client, &more);
	relay_lab_run(&lab);
	seqs[2] = relay_lab_expect_msg(&client, &letters[2]);
	relay_lab_expect_nothing(&client);
	more.credit.items = 2;
	relay_lab_send_frame(&client, &more);
	relay_lab_run(&lab);
	seqs[3] = relay_lab_expect_msg(&client, &letters[3]);
	seqs[4] = relay_lab_expect_msg(&client, &letters[4]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	assert_true(seqs[0] < seqs[1] && seqs[1] < seqs[2] &&
	    seqs[2] < seqs[3] && seqs[3] < seqs[4]);
	relay_lab_ack(&client, seqs + 1, all_letters + 1, 4);
	relay_lab_run(&lab);
	relay_lab_expect_acked(&client, seqs[1], seqs[4]);
	assert_int_equal(waiting(alice), 0);
}

/* Bytes count, too; the last item may go beyond. */
static void
credit_of_bytes_is_kept(void **state)
{
	struct frame more = { .type = FRAME_CREDIT };

	(void)state;
	fill(3);
	(void)relay_lab_login(&lab, &client, alice, 100,
	    letters[0].length + 1);
	(void)relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect_msg(&client, &letters[1]);
	relay_lab_expect_nothing(&client);
	more.credit.items = UINT64_MAX;
	more.credit.bytes = UINT64_MAX;
	relay_lab_send_frame(&client, &more);
	relay_lab_send_frame(&client, &more);
	relay_lab_run(&lab);
	(void)relay_lab_expect_msg(&client, &letters[2]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
}

static void
without_credit_it_is_told_what_waits(void **state)
{
	struct frame ready;

	(void)state;
	ready = relay_lab_login(&lab, &client, alice, 0, 0);
	assert_int_equal(ready.ready.items, 0);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	fill(1);
	relay_lab_expect_nothing(&client);
}

static void
new_mail_is_pushed(void **state)
{
	uint64_t seq;
	size_t i;

	(void)state;
	login(alice, 100);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	for (i = 0; i < 3; i++) {
		lab.wakes = 0;
		relay_lab_deposit(&lab, &letters[i]);
		assert_true(lab.wakes > 0);
		seq = relay_lab_expect_msg(&client, &letters[i]);
		(void)relay_lab_expect(&client, FRAME_EMPTY);
		relay_lab_ack(&client, &seq, &all_letters[i], 1);
		relay_lab_run(&lab);
		relay_lab_expect_acked(&client, seq, seq);
		relay_lab_expect_nothing(&client);
	}
	/* A repeat is nothing new. */
	relay_lab_deposit(&lab, &letters[0]);
	relay_lab_expect_nothing(&client);
}

/* The list was being read when the next one was committed. */
static void
nothing_falls_between_list_and_push(void **state)
{
	struct relay_lab_peer sender;

	(void)state;
	relay_lab_hello(&lab, &client, alice, 100, 1 << 20);
	relay_lab_auth(&client, false);
	while (lab.done[JOB_SUMMARY] == 0)
		assert_true(relay_lab_job(&lab));
	assert_int_equal(lab.jobs->kind, JOB_LIST);
	/* Deposit first, then the result of a list made before it. */
	relay_lab_connect(&lab, &sender);
	relay_lab_send(&sender, letters[0].data, letters[0].length, 0);
	{
		struct store_job *list = lab.jobs, *put = list->next;

		list->error = relay_lab_do(lab.store, list);
		put->error = relay_lab_do(lab.store, put);
		lab.jobs = NULL;
		lab.jobs_end = &lab.jobs;
		lab.job_count = 0;
		put->next = list;
		list->next = NULL;
		relay_done(lab.relay, put);
	}
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_READY);
	(void)relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_hang_up(&sender);
}

/* Goes out in pieces, no more of them than are read. */
static void
large_items_are_streamed(void **state)
{
	struct buffer e = relay_lab_envelope(2000000,
	    (const struct e2e_identity *const *)&alice, 1);
	const struct buffer *two[] = { &letters[0], &e };
	struct frame ping = { .type = FRAME_PING };
	struct bytes out;
	uint64_t seqs[2];
	size_t rounds = 0;

	(void)state;
	fill(1);
	relay_lab_deposit(&lab, &e);
	login(alice, 100);
	seqs[0] = relay_lab_expect_msg(&client, &letters[0]);
	for (;;) {
		relay_lab_run(&lab);
		out = peer_output(client.link.peer);
		if (out.length == 0)
			break;
		assert_true(out.length <= PEER_OUTPUT_HIGH + 1000);
		/* A frame has no place in an envelope. */
		if (rounds++ == 3)
			relay_lab_send_frame(&client, &ping);
		out = peer_output(client.link.peer);
		if (out.length > 50000)
			out.length = 50000;
		assert_true(buffer_append(&client.link.received, out.data,
		    out.length));
		peer_sent(client.link.peer, out.length);
	}
	assert_true(rounds > 20);
	seqs[1] = relay_lab_expect_msg(&client, &e);
	(void)relay_lab_expect(&client, FRAME_PONG);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_ack(&client, seqs, two, 2);
	relay_lab_run(&lab);
	relay_lab_expect_acked(&client, seqs[0], seqs[1]);
	assert_int_equal(waiting(alice), 0);
	buffer_free(&e);
}

static void
a_broken_download_goes_on(void **state)
{
	struct buffer e = relay_lab_envelope(400000,
	    (const struct e2e_identity *const *)&alice, 1);
	const struct buffer *one[] = { &e };
	struct frame get = { .type = FRAME_GET }, data;
	struct frame credit = { .type = FRAME_CREDIT };
	uint64_t seq;

	(void)state;
	relay_lab_deposit(&lab, &e);
	fill(1);
	login(alice, 0);
	relay_lab_expect_nothing(&client);
	get.get.seq = seq = 1;
	get.get.offset = 100001;
	relay_lab_send_frame(&client, &get);
	relay_lab_run(&lab);
	relay_lab_receive(&client.link);
	relay_lab_run(&lab);
	relay_lab_receive(&client.link);
	relay_lab_run(&lab);
	data = relay_lab_expect(&client, FRAME_DATA);
	assert_int_equal(data.data.seq, seq);
	assert_int_equal(data.data.size, e.length);
	assert_int_equal(data.data.offset, 100001);
	relay_lab_expect_raw(&client, e.data + 100001, e.length - 100001);
	/* It was sent, so it may be acknowledged, and does not come again. */
	relay_lab_ack(&client, &seq, one, 1);
	relay_lab_run(&lab);
	relay_lab_expect_acked(&client, seq, seq);
	credit.credit.items = 10;
	credit.credit.bytes = 1 << 20;
	relay_lab_send_frame(&client, &credit);
	relay_lab_run(&lab);
	(void)relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	/* Gone, or never there, or behind its end. */
	relay_lab_send_frame(&client, &get);
	get.get.seq = 77;
	relay_lab_send_frame(&client, &get);
	get.get.seq = 2;
	relay_lab_send_frame(&client, &get);
	get.get.offset = letters[0].length;
	relay_lab_send_frame(&client, &get);
	relay_lab_run(&lab);
	relay_lab_expect_error(&client, "gone");
	relay_lab_expect_error(&client, "gone");
	relay_lab_expect_error(&client, "gone");
	data = relay_lab_expect(&client, FRAME_DATA);
	assert_int_equal(data.data.offset, data.data.size);
	relay_lab_expect_nothing(&client);
	assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
	buffer_free(&e);
}

static void
get_and_push_of_one_item_come_once(void **state)
{
	struct frame get = { .type = FRAME_GET }, data;
	struct frame credit = { .type = FRAME_CREDIT };

	(void)state;
	fill(2);
	login(alice, 0);
	relay_lab_expect_nothing(&client);
	get.get.seq = 2;
	relay_lab_send_frame(&client, &get);
	credit.credit.items = 10;
	credit.credit.bytes = 1 << 20;
	relay_lab_send_frame(&client, &credit);
	relay_lab_run(&lab);
	data = relay_lab_expect(&client, FRAME_DATA);
	assert_int_equal(data.data.seq, 2);
	relay_lab_expect_raw(&client, letters[1].data, letters[1].length);
	(void)relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_expect_nothing(&client);
}

/* A body that is gone in the midst of it: no junk in its place. */
static void
an_item_that_vanishes_cuts_the_line(void **state)
{
	struct buffer e = relay_lab_envelope(2000000,
	    (const struct e2e_identity *const *)&alice, 1);
	struct store_job job;
	uint64_t seq = 1;

	(void)state;
	relay_lab_deposit(&lab, &e);
	login(alice, 100);
	relay_lab_receive(&client.link);
	memset(&job, 0, sizeof(job));
	job.kind = JOB_ACKNOWLEDGE;
	memcpy(job.box, e2e_card_id(alice->card), E2E_ID_LEN);
	job.acknowledge.seqs = &seq;
	job.acknowledge.count = 1;
	assert_int_equal(relay_lab_do(lab.store, &job), E2E_OK);
	relay_lab_run(&lab);
	assert_int_equal(peer_state(client.link.peer), PEER_CLOSED);
	assert_int_equal(peer_output(client.link.peer).length, 0);
	buffer_free(&e);
}

/* ---- acknowledgements ---- */

static void
only_who_has_the_bytes_can_delete(void **state)
{
	const struct buffer *swapped[2] = { &letters[1], &letters[0] };
	uint64_t seqs[3] = { 1, 2, 3 };
	unsigned i;

	(void)state;
	lab.policy.attempts = 100;
	relay_set_policy(lab.relay, &lab.policy);
	fill(3);
	for (i = 0; i < 6; i++) {
		login(alice, i < 4 ? 2 : 3);
		(void)relay_lab_expect_msg(&client, &letters[0]);
		(void)relay_lab_expect_msg(&client, &letters[1]);
		if (i >= 4) {
			(void)relay_lab_expect_msg(&client, &letters[2]);
			(void)relay_lab_expect(&client, FRAME_EMPTY);
		}
		if (i == 0)		/* junk in place of the mail */
			relay_lab_ack(&client, seqs, swapped, 2);
		else if (i == 1)	/* one that was not sent */
			relay_lab_ack(&client, seqs, all_letters, 3);
		else if (i == 2)	/* another's number */
			relay_lab_ack(&client, &seqs[1], all_letters, 1);
		else if (i == 3)	/* a number that is not */
			relay_lab_ack(&client, (uint64_t[]){ 0 },
			    all_letters, 1);
		if (i < 4) {
			relay_lab_run(&lab);
			relay_lab_expect_end(&client, "ack");
		} else if (i == 4) {	/* signed by another */
			client.identity = bob;
			relay_lab_ack(&client, seqs, all_letters, 3);
			relay_lab_run(&lab);
			relay_lab_expect_end(&client, "ack");
		} else {		/* twice */
			relay_lab_ack(&client, seqs, all_letters, 1);
			relay_lab_ack(&client, seqs, all_letters, 1);
			relay_lab_run(&lab);
			relay_lab_expect_acked(&client, 1, 1);
			relay_lab_expect_end(&client, "ack");
		}
		assert_int_equal(lab.done[JOB_ACKNOWLEDGE], i == 5);
		relay_lab_leave(&client);
		relay_lab_run(&lab);
		/* Nor by dying over it. */
		memset(lab.done, 0, sizeof(lab.done));
	}
	assert_int_equal(waiting(alice), 2);
}

static void
a_range_holds_nothing_else(void **state)
{
	struct frame ack = { .type = FRAME_ACK };
	struct frame_range all = { 1, UINT64_MAX }, two[2] = {
		{ 1, 1 }, { 3, 3 } };
	unsigned char ids[32];
	struct buffer signature;
	struct buffer both;

	(void)state;
	fill(3);
	login(alice, 10);
	(void)relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect_msg(&client, &letters[1]);
	(void)relay_lab_expect_msg(&client, &letters[2]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	/* Some of them, with a hole, in one frame. */
	{
		const struct buffer *some[] = { &letters[0], &letters[2] };
		uint64_t seqs[] = { 1, 3 };
		struct frame acked;

		relay_lab_ack(&client, seqs, some, 2);
		relay_lab_run(&lab);
		acked = relay_lab_expect(&client, FRAME_ACKED);
		assert_int_equal(acked.ack.count, 2);
		assert_memory_equal(acked.ack.ranges, two, sizeof(two));
	}
	assert_int_equal(waiting(alice), 1);
	/* Everything up to the end of time: was never sent. */
	buffer_init(&signature, FRAME_MAX);
	buffer_init(&both, 100);
	assert_int_equal(hash_sha256(ids, "", 0), E2E_OK);
	assert_int_equal(proof_make_ack(&signature, alice->signing,
	    &client.link.peer->session->proof, &all, 1, ids), E2E_OK);
	ack.ack.ranges[0] = all;
	ack.ack.count = 1;
	ack.ack.signature = buffer_bytes(&signature);
	relay_lab_send_frame(&client, &ack);
	relay_lab_run(&lab);
	relay_lab_expect_end(&client, "ack");
	assert_int_equal(waiting(alice), 1);
	buffer_free(&signature);
}

static void
a_failed_deletion_is_not_acked(void **state)
{
	uint64_t seq;

	(void)state;
	fill(1);
	login(alice, 10);
	seq = relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	lab.change_error = E2E_ERR_STORE;
	relay_lab_ack(&client, &seq, all_letters, 1);
	relay_lab_run(&lab);
	relay_lab_expect_end(&client, "store");
	assert_int_equal(lab.reports[RELAY_STORE_FAILED], 1);
	assert_int_equal(waiting(alice), 1);
}

static void
the_owner_is_told_what_was_dropped(void **state)
{
	struct relay_lab_peer sender;
	struct frame ready, ping = { .type = FRAME_PING };
	unsigned i;

	(void)state;
	lab.policy.box_items = 1;
	relay_set_policy(lab.relay, &lab.policy);
	fill(1);
	relay_lab_connect(&lab, &sender);
	relay_lab_send(&sender, letters[1].data, letters[1].length, 0);
	relay_lab_run(&lab);
	relay_lab_says_like(&sender, "ERR quota ");
	relay_lab_hang_up(&sender);
	/* Until he was there long enough to have heard it. */
	for (i = 0; i < 3; i++) {
		ready = relay_lab_login(&lab, &client, alice, 10, 1 << 20);
		assert_int_equal(ready.ready.dropped, i < 2);
		(void)relay_lab_expect_msg(&client, &letters[0]);
		(void)relay_lab_expect(&client, FRAME_EMPTY);
		if (i == 1) {
			relay_lab_send_frame(&client, &ping);
			relay_lab_run(&lab);
			(void)relay_lab_expect(&client, FRAME_PONG);
			relay_lab_expect_nothing(&client);
		}
		relay_lab_leave(&client);
	}
}

/* ---- the ends of sessions ---- */

static void
the_newest_session_has_the_mailbox(void **state)
{
	struct frame goaway;

	(void)state;
	fill(1);
	login(alice, 10);
	(void)relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_hello(&lab, &other, alice, 10, 1 << 20);
	/* Whoever only says HELLO has nothing. */
	assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
	relay_lab_auth(&other, false);
	relay_lab_run(&lab);
	goaway = relay_lab_expect(&client, FRAME_GOAWAY);
	assert_memory_equal(goaway.goaway.reason.data, "replaced", 8);
	relay_lab_expect_nothing(&client);
	assert_int_not_equal(peer_state(client.link.peer), PEER_OPEN);
	assert_int_equal(lab.reports[RELAY_REPLACED], 1);
	(void)relay_lab_expect(&other, FRAME_READY);
	(void)relay_lab_expect_msg(&other, &letters[0]);
	(void)relay_lab_expect(&other, FRAME_EMPTY);
	assert_int_equal(relay_counters(lab.relay)->authenticated, 1);
	relay_lab_leave(&client);
	/* It still is the one that is pushed to. */
	relay_lab_deposit(&lab, &letters[1]);
	(void)relay_lab_expect_msg(&other, &letters[1]);
}

/* Three at once, none of them answered by the store yet. */
static void
a_crowd_of_sessions_leaves_one(void **state)
{
	struct relay_lab_client third;

	(void)state;
	fill(2);
	login(alice, 10);
	relay_lab_receive(&client.link);
	relay_lab_hello(&lab, &other, alice, 10, 1 << 20);
	relay_lab_hello(&lab, &third, alice, 10, 1 << 20);
	relay_lab_auth(&other, true);
	relay_lab_auth(&third, true);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&third, FRAME_READY);
	(void)relay_lab_expect_msg(&third, &letters[0]);
	(void)relay_lab_expect_msg(&third, &letters[1]);
	(void)relay_lab_expect(&other, FRAME_GOAWAY);
	relay_lab_expect_nothing(&other);
	assert_int_not_equal(peer_state(other.link.peer), PEER_OPEN);
	assert_int_not_equal(peer_state(client.link.peer), PEER_OPEN);
	relay_lab_leave(&third);
}

static void
a_poisonous_item_is_moved_behind_the_others(void **state)
{
	unsigned i;
	uint64_t seq = 0;

	(void)state;
	fill(2);
	for (i = 0; i < lab.policy.attempts; i++) {
		login(alice, 10);
		assert_int_equal(relay_lab_expect_msg(&client, &letters[0]),
		    1);
		relay_lab_leave(&client);
		relay_lab_run(&lab);
	}
	assert_int_equal(relay_counters(lab.relay)->moved, 1);
	login(alice, 10);
	assert_int_equal(relay_lab_expect_msg(&client, &letters[1]), 2);
	seq = relay_lab_expect_msg(&client, &letters[0]);
	assert_int_equal(seq, 3);
	relay_lab_ack(&client, (uint64_t[]){ 2, 3 },
	    (const struct buffer *const[]){ &letters[1], &letters[0] }, 2);
	relay_lab_run(&lab);
	assert_int_equal(waiting(alice), 0);
}

/* What never left cannot have done any harm. */
static void
what_was_not_sent_is_not_counted(void **state)
{
	unsigned i;

	(void)state;
	fill(1);
	for (i = 0; i < 2 * lab.policy.attempts; i++) {
		relay_lab_hello(&lab, &client, alice, 10, 1 << 20);
		relay_lab_auth(&client, false);
		relay_lab_run(&lab);
		assert_true(peer_output(client.link.peer).length >
		    letters[0].length);
		relay_lab_leave(&client);
	}
	relay_lab_run(&lab);
	assert_int_equal(lab.done[JOB_UNACKNOWLEDGED], 0);
	/* Nor what was acknowledged in time. */
	login(alice, 10);
	(void)relay_lab_expect_msg(&client, &letters[0]);
	relay_lab_ack(&client, (uint64_t[]){ 1 }, all_letters, 1);
	relay_lab_leave(&client);
	relay_lab_run(&lab);
	assert_int_equal(lab.done[JOB_UNACKNOWLEDGED], 0);
	assert_int_equal(waiting(alice), 0);
}

/* A download that breaks off, again and again, and is resumed: no attempt is
 * counted before all of it has left. */
static void
what_broke_off_is_not_counted(void **state)
{
	struct buffer e = relay_lab_envelope(2000000,
	    (const struct e2e_identity *const *)&alice, 1);
	struct frame get = { .type = FRAME_GET };
	const struct store_job *job;
	struct bytes out;
	unsigned i, k;

	(void)state;
	relay_lab_deposit(&lab, &e);
	fill(1);
	for (i = 0; i < 2 * lab.policy.attempts; i++) {
		relay_lab_hello(&lab, &client, alice, i == 0 ? 10 : 0,
		    i == 0 ? 1 << 20 : 0);
		relay_lab_auth(&client, false);
		relay_lab_run(&lab);
		get.get.seq = 1;
		get.get.offset = 100000 * i;
		if (i > 0)
			relay_lab_send_frame(&client, &get);
		for (k = 0; k < 3; k++) {
			relay_lab_run(&lab);
			out = peer_output(client.link.peer);
			assert_true(out.length > 0);
			peer_sent(client.link.peer, out.length);
		}
		relay_lab_leave(&client);
		relay_lab_run(&lab);
	}
	assert_int_equal(lab.done[JOB_UNACKNOWLEDGED], 0);
	/* The last byte has not left. */
	relay_lab_hello(&lab, &client, alice, 0, 0);
	relay_lab_auth(&client, false);
	relay_lab_run(&lab);
	get.get.offset = e.length - 10000;
	relay_lab_send_frame(&client, &get);
	relay_lab_run(&lab);
	peer_sent(client.link.peer, peer_output(client.link.peer).length - 1);
	relay_lab_leave(&client);
	relay_lab_run(&lab);
	assert_int_equal(lab.done[JOB_UNACKNOWLEDGED], 0);
	/* What went out whole counts, also behind one that did not. */
	relay_lab_hello(&lab, &client, alice, 0, 0);
	relay_lab_auth(&client, false);
	relay_lab_run(&lab);
	get.get.seq = 2;
	get.get.offset = 0;
	relay_lab_send_frame(&client, &get);
	relay_lab_run(&lab);
	relay_lab_receive(&client.link);
	get.get.seq = 1;
	relay_lab_send_frame(&client, &get);
	relay_lab_run(&lab);
	out = peer_output(client.link.peer);
	assert_true(out.length > 0);
	peer_sent(client.link.peer, out.length);
	relay_lab_leave(&client);
	for (job = lab.jobs; job != NULL; job = job->next) {
		if (job->kind == JOB_UNACKNOWLEDGED)
			assert_int_equal(job->unacknowledged.seq, 2);
	}
	relay_lab_run(&lab);
	assert_int_equal(lab.done[JOB_UNACKNOWLEDGED], 1);
	buffer_free(&e);
}

/* The next session is shown the mailbox after the last one's end. */
static void
the_next_session_waits_for_the_end_of_the_last(void **state)
{
	unsigned i;

	(void)state;
	lab.policy.attempts = 1;
	relay_set_policy(lab.relay, &lab.policy);
	fill(2);
	login(alice, 10);
	(void)relay_lab_expect_msg(&client, &letters[0]);
	relay_lab_hello(&lab, &other, alice, 10, 1 << 20);
	relay_lab_auth(&other, true);
	/* The end of the first is on its way; nothing else is. */
	assert_int_equal(lab.job_count, 1);
	assert_int_equal(lab.jobs->kind, JOB_UNACKNOWLEDGED);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&other, FRAME_READY);
	assert_int_equal(relay_lab_expect_msg(&other, &letters[1]), 2);
	assert_int_equal(relay_lab_expect_msg(&other, &letters[0]), 3);
	/* And who goes while waiting leaves nothing behind. */
	for (i = 0; i < 2; i++) {
		relay_lab_leave(&client);
		relay_lab_hello(&lab, &client, alice, 10, 1 << 20);
		relay_lab_auth(&client, true);
	}
	relay_lab_leave(&client);
	relay_lab_run(&lab);
}

static void
silence_is_asked_after(void **state)
{
	struct frame ping, pong = { .type = FRAME_PONG };

	(void)state;
	login(alice, 10);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	assert_int_equal(peer_deadline(client.link.peer),
	    lab.steady + lab.policy.idle_ms);
	relay_lab_deadline(&client.link);
	ping = relay_lab_expect(&client, FRAME_PING);
	pong.ping.number = ping.ping.number;
	relay_lab_wait(&lab, lab.policy.idle_ms - 1);
	peer_tick(client.link.peer);
	relay_lab_send_frame(&client, &pong);
	assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
	relay_lab_deadline(&client.link);
	(void)relay_lab_expect(&client, FRAME_PING);
	relay_lab_deadline(&client.link);
	relay_lab_expect_end(&client, "timeout");
}

static void
who_asks_nothing_is_let_go(void **state)
{
	struct frame ping = { .type = FRAME_PING };

	(void)state;
	relay_lab_hello(&lab, &client, alice, 10, 10);
	assert_int_equal(peer_deadline(client.link.peer),
	    lab.steady + lab.policy.unauthenticated_ms);
	relay_lab_wait(&lab, 10000);
	/* A ping is not asking for anything. */
	relay_lab_send_frame(&client, &ping);
	(void)relay_lab_expect(&client, FRAME_PONG);
	relay_lab_deadline(&client.link);
	relay_lab_expect_end(&client, "timeout");
	assert_int_equal(lab.steady, RELAY_LAB_STEADY +
	    lab.policy.unauthenticated_ms);
	relay_lab_leave(&client);
	/* A deposit is. */
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	relay_lab_wait(&lab, 10000);
	relay_lab_put(&client, NULL, 0, &letters[0]);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_RECEIPT);
	assert_int_equal(peer_deadline(client.link.peer),
	    lab.steady + lab.policy.unauthenticated_ms);
}

static void
half_a_frame_has_its_time(void **state)
{
	(void)state;
	relay_lab_hello(&lab, &client, alice, 10, 10);
	relay_lab_send(&client.link, frame_start, FRAME_START_LEN, 0);
	relay_lab_deadline(&client.link);
	relay_lab_expect_end(&client, "timeout");
	assert_int_equal(lab.steady, RELAY_LAB_STEADY + lab.policy.header_ms);
}

static void
a_relay_that_ends_lets_sessions_finish(void **state)
{
	struct frame goaway;
	uint64_t seq;

	(void)state;
	fill(2);
	login(alice, 1);
	seq = relay_lab_expect_msg(&client, &letters[0]);
	relay_lab_hello(&lab, &other, NULL, 0, 0);
	relay_lab_put(&other, NULL, 0, &letters[2]);
	relay_drain(lab.relay);
	goaway = relay_lab_expect(&client, FRAME_GOAWAY);
	assert_memory_equal(goaway.goaway.reason.data, "drain", 5);
	assert_int_equal(goaway.goaway.retry, 5);
	assert_int_equal(peer_state(client.link.peer), PEER_HALF_CLOSED);
	/* What he has he may still acknowledge. */
	relay_lab_ack(&client, &seq, all_letters, 1);
	(void)relay_lab_expect(&other, FRAME_GOAWAY);
	assert_int_equal(peer_state(other.link.peer), PEER_OPEN);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&other, FRAME_RECEIPT);
	assert_int_equal(peer_state(other.link.peer), PEER_HALF_CLOSED);
	assert_int_equal(waiting(alice), 2);
	relay_lab_expect_nothing(&client);
	relay_lab_deadline(&client.link);
	assert_int_equal(peer_state(client.link.peer), PEER_CLOSED);
	relay_lab_leave(&client);
	/* Nobody new. */
	relay_lab_connect(&lab, &client.link);
	{
		struct client *c = client_new((const unsigned char[32]){ 0 });
		struct buffer b;

		buffer_init(&b, FRAME_MAX);
		assert_int_equal(client_hello(c, &b, NULL, 0, 0), E2E_OK);
		relay_lab_send(&client.link, b.data, b.length, 0);
		buffer_free(&b);
		client_free(c);
	}
	(void)relay_lab_expect(&client, FRAME_GOAWAY);
	assert_int_not_equal(peer_state(client.link.peer), PEER_OPEN);
}

/* The receipt of a PUT that has begun comes before the end. */
static void
a_relay_that_ends_answers_what_was_put(void **state)
{
	struct frame put = { .type = FRAME_PUT }, frame;
	size_t half = letters[0].length / 2;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		relay_lab_hello(&lab, &client, NULL, 0, 0);
		relay_lab_send_frame(&client, &put);
		if (i > 0)
			relay_lab_send(&client.link, letters[i].data, half,
			    0);
		relay_drain(lab.relay);
		(void)relay_lab_expect(&client, FRAME_GOAWAY);
		assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
		assert_false(relay_is_idle(lab.relay));
		relay_lab_send(&client.link, letters[i].data + i * half,
		    letters[i].length - i * half, 0);
		relay_lab_run(&lab);
		frame = relay_lab_expect(&client, FRAME_RECEIPT);
		assert_memory_equal(frame.receipt.line.data, "OK ", 3);
		assert_int_equal(peer_state(client.link.peer),
		    PEER_HALF_CLOSED);
		assert_true(relay_is_idle(lab.relay));
		relay_lab_leave(&client);
		lab.relay->draining = false;
	}
}

/* Half of the frame was there. */
static void
a_relay_that_ends_waits_for_a_put(void **state)
{
	struct frame put = { .type = FRAME_PUT }, frame;
	struct buffer b;

	(void)state;
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	buffer_init(&b, FRAME_MAX);
	frame_put(&b, &put);
	(void)buffer_append(&b, letters[0].data, letters[0].length);
	relay_lab_send(&client.link, b.data, 6, 0);
	relay_drain(lab.relay);
	(void)relay_lab_expect(&client, FRAME_GOAWAY);
	assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
	assert_false(relay_is_idle(lab.relay));
	relay_lab_send(&client.link, b.data + 6, b.length - 6, 0);
	relay_lab_run(&lab);
	frame = relay_lab_expect(&client, FRAME_RECEIPT);
	assert_memory_equal(frame.receipt.line.data, "OK ", 3);
	assert_true(relay_is_idle(lab.relay));
	buffer_free(&b);
}

static void
a_put_that_starves_is_answered(void **state)
{
	struct buffer e = relay_lab_envelope(250000,
	    (const struct e2e_identity *const *)&alice, 1);
	struct relay_lab_peer holder;
	struct frame frame, ping = { .type = FRAME_PING };

	(void)state;
	lab.policy.memory = 320000;
	relay_set_policy(lab.relay, &lab.policy);
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	relay_lab_connect(&lab, &holder);
	relay_lab_send(&holder, e.data, 240000, 70000);
	relay_lab_put(&client, NULL, 0, &letters[0]);
	relay_lab_send_frame(&client, &ping);
	relay_lab_expect_nothing(&client);
	relay_lab_deadline(&client.link);
	assert_int_equal(lab.steady, RELAY_LAB_STEADY + 5000);
	(void)relay_lab_expect(&client, FRAME_PONG);
	frame = relay_lab_expect(&client, FRAME_RECEIPT);
	assert_memory_equal(frame.receipt.line.data, "ERR busy retry=5 ", 17);
	relay_lab_hang_up(&holder);
	relay_lab_put(&client, NULL, 0, &letters[0]);
	relay_lab_run(&lab);
	frame = relay_lab_expect(&client, FRAME_RECEIPT);
	assert_memory_equal(frame.receipt.line.data, "OK ", 3);
	buffer_free(&e);
}

/* Asks for everything, and reads nothing. */
static void
who_reads_too_slowly_holds_little_and_is_let_go(void **state)
{
	struct buffer e[4];
	struct frame ping = { .type = FRAME_PING };
	const struct session *s;
	uint64_t begun;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		e[i] = relay_lab_envelope(i % 2 ? 90000 + i : 400000 + i,
		    (const struct e2e_identity *const *)&alice, 1);
		relay_lab_deposit(&lab, &e[i]);
		buffer_free(&e[i]);
	}
	relay_lab_hello(&lab, &client, alice, 100, 1 << 30);
	relay_lab_auth(&client, false);
	relay_lab_run(&lab);
	begun = lab.steady;
	s = client.link.peer->session;
	for (i = 0; peer_state(client.link.peer) == PEER_OPEN; i++) {
		if (peer_wants_input(client.link.peer))
			relay_lab_send_frame(&client, &ping);
		relay_lab_run(&lab);
		assert_true(client.link.peer->output.capacity + s->held.capacity
		    + (s->stream.task != NULL ?
		    s->stream.task->job.bytes.capacity : 0) <=
		    2 * PEER_OUTPUT_HIGH + 2 * SESSION_PIECE);
		/* 1000 bytes a second. */
		relay_lab_wait(&lab, 1000);
		peer_sent(client.link.peer, 1000);
		peer_tick(client.link.peer);
		assert_true(i < 100);
	}
	assert_true(i > 5);
	assert_true(lab.steady - begun <= 11000);
	assert_int_equal(peer_state(client.link.peer), PEER_CLOSED);
	assert_int_equal(peer_output(client.link.peer).length, 0);
}

static void
the_end_of_input_waits_for_answers(void **state)
{
	uint64_t seq;

	(void)state;
	fill(1);
	login(alice, 10);
	seq = relay_lab_expect_msg(&client, &letters[0]);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_ack(&client, &seq, all_letters, 1);
	peer_end(client.link.peer);
	assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
	relay_lab_run(&lab);
	relay_lab_expect_acked(&client, seq, seq);
	assert_int_equal(peer_state(client.link.peer), PEER_CLOSED);
}

/* ---- PUT ---- */

static struct receipt
expect_receipt(struct relay_lab_client *c, const struct buffer *envelope,
    const struct e2e_identity *const *to, size_t count)
{
	struct frame frame = relay_lab_expect(c, FRAME_RECEIPT);
	unsigned char id[HASH_LEN], boxes[8][E2E_ID_LEN];
	struct receipt receipt;
	size_t i;

	for (i = 0; i < count; i++)
		memcpy(boxes[i], e2e_card_id(to[i]->card), E2E_ID_LEN);
	if (count == 2 && memcmp(boxes[0], boxes[1], E2E_ID_LEN) > 0) {
		memcpy(boxes[0], e2e_card_id(to[1]->card), E2E_ID_LEN);
		memcpy(boxes[1], e2e_card_id(to[0]->card), E2E_ID_LEN);
	}
	assert_int_equal(hash_sha256(id, envelope->data, envelope->length),
	    E2E_OK);
	assert_int_equal(client_receipt(c->client, &frame, id,
	    (const unsigned char (*)[E2E_ID_LEN])boxes, count, &receipt),
	    E2E_OK);
	return receipt;
}

static void
a_put_is_answered_by_a_signed_receipt(void **state)
{
	const struct e2e_identity *both[] = { alice, bob };
	const struct e2e_identity *three[] = { bob, alice, bob };
	struct buffer e = relay_lab_envelope(10, both, 2);
	struct receipt receipt;

	(void)state;
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	relay_lab_put(&client, NULL, 0, &letters[0]);
	relay_lab_expect_nothing(&client);
	relay_lab_run(&lab);
	receipt = expect_receipt(&client, &letters[0], both, 1);
	assert_int_equal(receipt.code, RECEIPT_OK);
	assert_int_equal(receipt.stored, 1);
	/* Named ones take the place of the kids; each counts once. */
	relay_lab_put(&client, three, 3, &letters[0]);
	relay_lab_run(&lab);
	receipt = expect_receipt(&client, &letters[0], both, 2);
	assert_int_equal(receipt.stored, 1);
	assert_int_equal(receipt.dup, 1);
	assert_int_equal(waiting(bob), 1);
	/* Refused ones are not signed, and cost nothing. */
	relay_lab_put(&client, (const struct e2e_identity *const[]){ nobody },
	    1, &letters[0]);
	relay_lab_put(&client, NULL, 0, &e);
	relay_lab_run(&lab);
	receipt = expect_receipt(&client, &letters[0], NULL, 0);
	assert_int_equal(receipt.code, RECEIPT_NOUSER);
	receipt = expect_receipt(&client, &e, both, 2);
	assert_int_equal(receipt.stored, 2);
	buffer_free(&e);
}

/* All of one commit share a tree. */
static void
a_commit_is_signed_once(void **state)
{
	struct frame frames[5];
	struct receipt receipt;
	unsigned i;

	(void)state;
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	relay_lab_hello(&lab, &other, NULL, 0, 0);
	for (i = 0; i < 5; i++)
		relay_lab_put(i % 2 ? &other : &client, NULL, 0,
		    &letters[i]);
	relay_lab_batch(&lab);
	for (i = 0; i < 5; i++) {
		struct relay_lab_client *c = i % 2 ? &other : &client;
		size_t at = c->at;

		frames[i] = relay_lab_expect(c, FRAME_RECEIPT);
		assert_int_equal(frames[i].receipt.tree_size, 5);
		assert_memory_equal(frames[i].receipt.signature.data,
		    frames[0].receipt.signature.data,
		    frames[0].receipt.signature.length);
		c->at = at;
		receipt = expect_receipt(c, &letters[i],
		    (const struct e2e_identity *const *)&alice, 1);
		assert_int_equal(receipt.code, RECEIPT_OK);
	}
	/* One by one, each for itself. */
	relay_lab_put(&client, NULL, 0, &letters[0]);
	relay_lab_put(&client, NULL, 0, &letters[5]);
	while (relay_lab_job(&lab))
		;
	frames[0] = relay_lab_expect(&client, FRAME_RECEIPT);
	assert_int_equal(frames[0].receipt.tree_size, 1);
	frames[0] = relay_lab_expect(&client, FRAME_RECEIPT);
	assert_int_equal(frames[0].receipt.tree_size, 1);
}

/* An envelope without kids is no trouble when the mailbox is named. */
static void
hidden_recipients_are_named_by_put(void **state)
{
	const struct e2e_card *cards[] = { alice->card };
	const struct e2e_seal request = {
		.to.cards = cards, .to.card_count = 1, .threads = 1,
		.to.hide = true
	};
	struct buffer e = lab_seal(&request, "x", 1, LAB_STREAM);
	struct receipt receipt;

	(void)state;
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	relay_lab_put(&client, (const struct e2e_identity *const *)&alice, 1,
	    &e);
	relay_lab_put(&client, NULL, 0, &e);
	relay_lab_run(&lab);
	receipt = expect_receipt(&client, &e,
	    (const struct e2e_identity *const *)&alice, 1);
	assert_int_equal(receipt.code, RECEIPT_OK);
	receipt = expect_receipt(&client, &e, NULL, 0);
	assert_int_equal(receipt.code, RECEIPT_NOUSER);
	buffer_free(&e);
}

static void
a_malformed_put_ends_the_session(void **state)
{
	struct buffer junk;

	(void)state;
	buffer_init(&junk, 100);
	(void)buffer_append(&junk, "hello", 5);
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	relay_lab_put(&client, NULL, 0, &letters[0]);
	relay_lab_put(&client, NULL, 0, &junk);
	/* The one before it is answered first. */
	relay_lab_expect_nothing(&client);
	assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_RECEIPT);
	relay_lab_expect_end(&client, "syntax");
	buffer_free(&junk);
}

static void
a_session_may_write_to_itself(void **state)
{
	uint64_t seq;

	(void)state;
	login(alice, 10);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_put(&client, NULL, 0, &letters[0]);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_RECEIPT);
	seq = relay_lab_expect_msg(&client, &letters[0]);
	relay_lab_ack(&client, &seq, all_letters, 1);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_expect_acked(&client, seq, seq);
}

static void
sessions_have_a_rate(void **state)
{
	const struct peer_origin from = {
		.has_address = true, .address = { 0x20, 1 }
	};
	struct client *c = client_new((const unsigned char[32]){ 0 });
	struct frame goaway;
	struct buffer b;
	unsigned i;

	(void)state;
	lab.policy.rate_address = 1;
	lab.policy.burst_address = 2;
	relay_set_policy(lab.relay, &lab.policy);
	buffer_init(&b, FRAME_MAX);
	assert_int_equal(client_hello(c, &b, NULL, 0, 0), E2E_OK);
	for (i = 0; i < 3; i++) {
		relay_lab_connect_from(&lab, &client.link, &from);
		relay_lab_send(&client.link, b.data, b.length, 0);
		if (i < 2) {
			(void)relay_lab_expect(&client, FRAME_CHAL);
		} else {
			goaway = relay_lab_expect(&client, FRAME_GOAWAY);
			assert_memory_equal(goaway.goaway.reason.data, "rate",
			    4);
			assert_int_equal(goaway.goaway.retry, 1);
			assert_int_not_equal(peer_state(client.link.peer),
			    PEER_OPEN);
		}
		relay_lab_leave(&client);
	}
	buffer_free(&b);
	client_free(c);
}

static void
a_store_that_cannot_be_read_ends_sessions(void **state)
{
	unsigned i;

	(void)state;
	fill(1);
	/* At the card, the summary, the list. */
	for (i = 0; i < 3; i++) {
		relay_lab_hello(&lab, &client, alice, 10, 10);
		relay_lab_auth(&client, false);
		if (i > 0)
			assert_true(relay_lab_job(&lab));
		if (i > 1)
			assert_true(relay_lab_job(&lab));
		lab.read_error = E2E_ERR_MEMORY;
		relay_lab_run(&lab);
		if (i == 2)
			(void)relay_lab_expect(&client, FRAME_READY);
		relay_lab_expect_end(&client, i == 0 ? "auth" : "store");
		lab.read_error = E2E_OK;
		relay_lab_leave(&client);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_owner_gets_his_mail_and_deletes_it),
		TEST(fragments_make_no_difference),
		TEST(nobody_else_gets_in),
		TEST(an_unknown_mailbox_needs_its_card),
		TEST(a_relay_with_tls_wants_it),
		TEST(the_binding_must_be_the_same),
		TEST(frames_out_of_place_end_the_session),
		TEST(what_is_no_frame_ends_the_session),
		TEST(credit_is_kept),
		TEST(credit_of_bytes_is_kept),
		TEST(without_credit_it_is_told_what_waits),
		TEST(new_mail_is_pushed),
		TEST(nothing_falls_between_list_and_push),
		TEST(large_items_are_streamed),
		TEST(a_broken_download_goes_on),
		TEST(get_and_push_of_one_item_come_once),
		TEST(an_item_that_vanishes_cuts_the_line),
		TEST(only_who_has_the_bytes_can_delete),
		TEST(a_range_holds_nothing_else),
		TEST(a_failed_deletion_is_not_acked),
		TEST(the_owner_is_told_what_was_dropped),
		TEST(the_newest_session_has_the_mailbox),
		TEST(a_crowd_of_sessions_leaves_one),
		TEST(a_poisonous_item_is_moved_behind_the_others),
		TEST(what_was_not_sent_is_not_counted),
		TEST(what_broke_off_is_not_counted),
		TEST(the_next_session_waits_for_the_end_of_the_last),
		TEST(silence_is_asked_after),
		TEST(who_asks_nothing_is_let_go),
		TEST(half_a_frame_has_its_time),
		TEST(a_relay_that_ends_lets_sessions_finish),
		TEST(a_relay_that_ends_answers_what_was_put),
		TEST(a_relay_that_ends_waits_for_a_put),
		TEST(a_put_that_starves_is_answered),
		TEST(who_reads_too_slowly_holds_little_and_is_let_go),
		TEST(the_end_of_input_waits_for_answers),
		TEST(a_put_is_answered_by_a_signed_receipt),
		TEST(a_commit_is_signed_once),
		TEST(hidden_recipients_are_named_by_put),
		TEST(a_malformed_put_ends_the_session),
		TEST(a_session_may_write_to_itself),
		TEST(sessions_have_a_rate),
		TEST(a_store_that_cannot_be_read_ends_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
