/*
 * Attacks that are known of formats like this one, each by whoever could do
 * it: the network, another recipient, a recipient who passes mail on, a
 * sender who means two readers to read two things.
 */
#include "forge.h"
#include "ghash.h"

#include "crypto/keywrap.h"
#include "message/payload.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob, *carol, *mallory;
static const char text[] = "I love you";
enum { TEXT_LEN = sizeof(text) - 1, SEGMENT = 65536 };

static int
setup(void **state)
{
	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	carol = lab_fixed_identity(21, 22, "carol", 1700000000);
	mallory = lab_fixed_identity(31, 32, "mallory", 1700000000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(carol);
	e2e_identity_free(mallory);
	return 0;
}

/* What `reader`, who knows alice's card, says to a forged envelope. */
static void
says(const struct forge *f, const struct e2e_identity *reader,
    enum e2e_error error)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, reader, alice->card);

	lab_refused(error, f->envelope.data, f->envelope.length, &request);
}

static void
opens(const struct forge *f, const struct e2e_identity *reader,
    const void *data, size_t length)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, reader, alice->card);

	lab_expect(E2E_OK, f->envelope.data, f->envelope.length, &request,
	    data, length);
}

/* ---- 1: two keys for one file ---- */

/* A kc binds one CEK, so the second reader's unwraps to nothing. */
static void
two_keys_for_one_header_open_it_for_one_reader_only(void **state)
{
	unsigned char first[DERIVE_CEK_LEN];
	struct forge f;

	forge_begin(&f, NULL);
	memcpy(first, f.cek, sizeof(first));
	forge_add(&f, bob, false);
	memset(f.cek, 0x77, sizeof(f.cek));
	forge_add(&f, carol, false);
	memcpy(f.cek, first, sizeof(f.cek));
	forge_whole(&f, text, TEXT_LEN);
	opens(&f, bob, text, TEXT_LEN);
	says(&f, carol, E2E_ERR_NO_KEY);
	forge_end(&f);
}

/*
 * The chunk of this file is valid under the payload keys of two different ik,
 * as GCM allows. The commitment in front belongs to one of them, so the other
 * never comes to be tried.
 */
static void
two_key_collision_file_is_refused_by_the_commitment(void **state)
{
	unsigned char chunk[48 + 16], data[48] = "salamander", plain[48];
	struct derive_payload keys[2];
	struct forge f[2];
	struct aead *aead;
	size_t at;
	int i;

	for (i = 0; i < 2; i++) {
		forge_begin(&f[i], NULL);
		memset(f[i].payload_key, 0x40 + i, HASH_LEN);
		forge_add(&f[i], bob, false);
		forge_whole(&f[i], data, sizeof(data));
		opens(&f[i], bob, data, sizeof(data));
		assert_int_equal(derive_payload(&keys[i], f[i].payload_key,
		    f[i].salt, f[i].context_hash), E2E_OK);
	}
	ghash_collide(chunk, 16, data, sizeof(data), &keys[0], &keys[1]);
	for (i = 0; i < 2; i++) {
		/* GCM itself is content with both. */
		assert_int_equal(aead_new(&aead, keys[i].key), E2E_OK);
		assert_int_equal(payload_open_chunk(aead, &keys[i], 0, plain,
		    chunk, sizeof(chunk)), E2E_OK);
		aead_free(aead);
		at = f[i].envelope.length - 1 - sizeof(chunk);
		memcpy(f[i].envelope.data + at, chunk, sizeof(chunk));
		opens(&f[i], bob, plain, sizeof(plain));
	}
	/* One preamble and chunk behind the other header. */
	at = f[0].envelope.length - 1 - sizeof(chunk) - 2 -
	    ENVELOPE_PREAMBLE_LEN;
	memcpy(f[0].envelope.data + at, f[1].envelope.data + at,
	    ENVELOPE_PREAMBLE_LEN);
	says(&f[0], bob, E2E_ERR_COMMITMENT);
	/* Only the salt, or only the commitment. */
	memcpy(f[0].envelope.data + at, f[0].salt, ENVELOPE_SALT_LEN);
	says(&f[0], bob, E2E_ERR_COMMITMENT);
	forge_end(&f[0]);
	forge_end(&f[1]);
}

/* ---- 2: exchanging the payload's nonce ---- */

