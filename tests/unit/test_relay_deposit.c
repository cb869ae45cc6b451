/*
 * Bare deposits, byte by byte and line by line; and what must not happen: no
 * OK before its commit, nothing stored of an envelope that was cut off.
 */
#include "relay_lab.h"

#include "relay/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct relay_lab lab;
static struct relay_lab_peer peer;
static struct e2e_identity *alice, *bob, *nobody;

static int
setup(void **state)
{
	(void)state;
	relay_lab_start(&lab, NULL, false);
	alice = relay_lab_person(&lab, 1, "alice");
	bob = relay_lab_person(&lab, 2, "bob");
	nobody = lab_fixed_identity(3, 103, "nobody", 1700000000);
	relay_lab_connect(&lab, &peer);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (peer.peer != NULL)
		relay_lab_hang_up(&peer);
	relay_lab_end(&lab);
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(nobody);
	return 0;
}

static struct buffer
letter(size_t length, const struct e2e_identity *a,
    const struct e2e_identity *b)
{
	const struct e2e_identity *to[] = { a, b };

	return relay_lab_envelope(length, to, b != NULL ? 2 : 1);
}

static uint64_t
waiting(const struct e2e_identity *who)
{
	struct store_summary sum;

	assert_int_equal(lab.store->ops->summary(lab.store,
	    e2e_card_id(e2e_identity_card(who)), &sum), E2E_OK);
	return sum.items;
}

/* Hands in one envelope, and looks at the answer when all is done. */
static void
deposit(const struct buffer *e, const char *answer)
{
	relay_lab_send(&peer, e->data, e->length, 0);
	relay_lab_run(&lab);
	relay_lab_says_like(&peer, answer);
}

static void
use_policy(void (*change)(struct relay_policy *policy))
{
	change(&lab.policy);
	relay_set_policy(lab.relay, &lab.policy);
}

/* ---- what is stored ---- */

static void
an_envelope_is_answered_after_its_commit(void **state)
{
	struct buffer e = letter(100, alice, NULL);

	(void)state;
	relay_lab_send(&peer, e.data, e.length, 0);
	relay_lab_silent(&peer);
	assert_int_equal(lab.job_count, 1);
	relay_lab_run(&lab);
	assert_int_equal(waiting(alice), 1);
	relay_lab_says(&peer, relay_lab_ok(&lab, &e, 1, 0, 0));
	assert_int_equal(peer_state(peer.peer), PEER_OPEN);
	assert_int_equal(lab.reports[RELAY_DEPOSIT], 1);
	buffer_free(&e);
}

static void
fragments_make_no_difference(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64, 1000 };
	struct buffer e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		e = letter(100 + i, alice, bob);
		relay_lab_send(&peer, e.data, e.length, steps[i]);
		relay_lab_silent(&peer);
		relay_lab_run(&lab);
		relay_lab_says(&peer, relay_lab_ok(&lab, &e, 2, 0, 0));
		buffer_free(&e);
	}
	assert_int_equal(waiting(alice), 6);
	assert_int_equal(waiting(bob), 6);
}

static void
answers_keep_the_order_of_the_envelopes(void **state)
{
	struct buffer a = letter(10, alice, NULL), b = letter(20, bob, NULL);
	struct buffer all;
	char expected[512];

	(void)state;
	buffer_init(&all, LAB_MAX);
	(void)buffer_append(&all, a.data, a.length);
	(void)buffer_append(&all, b.data, b.length);
	(void)buffer_append(&all, a.data, a.length);
	relay_lab_send(&peer, all.data, all.length, 0);
	assert_int_equal(lab.job_count, 3);
	relay_lab_silent(&peer);
	strcpy(expected, relay_lab_ok(&lab, &a, 1, 0, 0));
	assert_true(relay_lab_job(&lab));
	relay_lab_says(&peer, expected);
	relay_lab_run(&lab);
	strcpy(expected, relay_lab_ok(&lab, &b, 1, 0, 0));
	strcat(expected, relay_lab_ok(&lab, &a, 0, 1, 0));
	relay_lab_says(&peer, expected);
	assert_int_equal(waiting(alice), 1);
	buffer_free(&a);
	buffer_free(&b);
	buffer_free(&all);
}

/* The second one is refused at once, and still not answered first. */
static void
a_quick_no_waits_for_its_turn(void **state)
{
	struct buffer a = letter(10, alice, NULL);
	struct buffer b = letter(300000, bob, NULL);

	(void)state;
	relay_lab_send(&peer, a.data, a.length, 0);
	relay_set_free_space(lab.relay, 0);
	relay_lab_send(&peer, b.data, b.length, 5000);
	relay_lab_silent(&peer);
	assert_int_equal(lab.job_count, 1);
	relay_lab_run(&lab);
	relay_lab_receive(&peer);
	(void)buffer_append_byte(&peer.received, '\0');
	assert_memory_equal(peer.received.data, "OK ", 3);
	assert_non_null(strstr((char *)peer.received.data, "\nERR full "));
	buffer_clear(&peer.received);
	/* It was passed over; what follows is heard. */
	relay_set_free_space(lab.relay, UINT64_MAX);
	deposit(&a, relay_lab_ok(&lab, &a, 0, 1, 0));
	assert_int_equal(waiting(bob), 0);
	buffer_free(&a);
	buffer_free(&b);
}

