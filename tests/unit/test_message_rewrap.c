/*
 * Other recipients for an envelope that is there: what stays, what is added,
 * and what a reader says to it (docs/FORMAT.md, 10).
 */
#include "forge.h"
#include "lab_group.h"

#include "message/group_key.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob, *carol, *mallory, *rsa;
static struct e2e_group_key *group;	/* bob's, with carol and rsa */
static const char text[] = "pass this on";
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
	members[0] = carol->card;
	members[1] = e2e_identity_card(rsa);
	group = lab_group(bob, members, 2, "readers");
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

/* A reader who knows alice and bob. */
static struct e2e_open
reader(struct lab_keys *keys, const struct e2e_identity *identity)
{
	struct e2e_open request = lab_request(keys, identity, alice->card);

	keys->cards[keys->card_count++] = bob->card;
	return request;
}

/* From alice to bob, in this mode. */
static struct buffer
original(int mode, const void *data, size_t length)
{
	const struct e2e_card *card = bob->card;
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.sender = mode == 0 ? NULL : alice,
		.sign_segments = mode == 2, .no_card = true, .threads = 1,
		.segment_size = 65536 };

	return lab_seal(&q, data, length, LAB_STREAM);
}

/* bob's request. *keys and `to` live as long. */
static struct e2e_rewrap
by_bob(struct lab_keys *keys, const struct e2e_card *const *to, size_t count,
    bool is_signed)
{
	struct e2e_open open = reader(keys, bob);

	return (struct e2e_rewrap){ .keys = open.keys, .to.cards = to,
		.to.card_count = count,
		.forwarder = is_signed ? bob : NULL };
}

static struct lab_result
open_it(const struct buffer *envelope, const struct e2e_open *request)
{
	struct lab_result r;

	lab_open(&r, envelope->data, envelope->length, request, LAB_STREAM);
	return r;
}

static void
says(const struct forge *f, const struct e2e_identity *who,
    enum e2e_error error)
{
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, who);

	if (error == E2E_OK)
		lab_expect(error, f->envelope.data, f->envelope.length,
		    &request, text, TEXT_LEN);
	else
		lab_refused(error, f->envelope.data, f->envelope.length,
		    &request);
}

/* ---- there and back ---- */

static void
check_reported(const struct lab_result *r, const struct lab_result *before,
    int mode, bool is_signed)
{
	const struct e2e_opened *o = &r->opened, *b = &before->opened;

	assert_int_equal(r->error, E2E_OK);
	assert_memory_equal(o->message_id, b->message_id, E2E_MESSAGE_ID_LEN);
	assert_memory_equal(o->context_hash, b->context_hash, E2E_HASH_LEN);
	assert_int_equal(o->created, b->created);
	assert_int_equal(o->mode, mode);
	assert_true(o->rewrapped);
	assert_false(b->rewrapped);
	assert_true(o->forwarded >= b->created);
	assert_int_equal(o->forwarder != NULL, is_signed);
	/* Whoever passes on a message in mode 1 could have written it. */
	assert_int_equal(o->sender_state, mode == 0 ? E2E_SENDER_ANONYMOUS :
	    mode == 1 ? E2E_SENDER_BAD_MODE : E2E_SENDER_VERIFIED);
}

/* What is behind the header is the same, byte for byte. */
static void
check_rest(const struct buffer *a, const struct buffer *b)
{
	size_t at_a = lab_header_end(a->data, a->length);
	size_t at_b = lab_header_end(b->data, b->length);

	assert_int_equal(a->length - at_a, b->length - at_b);
	assert_memory_equal(a->data + at_a, b->data + at_b,
	    a->length - at_a);
}

static void
every_mode_opens_for_the_new_recipients(void **state)
{
	const struct e2e_card *to[] = { carol->card, rsa->card };
	const struct e2e_identity *readers[] = { carol, rsa };
	struct lab_keys keys, bobs;
	struct e2e_open request;
	struct e2e_rewrap q;
	struct buffer old, new;
	struct lab_result before, r;
	unsigned i, k;

	for (i = 0; i < 12; i++) {
		old = original((int)(i % 3), text, TEXT_LEN);
		request = reader(&keys, bob);
		before = open_it(&old, &request);
		assert_int_equal(before.error, E2E_OK);
		q = by_bob(&bobs, to, 2, i % 2 != 0);
		q.to.hide = i >= 6;
		new = lab_rewrap(&q, old.data, old.length, i % 4);
		check_rest(&old, &new);
		for (k = 0; k < 2; k++) {
			request = reader(&keys, readers[k]);
			lab_expect(E2E_OK, new.data, new.length, &request,
			    text, TEXT_LEN);
			r = open_it(&new, &request);
			check_reported(&r, &before, (int)(i % 3),
			    i % 2 != 0);
			assert_int_equal(r.opened.recipient_count, 2);
			lab_result_free(&r);
		}
		/* Who could open it could open that; this one he cannot. */
		request = reader(&keys, bob);
		lab_refused(E2E_ERR_NO_KEY, new.data, new.length, &request);
		lab_result_free(&before);
		buffer_free(&new);
		buffer_free(&old);
	}
}

static void
long_payload_passes_in_every_way(void **state)
{
	static const size_t lengths[] = { 0, 1, 16384 - 64, 16384, 65536,
		2 << 20, (1 << 20) + 16384 };
	const struct e2e_card *to[] = { carol->card };
	struct lab_keys keys, bobs;
	struct e2e_open request = reader(&keys, carol);
	struct e2e_rewrap q = by_bob(&bobs, to, 1, true);
	unsigned char *data = lab_data(2 << 20);
	struct buffer old, new;
	unsigned how;
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (how = 0; how < 4; how++) {
			old = original((int)(i % 3), data, lengths[i]);
			new = lab_rewrap(&q, old.data, old.length, how);
			check_rest(&old, &new);
			lab_expect(E2E_OK, new.data, new.length, &request,
			    data, lengths[i]);
			buffer_free(&old);
			buffer_free(&new);
		}
	}
	free(data);
}

