/*
 * The directory: who may register what, what is answered to whom, and that
 * every answer is signed for this very question.
 */
#include "relay_lab.h"

#include "message/identity.h"
#include "relay/peer.h"
#include "relay/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct relay_lab lab;
static struct relay_lab_client client;
static struct e2e_identity *alice, *bob;

static int
setup(void **state)
{
	(void)state;
	relay_lab_start(&lab, NULL, false);
	alice = lab_fixed_identity(1, 101, "alice", 1700000000);
	bob = lab_fixed_identity(2, 102, "bob", 1700000000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	relay_lab_leave(&client);
	relay_lab_end(&lab);
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	return 0;
}

/* A session of a new owner, who shows his card. */
static void
login(const struct e2e_identity *who)
{
	relay_lab_leave(&client);
	relay_lab_hello(&lab, &client, who, 10, 1 << 20);
	relay_lab_auth(&client, true);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_READY);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
}

static void
ask_register(const struct e2e_card *card, const char *token)
{
	struct frame frame = { .type = FRAME_REGISTER };

	frame.enroll.card = buffer_bytes(&card->encoded);
	if (token != NULL)
		frame.enroll.token = (struct bytes){
		    (const unsigned char *)token, strlen(token) };
	relay_lab_send_frame(&client, &frame);
	relay_lab_run(&lab);
}

static void
ask(const char *name, const unsigned char *id)
{
	struct frame frame = { .type = FRAME_LOOKUP };

	if (name != NULL)
		frame.lookup.name = (struct bytes){
		    (const unsigned char *)name, strlen(name) };
	frame.lookup.id = id;
	relay_lab_send_frame(&client, &frame);
	relay_lab_run(&lab);
}

/* The next frame is the RECORD for this, of this card (NULL: none). */
static void
expect_record(const char *name, const unsigned char *id,
    const struct e2e_card *expected, bool expect_revoked)
{
	struct frame frame = relay_lab_expect(&client, FRAME_RECORD);
	struct e2e_card *card;
	struct buffer revocation;
	bool revoked;

	buffer_init(&revocation, 2 * STORE_REVOCATION_MAX);
	assert_int_equal(client_record(client.client, &frame, name, id,
	    &card, &revoked, &revocation), E2E_OK);
	assert_int_equal(revoked, expect_revoked);
	if (expected == NULL) {
		assert_null(card);
	} else {
		assert_non_null(card);
		assert_true(e2e_card_equal(card, expected));
		assert_int_not_equal(frame.record.registered, 0);
	}
	e2e_card_free(card);
	buffer_free(&revocation);
}

static void
expect_own_record(const struct e2e_identity *who)
{
	expect_record(NULL, e2e_card_id(who->card), who->card, false);
}

static void
an_owner_registers_and_is_found(void **state)
{
	struct buffer e = relay_lab_envelope(10,
	    (const struct e2e_identity *const *)&alice, 1);

	(void)state;
	login(alice);
	ask_register(alice->card, NULL);
	expect_own_record(alice);
	assert_int_equal(lab.reports[RELAY_REGISTERED], 1);
	/* The mailbox is there at once, and pushed to. */
	relay_lab_deposit(&lab, &e);
	(void)relay_lab_expect_msg(&client, &e);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	relay_lab_leave(&client);
	/* Anybody may ask. */
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	ask("alice", NULL);
	expect_record("alice", NULL, alice->card, false);
	ask(NULL, e2e_card_id(alice->card));
	expect_own_record(alice);
	ask("bob", NULL);
	expect_record("bob", NULL, NULL, false);
	ask(NULL, e2e_card_id(bob->card));
	expect_record(NULL, e2e_card_id(bob->card), NULL, false);
	buffer_free(&e);
}

/* Several questions at once are answered in their order. */
static void
answers_come_in_order(void **state)
{
	struct frame frame = { .type = FRAME_LOOKUP }, ping = {
		.type = FRAME_PING };
	static const char *const names[] = { "alice", "nobody", "bob" };
	size_t i;

	(void)state;
	relay_lab_enroll(&lab, alice->card);
	relay_lab_enroll(&lab, bob->card);
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	for (i = 0; i < 3; i++) {
		frame.lookup.name = (struct bytes){
		    (const unsigned char *)names[i], strlen(names[i]) };
		relay_lab_send_frame(&client, &frame);
		relay_lab_send_frame(&client, &ping);
	}
	/* Nothing is read ahead of the first. */
	assert_int_equal(lab.job_count, 1);
	assert_false(peer_wants_input(client.link.peer));
	relay_lab_run(&lab);
	expect_record("alice", NULL, alice->card, false);
	(void)relay_lab_expect(&client, FRAME_PONG);
	expect_record("nobody", NULL, NULL, false);
	(void)relay_lab_expect(&client, FRAME_PONG);
	expect_record("bob", NULL, bob->card, false);
	(void)relay_lab_expect(&client, FRAME_PONG);
	assert_true(peer_wants_input(client.link.peer));
}

