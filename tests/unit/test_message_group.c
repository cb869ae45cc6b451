/*
 * Messages to groups: one entry for all members, who opens it, and what a
 * reader demands of it (docs/FORMAT.md, 4.4 and 9).
 */
#include "forge.h"
#include "lab_group.h"

#include "crypto/keywrap.h"
#include "message/group_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob, *carol, *mallory, *rsa;
static struct e2e_group_key *group;	/* alice's, for bob and carol */
static const char text[] = "to all of you";
enum { TEXT_LEN = sizeof(text) - 1, MINIMUM = 8192 };

static int
setup(void **state)
{
	const struct e2e_card *members[2];

	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	carol = lab_fixed_identity(21, 22, "carol", 1700000000);
	mallory = lab_fixed_identity(31, 32, "mallory", 1700000000);
	rsa = lab_identity("rsa2048", "rsa");
	members[0] = bob->card;
	members[1] = carol->card;
	group = lab_group(alice, members, 2, "rowers");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_group_key_free(group);
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(carol);
	e2e_identity_free(mallory);
	e2e_identity_free(rsa);
	return 0;
}

/* A reader with this group key and nothing else. */
static struct e2e_open
reader(struct lab_keys *keys, const struct e2e_group_key *key)
{
	struct e2e_open request = lab_request(keys, NULL, alice->card);

	keys->cards[keys->card_count++] = bob->card;
	keys->cards[keys->card_count++] = mallory->card;
	if (key != NULL)
		lab_add_group(&request, keys, key);
	return request;
}

static struct e2e_seal
to_group(const struct e2e_group_key *const *groups, size_t count,
    const struct e2e_identity *sender)
{
	return (struct e2e_seal){ .to.groups = groups,
		.to.group_count = count, .sender = sender, .threads = 1 };
}

static enum e2e_error
seal_error(const struct e2e_seal *request)
{
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, text, TEXT_LEN, false);
	struct e2e_output output = lab_output(&sink, false);
	enum e2e_error error;

	error = e2e_seal(request, &input, &output, NULL, NULL);
	if (error != E2E_OK)
		assert_int_equal(sink.calls, 0);
	lab_sink_free(&sink);
	return error;
}

/* What a reader with these keys says to a forged envelope. */
static void
says(const struct forge *f, const struct e2e_open *request,
    enum e2e_error error)
{
	if (error == E2E_OK)
		lab_expect(error, f->envelope.data, f->envelope.length,
		    request, text, TEXT_LEN);
	else
		lab_refused(error, f->envelope.data, f->envelope.length,
		    request);
}

/* ---- there and back ---- */

static void
message_to_a_group_opens_with_its_key(void **state)
{
	const struct e2e_group_key *const groups[] = { group };
	struct e2e_seal q = to_group(groups, 1, alice);
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct buffer envelope;
	struct lab_result r;
	unsigned i;

	for (i = 0; i < 32; i++) {
		q.sender = (i & 1) != 0 ? bob : alice;
		q.to.hide = (i & 2) != 0;
		q.armor = (i & 4) != 0;
		q.no_card = (i & 8) != 0;
		q.pad = (i & 16) != 0;
		envelope = lab_seal(&q, text, TEXT_LEN, i % 4);
		lab_expect(E2E_OK, envelope.data, envelope.length, &request,
		    text, TEXT_LEN);
		lab_open(&r, envelope.data, envelope.length, &request,
		    LAB_STREAM);
		assert_int_equal(r.opened.mode, 2);
		assert_int_equal(r.opened.opened_by, -1);
		assert_ptr_equal(r.opened.group, group);
		assert_int_equal(r.opened.recipient_count, 1);
		assert_int_equal(r.opened.sender_state, E2E_SENDER_VERIFIED);
		assert_false(r.opened.rewrapped);
		assert_memory_equal(r.opened.sender_id,
		    e2e_card_id(q.sender->card), E2E_ID_LEN);
		lab_result_free(&r);
		buffer_free(&envelope);
	}
}

