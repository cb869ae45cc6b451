/* Forging under a known key: arithmetic in GF(2^128), and linear equations. */
#include "ghash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void
ghash_multiply(unsigned char x[16], const unsigned char y[16])
{
	unsigned char z[16] = { 0 }, v[16];
	int i, k, low;

	memcpy(v, y, 16);
	for (i = 0; i < 128; i++) {
		if ((x[i / 8] >> (7 - i % 8) & 1) != 0) {
			for (k = 0; k < 16; k++)
				z[k] ^= v[k];
		}
		low = v[15] & 1;
		for (k = 15; k > 0; k--)
			v[k] = (unsigned char)(v[k] >> 1 | v[k - 1] << 7);
		v[0] >>= 1;
		if (low != 0)
			v[0] ^= 0xe1;
	}
	memcpy(x, z, 16);
}

/* 1/x = x^(2^128 - 2) */
static void
gf_invert(unsigned char x[16])
{
	unsigned char power[16], result[16] = { 0x80 };
	int i;

	memcpy(power, x, 16);
	for (i = 1; i < 128; i++) {
		ghash_multiply(power, power);
		ghash_multiply(result, power);
	}
	memcpy(x, result, 16);
}

static void
encrypt_block(const struct derive_payload *keys, const unsigned char *nonce,
    unsigned char *stream, size_t size)
{
	unsigned char *out = calloc(1, size + AEAD_TAG_LEN);
	unsigned char *zeros = calloc(1, size);
	struct aead *aead;

	assert_true(out != NULL && zeros != NULL);
	assert_int_equal(aead_new(&aead, keys->key), E2E_OK);
	assert_int_equal(aead_seal(aead, out, nonce, NULL, 0, zeros, size),
	    E2E_OK);
	memcpy(stream, out, size);
	aead_free(aead);
	free(out);
	free(zeros);
}

/* Do d and d * H in the next block cancel each other? */
static void
check_key(const struct derive_payload *keys,
    const unsigned char h[16])
{
	unsigned char data[48] = { 0 }, other[48], nonce[12] = { 3 };
	unsigned char a[64], b[64], factor[16];
	struct aead *aead;
	int i;

	memcpy(other, data, sizeof(other));
	other[5] ^= 0x42;
	memset(factor, 0, 16);
	factor[5] = 0x42;
	ghash_multiply(factor, h);
	for (i = 0; i < 16; i++)
		other[16 + i] ^= factor[i];
	assert_int_equal(aead_new(&aead, keys->key), E2E_OK);
	assert_int_equal(aead_seal(aead, a, nonce, NULL, 0, data, 48), E2E_OK);
	assert_int_equal(aead_seal(aead, b, nonce, NULL, 0, other, 48),
	    E2E_OK);
	aead_free(aead);
	assert_memory_not_equal(a, b, 48);
	assert_memory_equal(a + 48, b + 48, 16);
}

/*
 * H is not to be had from an AEAD interface, but the difference of two tags
 * under one nonce shows it: one block of ciphertext that differs by d changes
 * the tag by d * H^2. With d = 1 that is H^2, which has one square root.
 */
void
ghash_key(const struct derive_payload *keys, unsigned char h[16])
{
	unsigned char zero[16] = { 0 }, one[16] = { 0x80 };
	unsigned char nonce[AEAD_NONCE_LEN] = { 0 }, a[32], b[32];
	struct aead *aead;
	int i;

	assert_int_equal(aead_new(&aead, keys->key), E2E_OK);
	assert_int_equal(aead_seal(aead, a, nonce, NULL, 0, zero, 16), E2E_OK);
	assert_int_equal(aead_seal(aead, b, nonce, NULL, 0, one, 16), E2E_OK);
	aead_free(aead);
	for (i = 0; i < 16; i++)
		h[i] = a[16 + i] ^ b[16 + i];
	/* The square root is the 2^127th power. */
	for (i = 0; i < 127; i++) {
		memcpy(zero, h, 16);
		ghash_multiply(h, zero);
	}
	check_key(keys, h);
}

/* Tag of a ciphertext under these keys, without the encryption: the tag of
 * its plaintext, which is what aead_seal takes. */
static void
tag_of(const struct derive_payload *keys, const unsigned char *ciphertext,
    size_t size, unsigned char tag[16])
{
	unsigned char *stream = malloc(size), *out = malloc(size + 16);
	struct aead *aead;
	size_t i;

	assert_true(stream != NULL && out != NULL);
	encrypt_block(keys, keys->nonce, stream, size);
	for (i = 0; i < size; i++)
		stream[i] ^= ciphertext[i];
	assert_int_equal(aead_new(&aead, keys->key), E2E_OK);
	assert_int_equal(aead_seal(aead, out, keys->nonce, NULL, 0, stream,
	    size), E2E_OK);
	assert_memory_equal(out, ciphertext, size);
	memcpy(tag, out + size, 16);
	aead_free(aead);
	free(stream);
	free(out);
}

/*
 * One ciphertext and tag that open under both keys: one block is chosen so
 * that both tags agree (Dodis, Grubbs, Ristenpart, Woodage 2018). The block at
 * `at` of the three here: it enters each tag as x * H^(blocks after it + 2).
 */
void
ghash_collide(unsigned char *chunk, size_t at, const unsigned char *data,
    size_t length, const struct derive_payload *a,
    const struct derive_payload *b)
{
	unsigned char ha[16], hb[16], pa[16], pb[16], ta[16], tb[16], x[16];
	size_t power, i;

	memcpy(chunk, data, length);
	memset(chunk + at, 0, 16);
	ghash_key(a, ha);
	ghash_key(b, hb);
	memcpy(pa, ha, 16);
	memcpy(pb, hb, 16);
	for (power = 1; power < (length - at - 16) / 16 + 2; power++) {
		ghash_multiply(pa, ha);
		ghash_multiply(pb, hb);
	}
	tag_of(a, chunk, length, ta);
	tag_of(b, chunk, length, tb);
	for (i = 0; i < 16; i++) {
		pa[i] ^= pb[i];
		x[i] = ta[i] ^ tb[i];
	}
	gf_invert(pa);
	ghash_multiply(x, pa);
	memcpy(chunk + at, x, 16);
	tag_of(a, chunk, length, ta);
	tag_of(b, chunk, length, tb);
	assert_memory_equal(ta, tb, 16);
	memcpy(chunk + length, ta, 16);
}
