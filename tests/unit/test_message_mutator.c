/*
 * Every small alteration of small envelopes of each kind is refused.
 *
 * Where 255 other values of a byte take too long (RSA, signatures) fewer are
 * tried; the output says how many there were altogether. Argon2id is computed
 * once for each set of its inputs: this program is linked with
 * --wrap=passhash_argon2id.
 */
#include "lab_group.h"
#include "mutator.h"

#include "crypto/passhash.h"
#include "wire/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum e2e_error __real_passhash_argon2id(unsigned char *out,
    const void *passphrase, size_t length, const unsigned char *salt,
    uint32_t passes, uint32_t memory_kib, uint32_t lanes);
enum e2e_error __wrap_passhash_argon2id(unsigned char *out,
    const void *passphrase, size_t length, const unsigned char *salt,
    uint32_t passes, uint32_t memory_kib, uint32_t lanes);

/* Remembers the last result: nearly all alterations leave these inputs. */
enum e2e_error
__wrap_passhash_argon2id(unsigned char *out, const void *passphrase,
    size_t length, const unsigned char *salt, uint32_t passes,
    uint32_t memory_kib, uint32_t lanes)
{
	static struct {
		unsigned char passphrase[32], salt[PASSHASH_SALT_LEN];
		size_t length;
		uint32_t passes, memory_kib, lanes;
		unsigned char out[PASSHASH_LEN];
	} last;
	enum e2e_error error;

	if (length == last.length && passes == last.passes &&
	    memory_kib == last.memory_kib && lanes == last.lanes &&
	    memcmp(passphrase, last.passphrase, length) == 0 &&
	    memcmp(salt, last.salt, sizeof(last.salt)) == 0) {
		memcpy(out, last.out, sizeof(last.out));
		return E2E_OK;
	}
	error = __real_passhash_argon2id(out, passphrase, length, salt,
	    passes, memory_kib, lanes);
	/* The first one that is computed is that of the envelope itself. */
	if (error == E2E_OK && last.length == 0 &&
	    length <= sizeof(last.passphrase)) {
		memcpy(last.passphrase, passphrase, length);
		memcpy(last.salt, salt, sizeof(last.salt));
		memcpy(last.out, out, sizeof(last.out));
		last.length = length;
		last.passes = passes;
		last.memory_kib = memory_kib;
		last.lanes = lanes;
	}
	return error;
}

static struct e2e_identity *alice, *bob, *rsa;
static struct e2e_group_key *group;	/* alice's, with bob */
static const unsigned char data[] = "hello\n";
enum { DATA_LEN = sizeof(data) - 1, MINIMUM = 8192 };

static int
setup(void **state)
{
	const struct e2e_card *card;

	(void)state;
	alice = lab_identity("x25519", "alice");
	bob = lab_identity("x25519", "bob");
	rsa = lab_identity("rsa2048", "rsa");
	card = e2e_identity_card(bob);
	group = lab_group(alice, &card, 1, "rowers");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_group_key_free(group);
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(rsa);
	return 0;
}

/* Everything the mutator can do to one small envelope. */
static void
torture(const char *name, const struct buffer *envelope,
    const struct e2e_open *request, unsigned values, bool armored)
{
	struct mutator m;

	mutator_begin(&m, name, envelope, data, DATA_LEN, request, armored);
	mutator_bytes(&m, 0, m.length, values);
	mutator_truncations(&m);
	mutator_insertions(&m);
	mutator_deletions(&m);
	mutator_appended(&m);
	mutator_end(&m);
	mutator_assert_clean(&m);
}

/* One recipient; what is asked for is set by the caller. */
static void
one(const char *name, struct e2e_seal *q, const struct e2e_identity *to,
    unsigned values)
{
	const struct e2e_card *card = e2e_identity_card(to);
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, to,
	    e2e_identity_card(alice));
	struct buffer envelope;

	q->to.cards = &card;
	q->to.card_count = 1;
	q->no_card = true;
	q->threads = 1;
	envelope = lab_seal(q, data, DATA_LEN, LAB_STREAM);
	torture(name, &envelope, &request, values, q->armor);
	buffer_free(&envelope);
}