static void
armor_is_taken_and_put(void **state)
{
	const struct e2e_card *card = bob->card, *to[] = { carol->card };
	struct e2e_seal seal = { .to.cards = &card, .to.card_count = 1,
		.sender = alice, .no_card = true, .threads = 1 };
	struct lab_keys keys, bobs;
	struct e2e_open request = reader(&keys, carol);
	struct e2e_rewrap q = by_bob(&bobs, to, 1, true);
	struct buffer old, new;
	unsigned i;

	for (i = 0; i < 16; i++) {
		seal.armor = (i & 1) != 0;
		q.armor = (i & 2) != 0;
		old = lab_seal(&seal, text, TEXT_LEN, LAB_STREAM);
		new = lab_rewrap(&q, old.data, old.length, i / 4);
		assert_int_equal(new.data[0] == 0xda, !q.armor);
		lab_expect(E2E_OK, new.data, new.length, &request, text,
		    TEXT_LEN);
		buffer_free(&old);
		buffer_free(&new);
	}
}

static void
passphrase_and_groups_beside_people(void **state)
{
	const struct e2e_group_key *groups[] = { group, group };
	const struct e2e_card *to[] = { mallory->card, mallory->card };
	struct lab_keys keys, bobs;
	struct e2e_rewrap q = by_bob(&bobs, to, 2, true);
	struct buffer old = original(2, text, TEXT_LEN), new;
	struct e2e_rewrapped rewrapped;
	struct e2e_open request;
	struct lab_result r;
	int hide, who;

	q.to.groups = groups;
	q.to.group_count = 2;
	q.to.passphrase = "secret";
	q.to.passphrase_length = 6;
	q.to.passphrase_cost = (struct e2e_kdf_cost){ MINIMUM, 1, 1 };
	for (hide = 0; hide < 2; hide++) {
		q.to.hide = hide != 0;
		assert_int_equal(lab_rewrap_error(&new, &rewrapped, &q,
		    old.data, old.length, LAB_STREAM), E2E_OK);
		assert_int_equal(rewrapped.recipient_count, 3);
		assert_int_equal(rewrapped.repeated, 2);
		assert_int_equal(rewrapped.mode, 2);
		for (who = 0; who < 3; who++) {
			request = reader(&keys, who == 0 ? mallory : NULL);
			if (who == 1)
				lab_add_group(&request, &keys, group);
			if (who == 2)
				lab_add_passphrase(&request, &keys, "secret");
			r = open_it(&new, &request);
			assert_int_equal(r.error, E2E_OK);
			assert_ptr_equal(r.opened.group,
			    who == 1 ? group : NULL);
			lab_result_free(&r);
		}
		buffer_free(&new);
	}
	buffer_free(&old);
}

/* What a passphrase or a group key opens is passed on as well. */
static void
what_opens_it_does_not_matter(void **state)
{
	const struct e2e_card *to[] = { carol->card };
	struct lab_keys keys, whose;
	struct e2e_open request = reader(&keys, carol), open;
	struct e2e_rewrap q = { .to.cards = to, .to.card_count = 1 };
	struct forge f;
	int who;

	for (who = 0; who < 4; who++) {
		struct buffer new;

		forge_begin(&f, bob);
		open = reader(&whose, who == 1 ? rsa : NULL);
		if (who < 2)
			forge_add(&f, rsa, who == 0);
		if (who == 0)
			lab_add_identity(&open, &whose, rsa);
		if (who == 2) {
			forge_add_passphrase(&f, "secret");
			lab_add_passphrase(&open, &whose, "secret");
		}
		if (who == 3) {
			forge_add_group(&f, group, false);
			lab_add_group(&open, &whose, group);
		}
		forge_whole(&f, text, TEXT_LEN);
		q.keys = open.keys;
		new = lab_rewrap(&q, f.envelope.data, f.envelope.length,
		    LAB_STREAM);
		lab_expect(E2E_OK, new.data, new.length, &request, text,
		    TEXT_LEN);
		buffer_free(&new);
		forge_end(&f);
	}
}

/* Again and again: one block, the first rh, the same ch. */
static void
rewrapped_again_it_has_one_block(void **state)
{
	const struct e2e_identity *chain[] = { bob, carol, rsa, mallory };
	const struct e2e_card *to[1];
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, bob);
	struct buffer now = original(2, text, TEXT_LEN), next;
	struct lab_result first = open_it(&now, &request), r;
	struct e2e_rewrap q = { .to.cards = to, .to.card_count = 1 };
	size_t i;

	for (i = 0; i + 1 < 4; i++) {
		request = reader(&keys, chain[i]);
		q.keys = request.keys;
		q.forwarder = i == 1 ? NULL : chain[i];
		q.to.hide = i == 2;
		to[0] = chain[i + 1]->card;
		next = lab_rewrap(&q, now.data, now.length, LAB_STREAM);
		request = reader(&keys, chain[i + 1]);
		r = open_it(&next, &request);
		check_reported(&r, &first, 2, i != 1);
		lab_result_free(&r);
		buffer_free(&now);
		now = next;		/* transferred */
	}
	lab_result_free(&first);
	buffer_free(&now);
}

static void
forwarder_is_reported(void **state)
{
	const struct e2e_card *to[] = { carol->card };
	struct lab_keys keys, bobs;
	struct e2e_open request = lab_request(&keys, carol, alice->card);
	struct e2e_rewrap q = by_bob(&bobs, to, 1, true);
	struct buffer old = original(2, text, TEXT_LEN), new;
	struct e2e_opened opened;
	struct lab_source source;
	struct e2e_reader *in;
	struct e2e_input input;
	bool end;

	new = lab_rewrap(&q, old.data, old.length, LAB_STREAM);
	input = lab_input(&source, new.data, new.length, false);
	assert_int_equal(e2e_reader_new(&in, &input), E2E_OK);
	/* His card came along. */
	assert_int_equal(e2e_open_next(in, &request, &opened, &end, NULL),
	    E2E_OK);
	assert_true(e2e_card_equal(opened.forwarder, bob->card));
	assert_true(e2e_card_equal(opened.sender, alice->card));
	e2e_reader_free(in);
	buffer_free(&old);
	buffer_free(&new);
}