static void
payload_salt_exchanged_by_the_network_is_refused(void **state)
{
	struct forge f;
	size_t at;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_whole(&f, text, TEXT_LEN);
	at = lab_header_end(f.envelope.data, f.envelope.length) + 2;
	memset(f.envelope.data + at, 0x55, ENVELOPE_SALT_LEN);
	says(&f, bob, E2E_ERR_COMMITMENT);
	forge_end(&f);
}

/* A recipient prepares a payload under another salt with a commitment that
 * fits: the sender's segment signatures do not. */
static void
payload_salt_exchanged_by_a_recipient_is_refused(void **state)
{
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_add(&f, carol, false);
	forge_all_of_header(&f);
	memset(f.salt, 0x55, sizeof(f.salt));
	forge_segment(&f, bob, 0, true, text, TEXT_LEN);
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_SEGMENT);
	forge_end(&f);
}

/* The same segments under another salt say the same. */
static void
another_salt_cannot_change_what_was_signed(void **state)
{
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	memset(f.salt, 0x55, sizeof(f.salt));
	forge_whole(&f, text, TEXT_LEN);
	opens(&f, bob, text, TEXT_LEN);
	forge_end(&f);
}

/* ---- 6: surreptitious forwarding ---- */

/* bob takes alice's signed metadata out of his mail and seals it to carol. */
static void
signed_metadata_sealed_again_for_another_is_refused(void **state)
{
	struct forge original, f;

	forge_begin(&original, alice);
	forge_add(&original, bob, false);
	forge_whole(&original, text, TEXT_LEN);
	opens(&original, bob, text, TEXT_LEN);

	forge_begin(&f, alice);
	forge_add(&f, carol, false);
	forge_header(&f);
	(void)buffer_append(&f.metadata, original.metadata.data,
	    original.metadata.length);
	forge_encrypt(&f);
	(void)buffer_append(&f.stream, original.stream.data,
	    original.stream.length);
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_SIGNATURE);
	forge_end(&f);
	forge_end(&original);
}

/* The same with a hidden entry: R is copied, only what it holds is new. The
 * entries' bytes are signed, so that shows, too. */
static void
signed_metadata_sealed_again_for_a_hidden_recipient_is_refused(void **state)
{
	unsigned char to[HASH_LEN];
	struct forge original, f;

	forge_begin(&original, alice);
	assert_int_equal(derive_to(to, original.message_id,
	    e2e_card_id(bob->card)), E2E_OK);
	original.claims.to = (struct bytes){ to, HASH_LEN };
	forge_add(&original, bob, true);
	forge_whole(&original, text, TEXT_LEN);
	opens(&original, bob, text, TEXT_LEN);

	forge_begin(&f, alice);
	forge_add(&f, carol, true);
	forge_header(&f);
	(void)buffer_append(&f.metadata, original.metadata.data,
	    original.metadata.length);
	forge_encrypt(&f);
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_SIGNATURE);
	forge_end(&f);
	forge_end(&original);
}

/* An entry that its recipient can open, and yet alice never meant him: she
 * was led to seal to a key that is carol's, under bob's name. */
static void
hidden_entry_without_own_id_in_to_is_not_addressed(void **state)
{
	unsigned char to[HASH_LEN];
	struct forge f;

	forge_begin(&f, alice);
	assert_int_equal(derive_to(to, f.message_id, e2e_card_id(bob->card)),
	    E2E_OK);
	f.claims.to = (struct bytes){ to, HASH_LEN };
	forge_add(&f, carol, true);
	forge_whole(&f, text, TEXT_LEN);
	says(&f, carol, E2E_ERR_NOT_ADDRESSED);
	forge_end(&f);

	/* No `to` at all. */
	forge_begin(&f, alice);
	forge_add(&f, bob, true);
	forge_whole(&f, text, TEXT_LEN);
	says(&f, bob, E2E_ERR_NOT_ADDRESSED);
	forge_end(&f);
}

/* ---- 7, 30: what another recipient can do ---- */