static void
every_alteration_of_mode_0_for_x25519_is_refused(void **state)
{
	struct e2e_seal q = { .to.cards = NULL };

	one("mode 0, X25519", &q, bob, 255);
}

static void
every_alteration_of_mode_1_for_x25519_is_refused(void **state)
{
	struct e2e_seal q = { .sender = alice };

	one("mode 1, X25519", &q, bob, 16);
}

static void
every_alteration_of_mode_2_for_x25519_is_refused(void **state)
{
	struct e2e_seal q = { .sender = alice, .sign_segments = true };

	one("mode 2, X25519", &q, bob, 16);
}

static void
every_alteration_for_a_hidden_recipient_is_refused(void **state)
{
	struct e2e_seal q = { .sender = alice, .to.hide = true };

	one("mode 1, X25519 hidden", &q, bob, 8);
}

static void
every_alteration_of_a_padded_message_is_refused(void **state)
{
	struct e2e_seal q = { .pad = true };

	one("mode 0, X25519 padded", &q, bob, 8);
}

static void
every_alteration_for_rsa_is_refused(void **state)
{
	struct e2e_seal q = { .to.cards = NULL };

	one("mode 0, RSA", &q, rsa, 8);
}

static void
every_alteration_for_hidden_rsa_is_refused(void **state)
{
	struct e2e_seal q = { .sender = alice, .to.hide = true,
		.sign_segments = true };

	one("mode 2, RSA hidden", &q, rsa, 2);
}

static void
every_alteration_of_armor_is_refused_or_is_white_space(void **state)
{
	struct e2e_seal q = { .armor = true };

	one("mode 0, X25519, armor", &q, bob, 16);
}

static void
every_alteration_for_a_passphrase_is_refused(void **state)
{
	struct e2e_seal q = {
		.to.passphrase = "correct horse", .to.passphrase_length = 13,
		.to.passphrase_cost = { MINIMUM, 1, 1 }, .threads = 1
	};
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, NULL, NULL);
	struct buffer envelope = lab_seal(&q, data, DATA_LEN, LAB_STREAM);
	struct mutator m;
	size_t salt, end;

	lab_add_passphrase(&request, &keys, "correct horse");
	/* A header that asks for more memory is refused, not obeyed. */
	request.keys.kdf_memory_max_kib = MINIMUM;
	mutator_begin(&m, "mode 0, passphrase", &envelope, data, DATA_LEN,
	    &request, false);
	/* Where Argon2id would run each time: salt 16, t, m, p, W. */
	end = m.header_end - 42;
	salt = end - 3 * 5 - 1 - 3 - 1 - 16;
	mutator_bytes(&m, 0, salt, 255);
	mutator_bytes(&m, salt, salt + 16, 2);
	mutator_bytes(&m, salt + 16, end, 16);
	mutator_bytes(&m, end, m.length, 255);
	mutator_truncations(&m);
	mutator_deletions(&m);
	mutator_appended(&m);
	mutator_end(&m);
	mutator_assert_clean(&m);
	buffer_free(&envelope);
}

static void
every_alteration_of_a_mixed_header_is_refused(void **state)
{
	const struct e2e_card *cards[3] = { e2e_identity_card(bob),
		e2e_identity_card(rsa), e2e_identity_card(alice) };
	struct e2e_seal q = { .to.cards = cards, .to.card_count = 3,
		.sender = alice, .no_card = true, .threads = 1 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, alice,
	    e2e_identity_card(alice));
	struct buffer envelope = lab_seal(&q, data, DATA_LEN, LAB_STREAM);

	torture("mode 2, two X25519 and RSA", &envelope, &request, 2, false);
	buffer_free(&envelope);
}

/* ---- groups ---- */

static void
group_envelope(const char *name, bool hide)
{
	const struct e2e_group_key *groups[] = { group };
	struct e2e_seal q = { .to.groups = groups, .to.group_count = 1,
		.to.hide = hide, .sender = alice, .no_card = true,
		.threads = 1 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, NULL,
	    e2e_identity_card(alice));
	struct buffer envelope = lab_seal(&q, data, DATA_LEN, LAB_STREAM);

	lab_add_group(&request, &keys, group);
	torture(name, &envelope, &request, 16, false);
	buffer_free(&envelope);
}