static void
unknown_recipients_are_counted(void **state)
{
	struct buffer both = letter(10, alice, nobody);
	struct buffer none = letter(10, nobody, NULL);
	const struct e2e_card *cards[] = { e2e_identity_card(alice) };
	const struct e2e_seal hidden = {
		.to.cards = cards, .to.card_count = 1, .threads = 1,
		.to.hide = true
	};
	struct buffer kidless = lab_seal(&hidden, "x", 1, LAB_STREAM);

	(void)state;
	deposit(&both, relay_lab_ok(&lab, &both, 1, 0, 1));
	deposit(&none, "ERR nouser ");
	deposit(&kidless, "ERR nouser ");
	deposit(&both, relay_lab_ok(&lab, &both, 0, 1, 1));
	assert_int_equal(waiting(alice), 1);
	assert_int_equal(peer_state(peer.peer), PEER_OPEN);
	assert_int_equal(relay_counters(lab.relay)->refused[RECEIPT_NOUSER],
	    2);
	buffer_free(&both);
	buffer_free(&none);
	buffer_free(&kidless);
}

static void
read_back(const struct e2e_identity *who, const struct buffer *e)
{
	struct store_item item;
	struct buffer bytes, body;
	size_t count = 1;

	buffer_init(&bytes, 0);
	buffer_init(&body, LAB_MAX);
	assert_int_equal(lab.store->ops->list(lab.store,
	    e2e_card_id(e2e_identity_card(who)), 0, lab.wall, &item, &count,
	    &bytes), E2E_OK);
	assert_int_equal(count, 1);
	assert_int_equal(lab.store->ops->read(lab.store, item.body, 0,
	    LAB_MAX, &body), E2E_OK);
	assert_true(bytes_equal(buffer_bytes(&body), buffer_bytes(e)));
	buffer_free(&body);
	buffer_free(&bytes);
}

static void
large_envelopes_are_staged_at_the_speed_of_the_store(void **state)
{
	struct buffer e = letter(1000000, alice, NULL);
	size_t at = 0, n, most = 0;

	(void)state;
	while (at < e.length) {
		while (at < e.length && peer_wants_input(peer.peer)) {
			n = e.length - at < 10000 ? e.length - at : 10000;
			relay_lab_send(&peer, e.data + at, n, 0);
			at += n;
		}
		/* Two pieces, and what was read with them. */
		if (lab.relay->memory > most)
			most = lab.relay->memory;
		if (at < e.length) {
			assert_int_equal(lab.job_count, 1);
			relay_lab_silent(&peer);
			assert_true(relay_lab_job(&lab));
		}
	}
	assert_true(most < 3 * STORE_PIECE_LEN);
	relay_lab_silent(&peer);
	relay_lab_run(&lab);
	relay_lab_says(&peer, relay_lab_ok(&lab, &e, 1, 0, 0));
	assert_int_equal(lab.done[JOB_STAGE], 4);
	assert_int_equal(lab.done[JOB_DEPOSIT], 1);
	read_back(alice, &e);
	buffer_free(&e);
}

/* Around the size of a piece, to the byte. */
static void
pieces_end_where_they_should(void **state)
{
	size_t length = STORE_PIECE_LEN - 2000, last = 0;
	struct buffer e;

	(void)state;
	for (; last <= STORE_PIECE_LEN + 2; length +=
	    last < STORE_PIECE_LEN - 600 ? 500 : 1) {
		e = letter(length, alice, NULL);
		last = e.length;
		if (last >= STORE_PIECE_LEN - 2) {
			memset(lab.done, 0, sizeof(lab.done));
			relay_lab_send(&peer, e.data, e.length, 0);
			relay_lab_run(&lab);
			relay_lab_says(&peer, relay_lab_ok(&lab, &e, 1, 0,
			    0));
			assert_int_equal(lab.done[JOB_STAGE],
			    last > STORE_PIECE_LEN ? 2 : 0);
		}
		buffer_free(&e);
	}
}

/* ---- what is refused ---- */

static void
what_is_no_envelope_ends_the_connection(void **state)
{
	static const char *const wrong[] = {
		"GET / HTTP/1.0\r\n\r\n", "\xda" "e2e2", "\x16\x03\x01",
		"\xda" "e2e1\x9e", "\n"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		relay_lab_send(&peer, wrong[i], strlen(wrong[i]), i % 2);
		relay_lab_says_like(&peer, "ERR syntax ");
		assert_int_equal(peer_state(peer.peer), PEER_HALF_CLOSED);
		/* Deaf from here on. */
		assert_true(peer_wants_input(peer.peer));
		relay_lab_send(&peer, wrong[i], strlen(wrong[i]), 0);
		relay_lab_silent(&peer);
		relay_lab_deadline(&peer);
		assert_int_equal(peer_state(peer.peer), PEER_CLOSED);
		assert_false(peer_wants_input(peer.peer));
		assert_int_equal(peer_deadline(peer.peer), 0);
		assert_int_equal(lab.job_count, 0);
		relay_lab_hang_up(&peer);
		relay_lab_connect(&lab, &peer);
	}
}

static void
garbage_behind_an_envelope_costs_nothing_before_it(void **state)
{
	struct buffer e = letter(10, alice, NULL);

	(void)state;
	(void)buffer_append(&e, "\n", 1);
	relay_lab_send(&peer, e.data, e.length, 0);
	relay_lab_silent(&peer);
	assert_int_equal(peer_state(peer.peer), PEER_OPEN);
	relay_lab_run(&lab);
	relay_lab_receive(&peer);
	(void)buffer_append_byte(&peer.received, '\0');
	assert_memory_equal(peer.received.data, "OK ", 3);
	assert_non_null(strstr((char *)peer.received.data, "\nERR syntax "));
	assert_int_equal(peer_state(peer.peer), PEER_HALF_CLOSED);
	assert_int_equal(waiting(alice), 1);
	buffer_free(&e);
}

