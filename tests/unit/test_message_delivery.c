/*
 * Receipts and numbers: what a message asks for, what its recipient answers,
 * and which number in a conversation it has (docs/FORMAT.md, 5.7 and 11).
 */
#include "lab_group.h"

#include "crypto/hash.h"
#include "message/identity.h"
#include "message/sign1.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob, *carol, *rsa;
enum { MINIMUM = 8192 };

static int
setup(void **state)
{
	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	carol = lab_fixed_identity(21, 22, "carol", 1700000000);
	rsa = lab_identity("rsa2048", "rsa");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(carol);
	e2e_identity_free(rsa);
	return 0;
}

static struct buffer
seal(const struct e2e_seal *q, struct e2e_sealed *sealed, const void *data,
    size_t length, unsigned how)
{
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, data, length,
	    (how & LAB_RANDOM_IN) != 0);
	struct e2e_output output = lab_output(&sink,
	    (how & LAB_RANDOM_OUT) != 0);
	struct buffer copy;

	assert_int_equal(e2e_seal(q, &input, &output, sealed, NULL), E2E_OK);
	buffer_init(&copy, LAB_MAX);
	assert_true(buffer_append(&copy, sink.released.data,
	    sink.released.length));
	lab_sink_free(&sink);
	return copy;
}

static enum e2e_error
seal_error(const struct e2e_seal *q)
{
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, "text", 4, false);
	struct e2e_output output = lab_output(&sink, false);
	enum e2e_error error = e2e_seal(q, &input, &output, NULL, NULL);

	if (error != E2E_OK)
		assert_int_equal(sink.calls, 0);
	lab_sink_free(&sink);
	return error;
}

/* What somebody who was asked has: mode 1, from alice, not padded. */
static struct e2e_opened
asked(void)
{
	struct e2e_opened o;

	memset(&o, 0, sizeof(o));
	o.sender_state = E2E_SENDER_VERIFIED;
	o.receipt_wanted = true;
	memset(o.message_id, 1, sizeof(o.message_id));
	memset(o.context_hash, 2, sizeof(o.context_hash));
	o.is_hashed = true;
	memset(o.data_hash, 3, sizeof(o.data_hash));
	return o;
}

/* ---- there and back ---- */

/* The receipt for what was opened says what the sender knows. */
static void
check_receipt(const struct e2e_sealed *sealed,
    const struct e2e_opened *opened, const struct e2e_identity *recipient)
{
	unsigned char data[E2E_DELIVERY_MAX];
	struct e2e_delivery d;
	size_t length;

	assert_int_equal(e2e_delivery_make(data, &length, recipient, opened),
	    E2E_OK);
	assert_true(length > 0 && length <= E2E_DELIVERY_MAX);
	assert_int_equal(e2e_delivery_read(&d, data, length,
	    recipient->card), E2E_OK);
	assert_memory_equal(d.message_id, sealed->message_id,
	    E2E_MESSAGE_ID_LEN);
	assert_memory_equal(d.context_hash, sealed->context_hash,
	    E2E_HASH_LEN);
	assert_memory_equal(d.data_hash, sealed->data_hash, E2E_HASH_LEN);
	assert_true(d.arrived >= opened->created);
}

