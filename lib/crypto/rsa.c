/*
 * RSA keys are built from their integers with EVP_PKEY_fromdata: no DER or
 * PEM decoder is ever reached, and it takes a tenth of their time. Blinding,
 * the check of CRT results and the constant-time OAEP are OpenSSL's own; each
 * operation makes a context of its own, so that threads may share a key.
 */
#include "rsa.h"

#include "base/secret.h"
#include "crypto.h"
#include "openssl.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHA256_LEN = 32,
	PUBLIC_PARTS = 2,		/* n and e come first */
	PRIVATE_PARTS = 8
};

struct rsa_key {
	EVP_PKEY *pkey;
	size_t size;
	bool private_key;
};

/* COSE's order, as in struct rsa_private_parts. */
static const char *const part_names[PRIVATE_PARTS] = {
	OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
	OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
	OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
	OSSL_PKEY_PARAM_RSA_COEFFICIENT1
};
enum part { N, E, D, P, Q, DP, DQ, QINV };

/* ---- keys ---- */

static unsigned
bits(struct rsa_integer integer)
{
	unsigned count = (unsigned)integer.length * CHAR_BIT;
	unsigned char top = integer.data[0];

	while ((top & 0x80) == 0) {
		top = (unsigned char)(top << 1);
		count--;
	}
	return count;
}

bool
rsa_public_acceptable(struct rsa_integer n, struct rsa_integer e)
{
	uint_least32_t exponent = 0;
	size_t i;

	if (n.length == 0 || n.length > RSA_MODULUS_MAX || n.data[0] == 0 ||
	    (n.data[n.length - 1] & 1) == 0 || bits(n) < RSA_BITS_MIN)
		return false;
	if (e.length == 0 || e.length > 4 || e.data[0] == 0)
		return false;
	for (i = 0; i < e.length; i++)
		exponent = exponent << 8 | e.data[i];
	return (exponent & 1) == 1 && exponent >= 65537;
}

/* Takes the key over, or frees it. */
static enum e2e_error
wrap(struct rsa_key **key, EVP_PKEY *pkey, bool private_key)
{
	struct rsa_key *k;

	if ((k = malloc(sizeof *k)) == NULL) {
		EVP_PKEY_free(pkey);
		return E2E_ERR_MEMORY;
	}
	k->pkey = pkey;
	k->size = (size_t)EVP_PKEY_get_size(pkey);
	k->private_key = private_key;
	*key = k;
	return E2E_OK;
}

static void
free_numbers(BIGNUM *numbers[PRIVATE_PARTS])
{
	size_t i;

	for (i = 0; i < PRIVATE_PARTS; i++)
		BN_clear_free(numbers[i]);
}

/* All but n and e become secrets; on failure free_numbers is still due. */
static bool
read_numbers(BIGNUM *numbers[PRIVATE_PARTS],
    const struct rsa_integer *integers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		numbers[i] = i < PUBLIC_PARTS ? BN_new() : BN_secure_new();
		if (numbers[i] == NULL)
			return false;
		if (i >= PUBLIC_PARTS)
			BN_set_flags(numbers[i], BN_FLG_CONSTTIME);
		if (BN_bin2bn(integers[i].data, (int)integers[i].length,
		    numbers[i]) == NULL)
			return false;
	}
	return true;
}

static enum e2e_error
build(struct rsa_key **key, BIGNUM *const numbers[PRIVATE_PARTS],
    size_t count)
{
	enum e2e_error error = E2E_OK;
	OSSL_PARAM_BLD *builder = NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY_CTX *context = NULL;
	EVP_PKEY *pkey = NULL;
	size_t i;

	if ((builder = OSSL_PARAM_BLD_new()) == NULL)
		goto fail;
	for (i = 0; i < count; i++)
		if (OSSL_PARAM_BLD_push_BN(builder, part_names[i],
		    numbers[i]) != 1)
			goto fail;
	if ((params = OSSL_PARAM_BLD_to_param(builder)) == NULL ||
	    (context = EVP_PKEY_CTX_new_from_name(NULL, "RSA",
	    NULL)) == NULL ||
	    EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &pkey, count == PUBLIC_PARTS ?
	    EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, params) != 1)
		goto fail;
	error = wrap(key, pkey, count != PUBLIC_PARTS);
	goto out;
fail:
	error = openssl_failed();
out:
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);	/* wipes secure numbers */
	OSSL_PARAM_BLD_free(builder);
	return error;
}