/* bob and carol both know ik; bob writes a new payload for carol. */
static void
insider_cannot_write_another_payload(void **state)
{
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_add(&f, carol, false);
	forge_whole(&f, text, TEXT_LEN);
	opens(&f, carol, text, TEXT_LEN);
	/* Another text behind the same signature. */
	f.stream.data[f.stream.length - 1] ^= 1;
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_SEGMENT);
	/* His own signature. */
	buffer_clear(&f.stream);
	forge_segment(&f, bob, 0, true, text, TEXT_LEN);
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_SEGMENT);
	/* None, or half of one. */
	buffer_clear(&f.stream);
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_SEGMENT);
	(void)buffer_append(&f.stream, text, TEXT_LEN);
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_SEGMENT);
	forge_end(&f);
}

/* Three signed segments, put together anew. */
static void
insider_cannot_reorder_drop_or_repeat_segments(void **state)
{
	enum { STEP = 64 + SEGMENT, LAST = 64 + 10, LENGTH = 2 * SEGMENT + 10 };
	static const struct {
		unsigned order[4], count;
		size_t verified;	/* segments that are still in place */
	} plans[] = {
		{ { 1, 0, 2 }, 3, 0 },
		{ { 0, 2, 1 }, 3, 1 },
		{ { 0, 0, 1, 2 }, 4, 1 },
		{ { 0, 1, 1, 2 }, 4, 2 },
		{ { 0, 2 }, 2, 1 },
		{ { 1, 2 }, 2, 0 },
		{ { 2 }, 1, 0 },
		{ { 0, 1 }, 2, 1 },	/* the last one missing */
		{ { 0 }, 1, 0 }
	};
	unsigned char *data = lab_data(LENGTH);
	struct forge f;
	struct buffer stream;
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, carol, alice->card);
	struct lab_result r;
	size_t i, k, at;
	unsigned how;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_add(&f, carol, false);
	forge_whole(&f, data, LENGTH);
	opens(&f, carol, data, LENGTH);
	stream = f.stream;		/* transferred */
	buffer_init(&f.stream, LAB_MAX);
	for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		buffer_clear(&f.stream);
		for (k = 0; k < plans[i].count; k++) {
			at = plans[i].order[k] * (size_t)STEP;
			assert_true(buffer_append(&f.stream, stream.data + at,
			    plans[i].order[k] == 2 ? LAST : STEP));
		}
		forge_envelope(&f);
		for (how = 0; how < 4; how++) {
			lab_open(&r, f.envelope.data, f.envelope.length,
			    &request, how);
			assert_int_equal(r.error, E2E_ERR_SEGMENT);
			assert_true(r.sink.released.length <=
			    plans[i].verified * SEGMENT);
			if (r.released_anything)
				assert_memory_equal(r.sink.released.data,
				    data, r.sink.released.length);
			lab_result_free(&r);
		}
	}
	buffer_free(&stream);
	free(data);
	forge_end(&f);
}

/* is_last, the index, the number of segments: each is signed. */
static void
segment_signed_as_another_one_is_refused(void **state)
{
	unsigned char *data = lab_data(SEGMENT);
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_all_of_header(&f);

	forge_segment(&f, alice, 0, false, text, TEXT_LEN);
	forge_envelope(&f);
	says(&f, bob, E2E_ERR_SEGMENT);

	buffer_clear(&f.stream);
	forge_segment(&f, alice, 1, true, text, TEXT_LEN);
	forge_envelope(&f);
	says(&f, bob, E2E_ERR_SEGMENT);

	/* A first one that claims to be the last, and more behind it. */
	buffer_clear(&f.stream);
	forge_segment(&f, alice, 0, true, data, SEGMENT);
	forge_segment(&f, alice, 1, true, text, TEXT_LEN);
	forge_envelope(&f);
	says(&f, bob, E2E_ERR_SEGMENT);

	/* An empty one at the end. */
	buffer_clear(&f.stream);
	forge_segment(&f, alice, 0, false, data, SEGMENT);
	forge_segment(&f, alice, 1, true, text, 0);
	forge_envelope(&f);
	{
		struct lab_keys keys;
		struct e2e_open request = lab_request(&keys, bob, alice->card);

		lab_expect(E2E_ERR_SEGMENT, f.envelope.data,
		    f.envelope.length, &request, NULL, 0);
	}
	free(data);
	forge_end(&f);
}