/* Several in one input, one of them for somebody else. */
static void
sequence_of_envelopes_is_read_on(void **state)
{
	const struct e2e_card *to[] = { carol->card };
	static const int modes[] = { 0, -1, 2, 1 };
	unsigned char *data = lab_data(100000);
	struct lab_keys bobs, keys;
	struct e2e_rewrap q = by_bob(&bobs, to, 1, false);
	struct e2e_open request = reader(&keys, carol);
	struct buffer all, one;
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_output output;
	struct e2e_rewrapped rewrapped;
	struct e2e_reader *in;
	struct e2e_input input;
	struct forge f;
	bool end;
	int i, random;

	buffer_init(&all, LAB_MAX);
	for (i = 0; i < 4; i++) {
		if (modes[i] < 0) {
			forge_begin(&f, NULL);
			forge_add(&f, mallory, false);
			forge_whole(&f, data, 50000);
			(void)buffer_append(&all, f.envelope.data,
			    f.envelope.length);
			forge_end(&f);
			continue;
		}
		one = original(modes[i], data, 100000);
		(void)buffer_append(&all, one.data, one.length);
		buffer_free(&one);
	}
	for (random = 0; random < 2; random++) {
		input = lab_input(&source, all.data, all.length, random != 0);
		assert_int_equal(e2e_reader_new(&in, &input), E2E_OK);
		for (i = 0; i < 4; i++) {
			output = lab_output(&sink, false);
			assert_int_equal(e2e_rewrap_next(in, &q, &output,
			    &rewrapped, &end, NULL), modes[i] < 0 ?
			    E2E_ERR_NO_KEY : E2E_OK);
			assert_false(end);
			assert_true(e2e_reader_in_step(in));
			if (modes[i] >= 0)
				lab_expect(E2E_OK, sink.released.data,
				    sink.released.length, &request, data,
				    100000);
			else
				assert_int_equal(sink.calls, 0);
			assert_int_equal(rewrapped.mode, modes[i] < 0 ? 0 :
			    modes[i]);
			lab_sink_free(&sink);
		}
		assert_int_equal(e2e_rewrap_next(in, &q, &output, &rewrapped,
		    &end, NULL), E2E_OK);
		assert_true(end);
		e2e_reader_free(in);
	}
	buffer_free(&all);
	free(data);
}

/* ---- making a block ---- */

static enum e2e_error
rewrap_error(const struct e2e_rewrap *q, const struct buffer *envelope,
    bool silent)
{
	struct e2e_rewrapped rewrapped;
	enum e2e_error error, first = E2E_OK;
	struct buffer out;
	unsigned how;

	for (how = 0; how < 4; how++) {
		error = lab_rewrap_error(&out, &rewrapped, q, envelope->data,
		    envelope->length, how);
		if (silent)
			assert_int_equal(out.length, 0);
		if (how == 0)
			first = error;
		assert_int_equal(error, first);
		buffer_free(&out);
	}
	return first;
}

static void
request_that_cannot_be_is_refused_silently(void **state)
{
	const struct e2e_kdf_cost cost = { MINIMUM, 1, 1 };
	const struct key *listed = carol->encryption[0];
	const struct e2e_group_key *groups[] = { group };
	const struct e2e_card **to = calloc(1025, sizeof(*to));
	struct lab_keys bobs;
	struct e2e_rewrap q = by_bob(&bobs, to, 0, true);
	struct buffer old = original(2, text, TEXT_LEN);
	struct e2e_card *expired;
	struct e2e_identity *locked;
	size_t length;
	char *key;

	assert_non_null(to);
	/* Nobody. */
	assert_int_equal(rewrap_error(&q, &old, true), E2E_ERR_USAGE);
	/* An expired card. */
	assert_int_equal(card_make(&expired, carol->signing, &listed, 1, "",
	    1600000000, 1600000001, 1), E2E_OK);
	to[0] = expired;
	q.to.card_count = 1;
	assert_int_equal(rewrap_error(&q, &old, true),
	    E2E_ERR_RECIPIENT_EXPIRED);
	/* A group without a forwarder of it. */
	q.to.card_count = 0;
	q.to.groups = groups;
	q.to.group_count = 1;
	q.forwarder = NULL;
	assert_int_equal(rewrap_error(&q, &old, true), E2E_ERR_USAGE);
	q.forwarder = mallory;
	assert_int_equal(rewrap_error(&q, &old, true), E2E_ERR_NOT_A_MEMBER);
	q.forwarder = carol;
	assert_int_equal(rewrap_error(&q, &old, false), E2E_OK);
	/* One who is locked. */
	assert_int_equal(e2e_identity_text(bob, "pw", 2, cost, &key,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&locked, key, length), E2E_OK);
	e2e_secret_free(key);
	q.forwarder = locked;
	assert_int_equal(rewrap_error(&q, &old, true),
	    E2E_ERR_PASSPHRASE_NEEDED);
	e2e_identity_free(locked);
	e2e_card_free(expired);
	buffer_free(&old);
	free(to);
}

static void
too_many_recipients_are_refused_silently(void **state)
{
	const struct e2e_card **to = calloc(1025, sizeof(*to));
	struct e2e_identity **ids = calloc(1025, sizeof(*ids));
	struct lab_keys bobs, keys;
	struct e2e_rewrap q = by_bob(&bobs, to, 1025, true);
	struct buffer old = original(2, text, TEXT_LEN), new;
	struct e2e_open request;
	size_t i;

	assert_true(to != NULL && ids != NULL);
	for (i = 0; i < 1025; i++) {
		ids[i] = lab_identity("x25519", NULL);
		to[i] = e2e_identity_card(ids[i]);
	}
	assert_int_equal(rewrap_error(&q, &old, true),
	    E2E_ERR_TOO_MANY_RECIPIENTS);
	q.to.card_count = 1024;
	q.to.hide = true;
	new = lab_rewrap(&q, old.data, old.length, LAB_STREAM);
	request = reader(&keys, ids[1023]);
	lab_expect(E2E_OK, new.data, new.length, &request, text, TEXT_LEN);
	buffer_free(&new);
	for (i = 0; i < 1025; i++)
		e2e_identity_free(ids[i]);
	free(ids);
	free(to);
	buffer_free(&old);
}