static void
receipt_says_what_the_sender_knows(void **state)
{
	static const size_t lengths[] = { 0, 1, 16384, 65536,
		3 * 65536 + 100 };
	const struct e2e_identity *recipients[] = { bob, rsa };
	unsigned char *data = lab_data(3 * 65536 + 100), hash[HASH_LEN];
	struct e2e_seal q = { .to.card_count = 1, .sender = alice,
		.ask_receipt = true, .segment_size = 65536 };
	const struct e2e_card *card;
	struct lab_keys keys;
	struct e2e_open request;
	struct e2e_sealed sealed;
	struct buffer envelope;
	struct lab_result r;
	unsigned i;
	size_t k;

	q.to.cards = &card;
	for (i = 0; i < 64; i++) {
		card = recipients[i % 2]->card;
		q.sign_segments = (i & 2) != 0;
		q.pad = (i & 4) != 0;
		q.threads = (i & 8) != 0 ? 3 : 1;
		k = i % 5;
		envelope = seal(&q, &sealed, data, lengths[k], i / 16);
		assert_int_equal(hash_sha256(hash, data, lengths[k]),
		    E2E_OK);
		assert_memory_equal(sealed.data_hash, hash, HASH_LEN);
		request = lab_request(&keys, recipients[i % 2], NULL);
		request.threads = q.threads;
		lab_expect(E2E_OK, envelope.data, envelope.length, &request,
		    data, lengths[k]);
		request.hash_data = true;
		lab_expect(E2E_OK, envelope.data, envelope.length, &request,
		    data, lengths[k]);
		lab_open(&r, envelope.data, envelope.length, &request, i % 4);
		assert_int_equal(r.error, E2E_OK);
		assert_true(r.opened.receipt_wanted);
		assert_memory_equal(r.opened.data_hash, hash, HASH_LEN);
		check_receipt(&sealed, &r.opened, recipients[i % 2]);
		lab_result_free(&r);
		buffer_free(&envelope);
	}
	free(data);
}

/* Nobody wants one who did not ask, and then nothing is hashed. */
static void
without_asking_there_is_none(void **state)
{
	const struct e2e_card *card = bob->card;
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.sender = alice, .threads = 1 };
	unsigned char data[E2E_DELIVERY_MAX], zeros[E2E_HASH_LEN] = { 0 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct e2e_sealed sealed;
	struct buffer envelope = seal(&q, &sealed, "text", 4, LAB_STREAM);
	struct lab_result r;
	size_t length = 7;

	assert_memory_equal(sealed.data_hash, zeros, E2E_HASH_LEN);
	lab_open(&r, envelope.data, envelope.length, &request, LAB_STREAM);
	assert_int_equal(r.error, E2E_OK);
	assert_false(r.opened.receipt_wanted);
	assert_memory_equal(r.opened.data_hash, zeros, E2E_HASH_LEN);
	assert_int_equal(e2e_delivery_make(data, &length, bob, &r.opened),
	    E2E_ERR_USAGE);
	assert_int_equal(length, 0);
	lab_result_free(&r);
	buffer_free(&envelope);
}

/* Data that is refused has no hash to be confirmed. */
static void
refused_data_is_not_hashed(void **state)
{
	const struct e2e_card *card = bob->card;
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.sender = alice, .threads = 1, .ask_receipt = true };
	unsigned char zeros[E2E_HASH_LEN] = { 0 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct e2e_sealed sealed;
	struct buffer envelope = seal(&q, &sealed, "text", 4, LAB_STREAM);
	struct lab_result r;

	request.hash_data = true;
	envelope.data[envelope.length - 3] ^= 1;
	lab_open(&r, envelope.data, envelope.length, &request, LAB_STREAM);
	assert_int_equal(r.error, E2E_ERR_CHUNK);
	assert_memory_equal(r.opened.data_hash, zeros, E2E_HASH_LEN);
	lab_result_free(&r);
	buffer_free(&envelope);
}

static void
failures_while_hashing_are_told(void **state)
{
	const struct e2e_card *card = bob->card;
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.sender = alice, .threads = 1, .ask_receipt = true };
	unsigned char *data = lab_data(100000);
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input;
	struct e2e_output output;
	enum e2e_error error = E2E_ERR_READ;
	int side, random;
	size_t at;

	for (side = 0; side < 4; side++) {
		random = side / 2;
		for (at = 1; at < 100; at++) {
			input = lab_input(&source, data, 100000, random != 0);
			output = lab_output(&sink, false);
			source.fail_at = side % 2 == 0 ? at : 0;
			sink.fail_at = side % 2 == 1 ? at : 0;
			error = e2e_seal(&q, &input, &output, NULL, NULL);
			lab_sink_free(&sink);
			if (error == E2E_OK)
				break;
			assert_int_equal(error, side % 2 == 0 ?
			    E2E_ERR_READ : E2E_ERR_WRITE);
		}
		assert_int_equal(error, E2E_OK);
		assert_true(at > 1);
	}
	free(data);
}