/* An old answer does not fit a new question. */
static void
an_answer_fits_one_question(void **state)
{
	struct frame first, second;
	struct e2e_card *card;
	struct buffer revocation;
	bool revoked;

	(void)state;
	relay_lab_enroll(&lab, alice->card);
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	buffer_init(&revocation, 2 * STORE_REVOCATION_MAX);
	ask("alice", NULL);
	ask("alice", NULL);
	first = relay_lab_expect(&client, FRAME_RECORD);
	second = relay_lab_expect(&client, FRAME_RECORD);
	assert_int_equal(client_record(client.client, &second, "alice", NULL,
	    &card, &revoked, &revocation), E2E_ERR_RELAY_PROOF);
	assert_int_equal(client_record(client.client, &first, "alice", NULL,
	    &card, &revoked, &revocation), E2E_ERR_RELAY_PROOF);
	buffer_free(&revocation);
}

static const char too_long[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void
names_that_cannot_be_are_nobodys(void **state)
{
	static const char *const names[] = {
		"Alice", "a/b", "", "..", "\xc3\xa4",
		too_long + 1
	};
	size_t i;

	(void)state;
	relay_lab_enroll(&lab, alice->card);
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ask(names[i], NULL);
		expect_record(names[i], NULL, NULL, false);
	}
}

/* Answered at once, without the store, in the midst of what has to wait. */
static void
a_name_with_a_nul_is_nobodys(void **state)
{
	struct frame frame = { .type = FRAME_LOOKUP };
	struct frame ping = { .type = FRAME_PING };
	struct buffer b;

	(void)state;
	relay_lab_enroll(&lab, alice->card);
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	buffer_init(&b, FRAME_MAX);
	frame.lookup.name = (struct bytes){
	    (const unsigned char *)"alice\0", 6 };
	frame_put(&b, &frame);
	frame_put(&b, &frame);
	frame_put(&b, &ping);
	relay_lab_send(&client.link, b.data, b.length, 1);
	relay_lab_send(&client.link, b.data, b.length - 1, 0);
	relay_lab_send(&client.link, b.data + b.length - 1, 1, 0);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_RECORD);
	(void)relay_lab_expect(&client, FRAME_RECORD);
	(void)relay_lab_expect(&client, FRAME_PONG);
	(void)relay_lab_expect(&client, FRAME_RECORD);
	(void)relay_lab_expect(&client, FRAME_RECORD);
	(void)relay_lab_expect(&client, FRAME_PONG);
	relay_lab_expect_nothing(&client);
	assert_int_equal(lab.done[JOB_LOOKUP], 0);
	buffer_free(&b);
}

static void
only_the_owner_registers(void **state)
{
	(void)state;
	login(alice);
	ask_register(bob->card, NULL);
	relay_lab_expect_error(&client, "card");
	/* The session goes on. */
	ask_register(alice->card, NULL);
	expect_own_record(alice);
	assert_int_equal(relay_counters(lab.relay)->registrations, 1);
}

static void
a_name_is_first_come(void **state)
{
	struct e2e_identity *second = lab_fixed_identity(9, 109, "alice",
	    1700000000);

	(void)state;
	relay_lab_enroll(&lab, alice->card);
	login(second);
	ask_register(second->card, NULL);
	relay_lab_expect_error(&client, "taken");
	ask("alice", NULL);
	expect_record("alice", NULL, alice->card, false);
	e2e_identity_free(second);
}

static void
names_become_file_names(void **state)
{
	static const struct { const char *name; bool fits; } names[] = {
		{ "Alice", false }, { "a b", false }, { ".a", false },
		{ "-a", false }, { "@", false }, { "a/b", false },
		{ "\xc3\xa4", false }, { "a\\", false }, { "", true },
		{ "a", true }, { "0._@-z", true },
		{ too_long + 1, true }
	};
	struct e2e_identity *who;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		who = lab_fixed_identity((unsigned char)(20 + i),
		    (unsigned char)(120 + i), names[i].name, 1700000000);
		login(who);
		ask_register(who->card, NULL);
		if (names[i].fits)
			expect_own_record(who);
		else
			relay_lab_expect_error(&client, "name");
		relay_lab_leave(&client);
		e2e_identity_free(who);
	}
}

