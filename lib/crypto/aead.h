/*
 * aead.h: AES-256-GCM with a 12-byte nonce and a 16-byte tag (SP 800-38D),
 * the only content encryption of this format.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>

enum { AEAD_KEY_LEN = 32, AEAD_NONCE_LEN = 12, AEAD_TAG_LEN = 16 };

struct aead;	/* one key, one direction at a time; one thread at a time */

enum e2e_error aead_new(struct aead **aead,
    const unsigned char key[AEAD_KEY_LEN]);
void aead_free(struct aead *aead);

/* out has room for size + AEAD_TAG_LEN; in == out is allowed, other overlap
 * is not. aad may be NULL when aad_size is 0, in NULL when size is 0. */
enum e2e_error aead_seal(struct aead *aead, unsigned char *out,
    const unsigned char nonce[AEAD_NONCE_LEN], const void *aad,
    size_t aad_size, const void *in, size_t size);

/*
 * in is ciphertext and tag, size >= AEAD_TAG_LEN (else false). Writes size -
 * AEAD_TAG_LEN bytes; when *authentic is false they are wiped.
 */
enum e2e_error aead_open(struct aead *aead, void *out, bool *authentic,
    const unsigned char nonce[AEAD_NONCE_LEN], const void *aad,
    size_t aad_size, const unsigned char *in, size_t size);

#endif