static void
what_was_cut_off_is_never_stored(void **state)
{
	struct buffer e = letter(600000, alice, NULL);
	size_t cuts[] = { 1, 4, 5, 6, 100, 1000, STORE_PIECE_LEN,
	    STORE_PIECE_LEN + 1, 2 * STORE_PIECE_LEN + 1, e.length - 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		relay_lab_send(&peer, e.data, cuts[i], 0);
		peer_end(peer.peer);
		relay_lab_run(&lab);
		relay_lab_says_like(&peer, "ERR syntax ");
		assert_int_equal(peer_state(peer.peer), PEER_CLOSED);
		relay_lab_hang_up(&peer);
		relay_lab_run(&lab);
		relay_lab_connect(&lab, &peer);
	}
	assert_int_equal(lab.done[JOB_DEPOSIT], 0);
	assert_int_equal(lab.done[JOB_UNSTAGE], 3);
	assert_int_equal(waiting(alice), 0);
	buffer_free(&e);
}

static void
set_small_size(struct relay_policy *policy)
{
	policy->envelope_max = 300000;
}

static void
too_large_ends_the_connection(void **state)
{
	struct buffer ok = letter(1000, alice, NULL);
	struct buffer e = letter(400000, alice, NULL);

	(void)state;
	use_policy(set_small_size);
	relay_lab_send(&peer, ok.data, ok.length, 0);
	relay_lab_send(&peer, e.data, e.length, 10000);
	relay_lab_silent(&peer);
	relay_lab_run(&lab);
	relay_lab_receive(&peer);
	(void)buffer_append_byte(&peer.received, '\0');
	assert_non_null(strstr((char *)peer.received.data, "\nERR size "));
	assert_int_equal(peer_state(peer.peer), PEER_HALF_CLOSED);
	assert_int_equal(waiting(alice), 1);
	assert_int_equal(lab.done[JOB_UNSTAGE], 1);
	buffer_free(&ok);
	buffer_free(&e);
}

static void
set_quota(struct relay_policy *policy)
{
	policy->box_items = 1;
}

static void
a_full_mailbox_is_told_to_the_sender(void **state)
{
	struct buffer a = letter(10, alice, NULL);
	struct buffer both = letter(11, alice, bob);

	(void)state;
	use_policy(set_quota);
	deposit(&a, "OK ");
	deposit(&both, "ERR quota 1 of 2 mailboxes full, stored in 1\n");
	assert_int_equal(waiting(alice), 1);
	assert_int_equal(waiting(bob), 1);
	buffer_free(&a);
	buffer_free(&both);
}

static void
set_rate(struct relay_policy *policy)
{
	policy->rate_address = 1;
	policy->burst_address = 3;
}

static void
set_mailbox_rate(struct relay_policy *policy)
{
	policy->rate_mailbox = 1;
	policy->burst_mailbox = 2;
}

static void
deposits_have_a_rate(void **state)
{
	const struct peer_origin one = { .has_address = true,
		.address = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 7 } };
	struct peer_origin near = one, far = one;
	struct relay_lab_peer a, b, c;
	struct buffer e = letter(10, alice, NULL);
	unsigned i;

	(void)state;
	near.address[8] = 8;		/* the same /64 */
	far.address[7] = 2;
	use_policy(set_rate);
	relay_lab_connect_from(&lab, &a, &one);
	relay_lab_connect_from(&lab, &b, &near);
	relay_lab_connect_from(&lab, &c, &far);
	for (i = 0; i < 3; i++)
		relay_lab_send(&a, e.data, e.length, 0);
	relay_lab_send(&b, e.data, e.length, 0);
	relay_lab_says_like(&b, "ERR rate retry=1 ");
	relay_lab_send(&c, e.data, e.length, 0);
	assert_int_equal(lab.job_count, 4);
	relay_lab_run(&lab);
	relay_lab_says_like(&c, "OK ");
	relay_lab_wait(&lab, 1000);
	relay_lab_send(&b, e.data, e.length, 0);
	relay_lab_run(&lab);
	relay_lab_says_like(&b, "OK ");
	relay_lab_hang_up(&a);
	relay_lab_hang_up(&b);
	relay_lab_hang_up(&c);
	use_policy(set_mailbox_rate);
	for (i = 0; i < 2; i++)
		deposit(&e, "OK ");
	deposit(&e, "ERR rate retry=1 ");
	buffer_free(&e);
}

/* Answers that need no store come faster than one read brings envelopes. */
static void
a_flood_is_refused_to_its_last_envelope(void **state)
{
	enum { READ = 65536, WANTED = 4000 };
	const struct peer_origin one = { .has_address = true };
	struct buffer e = letter(10, alice, NULL), flood;
	struct relay_lab_peer a;
	size_t at, lines = 0, i;

	(void)state;
	use_policy(set_rate);
	relay_lab_connect_from(&lab, &a, &one);
	buffer_init(&flood, WANTED * e.length);
	for (i = 0; i < WANTED; i++)
		assert_true(buffer_append(&flood, e.data, e.length));
	for (at = 0; at < flood.length; at += READ) {
		for (i = 0; !peer_wants_input(a.peer); i++) {
			assert_true(i < 1000);
			relay_lab_run(&lab);
			relay_lab_receive(&a);
		}
		peer_input(a.peer, flood.data + at,
		    flood.length - at < READ ? flood.length - at : READ);
		assert_int_equal(peer_state(a.peer), PEER_OPEN);
	}
	relay_lab_run(&lab);
	relay_lab_receive(&a);
	for (i = 0; i < a.received.length; i++)
		lines += a.received.data[i] == '\n';
	assert_int_equal(lines, WANTED);
	relay_lab_hang_up(&a);
	buffer_free(&flood);
	buffer_free(&e);
}