/* ---- making one ---- */

static void
receipt_is_for_who_asked_and_addressed_it(void **state)
{
	const struct e2e_kdf_cost cost = { MINIMUM, 1, 1 };
	unsigned char data[E2E_DELIVERY_MAX];
	struct e2e_opened o = asked();
	struct e2e_identity *locked;
	size_t length;
	char *text;

	assert_int_equal(e2e_delivery_make(data, &length, bob, &o), E2E_OK);
	o.is_hashed = false;
	assert_int_equal(e2e_delivery_make(data, &length, bob, &o),
	    E2E_ERR_USAGE);
	o = asked();
	o.receipt_wanted = false;
	assert_int_equal(e2e_delivery_make(data, &length, bob, &o),
	    E2E_ERR_USAGE);
	o = asked();
	o.rewrapped = true;
	assert_int_equal(e2e_delivery_make(data, &length, bob, &o),
	    E2E_ERR_USAGE);
	o = asked();
	o.sender_state = E2E_SENDER_ANONYMOUS;
	assert_int_equal(e2e_delivery_make(data, &length, bob, &o),
	    E2E_ERR_USAGE);
	o.sender_state = E2E_SENDER_BAD_MODE;
	assert_int_equal(e2e_delivery_make(data, &length, bob, &o),
	    E2E_ERR_USAGE);
	assert_int_equal(length, 0);
	o = asked();
	assert_int_equal(e2e_identity_text(bob, "pw", 2, cost, &text,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&locked, text, length), E2E_OK);
	e2e_secret_free(text);
	assert_int_equal(e2e_delivery_make(data, &length, locked, &o),
	    E2E_ERR_PASSPHRASE_NEEDED);
	assert_int_equal(length, 0);
	e2e_identity_free(locked);
}

/* Whoever passes a message on takes nobody's receipt. */
static void
rewrapped_message_gets_none(void **state)
{
	const struct e2e_card *card = bob->card, *to[] = { carol->card };
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.sender = alice, .threads = 1, .ask_receipt = true,
		.sign_segments = true };
	unsigned char data[E2E_DELIVERY_MAX];
	struct lab_keys keys, bobs;
	struct e2e_open open = lab_request(&bobs, bob, NULL), request;
	struct e2e_rewrap rewrap = { .keys = open.keys, .to.cards = to,
		.to.card_count = 1 };
	struct buffer envelope = lab_seal(&q, "text", 4, LAB_STREAM), new;
	struct lab_result r;
	size_t length;

	new = lab_rewrap(&rewrap, envelope.data, envelope.length, LAB_STREAM);
	request = lab_request(&keys, carol, NULL);
	request.hash_data = true;
	lab_open(&r, new.data, new.length, &request, LAB_STREAM);
	assert_int_equal(r.error, E2E_OK);
	assert_true(r.opened.receipt_wanted);
	assert_int_equal(r.opened.sender_state, E2E_SENDER_VERIFIED);
	assert_int_equal(e2e_delivery_make(data, &length, carol, &r.opened),
	    E2E_ERR_USAGE);
	lab_result_free(&r);
	buffer_free(&new);
	buffer_free(&envelope);
}

/* ---- reading one ---- */

#define X16 "50 09090909090909090909090909090909"
#define X32 "5820 0808080808080808080808080808080808080808080808080808080808" \
	"080808"
static const struct sample {
	int64_t key;
	const char *value;
} samples[] = {
	{ CLAIM_IAT, "1a 6553f100" },
	{ CLAIM_CTI, X16 },
	{ CLAIM_DELIVERED, X16 },
	{ CLAIM_CONTEXT_HASH, X32 },
	{ CLAIM_DATA_HASH, X32 }
};
enum { SAMPLES = 5 };