/* A segment of another message of the same sender has another ch. */
static void
segment_of_another_message_is_refused(void **state)
{
	struct forge f, other;

	forge_begin(&other, alice);
	memset(other.message_id, 0x44, sizeof(other.message_id));
	forge_add(&other, bob, false);
	forge_whole(&other, "I hate you", TEXT_LEN);
	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_all_of_header(&f);
	(void)buffer_append(&f.stream, other.stream.data,
	    other.stream.length);
	forge_envelope(&f);
	says(&f, bob, E2E_ERR_SEGMENT);
	forge_end(&f);
	forge_end(&other);
}

/*
 * Who knows the payload key can make another chunk with the same tag: GHASH
 * is no hash. What is signed is SHA-256, so it is found out.
 */
static void
forged_chunk_with_the_same_tag_is_refused(void **state)
{
	unsigned char data[128], h[16], factor[16] = { 0 }, *chunk;
	struct derive_payload keys;
	size_t offset, i;
	struct forge f;

	memset(data, 'x', sizeof(data));
	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_add(&f, carol, false);
	forge_whole(&f, data, sizeof(data));
	opens(&f, carol, data, sizeof(data));
	assert_int_equal(derive_payload(&keys, f.payload_key, f.salt,
	    f.context_hash), E2E_OK);
	ghash_key(&keys, h);
	/* Two blocks of the segment, behind the 64 bytes of signature. */
	offset = f.envelope.length - 1 - 16 - sizeof(data);
	chunk = f.envelope.data + offset;
	chunk[16] ^= 0x21;
	factor[0] = 0x21;
	ghash_multiply(factor, h);
	for (i = 0; i < 16; i++)
		chunk[32 + i] ^= factor[i];
	/* The chunk is authentic by its tag, and refused all the same. */
	says(&f, carol, E2E_ERR_SEGMENT);
	chunk[0] ^= 1;
	says(&f, carol, E2E_ERR_CHUNK);
	forge_end(&f);
}

/* Mode 1 has no segments: what the only recipient makes of it convinces
 * nobody but himself; with two recipients it is worth nothing. */
static void
mode_1_with_two_recipients_proves_no_sender(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, carol, alice->card);
	struct lab_result r;
	struct forge f;

	forge_begin(&f, alice);
	f.claims.mode = MODE_HEADER;
	forge_add(&f, bob, false);
	forge_add(&f, carol, false);
	forge_whole(&f, "written by bob", 14);
	lab_open(&r, f.envelope.data, f.envelope.length, &request,
	    LAB_STREAM);
	assert_int_equal(r.error, E2E_OK);
	assert_int_equal(r.opened.sender_state, E2E_SENDER_BAD_MODE);
	lab_result_free(&r);
	forge_end(&f);
}

static void
mode_1_with_a_passphrase_or_an_unknown_kind_proves_no_sender(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, alice->card);
	struct lab_result r;
	struct forge f;
	int i;

	lab_add_passphrase(&request, &keys, "secret");
	for (i = 0; i < 2; i++) {
		forge_begin(&f, alice);
		f.claims.mode = MODE_HEADER;
		if (i == 0)
			forge_add_passphrase(&f, "secret");
		else
			forge_add(&f, bob, false);
		if (i == 1)
			forge_add_raw(&f, "83 40 a1 01 18 39 41 00");
		forge_whole(&f, text, TEXT_LEN);
		lab_open(&r, f.envelope.data, f.envelope.length, &request,
		    LAB_STREAM);
		assert_int_equal(r.error, E2E_OK);
		assert_int_equal(r.opened.sender_state, E2E_SENDER_BAD_MODE);
		lab_result_free(&r);
		forge_end(&f);
	}
}

static void
mode_1_for_one_key_is_verified(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, alice->card);
	struct lab_result r;
	struct forge f;

	forge_begin(&f, alice);
	f.claims.mode = MODE_HEADER;
	forge_add(&f, bob, false);
	forge_whole(&f, text, TEXT_LEN);
	lab_open(&r, f.envelope.data, f.envelope.length, &request,
	    LAB_STREAM);
	assert_int_equal(r.error, E2E_OK);
	assert_int_equal(r.opened.sender_state, E2E_SENDER_VERIFIED);
	assert_memory_equal(r.opened.sender_id, e2e_card_id(alice->card), 32);
	lab_result_free(&r);
	forge_end(&f);
}

/* ---- 9: points of low order ---- */

