/* RSA: keys, ciphertexts and signatures that must be refused. */
#include "base/secret.h"
#include "crypto/rsa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HASH = 32, SALT = 32, MODULUS = 256 };

/* One key for most tests: making one takes a quarter of a second. */
static struct rsa_key *key, *public_key;
static struct rsa_private_parts parts;
static void *parts_memory;

static int
make_keys(void **state)
{

	return rsa_generate(&key, 2048) == E2E_OK &&
	    rsa_export(key, &parts, &parts_memory) == E2E_OK &&
	    rsa_public_new(&public_key, parts.n, parts.e) == E2E_OK ? 0 : -1;
}

static int
free_keys(void **state)
{

	rsa_free(key);
	rsa_free(public_key);
	rsa_free(NULL);
	secret_free(parts_memory);
	return 0;
}

static bool
zero(const unsigned char *data, size_t size)
{

	while (size > 0)
		if (data[--size] != 0)
			return false;
	return true;
}

static bool
same_integer(struct rsa_integer a, struct rsa_integer b)
{

	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* ---- keys ---- */

static bool
acceptable(const unsigned char *n, size_t n_length, const char *e,
    size_t e_length)
{
	struct rsa_integer modulus = { n, n_length };
	struct rsa_integer exponent = {
		(const unsigned char *)e, e_length
	};
	struct rsa_key *none;
	bool answer = rsa_public_acceptable(modulus, exponent);

	if (!answer) {
		assert_int_equal(rsa_public_new(&none, modulus, exponent),
		    E2E_ERR_KEY_SIZE);
		assert_null(none);
	}
	return answer;
}

static void
public_keys_beyond_the_limits_are_refused(void **state)
{
	static unsigned char n[16384 / 8 + 1];
	static const char f4[] = "\1\0\1";

	memset(n, 0xff, sizeof n);
	assert_true(acceptable(n, 256, f4, 3));
	assert_true(acceptable(n, 257, f4, 3));
	assert_true(acceptable(n, 384, f4, 3));
	assert_true(acceptable(n, 512, f4, 3));
	assert_false(acceptable(n, 513, f4, 3));
	assert_false(acceptable(n, 255, f4, 3));
	assert_false(acceptable(n, 128, f4, 3));	/* 1024 bits */
	assert_false(acceptable(n, 2048, f4, 3));	/* 16384 bits */
	assert_false(acceptable(n, 0, f4, 3));
	n[0] = 0x80;
	assert_true(acceptable(n, 256, f4, 3));
	n[0] = 0x7f;					/* 2047 bits */
	assert_false(acceptable(n, 256, f4, 3));
	n[0] = 1;					/* 2049 bits */
	assert_true(acceptable(n, 257, f4, 3));
	n[0] = 0;					/* leading zero */
	assert_false(acceptable(n, 257, f4, 3));
	n[0] = 0xff;
	n[255] = 0xfe;					/* even */
	assert_false(acceptable(n, 256, f4, 3));
	n[255] = 0xff;

	assert_false(acceptable(n, 256, "\1", 1));
	assert_false(acceptable(n, 256, "\3", 1));
	assert_false(acceptable(n, 256, "\xff\xff", 2));
	assert_false(acceptable(n, 256, "\1\0\0", 3));	/* even */
	assert_false(acceptable(n, 256, "\1\0\2", 3));	/* even */
	assert_true(acceptable(n, 256, "\1\0\3", 3));
	assert_true(acceptable(n, 256, "\xff\xff\xff\xff", 4));
	assert_false(acceptable(n, 256, "\1\0\0\0\1", 5));
	assert_false(acceptable(n, 256, "\0\1\0\1", 4)); /* leading zero */
	assert_false(acceptable(n, 256, "\0\0\0", 3));
	assert_false(acceptable(n, 256, "", 0));
}

static void
sizes_that_are_not_made(void **state)
{
	static const unsigned sizes[] = { 0, 512, 1024, 2047, 2049, 4097,
	    8192, 16384 };
	struct rsa_key *none;
	size_t i;

	for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		assert_int_equal(rsa_generate(&none, sizes[i]),
		    E2E_ERR_KEY_SIZE);
		assert_null(none);
	}
}

/* Reads `from` as a key, which then has to be the same and open what its
 * public part sealed. */