static void
long_message_to_a_group_opens_in_every_way(void **state)
{
	enum { LENGTH = 3 * 65536 + 100 };
	const struct e2e_group_key *const groups[] = { group };
	struct e2e_seal q = to_group(groups, 1, bob);
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	unsigned char *data = lab_data(LENGTH);
	struct buffer envelope;
	unsigned how;

	q.segment_size = 65536;
	for (how = 0; how < 8; how++) {
		q.threads = request.threads = how < 4 ? 1 : 3;
		envelope = lab_seal(&q, data, LENGTH, how % 4);
		lab_expect(E2E_OK, envelope.data, envelope.length, &request,
		    data, LENGTH);
		buffer_free(&envelope);
	}
	free(data);
}

/* A group, people with keys of each kind, and a passphrase: each opens. */
static void
group_beside_people_and_a_passphrase(void **state)
{
	const struct e2e_group_key *const groups[] = { group };
	const struct e2e_card *cards[] = { mallory->card, rsa->card };
	struct e2e_seal q = to_group(groups, 1, alice);
	struct lab_keys keys;
	struct e2e_open request;
	struct buffer envelope;
	int hide, who;

	q.to.cards = cards;
	q.to.card_count = 2;
	q.to.passphrase = "secret";
	q.to.passphrase_length = 6;
	q.to.passphrase_cost = (struct e2e_kdf_cost){ MINIMUM, 1, 1 };
	for (hide = 0; hide < 2; hide++) {
		q.to.hide = hide != 0;
		envelope = lab_seal(&q, text, TEXT_LEN, LAB_STREAM);
		for (who = 0; who < 4; who++) {
			request = reader(&keys, who == 0 ? group : NULL);
			if (who == 1 || who == 2)
				lab_add_identity(&request, &keys,
				    who == 1 ? mallory : rsa);
			if (who == 3)
				lab_add_passphrase(&request, &keys, "secret");
			lab_expect(E2E_OK, envelope.data, envelope.length,
			    &request, text, TEXT_LEN);
		}
		request = reader(&keys, NULL);
		lab_refused(E2E_ERR_PASSPHRASE_NEEDED, envelope.data,
		    envelope.length, &request);
		buffer_free(&envelope);
	}
}

static void
several_groups_each_once(void **state)
{
	struct e2e_group_key *other = lab_group(bob, NULL, 0, NULL);
	const struct e2e_card *cards[] = { alice->card };
	const struct e2e_group_key *groups[] = { group, other, group, other };
	struct e2e_seal q = to_group(groups, 4, bob);
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, text, TEXT_LEN, false);
	struct e2e_output output = lab_output(&sink, false);
	struct e2e_sealed sealed;
	struct lab_keys keys;
	struct e2e_open request;
	struct lab_result r;
	int i;

	q.to.cards = cards;
	q.to.card_count = 1;
	assert_int_equal(e2e_seal(&q, &input, &output, &sealed, NULL),
	    E2E_OK);
	assert_int_equal(sealed.recipient_count, 3);
	assert_int_equal(sealed.repeated, 2);
	assert_int_equal(sealed.mode, 2);
	for (i = 0; i < 2; i++) {
		request = reader(&keys, groups[i]);
		lab_open(&r, sink.released.data, sink.released.length,
		    &request, LAB_STREAM);
		assert_int_equal(r.error, E2E_OK);
		assert_ptr_equal(r.opened.group, groups[i]);
		lab_result_free(&r);
	}
	lab_sink_free(&sink);
	e2e_group_key_free(other);
}

