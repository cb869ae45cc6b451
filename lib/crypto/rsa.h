/*
 * rsa.h: RSA-OAEP with SHA-256 and RSA-PSS with SHA-256 (RFC 8017, RFC 8230).
 *
 * A key is used for one of both, never for both; the caller keeps them
 * apart. Integers are big endian without leading zero.
 */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>

enum {
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 4096,
	RSA_MODULUS_MAX = RSA_BITS_MAX / 8,
	RSA_PRIME_MAX = RSA_MODULUS_MAX / 2 + 8
};

/* One integer of a key. */
struct rsa_integer {
	const unsigned char *data;
	size_t length;
};

/* COSE's order: n e d p q dP dQ qInv. */
struct rsa_private_parts {
	struct rsa_integer n, e, d, p, q, dp, dq, qinv;
};

struct rsa_key;	/* public or private */

/*
 * Is this a public key within the limits: no leading zeros, modulus odd and
 * 2048..4096 bits, e odd, 65537 <= e < 2^32? Pure.
 */
bool rsa_public_acceptable(struct rsa_integer n, struct rsa_integer e);

/* Both check rsa_public_acceptable (E2E_ERR_KEY_SIZE). The private one also
 * demands that every part is there and that p * q == n (E2E_ERR_KEY_FILE). */
enum e2e_error rsa_public_new(struct rsa_key **key, struct rsa_integer n,
    struct rsa_integer e);
enum e2e_error rsa_private_new(struct rsa_key **key,
    const struct rsa_private_parts *parts);

/* A fresh private key of `bits` with e = 65537. */
enum e2e_error rsa_generate(struct rsa_key **key, unsigned bits);
void rsa_free(struct rsa_key *key);
/* Bytes of the modulus = of a ciphertext = of a signature. */
size_t rsa_size(const struct rsa_key *key);

/*
 * The parts of a private key, for writing it down. All pointers lead into
 * *memory (of secret.h; secret_free it).
 */
enum e2e_error rsa_export(const struct rsa_key *key,
    struct rsa_private_parts *parts, void **memory);

/* OAEP, SHA-256 for hash and MGF1, empty label; out: rsa_size bytes. */
enum e2e_error rsa_oaep_encrypt(const struct rsa_key *key, unsigned char *out,
    const void *data, size_t size);

/*
 * *mine is false for whatever is not a ciphertext of exactly `size` bytes for
 * this key; `out` then holds zeros. OpenSSL's constant-time path; no other
 * distinction leaves this function: even memory that runs out inside the
 * private operation is "not mine".
 */
enum e2e_error rsa_oaep_decrypt(const struct rsa_key *key, void *out,
    size_t size, bool *mine, const unsigned char *in, size_t in_size);

/* PSS, SHA-256, MGF1 with SHA-256, salt of 32 bytes; signs `data` itself.
 * signature: rsa_size bytes. */
enum e2e_error rsa_pss_sign(const struct rsa_key *key,
    unsigned char *signature, const void *data, size_t size);
enum e2e_error rsa_pss_verify(const struct rsa_key *key, bool *valid,
    const unsigned char *signature, size_t signature_size, const void *data,
    size_t size);

#endif