static void
every_alteration_for_a_group_is_refused(void **state)
{
	group_envelope("mode 2, group", false);
}

static void
every_alteration_for_a_hidden_group_is_refused(void **state)
{
	group_envelope("mode 2, group hidden", true);
}

static enum e2e_error
unwraps(void *context, const void *bytes, size_t length)
{
	struct e2e_group_key *key;
	enum e2e_error error;

	error = lab_unwrap(&key, (struct bytes){ bytes, length }, context,
	    e2e_identity_card(alice));
	e2e_group_key_free(key);
	return error;
}

static void
wrapped_key(const char *name, struct e2e_identity *to, bool armor,
    unsigned values)
{
	const struct e2e_card *card = e2e_identity_card(to);
	struct e2e_wrap_key q = { .maker = alice, .members = &card,
		.member_count = 1, .name = "rowers", .no_card = true,
		.armor = armor };
	struct buffer file = lab_wrap(&q);
	struct mutator m;

	/* 2, 5 or 6: nothing of it is believed before the header is open. */
	mutator_begin_other(&m, name, &file, unwraps, to,
	    1 << 2 | 1 << 5 | 1 << 6, armor);
	mutator_bytes(&m, 0, m.length, values);
	mutator_truncations(&m);
	mutator_insertions(&m);
	mutator_deletions(&m);
	mutator_appended(&m);
	mutator_end(&m);
	mutator_assert_clean(&m);
	buffer_free(&file);
}

static void
every_alteration_of_a_wrapped_key_is_refused(void **state)
{
	wrapped_key("wrapped key, X25519", bob, false, 16);
	wrapped_key("wrapped key, RSA", rsa, false, 2);
}

static void
every_alteration_of_an_armored_wrapped_key_is_refused(void **state)
{
	wrapped_key("wrapped key, armor", bob, true, 8);
}

/* ---- other recipients ---- */

/* Up to the end of the payload, block included. */
static void
rewrapped(const char *name, const struct e2e_identity *forwarder, int mode,
    bool hide)
{
	const struct e2e_card *first = e2e_identity_card(bob),
	    *to = e2e_identity_card(alice);
	struct e2e_seal q = { .to.cards = &first, .to.card_count = 1,
		.sender = mode == 0 ? NULL : alice, .no_card = true,
		.sign_segments = mode == 2, .threads = 1 };
	struct lab_keys keys, bobs;
	struct e2e_open open = lab_request(&bobs, bob, NULL),
	    request = lab_request(&keys, alice, e2e_identity_card(alice));
	struct e2e_rewrap rewrap = { .keys = open.keys, .to.cards = &to,
		.to.card_count = 1, .to.hide = hide,
		.forwarder = forwarder };
	struct buffer old = lab_seal(&q, data, DATA_LEN, LAB_STREAM), new;

	new = lab_rewrap(&rewrap, old.data, old.length, LAB_STREAM);
	torture(name, &new, &request, 8, false);
	buffer_free(&old);
	buffer_free(&new);
}

static void
every_alteration_of_a_bare_block_is_refused(void **state)
{
	rewrapped("mode 0, rewrapped, bare", NULL, 0, false);
	rewrapped("mode 2, rewrapped, bare, hidden", NULL, 2, true);
}

static void
every_alteration_of_a_signed_block_is_refused(void **state)
{
	rewrapped("mode 2, rewrapped by bob", bob, 2, false);
	rewrapped("mode 1, rewrapped by bob, hidden", bob, 1, true);
}

/* ---- receipts ---- */

static enum e2e_error
confirms(void *context, const void *bytes, size_t length)
{
	const struct e2e_identity *signer = context;
	struct e2e_delivery d;

	return e2e_delivery_read(&d, bytes, length,
	    e2e_identity_card(signer));
}