/* One input with a message to the group, one to a stranger, one to it. */
static void
sequence_of_envelopes_is_read_on(void **state)
{
	const struct e2e_group_key *const groups[] = { group };
	const struct e2e_card *stranger = mallory->card;
	struct e2e_seal q = to_group(groups, 1, alice), other = {
		.to.cards = &stranger, .to.card_count = 1, .threads = 1 };
	struct buffer all = lab_seal(&q, text, TEXT_LEN, LAB_STREAM), next;
	static const enum e2e_error expected[] = { E2E_OK, E2E_ERR_NO_KEY,
		E2E_OK };
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_output output = lab_output(&sink, false);
	struct e2e_reader *in;
	struct e2e_opened opened;
	struct e2e_input input;
	bool end;
	size_t i;

	next = lab_seal(&other, text, TEXT_LEN, LAB_STREAM);
	(void)buffer_append(&all, next.data, next.length);
	buffer_free(&next);
	next = lab_seal(&q, text, TEXT_LEN, LAB_STREAM);
	(void)buffer_append(&all, next.data, next.length);
	buffer_free(&next);
	request.several = true;
	input = lab_input(&source, all.data, all.length, false);
	assert_int_equal(e2e_reader_new(&in, &input), E2E_OK);
	for (i = 0; i < 3; i++) {
		assert_int_equal(e2e_open_next(in, &request, &opened, &end,
		    NULL), expected[i]);
		assert_false(end);
		assert_true(e2e_reader_in_step(in));
		if (expected[i] == E2E_OK)
			assert_int_equal(e2e_open_payload(in, &request,
			    &output, &opened, NULL), E2E_OK);
	}
	assert_int_equal(sink.released.length, 2 * TEXT_LEN);
	assert_int_equal(e2e_open_next(in, &request, &opened, &end, NULL),
	    E2E_OK);
	assert_true(end);
	e2e_reader_free(in);
	lab_sink_free(&sink);
	buffer_free(&all);
}

/* ---- 1000 members ---- */

static size_t
header_length(const struct e2e_seal *q)
{
	struct buffer envelope = lab_seal(q, text, TEXT_LEN, LAB_STREAM);
	size_t length = lab_header_end(envelope.data, envelope.length) -
	    ENVELOPE_START_LEN;

	buffer_free(&envelope);
	return length;
}

/* One entry, however many they are; without a group, one for each. */
static void
header_for_a_thousand_is_as_short_as_for_two(void **state)
{
	enum { MANY = 1000 };
	static const size_t sizes[] = { 2, 10, MANY };
	const struct e2e_card **cards = calloc(MANY, sizeof(*cards));
	struct e2e_identity **ids = calloc(MANY, sizeof(*ids));
	const struct e2e_group_key *groups[1];
	struct e2e_group_key *key;
	struct e2e_seal q = to_group(groups, 1, alice), each = {
		.to.cards = cards, .sender = alice, .no_card = true,
		.threads = 1 };
	size_t i, with, bare, first = 0;

	assert_true(cards != NULL && ids != NULL);
	for (i = 0; i < MANY; i++) {
		ids[i] = lab_identity("x25519", NULL);
		cards[i] = e2e_identity_card(ids[i]);
	}
	for (i = 0; i < 3; i++) {
		key = lab_group(alice, cards, sizes[i] - 1, "rowers");
		assert_int_equal(e2e_group_key_members(key), sizes[i]);
		groups[0] = key;
		q.no_card = true;
		bare = header_length(&q);
		q.no_card = false;
		with = header_length(&q);
		each.to.card_count = sizes[i];
		print_message("# %zu members: header %zu bytes, %zu with the "
		    "card of %zu; one entry for each: %zu\n", sizes[i], bare,
		    with, alice->card->encoded.length, header_length(&each));
		first = i == 0 ? bare : first;
		assert_int_equal(bare, first);
		assert_true(bare <= 1024);
		assert_true(with <= 1024 + alice->card->encoded.length);
		e2e_group_key_free(key);
	}
	for (i = 0; i < MANY; i++)
		e2e_identity_free(ids[i]);
	free(ids);
	free(cards);
}

/* ---- sealing ---- */

static void
for_a_group_there_must_be_a_sender_of_it(void **state)
{
	const struct e2e_kdf_cost cost = { MINIMUM, 1, 1 };
	struct e2e_group_key *other = lab_group(mallory, NULL, 0, NULL);
	const struct e2e_group_key *groups[] = { group, other };
	struct e2e_seal q = to_group(groups, 1, NULL);
	struct e2e_identity *locked;
	size_t length;
	char *key;

	assert_int_equal(seal_error(&q), E2E_ERR_USAGE);
	q.sender = mallory;
	assert_int_equal(seal_error(&q), E2E_ERR_NOT_A_MEMBER);
	q.sender = bob;
	assert_int_equal(seal_error(&q), E2E_OK);
	/* Of every one of them. */
	q.to.group_count = 2;
	assert_int_equal(seal_error(&q), E2E_ERR_NOT_A_MEMBER);
	q.sender = mallory;
	assert_int_equal(seal_error(&q), E2E_ERR_NOT_A_MEMBER);
	assert_int_equal(e2e_identity_text(bob, "pw", 2, cost, &key,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&locked, key, length), E2E_OK);
	e2e_secret_free(key);
	q = to_group(groups, 1, locked);
	assert_int_equal(seal_error(&q), E2E_ERR_PASSPHRASE_NEEDED);
	e2e_identity_free(locked);
	e2e_group_key_free(other);
}

