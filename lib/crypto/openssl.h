/*
 * openssl.h: what the files of lib/crypto share about OpenSSL. Private to
 * this folder; nobody else includes it.
 */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#include <e2e/error.h>

#include <openssl/evp.h>

/*
 * Fetched at the first call and kept until the process ends; the library is
 * made ready first. NULL when OpenSSL has none of it or memory is short; a
 * later call tries again. Threads: safe.
 */
EVP_CIPHER *openssl_aes_256_gcm(void);
EVP_CIPHER *openssl_aes_256_wrap(void);
EVP_MD *openssl_sha256(void);
EVP_KDF *openssl_hkdf(void);

/*
 * Locked memory for private keys, made at the first call. Never fails: where
 * there is none OpenSSL uses its ordinary heap, and wipes that as well when it
 * frees a private number. Of a key that is read in, OpenSSL 3.0 keeps only
 * what passes through on the way there; a key that it generates stays there.
 */
void openssl_need_secure_heap(void);

/* The code for the failure that OpenSSL just reported; empties its queue. */
enum e2e_error openssl_failed(void);

#endif
