/* Hashes, derivations, key wrap and passphrases. */
#include "crypto/crypto.h"
#include "crypto/curve.h"
#include "crypto/hash.h"
#include "crypto/keywrap.h"
#include "crypto/passhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <argon2.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static void
initializing_twice_is_fine(void **state)
{

	assert_int_equal(crypto_init(), E2E_OK);
	assert_int_equal(crypto_init(), E2E_OK);
	assert_memory_equal(crypto_version(), "OpenSSL ", 8);
}

static void
pieces_hash_as_the_whole(void **state)
{
	unsigned char data[300], whole[HASH_LEN], pieces[HASH_LEN];
	struct hash *hash;
	size_t i;

	for (i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 7);
	assert_int_equal(hash_sha256(whole, data, sizeof data), E2E_OK);
	assert_int_equal(hash_new(&hash), E2E_OK);
	for (i = 0; i < sizeof data; i += 60)
		assert_int_equal(hash_update(hash, data + i, 60), E2E_OK);
	assert_int_equal(hash_update(hash, NULL, 0), E2E_OK);
	assert_int_equal(hash_final(hash, pieces), E2E_OK);
	assert_memory_equal(pieces, whole, HASH_LEN);

	/* It has started anew. */
	assert_int_equal(hash_final(hash, pieces), E2E_OK);
	assert_int_equal(hash_sha256(whole, NULL, 0), E2E_OK);
	assert_memory_equal(pieces, whole, HASH_LEN);
	hash_free(hash);
	hash_free(NULL);
}

/* RFC 5869 section 2.3, written out with HMAC. */
static void
expand_by_hand(unsigned char *out, size_t size, const unsigned char *prk,
    size_t prk_size, const unsigned char *info, size_t info_size)
{
	unsigned char block[EVP_MAX_MD_SIZE + HKDF_INFO_MAX + 1];
	unsigned char t[EVP_MAX_MD_SIZE], counter = 1;
	size_t t_size = 0, take;
	unsigned length;

	for (; size > 0; counter++, out += take, size -= take) {
		memcpy(block, t, t_size);
		if (info_size > 0)
			memcpy(block + t_size, info, info_size);
		block[t_size + info_size] = counter;
		assert_non_null(HMAC(EVP_sha512(), prk, (int)prk_size, block,
		    t_size + info_size + 1, t, &length));
		t_size = length;
		take = size < t_size ? size : t_size;
		memcpy(out, t, take);
	}
}

static void
expand_with_sha512_is_what_the_rfc_says(void **state)
{
	static const size_t sizes[] = { 1, 32, 64, 65, 76, 128, 1000, 16320 };
	static unsigned char ours[16320], by_hand[16320];
	unsigned char prk[64], info[HKDF_INFO_MAX];
	size_t i, info_size;

	memset(prk, 0x5a, sizeof prk);
	memset(info, 0xa5, sizeof info);
	for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (info_size = 0; info_size <= sizeof info;
		    info_size += 512) {
			assert_int_equal(hkdf_expand_sha512(ours, sizes[i],
			    prk, 32 + i, info, info_size), E2E_OK);
			expand_by_hand(by_hand, sizes[i], prk, 32 + i, info,
			    info_size);
			assert_memory_equal(ours, by_hand, sizes[i]);
		}
}

