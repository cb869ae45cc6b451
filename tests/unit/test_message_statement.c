/*
 * One signed statement in place of another, a signature by another key, an
 * algorithm that is not the key's: everything that is signed says what it is,
 * and is taken for nothing else.
 */
#include "forge.h"

#include "message/sign1.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob, *mallory;
static const char text[] = "I love you";
enum { TEXT_LEN = sizeof(text) - 1 };

static int
setup(void **state)
{
	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	mallory = lab_fixed_identity(31, 32, "mallory", 1700000000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
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

/* ---- 15: one statement in place of another ---- */

static void
signature_of_another_type_is_no_metadata(void **state)
{
	static const char *const types[] = {
		TYP_CARD, TYP_REVOCATION,
		"application/e2e-wrapped-key+cwt",
		"application/e2e-rewrap+cwt",
		"application/e2e-certificate+cwt",
		"application/e2e-succession+cwt",
		"application/e2e-delivery+cwt",
		"application/e2e-storage+cwt",
		"application/e2e-relay-auth",
		"application/e2e-metadata+cw",
		"application/e2e-metadata+cwt ",
		"Application/e2e-metadata+cwt", ""
	};
	struct forge f;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		forge_begin(&f, alice);
		f.typ = types[i];
		forge_add(&f, bob, false);
		forge_whole(&f, text, TEXT_LEN);
		says(&f, bob, E2E_ERR_MALFORMED);
		forge_end(&f);
	}
}

/* A card is a COSE_Sign1 that everybody has. */
static void
card_presented_as_signed_metadata_is_refused(void **state)
{
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_header(&f);
	(void)buffer_append(&f.metadata, alice->card->encoded.data,
	    alice->card->encoded.length);
	forge_encrypt(&f);
	forge_envelope(&f);
	says(&f, bob, E2E_ERR_MALFORMED);
	forge_end(&f);
}

static void
metadata_or_revocation_presented_as_a_card_is_refused(void **state)
{
	const struct bytes no_aad = { NULL, 0 };
	static const char *const types[] = { TYP_METADATA, TYP_REVOCATION };
	struct cose_sign1 sign1;
	struct e2e_card *card;
	struct buffer b;
	size_t i;

	assert_int_equal(cose_sign1_parse(&sign1,
	    buffer_bytes(&alice->card->encoded), TYP_CARD), E2E_OK);
	for (i = 0; i < 2; i++) {
		buffer_init(&b, E2E_CARD_MAX);
		assert_int_equal(sign1_make(&b, alice->signing, types[i],
		    no_aad, sign1.payload), E2E_OK);
		assert_int_equal(card_decode(&card, buffer_bytes(&b)),
		    E2E_ERR_CARD);
		buffer_free(&b);
	}
}

/* The sender's own claims map, bare: what mode 1 or 2 says must be signed. */
static void
signed_claims_stripped_of_their_signature_are_refused(void **state)
{
	struct forge f;
	int mode;

	for (mode = 1; mode <= 2; mode++) {
		forge_begin(&f, alice);
		f.claims.mode = (uint64_t)mode;
		forge_add(&f, bob, false);
		forge_header(&f);
		f.signer = NULL;
		forge_metadata(&f);
		forge_encrypt(&f);
		forge_envelope(&f);
		says(&f, bob, E2E_ERR_MALFORMED);
		forge_end(&f);
	}
}

/* mallory's card carried where alice signed, and the other way round. */
static void
card_of_another_than_the_signer_is_refused(void **state)
{
	struct forge f;

	forge_begin(&f, alice);
	f.claims.card = buffer_bytes(&mallory->card->encoded);
	forge_add(&f, bob, false);
	forge_whole(&f, text, TEXT_LEN);
	says(&f, bob, E2E_ERR_MALFORMED);
	forge_end(&f);
}

/* mallory signs, and writes alice's id as kid. */
static void
kid_of_another_than_the_signer_does_not_verify(void **state)
{
	unsigned char signature[KEY_SIGNATURE_MAX];
	struct buffer aad, protected_header;
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_header(&f);
	metadata_put(&f.raw_claims, &f.claims, -1);
	buffer_init(&aad, 512);
	buffer_init(&protected_header, 512);
	derive_put_sender_aad(&aad, &f.core);
	cose_put_sign1_protected(&protected_header, ALG_ED25519,
	    e2e_card_id(alice->card), TYP_METADATA);
	assert_int_equal(sign1_signature(signature, mallory->signing,
	    buffer_bytes(&protected_header), buffer_bytes(&aad),
	    buffer_bytes(&f.raw_claims)), E2E_OK);
	cose_put_sign1(&f.metadata, buffer_bytes(&protected_header),
	    buffer_bytes(&f.raw_claims), (struct bytes){ signature, 64 });
	forge_encrypt(&f);
	forge_envelope(&f);
	says(&f, bob, E2E_ERR_SIGNATURE);
	buffer_free(&aad);
	buffer_free(&protected_header);
	forge_end(&f);
}

/* Another alg for the same key, and an alg that there is not. */
static void
signature_algorithm_that_is_not_the_keys_is_malformed(void **state)
{
	static const int64_t algs[] = { ALG_PS256, -7, -8, ALG_A256GCM, 0 };
	struct buffer protected_header;
	unsigned char signature[64] = { 1 };
	struct forge f;
	size_t i;

	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		forge_begin(&f, alice);
		forge_add(&f, bob, false);
		forge_header(&f);
		metadata_put(&f.raw_claims, &f.claims, -1);
		buffer_init(&protected_header, 512);
		cose_put_sign1_protected(&protected_header, algs[i],
		    e2e_card_id(alice->card), TYP_METADATA);
		cose_put_sign1(&f.metadata, buffer_bytes(&protected_header),
		    buffer_bytes(&f.raw_claims),
		    (struct bytes){ signature, 64 });
		forge_encrypt(&f);
		forge_envelope(&f);
		says(&f, bob, E2E_ERR_MALFORMED);
		buffer_free(&protected_header);
		forge_end(&f);
	}
}

static void
sender_whose_card_is_not_at_hand_is_refused(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_whole(&f, text, TEXT_LEN);
	lab_refused(E2E_ERR_SENDER_UNKNOWN, f.envelope.data,
	    f.envelope.length, &request);
	forge_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_of_another_type_is_no_metadata),
		cmocka_unit_test(card_presented_as_signed_metadata_is_refused),
		cmocka_unit_test(
		    metadata_or_revocation_presented_as_a_card_is_refused),
		cmocka_unit_test(
		    signed_claims_stripped_of_their_signature_are_refused),
		cmocka_unit_test(card_of_another_than_the_signer_is_refused),
		cmocka_unit_test(
		    kid_of_another_than_the_signer_does_not_verify),
		cmocka_unit_test(
		    signature_algorithm_that_is_not_the_keys_is_malformed),
		cmocka_unit_test(sender_whose_card_is_not_at_hand_is_refused)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