enum e2e_error
rsa_public_new(struct rsa_key **key, struct rsa_integer n,
    struct rsa_integer e)
{
	const struct rsa_integer integers[PUBLIC_PARTS] = { n, e };
	BIGNUM *numbers[PRIVATE_PARTS] = { NULL };
	enum e2e_error error;

	*key = NULL;
	if (!rsa_public_acceptable(n, e))
		return E2E_ERR_KEY_SIZE;
	if ((error = crypto_init()) != E2E_OK)
		return error;
	if (read_numbers(numbers, integers, PUBLIC_PARTS))
		error = build(key, numbers, PUBLIC_PARTS);
	else
		error = openssl_failed();
	free_numbers(numbers);
	return error;
}

/*
 * Do exponent and prime belong together: x = d mod (prime - 1), and
 * e * x = 1 mod (prime - 1)? *fits is only set to false.
 */
static bool
check_exponent(bool *fits, BIGNUM *const numbers[PRIVATE_PARTS],
    enum part prime, enum part exponent, BIGNUM *order, BIGNUM *product,
    BN_CTX *context)
{
	if (BN_sub(order, numbers[prime], BN_value_one()) != 1 ||
	    BN_nnmod(product, numbers[D], order, context) != 1)
		return false;
	if (BN_cmp(product, numbers[exponent]) != 0)
		*fits = false;
	if (BN_mod_mul(product, numbers[E], numbers[exponent], order,
	    context) != 1)
		return false;
	if (!BN_is_one(product))
		*fits = false;
	return true;
}

/* A key file is authenticated, so this looks for mistakes and not for
 * malice: it need not prove that p and q are prime. */
static enum e2e_error
check_private(BIGNUM *const numbers[PRIVATE_PARTS])
{
	enum e2e_error error = E2E_ERR_KEY_FILE;
	BN_CTX *context = NULL;
	BIGNUM *product = NULL, *order = NULL;
	bool fits = true;

	if ((context = BN_CTX_secure_new()) == NULL ||
	    (product = BN_secure_new()) == NULL ||
	    (order = BN_secure_new()) == NULL ||
	    BN_mul(product, numbers[P], numbers[Q], context) != 1) {
		error = openssl_failed();
		goto out;
	}
	if (BN_cmp(product, numbers[N]) == 0 && !BN_is_one(numbers[P]) &&
	    !BN_is_one(numbers[Q]) && BN_cmp(numbers[P], numbers[Q]) != 0 &&
	    BN_cmp(numbers[D], numbers[N]) < 0 &&
	    BN_cmp(numbers[DP], numbers[P]) < 0 &&
	    BN_cmp(numbers[DQ], numbers[Q]) < 0 &&
	    BN_cmp(numbers[QINV], numbers[P]) < 0)
		error = E2E_OK;
	if (error != E2E_OK)
		goto out;
	BN_set_flags(order, BN_FLG_CONSTTIME);
	if (!check_exponent(&fits, numbers, P, DP, order, product, context) ||
	    !check_exponent(&fits, numbers, Q, DQ, order, product, context) ||
	    BN_mod_mul(product, numbers[Q], numbers[QINV], numbers[P],
	    context) != 1)
		error = openssl_failed();
	else if (!fits || !BN_is_one(product))
		error = E2E_ERR_KEY_FILE;
out:
	BN_clear_free(order);
	BN_clear_free(product);
	BN_CTX_free(context);
	return error;
}

enum e2e_error
rsa_private_new(struct rsa_key **key, const struct rsa_private_parts *parts)
{
	const struct rsa_integer integers[PRIVATE_PARTS] = {
		parts->n, parts->e, parts->d, parts->p, parts->q,
		parts->dp, parts->dq, parts->qinv
	};
	BIGNUM *numbers[PRIVATE_PARTS] = { NULL };
	enum e2e_error error;
	size_t i;

	*key = NULL;
	if (!rsa_public_acceptable(parts->n, parts->e))
		return E2E_ERR_KEY_SIZE;
	for (i = PUBLIC_PARTS; i < PRIVATE_PARTS; i++)
		if (integers[i].length == 0 || integers[i].data[0] == 0 ||
		    integers[i].length > parts->n.length)
			return E2E_ERR_KEY_FILE;
	if ((error = crypto_init()) != E2E_OK)
		return error;
	openssl_need_secure_heap();
	if (!read_numbers(numbers, integers, PRIVATE_PARTS))
		error = openssl_failed();
	else if ((error = check_private(numbers)) == E2E_OK)
		error = build(key, numbers, PRIVATE_PARTS);
	free_numbers(numbers);
	return error;
}

