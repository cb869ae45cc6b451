/* passhash.h: Argon2id version 1.3 (RFC 9106). */
#ifndef CRYPTO_PASSHASH_H
#define CRYPTO_PASSHASH_H

#include <e2e/error.h>

#include <stddef.h>
#include <stdint.h>

enum { PASSHASH_SALT_LEN = 16, PASSHASH_LEN = 32 };

/* The caller has checked the cost against its limits. E2E_ERR_MEMORY when
 * there is not as much memory, E2E_ERR_KDF_COST when RFC 9106 forbids it. */
enum e2e_error passhash_argon2id(unsigned char out[PASSHASH_LEN],
    const void *passphrase, size_t length,
    const unsigned char salt[PASSHASH_SALT_LEN], uint32_t passes,
    uint32_t memory_kib, uint32_t lanes);

#endif