static void
round_trip(const struct rsa_private_parts *from, size_t size)
{
	struct rsa_private_parts again;
	struct rsa_key *read, *sealer;
	unsigned char sealed[RSA_MODULUS_MAX], out[HASH], data[HASH] = { 5 };
	void *memory;
	bool mine;

	assert_int_equal(from->n.length, size);
	assert_int_equal(from->e.length, 3);
	assert_memory_equal(from->e.data, "\1\0\1", 3);
	assert_int_equal(rsa_private_new(&read, from), E2E_OK);
	assert_int_equal(rsa_size(read), size);
	assert_int_equal(rsa_export(read, &again, &memory), E2E_OK);
	assert_true(same_integer(from->n, again.n));
	assert_true(same_integer(from->e, again.e));
	assert_true(same_integer(from->d, again.d));
	assert_true(same_integer(from->p, again.p));
	assert_true(same_integer(from->q, again.q));
	assert_true(same_integer(from->dp, again.dp));
	assert_true(same_integer(from->dq, again.dq));
	assert_true(same_integer(from->qinv, again.qinv));
	secret_free(memory);

	assert_int_equal(rsa_public_new(&sealer, from->n, from->e), E2E_OK);
	assert_int_equal(rsa_oaep_encrypt(sealer, sealed, data, sizeof data),
	    E2E_OK);
	assert_int_equal(rsa_oaep_decrypt(read, out, sizeof out, &mine,
	    sealed, size), E2E_OK);
	assert_true(mine);
	assert_memory_equal(out, data, sizeof data);
	rsa_free(sealer);
	rsa_free(read);
}

static void
key_written_down_and_read_again_is_the_same(void **state)
{
	static const unsigned sizes[] = { 3072, 4096 };
	struct rsa_private_parts made;
	struct rsa_key *larger;
	void *memory;
	size_t i;

	assert_int_equal(rsa_size(key), MODULUS);
	round_trip(&parts, MODULUS);
	for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		assert_int_equal(rsa_generate(&larger, sizes[i]), E2E_OK);
		assert_int_equal(rsa_export(larger, &made, &memory), E2E_OK);
		rsa_free(larger);
		round_trip(&made, sizes[i] / 8);
		secret_free(memory);
	}
}

/* More of them than the locked memory could hold at once. */
static void
many_keys_are_held_at_once(void **state)
{
	struct rsa_key *keys[300];
	size_t i;

	for (i = 0; i < sizeof keys / sizeof *keys; i++)
		assert_int_equal(rsa_private_new(&keys[i], &parts), E2E_OK);
	for (i = 0; i < sizeof keys / sizeof *keys; i++)
		rsa_free(keys[i]);
}

