/* AES-256-GCM: what does not open, and what is left behind when it does not. */
#include "crypto/aead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char key[AEAD_KEY_LEN] = { 1, 2, 3 };
static const unsigned char other_key[AEAD_KEY_LEN] = { 1, 2, 4 };
static const unsigned char nonce[AEAD_NONCE_LEN] = { 9, 8, 7 };
static const unsigned char text[] = "forty-one bytes of text that is sealed ok";
static const unsigned char aad[] = "associated";

enum { SIZE = 41, SEALED = SIZE + AEAD_TAG_LEN };

static struct aead *
make(const unsigned char *k)
{
	struct aead *aead;

	assert_int_equal(aead_new(&aead, k), E2E_OK);
	assert_non_null(aead);
	return aead;
}

static void
seal(struct aead *aead, unsigned char sealed[SEALED])
{

	assert_int_equal(aead_seal(aead, sealed, nonce, aad, sizeof aad, text,
	    SIZE), E2E_OK);
}

/* Opens what must not open: no byte of plaintext may be left. */
static void
refused(struct aead *aead, const unsigned char *n, const void *a,
    size_t a_size, const unsigned char *in, size_t size)
{
	unsigned char out[SEALED];
	bool authentic = true;
	size_t i;

	memset(out, 0xaa, sizeof out);
	assert_int_equal(aead_open(aead, out, &authentic, n, a, a_size, in,
	    size), E2E_OK);
	assert_false(authentic);
	for (i = 0; i + AEAD_TAG_LEN < size; i++)
		assert_int_equal(out[i], 0);
	for (; i < sizeof out; i++)
		assert_int_equal(out[i], 0xaa);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
every_altered_byte_is_refused_and_output_wiped(void **state)
{
	struct aead *aead = make(key);
	unsigned char sealed[SEALED], n[AEAD_NONCE_LEN], a[sizeof aad];
	size_t i;
	int bit;

	seal(aead, sealed);
	for (i = 0; i < SEALED; i++)
		for (bit = 1; bit < 256; bit <<= 1) {
			sealed[i] ^= (unsigned char)bit;
			refused(aead, nonce, aad, sizeof aad, sealed, SEALED);
			sealed[i] ^= (unsigned char)bit;
		}
	for (i = 0; i < sizeof n; i++) {
		memcpy(n, nonce, sizeof n);
		n[i] ^= 1;
		refused(aead, n, aad, sizeof aad, sealed, SEALED);
	}
	for (i = 0; i < sizeof a; i++) {
		memcpy(a, aad, sizeof a);
		a[i] ^= 0x80;
		refused(aead, nonce, a, sizeof a, sealed, SEALED);
	}
	refused(aead, nonce, aad, sizeof aad - 1, sealed, SEALED);
	refused(aead, nonce, NULL, 0, sealed, SEALED);
	aead_free(aead);
}

static void
every_truncation_is_refused(void **state)
{
	struct aead *aead = make(key);
	unsigned char sealed[SEALED];
	size_t size;

	seal(aead, sealed);
	for (size = 0; size < SEALED; size++)
		refused(aead, nonce, aad, sizeof aad, sealed, size);
	aead_free(aead);
}

static void
another_key_is_refused(void **state)
{
	struct aead *aead = make(key), *other = make(other_key);
	unsigned char sealed[SEALED];

	seal(aead, sealed);
	refused(other, nonce, aad, sizeof aad, sealed, SEALED);
	aead_free(aead);
	aead_free(other);
}

static void
one_object_changes_direction_and_survives_a_forgery(void **state)
{
	struct aead *aead = make(key);
	unsigned char sealed[SEALED], again[SEALED], out[SIZE];
	bool authentic;
	int round;

	seal(aead, sealed);
	for (round = 0; round < 3; round++) {
		assert_int_equal(aead_open(aead, out, &authentic, nonce, aad,
		    sizeof aad, sealed, SEALED), E2E_OK);
		assert_true(authentic);
		assert_memory_equal(out, text, SIZE);
		sealed[0] ^= 1;
		refused(aead, nonce, aad, sizeof aad, sealed, SEALED);
		sealed[0] ^= 1;
		if (round == 1) {
			seal(aead, again);
			assert_memory_equal(again, sealed, SEALED);
		}
	}
	aead_free(aead);
}

static void
works_in_place(void **state)
{
	struct aead *aead = make(key);
	unsigned char sealed[SEALED], work[SEALED];
	bool authentic;
	size_t i;

	seal(aead, sealed);
	memcpy(work, text, SIZE);
	assert_int_equal(aead_seal(aead, work, nonce, aad, sizeof aad, work,
	    SIZE), E2E_OK);
	assert_memory_equal(work, sealed, SEALED);
	assert_int_equal(aead_open(aead, work, &authentic, nonce, aad,
	    sizeof aad, work, SEALED), E2E_OK);
	assert_true(authentic);
	assert_memory_equal(work, text, SIZE);

	memcpy(work, sealed, SEALED);
	work[SEALED - 1] ^= 1;
	assert_int_equal(aead_open(aead, work, &authentic, nonce, aad,
	    sizeof aad, work, SEALED), E2E_OK);
	assert_false(authentic);
	for (i = 0; i < SIZE; i++)
		assert_int_equal(work[i], 0);
	aead_free(aead);
}

/* A tag over nothing is a tag; nothing is not. */
static void
empty_plaintext_and_empty_aad_are_authenticated(void **state)
{
	struct aead *aead = make(key), *other = make(other_key);
	unsigned char tag[AEAD_TAG_LEN], none[1];
	bool authentic;
	size_t i;

	assert_int_equal(aead_seal(aead, tag, nonce, NULL, 0, NULL, 0),
	    E2E_OK);
	assert_int_equal(aead_open(aead, none, &authentic, nonce, NULL, 0,
	    tag, sizeof tag), E2E_OK);
	assert_true(authentic);
	refused(other, nonce, NULL, 0, tag, sizeof tag);
	refused(aead, nonce, "a", 1, tag, sizeof tag);
	for (i = 0; i < sizeof tag; i++) {
		tag[i] ^= 1;
		refused(aead, nonce, NULL, 0, tag, sizeof tag);
		tag[i] ^= 1;
	}
	aead_free(aead);
	aead_free(other);
}

/* Refused by its size alone, before a byte is looked at. */
static void
sizes_beyond_int_are_a_limit(void **state)
{
	struct aead *aead = make(key);
	unsigned char out[AEAD_TAG_LEN] = { 0 };
	size_t size = (size_t)INT_MAX + 1;
	bool authentic;

	assert_int_equal(aead_seal(aead, out, nonce, NULL, 0, out, size),
	    E2E_ERR_LIMIT);
	assert_int_equal(aead_seal(aead, out, nonce, out, size, out, 0),
	    E2E_ERR_LIMIT);
	assert_int_equal(aead_open(aead, out, &authentic, nonce, NULL, 0, out,
	    size + AEAD_TAG_LEN), E2E_ERR_LIMIT);
	assert_false(authentic);
	assert_int_equal(aead_open(aead, out, &authentic, nonce, out, size,
	    out, AEAD_TAG_LEN), E2E_ERR_LIMIT);
	aead_free(aead);
}

static void
freeing_nothing_is_fine(void **state)
{

	aead_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_altered_byte_is_refused_and_output_wiped),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(
		    one_object_changes_direction_and_survives_a_forgery),
		cmocka_unit_test(works_in_place),
		cmocka_unit_test(
		    empty_plaintext_and_empty_aad_are_authenticated),
		cmocka_unit_test(sizes_beyond_int_are_a_limit),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests_name("crypto aead", tests, NULL, NULL);
}