/* What is said to these claims, signed by bob as this typ. */
static enum e2e_error
read_claims(const struct buffer *claims, const char *typ)
{
	const struct bytes none = { NULL, 0 };
	struct e2e_delivery d;
	struct buffer encoded;
	enum e2e_error error;

	buffer_init(&encoded, LAB_MAX);
	assert_int_equal(sign1_make(&encoded, bob->signing, typ, none,
	    buffer_bytes(claims)), E2E_OK);
	error = e2e_delivery_read(&d, encoded.data, encoded.length,
	    bob->card);
	if (error == E2E_OK)
		assert_int_equal(d.arrived, 1700000000);
	buffer_free(&encoded);
	return error;
}

/* All samples but `missing`; another value for `other`; then more. */
static struct buffer
claims_of(int missing, int other, const char *value, const char *more)
{
	struct buffer map, hex;
	int i;

	buffer_init(&map, LAB_MAX);
	dcbor_put_map(&map, (size_t)SAMPLES - (missing >= 0) +
	    (more != NULL && more[0] != '('));
	for (i = 0; i < SAMPLES; i++) {
		if (i == missing)
			continue;
		hex = lab_hex(i == other ? value : samples[i].value);
		dcbor_put_int(&map, samples[i].key);
		(void)buffer_append(&map, hex.data, hex.length);
		buffer_free(&hex);
	}
	if (more != NULL) {
		hex = lab_hex(more);
		(void)buffer_append(&map, hex.data, hex.length);
		buffer_free(&hex);
	}
	assert_false(map.failed);
	return map;
}

static void
every_claim_of_a_receipt_is_mandatory(void **state)
{
	struct buffer map;
	int i;

	for (i = -1; i < SAMPLES; i++) {
		map = claims_of(i, -1, NULL, NULL);
		assert_int_equal(read_claims(&map, TYP_DELIVERY), i < 0 ?
		    E2E_OK : E2E_ERR_DELIVERY);
		buffer_free(&map);
	}
}

static void
values_of_a_receipt_are_judged(void **state)
{
	static const struct {
		int which;
		const char *value, *more;
		enum e2e_error error;
	} rows[] = {
		{ 0, "20", NULL, E2E_ERR_DELIVERY },
		{ 0, "19 0005", NULL, E2E_ERR_DELIVERY },
		{ 1, "41 00", NULL, E2E_ERR_DELIVERY },
		{ 1, X32, NULL, E2E_ERR_DELIVERY },
		{ 2, X32, NULL, E2E_ERR_DELIVERY },
		{ 2, "f6", NULL, E2E_ERR_DELIVERY },
		{ 3, X16, NULL, E2E_ERR_DELIVERY },
		{ 4, X16, NULL, E2E_ERR_DELIVERY },
		{ 4, "60", NULL, E2E_ERR_DELIVERY },
		{ -1, NULL, "3a 00010100 82 f5 f6", E2E_OK },
		{ -1, NULL, "3a 0001008c" X32, E2E_ERR_DELIVERY },
		{ -1, NULL, "05 f6", E2E_ERR_DELIVERY },
		{ -1, NULL, "(behind it) f6", E2E_ERR_DELIVERY }
	};
	struct buffer map;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		map = claims_of(-1, rows[i].which, rows[i].value,
		    rows[i].more);
		assert_int_equal(read_claims(&map, TYP_DELIVERY),
		    rows[i].error);
		buffer_free(&map);
	}
}