/* The maker may write although he did not put himself among the members. */
static void
maker_may_always_write(void **state)
{
	struct e2e_group_key *key = lab_group(alice, NULL, 0, NULL);
	const struct e2e_group_key *groups[] = { key };
	struct e2e_seal q = to_group(groups, 1, alice);
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, key);
	struct buffer envelope;

	key->member_count = 0;
	assert_true(e2e_group_key_admits(key, e2e_card_id(alice->card)));
	envelope = lab_seal(&q, text, TEXT_LEN, LAB_STREAM);
	lab_expect(E2E_OK, envelope.data, envelope.length, &request, text,
	    TEXT_LEN);
	buffer_free(&envelope);
	e2e_group_key_free(key);
}

/* Groups count as recipients do. */
static void
sealing_for_1024_and_1025_groups(void **state)
{
	struct e2e_group_key *many = calloc(1025, sizeof(*many));
	const struct e2e_group_key **groups = calloc(1025, sizeof(*groups));
	const struct e2e_card *card = bob->card;
	struct e2e_seal q = to_group(groups, 1024, alice);
	struct lab_keys keys;
	struct e2e_open request;
	struct buffer envelope;
	size_t i;

	assert_true(many != NULL && groups != NULL);
	for (i = 0; i < 1025; i++) {
		many[i].secret = group->secret;
		many[i].maker = alice->card;
		many[i].kid[0] = (unsigned char)i;
		many[i].kid[1] = (unsigned char)(i >> 8);
		groups[i] = &many[i];
	}
	envelope = lab_seal(&q, text, TEXT_LEN, LAB_STREAM);
	request = reader(&keys, groups[1023]);
	lab_expect(E2E_OK, envelope.data, envelope.length, &request, text,
	    TEXT_LEN);
	buffer_free(&envelope);
	q.to.group_count = 1025;
	assert_int_equal(seal_error(&q), E2E_ERR_TOO_MANY_RECIPIENTS);
	q.to.group_count = 1024;
	q.to.cards = &card;
	q.to.card_count = 1;
	assert_int_equal(seal_error(&q), E2E_ERR_TOO_MANY_RECIPIENTS);
	free(groups);
	free(many);
}

/* ---- which key is tried ---- */

static void
without_the_groups_key_it_is_no_key(void **state)
{
	struct e2e_group_key *other = lab_group(alice, NULL, 0, "rowers");
	struct lab_keys keys;
	struct e2e_open request;
	struct forge f;
	int i;

	/* With kid, hidden; alone, with a passphrase beside it. */
	for (i = 0; i < 4; i++) {
		forge_begin(&f, alice);
		forge_add_group(&f, group, (i & 1) != 0);
		if ((i & 2) != 0)
			forge_add_passphrase(&f, "secret");
		forge_whole(&f, text, TEXT_LEN);
		request = reader(&keys, NULL);
		says(&f, &request, i < 2 ? E2E_ERR_NO_KEY :
		    E2E_ERR_PASSPHRASE_NEEDED);
		/* Identities are not tried on it. */
		lab_add_identity(&request, &keys, bob);
		says(&f, &request, i < 2 ? E2E_ERR_NO_KEY :
		    E2E_ERR_PASSPHRASE_NEEDED);
		/* Another group's key is, where there is no kid. */
		lab_add_group(&request, &keys, other);
		says(&f, &request, i == 2 ? E2E_ERR_PASSPHRASE_NEEDED :
		    E2E_ERR_NO_KEY);
		if ((i & 2) != 0) {
			lab_add_passphrase(&request, &keys, "wrong");
			says(&f, &request, i == 2 ?
			    E2E_ERR_PASSPHRASE_WRONG : E2E_ERR_NO_KEY);
		}
		forge_end(&f);
	}
	e2e_group_key_free(other);
}