static void
a_relay_that_ends_takes_nothing_new(void **state)
{
	struct buffer a = letter(10, alice, NULL), b = letter(20, bob, NULL);
	struct relay_lab_peer second;

	(void)state;
	relay_lab_connect(&lab, &second);
	relay_lab_send(&second, b.data, 1, 0);
	relay_lab_send(&peer, a.data, a.length, 0);
	assert_false(relay_is_idle(lab.relay));
	relay_drain(lab.relay);
	/* Taken before, so it is finished. */
	assert_int_equal(peer_state(peer.peer), PEER_OPEN);
	relay_lab_run(&lab);
	relay_lab_says(&peer, relay_lab_ok(&lab, &a, 1, 0, 0));
	assert_int_equal(peer_state(peer.peer), PEER_HALF_CLOSED);
	/* This one has begun; what comes behind it has not. */
	assert_false(relay_is_idle(lab.relay));
	assert_int_equal(peer_state(second.peer), PEER_OPEN);
	relay_lab_send(&second, b.data + 1, b.length - 1, 0);
	relay_lab_send(&second, a.data, 100, 0);
	relay_lab_run(&lab);
	relay_lab_receive(&second);
	(void)buffer_append_byte(&second.received, '\0');
	assert_non_null(strstr((char *)second.received.data,
	    relay_lab_ok(&lab, &b, 1, 0, 0)));
	assert_null(strstr((char *)second.received.data, "ERR "));
	buffer_clear(&second.received);
	assert_false(relay_is_idle(lab.relay));
	relay_lab_send(&second, a.data + 100, a.length - 100, 0);
	relay_lab_says_like(&second, "ERR drain retry=5 ");
	assert_true(relay_is_idle(lab.relay));
	assert_int_equal(peer_state(second.peer), PEER_HALF_CLOSED);
	assert_int_equal(waiting(bob), 1);
	relay_lab_hang_up(&second);
	buffer_free(&a);
	buffer_free(&b);
}

/* Piece by piece, whatever comes in between. */
static void
a_relay_that_ends_takes_what_has_begun(void **state)
{
	struct buffer e = letter(900000, alice, NULL);
	const size_t cuts[] = { 1, 4, 100, 100000, 300000, 700000 };
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		relay_lab_send(&peer, e.data, cuts[i], 0);
		relay_lab_run(&lab);
		relay_drain(lab.relay);
		for (at = cuts[i]; at < e.length; at += 65536) {
			assert_false(relay_is_idle(lab.relay));
			relay_lab_send(&peer, e.data + at, e.length - at <
			    65536 ? e.length - at : 65536, 0);
			relay_lab_run(&lab);
		}
		relay_lab_says(&peer, relay_lab_ok(&lab, &e, i == 0, i > 0,
		    0));
		assert_true(relay_is_idle(lab.relay));
		relay_lab_hang_up(&peer);
		lab.relay->draining = false;
		relay_lab_connect(&lab, &peer);
	}
	buffer_free(&e);
}

/* Also when it was read, and could not be looked at yet. */
static void
a_relay_that_ends_takes_what_waits(void **state)
{
	struct buffer e = letter(10, alice, NULL);
	size_t i, lines = 0;

	(void)state;
	for (i = 0; peer_wants_input(peer.peer); i++)
		relay_lab_send(&peer, e.data, e.length, 0);
	relay_lab_send(&peer, e.data, e.length, 0);
	relay_lab_send(&peer, e.data, 10, 0);
	relay_drain(lab.relay);
	relay_lab_run(&lab);
	assert_false(relay_is_idle(lab.relay));
	relay_lab_send(&peer, e.data + 10, e.length - 10, 0);
	relay_lab_run(&lab);
	relay_lab_receive(&peer);
	for (i = 0; i < peer.received.length; i++)
		lines += peer.received.data[i] == '\n';
	assert_int_equal(lines, PEER_DEPOSITS_MAX + 2);
	(void)buffer_append_byte(&peer.received, '\0');
	assert_null(strstr((char *)peer.received.data, "ERR "));
	assert_true(relay_is_idle(lab.relay));
	buffer_free(&e);
}

/* ---- a store in trouble ---- */

static void
a_failing_store_is_no_ok(void **state)
{
	struct buffer e = letter(10, alice, NULL);

	(void)state;
	lab.change_error = E2E_ERR_FULL;
	deposit(&e, "ERR full ");
	lab.change_error = E2E_ERR_MEMORY;
	deposit(&e, "ERR busy retry=5 ");
	assert_int_equal(lab.reports[RELAY_STORE_FAILED], 0);
	lab.change_error = E2E_ERR_STORE;
	deposit(&e, "ERR busy retry=5 ");
	assert_int_equal(lab.reports[RELAY_STORE_FAILED], 1);
	/* Nothing is even tried any more. */
	deposit(&e, "ERR busy retry=5 ");
	assert_int_equal(lab.done[JOB_DEPOSIT], 3);
	assert_int_equal(waiting(alice), 0);
	buffer_free(&e);
}

static void
a_failing_stage_is_no_ok(void **state)
{
	struct buffer e = letter(700000, alice, NULL);

	(void)state;
	relay_lab_send(&peer, e.data, STORE_PIECE_LEN + 1, 0);
	lab.change_error = E2E_ERR_FULL;
	relay_lab_run(&lab);
	relay_lab_says_like(&peer, "ERR full ");
	lab.change_error = E2E_OK;
	relay_lab_send(&peer, e.data + STORE_PIECE_LEN + 1,
	    e.length - STORE_PIECE_LEN - 1, 9999);
	deposit(&e, relay_lab_ok(&lab, &e, 1, 0, 0));
	buffer_free(&e);
}