static void
what_does_not_open_is_not_rewrapped(void **state)
{
	const struct e2e_card *to[] = { carol->card };
	struct lab_keys keys;
	struct e2e_open open = reader(&keys, mallory);
	struct e2e_rewrap q = { .keys = open.keys, .to.cards = to,
		.to.card_count = 1 };
	struct buffer old = original(2, text, TEXT_LEN), empty;
	struct forge f;

	assert_int_equal(rewrap_error(&q, &old, true), E2E_ERR_NO_KEY);
	old.data[4] = '3';
	assert_int_equal(rewrap_error(&q, &old, true), E2E_ERR_VERSION);
	old.data[0] = 0;
	assert_int_equal(rewrap_error(&q, &old, true), E2E_ERR_MALFORMED);
	buffer_free(&old);
	buffer_init(&empty, 1);
	assert_int_equal(rewrap_error(&q, &empty, true), E2E_ERR_EMPTY);
	buffer_free(&empty);

	forge_begin(&f, NULL);
	forge_add_passphrase(&f, "secret");
	forge_whole(&f, text, TEXT_LEN);
	assert_int_equal(rewrap_error(&q, &f.envelope, true),
	    E2E_ERR_PASSPHRASE_NEEDED);
	lab_add_passphrase(&open, &keys, "wrong");
	q.keys = open.keys;
	assert_int_equal(rewrap_error(&q, &f.envelope, true),
	    E2E_ERR_PASSPHRASE_WRONG);
	forge_end(&f);
	/* Metadata that is none. */
	forge_begin(&f, NULL);
	forge_add(&f, mallory, false);
	(void)buffer_append_byte(&f.raw_claims, 0xa0);
	forge_whole(&f, text, TEXT_LEN);
	assert_int_equal(rewrap_error(&q, &f.envelope, true),
	    E2E_ERR_MALFORMED);
	forge_end(&f);
}

/* Nothing of the payload is verified, but its frame is. */
static void
payload_passes_as_it_is_if_its_frame_is_whole(void **state)
{
	enum { LENGTH = 40000 };
	const struct e2e_card *to[] = { carol->card };
	struct lab_keys keys, bobs;
	struct e2e_rewrap q = by_bob(&bobs, to, 1, true);
	struct e2e_open request = reader(&keys, carol);
	unsigned char *data = lab_data(LENGTH);
	struct buffer old = original(2, data, LENGTH), new, cut = old;
	size_t end = lab_header_end(old.data, old.length), chunk;

	chunk = end + ENVELOPE_PREAMBLE_ITEM_LEN;
	for (cut.length = chunk; cut.length < old.length;
	    cut.length += cut.length < chunk + 4 ? 1 : 997)
		assert_int_equal(rewrap_error(&q, &cut, false),
		    E2E_ERR_TRUNCATED);
	cut.length = old.length - 1;
	assert_int_equal(rewrap_error(&q, &cut, false), E2E_ERR_TRUNCATED);
	for (cut.length = end; cut.length < chunk; cut.length++)
		assert_int_equal(rewrap_error(&q, &cut, false),
		    E2E_ERR_TRUNCATED);
	for (cut.length = 0; cut.length < end; cut.length++)
		assert_int_equal(rewrap_error(&q, &cut, true),
		    cut.length == 0 ? E2E_ERR_EMPTY :
		    E2E_ERR_HEADER_TRUNCATED);
	/* Heads that are none, and no break. */
	old.data[end] ^= 1;
	assert_int_equal(rewrap_error(&q, &old, false), E2E_ERR_MALFORMED);
	old.data[end] ^= 1;
	old.data[chunk + ENVELOPE_CHUNK_ITEM_LEN] ^= 0x20;
	assert_int_equal(rewrap_error(&q, &old, false), E2E_ERR_MALFORMED);
	old.data[chunk + ENVELOPE_CHUNK_ITEM_LEN] ^= 0x20;
	old.data[old.length - 1] = 0xfe;
	assert_int_equal(rewrap_error(&q, &old, false), E2E_ERR_MALFORMED);
	old.data[old.length - 1] = 0xff;
	/* A chunk that is altered is the reader's to find. */
	old.data[chunk + 100] ^= 1;
	new = lab_rewrap(&q, old.data, old.length, LAB_STREAM);
	lab_refused(E2E_ERR_CHUNK, new.data, new.length, &request);
	buffer_free(&new);
	buffer_free(&old);
	free(data);
}

static void
failures_of_input_and_output_are_told(void **state)
{
	const struct e2e_card *to[] = { carol->card };
	unsigned char *data = lab_data(3 << 20);
	struct buffer old = original(0, data, 3 << 20);
	struct lab_keys bobs;
	struct e2e_rewrap q = by_bob(&bobs, to, 1, true);
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input;
	struct e2e_output output;
	struct e2e_rewrapped rewrapped;
	struct e2e_reader *in;
	struct e2e_diag diag;
	enum e2e_error error;
	size_t at, told = 0;
	int side;
	bool end;

	for (side = 0; side < 2; side++) {
		for (at = 1; at < 1000; at++) {
			input = lab_input(&source, old.data, old.length,
			    false);
			output = lab_output(&sink, false);
			source.fail_at = side == 0 ? at : 0;
			sink.fail_at = side == 1 ? at : 0;
			assert_int_equal(e2e_reader_new(&in, &input), E2E_OK);
			error = e2e_rewrap_next(in, &q, &output, &rewrapped,
			    &end, &diag);
			if (error != E2E_OK) {
				assert_int_equal(error, side == 0 ?
				    E2E_ERR_READ : E2E_ERR_WRITE);
				assert_true(diag.sys_errno != 0);
				told++;
			}
			e2e_reader_free(in);
			lab_sink_free(&sink);
			if (error == E2E_OK)
				break;
		}
		assert_int_equal(error, E2E_OK);
	}
	assert_true(told > 4);
	buffer_free(&old);
	free(data);
}