/* Its own key under another kid is not tried. */
static void
entry_with_kid_is_tried_with_that_group_alone(void **state)
{
	struct e2e_group_key other = *group;
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct forge f;

	other.kid[0] ^= 1;
	forge_begin(&f, alice);
	forge_add_group(&f, &other, false);
	forge_whole(&f, text, TEXT_LEN);
	says(&f, &request, E2E_ERR_NO_KEY);
	lab_add_group(&request, &keys, &other);
	says(&f, &request, E2E_OK);
	forge_end(&f);
}

/* W of any length but 40 is not mine, and the search goes on. */
static void
wrapped_key_of_a_wrong_length_is_a_failed_unwrapping(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	char hex[256], *to;
	size_t length, i;
	struct forge f;
	int more;

	for (length = 0; length < 48; length++) {
		to = hex + sprintf(hex, "83 40 a1 01 24 ");
		to += length < 24 ? sprintf(to, "%02x",
		    (unsigned)(0x40 + length)) : sprintf(to, "58%02x",
		    (unsigned)length);
		for (i = 0; i < length; i++)
			to += sprintf(to, "00");
		for (more = 0; more < 2; more++) {
			forge_begin(&f, alice);
			forge_add_raw(&f, hex);
			if (more != 0)
				forge_add_group(&f, group, false);
			forge_whole(&f, text, TEXT_LEN);
			says(&f, &request, more != 0 ? E2E_OK :
			    E2E_ERR_NO_KEY);
			forge_end(&f);
		}
	}
}

static void
deviating_group_entries_are_malformed(void **state)
{
	static const char kid[] = "5820 00000000000000000000000000000000"
	    "00000000000000000000000000000000";
	static const char *const shapes[] = {
		"83 41 a0 a1 01 24 40 (unknown: protected is not empty)",
		"83 40 a1 01 24 f6", "84 40 a1 01 24 40 80",
		"83 40 a2 01 24 04 41 00 40", "83 40 a2 01 24 05 40 40",
		"83 40 a2 01 24 20 a0 40", "82 40 a1 01 24",
		"83 40 a1 01 24 60"
	};
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, NULL);
	char hex[256];
	struct forge f;
	size_t i;

	lab_add_identity(&request, &keys, bob);
	for (i = 0; i <= sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (i < sizeof(shapes) / sizeof(shapes[0]))
			(void)snprintf(hex, sizeof(hex), "%s", shapes[i]);
		else
			(void)snprintf(hex, sizeof(hex),
			    "83 40 a3 01 24 04 %s 05 40 40", kid);
		forge_begin(&f, alice);
		forge_add_raw(&f, hex);
		forge_add(&f, bob, false);
		forge_whole(&f, text, TEXT_LEN);
		says(&f, &request, i == 0 ? E2E_OK : E2E_ERR_MALFORMED);
		forge_end(&f);
	}
}

/* ---- what a reader demands (step 8a) ---- */

static void
unsigned_message_to_a_group_is_refused(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct forge f;
	int hidden;

	for (hidden = 0; hidden < 2; hidden++) {
		forge_begin(&f, NULL);
		forge_add_group(&f, group, hidden != 0);
		forge_whole(&f, text, TEXT_LEN);
		says(&f, &request, E2E_ERR_SENDER_ANONYMOUS);
		forge_end(&f);
	}
}

/* Also where nobody asked for a sender: every member could have written it. */
static void
mode_1_under_a_group_key_is_refused(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct forge f;
	int beside;

	for (beside = 0; beside < 2; beside++) {
		forge_begin(&f, alice);
		f.claims.mode = MODE_HEADER;
		forge_add_group(&f, group, false);
		if (beside != 0)
			forge_add(&f, carol, false);
		forge_whole(&f, text, TEXT_LEN);
		says(&f, &request, E2E_ERR_MODE);
		forge_end(&f);
	}
}

static void
sender_who_is_no_member_is_refused(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct forge f;

	forge_begin(&f, mallory);
	forge_add(&f, carol, false);
	forge_add_group(&f, group, false);
	forge_whole(&f, text, TEXT_LEN);
	says(&f, &request, E2E_ERR_NOT_A_MEMBER);
	/* Who opens it with a key of his own is not the group. */
	lab_add_identity(&request, &keys, carol);
	says(&f, &request, E2E_OK);
	forge_end(&f);
}

