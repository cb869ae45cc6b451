/* curve.h: X25519 (RFC 7748) and Ed25519 (RFC 8032). */
#ifndef CRYPTO_CURVE_H
#define CRYPTO_CURVE_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>

enum {
	X25519_LEN = 32,	/* private key, public key, shared secret */
	ED25519_KEY_LEN = 32,		/* seed, public key */
	ED25519_SIGNATURE_LEN = 64
};

/* A public key as RFC 7748 writes it; the top bit set is refused. Pure. */
bool x25519_public_acceptable(const unsigned char key[X25519_LEN]);

/* Private keys are any 32 random bytes. */
enum e2e_error x25519_public(unsigned char public_key[X25519_LEN],
    const unsigned char private_key[X25519_LEN]);

/* *usable is false, and the secret zero, for an unacceptable public key and
 * for an all-zero result (a point of low order). */
enum e2e_error x25519_derive(unsigned char secret[X25519_LEN], bool *usable,
    const unsigned char private_key[X25519_LEN],
    const unsigned char public_key[X25519_LEN]);

struct ed25519_key;	/* public or private */

enum e2e_error ed25519_public_new(struct ed25519_key **key,
    const unsigned char public_key[ED25519_KEY_LEN]);
/* From the 32-byte seed; also tells the public key. */
enum e2e_error ed25519_private_new(struct ed25519_key **key,
    unsigned char public_key[ED25519_KEY_LEN],
    const unsigned char seed[ED25519_KEY_LEN]);
void ed25519_free(struct ed25519_key *key);

enum e2e_error ed25519_sign(const struct ed25519_key *key,
    unsigned char signature[ED25519_SIGNATURE_LEN], const void *data,
    size_t size);
enum e2e_error ed25519_verify(const struct ed25519_key *key, bool *valid,
    const unsigned char signature[ED25519_SIGNATURE_LEN], const void *data,
    size_t size);

#endif