enum e2e_error
rsa_generate(struct rsa_key **key, unsigned count)
{
	enum e2e_error error;
	EVP_PKEY_CTX *context = NULL;
	EVP_PKEY *pkey = NULL;
	BIGNUM *e = NULL;

	*key = NULL;
	if (count < RSA_BITS_MIN || count > RSA_BITS_MAX || count % 8 != 0)
		return E2E_ERR_KEY_SIZE;
	if ((error = crypto_init()) != E2E_OK)
		return error;
	openssl_need_secure_heap();
	if ((e = BN_new()) == NULL || BN_set_word(e, RSA_F4) != 1 ||
	    (context = EVP_PKEY_CTX_new_from_name(NULL, "RSA",
	    NULL)) == NULL ||
	    EVP_PKEY_keygen_init(context) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)count) != 1 ||
	    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) != 1 ||
	    EVP_PKEY_generate(context, &pkey) != 1)
		error = openssl_failed();
	else
		error = wrap(key, pkey, true);
	EVP_PKEY_CTX_free(context);
	BN_free(e);
	return error;
}

void
rsa_free(struct rsa_key *key)
{

	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

size_t
rsa_size(const struct rsa_key *key)
{

	return key->size;
}

/*
 * EVP_PKEY_get_bn_param would pass the number through a buffer on the stack;
 * given the memory, OpenSSL writes it there, in the machine's byte order.
 */
static enum e2e_error
export_part(const struct rsa_key *key, enum part part, unsigned char *memory,
    struct rsa_integer *integer)
{
	enum e2e_error error = E2E_OK;
	OSSL_PARAM params[2];
	BIGNUM *number = NULL;

	params[0] = OSSL_PARAM_construct_BN(part_names[part], memory,
	    RSA_MODULUS_MAX);
	params[1] = OSSL_PARAM_construct_end();
	if ((number = BN_secure_new()) == NULL ||
	    EVP_PKEY_get_params(key->pkey, params) != 1 ||
	    !OSSL_PARAM_modified(params) ||
	    OSSL_PARAM_get_BN(params, &number) != 1 ||
	    BN_bn2binpad(number, memory, RSA_MODULUS_MAX) < 0) {
		error = openssl_failed();
		goto out;
	}
	integer->length = (size_t)BN_num_bytes(number);
	integer->data = memory + RSA_MODULUS_MAX - integer->length;
out:
	BN_clear_free(number);
	return error;
}

enum e2e_error
rsa_export(const struct rsa_key *key, struct rsa_private_parts *parts,
    void **memory)
{
	struct rsa_integer *const integers[PRIVATE_PARTS] = {
		&parts->n, &parts->e, &parts->d, &parts->p, &parts->q,
		&parts->dp, &parts->dq, &parts->qinv
	};
	enum e2e_error error = E2E_OK;
	unsigned char *block;
	size_t i;

	assert(key->private_key);
	*memory = NULL;
	memset(parts, 0, sizeof *parts);
	block = secret_alloc((size_t)PRIVATE_PARTS * RSA_MODULUS_MAX);
	if (block == NULL)
		return E2E_ERR_MEMORY;
	for (i = 0; i < PRIVATE_PARTS && error == E2E_OK; i++)
		error = export_part(key, (enum part)i,
		    block + i * RSA_MODULUS_MAX, integers[i]);
	if (error != E2E_OK) {
		memset(parts, 0, sizeof *parts);
		secret_free(block);
		return error;
	}
	*memory = block;
	return E2E_OK;
}

/* ---- OAEP ---- */

/* OSSL_PARAM has no pointer to const; strings are only read. */
static OSSL_PARAM
text_param(const char *name, const char *value)
{

	return OSSL_PARAM_construct_utf8_string(name,
	    (char *)(uintptr_t)value, 0);
}

static void
oaep_params(OSSL_PARAM params[4])
{

	params[0] = text_param(OSSL_ASYM_CIPHER_PARAM_PAD_MODE,
	    OSSL_PKEY_RSA_PAD_MODE_OAEP);
	params[1] = text_param(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, "SHA2-256");
	params[2] = text_param(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, "SHA2-256");
	params[3] = OSSL_PARAM_construct_end();
}

enum e2e_error
rsa_oaep_encrypt(const struct rsa_key *key, unsigned char *out,
    const void *data, size_t size)
{
	enum e2e_error error = E2E_OK;
	EVP_PKEY_CTX *context = NULL;
	OSSL_PARAM params[4];
	size_t length = key->size;

	if (size > key->size - 2 * SHA256_LEN - 2)
		return E2E_ERR_LIMIT;
	oaep_params(params);
	if ((context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey,
	    NULL)) == NULL ||
	    EVP_PKEY_encrypt_init_ex(context, params) != 1 ||
	    EVP_PKEY_encrypt(context, out, &length, data, size) != 1 ||
	    length != key->size) {
		secret_wipe(out, key->size);
		error = openssl_failed();
	}
	EVP_PKEY_CTX_free(context);
	return error;
}