static enum e2e_error
never(void *context, const struct e2e_opened *opened)
{
	bool *asked = context;

	(void)opened;
	*asked = true;
	return E2E_ERR_SENDER_OTHER;
}

/* These rules are no matter of whom one wants to hear from. */
static void
rules_of_the_group_come_before_the_caller_is_asked(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct forge f;
	bool asked = false;

	request.judge_sender = never;
	request.judge_sender_context = &asked;
	forge_begin(&f, mallory);
	forge_add_group(&f, group, false);
	forge_whole(&f, text, TEXT_LEN);
	says(&f, &request, E2E_ERR_NOT_A_MEMBER);
	assert_false(asked);
	forge_end(&f);
	forge_begin(&f, bob);
	forge_add_group(&f, group, false);
	forge_whole(&f, text, TEXT_LEN);
	says(&f, &request, E2E_ERR_SENDER_OTHER);
	assert_true(asked);
	forge_end(&f);
}

static void
epoch_that_is_over_is_refused_unless_allowed(void **state)
{
	const struct e2e_card *members[] = { carol->card };
	struct e2e_group_key *next = lab_next_epoch(group, alice, members, 1);
	struct e2e_group_key *others[3];
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct forge f, later;
	size_t i;

	forge_begin(&f, bob);
	forge_add_group(&f, group, false);
	forge_whole(&f, text, TEXT_LEN);
	/* Later epochs of other groups do not count. */
	others[0] = lab_group(alice, members, 1, "rowers");
	others[1] = lab_group(alice, members, 1, NULL);
	others[2] = lab_group(bob, members, 1, "rowers");
	memcpy(others[1]->random, group->random, sizeof(group->random));
	memcpy(others[2]->random, group->random, sizeof(group->random));
	for (i = 0; i < 3; i++) {
		others[i]->epoch = 7;
		lab_add_group(&request, &keys, others[i]);
	}
	says(&f, &request, E2E_OK);
	lab_add_group(&request, &keys, next);
	says(&f, &request, E2E_ERR_OLD_EPOCH);
	request.allow_old_epochs = true;
	says(&f, &request, E2E_OK);
	request.allow_old_epochs = false;

	/* bob was removed, and has the old key alone. */
	forge_begin(&later, alice);
	forge_add_group(&later, next, false);
	forge_whole(&later, text, TEXT_LEN);
	says(&later, &request, E2E_OK);
	forge_end(&later);
	forge_begin(&later, bob);
	forge_add_group(&later, next, false);
	forge_whole(&later, text, TEXT_LEN);
	says(&later, &request, E2E_ERR_NOT_A_MEMBER);
	request = reader(&keys, group);
	says(&later, &request, E2E_ERR_NO_KEY);
	forge_end(&later);
	forge_end(&f);
	for (i = 0; i < 3; i++)
		e2e_group_key_free(others[i]);
	e2e_group_key_free(next);
}

/* Two wrapped keys of one epoch: before mallory was added, and since. In
 * whichever order a reader, or she, has them. */
static void
member_who_was_added_speaks_whichever_key_comes_first(void **state)
{
	const struct e2e_card *members[] = { bob->card, carol->card,
		mallory->card };
	struct e2e_wrap_key q = { .maker = alice, .members = members,
		.member_count = 3, .group = group };
	const struct e2e_group_key *both[2];
	struct e2e_group_key *since;
	struct buffer file = lab_wrap(&q), envelope;
	struct e2e_seal seal;
	struct lab_keys keys;
	struct e2e_open request;
	int i;

	assert_int_equal(lab_unwrap(&since, buffer_bytes(&file), mallory,
	    NULL), E2E_OK);
	assert_memory_equal(since->kid, group->kid, E2E_ID_LEN);
	for (i = 0; i < 2; i++) {
		both[i] = group;
		both[1 - i] = since;
		seal = to_group(both, 2, mallory);
		envelope = lab_seal(&seal, text, TEXT_LEN, LAB_STREAM);
		request = reader(&keys, both[0]);
		lab_add_group(&request, &keys, both[1]);
		lab_expect(E2E_OK, envelope.data, envelope.length, &request,
		    text, TEXT_LEN);
		request = reader(&keys, group);
		lab_refused(E2E_ERR_NOT_A_MEMBER, envelope.data,
		    envelope.length, &request);
		buffer_free(&envelope);
	}
	buffer_free(&file);
	e2e_group_key_free(since);
}

