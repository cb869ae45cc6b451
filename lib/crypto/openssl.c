/*
 * Shared state about OpenSSL. An implicit fetch (EVP_sha256() and the like)
 * costs about a microsecond at each use, so algorithms are fetched once. They
 * are kept in atomic pointers and not behind pthread_once, for a fetch that
 * failed for want of memory must not fail for ever after.
 */
#include "openssl.h"

#include "crypto.h"

#include <openssl/crypto.h>
#include <openssl/cryptoerr.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	SECURE_HEAP_SIZE = 128 * 1024,
	SECURE_HEAP_MIN = 32		/* the smallest private key */
};

static _Atomic(EVP_CIPHER *) aes_256_gcm;
static _Atomic(EVP_CIPHER *) aes_256_wrap;
static _Atomic(EVP_MD *) sha256;
static _Atomic(EVP_KDF *) hkdf;

static EVP_CIPHER *
cipher(_Atomic(EVP_CIPHER *) *slot, const char *name)
{
	EVP_CIPHER *fetched, *other;

	if ((fetched = atomic_load(slot)) != NULL)
		return fetched;
	if (crypto_init() != E2E_OK)
		return NULL;
	if ((fetched = EVP_CIPHER_fetch(NULL, name, NULL)) == NULL)
		return NULL;
	other = NULL;
	if (!atomic_compare_exchange_strong(slot, &other, fetched)) {
		EVP_CIPHER_free(fetched);
		return other;
	}
	return fetched;
}

EVP_CIPHER *
openssl_aes_256_gcm(void)
{

	return cipher(&aes_256_gcm, "AES-256-GCM");
}

EVP_CIPHER *
openssl_aes_256_wrap(void)
{

	return cipher(&aes_256_wrap, "AES-256-WRAP");
}

EVP_MD *
openssl_sha256(void)
{
	EVP_MD *fetched, *other;

	if ((fetched = atomic_load(&sha256)) != NULL)
		return fetched;
	if (crypto_init() != E2E_OK)
		return NULL;
	if ((fetched = EVP_MD_fetch(NULL, "SHA2-256", NULL)) == NULL)
		return NULL;
	other = NULL;
	if (!atomic_compare_exchange_strong(&sha256, &other, fetched)) {
		EVP_MD_free(fetched);
		return other;
	}
	return fetched;
}

EVP_KDF *
openssl_hkdf(void)
{
	EVP_KDF *fetched, *other;

	if ((fetched = atomic_load(&hkdf)) != NULL)
		return fetched;
	if (crypto_init() != E2E_OK)
		return NULL;
	if ((fetched = EVP_KDF_fetch(NULL, "HKDF", NULL)) == NULL)
		return NULL;
	other = NULL;
	if (!atomic_compare_exchange_strong(&hkdf, &other, fetched)) {
		EVP_KDF_free(fetched);
		return other;
	}
	return fetched;
}

static void
make_secure_heap(void)
{

	/* A program that links libe2e may have made its own. */
	if (CRYPTO_secure_malloc_initialized())
		return;
	(void)CRYPTO_secure_malloc_init(SECURE_HEAP_SIZE, SECURE_HEAP_MIN);
}

void
openssl_need_secure_heap(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make_secure_heap);
}

enum e2e_error
openssl_failed(void)
{
	enum e2e_error error = E2E_ERR_CRYPTO;
	unsigned long code;
	int reason;

	while ((code = ERR_get_error()) != 0) {
		reason = ERR_GET_REASON(code);
		if (reason == ERR_R_MALLOC_FAILURE ||
		    (ERR_GET_LIB(code) == ERR_LIB_CRYPTO &&
		    reason == CRYPTO_R_SECURE_MALLOC_FAILURE))
			error = E2E_ERR_MEMORY;
	}
	return error;
}