static void
a_full_queue_stops_the_reading(void **state)
{
	struct relay_lab_peer second;
	struct buffer e = letter(10, alice, NULL), all;
	unsigned i;

	(void)state;
	buffer_init(&all, LAB_MAX);
	for (i = 0; i < 5; i++)
		(void)buffer_append(&all, e.data, e.length);
	lab.job_max = 2;
	relay_lab_connect(&lab, &second);
	relay_lab_send(&peer, all.data, all.length, 0);
	assert_int_equal(lab.job_count, 2);
	assert_false(peer_wants_input(peer.peer));
	assert_true(peer_wants_input(second.peer));
	relay_lab_send(&second, e.data, e.length, 0);
	assert_false(peer_wants_input(second.peer));
	relay_lab_silent(&peer);
	/* Room for one: the one that waits longest. */
	lab.job_max = 3;
	relay_room(lab.relay);
	assert_int_equal(lab.job_count, 3);
	assert_false(peer_wants_input(second.peer));
	relay_lab_run(&lab);
	assert_true(peer_wants_input(peer.peer));
	assert_true(peer_wants_input(second.peer));
	relay_lab_says_like(&second, "OK ");
	relay_lab_receive(&peer);
	assert_int_equal(lab.done[JOB_DEPOSIT], 6);
	relay_lab_hang_up(&second);
	buffer_free(&e);
	buffer_free(&all);
}

static void
only_so_many_are_under_way(void **state)
{
	struct buffer e = letter(10, alice, NULL);
	size_t i, lines = 0;

	(void)state;
	for (i = 0; peer_wants_input(peer.peer); i++)
		relay_lab_send(&peer, e.data, e.length, 0);
	assert_int_equal(i, PEER_DEPOSITS_MAX);
	/* Read by the host all the same: it waits, and is not lost. */
	relay_lab_send(&peer, e.data, e.length, 11);
	assert_int_equal(lab.job_count, PEER_DEPOSITS_MAX);
	relay_lab_run(&lab);
	relay_lab_receive(&peer);
	for (i = 0; i < peer.received.length; i++)
		lines += peer.received.data[i] == '\n';
	assert_int_equal(lines, PEER_DEPOSITS_MAX + 1);
	buffer_free(&e);
}

static void
set_small_memory(struct relay_policy *policy)
{
	policy->memory = 400000;
}

static void
set_smaller_memory(struct relay_policy *policy)
{
	policy->memory = 320000;
}

static void
memory_has_a_budget(void **state)
{
	struct relay_lab_peer second, third;
	struct buffer e = letter(250000, alice, NULL);
	struct buffer small = letter(10, bob, NULL);

	(void)state;
	use_policy(set_small_memory);
	relay_lab_connect(&lab, &second);
	relay_lab_connect(&lab, &third);
	relay_lab_send(&peer, e.data, 200000, 0);
	relay_lab_send(&second, e.data, 100000, 0);
	/* Three quarters are taken. */
	relay_lab_send(&third, small.data, small.length, 0);
	assert_false(peer_wants_input(third.peer));
	relay_lab_send(&peer, e.data + 200000, 45000, 0);
	relay_lab_silent(&peer);
	/* This is too much. */
	relay_lab_send(&second, e.data + 100000, 100000, 0);
	relay_lab_says_like(&second, "ERR busy retry=5 ");
	assert_true(lab.relay->memory <= lab.policy.memory);
	/* What it held is free again. */
	assert_true(peer_wants_input(third.peer));
	relay_lab_run(&lab);
	relay_lab_says_like(&third, "OK ");
	relay_lab_send(&peer, e.data + 245000, e.length - 245000, 0);
	relay_lab_send(&second, e.data + 200000, e.length - 200000, 0);
	relay_lab_run(&lab);
	relay_lab_says(&peer, relay_lab_ok(&lab, &e, 1, 0, 0));
	relay_lab_send(&second, e.data, e.length, 0);
	relay_lab_run(&lab);
	relay_lab_says(&second, relay_lab_ok(&lab, &e, 0, 1, 0));
	relay_lab_hang_up(&second);
	relay_lab_hang_up(&third);
	buffer_free(&e);
	buffer_free(&small);
}

static void
who_holds_nothing_waits_for_memory(void **state)
{
	struct relay_lab_peer second;
	struct buffer e = letter(250000, alice, NULL);
	struct buffer small = letter(10, bob, NULL);

	(void)state;
	use_policy(set_smaller_memory);
	relay_lab_connect(&lab, &second);
	relay_lab_send(&peer, e.data, 240000, 70000);
	relay_lab_send(&second, small.data, small.length, 0);
	assert_false(peer_wants_input(second.peer));
	assert_int_equal(lab.job_count, 0);
	assert_int_equal(peer_deadline(second.peer), lab.steady + 5000);
	relay_lab_send(&peer, e.data + 240000, e.length - 240000, 0);
	relay_lab_run(&lab);
	relay_lab_says_like(&peer, "OK ");
	relay_lab_says_like(&second, "OK ");
	assert_true(peer_wants_input(second.peer));
	relay_lab_hang_up(&second);
	buffer_free(&e);
	buffer_free(&small);
}

/* ---- memory, shared out by address ---- */

static const struct peer_origin greedy = { .has_address = true,
	.address = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1 } };
static const struct peer_origin modest = { .has_address = true,
	.address = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 2 } };