static void
refused_as(enum e2e_error error, const struct rsa_private_parts *bad)
{
	struct rsa_key *none;

	assert_int_equal(rsa_private_new(&none, bad), error);
	assert_null(none);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
private_key_with_parts_that_do_not_match_is_refused(void **state)
{
	static const unsigned char one[] = { 1 };
	struct rsa_private_parts bad;
	struct rsa_integer *const secret[] = {
		&bad.d, &bad.p, &bad.q, &bad.dp, &bad.dq, &bad.qinv
	};
	unsigned char altered[MODULUS + 1];
	size_t i;

	for (i = 0; i < sizeof secret / sizeof *secret; i++) {
		bad = parts;			/* missing */
		secret[i]->length = 0;
		refused_as(E2E_ERR_KEY_FILE, &bad);
		bad = parts;			/* leading zero */
		altered[0] = 0;
		memcpy(altered + 1, secret[i]->data, secret[i]->length);
		secret[i]->data = altered;
		secret[i]->length++;
		refused_as(E2E_ERR_KEY_FILE, &bad);
		bad = parts;			/* too large */
		memset(altered, 0xff, sizeof altered);
		secret[i]->data = altered;
		secret[i]->length = MODULUS;
		refused_as(E2E_ERR_KEY_FILE, &bad);
	}
	for (i = 1; i < 3; i++) {		/* p or q altered */
		bad = parts;
		memcpy(altered, secret[i]->data, secret[i]->length);
		altered[secret[i]->length / 2] ^= 4;
		secret[i]->data = altered;
		refused_as(E2E_ERR_KEY_FILE, &bad);
	}
	bad = parts;				/* n altered */
	memcpy(altered, parts.n.data, MODULUS);
	altered[100] ^= 1;
	bad.n.data = altered;
	refused_as(E2E_ERR_KEY_FILE, &bad);
	bad = parts;				/* n = 1 * n */
	bad.p.data = one;
	bad.p.length = 1;
	bad.q = parts.n;
	refused_as(E2E_ERR_KEY_FILE, &bad);
	bad = parts;
	bad.e.data = one;
	bad.e.length = 1;
	refused_as(E2E_ERR_KEY_SIZE, &bad);
	bad = parts;
	bad.n.length = 0;
	refused_as(E2E_ERR_KEY_SIZE, &bad);
}

/* ---- OAEP ---- */

static void
not_mine(const struct rsa_key *k, size_t wanted, const unsigned char *in,
    size_t in_size)
{
	unsigned char out[MODULUS + 1];
	bool mine = true;

	memset(out, 0xaa, sizeof out);
	assert_int_equal(rsa_oaep_decrypt(k, out, wanted, &mine, in, in_size),
	    E2E_OK);
	assert_false(mine);
	assert_true(zero(out, wanted));
	assert_int_equal(out[wanted], 0xaa);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
ciphertext_of_another_size_key_or_content_is_not_mine(void **state)
{
	unsigned char sealed[MODULUS + 1] = { 0 }, data[HASH] = { 5 };
	unsigned char out[HASH];
	struct rsa_key *other;
	size_t i;
	bool mine;

	assert_int_equal(rsa_oaep_encrypt(public_key, sealed, data,
	    sizeof data), E2E_OK);
	assert_int_equal(rsa_oaep_decrypt(key, out, sizeof out, &mine, sealed,
	    MODULUS), E2E_OK);
	assert_true(mine);
	assert_memory_equal(out, data, sizeof data);

	not_mine(key, HASH - 1, sealed, MODULUS);	/* sizes of content */
	not_mine(key, HASH + 1, sealed, MODULUS);
	not_mine(key, 0, sealed, MODULUS);
	not_mine(key, MODULUS, sealed, MODULUS);
	not_mine(key, HASH, sealed, MODULUS - 1);	/* of ciphertext */
	not_mine(key, HASH, sealed, MODULUS + 1);
	not_mine(key, HASH, sealed, 0);
	for (i = 0; i < MODULUS; i++) {
		sealed[i] ^= 1;
		not_mine(key, HASH, sealed, MODULUS);
		sealed[i] ^= 1;
	}
	not_mine(key, HASH, parts.n.data, MODULUS);	/* not below n */
	memset(data, 0, sizeof data);
	memset(out, 0, sizeof out);

	assert_int_equal(rsa_generate(&other, 2048), E2E_OK);
	not_mine(other, HASH, sealed, MODULUS);
	rsa_free(other);

	memset(sealed, 0, sizeof sealed);
	not_mine(key, HASH, sealed, MODULUS);
	sealed[MODULUS - 1] = 1;
	not_mine(key, HASH, sealed, MODULUS);
}

/* The same with OpenSSL alone, under other parameters than ours. */
static void
openssl_encrypts(unsigned char out[MODULUS], int padding, const char *md,
    const char *mgf1, const char *label)
{
	static const unsigned char data[HASH] = { 5 };
	EVP_PKEY_CTX *context;
	EVP_PKEY *pkey = NULL;
	size_t length = MODULUS;
	OSSL_PARAM params[3];
	unsigned char n[MODULUS], e[3];
	size_t i;

	/* OSSL_PARAM wants the machine's order. */
	assert_int_equal(parts.n.length, MODULUS);
	for (i = 0; i < MODULUS; i++)
		n[i] = parts.n.data[MODULUS - 1 - i];
	e[0] = e[2] = 1;
	e[1] = 0;
	params[0] = OSSL_PARAM_construct_BN("n", n, sizeof n);
	params[1] = OSSL_PARAM_construct_BN("e", e, sizeof e);
	params[2] = OSSL_PARAM_construct_end();
	context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &pkey,
	    EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(context);

	context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, padding), 1);
	if (padding == RSA_PKCS1_OAEP_PADDING) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(context,
		    md, NULL), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context,
		    mgf1, NULL), 1);
	}
	if (label != NULL)
		assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(context,
		    OPENSSL_strdup(label), (int)strlen(label)), 1);
	assert_int_equal(EVP_PKEY_encrypt(context, out, &length, data,
	    sizeof data), 1);
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(pkey);
}

static void
other_paddings_are_not_mine(void **state)
{
	unsigned char sealed[MODULUS], out[HASH];
	bool mine;

	openssl_encrypts(sealed, RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256",
	    NULL);
	assert_int_equal(rsa_oaep_decrypt(key, out, HASH, &mine, sealed,
	    MODULUS), E2E_OK);
	assert_true(mine);
	openssl_encrypts(sealed, RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA1",
	    NULL);
	not_mine(key, HASH, sealed, MODULUS);
	openssl_encrypts(sealed, RSA_PKCS1_OAEP_PADDING, "SHA1", "SHA1", NULL);
	not_mine(key, HASH, sealed, MODULUS);
	openssl_encrypts(sealed, RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256",
	    "label");
	not_mine(key, HASH, sealed, MODULUS);
	openssl_encrypts(sealed, RSA_PKCS1_PADDING, NULL, NULL, NULL);
	not_mine(key, HASH, sealed, MODULUS);
}