static void
receipt(const char *name, struct e2e_identity *recipient, unsigned values)
{
	struct e2e_opened opened = { .receipt_wanted = true, .is_hashed = true,
		.sender_state = E2E_SENDER_VERIFIED };
	struct buffer bytes;
	struct mutator m;
	unsigned char made[E2E_DELIVERY_MAX];
	size_t length;

	assert_int_equal(e2e_delivery_make(made, &length, recipient,
	    &opened), E2E_OK);
	buffer_init(&bytes, LAB_MAX);
	assert_true(buffer_append(&bytes, made, length));
	mutator_begin_other(&m, name, &bytes, confirms, recipient,
	    1 << 1 | 1 << 5, false);
	mutator_bytes(&m, 0, m.length, values);
	mutator_truncations(&m);
	mutator_insertions(&m);
	mutator_deletions(&m);
	mutator_appended(&m);
	mutator_end(&m);
	mutator_assert_clean(&m);
	buffer_free(&bytes);
}

static void
every_alteration_of_a_receipt_is_refused(void **state)
{
	receipt("delivery receipt, Ed25519", bob, 255);
	receipt("delivery receipt, RSA", rsa, 16);
}

/* ---- long ones ---- */

/* Several chunks and several segments. */
static void
long_payload(const char *name, const struct e2e_identity *sender)
{
	enum { LENGTH = 3 * 65536 + 100 };
	const struct e2e_card *card = e2e_identity_card(bob);
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.sender = sender, .sign_segments = true, .no_card = true,
		.segment_size = 65536, .threads = 1 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob,
	    e2e_identity_card(alice));
	unsigned char *text = lab_data(LENGTH);
	struct buffer envelope = lab_seal(&q, text, LENGTH, LAB_STREAM);
	size_t chunks, at;
	struct mutator m;

	mutator_begin(&m, name, &envelope, text, LENGTH, &request, false);
	chunks = m.header_end + ENVELOPE_PREAMBLE_ITEM_LEN;
	mutator_pieces(&m, chunks, ENVELOPE_CHUNK_ITEM_LEN, 12);
	/* Head, first and last bytes of each chunk; ends at each of them. */
	for (at = chunks; at < m.length; at += ENVELOPE_CHUNK_ITEM_LEN) {
		mutator_bytes(&m, at, at + 4 < m.length ? at + 4 : m.length,
		    8);
		mutator_bytes(&m, at - 2, at, 8);
	}
	mutator_appended(&m);
	mutator_end(&m);
	mutator_assert_clean(&m);
	buffer_free(&envelope);
	free(text);
}

static void
chunks_exchanged_doubled_or_missing_are_refused(void **state)
{
	long_payload("mode 0, thirteen chunks", NULL);
}

static void
chunks_of_segments_exchanged_doubled_or_missing_are_refused(void **state)
{
	long_payload("mode 2, four segments", alice);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_alteration_of_mode_0_for_x25519_is_refused),
		cmocka_unit_test(
		    every_alteration_of_mode_1_for_x25519_is_refused),
		cmocka_unit_test(
		    every_alteration_of_mode_2_for_x25519_is_refused),
		cmocka_unit_test(
		    every_alteration_for_a_hidden_recipient_is_refused),
		cmocka_unit_test(
		    every_alteration_of_a_padded_message_is_refused),
		cmocka_unit_test(every_alteration_for_rsa_is_refused),
		cmocka_unit_test(every_alteration_for_hidden_rsa_is_refused),
		cmocka_unit_test(
		    every_alteration_of_armor_is_refused_or_is_white_space),
		cmocka_unit_test(every_alteration_for_a_passphrase_is_refused),
		cmocka_unit_test(every_alteration_of_a_mixed_header_is_refused),
		cmocka_unit_test(every_alteration_for_a_group_is_refused),
		cmocka_unit_test(
		    every_alteration_for_a_hidden_group_is_refused),
		cmocka_unit_test(
		    every_alteration_of_a_wrapped_key_is_refused),
		cmocka_unit_test(
		    every_alteration_of_an_armored_wrapped_key_is_refused),
		cmocka_unit_test(every_alteration_of_a_bare_block_is_refused),
		cmocka_unit_test(
		    every_alteration_of_a_signed_block_is_refused),
		cmocka_unit_test(every_alteration_of_a_receipt_is_refused),
		cmocka_unit_test(
		    chunks_exchanged_doubled_or_missing_are_refused),
		cmocka_unit_test(
	    chunks_of_segments_exchanged_doubled_or_missing_are_refused)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