static void
derivations_beyond_their_limits_fail(void **state)
{
	static unsigned char out[255 * 64 + 1];
	unsigned char key[32] = { 1 }, info[HKDF_INFO_MAX + 1] = { 0 };

	assert_int_equal(hkdf_sha256(out, 32, key, sizeof key, info,
	    sizeof info), E2E_ERR_LIMIT);
	assert_int_equal(hkdf_expand_sha512(out, 32, key, sizeof key, info,
	    sizeof info), E2E_ERR_LIMIT);
	assert_int_equal(hkdf_sha256(out, 255 * 32 + 1, key, sizeof key, NULL,
	    0), E2E_ERR_CRYPTO);
	assert_int_equal(hkdf_expand_sha512(out, 255 * 64 + 1, key,
	    sizeof key, NULL, 0), E2E_ERR_CRYPTO);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
info_and_key_change_what_is_derived(void **state)
{
	unsigned char key[32] = { 1 }, a[32], b[32];

	assert_int_equal(hkdf_sha256(a, 32, key, 32, "x", 1), E2E_OK);
	assert_int_equal(hkdf_sha256(b, 32, key, 32, "y", 1), E2E_OK);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(hkdf_sha256(b, 32, key, 32, NULL, 0), E2E_OK);
	assert_memory_not_equal(a, b, 32);
	key[31] ^= 1;
	assert_int_equal(hkdf_sha256(b, 32, key, 32, "x", 1), E2E_OK);
	assert_memory_not_equal(a, b, 32);
}

/* The way of an X25519 recipient, with the context bytes of the format. */
static void
key_wrapped_for_an_x25519_key_comes_back(void **state)
{
	static const unsigned char context[] = {
		0x84, 0x24, 0x83, 0xf6, 0xf6, 0xf6, 0x83, 0xf6, 0xf6, 0xf6,
		0x82, 0x19, 0x01, 0x00, 0x44, 0xa1, 0x01, 0x38, 0x1e
	};
	unsigned char own[X25519_LEN] = { 1 }, ephemeral[X25519_LEN] = { 2 };
	unsigned char own_public[X25519_LEN], ephemeral_public[X25519_LEN];
	unsigned char z[X25519_LEN], kek[KEYWRAP_KEY_LEN];
	unsigned char cek[KEYWRAP_KEY_LEN] = { 3 }, out[KEYWRAP_KEY_LEN];
	unsigned char wrapped[KEYWRAP_WRAPPED_LEN];
	bool usable, mine;

	assert_int_equal(x25519_public(own_public, own), E2E_OK);
	assert_int_equal(x25519_public(ephemeral_public, ephemeral), E2E_OK);
	assert_int_equal(x25519_derive(z, &usable, ephemeral, own_public),
	    E2E_OK);
	assert_true(usable);
	assert_int_equal(hkdf_sha256(kek, sizeof kek, z, sizeof z, context,
	    sizeof context), E2E_OK);
	assert_int_equal(keywrap_wrap(wrapped, kek, cek), E2E_OK);

	assert_int_equal(x25519_derive(z, &usable, own, ephemeral_public),
	    E2E_OK);
	assert_true(usable);
	assert_int_equal(hkdf_sha256(kek, sizeof kek, z, sizeof z, context,
	    sizeof context), E2E_OK);
	assert_int_equal(keywrap_unwrap(out, &mine, kek, wrapped), E2E_OK);
	assert_true(mine);
	assert_memory_equal(out, cek, sizeof cek);
}

static void
every_altered_byte_of_a_wrapped_key_is_refused(void **state)
{
	static const unsigned char zero[KEYWRAP_KEY_LEN];
	unsigned char kek[KEYWRAP_KEY_LEN] = { 7 }, key[KEYWRAP_KEY_LEN];
	unsigned char out[KEYWRAP_KEY_LEN], wrapped[KEYWRAP_WRAPPED_LEN];
	bool mine;
	size_t i;

	memset(key, 0x33, sizeof key);
	assert_int_equal(keywrap_wrap(wrapped, kek, key), E2E_OK);
	for (i = 0; i < sizeof wrapped; i++) {
		wrapped[i] ^= 0x10;
		memset(out, 0xaa, sizeof out);
		assert_int_equal(keywrap_unwrap(out, &mine, kek, wrapped),
		    E2E_OK);
		assert_false(mine);
		assert_memory_equal(out, zero, sizeof out);
		wrapped[i] ^= 0x10;
	}
	kek[31] ^= 1;
	assert_int_equal(keywrap_unwrap(out, &mine, kek, wrapped), E2E_OK);
	assert_false(mine);
	assert_memory_equal(out, zero, sizeof out);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
passhash_is_argon2id(void **state)
{
	static const unsigned char salt[PASSHASH_SALT_LEN] = { 1, 2, 3 };
	unsigned char ours[PASSHASH_LEN], theirs[PASSHASH_LEN];
	uint32_t lanes;

	for (lanes = 1; lanes <= 4; lanes++) {
		assert_int_equal(passhash_argon2id(ours, "pass", 4, salt, 2,
		    64, lanes), E2E_OK);
		assert_int_equal(argon2id_hash_raw(2, 64, lanes, "pass", 4,
		    salt, sizeof salt, theirs, sizeof theirs), ARGON2_OK);
		assert_memory_equal(ours, theirs, sizeof ours);
	}
}

static void
passphrase_is_taken_byte_for_byte(void **state)
{
	static const unsigned char salt[PASSHASH_SALT_LEN] = { 1 };
	static const char with_nul[] = "a\0b";
	unsigned char a[PASSHASH_LEN], b[PASSHASH_LEN];

	assert_int_equal(passhash_argon2id(a, with_nul, 3, salt, 1, 64, 1),
	    E2E_OK);
	assert_int_equal(passhash_argon2id(b, with_nul, 1, salt, 1, 64, 1),
	    E2E_OK);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(passhash_argon2id(b, NULL, 0, salt, 1, 64, 1),
	    E2E_OK);
	assert_memory_not_equal(a, b, sizeof a);
}

static void
costs_that_the_rfc_forbids_are_refused(void **state)
{
	static const unsigned char salt[PASSHASH_SALT_LEN] = { 1 };
	static const unsigned char zero[PASSHASH_LEN];
	static const struct {
		uint32_t passes, memory, lanes;
	} bad[] = {
		{ 0, 64, 1 }, { 1, 0, 1 }, { 1, 7, 1 }, { 1, 64, 0 },
		{ 1, 31, 4 }, { 1, 64, UINT32_MAX }
	};
	unsigned char out[PASSHASH_LEN];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		memset(out, 0xaa, sizeof out);
		assert_int_equal(passhash_argon2id(out, "p", 1, salt,
		    bad[i].passes, bad[i].memory, bad[i].lanes),
		    E2E_ERR_KDF_COST);
		assert_memory_equal(out, zero, sizeof out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initializing_twice_is_fine),
		cmocka_unit_test(pieces_hash_as_the_whole),
		cmocka_unit_test(expand_with_sha512_is_what_the_rfc_says),
		cmocka_unit_test(derivations_beyond_their_limits_fail),
		cmocka_unit_test(info_and_key_change_what_is_derived),
		cmocka_unit_test(key_wrapped_for_an_x25519_key_comes_back),
		cmocka_unit_test(
		    every_altered_byte_of_a_wrapped_key_is_refused),
		cmocka_unit_test(passhash_is_argon2id),
		cmocka_unit_test(passphrase_is_taken_byte_for_byte),
		cmocka_unit_test(costs_that_the_rfc_forbids_are_refused),
	};

	return cmocka_run_group_tests_name("crypto derive", tests, NULL,
	    NULL);
}