/* ---- what the block must be ---- */

/* A forged envelope of alice's for bob, about to be rewrapped for carol. */
static void
forge_for_carol(struct forge *f, bool hidden)
{
	forge_begin(f, alice);
	forge_add(f, bob, false);
	forge_whole(f, text, TEXT_LEN);
	forge_rewrap_begin(f);
	forge_add(f, carol, hidden);
}

static void
block_by_hand_opens(void **state)
{
	struct forge f;
	int i;

	for (i = 0; i < 4; i++) {
		forge_for_carol(&f, false);
		if (i == 3)
			f.block.card = buffer_bytes(&bob->card->encoded);
		forge_rewrap(&f, i == 0 ? NULL : bob);
		says(&f, carol, E2E_OK);
		forge_end(&f);
	}
}

/* Claims in hexadecimal: a right one is 6 and -65640. */
static void
claims_of_the_block_are_judged(void **state)
{
	static const struct {
		const char *before, *after;	/* -65640 */
		enum e2e_error bare, with_signature;
	} rows[] = {
		{ "a2 06 1a 6553f101", "", E2E_OK, E2E_OK },
		{ "a1", "", E2E_ERR_MALFORMED, E2E_ERR_MALFORMED },
		{ "a2 06 20", "", E2E_ERR_MALFORMED, E2E_ERR_MALFORMED },
		{ "a2 06 1a 00000001", "", E2E_ERR_MALFORMED,
			E2E_ERR_MALFORMED },
		{ "a3 06 01", "3a 00010068 82 f5 f6", E2E_OK, E2E_OK },
		{ "a3 05 f6 06 01", "", E2E_OK, E2E_OK },
		{ "a2 06 01", "00", E2E_ERR_MALFORMED, E2E_ERR_MALFORMED },
		{ "a3 06 01", "3a 00010066 f6", E2E_ERR_MALFORMED,
			E2E_ERR_MALFORMED },
		/* A card that is none; no card in a bare one. */
		{ "a3 06 01 3a 0001005b 41 00", "", E2E_ERR_MALFORMED,
			E2E_ERR_MALFORMED },
		{ "a3 06 01 3a 0001005b f6", "", E2E_ERR_MALFORMED,
			E2E_ERR_MALFORMED },
		/* `to`: at least one, each a hash. */
		{ "a3 06 01 3a 0001005e 80", "", E2E_ERR_MALFORMED,
			E2E_ERR_MALFORMED },
		{ "a3 06 01 3a 0001005e 81 41 00", "", E2E_ERR_MALFORMED,
			E2E_ERR_MALFORMED },
		{ "a3 06 01 3a 0001005e 81 5820 0000000000000000000000000000"
			"000000000000000000000000000000000000", "", E2E_OK,
			E2E_OK }
	};
	struct buffer before, after;
	struct forge f;
	size_t i;
	int is_signed;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (is_signed = 0; is_signed < 2; is_signed++) {
			forge_for_carol(&f, false);
			before = lab_hex(rows[i].before);
			after = lab_hex(rows[i].after);
			(void)buffer_append(&f.raw_block, before.data,
			    before.length);
			dcbor_put_int(&f.raw_block, CLAIM_ORIGINAL_HASH);
			dcbor_put_bytes(&f.raw_block,
			    f.core.recipients_hash, HASH_LEN);
			(void)buffer_append(&f.raw_block, after.data,
			    after.length);
			forge_rewrap(&f, is_signed ? bob : NULL);
			says(&f, carol, is_signed ? rows[i].with_signature :
			    rows[i].bare);
			buffer_free(&before);
			buffer_free(&after);
			forge_end(&f);
		}
	}
}

static void
block_without_the_first_rh_is_malformed(void **state)
{
	static const char *const blocks[] = {
		"a1 06 01", ("a2 06 01 3a 00010067 50"
		"00000000000000000000000000000000"), "80", "f6", "a0",
		"d2 84 40 a0 40 40"
	};
	struct forge f;
	struct buffer hex;
	size_t i;

	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		forge_for_carol(&f, false);
		hex = lab_hex(blocks[i]);
		(void)buffer_append(&f.raw_block, hex.data, hex.length);
		forge_rewrap(&f, NULL);
		says(&f, carol, E2E_ERR_MALFORMED);
		buffer_free(&hex);
		forge_end(&f);
	}
}

static void
block_of_another_statement_is_malformed(void **state)
{
	static const char *const types[] = { TYP_METADATA, TYP_WRAPPED_KEY,
		TYP_DELIVERY, TYP_REWRAP };
	struct buffer hex = lab_hex("a2 06 01");
	struct forge f;
	size_t i;

	for (i = 0; i < 4; i++) {
		forge_for_carol(&f, false);
		(void)buffer_append(&f.raw_block, hex.data, hex.length);
		dcbor_put_int(&f.raw_block, CLAIM_ORIGINAL_HASH);
		dcbor_put_bytes(&f.raw_block, f.core.recipients_hash,
		    HASH_LEN);
		f.block_typ = types[i];
		forge_rewrap(&f, bob);
		says(&f, carol, i < 3 ? E2E_ERR_MALFORMED : E2E_OK);
		forge_end(&f);
	}
	buffer_free(&hex);
}

/* Too short is a tag that does not verify, too long a limit, and both where
 * the key has matched or not. */
