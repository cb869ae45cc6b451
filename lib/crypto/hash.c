/*
 * SHA-256 through EVP_MD and HKDF through EVP_KDF. The empty salt of RFC 5869
 * is left away: OpenSSL then uses the zeros that the RFC names.
 */
#include "hash.h"

#include "base/secret.h"
#include "openssl.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <stdint.h>
#include <stdlib.h>

struct hash {
	EVP_MD_CTX *context;
};

enum e2e_error
hash_sha256(unsigned char out[HASH_LEN], const void *data, size_t size)
{
	EVP_MD *md;

	if ((md = openssl_sha256()) == NULL ||
	    EVP_Digest(data, size, out, NULL, md, NULL) != 1)
		return openssl_failed();
	return E2E_OK;
}

enum e2e_error
hash_new(struct hash **hash)
{
	enum e2e_error error;
	struct hash *h;
	EVP_MD *md;

	*hash = NULL;
	if ((h = calloc(1, sizeof *h)) == NULL)
		return E2E_ERR_MEMORY;
	if ((md = openssl_sha256()) == NULL ||
	    (h->context = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex2(h->context, md, NULL) != 1) {
		error = openssl_failed();
		hash_free(h);
		return error;
	}
	*hash = h;
	return E2E_OK;
}

enum e2e_error
hash_update(struct hash *hash, const void *data, size_t size)
{

	if (size > 0 && EVP_DigestUpdate(hash->context, data, size) != 1)
		return openssl_failed();
	return E2E_OK;
}

enum e2e_error
hash_final(struct hash *hash, unsigned char out[HASH_LEN])
{

	if (EVP_DigestFinal_ex(hash->context, out, NULL) != 1 ||
	    EVP_DigestInit_ex2(hash->context, NULL, NULL) != 1)
		return openssl_failed();
	return E2E_OK;
}

void
hash_free(struct hash *hash)
{

	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->context);
	free(hash);
}

static enum e2e_error
hkdf(int mode, const char *digest, unsigned char *out, size_t size,
    const void *key, size_t key_size, const void *info, size_t info_size)
{
	enum e2e_error error = E2E_OK;
	EVP_KDF_CTX *context = NULL;
	OSSL_PARAM params[5], *p = params;
	EVP_KDF *kdf;

	if (info_size > HKDF_INFO_MAX)
		return E2E_ERR_LIMIT;
	/* OSSL_PARAM has no pointer to const; these are only read. */
	*p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
	    (char *)(uintptr_t)digest, 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
	    (void *)(uintptr_t)key, key_size);
	if (info_size > 0)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
		    (void *)(uintptr_t)info, info_size);
	*p = OSSL_PARAM_construct_end();

	if ((kdf = openssl_hkdf()) == NULL ||
	    (context = EVP_KDF_CTX_new(kdf)) == NULL ||
	    EVP_KDF_derive(context, out, size, params) != 1) {
		error = openssl_failed();
		secret_wipe(out, size);
	}
	EVP_KDF_CTX_free(context);
	return error;
}

enum e2e_error
hkdf_sha256(unsigned char *out, size_t size, const void *ikm, size_t ikm_size,
    const void *info, size_t info_size)
{

	return hkdf(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, "SHA2-256", out,
	    size, ikm, ikm_size, info, info_size);
}

enum e2e_error
hkdf_expand_sha512(unsigned char *out, size_t size, const void *prk,
    size_t prk_size, const void *info, size_t info_size)
{

	return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, "SHA2-512", out, size,
	    prk, prk_size, info, info_size);
}