enum { CROWD = 200 };

/* A crowd of one address, each with the beginning of a large envelope. */
static void
begin_crowd(struct relay_lab_peer *crowd, size_t count,
    const struct peer_origin *origin, const struct buffer *e, size_t size)
{
	size_t i;

	for (i = 0; i < count; i++) {
		relay_lab_connect_from(&lab, &crowd[i], origin);
		relay_lab_send(&crowd[i], e->data, size, 65536);
	}
	relay_lab_run(&lab);
}

static void
end_crowd(struct relay_lab_peer *crowd, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		relay_lab_hang_up(&crowd[i]);
}

/* Time goes by, in which nobody says anything. */
static void
tick_crowd(struct relay_lab_peer *crowd, size_t count, uint64_t ms)
{
	size_t i;

	relay_lab_wait(&lab, ms);
	for (i = 0; i < count; i++)
		peer_tick(crowd[i].peer);
	relay_lab_run(&lab);
}

static void
expect_share(const struct peer_origin *origin, uint64_t share)
{
	static struct relay_lab_peer crowd[CROWD];
	struct buffer e = letter(1000000, alice, NULL);
	struct buffer small = letter(10, bob, NULL);
	struct relay_lab_peer other;
	size_t i, waiting_now = 0, refused = 0;

	begin_crowd(crowd, CROWD, origin, &e, 250000);
	assert_true(lab.relay->memory > share / 2);
	assert_true(lab.relay->memory <= share + 100000);
	/* Somebody else does not even notice. */
	relay_lab_connect_from(&lab, &other, &modest);
	relay_lab_send(&other, small.data, small.length, 0);
	relay_lab_run(&lab);
	relay_lab_says(&other, relay_lab_ok(&lab, &small, 1, 0, 0));
	for (i = 0; i < CROWD; i++)
		waiting_now += !peer_wants_input(crowd[i].peer);
	assert_true(waiting_now > 0);
	/* Nobody waits for ever. */
	tick_crowd(crowd, CROWD, 5000);
	for (i = 0; i < CROWD; i++) {
		assert_true(peer_wants_input(crowd[i].peer));
		relay_lab_receive(&crowd[i]);
		if (crowd[i].received.length > 0) {
			refused++;
			relay_lab_says_like(&crowd[i], "ERR busy retry=5 ");
		}
	}
	assert_true(refused >= waiting_now && refused < CROWD);
	relay_lab_hang_up(&other);
	end_crowd(crowd, CROWD);
	relay_lab_run(&lab);
	assert_int_equal(lab.relay->memory, 0);
	buffer_free(&e);
	buffer_free(&small);
}

static void
an_address_has_a_quarter_of_the_memory(void **state)
{
	(void)state;
	expect_share(&greedy, lab.policy.memory / 4);
}

static void
local_peers_have_half_of_the_memory(void **state)
{
	const struct peer_origin local = { .local = true };

	(void)state;
	expect_share(&local, lab.policy.memory / 2);
}

/* However many wait, and although whoever gets on needs more at once. */
static void
a_crowd_that_starves_does_not_stop_the_relay(void **state)
{
	static struct relay_lab_peer crowd[CROWD];
	struct buffer e = letter(1000000, alice, NULL);
	struct buffer small = letter(10, bob, NULL);
	struct relay_lab_peer other;
	size_t i;

	(void)state;
	begin_crowd(crowd, CROWD, &greedy, &e, 500000);
	relay_lab_connect_from(&lab, &other, &modest);
	for (i = 0; i < CROWD; i++) {
		relay_lab_hang_up(&crowd[i]);
		relay_lab_send(&other, small.data, small.length, 0);
		relay_lab_run(&lab);
		relay_lab_says_like(&other, "OK ");
	}
	relay_lab_hang_up(&other);
	buffer_free(&e);
	buffer_free(&small);
}

/* What it wanted to hand in is passed over, and the next one is judged by
 * itself. */
static void
who_starved_goes_on_behind_the_refusal(void **state)
{
	struct relay_lab_peer second;
	struct buffer e = letter(250000, alice, NULL);
	struct buffer small = letter(10, bob, NULL);

	(void)state;
	use_policy(set_smaller_memory);
	relay_lab_connect(&lab, &second);
	relay_lab_send(&peer, e.data, 240000, 70000);
	relay_lab_send(&second, small.data, small.length, 0);
	relay_lab_send(&second, small.data, 20, 0);
	relay_lab_silent(&second);
	relay_lab_wait(&lab, 4999);
	peer_tick(second.peer);
	relay_lab_silent(&second);
	relay_lab_wait(&lab, 1);
	peer_tick(second.peer);
	relay_lab_receive(&second);
	(void)buffer_append_byte(&second.received, '\0');
	assert_string_equal(second.received.data,
	    "ERR busy retry=5 no memory\nERR busy retry=5 no memory\n");
	buffer_clear(&second.received);
	assert_true(peer_wants_input(second.peer));
	relay_lab_send(&peer, e.data + 240000, e.length - 240000, 0);
	relay_lab_run(&lab);
	relay_lab_says_like(&peer, "OK ");
	relay_lab_send(&second, small.data + 20, small.length - 20, 0);
	relay_lab_send(&second, small.data, small.length, 0);
	relay_lab_run(&lab);
	relay_lab_says_like(&second, "OK ");
	relay_lab_hang_up(&second);
	buffer_free(&e);
	buffer_free(&small);
}

/* ---- the ends of connections ---- */