static void
everybody_can_see_that_it_is_for_a_group(void **state)
{
	const struct e2e_group_key *const groups[] = { group };
	struct e2e_seal q = to_group(groups, 1, alice);
	struct e2e_inspected seen;
	struct buffer envelope;
	struct lab_source source;
	struct e2e_reader *in;
	struct e2e_input input;
	int hide;
	bool end;

	for (hide = 0; hide < 2; hide++) {
		q.to.hide = hide != 0;
		envelope = lab_seal(&q, text, TEXT_LEN, LAB_STREAM);
		input = lab_input(&source, envelope.data, envelope.length,
		    false);
		assert_int_equal(e2e_reader_new(&in, &input), E2E_OK);
		assert_int_equal(e2e_inspect_next(in, &seen, &end, NULL),
		    E2E_OK);
		assert_int_equal(seen.recipient_count, 1);
		assert_false(seen.rewrapped);
		assert_int_equal(seen.recipients[0].kind,
		    E2E_RECIPIENT_GROUP);
		assert_int_equal(seen.recipients[0].hidden, hide);
		if (hide == 0)
			assert_memory_equal(seen.recipients[0].kid,
			    group->kid, E2E_ID_LEN);
		e2e_reader_free(in);
		buffer_free(&envelope);
	}
}

static void
hidden_group_that_is_not_in_to_is_not_addressed(void **state)
{
	unsigned char to[HASH_LEN];
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct forge f;
	int i;

	/* No `to`, that of a member, that of the group. */
	for (i = 0; i < 3; i++) {
		forge_begin(&f, alice);
		assert_int_equal(derive_to(to, f.message_id, i == 1 ?
		    e2e_card_id(bob->card) : group->kid), E2E_OK);
		if (i > 0)
			f.claims.to = (struct bytes){ to, HASH_LEN };
		forge_add_group(&f, group, true);
		forge_whole(&f, text, TEXT_LEN);
		says(&f, &request, i < 2 ? E2E_ERR_NOT_ADDRESSED : E2E_OK);
		forge_end(&f);
	}
}

/* ---- what a member could try ---- */

/*
 * mallory, a member, issues the same k once more as a group of her own, to
 * have what is written to alice's group read as written to hers.
 */
static void
group_reissued_around_the_same_key_is_another_group(void **state)
{
	const struct e2e_card *members[] = { alice->card, carol->card };
	const struct e2e_group_key *const groups[] = { group };
	struct e2e_wrap_key again = { .maker = mallory, .members = members,
		.member_count = 2, .key = e2e_group_key_secret(group),
		.name = "rowers" };
	struct e2e_seal q = to_group(groups, 1, alice);
	struct buffer file = lab_wrap(&again), named, hidden;
	struct lab_keys keys;
	struct e2e_open request;
	struct e2e_group_key *hers;

	assert_int_equal(lab_unwrap(&hers, buffer_bytes(&file), carol, NULL),
	    E2E_OK);
	assert_memory_equal(hers->secret, group->secret, E2E_GROUP_KEY_LEN);
	named = lab_seal(&q, text, TEXT_LEN, LAB_STREAM);
	q.to.hide = true;
	hidden = lab_seal(&q, text, TEXT_LEN, LAB_STREAM);
	request = reader(&keys, hers);
	lab_refused(E2E_ERR_NO_KEY, named.data, named.length, &request);
	lab_refused(E2E_ERR_NOT_ADDRESSED, hidden.data, hidden.length,
	    &request);
	/* Even with alice's random. */
	memcpy(hers->random, group->random, sizeof(group->random));
	assert_int_equal(derive_group_id(hers->kid, e2e_card_id(mallory->card),
	    hers->random, group_key_name(hers), hers->epoch), E2E_OK);
	assert_memory_not_equal(hers->kid, group->kid, E2E_ID_LEN);
	assert_false(e2e_group_key_same_group(hers, group));
	lab_refused(E2E_ERR_NO_KEY, named.data, named.length, &request);
	lab_refused(E2E_ERR_NOT_ADDRESSED, hidden.data, hidden.length,
	    &request);
	/* And who has alice's is not kept from it. */
	lab_add_group(&request, &keys, group);
	lab_expect(E2E_OK, named.data, named.length, &request, text,
	    TEXT_LEN);
	request = reader(&keys, group);
	lab_add_group(&request, &keys, hers);
	lab_expect(E2E_OK, hidden.data, hidden.length, &request, text,
	    TEXT_LEN);
	buffer_free(&named);
	buffer_free(&hidden);
	buffer_free(&file);
	e2e_group_key_free(hers);
}