/* All seven, in the order of https://cr.yp.to/ecdh.html. */
static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
};

/* Z would be zero, and the KEK known to everybody. */
static void
ephemeral_point_of_low_order_opens_for_nobody(void **state)
{
	unsigned char z[32] = { 0 }, kek[32], wrapped[KEYWRAP_WRAPPED_LEN];
	struct recipient entry;
	struct buffer point;
	struct forge f;
	size_t i;

	assert_int_equal(hkdf_sha256(kek, 32, z, 32, recipient_kdf_context,
	    sizeof(recipient_kdf_context)), E2E_OK);
	for (i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++) {
		point = lab_hex(low_order[i]);
		forge_begin(&f, NULL);
		assert_int_equal(keywrap_wrap(wrapped, kek, f.cek), E2E_OK);
		memset(&entry, 0, sizeof(entry));
		entry.kind = RECIPIENT_X25519;
		entry.alg = ALG_ECDH_ES_A256KW;
		entry.ephemeral = point.data;
		entry.wrapped = (struct bytes){ wrapped, sizeof(wrapped) };
		recipient_put(&f.entries, &entry);
		f.entry_count = 1;
		forge_whole(&f, text, TEXT_LEN);
		says(&f, bob, E2E_ERR_NO_KEY);
		forge_end(&f);
		buffer_free(&point);
	}
}

/* The same point with its top bit set is another encoding of it. */
static void
ephemeral_point_with_the_top_bit_set_is_refused(void **state)
{
	struct forge f;
	size_t at;

	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	at = f.entries.length - 42 - 1;
	assert_int_equal(f.entries.data[at + 1], 0x58);
	f.entries.data[at] |= 0x80;
	forge_whole(&f, text, TEXT_LEN);
	says(&f, bob, E2E_ERR_NO_KEY);
	forge_end(&f);
}

/* A card may list one; sealing to it fails, and writes nothing. */
static void
card_with_a_point_of_low_order_cannot_be_sealed_to(void **state)
{
	const struct key *listed;
	struct cose_key parts;
	struct buffer point;
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input;
	struct e2e_output output;
	struct e2e_card *card;
	struct key *key;
	size_t i;

	for (i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++) {
		point = lab_hex(low_order[i]);
		memset(&parts, 0, sizeof(parts));
		parts.kty = KTY_OKP;
		parts.alg = ALG_ECDH_ES_A256KW;
		parts.crv = CRV_X25519;
		parts.x = buffer_bytes(&point);
		assert_int_equal(key_new(&key, &parts), E2E_OK);
		listed = key;
		assert_int_equal(card_make(&card, mallory->signing, &listed,
		    1, "", 1700000000, 0, 1), E2E_OK);
		{
			const struct e2e_card *to = card;
			struct e2e_seal q = { .to.cards = &to,
				.to.card_count = 1, .threads = 1 };

			input = lab_input(&source, text, TEXT_LEN, false);
			output = lab_output(&sink, false);
			assert_int_equal(e2e_seal(&q, &input, &output, NULL,
			    NULL), E2E_ERR_CARD);
			assert_int_equal(sink.calls, 0);
			lab_sink_free(&sink);
		}
		e2e_card_free(card);
		key_free(key);
		buffer_free(&point);
	}
}

/* ---- 21, 28: the list of recipients ---- */

/* bob adds carol, removes or exchanges entries, in alice's signed mail. */
static void
altered_list_of_recipients_is_refused(void **state)
{
	struct buffer two, one;
	struct forge f;
	int i;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_all_of_header(&f);
	forge_segment(&f, alice, 0, true, text, TEXT_LEN);
	buffer_init(&one, LAB_MAX);
	buffer_init(&two, LAB_MAX);
	(void)buffer_append(&one, f.entries.data, f.entries.length);
	forge_add(&f, carol, false);
	(void)buffer_append(&two, f.entries.data + one.length,
	    f.entries.length - one.length);
	for (i = 0; i < 3; i++) {
		buffer_clear(&f.recipients);
		dcbor_put_array(&f.recipients, i < 2 ? 2 : 1);
		if (i == 0)
			(void)buffer_append(&f.recipients, one.data,
			    one.length);
		(void)buffer_append(&f.recipients, two.data, two.length);
		if (i == 1)
			(void)buffer_append(&f.recipients, one.data,
			    one.length);
		/* By the network: the metadata does not decrypt. */
		forge_envelope(&f);
		says(&f, carol, E2E_ERR_NO_KEY);
	}
	/* By bob, who has the CEK: the signature over rh does not verify. */
	forge_header(&f);
	forge_encrypt(&f);
	forge_envelope(&f);
	says(&f, carol, E2E_ERR_SIGNATURE);
	buffer_free(&one);
	buffer_free(&two);
	forge_end(&f);
}

