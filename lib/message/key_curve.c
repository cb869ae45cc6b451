/* Curve25519 keys: Ed25519 for signing, X25519 for encryption. */
#include "message/key.h"

#include "base/random.h"
#include "base/secret.h"
#include "crypto/curve.h"
#include "wire/labels.h"

#include <string.h>

/* The encoded private key of public and private part. */
static void
put_private(struct buffer *encoded, int64_t alg, int64_t crv,
    const unsigned char x[32], const unsigned char d[32])
{
	struct cose_key key;

	memset(&key, 0, sizeof(key));
	key.kty = KTY_OKP;
	key.alg = alg;
	key.crv = crv;
	key.x = (struct bytes){ x, 32 };
	key.d = (struct bytes){ d, 32 };
	cose_put_key(encoded, &key, true);
}

static enum e2e_error
fresh_private(unsigned char **private_key)
{
	*private_key = secret_alloc(32);
	if (*private_key == NULL)
		return E2E_ERR_MEMORY;
	return random_bytes(*private_key, 32) ? E2E_OK : E2E_ERR_CRYPTO;
}

/* ---- Ed25519 ---- */

/* Whether it is a point of the curve shows when it verifies. */
static enum e2e_error
ed25519_check(const struct cose_key *parts)
{
	(void)parts;
	return E2E_OK;
}

static enum e2e_error
ed25519_load(struct key *key)
{
	unsigned char public_key[ED25519_KEY_LEN];
	struct ed25519_key *handle = NULL;
	enum e2e_error error;

	if (key->is_private)
		error = ed25519_private_new(&handle, public_key,
		    key->parts.d.data);
	else
		error = ed25519_public_new(&handle, key->parts.x.data);
	key->handle = handle;
	if (error == E2E_OK && key->is_private &&
	    memcmp(public_key, key->parts.x.data, sizeof(public_key)) != 0)
		return E2E_ERR_KEY_FILE;
	return error;
}

static void
ed25519_unload(struct key *key)
{
	ed25519_free(key->handle);
}

static enum e2e_error
ed25519_generate(struct buffer *encoded, unsigned bits)
{
	unsigned char public_key[ED25519_KEY_LEN], *seed = NULL;
	struct ed25519_key *handle = NULL;
	enum e2e_error error;

	(void)bits;
	error = fresh_private(&seed);
	if (error == E2E_OK)
		error = ed25519_private_new(&handle, public_key, seed);
	if (error == E2E_OK)
		put_private(encoded, ALG_ED25519, CRV_ED25519, public_key,
		    seed);
	ed25519_free(handle);
	secret_free(seed);
	return error;
}

static size_t
ed25519_signature_length(const struct key *key)
{
	(void)key;
	return ED25519_SIGNATURE_LEN;
}

static enum e2e_error
ed25519_key_sign(const struct key *key, unsigned char *signature,
    const void *data, size_t size)
{
	return ed25519_sign(key->handle, signature, data, size);
}

static enum e2e_error
ed25519_key_verify(const struct key *key, bool *valid, struct bytes signature,
    const void *data, size_t size)
{
	*valid = false;
	if (signature.length != ED25519_SIGNATURE_LEN)
		return E2E_OK;
	return ed25519_verify(key->handle, valid, signature.data, data, size);
}

const struct key_type key_type_ed25519 = {
	.alg = ALG_ED25519, .signs = true, .check = ed25519_check,
	.load = ed25519_load, .unload = ed25519_unload,
	.generate = ed25519_generate,
	.signature_length = ed25519_signature_length,
	.sign = ed25519_key_sign, .verify = ed25519_key_verify
};

/* ---- X25519: the handle is the private key itself ---- */

static enum e2e_error
x25519_check(const struct cose_key *parts)
{
	return x25519_public_acceptable(parts->x.data) ? E2E_OK :
	    E2E_ERR_MALFORMED;
}

static enum e2e_error
x25519_load(struct key *key)
{
	unsigned char public_key[X25519_LEN];
	enum e2e_error error;

	key->handle = secret_alloc(X25519_LEN);
	if (key->handle == NULL)
		return E2E_ERR_MEMORY;
	memcpy(key->handle, key->parts.d.data, X25519_LEN);
	error = x25519_public(public_key, key->handle);
	if (error == E2E_OK &&
	    memcmp(public_key, key->parts.x.data, sizeof(public_key)) != 0)
		return E2E_ERR_KEY_FILE;
	return error;
}

static void
x25519_unload(struct key *key)
{
	secret_free(key->handle);
}

static enum e2e_error
x25519_generate(struct buffer *encoded, unsigned bits)
{
	unsigned char public_key[X25519_LEN], *private_key = NULL;
	enum e2e_error error;

	(void)bits;
	error = fresh_private(&private_key);
	if (error == E2E_OK)
		error = x25519_public(public_key, private_key);
	if (error == E2E_OK)
		put_private(encoded, ALG_ECDH_ES_A256KW, CRV_X25519,
		    public_key, private_key);
	secret_free(private_key);
	return error;
}

const struct key_type key_type_x25519 = {
	.alg = ALG_ECDH_ES_A256KW, .recipient_kind = RECIPIENT_X25519,
	.check = x25519_check, .load = x25519_load,
	.unload = x25519_unload, .generate = x25519_generate
};