static void
data_too_long_for_the_modulus_is_a_limit(void **state)
{
	unsigned char sealed[MODULUS], data[MODULUS] = { 1 }, out[MODULUS];
	size_t most = MODULUS - 2 * HASH - 2;
	bool mine;

	assert_int_equal(rsa_oaep_encrypt(public_key, sealed, data, most),
	    E2E_OK);
	assert_int_equal(rsa_oaep_decrypt(key, out, most, &mine, sealed,
	    sizeof sealed), E2E_OK);
	assert_true(mine);
	assert_int_equal(rsa_oaep_encrypt(public_key, sealed, data, most + 1),
	    E2E_ERR_LIMIT);
}

/* ---- PSS ---- */

static const char message[] = "signed words";

static bool
verifies(const unsigned char *signature, size_t size, const void *data,
    size_t data_size)
{
	bool valid = true;

	assert_int_equal(rsa_pss_verify(public_key, &valid, signature, size,
	    data, data_size), E2E_OK);
	assert_int_equal(ERR_peek_error(), 0);
	return valid;
}

static void
every_altered_byte_of_a_signature_is_refused(void **state)
{
	unsigned char signature[MODULUS + 1] = { 0 };
	char altered[sizeof message];
	size_t i;

	assert_int_equal(rsa_pss_sign(key, signature, message,
	    sizeof message), E2E_OK);
	assert_true(verifies(signature, MODULUS, message, sizeof message));
	for (i = 0; i < MODULUS; i++) {
		signature[i] ^= 0x20;
		assert_false(verifies(signature, MODULUS, message,
		    sizeof message));
		signature[i] ^= 0x20;
	}
	for (i = 0; i < sizeof message; i++) {
		memcpy(altered, message, sizeof message);
		altered[i] ^= 1;
		assert_false(verifies(signature, MODULUS, altered,
		    sizeof altered));
	}
	assert_false(verifies(signature, MODULUS - 1, message,
	    sizeof message));
	assert_false(verifies(signature, MODULUS + 1, message,
	    sizeof message));
	assert_false(verifies(signature, 0, message, sizeof message));
	assert_false(verifies(signature, MODULUS, NULL, 0));
	memset(signature, 0, sizeof signature);
	assert_false(verifies(signature, MODULUS, message, sizeof message));
	assert_false(verifies(parts.n.data, MODULUS, message,
	    sizeof message));
}

static void
sha256(unsigned char out[HASH], const unsigned char *a, size_t a_size,
    const unsigned char *b, size_t b_size)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestInit_ex(context, EVP_sha256(), NULL), 1);
	assert_int_equal(EVP_DigestUpdate(context, a, a_size), 1);
	assert_int_equal(EVP_DigestUpdate(context, b, b_size), 1);
	assert_int_equal(EVP_DigestFinal_ex(context, out, NULL), 1);
	EVP_MD_CTX_free(context);
}

/* m ^ exponent mod n; what RSA is without any padding. */
static void
raw_rsa(unsigned char out[MODULUS], const unsigned char in[MODULUS],
    struct rsa_integer exponent)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *m = BN_bin2bn(in, MODULUS, NULL);
	BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.length, NULL);
	BIGNUM *n = BN_bin2bn(parts.n.data, MODULUS, NULL);

	assert_int_equal(BN_mod_exp(m, m, e, n, context), 1);
	assert_int_equal(BN_bn2binpad(m, out, MODULUS), MODULUS);
	BN_free(m);
	BN_free(e);
	BN_free(n);
	BN_CTX_free(context);
}

/* XORs MGF1-SHA-256(h) over db (RFC 8017 B.2.1). */
static void
mask(unsigned char *db, size_t size, const unsigned char h[HASH])
{
	unsigned char counter[4] = { 0 }, block[HASH];
	size_t i;

	for (i = 0; i < size; i++) {
		if (i % HASH == 0) {
			counter[3] = (unsigned char)(i / HASH);
			sha256(block, h, HASH, counter, sizeof counter);
		}
		db[i] ^= block[i % HASH];
	}
}