static void
the_end_of_input_does_not_cancel_the_commit(void **state)
{
	struct buffer e = letter(10, alice, NULL);

	(void)state;
	relay_lab_send(&peer, e.data, e.length, 0);
	peer_end(peer.peer);
	assert_int_equal(peer_state(peer.peer), PEER_OPEN);
	assert_false(peer_wants_input(peer.peer));
	relay_lab_run(&lab);
	assert_int_equal(peer_state(peer.peer), PEER_CLOSED);
	relay_lab_says(&peer, relay_lab_ok(&lab, &e, 1, 0, 0));
	assert_int_equal(peer_deadline(peer.peer), 0);
	buffer_free(&e);
}

static void
a_vanished_sender_does_not_cancel_the_commit(void **state)
{
	struct buffer e = letter(10, alice, NULL);
	struct buffer large = letter(700000, bob, NULL);

	(void)state;
	relay_lab_send(&peer, e.data, e.length, 0);
	relay_lab_hang_up(&peer);
	relay_lab_connect(&lab, &peer);
	/* All of it has come, none of it is written. */
	relay_lab_send(&peer, large.data, large.length, 0);
	relay_lab_run(&lab);
	relay_lab_says_like(&peer, "OK ");
	relay_lab_send(&peer, large.data, large.length - 1, 0);
	relay_lab_hang_up(&peer);
	relay_lab_run(&lab);
	assert_int_equal(waiting(alice), 1);
	assert_int_equal(waiting(bob), 1);
	buffer_free(&e);
	buffer_free(&large);
}

static void
a_vanished_sender_of_a_staged_one(void **state)
{
	struct buffer e = letter(400000, alice, NULL);

	(void)state;
	relay_lab_send(&peer, e.data, e.length, 0);
	assert_int_equal(lab.job_count, 1);
	relay_lab_hang_up(&peer);
	relay_lab_run(&lab);
	assert_int_equal(waiting(alice), 1);
	read_back(alice, &e);
	relay_lab_connect(&lab, &peer);
	relay_lab_send(&peer, e.data, e.length - 1, 0);
	relay_lab_hang_up(&peer);
	relay_lab_run(&lab);
	assert_int_equal(lab.done[JOB_UNSTAGE], 1);
	assert_int_equal(lab.done[JOB_DEPOSIT], 1);
	buffer_free(&e);
}

static void
the_write_side_ends_after_a_pause(void **state)
{
	struct buffer a = letter(10, alice, NULL), b = letter(11, alice, NULL);

	(void)state;
	relay_lab_send(&peer, a.data, a.length, 0);
	relay_lab_wait(&lab, 5000);
	peer_tick(peer.peer);
	/* The answer is owed. */
	assert_int_equal(peer_state(peer.peer), PEER_OPEN);
	relay_lab_run(&lab);
	assert_int_equal(peer_state(peer.peer), PEER_HALF_CLOSED);
	relay_lab_says(&peer, relay_lab_ok(&lab, &a, 1, 0, 0));
	/* Too late to be answered, and stored all the same. */
	relay_lab_send(&peer, b.data, b.length, 0);
	relay_lab_run(&lab);
	relay_lab_silent(&peer);
	assert_int_equal(waiting(alice), 2);
	relay_lab_deadline(&peer);
	assert_int_equal(peer_state(peer.peer), PEER_CLOSED);
	assert_true(lab.steady <= RELAY_LAB_STEADY + 7000);
	relay_lab_send(&peer, b.data, b.length, 0);
	assert_int_equal(lab.job_count, 0);
	buffer_free(&a);
	buffer_free(&b);
}

static void
a_second_envelope_within_the_pause_is_answered(void **state)
{
	struct buffer a = letter(10, alice, NULL);

	(void)state;
	deposit(&a, "OK ");
	relay_lab_wait(&lab, 1900);
	peer_tick(peer.peer);
	relay_lab_send(&peer, a.data, 3, 0);
	relay_lab_wait(&lab, 1900);
	peer_tick(peer.peer);
	relay_lab_send(&peer, a.data + 3, a.length - 3, 0);
	relay_lab_run(&lab);
	relay_lab_says_like(&peer, "OK ");
	assert_int_equal(peer_deadline(peer.peer), lab.steady + 2000);
	relay_lab_deadline(&peer);
	assert_int_equal(peer_state(peer.peer), PEER_HALF_CLOSED);
	peer_end(peer.peer);
	assert_int_equal(peer_state(peer.peer), PEER_CLOSED);
	buffer_free(&a);
}

static void
a_header_has_its_time(void **state)
{
	struct buffer e = letter(10, alice, NULL);
	size_t i, cuts[] = { 1, 4, 5, 60 };

	(void)state;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		relay_lab_send(&peer, e.data, cuts[i] - 1, 0);
		relay_lab_wait(&lab, 9000);
		peer_tick(peer.peer);
		relay_lab_send(&peer, e.data + cuts[i] - 1, 1, 0);
		relay_lab_silent(&peer);
		if (cuts[i] > 1)
			assert_int_equal(peer_deadline(peer.peer),
			    lab.steady + 1000);
		relay_lab_deadline(&peer);
		relay_lab_says_like(&peer, "ERR syntax ");
		assert_int_equal(peer_state(peer.peer), PEER_HALF_CLOSED);
		relay_lab_hang_up(&peer);
		relay_lab_connect(&lab, &peer);
	}
	/* Who says nothing is let go without a word. */
	relay_lab_deadline(&peer);
	assert_int_equal(peer_state(peer.peer), PEER_CLOSED);
	relay_lab_silent(&peer);
	buffer_free(&e);
}