static void
lengths_of_the_blocks_ciphertext(void **state)
{
	unsigned char *zeros = calloc(1, HEADER_REWRAP_MAX + 32);
	static const size_t lengths[] = { 0, 1, 15, 16, 100,
		HEADER_REWRAP_MAX + 16, HEADER_REWRAP_MAX + 17 };
	struct forge f;
	size_t i;

	assert_non_null(zeros);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		enum e2e_error error = lengths[i] <= HEADER_REWRAP_MAX + 16 ?
		    E2E_ERR_NO_KEY : E2E_ERR_LIMIT;

		forge_for_carol(&f, false);
		forge_rewrap_as(&f, (struct bytes){ zeros, lengths[i] });
		says(&f, carol, error);
		says(&f, mallory, error);
		forge_end(&f);
	}
	free(zeros);
}

/* A block that does not decrypt is named like the key that was tried. */
static void
broken_block_under_a_passphrase_is_a_wrong_passphrase(void **state)
{
	static const unsigned char zeros[40];
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, NULL);
	struct forge f;

	lab_add_passphrase(&request, &keys, "secret");
	forge_for_carol(&f, false);
	forge_rewrap_begin(&f);
	forge_add_passphrase(&f, "secret");
	forge_rewrap_as(&f, (struct bytes){ zeros, sizeof(zeros) });
	lab_refused(E2E_ERR_PASSPHRASE_WRONG, f.envelope.data,
	    f.envelope.length, &request);
	forge_end(&f);
}

/* The largest block there can be, of claims that nobody knows. */
static void
largest_block_is_read(void **state)
{
	struct forge f;
	size_t left;

	forge_for_carol(&f, false);
	dcbor_put_map(&f.raw_block, 3);
	dcbor_put_int(&f.raw_block, CLAIM_IAT);
	dcbor_put_uint(&f.raw_block, 1);
	dcbor_put_int(&f.raw_block, CLAIM_ORIGINAL_HASH);
	dcbor_put_bytes(&f.raw_block, f.core.recipients_hash, HASH_LEN);
	dcbor_put_int(&f.raw_block, CLAIM_ORIGINAL_HASH - 1);
	left = HEADER_REWRAP_MAX - f.raw_block.length - 3;
	dcbor_put_bytes_head(&f.raw_block, left);
	memset(buffer_extend(&f.raw_block, left), 0, left);
	assert_int_equal(f.raw_block.length, HEADER_REWRAP_MAX);
	forge_rewrap(&f, NULL);
	says(&f, carol, E2E_OK);
	forge_end(&f);
}

static void
forwarder_without_a_card_is_unknown(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, carol, alice->card);
	struct forge f;

	forge_for_carol(&f, false);
	forge_rewrap(&f, bob);
	says(&f, carol, E2E_OK);
	lab_refused(E2E_ERR_FORWARDER_UNKNOWN, f.envelope.data,
	    f.envelope.length, &request);
	/* Who the message is from is found out first. */
	keys.cards[0] = bob->card;
	lab_refused(E2E_ERR_SENDER_UNKNOWN, f.envelope.data,
	    f.envelope.length, &request);
	forge_end(&f);
}

/* What a card that comes along must be (5.1). */
static void
carried_card_of_the_forwarder_is_judged(void **state)
{
	static const enum e2e_error errors[] = { E2E_OK, E2E_ERR_MALFORMED,
		E2E_ERR_CARD_SIGNATURE, E2E_ERR_MALFORMED, E2E_ERR_LIMIT };
	struct buffer card;
	struct forge f;
	size_t i;

	/* His own, another's, broken, none, too long. */
	for (i = 0; i < 5; i++) {
		buffer_init(&card, LAB_MAX);
		(void)buffer_append(&card, i == 1 ?
		    alice->card->encoded.data : bob->card->encoded.data,
		    i == 1 ? alice->card->encoded.length :
		    bob->card->encoded.length);
		if (i == 2)
			card.data[card.length - 1] ^= 1;
		if (i == 3)
			card.length = 1;
		while (i == 4 && card.length <= E2E_CARD_MAX)
			(void)buffer_append_byte(&card, 0);
		forge_for_carol(&f, false);
		f.block.card = buffer_bytes(&card);
		forge_rewrap(&f, bob);
		says(&f, carol, errors[i]);
		buffer_free(&card);
		forge_end(&f);
	}
}

static void
everybody_can_see_that_it_was_rewrapped(void **state)
{
	struct e2e_inspected seen;
	struct lab_source source;
	struct e2e_reader *in;
	struct e2e_input input;
	struct forge f;
	bool end;

	forge_for_carol(&f, false);
	forge_rewrap(&f, bob);
	input = lab_input(&source, f.envelope.data, f.envelope.length, false);
	assert_int_equal(e2e_reader_new(&in, &input), E2E_OK);
	assert_int_equal(e2e_inspect_next(in, &seen, &end, NULL), E2E_OK);
	assert_true(seen.rewrapped && seen.complete);
	assert_int_equal(seen.recipient_count, 1);
	assert_memory_equal(seen.recipients[0].kid, e2e_card_id(carol->card),
	    E2E_ID_LEN);
	e2e_reader_free(in);
	forge_end(&f);
}

static void
hidden_recipient_must_be_in_to_of_the_block(void **state)
{
	unsigned char to[2 * HASH_LEN];
	struct forge f;
	int i;

	/* No `to`, somebody else's, his own behind that. */
	for (i = 0; i < 6; i++) {
		forge_for_carol(&f, true);
		assert_int_equal(derive_to(to, f.message_id,
		    e2e_card_id(bob->card)), E2E_OK);
		assert_int_equal(derive_to(to + HASH_LEN, f.message_id,
		    e2e_card_id(carol->card)), E2E_OK);
		if (i % 3 > 0)
			f.block.to = (struct bytes){ to,
			    (size_t)(i % 3) * HASH_LEN };
		forge_rewrap(&f, i < 3 ? NULL : bob);
		says(&f, carol, i % 3 == 2 ? E2E_OK : E2E_ERR_NOT_ADDRESSED);
		forge_end(&f);
	}
	/* Of an anonymous message, too. */
	for (i = 0; i < 2; i++) {
		forge_begin(&f, NULL);
		forge_add(&f, bob, true);
		forge_whole(&f, text, TEXT_LEN);
		forge_rewrap_begin(&f);
		forge_add(&f, carol, true);
		if (i == 1)
			f.block.to = (struct bytes){ to + HASH_LEN,
			    HASH_LEN };
		forge_rewrap(&f, NULL);
		says(&f, carol, i == 0 ? E2E_ERR_NOT_ADDRESSED : E2E_OK);
		forge_end(&f);
	}
}