static void
repeated_recipients_are_one(void **state)
{
	const struct e2e_card *cards[5] = { bob->card, alice->card, bob->card,
		bob->card, alice->card };
	struct e2e_seal q = { .to.cards = cards, .to.card_count = 5,
		.sender = alice, .to_self = true, .threads = 1 };
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, text, TEXT_LEN, false);
	struct e2e_output output = lab_output(&sink, false);
	struct e2e_sealed sealed;

	assert_int_equal(e2e_seal(&q, &input, &output, &sealed, NULL),
	    E2E_OK);
	assert_int_equal(sealed.recipient_count, 2);
	assert_int_equal(sealed.repeated, 3);
	assert_int_equal(sealed.mode, 2);
	lab_sink_free(&sink);
}

/* The same entry twice in a message of somebody else's opens once. */
static void
entry_that_occurs_twice_opens(void **state)
{
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_add(&f, bob, false);
	forge_whole(&f, text, TEXT_LEN);
	opens(&f, bob, text, TEXT_LEN);
	forge_end(&f);
}

/* ---- 4, 5: no other algorithm, no shorter tag ---- */

static void
chunk_shorter_than_a_tag_is_malformed(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct forge f;
	size_t start, tag;

	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	forge_whole(&f, "", 0);
	opens(&f, bob, "", 0);
	start = lab_header_end(f.envelope.data, f.envelope.length) + 58;
	assert_int_equal(f.envelope.data[start], 0x50);
	for (tag = 0; tag < 16; tag++) {
		f.envelope.data[start] = (unsigned char)(0x40 + tag);
		f.envelope.data[start + 1 + tag] = 0xff;
		lab_refused(E2E_ERR_MALFORMED, f.envelope.data,
		    start + 1 + tag + 1, &request);
	}
	forge_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    two_keys_for_one_header_open_it_for_one_reader_only),
		cmocka_unit_test(
		    two_key_collision_file_is_refused_by_the_commitment),
		cmocka_unit_test(
		    payload_salt_exchanged_by_the_network_is_refused),
		cmocka_unit_test(
		    payload_salt_exchanged_by_a_recipient_is_refused),
		cmocka_unit_test(another_salt_cannot_change_what_was_signed),
		cmocka_unit_test(
		    signed_metadata_sealed_again_for_another_is_refused),
		cmocka_unit_test(
	    signed_metadata_sealed_again_for_a_hidden_recipient_is_refused),
		cmocka_unit_test(
		    hidden_entry_without_own_id_in_to_is_not_addressed),
		cmocka_unit_test(insider_cannot_write_another_payload),
		cmocka_unit_test(
		    insider_cannot_reorder_drop_or_repeat_segments),
		cmocka_unit_test(segment_signed_as_another_one_is_refused),
		cmocka_unit_test(segment_of_another_message_is_refused),
		cmocka_unit_test(forged_chunk_with_the_same_tag_is_refused),
		cmocka_unit_test(mode_1_with_two_recipients_proves_no_sender),
		cmocka_unit_test(
	    mode_1_with_a_passphrase_or_an_unknown_kind_proves_no_sender),
		cmocka_unit_test(mode_1_for_one_key_is_verified),
		cmocka_unit_test(ephemeral_point_of_low_order_opens_for_nobody),
		cmocka_unit_test(
		    ephemeral_point_with_the_top_bit_set_is_refused),
		cmocka_unit_test(
		    card_with_a_point_of_low_order_cannot_be_sealed_to),
		cmocka_unit_test(altered_list_of_recipients_is_refused),
		cmocka_unit_test(repeated_recipients_are_one),
		cmocka_unit_test(entry_that_occurs_twice_opens),
		cmocka_unit_test(chunk_shorter_than_a_tag_is_malformed)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
