/* X25519 and Ed25519: points and signatures that must be refused. */
#include "crypto/curve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <string.h>

static const unsigned char scalar[X25519_LEN] = { 0x77, 1, 2, 3, [31] = 0x42 };

/*
 * Every point of order 1, 2, 4 or 8 on the curve and its twist, in each way
 * to write it in 255 bits: 0, 1, the two of order 8, p - 1, p, p + 1.
 */
static const unsigned char low_order[][X25519_LEN] = {
	{ 0 },
	{ 1 },
	{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
	    0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
	    0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
	{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
	    0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
	    0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f }
};

static void
unusable(const unsigned char peer[X25519_LEN])
{
	static const unsigned char zero[X25519_LEN];
	unsigned char secret[X25519_LEN];
	bool usable = true;

	memset(secret, 0xaa, sizeof secret);
	assert_int_equal(x25519_derive(secret, &usable, scalar, peer), E2E_OK);
	assert_false(usable);
	assert_memory_equal(secret, zero, sizeof secret);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
low_order_points_give_no_secret(void **state)
{
	unsigned char peer[X25519_LEN];
	size_t i;

	for (i = 0; i < sizeof low_order / sizeof *low_order; i++) {
		unusable(low_order[i]);
		/* And the same point with the bit that RFC 7748 masks. */
		memcpy(peer, low_order[i], sizeof peer);
		peer[X25519_LEN - 1] |= 0x80;
		assert_false(x25519_public_acceptable(peer));
		unusable(peer);
	}
}

static void
top_bit_is_refused(void **state)
{
	unsigned char peer[X25519_LEN], secret[X25519_LEN];
	bool usable;

	assert_int_equal(x25519_public(peer, scalar), E2E_OK);
	assert_true(x25519_public_acceptable(peer));
	assert_int_equal(x25519_derive(secret, &usable, scalar, peer), E2E_OK);
	assert_true(usable);
	peer[X25519_LEN - 1] |= 0x80;
	assert_false(x25519_public_acceptable(peer));
	unusable(peer);
}

static void
both_sides_derive_the_same_secret(void **state)
{
	static const unsigned char other[X25519_LEN] = { 5, 6, 7 };
	unsigned char a[X25519_LEN], b[X25519_LEN];
	unsigned char ab[X25519_LEN], ba[X25519_LEN];
	bool usable;

	assert_int_equal(x25519_public(a, scalar), E2E_OK);
	assert_int_equal(x25519_public(b, other), E2E_OK);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(x25519_derive(ab, &usable, scalar, b), E2E_OK);
	assert_true(usable);
	assert_int_equal(x25519_derive(ba, &usable, other, a), E2E_OK);
	assert_true(usable);
	assert_memory_equal(ab, ba, sizeof ab);
}

static const unsigned char seed[ED25519_KEY_LEN] = { 3, 1, 4, 1, 5 };
static const char message[] = "signed words";

static bool
verifies(const unsigned char public_key[ED25519_KEY_LEN],
    const unsigned char *signature, const void *data, size_t size)
{
	struct ed25519_key *key;
	bool valid = true;

	assert_int_equal(ed25519_public_new(&key, public_key), E2E_OK);
	assert_int_equal(ed25519_verify(key, &valid, signature, data, size),
	    E2E_OK);
	ed25519_free(key);
	assert_int_equal(ERR_peek_error(), 0);
	return valid;
}

static void
every_altered_byte_of_a_signature_is_refused(void **state)
{
	unsigned char signature[ED25519_SIGNATURE_LEN];
	unsigned char public_key[ED25519_KEY_LEN];
	char altered[sizeof message];
	struct ed25519_key *key;
	bool valid;
	size_t i;

	assert_int_equal(ed25519_private_new(&key, public_key, seed), E2E_OK);
	assert_int_equal(ed25519_sign(key, signature, message, sizeof message),
	    E2E_OK);
	assert_true(verifies(public_key, signature, message, sizeof message));
	/* A private key verifies as well. */
	assert_int_equal(ed25519_verify(key, &valid, signature, message,
	    sizeof message), E2E_OK);
	assert_true(valid);
	ed25519_free(key);

	for (i = 0; i < sizeof signature; i++) {
		signature[i] ^= 1;
		assert_false(verifies(public_key, signature, message,
		    sizeof message));
		signature[i] ^= 1;
	}
	for (i = 0; i < sizeof message; i++) {
		memcpy(altered, message, sizeof message);
		altered[i] ^= 1;
		assert_false(verifies(public_key, signature, altered,
		    sizeof altered));
	}
	assert_false(verifies(public_key, signature, message,
	    sizeof message - 1));
	assert_false(verifies(public_key, signature, NULL, 0));
	public_key[0] ^= 1;
	assert_false(verifies(public_key, signature, message, sizeof message));
}

/* S + L instead of S: a second signature that a lax verifier takes. */
static void
signature_scalar_beyond_the_order_is_refused(void **state)
{
	static const unsigned char order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c,
		0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10
	};
	unsigned char signature[ED25519_SIGNATURE_LEN];
	unsigned char public_key[ED25519_KEY_LEN];
	struct ed25519_key *key;
	unsigned carry = 0;
	size_t i;

	assert_int_equal(ed25519_private_new(&key, public_key, seed), E2E_OK);
	assert_int_equal(ed25519_sign(key, signature, message, sizeof message),
	    E2E_OK);
	ed25519_free(key);
	for (i = 0; i < sizeof order; i++) {
		carry += signature[32 + i];
		carry += order[i];
		signature[32 + i] = (unsigned char)carry;
		carry >>= 8;
	}
	assert_false(verifies(public_key, signature, message, sizeof message));
}

static void
nothing_can_be_signed(void **state)
{
	unsigned char signature[ED25519_SIGNATURE_LEN];
	unsigned char public_key[ED25519_KEY_LEN];
	struct ed25519_key *key;

	assert_int_equal(ed25519_private_new(&key, public_key, seed), E2E_OK);
	assert_int_equal(ed25519_sign(key, signature, NULL, 0), E2E_OK);
	assert_true(verifies(public_key, signature, NULL, 0));
	ed25519_free(key);
	ed25519_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(low_order_points_give_no_secret),
		cmocka_unit_test(top_bit_is_refused),
		cmocka_unit_test(both_sides_derive_the_same_secret),
		cmocka_unit_test(every_altered_byte_of_a_signature_is_refused),
		cmocka_unit_test(signature_scalar_beyond_the_order_is_refused),
		cmocka_unit_test(nothing_can_be_signed),
	};

	return cmocka_run_group_tests_name("crypto curve", tests, NULL, NULL);
}