enum e2e_error
rsa_oaep_decrypt(const struct rsa_key *key, void *out, size_t size,
    bool *mine, const unsigned char *in, size_t in_size)
{
	enum e2e_error error = E2E_OK;
	EVP_PKEY_CTX *context = NULL;
	OSSL_PARAM params[4];
	unsigned char *to = out, *work = NULL;
	unsigned char mask;
	size_t i, length = key->size;
	unsigned good;

	assert(key->private_key);
	*mine = false;
	memset(to, 0, size);
	/* Both sizes are public. */
	if (in_size != key->size || size > key->size)
		return E2E_OK;
	if ((work = secret_alloc(key->size)) == NULL)
		return E2E_ERR_MEMORY;
	oaep_params(params);
	if ((context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey,
	    NULL)) == NULL ||
	    EVP_PKEY_decrypt_init_ex(context, params) != 1) {
		error = openssl_failed();
		goto out;
	}
	/*
	 * From here on the outcome is a secret (Manger's attack). Nothing looks
	 * at why it failed, not even for want of memory; a length that is not
	 * the wanted one is the same as a failure; and both copy.
	 */
	good = EVP_PKEY_decrypt(context, work, &length, in, in_size) == 1;
	ERR_clear_error();
	good &= length == size;
	mask = (unsigned char)(0U - good);
	for (i = 0; i < size; i++)
		to[i] = work[i] & mask;
	*mine = good;
out:
	EVP_PKEY_CTX_free(context);
	secret_free(work);
	return error;
}

/* ---- PSS ---- */

/* The salt's length is stated for verifying too: OpenSSL would else take
 * whatever the signature holds. */
static void
pss_params(OSSL_PARAM params[4], int *salt_length)
{

	params[0] = text_param(OSSL_SIGNATURE_PARAM_PAD_MODE,
	    OSSL_PKEY_RSA_PAD_MODE_PSS);
	params[1] = text_param(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, "SHA2-256");
	params[2] = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN,
	    salt_length);
	params[3] = OSSL_PARAM_construct_end();
}

enum e2e_error
rsa_pss_sign(const struct rsa_key *key, unsigned char *signature,
    const void *data, size_t size)
{
	enum e2e_error error = E2E_OK;
	EVP_MD_CTX *context = NULL;
	OSSL_PARAM params[4];
	int salt_length = SHA256_LEN;
	size_t length = key->size;

	assert(key->private_key);
	pss_params(params, &salt_length);
	if ((context = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestSignInit_ex(context, NULL, "SHA2-256", NULL, NULL,
	    key->pkey, params) != 1 ||
	    EVP_DigestSign(context, signature, &length, data, size) != 1 ||
	    length != key->size) {
		secret_wipe(signature, key->size);
		error = openssl_failed();
	}
	EVP_MD_CTX_free(context);
	return error;
}

enum e2e_error
rsa_pss_verify(const struct rsa_key *key, bool *valid,
    const unsigned char *signature, size_t signature_size, const void *data,
    size_t size)
{
	enum e2e_error error = E2E_OK;
	EVP_MD_CTX *context = NULL;
	OSSL_PARAM params[4];
	int salt_length = SHA256_LEN;

	*valid = false;
	if (signature_size != key->size)
		return E2E_OK;
	pss_params(params, &salt_length);
	if ((context = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestVerifyInit_ex(context, NULL, "SHA2-256", NULL, NULL,
	    key->pkey, params) != 1) {
		error = openssl_failed();
		goto out;
	}
	if (EVP_DigestVerify(context, signature, signature_size, data,
	    size) == 1)
		*valid = true;
	else if (openssl_failed() == E2E_ERR_MEMORY)
		error = E2E_ERR_MEMORY;
out:
	EVP_MD_CTX_free(context);
	return error;
}