static void
statement_of_another_kind_is_no_receipt(void **state)
{
	static const char *const types[] = { TYP_METADATA, TYP_REWRAP,
		TYP_STORAGE, TYP_REVOCATION, TYP_CARD };
	struct buffer map = claims_of(-1, -1, NULL, NULL);
	struct e2e_delivery d;
	size_t i;

	for (i = 0; i < 5; i++)
		assert_int_equal(read_claims(&map, types[i]),
		    E2E_ERR_DELIVERY);
	assert_int_equal(e2e_delivery_read(&d, "", 0, bob->card),
	    E2E_ERR_DELIVERY);
	assert_int_equal(e2e_delivery_read(&d, map.data, map.length,
	    bob->card), E2E_ERR_DELIVERY);
	buffer_free(&map);
}

static void
receipt_of_4096_bytes_and_of_4097(void **state)
{
	struct buffer map, encoded;
	const struct bytes none = { NULL, 0 };
	struct e2e_delivery d;
	size_t more, length = 0;

	/* An unknown claim as long as it takes. */
	for (more = 3000; length < E2E_DELIVERY_MAX + 1; more++) {
		map = claims_of(-1, -1, NULL, "(of this length)");
		map.data[0]++;
		dcbor_put_int(&map, CLAIM_DATA_HASH - 100);
		dcbor_put_bytes_head(&map, more);
		memset(buffer_extend(&map, more), 0, more);
		buffer_init(&encoded, LAB_MAX);
		assert_int_equal(sign1_make(&encoded, bob->signing,
		    TYP_DELIVERY, none, buffer_bytes(&map)), E2E_OK);
		length = encoded.length;
		assert_int_equal(e2e_delivery_read(&d, encoded.data, length,
		    bob->card), length <= E2E_DELIVERY_MAX ? E2E_OK :
		    E2E_ERR_LIMIT);
		buffer_free(&encoded);
		buffer_free(&map);
	}
	assert_int_equal(length, E2E_DELIVERY_MAX + 1);
}

static void
receipt_of_somebody_else_is_refused(void **state)
{
	unsigned char data[E2E_DELIVERY_MAX];
	struct e2e_opened o = asked();
	struct e2e_delivery d;
	size_t length;

	assert_int_equal(e2e_delivery_make(data, &length, bob, &o), E2E_OK);
	assert_int_equal(e2e_delivery_read(&d, data, length, bob->card),
	    E2E_OK);
	assert_int_equal(e2e_delivery_read(&d, data, length, carol->card),
	    E2E_ERR_DELIVERY);
	assert_int_equal(e2e_delivery_read(&d, data, length, rsa->card),
	    E2E_ERR_DELIVERY);
	data[length - 1] ^= 1;
	assert_int_equal(e2e_delivery_read(&d, data, length, bob->card),
	    E2E_ERR_DELIVERY_SIGNATURE);
	data[length - 1] ^= 1;
	assert_int_equal(e2e_delivery_read(&d, data, length - 1, bob->card),
	    E2E_ERR_DELIVERY);
}

/* bob's for one message cannot stand for another one: each of the three
 * values that the sender remembers tells them apart. */
static void
receipt_for_another_message_says_so(void **state)
{
	const struct e2e_card *card = bob->card;
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.sender = alice, .threads = 1, .ask_receipt = true };
	unsigned char data[E2E_DELIVERY_MAX];
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct e2e_sealed sealed[2];
	struct buffer envelope;
	struct lab_result r;
	struct e2e_delivery d;
	size_t length;
	int i;

	request.hash_data = true;
	for (i = 0; i < 2; i++) {
		envelope = seal(&q, &sealed[i], i == 0 ? "yes" : "no!", 3,
		    LAB_STREAM);
		if (i == 0) {
			lab_open(&r, envelope.data, envelope.length,
			    &request, LAB_STREAM);
			assert_int_equal(e2e_delivery_make(data, &length,
			    bob, &r.opened), E2E_OK);
			lab_result_free(&r);
		}
		buffer_free(&envelope);
	}
	assert_int_equal(e2e_delivery_read(&d, data, length, bob->card),
	    E2E_OK);
	assert_memory_equal(d.message_id, sealed[0].message_id,
	    E2E_MESSAGE_ID_LEN);
	assert_memory_not_equal(d.message_id, sealed[1].message_id,
	    E2E_MESSAGE_ID_LEN);
	assert_memory_not_equal(d.context_hash, sealed[1].context_hash,
	    E2E_HASH_LEN);
	assert_memory_not_equal(d.data_hash, sealed[1].data_hash,
	    E2E_HASH_LEN);
	/* Altered to fit, it is not signed. */
	for (i = 0; (size_t)i + E2E_MESSAGE_ID_LEN <= length; i++) {
		if (memcmp(data + i, sealed[0].message_id,
		    E2E_MESSAGE_ID_LEN) == 0)
			memcpy(data + i, sealed[1].message_id,
			    E2E_MESSAGE_ID_LEN);
	}
	assert_int_equal(e2e_delivery_read(&d, data, length, bob->card),
	    E2E_ERR_DELIVERY_SIGNATURE);
}