/* It speaks of those who were recipients once. */
static void
to_of_the_metadata_is_not_looked_at(void **state)
{
	unsigned char to[HASH_LEN], mine[HASH_LEN];
	struct forge f;
	int i;

	for (i = 0; i < 2; i++) {
		forge_begin(&f, alice);
		assert_int_equal(derive_to(to, f.message_id,
		    e2e_card_id(bob->card)), E2E_OK);
		assert_int_equal(derive_to(mine, f.message_id,
		    e2e_card_id(carol->card)), E2E_OK);
		/* bob was hidden; or carol, who opens it now, was. */
		f.claims.to = (struct bytes){ i == 0 ? to : mine, HASH_LEN };
		forge_add(&f, bob, true);
		forge_whole(&f, text, TEXT_LEN);
		forge_rewrap_begin(&f);
		forge_add(&f, carol, true);
		if (i == 0)
			f.block.to = (struct bytes){ mine, HASH_LEN };
		forge_rewrap(&f, bob);
		says(&f, carol, i == 0 ? E2E_OK : E2E_ERR_NOT_ADDRESSED);
		forge_end(&f);
	}
}

/* ---- under a group key ---- */

static void
who_brings_it_to_the_group_must_be_of_it(void **state)
{
	const struct {
		const struct e2e_identity *forwarder;
		enum e2e_error error;
	} rows[] = {
		{ NULL, E2E_ERR_SENDER_ANONYMOUS },
		{ mallory, E2E_ERR_NOT_A_MEMBER },
		{ alice, E2E_ERR_NOT_A_MEMBER },
		{ carol, E2E_OK },
		{ bob, E2E_OK }
	};
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, NULL);
	struct forge f;
	size_t i;
	int mode;

	keys.cards[keys.card_count++] = carol->card;
	keys.cards[keys.card_count++] = mallory->card;
	lab_add_group(&request, &keys, group);
	/* alice is no member; nor is whoever wrote anonymously. */
	for (i = 0; i < 5; i++) {
		for (mode = 0; mode < 3; mode++) {
			forge_begin(&f, mode == 0 ? NULL : alice);
			f.claims.mode = (uint64_t)mode;
			forge_add(&f, bob, false);
			forge_whole(&f, text, TEXT_LEN);
			forge_rewrap_begin(&f);
			forge_add_group(&f, group, false);
			forge_rewrap(&f, rows[i].forwarder);
			lab_expect(rows[i].error, f.envelope.data,
			    f.envelope.length, &request, text, TEXT_LEN);
			forge_end(&f);
		}
	}
}

static void
old_epoch_counts_for_rewrapped_ones_too(void **state)
{
	struct e2e_group_key *next = lab_next_epoch(group, bob, NULL, 0);
	struct lab_keys keys;
	struct e2e_open request = reader(&keys, NULL);
	struct forge f;

	lab_add_group(&request, &keys, group);
	lab_add_group(&request, &keys, next);
	forge_for_carol(&f, false);
	forge_rewrap_begin(&f);
	forge_add_group(&f, group, false);
	forge_rewrap(&f, bob);
	lab_refused(E2E_ERR_OLD_EPOCH, f.envelope.data, f.envelope.length,
	    &request);
	request.allow_old_epochs = true;
	lab_expect(E2E_OK, f.envelope.data, f.envelope.length, &request,
	    text, TEXT_LEN);
	forge_end(&f);
	e2e_group_key_free(next);
}

/* ---- attacks ---- */

/* The network puts the old R back, or takes the block out. */
static void
block_stripped_or_old_recipients_put_back_are_refused(void **state)
{
	struct buffer old, plaintext, ciphertext;
	struct forge f;

	buffer_init(&old, LAB_MAX);
	buffer_init(&plaintext, LAB_MAX);
	buffer_init(&ciphertext, LAB_MAX);
	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_whole(&f, text, TEXT_LEN);
	(void)buffer_append(&old, f.entries.data, f.entries.length);
	forge_rewrap_begin(&f);
	forge_add(&f, carol, false);
	forge_sign_block(&f, &plaintext, bob);
	forge_encrypt_block(&f, &ciphertext, buffer_bytes(&plaintext));
	forge_rewrap_as(&f, buffer_bytes(&ciphertext));
	says(&f, carol, E2E_OK);
	/* Stripped: R is the new one, and its hash not what it was. */
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_NO_KEY);
	/* The block in front of the old R. */
	buffer_clear(&f.entries);
	(void)buffer_append(&f.entries, old.data, old.length);
	forge_rewrap_as(&f, buffer_bytes(&ciphertext));
	says(&f, bob, E2E_ERR_NO_KEY);
	buffer_free(&old);
	buffer_free(&plaintext);
	buffer_free(&ciphertext);
	forge_end(&f);
}