static void
who_is_too_slow_is_let_go(void **state)
{
	struct buffer e = letter(50000, alice, NULL);
	size_t at = 0;

	(void)state;
	relay_lab_send(&peer, e.data, 1000, 0);
	/* 2 KiB a second: goes on and on. */
	for (at = 1000; at < 30000; at += 2048) {
		relay_lab_send(&peer, e.data + at, 2048, 0);
		relay_lab_wait(&lab, 1000);
		peer_tick(peer.peer);
		assert_int_equal(peer_state(peer.peer), PEER_OPEN);
	}
	/* 500 bytes a second: no. */
	for (; peer_state(peer.peer) == PEER_OPEN; at += 500) {
		assert_true(at < e.length - 500);
		relay_lab_send(&peer, e.data + at, 500, 0);
		relay_lab_wait(&lab, 1000);
		peer_tick(peer.peer);
	}
	assert_int_equal(peer_state(peer.peer), PEER_CLOSED);
	relay_lab_silent(&peer);
	buffer_free(&e);
}

static void
who_does_not_read_is_let_go(void **state)
{
	struct buffer e = letter(10, alice, NULL);

	(void)state;
	relay_lab_send(&peer, e.data, e.length, 0);
	relay_lab_run(&lab);
	assert_true(peer_output(peer.peer).length > 0);
	while (peer_deadline(peer.peer) != 0)
		relay_lab_deadline(&peer);
	assert_int_equal(peer_state(peer.peer), PEER_CLOSED);
	assert_int_equal(peer_output(peer.peer).length, 0);
	assert_true(lab.steady <= RELAY_LAB_STEADY + 11000);
	buffer_free(&e);
}

static void
set_connections(struct relay_policy *policy)
{
	policy->connections = 4;
	policy->connections_each = 2;
}

static void
connections_are_counted(void **state)
{
	const struct peer_origin four = { .has_address = true,
		.address = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2,
		1 } };
	struct peer_origin other = four;
	struct relay_lab_peer a, b, c;

	(void)state;
	use_policy(set_connections);
	other.address[15] = 2;
	relay_lab_connect_from(&lab, &a, &four);
	relay_lab_connect_from(&lab, &b, &four);
	assert_null(peer_new(lab.relay, &four, NULL));
	relay_lab_connect_from(&lab, &c, &other);
	/* All together. */
	assert_null(peer_new(lab.relay, &other, NULL));
	relay_lab_hang_up(&a);
	relay_lab_connect_from(&lab, &a, &four);
	relay_lab_hang_up(&a);
	relay_lab_hang_up(&b);
	relay_lab_hang_up(&c);
}

static void
an_idle_connection_holds_nothing(void **state)
{
	struct buffer e = letter(10, alice, NULL);

	(void)state;
	assert_true(sizeof(struct peer) <= 512);
	deposit(&e, "OK ");
	assert_int_equal(lab.relay->memory, 0);
	assert_null(peer.peer->transit);
	assert_null(peer.peer->pending.data);
	assert_null(peer.peer->output.data);
	assert_null(peer.peer->first);
	buffer_free(&e);
}

static void
housekeeping_asks_the_store(void **state)
{
	struct buffer e = letter(10, alice, NULL);

	(void)state;
	deposit(&e, "OK ");
	relay_lab_wait(&lab, (lab.policy.ttl + 1) * 1000);
	relay_housekeeping(lab.relay);
	relay_housekeeping(lab.relay);
	assert_int_equal(lab.job_count, 2);
	relay_lab_run(&lab);
	assert_int_equal(relay_counters(lab.relay)->expired_items, 1);
	assert_int_equal(waiting(alice), 0);
	buffer_free(&e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_envelope_is_answered_after_its_commit),
		TEST(fragments_make_no_difference),
		TEST(answers_keep_the_order_of_the_envelopes),
		TEST(a_quick_no_waits_for_its_turn),
		TEST(unknown_recipients_are_counted),
		TEST(large_envelopes_are_staged_at_the_speed_of_the_store),
		TEST(pieces_end_where_they_should),
		TEST(what_is_no_envelope_ends_the_connection),
		TEST(garbage_behind_an_envelope_costs_nothing_before_it),
		TEST(what_was_cut_off_is_never_stored),
		TEST(too_large_ends_the_connection),
		TEST(a_full_mailbox_is_told_to_the_sender),
		TEST(deposits_have_a_rate),
		TEST(a_flood_is_refused_to_its_last_envelope),
		TEST(a_relay_that_ends_takes_nothing_new),
		TEST(a_relay_that_ends_takes_what_has_begun),
		TEST(a_relay_that_ends_takes_what_waits),
		TEST(a_failing_store_is_no_ok),
		TEST(a_failing_stage_is_no_ok),
		TEST(a_full_queue_stops_the_reading),
		TEST(only_so_many_are_under_way),
		TEST(memory_has_a_budget),
		TEST(who_holds_nothing_waits_for_memory),
		TEST(an_address_has_a_quarter_of_the_memory),
		TEST(local_peers_have_half_of_the_memory),
		TEST(a_crowd_that_starves_does_not_stop_the_relay),
		TEST(who_starved_goes_on_behind_the_refusal),
		TEST(the_end_of_input_does_not_cancel_the_commit),
		TEST(a_vanished_sender_does_not_cancel_the_commit),
		TEST(a_vanished_sender_of_a_staged_one),
		TEST(the_write_side_ends_after_a_pause),
		TEST(a_second_envelope_within_the_pause_is_answered),
		TEST(a_header_has_its_time),
		TEST(who_is_too_slow_is_let_go),
		TEST(who_does_not_read_is_let_go),
		TEST(connections_are_counted),
		TEST(an_idle_connection_holds_nothing),
		TEST(housekeeping_asks_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