static void
a_card_goes_only_forward(void **state)
{
	struct e2e_card *old, *twin;
	const struct key *key = alice->encryption[0];

	(void)state;
	old = e2e_card_dup(alice->card);
	assert_int_equal(card_make(&twin, alice->signing, &key, 1, "alice",
	    1700000001, 0, 1), E2E_OK);
	login(alice);
	ask_register(alice->card, NULL);
	expect_own_record(alice);
	ask_register(alice->card, NULL);
	expect_own_record(alice);
	ask_register(twin, NULL);
	relay_lab_expect_error(&client, "conflict");
	assert_int_equal(e2e_identity_rotate(alice), E2E_OK);
	ask_register(alice->card, NULL);
	expect_own_record(alice);
	ask_register(old, NULL);
	relay_lab_expect_error(&client, "rollback");
	ask("alice", NULL);
	expect_record("alice", NULL, alice->card, false);
	e2e_card_free(old);
	e2e_card_free(twin);
}

static void
a_token_is_asked_for(void **state)
{
	static const char *const wrong[] = {
		NULL, "", "secre", "secret2", "Secret", "secret\n"
	};
	size_t i;

	(void)state;
	lab.policy.registration = FRAME_TOKEN;
	strcpy(lab.policy.token, "secret");
	relay_set_policy(lab.relay, &lab.policy);
	login(alice);
	assert_int_equal(client_limits(client.client)->registration,
	    FRAME_TOKEN);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ask_register(alice->card, wrong[i]);
		relay_lab_expect_error(&client, "token");
	}
	assert_int_equal(lab.done[JOB_ENROLL], 0);
	ask_register(alice->card, "secret");
	expect_own_record(alice);
	/* Asked for and not set: nobody has it. */
	memset(lab.policy.token, 0, sizeof(lab.policy.token));
	relay_set_policy(lab.relay, &lab.policy);
	ask_register(alice->card, "");
	relay_lab_expect_error(&client, "token");
}

static void
closed_is_closed(void **state)
{
	(void)state;
	lab.policy.registration = FRAME_CLOSED;
	relay_set_policy(lab.relay, &lab.policy);
	relay_lab_enroll(&lab, bob->card);
	login(alice);
	ask_register(alice->card, NULL);
	relay_lab_expect_error(&client, "closed");
	login(bob);
	ask_register(bob->card, NULL);
	relay_lab_expect_error(&client, "closed");
	ask("bob", NULL);
	expect_record("bob", NULL, bob->card, false);
}

/* ---- revocations ---- */

static void
ask_revoke(const struct e2e_identity *who, int break_at)
{
	struct frame frame = { .type = FRAME_REVOKE };
	struct buffer statement;
	char *text;

	buffer_init(&statement, STORE_REVOCATION_MAX);
	assert_int_equal(e2e_revocation_make(&text, who,
	    E2E_REVOKE_COMPROMISED), E2E_OK);
	assert_int_equal(statement_from_text(&statement, text, strlen(text)),
	    E2E_OK);
	if (break_at != 0)
		statement.data[statement.length - (size_t)break_at] ^= 1;
	frame.revoke.statement = buffer_bytes(&statement);
	relay_lab_send_frame(&client, &frame);
	relay_lab_run(&lab);
	free(text);
	buffer_free(&statement);
}

static void
a_revoked_identity_stays_so(void **state)
{
	struct buffer e = relay_lab_envelope(10,
	    (const struct e2e_identity *const *)&alice, 1);
	const unsigned char *id = e2e_card_id(alice->card);
	uint64_t seq;

	(void)state;
	relay_lab_enroll(&lab, alice->card);
	/* Whoever has the statement may bring it. */
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	ask_revoke(alice, 0);
	expect_record(NULL, id, alice->card, true);
	ask("alice", NULL);
	expect_record("alice", NULL, alice->card, true);
	/* Twice is once. */
	ask_revoke(alice, 0);
	expect_record(NULL, id, alice->card, true);
	assert_int_equal(relay_counters(lab.relay)->revocations, 2);
	/* Mail is still taken and fetched; the card is not changed. */
	relay_lab_deposit(&lab, &e);
	relay_lab_leave(&client);
	(void)relay_lab_login(&lab, &client, alice, 10, 1 << 20);
	seq = relay_lab_expect_msg(&client, &e);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	assert_int_equal(seq, 1);
	id = e2e_card_id(alice->card);
	assert_int_equal(e2e_identity_rotate(alice), E2E_OK);
	ask_register(alice->card, NULL);
	relay_lab_expect_error(&client, "revoked");
	buffer_free(&e);
}