/* ---- requests ---- */

static void
only_a_sender_asks_for_a_receipt(void **state)
{
	const struct e2e_card *card = bob->card;
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.ask_receipt = true, .threads = 1 };

	assert_int_equal(seal_error(&q), E2E_ERR_USAGE);
	q.sender = alice;
	assert_int_equal(seal_error(&q), E2E_OK);
}

static void
number_in_a_conversation_is_reported(void **state)
{
	static const uint64_t numbers[] = { 1, 23, 24, 256, 65536,
		UINT64_C(1) << 32, E2E_NUMBER_MAX };
	const struct e2e_card *card = bob->card;
	unsigned char id[E2E_CONVERSATION_LEN];
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.conversation = id, .threads = 1 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct buffer envelope;
	struct lab_result r;
	size_t i;

	memset(id, 0x1d, sizeof(id));
	for (i = 0; i < 14; i++) {
		q.sender = i < 7 ? alice : NULL;
		q.sequence = numbers[i % 7];
		envelope = lab_seal(&q, "text", 4, LAB_STREAM);
		lab_open(&r, envelope.data, envelope.length, &request,
		    LAB_STREAM);
		assert_int_equal(r.error, E2E_OK);
		assert_true(r.opened.is_numbered);
		assert_memory_equal(r.opened.conversation, id, sizeof(id));
		assert_true(r.opened.sequence == numbers[i % 7]);
		lab_result_free(&r);
		buffer_free(&envelope);
	}
	q.conversation = NULL;
	envelope = lab_seal(&q, "text", 4, LAB_STREAM);
	lab_open(&r, envelope.data, envelope.length, &request, LAB_STREAM);
	assert_false(r.opened.is_numbered);
	lab_result_free(&r);
	buffer_free(&envelope);
	q.conversation = id;
	q.sequence = 0;
	assert_int_equal(seal_error(&q), E2E_ERR_USAGE);
	q.sequence = E2E_NUMBER_MAX + 1;
	assert_int_equal(seal_error(&q), E2E_ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receipt_says_what_the_sender_knows),
		cmocka_unit_test(without_asking_there_is_none),
		cmocka_unit_test(refused_data_is_not_hashed),
		cmocka_unit_test(failures_while_hashing_are_told),
		cmocka_unit_test(receipt_is_for_who_asked_and_addressed_it),
		cmocka_unit_test(rewrapped_message_gets_none),
		cmocka_unit_test(every_claim_of_a_receipt_is_mandatory),
		cmocka_unit_test(values_of_a_receipt_are_judged),
		cmocka_unit_test(statement_of_another_kind_is_no_receipt),
		cmocka_unit_test(receipt_of_4096_bytes_and_of_4097),
		cmocka_unit_test(receipt_of_somebody_else_is_refused),
		cmocka_unit_test(receipt_for_another_message_says_so),
		cmocka_unit_test(only_a_sender_asks_for_a_receipt),
		cmocka_unit_test(number_in_a_conversation_is_reported)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
