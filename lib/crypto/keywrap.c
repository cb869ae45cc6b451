/*
 * RFC 3394 through OpenSSL's wrap cipher, which writes no output unless its
 * integrity check holds and must be allowed for each context.
 */
#include "keywrap.h"

#include "base/secret.h"
#include "openssl.h"

#include <openssl/err.h>

#include <string.h>

enum e2e_error
keywrap_wrap(unsigned char out[KEYWRAP_WRAPPED_LEN],
    const unsigned char kek[KEYWRAP_KEY_LEN],
    const unsigned char key[KEYWRAP_KEY_LEN])
{
	enum e2e_error error = E2E_OK;
	EVP_CIPHER_CTX *context = NULL;
	EVP_CIPHER *cipher;
	int length;

	if ((cipher = openssl_aes_256_wrap()) == NULL ||
	    (context = EVP_CIPHER_CTX_new()) == NULL) {
		error = openssl_failed();
		goto out;
	}
	EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_EncryptInit_ex2(context, cipher, kek, NULL, NULL) != 1 ||
	    EVP_EncryptUpdate(context, out, &length, key,
	    KEYWRAP_KEY_LEN) != 1 || length != KEYWRAP_WRAPPED_LEN) {
		secret_wipe(out, KEYWRAP_WRAPPED_LEN);
		error = openssl_failed();
	}
out:
	EVP_CIPHER_CTX_free(context);
	return error;
}

enum e2e_error
keywrap_unwrap(unsigned char key[KEYWRAP_KEY_LEN], bool *mine,
    const unsigned char kek[KEYWRAP_KEY_LEN],
    const unsigned char wrapped[KEYWRAP_WRAPPED_LEN])
{
	enum e2e_error error = E2E_OK;
	EVP_CIPHER_CTX *context = NULL;
	unsigned char *work = NULL;
	EVP_CIPHER *cipher;
	int length;

	*mine = false;
	secret_wipe(key, KEYWRAP_KEY_LEN);
	/* A failed unwrap may leave candidate bytes behind. */
	if ((work = secret_alloc(KEYWRAP_WRAPPED_LEN)) == NULL)
		return E2E_ERR_MEMORY;
	if ((cipher = openssl_aes_256_wrap()) == NULL ||
	    (context = EVP_CIPHER_CTX_new()) == NULL) {
		error = openssl_failed();
		goto out;
	}
	EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_DecryptInit_ex2(context, cipher, kek, NULL, NULL) != 1) {
		error = openssl_failed();
		goto out;
	}
	if (EVP_DecryptUpdate(context, work, &length, wrapped,
	    KEYWRAP_WRAPPED_LEN) == 1 && length == KEYWRAP_KEY_LEN) {
		memcpy(key, work, KEYWRAP_KEY_LEN);
		*mine = true;
	}
	ERR_clear_error();
out:
	EVP_CIPHER_CTX_free(context);
	secret_free(work);
	return error;
}