static void
only_its_own_revocation_counts(void **state)
{
	struct frame frame = { .type = FRAME_REVOKE };

	(void)state;
	relay_lab_enroll(&lab, alice->card);
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	ask_revoke(alice, 1);		/* in the signature */
	relay_lab_expect_error(&client, "statement");
	ask_revoke(alice, 70);		/* in what is signed */
	relay_lab_expect_error(&client, "statement");
	ask_revoke(bob, 0);
	relay_lab_expect_error(&client, "unknown");
	frame.revoke.statement = buffer_bytes(&alice->card->encoded);
	relay_lab_send_frame(&client, &frame);
	relay_lab_expect_error(&client, "statement");
	assert_int_equal(lab.done[JOB_REVOKE], 0);
	ask("alice", NULL);
	expect_record("alice", NULL, alice->card, false);
}

/* ---- trouble ---- */

static void
a_store_in_trouble_says_so(void **state)
{
	(void)state;
	login(alice);
	lab.change_error = E2E_ERR_FULL;
	ask_register(alice->card, NULL);
	relay_lab_expect_error(&client, "store");
	lab.change_error = E2E_OK;
	ask_register(alice->card, NULL);
	expect_own_record(alice);
	lab.read_error = E2E_ERR_MEMORY;
	ask("alice", NULL);
	relay_lab_expect_error(&client, "store");
	lab.read_error = E2E_OK;
	assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
	ask("alice", NULL);
	expect_record("alice", NULL, alice->card, false);
}

/* Questions cost what deposits cost; who asks too much may stay. */
static void
questions_have_a_rate(void **state)
{
	const struct peer_origin from = { .local = true, .has_address = true,
		.address = { 0x20, 1 } };
	const unsigned char *id = e2e_card_id(alice->card);

	(void)state;
	lab.policy.rate_address = 1;
	lab.policy.burst_address = 4;
	relay_set_policy(lab.relay, &lab.policy);
	relay_lab_hello_from(&lab, &client, &from, alice, 0, 0);
	relay_lab_auth(&client, true);
	relay_lab_run(&lab);
	(void)relay_lab_expect(&client, FRAME_READY);
	(void)relay_lab_expect(&client, FRAME_EMPTY);
	ask_register(alice->card, NULL);
	expect_own_record(alice);
	ask("alice", NULL);
	expect_record("alice", NULL, alice->card, false);
	ask("nobody", NULL);
	expect_record("nobody", NULL, NULL, false);
	ask("alice", NULL);
	relay_lab_expect_error(&client, "rate");
	ask_register(alice->card, NULL);
	relay_lab_expect_error(&client, "rate");
	ask_revoke(alice, 0);
	relay_lab_expect_error(&client, "rate");
	assert_int_equal(lab.done[JOB_REVOKE], 0);
	assert_int_equal(peer_state(client.link.peer), PEER_OPEN);
	relay_lab_wait(&lab, 1000);
	ask(NULL, id);
	expect_record(NULL, id, alice->card, false);
	ask(NULL, id);
	relay_lab_expect_error(&client, "rate");
}

/* At every step of every question. */
static void
who_vanishes_while_asking_leaves_nothing(void **state)
{
	struct frame frame = { .type = FRAME_LOOKUP };
	struct frame enroll = { .type = FRAME_REGISTER };
	unsigned i, steps;

	(void)state;
	frame.lookup.id = e2e_card_id(alice->card);
	enroll.enroll.card = buffer_bytes(&alice->card->encoded);
	for (i = 0; i < 6; i++) {
		login(alice);
		relay_lab_send_frame(&client, i % 2 ? &frame : &enroll);
		for (steps = i / 2; steps > 0; steps--)
			(void)relay_lab_job(&lab);
		if (i == 5)
			peer_end(client.link.peer);
		relay_lab_leave(&client);
		relay_lab_run(&lab);
	}
	relay_lab_hello(&lab, &client, NULL, 0, 0);
	ask_revoke(alice, 0);
	expect_record(NULL, e2e_card_id(alice->card), alice->card, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_owner_registers_and_is_found),
		TEST(answers_come_in_order),
		TEST(an_answer_fits_one_question),
		TEST(names_that_cannot_be_are_nobodys),
		TEST(a_name_with_a_nul_is_nobodys),
		TEST(only_the_owner_registers),
		TEST(a_name_is_first_come),
		TEST(names_become_file_names),
		TEST(a_card_goes_only_forward),
		TEST(a_token_is_asked_for),
		TEST(closed_is_closed),
		TEST(a_revoked_identity_stays_so),
		TEST(only_its_own_revocation_counts),
		TEST(a_store_in_trouble_says_so),
		TEST(questions_have_a_rate),
		TEST(who_vanishes_while_asking_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
