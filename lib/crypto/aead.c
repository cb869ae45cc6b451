/*
 * AES-256-GCM through one EVP_CIPHER_CTX for each key: setting only the IV
 * before a chunk is half the cost of setting the key again, and no context is
 * allocated in the loop.
 */
#include "aead.h"

#include "base/secret.h"
#include "openssl.h"

#include <openssl/err.h>

#include <limits.h>
#include <string.h>

enum direction { NONE, SEALING, OPENING };

struct aead {
	EVP_CIPHER_CTX *context;
	enum direction direction;	/* what the context is keyed for */
	unsigned char key[AEAD_KEY_LEN];
};

enum e2e_error
aead_new(struct aead **aead, const unsigned char key[AEAD_KEY_LEN])
{
	struct aead *a;

	*aead = NULL;
	if ((a = secret_alloc(sizeof *a)) == NULL)
		return E2E_ERR_MEMORY;
	if ((a->context = EVP_CIPHER_CTX_new()) == NULL) {
		(void)openssl_failed();
		secret_free(a);
		return E2E_ERR_MEMORY;
	}
	a->direction = NONE;
	memcpy(a->key, key, AEAD_KEY_LEN);
	*aead = a;
	return E2E_OK;
}

void
aead_free(struct aead *aead)
{

	if (aead == NULL)
		return;
	EVP_CIPHER_CTX_free(aead->context);
	secret_free(aead);
}

/* Sets the nonce; the key only when it was not set for this direction. */
static bool
start(struct aead *aead, enum direction direction, const unsigned char *nonce)
{
	EVP_CIPHER *cipher = NULL;
	const unsigned char *key = NULL;
	int done;

	if (aead->direction != direction) {
		if ((cipher = openssl_aes_256_gcm()) == NULL)
			return false;
		key = aead->key;
		aead->direction = NONE;
	}
	if (direction == SEALING)
		done = EVP_EncryptInit_ex2(aead->context, cipher, key, nonce,
		    NULL);
	else
		done = EVP_DecryptInit_ex2(aead->context, cipher, key, nonce,
		    NULL);
	if (done != 1)
		return false;
	aead->direction = direction;
	return true;
}

enum e2e_error
aead_seal(struct aead *aead, unsigned char *out,
    const unsigned char nonce[AEAD_NONCE_LEN], const void *aad,
    size_t aad_size, const void *in, size_t size)
{
	EVP_CIPHER_CTX *context = aead->context;
	unsigned char none[AEAD_TAG_LEN];
	int length;

	if (size > INT_MAX || aad_size > INT_MAX)
		return E2E_ERR_LIMIT;
	if (!start(aead, SEALING, nonce))
		goto fail;
	if (aad_size > 0 && EVP_EncryptUpdate(context, NULL, &length, aad,
	    (int)aad_size) != 1)
		goto fail;
	if (size > 0 && (EVP_EncryptUpdate(context, out, &length, in,
	    (int)size) != 1 || length != (int)size))
		goto fail;
	if (EVP_EncryptFinal_ex(context, none, &length) != 1 || length != 0)
		goto fail;
	if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN,
	    out + size) != 1)
		goto fail;
	return E2E_OK;
fail:
	/* In place, this is the plaintext, or keystream over half of it. */
	secret_wipe(out, size + AEAD_TAG_LEN);
	aead->direction = NONE;
	return openssl_failed();
}

enum e2e_error
aead_open(struct aead *aead, void *out, bool *authentic,
    const unsigned char nonce[AEAD_NONCE_LEN], const void *aad,
    size_t aad_size, const unsigned char *in, size_t size)
{
	EVP_CIPHER_CTX *context = aead->context;
	unsigned char tag[AEAD_TAG_LEN], none[AEAD_TAG_LEN];
	int length;

	*authentic = false;
	if (size < AEAD_TAG_LEN)
		return E2E_OK;
	size -= AEAD_TAG_LEN;
	if (size > INT_MAX || aad_size > INT_MAX)
		return E2E_ERR_LIMIT;
	/* OpenSSL takes the tag by a pointer that is not const. */
	memcpy(tag, in + size, AEAD_TAG_LEN);
	if (!start(aead, OPENING, nonce))
		goto fail;
	if (aad_size > 0 && EVP_DecryptUpdate(context, NULL, &length, aad,
	    (int)aad_size) != 1)
		goto fail;
	if (size > 0 && (EVP_DecryptUpdate(context, out, &length, in,
	    (int)size) != 1 || length != (int)size))
		goto fail;
	if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN,
	    tag) != 1)
		goto fail;
	if (EVP_DecryptFinal_ex(context, none, &length) != 1) {
		ERR_clear_error();
		secret_wipe(out, size);
		return E2E_OK;
	}
	*authentic = true;
	return E2E_OK;
fail:
	secret_wipe(out, size);
	aead->direction = NONE;
	return openssl_failed();
}
