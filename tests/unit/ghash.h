/*
 * ghash.h: what whoever knows the payload key can do to AES-GCM, whose GHASH
 * is linear and no hash: other chunks with the same tag, and one chunk for
 * two keys.
 */
#ifndef TESTS_GHASH_H
#define TESTS_GHASH_H

#include "message/derive.h"

/* x = x * y in the field of GCM, in its order of bits. */
void ghash_multiply(unsigned char x[16], const unsigned char y[16]);
/* H of these keys. A difference d in one block of a ciphertext and d * H in
 * the next one leave its tag as it is; that is checked. */
void ghash_key(const struct derive_payload *keys, unsigned char h[16]);
/*
 * A chunk, `length` bytes and a tag, that is authentic as chunk 0 under both
 * keys: the data but for the block at `at`, which is chosen so that both
 * tags agree (Dodis, Grubbs, Ristenpart, Woodage 2018).
 */
void ghash_collide(unsigned char *chunk, size_t at,
    const unsigned char *data, size_t length,
    const struct derive_payload *a, const struct derive_payload *b);

#endif
