/* hash.h: SHA-256 (FIPS 180-4) and HKDF (RFC 5869). */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <e2e/error.h>

#include <stddef.h>

enum { HASH_LEN = 32, HKDF_INFO_MAX = 1024 };

enum e2e_error hash_sha256(unsigned char out[HASH_LEN], const void *data,
    size_t size);

/* The same in pieces. */
struct hash;
enum e2e_error hash_new(struct hash **hash);
enum e2e_error hash_update(struct hash *hash, const void *data, size_t size);
/* Writes the digest and starts anew. */
enum e2e_error hash_final(struct hash *hash, unsigned char out[HASH_LEN]);
void hash_free(struct hash *hash);

/* Extract and expand with SHA-256 and an empty salt; size <= 255 * 32. */
enum e2e_error hkdf_sha256(unsigned char *out, size_t size, const void *ikm,
    size_t ikm_size, const void *info, size_t info_size);

/* Expand only, SHA-512; prk of 32 bytes or more, size <= 255 * 64. */
enum e2e_error hkdf_expand_sha512(unsigned char *out, size_t size,
    const void *prk, size_t prk_size, const void *info, size_t info_size);

#endif