/* H of RFC 8017 9.1.1, for a salt of any length. */
static void
pss_hash(unsigned char h[HASH], const unsigned char *salt, size_t salt_size)
{
	unsigned char start[8 + HASH] = { 0 };

	sha256(start + 8, (const unsigned char *)message, sizeof message,
	    NULL, 0);
	sha256(h, start, sizeof start, salt, salt_size);
}

/* Takes a signature apart by the RFC, without OpenSSL's own PSS. */
static void
signature_is_pss_with_a_salt_of_32(void **state)
{
	enum { DB = MODULUS - HASH - 1 };
	unsigned char signature[MODULUS], em[MODULUS], h[HASH];
	unsigned char second[MODULUS];
	const unsigned char *salt = em + DB - SALT;

	assert_int_equal(rsa_pss_sign(key, signature, message,
	    sizeof message), E2E_OK);
	raw_rsa(em, signature, parts.e);
	assert_int_equal(em[MODULUS - 1], 0xbc);
	assert_int_equal(em[0] & 0x80, 0);
	mask(em, DB, em + DB);
	em[0] &= 0x7f;
	assert_true(zero(em, DB - SALT - 1));
	assert_int_equal(em[DB - SALT - 1], 1);
	pss_hash(h, salt, SALT);
	assert_memory_equal(h, em + DB, HASH);

	/* The salt is drawn anew. */
	assert_int_equal(rsa_pss_sign(key, second, message, sizeof message),
	    E2E_OK);
	assert_memory_not_equal(signature, second, MODULUS);
}

/* A signature that is right in all but the length of its salt. */
static void
sign_with_salt(unsigned char signature[MODULUS], size_t salt_size)
{
	enum { DB = MODULUS - HASH - 1 };
	unsigned char em[MODULUS] = { 0 };

	memset(em + DB - salt_size, 0x77, salt_size);
	em[DB - salt_size - 1] = 1;
	pss_hash(em + DB, em + DB - salt_size, salt_size);
	mask(em, DB, em + DB);
	em[0] &= 0x7f;
	em[MODULUS - 1] = 0xbc;
	raw_rsa(signature, em, parts.d);
}

static void
other_salt_lengths_are_refused(void **state)
{
	static const size_t sizes[] = { 0, 1, 20, 31, 33, 64, 222 };
	unsigned char signature[MODULUS];
	size_t i;

	sign_with_salt(signature, SALT);
	assert_true(verifies(signature, MODULUS, message, sizeof message));
	for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		sign_with_salt(signature, sizes[i]);
		assert_false(verifies(signature, MODULUS, message,
		    sizeof message));
	}
}

/* ---- threads ---- */

static void *
use_the_key(void *failures)
{
	unsigned char sealed[MODULUS], signature[MODULUS];
	unsigned char data[HASH] = { 9 }, out[HASH];
	size_t *failed = failures;
	bool mine, valid;
	int i;

	for (i = 0; i < 50; i++) {
		data[1] = (unsigned char)i;
		if (rsa_oaep_encrypt(key, sealed, data, HASH) != E2E_OK ||
		    rsa_oaep_decrypt(key, out, HASH, &mine, sealed,
		    MODULUS) != E2E_OK || !mine ||
		    memcmp(out, data, HASH) != 0)
			(*failed)++;
		if (rsa_pss_sign(key, signature, data, HASH) != E2E_OK ||
		    rsa_pss_verify(key, &valid, signature, MODULUS, data,
		    HASH) != E2E_OK || !valid)
			(*failed)++;
	}
	return NULL;
}

static void
threads_share_one_key(void **state)
{
	enum { THREADS = 4 };
	size_t failed[THREADS] = { 0 };
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
		    use_the_key, &failed[i]), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(failed[i], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_keys_beyond_the_limits_are_refused),
		cmocka_unit_test(sizes_that_are_not_made),
		cmocka_unit_test(key_written_down_and_read_again_is_the_same),
		cmocka_unit_test(many_keys_are_held_at_once),
		cmocka_unit_test(
		    private_key_with_parts_that_do_not_match_is_refused),
		cmocka_unit_test(
		    ciphertext_of_another_size_key_or_content_is_not_mine),
		cmocka_unit_test(other_paddings_are_not_mine),
		cmocka_unit_test(data_too_long_for_the_modulus_is_a_limit),
		cmocka_unit_test(every_altered_byte_of_a_signature_is_refused),
		cmocka_unit_test(signature_is_pss_with_a_salt_of_32),
		cmocka_unit_test(other_salt_lengths_are_refused),
		cmocka_unit_test(threads_share_one_key),
	};

	return cmocka_run_group_tests_name("crypto rsa", tests, make_keys,
	    free_keys);
}
