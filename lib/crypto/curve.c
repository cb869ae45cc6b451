/*
 * Raw keys in and out of EVP_PKEY; there is no key format to parse. A public
 * key of low order shows in OpenSSL's derivation failing, and once more in a
 * check of our own, for a provider that does not look.
 */
#include "curve.h"

#include "base/secret.h"
#include "crypto.h"
#include "openssl.h"

#include <openssl/err.h>

#include <stdlib.h>

struct ed25519_key {
	EVP_PKEY *pkey;
};

bool
x25519_public_acceptable(const unsigned char key[X25519_LEN])
{

	return (key[X25519_LEN - 1] & 0x80) == 0;
}

enum e2e_error
x25519_public(unsigned char public_key[X25519_LEN],
    const unsigned char private_key[X25519_LEN])
{
	enum e2e_error error;
	EVP_PKEY *pkey = NULL;
	size_t length = X25519_LEN;

	if ((error = crypto_init()) != E2E_OK)
		return error;
	if ((pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL,
	    private_key, X25519_LEN)) == NULL ||
	    EVP_PKEY_get_raw_public_key(pkey, public_key, &length) != 1 ||
	    length != X25519_LEN)
		error = openssl_failed();
	EVP_PKEY_free(pkey);
	return error;
}

/* Constant time. */
static bool
is_zero(const unsigned char *data, size_t size)
{
	unsigned char bits = 0;
	size_t i;

	for (i = 0; i < size; i++)
		bits |= data[i];
	return bits == 0;
}

enum e2e_error
x25519_derive(unsigned char secret[X25519_LEN], bool *usable,
    const unsigned char private_key[X25519_LEN],
    const unsigned char public_key[X25519_LEN])
{
	enum e2e_error error;
	EVP_PKEY *own = NULL, *peer = NULL;
	EVP_PKEY_CTX *context = NULL;
	size_t length = X25519_LEN;

	*usable = false;
	secret_wipe(secret, X25519_LEN);
	if (!x25519_public_acceptable(public_key))
		return E2E_OK;
	if ((error = crypto_init()) != E2E_OK)
		return error;
	if ((own = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL,
	    private_key, X25519_LEN)) == NULL ||
	    (peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL,
	    public_key, X25519_LEN)) == NULL ||
	    (context = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL)) == NULL ||
	    EVP_PKEY_derive_init(context) != 1 ||
	    EVP_PKEY_derive_set_peer_ex(context, peer, 0) != 1) {
		error = openssl_failed();
		goto out;
	}
	if (EVP_PKEY_derive(context, secret, &length) == 1 &&
	    length == X25519_LEN && !is_zero(secret, X25519_LEN))
		*usable = true;
	else {
		secret_wipe(secret, X25519_LEN);
		if (openssl_failed() == E2E_ERR_MEMORY)
			error = E2E_ERR_MEMORY;
	}
out:
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return error;
}

/* Takes the key over, or frees it. */
static enum e2e_error
ed25519_wrap(struct ed25519_key **key, EVP_PKEY *pkey)
{
	struct ed25519_key *k;

	if (pkey == NULL)
		return openssl_failed();
	if ((k = malloc(sizeof *k)) == NULL) {
		EVP_PKEY_free(pkey);
		return E2E_ERR_MEMORY;
	}
	k->pkey = pkey;
	*key = k;
	return E2E_OK;
}

enum e2e_error
ed25519_public_new(struct ed25519_key **key,
    const unsigned char public_key[ED25519_KEY_LEN])
{
	enum e2e_error error;

	*key = NULL;
	if ((error = crypto_init()) != E2E_OK)
		return error;
	return ed25519_wrap(key, EVP_PKEY_new_raw_public_key_ex(NULL,
	    "ED25519", NULL, public_key, ED25519_KEY_LEN));
}

enum e2e_error
ed25519_private_new(struct ed25519_key **key,
    unsigned char public_key[ED25519_KEY_LEN],
    const unsigned char seed[ED25519_KEY_LEN])
{
	enum e2e_error error;
	struct ed25519_key *k = NULL;
	size_t length = ED25519_KEY_LEN;

	*key = NULL;
	if ((error = crypto_init()) != E2E_OK)
		return error;
	openssl_need_secure_heap();
	error = ed25519_wrap(&k, EVP_PKEY_new_raw_private_key_ex(NULL,
	    "ED25519", NULL, seed, ED25519_KEY_LEN));
	if (error != E2E_OK)
		return error;
	if (EVP_PKEY_get_raw_public_key(k->pkey, public_key, &length) != 1 ||
	    length != ED25519_KEY_LEN) {
		error = openssl_failed();
		ed25519_free(k);
		return error;
	}
	*key = k;
	return E2E_OK;
}

void
ed25519_free(struct ed25519_key *key)
{

	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

enum e2e_error
ed25519_sign(const struct ed25519_key *key,
    unsigned char signature[ED25519_SIGNATURE_LEN], const void *data,
    size_t size)
{
	enum e2e_error error = E2E_OK;
	EVP_MD_CTX *context = NULL;
	size_t length = ED25519_SIGNATURE_LEN;

	if ((context = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key->pkey,
	    NULL) != 1 ||
	    EVP_DigestSign(context, signature, &length, data, size) != 1 ||
	    length != ED25519_SIGNATURE_LEN) {
		secret_wipe(signature, ED25519_SIGNATURE_LEN);
		error = openssl_failed();
	}
	EVP_MD_CTX_free(context);
	return error;
}

enum e2e_error
ed25519_verify(const struct ed25519_key *key, bool *valid,
    const unsigned char signature[ED25519_SIGNATURE_LEN], const void *data,
    size_t size)
{
	enum e2e_error error = E2E_OK;
	EVP_MD_CTX *context = NULL;

	*valid = false;
	if ((context = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL,
	    key->pkey, NULL) != 1) {
		error = openssl_failed();
		goto out;
	}
	if (EVP_DigestVerify(context, signature, ED25519_SIGNATURE_LEN, data,
	    size) == 1)
		*valid = true;
	else if (openssl_failed() == E2E_ERR_MEMORY)
		error = E2E_ERR_MEMORY;
out:
	EVP_MD_CTX_free(context);
	return error;
}