/* bob knows ik as carol does, and writes on in alice's name. */
static void
segment_by_another_member_is_refused(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);
	struct forge f;

	forge_begin(&f, alice);
	forge_add_group(&f, group, false);
	forge_whole(&f, text, TEXT_LEN);
	says(&f, &request, E2E_OK);
	buffer_clear(&f.stream);
	forge_segment(&f, bob, 0, true, text, TEXT_LEN);
	forge_envelope(&f);
	says(&f, &request, E2E_ERR_SEGMENT);
	/* None at all, as if it were mode 1. */
	buffer_clear(&f.stream);
	(void)buffer_append(&f.stream, text, TEXT_LEN);
	forge_envelope(&f);
	says(&f, &request, E2E_ERR_SEGMENT);
	forge_end(&f);
}

/* alice wrote to bob alone; he brings it to the group under her name. */
static void
metadata_sealed_again_for_the_group_is_refused(void **state)
{
	struct forge original, f;
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, group);

	forge_begin(&original, alice);
	forge_add(&original, bob, false);
	forge_whole(&original, text, TEXT_LEN);
	forge_begin(&f, alice);
	forge_add_group(&f, group, false);
	forge_header(&f);
	(void)buffer_append(&f.metadata, original.metadata.data,
	    original.metadata.length);
	forge_encrypt(&f);
	(void)buffer_append(&f.stream, original.stream.data,
	    original.stream.length);
	forge_envelope(&f);
	says(&f, &request, E2E_ERR_SIGNATURE);
	forge_end(&f);
	forge_end(&original);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_to_a_group_opens_with_its_key),
		cmocka_unit_test(long_message_to_a_group_opens_in_every_way),
		cmocka_unit_test(group_beside_people_and_a_passphrase),
		cmocka_unit_test(several_groups_each_once),
		cmocka_unit_test(sequence_of_envelopes_is_read_on),
		cmocka_unit_test(header_for_a_thousand_is_as_short_as_for_two),
		cmocka_unit_test(for_a_group_there_must_be_a_sender_of_it),
		cmocka_unit_test(maker_may_always_write),
		cmocka_unit_test(sealing_for_1024_and_1025_groups),
		cmocka_unit_test(without_the_groups_key_it_is_no_key),
		cmocka_unit_test(
		    entry_with_kid_is_tried_with_that_group_alone),
		cmocka_unit_test(
		    wrapped_key_of_a_wrong_length_is_a_failed_unwrapping),
		cmocka_unit_test(deviating_group_entries_are_malformed),
		cmocka_unit_test(unsigned_message_to_a_group_is_refused),
		cmocka_unit_test(mode_1_under_a_group_key_is_refused),
		cmocka_unit_test(sender_who_is_no_member_is_refused),
		cmocka_unit_test(
		    rules_of_the_group_come_before_the_caller_is_asked),
		cmocka_unit_test(epoch_that_is_over_is_refused_unless_allowed),
		cmocka_unit_test(
		    member_who_was_added_speaks_whichever_key_comes_first),
		cmocka_unit_test(everybody_can_see_that_it_is_for_a_group),
		cmocka_unit_test(
		    hidden_group_that_is_not_in_to_is_not_addressed),
		cmocka_unit_test(
		    group_reissued_around_the_same_key_is_another_group),
		cmocka_unit_test(segment_by_another_member_is_refused),
		cmocka_unit_test(
		    metadata_sealed_again_for_the_group_is_refused)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