/* Another envelope with the same CEK is the most that an insider has. */
static void
block_moved_to_another_envelope_is_refused(void **state)
{
	struct buffer plaintext, ciphertext;
	struct forge f, other;

	buffer_init(&plaintext, LAB_MAX);
	buffer_init(&ciphertext, LAB_MAX);
	forge_for_carol(&f, false);
	forge_sign_block(&f, &plaintext, bob);
	forge_encrypt_block(&f, &ciphertext, buffer_bytes(&plaintext));
	forge_rewrap_as(&f, buffer_bytes(&ciphertext));
	says(&f, carol, E2E_OK);

	forge_begin(&other, alice);
	memset(other.message_id, 0x44, sizeof(other.message_id));
	forge_add(&other, bob, false);
	forge_whole(&other, text, TEXT_LEN);
	forge_rewrap_begin(&other);
	(void)buffer_append(&other.entries, f.entries.data,
	    f.entries.length);
	other.entry_count = 1;
	forge_rewrap_as(&other, buffer_bytes(&ciphertext));
	says(&other, carol, E2E_ERR_NO_KEY);
	/* Encrypted once more, as it was signed: it has the other's rh. */
	forge_encrypt_block(&other, &ciphertext, buffer_bytes(&plaintext));
	forge_rewrap_as(&other, buffer_bytes(&ciphertext));
	says(&other, carol, E2E_ERR_NO_KEY);
	forge_end(&other);

	/* With the same R once, even rh is right, and the signature is not. */
	forge_begin(&other, alice);
	memset(other.message_id, 0x44, sizeof(other.message_id));
	forge_add(&other, bob, false);
	forge_header(&other);
	memcpy(other.core.recipients_hash, f.core.recipients_hash, HASH_LEN);
	forge_metadata(&other);
	forge_encrypt(&other);
	forge_segment(&other, alice, 0, true, text, TEXT_LEN);
	forge_envelope(&other);
	buffer_clear(&other.entries);
	(void)buffer_append(&other.entries, f.entries.data,
	    f.entries.length);
	forge_encrypt_block(&other, &ciphertext, buffer_bytes(&plaintext));
	forge_rewrap_as(&other, buffer_bytes(&ciphertext));
	says(&other, carol, E2E_ERR_FORWARDER_SIGNATURE);
	forge_end(&other);
	buffer_free(&plaintext);
	buffer_free(&ciphertext);
	forge_end(&f);
}

/* carol, for whom bob rewrapped it, makes his word one for mallory, too. */
static void
block_moved_to_other_recipients_is_refused(void **state)
{
	struct buffer plaintext, ciphertext;
	struct forge f;

	buffer_init(&plaintext, LAB_MAX);
	buffer_init(&ciphertext, LAB_MAX);
	forge_for_carol(&f, false);
	forge_sign_block(&f, &plaintext, bob);
	forge_encrypt_block(&f, &ciphertext, buffer_bytes(&plaintext));
	forge_add(&f, mallory, false);
	/* As it is: its encryption names the recipients. */
	forge_rewrap_as(&f, buffer_bytes(&ciphertext));
	says(&f, mallory, E2E_ERR_NO_KEY);
	says(&f, carol, E2E_ERR_NO_KEY);
	/* Encrypted anew: so does the signature. */
	forge_encrypt_block(&f, &ciphertext, buffer_bytes(&plaintext));
	forge_rewrap_as(&f, buffer_bytes(&ciphertext));
	says(&f, mallory, E2E_ERR_FORWARDER_SIGNATURE);
	/* Without a name she may. */
	forge_rewrap(&f, NULL);
	says(&f, mallory, E2E_OK);
	buffer_free(&plaintext);
	buffer_free(&ciphertext);
	forge_end(&f);
}

/* An insider names another first R than the one that alice signed. */
static void
first_rh_replaced_by_an_insider_is_refused(void **state)
{
	unsigned char rh[HASH_LEN];
	struct forge f;

	forge_for_carol(&f, false);
	memset(rh, 0x66, sizeof(rh));
	f.block.recipients_hash = rh;
	forge_rewrap(&f, NULL);
	says(&f, carol, E2E_ERR_NO_KEY);
	/* Also where the metadata is encrypted to fit. */
	memcpy(f.core.recipients_hash, rh, sizeof(rh));
	forge_encrypt(&f);
	forge_envelope(&f);
	forge_rewrap(&f, NULL);
	says(&f, carol, E2E_ERR_SIGNATURE);
	forge_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mode_opens_for_the_new_recipients),
		cmocka_unit_test(long_payload_passes_in_every_way),
		cmocka_unit_test(armor_is_taken_and_put),
		cmocka_unit_test(passphrase_and_groups_beside_people),
		cmocka_unit_test(what_opens_it_does_not_matter),
		cmocka_unit_test(rewrapped_again_it_has_one_block),
		cmocka_unit_test(forwarder_is_reported),
		cmocka_unit_test(sequence_of_envelopes_is_read_on),
		cmocka_unit_test(request_that_cannot_be_is_refused_silently),
		cmocka_unit_test(too_many_recipients_are_refused_silently),
		cmocka_unit_test(what_does_not_open_is_not_rewrapped),
		cmocka_unit_test(
		    payload_passes_as_it_is_if_its_frame_is_whole),
		cmocka_unit_test(failures_of_input_and_output_are_told),
		cmocka_unit_test(block_by_hand_opens),
		cmocka_unit_test(claims_of_the_block_are_judged),
		cmocka_unit_test(block_without_the_first_rh_is_malformed),
		cmocka_unit_test(block_of_another_statement_is_malformed),
		cmocka_unit_test(lengths_of_the_blocks_ciphertext),
		cmocka_unit_test(
		    broken_block_under_a_passphrase_is_a_wrong_passphrase),
		cmocka_unit_test(largest_block_is_read),
		cmocka_unit_test(forwarder_without_a_card_is_unknown),
		cmocka_unit_test(carried_card_of_the_forwarder_is_judged),
		cmocka_unit_test(everybody_can_see_that_it_was_rewrapped),
		cmocka_unit_test(hidden_recipient_must_be_in_to_of_the_block),
		cmocka_unit_test(to_of_the_metadata_is_not_looked_at),
		cmocka_unit_test(who_brings_it_to_the_group_must_be_of_it),
		cmocka_unit_test(old_epoch_counts_for_rewrapped_ones_too),
		cmocka_unit_test(
		    block_stripped_or_old_recipients_put_back_are_refused),
		cmocka_unit_test(block_moved_to_another_envelope_is_refused),
		cmocka_unit_test(block_moved_to_other_recipients_is_refused),
		cmocka_unit_test(first_rh_replaced_by_an_insider_is_refused)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
